/**
 * A vector index as JavaScript sees it: a handle, and the views of the block through which queries and results cross.
 *
 * search runs often: with a Float32Array it allocates nothing but its result. Code of the caller (a filter, a getter of an array-like)
 * runs before anything is written, and what it may have done to the index is looked at afterwards.
 */
import { abi } from 'qhive:abi';
import { idOf } from './agent.js';
import { boolean, describe, integer, invalid, number, object, oneOf, optional } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';
import { forgetLeak, watchLeak } from './leaks.js';
import { inSlices, now, paced } from './slices.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').IndexOptions} IndexOptions */
/** @typedef {import('../types/qhive.js').IndexSearchOptions} IndexSearchOptions */

const { limit, metric: METRICS, storage: STORAGES, walk: WALKS } = abi;
const MAX_UINT32 = 2 ** 32 - 1;
const MAX_RESULTS = 2 ** 28;
const LARGEST = 1e17;
const DEFAULT_EF = 64;
const NO_FILTER = 0;
const OWN_BITS = 1;
const ANY_CATEGORY = -1;
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');
const NO_FLOATS = new Float32Array(0);
const NO_INTEGERS = new Uint32Array(0);

/** @type {Required<{ ef: number, mode: number, filter: any, category: number }>} */
const PLAIN = Object.freeze({ ef: DEFAULT_EF, mode: WALKS.chosen, filter: undefined, category: ANY_CATEGORY });

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

/** A typed array of this kind, whichever realm it is from. */
function typed(name, value, tag) {
    return ArrayBuffer.isView(value) && tagOf(value) === tag ? /** @type {any} */ (value) : invalid(name, `a ${tag}`, value);
}

/* ---------------------------------------------------------------- making one */

/** @param {unknown} value @returns {Readonly<Required<IndexOptions>> & { seed: number | undefined }} */
function readIndexOptions(value) {
    const { dims, metric, m, efConstruction, quantization, rerank, seed } = object('options', value);
    const options = {
        dims: integer('options.dims', dims, 1, limit.index_dims),
        metric: optional(metric, 'cosine', (v) => oneOf('options.metric', v, ['cosine', 'l2', 'ip'])),
        m: optional(m, 16, (v) => integer('options.m', v, 2, limit.index_m)),
        efConstruction: optional(efConstruction, 200, (v) => integer('options.efConstruction', v, 1, limit.index_ef)),
        quantization: optional(quantization, 'f32', (v) => oneOf('options.quantization', v, ['f32', 'i8'])),
        rerank: optional(rerank, true, (v) => boolean('options.rerank', v)),
        seed: optional(seed, undefined, (v) => integer('options.seed', v, 0, Number.MAX_SAFE_INTEGER)),
    };
    if (!options.rerank && options.quantization === 'f32') invalid('options.rerank', "true where quantization is 'f32'", false);
    return /** @type {any} */ (options);
}

const storageOf = ({ quantization, rerank }) => STORAGES[quantization === 'i8' && !rerank ? 'i8-only' : quantization];

/** @param {Core} core @param {unknown} given */
export function createIndex(core, given) {
    core.alive();
    const options = readIndexOptions(given);
    const { dims, metric, m, efConstruction, seed } = options;
    const halves = seed === undefined ? [0, 0, 0] : [seed >>> 0, Math.floor(seed / 2 ** 32), 1];
    const handle = core.call('qh_index_create', dims, METRICS[metric], m, efConstruction, storageOf(options), ...halves);
    if (handle < 0) throw resourceError(core, 'createIndex()', handle);
    return new VectorIndex(core, handle);
}

