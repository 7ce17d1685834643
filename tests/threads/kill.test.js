/** Workers terminated at random moments, each recovered; `npm run soak:threads` kills ten thousand. */
import { killWorkers } from './killing.js';

const SEED = 20;
const [ROUNDS, CROWD] = [125, 8];

test(`${ROUNDS * CROWD} workers are killed (seed ${SEED}): the runtime stays sound, untouched agents as they were`, async () => {
    const sum = await killWorkers({ rounds: ROUNDS, crowd: CROWD, seed: SEED });
    expect(sum.killed).toBe(ROUNDS * CROWD);
    expect(sum.released).toBeGreaterThan(0);
});
