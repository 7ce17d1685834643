/* The key of a bins encoder: which cell a number falls into, the hash of the cells, and the SIMD kernel, all against a second
 * implementation written from the text of encoder.h. */
#include "encoder_fixture.h"

#define ROW QH_MAX_DIMS

static const float infinite = __builtin_inff(), greatest = 3.40282347e38f;

/* ---------------------------------------------------------------- the second implementation */

/* The nearest integer, ties to even, of a number below 2^31 in size. */
static double nearest(double y) {
    double below = (double)(int64_t)y;
    if (below > y) below -= 1;
    double over = y - below;
    if (over > 0.5 || (over == 0.5 && (int64_t)below % 2 != 0)) below += 1;
    return below;
}

/* y = x * scale + offset in float32, rounded, clamped to 0..bins - 1. */
static uint32_t expected_cell(const qh_dim *dim, float x) {
    if (dim->bins == 0) return 0;
    double scale = dim->bins / ((double)dim->max - (double)dim->min);
    double margin = dim->bins > 8192 ? dim->bins / 8388608.0 : 1 / 1024.0;
    float product = x * (float)scale;
    float y = product + (float)(-(double)dim->min * scale - 0.5 + margin);
    if (!(y > 0)) return 0;
    if (y >= (float)(dim->bins - 1)) return dim->bins - 1;
    return (uint32_t)nearest((double)y);
}

static uint32_t factor(uint32_t i) {
    return (uint32_t)(qh__mix64((i + 1) * QH_GOLDEN_GAMMA) >> 48) | 1;
}

/* 8 sums: for each 16 dimensions, lane l adds value 2l times its factor and value 2l + 1 times its own; values are pairs of
 * cells as signed 16-bit numbers, factors likewise. */
static void expected_sums(const uint32_t *cells, uint32_t sums[8]) {
    for (uint32_t i = 0; i < 8; i++) sums[i] = 0;
    for (uint32_t pair = 0; pair < ROW / 2; pair++) {
        int16_t value = (int16_t)(uint16_t)(cells[2 * pair] + 256 * cells[2 * pair + 1]);
        uint32_t group = pair / 8, in_group = pair % 8, lane = in_group / 2;
        for (uint32_t k = 0; k < 2; k++) {
            int16_t times = (int16_t)(uint16_t)factor(16 * group + 8 * k + in_group);
            sums[4 * k + lane] += (uint32_t)(value * times);
        }
    }
}

static uint64_t expected_mix(const uint32_t sums[8]) {
    uint64_t half[4];
    for (uint32_t i = 0; i < 4; i++) half[i] = sums[2 * i] | (uint64_t)sums[2 * i + 1] << 32;
    uint64_t x = half[0] * 0x9E3779B97F4A7C15u + half[1] * 0xC2B2AE3D27D4EB4Fu;
    uint64_t y = half[2] * 0xD6E8FEB86659FD93u + half[3] * 0xA0761D6478BD642Fu;
    x = (x ^ (y << 32 | y >> 32)) * 0xE7037ED1A0B428DBu;
    x ^= x >> 32;
    return x == 0 ? 1 : x;
}

static bool is_nan(float x) {
    return x != x;
}

/* 0 for a row with a NaN. */
static uint64_t expected_key(const qh_dim *dims, uint32_t count, const float *row) {
    uint32_t cells[ROW] = {0}, sums[8];
    bool wide = false;
    for (uint32_t i = 0; i < count; i++) {
        if (is_nan(row[i])) return 0;
        cells[i] = expected_cell(&dims[i], row[i]);
        wide |= dims[i].bins > 256;
    }
    if (!wide) {
        expected_sums(cells, sums);
        return expected_mix(sums);
    }
    uint64_t key = 0;
    for (uint32_t i = 0; i < count; i++) key = qh__hash_step(key, cells[i]);
    return key == 0 ? 1 : key;
}

/* ---------------------------------------------------------------- the kernel on random rows */

static qh_dim dims[ROW];
static alignas(16) float row[ROW];

static float uniform(qh_random *random, double low, double high) {
    return (float)(low + (high - low) * qh__random_unit(random));
}

