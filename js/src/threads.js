/**
 * A runtime that several threads use: their places, what they leave for each other, claims, and waiting without blocking. This file is a
 * chunk of its own, which only runtimes with threads load; so it gets what it needs of the main file (`Kit`) instead of importing it.
 *
 * Every thread has an instance of the module on the same memory. A place (src/sync/thread.h) gives it a stack and thread-local data.
 * Threads know each other's agents through notes in linear memory: the configuration as JSON. A counter says when to look again.
 */
import { abi, THREAD_EXPORTS, VERSION } from 'qhive:abi';

/**
 * @typedef {import('./core.js').Core} Core
 * @typedef {import('./agent.js').Agent} Agent
 * @typedef {import('../types/qhive.js').SharedRuntime} SharedRuntime
 * @typedef {typeof import('./kit.js').kit} Kit
 * @typedef {(handle: number, config: any) => void} Adopt
 * @typedef {(agent: Agent) => void} Drop
 */

const { place: PLACE, thread: AT } = abi;
const CONFIG = 0; // the note of an agent: its configuration
const ZONES = 1; // of the runtime: the definitions of the safe zones
const SLICE_MS = 50; // a wake-up that went astray costs no more
const MOST_MS = 2 ** 31 - 1; // a timer of more, 24 days, fires at once
const TERMS = Math.floor((2 ** 31 - 1) / abi.limit.threads);
const TICK_MS = 2; // between two looks where an engine cannot wait

/** The locks that can be waited for, by their numbers in the core. */
const LOCKS = Object.freeze({ federation: 2, metrics: 3, messages: 4, zones: 5, search: 6 });

/* ---------------------------------------------------------------- what the engine allows */

/** A function that loads an i32 atomically from a shared memory. */
const ATOMICS = Uint8Array.of(
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 10, 1, 8, 0, 0x41, 0, 0xfe, 0x10, 2, 0,
    0x0b,
);

/** Why there can be no threads here; undefined where there can. */
function problemWithThreads() {
    if (typeof WebAssembly !== 'object') return 'this engine has no WebAssembly';
    if (globalThis.crossOriginIsolated === false)
        return "this page is not cross-origin isolated: serve it with the headers 'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp'";
    if (typeof SharedArrayBuffer !== 'function' || typeof Atomics !== 'object') return 'this engine has no shared memory';
    if (!WebAssembly.validate(ATOMICS)) return 'this engine has no threads for WebAssembly';
    return undefined;
}

/** Throws UNSUPPORTED where there can be no threads. @param {Kit} kit @param {string} what was asked for */
export function requireThreads({ QhiveError }, what) {
    const problem = problemWithThreads();
    if (problem !== undefined) throw new QhiveError('UNSUPPORTED', `${what}: ${problem}. Without threads a runtime works as ever: leave options.threads out`);
}

/** Throws VERSION unless the module is the build for threads. @param {Kit} kit @param {WebAssembly.Module} module @param {string} what */
export function requireThreadsModule({ QhiveError }, module, what) {
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    const missing = THREAD_EXPORTS.find((name) => !names.has(name));
    if (missing !== undefined)
        throw new QhiveError('VERSION', `${what} is not the build for threads of qhive ${VERSION}: it lacks ${missing}. Take qhive-threads.wasm from the same version of the package`);
}

/** Whether `Atomics.wait` is allowed here: not in the main thread of a page. */
function maySleep() {
    try {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
        return true;
    } catch {
        return false;
    }
}

/* ---------------------------------------------------------------- notes */

/** JSON has no Infinity. */
const write = (value) => JSON.stringify(value, (_, x) => (x === Infinity ? { infinite: true } : x));
const read = (text) => JSON.parse(text, (_, x) => (x?.infinite === true ? Infinity : x));

/** The agents alive by their handles; whoever reads sees also those that other threads made. @extends {Map<number, Agent>} */
export class Directory extends Map {
    look = () => {};

    /** @override */
    get size() {
        this.look();
        return super.size;
    }

