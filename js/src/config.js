/**
 * An agent's configuration: read once from what the caller gave, checked, completed with the defaults, frozen; and
 * written into the exchange buffer for the core to make an agent of.
 */
import { abi } from 'qhive:abi';
import { array, boolean, integer, invalid, number, object, oneOf, optional, string } from './check.js';
import { QhiveError } from './errors.js';
import { readCategory } from './messages.js';

/** @typedef {import('../types/qhive.js').AgentConfig} AgentConfig */
/** @typedef {import('../types/qhive.js').Schedule} Schedule */

const { def: DEF, dim: DIM, schedule: SCHEDULE, limit, io, size } = abi;
const MAX_FLOAT = 3.4028234663852886e38;
const MAX_BINS = 65536;
const MAX_STATES = 2 ** 32 - 1;
const MAX_STEPS = 1024;
const MAX_PLANNING = 1_000_000;
const MAX_REPLAY = 2 ** 28;
const MAX_BITS = 32;
const UNIT = { min: 0, max: 1 };
const POSITIVE_UNIT = { min: 0, max: 1, above: true };
const DEFAULT_QUOTA = 10 * 1024 * 1024;
const LONE_SURROGATE = /\p{Surrogate}/u;
const kinds = (group) => Object.keys(abi[group]);

/* ---------------------------------------------------------------- reading */

/** A name: not empty, well-formed, at most 4096 bytes as UTF-8. @param {string} path @param {unknown} value */
function readName(path, value) {
    const name = string(path, value);
    if (name === '' || LONE_SURROGATE.test(name)) return invalid(path, 'a well-formed string that is not empty', name);
    if (new TextEncoder().encode(name).length > size.text) return invalid(path, `at most ${size.text} bytes as UTF-8`, name);
    return name;
}

function readDim(path, value) {
    const given = object(path, value);
    const { name, role, trend } = given;
    const min = number(`${path}.min`, given.min, { min: -MAX_FLOAT, max: MAX_FLOAT });
    const max = number(`${path}.max`, given.max, { min: -MAX_FLOAT, max: MAX_FLOAT });
    const range = Math.fround(Math.fround(max) - Math.fround(min));
    if (!(range > 0 && range < Infinity)) invalid(`${path}.max`, `above min (${min}) by a finite amount in float32`, max);
    const bins = integer(`${path}.bins`, given.bins, 0, MAX_BINS);
    if (Math.max(bins, 1) / range > MAX_FLOAT) invalid(`${path}.max`, `further above min (${min}): float32 cannot divide so small a range`, max);
    /** @type {import('../types/qhive.js').Dim} */
    const dim = { min, max, bins };
    if (name !== undefined) dim.name = string(`${path}.name`, name);
    if (role !== undefined) dim.role = /** @type {any} */ (oneOf(`${path}.role`, role, ['parameter', 'kpi', 'context']));
    if (trend !== undefined) dim.trend = number(`${path}.trend`, trend, { ...POSITIVE_UNIT, min: 1e-45 });
    return Object.freeze(dim);
}

function readDims(path, value) {
    const given = array(path, value, 1, limit.dims);
    const dims = Array.from(given, (dim, i) => readDim(`${path}[${i}]`, dim));
    const trends = dims.filter((dim) => dim.trend !== undefined).length;
    if (dims.length + trends > limit.dims)
        throw new QhiveError('INVALID_ARGUMENT', `${path} must have at most ${limit.dims} dimensions with trends, not ${dims.length} and ${trends} trends`);
    return Object.freeze(dims);
}

function readEncoder(path, value) {
    const given = object(path, value);
    const kind = oneOf(`${path}.kind`, given.kind, kinds('encoder'));
    if (kind === 'index') return Object.freeze({ kind, states: integer(`${path}.states`, given.states, 1, MAX_STATES) });
    const dims = readDims(`${path}.dims`, given.dims);
    if (kind === 'bins') return Object.freeze({ kind, dims });
    if (kind === 'simhash') return Object.freeze({ kind, dims, bits: integer(`${path}.bits`, given.bits, 1, MAX_BITS) });
    return Object.freeze({ kind, dims, tilings: integer(`${path}.tilings`, given.tilings, 1, limit.tilings) });
}

/** A number, or { start, end, decay }. `limits` bind start; `endLimits` bind end. */
function readSchedule(path, value, limits, endLimits = limits) {
    if (typeof value === 'number') return number(path, value, limits);
    if (typeof value !== 'object' || value === null) return invalid(path, 'a number or { start, end, decay }', value);
    const { start, end, decay } = /** @type {any} */ (value);
    return Object.freeze({
        start: number(`${path}.start`, start, limits),
        end: number(`${path}.end`, end, endLimits),
        decay: number(`${path}.decay`, decay, UNIT),
    });
}

