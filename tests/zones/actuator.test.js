/** Agents bound to parameters: what their zone forbids they never choose, nor value the next state by. */
import { createRuntimeSync } from 'qhive';
import { expectRefused, generator, thrownBy } from '../package/support.js';

const MINUTE = 60_000;
const DELTAS = [0, -1, 1, 2];
const ZONES = [
    { parameter: 'level', min: 0, max: 6, default: 3, step: 1, maxChangesPerHour: 5 },
    { parameter: 'share', min: 0, max: 1, default: 0.5, step: 0.1, cooldownMs: 0 },
    { parameter: 'stuck', min: 0, max: 6, default: 3, step: 1, maxChangesPerHour: 0 },
    { parameter: 'asked', min: 0, max: 6, default: 3, step: 1, requiresApproval: true },
];
const TRIGGERS = [{ kpi: 'drops', threshold: 0.9, direction: 'above', windowMs: 0, depth: 2 }];

function world(config = {}) {
    const runtime = createRuntimeSync({ seed: 11, pools: { state: 64, trajectory: 4, message: 1 } });
    const zones = runtime.safeZones;
    zones.define(ZONES, TRIGGERS, { backOffMs: 5 * MINUTE });
    zones.freeze();
    const make = (more = {}) =>
        runtime.createAgent({ actions: 4, encoder: { kind: 'index', states: 7 }, actuator: { parameter: 'level', deltas: DELTAS }, ...config, ...more });
    return { runtime, zones, make };
}

const dims = [{ min: -0.5, max: 6.5, bins: 7 }, { min: 0, max: 1, bins: 3, trend: 0.3 }];
const ENCODERS = {
    index: { kind: 'index', states: 7 },
    bins: { kind: 'bins', dims: dims.map(({ trend: _, ...dim }) => dim) },
    trends: { kind: 'bins', dims },
    tiles: { kind: 'tiles', dims, tilings: 4 },
    simhash: { kind: 'simhash', dims, bits: 6 },
};
const POLICIES = [{ kind: 'epsilon-greedy', epsilon: 0.5 }, { kind: 'greedy' }, { kind: 'softmax', temperature: 0.3 }, { kind: 'ucb', c: 1 }];
const RULES = [
    { algorithm: 'q-learning' }, { algorithm: 'sarsa' }, { algorithm: 'expected-sarsa' }, { algorithm: 'double-q' },
    { algorithm: 'q-learning', lambda: 0.8 }, { algorithm: 'sarsa', nStep: 3 }, { algorithm: 'q-learning', replay: { capacity: 20 } },
];

describe('a forbidden change is never chosen', () => {
    const pairs = Object.keys(ENCODERS).flatMap((encoder) => POLICIES.map((policy) => [encoder, policy]));
    const cases = [...pairs.map(([encoder, policy], i) => [encoder, policy, RULES[i % RULES.length]]), ...RULES.map((rule) => ['index', POLICIES[0], rule])];
    test.each(cases)('%s %j %j', (encoder, policy, rule) => {
        const { runtime, zones, make } = world({ encoder: ENCODERS[encoder], policy, ...rule });
        const agent = make();
        const rows = [agent, make({ actuator: { parameter: 'share', deltas: [0, 0.1, -0.2, 0.3] } }), make({ actuator: undefined })];
        const batch = runtime.batch(rows);
        const random = generator(5);
        const see = () => {
            const level = zones.value('level');
            return encoder === 'index' ? level : [level, random()];
        };
        /** What an agent chose is allowed now; then it happens. */
        const happens = (chooser, action, time) => {
            const { parameter, deltas } = chooser.config.actuator;
            expect(action).toBeGreaterThanOrEqual(0);
            if (deltas[action] !== 0) expect(zones.allowed(parameter, Number((zones.value(parameter) + deltas[action]).toFixed(9)), time)).toBe(true);
            const { from, to } = chooser.apply(action, time);
            expect(to).toBe(zones.value(parameter));
            expect(Math.abs(to - from - deltas[action])).toBeLessThan(1e-9);
        };
        let time = 0;
        happens(agent, agent.begin(see()), time);
        for (let i = 0; i < 120; i++) {
            time += Math.floor(random() * 5 * MINUTE);
            if (random() < 0.1) zones.observe('drops', random(), time);
            const state = see();
            happens(agent, agent.act(state, { time, greedy: random() < 0.5 }), time);
            happens(agent, agent.step(random() - 0.5, see(), { time }), time);
            batch.time = time;
            rows.forEach((_, row) => batch.observations.set([state].flat(), row * 64));
            if (i === 0) batch.begin();
            else if (random() < 0.5) batch.act();
            else {
                batch.rewards.fill(random());
                batch.step();
            }
            rows.slice(0, 2).forEach((chooser, row) => happens(chooser, batch.actions[row], time));
        }
        expect(runtime.validate()).toBe(true);
        runtime.dispose();
    });
});

