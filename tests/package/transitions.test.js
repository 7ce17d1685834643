/** What an agent remembers can be read back, taught to another agent, and valued offline; with what probability it chose is known. */
import { evaluatePolicy } from '../../js/src/evaluate/index.js';
import { expectRefused, generator, INDEX, open } from './support.js';

const TREND = { encoder: { kind: 'bins', dims: [{ min: 0, max: 8, bins: 4, trend: 0.5 }, { min: -1, max: 1, bins: 2 }] } };
const TILES = { encoder: { kind: 'tiles', dims: [{ min: 0, max: 8, bins: 4 }, { min: -1, max: 1, bins: 2 }], tilings: 8 } };
const SIMHASH = { encoder: { kind: 'simhash', dims: [{ min: 0, max: 8, bins: 0 }, { min: -1, max: 1, bins: 0 }], bits: 7 } };
const full = (capacity = 50) => ({ capacity, record: 'full' });

let runtime;
beforeEach(() => { runtime = open(); });
afterEach(() => runtime.dispose());

/** A walk of `steps` observations; returns what was observed, chosen and paid. */
function walk(agent, steps, seed = 3) {
    const random = generator(seed);
    const observe = () => [Math.fround(random() * 8), Math.fround(random() * 2 - 1)];
    const log = [];
    let from = observe();
    let action = agent.begin(from);
    for (let i = 0; i < steps; i++) {
        const next = observe();
        const reward = random();
        log.push({ from, action, reward, next, probability: agent.lastProbability });
        action = agent.step(reward, next, i % 10 === 9 ? { truncated: true } : {});
        from = next;
        if (action < 0) action = agent.begin((from = observe()));
    }
    return log;
}

