/**
 * Q-learning as a careful JavaScript developer writes it for speed: one Float32Array of states x actions, indexed by an FNV-1a hash of
 * the observation's cells (one round a cell, low bits as the index), epsilon-greedy by an integer comparison with xorshift32.
 *
 * What it leaves out, and qhive does not: states whose hashes agree share a row, visits are not counted, ties go to the first
 * action, NaN falls into cell 0, and the table has its full size from the start. Each of these makes it faster.
 *
 * `states` is a power of two. Observations are `dims` numbers in 0..1, cut into `bins` cells each.
 */

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

export class FlatAgent {
    constructor({ dims, bins, states, actions, epsilon, learningRate, discount, seed }) {
        this.dims = dims;
        this.bins = bins;
        this.mask = states - 1;
        this.actions = actions;
        this.exploreBelow = Math.round(epsilon * 2 ** 32);
        this.learningRate = learningRate;
        this.discount = discount;
        this.random = seed | 0 || 1;
        this.table = new Float32Array(states * actions);
        this.row = -1; // of the state that the episode is in
        this.action = 0; // chosen there
    }

    rowOf(observation) {
        const { dims, bins } = this;
        if (observation.length !== dims) throw new RangeError(`an observation has ${dims} numbers, not ${observation.length}`);
        let hash = FNV_OFFSET;
        for (let i = 0; i < dims; i++) hash = Math.imul(hash ^ ((observation[i] * bins) | 0), FNV_PRIME);
        return (hash & this.mask) * this.actions;
    }

    /** Uniform in 0 .. 2^32 - 1. */
    draw() {
        let x = this.random;
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        this.random = x;
        return x >>> 0;
    }

    choose(row) {
        const { actions, table } = this;
        if (this.draw() < this.exploreBelow) return (this.draw() * actions * 2 ** -32) | 0;
        let best = 0;
        let greatest = table[row];
        for (let i = 1; i < actions; i++) {
            const value = table[row + i];
            if (value > greatest) {
                greatest = value;
                best = i;
            }
        }
        return best;
    }

    greatestOf(row) {
        const { table } = this;
        const end = row + this.actions;
        let greatest = table[row];
        for (let i = row + 1; i < end; i++) if (table[i] > greatest) greatest = table[i];
        return greatest;
    }

    update(row, action, reward, nextRow, terminated) {
        const { table } = this;
        const target = terminated ? reward : reward + this.discount * this.greatestOf(nextRow);
        const tdError = target - table[row + action];
        table[row + action] += this.learningRate * tdError;
        return tdError;
    }

    act(observation) {
        return this.choose(this.rowOf(observation));
    }

    /** Among the actions whose number in `mask` is not 0. */
    actMasked(observation, mask) {
        const { actions, table } = this;
        if (mask.length !== actions) throw new RangeError(`a mask has ${actions} numbers, not ${mask.length}`);
        const row = this.rowOf(observation);
        let allowed = 0;
        for (let i = 0; i < actions; i++) if (mask[i] !== 0) allowed++;
        if (allowed === 0) throw new RangeError('a mask allows at least one action');
        const explores = this.draw() < this.exploreBelow;
        let left = explores ? (this.draw() * allowed * 2 ** -32) | 0 : 0;
        let best = -1;
        for (let i = 0; i < actions; i++) {
            if (mask[i] === 0) continue;
            if (explores && left-- === 0) return i;
            if (best < 0 || table[row + i] > table[row + best]) best = i;
        }
        return best;
    }

    learn(observation, action, reward, next, terminated = false) {
        if (action >>> 0 !== action || action >= this.actions) throw new RangeError(`no action ${action}`);
        if (!Number.isFinite(reward)) throw new RangeError(`a reward is a finite number, not ${reward}`);
        return this.update(this.rowOf(observation), action, reward, this.rowOf(next), terminated);
    }

    begin(observation) {
        this.row = this.rowOf(observation);
        return (this.action = this.choose(this.row));
    }

    /** Learns from the last action and chooses the next: the row of the state it is in is remembered, so that one hash is enough. */
    step(reward, observation, ending) {
        if (this.row < 0) throw new Error('begin an episode first');
        if (!Number.isFinite(reward)) throw new RangeError(`a reward is a finite number, not ${reward}`);
        const next = this.rowOf(observation);
        this.update(this.row, this.action, reward, next, ending === 1);
        this.row = ending === 0 ? next : -1;
        return ending === 0 ? (this.action = this.choose(next)) : -1;
    }
}
