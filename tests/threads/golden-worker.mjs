/** A thread of the golden program: claims its part of the agents and lives with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachRuntime } from 'qhive';
import { livePart } from '../golden/program.mjs';

const { shared, ids, first, stride, steps, claims } = workerData;
const runtime = await attachRuntime(shared);
const agents = ids.map((id) => runtime.agent(id));
if (claims) for (let i = first; i < agents.length; i += stride) agents[i].claim();
livePart(runtime, agents, first, stride, steps);
runtime.dispose();
parentPort.postMessage('done');
