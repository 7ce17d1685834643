/** CliffWalking by Q-learning: it learns the shortest path and keeps falling off it while it explores. */

import { cliffWalkingRuns, tally } from './cliff-walking.js';
import { expectNear, expectShare, report, testSeed } from './support.js';

const seed = testSeed(6601);
const runs = 200;
let results;

beforeAll(() => {
    results = cliffWalkingRuns({ algorithm: 'q-learning', seed, runs });
    report(`greedy returns: ${tally(results)}`);
});

test('the online return of the last 100 episodes', () => {
    expectNear({ row: 'CliffWalking, Q-learning', samples: results.map(({ online }) => online), anchor: -50.2, anchorError: 0.7, seed });
});

test('the greedy policy takes the edge path', () => {
    const hits = results.filter(({ greedy }) => greedy === -13).length;
    expectShare({ row: 'CliffWalking, Q-learning, greedy -13', hits, runs, anchor: 1, anchorRuns: 100, seed });
});
