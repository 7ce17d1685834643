/**
 * The four estimators of the value of a target policy pi from decisions logged under a behaviour
 * policy mu, for contextual bandits: one decision, one reward, contexts drawn independently of the
 * policy. With w_i = pi(a_i | x_i) / mu(a_i | x_i) and a reward model q(x, a):
 *
 *   direct method   mean of sum_a pi(a | x_i) q(x_i, a)
 *   IPS             mean of w_i r_i                                   (Horvitz and Thompson 1952)
 *   SNIPS           sum of w_i r_i / sum of w_i                       (Swaminathan and Joachims 2015)
 *   doubly robust   mean of sum_a pi(a | x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i))   (Dudik et al. 2011)
 *
 * | | unbiased when | variance |
 * |---|---|---|
 * | direct method | q is right wherever pi goes | smallest |
 * | IPS | mu is right and mu > 0 wherever pi > 0 | E[w^2 r^2]: explodes with w; shifts with r + c |
 * | SNIPS | never, but consistent as IPS | bounded by the range of r; equivariant under r + c |
 * | doubly robust | q is right, or mu is right (with support) | that of IPS on the residual r - q |
 *
 * Each is sum(numerator) / sum(denominator) over the decisions (denominator 1, or w for SNIPS), so one
 * function gives value, per-decision variance, standard error and interval of all of them. The
 * variance of the ratio is that of its linearisation (delta method): e_i = (num_i - v den_i) / mean(den).
 *
 * In a sequential problem these value one decision under pi with the contexts that mu met, not the
 * return of following pi.
 *
 * References: Dudik, Langford, Li, Doubly Robust Policy Evaluation and Learning, ICML 2011;
 * Swaminathan, Joachims, The Self-Normalized Estimator for Counterfactual Learning, NeurIPS 2015;
 * Kong, A Note on Importance Sampling Using Standardized Weights, University of Chicago, 1992;
 * Ionides, Truncated Importance Sampling, JCGS 17, 2008 (the `clip` option).
 */
import { ratioInterval } from './bootstrap.js';
import {
    actionList, check, finiteNumbers, flatRows, nonNegative, numbers, readActionCount, readGroups, readPropensities, readTarget,
} from './input.js';

/**
 * @param {Float64Array} values
 * @returns {number} their sum, compensated (Neumaier 1974), so that a long log loses no digits
 */
function sum(values) {
    let total = 0;
    let lost = 0;
    for (const v of values) {
        const next = total + v;
        lost += Math.abs(total) >= Math.abs(v) ? total - next + v : v - next + total;
        total = next;
    }
    return total + lost;
}

/**
 * @param {Float64Array} errors linearised deviations e_i, mean 0
 * @param {{ index: Int32Array, count: number } | undefined} groups
 * @returns {number} standard error of the mean; NaN with fewer than two decisions or clusters
 */
function standardErrorOf(errors, groups) {
    let grouped = errors;
    if (groups) {
        grouped = new Float64Array(groups.count);
        errors.forEach((e, i) => { grouped[groups.index[i]] += e; });
    }
    const g = grouped.length;
    return g < 2 ? NaN : Math.sqrt((g / (g - 1)) * sum(grouped.map((e) => e * e))) / errors.length;
}

/**
 * @param {import('../../types/evaluate.d.ts').Estimate['estimator']} estimator
 * @param {Float64Array} numerator per decision
 * @param {Float64Array} denominator per decision
 * @param {{ clusters?: ArrayLike<number | string> }} log
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 */
function estimate(estimator, numerator, denominator, log, options = {}) {
    const n = numerator.length;
    const groups = readGroups(log.clusters, 'clusters', n);
    const total = sum(denominator);
    const value = sum(numerator) / total;
    const errors = numerator.map((x, i) => ((x - value * denominator[i]) * n) / total);
    /** @type {import('../../types/evaluate.d.ts').Estimate} */
    const result = { estimator, value, n, variance: sum(errors.map((e) => e * e)) / n, standardError: standardErrorOf(errors, groups) };
    if (options.bootstrap) {
        result.interval = ratioInterval(numerator, denominator, groups, options.bootstrap === true ? {} : options.bootstrap);
    }
    return result;
}

/**
 * @param {number} n
 * @returns {Float64Array} n ones
 */
function ones(n) {
    return new Float64Array(n).fill(1);
}

/**
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log
 * @param {{ clip?: number }} [options]
 * @returns {{ k: number, actions: Int32Array, target: import('./input.js').Target, weights: Float64Array }}
 */
