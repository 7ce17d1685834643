/**
 * Serves the page, a folder of static files, under the strictest policy it works with.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = {
    '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
    '.json': 'application/json', '.txt': 'text/plain; charset=utf-8',
};
/** Isolation gives the page a finer clock; everything works without these headers too. */
export const HEADERS = Object.freeze({
    'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
});

async function answer(folder, request, response, headers) {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const name = path.endsWith('/') ? `${path}index.html` : path;
    const type = TYPES[extname(name)];
    if (!['GET', 'HEAD'].includes(request.method) || !type) return response.writeHead(404, headers).end();
    const body = gzipSync(await readFile(join(folder, name)));
    response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Encoding': 'gzip', 'Content-Length': body.length });
    return response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * @param {{ folder: string, port?: number, host?: string, headers?: Record<string, string> }} options port 0: any that is free
 * @returns {Promise<import('node:http').Server>} listening
 */
export function servePage({ folder, port = 0, host = '127.0.0.1', headers = HEADERS }) {
    const server = createServer((request, response) => {
        answer(folder, request, response, headers).catch(() => response.writeHead(404, headers).end());
    });
    return new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen(port, host, () => resolve(server));
    });
}

/** Where a server that listens can be seen. @param {import('node:http').Server} server */
export function addressOf(server) {
    const { address, port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;
}
