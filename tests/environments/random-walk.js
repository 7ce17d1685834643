/**
 * The random walk of S&B example 7.1: a row of states, start in the middle, left or right with probability 1/2,
 * reward -1 beyond the left end and +1 beyond the right one. A prediction problem: its one action chooses nothing.
 */

import { defineModel } from './finite-model.js';

/** @param {{ states?: number }} [options] number of states that are not terminal, an odd number */
export function randomWalk({ states = 19 } = {}) {
    const [left, right] = [states, states + 1];
    return defineModel({
        name: `${states}-state random walk`,
        states: states + 2,
        actions: 1,
        starts: [[1, (states - 1) / 2]],
        terminal: [left, right],
        outcomes: (state) => [
            state === 0 ? { probability: 0.5, next: left, reward: -1, terminated: true } : { probability: 0.5, next: state - 1, reward: 0, terminated: false },
            state === states - 1 ? { probability: 0.5, next: right, reward: 1, terminated: true } : { probability: 0.5, next: state + 1, reward: 0, terminated: false },
        ],
    });
}

/** The true values, -0.9 .. 0.9 for 19 states. */
export function randomWalkValues(states = 19) {
    return Float64Array.from({ length: states }, (_, state) => (2 * (state + 1)) / (states + 1) - 1);
}
