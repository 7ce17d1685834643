/* An agent: what it is made from, and what it can be asked. A runtime makes it (runtime.h) and owns all of its memory.
 *
 * Every call either happens or answers with a failure and has changed nothing. Numbers are checked: observations, rewards and
 * times must be finite, actions in range. No call may be made while another one of the same agent runs (QH_BUSY).
 * An agent with an actuator must know the time before it chooses: `qh_agent_look` comes before begin and act. */
#ifndef QHIVE_AGENT_H
#define QHIVE_AGENT_H

#include "qhive/common.h"

QH_BEGIN_DECLARATIONS

typedef struct qh_agent qh_agent;

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

/* What an agent sees: `state` counts for index encoders, `values` (as many as it has dimensions) for the others. */
typedef struct qh_observation {
    const float *values;
    double state;
} qh_observation;

/* Everything that a step is told. */
typedef struct qh_experience {
    qh_observation next;
    double reward;
    uint32_t ending; /* qh_ending */
    double time;     /* milliseconds, the caller's clock */
} qh_experience;

/* Begins an episode; the action is that of the policy. */
qh_result qh_agent_begin(qh_agent *agent, qh_observation observation, int32_t *action);

/* Learns from the last action and chooses the next; QH_NO_ACTION when the episode ended. QH_INVALID_STATE before `begin`. */
qh_result qh_agent_step(qh_agent *agent, const qh_experience *experience, int32_t *action);

/* Chooses an action; learns nothing. `mask`: QH_MASK_WORDS words of allowed actions or NULL; QH_INVALID_ARGUMENT if it allows none. */
qh_result qh_agent_act(qh_agent *agent, qh_observation observation, bool greedy,
                       const uint32_t *mask, int32_t *action);

/* Learns from one transition given from outside, one step deep. `next_action` QH_NO_ACTION: unknown (SARSA draws one). */
qh_result qh_agent_learn(qh_agent *agent, qh_observation observation, uint32_t action,
                         const qh_experience *experience, int32_t next_action, double *td_error);

/* Learns from `count` remembered transitions. `mean` receives the mean |TD error|, 0 where nothing is remembered. */
qh_result qh_agent_replay(qh_agent *agent, uint32_t count, double *mean);

/* The values, visit counts (least over the tilings) and action probabilities in a state: `actions` numbers each. */
qh_result qh_agent_values(const qh_agent *agent, qh_observation observation, float *values);
qh_result qh_agent_visits(const qh_agent *agent, qh_observation observation, uint32_t *counts);
qh_result qh_agent_probabilities(const qh_agent *agent, qh_observation observation,
                                 const uint32_t *mask, float *probabilities);

/* Forgets everything learned; the configuration, name and random stream stay, the latter from its start. */
qh_result qh_agent_reset(qh_agent *agent);

/* Lets the actuator see what its zone allows at `time` (milliseconds, the caller's clock); nothing without one.
 * QH_INVALID_ARGUMENT for a time that is none. */
qh_result qh_agent_look(qh_agent *agent, double time);

/* Proposes the change of an action, as qh_zones_propose (zones.h); a delta of 0 is no proposal and always fine.
 * QH_INVALID_STATE without an actuator. */
struct qh_change;
qh_result qh_agent_apply(qh_agent *agent, uint32_t action, double time, struct qh_change *change);

/* ---- looking inside */

typedef struct qh_agent_metrics {
    double action_count, learning_steps, episodes, reward_sum, td_error_sum, last_update;
} qh_agent_metrics;

typedef struct qh_agent_info {
    qh_handle handle;
    uint32_t actions, states; /* states: rows of its table */
    bool running;             /* in an episode */
    uint64_t live_bytes, peak_bytes, quota_bytes;
    qh_agent_metrics metrics;
} qh_agent_info;

qh_agent_info qh_agent_inspect(const qh_agent *agent);

/* A hash of the table: equal in every build after equal calls. */
uint64_t qh_agent_hash(const qh_agent *agent);
bool qh_agent_validate(const qh_agent *agent);

/* ---- tables as bytes: the format is that of the package's agent.exportTable() */

/* Bytes that `qh_agent_export` writes. QH_OVERFLOW when their number does not fit a size. */
qh_result qh_agent_export_size(const qh_agent *agent, size_t *byte_count);

/* Writes the table into `bytes`, which has room for all of it. */
void qh_agent_export(const qh_agent *agent, unsigned char *bytes);

/* Replaces the table by the one in `bytes`. QH_VERSION for another version; QH_CORRUPT for anything damaged, cut, of another
 * configuration, or holding what no table can hold (a value that is not finite, a key twice, keys that fall into one bucket); QH_QUOTA_EXCEEDED when both
 * tables do not fit the quota at once. Nothing has changed then. */
qh_result qh_agent_import(qh_agent *agent, const unsigned char *bytes, size_t byte_count);

typedef struct qh_table_info {
    uint64_t config_hash; /* tables of the same configuration fit each other */
    uint32_t version, actions, tables, rows;
} qh_table_info;

/* What a table's bytes say of themselves. QH_CORRUPT for anything damaged, cut or foreign, QH_VERSION for another version. */
qh_result qh_table_inspect(const unsigned char *bytes, size_t byte_count, qh_table_info *info);

QH_END_DECLARATIONS

#endif
