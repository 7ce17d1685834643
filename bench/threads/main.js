/**
 * Learning over several threads: `npm run bench:threads [-- --agents 593] [-- --steps 2000] [-- --threads 2] [-- --json]`.
 *
 * The agents are dealt out to 1 and to `threads` workers over one shared memory, which learn in batches, all from one signal on. Reported: learning
 * steps a second of the single-thread module, of one worker and of all, by the clock and by the processor; and how often a million steps took the
 * memory lock. The median of seven rounds, of each setting one after the other. By the processor: steps a second of processor time, times the
 * threads; what they cost each other (caches, locks, claims) without what other programs take from them.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createRuntime, createRuntimeSync } from 'qhive';
import { configOf, createPart } from './part.mjs';

const ROUNDS = 7;
const WANTED = 1.8;

const { values } = parseArgs({
    options: {
        agents: { type: 'string', default: '593' }, steps: { type: 'string', default: '2000' }, threads: { type: 'string', default: '2' },
        json: { type: 'boolean', default: false },
    },
});
const [agents, steps, threads] = [values.agents, values.steps, values.threads].map(Number);

const numbers = Array.from({ length: agents }, (_, i) => i);

/** Starts to measure; the function resolves with what has passed since, in seconds. */
function stopwatch() {
    const start = performance.now();
    const used = process.cpuUsage();
    return () => {
        const { user, system } = process.cpuUsage(used);
        return { clock: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
    };
}

/** What is measured: `run` resolves with the seconds of `steps` steps of all agents. */
function withoutThreads() {
    const runtime = createRuntimeSync({ seed: 1 });
    const part = createPart(runtime, numbers.map((i) => runtime.createAgent(configOf(i))), false);
    const run = async () => {
        const passed = stopwatch();
        part.step(steps);
        return passed();
    };
    return { name: 'no threads', count: 1, run, end: () => runtime.dispose() };
}

async function withWorkers(count, claims) {
    const runtime = await createRuntime({ seed: 1, threads: count + 1 });
    const ids = numbers.map((i) => runtime.createAgent(configOf(i)).id);
    const signals = new Int32Array(new SharedArrayBuffer(8));
    const workers = numbers.slice(0, count).map((first) => {
        const workerData = { shared: runtime.share(), ids, first, stride: count, claims, signals };
        return new Worker(new URL('worker.mjs', import.meta.url), { workerData });
    });
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    let round = 0;
    const run = async () => {
        const done = workers.map((worker) => once(worker, 'message'));
        Atomics.store(signals, 1, 0);
        for (const worker of workers) worker.postMessage(steps);
        while (Atomics.load(signals, 1) < count) await new Promise(setImmediate);
        const passed = stopwatch();
        Atomics.store(signals, 0, ++round);
        Atomics.notify(signals, 0);
        await Promise.all(done);
        return passed();
    };
    const end = () => Promise.all(workers.map((worker) => worker.terminate()));
    return { name: `${count} worker${count > 1 ? 's' : ''}${claims ? '' : ', claims by the call'}`, count, run, end, runtime };
}

const medianOf = (times) => times.sort((a, b) => a - b)[times.length >> 1];
const memoryLock = (runtime) => runtime.metrics.snapshot().locks.find(({ name }) => name === 'memory').acquired;

const settings = [withoutThreads(), await withWorkers(1, true), await withWorkers(threads, true), await withWorkers(threads, false)];
const seconds = settings.map(() => []);
for (const { run } of settings) await run(); // the tables fill
const before = memoryLock(settings[2].runtime);
for (let round = 0; round < ROUNDS; round++)
    for (const [i, { run }] of settings.entries()) seconds[i].push(await run());
const taken = memoryLock(settings[2].runtime) - before;
await Promise.all(settings.map(({ end }) => end()));

const million = (agents * steps) / 1e6;
const rates = settings.map(({ name, count }, i) => ({
    name,
    clock: million / medianOf(seconds[i].map(({ clock }) => clock)),
    best: million / Math.min(...seconds[i].map(({ clock }) => clock)),
    processor: (count * million) / medianOf(seconds[i].map(({ processor }) => processor)),
}));
const [, one, all] = rates;
const gain = { clock: all.clock / one.clock, best: all.best / one.best, processor: all.processor / one.processor };
const result = { agents, steps, threads, rates, gain, wanted: WANTED, memoryLocksPerMillion: taken / million / ROUNDS };
if (values.json) {
    console.log(JSON.stringify(result));
} else {
    const line = (name, { clock, best, processor }) =>
        console.log(name.padEnd(34) + [clock, best, processor].map((x) => x.toFixed(2).padStart(11)).join(''));
    console.log('million learning steps a second         clock best round  processor');
    for (const rate of rates) line(rate.name, rate);
    line(`${threads} workers to one (wanted: ${WANTED})`, gain);
    console.log(`the memory lock was taken ${result.memoryLocksPerMillion.toFixed(0)} times in a million steps`);
}
