#include "learn/encoder.h"

#include "base/bytes.h"
#include "base/maths.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define TWO_23 8388608.0f
#define BITS_OF_TWO_23 0x4B000000
#define FAR 16384 /* a power of two */

/* ---------------------------------------------------------------- the hash of cells */

/* Factors in the order the kernel reads: for each 16 cells and each of two sums, 4 lanes of (first value's, second value's) odd
 * 16-bit factors: the top of SplitMix64 from seed 0. Part of the format of exported tables. */
#define SHAKE(x, shift, factor) (((x) ^ ((x) >> (shift))) * (factor))
#define MIX(x) SHAKE(SHAKE(x, 30, 0xBF58476D1CE4E5B9u), 27, 0x94D049BB133111EBu)
#define FACTOR(i) (int16_t)(uint16_t)(MIX(((i) + 1u) * QH_GOLDEN_GAMMA) >> 48 | 1u)
#define FACTORS_4(i) FACTOR(i), FACTOR(i + 1u), FACTOR(i + 2u), FACTOR(i + 3u)
#define FACTORS_16(i) FACTORS_4(i), FACTORS_4(i + 4u), FACTORS_4(i + 8u), FACTORS_4(i + 12u)
static const int16_t factors[QH_MAX_DIMS] = {FACTORS_16(0u), FACTORS_16(16u), FACTORS_16(32u),
                                             FACTORS_16(48u)};

QH_FAST_BEGIN

/* Never 0, which stands for no key. `a` and `b` are the first sums of lanes 0..1 and 2..3, `c` and `d` the second. */
QH_INLINE uint64_t mix_sums(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint64_t x = a * 0x9E3779B97F4A7C15u + b * 0xC2B2AE3D27D4EB4Fu;
    uint64_t y = c * 0xD6E8FEB86659FD93u + d * 0xA0761D6478BD642Fu;
    x = (x ^ qh__rotl64(y, 32)) * 0xE7037ED1A0B428DBu;
    x ^= x >> 32;
    return x | (uint64_t)(x == 0);
}

/* The cell of a value, by the same arithmetic as the kernel. */
static uint32_t cell_of(const qh_encoder *encoder, uint32_t dim, float x) {
    const qh_lanes *lanes = &encoder->lanes[dim / 16];
    float y = x * lanes->scale[dim % 16] + lanes->offset[dim % 16];
    uint32_t bins = encoder->plan->bins[dim], bits;
    if (!(y > 0) || bins == 0) return 0;
    if (y > (float)(bins - 1)) return bins - 1;
    y += TWO_23;
    memcpy(&bits, &y, sizeof bits);
    return bits - BITS_OF_TWO_23;
}

static bool has_nan(const float *x, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (x[i] != x[i]) return true;
    return false;
}

/* The kernel's sums, lane by lane. Cells 4 lane .. 4 lane + 3 of a group of 16 are the bytes of a lane. */
static uint64_t slow_key(const qh_encoder *encoder, const float *x) {
    uint32_t used = encoder->plan->dims + encoder->plan->trends;
    uint64_t sums[4] = {0};
    if (has_nan(x, used)) return 0;
    for (uint32_t group = 0; group < encoder->padded; group += 16) {
        for (uint32_t lane = 0; lane < 4; lane++) {
            uint32_t cells[4];
            for (uint32_t v = 0; v < 4; v++) {
                uint32_t dim = group + 4 * lane + v;
                cells[v] = dim < used ? cell_of(encoder, dim, x[dim]) : 0;
            }
            int32_t first = (int16_t)(uint16_t)(cells[0] | cells[1] << 8);
            int32_t second = (int16_t)(uint16_t)(cells[2] | cells[3] << 8);
            for (uint32_t k = 0; k < 2; k++) {
                const int16_t *factor = factors + group + 8 * k + 2 * lane;
                uint32_t product = (uint32_t)(first * factor[0]) + (uint32_t)(second * factor[1]);
                uint64_t *sum = &sums[2 * k + lane / 2];
                uint32_t half = (uint32_t)(*sum >> (lane % 2 * 32)) + product;
                *sum = lane % 2 ? (uint64_t)half << 32 | (uint32_t)*sum : (*sum >> 32 << 32 | half);
            }
        }
    }
    return mix_sums(sums[0], sums[1], sums[2], sums[3]);
}

