/**
 * FrozenLake (Gymnasium `FrozenLake`): walk from S to G over ice, without falling into a hole.
 *
 * Actions 0 left, 1 down, 2 right, 3 up. On slippery ice each of action - 1, action, action + 1 (mod 4) happens
 * with probability 1/3. Reward 1 at the goal, 0 elsewhere; goal and holes terminate. The time limit (100 steps
 * on 4x4, 200 on 8x8) truncates.
 */

import { defineModel } from './finite-model.js';

export const MAPS = {
    '4x4': ['SFFF', 'FHFH', 'FFFH', 'HFFG'],
    '8x8': ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG'],
};
const LIMITS = { '4x4': 100, '8x8': 200 };
const MOVES = [[0, -1], [1, 0], [0, 1], [-1, 0]];

/** @param {{ map?: '4x4' | '8x8' | string[], slippery?: boolean }} [options] a name, or square rows of one's own */
export function frozenLake({ map = '4x4', slippery = true } = {}) {
    const rows = typeof map === 'string' ? MAPS[map] : map;
    const cells = rows.join('');
    const size = rows.length;
    const clamp = (value) => Math.min(Math.max(value, 0), size - 1);
    const move = (state, action) => {
        const row = clamp(Math.floor(state / size) + MOVES[action][0]);
        const next = row * size + clamp((state % size) + MOVES[action][1]);
        return { next, reward: cells[next] === 'G' ? 1 : 0, terminated: 'GH'.includes(cells[next]) };
    };
    return defineModel({
        name: `FrozenLake ${size}x${size}${slippery ? ', slippery' : ''}`,
        states: cells.length,
        actions: 4,
        starts: [[1, cells.indexOf('S')]],
        limit: typeof map === 'string' ? LIMITS[map] : 25 * size,
        terminal: [...cells].flatMap((cell, state) => ('GH'.includes(cell) ? [state] : [])),
        outcomes: (state, action) => {
            if (!slippery) return [{ probability: 1, ...move(state, action) }];
            return [3, 0, 1].map((turn) => ({ probability: 1 / 3, ...move(state, (action + turn) % 4) }));
        },
    });
}
