/** The accounts of memory add up, budgets and quotas hold, and what is freed comes back. */
import fc from 'fast-check';
import { BINS, expectRefused, generator, INDEX, open, thrownBy, wander } from './support.js';

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const owned = (memory) => sum(memory.owners().map(({ liveBytes }) => liveBytes));

function expectSound(runtime) {
    const { memory } = runtime;
    expect(owned(memory)).toBe(memory.liveBytes);
    expect(memory.peakLiveBytes).toBeGreaterThanOrEqual(memory.liveBytes);
    const layout = memory.layout();
    expect(layout.map(({ name }) => name)).toEqual(['stack', 'static', 'pools', 'heap', 'unused']);
    expect(layout[0].start).toBe(0);
    for (let i = 1; i < layout.length; i++) expect(layout[i].start).toBe(layout[i - 1].end);
    expect(layout.every(({ start, end }) => end >= start)).toBe(true);
    expect(layout.at(-1).end).toBe(memory.pages * 65536);
    expect(memory.pages).toBeLessThanOrEqual(memory.maxPages);
    for (const agent of runtime.agents) {
        const { liveBytes, quotaBytes, tableBytes, replayBytes, peakBytes } = agent.memory;
        expect(memory.owners().find(({ owner }) => owner === agent.name)).toMatchObject({ liveBytes, quotaBytes });
        expect(tableBytes + replayBytes).toBeLessThan(liveBytes);
        expect(peakBytes).toBeGreaterThanOrEqual(liveBytes);
    }
    expect(runtime.validate()).toBe(true);
}

