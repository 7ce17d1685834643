/**
 * CliffWalking (S&B example 6.6; Gymnasium `CliffWalking`): 4 rows of 12, start at the lower left, goal at the
 * lower right, the cliff between them.
 *
 *     . . . . . . . . . . . .      safe path    17 steps (row 0)
 *     . . . . . . . . . . . .      middle path  15 steps (row 1)
 *     . . . . . . . . . . . .      edge path    13 steps (row 2)
 *     S c c c c c c c c c c G
 *
 * Actions 0 up, 1 right, 2 down, 3 left. Every step costs 1, stepping off the cliff 100 and leads back to the
 * start without ending the episode. No time limit.
 *
 * With `slippery` (as in Gymnasium 1.1) each of action - 1, action, action + 1 (mod 4) happens with probability 1/3.
 */

import { defineModel } from './finite-model.js';

export const ROWS = 4;
export const COLUMNS = 12;
export const START = 36;
export const GOAL = 47;
export const UP = 0;
export const RIGHT = 1;
export const DOWN = 2;
export const LEFT = 3;
const MOVES = [[-1, 0], [0, 1], [1, 0], [0, -1]];

function move(state, action, rows, columns) {
    const [start, goal] = [(rows - 1) * columns, rows * columns - 1];
    const row = Math.floor(state / columns) + MOVES[action][0];
    const column = (state % columns) + MOVES[action][1];
    const next = Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1);
    if (next > start && next < goal) return { next: start, reward: -100, terminated: false };
    return { next, reward: -1, terminated: next === goal };
}

/** @param {{ slippery?: boolean, rows?: number, columns?: number }} [options] another size has its start and goal in the same corners */
export function cliffWalking({ slippery = false, rows = ROWS, columns = COLUMNS } = {}) {
    return defineModel({
        name: slippery ? 'CliffWalking, slippery' : 'CliffWalking',
        states: rows * columns,
        actions: 4,
        starts: [[1, (rows - 1) * columns]],
        terminal: [rows * columns - 1],
        outcomes: (state, action) => {
            if (!slippery) return [{ probability: 1, ...move(state, action, rows, columns) }];
            return [3, 0, 1].map((turn) => ({ probability: 1 / 3, ...move(state, (action + turn) % 4, rows, columns) }));
        },
    });
}

/**
 * The greedy action of every state for an agent that walks along `pathRow`: up to that row, right along it, down
 * the last column. Below its row it climbs, above its row it goes on to the right.
 * @param {0 | 1 | 2} pathRow 2 edge, 1 middle, 0 safe
 */
export function pathPolicy(pathRow) {
    return Int32Array.from({ length: ROWS * COLUMNS }, (_, state) => {
        const row = Math.floor(state / COLUMNS);
        if (state % COLUMNS === COLUMNS - 1) return DOWN;
        return row > pathRow ? UP : RIGHT;
    });
}