/** @param {Core} core @param {unknown} bytes */
export function importIndex(core, bytes) {
    core.alive();
    const given = typed('bytes', bytes, 'Uint8Array');
    if (given.length === 0) throw new QhiveError('CORRUPT', 'importIndex(): there are no bytes');
    const opened = core.call('qh_transfer_open', given.length);
    if (opened < 0) throw resourceError(core, 'importIndex()', opened);
    let handle;
    try {
        core.transferred().set(given);
        handle = core.call('qh_index_read');
    } finally {
        if (core.gone === null) core.call('qh_transfer_close');
    }
    if (handle > 0) return new VectorIndex(core, handle);
    const code = codeOf(handle);
    if (code === 'CORRUPT') throw new QhiveError(code, 'importIndex(): the bytes are damaged, or are no index');
    if (code === 'VERSION') throw new QhiveError(code, 'importIndex(): the bytes are of a format this version does not read');
    throw resourceError(core, 'importIndex()', handle);
}

function resourceError(core, where, result) {
    const code = codeOf(result);
    const problem = code === 'UNSUPPORTED' ? 'this build of the module has no vector indexes' : resourceProblem(core, code);
    return new QhiveError(code ?? 'INVALID_STATE', `${where}: ${problem}`);
}

/* ---------------------------------------------------------------- filters */

/** The handle behind a filter of an index, 0 when it was freed; undefined for anything else. @type {(value: unknown, index: VectorIndex) => number | undefined} */
let filterHandleOf;

/** A set of rows of a frozen index. While it is there the index cannot be freed. */
export class IndexFilter {
    /** @type {Core} */
    #core;
    #index;
    #handle;

    /** @param {Core} core @param {VectorIndex} index @param {number} handle @param {number} allowed */
    constructor(core, index, handle, allowed) {
        this.#core = core;
        this.#index = index;
        this.#handle = handle;
        this.allowed = allowed;
        Object.defineProperty(this, 'allowed', { writable: false });
        watchLeak(core.leaks, this, `a filter of index-${index.id}`);
    }

    static {
        filterHandleOf = (value, index) =>
            typeof value === 'object' && value !== null && #index in value && value.#index === index ? value.#handle : undefined;
    }

    free() {
        this.#core.alive();
        if (this.#handle === 0) throw new QhiveError('STALE_HANDLE', 'the filter was freed');
        this.#core.call('qh_index_destroy', this.#handle);
        this.#handle = 0;
        forgetLeak(this.#core.leaks, this);
    }

    /** Frees the filter unless that was done. */
    [DISPOSE]() {
        if (this.#handle !== 0 && this.#core.gone === null) this.free();
    }
}

/* ---------------------------------------------------------------- the index */

export class VectorIndex {
    /** @type {Core} */
    #core;
    #handle;
    #dims;
    #size = 0;
    #frozen = false;
    #perStep = 8;
    /** Room of the exchange: results a query, rows for which it has bits (-1: none); and where it lies. */
    #room = 0;
    #bitRows = -1;
    #addresses = [0, 0, 0, 0];
    #query = NO_FLOATS;
    #labels = NO_INTEGERS;
    #distances = NO_FLOATS;

    /** @param {Core} core @param {number} handle */
    constructor(core, handle) {
        this.#core = core;
        this.#handle = handle;
        const [size, , frozen, , , , dims, metric, m, efConstruction, storage, low, high] = this.#info();
        this.#dims = dims;
        this.#size = size;
        this.#frozen = frozen === 1;
        this.id = idOf(handle);
        this.options = Object.freeze({
            dims,
            metric: Object.keys(METRICS)[metric],
            m,
            efConstruction,
            quantization: storage === STORAGES.f32 ? 'f32' : 'i8',
            rerank: storage !== STORAGES['i8-only'],
            seed: high < 2 ** 21 ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low),
        });
        for (const name of ['id', 'options']) Object.defineProperty(this, name, { writable: false });
        watchLeak(core.leaks, this, `index-${this.id}`);
    }

    get size() {
        this.#check();
        return this.#size;
    }

    get frozen() {
        this.#check();
        return this.#frozen;
    }

    get bytes() {
        return this.#info()[3];
    }

    get progress() {
        const [size, built] = this.#info();
        return { built, size, done: built === size };
    }

    /* ------------------------------------------------------------ building */

    /** @param {number} label @param {ArrayLike<number>} vector @param {{ category?: number }} [options] */
    add(label, vector, options) {
        this.#check();
        integer('label', label, 0, MAX_UINT32);
        const category = options === undefined ? 0 : this.#readCategory(object('options', options).category);
        const row = this.#readVector(vector);
        this.#addRows('add', row, 1, (labels, categories) => {
            labels[0] = label;
            categories[0] = category;
        });
    }