describe('accounts', () => {
    test('owners, layout and pools agree while agents come and go', () => {
        const runtime = open({ trackAllocations: true });
        const agents = Array.from({ length: 12 }, (_, i) => runtime.createAgent({ ...INDEX, name: `a${i}`, replay: { capacity: 100 } }));
        const batch = runtime.batch(agents.slice(0, 4));
        for (const agent of agents) wander(agent, 300);
        expectSound(runtime);
        const [state, trajectory, message] = runtime.memory.pools();
        expect(state).toEqual({ name: 'state', blockBytes: 256, capacity: 8, inUse: 8, peak: 8, fallbacks: 4, acquires: 12, start: expect.any(Number), end: state.start + 8 * 256 });
        expect(trajectory).toMatchObject({ blockBytes: 1024, capacity: 8, inUse: 8, fallbacks: 12 * 4 - 8, acquires: 12 * 4 });
        expect(message).toMatchObject({ name: 'message', blockBytes: 4096, capacity: 2, inUse: 0, peak: 0, fallbacks: 0, acquires: 0 });
        const { start, end } = runtime.memory.layout()[2];
        for (const pool of [state, trajectory, message]) {
            expect(pool.start).toBeGreaterThanOrEqual(start);
            expect(pool.end).toBeLessThanOrEqual(end);
        }
        expect(runtime.memory.owners().map(({ owner }) => owner)).toEqual(['runtime', 'records', 'encoders', ...agents.map(({ name }) => name), `batch-${batch.id}`]);
        batch.free();
        for (const agent of agents) agent.free();
        expectSound(runtime);
        expect(runtime.memory.pools().map(({ inUse }) => inUse)).toEqual([0, 0, 0]);
        expect(runtime.memory.owners().map(({ owner }) => owner)).toEqual(['runtime', 'records', 'encoders']);
    });

    test('a freed agent gives every byte back, and its memory serves the next', () => {
        const runtime = open();
        runtime.createAgent(INDEX);
        const before = runtime.memory.liveBytes;
        let heapEnd;
        for (let round = 0; round < 20; round++) {
            const agent = runtime.createAgent({ ...BINS, replay: { capacity: 200, kind: 'prioritized' }, lambda: 0.5 });
            const random = generator(round);
            agent.begin([0, 0]);
            for (let i = 0; i < 500; i++) agent.step(random(), [random(), random() * 20 - 10], { terminated: false });
            agent.free();
            expect(runtime.memory.liveBytes).toBe(before);
            const { end } = runtime.memory.layout()[3];
            heapEnd ??= end;
            expect(Math.abs(end - heapEnd)).toBeLessThan(16384); // what is cached differs
        }
        expectSound(runtime);
    });

    test('reset gives the table and the memories back', () => {
        const runtime = open();
        const agent = runtime.createAgent({ ...INDEX, replay: { capacity: 100 } });
        const { liveBytes, tableBytes, replayBytes } = agent.memory;
        wander(agent, 500);
        expect(agent.memory.tableBytes).toBeGreaterThan(tableBytes);
        expect(agent.memory.replayBytes).toBeGreaterThan(replayBytes);
        agent.reset();
        expect(agent.memory.liveBytes).toBeLessThanOrEqual(liveBytes + 128);
    });

    test('allocations are the live blocks, each with its owner and number', () => {
        const runtime = open({ trackAllocations: true });
        const agent = runtime.createAgent({ ...INDEX, name: 'walker', replay: { capacity: 10 } });
        wander(agent);
        const batch = runtime.batch();
        const records = runtime.memory.allocations();
        const bytesOf = (name) => sum(records.filter(({ owner }) => owner === name).map(({ bytes }) => bytes));
        expect(bytesOf('walker')).toBe(agent.memory.liveBytes);
        expect(records.find(({ owner }) => owner === `batch-${batch.id}`)).toMatchObject({ kind: 'batch' });
        const numbers = records.map(({ sequence }) => sequence);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(Object.keys(records[0]).sort()).toEqual(['address', 'bytes', 'kind', 'owner', 'sequence']);
        const kinds = new Set(records.filter(({ owner }) => owner === 'walker').map(({ kind }) => kind));
        expect([...kinds]).toEqual(expect.arrayContaining(['agent', 'table', 'trajectory', 'state']));
        const heap = runtime.memory.layout();
        for (const { address, bytes } of records) {
            expect(address).toBeGreaterThanOrEqual(heap[2].start);
            expect(address + bytes).toBeLessThanOrEqual(heap[3].end);
        }
        expect(runtime.memory.leaks()).toEqual([]);
        batch.free();
        agent.free();
        expect(new Set(runtime.memory.allocations().map(({ owner }) => owner))).toEqual(new Set(['runtime', 'records']));
        expect(runtime.memory.leaks()).toEqual([]);
    });

    test('owners say how much they held at most, and in how many blocks', () => {
        const runtime = open({ trackAllocations: true });
        const agent = runtime.createAgent({ ...INDEX, name: 'walker', replay: { capacity: 100 } });
        const batch = runtime.batch();
        wander(agent, 400);
        const of = (name) => runtime.memory.owners().find(({ owner }) => owner === name);
        const blocks = runtime.memory.allocations().filter(({ owner }) => owner === 'walker');
        expect(of('walker')).toMatchObject({ kind: 'agent', blocks: blocks.length, liveBytes: agent.memory.liveBytes, peakBytes: agent.memory.peakBytes });
        expect(of(`batch-${batch.id}`)).toMatchObject({ kind: 'batch', blocks: 1, quotaBytes: Infinity });
        for (const { kind, liveBytes, peakBytes } of runtime.memory.owners()) {
            expect(typeof kind).toBe('string');
            expect(peakBytes).toBeGreaterThanOrEqual(liveBytes);
        }
    });

    test('what is shared says by how many it is held', () => {
        const runtime = open();
        expect(runtime.memory.shared()).toEqual([]);
        const agents = [INDEX, BINS, INDEX, INDEX].map((config) => runtime.createAgent(config));
        const encoders = () => runtime.memory.owners().find(({ owner }) => owner === 'encoders').liveBytes;
        expect(runtime.memory.shared()).toMatchObject([{ owner: 'encoders', references: 3, frozen: true }, { owner: 'encoders', references: 1, frozen: true }]);
        expect(sum(runtime.memory.shared().map(({ bytes }) => bytes))).toBeLessThanOrEqual(encoders());
        agents[0].free();
        agents[1].free();
        expect(runtime.memory.shared()).toMatchObject([{ references: 2 }]);
        agents[2].free();
        agents[3].free();
        expect(runtime.memory.shared()).toEqual([]);
        expect(encoders()).toBe(0);
    });

    test('a block whose owner is gone is a leak', () => {
        const runtime = open({ trackAllocations: true });
        const walker = runtime.createAgent({ ...INDEX, name: 'walker' });
        const gone = runtime.createAgent({ ...INDEX, name: 'gone' });
        wander(walker);
        const memory = new Uint32Array(walker.input.buffer);
        const recordOf = (name, kind) => {
            const { address, bytes, sequence } = runtime.memory.allocations().find((record) => record.owner === name && record.kind === kind);
            return memory.findIndex((word, i) => word === address && memory[i + 1] === bytes && memory[i + 5] === sequence);
        };
        const stale = memory[recordOf('gone', 'agent') + 2];
        const { id } = gone;
        gone.free();
        expect(runtime.memory.leaks()).toEqual([]);
        const { address, bytes, sequence } = runtime.memory.allocations().find(({ owner, kind }) => owner === 'walker' && kind === 'table');
        const at = recordOf('walker', 'table');
        const handle = memory[at + 2];
        memory[at + 2] = stale; // as if the agent that is gone had forgotten this block
        expect(runtime.memory.leaks()).toEqual([{ address, bytes, owner: `agent#${id}`, kind: 'table', sequence }]);
        memory[at + 2] = handle;
        expect(runtime.memory.leaks()).toEqual([]);
    });

    test('without trackAllocations there are no records', () => {
        const runtime = open();
        expectRefused(runtime, 'INVALID_STATE', () => runtime.memory.allocations(), /trackAllocations/);
        expectRefused(runtime, 'INVALID_STATE', () => runtime.memory.leaks(), /trackAllocations/);
    });

    test('growths are logged', () => {
        const runtime = open();
        const start = runtime.memory.pages;
        expect(runtime.memory.growths()).toEqual([]);
        const agents = Array.from({ length: 300 }, () => runtime.createAgent({ ...INDEX, actions: 1024 }));
        for (const agent of agents) for (let s = 0; s < 16; s++) agent.learn(s, 0, 1, 0);
        const growths = runtime.memory.growths();
        expect(growths[0].fromPages).toBe(start);
        expect(growths.at(-1).toPages).toBe(runtime.memory.pages);
        for (let i = 1; i < growths.length; i++) expect(growths[i].fromPages).toBe(growths[i - 1].toPages);
        expect(growths.length).toBeLessThanOrEqual(32);
        for (const { fromPages, toPages } of growths) expect(toPages).toBeGreaterThan(fromPages);
        expectSound(runtime);
    });

    test('any order of making, learning, resetting and freeing keeps the books', () => {
        const commands = fc.array(fc.tuple(fc.constantFrom('make', 'learn', 'reset', 'free', 'batch'), fc.nat(1000)), { maxLength: 60 });
        fc.assert(
            fc.property(commands, (list) => {
                const runtime = open({ trackAllocations: true });
                const agents = [];
                const batches = [];
                for (const [command, n] of list) {
                    const agent = agents[n % agents.length];
                    if (command === 'make') agents.push(runtime.createAgent({ ...INDEX, replay: { capacity: n % 70 }, quotaBytes: 20000 }));
                    else if (command === 'batch' && batches.length > n % 3) batches.pop().free();
                    else if (agent === undefined) continue;
                    else if (command === 'batch') batches.push(runtime.batch());
                    else if (command === 'learn') for (let i = 0; i < 40; i++) agent.learn((i * n) % 16, n % 4, i, (i + n) % 16);
                    else if (command === 'reset') agent.reset();
                    else agents.splice(n % agents.length, 1)[0].free();
                }
                expectSound(runtime);
                const { memory } = runtime;
                const recorded = sum(memory.allocations().map(({ bytes }) => bytes));
                const regions = sum(memory.pools().map(({ blockBytes, capacity, inUse }) => blockBytes * (capacity - inUse)));
                expect(recorded).toBe(memory.liveBytes - regions);
                expect(runtime.memory.leaks()).toEqual([]);
                runtime.dispose();
            }),
            { numRuns: 60, seed: 20240609 },
        );
    });
});

