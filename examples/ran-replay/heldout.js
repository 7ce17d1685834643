/**
 * What the learned decisions would have earned in the runs they never saw, by `qhive/evaluate`.
 *
 * Every figure is a GAIN over the mean logged reward of the same run: rewards are centred on their run's
 * mean first, so that no estimator profits from weighting a rich run more than a poor one.
 *
 * Direct method. A table of mean reward terms by (coarse state of the slice, slicing, the slice's
 * scheduler), counted in the held-out run itself, of which the policy saw nothing (so it cannot have chosen
 * its actions by this table's luck), cross-fitted over five stretches of time, shrunk to the action's mean
 * and that to the run's. It assumes: a slice's term depends on no other slice's scheduler; within a cell of
 * the state, logged and learned policy meet the same UEs (no confounding beyond the cell); one decision's
 * consequence is in the next report, and following the learned policy would not lead to other states.
 *
 * SNIPS and doubly robust. Per slice, on its 33 actions, with the first of these assumptions but not the
 * second's table; and jointly, on all 297 actions, without either. No propensities were logged: the
 * behaviour policy is estimated per run from its own actions (rewards unread), tabular with smoothing.
 *
 * Intervals are bootstrapped over runs, the unit that is independent: 24 of them.
 */
import { bootstrapInterval, coverage, crossFitRewardModel, estimatePropensities, evaluatePolicy, importanceWeights } from 'qhive/evaluate';
import { ACTIONS, SLICES, STATE, logBytes } from './logs.js';
import { SLICE_ACTIONS, sliceAction } from './roles.js';

/** Pseudo-observations of the reward model, of the behaviour policy's contexts, and pseudo-counts per action. */
const PSEUDO = Object.freeze({ reward: 3, backoff: 20, slice: 1, joint: 0.1 });

/** Stretches of time over which the reward model is cross-fitted. */
const FOLDS = 5;

/** Resamples of the 24 runs. */
const REPLICATES = 2000;

const ESTIMATORS = ['directMethod', 'doublyRobust', 'snips'];

/**
 * The slice's state as the evaluation's tables see it: backlog by two decades, and in steps the KPI that
 * the slice is paid for.
 *
 * @param {ArrayLike<number>} states
 * @param {number} start of the decision
 * @param {number} slice
 * @returns {number} a small integer
 */
export function cellOf(states, start, slice) {
  const at = start + slice * STATE.size;
  const backlog = Math.min(2, Math.trunc(logBytes(states[at + STATE.buffer]) / 2));
  if (slice === 0) return backlog * 4 + Math.min(3, Math.trunc(states[at + STATE.brate] / 1.2));
  return slice === 1 ? Math.min(3, Math.trunc(states[at + STATE.pkts] / 20)) : backlog;
}

/**
 * @param {Float64Array | number[]} values
 * @returns {number}
 */
function meanOf(values) {
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
}

/**
 * One slice of one held-out run.
 *
 * @param {import('./offline.js').Transitions} transitions
 * @param {number[]} kept transitions with a decision
 * @param {ArrayLike<number>} chosen joint action per transition
 * @param {number} slice
 * @returns {{ evaluation: import('qhive/evaluate').PolicyEvaluation, weights: Float64Array }}
 */
function evaluateSlice({ run, decisions, shares }, kept, chosen, slice) {
  const width = SLICES.length * STATE.size;
  const logged = kept.map((j) => shares[slice][j]);
  const mean = meanOf(logged);
  const log = {
    actionCount: SLICE_ACTIONS,
    contexts: kept.map((j) => cellOf(run.states, decisions[j] * width, slice)),
    actions: kept.map((j) => sliceAction(run.actions[decisions[j]], slice)),
    rewards: logged.map((r) => r - mean),
    targetActions: kept.map((j) => sliceAction(chosen[j], slice)),
  };
  const { propensities } = estimatePropensities({ ...log, smoothing: PSEUDO.slice, backoff: PSEUDO.backoff });
  const folds = kept.map((_, j) => Math.trunc((j * FOLDS) / kept.length));
  const model = crossFitRewardModel({ ...log, folds, pseudoCount: PSEUDO.reward });
  const full = { ...log, propensities, model };
  return { evaluation: evaluatePolicy(full), weights: importanceWeights(full) };
}

/**
 * The logged decisions valued by the direct method as if they were a policy's: what it reports beyond 0 is
 * its own error, since rare actions are shrunk to the mean.
 *
 * @param {import('./offline.js').Transitions} transitions
 * @param {number[]} kept
 * @returns {number} gain per decision
 */
function placeboOf(transitions, kept) {
  const { run, decisions } = transitions;
  const logged = Array.from(decisions, (i) => run.actions[i]);
  return SLICES.reduce((sum, _, s) => sum + evaluateSlice(transitions, kept, logged, s).evaluation.directMethod.value, 0);
}

