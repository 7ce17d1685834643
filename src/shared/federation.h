/* Federated learning: many agents' tables become one, and go back to them.
 *
 * A contribution is what one client (an agent of this runtime, or of another one, by its delta) has learned: a copy of the rows it
 * has visited. An agent has one at a time; a newer one takes the older one's place. `merge` puts contributions into groups, by the
 * agents' category or all in one, and makes of each group one table; `apply` writes that into agents. A client has a say in the
 * value of (s, a) only where it has visited it; clients that have not do not pull it to their initial value.
 *
 *   rule            weight of a client in a cell   of the values, ordered
 *   robust          min(visits, visit cap)         the mean without the lowest and highest floor(trim * n)
 *   visit-weighted  visits                         the mean
 *   mean            1                              the mean
 *   median          1                              the (weighted) median
 *   trimmed-mean    1                              as robust
 *
 * all times 1 / sqrt(1 + age): the staleness weight of Xie, Koyejo, Gupta 2019 (FedAsync, polynomial, a = 0.5). Robust: Yin et al.
 * 2018 (trimmed mean), with counts capped, since a count is a claim. Values are summed in ascending order: what is merged does not
 * depend on the order in which contributions came, and is the same in every build.
 *
 * Privacy: a client's update is the vector of (value - base) over all its visited cells (both tables of Double Q), base being the
 * last merged value that is held, else its initial value; where its L2 norm is above `clip` it is scaled down to that. Then
 * Gaussian noise of standard deviation `sigma` on each merged value, drawn from the seed, the group and the state: as for the values,
 * the order of contributions does not matter. (That is the Gaussian mechanism's arithmetic; no epsilon is claimed.)
 *
 * Contributions are rows of the format of table.h, which a merge chains by their leaders (the location of the next) and stamps (the number of its
 * contribution), which tables do not need meanwhile. All memory is the room's own owner's, with a quota. Every call happens wholly or not at all.
 *
 * Invariants (qh_federation_validate): what the owner was charged is the contributions, the groups and their tables; keys of a
 * contribution differ; a group has one configuration. */
#ifndef QH_SHARED_FEDERATION_H
#define QH_SHARED_FEDERATION_H

#include "learn/agent.h"
#include "sync/room.h"

#define QH_FEDERATION_QUOTA ((size_t)64 << 20)

typedef enum qh_merge_rule {
    QH_MERGE_ROBUST,
    QH_MERGE_VISIT_WEIGHTED,
    QH_MERGE_MEAN,
    QH_MERGE_MEDIAN,
    QH_MERGE_TRIMMED_MEAN,
    QH_MERGE_RULES
} qh_merge_rule;

/* What the rows of a contribution or of a group are. */
typedef struct qh_group_key {
    uint64_t group, config; /* of the category, of encoder and actions */
    uint32_t actions, tables;
} qh_group_key;

typedef struct qh_contribution {
    qh_group_key key;
    unsigned char *rows; /* row_count of them; NULL: none */
    uint32_t row_count;
    uint32_t next;                 /* of its group, 1 + its number, in the merge that runs */
    qh_handle source;              /* the agent, 0: a delta */
    float initial_value;           /* of the agent */
    double weight;                 /* of its age */
    double scale;                  /* of its update, in the merge that runs */
    const struct qh_group *before; /* where that update starts, NULL: at the initial value */
} qh_contribution;

/* What was merged: counts are the clients that had a say. */
typedef struct qh_group {
    qh_group_key key;
    qh_table table;
    uint32_t first; /* contribution, 1 + its number, in the merge that runs */
} qh_group;

typedef struct qh_groups {
    qh_group *groups;
    uint32_t count, capacity;
} qh_groups;

typedef struct qh_federation {
    qh_memory *memory;
    qh_owner owner;
    qh_contribution *contributions;
    uint32_t count, capacity;
    qh_groups merged;
    bool across; /* merged is one group, for all */
    QH_ROOM_MUTEX
} qh_federation;

typedef struct qh_merge_def {
    uint32_t across; /* 1: all in one group, 0: by category */
    uint32_t rule;   /* qh_merge_rule */
    double trim;     /* share of the clients dropped at each end, [0, 0.5) */
    double visit_cap;
    double clip;  /* L2 norm > 0, infinity: none */
    double sigma; /* of the noise, >= 0 */
    uint64_t seed;
} qh_merge_def;

typedef struct qh_merge_report {
    uint32_t groups, rows;
    uint32_t
        rejected; /* contributions without a say: a value that is not finite, or keys that fall into one bucket */
    uint32_t clipped; /* contributions whose update was */
    double noisy;     /* values that got noise */
} qh_merge_report;

