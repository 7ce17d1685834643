/**
 * A runtime: one instance of the module, the agents and batches that live in its memory.
 */
import { VERSION } from 'qhive:abi';
import { Agent, forgetHandle, handleOf, idOf, readHash } from './agent.js';
import { Batch } from './batch.js';
import { describe } from './check.js';
import { BoundAgent } from './bound-agent.js';
import { createFrom, readConfig } from './config.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';
import { FederatedAccumulator } from './federation.js';
import { FeatureKnowledge, tieTo } from './knowledge.js';
import { forgetLeak, watchLeak } from './leaks.js';
import { MemoryInfo } from './memory.js';
import { categorise, MessageQueue } from './messages.js';
import { MetricsStore } from './metrics.js';
import { bindActuator, SafeZones } from './safe-zones.js';
import { createIndex, importIndex } from './vector-index.js';

/** @typedef {import('./core.js').Core} Core */

const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** The agents alive, in order of creation. */
class AgentList {
    #core;
    #agents;

    /** @param {Core} core @param {Map<number, Agent>} agents by handle */
    constructor(core, agents) {
        this.#core = core;
        this.#agents = agents;
    }

    get length() {
        this.#core.alive();
        return this.#agents.size;
    }

    [Symbol.iterator]() {
        this.#core.alive();
        return this.#agents.values();
    }
}

export class AgentRuntime {
    /** @type {Core} */
    #core;
    /** @type {Map<number, Agent>} by handle */
    #byHandle;
    /** @type {Map<string, Agent>} */
    #byName = new Map();
    /** @type {Map<number, Batch>} by handle */
    #batches = new Map();
    #agents;
    #memory;
    #safeZones;
    #knowledge;
    #federation;
    #metrics;
    #messages;

