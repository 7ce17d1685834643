#include "learn/policy.h"

#include "base/bytes.h"

QH_FAST_BEGIN

QH_INLINE bool allowed(const uint32_t *mask, uint32_t action) {
    return !mask || (mask[action >> 5] >> (action & 31) & 1);
}

QH_NOINLINE uint32_t qh__draw_below(qh_random *random, uint32_t bound) {
    return qh__random_below(random, bound);
}

QH_NOINLINE uint32_t qh__draw_bit(qh_random *random, uint32_t bits) {
    return qh__nth_bit(bits, qh__random_below(random, (uint32_t)__builtin_popcount(bits)));
}

/* ---------------------------------------------------------------- the greatest value */

float qh_policy_max(const float *values, uint32_t actions, const uint32_t *mask) {
    if (!mask) return qh__max_of_all(values, (actions + 3) & ~3u);
    float best = -__builtin_inff();
    for (uint32_t i = 0; i < actions; i++)
        if (allowed(mask, i) && best < values[i]) best = values[i];
    return best + 0.0f;
}

QH_INLINE uint32_t ties_in_word(const float *values, uint32_t actions, uint32_t word, float best,
                                const uint32_t *mask) {
    uint32_t count = QH_MIN(actions - word * 32, 32u);
    uint32_t bits = qh__equal_bits(values + word * 32, count, best);
    if (count < 32) bits &= (1u << count) - 1;
    return mask ? bits & mask[word] : bits;
}

static uint32_t greedy_of_many(const float *values, uint32_t actions, bool first, float best,
                               const uint32_t *mask, qh_random *random) {
    uint32_t words = (actions + 31) / 32, ties = 0;
    for (uint32_t word = 0; word < words; word++)
        ties += (uint32_t)__builtin_popcount(ties_in_word(values, actions, word, best, mask));
    uint32_t n = first ? 0 : qh__random_below(random, ties);
    for (uint32_t word = 0;; word++) {
        uint32_t bits = ties_in_word(values, actions, word, best, mask);
        uint32_t here = (uint32_t)__builtin_popcount(bits);
        if (n < here) return word * 32 + qh__nth_bit(bits, n);
        n -= here;
    }
}

uint32_t qh_policy_greedy(const float *values, uint32_t actions, bool first, const uint32_t *mask,
                          qh_random *random) {
    if (QH_LIKELY(!mask && actions <= QH_FEW_ACTIONS))
        return qh__greedy_of_few(values, actions, first, random);
    float best = qh_policy_max(values, actions, mask);
    return greedy_of_many(values, actions, first, best, mask, random);
}

/* ---------------------------------------------------------------- other ways to choose */

static uint32_t count_allowed(uint32_t actions, const uint32_t *mask) {
    if (!mask) return actions;
    uint32_t count = 0;
    for (uint32_t i = 0; i < actions; i++) count += allowed(mask, i);
    return count;
}

static uint32_t uniform(uint32_t actions, const uint32_t *mask, qh_random *random) {
    if (!mask) return qh__random_below(random, actions);
    uint32_t n = qh__random_below(random, count_allowed(actions, mask));
    for (uint32_t i = 0;; i++)
        if (allowed(mask, i) && n-- == 0) return i;
}

/* What a schedule from almost 0 upwards rounds to 0 in its first steps must not divide by it. */
#define LEAST_TEMPERATURE 0x1p-1022

/* weights[i] = e^((values[i] - max) / temperature), 0 where forbidden; returns their sum, added in order. */
static double softmax_weights(const qh_policy *policy, const float *values, const uint32_t *mask,
                              double *weights) {
    double temperature = QH_MAX(qh__schedule_value(&policy->exploration), LEAST_TEMPERATURE),
           sum = 0;
    double best = (double)qh_policy_max(values, policy->actions, mask);
    for (uint32_t i = 0; i < policy->actions; i++) {
        weights[i] = allowed(mask, i) ? qh__exp(((double)values[i] - best) / temperature) : 0;
        sum += weights[i];
    }
    return sum;
}

static uint32_t softmax(const qh_policy *policy, const float *values, const uint32_t *mask,
                        qh_random *random) {
    double weights[QH_MAX_ACTIONS];
    double left = softmax_weights(policy, values, mask, weights) * qh__random_unit(random);
    uint32_t last = 0;
    for (uint32_t i = 0; i < policy->actions; i++) {
        if (weights[i] == 0) continue;
        last = i;
        left -= weights[i];
        if (left < 0) break;
    }
    return last;
}

