/**
 * The closed loop: networks over an environment, decisions every `DECISION_PERIODS` periods.
 */

import { DECISION_PERIODS } from './agents.js';
import { Environment, SEGMENTS } from './environment.js';
import { CELLS } from './geometry.js';
import { Network } from './network.js';
import { Stream, hash } from './random.js';
import { COMPONENTS } from './reward.js';
import { PERIODS_PER_DAY } from './traffic.js';

export const DECISIONS_PER_DAY = PERIODS_PER_DAY / DECISION_PERIODS;

/** One period of all networks on an environment. */
export function runPeriod(environment, networks) {
  environment.beginPeriod();
  for (const network of networks) network.beginPeriod();
  for (let segment = 0; segment < SEGMENTS; segment++) {
    environment.advance();
    for (const network of networks) network.segment();
  }
  for (const network of networks) network.endPeriod();
}

/** The periods between two decisions; adds up each network's components in `sums` (mean per period). */
function runDecision(environment, networks, sums) {
  for (const sum of sums) sum.fill(0);
  for (let p = 0; p < DECISION_PERIODS; p++) {
    runPeriod(environment, networks);
    sums.forEach((sum, n) => {
      for (let i = 0; i < sum.length; i++) sum[i] += networks[n].components[i] / DECISION_PERIODS;
    });
  }
}

const sheet = () => new Float64Array(CELLS * COMPONENTS);

/**
 * Trains the agents of a batch on one day of a seed.
 * @param {import('qhive').Batch} batch all agents, in the crew's order @param {import('./crew.js').Crew} crew
 * @param {number} seed @param {(step: () => void) => void} [timed] runs a step of the batch and may measure it
 * @returns {number} mean reward of the network per period
 */
export function trainDay(batch, crew, seed, timed = (step) => step()) {
  const environment = new Environment(seed);
  const network = new Network(environment);
  const twin = new Network(environment);
  const sums = [sheet(), sheet()];
  runDecision(environment, [network], []);
  crew.observe(batch.observations, network, environment.hour);
  batch.endings.fill(0);
  batch.begin();
  const step = () => batch.step();
  for (let decision = 1; decision < DECISIONS_PER_DAY; decision++) {
    twin.copyState(network);
    crew.apply(batch.actions, network.levels);
    runDecision(environment, [network, twin], sums);
    crew.pay(batch.rewards, batch.actions, sums[0], sums[1]);
    crew.share(batch);
    crew.observe(batch.observations, network, environment.hour);
    batch.endings.fill(decision === DECISIONS_PER_DAY - 1 ? 2 : 0);
    timed(step);
  }
  return network.kpis.summary().reward;
}

/**
 * Runs the untouched network, one under random actions and one under the learned, greedy and frozen,
 * policies over the same days of a seed.
 * @param {import('qhive').Batch} batch @param {import('./crew.js').Crew} crew @param {number} seed @param {number} days
 * @param {(act: () => void) => void} [timed] runs a decision of the batch and may measure it
 * @returns {{ defaults: object, random: object, learned: object }} KPIs of each
 */
export function evaluateSeed(batch, crew, seed, days, timed = (act) => act()) {
  const environment = new Environment(seed);
  const defaults = new Network(environment);
  const random = new Network(environment);
  const learned = new Network(environment);
  const networks = [defaults, random, learned];
  const drawn = new Int32Array(crew.size);
  const act = () => batch.act({ greedy: true });
  runDecision(environment, networks, []);
  for (let decision = 1; decision < days * DECISIONS_PER_DAY; decision++) {
    for (let i = 0; i < drawn.length; i++) drawn[i] = hash(seed, Stream.POLICY, i, decision) % 3;
    crew.apply(drawn, random.levels);
    crew.observe(batch.observations, learned, environment.hour);
    timed(act);
    crew.apply(batch.actions, learned.levels);
    runDecision(environment, networks, []);
  }
  return { defaults: defaults.kpis.summary(), random: random.kpis.summary(), learned: learned.kpis.summary() };
}
