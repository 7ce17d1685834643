/* Policies: from the values of a state to an action, and to the probability of every action.
 *
 * `values` has `stride` floats, the lanes behind `actions` being -infinity. A mask is a set of allowed actions, one bit
 * each, NULL for all; at least one bit is set. Ties for the greatest value are broken uniformly, or in favour of the first. */
#ifndef QH_LEARN_POLICY_H
#define QH_LEARN_POLICY_H

#include "base/maths.h"
#include "base/random.h"
#include "qhive/agent.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define QH_FEW_ACTIONS 32u /* as many as one word of ties holds */

/* A schedule and where it stands: value = end + span * power, power = decay^steps kept by multiplication. */
typedef struct qh_schedule_state {
    double end, span, decay, power;
} qh_schedule_state;

typedef struct qh_policy {
    uint32_t kind; /* qh_policy_kind */
    uint32_t actions;
    uint64_t explore_below; /* epsilon-greedy explores when 32 random bits are below it; else 0 */
    qh_schedule_state exploration;
    bool first; /* ties go to the first */
    double ucb_c;
} qh_policy;

QH_INLINE qh_schedule_state qh__schedule_open(const qh_schedule *def) {
    return (qh_schedule_state){def->end, def->start - def->end, def->decay, 1};
}

QH_INLINE double qh__schedule_value(const qh_schedule_state *schedule) {
    return schedule->end + schedule->span * schedule->power;
}

QH_INLINE void qh__schedule_step(qh_schedule_state *schedule) {
    if (schedule->span != 0) schedule->power *= schedule->decay;
}

/* The greatest of the allowed values. */
float qh_policy_max(const float *values, uint32_t actions, const uint32_t *mask);

/* A greatest allowed action; ties as `first` says. */
uint32_t qh_policy_greedy(const float *values, uint32_t actions, bool first, const uint32_t *mask,
                          qh_random *random);

/* An action drawn from the policy. `counts` (visits of each action in the state, NULL: none yet) matter to UCB. */
uint32_t qh_policy_choose(const qh_policy *policy, const float *values, const uint32_t *counts,
                          const uint32_t *mask, qh_random *random);

/* The probability of each of the `actions` under the policy. */
void qh_policy_probabilities(const qh_policy *policy, const float *values, const uint32_t *counts,
                             const uint32_t *mask, float *probabilities);

/* The expected value of the state under the policy: the sum over actions, in order, of probability times value. */
double qh_policy_expectation(const qh_policy *policy, const float *values, const uint32_t *counts,
                             const uint32_t *mask);

/* ---- the hot path of a choice, inline */

/* The greatest of `stride` values; of two zeros of different signs +0, in whatever order they come. */
#if defined(__wasm_simd128__)
QH_INLINE v128_t qh__max_splat(v128_t best) {
    best = wasm_f32x4_pmax(best, wasm_i64x2_shuffle(best, best, 1, 0));
    best = wasm_f32x4_pmax(best, wasm_i32x4_shuffle(best, best, 1, 0, 3, 2));
    return wasm_f32x4_add(best, wasm_f32x4_const_splat(0));
}

/* The values of up to 16 actions as four vectors; where there are fewer, the last one again. */
#define QH_FOUR_VECTORS(a, b, c, d, values, stride)                                                \
    uint32_t last_ = (stride) - 4;                                                                 \
    v128_t a = wasm_v128_load(values), b = wasm_v128_load((values) + QH_MIN(last_, 4u)),           \
           c = wasm_v128_load((values) + QH_MIN(last_, 8u)), d = wasm_v128_load((values) + last_)

QH_INLINE v128_t qh__max_of_four(v128_t a, v128_t b, v128_t c, v128_t d) {
    return qh__max_splat(wasm_f32x4_pmax(wasm_f32x4_pmax(a, b), wasm_f32x4_pmax(c, d)));
}

QH_INLINE float qh__max_of_all(const float *values, uint32_t stride) {
    if (QH_LIKELY(stride <= 16)) {
        QH_FOUR_VECTORS(a, b, c, d, values, stride);
        return wasm_f32x4_extract_lane(qh__max_of_four(a, b, c, d), 0);
    }
    v128_t best = wasm_v128_load(values);
    for (uint32_t i = 4; i < stride; i += 4)
        best = wasm_f32x4_pmax(best, wasm_v128_load(values + i));
    return wasm_f32x4_extract_lane(qh__max_splat(best), 0);
}