    /**
     * @param {Float32Array} vectors
     * @param {number | Uint32Array} [labels] the first, or all
     * @param {{ category?: number, categories?: Uint16Array }} [options]
     */
    addAll(vectors, labels, options) {
        this.#check();
        const rows = typed('vectors', vectors, 'Float32Array');
        const count = this.#countRows(rows);
        const given = labels === undefined ? this.#size : labels;
        const first = typeof given === 'number' ? integer('firstLabel', given, 0, MAX_UINT32) : undefined;
        if (first === undefined) this.#checkLength('labels', typed('labels', given, 'Uint32Array'), count);
        else if (first + count - 1 > MAX_UINT32) invalid('firstLabel', `at most ${MAX_UINT32} less the number of vectors`, first);
        const { category, categories } = options === undefined ? /** @type {any} */ ({}) : object('options', options);
        const all = this.#readCategory(category);
        if (categories !== undefined) this.#checkLength('options.categories', typed('options.categories', categories, 'Uint16Array'), count);
        if (count === 0) return;
        this.#addRows('addAll', rows, count, (labelView, categoryView) => {
            if (first === undefined) labelView.set(/** @type {any} */ (given));
            else for (let i = 0; i < count; i++) labelView[i] = first + i;
            if (categories !== undefined) categoryView.set(categories);
            else if (all !== 0) categoryView.fill(all);
        });
    }

    /** @param {number} ms */
    buildStep(ms) {
        this.#check();
        number('ms', ms, { min: 0 });
        const end = now() + ms;
        for (;;) {
            const start = now();
            const built = this.#core.call('qh_index_insert', this.#handle, this.#perStep);
            if (built < 0) throw this.#buildError('buildStep()', built);
            const time = now();
            this.#perStep = paced(this.#perStep, time - start);
            if (built === this.#size || time >= end) return { built, size: this.#size, done: built === this.#size };
        }
    }

    /** @param {{ sliceMs?: number, onProgress?: (progress: { built: number, size: number, done: boolean }) => void, signal?: AbortSignal }} [options] */
    async build(options) {
        await inSlices(options, (ms) => this.buildStep(ms));
    }

    /** @param {{ onProgress?: (progress: { built: number, size: number, done: boolean }) => void }} [options] */
    freeze(options) {
        this.#check();
        const onProgress = options === undefined ? undefined : object('options', options).onProgress;
        if (onProgress !== undefined && !this.#frozen)
            for (let done = false; !done; ) {
                const progress = this.buildStep(50);
                done = progress.done;
                onProgress(progress);
            }
        this.#check();
        const result = this.#core.call('qh_index_end', this.#handle);
        if (result < 0) throw this.#buildError('freeze()', result);
        this.#frozen = true;
    }

    /* ------------------------------------------------------------ searching */

    /** @param {ArrayLike<number>} vector @param {number} k @param {IndexSearchOptions} [options] */
    search(vector, k, options) {
        this.#check();
        const { ef, mode, filter, category } = options === undefined ? PLAIN : this.#readSearchOptions(options);
        integer('k', k, 1, MAX_UINT32);
        const query = this.#readVector(vector);
        const bits = typeof filter === 'function' ? this.#judge(filter) : undefined;
        const most = Math.max(1, Math.min(k, this.#size));
        this.#makeRoom(1, most, bits !== undefined || category !== ANY_CATEGORY);
        this.#query.set(query);
        const found = this.#run('search', 1, most, ef, mode, this.#narrow(filter, bits), category);
        return { labels: copyLabels(this.#labels, found), distances: copyDistances(this.#distances, found) };
    }

    /** @param {Float32Array} vectors @param {number} k @param {IndexSearchOptions} [options] */
    searchAll(vectors, k, options) {
        this.#check();
        const { ef, mode, filter, category } = options === undefined ? PLAIN : this.#readSearchOptions(options);
        const queries = typed('vectors', vectors, 'Float32Array');
        const count = this.#countRows(queries);
        integer('k', k, 1, MAX_UINT32);
        if (count * k > MAX_RESULTS) throw new QhiveError('OVERFLOW', `searchAll(): ${count} vectors with ${k} results each are too many at once`);
        const bits = typeof filter === 'function' ? this.#judge(filter) : undefined;
        const results = { labels: new Uint32Array(count * k).fill(MAX_UINT32), distances: new Float32Array(count * k).fill(Infinity) };
        if (count === 0) return results;
        const most = Math.max(1, Math.min(k, this.#size));
        try {
            this.#makeRoom(count, most, bits !== undefined || category !== ANY_CATEGORY);
            this.#checkLength('vectors', queries, count * this.#dims);
            this.#query.set(queries);
            this.#run('searchAll', count, most, ef, mode, this.#narrow(filter, bits), category);
            for (let i = 0; i < count; i++) {
                results.labels.set(this.#labels.subarray(i * most, (i + 1) * most), i * k);
                results.distances.set(this.#distances.subarray(i * most, (i + 1) * most), i * k);
            }
        } finally {
            this.#closeRoom();
        }
        return results;
    }

    /** @param {((label: number) => boolean) | Iterable<number>} allowed */
    filter(allowed) {
        this.#check();
        if (!this.#frozen) throw new QhiveError('INVALID_STATE', 'filter(): the index is not frozen yet');
        const bits = this.#judge(typeof allowed === 'function' ? allowed : containedIn(allowed));
        this.#makeRoom(1, Math.max(1, this.#room), true);
        this.#core.view(Uint32Array, this.#addresses[3], bits.length).set(bits);
        const handle = this.#core.call('qh_index_filter', this.#handle);
        if (handle < 0) throw resourceError(this.#core, 'filter()', handle);
        return new IndexFilter(this.#core, this, handle, this.#core.numbers[0]);
    }

    /* ------------------------------------------------------------ the rest of life */

    export() {
        this.#check();
        const result = this.#core.call('qh_index_write', this.#handle);
        if (codeOf(result) === 'INVALID_STATE') throw new QhiveError('INVALID_STATE', 'export(): the index is not frozen yet');
        if (result < 0) throw resourceError(this.#core, 'export()', result);
        try {
            return this.#core.transferred().slice();
        } finally {
            this.#core.call('qh_transfer_close');
        }
    }

    free() {
        this.#check();
        const result = this.#core.call('qh_index_destroy', this.#handle);
        if (result < 0) throw new QhiveError(codeOf(result) ?? 'INVALID_STATE', `free(): the index is held by ${this.#info()[4]} filters; free them first`);
        this.#handle = 0;
        forgetLeak(this.#core.leaks, this);
        this.#query = this.#distances = NO_FLOATS;
        this.#labels = NO_INTEGERS;
    }

    /** Frees the index unless that was done. */
    [DISPOSE]() {
        if (this.#handle !== 0 && this.#core.gone === null) this.free();
    }

    /* ------------------------------------------------------------ arguments */

    #check() {
        if (this.#core.gone !== null) throw this.#core.unusable();
        if (this.#handle === 0) throw new QhiveError('STALE_HANDLE', 'the index was freed');
    }

    #info() {
        this.#check();
        this.#core.read('qh_index_info', this.#handle);
        return this.#core.numbers;
    }

    /** The vector as floats: itself, or a copy where it is no Float32Array. */
    #readVector(vector) {
        const dims = this.#dims;
        if (vector instanceof Float32Array && vector.length === dims) return vector;
        if (typeof vector !== 'object' || vector === null || vector.length !== dims) return invalid('vector', `${dims} numbers`, vector);
        const copy = new Float32Array(dims);
        for (let i = 0; i < dims; i++) {
            const x = vector[i];
            if (typeof x !== 'number') invalid(`vector[${i}]`, 'a number', x);
            copy[i] = x;
        }
        this.#check();
        return copy;
    }

    #countRows(vectors) {
        const count = vectors.length / this.#dims;
        if (!Number.isInteger(count)) invalid('vectors', `a multiple of ${this.#dims} numbers`, vectors);
        return count;
    }

    #checkLength(name, array, length) {
        if (array.length !== length) throw new QhiveError('INVALID_ARGUMENT', `${name} must have ${length} elements, not ${array.length}`);
    }

    #readCategory(category) {
        return optional(category, 0, (v) => integer('options.category', v, 0, limit.category));
    }

    /** @param {unknown} options */
    #readSearchOptions(options) {
        const { ef, exact, filter, category } = object('options', options);
        const exactly = optional(exact, undefined, (v) => boolean('options.exact', v));
        if (filter !== undefined && typeof filter !== 'function') this.#readFilter(filter);
        return {
            ef: optional(ef, DEFAULT_EF, (v) => integer('options.ef', v, 1, limit.index_ef)),
            mode: exactly === undefined ? WALKS.chosen : exactly ? WALKS.scan : WALKS.graph,
            filter,
            category: optional(category, ANY_CATEGORY, (v) => integer('options.category', v, 0, limit.category)),
        };
    }

    #readFilter(filter) {
        const handle = filterHandleOf(filter, this);
        if (handle === undefined) return invalid('options.filter', 'a function, or a filter of this index', filter);
        if (handle === 0) throw new QhiveError('STALE_HANDLE', 'options.filter was freed');
        return handle;
    }

    /** One bit a row, by what the predicate says of its label. */
    #judge(predicate) {
        const size = this.#size;
        const frozen = this.#frozen;
        const labels = this.#core.view(Uint32Array, this.#info()[5], size).slice();
        const bits = new Uint32Array((size + 31) >>> 5);
        for (let row = 0; row < size; row++) if (predicate(labels[row])) bits[row >>> 5] |= 1 << (row & 31);
        this.#check();
        if (this.#size !== size || this.#frozen !== frozen) throw new QhiveError('BUSY', 'the filter changed the index that was to be searched');
        return bits;
    }

    /** What `qh_index_search` is told of the filter; its own bits are written. */
    #narrow(filter, bits) {
        if (filter === undefined) return NO_FILTER;
        if (bits === undefined) return this.#readFilter(filter);
        this.#core.view(Uint32Array, this.#addresses[3], bits.length).set(bits);
        return OWN_BITS;
    }

    /* ------------------------------------------------------------ crossing */

    #addRows(method, rows, count, writeBeside) {
        const core = this.#core;
        const { length } = rows;
        const result = core.call('qh_index_room', this.#handle, count);
        if (result < 0) throw this.#buildError(`${method}()`, result);
        const [vectorsAt, labelsAt, categoriesAt, stride] = core.numbers;
        this.#checkLength('vectors', rows, length);
        const vectors = core.view(Float32Array, vectorsAt, count * stride);
        const labels = core.view(Uint32Array, labelsAt, count);
        if (stride === this.#dims) vectors.set(rows);
        else for (let i = 0; i < count; i++) vectors.set(rows.subarray(i * this.#dims, (i + 1) * this.#dims), i * stride);
        writeBeside(labels, core.view(Uint16Array, categoriesAt, count));
        const added = core.call('qh_index_add', this.#handle, count);
        if (added < 0) throw this.#rowError(method, rows, count, labels, core.numbers[0]);
        this.#size += count;
    }

    #rowError(method, rows, count, labels, row) {
        const where = count === 1 ? `${method}()` : `${method}(): vector ${row}`;
        const problem = valueProblem(rows, row * this.#dims, this.#dims);
        return new QhiveError('INVALID_ARGUMENT', problem === undefined ? `${where}: the label ${labels[row]} is there already` : `${where}: ${problem}`);
    }

    /** Room for queries and results, and views onto it that are not detached. */
    #makeRoom(count, k, withBits) {
        const fits = count === 1 && k <= this.#room && (!withBits || this.#bitRows === this.#size);
        if (!fits) {
            const result = this.#core.call('qh_index_exchange_open', this.#handle, count, k, withBits ? 1 : 0);
            if (result < 0) throw resourceError(this.#core, 'search', result);
            this.#addresses = Array.from(this.#core.numbers.subarray(0, 4));
            this.#room = k;
            this.#bitRows = withBits ? this.#size : -1;
        }
        if (fits && this.#query.length !== 0) return;
        const core = this.#core;
        const [query, labels, distances] = this.#addresses;
        this.#query = core.view(Float32Array, query, count * this.#dims);
        this.#labels = core.view(Uint32Array, labels, count * this.#room);
        this.#distances = core.view(Float32Array, distances, count * this.#room);
    }

    #closeRoom() {
        this.#room = 0;
        this.#query = NO_FLOATS;
        if (this.#core.gone === null) this.#core.call('qh_index_exchange_open', this.#handle, 0, 0, 0);
    }

    /** Searches for what is in the exchange: how many were found for the last query. A growth of memory detaches the views. */
    #run(method, count, k, ef, mode, filter, category) {
        const core = this.#core;
        let found;
        try {
            found = core.searchIndex(this.#handle, count, k, ef, mode, filter, category);
        } catch (error) {
            throw core.trapped(error);
        }
        if (found < 0) throw this.#searchError(method, count, found);
        if (this.#labels.length === 0) this.#refreshResults(count);
        return found;
    }

    #refreshResults(count) {
        const [, labels, distances] = this.#addresses;
        this.#labels = this.#core.view(Uint32Array, labels, count * this.#room);
        this.#distances = this.#core.view(Float32Array, distances, count * this.#room);
        this.#query = NO_FLOATS;
    }

    #searchError(method, count, result) {
        const row = this.#core.numbers[0];
        if (codeOf(result) !== 'INVALID_ARGUMENT') return resourceError(this.#core, `${method}()`, result);
        const queries = this.#core.view(Float32Array, this.#addresses[0], count * this.#dims);
        const where = count === 1 ? `${method}()` : `${method}(): vector ${row}`;
        return new QhiveError('INVALID_ARGUMENT', `${where}: ${valueProblem(queries, row * this.#dims, this.#dims)}`);
    }

    #buildError(where, result) {
        if (codeOf(result) === 'INVALID_STATE') return new QhiveError('INVALID_STATE', `${where}: the index is frozen`);
        return resourceError(this.#core, where, result);
    }
}

/** What is wrong with a row of floats. */
function valueProblem(rows, start, dims) {
    for (let i = 0; i < dims; i++) {
        const x = rows[start + i];
        if (!(Math.abs(x) <= LARGEST)) return `value ${i} must be a finite number of at most ${LARGEST} in size, not ${describe(x)}`;
    }
    return undefined;
}

/** @param {any} labels @returns {(label: number) => boolean} */
function containedIn(labels) {
    if (typeof labels !== 'object' || labels === null || typeof labels[Symbol.iterator] !== 'function')
        return invalid('allowed', 'a function or an iterable of labels', labels);
    const set = new Set();
    for (const label of labels) set.add(integer(`allowed[${set.size}]`, label, 0, MAX_UINT32));
    return (label) => set.has(label);
}

/* Copies of a few elements: a loop costs a quarter of `slice`. */

function copyLabels(view, count) {
    const copy = new Uint32Array(count);
    for (let i = 0; i < count; i++) copy[i] = view[i];
    return copy;
}

function copyDistances(view, count) {
    const copy = new Float32Array(count);
    for (let i = 0; i < count; i++) copy[i] = view[i];
    return copy;
}
