/* exp and log: against exact constants, then against the same functions in twice the precision.
 *
 * The reference computes with unevaluated sums of two doubles (Dekker, "A floating-point technique for extending the available
 * precision", 1971): about 100 bits, so its own error is far below a unit in the last place of what it judges. */
#include "fixture.h"
#include "maths_constants.h"

#define INFINITE __builtin_inf()

static const double least_subnormal = 0x1p-1074, least_normal = 0x1p-1022,
                    greatest = 0x1.fffffffffffffp+1023;

/* ---------------------------------------------------------------- twice the precision */

typedef struct twofold {
    double high, low;
} twofold;

static twofold sum_of(double a, double b) {
    double high = a + b, part = high - a;
    return (twofold){high, (a - (high - part)) + (b - part)};
}

static void split(double a, double *high, double *low) {
    double scaled = a * 134217729.0;
    *high = scaled - (scaled - a);
    *low = a - *high;
}

static twofold product_of(double a, double b) {
    double a_high, a_low, b_high, b_low, high = a * b;
    split(a, &a_high, &a_low);
    split(b, &b_high, &b_low);
    double low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return (twofold){high, low};
}

static twofold add(twofold a, twofold b) {
    twofold high = sum_of(a.high, b.high), low = sum_of(a.low, b.low);
    twofold once = sum_of(high.high, high.low + low.high);
    return sum_of(once.high, once.low + low.low);
}

