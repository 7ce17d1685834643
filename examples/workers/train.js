/**
 * The main job's training, shared out among worker threads over one memory: `npm start -- --threads k`.
 *
 * Each worker is a client with agents of its own and every k-th day. Once in a simulated minute of the network (57.6 s of motion, five
 * decisions) all clients' agents are federated: the copies of an agent are a group, their tables are merged, and all go on from
 * the merged one. Workers wait for each other there, so that the result depends on k, and on nothing else.
 *
 * The clients train without safe zones, which belong to one network, not to k; the evaluation has them as ever.
 */

import { Worker } from 'node:worker_threads';
import { createRuntime } from 'qhive';
import { agentConfigs } from '../ran/agents.js';

/** Words of the memory in which workers wait for each other: who has arrived, how often all have, and whether one has failed. */
export const BARRIER = Object.freeze({ arrived: 0, turn: 1, failed: 2, words: 3 });

/** Starts a worker and resolves when it is done. `tell` is called for each of its days. */
function work(data, tell) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => {
    worker.on('message', (message) => (message.day ? tell() : resolve(message)));
    worker.on('error', (error) => {
      const barrier = new Int32Array(data.barrier); // the others wait for one who will not come
      Atomics.store(barrier, BARRIER.failed, 1);
      Atomics.notify(barrier, BARRIER.turn);
      reject(error);
    });
  });
}

/**
 * Trains the agents of a job.
 * @param {{ agents: readonly import('qhive').Agent[], seeds: number[], seed: number, knobs: readonly import('../ran/parameters.js').Knob[],
 *   threads: number, step: () => void }} task `agents` get what was learned; `seeds` are the days, `seed` the runtime's; `step` is called after each
 *   day
 * @returns {Promise<{ threads: number, merges: number, hash: string, locks: object[] }>}
 */
export async function trainInWorkers({ agents, seeds, seed, knobs, threads, step }) {
  const runtime = await createRuntime({ seed, threads: threads + 1, pools: { trajectory: 0, message: 0 } });
  try {
    const barrier = new SharedArrayBuffer(4 * BARRIER.words);
    const clients = Array.from({ length: threads }, (_, client) => client);
    const configs = agentConfigs(undefined, knobs);
    for (const client of clients)
      for (const { feature: _, name, ...config } of configs) runtime.createAgent({ ...config, name: `${client}:${name}`, category: name });
    const days = Math.ceil(seeds.length / threads);
    const common = { shared: runtime.share(), barrier, threads, knobs: knobs.map(({ name }) => name), days };
    const shareOf = (client) => seeds.filter((_, i) => i % threads === client);
    const done = await Promise.all(clients.map((client) => work({ ...common, client, seeds: shareOf(client) }, step)));
    for (const agent of agents) agent.importTable(runtime.agent(`0:${agent.name}`).exportTable());
    return { threads, merges: done[0].merges, hash: runtime.hash(), locks: runtime.metrics.snapshot().locks };
  } finally {
    runtime.dispose();
  }
}
