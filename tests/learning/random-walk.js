/** The 19-state random walk of S&B example 7.1: error of the predicted values over the first ten episodes. */

import { randomWalk, randomWalkValues } from '../environments/index.js';
import { expectNear, forEachRun, indexed, playEpisode } from './support.js';

const EPISODES = 10;
const TRUTH = randomWalkValues();

function rootMeanSquare(agent) {
    let squares = 0;
    TRUTH.forEach((value, state) => { squares += (agent.qValues(state)[0] - value) ** 2; });
    return Math.sqrt(squares / TRUTH.length);
}

/** Compares the error after each episode, averaged over episodes and runs. An agent of one action predicts. */
export function expectWalkError({ row, config, anchor, anchorError = 0.0015, runs = 500, seed }) {
    const model = randomWalk();
    const measure = (agent, play) => {
        let sum = 0;
        for (let episode = 0; episode < EPISODES; episode += 1) {
            playEpisode(agent, play);
            sum += rootMeanSquare(agent);
        }
        return sum / EPISODES;
    };
    const samples = forEachRun({ seed, runs, config: indexed(model, { algorithm: 'sarsa', discount: 1, ...config }), environment: model, measure });
    expectNear({ row: `19-state random walk, ${row}`, samples, anchor, anchorError, seed });
}
