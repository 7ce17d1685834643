/**
 * Windy gridworld (S&B example 6.5, exercises 6.9 and 6.10): 7 rows of 10, a crosswind blows upward by the
 * strength of the column that is left. Start (3, 0), goal (3, 7), every step costs 1, no time limit.
 *
 * Moves: 'four' (0 up, 1 right, 2 down, 3 left), 'king' (those and 4 up-right, 5 down-right, 6 down-left,
 * 7 up-left). With `stochastic` wind the strength, where there is any, varies by -1, 0, +1 with 1/3 each.
 */

import { defineModel } from './finite-model.js';

export const ROWS = 7;
export const COLUMNS = 10;
export const WIND = [0, 0, 0, 1, 1, 1, 2, 2, 1, 0];
const START = 3 * COLUMNS;
const GOAL = 3 * COLUMNS + 7;
const FOUR = [[-1, 0], [0, 1], [1, 0], [0, -1]];
const KING = [...FOUR, [-1, 1], [1, 1], [1, -1], [-1, -1]];

/** @param {{ moves?: 'four' | 'king', stochastic?: boolean }} [options] */
export function windyGridworld({ moves = 'four', stochastic = false } = {}) {
    const steps = moves === 'king' ? KING : FOUR;
    const arrive = (state, action, gust) => {
        const column = state % COLUMNS;
        const row = Math.floor(state / COLUMNS) + steps[action][0] - WIND[column] - gust;
        const next = Math.min(Math.max(row, 0), ROWS - 1) * COLUMNS + Math.min(Math.max(column + steps[action][1], 0), COLUMNS - 1);
        return { next, reward: -1, terminated: next === GOAL };
    };
    return defineModel({
        name: `Windy gridworld, ${moves === 'king' ? "king's moves" : '4 moves'}${stochastic ? ', stochastic wind' : ''}`,
        states: ROWS * COLUMNS,
        actions: steps.length,
        starts: [[1, START]],
        terminal: [GOAL],
        outcomes: (state, action) => {
            if (!stochastic || WIND[state % COLUMNS] === 0) return [{ probability: 1, ...arrive(state, action, 0) }];
            return [-1, 0, 1].map((gust) => ({ probability: 1 / 3, ...arrive(state, action, gust) }));
        },
    });
}
