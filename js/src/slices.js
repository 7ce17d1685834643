/**
 * Work that may take longer than a page can wait: in slices, with a turn of the event loop between them.
 */
import { abi } from 'qhive:abi';
import { integer, invalid, number, object, optional } from './check.js';

const SLICE_MS = 8;
const STEP_MS = 1; // what one call of the core is to last within a slice
const MOST_PER_STEP = 1024;
const CHUNK = abi.size.replay_chunk; // so many the core draws at once: slices of whole chunks learn what one call learns

/** Milliseconds; where there is no clock a slice is one call of the core. */
export const now = () => globalThis.performance?.now() ?? Infinity;
const nextTurn = () => new Promise((resolve) => (typeof setTimeout === 'function' ? setTimeout(resolve, 0) : resolve(undefined)));

/** A number of units after which a step that did `count` in `ms` lasts about a millisecond. @param {number} count @param {number} ms */
export const paced = (count, ms) => Math.max(1, Math.min(MOST_PER_STEP, Math.round(count * Math.min(4, STEP_MS / (ms || STEP_MS)))));

function callback(name, value) {
    return value === undefined || typeof value === 'function' ? value : invalid(name, 'a function', value);
}

function readSignal(value) {
    if (value === undefined || typeof value?.throwIfAborted === 'function') return value;
    return invalid('options.signal', 'an AbortSignal', value);
}

/**
 * Calls `slice(ms)` until what it returns says `done`; each result goes to `onProgress`. An abort rejects with the signal's reason, between
 * two slices.
 * @template {{ done: boolean }} T
 * @param {unknown} options
 * @param {(ms: number) => T} slice
 */
export async function inSlices(options, slice) {
    const { sliceMs, onProgress, signal } = options === undefined ? /** @type {any} */ ({}) : object('options', options);
    const ms = optional(sliceMs, SLICE_MS, (v) => number('options.sliceMs', v, { min: 0 }));
    const tell = callback('options.onProgress', onProgress);
    const abort = readSignal(signal);
    for (;;) {
        abort?.throwIfAborted();
        const progress = slice(ms);
        tell?.(progress);
        if (progress.done) return progress;
        await nextTurn();
    }
}

/**
 * Learns from `count` transitions in slices: `replay(n)` learns from n and returns their mean |TD error|.
 * @param {unknown} count @param {number} most @param {unknown} options @param {(n: number) => number} replay
 */
export async function replayInSlices(count, most, options, replay) {
    const wanted = integer('count', count, 0, most);
    let done = 0;
    let sum = 0;
    let chunks = 1;
    await inSlices(options, (ms) => {
        const end = now() + ms;
        for (let start = now(); done < wanted; start = now()) {
            const some = Math.min(chunks * CHUNK, wanted - done);
            sum += replay(some) * some;
            done += some;
            const time = now();
            chunks = paced(chunks, time - start);
            if (time >= end) break;
        }
        return { replayed: done, count: wanted, done: done === wanted };
    });
    return wanted === 0 ? 0 : sum / wanted;
}
