/**
 * Code of the caller may run in the middle of a call: getters, valueOf, iterators, proxies, filters, progress. Wherever it can, it calls
 * the runtime again in every way. The outer call then either goes through or is refused; refused, it has changed nothing: the runtime is in the state
 * of a twin in which only the inner call was made. Nothing is ever corrupted.
 */
import { BINS, INDEX, open, snapshot, thrownBy, wander } from './support.js';

/** A runtime with three agents that have learned. */
function site() {
    const runtime = open({ trackAllocations: true });
    const index = runtime.createAgent({ ...INDEX, name: 'index', replay: { capacity: 20 } });
    const bins = runtime.createAgent({ ...BINS, name: 'bins' });
    const spare = runtime.createAgent({ ...INDEX, name: 'spare' });
    wander(index, 60);
    bins.begin([0.5, 0]);
    for (let i = 0; i < 40; i++) bins.step(i % 3, [(i % 7) / 7, (i % 15) - 7]);
    const batch = runtime.batch([index, bins]);
    return { runtime, index, bins, spare, batch, bytes: index.exportTable(), made: [], ...library(runtime) };
}

const DIMS = 3;
const point = (i) => [Math.fround(Math.sin(i)), Math.fround(Math.cos(3 * i)), i / 50];
const FEATURES = ['A', 'B', 'C'].map((code) => ({ code, name: `feature ${code}`, category: 'x', requires: code === 'A' ? ['C', 'B'] : [] }));

/** What agents share: an index that is frozen, one that is not, and a catalogue that is not. */
function library(runtime) {
    const frozen = runtime.createIndex({ dims: DIMS });
    const growing = runtime.createIndex({ dims: DIMS });
    for (const each of [frozen, growing]) each.addAll(Float32Array.from({ length: 50 * DIMS }, (_, i) => point(Math.floor(i / DIMS))[i % DIMS]));
    frozen.freeze();
    runtime.knowledge.load(FEATURES);
    return { frozen, growing };
}

