#include "learn/encoder.h"

#include "base/bytes.h"
#include "base/maths.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define TWO_23 8388608.0f
#define EXPONENT_OF_TWO_23 0x4B00u
#define MAX_BINS 65536u

/* ---------------------------------------------------------------- the hash of cells */

/* K_ki of the multilinear hash in the order the kernel reads: for each 8 cells and each sum k, 4 lanes of (first cell's, second
 * cell's) 16-bit odd factors: the top of SplitMix64 from seed 0. Part of the format of exported tables. */
#define SHAKE(x, shift, factor) (((x) ^ ((x) >> (shift))) * (factor))
#define MIX(x) SHAKE(SHAKE(x, 30, 0xBF58476D1CE4E5B9u), 27, 0x94D049BB133111EBu)
#define FACTOR(i) (int16_t)(uint16_t)(MIX(((i) + 1u) * QH_GOLDEN_GAMMA) >> 48 | 1u)
#define FACTORS_4(i) FACTOR(i), FACTOR(i + 1u), FACTOR(i + 2u), FACTOR(i + 3u)
#define FACTORS_16(i) FACTORS_4(i), FACTORS_4(i + 4u), FACTORS_4(i + 8u), FACTORS_4(i + 12u)
#define FACTORS_64(i) FACTORS_16(i), FACTORS_16(i + 16u), FACTORS_16(i + 32u), FACTORS_16(i + 48u)
static const int16_t factors[QH_MAX_DIMS * 4] = {
    FACTORS_64(0u),
    FACTORS_64(64u),
    FACTORS_64(128u),
    FACTORS_64(192u),
};

static uint64_t sums_key(uint64_t low, uint64_t high) {
    uint64_t x = low * 0x9E3779B97F4A7C15u + qh__rotl64(high, 32) * 0xD6E8FEB86659FD93u;
    x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93u;
    return x ^ (x >> 29);
}

#if defined(__wasm_simd128__)
/* Four cells as floats 2^23 + cell: their bits are 0x4B000000 | cell, or a NaN's. */
QH_INLINE v128_t four_cells(const qh_encoder *encoder, const float *x, uint32_t i) {
    v128_t y =
        wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(x + i), wasm_v128_load(encoder->min + i)),
                       wasm_v128_load(encoder->scale + i));
    y = wasm_f32x4_pmax(y, wasm_f32x4_const_splat(0));
    y = wasm_f32x4_pmin(y, wasm_v128_load(encoder->last + i));
    return wasm_f32x4_add(wasm_f32x4_floor(y), wasm_f32x4_const_splat(TWO_23));
}

