/** A thread of the benchmark: learns with its part of the agents as often as it is told to, from a signal on. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachRuntime } from 'qhive';
import { createPart } from './part.mjs';

const { shared, ids, first, stride, claims, signals } = workerData;
const runtime = await attachRuntime(shared);
const part = createPart(runtime, ids.map((id) => runtime.agent(id)).filter((_, i) => i % stride === first), claims);
let round = 0;
parentPort.on('message', (steps) => {
    round++;
    Atomics.add(signals, 1, 1);
    Atomics.wait(signals, 0, round - 1); // all begin at once
    part.step(steps);
    parentPort.postMessage('done');
});
parentPort.postMessage('ready');
