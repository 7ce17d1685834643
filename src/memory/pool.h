/* Pools of preallocated blocks: state 256 B, trajectory 1 KiB, message 4 KiB.
 *
 * One region each, carved once from the start of the heap; taking and giving back is O(1). A word a block, outside of the blocks,
 * says that it is out or else which free one follows it: a double release or a foreign pointer is refused in every build, and no
 * freed block is touched. Blocks never used are bumped (no list to build, no page touched before its use). An exhausted pool
 * falls back to the heap; the counters say how often. A block is charged to its owner wherever it comes from.
 *
 * Invariants (qh_pool_validate): as many words say that their block is out as were acquired and not released, and the list
 * has all the others below `fresh`. */
#ifndef QH_MEMORY_POOL_H
#define QH_MEMORY_POOL_H

#include "memory/heap.h"

typedef struct qh_pool {
    qh_heap *heap;
    unsigned char *region;
    uint32_t *links; /* of each block below `fresh`: the free one after it, or that it is out */
    uint32_t freed;  /* the first of the list */
    uint32_t block_bytes, capacity;
    uint32_t shift; /* block_bytes is 2 to it */
    uint32_t fresh; /* blocks handed out at least once, which is the most that were out at once */
    uint32_t fallbacks;          /* acquires that the heap served */
    uint32_t lent;               /* of these, blocks that are out now */
    uint64_t acquires, releases; /* of blocks of the region */
    qh_records *records;         /* the heap's; NULL: not tracking */
    qh_block_kind kind;
} qh_pool;

/* Carves `capacity` (0 allowed) blocks of `block_bytes` (a power of two, at least 16) out of the heap for `owner`. */
qh_result qh_pool_open(qh_pool *pool, qh_heap *heap, qh_owner *owner, uint32_t block_bytes,
                       uint32_t capacity, qh_block_kind kind);

/* A block of `block_bytes`, contents undefined, charged to `owner`. Fails like qh_heap_alloc. */
qh_result qh_pool_acquire(qh_pool *pool, qh_owner *owner, void **block);

/* Gives a block back. QH_INVALID_ARGUMENT, and nothing happens, for a pointer into the pool that is not a block or is not out; and
 * for one from elsewhere when the heap has lent none, or it lies outside memory or crookedly, or records know it as no block of
 * this pool. */
qh_result qh_pool_release(qh_pool *pool, qh_owner *owner, void *block);

/* Blocks of the region that are out. */
QH_INLINE uint32_t qh_pool_in_use(const qh_pool *pool) {
    return (uint32_t)(pool->acquires - pool->releases);
}

bool qh_pool_validate(const qh_pool *pool);

#if QH_THREADS
/* ---- under the memory lock (lock.c) */

qh_result QH_UNLOCKED(qh_pool_acquire)(qh_pool *pool, qh_owner *owner, void **block);
qh_result QH_UNLOCKED(qh_pool_release)(qh_pool *pool, qh_owner *owner, void *block);
bool QH_UNLOCKED(qh_pool_validate)(const qh_pool *pool);

/* Gives back a block of the region that is out, the books of its owner aside. */
void qh__pool_give_back(qh_pool *pool, void *block);

/* Whether `block` is one of the region that is out, or one that the heap may have lent. Without the lock, for who has it. */
bool qh__pool_has_out(const qh_pool *pool, const void *block);
#endif

#endif
