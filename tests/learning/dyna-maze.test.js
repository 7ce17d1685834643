/** Dyna maze without planning: plain Q-learning needs hundreds of steps for its second episode. */

import { dynaMazeRuns, expectSteps } from './dyna-maze.js';
import { testSeed } from './support.js';

const seed = testSeed(8101);
let runs;
beforeAll(() => { runs = dynaMazeRuns({ planning: 0, seed, runs: 400, episodes: 3 }); });

test.each([[2, 605], [3, 377]])('episode %d takes about %d steps', (episode, anchor) => {
  expectSteps({ runs, planning: 0, episode, anchor, seed });
});