function weighted(log, options = {}) {
    const k = readActionCount(log);
    const actions = actionList(log.actions, 'actions', -1, k);
    const propensities = readPropensities(log.propensities, actions.length);
    const target = readTarget(log, actions.length, k);
    const clip = options.clip === undefined ? Infinity : nonNegative(options.clip, 'clip', Number.MIN_VALUE);
    const weights = propensities.map((p, i) => Math.min(clip, target.probability(i, actions[i]) / p));
    return { k, actions, target, weights };
}

/**
 * Importance weights w_i = pi(a_i | x_i) / mu(a_i | x_i), cut at `clip`.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log rewards are not read
 * @param {{ clip?: number }} [options] clip: largest weight, > 0; default none (biased, less variance)
 * @returns {Float64Array} one per decision, >= 0
 * @throws {EvaluationError}
 */
export function importanceWeights(log, options) {
    return weighted(log, options).weights;
}

/**
 * Effective sample size of weighted decisions, (sum w)^2 / sum w^2 (Kong 1992): as many equally
 * weighted decisions would carry about this much information. 0 when every weight is 0.
 *
 * @param {ArrayLike<number>} weights >= 0, finite, at least one
 * @returns {number} 0..n
 * @throws {EvaluationError}
 */
export function effectiveSampleSize(weights) {
    const w = numbers(weights, 'weights', -1, (x) => x >= 0 && x < Infinity, 'a finite weight >= 0');
    const total = sum(w);
    return total === 0 ? 0 : (total * total) / sum(w.map((x) => x * x));
}

/**
 * Mean logged reward: the value of the behaviour policy, on-policy.
 *
 * @param {{ rewards: ArrayLike<number>, clusters?: ArrayLike<number | string> }} log
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 * @throws {EvaluationError}
 */
export function loggedValue(log, options) {
    check(typeof log === 'object' && log !== null, () => 'a log object is needed');
    const rewards = finiteNumbers(log.rewards, 'rewards');
    return estimate('logged', rewards, ones(rewards.length), log, options);
}

/**
 * Direct method (Dudik et al. 2011, section 2.1): what the reward model says of the target policy, in
 * the logged contexts. As right as the model is where the target goes; the standard error and the
 * interval cover the contexts' spread only, NOT the model's error.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log reads actionCount, target or
 *   targetActions, model, clusters
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 * @throws {EvaluationError}
 */
export function directMethod(log, options) {
    const k = readActionCount(log);
    const target = readTarget(log, -1, k);
    const model = flatRows(log.model, 'model', target.n, k);
    const expected = Float64Array.from({ length: target.n }, (_, i) => target.expectation(i, model));
    return estimate('direct-method', expected, ones(target.n), log, options);
}

/**
 * Inverse propensity scoring (Horvitz and Thompson 1952; Dudik et al. 2011, section 2.2): mean of
 * w_i r_i. Unbiased when the propensities are right, no weight is cut and every action of the target
 * can be logged.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 * @throws {EvaluationError}
 */
export function inversePropensityScoring(log, options) {
    const { weights } = weighted(log, options);
    const rewards = finiteNumbers(log.rewards, 'rewards', weights.length);
    return estimate('ips', weights.map((w, i) => w * rewards[i]), ones(weights.length), log, options);
}

/**
 * Self-normalised IPS (Swaminathan and Joachims 2015): sum of w_i r_i over sum of w_i. Stays within
 * the range of the rewards. NaN when no logged action is one of the target's.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 * @throws {EvaluationError}
 */
export function selfNormalizedIps(log, options) {
    const { weights } = weighted(log, options);
    const rewards = finiteNumbers(log.rewards, 'rewards', weights.length);
    return estimate('snips', weights.map((w, i) => w * rewards[i]), weights, log, options);
}

/**
 * Doubly robust (Dudik et al. 2011, equation 2): the direct method plus the weighted residual of the
 * model. Right when either the model or the propensities are.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions} log
 * @param {import('../../types/evaluate.d.ts').EstimateOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Estimate}
 * @throws {EvaluationError}
 */
export function doublyRobust(log, options) {
    const { k, actions, target, weights } = weighted(log, options);
    const rewards = finiteNumbers(log.rewards, 'rewards', weights.length);
    const model = flatRows(log.model, 'model', weights.length, k);
    const terms = weights.map((w, i) => target.expectation(i, model) + w * (rewards[i] - model[i * k + actions[i]]));
    return estimate('doubly-robust', terms, ones(terms.length), log, options);
}
