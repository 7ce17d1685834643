/** The feature knowledge through the package: loading, freezing, searching, ordering, and what agents get of it. */
import { readFileSync } from 'node:fs';
import { expectRefused, generator, INDEX, open, thrownBy } from './support.js';

const SLEEP = {
    code: 'E1', name: 'Cell sleep', category: 'Energy', description: 'Cells are switched off at night when few people use them',
    parameters: ['threshold: 0..100 %'], kpis: ['energy consumption'], requires: ['E2'],
};
const FEATURES = [
    SLEEP,
    { code: 'E2', name: 'Load threshold', category: 'Energy' },
    { code: 'M1', name: 'Offset', category: 'Mobility', description: 'Keeps handsets from bouncing (ping-pong) at handovers', requires: [] },
    { code: 'M2', name: 'timeToTrigger', category: 'Mobility', description: '', requires: ['M1'] },
];
const axis = (i) => Float32Array.from({ length: 64 }, (_, j) => Number(i === j));

function loaded(features = FEATURES) {
    const runtime = open();
    runtime.knowledge.load(features);
    return runtime;
}

describe('loading', () => {
    test('gives back what was given, and nothing else', () => {
        const { knowledge } = loaded([...FEATURES, { code: 'É😀', name: 'n', category: 'c', vector: axis(3), more: 1 }]);
        expect(knowledge.size).toBe(5);
        for (const feature of FEATURES) expect(knowledge.get(feature.code)).toEqual(feature);
        expect(knowledge.get('É😀')).toEqual({ code: 'É😀', name: 'n', category: 'c', vector: axis(3) });
        for (const code of ['e1', '', 'x'.repeat(10000), '\ud800']) expect(knowledge.get(code)).toBeUndefined();
    });

    test('takes any iterable, in parts, also none', () => {
        const { knowledge } = loaded([]);
        expect(knowledge.size).toBe(0);
        knowledge.load(new Set(FEATURES.slice(0, 2)));
        knowledge.load((function* () { yield* FEATURES.slice(2); })());
        expect(FEATURES.map(({ code }) => knowledge.get(code))).toEqual(FEATURES);
    });

    const one = (change) => [{ ...SLEEP, ...change }];
    test.each([
        ['no iterable', 5], ['null', null], ['a string of features', 'E1'], ['a feature that is none', [null]], ['an array', [[]]],
        ['no code', one({ code: undefined })], ['an empty code', one({ code: '' })], ['a number as code', one({ code: 1 })],
        ['a code too long', one({ code: 'x'.repeat(4097) })], ['a lone surrogate', one({ description: '\udc00' })],
        ['no name', one({ name: '' })], ['no category', one({ category: null })], ['a text as parameters', one({ parameters: 'x' })],
        ['a sparse list', one({ kpis: Array(2) })], ['a short vector', one({ vector: [1, 2] })], ['a long vector', one({ vector: Array(65).fill(0) })],
        ['NaN in a vector', one({ vector: Array(64).fill(NaN) })], ['too large a number in a vector', one({ vector: Array(64).fill(1e39) })],
        ['a vector that is no list', one({ vector: 7 })],
        ['a code twice', [FEATURES[1], SLEEP, SLEEP]],
    ])('refuses %s', (_, features) => {
        const runtime = loaded([FEATURES[2]]);
        const error = expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.knowledge.load(features));
        if (_ === 'a code twice') expect(error.message).toContain('features[2].code must be unique; "E1"');
        expect(runtime.knowledge.size).toBe(1);
    });

    test('an error of the caller passes through and changes nothing', () => {
        const runtime = loaded();
        const mine = new Error('mine');
        expect(thrownBy(() => runtime.knowledge.load((function* () { yield { ...SLEEP, code: 'N' }; throw mine; })()))).toBe(mine);
        expect(thrownBy(() => runtime.knowledge.load([{ get code() { throw mine; } }]))).toBe(mine);
        expect(runtime.knowledge.size).toBe(4);
    });

    test('a caller that freezes while it is read is told so', () => {
        const runtime = loaded();
        const { knowledge } = runtime;
        expectRefused(runtime, 'INVALID_STATE', () => knowledge.load((function* () { yield { ...SLEEP, code: 'N' }; knowledge.freeze(); })()));
        expect(knowledge.size).toBe(4);
    });

    test('past the page budget nothing changes', () => {
        const runtime = open({ maxPages: 40 });
        runtime.knowledge.load(FEATURES);
        const { bytes } = runtime.knowledge;
        expectRefused(runtime, 'EXCEEDS_LIMIT', () => runtime.knowledge.load([{ code: 'L', name: 'l', category: 'c', description: 'long words '.repeat(500000) }]));
        expect(runtime.knowledge.bytes).toBe(bytes);
        expect(runtime.knowledge.search('cell sleep')[0].code).toBe('E1');
    });
});

