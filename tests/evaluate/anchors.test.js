import {
    coverage, directMethod, doublyRobust, effectiveSampleSize, evaluatePolicy, importanceWeights, inversePropensityScoring, loggedValue, selfNormalizedIps,
} from '../../js/src/evaluate/index.js';
import { CONTEXTS, ESS_RATIO, LOGGING, REWARDS, TARGET, VALUE_LOGGING, VALUE_TARGET, VARIANCE_IPS, WRONG, enumerated } from './enumeration.js';

const expectation = (policy, rewards) => CONTEXTS.reduce((v, p, x) => v + p * policy[x].reduce((s, pi, a) => s + pi * rewards[x][a], 0), 0);

describe('estimators, enumerated exactly', () => {
    test('the anchor itself: V(mu) = .544, V(pi) = .444', () => {
        expect(expectation(LOGGING, REWARDS)).toBeCloseTo(VALUE_LOGGING, 12);
        expect(expectation(TARGET, REWARDS)).toBeCloseTo(VALUE_TARGET, 12);
        expect(enumerated().actions).toHaveLength(50);
    });

    test('logged value is V(mu)', () => {
        expect(loggedValue(enumerated()).value).toBeCloseTo(VALUE_LOGGING, 12);
    });

    test('E[IPS] = V(pi), with the exact variance per sample', () => {
        const ips = inversePropensityScoring(enumerated());
        expect(ips.value).toBeCloseTo(VALUE_TARGET, 12);
        expect(ips.variance).toBeCloseTo(VARIANCE_IPS, 11);
        expect(ips.standardError).toBeCloseTo(Math.sqrt(VARIANCE_IPS / 49), 11);
    });

    test('ESS / n', () => {
        const weights = importanceWeights(enumerated());
        expect(effectiveSampleSize(weights) / 50).toBeCloseTo(ESS_RATIO, 11);
        expect(coverage(weights).effectiveRatio).toBeCloseTo(ESS_RATIO, 11);
        expect(coverage(weights).meanWeight).toBeCloseTo(1, 12);
    });

    test('direct method: V(pi) with the right model, the model\'s bias with the wrong one', () => {
        expect(directMethod(enumerated({ model: REWARDS })).value).toBeCloseTo(VALUE_TARGET, 12);
        expect(directMethod(enumerated()).value).toBeCloseTo(expectation(TARGET, WRONG), 12);
    });

    test('doubly robust with the wrong model and right propensities = V(pi)', () => {
        expect(doublyRobust(enumerated()).value).toBeCloseTo(VALUE_TARGET, 12);
    });

    test('doubly robust with the right model and propensities 1/3 = V(pi), where IPS is wrong', () => {
        const log = enumerated({ propensity: () => 1 / 3, model: REWARDS });
        expect(doublyRobust(log).value).toBeCloseTo(VALUE_TARGET, 12);
        expect(Math.abs(inversePropensityScoring(log).value - VALUE_TARGET)).toBeGreaterThan(0.05);
    });

    test('neither right: doubly robust is off, and nothing pretends otherwise', () => {
        expect(doublyRobust(enumerated({ propensity: () => 1 / 3 })).value).toBeCloseTo(0.4954, 12);
    });

    test('SNIPS: mean weight 1 makes it IPS here; with constant factors in the propensities it does not move', () => {
        expect(selfNormalizedIps(enumerated()).value).toBeCloseTo(VALUE_TARGET, 12);
        const halved = enumerated({ propensity: (x, a) => LOGGING[x][a] / 2 });
        expect(selfNormalizedIps(halved).value).toBeCloseTo(VALUE_TARGET, 12);
        expect(inversePropensityScoring(halved).value).toBeCloseTo(2 * VALUE_TARGET, 12);
    });

    test('SNIPS variance: linearised, E[w^2 (r - V)^2]', () => {
        let exact = 0;
        CONTEXTS.forEach((p, x) => LOGGING[x].forEach((mu, a) => { exact += p * mu * (TARGET[x][a] / mu) ** 2 * (REWARDS[x][a] - VALUE_TARGET) ** 2; }));
        expect(selfNormalizedIps(enumerated()).variance).toBeCloseTo(exact, 12);
    });

    test('adding a constant to all rewards moves SNIPS and DR by it, and IPS by it times the mean weight', () => {
        const log = enumerated({ propensity: () => 1 / 3 });
        const moved = { ...log, rewards: log.rewards.map((r) => r + 10), model: log.model.map((row) => row.map((q) => q + 10)) };
        const mean = coverage(importanceWeights(log)).meanWeight;
        expect(selfNormalizedIps(moved).value - selfNormalizedIps(log).value).toBeCloseTo(10, 10);
        expect(doublyRobust(moved).value - doublyRobust(log).value).toBeCloseTo(10, 10);
        expect(inversePropensityScoring(moved).value - inversePropensityScoring(log).value).toBeCloseTo(10 * mean, 10);
    });

    test('pi = mu: every weight 1, ESS = n, IPS and SNIPS are the logged mean', () => {
        const log = enumerated();
        log.target = log.contexts.map((x) => LOGGING[x]);
        const result = evaluatePolicy(log);
        expect(result.coverage.effectiveSampleSize).toBeCloseTo(50, 10);
        expect(result.ips.value).toBeCloseTo(VALUE_LOGGING, 12);
        expect(result.snips.value).toBeCloseTo(VALUE_LOGGING, 12);
    });

    test('nested and flat rows, typed arrays and targetActions are the same thing', () => {
        const log = enumerated();
        const flat = { ...log, actions: Int32Array.from(log.actions), target: Float64Array.from(log.target.flat()), model: Float64Array.from(log.model.flat()) };
        expect(evaluatePolicy(flat)).toEqual(evaluatePolicy(log));
        const chosen = log.contexts.map((x) => (x === 0 ? 2 : 0));
        const rows = chosen.map((a) => [0, 1, 2].map((b) => Number(a === b)));
        const { target: _, ...rest } = log;
        expect(evaluatePolicy({ ...rest, targetActions: chosen })).toEqual(evaluatePolicy({ ...rest, target: rows }));
    });

    test('clip cuts weights from above', () => {
        expect(Math.max(...importanceWeights(enumerated()))).toBeCloseTo(4, 12);
        expect(Math.max(...importanceWeights(enumerated(), { clip: 2 }))).toBe(2);
        expect(inversePropensityScoring(enumerated(), { clip: 2 }).value).toBeLessThan(VALUE_TARGET);
    });
});

