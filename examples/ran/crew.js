/**
 * The crew: fills the agents' rows, applies their actions, pays them, and lets peers share experience.
 *
 * Paid: the difference reward (Wolpert and Tumer, "Optimal payoff functions for members of
 * collectives", 2001) of its surroundings,
 *
 *   r_i = sum over j in N(i), c in C(k) of  u_jc - u0_jc   - cost   if it moved, else 0
 *
 * u are the reward components (`reward.js`) of the network over the periods up to the next decision, u0
 * those of its twin, a copy made at the decision in which every agent kept its level; both
 * serve the same users. N(i) is the cell and its eight neighbours (for a site: its cells and their
 * neighbours; for the network: all cells; for knobs that touch nobody else: the cell), C(k) the
 * components that knob k can move. So a cell that pushes its users or its interference onto a
 * neighbour pays for it, the traffic's own ups and downs cancel, and what remains of the others' moves
 * has no sign of its own. The twin exists in training only.
 *
 * Shared: a move's outcome is also learned by the agent's peers, the same knob elsewhere: on sites of
 * the same height class where the knob is one of propagation, in areas of the same kind where it is one
 * of traffic, on all otherwise. A keep pays 0 by
 * definition and teaches nobody anything; a step past the last level pays the cost and moves nothing.
 */

import { ACTIONS, CELL_KNOBS, FIRST_CONTEXT, FIRST_KNOB, FIRST_KPI, KPIS, LOCAL, STRIDE, movesOf } from './agents.js';
import { CELL_AREAS, SITE_HEIGHTS } from './city.js';
import { CELLS, NEIGHBOURS, SECTORS } from './geometry.js';
import { NEIGHBOUR_TABLE } from './network.js';
import { KNOBS, instances } from './parameters.js';
import { COMPONENTS } from './reward.js';

/** What a change costs: a gain must stand out from the noise of the sum it is read from, which grows with its root. */
export const MOVE_COST = 0.15;
/** The same for the knobs that touch their own cell alone. */
export const LOCAL_MOVE_COST = 0.05;
const ROW = FIRST_KNOB + CELL_KNOBS.length;
const HEIGHT_CLASSES = [23, 32];                            // m, upper limits of low and middle
const OF_TRAFFIC = new Set(['sliceShare', 'admissionThreshold', 'sleepThreshold']);
const OF_PROPAGATION = new Set(['tilt', 'power', 'p0', 'alpha']);

/** Cells an agent answers for, and the cells whose reward it shares. */
function surroundings(knob, unit) {
  if (knob.scope === 'network') return { own: range(0, CELLS), paid: range(0, CELLS) };
  const own = knob.scope === 'site' ? range(unit * SECTORS, SECTORS) : [unit];
  if (LOCAL.has(knob.name)) return { own, paid: own };
  const near = own.flatMap((cell) => Array.from(NEIGHBOUR_TABLE.subarray(cell * NEIGHBOURS, (cell + 1) * NEIGHBOURS)));
  return { own, paid: [...new Set([...own, ...near])] };
}

const range = (from, count) => Array.from({ length: count }, (_, i) => from + i);

/** A shared experience has no next state of the peer's own; with discount 0 none is needed. */
const TERMINAL = Object.freeze({ terminated: true });

/** Everything needed to fill rows and rewards without allocating. */
export class Crew {
  /** @param {readonly import('./parameters.js').Knob[]} [knobs] those that agents turn; the others stay as they are */
  constructor(knobs = KNOBS) {
    this.knob = [];
    this.unit = [];
    this.own = [];
    this.paid = [];
    this.mask = [];
    for (const knob of knobs) {
      for (let unit = 0; unit < instances(knob); unit++) {
        const { own, paid } = surroundings(knob, unit);
        this.knob.push(knob);
        this.unit.push(unit);
        this.own.push(Int32Array.from(own));
        this.paid.push(Int32Array.from(paid));
        this.mask.push(movesOf(knob));
      }
    }
    this.size = this.knob.length;
    this.moved = new Int8Array(this.size);                   // levels moved by the last actions
    this.peers = this.findPeers();
    this.before = new Float32Array(this.size * STRIDE);      // what is shared: rows, actions and rewards of the decision
    this.chosen = new Int32Array(this.size);
    this.paidOut = new Float32Array(this.size);
    this.sharing = 0;                                        // whose move is being shared,
    this.taught = 0;                                         // and how many of its peers have learned from it
    this.kpis = new Float32Array(CELLS * KPIS.length);
    this.levels = new Float32Array(CELLS * CELL_KNOBS.length);
    this.masked = new Float64Array(CELLS);
  }

