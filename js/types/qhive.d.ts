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
 */

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
    /** Exclusively borrowed: a call was made while another one was reading its arguments. */
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

/* ------------------------------------------------------------------ runtime */

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
    /** Which build to run. Default: SIMD where the engine validates it. `true` without it is UNSUPPORTED. */
    simd?: boolean;
    /**
     * The module, instead of the binary inside the package: `qhive/qhive.wasm` as bytes, compiled, as a response, or by its
     * address. Where the module may not be compiled (some workers) give a `WebAssembly.Module`. Bytes that are no module are
     * INVALID_ARGUMENT, damaged ones CORRUPT, a module of another version VERSION.
     */
    wasm?: BufferSource | WebAssembly.Module | Response | Promise<Response> | URL | string;
    /** This version has no threads: `true` is UNSUPPORTED. */
    threads?: boolean;
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
 * cannot load the scalar build this way unless `createRuntime` has loaded it before (UNSUPPORTED).
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
    /** A hash of the tables of all agents, 16 hexadecimal digits: equal in every engine and build after equal calls. */
    hash(): string;
    /** Whether every structure in the memory is sound. Takes time: for tests. */
    validate(): boolean;
    /** Lets the memory go. Afterwards every call, of its agents and batches too, throws STALE_HANDLE. */
    dispose(): void;
    /** The same, but does nothing when it is disposed of already. */
    [Symbol.dispose](): void;
}

/* ------------------------------------------------------------------ agents */

/** One observed dimension. */
export interface Dim {
    /** For messages and people. */
    name?: string;
    /** `min`..`max` is mapped to 0..1, what is outside is clamped. Finite, min < max, both as float32. */
    min: number;
    max: number;
    /** Cells for the table key, 0..65536; 0: carried, not keyed. */
    bins: number;
    role?: 'parameter' | 'kpi' | 'context';
    /**
     * Step size in (0, 1] of an exponential moving average of this dimension, which becomes one more dimension of the state
     * behind the observed ones. `begin` resets it, `begin` and `step` move it, everything else only reads it.
     */
    trend?: number;
}

/** From an observation to a state of the table. Vectors have at most 64 dimensions with their trends. */
export type Encoder =
    /** The observation is an integer 0..states-1; states up to 2^32 - 1 (in a batch, where it crosses as float32, 2^24). */
    | { kind: 'index'; states: number }
    /** Each dimension is cut into its `bins` equal cells. */
    | { kind: 'bins'; dims: Dim[] }
    /** The signs of 1..32 seeded random hyperplanes over the normalised vector (Charikar 2002). */
    | { kind: 'simhash'; dims: Dim[]; bits: number }
    /** Tile coding (S&B 9.5.4): Q(s, a) is the sum over 1..32 tilings; the step size is divided by their number. */
    | { kind: 'tiles'; dims: Dim[]; tilings: number };

/** A constant, or value = end + (start - end) * decay^(learning steps), decay in [0, 1]. */
export type Schedule = number | { start: number; end: number; decay: number };

export type Policy =
    | { kind: 'greedy' }
    /** epsilon in [0, 1]. */
    | { kind: 'epsilon-greedy'; epsilon: Schedule }
    /** temperature > 0. */
    | { kind: 'softmax'; temperature: Schedule }
    /** UCB1 (S&B 2.7), c >= 0. */
    | { kind: 'ucb'; c: number };

