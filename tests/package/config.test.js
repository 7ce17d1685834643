/** Every field of an agent's configuration: what is out of range is refused by name, what is at the bounds is accepted. */
import { BINS, expectRefused, INDEX, open } from './support.js';

const JUNK = [null, 'x', [], {}, 1n, Symbol('x'), NaN, true];
const dim = (fields) => ({ actions: 2, encoder: { kind: 'bins', dims: [{ min: 0, max: 1, bins: 4 }, { min: 0, max: 1, bins: 4, ...fields }] } });
const encoder = (fields) => ({ actions: 2, encoder: { ...BINS.encoder, ...fields } });
const index = (fields) => ({ ...INDEX, ...fields });
const dims = (count, fields) => Array.from({ length: count }, () => ({ min: 0, max: 1, bins: 2, ...fields }));

/** [path in the message, configurations from a value, refused, accepted] */
const FIELDS = [
    ['config.actions', (actions) => index({ actions }), [...JUNK, undefined, 0, -1, 1.5, 1025, '4', Infinity], [1, 1024]],
    ['config.encoder', (value) => index({ encoder: value }), [...JUNK.filter((x) => x?.constructor !== Object), undefined], []],
    ['config.encoder.kind', (kind) => encoder({ kind }), [...JUNK, undefined, 'Bins', ''], ['bins']],
    ['config.encoder.states', (states) => index({ encoder: { kind: 'index', states } }), [...JUNK, undefined, 0, -1, 1.5, 2 ** 32], [1, 2 ** 32 - 1]],
    ['config.encoder.bits', (bits) => encoder({ kind: 'simhash', bits }), [...JUNK, undefined, 0, 33, 1.5], [1, 32]],
    ['config.encoder.tilings', (tilings) => encoder({ kind: 'tiles', tilings }), [...JUNK, undefined, 0, 33, 1.5], [1, 32]],
    ['config.encoder.dims', (value) => encoder({ dims: value }), [...JUNK, undefined, dims(65), dims(33, { trend: 0.5 }), { length: 1, 0: { min: 0, max: 1, bins: 1 } }], [dims(1), dims(64), dims(32, { trend: 0.5 })]],
    ['config.encoder.dims[0]', (value) => encoder({ dims: value }), [[null], [5], new Array(2), [undefined], ['x']], []],
    ['config.encoder.dims[1].min', (min) => dim({ min }), [...JUNK, undefined, Infinity, -Infinity, -1e39], [-3.4e37]],
    ['config.encoder.dims[1].max', (max) => dim({ max }), [...JUNK, undefined, Infinity, 0, -1, 1e39, 1e-60, 1e-38], [2e-38, 3.4e38]],
    ['config.encoder.dims[1].bins', (bins) => dim({ bins }), [...JUNK, undefined, -1, 1.5, 65537], [0, 65536]],
    ['config.encoder.dims[1].trend', (trend) => dim({ trend }), [...JUNK, 0, -0.1, 1.1, Infinity], [undefined, 1, 1e-6]],
    ['config.encoder.dims[1].role', (role) => dim({ role }), [...JUNK, 'KPI', 5], [undefined, 'kpi', 'parameter', 'context']],
    ['config.encoder.dims[1].name', (name) => dim({ name }), [null, 5, {}, Symbol('x')], [undefined, '', 'load']],
    ['config.algorithm', (algorithm) => index({ algorithm }), [...JUNK, 'Q-learning', ''], [undefined, 'q-learning', 'sarsa', 'expected-sarsa', 'double-q']],
    ['config.learningRate', (learningRate) => index({ learningRate }), [null, 'x', 1n, Symbol('x'), NaN, true, 0, -0.1, 1.1, Infinity], [undefined, 1, 1e-9, 'visits', { start: 1, end: 0, decay: 0 }]],
    ['config.learningRate.start', (learningRate) => index({ learningRate }), [{}, [], { start: 0, end: 0, decay: 1 }, { start: '1', end: 0, decay: 1 }], []],
    ['config.learningRate.end', (end) => index({ learningRate: { start: 1, end, decay: 1 } }), [...JUNK, undefined, -0.1, 1.1], [0, 1]],
    ['config.learningRate.decay', (decay) => index({ learningRate: { start: 1, end: 0, decay } }), [...JUNK, undefined, -0.1, 1.1], [0, 1]],
    ['config.discount', (discount) => index({ discount }), [...JUNK, -0.1, 1.1, Infinity], [undefined, 0, 1]],
    ['config.policy', (policy) => index({ policy }), [null, 'greedy', [], 5, 1n, true], [undefined, { kind: 'greedy' }]],
    ['config.policy.kind', (kind) => index({ policy: { kind } }), [...JUNK, undefined, 'boltzmann'], ['greedy']],
    ['config.policy.epsilon', (epsilon) => index({ policy: { kind: 'epsilon-greedy', epsilon } }), [null, undefined, NaN, -0.1, 1.1, '0.1'], [0, 1, { start: 1, end: 0, decay: 0.9 }]],
    ['config.policy.temperature', (temperature) => index({ policy: { kind: 'softmax', temperature } }), [null, undefined, NaN, 0, -1, Infinity], [1e-3, 1e3, { start: 1, end: 0.1, decay: 0.9 }]],
    ['config.policy.temperature.end', (end) => index({ policy: { kind: 'softmax', temperature: { start: 1, end, decay: 1 } } }), [0, -1, NaN], [0.01]],
    ['config.policy.c', (c) => index({ policy: { kind: 'ucb', c } }), [...JUNK, undefined, -1, Infinity], [0, 2]],
    ['config.initialValue', (initialValue) => index({ initialValue }), [...JUNK, Infinity, 1e39], [undefined, -5, 3.4e38]],
    ['config.lambda', (lambda) => index({ lambda }), [...JUNK, -0.1, 1.1], [undefined, 0, 1]],
    ['config.nStep', (nStep) => index({ nStep }), [...JUNK, 0, 1.5, 1025], [undefined, 1, 1024]],
    ['config.planning', (planning) => index({ planning }), [...JUNK, -1, 1.5, 1_000_001], [undefined, 0, 1_000_000]],
    ['config.replay', (replay) => index({ replay }), [null, 5, [], 'x', true], [undefined, { capacity: 0 }]],
    ['config.replay.capacity', (capacity) => index({ replay: { capacity } }), [...JUNK, undefined, -1, 1.5, 2 ** 28 + 1], [0, 1, 1000]],
    ['config.replay.kind', (kind) => index({ replay: { capacity: 1, kind } }), [...JUNK, 'per'], [undefined, 'uniform', 'prioritized']],
    ['config.replay.alpha', (alpha) => index({ replay: { capacity: 1, alpha } }), [...JUNK, -1, 2], [undefined, 0, 1]],
    ['config.replay.beta', (beta) => index({ replay: { capacity: 1, beta } }), [...JUNK, -1, 2], [undefined, 0, 1]],
    ['config.quotaBytes', (quotaBytes) => index({ quotaBytes }), [...JUNK, -1], [undefined, 1e6, 1e12, Infinity]],
    ['config.tieBreak', (tieBreak) => index({ tieBreak }), [...JUNK, 'last'], [undefined, 'first', 'random']],
    ['config.name', (name) => index({ name }), [null, 5, {}, '', '\ud800', 'x\udc00', 'x'.repeat(4097), 'ß'.repeat(2049)], [undefined, 'a', '\ud83d\ude00', 'x'.repeat(4096)]],
    ['config.category', (category) => index({ category }), [null, 5, {}, Symbol('x')], [undefined, '', 'energy']],
    ['config.feature', (feature) => index({ feature }), [null, 5, {}, Symbol('x')], [undefined, 'ES01']],
];

