/** Dyna maze without planning: plain Q-learning needs hundreds of steps for its second episode, and
 * explores by chance alone until it has found the goal once. */

import { dynaMaze, expectedSteps, uniform } from '../environments/index.js';
import { dynaMazeRuns, expectSteps } from './dyna-maze.js';
import { testSeed } from './support.js';

const seed = testSeed(8101);
let runs;
beforeAll(() => { runs = dynaMazeRuns({ planning: 0, seed, runs: 400, episodes: 3 }); });

test.each([[2, 605], [3, 377]])('episode %d takes about %d steps', (episode, anchor) => {
    expectSteps({ runs, planning: 0, episode, anchor, seed });
});

test('the first episode is a random walk: its expected length is known exactly', () => {
    const model = dynaMaze();
    const expected = expectedSteps(model, uniform(model));
    expect(expected).toBeCloseTo(868.7254275614674, 6);
    expectSteps({ runs, planning: 0, episode: 1, anchor: expected, anchorRuns: Infinity, seed });
});