/* False when a lane of x is NaN. `x` has `padded` floats. */
static bool cells_key(const qh_encoder *encoder, const float *x, uint64_t *key) {
    v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0, s2 = s0, s3 = s0, seen = s0;
    uint32_t padded = encoder->padded;
    const int16_t *factor = factors;
    for (uint32_t i = 0; i < padded; i += 8, factor += 32) {
        v128_t first = four_cells(encoder, x, i), second = four_cells(encoder, x, i + 4);
        v128_t cells = wasm_v128_xor(first, wasm_i32x4_shl(second, 16));
        seen = wasm_v128_or(seen, wasm_v128_or(first, second));
        s0 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor)));
        s1 = wasm_i32x4_add(s1, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor + 8)));
        s2 = wasm_i32x4_add(s2, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor + 16)));
        s3 = wasm_i32x4_add(s3, wasm_i32x4_dot_i16x8(cells, wasm_v128_load(factor + 24)));
    }
    v128_t a = wasm_i32x4_add(wasm_i32x4_shuffle(s0, s1, 0, 4, 1, 5),
                              wasm_i32x4_shuffle(s0, s1, 2, 6, 3, 7));
    v128_t b = wasm_i32x4_add(wasm_i32x4_shuffle(s2, s3, 0, 4, 1, 5),
                              wasm_i32x4_shuffle(s2, s3, 2, 6, 3, 7));
    v128_t sums = wasm_i32x4_add(wasm_i64x2_shuffle(a, b, 0, 2), wasm_i64x2_shuffle(a, b, 1, 3));
    *key = sums_key((uint64_t)wasm_i64x2_extract_lane(sums, 0),
                    (uint64_t)wasm_i64x2_extract_lane(sums, 1));
    v128_t exponents = wasm_v128_and(seen, wasm_i32x4_const_splat((int32_t)0xFFFF0000u));
    return wasm_i32x4_all_true(wasm_i32x4_eq(exponents, wasm_i32x4_const_splat(0x4B000000)));
}
#else
static bool cells_key(const qh_encoder *encoder, const float *x, uint64_t *key) {
    uint32_t sums[4] = {0}, padded = encoder->padded;
    for (uint32_t i = 0; i < padded; i++) {
        float y = (x[i] - encoder->min[i]) * encoder->scale[i];
        if (y != y) return false;
        y = y < 0 ? 0 : y;
        y = encoder->last[i] < y ? encoder->last[i] : y;
        uint32_t in_group = i & 7, second = in_group >> 2, cell = (uint32_t)y;
        int32_t half = (int16_t)(second ? cell ^ EXPONENT_OF_TWO_23 : cell);
        uint32_t lane = 2 * (in_group & 3) + second;
        for (int k = 0; k < 4; k++)
            sums[k] += (uint32_t)(half * factors[(i >> 3) * 32 + (uint32_t)k * 8 + lane]);
    }
    *key = sums_key(sums[0] | (uint64_t)sums[1] << 32, sums[2] | (uint64_t)sums[3] << 32);
    return true;
}
#endif

/* ---------------------------------------------------------------- definition and life */

static bool dim_is_valid(const qh_dim *dim) {
    return qh__is_finite(dim->min) && qh__is_finite(dim->max) && dim->min < dim->max &&
           qh__is_finite((double)(dim->max - dim->min)) && dim->bins <= MAX_BINS &&
           dim->trend >= 0 && dim->trend <= 1;
}

qh_result qh_encoder_check(const qh_encoder_def *def) {
    if (def->kind == QH_ENCODER_INDEX) return def->states > 0 ? QH_OK : QH_INVALID_ARGUMENT;
    if (def->kind > QH_ENCODER_TILES || def->dim_count == 0) return QH_INVALID_ARGUMENT;
    if (def->kind == QH_ENCODER_SIMHASH && (def->bits < 1 || def->bits > 32))
        return QH_INVALID_ARGUMENT;
    if (def->kind == QH_ENCODER_TILES && (def->tilings < 1 || def->tilings > QH_MAX_TILINGS))
        return QH_INVALID_ARGUMENT;
    uint32_t all = def->dim_count;
    for (uint32_t i = 0; i < def->dim_count && all <= QH_MAX_DIMS; i++) {
        if (!dim_is_valid(&def->dims[i])) return QH_INVALID_ARGUMENT;
        all += def->dims[i].trend > 0;
    }
    return all <= QH_MAX_DIMS ? QH_OK : QH_INVALID_ARGUMENT;
}

static void set_lane(qh_encoder *encoder, uint32_t lane, float min, float max, uint32_t bins) {
    double range = (double)max - (double)min;
    encoder->min[lane] = min;
    encoder->scale[lane] = (float)((bins ? bins : 1) / range);
    encoder->range[lane] = (float)(1 / range);
    encoder->last[lane] = bins ? (float)(bins - 1) : 0;
    if (bins) encoder->keyed |= (uint64_t)1 << lane;
}

static void set_lanes(qh_encoder *encoder, const qh_encoder_def *def) {
    uint32_t lane = def->dim_count;
    for (uint32_t i = 0; i < def->dim_count; i++) {
        const qh_dim *dim = &def->dims[i];
        set_lane(encoder, i, dim->min, dim->max, dim->bins);
        if (!(dim->trend > 0)) continue;
        encoder->trend[lane - def->dim_count] = (qh_trend){i, dim->trend};
        set_lane(encoder, lane++, 0, 1, dim->bins);
    }
}