let runtime;
beforeEach(() => {
    runtime = open();
});

test.each(FIELDS)('%s', (path, make, refused, accepted) => {
    const escaped = path.replace(/[[\].]/g, '\\$&');
    for (const value of refused) expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.createAgent(make(value)), new RegExp(`^${escaped}`));
    expect(runtime.agents.length).toBe(0);
    for (const value of accepted) runtime.createAgent(make(value)).free();
});

describe('combinations without a meaning', () => {
    test.each([
        ['lambda with n steps', index({ lambda: 0.5, nStep: 2 })], ['lambda with double Q-learning', index({ lambda: 0.5, algorithm: 'double-q' })],
        ['planning with tiles', { ...encoder({ kind: 'tiles', tilings: 4 }), planning: 1 }],
    ])('%s', (_, config) => {
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.createAgent(config), /^config: /);
    });
});

test('a quota that holds no agent at all is QUOTA_EXCEEDED, and gives everything back', () => {
    runtime.createAgent(INDEX); // the list of agents is the runtime's, and stays
    const before = runtime.memory.liveBytes;
    for (const quotaBytes of [0, 1, 500]) expectRefused(runtime, 'QUOTA_EXCEEDED', () => runtime.createAgent({ ...INDEX, quotaBytes }), /quotaBytes/);
    expect(runtime.memory.liveBytes).toBe(before);
});

test('fields are read once', () => {
    const reads = {};
    const counted = new Proxy(INDEX, { get: (target, name) => ((reads[name] = (reads[name] ?? 0) + 1), target[name]) });
    runtime.createAgent(counted);
    expect(Object.values(reads).every((count) => count === 1)).toBe(true);
});
