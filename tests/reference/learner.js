/**
 * A plain tabular learner, written to be read beside Sutton & Barto, Reinforcement Learning, 2nd edition, and to
 * share nothing with the core: what the core computes must come out of this as well, to the last bit.
 *
 *   rules      Q-learning (6.5), SARSA (6.4), Expected SARSA (6.6), Double Q-learning (6.7)
 *   depth      one step; n steps (7.2); replacing traces (12.7), cut at exploratory actions for Q-learning
 *              (Watkins's Q(lambda), 12.10)
 *   planning   tabular Dyna-Q (8.2) from the last outcome seen of each pair
 *   replay     uniform, prioritised
 *
 * A step, in order
 *   1. SARSA chooses the next action (it is part of its target)
 *   2. the update, or the n-step queue's, or the traces'
 *   3. the model is told, the transition stored, and planning runs
 *   4. the other rules choose the next action, from the updated values
 *
 * Decisions where the books leave room
 *   - a truncated episode bootstraps from its last observation; SARSA then draws an action it will not take
 *   - `learn` is one one-step update, whatever nStep and lambda say: it knows of no episode
 *   - n-step targets of Q-learning are not corrected for exploration; n-step and lambda exclude each other
 *   - the bootstrap of an n-step target is read when the update is made; a queue is flushed oldest first
 *   - Double Q-learning breaks ties inside an update for the first action, so updates draw one number only
 *   - visits and schedules count what was experienced (step, learn), not what was planned or replayed
 */

import { faded, moved, scheduled, stepSize, target, TRACE_FLOOR, visitRate } from './arithmetic.js';
import { createEncoder } from './encoders.js';
import { bestValue, chooseAction, bestAction, probabilities } from './policies.js';
import { Replay } from './replay.js';
import { Table } from './table.js';

const F32 = Float32Array;
const U32 = Uint32Array;

/** A number that may follow a schedule; counts its own learning steps. */
class Parameter {
  constructor(definition) {
    this.definition = definition;
    this.reset();
  }

  reset() {
    this.power = 1;
    this.value = typeof this.definition === 'number' ? this.definition : scheduled(this.definition, 1);
  }

  advance() {
    if (typeof this.definition === 'number') return;
    this.power *= this.definition.decay;
    this.value = scheduled(this.definition, this.power);
  }
}

/** Defaults of the configuration, as the package's types state them. */
export const DEFAULTS = {
  algorithm: 'q-learning',
  learningRate: 0.1,
  discount: 0.95,
  policy: { kind: 'epsilon-greedy', epsilon: 0.1 },
  initialValue: 0,
  lambda: 0,
  nStep: 1,
  planning: 0,
  tieBreak: 'random',
};

export class Learner {
  /**
   * @param {object} config an AgentConfig
   * @param {import('./random.js').Generator} generator
   */
  constructor(config, generator) {
    this.config = { ...DEFAULTS, ...config };
    this.generator = generator;
    this.encoder = createEncoder(this.config.encoder);
    const { actions, initialValue, algorithm, policy, learningRate, replay } = this.config;
    this.table = new Table({ actions, cells: this.encoder.cells, initialValue, doubled: algorithm === 'double-q' });
    this.level = new Parameter(policy.epsilon ?? policy.temperature ?? 0);
    this.rate = new Parameter(learningRate === 'visits' ? 1 : learningRate);
    this.memory = replay ? new Replay(replay) : undefined;
    this.scratchValues = new F32(actions);
    this.scratchVisits = new U32(actions);
    this.forget();
  }

  forget() {
    this.table.clear();
    this.level.reset();
    this.rate.reset();
    this.memory?.clear();
    this.model = new Map();
    this.pairs = [];
    this.leaveEpisode();
  }

  leaveEpisode() {
    this.keys = undefined;
    this.action = -1;
    this.queue = [];
    this.traces = new Map();
  }

  encode(observation) {
    const keys = new Array(this.encoder.cells);
    this.encoder.encode(observation, keys);
    return keys;
  }

