/** Whatever is passed in: a QhiveError with the contract's code, every table and counter as before, the runtime usable. */
import fc from 'fast-check';
import { BINS, expectRefused, INDEX, open, snapshot, thrownBy, wander } from './support.js';

const NO_NUMBERS = [undefined, null, true, '0', '', [], [0], {}, 0n, Symbol('x'), () => 0, new Date(0), new Number(1)];
const NO_FINITE = [...NO_NUMBERS, NaN, Infinity, -Infinity];
const NO_STATES = [...NO_FINITE, -1, 0.5, 16, 2 ** 32, 2 ** 53, -(2 ** 31), 1e308];
const NO_ACTIONS = [...NO_FINITE, -1, 0.5, 4, 2 ** 32, 2 ** 32 + 1, 2 ** 53, -(2 ** 31)];
const NO_COUNTS = [...NO_FINITE, -1, 0.5, 2 ** 32, 2 ** 53];
const NO_VECTORS = [
    undefined, null, true, 5, 'ab', '12', 2n, Symbol('x'), (_a, _b) => 0, {}, [], [1], [1, 2, 3], [0, NaN], [NaN, 0], [0, undefined], ['0', 1], [0n, 1n],
    [Symbol('x'), 0], [[0], 0], [null, 0], new Array(2), Array.of(0).concat(new Array(1)), { length: 2 }, { length: '2', 0: 0, 1: 0 }, { length: 2, 0: 0 }, { 0: 0, 1: 0 }, new Set([0, 1]),
    new Map(), new BigInt64Array(2), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8), Float32Array.of(1), Float32Array.of(0, NaN), Float64Array.of(NaN, 0),
    new Float32Array(64), new Float32Array(0),
];
const NO_OBJECTS = [null, 5, 'x', [], true, 1n, Symbol('x')];
const NO_BOOLEANS = [null, 0, 1, 'true', [], {}, 1n, Symbol('x')];
const NO_TIMES = NO_FINITE.slice(1);
const NO_ENDINGS = [
    ...NO_OBJECTS, ...NO_BOOLEANS.map((terminated) => ({ terminated })), ...NO_BOOLEANS.map((truncated) => ({ truncated })), ...NO_TIMES.map((time) => ({ time })),
];
const NO_MASKS = [
    null, 5, 'abcd', true, {}, [], [1, 1, 1], [1, 1, 1, 1, 1], [1, NaN, 1, 1], [1, '0', 1, 1], [0, 0, 0, 0], new Array(4), new Uint8Array(4), new BigInt64Array(4).fill(1n),
    [1, true, 1, 1], Symbol('x'), new Set([1, 2, 3, 4]),
];
const NO_OPTIONS = [
    ...NO_OBJECTS, ...NO_BOOLEANS.map((greedy) => ({ greedy })), ...NO_TIMES.map((time) => ({ time })), ...NO_MASKS.map((mask) => ({ mask })),
];

let runtime;
let agent;
let vector;
beforeEach(() => {
    runtime = open();
    agent = runtime.createAgent({ ...INDEX, name: 'index', replay: { capacity: 16 } });
    vector = runtime.createAgent({ ...BINS, name: 'vector' });
    wander(agent);
    vector.begin([0, 0]);
    vector.step(1, [0.5, 1]);
});

