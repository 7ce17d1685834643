/** Double Q-learning is hardly lured: what one table exaggerates, the other does not confirm. */

import { expectLeft, leftShares } from './maximisation-bias.js';
import { testSeed } from './support.js';

const seed = testSeed(6702);
const runs = 4000;
let shares;
beforeAll(() => { shares = leftShares({ algorithm: 'double-q', seed, runs }); });

test.each([[1, 50], [10, 46], [25, 24], [50, 14], [100, 9.7], [200, 6.8], [300, 7.3]])('episode %d: %d %% left', (episode, percent) => {
    expectLeft({ name: 'Double Q', shares, episode, percent, runs, seed });
});

test('it never goes left more often than at the start', () => {
    expect(Math.max(...shares)).toBeLessThan(0.5 + 0.03);
});
