#include "memory/memory.h"

static const uint32_t pool_block_bytes[QH_POOL_COUNT] = {QH_STATE_BYTES, QH_TRAJECTORY_BYTES,
                                                         QH_MESSAGE_BYTES};
static const qh_block_kind pool_block_kinds[QH_POOL_COUNT] = {QH_BLOCK_state, QH_BLOCK_trajectory,
                                                              QH_BLOCK_message};

static qh_result open_pools(qh_memory *memory, const uint32_t capacities[QH_POOL_COUNT]) {
    memory->pools_start = qh_heap_end(&memory->heap);
    for (int i = 0; i < QH_POOL_COUNT; i++)
        QH_TRY(qh_pool_open(&memory->pools[i], &memory->heap, &memory->runtime_owner,
                            pool_block_bytes[i], capacities[i], pool_block_kinds[i]));
    memory->pools_end = qh_heap_end(&memory->heap);
    return QH_OK;
}

qh_result qh_memory_open(qh_memory *memory, uint32_t initial_pages, size_t start,
                         const uint32_t pool_capacities[QH_POOL_COUNT], bool track_allocations) {
    qh_budget *budget = &memory->budget;
    if (initial_pages > budget->pages)
        QH_TRY(qh_budget_grow(budget, initial_pages - budget->pages));
    QH_TRY(qh_heap_open(&memory->heap, budget, start));
    qh_owner_open(&memory->heap, &memory->runtime_owner, 0, QH_OWNER_runtime, SIZE_MAX);
    qh_owner_open(&memory->heap, &memory->records_owner, 0, QH_OWNER_records, SIZE_MAX);
    memory->shared = (qh_shared_list){0};
    memory->records = (qh_records){.owner = &memory->records_owner};
    if (track_allocations || QH_THREADS) memory->heap.records = &memory->records;
#if QH_THREADS
    memory->tracks = track_allocations;
    memory->records.heap = &memory->heap;
    memory->heap.lock.records = &memory->records;
#endif
    return open_pools(memory, pool_capacities);
}

bool qh_memory_validate(const qh_memory *memory) {
    if (!qh_heap_validate(&memory->heap) || !qh_shared_validate(&memory->shared)) return false;
    for (int i = 0; i < QH_POOL_COUNT; i++)
        if (!qh_pool_validate(&memory->pools[i])) return false;
    return true;
}
