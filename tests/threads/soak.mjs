/** `npm run soak:threads -- [--kills N] [--seed S]`: kills N workers (default 10,000) at random moments and recovers each. */
import { parseArgs } from 'node:util';
import { killWorkers } from './killing.js';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } });
const crowd = 8;
const rounds = Math.ceil(Number(values.kills) / crowd);
const start = performance.now();
const each = (round) => {
    if ((round + 1) % 25 === 0) console.log(`${(round + 1) * crowd} killed and recovered, ${((performance.now() - start) / 1000).toFixed(0)} s`);
};
console.log(`seed ${values.seed}`);
console.log(JSON.stringify(await killWorkers({ rounds, crowd, seed: Number(values.seed), each })));
