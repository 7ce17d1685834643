/**
 * The 593 agents: what each sees and what it may do.
 *
 * Sees: one row of up to 64 dimensions: its own level, the KPIs of its surroundings (its cell, the mean
 * of its site's cells, or of all), the hour, the levels of the cell's knobs, and trends. Only one or two
 * dimensions of a row are keyed (its own level and the context its knob depends on); the others are
 * carried at 0 bins.
 *
 * Does: 0 keep, 1 one level down, 2 one level up, once every `DECISION_PERIODS` periods.
 *
 * What it is paid is in `crew.js`.
 */

import { SITE_HEIGHTS } from './city.js';
import { SECTORS } from './geometry.js';
import { FEATURES, KNOBS, instances } from './parameters.js';
import { COMPONENTS, Component } from './reward.js';

/** Periods between decisions: half an hour. */
export const DECISION_PERIODS = 2;
export const STRIDE = 64;
export const KEEP = 0;
export const ACTIONS = Object.freeze([0, -1, 1]);          // levels moved by each action

/** Components a knob can move, as bits; the uplink's knobs move the uplink alone. */
export const movesOf = (knob) => (knob.category === 'uplink power control' ? 1 << Component.UPLINK : (1 << COMPONENTS) - 1);

/** Knobs that touch nobody but their own cell's users. */
export const LOCAL = new Set(['sliceShare', 'admissionThreshold']);

/** The context each knob's table is keyed by, beside its own level: dimension name -> bins. */
const CONTEXT = {
  tilt: {}, power: { neighbourLoad: 2 }, offset: { imbalance: 3 },
  hysteresis: {}, timeToTrigger: {},
  p0: {}, alpha: {},
  sliceShare: {}, sleepThreshold: { neighbourLoad: 3 }, admissionThreshold: {},
  wakeThreshold: { neighbourLoad: 3 },
  a3Offset: {}, filterCoefficient: {}, t310: {}, fairness: {},
};

/**
 * KPIs of a cell an agent sees: name, range, how to read it from a network, optional trend.
 * @type {readonly { name: string, min: number, max: number, trend?: number, read: (n: import('./network.js').Network, cell: number) => number }[]}
 */
export const KPIS = Object.freeze([
  { name: 'load', min: 0, max: 1, read: (n, c) => n.load[c] },
  { name: 'offered', min: 0, max: 3, read: (n, c) => n.offered[c] },
  { name: 'priorityOffered', min: 0, max: 0.4, read: (n, c) => n.priorityOffered[c] },
  { name: 'uplinkLoad', min: 0, max: 1, read: (n, c) => n.uplinkLoad[c] },
  { name: 'neighbourLoad', min: 0, max: 0.8, read: (n, c) => n.neighbourLoad[c] },
  { name: 'imbalance', min: -0.6, max: 0.6, read: (n, c) => n.load[c] - n.neighbourLoad[c] },
  { name: 'users', min: 0, max: 20, trend: 0.2, read: (n, c) => n.users[c] },
  { name: 'fastUsers', min: 0, max: 10, trend: 0.1, read: (n, c) => n.fastUsers[c] },
  { name: 'meanRate', min: 0, max: 20, trend: 0.2, read: (n, c) => n.rateSum[c] / Math.max(1, 2 * n.users[c]) },
  { name: 'edgeUsers', min: 0, max: 10, trend: 0.2, read: (n, c) => n.edgeUsers[c] },
  { name: 'failures', min: 0, max: 3, trend: 0.1, read: (n, c) => n.failures[c] },
  { name: 'blocks', min: 0, max: 5, trend: 0.1, read: (n, c) => n.blocks[c] },
  { name: 'handovers', min: 0, max: 10, trend: 0.1, read: (n, c) => n.handovers[c] },
  { name: 'pingPongs', min: 0, max: 3, trend: 0.1, read: (n, c) => n.pingPongs[c] },
  { name: 'watts', min: 100, max: 700, read: (n, c) => n.watts[c] },
  { name: 'uplinkInterference', min: -140, max: -90, read: (n, c) => 10 * Math.log10(n.uplinkInterference[c] + 1e-14) },
  { name: 'asleep', min: 0, max: 1, read: (n, c) => n.asleep[c] },
  { name: 'height', min: 15, max: 40, read: (n, c) => SITE_HEIGHTS[c / SECTORS | 0] },
]);
export const CELL_KNOBS = KNOBS.filter((knob) => knob.scope === 'cell');
export const FIRST_KPI = 1;
export const FIRST_CONTEXT = FIRST_KPI + KPIS.length;
export const FIRST_KNOB = FIRST_CONTEXT + 3;

/** Dimensions of a knob's agents, in the order of the rows. @returns {import('qhive').Dim[]} */
export function dimensions(knob) {
  const context = CONTEXT[knob.name];
  const top = knob.levels.length;
  return [
    { name: knob.name, min: -0.5, max: top - 0.5, bins: top, role: 'parameter' },
    ...KPIS.map(({ name, min, max, trend }) => {
      const bins = context[name] ?? 0;
      return { name, min, max, bins, role: 'kpi', ...(trend && !bins ? { trend } : {}) };
    }),
    { name: 'hour', min: 0, max: 24, bins: context.hour ?? 0, role: 'context' },
    { name: 'hourSine', min: -1, max: 1, bins: 0, role: 'context' },
    { name: 'hourCosine', min: -1, max: 1, bins: 0, role: 'context' },
    ...CELL_KNOBS.map(({ name, levels }) => ({
      name: `level of ${name}`, min: -0.5, max: levels.length - 0.5, bins: 0, role: 'parameter',
    })),
  ];
}

/** How the agents learn; schedules run over learning steps, own and shared (see `crew.js`). */
export const LEARNING = Object.freeze({
  discount: 0, epsilon: { start: 0.3, end: 0.1, decay: 0.9985 }, learningRate: 'visits',
});

/**
 * Configurations of the agents of some knobs, knob by knob; of all by default.
 * @param {typeof LEARNING} [learning] @param {readonly import('./parameters.js').Knob[]} [knobs] @returns {import('qhive').AgentConfig[]}
 */
export function agentConfigs(learning = LEARNING, knobs = KNOBS) {
  return knobs.flatMap((knob) => {
    const dims = dimensions(knob);
    return Array.from({ length: instances(knob) }, (_, unit) => ({
      name: `${knob.name}/${unit}`,
      category: knob.category,
      feature: FEATURES[knob.name],
      actions: ACTIONS.length,
      encoder: { kind: 'bins', dims },
      algorithm: 'q-learning',
      learningRate: learning.learningRate,
      discount: learning.discount,
      policy: { kind: 'epsilon-greedy', epsilon: learning.epsilon },
      tieBreak: 'first',
    }));
  });
}
