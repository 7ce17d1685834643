/**
 * Linear memory as a list of spans without gaps, from address 0 to the end of its pages: what `layout()` says of the regions, what
 * `pools()` says of the pools, and within pools and heap the blocks that `allocations()` knows. What no record names is a hole (a free
 * block, or the heap's own books).
 */

/** @typedef {{ start: number, end: number, what: string }} Span */

/** What a span can be: its title. The order is that of the legend. */
export const TITLES = Object.freeze({
    stack: 'stack',
    static: 'static data',
    table: 'agents: Q-tables',
    trajectory: 'agents: trajectories',
    agent: 'agents: the rest',
    encoders: 'encoders',
    batch: 'batches',
    shared: 'other shared data',
    runtime: 'runtime',
    records: 'allocation records',
    leak: 'leaked',
    pool: 'pools: free blocks',
    hole: 'heap: free',
    unused: 'pages not yet used',
});

/** @param {string | undefined} ownerKind undefined: the owner is gone @param {string} kind of the block */
function whatIs(ownerKind, kind) {
    if (ownerKind === undefined) return 'leak';
    if (ownerKind === 'agent') return kind === 'table' || kind === 'trajectory' ? kind : 'agent';
    return Object.hasOwn(TITLES, ownerKind) ? ownerKind : 'shared';
}

/** What lies where no block does. The pools' region also has their bits, and gaps. @param {import('../../types/qhive.js').MemoryInfo} memory */
function groundOf(memory) {
    const ground = [];
    for (const { name, start, end } of memory.layout()) {
        if (name !== 'pools') {
            ground.push({ start, end, what: name === 'heap' ? 'hole' : name });
            continue;
        }
        let at = start;
        for (const pool of memory.pools().filter(({ capacity }) => capacity > 0)) {
            ground.push({ start: at, end: pool.start, what: 'hole' }, { start: pool.start, end: pool.end, what: 'pool' });
            at = pool.end;
        }
        ground.push({ start: at, end, what: 'hole' });
    }
    return ground;
}

/** @param {import('../../types/qhive.js').MemoryInfo} memory of a runtime with `trackAllocations` @returns {Span[]} */
export function spansOf(memory) {
    const kinds = new Map(memory.owners().map(({ owner, kind }) => [owner, kind]));
    const blocks = memory
        .allocations()
        .map(({ address, bytes, owner, kind }) => ({ start: address, end: address + bytes, what: whatIs(kinds.get(owner), kind) }))
        .sort((a, b) => a.start - b.start);
    /** @type {Span[]} */
    const spans = [];
    const add = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ what) => {
        if (end > start) spans.push({ start, end, what });
    };
    let next = 0;
    for (const { start, end, what: rest } of groundOf(memory)) {
        let at = start;
        for (; next < blocks.length && blocks[next].start < end; next++) {
            const block = blocks[next];
            add(at, block.start, rest);
            add(Math.max(at, block.start), block.end, block.what);
            at = Math.max(at, block.end);
        }
        add(at, end, rest);
    }
    return spans;
}

/** Bytes of each kind of span. @param {Span[]} spans @returns {Record<string, number>} */
export function sumByKind(spans) {
    /** @type {Record<string, number>} */
    const sums = {};
    for (const { start, end, what } of spans) sums[what] = (sums[what] ?? 0) + end - start;
    return sums;
}
