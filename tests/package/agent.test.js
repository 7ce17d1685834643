/** Every method of an agent does what its documentation says. */
import { BINS, expectRefused, INDEX, open, wander } from './support.js';

let runtime;
beforeEach(() => {
    runtime = open();
});

const ALGORITHMS = ['q-learning', 'sarsa', 'expected-sarsa', 'double-q'];

describe('learning', () => {
    test('one Q-learning update is the textbook one', () => {
        const agent = runtime.createAgent({ ...INDEX, learningRate: 0.5, discount: 0.9, initialValue: 1 });
        expect(agent.learn(3, 2, 10, 4)).toBeCloseTo(10 + 0.9 * 1 - 1, 6);
        expect([...agent.qValues(3)]).toEqual([1, 1, Math.fround(1 + 0.5 * 9.9), 1]);
        expect([...agent.visits(3)]).toEqual([0, 0, 1, 0]);
        expect([...agent.qValues(9)]).toEqual([1, 1, 1, 1]);
        expect([...agent.visits(9)]).toEqual([0, 0, 0, 0]);
    });

    test('what terminated does not bootstrap, what was truncated does, both is terminated', () => {
        const agent = runtime.createAgent({ ...INDEX, learningRate: 1, discount: 0.5, initialValue: 8 });
        expect(agent.learn(0, 0, 1, 5, { terminated: true })).toBe(1 - 8);
        expect(agent.learn(1, 0, 1, 5, { truncated: true })).toBe(1 + 4 - 8);
        expect(agent.learn(2, 0, 1, 5, { terminated: true, truncated: true })).toBe(1 - 8);
        expect(agent.learn(3, 0, 1, 5, { terminated: false })).toBe(1 + 4 - 8);
    });

    test('SARSA bootstraps from the next action it is told', () => {
        const agent = runtime.createAgent({ ...INDEX, algorithm: 'sarsa', learningRate: 1, discount: 1 });
        agent.learn(1, 2, 7, 9, { terminated: true });
        expect(agent.learn(0, 0, 0, 1, { nextAction: 2 })).toBe(7);
        expect(agent.learn(0, 1, 0, 1, { nextAction: 3 })).toBe(0);
    });

    test('the step size 1 / visits averages', () => {
        const agent = runtime.createAgent({ ...INDEX, learningRate: 'visits' });
        for (const reward of [2, 4, 9]) agent.learn(0, 1, reward, 0, { terminated: true });
        expect(agent.qValues(0)[1]).toBeCloseTo(5, 5);
    });

    test.each(ALGORITHMS)('%s learns a bandit', (algorithm) => {
        const agent = runtime.createAgent({ ...INDEX, algorithm, discount: 0, policy: { kind: 'epsilon-greedy', epsilon: 0.3 } });
        let action = agent.begin(0);
        for (let i = 0; i < 2000; i++) {
            agent.step(action === 2 ? 1 : 0, 0, { terminated: true });
            action = agent.begin(0);
        }
        expect(agent.act(0, { greedy: true })).toBe(2);
    });

    test.each([
        ['lambda', { lambda: 0.9 }], ['nStep', { nStep: 4 }], ['planning', { planning: 5 }],
        ['uniform replay', { replay: { capacity: 50 } }], ['prioritised replay', { replay: { capacity: 50, kind: 'prioritized', alpha: 1, beta: 1 } }],
        ['UCB', { policy: { kind: 'ucb', c: 1 } }], ['softmax', { policy: { kind: 'softmax', temperature: { start: 5, end: 0.1, decay: 0.99 } } }],
        ['greedy', { policy: { kind: 'greedy' }, initialValue: 5, tieBreak: 'first' }],
    ])('%s runs, and leaves every structure sound', (_, extra) => {
        const agent = runtime.createAgent({ ...INDEX, ...extra });
        wander(agent, 500);
        agent.replay(20);
        expect(agent.metrics.states).toBeGreaterThan(10);
        expect(runtime.validate()).toBe(true);
    });

    test.each([
        ['bins', {}], ['simhash', { bits: 12 }], ['tiles', { tilings: 8 }],
    ])('the encoder %s takes plain arrays, typed arrays and array-likes alike', (kind, extra) => {
        const agent = runtime.createAgent({ ...BINS, encoder: { ...BINS.encoder, kind, ...extra } });
        const forms = [[0.25, -5], Float32Array.of(0.25, -5), Float64Array.of(0.25, -5), { length: 2, 0: 0.25, 1: -5 }];
        agent.learn(forms[0], 1, 3, forms[0], { terminated: true });
        for (const form of forms) expect(agent.qValues(form)[1]).toBeCloseTo(0.3, 6);
        for (const form of [Int8Array.of(0, -5), new Uint8Array([0, 5])]) expect(agent.encode(form)).toHaveLength(2);
    });

    test('infinities clamp, and clamp to the same state as the bounds', () => {
        const agent = runtime.createAgent(BINS);
        agent.learn([1, -10], 0, 1, [0, 0], { terminated: true });
        expect(agent.qValues([Infinity, -Infinity])[0]).toBeCloseTo(0.1, 6);
        expect([...agent.encode([Infinity, -1e300])]).toEqual([1, 0]);
    });
});

