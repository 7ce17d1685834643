/** The runtime: options, and what lives in it. */
import type { QhiveError } from './errors.js';
import type { Agent, AgentConfig, Batch } from './agent.js';
import type { SafeZones } from './safe-zones.js';
import type { IndexOptions, VectorIndex } from './vector-index.js';
import type { AllocationRecord, MemoryInfo } from './memory.js';
import type { FeatureKnowledge } from './knowledge.js';
import type { FederatedAccumulator } from './federation.js';
import type { MetricsStore } from './metrics.js';
import type { MessageQueue } from './messages.js';
import type { LockName, Recovery, SharedRuntime } from './threads.js';

export interface RuntimeOptions {
    /**
     * Page budget, 1..65536, default 16384 (1 GiB). It is the maximum of the memory: neither the core nor the engine goes
     * past it. Choose it small on phones, where a large one is refused.
     */
    maxPages?: number;
    /** Pages to have from the start; default: what the pools and the static data need. */
    initialPages?: number;
    /** Master seed: a safe integer of at least 0, or a bigint below 2^64. Default 0. */
    seed?: number | bigint;
    /**
     * Blocks to preallocate: `state` of 256 bytes (one an agent), default 1000; `trajectory` of 1 KiB (32 compact transitions of replay),
     * default 5000; `message` of 4 KiB, default 500. A pool that is used up falls back to the heap.
     */
    pools?: { state?: number; trajectory?: number; message?: number };
    /** Keep an {@link AllocationRecord} for each live block. For debugging: costs memory and time. Default false. */
    trackAllocations?: boolean;
    /**
     * For development: told, in words, of a runtime, vector index or filter that the engine collected as garbage although nobody freed
     * it. Engines promise nothing about when they collect. (Agents and batches are kept by their runtime.)
     */
    onLeak?: (what: string) => void;
    /** Which build to run. Default: SIMD where the engine validates it. `true` without it is UNSUPPORTED. */
    simd?: boolean;
    /**
     * The module, instead of the binary inside the package: `qhive/qhive.wasm` as bytes, compiled, as a response, or by its
     * address. Where the module may not be compiled (some workers) give a `WebAssembly.Module`. Bytes that are no module are
     * INVALID_ARGUMENT, damaged ones CORRUPT, a module of another version VERSION.
     */
    wasm?: BufferSource | WebAssembly.Module | Response | Promise<Response> | URL | string;
    /**
     * Places for threads that may use the runtime at the same time, this one among them: 2..32, or `true` for 16. The memory is then shared, and
     * {@link AgentRuntime.share} gives what another thread needs for {@link attachRuntime}. A place costs 144 KiB. Where there can be no threads it
     * is UNSUPPORTED, and an application can go on without: a page must be cross-origin isolated, by the headers
     * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`. Default: none, in a module that knows nothing of
     * threads. `wasm` must then be `qhive/qhive-threads.wasm`.
     */
    threads?: boolean | number;
}

/**
 * Makes a runtime: one instance of the module and its memory.
 *
 * @throws {QhiveError} INVALID_ARGUMENT for an option out of range; EXCEEDS_LIMIT when the pools do not fit `maxPages`, OVERFLOW
 *   when they cannot be addressed, GROWTH_FAILED when the engine refuses the memory; UNSUPPORTED where WebAssembly is missing or
 *   forbidden
 */
export function createRuntime(options?: RuntimeOptions): Promise<AgentRuntime>;

/**
 * The same at once, for Node and workers. `wasm` must be bytes or a `WebAssembly.Module`. Outside Node an ES module
 * cannot load the scalar build, or what `threads` needs, this way unless `createRuntime` has loaded it before (UNSUPPORTED).
 */
export function createRuntimeSync(options?: RuntimeOptions): AgentRuntime;

/**
 * A memory and the agents that live in it.
 *
 * When the module stops in the middle of a call (a trap, a stack overflow) the runtime is dead: its data may be half-written,
 * so every later call throws INVALID_STATE. Make a new one.
 */
