/**
 * The folder of logs as arrays: the streams that drive the agents, and the decisions that were logged.
 *
 *     agents593.csv            which stream drives which agent
 *     explora_runs.csv         56 runs: traffic, agent and strategy
 *     explora_slicings.csv     11 ways to split 50 PRBs among 3 slices
 *     explora_decisions.csv.gz control actions, the state before each, the reward of the one before
 *     explora_reports.csv.gz   KPI rows, about one a second and UE
 *     tractor_kpis.csv.gz      KPI rows per UE, control fixed
 *
 * Reports and decisions of a run share a clock. What a decision at time t knew is the last report BEFORE t
 * (strictly: the state columns of the decisions are the means over exactly that report's rows), so while
 * the reports stream by, every decision is given the row numbers of its run's agents in that report.
 *
 * Kept in memory: 4 bytes per observed number (about 12 MB for the half million rows), the decisions, and
 * one chunk of text. Nothing of the size of the decompressed files.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LogError, NoLogsError, readCsv } from './csv.js';
import { EXPLORA_FIELDS, TRACTOR_FIELDS } from './roles.js';

/** What the folder must hold. */
export const FILES = Object.freeze({
  agents: 'agents593.csv',
  runs: 'explora_runs.csv',
  slicings: 'explora_slicings.csv',
  decisions: 'explora_decisions.csv.gz',
  reports: 'explora_reports.csv.gz',
  tractor: 'tractor_kpis.csv.gz',
});

/** The slices of EXPLORA, by number. */
export const SLICES = Object.freeze(['eMBB', 'MTC', 'URLLC']);

/** 11 slicings x 3 schedulers for each of 3 slices. */
export const SLICINGS = 11;
export const SCHEDULERS = 3;
export const ACTIONS = SLICINGS * SCHEDULERS ** 3;

const HEADERS = {
  agents: 'agent,source,run_or_stream,slice,k,rows',
  runs: 'run,agent_traffic,strategy,reports,decisions,source_file',
  slicings: 'slicing,rbg0,rbg1,rbg2',
  decisions: 'run,t_ms,n0,buf0,brate0,ratio0,prb0,pkts0,n1,buf1,brate1,ratio1,prb1,pkts1,n2,buf2,brate2,ratio2,prb2,pkts2,'
    + 'rbg0,rbg1,rbg2,sched0,sched1,sched2,reward,action',
  reports: 'run,t_ms,slice,k,dl_buffer_bytes,tx_brate_dl_mbps,ratio_granted_req,slice_prb,tx_pkts_dl,sched',
  tractor: 'stream,t_ms,num_ues,slicing,slice,slice_prb,sched,dl_mcs,dl_buf,tx_mbps,tx_pkts,tx_err,dl_cqi,ul_mcs,ul_buf,'
    + 'rx_mbps,rx_err,ul_sinr,phr,req_prbs,gr_prbs',
};

/** Numbers per slice in a decision's state: UE rows, then the means buffer, brate, ratio, PRB, packets. */
export const STATE = Object.freeze({ n: 0, buffer: 1, brate: 2, ratio: 3, prb: 4, pkts: 5, size: 6 });

/**
 * One agent's stream of observations, oldest first.
 *
 * @typedef {object} Stream
 * @property {number} agent its number in agents593.csv
 * @property {'explora' | 'tractor'} source
 * @property {string} name `winter-e27/eMBB/0` (run, slice, k) or `tractor/186` (stream)
 * @property {string} run EXPLORA run, else ''
 * @property {number} slice 0..2; -1 for TRACTOR
 * @property {number} k position of the UE within its slice; -1 for TRACTOR
 * @property {number} width numbers per observation
 * @property {number} length observations
 * @property {Float32Array} values length * width, row-major; columns as in roles.js
 */

/**
 * One run of EXPLORA with what was decided in it.
 *
 * @typedef {object} Run
 * @property {string} name
 * @property {'main' | 'winter' | 'spring'} family rewards of `main` are in another unit than the others'
 * @property {string} controller the kind of DRL agent that decided: embb, urllc
 * @property {string} traffic trf1, trf2
 * @property {string} strategy how EXPLORA steered the actions
 * @property {Stream[]} streams its agents'
 * @property {number} count decisions
 * @property {Float64Array} times ms
 * @property {Int16Array} actions 0..296
 * @property {Float64Array} rewards of the PREVIOUS row's action; NaN where the log has none
 * @property {Float64Array} states count * 3 * 6, see STATE; NaN where a slice had no row
 * @property {Int32Array} rows count * streams.length: row of each stream at the decision, -1 if absent
 */

/**
 * @typedef {object} Logs
 * @property {Stream[]} streams by agent
 * @property {Map<string, Run>} runs
 * @property {number[][]} slicings resource block groups per slice (1 RBG = 3 PRB), by slicing
 * @property {{ reports: number, tractor: number, decisions: number, driven: number }} rows lines read, rows that drive agents
 */