describe('acting', () => {
    test('begin and step choose, an ending gives -1, and the next step needs a begin', () => {
        const agent = runtime.createAgent(INDEX);
        expectRefused(runtime, 'INVALID_STATE', () => agent.step(0, 0), /begin/);
        expect(agent.begin(0)).toBeGreaterThanOrEqual(0);
        expect(agent.step(1, 1)).toBeLessThan(4);
        expect(agent.step(1, 2, { truncated: true })).toBe(-1);
        expectRefused(runtime, 'INVALID_STATE', () => agent.step(0, 0));
        expect(agent.metrics).toMatchObject({ episodes: 1, rewardSum: 2, learningSteps: 2 });
    });

    test('a mask forbids, whatever its type, and the greedy action avoids it', () => {
        const agent = runtime.createAgent({ ...INDEX, policy: { kind: 'epsilon-greedy', epsilon: 1 } });
        agent.learn(0, 1, 10, 0, { terminated: true });
        const seen = new Set(Array.from({ length: 200 }, () => agent.act(0, { mask: [1, 0, 0.5, 0] })));
        expect([...seen].sort()).toEqual([0, 2]);
        expect(agent.act(0, { greedy: true })).toBe(1);
        for (const mask of [Uint8Array.of(0, 0, 0, 9), [0, 0, 0, -1], { length: 4, 0: 0, 1: 0, 2: 0, 3: 1 }])
            expect(agent.act(0, { greedy: true, mask })).toBe(3);
    });

    test.each([31, 32, 33, 64, 70])('each of %i actions can be the only one allowed', (actions) => {
        const agent = runtime.createAgent({ ...INDEX, actions, policy: { kind: 'epsilon-greedy', epsilon: 0.5 } });
        for (let only = 0; only < actions; only++) {
            const mask = Array.from({ length: actions }, (_, i) => (i === only ? -0.5 : 0));
            for (let i = 0; i < 3; i++) expect(agent.act(0, { mask })).toBe(only);
        }
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(0, { mask: new Float64Array(actions) }), /at least one/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(0, { mask: Array(actions).fill(NaN) }), /mask\[0\]/);
    });

    test('a mask survives what its reading and the observation\'s do', () => {
        const agent = runtime.createAgent({ ...BINS, policy: { kind: 'epsilon-greedy', epsilon: 1 } });
        const other = runtime.createAgent(INDEX);
        const nested = { length: 2, 1: 0, get 0() { return other.act(0, { mask: [1, 0, 0, 0] }); } };
        const mask = { length: 3, 0: 0, 2: 1, get 1() { other.act(0, { mask: [1, 0, 0, 0] }); return 0; } };
        for (let i = 0; i < 20; i++) expect(agent.act(nested, { mask })).toBe(2);
    });

    test('a mask works after the memory has grown', () => {
        const grown = open();
        const agent = grown.createAgent(INDEX);
        const { pages } = grown.memory;
        expect(agent.act(0, { mask: [0, 1, 0, 0] })).toBe(1);
        while (grown.memory.pages === pages) grown.batch([grown.createAgent({ ...INDEX, replay: { capacity: 5000 } })]);
        expect(agent.act(0, { mask: [0, 0, 1, 0] })).toBe(2);
        grown.dispose();
    });

    test('act learns nothing', () => {
        const agent = runtime.createAgent(INDEX);
        wander(agent);
        const hash = agent.hash();
        for (let i = 0; i < 100; i++) agent.act(i % 16, { greedy: i % 2 === 0 });
        expect(agent.hash()).toBe(hash);
    });

    test('input is a view of the agent\'s own block and needs no copy', () => {
        const agent = runtime.createAgent(BINS);
        const twin = open().createAgent(BINS);
        expect(agent.input).toHaveLength(64);
        agent.input.set([0.3, 4]);
        const same = [0.3, 4];
        expect(agent.encode(agent.input)).toEqual(agent.encode(same));
        agent.nextInput.set(same);
        expect(agent.learn(agent.input, 2, 1, agent.nextInput)).toBe(twin.learn(same, 2, 1, same));
        expect(agent.hash()).toBe(twin.hash());
        agent.nextInput[0] = NaN;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.learn(agent.input, 2, 1, agent.nextInput), /next\[0\]/);
        agent.learn(agent.input, 2, 1, same, { terminated: true });
        expect(agent.qValues(same)).toEqual(agent.qValues(agent.input));
        expect(agent.begin(agent.input)).toBeLessThan(3);
        expect(agent.step(1, agent.input)).toBeLessThan(3);
        expect(agent.act(agent.input)).toBeLessThan(3);
        agent.input[1] = NaN;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(agent.input), /\[1\]/);
    });

    test('a view of another agent\'s block, or a detached one, is no observation', () => {
        const agent = runtime.createAgent(BINS);
        const other = runtime.createAgent(BINS);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(other.input));
        const before = agent.input;
        for (let i = 0; before.length > 0 && i < 2000; i++) runtime.createAgent({ ...BINS, actions: 1000 });
        expect(before.length).toBe(0);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.act(before), /anew/);
        expect(agent.act(agent.input)).toBeLessThan(3);
    });
});