  // ---------------------------------------------------------------- choosing

  decisionValues(keys) {
    return this.table.decisionValues(keys, this.scratchValues);
  }

  choose(keys, mask) {
    const { policy, tieBreak } = this.config;
    const visits = this.table.visits(keys, this.scratchVisits);
    return chooseAction(policy, this.level.value, this.decisionValues(keys), visits, mask, tieBreak, this.generator);
  }

  chooseGreedy(keys, mask) {
    return bestAction(this.decisionValues(keys), mask, this.config.tieBreak, this.generator);
  }

  probabilities(keys, mask) {
    const { policy, tieBreak } = this.config;
    const visits = this.table.visits(keys, this.scratchVisits);
    return probabilities(policy, this.level.value, this.decisionValues(keys), visits, mask, tieBreak);
  }

  // ---------------------------------------------------------------- episodes

  /** Starts an episode; returns the first action. */
  begin(observation) {
    const keys = this.encode(observation);
    this.leaveEpisode();
    this.keys = keys;
    this.action = this.choose(keys);
    return this.action;
  }

  /** Learns from the last action and chooses the next; -1 when the episode ended. `error` keeps the TD error. */
  step(reward, observation, { terminated = false, truncated = false } = {}) {
    const next = this.encode(observation);
    const ended = terminated || truncated;
    const sarsa = this.config.algorithm === 'sarsa';
    const drawn = sarsa && !terminated ? this.choose(next) : -1;
    const transition = { keys: this.keys, action: this.action, reward, next, terminated, nextAction: drawn };
    this.error = this.learnInEpisode(transition, ended);
    this.experienced(transition);
    if (ended) {
      this.leaveEpisode();
      return -1;
    }
    const action = sarsa ? drawn : this.choose(next);
    this.cutTraces(next, action);
    this.keys = next;
    this.action = action;
    return action;
  }

  learnInEpisode(transition, ended) {
    if (this.config.nStep > 1) return this.learnQueue(transition, ended);
    if (this.config.lambda > 0) return this.learnTraces(transition);
    return this.update(transition, 1, true);
  }

  /** What follows every update from experience, in an episode or not. */
  experienced(transition) {
    this.memory?.add(transition);
    this.level.advance();
    this.rate.advance();
    if (this.config.planning > 0) this.plan(transition);
  }

  /** One one-step update outside of any episode; returns the TD error. */
  learn(observation, action, reward, nextObservation, { terminated = false, nextAction = -1 } = {}) {
    const next = this.encode(nextObservation);
    const transition = { keys: this.encode(observation), action, reward, next, terminated, nextAction };
    if (this.config.algorithm === 'sarsa' && !terminated && nextAction < 0) transition.nextAction = this.choose(next);
    const error = this.update(transition, 1, true);
    this.experienced(transition);
    return error;
  }

  // ---------------------------------------------------------------- rules

  /** The value that a target is continued with after `next`, in the eyes of one table. */
  bootstrap(next, nextAction, side) {
    switch (this.config.algorithm) {
      case 'sarsa':
        return this.table.value(next, nextAction);
      case 'expected-sarsa':
        return this.expectedValue(next);
      case 'double-q': {
        const values = this.table.values(next, side, this.scratchValues);
        return this.table.value(next, bestAction(values, undefined, 'first'), 1 - side);
      }
      default:
        return bestValue(this.table.values(next, 0, this.scratchValues));
    }
  }

  expectedValue(keys) {
    const chances = this.probabilities(keys);
    const values = this.decisionValues(keys);
    let sum = 0;
    for (let action = 0; action < chances.length; action += 1) sum += chances[action] * values[action];
    return sum;
  }

  /** The table that the next update goes to. */
  drawSide() {
    return this.config.algorithm === 'double-q' ? this.generator.below(2) : 0;
  }

  /** One-step update; returns the TD error. */
  update({ keys, action, reward, next, terminated, nextAction }, weight, counted) {
    const side = this.drawSide();
    const value = terminated ? 0 : this.bootstrap(next, nextAction, side);
    const error = target(reward, this.config.discount, value) - this.table.value(keys, action, side);
    this.move(keys, action, side, error, weight, counted);
    return error;
  }