/* Standard normal numbers would need a logarithm and a cosine; the sum of 12 uniforms is as good a direction. */
static void draw_planes(qh_encoder *encoder, uint64_t seed) {
    qh_random random = qh__random_seeded(seed, 0x73696D68617368);
    uint32_t used = encoder->dims + encoder->trends;
    for (uint32_t bit = 0; bit < encoder->bits; bit++)
        for (uint32_t i = 0; i < used; i++) {
            double sum = -6;
            for (int k = 0; k < 12; k++) sum += qh__random_unit(&random);
            encoder->planes[bit * encoder->padded + i] = (float)sum;
        }
}

qh_result qh_encoder_open(qh_encoder *encoder, const qh_encoder_def *def, qh_heap *heap,
                          qh_owner *owner, uint64_t seed) {
    *encoder = (qh_encoder){.kind = def->kind, .keys = 1, .states = def->states};
    if (def->kind == QH_ENCODER_INDEX) return QH_OK;
    encoder->dims = def->dim_count;
    for (uint32_t i = 0; i < def->dim_count; i++) encoder->trends += def->dims[i].trend > 0;
    uint32_t used = encoder->dims + encoder->trends, padded = (used + 7) & ~7u;
    encoder->padded = padded;
    encoder->plain = encoder->dims == padded;
    if (def->kind == QH_ENCODER_TILES) encoder->keys = def->tilings;
    if (def->kind == QH_ENCODER_SIMHASH) encoder->bits = def->bits;
    size_t floats = (4 + (size_t)encoder->bits) * padded + 4 * (size_t)encoder->trends;
    encoder->byte_count = floats * sizeof(float);
    void *block;
    QH_TRY(qh_heap_alloc_zeroed(heap, owner, encoder->byte_count, QH_BLOCK_encoder, &block));
    float *at = encoder->block = block;
    encoder->min = at;
    encoder->scale = at += padded;
    encoder->last = at += padded;
    encoder->range = at += padded;
    encoder->planes = at += padded;
    encoder->average = at += (size_t)encoder->bits * padded;
    encoder->moved = at += encoder->trends;
    encoder->trend = (qh_trend *)(void *)(at + encoder->trends);
    set_lanes(encoder, def);
    if (encoder->bits) draw_planes(encoder, seed);
    return QH_OK;
}

void qh_encoder_close(qh_encoder *encoder, qh_heap *heap, qh_owner *owner) {
    qh_heap_free(heap, owner, encoder->block, encoder->byte_count);
    *encoder = (qh_encoder){0};
}

/* ---------------------------------------------------------------- from observation to keys */

QH_INLINE float clamp_unit(float x) {
    x = x < 0 ? 0 : x;
    return 1 < x ? 1 : x;
}

QH_INLINE float normalised(const qh_encoder *encoder, const float *observation, uint32_t dim) {
    return clamp_unit((observation[dim] - encoder->min[dim]) * encoder->range[dim]);
}

/* The row the kernels read: raw dimensions, trends, zeros. */
static const float *assemble(const qh_encoder *encoder, const float *observation,
                             const float *averages, float *row) {
    if (QH_LIKELY(encoder->plain)) return observation;
    uint32_t i = 0, dims = encoder->dims;
    for (; i < dims; i++) row[i] = observation[i];
    for (uint32_t t = 0; t < encoder->trends; t++) row[i++] = averages[t];
    for (; i < encoder->padded; i++) row[i] = 0;
    return row;
}

