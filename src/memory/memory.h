/* What a runtime has of memory: one budget, one heap, three pools, and records when asked for. */
#ifndef QH_MEMORY_MEMORY_H
#define QH_MEMORY_MEMORY_H

#include "memory/pool.h"
#include "memory/shared.h"
#include "qhive/runtime.h"

#define QH_STATE_BYTES 256u
#define QH_TRAJECTORY_BYTES 1024u
#define QH_MESSAGE_BYTES 4096u

typedef struct qh_memory {
    qh_budget budget;
    qh_heap heap;
    qh_pool pools[QH_POOL_COUNT];
    qh_owner runtime_owner; /* pays for what belongs to no agent: pools, the agent list, batches */
    qh_owner records_owner;
    qh_records records;
    qh_shared_list shared;         /* every resource that is held by counted references */
    size_t pools_start, pools_end; /* offsets from budget.base */
#if QH_THREADS
    bool tracks; /* records are shown; they are kept in any case */
#endif
} qh_memory;

/* Whether whoever made the runtime wants to see each block (trackAllocations). */
QH_INLINE bool qh__memory_tracks(const qh_memory *memory) {
#if QH_THREADS
    return memory->tracks;
#else
    return memory->heap.records != NULL;
#endif
}

/* Opens heap and pools from offset `start` of `memory->budget`, which is open. On failure the caller closes the budget. */
qh_result qh_memory_open(qh_memory *memory, uint32_t initial_pages, size_t start,
                         const uint32_t pool_capacities[QH_POOL_COUNT], bool track_allocations);

bool qh_memory_validate(const qh_memory *memory);

#endif
