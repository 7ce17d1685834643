/* The exports that tell of memory, and whether all is sound. As in exports.c: nothing is trusted. */
#include "wasm/io.h"

#include "runtime/claims.h"

#if QH_THREADS
#define THREADS_OWNER 8
#define FIRST_SLOT_OWNER 9
#else
#define FIRST_SLOT_OWNER 8
#endif

#define RUNTIME_OR_RETURN                                                                          \
    qh_runtime *opened = qh__instance();                                                           \
    if (!opened) return QH_INVALID_STATE;                                                          \
    QH_HOLD_REGISTRY(opened)

#if QH_THREADS
static void end_reading(qh_heap *const *heap) {
    if (*heap) qh__memory_leave(*heap);
}

/* What there is stays, and nobody takes or gives back a block meanwhile. */
#define MEMORY_OR_RETURN                                                                           \
    RUNTIME_OR_RETURN;                                                                             \
    __attribute__((cleanup(end_reading))) qh_heap *heap_read = NULL;                               \
    QH_TRY(qh__memory_enter(&opened->memory.heap, NULL, NULL));                                    \
    heap_read = &opened->memory.heap
#else
#define MEMORY_OR_RETURN RUNTIME_OR_RETURN
#endif

/* numbers: pages, max pages, live bytes, peak live bytes, live blocks, end of the stack (1 MiB), heap base, start and end
 * of the pools, end of the heap in use, growths logged, agents alive, owners to ask for, places for records, tracking, address of
 * the records, shared resources. */
EXPORT(int32_t, qh_memory_info, (void)) {
    MEMORY_OR_RETURN;
    const qh_memory *memory = &opened->memory;
    double *numbers = qh__io.numbers;
    numbers[0] = memory->budget.pages;
    numbers[1] = memory->budget.max_pages;
    numbers[2] = (double)memory->heap.live_bytes;
    numbers[3] = (double)memory->heap.peak_bytes;
    numbers[4] = (double)memory->heap.live_blocks;
    numbers[5] = 1 << 20;
    numbers[6] = (double)QH_HEAP_START;
    numbers[7] = (double)memory->pools_start;
    numbers[8] = (double)memory->pools_end;
    numbers[9] = (double)qh_heap_end(&memory->heap);
    numbers[10] = QH_MIN(memory->budget.growth_count, (uint32_t)QH_GROWTH_LOG);
    numbers[11] = opened->agent_count;
    numbers[12] = FIRST_SLOT_OWNER + opened->slot_count;
    numbers[13] = (double)memory->records.capacity;
    numbers[14] = qh__memory_tracks(memory);
    numbers[15] = (double)(uintptr_t)memory->records.places;
    numbers[16] = memory->shared.count;
    return QH_OK;
}

/* numbers: block bytes, capacity, in use, peak, fallbacks, acquires, start of pool 0 (state), 1 (trajectory) or 2 (message). */
EXPORT(int32_t, qh_memory_pool, (uint32_t index)) {
    MEMORY_OR_RETURN;
    if (index >= QH_POOL_COUNT) return QH_INVALID_ARGUMENT;
    const qh_pool *pool = &opened->memory.pools[index];
    double *numbers = qh__io.numbers;
    numbers[0] = pool->block_bytes;
    numbers[1] = pool->capacity;
    numbers[2] = qh_pool_in_use(pool);
    numbers[3] = pool->fresh;
    numbers[4] = pool->fallbacks;
    numbers[5] = (double)(pool->acquires + pool->fallbacks);
    numbers[6] = (double)(uintptr_t)pool->region;
    return QH_OK;
}

static int32_t write_owner(const qh_owner *owner) {
    double *numbers = qh__io.numbers;
    numbers[0] = owner->kind;
    numbers[1] = owner->id;
    numbers[2] = (double)owner->live_bytes;
    numbers[3] = (double)owner->quota_bytes;
    numbers[4] = (double)owner->peak_bytes;
    numbers[5] = owner->live_blocks;
    return 1;
}

/* numbers: kind, id, live bytes, quota, peak bytes, live blocks of owner `index`: 0 the runtime, 1 the records, 2 the encoders'
 * plans, 3 the safe zones, 4 the feature knowledge, 5 the federation, 6 the metrics, 7 the messages, (with threads) 8 these, from FIRST_SLOT_OWNER on the objects in
 * the slots.
 * Returns 1, or 0 where there is none. */
