/* Policies: from the values of a state to an action, and to the probability of every action.
 *
 * `values` has `stride` floats, the lanes behind `actions` being -infinity. A mask is a set of allowed actions, one bit
 * each, NULL for all; at least one bit is set. Ties for the greatest value are broken uniformly, or in favour of the first. */
#ifndef QH_LEARN_POLICY_H
#define QH_LEARN_POLICY_H

#include "base/maths.h"
#include "base/random.h"
#include "qhive/agent.h"

#define QH_MASK_WORDS (QH_MAX_ACTIONS / 32)

/* A schedule and where it stands: value = end + span * power, power = decay^steps kept by multiplication. */
typedef struct qh_schedule_state {
    double end, span, decay, power;
} qh_schedule_state;

typedef struct qh_policy {
    uint32_t kind; /* qh_policy_kind */
    uint32_t actions;
    bool first; /* ties go to the first */
    qh_schedule_state exploration;
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
double qh_policy_expectation(const qh_policy *policy, const float *values, const uint32_t *counts);

#endif
