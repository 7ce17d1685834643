/** Threads: one runtime for several workers. */
import type { QhiveError } from './errors.js';
import type { Agent } from './agent.js';
import type { AgentRuntime } from './runtime.js';

/**
 * What another thread needs to use a runtime: {@link AgentRuntime.share} gives it, `postMessage` carries it, {@link attachRuntime} takes it.
 * Nothing in it is copied: module and memory are the same for all.
 */
export interface SharedRuntime {
    /** The build for threads, compiled. */
    readonly module: WebAssembly.Module;
    /** The one memory, shared. */
    readonly memory: WebAssembly.Memory;
    /** Version of the package, which must be the same in all threads. */
    readonly version: string;
}

/** What {@link AgentRuntime.recover} found that a terminated thread had left. */
export interface Recovery {
    /** Objects that it had claimed, or was using, and that are free again. */
    released: number;
    /** Agents, of these, that it was changing and that turned out sound: they may have learned from a half of the last step. */
    repaired: number;
    /** Agents that it had left half changed (the first 1,024): they are as they were made, and what they had learned is lost. */
    reset: Agent[];
    /** Objects that it had half made, or half freed, and its batches, indexes and filters, that are gone. */
    removed: number;
    /** Rooms in which more was lost than what the thread was doing. */
    cleared: LockName[];
}

/** The rooms that have a lock. */
export type LockName = 'federation' | 'metrics' | 'messages' | 'zones' | 'search';

/**
 * Makes this thread one of those that use a shared runtime: an instance of the module of its own on the same memory, so the same agents, safe
 * zones, knowledge, federation, metrics and messages. Its `dispose` ends only this thread's use; the memory goes with the last one.
 *
 * An agent is used by one thread at a time: a call on an agent that another one is using, or has claimed, is BUSY ({@link Agent.claim}).
 * Batches and vector indexes belong to the thread that made them, and go with it. The main thread of a page may not block: where it finds a lock taken it
 * tries again for a moment, and is then told BUSY ({@link AgentRuntime.withLock} waits without blocking).
 *
 * @throws {QhiveError} UNSUPPORTED where there can be no threads, with the reason; INVALID_ARGUMENT for what `share()` did not give; VERSION
 *   for that of another version of the package; EXCEEDS_LIMIT when all places for threads (`options.threads`) are taken
 */
export function attachRuntime(shared: SharedRuntime): Promise<AgentRuntime>;
