/**
 * The main job: trains agents on simulated days, then compares the untouched network, random actions and what was learned on seeds
 * that were not trained on.
 */

import { createRuntime } from 'qhive';
import { agentConfigs } from './agents.js';
import { Crew } from './crew.js';
import { Guard, bound, puppets } from './guard.js';
import { evaluateSeed, trainDay } from './loop.js';
import { FIRST_TRAINING_SEED } from './options.js';
import { KNOBS } from './parameters.js';
import { compare, latency, memory, safety } from './report.js';

export const MASTER_SEED = 593;

/**
 * @typedef {object} Job
 * @property {number[]} seeds evaluation days
 * @property {number} days per evaluation seed
 * @property {number} trainSeeds training days, each on a seed of its own
 * @property {Iterable<import('qhive').Feature>} features the catalogue to load
 * @property {number} [seed] of the runtime, default 593
 * @property {readonly import('./parameters.js').Knob[]} [knobs] those that agents turn; default all
 * @property {import('qhive').AgentConfig[]} [configs] of these agents, knob by knob; default `agentConfigs`
 * @property {import('qhive').RuntimeOptions} [budget] of the runtime: `maxPages`, `pools`
 * @property {(agents: readonly import('qhive').Agent[]) => void} [keep] called with the agents when all is measured
 * @property {(task: { agents: readonly import('qhive').Agent[], seeds: number[], seed: number, knobs: readonly import('./parameters.js').Knob[],
 *   step: () => void }) => Promise<object>} [train] trains the agents in another way than day by day here; its result is in the report
 */

/** Two runtimes: the agents with their safe zones, and those that act at random, with theirs. @param {Job} job */
async function assemble({ seed = MASTER_SEED, knobs = KNOBS, configs = agentConfigs(undefined, knobs), budget = {}, features }) {
  const runtime = await createRuntime({ seed, ...budget });
  const chance = await createRuntime({ seed, pools: { trajectory: 0, message: 0 } });
  try {
    runtime.knowledge.load(features);
    runtime.knowledge.freeze();
    const guards = { random: new Guard(chance), learned: new Guard(runtime) };
    guards.learned.agents = configs.map((config) => runtime.createAgent(bound(config)));
    guards.random.agents = puppets(knobs).map((config) => chance.createAgent(config));
    return { runtime, chance, guards, crew: new Crew(knobs), batch: runtime.batch(guards.learned.agents) };
  } catch (error) {
    runtime.dispose();
    chance.dispose();
    throw error;
  }
}

/** @param {Job} job @param {number[]} seeds @param {readonly import('qhive').Agent[]} agents */
async function trainElsewhere({ train, seed = MASTER_SEED, knobs = KNOBS }, seeds, agents, progress) {
  const shown = progress('training', seeds.length);
  try {
    return await train?.({ agents, seeds, seed, knobs, step: () => shown.step() });
  } finally {
    shown.stop();
  }
}

/**
 * @param {Job} job
 * @param {{ progress: (title: string, total: number) => { step(): void, stop(): void }, now: () => number }} tools `now` in milliseconds
 * @returns {Promise<object>} the report, for `render` and as JSON
 * @throws {import('qhive').QhiveError} EXCEEDS_LIMIT, QUOTA_EXCEEDED when a budget is spent
 */
export async function runJob(job, { progress, now }) {
  const begun = now();
  const { runtime, chance, guards, crew, batch } = await assemble(job);
  const times = { act: [], step: [] };
  const timed = (list) => (call) => {
    const before = now();
    call();
    list.push(now() - before);
  };
  const each = (title, items, work) => {
    const shown = progress(title, items.length);
    try {
      return items.map((item) => {
        const result = work(item);
        shown.step();
        return result;
      });
    } finally {
      shown.stop();
    }
  };
  try {
    const trainingSeeds = Array.from({ length: job.trainSeeds }, (_, day) => FIRST_TRAINING_SEED + day);
    const training = job.train && await trainElsewhere(job, trainingSeeds, guards.learned.agents, progress);
    if (!training) each('training', trainingSeeds, (seed) => trainDay(batch, crew, seed, timed(times.step), guards.learned));
    const trained = now();
    const logs = { training: guards.learned.takeLog(), perSeed: /** @type {object[]} */ ([]) };
    const perSeed = each('evaluation', job.seeds, (seed) => {
      const result = { seed, ...evaluateSeed(batch, crew, seed, job.days, timed(times.act), guards) };
      logs.perSeed.push({ seed, random: guards.random.takeLog(), learned: guards.learned.takeLog() });
      return result;
    });
    job.keep?.([...runtime.agents]);
    return {
      agents: runtime.agents.length,
      seeds: job.seeds,
      days: job.days,
      build: runtime.build,
      train: { seeds: job.trainSeeds, first: FIRST_TRAINING_SEED, seconds: (trained - begun) / 1000, ...training },
      ...compare(perSeed),
      perSeed,
      safety: safety(logs),
      latency: { act: latency(times.act, crew.size), step: latency(times.step, crew.size) },
      memory: memory(runtime),
      knowledge: { features: runtime.knowledge.size, agents: runtime.knowledge.references, bytes: runtime.knowledge.bytes },
      states: [...runtime.agents].reduce((sum, agent) => sum + agent.metrics.states, 0),
      hash: runtime.hash(),
      wallSeconds: (now() - begun) / 1000,
    };
  } finally {
    chance.dispose();
    runtime.dispose();
  }
}
