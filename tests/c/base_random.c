/* xoshiro128++ against its reference, seeding, and the uniform draws built on it. */
#include "fixture.h"

/* ---------------------------------------------------------------- the generator */

/* The outputs of the authors' xoshiro128plusplus.c from state {1, 2, 3, 4}, as the test of the crate rand_xoshiro has them;
 * number 102,401 is that of PHP's test of the same generator. */
static void reference_outputs(void) {
    static const uint32_t expected[] = {641,        1573767,    3222811527, 3517856514, 836907274,
                                        4247214768, 3867114732, 1355841295, 495546011,  621204420};
    qh_random random = {{1, 2, 3, 4}};
    for (uint32_t i = 0; i < COUNT_OF(expected); i++)
        CHECK_EQ(qh__random_next(&random), expected[i]);
    for (uint32_t i = COUNT_OF(expected); i < 102400; i++) qh__random_next(&random);
    CHECK_EQ(qh__random_next(&random), 0x2C873CFAu);
}

/* SplitMix64 from 0 (the same vector in its authors' and in Java's tests). */
static void seeding_is_splitmix64(void) {
    static const uint64_t expected[] = {0xE220A8397B1DCDAFu, 0x6E789E6AA1B965F4u,
                                        0x06C45D188009454Fu, 0xF88BB8A8724C81ECu};
    for (uint32_t i = 0; i < COUNT_OF(expected); i++)
        CHECK_EQ(qh__mix64((i + 1) * QH_GOLDEN_GAMMA), expected[i]);
    for (uint64_t stream = 0; stream < 100; stream++) {
        qh_random random = qh__random_seeded(qh__mix64(stream + QH_GOLDEN_GAMMA), stream);
        CHECK_EQ(random.state[0], (uint32_t)expected[0]);
        CHECK_EQ(random.state[1], (uint32_t)(expected[0] >> 32));
        CHECK_EQ(random.state[2], (uint32_t)expected[1]);
        CHECK_EQ(random.state[3], (uint32_t)(expected[1] >> 32));
    }
    /* rand_xoshiro's seed_from_u64(0) is this seeding from state 0. */
    qh_random random = qh__random_seeded(qh__mix64(QH_GOLDEN_GAMMA), 0);
    CHECK_EQ(qh__random_next(&random), 1179900579u);
    CHECK_EQ(qh__random_next(&random), 1938959192u);
    CHECK_EQ(qh__random_next(&random), 3089844957u);
}

static void no_two_streams_are_alike(void) {
    static uint64_t first[4096];
    for (uint32_t i = 0; i < 4096; i++) {
        qh_random random = qh__random_seeded(i / 64, i % 64);
        first[i] = (uint64_t)qh__random_next(&random) << 32 | qh__random_next(&random);
        for (uint32_t k = 0; k < i; k++) CHECK(first[i] != first[k]);
    }
}

/* Correlation of streams that differ in one bit of seed or stream: bits equal half the time, within 6 standard errors. */
static void neighbouring_streams_are_independent(void) {
    const uint32_t draws = 20000;
    for (uint32_t which = 0; which < 2; which++)
        for (uint32_t bit = 0; bit < 64; bit += 7) {
            uint64_t flip = (uint64_t)1 << bit;
            qh_random a = qh__random_seeded(42, 17);
            qh_random b = qh__random_seeded(which ? 42 ^ flip : 42, which ? 17 : 17 ^ flip);
            uint32_t equal = 0;
            for (uint32_t i = 0; i < draws; i++)
                equal += (uint32_t)__builtin_popcount(~(qh__random_next(&a) ^ qh__random_next(&b)));
            CHECK_NEAR(equal / (32.0 * draws), 0.5, 6 * 0.5 / 800);
        }
}

/* ---------------------------------------------------------------- draws */

