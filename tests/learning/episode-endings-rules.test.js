/** Truncation and termination by every rule, and through n-step queues and traces. */

import { createRuntimeSync } from 'qhive';
import { testSeed } from './support.js';

const [RATE, DISCOUNT, VALUE] = [0.5, 0.9, 8];
const SEED = testSeed(3102);
const base = { actions: 1, encoder: { kind: 'index', states: 6 }, learningRate: RATE, discount: DISCOUNT, policy: { kind: 'greedy' }, initialValue: VALUE };

function withAgent(config, callback) {
    const runtime = createRuntimeSync({ seed: SEED });
    try {
        callback(runtime.createAgent({ name: 'traveller', ...base, ...config }));
    } finally {
        runtime.dispose();
    }
}

/** Walks 0 -> 1 -> 2 with rewards 1 and 2, then ends. */
function walk(agent, ending) {
    agent.begin(0);
    agent.step(1, 1);
    expect(agent.step(2, 2, ending)).toBe(-1);
}

const after = (returned) => VALUE + RATE * (returned - VALUE);

describe.each(['q-learning', 'sarsa', 'expected-sarsa'])('%s', (algorithm) => {
    test.each([['truncated', 2 + DISCOUNT * VALUE], ['terminated', 2]])('one step, %s', (ending, returned) => {
        withAgent({ algorithm }, (agent) => {
            walk(agent, { [ending]: true });
            expect(agent.qValues(1)[0]).toBeCloseTo(after(returned), 5);
        });
    });

    test.each([['truncated', 2 + DISCOUNT * VALUE], ['terminated', 2]])('four steps, %s after two', (ending, returned) => {
        withAgent({ algorithm, nStep: 4 }, (agent) => {
            walk(agent, { [ending]: true });
            expect(agent.qValues(1)[0]).toBeCloseTo(after(returned), 5);
            expect(agent.qValues(0)[0]).toBeCloseTo(after(1 + DISCOUNT * returned), 5);
        });
    });

    test.each([['truncated', 2 + DISCOUNT * VALUE], ['terminated', 2]])('traces, %s', (ending, returned) => {
        const lambda = 0.7;
        withAgent({ algorithm, lambda }, (agent) => {
            walk(agent, { [ending]: true });
            const last = returned - VALUE;
            expect(agent.qValues(1)[0]).toBeCloseTo(after(returned), 5);
            expect(agent.qValues(0)[0]).toBeCloseTo(after(1 + DISCOUNT * VALUE) + RATE * DISCOUNT * lambda * last, 5);
        });
    });
});

test.each([['truncated', 2 + DISCOUNT * VALUE], ['terminated', 2]])('double-q, %s: one of its two tables moves', (ending, returned) => {
    withAgent({ algorithm: 'double-q' }, (agent) => {
        const before = agent.qValues(5)[0];
        walk(agent, { [ending]: true });
        const moved = (before / VALUE) * (RATE * (returned - VALUE)) * 0.5;
        expect(agent.qValues(1)[0]).toBeCloseTo(before + moved, 5);
    });
});

test('neither a queue nor a trace reaches into the next episode', () => {
    for (const config of [{ nStep: 4 }, { lambda: 0.9 }]) {
        withAgent({ algorithm: 'sarsa', ...config }, (agent) => {
            walk(agent, { terminated: true });
            const kept = [0, 1].map((state) => agent.qValues(state)[0]);
            agent.begin(3);
            agent.step(100, 4, { terminated: true });
            expect([0, 1].map((state) => agent.qValues(state)[0])).toEqual(kept);
        });
    }
});

test("Watkins's cut: nothing before an exploratory action is credited with what follows", () => {
    const config = { actions: 2, lambda: 0.9, initialValue: 0, policy: { kind: 'epsilon-greedy', epsilon: 0.5 } };
    let explored = 0;
    for (let i = 0; i < 64; i += 1) {
        withAgent({ ...config, name: `walker-${i}` }, (agent) => {
            agent.learn(1, 0, 1, 5, { terminated: true });
            const first = agent.begin(0);
            const second = agent.step(0, 1);
            const before = agent.qValues(0)[first];
            agent.step(10, 2, { terminated: true });
            const credited = agent.qValues(0)[first] !== before;
            expect(credited).toBe(second === 0);
            if (second === 1) explored += 1;
        });
    }
    expect(explored).toBeGreaterThan(4);
});
