/**
 * What each agent observes, does and is rewarded with.
 *
 * Two roles, by what the log can teach:
 *
 * - CONTROLLERS (288 agents: the streams of the winter and spring runs of EXPLORA). Actions were explored
 *   and logged with rewards, so control can be learned. The 297 joint actions are 11 slicings x 3
 *   schedulers in each of 3 slices, and the reward is a sum of one term per slice:
 *
 *       r = 0.07204403 brate(eMBB) + 0.00229358 packets(MTC) - 4.96e-5 buffer(URLLC)
 *
 *   How a slice schedules its own PRBs moves no PRB of another, so the term of slice s depends on the
 *   slicing and on s's own scheduler: 33 of the 297 combinations. Hence one agent per UE that learns only
 *   its slice's term over 33 actions, and an arbiter that takes the slicing with the largest sum of the
 *   slices' values, each slice with its best scheduler (Q-decomposition: Russell and Zimdars, Q-Decomposition
 *   for Reinforcement Learning Agents, ICML 2003). Nine times as many decisions fall on an action as with
 *   297, and the sum over slices of what the agents are paid is the logged reward exactly.
 *
 * - PREDICTORS (305 agents). The main runs of EXPLORA repeat a few of the 297 actions, TRACTOR's control is
 *   fixed: whatever an agent chose there, the log would go on unchanged, so no control can be learned from
 *   it and none is claimed. These agents have the one action "watch" and learn by TD(0) what their stream's
 *   own KPI will be worth beyond its mean so far, V(s) = E[sum of discount^i (r - mean)] (Sutton and Barto,
 *   2nd ed., sections 6.1 and 10.3). No logged reward is read.
 *
 * Rewards of main runs are never mixed with those of winter and spring: the unit differs by 1e5 in the
 * buffer's coefficient. `isControlled` is the only gate, and it lets no main run through.
 */

/** Columns of an EXPLORA observation, one UE: log10(1 + bytes), Mbit/s, 0..1, PRB, packets a window. */
export const EXPLORA = Object.freeze({ buffer: 0, brate: 1, ratio: 2, prb: 3, pkts: 4 });
export const EXPLORA_FIELDS = 5;

/** Columns of a TRACTOR observation: Mbit/s down + up, log10(1 + bytes), MCS, CQI, MCS up, dB up. */
export const TRACTOR = Object.freeze({ carried: 0, buffer: 1, mcs: 2, cqi: 3, mcsUp: 4, sinrUp: 5 });
export const TRACTOR_FIELDS = 6;

/** The reward formula of the winter and spring runs (recovered by regression, see the logs' README). */
export const REWARD = Object.freeze({ brate: 0.07204403, pkts: 0.00229358, buffer: 4.96e-5 });

/** Slicing x own scheduler. */
export const SLICE_ACTIONS = 33;

/** Below any reward: what has not been tried in a state is never preferred (pessimism, Jin et al. 2021). */
export const UNTRIED = -1;

/** Discount of the predictors: a horizon of about 10 rows, 10 s. */
export const PREDICTION_DISCOUNT = 0.9;

/**
 * @param {{ family: string } | undefined} run
 * @returns {boolean} whether control is learned from this run's log
 */
export function isControlled(run) {
  return run !== undefined && (run.family === 'winter' || run.family === 'spring');
}

/**
 * @param {number} action 0..296
 * @param {number} slice 0..2
 * @returns {number} 0..32, slicing * 3 + the slice's scheduler
 */
export function sliceAction(action, slice) {
  const scheduler = Math.trunc(action / 3 ** (2 - slice)) % 3;
  return Math.trunc(action / 27) * 3 + scheduler;
}

/**
 * @param {number} slicing 0..10
 * @param {number[]} schedulers one per slice
 * @returns {number} 0..296
 */
export function jointAction(slicing, schedulers) {
  return slicing * 27 + schedulers[0] * 9 + schedulers[1] * 3 + schedulers[2];
}

/** @returns {import('qhive').Dim} */
const dim = (name, min, max, bins, trend) => ({ name, min, max, bins, role: 'kpi', ...(trend ? { trend } : {}) });