/**
 * @param {string} folder
 * @throws {NoLogsError} naming what is missing and what is expected
 */
async function requireFolder(folder) {
  const expected = `Expected a folder with ${Object.values(FILES).join(', ')}.`;
  const info = await stat(folder).catch(() => undefined);
  if (!info) throw new NoLogsError(`${folder}: no such folder. ${expected}`);
  if (!info.isDirectory()) throw new NoLogsError(`${folder}: not a folder. ${expected}`);
  const found = await Promise.all(Object.values(FILES).map((name) => stat(join(folder, name)).then((s) => s.isFile(), () => false)));
  const missing = Object.values(FILES).filter((_, i) => !found[i]);
  if (missing.length > 0) throw new NoLogsError(`${folder}: ${missing.join(', ')} missing. ${expected}`);
}

/**
 * @param {string} folder
 * @returns {Promise<Stream[]>} empty streams of the right size, by agent
 */
async function readAgents(folder) {
  const streams = [];
  const names = new Set();
  await readCsv(join(folder, FILES.agents), HEADERS.agents.split(','), (row) => {
    const source = row.text(1);
    if (source !== 'explora' && source !== 'tractor') row.fail(`unknown source "${source}"`);
    const explora = source === 'explora';
    const slice = explora ? row.integer(3, 0, 2) : -1;
    const k = explora ? row.integer(4, 0, 63) : -1;
    const name = explora ? `${row.text(2)}/${SLICES[slice]}/${k}` : `tractor/${row.text(2)}`;
    if (row.integer(0, 0, 1e6) !== streams.length) row.fail(`agent ${row.text(0)}, expected ${streams.length}`);
    if (names.has(name)) row.fail(`a second agent for ${name}`);
    names.add(name);
    const width = explora ? EXPLORA_FIELDS : TRACTOR_FIELDS;
    streams.push({
      agent: streams.length, source, name, run: explora ? row.text(2) : '', slice, k, width, length: 0,
      values: new Float32Array(row.integer(5, 1, 1e7) * width),
    });
  });
  if (streams.length === 0) throw new LogError(`${FILES.agents} names no agent`);
  return streams;
}

/**
 * @param {string} folder
 * @param {Stream[]} streams
 * @returns {Promise<Map<string, Run>>} runs, with arrays for their decisions
 */
async function readRuns(folder, streams) {
  const runs = new Map();
  await readCsv(join(folder, FILES.runs), HEADERS.runs.split(','), (row) => {
    const name = row.text(0);
    const [family] = name.split('-');
    if (!['main', 'winter', 'spring'].includes(family)) row.fail(`run "${name}" is of no known family (main, winter, spring)`);
    if (runs.has(name)) row.fail(`run "${name}" a second time`);
    const [controller, traffic] = row.text(1).split('-');
    const capacity = row.integer(4, 0, 1e7);
    const own = streams.filter((s) => s.run === name);
    runs.set(name, {
      name, family, controller, traffic, strategy: row.text(2), streams: own, count: 0,
      times: new Float64Array(capacity),
      actions: new Int16Array(capacity),
      rewards: new Float64Array(capacity),
      states: new Float64Array(capacity * SLICES.length * STATE.size),
      rows: new Int32Array(capacity * own.length).fill(-1),
    });
  });
  const orphan = streams.find((s) => s.source === 'explora' && !runs.has(s.run));
  if (orphan) throw new LogError(`${FILES.agents} names run ${orphan.run}, which ${FILES.runs} does not hold`);
  return runs;
}

/**
 * @param {string} folder
 * @returns {Promise<number[][]>}
 */
async function readSlicings(folder) {
  const slicings = [];
  await readCsv(join(folder, FILES.slicings), HEADERS.slicings.split(','), (row) => {
    if (row.integer(0, 0, SLICINGS - 1) !== slicings.length) row.fail(`slicing ${row.text(0)}, expected ${slicings.length}`);
    slicings.push([1, 2, 3].map((column) => row.integer(column, 0, 17)));
  });
  if (slicings.length !== SLICINGS) throw new LogError(`${FILES.slicings} holds ${slicings.length} slicings, expected ${SLICINGS}`);
  return slicings;
}

/**
 * @param {string} folder
 * @param {Map<string, Run>} runs filled in
 * @returns {Promise<number>} decisions
 */
