/**
 * Safe zones: what may become of the network's parameters, and what did.
 *
 * The rules live in the core, by numbers; here are the names, the definitions until they are frozen, and the sentences
 * for what the core decided. A change crosses as the numbers of `abi.change`.
 */
import { abi } from 'qhive:abi';
import { handleOf, idOf, isAgentOf } from './agent.js';
import { array, boolean, describe, integer, invalid, number, object, oneOf, optional, string } from './check.js';
import { codeOf, QhiveError } from './errors.js';
import { resourceProblem } from './failure.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('../types/qhive.js').ParameterChange} ParameterChange */
/** @typedef {{ parameter: string, min: number, max: number, default: number, step: number, maxChangesPerHour: number, cooldownMs: number, requiresApproval: boolean }} Zone */
/** @typedef {{ kpi: string, threshold: number, direction: 'below' | 'above', windowMs: number, depth: number, parameters?: readonly string[] }} Trigger */

const { change: FIELD, limit } = abi;
const TIME = { min: 0, max: Number.MAX_SAFE_INTEGER };
const NO_LIMIT = -1;
const COOLDOWN_MS = 60_000;
const AUDIT_BYTES = 256 * 1024;
const MAX_AUDIT_BYTES = 2 ** 28;
const BACK_OFF_MS = 15 * 60_000;
const MAX_BACK_OFF_MS = 24 * 3_600_000;
const ON_GRID = 1e-6;
const FIELDS = Object.keys(FIELD).length;

const namesOf = (group) => Object.keys(group).sort((a, b) => group[a] - group[b]);
const STATUSES = namesOf(abi.change_status).map((name) => /** @type {ParameterChange['status']} */ (name.replace('_', '-')));
const REASONS = namesOf(abi.change_reason);

/** The SafeZones class hands these out; they are not for users. */
/** @type {(zones: SafeZones, actuator: { parameter: string, deltas: readonly number[] }) => { zone: number, steps: Int32Array }} */
export let bindActuator;
/** @type {(zones: SafeZones, agent: import('./agent.js').Agent, action: unknown, actions: number, time: unknown) => ParameterChange} */
export let applyAction;

/** A moment: milliseconds, at least 0 and below 2^53. @param {string} name @param {unknown} value */
export const readTime = (name, value) => number(name, value, TIME);

/* ---------------------------------------------------------------- definitions */

function nonEmpty(path, value) {
    const text = string(path, value);
    return text === '' ? invalid(path, 'a string that is not empty', text) : text;
}

const readRate = (path, value) => (value === Infinity ? NO_LIMIT : integer(path, value, 0, limit.rate));

/** @returns {Zone} */
function readZone(path, value) {
    const given = object(path, value);
    const zone = {
        parameter: nonEmpty(`${path}.parameter`, given.parameter),
        min: number(`${path}.min`, given.min),
        max: number(`${path}.max`, given.max),
        default: number(`${path}.default`, given.default),
        step: number(`${path}.step`, given.step, { min: 0, above: true }),
        maxChangesPerHour: optional(given.maxChangesPerHour, NO_LIMIT, (v) => readRate(`${path}.maxChangesPerHour`, v)),
        cooldownMs: optional(given.cooldownMs, COOLDOWN_MS, (v) => number(`${path}.cooldownMs`, v, TIME)),
        requiresApproval: optional(given.requiresApproval, false, (v) => boolean(`${path}.requiresApproval`, v)),
    };
    if (zone.min > zone.max) invalid(`${path}.max`, `at least min (${zone.min})`, zone.max);
    number(`${path}.default`, zone.default, { min: zone.min, max: zone.max });
    if (!((zone.max - zone.min) / zone.step < limit.zone_levels)) invalid(`${path}.step`, 'larger: there are too many values from min to max', zone.step);
    return Object.freeze(zone);
}

/** @returns {Trigger} */
function readTrigger(path, value) {
    const given = object(path, value);
    const { parameters } = given;
    /** @type {Trigger} */
    const trigger = {
        kpi: nonEmpty(`${path}.kpi`, given.kpi),
        threshold: number(`${path}.threshold`, given.threshold),
        direction: oneOf(`${path}.direction`, given.direction, ['below', 'above']),
        windowMs: number(`${path}.windowMs`, given.windowMs, TIME),
        depth: integer(`${path}.depth`, given.depth, 1, limit.depth),
    };
    if (parameters !== undefined)
        trigger.parameters = Object.freeze(Array.from(array(`${path}.parameters`, parameters, 1, limit.zones), (name, i) => string(`${path}.parameters[${i}]`, name)));
    return Object.freeze(trigger);
}

