#include "runtime/runtime.h"

#include "base/bytes.h"
#include "runtime/batch.h"
#include "runtime/notes.h"
#include "runtime/recover.h"

qh_runtime_def qh_runtime_def_default(void) {
    return (qh_runtime_def){.max_pages = 16384, .pools = {1000, 5000, 500}};
}

/* ---------------------------------------------------------------- life */

qh_result qh_runtime_open(const qh_runtime_def *def, size_t start, qh_runtime **result) {
    qh_budget budget;
    QH_TRY(qh_budget_open(&budget, def->max_pages));
    size_t at = qh__align_up(start, 64), end = at + sizeof(qh_runtime);
    qh_result opened =
        qh_budget_reach(&budget, QH_MAX(end, (size_t)def->initial_pages * QH_PAGE_BYTES));
    if (opened == QH_OK) {
        qh_runtime *runtime = qh__at(&budget, at);
        memset(runtime, 0, sizeof *runtime);
        runtime->memory.budget = budget;
        runtime->next_number = 1;
        opened = qh_memory_open(&runtime->memory, def->initial_pages, end, def->pools,
                                def->track_allocations);
#if QH_THREADS
        qh_owner_open(&runtime->memory.heap, &runtime->threads_owner, 0, QH_OWNER_threads,
                      SIZE_MAX);
        for (uint32_t i = 0; i < QH_MAX_THREADS; i++)
            qh_owner_open(&runtime->memory.heap, &runtime->scratch[i], i + 1, QH_OWNER_threads,
                          SIZE_MAX);
#endif
        qh_plans_open(&runtime->plans, &runtime->memory, def->seed);
        qh_knowledge_open(&runtime->knowledge, &runtime->memory);
        qh_federation_open(&runtime->federation, &runtime->memory);
        qh_metrics_open(&runtime->metrics, &runtime->memory);
        qh_messages_open(&runtime->messages, &runtime->memory);
        budget = runtime->memory.budget;
#if QH_THREADS
        runtime->registry.lock_id = QH_LOCK_REGISTRY;
        runtime->federation.lock_id = QH_LOCK_FEDERATION;
        runtime->metrics.lock_id = QH_LOCK_METRICS;
        runtime->messages.lock_id = QH_LOCK_MESSAGES;
        runtime->knowledge.lock_id = QH_LOCK_SEARCH;
#endif
        if (opened == QH_OK) *result = runtime;
    }
    if (opened != QH_OK) qh_budget_close(&budget);
    return opened;
}

#if QH_THREADS
qh_mutex *qh_runtime_lock(qh_runtime *runtime, uint32_t lock_id) {
    switch (lock_id) {
    case QH_LOCK_MEMORY: return &runtime->memory.heap.lock.mutex;
    case QH_LOCK_REGISTRY: return &runtime->registry.lock;
    case QH_LOCK_FEDERATION: return &runtime->federation.lock;
    case QH_LOCK_METRICS: return &runtime->metrics.lock.gate;
    case QH_LOCK_MESSAGES: return &runtime->messages.lock;
    case QH_LOCK_ZONES: return qh__zones_of(runtime) ? &qh__zones_of(runtime)->lock : NULL;
    case QH_LOCK_SEARCH: return &runtime->knowledge.lock;
    default: return NULL;
    }
}
#endif

static void close_agent(qh_runtime *runtime, qh_agent *agent) {
    if (agent->feature) qh_shared_release(&runtime->knowledge.shared);
    qh_agent_close(agent);
}

static void destroy_object(qh_runtime *runtime, qh_slot *slot) {
    if (qh__slot_kind(slot) == QH_SLOT_AGENT) close_agent(runtime, slot->object);
    if (qh__slot_kind(slot) == QH_SLOT_BATCH) qh__batch_close(runtime, slot->object);
    if (qh__slot_kind(slot) == QH_SLOT_FILTER) qh_filter_close(slot->object);
}

#if QH_THREADS
static qh_result close_index(qh_runtime *runtime, qh_index *index) {
    qh_heap *heap = &runtime->memory.heap;
    if (index->strays && index->shared.references == 0) {
        QH_TRY(qh__memory_enter(heap, NULL, NULL));
        qh__index_collect(runtime, index);
        qh__memory_leave(heap);
    }
    return qh_index_close(index);
}
#else
QH_INLINE qh_result close_index(const qh_runtime *runtime, qh_index *index) {
    (void)runtime;
    return qh_index_close(index);
}
#endif

/* After everything that may hold one. */
static void destroy_indexes(qh_runtime *runtime) {
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        if (qh__slot_kind(qh__slot_at(runtime, i)) == QH_SLOT_INDEX)
            close_index(runtime, qh__slot_at(runtime, i)->object);
}

