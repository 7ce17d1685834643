/**
 * Observations on their way into linear memory, and what is wrong with one that was refused.
 *
 * The way in checks types and length while it copies and converts to float32; ranges and NaN are the core's to check. Infinities
 * are numbers: they clamp like every value out of a dimension's range.
 */
import { describe } from './check.js';
import { QhiveError } from './errors.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').Encoder} Encoder */

/**
 * Copies `dims` numbers into the exchange buffer. False: the observation is not `dims` numbers.
 * @param {Core} core
 * @param {unknown} observation
 * @param {number} dims
 */
export function writeObservation(core, observation, dims) {
    core.writes++;
    if (core.observation.length === 0) core.refresh();
    if (!(observation instanceof Float32Array)) return writeElements(core, core.observation, observation, dims);
    if (observation.length !== dims) return false;
    core.observation.set(observation);
    return true;
}

/** The same for the state that a transition led to. @param {Core} core @param {unknown} observation @param {number} dims */
export function writeNext(core, observation, dims) {
    core.writes++;
    if (core.next.length === 0) core.refresh();
    if (observation === core.next) return true;
    if (!(observation instanceof Float32Array)) return writeElements(core, core.next, observation, dims);
    if (observation.length !== dims) return false;
    core.next.set(observation);
    return true;
}

/**
 * Anything else that has a length and elements. Reading them may run code of the caller; if that calls the runtime, the
 * buffer is not ours any more and the outer call is refused.
 */
function writeElements(core, view, observation, dims) {
    if (typeof observation !== 'object' || observation === null) return false;
    const { writes } = core;
    if (observation.length !== dims) return false;
    if (!(Array.isArray(observation) ? writeArray(view, observation, dims) : writeLike(view, observation, 0, dims))) return false;
    if (core.writes !== writes || view.length === 0)
        throw new QhiveError('BUSY', 'reading the observation called the runtime, which was reading the observation');
    return true;
}

/** Arrays have a loop of their own, which the engine then optimises for them. */
function writeArray(view, observation, dims) {
    const whole = dims & ~3;
    for (let i = 0; i < whole; i += 4) {
        const a = observation[i];
        const b = observation[i + 1];
        const c = observation[i + 2];
        const d = observation[i + 3];
        if (typeof a !== 'number' || typeof b !== 'number' || typeof c !== 'number' || typeof d !== 'number') return false;
        view[i] = a;
        view[i + 1] = b;
        view[i + 2] = c;
        view[i + 3] = d;
    }
    return whole === dims || writeLike(view, observation, whole, dims);
}

function writeLike(view, observation, start, dims) {
    for (let i = start; i < dims; i++) {
        const x = observation[i];
        if (typeof x !== 'number') return false;
        view[i] = x;
    }
    return true;
}

/**
 * What is wrong with an observation, as `name must be ..., not ...`; undefined when nothing is.
 * @param {Encoder} encoder
 * @param {unknown} observation
 * @param {string} name
 */
export function observationProblem(encoder, observation, name) {
    try {
        return encoder.kind === 'index' ? stateProblem(encoder.states, observation, name) : vectorProblem(encoder.dims, observation, name);
    } catch {
        return `${name} must be readable`;
    }
}

/** @param {number} states @param {unknown} state @param {string} name */
export function stateProblem(states, state, name) {
    if (typeof state === 'number' && Number.isInteger(state) && state >= 0 && state < states) return undefined;
    return `${name} must be a state from 0 to ${states - 1}, not ${describe(state)}`;
}

/** @param {import('../types/qhive.js').Dim[]} dims @param {any} values @param {string} name */
function vectorProblem(dims, values, name) {
    const expected = `${name} must be an array of ${dims.length} numbers, one per dimension`;
    if (typeof values !== 'object' || values === null) return `${expected}, not ${describe(values)}`;
    if (ArrayBuffer.isView(values) && values.byteLength === 0)
        return `${expected}, not an empty view (growth of the memory detaches views: read agent.input anew)`;
    if (values.length !== dims.length) return `${expected}, not ${lengthOf(values.length)}`;
    for (let i = 0; i < dims.length; i++) {
        const x = values[i];
        if (typeof x === 'number' && !Number.isNaN(x)) continue;
        const called = dims[i].name === undefined ? '' : ` (${dims[i].name})`;
        return `${name}[${i}]${called} must be a number, mapped from ${dims[i].min}..${dims[i].max}, not ${describe(x)}`;
    }
    return undefined;
}

const lengthOf = (length) => (length === undefined ? 'an object without length' : `${describe(length)} of them`);
