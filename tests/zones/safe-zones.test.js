/** Safe zones as a hostile caller would use them: what is wrong is refused with its code and its reason, and changes nothing. */
import { createRuntimeSync } from 'qhive';
import { expectRefused, thrownBy } from '../package/support.js';

const MINUTE = 60_000;
const ZONE = { parameter: 'tilt', min: 0, max: 1, default: 0.3, step: 0.1 };
const TRIGGER = { kpi: 'drops', threshold: 2, direction: 'above', windowMs: 0, depth: 1 };
const NO_TIMES = [NaN, -1, 2 ** 53, Infinity, '0', null, undefined, 5n, {}];
const NO_NUMBERS = [NaN, Infinity, '1', null, undefined, 1n, [1], {}];

let runtime;
let zones;
let agent;

const open = (options) => createRuntimeSync({ pools: { state: 4, trajectory: 1, message: 1 }, ...options });
/** Refused, and neither values nor audit have changed. */
function refused(code, call, message) {
    const before = zones.frozen && [zones.auditLines(), zones.parameters.map((name) => zones.value(name))];
    const error = expectRefused(runtime, code, call, message);
    expect(zones.frozen && [zones.auditLines(), zones.parameters.map((name) => zones.value(name))]).toEqual(before);
    return error;
}

beforeEach(() => {
    runtime = open();
    zones = runtime.safeZones;
    agent = runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 2 } });
});

describe('before freeze', () => {
    test('everything but define is INVALID_STATE', () => {
        zones.define([ZONE], [TRIGGER]);
        const calls = [
            () => zones.value('tilt'), () => zones.allowed('tilt', 0.4, 0), () => zones.propose(agent, 'tilt', 0.4, 0), () => zones.approve(1, 0),
            () => zones.observe('drops', 1, 0), () => zones.reset(0), () => zones.audit(), () => zones.auditLines(),
        ];
        for (const call of calls) refused('INVALID_STATE', call, /freeze/);
        expect(zones.frozen).toBe(false);
    });

    test('an empty definition cannot be frozen', () => {
        refused('INVALID_STATE', () => zones.freeze(), /define/);
        zones.define([]);
        refused('INVALID_STATE', () => zones.freeze());
    });

    test.each([
        null, undefined, 5, 'zones', {}, [null], [5], [{}], [{ ...ZONE, parameter: '' }], [{ ...ZONE, parameter: 5 }], [ZONE, ZONE],
        ...['min', 'max', 'default', 'step'].flatMap((field) => NO_NUMBERS.map((value) => [{ ...ZONE, [field]: value }])),
        [{ ...ZONE, min: 2 }], [{ ...ZONE, default: 1.1 }], [{ ...ZONE, step: 0 }], [{ ...ZONE, step: -1 }], [{ ...ZONE, step: 1e-12 }],
        [{ ...ZONE, min: -1e308, max: 1e308, step: 1 }], [{ ...ZONE, maxChangesPerHour: 1.5 }], [{ ...ZONE, maxChangesPerHour: -1 }],
        [{ ...ZONE, maxChangesPerHour: 65536 }], [{ ...ZONE, cooldownMs: -1 }], [{ ...ZONE, cooldownMs: 2 ** 53 }], [{ ...ZONE, requiresApproval: 1 }],
    ].map((given) => [given]))('zones %j are refused, all of them', (given) => {
        refused('INVALID_ARGUMENT', () => zones.define(given));
        expect(zones.parameters).toEqual([]);
    });

    test.each([
        null, 5, [null], [{}], [{ ...TRIGGER, kpi: '' }], [{ ...TRIGGER, direction: 'over' }], [{ ...TRIGGER, threshold: NaN }], [{ ...TRIGGER, windowMs: -1 }],
        [{ ...TRIGGER, depth: 0 }], [{ ...TRIGGER, depth: 1025 }], [{ ...TRIGGER, depth: 1.5 }], [{ ...TRIGGER, parameters: [] }],
        [{ ...TRIGGER, parameters: ['none'] }], [{ ...TRIGGER, parameters: 'tilt' }],
    ].map((given) => [given]))('triggers %j are refused, and the zones with them', (given) => {
        refused('INVALID_ARGUMENT', () => zones.define([ZONE], given));
        expect(zones.parameters).toEqual([]);
    });

    test('options out of range are refused', () => {
        for (const options of [5, null, { auditBytes: 100 }, { auditBytes: 2 ** 29 }, { backOffMs: 0 }, { backOffMs: 2, maxBackOffMs: 1 }])
            refused('INVALID_ARGUMENT', () => zones.define([ZONE], [], options));
    });

    test('definitions add up, and an iterator that freezes in the middle is noticed', () => {
        zones.define(new Set([ZONE]));
        refused('INVALID_ARGUMENT', () => zones.define([ZONE]), /two for "tilt"/);
        const freezing = function* () {
            zones.freeze();
            yield { ...ZONE, parameter: 'late' };
        };
        expect(thrownBy(() => zones.define(freezing())).code).toBe('INVALID_STATE');
        expect(zones.parameters).toEqual(['tilt']);
        refused('INVALID_STATE', () => zones.freeze());
        refused('INVALID_STATE', () => zones.define([{ ...ZONE, parameter: 'later' }]));
    });

    test('without memory nothing is frozen, and it may be tried again', () => {
        const small = open({ maxPages: 40 });
        small.safeZones.define([ZONE], [], { auditBytes: 2 ** 26 });
        expectRefused(small, 'EXCEEDS_LIMIT', () => small.safeZones.freeze());
        expect(small.safeZones.frozen).toBe(false);
        expect(small.memory.owners().some(({ owner }) => owner === 'zones')).toBe(false);
        small.safeZones.define([], [], { auditBytes: 16384 });
        small.safeZones.freeze();
        expect(small.safeZones.value('tilt')).toBe(0.3);
        expect(small.validate()).toBe(true);
    });
});