/**
 * Keyed are the KPI that the slice is paid for and, where the slice can be starved, the backlog: at most 12
 * states, so that each of the 33 actions is met in each about ten times. The rest is carried, not keyed.
 *
 * Chosen among four by held-out reward (direct method, from the slices' mean states): no state at all .3124,
 * backlog only .3115, this .3153, about twice as fine .3152; logged .3002. So much the figures owe to choice.
 */
const CONTROLLER_DIMS = [
  [dim('log buffer', 0, 6, 3), dim('brate', 0, 4.8, 4), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 260, 0)],
  [dim('log buffer', 0, 6, 0), dim('brate', 0, 4.8, 0), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 80, 4)],
  [dim('log buffer', 0, 6, 3), dim('brate', 0, 4.8, 0), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 260, 0)],
];

/** Level and drift of the KPI that is predicted, and the backlog. */
const PREDICTOR_DIMS = [
  [dim('log buffer', 0, 6, 2), dim('brate', 0, 6, 10, 0.2), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 260, 0)],
  [dim('log buffer', 0, 6, 0), dim('brate', 0, 6, 0), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 120, 10, 0.2)],
  [dim('log buffer', 0, 6, 6, 0.2), dim('brate', 0, 6, 0), dim('granted', 0, 1, 0), dim('PRB', 0, 50, 0), dim('packets', 0, 260, 0)],
];

const TRACTOR_DIMS = [
  dim('carried', 0, 6, 10, 0.2), dim('log buffer', 0, 6, 2), dim('MCS', 0, 28, 0), dim('CQI', 0, 15, 0), dim('MCS up', 0, 28, 0), dim('SINR up', 0, 40, 0),
];

/**
 * @param {import('./logs.js').Stream} stream
 * @param {boolean} controls
 * @returns {import('qhive').AgentConfig}
 */
export function configOf(stream, controls) {
  if (controls) {
    return {
      name: stream.name, category: `explora ${stream.slice}`, actions: SLICE_ACTIONS,
      encoder: { kind: 'bins', dims: CONTROLLER_DIMS[stream.slice] },
      learningRate: 'visits', discount: 0, initialValue: UNTRIED, policy: { kind: 'greedy' }, tieBreak: 'first',
    };
  }
  return {
    name: stream.name, category: stream.source, actions: 1,
    encoder: { kind: 'bins', dims: stream.source === 'tractor' ? TRACTOR_DIMS : PREDICTOR_DIMS[stream.slice] },
    learningRate: 0.1, discount: PREDICTION_DISCOUNT, policy: { kind: 'greedy' }, tieBreak: 'first',
  };
}

/**
 * The reward of one row of a stream, from its own KPIs: the UE's term of the formula above, or for TRACTOR
 * the traffic carried in both directions.
 *
 * @param {import('./logs.js').Stream} stream
 * @param {number} row
 * @returns {number} EXPLORA: reward units of the winter and spring runs; TRACTOR: Mbit/s
 */
export function streamReward(stream, row) {
  const at = row * stream.width;
  if (stream.source === 'tractor') return stream.values[at + TRACTOR.carried];
  if (stream.slice === 0) return REWARD.brate * stream.values[at + EXPLORA.brate];
  if (stream.slice === 1) return REWARD.pkts * stream.values[at + EXPLORA.pkts];
  return -REWARD.buffer * (10 ** stream.values[at + EXPLORA.buffer] - 1);
}

/**
 * The formula, per slice, from the mean state of the slices that a decision logs.
 *
 * @param {ArrayLike<number>} states three slices x (n, buffer bytes, brate, ratio, PRB, packets)
 * @param {number} start where the decision's numbers begin
 * @returns {number[]} the terms of eMBB, MTC, URLLC; NaN where the slice had no row
 */
export function rewardTerms(states, start) {
  return [REWARD.brate * states[start + 2], REWARD.pkts * states[start + 6 + 5], -REWARD.buffer * states[start + 12 + 1]];
}

/**
 * A logged reward divided among the slices: each its term of the formula, and an equal share of what the
 * formula leaves unexplained, so that the shares sum to the logged reward.
 *
 * @param {number} reward as logged
 * @param {number[]} terms of rewardTerms
 * @returns {number[]} one per slice
 */
export function shareOut(reward, terms) {
  const rest = (reward - terms[0] - terms[1] - terms[2]) / 3;
  return terms.map((term) => term + rest);
}
