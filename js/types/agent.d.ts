/** Agents: configuration, calls, batches. */
import type { QhiveError } from './errors.js';
import type { ParameterChange, SafeZones } from './safe-zones.js';
import type { SearchHit } from './knowledge.js';

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
    /**
     * The group it is merged with, counted in and addressed through: well-formed, at most 4096 bytes as UTF-8. Default: the category of its feature,
     * where it has one that is known.
     */
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
     * The same in slices of `sliceMs` (default 8) with a turn of the event loop between them, so that a page stays alive: it learns just
     * what `replay` learns, if nothing else is asked of the agent meanwhile. An abort rejects with the signal's reason; what was learned stays.
     */
    replayAsync(count: number, options?: { sliceMs?: number; onProgress?: (progress: ReplayProgress) => void; signal?: AbortSignal }): Promise<number>;
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
    /**
     * Makes the agent this thread's own until `release`: its calls are then a little faster, and nobody comes in between. False: another thread has
     * it. Without threads always true.
     */
    claim(): boolean;
    /** Ends a claim; nothing without one. @throws {QhiveError} BUSY where another thread has it */
    release(): void;
    /** The number of the thread that has claimed the agent, or is using it; 0: none. */
    readonly owner: number;
    /** Forgets everything learned and starts its random numbers again; the configuration stays. */
    reset(): void;
    /** Gives all its memory back. Afterwards every call throws STALE_HANDLE. */
    free(): void;
    /** The same, but does nothing when it is freed already. */
    [Symbol.dispose](): void;
}

/** How far a replay is. */
export interface ReplayProgress {
    /** Transitions learned from. */
    replayed: number;
    /** Transitions to learn from. */
    count: number;
    done: boolean;
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
