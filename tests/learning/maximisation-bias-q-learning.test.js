/** Maximisation bias of Q-learning: the maximum over ten noisy values lures it left. */

import { expectLeft, leftShares } from './maximisation-bias.js';
import { report, testSeed } from './support.js';

const seed = testSeed(6701);
const runs = 4000;
let shares;
beforeAll(() => { shares = leftShares({ algorithm: 'q-learning', seed, runs }); });

test.each([[1, 50], [10, 88], [18, 94], [25, 93], [50, 83], [100, 45], [200, 15], [300, 11]])('episode %d: %d %% left', (episode, percent) => {
    expectLeft({ name: 'Q-learning', shares, episode, percent, runs, seed });
});

test('the peak lies near episode 18', () => {
    const peak = shares.indexOf(Math.max(...shares)) + 1;
    report(`Maximisation bias, Q-learning: peak of ${(100 * shares[peak - 1]).toFixed(1)} % at episode ${peak}`);
    expect(Math.abs(peak - 18)).toBeLessThanOrEqual(8);
});
