/** Workers terminated at random moments, each recovered; `npm run soak:threads` kills ten thousand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { killWorkers } from './killing.js';

const module = new WebAssembly.Module(readFileSync(join(root, 'dist', 'qhive-threads.wasm')));
const recovers = WebAssembly.Module.exports(module).some(({ name }) => name === 'qh_recover');
const SEED = 20;
const [ROUNDS, CROWD] = [125, 8];

(recovers ? test : test.skip)(`${ROUNDS * CROWD} workers are killed (seed ${SEED}): the runtime stays sound, untouched agents as they were`, async () => {
    const sum = await killWorkers({ rounds: ROUNDS, crowd: CROWD, seed: SEED });
    expect(sum.killed).toBe(ROUNDS * CROWD);
    expect(sum.released).toBeGreaterThan(0);
});
