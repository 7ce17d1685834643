/** Safe zones: what may become of parameters. */
import type { QhiveError } from './errors.js';
import type { Agent } from './agent.js';

/** What values a parameter may take, and how often it may change. */
export interface SafeZone {
    /** Its name, unique. */
    parameter: string;
    /** Limits, both allowed. */
    min: number;
    max: number;
    /** The value at the start, from min to max. */
    default: number;
    /**
     * Above 0: values are `default` plus or minus whole steps. Decimals are exact (three steps of 0.1 from 0 are 0.3). A proposal counts
     * as the value of which it is a millionth of a step away at most; any other is refused, not rounded.
     */
    step: number;
    /** Changes in any 3,600,000 ms, 0..65535; default: no limit. Rollbacks count too. */
    maxChangesPerHour?: number;
    /** Least time from one change to the next, default 60000. */
    cooldownMs?: number;
    /** Changes wait for {@link SafeZones.approve}. Default false. */
    requiresApproval?: boolean;
}

/** When to undo: every reading of `kpi` for `windowMs` (0: one reading) was strictly below or above the threshold. It then starts anew. */
export interface RollbackTrigger {
    kpi: string;
    threshold: number;
    direction: 'below' | 'above';
    windowMs: number;
    /** How many changes to undo, newest first, 1..1024; all of them or, where there are fewer, those. */
    depth: number;
    /** The parameters whose changes it undoes, together; default all. */
    parameters?: readonly string[];
}

export interface SafeZoneOptions {
    /** Size of the audit log, 16 KiB..256 MiB, rounded up to a power of two; default 256 KiB (about 2,000 events). */
    auditBytes?: number;
    /** How long a parameter rests after its first rollback; default 15 minutes. It doubles with each further one ... */
    backOffMs?: number;
    /** ... up to this, default 24 hours; and starts over when there was none for as long after the last rest. */
    maxBackOffMs?: number;
}

/** What became of a proposal. */
export interface ParameterChange {
    /** Number of the proposal, from 1; 0: nothing was proposed (an action that keeps the value). */
    sequence: number;
    /** When it became so, milliseconds. */
    time: number;
    /** Id of the agent; 0: none (a reset). */
    agent: number;
    parameter: string;
    from: number;
    to: number;
    /** 'rolled-back': undone, `from` is the value again. */
    status: 'applied' | 'pending' | 'rejected' | 'expired' | 'rolled-back';
    /** For people. */
    reason: string;
}

/**
 * The one door through which parameters change. Defined, frozen for good, then shared by all agents; what is outside a zone
 * can never be applied, by a proposal, an agent's action, an approval or a rollback.
 *
 * Times are milliseconds from 0 to below 2^53. Each parameter and each KPI has its own clock (its last change, its last
 * reading): a time before it is INVALID_ARGUMENT. Before `freeze` all but `define` is INVALID_STATE.
 */
export interface SafeZones {
    readonly frozen: boolean;
    /** The parameters defined, in order. */
    readonly parameters: string[];
    /** Adds zones and triggers, all or none. @throws {QhiveError} INVALID_STATE when frozen; INVALID_ARGUMENT */
    define(zones: Iterable<SafeZone>, triggers?: Iterable<RollbackTrigger>, options?: SafeZoneOptions): void;
    /**
     * Puts the zones in force, for good. All memory is taken now; nothing fails for want of it later.
     * @throws {QhiveError} INVALID_STATE the second time, or without zones; EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW: may be tried again
     */
    freeze(): void;
    /** The present value of a parameter. @throws {QhiveError} INVALID_ARGUMENT when it has no zone */
    value(parameter: string): number;
    /** Whether `propose` would apply or queue this. */
    allowed(parameter: string, to: number, time: number): boolean;
    /**
     * Applies the change, or queues it where approval is needed. A proposal of the present value counts as a change.
     * @throws {QhiveError} SAFE_ZONE when refused: the reason is in the message, `error.change` is what the audit has, no value has changed
     */
    propose(agent: Agent, parameter: string, to: number, time: number): ParameterChange;
    /**
     * Applies a pending change, checked anew. Pending changes expire after 30 minutes.
     * @throws {QhiveError} SAFE_ZONE: not now, it still waits; INVALID_STATE: decided before, or expired; INVALID_ARGUMENT: no such change
     */
    approve(sequence: number, time: number): ParameterChange;
    /** A reading of a KPI. Returns the changes that it rolled back, newest first. @throws {QhiveError} INVALID_ARGUMENT when no trigger watches it */
    observe(kpi: string, value: number, time: number): ParameterChange[];
    /**
     * Every parameter back to its default, by decree, as in a new deployment: clocks, rates, rests, readings and the queue are as new.
     * In the audit, which goes on, changed parameters are 'applied'.
     */
    reset(time: number): void;
    /**
     * Every proposal that the log still holds, as it stands now, from sequence `from` on, in the order in which they came to stand so.
     * Replaying it (applied: `to`; rolled-back: `from`) gives the present values.
     */
    audit(from?: number): ParameterChange[];
    /**
     * The whole log as JSON lines. The first has `values`, those before the oldest event; then each event: a {@link ParameterChange} with
     * `agentName`, the `qValues` that the agent chose by, and `kpis`, the last readings of the KPIs that can undo it.
     */
    auditLines(): string;
}
