/**
 * The main job: trains the agents, evaluates them on unseen seeds, prints the report.
 * `node examples/ran/main.js --help` lists the options.
 */

import { readFileSync } from 'node:fs';
import { createRuntime } from 'qhive';
import { agentConfigs } from './agents.js';
import { Crew } from './crew.js';
import { Guard, bound, puppets } from './guard.js';
import { evaluateSeed, trainDay } from './loop.js';
import { FIRST_TRAINING_SEED, HELP, UsageError, parseOptions } from './options.js';
import { progress } from './progress.js';
import { compare, latency, memory, render, safety } from './report.js';

const MASTER_SEED = 593;
const readFeatures = () => JSON.parse(readFileSync(new URL('./features.json', import.meta.url), 'utf8'));

/** @param {ReturnType<typeof parseOptions>} options @returns {Promise<object>} the report */
async function run(options) {
  const begun = performance.now();
  const runtime = await createRuntime({ seed: MASTER_SEED });
  runtime.knowledge.load(readFeatures());
  runtime.knowledge.freeze();
  const guard = new Guard(runtime);
  guard.agents = agentConfigs().map((config) => runtime.createAgent(bound(config)));
  const batch = runtime.batch(guard.agents);
  const chance = await createRuntime({ seed: MASTER_SEED, pools: { trajectory: 0, message: 0 } });
  const guards = { random: new Guard(chance), learned: guard };
  guards.random.agents = puppets().map((config) => chance.createAgent(config));
  const crew = new Crew();
  const times = { act: [], step: [] };
  const timed = (list) => (call) => {
    const before = performance.now();
    call();
    list.push(performance.now() - before);
  };

  const training = progress('training', options.trainSeeds);
  for (let day = 0; day < options.trainSeeds; day++) {
    trainDay(batch, crew, FIRST_TRAINING_SEED + day, timed(times.step), guard);
    training.step();
  }
  training.stop();
  const trained = performance.now();
  const logs = { training: guard.takeLog(), perSeed: /** @type {object[]} */ ([]) };

  const evaluation = progress('evaluation', options.seeds.length);
  const perSeed = options.seeds.map((seed) => {
    const result = { seed, ...evaluateSeed(batch, crew, seed, options.days, timed(times.act), guards) };
    logs.perSeed.push({ seed, random: guards.random.takeLog(), learned: guard.takeLog() });
    evaluation.step();
    return result;
  });
  evaluation.stop();

  const report = {
    agents: runtime.agents.length,
    seeds: options.seeds,
    days: options.days,
    build: runtime.build,
    train: { seeds: options.trainSeeds, first: FIRST_TRAINING_SEED, seconds: (trained - begun) / 1000 },
    ...compare(perSeed),
    perSeed,
    safety: safety(logs),
    latency: { act: latency(times.act, crew.size), step: latency(times.step, crew.size) },
    memory: memory(runtime),
    knowledge: { features: runtime.knowledge.size, agents: runtime.knowledge.references, bytes: runtime.knowledge.bytes },
    states: [...runtime.agents].reduce((sum, agent) => sum + agent.metrics.states, 0),
    wallSeconds: (performance.now() - begun) / 1000,
  };
  chance.dispose();
  runtime.dispose();
  return report;
}

/** @param {string[]} args @returns {Promise<number>} exit code */
async function main(args) {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const report = await run(options);
  const colour = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report, colour));
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