function readDecisions(folder, runs) {
  const width = SLICES.length * STATE.size;
  return readCsv(join(folder, FILES.decisions), HEADERS.decisions.split(','), (row) => {
    const run = runs.get(row.text(0));
    if (!run) row.fail(`run "${row.text(0)}" is not in ${FILES.runs}`);
    const i = run.count++;
    if (i >= run.times.length) row.fail(`more decisions in run ${run.name} than the ${run.times.length} of ${FILES.runs}`);
    run.times[i] = row.number(1);
    if (i > 0 && !(run.times[i] >= run.times[i - 1])) row.fail('time runs backwards');
    for (let c = 0; c < width; c++) run.states[i * width + c] = row.number(2 + c);
    run.rewards[i] = row.number(26);
    run.actions[i] = row.integer(27, 0, ACTIONS - 1);
  });
}

/**
 * Streams the reports: fills the streams' values and gives every decision the rows it knew.
 *
 * @param {string} folder
 * @param {Map<string, Run>} runs
 * @returns {Promise<number>} lines
 */
async function readReports(folder, runs) {
  let run;
  let time = -1;
  let decision = 0;
  let bySlot = [];
  let present = [];
  const started = new Set();
  const resolve = (until) => {
    while (run && decision < run.count && run.times[decision] <= until) {
      for (const { local, row } of present) run.rows[decision * run.streams.length + local] = row;
      decision++;
    }
  };
  const open = (row) => {
    resolve(Infinity);
    run = runs.get(row.text(0));
    if (!run) row.fail(`run "${row.text(0)}" is not in ${FILES.runs}`);
    if (started.has(run)) row.fail(`run ${run.name} is not in one piece`);
    started.add(run);
    [time, decision, present] = [-1, 0, []];
    bySlot = run.streams.reduce((slots, stream, local) => { slots[stream.slice * 64 + stream.k] = { stream, local }; return slots; }, []);
  };
  const lines = await readCsv(join(folder, FILES.reports), HEADERS.reports.split(','), (row) => {
    if (!run || run.name !== row.text(0)) open(row);
    const t = row.number(1);
    if (t !== time) {
      if (!(t > time)) row.fail('time runs backwards');
      resolve(t);
      [time, present] = [t, []];
    }
    const slot = bySlot[row.integer(2, 0, 2) * 64 + row.integer(3, 0, 63)];
    if (!slot) return;
    present.push({ local: slot.local, row: slot.stream.length });
    append(slot.stream, row, [logBytes(row.number(4)), row.number(5), row.number(6), row.number(7), row.number(8)]);
  });
  resolve(Infinity);
  return lines;
}

/**
 * @param {number} bytes
 * @returns {number} log10(1 + bytes): buffers span six decades
 */
export function logBytes(bytes) {
  return Math.log10(1 + bytes);
}

/**
 * @param {Stream} stream
 * @param {import('./csv.js').Row} row for messages
 * @param {number[]} observation
 */
function append(stream, row, observation) {
  const start = stream.length * stream.width;
  if (start >= stream.values.length) row.fail(`more rows of ${stream.name} than ${FILES.agents} says (${stream.length})`);
  for (let i = 0; i < observation.length; i++) {
    if (Number.isNaN(observation[i])) row.fail('an empty KPI');
    stream.values[start + i] = observation[i];
  }
  stream.length++;
}

/**
 * @param {string} folder
 * @param {Stream[]} streams
 * @returns {Promise<number>} lines
 */
function readTractor(folder, streams) {
  const byNumber = new Map(streams.filter((s) => s.source === 'tractor').map((s) => [s.name.slice('tractor/'.length), s]));
  return readCsv(join(folder, FILES.tractor), HEADERS.tractor.split(','), (row) => {
    const stream = byNumber.get(row.text(0));
    if (!stream) return;
    const [mcs, buffer, down, cqi, mcsUp, up, sinrUp] = [7, 8, 9, 12, 13, 15, 17].map((column) => row.number(column));
    append(stream, row, [down + up, logBytes(buffer), mcs, cqi, mcsUp, sinrUp]);
  });
}

/**
 * Reads the whole folder.
 *
 * @param {string} folder
 * @param {(file: string) => void} [progress] called before each file
 * @returns {Promise<Logs>}
 * @throws {LogError} on anything missing, damaged or incomplete
 */
export async function readLogs(folder, progress = () => {}) {
  await requireFolder(folder);
  progress(FILES.agents);
  const streams = await readAgents(folder);
  const runs = await readRuns(folder, streams);
  const slicings = await readSlicings(folder);
  progress(FILES.decisions);
  const decisions = await readDecisions(folder, runs);
  progress(FILES.reports);
  const reports = await readReports(folder, runs);
  progress(FILES.tractor);
  const tractor = await readTractor(folder, streams);
  const short = streams.find((s) => s.length * s.width !== s.values.length);
  if (short) {
    throw new LogError(`${short.name} has ${short.length} rows, ${FILES.agents} says ${short.values.length / short.width}: the logs are incomplete`);
  }
  return { streams, runs, slicings, rows: { reports, tractor, decisions, driven: streams.reduce((n, s) => n + s.length, 0) } };
}
