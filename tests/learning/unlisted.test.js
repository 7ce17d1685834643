/** Q-learning on environments of the same kind that have no published run: judged against their exact optimum. */

import {
    blockingMaze, cliffWalking, createRandom, deterministic, evaluatePolicy, evaluateWithin, frozenLake, Simulation, taxi, valueIteration,
} from '../environments/index.js';
import { forEachRun, greedyActions, indexed, mean, playEpisode, report, testSeed, train } from './support.js';

const SEED = testSeed(9101);

/** Exact return (undiscounted, within the limit) of the greedy policy after training, by run. */
function greedyReturns({ model, config, runs, episodes, limit, horizon = limit }) {
    return forEachRun({
        seed: SEED,
        runs,
        config: indexed(model, config),
        environment: (random) => new Simulation(model, random, { limit }),
        measure: (agent, play) => {
            train(agent, play, episodes);
            return evaluateWithin(model, deterministic(model, greedyActions(agent, model)), horizon).return;
        },
    });
}

test('Taxi: close to the optimum of 7.93', () => {
    const model = taxi();
    const config = { learningRate: 0.5, discount: 0.99, policy: { kind: 'epsilon-greedy', epsilon: 0.1 } };
    const returns = greedyReturns({ model, config, runs: 10, episodes: 5000, limit: 200 });
    report(`Taxi, Q-learning: ${mean(returns).toFixed(3)}, worst ${Math.min(...returns).toFixed(3)} (optimum 7.93; seed ${SEED})`);
    expect(Math.max(...returns)).toBeLessThanOrEqual(7.93 + 1e-9);
    expect(mean(returns)).toBeGreaterThan(7.5);
});

test('FrozenLake 8x8, not slippery, from an optimistic start: the 14 steps of the shortest way', () => {
    const model = frozenLake({ map: '8x8', slippery: false });
    const config = { learningRate: 0.5, discount: 0.95, initialValue: 1 };
    const success = greedyReturns({ model, config, runs: 20, episodes: 2000, limit: 200, horizon: 14 });
    report(`FrozenLake 8x8, not slippery: ${success.filter((value) => value === 1).length} of 20 arrive in 14 steps (seed ${SEED})`);
    expect(mean(success)).toBe(1);
});

test('FrozenLake 8x8, slippery: most of the optimal success', () => {
    const model = frozenLake({ map: '8x8' });
    const config = { learningRate: { start: 0.3, end: 0.02, decay: 0.999997 }, discount: 0.99, initialValue: 0.5, policy: { kind: 'epsilon-greedy', epsilon: 0.1 } };
    const success = greedyReturns({ model, config, runs: 4, episodes: 15000, limit: 200 });
    report(`FrozenLake 8x8, slippery: success ${mean(success).toFixed(3)}, worst ${Math.min(...success).toFixed(3)} (optimum within 200 steps about .86; seed ${SEED})`);
    expect(mean(success)).toBeGreaterThan(0.7);
});

test('slippery CliffWalking: close to the optimum of -64.7', () => {
    const model = cliffWalking({ slippery: true });
    const optimum = valueIteration(model).values[36];
    const values = forEachRun({
        seed: SEED,
        runs: 4,
        config: indexed(model, { learningRate: { start: 0.3, end: 0.01, decay: 0.999995 }, discount: 1, policy: { kind: 'epsilon-greedy', epsilon: 0.1 } }),
        environment: (random) => new Simulation(model, random, { limit: 2000 }),
        measure: (agent, play) => {
            train(agent, play, 10000);
            return evaluatePolicy(model, deterministic(model, greedyActions(agent, model))).start;
        },
    });
    report(`CliffWalking, slippery: ${mean(values).toFixed(2)}, worst ${Math.min(...values).toFixed(2)} (optimum ${optimum.toFixed(2)}; seed ${SEED})`);
    expect(Math.max(...values)).toBeLessThanOrEqual(optimum + 1e-9);
    expect(mean(values)).toBeGreaterThan(optimum - 5);
});

test('blocking maze: the longer way is found once the short one is closed', () => {
    const [before, after] = [blockingMaze(), blockingMaze({ changed: true })];
    const ways = forEachRun({
        seed: SEED,
        runs: 20,
        config: indexed(before, { learningRate: 1, discount: 0.95 }),
        environment: before,
        measure: (agent, play, run) => {
            train(agent, play, 100);
            const later = new Simulation(after, createRandom(SEED, 1000 + run));
            for (let episode = 0; episode < 200; episode += 1) playEpisode(agent, later);
            return evaluateWithin(after, deterministic(after, greedyActions(agent, after)), 16).success;
        },
    });
    report(`Blocking maze: ${ways.filter((success) => success === 1).length} of 20 take the 16 steps of the new way (seed ${SEED})`);
    expect(mean(ways)).toBeGreaterThanOrEqual(0.9);
});
