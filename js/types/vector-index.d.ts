/** Vector indexes. */
import type { QhiveError } from './errors.js';

export interface IndexOptions {
    /** Numbers in a vector, 1..4096. */
    dims: number;
    /**
     * What is near; results come nearest first in every metric. Default 'cosine'.
     *
     * - `'cosine'`: distance 1 - cos(x, q), 0..2. A vector of zeros is at distance 1 from everything.
     * - `'l2'`: distance |x - q|^2, the square.
     * - `'ip'`: distance 1 - x . q, which may be negative.
     */
    metric?: 'cosine' | 'l2' | 'ip';
    /** M: links of a row on each level of the graph, twice that on the lowest; 2..64, default 16. More: better recall, more memory. */
    m?: number;
    /** Rows that a walk keeps while the graph is built, 1..4096, default 200. More: better recall, a slower build. */
    efConstruction?: number;
    /**
     * `'f32'` (default): vectors as they are. `'i8'`: the graph is walked on 8-bit codes beside the vectors, and the best (at least 20, and 2 k)
     * are ranked again by their vectors, so distances are exact. With `rerank: false` the vectors are dropped by `freeze`: a
     * quarter of the memory, recall of about .98, and distances within about 1 %.
     */
    quantization?: 'f32' | 'i8';
    /** Default true; false only with `quantization: 'i8'`. */
    rerank?: boolean;
    /** Of the rows' levels: a safe integer of at least 0. Default: the runtime's seed. Same rows and seed, same bytes, everywhere. */
    seed?: number;
}

export interface IndexSearchOptions {
    /** Rows that the walk keeps, 1..4096, at least `k`; default 64. More: better recall, a slower search. */
    ef?: number;
    /**
     * Which rows may be found. A function is called once for each label, in the order of the rows; an {@link IndexFilter} was made of
     * one before and costs nothing.
     */
    filter?: ((label: number) => boolean) | IndexFilter;
    /** Only rows of this category, 0..65535. With `filter`: those that it allows. */
    category?: number;
    /** true: compare every row. false: walk the graph even where a scan is cheaper. Default: whichever is cheaper. */
    exact?: boolean;
}

/** How far the graph is. */
export interface IndexProgress {
    /** Rows in the graph. */
    built: number;
    /** Rows added. */
    size: number;
    done: boolean;
}

/**
 * The rows nearest to a vector (HNSW: Malkov & Yashunin 2020). Rows are added, the graph is built over them, and the index is
 * frozen, once; then it never changes. It can be searched at any time; before it is frozen every row is compared, and so it is
 * below 1,000 rows, and where a filter leaves few.
 *
 * A value is a finite number of at most 1e17 in size. A label is any unsigned 32-bit integer, at most once in an index.
 */
export interface VectorIndex {
    readonly id: number;
    /** What it was made with, complete. */
    readonly options: Readonly<Required<Omit<IndexOptions, 'seed'>>> & { readonly seed: number | bigint };
    /** Rows added. */
    readonly size: number;
    /** Bytes of linear memory, everything included. */
    readonly bytes: number;
    readonly frozen: boolean;
    readonly progress: IndexProgress;
    /**
     * Adds a row.
     * @throws {QhiveError} INVALID_ARGUMENT for a value that is not finite, or a label that is there; INVALID_STATE when frozen;
     *   EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory. The index is then as it was
     */
    add(label: number, vector: ArrayLike<number>, options?: { category?: number }): void;
    /**
     * Adds rows, all or none. Labels are those given, or count up from the one given; default: from the number of rows there are.
     * @throws {QhiveError} as `add`
     */
    addAll(vectors: Float32Array, labels?: number | Uint32Array, options?: { category?: number; categories?: Uint16Array }): void;
    /** Builds the graph for `ms` milliseconds (at least one row), so that a page stays alive: call it until it is `done`. */
    buildStep(ms: number): IndexProgress;
    /**
     * Builds the graph in slices of `sliceMs` (default 8) with a turn of the event loop between them. An abort rejects with the
     * signal's reason and leaves what is built: it can be gone on with.
     */
    build(options?: { sliceMs?: number; onProgress?: (progress: IndexProgress) => void; signal?: AbortSignal }): Promise<void>;
    /**
     * Builds what is left of the graph and freezes, for good. Takes as much memory again as the frozen index has while it runs.
     * @throws {QhiveError} INVALID_STATE when it is frozen
     */
    freeze(options?: { onProgress?: (progress: IndexProgress) => void }): void;
    /**
     * The `k` nearest rows, or as many as there are: nearest first, rows at the same distance by label.
     * @throws {QhiveError} INVALID_ARGUMENT for a value that is not finite
     */
    search(vector: ArrayLike<number>, k: number, options?: IndexSearchOptions): { labels: Uint32Array; distances: Float32Array };
    /**
     * The same for many vectors in one call: rows of `k`. Where there are fewer rows, the rest has label 0xFFFFFFFF and distance
     * Infinity.
     */
    searchAll(vectors: Float32Array, k: number, options?: IndexSearchOptions): { labels: Uint32Array; distances: Float32Array };
    /** A set of rows to search in, by a function of the label or as a list of labels. @throws {QhiveError} INVALID_STATE before `freeze` */
    filter(allowed: ((label: number) => boolean) | Iterable<number>): IndexFilter;
    /** The frozen index as bytes, the same in every engine and build; with CRC-32C. @throws {QhiveError} INVALID_STATE before `freeze` */
    export(): Uint8Array;
    /** Gives its memory back. Afterwards every call throws STALE_HANDLE. @throws {QhiveError} BUSY while there are filters of it */
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

/** Rows of a frozen index, one bit each. While it is there its index cannot be freed. */
export interface IndexFilter {
    /** How many rows it allows. */
    readonly allowed: number;
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}