static float with_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t draw_bins(qh_random *random, bool wide) {
    static const uint32_t usual[] = {0,  1,  2,  3,   4,   5,   8,   10, 16,
                                     20, 32, 64, 100, 128, 129, 255, 256};
    if (wide && qh__random_below(random, 4) == 0) return 1 + qh__random_below(random, 65536);
    if (qh__random_below(random, 3) == 0) return qh__random_below(random, 257);
    return usual[qh__random_below(random, COUNT_OF(usual))];
}

static uint32_t draw_dims(qh_random *random, bool wide) {
    uint32_t count = 1 + qh__random_below(random, ROW);
    for (uint32_t i = 0; i < count; i++) {
        float centre = qh__random_below(random, 3) ? uniform(random, -100, 100) : 0;
        float width = uniform(random, 0.01, 1) * (qh__random_below(random, 3) ? 1.0f : 1000.0f);
        dims[i] = (qh_dim){centre - width, centre + width, draw_bins(random, wide), 0};
    }
    return count;
}

/* Mostly inside; on edges; so many cells outside as bother the kernel; and whatever a float can be but NaN. */
static float draw_value(qh_random *random, const qh_dim *dim) {
    float range = dim->max - dim->min, cell = range / (float)QH_MAX(dim->bins, 1u);
    switch (qh__random_below(random, 16)) {
    case 0: return dim->min + cell * (float)qh__random_below(random, dim->bins + 1);
    case 1: return dim->min - range * uniform(random, 0, 3);
    case 2: return dim->max + cell * uniform(random, 0, 300);
    case 3: return dim->min + cell * uniform(random, 15900, 16100);
    case 4: return dim->min + cell * uniform(random, -40000, 40000);
    case 5: return dim->min + cell * uniform(random, 8380000, 8400000);
    case 6: return dim->min - cell * uniform(random, 8380000, 8400000);
    case 7: return uniform(random, -1, 1) * 1e30f;
    case 8: {
        static const float rare[] = {
            0,      -0.0f,         1e-45f,         -1e-45f,       1e-38f,      1e30f,
            -1e30f, 2147483648.0f, -2147483648.0f, 4294967296.0f, 16777216.0f, -16777216.0f};
        return rare[qh__random_below(random, COUNT_OF(rare))];
    }
    case 9: {
        float x = with_bits(qh__random_next(random));
        return is_nan(x) ? infinite : x;
    }
    case 10: {
        const float extremes[] = {infinite, -infinite, greatest, -greatest};
        return extremes[qh__random_below(random, 4)];
    }
    default: return dim->min + range * uniform(random, 0, 1);
    }
}

/* `extreme` of 16 values are drawn as above, the others lie inside; lanes behind the last dimension hold rubbish. */
static void draw_row(qh_random *random, uint32_t count, uint32_t extreme) {
    for (uint32_t i = 0; i < count; i++) {
        bool inside = qh__random_below(random, 16) >= extreme;
        row[i] = inside ? dims[i].min + (dims[i].max - dims[i].min) * uniform(random, 0, 1)
                        : draw_value(random, &dims[i]);
    }
    for (uint32_t i = count; i < ROW; i++) row[i] = with_bits(qh__random_next(random));
}

static void compare_random_rows(bool wide, uint32_t encoders) {
    qh_random random = test_random();
    open_encoder_memory(1);
    for (uint32_t round = 0; round < encoders; round++) {
        uint32_t count = draw_dims(&random, wide), extreme = qh__random_below(&random, 17);
        qh_encoder_def def = bins_of(dims, count);
        open_encoder(&def);
        for (uint32_t i = 0; i < 500; i++) {
            draw_row(&random, count, i % 2 ? extreme : 0);
            uint64_t key = qh__encoder_cells_key(&encoder, row);
            CHECK_EQ(key, expected_key(dims, count, row));
            CHECK(key != 0);
        }
        close_encoder();
    }
    close_encoder_memory();
}

/* Where there is no SIMD, kernel and slow path are one, and fewer rows will do. */
static void a_million_random_rows(void) {
#if defined(__wasm_simd128__)
    compare_random_rows(false, 2000);
#else
    compare_random_rows(false, 300);
#endif
}

static void random_rows_of_wide_dimensions(void) {
    compare_random_rows(true, TEST_SHARE(100u));
}

/* ---------------------------------------------------------------- not a number */

/* Quiet and signalling, both signs, least and greatest payload: what a kernel that subtracts bits might take for a number. */
static const uint32_t not_numbers[] = {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFF800001u,
                                       0x7FFFFFFFu, 0xFFFFFFFFu, 0xFFD12345u};

