/**
 * Tables counted from a log: the behaviour policy where its propensities were not written down, and a
 * reward model where there is none. Both are smoothed towards what the log says of the action alone,
 * by a stated number of pseudo-observations, so that a cell seen once is not believed outright.
 *
 *   mu(a | x) = (n(x, a) + backoff * p(a)) / (n(x) + backoff),  p(a) = (n(a) + smoothing) / (n + k smoothing)
 *   q(x, a)   = (sum r(x, a) + m * q(a)) / (n(x, a) + m),       q(a) = (sum r(a) + m * mean r) / (n(a) + m)
 *
 * with m = pseudoCount. `backoff: 0` is the plain Laplace (Lidstone) estimate within each context,
 *   mu(a | x) = (n(x, a) + smoothing) / (n(x) + k smoothing).
 *
 * What no table can mend: a context too coarse leaves confounding (the behaviour policy saw more than
 * the table does); one too fine leaves cells with one decision each, whose estimated propensity is
 * near 1 whatever the true one was.
 */
import { actionList, check, finiteNumbers, integer, nonNegative, readActionCount, readGroups } from './input.js';

/**
 * Counts and sums per (context, action), per context and per action.
 */
class Tally {
    /** @param {number} k actions */
    constructor(k) {
        this.k = k;
        this.rows = new Map();
        this.actionCounts = new Float64Array(k);
        this.actionSums = new Float64Array(k);
        this.n = 0;
        this.sum = 0;
    }

    /**
     * @param {number | string} context
     * @param {number} action
     * @param {number} reward
     */
    add(context, action, reward) {
        let row = this.rows.get(context);
        if (!row) {
            row = { counts: new Float64Array(this.k), sums: new Float64Array(this.k), n: 0 };
            this.rows.set(context, row);
        }
        row.counts[action]++;
        row.sums[action] += reward;
        row.n++;
        this.actionCounts[action]++;
        this.actionSums[action] += reward;
        this.n++;
        this.sum += reward;
    }
}

/**
 * @param {{ contexts?: ArrayLike<number | string>, actions: ArrayLike<number>, actionCount: number }} data
 * @returns {{ k: number, actions: Int32Array, contexts: ArrayLike<number | string> }}
 */
function readCells(data) {
    const k = readActionCount(data);
    const actions = actionList(data.actions, 'actions', -1, k);
    const contexts = data.contexts ?? new Uint8Array(actions.length);
    readGroups(contexts, 'contexts', actions.length);
    return { k, actions, contexts };
}

/**
 * Behaviour policy estimated from the logged actions alone (rewards are not read).
 *
 * Estimating mu from the very decisions it then weights is usual and, with few cells, lowers the
 * variance; but the estimators are no longer unbiased in finite samples.
 *
 * @param {import('../../types/evaluate.d.ts').PropensityData} data contexts: one key (number or
 *   string) per decision, omitted: all decisions share one context; smoothing: pseudo-counts per
 *   action, >= 0, default 1; backoff: pseudo-decisions distributed like all logged actions, added to
 *   each context, >= 0, default 0
 * @returns {import('../../types/evaluate.d.ts').BehaviourPolicy}
 * @throws {EvaluationError}
 */
export function estimatePropensities(data) {
    const { k, actions, contexts } = readCells(data);
    const smoothing = nonNegative(data.smoothing ?? 1, 'smoothing');
    const backoff = nonNegative(data.backoff ?? 0, 'backoff');
    const tally = new Tally(k);
    actions.forEach((a, i) => tally.add(contexts[i], a, 0));
    const marginal = tally.actionCounts.map((c) => (c + smoothing) / (tally.n + k * smoothing));
    const cell = (row, action) => (backoff > 0
        ? (row.counts[action] + backoff * marginal[action]) / (row.n + backoff)
        : (row.counts[action] + smoothing) / (row.n + k * smoothing));
    return {
        propensities: Float64Array.from(actions, (a, i) => cell(tally.rows.get(contexts[i]), a)),
        probability: (context, action) => {
            integer(action, 'action', 0, k - 1);
            const row = tally.rows.get(context);
            return row ? cell(row, action) : marginal[action];
        },
        contextCount: tally.rows.size,
        decisionsPerCell: tally.n / (tally.rows.size * k),
        method: backoff > 0
            ? `tabular over ${tally.rows.size} contexts x ${k} actions, backing off to the action frequencies with ${backoff} pseudo-decisions per context (smoothing ${smoothing})`
            : `tabular over ${tally.rows.size} contexts x ${k} actions, ${smoothing} pseudo-decisions per action`,
    };
}

