#include "memory/pool.h"

#include "memory/guard.h"

static size_t taken_words(uint32_t capacity) {
    return (size_t)capacity / 32 + (capacity % 32 != 0);
}

qh_result qh_pool_open(qh_pool *pool, qh_heap *heap, qh_owner *owner, uint32_t block_bytes,
                       uint32_t capacity, qh_block_kind kind) {
    *pool = (qh_pool){.heap = heap, .block_bytes = block_bytes, .capacity = capacity, .kind = kind};
    if (capacity == 0) return QH_OK;
    size_t region_bytes;
    if (__builtin_mul_overflow((size_t)block_bytes, (size_t)capacity, &region_bytes))
        return QH_OVERFLOW;
    void *taken;
    QH_TRY(qh_heap_alloc_zeroed(heap, owner, taken_words(capacity) * 4, kind, &taken));
    void *region;
    QH_TRY(qh_heap_carve(heap, owner, region_bytes, kind, &region));
    qh__guard_freed(region, region_bytes, 0);
    pool->taken = taken;
    pool->region = region;
    return QH_OK;
}

static void count_in(qh_pool *pool) {
    pool->acquires++;
    if (++pool->in_use > pool->peak) pool->peak = pool->in_use;
}

qh_result qh_pool_acquire(qh_pool *pool, qh_owner *owner, void **block) {
    unsigned char *taken;
    if (pool->freed) {
        taken = (unsigned char *)pool->freed;
    } else if (pool->fresh < pool->capacity) {
        taken = pool->region + (size_t)pool->fresh * pool->block_bytes;
    } else {
        QH_TRY(qh_heap_alloc(pool->heap, owner, pool->block_bytes, pool->kind, block));
        pool->fallbacks++;
        pool->lent++;
        pool->acquires++;
        return QH_OK;
    }
    if (!qh_owner_affords(owner, pool->block_bytes)) return QH_QUOTA_EXCEEDED;
    qh_records *records = pool->heap->records;
    if (records) QH_TRY(qh_records_reserve(pool->heap, records));
    if (pool->freed)
        pool->freed = pool->freed->next;
    else
        pool->fresh++;
    qh_owner_charge(owner, pool->block_bytes);
    if (records) qh_records_add(records, taken, pool->block_bytes, owner, pool->kind);
    uint32_t index = (uint32_t)((size_t)(taken - pool->region) / pool->block_bytes);
    pool->taken[index / 32] |= 1u << index % 32;
    count_in(pool);
    qh__guard_taken(taken, pool->block_bytes, pool->block_bytes);
    *block = taken;
    return QH_OK;
}

/* Whether a block from outside the region can be one that the heap lent: with records it is known, else as far as can be told. */
static bool is_lent(const qh_pool *pool, const void *block) {
    const qh_heap *heap = pool->heap;
    if (pool->lent == 0 || (uintptr_t)block % QH_HEAP_ALIGNMENT != 0) return false;
    if (qh__offset_of(heap->budget, block) >= (size_t)heap->budget->pages * QH_PAGE_BYTES)
        return false;
    if (!heap->records) return true;
    const qh_record *record = qh_records_find(heap->records, block);
    return record && record->kind == (uint32_t)pool->kind;
}

qh_result qh_pool_release(qh_pool *pool, qh_owner *owner, void *block) {
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)pool->region);
    if (offset >= (size_t)pool->block_bytes * pool->capacity) {
        if (!is_lent(pool, block)) return QH_INVALID_ARGUMENT;
        qh_heap_free(pool->heap, owner, block, pool->block_bytes);
        pool->lent--;
        return QH_OK;
    }
    uint32_t index = (uint32_t)(offset / pool->block_bytes), bit = 1u << index % 32;
    if (offset % pool->block_bytes != 0 || !(pool->taken[index / 32] & bit))
        return QH_INVALID_ARGUMENT;
    if (pool->heap->records) qh_records_remove(pool->heap->records, block);
    qh_owner_discharge(owner, pool->block_bytes);
    pool->taken[index / 32] &= ~bit;
    pool->in_use--;
    qh__guard_freed(block, pool->block_bytes, sizeof(qh_free_block));
    qh_free_block *freed = block;
    freed->next = pool->freed;
    pool->freed = freed;
    return QH_OK;
}

bool qh_pool_validate(const qh_pool *pool) {
    uint32_t set = 0, listed = 0;
    for (size_t i = 0; i < taken_words(pool->capacity); i++)
        set += (uint32_t)__builtin_popcount(pool->taken[i]);
    for (const qh_free_block *freed = pool->freed; freed; freed = freed->next)
        if (++listed > pool->capacity) return false;
    return set == pool->in_use && pool->in_use + listed == pool->fresh &&
           pool->fresh <= pool->capacity;
}
