/**
 * `qhive/evaluate`: offline evaluation of a policy on logged decisions, without trying it.
 *
 * Contextual bandits: one decision, one reward. A log is n decisions; row i says that in context x_i
 * the behaviour policy mu took action a_i (0..k-1) with probability mu(a_i | x_i), and the reward was
 * r_i. Everything is deterministic; intervals are seeded.
 *
 * Every failure throws EvaluationError (`code: 'INVALID_ARGUMENT'`) naming the offending element: NaN,
 * a length that does not fit, an action out of range, a propensity outside (0, 1], probabilities that
 * do not sum to 1 (within 1e-6).
 *
 * References: Dudik, Langford, Li, Doubly Robust Policy Evaluation and Learning, ICML 2011 (direct
 * method, IPS, doubly robust); Swaminathan, Joachims, The Self-Normalized Estimator for Counterfactual
 * Learning, NeurIPS 2015 (SNIPS); Kong, A Note on Importance Sampling Using Standardized Weights, 1992
 * (effective sample size); Efron, Tibshirani, An Introduction to the Bootstrap, 1993 (intervals).
 */

/** n rows of k finite numbers: nested, or one flat row-major array of n * k. */
export type Rows = ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** A refused argument. Compare `code`, not the class: module formats have a class each. */
export class EvaluationError extends Error {
    readonly code: 'INVALID_ARGUMENT';
}

/** n logged decisions and the policy to evaluate on them. Exactly one of `target`, `targetActions`. */
export interface LoggedDecisions {
    /** k, 1..2^24. */
    actionCount: number;
    /** The logged action of each decision, integers 0..k-1. */
    actions: ArrayLike<number>;
    /** The logged reward of each decision, finite, any unit. */
    rewards: ArrayLike<number>;
    /** mu(a_i | x_i), the probability with which the logged action was taken, in (0, 1]. */
    propensities?: ArrayLike<number>;
    /** pi(a | x_i) of the policy to evaluate: n rows of k probabilities. */
    target?: Rows;
    /** The same for a deterministic policy: its action in each context, integers 0..k-1. */
    targetActions?: ArrayLike<number>;
    /** q(x_i, a), a reward model's prediction for every action: n rows of k; for DM and DR. */
    model?: Rows;
    /** Which decisions belong together (run, user, day): standard errors and intervals are then by cluster. */
    clusters?: ArrayLike<number | string>;
}

/** Seeded percentile bootstrap. */
export interface BootstrapOptions {
    /** Resamples, 10..1e7, default 1000. */
    replicates?: number;
    /** Coverage of the interval, 0.5..0.9999, default 0.95. */
    level?: number;
    /** 0..2^32-1, default 0. Same seed, same interval, in every engine. */
    seed?: number;
}

/** A percentile bootstrap interval. Covers sampling error, never the bias of a wrong model or propensity. */
export interface Interval {
    lower: number;
    upper: number;
    level: number;
    /** Standard deviation of the replicates. */
    standardError: number;
    replicates: number;
    /** Replicates in which the statistic was undefined (SNIPS without a matching decision), left out. */
    undefinedReplicates: number;
    seed: number;
}

/** What an estimator may add or cut. */
export interface EstimateOptions {
    /** Adds `interval`: true for the defaults. */
    bootstrap?: boolean | BootstrapOptions;
    /** Largest importance weight, > 0; default none. Less variance, but biased (Ionides 2008). */
    clip?: number;
}

/** One estimated value, with how sure it is. */
export interface Estimate {
    estimator: 'logged' | 'direct-method' | 'ips' | 'snips' | 'doubly-robust';
    /** Estimated mean reward per decision. NaN where undefined (SNIPS with all weights 0). */
    value: number;
    /** Decisions read. */
    n: number;
    /** Variance per decision (plug-in, divided by n); for SNIPS that of its linearisation. */
    variance: number;
    /** Standard error of `value`, by cluster where clusters are given; NaN with fewer than two of them. */
    standardError: number;
    /** With `bootstrap`. */
    interval?: Interval;
}

