/* The agent: an exclusive owner of its Q-table, trajectory ring, configuration and random numbers.
 *
 * All of an agent's memory is charged to `owner` and comes back when it is closed. Its learning state is borrowed exclusively by every
 * call that changes it: a second, re-entrant call meets QH_BUSY. Counters are plain cells.
 *
 * A call that can fail has two halves. `prepare` checks the arguments, finds the keys and takes every byte the call may
 * need; it changes nothing that an observer of the learning state could see. `commit` then cannot fail. A batch prepares
 * all its agents before it commits the first, so that it too happens wholly or not at all. */
#ifndef QH_LEARN_AGENT_H
#define QH_LEARN_AGENT_H

#include "base/bytes.h"
#include "base/handle.h"
#include "learn/actuator.h"
#include "learn/encoder.h"
#include "learn/policy.h"
#include "learn/replay.h"
#include "learn/table.h"

typedef struct qh_trace {
    uint32_t row;
    uint32_t action;
    double strength;
} qh_trace;

typedef struct qh_traces {
    qh_trace *entries;
    uint32_t count, capacity;
} qh_traces;

/* What n-step learning has not yet learned from: a ring of n entries. */
typedef struct qh_pending {
    double reward;
    uint32_t action;
    uint32_t rows[];
} qh_pending;

typedef struct qh_pending_queue {
    unsigned char *entries;
    uint32_t entry_bytes, first, count;
} qh_pending_queue;

/* Ordered by heat: a decision touches the first lines only. */
typedef struct qh_agent {
    qh_handle handle;
    uint32_t actions, stride, tilings;
    bool
        quick; /* one key, one table, few actions, greedy or epsilon-greedy: the hot path of a choice */
    bool borrowed;
    bool running;                  /* in an episode */
    bool ended;                    /* the last one came to its end, rather than none having begun */
    bool express, express_learner; /* see express.h */
    bool double_q, rate_visits;
    qh_actuator *actuator; /* NULL: its actions move no parameter */
    uint32_t algorithm;
    int32_t last_action;
    bool propensities; /* `probability` is kept */
    float *unseen;     /* the values of a state without a row */
    qh_random random;
    qh_encoder encoder;
    qh_policy policy;
    qh_agent_metrics metrics;
    qh_table table;
    uint64_t *keys,
        *next_keys; /* `tilings` each: of the state the agent is in, of the one prepared */
    uint32_t *rows, *next_rows; /* their locations, QH_NO_ROW while there is none */
    uint32_t *seen, *next_seen; /* what was observed there, for full records */
    float probability; /* of the action chosen last, by whatever call; 0: none, or not known */
    float taken;       /* the same of `last_action` */
    double discount;
    qh_schedule_state rate;
    double lambda;
    uint32_t n_step, planning;
    qh_replay replay;
    uint32_t
        lost_rows; /* of tables that imports replaced: the replay memory may know states that the table does not */
    qh_traces traces;
    qh_pending_queue pending;
    double replay_beta;
    float initial_value;
    float *input; /* 64 floats of the state pool: a place for the observation */
    qh_plans *plans;
    qh_memory *memory;
    qh_owner owner;
    uint64_t stream, config_hash;
    size_t block_bytes;
    char *name;
    uint32_t name_length;
    uint32_t
        feature; /* 1 + its entry of the feature knowledge, which it holds a reference to; 0: none */
    uint64_t
        category; /* qh__category of its own, else of its feature; 0: none. Who is merged and addressed together */
} qh_agent;

/* Makes an agent in the memory of `plans`, seeded by theirs. Its random stream is that of its name if it has one, else that of its `number`. QH_INVALID_ARGUMENT for a
 * definition out of range, QH_QUOTA_EXCEEDED when the quota does not hold even an agent that learned nothing. */
qh_result qh_agent_open(qh_plans *plans, const qh_agent_def *def, qh_handle handle, uint32_t number,
                        qh_agent **agent);
void qh_agent_close(qh_agent *agent);

/* The two halves of `begin` and `step`. */
qh_result qh_agent_prepare_begin(qh_agent *agent, qh_observation observation);
int32_t qh_agent_commit_begin(qh_agent *agent);
qh_result qh_agent_prepare_step(qh_agent *agent, const qh_experience *experience);
int32_t qh_agent_commit_step(qh_agent *agent, const qh_experience *experience);

/* The half of `act` behind the keys; cannot fail. QH_NO_ACTION where an actuator's zone allows nothing. */
int32_t qh_agent_act_on(qh_agent *agent, const uint64_t *keys, bool greedy, const uint32_t *mask);

/* The keys of a remembered transition's state and next state, `tilings` each: in place, or in `scratch` (twice QH_MAX_TILINGS). */
const uint64_t *qh_agent_recall(const qh_agent *agent, const qh_transition *transition,
                                uint64_t *scratch);