static void below_keeps_its_bounds(void) {
    qh_random random = test_random();
    static const uint32_t bounds[] = {
        1,           2,           3,          5,     31,          32,       33,
        1000,        65535,       65536,      65537, 0x7FFFFFFFu, 1u << 31, (1u << 31) + 1,
        0xAAAAAAABu, 0xFFFFFFFEu, 0xFFFFFFFFu};
    for (uint32_t i = 0; i < COUNT_OF(bounds); i++) {
        uint32_t greatest = 0;
        for (uint32_t k = 0; k < 4000; k++) {
            uint32_t drawn = qh__random_below(&random, bounds[i]);
            CHECK(drawn < bounds[i]);
            greatest = QH_MAX(greatest, drawn);
        }
        CHECK(greatest >= bounds[i] - 1 - bounds[i] / 100);
    }
}

static void below_one_draws_nothing(void) {
    qh_random random = {{1, 2, 3, 4}};
    for (int i = 0; i < 10; i++) CHECK_EQ(qh__random_below(&random, 1), 0);
    CHECK_EQ(qh__random_next(&random), 641);
}

static void below_is_uniform(void) {
    qh_random random = test_random();
    static uint32_t counts[1000];
    static const uint32_t bounds[] = {2, 3, 5, 6, 7, 10, 16, 31, 100, 593, 1000};
    for (uint32_t i = 0; i < COUNT_OF(bounds); i++) {
        memset(counts, 0, sizeof counts);
        for (uint32_t k = 0; k < TEST_SHARE(200000u); k++)
            counts[qh__random_below(&random, bounds[i])]++;
        CHECK(test_chi_square(counts, NULL, bounds[i]) < test_chi_square_limit(bounds[i] - 1));
    }
}

/* A bound of 3 * 2^30: a plain multiplication would draw every third number twice as often as the others. */
static void below_is_unbiased_where_bias_would_be_greatest(void) {
    qh_random random = test_random();
    uint32_t counts[3] = {0};
    for (uint32_t k = 0; k < TEST_SHARE(300000u); k++)
        counts[qh__random_below(&random, 3u << 30) % 3]++;
    CHECK(test_chi_square(counts, NULL, 3) < test_chi_square_limit(2));
}

static void unit_is_uniform_in_the_half_open_interval(void) {
    qh_random random = test_random();
    uint32_t counts[100] = {0};
    const uint32_t draws = TEST_SHARE(200000u);
    double sum = 0;
    for (uint32_t k = 0; k < draws; k++) {
        double x = qh__random_unit(&random);
        CHECK(x >= 0 && x < 1);
        CHECK(x * 0x1p32 == (double)(uint32_t)(x * 0x1p32));
        counts[(uint32_t)(x * 100)]++;
        sum += x;
    }
    CHECK(test_chi_square(counts, NULL, 100) < test_chi_square_limit(99));
    CHECK_NEAR(sum / draws, 0.5, 6 * 0.2887 / qh__sqrt(draws));
}

static void each_bit_is_fair(void) {
    qh_random random = test_random();
    uint32_t ones[32] = {0}, pairs[4] = {0};
    const uint32_t draws = TEST_SHARE(100000u);
    for (uint32_t k = 0; k < draws; k++) {
        uint32_t x = qh__random_next(&random);
        for (uint32_t bit = 0; bit < 32; bit++) ones[bit] += x >> bit & 1;
        pairs[x & 3]++;
    }
    for (uint32_t bit = 0; bit < 32; bit++)
        CHECK_NEAR(ones[bit] / (double)draws, 0.5, 6 * 0.5 / qh__sqrt(draws));
    CHECK(test_chi_square(pairs, NULL, 4) < test_chi_square_limit(3));
}

TEST_SUITE(base_random, {"xoshiro128++ gives the reference outputs", reference_outputs},
           {"the state is filled by SplitMix64", seeding_is_splitmix64},
           {"no two streams are alike", no_two_streams_are_alike},
           {"neighbouring streams are independent", neighbouring_streams_are_independent},
           {"below keeps its bounds, the greatest included", below_keeps_its_bounds},
           {"below 1 draws nothing", below_one_draws_nothing},
           {"below is uniform", below_is_uniform},
           {"below is unbiased where bias would be greatest",
            below_is_unbiased_where_bias_would_be_greatest},
           {"unit is uniform in [0, 1)", unit_is_uniform_in_the_half_open_interval},
           {"each bit is fair", each_bit_is_fair});
