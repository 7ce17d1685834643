/**
 * A batch: all of a set of agents in one call. Its rows lie in linear memory; the views onto them are kept, and made anew when
 * growth of the memory has detached them.
 */
import { abi } from 'qhive:abi';
import { handleOf, idOf, isAgentOf } from './agent.js';
import { boolean, describe, number, object } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { busyReason, resourceProblem } from './failure.js';
import { observationProblem, stateProblem } from './observation.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./agent.js').Agent} Agent */

const STRIDE = /** @type {64} */ (abi.batch.stride);
const GREEDY = abi.flag.greedy;
const LAST_ENDING = abi.ending.truncated;
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');
const isTime = (time) => time >= 0 && time <= Number.MAX_SAFE_INTEGER;
const NO_FLOATS = new Float32Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_INTEGERS = new Int32Array(0);

/** Agents of this runtime, alive, each once. @param {Core} core @param {any} agents @returns {Agent[]} */
export function readAgents(core, agents) {
    if (typeof agents !== 'object' || agents === null || typeof agents[Symbol.iterator] !== 'function')
        throw new QhiveError('INVALID_ARGUMENT', `agents must be an iterable of agents, not ${describe(agents)}`);
    const list = new Set();
    for (const agent of agents) {
        const place = `agents[${list.size}]`;
        if (!isAgentOf(agent, core)) throw new QhiveError('INVALID_ARGUMENT', `${place} must be an agent of this runtime, not ${describe(agent)}`);
        if (handleOf(agent) === 0) throw new QhiveError('STALE_HANDLE', `${place} ('${agent.name}') was freed`);
        if (list.has(agent)) throw new QhiveError('INVALID_ARGUMENT', `${place} ('${agent.name}') comes twice`);
        list.add(agent);
    }
    return [...list];
}

/** The block of a batch: its handle and the addresses of its rows. */
function openBatch(core, agents) {
    const handle = core.call('qh_batch_open', agents.length);
    if (handle < 0) {
        const code = codeOf(handle);
        throw new QhiveError(code ?? 'INVALID_STATE', `batch() of ${agents.length} agents: ${resourceProblem(core, code)}`);
    }
    const addresses = Array.from(core.numbers.subarray(0, 5), (address) => address >>> 0);
    const handles = core.view(Uint32Array, addresses[0], agents.length);
    agents.forEach((agent, i) => (handles[i] = handleOf(agent)));
    const checked = core.call('qh_batch_check', handle);
    if (checked === 0) return { handle, addresses };
    core.call('qh_batch_free', handle);
    throw new QhiveError(codeOf(checked) ?? 'INVALID_STATE', 'these agents cannot be in one batch');
}

export class Batch {
    /** @type {Core} */
    #core;
    #handle;
    #addresses;
    #observations = NO_FLOATS;
    #rewards = NO_FLOATS;
    #endings = NO_BYTES;
    #actions = NO_INTEGERS;
    #time = 0;
    #batches;

    /**
     * @param {Core} core
     * @param {Iterable<Agent>} given
     * @param {Map<number, Batch>} batches the runtime's, by handle
     */
    constructor(core, given, batches) {
        core.alive();
        const agents = readAgents(core, given);
        if (agents.length === 0) throw new QhiveError('INVALID_ARGUMENT', 'a batch needs at least one agent');
        const { handle, addresses } = openBatch(core, agents);
        this.#core = core;
        this.#handle = handle;
        this.#addresses = addresses;
        this.#batches = batches;
        this.id = idOf(handle);
        this.agents = Object.freeze(agents);
        this.stride = STRIDE;
        for (const name of ['id', 'agents', 'stride']) Object.defineProperty(this, name, { writable: false });
        batches.set(handle, this);
    }