/** Every element of an iterable, read by `read`. */
function readAll(path, value, read) {
    if (typeof value !== 'object' || value === null || typeof value[Symbol.iterator] !== 'function') return invalid(path, 'an iterable of objects', value);
    const all = [];
    for (const element of value) {
        if (all.length === limit.zones) throw new QhiveError('INVALID_ARGUMENT', `${path} must have at most ${limit.zones} elements`);
        all.push(read(`${path}[${all.length}]`, element));
    }
    return all;
}

function readOptions(value, before) {
    if (value === undefined) return before;
    const { auditBytes, backOffMs, maxBackOffMs } = object('options', value);
    const options = {
        auditBytes: optional(auditBytes, before.auditBytes, (v) => integer('options.auditBytes', v, limit.audit, MAX_AUDIT_BYTES)),
        backOffMs: optional(backOffMs, before.backOffMs, (v) => number('options.backOffMs', v, { ...TIME, above: true })),
        maxBackOffMs: optional(maxBackOffMs, before.maxBackOffMs, (v) => number('options.maxBackOffMs', v, TIME)),
    };
    if (options.maxBackOffMs < options.backOffMs) invalid('options.maxBackOffMs', `at least backOffMs (${options.backOffMs})`, options.maxBackOffMs);
    return options;
}

/** The numbers of the core's definition: zones, triggers, then the zones that each trigger is restricted to. */
function numbersOf(zones, triggers, numberOf, kpis) {
    const lists = triggers.map(({ parameters = [] }) => parameters.map(numberOf));
    return Float64Array.from([
        ...zones.flatMap((zone) => [
            zone.min, zone.max, zone.default, zone.step, zone.maxChangesPerHour, zone.cooldownMs, zone.requiresApproval ? 1 : 0,
        ]),
        ...triggers.flatMap(({ kpi, threshold, direction, windowMs, depth }, i) => [
            kpis.get(kpi), threshold, direction === 'above' ? 1 : 0, windowMs, depth, lists[i].length,
        ]),
        ...lists.flat(),
    ]);
}

/* ---------------------------------------------------------------- sentences */

const wait = (ms) => (ms === Infinity ? 'it may not change at all' : `${ms} ms to go`);

/** Why the core decided as it did. @type {Record<string, (zone: Zone, detail: number, trigger: Trigger) => string>} */
const SENTENCES = {
    within: () => 'within its safe zone',
    outside: ({ min, max }) => `outside ${min}..${max}`,
    off_grid: (zone) => `not a multiple of ${zone.step} from ${zone.default}`,
    back_off: (_, ms) => `backing off after a rollback: ${wait(ms)}`,
    cooldown: ({ cooldownMs }, ms) => `cooldown of ${cooldownMs} ms: ${wait(ms)}`,
    rate: ({ maxChangesPerHour }, ms) => `at most ${maxChangesPerHour} changes an hour: ${wait(ms)}`,
    queue_full: () => 'too many changes await approval',
    needs_approval: () => 'awaits approval',
    approved: () => 'approved',
    timeout: () => 'not approved within 30 minutes',
    kpi: (_zone, _detail, { kpi, direction, threshold, windowMs }) => `${kpi} ${direction} ${threshold} for ${windowMs} ms`,
    reset: () => 'reset to the default',
    keep: () => 'keeps its value: nothing proposed',
};

/* ---------------------------------------------------------------- the zones */

export class SafeZones {
    /** @type {Core} */
    #core;
    #agents;
    /** @type {Zone[]} */
    #zones = [];
    /** @type {Map<string, number>} */
    #numbers = new Map();
    /** @type {Trigger[]} */
    #triggers = [];
    /** @type {Map<string, number>} */
    #kpis = new Map();
    #options = { auditBytes: AUDIT_BYTES, backOffMs: BACK_OFF_MS, maxBackOffMs: MAX_BACK_OFF_MS };
    #frozen = false;

    /** @param {Core} core @param {Map<number, import('./agent.js').Agent>} agents alive, by handle */
    constructor(core, agents) {
        this.#core = core;
        this.#agents = agents;
    }

    static {
        bindActuator = (zones, actuator) => zones.#bind(actuator);
        applyAction = (zones, agent, action, actions, time) => {
            zones.#core.alive();
            const chosen = integer('action', action, 0, actions - 1);
            const at = readTime('time', time);
            return zones.#decided('apply', zones.#core.call('qh_apply', handleOf(agent), chosen, at), `agent '${agent.name}'`);
        };
    }

    get frozen() {
        this.#core.alive();
        return this.#look();
    }

    get parameters() {
        this.#core.alive();
        this.#look();
        return this.#zones.map(({ parameter }) => parameter);
    }

