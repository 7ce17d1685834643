/* Recovery: what a thread that has died leaves behind is made sound, and whatever it had is free again.
 *
 * A worker may be terminated anywhere. Whoever knows that it is dead calls this, from any other thread; until then what it held stays held.
 * In this order:
 *   memory     the operation it was in is undone or finished (memory/journal.h), its lock free
 *   registry   whoever was half made or half destroyed is gone; counts, free slots and references are those of what there is
 *   rooms      whose lock it held: messages as if what it sent had not been sent, what it took is taken if its inbox says so; a
 *              series of the metrics that is damaged begins anew; zones are what the audit says; what was contributed to the
 *              federation and merged is given up
 *   claims     of agents that it had claimed, those that are sound go on from where they are (one that was learning may have learned from
 *              half a step: it is counted as repaired); the others are reset
 * Nothing is lost: by the records every block has an owner that lives and knows of it. */
#ifndef QH_RUNTIME_RECOVER_H
#define QH_RUNTIME_RECOVER_H

#include "runtime/runtime.h"

#if QH_THREADS

#define QH_RECOVERED_HANDLES 1024u /* as a report names; the counts have no limit */

typedef struct qh_recovery {
    uint32_t released; /* objects that it had claimed */
    uint32_t repaired; /* of these, agents that it was changing, found sound */
    uint32_t reset;    /* agents that were not */
    uint32_t
        removed; /* objects that were half made or half destroyed; batches, indexes, filters of its own */
    uint32_t
        rooms; /* bits by qh_lock_id: what was lost there is more than what the thread was doing, or not known */
    uint32_t blocks;                         /* of memory that belonged to nobody any more */
    bool undone;                             /* memory was being changed */
    qh_handle handles[QH_RECOVERED_HANDLES]; /* of those reset */
} qh_recovery;

/* `place` is the thread's that has died. QH_BUSY: a lock that is needed cannot be had now (by a thread that may not sleep; or another
 * one has died, and must be recovered first): call again. QH_INVALID_ARGUMENT for no place, or the caller's own. */
qh_result qh_runtime_recover(qh_runtime *runtime, uint32_t place, qh_recovery *report);

/* Gives back the blocks of an index that nothing names any more: how many. By who has claimed the index, and holds the registry and the
 * memory. */
uint32_t qh__index_collect(qh_runtime *runtime, qh_index *index);

#endif
#endif
