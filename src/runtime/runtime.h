/* The runtime: one memory, and the agents that live in it. It lies at the start of its own memory; what makes it, and
 * every other thing in it, can be given away with one call. */
#ifndef QH_RUNTIME_RUNTIME_H
#define QH_RUNTIME_RUNTIME_H

#include "learn/agent.h"
#include "qhive/runtime.h"
#include "shared/federation.h"
#include "shared/index/index.h"
#include "shared/knowledge.h"
#include "shared/messages.h"
#include "shared/metrics.h"

#define QH_SLOT_SEGMENT 256u /* slots that lie together where threads are */

/* An object's place: what a handle names. A free slot links to the next one. */
typedef struct qh_slot {
    void *object;
#if QH_THREADS
    uint32_t
        word; /* generation << 16 | kind << 8 | who has claimed it: 1 + its place, 0: nobody (claims.h) */
    uint32_t readers;      /* bits of the threads that read a frozen index */
    struct qh_note *notes; /* texts that threads leave for each other */
    bool passing;          /* claimed for the length of a call that claims many */
    bool newborn;          /* an agent that its maker has not released yet */
    uint8_t
        maker; /* 1 + the place of the thread whose it is and with which it goes; 0: it is not a batch, an index or a filter */
#else
    uint16_t generation;
    uint16_t kind; /* qh_slot_kind */
#endif
    uint32_t next_free; /* 1 + its number */
} qh_slot;

typedef enum qh_slot_kind {
    QH_SLOT_FREE,
    QH_SLOT_AGENT,
    QH_SLOT_BATCH,
    QH_SLOT_INDEX,
    QH_SLOT_FILTER
} qh_slot_kind;

typedef struct qh_runtime {
    qh_memory memory;
    qh_plans plans;
    qh_knowledge knowledge;
#if QH_THREADS
    struct {
        QH_ROOM_MUTEX
    } registry; /* guards all that says what there is: slots but for claims, references, zones, plans */
    qh_slot *segments[QH_HANDLE_SLOTS /
                      QH_SLOT_SEGMENT]; /* they never move: looked up in without a lock */
    struct qh_note *notes;
    qh_owner threads_owner;           /* pays for segments, notes and stacks */
    qh_owner scratch[QH_MAX_THREADS]; /* pays for what a thread needs for a call, or has open */
    void *stacks;
    size_t stack_bytes;
    uint32_t
        changes; /* counts objects made and destroyed, and notes about them: who knew all looks again */
#else
    qh_slot *slots;
#endif
    uint32_t slot_count, slot_capacity;
    uint32_t first_free; /* 1 + a slot's number */
    uint32_t agent_count;
    uint32_t next_number;  /* of the agent made next, from 1 */
    uint32_t destructions; /* a batch looks its agents up again when this has changed */
    qh_zones *zones;       /* NULL until they are frozen */
    qh_federation federation;
    qh_metrics_store metrics;
    qh_messages messages;
} qh_runtime;

/* Who pays for the buffers of the calling thread. With threads each has an owner, whose id is 1 + its place: where it dies they are found. */
#if QH_THREADS
#define QH_SCRATCH_OWNER(runtime) (&(runtime)->scratch[qh__self()])
#else
#define QH_SCRATCH_OWNER(runtime) (&(runtime)->memory.runtime_owner)
#endif

/* Makes a runtime from offset `start` of its memory on. Fails with QH_OVERFLOW, QH_EXCEEDS_LIMIT or QH_GROWTH_FAILED. */
qh_result qh_runtime_open(const qh_runtime_def *def, size_t start, qh_runtime **runtime);

/* Destroys every object and gives the memory back (where memory can be given back). */
void qh_runtime_close(qh_runtime *runtime);

/* Forgets what an agent has learned (qh_agent_reset); what it has counted stays in the metrics. */
qh_result qh_runtime_reset_agent(qh_runtime *runtime, qh_handle handle);

/* Ties an agent to an entry of the frozen feature knowledge, which it then holds until it is destroyed; without a category of its own it
 * has that of the entry. QH_INVALID_STATE before
 * the knowledge is frozen or where the agent is tied already, QH_INVALID_ARGUMENT for an entry that is none. */
