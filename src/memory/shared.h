/* Counted references: what every resource that several parties use has in common (encoders' plans, indexes, knowledge, zones).
 *
 * A resource is built by one party, frozen once, and read by many from then on. It embeds a `qh_shared`, anywhere:
 *
 *     typedef struct thing { ...; qh_shared shared; } thing;
 *     thing *one = QH_SHARED_IN(thing, shared, list_entry);                way back from an entry of the list
 *
 *     qh_shared_open(&memory->shared, &thing->shared, &owner, id, bytes);  building: nobody else may have it yet
 *     if (thing->shared.frozen) return QH_INVALID_STATE;                   first line of whatever changes it
 *     QH_TRY(qh_shared_freeze(&thing->shared));                            QH_INVALID_STATE the second time
 *     QH_TRY(qh_shared_acquire(&thing->shared));                           one for each holder; frozen ones only
 *     if (qh_shared_release(&thing->shared) == 0) ...                      holders left; a plan goes with its last holder
 *     QH_TRY(qh_shared_close(&memory->shared, &thing->shared));            QH_BUSY while anybody holds it; then free the block
 *
 * The handle that a user has is no reference: it is what `close` is called through. All resources of a runtime are in one list,
 * which runtime.memory.shared() shows and which must be empty when the runtime ends: what is still in it then, or is held
 * while no holder is left, has leaked.
 *
 * Invariants (qh_shared_validate): links both ways; count; what is held is frozen. */
#ifndef QH_MEMORY_SHARED_H
#define QH_MEMORY_SHARED_H

#include "memory/heap.h"

typedef struct qh_shared {
    struct qh_shared *next, *previous;
    const qh_owner *owner; /* who pays; may lie in the resource itself */
    uint32_t id;           /* its handle, or a number that tells it from others of its owner */
    uint32_t references;
    bool frozen;
    size_t byte_count; /* for the report */
} qh_shared;

typedef struct qh_shared_list {
    qh_shared *first;
    uint32_t count;
} qh_shared_list;

/* The resource of type `type` whose member `member` `entry` points to. */
#define QH_SHARED_IN(type, member, entry)                                                          \
    ((type *)(void *)((unsigned char *)(entry) - offsetof(type, member)))

/* Puts a new resource on the list: not frozen, held by nobody. */
void qh_shared_open(qh_shared_list *list, qh_shared *shared, const qh_owner *owner, uint32_t id,
                    size_t byte_count);

/* Ends building. QH_INVALID_STATE when it was frozen before. */
qh_result qh_shared_freeze(qh_shared *shared);

/* One more holder. QH_INVALID_STATE before it is frozen, QH_OVERFLOW after 2^32 - 1. */
qh_result qh_shared_acquire(qh_shared *shared);

/* One holder less: how many are left. */
uint32_t qh_shared_release(qh_shared *shared);

/* Takes it off the list, so that its memory can be freed. QH_BUSY while it is held: nothing happens then. */
qh_result qh_shared_close(qh_shared_list *list, qh_shared *shared);

bool qh_shared_validate(const qh_shared_list *list);

#endif