static uint64_t wide_key(const qh_encoder *encoder, const float *x) {
    uint32_t used = encoder->plan->dims + encoder->plan->trends;
    uint64_t key = 0;
    if (has_nan(x, used)) return 0;
    for (uint32_t dim = 0; dim < used; dim++)
        key = qh__hash_step(key, cell_of(encoder, dim, x[dim]));
    return key | (uint64_t)(key == 0);
}

#if defined(__wasm_simd128__)
/* Four values rounded to integers; far outside 0..255 they need not be right, but are not between. */
QH_INLINE v128_t four_cells(v128_t scale, v128_t offset, const float *x) {
    v128_t y = wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(x), scale), offset);
    return wasm_i32x4_sub(wasm_f32x4_add(y, wasm_f32x4_const_splat(TWO_23)),
                          wasm_i32x4_const_splat(BITS_OF_TWO_23));
}

/* Two sums of four lanes, and the greatest distance from 0 that a cell had. */
typedef struct key_sums {
    v128_t first, second, greatest;
} key_sums;

QH_INLINE void add_cells(key_sums *sums, v128_t ab, v128_t cd, const qh_lanes *lanes,
                         const int16_t *factor) {
    sums->greatest =
        wasm_u16x8_max(sums->greatest, wasm_u16x8_max(wasm_i16x8_abs(ab), wasm_i16x8_abs(cd)));
    v128_t cells = wasm_u8x16_min(wasm_u8x16_narrow_i16x8(ab, cd), wasm_v128_load(lanes->last));
    sums->first = wasm_i32x4_add(sums->first, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor)));
    sums->second =
        wasm_i32x4_add(sums->second, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor + 8)));
}

#define CELLS_OF(i)                                                                                \
    four_cells(wasm_v128_load(lanes->scale + i), wasm_v128_load(lanes->offset + i), x + i)

QH_INLINE void sum_sixteen(key_sums *sums, v128_t scale, v128_t offset, const float *x,
                           const qh_lanes *lanes, const int16_t *factor) {
    v128_t ab =
        wasm_i16x8_narrow_i32x4(four_cells(scale, offset, x), four_cells(scale, offset, x + 4));
    v128_t cd = wasm_i16x8_narrow_i32x4(four_cells(scale, offset, x + 8),
                                        four_cells(scale, offset, x + 12));
    add_cells(sums, ab, cd, lanes, factor);
}

/* A plan whose dimensions are all alike: their scale and offset stay in registers. */
QH_INLINE void sum_alike(key_sums *sums, const qh_encoder *encoder, const float *x) {
    const qh_lanes *lanes = encoder->lanes;
    const int16_t *factor = factors;
    v128_t scale = wasm_v128_load(lanes->scale), offset = wasm_v128_load(lanes->offset);
    __asm__(
        ""
        : "+r"(
            factor)); /* one address in a local, not a constant in each load: fewer instructions */
    sum_sixteen(sums, scale, offset, x, lanes, factor);
    if (encoder->padded == 16) return;
    sum_sixteen(sums, scale, offset, x + 16, lanes + 1, factor + 16);
    if (encoder->padded == 32) return;
    sum_sixteen(sums, scale, offset, x + 32, lanes + 2, factor + 32);
    if (encoder->padded == 48) return;
    sum_sixteen(sums, scale, offset, x + 48, lanes + 3, factor + 48);
}

/* The key of sums, unless a cell was far out. */
QH_INLINE uint64_t key_of_sums(const key_sums *sums, const qh_encoder *encoder, const float *x) {
    v128_t far = wasm_v128_and(sums->greatest, wasm_u16x8_const_splat(0x10000 - FAR));
    if (QH_UNLIKELY(wasm_v128_any_true(far))) return slow_key(encoder, x);
    return mix_sums((uint64_t)wasm_i64x2_extract_lane(sums->first, 0),
                    (uint64_t)wasm_i64x2_extract_lane(sums->first, 1),
                    (uint64_t)wasm_i64x2_extract_lane(sums->second, 0),
                    (uint64_t)wasm_i64x2_extract_lane(sums->second, 1));
}

/* Any plan: 16 dimensions a round. A function of its own, lest the other kernel pay for its registers. */
static QH_NOINLINE uint64_t unlike_key(const qh_encoder *encoder, const float *x) {
    v128_t none = wasm_i32x4_const_splat(0);
    key_sums sums = {none, none, none};
    const qh_lanes *lanes = encoder->lanes;
    const int16_t *factor = factors;
    for (const float *end = x + encoder->padded; x < end; x += 16, lanes++, factor += 16) {
        v128_t ab = wasm_i16x8_narrow_i32x4(CELLS_OF(0), CELLS_OF(4));
        v128_t cd = wasm_i16x8_narrow_i32x4(CELLS_OF(8), CELLS_OF(12));
        add_cells(&sums, ab, cd, lanes, factor);
    }
    return key_of_sums(&sums, encoder, x - encoder->padded);
}

