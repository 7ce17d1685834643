/**
 * What every estimator reads, checked once and brought into one shape.
 *
 * A log is n decisions, row i of which says: in context x_i the behaviour policy mu took action a_i
 * (an integer 0..k-1) with probability mu(a_i | x_i) and the reward was r_i. The target policy pi and
 * the reward model q are given per decision, as n rows of k numbers: the estimators never see a
 * context itself. Rows may be nested arrays or one flat, row-major array of n * k numbers.
 *
 * Nothing is clamped or repaired here: what is wrong is refused, naming the place.
 */

/** How far the probabilities of one row may sum from 1. */
export const PROBABILITY_TOLERANCE = 1e-6;

const { isFinite: isFiniteNumber } = Number;

/** A refused argument. `code` is the package's stable code: compare that, not the class. */
export class EvaluationError extends Error {
    /** @param {string} message what was expected, and what came */
    constructor(message) {
        super(message);
        this.name = 'QhiveError';
        this.code = 'INVALID_ARGUMENT';
    }
}

/**
 * @param {boolean} condition
 * @param {() => string} message built only when the condition fails
 */
export function check(condition, message) {
    if (!condition) throw new EvaluationError(message());
}

/**
 * @param {any} value
 * @returns {string} the value as a message shows it
 */
function shown(value) {
    if (typeof value === 'string') return JSON.stringify(value);
    if (isList(value)) return `an array of ${value.length}`;
    return String(value);
}

/**
 * @param {any} value
 * @returns {boolean} whether it can be read by index, strings excepted
 */
function isList(value) {
    return typeof value === 'object' && value !== null && Number.isInteger(value.length) && value.length >= 0;
}

/**
 * A list of numbers, each of which passes `accepts`, as a new Float64Array.
 *
 * @param {any} list
 * @param {string} name as the caller calls it
 * @param {number} length required; -1: any, at least 1
 * @param {(value: number) => boolean} accepts
 * @param {string} rule what an element is, for the message: "a finite number"
 * @returns {Float64Array}
 * @throws {EvaluationError}
 */
export function numbers(list, name, length, accepts, rule) {
    check(isList(list), () => `${name} must be an array of numbers, got ${shown(list)}`);
    check(list.length > 0, () => `${name} is empty: at least one decision is needed`);
    check(length < 0 || list.length === length, () => `${name} has ${list.length} elements, expected ${length}`);
    const copy = new Float64Array(list.length);
    for (let i = 0; i < copy.length; i++) {
        const value = list[i];
        if (typeof value !== 'number' || !accepts(value)) throw new EvaluationError(`${name}[${i}] is ${shown(value)}, expected ${rule}`);
        copy[i] = value;
    }
    return copy;
}

/**
 * @param {any} list
 * @param {string} name
 * @param {number} [length] -1: any
 * @returns {Float64Array} finite numbers
 * @throws {EvaluationError}
 */
export function finiteNumbers(list, name, length = -1) {
    return numbers(list, name, length, isFiniteNumber, 'a finite number');
}

/**
 * @param {any} value
 * @param {string} name
 * @param {number} low inclusive
 * @param {number} high inclusive
 * @returns {number} the integer
 * @throws {EvaluationError}
 */
export function integer(value, name, low, high) {
    check(Number.isInteger(value) && value >= low && value <= high,
        () => `${name} is ${shown(value)}, expected an integer in ${low}..${high}`);
    return value;
}

/**
 * @param {any} value
 * @param {string} name
 * @param {number} low inclusive
 * @param {number} [high] inclusive
 * @returns {number} the number
 * @throws {EvaluationError}
 */
export function nonNegative(value, name, low = 0, high = Number.MAX_VALUE) {
    check(Number.isFinite(value) && value >= low && value <= high,
        () => `${name} is ${shown(value)}, expected a number in ${low}..${high === Number.MAX_VALUE ? 'infinity' : high}`);
    return value;
}

/**
 * @param {any} list
 * @param {string} name
 * @param {number} length -1: any
 * @param {number} actionCount
 * @returns {Int32Array} actions 0..actionCount-1
 * @throws {EvaluationError}
 */
export function actionList(list, name, length, actionCount) {
    return Int32Array.from(numbers(list, name, length,
        (a) => Number.isInteger(a) && a >= 0 && a < actionCount, `an action 0..${actionCount - 1}`));
}

/**
 * n rows of k numbers, nested or flat, as one flat Float64Array.
 *
 * @param {any} matrix
 * @param {string} name
 * @param {number} rows n; -1: as many as there are
 * @param {number} columns k
 * @returns {Float64Array} row-major, rows * columns
 * @throws {EvaluationError}
 */
