/**
 * An agent as JavaScript sees it: a handle, the number of its dimensions, and nothing that the core keeps.
 *
 * act, begin, step and learn run millions of times: they allocate nothing, check only what the core cannot (types and lengths),
 * and leave every message to `failure.js`, which looks at the arguments again once a call has failed.
 */
import { abi } from 'qhive:abi';
import { boolean, describe, integer, invalid, number, object } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { explainFailure } from './failure.js';
import { writeNext, writeObservation } from './observation.js';
import { replayInSlices } from './slices.js';
import { recall } from './transitions.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').AgentConfig} AgentConfig */
/** @typedef {import('../types/qhive.js').Observation} Observation */
/** @typedef {import('../types/qhive.js').Ending} Ending */

const { flag, ending: ENDING, io, limit } = abi;
const GREEDY = flag.greedy;
const MASK = flag.mask;
const IN_PLACE = flag.in_place;
const TIME = flag.time;
const PROBABILITY = flag.probability;
const TERMINATED = ENDING.terminated;
const TRUNCATED = ENDING.truncated;
const NO_ACTION = -1;
const MAX_COUNT = 2 ** 32 - 1;
const DEFAULT_NEAREST = 3;
const FIRST_HANDLE = 0x10000;
const LEAST_FLOAT = 2 ** -149;
const NOT_GIVEN = new Float32Array(0);
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** Number of an object for users: 1, 2, ... in order of creation, larger where a place is used again. @param {number} handle */
export const idOf = (handle) => handle - FIRST_HANDLE + 1;

/** Whether a value is an agent of the runtime of `core`, freed or not. @type {(value: unknown, core: Core) => value is Agent} */
export let isAgentOf;

/** The handle behind an agent, 0 when it was freed. @type {(agent: Agent) => number} */
export let handleOf;

/** Another thread has freed the agent. @type {(agent: Agent) => void} */
export let forgetHandle;

export class Agent {
    /** @type {Core} */
    #core;
    #handle;
    #dims; // 0: observations are state indices
    #actions;
    #config;
    #input = NOT_GIVEN;
    #time = 0; // of the last step or learning, as far as it was told
    #timeRead = 0; // what #readEnding found
    #forget;

    /**
     * @param {Core} core
     * @param {number} handle
     * @param {Readonly<AgentConfig>} config
     * @param {string} name
     * @param {() => void} forget takes the agent off the runtime's list
     */
    constructor(core, handle, config, name, forget) {
        this.#core = core;
        this.#handle = handle;
        this.#dims = config.encoder.kind === 'index' ? 0 : config.encoder.dims.length;
        this.#actions = config.actions;
        this.#config = config;
        this.#forget = forget;
        this.id = idOf(handle);
        this.name = name;
        Object.defineProperties(this, { id: { writable: false }, name: { writable: false } });
    }

    static {
        // @ts-ignore: TypeScript sees no type predicate in an expression
        isAgentOf = (value, core) => typeof value === 'object' && value !== null && #core in value && value.#core === core;
        handleOf = (agent) => agent.#handle;
        forgetHandle = (agent) => {
            agent.#handle = 0;
            agent.#input = NOT_GIVEN;
        };
    }

    get config() {
        return this.#config;
    }

    /* ------------------------------------------------------------ acting and learning */