/** Mean logged reward: the behaviour policy's own value. */
export function loggedValue(log: Pick<LoggedDecisions, 'rewards' | 'clusters'>, options?: EstimateOptions): Estimate;

/**
 * Direct method: mean over the logged contexts of sum_a pi(a | x) q(x, a). As right as the model is
 * where the target goes; its standard error leaves out the model's error.
 */
export function directMethod(log: Pick<LoggedDecisions, 'actionCount' | 'target' | 'targetActions' | 'model' | 'clusters'>, options?: EstimateOptions): Estimate;

/** Inverse propensity scoring, mean of w r with w = pi / mu. Unbiased with right propensities and full support. */
export function inversePropensityScoring(log: LoggedDecisions, options?: EstimateOptions): Estimate;

/** Self-normalised IPS, sum(w r) / sum(w). Consistent; stays within the range of the rewards. */
export function selfNormalizedIps(log: LoggedDecisions, options?: EstimateOptions): Estimate;

/** Doubly robust: direct method plus weighted residual. Unbiased when the model or the propensities are right. */
export function doublyRobust(log: LoggedDecisions, options?: EstimateOptions): Estimate;

/** w_i = pi(a_i | x_i) / mu(a_i | x_i), cut at `clip`. Rewards are not read. */
export function importanceWeights(log: Omit<LoggedDecisions, 'rewards'>, options?: Pick<EstimateOptions, 'clip'>): Float64Array;

/** (sum w)^2 / sum w^2, 0..n; 0 when every weight is 0. Weights finite and >= 0. */
export function effectiveSampleSize(weights: ArrayLike<number>): number;

/** Thresholds of the coverage warnings. */
export interface CoverageLimits {
    /** THIN_COVERAGE below this effective sample size; default 100. */
    effectiveSampleSize: number;
    /** THIN_COVERAGE below this share of n; default 0.1. */
    effectiveRatio: number;
    /** DOMINANT_WEIGHT above this share of all weight in one decision; default 0.1. */
    weightShare: number;
    /** BIASED_WEIGHTS when the mean weight is more standard errors than this from 1; default 3. */
    meanWeightErrors: number;
}
export const COVERAGE_LIMITS: Readonly<CoverageLimits>;
export const BOOTSTRAP_DEFAULTS: Readonly<Required<BootstrapOptions>>;

/** A reason not to trust a figure. Never changes the figure. */
export interface Warning {
    /**
     * - NO_OVERLAP: no logged action is one the target takes
     * - THIN_COVERAGE: small effective sample size
     * - DOMINANT_WEIGHT: one decision decides much of the estimate
     * - BIASED_WEIGHTS: weights do not average 1
     * - ESTIMATED_PROPENSITIES: the log had none; `value` is decisions per estimated cell
     */
    code: 'NO_OVERLAP' | 'THIN_COVERAGE' | 'DOMINANT_WEIGHT' | 'BIASED_WEIGHTS' | 'ESTIMATED_PROPENSITIES';
    /** For people. */
    message: string;
    /** What was measured. */
    value: number;
    /** What would have been well. */
    limit: number;
}

/** How well a log covers the target policy. */
export interface Coverage {
    n: number;
    /** Decisions with a weight above 0: logged actions that the target could have taken. */
    matched: number;
    effectiveSampleSize: number;
    /** effectiveSampleSize / n, 0..1. */
    effectiveRatio: number;
    meanWeight: number;
    maxWeight: number;
    /** Share of all weight in the heaviest decision, 0..1. */
    maxWeightShare: number;
    warnings: Warning[];
}

/** Coverage of the target by a log, from its uncut importance weights. */
export function coverage(weights: ArrayLike<number>, limits?: Partial<CoverageLimits>): Coverage;

