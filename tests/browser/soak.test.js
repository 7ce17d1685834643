/** The bounded soak of memory, in a real browser: the trace hash is part of the test, so Chromium did what all builds and Node did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { readModule } from '../build/wasm-binary.js';
import { openChromium } from './chromium.js';

let browser;
beforeAll(async () => {
    browser = await openChromium();
});
afterAll(() => browser?.close());

test('lives in any order have the trace hash of every other build', async () => {
    const bytes = readFileSync(join(root, 'build/wasm/qhive_tests.wasm'));
    const { min } = readModule(bytes).imports.find(({ kind }) => kind === 'memory');
    const page = await browser.newPage();
    const output = await page.evaluate(
        async ([base64, pages]) => {
            const memory = new WebAssembly.Memory({ initial: pages, maximum: 16384 });
            const decoder = new TextDecoder();
            let text = '';
            const print = (at, count) => void (text += decoder.decode(new Uint8Array(memory.buffer, at >>> 0, count)));
            const module = await WebAssembly.compile(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
            const { exports } = await WebAssembly.instantiate(module, { env: { memory, qh_test_print: print } });
            new Uint8Array(memory.buffer, exports.qh_test_filter(), 256).set(new TextEncoder().encode('runtime_soak: any'));
            exports.qh_test_main();
            return text;
        },
        [bytes.toString('base64'), min],
    );
    expect(output).toMatch(/trace [0-9a-f]{14,16}\nok 1 - runtime_soak/);
    expect(page.uncaught).toEqual([]);
});
