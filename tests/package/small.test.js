/** The small build behind the same package: it learns the same bytes, keeps its books, and is small. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createRuntimeSync } from 'qhive';
import { root } from '../../cmake/build.mjs';
import { BINS, expectRefused, INDEX, open, wander } from './support.js';

const file = join(root, 'build/wasm-small/qhive.wasm');
const wasm = readFileSync(file);

/** Above what it is; raised together with what an addition to the core pays for. */
const BUDGET = 22.5 * 1024;

const CONFIGS = [
    INDEX, BINS, { ...INDEX, algorithm: 'sarsa', lambda: 0.8 }, { ...INDEX, algorithm: 'double-q', replay: { capacity: 50 } },
    { ...INDEX, algorithm: 'expected-sarsa', policy: { kind: 'softmax', temperature: 0.5 } }, { ...INDEX, nStep: 3, policy: { kind: 'ucb', c: 1 } },
    { ...INDEX, planning: 3 }, { ...INDEX, replay: { capacity: 40, kind: 'prioritized' } },
    { ...BINS, encoder: { ...BINS.encoder, kind: 'tiles', tilings: 4 } }, { ...BINS, encoder: { ...BINS.encoder, kind: 'simhash', bits: 8 } },
];

/** Learns with every kind of agent, one by one and in a batch. */
function life(runtime) {
    const agents = CONFIGS.map((config) => runtime.createAgent(config));
    for (const agent of agents) {
        if (agent.config.encoder.kind === 'index') wander(agent, 300);
        else for (let i = 0; i < 300; i++) agent.learn([(i % 7) / 7, (i % 19) - 9], i % 3, i % 5, [(i % 11) / 11, (i % 13) - 6]);
    }
    const batch = runtime.batch(agents.slice(0, 2));
    batch.begin();
    for (let i = 0; i < 50; i++) {
        batch.rewards.fill(i % 3);
        batch.observations[0] = i % 16;
        batch.observations.set([(i % 9) / 9, (i % 15) - 7], 64);
        batch.step();
    }
    agents[0].replay(1);
    return runtime.hash();
}

describe('the small build', () => {
    test('learns what the others learn, to the bit', () => {
        const expected = life(open());
        expect(life(open({ simd: false }))).toBe(expected);
        const small = open({ wasm, trackAllocations: true });
        expect(small.build.simd).toBe(false);
        expect(life(small)).toBe(expected);
        expect(small.validate()).toBe(true);
        expect(small.memory.leaks()).toEqual([]);
    });

    test('keeps quotas and budgets, and gives everything back', () => {
        const runtime = open({ wasm, maxPages: 40 });
        const agent = runtime.createAgent({ actions: 64, encoder: { kind: 'index', states: 1e6 }, quotaBytes: 30000 });
        let state = 0;
        expect(() => { for (;; state++) agent.learn(state, 1, 1, state); }).toThrow(/quota/);
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => agent.learn(state, 1, 1, state));
        const bytes = agent.exportTable();
        agent.reset();
        agent.importTable(bytes);
        agent.free();
        expect(() => { for (;;) runtime.createAgent({ ...INDEX, replay: { capacity: 1000 } }); }).toThrow(/maxPages/);
        expect(runtime.validate()).toBe(true);
        for (const each of [...runtime.agents]) each.free();
        expect(runtime.memory.owners().find(({ kind }) => kind === 'agent')).toBeUndefined();
        expect(runtime.validate()).toBe(true);
    });

    test('says that it has no shared rooms', () => {
        const runtime = open({ wasm });
        const agents = [0, 1].map(() => runtime.createAgent({ ...INDEX, category: 'a' }));
        const { federation, metrics, messages } = runtime;
        const calls = [
            () => federation.accumulate(agents), () => federation.merge(), () => federation.exportDelta(agents), () => federation.bytes, () => metrics.observe('x', 1),
            () => metrics.snapshot(), () => metrics.prometheus(), () => messages.send(agents[0], agents[1], new Uint8Array(1)), () => messages.receive(agents[0]), () => messages.length,
        ];
        for (const call of calls) expectRefused(runtime, 'UNSUPPORTED', call, /no such room/);
        expect(metrics.names()).toEqual([]);
    });

    test('is small', () => {
        const size = gzipSync(wasm, { level: 9 }).length;
        expect(size).toBeLessThan(BUDGET);
        expect(size).toBeLessThan(0.8 * gzipSync(readFileSync(join(root, 'dist/qhive.wasm')), { level: 9 }).length);
        expect(createRuntimeSync({ wasm }).agents.length).toBe(0);
    });
});
