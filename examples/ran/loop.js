/**
 * The closed loop: networks over an environment, decisions every `DECISION_PERIODS` periods.
 */

import { DECISION_PERIODS } from './agents.js';
import { Environment, SEGMENTS } from './environment.js';
import { CELLS } from './geometry.js';
import { Network } from './network.js';
import { Stream, hash } from './random.js';
import { POLICIES } from './report.js';
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

/** What agents decided becomes of the levels, through safe zones where there are some. */
function move(crew, actions, levels, guard) {
  if (guard) guard.apply(crew, actions, levels);
  else crew.apply(actions, levels);
}

/** Agents bound to parameters choose by the time of their zones. */
function tell(batch, guard) {
  if (guard) batch.time = guard.time;
}

/**
 * A day of training, decision by decision. A call of `advance` that throws for want of memory has changed nothing
 * that calling it again would not go on from.
 */
export class TrainingDay {
  /**
   * @param {import('qhive').Batch} batch all agents, in the crew's order @param {import('./crew.js').Crew} crew
   * @param {number} seed @param {import('./guard.js').Guard} [guard] the safe zones its changes go through; without one the ends of
   * the levels are all that holds them
   */
  constructor(batch, crew, seed, guard) {
    this.batch = batch;
    this.crew = crew;
    this.environment = new Environment(seed);
    this.network = new Network(this.environment);
    this.twin = new Network(this.environment);
    this.sums = [sheet(), sheet()];
    this.decision = 0;                           // taken so far
    this.stage = this.open;
    this.guard = guard;
    guard?.open();
    runDecision(this.environment, [this.network], []);
    guard?.observe(this.network);
  }

  get over() { return this.decision === DECISIONS_PER_DAY; }

  /** Up to the next decision. @param {(step: () => void) => void} [timed] runs a step of the batch and may measure it */
  advance(timed = (step) => step()) {
    const before = this.decision;
    while (this.decision === before) this.stage(timed);
  }

  open() {
    this.crew.observe(this.batch.observations, this.network, this.environment.hour);
    this.batch.endings.fill(0);
    tell(this.batch, this.guard);
    this.batch.begin();
    this.decision = 1;
    this.stage = this.live;
  }

  live() {
    const { batch, crew, network, twin, environment, sums, guard } = this;
    twin.copyState(network);
    move(crew, batch.actions, network.levels, guard);
    runDecision(environment, [network, twin], sums);
    crew.pay(batch.rewards, batch.actions, sums[0], sums[1]);
    guard?.observe(network);
    crew.openShare(batch);
    this.stage = this.share;
  }

  share() {
    this.crew.share(this.batch);
    this.stage = this.learn;
  }

  learn(timed) {
    const { batch, crew, network, environment } = this;
    crew.observe(batch.observations, network, environment.hour);
    batch.endings.fill(this.decision === DECISIONS_PER_DAY - 1 ? 2 : 0);
    tell(batch, this.guard);
    timed(() => batch.step());
    this.decision++;
    this.stage = this.live;
  }
}

/**
 * Trains the agents of a batch on one day of a seed.
 * @param {import('qhive').Batch} batch all agents, in the crew's order @param {import('./crew.js').Crew} crew
 * @param {number} seed @param {(step: () => void) => void} [timed] runs a step of the batch and may measure it
 * @param {import('./guard.js').Guard} [guard]
 * @returns {number} mean reward of the network per period
 */
export function trainDay(batch, crew, seed, timed, guard) {
  const day = new TrainingDay(batch, crew, seed, guard);
  while (!day.over) day.advance(timed);
  return day.network.kpis.summary().reward;
}

/** Draws the random policy's actions: uniform over keep, down and up. */
function drawActions(drawn, seed, decision) {
  for (let i = 0; i < drawn.length; i++) drawn[i] = hash(seed, Stream.POLICY, i, decision) % 3;
}

/** Networks under different policies over the same days of a seed, decision by decision; learns nothing. */
export class Evaluation {
  /**
   * @param {import('qhive').Batch} batch @param {import('./crew.js').Crew} crew @param {number} seed @param {number} days
   * @param {readonly string[]} policies of `POLICIES`
   * @param {Record<string, import('./guard.js').Guard>} [guards] safe zones by policy; each network has its own
   */
  constructor(batch, crew, seed, days, policies = POLICIES, guards = {}) {
    this.batch = batch;
    this.crew = crew;
    this.seed = seed;
    this.decisions = days * DECISIONS_PER_DAY;
    this.environment = new Environment(seed);
    /** @type {Record<string, Network>} */
    this.networks = Object.fromEntries(policies.map((policy) => [policy, new Network(this.environment)]));
    this.drawn = new Int32Array(crew.size);
    this.guards = guards;
    for (const policy in guards) guards[policy].open();
    this.live();
    this.decision = 1;                           // decisions gone by
  }

  get over() { return this.decision >= this.decisions; }

  /** The periods up to a decision, and what they undo. */
  live() {
    runDecision(this.environment, Object.values(this.networks), []);
    for (const policy in this.guards) this.guards[policy].observe(this.networks[policy]);
  }

  /** Up to the next decision. @param {(act: () => void) => void} [timed] runs a decision of the batch and may measure it */
  advance(timed = (act) => act()) {
    const { batch, crew, environment, guards, networks: { random, learned } } = this;
    if (random) {
      drawActions(this.drawn, this.seed, this.decision);
      move(crew, this.drawn, random.levels, guards.random);
    }
    if (learned) {
      crew.observe(batch.observations, learned, environment.hour);
      tell(batch, guards.learned);
      timed(() => batch.act({ greedy: true }));
      move(crew, batch.actions, learned.levels, guards.learned);
    }
    this.live();
    this.decision++;
  }

  /** KPIs of each network so far. @returns {Record<string, Record<string, number>>} */
  summaries() {
    return Object.fromEntries(Object.entries(this.networks).map(([policy, network]) => [policy, network.kpis.summary()]));
  }
}

/**
 * Runs the untouched network, one under random actions and one under the learned, greedy and frozen,
 * policies over the same days of a seed.
 * @param {import('qhive').Batch} batch @param {import('./crew.js').Crew} crew @param {number} seed @param {number} days
 * @param {(act: () => void) => void} [timed] runs a decision of the batch and may measure it
 * @param {Record<string, import('./guard.js').Guard>} [guards] safe zones by policy
 * @returns {{ defaults: object, random: object, learned: object }} KPIs of each
 */
export function evaluateSeed(batch, crew, seed, days, timed, guards) {
  const evaluation = new Evaluation(batch, crew, seed, days, POLICIES, guards);
  while (!evaluation.over) evaluation.advance(timed);
  return /** @type {any} */ (evaluation.summaries());
}
