/**
 * The whole replay: read, learn offline, drive, evaluate; and the report of it.
 */
import { drive, judge, HORIZON } from './drive.js';
import { coverages, evaluateRun, runLine, summarise } from './heldout.js';
import { readLogs } from './logs.js';
import { decideRun, trainRun, transitionsOf } from './offline.js';
import { configOf, isControlled, PREDICTION_DISCOUNT } from './roles.js';

/** Families of streams whose predictions are reported apart. */
const PREDICTED = ['main/eMBB', 'main/MTC', 'main/URLLC', 'tractor'];

/**
 * @param {ArrayLike<number>} values
 * @param {number} p 0..1
 * @returns {number} the order statistic at p; NaN of none
 */
function quantile(values, p) {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.trunc(p * sorted.length))];
}

/**
 * @param {import('./logs.js').Stream} stream
 * @returns {string} its family in the prediction report
 */
function familyOf(stream) {
  return stream.source === 'tractor' ? 'tractor' : `main/${stream.name.split('/')[1]}`;
}

/**
 * @param {import('./drive.js').Prediction[]} predictions
 * @returns {object[]} per family: agents, rows judged, root mean squared errors, agents better than the mean
 */
function predictionReport(predictions) {
  return PREDICTED.map((family) => {
    const judged = predictions.filter(({ stream }) => familyOf(stream) === family).map(judge).filter(({ rows }) => rows > 0);
    const rows = judged.reduce((n, j) => n + j.rows, 0);
    const error = (forecast) => Math.sqrt(judged.reduce((sum, { squares }) => sum + squares[forecast], 0) / rows);
    return {
      family, agents: judged.length, rows,
      rmse: { learned: error('learned'), meanSoFar: error('mean'), lastReward: error('last') },
      explained: 1 - (error('learned') / error('mean')) ** 2,
      betterThanMean: judged.filter(({ squares }) => squares.learned < squares.mean).length,
    };
  }).filter(({ agents }) => agents > 0);
}

/**
 * @param {object[]} evaluated of evaluateRun
 * @param {Map<string, import('./offline.js').Transitions>} transitions
 * @returns {object[]} reasons not to take the figures at face value
 */
function warningsOf(evaluated, transitions) {
  const list = coverages(evaluated).flatMap(({ name, actions, coverage }) => (
    coverage.warnings.map((w) => ({ ...w, where: `${name}, ${actions} actions` }))));
  list.push({
    code: 'ESTIMATED_PROPENSITIES', where: 'SNIPS and doubly robust', value: 0, limit: 0,
    message: 'no propensities were logged: the behaviour policy is estimated per run from its own actions, tabular with smoothing',
  });
  const unrewarded = [...transitions.values()].map((t) => t.unrewarded).filter((u) => u.count > 0);
  const missing = unrewarded.reduce((n, u) => n + u.count, 0);
  const total = [...transitions.values()].reduce((n, t) => n + t.decisions.length, missing);
  if (missing > 0) {
    const formula = unrewarded.reduce((sum, u) => sum + u.count * u.formula, 0) / missing;
    const logged = evaluated.reduce((sum, e) => sum + e.n * e.logged, 0) / evaluated.reduce((n, e) => n + e.n, 0);
    list.push({
      code: 'MISSING_REWARDS', where: 'EXPLORA', value: missing / total, limit: 0,
      message: `${missing} of ${total} decisions have no logged reward and are left out of learning and evaluation; `
        + `the formula would have given them ${formula.toFixed(4)} on average, the others were logged with ${logged.toFixed(4)}`,
    });
  }
  return list;
}

/**
 * @param {import('./logs.js').Logs} logs
 * @param {object[]} evaluated of evaluateRun, each with `decided`
 * @returns {object[]} per slicing: PRB of each slice, share of the logged and of the learned decisions
 */
function slicingReport(logs, evaluated) {
  const counts = logs.slicings.map((rbg, slicing) => ({ slicing, prb: rbg.map((g) => 3 * g), logged: 0, learned: 0 }));
  let total = 0;
  for (const { transitions, decided } of evaluated) {
    transitions.decisions.forEach((i, j) => {
      if (decided.actions[j] < 0) return;
      total++;
      counts[Math.trunc(transitions.run.actions[i] / 27)].logged++;
      counts[Math.trunc(decided.actions[j] / 27)].learned++;
    });
  }
  return counts.map((c) => ({ ...c, logged: c.logged / total, learned: c.learned / total }));
}

/**
 * @param {object[]} evaluated
 * @param {import('./logs.js').Logs} logs
 * @param {Map<string, import('./offline.js').Transitions>} transitions
 * @param {number} seed
 * @returns {object} the control part of the report
 */
function controlReport(evaluated, logs, transitions, seed) {
  if (evaluated.length === 0) return null;
  const traffics = [...new Set(evaluated.map((e) => e.run.traffic))].sort();
  return {
    heldOut: 'leave one run out: the agents of each winter and spring run learned from the other such runs of its traffic profile only',
    assumptions: [
      'the term of a slice in the reward depends on the slicing and on that slice\'s scheduler, on no other slice\'s (all but jointSnips)',
      'within a cell of the slice\'s coarse state, logged and learned policy meet the same conditions (directMethod)',
      'one decision is valued in the states the logged policy met: following the learned policy would lead to others',
    ],
    overall: summarise(evaluated, seed),
    byTraffic: Object.fromEntries(traffics.map((t) => [t, summarise(evaluated.filter((e) => e.run.traffic === t), seed)])),
    coverage: coverages(evaluated).map(({ name, actions, coverage }) => ({ name, actions, ...coverage, warnings: undefined })),
    warnings: warningsOf(evaluated, transitions),
    slicings: slicingReport(logs, evaluated),
    runs: evaluated.map(runLine),
  };
}