static void nan_is_refused_in_every_lane(void) {
    qh_random random = test_random();
    open_encoder_memory(1);
    for (uint32_t wide = 0; wide < 2; wide++)
        for (uint32_t count = 1; count <= ROW; count++) {
            for (uint32_t i = 0; i < count; i++)
                dims[i] = (qh_dim){-1, 1, i % 5 == 4 ? 0 : wide ? 1000 : 7, 0};
            qh_encoder_def def = bins_of(dims, count);
            open_encoder(&def);
            for (uint32_t at = 0; at < count; at++)
                for (uint32_t n = 0; n < COUNT_OF(not_numbers); n++) {
                    draw_row(&random, count, 0);
                    row[at] = with_bits(not_numbers[n]);
                    uint64_t key = 99;
                    CHECK_EQ(qh__encoder_cells_key(&encoder, row), 0);
                    CHECK_RESULT(qh_encoder_keys(&encoder, row, 0, &key), QH_INVALID_ARGUMENT);
                }
            close_encoder();
        }
    close_encoder_memory();
}

static void nan_beside_extremes_is_refused(void) {
    static const float others[] = {1e30f, -1e30f, 0, 20000, -20000};
    open_encoder_memory(1);
    for (uint32_t i = 0; i < 16; i++) dims[i] = (qh_dim){0, 10, 10, 0};
    qh_encoder_def def = bins_of(dims, 16);
    open_encoder(&def);
    for (uint32_t at = 0; at < 16; at++)
        for (uint32_t n = 0; n < COUNT_OF(not_numbers); n++)
            for (uint32_t o = 0; o < COUNT_OF(others); o++) {
                for (uint32_t i = 0; i < 16; i++) row[i] = o % 2 ? others[o] : -infinite;
                row[at] = with_bits(not_numbers[n]);
                CHECK_EQ(qh__encoder_cells_key(&encoder, row), 0);
            }
    close_encoder();
    close_encoder_memory();
}

/* ---------------------------------------------------------------- where the edges are */

static uint64_t centre_keys[65536];

/* Opens one dimension and remembers the key of the middle of each cell. */
static void open_dimension(double min, double max, uint32_t bins) {
    dims[0] = (qh_dim){(float)min, (float)max, bins, 0};
    qh_encoder_def def = bins_of(dims, 1);
    open_encoder(&def);
    memset(row, 0, sizeof row);
    for (uint32_t i = 0; i < bins; i++) {
        row[0] = (float)(min + (i + 0.5) * (max - min) / bins);
        centre_keys[i] = qh__encoder_cells_key(&encoder, row);
    }
}

/* Whether x falls into the cell whose middle is the one of `cell`. */
static bool falls_into(float x, uint32_t cell) {
    row[0] = x;
    return qh__encoder_cells_key(&encoder, row) == centre_keys[cell];
}

static void integers_fall_into_their_own_cell(void) {
    open_encoder_memory(1);
    for (uint32_t bins = 1; bins <= 256; bins++)
        for (int32_t min = -300; min <= 300; min += 75) {
            open_dimension(min, min + (int32_t)bins, bins);
            for (uint32_t k = 0; k < bins; k++) CHECK(falls_into((float)(min + (int32_t)k), k));
            CHECK(falls_into((float)(min + (int32_t)bins), bins - 1));
            close_encoder();
        }
    close_encoder_memory();
}

/* Decimal steps: the edge number k is the float nearest to min + k * step. */
static void decimal_edges_belong_to_the_cell_above(void) {
    static const double steps[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5,
                                   0.7,  1,    1.5,  2,   2.5, 5,    6,   10};
    qh_random random = test_random();
    open_encoder_memory(1);
    for (uint32_t round = 0; round < TEST_SHARE(3000u); round++) {
        double step = steps[qh__random_below(&random, COUNT_OF(steps))];
        uint32_t bins = 1 + qh__random_below(&random, 256);
        int32_t first = (int32_t)qh__random_below(&random, 6001) - 3000;
        open_dimension(first * step, (first + (int32_t)bins) * step, bins);
        for (uint32_t k = 0; k < bins; k++)
            CHECK(falls_into((float)((first + (int32_t)k) * step), k));
        CHECK(falls_into((float)((first + (int32_t)bins) * step), bins - 1));
        close_encoder();
    }
    close_encoder_memory();
}