function readPolicy(path, value) {
    const given = object(path, value);
    const kind = oneOf(`${path}.kind`, given.kind, kinds('policy'));
    if (kind === 'epsilon-greedy') return Object.freeze({ kind, epsilon: readSchedule(`${path}.epsilon`, given.epsilon, UNIT) });
    if (kind === 'softmax')
        return Object.freeze({ kind, temperature: readSchedule(`${path}.temperature`, given.temperature, { min: 0, above: true }) });
    if (kind === 'ucb') return Object.freeze({ kind, c: number(`${path}.c`, given.c, { min: 0 }) });
    return Object.freeze({ kind });
}

function readReplay(path, value) {
    const given = object(path, value);
    const { kind, record, alpha, beta } = given;
    return Object.freeze({
        capacity: integer(`${path}.capacity`, given.capacity, 0, MAX_REPLAY),
        kind: optional(kind, 'uniform', (v) => oneOf(`${path}.kind`, v, kinds('replay'))),
        record: optional(record, 'compact', (v) => oneOf(`${path}.record`, v, kinds('record'))),
        alpha: optional(alpha, 0.6, (v) => number(`${path}.alpha`, v, UNIT)),
        beta: optional(beta, 0.4, (v) => number(`${path}.beta`, v, UNIT)),
    });
}

const readRate = (path, value) => (value === 'visits' ? value : readSchedule(path, value, POSITIVE_UNIT, UNIT));

const readQuota = (path, value) => (value === Infinity ? value : number(path, value, { min: 0 }));

function readActuator(path, value, actions) {
    const given = object(path, value);
    const parameter = string(`${path}.parameter`, given.parameter);
    const deltas = Array.from(array(`${path}.deltas`, given.deltas, actions, actions), (delta, i) => number(`${path}.deltas[${i}]`, delta));
    return Object.freeze({ parameter, deltas: Object.freeze(deltas) });
}

/** Combinations without a meaning in the literature are refused, not guessed. */
function checkCombination(config) {
    const refuse = (what) => {
        throw new QhiveError('INVALID_ARGUMENT', `config: ${what}`);
    };
    if (config.lambda > 0 && config.nStep > 1) refuse('lambda and nStep are two ways to look further than a step; use one');
    if (config.lambda > 0 && config.algorithm === 'double-q') refuse('eligibility traces are not defined for double-q; leave lambda 0');
    if (config.planning > 0 && config.encoder.kind === 'tiles') refuse('planning needs one key a state; tiles have several');
}

/**
 * Reads each property once; the result is complete and frozen.
 * @param {unknown} value
 * @returns {Readonly<AgentConfig> & { encoder: any }}
 */
export function readConfig(value) {
    const given = object('config', value);
    const { name, category, feature, replay, actuator } = given;
    /** @type {any} */
    const config = {
        actions: integer('config.actions', given.actions, 1, limit.actions),
        encoder: readEncoder('config.encoder', given.encoder),
        algorithm: optional(given.algorithm, 'q-learning', (v) => oneOf('config.algorithm', v, kinds('algorithm'))),
        learningRate: optional(given.learningRate, 0.1, (v) => readRate('config.learningRate', v)),
        discount: optional(given.discount, 0.95, (v) => number('config.discount', v, UNIT)),
        policy: optional(given.policy, Object.freeze({ kind: 'epsilon-greedy', epsilon: 0.1 }), (v) => readPolicy('config.policy', v)),
        initialValue: optional(given.initialValue, 0, (v) => number('config.initialValue', v, { min: -MAX_FLOAT, max: MAX_FLOAT })),
        lambda: optional(given.lambda, 0, (v) => number('config.lambda', v, UNIT)),
        nStep: optional(given.nStep, 1, (v) => integer('config.nStep', v, 1, MAX_STEPS)),
        planning: optional(given.planning, 0, (v) => integer('config.planning', v, 0, MAX_PLANNING)),
        quotaBytes: optional(given.quotaBytes, DEFAULT_QUOTA, (v) => readQuota('config.quotaBytes', v)),
        tieBreak: optional(given.tieBreak, 'random', (v) => oneOf('config.tieBreak', v, kinds('tie'))),
    };
    if (name !== undefined) config.name = readName('config.name', name);
    if (category !== undefined) config.category = readCategory('config.category', category);
    if (feature !== undefined) config.feature = string('config.feature', feature);
    if (replay !== undefined) config.replay = readReplay('config.replay', replay);
    if (actuator !== undefined) config.actuator = readActuator('config.actuator', actuator, config.actions);
    config.propensities = optional(given.propensities, (config.replay?.capacity ?? 0) > 0, (v) => boolean('config.propensities', v));
    checkCombination(config);
    return /** @type {any} */ (Object.freeze(config));
}

