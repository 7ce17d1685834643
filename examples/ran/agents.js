/**
 * The 593 agents: what each sees, what it may do, what it is paid.
 *
 * Sees: one row of up to 64 dimensions: its own level, the KPIs of its surroundings (its cell, the mean
 * of its site's cells, or of all), the hour, the levels of the cell's knobs, and trends. Only two or three
 * dimensions of a row are keyed (its own level and the context its knob depends on); the others are
 * carried at 0 bins.
 *
 * Does: 0 keep, 1 one level down, 2 one level up.
 *
 * Paid: the change, since the last period, of its surroundings' advantage over the untouched network,
 *
 *   r_i(t) = A_i(t) - A_i(t - 1),   A_i(t) = sum over j in N(i), c in C(k) of  u_jc(t) - u0_jc(t)
 *
 * u are the reward components (`reward.js`) of the network the agents run, u0 those of a network left
 * at its defaults over the same users; N(i) is the cell and its eight neighbours (for a site: its cells
 * and their neighbours; for the network: all cells); C(k) are the components knob k can move. The sum
 * is local, so a cell that pushes its users or its interference onto a neighbour pays for it; the
 * twin takes the traffic's own ups and downs out; the difference in time takes out what other agents
 * changed earlier. All three leave the sign of an action's own effect as it is.
 */

import { SITE_HEIGHTS } from './city.js';
import { CELLS, NEIGHBOURS, SECTORS } from './geometry.js';
import { KNOBS, instances } from './parameters.js';
import { NEIGHBOUR_TABLE } from './network.js';
import { COMPONENTS, Component } from './reward.js';

export const STRIDE = 64;
export const KEEP = 0;
export const ACTIONS = Object.freeze([0, -1, 1]);          // levels moved by each action

const { DATA, UPLINK, LOSSES, MOBILITY, ENERGY } = Component;
const bits = (...components) => components.reduce((mask, c) => mask | 1 << c, 0);
const ALL = bits(DATA, UPLINK, LOSSES, MOBILITY, ENERGY);
const SERVICE = bits(DATA, UPLINK, LOSSES);

/** What each knob can move, as bits of reward components. */
const MOVES = {
  tilt: ALL, power: ALL, offset: ALL, sleepThreshold: ALL, wakeThreshold: ALL,
  hysteresis: bits(DATA, UPLINK, LOSSES, MOBILITY), timeToTrigger: bits(DATA, UPLINK, LOSSES, MOBILITY),
  a3Offset: bits(DATA, UPLINK, LOSSES, MOBILITY), filterCoefficient: bits(DATA, UPLINK, LOSSES, MOBILITY),
  t310: bits(DATA, UPLINK, LOSSES, MOBILITY),
  p0: bits(UPLINK), alpha: bits(UPLINK),
  sliceShare: SERVICE, admissionThreshold: SERVICE, fairness: SERVICE,
};

/** The context each knob's table is keyed by, beside its own level: dimension name -> bins. */
const CONTEXT = {
  tilt: { load: 2 }, power: { neighbourLoad: 3 }, offset: { imbalance: 3 },
  hysteresis: { load: 2 }, timeToTrigger: { load: 2 },
  p0: { uplinkLoad: 2 }, alpha: { uplinkLoad: 2 },
  sliceShare: { priorityOffered: 4 }, sleepThreshold: { neighbourLoad: 4 }, admissionThreshold: { offered: 3 },
  wakeThreshold: { neighbourLoad: 4 },
  a3Offset: { load: 2 }, filterCoefficient: { load: 2 }, t310: { load: 2 }, fairness: { load: 3 },
};

/**
 * KPIs of a cell an agent sees: name, range, how to read it from a network, optional trend.
 * @type {readonly { name: string, min: number, max: number, trend?: number, read: (n: import('./network.js').Network, cell: number) => number }[]}
 */