export interface AgentRuntime {
    readonly build: { readonly version: string; readonly simd: boolean; readonly threads: boolean; readonly memory64: boolean };
    /**
     * Makes an agent. Its random numbers come from the master seed and its name; without a name, from the seed and the
     * number of agents made before it. So named agents behave the same in whatever order they are made.
     *
     * @throws {QhiveError} INVALID_ARGUMENT for a configuration out of range or a name that is taken; QUOTA_EXCEEDED when the quota
     *   does not hold even an agent that has learned nothing; EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory
     */
    createAgent(config: AgentConfig): Agent;
    /** The agents alive, in order of creation. */
    readonly agents: Iterable<Agent> & { readonly length: number };
    /** The agent with this id or name. @throws {QhiveError} INVALID_ARGUMENT if there is none */
    agent(idOrName: number | string): Agent;
    /** A batch of these agents, each at most once, at least one; default: all agents alive now. */
    batch(agents?: Iterable<Agent>): Batch;
    /**
     * Makes an empty vector index.
     * @throws {QhiveError} INVALID_ARGUMENT for an option out of range; EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory
     */
    createIndex(options: IndexOptions): VectorIndex;
    /**
     * A frozen index from the bytes of {@link VectorIndex.export}. Every byte is checked before the index exists.
     * @throws {QhiveError} CORRUPT for bytes that are damaged, cut, or that no index can have; VERSION for those of another version
     */
    importIndex(bytes: Uint8Array): VectorIndex;
    readonly memory: MemoryInfo;
    /** The one door through which parameters change; see {@link SafeZones}. */
    readonly safeZones: SafeZones;
    /** What is known of the functions that agents stand for: one catalogue for all of them. */
    readonly knowledge: FeatureKnowledge;
    /** Makes one table of many agents', and gives it back to them. */
    readonly federation: FederatedAccumulator;
    /** What agents have done, and what else is observed. */
    readonly metrics: MetricsStore;
    /** Bytes from agent to agent. */
    readonly messages: MessageQueue;
    /** A hash of the tables of all agents, 16 hexadecimal digits: equal in every engine and build after equal calls. */
    hash(): string;
    /** Whether every structure in the memory is sound. Takes time: for tests. */
    validate(): boolean;
    /**
     * What another thread needs to use this runtime; it can be posted to a worker.
     * @throws {QhiveError} UNSUPPORTED unless the runtime was made with `threads`
     */
    share(): SharedRuntime;
    /** The number of this thread: 1 for who made the runtime; no two threads that ever use it have the same. */
    readonly thread: number;
    /** The numbers of all threads that use the runtime, also those that were terminated and not recovered. */
    readonly threads: readonly number[];
    /**
     * Ends what a terminated thread was doing, wherever it was: its claims and locks are released, and what it had half changed is brought back, or
     * reset where it cannot be. To be called for each worker that was terminated, or whose module stopped, without having disposed of its runtime;
     * never for one that is running.
     * @throws {QhiveError} INVALID_ARGUMENT for this thread or one that there is not; UNSUPPORTED without `threads`; BUSY where a lock that is
     *   needed is not to be had within a tenth of a second, as when another thread was terminated with it: recover that one, then this one again
     */
    recover(thread: number): Recovery;
    /**
     * Calls `use` while this thread holds a room's lock, for which it waits without blocking, `timeout` milliseconds at most (default: as long as it
     * takes). So a page's main thread, which may not block, does several things to a room without finding it BUSY. Other threads wait meanwhile:
     * be short. A thread holds one lock at a time: calls take turns, a call within `use` waits for ever, and `use` finds other rooms BUSY rather
     * than waiting for them. Resolves with what `use` returns.
     * @throws {QhiveError} BUSY when the time is over; INVALID_ARGUMENT; INVALID_STATE for safe zones that are not frozen yet; UNSUPPORTED
     *   without `threads`
     */
    withLock<T>(name: LockName, use: () => T | Promise<T>, options?: { timeout?: number }): Promise<T>;
    /** Lets the memory go; in a runtime with threads only this thread's use of it. Afterwards every call, of its agents and batches too, throws STALE_HANDLE. */
    dispose(): void;
    /** The same, but does nothing when it is disposed of already. */
    [Symbol.dispose](): void;
}
