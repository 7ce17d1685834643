/** A batch does what its agents would do one by one, for all of them or for none. */
import { BINS, expectRefused, generator, INDEX, open, thrownBy } from './support.js';

const COUNT = 20;
const configOf = (i) => (i % 3 === 0 ? { ...INDEX, name: `i${i}` } : { ...BINS, name: `v${i}`, algorithm: i % 2 ? 'sarsa' : 'q-learning', replay: { capacity: 20 } });

let runtime;
let batch;
beforeEach(() => {
    runtime = open();
    for (let i = 0; i < COUNT; i++) runtime.createAgent(configOf(i));
    batch = runtime.batch();
});

const observationOf = (agent, random) => (agent.config.encoder.kind === 'index' ? Math.floor(random() * 16) : [Math.fround(random()), Math.fround(random() * 20 - 10)]);

function fill(row, observation) {
    if (typeof observation === 'number') batch.observations[row * 64] = observation;
    else batch.observations.set(observation, row * 64);
}

test('it is as wide as its agents, in their order', () => {
    expect(batch.agents).toEqual([...runtime.agents]);
    expect(Object.isFrozen(batch.agents)).toBe(true);
    expect(batch.stride).toBe(64);
    expect([batch.observations, batch.rewards, batch.endings, batch.actions].map(({ length }) => length)).toEqual([COUNT * 64, COUNT, COUNT, COUNT]);
    expect(batch.observations).toBeInstanceOf(Float32Array);
    expect(batch.endings).toBeInstanceOf(Uint8Array);
    expect(batch.actions).toBeInstanceOf(Int32Array);
    const some = runtime.batch(new Set([batch.agents[3], batch.agents[1]]));
    expect(some.agents.map(({ name }) => name)).toEqual(['i3', 'v1']);
});

test('a thousand steps of a batch are those of single agents, to the bit', () => {
    const alone = open();
    const singles = batch.agents.map((_, i) => alone.createAgent(configOf(i)));
    const random = generator(5);
    const first = singles.map((agent) => observationOf(agent, random));
    first.forEach((observation, i) => fill(i, observation));
    batch.begin();
    let actions = singles.map((agent, i) => agent.begin(first[i]));
    expect([...batch.actions]).toEqual(actions);
    const over = singles.map(() => false);
    for (let step = 1; step <= 1000; step++) {
        batch.time = step;
        actions = singles.map((agent, i) => {
            const observation = observationOf(agent, random);
            const reward = Math.fround(random() - actions[i] / 4);
            const ending = !over[i] && random() < 0.05 ? 1 + Math.floor(random() * 2) : 0;
            fill(i, observation);
            batch.rewards[i] = reward;
            batch.endings[i] = ending;
            const again = over[i];
            over[i] = ending > 0;
            return again ? agent.begin(observation) : agent.step(reward, observation, { terminated: ending === 1, truncated: ending === 2, time: step });
        });
        batch.step();
        expect([...batch.actions]).toEqual(actions);
    }
    expect(runtime.hash()).toBe(alone.hash());
    expect(batch.agents.map(({ metrics }) => metrics)).toEqual(singles.map(({ metrics }) => metrics));
    expect(runtime.validate()).toBe(true);
});

test('an agent whose episode ended rests while its ending stays set, then begins again', () => {
    batch.begin();
    batch.endings[4] = 2;
    batch.step();
    expect(batch.actions[4]).toBe(-1);
    batch.step();
    expect(batch.actions[4]).toBe(-1);
    expect(batch.agents[4].metrics.episodes).toBe(1);
    batch.endings[4] = 0;
    const { learningSteps } = batch.agents[4].metrics;
    batch.step();
    expect(batch.actions[4]).toBeGreaterThanOrEqual(0);
    expect(batch.agents[4].metrics.learningSteps).toBe(learningSteps);
});

test('act chooses for all and learns nothing', () => {
    for (const agent of batch.agents) agent.learn(...(agent.config.encoder.kind === 'index' ? [0, 2, 5, 0] : [[0, 0], 2, 5, [0, 0]]));
    const hash = runtime.hash();
    batch.act({ greedy: true });
    expect([...batch.actions]).toEqual(new Array(COUNT).fill(2));
    batch.act();
    batch.act({});
    expect(runtime.hash()).toBe(hash);
});

test('views survive the growth of the memory: the getters give new ones', () => {
    batch.observations[0] = 7;
    batch.rewards[3] = 0.5;
    const before = batch.observations;
    const { pages } = runtime.memory;
    while (runtime.memory.pages === pages) runtime.createAgent({ ...INDEX, actions: 1024, replay: { capacity: 100 } });
    expect(before.length).toBe(0);
    expect(batch.observations[0]).toBe(7);
    expect(batch.rewards[3]).toBe(0.5);
    expect(batch.actions).toHaveLength(COUNT);
    expect(batch.endings).toHaveLength(COUNT);
});