static void free_slots(qh_runtime *runtime);

static void close_rooms(qh_runtime *runtime) {
    qh_federation_clear(&runtime->federation, false);
    qh_metrics_close(&runtime->metrics);
    qh_messages_close(&runtime->messages);
}

void qh_runtime_close(qh_runtime *runtime) {
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        destroy_object(runtime, qh__slot_at(runtime, i));
    destroy_indexes(runtime);
    if (runtime->zones) qh_zones_close(runtime->zones);
    qh_knowledge_close(&runtime->knowledge);
    if (QH_SHARED) close_rooms(runtime);
    free_slots(runtime);
    qh_budget budget = runtime->memory.budget;
    qh_budget_close(&budget);
}

/* ---------------------------------------------------------------- handles */

#if QH_THREADS
static qh_result add_slots(qh_runtime *runtime) {
    void *segment;
    QH_TRY(qh_heap_alloc_zeroed(&runtime->memory.heap, &runtime->threads_owner,
                                QH_SLOT_SEGMENT * sizeof(qh_slot), QH_BLOCK_runtime, &segment));
    runtime->segments[runtime->slot_capacity / QH_SLOT_SEGMENT] = segment;
    runtime->slot_capacity += QH_SLOT_SEGMENT;
    return QH_OK;
}

static void free_slots(qh_runtime *runtime) {
    qh__notes_close(runtime, &runtime->notes);
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        qh__notes_close(runtime, &qh__slot_at(runtime, i)->notes);
    qh_heap_free(&runtime->memory.heap, &runtime->threads_owner, runtime->stacks,
                 runtime->stack_bytes);
    for (uint32_t i = 0; i < runtime->slot_capacity / QH_SLOT_SEGMENT; i++)
        qh_heap_free(&runtime->memory.heap, &runtime->threads_owner, runtime->segments[i],
                     QH_SLOT_SEGMENT * sizeof(qh_slot));
}
#else
static qh_result add_slots(qh_runtime *runtime) {
    uint32_t capacity = runtime->slot_capacity ? runtime->slot_capacity * 2 : 64;
    void *slots = runtime->slots;
    QH_TRY(qh_heap_resize(&runtime->memory.heap, &runtime->memory.runtime_owner, &slots,
                          runtime->slot_capacity * sizeof(qh_slot), capacity * sizeof(qh_slot),
                          QH_BLOCK_runtime));
    runtime->slots = slots;
    runtime->slot_capacity = capacity;
    return QH_OK;
}

static void free_slots(qh_runtime *runtime) {
    qh_heap_free(&runtime->memory.heap, &runtime->memory.runtime_owner, runtime->slots,
                 runtime->slot_capacity * sizeof(qh_slot));
}
#endif

static qh_result reserve_slot(qh_runtime *runtime) {
    if (runtime->first_free || runtime->slot_count < runtime->slot_capacity) return QH_OK;
    return runtime->slot_count == QH_HANDLE_SLOTS ? QH_EXCEEDS_LIMIT : add_slots(runtime);
}

qh_result qh__runtime_reserve(qh_runtime *runtime, qh_handle *handle) {
    QH_TRY(reserve_slot(runtime));
    uint32_t free = runtime->first_free;
    *handle = free ? qh__handle_make(free - 1, qh__slot_generation(qh__slot_at(runtime, free - 1)))
                   : qh__handle_make(runtime->slot_count, 1);
    return QH_OK;
}

void qh__runtime_register(qh_runtime *runtime, qh_handle handle, void *object, qh_slot_kind kind) {
    qh_slot *slot = qh__slot_at(runtime, qh__handle_slot(handle));
#if QH_THREADS
    uint32_t next = slot->next_free;
    slot->object = object;
    slot->next_free = 0;
    slot->newborn = kind == QH_SLOT_AGENT;
    slot->maker = slot->newborn ? 0 : (uint8_t)(qh__self() + 1);
    if (slot->newborn)
        qh__slot_set_mine(slot, qh__handle_generation(handle), kind);
    else
        qh__slot_set(slot, qh__handle_generation(handle), kind);
    if (runtime->first_free)
        runtime->first_free = next;
    else
        qh__atomic_add(&runtime->slot_count, 1); /* who looks a handle up finds all of the slot */
    qh__atomic_add(&runtime->changes, 1);
#else
    if (runtime->first_free)
        runtime->first_free = slot->next_free;
    else
        runtime->slot_count++;
    *slot = (qh_slot){object, (uint16_t)qh__handle_generation(handle), (uint16_t)kind, 0};
#endif
}

