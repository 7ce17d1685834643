/** dist/ in a real browser: the script-tag file, the ES module, and the same bytes as in Node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as node from 'qhive';
import { root } from '../../cmake/build.mjs';
import * as golden from '../golden/program.mjs';
import { openChromium } from './chromium.js';

let browser;
let page;
beforeAll(async () => {
    browser = await openChromium();
    page = await browser.newPage('<script src="/dist/qhive.global.js"></script>');
});
afterAll(() => browser?.close());

/** Runs in the page and in Node: some learning with every kind of encoder; must not refer to anything outside of it. */
async function program({ createRuntime }, options) {
    const runtime = await createRuntime({ seed: 11, ...options });
    let state = 1;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const dims = Array.from({ length: 20 }, (_, i) => ({ min: -1, max: 1 + i / 10, bins: 4, ...(i % 5 ? {} : { trend: 0.25 }) }));
    const encoders = [{ kind: 'index', states: 50 }, { kind: 'bins', dims }, { kind: 'simhash', dims, bits: 12 }, { kind: 'tiles', dims: dims.slice(0, 3), tilings: 8 }];
    for (const encoder of encoders) {
        const agent = runtime.createAgent({ actions: 5, encoder, replay: { capacity: 100, kind: 'prioritized' }, policy: { kind: 'softmax', temperature: 0.7 } });
        const observe = () => (encoder.kind === 'index' ? Math.floor(random() * 50) : encoder.dims.map(() => random() * 3 - 1.2));
        agent.begin(observe());
        for (let i = 0; i < 1000; i++) if (agent.step(random(), observe(), { terminated: random() < 0.02 }) < 0) agent.begin(observe());
        agent.replay(200);
    }
    const batch = runtime.batch();
    batch.observations.fill(0.5);
    for (let i = 0; i < batch.agents.length; i++) batch.observations[i * 64] = 3;
    batch.begin();
    for (let i = 0; i < 50; i++) batch.step();
    return { hash: runtime.hash(), simd: runtime.build.simd, sound: runtime.validate() };
}

/** Evaluates `program` in the page on what an expression there gives. */
const inPage = (library, options) => page.evaluate(`(async () => (${program})(await ${library}, ${JSON.stringify(options)}))()`);

const FORMATS = [['the script-tag file', 'globalThis.qhive'], ['the ES module', "import('/dist/qhive.mjs')"]];

describe.each(FORMATS)('%s', (_, library) => {
    test.each([true, false])('learns what Node learns, to the bit, with SIMD %p', async (simd) => {
        const found = await inPage(library, { simd });
        expect(found).toEqual(await program(node, { simd }));
        expect(found).toMatchObject({ simd, sound: true });
    });

    test('takes the module by its address', async () => {
        expect(await inPage(library, { wasm: '/dist/qhive.wasm' })).toEqual(await program(node, {}));
    });

    test('starts at once', async () => {
        const simd = await page.evaluate(`(async () => (await ${library}).createRuntimeSync().build.simd)()`);
        expect(simd).toBe(true);
    });

    test('fails as it does in Node', async () => {
        const errors = await page.evaluate(`(async () => {
            const { createRuntime, createRuntimeSync } = await ${library};
            const describe = ({ name, code }) => name + ' ' + code;
            const failed = (call) => { try { call(); return 'no error'; } catch (error) { return describe(error); } };
            const agent = createRuntimeSync({ pools: { state: 1, trajectory: 1, message: 1 } }).createAgent({ actions: 2, encoder: { kind: 'index', states: 2 } });
            const found = [await createRuntime({ wasm: '/nothing.wasm' }).catch(describe), await createRuntime({ maxPages: 2 }).catch(describe), failed(() => agent.act(2))];
            new Uint8Array(agent.input.buffer).fill(255, 1 << 20);
            return [...found, failed(() => agent.act(0))];
        })()`);
        const ruined = errors.pop();
        expect(errors).toEqual(['QhiveError INVALID_ARGUMENT', 'QhiveError EXCEEDS_LIMIT', 'QhiveError INVALID_ARGUMENT']);
        expect(ruined).toMatch(/^QhiveError (INVALID_STATE|STALE_HANDLE)$/);
    });
});

test('the script defines one global', async () => {
    const bare = await browser.newPage();
    const names = await bare.evaluate('Object.getOwnPropertyNames(globalThis)');
    const after = await page.evaluate('Object.getOwnPropertyNames(globalThis)');
    expect(after.filter((name) => !names.includes(name))).toEqual(['qhive']);
});

test('a page that forbids WebAssembly is told why', async () => {
    const bare = await browser.newPage('<script src="/dist/qhive.global.js"></script>');
    const error = await bare.evaluate(() => {
        const policy = document.createElement('meta');
        policy.httpEquiv = 'Content-Security-Policy';
        policy.content = "script-src 'self'";
        document.head.append(policy);
        const { qhive } = globalThis;
        return new Promise((resolve) => {
            setTimeout(() => qhive.createRuntime().then(() => resolve('none'), ({ code, message }) => resolve(`${code}: ${message}`)));
        });
    });
    expect(error).toMatch(/^UNSUPPORTED: .*wasm-unsafe-eval/);
});

test(`the golden program gives the golden hash after ${golden.STEPS} steps`, async () => {
    const source = `data:text/javascript,${encodeURIComponent(readFileSync(join(root, 'tests/golden/program.mjs'), 'utf8'))}`;
    const hash = await page.evaluate(async ([address, steps]) => {
        const { run } = await import(address);
        return run(globalThis.qhive.createRuntimeSync, steps);
    }, [source, golden.STEPS]);
    expect(hash).toBe(golden.GOLDEN);
}, 600_000);

test('no page threw', () => expect(page.uncaught).toEqual([]));

test('examples/browser/index.html learns', async () => {
    const html = readFileSync(join(root, 'examples', 'browser', 'index.html'), 'utf8').replace('../../dist/', '/dist/');
    const example = await browser.newPage(html);
    const text = await example.evaluate(`(async () => {
        const out = document.getElementById('steps');
        for (let i = 0; i < 6000 && out.textContent === ''; i++) await new Promise((resolve) => setTimeout(resolve, 10));
        return out.textContent;
    })()`);
    expect(text.split('\n').length).toBe(30);
});
