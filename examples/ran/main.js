/**
 * The main job: trains the agents, evaluates them on unseen seeds, prints the report.
 * `node examples/ran/main.js --help` lists the options.
 */

import { readFileSync } from 'node:fs';
import { runJob } from './job.js';
import { HELP, UsageError, parseOptions } from './options.js';
import { progress } from './progress.js';
import { render } from './report.js';

const readFeatures = () => JSON.parse(readFileSync(new URL('./features.json', import.meta.url), 'utf8'));

/** @param {string[]} args @returns {Promise<number>} exit code */
async function main(args) {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { threads } = options;
  const { trainInWorkers } = threads > 1 ? await import('../workers/train.js') : {};
  const train = trainInWorkers && ((task) => trainInWorkers({ ...task, threads }));
  const report = await runJob({ ...options, train, features: readFeatures() }, { progress, now: () => performance.now() });
  const colour = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report, colour));
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