test('every allowed change is chosen at some time', () => {
    const { zones, make } = world({ policy: { kind: 'epsilon-greedy', epsilon: 1 } });
    const agent = make();
    const chosen = new Set(Array.from({ length: 200 }, () => agent.act(3, { time: 0 })));
    expect([...chosen].sort()).toEqual([0, 1, 2, 3]);
    agent.apply(2, 0);
    expect(new Set(Array.from({ length: 50 }, () => agent.act(3, { time: MINUTE - 1 })))).toEqual(new Set([0]));
    agent.apply(3, MINUTE);
    const atTop = new Set(Array.from({ length: 200 }, () => agent.act(3, { time: 2 * MINUTE })));
    expect(zones.value('level')).toBe(6);
    expect([...atTop].sort()).toEqual([0, 1]);
});

test('the mask of the caller and that of the zone hold together', () => {
    const { make } = world({ policy: { kind: 'epsilon-greedy', epsilon: 1 } });
    const agent = make();
    agent.apply(3, 0);
    const chosen = (mask) => new Set(Array.from({ length: 100 }, () => agent.act(0, { time: 10 * MINUTE, mask })));
    expect(chosen([0, 1, 1, 1])).toEqual(new Set([1, 2]));
    expect(chosen([0, 0, 0, 1])).toEqual(new Set([-1]));
    expectRefusedMask(agent);
});

const expectRefusedMask = (agent) => expect(thrownBy(() => agent.act(0, { time: 0, mask: [0, 0, 0, 0] })).code).toBe('INVALID_ARGUMENT');

describe('learning respects the zone', () => {
    const rules = [{}, { algorithm: 'sarsa' }, { algorithm: 'expected-sarsa' }, { nStep: 1, lambda: 0.5 }];
    test.each(rules)('the next state is worth what is available in it: %j', (rule) => {
        const { make } = world({ discount: 0.5, learningRate: 1, policy: { kind: 'epsilon-greedy', epsilon: 0.5 }, ...rule });
        const agent = make({ actuator: { parameter: 'stuck', deltas: DELTAS } });
        expect(agent.begin(0)).toBe(0);
        for (let time = 0; time < 20; time++) expect(agent.step(-1, 0, { time })).toBe(0);
        expect(agent.qValues(0)[0]).toBeCloseTo(-2, 4); // -1 / (1 - 0.5); the unseen values of 0 are not available
        expect([...agent.qValues(0)].slice(1)).toEqual([0, 0, 0]);
    });

    test('learning from outside bootstraps from all actions', () => {
        const { make } = world({ discount: 0.5, learningRate: 1 });
        const agent = make({ actuator: { parameter: 'stuck', deltas: DELTAS } });
        for (let n = 0; n < 20; n++) agent.learn(0, 0, -1, 0);
        expect(agent.qValues(0)[0]).toBe(-1);
    });
});