describe('unbiasedness by sampling, seeded', () => {
    test('2,000 logs of 25 decisions with noisy rewards: IPS and DR average V(pi) within 4 standard errors', () => {
        const seed = 12345;
        console.info(`seed ${seed}`);
        let state = seed;
        const uniform = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return (state + 0.5) / 2 ** 32; };
        const draw = (p) => { let u = uniform(); return p.findIndex((q) => (u -= q) < 0); };
        const totals = { ips: [0, 0], dr: [0, 0] };
        const repeats = 2000;
        for (let r = 0; r < repeats; r++) {
            const log = { actionCount: 3, actions: [], rewards: [], propensities: [], target: [], model: [] };
            for (let i = 0; i < 25; i++) {
                const x = draw(CONTEXTS);
                const a = Math.max(0, draw(LOGGING[x]));
                log.actions.push(a);
                log.rewards.push(REWARDS[x][a] + uniform() - 0.5);
                log.propensities.push(LOGGING[x][a]);
                log.target.push(TARGET[x]);
                log.model.push(WRONG[x]);
            }
            for (const [name, f] of [['ips', inversePropensityScoring], ['dr', doublyRobust]]) {
                const { value } = f(log);
                totals[name][0] += value;
                totals[name][1] += value * value;
            }
        }
        for (const [sum, squares] of Object.values(totals)) {
            const mean = sum / repeats;
            const error = Math.sqrt((squares / repeats - mean * mean) / repeats);
            expect(Math.abs(mean - VALUE_TARGET)).toBeLessThan(4 * error);
        }
    });
});
