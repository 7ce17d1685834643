/** The experiment of S&B example 6.7: how often the agent goes left in each of 300 episodes. */

import { maximisationBias } from '../environments/index.js';
import { expectShare, forEachRun, indexed } from './support.js';

const EPISODES = 300;
const LEFT = 0;
const START = 0;

/** Runs behind the published percentages, which wander by about half a percent from episode to episode. */
const ANCHOR_RUNS = 1000;

function trainMasked(agent, play, model) {
    const left = new Uint8Array(EPISODES);
    for (let episode = 0; episode < EPISODES; episode += 1) {
        let state = play.reset();
        do {
            const action = agent.act(state, { mask: model.allowed(state) });
            if (state === START && action === LEFT) left[episode] = 1;
            const next = play.step(action);
            agent.learn(state, action, play.reward, next, play);
            state = next;
        } while (!play.terminated);
    }
    return left;
}

/** Step size .1, epsilon .1, discount 1. @returns {Float64Array} share of runs that went left, by episode */
export function leftShares({ algorithm, seed, runs }) {
    const model = maximisationBias();
    const policy = { kind: 'epsilon-greedy', epsilon: 0.1 };
    const config = indexed(model, { algorithm, learningRate: 0.1, discount: 1, policy });
    const shares = new Float64Array(EPISODES);
    const measure = (agent, play) => trainMasked(agent, play, model).forEach((left, episode) => { shares[episode] += left / runs; });
    forEachRun({ seed, runs, config, environment: model, measure });
    return shares;
}

/** Compares the percentage of one episode (1 is the first) with the published one. */
export function expectLeft({ name, shares, episode, percent, runs, seed }) {
    expectShare({
        row: `Maximisation bias, ${name}, episode ${episode}`,
        hits: Math.round(shares[episode - 1] * runs),
        runs,
        anchor: percent / 100,
        anchorRuns: ANCHOR_RUNS,
        rounding: Number.isInteger(percent) ? 0.005 : 0.0005,
        seed,
    });
}
