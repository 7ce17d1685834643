/** The end of things: freed agents, disposed runtimes, and modules that stopped in the middle of a call. */
import { BINS, expectRefused, INDEX, open, thrownBy, wander } from './support.js';

let runtime;
let agent;
let vector;
let batch;
beforeEach(() => {
    runtime = open();
    agent = runtime.createAgent({ ...INDEX, name: 'one' });
    vector = runtime.createAgent({ ...BINS, name: 'two' });
    batch = runtime.batch();
    wander(agent);
});

/** Every use of an agent, with good and with bad arguments. */
const usesOf = (subject, observation) => ({
    begin: () => subject.begin(observation), step: () => subject.step(0, observation), act: () => subject.act(observation), greedy: () => subject.act(observation, { greedy: true }),
    learn: () => subject.learn(observation, 0, 0, observation), ending: () => subject.learn(observation, 0, 0, observation, { terminated: true }), replay: () => subject.replay(1),
    encode: () => subject.encode(observation), qValues: () => subject.qValues(observation), visits: () => subject.visits(observation), explain: () => subject.explain(observation),
    metrics: () => subject.metrics, memory: () => subject.memory, input: () => subject.input, nextInput: () => subject.nextInput, hash: () => subject.hash(), reset: () => subject.reset(), free: () => subject.free(),
    exportTable: () => subject.exportTable(), importTable: () => subject.importTable(new Uint8Array(1)), apply: () => subject.apply(0, 0),
    badBegin: () => subject.begin('x'), badAct: () => subject.act({}), badStep: () => subject.step('x', null), badLearn: () => subject.learn(), badReplay: () => subject.replay('x'),
    badEnding: () => subject.step(0, observation, 5), badOptions: () => subject.act(observation, 5), badK: () => subject.explain(observation, -1),
});
const usesOfBatch = () => ({
    begin: () => batch.begin(), step: () => batch.step(), act: () => batch.act(), options: () => batch.act({ greedy: 5 }), free: () => batch.free(),
    observations: () => batch.observations, rewards: () => batch.rewards, endings: () => batch.endings, actions: () => batch.actions,
});
const usesOfRuntime = () => {
    const { agents, memory, federation, metrics, messages } = runtime;
    return () => ({
        createAgent: () => runtime.createAgent(INDEX), badAgent: () => runtime.createAgent(5), agents: () => runtime.agents, length: () => agents.length, iterate: () => [...agents],
        agent: () => runtime.agent('one'), batch: () => runtime.batch([agent]), hash: () => runtime.hash(), validate: () => runtime.validate(), memory: () => runtime.memory,
        pages: () => memory.pages, maxPages: () => memory.maxPages, live: () => memory.liveBytes, peak: () => memory.peakLiveBytes, layout: () => memory.layout(),
        pools: () => memory.pools(), owners: () => memory.owners(), growths: () => memory.growths(), allocations: () => memory.allocations(), leaks: () => memory.leaks(),
        knowledge: () => runtime.knowledge, federation: () => runtime.federation, metrics: () => runtime.metrics, messages: () => runtime.messages,
        accumulate: () => federation.accumulate([]), delta: () => federation.accumulateDelta(5), merge: () => federation.merge(5), give: () => federation.apply([]),
        exportDelta: () => federation.exportDelta([]), clear: () => federation.clear(), quota: () => (federation.quotaBytes = 1), bytes: () => federation.bytes,
        observe: () => metrics.observe('x', NaN), snapshot: () => metrics.snapshot(), text: () => metrics.prometheus(), series: () => metrics.series(5), names: () => metrics.names(),
        send: () => messages.send(agent, 5, 5), receive: () => messages.receive(5), waiting: () => messages.length, capacity: () => messages.capacity,
    });
};