describe('freezing', () => {
    test('is irreversible', () => {
        const runtime = loaded();
        expect(runtime.knowledge.frozen).toBe(false);
        runtime.knowledge.freeze();
        expect(runtime.knowledge.frozen).toBe(true);
        expectRefused(runtime, 'INVALID_STATE', () => runtime.knowledge.freeze(), /frozen/);
        expectRefused(runtime, 'INVALID_STATE', () => runtime.knowledge.load([]), /frozen/);
        expect(runtime.knowledge.search('sleep')[0].code).toBe('E1');
    });

    test('what agents hold is not given back', () => {
        const runtime = loaded();
        const early = runtime.createAgent({ ...INDEX, feature: 'M1' });
        const unknown = runtime.createAgent({ ...INDEX, feature: 'none such' });
        runtime.knowledge.freeze();
        const late = runtime.createAgent({ ...INDEX, feature: 'M1' });
        expect(runtime.knowledge.references).toBe(2);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.createAgent({ ...INDEX, feature: 'M9' }), /config\.feature.*"M9"/);
        expectRefused(runtime, 'BUSY', () => runtime.knowledge.free(), /2 agents/);
        expect(unknown.explain(0).knowledge).toEqual([]);
        early.free();
        late.free();
        const owner = () => runtime.memory.owners().find(({ owner }) => owner === 'knowledge')?.liveBytes;
        expect(owner()).toBe(runtime.knowledge.bytes);
        runtime.knowledge.free();
        expect(owner()).toBeUndefined();
        expect(runtime.knowledge.size).toBe(0);
        expect(runtime.knowledge.search('sleep')).toEqual([]);
        expect(runtime.validate()).toBe(true);
        runtime.knowledge.load(FEATURES);
    });

    test('it is stated once, however many agents there are', () => {
        const runtime = loaded();
        runtime.knowledge.freeze();
        const before = runtime.knowledge.bytes;
        for (let i = 0; i < 50; i++) runtime.createAgent({ ...INDEX, feature: FEATURES[i % 4].code });
        expect(runtime.memory.owners().filter(({ owner }) => owner === 'knowledge')).toMatchObject([{ owner: 'knowledge', kind: 'knowledge', liveBytes: before, quotaBytes: Infinity }]);
        expect(runtime.knowledge.references).toBe(50);
        expect(runtime.validate()).toBe(true);
    });
});

describe('searching', () => {
    test.each(['fused', 'lexical', 'vector'])('%s: by words, their families and synonyms, and by parts of names', (mode) => {
        const { knowledge } = loaded();
        const first = (query) => knowledge.search(query, { mode })[0]?.code;
        expect(first('SLEEPING CELLS?')).toBe('E1');
        expect(first('UE makes HO after HO')).toBe('M1');
        expect(first('how long is the trigger')).toBe('M2');
        expect(knowledge.search('load night', { mode, k: 1 })).toHaveLength(1);
        expect(knowledge.search('time load offset', { mode, category: 'Mobility' }).every(({ category }) => category === 'Mobility')).toBe(true);
    });

    test('best first, and equals in the order of loading', () => {
        const { knowledge } = loaded(['z', 'x', 'y'].map((code) => ({ code, name: 'same', category: 'c' })));
        const hits = knowledge.search('same', { mode: 'lexical' });
        expect(hits.map(({ code }) => code)).toEqual(['z', 'x', 'y']);
        expect(hits[0]).toEqual({ code: 'z', name: 'same', category: 'c', score: hits[2].score });
    });

    test('a code finds its feature', () => {
        const { knowledge } = loaded();
        for (const { code } of FEATURES) expect(knowledge.search(code)[0].code).toBe(code);
    });

    test('vectors of the caller take the place of the built-in ones', () => {
        const { knowledge } = loaded(FEATURES.map((feature, i) => ({ ...feature, vector: Array.from(axis(i)) })));
        const query = axis(2);
        query[1] = 0.5;
        const hits = knowledge.search(query);
        expect(hits.map(({ code }) => code)).toEqual(['M1', 'E2', 'E1', 'M2']);
        expect(hits[0].score).toBeCloseTo(1 / Math.hypot(1, 0.5), 6);
        expect(knowledge.search(Array.from(query), { k: 1 })).toEqual(hits.slice(0, 1));
        expect(knowledge.search('sleep', { mode: 'vector' })[0].code).toBe('E1');
        expect(knowledge.nearest('M2', 2).map(({ code }) => code)).toEqual(['M2', 'E1']);
    });

    test.each([
        ['nothing', undefined], ['null', null], ['a number', 5], ['an object', {}], ['a short vector', [1]], ['NaN', Array(64).fill(NaN)], ['texts', Array(64).fill('1')],
    ])('refuses to search for %s', (_, query) => {
        const runtime = loaded();
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.knowledge.search(query), /query/);
    });

    test.each([
        [{ k: -1 }], [{ k: 1.5 }], [{ k: NaN }], [{ k: 2 ** 53 }], [{ k: '3' }], [{ k: 1025 }], [{ category: 5 }], [{ category: '' }], [{ mode: 'best' }], [5], [null],
    ])('refuses the options %j', (options) => {
        const runtime = loaded();
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.knowledge.search('cell', options), /options/);
    });

    test('hostile texts find something or nothing, and do no harm', () => {
        const runtime = loaded();
        const random = generator(3);
        const texts = ['', ' ', '\0', '\ud800', '\udfff cell', '🙂', 'a'.repeat(2 ** 20), 'cell '.repeat(200000), '́'.repeat(1000), '-'.repeat(99)];
        for (let i = 0; i < 200; i++) texts.push(String.fromCharCode(...Array.from({ length: 40 }, () => random() * 65536)));
        for (const text of texts) expect(Array.isArray(runtime.knowledge.search(text))).toBe(true);
        expect(runtime.knowledge.search('\udfff cell')[0].code).toBe('E1');
        expect(runtime.validate()).toBe(true);
    });

    test('both builds find the same, to the last bit', () => {
        const features = JSON.parse(readFileSync(new URL('../../examples/ran/features.json', import.meta.url), 'utf8'));
        const [a, b] = [true, false].map((simd) => {
            const { knowledge } = open({ simd, seed: simd ? 1 : 2 });
            knowledge.load(features);
            return ['cells that sleep', 'phones bounce', 'uplink'].flatMap((query) => ['fused', 'lexical', 'vector'].map((mode) => knowledge.search(query, { mode })));
        });
        expect(a).toEqual(b);
    });
});