/* Normalises an assembled row; false when a lane is NaN. */
static bool normalise_row(const qh_encoder *encoder, const float *row, float *vector) {
    float poison = 0;
    for (uint32_t i = 0; i < encoder->padded; i++) {
        float x = (row[i] - encoder->min[i]) * encoder->range[i];
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
    for (uint32_t bit = 0; bit < encoder->bits; bit++)
        signs |=
            (uint64_t)(dot(vector, encoder->planes + bit * encoder->padded, encoder->padded) > 0)
            << bit;
    *key = qh__mix64(signs + 1);
    return true;
}

/* Tiling t is displaced by t (1, 3, 5, ...) / tilings of a tile (S&B 9.5.4; Miller & Glanz 1996), so dimension i of x,
 * in tiles, falls into tile floor(x + (t (2 i + 1) mod tilings) / tilings). Dimensions without bins do not count. */
static bool tile_keys(const qh_encoder *encoder, const float *row, uint64_t *keys) {
    uint32_t used = encoder->dims + encoder->trends, tilings = encoder->keys;
    double position[QH_MAX_DIMS];
    uint32_t keyed = 0;
    for (uint32_t i = 0; i < used; i++) {
        float x = (row[i] - encoder->min[i]) * encoder->scale[i];
        if (x != x) return false;
        if (!(encoder->keyed >> i & 1)) continue;
        float bins = encoder->last[i] + 1;
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
    if (!(state >= 0 && state < encoder->states)) return false;
    uint32_t index = (uint32_t)state;
    if ((double)index != state) return false;
    *key = qh__mix64((uint64_t)index + 1);
    return true;
}

static qh_result keys_with(const qh_encoder *encoder, const float *observation,
                           const float *averages, uint64_t *keys) {
    float buffer[QH_MAX_DIMS];
    const float *row = assemble(encoder, observation, averages, buffer);
    bool valid;
    if (QH_LIKELY(encoder->kind == QH_ENCODER_BINS))
        valid = cells_key(encoder, row, keys);
    else if (encoder->kind == QH_ENCODER_SIMHASH)
        valid = simhash_key(encoder, row, keys);
    else
        valid = tile_keys(encoder, row, keys);
    return QH_LIKELY(valid) ? QH_OK : QH_INVALID_ARGUMENT;
}

qh_result qh_encoder_keys(const qh_encoder *encoder, const float *observation, double state,
                          uint64_t *keys) {
    if (encoder->kind == QH_ENCODER_INDEX)
        return index_key(encoder, state, keys) ? QH_OK : QH_INVALID_ARGUMENT;
    return keys_with(encoder, observation, encoder->average, keys);
}

qh_result qh_encoder_keys_moving(qh_encoder *encoder, const float *observation, double state,
                                 bool first, uint64_t *keys) {
    if (encoder->kind == QH_ENCODER_INDEX)
        return index_key(encoder, state, keys) ? QH_OK : QH_INVALID_ARGUMENT;
    for (uint32_t t = 0; t < encoder->trends; t++) {
        float x = normalised(encoder, observation, encoder->trend[t].dim),
              average = encoder->average[t];
        encoder->moved[t] = first ? x : average + encoder->trend[t].alpha * (x - average);
    }
    return keys_with(encoder, observation, encoder->moved, keys);
}

void qh_encoder_move(qh_encoder *encoder) {
    for (uint32_t t = 0; t < encoder->trends; t++) encoder->average[t] = encoder->moved[t];
}

qh_result qh_encoder_vector(const qh_encoder *encoder, const float *observation, double state,
                            float *vector, uint32_t *length) {
    uint64_t key;
    *length = 1;
    if (encoder->kind == QH_ENCODER_INDEX) {
        vector[0] = (float)state;
        return index_key(encoder, state, &key) ? QH_OK : QH_INVALID_ARGUMENT;
    }
    float buffer[QH_MAX_DIMS], padded[QH_MAX_DIMS];
    if (!normalise_row(encoder, assemble(encoder, observation, encoder->average, buffer), padded))
        return QH_INVALID_ARGUMENT;
    *length = encoder->dims + encoder->trends;
    for (uint32_t i = 0; i < *length; i++) vector[i] = padded[i];
    return QH_OK;
}