void qh_federation_open(qh_federation *federation, qh_memory *memory);

/* Gives contributions back, and what was merged unless `keep_merged`. */
qh_result qh_federation_clear(qh_federation *federation, bool keep_merged);

/* Copies what `count` agents have learned, `age` >= 0 ago (in whatever unit: 3 halves the weight). QH_INVALID_ARGUMENT where agents of
 * one group differ in encoder or actions (`at_fault`: its place), QH_BUSY, QH_QUOTA_EXCEEDED, failures of the heap. */
qh_result qh_federation_accumulate(qh_federation *federation, qh_agent *const *agents,
                                   uint32_t count, double age, uint32_t *at_fault);

/* The same for the sections of a delta. QH_CORRUPT or QH_VERSION for bytes that are none; nothing has changed then. */
qh_result qh_federation_accumulate_delta(qh_federation *federation, const unsigned char *bytes,
                                         size_t byte_count, double age);

/* Merges all contributions, which stay. QH_INVALID_ARGUMENT for a definition out of range, or where all are to be merged and differ;
 * failures of the heap. What was merged before is then still there. */
qh_result qh_federation_merge(qh_federation *federation, const qh_merge_def *def,
                              qh_merge_report *report);

/* Writes what was merged into the agents, whose visits stay as they are: how many there was something for. QH_INVALID_STATE when nothing
 * was merged; QH_INVALID_ARGUMENT for an agent of another configuration than its group, QH_QUOTA_EXCEEDED for one whose
 * quota has no room for the rows it lacks (`at_fault`); QH_BUSY; failures of the heap. No agent is changed then. */
qh_result qh_federation_apply(qh_federation *federation, qh_agent *const *agents, uint32_t count,
                              uint32_t *applied, uint32_t *at_fault);

/* Bytes of the delta of these agents: the rows visited that have changed since they were last exported (`all`: or not). */
qh_result qh_delta_size(qh_agent *const *agents, uint32_t count, bool all, size_t *byte_count);

/* Writes it, as many bytes; the rows count as exported from then on. Format (little-endian, no padding):
 *   0 "QHFD"   4 CRC-32C of all that follows   8 version (1)   12 sections, one an agent:
 *   0 group (64 bits)   8 configuration hash (64 bits)   16 actions   20 tables   24 rows   28 initial value (float32)
 *   32 rows, by ascending key: key (64 bits), `actions` float32 values for each table, `actions` uint32 visits */
void qh_delta_write(qh_agent *const *agents, uint32_t count, bool all, unsigned char *bytes);

bool qh_federation_validate(const qh_federation *federation);

#if QH_THREADS
/* After the death of who held the lock, with the memory lock held: what was contributed and merged is given up. True: there was some. */
bool qh__federation_salvage(qh_federation *federation);
#endif

/* ---- between the files of this room */

/* Bytes of a row of the format of table.h, without a model. */
QH_INLINE uint32_t qh__federated_row_bytes(const qh_group_key *key) {
    return QH_ROW_HEADER_BYTES + qh__stride_of(key->actions) * 4 * (key->tables + 1);
}

/* The key of what an agent learns. */
QH_INLINE qh_group_key qh__group_key_of(const qh_agent *agent) {
    return (qh_group_key){agent->category, agent->config_hash, agent->actions,
                          agent->double_q ? 2 : 1};
}

/* Row `i` of a table, the row of a key (NULL: none), and whether any of its actions was taken, or merged. */
qh_row *qh__row_number(const qh_table *table, uint32_t i);
qh_row *qh__row_of(const qh_table *table, uint64_t key);
bool qh__was_visited(const qh_table *table, qh_row *row);

/* A hash of what an agent's row says. Never 0. */
uint32_t qh__row_stamp(const qh_agent *agent, const qh_row *row);

/* Adds contributions at the end that take over `rows`; on failure nothing has changed. */
qh_result qh__federation_reserve(qh_federation *federation, uint32_t count);

/* A contribution's block of rows, and its way back. */
qh_result qh__federation_take(qh_federation *federation, qh_contribution *contribution,
                              uint32_t rows);
void qh__federation_drop(qh_federation *federation, uint32_t from);

/* Whether a contribution agrees with all before it. */
bool qh__federation_agrees(const qh_federation *federation, const qh_contribution *contribution);

qh_group *qh__group_find(const qh_groups *groups, uint64_t group);
void qh__groups_free(qh_federation *federation, qh_groups *groups);

#endif
