/** The reference learner as the package's `Agent`: arguments checked, metrics kept, tables exported. */

import { Learner } from './learner.js';
import { Generator, seedState, streamOfName } from './random.js';

export class QhiveError extends Error {
    constructor(code, message) {
        super(`${code}: ${message}`);
        this.name = 'QhiveError';
        this.code = code;
    }
}

export function fail(code, message) {
    throw new QhiveError(code, message);
}

function checkNumber(value, what) {
    if (typeof value !== 'number' || !Number.isFinite(value)) fail('INVALID_ARGUMENT', `${what} is ${value}`);
}

/** Combinations without a meaning in the books are refused. */
function checkCombination({ nStep = 1, lambda = 0, planning = 0, algorithm, encoder }) {
    if (lambda > 0 && nStep > 1) fail('INVALID_ARGUMENT', 'nStep and lambda exclude each other');
    if (lambda > 0 && algorithm === 'double-q') fail('INVALID_ARGUMENT', 'Double Q-learning has no traces');
    if (planning > 0 && encoder.kind === 'tiles') fail('INVALID_ARGUMENT', 'tiles cannot be planned with');
}

export class Agent {
    /**
     * @param {object} config an AgentConfig
     * @param {number} id
     * @param {bigint} masterSeed
     * @param {() => void} onFree
     */
    constructor(config, id, masterSeed, onFree) {
        checkCombination(config);
        this.seeds = seedState(masterSeed, config.name === undefined ? BigInt(id) : streamOfName(config.name));
        this.id = id;
        this.name = config.name ?? `agent-${id}`;
        this.learner = new Learner(config, new Generator(this.seeds));
        this.config = this.learner.config;
        this.onFree = onFree;
        this.clearMetrics();
    }

    clearMetrics() {
        this.counts = { actionCount: 0, rewardSum: 0, episodes: 0, errors: 0, updates: 0 };
    }

    checked(callback) {
        try {
            return callback();
        } catch (error) {
            if (error instanceof RangeError) fail('INVALID_ARGUMENT', error.message);
            throw error;
        }
    }

    begin(observation) {
        const action = this.checked(() => this.learner.begin(observation));
        this.counts.actionCount += 1;
        return action;
    }

    step(reward, observation, ending) {
        if (this.learner.keys === undefined) fail('INVALID_STATE', 'step before begin');
        checkNumber(reward, 'the reward');
        const action = this.checked(() => this.learner.step(reward, observation, ending));
        this.noteLearned(reward, this.learner.error);
        if (action < 0) this.counts.episodes += 1;
        else this.counts.actionCount += 1;
        return action;
    }

    act(observation, { greedy = false, mask } = {}) {
        if (mask !== undefined && mask.length !== this.config.actions) fail('INVALID_ARGUMENT', 'the mask has another length');
        if (mask !== undefined && !Array.prototype.some.call(mask, (flag) => flag)) fail('INVALID_ARGUMENT', 'no action is allowed');
        const keys = this.keys(observation);
        this.counts.actionCount += 1;
        return this.learner.decide(keys, { mask, greedy });
    }

    learn(observation, action, reward, next, ending) {
        if (!(Number.isInteger(action) && action >= 0 && action < this.config.actions)) fail('INVALID_ARGUMENT', `action ${action}`);
        checkNumber(reward, 'the reward');
        const error = this.checked(() => this.learner.learn(observation, action, reward, next, ending));
        this.noteLearned(reward, error);
        return error;
    }

    noteLearned(reward, error) {
        this.counts.rewardSum += reward;
        this.counts.errors += Math.abs(error);
        this.counts.updates += 1;
    }

    replay(count) {
        return this.learner.replay(count);
    }

    keys(observation) {
        return this.checked(() => this.learner.encode(observation));
    }

    qValues(observation) {
        return Float32Array.from(this.learner.decisionValues(this.keys(observation)));
    }

    visits(observation) {
        return Uint32Array.from(this.learner.table.visits(this.keys(observation), this.learner.scratchVisits));
    }

    /** The columns of the package's transitions that do not depend on how states are named. */
    transitions() {
        const items = this.learner.memory?.inOrder() ?? [];
        return {
            actions: Int32Array.from(items, ({ action }) => action),
            nextActions: Int32Array.from(items, ({ nextAction }) => nextAction),
            rewards: Float64Array.from(items, ({ reward }) => reward),
            endings: Uint8Array.from(items, ({ terminated, truncated }) => (terminated ? 1 : truncated ? 2 : 0)),
            propensities: Float64Array.from(items, ({ probability }) => probability),
            observations: items.map(({ observation }) => observation),
            nextObservations: items.map(({ nextObservation }) => nextObservation),
        };
    }

    get lastProbability() {
        return this.learner.lastProbability;
    }

    explain(observation, _, { mask } = {}) {
        const keys = this.keys(observation);
        const qValues = this.qValues(observation);
        const probability = Float32Array.from(this.learner.probabilities(keys, mask));
        return { action: probability.indexOf(Math.max(...probability)), qValues, visits: this.visits(observation), probability, knowledge: [] };
    }

    get metrics() {
        const { errors, updates, ...rest } = this.counts;
        return { ...rest, lastUpdate: updates, states: this.learner.table.size, tdErrorMean: updates ? errors / updates : 0 };
    }

    /** Not the package's format: rows in the order of their keys, so that equal tables give equal bytes. */
    exportTable() {
        const rows = [...this.learner.table.rows].sort(([a], [b]) => (a < b ? -1 : 1));
        const text = rows.map(([key, { q, visits }]) => `${key}:${q.map((side) => new Uint32Array(side.buffer).join()).join('/')}:${visits.join()}`);
        return new TextEncoder().encode(text.join('\n'));
    }

    reset() {
        this.learner.forget();
        this.learner.generator = new Generator(this.seeds);
        this.clearMetrics();
    }

    free() {
        this.onFree();
    }
}
