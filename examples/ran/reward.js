/**
 * The network's reward, and each agent's share of it.
 *
 * Per period and cell, from what the cell's users got and what the cell drew:
 *
 *   data      sum over broadband users of ln(1 + rate / 1 Mbit/s)
 *             + 3 * sum over priority users of rate / demand
 *   uplink    0.5 * sum over users of ln(1 + uplink rate / 0.5 Mbit/s)
 *   losses    - 3 per radio-link failure or starved session - 1.5 per refused session
 *   mobility  - 1 per ping-pong - 0.1 per handover
 *   energy    - 0.01 per watt
 *
 * The reward of a period is the mean of the cells' sums. It is additive, so an agent can be paid for
 * its surroundings alone: see `crew.js`.
 */

import { CELLS, NEIGHBOURS } from './geometry.js';

/** Components of a cell's reward, in this order, `COMPONENTS` per cell. */
export const Component = Object.freeze({ DATA: 0, UPLINK: 1, LOSSES: 2, MOBILITY: 3, ENERGY: 4 });
export const COMPONENTS = 5;

export const Weight = Object.freeze({
  PRIORITY: 3, UPLINK: 0.5, DROP: 3, BLOCK: 1.5, PING_PONG: 1, HANDOVER: 0.1, WATT: 0.01,
});
export const UPLINK_SCALE = 0.5;                    // Mbit/s

/** Reward of a period: mean over cells. @param {Float64Array} components CELLS x COMPONENTS */
export function networkReward(components) {
  let sum = 0;
  for (let i = 0; i < components.length; i++) sum += components[i];
  return sum / CELLS;
}

/**
 * Sum of chosen components over a cell and its neighbours.
 * @param {Float64Array} components CELLS x COMPONENTS @param {Int32Array} neighbours CELLS x NEIGHBOURS
 * @param {number} cell @param {number} mask bit c: component c counts
 */
export function neighbourhoodReward(components, neighbours, cell, mask) {
  let sum = masked(components, cell, mask);
  for (let n = 0; n < NEIGHBOURS; n++) sum += masked(components, neighbours[cell * NEIGHBOURS + n], mask);
  return sum;
}

function masked(components, cell, mask) {
  let sum = 0;
  for (let c = 0; c < COMPONENTS; c++) if (mask >> c & 1) sum += components[cell * COMPONENTS + c];
  return sum;
}
