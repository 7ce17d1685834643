/* Encoders but for the cells of `bins` (learn_encoder_keys.c): definitions, index, vectors, trends, tile coding, simhash, and the
 * plans that agents share. */
#include "encoder_fixture.h"

static const float infinite = __builtin_inff();

/* ---------------------------------------------------------------- definitions */

static bool accepts_dim(qh_dim dim) {
    qh_encoder_def def = bins_of(&dim, 1);
    return qh_plan_check(&def) == QH_OK;
}

static void dimensions_out_of_range_are_refused(void) {
    const float nan = __builtin_nanf("");
    CHECK(accepts_dim((qh_dim){0, 1, 10, 0}) && accepts_dim((qh_dim){-1e30f, 1e30f, 65536, 1}));
    CHECK(accepts_dim((qh_dim){0, 1, 0, 0.5f}) && accepts_dim((qh_dim){-1.7e38f, 1.7e38f, 1, 0}));
    CHECK(!accepts_dim((qh_dim){1, 1, 10, 0}) && !accepts_dim((qh_dim){1, 0, 10, 0}));
    CHECK(!accepts_dim((qh_dim){nan, 1, 10, 0}) && !accepts_dim((qh_dim){0, nan, 10, 0}));
    CHECK(!accepts_dim((qh_dim){-infinite, 1, 10, 0}) &&
          !accepts_dim((qh_dim){0, infinite, 10, 0}));
    CHECK(!accepts_dim((qh_dim){-3e38f, 3e38f, 10, 0})); /* the range itself overflows */
    CHECK(!accepts_dim((qh_dim){0, 1, 65537, 0}) && !accepts_dim((qh_dim){0, 1, 0xFFFFFFFFu, 0}));
    CHECK(!accepts_dim((qh_dim){0, 1, 10, -0.1f}) && !accepts_dim((qh_dim){0, 1, 10, 1.1f}));
    CHECK(!accepts_dim((qh_dim){0, 1, 10, nan}) && !accepts_dim((qh_dim){0, 1, 10, infinite}));
}

