/**
 * The maximisation bias example (S&B example 6.7): from A, right ends with reward 0, left leads to B with
 * reward 0; every one of the ten actions of B ends with a reward drawn from a normal distribution of mean -0.1
 * and variance 1. Going left is always a mistake, and looks attractive to whoever takes the maximum of noise.
 *
 * A has only two actions, so in A the other eight are masked.
 */

import { defineModel } from './finite-model.js';

export const A = 0;
export const B = 1;
const END = 2;
export const LEFT = 0;
export const RIGHT = 1;

/** @param {{ actionsInB?: number, mean?: number, deviation?: number }} [options] */
export function maximisationBias({ actionsInB = 10, mean = -0.1, deviation = 1 } = {}) {
    const maskInA = Array.from({ length: actionsInB }, (_, action) => (action === LEFT || action === RIGHT ? 1 : 0));
    return defineModel({
        name: 'Maximisation bias',
        states: 3,
        actions: actionsInB,
        starts: [[1, A]],
        terminal: [END],
        allowed: (state) => (state === A ? maskInA : undefined),
        outcomes: (state, action) => {
            if (state === B) return [{ probability: 1, next: END, reward: mean, deviation, terminated: true }];
            if (action === LEFT) return [{ probability: 1, next: B, reward: 0, terminated: false }];
            return [{ probability: 1, next: END, reward: 0, terminated: true }];
        },
    });
}
