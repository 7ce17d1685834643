/** CliffWalking by Expected SARSA: it knows the cost of exploring without the noise of doing it and takes the middle path. */

import { cliffWalkingRuns, tally } from './cliff-walking.js';
import { expectNear, expectShare, report, testSeed } from './support.js';

const seed = testSeed(6603);
const runs = 200;
let results;

beforeAll(() => {
    results = cliffWalkingRuns({ algorithm: 'expected-sarsa', seed, runs });
    report(`greedy returns: ${tally(results)}`);
});

test('the online return of the last 100 episodes', () => {
    expectNear({ row: 'CliffWalking, Expected SARSA', samples: results.map(({ online }) => online), anchor: -20.76, anchorError: 0.18, seed });
});

test('the greedy policy takes the middle path', () => {
    const hits = results.filter(({ greedy }) => greedy === -15).length;
    expectShare({ row: 'CliffWalking, Expected SARSA, greedy -15', hits, runs, anchor: 1, anchorRuns: 100, seed });
});
