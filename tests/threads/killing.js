/** Workers terminated at random moments, and what is left of the runtime: in `rounds` of `crowd` workers each. */
import { Worker } from 'node:worker_threads';
import { createRuntime } from 'qhive';
import { generator, wander } from '../package/support.js';

const INDEX = { actions: 3, encoder: { kind: 'index', states: 2000 } };
const TILES = { actions: 3, encoder: { kind: 'tiles', tilings: 4, dims: [{ min: 0, max: 1, bins: 8 }, { min: 0, max: 1, bins: 8 }] } };
const TOUCHED = [INDEX, TILES, { ...INDEX, replay: { capacity: 100 } }, { ...INDEX, algorithm: 'double-q' }, { ...TILES, replay: { capacity: 50, kind: 'prioritized' } }];

/** Starts a victim; resolves with its thread's number when it works, and how to end it. */
function start(data) {
    const worker = new Worker(new URL('victim.mjs', import.meta.url), { workerData: data });
    return new Promise((resolve, reject) => {
        worker.once('message', (thread) => resolve({ thread, kill: () => worker.terminate() }));
        worker.on('error', reject);
        setTimeout(() => reject(new Error('a worker did not begin within a minute')), 60_000).unref();
    });
}

/** What recover() found; undefined: BUSY. */
function recover(runtime, thread) {
    try {
        return runtime.recover(thread);
    } catch (error) {
        if (error.code !== 'BUSY') throw error;
        return undefined;
    }
}

const LIFE_MS = 8;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {{ rounds: number, crowd: number, seed: number, each?: (round: number) => void }} options
 * @returns what recovering found, in all; throws where the runtime is not sound, or an agent that nobody touched has changed
 */
export async function killWorkers({ rounds, crowd, seed, each }) {
    const random = generator(seed);
    const runtime = await createRuntime({ threads: crowd + 1, maxPages: 2048, seed, pools: { state: 64, trajectory: 64, message: 32 } });
    const touched = TOUCHED.map((config, i) => runtime.createAgent({ ...config, name: `touched ${i}`, category: 'touched' }).name);
    const untouched = Array.from({ length: 4 }, (_, i) => runtime.createAgent({ actions: 4, encoder: { kind: 'index', states: 16 }, name: `untouched ${i}` }));
    untouched.forEach((agent, i) => wander(agent, 300, i));
    const before = untouched.map((agent) => agent.hash());
    const sum = { killed: 0, released: 0, repaired: 0, reset: 0, removed: 0, cleared: 0 };
    for (let round = 0; round < rounds; round++) {
        const gate = new SharedArrayBuffer(4);
        const common = { shared: runtime.share(), touched, gate };
        const victims = await Promise.all(Array.from({ length: crowd }, () => start({ ...common, seed: Math.floor(random() * 2 ** 32) })));
        const moments = victims.map(() => random() * LIFE_MS);
        Atomics.store(new Int32Array(gate), 0, 1);
        Atomics.notify(new Int32Array(gate), 0);
        await Promise.all(victims.map(({ kill }, i) => pause(moments[i]).then(kill)));
        for (const waiting = victims.map(({ thread }) => thread); waiting.length > 0; ) {
            const thread = waiting.shift();
            const found = recover(runtime, thread);
            if (found === undefined) {
                waiting.push(thread); // another one of the dead holds a lock
                continue;
            }
            sum.killed++;
            for (const name of ['released', 'repaired', 'removed']) sum[name] += found[name];
            sum.reset += found.reset.length;
            sum.cleared += found.cleared.length;
        }
        const where = `seed ${seed}, round ${round}`;
        if (runtime.threads.join() !== '1') throw new Error(`${where}: threads ${runtime.threads} are left`);
        const theirs = runtime.memory.owners().find(({ kind }) => kind === 'batch' || kind === 'index');
        if (theirs) throw new Error(`${where}: a dead thread's ${theirs.kind} is left`);
        if (!runtime.validate()) throw new Error(`${where}: the runtime is not sound`);
        if (untouched.some((agent, i) => agent.hash() !== before[i])) throw new Error(`${where}: an agent that nobody touched has changed`);
        for (const agent of runtime.agents) {
            if (agent.owner !== 0) throw new Error(`${where}: thread ${agent.owner} still has '${agent.name}'`);
            agent.act(agent.config.encoder.kind === 'index' ? 1 : [0.5, 0.5]);
            if (agent.config.category === 'own') agent.free();
        }
        runtime.federation.clear();
        each?.(round);
    }
    const lost = runtime.memory.owners().filter(({ kind }) => kind === 'agent').length - touched.length - untouched.length;
    if (lost !== 0) throw new Error(`seed ${seed}: ${lost} agents are there that nobody knows`);
    runtime.dispose();
    return sum;
}