/** Logged actions from which the behaviour policy is estimated. */
export interface PropensityData {
    actionCount: number;
    actions: ArrayLike<number>;
    /** What the behaviour policy saw, as one key per decision; omitted: all decisions share one context. */
    contexts?: ArrayLike<number | string>;
    /** Pseudo-decisions per action, >= 0, default 1 (Laplace). 0: plain frequencies. */
    smoothing?: number;
    /** Pseudo-decisions per context, distributed as all logged actions are, >= 0, default 0. */
    backoff?: number;
}

/** An estimated behaviour policy. */
export interface BehaviourPolicy {
    /** mu(a_i | x_i) of each logged decision, ready for `propensities`; in (0, 1]. */
    propensities: Float64Array;
    /** mu(a | x) of any action; the action's overall frequency in a context never seen. */
    probability(context: number | string, action: number): number;
    contextCount: number;
    /** n / (contexts * k): below about 10 the estimate is coarse. */
    decisionsPerCell: number;
    /** How it was estimated, in words, for reports. */
    method: string;
}

/**
 * Behaviour policy from logged actions, tabular:
 * (n(x,a) + smoothing) / (n(x) + k smoothing), or with backoff b
 * (n(x,a) + b p(a)) / (n(x) + b), p(a) = (n(a) + smoothing) / (n + k smoothing).
 */
export function estimatePropensities(data: PropensityData): BehaviourPolicy;

/** Logged actions and rewards to which a reward model is fitted. */
export interface RewardData {
    actionCount: number;
    actions: ArrayLike<number>;
    rewards: ArrayLike<number>;
    /** One key per decision; omitted: all decisions share one context. */
    contexts?: ArrayLike<number | string>;
    /** Pseudo-observations m >= 0 that pull a cell to its action's mean and that to the overall mean; default 1. */
    pseudoCount?: number;
}

/** A tabular reward model. */
export interface RewardModel {
    /** q(x, a). */
    predict(context: number | string, action: number): number;
    /** q for every action of each context, contexts.length * k, row-major: `model` of the estimators. */
    rows(contexts: ArrayLike<number | string>): Float64Array;
    /** Decisions behind a cell. */
    count(context: number | string, action: number): number;
}

/** Tabular reward model with shrinkage: (sum r(x,a) + m q(a)) / (n(x,a) + m), q(a) = (sum r(a) + m mean) / (n(a) + m). */
export function fitRewardModel(data: RewardData): RewardModel;

/**
 * Cross-fitted reward model, n * k row-major: row i comes from a model that saw nothing of i's fold
 * (Chernozhukov et al. 2018). At least two different folds.
 */
export function crossFitRewardModel(data: RewardData & { folds: ArrayLike<number | string> }): Float64Array;

/** Options of evaluatePolicy. */
export interface EvaluationOptions extends EstimateOptions {
    limits?: Partial<CoverageLimits>;
}

/** Every estimator on one log, and the reasons not to trust them. */
export interface PolicyEvaluation {
    n: number;
    /** Independent groups: clusters where given, else n. */
    clusters: number;
    propensities: { source: 'given' | 'estimated'; method: string };
    logged: Estimate;
    /** null without `model`. */
    directMethod: Estimate | null;
    ips: Estimate;
    snips: Estimate;
    /** null without `model`. */
    doublyRobust: Estimate | null;
    coverage: Coverage;
    /** Those of `coverage`, and ESTIMATED_PROPENSITIES where it applies. */
    warnings: Warning[];
}

/**
 * All estimators on one log. Missing `propensities` are estimated from `contexts` and `actions`
 * (estimatePropensities with `smoothing` and `backoff`), which a warning states.
 */
export function evaluatePolicy(
    log: LoggedDecisions & Pick<PropensityData, 'contexts' | 'smoothing' | 'backoff'>,
    options?: EvaluationOptions,
): PolicyEvaluation;

/**
 * Seeded percentile bootstrap of any statistic. `statistic` gets the drawn decisions (n indices; with
 * clusters, all decisions of as many drawn clusters as there are) and returns a number, NaN where undefined.
 */
export function bootstrapInterval(
    n: number,
    statistic: (indices: Uint32Array) => number,
    options?: BootstrapOptions & { clusters?: ArrayLike<number | string> },
): Interval;
