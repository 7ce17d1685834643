/* The heap of the small build (option QHIVE_SMALL), behind the interface of heap.h, which includes this: bump plus freelist, above the static data, under the page budget.
 *
 * Who frees a block knows its size (sized free) and its owner, so blocks carry no header: a payload byte is a byte of
 * memory. Sizes are rounded up to a class: multiples of 16 up to 128 bytes, then eight classes to each doubling (at
 * most 12.5 % lost). A class has one list of freed blocks, linked through their first word; a class without a freed
 * block takes from the bump pointer, and the heap grows upward through the budget.
 *
 * Every block belongs to an owner (an agent, a shared resource, the runtime): the owner is charged the rounded size before
 * anything is taken, and QH_QUOTA_EXCEEDED leaves everything as it was.
 *
 * Invariants (qh_heap_validate): live_bytes + bytes on free lists + padding == bump - start; every listed block lies in [start, bump)
 * and is aligned to 16. */
#ifndef QH_MEMORY_HEAP_SMALL_H
#define QH_MEMORY_HEAP_SMALL_H

#include "memory/budget.h"
#include "memory/record.h"

#define QH_HEAP_ALIGNMENT ((size_t)16)
#define QH_HEAP_CLASSES 232

/* Who pays for a block. Lives inside its agent or resource. */
typedef struct qh_owner {
    uint32_t id;   /* the agent's handle; below QH_OWNER_COUNT a resource of the runtime */
    uint32_t kind; /* qh_owner_kind */
    size_t live_bytes, peak_bytes, quota_bytes;
    uint32_t live_blocks;
} qh_owner;

typedef struct qh_free_block {
    struct qh_free_block *next;
} qh_free_block;

typedef struct qh_heap {
    qh_budget *budget;
    qh_records *records; /* NULL: not tracking */
    size_t start, bump;  /* offsets from budget->base */
    size_t live_bytes, peak_bytes;
    size_t padding; /* lost to the alignment of carved blocks */
    uint64_t live_blocks;
    uint32_t
        fail_after; /* fault injection: 0 off; n: the n-th allocation from now and all later ones fail */
    qh_free_block *free_lists[QH_HEAP_CLASSES];
} qh_heap;

#endif
