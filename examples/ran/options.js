/**
 * Command line of the main job.
 */

import { parseArgs } from 'node:util';

export const DEFAULTS = Object.freeze({ seeds: '1001..1010', trainSeeds: 60, days: 1 });
export const MAX_SEED = 0xffffffff;
const MAX_THREADS = 31;                          // and the main one

/** Training seeds start here: no seed that can be asked for is ever trained on. */
export const FIRST_TRAINING_SEED = 2 ** 40;

export const HELP = `usage: npm start -- [options]

Trains 593 agents on a simulated radio network, then compares the untouched defaults,
random actions and the learned policies on seeds that were not trained on.

  --seeds A..B | A,B,C   evaluation seeds, 0..${MAX_SEED} (default ${DEFAULTS.seeds})
  --train-seeds N        training days, each on a seed of its own (default ${DEFAULTS.trainSeeds})
  --days N               days per evaluation seed (default ${DEFAULTS.days})
  --threads K            train in K worker threads over one memory, 1..${MAX_THREADS} (default 1)
  --json                 print only the report, as one JSON document
  --help                 print this
`;

/** A wrong command line; the message says what was expected. */
export class UsageError extends Error {}

/**
 * Evaluation seeds from their notation.
 * @param {string} text `A..B` or `A,B,C`
 * @returns {number[]} at least one, at most 1000, no duplicates
 * @throws {UsageError}
 */
export function parseSeeds(text) {
  const wrong = () => new UsageError(`--seeds: expected A..B or A,B,C of integers 0..${MAX_SEED}, at most 1000, got '${text}'`);
  const seed = (part) => {
    if (!/^\d{1,10}$/.test(part) || Number(part) > MAX_SEED) throw wrong();
    return Number(part);
  };
  const range = text.split('..');
  let seeds;
  if (range.length === 2) {
    const [first, last] = range.map(seed);
    if (last < first || last - first >= 1000) throw wrong();
    seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  } else seeds = [...new Set(text.split(',').map(seed))];
  if (seeds.length > 1000) throw wrong();
  return seeds;
}

function count(name, text, most) {
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1 || Number(text) > most) {
    throw new UsageError(`--${name}: expected an integer 1..${most}, got '${text}'`);
  }
  return Number(text);
}

/**
 * @param {string[]} args
 * @returns {{ help: boolean, json: boolean, seeds: number[], trainSeeds: number, days: number, threads: number }}
 * @throws {UsageError}
 */
export function parseOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        seeds: { type: 'string', default: DEFAULTS.seeds },
        'train-seeds': { type: 'string', default: String(DEFAULTS.trainSeeds) },
        days: { type: 'string', default: String(DEFAULTS.days) },
        threads: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0]);
  }
  return {
    help: values.help,
    json: values.json,
    seeds: parseSeeds(values.seeds),
    trainSeeds: count('train-seeds', values['train-seeds'], 10000),
    days: count('days', values.days, 365),
    threads: count('threads', values.threads, MAX_THREADS),
  };
}
