/**
 * One call for the usual question: what would this policy have earned on that log, and can the answer
 * be trusted? All estimators side by side, and warnings as objects where the log covers the target
 * thinly. A warning never changes a figure.
 */
import {
    directMethod, doublyRobust, effectiveSampleSize, importanceWeights, inversePropensityScoring, loggedValue, selfNormalizedIps,
} from './estimators.js';
import { actionList, check, nonNegative, numbers, readActionCount, readGroups } from './input.js';
import { estimatePropensities } from './tabular.js';

/**
 * Below which a warning is raised.
 *
 * - effectiveSampleSize 100: a standard error of a tenth of the rewards' standard deviation at best.
 * - effectiveRatio 0.1: nine decisions in ten carry no information on the target.
 * - weightShare 0.1: one decision decides a tenth of the estimate.
 * - meanWeightErrors 3: weights average 1 when the propensities are right and cover the target; so
 *   many standard errors away they are not, or do not.
 *
 * @type {Readonly<import('../../types/evaluate.d.ts').CoverageLimits>}
 */
export const COVERAGE_LIMITS = Object.freeze({ effectiveSampleSize: 100, effectiveRatio: 0.1, weightShare: 0.1, meanWeightErrors: 3 });

/** Of a mean of weights: far below any deviation worth a warning. */
const ROUNDING = 1e-9;

/**
 * @param {number} x
 * @returns {string} short, for messages
 */
function short(x) {
    return Number.isInteger(x) ? String(x) : x.toPrecision(3);
}

/**
 * @param {Float64Array} w
 * @returns {{ mean: number, error: number }} mean weight and its standard error
 */
function meanWeight(w) {
    let mean = 0;
    for (const x of w) mean += x / w.length;
    let squares = 0;
    for (const x of w) squares += (x - mean) ** 2;
    return { mean, error: w.length > 1 ? Math.sqrt(squares / (w.length - 1) / w.length) : Infinity };
}

/**
 * How well a log covers the target policy, from the importance weights.
 *
 * @param {ArrayLike<number>} weights >= 0, uncut, as importanceWeights() gives them
 * @param {Partial<import('../../types/evaluate.d.ts').CoverageLimits>} [limits] default COVERAGE_LIMITS
 * @returns {import('../../types/evaluate.d.ts').Coverage}
 * @throws {EvaluationError}
 */
export function coverage(weights, limits = {}) {
    const bounds = { ...COVERAGE_LIMITS, ...limits };
    for (const [name, value] of Object.entries(bounds)) nonNegative(value, `limits.${name}`);
    const w = numbers(weights, 'weights', -1, (x) => x >= 0 && x < Infinity, 'a finite weight >= 0');
    const n = w.length;
    const ess = effectiveSampleSize(w);
    const { mean, error } = meanWeight(w);
    const matched = w.reduce((count, x) => count + (x > 0 ? 1 : 0), 0);
    const maxWeight = w.reduce((a, b) => Math.max(a, b), 0);
    const maxWeightShare = mean > 0 ? maxWeight / (mean * n) : 0;
    /** @type {import('../../types/evaluate.d.ts').Warning[]} */
    const warnings = [];
    /** @type {(code: import('../../types/evaluate.d.ts').Warning['code'], message: string, value: number, limit: number) => void} */
    const warn = (code, message, value, limit) => void warnings.push({ code, message, value, limit });
    if (matched === 0) {
        warn('NO_OVERLAP', `none of the ${n} logged actions is one the target policy would take: nothing can be said of it without a model`, 0, 1);
    } else if (ess < bounds.effectiveSampleSize || ess / n < bounds.effectiveRatio) {
        warn('THIN_COVERAGE', `${n} decisions weigh as much as ${short(ess)} (${short((100 * ess) / n)} %): importance-weighted values are unreliable`,
            ess, Math.max(bounds.effectiveSampleSize, bounds.effectiveRatio * n));
    }
    if (maxWeightShare > bounds.weightShare) {
        warn('DOMINANT_WEIGHT', `one decision carries ${short(100 * maxWeightShare)} % of all weight`, maxWeightShare, bounds.weightShare);
    }
    if (matched > 0 && Math.abs(mean - 1) > bounds.meanWeightErrors * error + ROUNDING) {
        warn('BIASED_WEIGHTS', `the weights average ${short(mean)} instead of 1: the propensities are off, or the log lacks actions the target takes`, mean, 1);
    }
    return { n, matched, effectiveSampleSize: ess, effectiveRatio: ess / n, meanWeight: mean, maxWeight, maxWeightShare, warnings };
}

/**
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions & import('../../types/evaluate.d.ts').PropensityData} log
 * @returns {{ propensities: ArrayLike<number>, source: 'given' | 'estimated', method: string, warnings: import('../../types/evaluate.d.ts').Warning[] }}
 */
function behaviourOf(log) {
    if (log.propensities !== undefined) {
        return { propensities: log.propensities, source: 'given', method: 'as logged', warnings: [] };
    }
    const { propensities, method, decisionsPerCell } = estimatePropensities(log);
    /** @type {import('../../types/evaluate.d.ts').Warning[]} */
    const warnings = [{
        code: 'ESTIMATED_PROPENSITIES',
        message: `no propensities were logged; estimated from the logged actions: ${method}; ${short(decisionsPerCell)} decisions per cell`,
        value: decisionsPerCell,
        limit: 0,
    }];
    return { propensities, source: 'estimated', method, warnings };
}

/**
 * Every estimator on one log. Where `propensities` are missing the behaviour policy is estimated from
 * `contexts` and `actions` (tabular, see estimatePropensities: `smoothing`, `backoff`), and a warning
 * says so. Without `model` the direct method and doubly robust are null.
 *
 * @param {import('../../types/evaluate.d.ts').LoggedDecisions & import('../../types/evaluate.d.ts').PropensityData} log
 * @param {import('../../types/evaluate.d.ts').EvaluationOptions} [options] clip: largest weight of IPS,
 *   SNIPS and DR; bootstrap: true or options adds seeded intervals; limits: see COVERAGE_LIMITS
 * @returns {import('../../types/evaluate.d.ts').PolicyEvaluation}
 * @throws {EvaluationError}
 */
export function evaluatePolicy(log, options = {}) {
    const k = readActionCount(log);
    const actions = actionList(log.actions, 'actions', -1, k);
    check(typeof options === 'object' && options !== null, () => 'options must be an object');
    const behaviour = behaviourOf(log);
    const full = { ...log, propensities: behaviour.propensities };
    const covered = coverage(importanceWeights(full), options.limits);
    return {
        n: actions.length,
        clusters: readGroups(log.clusters, 'clusters', actions.length)?.count ?? actions.length,
        propensities: { source: behaviour.source, method: behaviour.method },
        logged: loggedValue(full, options),
        directMethod: log.model === undefined ? null : directMethod(full, options),
        ips: inversePropensityScoring(full, options),
        snips: selfNormalizedIps(full, options),
        doublyRobust: log.model === undefined ? null : doublyRobust(full, options),
        coverage: covered,
        warnings: [...behaviour.warnings, ...covered.warnings],
    };
}