/** [what, values, call, where they are used]: each value must be refused. */
const TABLE = [
    ['a state of begin', NO_STATES, (x) => agent.begin(x)],
    ['a state of step', NO_STATES, (x) => agent.step(0, x)],
    ['a state of act', NO_STATES, (x) => agent.act(x)],
    ['a state of act with options', NO_STATES, (x) => agent.act(x, { greedy: true, mask: [1, 1, 1, 1] })],
    ['a state of learn', NO_STATES, (x) => agent.learn(x, 0, 0, 0)],
    ['a next state of learn', NO_STATES, (x) => agent.learn(0, 0, 0, x)],
    ['a state of encode', NO_STATES, (x) => agent.encode(x)],
    ['a state of qValues', NO_STATES, (x) => agent.qValues(x)],
    ['a state of visits', NO_STATES, (x) => agent.visits(x)],
    ['a state of explain', NO_STATES, (x) => agent.explain(x)],
    ['a vector of begin', NO_VECTORS, (x) => vector.begin(x)],
    ['a vector of step', NO_VECTORS, (x) => vector.step(0, x)],
    ['a vector of act', NO_VECTORS, (x) => vector.act(x)],
    ['a vector of act with options', NO_VECTORS, (x) => vector.act(x, { greedy: true, mask: [1, 1, 1] })],
    ['a vector of learn', NO_VECTORS, (x) => vector.learn(x, 0, 0, [0, 0])],
    ['a next vector of learn', NO_VECTORS, (x) => vector.learn([0, 0], 0, 0, x)],
    ['a vector of encode', NO_VECTORS, (x) => vector.encode(x)],
    ['a vector of qValues', NO_VECTORS, (x) => vector.qValues(x)],
    ['a vector of visits', NO_VECTORS, (x) => vector.visits(x)],
    ['a vector of explain', NO_VECTORS, (x) => vector.explain(x)],
    ['a reward of step', NO_FINITE, (x) => agent.step(x, 0)],
    ['a reward of learn', NO_FINITE, (x) => agent.learn(0, 0, x, 0)],
    ['an action of learn', NO_ACTIONS, (x) => agent.learn(0, x, 0, 0)],
    ['an action of learn by vectors', [...NO_ACTIONS, 3], (x) => vector.learn([0, 0], x, 0, [0, 0])],
    ['an ending of step', NO_ENDINGS, (x) => agent.step(0, 0, x)],
    ['an ending of learn', NO_ENDINGS, (x) => agent.learn(0, 0, 0, 0, x)],
    ['a next action of learn', NO_ACTIONS.slice(1), (nextAction) => agent.learn(0, 0, 0, 0, { nextAction })],
    ['options of act', NO_OPTIONS, (x) => agent.act(0, x)],
    ['a count of replay', NO_COUNTS, (x) => agent.replay(x)],
    ['a k of explain', NO_COUNTS.slice(1), (x) => agent.explain(0, x)],
    ['an id or name', [...NO_NUMBERS, NaN, -1, 0.5, 2 ** 53, 'nobody', 99], (x) => runtime.agent(x)],
    ['agents of a batch', [null, 5, 'ab', {}, [], [1], [null], [{}], new Set(), new Map([[1, 2]]), Symbol('x')], (x) => runtime.batch(x)],
    ['a configuration', [undefined, ...NO_OBJECTS], (x) => runtime.createAgent(x)],
];

test.each(TABLE)('%s is refused where it is none', (_, values, call) => {
    for (const value of values) expectRefused(runtime, 'INVALID_ARGUMENT', () => call(value));
});

test('the message names what was given and what was expected', () => {
    const cases = [
        [() => vector.act([0.5, NaN]), /observation\[1\] must be a number, mapped from -10\.\.10, not NaN/],
        [() => vector.act(['0', 1]), /observation\[0\] \(load\) must be .* not "0"/],
        [() => vector.act([1]), /array of 2 numbers.*not 1 of them/],
        [() => agent.act(16), /'index'.* from 0 to 15, not 16/],
        [() => agent.learn(0, 4, 0, 0), /action .* from 0 to 3, not 4/],
        [() => agent.step(NaN, 0), /reward .* finite number, not NaN/],
        [() => agent.learn(0, 0, 0, 'a'), /next .* not "a"/],
        [() => agent.act(0, { mask: [1] }), /mask .* 4 numbers.* array of 1/],
        [() => agent.replay(1n), /count .* not the bigint 1n/],
        [() => agent.step(0, 0, { terminated: 'yes' }), /ending\.terminated must be true or false, not "yes"/],
    ];
    for (const [call, message] of cases) expectRefused(runtime, 'INVALID_ARGUMENT', call, message);
});

