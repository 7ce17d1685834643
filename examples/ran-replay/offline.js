/**
 * Learning control from logged decisions, and deciding with what was learned.
 *
 * Leave one run out: the agents of run R learn from every OTHER winter and spring run with R's traffic
 * profile (11 of them), each agent from the streams of its own slice and UE position there, and never from
 * R. What they decide in R is therefore out of sample, for each of the 24 runs.
 *
 * A decision is taken about every three seconds and its consequence is logged with the next decision:
 * row i + 1 holds the reward of action i. Each is learned as a contextual bandit (discount 0): that is
 * what the estimators of qhive/evaluate can check; backlog that a decision leaves behind is seen by the
 * next one in its state.
 *
 * Tried and dropped: moving the rewards of every training run to a common mean, so that no action gains
 * from having been frequent in a rich run. Held-out reward by the direct method .3146 instead of .3136
 * (logged .3002), doubly robust .3169 both: less than the intervals' width, not worth the explanation.
 */
import { STATE, SLICES, SLICINGS, SCHEDULERS } from './logs.js';
import { isControlled, jointAction, rewardTerms, shareOut, sliceAction, SLICE_ACTIONS } from './roles.js';

/**
 * The decisions of a run from which something can be learned: state known, and a reward logged with the
 * next decision.
 *
 * @typedef {object} Transitions
 * @property {import('./logs.js').Run} run
 * @property {Int32Array} decisions row i of the run; the next state is row i + 1
 * @property {Float64Array} rewards as logged at row i + 1
 * @property {Float64Array[]} shares per slice, summing to the reward
 * @property {{ count: number, formula: number }} unrewarded decisions whose reward the log lacks, and what
 *   the formula would have given them on average
 */

/**
 * @param {import('./logs.js').Run} run
 * @returns {Transitions}
 */
export function transitionsOf(run) {
  if (!isControlled(run)) throw new Error(`run ${run.name}: rewards of ${run.family} runs are in another unit and are not learned from`);
  const width = SLICES.length * STATE.size;
  const decisions = [];
  const shares = SLICES.map(() => []);
  const unrewarded = { count: 0, formula: 0 };
  const known = (i) => rewardTerms(run.states, i * width).every((term) => !Number.isNaN(term));
  for (let i = 0; i + 1 < run.count; i++) {
    if (!known(i) || !known(i + 1)) continue;
    const terms = rewardTerms(run.states, (i + 1) * width);
    const reward = run.rewards[i + 1];
    if (Number.isNaN(reward)) {
      unrewarded.count++;
      unrewarded.formula += terms[0] + terms[1] + terms[2];
      continue;
    }
    decisions.push(i);
    shareOut(reward, terms).forEach((share, s) => shares[s].push(share));
  }
  return {
    run,
    decisions: Int32Array.from(decisions),
    rewards: Float64Array.from(decisions, (i) => run.rewards[i + 1]),
    shares: shares.map((list) => Float64Array.from(list)),
    unrewarded: { count: unrewarded.count, formula: unrewarded.formula / unrewarded.count },
  };
}

/**
 * @param {import('./logs.js').Run} held the run left out
 * @param {Iterable<import('./logs.js').Run>} runs all
 * @returns {import('./logs.js').Run[]} the runs its agents may learn from
 */
export function trainingRuns(held, runs) {
  return [...runs].filter((run) => isControlled(run) && run.name !== held.name && run.traffic === held.traffic);
}

/**
 * One agent learns what one stream of a training run did and was paid.
 *
 * @param {import('qhive').Agent} agent
 * @param {Transitions} transitions
 * @param {number} local the stream's position in its run
 * @returns {number} transitions learned; those in which the UE was absent are skipped
 */
export function learnStream(agent, transitions, local) {
  const { run, decisions, shares } = transitions;
  const stream = run.streams[local];
  const row = (i) => run.rows[i * run.streams.length + local];
  const from = new Float32Array(stream.width);
  const to = new Float32Array(stream.width);
  const load = (target, r) => { for (let c = 0; c < stream.width; c++) target[c] = stream.values[r * stream.width + c]; };
  let learned = 0;
  for (let j = 0; j < decisions.length; j++) {
    const i = decisions[j];
    if (row(i) < 0 || row(i + 1) < 0) continue;
    load(from, row(i));
    load(to, row(i + 1));
    agent.learn(from, sliceAction(run.actions[i], stream.slice), shares[stream.slice][j], to, { truncated: j === decisions.length - 1 });
    learned++;
  }
  return learned;
}

/**
 * Trains the agents of one run on the other runs of its traffic.
 *
 * @param {import('./logs.js').Run} held
 * @param {import('qhive').Agent[]} agents all, by number
 * @param {Map<string, Transitions>} transitions by run
 * @returns {number} transitions learned, over all its agents
 */
export function trainRun(held, agents, transitions) {
  const others = trainingRuns(held, [...transitions.values()].map((t) => t.run)).map((run) => transitions.get(run.name));
  let learned = 0;
  for (const own of held.streams) {
    for (const other of others) {
      const local = other.run.streams.findIndex((s) => s.slice === own.slice && s.k === own.k);
      if (local >= 0) learned += learnStream(agents[own.agent], other, local);
    }
  }
  return learned;
}

/**
 * The arbiter: the slicing whose three slices, each with its best scheduler, promise most together.
 *
 * @param {Float64Array[]} values per slice, 33 action values; the first of equals wins
 * @returns {{ action: number, value: number }} joint action 0..296 and the promised reward
 */
export function arbitrate(values) {
  let best = { action: -1, value: -Infinity };
  for (let slicing = 0; slicing < SLICINGS; slicing++) {
    const schedulers = values.map((q) => {
      let chosen = 0;
      for (let z = 1; z < SCHEDULERS; z++) if (q[slicing * SCHEDULERS + z] > q[slicing * SCHEDULERS + chosen]) chosen = z;
      return chosen;
    });
    const value = schedulers.reduce((sum, z, s) => sum + values[s][slicing * SCHEDULERS + z], 0);
    if (value > best.value) best = { action: jointAction(slicing, schedulers), value };
  }
  return best;
}

/**
 * Greedy decisions of a run's agents at its logged decisions. The UEs of a slice average their values.
 *
 * @param {Transitions} transitions of the held-out run
 * @param {import('qhive').Agent[]} agents all, by number
 * @returns {{ actions: Int16Array, values: Float64Array }} per transition; action -1 where a slice had no
 *   agent present
 */
export function decideRun({ run, decisions }, agents) {
  const actions = new Int16Array(decisions.length);
  const values = new Float64Array(decisions.length);
  const perSlice = SLICES.map(() => new Float64Array(SLICE_ACTIONS));
  const present = new Int32Array(SLICES.length);
  decisions.forEach((i, j) => {
    perSlice.forEach((q) => q.fill(0));
    present.fill(0);
    run.streams.forEach((stream, local) => {
      const row = run.rows[i * run.streams.length + local];
      if (row < 0) return;
      const q = agents[stream.agent].qValues(stream.values.subarray(row * stream.width, (row + 1) * stream.width));
      for (let a = 0; a < SLICE_ACTIONS; a++) perSlice[stream.slice][a] += q[a];
      present[stream.slice]++;
    });
    if (present.includes(0)) {
      [actions[j], values[j]] = [-1, NaN];
      return;
    }
    perSlice.forEach((q, s) => { for (let a = 0; a < SLICE_ACTIONS; a++) q[a] /= present[s]; });
    const choice = arbitrate(perSlice);
    [actions[j], values[j]] = [choice.action, choice.value];
  });
  return { actions, values };
}
