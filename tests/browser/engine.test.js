/** The browser this machine has can do what the package relies on: a real page, real WebAssembly. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { openChromium } from './chromium.js';

let browser;
beforeAll(async () => {
    browser = await openChromium();
});
afterAll(() => browser?.close());

test.each(['wasm', 'wasm-scalar'])('the %s module compiles in Chromium and imports only its memory', async (preset) => {
    const page = await browser.newPage();
    const bytes = readFileSync(join(root, 'build', preset, 'qhive.wasm')).toString('base64');
    const found = await page.evaluate(async (base64) => {
        const module = await WebAssembly.compile(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
        return { imports: WebAssembly.Module.imports(module), isolated: globalThis.crossOriginIsolated };
    }, bytes);
    expect(found).toEqual({ imports: [{ module: 'env', name: 'memory', kind: 'memory' }], isolated: true });
    expect(page.uncaught).toEqual([]);
});
