/**
 * Safe zones against a model, by random definitions and commands (fast-check, which shrinks what fails) and by a storm of
 * commands (tests/c/shared_zones.c has one of 10^6; QHIVE_STORM sets how many here); and whether these tests would
 * notice: bugs put between them and the zones.
 */
import fc from 'fast-check';
import { createRuntimeSync } from 'qhive';
import { generator } from '../package/support.js';
import { Pair, WORLD } from './drive.js';

const SEED = Number(process.env.QHIVE_SEED ?? 20260);
const COMMANDS = Number(process.env.QHIVE_STORM ?? 250_000);
const open = () => createRuntimeSync({ pools: { state: 4, trajectory: 1, message: 1 }, maxPages: 256 });

/** A zone of decimals: whole numbers of 1/unit. */
const zone = fc
    .record({
        unit: fc.constantFrom(1, 10, 100, 1000),
        min: fc.integer({ min: -50, max: 50 }),
        below: fc.integer({ min: 0, max: 8 }),
        above: fc.integer({ min: 0, max: 8 }),
        ragged: fc.integer({ min: 0, max: 6 }),
        step: fc.integer({ min: 1, max: 7 }),
        rest: fc.record(
            { maxChangesPerHour: fc.integer({ min: 0, max: 6 }), cooldownMs: fc.integer({ min: 0, max: 400_000 }), requiresApproval: fc.boolean() },
            { requiredKeys: [] },
        ),
    })
    .map(({ unit, min, below, above, ragged, step, rest }) => {
        const low = Math.min(ragged, step - 1);
        const home = min + low + below * step;
        return { min: min / unit, default: home / unit, max: (home + above * step + (low >> 1)) / unit, step: step / unit, ...rest };
    });
const named = fc.array(zone, { minLength: 1, maxLength: 5 }).map((zones) => zones.map((each, i) => ({ parameter: `p${i}`, ...each })));
const trigger = fc.record({
    kpi: fc.constantFrom('a', 'b'), threshold: fc.integer({ min: 1, max: 4 }), direction: fc.constantFrom('below', 'above'),
    windowMs: fc.constantFrom(0, 0, 1000, 900_000), depth: fc.integer({ min: 1, max: 6 }),
});
const command = fc.record({
    kind: fc.constantFrom('propose', 'propose', 'propose', 'propose', 'approve', 'observe'), which: fc.nat(), level: fc.integer({ min: -2, max: 18 }),
    wait: fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(100_000), fc.constantFrom(59_999, 60_000, 1_800_000, 3_600_000, -1, -5000)),
    reading: fc.nat(5), back: fc.nat(6),
});

/** What `level` says: a value of the zone, or, beyond its ends and at times between, none. */
function valueFor(pair, parameter, level) {
    const { values, min, max, step } = pair.model.zones.get(parameter);
    if (level < 0) return min + (level + 1) * step - step / 2;
    return level < values.length ? values[level] : max + step / 3;
}

function run(pair, commands) {
    let time = 10_000;
    for (const { kind, which, level, wait, reading, back } of commands) {
        time = Math.max(0, time + wait);
        if (kind === 'propose') {
            const parameter = pair.parameters[which % pair.parameters.length];
            pair.propose(parameter, valueFor(pair, parameter, level), time);
        } else if (kind === 'approve') pair.approve(back, time);
        else pair.observe(which % 2 ? 'a' : 'b', reading, time);
    }
    pair.checkAudit();
}

test('any definition under any commands does what the model does', () => {
    fc.assert(
        fc.property(named, fc.array(trigger, { maxLength: 3 }), fc.array(command, { maxLength: 120 }), (zones, triggers, commands) => {
            const runtime = open();
            run(new Pair(runtime, { zones, triggers, options: { auditBytes: 16_384 } }), commands);
            runtime.dispose();
        }),
        { seed: SEED, numRuns: 400 },
    );
});

/** Most commands are refused, and a trace costs more than all the rest. */
const { stackTraceLimit } = Error;
beforeAll(() => { Error.stackTraceLimit = 0; });
afterAll(() => { Error.stackTraceLimit = stackTraceLimit; });

/** Runs `count` random commands in one world. */
function storm(pair, count, seed) {
    const random = generator(seed);
    const below = (n) => Math.floor(random() * n);
    let time = 0;
    for (let i = 0; i < count; i++) {
        if (below(8)) time += below(40_000);
        const what = below(16);
        if (what === 0) pair.observe('drops', random(), time);
        else if (what === 1) pair.observe('rate', random() * 0.3, time);
        else if (what === 2) pair.approve(below(40), time);
        else {
            const parameter = pair.parameters[below(pair.parameters.length)];
            const { values, value } = pair.model.zones.get(parameter);
            const near = values[values.indexOf(value) + below(5) - 2];
            pair.propose(parameter, below(10) ? (near ?? value) : valueFor(pair, parameter, below(20) - 2), time);
        }
        if (i % 20_000 === 0) pair.checkAudit();
    }
    pair.checkAudit();
}

test(`${COMMANDS} commands: no parameter leaves its zone, no rate or cooldown is broken, the audit replays`, () => {
    console.log(`storm of ${COMMANDS} commands, QHIVE_SEED=${SEED}`);
    const runtime = open();
    const pair = new Pair(runtime, WORLD);
    storm(pair, COMMANDS, SEED);
    const { applied, pending, refused, approved, undone } = pair.counts;
    expect(Math.min(applied, pending, refused, approved, undone)).toBeGreaterThan(1000);
    runtime.dispose();
}, 600_000);

describe('a bug between the tests and the zones is noticed', () => {
    const replacing = (methods) => (real) =>
        new Proxy(real, { get: (_, name) => (methods(real)[name] ?? real[name]?.bind?.(real) ?? real[name]) });
    const late = (ms) => (real) => ({ propose: (agent, parameter, to, time) => real.propose(agent, parameter, to, time + ms) });
    const bugs = {
        'a cooldown a millisecond short': late(1),
        'a rate of an hour less a minute': late(60_000),
        'values that are rounded to the grid': (real) => ({ propose: (agent, parameter, to, time) => real.propose(agent, parameter, Math.round(to * 4) / 4, time) }),
        'an approval that is not checked anew': (real) => ({ approve: (sequence, time) => real.approve(sequence, time + 120_000) }),
        'readings that are lost': (real) => ({ observe: (kpi, value, time) => (value > 0.99 ? [] : real.observe(kpi, value, time)) }),
        'a threshold that counts as beyond': (real) => ({ observe: (kpi, value, time) => real.observe(kpi, value * 1.001, time) }),
        'an audit without its rollbacks': (real) => ({ auditLines: () => real.auditLines().split('\n').filter((line) => !line.includes('rolled-back')).join('\n') }),
        'an audit without its base': (real) => ({ auditLines: () => real.auditLines().replace('"never":1', '"never":2') }),
    };
    test.each(Object.entries(bugs))('%s', (_, methods) => {
        const runtime = open();
        const pair = new Pair(runtime, WORLD, replacing(methods));
        expect(() => storm(pair, 60_000, SEED)).toThrow();
        runtime.dispose();
    });
});
