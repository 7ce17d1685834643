import * as evaluate from '../../js/src/evaluate/index.js';
import { enumerated } from './enumeration.js';

const { evaluatePolicy, EvaluationError } = evaluate;

/** The enumerated log with element `i` of `field` replaced. */
function broken(field, i, value) {
    const log = enumerated();
    log[field] = [...log[field]];
    log[field][i] = value;
    return log;
}

describe('refused input: an error with a code, naming the place', () => {
    test.each([
        ['propensity 0', broken('propensities', 3, 0), /propensities\[3\] is 0.*\(0, 1\]/],
        ['propensity < 0', broken('propensities', 3, -0.1), /propensities\[3\] is -0\.1/],
        ['propensity > 1', broken('propensities', 3, 1.5), /propensities\[3\] is 1\.5/],
        ['propensity NaN', broken('propensities', 3, NaN), /propensities\[3\] is NaN/],
        ['reward NaN', broken('rewards', 49, NaN), /rewards\[49\] is NaN, expected a finite number/],
        ['reward infinite', broken('rewards', 0, Infinity), /rewards\[0\] is Infinity/],
        ['reward a string', broken('rewards', 0, '1'), /rewards\[0\] is "1"/],
        ['action out of range', broken('actions', 1, 3), /actions\[1\] is 3, expected an action 0\.\.2/],
        ['action negative', broken('actions', 1, -1), /actions\[1\] is -1/],
        ['action fractional', broken('actions', 1, 0.5), /actions\[1\] is 0\.5/],
        ['target row does not sum to 1', broken('target', 2, [0.5, 0.4, 0.2]), /target, decision 2: the probabilities sum to 1\.1/],
        ['target probability < 0', broken('target', 2, [-0.1, 0.6, 0.5]), /target, decision 2, action 0: -0\.1/],
        ['target row too short', broken('target', 2, [0.5, 0.5]), /target\[2\] has 2 elements, expected 3/],
        ['model NaN', broken('model', 5, [0, NaN, 0]), /model\[5\]\[1\] is NaN/],
        ['rewards too short', { ...enumerated(), rewards: [1, 2] }, /rewards has 2 elements, expected 50/],
        ['propensities too long', { ...enumerated(), propensities: new Array(51).fill(0.5) }, /propensities has 51 elements, expected 50/],
        ['target too short', { ...enumerated(), target: [[1, 0, 0]] }, /target has 1 rows, expected 50/],
        ['flat model of the wrong length', { ...enumerated(), model: new Float64Array(149) }, /model has 149 elements, expected 150/],
        ['no decisions', { ...enumerated(), actions: [] }, /actions is empty/],
        ['actions missing', { ...enumerated(), actions: undefined }, /actions must be an array/],
        ['actionCount missing', { ...enumerated(), actionCount: undefined }, /actionCount is undefined/],
        ['actionCount 0', { ...enumerated(), actionCount: 0 }, /actionCount is 0/],
        ['no target', { ...enumerated(), target: undefined }, /target policy is needed once/],
        ['two targets', { ...enumerated(), targetActions: new Array(50).fill(0) }, /target policy is needed once/],
        ['clusters too short', { ...enumerated(), clusters: [1] }, /clusters has 1 elements, expected 50/],
        ['cluster NaN', { ...enumerated(), clusters: new Array(50).fill(NaN) }, /clusters\[0\] is NaN/],
        ['not a log', null, /log object is needed/],
    ])('%s', (_, log, message) => {
        let error;
        try { evaluatePolicy(log); } catch (e) { error = e; }
        expect(error).toBeInstanceOf(EvaluationError);
        expect(error.code).toBe('INVALID_ARGUMENT');
        expect(error.message).toMatch(message);
    });

    test.each([
        ['clip 0', () => evaluatePolicy(enumerated(), { clip: 0 }), /clip is 0/],
        ['clip NaN', () => evaluatePolicy(enumerated(), { clip: NaN }), /clip is NaN/],
        ['replicates', () => evaluatePolicy(enumerated(), { bootstrap: { replicates: 1 } }), /replicates is 1/],
        ['level', () => evaluatePolicy(enumerated(), { bootstrap: { level: 95 } }), /level is 95/],
        ['seed', () => evaluatePolicy(enumerated(), { bootstrap: { seed: -1 } }), /seed is -1/],
        ['limits', () => evaluatePolicy(enumerated(), { limits: { effectiveRatio: NaN } }), /limits\.effectiveRatio is NaN/],
        ['ips without propensities', () => evaluate.inversePropensityScoring({ ...enumerated(), propensities: undefined }), /estimatePropensities/],
        ['dm without model', () => evaluate.directMethod({ ...enumerated(), model: undefined }), /model must be rows of 3/],
        ['weights negative', () => evaluate.effectiveSampleSize([1, -1]), /weights\[1\] is -1/],
        ['weights infinite', () => evaluate.coverage([Infinity]), /weights\[0\] is Infinity/],
        ['smoothing', () => evaluate.estimatePropensities({ actions: [0], actionCount: 1, smoothing: -1 }), /smoothing is -1/],
        ['contexts', () => evaluate.estimatePropensities({ actions: [0], actionCount: 1, contexts: [1, 2] }), /contexts has 2/],
        ['pseudoCount', () => evaluate.fitRewardModel({ actions: [0], rewards: [1], actionCount: 1, pseudoCount: NaN }), /pseudoCount is NaN/],
        ['asked action', () => evaluate.fitRewardModel({ actions: [0], rewards: [1], actionCount: 1 }).predict(0, 1), /action is 1/],
        ['statistic', () => evaluate.bootstrapInterval(3, 5), /statistic must be a function/],
        ['n', () => evaluate.bootstrapInterval(0, () => 0), /n is 0/],
    ])('%s', (_, call, message) => {
        expect(call).toThrow(EvaluationError);
        expect(call).toThrow(message);
    });

    test('arguments are left as they were', () => {
        const log = enumerated();
        const before = structuredClone(log);
        evaluatePolicy(log, { bootstrap: true, clip: 2 });
        expect(log).toEqual(before);
    });

    test('a log of one decision has a value and no standard error', () => {
        const result = evaluatePolicy({ actionCount: 2, actions: [1], rewards: [3], propensities: [0.5], targetActions: [1] });
        expect(result.ips.value).toBe(6);
        expect(result.ips.standardError).toBeNaN();
        expect(result.snips.value).toBe(3);
    });
});
