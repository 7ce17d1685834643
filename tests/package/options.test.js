/** Options of a runtime: budgets, seeds, pools, and the page arithmetic behind them. */
import { createRuntime, createRuntimeSync } from 'qhive';
import { BINS, INDEX, open, thrownBy } from './support.js';

const JUNK = [null, 'x', [], {}, 1n, Symbol('x'), NaN, 1.5, true];
const FIELDS = [
    ['options', (x) => x, [null, 5, 'x', [], true, 1n, Symbol('x')], [undefined, {}]],
    ['options.maxPages', (maxPages) => ({ maxPages }), [...JUNK, 0, -1, 65537, Infinity], [undefined, 65536]],
    ['options.initialPages', (initialPages) => ({ initialPages }), [...JUNK, -1, Infinity], [undefined, 0, 200]],
    ['options.seed', (seed) => ({ seed }), [null, 'x', [], {}, Symbol('x'), NaN, 1.5, true, -1, 2 ** 53, Infinity, -1n, 1n << 64n], [undefined, 0, 2 ** 53 - 1, (1n << 64n) - 1n]],
    ['options.pools', (pools) => ({ pools }), [null, 5, 'x', [], true], [undefined, {}]],
    ['options.pools.state', (state) => ({ pools: { state } }), [...JUNK, -1, 2 ** 32], [undefined, 0, 1]],
    ['options.pools.trajectory', (trajectory) => ({ pools: { trajectory } }), [...JUNK, -1, 2 ** 32], [undefined, 0, 1]],
    ['options.pools.message', (message) => ({ pools: { message } }), [...JUNK, -1, 2 ** 32], [undefined, 0, 1]],
    ['options.trackAllocations', (trackAllocations) => ({ trackAllocations }), [null, 0, 1, 'true', {}], [undefined, true, false]],
    ['options.simd', (simd) => ({ simd }), [null, 0, 1, 'true', {}], [undefined, true, false]],
    ['options.onLeak', (onLeak) => ({ onLeak }), [null, 0, 'x', {}, true], [undefined, () => undefined]],
    ['options.threads', (threads) => ({ threads }), [null, 0, 1, 33, 2.5, NaN, 'true', {}], [undefined, false, true, 2, 32]],
    ['options.wasm', (wasm) => ({ wasm }), [null, 5, true, {}, [], 1n, Symbol('x')], [undefined]],
];

test.each(FIELDS)('%s', async (name, make, refused, accepted) => {
    const message = new RegExp(`^${name.replace(/\./g, '\\.')}`);
    for (const value of refused) {
        const expected = { name: 'QhiveError', code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) };
        expect(thrownBy(() => createRuntimeSync(make(value)))).toMatchObject(expected);
        await expect(createRuntime(make(value))).rejects.toMatchObject(expected);
    }
    for (const value of accepted) createRuntimeSync(make(value)).dispose();
});

describe('the page budget', () => {
    test('defaults: 1 GiB, a thousand and more blocks preallocated, no growth needed', () => {
        const runtime = createRuntimeSync();
        const { memory } = runtime;
        expect(memory.maxPages).toBe(16384);
        expect(memory.pools().map(({ blockBytes, capacity }) => [blockBytes, capacity])).toEqual([[256, 1000], [1024, 5000], [4096, 500]]);
        expect(memory.growths()).toEqual([]);
        expect(memory.pages).toBeLessThan(160);
        runtime.createAgent(INDEX);
        expect(memory.growths()).toEqual([]);
    });

    test('the smallest budget that holds the static data works, one page less is EXCEEDS_LIMIT', () => {
        const pools = { state: 0, trajectory: 0, message: 0 };
        const error = thrownBy(() => createRuntimeSync({ maxPages: 1, pools }));
        expect(error).toMatchObject({ code: 'EXCEEDS_LIMIT', message: expect.stringMatching(/maxPages is 1/) });
        const floor = Number(/need (\d+) pages/.exec(error.message)[1]);
        expect(createRuntimeSync({ maxPages: floor, pools }).memory.pages).toBe(floor);
        expect(thrownBy(() => createRuntimeSync({ maxPages: floor - 1, pools })).code).toBe('EXCEEDS_LIMIT');
    });

    test.each([
        ['pools past the budget', { maxPages: 64 }, 'EXCEEDS_LIMIT'],
        ['initial pages past the budget', { maxPages: 200, initialPages: 201 }, 'EXCEEDS_LIMIT'],
        ['more pages than there can be', { maxPages: 65536, initialPages: 65537 }, 'OVERFLOW'],
        ['far more pages', { initialPages: 2 ** 53 - 1 }, 'OVERFLOW'],
        ['pools that cannot be addressed', { maxPages: 65536, pools: { message: 2 ** 32 - 1 } }, 'OVERFLOW'],
    ])('%s', async (_, options, code) => {
        expect(thrownBy(() => createRuntimeSync(options)).code).toBe(code);
        await expect(createRuntime(options)).rejects.toMatchObject({ name: 'QhiveError', code });
    });

    test('initial pages are there from the start', () => {
        const { memory } = open({ initialPages: 500 });
        expect(memory.pages).toBeGreaterThanOrEqual(500);
        expect(memory.growths()).toEqual([]);
    });

    test.each([
        ['initial pages', { initialPages: 65536 }, 65536],
        ['one pool of more than 2 GiB', { pools: { message: 600_000 } }, 37_500],
    ])('all 4 GiB can be budgeted: %s', (_, options, pages) => {
        const runtime = createRuntimeSync({ maxPages: 65536, ...options });
        expect(runtime.memory.pages).toBeGreaterThanOrEqual(pages);
        expect(runtime.memory.growths()).toEqual([]);
        const vector = runtime.createAgent({ ...BINS, replay: { capacity: 8 }, nStep: 2 });
        const batch = runtime.batch([vector, runtime.createAgent(INDEX)]);
        vector.input.set([0.5, 3]);
        vector.begin(vector.input);
        vector.step(1, vector.input);
        vector.importTable(vector.exportTable());
        batch.observations[0] = 0.9;
        batch.begin();
        batch.step();
        expect([...batch.actions].every((action) => action >= 0)).toBe(true);
        expect(vector.metrics.states).toBe(2);
        expect(runtime.validate()).toBe(true);
        runtime.dispose();
    });

    test('what the engine refuses is GROWTH_FAILED', () => {
        const { Memory } = WebAssembly;
        for (const reason of [new RangeError('no'), 'out of memory']) {
            WebAssembly.Memory = function () { throw reason; };
            try {
                expect(thrownBy(() => createRuntimeSync())).toMatchObject({ name: 'QhiveError', code: 'GROWTH_FAILED', cause: reason });
            } finally {
                WebAssembly.Memory = Memory;
            }
        }
    });
});

test('threads need SIMD', () => {
    expect(thrownBy(() => createRuntimeSync({ threads: true, simd: false }))).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/^options\.simd/) });
});

test('build says what runs', () => {
    const { build } = createRuntimeSync();
    expect(build).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), simd: true, threads: false, memory64: false });
    expect(Object.isFrozen(build)).toBe(true);
});