/* Rewards are numbers within the range of float32: a table could not hold more. */
QH_INLINE bool qh__is_reward(double reward) {
    return qh__abs(reward) <= QH_FLOAT_MAX;
}

/* Proposes a change of a parameter in the agent's name, with the values of the state it is in, or last chose in. */
qh_result qh_agent_propose(const qh_agent *agent, qh_zones *zones, uint32_t zone, double to,
                           double time, qh_change *change);

/* ---- between the files of this room */

/* With threads the quick paths say so, too, while they change an agent: where its thread dies, it is known. */
#if QH_THREADS
#define QH_BORROW(agent, is) (QH_ORDERED(), (void)((agent)->borrowed = (is)), QH_ORDERED())
#else
#define QH_BORROW(agent, is) ((void)0)
#endif

/* What a step may choose from and bootstrap from; NULL: everything. */
QH_INLINE const uint32_t *qh__mask_in_force(const qh_agent *agent) {
    return QH_UNLIKELY(agent->actuator) ? agent->actuator->in_force : NULL;
}

/* Learns from the step that was prepared: updates by the agent's rule, remembers, plans. Returns the action chosen
 * next, QH_NO_ACTION at an ending. */
int32_t qh__rules_step(qh_agent *agent, double reward, uint32_t ending);

/* One-step learning from given rows; returns the TD error. `weight` scales the step (importance weights). */
double qh__rules_update(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                        bool terminated, const uint32_t *next_rows, int32_t next_action,
                        double weight);

/* The same for a real transition: the visit and the learning step are counted. */
double qh__rules_learn(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                       bool terminated, const uint32_t *next_rows, int32_t next_action);

void qh__rules_plan(qh_agent *agent, const uint32_t *rows, uint32_t action, double reward,
                    bool terminated, const uint64_t *next_keys);
void qh__rules_forget_episode(qh_agent *agent);
qh_result qh__rules_reserve(qh_agent *agent);

typedef enum qh_which {
    QH_BOTH_TABLES,
    QH_FIRST_TABLE,
    QH_SECOND_TABLE
} qh_which;

/* The values of a state: in place, or gathered into `scratch` (stride floats). Of both tables of Double Q-learning it is the mean:
 * it orders actions as their sum does, and a temperature or an exploration bonus keeps its scale (van Hasselt 2010, section 4). */
const float *qh__agent_gather(const qh_agent *agent, const uint32_t *rows, qh_which which,
                              float *scratch);

/* The visit counts of a state, NULL where it has no row; of the first tiling. */
const uint32_t *qh__agent_counts(const qh_agent *agent, const uint32_t *rows);

/* Keeps the probability with which an action was just chosen. */
void qh__agent_note(qh_agent *agent, const uint32_t *rows, const uint32_t *mask, bool greedy,
                    uint32_t action);

QH_INLINE void qh__agent_find(const qh_agent *agent, const uint64_t *keys, uint32_t *rows) {
    rows[0] = qh_table_find(&agent->table, keys[0]);
    for (uint32_t t = 1; t < agent->tilings; t++) rows[t] = qh_table_find(&agent->table, keys[t]);
}

/* Finds the leaders of a row of at most 32 values. */
uint32_t qh__agent_find_leaders(const qh_agent *agent, qh_row *row);

void qh__agent_give_birth(qh_agent *agent, const uint64_t *keys, uint32_t *rows);

/* Adds the row of a key that has none, after a reserve: its location. */
uint32_t qh__agent_insert(const qh_agent *agent, qh_table *table, uint64_t key);

/* A name of agents that belong together, as the core knows it: never 0, the same in every build. */
QH_INLINE uint64_t qh__category(const void *name, size_t byte_count) {
    return qh__hash_bytes(name, byte_count, 0) | 1;
}

/* Gives every key a row; after a reserve for as many. */
QH_INLINE void qh__agent_ensure(qh_agent *agent, const uint64_t *keys, uint32_t *rows) {
    if (QH_UNLIKELY(agent->tilings > 1 || rows[0] == QH_NO_ROW))
        qh__agent_give_birth(agent, keys, rows);
}

/* Bytes behind the counts of a row: the second table, then the model. */
QH_INLINE float *qh__row_second(const qh_agent *agent, qh_row *row) {
    return (float *)qh__row_extra(&agent->table, row);
}

/* What Dyna-Q remembers of an action in a state (S&B 8.2): the last outcome. */
typedef struct qh_model {
    double reward;
    uint64_t next_key;
    uint32_t known, terminated;
} qh_model;

QH_INLINE qh_model *qh__row_model(const qh_agent *agent, qh_row *row) {
    float *second = qh__row_second(agent, row);
    return (qh_model *)(void *)(second + (agent->double_q ? agent->stride : 0));
}

#endif