/* Hot kernel. */
static uint64_t narrow_key(const qh_encoder *encoder, const float *x) {
    if (!encoder->alike) return unlike_key(encoder, x);
    v128_t none = wasm_i32x4_const_splat(0);
    key_sums sums = {none, none, none};
    sum_alike(&sums, encoder, x);
    return key_of_sums(&sums, encoder, x);
}
#else
/* The cell by the kernel's arithmetic; where it is FAR or more from 0, also as NaN is, `far` reaches 2 FAR. */
QH_INLINE uint32_t quick_cell(const qh_lanes *lanes, uint32_t at, float x, uint32_t *far) {
    float y = x * lanes->scale[at] + lanes->offset[at];
    y += TWO_23;
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    int32_t cell = (int32_t)(bits - BITS_OF_TWO_23);
    *far |= (uint32_t)cell + FAR;
    cell = cell < 0 ? 0 : cell;
    return QH_MIN((uint32_t)cell, (uint32_t)lanes->last[at]);
}

/* Two cells as a signed value of 16 bits. */
QH_INLINE int32_t quick_pair(const qh_lanes *lanes, uint32_t at, const float *x, uint32_t *far) {
    uint32_t first = quick_cell(lanes, at, x[0], far);
    return (int16_t)(uint16_t)(first | quick_cell(lanes, at + 1, x[1], far) << 8);
}

/* The kernel's sums: a lane is four dimensions. */
static uint64_t narrow_key(const qh_encoder *encoder, const float *x) {
    uint32_t used = encoder->plan->dims + encoder->plan->trends, sums[2][4] = {{0}}, far = 0;
    for (uint32_t dim = 0; dim < used; dim += 4) {
        const qh_lanes *lanes = &encoder->lanes[dim / 16];
        uint32_t at = dim % 16, lane = at / 4;
        const int16_t *factor = factors + (dim - at) + 2 * lane;
        int32_t low = quick_pair(lanes, at, x + dim, &far);
        int32_t high = quick_pair(lanes, at + 2, x + dim + 2, &far);
        sums[0][lane] += (uint32_t)(low * factor[0]) + (uint32_t)(high * factor[1]);
        sums[1][lane] += (uint32_t)(low * factor[8]) + (uint32_t)(high * factor[9]);
    }
    if (QH_UNLIKELY(far >= 2 * FAR)) return slow_key(encoder, x);
    return mix_sums(
        sums[0][0] | (uint64_t)sums[0][1] << 32, sums[0][2] | (uint64_t)sums[0][3] << 32,
        sums[1][0] | (uint64_t)sums[1][1] << 32, sums[1][2] | (uint64_t)sums[1][3] << 32);
}
#endif

uint64_t qh__encoder_cells_key(const qh_encoder *encoder, const float *row) {
    if (QH_UNLIKELY(encoder->wide)) return wide_key(encoder, row);
    return QH_HOT(true) ? narrow_key(encoder, row) : slow_key(encoder, row);
}

/* ---------------------------------------------------------------- life */

QH_FAST_END

qh_result qh_encoder_open(qh_encoder *encoder, const qh_encoder_def *def, qh_plans *plans,
                          qh_owner *owner) {
    qh_plan *plan;
    QH_TRY(qh_plan_acquire(plans, def, &plan));
    *encoder = (qh_encoder){.plan = plan,
                            .lanes = plan->lanes,
                            .padded = plan->padded,
                            .wide = plan->wide,
                            .alike = plan->alike};
    encoder->quick = plan->trends == 0 && plan->kind == QH_ENCODER_BINS;
    if (plan->trends == 0) return QH_OK;
    void *block;
    qh_result result = qh_heap_alloc_zeroed(
        &plans->memory->heap, owner, 2 * sizeof(float) * plan->trends, QH_BLOCK_encoder, &block);
    if (result != QH_OK) {
        qh_plan_release(plans, plan);
        *encoder = (qh_encoder){0};
        return result;
    }
    encoder->average = block;
    encoder->moved = encoder->average + plan->trends;
    return QH_OK;
}