describe('the order of activation', () => {
    test('prerequisites first, each once', () => {
        const { knowledge } = loaded();
        expect(knowledge.activationOrder(['M2', 'E1', 'M1'])).toEqual(['M1', 'M2', 'E2', 'E1']);
        expect(knowledge.activationOrder([])).toEqual([]);
    });

    test('names a cycle, and what is missing', () => {
        const need = (code, ...requires) => ({ code, name: code, category: 'c', requires });
        const runtime = loaded([need('A', 'B'), need('B', 'C'), need('C', 'B'), need('D', 'nowhere'), need('S', 'S')]);
        const { knowledge } = runtime;
        expectRefused(runtime, 'INVALID_ARGUMENT', () => knowledge.activationOrder(['A']), /cycle: B -> C -> B$/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => knowledge.activationOrder(['S']), /cycle: S -> S$/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => knowledge.activationOrder(['D']), /"D" needs "nowhere"/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => knowledge.activationOrder(['X']), /codes\[0\].*"X"/);
        for (const codes of [undefined, 'A', [1], [null], Array(1)]) expectRefused(runtime, 'INVALID_ARGUMENT', () => knowledge.activationOrder(codes), /codes/);
    });

    test('a chain of 20,000 is no matter of the stack', () => {
        const { knowledge } = loaded(Array.from({ length: 20000 }, (_, i) => ({ code: `f${i}`, name: 'n', category: 'c', requires: i ? [`f${i - 1}`] : [] })));
        expect(knowledge.activationOrder(['f19999'])).toHaveLength(20000);
    });
});

describe('what agents get', () => {
    test('explain returns the feature and its like', () => {
        const runtime = loaded();
        runtime.knowledge.freeze();
        const agent = runtime.createAgent({ ...INDEX, feature: 'E1' });
        expect(agent.explain(0).knowledge).toEqual(runtime.knowledge.nearest('E1', 3));
        expect(agent.explain(0).knowledge[0]).toMatchObject({ code: 'E1', name: 'Cell sleep', category: 'Energy' });
        expect(agent.explain(0, 1).knowledge).toHaveLength(1);
        expect(agent.explain(0, 0).knowledge).toEqual([]);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => agent.explain(0, -1), /k must be/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.knowledge.nearest('E9'), /"E9"/);
        expect(runtime.createAgent(INDEX).explain(0).knowledge).toEqual([]);
    });

    test('everything of a disposed runtime is stale', () => {
        const runtime = loaded();
        const { knowledge } = runtime;
        runtime.dispose();
        for (const call of [() => runtime.knowledge, () => knowledge.size, () => knowledge.search('x'), () => knowledge.get('x'), () => knowledge.load([]), () => knowledge.freeze(), () => knowledge.free(), () => knowledge.activationOrder([]), () => knowledge.nearest('x')])
            expect(thrownBy(call).code).toBe('STALE_HANDLE');
    });
});
