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
 *   1. the visit is counted
 *   2. SARSA (whose target it is part of) and every rule with traces (which it may cut) choose the next action
 *   3. the update, or the n-step queue's, or the traces'
 *   4. schedules move on, the transition is stored
 *   5. the other rules choose the next action, from the updated values
 *   6. the model is told, and planning runs (5 and 6 change places with PLAN_BEFORE_CHOOSING)
 *
 * Decisions where the books leave room
 *   - a truncated episode bootstraps from its last observation; SARSA then draws an action it will not take
 *   - `learn` is one one-step update, whatever nStep and lambda say: it knows of no episode
 *   - n-step targets of Q-learning are not corrected for exploration; n-step and lambda exclude each other
 *   - the bootstrap of an n-step target is read when the update is made; a queue is flushed oldest first
 *   - n-step, traces: Double Q-learning takes the former, not the latter; planning needs one key per observation
 *   - replayed SARSA transitions continue with the action that was taken then, planned ones with one of today
 *   - planning draws a state uniformly in the order of first visits, then one of the actions taken in it
 *   - visits and schedules count what was experienced (step, learn), not what was planned or replayed
 */

import { faded, moved, PLAN_BEFORE_CHOOSING, REPLAY_CHUNK, scheduled, target, TRACE_FLOOR, visitRate } from './arithmetic.js';
import { createEncoder } from './encoders.js';
import { bestAction, bestValue, chooseAction, expectation, probabilities } from './policies.js';
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
        this.lastProbability = NaN;
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

    probabilities(keys, mask, policy = this.config.policy) {
        const { tieBreak } = this.config;
        const visits = this.table.visits(keys, this.scratchVisits);
        return probabilities(policy, this.level.value, this.decisionValues(keys), visits, mask, tieBreak);
    }

    /** Chooses an action to be taken, and keeps the probability with which it was chosen. */
    decide(keys, { mask, greedy = false } = {}) {
        const action = greedy ? this.chooseGreedy(keys, mask) : this.choose(keys, mask);
        this.lastProbability = Math.fround(this.probabilities(keys, mask, greedy ? { kind: 'greedy' } : undefined)[action]);
        return action;
    }

    // ---------------------------------------------------------------- episodes

    /** Starts an episode; returns the first action. */
    begin(observation) {
        const keys = this.encode(observation);
        this.leaveEpisode();
        this.keys = keys;
        this.observation = observation;
        this.action = this.decide(keys);
        this.taken = this.lastProbability;
        return this.action;
    }

    /** Learns from the last action and chooses the next; -1 when the episode ended. `error` keeps the TD error. */
    step(reward, observation, { terminated = false, truncated = false } = {}) {
        const next = this.encode(observation);
        const ended = terminated || truncated;
        const sarsa = this.config.algorithm === 'sarsa';
        this.visit(this.keys, this.action);
        let chosen = (sarsa || this.config.lambda > 0) && !terminated ? this.decide(next) : -1;
        const transition = {
            keys: this.keys, action: this.action, reward, next, terminated, truncated, nextAction: sarsa ? chosen : -1,
            observation: this.observation, nextObservation: observation, probability: this.taken,
        };
        this.error = this.learnInEpisode(transition, chosen, ended);
        this.experienced(transition);
        if (PLAN_BEFORE_CHOOSING) this.plan(transition);
        if (chosen < 0 && !ended) chosen = this.decide(next);
        if (!PLAN_BEFORE_CHOOSING) this.plan(transition);
        if (ended) {
            this.leaveEpisode();
            this.lastProbability = NaN;
            return -1;
        }
        this.keys = next;
        this.observation = observation;
        this.taken = this.lastProbability;
        this.action = chosen;
        return chosen;
    }

    learnInEpisode(transition, chosen, ended) {
        if (this.config.nStep > 1) return this.learnQueue(transition, ended);
        if (this.config.lambda > 0) return this.learnTraces(transition, chosen);
        return this.update(transition, 1);
    }

    /** What follows every update from experience, in an episode or not. */
    experienced(transition) {
        this.memory?.add(transition);
        this.level.advance();
        this.rate.advance();
    }

    visit(keys, action) {
        for (const key of keys) this.table.row(key).visits[action] += 1;
    }

    /** One one-step update outside of any episode; returns the TD error. */
    learn(observation, action, reward, nextObservation, { terminated = false, truncated = false, nextAction = -1, probability = NaN } = {}) {
        const next = this.encode(nextObservation);
        const transition = {
            keys: this.encode(observation), action, reward, next, terminated, truncated, nextAction, observation, nextObservation, probability: Math.fround(probability),
        };
        this.visit(transition.keys, action);
        const error = this.update(transition, 1);
        this.experienced(transition);
        this.plan(transition);
        return error;
    }

    // ---------------------------------------------------------------- rules

    /** The value that a target is continued with after `next`, in the eyes of one table. */
    bootstrap(next, nextAction, side) {
        switch (this.config.algorithm) {
            case 'sarsa':
                return this.table.value(next, nextAction < 0 ? this.choose(next) : nextAction);
            case 'expected-sarsa':
                return this.expectedValue(next);
            case 'double-q': {
                const values = this.table.values(next, side, this.scratchValues);
                return this.table.value(next, bestAction(values, undefined, this.config.tieBreak, this.generator), 1 - side);
            }
            default:
                return bestValue(this.table.values(next, 0, this.scratchValues));
        }
    }

    expectedValue(keys) {
        const { policy, tieBreak } = this.config;
        const visits = this.table.visits(keys, this.scratchVisits);
        return expectation(policy, this.level.value, this.decisionValues(keys), visits, tieBreak);
    }

    /** The table that the next update goes to. */
    drawSide() {
        return this.config.algorithm === 'double-q' ? this.generator.below(2) : 0;
    }

    /** One-step update; returns the TD error. */
    update({ keys, action, reward, next, terminated, nextAction }, weight) {
        const side = this.drawSide();
        const value = terminated ? 0 : this.bootstrap(next, nextAction, side);
        const error = target(reward, this.config.discount, value) - this.table.value(keys, action, side);
        this.move(keys, action, side, error, weight);
        return error;
    }

    /** Moves the cells of a pair towards its target. */
    move(keys, action, side, error, weight) {
        for (let i = 0; i < keys.length; i += 1) this.moveCell(keys[i], action, side, error, weight);
    }

    moveCell(key, action, side, error, weight) {
        const row = this.table.row(key);
        row.q[side][action] = moved(row.q[side][action], this.learningRate(row, action), this.encoder.cells, weight, error);
    }

    learningRate(row, action) {
        return this.config.learningRate === 'visits' ? visitRate(row.visits[action]) : this.rate.value;
    }

    // ---------------------------------------------------------------- n steps

    learnQueue(transition, ended) {
        this.queue.push(transition);
        if (!ended && this.queue.length < this.config.nStep) return 0;
        let error;
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
        this.move(keys, action, side, error, 1);
        return error;
    }

    // ---------------------------------------------------------------- traces

    learnTraces({ keys, action, reward, next, terminated, nextAction }, chosen) {
        const explored = chosen >= 0 && this.explores(next, chosen);
        const value = terminated ? 0 : this.bootstrap(next, nextAction, 0);
        const error = target(reward, this.config.discount, value) - this.table.value(keys, action);
        for (const key of keys) this.traces.set(`${key}|${action}`, { key, action, strength: 1 });
        for (const trace of this.traces.values()) this.moveCell(trace.key, trace.action, 0, error, trace.strength);
        if (explored) this.traces.clear();
        else this.fadeTraces();
        return error;
    }

    /** Watkins's cut: nothing before an exploratory action deserves credit for what follows it. */
    explores(keys, action) {
        if (this.config.algorithm !== 'q-learning') return false;
        const values = this.decisionValues(keys);
        return values[action] < bestValue(values);
    }

    fadeTraces() {
        for (const [name, trace] of this.traces) {
            trace.strength = faded(trace.strength, this.config.discount, this.config.lambda);
            if (trace.strength < TRACE_FLOOR) this.traces.delete(name);
        }
    }

    // ---------------------------------------------------------------- planning and replay

    /** The model keeps, for each state, the last outcome of each action taken in it. */
    plan(transition) {
        if (this.config.planning === 0) return;
        const [key] = transition.keys;
        if (!this.model.has(key)) this.model.set(key, []);
        this.model.get(key)[transition.action] = { ...transition, nextAction: -1 };
        const states = [...this.model.values()];
        for (let i = 0; i < this.config.planning; i += 1) {
            const known = states[this.generator.below(states.length)].filter((outcome) => outcome !== undefined);
            this.update(known[this.generator.below(known.length)], 1);
        }
    }

    /** Learns from `count` stored transitions; returns the mean size of their TD errors, 0 when none are stored. */
    replay(count) {
        if (this.memory === undefined || this.memory.items.length === 0 || count === 0) return 0;
        let sum = 0;
        for (let left = count; left > 0; left -= REPLAY_CHUNK) sum += this.replayChunk(Math.min(left, REPLAY_CHUNK));
        return sum / count;
    }

    replayChunk(count) {
        const places = this.memory.drawMany(count, this.generator);
        const weights = this.memory.weights(places);
        let sum = 0;
        places.forEach((place, i) => {
            const error = this.update(this.memory.items[place], weights[i]);
            this.memory.learned(place, error);
            sum += Math.abs(error);
        });
        return sum;
    }
}
