/**
 * Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3),
 * seeded: the same data, options and seed give the same interval in every JavaScript engine.
 *
 * Decisions of one run are not independent of each other. With `clusters`, whole clusters are drawn
 * with replacement and every decision of a drawn cluster comes along (the cluster bootstrap): with few
 * clusters the interval is wide, as it should be.
 */
import { check, integer, nonNegative, readGroups } from './input.js';

const { imul } = Math;

/** Defaults of every interval of this module. */
export const BOOTSTRAP_DEFAULTS = Object.freeze({ replicates: 1000, level: 0.95, seed: 0 });

/**
 * xoshiro128** 1.1 (Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, ACM TOMS 47,
 * 2021), its four words filled from the seed by splitmix32.
 */
export class Xoshiro128 {
    #s = new Uint32Array(4);

    /** @param {number} seed an integer 0..2^32-1 */
    constructor(seed) {
        let x = seed >>> 0;
        for (let i = 0; i < 4; i++) {
            x = (x + 0x9e3779b9) >>> 0;
            let z = imul(x ^ (x >>> 16), 0x21f0aaad);
            z = imul(z ^ (z >>> 15), 0x735a2d97);
            this.#s[i] = z ^ (z >>> 15);
        }
    }

    /** @returns {number} an integer 0..2^32-1 */
    next() {
        const s = this.#s;
        const m = imul(s[1], 5);
        const result = imul((m << 7) | (m >>> 25), 9) >>> 0;
        const t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = (s[3] << 11) | (s[3] >>> 21);
        return result;
    }

    /**
     * @param {number} bound 1..2^32
     * @returns {number} a uniform integer 0..bound-1, without modulo bias (rejection)
     */
    below(bound) {
        const limit = 0x100000000 - (0x100000000 % bound);
        let x = this.next();
        while (x >= limit) x = this.next();
        return x % bound;
    }
}

/**
 * @param {import('../../types/evaluate.d.ts').BootstrapOptions} [options]
 * @returns {{ replicates: number, level: number, seed: number }}
 * @throws {EvaluationError}
 */
export function readBootstrap(options = {}) {
    const { replicates, level, seed } = { ...BOOTSTRAP_DEFAULTS, ...options };
    integer(replicates, 'replicates', 10, 1e7);
    nonNegative(level, 'level', 0.5, 0.9999);
    integer(seed, 'seed', 0, 2 ** 32 - 1);
    return { replicates, level, seed };
}

/**
 * @param {Float64Array} sorted ascending
 * @param {number} p 0..1
 * @returns {number} the quantile, linear between order statistics (type 7 of Hyndman and Fan, 1996)
 */
export function quantile(sorted, p) {
    const h = (sorted.length - 1) * p;
    const low = Math.floor(h);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (h - low) * (sorted[high] - sorted[low]);
}

/**
 * @param {Float64Array} estimates one per replicate; those that are NaN (an empty ratio) are left out
 * @param {{ replicates: number, level: number, seed: number }} options
 * @returns {import('../../types/evaluate.d.ts').Interval}
 */
function interval(estimates, { replicates, level, seed }) {
    const sorted = estimates.filter((v) => !Number.isNaN(v)).sort();
    let mean = 0;
    for (const v of sorted) mean += v / sorted.length;
    let squares = 0;
    for (const v of sorted) squares += (v - mean) ** 2;
    const tail = (1 - level) / 2;
    const none = sorted.length === 0;
    return {
        lower: none ? NaN : quantile(sorted, tail),
        upper: none ? NaN : quantile(sorted, 1 - tail),
        level,
        standardError: sorted.length > 1 ? Math.sqrt(squares / (sorted.length - 1)) : NaN,
        replicates,
        undefinedReplicates: replicates - sorted.length,
        seed,
    };
}

/**
 * Interval of sum(numerator) / sum(denominator), the form of every estimator here. Sums are kept per
 * cluster, so a replicate costs as many draws as there are clusters.
 *
 * @param {Float64Array} numerator per decision
 * @param {Float64Array} denominator per decision
 * @param {{ index: Int32Array, count: number } | undefined} groups
 * @param {import('../../types/evaluate.d.ts').BootstrapOptions} [options]
 * @returns {import('../../types/evaluate.d.ts').Interval}
 */
export function ratioInterval(numerator, denominator, groups, options) {
    const settings = readBootstrap(options);
    const count = groups ? groups.count : numerator.length;
    let [top, bottom] = [numerator, denominator];
    if (groups) {
        top = new Float64Array(count);
        bottom = new Float64Array(count);
        for (let i = 0; i < numerator.length; i++) {
            top[groups.index[i]] += numerator[i];
            bottom[groups.index[i]] += denominator[i];
        }
    }
    const random = new Xoshiro128(settings.seed);
    const estimates = new Float64Array(settings.replicates);
    for (let b = 0; b < estimates.length; b++) {
        let [t, d] = [0, 0];
        for (let j = 0; j < count; j++) {
            const drawn = random.below(count);
            t += top[drawn];
            d += bottom[drawn];
        }
        estimates[b] = t / d;
    }
    return interval(estimates, settings);
}

/**
 * @param {{ index: Int32Array, count: number }} groups
 * @returns {number[][]} the decisions of each group
 */
function membersOf(groups) {
    /** @type {number[][]} */
    const members = Array.from({ length: groups.count }, () => []);
    groups.index.forEach((g, i) => members[g].push(i));
    return members;
}

/**
 * Seeded percentile bootstrap of any statistic of n decisions.
 *
 * @param {number} n decisions, 1..2^31-1
 * @param {(indices: Uint32Array) => number} statistic called once per replicate with the decisions
 *   drawn (n of them; with clusters, those of as many clusters as there are). NaN: undefined there.
 * @param {import('../../types/evaluate.d.ts').BootstrapOptions & { clusters?: ArrayLike<number | string> }} [options]
 * @returns {import('../../types/evaluate.d.ts').Interval}
 * @throws {EvaluationError}
 */
export function bootstrapInterval(n, statistic, options = {}) {
    integer(n, 'n', 1, 2 ** 31 - 1);
    check(typeof statistic === 'function', () => 'statistic must be a function of the drawn indices');
    const settings = readBootstrap(options);
    const groups = readGroups(options.clusters, 'clusters', n);
    const members = groups && membersOf(groups);
    const random = new Xoshiro128(settings.seed);
    const estimates = new Float64Array(settings.replicates);
    for (let b = 0; b < estimates.length; b++) {
        const drawn = members
            ? Uint32Array.from(members.flatMap(() => members[random.below(members.length)]))
            : Uint32Array.from({ length: n }, () => random.below(n));
        estimates[b] = statistic(drawn);
        check(typeof estimates[b] === 'number', () => 'statistic must return a number');
    }
    return interval(estimates, settings);
}
