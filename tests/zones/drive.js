/** Drives safe zones and the model by the same commands and compares what they say and what they hold. */
import { Model, parseAudit, replay } from './model.js';

const codeOf = (call) => {
    try {
        return call();
    } catch (error) {
        if (error.name !== 'QhiveError') throw error;
        return error.code;
    }
};

export class Pair {
    /** @param {object} world `zones`, `triggers`, `options` @param {object} [faulty] methods that replace those of the zones: a seeded bug */
    constructor(runtime, { zones, triggers, options }, faulty = undefined) {
        this.runtime = runtime;
        this.real = runtime.safeZones;
        this.real.define(zones, triggers, options);
        this.real.freeze();
        if (faulty) this.real = faulty(this.real);
        this.model = new Model(zones, triggers, options);
        this.agent = runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 1 } });
        this.counts = { applied: 0, pending: 0, refused: 0, approved: 0, undone: 0 };
        this.parameters = zones.map(({ parameter }) => parameter);
    }

    check(what, actual, expected) {
        if (actual !== expected && JSON.stringify(actual) !== JSON.stringify(expected))
            throw new Error(`${what}: the zones say ${JSON.stringify(actual)}, the model ${JSON.stringify(expected)}`);
    }

    propose(parameter, to, time) {
        const what = `propose ${parameter} ${to} at ${time}`;
        if (time >= this.model.lastWrite(this.model.zones.get(parameter)))
            this.check(`${what}, allowed`, this.real.allowed(parameter, to, time), this.model.allowed(parameter, to, time));
        const status = codeOf(() => this.real.propose(this.agent, parameter, to, time).status);
        this.check(what, status, this.model.propose(parameter, to, time));
        this.counts[status in this.counts ? status : 'refused']++;
        this.checkValue(parameter);
    }

    approve(back, time) {
        const sequence = this.model.sequence - back;
        if (sequence < 1) return;
        const status = codeOf(() => this.real.approve(sequence, time).status);
        this.check(`approve ${sequence} at ${time}`, status, this.model.approve(sequence, time));
        if (status === 'applied') this.counts.approved++;
        this.checkValues();
    }

    observe(kpi, value, time) {
        const undone = codeOf(() => this.real.observe(kpi, value, time).map(({ sequence }) => sequence));
        this.check(`observe ${kpi} ${value} at ${time}`, sorted(undone), sorted(this.model.observe(kpi, value, time)));
        if (Array.isArray(undone)) this.counts.undone += undone.length;
        this.checkValues();
    }

    checkValue(parameter) {
        const value = this.real.value(parameter);
        const zone = this.model.zones.get(parameter);
        if (!(value >= zone.min && value <= zone.max)) throw new Error(`${parameter} left its zone: ${value}`);
        if (value !== zone.value) throw new Error(`${parameter} is ${value}, not ${zone.value}`);
    }

    checkValues() {
        for (const parameter of this.parameters) this.checkValue(parameter);
    }

    checkAudit() {
        const { values, events } = parseAudit(this.real.auditLines());
        const present = Object.fromEntries(this.parameters.map((parameter) => [parameter, this.real.value(parameter)]));
        this.check('the lines replayed', replay(values, events), present);
        this.check('the audit replayed', replay(values, this.real.audit()), present);
        for (const event of events.filter(({ status }) => status === 'applied')) {
            const zone = this.model.zones.get(event.parameter);
            if (!zone.values.includes(event.to)) throw new Error(`the audit has ${event.parameter} at ${event.to}`);
        }
        if (!this.runtime.validate()) throw new Error('the runtime is not sound');
    }
}

/** Several triggers of one reading interleave in the model's list; each sequence is undone once. */
const sorted = (undone) => (Array.isArray(undone) ? [...undone].sort((a, b) => a - b) : undone);

export const WORLD = {
    zones: [
        { parameter: 'tilt', min: 0, max: 10, default: 5, step: 1 },
        { parameter: 'share', min: 0, max: 1, default: 0.5, step: 0.1, cooldownMs: 0, maxChangesPerHour: 3 },
        { parameter: 'offset', min: -5, max: 5, default: 0, step: 0.25, cooldownMs: 120_000, maxChangesPerHour: 10 },
        { parameter: 'power', min: 38, max: 48, default: 44, step: 2, requiresApproval: true },
        { parameter: 'alpha', min: 0.6, max: 1, default: 0.8, step: 0.15, cooldownMs: 1000, maxChangesPerHour: 20 },
        { parameter: 'fixed', min: 7, max: 7, default: 7, step: 1, cooldownMs: 0, maxChangesPerHour: 2 },
        { parameter: 'never', min: 0, max: 5, default: 1, step: 1, maxChangesPerHour: 0 },
    ],
    triggers: [
        { kpi: 'drops', threshold: 0.97, direction: 'above', windowMs: 0, depth: 3 },
        { kpi: 'rate', threshold: 0.25, direction: 'below', windowMs: 1_200_000, depth: 5, parameters: ['tilt', 'share', 'alpha'] },
        { kpi: 'drops', threshold: 0.9, direction: 'above', windowMs: 60_000, depth: 1, parameters: ['power'] },
    ],
    options: { backOffMs: 300_000, maxBackOffMs: 3_600_000, auditBytes: 32_768 },
};