void qh_encoder_close(qh_encoder *encoder, qh_plans *plans, qh_owner *owner) {
    if (!encoder->plan) return;
    if (encoder->average)
        qh_heap_free(&plans->memory->heap, owner, encoder->average,
                     2 * sizeof(float) * encoder->plan->trends);
    qh_plan_release(plans, encoder->plan);
    *encoder = (qh_encoder){0};
}

/* ---------------------------------------------------------------- from observation to keys */

QH_FAST_BEGIN

QH_INLINE float clamp_unit(float x) {
    x = x < 0 ? 0 : x;
    return 1 < x ? 1 : x;
}

QH_INLINE float normalised(const qh_encoder *encoder, const float *observation, uint32_t dim) {
    return clamp_unit((observation[dim] - encoder->plan->min[dim]) * encoder->plan->range[dim]);
}

/* The row the kernels read: raw dimensions, trends, zeros. */
static const float *assemble(const qh_encoder *encoder, const float *observation,
                             const float *averages, float *row) {
    if (QH_LIKELY(encoder->quick)) return observation;
    uint32_t i = 0, dims = encoder->plan->dims;
#if defined(__wasm_simd128__)
    for (; i < dims; i += 4) wasm_v128_store(row + i, wasm_v128_load(observation + i));
    i = dims;
#else
    for (; i < dims; i++) row[i] = observation[i];
#endif
    for (uint32_t t = 0; t < encoder->plan->trends; t++) row[i++] = averages[t];
    for (; i < encoder->padded; i++) row[i] = 0;
    return row;
}

/* Normalises an assembled row; false when a lane is NaN. */
static bool normalise_row(const qh_encoder *encoder, const float *row, float *vector) {
    float poison = 0;
    for (uint32_t i = 0; i < encoder->padded; i++) {
        float x = (row[i] - encoder->plan->min[i]) * encoder->plan->range[i];
        vector[i] = clamp_unit(x);
        poison += x != x ? 1.0f : 0.0f;
    }
    return poison == 0;
}

/* Sums of 8 lanes in a fixed order: lane j adds elements j, j + 8, ...; then the lanes pairwise. */
static float dot(const float *a, const float *b, uint32_t padded) {
    float lane[8] = {0};
    for (uint32_t i = 0; i < padded; i += 8)
        for (int j = 0; j < 8; j++) lane[j] += a[i + (uint32_t)j] * b[i + (uint32_t)j];
    float even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    float odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return even + odd;
}

/* Planes pass through the middle of the unit cube: the vector is taken relative to 1/2 in each dimension. */
static bool simhash_key(const qh_encoder *encoder, const float *row, uint64_t *key) {
    float vector[QH_MAX_DIMS];
    if (!normalise_row(encoder, row, vector)) return false;
    for (uint32_t i = 0; i < encoder->padded; i++) vector[i] -= 0.5f;
    uint64_t signs = 0;
    for (uint32_t bit = 0; bit < encoder->plan->bits; bit++)
        signs |= (uint64_t)(dot(vector, encoder->plan->planes + bit * encoder->padded,
                                encoder->padded) > 0)
                 << bit;
    *key = qh__mix64(signs + 1);
    return true;
}

/* Tiling t is displaced by t (1, 3, 5, ...) / tilings of a tile (S&B 9.5.4; Miller & Glanz 1996), so dimension i of x,
 * in tiles, falls into tile floor(x + (t (2 i + 1) mod tilings) / tilings). Dimensions without bins do not count. */
static bool tile_keys(const qh_encoder *encoder, const float *row, uint64_t *keys) {
    uint32_t used = encoder->plan->dims + encoder->plan->trends, tilings = encoder->plan->keys;
    double position[QH_MAX_DIMS];
    uint32_t keyed = 0;
    for (uint32_t i = 0; i < used; i++) {
        float x = (row[i] - encoder->plan->min[i]) * encoder->lanes[i / 16].scale[i % 16];
        if (x != x) return false;
        if (encoder->plan->bins[i] == 0) continue;
        float bins = (float)encoder->plan->bins[i];
        position[keyed++] = (double)(x < 0 ? 0 : bins < x ? bins : x);
    }
    for (uint32_t t = 0; t < tilings; t++) {
        uint64_t key = qh__mix64(t + 1);
        for (uint32_t i = 0; i < keyed; i++) {
            double offset = (double)(t * (2 * i + 1) % tilings) / tilings;
            key = qh__hash_step(key, (uint64_t)(position[i] + offset));
        }
        keys[t] = key;
    }
    return true;
}

