/* What an agent is made from. Every field has a default that `qh_agent_def_default` sets. */
#ifndef QHIVE_AGENT_H
#define QHIVE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qhive/result.h"

/* One observed dimension: min < max, finite; bins 0..65536 (0: carried, not keyed); trend 0 (none) or in (0, 1]: the step
 * size of an exponential moving average appended as one more dimension. */
typedef struct qh_dim {
    float min, max;
    uint32_t bins;
    float trend;
} qh_dim;

typedef enum qh_encoder_kind {
    QH_ENCODER_INDEX,
    QH_ENCODER_BINS,
    QH_ENCODER_SIMHASH,
    QH_ENCODER_TILES
} qh_encoder_kind;

typedef struct qh_encoder_def {
    uint32_t kind;      /* qh_encoder_kind */
    uint32_t states;    /* index: number of states, > 0 */
    uint32_t bits;      /* simhash: hyperplanes, 1..32 */
    uint32_t tilings;   /* tiles: 1..32 */
    uint32_t dim_count; /* 1..64 with trends, for all but index */
    const qh_dim *dims; /* read during creation only */
} qh_encoder_def;

/* value = end + (start - end) * decay^(learning steps); a constant has start == end. decay in [0, 1]. */
typedef struct qh_schedule {
    double start, end, decay;
} qh_schedule;

typedef enum qh_algorithm {
    QH_Q_LEARNING,
    QH_SARSA,
    QH_EXPECTED_SARSA,
    QH_DOUBLE_Q
} qh_algorithm;
typedef enum qh_policy_kind {
    QH_GREEDY,
    QH_EPSILON_GREEDY,
    QH_SOFTMAX,
    QH_UCB
} qh_policy_kind;
typedef enum qh_tie_break {
    QH_TIE_RANDOM,
    QH_TIE_FIRST
} qh_tie_break;
typedef enum qh_replay_kind {
    QH_REPLAY_UNIFORM,
    QH_REPLAY_PRIORITIZED
} qh_replay_kind;
typedef enum qh_record_kind {
    QH_RECORD_COMPACT, /* the keys of both states: all that learning needs */
    QH_RECORD_FULL     /* both states as they were observed: can be read back */
} qh_record_kind;

struct qh_zones;

typedef struct qh_agent_def {
    const char *name; /* UTF-8, not terminated; read during creation only */
    uint32_t
        name_length; /* bytes; 0: the random stream comes from the agent's number instead of its name */
    uint32_t actions; /* 1..1024 */
    qh_encoder_def encoder;
    uint32_t algorithm;               /* qh_algorithm, default Q-learning */
    uint32_t rate_visits;             /* 1: step size 1 / visits(s, a) instead of the schedule */
    qh_schedule rate;                 /* step size (S&B's alpha) in (0, 1], default 0.1 */
    double discount;                  /* S&B's gamma in [0, 1], default 0.95 */
    uint32_t policy;                  /* qh_policy_kind, default epsilon-greedy */
    uint32_t tie_break;               /* qh_tie_break, default random */
    qh_schedule exploration;          /* epsilon in [0, 1] (default 0.1), or the temperature > 0 */
    double ucb_c;                     /* UCB1's c >= 0 */
    double initial_value;             /* of every action in every state, default 0 */
    double lambda;                    /* of eligibility traces, [0, 1], default 0 */
    uint32_t n_step;                  /* 1..1024, default 1 */
    uint32_t planning;                /* Dyna-Q: simulated updates for each real one, default 0 */
    uint32_t replay_capacity;         /* transitions remembered, default 0 */
    uint32_t replay_kind;             /* qh_replay_kind */
    uint32_t replay_record;           /* qh_record_kind */
    double replay_alpha, replay_beta; /* prioritised: default 0.6, 0.4 */
    uint32_t propensities;            /* 1: keep the probability with which each action is chosen */
    double quota_bytes;               /* memory budget, default 10 MiB */
    struct qh_zones *zones;           /* of the parameter its actions move; NULL: none */
    uint32_t zone;                    /* its number there */
    const int32_t *deltas;            /* grid steps, one an action; read during creation only */
} qh_agent_def;

typedef enum qh_ending {
    QH_GOING_ON,
    QH_TERMINATED,
    QH_TRUNCATED
} qh_ending;

/* The defaults above; actions and encoder are the caller's. */
qh_agent_def qh_agent_def_default(void);

#endif