describe('without a delta of 0', () => {
    const restless = { actions: 2, actuator: { parameter: 'level', deltas: [-1, 1] } };

    test.each([{}, { algorithm: 'sarsa' }, { algorithm: 'double-q' }, { nStep: 4 }, { lambda: 0.9 }])('it rests while nothing is allowed: %j', (rule) => {
        const { runtime, zones, make } = world({ ...restless, ...rule });
        const agent = make();
        const action = agent.begin(3);
        agent.apply(action, 0);
        expect(agent.act(3, { time: 1000 })).toBe(-1);
        expect(agent.explain(3, 0, { time: 1000 })).toMatchObject({ action: -1, probability: new Float32Array(2) });
        expect(agent.step(1, 3, { time: 1000 })).toBe(-1);
        const { learningSteps, actionCount, rewardSum } = agent.metrics;
        expect(learningSteps).toBe(1);
        expect(agent.step(5, 3, { time: 2000 })).toBe(-1); // nothing was done: nothing to learn
        const later = agent.step(5, 3, { time: MINUTE });
        expect(later).toBeGreaterThanOrEqual(0);
        expect(agent.metrics).toMatchObject({ learningSteps, rewardSum, actionCount: actionCount + 1, episodes: 0 });
        agent.apply(later, MINUTE);
        expect(agent.step(2, 3, { time: MINUTE + 1 })).toBe(-1);
        expect(agent.metrics.learningSteps).toBe(2);
        expect(agent.step(2, 3, { time: MINUTE + 2, truncated: true })).toBe(-1);
        expect(agent.metrics).toMatchObject({ learningSteps: 2, episodes: 1 });
        expectRefused(runtime, 'INVALID_STATE', () => agent.step(0, 3, { time: 2 * MINUTE }));
        expect(zones.value('level')).toBeLessThanOrEqual(6);
    });

    test('in a batch too, where the others go on', () => {
        const { runtime, make } = world();
        const [still, other] = [make(restless), make({ actuator: undefined })];
        const batch = runtime.batch([still, other]);
        batch.begin();
        still.apply(batch.actions[0], 0);
        for (const call of [() => batch.act(), () => batch.step(), () => batch.step()]) {
            batch.time += 1000;
            call();
            expect(batch.actions[0]).toBe(-1);
            expect(batch.actions[1]).toBeGreaterThanOrEqual(0);
        }
        batch.time = MINUTE;
        batch.step();
        expect(batch.actions[0]).toBeGreaterThanOrEqual(0);
    });
});

describe('time', () => {
    const { runtime, zones, make } = world();
    const agent = make();
    const batch = runtime.batch([agent]);

    test('is needed where a choice is made', () => {
        agent.begin(0);
        for (const time of [undefined, NaN, -1, 2 ** 53, Infinity, '5', null]) {
            expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(0, { time }), /options\.time/);
            expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.step(1, 0, { time }), /ending\.time/);
            expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.apply(1, time), /time/);
            if (time !== undefined) expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.explain(0, 0, { time }));
            if (time !== undefined) expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.begin(0, { time }), /options\.time/);
        }
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(0));
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.step(1, 0));
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.step(1, 0, 5));
        batch.time = -1;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.act(), /time/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.begin(), /time/);
        batch.time = 0;
    });

    test('begin and explain go by the latest time that the zones know of', () => {
        agent.apply(2, 5 * MINUTE);
        expect(agent.explain(0).probability.slice(1)).toEqual(new Float32Array(3));
        expect(agent.begin(0)).toBe(0);
        zones.observe('drops', 0, 7 * MINUTE);
        expect(agent.explain(0).probability.every((p) => p > 0)).toBe(true);
        expect(agent.explain(0, 0, { time: 5 * MINUTE }).probability[0]).toBe(1);
    });

    test('before the last change nothing may move', () => expect(agent.act(0, { time: 0 })).toBe(0));
});

