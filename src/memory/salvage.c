#include "memory/salvage.h"

#if QH_THREADS

bool qh__survey_block(qh_survey *survey, const void *block, size_t byte_count) {
    if (byte_count == 0) return true;
    if (!block) return false;
    const qh_record *record = qh_records_find(&survey->memory->records, block);
    if (!record || record->owner != survey->id || record->owner_kind != survey->kind ||
        record->byte_count != qh_heap_charge(byte_count))
        return false;
    survey->books += (uint64_t)record->byte_count << 32 | 1;
    return true;
}

uint64_t qh__salvage_books(const qh_memory *memory, uint32_t id, uint32_t kind) {
    const qh_records *records = &memory->records;
    uint64_t books = 0;
    for (size_t i = 0; i < records->capacity; i++) {
        const qh_record *record = &records->places[i];
        if (record->block && record->owner == id && record->owner_kind == kind &&
            !qh__memory_is_deferred(&memory->heap, record->block))
            books += (uint64_t)record->byte_count << 32 | 1;
    }
    return books;
}

void qh__owner_settle(const qh_memory *memory, qh_owner *owner) {
    owner->books = qh__salvage_books(memory, owner->id, owner->kind);
    if (owner->books > owner->peak) owner->peak = owner->books | UINT32_MAX;
    owner->nest = owner->extent_count = 0;
}

static qh_pool *pool_with(qh_memory *memory, const void *block) {
    for (uint32_t i = 0; i < QH_POOL_COUNT; i++) {
        qh_pool *pool = &memory->pools[i];
        size_t offset = (size_t)((uintptr_t)block - (uintptr_t)pool->region);
        if (pool->region && offset >> pool->shift < pool->capacity) return pool;
    }
    return NULL;
}

static void salvage_block(qh_memory *memory, const qh_record *record) {
    qh_pool *pool = pool_with(memory, record->block);
    qh__memory_begin(&memory->heap, NULL, pool);
    if (pool)
        qh__pool_give_back(pool, record->block);
    else
        qh__heap_give_back(&memory->heap, record->block, record->byte_count);
    qh__memory_commit(&memory->heap);
}

uint32_t qh__salvage(qh_memory *memory, bool (*is_doomed)(const qh_record *record, void *context),
                     void *context) {
    const qh_records *records = &memory->records;
    uint32_t count = 0;
    /* Taking one out moves others up, to this place or to one that comes later. */
    for (size_t i = 0; i < records->capacity;) {
        qh_record record = records->places[i];
        bool is_doomed_here = record.block &&
                              !qh__memory_is_deferred(&memory->heap, record.block) &&
                              is_doomed(&record, context);
        if (!is_doomed_here) {
            i++;
            continue;
        }
        salvage_block(memory, &record);
        count++;
    }
    return count;
}

#endif
