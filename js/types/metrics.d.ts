/** Metrics. */
import type { QhiveError } from './errors.js';
import type { PoolInfo } from './memory.js';

/** A series that was observed. Quantiles are within 1/64 of a value that was there. */
export interface SeriesSummary {
    count: number;
    sum: number;
    min: number;
    max: number;
    mean: number;
    p50: number;
    p90: number;
    p99: number;
}

export interface MetricsSnapshot {
    /** Actions chosen by all agents that ever were. */
    decisions: number;
    learningSteps: number;
    rewardSum: number;
    /** Mean |TD error|. */
    tdErrorMean: number;
    /** Of the series 'latency', which the caller observes (the core reads no clock); zeros without it. */
    latency: { p50: number; p99: number; max: number };
    pools: PoolInfo[];
    /** Zeros in a runtime without threads, which has no locks. */
    locks: { name: string; acquired: number; contended: number; maxWaitMs: number }[];
}

/** What was counted. Agents count in cells of their own, which are summed when somebody reads: it costs them nothing. */
export interface MetricsStore {
    /** The sums. What freed or reset agents have counted stays in them. */
    snapshot(): MetricsSnapshot;
    /**
     * Counts a value of a series. Its name: a letter or _, then letters, digits and _, 128 at most; not beginning with qhive_, and no part of
     * another series (as a_sum is of a).
     * @throws {QhiveError} INVALID_ARGUMENT for a name that is none or a value that is not finite; QUOTA_EXCEEDED past 4 MiB
     */
    observe(name: string, value: number): void;
    /** What was observed under a name. */
    series(name: string): SeriesSummary | undefined;
    /** The names of all series, the oldest first. */
    names(): string[];
    /** All of it in Prometheus' text format (0.0.4). A series is a histogram with a bucket up to each power of two that was needed. */
    prometheus(): string;
}
