/* The arithmetic of the vector index: distances, i8 codes, and keys that sort.
 *
 * Every sum has one order in every build: value i goes to partial sum i mod 16 (behind the last whole 16: i mod 4), the partial sums are
 * added as a tree. With SIMD that is four registers of four lanes; without, an array of 16. So SIMD, scalar and native builds
 * agree to the bit.
 *
 * i8 codes: a row is stored as 8-bit integers with one scale of its own, x ~ scale * code, |code| <= 127; a row of large numbers costs
 * the others nothing. For l2 the rows' mean is taken off first (distances do not change, the integers become finer), and half
 * of the squared length goes beside the scale:  |x - q|^2 / 2 = half(x) - x . q + |q|^2 / 2.
 *
 * A key is a distance and a row in 64 bits: the distance's bits in an order that unsigned integers sort, then the row, then one bit
 * ("explored"). Equal distances sort by row, so there is one right order. */
#ifndef QH_SHARED_INDEX_KERNEL_H
#define QH_SHARED_INDEX_KERNEL_H

#include "base/bytes.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

typedef uint64_t qh_key;

/* Bits of a float in an order that unsigned integers sort, and back. */
QH_INLINE uint32_t qh__sortable(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((0u - (bits >> 31)) | 0x80000000u);
}

QH_INLINE float qh__unsortable(uint32_t sortable) {
    uint32_t bits = sortable ^ (sortable >> 31 ? 0x80000000u : 0xFFFFFFFFu);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

QH_INLINE qh_key qh__key(float distance, uint32_t row) {
    return (qh_key)qh__sortable(distance) << 32 | (qh_key)row << 1;
}

QH_INLINE uint32_t qh__key_row(qh_key key) {
    return (uint32_t)key >> 1;
}

#if defined(__wasm_simd128__)

QH_INLINE float qh__tree(v128_t a, v128_t b, v128_t c, v128_t d) {
    v128_t sum = wasm_f32x4_add(wasm_f32x4_add(a, b), wasm_f32x4_add(c, d));
    sum = wasm_f32x4_add(sum, wasm_i32x4_shuffle(sum, sum, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1);
}

QH_INLINE v128_t qh__term(v128_t sum, const float *a, const float *b, bool squares) {
    v128_t x = wasm_v128_load(a), y = wasm_v128_load(b);
    v128_t d = wasm_f32x4_sub(x, y);
    return wasm_f32x4_add(sum, squares ? wasm_f32x4_mul(d, d) : wasm_f32x4_mul(x, y));
}

/* Sum of products, or of squared differences. `stride` is a multiple of 4. */
QH_INLINE float qh__sum(const float *a, const float *b, uint32_t stride, bool squares) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
    const float *end = a + (stride & ~15u);
    for (; a < end; a += 16, b += 16) {
        s0 = qh__term(s0, a, b, squares);
        s1 = qh__term(s1, a + 4, b + 4, squares);
        s2 = qh__term(s2, a + 8, b + 8, squares);
        s3 = qh__term(s3, a + 12, b + 12, squares);
    }
    for (end += stride & 15; a < end; a += 4, b += 4) s0 = qh__term(s0, a, b, squares);
    return qh__tree(s0, s1, s2, s3);
}

/* Sum of products of 8-bit codes and 16-bit ones. `stride` is a multiple of 16. */
QH_INLINE int32_t qh__code_sum(const int8_t *codes, const int16_t *query, uint32_t stride) {
    v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0;
    for (const int8_t *end = codes + stride; codes < end; codes += 16, query += 16) {
        s0 = wasm_i32x4_add(s0,
                            wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(codes), wasm_v128_load(query)));
        s1 = wasm_i32x4_add(
            s1, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(codes + 8), wasm_v128_load(query + 8)));
    }
    s0 = wasm_i32x4_add(s0, s1);
    s0 = wasm_i32x4_add(s0, wasm_i32x4_shuffle(s0, s0, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(s0, 0) + wasm_i32x4_extract_lane(s0, 1);
}

#else

QH_INLINE float qh__sum(const float *a, const float *b, uint32_t stride, bool squares) {
    float s[16] = {0};
    for (uint32_t i = 0; i < stride; i++) {
        float d = a[i] - b[i];
        s[i < (stride & ~15u) ? i & 15 : i & 3] += squares ? d * d : a[i] * b[i];
    }
    for (uint32_t i = 0; i < 4; i++) s[i] = (s[i] + s[i + 4]) + (s[i + 8] + s[i + 12]);
    return (s[0] + s[2]) + (s[1] + s[3]);
}

QH_INLINE int32_t qh__code_sum(const int8_t *codes, const int16_t *query, uint32_t stride) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < stride; i++) sum += codes[i] * query[i];
    return sum;
}

#endif

#endif
