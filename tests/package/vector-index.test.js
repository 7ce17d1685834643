/** The vector index: what is nearest, in every metric and storage; what it refuses; its life and its bytes. */
import { generator, open, thrownBy } from './support.js';

const STORAGES = [{}, { quantization: 'i8' }, { quantization: 'i8', rerank: false }];
const METRICS = ['cosine', 'l2', 'ip'];

/** Clusters, as embeddings have. */
function vectorsOf(count, dims, seed) {
    const random = generator(seed);
    const normal = () => random() + random() + random() - 1.5;
    const centres = Array.from({ length: 12 }, () => Float32Array.from({ length: dims }, normal));
    return Float32Array.from({ length: count * dims }, (_, i) => centres[Math.floor(i / dims) % 12][i % dims] + 0.6 * normal());
}

/** Distance of row `i` to query `j`, in double arithmetic. */
function distance(metric, rows, i, queries, j, dims) {
    let [dot, difference, x2, q2] = [0, 0, 0, 0];
    for (let d = 0; d < dims; d++) {
        const x = rows[i * dims + d];
        const q = queries[j * dims + d];
        dot += x * q;
        difference += (x - q) ** 2;
        x2 += x * x;
        q2 += q * q;
    }
    return { l2: difference, ip: 1 - dot, cosine: 1 - dot / (Math.sqrt(x2 * q2) || 1) }[metric];
}

/** The `k` nearest allowed rows of query `j`, as {i, d}. */
function nearest(metric, rows, dims, queries, k, allowed = () => true, j = 0) {
    const found = [];
    for (let i = 0; i < rows.length / dims; i++) if (allowed(i)) found.push({ i, d: distance(metric, rows, i, queries, j, dims) });
    return found.sort((a, b) => a.d - b.d || a.i - b.i).slice(0, k);
}

function recallOf(results, expected) {
    const found = results.map((labels, i) => expected[i].filter((label) => labels.includes(label)).length);
    return found.reduce((a, b) => a + b, 0) / expected.flat().length;
}

const refused = (code, call, message = /./) => {
    const error = thrownBy(call);
    expect(`${error.name} ${error.code}: ${error.message}`).toMatch(new RegExp(`^QhiveError ${code}: `));
    expect(error.message).toMatch(message);
};

/** An index of `count` rows and what they are. */
function filled(runtime, options, count = 40, seed = 5) {
    const index = runtime.createIndex(options);
    const vectors = vectorsOf(count, options.dims, seed);
    index.addAll(vectors);
    return { index, vectors };
}

describe.each(METRICS)('%s', (metric) => {
    test.each(STORAGES)('finds the nearest first, with their distances, before and after freezing: %o', (storage) => {
        const runtime = open();
        const dims = 19;
        const { index, vectors } = filled(runtime, { dims, metric, ...storage }, 300);
        const query = vectorsOf(1, dims, 77);
        const expected = nearest(metric, vectors, dims, query, 9);
        const before = index.search(query, 9);
        expect([...before.labels]).toEqual(expected.map(({ i }) => i));
        before.distances.forEach((d, i) => expect(d).toBeCloseTo(expected[i].d, 4));
        index.freeze();
        const after = index.search(query, 9);
        if (storage.rerank === false) {
            expect(recallOf([[...after.labels]], [expected.map(({ i }) => i)])).toBeGreaterThan(0.85);
            after.distances.forEach((d, i) => expect(Math.abs(d - expected[i].d)).toBeLessThan(0.05 * Math.max(1, Math.abs(d))));
        } else expect(after).toEqual(before);
        expect([...after.distances]).toEqual([...after.distances].sort((a, b) => a - b));
        expect(runtime.validate()).toBe(true);
    });

    test.each([
        [STORAGES[0], 0.985],
        [STORAGES[1], 0.985],
        [STORAGES[2], 0.9],
    ])('the graph finds them too: %o, recall above %d', (storage, floor) => {
        const runtime = open();
        const dims = 32;
        const all = vectorsOf(2040, dims, 5);
        const vectors = all.subarray(0, 2000 * dims);
        const queries = all.subarray(2000 * dims);
        const index = runtime.createIndex({ dims, metric, m: 12, efConstruction: 100, seed: 3, ...storage });
        index.addAll(vectors);
        index.freeze();
        const expected = Array.from({ length: 40 }, (_, j) => nearest(metric, vectors, dims, queries, 10, undefined, j).map((row) => row.i));
        const { labels } = index.searchAll(queries, 10, { exact: false, ef: 100 });
        const recall = recallOf(Array.from({ length: 40 }, (_, i) => [...labels.subarray(i * 10, i * 10 + 10)]), expected);
        expect(recall).toBeGreaterThan(floor);
    });
});