static void definitions_out_of_range_are_refused(void) {
    static qh_dim many[100];
    for (uint32_t i = 0; i < 100; i++) many[i] = (qh_dim){0, 1, 4, i % 2 ? 0.5f : 0};
    struct {
        qh_encoder_def def;
        bool valid;
    } cases[] = {
        {{.kind = QH_ENCODER_INDEX, .states = 1}, true},
        {{.kind = QH_ENCODER_INDEX, .states = 0xFFFFFFFFu}, true},
        {{.kind = QH_ENCODER_INDEX, .states = 0}, false},
        {{.kind = QH_ENCODER_BINS, .dims = many, .dim_count = 0}, false},
        {{.kind = QH_ENCODER_BINS, .dims = many, .dim_count = 42}, true}, /* and 21 trends */
        {{.kind = QH_ENCODER_BINS, .dims = many, .dim_count = 43}, true}, /* and 21: 64 */
        {{.kind = QH_ENCODER_BINS, .dims = many, .dim_count = 44}, false},
        {{.kind = QH_ENCODER_BINS, .dims = many, .dim_count = 0xFFFFFFFFu}, false},
        {{.kind = QH_ENCODER_SIMHASH, .dims = many, .dim_count = 4, .bits = 0}, false},
        {{.kind = QH_ENCODER_SIMHASH, .dims = many, .dim_count = 4, .bits = 1}, true},
        {{.kind = QH_ENCODER_SIMHASH, .dims = many, .dim_count = 4, .bits = 32}, true},
        {{.kind = QH_ENCODER_SIMHASH, .dims = many, .dim_count = 4, .bits = 33}, false},
        {{.kind = QH_ENCODER_TILES, .dims = many, .dim_count = 4, .tilings = 0}, false},
        {{.kind = QH_ENCODER_TILES, .dims = many, .dim_count = 4, .tilings = 32}, true},
        {{.kind = QH_ENCODER_TILES, .dims = many, .dim_count = 4, .tilings = 33}, false},
        {{.kind = 4, .dims = many, .dim_count = 4}, false},
        {{.kind = 0xFFFFFFFFu, .dims = many, .dim_count = 4}, false},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_EQ(qh_plan_check(&cases[i].def) == QH_OK, cases[i].valid);
    for (uint32_t i = 0; i < 100; i++) many[i].trend = 0;
    qh_encoder_def def = bins_of(many, 64);
    CHECK_OK(qh_plan_check(&def));
    def.dim_count = 65;
    CHECK_RESULT(qh_plan_check(&def), QH_INVALID_ARGUMENT);
}

/* ---------------------------------------------------------------- index */

static void states_have_keys_of_their_own(void) {
    enum {
        COUNT = 20000
    };
    static uint32_t low[256], tag[256];
    open_encoder_memory(1);
    open_encoder(&(qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = COUNT});
    memset(low, 0, sizeof low);
    memset(tag, 0, sizeof tag);
    for (uint32_t state = 0; state < COUNT; state++) {
        uint64_t key;
        CHECK_OK(qh_encoder_keys(&encoder, NULL, state, &key));
        /* The key is a bijection of the state: its inverse names it. */
        uint64_t x = key;
        x ^= x >> 31 ^ x >> 62;
        x *= 0x319642B2D24D8EC3u;
        x ^= x >> 27 ^ x >> 54;
        x *= 0x96DE1B173F119089u;
        x ^= x >> 30 ^ x >> 60;
        CHECK_EQ(x, state + 1);
        low[key & 255]++;
        tag[key >> 56]++;
    }
    CHECK(test_chi_square(low, NULL, 256) < test_chi_square_limit(255));
    CHECK(test_chi_square(tag, NULL, 256) < test_chi_square_limit(255));
    close_encoder();
    close_encoder_memory();
}

static void what_is_no_state_is_refused(void) {
    static const double wrong[] = {-1,           -0.5,         0.5,   9.999999999, 10,    11,
                                   4294967296.0, 4294967297.0, 1e300, -1e300,      5e-324};
    uint64_t key;
    open_encoder_memory(1);
    open_encoder(&(qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 10});
    for (uint32_t i = 0; i < COUNT_OF(wrong); i++)
        CHECK_RESULT(qh_encoder_keys(&encoder, NULL, wrong[i], &key), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_encoder_keys(&encoder, NULL, __builtin_nan(""), &key), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_encoder_keys(&encoder, NULL, __builtin_inf(), &key), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_encoder_keys(&encoder, NULL, -0.0, &key));
    CHECK_OK(qh_encoder_keys(&encoder, NULL, 9, &key));
    close_encoder();
    open_encoder(&(qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 0xFFFFFFFFu});
    CHECK_OK(qh_encoder_keys(&encoder, NULL, 4294967294.0, &key));
    CHECK_RESULT(qh_encoder_keys(&encoder, NULL, 4294967295.0, &key), QH_INVALID_ARGUMENT);
    close_encoder();
    close_encoder_memory();
}

/* ---------------------------------------------------------------- vectors and trends */

static const qh_dim mixed[3] = {{0, 10, 5, 0.25f}, {-1, 1, 0, 0}, {100, 200, 4, 1}};

static void vectors_are_normalised_and_clamped(void) {
    float vector[QH_MAX_DIMS];
    uint32_t length;
    static const float inside[] = {2.5f, 0, 175}, outside[] = {-3, 7, infinite},
                       below[] = {99, -infinite, 0};
    qh_encoder_def def = bins_of(mixed, 3);
    open_encoder_memory(1);
    open_encoder(&def);
    CHECK_OK(qh_encoder_vector(&encoder, inside, 0, vector, &length));
    CHECK_EQ(length, 5);
    CHECK_SAME(vector[0], 0.25);
    CHECK_SAME(vector[1], 0.5);
    CHECK_SAME(vector[2], 0.75);
    CHECK(vector[3] == 0 && vector[4] == 0); /* trends before the first episode */
    CHECK_OK(qh_encoder_vector(&encoder, outside, 0, vector, &length));
    CHECK(vector[0] == 0 && vector[1] == 1 && vector[2] == 1);
    CHECK_OK(qh_encoder_vector(&encoder, below, 0, vector, &length));
    CHECK(vector[0] == 1 && vector[1] == 0 && vector[2] == 0);
    for (uint32_t i = 0; i < 3; i++) {
        float spoilt[] = {2.5f, 0, 175};
        spoilt[i] = i % 2 ? __builtin_nanf("") : -__builtin_nanf("");
        CHECK_RESULT(qh_encoder_vector(&encoder, spoilt, 0, vector, &length), QH_INVALID_ARGUMENT);
    }
    close_encoder();
    open_encoder(&(qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 10});
    CHECK_OK(qh_encoder_vector(&encoder, NULL, 7, vector, &length));
    CHECK_EQ(length, 1);
    CHECK_SAME(vector[0], 7);
    CHECK_RESULT(qh_encoder_vector(&encoder, NULL, 10, vector, &length), QH_INVALID_ARGUMENT);
    close_encoder();
    close_encoder_memory();
}

static void check_trends(qh_agent *agent, double first, double second) {
    static const float anything[] = {1, 1, 150};
    float vector[QH_MAX_DIMS];
    uint32_t length;
    CHECK_OK(qh_encoder_vector(&agent->encoder, anything, 0, vector, &length));
    CHECK_SAME(vector[3], first);
    CHECK_SAME(vector[4], second);
}

/* begin sets a trend to the observation, step moves it by alpha, everything else reads it. All numbers are dyadic. */
static void trends_move_by_begin_and_step_only(void) {
    qh_runtime *runtime = test_runtime_open(1, false);
    qh_agent_def def = test_greedy(2, 0);
    def.encoder = bins_of(mixed, 3);
    def.replay_capacity = 10;
    qh_agent *agent = test_agent(runtime, &def);
    REQUIRE(agent);
    static const float middle[] = {5, 0, 150}, high[] = {10, 1, 175},
                       wrong[] = {5, __builtin_nanf(""), 150};
    float values[2];
    uint32_t counts[2];
    int32_t action;
    double number;
    qh_experience to_high = test_outcome(1, test_values(high), QH_GOING_ON);
    check_trends(agent, 0, 0);
    CHECK_OK(qh_agent_act(agent, test_values(high), false, NULL, &action));
    CHECK_OK(qh_agent_learn(agent, test_values(middle), 0, &to_high, QH_NO_ACTION, &number));
    check_trends(agent, 0, 0);
    CHECK_OK(qh_agent_begin(agent, test_values(middle), &action));
    check_trends(agent, 0.5, 0.5);
    CHECK_OK(qh_agent_step(agent, &to_high, &action));
    check_trends(agent, 0.625, 0.75); /* 1/2 + 1/4 (1 - 1/2); alpha 1 follows at once */
    CHECK_OK(qh_agent_act(agent, test_values(middle), true, NULL, &action));
    CHECK_OK(qh_agent_learn(agent, test_values(high), 1, &to_high, QH_NO_ACTION, &number));
    CHECK_OK(qh_agent_replay(agent, 5, &number));
    CHECK_OK(qh_agent_values(agent, test_values(middle), values));
    CHECK_OK(qh_agent_visits(agent, test_values(middle), counts));
    CHECK_OK(qh_agent_probabilities(agent, test_values(middle), NULL, values));
    qh_experience refused = test_outcome(1, test_values(wrong), QH_GOING_ON);
    CHECK_RESULT(qh_agent_step(agent, &refused, &action), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_agent_begin(agent, test_values(wrong), &action), QH_INVALID_ARGUMENT);
    refused = test_outcome(__builtin_nan(""), test_values(middle), QH_GOING_ON);
    CHECK_RESULT(qh_agent_step(agent, &refused, &action), QH_INVALID_ARGUMENT);
    check_trends(agent, 0.625, 0.75);
    CHECK_OK(qh_agent_begin(agent, test_values(middle), &action));
    check_trends(agent, 0.5, 0.5);
    CHECK_OK(qh_agent_reset(agent));
    check_trends(agent, 0, 0);
    qh_runtime_close(runtime);
}

/* The state a step enters is that of the observation with the moved trend. */
static void trends_count_in_the_key(void) {
    static const qh_dim dim = {0, 8, 8, 0.5f};
    static const float low = 0.5f, high = 7.5f;
    qh_encoder_def def = bins_of(&dim, 1);
    uint64_t at_rest, moving, back, after;
    open_encoder_memory(1);
    open_encoder(&def);
    CHECK_OK(qh_encoder_keys_moving(&encoder, &low, 0, true, &at_rest));
    qh_encoder_move(&encoder);
    CHECK_OK(qh_encoder_keys(&encoder, &low, 0, &back));
    CHECK_EQ(back, at_rest);
    CHECK_OK(qh_encoder_keys_moving(&encoder, &high, 0, false, &moving));
    CHECK_OK(qh_encoder_keys(&encoder, &high, 0, &after));
    CHECK(moving != after); /* prepared, but not moved yet */
    qh_encoder_move(&encoder);
    CHECK_OK(qh_encoder_keys(&encoder, &high, 0, &after));
    CHECK_EQ(after, moving);
    CHECK_OK(qh_encoder_keys(&encoder, &low, 0, &back));
    CHECK(back != at_rest);
    close_encoder();
    close_encoder_memory();
}

/* ---------------------------------------------------------------- tile coding */

static uint64_t tile_keys[QH_MAX_TILINGS], other_keys[QH_MAX_TILINGS];

/* S&B 9.5.4 with displacement vector (1, 3, 5, ...): the tile of dimension i of tiling t, from the text. */
static int32_t tile_of(double x, const qh_dim *dim, uint32_t i, uint32_t t, uint32_t tilings) {
    double tiles = (x - (double)dim->min) * dim->bins / ((double)dim->max - (double)dim->min);
    tiles = tiles < 0 ? 0 : tiles > dim->bins ? dim->bins : tiles;
    return (int32_t)(tiles + (double)(t * (2 * i + 1) % tilings) / tilings);
}

static void tiles_are_shared_as_the_offsets_say(void) {
    qh_random random = test_random();
    static const qh_dim dims[3] = {{0, 8, 8, 0}, {-4, 4, 4, 0}, {0, 1, 3, 0}};
    open_encoder_memory(1);
    for (uint32_t tilings = 1; tilings <= 32; tilings = tilings * 2 + (tilings == 4)) {
        open_encoder(&(qh_encoder_def){
            .kind = QH_ENCODER_TILES, .dims = dims, .dim_count = 3, .tilings = tilings});
        for (uint32_t round = 0; round < 1000; round++) {
            float a[3], b[3];
            for (uint32_t i = 0; i < 3; i++) {
                /* Multiples of 1/64 of a tile that are no multiple of 1/32: never on an edge. */
                double tile = ((double)dims[i].max - (double)dims[i].min) / dims[i].bins;
                uint32_t at = qh__random_below(&random, dims[i].bins * 32) * 2 + 1;
                a[i] = (float)((double)dims[i].min + at * tile / 64);
                uint32_t near = at + 2 * qh__random_below(&random, 48);
                b[i] = (float)((double)dims[i].min + near * tile / 64);
            }
            REQUIRE_OK(qh_encoder_keys(&encoder, a, 0, tile_keys));
            REQUIRE_OK(qh_encoder_keys(&encoder, b, 0, other_keys));
            for (uint32_t t = 0; t < tilings; t++) {
                bool same = true;
                for (uint32_t i = 0; i < 3; i++)
                    same &= tile_of((double)a[i], &dims[i], i, t, tilings) ==
                            tile_of((double)b[i], &dims[i], i, t, tilings);
                CHECK_EQ(tile_keys[t] == other_keys[t], same);
            }
        }
        close_encoder();
    }
    close_encoder_memory();
}

static uint32_t tiles_shared(float a, float b, uint32_t tilings) {
    uint32_t shared = 0;
    CHECK_OK(qh_encoder_keys(&encoder, &a, 0, tile_keys));
    CHECK_OK(qh_encoder_keys(&encoder, &b, 0, other_keys));
    for (uint32_t t = 0; t < tilings; t++) shared += tile_keys[t] == other_keys[t];
    return shared;
}

/* In one dimension a step of k / tilings of a tile leaves all but k tiles behind. */
static void generalisation_falls_with_distance(void) {
    static const qh_dim dim = {0, 4, 4, 0};
    open_encoder_memory(1);
    open_encoder(
        &(qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 8});
    for (uint32_t k = 0; k <= 12; k++)
        CHECK_EQ(tiles_shared(1.0625f, 1.0625f + (float)k / 8, 8), k < 8 ? 8 - k : 0);
    CHECK_EQ(tiles_shared(-5, 0, 8), 8); /* clamped */
    CHECK_EQ(tiles_shared(4, infinite, 8), 8);
    CHECK(tiles_shared(3.9f, 4, 8) < 8);
    close_encoder();
    close_encoder_memory();
}

static void no_two_tilings_share_a_key(void) {
    qh_random random = test_random();
    static const qh_dim dims[2] = {{0, 1, 8, 0}, {0, 1, 8, 0}};
    static uint64_t seen[64 * 32];
    uint32_t count = 0;
    open_encoder_memory(1);
    open_encoder(
        &(qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = dims, .dim_count = 2, .tilings = 32});
    for (uint32_t round = 0; round < 64; round++) {
        float x[2] = {(float)qh__random_unit(&random), (float)qh__random_unit(&random)};
        REQUIRE_OK(qh_encoder_keys(&encoder, x, 0, seen + count));
        for (uint32_t t = 0; t < 32; t++)
            for (uint32_t k = 0; k < count; k++)
                if (k % 32 != t) CHECK(seen[count + t] != seen[k]);
        count += 32;
    }
    close_encoder();
    close_encoder_memory();
}

static void tiles_ignore_what_has_no_bins_and_refuse_nan(void) {
    static const qh_dim dims[3] = {{0, 1, 0, 0}, {0, 1, 4, 0}, {0, 1, 0, 0}};
    float x[3] = {0.1f, 0.3f, 0.9f};
    open_encoder_memory(1);
    open_encoder(
        &(qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = dims, .dim_count = 3, .tilings = 4});
    CHECK_OK(qh_encoder_keys(&encoder, x, 0, tile_keys));
    x[0] = 0.8f;
    x[2] = 0.2f;
    CHECK_OK(qh_encoder_keys(&encoder, x, 0, other_keys));
    CHECK_EQ(memcmp(tile_keys, other_keys, 4 * sizeof tile_keys[0]), 0);
    for (uint32_t i = 0; i < 3; i++) {
        float before = x[i];
        x[i] = i % 2 ? __builtin_nanf("") : -__builtin_nanf("");
        CHECK_RESULT(qh_encoder_keys(&encoder, x, 0, tile_keys), QH_INVALID_ARGUMENT);
        x[i] = before;
    }
    close_encoder();
    close_encoder_memory();
}

/* ---------------------------------------------------------------- simhash */

#define SIM_DIMS 12u

static qh_dim sim_dims[SIM_DIMS];

static qh_encoder_def simhash_of(uint32_t bits) {
    for (uint32_t i = 0; i < SIM_DIMS; i++) sim_dims[i] = (qh_dim){0, 1, 1, 0};
    return (qh_encoder_def){
        .kind = QH_ENCODER_SIMHASH, .dims = sim_dims, .dim_count = SIM_DIMS, .bits = bits};
}

static uint64_t simhash(const float *x) {
    uint64_t key = 0;
    CHECK_OK(qh_encoder_keys(&encoder, x, 0, &key));
    return key;
}

/* Planes pass through the middle of the cube: the key depends on the direction from there, not the distance. */
static void simhash_depends_on_the_direction_only(void) {
    qh_random random = test_random();
    qh_encoder_def def = simhash_of(32);
    open_encoder_memory(77);
    open_encoder(&def);
    for (uint32_t round = 0; round < 200; round++) {
        float far[SIM_DIMS], near[SIM_DIMS], opposite[SIM_DIMS];
        for (uint32_t i = 0; i < SIM_DIMS; i++) {
            float step = (float)qh__random_below(&random, 1025) / 1024 - 0.5f;
            far[i] = 0.5f + step;
            near[i] = 0.5f + step / 16;
            opposite[i] = 0.5f - step;
        }
        CHECK_EQ(simhash(far), simhash(near));
        CHECK(simhash(far) != simhash(opposite));
    }
    close_encoder();
    close_encoder_memory();
}

static void simhash_has_as_many_keys_as_its_bits_allow(void) {
    qh_random random = test_random();
    static uint64_t seen[64];
    for (uint32_t bits = 1; bits <= 5; bits++) {
        qh_encoder_def def = simhash_of(bits);
        uint32_t count = 0;
        open_encoder_memory(5);
        open_encoder(&def);
        for (uint32_t round = 0; round < 3000; round++) {
            float x[SIM_DIMS];
            for (uint32_t i = 0; i < SIM_DIMS; i++) x[i] = (float)qh__random_unit(&random);
            uint64_t key = simhash(x);
            uint32_t k = 0;
            while (k < count && seen[k] != key) k++;
            if (k == count && count < COUNT_OF(seen)) seen[count++] = key;
        }
        CHECK_EQ(count, 1u << bits);
        close_encoder();
        close_encoder_memory();
    }
}

/* Charikar 2002: one plane separates two directions with probability angle / pi. At 60 degrees: 1/3. */
static void planes_separate_as_the_angle_says(void) {
    const uint32_t seeds = 3000;
    uint32_t separated[3] = {0};
    for (uint32_t seed = 0; seed < seeds; seed++) {
        qh_encoder_def def = simhash_of(1);
        open_encoder_memory(seed * 2654435761u);
        open_encoder(&def);
        float a[SIM_DIMS], b[SIM_DIMS], c[SIM_DIMS], d[SIM_DIMS];
        for (uint32_t i = 0; i < SIM_DIMS; i++) {
            a[i] = 0.5f + (i < 2 ? 0.25f : 0);
            b[i] = 0.5f + (i == 0 || i == 2 ? 0.25f : 0); /* 60 degrees from a */
            c[i] = 0.5f + (i == 5 ? 0.25f : 0);           /* 90 */
            d[i] = 0.5f - (i == 0 || i == 2 ? 0.25f : 0); /* 120 */
        }
        separated[0] += simhash(a) != simhash(b);
        separated[1] += simhash(a) != simhash(c);
        separated[2] += simhash(a) != simhash(d);
        close_encoder();
        close_encoder_memory();
    }
    CHECK_NEAR(separated[0] / (double)seeds, 1.0 / 3, 0.045);
    CHECK_NEAR(separated[1] / (double)seeds, 0.5, 0.05);
    CHECK_NEAR(separated[2] / (double)seeds, 2.0 / 3, 0.045);
}

/* 64 dimensions fill every buffer on the way to the last float. */
static void all_dimensions_count_in_simhash_and_tiles(void) {
    static qh_dim dims[QH_MAX_DIMS];
    static float x[QH_MAX_DIMS];
    for (uint32_t i = 0; i < QH_MAX_DIMS; i++) dims[i] = (qh_dim){0, 1, 4, 0};
    const qh_encoder_def defs[2] = {
        {.kind = QH_ENCODER_SIMHASH, .dims = dims, .dim_count = QH_MAX_DIMS, .bits = 32},
        {.kind = QH_ENCODER_TILES, .dims = dims, .dim_count = QH_MAX_DIMS, .tilings = 1}};
    for (uint32_t kind = 0; kind < 2; kind++) {
        open_encoder_memory(9);
        open_encoder(&defs[kind]);
        for (uint32_t i = 0; i < QH_MAX_DIMS; i++) x[i] = kind ? 0.3f : 0.5f;
        for (uint32_t i = 0; i < QH_MAX_DIMS; i++) {
            float before = x[i];
            x[i] = 0;
            uint64_t low = simhash(x);
            x[i] = 1;
            CHECK(simhash(x) != low);
            x[i] = before;
        }
        close_encoder();
        close_encoder_memory();
    }
}

static void simhash_is_its_seeds(void) {
    static const float x[SIM_DIMS] = {0.1f, 0.9f, 0.3f, 0.7f, 0.2f,  0.6f,
                                      0.4f, 0.8f, 0,    1,    0.45f, 0.35f};
    uint64_t keys[3];
    for (uint32_t i = 0; i < 3; i++) {
        qh_encoder_def def = simhash_of(32);
        open_encoder_memory(i == 2 ? 4 : 3);
        open_encoder(&def);
        keys[i] = simhash(x);
        float spoilt[SIM_DIMS];
        memcpy(spoilt, x, sizeof x);
        spoilt[3 * i] = i % 2 ? __builtin_nanf("") : -__builtin_nanf("");
        CHECK_RESULT(qh_encoder_keys(&encoder, spoilt, 0, &keys[i]), QH_INVALID_ARGUMENT);
        keys[i] = simhash(x);
        close_encoder();
        close_encoder_memory();
    }
    CHECK_EQ(keys[0], keys[1]);
    CHECK(keys[0] != keys[2]);
}

/* ---------------------------------------------------------------- shared plans */

static void equal_definitions_share_a_plan(void) {
    static qh_encoder encoders[20];
    qh_dim dims[4] = {{0, 1, 4, 0}, {0, 1, 4, 0.5f}, {0, 2, 4, 0}, {0, 1, 5, 0}};
    open_encoder_memory(1);
    for (uint32_t i = 0; i < 20; i++) {
        qh_encoder_def def = bins_of(dims + i % 4, 1);
        CHECK_OK(qh_encoder_open(&encoders[i], &def, &encoder_plans, &encoder_owner));
    }
    CHECK_EQ(encoder_plans.count, 4);
    for (uint32_t i = 4; i < 20; i++) CHECK(encoders[i].plan == encoders[i - 4].plan);
    CHECK_EQ(encoders[0].plan->shared.references, 5);
    size_t bytes = encoder_memory.heap.live_bytes;
    for (uint32_t i = 4; i < 20; i++)
        qh_encoder_close(&encoders[i], &encoder_plans, &encoder_owner);
    CHECK_EQ(encoder_plans.count, 4);
    CHECK(encoder_memory.heap.live_bytes < bytes && qh_plans_validate(&encoder_plans, 4));
    for (uint32_t i = 0; i < 4; i++) qh_encoder_close(&encoders[i], &encoder_plans, &encoder_owner);
    CHECK_EQ(encoder_plans.count, 0);
    close_encoder_memory();
}

/* Kind, tilings and bits tell plans of the same dimensions apart. */
static void other_definitions_do_not(void) {
    static qh_encoder encoders[6];
    static const qh_dim dim = {0, 1, 4, 0};
    const qh_encoder_def defs[6] = {
        {.kind = QH_ENCODER_BINS, .dims = &dim, .dim_count = 1},
        {.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 4},
        {.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 8},
        {.kind = QH_ENCODER_SIMHASH, .dims = &dim, .dim_count = 1, .bits = 4},
        {.kind = QH_ENCODER_SIMHASH, .dims = &dim, .dim_count = 1, .bits = 8},
        {.kind = QH_ENCODER_INDEX, .states = 4}};
    open_encoder_memory(1);
    for (uint32_t i = 0; i < 6; i++)
        CHECK_OK(qh_encoder_open(&encoders[i], &defs[i], &encoder_plans, &encoder_owner));
    CHECK_EQ(encoder_plans.count, 6);
    for (uint32_t i = 0; i < 6; i++) qh_encoder_close(&encoders[i], &encoder_plans, &encoder_owner);
    close_encoder_memory();
}

static void an_opening_that_fails_leaves_nothing(void) {
    qh_encoder_def def = bins_of(mixed, 3);
    open_encoder_memory(1);
    for (uint32_t n = 1; n <= 2; n++) { /* the plan, the trends */
        encoder_memory.heap.fail_after = n;
        CHECK_RESULT(qh_encoder_open(&encoder, &def, &encoder_plans, &encoder_owner),
                     QH_GROWTH_FAILED);
        encoder_memory.heap.fail_after = 0;
        CHECK_EQ(encoder_memory.heap.live_bytes, 0);
        CHECK_EQ(encoder_plans.count, 0);
    }
    close_encoder_memory();
}

TEST_SUITE(
    learn_encoder, {"dimensions out of range are refused", dimensions_out_of_range_are_refused},
    {"definitions out of range are refused", definitions_out_of_range_are_refused},
    {"states have keys of their own", states_have_keys_of_their_own},
    {"what is no state is refused", what_is_no_state_is_refused},
    {"vectors are normalised and clamped", vectors_are_normalised_and_clamped},
    {"trends move by begin and step only", trends_move_by_begin_and_step_only},
    {"trends count in the key", trends_count_in_the_key},
    {"tiles are shared as the offsets say", tiles_are_shared_as_the_offsets_say},
    {"generalisation falls with distance", generalisation_falls_with_distance},
    {"no two tilings share a key", no_two_tilings_share_a_key},
    {"tiles ignore what has no bins and refuse NaN", tiles_ignore_what_has_no_bins_and_refuse_nan},
    {"simhash depends on the direction only", simhash_depends_on_the_direction_only},
    {"simhash has as many keys as its bits allow", simhash_has_as_many_keys_as_its_bits_allow},
    {"planes separate as the angle says", planes_separate_as_the_angle_says},
    {"all dimensions count in simhash and tiles", all_dimensions_count_in_simhash_and_tiles},
    {"simhash is its seed's", simhash_is_its_seeds},
    {"equal definitions share a plan", equal_definitions_share_a_plan},
    {"other definitions do not", other_definitions_do_not},
    {"an opening that fails leaves nothing", an_opening_that_fails_leaves_nothing});
