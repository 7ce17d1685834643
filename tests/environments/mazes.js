/**
 * The mazes of S&B chapter 8: 6 rows of 9, actions 0 up, 1 right, 2 down, 3 left; a move into a wall or an
 * obstacle stays in place; reward 1 at the goal, 0 elsewhere; no time limit.
 *
 *     Dyna maze (example 8.1)       blocking maze (example 8.2), before and after the change
 *     . . . . . . . # G             . . . . . . . . G      . . . . . . . . G
 *     . . # . . . . # .             . . . . . . . . .      . . . . . . . . .
 *     S . # . . . . # .             . . . . . . . . .      . . . . . . . . .
 *     . . # . . . . . .             # # # # # # # # .      . # # # # # # # #
 *     . . . . . # . . .             . . . . . . . . .      . . . . . . . . .
 *     . . . . . . . . .             . . . S . . . . .      . . . S . . . . .
 */

import { defineModel } from './finite-model.js';

const MOVES = [[-1, 0], [0, 1], [1, 0], [0, -1]];

/**
 * A maze drawn with characters: S start, G goal, # obstacle, anything else free.
 * @param {string} name
 * @param {string[]} rows
 */
export function maze(name, rows) {
    const columns = rows[0].length;
    const cells = rows.join('');
    const move = (state, action) => {
        const row = Math.floor(state / columns) + MOVES[action][0];
        const column = (state % columns) + MOVES[action][1];
        const outside = row < 0 || row >= rows.length || column < 0 || column >= columns;
        const next = outside || cells[row * columns + column] === '#' ? state : row * columns + column;
        return { probability: 1, next, reward: cells[next] === 'G' ? 1 : 0, terminated: cells[next] === 'G' };
    };
    return defineModel({
        name,
        states: cells.length,
        actions: 4,
        starts: [[1, cells.indexOf('S')]],
        terminal: [cells.indexOf('G')],
        outcomes: (state, action) => [move(state, action)],
    });
}

export function dynaMaze() {
    return maze('Dyna maze', ['.......#G', '..#....#.', 'S.#....#.', '..#......', '.....#...', '.........']);
}

/** The blocking maze before (`changed` false) and after its short way was closed and a longer one opened. */
export function blockingMaze({ changed = false } = {}) {
    const wall = changed ? '.########' : '########.';
    return maze(`Blocking maze, ${changed ? 'after' : 'before'}`, ['........G', '.........', '.........', wall, '.........', '...S.....']);
}
