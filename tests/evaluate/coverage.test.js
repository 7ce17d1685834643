import { bootstrapInterval, coverage, effectiveSampleSize, evaluatePolicy, inversePropensityScoring, loggedValue, selfNormalizedIps } from '../../js/src/evaluate/index.js';
import { enumerated } from './enumeration.js';

const codes = (result) => result.warnings.map((w) => w.code);

describe('coverage warnings', () => {
    test('even weights: none', () => {
        expect(coverage(new Float64Array(1000).fill(1)).warnings).toEqual([]);
    });

    test('few matching actions: THIN_COVERAGE, with what was measured', () => {
        const weights = new Float64Array(1000);
        for (let i = 0; i < 20; i++) weights[i * 50] = 50;
        const result = coverage(weights);
        expect(result.matched).toBe(20);
        expect(result.effectiveSampleSize).toBeCloseTo(20, 12);
        const thin = result.warnings.find((w) => w.code === 'THIN_COVERAGE');
        expect(thin.value).toBeCloseTo(20, 12);
        expect(thin.limit).toBe(100);
        expect(thin.message).toMatch(/1000 decisions weigh as much as 20/);
    });

    test('one heavy decision: DOMINANT_WEIGHT', () => {
        const weights = new Float64Array(1000).fill(1);
        weights[7] = 500;
        expect(codes(coverage(weights))).toContain('DOMINANT_WEIGHT');
    });

    test('weights that average 2: BIASED_WEIGHTS', () => {
        const weights = Float64Array.from({ length: 1000 }, (_, i) => 1.5 + (i % 2));
        expect(codes(coverage(weights))).toEqual(['BIASED_WEIGHTS']);
    });

    test('no logged action is the target\'s: NO_OVERLAP, SNIPS undefined, IPS 0', () => {
        const result = evaluatePolicy({ actionCount: 2, actions: [0, 0], rewards: [1, 2], propensities: [1, 1], targetActions: [1, 1] }, { bootstrap: true });
        expect(codes(result)).toEqual(['NO_OVERLAP']);
        expect(result.snips.value).toBeNaN();
        expect(result.snips.interval.undefinedReplicates).toBe(1000);
        expect(result.ips.value).toBe(0);
        expect(result.directMethod).toBeNull();
    });

    test('limits can be set, and change no figure', () => {
        const strict = evaluatePolicy(enumerated());
        const lax = evaluatePolicy(enumerated(), { limits: { effectiveSampleSize: 10 } });
        expect(codes(strict)).toEqual(['THIN_COVERAGE']);
        expect(codes(lax)).toEqual([]);
        expect(lax.ips).toEqual(strict.ips);
    });

    test('effective sample size: 0 for all-zero weights, n for equal ones, scale-free', () => {
        expect(effectiveSampleSize([0, 0])).toBe(0);
        expect(effectiveSampleSize([3, 3, 3])).toBeCloseTo(3, 12);
        expect(effectiveSampleSize([1, 2])).toBeCloseTo(effectiveSampleSize([10, 20]), 12);
    });
});

describe('intervals', () => {
    const bootstrap = { seed: 42, replicates: 2000 };

    test('same seed, same interval; another seed, another', () => {
        const one = inversePropensityScoring(enumerated(), { bootstrap }).interval;
        expect(inversePropensityScoring(enumerated(), { bootstrap }).interval).toEqual(one);
        expect(inversePropensityScoring(enumerated(), { bootstrap: { ...bootstrap, seed: 43 } }).interval.lower).not.toBe(one.lower);
    });

    test('known first draws: the generator is the same in every engine', () => {
        const drawn = [];
        bootstrapInterval(1000, (indices) => { drawn.push(...indices.slice(0, 2)); return 0; }, { seed: 1, replicates: 10 });
        expect(drawn.slice(0, 6)).toEqual([148, 13, 340, 500, 357, 220]);
    });

    test('contains the estimate, agrees with its standard error, widens with the level', () => {
        const { value, standardError, interval } = selfNormalizedIps(enumerated(), { bootstrap });
        expect(interval.lower).toBeLessThan(value);
        expect(interval.upper).toBeGreaterThan(value);
        expect(interval.standardError / standardError).toBeGreaterThan(0.85);
        expect(interval.standardError / standardError).toBeLessThan(1.15);
        const wide = selfNormalizedIps(enumerated(), { bootstrap: { ...bootstrap, level: 0.99 } }).interval;
        expect(wide.upper - wide.lower).toBeGreaterThan(interval.upper - interval.lower);
    });

    test('a statistic of one\'s own gives the same interval as the built-in mean', () => {
        const { rewards } = enumerated();
        const mean = (indices) => indices.reduce((s, i) => s + rewards[i], 0) / indices.length;
        const own = bootstrapInterval(50, mean, bootstrap);
        const built = loggedValue({ rewards }, { bootstrap }).interval;
        expect(own.lower).toBeCloseTo(built.lower, 12);
        expect(own.upper).toBeCloseTo(built.upper, 12);
    });

    test('clusters: whole ones are drawn, and correlated decisions widen interval and standard error', () => {
        const rewards = Array.from({ length: 200 }, (_, i) => (i < 100 ? Math.floor(i / 20) : Math.floor(i / 20) % 5));
        const clusters = rewards.map((_, i) => `run ${Math.floor(i / 20)}`);
        const alone = loggedValue({ rewards }, { bootstrap });
        const grouped = loggedValue({ rewards, clusters }, { bootstrap });
        expect(grouped.value).toBe(alone.value);
        expect(grouped.standardError / alone.standardError).toBeCloseTo(Math.sqrt(20) * Math.sqrt(10 / 9) * Math.sqrt(199 / 200), 10);
        expect(grouped.interval.upper - grouped.interval.lower).toBeGreaterThan(3 * (alone.interval.upper - alone.interval.lower));
        const own = bootstrapInterval(200, (indices) => indices.reduce((s, i) => s + rewards[i], 0) / indices.length, { ...bootstrap, clusters });
        expect(own.lower).toBeCloseTo(grouped.interval.lower, 12);
        expect(evaluatePolicy({ ...enumerated(), clusters: enumerated().contexts }).clusters).toBe(2);
    });

    test('covers the truth about as often as it says (300 logs of 60 decisions, seeded)', () => {
        const seed = 7;
        console.info(`seed ${seed}`);
        let state = seed;
        const uniform = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
        let covered = 0;
        for (let r = 0; r < 300; r++) {
            const rewards = Array.from({ length: 60 }, () => uniform() ** 2);
            const { interval } = loggedValue({ rewards }, { bootstrap: { seed: r, replicates: 300 } });
            covered += interval.lower <= 1 / 3 && 1 / 3 <= interval.upper ? 1 : 0;
        }
        expect(covered / 300).toBeGreaterThan(0.9);
        expect(covered / 300).toBeLessThan(0.98);
    });
});