test('a vector of zeros is at distance 1 from everything by cosine', () => {
    const index = open().createIndex({ dims: 3 });
    index.add(1, [0, 0, 0]);
    index.add(2, [0, 2, 0]);
    expect([...index.search([0, 1, 0], 2).distances]).toEqual([0, 1]);
    expect(index.search([0, 0, 0], 2)).toEqual({ labels: Uint32Array.of(1, 2), distances: Float32Array.of(1, 1) });
});

test('rows at one distance come by label, and a label is any uint32', () => {
    const runtime = open();
    const index = runtime.createIndex({ dims: 2, metric: 'l2' });
    const labels = Uint32Array.of(4294967295, 7, 0, 2147483648, 65536);
    index.addAll(new Float32Array(10).fill(1), labels);
    const sorted = labels.slice().sort();
    expect(index.search([1, 1], 5).labels).toEqual(sorted);
    index.freeze();
    expect(index.search([1, 1], 5).labels).toEqual(sorted);
    expect(index.search([1, 1], 5, { exact: false }).labels).toEqual(sorted);
});

test('k above the size gives all there are; searchAll pads its rows', () => {
    const { index } = filled(open(), { dims: 2 }, 3);
    expect(index.search([1, 0], 50).labels.length).toBe(3);
    const { labels, distances } = index.searchAll(Float32Array.of(1, 0, 0, 1), 5);
    expect(labels.length).toBe(10);
    expect([...labels.subarray(3, 5)]).toEqual([0xffffffff, 0xffffffff]);
    expect([...distances.subarray(8, 10)]).toEqual([Infinity, Infinity]);
    index.freeze();
    expect(index.search([1, 0], 4294967295, { exact: false, ef: 1 }).labels.length).toBe(3);
});

test('an index without rows finds nothing, frozen or not', () => {
    const runtime = open();
    const index = runtime.createIndex({ dims: 4, quantization: 'i8', metric: 'l2' });
    expect(index.search([1, 2, 3, 4], 3)).toEqual({ labels: new Uint32Array(0), distances: new Float32Array(0) });
    index.freeze();
    expect(index.search([1, 2, 3, 4], 3, { exact: false }).labels.length).toBe(0);
    expect(index.searchAll(new Float32Array(0), 3).labels.length).toBe(0);
    expect(runtime.importIndex(index.export()).size).toBe(0);
    expect(runtime.validate()).toBe(true);
});

