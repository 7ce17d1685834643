/** CliffWalking by Double Q-learning: no greedy policy was published for it, so only its online return is compared. */

import { cliffWalkingRuns, tally } from './cliff-walking.js';
import { expectNear, report, testSeed } from './support.js';

const seed = testSeed(6604);
const runs = 200;
let results;

beforeAll(() => {
    results = cliffWalkingRuns({ algorithm: 'double-q', seed, runs });
    report(`greedy returns: ${tally(results)}`);
});

test('the online return of the last 100 episodes', () => {
    expectNear({ row: 'CliffWalking, Double Q', samples: results.map(({ online }) => online), anchor: -25.1, anchorError: 0.6, seed });
});