/**
 * @param {Tally} tally
 * @param {number} m pseudo-observations
 * @returns {(context: number | string, action: number) => number} q(x, a)
 */
function predictor(tally, m) {
    const mean = tally.n > 0 ? tally.sum / tally.n : 0;
    const byAction = tally.actionSums.map((s, a) => (tally.actionCounts[a] + m > 0 ? (s + m * mean) / (tally.actionCounts[a] + m) : mean));
    return (context, action) => {
        const row = tally.rows.get(context);
        const count = row ? row.counts[action] : 0;
        return count + m > 0 ? ((row ? row.sums[action] : 0) + m * byAction[action]) / (count + m) : byAction[action];
    };
}

/**
 * @param {import('../../types/evaluate.d.ts').RewardData} data
 * @returns {{ k: number, actions: Int32Array, contexts: ArrayLike<number | string>, rewards: Float64Array, m: number }}
 */
function readRewards(data) {
    const cells = readCells(data);
    return {
        ...cells,
        rewards: finiteNumbers(data.rewards, 'rewards', cells.actions.length),
        m: nonNegative(data.pseudoCount ?? 1, 'pseudoCount'),
    };
}

/**
 * @param {(context: number | string, action: number) => number} predict
 * @param {ArrayLike<number | string>} contexts
 * @param {number} k
 * @returns {Float64Array} contexts.length * k, row-major
 */
function predictAll(predict, contexts, k) {
    const rows = new Float64Array(contexts.length * k);
    for (let i = 0; i < contexts.length; i++) {
        for (let a = 0; a < k; a++) rows[i * k + a] = predict(contexts[i], a);
    }
    return rows;
}

/**
 * Tabular reward model: cell means, shrunk to the action's mean, which is shrunk to the overall mean.
 *
 * @param {import('../../types/evaluate.d.ts').RewardData} data pseudoCount: pseudo-observations m at
 *   each of the two levels, >= 0, default 1
 * @returns {import('../../types/evaluate.d.ts').RewardModel}
 * @throws {EvaluationError}
 */
export function fitRewardModel(data) {
    const { k, actions, contexts, rewards, m } = readRewards(data);
    const tally = new Tally(k);
    actions.forEach((a, i) => tally.add(contexts[i], a, rewards[i]));
    const predict = predictor(tally, m);
    return {
        predict: (context, action) => predict(context, integer(action, 'action', 0, k - 1)),
        rows: (list) => predictAll(predict, list, k),
        count: (context, action) => tally.rows.get(context)?.counts[integer(action, 'action', 0, k - 1)] ?? 0,
    };
}

/**
 * Cross-fitted reward model: row i is predicted by a model that saw no decision of i's fold, so that
 * no reward explains itself (Chernozhukov et al., Double/debiased machine learning, Econometrics
 * Journal 21, 2018). Folds should be blocks that do not share noise: runs, users, stretches of time.
 *
 * @param {import('../../types/evaluate.d.ts').RewardData & { folds: ArrayLike<number | string> }} data
 *   folds: one key per decision, at least two different
 * @returns {Float64Array} n * k, row-major: `model` of the estimators
 * @throws {EvaluationError}
 */
export function crossFitRewardModel(data) {
    const { k, actions, contexts, rewards, m } = readRewards(data);
    const folds = readGroups(data.folds, 'folds', actions.length) ?? { index: new Int32Array(), count: 0 };
    check(folds.count > 1, () => 'folds must be given: one key per decision, at least two different keys');
    const model = new Float64Array(actions.length * k);
    for (let f = 0; f < folds.count; f++) {
        const tally = new Tally(k);
        actions.forEach((a, i) => { if (folds.index[i] !== f) tally.add(contexts[i], a, rewards[i]); });
        const predict = predictor(tally, m);
        for (let i = 0; i < actions.length; i++) {
            if (folds.index[i] !== f) continue;
            for (let a = 0; a < k; a++) model[i * k + a] = predict(contexts[i], a);
        }
    }
    return model;
}
