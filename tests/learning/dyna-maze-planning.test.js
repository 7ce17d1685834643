/** Dyna maze with planning (Dyna-Q): the more is planned, the fewer steps the second episode takes. */

import { dynaMazeRuns, expectSteps } from './dyna-maze.js';
import { report, testSeed } from './support.js';

const seed = testSeed(8102);
const COUNT = 100;

describe.each([
  { planning: 5, anchors: [[2, 146], [3, 67]] },
  { planning: 50, anchors: [[2, 44.2, 1.6], [3, 17.0, 0.5]] },
])('planning $planning', ({ planning, anchors }) => {
  let runs;
  beforeAll(() => { runs = dynaMazeRuns({ planning, seed, runs: COUNT, episodes: 3 }); });

  test.each(anchors)('episode %d takes about %d steps', (episode, anchor, anchorError) => {
    expectSteps({ runs, planning, episode, anchor, anchorError, seed });
  });
});

test('fifty planned updates find a shortest way within 20 episodes', () => {
  const runs = dynaMazeRuns({ planning: 50, seed, runs: COUNT, episodes: 20 });
  const arrived = runs.filter(({ arrives }) => arrives).length;
  report(`Dyna maze, planning 50: ${arrived} of ${COUNT} greedy policies take 14 steps after 20 episodes (seed ${seed})`);
  expect(arrived).toBeGreaterThanOrEqual(0.9 * COUNT);
});