    /** @param {Core} core @param {boolean} simd */
    constructor(core, simd) {
        const { threads } = core;
        this.#core = core;
        this.#byHandle = threads === null ? new Map() : threads.agents;
        this.#agents = new AgentList(core, this.#byHandle);
        this.#memory = new MemoryInfo(core, this.#byHandle);
        this.#safeZones = new SafeZones(core, this.#byHandle);
        this.#knowledge = core.knowledge = new FeatureKnowledge(core, this.#byHandle);
        this.#federation = new FederatedAccumulator(core);
        this.#metrics = new MetricsStore(core, this.#memory, this.#byHandle);
        this.#messages = new MessageQueue(core);
        this.build = Object.freeze({ version: VERSION, simd, threads: threads !== null, memory64: false });
        Object.defineProperty(this, 'build', { writable: false });
        watchLeak(core.leaks, this, 'a runtime');
        threads?.connect((handle, config) => this.#register(handle, readConfig(config)), (agent) => this.#drop(agent));
    }

    /** @param {import('../types/qhive.js').AgentConfig} config */
    createAgent(config) {
        this.#core.alive();
        const complete = readConfig(config);
        const { threads } = this.#core;
        const { name, feature } = complete;
        threads?.look();
        if (name !== undefined && this.#byName.has(name))
            throw this.#nameTaken(name);
        if (feature !== undefined && this.#knowledge.frozen && this.#knowledge.get(feature) === undefined)
            throw new QhiveError('INVALID_ARGUMENT', `config.feature must be the code of a feature, of which the knowledge has no ${describe(feature)}`);
        const actuator = complete.actuator && bindActuator(this.#safeZones, complete.actuator);
        const handle = createFrom(this.#core, complete, actuator);
        if (handle < 0) throw this.#notCreated(handle, complete);
        try {
            if (complete.category !== undefined) categorise(this.#core, complete.category, handle);
            if (feature !== undefined) tieTo(this.#knowledge, handle, feature);
        } catch (error) {
            if (this.#core.gone === null) this.#core.call('qh_agent_destroy', handle); // nobody would know of it
            throw error;
        }
        const agent = this.#register(handle, complete);
        threads?.introduce(agent, handle);
        return agent;
    }

    get agents() {
        this.#core.alive();
        return this.#agents;
    }

    /** @param {number | string} idOrName */
    agent(idOrName) {
        this.#core.alive();
        this.#core.threads?.look();
        const found = typeof idOrName === 'string' ? this.#byName.get(idOrName) : this.#byId(idOrName);
        if (found === undefined) throw new QhiveError('INVALID_ARGUMENT', `there is no agent with the id or name ${describe(idOrName)}`);
        return found;
    }

    /** @param {Iterable<Agent>} [agents] */
    batch(agents = this.agents) {
        return new Batch(this.#core, agents, this.#batches);
    }

    /** @param {import('../types/qhive.js').IndexOptions} options */
    createIndex(options) {
        return createIndex(this.#core, options);
    }

    /** @param {Uint8Array} bytes */
    importIndex(bytes) {
        return importIndex(this.#core, bytes);
    }

    get memory() {
        this.#core.alive();
        return this.#memory;
    }

    get safeZones() {
        this.#core.alive();
        return this.#safeZones;
    }

    get knowledge() {
        this.#core.alive();
        return this.#knowledge;
    }

    get federation() {
        this.#core.alive();
        return this.#federation;
    }

    get metrics() {
        this.#core.alive();
        return this.#metrics;
    }

    get messages() {
        this.#core.alive();
        return this.#messages;
    }

    /** A hash of the tables of all agents, 16 hexadecimal digits. */
    hash() {
        this.#core.read('qh_hash', 0);
        return readHash(this.#core.numbers);
    }

    /** Whether every structure in the memory is sound. Takes time: for tests. */
    validate() {
        return this.#core.read('qh_validate') === 1;
    }

    /* ------------------------------------------------------------ threads */

    /** What another thread needs to use this runtime. */
    share() {
        return this.#threads('share').share();
    }

    /** The number of this thread. */
    get thread() {
        this.#core.alive();
        return this.#core.threads?.number ?? 1;
    }

    /** The numbers of all threads that use the runtime. */
    get threads() {
        this.#core.alive();
        return this.#core.threads?.all ?? [1];
    }

    /** @param {number} thread that was terminated */
    recover(thread) {
        return this.#threads('recover').recover(thread);
    }

    /** @template T @param {import('../types/qhive.js').LockName} name @param {() => T | Promise<T>} use @param {{ timeout?: number }} [options] @returns {Promise<T>} */
    async withLock(name, use, options) {
        return this.#threads('withLock').withLock(name, use, options);
    }

    /** @param {string} method */
    #threads(method) {
        this.#core.alive();
        const { threads } = this.#core;
        if (threads === null) throw new QhiveError('UNSUPPORTED', `${method}: the runtime is for one thread; make it by createRuntime({ threads: true })`);
        return threads;
    }

    dispose() {
        if (this.#core.gone === 'STALE_HANDLE') throw this.#core.unusable();
        forgetLeak(this.#core.leaks, this);
        if (this.#core.leaks !== null) this.#core.leaks.disposed = true;
        this.#core.threads?.end();
        this.#core.dispose();
        this.#byHandle.clear();
        this.#byName.clear();
        this.#batches.clear();
    }

    /** Disposes of the runtime unless that was done. */
    [DISPOSE]() {
        if (this.#core.gone !== 'STALE_HANDLE') this.dispose();
    }

    #byId(id) {
        if (typeof id !== 'number') return undefined;
        for (const agent of this.#byHandle.values()) if (agent.id === id) return agent;
        return undefined;
    }

    /** @param {number} handle @param {any} config */
    #register(handle, config) {
        const name = config.name ?? this.#defaultName(handle);
        const forget = () => {
            this.#byHandle.delete(handle);
            this.#byName.delete(name);
        };
        const agent =
            config.actuator === undefined
                ? new Agent(this.#core, handle, config, name, forget)
                : new BoundAgent([this.#core, handle, config, name, forget], this.#safeZones);
        this.#byHandle.set(handle, agent);
        this.#byName.set(name, agent);
        return agent;
    }

    /** Another thread has freed an agent. @param {Agent} agent */
    #drop(agent) {
        this.#byHandle.delete(handleOf(agent));
        this.#byName.delete(agent.name);
        forgetHandle(agent);
    }

    #defaultName(handle) {
        let name = `agent#${idOf(handle)}`;
        while (this.#byName.has(name)) name += "'";
        return name;
    }

    #nameTaken(name) {
        return new QhiveError('INVALID_ARGUMENT', `config.name must be unique in its runtime; there is an agent '${name}' already`);
    }

    #notCreated(result, config) {
        const code = codeOf(result);
        const what = config.name === undefined ? 'createAgent()' : `createAgent() of '${config.name}'`;
        if (code === 'INVALID_ARGUMENT' && config.name !== undefined && this.#byHandle.size > 0 && this.#byName.has(config.name)) return this.#nameTaken(config.name);
        if (code === 'INVALID_ARGUMENT') return new QhiveError(code, `${what}: the configuration is out of the core's ranges`);
        const problem =
            code === 'QUOTA_EXCEEDED' ? `even without a table it needs more than quotaBytes (${config.quotaBytes})` : resourceProblem(this.#core, code);
        return new QhiveError(code ?? 'INVALID_STATE', `${what}: ${problem}`);
    }
}