describe('a freed agent', () => {
    test('is STALE_HANDLE in every use, whatever the arguments', () => {
        agent.free();
        vector.free();
        for (const [subject, observation] of [[agent, 0], [vector, [0, 0]]])
            for (const use of Object.values(usesOf(subject, observation))) expectRefused(runtime, 'STALE_HANDLE', use, /freed/);
    });

    test('keeps its id, name and configuration', () => {
        const { id } = agent;
        agent.free();
        expect(agent).toMatchObject({ id, name: 'one' });
        expect(agent.config.actions).toBe(4);
    });

    test('does not come back when its place is taken', () => {
        for (let i = 0; i < 100; i++) {
            const next = runtime.createAgent({ ...INDEX, name: 'next' });
            next.free();
            const other = runtime.createAgent(INDEX);
            expectRefused(runtime, 'STALE_HANDLE', () => next.act(0));
            expect(other.id).not.toBe(next.id);
            other.free();
        }
    });

    test('can be disposed of twice, not freed twice', () => {
        const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
        agent[dispose]();
        agent[dispose]();
        expectRefused(runtime, 'STALE_HANDLE', () => agent.free());
    });
});

test('a disposed runtime is STALE_HANDLE in every use', () => {
    const uses = usesOfRuntime();
    runtime.dispose();
    for (const table of [uses(), usesOfBatch(), usesOf(agent, 0), usesOf(vector, [0, 0]), { dispose: () => runtime.dispose() }])
        for (const [name, use] of Object.entries(table)) expect([name, thrownBy(use).code]).toEqual([name, 'STALE_HANDLE']);
    const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
    for (const thing of [runtime, agent, vector, batch]) thing[dispose]();
    expect(runtime.build.version).toMatch(/^\d/);
});

describe('after a trap', () => {
    /** Writes over everything the core knows, as no use of the package can. */
    const ruin = () => new Uint8Array(vector.input.buffer).fill(0xff, 1 << 20);

    test.each([
        ['act', () => agent.act(0)], ['act on a vector', () => vector.act([0, 0])], ['begin', () => agent.begin(0)], ['step', () => agent.step(0, 0)],
        ['learn', () => agent.learn(0, 0, 0, 0)], ['qValues', () => agent.qValues(0)], ['batch', () => batch.begin()], ['hash', () => runtime.hash()],
        ['createAgent', () => runtime.createAgent(INDEX)], ['memory', () => runtime.memory.owners()],
    ])('in %s the runtime is dead in every use, and says so', (_, call) => {
        const uses = usesOfRuntime();
        ruin();
        const first = thrownBy(call);
        expect(first).toMatchObject({ name: 'QhiveError' });
        if (first.code !== 'INVALID_STATE') return; // the handle or state was refused before anything could trap
        expect(first.message).toMatch(/dead.*new runtime/);
        expect(first.cause).toBeInstanceOf(Error);
        for (const table of [uses(), usesOfBatch(), usesOf(agent, 0), usesOf(vector, [0, 0])])
            for (const [name, use] of Object.entries(table)) {
                const error = thrownBy(use);
                expect([name, error.code]).toEqual([name, 'INVALID_STATE']);
                expect(error.message).toMatch(/dead/);
            }
        runtime.dispose();
        expect(thrownBy(() => agent.act(0)).code).toBe('STALE_HANDLE');
        wander(open().createAgent(INDEX));
    });

    test('the calls above do trap', () => {
        ruin();
        expect(thrownBy(() => vector.act([0, 0]))).toMatchObject({ code: 'INVALID_STATE', cause: expect.objectContaining({ name: 'RuntimeError' }) });
    });

    test('a stack overflow counts as one, wherever it struck', () => {
        const recurse = () => {
            agent.act(0);
            recurse();
        };
        const error = thrownBy(recurse);
        const state = thrownBy(() => { throw error; });
        expect(state instanceof RangeError || state.code === 'INVALID_STATE').toBe(true);
        let after;
        try {
            after = agent.act(0);
        } catch (dead) {
            after = dead;
        }
        expect(typeof after === 'number' || after.code === 'INVALID_STATE').toBe(true);
    });
});

describe('errors', () => {
    test('are Errors with a name, a code and a stack that begins outside of the checks', () => {
        const error = thrownBy(() => agent.act(99));
        expect(error).toBeInstanceOf(Error);
        expect(Object.prototype.toString.call(error)).toBe('[object Error]');
        expect(String(error)).toMatch(/^QhiveError: act\(\) of agent 'one'/);
        expect(error.stack).toMatch(/life\.test\.js/);
        expect(Object.keys(error)).toEqual(['code']);
    });

    test('the stack is short: an uncaught error prints no bundle', () => {
        expect(Math.max(...thrownBy(() => agent.act(99)).stack.split('\n').map(({ length }) => length))).toBeLessThan(400);
    });
});