qh_result qh_runtime_tie_agent(qh_runtime *runtime, qh_handle handle, uint32_t entry);

/* Makes an index of a definition, or of bytes where they are not NULL; a filter of an index. */
qh_result qh_runtime_create_index(qh_runtime *runtime, const qh_index_def *def,
                                  const unsigned char *bytes, size_t byte_count, qh_handle *handle);
qh_result qh_runtime_create_filter(qh_runtime *runtime, qh_index *index, const uint32_t *bits,
                                   qh_filter **filter);

#if QH_THREADS
/* The lock of an id, for its counters and for waiting by other means; NULL for zones before there are any. */
qh_mutex *qh_runtime_lock(qh_runtime *runtime, uint32_t lock_id);
#define QH_HOLD_REGISTRY(runtime) QH_HOLD(registry_held, &(runtime)->registry)
#else
#define QH_HOLD_REGISTRY(runtime) ((void)0)
#endif

/* An object is named in two steps, so that its blocks are charged to its handle from the first on: `reserve` says which handle the
 * next object will have, `register` gives it and cannot fail. With threads an agent is its maker's until that releases it: whoever makes
 * one may have more to do before others can know of it, and where its maker dies before that, the agent is given back (recover.h). */
qh_result qh__runtime_reserve(qh_runtime *runtime, qh_handle *handle);
void qh__runtime_register(qh_runtime *runtime, qh_handle handle, void *object, qh_slot_kind kind);
void qh__runtime_forget(qh_runtime *runtime, qh_handle handle);
void *qh__runtime_object(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind);

/* The zones that other threads may freeze meanwhile; NULL before. */
QH_INLINE qh_zones *qh__zones_of(const qh_runtime *runtime) {
    return QH_ATOMIC_LOAD(&runtime->zones);
}

#if QH_THREADS
QH_INLINE qh_slot *qh__slot_at(const qh_runtime *runtime, uint32_t number) {
    return &runtime->segments[number / QH_SLOT_SEGMENT][number % QH_SLOT_SEGMENT];
}

/* Slots that are no longer new. */
QH_INLINE uint32_t qh__slot_count(const qh_runtime *runtime) {
    return qh__atomic_load(&runtime->slot_count);
}

QH_INLINE uint32_t qh__slot_kind(const qh_slot *slot) {
    return qh__atomic_load(&slot->word) >> 8 & 0xFF;
}

QH_INLINE uint32_t qh__slot_generation(const qh_slot *slot) {
    return qh__atomic_load(&slot->word) >> 16;
}

/* Claimed by nobody. */
QH_INLINE void qh__slot_set(qh_slot *slot, uint32_t generation, uint32_t kind) {
    qh__atomic_store(&slot->word, generation << 16 | kind << 8);
}

/* Claimed by the calling thread from the first moment on. */
QH_INLINE void qh__slot_set_mine(qh_slot *slot, uint32_t generation, uint32_t kind) {
    qh__atomic_store(&slot->word, generation << 16 | kind << 8 | (qh__self() + 1));
}
#else
QH_INLINE qh_slot *qh__slot_at(const qh_runtime *runtime, uint32_t number) {
    return &runtime->slots[number];
}

QH_INLINE uint32_t qh__slot_count(const qh_runtime *runtime) {
    return runtime->slot_count;
}

QH_INLINE uint32_t qh__slot_kind(const qh_slot *slot) {
    return slot->kind;
}

QH_INLINE uint32_t qh__slot_generation(const qh_slot *slot) {
    return slot->generation;
}

QH_INLINE void qh__slot_set(qh_slot *slot, uint32_t generation, uint32_t kind) {
    slot->generation = (uint16_t)generation;
    slot->kind = (uint16_t)kind;
}
#endif

/* Whether there is still an owner of this id: what belongs to the runtime itself has id 0, an object its handle. */
bool qh_runtime_owner_lives(const qh_runtime *runtime, uint32_t id);

#endif