/** Calls whose arguments run `hook` while they are read. */
const pair = (hook) => ({ length: 2, get 0() { hook(); return 0.25; }, 1: 3 });
const proxied = (hook) => new Proxy([0.25, 3], { get: (target, key) => (key === '1' && hook(), Reflect.get(target, key)) });
const late = (hook, value) => ({ get terminated() { hook(); return false; }, ...value });
const OUTER = {
    'begin of a getter': ({ bins }, hook) => bins.begin(pair(hook)),
    'begin of a proxy': ({ bins }, hook) => bins.begin(proxied(hook)),
    'step of a getter': ({ bins }, hook) => bins.step(1, pair(hook)),
    'step with an ending that is read': ({ bins }, hook) => bins.step(1, [0.1, 1], late(hook)),
    'step of an index agent with an ending that is read': ({ index }, hook) => index.step(1, 3, late(hook)),
    'act of a proxy': ({ bins }, hook) => bins.act(proxied(hook)),
    'act with options that are read': ({ bins }, hook) => bins.act([0.1, 1], { get greedy() { hook(); return true; } }),
    'act with a mask that is read': ({ bins }, hook) => bins.act([0.1, 1], { mask: { length: 3, get 0() { hook(); return 1; }, 1: 0, 2: 1 } }),
    'learn from a getter': ({ bins }, hook) => bins.learn(pair(hook), 1, 2, [0.5, 0]),
    'learn towards a getter': ({ bins }, hook) => bins.learn([0.5, 0], 1, 2, pair(hook)),
    'learn with an ending that is read': ({ bins }, hook) => bins.learn([0.5, 0], 1, 2, [0.1, 1], late(hook)),
    'encode of a getter': ({ bins }, hook) => bins.encode(pair(hook)),
    'qValues of a proxy': ({ bins }, hook) => bins.qValues(proxied(hook)),
    'visits of a getter': ({ bins }, hook) => bins.visits(pair(hook)),
    'explain of a getter': ({ bins }, hook) => bins.explain(pair(hook)),
    'createAgent of a getter': ({ runtime }, hook) => runtime.createAgent({ ...INDEX, get discount() { hook(); return 0.5; } }),
    'createAgent with dims that are read': ({ runtime }, hook) =>
        runtime.createAgent({ ...BINS, encoder: { kind: 'bins', dims: [{ get min() { hook(); return 0; }, max: 1, bins: 4 }, { min: 0, max: 1, bins: 2 }] } }),
    'batch of an iterator': ({ runtime, index, bins }, hook) => runtime.batch((function* agents() { yield index; hook(); yield bins; })()),
    'batch act with options that are read': ({ batch }, hook) => batch.act({ get greedy() { hook(); return true; } }),
    'search with a filter': ({ frozen }, hook) => expectNearest(frozen.search(point(7), 2, { filter: judge(hook) })),
    'search of an index that grows with a filter': ({ growing }, hook) => expectNearest(growing.search(point(7), 2, { filter: judge(hook) })),
    'search of a getter': ({ frozen }, hook) => expectNearest(frozen.search(hooked(point(7), hook), 2)),
    'search with options that are read': ({ frozen }, hook) => expectNearest(frozen.search(point(7), 2, { get ef() { hook(); return 50; } })),
    'searchAll with a filter': ({ frozen }, hook) => expectNearest(frozen.searchAll(Float32Array.from([...point(7), ...point(9)]), 2, { filter: judge(hook) })),
    'filter of a function': ({ frozen }, hook) => expectAll(frozen.filter(judge(hook))),
    'filter of an iterator': ({ frozen }, hook) => expectAll(frozen.filter((function* labels() { yield 7; hook(); for (let i = 0; i < 50; i++) yield i; })())),
    'add of a getter': ({ growing }, hook) => growing.add(70, hooked(point(70), hook)),
    'addAll with categories that are read': ({ growing }, hook) => growing.addAll(Float32Array.from(point(71)), 71, { get category() { hook(); return 3; } }),
    'freeze that tells how far it is': ({ growing }, hook) => growing.freeze({ onProgress: () => hook() }),
    'load of an iterator': ({ runtime }, hook) => runtime.knowledge.load((function* features() { yield { code: 'D', name: 'd', category: 'x' }; hook(); })()),
    'search in the catalogue for a getter': ({ runtime }, hook) =>
        runtime.knowledge.search(hooked(Array.from({ length: 64 }, (_, i) => i), hook), { mode: 'vector' }),
    'search in the catalogue with options that are read': ({ runtime }, hook) => runtime.knowledge.search('feature', { get k() { hook(); return 2; } }),
    'order of codes that are read': ({ runtime }, hook) => runtime.knowledge.activationOrder(hooked(['A', 'B'], hook)),
};

/** The same, but reading its first element calls. */
const hooked = (values, hook) => Object.defineProperty([...values], 0, { get() { hook(); return values[0]; } });
const judge = (hook) => () => { hook(); return true; };

/** The call went through: it found what it would have found. */
function expectNearest({ labels, distances }) {
    expect(labels[0]).toBe(7);
    expect(distances[0]).toBeLessThan(distances[1]);
}

function expectAll(filter) {
    expect(filter.allowed).toBe(50);
    filter.free();
}

