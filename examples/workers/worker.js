/**
 * A client of `train.js`: trains its agents on its days, and federates them with those of the others.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { attachRuntime } from 'qhive';
import { DECISION_PERIODS } from '../ran/agents.js';
import { Crew } from '../ran/crew.js';
import { DECISIONS_PER_DAY, TrainingDay } from '../ran/loop.js';
import { SEGMENTS, SEGMENT_SECONDS } from '../ran/mobility.js';
import { KNOBS } from '../ran/parameters.js';
import { BARRIER } from './train.js';

/** Decisions in a simulated minute. */
const MERGE_EVERY = Math.round(60 / (SEGMENT_SECONDS * SEGMENTS * DECISION_PERIODS));

const { shared, client, threads, seeds, days } = workerData;
const barrier = new Int32Array(workerData.barrier);

/** Returns when all workers are here. */
function meet() {
  const turn = Atomics.load(barrier, BARRIER.turn);
  if (Atomics.add(barrier, BARRIER.arrived, 1) === threads - 1) {
    Atomics.store(barrier, BARRIER.arrived, 0);
    Atomics.add(barrier, BARRIER.turn, 1);
    Atomics.notify(barrier, BARRIER.turn);
  } else while (Atomics.load(barrier, BARRIER.turn) === turn) {
    if (Atomics.load(barrier, BARRIER.failed)) process.exit(1);
    Atomics.wait(barrier, BARRIER.turn, turn, 1000);
  }
}

const runtime = await attachRuntime(shared);
const knobs = KNOBS.filter(({ name }) => workerData.knobs.includes(name));
const crew = new Crew(knobs);
const agents = [...runtime.agents].filter(({ name }) => name.startsWith(`${client}:`));
for (const agent of agents) agent.claim();
const batch = runtime.batch(agents);
let merges = 0;

/** All clients' agents become one, table by table. */
function federate() {
  runtime.federation.accumulate(agents);
  meet();
  if (client === 0) runtime.federation.merge({ rule: 'visit-weighted' });
  meet();
  runtime.federation.apply(agents);
  merges++;
  meet(); // the next accumulation is of the next minute
}

for (let i = 0; i < days; i++) {
  const day = seeds[i] === undefined ? undefined : new TrainingDay(batch, crew, seeds[i]);
  for (let decision = 1; decision <= DECISIONS_PER_DAY; decision++) {
    day?.advance();
    if (decision % MERGE_EVERY === 0 || decision === DECISIONS_PER_DAY) federate();
  }
  if (day !== undefined) parentPort?.postMessage({ day: true });
}
runtime.dispose();
parentPort?.postMessage({ merges });