/**
 * One held-out run: gains of the learned decisions per slice, and jointly.
 *
 * @param {import('./offline.js').Transitions} transitions
 * @param {{ actions: ArrayLike<number>, values: ArrayLike<number> }} decided by decideRun
 * @returns {object} n, logged mean, slices' evaluations, the joint one, and the learners' own promise
 */
export function evaluateRun(transitions, { actions, values }) {
  const { run, decisions, rewards } = transitions;
  const kept = [...decisions.keys()].filter((j) => actions[j] >= 0);
  const logged = meanOf(kept.map((j) => rewards[j]));
  const joint = {
    actionCount: ACTIONS,
    actions: kept.map((j) => run.actions[decisions[j]]),
    rewards: kept.map((j) => rewards[j] - logged),
    targetActions: kept.map((j) => actions[j]),
  };
  const full = { ...joint, propensities: estimatePropensities({ ...joint, smoothing: PSEUDO.joint }).propensities };
  return {
    run, n: kept.length, logged,
    placebo: placeboOf(transitions, kept),
    promised: meanOf(kept.map((j) => values[j])),
    slices: SLICES.map((_, s) => evaluateSlice(transitions, kept, actions, s)),
    joint: { evaluation: evaluatePolicy(full), weights: importanceWeights(full) },
  };
}

/**
 * Gain of some runs together. The means add up weighted by decisions; SNIPS is a ratio of sums.
 *
 * @param {object[]} parts evaluations of one slice (or of the joint actions), one per run
 * @param {'directMethod' | 'doublyRobust' | 'snips'} estimator
 * @returns {number}
 */
function pooled(parts, estimator) {
  let [top, bottom] = [0, 0];
  for (const { evaluation } of parts) {
    const { n } = evaluation;
    top += n * (estimator === 'snips' ? evaluation.ips.value : evaluation[estimator].value);
    bottom += n * (estimator === 'snips' ? evaluation.coverage.meanWeight : 1);
  }
  return top / bottom;
}

/**
 * @param {object[]} runs of evaluateRun
 * @param {'directMethod' | 'doublyRobust' | 'snips' | 'jointSnips'} estimator
 * @returns {number} the gain per decision, summed over slices
 */
function gainOf(runs, estimator) {
  if (estimator === 'jointSnips') return pooled(runs.map((r) => r.joint), 'snips');
  return SLICES.reduce((sum, _, s) => sum + pooled(runs.map((r) => r.slices[s]), estimator), 0);
}

/**
 * @param {Float64Array[]} lists
 * @returns {Float64Array} one after the other
 */
function concat(lists) {
  const all = new Float64Array(lists.reduce((n, list) => n + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/**
 * Summary of some held-out runs: logged reward, and the learned policy's by each estimator with an interval.
 *
 * @param {object[]} runs of evaluateRun
 * @param {number} seed of the bootstrap
 * @returns {object} `value` and `gain` per estimator: reward per decision; gain over the logged mean
 */
export function summarise(runs, seed) {
  const decisions = runs.reduce((n, r) => n + r.n, 0);
  const weighted = (field) => runs.reduce((sum, r) => sum + r.n * r[field], 0) / decisions;
  const logged = weighted('logged');
  const estimates = {};
  for (const estimator of [...ESTIMATORS, 'jointSnips']) {
    const gain = gainOf(runs, estimator);
    const { lower, upper, level } = bootstrapInterval(runs.length,
      (drawn) => gainOf([...drawn].map((r) => runs[r]), estimator), { seed, replicates: REPLICATES });
    estimates[estimator] = { value: logged + gain, gain, interval: { lower, upper, level } };
  }
  const betterRuns = runs.filter((r) => gainOf([r], 'directMethod') > 0).length;
  return { runs: runs.length, decisions, logged, promised: weighted('promised'), placebo: weighted('placebo'), estimates, betterRuns };
}

/**
 * How well the logs cover the learned policy, over all held-out runs.
 *
 * @param {object[]} runs of evaluateRun
 * @returns {{ name: string, actions: number, coverage: import('qhive/evaluate').Coverage }[]} each slice, and jointly
 */
export function coverages(runs) {
  const entry = (name, actions, pick) => ({ name, actions, coverage: coverage(concat(runs.map((r) => pick(r).weights))) });
  return [...SLICES.map((name, s) => entry(name, SLICE_ACTIONS, (r) => r.slices[s])), entry('all slices jointly', ACTIONS, (r) => r.joint)];
}

/**
 * @param {object} run of evaluateRun
 * @returns {object} one line of the report
 */
export function runLine(run) {
  const { name, traffic, controller, strategy } = run.run;
  const line = { run: name, traffic, controller, strategy, decisions: run.n, logged: run.logged };
  for (const estimator of ESTIMATORS) line[estimator] = run.logged + gainOf([run], estimator);
  return line;
}
