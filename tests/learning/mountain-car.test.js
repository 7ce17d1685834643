/** Mountain Car by SARSA with tile coding (S&B example 10.1): 8 tilings of 8 x 8, epsilon 0, 500 episodes. */

import { MountainCar, POSITION, VELOCITY } from '../environments/index.js';
import { expectNear, forEachRun, lastMean, mean, testSeed, train } from './support.js';

/** Runs behind the published means, for which no standard error was printed. */
const ANCHOR_RUNS = 10;
const seed = testSeed(1001);
const runs = 10;

describe.each([
    { learningRate: 0.1, first: 569, last: 139 },
    { learningRate: 0.2, first: 407, last: 123 },
    { learningRate: 0.5, first: 282, last: 116 },
])('step size $learningRate / 8', ({ learningRate, first, last }) => {
    let steps;
    beforeAll(() => {
        const dims = [{ name: 'position', ...POSITION, bins: 8 }, { name: 'velocity', ...VELOCITY, bins: 8 }];
        const config = { actions: 3, encoder: { kind: 'tiles', dims, tilings: 8 }, algorithm: 'sarsa', learningRate, discount: 1, policy: { kind: 'greedy' } };
        steps = forEachRun({ seed, runs, config, environment: (random) => new MountainCar(random), measure: (agent, play) => train(agent, play, 500).steps });
    });

    test(`about ${first} steps per episode in the first 50`, () => {
        expectNear({ row: `Mountain Car, ${learningRate}/8, first 50`, samples: steps.map((run) => mean(run.slice(0, 50))), anchor: first, anchorRuns: ANCHOR_RUNS, rounding: 0.5, seed });
    });

    test(`about ${last} steps per episode in the last 100`, () => {
        expectNear({ row: `Mountain Car, ${learningRate}/8, last 100`, samples: steps.map((run) => lastMean(run, 100)), anchor: last, anchorRuns: ANCHOR_RUNS, rounding: 0.5, seed });
    });
});