void qh__runtime_forget(qh_runtime *runtime, qh_handle handle) {
    uint32_t number = qh__handle_slot(handle);
    qh_slot *slot = qh__slot_at(runtime, number);
    uint32_t generation = qh__slot_generation(slot);
#if QH_THREADS
    qh__notes_close(runtime, &slot->notes);
#endif
    slot->object = NULL;
#if QH_THREADS
    qh__atomic_add(&runtime->changes, 1);
#endif
    qh__slot_set(slot, generation + 1, QH_SLOT_FREE);
    if (generation == QH_HANDLE_LAST_GENERATION) return; /* retired */
    slot->next_free = runtime->first_free;
    runtime->first_free = number + 1;
}

void *qh__runtime_object(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind) {
    uint32_t number = qh__handle_slot(handle);
    if (QH_UNLIKELY(number >= qh__slot_count(runtime))) return NULL;
    const qh_slot *slot = qh__slot_at(runtime, number);
    bool live = qh__slot_kind(slot) == (uint16_t)kind &&
                qh__slot_generation(slot) == qh__handle_generation(handle);
    return QH_LIKELY(live) ? slot->object : NULL;
}

/* ---------------------------------------------------------------- agents */

qh_agent *qh_runtime_agent(const qh_runtime *runtime, qh_handle handle) {
    return qh__runtime_object(runtime, handle, QH_SLOT_AGENT);
}

static bool name_is_taken(const qh_runtime *runtime, const char *name, uint32_t length) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        if (qh__slot_kind(qh__slot_at(runtime, i)) != QH_SLOT_AGENT) continue;
        const qh_agent *agent = qh__slot_at(runtime, i)->object;
        if (agent->name_length == length && memcmp(agent->name, name, length) == 0) return true;
    }
    return false;
}

qh_result qh_runtime_create_agent(qh_runtime *runtime, const qh_agent_def *def, qh_handle *handle) {
    if (def->name_length && name_is_taken(runtime, def->name, def->name_length))
        return QH_INVALID_ARGUMENT;
    qh_handle next;
    QH_TRY(qh__runtime_reserve(runtime, &next));
    qh_agent *agent;
    QH_TRY(qh_agent_open(&runtime->plans, def, next, runtime->next_number, &agent));
    qh__runtime_register(runtime, next, agent, QH_SLOT_AGENT);
    runtime->next_number++;
    runtime->agent_count++;
    *handle = next;
    return QH_OK;
}

/* The name ends first: a sender who has looked the agent up before looks again after it has sent (qh_message_send). */
#if QH_THREADS
static qh_result end_name(qh_runtime *runtime, qh_handle handle) {
    qh_messages *messages = &runtime->messages;
    QH_ENTER(messages);
    qh_messages_forget(messages, handle);
    qh__runtime_forget(runtime, handle);
    return QH_LEAVE(messages, QH_OK);
}
#endif

qh_result qh_runtime_destroy_agent(qh_runtime *runtime, qh_handle handle) {
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    if (!agent) return QH_STALE_HANDLE;
    if (agent->borrowed) return QH_BUSY;
#if QH_THREADS
    QH_TRY(end_name(runtime, handle));
#endif
    if (QH_SHARED) {
        qh_metrics_add(&runtime->metrics.retired, &agent->metrics);
        if (!QH_THREADS) qh_messages_forget(&runtime->messages, handle);
    }
    close_agent(runtime, agent);
    if (!QH_THREADS) qh__runtime_forget(runtime, handle);
    runtime->agent_count--;
    runtime->destructions++;
    return QH_OK;
}

qh_result qh_runtime_reset_agent(qh_runtime *runtime, qh_handle handle) {
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    if (!agent) return QH_STALE_HANDLE;
    qh_agent_metrics counted = agent->metrics;
    QH_TRY(qh_agent_reset(agent));
    qh_metrics_add(&runtime->metrics.retired, &counted);
    return QH_OK;
}

/* ---------------------------------------------------------------- indexes */

qh_result qh_runtime_create_index(qh_runtime *runtime, const qh_index_def *def,
                                  const unsigned char *bytes, size_t byte_count,
                                  qh_handle *handle) {
    qh_handle next;
    qh_index *index = NULL;
    QH_TRY(qh__runtime_reserve(runtime, &next));
    QH_TRY(bytes ? qh_index_import(&runtime->memory, bytes, byte_count, next, &index)
                 : qh_index_open(&runtime->memory, def, next, &index));
    qh__runtime_register(runtime, next, index, QH_SLOT_INDEX);
    *handle = next;
    return QH_OK;
}

