/**
 * What the memory of a runtime is spent on. Every figure is read from the core at the moment it is asked for.
 */
import { abi } from 'qhive:abi';
import { idOf } from './agent.js';
import { QhiveError } from './errors.js';

/** @typedef {import('./core.js').Core} Core */

const PAGE_BYTES = abi.size.page;
const RECORDS_OWNER = 1; // the second one that the core names
const UNLIMITED = 2 ** 32 - 1;
const POOLS = /** @type {const} */ (['state', 'trajectory', 'message']);
const OWNER_KINDS = Object.keys(abi.owner);
const BLOCK_KINDS = Object.keys(abi.block);

export class MemoryInfo {
    /** @type {Core} */
    #core;
    #agents;

    /** @param {Core} core @param {Map<number, import('./agent.js').Agent>} agents alive, by handle */
    constructor(core, agents) {
        this.#core = core;
        this.#agents = agents;
    }

    get pages() {
        return this.#info()[0];
    }

    get maxPages() {
        return this.#info()[1];
    }

    get liveBytes() {
        return this.#info()[2];
    }

    get peakLiveBytes() {
        return this.#info()[3];
    }

    layout() {
        const [pages, , , , , stackEnd, , poolsStart, poolsEnd, heapEnd] = this.#info();
        const ends = { stack: stackEnd, static: poolsStart, pools: poolsEnd, heap: heapEnd, unused: pages * PAGE_BYTES };
        let start = 0;
        return Object.entries(ends).map(([name, end]) => {
            const region = { name, start, end };
            start = end;
            return region;
        });
    }

    pools() {
        return POOLS.map((name, i) => {
            this.#core.read('qh_memory_pool', i);
            const [blockBytes, capacity, inUse, peak, fallbacks, acquires, start] = this.#core.numbers;
            return { name, blockBytes, capacity, inUse, peak, fallbacks, acquires, start, end: start + blockBytes * capacity };
        });
    }

    owners() {
        const owners = [];
        for (let i = 0, found = 0; found >= 0; i++) {
            found = this.#core.read('qh_memory_owner', i);
            if (found !== 1) continue;
            const [number, id, liveBytes, quota, peakBytes, blocks] = this.#core.numbers;
            const kind = OWNER_KINDS[number];
            const quotaBytes = quota >= UNLIMITED ? Infinity : (this.#agents.get(id)?.config.quotaBytes ?? quota);
            owners.push({ owner: this.#nameOf(kind, id), kind, liveBytes, quotaBytes, peakBytes, blocks });
        }
        owners[0].liveBytes -= this.#lentBytes();
        return owners;
    }

    /** Bytes of pool blocks that are out: the runtime paid for the pools, the agents pay for what they took from them. */
    #lentBytes() {
        return this.pools().reduce((sum, { blockBytes, inUse }) => sum + blockBytes * inUse, 0);
    }

    growths() {
        const count = this.#info()[10];
        return Array.from({ length: count }, (_, i) => {
            this.#core.read('qh_memory_growth', i);
            const [fromPages, toPages] = this.#core.numbers;
            return { fromPages, toPages };
        });
    }

    shared() {
        const count = this.#info()[16];
        return Array.from({ length: count }, (_, i) => {
            this.#core.read('qh_memory_shared', i);
            const [kind, ownerId, id, references, frozen, bytes] = this.#core.numbers;
            return { owner: this.#nameOf(OWNER_KINDS[kind], ownerId), id, references, frozen: frozen === 1, bytes };
        }).reverse();
    }

    allocations() {
        return this.#records().map(({ alive: _, ...record }) => record);
    }

    leaks() {
        const orphans = this.#records().filter(({ alive }) => !alive);
        return orphans.map(({ alive: _, ...record }) => record);
    }

    #records() {
        const info = this.#info();
        if (info[14] === 0)
            throw new QhiveError('INVALID_STATE', 'allocations are recorded only by a runtime created with trackAllocations: true');
        const [places, , tableAddress] = info.subarray(13);
        this.#core.read('qh_memory_owner', RECORDS_OWNER);
        const tableBytes = this.#core.numbers[2];
        const records = tableBytes > 0 ? [{ address: tableAddress, bytes: tableBytes, owner: 'records', kind: 'records', sequence: 0, alive: true }] : [];
        for (let i = 0; i < places; i++) {
            if (this.#core.read('qh_memory_record', i) !== 1) continue;
            const [address, bytes, ownerKind, id, kind, sequence, alive] = this.#core.numbers;
            const owner = this.#nameOf(OWNER_KINDS[ownerKind], id);
            records.push({ address, bytes, owner, kind: BLOCK_KINDS[kind], sequence, alive: alive === 1 });
        }
        return records.sort((a, b) => a.sequence - b.sequence);
    }

    #nameOf(kind, id) {
        if (kind === 'agent') return this.#agents.get(id)?.name ?? `agent#${idOf(id)}`;
        return kind === 'batch' || kind === 'index' ? `${kind}-${idOf(id)}` : kind;
    }

    #info() {
        this.#core.read('qh_memory_info');
        return this.#core.numbers;
    }
}
