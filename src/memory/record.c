#include "memory/record.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "memory/heap.h"

static size_t home_of(const qh_records *records, const void *block) {
    return (size_t)qh__mix64((uint64_t)(uintptr_t)block) & (records->capacity - 1);
}

static void put(qh_records *records, const qh_record *record) {
    size_t i = home_of(records, record->block);
    while (records->places[i].block) i = (i + 1) & (records->capacity - 1);
    records->places[i] = *record;
}

#if QH_THREADS

/* A table of `capacity`, which takes the place of the one there is. */
static qh_result replace_table(qh_heap *heap, qh_records *records, size_t capacity) {
    qh_memory_lock *lock = &heap->lock;
    size_t bytes = capacity * sizeof(qh_record);
    void *block;
    QH_TRY(qh_heap_alloc_unlocked(heap, records->owner, bytes, QH_BLOCK_records, &block));
    memset(block, 0, bytes);
    qh_records grown = *records;
    grown.places = block;
    grown.capacity = capacity;
    for (size_t i = 0; i < records->capacity; i++)
        if (records->places[i].block) put(&grown, &records->places[i]);
    QH_LOG_WORDS(heap, &lock->outgrown, sizeof lock->outgrown / 4);
    lock->outgrown_bytes = records->capacity * sizeof(qh_record);
    lock->outgrown = records->places;
    records->places = grown.places;
    records->capacity = capacity;
    return QH_OK;
}

void qh__records_drop_outgrown(qh_heap *heap) {
    qh_memory_lock *lock = &heap->lock;
    if (!lock->outgrown) return;
    qh__memory_begin(heap, lock->records->owner, NULL);
    heap->records = NULL;
    qh_heap_free_unlocked(heap, lock->records->owner, lock->outgrown, lock->outgrown_bytes);
    heap->records = lock->records;
    QH_LOG_WORDS(heap, &lock->outgrown, sizeof lock->outgrown / 4);
    lock->outgrown = NULL;
    qh__memory_commit(heap);
}

/* An operation of its own, before anything that it is needed for: each half is committed. The table has no record, so there are none while
 * it is taken or given back. */
qh_result qh_records_reserve(qh_heap *heap, qh_records *records) {
    qh_memory_lock *lock = &heap->lock;
    qh_owner *owner = lock->owner;
    qh_pool *pool = lock->pool;
    if ((records->count + 1) * 4 <= records->capacity * 3) return QH_OK;
    qh__memory_begin(heap, records->owner, NULL);
    heap->records = NULL;
    qh_result result =
        replace_table(heap, records, records->capacity ? records->capacity * 2 : 256);
    heap->records = records;
    qh__memory_commit(heap);
    qh__records_drop_outgrown(heap);
    qh__memory_begin(heap, owner, pool);
    return result;
}

#else

qh_result qh_records_reserve(qh_heap *heap, qh_records *records) {
    if ((records->count + 1) * 4 <= records->capacity * 3) return QH_OK;
    size_t capacity = records->capacity ? records->capacity * 2 : 256;
    void *block;
    qh_records *watching = heap->records;
    heap->records = NULL;
    qh_result result = qh_heap_alloc_zeroed(heap, records->owner, capacity * sizeof(qh_record),
                                            QH_BLOCK_records, &block);
    if (result == QH_OK) {
        qh_record *old_places = records->places;
        size_t old_capacity = records->capacity;
        records->places = block;
        records->capacity = capacity;
        for (size_t i = 0; i < old_capacity; i++)
            if (old_places[i].block) put(records, &old_places[i]);
        qh_heap_free(heap, records->owner, old_places, old_capacity * sizeof(qh_record));
    }
    heap->records = watching;
    return result;
}

#endif

void qh_records_add(qh_records *records, void *block, size_t byte_count, const qh_owner *owner,
                    qh_block_kind kind) {
    QH_ASSERT(records->count < records->capacity);
#if QH_THREADS
    size_t place = home_of(records, block);
    while (records->places[place].block) place = (place + 1) & (records->capacity - 1);
    QH_LOG_WORDS(records->heap, &records->places[place], sizeof(qh_record) / 4);
#endif
    put(records, &(qh_record){block, byte_count, owner->id, owner->kind, (uint32_t)kind,
                              ++records->sequence});
    records->count++;
}

static size_t index_of(const qh_records *records, const void *block) {
    if (!records->capacity) return SIZE_MAX;
    size_t mask = records->capacity - 1;
    for (size_t i = home_of(records, block); records->places[i].block; i = (i + 1) & mask)
        if (records->places[i].block == block) return i;
    return SIZE_MAX;
}

const qh_record *qh_records_find(const qh_records *records, const void *block) {
    size_t i = index_of(records, block);
    return i == SIZE_MAX ? NULL : &records->places[i];
}

#if QH_THREADS

void qh__records_remove_later(qh_heap *heap, const void *block) {
    qh_records *records = heap->records;
    if (!records) return;
    size_t place = index_of(records, block);
    QH_ASSERT(place != SIZE_MAX && heap->lock.emptying == 0);
    heap->lock.emptying = (uint32_t)place + 1;
}

void qh__records_resize(qh_heap *heap, const void *block, size_t byte_count) {
    qh_record *record = &heap->records->places[index_of(heap->records, block)];
    QH_LOG_WORDS(heap, record, sizeof *record / 4);
    record->byte_count = byte_count;
    record->sequence = ++heap->records->sequence;
}

/* What lies in the place that is being emptied does not count, whatever it is: begun again, everything that follows does what it did. */
void qh__records_finish(qh_heap *heap) {
    qh_records *records = heap->lock.records;
    if (!heap->lock.emptying) return;
    size_t empty = heap->lock.emptying - 1, mask = records->capacity - 1;
    for (size_t i = (empty + 1) & mask; records->places[i].block; i = (i + 1) & mask) {
        size_t home = home_of(records, records->places[i].block);
        if (((i - home) & mask) < ((i - empty) & mask)) continue;
        records->places[empty] = records->places[i];
        QH_ORDERED();
        heap->lock.emptying = (uint32_t)i + 1;
        QH_ORDERED();
        empty = i;
    }
    records->places[empty] = (qh_record){0};
    records->count--;
    QH_ORDERED();
    heap->lock.emptying = 0;
    QH_ORDERED();
}

void qh__records_recount(qh_records *records) {
    size_t count = 0;
    for (size_t i = 0; i < records->capacity; i++) count += records->places[i].block != NULL;
    records->count = count;
}

#else

bool qh_records_remove(qh_records *records, const void *block) {
    size_t hole = index_of(records, block), mask = records->capacity - 1;
    if (hole == SIZE_MAX) return false;
    for (size_t i = (hole + 1) & mask; records->places[i].block; i = (i + 1) & mask) {
        size_t home = home_of(records, records->places[i].block);
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        records->places[hole] = records->places[i];
        hole = i;
    }
    records->places[hole] = (qh_record){0};
    records->count--;
    return true;
}

#endif
