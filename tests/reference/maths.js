/**
 * e^x and the natural logarithm from additions, multiplications and divisions alone, each rounded once to a double: engines may
 * differ in `Math.exp` and `Math.log`, not in these. The algorithms are those that the core documents (src/base/maths.h), written
 * down a second time, so that softmax, UCB and prioritised replay can be compared to the last bit.
 */

const { trunc } = Math;
const LN2_HIGH = 6.93147180369123816490e-1; // 33 bits: k * LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;
const bits = new DataView(new ArrayBuffer(8));

/** 1 / n! */
const INVERSE_FACTORIALS = Array.from({ length: 14 }, (_, n) => {
    let product = 1;
    for (let i = 2; i <= n; i += 1) product *= i;
    return 1 / product;
});

/** x = k ln 2 + r with |r| at most ln 2 / 2; e^r by its Taylor series to r^13. */
export function exp(x) {
    if (x !== x) return x;
    if (x > 709.782712893384) return Infinity;
    if (x < -745.2) return 0;
    const scaled = x * 1.4426950408889634;
    const k = trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    const r = x - k * LN2_HIGH - k * LN2_LOW;
    let tail = 0;
    for (let n = 13; n >= 2; n -= 1) tail = (tail + INVERSE_FACTORIALS[n]) * r;
    const half = trunc(k / 2);
    return (1 + (r + tail * r)) * 2 ** half * 2 ** (k - half);
}

/** x = 2^k m with m in [sqrt 1/2, sqrt 2); log m = 2 atanh s, s = (m - 1) / (m + 1), by its odd series to s^21. */
export function log(x) {
    if (!(x >= 0)) return NaN;
    if (x === 0) return -Infinity;
    if (x === Infinity) return x;
    const subnormal = x < 2 ** -1022;
    bits.setFloat64(0, subnormal ? x * 2 ** 54 : x);
    let k = (bits.getUint16(0) >> 4) - 1023 - (subnormal ? 54 : 0);
    bits.setUint16(0, (bits.getUint16(0) & 0xf) | 0x3ff0);
    let m = bits.getFloat64(0);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k += 1;
    }
    const s = (m - 1) / (m + 1);
    const z = s * s;
    let sum = 0;
    for (let n = 9; n >= 0; n -= 1) sum = (sum + 1 / (2 * n + 3)) * z;
    const f = m - 1;
    const correction = s * (f - 2 * sum);
    return k * LN2_HIGH + (f - (correction - k * LN2_LOW));
}
