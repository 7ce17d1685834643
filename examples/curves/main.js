/**
 * Draws the curves of docs/learning.md into docs/images from runs of the package.
 *
 *   npm run curves [-- --seed 1] [--out docs/images] [--only cliff,maze,bias,walk]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawLines } from './charts.js';
import { cliffByRule, leftByRule, mazeByPlanning, walkBySteps } from './experiments.js';

const CURVES = {
    cliff: (options) => ({ points: cliffByRule(options), x: 'episode', y: 'return of an episode', yScale: { domain: [-120, -10] }, rules: [-13] }),
    maze: (options) => ({ points: mazeByPlanning(options), x: 'episode', y: 'steps of an episode', yScale: { type: 'log', domain: [10, 1000], tickFormat: 'd' }, rules: [14] }),
    bias: (options) => ({ points: leftByRule(options), x: 'episode', y: '% of runs that go left', yScale: { domain: [0, 100] }, rules: [5] }),
    walk: (options) => ({ points: walkBySteps(options), x: 'step size', y: 'error of the values', yScale: { domain: [0.2, 0.6] } }),
};

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, out: { type: 'string', default: 'docs/images' }, only: { type: 'string' } } });
const names = values.only?.split(',') ?? Object.keys(CURVES);
const unknown = names.filter((name) => !(name in CURVES));
if (unknown.length > 0) throw new Error(`no curve ${unknown.join(', ')}; there are ${Object.keys(CURVES).join(', ')}`);
mkdirSync(values.out, { recursive: true });
for (const name of names) {
    const file = join(values.out, `${name}.svg`);
    writeFileSync(file, `${drawLines(CURVES[name]({ seed: Number(values.seed) }))}\n`);
    console.log(file);
}
