/** Windy gridworld by SARSA (S&B example 6.5): step size .5, epsilon .1, 500 episodes. */

import { deterministic, evaluateWithin, windyGridworld } from '../environments/index.js';
import { expectNear, forEachRun, greedyActions, indexed, lastMean, report, testSeed, train } from './support.js';

const seed = testSeed(6501);
const config = { algorithm: 'sarsa', learningRate: 0.5, discount: 1, policy: { kind: 'epsilon-greedy', epsilon: 0.1 } };

function windyRuns(model, runs, episodes) {
    return forEachRun({
        seed,
        runs,
        config: indexed(model, config),
        environment: model,
        measure: (agent, play) => ({
            steps: train(agent, play, episodes).steps,
            greedy: -evaluateWithin(model, deterministic(model, greedyActions(agent, model)), 1000).return,
        }),
    });
}

describe('four moves', () => {
    let runs;
    beforeAll(() => { runs = windyRuns(windyGridworld(), 200, 500); });

    test('steps of the last 100 of 500 episodes', () => {
        expectNear({ row: 'Windy gridworld, SARSA, last 100', samples: runs.map(({ steps }) => lastMean(steps, 100)), anchor: 20.29, anchorError: 0.16, seed });
    });

    test('steps that 170 episodes take', () => {
        const samples = runs.map(({ steps }) => steps.slice(0, 170).reduce((sum, count) => sum + count, 0));
        expectNear({ row: 'Windy gridworld, SARSA, 170 episodes', samples, anchor: 8198, anchorError: 20, seed });
    });

    test('no greedy policy beats the optimum of 15 steps', () => {
        expect(Math.min(...runs.map(({ greedy }) => greedy))).toBe(15);
    });
});

test("king's moves: below the optimum of the four moves, never below 7", () => {
    const runs = windyRuns(windyGridworld({ moves: 'king' }), 100, 500);
    const greedy = runs.map((run) => run.greedy).sort((a, b) => a - b);
    report(`Windy gridworld, king's moves, SARSA: greedy ${greedy[0]} .. median ${greedy[50]} steps (optimum 7; seed ${seed})`);
    expect(greedy[0]).toBe(7);
    expect(greedy[50]).toBeLessThan(15);
});
