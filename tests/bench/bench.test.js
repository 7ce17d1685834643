/**
 * The benchmark measures equal work: both baselines, given what the package is given, learn the same values to the bit. And its
 * command prints what it says it prints. No figure is tested here but those that are no timing.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRuntimeSync } from 'qhive';
import { FlatAgent } from '../../bench/baselines/flat.js';
import { MapAgent } from '../../bench/baselines/map.js';
import { quantile, ratio } from '../../bench/measure.js';
import { reached, TARGETS } from '../../bench/targets.js';
import { agentConfig, baselineOptions, createRandom, createTransitions, SHAPE, sharedRuntime } from '../../bench/workload.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const STATES = 40;

/** States that lie in rows of their own in the flat table too. */
function distinctStates(agent) {
    const rows = new Map();
    for (const state of createTransitions().states) if (!rows.has(agent.rowOf(state))) rows.set(agent.rowOf(state), state);
    return [...rows.values()].slice(0, STATES);
}

/** The three of them, greedy, the first action among equals: so that nothing is left to chance. */
function createThree() {
    const runtime = createRuntimeSync();
    const config = agentConfig({ policy: { kind: 'greedy' }, tieBreak: 'first' });
    const options = { ...baselineOptions(), epsilon: 0 };
    const flat = new FlatAgent(options);
    return { runtime, qhive: runtime.createAgent(config), flat, map: new MapAgent(options), states: distinctStates(flat) };
}

function expectEqualTables({ qhive, flat, map, states }) {
    for (const state of states) {
        const values = qhive.qValues(state);
        expect(flat.table.slice(flat.rowOf(state), flat.rowOf(state) + SHAPE.actions)).toEqual(values);
        expect(map.rowOf(map.keyOf(state))).toEqual(values);
    }
}

describe('the runtime that all calls of single agents share', () => {
    test('is one, and is not to be had with other options', () => {
        const runtime = sharedRuntime({ seed: 3 });
        expect(sharedRuntime({ seed: 3 })).toBe(runtime);
        expect(sharedRuntime({ seed: 3, wasm: undefined })).toBe(runtime);
        expect(() => sharedRuntime({ seed: 4 })).toThrow('another seed');
        expect(() => sharedRuntime()).toThrow('another seed');
        expect(() => sharedRuntime({ seed: 3, maxPages: 64 })).toThrow('another maxPages');
        runtime.dispose();
    });
});

describe('the baselines do the same work as the package', () => {
    test('learn', () => {
        const three = createThree();
        const { qhive, flat, map, states, runtime } = three;
        const random = createRandom(7);
        for (let i = 0; i < 5000; i++) {
            const [from, to] = [states[Math.floor(random() * STATES)], states[Math.floor(random() * STATES)]];
            const [action, reward, terminated] = [Math.floor(random() * SHAPE.actions), random() - 0.5, random() < 0.1];
            const error = qhive.learn(from, action, reward, to, { terminated });
            expect(flat.learn(from, action, reward, to, terminated)).toBe(error);
            expect(map.learn(from, action, reward, to, terminated)).toBe(error);
            expect(flat.act(to)).toBe(qhive.act(to));
            expect(map.act(to)).toBe(qhive.act(to));
        }
        expectEqualTables(three);
        runtime.dispose();
    });

    test('step', () => {
        const three = createThree();
        const { qhive, flat, map, states, runtime } = three;
        const random = createRandom(8);
        for (let i = 0, begun = false; i < 5000; i++) {
            const state = states[Math.floor(random() * STATES)];
            const [reward, ending] = [random() - 0.5, random() < 0.05 ? 1 + (i % 2) : 0];
            const act = begun
                ? (agent, own) => agent.step(reward, state, own ? { terminated: ending === 1, truncated: ending === 2 } : ending)
                : (agent) => agent.begin(state);
            const action = act(qhive, true);
            expect(act(flat)).toBe(action);
            expect(act(map)).toBe(action);
            begun = action >= 0;
        }
        expectEqualTables(three);
        runtime.dispose();
    });

    test('a mask', () => {
        const { qhive, flat, states, runtime } = createThree();
        const random = createRandom(9);
        for (let i = 0; i < 500; i++) {
            const state = states[i % STATES];
            const mask = Uint8Array.from({ length: SHAPE.actions }, (_, action) => (random() < 0.5 || action === i % SHAPE.actions ? 1 : 0));
            expect(flat.actMasked(state, mask)).toBe(qhive.act(state, { mask }));
            const reward = random();
            for (const agent of [qhive, flat]) agent.learn(state, i % SHAPE.actions, reward, states[(i + 1) % STATES]);
        }
        runtime.dispose();
    });

    test('and check their arguments', () => {
        const { flat, map, states } = createThree();
        for (const agent of [flat, map]) {
            expect(() => agent.act(states[0].subarray(1))).toThrow(RangeError);
            expect(() => agent.learn(states[0], SHAPE.actions, 0, states[1])).toThrow(RangeError);
            expect(() => agent.learn(states[0], 0, NaN, states[1])).toThrow(RangeError);
        }
    });
});

describe('figures', () => {
    test('quantiles lie between order statistics, ratios within rounds', () => {
        expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
        expect(quantile([5], 0.25)).toBe(5);
        expect(ratio([20, 30, 1000], [10, 10, 250])).toEqual({ median: 3, low: 2.5, high: 3.5 });
    });

    test('a target is reached at its limits, and none is no verdict', () => {
        expect(reached({ value: 2, target: { atLeast: 2 } })).toBe(true);
        expect(reached({ value: 1.31, target: { atMost: 1.3 } })).toBe(false);
        expect(reached({ value: 1 })).toBeUndefined();
        for (const target of Object.values(TARGETS)) expect(Object.keys(target).every((key) => ['atLeast', 'atMost'].includes(key))).toBe(true);
    });
});

describe('the command', () => {
    const bench = (...args) => spawnSync(process.execPath, ['bench/main.js', ...args], { cwd: root, encoding: 'utf8' });

    test('prints figures with their targets as JSON', () => {
        const { status, stdout, stderr } = bench('--json', '--only', 'memory', '--only', 'self', '--rounds', '3');
        expect([status, stderr]).toEqual([0, '']);
        const { figures, rounds } = JSON.parse(stdout);
        expect(rounds).toBe(3);
        const table = figures.find(({ id }) => id === 'memory/table');
        expect(table).toMatchObject({ case: 'memory', unit: 'x', target: TARGETS['memory/table'], reached: reached(table) });
        expect(table.bytes.bare).toBe(4096 * 16 * 8);
        const self = figures.find(({ id }) => id === 'self/flat');
        expect(self.nanoseconds.qhive).toBeGreaterThan(0);
        expect(self.low).toBeLessThanOrEqual(self.high);
    });

    test('--check is the exit code, and the table says the same', () => {
        const { status, stdout } = bench('--check', '--only', 'memory');
        expect(stdout).toMatch(/whole agent .* x +<= 1.3 x +(reached|MISSED)/);
        expect(status).toBe(stdout.includes('MISSED') ? 1 : 0);
    });

    test.each([[['--only', 'nothing']], [['--rounds', '0']], [['--wasm', 'no-such-file']], [['--unknown']]])('refuses %j', (args) => {
        const { status, stdout, stderr } = bench(...args);
        expect([status, stdout]).toEqual([2, '']);
        expect(stderr).toContain('npm run bench');
    });
});
