/* Integer bit tricks: powers of two, rotations, and the mixers behind every hash of the core. */
#ifndef QH_BASE_BITS_H
#define QH_BASE_BITS_H

#include "base/platform.h"

QH_INLINE uint32_t qh__rotl32(uint32_t x, int k) {
    return (x << k) | (x >> (32 - k));
}

QH_INLINE uint64_t qh__rotl64(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

/* floor(log2(x)), x > 0 */
QH_INLINE uint32_t qh__log2_floor(size_t x) {
    return (uint32_t)(63 - __builtin_clzll((unsigned long long)x));
}

QH_INLINE size_t qh__align_up(size_t x, size_t alignment) {
    return (x + alignment - 1) & ~(alignment - 1);
}

/* A bijection of 64 bits with full avalanche: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "mix13"). */
QH_INLINE uint64_t qh__mix64(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Folds one more word into a running hash. Not commutative: order matters. */
QH_INLINE uint64_t qh__hash_step(uint64_t hash, uint64_t word) {
    return qh__mix64(hash ^ word) + 0x9E3779B97F4A7C15u;
}

#endif
