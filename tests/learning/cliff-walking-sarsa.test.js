/** CliffWalking by SARSA: it learns that exploring beside the cliff is dear and keeps away from it. */

import { cliffWalkingRuns, tally } from './cliff-walking.js';
import { expectNear, expectShare, report, testSeed } from './support.js';

const seed = testSeed(6602);
const runs = 200;
let results;

beforeAll(() => {
    results = cliffWalkingRuns({ algorithm: 'sarsa', seed, runs });
    report(`greedy returns: ${tally(results)}`);
});

test('the online return of the last 100 episodes', () => {
    expectNear({ row: 'CliffWalking, SARSA', samples: results.map(({ online }) => online), anchor: -26.4, anchorError: 0.5, seed });
});

test('the greedy policy mostly takes the safe path', () => {
    const hits = results.filter(({ greedy }) => greedy === -17).length;
    expectShare({ row: 'CliffWalking, SARSA, greedy -17', hits, runs, anchor: 0.82, anchorRuns: 100, seed });
});
