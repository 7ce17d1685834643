/** What goes wrong: codes and the one class of errors. */
import type { ParameterChange } from './safe-zones.js';

/** What went wrong, for programs. The error's `message` says it for people. */
export type ErrorCode =
    /** Page arithmetic overflows: more than 65,536 pages. */
    | 'OVERFLOW'
    /** More memory is needed than `maxPages` allows, or there are more than 65,536 agents and batches. */
    | 'EXCEEDS_LIMIT'
    /** The engine refused the memory. */
    | 'GROWTH_FAILED'
    /** An agent's own memory quota is spent. */
    | 'QUOTA_EXCEEDED'
    /** The agent, batch or runtime was freed. */
    | 'STALE_HANDLE'
    /** Wrong type, range or length, or NaN where a number is needed. */
    | 'INVALID_ARGUMENT'
    /** The call is right, the moment is not (`step` before `begin`), or the runtime is dead. */
    | 'INVALID_STATE'
    /** Exclusively borrowed: by a call that was reading its arguments, or by another thread. Nothing was changed. */
    | 'BUSY'
    /** Bytes that should be a module, or an exported table, are damaged. */
    | 'CORRUPT'
    /** Bytes or a module of another version. */
    | 'VERSION'
    /** A parameter change leaves its safe zone, or comes too soon. */
    | 'SAFE_ZONE'
    /** The engine, or this version, lacks what was asked for. */
    | 'UNSUPPORTED';

/**
 * The one kind of error that this package throws. Tell it by `error.name === 'QhiveError'` or its `code`: the CommonJS and
 * the ES module copy of the package have one class each, so `instanceof` fails across them; and a structured clone
 * (`postMessage`) keeps the message of an error but neither its name nor its code.
 *
 * Errors that a caller's own code throws while its arguments are read (a getter, an iterator) pass through as they are.
 */
export class QhiveError extends Error {
    constructor(code: ErrorCode, message: string, cause?: unknown);
    readonly name: 'QhiveError';
    readonly code: ErrorCode;
    /** The engine's own error, where there is one. */
    readonly cause?: unknown;
    /** With SAFE_ZONE: the change that was refused, as it is in the audit. */
    readonly change?: ParameterChange;
}
