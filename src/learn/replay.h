/* Experience replay: an agent's trajectory ring (Lin 1992), uniform or prioritised (Schaul et al. 2016).
 *
 * A transition is kept compact, as the keys of its two states (for a tabular learner keys are all that learning needs), or full,
 * as the two states themselves, from which the keys follow; what was observed, trends included, can then be read back.
 * Transitions lie in 1 KiB blocks of the trajectory pool (compact: 32 each for one-key encoders), taken as the ring fills; the
 * oldest transition gives way when it is full.
 *
 * Prioritised: transition i is drawn with probability p_i^alpha / sum p^alpha, p_i = |TD error| + 0.01; a new one has the greatest
 * priority seen. A sum tree (binary, in an array, leaf i at `leaves` + i) finds it in O(log capacity); a parent is always the
 * sum of its two children, recomputed and never adjusted, so nothing drifts. */
#ifndef QH_LEARN_REPLAY_H
#define QH_LEARN_REPLAY_H

#include "base/random.h"
#include "memory/memory.h"

typedef struct qh_transition {
    double reward;
    uint32_t action : 12, next_action : 12; /* QH_NEXT_UNKNOWN where none was given */
    uint32_t ending : 2;                    /* qh_ending */
    float probability; /* with which the action was chosen, 0 where that is not known */
    uint64_t keys[];   /* of the state, then of the next state; full: `state_words` words of each */
} qh_transition;

#define QH_NEXT_UNKNOWN 0xFFFu

/* Transitions that are drawn before the first of them is learned from. */
#define QH_REPLAY_CHUNK 256u

typedef struct qh_replay {
    qh_memory *memory;
    qh_owner *owner;
    void **blocks;
    uint32_t block_capacity; /* room in `blocks` */
    uint32_t block_count;
    uint32_t capacity, count, next; /* transitions; `next` is overwritten next */
    uint32_t transition_bytes, per_block;
    uint32_t state_words; /* of 32 bits each, of a state kept in full; 0: transitions are compact */
    float *tree;          /* NULL: uniform. tree[1] is the root */
    uint32_t leaves;
    float greatest; /* greatest p^alpha seen */
    double alpha;
} qh_replay;

/* A ring for `capacity` transitions (0: none) of `keys` keys a state. */
qh_result qh_replay_open(qh_replay *replay, qh_memory *memory, qh_owner *owner, uint32_t capacity,
                         uint32_t keys, bool prioritised, double alpha);

/* Keeps states in full, `words` words (1..64) each; right after `open`. */
void qh_replay_keep_states(qh_replay *replay, uint32_t words);

/* Forgets all transitions and gives their blocks back. */
void qh_replay_clear(qh_replay *replay);

/* The same, and the tree. */
void qh_replay_close(qh_replay *replay);

/* Makes the next `push` unable to fail. */
qh_result qh_replay_reserve(qh_replay *replay);

/* The place of the next transition, for the caller to fill; after `reserve`. */
qh_transition *qh_replay_push(qh_replay *replay);

/* Transition number `index` < count. */
qh_transition *qh_replay_at(const qh_replay *replay, uint32_t index);

/* The transition pushed last; count > 0. */
qh_transition *qh_replay_newest(const qh_replay *replay);

/* Draws a transition's number; count > 0. */
uint32_t qh_replay_draw(const qh_replay *replay, qh_random *random);

/* The probability with which `index` is drawn. */
double qh_replay_probability(const qh_replay *replay, uint32_t index);

/* Sets the priority of a transition from its TD error. */
void qh_replay_prioritise(qh_replay *replay, uint32_t index, double td_error);

/* Bytes in memory. */
size_t qh_replay_bytes(const qh_replay *replay);

bool qh_replay_validate(const qh_replay *replay);

#endif