    /**
     * @param {Observation} observation
     * @param {{ time?: number }} [options]
     */
    begin(observation, options) {
        const core = this.#core;
        const dims = this.#dims;
        let state = 0;
        let flags = 0;
        let time;
        if (options !== undefined) time = this.#readTimeOf(options);
        if (dims === 0) {
            if (typeof observation !== 'number') throw this.#failed('begin', undefined, { observation });
            state = observation;
        } else if (observation === this.#input && this.#input.length !== 0) flags |= IN_PLACE;
        else if (!writeObservation(core, observation, dims)) throw this.#failed('begin', undefined, { observation });
        if (time !== undefined) flags |= this.#writeTime(time);
        let action;
        try {
            action = core.beginOn(this.#handle, state, flags);
        } catch (error) {
            throw core.trapped(error);
        }
        if (action < NO_ACTION) throw this.#failed('begin', action, { observation });
        return action;
    }

    /**
     * @param {number} reward
     * @param {Observation} observation
     * @param {Ending} [ending]
     */
    step(reward, observation, ending) {
        let end = 0;
        let time = this.#time;
        if (ending !== undefined) {
            end = this.#readEnding(ending);
            time = this.#timeRead;
        }
        const core = this.#core;
        const dims = this.#dims;
        let state = 0;
        let flags = 0;
        if (typeof reward !== 'number') throw this.#failed('step', undefined, { reward, observation });
        if (dims === 0) {
            if (typeof observation !== 'number') throw this.#failed('step', undefined, { reward, observation });
            state = observation;
        } else if (observation === this.#input && this.#input.length !== 0) flags = IN_PLACE;
        else if (!writeObservation(core, observation, dims)) throw this.#failed('step', undefined, { reward, observation });
        let action;
        try {
            action = core.stepOn(this.#handle, reward, state, end, time, flags);
        } catch (error) {
            throw core.trapped(error);
        }
        if (action < NO_ACTION) throw this.#failed('step', action, { reward, observation });
        if (ending !== undefined) this.#time = time;
        return action;
    }

    /**
     * @param {Observation} observation
     * @param {{ greedy?: boolean, mask?: ArrayLike<number>, time?: number }} [options]
     */
    act(observation, options) {
        if (options !== undefined) return this.#actWith(observation, options);
        const core = this.#core;
        const dims = this.#dims;
        let state = 0;
        let flags = 0;
        if (dims === 0) {
            if (typeof observation !== 'number') throw this.#failed('act', undefined, { observation });
            state = observation;
        } else if (observation === this.#input && this.#input.length !== 0) flags = IN_PLACE;
        else if (!writeObservation(core, observation, dims)) throw this.#failed('act', undefined, { observation });
        let action;
        try {
            action = core.actOn(this.#handle, state, flags);
        } catch (error) {
            throw core.trapped(error);
        }
        if (action < NO_ACTION) throw this.#failed('act', action, { observation });
        return action;
    }

    #actWith(observation, options) {
        this.#check();
        const { greedy, mask, time } = object('options', options);
        let flags = greedy !== undefined && boolean('options.greedy', greedy) ? GREEDY : 0;
        if (time !== undefined) number('options.time', time);
        const allowed = mask === undefined ? undefined : this.#readMask(mask);
        const core = this.#core;
        let state = 0;
        if (this.#dims === 0) {
            if (typeof observation !== 'number') throw this.#failed('act', undefined, { observation });
            state = observation;
        } else if (observation === this.#input && this.#input.length !== 0) flags |= IN_PLACE;
        else if (!writeObservation(core, observation, this.#dims)) throw this.#failed('act', undefined, { observation });
        flags |= this.#writeMask(allowed);
        if (time !== undefined) flags |= this.#writeTime(time);
        let action;
        try {
            action = core.actOn(this.#handle, state, flags);
        } catch (error) {
            throw core.trapped(error);
        }
        if (action < NO_ACTION) throw this.#failed('act', action, { observation, allowed: typeof allowed === 'number' ? [allowed] : allowed });
        return action;
    }

    /**
     * Its failures are functions of their own: V8 inlines what compiles to at most 460 bytes of bytecode, and a call that is not
     * inlined boxes the reward and the error.
     *
     * @param {Observation} observation
     * @param {number} action
     * @param {number} reward
     * @param {Observation} next
     * @param {Ending & { nextAction?: number, probability?: number }} [ending]
     */
    learn(observation, action, reward, next, ending) {
        let end = 0;
        let nextAction = NO_ACTION;
        let probability = 0;
        let time = this.#time;
        if (ending !== undefined) {
            end = this.#readEnding(ending);
            time = this.#timeRead;
            nextAction = this.#readNextAction(ending);
            probability = this.#readProbability(ending);
        }
        const core = this.#core;
        const dims = this.#dims;
        let state = 0;
        let nextState = 0;
        let flags = 0;
        let valid = typeof action === 'number' && action >>> 0 === action && typeof reward === 'number';
        if (valid) {
            if (dims === 0) {
                valid = typeof observation === 'number' && typeof next === 'number';
                if (valid) {
                    state = /** @type {number} */ (observation);
                    nextState = /** @type {number} */ (next);
                }
            } else {
                if (observation === this.#input && this.#input.length !== 0) flags = IN_PLACE;
                else valid = writeObservation(core, observation, dims);
                valid = valid && writeNext(core, next, dims);
            }
        }
        if (!valid) throw this.#failedToLearn(observation, action, reward, next);
        if (probability !== 0) flags |= this.#writeProbability(probability);
        let tdError;
        try {
            tdError = core.learnOn(this.#handle, state, action, reward, nextState, end, nextAction, time, flags);
        } catch (error) {
            throw core.trapped(error);
        }
        if (tdError !== tdError) return this.#notLearned(observation, action, reward, next);
        if (ending !== undefined) this.#time = time;
        return tdError;
    }

    /** @param {number} count */
    replay(count) {
        this.#check();
        integer('count', count, 0, MAX_COUNT);
        const mean = this.#core.call('qh_replay_many', this.#handle, count);
        return mean === mean ? mean : this.#notANumber('replay', {});
    }

    /** The same in slices. @param {number} count @param {object} [options] @returns {Promise<number>} */
    async replayAsync(count, options) {
        this.#check();
        return replayInSlices(count, MAX_COUNT, options, (some) => this.replay(some));
    }

    /** What is remembered for replay, oldest first. @returns {import('../types/qhive.js').Transitions} */
    transitions() {
        this.#check();
        this.#read('transitions', this.#core.call('qh_metrics', this.#handle));
        const count = this.#core.numbers[8];
        return recall(count, this.#config, this.#core, (i) => this.#read('transitions', this.#core.call('qh_recall', this.#handle, i)));
    }

    reset() {
        this.#check();
        this.#read('reset', this.#core.call('qh_reset', this.#handle));
        this.#time = 0;
    }

    /* ------------------------------------------------------------ looking */

    /** @param {Observation} observation */
    encode(observation) {
        return this.#core.copyValues(this.#look('encode', 'qh_encode', observation));
    }

    /** @param {Observation} observation */
    qValues(observation) {
        return this.#core.copyValues(this.#look('qValues', 'qh_q_values', observation));
    }

    /** @param {Observation} observation */
    visits(observation) {
        return this.#core.copyCounts(this.#look('visits', 'qh_visits', observation));
    }

    /**
     * @param {Observation} observation
     * @param {number} [k]
     * @param {{ mask?: ArrayLike<number>, time?: number }} [options]
     */
    explain(observation, k = DEFAULT_NEAREST, options = {}) {
        this.#check();
        integer('k', k, 0, limit.hits);
        const { mask, time } = object('options', options);
        if (time !== undefined) number('options.time', time);
        const allowed = mask === undefined ? undefined : this.#readMask(mask);
        const probability = this.#core.copyValues(this.#look('explain', 'qh_probabilities', observation, { allowed, time }));
        const qValues = this.qValues(observation);
        const visits = this.visits(observation);
        let action = 0;
        for (let i = 1; i < probability.length; i++) {
            const ahead = probability[i] - probability[action];
            if (ahead > 0 || (ahead === 0 && qValues[i] > qValues[action])) action = i;
        }
        if (probability[action] === 0) action = NO_ACTION; // an actuator's zone allows none
        return { action, qValues, visits, probability, knowledge: this.#related(k) };
    }

    /** What is known of the agent's feature and its like. @param {number} k */
    #related(k) {
        const { feature } = this.#config;
        const { knowledge } = this.#core;
        return k > 0 && feature !== undefined && knowledge?.get(feature) ? knowledge.nearest(feature, k) : [];
    }

    /** With which the action chosen last was chosen; NaN where none was, or it is not kept. */
    get lastProbability() {
        this.#check();
        this.#read('lastProbability', this.#core.call('qh_metrics', this.#handle));
        return this.#core.numbers[11] || NaN;
    }

    get metrics() {
        this.#check();
        this.#read('metrics', this.#core.call('qh_metrics', this.#handle));
        const [actionCount, rewardSum, lastUpdate, episodes, states, tdErrorMean, learningSteps, , transitions, exploration, learningRate] =
            this.#core.numbers;
        return { actionCount, rewardSum, lastUpdate, episodes, states, tdErrorMean, learningSteps, transitions, exploration, learningRate };
    }

    get memory() {
        this.#check();
        this.#read('memory', this.#core.call('qh_agent_memory', this.#handle));
        const [liveBytes, , tableBytes, replayBytes, peakBytes] = this.#core.numbers;
        return { liveBytes, quotaBytes: /** @type {number} */ (this.#config.quotaBytes), tableBytes, replayBytes, peakBytes };
    }

    /** The agent's own block of 64 floats in linear memory. */
    get input() {
        const core = this.#core;
        if (this.#input.length === 0 || this.#handle === 0 || core.gone !== null || core.threads !== null) {
            this.#check();
            const address = core.call('qh_agent_input_address', this.#handle) >>> 0;
            if (address === 0) throw this.#failed('input', this.#isThere() ? 'BUSY' : 'STALE_HANDLE', {});
            if (this.#input.length === 0 || this.#input.byteOffset !== address) this.#input = core.view(Float32Array, address, limit.dims);
        }
        return this.#input;
    }

    /** The place of the next observation of a `learn`, 64 floats, shared by all agents. */
    get nextInput() {
        this.#check();
        if (this.#core.next.length === 0) this.#core.refresh();
        return this.#core.next;
    }

    /** A hash of the Q-table, 16 hexadecimal digits. */
    hash() {
        this.#check();
        this.#read('hash', this.#core.call('qh_hash', this.#handle));
        return readHash(this.#core.numbers);
    }

    /* ------------------------------------------------------------ threads */

    /** Makes the agent this thread's own, until `release`. False: another thread has it. */
    claim() {
        return this.#own('claim', 'qh_agent_claim', 1) === 1;
    }

    release() {
        if (this.owner !== 0) this.#own('release', 'qh_agent_release', 0);
    }

    /** The thread that has the agent; 0: none. */
    get owner() {
        return this.#own('owner', 'qh_agent_owner', 0);
    }

    /** Whether the core has the agent: another thread may have freed it. */
    #isThere() {
        return this.#core.threads !== null && this.#core.call('qh_agent_owner', this.#handle) >= 0;
    }

    /** @param {string} method @param {string} name of the export @param {number} alone what it is without threads */
    #own(method, name, alone) {
        this.#check();
        return this.#core.threads === null ? alone : this.#read(method, this.#core.call(name, this.#handle));
    }

    /* ------------------------------------------------------------ tables, life */

    /** The table as bytes. @returns {Uint8Array} */
    exportTable() {
        this.#check();
        this.#read('exportTable', this.#core.call('qh_export', this.#handle));
        try {
            return this.#core.transferred().slice();
        } finally {
            this.#core.call('qh_transfer_close');
        }
    }

    /** Replaces the table. @param {Uint8Array} bytes */
    importTable(bytes) {
        this.#check();
        if (!(bytes instanceof Uint8Array) && Object.prototype.toString.call(bytes) !== '[object Uint8Array]')
            throw new QhiveError('INVALID_ARGUMENT', `importTable: bytes must be a Uint8Array, not ${describe(bytes)}`);
        if (bytes.length === 0) throw new QhiveError('CORRUPT', 'importTable: there are no bytes');
        this.#read('importTable', this.#core.call('qh_transfer_open', bytes.length));
        try {
            this.#core.transferred().set(bytes);
            this.#read('importTable', this.#core.call('qh_import', this.#handle));
        } finally {
            if (this.#core.gone === null) this.#core.call('qh_transfer_close');
        }
    }

    /**
     * @param {number} _action
     * @param {number} _time
     * @returns {import('../types/qhive.js').ParameterChange}
     */
    apply(_action, _time) {
        this.#check();
        throw new QhiveError('INVALID_STATE', `apply() of agent '${this.name}': it has no actuator`);
    }

    free() {
        this.#check();
        this.#read('free', this.#core.call('qh_agent_destroy', this.#handle));
        forgetHandle(this);
        this.#forget();
    }

    /** Frees the agent unless that was done. */
    [DISPOSE]() {
        this.#core.threads?.look();
        if (this.#handle !== 0 && this.#core.gone === null) this.free();
    }

    /* ------------------------------------------------------------ arguments and failures */

    /** Throws unless runtime and agent are there. */
    #check() {
        this.#core.alive();
        if (this.#handle === 0) throw new QhiveError('STALE_HANDLE', `the agent '${this.name}' was freed`);
    }

    /** The observation as [state, flags] for a call off the hot paths. @returns {[number, number]} */
    #see(method, observation) {
        if (this.#dims === 0) {
            if (typeof observation === 'number') return [observation, 0];
        } else {
            if (observation === this.#input && this.#input.length !== 0) return [0, IN_PLACE];
            if (writeObservation(this.#core, observation, this.#dims)) return [0, 0];
        }
        throw this.#failed(method, undefined, { observation });
    }

    /**
     * Calls a function of the core that reads in a state.
     * @param {string} method @param {string} name @param {unknown} observation @param {{ allowed?: number | Uint32Array, time?: number }} [given]
     */
    #look(method, name, observation, { allowed, time } = {}) {
        this.#check();
        const [state, inPlace] = this.#see(method, observation);
        const flags = inPlace | this.#writeMask(allowed) | (time === undefined ? 0 : this.#writeTime(time));
        const count = this.#core.call(name, this.#handle, state, flags);
        if (count < 0) throw this.#failed(method, count, { observation, allowed: typeof allowed === 'number' ? [allowed] : allowed });
        return count;
    }

    #read(method, result) {
        if (result < 0) throw this.#failed(method, result, {});
        return result;
    }

    #readEnding(ending) {
        this.#check();
        const { terminated, truncated, time } = object('ending', ending);
        if (terminated !== undefined) boolean('ending.terminated', terminated);
        if (truncated !== undefined) boolean('ending.truncated', truncated);
        this.#timeRead = time === undefined ? this.#time : number('ending.time', time);
        return terminated ? TERMINATED : truncated ? TRUNCATED : 0;
    }

    #readNextAction(ending) {
        const { nextAction } = ending;
        return nextAction === undefined ? NO_ACTION : integer('ending.nextAction', nextAction, 0, this.#actions - 1);
    }

    #readTimeOf(options) {
        this.#check();
        const { time } = object('options', options);
        return time === undefined ? undefined : number('options.time', time);
    }

    /** Tells the core the time of a choice; the flag that says so. @param {number} time */
    #writeTime(time) {
        this.#core.view(Float64Array, this.#core.base + io.time, 1)[0] = time;
        return TIME;
    }

    #failedToLearn(observation, action, reward, next) {
        return this.#failed('learn', undefined, { observation, action, reward, next });
    }

    #notLearned(observation, action, reward, next) {
        return this.#notANumber('learn', { observation, action, reward, next });
    }

    /** Tells the core the probability of an action; the flag that says so. @param {number} probability */
    #writeProbability(probability) {
        this.#core.numbers[0] = probability;
        return PROBABILITY;
    }

    #readProbability(ending) {
        const { probability } = ending;
        return probability === undefined ? 0 : number('ending.probability', probability, { min: LEAST_FLOAT, max: 1 });
    }

    /** @param {number | Uint32Array | undefined} allowed @returns {number} the flag that says whether there is a mask */
    #writeMask(allowed) {
        if (allowed === undefined) return 0;
        const core = this.#core;
        if (core.mask.length === 0) core.refresh();
        if (typeof allowed === 'number') core.mask[0] = allowed;
        else core.mask.set(allowed);
        return MASK;
    }

    /** One bit an action, 1 = allowed: a number for up to 32 actions, else words. @returns {number | Uint32Array} */
    #readMask(mask) {
        const actions = this.#actions;
        const { length } = Object(mask);
        if (typeof mask !== 'object' || length !== actions) return invalid('options.mask', `${actions} numbers, one per action`, mask);
        if (actions <= 32) return readBits(mask, 0, actions);
        const words = new Uint32Array(Math.ceil(actions / 32));
        for (let i = 0; i < words.length; i++) words[i] = readBits(mask, 32 * i, Math.min(actions - 32 * i, 32));
        return words;
    }

    #notANumber(method, given) {
        const code = this.#core.codeOfNaN();
        if (code === undefined) return NaN;
        throw this.#failed(method, code, given);
    }

    /** The error of a call that failed: `result` of the core, or undefined where an argument never reached it. */
    #failed(method, result, given) {
        if (this.#core.gone !== null) return this.#core.unusable();
        const code = this.#handle === 0 ? 'STALE_HANDLE' : typeof result === 'number' ? codeOf(result) : (result ?? 'INVALID_ARGUMENT');
        if (given.observation === this.#input && this.#input.length !== 0) given.observation = this.#input.subarray(0, this.#dims);
        if (given.next === this.#core.next && this.#core.next.length !== 0) given.next = this.#core.next.subarray(0, this.#dims);
        return explainFailure({ agent: this, actions: this.#actions, core: this.#core, method, code, given });
    }
}

/** Bit i of the result: number `start + i` of the mask is not 0. @param {any} mask @param {number} start @param {number} count */
function readBits(mask, start, count) {
    let bits = 0;
    for (let i = 0; i < count; i++) {
        const value = mask[start + i];
        if (typeof value !== 'number' || value !== value) invalid(`options.mask[${start + i}]`, 'a number, 0 = forbidden', value);
        if (value !== 0) bits |= 1 << i;
    }
    return bits;
}

/** @param {Float64Array} numbers low and high half */
export function readHash(numbers) {
    return [numbers[1], numbers[0]].map((half) => half.toString(16).padStart(8, '0')).join('');
}
