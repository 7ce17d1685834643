/** The same seed and the same calls give the same bytes: in every format, in both builds, in any order of creation of named agents. */
import { createRuntime } from 'qhive';
import { BINS, generator, INDEX, open, wander } from './support.js';

const CONFIGS = [
    INDEX, { ...INDEX, algorithm: 'double-q' }, { ...INDEX, policy: { kind: 'softmax', temperature: 0.5 } }, { ...INDEX, replay: { capacity: 60, kind: 'prioritized' } },
    { ...INDEX, planning: 3 }, { ...INDEX, lambda: 0.8 }, { ...INDEX, nStep: 3 }, { ...INDEX, policy: { kind: 'ucb', c: 0.5 } },
];

function run(runtime, names = CONFIGS.map(() => undefined)) {
    const agents = CONFIGS.map((config, i) => runtime.createAgent({ ...config, name: names[i] }));
    for (const agent of agents) {
        wander(agent, 400);
        agent.replay(50);
    }
    return agents;
}

const hashOf = (runtime) => (run(runtime), runtime.hash());

/** Vector encoders over a random walk in 40 dimensions with trends. */
function driveVectors(runtime) {
    const dims = Array.from({ length: 40 }, (_, i) => ({ min: -1, max: 1 + i / 10, bins: 3 + (i % 5), ...(i % 4 ? {} : { trend: 0.3 }) }));
    const random = generator(11);
    for (const encoder of [{ kind: 'bins', dims }, { kind: 'simhash', dims, bits: 10 }, { kind: 'tiles', dims: dims.slice(0, 3), tilings: 4 }]) {
        const agent = runtime.createAgent({ actions: 5, encoder });
        const observe = () => encoder.dims.map(() => random() * 3 - 1.2);
        agent.begin(observe());
        for (let i = 0; i < 500; i++) agent.step(random(), observe());
    }
    return runtime.hash();
}

describe('seeds', () => {
    test('equal seeds give equal hashes, as a number or a bigint', () => {
        const hash = hashOf(open({ seed: 42 }));
        expect(hash).toMatch(/^[0-9a-f]{16}$/);
        expect(hashOf(open({ seed: 42 }))).toBe(hash);
        expect(hashOf(open({ seed: 42n }))).toBe(hash);
        expect(hashOf(open({ seed: 43 }))).not.toBe(hash);
    });

    test('all 64 bits of a seed count', () => {
        const seeds = [0, 1, 2 ** 32, 2 ** 53 - 1, 1n << 63n, (1n << 64n) - 1n];
        expect(new Set(seeds.map((seed) => hashOf(open({ seed })))).size).toBe(seeds.length);
        expect(hashOf(open({ seed: 2 ** 40 + 5 }))).toBe(hashOf(open({ seed: (1n << 40n) + 5n })));
    });

    test('pools, tracking and the budget change no result', () => {
        const hash = hashOf(open({ seed: 9 }));
        for (const options of [{ pools: { state: 0, trajectory: 0, message: 0 } }, { trackAllocations: true }, { maxPages: 200 }, { initialPages: 300 }])
            expect(hashOf(open({ seed: 9, ...options }))).toBe(hash);
    });
});

describe('builds', () => {
    test('the scalar build gives the bytes of the SIMD build', async () => {
        const hashes = [];
        for (const simd of [true, false]) {
            const runtime = await createRuntime({ seed: 7, simd });
            expect(runtime.build.simd).toBe(simd);
            hashes.push([hashOf(runtime), driveVectors(runtime)]);
        }
        expect(hashes[0]).toEqual(hashes[1]);
    });
});

describe('names', () => {
    const names = CONFIGS.map((_, i) => `agent ${i}`);

    test('a named agent learns the same in whatever order agents are made', () => {
        const there = run(open({ seed: 3 }), names).map((agent) => agent.hash());
        const runtime = open({ seed: 3 });
        const back = [...CONFIGS.keys()].reverse().map((i) => runtime.createAgent({ ...CONFIGS[i], name: names[i] })).reverse();
        runtime.createAgent(INDEX);
        for (const agent of back) {
            wander(agent, 400);
            agent.replay(50);
        }
        expect(back.map((agent) => agent.hash())).toEqual(there);
    });

    test('agents of different names, and without names, draw different numbers', () => {
        const runtime = open();
        const draws = (agent) => Array.from({ length: 40 }, () => agent.act(0)).join('');
        const config = { ...INDEX, policy: { kind: 'epsilon-greedy', epsilon: 1 } };
        const agents = [{ name: 'a' }, { name: 'b' }, {}, {}].map((extra) => runtime.createAgent({ ...config, ...extra }));
        expect(new Set(agents.map(draws)).size).toBe(4);
    });

    test('observing an agent does not change its course', () => {
        const [quiet, watched] = [open(), open()].map((runtime) => runtime.createAgent({ ...BINS, name: 'x', policy: { kind: 'epsilon-greedy', epsilon: 0.5 } }));
        quiet.begin([0, 0]);
        watched.begin([0, 0]);
        const random = generator(1);
        for (let i = 0; i < 200; i++) {
            const observation = [random(), random() * 20 - 10];
            for (const look of ['encode', 'qValues', 'visits', 'explain']) watched[look](observation);
            void [watched.metrics, watched.memory, watched.hash(), watched.input];
            expect(watched.step(i, observation)).toBe(quiet.step(i, observation));
        }
    });
});
