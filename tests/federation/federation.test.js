/** The accumulator as JavaScript sees it: what is merged, what comes back, deltas between runtimes, and calls that are refused. */
import { createRuntimeSync } from 'qhive';
import { BINS, expectRefused, generator, INDEX, open, wander } from '../package/support.js';
import { seal } from './delta.js';

let runtime;
let federation;
let agents;
const RULES = ['robust', 'visit-weighted', 'mean', 'median', 'trimmed-mean'];
const STATES = Array.from({ length: 16 }, (_, state) => state);

beforeEach(() => {
    runtime = open();
    ({ federation } = runtime);
    agents = Array.from({ length: 6 }, (_, i) => runtime.createAgent({ ...INDEX, category: 'a', name: `client ${i}` }));
    agents.forEach((agent, i) => wander(agent, 150, i + 1));
});

const tableOf = (agent) => STATES.map((state) => [...agent.qValues(state)]);
const visitsOf = (agent) => STATES.map((state) => [...agent.visits(state)]);

/** The rule by its definition. */
function expectedValue(rule, state, action, clients, { trim = 0.2, visitCap = 50 } = {}) {
    const said = clients.map((agent) => ({ value: agent.qValues(state)[action], visits: agent.visits(state)[action] })).filter(({ visits }) => visits > 0);
    if (said.length === 0) return undefined;
    said.sort((a, b) => a.value - b.value);
    if (rule === 'median') return (said[(said.length - 1) >> 1].value + said[said.length >> 1].value) / 2;
    const cut = rule === 'robust' || rule === 'trimmed-mean' ? Math.floor(trim * said.length) : 0;
    const weight = { robust: (n) => Math.min(n, visitCap), 'visit-weighted': (n) => n }[rule] ?? (() => 1);
    const kept = said.slice(cut, said.length - cut);
    const total = kept.reduce((sum, { visits }) => sum + weight(visits), 0);
    return kept.reduce((sum, { value, visits }) => sum + value * weight(visits), 0) / total;
}

test.each(RULES)('%s: what comes back is what the rule says, and visits stay', (rule) => {
    const expected = STATES.map((state) => [0, 1, 2, 3].map((action) => expectedValue(rule, state, action, agents, { visitCap: 5, trim: 0.3 })));
    const before = agents.map((agent) => ({ table: tableOf(agent), visits: visitsOf(agent) }));
    federation.accumulate(agents);
    expect(federation.merge({ rule, visitCap: 5, trim: 0.3 })).toEqual({ groups: 1, rows: 16, rejected: 0 });
    expect(federation.apply(agents)).toBe(6);
    agents.forEach((agent, i) => {
        expect(visitsOf(agent)).toEqual(before[i].visits);
        tableOf(agent).forEach((row, state) =>
            row.forEach((value, action) => expect(value).toBeCloseTo(expected[state][action] ?? before[i].table[state][action], 5)),
        );
    });
    expect(runtime.validate()).toBe(true);
});

test('the default is robust by category', () => {
    const hashes = [undefined, { rule: 'robust', by: 'category', trim: 0.2, visitCap: 50 }].map((options) => {
        federation.accumulate(agents.slice(0, 5));
        federation.merge(options);
        federation.apply([agents[5]]);
        return agents[5].hash();
    });
    expect(hashes[0]).toBe(hashes[1]);
});

test('categories apart, or all in one; an agent without a group stays as it is', () => {
    const other = runtime.createAgent({ ...INDEX, category: 'b' });
    const none = runtime.createAgent(INDEX);
    wander(other, 100);
    federation.accumulate([...agents, other]);
    expect(federation.contributions).toBe(7);
    expect(federation.merge().groups).toBe(2);
    const { hash } = { hash: none.hash() };
    expect(federation.apply([none])).toBe(0);
    expect(none.hash()).toBe(hash);
    expect(federation.merge({ by: 'all' }).groups).toBe(1);
    expect(federation.apply([none, other])).toBe(2);
    expect(none.metrics.states).toBe(16);
    expect([...none.visits(3)]).toEqual([0, 0, 0, 0]);
});

test('the category of a known feature counts where there is no other', () => {
    const feature = (code, category) => ({ code, name: code, category });
    const early = runtime.createAgent({ ...INDEX, feature: 'f1' });
    runtime.knowledge.load([feature('f1', 'a'), feature('f2', 'a')]);
    runtime.knowledge.freeze();
    const late = runtime.createAgent({ ...INDEX, feature: 'f2' });
    const own = runtime.createAgent({ ...INDEX, feature: 'f2', category: 'z' });
    federation.accumulate(agents);
    federation.merge();
    expect([early, late, own].map((agent) => federation.apply([agent]))).toEqual([1, 1, 0]);
});

