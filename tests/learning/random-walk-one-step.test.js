/** The 19-state random walk with one-step targets, by any rule: with one action they are all the same. */

import { expectWalkError } from './random-walk.js';
import { testSeed } from './support.js';

test('n = 1, step size .8', () => {
    expectWalkError({ row: 'n = 1', config: { algorithm: 'q-learning', learningRate: 0.8 }, anchor: 0.3447, seed: testSeed(7201) });
});
