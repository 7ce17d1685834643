/** Masks: what is forbidden is never chosen, what is left is chosen as it would be without the rest. */

import { createRuntimeSync } from 'qhive';
import { testSeed } from './support.js';

const SEED = testSeed(2402);
const encoder = { kind: 'index', states: 4 };
const ACTIONS = 8;
const DRAWS = 20000;

let runtime;
beforeEach(() => { runtime = createRuntimeSync({ seed: SEED }); });
afterEach(() => runtime.dispose());

function shares(agent, options) {
    const counts = new Array(ACTIONS).fill(0);
    for (let i = 0; i < DRAWS; i += 1) counts[agent.act(0, options)] += 1;
    return counts.map((count) => count / DRAWS);
}

function expectShares(measured, expected) {
    expected.forEach((share, action) => {
        const allowed = 4 * Math.sqrt((share * (1 - share)) / DRAWS);
        if (Math.abs(measured[action] - share) > allowed) throw new Error(`action ${action}: ${measured[action]} instead of ${share} (seed ${SEED})`);
    });
}

test('greedy: the best of what is allowed', () => {
    const agent = runtime.createAgent({ actions: ACTIONS, encoder, policy: { kind: 'greedy' } });
    agent.learn(0, 2, 5, 1, { terminated: true });
    agent.learn(0, 6, 3, 1, { terminated: true });
    expect(agent.act(0)).toBe(2);
    expect(agent.act(0, { mask: [1, 1, 0, 1, 1, 1, 1, 1] })).toBe(6);
});

test('epsilon-greedy: explores and breaks ties among the allowed', () => {
    const agent = runtime.createAgent({ name: 'masked', actions: ACTIONS, encoder, policy: { kind: 'epsilon-greedy', epsilon: 0.4 } });
    agent.learn(0, 2, 5, 1, { terminated: true });
    agent.learn(0, 6, 3, 1, { terminated: true });
    agent.learn(0, 7, 3, 1, { terminated: true });
    expectShares(shares(agent, { mask: [1, 1, 0, 0, 0, 0, 1, 1] }), [0.1, 0.1, 0, 0, 0, 0, 0.4, 0.4]);
    expectShares(shares(agent, { mask: Uint8Array.of(1, 1, 0, 0, 0, 0, 1, 1), greedy: true }), [0, 0, 0, 0, 0, 0, 0.5, 0.5]);
});

test('one allowed action is the action, whatever its value', () => {
    const agent = runtime.createAgent({ actions: ACTIONS, encoder });
    agent.learn(0, 5, -100, 1, { terminated: true });
    for (let i = 0; i < 100; i += 1) expect(agent.act(0, { mask: [0, 0, 0, 0, 0, 1, 0, 0] })).toBe(5);
});

test.each([['nothing is allowed', new Array(ACTIONS).fill(0)], ['it has another length', [1, 1]]])('a mask is refused when %s', (_, mask) => {
    const agent = runtime.createAgent({ actions: ACTIONS, encoder });
    expect(() => agent.act(0, { mask })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
