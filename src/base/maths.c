#include "base/maths.h"

#include "base/bytes.h"

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static const double ln2_high =
    6.93147180369123816490e-01; /* 0x3FE62E42FEE00000: 33 bits, k * ln2_high is exact */
static const double ln2_low = 1.90821492927058770002e-10;

/* 1 / n!, and 1 / n for odd n: a division costs as much as five multiplications. */
static const double inverse_factorials[14] = {1.0,
                                              1.0,
                                              1.0 / 2,
                                              1.0 / 6,
                                              1.0 / 24,
                                              1.0 / 120,
                                              1.0 / 720,
                                              1.0 / 5040,
                                              1.0 / 40320,
                                              1.0 / 362880,
                                              1.0 / 3628800,
                                              1.0 / 39916800,
                                              1.0 / 479001600,
                                              1.0 / 6227020800};
static const double inverse_odds[10] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                        1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};

/* x = k ln 2 + r, |r| <= ln 2 / 2, then e^r by its Taylor series to r^13 (remainder below 2^-58). */
double qh__exp(double x) {
    if (x != x) return x;
    if (x > 709.782712893384) return from_bits(0x7FF0000000000000u);
    if (x < -745.2) return 0;
    double scaled = x * 1.4426950408889634;
    int k = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));
    double r = (x - k * ln2_high) - k * ln2_low;
    double sum = 0;
    for (int n = 13; n >= 2; n--) sum = (sum + inverse_factorials[n]) * r;
    sum = 1 + (r + sum * r);
    int half = k / 2;
    return sum * from_bits((uint64_t)(1023 + half) << 52) *
           from_bits((uint64_t)(1023 + k - half) << 52);
}

/* x = 2^k m, m in [sqrt 1/2, sqrt 2); log m = 2 atanh(s), s = (m-1)/(m+1), |s| < 0.1716, odd series to s^21. */
double qh__log(double x) {
    if (x != x || x < 0) return from_bits(0x7FF8000000000000u);
    if (x == 0) return from_bits(0xFFF0000000000000u);
    uint64_t bits = to_bits(x);
    if (bits == 0x7FF0000000000000u) return x;
    int k = 0;
    if (bits < 0x0010000000000000u) {
        bits = to_bits(x * 0x1p54);
        k = -54;
    }
    k += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k++;
    }
    double s = (m - 1) / (m + 1), z = s * s, sum = 0;
    for (int n = 9; n >= 0; n--) sum = (sum + inverse_odds[n]) * z;
    double f = m - 1,
           correction = s * (f - 2 * sum); /* log m = f - s (f - 2 sum): exact leading term */
    return k * ln2_high + (f - (correction - k * ln2_low));
}
