/**
 * The Chromium the browser tests run in, and a page served from the package's folder.
 *
 *   const browser = await openChromium();            // headless, an empty profile of its own
 *   const page = await browser.newPage('<script src="/dist/qhive.global.js"></script>');
 *   await page.evaluate(() => qhive.createRuntime(...));
 *   await browser.close();
 *
 * QHIVE_CHROMIUM names the program; otherwise the usual names are looked up on PATH. Pages come from a
 * server of this process on 127.0.0.1, cross-origin isolated, that serves nothing but `dist/` and `web/`.
 */
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];
const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.wasm': 'application/wasm',
    '.json': 'application/json',
};
const SERVED = ['/dist/', '/web/'];

/** The path of a Chromium, or undefined. */
export function findChromium() {
    const { QHIVE_CHROMIUM } = process.env;
    if (QHIVE_CHROMIUM) return existsSync(QHIVE_CHROMIUM) ? QHIVE_CHROMIUM : undefined;
    return findProgram(...NAMES);
}

const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Starts the server; `pages` maps a path to the HTML of a page made by a test. */
export function serve(pages, headers = ISOLATED) {
    const server = createServer((request, response) => {
        const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
        const file = join(root, path);
        if (pages.has(path)) {
            response.writeHead(200, { ...headers, 'Content-Type': TYPES['.html'] }).end(pages.get(path));
        } else if (SERVED.some((folder) => path.startsWith(folder)) && existsSync(file) && statSync(file).isFile()) {
            response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' });
            createReadStream(file).pipe(response);
        } else {
            response.writeHead(404, headers).end();
        }
    });
    return new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => resolve(server));
    });
}

/** Starts Chromium alone, with a profile of its own that `close()` removes: `{ context, newPage(), close() }`. */
export async function openBrowser({ args = [] } = {}) {
    const { chromium } = await import('playwright-core');
    const profile = mkdtempSync(join(tmpdir(), 'qhive-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: findChromium(),
        headless: true,
        args: [...ARGUMENTS, ...args],
    });
    return {
        context,
        newPage: () => context.newPage(),
        async close() {
            await context.close();
            rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        },
    };
}

/** Starts Chromium and the server. `close()` ends both and removes the profile. */
export async function openChromium(options) {
    const pages = new Map();
    const server = await serve(pages);
    const { context, close } = await openBrowser(options);
    const origin = `http://127.0.0.1:${server.address().port}`;
    return {
        origin,
        version: context.browser()?.version() ?? 'unknown',
        /** A page with this body; an uncaught error in it is collected in `page.uncaught`. */
        async newPage(body = '') {
            const path = `/page${pages.size}.html`;
            pages.set(path, `<!doctype html><meta charset="utf-8"><title>qhive</title><body>${body}</body>`);
            const page = await context.newPage();
            page.uncaught = [];
            page.on('pageerror', (error) => page.uncaught.push(error.message));
            await page.goto(`${origin}${path}`);
            return page;
        },
        async close() {
            await close();
            server.closeAllConnections();
            await new Promise((resolve) => void server.close(resolve));
        },
    };
}