describe('in force', () => {
    beforeEach(() => {
        zones.define([ZONE, { ...ZONE, parameter: 'asked', requiresApproval: true }], [TRIGGER]);
        zones.freeze();
    });

    test('arguments of the wrong kind', () => {
        for (const name of ['none', '', 5, null, undefined]) {
            refused('INVALID_ARGUMENT', () => zones.value(name));
            refused('INVALID_ARGUMENT', () => zones.propose(agent, name, 0.4, 0));
            refused('INVALID_ARGUMENT', () => zones.observe(name, 0, 0));
        }
        for (const to of NO_NUMBERS) {
            refused('INVALID_ARGUMENT', () => zones.propose(agent, 'tilt', to, 0), /to must/);
            refused('INVALID_ARGUMENT', () => zones.allowed('tilt', to, 0), /to must/);
            refused('INVALID_ARGUMENT', () => zones.observe('drops', to, 0), /value must/);
        }
        for (const time of NO_TIMES) {
            refused('INVALID_ARGUMENT', () => zones.propose(agent, 'tilt', 0.4, time), /time must/);
            refused('INVALID_ARGUMENT', () => zones.allowed('tilt', 0.4, time), /time must/);
            refused('INVALID_ARGUMENT', () => zones.observe('drops', 0, time), /time must/);
            refused('INVALID_ARGUMENT', () => zones.approve(1, time), /time must/);
            refused('INVALID_ARGUMENT', () => zones.reset(time), /time must/);
        }
        for (const sequence of [0, -1, 1.5, NaN, '1', 99, 2 ** 53]) refused('INVALID_ARGUMENT', () => zones.approve(sequence, 0));
        for (const from of [-1, 1.5, NaN, '1']) refused('INVALID_ARGUMENT', () => zones.audit(from));
        const stranger = open().createAgent({ actions: 1, encoder: { kind: 'index', states: 1 } });
        for (const who of [null, undefined, {}, 1, stranger, Object.create(agent)]) refused('INVALID_ARGUMENT', () => zones.propose(who, 'tilt', 0.4, 0), /agent/);
        agent.free();
        refused('STALE_HANDLE', () => zones.propose(agent, 'tilt', 0.4, 0));
    });

    test('a refused proposal is in the audit, with its reason, and the error carries it', () => {
        const error = thrownBy(() => zones.propose(agent, 'tilt', 1.1, 5));
        expect(error).toMatchObject({ code: 'SAFE_ZONE', message: expect.stringMatching(/'tilt' stays 0\.3, not 1\.1: outside 0\.\.1/) });
        expect(zones.audit()).toEqual([error.change]);
        expect(error.change).toEqual({ sequence: 1, time: 5, agent: agent.id, parameter: 'tilt', from: 0.3, to: 1.1, status: 'rejected', reason: 'outside 0..1' });
        expect(zones.value('tilt')).toBe(0.3);
    });

    test('time does not go back', () => {
        expect(zones.propose(agent, 'tilt', 0.4, MINUTE).status).toBe('applied');
        refused('INVALID_ARGUMENT', () => zones.propose(agent, 'tilt', 0.5, MINUTE - 1), /before the parameter's last change/);
        zones.observe('drops', 0, 500);
        refused('INVALID_ARGUMENT', () => zones.observe('drops', 9, 499), /last reading/);
        expect(zones.allowed('tilt', 0.5, 0)).toBe(false);
        expect(zones.propose(agent, 'asked', 0.4, 0).status).toBe('pending'); // another parameter has a clock of its own
    });

    test('approval: checked anew, once, and in time', () => {
        const [first, second] = [0.4, 0.5].map((to) => zones.propose(agent, 'asked', to, 0).sequence);
        expect(zones.approve(first, 1000)).toMatchObject({ sequence: first, time: 1000, from: 0.3, to: 0.4, status: 'applied', reason: 'approved' });
        refused('INVALID_STATE', () => zones.approve(first, 1000));
        refused('SAFE_ZONE', () => zones.approve(second, 2000), /cooldown/);
        expect(thrownBy(() => zones.approve(second, 30 * MINUTE)).code).toBe('INVALID_STATE');
        expect(zones.audit().map(({ sequence, status }) => [sequence, status])).toEqual([[first, 'applied'], [second, 'expired']]);
        expect(zones.value('asked')).toBe(0.4);
    });

    test('rollback: the changes that a reading undid, newest first', () => {
        const change = zones.propose(agent, 'tilt', 0.4, 0);
        expect(zones.observe('drops', 2, 1)).toEqual([]);
        const undone = zones.observe('drops', 2.1, 2);
        expect(undone).toEqual([{ ...change, time: 2, status: 'rolled-back', reason: 'drops above 2 for 0 ms' }]);
        expect(zones.audit()).toEqual(undone);
        expect(zones.value('tilt')).toBe(0.3);
        expect(thrownBy(() => zones.propose(agent, 'tilt', 0.4, 15 * MINUTE + 1)).message).toMatch(/backing off after a rollback: 1 ms to go/);
        expect(zones.propose(agent, 'tilt', 0.4, 15 * MINUTE + 2).status).toBe('applied');
    });

    test('audit from a sequence, and as lines with what was known', () => {
        zones.observe('drops', 1.5, 0);
        for (const [i, to] of [0.4, 9, 0.5].entries()) thrownOr(() => zones.propose(agent, 'tilt', to, i * MINUTE));
        expect(zones.audit(2).map(({ sequence }) => sequence)).toEqual([2, 3]);
        expect(zones.audit(4)).toEqual([]);
        const [base, ...events] = zones.auditLines().trim().split('\n').map((line) => JSON.parse(line));
        expect(base).toEqual({ values: { tilt: 0.3, asked: 0.3 } });
        expect(events.map(({ status, kpis }) => [status, kpis])).toEqual([['applied', { drops: 1.5 }], ['rejected', { drops: 1.5 }], ['applied', { drops: 1.5 }]]);
    });

    test('an agent in an episode proposes with the values of its state', () => {
        agent.begin(0);
        agent.learn(0, 1, 3, 0, { terminated: true });
        zones.propose(agent, 'tilt', 0.4, 0);
        const event = JSON.parse(zones.auditLines().trim().split('\n').at(-1));
        expect(event.qValues).toHaveLength(2);
    });

    test('reset: defaults again, in the audit', () => {
        zones.propose(agent, 'tilt', 0.4, MINUTE);
        zones.propose(agent, 'asked', 0.4, MINUTE);
        zones.reset(2 * MINUTE);
        expect(zones.value('tilt')).toBe(0.3);
        expect(zones.audit().map(({ parameter, status, agent: id, to }) => [parameter, status, id, to])).toEqual([
            ['tilt', 'applied', agent.id, 0.4], ['asked', 'expired', agent.id, 0.4], ['tilt', 'applied', 0, 0.3],
        ]);
        expect(zones.propose(agent, 'tilt', 0.4, 2 * MINUTE).status).toBe('applied');
    });

    test('after dispose every call is STALE_HANDLE', () => {
        runtime.dispose();
        const calls = [() => zones.value('tilt'), () => zones.define([ZONE]), () => zones.freeze(), () => zones.audit(), () => zones.frozen, () => zones.parameters];
        for (const call of calls) expect(thrownBy(call).code).toBe('STALE_HANDLE');
    });
});

test('a leaked record is none: every block of the zones has its owner', () => {
    const tracked = open({ trackAllocations: true });
    tracked.safeZones.define([ZONE]);
    tracked.safeZones.freeze();
    expect(tracked.memory.allocations().filter(({ kind }) => kind === 'zones')).toHaveLength(1);
    expect(tracked.memory.leaks()).toEqual([]);
});

function thrownOr(call) {
    try {
        return call();
    } catch (error) {
        return error;
    }
}