test('an agent has one contribution, its newest; clear gives all memory back', () => {
    for (let i = 0; i < 3; i++) federation.accumulate(agents);
    expect(federation.contributions).toBe(6);
    federation.merge();
    expect(federation.bytes).toBeGreaterThan(0);
    expect(runtime.memory.owners().find(({ owner }) => owner === 'federation').liveBytes).toBe(federation.bytes);
    federation.clear({ keepMerged: true });
    expect([federation.contributions, federation.groups]).toEqual([0, 1]);
    federation.clear();
    expect([federation.groups, federation.bytes]).toEqual([0, 0]);
    expect(runtime.memory.owners().some(({ owner }) => owner === 'federation')).toBe(false);
});

test('older contributions weigh less', () => {
    const pair = [0, 1].map((i) => {
        const agent = runtime.createAgent({ ...INDEX, category: 'pair', learningRate: 1, discount: 0 });
        agent.learn(0, 0, i * 6, 1);
        federation.accumulate([agent], { age: i * 3 });
        return agent;
    });
    federation.merge({ rule: 'mean' });
    federation.apply(pair);
    expect(pair[0].qValues(0)[0]).toBe(2);
});

test('clip and noise are reported, seeded, and leave everything else alone', () => {
    const merged = (options) => {
        federation.clear();
        federation.accumulate(agents.slice(0, 5));
        const report = federation.merge(options);
        federation.apply([agents[5]]);
        return { report, hash: agents[5].hash() };
    };
    const plain = merged();
    const seeded = merged({ noise: { sigma: 0.5, seed: 7 } });
    expect(seeded.report.noise).toEqual({ sigma: 0.5, seed: 7, values: expect.any(Number) });
    expect(seeded.report.noise.values).toBeGreaterThan(40);
    expect(merged({ noise: { sigma: 0.5, seed: 7 } }).hash).toBe(seeded.hash);
    expect(merged({ noise: { sigma: 0.5, seed: 8 } }).hash).not.toBe(seeded.hash);
    expect(merged({ noise: { sigma: 0, seed: 8 } }).hash).toBe(plain.hash);
    expect(merged({ clip: 1e-3 }).report.clipped).toBe(5);
    expect(Math.max(...tableOf(agents[5]).flat().map(Math.abs))).toBeLessThan(2e-3);
    expect(merged({ clip: 1e9 })).toEqual({ report: { ...plain.report, clipped: 0 }, hash: plain.hash });
});

test('the same in both builds', () => {
    const bytes = [true, false].map((simd) => {
        const other = createRuntimeSync({ seed: 4, simd, pools: { state: 8, trajectory: 1, message: 1 } });
        const clients = Array.from({ length: 5 }, (_, i) => other.createAgent({ ...INDEX, algorithm: i < 0 ? 'sarsa' : 'double-q' }));
        clients.forEach((agent, i) => wander(agent, 200, i));
        other.federation.accumulate(clients);
        other.federation.merge({ noise: { sigma: 0.1, seed: 3 }, clip: 2 });
        other.federation.apply(clients);
        return [other.hash(), ...other.federation.exportDelta(clients)].join();
    });
    expect(bytes[0]).toBe(bytes[1]);
});

describe('deltas', () => {
    test('another runtime merges what was exported as this one would', () => {
        const other = open();
        const far = other.createAgent({ ...INDEX, category: 'a' });
        other.federation.accumulateDelta(federation.exportDelta(agents));
        expect(other.federation.merge()).toEqual({ groups: 1, rows: 16, rejected: 0 });
        expect(other.federation.apply([far])).toBe(1);
        const near = runtime.createAgent({ ...INDEX, category: 'a' });
        federation.accumulate(agents);
        federation.merge();
        federation.apply([near]);
        expect(tableOf(far)).toEqual(tableOf(near));
    });

    test('hold what has changed since the last one, but not by apply alone', () => {
        const sizes = [];
        const size = () => sizes.push(federation.exportDelta([agents[0]]).length);
        size();
        size();
        agents[0].learn(0, 0, 1, 1);
        size();
        federation.accumulate(agents);
        federation.merge();
        federation.apply(agents);
        size();
        expect(sizes).toEqual([16 + 32 + 16 * 40, 48, 48 + 40, 48]);
        expect(federation.exportDelta([agents[0]], { all: true })).toHaveLength(sizes[0]);
    });

    test('that are damaged are refused whole, whatever is wrong with them', () => {
        const good = federation.exportDelta(agents.slice(0, 2));
        const random = generator(3);
        const before = () => `${federation.contributions} ${runtime.memory.liveBytes}`;
        const state = before();
        for (let i = 0; i < 300; i++) {
            const bytes = good.slice(0, i % 3 ? good.length : Math.floor(random() * good.length));
            if (i % 3) bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
            expect(() => federation.accumulateDelta(bytes)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(CORRUPT|VERSION)$/) }));
        }
        const later = good.slice();
        later[8] = 2;
        expectRefused(runtime, 'VERSION', () => federation.accumulateDelta(seal(later)), /version/);
        expect(before()).toBe(state);
        federation.accumulateDelta(good);
        expect(federation.contributions).toBe(2);
    });

    test('with a value that is not finite have no say', () => {
        const bytes = federation.exportDelta(agents.slice(0, 3));
        for (let action = 0; action < 4; action++) new DataView(bytes.buffer).setFloat32(48 + 8 + 4 * action, NaN, true);
        federation.accumulateDelta(seal(bytes));
        expect(federation.merge()).toEqual({ groups: 1, rows: 16, rejected: 1 });
    });
});