/**
 * @param {import('qhive').AgentRuntime} runtime
 * @param {import('qhive').Agent[]} agents
 * @returns {{ memory: object, states: object }}
 */
function footprint(runtime, agents) {
  const { pages, maxPages, liveBytes, peakLiveBytes } = runtime.memory;
  const bytes = agents.map((a) => a.memory.liveBytes);
  const states = agents.map((a) => a.metrics.states);
  const spread = (list) => ({ total: list.reduce((a, b) => a + b, 0), median: quantile(list, 0.5), max: Math.max(...list) });
  return {
    memory: { pages, maxPages, linearBytes: pages * 65536, liveBytes, peakLiveBytes, perAgent: spread(bytes) },
    states: spread(states),
  };
}

/**
 * Creates one agent per stream and lets the controllers learn from the runs that are not their own.
 *
 * @param {import('./logs.js').Logs} logs
 * @param {import('qhive').AgentRuntime} runtime
 * @param {(phase: string, done: number, total: number) => void} progress
 * @returns {{ agents: import('qhive').Agent[], transitions: Map<string, import('./offline.js').Transitions>, learned: number }}
 */
function learn(logs, runtime, progress) {
  const agents = logs.streams.map((stream) => runtime.createAgent(configOf(stream, isControlled(logs.runs.get(stream.run)))));
  const heldOut = [...logs.runs.values()].filter((run) => isControlled(run) && run.streams.length > 0);
  const transitions = new Map(heldOut.map((run) => [run.name, transitionsOf(run)]));
  let learned = 0;
  heldOut.forEach((run, i) => {
    progress('learn', i, heldOut.length);
    learned += trainRun(run, agents, transitions);
  });
  return { agents, transitions, learned };
}

/**
 * @param {Map<string, import('./offline.js').Transitions>} transitions
 * @param {import('qhive').Agent[]} agents
 * @param {(phase: string, done: number, total: number) => void} progress
 * @returns {object[]} of evaluateRun, with what was decided
 */
function evaluateHeldOut(transitions, agents, progress) {
  const evaluated = [];
  for (const own of transitions.values()) {
    progress('evaluate', evaluated.length, transitions.size);
    const decided = decideRun(own, agents);
    if (decided.actions.some((a) => a >= 0)) evaluated.push({ ...evaluateRun(own, decided), transitions: own, decided });
  }
  return evaluated;
}

/**
 * Replays the logs of a folder through one agent per stream.
 *
 * @param {string} folder
 * @param {object} options
 * @param {(options?: import('qhive').RuntimeOptions) => Promise<import('qhive').AgentRuntime>} options.createRuntime
 * @param {number} [options.seed] of the runtime and of the bootstrap, default 1
 * @param {(phase: string, done: number, total: number) => void} [options.progress]
 * @param {() => number} [options.now] ms, for the time part of the report; default: always 0
 * @returns {Promise<object>} the report: data, agents, control, prediction, states, memory, time
 * @throws {import('./csv.js').LogError} when the logs are absent, damaged or incomplete
 */
export async function replay(folder, { createRuntime, seed = 1, progress = () => {}, now = () => 0 }) {
  const times = [now()];
  let files = 0;
  const logs = await readLogs(folder, () => progress('read', files++, 4));
  times.push(now());
  const runtime = await createRuntime({ seed });
  try {
    const { agents, transitions, learned } = learn(logs, runtime, progress);
    times.push(now());
    const controllers = logs.streams.filter((stream) => isControlled(logs.runs.get(stream.run)));
    const predictors = logs.streams.filter((stream) => !controllers.includes(stream));
    let rows = 0;
    const driving = drive(runtime, agents, predictors, controllers, { now, progress: (n) => progress('drive', rows += n, logs.rows.driven) });
    times.push(now());
    const control = controlReport(evaluateHeldOut(transitions, agents, progress), logs, transitions, seed);
    const prediction = { discount: PREDICTION_DISCOUNT, horizon: HORIZON, families: predictionReport(driving.predictions) };
    times.push(now());
    const [readMs, learnMs, driveMs, evaluateMs] = times.slice(1).map((t, i) => t - times[i]);
    return {
      seed,
      build: runtime.build,
      data: { ...logs.rows, runs: logs.runs.size, streams: logs.streams.length },
      agents: {
        total: agents.length, controllers: controllers.length, predictors: predictors.length,
        learnedOffline: learned, predictedSteps: driving.steps, shadowDecisions: driving.acts,
      },
      control,
      prediction,
      ...footprint(runtime, agents),
      time: {
        totalMs: times.at(-1) - times[0], readMs, learnMs, driveMs, evaluateMs,
        learnNs: (learnMs / learned) * 1e6,
        row: { agents: agents.length, medianMs: quantile(driving.rowTimes, 0.5), p99Ms: quantile(driving.rowTimes, 0.99) },
      },
    };
  } finally {
    runtime.dispose();
  }
}