  /** Peers of each agent: Int32Arrays of agent numbers. */
  findPeers() {
    const groups = new Map();
    const keys = this.knob.map((knob, i) => {
      if (OF_PROPAGATION.has(knob.name)) {
        const height = SITE_HEIGHTS[this.unit[i] / SECTORS | 0];
        return `${knob.name} ${HEIGHT_CLASSES.filter((limit) => height > limit).length}`;
      }
      return OF_TRAFFIC.has(knob.name) ? `${knob.name} ${CELL_AREAS[this.unit[i]]}` : knob.name;
    });
    keys.forEach((key, i) => groups.set(key, [...(groups.get(key) ?? []), i]));
    return keys.map((key, i) => Int32Array.from(groups.get(key).filter((other) => other !== i)));
  }

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
   * @param {Float32Array} rewards @param {Int32Array} actions what they did
   * @param {Float64Array} components of the network, CELLS x COMPONENTS, mean over the periods since the decision
   * @param {Float64Array} twin the same of the network in which all kept
   */
  pay(rewards, actions, components, twin) {
    let mask = -1;
    for (let i = 0; i < this.size; i++) {
      const cost = this.paid[i].length === 1 ? LOCAL_MOVE_COST : MOVE_COST * Math.sqrt(this.paid[i].length);
      rewards[i] = ACTIONS[actions[i]] === 0 ? 0 : -cost;
      if (this.moved[i] === 0) continue;
      if (this.mask[i] !== mask) {
        mask = this.mask[i];
        this.maskDifferences(components, twin, mask);
      }
      const paid = this.paid[i];
      let sum = 0;
      for (let j = 0; j < paid.length; j++) sum += this.masked[paid[j]];
      rewards[i] = sum - cost;
    }
  }

  /**
   * Keeps what the peers of everyone who moved are to learn from. To be called before the rows are filled anew.
   * @param {import('qhive').Batch} batch whose rows, actions and rewards are those of the decision
   */
  openShare(batch) {
    this.before.set(batch.observations);
    this.paidOut.set(batch.rewards);
    this.chosen.set(batch.actions);
    this.sharing = this.taught = 0;
  }

  /** Lets the peers learn. After an error of an agent, calling it again goes on with that agent. */
  share({ agents }) {
    for (; this.sharing < this.size; this.sharing++, this.taught = 0) {
      const i = this.sharing;
      if (this.moved[i] === 0) continue;
      const row = this.before.subarray(i * STRIDE, i * STRIDE + ROW);
      const peers = this.peers[i];
      for (; this.taught < peers.length; this.taught++) {
        agents[peers[this.taught]].learn(row, this.chosen[i], this.paidOut[i], row, TERMINAL);
      }
    }
  }

  maskDifferences(components, twin, mask) {
    for (let cell = 0; cell < CELLS; cell++) {
      let sum = 0;
      for (let c = 0; c < COMPONENTS; c++) {
        if (mask >> c & 1) sum += components[cell * COMPONENTS + c] - twin[cell * COMPONENTS + c];
      }
      this.masked[cell] = sum;
    }
  }

  /** Moves the levels as the agents chose. @param {Int32Array} actions @param {import('./parameters.js').Levels} levels */
  apply(actions, levels) {
    for (let i = 0; i < this.size; i++) {
      const direction = ACTIONS[actions[i]];
      this.moved[i] = direction ? levels.move(this.knob[i], this.unit[i], direction) : 0;
    }
  }
}