/** What is called from there. */
const INNER = {
    learn: ({ bins }) => bins.learn([0.9, 9], 2, 5, [0.1, 1]),
    step: ({ bins }) => bins.step(1, [0.9, 9]),
    begin: ({ bins }) => bins.begin([0.9, -9]),
    act: ({ bins }) => bins.act([0.9, 9]),
    'learn of another agent': ({ index }) => index.learn(1, 1, 1, 2),
    replay: ({ index }) => index.replay(5),
    reset: ({ bins }) => bins.reset(),
    free: ({ bins }) => bins.free(),
    'free another agent': ({ spare }) => spare.free(),
    create: ({ runtime }) => runtime.createAgent({ ...BINS, replay: { capacity: 400 } }),
    importTable: ({ index, bytes }) => index.importTable(bytes),
    'batch step': ({ batch }) => batch.step(),
    'free the batch': ({ batch }) => batch.free(),
    'grow the memory': ({ runtime }) => { for (let i = 0; i < 40; i++) runtime.createAgent({ ...INDEX, actions: 1024 }).learn(0, 0, 0, 0); },
    search: ({ frozen, growing }) => [frozen, growing].map((each) => each.search(point(3), 40, { filter: (label) => label % 2 === 0 })),
    'add to an index': ({ growing }) => growing.add(60, point(60)),
    'freeze an index': ({ growing }) => growing.freeze(),
    'free the indexes': ({ frozen, growing }) => [frozen, growing].map((each) => each.free()),
    'filter an index': (here) => here.made.push(here.frozen.filter([1, 2, 3])),
    'make an index': (here) => here.made.push(here.runtime.createIndex({ dims: 9 })),
    'search the catalogue': ({ runtime }) => [runtime.knowledge.search('feature B'), runtime.knowledge.search(Array.from({ length: 64 }, (_, i) => 64 - i))],
    'load a feature': ({ runtime }) => runtime.knowledge.load([{ code: 'E', name: 'e', category: 'y' }]),
    'freeze the catalogue': ({ runtime }) => runtime.knowledge.freeze(),
    'free the catalogue': ({ runtime }) => runtime.knowledge.free(),
};

const state = ({ runtime, frozen, growing }) => ({
    ...snapshot(runtime),
    owners: runtime.memory.owners().map(({ owner, kind }) => [owner, kind]),
    indexes: [frozen, growing].map((each) => { try { return [each.size, each.frozen]; } catch ({ code }) { return code; } }),
    catalogue: [runtime.knowledge.size, runtime.knowledge.frozen],
});

describe.each(Object.entries(OUTER))('%s', (_, outer) => {
    test.each(Object.entries(INNER))('calls %s', (__, inner) => {
        const here = site();
        let calls = 0;
        let refused;
        const once = () => {
            if (calls++ > 0) return;
            inner(here);
        };
        try {
            outer(here, once);
        } catch (error) {
            refused = error;
        }
        expect(calls).toBeGreaterThan(0);
        expect(here.runtime.validate()).toBe(true);
        expect(here.runtime.memory.leaks()).toEqual([]);
        if (refused !== undefined) {
            expect(`${refused.name} ${refused.code}`).toMatch(/^QhiveError (BUSY|STALE_HANDLE|INVALID_STATE|INVALID_ARGUMENT)$/);
            const twin = site();
            inner(twin);
            expect(state(here)).toEqual(state(twin));
        }
        for (const agent of here.runtime.agents) expect(agent.act(agent.config.encoder.kind === 'index' ? 1 : [0.5, 0])).toBeGreaterThanOrEqual(0);
        for (const agent of [...here.runtime.agents]) agent.free();
        for (const resource of [...here.made, here.frozen, here.growing]) resource[Symbol.dispose]();
        if (here.runtime.knowledge.size > 0) here.runtime.knowledge.free();
        expect(here.runtime.memory.shared()).toEqual([]);
        expect(here.runtime.validate()).toBe(true);
    });
});

test.each(Object.entries(OUTER))('%s disposes of the runtime', (_, outer) => {
    const here = site();
    let calls = 0;
    const error = thrownBy(() => {
        outer(here, () => void (calls++ === 0 && here.runtime.dispose()));
        here.bins.act([0, 0]);
    });
    expect(`${error.name} ${error.code}`).toMatch(/^QhiveError (BUSY|STALE_HANDLE)$/);
    expect(thrownBy(() => here.runtime.validate()).code).toBe('STALE_HANDLE');
});
