/**
 * The streams drive their agents: row j of every stream goes to its agent, all agents in one batch call.
 *
 * Predictors step (and learn) on every row. Their reward is the row's own KPI less its mean so far, so what
 * they learn is by how much the coming rows will differ from the past: a state never met says 0, "as ever".
 * Controllers act greedily on every row of their own run, which
 * they never learned from, in the shadow of the logged control: what they choose is counted, not executed.
 */
import { PREDICTION_DISCOUNT, streamReward } from './roles.js';

/** Rows after which 1 % of the return is left: a value is judged only where so much future is logged. */
export const HORIZON = Math.ceil(Math.log(0.01) / Math.log(PREDICTION_DISCOUNT));

/**
 * Drives agents whose streams may differ in length through one batch, which shrinks as streams end.
 */
class Convoy {
  /**
   * @param {import('qhive').AgentRuntime} runtime
   * @param {import('qhive').Agent[]} agents by number
   * @param {import('./logs.js').Stream[]} streams to drive
   */
  constructor(runtime, agents, streams) {
    this.runtime = runtime;
    this.agents = agents;
    this.streams = [...streams].sort((a, b) => b.length - a.length || a.agent - b.agent);
    this.batch = undefined;
  }

  /**
   * The streams that have a row j, their batch ready with that row as observation.
   *
   * @param {number} j
   * @returns {import('./logs.js').Stream[]} empty when all have ended
   */
  load(j) {
    let going = this.streams.length;
    while (going > 0 && this.streams[going - 1].length <= j) going--;
    if (!this.batch || going < this.streams.length) {
      this.free();
      this.streams.length = going;
      if (going > 0) this.batch = this.runtime.batch(this.streams.map((s) => this.agents[s.agent]));
    }
    const { streams, batch } = this;
    if (going === 0) return streams;
    const { observations, stride } = batch;
    for (let i = 0; i < going; i++) {
      const { values, width } = streams[i];
      for (let c = 0; c < width; c++) observations[i * stride + c] = values[j * width + c];
    }
    return streams;
  }

  /** Gives the batch back. */
  free() {
    this.batch?.free();
    this.batch = undefined;
  }
}

/**
 * What a predictor knew at each row, before it saw the next.
 *
 * @typedef {object} Prediction
 * @property {import('./logs.js').Stream} stream
 * @property {Float32Array} rewards of each row, from its own KPIs
 * @property {Float64Array} means of the rewards up to and with each row
 * @property {Float32Array} values V(s) at each row, learned from rows up to that one only
 */

/**
 * @param {import('./logs.js').Stream} stream
 * @returns {Prediction} with nothing predicted yet
 */
function unpredicted(stream) {
  const rewards = Float32Array.from({ length: stream.length }, (_, j) => streamReward(stream, j));
  let total = 0;
  const means = Float64Array.from(rewards, (r, j) => (total += r) / (j + 1));
  return { stream, rewards, means, values: new Float32Array(stream.length) };
}

/**
 * Steps the predictors along row j.
 *
 * @param {Convoy} convoy
 * @param {number} j
 * @param {Map<import('./logs.js').Stream, Prediction>} predictions values are written at row j
 * @param {import('qhive').Agent[]} agents
 * @returns {number} agents stepped
 */
function predictRow(convoy, j, predictions, agents) {
  const streams = convoy.load(j);
  const { batch } = convoy;
  if (streams.length === 0) return 0;
  if (j === 0) {
    batch.begin();
  } else {
    const { rewards, endings } = batch;
    streams.forEach((stream, i) => {
      const own = predictions.get(stream);
      rewards[i] = own.rewards[j] - own.means[j];
      endings[i] = j === stream.length - 1 ? 2 : 0;
    });
    batch.step();
  }
  for (const stream of streams) {
    const observation = stream.values.subarray(j * stream.width, (j + 1) * stream.width);
    predictions.get(stream).values[j] = agents[stream.agent].qValues(observation)[0];
  }
  return streams.length;
}

/**
 * The controllers act on row j.
 *
 * @param {Convoy} convoy
 * @param {number} j
 * @param {Float64Array} chosen counts per action, added to
 * @returns {number} agents that acted
 */
function shadowRow(convoy, j, chosen) {
  const { length } = convoy.load(j);
  if (length === 0) return 0;
  convoy.batch.act({ greedy: true });
  const { actions } = convoy.batch;
  for (let i = 0; i < length; i++) chosen[actions[i]]++;
  return length;
}

/**
 * Drives all agents along all rows.
 *
 * @param {import('qhive').AgentRuntime} runtime
 * @param {import('qhive').Agent[]} agents by number
 * @param {import('./logs.js').Stream[]} predictors
 * @param {import('./logs.js').Stream[]} controllers
 * @param {{ now?: () => number, progress?: (rows: number) => void }} [options] now: ms, for the latency figures
 * @returns {{ predictions: Prediction[], chosen: Float64Array, steps: number, acts: number, rowTimes: Float64Array }}
 *   rowTimes: ms of each row with every agent going
 */
export function drive(runtime, agents, predictors, controllers, { now = () => 0, progress = () => {} } = {}) {
  const predictions = new Map(predictors.map((stream) => [stream, unpredicted(stream)]));
  const convoys = [new Convoy(runtime, agents, predictors), new Convoy(runtime, agents, controllers)];
  const chosen = new Float64Array(Math.max(1, ...agents.map((a) => a.config.actions)));
  const times = [];
  let [steps, acts] = [0, 0];
  for (let j = 0, going = -1; going !== 0; j++) {
    const start = now();
    const stepped = predictRow(convoys[0], j, predictions, agents);
    const acted = shadowRow(convoys[1], j, chosen);
    going = stepped + acted;
    if (going === predictors.length + controllers.length) times.push(now() - start);
    [steps, acts] = [steps + stepped, acts + acted];
    progress(going);
  }
  for (const convoy of convoys) convoy.free();
  return { predictions: [...predictions.values()], chosen, steps, acts, rowTimes: Float64Array.from(times) };
}

/**
 * How well one agent predicted the second half of its stream, against two forecasts that need no learning:
 * the mean reward so far, and the last reward, each for ever.
 *
 * @param {Prediction} prediction
 * @returns {{ rows: number, squares: { learned: number, mean: number, last: number } }} rows judged, summed
 *   squared errors against the realised discounted return
 */
export function judge({ rewards, means, values }) {
  const n = rewards.length;
  const returns = new Float64Array(n);
  for (let j = n - 2; j >= 0; j--) returns[j] = rewards[j + 1] + PREDICTION_DISCOUNT * returns[j + 1];
  const squares = { learned: 0, mean: 0, last: 0 };
  const forEver = 1 / (1 - PREDICTION_DISCOUNT);
  let rows = 0;
  for (let j = Math.ceil(n / 2); j < n - HORIZON; j++) {
    rows++;
    squares.learned += (means[j] * forEver + values[j] - returns[j]) ** 2;
    squares.mean += (means[j] * forEver - returns[j]) ** 2;
    squares.last += (rewards[j] * forEver - returns[j]) ** 2;
  }
  return { rows, squares };
}