/* The knobs of a radio network as an operator writes them down. */
static void edges_of_network_parameters(void) {
    static const struct {
        double min, max, step;
    } knobs[] = {{0, 15, 1},     {30, 46, 1}, {-24, 24, 0.5}, {0, 15, 0.5},
                 {-120, -60, 1}, {0, 1, 0.1}, {0, 0.9, 0.05}, {-140, -44, 1},
                 {-20, 30, 0.5}, {0, 100, 1}, {40, 5120, 40}, {-6, 6, 0.25}};
    open_encoder_memory(1);
    for (uint32_t i = 0; i < COUNT_OF(knobs); i++) {
        uint32_t bins = (uint32_t)((knobs[i].max - knobs[i].min) / knobs[i].step + 0.5);
        open_dimension(knobs[i].min, knobs[i].max, bins);
        for (uint32_t k = 0; k < bins; k++)
            CHECK(falls_into((float)(knobs[i].min + k * knobs[i].step), k));
        close_encoder();
    }
    close_encoder_memory();
}

/* Within 1/1024 of a cell below an edge counts as on it, 1/512 does not. */
static void the_margin_of_an_edge_is_small(void) {
    open_encoder_memory(1);
    for (uint32_t bins = 2; bins <= 256; bins += 3) {
        open_dimension(0, 1, bins);
        for (uint32_t k = 1; k < bins; k++) {
            double cell = 1.0 / bins, edge = k * cell;
            CHECK(falls_into((float)(edge + cell / 512), k));
            CHECK(falls_into((float)(edge - cell / 2048), k));
            CHECK(falls_into((float)(edge - cell / 400), k - 1));
        }
        close_encoder();
    }
    close_encoder_memory();
}

static void values_outside_are_clamped(void) {
    static const float beyond[] = {1e-3f, 1,     100,     15999, 16001, 32767,
                                   32768, 65536, 8388608, 1e9f,  1e30f};
    open_encoder_memory(1);
    for (uint32_t bins = 1; bins <= 256; bins += 17) {
        open_dimension(-4, 12, bins);
        for (uint32_t i = 0; i < COUNT_OF(beyond); i++) {
            CHECK(falls_into(12 + beyond[i], bins - 1));
            CHECK(falls_into(-4 - beyond[i], 0));
        }
        CHECK(falls_into(infinite, bins - 1) && falls_into(greatest, bins - 1));
        CHECK(falls_into(-infinite, 0) && falls_into(-greatest, 0));
        close_encoder();
    }
    close_encoder_memory();
}

static void wide_dimensions_have_their_cells(void) {
    static const uint32_t widths[] = {257, 1000, 4096, 8192, 8193, 10000, 65535, 65536};
    open_encoder_memory(1);
    for (uint32_t i = 0; i < COUNT_OF(widths); i++) {
        uint32_t bins = widths[i];
        open_dimension(0, bins, bins);
        for (uint32_t k = 0; k < bins; k++) CHECK(falls_into((float)k, k));
        for (uint32_t k = 1; k < bins; k += 13) CHECK(falls_into((float)k - 0.5f, k - 1));
        CHECK(falls_into((float)bins, bins - 1) && falls_into(infinite, bins - 1));
        CHECK(falls_into(1e30f, bins - 1) && falls_into(-infinite, 0) && falls_into(-1, 0));
        for (uint32_t k = 1; k < bins; k++) CHECK(centre_keys[k] != centre_keys[k - 1]);
        close_encoder();
    }
    close_encoder_memory();
}

static void dimensions_without_bins_do_not_count(void) {
    qh_random random = test_random();
    open_encoder_memory(1);
    for (uint32_t i = 0; i < 20; i++) dims[i] = (qh_dim){0, 1, i % 3 ? 0 : 5, 0};
    qh_encoder_def def = bins_of(dims, 20);
    open_encoder(&def);
    draw_row(&random, 20, 0);
    uint64_t key = qh__encoder_cells_key(&encoder, row);
    for (uint32_t i = 0; i < 20; i++) {
        float before = row[i];
        row[i] = before < 0.5f ? 0.95f : 0.05f;
        CHECK_EQ(qh__encoder_cells_key(&encoder, row) == key, i % 3 != 0);
        row[i] = before;
    }
    close_encoder();
    close_encoder_memory();
}

