/** The reference's exp and log: near the engine's own everywhere, right at the ends. */

import { exp, log } from './maths.js';

const ulps = (a, b) => Math.abs(a - b) / (2 ** Math.max(Math.floor(Math.log2(Math.abs(b))) - 52, -1074));

test('exp within 2 units in the last place of Math.exp', () => {
    for (let x = -744; x < 709; x += 0.37) expect(ulps(exp(x), Math.exp(x))).toBeLessThanOrEqual(2);
    expect([exp(0), exp(-Infinity), exp(Infinity), exp(NaN)]).toEqual([1, 0, Infinity, NaN]);
});

test('log within 2 units in the last place of Math.log', () => {
    for (let x = 1e-320; x < 1e300; x *= 1.7) expect(ulps(log(x), Math.log(x))).toBeLessThanOrEqual(2);
    expect([log(1), log(0), log(Infinity), log(-1), log(NaN)]).toEqual([0, -Infinity, Infinity, NaN, NaN]);
});
