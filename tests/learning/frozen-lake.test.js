/** FrozenLake 4x4 by Q-learning: the greedy policy is judged exactly, not by playing it. */

import { deterministic, evaluateWithin, frozenLake, successWithin } from '../environments/index.js';
import { expectNear, forEachRun, greedyActions, indexed, report, testSeed, train } from './support.js';

const OPTIMUM = 0.740165;

test('slippery: 20,000 episodes with epsilon from 1 to .05', () => {
    const seed = testSeed(4401);
    const model = frozenLake();
    const policy = { kind: 'epsilon-greedy', epsilon: { start: 1, end: 0.05, decay: 0.99997 } };
    const samples = forEachRun({
        seed,
        runs: 24,
        config: indexed(model, { learningRate: 0.1, discount: 0.99, policy }),
        environment: model,
        measure: (agent, play) => {
            train(agent, play, 20000);
            return successWithin(model, deterministic(model, greedyActions(agent, model)));
        },
    });
    report(`lowest success ${Math.min(...samples).toFixed(4)}, optimal in ${samples.filter((value) => value > OPTIMUM - 1e-5).length} of ${samples.length}`);
    expectNear({ row: 'FrozenLake 4x4, Q-learning', samples, anchor: 0.7305, anchorError: 0.0097, seed });
    expect(Math.max(...samples)).toBeLessThanOrEqual(OPTIMUM + 1e-6);
});

test('not slippery: the shortest way in every run', () => {
    const seed = testSeed(4402);
    const model = frozenLake({ slippery: false });
    const ways = forEachRun({
        seed,
        runs: 40,
        config: indexed(model, { learningRate: 0.5, discount: 0.99, policy: { kind: 'epsilon-greedy', epsilon: { start: 1, end: 0.05, decay: 0.999 } } }),
        environment: model,
        measure: (agent, play) => {
            train(agent, play, 2000);
            return evaluateWithin(model, deterministic(model, greedyActions(agent, model)), 6).success;
        },
    });
    report(`FrozenLake 4x4, not slippery: ${ways.filter((success) => success === 1).length} of ${ways.length} arrive in 6 steps (seed ${seed})`);
    expect(ways.every((success) => success === 1)).toBe(true);
});
