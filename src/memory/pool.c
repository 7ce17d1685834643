#include "memory/pool.h"

#include "memory/guard.h"

QH_FAST_BEGIN

/* Links that name no block. */
#define LAST UINT32_MAX
#define OUT (UINT32_MAX - 1)

qh_result qh_pool_open(qh_pool *pool, qh_heap *heap, qh_owner *owner, uint32_t block_bytes,
                       uint32_t capacity, qh_block_kind kind) {
    *pool = (qh_pool){.heap = heap, .block_bytes = block_bytes, .capacity = capacity, .kind = kind};
    pool->records = heap->records;
    pool->shift = (uint32_t)__builtin_ctz(block_bytes);
    pool->freed = LAST;
    QH_ASSERT(pool->shift > 0 && block_bytes == 1u << pool->shift);
    if (capacity == 0) return QH_OK;
    size_t region_bytes;
    if (__builtin_mul_overflow((size_t)block_bytes, (size_t)capacity, &region_bytes))
        return QH_OVERFLOW;
    void *links, *region;
    QH_TRY(qh_heap_alloc(heap, owner, capacity * sizeof *pool->links, kind, &links));
    QH_TRY(qh_heap_carve(heap, owner, region_bytes, kind, &region));
    qh__guard_freed(region, region_bytes);
    pool->links = links;
    pool->region = region;
    return QH_OK;
}

static QH_NOINLINE qh_result lend(qh_pool *pool, qh_owner *owner, void **block) {
    QH_TRY(QH_UNLOCKED(qh_heap_alloc)(pool->heap, owner, pool->block_bytes, pool->kind, block));
    pool->fallbacks++;
    pool->lent++;
    return QH_OK;
}

qh_result QH_UNLOCKED(qh_pool_acquire)(qh_pool *pool, qh_owner *owner, void **block) {
    uint32_t index = pool->freed;
    if (QH_UNLIKELY(index == LAST && pool->fresh == pool->capacity))
        return lend(pool, owner, block);
    if (QH_UNLIKELY(pool->records)) QH_TRY(qh_records_reserve(pool->heap, pool->records));
    if (QH_UNLIKELY(!qh_owner_charge(owner, pool->block_bytes))) return QH_QUOTA_EXCEEDED;
    if (QH_UNLIKELY(index == LAST))
        index = pool->fresh++;
    else
        pool->freed = pool->links[index];
    QH_LOG(pool->heap, &pool->links[index]);
    pool->links[index] = OUT;
    pool->acquires++;
    *block = pool->region + ((size_t)index << pool->shift);
    if (QH_UNLIKELY(pool->records))
        qh_records_add(pool->records, *block, pool->block_bytes, owner, pool->kind);
    qh__guard_taken(*block, pool->block_bytes, pool->block_bytes);
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

/* What does not come from the region. */
static QH_NOINLINE qh_result take_back(qh_pool *pool, qh_owner *owner, void *block) {
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)pool->region);
    if (offset >> pool->shift < pool->capacity || !is_lent(pool, block)) return QH_INVALID_ARGUMENT;
    QH_UNLOCKED(qh_heap_free)(pool->heap, owner, block, pool->block_bytes);
    pool->lent--;
    return QH_OK;
}

#if QH_THREADS

void qh__pool_give_back(qh_pool *pool, void *block) {
    uint32_t index = (uint32_t)(((uintptr_t)block - (uintptr_t)pool->region) >> pool->shift);
    qh__records_remove_later(pool->heap, block);
    pool->releases++;
    QH_LOG(pool->heap, &pool->links[index]);
    pool->links[index] = pool->freed;
    pool->freed = index;
    qh__guard_freed(block, pool->block_bytes);
}

bool qh__pool_has_out(const qh_pool *pool, const void *block) {
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)pool->region);
    size_t index = offset >> pool->shift | offset << (sizeof offset * 8 - pool->shift);
    if (index < pool->capacity) return pool->links[index] == OUT;
    return offset >> pool->shift >= pool->capacity;
}

#endif

qh_result QH_UNLOCKED(qh_pool_release)(qh_pool *pool, qh_owner *owner, void *block) {
    /* Rotated, the offset of what is no block has its low bits on top: one comparison finds it and what lies outside. */
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)pool->region);
    size_t index = offset >> pool->shift | offset << (sizeof offset * 8 - pool->shift);
    if (QH_UNLIKELY(index >= pool->fresh)) return take_back(pool, owner, block);
    if (QH_UNLIKELY(pool->links[index] != OUT)) return QH_INVALID_ARGUMENT;
#if QH_THREADS
    qh_owner_discharge(owner, pool->block_bytes);
    qh__pool_give_back(pool, block);
#else
    if (QH_UNLIKELY(pool->records)) qh_records_remove(pool->records, block);
    qh_owner_discharge(owner, pool->block_bytes);
    pool->releases++;
    pool->links[index] = pool->freed;
    pool->freed = (uint32_t)index;
    qh__guard_freed(block, pool->block_bytes);
#endif
    return QH_OK;
}

bool QH_UNLOCKED(qh_pool_validate)(const qh_pool *pool) {
    uint32_t out = 0, listed = 0;
    if (pool->fresh > pool->capacity) return false;
    for (uint32_t i = 0; i < pool->fresh; i++) out += pool->links[i] == OUT;
    for (uint32_t i = pool->freed; i != LAST; i = pool->links[i])
        if (i >= pool->fresh || ++listed > pool->fresh) return false;
    return out == qh_pool_in_use(pool) && out + listed == pool->fresh;
}

QH_FAST_END