    /** @override @param {number} handle */
    get(handle) {
        this.look();
        return super.get(handle);
    }

    /** @override */
    values() {
        this.look();
        return super.values();
    }

    /** @override */
    keys() {
        this.look();
        return super.keys();
    }

    /** @override */
    entries() {
        this.look();
        return super.entries();
    }

    /** @override */
    [Symbol.iterator]() {
        return this.entries();
    }
}

/* ---------------------------------------------------------------- places */

/** The words of a place. @param {any} exports @param {WebAssembly.Memory} memory @param {number} place */
const wordsOf = (exports, memory, place) =>
    new Int32Array(memory.buffer, (exports.qh_threads_address() >>> 0) + place * abi.size.thread, abi.size.thread / 4);

/** The number of the thread that has a place; who takes it next has another. @param {Int32Array} words @param {number} place */
const numberOf = (words, place) => (Atomics.load(words, AT.terms / 4) >>> 0) % TERMS * abi.limit.threads + place + 1;

/** Takes a free place: which. @param {any} exports @param {WebAssembly.Memory} memory @param {Kit} kit */
function takePlace(exports, memory, { QhiveError }) {
    let there = 0;
    for (let place = 0; place < abi.limit.threads; place++) {
        const words = wordsOf(exports, memory, place);
        if (Atomics.load(words, AT.state / 4) === PLACE.none) continue;
        there++;
        if (Atomics.compareExchange(words, AT.state / 4, PLACE.free, PLACE.taken) === PLACE.free) return place;
    }
    if (there === 0) throw new QhiveError('INVALID_ARGUMENT', 'shared.memory is not the memory of a runtime with threads');
    throw new QhiveError(
        'EXCEEDS_LIMIT',
        `all ${there} places for threads are taken: give a larger options.threads, dispose of the runtimes of threads that are done, recover() threads that were terminated`,
    );
}

/** Gives the instance its stack and its thread-local data, and begins. @param {any} exports @param {WebAssembly.Memory} memory @param {number} place */
function begin(exports, memory, place) {
    const words = wordsOf(exports, memory, place);
    const [base, limit, tls] = [AT.stack_base, AT.stack_limit, AT.tls].map((offset) => words[offset / 4]);
    exports.__wasm_init_tls(tls);
    exports.__stack_pointer.value = base;
    exports.__set_stack_limits(base, limit);
    return exports.qh_thread_begin(place, maySleep() ? 1 : 0);
}

/** The thread of an instance that makes a runtime: its stack is the module's own. @param {Core} core @param {WebAssembly.Module} module @param {Kit} kit */
export function found(core, module, kit) {
    const { exports } = core;
    exports.__set_stack_limits(exports.__stack_pointer.value, 0);
    core.threads = new Threads(core, module, 0, kit);
    return maySleep() ? 1 : 0;
}

/** @param {Kit} kit @param {unknown} value what the caller gave @returns {{ module: WebAssembly.Module, memory: WebAssembly.Memory }} */
function readShared({ QhiveError, object, invalid, describe, tagOf, checkBoundary }, value) {
    const { module, memory, version } = object('shared', value);
    if (tagOf(module) !== 'WebAssembly.Module') return invalid('shared.module', 'a WebAssembly.Module: what share() gave', module);
    if (tagOf(memory) !== 'WebAssembly.Memory' || tagOf(memory.buffer) !== 'SharedArrayBuffer')
        return invalid('shared.memory', 'a shared WebAssembly.Memory: what share() gave', memory);
    if (version !== VERSION) throw new QhiveError('VERSION', `shared is of qhive ${describe(version)}; this is qhive ${VERSION}. All threads need the same version of the package`);
    try {
        checkBoundary(module, 'shared.module', 'qhive-threads.wasm');
    } catch (error) {
        throw error instanceof QhiveError ? error : new QhiveError('INVALID_ARGUMENT', 'shared.module must be a WebAssembly.Module: what share() gave', error);
    }
    return { module, memory };
}