export interface AgentConfig {
    /** Unique within the runtime, at most 4096 bytes as UTF-8. Default `agent#<id>`. */
    name?: string;
    /** Group for reports. */
    category?: string;
    /** Number of actions, 1..1024. */
    actions: number;
    encoder: Encoder;
    /** Default 'q-learning'. `double-q` reports the mean of its two estimates. */
    algorithm?: 'q-learning' | 'sarsa' | 'expected-sarsa' | 'double-q';
    /** S&B's alpha in (0, 1], default 0.1; 'visits': 1 / visits(s, a). */
    learningRate?: Schedule | 'visits';
    /** S&B's gamma in [0, 1], default 0.95. */
    discount?: number;
    /** Default epsilon-greedy with 0.1. */
    policy?: Policy;
    /** Value of every action in a state never visited, default 0; high values are optimistic (S&B 2.6). */
    initialValue?: number;
    /** Replacing eligibility traces, [0, 1], default 0; Watkins' cut for q-learning. Not with nStep > 1 nor double-q. */
    lambda?: number;
    /** n-step returns (S&B 7), 1..1024, default 1. */
    nStep?: number;
    /**
     * Remember `capacity` transitions (0..2^28) to learn from again, drawn uniformly or by their TD error (Schaul et al. 2016) with
     * exponent alpha (default 0.6) and importance exponent beta (default 0.4), both in [0, 1].
     *
     * `record`: 'compact' (default) keeps of a state what the table knows it by, 16 bytes for both states of a transition (times the
     * tilings): all that learning needs. 'full' keeps both states as they were observed, trends as they stood, 8 bytes a dimension
     * and trend: {@link Agent.transitions} gives them back, to teach another agent, one with another encoder, or to export.
     */
    replay?: { capacity: number; kind?: 'uniform' | 'prioritized'; record?: 'compact' | 'full'; alpha?: number; beta?: number };
    /**
     * Keep the probability with which each action is chosen: {@link Agent.lastProbability} tells it, and transitions remember it.
     * Costs time at each choice. Default: true with replay, else false.
     */
    propensities?: boolean;
    /** Dyna-Q (S&B 8.2): simulated updates for each real one, 0..1,000,000, default 0. Not with tiles. */
    planning?: number;
    /** This agent's memory budget, default 10 MiB; Infinity for none. What it learns past it is QUOTA_EXCEEDED. */
    quotaBytes?: number;
    /** Between actions of equal value; default 'random'. */
    tieBreak?: 'random' | 'first';
    /**
     * Code of the feature that this agent stands for. Once the knowledge is frozen it must have it (INVALID_ARGUMENT); an
     * agent made before is tied to it when the knowledge is frozen. The agent then holds the knowledge until it is freed.
     */
    feature?: string;
    /**
     * Action i moves a parameter with a frozen safe zone by `deltas[i]` (multiples of its step, one an action). What the zone forbids
     * at the time of a choice is never chosen. A delta of 0 keeps the value and is always allowed; without one there may be
     * nothing left to choose: the action is then -1, the agent rests, and its next `step` chooses without learning.
     */
    actuator?: { parameter: string; deltas: readonly number[] };
}

/**
 * What an agent sees: a state index for `index` encoders, otherwise one number a dimension, in order, without trends. Float32Array
 * is the fastest. Numbers become float32; ±Infinity is clamped like any number out of range, NaN is INVALID_ARGUMENT.
 * The agent's own {@link Agent.input}, passed as it is, need not be copied.
 */
export type Observation = number | ArrayLike<number>;

/**
 * How an episode ends. What truncated it bootstraps from the next state, what terminated it does not; where both are true (as
 * Gymnasium allows) it terminated. `time` is the moment in milliseconds, by default that of the call before.
 */
export interface Ending {
    terminated?: boolean;
    truncated?: boolean;
    time?: number;
}

