/**
 * The table of action values: a row of float32 per key, made when it is first written. Reading an unseen key
 * gives the initial value and makes nothing.
 */

import { accumulate, meanOfTables, share } from './arithmetic.js';

const F32 = Float32Array;
const U32 = Uint32Array;

export class Table {
    /**
     * @param {{ actions: number, cells: number, initialValue: number, doubled: boolean }} options `doubled`: two
     *   values per cell, for Double Q-learning
     */
    constructor({ actions, cells, initialValue, doubled }) {
        this.actions = actions;
        this.doubled = doubled;
        this.initial = share(initialValue, cells);
        this.clear();
    }

    clear() {
        this.rows = new Map();
    }

    get size() {
        return this.rows.size;
    }

    row(key) {
        let row = this.rows.get(key);
        if (row === undefined) {
            const q = [new F32(this.actions).fill(this.initial)];
            if (this.doubled) q.push(new F32(this.actions).fill(this.initial));
            row = { q, visits: new U32(this.actions) };
            this.rows.set(key, row);
        }
        return row;
    }

    /** Value of one action in one of the tables: the sum over the keys of an observation. */
    value(keys, action, side = 0) {
        let total = 0;
        for (let i = 0; i < keys.length; i += 1) {
            const row = this.rows.get(keys[i]);
            const cell = row === undefined ? this.initial : row.q[side][action];
            total = keys.length === 1 ? cell : accumulate(total, cell);
        }
        return total;
    }

    /** Values of all actions in one of the tables. */
    values(keys, side, into) {
        for (let action = 0; action < this.actions; action += 1) into[action] = this.value(keys, action, side);
        return into;
    }

    /** The values that actions are chosen by. */
    decisionValues(keys, into) {
        this.values(keys, 0, into);
        if (!this.doubled) return into;
        for (let action = 0; action < this.actions; action += 1) into[action] = meanOfTables(into[action], this.value(keys, action, 1));
        return into;
    }

    /** How often each action was learned from: the least over the keys, which other observations may share. */
    visits(keys, into) {
        into.fill(0xffffffff);
        for (const key of keys) {
            const row = this.rows.get(key);
            for (let action = 0; action < this.actions; action += 1) into[action] = Math.min(into[action], row ? row.visits[action] : 0);
        }
        return into;
    }
}
