/** The 19-state random walk with n-step targets (S&B figure 7.2): an intermediate n is best. */

import { expectWalkError } from './random-walk.js';
import { testSeed } from './support.js';

test.each([
    { nStep: 1, learningRate: 0.8, anchor: 0.3447 },
    { nStep: 2, learningRate: 0.5, anchor: 0.283 },
    { nStep: 4, learningRate: 0.4, anchor: 0.2621 },
    { nStep: 8, learningRate: 0.2, anchor: 0.2772 },
])('n = $nStep, step size $learningRate', ({ nStep, learningRate, anchor }) => {
    expectWalkError({ row: `n = ${nStep}`, config: { nStep, learningRate }, anchor, seed: testSeed(7202) });
});
