/**
 * Federated learning: agents' tables in, one table for each group out, and back into agents. All of it is in the core; here are the
 * lists of agents, the options, and the sentences.
 */
import { abi } from 'qhive:abi';
import { handleOf } from './agent.js';
import { readAgents } from './batch.js';
import { boolean, integer, invalid, number, object, oneOf, optional } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { busyReason, resourceProblem } from './failure.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./agent.js').Agent} Agent */
/** @typedef {import('../types/qhive.js').MergeOptions} MergeOptions */

const RULES = Object.keys(abi.rule);
const AGE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const TRIM = 0.2;
const VISIT_CAP = 50;
const LEAST = Number.MIN_VALUE;
const HANDLE_BYTES = 8;
const MAX_QUOTA = 2 ** 32 - 65536;

/** @param {unknown} value @param {(options: any) => any} read */
const readOptions = (value, read) => read(value === undefined ? {} : object('options', value));
const readAge = (given) => readOptions(given, ({ age }) => optional(age, 0, (v) => number('options.age', v, AGE)));

function readNoise(value) {
    const { sigma, seed } = object('options.noise', value);
    return { sigma: number('options.noise.sigma', sigma, { min: 0 }), seed: integer('options.noise.seed', seed, 0, Number.MAX_SAFE_INTEGER) };
}

/** @param {any} given */
function readMerge({ by, rule, trim, visitCap, clip, noise }) {
    const options = {
        by: optional(by, 'category', (v) => oneOf('options.by', v, ['category', 'all'])),
        rule: optional(rule, 'robust', (v) => oneOf('options.rule', v, RULES)),
        trim: optional(trim, TRIM, (v) => number('options.trim', v, { min: 0 })),
        visitCap: optional(visitCap, VISIT_CAP, (v) => number('options.visitCap', v, { min: LEAST })),
        clip: optional(clip, Infinity, (v) => number('options.clip', v, { min: 0, above: true })),
        noise: optional(noise, undefined, readNoise),
    };
    if (!(options.trim < 0.5)) invalid('options.trim', 'less than 0.5', options.trim);
    return options;
}

export class FederatedAccumulator {
    /** @type {Core} */
    #core;

    /** @param {Core} core */
    constructor(core) {
        this.#core = core;
    }

