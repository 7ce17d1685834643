#!/usr/bin/env node
/**
 * Replays real RAN logs through the agents: `npm run replay -- <folder> [--json] [--seed n]`.
 *
 * Exit code 0: done; 1: the logs are absent, damaged or incomplete; 2: wrong usage.
 */
import { parseArgs } from 'node:util';
import { createRuntime } from 'qhive';
import { LogError } from './csv.js';
import { FILES } from './logs.js';
import { replay } from './replay.js';
import { render } from './report.js';

const USAGE = `usage: npm run replay -- <folder> [--json] [--seed n]

Drives one agent per stream of the logs in <folder> and reports what was learned, held-out reward,
states, memory and time.

  <folder>   holds ${Object.values(FILES).join(', ')}
  --json     print the report as JSON
  --seed n   0..4294967295, default 1: the runtime's seed and the bootstrap's
  --help     this text`;

/**
 * @param {string[]} argv
 * @returns {{ folder?: string, json: boolean, seed: number, help: boolean }}
 * @throws {TypeError} on wrong usage
 */
function readArguments(argv) {
  const { values, positionals } = parseArgs({
    args: argv, allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return { json: false, seed: 1, help: true };
  if (positionals.length !== 1) throw new TypeError(`one folder is needed, got ${positionals.length}`);
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || seed > 0xffffffff) throw new TypeError(`--seed ${values.seed}: an integer 0..4294967295 is needed`);
  return { folder: positionals[0], json: values.json, seed, help: false };
}

/**
 * @returns {{ show: (phase: string, done: number, total: number) => void, clear: () => void }} one line on
 *   standard error, where that is a terminal
 */
function progressLine() {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} };
  let last = '';
  return {
    show: (phase, done, total) => {
      const text = `${phase.padEnd(8)} ${String(Math.trunc((100 * done) / total)).padStart(3)} %`;
      if (text !== last) process.stderr.write(`\r${text}`);
      last = text;
    },
    clear: () => process.stderr.write('\r\x1b[K'),
  };
}

/**
 * @param {string[]} argv
 * @returns {Promise<number>} exit code
 */
async function main(argv) {
  let options;
  try {
    options = readArguments(argv);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const line = progressLine();
  try {
    const report = await replay(options.folder, { createRuntime, seed: options.seed, progress: line.show, now: () => performance.now() });
    report.memory.processPeakBytes = process.resourceUsage().maxRSS * 1024;
    line.clear();
    process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : render(report)}\n`);
    return 0;
  } catch (error) {
    line.clear();
    if (!(error instanceof LogError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
