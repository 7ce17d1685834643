/** A static server of one folder under a Content-Security-Policy; \`pages\` maps a path to HTML made by a test. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.cjs': 'text/javascript', '.wasm': 'application/wasm' };

/** As strict as a page can be that runs WebAssembly and fetches from its own origin. */
export const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/** The same without the right to compile WebAssembly. */
export const FORBIDDING = "default-src 'none'; script-src 'self'";

/** What makes a page cross-origin isolated. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** A page that runs these scripts; a path that ends in `.mjs` is a module. */
export const pageOf = (...scripts) =>
    `<!doctype html><meta charset="utf-8"><body>${scripts.map((src) => `<script ${src.endsWith('.mjs') ? 'type="module"' : ''} src="${src}"></script>`).join('')}</body>`;

/** Serves; `origin` is where, `close()` ends it. */
export async function serve(folder, policy, pages = {}) {
    const server = createServer((request, response) => {
        const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname)).replaceAll('\\', '/');
        const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
        const headers = { 'Content-Security-Policy': policy, ...ISOLATED };
        if (path in pages) response.writeHead(200, { ...headers, 'Content-Type': TYPES['.html'] }).end(pages[path]);
        else if (existsSync(file) && statSync(file).isFile()) response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(file)] ?? 'text/plain' }).end(readFileSync(file));
        else response.writeHead(404, headers).end();
    });
    await new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const close = () => {
        server.closeAllConnections();
        return new Promise((resolve) => void server.close(resolve));
    };
    return { origin: `http://127.0.0.1:${server.address().port}`, close };
}