/** @template T @param {Kit} kit @param {unknown} shared @param {(core: Core) => T} open makes the runtime @returns {Promise<T>} */
export async function attach(kit, shared, open) {
    requireThreads(kit, 'attachRuntime()');
    const { module, memory } = readShared(kit, shared);
    requireThreadsModule(kit, module, 'shared.module');
    const { QhiveError } = kit;
    let exports;
    try {
        exports = (await WebAssembly.instantiate(module, { env: { memory } })).exports;
    } catch (error) {
        throw new QhiveError('INVALID_ARGUMENT', `shared.memory is not that of shared.module (${String(error)})`, error);
    }
    const place = takePlace(exports, memory, kit);
    const begun = begin(exports, memory, place);
    if (begun < 0) {
        Atomics.store(wordsOf(exports, memory, place), AT.state / 4, PLACE.free);
        throw new QhiveError('INVALID_ARGUMENT', 'shared.memory is not the memory of an open runtime');
    }
    const core = new kit.Core(exports, memory);
    core.threads = new Threads(core, module, place, kit);
    try {
        return open(core);
    } catch (error) {
        core.threads.end();
        throw error;
    }
}

/* ---------------------------------------------------------------- a thread of a runtime */

export class Threads {
    /** @type {Core} */
    #core;
    /** @type {Kit} */
    #kit;
    #module;
    #number;
    /** @type {Adopt} */
    #adopt = () => {};
    /** @type {Drop} */
    #drop = () => {};
    #seen = -1; // the count of changes when all agents were known last
    #looking = false;
    /** @type {Promise<void>} when those of this thread's callers who came before are done with their locks */
    #queue = Promise.resolve();

    /** @param {Core} core @param {WebAssembly.Module} module @param {number} place @param {Kit} kit */
    constructor(core, module, place, kit) {
        this.#core = core;
        this.#kit = kit;
        this.#module = module;
        this.#number = numberOf(wordsOf(core.exports, /** @type {any} */ (core.memory), place), place);
        this.agents = new Directory();
    }

    /** The number of this thread. */
    get number() {
        return this.#number;
    }

    /** The numbers of all threads. */
    get all() {
        const { memory, exports } = this.#core;
        const numbers = [];
        for (let place = 0; place < abi.limit.threads; place++) {
            const words = wordsOf(exports, /** @type {any} */ (memory), place);
            if (Atomics.load(words, AT.state / 4) >= PLACE.taken) numbers.push(numberOf(words, place));
        }
        return numbers;
    }

