/**
 * Q-learning as it is usually written in JavaScript: a Map from the state, joined into a string, to a row of values.
 *
 * There are three ways to write the join: `cells` maps the state to its cells and joins them, which is the usual one; `floats` joins the
 * state as it is, which only serves where states come again to the last bit; `loop` fills an array of known length first, the fastest
 * that we know. Same arguments and same rule as the flat table.
 */

const JOINS = {
    cells: (observation, bins) => Array.from(observation, (x) => Math.floor(x * bins)).join(','),
    floats: (observation) => observation.join(','),
    loop: (observation, bins) => {
        const cells = new Array(observation.length);
        for (let i = 0; i < cells.length; i++) cells[i] = Math.floor(observation[i] * bins);
        return cells.join(',');
    },
};

export class MapAgent {
    constructor({ dims, bins, actions, epsilon, learningRate, discount, seed, join = 'cells' }) {
        this.join = JOINS[join];
        this.dims = dims;
        this.bins = bins;
        this.actions = actions;
        this.epsilon = epsilon;
        this.learningRate = learningRate;
        this.discount = discount;
        this.random = seed | 0 || 1;
        this.table = new Map();
        this.key = undefined; // of the state that the episode is in
        this.action = 0; // chosen there
    }

    keyOf(observation) {
        if (observation.length !== this.dims) throw new RangeError(`an observation has ${this.dims} numbers, not ${observation.length}`);
        return this.join(observation, this.bins);
    }

    rowOf(key) {
        let row = this.table.get(key);
        if (row === undefined) this.table.set(key, (row = new Float32Array(this.actions)));
        return row;
    }

    /** Uniform in [0, 1). */
    draw() {
        let x = this.random;
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        this.random = x;
        return (x >>> 0) * 2 ** -32;
    }

    choose(row) {
        if (this.draw() < this.epsilon) return Math.floor(this.draw() * this.actions);
        let best = 0;
        for (let i = 1; i < this.actions; i++) if (row[i] > row[best]) best = i;
        return best;
    }

    update(row, action, reward, next, terminated) {
        const target = terminated ? reward : reward + this.discount * Math.max(...next);
        const tdError = target - row[action];
        row[action] += this.learningRate * tdError;
        return tdError;
    }

    act(observation) {
        return this.choose(this.rowOf(this.keyOf(observation)));
    }

    learn(observation, action, reward, next, terminated = false) {
        if (!Number.isInteger(action) || action < 0 || action >= this.actions) throw new RangeError(`no action ${action}`);
        if (!Number.isFinite(reward)) throw new RangeError(`a reward is a finite number, not ${reward}`);
        return this.update(this.rowOf(this.keyOf(observation)), action, reward, this.rowOf(this.keyOf(next)), terminated);
    }

    begin(observation) {
        this.key = this.keyOf(observation);
        return (this.action = this.choose(this.rowOf(this.key)));
    }

    /** Learns from the last action and chooses the next: the key of the state it is in is remembered. */
    step(reward, observation, ending) {
        if (this.key === undefined) throw new Error('begin an episode first');
        if (!Number.isFinite(reward)) throw new RangeError(`a reward is a finite number, not ${reward}`);
        const key = this.keyOf(observation);
        const next = this.rowOf(key);
        this.update(this.rowOf(this.key), this.action, reward, next, ending === 1);
        this.key = ending === 0 ? key : undefined;
        return ending === 0 ? (this.action = this.choose(next)) : -1;
    }
}
