/**
 * qhive: hundreds of tabular reinforcement-learning agents in one WebAssembly linear memory.
 *
 * Conventions
 * - Times are milliseconds, passed in by the caller: the core reads no clock and no entropy. The same seed and the same
 *   calls give the same bytes, in every engine and in both builds.
 * - Sizes are bytes unless the name says pages (64 KiB each).
 * - Every failure is a {@link QhiveError} with a stable `code`; after it everything is as before and usable. Nothing is converted:
 *   a string where a number is needed is INVALID_ARGUMENT, as are NaN, sparse arrays, and whatever is out of range.
 * - Typed arrays that a method returns are copies. Getters documented as "view" look into linear memory; they are to be
 *   read again after any call (growth of the memory detaches views), and are valid until the next call into the runtime.
 * - Nothing happens at import time.
 *
 * Names of reinforcement learning are those of Sutton & Barto, "Reinforcement Learning: An Introduction", 2nd edition ("S&B").
 *
 * @module qhive
 */
export * from './errors.js';
export * from './runtime.js';
export * from './threads.js';
export * from './agent.js';
export * from './safe-zones.js';
export * from './vector-index.js';
export * from './memory.js';
export * from './knowledge.js';
export * from './federation.js';
export * from './metrics.js';
export * from './messages.js';