    define(zones, triggers = [], options = undefined) {
        this.#core.alive();
        const readZones = readAll('zones', zones, readZone);
        const readTriggers = readAll('triggers', triggers, readTrigger);
        const complete = readOptions(options, this.#options);
        if (this.#look()) throw new QhiveError('INVALID_STATE', 'define: the safe zones are frozen');
        const all = new Map(this.#numbers);
        for (const { parameter } of readZones) {
            if (all.has(parameter)) throw new QhiveError('INVALID_ARGUMENT', `zones: there are two for ${describe(parameter)}`);
            all.set(parameter, all.size);
        }
        for (const { parameters = [] } of readTriggers)
            for (const name of parameters)
                if (!all.has(name)) throw new QhiveError('INVALID_ARGUMENT', `triggers: there is no safe zone for ${describe(name)}`);
        if (all.size > limit.zones || this.#triggers.length + readTriggers.length > limit.zones)
            throw new QhiveError('INVALID_ARGUMENT', `there can be at most ${limit.zones} zones, and as many triggers`);
        this.#add(readZones, readTriggers);
        this.#options = complete;
    }

    /** @param {Zone[]} zones @param {Trigger[]} triggers */
    #add(zones, triggers) {
        for (const { parameter } of zones) this.#numbers.set(parameter, this.#numbers.size);
        this.#zones.push(...zones);
        this.#triggers.push(...triggers);
        for (const { kpi } of triggers) if (!this.#kpis.has(kpi)) this.#kpis.set(kpi, this.#kpis.size);
    }

    /** Whether the zones are in force: another thread may have frozen its own, which take the place of these. */
    #look() {
        const definitions = this.#frozen ? undefined : this.#core.threads?.zones();
        if (definitions === undefined) return this.#frozen;
        this.#zones = [];
        this.#triggers = [];
        this.#numbers.clear();
        this.#kpis.clear();
        this.#add(definitions.zones.map(Object.freeze), definitions.triggers.map(Object.freeze));
        return (this.#frozen = true);
    }

    freeze() {
        const core = this.#core;
        core.alive();
        if (this.#look()) throw new QhiveError('INVALID_STATE', 'freeze: the safe zones are frozen already');
        if (this.#zones.length === 0) throw new QhiveError('INVALID_STATE', 'freeze: there are no safe zones yet; define() them first');
        const numbers = numbersOf(this.#zones, this.#triggers, (name) => this.#numbers.get(name), this.#kpis);
        this.#freezing(core.call('qh_transfer_open', numbers.byteLength));
        try {
            core.transferred().set(new Uint8Array(numbers.buffer));
            const { auditBytes, backOffMs, maxBackOffMs } = this.#options;
            this.#freezing(core.call('qh_zones_freeze', this.#zones.length, this.#triggers.length, auditBytes, backOffMs, maxBackOffMs));
        } finally {
            if (core.gone === null) core.call('qh_transfer_close');
        }
        this.#frozen = true;
        this.#freezing(core.threads?.leaveZones({ zones: this.#zones, triggers: this.#triggers }) ?? 0);
    }

    value(parameter) {
        this.#core.read('qh_zones_read', this.#numberOf(parameter));
        return this.#core.numbers[0];
    }

    allowed(parameter, to, time) {
        const zone = this.#numberOf(parameter);
        return this.#core.read('qh_zones_allowed', zone, number('to', to), readTime('time', time)) === 1;
    }

    propose(agent, parameter, to, time) {
        const zone = this.#numberOf(parameter);
        if (!isAgentOf(agent, this.#core)) invalid('agent', 'an agent of this runtime', agent);
        if (handleOf(agent) === 0) throw new QhiveError('STALE_HANDLE', `propose: the agent '${agent.name}' was freed`);
        number('to', to);
        readTime('time', time);
        const result = this.#core.call('qh_zones_propose_for', handleOf(agent), zone, to, time);
        return this.#decided('propose', result, `'${parameter}' to ${to}`);
    }

    approve(sequence, time) {
        this.#check();
        integer('sequence', sequence, 1, Number.MAX_SAFE_INTEGER);
        readTime('time', time);
        const result = this.#core.call('qh_zones_approve_one', sequence, time);
        if (codeOf(result) === 'INVALID_STATE')
            throw new QhiveError('INVALID_STATE', `approve: change ${sequence} does not await approval (decided before, or expired after 30 minutes)`);
        return this.#decided('approve', result, `change ${sequence}`);
    }

    observe(kpi, value, time) {
        this.#check();
        const number_ = this.#kpis.get(string('kpi', kpi));
        if (number_ === undefined) throw new QhiveError('INVALID_ARGUMENT', `observe: no trigger watches ${describe(kpi)}`);
        number('value', value);
        readTime('time', time);
        if (this.#core.read('qh_zones_observe_kpi', number_, value, time) !== 0)
            throw new QhiveError('INVALID_ARGUMENT', `observe: time must not be before the last reading of ${describe(kpi)}, not ${time}`);
        const undone = [];
        for (let place = 0; (place = this.#core.read('qh_zones_next_undone', place)) > 0; ) undone.push(this.#change());
        return undone;
    }

    reset(time) {
        this.#check();
        this.#core.read('qh_zones_reset_all', readTime('time', time));
    }

    audit(from = 1) {
        this.#check();
        integer('from', from, 0, Number.MAX_SAFE_INTEGER);
        const latest = new Map();
        for (const { change } of this.#events()) {
            latest.delete(change.sequence);
            if (change.sequence >= from) latest.set(change.sequence, change);
        }
        return [...latest.values()];
    }

    auditLines() {
        this.#check();
        const values = Object.fromEntries(
            this.#zones.map(({ parameter }, i) => {
                this.#core.read('qh_zones_read', i);
                return [parameter, this.#core.numbers[1]];
            }),
        );
        const events = [...this.#events()].map(({ change, qValues, kpis }) => ({
            ...change, agentName: this.#nameOf(change.agent), qValues, kpis,
        }));
        return [{ values }, ...events].map((line) => `${JSON.stringify(line)}\n`).join('');
    }

    /** The events of the audit, oldest first. */
    *#events() {
        const names = [...this.#kpis.keys()];
        for (let first = 1; this.#core.read('qh_zones_audit', first) === 1; first = 0) {
            const { numbers } = this.#core;
            const readings = numbers[FIELD.readings];
            const kpis = Object.fromEntries(
                Array.from({ length: readings }, (_, i) => [names[numbers[FIELDS + 2 * i + 1]], numbers[FIELDS + 2 * i]]),
            );
            yield { change: this.#change(), kpis, qValues: Array.from(this.#core.copyValues(numbers[FIELD.values])) };
        }
    }

    #nameOf(id) {
        for (const agent of this.#agents.values()) if (agent.id === id) return agent.name;
        return undefined;
    }

    /** The change that the last call left in the numbers. @returns {ParameterChange} */
    #change() {
        const { numbers } = this.#core;
        const zone = this.#zones[numbers[FIELD.zone]];
        const detail = numbers[FIELD.detail];
        const handle = numbers[FIELD.agent];
        return {
            sequence: numbers[FIELD.sequence],
            time: numbers[FIELD.time],
            agent: handle === 0 ? 0 : idOf(handle),
            parameter: zone.parameter,
            from: numbers[FIELD.from],
            to: numbers[FIELD.to],
            status: STATUSES[numbers[FIELD.status]],
            reason: SENTENCES[REASONS[numbers[FIELD.reason]]](zone, detail, this.#triggers[detail]),
        };
    }

    /** The change, or the error that refuses it. */
    #decided(method, result, what) {
        if (result === 0) return this.#change();
        const code = codeOf(result) ?? 'INVALID_STATE';
        if (code === 'SAFE_ZONE') {
            const change = this.#change();
            const error = new QhiveError(code, `${method}: '${change.parameter}' stays ${change.from}, not ${change.to}: ${change.reason}`);
            throw Object.assign(error, { change });
        }
        if (code === 'INVALID_ARGUMENT')
            throw new QhiveError(code, method === 'approve' ? `approve: there is no ${what}, or time is before it or before the parameter's last change` : `${method}: ${what}: time must not be before the parameter's last change`);
        throw new QhiveError(code, `${method}: ${what}: ${code === 'STALE_HANDLE' ? 'the agent was freed' : code === 'BUSY' ? resourceProblem(this.#core, code) : 'it has no actuator'}`);
    }

    #freezing(result) {
        if (result >= 0) return;
        const code = codeOf(result);
        throw new QhiveError(code ?? 'INVALID_STATE', `freeze: ${code === 'INVALID_ARGUMENT' ? "the definition is out of the core's ranges" : resourceProblem(this.#core, code)}`);
    }

    #check() {
        this.#core.alive();
        if (!this.#look()) throw new QhiveError('INVALID_STATE', 'the safe zones are not in force yet; freeze() them first');
    }

    #numberOf(parameter) {
        this.#check();
        const found = this.#numbers.get(string('parameter', parameter));
        if (found === undefined) throw new QhiveError('INVALID_ARGUMENT', `there is no safe zone for ${describe(parameter)}`);
        return found;
    }

    #bind({ parameter, deltas }) {
        this.#check();
        const number_ = this.#numbers.get(parameter);
        if (number_ === undefined) throw new QhiveError('INVALID_ARGUMENT', `config.actuator.parameter: there is no safe zone for ${describe(parameter)}`);
        const { step } = this.#zones[number_];
        const steps = Int32Array.from(deltas, (delta, i) => {
            const exact = delta / step;
            const whole = Math.round(exact);
            if (Math.abs(whole) > limit.zone_levels || Math.abs(exact - whole) > ON_GRID)
                invalid(`config.actuator.deltas[${i}]`, `a multiple of the step of '${parameter}' (${step})`, delta);
            return whole;
        });
        return { zone: number_, steps };
    }
}
