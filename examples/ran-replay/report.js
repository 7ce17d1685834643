/**
 * The report as text, for a terminal.
 */
import { SLICES } from './logs.js';

const fixed = (x, digits = 4) => (Number.isFinite(x) ? x.toFixed(digits) : '-');
const count = (n) => n.toLocaleString('en-US');
const percent = (x, digits = 1) => `${fixed(100 * x, digits)} %`;
const mebi = (bytes) => `${fixed(bytes / 2 ** 20, 1)} MiB`;
const kibi = (bytes) => `${fixed(bytes / 1024, 1)} KiB`;
const seconds = (ms) => `${fixed(ms / 1000, 1)} s`;

/**
 * @param {string[][]} rows the first is the header
 * @returns {string[]} lines, columns padded; the first column to the left, the others to the right
 */
function table(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  return rows.map((row) => `  ${row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ')}`.trimEnd());
}

const ESTIMATES = [
  ['directMethod', 'direct method'],
  ['doublyRobust', 'doubly robust, per slice'],
  ['snips', 'SNIPS, per slice'],
  ['jointSnips', 'SNIPS, joint actions'],
];

/**
 * @param {string} name
 * @param {object} summary of heldout.js
 * @returns {string[]}
 */
function summaryLines(name, summary) {
  const rows = [[`${name}: ${summary.runs} runs, ${count(summary.decisions)} decisions`, 'reward', 'gain', '95 % interval of the gain'],
    ['logged policy', fixed(summary.logged), '', '']];
  for (const [key, label] of ESTIMATES) {
    const { value, gain, interval } = summary.estimates[key];
    const range = `${fixed(interval.lower)} .. ${fixed(interval.upper)}`;
    rows.push([`learned, ${label}`, fixed(value), percent(gain / summary.logged), range]);
  }
  rows.push(['logged, by the direct method (its own error)', fixed(summary.logged + summary.placebo), percent(summary.placebo / summary.logged), '']);
  rows.push(['learned, what the agents themselves promise (optimistic)', fixed(summary.promised), '', '']);
  return table(rows);
}

/**
 * @param {object[]} coverages
 * @returns {string[]}
 */
function coverageLines(coverages) {
  return table([
    ['coverage of the learned policy by the logs', 'actions', 'decisions', 'matching', 'effective', 'of all', 'mean weight'],
    ...coverages.map((c) => [
      c.name, String(c.actions), count(c.n), count(c.matched),
      fixed(c.effectiveSampleSize, 0), percent(c.effectiveRatio), fixed(c.meanWeight, 2),
    ]),
  ]);
}

/**
 * @param {object} control
 * @returns {string[]}
 */
function decisionLines({ slicings, runs }) {
  return [
    ...table([
      [`slicing, PRB ${SLICES.join('/')}`, 'logged', 'learned'],
      ...slicings.map((s) => [`${String(s.slicing).padStart(2)}: ${s.prb.join('/')}`, percent(s.logged), percent(s.learned)]),
    ]),
    '',
    ...table([
      ['held-out run', 'controller', 'strategy', 'decisions', 'logged', 'direct', 'robust', 'SNIPS'],
      ...runs.map((r) => [
        `${r.run} ${r.traffic}`, r.controller, r.strategy, String(r.decisions),
        ...[r.logged, r.directMethod, r.doublyRobust, r.snips].map((x) => fixed(x)),
      ]),
    ]),
  ];
}

/**
 * @param {object} control
 * @returns {string[]}
 */
function controlLines(control) {
  const { overall } = control;
  return [
    'Control, learned offline and judged on runs never seen in training',
    `  held out: ${control.heldOut}`,
    ...control.assumptions.map((a, i) => `  ${i === 0 ? 'assumed:' : '        '} ${a}`),
    '',
    ...summaryLines('all', overall),
    `  better by the direct method in ${overall.betterRuns} of ${overall.runs} runs`,
    ...Object.entries(control.byTraffic).flatMap(([traffic, summary]) => ['', ...summaryLines(traffic, summary)]),
    '',
    ...coverageLines(control.coverage),
    '',
    ...control.warnings.map((w) => `  ! ${w.code} (${w.where}): ${w.message}`),
    '',
    ...decisionLines(control),
  ];
}

/**
 * @param {object} prediction
 * @returns {string[]}
 */
function predictionLines(prediction) {
  return [
    'Prediction, where control was fixed or nearly so: nothing about control is learned or claimed here',
    `  TD(0) value of the stream's own KPI, discount ${prediction.discount}; errors on the second half of each stream, each value`,
    '  learned from earlier rows only, against the realised return, and two forecasts without learning beside it',
    ...table([
      ['root mean squared error', 'agents', 'rows', 'learned', 'mean so far', 'last reward', 'explained', 'beats the mean'],
      ...prediction.families.map((f) => [
        f.family, String(f.agents), count(f.rows), fixed(f.rmse.learned), fixed(f.rmse.meanSoFar), fixed(f.rmse.lastReward), percent(f.explained), `${f.betterThanMean} of ${f.agents}`,
      ]),
    ]),
  ];
}

/**
 * @param {object} report of replay()
 * @returns {string} without a final newline
 */
export function render(report) {
  const { data, agents, control, prediction, states, memory, time } = report;
  const per = memory.perAgent;
  return [
    `${agents.total} agents on real logs: ${count(data.reports)} + ${count(data.tractor)} KPI rows, ${count(data.decisions)} decisions of ${data.runs} runs; seed ${report.seed}`,
    `  ${agents.controllers} controllers learned from ${count(agents.learnedOffline)} logged transitions and acted in the shadow of ${count(agents.shadowDecisions)} rows`,
    `  ${agents.predictors} predictors stepped along ${count(agents.predictedSteps)} rows`,
    '',
    ...(control ? [...controlLines(control), ''] : []),
    ...predictionLines(prediction),
    '',
    'States, memory, time',
    `  states: ${count(states.total)} in all, ${states.median} in the median agent, at most ${states.max}`,
    `  memory: ${memory.pages} pages (${mebi(memory.linearBytes)}), live ${mebi(memory.liveBytes)}, peak ${mebi(memory.peakLiveBytes)};`
    + ` per agent ${kibi(per.median)} in the median, at most ${kibi(per.max)}; process ${mebi(memory.processPeakBytes)} at its peak`,
    `  time: ${seconds(time.totalMs)} = read ${seconds(time.readMs)} + learn ${seconds(time.learnMs)} (${fixed(time.learnNs, 0)} ns per transition)`
    + ` + drive ${seconds(time.driveMs)} + evaluate ${seconds(time.evaluateMs)}`,
    `  one row of all ${time.row.agents} streams (two batches, values read back): median ${fixed(time.row.medianMs * 1000, 0)} us, p99 ${fixed(time.row.p99Ms * 1000, 0)} us`,
  ].join('\n');
}