const KPIS = Object.freeze([
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
const CELL_KNOBS = KNOBS.filter((knob) => knob.scope === 'cell');
const FIRST_KPI = 1;
const FIRST_CONTEXT = FIRST_KPI + KPIS.length;
const FIRST_KNOB = FIRST_CONTEXT + 3;

/**
 * @typedef {object} Learning how the agents learn
 * @property {number} decisions learning steps they will have, for the schedules
 * @property {number} [discount] @property {number} [epsilon] first exploration rate
 * @property {number} [finalEpsilon] @property {number} [rate] first learning rate @property {number} [finalRate]
 */

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

/** Configurations of all agents, knob by knob. @param {Learning} learning @returns {import('qhive').AgentConfig[]} */
export function agentConfigs(learning) {
  const { decisions, discount = 0.3, epsilon = 0.6, finalEpsilon = 0.1, rate = 0.05, finalRate = 0.01 } = learning;
  const decay = 0.03 ** (1 / decisions);
  return KNOBS.flatMap((knob) => {
    const dims = dimensions(knob);
    return Array.from({ length: instances(knob) }, (_, unit) => ({
      name: `${knob.name}/${unit}`,
      category: knob.category,
      actions: ACTIONS.length,
      encoder: { kind: 'bins', dims },
      algorithm: 'q-learning',
      learningRate: { start: rate, end: finalRate, decay },
      discount,
      policy: { kind: 'epsilon-greedy', epsilon: { start: epsilon, end: finalEpsilon, decay } },
      tieBreak: 'first',
    }));
  });
}

/** Cells an agent answers for, and the cells whose reward it shares. */
function surroundings(knob, unit) {
  if (knob.scope === 'network') return { own: range(0, CELLS), paid: range(0, CELLS) };
  const own = knob.scope === 'site' ? range(unit * SECTORS, SECTORS) : [unit];
  const near = own.flatMap((cell) => Array.from(NEIGHBOUR_TABLE.subarray(cell * NEIGHBOURS, (cell + 1) * NEIGHBOURS)));
  return { own, paid: [...new Set([...own, ...near])] };
}

const range = (from, count) => Array.from({ length: count }, (_, i) => from + i);

/** Everything needed to fill rows and rewards without allocating. */
export class Crew {
  constructor() {
    this.knob = [];
    this.unit = [];
    this.own = [];
    this.paid = [];
    this.mask = [];
    for (const knob of KNOBS) {
      for (let unit = 0; unit < instances(knob); unit++) {
        const { own, paid } = surroundings(knob, unit);
        this.knob.push(knob);
        this.unit.push(unit);
        this.own.push(Int32Array.from(own));
        this.paid.push(Int32Array.from(paid));
        this.mask.push(MOVES[knob.name]);
      }
    }
    this.size = this.knob.length;
    this.advantage = new Float64Array(this.size);
    this.kpis = new Float32Array(CELLS * KPIS.length);
    this.levels = new Float32Array(CELLS * CELL_KNOBS.length);
    this.masked = new Float64Array(CELLS);
  }

  /** Forgets the advantages, at the start of a day. */
  open() { this.advantage.fill(0); }

  /** Fills every agent's row. @param {Float32Array} rows size x 64 @param {import('./network.js').Network} network @param {number} hour */
  observe(rows, network, hour) {
    this.readCells(network);
    const angle = 2 * Math.PI * hour / 24;
    const sine = Math.sin(angle);
    const cosine = Math.cos(angle);
    for (let i = 0; i < this.size; i++) {
      const at = i * STRIDE;
      rows[at] = network.levels.of[this.knob[i].name][this.unit[i]];
      this.averageInto(rows, at + FIRST_KPI, this.kpis, KPIS.length, this.own[i]);
      rows[at + FIRST_CONTEXT] = hour;
      rows[at + FIRST_CONTEXT + 1] = sine;
      rows[at + FIRST_CONTEXT + 2] = cosine;
      this.averageInto(rows, at + FIRST_KNOB, this.levels, CELL_KNOBS.length, this.own[i]);
    }
  }

  readCells(network) {
    for (let cell = 0; cell < CELLS; cell++) {
      for (let k = 0; k < KPIS.length; k++) this.kpis[cell * KPIS.length + k] = KPIS[k].read(network, cell);
      for (let k = 0; k < CELL_KNOBS.length; k++) {
        this.levels[cell * CELL_KNOBS.length + k] = network.levels.of[CELL_KNOBS[k].name][cell];
      }
    }
  }

  averageInto(rows, at, table, width, cells) {
    for (let k = 0; k < width; k++) {
      let sum = 0;
      for (let j = 0; j < cells.length; j++) sum += table[cells[j] * width + k];
      rows[at + k] = sum / cells.length;
    }
  }

  /**
   * Fills every agent's reward.
   * @param {Float32Array} rewards @param {Float64Array} components of the agents' network
   * @param {Float64Array} reference of the untouched network, same users
   */
  pay(rewards, components, reference) {
    let mask = -1;
    for (let i = 0; i < this.size; i++) {
      if (this.mask[i] !== mask) {
        mask = this.mask[i];
        this.advantages(components, reference, mask);
      }
      let advantage = 0;
      const paid = this.paid[i];
      for (let j = 0; j < paid.length; j++) advantage += this.masked[paid[j]];
      rewards[i] = advantage - this.advantage[i];
      this.advantage[i] = advantage;
    }
  }

  advantages(components, reference, mask) {
    for (let cell = 0; cell < CELLS; cell++) {
      let sum = 0;
      for (let c = 0; c < COMPONENTS; c++) {
        if (mask >> c & 1) sum += components[cell * COMPONENTS + c] - reference[cell * COMPONENTS + c];
      }
      this.masked[cell] = sum;
    }
  }

  /** Moves the levels as the agents chose. @param {Int32Array} actions @param {import('./parameters.js').Levels} levels */
  apply(actions, levels) {
    for (let i = 0; i < this.size; i++) {
      const direction = ACTIONS[actions[i]];
      if (direction) levels.move(this.knob[i], this.unit[i], direction);
    }
  }
}
