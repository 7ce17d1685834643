#include "memory/lock.h"

#if QH_THREADS

#include "base/bytes.h"
#include "memory/array.h"
#include "memory/pool.h"

#define POOLED ((size_t)1)

_Static_assert(QH_HEAP_HEAD + sizeof(qh_records) + sizeof(qh_pool) + sizeof(qh_owner) <=
                   QH_JOURNAL_BYTES,
               "the journal has room for what an operation keeps");

/* ---------------------------------------------------------------- operations */

void qh__memory_begin(qh_heap *heap, qh_owner *owner, qh_pool *pool) {
    qh_memory_lock *lock = &heap->lock;
    qh_journal *journal = &lock->journal;
    lock->owner = owner;
    lock->pool = pool;
    qh__journal_commit(journal);
    qh__journal_clear(journal);
    qh__journal_keep(journal, heap, QH_HEAP_HEAD);
    if (lock->records) qh__journal_keep(journal, lock->records, sizeof *lock->records);
    if (owner) qh__journal_keep(journal, owner, sizeof *owner);
    if (pool) qh__journal_keep(journal, pool, sizeof *pool);
    qh__journal_begin(journal);
}

void qh__memory_commit(qh_heap *heap) {
    qh__journal_commit(&heap->lock.journal);
    qh__records_finish(heap);
}

void qh__memory_checkpoint(qh_heap *heap) {
    QH_ASSERT(heap->lock.emptying == 0);
    if (heap->lock.journal.count > QH_JOURNAL_ENTRIES / 4) qh__journal_begin(&heap->lock.journal);
}

/* ---------------------------------------------------------------- what was put off */

static bool is_inside(const qh_pool *pool, const void *block) {
    return ((size_t)((uintptr_t)block - (uintptr_t)pool->region)) >> pool->shift < pool->capacity;
}

/* The first block of a list, an operation of its own. */
static void give_back_first(qh_heap *heap, qh_deferred **list) {
    qh_deferred *first = *list;
    qh_pool *pool = first->bytes & POOLED ? first->pool : NULL;
    qh__memory_begin(heap, NULL, pool);
    QH_LOG_WORDS(heap, list, sizeof *list / 4);
    *list = first->next;
    if (pool && is_inside(pool, first)) {
        qh__pool_give_back(pool, first);
    } else {
        if (pool) pool->lent--;
        qh__heap_give_back(heap, first, first->bytes & ~POOLED);
    }
    qh__memory_commit(heap);
}

/* Those of the calling thread and of those who have died. */
static QH_NOINLINE void give_back_deferred(qh_heap *heap, uint32_t self) {
    uint32_t orphans = qh__atomic_load(&heap->lock.orphans);
    for (uint32_t thread = 0; thread < QH_MAX_THREADS; thread++) {
        if (thread != self && !(orphans >> thread & 1)) continue;
        while (heap->lock.deferred[thread]) give_back_first(heap, &heap->lock.deferred[thread]);
    }
    uint32_t seen = orphans; /* others may have died meanwhile */
    while (orphans && !qh__atomic_swap(&heap->lock.orphans, &seen, seen & ~orphans)) {
    }
}

bool qh__memory_is_deferred(const qh_heap *heap, const void *block) {
    for (uint32_t thread = 0; thread < QH_MAX_THREADS; thread++)
        for (const qh_deferred *at = heap->lock.deferred[thread]; at; at = at->next)
            if (at == block) return true;
    return false;
}

/* The books of the owner are the caller's, who alone uses what it owns. */
static void put_off(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count, qh_pool *pool) {
    qh_deferred *put = block, **list = &heap->lock.deferred[qh__self()];
    size_t bytes = pool ? pool->block_bytes : qh_heap_charge(byte_count);
    qh__guard_taken(block, QH_MIN(bytes, sizeof *put), bytes);
    qh_owner_discharge(owner, bytes);
    owner->nest = 0; /* whoever builds next closes it */
    put->next = *list;
    put->bytes = bytes | (pool ? POOLED : 0);
    if (pool) put->pool = pool;
    QH_ORDERED();
    *list = put;
    QH_ORDERED();
}

/* ---------------------------------------------------------------- the lock */

QH_INLINE void begin_entered(qh_heap *heap, qh_owner *owner, qh_pool *pool) {
    uint32_t self = qh__self();
    if (QH_UNLIKELY(heap->lock.deferred[self] || qh__atomic_load(&heap->lock.orphans)))
        give_back_deferred(heap, self);
    qh__memory_begin(heap, owner, pool);
}

qh_result qh__memory_enter(qh_heap *heap, qh_owner *owner, qh_pool *pool) {
    QH_TRY(qh__room_enter(&heap->lock.mutex, QH_LOCK_MEMORY));
    begin_entered(heap, owner, pool);
    return QH_OK;
}

qh_result qh__memory_enter_soon(qh_heap *heap) {
    QH_TRY(qh__room_enter_soon(&heap->lock.mutex, QH_LOCK_MEMORY));
    begin_entered(heap, NULL, NULL);
    return QH_OK;
}

void qh__memory_leave(qh_heap *heap) {
    qh__memory_commit(heap);
    qh__room_leave(&heap->lock.mutex, QH_LOCK_MEMORY);
}

static void leave_trimmed(qh_heap *heap) {
    qh__memory_commit(heap);
    if (heap->books < heap->floor) {
        qh__memory_begin(heap, NULL, NULL);
        qh__heap_trim(heap);
    }
    qh__memory_leave(heap);
}

