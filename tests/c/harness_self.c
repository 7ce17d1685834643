/* The harness itself: statistics and the generator that all random tests rest on. */
#include "fixture.h"

static void chi_square_is_the_textbooks(void) {
    const uint32_t even[] = {25, 25, 25, 25}, odd[] = {10, 20, 30, 40};
    const double skewed[] = {0.1, 0.2, 0.3, 0.4}, impossible[] = {0.5, 0.5, 0, 0};
    CHECK_SAME(test_chi_square(even, NULL, 4), 0);
    CHECK_SAME(test_chi_square(odd, NULL, 4), 20); /* (225 + 25 + 25 + 225) / 25 */
    CHECK_NEAR(test_chi_square(odd, skewed, 4), 0, 1e-12);
    CHECK(test_chi_square(odd, impossible, 4) > 1e300);
}

/* The 0.999999 quantiles are 23.9 (1 degree), 44.8 (9) and 180 (99); the bound must not lie below them. */
static void chi_square_limits_are_above_the_quantiles(void) {
    CHECK(test_chi_square_limit(1) > 23.9 && test_chi_square_limit(1) < 48);
    CHECK(test_chi_square_limit(9) > 44.8 && test_chi_square_limit(9) < 80);
    CHECK(test_chi_square_limit(99) > 180.0 && test_chi_square_limit(99) < 220);
}

static void comparison_knows_zero_signs_and_nan(void) {
    CHECK(test_same(__builtin_nan(""), -__builtin_nan("")));
    CHECK(!test_same(0.0, -0.0));
    CHECK(!test_same(1, __builtin_nan("")));
    CHECK(test_same(__builtin_inf(), __builtin_inf()));
}

static void the_seed_makes_the_numbers(void) {
    qh_random first = test_random(), second = test_random();
    for (int i = 0; i < 100; i++) CHECK_EQ(qh__random_next(&first), qh__random_next(&second));
}

TEST_SUITE(harness_self, {"chi-square is the textbook's", chi_square_is_the_textbooks},
           {"chi-square limits lie above the quantiles", chi_square_limits_are_above_the_quantiles},
           {"comparison of doubles is exact", comparison_knows_zero_signs_and_nan},
           {"one seed gives one sequence", the_seed_makes_the_numbers});