describe('limits', () => {
    test('past its quota an agent learns nothing new, forgets nothing, and others go on', () => {
        const runtime = open();
        const other = runtime.createAgent({ ...INDEX, name: 'other' });
        const agent = runtime.createAgent({ actions: 4, encoder: { kind: 'index', states: 1e6 }, name: 'small', quotaBytes: 20000 });
        let state = 0;
        const error = thrownBy(() => {
            for (; state < 1e6; state++) agent.learn(state, 1, 1, state);
        });
        expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED' });
        expect(error.message).toMatch(/'small'.*20000/);
        expect(agent.memory.liveBytes).toBeLessThanOrEqual(20000);
        expect(agent.memory.liveBytes).toBeGreaterThan(15000);
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => agent.learn(state, 1, 1, state));
        expect(agent.learn(0, 1, 1, 0)).not.toBeNaN();
        expect(agent.act(state)).toBeLessThan(4);
        agent.begin(state);
        expectRefused(runtime, 'QUOTA_EXCEEDED', () => agent.step(1, 0));
        expect(agent.begin(1)).toBeLessThan(4);
        expect(agent.step(1, 2)).toBeLessThan(4);
        wander(other);
        expectSound(runtime);
    });

    test('past the page budget nothing grows, and everything there still works', () => {
        const runtime = open({ maxPages: 40 });
        const agent = runtime.createAgent({ actions: 1024, encoder: { kind: 'index', states: 1e6 }, name: 'big', quotaBytes: Infinity });
        let state = 0;
        const error = thrownBy(() => {
            for (; state < 1e6; state++) agent.learn(state, 1, 1, state);
        });
        expect(error).toMatchObject({ code: 'EXCEEDS_LIMIT' });
        expect(error.message).toMatch(/maxPages \(40\)/);
        expect(runtime.memory.pages).toBeLessThanOrEqual(40);
        expectRefused(runtime, 'EXCEEDS_LIMIT', () => agent.learn(state, 1, 1, state));
        expect(agent.learn(5, 1, 1, 5)).not.toBeNaN();
        expectSound(runtime);
        agent.free();
        const again = runtime.createAgent(agent.config);
        let kept = 0; // the second time in holes instead of fresh memory: a row or two less
        const full = thrownBy(() => {
            for (; kept <= state; kept++) again.learn(kept, 1, 1, kept);
        });
        expect(full.code).toBe('EXCEEDS_LIMIT');
        expect(kept).toBeGreaterThanOrEqual(state - 4);
        expectRefused(runtime, 'EXCEEDS_LIMIT', () => again.learn(kept, 1, 1, kept));
        expect(thrownBy(() => { for (;;) runtime.createAgent({ ...INDEX, replay: { capacity: 1000 } }); }).code).toBe('EXCEEDS_LIMIT');
        expectSound(runtime);
    });
});
