/** The Dyna maze experiment of S&B example 8.1, shared by the tests with and without planning. */

import { deterministic, dynaMaze, evaluateWithin } from '../environments/index.js';
import { expectNear, forEachRun, greedyActions, indexed, train } from './support.js';

/** Runs behind the published means: their printed standard errors with planning are those of about this many. */
const ANCHOR_RUNS = 35;
const HORIZON = 100;

/** Steps that a deterministic policy takes, at most HORIZON. */
function greedySteps(model, policy) {
    let steps = 1;
    while (steps < HORIZON && evaluateWithin(model, policy, steps).success === 0) steps += 1;
    return steps;
}

/**
 * Step size .1, discount .95, epsilon .1.
 * @returns {{ steps: Float64Array, greedySteps: number }[]} by run: steps by episode; steps of the greedy policy after
 */
export function dynaMazeRuns({ planning, seed, runs, episodes }) {
    const model = dynaMaze();
    const policy = { kind: 'epsilon-greedy', epsilon: 0.1 };
    return forEachRun({
        seed,
        runs,
        config: indexed(model, { learningRate: 0.1, discount: 0.95, planning, policy }),
        environment: model,
        measure: (agent, play) => ({
            steps: train(agent, play, episodes).steps,
            greedySteps: greedySteps(model, deterministic(model, greedyActions(agent, model))),
        }),
    });
}

/** Compares the steps of one episode (1 is the first). */
export function expectSteps({ runs, planning, episode, anchor, anchorError, anchorRuns = ANCHOR_RUNS, seed }) {
    expectNear({
        row: `Dyna maze, planning ${planning}, episode ${episode}`,
        samples: runs.map(({ steps }) => steps[episode - 1]),
        anchor,
        anchorError,
        anchorRuns,
        seed,
    });
}