static bool index_key(const qh_encoder *encoder, double state, uint64_t *key) {
    if (!(state >= 0 && state < encoder->plan->states)) return false;
    uint32_t index = (uint32_t)state;
    if ((double)index != state) return false;
    *key = qh__mix64((uint64_t)index + 1);
    return true;
}

/* False when one of the row's numbers is NaN. */
static QH_NOINLINE bool row_keys(const qh_encoder *encoder, const float *row, uint64_t *keys) {
    if (QH_LIKELY(encoder->plan->kind == QH_ENCODER_BINS))
        return (*keys = qh__encoder_cells_key(encoder, row)) != 0;
    return encoder->plan->kind == QH_ENCODER_SIMHASH ? simhash_key(encoder, row, keys)
                                                     : tile_keys(encoder, row, keys);
}

static qh_result keys_with(const qh_encoder *encoder, const float *observation,
                           const float *averages, uint64_t *keys) {
    float buffer[QH_MAX_DIMS];
    const float *row = assemble(encoder, observation, averages, buffer);
    return QH_LIKELY(row_keys(encoder, row, keys)) ? QH_OK : QH_INVALID_ARGUMENT;
}

qh_result qh_encoder_keys(const qh_encoder *encoder, const float *observation, double state,
                          uint64_t *keys) {
    if (encoder->plan->kind == QH_ENCODER_INDEX)
        return index_key(encoder, state, keys) ? QH_OK : QH_INVALID_ARGUMENT;
    return keys_with(encoder, observation, encoder->average, keys);
}

qh_result qh_encoder_keys_moving(qh_encoder *encoder, const float *observation, double state,
                                 bool first, uint64_t *keys) {
    if (encoder->plan->kind == QH_ENCODER_INDEX)
        return index_key(encoder, state, keys) ? QH_OK : QH_INVALID_ARGUMENT;
    for (uint32_t t = 0; t < encoder->plan->trends; t++) {
        float x = normalised(encoder, observation, encoder->plan->trend[t].dim),
              average = encoder->average[t];
        encoder->moved[t] = first ? x : average + encoder->plan->trend[t].alpha * (x - average);
    }
    return keys_with(encoder, observation, encoder->moved, keys);
}

QH_FAST_END

void qh_encoder_move(qh_encoder *encoder) {
    for (uint32_t t = 0; t < encoder->plan->trends; t++) encoder->average[t] = encoder->moved[t];
}

/* ---------------------------------------------------------------- states remembered */

uint32_t qh_encoder_words(const qh_encoder_def *def) {
    if (def->kind == QH_ENCODER_INDEX) return 1;
    uint32_t words = def->dim_count;
    for (uint32_t i = 0; i < def->dim_count; i++) words += def->dims[i].trend > 0;
    return words;
}

QH_NOINLINE void qh_encoder_record(const qh_encoder *encoder, const float *observation,
                                   double state, bool moving, uint32_t *words) {
    const qh_plan *plan = encoder->plan;
    const float *averages = moving ? encoder->moved : encoder->average;
    if (plan->kind == QH_ENCODER_INDEX) *words = (uint32_t)state;
    if (plan->dims) memcpy(words, observation, plan->dims * sizeof *words);
    if (plan->trends) memcpy(words + plan->dims, averages, plan->trends * sizeof *words);
}

QH_NOINLINE void qh_encoder_recall(const qh_encoder *encoder, const uint32_t *words,
                                   uint64_t *keys) {
    float row[QH_MAX_DIMS] = {0};
    if (encoder->plan->kind == QH_ENCODER_INDEX) {
        *keys = qh__mix64((uint64_t)*words + 1);
        return;
    }
    memcpy(row, words, (encoder->plan->dims + encoder->plan->trends) * sizeof *words);
    row_keys(encoder, row, keys);
}

qh_result qh_encoder_vector(const qh_encoder *encoder, const float *observation, double state,
                            float *vector, uint32_t *length) {
    uint64_t key;
    *length = 1;
    if (encoder->plan->kind == QH_ENCODER_INDEX) {
        vector[0] = (float)state;
        return index_key(encoder, state, &key) ? QH_OK : QH_INVALID_ARGUMENT;
    }
    float buffer[QH_MAX_DIMS], padded[QH_MAX_DIMS];
    if (!normalise_row(encoder, assemble(encoder, observation, encoder->average, buffer), padded))
        return QH_INVALID_ARGUMENT;
    *length = encoder->plan->dims + encoder->plan->trends;
    for (uint32_t i = 0; i < *length; i++) vector[i] = padded[i];
    return QH_OK;
}
