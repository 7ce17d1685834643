/**
 * Metrics: sums over the agents' own counters, series that users observe, and all of it as Prometheus text (exposition format 0.0.4).
 */
import { abi } from 'qhive:abi';
import { describe, number, string } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';
import { writeText } from './messages.js';

/** @typedef {import('./core.js').Core} Core */

const { limit } = abi;
const LATENCY = 'latency';
/** In the core's order. */
const LOCKS = ['memory', 'registry', 'federation', 'metrics', 'messages', 'zones', 'search'];
const ROOMS = LOCKS.slice(2, 5); // what a runtime without threads tells of: zeros

const escapeLabel = (text) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
const numberText = (x) => String(x).replace(/^(-?)Infinity$/, (_, sign) => `${sign || '+'}Inf`);

/** A metric's lines: each sample is its labels and its value. @param {string} name @param {string} type @param {string} help @param {[Record<string, string>, number, string?][]} samples */
function metric(name, type, help, samples) {
    const lines = samples.map(([labels, value, suffix = '']) => {
        const list = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
        return `${name}${suffix}${list.length > 0 ? `{${list.join(',')}}` : ''} ${numberText(value)}\n`;
    });
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

export class MetricsStore {
    /** @type {Core} */
    #core;
    #memory;
    #agents;
    /** @type {Map<string, number>} numbers of series */
    #numbers = new Map();

    /** @param {Core} core @param {import('./memory.js').MemoryInfo} memory @param {Map<number, import('./agent.js').Agent>} agents alive, by handle */
    constructor(core, memory, agents) {
        this.#core = core;
        this.#memory = memory;
        this.#agents = agents;
    }

    snapshot() {
        const { decisions, learningSteps, rewardSum, tdErrorMean } = this.#sums();
        const { p50, p99, max } = this.series(LATENCY) ?? { p50: 0, p99: 0, max: 0 };
        const latency = { p50, p99, max };
        return { decisions, learningSteps, rewardSum, tdErrorMean, latency, pools: this.#memory.pools(), locks: this.#locks() };
    }

    /** @param {string} name @param {number} value */
    observe(name, value) {
        this.#core.alive();
        number('value', value);
        this.#check(this.#core.call('qh_series_count', this.#numbers.get(name) ?? this.#find(name), value));
    }

    /** What was observed under a name; undefined: nothing. @param {string} name */
    series(name) {
        this.#core.alive();
        const names = this.names();
        const key = names.indexOf(string('name', name));
        if (key < 0) return undefined;
        const [count, sum, min, max, p50, p90, p99] = this.#read(key);
        return { count, sum, min, max, mean: count > 0 ? sum / count : 0, p50, p90, p99 };
    }

    /** The names of all series, the oldest first. */
    names() {
        const names = [];
        this.#core.alive();
        while (this.#core.read('qh_series_read', names.length) === 0) {
            const [address, length] = this.#core.numbers.subarray(8);
            const bytes = this.#core.view(Uint8Array, address, length);
            names.push(String.fromCharCode(...bytes));
        }
        return names;
    }

    /** @returns {string} */
    prometheus() {
        const { decisions, learningSteps, episodes, rewardSum, states, agents, tdErrorSum } = this.#sums();
        const pools = this.#memory.pools();
        const locks = this.#locks();
        const byPool = (read) => pools.map((pool) => /** @type {[any, number]} */ ([{ pool: pool.name }, read(pool)]));
        const byLock = (read) => locks.map((lock) => /** @type {[any, number]} */ ([{ lock: lock.name }, read(lock)]));
        return [
            metric('qhive_decisions_total', 'counter', 'Actions chosen.', [[{}, decisions]]),
            metric('qhive_learning_steps_total', 'counter', 'Updates learned from.', [[{}, learningSteps]]),
            metric('qhive_episodes_total', 'counter', 'Episodes begun.', [[{}, episodes]]),
            metric('qhive_reward_sum', 'gauge', 'Sum of all rewards.', [[{}, rewardSum]]),
            metric('qhive_td_error_abs_sum', 'counter', 'Sum of the sizes of all TD errors.', [[{}, tdErrorSum]]),
            metric('qhive_agents', 'gauge', 'Agents alive, by category.', this.#categories(agents)),
            metric('qhive_states', 'gauge', 'States in the tables of all agents.', [[{}, states]]),
            metric('qhive_memory_live_bytes', 'gauge', 'Bytes of live blocks.', [[{}, this.#memory.liveBytes]]),
            metric('qhive_memory_pages', 'gauge', 'Pages of 64 KiB.', [[{}, this.#memory.pages]]),
            metric('qhive_pool_blocks_in_use', 'gauge', 'Blocks of a pool that are out.', byPool(({ inUse }) => inUse)),
            metric('qhive_pool_blocks', 'gauge', 'Blocks of a pool.', byPool(({ capacity }) => capacity)),
            metric('qhive_pool_fallbacks_total', 'counter', 'Blocks that the heap gave because a pool had none.', byPool(({ fallbacks }) => fallbacks)),
            metric('qhive_lock_acquired_total', 'counter', 'How often a lock was taken.', byLock(({ acquired }) => acquired)),
            metric('qhive_lock_contended_total', 'counter', 'How often a lock was waited for.', byLock(({ contended }) => contended)),
            metric('qhive_lock_wait_max_milliseconds', 'gauge', 'The longest wait for a lock.', byLock(({ maxWaitMs }) => maxWaitMs)),
            ...this.names().map((name, key) => this.#histogram(name, key)),
        ].join('');
    }

    /** @param {string} name @param {number} key */
    #histogram(name, key) {
        const [, sum, , , , , , octaves] = this.#read(key);
        /** @type {Map<string, number>} zero is the end of two octaves */
        const buckets = new Map();
        let count = 0; // what the buckets hold: another thread may be counting
        for (let i = 0; i < octaves; i++) {
            this.#core.read('qh_series_octave', key, i);
            const [end, inside] = this.#core.numbers;
            buckets.set(numberText(end), (count += inside));
        }
        buckets.set('+Inf', count);
        /** @type {[Record<string, string>, number, string?][]} */
        const samples = Array.from(buckets, ([le, below]) => [{ le }, below, '_bucket']);
        samples.push([{}, sum, '_sum'], [{}, count, '_count']);
        return metric(name, 'histogram', 'Observed values.', samples);
    }

    /** @param {number} agents */
    #categories(agents) {
        /** @type {Map<string, number>} */
        const counts = new Map();
        for (const { config } of this.#agents.values()) {
            const category = config.category ?? this.#categoryOf(config.feature);
            counts.set(category, (counts.get(category) ?? 0) + 1);
        }
        if (agents === 0) counts.set('', 0);
        return Array.from(counts, ([category, count]) => /** @type {[any, number]} */ ([{ category }, count]));
    }

    /** The category of a feature that is known, which is that of its agents without one. @param {string | undefined} feature */
    #categoryOf(feature) {
        const { knowledge } = this.#core;
        return feature !== undefined && knowledge?.frozen ? (knowledge.get(feature)?.category ?? '') : '';
    }

    #sums() {
        this.#check(this.#core.call('qh_metrics_sum'));
        const [decisions, learningSteps, episodes, rewardSum, tdErrorSum, states, agents] = this.#core.numbers;
        const tdErrorMean = learningSteps > 0 ? tdErrorSum / learningSteps : 0;
        return { decisions, learningSteps, episodes, rewardSum, tdErrorSum, tdErrorMean, states, agents };
    }

    #locks() {
        return (this.#core.threads === null ? ROOMS : LOCKS).map((name) => {
            this.#core.read('qh_lock_read', LOCKS.indexOf(name));
            const [acquired, contended, maxWaitMs] = this.#core.numbers;
            return { name, acquired, contended, maxWaitMs };
        });
    }

    /** @param {number} key */
    #read(key) {
        this.#core.read('qh_series_read', key);
        return this.#core.numbers;
    }

    /** The number of a series, made if there is none. @param {unknown} given */
    #find(given) {
        const name = string('name', given);
        const bytes = new TextEncoder().encode(name);
        const found = bytes.length > limit.series ? -1 : this.#core.call('qh_series_find', writeText(this.#core, bytes));
        if (found === -1 || codeOf(found) === 'INVALID_ARGUMENT')
            throw new QhiveError(
                'INVALID_ARGUMENT',
                `name must be 1 to ${limit.series} of a-z, A-Z, 0-9 and _, begin with no digit and not with qhive_, and be no part of another series (_bucket, _sum, _count), not ${describe(name)}`,
            );
        this.#check(found);
        this.#numbers.set(name, found);
        return found;
    }

    /** @param {number} result */
    #check(result) {
        if (result >= 0) return;
        const code = codeOf(result) ?? 'INVALID_STATE';
        const problem = code === 'QUOTA_EXCEEDED' ? 'the memory of the metrics store (4 MiB) is spent' : resourceProblem(this.#core, code);
        throw new QhiveError(code, `metrics: ${problem}`);
    }
}