/* ---------------------------------------------------------------- the hash */

/* Two vectors of up to 16 cells that differ in a lane differ in one of its two sums. For a first difference d there is exactly one
 * second difference (mod 2^32) that leaves the first sum unchanged, since factors are odd: it is no difference of two 16-bit
 * values, or the second sum changes. */
static void no_lane_of_16_dimensions_loses_a_difference(void) {
    for (uint32_t lane = 0; lane < 16; lane++) {
        uint32_t group = lane / 4, at = 16 * group + 2 * (lane % 4);
        uint32_t a = (uint32_t)(int16_t)(uint16_t)factor(at),
                 b = (uint32_t)(int16_t)(uint16_t)factor(at + 1);
        uint32_t c = (uint32_t)(int16_t)(uint16_t)factor(at + 8),
                 d = (uint32_t)(int16_t)(uint16_t)factor(at + 9), inverse = b;
        for (int i = 0; i < 5; i++) inverse *= 2 - b * inverse; /* Newton's method mod 2^32 */
        CHECK_EQ(inverse * b, 1);
        for (uint32_t first = 1; first <= 65535; first++) {
            int32_t second = (int32_t)(0u - a * first * inverse);
            bool possible = second >= -65535 && second <= 65535;
            CHECK(!possible || c * first + d * (uint32_t)second != 0);
        }
    }
}

#define STATES (QH_ASSERT_LEVEL >= 3 ? 40000u : 200000u)

static uint64_t keys[200000];

static void sift(uint32_t root, uint32_t count) {
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && keys[child] < keys[child + 1]) child++;
        if (keys[root] >= keys[child]) return;
        uint64_t swapped = keys[root];
        keys[root] = keys[child];
        keys[child] = swapped;
    }
}

static uint32_t count_equal_keys(uint32_t count) {
    for (uint32_t i = count / 2; i-- > 0;) sift(i, count);
    for (uint32_t i = count; i-- > 1;) {
        uint64_t greatest_key = keys[0];
        keys[0] = keys[i];
        keys[i] = greatest_key;
        sift(0, i);
    }
    uint32_t equal = 0;
    for (uint32_t i = 1; i < count; i++) equal += keys[i] == keys[i - 1];
    return equal;
}

/* How the number of a state is spread over cells: `digits` dimensions from `first` on, `apart` apart, of `bins` cells each. */
typedef struct layout {
    uint32_t dims, bins, first, apart, digits;
} layout;

static void put_state(const layout *l, uint32_t state) {
    for (uint32_t i = 0; i < l->dims; i++) row[i] = 0.5f;
    for (uint32_t digit = 0; digit < l->digits; digit++, state /= l->bins)
        row[l->first + digit * l->apart] = (float)(state % l->bins) + 0.5f;
}

static const layout layouts[] = {{4, 32, 0, 1, 4},    {64, 32, 0, 16, 4}, {64, 2, 0, 1, 18},
                                 {64, 2, 3, 3, 18},   {3, 256, 0, 1, 3},  {64, 256, 61, 1, 3},
                                 {16, 3, 0, 1, 12},   {64, 10, 5, 11, 6}, {64, 8, 1, 10, 6},
                                 {2, 1000, 0, 1, 2},  {64, 256, 0, 2, 3}, {64, 256, 1, 2, 3},
                                 {64, 256, 0, 16, 3}, {32, 16, 0, 4, 5},  {48, 4, 7, 4, 9}};

static void different_states_have_different_keys(void) {
    open_encoder_memory(1);
    for (uint32_t i = 0; i < COUNT_OF(layouts); i++) {
        const layout *l = &layouts[i];
        for (uint32_t k = 0; k < l->dims; k++) dims[k] = (qh_dim){0, (float)l->bins, l->bins, 0};
        qh_encoder_def def = bins_of(dims, l->dims);
        open_encoder(&def);
        uint32_t count = STATES;
        for (uint32_t state = 0; state < count; state++) {
            put_state(l, state);
            keys[state] = qh__encoder_cells_key(&encoder, row);
        }
        uint32_t equal = count_equal_keys(count);
        CHECK_EQ(equal, 0);
        if (equal) test_note_integer("layout", i);
        close_encoder();
    }
    close_encoder_memory();
}