/* ---------------------------------------------------------------- writing */

/** The exchange buffer as the core's structs, little-endian. */
class Writer {
    constructor(buffer, base) {
        this.view = new DataView(buffer);
        this.base = base;
    }

    uint32(offset, value) {
        this.view.setUint32(this.base + offset, value, true);
    }

    float32(offset, value) {
        this.view.setFloat32(this.base + offset, value, true);
    }

    float64(offset, value) {
        this.view.setFloat64(this.base + offset, value, true);
    }

    /** @param {number} offset @param {Schedule} schedule */
    schedule(offset, schedule) {
        const { start, end, decay } = typeof schedule === 'number' ? { start: schedule, end: schedule, decay: 1 } : schedule;
        this.float64(offset + SCHEDULE.start, start);
        this.float64(offset + SCHEDULE.end, end);
        this.float64(offset + SCHEDULE.decay, decay);
    }
}

function writeEncoder(to, encoder) {
    to.uint32(DEF['encoder.kind'], abi.encoder[encoder.kind]);
    to.uint32(DEF['encoder.states'], encoder.states ?? 0);
    to.uint32(DEF['encoder.bits'], encoder.bits ?? 0);
    to.uint32(DEF['encoder.tilings'], encoder.tilings ?? 0);
    const dims = encoder.dims ?? [];
    dims.forEach((dim, i) => {
        const at = io.dims + i * size.dim;
        to.float32(at + DIM.min, dim.min);
        to.float32(at + DIM.max, dim.max);
        to.uint32(at + DIM.bins, dim.bins);
        to.float32(at + DIM.trend, dim.trend ?? 0);
    });
    return dims.length;
}

function writePolicy(to, policy) {
    to.uint32(DEF.policy, abi.policy[policy.kind]);
    to.schedule(DEF.exploration, policy.epsilon ?? policy.temperature ?? 1);
    to.float64(DEF.ucb_c, policy.c ?? 0);
}

function writeReplay(to, replay) {
    to.uint32(DEF.replay_capacity, replay?.capacity ?? 0);
    to.uint32(DEF.replay_kind, abi.replay[replay?.kind ?? 'uniform']);
    to.uint32(DEF.replay_record, abi.record[replay?.record ?? 'compact']);
    to.float64(DEF.replay_alpha, replay?.alpha ?? 0.6);
    to.float64(DEF.replay_beta, replay?.beta ?? 0.4);
}

/** The name selects the agent's random stream; without one its number does. Returns its bytes. */
function writeName(buffer, base, name) {
    if (name === undefined) return 0;
    const bytes = new TextEncoder().encode(name);
    new Uint8Array(buffer, base + io.text, size.text).set(bytes);
    return bytes.length;
}

/**
 * Writes a configuration that `readConfig` made and asks the core for the agent: its handle, or a failure below -1.
 * @param {import('./core.js').Core} core
 * @param {Readonly<AgentConfig>} config
 * @param {{ zone: number, steps: Int32Array }} [actuator] its zone's number and its deltas in grid steps
 */
export function createFrom(core, config, actuator) {
    const { buffer } = core.alive();
    const to = new Writer(buffer, core.base);
    to.uint32(DEF.actions, config.actions);
    to.uint32(DEF.algorithm, abi.algorithm[config.algorithm ?? '']);
    to.uint32(DEF.rate_visits, config.learningRate === 'visits' ? 1 : 0);
    to.schedule(DEF.rate, config.learningRate === 'visits' ? 1 : config.learningRate ?? 0);
    to.uint32(DEF.tie_break, abi.tie[config.tieBreak ?? '']);
    to.uint32(DEF.n_step, config.nStep ?? 1);
    to.uint32(DEF.planning, config.planning ?? 0);
    to.float64(DEF.discount, config.discount ?? 0);
    to.float64(DEF.initial_value, config.initialValue ?? 0);
    to.float64(DEF.lambda, config.lambda ?? 0);
    to.float64(DEF.quota_bytes, config.quotaBytes ?? 0);
    writePolicy(to, config.policy);
    writeReplay(to, config.replay);
    to.uint32(DEF.zone, actuator === undefined ? 0 : actuator.zone + 1);
    if (actuator !== undefined) new Int32Array(buffer, core.base + io.counts, limit.actions).set(actuator.steps);
    to.uint32(DEF.propensities, config.propensities ? 1 : 0);
    const dimCount = writeEncoder(to, config.encoder);
    return core.call('qh_agent_create', writeName(buffer, core.base, config.name), dimCount);
}
