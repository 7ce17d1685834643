/** Threads through the package: attaching, who has an agent, what threads know of each other, and the errors. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { attachRuntime, createRuntime, createRuntimeSync } from 'qhive';
import { root } from '../../cmake/build.mjs';
import { BINS, INDEX, expectRefused, generator, open, thrownBy, wander } from '../package/support.js';
import { startWorker } from './crew.js';
import { abi } from './module.mjs';

const SMALL = { seed: 1, pools: { state: 8, trajectory: 8, message: 2 }, threads: 4 };
const dist = (name) => join(root, 'dist', name);
const modules = { threads: new WebAssembly.Module(readFileSync(dist('qhive-threads.wasm'))), plain: new WebAssembly.Module(readFileSync(dist('qhive.wasm'))) };
const refusal = async (promise) => promise.then(() => 'nothing', ({ code, message }) => `${code} ${message}`);

describe('a runtime with threads', () => {
    test('learns what one without learns', () => {
        const runtimes = [open(), createRuntimeSync(SMALL)];
        const hashes = runtimes.map((runtime) => {
            for (const config of [INDEX, { ...INDEX, algorithm: 'double-q', replay: { capacity: 50 } }]) wander(runtime.createAgent(config), 2000);
            return runtime.hash();
        });
        expect(hashes[1]).toBe(hashes[0]);
        expect(runtimes.map(({ build }) => build.threads)).toEqual([false, true]);
        expect(runtimes[1].validate()).toBe(true);
    });

    test('has numbers for its threads; without threads there is one', async () => {
        const runtime = createRuntimeSync(SMALL);
        const other = await attachRuntime(runtime.share());
        expect([runtime.thread, other.thread, runtime.threads, other.threads]).toEqual([1, 2, [1, 2], [1, 2]]);
        other.dispose();
        expect(runtime.threads).toEqual([1]);
        const alone = open();
        expect([alone.thread, alone.threads]).toEqual([1, [1]]);
        const agent = alone.createAgent(INDEX);
        expect([agent.claim(), agent.claim(), agent.owner, agent.release()]).toEqual([true, true, 0, undefined]);
    });

    test('disposing of an attached one ends only that; disposing of the first leaves the others', async () => {
        const first = createRuntimeSync(SMALL);
        const second = await attachRuntime(first.share());
        const third = await attachRuntime(second.share());
        const agent = third.createAgent(INDEX);
        second.dispose();
        expect(thrownBy(() => second.agents)).toMatchObject({ code: 'STALE_HANDLE' });
        expect(thrownBy(() => second.dispose())).toMatchObject({ code: 'STALE_HANDLE' });
        second[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
        wander(first.agent(agent.id));
        first.dispose();
        wander(agent);
        expect([third.threads, third.validate(), third.agents.length]).toEqual([[3], true, 1]);
    });

    test('has as many places as it was made with', async () => {
        const runtime = createRuntimeSync({ ...SMALL, threads: 2 });
        const second = await attachRuntime(runtime.share());
        expect(await refusal(attachRuntime(runtime.share()))).toMatch(/^EXCEEDS_LIMIT all 2 places .*options\.threads.*recover/);
        second.dispose();
        const third = await attachRuntime(runtime.share());
        expect([third.thread, third.threads]).toEqual([34, [1, 34]]); // a number of its own
        const agent = third.createAgent(INDEX);
        agent.claim();
        expect(runtime.agent(agent.id).owner).toBe(34);
        expect(thrownBy(() => runtime.recover(2))).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/there are 1, 34/) });
        expect(createRuntimeSync({ ...SMALL, threads: 32 }).threads).toEqual([1]);
    });

    test('threads that come and go leave nothing but their agents', async () => {
        const runtime = createRuntimeSync({ ...SMALL, threads: 2 });
        const agent = runtime.createAgent(INDEX);
        const visit = async () => {
            const other = await attachRuntime(runtime.share());
            other.batch([other.agent(agent.id)]).begin();
            const index = other.createIndex({ dims: 2 });
            index.addAll(Float32Array.from({ length: 100 }, (_, i) => i % 7));
            if (other.thread % 64 === 2) index.freeze();
            other.createIndex({ dims: 3 });
            other.dispose();
            return runtime.memory.liveBytes;
        };
        const first = await visit();
        for (let i = 0; i < 4; i++) expect(await visit()).toBe(first);
        expect(new Set(runtime.memory.owners().map(({ kind }) => kind))).not.toContain('index');
        expect(runtime.validate()).toBe(true);
    });

    test('shares a memory that grows to its maximum and no further', async () => {
        const runtime = createRuntimeSync({ ...SMALL, maxPages: 160 });
        const other = await attachRuntime(runtime.share());
        const agent = other.createAgent({ actions: 4, encoder: { kind: 'index', states: 2 ** 20 }, quotaBytes: Infinity });
        const error = thrownBy(() => {
            for (let state = 0; ; state++) agent.learn(state, 0, 1, state + 1);
        });
        expect(error).toMatchObject({ code: 'EXCEEDS_LIMIT', message: expect.stringContaining('160') });
        expect([runtime.memory.pages, other.memory.pages]).toEqual([160, 160]);
        agent.free();
        expect(runtime.validate()).toBe(true);
    });
});

describe('threads know of each other', () => {
    test('agents: configurations, names, whoever made or freed them', async () => {
        const runtime = createRuntimeSync(SMALL);
        const other = await attachRuntime(runtime.share());
        const made = [
            runtime.createAgent({ ...INDEX, name: 'héron', category: 'birds', quotaBytes: Infinity, learningRate: 'visits', policy: { kind: 'ucb', c: 2 } }),
            other.createAgent({ ...BINS, replay: { capacity: 10, kind: 'prioritized' } }),
        ];
        for (const here of [runtime, other]) {
            expect([...here.agents].map(({ id, name, config }) => ({ id, name, config }))).toEqual(made.map(({ id, name, config }) => ({ id, name, config })));
            expect(Object.isFrozen(here.agent('héron').config)).toBe(true);
            expect(here.agent(made[1].id).name).toBe(made[1].name);
        }
        expect(other.agent('héron')).toBe(other.agent('héron'));
        expectRefused(other, 'INVALID_ARGUMENT', () => other.createAgent({ ...INDEX, name: 'héron' }), /already/);
        const gone = other.agent('héron');
        made[0].free();
        expect(runtime.agents.length).toBe(1);
        expect(thrownBy(() => gone.act(0))).toMatchObject({ code: 'STALE_HANDLE', message: expect.stringMatching(/freed/) });
        expect(thrownBy(() => gone.input)).toMatchObject({ code: 'STALE_HANDLE' });
        expect(thrownBy(() => gone.claim())).toMatchObject({ code: 'STALE_HANDLE' });
        gone[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
        expect(other.agents.length).toBe(1);
        expect(thrownBy(() => other.agent('héron'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
        const again = other.createAgent({ ...INDEX, name: 'héron', discount: 0.5 });
        expect(runtime.agent('héron')).toMatchObject({ id: again.id, config: { discount: 0.5 } });
        expect(runtime.memory.owners().map(({ owner }) => owner)).toContain('héron');
    });

    test('what one learned another reads, and goes on with', async () => {
        const [shared, alone] = [createRuntimeSync(SMALL), open()];
        const other = await attachRuntime(shared.share());
        const agents = [shared.createAgent(INDEX), alone.createAgent(INDEX)];
        const walks = [...agents, other.agent(agents[0].id), agents[1]];
        walks.forEach((agent, i) => wander(agent, 500, 7 + (i >> 1)));
        expect(shared.hash()).toBe(alone.hash());
        expect(agents[0].metrics).toEqual(agents[1].metrics);
        expect(other.agent(1).exportTable()).toEqual(agents[1].exportTable());
    });

    test('safe zones and knowledge, whoever froze them', async () => {
        const runtime = createRuntimeSync(SMALL);
        const other = await attachRuntime(runtime.share());
        expect([runtime.safeZones.frozen, other.safeZones.frozen]).toEqual([false, false]);
        runtime.safeZones.define([{ parameter: 'mine', min: 0, max: 1, default: 0, step: 1 }]);
        other.safeZones.define(
            [{ parameter: 'tilt', min: 0, max: 10, default: 5, step: 1, maxChangesPerHour: Infinity }, { parameter: 'power', min: -3, max: 3, default: 0, step: 0.5 }],
            [{ kpi: 'drops', threshold: 0.1, direction: 'above', windowMs: 1000, depth: 2 }],
        );
        other.safeZones.freeze();
        other.knowledge.load([{ code: 'f1', name: 'Tilting', category: 'coverage' }]);
        other.knowledge.freeze();
        expect([runtime.safeZones.frozen, runtime.safeZones.parameters, runtime.safeZones.value('tilt')]).toEqual([true, ['tilt', 'power'], 5]);
        expect(thrownBy(() => runtime.safeZones.define([]))).toMatchObject({ code: 'INVALID_STATE' });
        const bound = runtime.createAgent({ ...INDEX, feature: 'f1', actuator: { parameter: 'tilt', deltas: [-1, 0, 1, 2] } });
        expect(bound.apply(3, 0)).toMatchObject({ parameter: 'tilt', from: 5, to: 7, status: 'applied' });
        expect(other.agent(bound.id).apply(0, 60_001)).toMatchObject({ from: 7, to: 6 });
        expect(thrownBy(() => runtime.safeZones.propose(bound, 'power', 4, 0))).toMatchObject({ code: 'SAFE_ZONE', message: expect.stringContaining('-3..3') });
        runtime.safeZones.observe('drops', 1, 100_000);
        expect(runtime.safeZones.observe('drops', 1, 101_000).map(({ status }) => status)).toEqual(['rolled-back', 'rolled-back']);
        expect(other.safeZones.audit().length).toBe(runtime.safeZones.audit().length);
        expect(runtime.agent(bound.id).explain(0).knowledge).toMatchObject([{ code: 'f1' }]);
        expect([runtime.knowledge.size, runtime.knowledge.references]).toEqual([1, 1]);
    });

    test('federation, metrics, messages', async () => {
        const runtime = createRuntimeSync(SMALL);
        const other = await attachRuntime(runtime.share());
        const agents = ['a', 'b'].map((name) => runtime.createAgent({ ...INDEX, name, category: 'c' }));
        agents.forEach((agent, i) => wander(agent, 300, i));
        runtime.federation.accumulate([agents[0]]);
        other.federation.accumulate([other.agent('b')]);
        expect(other.federation.merge()).toMatchObject({ groups: 1 });
        expect(runtime.federation.apply(agents)).toBe(2);
        expect(agents[0].qValues(3)).toEqual(other.agent('b').qValues(3));
        other.metrics.observe('seen', 4);
        runtime.metrics.observe('seen', 6);
        expect(runtime.metrics.series('seen')).toMatchObject({ count: 2, sum: 10 });
        expect(other.metrics.snapshot().learningSteps).toBe(600);
        other.messages.send(other.agent('a'), other.agent('b'), Uint8Array.of(1, 2));
        expect(runtime.messages.receive(agents[1])).toEqual({ from: agents[0].id, payload: Uint8Array.of(1, 2) });
    });
});

describe('workers', () => {
    const crew = [];
    const start = async (runtime) => {
        const worker = await startWorker(runtime);
        crew.push(worker);
        return worker;
    };
    afterAll(() => Promise.all(crew.map(({ kill }) => kill())));

    test('learn what this thread would have learned', async () => {
        const [shared, alone] = [createRuntimeSync(SMALL), open()];
        const workers = await Promise.all([start(shared), start(shared)]);
        expect(workers.map(({ thread }) => thread).sort()).toEqual([2, 3]);
        const walk = (runtime, { id, steps }) => {
            const agent = runtime.agent(id);
            agent.claim();
            let state = 0;
            let action = agent.begin(state);
            for (let i = 0; i < steps; i++) action = agent.step(i % 7, (state = (state * 5 + action + i) % 16));
            agent.release();
        };
        for (const runtime of [shared, alone]) for (let i = 0; i < 6; i++) runtime.createAgent({ ...INDEX, replay: { capacity: 20 }, nStep: 1 + (i % 3) });
        await Promise.all([...shared.agents].map(({ id }, i) => workers[i % 2].run(walk, { id, steps: 3000 })));
        for (const { id } of alone.agents) walk(alone, { id, steps: 3000 });
        expect(shared.hash()).toBe(alone.hash());
        expect(shared.validate()).toBe(true);
        await Promise.all(workers.map((worker) => worker.end()));
        expect(shared.threads).toEqual([1]);
    });

    test('grow the memory while others read: views stay good, new ones reach', async () => {
        const runtime = createRuntimeSync({ ...SMALL, maxPages: 1024 });
        const worker = await start(runtime);
        const mine = runtime.createAgent(BINS);
        const { input } = mine;
        const batch = runtime.batch([mine]);
        const { observations } = batch;
        const growing = worker.run((shared) => {
            const made = [];
            for (let i = 0; i < 40; i++) {
                const agent = shared.createAgent({ actions: 4, encoder: { kind: 'index', states: 1e6 }, name: `big ${i}` });
                while (!agent.claim()); // the other thread looks at it now and then
                for (let state = 0; state < 3000; state++) agent.learn(state, state % 4, 1, state + 1);
                made.push([agent.name, agent.hash()]);
                agent.release();
            }
            return { made, pages: shared.memory.pages };
        });
        const random = generator(3);
        let done;
        growing.then((result) => (done = result));
        for (let i = 0; done === undefined; i++) {
            input[0] = random();
            input[1] = random() * 20 - 10;
            observations[0] = random();
            mine.act(input);
            batch.act();
            for (const agent of runtime.agents) {
                try {
                    if (agent !== mine && agent.metrics.states > 100) agent.memory.liveBytes.toFixed();
                } catch (error) {
                    if (error.code !== 'BUSY') throw error; // the other thread is learning with it just now
                }
            }
            if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
        }
        expect(done.pages).toBeGreaterThan(runtime.memory.growths()[0]?.fromPages ?? Infinity);
        expect([mine.input, batch.observations]).toEqual([input, observations]);
        expect(done.made.map(([name]) => [name, runtime.agent(name).hash()])).toEqual(done.made);
        expect(runtime.agent('big 39').exportTable().length).toBeGreaterThan(1000);
        expect(runtime.validate()).toBe(true);
        await worker.end();
    });
});

describe('what is refused', () => {
    const shared = createRuntimeSync(SMALL).share();

    test.each([undefined, null, 5, 'x', [], {}, shared.module, { module: shared.module }, { ...shared, module: {} }, { ...shared, memory: {} },
        { ...shared, memory: new WebAssembly.Memory({ initial: 1 }) }, { ...shared, memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) },
        { ...shared, memory: new WebAssembly.Memory({ initial: 100, maximum: 100, shared: true }) }, { ...shared, memory: shared.memory.buffer },
        { ...shared, module: { [Symbol.toStringTag]: 'WebAssembly.Module' } },
        { ...shared, memory: { [Symbol.toStringTag]: 'WebAssembly.Memory', buffer: new SharedArrayBuffer(65536) } },
    ])('attachRuntime(%p)', async (given) => {
        expect(await refusal(attachRuntime(given))).toMatch(/^INVALID_ARGUMENT shared/);
    });

    test('another version, another module', async () => {
        expect(await refusal(attachRuntime({ ...shared, version: '0.0.1' }))).toMatch(/^VERSION .*0\.0\.1.*same version/);
        expect(await refusal(attachRuntime({ ...shared, version: undefined }))).toMatch(/^VERSION /);
        expect(await refusal(attachRuntime({ ...shared, module: modules.plain }))).toMatch(/^VERSION .*qhive-threads\.wasm/);
        expect(await refusal(createRuntime({ ...SMALL, wasm: modules.plain }))).toMatch(/^VERSION options\.wasm is not the build for threads.*qhive-threads\.wasm/);
        expect(await refusal(createRuntime({ wasm: modules.threads }))).toMatch(/^VERSION .*Take qhive\.wasm/);
    });

    test('a version that is no text, and a module of something else', async () => {
        for (const version of [Object.create(null), Symbol('1'), { toString() { throw new Error('called'); } }])
            expect(await refusal(attachRuntime({ ...shared, version }))).toMatch(/^VERSION shared is of qhive (an object|a symbol)/);
        const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
        expect(await refusal(attachRuntime({ ...shared, module }))).toMatch(/^VERSION shared\.module is not the module .*qhive-threads\.wasm/);
    });

    test('a timeout longer than any timer is no timeout', async () => {
        const runtime = createRuntimeSync(SMALL);
        const before = runtime.withLock('metrics', () => new Promise((resolve) => setTimeout(resolve, 50)));
        expect(await runtime.withLock('metrics', () => 9, { timeout: 1e12 })).toBe(9);
        await before;
    });

    test('threads to recover that are none', () => {
        const runtime = createRuntimeSync(SMALL);
        for (const thread of ['1', Symbol('1'), Object.create(null), NaN, 0, 2, 33, undefined, 1n])
            expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.recover(thread), /^thread must be the number of a thread \(there are 1\)/);
        expectRefused(runtime, 'INVALID_ARGUMENT', () => runtime.recover(1), /alive/);
    });

    test('more stacks than there is memory for', async () => {
        const pools = { state: 1, trajectory: 1, message: 1 };
        expect(await refusal(createRuntime({ threads: 32, maxPages: 40, pools }))).toMatch(/^EXCEEDS_LIMIT .*the stacks of 32 threads need more than maxPages \(40\)/);
    });

    test('an agent that could not be completed is gone', () => {
        const { Instance } = WebAssembly;
        let busy = 0;
        WebAssembly.Instance = function (...given) {
            const { exports } = new Instance(...given);
            return { exports: { ...exports, qh_category: (...args) => (busy-- > 0 ? -abi.result.BUSY : exports.qh_category(...args)) } };
        };
        let runtime;
        try {
            runtime = createRuntimeSync(SMALL);
        } finally {
            WebAssembly.Instance = Instance;
        }
        busy = 1;
        expect(thrownBy(() => runtime.createAgent({ ...INDEX, name: 'a', category: 'c' }))).toMatchObject({ code: 'BUSY' });
        expect([runtime.agents.length, runtime.memory.owners().filter(({ kind }) => kind === 'agent')]).toEqual([0, []]);
        expect(runtime.createAgent({ ...INDEX, name: 'a', category: 'c' }).owner).toBe(0);
        expect(runtime.validate()).toBe(true);
    });

    test('what threads alone have', async () => {
        const alone = open();
        for (const call of [() => alone.share(), () => alone.recover(2)])
            expect(thrownBy(call)).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/one thread.*threads: true/) });
        expect(await refusal(alone.withLock('federation', () => 1))).toMatch(/^UNSUPPORTED .*threads: true/);
        alone.dispose();
        for (const call of [() => alone.share(), () => alone.recover(2), () => alone.thread, () => alone.threads]) expect(thrownBy(call)).toMatchObject({ code: 'STALE_HANDLE' });
    });

    test('agents of another runtime, of another thread’s runtime object', async () => {
        const runtime = createRuntimeSync(SMALL);
        const other = await attachRuntime(runtime.share());
        const agent = runtime.createAgent(INDEX);
        expect(thrownBy(() => other.batch([agent]))).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/of this runtime/) });
        expect(thrownBy(() => other.federation.accumulate([agent]))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
});

describe('entries', () => {
    const require = createRequire(import.meta.url);
    const ENTRIES = {
        'the ES module of Node': () => import('qhive'), CommonJS: async () => require('qhive'),
        'the ES module of browsers': () => import(pathToFileURL(dist('qhive.mjs')).href), 'qhive/url': () => import('qhive/url'), 'qhive/url as CommonJS': async () => require('qhive/url'),
    };
    test.each(Object.entries(ENTRIES))('%s makes runtimes with threads and attaches to them', async (name, load) => {
        const library = await load();
        const wasm = /url/.test(name) ? pathToFileURL(dist('qhive-threads.wasm')) : undefined;
        const runtime = await library.createRuntime({ ...SMALL, wasm });
        const other = await library.attachRuntime(runtime.share());
        const agent = other.createAgent(INDEX);
        wander(runtime.agent(agent.id));
        expect(other.validate()).toBe(true);
        expect(library.createRuntimeSync({ ...SMALL, wasm: modules.threads }).build.threads).toBe(true);
    });

    test('at once: with the module given; in Node also without', () => {
        expect(require('qhive').createRuntimeSync(SMALL).build.threads).toBe(true);
        expect(createRuntimeSync({ ...SMALL, wasm: modules.threads }).build.threads).toBe(true);
        expect(createRuntimeSync({ ...SMALL, wasm: readFileSync(dist('qhive-threads.wasm')) }).build.threads).toBe(true);
    });

    test('at once, in an ES module of browsers: says what to give', async () => {
        const copy = await import(`${pathToFileURL(dist('qhive.mjs')).href}?copy`);
        expect(thrownBy(() => copy.createRuntimeSync(SMALL))).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/createRuntime\(\)/) });
        await copy.createRuntime(SMALL);
        expect(copy.createRuntimeSync({ ...SMALL, wasm: modules.threads }).build.threads).toBe(true);
    });

    test('qhive/url names the file that it needs', async () => {
        const { createRuntime: create } = await import('qhive/url');
        expect(await refusal(create(SMALL))).toMatch(/^INVALID_ARGUMENT .*qhive\/qhive-threads\.wasm/);
    });

    test('a script tag takes the file beside the script; without knowing where it is it says so', async () => {
        const script = readFileSync(dist('qhive.global.js'), 'utf8');
        const { WebAssembly: engine, SharedArrayBuffer: shared, TextEncoder: encoder, TextDecoder: decoder, performance: clock } = globalThis;
        const world = (more) => ({ WebAssembly: engine, SharedArrayBuffer: shared, TextEncoder: encoder, TextDecoder: decoder, performance: clock, URL, process, ...more });
        const inPage = (more) => runInNewContext(`${script}\n;qhive`, world(more));
        const library = inPage({ document: { currentScript: { src: pathToFileURL(dist('qhive.global.js')).href } } });
        expect((await library.createRuntime({ ...SMALL })).build.threads).toBe(true);
        expect(await refusal(inPage({}).createRuntime({ ...SMALL }))).toMatch(/^INVALID_ARGUMENT .*qhive-threads\.wasm: give its URL/);
        const elsewhere = inPage({ document: { currentScript: { src: 'file:///nowhere/qhive.global.js' } } });
        expect(await refusal(elsewhere.createRuntime({ ...SMALL }))).toMatch(/^INVALID_ARGUMENT .*nowhere\/qhive-threads\.wasm/);
        expect(thrownBy(() => elsewhere.createRuntimeSync({ ...SMALL }))).toMatchObject({ code: 'UNSUPPORTED' });
    });

    test.each(['qhive.workerd.mjs', 'qhive.edge.mjs'])('%s: there are none at the edge', async (name) => {
        const text = readFileSync(dist(name), 'utf8').replace(/import (\w+) from ?"[^"]+";?/, 'const $1 = undefined;');
        const edge = await import(`data:text/javascript,${encodeURIComponent(text)}`);
        for (const promise of [edge.createRuntime({ threads: true }), edge.createRuntime({ threads: true, wasm: modules.threads }), edge.attachRuntime(shared_())])
            expect(await refusal(promise)).toMatch(/^UNSUPPORTED there are no threads at the edge/);
        expect(thrownBy(() => edge.createRuntimeSync({ threads: true }))).toMatchObject({ code: 'UNSUPPORTED' });
    });
    const shared_ = () => createRuntimeSync(SMALL).share();
});

describe('where there can be no threads', () => {
    const without = async (change) => {
        const undo = change();
        try {
            return [await refusal(createRuntime(SMALL)), await refusal(attachRuntime({})), await refusal(createRuntime({ pools: SMALL.pools }))];
        } finally {
            undo();
        }
    };
    const replace = (target, name, value) => () => {
        const before = Object.getOwnPropertyDescriptor(target, name);
        Object.defineProperty(target, name, { value, configurable: true, writable: true });
        return () => (before ? Object.defineProperty(target, name, before) : delete target[name]);
    };
    const COOP = /^UNSUPPORTED .*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp.*Without threads/;

    test.each([
        ['a page that is not isolated', replace(globalThis, 'crossOriginIsolated', false), COOP],
        ['no shared memory', replace(globalThis, 'SharedArrayBuffer', undefined), /^UNSUPPORTED .*no shared memory.*Without threads/],
        ['no atomic instructions', replace(WebAssembly, 'validate', (bytes) => bytes.length < 40 && !bytes.includes(0xfe)), /^UNSUPPORTED .*no threads for WebAssembly/],
    ])('%s', async (_, change, message) => {
        const [created, attached, alone] = await without(change);
        expect([created, attached]).toEqual([expect.stringMatching(message), expect.stringMatching(message)]);
        expect(alone).toBe('nothing');
    });

    test('no WebAssembly', async () => {
        const undo = replace(globalThis, 'WebAssembly', undefined)();
        const said = [await refusal(createRuntime(SMALL)), await refusal(attachRuntime({}))];
        undo();
        for (const text of said) expect(text).toMatch(/^UNSUPPORTED .*no WebAssembly/);
    });

    test('the engine refuses the memory', async () => {
        const { Memory } = WebAssembly;
        const undo = replace(WebAssembly, 'Memory', function () { throw new RangeError('could not allocate memory'); })();
        try {
            expect(await refusal(createRuntime(SMALL))).toMatch(/^GROWTH_FAILED .*smaller maxPages/);
        } finally {
            undo();
        }
        expect(WebAssembly.Memory).toBe(Memory);
    });
});
