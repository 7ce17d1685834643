/* The heap of the small build (option QHIVE_SMALL), behind the interface of heap.h: bump plus freelist, above the static data, under the page budget.
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

/* Opens an empty heap at offset `start` of the budget's memory. */
qh_result qh_heap_open(qh_heap *heap, qh_budget *budget, size_t start);

void qh_owner_open(qh_heap *heap, qh_owner *owner, uint32_t id, uint32_t kind, size_t quota_bytes);

/* Asserts that the owner has given everything back. */
void qh_owner_close(qh_heap *heap, qh_owner *owner);

/* Whether the owner holds nothing: this heap gives blocks back one by one only. */
bool qh_owner_release_all(qh_heap *heap, qh_owner *owner);

/* A block of at least `byte_count` > 0 bytes, aligned to 16, contents undefined, charged to `owner`. Fails with
 * QH_QUOTA_EXCEEDED, QH_OVERFLOW, QH_EXCEEDS_LIMIT or QH_GROWTH_FAILED; then nothing has changed. */
qh_result qh_heap_alloc(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block);

/* The same, filled with zeros. */
qh_result qh_heap_alloc_zeroed(qh_heap *heap, qh_owner *owner, size_t byte_count,
                               qh_block_kind kind, void **block);

/* A block that is never given back (a pool's region): exactly `byte_count` bytes from the bump pointer, aligned to 64. It has no
 * record: a pool records its blocks when they are out, and the first of them has the region's address. */
qh_result qh_heap_carve(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block);

/* Gives a block back. `owner` and `byte_count` are those it was taken with. NULL is allowed. */
void qh_heap_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count);

/* Makes `*block` hold `new_count` bytes, keeping its first min(old, new); it may move. On failure it is as it was. */
qh_result qh_heap_resize(qh_heap *heap, qh_owner *owner, void **block, size_t old_count,
                         size_t new_count, qh_block_kind kind);

/* The bytes a request of `byte_count` is charged. */
size_t qh_heap_charge(size_t byte_count);

/* Whether the owner's quota has room for `byte_count` more bytes. */
bool qh_owner_affords(const qh_owner *owner, size_t byte_count);

/* Charges or discharges one block whose bytes come from elsewhere (a pool). */
void qh_owner_charge(qh_owner *owner, size_t byte_count);
void qh_owner_discharge(qh_owner *owner, size_t byte_count);

/* The offset from budget->base behind all memory in use. */
size_t qh_heap_end(const qh_heap *heap);

bool qh_heap_validate(const qh_heap *heap);

#endif