describe('filters', () => {
    const runtime = open();
    const dims = 16;
    const count = 4000;
    const index = runtime.createIndex({ dims, metric: 'l2', seed: 1 });
    const vectors = vectorsOf(count, dims, 6);
    const categories = Uint16Array.from({ length: count }, (_, i) => i % 5);
    index.addAll(vectors, 0, { categories });
    index.freeze();
    const queries = vectorsOf(20, dims, 60);
    const even = (label) => label % 2 === 0;
    const cases = {
        'half of the rows': [{ filter: even }, even],
        'a tenth': [{ filter: (label) => label % 10 === 3 }, (label) => label % 10 === 3],
        'three rows': [{ filter: (label) => label < 3 }, (label) => label < 3],
        'a category': [{ category: 2 }, (label) => label % 5 === 2],
        'a category of a half': [{ category: 2, filter: even }, (label) => label % 5 === 2 && even(label)],
        'a filter made once': [{ filter: index.filter(even) }, even],
        'a filter made once, and a category': [{ filter: index.filter(even), category: 1 }, (label) => label % 5 === 1 && even(label)],
        'a list of labels': [{ filter: index.filter([5, 3999, 5, 70000]) }, (label) => label === 5 || label === 3999],
        'rows far from the query': [{ filter: (label) => label % 12 === 7 }, (label) => label % 12 === 7],
    };

    test.each(Object.entries(cases))('%s', (_, [options, allowed]) => {
        const expected = [];
        const found = [];
        for (let i = 0; i < 20; i++) {
            const query = queries.subarray(i * dims, (i + 1) * dims);
            expected.push(nearest('l2', vectors, dims, queries, 10, allowed, i).map((row) => row.i));
            found.push([...index.search(query, 10, { ef: 80, ...options }).labels]);
            expect(found[i].every(allowed)).toBe(true);
            expect(found[i].length).toBe(expected[i].length);
        }
        expect(recallOf(found, expected)).toBeGreaterThan(0.98);
        const all = index.searchAll(queries, 10, { ef: 80, ...options });
        found.forEach((labels, i) => expect([...all.labels.subarray(i * 10, i * 10 + labels.length)]).toEqual(labels));
    });

    test('one that allows nothing, or a category without rows, finds nothing', () => {
        expect(index.search(queries.subarray(0, dims), 4, { filter: () => false }).labels.length).toBe(0);
        expect(index.search(queries.subarray(0, dims), 4, { category: 9 }).labels.length).toBe(0);
        expect(index.search(queries.subarray(0, dims), 4, { category: 65535, exact: false }).labels.length).toBe(0);
    });

    test('hold the index until they are freed', () => {
        const own = filled(runtime, { dims: 2 }).index;
        refused('INVALID_STATE', () => own.filter(even), /not frozen/);
        own.freeze();
        const filter = own.filter(even);
        expect(filter.allowed).toBe(20);
        refused('BUSY', () => own.free(), /1 filters/);
        refused('INVALID_ARGUMENT', () => index.search(queries.subarray(0, dims), 1, { filter }), /of this index/);
        filter.free();
        refused('STALE_HANDLE', () => own.search([1, 2], 1, { filter }));
        refused('STALE_HANDLE', () => filter.free());
        filter[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
        own.free();
        expect(runtime.validate()).toBe(true);
    });

    test('whose function throws or meddles change nothing', () => {
        const own = filled(runtime, { dims: 2 }).index;
        expect(() => own.search([1, 2], 1, { filter: () => { throw new Error('mine'); } })).toThrow('mine');
        refused('BUSY', () => own.search([1, 2], 1, { filter: (label) => own.size === 40 && (own.add(1000 + label, [1, 1]), true) }), /changed the index/);
        refused('STALE_HANDLE', () => own.search([1, 2], 1, { filter: () => own.free() }));
        expect(runtime.validate()).toBe(true);
    });
});

describe('building', () => {
    test('the same rows and seed give the same bytes: at once, in slices, one by one, in both builds', async () => {
        const dims = 12;
        const vectors = vectorsOf(400, dims, 9);
        const bytes = [];
        for (const simd of [true, false])
            for (const options of [{ quantization: 'i8', metric: 'l2' }, {}]) {
                const runtime = open({ simd });
                const make = () => runtime.createIndex({ dims, m: 6, efConstruction: 40, ...options });
                const atOnce = make();
                atOnce.addAll(vectors);
                const sliced = make();
                sliced.addAll(vectors);
                const seen = [];
                await sliced.build({ sliceMs: 0, onProgress: (progress) => seen.push(progress.built) });
                expect(seen.at(-1)).toBe(400);
                expect(seen).toEqual([...seen].sort((a, b) => a - b));
                const single = make();
                for (let i = 0; i < 400; i++) {
                    single.add(i, vectors.subarray(i * dims, (i + 1) * dims));
                    if (i % 50 === 0) single.buildStep(0);
                }
                for (const index of [atOnce, sliced, single]) index.freeze();
                bytes.push([atOnce, sliced, single].map((index) => Buffer.from(index.export()).toString('base64')));
                expect(runtime.validate()).toBe(true);
            }
        for (let i = 0; i < 2; i++) expect(new Set([...bytes[i], ...bytes[i + 2]]).size).toBe(1);
        expect(bytes[0][0]).not.toBe(bytes[1][0]);
    });

    test('the seed is the runtime\'s unless given', () => {
        const bytesOf = (runtimeSeed, seed) => {
            const { index } = filled(open({ seed: runtimeSeed }), { dims: 4, m: 2, seed }, 200);
            index.freeze();
            return Buffer.from(index.export()).toString('base64');
        };
        expect(bytesOf(1, 8)).toBe(bytesOf(2, 8));
        expect(bytesOf(1)).not.toBe(bytesOf(2));
        expect(bytesOf(2)).toBe(bytesOf(9, 2));
        expect(filled(open({ seed: 2n ** 63n + 5n }), { dims: 2 }).index.options.seed).toBe(2n ** 63n + 5n);
    });

    test('can be aborted and gone on with', async () => {
        const { index } = filled(open(), { dims: 32 }, 800);
        const aborter = new AbortController();
        const building = index.build({ sliceMs: 0, signal: aborter.signal, onProgress: ({ built }) => built > 10 && aborter.abort() });
        await expect(building).rejects.toMatchObject({ name: 'AbortError' });
        const { built, done } = index.progress;
        expect(built).toBeGreaterThan(10);
        expect(done).toBe(false);
        const seen = [];
        index.freeze({ onProgress: (progress) => seen.push(progress) });
        expect(seen.at(-1)).toEqual({ built: 800, size: 800, done: true });
        expect(index.progress).toEqual({ built: 800, size: 800, done: true });
    });

    test('ends with freeze, for good', async () => {
        const { index } = filled(open(), { dims: 2 });
        expect(index.frozen).toBe(false);
        index.freeze();
        expect(index.frozen).toBe(true);
        refused('INVALID_STATE', () => index.freeze(), /frozen/);
        refused('INVALID_STATE', () => index.add(100, [1, 2]), /frozen/);
        refused('INVALID_STATE', () => index.addAll(new Float32Array(4), 100), /frozen/);
        refused('INVALID_STATE', () => index.buildStep(1), /frozen/);
        await expect(index.build()).rejects.toMatchObject({ code: 'INVALID_STATE' });
        expect(index.size).toBe(40);
    });

    test('a refused add changes nothing', () => {
        const runtime = open();
        const { index } = filled(runtime, { dims: 2 });
        const bad = new Float32Array(20).fill(1);
        bad[13] = NaN;
        const calls = [
            [() => index.add(40, [1, NaN]), /value 1/], [() => index.add(40, [Infinity, 1]), /value 0/], [() => index.add(40, [1e18, 1]), /value 0/],
            [() => index.add(40, [1e300, 1]), /value 0/], [() => index.add(7, [1, 1]), /label 7/], [() => index.add(-1, [1, 1])], [() => index.add(1.5, [1, 1])],
            [() => index.add(2 ** 32, [1, 1])], [() => index.add('1', [1, 1])], [() => index.add(40, [1])], [() => index.add(40, [1, '2'])], [() => index.add(40, 'ab')],
            [() => index.add(40, null)], [() => index.add(40, [1, 1], { category: 65536 })], [() => index.add(40, [1, 1], 3)], [() => index.addAll(bad, 100), /vector 6.*value 1/],
            [() => index.addAll(new Float32Array(6), 38), /vector 0.*label 38/], [() => index.addAll(new Float32Array(4), Uint32Array.of(90, 90)), /vector 1.*label 90/],
            [() => index.addAll(new Float32Array(3), 50)], [() => index.addAll([1, 2], 50)], [() => index.addAll(new Float32Array(4), Uint32Array.of(1))],
            [() => index.addAll(new Float32Array(4), 2 ** 32 - 1)], [() => index.addAll(new Float32Array(4), [50, 51])],
            [() => index.addAll(new Float32Array(4), 50, { categories: new Uint16Array(1) })], [() => index.addAll(new Float32Array(4), 50, { categories: [1, 2] })],
        ];
        for (const [call, message] of calls) refused('INVALID_ARGUMENT', call, message);
        expect(index.size).toBe(40);
        expect(runtime.validate()).toBe(true);
        index.addAll(new Float32Array(4), 90);
        expect(index.size).toBe(42);
    });

    test('no memory leaves the index as it was', () => {
        const runtime = open({ maxPages: 40 });
        const { index, vectors } = filled(runtime, { dims: 64 }, 500);
        const query = vectors.subarray(0, 64);
        const before = index.search(query, 5);
        refused('EXCEEDS_LIMIT', () => index.addAll(new Float32Array(64 * 20000), 1000), /maxPages/);
        expect(index.size).toBe(500);
        expect(index.search(query, 5)).toEqual(before);
        expect(runtime.validate()).toBe(true);
        index.freeze();
        expect(index.search(query, 5)).toEqual(before);
    });
});

describe('bytes', () => {
    test.each(METRICS.flatMap((metric) => STORAGES.map((storage) => ({ metric, ...storage }))))('there and back: %o', (options) => {
        const runtime = open();
        const dims = 10;
        const { index, vectors } = filled(runtime, { dims, m: 4, ...options }, 120);
        refused('INVALID_STATE', () => index.export());
        index.freeze();
        const bytes = index.export();
        const other = open({ seed: 99, simd: false });
        const copy = other.importIndex(bytes);
        expect(copy.export()).toEqual(bytes);
        expect(copy.options).toEqual(index.options);
        expect(copy.frozen).toBe(true);
        const query = vectors.subarray(0, dims);
        for (const exact of [true, false]) expect(copy.search(query, 7, { exact })).toEqual(index.search(query, 7, { exact }));
        expect(other.validate()).toBe(true);
        refused('INVALID_STATE', () => copy.add(1000, query));
    });

    test('damaged anywhere, cut or foreign they are refused, and nothing changes', () => {
        const runtime = open();
        const { index } = filled(runtime, { dims: 3, m: 2, quantization: 'i8', metric: 'l2' }, 30);
        index.freeze();
        const bytes = index.export();
        const { liveBytes } = runtime.memory;
        for (let at = 0; at < bytes.length; at += at < 128 ? 1 : 11) {
            const damaged = bytes.slice();
            damaged[at] ^= 1 << at % 8;
            refused(at >= 4 && at < 8 ? 'VERSION' : 'CORRUPT', () => runtime.importIndex(damaged));
        }
        for (const length of [0, 1, 100, 127, 128, bytes.length - 1]) refused('CORRUPT', () => runtime.importIndex(bytes.subarray(0, length)));
        refused('CORRUPT', () => runtime.importIndex(new Uint8Array(bytes.length + 16)));
        for (const value of [undefined, null, 'x', [1], new Float32Array(3), bytes.buffer]) refused('INVALID_ARGUMENT', () => runtime.importIndex(value));
        expect(runtime.memory.liveBytes).toBe(liveBytes);
        expect(runtime.validate()).toBe(true);
    });
});

describe('memory', () => {
    test('is stated once an index, and all given back', () => {
        const runtime = open({ trackAllocations: true });
        const { liveBytes } = runtime.memory;
        const { index } = filled(runtime, { dims: 8 }, 100);
        const owner = () => runtime.memory.owners().filter(({ kind }) => kind === 'index');
        expect(owner()).toEqual([expect.objectContaining({ owner: `index-${index.id}`, liveBytes: index.bytes })]);
        index.freeze();
        index.search(new Float32Array(8), 5);
        expect(owner()[0].liveBytes).toBe(index.bytes);
        expect(runtime.memory.shared()).toEqual([expect.objectContaining({ owner: `index-${index.id}`, frozen: true, references: 0, bytes: index.bytes })]);
        const filter = index.filter([1]);
        expect(runtime.memory.shared()[0].references).toBe(1);
        expect(runtime.memory.leaks()).toEqual([]);
        filter.free();
        index.free();
        expect(owner()).toEqual([]);
        expect(runtime.memory.owners().filter(({ kind }) => !['runtime', 'records', 'encoders', 'knowledge', 'zones'].includes(kind))).toEqual([]);
        expect(runtime.memory.allocations().filter(({ kind }) => kind === 'vectors')).toEqual([]);
        expect(runtime.memory.liveBytes - liveBytes).toBeLessThan(40000); // the list of handles, the records
        expect(runtime.validate()).toBe(true);
    });

    test('a row of 64 dimensions takes 400 bytes with codes and vectors, 140 with codes', () => {
        const runtime = open();
        const sizes = [{ quantization: 'i8' }, { quantization: 'i8', rerank: false }].map((options) => {
            const { index } = filled(runtime, { dims: 64, efConstruction: 60, ...options }, 1000);
            index.freeze();
            return index.bytes / 1000;
        });
        expect(sizes[0]).toBeLessThan(400);
        expect(sizes[1]).toBeLessThan(140);
    });

    test('may grow between a search and the next: results stay right', () => {
        const runtime = open();
        const { index } = filled(runtime, { dims: 4 }, 100);
        const query = Float32Array.of(1, 2, 3, 4);
        const first = index.search(query, 5);
        filled(runtime, { dims: 64 }, 9000);
        expect(index.search(query, 5)).toEqual(first);
        index.freeze();
        filled(runtime, { dims: 64 }, 12000);
        expect(index.search(query, 5)).toEqual(first);
        expect(index.search(query, 5, { filter: () => true, exact: false })).toEqual(first);
    });
});

describe('what is refused', () => {
    const runtime = open();
    test.each([
        undefined, null, {}, { dims: 0 }, { dims: 4097 }, { dims: 2.5 }, { dims: '3' }, { dims: 3, metric: 'euclid' }, { dims: 3, m: 1 }, { dims: 3, m: 65 },
        { dims: 3, efConstruction: 0 }, { dims: 3, efConstruction: 4097 }, { dims: 3, quantization: 'f16' }, { dims: 3, rerank: false },
        { dims: 3, rerank: 1, quantization: 'i8' }, { dims: 3, seed: -1 }, { dims: 3, seed: 1.5 },
    ])('createIndex(%o)', (options) => refused('INVALID_ARGUMENT', () => runtime.createIndex(options)));

    test.each([
        [[1, NaN], 1], [[1], 1], ['ab', 1], [null, 1], [[1, 2], 0], [[1, 2], 1.5], [[1, 2], '1'], [[1, 2]], [[1, '2'], 1], [[1, 2], 1, null], [[1, 2], 1, { ef: 0 }],
        [[1, 2], 1, { ef: 4097 }], [[1, 2], 1, { exact: 1 }], [[1, 2], 1, { filter: 3 }], [[1, 2], 1, { filter: {} }], [[1, 2], 1, { category: -1 }],
    ])('search(%o, %o, %o)', (...args) => {
        const { index } = filled(runtime, { dims: 2 });
        refused('INVALID_ARGUMENT', () => index.search(...args));
        index.freeze();
        refused('INVALID_ARGUMENT', () => index.search(...args));
        expect(index.search([1, 0], 1).labels.length).toBe(1);
        index.free();
    });

    test.each([[[1, 2], 1, ''], [new Float32Array(3), 1, ''], [Float32Array.of(1, 2, 3, NaN), 1, 'vector 1'], [new Float32Array(4), 0, ''], [new Float32Array(4), 2 ** 32 - 1, 'OVERFLOW']])(
        'searchAll(%o, %o): %s', (vectors, k, message) => {
            const { index } = filled(runtime, { dims: 2 });
            refused(message === 'OVERFLOW' ? message : 'INVALID_ARGUMENT', () => index.searchAll(vectors, k), message === 'OVERFLOW' ? /too many/ : new RegExp(message));
            index.free();
        });

    test('everything once it is freed or the runtime is gone', () => {
        const own = open();
        const { index } = filled(own, { dims: 2 });
        const other = filled(own, { dims: 2 }).index;
        index.free();
        for (const call of [(i) => i.add(1, [1, 2]), (i) => i.addAll(new Float32Array(2)), (i) => i.freeze(), (i) => i.search([1, 2], 1), (i) => i.searchAll(new Float32Array(2), 1), (i) => i.filter([1]), (i) => i.export(), (i) => i.buildStep(1), (i) => i.size, (i) => i.bytes, (i) => i.free()]) {
            refused('STALE_HANDLE', () => call(index));
            own[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
            refused('STALE_HANDLE', () => call(other));
        }
        index[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
    });

    test('an array-like that frees the index while it is read', () => {
        const { index } = filled(runtime, { dims: 2 });
        const hostile = { length: 2, get 0() { index.free(); return 1; }, 1: 1 };
        refused('STALE_HANDLE', () => index.search(hostile, 1));
        expect(runtime.validate()).toBe(true);
    });
});
