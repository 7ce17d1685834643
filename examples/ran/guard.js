/**
 * Safe zones for the network: every change of a knob goes through them.
 *
 * A parameter is one knob of one cell, site or the network, named like its agent ("tilt/7"); its values are level indices. Nobody may
 * change a cell's knob more than twice an hour, one of the whole network more than once. Each cell is watched by two KPIs, the network by
 * one: where radio-link failures or refused sessions stay beyond what an untouched network shows on its worst days, the
 * last changes there are taken back, and their knobs rest, an hour at first.
 *
 * The agents are bound to their parameters (an actuator): what a zone forbids they never choose. Random actions are not
 * masked; what they ask for against the rules is refused, and counted.
 */

import { ACTIONS } from './agents.js';
import { CELLS } from './geometry.js';
import { KNOBS, defaultLevel, instances } from './parameters.js';

export const HOUR = 3_600_000;
const READING = HOUR / 2;                          // between two decisions, hence between two readings

/** Changes an hour by the reach of a knob. */
const RATES = { cell: 2, site: 2, network: 1 };

/** What is watched: limits are per period, in a row of two readings. */
export const LIMITS = Object.freeze({ cellFailures: 1, cellBlocks: 2, failures: 20 });
const CELL_DEPTH = 3;
const NETWORK_DEPTH = 2;

const nameOf = (knob, unit) => `${knob.name}/${unit}`;
const perCell = KNOBS.filter(({ scope }) => scope === 'cell');
const wide = KNOBS.filter(({ scope }) => scope === 'network');

/** @returns {import('qhive').SafeZone[]} */
function safeZones() {
  return KNOBS.flatMap((knob) => Array.from({ length: instances(knob) }, (_, unit) => ({
    parameter: nameOf(knob, unit),
    min: 0,
    max: knob.levels.length - 1,
    default: defaultLevel(knob),
    step: 1,
    maxChangesPerHour: RATES[knob.scope],
  })));
}

/** @returns {import('qhive').RollbackTrigger[]} */
function triggers() {
  const beyond = (kpi, threshold, depth, parameters) => ({ kpi, threshold, direction: /** @type {const} */ ('above'), windowMs: READING, depth, parameters });
  return [
    ...Array.from({ length: CELLS }, (_, cell) => {
      const knobs = perCell.map((knob) => nameOf(knob, cell));
      return [beyond(`failures of cell ${cell}`, LIMITS.cellFailures, CELL_DEPTH, knobs), beyond(`refusals of cell ${cell}`, LIMITS.cellBlocks, CELL_DEPTH, knobs)];
    }).flat(),
    beyond('failures', LIMITS.failures, NETWORK_DEPTH, wide.map((knob) => nameOf(knob, 0))),
  ];
}

/** An agent's configuration, bound to its parameter. @param {import('qhive').AgentConfig} config @returns {import('qhive').AgentConfig} */
export const bound = (config) => ({ ...config, actuator: { parameter: /** @type {string} */ (config.name), deltas: ACTIONS } });

/** Agents without a mind of their own: they stand for whoever asks for random changes. */
export const puppets = (knobs = KNOBS) => knobs.flatMap((knob) => Array.from({ length: instances(knob) }, (_, unit) => bound({
  name: nameOf(knob, unit), actions: ACTIONS.length, encoder: { kind: 'index', states: 1 },
})));

/** Counts of changes, and those that were taken back or (the first) refused. */
const emptyLog = () => ({
  applied: 0, refused: 0, rolledBack: 0,
  undone: /** @type {import('qhive').ParameterChange[]} */ ([]), denied: /** @type {import('qhive').ParameterChange[]} */ ([]),
});
const DENIED = 10;

/** One network's safe zones and the agents that may change it. */
export class Guard {
  /** Defines and freezes the zones of a runtime. The agents are made after this. @param {import('qhive').AgentRuntime} runtime */
  constructor(runtime) {
    this.zones = runtime.safeZones;
    this.zones.define(safeZones(), triggers(), { backOffMs: HOUR, maxBackOffMs: 24 * HOUR });
    this.zones.freeze();
    /** @type {readonly import('qhive').Agent[]} */
    this.agents = [];
    this.time = 0;
    this.log = emptyLog();
  }

  /** A network at its defaults is watched from now on. */
  open() {
    this.time = 0;
    this.zones.reset(0);
  }

  /** What has become of all changes since the last call of this. */
  takeLog() {
    const log = this.log;
    this.log = emptyLog();
    return log;
  }

  /** Half an hour has gone by: what it showed, and what that undoes. @param {import('./network.js').Network} network */
  observe(network) {
    this.time += READING;
    let failures = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      failures += network.failures[cell];
      this.read(`failures of cell ${cell}`, network.failures[cell], network.levels);
      this.read(`refusals of cell ${cell}`, network.blocks[cell], network.levels);
    }
    this.read('failures', failures, network.levels);
  }

  read(kpi, value, levels) {
    for (const change of this.zones.observe(kpi, value, this.time)) {
      const [knob, unit] = change.parameter.split('/');
      levels.of[knob][unit] = change.from;
      this.log.rolledBack++;
      this.log.undone.push(change);
    }
  }

  /**
   * Proposes what agents chose, and moves the levels that may move.
   * @param {import('./crew.js').Crew} crew whose `moved` tells what has become of it
   * @param {Int32Array} actions @param {import('./parameters.js').Levels} levels
   */
  apply(crew, actions, levels) {
    for (let i = 0; i < crew.size; i++) {
      crew.moved[i] = ACTIONS[actions[i]] === 0 ? 0 : this.move(this.agents[i], actions[i], levels.of[crew.knob[i].name], crew.unit[i]);
    }
  }

  move(agent, action, levels, unit) {
    try {
      const { from, to } = agent.apply(action, this.time);
      levels[unit] = to;
      this.log.applied++;
      return to - from;
    } catch (error) {
      if (error.code !== 'SAFE_ZONE') throw error;
      if (this.log.denied.length < DENIED) this.log.denied.push(error.change);
      this.log.refused++;
      return 0;
    }
  }
}