/* Q(a) + c sqrt(ln N / n(a)) (S&B 2.10, N the visits of the state), infinite for an action never tried. */
static void ucb_values(const qh_policy *policy, const float *values, const uint32_t *counts,
                       float *bounds) {
    double total = 0;
    for (uint32_t i = 0; counts && i < policy->actions; i++) total += counts[i];
    double log_total = total > 0 ? qh__log(total) : 0;
    for (uint32_t i = 0; i < policy->actions; i++) {
        bool tried = counts && counts[i] > 0;
        double bonus = tried ? policy->ucb_c * qh__sqrt(log_total / counts[i]) : 0;
        bounds[i] = tried ? qh__to_float((double)values[i] + bonus) : __builtin_inff();
    }
    for (uint32_t i = policy->actions; i & 3; i++) bounds[i] = -__builtin_inff();
}

static uint32_t choose_ucb(const qh_policy *policy, const float *values, const uint32_t *counts,
                           const uint32_t *mask, qh_random *random) {
    float bounds[QH_MAX_ACTIONS];
    ucb_values(policy, values, counts, bounds);
    return qh_policy_greedy(bounds, policy->actions, policy->first, mask, random);
}

uint32_t qh_policy_choose(const qh_policy *policy, const float *values, const uint32_t *counts,
                          const uint32_t *mask, qh_random *random) {
    switch (policy->kind) {
    case QH_EPSILON_GREEDY: {
        double epsilon = qh__schedule_value(&policy->exploration);
        if (epsilon > 0 && qh__random_unit(random) < epsilon)
            return uniform(policy->actions, mask, random);
        break;
    }
    case QH_SOFTMAX: return softmax(policy, values, mask, random);
    case QH_UCB: return choose_ucb(policy, values, counts, mask, random);
    default: break;
    }
    return qh_policy_greedy(values, policy->actions, policy->first, mask, random);
}

QH_FAST_END

/* ---------------------------------------------------------------- probabilities */

static void greedy_probabilities(const qh_policy *policy, const float *values, const uint32_t *mask,
                                 double weight, double base, float *probabilities) {
    float best = qh_policy_max(values, policy->actions, mask);
    uint32_t ties = 0;
    for (uint32_t i = 0; i < policy->actions; i++) ties += allowed(mask, i) && values[i] == best;
    if (policy->first) ties = 1;
    for (uint32_t i = 0; i < policy->actions; i++) {
        double p = allowed(mask, i) ? base : 0;
        if (allowed(mask, i) && values[i] == best && ties > 0) {
            p += weight / ties;
            if (policy->first) weight = 0;
        }
        probabilities[i] = (float)p;
    }
}

void qh_policy_probabilities(const qh_policy *policy, const float *values, const uint32_t *counts,
                             const uint32_t *mask, float *probabilities) {
    if (policy->kind == QH_SOFTMAX) {
        double weights[QH_MAX_ACTIONS];
        double sum = softmax_weights(policy, values, mask, weights);
        for (uint32_t i = 0; i < policy->actions; i++) probabilities[i] = (float)(weights[i] / sum);
    } else if (policy->kind == QH_UCB) {
        float bounds[QH_MAX_ACTIONS];
        ucb_values(policy, values, counts, bounds);
        greedy_probabilities(policy, bounds, mask, 1, 0, probabilities);
    } else {
        bool greedy = policy->kind == QH_GREEDY;
        double epsilon = greedy ? 0 : qh__schedule_value(&policy->exploration);
        greedy_probabilities(policy, values, mask, 1 - epsilon,
                             epsilon / count_allowed(policy->actions, mask), probabilities);
    }
}

static double mean_value(const float *values, uint32_t actions) {
    double sum = 0;
    for (uint32_t i = 0; i < actions; i++) sum += (double)values[i];
    return sum / actions;
}

double qh_policy_expectation(const qh_policy *policy, const float *values, const uint32_t *counts,
                             const uint32_t *mask) {
    if (policy->kind == QH_SOFTMAX && !mask) {
        double weights[QH_MAX_ACTIONS], expected = 0;
        double sum = softmax_weights(policy, values, NULL, weights);
        for (uint32_t i = 0; i < policy->actions; i++)
            expected += weights[i] / sum * (double)values[i];
        return expected;
    }
    if (policy->kind == QH_UCB || mask) {
        float probabilities[QH_MAX_ACTIONS];
        double expected = 0;
        qh_policy_probabilities(policy, values, counts, mask, probabilities);
        for (uint32_t i = 0; i < policy->actions; i++)
            expected += (double)probabilities[i] * (double)values[i];
        return expected;
    }
    double best = (double)qh_policy_max(values, policy->actions, NULL);
    double epsilon = policy->kind == QH_GREEDY ? 0 : qh__schedule_value(&policy->exploration);
    return epsilon == 0 ? best
                        : epsilon * mean_value(values, policy->actions) + (1 - epsilon) * best;
}
