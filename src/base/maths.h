/* Deterministic mathematics: the same bits in every build and engine. Only +, -, *, / and sqrt (exact by
 * IEEE 754) are used, in a fixed order and without contraction; no libm, no Math.* of the host. */
#ifndef QH_BASE_MATHS_H
#define QH_BASE_MATHS_H

#include "base/platform.h"

#define QH_FLOAT_MAX 3.4028234663852886e38

/* e^x, within 2 units in the last place; 0 below -745, infinity above 709.78, NaN for NaN. */
double qh__exp(double x);

/* Natural logarithm, within 2 units in the last place; -infinity for 0, NaN below 0. */
double qh__log(double x);

QH_INLINE double qh__sqrt(double x) {
    return __builtin_sqrt(x);
}

/* True for every number that is neither NaN nor infinite. */
QH_INLINE bool qh__is_finite(double x) {
    return x - x == 0;
}

/* The greatest whole number that is not above `x`. */
QH_INLINE double qh__floor(double x) {
#if defined(__wasm__)
    return __builtin_floor(x);
#else
    if (!(__builtin_fabs(x) < 0x1p52)) return x;
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
#endif
}

QH_INLINE double qh__abs(double x) {
    return __builtin_fabs(x);
}

/* The nearest float of `x`, saturated at the largest finite ones: a diverging value must not become infinite. */
QH_INLINE float qh__to_float(double x) {
    if (QH_UNLIKELY(x > QH_FLOAT_MAX)) x = QH_FLOAT_MAX;
    if (QH_UNLIKELY(x < -QH_FLOAT_MAX)) x = -QH_FLOAT_MAX;
    return (float)x;
}

#endif
