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

void qh_records_add(qh_records *records, void *block, size_t byte_count, const qh_owner *owner,
                    qh_block_kind kind) {
    QH_ASSERT(records->count < records->capacity);
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