  /** Moves the cells of a pair towards its target. */
  move(keys, action, side, error, weight, counted) {
    for (let i = 0; i < keys.length; i += 1) {
      const row = this.table.row(keys[i]);
      if (counted) row.visits[action] += 1;
      const step = stepSize(this.learningRate(row, action), keys.length, weight);
      row.q[side][action] = moved(row.q[side][action], step, error);
    }
  }

  learningRate(row, action) {
    return this.config.learningRate === 'visits' ? visitRate(row.visits[action]) : this.rate.value;
  }

  // ---------------------------------------------------------------- n steps

  learnQueue(transition, ended) {
    this.queue.push(transition);
    if (!ended && this.queue.length < this.config.nStep) return 0;
    let error = 0;
    do {
      error = this.updateOldest(transition);
      this.queue.shift();
    } while (ended && this.queue.length > 0);
    return error;
  }

  updateOldest({ next, nextAction, terminated }) {
    const { keys, action } = this.queue[0];
    const side = this.drawSide();
    let value = terminated ? 0 : this.bootstrap(next, nextAction, side);
    for (let i = this.queue.length - 1; i >= 0; i -= 1) value = target(this.queue[i].reward, this.config.discount, value);
    const error = value - this.table.value(keys, action, side);
    this.move(keys, action, side, error, 1, true);
    return error;
  }

  // ---------------------------------------------------------------- traces

  learnTraces({ keys, action, reward, next, terminated, nextAction }) {
    const side = this.drawSide();
    const value = terminated ? 0 : this.bootstrap(next, nextAction, side);
    const error = target(reward, this.config.discount, value) - this.table.value(keys, action, side);
    for (const key of keys) {
      this.table.row(key).visits[action] += 1;
      this.traces.set(`${key}|${action}`, { key, action, strength: 1 });
    }
    for (const [name, trace] of this.traces) {
      const row = this.table.row(trace.key);
      const step = stepSize(this.learningRate(row, trace.action), keys.length, trace.strength);
      row.q[side][trace.action] = moved(row.q[side][trace.action], step, error);
      trace.strength = faded(trace.strength, this.config.discount, this.config.lambda);
      if (trace.strength < TRACE_FLOOR) this.traces.delete(name);
    }
    return error;
  }

  /** Watkins's cut: nothing before an exploratory action deserves credit for what follows it. */
  cutTraces(keys, action) {
    if (this.traces.size === 0 || !['q-learning', 'double-q'].includes(this.config.algorithm)) return;
    const values = this.decisionValues(keys);
    if (values[action] < bestValue(values)) this.traces.clear();
  }

  // ---------------------------------------------------------------- planning and replay

  plan(transition) {
    const name = `${transition.keys.join()}|${transition.action}`;
    if (!this.model.has(name)) this.pairs.push(name);
    this.model.set(name, transition);
    for (let i = 0; i < this.config.planning; i += 1) {
      this.rehearse(this.model.get(this.pairs[this.generator.below(this.pairs.length)]), 1);
    }
  }

  /** Learns again from a remembered transition; SARSA continues it with an action of today. */
  rehearse(transition, weight) {
    const redraw = this.config.algorithm === 'sarsa' && !transition.terminated;
    const nextAction = redraw ? this.choose(transition.next) : transition.nextAction;
    return this.update({ ...transition, nextAction }, weight, false);
  }

  /** Learns from `count` stored transitions; returns the mean size of their TD errors, 0 when none are stored. */
  replay(count) {
    if (this.memory === undefined || this.memory.items.length === 0) return 0;
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const place = this.memory.draw(this.generator);
      const error = this.rehearse(this.memory.items[place], this.memory.weight(place));
      this.memory.learned(place, error);
      sum += Math.abs(error);
    }
    return count > 0 ? sum / count : 0;
  }
}