describe('apply', () => {
    test('proposes the change of an action, with the values it was chosen by', () => {
        const { zones, make } = world({ learningRate: 1 });
        const agent = make({ name: 'tuner' });
        agent.learn(2, 3, 7, 2, { terminated: true });
        expect(agent.act(2, { time: 0, greedy: true })).toBe(3);
        expect(agent.apply(3, 0)).toMatchObject({ sequence: 1, agent: agent.id, parameter: 'level', from: 3, to: 5, status: 'applied' });
        const event = JSON.parse(zones.auditLines().trim().split('\n').at(-1));
        expect(event).toMatchObject({ agentName: 'tuner', qValues: [0, 0, 0, 7], kpis: {} });
        const error = thrownBy(() => agent.apply(1, 1000));
        expect(error).toMatchObject({ code: 'SAFE_ZONE', change: { sequence: 2, status: 'rejected', from: 5, to: 4 } });
        expect(agent.apply(0, 1000)).toMatchObject({ sequence: 0, status: 'applied', from: 5, to: 5 });
        expect(zones.audit()).toHaveLength(2);
    });

    test('queues where approval is needed', () => {
        const { zones, make } = world();
        const agent = make({ actuator: { parameter: 'asked', deltas: DELTAS } });
        expect(agent.apply(1, 0)).toMatchObject({ status: 'pending' });
        expect(zones.value('asked')).toBe(3);
        expect(zones.approve(1, 1000)).toMatchObject({ status: 'applied', agent: agent.id });
        expect(zones.value('asked')).toBe(2);
    });

    test('refuses what is no action, and agents that have no actuator or are gone', () => {
        const { runtime, make } = world();
        const agent = make();
        const plain = make({ actuator: undefined });
        for (const action of [-1, 4, 1.5, NaN, '1', undefined, 2 ** 32]) expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.apply(action, 0));
        expectRefused(runtime, 'INVALID_STATE', () => plain.apply(0, 0), /no actuator/);
        agent.free();
        for (const call of [() => agent.apply(0, 0), () => agent.act(0), () => agent.step(0, 0), () => agent.begin(0)])
            expectRefused(runtime, 'STALE_HANDLE', call);
    });
});

describe('configuration and life', () => {
    test('what is no actuator is refused', () => {
        const { runtime, make } = world();
        const bad = [
            null, 5, [], {}, { parameter: 'level' }, { parameter: 'none', deltas: DELTAS }, { parameter: 5, deltas: DELTAS }, { parameter: 'level', deltas: [0, 1] },
            { parameter: 'level', deltas: [0, 1, 2, 0.5] }, { parameter: 'level', deltas: [0, 1, 2, NaN] }, { parameter: 'level', deltas: [0, 1, 2, 1e12] },
            { parameter: 'level', deltas: 'abcd' }, { parameter: 'share', deltas: [0, 0.1, 0.15, 0.2] },
        ];
        for (const actuator of bad) expectRefused(runtime, 'INVALID_ARGUMENT', () => make({ actuator }));
        expect(runtime.agents).toHaveLength(0);
        const early = createRuntimeSync({ pools: { state: 4, trajectory: 1, message: 1 } });
        const config = { actions: 1, encoder: { kind: 'index', states: 1 }, actuator: { parameter: 'p', deltas: [0] } };
        expectRefused(early, 'INVALID_STATE', () => early.createAgent(config), /freeze/);
    });

    test('zones are in memory once, held by their agents', () => {
        const { runtime, make } = world();
        const held = () => runtime.memory.shared().find(({ owner }) => owner === 'zones');
        const zonesBytes = () => runtime.memory.owners().filter(({ owner }) => owner === 'zones').map(({ liveBytes }) => liveBytes);
        const [bytes] = zonesBytes();
        const agents = Array.from({ length: 20 }, () => make());
        expect(zonesBytes()).toEqual([bytes]);
        expect(held()).toMatchObject({ references: 20, frozen: true });
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => make({ quotaBytes: 500 }));
        expect(held().references).toBe(20);
        for (const agent of agents) agent.free();
        expect(held().references).toBe(0);
        expect(runtime.validate()).toBe(true);
        make();
        runtime.dispose();
        expect(thrownBy(() => runtime.safeZones).code).toBe('STALE_HANDLE');
    });

    test('a reset of the agent forgets what it chose by', () => {
        const { zones, make } = world();
        const agent = make();
        agent.act(0, { time: 0 });
        agent.reset();
        agent.apply(2, 0);
        expect(JSON.parse(zones.auditLines().trim().split('\n').at(-1)).qValues).toEqual([]);
    });

    test('an imported table moves nothing by itself', () => {
        const { zones, make } = world({ learningRate: 1 });
        const [teacher, pupil] = [make({ actuator: undefined }), make()];
        for (let n = 0; n < 5; n++) teacher.learn(0, 3, 100, 0, { terminated: true });
        pupil.importTable(teacher.exportTable());
        expect(zones.value('level')).toBe(3);
        pupil.apply(3, 0);
        expect(pupil.act(0, { time: 1000, greedy: true })).toBe(0);
    });
});
