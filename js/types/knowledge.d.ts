/** Feature knowledge. */
import type { QhiveError } from './errors.js';

/** What is known of one function. Strings are well-formed (no lone surrogates); what is not named here is not kept. */
export interface Feature {
    /** Unique, 1..4096 bytes as UTF-8, such as "38.331 a3-Offset". */
    code: string;
    /** 1..4096 bytes. */
    name: string;
    /** 1..4096 bytes; searches can be limited to it. */
    category: string;
    /** In the words that people would search with. */
    description?: string;
    parameters?: string[];
    kpis?: string[];
    /** Codes of the features that must be active before this one. They may be loaded later. */
    requires?: string[];
    /** Exactly 64 finite numbers, from any embedding model, in place of the built-in vector. Of length other than 0; scaled to 1. */
    vector?: ArrayLike<number>;
}

export interface SearchHit {
    code: string;
    name: string;
    category: string;
    /** Fused and vector scores are at most 1; lexical ones have no upper limit. */
    score: number;
}

export interface SearchOptions {
    /** Hits at most, 0..1024, default 10. */
    k?: number;
    /** Only features of this category. */
    category?: string;
    /** 'lexical': BM25 over words and 3-grams; 'vector': cosine of 64-dim vectors; 'fused' (default): both. */
    mode?: 'fused' | 'lexical' | 'vector';
}

/**
 * A catalogue of features in linear memory: loaded, frozen, then read by all. Everything works offline and is deterministic: the same
 * features and the same query give the same hits and scores in every engine and build.
 */
export interface FeatureKnowledge {
    /**
     * Adds features, all or none. May be called again until `freeze`.
     *
     * `words` says which words mean the same in a search, a line for each meaning: "phone UE handset device"; a line that begins with
     * '-' lists words that do not count. By default a table of general English and of radio networks. That of the first load counts.
     *
     * @throws {QhiveError} INVALID_STATE once frozen; INVALID_ARGUMENT for a feature out of range or a code that comes twice;
     *   EXCEEDS_LIMIT past 64 MiB of text, or like GROWTH_FAILED and OVERFLOW when there is no memory
     */
    load(features: Iterable<Feature>, options?: { words?: string }): void;
    /** Nothing can be changed from now on, and agents that name a feature are tied to it. @throws {QhiveError} INVALID_STATE when it is frozen already */
    freeze(): void;
    /** Gives the catalogue back; another can be loaded then. @throws {QhiveError} BUSY while agents are tied to it */
    free(): void;
    /** Number of features. */
    readonly size: number;
    readonly frozen: boolean;
    /** Agents tied to a feature. */
    readonly references: number;
    /** Bytes of linear memory that it takes, once for all agents. */
    readonly bytes: number;
    /** The feature with this code, as it was loaded. */
    get(code: string): Feature | undefined;
    /**
     * The best features for a text, or the nearest to a vector of 64 numbers (then `score` is the cosine), best first; equals in the
     * order of loading. A text finds only what it shares terms with, or what is like that.
     */
    search(query: string | ArrayLike<number>, options?: SearchOptions): SearchHit[];
    /** The features most like this one by their vectors, itself first. @throws {QhiveError} INVALID_ARGUMENT for an unknown code */
    nearest(code: string, k?: number): SearchHit[];
    /**
     * These features and everything they need, each after its prerequisites.
     *
     * @throws {QhiveError} INVALID_ARGUMENT for an unknown code, asked for or needed, or where prerequisites form a cycle, which the
     *   message names
     */
    activationOrder(codes: string[]): string[];
}
