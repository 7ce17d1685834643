/**
 * Checks of what callers pass in. Everything from outside is of unknown type: a check returns the value it was
 * given, or throws INVALID_ARGUMENT saying what was expected and what came. No check converts: "5" is not 5.
 */
import { QhiveError } from './errors.js';

const QUOTED = 40;

/** What a value is, in a few words, for messages. Runs no code of the caller. @param {unknown} value */
export function describe(value) {
    switch (typeof value) {
        case 'string':
            return value.length > QUOTED ? `a string of ${value.length} characters` : JSON.stringify(value);
        case 'bigint':
            return `the bigint ${value}n`;
        case 'symbol':
            return 'a symbol';
        case 'function':
            return 'a function';
        case 'object':
            return describeObject(value);
        default:
            return Object.is(value, -0) ? '-0' : String(value);
    }
}

/** @param {object | null} value */
function describeObject(value) {
    if (value === null) return 'null';
    try {
        if (Array.isArray(value)) return `an array of ${value.length}`;
    } catch {
        return 'a revoked proxy';
    }
    if (ArrayBuffer.isView(value)) return value instanceof DataView ? 'a DataView' : 'a typed array';
    return 'an object';
}

/**
 * @param {string} name what the value is to the caller, such as `config.actions`
 * @param {string} expected such as `an integer from 1 to 1024`
 * @param {unknown} given
 * @returns {never}
 */
export function invalid(name, expected, given) {
    throw new QhiveError('INVALID_ARGUMENT', `${name} must be ${expected}, not ${describe(given)}`);
}

/** @returns {number} */
export function integer(/** @type {string} */ name, /** @type {unknown} */ value, /** @type {number} */ min, /** @type {number} */ max) {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return invalid(name, `an integer from ${min} to ${max}`, value);
}

/** A finite number in [min, max]; `above` excludes min. @returns {number} */
export function number(name, value, { min = -Infinity, max = Infinity, above = false } = {}) {
    if (typeof value === 'number' && Number.isFinite(value) && value <= max && (above ? value > min : value >= min)) return value;
    return invalid(name, `a finite number${range(min, max, above)}`, value);
}

function range(min, max, above) {
    const low = min === -Infinity ? '' : above ? ` above ${min}` : ` of at least ${min}`;
    const high = max === Infinity ? '' : `${low && ' and'} at most ${max}`;
    return `${low}${high}`;
}

/** @returns {boolean} */
export function boolean(name, value) {
    return typeof value === 'boolean' ? value : invalid(name, 'true or false', value);
}

/** @returns {string} */
export function string(name, value) {
    return typeof value === 'string' ? value : invalid(name, 'a string', value);
}

/** An object that is no function and no array. @returns {any} */
export function object(name, value) {
    if (typeof value === 'object' && value !== null && !isArray(value)) return value;
    return invalid(name, 'an object', value);
}

/** @template {string} T @returns {T} */
export function oneOf(name, value, /** @type {readonly T[]} */ choices) {
    if (typeof value === 'string' && choices.includes(/** @type {T} */ (value))) return /** @type {T} */ (value);
    return invalid(name, choices.map((choice) => `'${choice}'`).join(' or '), value);
}

/** @returns {unknown[]} */
export function array(name, value, min, max) {
    if (isArray(value) && value.length >= min && value.length <= max) return value;
    return invalid(name, `an array of ${min} to ${max} elements`, value);
}

function isArray(value) {
    try {
        return Array.isArray(value);
    } catch {
        return false;
    }
}

/** `value` checked by `check`, or `fallback` where it is undefined. @template T @returns {T} */
export const optional = (value, /** @type {T} */ fallback, /** @type {(value: unknown) => T} */ check) =>
    value === undefined ? fallback : check(value);
