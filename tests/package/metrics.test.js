/** Metrics: sums, series, and Prometheus text, which is read back by its grammar. */
import { expectRefused, generator, INDEX, open, wander } from './support.js';

let runtime;
let metrics;
beforeEach(() => {
    runtime = open();
    ({ metrics } = runtime);
});

const SUFFIXES = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] };
const VALUE = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;

/** The numbers of a histogram: buckets by their ends, in order and cumulative, the last without an end and as many as the count. */
function checkHistogram(name, samples) {
    const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket{`)).map(([key, count]) => [/^\w+\{le="([^"]+)"\}$/.exec(key)[1], count]);
    expect(buckets.at(-1)).toEqual(['+Inf', samples.get(`${name}_count`)]);
    for (const [le] of buckets) expect(le).toMatch(VALUE);
    const ends = buckets.map(([le]) => (le === '+Inf' ? Infinity : Number(le)));
    for (let i = 1; i < buckets.length; i++) {
        expect(ends[i]).toBeGreaterThan(ends[i - 1]);
        expect(buckets[i][1]).toBeGreaterThanOrEqual(buckets[i - 1][1]);
    }
    expect(samples.has(`${name}_sum`)).toBe(true);
}

/** The samples of a text by name and labels; every line must be one of the grammar: each family once, HELP, TYPE, then all of its samples. */
function parse(text) {
    const samples = new Map();
    const types = new Map();
    const helped = new Set();
    let named;
    expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
    expect(text).not.toMatch(/\n\n/);
    for (const line of text.trimEnd().split('\n')) {
        const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\n]+$/.exec(line);
        const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line);
        const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line);
        if (help) {
            [, named] = help;
            expect(helped.has(named)).toBe(false);
            helped.add(named);
        } else if (type) {
            expect(type[1]).toBe(named);
            expect(types.has(named)).toBe(false);
            types.set(named, type[2]);
        } else {
            expect(sample).not.toBeNull();
            expect(SUFFIXES[types.get(named)].map((suffix) => named + suffix)).toContain(sample[1]);
            expect(sample[3]).toMatch(VALUE);
            const key = sample[2] ? `${sample[1]}{${sample[2]}}` : sample[1];
            expect(samples.has(key)).toBe(false);
            samples.set(key, sample[3] === '+Inf' ? Infinity : Number(sample[3]));
        }
    }
    expect(text.endsWith('\n')).toBe(true);
    expect([...types.keys()]).toEqual([...helped]);
    for (const [name, type] of types) if (type === 'histogram') checkHistogram(name, samples);
    return { samples, types };
}

test('a snapshot adds up what agents did, also those that are gone', () => {
    const agents = Array.from({ length: 5 }, () => runtime.createAgent(INDEX));
    agents.forEach((agent, i) => wander(agent, 50 + i, i));
    const sum = (read) => agents.reduce((total, { metrics: each }) => total + read(each), 0);
    const expected = { decisions: sum((m) => m.actionCount), learningSteps: sum((m) => m.learningSteps), rewardSum: sum((m) => m.rewardSum) };
    const tdErrorMean = sum((m) => m.tdErrorMean * m.learningSteps) / expected.learningSteps;
    const check = () => {
        const { decisions, learningSteps, rewardSum, tdErrorMean: mean } = metrics.snapshot();
        expect([decisions, learningSteps]).toEqual([expected.decisions, expected.learningSteps]);
        expect(rewardSum).toBeCloseTo(expected.rewardSum, 9);
        expect(mean).toBeCloseTo(tdErrorMean, 9);
    };
    check();
    agents[1].free();
    agents[2].reset();
    check();
});

test('a new runtime has counted nothing', () => {
    expect(metrics.snapshot()).toEqual({
        decisions: 0, learningSteps: 0, rewardSum: 0, tdErrorMean: 0, latency: { p50: 0, p99: 0, max: 0 }, pools: runtime.memory.pools(),
        locks: ['federation', 'metrics', 'messages'].map((name) => ({ name, acquired: 0, contended: 0, maxWaitMs: 0 })),
    });
    expect(metrics.names()).toEqual([]);
    expect(runtime.memory.owners().some(({ owner }) => owner === 'metrics')).toBe(false);
    parse(metrics.prometheus());
});

test('latency is the series of that name', () => {
    for (let i = 1; i <= 1000; i++) metrics.observe('latency', i / 10);
    const { p50, p99, max } = metrics.snapshot().latency;
    expect(Math.abs(p50 / 50 - 1)).toBeLessThan(1 / 60);
    expect(Math.abs(p99 / 99 - 1)).toBeLessThan(1 / 60);
    expect(max).toBe(100);
});

test('a series counts, and its quantiles are near those of the values', () => {
    const random = generator(5);
    const values = Array.from({ length: 3000 }, () => Math.exp(10 * random() - 5) * (random() < 0.3 ? -1 : 1));
    values.forEach((value) => metrics.observe('reward', value));
    const { count, sum, min, max, mean, ...quantiles } = metrics.series('reward');
    expect([count, min, max]).toEqual([3000, Math.min(...values), Math.max(...values)]);
    expect(sum).toBeCloseTo(values.reduce((a, b) => a + b), 9);
    expect(mean).toBe(sum / count);
    values.sort((a, b) => a - b);
    for (const [name, share] of Object.entries({ p50: 0.5, p90: 0.9, p99: 0.99 })) {
        const exact = values[Math.ceil(share * 3000) - 1];
        expect(Math.abs(quantiles[name] - exact)).toBeLessThanOrEqual(Math.abs(exact) / 60);
    }
    expect(metrics.series('other')).toBeUndefined();
    expect(runtime.validate()).toBe(true);
});

test('the text is Prometheus text, with histograms whose buckets hold what they say', () => {
    const agent = runtime.createAgent({ ...INDEX, category: 'a "quoted"\\back\nline' });
    wander(agent, 30);
    const values = [0.5, 0.75, 1, 1.5, 2, 3, -1, 0, 1e9];
    values.forEach((value) => metrics.observe('handover_ms', value));
    const { samples, types } = parse(metrics.prometheus());
    expect(samples.get('qhive_decisions_total')).toBe(agent.metrics.actionCount);
    expect(samples.get('qhive_agents{category="a \\"quoted\\"\\\\back\\nline"}')).toBe(1);
    expect(samples.get('qhive_pool_blocks{pool="message"}')).toBe(2);
    expect(types.get('handover_ms')).toBe('histogram');
    expect([samples.get('handover_ms_count'), samples.get('handover_ms_sum')]).toEqual([9, values.reduce((a, b) => a + b)]);
    const buckets = [...samples].flatMap(([key, value]) => {
        const le = /^handover_ms_bucket\{le="(.+)"\}$/.exec(key);
        return le ? [[le[1] === '+Inf' ? Infinity : Number(le[1]), value]] : [];
    });
    expect(buckets.length).toBeGreaterThan(5);
    for (const [le, count] of buckets) expect(count).toBe(values.filter((value) => value <= le).length);
    expect(buckets.map(([le]) => le)).toEqual([...buckets.map(([le]) => le)].sort((a, b) => a - b));
});

test('agents without a category are counted in that of their feature', () => {
    runtime.knowledge.load([{ code: 'f1', name: 'Tilting', category: 'coverage' }]);
    const early = runtime.createAgent({ ...INDEX, feature: 'f1' });
    expect(parse(metrics.prometheus()).samples.get('qhive_agents{category=""}')).toBe(1);
    runtime.knowledge.freeze();
    runtime.createAgent({ ...INDEX, feature: 'f1' });
    runtime.createAgent({ ...INDEX, feature: 'f1', category: 'own' });
    const { samples } = parse(metrics.prometheus());
    expect(['coverage', 'own', ''].map((category) => samples.get(`qhive_agents{category="${category}"}`))).toEqual([2, 1, undefined]);
    early.free();
});

test('the text follows the grammar whatever was observed', () => {
    const series = {
        zeros: [5e-324, -5e-324, 0, -0, 1e-300, -1e-300], huge: [1.7e308, 1.7e308, 1], low: [-1.7e308, -1.7e308],
        le: [1], _: [2], __: [3], qhive: [4], _sum: [5], sum: [6], foo_bucket: [7],
    };
    for (const [name, values] of Object.entries(series)) values.forEach((value) => metrics.observe(name, value));
    const random = generator(9);
    for (let i = 0; i < 20_000; i++) metrics.observe('any', (random() < 0.5 ? -1 : 1) * 2 ** (2100 * random() - 1076));
    ['', 'a"\\\n', '\r\u2028', '\\n', 'x="1",y', '😀'].forEach((category) => runtime.createAgent({ ...INDEX, category }));
    const { samples } = parse(metrics.prometheus());
    expect([samples.get('zeros_bucket{le="0"}'), samples.get('zeros_count')]).toEqual([4, 6]);
    expect(metrics.prometheus()).toMatch(/\nlow_sum -Inf\n[^]*/);
    expect([...samples.keys()].filter((key) => key.startsWith('qhive_agents{'))).toHaveLength(6);
    expect(samples.get('any_count')).toBe(20_000);
});

test('names that are none, and values that are none, are refused and leave nothing behind', () => {
    metrics.observe('known', 1);
    const wrong = ['', '1st', 'a-b', 'a b', 'ä', 'qhive_x', 'known_sum', 'known_count', 'known_bucket', 'x'.repeat(129), 'x'.repeat(9999), 5, undefined, null, {}, Symbol('x')];
    for (const name of wrong) expectRefused(runtime, 'INVALID_ARGUMENT', () => metrics.observe(name, 1), /name/);
    for (const value of [NaN, Infinity, -Infinity, '1', undefined, 1n]) expectRefused(runtime, 'INVALID_ARGUMENT', () => metrics.observe('fresh', value), /value/);
    expect(metrics.names()).toEqual(['known']);
    metrics.observe('x'.repeat(128), 1);
    expect(metrics.names()).toHaveLength(2);
});

test('the memory of the store has an end', () => {
    let made = 0;
    const fill = () => {
        for (; made < 200_000; made++) metrics.observe(`s${made}`, made);
    };
    expectRefused(runtime, 'QUOTA_EXCEEDED', fill, /4 MiB/);
    expect(metrics.names().length).toBeGreaterThan(500);
    metrics.observe('s0', 1);
    expect(runtime.validate()).toBe(true);
});