describe('transitions()', () => {
    test.each([['bins with a trend', TREND], ['tiles', TILES], ['simhash', SIMHASH]])('full records of %s give back what was observed', (_, config) => {
        const agent = runtime.createAgent({ actions: 3, ...config, replay: full(), policy: { kind: 'softmax', temperature: 0.5 } });
        const log = walk(agent, 80).slice(30);
        const transitions = agent.transitions();
        expect(transitions.length).toBe(50);
        expect(transitions.actionCount).toBe(3);
        expect(transitions.observations.map((row) => Array.from(row))).toEqual(log.map(({ from }) => from));
        expect(transitions.nextObservations.map((row) => Array.from(row))).toEqual(log.map(({ next }) => next));
        expect(Array.from(transitions.actions)).toEqual(log.map(({ action }) => action));
        expect(Array.from(transitions.rewards)).toEqual(log.map(({ reward }) => reward));
        expect(Array.from(transitions.propensities)).toEqual(log.map(({ probability }) => probability));
        expect(Array.from(transitions.endings)).toEqual(log.map((_entry, i) => ((i + 30) % 10 === 9 ? 2 : 0)));
        expect(transitions.nextContexts.slice(0, 9)).toEqual(transitions.contexts.slice(1, 10));
        expect(runtime.validate()).toBe(true);
    });

    test('trends are kept as they stood', () => {
        const agent = runtime.createAgent({ actions: 2, ...TREND, replay: full() });
        agent.begin([4, 0]);
        agent.step(1, [8, 0]);
        agent.step(1, [0, 0]);
        agent.learn([1, 0], 1, 2, [2, 0]);
        const { trends, nextTrends } = agent.transitions();
        expect(trends.map((row) => Array.from(row))).toEqual([[0.5], [0.75], [0.375]]);
        expect(nextTrends.map((row) => Array.from(row))).toEqual([[0.75], [0.375], [0.375]]);
    });

    test('a full and a compact memory learn alike, to the bit', () => {
        for (const config of [TREND, TILES, SIMHASH, { ...TREND, algorithm: 'sarsa' }, { ...TILES, algorithm: 'double-q' }]) {
            const twins = ['compact', 'full'].map((record) => {
                const own = open({ seed: 5 });
                const agent = own.createAgent({ name: 'twin', actions: 3, ...config, replay: { capacity: 40, kind: 'prioritized', record } });
                walk(agent, 60);
                const result = [agent.replay(500), agent.hash(), agent.transitions().contexts];
                own.dispose();
                return result;
            });
            expect(twins[1]).toEqual(twins[0]);
        }
    });

    test('states of an index encoder come back as numbers, up to the greatest', () => {
        const agent = runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 2 ** 32 - 1 }, replay: full(3) });
        for (const state of [0, 1, 2 ** 31, 2 ** 32 - 2]) agent.learn(state, 1, state, 5, { terminated: true });
        const { observations, nextObservations, trends, endings } = agent.transitions();
        expect(observations).toEqual([1, 2 ** 31, 2 ** 32 - 2]);
        expect(nextObservations).toEqual([5, 5, 5]);
        expect(trends.every(({ length }) => length === 0)).toBe(true);
        expect(Array.from(endings)).toEqual([1, 1, 1]);
    });

    test('compact records tell states apart, and no more', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 10 } });
        for (const state of [3, 4, 3]) agent.learn(state, 2, 1, 7, { nextAction: 1 });
        const { contexts, nextContexts, nextActions, observations, propensities } = agent.transitions();
        expect(contexts[0]).toMatch(/^[0-9a-f]{16}$/);
        expect(contexts[2]).toBe(contexts[0]);
        expect(contexts[1]).not.toBe(contexts[0]);
        expect(new Set(nextContexts).size).toBe(1);
        expect(Array.from(nextActions)).toEqual([1, 1, 1]);
        expect([observations, propensities]).toEqual([undefined, undefined]);
    });

    test('empty without replay, before the first step, and after a reset', () => {
        expect(runtime.createAgent(INDEX).transitions().length).toBe(0);
        const agent = runtime.createAgent({ ...INDEX, replay: full() });
        expect(agent.transitions()).toMatchObject({ length: 0, contexts: [], observations: [] });
        agent.learn(1, 1, 1, 2);
        agent.reset();
        expect(agent.transitions().length).toBe(0);
    });

    test('64 dimensions fit, and a spent trajectory pool falls back to the heap', () => {
        const dims = Array.from({ length: 64 }, () => ({ min: 0, max: 1, bins: 2 }));
        const agent = runtime.createAgent({ actions: 2, encoder: { kind: 'bins', dims }, replay: full(40) });
        for (let i = 0; i < 60; i++) agent.learn(dims.map((_, d) => (i + d) % 2), 0, i, dims.map(() => 0));
        const { observations, rewards } = agent.transitions();
        expect(rewards[0]).toBe(20);
        expect(Array.from(observations[1])).toEqual(dims.map((_, d) => (21 + d) % 2));
        expect(runtime.memory.pools().find(({ name }) => name === 'trajectory').fallbacks).toBeGreaterThan(0);
        expect(runtime.validate()).toBe(true);
        agent.free();
        expect(runtime.memory.pools().find(({ name }) => name === 'trajectory').inUse).toBe(0);
    });

    test('another agent, with another encoder, learns from them', () => {
        const teacher = runtime.createAgent({ actions: 3, ...TREND, replay: full(200) });
        walk(teacher, 200);
        const { length, observations, actions, rewards, nextObservations, endings } = teacher.transitions();
        const pupil = runtime.createAgent({ actions: 3, ...TILES });
        for (let i = 0; i < length; i++)
            pupil.learn(observations[i], actions[i], rewards[i], nextObservations[i], { terminated: endings[i] === 1, truncated: endings[i] === 2 });
        expect(pupil.metrics.learningSteps).toBe(200);
    });
});