/* Bit i: values[i] equals `best`; for the 32 values from `values` on, fewer at the end. */
QH_INLINE uint32_t qh__equal_bits(const float *values, uint32_t count, float best) {
    v128_t same = wasm_f32x4_splat(best);
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i += 4)
        bits |= wasm_i32x4_bitmask(wasm_f32x4_eq(wasm_v128_load(values + i), same)) << i;
    return bits;
}

/* Bit i: values[i] is the greatest of `stride` <= 32 values. Bits of values that there are not may be set. */
QH_INLINE uint32_t qh__greatest_bits(const float *values, uint32_t stride) {
    if (QH_UNLIKELY(stride > 16))
        return qh__equal_bits(values, stride, qh__max_of_all(values, stride));
    QH_FOUR_VECTORS(a, b, c, d, values, stride);
    v128_t best = qh__max_of_four(a, b, c, d);
    v128_t low = wasm_i16x8_narrow_i32x4(wasm_f32x4_eq(a, best), wasm_f32x4_eq(b, best));
    v128_t high = wasm_i16x8_narrow_i32x4(wasm_f32x4_eq(c, best), wasm_f32x4_eq(d, best));
    return wasm_i8x16_bitmask(wasm_i8x16_narrow_i16x8(low, high));
}
#else
QH_INLINE float qh__max_of_all(const float *values, uint32_t stride) {
    float best = values[0];
    for (uint32_t i = 1; i < stride; i++) best = best < values[i] ? values[i] : best;
    return best + 0.0f;
}

QH_INLINE uint32_t qh__equal_bits(const float *values, uint32_t count, float best) {
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++) bits |= (uint32_t)(values[i] == best) << i;
    return bits;
}

QH_INLINE uint32_t qh__greatest_bits(const float *values, uint32_t stride) {
    return qh__equal_bits(values, stride, qh__max_of_all(values, stride));
}
#endif

/* qh__random_below, and the bit of a random place among those set: calls, since they are seldom due. */
uint32_t qh__draw_below(qh_random *random, uint32_t bound);
uint32_t qh__draw_bit(qh_random *random, uint32_t bits);

QH_INLINE uint32_t qh__nth_bit(uint32_t bits, uint32_t n) {
    for (; n > 0; n--) bits &= bits - 1;
    return (uint32_t)__builtin_ctz(bits);
}

/* One of the actions in `bits`; a draw only where there is more than one. */
QH_INLINE uint32_t qh__break_tie(uint32_t bits, bool first, qh_random *random) {
    if (QH_LIKELY((bits & (bits - 1)) == 0) || first) return (uint32_t)__builtin_ctz(bits);
    return qh__draw_bit(random, bits);
}

/* The greatest of up to 32 values. */
QH_INLINE uint32_t qh__greedy_of_few(const float *values, uint32_t actions, bool first,
                                     qh_random *random) {
    uint32_t bits = qh__greatest_bits(values, (actions + 3) & ~3u) & 0xFFFFFFFFu >> (32 - actions);
    return qh__break_tie(bits, first, random);
}

/* Works `explore_below` out again after the schedule of exploration moved: x 2^-32 < epsilon where x < ceil(epsilon 2^32). */
QH_INLINE void qh__policy_settle(qh_policy *policy) {
    if (policy->kind != QH_EPSILON_GREEDY) return;
    double bound = qh__schedule_value(&policy->exploration) * 0x1p32;
    policy->explore_below = bound > 0 ? (uint64_t)bound : 0;
    policy->explore_below += (double)policy->explore_below < bound;
}

/* True when an epsilon-greedy policy explores now; draws nothing when epsilon is 0. */
QH_INLINE bool qh__explores(const qh_policy *policy, qh_random *random) {
    return policy->explore_below > 0 && qh__random_next(random) < policy->explore_below;
}

/* An action of a greedy or epsilon-greedy policy over few actions, all allowed. */
QH_INLINE uint32_t qh__choose_of_few(const qh_policy *policy, const float *values, bool greedy,
                                     qh_random *random) {
    if (!greedy && qh__explores(policy, random)) return qh__draw_below(random, policy->actions);
    return qh__greedy_of_few(values, policy->actions, policy->first, random);
}

#endif