    get observations() {
        if (this.#observations.length === 0 || this.#core.gone !== null) this.#refresh();
        return this.#observations;
    }

    get rewards() {
        if (this.#rewards.length === 0 || this.#core.gone !== null) this.#refresh();
        return this.#rewards;
    }

    get endings() {
        if (this.#endings.length === 0 || this.#core.gone !== null) this.#refresh();
        return this.#endings;
    }

    get actions() {
        if (this.#actions.length === 0 || this.#core.gone !== null) this.#refresh();
        return this.#actions;
    }

    get time() {
        return this.#time;
    }

    set time(value) {
        this.#time = number('time', value);
    }

    begin() {
        const core = this.#core;
        let result;
        try {
            result = core.batchBegin(this.#handle, this.#time);
        } catch (error) {
            throw core.trapped(error);
        }
        if (result !== 0) throw this.#failed('begin', result);
    }

    step() {
        const core = this.#core;
        let result;
        try {
            result = core.batchStep(this.#handle, this.#time);
        } catch (error) {
            throw core.trapped(error);
        }
        if (result !== 0) throw this.#failed('step', result);
    }

    /** @param {{ greedy?: boolean }} [options] */
    act(options) {
        const core = this.#core;
        let flags = 0;
        if (options !== undefined) {
            this.#check();
            const { greedy } = object('options', options);
            if (greedy !== undefined && boolean('options.greedy', greedy)) flags = GREEDY;
        }
        let result;
        try {
            result = core.batchAct(this.#handle, flags, this.#time);
        } catch (error) {
            throw core.trapped(error);
        }
        if (result !== 0) throw this.#failed('act', result);
    }

    free() {
        this.#check();
        this.#core.call('qh_batch_free', this.#handle);
        this.#batches.delete(this.#handle);
        this.#handle = 0;
        this.#observations = this.#rewards = NO_FLOATS;
        this.#endings = NO_BYTES;
        this.#actions = NO_INTEGERS;
    }

    /** Frees the batch unless that was done. */
    [DISPOSE]() {
        if (this.#handle !== 0 && this.#core.gone === null) this.free();
    }

    #check() {
        this.#core.alive();
        if (this.#handle === 0) throw new QhiveError('STALE_HANDLE', 'the batch was freed');
    }

    #refresh() {
        this.#check();
        const core = this.#core;
        const [, observations, rewards, endings, actions] = this.#addresses;
        const count = this.agents.length;
        this.#observations = core.view(Float32Array, observations, count * STRIDE);
        this.#rewards = core.view(Float32Array, rewards, count);
        this.#endings = core.view(Uint8Array, endings, count);
        this.#actions = core.view(Int32Array, actions, count);
    }

    #failed(method, result) {
        this.#check();
        const code = codeOf(result) ?? 'INVALID_STATE';
        const row = this.#core.numbers[0];
        const agent = this.agents[row];
        const where = `${method}() of a batch, row ${row} (agent '${agent?.name}')`;
        switch (code) {
            case 'STALE_HANDLE':
                return new QhiveError(code, `${where}: the agent was freed`);
            case 'INVALID_ARGUMENT':
                return new QhiveError(code, `${where}: ${this.#argumentProblem(method, row, agent)}`);
            case 'INVALID_STATE':
                return new QhiveError(code, `${where}: no episode is running; call begin() first`);
            case 'BUSY':
                return new QhiveError(code, `${where}: ${busyReason(this.#core, agent)}`);
            default:
                return new QhiveError(code, `${where}: ${resourceProblem(this.#core, code, agent?.config.quotaBytes)}`);
        }
    }

    #argumentProblem(method, row, agent) {
        if (method === 'step') {
            const ending = this.endings[row];
            if (ending > LAST_ENDING) return `endings[${row}] must be 0 (going on), 1 (terminated) or 2 (truncated), not ${ending}`;
        }
        const { encoder, actuator } = agent.config;
        if (actuator !== undefined && !isTime(this.#time)) return `time must be at least 0 and below 2^53, not ${this.#time}`;
        const at = row * STRIDE;
        const problem =
            encoder.kind === 'index'
                ? stateProblem(encoder.states, this.observations[at], `observations[${at}]`)
                : observationProblem(encoder, this.observations.subarray(at, at + encoder.dims.length), 'its observation');
        if (problem !== undefined) return problem;
        return `rewards[${row}] must be a finite number, not ${describe(this.rewards[row])}`;
    }
}