/** A learner. It owns its table, its memory and its random numbers; agents share nothing. */
export interface Agent {
    /** Positive, never given twice within a runtime. */
    readonly id: number;
    readonly name: string;
    /** As given, with all defaults, frozen. */
    readonly config: Readonly<AgentConfig>;
    /**
     * Begins an episode: its first action. An episode that was running is dropped. With an actuator `time` is the moment of the
     * choice, by default the latest that the safe zones know of.
     */
    begin(observation: Observation, options?: { time?: number }): number;
    /**
     * Learns from the last action and chooses the next; -1 when `ending` says that the episode ended. With an actuator `ending.time` is
     * needed, and what its safe zone forbids then is neither chosen nor what the next state is valued by.
     *
     * @throws {QhiveError} INVALID_STATE before `begin` and after an ending; QUOTA_EXCEEDED when a new state does not fit the quota
     */
    step(reward: number, observation: Observation, ending?: Ending): number;
    /**
     * Chooses an action by the policy and learns nothing; for an agent driven from outside. `greedy` leaves exploration out;
     * `mask` has one number an action, 0 = forbidden, and must allow one. `time` is needed with an actuator, whose zone forbids more.
     */
    act(observation: Observation, options?: { greedy?: boolean; mask?: ArrayLike<number>; time?: number }): number;
    /**
     * Learns from one transition given from outside, one step deep, whatever episode is running. SARSA bootstraps from
     * `nextAction`, or draws one. `probability`, in (0, 1], is that with which the action was chosen: replay remembers it.
     * Returns the TD error.
     */
    learn(observation: Observation, action: number, reward: number, next: Observation, ending?: Ending & { nextAction?: number; probability?: number }): number;
    /** Learns from `count` remembered transitions; the mean |TD error|, 0 where none is remembered. */
    replay(count: number): number;
    /**
     * The transitions remembered for replay, oldest first, as copies in columns: a log that `qhive/evaluate` reads as it is.
     * Empty without replay.
     */
    transitions(): Transitions;
    /**
     * The probability with which `begin`, `step` or `act` chose the last action, as float32; NaN before the first, after an ending,
     * and unless {@link AgentConfig.propensities} is on.
     */
    readonly lastProbability: number;
    /** The normalised state vector, dimensions then trends, each 0..1; for `index` the state itself. */
    encode(observation: Observation): Float32Array;
    /** The value of each action; `initialValue` in a state never visited. */
    qValues(observation: Observation): Float32Array;
    /** How often each action was learned from in this state (for tiles: in the tiling where least). */
    visits(observation: Observation): Uint32Array;
    /**
     * Why the agent would act as it would: `action` is the likeliest. Changes nothing, draws nothing. `mask` as in {@link Agent.act}: the
     * probabilities are those of a choice under it. With an actuator, at `time`, by default the latest that the safe zones know of;
     * what is forbidden then has probability 0, and `action` is -1 where all is.
     */
    explain(observation: Observation, k?: number, options?: { mask?: ArrayLike<number>; time?: number }): Explanation;
    /**
     * Proposes the change of an action to the safe zone of the agent's actuator. A delta of 0 proposes nothing: the change that is
     * returned has sequence 0 and is not in the audit.
     *
     * @throws {QhiveError} SAFE_ZONE when refused (see {@link SafeZones.propose}); INVALID_STATE without an actuator
     */
    apply(action: number, time: number): ParameterChange;
    readonly metrics: AgentMetrics;
    readonly memory: AgentMemory;
    /** View: the agent's own 64 floats in linear memory. Fill it and pass it as the observation: no copy is made. */
    readonly input: Float32Array;
    /**
     * View: 64 floats in linear memory for the next observation of {@link Agent.learn}. Fill it and pass it as `next`: no copy is
     * made. All agents share it; it is good until the next call of any.
     */
    readonly nextInput: Float32Array;
    /** A hash of the Q-table, 16 hexadecimal digits. */
    hash(): string;
    /**
     * What was learned, as bytes: versioned, checked by CRC-32C, bound to the configuration that gives the rows their meaning
     * (encoder, actions, number of tables). The episode, the random stream and the replay memory are not in it.
     */
    exportTable(): Uint8Array;
    /**
     * Replaces the table by exported bytes, all or nothing.
     * @throws QhiveError CORRUPT (damaged, cut, of another configuration), VERSION, QUOTA_EXCEEDED (both tables must fit at once)
     */
    importTable(bytes: Uint8Array): void;
    /** Forgets everything learned and starts its random numbers again; the configuration stays. */
    reset(): void;
    /** Gives all its memory back. Afterwards every call throws STALE_HANDLE. */
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

export interface Explanation {
    action: number;
    qValues: Float32Array;
    visits: Uint32Array;
    /** Of each action under the policy; sums to 1. */
    probability: Float32Array;
    /** The agent's feature and those most like it, `k` (default 3, at most 1024) in all; empty where none is known. */
    knowledge: SearchHit[];
}

/**
 * Remembered transitions: element i of each column belongs to transition i. As `LoggedDecisions` of `qhive/evaluate` it lacks
 * only the policy to be valued: `evaluatePolicy({ ...agent.transitions(), target })`.
 */
export interface Transitions {
    readonly length: number;
    /** Number of actions to choose from. */
    actionCount: number;
    /** The state, as 16 hexadecimal digits that differ from state to state of the table. */
    contexts: string[];
    /** The state that it led to. */
    nextContexts: string[];
    actions: Int32Array;
    /** What SARSA took next; -1 where that is not known. */
    nextActions: Int32Array;
    rewards: Float64Array;
    /** 0 going on, 1 terminated, 2 truncated. */
    endings: Uint8Array;
    /** The probability with which each action was chosen, NaN where unknown; absent where all are. */
    propensities?: Float64Array;
    /** With `record: 'full'`: the states as an agent takes them, a number for `index` encoders, else float32 numbers. */
    observations?: Observation[];
    nextObservations?: Observation[];
    /** With `record: 'full'`: the trends of each state as they stood, 0..1; rows are empty where there are none. */
    trends?: Float32Array[];
    nextTrends?: Float32Array[];
}

export interface AgentMetrics {
    /** Actions chosen. */
    actionCount: number;
    /** Sum of all rewards learned from. */
    rewardSum: number;
    /** `time` of the last step or learning, milliseconds. */
    lastUpdate: number;
    /** Episodes ended. */
    episodes: number;
    /** Rows in the table. */
    states: number;
    /** Mean |TD error| of all learning steps. */
    tdErrorMean: number;
    /** Updates of the table, without replay and planning. */
    learningSteps: number;
    /** Transitions remembered for replay. */
    transitions: number;
    /** Where the schedule of epsilon or temperature stands. */
    exploration: number;
    /** Where the schedule of the step size stands. */
    learningRate: number;
}

export interface AgentMemory {
    liveBytes: number;
    quotaBytes: number;
    tableBytes: number;
    replayBytes: number;
    peakBytes: number;
}

/**
 * All of a set of agents in one call. Row i belongs to `agents[i]`; rows of `observations` are 64 floats apart; an `index`
 * agent reads its state from the first. A call happens for all agents or for none: on failure the error names the row.
 *
 * An agent whose episode ended begins its next one in the `step` that finds its ending 0 again: that reward is not read,
 * its row is the first observation (Gymnasium's next-step autoreset). While its ending stays set it rests, with action -1.
 */
export interface Batch {
    readonly id: number;
    readonly agents: readonly Agent[];
    readonly stride: 64;
    /** View: agents.length * 64. */
    readonly observations: Float32Array;
    /** View: one an agent. */
    readonly rewards: Float32Array;
    /** View: 0 going on, 1 terminated, 2 truncated. */
    readonly endings: Uint8Array;
    /** View: the results; -1 where an episode ended. */
    readonly actions: Int32Array;
    /** The moment of the next call, milliseconds, for every row; what agents with an actuator may choose depends on it. Default 0. */
    time: number;
    /** Begins an episode of every agent: observations -> actions. */
    begin(): void;
    /** Rewards, endings and observations -> every agent learns, then chooses: actions. */
    step(): void;
    /** Observations -> actions; learns nothing. */
    act(options?: { greedy?: boolean }): void;
    /** Gives the rows back; the agents live on. Afterwards every call throws STALE_HANDLE. */
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

/* ------------------------------------------------------------------ safe zones */

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

/* ------------------------------------------------------------------ vector index */

export interface IndexOptions {
    /** Numbers in a vector, 1..4096. */
    dims: number;
    /**
     * What is near; results come nearest first in every metric. Default 'cosine'.
     *
     * - `'cosine'`: distance 1 - cos(x, q), 0..2. A vector of zeros is at distance 1 from everything.
     * - `'l2'`: distance |x - q|^2, the square.
     * - `'ip'`: distance 1 - x . q, which may be negative.
     */
    metric?: 'cosine' | 'l2' | 'ip';
    /** M: links of a row on each level of the graph, twice that on the lowest; 2..64, default 16. More: better recall, more memory. */
    m?: number;
    /** Rows that a walk keeps while the graph is built, 1..4096, default 200. More: better recall, a slower build. */
    efConstruction?: number;
    /**
     * `'f32'` (default): vectors as they are. `'i8'`: the graph is walked on 8-bit codes beside the vectors, and the best (at least 20, and 2 k)
     * are ranked again by their vectors, so distances are exact. With `rerank: false` the vectors are dropped by `freeze`: a
     * quarter of the memory, recall of about .98, and distances within about 1 %.
     */
    quantization?: 'f32' | 'i8';
    /** Default true; false only with `quantization: 'i8'`. */
    rerank?: boolean;
    /** Of the rows' levels: a safe integer of at least 0. Default: the runtime's seed. Same rows and seed, same bytes, everywhere. */
    seed?: number;
}

export interface IndexSearchOptions {
    /** Rows that the walk keeps, 1..4096, at least `k`; default 64. More: better recall, a slower search. */
    ef?: number;
    /**
     * Which rows may be found. A function is called once for each label, in the order of the rows; an {@link IndexFilter} was made of
     * one before and costs nothing.
     */
    filter?: ((label: number) => boolean) | IndexFilter;
    /** Only rows of this category, 0..65535. With `filter`: those that it allows. */
    category?: number;
    /** true: compare every row. false: walk the graph even where a scan is cheaper. Default: whichever is cheaper. */
    exact?: boolean;
}

/** How far the graph is. */
export interface IndexProgress {
    /** Rows in the graph. */
    built: number;
    /** Rows added. */
    size: number;
    done: boolean;
}

/**
 * The rows nearest to a vector (HNSW: Malkov & Yashunin 2020). Rows are added, the graph is built over them, and the index is
 * frozen, once; then it never changes. It can be searched at any time; before it is frozen every row is compared, and so it is
 * below 1,000 rows, and where a filter leaves few.
 *
 * A value is a finite number of at most 1e17 in size. A label is any unsigned 32-bit integer, at most once in an index.
 */
export interface VectorIndex {
    readonly id: number;
    /** What it was made with, complete. */
    readonly options: Readonly<Required<Omit<IndexOptions, 'seed'>>> & { readonly seed: number | bigint };
    /** Rows added. */
    readonly size: number;
    /** Bytes of linear memory, everything included. */
    readonly bytes: number;
    readonly frozen: boolean;
    readonly progress: IndexProgress;
    /**
     * Adds a row.
     * @throws {QhiveError} INVALID_ARGUMENT for a value that is not finite, or a label that is there; INVALID_STATE when frozen;
     *   EXCEEDS_LIMIT, GROWTH_FAILED, OVERFLOW when there is no memory. The index is then as it was
     */
    add(label: number, vector: ArrayLike<number>, options?: { category?: number }): void;
    /**
     * Adds rows, all or none. Labels are those given, or count up from the one given; default: from the number of rows there are.
     * @throws {QhiveError} as `add`
     */
    addAll(vectors: Float32Array, labels?: number | Uint32Array, options?: { category?: number; categories?: Uint16Array }): void;
    /** Builds the graph for `ms` milliseconds (at least one row), so that a page stays alive: call it until it is `done`. */
    buildStep(ms: number): IndexProgress;
    /**
     * Builds the graph in slices of `sliceMs` (default 8) with a turn of the event loop between them. An abort rejects with the
     * signal's reason and leaves what is built: it can be gone on with.
     */
    build(options?: { sliceMs?: number; onProgress?: (progress: IndexProgress) => void; signal?: AbortSignal }): Promise<void>;
    /**
     * Builds what is left of the graph and freezes, for good. Takes as much memory again as the frozen index has while it runs.
     * @throws {QhiveError} INVALID_STATE when it is frozen
     */
    freeze(options?: { onProgress?: (progress: IndexProgress) => void }): void;
    /**
     * The `k` nearest rows, or as many as there are: nearest first, rows at the same distance by label.
     * @throws {QhiveError} INVALID_ARGUMENT for a value that is not finite
     */
    search(vector: ArrayLike<number>, k: number, options?: IndexSearchOptions): { labels: Uint32Array; distances: Float32Array };
    /**
     * The same for many vectors in one call: rows of `k`. Where there are fewer rows, the rest has label 0xFFFFFFFF and distance
     * Infinity.
     */
    searchAll(vectors: Float32Array, k: number, options?: IndexSearchOptions): { labels: Uint32Array; distances: Float32Array };
    /** A set of rows to search in, by a function of the label or as a list of labels. @throws {QhiveError} INVALID_STATE before `freeze` */
    filter(allowed: ((label: number) => boolean) | Iterable<number>): IndexFilter;
    /** The frozen index as bytes, the same in every engine and build; with CRC-32C. @throws {QhiveError} INVALID_STATE before `freeze` */
    export(): Uint8Array;
    /** Gives its memory back. Afterwards every call throws STALE_HANDLE. @throws {QhiveError} BUSY while there are filters of it */
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

/** Rows of a frozen index, one bit each. While it is there its index cannot be freed. */
export interface IndexFilter {
    /** How many rows it allows. */
    readonly allowed: number;
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

/* ------------------------------------------------------------------ memory */

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
     * agents of one encoder), 'zones' (the safe zones, once), each agent by its
     * name, each batch as 'batch-<id>'. `quotaBytes` is Infinity where there is none.
     * agents of one encoder), each agent by its
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

/* ------------------------------------------------------------------ feature knowledge */

/** What is known of one function. Strings are well-formed (no lone surrogates); what is not named here is not kept. */
export interface Feature {
    /** Unique, 1..4096 bytes as UTF-8, such as "38.331 a3-Offset". */
    code: string;
    /** 1..4096 bytes. */
    name: string;
    /** 1..4096 bytes; searches can be limited to it. */
    category: string;
    /** In the words that people would search with. */
    description?: string;
    parameters?: string[];
    kpis?: string[];
    /** Codes of the features that must be active before this one. They may be loaded later. */
    requires?: string[];
    /** Exactly 64 finite numbers, from any embedding model, in place of the built-in vector. Of length other than 0; scaled to 1. */
    vector?: ArrayLike<number>;
}

export interface SearchHit {
    code: string;
    name: string;
    category: string;
    /** Fused and vector scores are at most 1; lexical ones have no upper limit. */
    score: number;
}

export interface SearchOptions {
    /** Hits at most, 0..1024, default 10. */
    k?: number;
    /** Only features of this category. */
    category?: string;
    /** 'lexical': BM25 over words and 3-grams; 'vector': cosine of 64-dim vectors; 'fused' (default): both. */
    mode?: 'fused' | 'lexical' | 'vector';
}

/**
 * A catalogue of features in linear memory: loaded, frozen, then read by all. Everything works offline and is deterministic: the same
 * features and the same query give the same hits and scores in every engine and build.
 */
export interface FeatureKnowledge {
    /**
     * Adds features, all or none. May be called again until `freeze`.
     *
     * `words` says which words mean the same in a search, a line for each meaning: "phone UE handset device"; a line that begins with
     * '-' lists words that do not count. By default a table of general English and of radio networks. That of the first load counts.
     *
     * @throws {QhiveError} INVALID_STATE once frozen; INVALID_ARGUMENT for a feature out of range or a code that comes twice;
     *   EXCEEDS_LIMIT past 64 MiB of text, or like GROWTH_FAILED and OVERFLOW when there is no memory
     */
    load(features: Iterable<Feature>, options?: { words?: string }): void;
    /** Nothing can be changed from now on, and agents that name a feature are tied to it. @throws {QhiveError} INVALID_STATE when it is frozen already */
    freeze(): void;
    /** Gives the catalogue back; another can be loaded then. @throws {QhiveError} BUSY while agents are tied to it */
    free(): void;
    /** Number of features. */
    readonly size: number;
    readonly frozen: boolean;
    /** Agents tied to a feature. */
    readonly references: number;
    /** Bytes of linear memory that it takes, once for all agents. */
    readonly bytes: number;
    /** The feature with this code, as it was loaded. */
    get(code: string): Feature | undefined;
    /**
     * The best features for a text, or the nearest to a vector of 64 numbers (then `score` is the cosine), best first; equals in the
     * order of loading. A text finds only what it shares terms with, or what is like that.
     */
    search(query: string | ArrayLike<number>, options?: SearchOptions): SearchHit[];
    /** The features most like this one by their vectors, itself first. @throws {QhiveError} INVALID_ARGUMENT for an unknown code */
    nearest(code: string, k?: number): SearchHit[];
    /**
     * These features and everything they need, each after its prerequisites.
     *
     * @throws {QhiveError} INVALID_ARGUMENT for an unknown code, asked for or needed, or where prerequisites form a cycle, which the
     *   message names
     */
    activationOrder(codes: string[]): string[];
}