bool qh_memory_recover(qh_heap *heap, uint32_t dead) {
    qh_memory_lock *lock = &heap->lock;
    bool held = qh_mutex_withdraw(&lock->mutex, qh__threads(), dead), changed = false;
    if (held) {
        changed = lock->journal.open || lock->emptying;
        if (lock->journal.open) {
            lock->emptying = 0;
            QH_ORDERED();
            qh__journal_undo(&lock->journal);
        }
        heap->records = lock->records;
        qh__records_finish(heap);
        if (lock->records) qh__records_recount(lock->records);
        qh_budget_refresh(heap->budget);
        qh__records_drop_outgrown(heap);
    }
    if (lock->deferred[dead]) {
        uint32_t orphans = 0;
        while (!qh__atomic_swap(&lock->orphans, &orphans, orphans | 1u << dead)) {
        }
    }
    qh_mutex_recover(&lock->mutex, qh__threads(), dead);
    return changed;
}

/* ---------------------------------------------------------------- the public functions of heap and pools */

qh_result qh_heap_alloc(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block) {
    QH_TRY(qh__memory_enter(heap, owner, NULL));
    qh_result result = qh_heap_alloc_unlocked(heap, owner, byte_count, kind, block);
    qh__memory_leave(heap);
    return result;
}

qh_result qh_heap_alloc_aligned(qh_heap *heap, qh_owner *owner, size_t byte_count, size_t alignment,
                                qh_block_kind kind, void **block) {
    QH_TRY(qh__memory_enter(heap, owner, NULL));
    qh_result result =
        qh_heap_alloc_aligned_unlocked(heap, owner, byte_count, alignment, kind, block);
    qh__memory_leave(heap);
    return result;
}

qh_result qh_heap_carve(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block) {
    QH_TRY(qh__memory_enter(heap, owner, NULL));
    qh_result result = qh_heap_carve_unlocked(heap, owner, byte_count, kind, block);
    qh__memory_leave(heap);
    return result;
}

bool qh__heap_try_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count) {
    if (qh__memory_enter(heap, owner, NULL) != QH_OK) return false;
    qh_heap_free_unlocked(heap, owner, block, byte_count);
    leave_trimmed(heap);
    return true;
}

void qh_heap_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count) {
    if (block && !qh__heap_try_free(heap, owner, block, byte_count))
        put_off(heap, owner, block, byte_count, NULL);
}

qh_result qh_heap_resize(qh_heap *heap, qh_owner *owner, void **block, size_t old_count,
                         size_t new_count, qh_block_kind kind) {
    QH_TRY(qh__memory_enter(heap, owner, NULL));
    qh_result result = qh_heap_resize_unlocked(heap, owner, block, old_count, new_count, kind);
    leave_trimmed(heap);
    return result;
}

void qh_owner_close(qh_heap *heap, qh_owner *owner) {
    if (owner->nest && qh__memory_enter(heap, owner, NULL) == QH_OK) {
        qh_owner_close_unlocked(heap, owner);
        qh__memory_leave(heap);
        return;
    }
    QH_ASSERT(owner->books == 0);
    *owner = (qh_owner){0};
}

bool qh_heap_validate(const qh_heap *heap) {
    qh_heap *locked = (qh_heap *)(uintptr_t)heap;
    if (qh__memory_enter(locked, NULL, NULL) != QH_OK) return true; /* in use: nothing is known */
    bool sound = qh_heap_validate_unlocked(heap);
    qh__memory_leave(locked);
    return sound;
}

qh_result qh_pool_acquire(qh_pool *pool, qh_owner *owner, void **block) {
    QH_TRY(qh__memory_enter(pool->heap, owner, pool));
    qh_result result = qh_pool_acquire_unlocked(pool, owner, block);
    qh__memory_leave(pool->heap);
    return result;
}

qh_result qh_pool_release(qh_pool *pool, qh_owner *owner, void *block) {
    qh_heap *heap = pool->heap;
    if (qh__memory_enter(heap, owner, pool) != QH_OK) {
        if (qh__memory_is_deferred(heap, block) || !qh__pool_has_out(pool, block))
            return QH_INVALID_ARGUMENT;
        put_off(heap, owner, block, pool->block_bytes, pool);
        return QH_OK;
    }
    qh_result result = qh_pool_release_unlocked(pool, owner, block);
    leave_trimmed(heap);
    return result;
}

bool qh_pool_validate(const qh_pool *pool) {
    if (qh__memory_enter(pool->heap, NULL, NULL) != QH_OK) return true;
    bool sound = qh_pool_validate_unlocked(pool);
    qh__memory_leave(pool->heap);
    return sound;
}

/* ---------------------------------------------------------------- arrays */

qh_result qh__array_grow(qh_heap *heap, qh_owner *owner, void *items_at, uint32_t *capacity,
                         uint32_t needed, size_t item_bytes, qh_block_kind kind) {
    uint32_t had = *capacity, room = QH_MAX(had, QH_ARRAY_LEAST);
    void *items;
    if (needed <= had) return QH_OK;
    while (room < needed) room *= 2;
    memcpy(&items, items_at, sizeof items);
    QH_TRY(qh__memory_enter(heap, owner, NULL));
    qh_result result =
        qh_heap_resize_unlocked(heap, owner, &items, had * item_bytes, room * item_bytes, kind);
    if (result == QH_OK) {
        memset((unsigned char *)items + had * item_bytes, 0, (room - had) * item_bytes);
        QH_LOG_WORDS(heap, items_at, sizeof items / 4);
        QH_LOG(heap, capacity);
        memcpy(items_at, &items, sizeof items);
        *capacity = room;
    }
    leave_trimmed(heap);
    return result;
}

#endif