qh_result qh_runtime_create_filter(qh_runtime *runtime, qh_index *index, const uint32_t *bits,
                                   qh_filter **filter) {
    qh_handle handle;
    QH_TRY(qh__runtime_reserve(runtime, &handle));
    QH_TRY(qh_filter_open(index, handle, bits, filter));
    qh__runtime_register(runtime, handle, *filter, QH_SLOT_FILTER);
    return QH_OK;
}

qh_result qh_runtime_destroy_index(qh_runtime *runtime, qh_handle handle) {
    qh_filter *filter = qh__runtime_object(runtime, handle, QH_SLOT_FILTER);
    qh_index *index = qh__runtime_object(runtime, handle, QH_SLOT_INDEX);
    if (filter)
        qh_filter_close(filter);
    else
        QH_TRY(index ? close_index(runtime, index) : QH_STALE_HANDLE);
    qh__runtime_forget(runtime, handle);
    return QH_OK;
}

/* Sound, and held by as many as there are. */
static bool indexes_are_sound(const qh_runtime *runtime) {
    uint32_t filters = 0, held = 0;
    if (!QH_SHARED) return true;
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        filters += qh__slot_kind(slot) == QH_SLOT_FILTER;
        if (qh__slot_kind(slot) != QH_SLOT_INDEX) continue;
        held += ((const qh_index *)slot->object)->shared.references;
        if (!qh_index_validate(slot->object)) return false;
    }
    return filters == held;
}

/* ---------------------------------------------------------------- the whole */

bool qh_runtime_owner_lives(const qh_runtime *runtime, uint32_t id) {
    uint32_t number = qh__handle_slot(id);
#if QH_THREADS
    if (id <= QH_MAX_THREADS) return true; /* a thread: no handle is that small */
#endif
    if (id == 0) return true;
    if (number >= runtime->slot_count) return false;
    const qh_slot *slot = qh__slot_at(runtime, number);
    return qh__slot_kind(slot) != QH_SLOT_FREE &&
           qh__slot_generation(slot) == qh__handle_generation(id);
}

qh_result qh_runtime_tie_agent(qh_runtime *runtime, qh_handle handle, uint32_t entry) {
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    if (!agent) return QH_STALE_HANDLE;
    if (agent->feature) return QH_INVALID_STATE;
    if (entry >= runtime->knowledge.catalogue.count) return QH_INVALID_ARGUMENT;
    QH_TRY(qh_shared_acquire(&runtime->knowledge.shared));
    agent->feature = entry + 1;
    qh_text category = qh_knowledge_field(&runtime->knowledge, entry, QH_FIELD_CATEGORY);
    if (!agent->category) agent->category = qh__category(category.bytes, category.length);
    return QH_OK;
}

uint64_t qh_runtime_hash(const qh_runtime *runtime) {
    uint64_t hash = runtime->agent_count;
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        if (qh__slot_kind(qh__slot_at(runtime, i)) == QH_SLOT_AGENT)
            hash = qh__hash_step(hash, qh_agent_hash(qh__slot_at(runtime, i)->object));
    return hash;
}

static bool zones_are_sound(const qh_runtime *runtime, uint32_t actuators) {
    qh_zones *zones = runtime->zones;
    return zones ? qh_zones_validate(zones) && zones->shared.references == actuators : !actuators;
}

static bool rooms_are_sound(const qh_runtime *runtime) {
    return qh_federation_validate(&runtime->federation) && qh_metrics_validate(&runtime->metrics) &&
           qh_messages_validate(&runtime->messages);
}

bool qh_runtime_validate(const qh_runtime *runtime) {
    uint32_t agents = 0, tied = 0, listed = 0, free_slots = 0, actuators = 0;
    if (!qh_memory_validate(&runtime->memory) || !qh_knowledge_validate(&runtime->knowledge))
        return false;
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        free_slots += qh__slot_kind(slot) == QH_SLOT_FREE &&
                      qh__slot_generation(slot) <= QH_HANDLE_LAST_GENERATION;
        if (qh__slot_kind(slot) != QH_SLOT_AGENT) continue;
        agents++;
        actuators += ((const qh_agent *)slot->object)->actuator != NULL;
        tied += ((const qh_agent *)slot->object)->feature > 0;
        if (!qh_agent_validate(slot->object)) return false;
    }
    for (uint32_t free = runtime->first_free; free;
         free = qh__slot_at(runtime, free - 1)->next_free)
        if (++listed > runtime->slot_count) return false;
    return agents == runtime->agent_count && tied == runtime->knowledge.shared.references &&
           listed == free_slots && qh_plans_validate(&runtime->plans, agents) &&
           zones_are_sound(runtime, actuators) && indexes_are_sound(runtime) &&
           (!QH_SHARED || rooms_are_sound(runtime));
}
