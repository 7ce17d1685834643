/**
 * Safe zones once more, written the slow way and from the documentation alone: values in a list, every write and every reading
 * kept and counted again at each question. It says what each call must do and what every value must then be.
 */
const HOUR = 3_600_000;
const APPROVAL = 1_800_000;
const JOURNAL = 1024;
const QUEUE = 256;

/** All values of a zone, by decimal text: no arithmetic of the core's. */
function valuesOf({ min, max, default: fallback, step }) {
    const places = Math.max(...[min, max, fallback, step].map((x) => (String(x).split('.')[1] ?? '').length));
    const unit = 10 ** places;
    const [low, high, home, stride] = [min, max, fallback, step].map((x) => Math.round(x * unit));
    const values = [];
    for (let v = home; v >= low; v -= stride) values.unshift(Number((v / unit).toFixed(places)));
    for (let v = home + stride; v <= high; v += stride) values.push(Number((v / unit).toFixed(places)));
    return values;
}

export class Model {
    constructor(zones, triggers, { backOffMs = 15 * 60_000, maxBackOffMs = 24 * HOUR } = {}) {
        this.zones = new Map(
            zones.map((zone) => [
                zone.parameter,
                { cooldownMs: 60_000, ...zone, values: valuesOf(zone), value: zone.default, writes: [], rests: [] },
            ]),
        );
        this.triggers = triggers.map((trigger) => ({ ...trigger, readings: [] }));
        this.backOff = { first: backOffMs, most: maxBackOffMs };
        this.sequence = 0;
        this.pending = new Map();
        this.journal = [];
        this.readAt = new Map();
    }

    lastWrite(zone) {
        return zone.writes.length ? zone.writes.at(-1) : -Infinity;
    }

    /** Why a zone may not be written at a time; undefined if it may. */
    obstacle(zone, time) {
        if (zone.rests.some(({ until }) => time < until)) return 'back-off';
        if (time - this.lastWrite(zone) < zone.cooldownMs) return 'cooldown';
        if (zone.maxChangesPerHour === undefined) return undefined;
        let recent = 0;
        for (let i = zone.writes.length - 1; i >= 0 && zone.writes[i] > time - HOUR; i--) recent++;
        return recent >= zone.maxChangesPerHour ? 'rate' : undefined;
    }

    refusal(zone, to, time) {
        if (!zone.values.includes(to)) return 'value';
        const obstacle = this.obstacle(zone, time);
        if (obstacle) return obstacle;
        const waiting = [...this.pending.values()].filter((change) => time - change.time < APPROVAL).length;
        return zone.requiresApproval && waiting >= QUEUE ? 'queue' : undefined;
    }

    allowed(parameter, to, time) {
        return this.refusal(this.zones.get(parameter), to, time) === undefined;
    }

    expire(time) {
        for (const [sequence, change] of this.pending) if (time - change.time >= APPROVAL) this.pending.delete(sequence);
    }

    write(zone, sequence, to, time) {
        if (to !== zone.value) {
            this.journal.push({ zone, sequence, from: zone.value, to, undone: false });
            if (this.journal.length > JOURNAL) this.journal.shift();
        }
        zone.value = to;
        this.note(zone, time);
    }

    /** What is older than an hour at every time to come is forgotten now and then. */
    note(zone, time) {
        zone.writes.push(time);
        if (zone.writes.length > 10_000) zone.writes = zone.writes.slice(-1000);
    }

    /** 'applied', 'pending', or the code of the error. */
    propose(parameter, to, time) {
        const zone = this.zones.get(parameter);
        if (time < this.lastWrite(zone)) return 'INVALID_ARGUMENT';
        this.expire(time);
        const sequence = ++this.sequence;
        if (this.refusal(zone, to, time)) return 'SAFE_ZONE';
        if (zone.requiresApproval) {
            this.pending.set(sequence, { zone, to, time });
            return 'pending';
        }
        this.write(zone, sequence, to, time);
        return 'applied';
    }

    approve(sequence, time) {
        if (sequence < 1 || sequence > this.sequence) return 'INVALID_ARGUMENT';
        const change = this.pending.get(sequence);
        if (!change) return 'INVALID_STATE';
        const { zone, to } = change;
        if (time < change.time || time < this.lastWrite(zone)) return 'INVALID_ARGUMENT';
        if (time - change.time >= APPROVAL) {
            this.expire(time);
            return 'INVALID_STATE';
        }
        if (this.obstacle(zone, time)) return 'SAFE_ZONE';
        this.pending.delete(sequence);
        this.write(zone, sequence, to, time);
        this.expire(time);
        return 'applied';
    }

    /** The sequences rolled back, or the code of the error. */
    observe(kpi, value, time) {
        const watching = this.triggers.filter((trigger) => trigger.kpi === kpi);
        if (watching.length === 0 || time < (this.readAt.get(kpi) ?? 0)) return 'INVALID_ARGUMENT';
        this.readAt.set(kpi, time);
        this.expire(time);
        const undone = [];
        for (const trigger of watching) {
            const beyond = trigger.direction === 'above' ? value > trigger.threshold : value < trigger.threshold;
            trigger.readings = beyond ? [...trigger.readings, time].slice(0, 1) : [];
            if (!beyond || time - trigger.readings[0] < trigger.windowMs) continue;
            trigger.readings = [];
            undone.push(...this.rollBack(trigger, time));
        }
        return undone;
    }

    rollBack({ depth, parameters }, time) {
        const mine = (change) => !change.undone && (!parameters || parameters.includes(change.zone.parameter));
        const chosen = [];
        for (let i = this.journal.length - 1; i >= 0 && chosen.length < depth; i--) if (mine(this.journal[i])) chosen.push(this.journal[i]);
        for (const change of chosen) {
            const { zone } = change;
            change.undone = true;
            zone.value = change.from;
            const at = Math.max(time, this.lastWrite(zone));
            this.note(zone, at);
            const last = zone.rests.at(-1);
            if (last?.at === at) continue;
            const quiet = !last || at - last.until >= this.backOff.most;
            const length = quiet ? this.backOff.first : Math.min(2 * last.length, this.backOff.most);
            zone.rests.push({ at, until: at + length, length });
            zone.rests = zone.rests.slice(-2);
        }
        return chosen.map(({ sequence }) => sequence);
    }
}

/** Values after an audit, from those before it: the rule of the documentation. */
export function replay(values, changes) {
    const after = { ...values };
    for (const { parameter, status, from, to } of changes) {
        if (status === 'applied') after[parameter] = to;
        if (status === 'rolled-back') after[parameter] = from;
    }
    return after;
}

/** The audit's lines: values before, and events. */
export function parseAudit(text) {
    const [{ values }, ...events] = text.trim().split('\n').map((line) => JSON.parse(line));
    return { values, events };
}