static twofold multiply(twofold a, twofold b) {
    twofold product = product_of(a.high, b.high);
    return sum_of(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static twofold divide(twofold a, double b) {
    double first = a.high / b;
    twofold back = product_of(first, b);
    return sum_of(first, (((a.high - back.high) - back.low) + a.low) / b);
}

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ln 2 = 33 bits + 33 bits + the rest: products of the first two with up to 2^20 are exact. */
static const double ln2[3] = {0x1.62e42fefp-1, 0x1.473de6afp-34, 0x1.3c7673007e5edp-69};

/* e^x = result * 2^k */
static twofold exp_in_two(double x, int *k) {
    *k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    twofold r = sum_of(x, -*k * ln2[0]), sum = {1, 0};
    r = add(r, (twofold){-*k * ln2[1], 0});
    r = add(r, product_of(-*k, ln2[2]));
    for (int n = 30; n >= 1; n--) sum = add((twofold){1, 0}, divide(multiply(r, sum), n));
    return sum;
}

/* One step of Newton's method from `guess`: log x = guess + log(x e^-guess), whose argument is 1 but for the guess's error. */
static twofold log_in_two(double x, double guess) {
    int k, shift = 0;
    if (x < least_normal) {
        x *= 0x1p100;
        shift = -100;
    }
    twofold inverse = exp_in_two(-guess, &k);
    int exponent = (int)(bits_of(x) >> 52) - 1023;
    double mantissa = double_of((bits_of(x) & 0xFFFFFFFFFFFFFu) | (uint64_t)1023 << 52);
    twofold ratio = multiply(inverse, (twofold){mantissa, 0});
    for (int e = exponent + shift + k; e != 0; e += e < 0 ? 1 : -1) {
        ratio.high *= e < 0 ? 0.5 : 2;
        ratio.low *= e < 0 ? 0.5 : 2;
    }
    twofold t = add(ratio, (twofold){-1, 0});
    return add((twofold){guess, 0}, (twofold){t.high, t.low - t.high * t.high / 2});
}

/* Units in the last place between `y` and exact / 2^k. */
static double units_off(double y, twofold exact, int k) {
    int exponent = (int)(bits_of(exact.high) >> 52 & 0x7FF) - 1023;
    double scaled = y, unit = double_of((uint64_t)(1023 + exponent - 52) << 52);
    for (int left = k; left != 0;) {
        int step = left > 500 ? 500 : left < -500 ? -500 : left;
        scaled *= double_of((uint64_t)(1023 - step) << 52);
        left -= step;
    }
    return qh__abs((scaled - exact.high) - exact.low) / unit;
}

/* ---------------------------------------------------------------- against exact constants */

static uint64_t steps_between(double a, double b) {
    uint64_t x = bits_of(a), y = bits_of(b);
    return x > y ? x - y : y - x;
}

static void exp_of_constants(void) {
    uint64_t worst = 0;
    for (uint32_t i = 0; i < COUNT_OF(exact_exp); i++) {
        uint64_t off = steps_between(qh__exp(exact_exp[i].x), exact_exp[i].y);
        worst = QH_MAX(worst, off);
        CHECK(off <= 2);
    }
    test_note_integer("most doubles off", (int64_t)worst);
    CHECK_SAME(qh__exp(0), 1);
    CHECK_SAME(qh__exp(-0.0), 1);
}

static void log_of_constants(void) {
    uint64_t worst = 0;
    for (uint32_t i = 0; i < COUNT_OF(exact_log); i++) {
        uint64_t off = steps_between(qh__log(exact_log[i].x), exact_log[i].y);
        worst = QH_MAX(worst, off);
        CHECK(off <= 2);
    }
    test_note_integer("most doubles off", (int64_t)worst);
    CHECK_SAME(qh__log(1), 0);
}

static void borders_of_exp(void) {
    CHECK_SAME(qh__exp(709.782712893384), 0x1.fffffffffff2ap+1023);
    CHECK_SAME(qh__exp(709.7827128933841), INFINITE);
    CHECK_SAME(qh__exp(INFINITE), INFINITE);
    CHECK_SAME(qh__exp(greatest), INFINITE);
    CHECK_SAME(qh__exp(-INFINITE), 0);
    CHECK_SAME(qh__exp(-greatest), 0);
    CHECK_SAME(qh__exp(-745.14), 0);
    CHECK_SAME(qh__exp(-745.13), least_subnormal);
    CHECK_SAME(qh__exp(least_subnormal), 1);
    CHECK_SAME(qh__exp(__builtin_nan("")), __builtin_nan(""));
}

static void borders_of_log(void) {
    CHECK_SAME(qh__log(0), -INFINITE);
    CHECK_SAME(qh__log(-0.0), -INFINITE);
    CHECK_SAME(qh__log(INFINITE), INFINITE);
    CHECK_SAME(qh__log(-least_subnormal), __builtin_nan(""));
    CHECK_SAME(qh__log(-INFINITE), __builtin_nan(""));
    CHECK_SAME(qh__log(__builtin_nan("")), __builtin_nan(""));
    for (int k = -1074; k <= 1023; k++) {
        double power = k < -1022 ? double_of((uint64_t)1 << (k + 1074))
                                 : double_of((uint64_t)(k + 1023) << 52);
        CHECK(steps_between(qh__log(power), k * 0.6931471805599453) <= 2);
    }
}

/* ---------------------------------------------------------------- against twice the precision */

static double draw(qh_random *random, double low, double high) {
    uint64_t bits = (uint64_t)qh__random_next(random) << 32 | qh__random_next(random);
    return low + (high - low) * ((double)(bits >> 11) * 0x1p-53);
}

static void the_reference_agrees_with_the_constants(void) {
    for (uint32_t i = 0; i < COUNT_OF(exact_exp); i++) {
        int k;
        twofold exact = exp_in_two(exact_exp[i].x, &k);
        if (exact_exp[i].y >= least_normal) CHECK(units_off(exact_exp[i].y, exact, k) <= 0.5000001);
    }
    for (uint32_t i = 0; i < COUNT_OF(exact_log); i++) {
        twofold exact = log_in_two(exact_log[i].x, qh__log(exact_log[i].x));
        if (exact_log[i].y != 0) CHECK(units_off(exact_log[i].y, exact, 0) <= 0.5000001);
    }
}

static void exp_of_random_arguments(void) {
    qh_random random = test_random();
    static const double ranges[][2] = {
        {-708, 709.7}, {-40, 40}, {-1, 1}, {-0.36, 0.36}, {-1e-6, 1e-6}};
    double worst = 0;
    for (uint32_t i = 0; i < TEST_SHARE(40000u); i++) {
        const double *range = ranges[i % COUNT_OF(ranges)];
        double x = draw(&random, range[0], range[1]);
        int k;
        twofold exact = exp_in_two(x, &k);
        double off = units_off(qh__exp(x), exact, k);
        worst = QH_MAX(worst, off);
        CHECK(off <= 2);
    }
    test_note_double("most units off", worst);
}

static void log_of_random_arguments(void) {
    qh_random random = test_random();
    static const double ranges[][2] = {{-1074, 1023.9}, {-30, 30}, {-1, 1}, {-0.01, 0.01}};
    double worst = 0;
    for (uint32_t i = 0; i < TEST_SHARE(40000u); i++) {
        const double *range = ranges[i % COUNT_OF(ranges)];
        double x = qh__exp(draw(&random, range[0], range[1]) * 0.6931471805599453);
        if (x == 1) continue;
        double y = qh__log(x), off = units_off(y, log_in_two(x, y), 0);
        worst = QH_MAX(worst, off);
        CHECK(off <= 2);
    }
    test_note_double("most units off", worst);
}

/* ---------------------------------------------------------------- monotony and inverses */

/* Neighbours 64 doubles apart must be in order; the nearest neighbours of a function within 2 units need not be. */
static void exp_and_log_are_monotonic(void) {
    qh_random random = test_random();
    uint32_t disorders = 0;
    for (uint32_t i = 0; i < TEST_SHARE(200000u); i++) {
        double x = draw(&random, -700, 700);
        if (x == 0) continue;
        double above = double_of(bits_of(x) + (x > 0 ? 64 : (uint64_t)-64));
        CHECK(qh__exp(x) <= qh__exp(above));
        double nearest = double_of(bits_of(x) + (x > 0 ? 1 : (uint64_t)-1));
        disorders += qh__exp(nearest) < qh__exp(x);
        double y = qh__exp(x);
        CHECK(qh__log(y) <= qh__log(double_of(bits_of(y) + 64)));
    }
    test_note_integer("neighbours of exp out of order", disorders);
}

/* A coarse grid over everything: strictly rising, also across every border of the reductions. */
static void exp_and_log_rise_strictly_on_a_grid(void) {
    double last = -1, last_log = -INFINITE;
    for (double x = -708; x < 709; x += 1.0 / 64) {
        double y = qh__exp(x);
        CHECK(y > last);
        last = y;
    }
    for (double x = 0x1p-1060; x < 0x1p1000; x *= 1.015625) {
        double y = qh__log(x);
        CHECK(y > last_log);
        last_log = y;
    }
}

static void exp_and_log_are_inverse(void) {
    qh_random random = test_random();
    for (uint32_t i = 0; i < TEST_SHARE(50000u); i++) {
        double x = draw(&random, -700, 700);
        CHECK_NEAR(qh__log(qh__exp(x)), x, 2e-13 + 3e-16 * qh__abs(x));
    }
}

static void exp_turns_sums_into_products(void) {
    qh_random random = test_random();
    for (uint32_t i = 0; i < TEST_SHARE(50000u); i++) {
        double x = draw(&random, -300, 300), y = draw(&random, -300, 300);
        CHECK_NEAR(qh__exp(x + y) / (qh__exp(x) * qh__exp(y)), 1, 3e-13);
    }
}

/* ---------------------------------------------------------------- small functions */

static void saturating_conversion(void) {
    CHECK_SAME(qh__to_float(1e300), QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(-1e300), -QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(INFINITE), QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(-INFINITE), -QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(QH_FLOAT_MAX), QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(QH_FLOAT_MAX * 1.0000000001), QH_FLOAT_MAX);
    CHECK_SAME(qh__to_float(0.1), 0.1f);
    CHECK_SAME(qh__to_float(-0.0), -0.0f);
    CHECK_SAME(qh__to_float(1 + 0x1p-24), 1); /* a tie goes to the even neighbour */
    CHECK_SAME(qh__to_float(1 + 3 * 0x1p-24), 1 + 0x1p-22);
    CHECK_SAME(qh__to_float(1e-46), 0);
}

static void finiteness(void) {
    CHECK(qh__is_finite(0) && qh__is_finite(greatest) && qh__is_finite(-greatest));
    CHECK(qh__is_finite(least_subnormal));
    CHECK(!qh__is_finite(INFINITE) && !qh__is_finite(-INFINITE) &&
          !qh__is_finite(__builtin_nan("")));
}

static void square_roots_are_exact(void) {
    for (uint32_t i = 0; i < 40000; i++) CHECK_SAME(qh__sqrt((double)i * i), i);
    CHECK_SAME(qh__sqrt(2), 0x1.6a09e667f3bcdp+0);
    CHECK_SAME(qh__sqrt(least_subnormal), 0x1p-537);
}

TEST_SUITE(base_maths, {"exp of constants is within 2 units", exp_of_constants},
           {"log of constants is within 2 units", log_of_constants},
           {"borders of exp", borders_of_exp}, {"borders of log", borders_of_log},
           {"the reference agrees with the constants", the_reference_agrees_with_the_constants},
           {"exp of random arguments is within 2 units", exp_of_random_arguments},
           {"log of random arguments is within 2 units", log_of_random_arguments},
           {"exp and log are monotonic", exp_and_log_are_monotonic},
           {"exp and log rise strictly on a grid", exp_and_log_rise_strictly_on_a_grid},
           {"exp and log are inverse", exp_and_log_are_inverse},
           {"exp turns sums into products", exp_turns_sums_into_products},
           {"conversion to float saturates", saturating_conversion}, {"finiteness", finiteness},
           {"square roots are exact", square_roots_are_exact});
