/** Where memory goes. */
import type { QhiveError } from './errors.js';

/** A live block. */
export interface AllocationRecord {
    /** Byte offset in linear memory. */
    address: number;
    bytes: number;
    /** As in {@link MemoryInfo.owners}. */
    owner: string;
    /** What it is for: 'agent', 'encoder', 'table', 'index', 'trajectory', 'state', 'batch', ... */
    kind: string;
    /** Number of the allocation, from 1; 0: the table of these records itself. */
    sequence: number;
}

/** A pool: blocks of one size, carved once. */
export interface PoolInfo {
    name: 'state' | 'trajectory' | 'message';
    blockBytes: number;
    /** Blocks it was made with (option `pools`). */
    capacity: number;
    /** Blocks that are out now, and the most that ever were at once. */
    inUse: number;
    peak: number;
    /** Blocks that the heap gave because the pool had none left. */
    fallbacks: number;
    /** Blocks given in all, fallbacks among them. */
    acquires: number;
    /** Where its blocks lie: byte offsets in linear memory, `end` exclusive. */
    start: number;
    end: number;
}

/** Somebody who holds memory. */
export interface OwnerInfo {
    owner: string;
    /** 'runtime', 'records', 'encoders', 'agent', 'batch', ... */
    kind: string;
    liveBytes: number;
    /** Infinity where there is none. */
    quotaBytes: number;
    /** The most it ever held. */
    peakBytes: number;
    /** Live blocks. */
    blocks: number;
}

/** A resource that several hold: it is freed when the last one lets go, or refuses to be freed before. */
export interface SharedInfo {
    /** Who pays for it, as in {@link MemoryInfo.owners}. */
    owner: string;
    /** Its number within its owner. */
    id: number;
    /** How many hold it now. */
    references: number;
    /** Whether it is finished: it never changes again. */
    frozen: boolean;
    bytes: number;
}

export interface MemoryInfo {
    readonly pages: number;
    readonly maxPages: number;
    /** Bytes of all live blocks; the sum over `owners()`. */
    readonly liveBytes: number;
    readonly peakLiveBytes: number;
    /** The regions of linear memory, in order, without gaps: offsets, `end` exclusive. */
    layout(): { name: 'stack' | 'static' | 'pools' | 'heap' | 'unused'; start: number; end: number }[];
    /** The pools of preallocated blocks. */
    pools(): PoolInfo[];
    /**
     * Who holds memory: 'runtime' (the pools' free blocks, the list of agents), 'records' (of `trackAllocations`), 'encoders' (shared by
     * agents of one encoder), 'zones' (the safe zones, once), 'federation', 'metrics' and 'messages' while they hold something, each agent by its
     * name, each batch as 'batch-<id>', each vector index as 'index-<id>'. `quotaBytes` is Infinity where there is none.
     */
    owners(): OwnerInfo[];
    /** What is held by counted references (the encoders' constants, ...), the oldest first. */
    shared(): SharedInfo[];
    /** Growths of the memory; from the 32nd on they are one entry. */
    growths(): { fromPages: number; toPages: number }[];
    /** The live blocks, oldest first; of the pools those that are out.  @throws {QhiveError} INVALID_STATE without `trackAllocations` */
    allocations(): AllocationRecord[];
    /** Those whose owner is gone: there are none unless something is wrong. @throws {QhiveError} INVALID_STATE without `trackAllocations` */
    leaks(): AllocationRecord[];
}