describe('code of the caller that runs while its arguments are read', () => {
    const reason = new Error('mine');
    const throwing = { get: () => { throw reason; } };
    const trap = (object, name) => Object.defineProperty({ ...object }, name, throwing);

    test('its errors pass through, and nothing has changed', () => {
        const before = snapshot(runtime);
        const calls = [
            () => vector.act(trap({ length: 2 }, 0)), () => vector.act(Object.defineProperty([0, 0], 1, throwing)), () => agent.step(0, 0, trap({}, 'terminated')),
            () => agent.act(0, trap({}, 'mask')), () => runtime.createAgent(trap(INDEX, 'encoder')), () => runtime.createAgent(trap(INDEX, 'discount')),
            () => runtime.batch({ *[Symbol.iterator]() { yield agent; throw reason; } }), () => agent.learn(0, 0, 0, 0, trap({}, 'nextAction')),
        ];
        for (const call of calls) expect(thrownBy(call)).toBe(reason);
        expect(snapshot(runtime)).toEqual(before);
        expect(runtime.memory.owners()).toHaveLength(5);
        const { proxy, revoke } = Proxy.revocable([], {});
        revoke();
        expect(thrownBy(() => vector.act(proxy))).toBeInstanceOf(TypeError);
        expect(snapshot(runtime)).toEqual(before);
    });

    test('a call of the same runtime from there is BUSY for the outer one, and the inner one counts', () => {
        const nested = { length: 2, get 0() { return vector.learn([0.1, 0.1], 1, 5, [0, 0]), 0.9; }, 1: 9 };
        const array = Object.defineProperty([0, 9], 0, { get: () => nested[0] });
        for (const observation of [nested, array])
            for (const call of [
                () => vector.act(observation), () => vector.step(0, observation), () => vector.learn(observation, 0, 1, [0, 0]), () => vector.learn([1, 1], 0, 1, observation),
            ]) {
                const steps = vector.metrics.learningSteps;
                expect(thrownBy(call)).toMatchObject({ name: 'QhiveError', code: 'BUSY' });
                expect(vector.metrics.learningSteps).toBe(steps + 1);
            }
        expect(vector.visits([0.9, 9])[0]).toBe(0);
        expect(vector.visits([0.1, 0.1])[1]).toBe(8);
        expect(runtime.validate()).toBe(true);
    });

    test('that holds for a next state read beside an observation in place', () => {
        const next = { length: 2, 0: 0.9, get 1() { return vector.learn(vector.input, 1, 5, [0, 0]), 9; } };
        const steps = vector.metrics.learningSteps;
        vector.input.set([0.3, 3]);
        expect(thrownBy(() => vector.learn(vector.input, 0, 1, next))).toMatchObject({ name: 'QhiveError', code: 'BUSY' });
        expect(vector.metrics.learningSteps).toBe(steps + 1);
        expect([...vector.visits(vector.input)]).toEqual([0, 1, 0]);
    });

    test('an agent freed from there is stale for the outer call', () => {
        const ending = { get terminated() { return vector.free(), true; } };
        expect(thrownBy(() => vector.step(0, [0, 0], ending)).code).toBe('STALE_HANDLE');
        expect(runtime.validate()).toBe(true);
    });

    test('an agent made from there with the same name is found', () => {
        const config = { ...INDEX, name: 'twice', get discount() { return runtime.createAgent({ ...INDEX, name: 'twice' }), 0.5; } };
        expect(thrownBy(() => runtime.createAgent(config)).code).toBe('INVALID_ARGUMENT');
        expect(runtime.agents.length).toBe(3);
    });

    test('a runtime disposed from there is stale for the outer call', () => {
        const observation = { length: 2, get 0() { return runtime.dispose(), 0; }, 1: 0 };
        expect(thrownBy(() => vector.act(observation)).code).toMatch(/BUSY|STALE_HANDLE/);
        expect(thrownBy(() => vector.act([0, 0])).code).toBe('STALE_HANDLE');
    });
});