    /** @param {Iterable<Agent>} agents @param {{ age?: number }} [options] */
    accumulate(agents, options) {
        this.#core.alive();
        const age = readAge(options);
        const list = readAgents(this.#core, agents);
        const result = this.#lendAgents('accumulate', list, (count) => this.#core.call('qh_federation_add', count, age));
        this.#check('accumulate', result, list);
    }

    /** @param {Uint8Array} bytes @param {{ age?: number }} [options] */
    accumulateDelta(bytes, options) {
        this.#core.alive();
        const age = readAge(options);
        if (!ArrayBuffer.isView(bytes) || Object.prototype.toString.call(bytes) !== '[object Uint8Array]') invalid('bytes', 'a Uint8Array', bytes);
        if (bytes.length === 0) throw new QhiveError('CORRUPT', 'federation.accumulateDelta: there are no bytes');
        const result = this.#lend('accumulateDelta', bytes.length, () => {
            this.#core.transferred().set(bytes);
            return this.#core.call('qh_federation_read', age);
        });
        this.#check('accumulateDelta', result);
    }

    /** @param {MergeOptions} [given] */
    merge(given) {
        this.#core.alive();
        const { by, rule, trim, visitCap, clip, noise } = readOptions(given, readMerge);
        const { sigma, seed } = noise ?? { sigma: 0, seed: 0 };
        const result = this.#core.call(
            'qh_federation_unite', by === 'all' ? 1 : 0, abi.rule[rule], trim, visitCap, clip, sigma, seed >>> 0, Math.floor(seed / 2 ** 32),
        );
        this.#check('merge', result);
        const [groups, rows, rejected, clipped, values] = this.#core.numbers;
        /** @type {import('../types/qhive.js').MergeReport} */
        const report = { groups, rows, rejected };
        if (clip < Infinity) report.clipped = clipped;
        if (noise !== undefined) report.noise = { sigma, seed, values };
        return report;
    }

    /** @param {Iterable<Agent>} agents */
    apply(agents) {
        this.#core.alive();
        const list = readAgents(this.#core, agents);
        return this.#check('apply', this.#lendAgents('apply', list, (count) => this.#core.call('qh_federation_give', count)), list);
    }

    /** @param {Iterable<Agent>} agents @param {{ all?: boolean }} [options] @returns {Uint8Array} */
    exportDelta(agents, options) {
        this.#core.alive();
        const all = readOptions(options, (given) => optional(given.all, false, (v) => boolean('options.all', v)));
        const list = readAgents(this.#core, agents);
        return this.#lendAgents('exportDelta', list, (count) => {
            this.#check('exportDelta', this.#core.call('qh_federation_write', count, all ? 1 : 0), list);
            return this.#core.transferred().slice();
        });
    }

    /** @param {{ keepMerged?: boolean }} [options] */
    clear(options) {
        this.#core.alive();
        const keep = readOptions(options, (given) => optional(given.keepMerged, false, (v) => boolean('options.keepMerged', v)));
        this.#check('clear', this.#core.call('qh_federation_end', keep ? 1 : 0));
    }

    /** Contributions held. */
    get contributions() {
        return this.#info()[0];
    }

    /** Groups merged. */
    get groups() {
        return this.#info()[1];
    }

    get bytes() {
        return this.#info()[2];
    }

    get quotaBytes() {
        return this.#info()[3];
    }

    set quotaBytes(value) {
        this.#core.alive();
        this.#info(integer('quotaBytes', value, 1, MAX_QUOTA));
    }

    #info(quota = 0) {
        this.#check('info', this.#core.call('qh_federation_info', quota));
        return this.#core.numbers;
    }

    /**
     * Opens the transfer buffer for a call.
     * @template T @param {string} method @param {number} byteCount @param {() => T} use @returns {T}
     */
    #lend(method, byteCount, use) {
        this.#check(method, this.#core.call('qh_transfer_open', byteCount));
        try {
            return use();
        } finally {
            if (this.#core.gone === null) this.#core.call('qh_transfer_close');
        }
    }

    /** @template T @param {string} method @param {Agent[]} agents @param {(count: number) => T} use @returns {T} */
    #lendAgents(method, agents, use) {
        return this.#lend(method, Math.max(agents.length, 1) * HANDLE_BYTES, () => {
            const [address] = this.#core.numbers;
            const handles = this.#core.view(Uint32Array, address, agents.length * 2);
            agents.forEach((agent, i) => (handles[2 * i] = handleOf(agent)));
            return use(agents.length);
        });
    }

    /** @param {string} method @param {number} result @param {Agent[]} [agents] */
    #check(method, result, agents) {
        if (result >= 0) return result;
        const code = codeOf(result) ?? 'INVALID_STATE';
        const agent = agents?.[this.#core.numbers[0]];
        throw new QhiveError(code, `federation.${method}: ${this.#problem(code, method, agent)}`);
    }

    /** @param {QhiveError['code']} code @param {string} method @param {Agent} [agent] */
    #problem(code, method, agent) {
        const who = agent === undefined ? 'a contribution' : `'${agent.name}'`;
        switch (code) {
            case 'INVALID_ARGUMENT':
                return `${who} differs in encoder or actions from others of its group`;
            case 'INVALID_STATE':
                return 'nothing was merged; call merge() first';
            case 'BUSY':
                return agent === undefined ? resourceProblem(this.#core, code) : `${who}: ${busyReason(this.#core, agent)}`;
            case 'CORRUPT':
                return 'the bytes are damaged, or are no delta';
            case 'VERSION':
                return 'the bytes are of a format this version does not read';
            case 'QUOTA_EXCEEDED':
                if (method === 'apply' && agent !== undefined) return `the quota of ${who} (${agent.config.quotaBytes} bytes) has no room for the rows it lacks`;
                return `quotaBytes (${this.quotaBytes}) is spent; clear() gives contributions back`;
            default:
                return resourceProblem(this.#core, code);
        }
    }
}
