/* Random numbers: one xoshiro128++ 1.0 per agent (Blackman & Vigna, "Scrambled linear pseudorandom number
 * generators", TOMS 2021): 128 bits of state, period 2^128 - 1, 32-bit output, nothing but 32-bit adds,
 * shifts and rotations, so that a plain JavaScript reference reproduces it without BigInt.
 *
 * The state is filled by SplitMix64 from the runtime's master seed and the agent's stream, so that agents
 * are independent of each other and of the order in which they were made. The core has no other source of chance. */
#ifndef QH_BASE_RANDOM_H
#define QH_BASE_RANDOM_H

#include "base/bits.h"

typedef struct qh_random {
    uint32_t state[4];
} qh_random;

#define QH_GOLDEN_GAMMA 0x9E3779B97F4A7C15u

QH_HELPER qh_random qh__random_seeded(uint64_t seed, uint64_t stream) {
    uint64_t state = seed ^ qh__mix64(stream + QH_GOLDEN_GAMMA);
    uint64_t first = qh__mix64(state += QH_GOLDEN_GAMMA);
    uint64_t second = qh__mix64(state + QH_GOLDEN_GAMMA);
    if ((first | second) == 0) first = 1;
    return (qh_random){
        {(uint32_t)first, (uint32_t)(first >> 32), (uint32_t)second, (uint32_t)(second >> 32)}};
}

/* 32 uniform bits. */
QH_INLINE uint32_t qh__random_next(qh_random *random) {
    uint32_t *s = random->state;
    uint32_t result = qh__rotl32(s[0] + s[3], 7) + s[0];
    uint32_t t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = qh__rotl32(s[3], 11);
    return result;
}

/* Uniform in 0..bound-1, bound > 0, without bias (Lemire, "Fast random integer generation in an interval",
 * TOMACS 2019). A bound of 1 draws nothing. */
QH_HELPER uint32_t qh__random_below(qh_random *random, uint32_t bound) {
    if (bound == 1) return 0;
    uint64_t product = (uint64_t)qh__random_next(random) * bound;
    if (QH_UNLIKELY((uint32_t)product < bound)) {
        uint32_t threshold = (0u - bound) % bound;
        while ((uint32_t)product < threshold) product = (uint64_t)qh__random_next(random) * bound;
    }
    return (uint32_t)(product >> 32);
}

/* Uniform in [0, 1), a multiple of 2^-32. */
QH_HELPER double qh__random_unit(qh_random *random) {
    return (double)qh__random_next(random) * 0x1p-32;
}

#endif