describe('properties', () => {
    const METHODS = {
        begin: 1, step: 3, act: 2, learn: 5, replay: 1, encode: 1, qValues: 1, visits: 1, explain: 2,
    };
    const plausible = fc.oneof(
        fc.integer({ min: -2, max: 20 }), fc.double(), fc.array(fc.double(), { minLength: 2, maxLength: 2 }), fc.float32Array({ minLength: 2, maxLength: 2 }),
        fc.record({ terminated: fc.boolean(), truncated: fc.boolean() }, { requiredKeys: [] }), fc.anything(),
    );

    test('any call of any method works or is refused with nothing changed', () => {
        fc.assert(
            fc.property(fc.constantFrom(...Object.keys(METHODS)), fc.boolean(), fc.array(plausible, { maxLength: 5 }), (method, onVector, args) => {
                const subject = onVector ? vector : agent;
                if (method === 'replay' && typeof args[0] === 'number') args[0] %= 100;
                const before = snapshot(runtime);
                try {
                    subject[method](...args);
                } catch (error) {
                    expect(error.name).toBe('QhiveError');
                    expect(['INVALID_ARGUMENT', 'INVALID_STATE']).toContain(error.code);
                    expect(snapshot(runtime)).toEqual(before);
                }
                expect(runtime.validate()).toBe(true);
            }),
            { numRuns: 1500, seed: 20240607 },
        );
    });

    test('any configuration makes a sound agent or is refused', () => {
        const schedule = fc.oneof(fc.double(), fc.record({ start: fc.double(), end: fc.double(), decay: fc.double() }));
        const dim = fc.record(
            { min: fc.double({ max: 1 }), max: fc.double({ min: -1 }), bins: fc.integer({ min: -1, max: 70000 }), trend: fc.double({ min: 0, max: 1 }) },
            { requiredKeys: ['min', 'max', 'bins'] },
        );
        const config = fc.record(
            {
                actions: fc.integer({ min: -1, max: 1100 }),
                encoder: fc.record({
                    kind: fc.constantFrom('index', 'bins', 'simhash', 'tiles', 'other'), states: fc.integer({ min: -1, max: 1000 }),
                    bits: fc.integer({ min: 0, max: 40 }), tilings: fc.integer({ min: 0, max: 40 }), dims: fc.array(dim, { maxLength: 70 }),
                }),
                algorithm: fc.constantFrom('q-learning', 'sarsa', 'expected-sarsa', 'double-q', 'td'), learningRate: fc.oneof(schedule, fc.constant('visits')),
                discount: fc.double({ min: -0.1, max: 1.1 }), lambda: fc.double({ min: 0, max: 1 }), nStep: fc.integer({ min: 0, max: 1100 }), planning: fc.integer({ min: -1, max: 9 }),
                policy: fc.oneof(fc.record({ kind: fc.constant('epsilon-greedy'), epsilon: schedule }), fc.record({ kind: fc.constantFrom('greedy', 'softmax', 'ucb') })),
                quotaBytes: fc.double({ min: -1, max: 1e7 }), initialValue: fc.double(), replay: fc.record({ capacity: fc.integer({ min: -1, max: 100 }) }), name: fc.string(),
            },
            { requiredKeys: ['actions', 'encoder'] },
        );
        fc.assert(
            fc.property(config, (given) => {
                const before = runtime.memory.liveBytes;
                let made;
                try {
                    made = runtime.createAgent(given);
                } catch (error) {
                    expect(error.name).toBe('QhiveError');
                    expect(['INVALID_ARGUMENT', 'QUOTA_EXCEEDED']).toContain(error.code);
                    expect(runtime.memory.liveBytes).toBe(before);
                }
                made?.free();
                expect(runtime.memory.liveBytes).toBe(before);
                expect(runtime.validate()).toBe(true);
            }),
            { numRuns: 1000, seed: 20240608 },
        );
    });
});