describe('looking', () => {
    test('encode normalises, clamps, and appends trends', () => {
        const dims = [{ min: 0, max: 10, bins: 5, trend: 0.5 }, { min: -1, max: 1, bins: 0 }];
        const agent = runtime.createAgent({ actions: 2, encoder: { kind: 'bins', dims } });
        expect([...agent.encode([5, 0])]).toEqual([0.5, 0.5, 0]);
        agent.begin([10, 0]);
        expect(agent.encode([0, 2])[2]).toBe(1);
        agent.step(0, [0, 0]);
        expect([...agent.encode([20, -7])]).toEqual([1, 0, 0.5]);
        expect([...runtime.createAgent(INDEX).encode(7)]).toEqual([7]);
    });

    test('explain agrees with the parts, draws nothing and names the likeliest action', () => {
        const agent = runtime.createAgent({ ...INDEX, policy: { kind: 'epsilon-greedy', epsilon: 0.2 } });
        agent.learn(5, 3, 2, 5, { terminated: true });
        const before = agent.metrics;
        const found = agent.explain(5);
        expect(found).toEqual({ action: 3, qValues: agent.qValues(5), visits: agent.visits(5), probability: found.probability, knowledge: [] });
        expect([...found.probability].map((p) => Math.round(p * 1e6) / 1e6)).toEqual([0.05, 0.05, 0.05, 0.85]);
        expect(agent.metrics).toEqual(before);
    });

    test('results are copies', () => {
        const agent = runtime.createAgent(INDEX);
        const first = agent.qValues(0);
        agent.learn(0, 0, 100, 0);
        expect(first[0]).toBe(0);
        first.fill(9);
        expect(agent.qValues(0)[1]).toBe(0);
    });

    test('metrics count, and the time is that of the last call that had one', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 10 }, policy: { kind: 'epsilon-greedy', epsilon: { start: 1, end: 0, decay: 0.5 } } });
        agent.begin(0);
        agent.step(2, 1, { time: 500 });
        agent.step(3, 2);
        expect(agent.metrics).toMatchObject({
            actionCount: 3, rewardSum: 5, lastUpdate: 500, episodes: 0, states: 2, learningSteps: 2, transitions: 2, exploration: 0.25, learningRate: 0.1,
        });
        agent.learn(0, 0, 1, 1, { time: -1.5 });
        expect(agent.metrics.lastUpdate).toBe(-1.5);
    });

    test('the configuration is complete, frozen, and not the caller\'s object', () => {
        const given = { ...BINS, encoder: { kind: 'bins', dims: [{ min: 0, max: 1, bins: 2, role: 'kpi' }] }, feature: 'ES01', category: 'energy' };
        const agent = runtime.createAgent(given);
        given.encoder.dims[0].bins = 77;
        expect(agent.config).toMatchObject({
            actions: 3, algorithm: 'q-learning', learningRate: 0.1, discount: 0.95, policy: { kind: 'epsilon-greedy', epsilon: 0.1 }, initialValue: 0,
            lambda: 0, nStep: 1, planning: 0, quotaBytes: 10485760, tieBreak: 'random', feature: 'ES01', category: 'energy',
        });
        expect(agent.config.encoder.dims[0]).toEqual({ min: 0, max: 1, bins: 2, role: 'kpi' });
        for (const part of [agent.config, agent.config.encoder, agent.config.encoder.dims, agent.config.encoder.dims[0], agent.config.policy])
            expect(Object.isFrozen(part)).toBe(true);
    });
});