describe('one bad row leaves all rows as they were, and is named', () => {
    test.each([
        ['a NaN reward', () => (batch.rewards[7] = NaN), /row 7 \(agent 'v7'\): rewards\[7\].* not NaN/],
        ['an infinite reward', () => (batch.rewards[7] = Infinity), /rewards\[7\].* not Infinity/],
        ['an unknown ending', () => (batch.endings[8] = 3), /row 8 .*endings\[8\].* not 3/],
        ['a NaN observation', () => (batch.observations[7 * 64 + 1] = NaN), /row 7 .*observation\[1\].* not NaN/],
        ['a state that is none', () => (batch.observations[9 * 64] = 16), /row 9 .*observations\[576\].* 0 to 15, not 16/],
        ['a state that is no integer', () => (batch.observations[9 * 64] = 0.5), /row 9 .* not 0\.5/],
    ])('%s', (_, spoil, message) => {
        batch.begin();
        const actions = [...batch.actions];
        spoil();
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.step(), message);
        expect([...batch.actions]).toEqual(actions);
    });

    test('in begin and act too', () => {
        batch.observations[5 * 64] = NaN;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.begin(), /begin\(\).*row 5.*\(load\)/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.act(), /act\(\).*row 5/);
    });

    test('step before begin', () => {
        batch.agents[0].begin(0);
        expectRefused(runtime, 'INVALID_STATE', () => batch.step(), /row 1 .*begin/);
    });

    test('a spent quota', () => {
        const small = runtime.createAgent({ ...BINS, name: 'small', quotaBytes: batch.agents[1].memory.liveBytes + 200 });
        const two = runtime.batch([batch.agents[0], small]);
        two.begin();
        const random = generator(3);
        const error = thrownBy(() => {
            for (let i = 0; i < 1000; i++) {
                for (let d = 0; d < 2; d++) two.observations[64 + d] = random() * 20 - 10;
                two.step();
            }
        });
        expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED' });
        expect(error.message).toMatch(/row 1 \(agent 'small'\)/);
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => two.step());
    });
});

describe('what it is made of', () => {
    test('freed agents, strangers and twins are refused', () => {
        const other = open().createAgent(INDEX);
        const [a, b] = batch.agents;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.batch([a, other]), /agents\[1\]/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.batch([a, b, a]), /agents\[2\].*twice/);
        a.free();
        expectRefused(runtime, 'STALE_HANDLE', () => runtime.batch([b, a]), /agents\[1\] \('i0'\)/);
        expect(runtime.batch().agents).toHaveLength(COUNT - 1);
    });

    test('no agents make no batch', () => {
        const empty = open();
        expectRefused(empty, 'INVALID_ARGUMENT', () => empty.batch());
    });

    test('an agent freed later makes its calls STALE_HANDLE, naming it', () => {
        batch.begin();
        batch.agents[6].free();
        for (const call of [() => batch.begin(), () => batch.step(), () => batch.act()]) expectRefused(runtime, 'STALE_HANDLE', call, /row 6 \(agent 'i6'\)/);
        runtime.createAgent(INDEX);
        expectRefused(runtime, 'STALE_HANDLE', () => batch.step());
    });

    test('a freed batch is STALE_HANDLE everywhere, its agents live on', () => {
        const live = runtime.memory.liveBytes;
        const extra = runtime.batch(batch.agents.slice(0, 5));
        const kept = extra.observations;
        extra.free();
        expect(runtime.memory.liveBytes).toBe(live);
        expect(kept.length).toBeGreaterThan(0);
        const uses = [
            () => extra.begin(), () => extra.step(), () => extra.act(), () => extra.act({ greedy: true }), () => extra.free(),
            () => extra.observations, () => extra.rewards, () => extra.endings, () => extra.actions,
        ];
        for (const use of uses) expectRefused(runtime, 'STALE_HANDLE', use);
        extra[Symbol.dispose]?.();
        batch.begin();
    });

    test.each([[null], [5], ['x'], [[]], [{ greedy: 1 }], [{ greedy: null }]])('options of act: %p', (options) => {
        expectRefused(runtime, 'INVALID_ARGUMENT', () => batch.act(options));
    });

    test.each([[NaN], [Infinity], ['1'], [null], [undefined], [1n]])('a time: %p', (time) => {
        batch.time = 3;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => (batch.time = time), /time must be/);
        expect(batch.time).toBe(3);
    });

    test('what it holds cannot be exchanged', () => {
        expect(() => (batch.agents = [])).toThrow(TypeError);
        expect(() => (batch.observations = new Float32Array(1))).toThrow(TypeError);
    });
});