describe('as a log for qhive/evaluate', () => {
    test('probabilities kept are those of the policy: weights average 1, a uniform target earns the mean', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: full(400), learningRate: 1e-6, policy: { kind: 'epsilon-greedy', epsilon: 0.5 }, tieBreak: 'first' });
        const random = generator(1);
        agent.begin(0);
        for (let i = 0; i < 400; i++) agent.step(random(), Math.floor(random() * 16));
        const log = agent.transitions();
        expect(new Set(log.propensities)).toEqual(new Set([0.125, 0.625]));
        const uniform = evaluatePolicy({ ...log, target: log.contexts.map(() => [0.25, 0.25, 0.25, 0.25]) });
        expect(uniform.propensities.source).toBe('given');
        expect(Math.abs(uniform.snips.value - 0.5)).toBeLessThan(4 * uniform.snips.standardError);
        expect(uniform.coverage.warnings.map(({ code }) => code)).not.toContain('BIASED_WEIGHTS');
    });

    test('without probabilities they are estimated from the log', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 100 }, propensities: false });
        agent.begin(0);
        for (let i = 1; i < 100; i++) agent.step(1, i % 16);
        const log = agent.transitions();
        expect(log.propensities).toBeUndefined();
        expect(evaluatePolicy({ ...log, targetActions: log.actions }).propensities.source).toBe('estimated');
    });
});

describe('lastProbability', () => {
    test('is what explain said of the state just before', () => {
        for (const policy of [{ kind: 'greedy' }, { kind: 'epsilon-greedy', epsilon: 0.3 }, { kind: 'softmax', temperature: 0.2 }, { kind: 'ucb', c: 1 }])
            for (const algorithm of ['q-learning', 'double-q']) {
                const agent = runtime.createAgent({ ...INDEX, algorithm, policy, propensities: true });
                for (let i = 0; i < 60; i++) {
                    agent.learn(i % 3, i % 4, (i % 7) - 3, 3, { terminated: true });
                    const mask = i % 2 ? [1, 0, 1, 1] : undefined;
                    const { probability } = agent.explain(i % 3, 0, { mask });
                    const action = agent.act(i % 3, { mask });
                    expect(agent.lastProbability).toBe(probability[action]);
                    agent.act(i % 3, { greedy: true });
                    expect(agent.lastProbability).toBeGreaterThanOrEqual(0.25);
                }
            }
    });

    test('an act in between does not change what a step remembers', () => {
        const agent = runtime.createAgent({ ...INDEX, replay: full(), policy: { kind: 'epsilon-greedy', epsilon: 1 } });
        agent.begin(0);
        agent.act(1, { mask: [1, 0, 0, 0] });
        expect(agent.lastProbability).toBe(1);
        agent.step(1, 2, { terminated: true });
        expect(agent.transitions().propensities[0]).toBe(0.25);
        expect(agent.lastProbability).toBeNaN();
    });

    test('NaN before the first choice, and where it is not kept', () => {
        expect(runtime.createAgent({ ...INDEX, propensities: true }).lastProbability).toBeNaN();
        const plain = runtime.createAgent(INDEX);
        plain.act(0);
        expect(plain.lastProbability).toBeNaN();
        expect(plain.config.propensities).toBe(false);
        expect(runtime.createAgent({ ...INDEX, replay: { capacity: 1 } }).config.propensities).toBe(true);
    });

    test('keeping it changes no choice', () => {
        const [kept, plain] = [true, false].map((propensities) => open().createAgent({ name: 'x', actions: 3, encoder: TILES.encoder, propensities }));
        expect(walk(kept, 300).map(({ action }) => action)).toEqual(walk(plain, 300).map(({ action }) => action));
    });
});

test.each([
    ['probability 0', { probability: 0 }], ['probability above 1', { probability: 1.01 }], ['NaN', { probability: NaN }], ['a string', { probability: '0.5' }],
])('learn refuses %s', (_, ending) => {
    const agent = runtime.createAgent({ ...INDEX, replay: full() });
    expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.learn(0, 0, 1, 1, ending), /ending\.probability/);
});

test.each([
    [{ replay: { capacity: 1, record: 'everything' } }, /config\.replay\.record/], [{ replay: { capacity: 1, record: 1 } }, /config\.replay\.record/],
    [{ propensities: 1 }, /config\.propensities/],
])('a configuration with %j is refused', (extra, message) => {
    expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.createAgent({ ...INDEX, ...extra }), message);
});

test('explain refuses a mask that forbids everything', () => {
    const agent = runtime.createAgent(INDEX);
    expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.explain(0, 0, { mask: [0, 0, 0, 0] }), /mask/);
    expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.explain(0, 0, { mask: [1] }), /mask/);
});
