/** Federated learning. */
import type { Agent } from './agent.js';
import type { QhiveError } from './errors.js';

/**
 * What becomes of the clients' values of a state and action, put in order:
 * - 'robust': their mean, weighted by visits that count up to `visitCap`, without the lowest and highest `trim` of them;
 * - 'visit-weighted': their mean, weighted by visits; 'mean': unweighted;
 * - 'median'; 'trimmed-mean': as robust, unweighted.
 *
 * A client that has not visited a state and action has no say in it.
 */
export type MergeRule = 'robust' | 'visit-weighted' | 'mean' | 'median' | 'trimmed-mean';

export interface MergeOptions {
    /** A table for each category (default), or one for all. */
    by?: 'category' | 'all';
    /** Default 'robust'. */
    rule?: MergeRule;
    /** Share of the clients that is dropped at each end, 0 <= trim < 0.5, default 0.2: floor(trim * clients). */
    trim?: number;
    /** Visits that count at most, above 0, default 50. */
    visitCap?: number;
    /**
     * The most that a client may move the table: its update, the vector of (value - base) over all it has visited, is scaled down to
     * this L2 norm. Base is the last merged value while that is held, else the agent's `initialValue`. Default: any.
     */
    clip?: number;
    /** Gaussian noise of standard deviation `sigma` on each merged value, drawn from `seed`, the group and the state. */
    noise?: { sigma: number; seed: number };
}

export interface MergeReport {
    /** Tables made. */
    groups: number;
    /** Their rows. */
    rows: number;
    /** Contributions without a say: with a value that is not finite, or with keys that no encoder makes. */
    rejected: number;
    /** With `clip`: contributions that were scaled down. */
    clipped?: number;
    /** With `noise`: what it was, and on how many values. */
    noise?: { sigma: number; seed: number; values: number };
}

/**
 * Federated learning: agents' tables become one for each group, and go back to them. What clients contribute stays until `clear`; an
 * agent's newer contribution takes the place of its older one. The result does not depend on the order of contributions, and is the same
 * in every engine and build. Every call happens wholly or not at all.
 */
export interface FederatedAccumulator {
    /**
     * Copies what these agents have learned so far. `age`: how old it is, in rounds or any unit; it weighs 1 / sqrt(1 + age).
     * @throws {QhiveError} INVALID_ARGUMENT where agents of one category differ in encoder or actions; QUOTA_EXCEEDED past
     *   `quotaBytes`; EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory; BUSY from within a call of one
     */
    accumulate(agents: Iterable<Agent>, options?: { age?: number }): void;
    /**
     * The same for the agents of a delta from another runtime, each a client of its own.
     * @throws {QhiveError} CORRUPT for bytes that are damaged, cut or no delta; VERSION; else as `accumulate`
     */
    accumulateDelta(bytes: Uint8Array, options?: { age?: number }): void;
    /**
     * Merges all contributions.
     * @throws {QhiveError} INVALID_ARGUMENT for an option out of range, or by 'all' where agents differ; no memory, as `accumulate`
     */
    merge(options?: MergeOptions): MergeReport;
    /**
     * Writes what was merged into these agents; their visits stay as they are, and rows they lack are added. Agents without a group stay
     * as they are. All agents or none. Returns how many it was written into.
     * @throws {QhiveError} INVALID_STATE before a merge; INVALID_ARGUMENT for an agent of another encoder or number of actions;
     *   QUOTA_EXCEEDED for one whose quota has no room; no memory; BUSY
     */
    apply(agents: Iterable<Agent>): number;
    /**
     * What these agents have learned since they were last exported, as bytes for `accumulateDelta` elsewhere: the rows that changed, but
     * not by `apply` alone. With CRC-32C. `all`: also what has not changed.
     */
    exportDelta(agents: Iterable<Agent>, options?: { all?: boolean }): Uint8Array;
    /** Gives contributions back, and what was merged unless `keepMerged` (as a base for `clip`). */
    clear(options?: { keepMerged?: boolean }): void;
    /** Contributions held. */
    readonly contributions: number;
    /** Groups merged. */
    readonly groups: number;
    /** Bytes of linear memory that it takes. */
    readonly bytes: number;
    /** The most it may take; default 64 MiB. */
    quotaBytes: number;
}
