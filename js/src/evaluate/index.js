/**
 * `qhive/evaluate`: what would another policy have earned on a log, without trying it?
 *
 * Pure JavaScript without dependencies, separate from the WebAssembly core, usable in Node, browsers
 * and workers. Deterministic: no clock, no entropy; intervals draw from a seeded generator and are the
 * same in every engine.
 *
 *     import { evaluatePolicy } from 'qhive/evaluate';
 *     const result = evaluatePolicy({ actionCount: 3, actions, rewards, propensities, target, model }, { bootstrap: { seed: 1 } });
 *     result.doublyRobust.value; result.warnings;
 *
 * Every failure is an Error with `code: 'INVALID_ARGUMENT'` that names the offending element.
 *
 * @module qhive/evaluate
 */
export { BOOTSTRAP_DEFAULTS, bootstrapInterval } from './bootstrap.js';
export {
    directMethod,
    doublyRobust,
    effectiveSampleSize,
    importanceWeights,
    inversePropensityScoring,
    loggedValue,
    selfNormalizedIps,
} from './estimators.js';
export { EvaluationError } from './input.js';
export { COVERAGE_LIMITS, coverage, evaluatePolicy } from './policy.js';
export { crossFitRewardModel, estimatePropensities, fitRewardModel } from './tabular.js';
