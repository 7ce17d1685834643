/** The CliffWalking experiment of S&B example 6.6, shared by the tests of each rule. */

import { cliffWalking, deterministic, evaluateWithin } from '../environments/index.js';
import { forEachRun, greedyActions, indexed, lastMean, train } from './support.js';

const EPISODES = 500;
const LAST = 100;
const HORIZON = 1000;

/**
 * Step size .5, epsilon .1, discount 1, 500 episodes.
 * @returns {{ online: number, greedy: number }[]} by run: mean return of the last 100 episodes; exact return of
 *   the greedy policy afterwards (-1000 if it does not arrive)
 */
export function cliffWalkingRuns({ algorithm, seed, runs }) {
    const model = cliffWalking();
    const config = indexed(model, { algorithm, learningRate: 0.5, discount: 1, policy: { kind: 'epsilon-greedy', epsilon: 0.1 } });
    return forEachRun({
        seed,
        runs,
        config,
        environment: model,
        measure: (agent, play) => ({
            online: lastMean(train(agent, play, EPISODES).returns, LAST),
            greedy: evaluateWithin(model, deterministic(model, greedyActions(agent, model)), HORIZON).return,
        }),
    });
}

/** How often each greedy return occurred, as text, best first. */
export function tally(runs) {
    const counts = new Map();
    for (const { greedy } of runs) counts.set(greedy, (counts.get(greedy) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => b - a).map(([value, count]) => `${value} x ${count}`).join(', ');
}