export function flatRows(matrix, name, rows, columns) {
    check(isList(matrix), () => `${name} must be rows of ${columns} numbers, got ${shown(matrix)}`);
    if (!isList(matrix[0])) {
        const flat = finiteNumbers(matrix, name, rows < 0 ? -1 : rows * columns);
        check(flat.length % columns === 0, () => `${name} has ${flat.length} elements, no multiple of ${columns}`);
        return flat;
    }
    check(rows < 0 || matrix.length === rows, () => `${name} has ${matrix.length} rows, expected ${rows}`);
    const flat = new Float64Array(matrix.length * columns);
    for (let i = 0; i < matrix.length; i++) {
        flat.set(finiteNumbers(matrix[i], `${name}[${i}]`, columns), i * columns);
    }
    return flat;
}

/**
 * @param {Float64Array} flat row-major
 * @param {string} name
 * @param {number} columns
 * @throws {EvaluationError} when a row is no probability distribution
 */
function requireDistributions(flat, name, columns) {
    for (let i = 0; i < flat.length; i += columns) {
        let sum = 0;
        for (let a = 0; a < columns; a++) {
            const p = flat[i + a];
            if (!(p >= 0 && p <= 1 + PROBABILITY_TOLERANCE)) {
                throw new EvaluationError(`${name}, decision ${i / columns}, action ${a}: ${p} is no probability`);
            }
            sum += p;
        }
        if (Math.abs(sum - 1) > PROBABILITY_TOLERANCE) {
            throw new EvaluationError(`${name}, decision ${i / columns}: the probabilities sum to ${sum}, expected 1`);
        }
    }
}

/**
 * The target policy as a reader: probability of one action, and expectation of a row of the model.
 *
 * @typedef {object} Target
 * @property {number} n decisions
 * @property {(i: number, a: number) => number} probability pi(a | x_i)
 * @property {(i: number, row: Float64Array) => number} expectation sum over a of pi(a | x_i) row[i * k + a]
 */

/**
 * @param {{ target?: any, targetActions?: any }} log
 * @param {number} n -1: as many decisions as the target has
 * @param {number} k actions
 * @returns {Target}
 * @throws {EvaluationError}
 */
export function readTarget(log, n, k) {
    check((log.target === undefined) !== (log.targetActions === undefined),
        () => 'the target policy is needed once: target (rows of probabilities) or targetActions (one action each)');
    if (log.targetActions !== undefined) {
        const chosen = actionList(log.targetActions, 'targetActions', n, k);
        return {
            n: chosen.length,
            probability: (i, a) => (chosen[i] === a ? 1 : 0),
            expectation: (i, rows) => rows[i * k + chosen[i]],
        };
    }
    const flat = flatRows(log.target, 'target', n, k);
    requireDistributions(flat, 'target', k);
    return {
        n: flat.length / k,
        probability: (i, a) => flat[i * k + a],
        expectation: (i, rows) => {
            let sum = 0;
            for (let a = 0; a < k; a++) sum += flat[i * k + a] * rows[i * k + a];
            return sum;
        },
    };
}

/**
 * @param {any} log
 * @returns {number} k, the number of actions
 * @throws {EvaluationError}
 */
export function readActionCount(log) {
    check(typeof log === 'object' && log !== null, () => `a log object is needed, got ${shown(log)}`);
    return integer(log.actionCount, 'actionCount', 1, 2 ** 24);
}

/**
 * @param {any} list
 * @param {number} n
 * @returns {Float64Array} mu(a_i | x_i), each in (0, 1]
 * @throws {EvaluationError}
 */
export function readPropensities(list, n) {
    check(list !== undefined && list !== null,
        () => 'propensities are missing: give mu(a_i | x_i) for each decision, or estimate them with estimatePropensities()');
    return numbers(list, 'propensities', n, (p) => p > 0 && p <= 1 + PROBABILITY_TOLERANCE,
        'a probability in (0, 1]: an action that was taken cannot have had none');
}

/**
 * Groups of decisions that belong together (one run, one user, one day) as dense numbers.
 *
 * @param {any} list one key (number or string) per decision; undefined: every decision alone
 * @param {string} name
 * @param {number} n
 * @returns {{ index: Int32Array, count: number } | undefined}
 * @throws {EvaluationError}
 */
export function readGroups(list, name, n) {
    if (list === undefined) return undefined;
    check(isList(list), () => `${name} must be an array with one key per decision, got ${shown(list)}`);
    check(list.length === n, () => `${name} has ${list.length} elements, expected ${n}`);
    const seen = new Map();
    const index = Int32Array.from({ length: n }, (_, i) => {
        const key = list[i];
        check(typeof key === 'string' || Number.isFinite(key), () => `${name}[${i}] is ${shown(key)}, expected a number or a string`);
        if (!seen.has(key)) seen.set(key, seen.size);
        return seen.get(key);
    });
    return { index, count: seen.size };
}