EXPORT(int32_t, qh_memory_owner, (uint32_t index)) {
    MEMORY_OR_RETURN;
    if (index == 0) return write_owner(&opened->memory.runtime_owner);
    if (index == 1) return write_owner(&opened->memory.records_owner);
    if (index == 2) return write_owner(&opened->plans.owner);
    if (index == 3) return opened->zones ? write_owner(&opened->zones->owner) : 0;
    if (index == 4) return opened->knowledge.listed ? write_owner(&opened->knowledge.owner) : 0;
    const qh_owner *rooms[] = {&opened->federation.owner, &opened->metrics.owner,
                               &opened->messages.owner};
#if QH_THREADS
    if (index == THREADS_OWNER) return write_owner(&opened->threads_owner);
#endif
    if (index < FIRST_SLOT_OWNER)
        return rooms[index - 5]->live_bytes ? write_owner(rooms[index - 5]) : 0;
    if (index - FIRST_SLOT_OWNER >= opened->slot_count) return QH_INVALID_ARGUMENT;
    const qh_slot *slot = qh__slot_at(opened, index - FIRST_SLOT_OWNER);
    if (qh__slot_kind(slot) == QH_SLOT_AGENT)
        return write_owner(&((const qh_agent *)slot->object)->owner);
    if (qh__slot_kind(slot) == QH_SLOT_INDEX)
        return write_owner(&((const qh_index *)slot->object)->owner);
    return qh__slot_kind(slot) == QH_SLOT_BATCH
               ? write_owner(&((const qh_batch *)slot->object)->owner)
               : 0;
}

/* numbers: pages before and after growth `index`. */
EXPORT(int32_t, qh_memory_growth, (uint32_t index)) {
    MEMORY_OR_RETURN;
    const qh_budget *budget = &opened->memory.budget;
    if (index >= QH_MIN(budget->growth_count, (uint32_t)QH_GROWTH_LOG)) return QH_INVALID_ARGUMENT;
    qh__io.numbers[0] = budget->growths[index].from_pages;
    qh__io.numbers[1] = budget->growths[index].to_pages;
    return QH_OK;
}

/* numbers: address, bytes, owner kind, owner id, block kind, sequence of the record in place `index`, and whether its owner still
 * lives. Returns 1, or 0 where
 * the place is empty; QH_INVALID_STATE when records are not kept. */
EXPORT(int32_t, qh_memory_record, (uint32_t index)) {
    MEMORY_OR_RETURN;
    const qh_records *records = opened->memory.heap.records;
    if (!qh__memory_tracks(&opened->memory)) return QH_INVALID_STATE;
    if (index >= records->capacity) return QH_INVALID_ARGUMENT;
    const qh_record *record = &records->places[index];
    if (!record->block) return 0;
    double *numbers = qh__io.numbers;
    numbers[0] = (double)(uintptr_t)record->block;
    numbers[1] = (double)record->byte_count;
    numbers[2] = record->owner_kind;
    numbers[3] = record->owner;
    numbers[4] = record->kind;
    numbers[5] = record->sequence;
    numbers[6] = qh_runtime_owner_lives(opened, record->owner);
    return 1;
}

/* numbers: kind and id of the owner, id, references, frozen, bytes of shared resource `index`, the newest first. */
EXPORT(int32_t, qh_memory_shared, (uint32_t index)) {
    MEMORY_OR_RETURN;
    if (index >= opened->memory.shared.count) return QH_INVALID_ARGUMENT;
    const qh_shared *shared = opened->memory.shared.first;
    while (index-- > 0) shared = shared->next;
    double *numbers = qh__io.numbers;
    numbers[0] = shared->owner->kind;
    numbers[1] = shared->owner->id;
    numbers[2] = shared->id;
    numbers[3] = shared->references;
    numbers[4] = shared->frozen;
    numbers[5] = (double)shared->byte_count;
    return QH_OK;
}

#if QH_THREADS
/* Every object is claimed, and every lock taken, in their order. */
static int32_t validate_alone(qh_runtime *opened, qh_zones *zones) {
    QH_HOLD(federation_held, &opened->federation);
    QH_ENTER_TO_WRITE(&opened->metrics);
    int32_t sound = 0;
    qh_held held[3] = {{0}};
    qh_result result = qh__hold(&held[0], &opened->messages.lock, QH_LOCK_MESSAGES);
    if (result == QH_OK && zones) result = qh__hold(&held[1], &zones->lock, QH_LOCK_ZONES);
    if (result == QH_OK) result = qh__hold(&held[2], &opened->knowledge.lock, QH_LOCK_SEARCH);
    if (result == QH_OK) sound = qh_runtime_validate(opened);
    for (uint32_t i = 3; i > 0; i--) qh__hold_end(&held[i - 1]);
    return QH_LEAVE_WRITING(&opened->metrics, result == QH_OK ? sound : result);
}
#endif

/* Whether every structure of the runtime is sound: 1 or 0. For tests; takes time. With threads QH_BUSY while another uses an object. */
EXPORT(int32_t, qh_validate, (void)) {
    RUNTIME_OR_RETURN;
#if QH_THREADS
    QH_TRY(qh__claim_all(opened));
    int32_t sound = validate_alone(opened, qh__zones_of(opened));
    qh__claim_end_all(opened);
    return sound;
#endif
    return qh_runtime_validate(opened);
}
