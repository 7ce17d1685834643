/**
 * A finite Markov decision process as explicit data, and a simulation that samples from that same data.
 *
 * Because both dynamic programming and the simulated episodes read one table of outcomes, a learned policy
 * can be judged exactly, and an error in an environment shows as a wrong exact value instead of a wrong curve.
 *
 * Invariants, checked when a model is defined:
 *   - every (state, action) that is allowed has outcomes whose probabilities add up to 1
 *   - an outcome that terminates leads to a state listed in `terminal`
 */

const PROBABILITY_TOLERANCE = 1e-12;

/**
 * @typedef {object} Outcome
 * @property {number} probability
 * @property {number} next         the state arrived at
 * @property {number} reward       the expected reward
 * @property {number} [deviation]  standard deviation of a normally distributed reward, 0 when absent
 * @property {boolean} terminated  the episode ends there
 *
 * @typedef {object} FiniteModel
 * @property {string} name
 * @property {number} states                  number of states
 * @property {number} actions                 number of actions
 * @property {[number, number][]} starts      pairs of probability and state
 * @property {number} limit                   steps after which an episode is truncated; Infinity for none
 * @property {Set<number>} terminal           states in which nothing is ever chosen
 * @property {Outcome[][]} outcomes           at state * actions + action
 * @property {(state: number) => number[] | undefined} allowed  one 0 or 1 per action; undefined: all of them
 */

/**
 * @param {object} definition
 * @param {string} definition.name
 * @param {number} definition.states
 * @param {number} definition.actions
 * @param {[number, number][]} definition.starts
 * @param {(state: number, action: number) => Outcome[]} definition.outcomes
 * @param {number} [definition.limit]
 * @param {Iterable<number>} [definition.terminal]
 * @param {(state: number) => number[] | undefined} [definition.allowed]
 * @returns {FiniteModel}
 * @throws {Error} when an invariant named at the head of this file does not hold
 */
export function defineModel({ name, states, actions, starts, outcomes, limit = Infinity, terminal = [], allowed = () => undefined }) {
    const ends = new Set(terminal);
    const table = [];
    for (let state = 0; state < states; state += 1) {
        const mask = allowed(state);
        for (let action = 0; action < actions; action += 1) {
            const forbidden = ends.has(state) || (mask && !mask[action]);
            table.push(forbidden ? [] : mergeOutcomes(outcomes(state, action)));
        }
    }
    const model = { name, states, actions, starts, limit, terminal: ends, outcomes: table, allowed };
    checkModel(model);
    return model;
}

function mergeOutcomes(list) {
    const merged = new Map();
    for (const outcome of list) {
        const key = `${outcome.next} ${outcome.reward} ${outcome.deviation ?? 0} ${outcome.terminated}`;
        const known = merged.get(key);
        if (known) known.probability += outcome.probability;
        else merged.set(key, { deviation: 0, ...outcome });
    }
    return [...merged.values()];
}

function checkModel(model) {
    assertOne(model.starts.reduce((sum, [probability]) => sum + probability, 0), `${model.name}: starts`);
    model.outcomes.forEach((list, index) => {
        if (list.length === 0) return;
        const where = `${model.name}: state ${Math.floor(index / model.actions)}, action ${index % model.actions}`;
        assertOne(list.reduce((sum, outcome) => sum + outcome.probability, 0), where);
        for (const { next, terminated } of list) {
            if (!(next >= 0 && next < model.states)) throw new Error(`${where}: next state ${next}`);
            if (terminated !== model.terminal.has(next)) throw new Error(`${where}: end of episode disagrees with state ${next}`);
        }
    });
}

function assertOne(sum, where) {
    if (Math.abs(sum - 1) > PROBABILITY_TOLERANCE) throw new Error(`${where}: probabilities add up to ${sum}`);
}

/** The outcomes of a (state, action). */
export function outcomesOf(model, state, action) {
    return model.outcomes[state * model.actions + action];
}

/**
 * Plays a finite model. After `reset` and `step` the fields tell what happened; nothing is allocated per step.
 *
 *     const play = new Simulation(model, createRandom(7));
 *     let state = play.reset();
 *     state = play.step(action);   // play.reward, play.terminated, play.truncated
 */
export class Simulation {
    /**
     * @param {FiniteModel} model
     * @param {import('./random.js').Random} random
     * @param {{ limit?: number }} [options] another time limit than the model's own
     */
    constructor(model, random, { limit = model.limit } = {}) {
        this.model = model;
        this.random = random;
        this.limit = limit;
        this.reset();
    }

    /** Starts an episode; returns the state. */
    reset() {
        this.state = sampleStart(this.model, this.random);
        this.steps = 0;
        this.reward = 0;
        this.terminated = false;
        this.truncated = false;
        return this.state;
    }

    /** Takes an action; returns the next state. @throws {Error} when the episode is over or the action is not allowed */
    step(action) {
        if (this.terminated || this.truncated) throw new Error(`${this.model.name}: the episode is over`);
        const list = this.model.outcomes[this.state * this.model.actions + action];
        if (list === undefined || list.length === 0) throw new Error(`${this.model.name}: action ${action} in state ${this.state}`);
        const outcome = list.length === 1 ? list[0] : sampleOutcome(list, this.random.uniform());
        this.steps += 1;
        this.state = outcome.next;
        this.reward = outcome.deviation > 0 ? outcome.reward + outcome.deviation * this.random.normal() : outcome.reward;
        this.terminated = outcome.terminated;
        this.truncated = !outcome.terminated && this.steps >= this.limit;
        return this.state;
    }
}

function sampleStart(model, random) {
    if (model.starts.length === 1) return model.starts[0][1];
    let left = random.uniform();
    for (const [probability, state] of model.starts) {
        left -= probability;
        if (left < 0) return state;
    }
    return model.starts[model.starts.length - 1][1];
}

function sampleOutcome(list, u) {
    let left = u;
    for (let i = 0; i < list.length - 1; i += 1) {
        left -= list[i].probability;
        if (left < 0) return list[i];
    }
    return list[list.length - 1];
}