    share() {
        return Object.freeze({ module: this.#module, memory: this.#core.alive(), version: VERSION });
    }

    /** The thread ends; the runtime lives on for the others. */
    end() {
        if (this.#core.gone === null) this.#core.call('qh_thread_end');
    }

    /* ------------------------------------------------------------ who knows what */

    /** @param {Adopt} adopt makes an agent of a handle and its configuration @param {Drop} drop */
    connect(adopt, drop) {
        this.#adopt = adopt;
        this.#drop = drop;
        this.agents.look = () => this.look();
    }

    /** Finds out which agents other threads made or freed. */
    look() {
        const core = this.#core;
        if (this.#looking || core.gone !== null) return;
        const changes = core.call('qh_changes');
        if (changes === this.#seen) return;
        this.#looking = true;
        try {
            if (this.#compare()) this.#seen = changes;
        } finally {
            this.#looking = false;
        }
    }

    /** Drops the agents that are gone, then adopts those that are new: names may pass from one to the other. False: one is just being made. */
    #compare() {
        const gone = new Map(this.agents);
        const made = this.#handles().filter((handle) => !gone.delete(handle));
        for (const agent of gone.values()) this.#drop(agent);
        let complete = true;
        for (const handle of made) {
            const config = this.#recall(handle, CONFIG);
            if (config === undefined) complete = false;
            else this.#adopt(handle, config);
        }
        return complete;
    }

    /** Of all agents there are. */
    #handles() {
        const handles = [];
        for (let i = 0; ; i++) {
            const handle = this.#core.read('qh_agent_at', i);
            if (handle < 0) return handles;
            if (handle > 0) handles.push(handle);
        }
    }

    /** Tells the other threads of an agent that this one has made, whose it was until now. @param {Agent} agent @param {number} handle */
    introduce(agent, handle) {
        const result = this.#leave(handle, CONFIG, agent.config);
        if (result >= 0) {
            this.#core.call('qh_agent_release', handle);
            return;
        }
        agent.free();
        throw this.#noMemory('createAgent()', this.#kit.codeOf(result));
    }

    /** @param {string} what failed @param {import('./errors.js').ErrorCode | undefined} code */
    #noMemory(what, code) {
        return new this.#kit.QhiveError(code ?? 'INVALID_STATE', `${what}: ${this.#kit.resourceProblem(this.#core, code)}`);
    }

    /** Tells the other threads what the safe zones are: the result. @param {{ zones: unknown[], triggers: unknown[] }} definitions */
    leaveZones(definitions) {
        return this.#leave(0, ZONES, definitions);
    }

    /** The safe zones that some thread froze; undefined: none. */
    zones() {
        return this.#recall(0, ZONES);
    }

    /** Leaves a text for the other threads: the result. @param {number} handle of an agent; 0: of the runtime @param {number} key @param {unknown} value */
    #leave(handle, key, value) {
        const core = this.#core;
        const bytes = new TextEncoder().encode(write(value));
        let result = core.call('qh_transfer_open', bytes.length);
        if (result >= 0)
            try {
                core.transferred().set(bytes);
                result = core.call('qh_note_set', handle, key, bytes.length);
            } finally {
                if (core.gone === null) core.call('qh_transfer_close');
            }
        return result;
    }

    /** What another thread left; undefined: nothing. @param {number} handle @param {number} key */
    #recall(handle, key) {
        const core = this.#core;
        const length = core.read('qh_note_get', handle, key);
        const code = this.#kit.codeOf(length);
        if (code !== undefined && code !== 'STALE_HANDLE') throw this.#noMemory('looking at what other threads made', code);
        if (length <= 0) return undefined;
        try {
            return read(new TextDecoder().decode(core.transferred().slice()));
        } finally {
            core.call('qh_transfer_close');
        }
    }

    /* ------------------------------------------------------------ claims */

    /** Why an agent is BUSY. @param {number} handle */
    busyWith(handle) {
        const owner = this.#core.call('qh_agent_owner', handle);
        if (owner === this.number) return 'the agent is in the middle of another call';
        if (owner <= 0) return this.#busy('another thread was using the agent, or holds a lock');
        return `thread ${owner} has the agent; it can be used when that thread has called release(), or, where it was terminated, after runtime.recover(${owner})`;
    }

    /** Why a room is BUSY. */
    get busyRoom() {
        return this.#busy('another thread holds the lock');
    }

    /** @param {string} why */
    #busy(why) {
        return `${why}; ${maySleep() ? 'call again' : 'this thread may not block: call again later, or wait with runtime.withLock()'}`;
    }

    /* ------------------------------------------------------------ waiting */

