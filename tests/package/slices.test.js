/** Long work in slices: the same result, progress, aborts; and objects that nobody frees. */
import { spawnSync } from 'node:child_process';
import { root } from '../../cmake/build.mjs';
import { INDEX, open, wander } from './support.js';

const learner = (config) => {
    const agent = open().createAgent({ ...INDEX, replay: { capacity: 500 }, ...config });
    wander(agent, 600);
    return agent;
};

describe('replayAsync', () => {
    test.each([['uniform', {}], ['prioritized', { replay: { capacity: 500, kind: 'prioritized' } }], ['double-q', { algorithm: 'double-q' }]])(
        'learns what replay learns, to the bit: %s', async (_, config) => {
            const [at, once] = [learner(config), learner(config)];
            const mean = once.replay(3000);
            expect(await at.replayAsync(3000, { sliceMs: 0 })).toBeCloseTo(mean, 10);
            expect(at.hash()).toBe(once.hash());
        });

    test('tells how far it is, and lets the event loop turn', async () => {
        const told = [];
        let turns = 0;
        const timer = setInterval(() => turns++, 0);
        await learner().replayAsync(20_000, { sliceMs: 0, onProgress: (progress) => told.push(progress) });
        clearInterval(timer);
        expect(told.length).toBeGreaterThan(3);
        expect(turns).toBeGreaterThan(1);
        expect(told.at(-1)).toEqual({ replayed: 20_000, count: 20_000, done: true });
        told.reduce((before, { replayed }) => (expect(replayed).toBeGreaterThan(before), replayed), 0);
    });

    test('an abort rejects with its reason and leaves an agent that can go on', async () => {
        const agent = learner();
        const controller = new AbortController();
        const reason = new Error('enough');
        const onProgress = () => controller.abort(reason);
        await expect(agent.replayAsync(100_000, { sliceMs: 0, signal: controller.signal, onProgress })).rejects.toBe(reason);
        const before = agent.hash();
        await expect(agent.replayAsync(10, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        expect(agent.hash()).toBe(before);
        agent.replay(10);
    });

    test('refuses what it cannot take', async () => {
        const agent = learner();
        const cases = [[-1], [1.5], ['1'], [1, 5], [1, { sliceMs: NaN }], [1, { onProgress: 1 }], [1, { signal: {} }]];
        for (const given of cases) await expect(agent.replayAsync(...given)).rejects.toMatchObject({ name: 'QhiveError', code: 'INVALID_ARGUMENT' });
        agent.free();
        await expect(agent.replayAsync(1)).rejects.toMatchObject({ code: 'STALE_HANDLE' });
    });

    test('an agent that is freed meanwhile ends it', async () => {
        const agent = learner();
        const onProgress = () => agent.free();
        await expect(agent.replayAsync(100_000, { sliceMs: 0, onProgress })).rejects.toMatchObject({ code: 'STALE_HANDLE' });
    });
});

test('onLeak names what was collected without being freed, and nothing else', () => {
    const script = `
        import { createRuntimeSync } from 'qhive';
        const leaks = [];
        const pools = { state: 1, trajectory: 1, message: 1 };
        const onLeak = (what) => leaks.push(what);
        const kept = createRuntimeSync({ pools, onLeak });
        (() => {
            createRuntimeSync({ pools, onLeak });
            createRuntimeSync({ pools, onLeak }).dispose();
            const gone = createRuntimeSync({ pools, onLeak });
            gone.createIndex({ dims: 2 });
            gone.dispose();
            kept.createIndex({ dims: 2 });
            kept.createIndex({ dims: 2 }).free();
            createRuntimeSync({ pools });
        })();
        for (let i = 0; i < 20 && leaks.length < 2; i++) {
            await new Promise((resolve) => setTimeout(resolve, 10));
            globalThis.gc();
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
        console.log(JSON.stringify(leaks.sort()), kept.validate());`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe('["a runtime","index-1"] true\n');
});
