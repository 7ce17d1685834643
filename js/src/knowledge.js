/**
 * The feature knowledge of a runtime: what is known of the functions that agents stand for. It lives in linear memory, once for all
 * agents; JavaScript keeps no copy. Features cross as packed bytes (src/shared/knowledge.h): a varint of flags, then eight
 * texts, each behind a varint of its length.
 *
 * Everything the caller gives is read before the core is called: no code of the caller runs in between.
 */
import { abi } from 'qhive:abi';
import { describe, integer, invalid, object, oneOf, string } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';
import { WORDS } from './words.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').Feature} Feature */
/** @typedef {import('../types/qhive.js').SearchHit} SearchHit */

const { io, size, limit } = abi;
const NONE = -1;
const DEFAULT_HITS = 10;
const MODES = Object.keys(abi.search);
const LISTS = /** @type {const} */ (['parameters', 'kpis', 'requires']);
const MAX_TEXT_BYTES = 64 * 2 ** 20;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Bits of an entry's flags: what was given, be it empty. */
const GIVEN = { description: 1, parameters: 2, kpis: 4, requires: 8, vector: 16 };

/* ---------------------------------------------------------------- reading and packing */

/** A well-formed string. @param {string} path @param {unknown} value @returns {string} */
function text(path, value) {
    const given = string(path, value);
    if (LONE_SURROGATE.test(given)) return invalid(path, 'a well-formed string (no lone surrogates)', given);
    return given;
}

/** The same, not empty, at most 4096 bytes as UTF-8. @param {string} path @param {unknown} value @returns {string} */
function label(path, value) {
    const given = text(path, value);
    if (given === '' || new TextEncoder().encode(given).length > size.text)
        return invalid(path, `a string of 1 to ${size.text} bytes as UTF-8`, given);
    return given;
}

/** @param {string} path @param {unknown} value @returns {string[]} */
function texts(path, value) {
    if (!Array.isArray(value)) return invalid(path, 'an array of strings', value);
    return Array.from(value, (item, i) => text(`${path}[${i}]`, item));
}

/** Exactly 64 finite numbers, as float32. @param {string} path @param {unknown} value */
function vector(path, value) {
    const { length } = Object(value);
    if (typeof value !== 'object' || length !== limit.vector) return invalid(path, `${limit.vector} numbers`, value);
    const copy = new Float32Array(limit.vector);
    for (let i = 0; i < copy.length; i++) {
        const x = /** @type {any} */ (value)[i];
        if (typeof x !== 'number' || !Number.isFinite(Math.fround(x))) invalid(`${path}[${i}]`, 'a finite (float32) number', x);
        copy[i] = x;
    }
    return copy;
}

/** Reads each property once. @param {string} path @param {unknown} value */
function readFeature(path, value) {
    const given = object(path, value);
    /** @type {any} */
    const feature = {
        code: label(`${path}.code`, given.code),
        name: label(`${path}.name`, given.name),
        category: label(`${path}.category`, given.category),
    };
    const { description, vector: own } = given;
    if (description !== undefined) feature.description = text(`${path}.description`, description);
    for (const list of LISTS) {
        const items = given[list];
        if (items !== undefined) feature[list] = texts(`${path}.${list}`, items);
    }
    if (own !== undefined) feature.vector = vector(`${path}.vector`, own);
    return feature;
}

/** Bytes that grow. */
class Packer {
    bytes = new Uint8Array(4096);
    length = 0;
    #encoder = new TextEncoder();

    /** @param {number} count */
    reserve(count) {
        if (this.length + count > MAX_TEXT_BYTES)
            throw new QhiveError('EXCEEDS_LIMIT', `features: more than ${MAX_TEXT_BYTES} bytes of text`);
        if (this.length + count <= this.bytes.length) return;
        const grown = new Uint8Array(Math.max(this.length + count, 2 * this.bytes.length));
        grown.set(this.bytes.subarray(0, this.length));
        this.bytes = grown;
    }

    /** @param {number} value */
    number(value) {
        this.reserve(5);
        for (; value >= 0x80; value >>>= 7) this.bytes[this.length++] = (value & 0x7f) | 0x80;
        this.bytes[this.length++] = value;
    }

    /** @param {Uint8Array} bytes */
    block(bytes) {
        this.number(bytes.length);
        this.reserve(bytes.length);
        this.bytes.set(bytes, this.length);
        this.length += bytes.length;
    }

    /** @param {string} value */
    text(value) {
        this.block(this.#encoder.encode(value));
    }

    get packed() {
        return this.bytes.subarray(0, this.length);
    }
}

/** @param {Packer} packer @param {any} feature */
function pack(packer, feature) {
    const flags = Object.entries(GIVEN).reduce((bits, [name, bit]) => (feature[name] === undefined ? bits : bits | bit), 0);
    packer.number(flags);
    for (const field of ['code', 'name', 'category', 'description']) packer.text(feature[field] ?? '');
    for (const list of LISTS) {
        const items = new Packer();
        for (const item of feature[list] ?? []) items.text(item);
        packer.block(items.packed);
    }
    packer.block(feature.vector ? new Uint8Array(feature.vector.buffer) : new Uint8Array(0));
}

/** The way back from packed bytes. */
class Unpacker {
    #bytes;
    #at = 0;
    #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