    /**
     * Calls `use` while this thread holds a lock, which it waits for without blocking. A thread waits for one lock and holds one at a time, so
     * its callers take turns.
     * @template T @param {unknown} name @param {() => T | Promise<T>} use @param {unknown} [options] @returns {Promise<T>}
     */
    async withLock(name, use, options) {
        const { invalid, number, object, oneOf } = this.#kit;
        const lock = LOCKS[/** @type {keyof typeof LOCKS} */ (oneOf('name', name, Object.keys(LOCKS)))];
        if (typeof use !== 'function') return invalid('use', 'a function', use);
        const given = options === undefined ? undefined : object('options', options).timeout;
        const timeout = given === undefined || given === Infinity ? Infinity : number('options.timeout', given, { min: 0 });
        const end = now() + timeout;
        const before = this.#queue;
        let leave = () => {};
        const turn = new Promise((resolve) => (leave = () => resolve(undefined)));
        this.#queue = Promise.all([before, turn]).then(() => undefined);
        try {
            if (!(await within(before, end - now())) || !(await this.#take(lock, end))) throw this.#timedOut(name, timeout);
            try {
                return await use();
            } finally {
                if (this.#core.gone === null) this.#core.call('qh_lock_release', lock);
            }
        } finally {
            leave();
        }
    }

    /** Takes a lock before `end`. @param {number} lock @param {number} end */
    async #take(lock, end) {
        const core = this.#core;
        for (const start = now(); ; ) {
            const result = core.call('qh_lock_enroll', lock, now() - start);
            if (result === 1) return true;
            if (result < 0) throw new this.#kit.QhiveError(this.#kit.codeOf(result) ?? 'INVALID_STATE', 'withLock(): there is no such room yet');
            const [address, wakes] = core.numbers;
            const left = end - now();
            if (left <= 0) {
                core.call('qh_lock_withdraw', lock);
                return false;
            }
            await woken(core.view(Int32Array, address, 1), wakes, Math.min(left, SLICE_MS));
        }
    }

    #timedOut(name, timeout) {
        return new this.#kit.QhiveError('BUSY', `withLock(): the lock '${name}' was not to be had within ${timeout} ms`);
    }

    /* ------------------------------------------------------------ the dead */

    /** Ends what a terminated thread was doing. @param {number} thread */
    recover(thread) {
        const { QhiveError, invalid } = this.#kit;
        const { all } = this;
        if (thread === this.number) throw new QhiveError('INVALID_ARGUMENT', `recover: thread ${thread} is this one, which is alive`);
        if (!all.includes(thread)) invalid('thread', `the number of a thread (there are ${all.join(', ')})`, thread);
        const core = this.#core;
        const result = core.call('qh_recover', thread);
        if (result < 0) throw new QhiveError(this.#kit.codeOf(result) ?? 'INVALID_STATE', `recover: ${this.busyRoom}`);
        const [released, repaired, , removed, rooms] = core.numbers;
        const reset = [];
        for (let handle = core.call('qh_recovered', 0); handle > 0; handle = core.call('qh_recovered', reset.length)) reset.push(handle);
        this.#seen = -1;
        const cleared = Object.entries(LOCKS).flatMap(([name, lock]) => ((rooms >> lock) & 1 ? [name] : []));
        const agents = reset.flatMap((handle) => Map.prototype.get.call(this.agents, handle) ?? []); // not looking: another dead may hold a lock
        return { released, repaired, reset: agents, removed, cleared };
    }
}

/** Milliseconds, only ever compared with each other. */
const now = () => globalThis.performance.now();

/** Whether a promise resolves within some milliseconds. @param {Promise<void>} promise @param {number} ms */
async function within(promise, ms) {
    if (ms > MOST_MS) return promise.then(() => true);
    /** @type {any} */
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(() => resolve(false), Math.max(0, ms))));
    try {
        return await Promise.race([promise.then(() => true), late]);
    } finally {
        clearTimeout(timer);
    }
}

/**
 * Resolves when this thread's word is not `wakes` any more, or after `ms`. No waiter is left behind: one that nobody awaits would take a
 * later wake-up. (A promise of Atomics.waitAsync does not keep Node running; a timer does.)
 * @param {Int32Array} words its word @param {number} wakes @param {number} ms
 */
async function woken(words, wakes, ms) {
    const wait = /** @type {any} */ (Atomics).waitAsync;
    if (typeof wait !== 'function') {
        await new Promise((resolve) => setTimeout(resolve, Math.min(ms, TICK_MS)));
        return;
    }
    const { async: waits, value } = wait(words, 0, wakes, ms);
    if (!waits) return;
    const alive = setInterval(() => {}, 2 ** 30);
    try {
        await value;
    } finally {
        clearInterval(alive);
    }
}