describe('life', () => {
    test('reset forgets what was learned and starts the random numbers again', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 64 } });
        const empty = agent.hash();
        wander(agent);
        const once = agent.hash();
        expect(once).not.toBe(empty);
        agent.reset();
        expect(agent.hash()).toBe(empty);
        expect(agent.metrics).toMatchObject({ actionCount: 0, rewardSum: 0, states: 0, learningSteps: 0, transitions: 0, lastUpdate: 0 });
        expectRefused(runtime, 'INVALID_STATE', () => agent.step(0, 0));
        wander(agent);
        expect(agent.hash()).toBe(once);
    });

    test('replay without memories is 0, with them it learns', () => {
        const plain = runtime.createAgent(INDEX);
        expect(plain.replay(10)).toBe(0);
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 4 }, learningRate: 0.5 });
        agent.learn(0, 1, 8, 0, { terminated: true });
        expect(agent.replay(0)).toBe(0);
        expect(agent.replay(1)).toBe(4);
        expect(agent.qValues(0)[1]).toBe(6);
    });

    test('agents are found by id and name, in order of creation, until they are freed', () => {
        const a = runtime.createAgent({ ...INDEX, name: 'first' });
        const b = runtime.createAgent(INDEX);
        expect([...runtime.agents]).toEqual([a, b]);
        expect(runtime.agents.length).toBe(2);
        for (const agent of [a, b]) {
            expect(runtime.agent(agent.id)).toBe(agent);
            expect(runtime.agent(agent.name)).toBe(agent);
        }
        const { id, name } = b;
        b.free();
        expect([...runtime.agents]).toEqual([a]);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.agent(id));
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.agent(name));
        const c = runtime.createAgent(INDEX);
        expect(c.id).not.toBe(id);
        expect(b.id).toBe(id);
    });

    test('names are unique, may be used again after a free, and never collide with default names', () => {
        const a = runtime.createAgent({ ...INDEX, name: 'same' });
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.createAgent({ ...INDEX, name: 'same' }), /same/);
        a.free();
        expect(runtime.createAgent({ ...INDEX, name: 'same' }).name).toBe('same');
        const names = ['agent#3', 'agent#4', 'agent#5', 'Zelle-ß-小区', '𝓒'].map((name) => runtime.createAgent({ ...INDEX, name }).name);
        const all = [...runtime.agents].concat(runtime.createAgent(INDEX), runtime.createAgent(INDEX)).map(({ name }) => name);
        expect(all).toEqual(expect.arrayContaining(names));
        expect(new Set(all).size).toBe(all.length);
    });

    test('what only threads have says so', () => {
        expectRefused(runtime, 'UNSUPPORTED', () => runtime.share(), /one thread/);
    });
});