    /** @param {Uint8Array} bytes a copy */
    constructor(bytes) {
        this.#bytes = bytes;
    }

    number() {
        let value = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = this.#bytes[this.#at++];
            value |= (byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    }

    block() {
        const length = this.number();
        this.#at += length;
        return this.#bytes.subarray(this.#at - length, this.#at);
    }

    text() {
        return this.#decoder.decode(this.block());
    }

    list() {
        const items = new Unpacker(this.block());
        const list = [];
        while (items.#at < items.#bytes.length) list.push(items.text());
        return list;
    }

    /** @returns {Feature} */
    feature() {
        const flags = this.number();
        /** @type {any} */
        const feature = { code: this.text(), name: this.text(), category: this.text() };
        const description = this.text();
        if (flags & GIVEN.description) feature.description = description;
        for (const list of LISTS) {
            const items = this.list();
            if (flags & GIVEN[list]) feature[list] = items;
        }
        if (flags & GIVEN.vector) feature.vector = new Float32Array(this.block().slice().buffer);
        return feature;
    }
}

/* ---------------------------------------------------------------- the catalogue */

/** Ties an agent to the feature with this code, once the knowledge is frozen and has it. @type {(knowledge: FeatureKnowledge, handle: number, code: string) => void} */
export let tieTo;

export class FeatureKnowledge {
    /** @type {Core} */
    #core;
    #agents;

    /** @param {Core} core @param {Map<number, import('./agent.js').Agent>} agents alive, by handle */
    constructor(core, agents) {
        this.#core = core;
        this.#agents = agents;
    }

    static {
        tieTo = (knowledge, handle, code) => {
            const entry = knowledge.#find('feature', code);
            if (entry !== NONE && knowledge.frozen) knowledge.#check('freeze', knowledge.#core.call('qh_knowledge_tie', handle, entry));
        };
    }

    /** @param {Iterable<Feature>} features @param {{ words?: string }} [options] */
    load(features, options = {}) {
        this.#checkOpen('load');
        if (typeof features !== 'object' || features === null || typeof features[Symbol.iterator] !== 'function')
            invalid('features', 'an iterable of features', features);
        const { words = WORDS } = object('options', options);
        const packer = new Packer();
        packer.text(text('options.words', words));
        const codes = [];
        for (const feature of features) {
            const read = readFeature(`features[${codes.length}]`, feature);
            codes.push(read.code);
            pack(packer, read);
        }
        this.#checkOpen('load');
        if (codes.length === 0) return;
        const before = this.size;
        const [result, entry] = this.#lend('load', packer.packed, () => [this.#core.call('qh_knowledge_add'), this.#core.numbers[0]]);
        if (codeOf(result) === 'INVALID_ARGUMENT') {
            const at = entry - before;
            throw new QhiveError('INVALID_ARGUMENT', `features[${at}].code must be unique; ${describe(codes[at])} is there already`);
        }
        this.#check('load', result);
    }

    freeze() {
        this.#checkOpen('freeze');
        this.#check('freeze', this.#core.call('qh_knowledge_end'));
        for (const [handle, { config }] of this.#agents) if (config.feature !== undefined) tieTo(this, handle, config.feature);
    }

    /** Gives the catalogue back. */
    free() {
        this.#core.alive();
        const result = this.#core.call('qh_knowledge_drop');
        if (codeOf(result) === 'BUSY')
            throw new QhiveError('BUSY', `knowledge.free: ${this.references} agents are tied to its features; free them first`);
        this.#check('free', result);
    }

    get size() {
        return this.#info()[0];
    }

    get frozen() {
        return this.#info()[1] === 1;
    }

    /** Agents tied to a feature. */
    get references() {
        return this.#info()[2];
    }

    get bytes() {
        return this.#info()[3];
    }

    /** @param {string} code @returns {Feature | undefined} */
    get(code) {
        const entry = this.#find('code', code);
        return entry === NONE ? undefined : this.#feature(entry);
    }

    /**
     * @param {string | ArrayLike<number>} query
     * @param {{ k?: number, category?: string, mode?: 'fused' | 'lexical' | 'vector' }} [options]
     * @returns {SearchHit[]}
     */
    search(query, options = {}) {
        this.#core.alive();
        const { k = DEFAULT_HITS, category, mode = 'fused' } = object('options', options);
        integer('options.k', k, 0, limit.hits);
        oneOf('options.mode', mode, MODES);
        const group = category === undefined ? '' : label('options.category', category);
        if (typeof query !== 'string') {
            const values = vector('query', query);
            this.#core.alive();
            if (this.#core.observation.length === 0) this.#core.refresh();
            this.#core.observation.set(values);
            return this.#hits(k, mode, group);
        }
        const bytes = new TextEncoder().encode(query);
        if (bytes.length === 0 || k === 0 || this.size === 0) return [];
        return this.#lend('search', bytes, () => this.#hits(k, mode, group));
    }

    /** The features most like a feature, itself first. @param {string} code @param {number} k @returns {SearchHit[]} */
    nearest(code, k = DEFAULT_HITS) {
        integer('k', k, 0, limit.hits);
        const entry = this.#find('code', code);
        if (entry === NONE) throw new QhiveError('INVALID_ARGUMENT', `nearest: there is no feature with the code ${describe(code)}`);
        return this.#hits(k, 'vector', '', entry);
    }

    /** @param {string[]} codes @returns {string[]} */
    activationOrder(codes) {
        this.#core.alive();
        const wanted = texts('codes', codes).map((code, i) => {
            const entry = this.#find(`codes[${i}]`, code);
            if (entry === NONE) throw new QhiveError('INVALID_ARGUMENT', `codes[${i}]: there is no feature with the code ${describe(code)}`);
            return entry;
        });
        if (wanted.length === 0) return [];
        const room = new Uint32Array(wanted.length + this.size);
        room.set(wanted);
        return this.#lend('activationOrder', new Uint8Array(room.buffer), (address) => {
            const count = this.#core.call('qh_knowledge_activation', wanted.length);
            const [cycle, entry, missing, length] = this.#core.numbers;
            const codesOf = (/** @type {number} */ n) => {
                const entries = this.#core.view(Uint32Array, address + 4 * wanted.length, n);
                return Array.from(entries, (found) => this.#feature(found).code);
            };
            if (codeOf(count) !== 'INVALID_ARGUMENT') return codesOf(this.#check('activationOrder', count));
            if (cycle > 0) {
                const path = codesOf(cycle);
                throw new QhiveError('INVALID_ARGUMENT', `activationOrder: the prerequisites form a cycle: ${[...path, path[0]].join(' -> ')}`);
            }
            const code = new TextDecoder().decode(this.#core.view(Uint8Array, missing, length).slice());
            const { code: needing } = this.#feature(entry);
            throw new QhiveError('INVALID_ARGUMENT', `activationOrder: ${describe(needing)} needs ${describe(code)}, of which nothing is known`);
        });
    }

    /* ------------------------------------------------------------ helpers */

    /** Entries, whether it is frozen, agents tied to it, bytes. */
    #info() {
        this.#core.read('qh_knowledge_info');
        return this.#core.numbers;
    }

    /** @param {string} method */
    #checkOpen(method) {
        if (this.frozen) throw new QhiveError('INVALID_STATE', `knowledge.${method}: the knowledge is frozen`);
    }

    /** @param {string} method @param {number} result */
    #check(method, result) {
        if (result >= 0) return result;
        const code = codeOf(result) ?? 'INVALID_STATE';
        throw new QhiveError(code, `knowledge.${method}: ${resourceProblem(this.#core, code)}`);
    }

    /**
     * Lends the core a buffer of bytes for a call.
     * @template T @param {string} method @param {Uint8Array} bytes @param {(address: number) => T} use @returns {T}
     */
    #lend(method, bytes, use) {
        this.#check(method, this.#core.call('qh_transfer_open', bytes.length));
        const [address] = this.#core.numbers;
        try {
            this.#core.view(Uint8Array, address, bytes.length).set(bytes);
            return use(address);
        } finally {
            if (this.#core.gone === null) this.#core.call('qh_transfer_close');
        }
    }

    /** Puts a label where the core reads it: its length. @param {string} value */
    #write(value) {
        const bytes = new TextEncoder().encode(value);
        if (bytes.length > size.text) return 0;
        this.#core.view(Uint8Array, this.#core.base + io.text, size.text).set(bytes);
        return bytes.length;
    }

    /** The entry with a code, or NONE. @param {string} path @param {unknown} code */
    #find(path, code) {
        this.#core.alive();
        const given = string(path, code);
        const length = LONE_SURROGATE.test(given) ? 0 : this.#write(given);
        return length === 0 ? NONE : this.#core.read('qh_knowledge_entry', length);
    }

    /** @param {number} entry */
    #feature(entry) {
        this.#check('get', this.#core.call('qh_knowledge_source', entry));
        const [address, length] = this.#core.numbers;
        return new Unpacker(this.#core.view(Uint8Array, address, length).slice()).feature();
    }

    /** Runs a search and reads what it found. @param {number} k @param {string} mode @param {string} category @param {number} like */
    #hits(k, mode, category, like = NONE) {
        const count = this.#check('search', this.#core.call('qh_knowledge_hits', k, abi.search[mode], this.#write(category), like));
        const entries = this.#core.copyCounts(count);
        const scores = this.#core.copyValues(count);
        return Array.from(entries, (entry, i) => {
            const { code, name, category: group } = this.#feature(entry);
            return { code, name, category: group, score: scores[i] };
        });
    }
}