/* What the table needs of a key: any run of low bits chooses a bucket, the top 8 are a tag. Full states: chi-square. */
static void keys_are_uniform_where_the_table_looks(void) {
    static uint32_t low[1024], tag[256], middle[256];
    open_encoder_memory(1);
    for (uint32_t i = 0; i < COUNT_OF(layouts); i++) {
        const layout *l = &layouts[i];
        for (uint32_t k = 0; k < l->dims; k++) dims[k] = (qh_dim){0, (float)l->bins, l->bins, 0};
        qh_encoder_def def = bins_of(dims, l->dims);
        open_encoder(&def);
        memset(low, 0, sizeof low);
        memset(tag, 0, sizeof tag);
        memset(middle, 0, sizeof middle);
        for (uint32_t state = 0; state < 20000; state++) {
            put_state(l, state);
            uint64_t key = qh__encoder_cells_key(&encoder, row);
            low[key & 1023]++;
            tag[key >> 56]++;
            middle[key >> 24 & 255]++;
        }
        bool uniform = test_chi_square(low, NULL, 1024) < test_chi_square_limit(1023) &&
                       test_chi_square(tag, NULL, 256) < test_chi_square_limit(255) &&
                       test_chi_square(middle, NULL, 256) < test_chi_square_limit(255);
        CHECK(uniform);
        if (!uniform) {
            test_note_integer("layout", i);
            test_note_double("chi-square of 10 low bits", test_chi_square(low, NULL, 1024));
            test_note_double("chi-square of the tag", test_chi_square(tag, NULL, 256));
            test_note_double("chi-square of bits 24 to 31", test_chi_square(middle, NULL, 256));
        }
        close_encoder();
    }
    close_encoder_memory();
}

/* Dimensions that share their scale and offset have a kernel of their own. */
static void like_dimensions_are_no_special_case(void) {
    qh_random random = test_random();
    open_encoder_memory(8);
    for (uint32_t count = 1; count <= ROW; count++) {
        qh_dim like = {-(float)count, (float)(3 * count), 1 + qh__random_below(&random, 256), 0};
        for (uint32_t i = 0; i < ROW; i++) dims[i] = like;
        qh_encoder_def def = bins_of(dims, count);
        open_encoder(&def);
        CHECK(encoder.alike);
        for (uint32_t round = 0; round < 200; round++) {
            for (uint32_t i = 0; i < ROW; i++) {
                row[i] = (float)qh__random_unit(&random) * 8 * (float)count - 3 * (float)count;
                if (qh__random_below(&random, 300) == 0)
                    row[i] = qh__random_below(&random, 2) ? -infinite : __builtin_nanf("");
                if (qh__random_below(&random, 300) == 0) row[i] *= 1e30f;
            }
            uint64_t key = qh__encoder_cells_key(&encoder, row);
            CHECK_EQ(key, expected_key(dims, count, row));
            encoder.alike = false;
            CHECK_EQ(qh__encoder_cells_key(&encoder, row), key);
            encoder.alike = true;
        }
        close_encoder();
        if (count == 1) continue;
        dims[count - 1].max += 1;
        open_encoder(&def);
        CHECK(!encoder.alike);
        close_encoder();
    }
    close_encoder_memory();
}

TEST_SUITE(learn_encoder_keys,
           {"like dimensions are no special case", like_dimensions_are_no_special_case},
           {"the kernel equals a second implementation on a million random rows",
            a_million_random_rows},
           {"so does the path of wide dimensions", random_rows_of_wide_dimensions},
           {"NaN of any sign and payload is refused in every lane", nan_is_refused_in_every_lane},
           {"NaN beside extreme values is refused", nan_beside_extremes_is_refused},
           {"integers fall into their own cell", integers_fall_into_their_own_cell},
           {"decimal edges belong to the cell above", decimal_edges_belong_to_the_cell_above},
           {"edges of network parameters", edges_of_network_parameters},
           {"the margin below an edge is small", the_margin_of_an_edge_is_small},
           {"values outside are clamped, infinite ones too", values_outside_are_clamped},
           {"wide dimensions have their cells", wide_dimensions_have_their_cells},
           {"dimensions without bins do not count", dimensions_without_bins_do_not_count},
           {"no lane of 16 dimensions loses a difference",
            no_lane_of_16_dimensions_loses_a_difference},
           {"different states have different keys", different_states_have_different_keys},
           {"keys are uniform where the table looks", keys_are_uniform_where_the_table_looks});
