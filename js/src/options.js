/**
 * The options of a runtime: checked, completed, and the page arithmetic done before any memory is asked for.
 */
import { abi, HEAP_BASE, MODULE_PAGES } from 'qhive:abi';
import { boolean, describe, integer, invalid, object, optional } from './check.js';
import { QhiveError } from './errors.js';

const { limit } = abi;
const PAGE_BYTES = abi.size.page;
const DEFAULT_THREADS = 16;
const MAX_PAGES = 65536;
const MAX_BLOCKS = 2 ** 32 - 1;
const DEFAULTS = { maxPages: 16384, state: 1000, trajectory: 5000, message: 500 };
const SLACK_BYTES = 2 * PAGE_BYTES; // without a growth: the rest of the part of the map that was begun (16 KiB for each 2 MiB), and the first agents

/** What the heap keeps of itself: 768 heads of its lists, 4 bytes for each 2 MiB of the budget, and a map of one bit for each 16 bytes. */
const tableBytes = (heapBytes, maxPages) => 768 * 16 + maxPages / 8 + heapBytes / 128;

function readSeed(seed) {
    if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return [seed >>> 0, Math.floor(seed / 2 ** 32)];
    if (typeof seed === 'bigint' && seed >= 0n && seed < 1n << 64n) return [Number(seed & 0xffffffffn), Number(seed >> 32n)];
    return invalid('options.seed', 'a safe integer of at least 0, or a bigint below 2^64', seed);
}

function readPools(value) {
    const given = object('options.pools', value);
    const blocks = (name) => optional(given[name], DEFAULTS[name], (v) => integer(`options.pools.${name}`, v, 0, MAX_BLOCKS));
    return { state: blocks('state'), trajectory: blocks('trajectory'), message: blocks('message') };
}

/** Bytes of a pool: its blocks and a link for each. */
const poolBytes = (blocks, blockBytes) => blocks * (blockBytes + 4) + 128;

/** Pages to ask for at once: what is known to be needed. */
function pagesNeeded({ initialPages, maxPages, pools }) {
    const { state, trajectory, message } = abi.pool;
    const poolsBytes = poolBytes(pools.state, state) + poolBytes(pools.trajectory, trajectory) + poolBytes(pools.message, message);
    const least = HEAP_BASE + abi.size.runtime + poolsBytes + tableBytes(poolsBytes, maxPages);
    const floor = Math.max(MODULE_PAGES, initialPages, Math.ceil(least / PAGE_BYTES));
    if (floor > MAX_PAGES) throw new QhiveError('OVERFLOW', `${floor} pages are more than can be addressed (${MAX_PAGES})`);
    if (floor > maxPages)
        throw new QhiveError('EXCEEDS_LIMIT', `the static data, pools and initial pages need ${floor} pages; maxPages is ${maxPages}`);
    return Math.min(maxPages, floor + Math.ceil(SLACK_BYTES / PAGE_BYTES));
}

/** Places for threads; 0: none. @param {unknown} value */
function readThreads(value) {
    if (typeof value === 'boolean') return value ? DEFAULT_THREADS : 0;
    const { threads } = limit;
    return typeof value === 'number' && Number.isInteger(value) && value > 1 && value <= threads ? value : invalid('options.threads', `true, false, or an integer from 2 to ${threads}`, value);
}

/** @param {unknown} value what the caller gave */
export function readOptions(value) {
    const given = value === undefined ? {} : object('options', value);
    const { wasm, simd, threads, trackAllocations, pools, seed, onLeak } = given;
    if (onLeak !== undefined && typeof onLeak !== 'function') invalid('options.onLeak', 'a function', onLeak);
    if (wasm === null) invalid('options.wasm', 'bytes, a WebAssembly.Module, a Response, a URL or a string', wasm);
    const options = {
        maxPages: optional(given.maxPages, DEFAULTS.maxPages, (v) => integer('options.maxPages', v, 1, MAX_PAGES)),
        initialPages: optional(given.initialPages, 0, (v) => integer('options.initialPages', v, 0, Number.MAX_SAFE_INTEGER)),
        seed: readSeed(seed === undefined ? 0 : seed),
        pools: readPools(pools === undefined ? {} : pools),
        trackAllocations: optional(trackAllocations, false, (v) => boolean('options.trackAllocations', v)),
        onLeak: /** @type {((what: string) => void) | undefined} */ (onLeak),
        simd: optional(simd, undefined, (v) => boolean('options.simd', v)),
        threads: optional(threads, 0, readThreads),
        wasm,
    };
    if (options.threads > 0 && options.simd === false) throw new QhiveError('UNSUPPORTED', 'options.simd: the build for threads uses SIMD');
    return { ...options, pages: pagesNeeded(options) };
}

/** @typedef {ReturnType<typeof readOptions>} Options */

/** The memory of a runtime. @param {Options} options */
export function createMemory({ pages, maxPages, threads }) {
    try {
        return new WebAssembly.Memory({ initial: pages, maximum: maxPages, shared: threads > 0 });
    } catch (error) {
        throw new QhiveError('GROWTH_FAILED', `the engine refused ${pages} pages of at most ${maxPages} (${describe(String(error))}). Choose a smaller maxPages or smaller pools`, error);
    }
}
