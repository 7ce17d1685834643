/**
 * One instance of the module: its exports, its memory, the views of its exchange buffer, and whether it can still be used.
 *
 * Views: growth of the memory detaches every view, which then has length 0. Views are therefore kept, and made
 * anew where that length is found; nothing may hold one across a call of the module.
 *
 * Death: a trap (or a stack overflow) inside the module can leave its data half-written, so the instance is given up: every
 * function is replaced by one that throws. `dispose` does the same with another error and lets the memory go.
 *
 * The functions of the hot paths are fields: reading one costs less than looking it up in the exports.
 */
import { abi } from 'qhive:abi';
import { codeOf, QhiveError } from './errors.js';

const { io, size, limit } = abi;
const NO_FLOATS = new Float32Array(0);

/** @typedef {import('./agent.js').Agent} Agent */

export class Core {
    /**
     * @param {Record<string, any>} exports of the instance
     * @param {WebAssembly.Memory} memory
     */
    constructor(exports, memory) {
        this.exports = exports;
        this.memory = /** @type {WebAssembly.Memory | null} */ (memory);
        /** Why it cannot be used any more, or null. @type {QhiveError['code'] | null} */
        this.gone = null;
        this.cause = /** @type {unknown} */ (undefined);
        /** The feature knowledge, which the runtime puts here. @type {import('./knowledge.js').FeatureKnowledge | null} */
        this.knowledge = null;
        /** Told of objects that nobody freed, where that is wanted. @type {import('./leaks.js').LeakWatch | null} */
        this.leaks = null;
        /** In a runtime with threads: what else there is. @type {import('./threads.js').Threads | null} */
        this.threads = null;
        /** Counts the observations written, by which a nested call is noticed. */
        this.writes = 0;
        this.actOn = exports.qh_act;
        this.beginOn = exports.qh_begin;
        this.stepOn = exports.qh_step;
        this.learnOn = exports.qh_learn;
        this.batchBegin = exports.qh_batch_begin_all;
        this.batchStep = exports.qh_batch_step_all;
        this.batchAct = exports.qh_batch_act_all;
        this.searchIndex = exports.qh_index_search;
        /** The exchange buffer: of the state, of the next state, of the mask. */
        this.observation = NO_FLOATS;
        this.next = NO_FLOATS;
        this.mask = new Uint32Array(0);
        this.numbersView = new Float64Array(0);
        this.base = exports.qh_io_address() >>> 0;
        this.refresh();
    }

    /** Makes the views anew. */
    refresh() {
        const buffer = this.alive().buffer;
        this.observation = new Float32Array(buffer, this.base + io.observation, limit.dims);
        this.next = new Float32Array(buffer, this.base + io.next, limit.dims);
        this.mask = new Uint32Array(buffer, this.base + io.mask, limit.actions / 32);
        this.numbersView = new Float64Array(buffer, this.base + io.numbers, size.numbers);
    }

    /** The memory, if the instance can be used. */
    alive() {
        if (this.gone !== null || this.memory === null) throw this.unusable();
        return this.memory;
    }

    /** What the last call left in the bulk numbers; valid until the next call. */
    get numbers() {
        if (this.numbersView.length === 0) this.refresh();
        return this.numbersView;
    }

    /** The float values (one an action or dimension) of the last call, copied. @param {number} count */
    copyValues(count) {
        return this.view(Float32Array, this.base + io.values, count).slice();
    }

    /** The counts of the last call, copied. @param {number} count */
    copyCounts(count) {
        return this.view(Uint32Array, this.base + io.counts, count).slice();
    }

    /**
     * A view of memory that the core has told of. Another thread may have grown the memory to there, which this thread's buffer need not show
     * yet: growing by nothing makes it look.
     * @template {Float32Array | Float64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array} T
     * @param {{ new (buffer: ArrayBuffer, offset: number, length: number): T, BYTES_PER_ELEMENT: number }} type
     * @param {number} address @param {number} count
     */
    view(type, address, count) {
        const memory = this.alive();
        if (address + count * type.BYTES_PER_ELEMENT > memory.buffer.byteLength) memory.grow(0);
        return new type(memory.buffer, address, count);
    }

    /** The bytes of the transfer buffer that the last call opened: a view, valid until the next call. */
    transferred() {
        const [address, byteCount] = this.numbers;
        return this.view(Uint8Array, address, byteCount);
    }

    /** A string of the module's static data. @param {number} address */
    staticText(address) {
        const bytes = new Uint8Array(this.alive().buffer, address >>> 0);
        let text = '';
        for (let i = 0; i < 64 && bytes[i] > 0; i++) text += String.fromCharCode(bytes[i]);
        return text;
    }

    /** Calls any export but the hot ones. @param {string} name @param {number[]} args @returns {number} */
    call(name, ...args) {
        this.alive();
        try {
            return this.exports[name](...args);
        } catch (error) {
            throw this.trapped(error);
        }
    }

    /** The same for what can fail only where another thread holds a lock. @param {string} name @param {number[]} args @returns {number} */
    read(name, ...args) {
        const result = this.call(name, ...args);
        if (this.threads !== null && codeOf(result) === 'BUSY') throw new QhiveError('BUSY', this.threads.busyRoom);
        return result;
    }

    /** The error to throw when a call of the module threw: the instance is given up. @param {unknown} error */
    trapped(error) {
        if (this.gone !== null) return error;
        this.giveUp('INVALID_STATE', error);
        return this.unusable();
    }

    dispose() {
        this.giveUp('STALE_HANDLE', undefined);
        this.memory = null;
        this.exports = {};
    }

    /** @param {QhiveError['code']} code @param {unknown} cause */
    giveUp(code, cause) {
        this.gone = code;
        this.cause = cause;
        const unusable = () => {
            throw this.unusable();
        };
        this.actOn = this.beginOn = this.stepOn = this.learnOn = unusable;
        this.batchBegin = this.batchStep = this.batchAct = this.searchIndex = unusable;
        this.observation = this.next = NO_FLOATS;
        this.mask = new Uint32Array(0);
        this.numbersView = new Float64Array(0);
    }

    unusable() {
        if (this.gone === 'STALE_HANDLE') return new QhiveError('STALE_HANDLE', 'the runtime was disposed');
        return new QhiveError(
            'INVALID_STATE',
            `the runtime is dead: its module stopped in the middle of a call (${reasonOf(this.cause)}). Create a new runtime`,
            this.cause,
        );
    }

    /** The code behind a NaN result, undefined where NaN is the value itself. */
    codeOfNaN() {
        const code = codeOf(this.numbers[0]);
        this.numbers[0] = 0;
        return code;
    }
}

/** Firefox throws strings. @param {unknown} error */
export const reasonOf = (error) => (error instanceof Error ? error.message : String(error));
