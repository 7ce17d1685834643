/**
 * The knobs: what each agent may turn, its levels and its default.
 *
 * Ten knobs per cell (570), one per site (19) and four of the whole network: 593. Defaults are one
 * template for the whole network, as it would be deployed; README.md shows how each uniform setting does.
 */

import { CELLS, SITES } from './geometry.js';

/**
 * @typedef {object} Knob
 * @property {string} name identifier
 * @property {string} title words for people
 * @property {string} category group of RAN features
 * @property {'cell' | 'site' | 'network'} scope
 * @property {string} unit
 * @property {readonly number[]} levels in rising order; an action moves one level
 * @property {number} default one of `levels`
 */

const knob = (name, title, category, scope, unit, levels, fallback) =>
  Object.freeze({ name, title, category, scope, unit, levels: Object.freeze(levels), default: fallback });

/** @type {readonly Knob[]} */
export const KNOBS = Object.freeze([
  knob('tilt', 'electrical down-tilt', 'coverage', 'cell', 'degrees', [4, 6, 8, 10, 12, 14, 16], 10),
  knob('power', 'transmit power', 'coverage', 'cell', 'dBm', [38, 40, 42, 44, 46, 48], 44),
  knob('offset', 'cell individual offset', 'load balancing', 'cell', 'dB', [-6, -4, -2, 0, 2, 4, 6], 0),
  knob('hysteresis', 'A3 hysteresis', 'mobility', 'cell', 'dB', [0, 1, 2, 3, 4, 5], 2),
  knob('timeToTrigger', 'A3 time to trigger', 'mobility', 'cell', 'ms', [80, 160, 320, 480, 640, 960], 320),
  knob('p0', 'uplink target P0', 'uplink power control', 'cell', 'dBm', [-100, -96, -92, -88, -84, -80, -76], -88),
  knob('alpha', 'uplink compensation alpha', 'uplink power control', 'cell', '', [0.6, 0.7, 0.8, 0.9, 1], 0.8),
  knob('sliceShare', 'PRB share of the priority slice', 'slicing', 'cell', '', [0.05, 0.1, 0.2, 0.3, 0.4, 0.5], 0.2),
  knob('sleepThreshold', 'load below which the cell sleeps', 'energy saving', 'cell', '', [0, 0.03, 0.06, 0.1, 0.15, 0.25], 0.03),
  knob('admissionThreshold', 'load above which sessions are refused', 'admission', 'cell', '', [0.8, 1, 1.3, 1.7, 2.2, 3], 2.2),
  knob('wakeThreshold', 'neighbour load that wakes sleepers', 'energy saving', 'site', '', [0.1, 0.2, 0.3, 0.4, 0.5, 0.7], 0.3),
  knob('a3Offset', 'A3 offset', 'mobility', 'network', 'dB', [0, 1, 2, 3, 4], 2),
  knob('filterCoefficient', 'layer 3 filter coefficient k', 'mobility', 'network', '', [0, 2, 4, 6, 8, 11], 4),
  knob('t310', 'radio link failure timer T310', 'mobility', 'network', 'ms', [200, 400, 600, 1000, 1500, 2000], 1000),
  knob('fairness', 'scheduler fairness exponent', 'scheduling', 'network', '', [-0.5, -0.25, 0, 0.25, 0.5], 0),
]);

const UNITS = { cell: CELLS, site: SITES, network: 1 };

/** How many agents turn a knob. @param {Knob} knob */
export const instances = (knob) => UNITS[knob.scope];

/** Agents in all. */
export const AGENTS = KNOBS.reduce((sum, knob) => sum + instances(knob), 0);

/** Level indices of all knobs of a network: one Int8Array per knob, one entry per cell, site or network. */
export class Levels {
  constructor() {
    /** @type {Record<string, Int8Array>} */
    this.of = {};
    for (const knob of KNOBS) this.of[knob.name] = new Int8Array(instances(knob)).fill(defaultLevel(knob));
  }

  /** Moves one knob one level down (-1), not at all (0) or up (1); stops at the ends. @returns {number} levels moved */
  move(knob, unit, direction) {
    const levels = this.of[knob.name];
    const before = levels[unit];
    levels[unit] = Math.min(knob.levels.length - 1, Math.max(0, before + direction));
    return levels[unit] - before;
  }

  /** Sets every unit of a knob to one level. @param {string} name @param {number} level index */
  fill(name, level) { this.of[name].fill(level); }
}

/** Index of a knob's default among its levels. @param {Knob} knob */
export function defaultLevel(knob) { return knob.levels.indexOf(knob.default); }

/** @param {string} name @returns {Knob} */
export function knobNamed(name) {
  const found = KNOBS.find((knob) => knob.name === name);
  if (!found) throw new RangeError(`no knob named ${name}`);
  return found;
}

/** Code of the entry of `features.json` that each knob's agents stand for. @type {Readonly<Record<string, string>>} */
export const FEATURES = Object.freeze({
  tilt: '28.541 digitalTilt',
  power: '28.541 configuredMaxTxPower',
  offset: '38.331 cellIndividualOffset',
  hysteresis: '38.331 hysteresis',
  timeToTrigger: '38.331 timeToTrigger',
  p0: '38.331 p0-NominalWithGrant',
  alpha: '38.331 P0-PUSCH-AlphaSet.alpha',
  sliceShare: '28.541 rRMPolicyMinRatio',
  sleepThreshold: '28.541 esActivationOriginalCellLoadParameters',
  admissionThreshold: '38.300 Radio admission control',
  wakeThreshold: '28.541 esDeactivationCandidateCellsLoadParameters',
  a3Offset: '38.331 a3-Offset',
  filterCoefficient: '38.331 filterCoefficient',
  t310: '38.331 t310',
  fairness: '38.300 Packet scheduling',
});
