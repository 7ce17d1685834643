/** Dyna maze with planning (Dyna-Q): the more is planned, the fewer steps the second episode takes. */

import { dynaMazeRuns, expectSteps } from './dyna-maze.js';
import { mean, report, testSeed } from './support.js';

const seed = testSeed(8102);
const COUNT = 100;

describe.each([
    { planning: 5, second: { anchor: 146 }, third: { anchor: 67 } },
    { planning: 50, second: { anchor: 44.2, anchorError: 1.6 }, third: { anchor: 17.0, anchorError: 0.5 } },
])('planning $planning', ({ planning, second, third }) => {
    let runs;
    beforeAll(() => { runs = dynaMazeRuns({ planning, seed, runs: COUNT, episodes: 3 }); });

    test('steps of the second and third episode', () => {
        expectSteps({ runs, planning, episode: 2, ...second, seed });
        expectSteps({ runs, planning, episode: 3, ...third, seed });
    });
});

test('fifty planned updates a step find nearly the shortest way within 20 episodes', () => {
    const runs = dynaMazeRuns({ planning: 50, seed, runs: COUNT, episodes: 20 });
    const greedy = mean(runs.map(({ greedySteps }) => greedySteps));
    report(`Dyna maze, planning 50: greedy policies take ${greedy.toFixed(2)} steps on average after 20 episodes (optimum 14; seed ${seed})`);
    expect(Math.min(...runs.map(({ greedySteps }) => greedySteps))).toBe(14);
    expect(greedy).toBeLessThan(16);
});