describe('refused', () => {
    test('agents of one category that differ', () => {
        const other = runtime.createAgent({ ...BINS, category: 'a', name: 'odd' });
        expectRefused(runtime, 'INVALID_ARGUMENT', () => federation.accumulate([...agents, other]), /'odd' differs/);
        expect(federation.contributions).toBe(0);
        federation.accumulate(agents);
        federation.merge();
        expectRefused(runtime, 'INVALID_ARGUMENT', () => federation.apply([agents[0], other]), /'odd' differs/);
        const apart = runtime.createAgent({ ...BINS, category: 'b' });
        federation.accumulate([apart]);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => federation.merge({ by: 'all' }), /differs/);
        expect(federation.groups).toBe(1);
    });

    test('apply before merge, and merged rows that a quota has no room for', () => {
        expectRefused(runtime, 'INVALID_STATE', () => federation.apply(agents), /merge\(\) first/);
        const poor = runtime.createAgent({ ...INDEX, encoder: { kind: 'index', states: 16 }, category: 'a', name: 'poor', quotaBytes: 1900 });
        federation.accumulate(agents);
        federation.merge();
        const error = expectRefused(runtime, 'QUOTA_EXCEEDED', () => federation.apply([...agents, poor]), /'poor'/);
        expect(error.message).toMatch(/1900/);
        federation.quotaBytes = federation.bytes;
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => federation.accumulateDelta(federation.exportDelta(agents)), /quotaBytes/);
    });

    test.each([
        ['agents', () => federation.accumulate(5)],
        ['a foreign agent', () => federation.accumulate([open().createAgent(INDEX)])],
        ['an agent twice', () => federation.accumulate([agents[0], agents[0]])],
        ['age', () => federation.accumulate(agents, { age: -1 })],
        ['age', () => federation.accumulate(agents, { age: NaN })],
        ['options', () => federation.accumulate(agents, 5)],
        ['bytes', () => federation.accumulateDelta([1, 2])],
        ['by', () => federation.merge({ by: 'feature' })],
        ['rule', () => federation.merge({ rule: 'toString' })],
        ['trim', () => federation.merge({ trim: 0.5 })],
        ['trim', () => federation.merge({ trim: '0.1' })],
        ['visitCap', () => federation.merge({ visitCap: 0 })],
        ['clip', () => federation.merge({ clip: 0 })],
        ['sigma', () => federation.merge({ noise: { sigma: -1, seed: 0 } })],
        ['seed', () => federation.merge({ noise: { sigma: 1, seed: 2 ** 53 } })],
        ['seed', () => federation.merge({ noise: { sigma: 1 } })],
        ['all', () => federation.exportDelta(agents, { all: 1 })],
        ['keepMerged', () => federation.clear({ keepMerged: 1 })],
        ['quotaBytes', () => (federation.quotaBytes = -1)],
    ])('%s out of range', (_, call) => {
        expectRefused(runtime, 'INVALID_ARGUMENT', call);
    });

    test('freed agents', () => {
        agents[3].free();
        expectRefused(runtime, 'STALE_HANDLE', () => federation.accumulate(agents), /agents\[3\]/);
        expectRefused(runtime, 'STALE_HANDLE', () => federation.exportDelta(agents), /freed/);
        expectRefused(runtime, 'CORRUPT', () => federation.accumulateDelta(new Uint8Array(0)));
    });
});
