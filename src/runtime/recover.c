#include "runtime/recover.h"

#if QH_THREADS

#include "learn/salvage.h"
#include "runtime/batch.h"
#include "runtime/claims.h"

/* ---------------------------------------------------------------- objects */

static qh_handle handle_at(const qh_runtime *runtime, uint32_t number) {
    return qh__handle_make(number, qh__slot_generation(qh__slot_at(runtime, number)));
}

static bool owns(const qh_memory *memory, const void *object, uint32_t id, uint32_t kind) {
    const qh_record *record = object ? qh_records_find(&memory->records, object) : NULL;
    return record && record->owner == id && record->owner_kind == kind;
}

static bool is_listed(const qh_memory *memory, const qh_shared *shared) {
    for (const qh_shared *at = memory->shared.first; at; at = at->next)
        if (at == shared) return true;
    return false;
}

/* Its slot is taken before it is filled in. */
static bool batch_stands(const qh_memory *memory, const qh_batch *batch, qh_handle handle) {
    return owns(memory, batch, handle, QH_OWNER_batch) && batch->handle == handle &&
           batch->owner.id == handle && batch->block_bytes > 0 && batch->endings;
}

/* Whether an object is all there, as far as it cannot be made anew. */
static bool object_stands(const qh_runtime *runtime, uint32_t number) {
    const qh_memory *memory = &runtime->memory;
    const qh_slot *slot = qh__slot_at(runtime, number);
    qh_handle handle = handle_at(runtime, number);
    switch (qh__slot_kind(slot)) {
    case QH_SLOT_AGENT: return qh__agent_has_core(memory, slot->object, handle);
    case QH_SLOT_BATCH: return batch_stands(memory, slot->object, handle);
    case QH_SLOT_INDEX:
        return owns(memory, slot->object, handle, QH_OWNER_index) &&
               is_listed(memory, &((const qh_index *)slot->object)->shared);
    case QH_SLOT_FILTER: {
        const qh_record *record =
            slot->object ? qh_records_find(&memory->records, slot->object) : NULL;
        return record && record->owner_kind == QH_OWNER_index;
    }
    default: return false;
    }
}

/* The slot's object is no more; its blocks are found by their owner, who no longer lives. */
static void drop_object(qh_runtime *runtime, uint32_t number) {
    qh_slot *slot = qh__slot_at(runtime, number);
    slot->object = NULL;
    slot->notes = NULL;
    slot->readers = 0;
    slot->passing = slot->newborn = false;
    slot->maker = 0;
    qh__slot_set(slot, qh__slot_generation(slot) + 1, QH_SLOT_FREE);
}

/* Whether the thread has claimed what is in a slot. */
static bool has_claimed(const qh_slot *slot, uint32_t place) {
    return (qh__atomic_load(&slot->word) & 0xFF) == place + 1;
}

/* An agent that others were not told of, or an index that was being built, is nothing without its maker. */
static bool is_unfinished(const qh_slot *slot) {
    return slot->newborn || (qh__slot_kind(slot) == QH_SLOT_INDEX &&
                             !((const qh_index *)slot->object)->shared.frozen);
}

/* Of the thread alone; what another one is using by now is everybody's. */
static bool is_private(qh_slot *slot, uint32_t place) {
    if (slot->maker != place + 1) return false;
    if (!qh__slot_is_used(slot, place)) return true;
    slot->maker = 0;
    return false;
}

static void drop_ruins(qh_runtime *runtime, uint32_t place, bool registry, qh_recovery *report) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        qh_slot *slot = qh__slot_at(runtime, i);
        if (qh__slot_kind(slot) == QH_SLOT_FREE) continue;
        bool claimed = has_claimed(slot, place), private = is_private(slot, place);
        if (!(claimed || private || registry)) continue;
        if (object_stands(runtime, i) && !private && !(claimed && is_unfinished(slot))) continue;
        drop_object(runtime, i);
        report->removed++;
    }
}

/* Filters whose index is gone, which still lies where it was. */
static void drop_orphans(qh_runtime *runtime, qh_recovery *report) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        if (qh__slot_kind(slot) != QH_SLOT_FILTER) continue;
        const qh_index *index = ((const qh_filter *)slot->object)->index;
        if (qh_runtime_owner_lives(runtime, index->shared.id)) continue;
        drop_object(runtime, i);
        report->removed++;
    }
}

/* ---------------------------------------------------------------- registry */

static void count_slots(qh_runtime *runtime) {
    uint32_t count = runtime->slot_count;
    if (runtime->slot_capacity / QH_SLOT_SEGMENT < QH_HANDLE_SLOTS / QH_SLOT_SEGMENT &&
        runtime->segments[runtime->slot_capacity / QH_SLOT_SEGMENT])
        runtime->slot_capacity += QH_SLOT_SEGMENT;
    if (count < runtime->slot_capacity &&
        qh__slot_kind(qh__slot_at(runtime, count)) != QH_SLOT_FREE)
        qh__atomic_store(&runtime->slot_count, count + 1);
}

static void list_slots(qh_runtime *runtime) {
    uint32_t agents = 0;
    runtime->first_free = 0;
    for (uint32_t i = runtime->slot_count; i-- > 0;) {
        qh_slot *slot = qh__slot_at(runtime, i);
        agents += qh__slot_kind(slot) == QH_SLOT_AGENT;
        if (qh__slot_kind(slot) == QH_SLOT_AGENT) {
            const qh_agent *agent = slot->object;
            if (!(agent->stream >> 63) && agent->stream >= runtime->next_number)
                runtime->next_number = (uint32_t)agent->stream + 1;
        }
        slot->next_free = 0;
        if (qh__slot_kind(slot) != QH_SLOT_FREE ||
            qh__slot_generation(slot) > QH_HANDLE_LAST_GENERATION)
            continue;
        slot->next_free = runtime->first_free;
        runtime->first_free = i + 1;
    }
    runtime->agent_count = agents;
    runtime->destructions++;
    qh__atomic_add(&runtime->changes, 1);
}

/* ---------------------------------------------------------------- references */

/* A list whose links forward are right, since each is changed in one step. */
static void relink(qh_runtime *runtime) {
    qh_shared_list *list = &runtime->memory.shared;
    qh_shared *previous = NULL, **link = &list->first;
    list->count = 0;
    while (*link) {
        qh_shared *shared = *link;
        bool is_zones = runtime->zones && shared == &runtime->zones->shared;
        bool is_own =
            shared == &runtime->knowledge.shared || shared->owner == &runtime->plans.owner;
        if (!is_zones && !is_own && !(shared->id && qh_runtime_owner_lives(runtime, shared->id))) {
            *link = shared->next;
            continue;
        }
        if (is_own && shared == &runtime->knowledge.shared) runtime->knowledge.listed = true;
        shared->previous = previous;
        shared->references = 0;
        list->count++;
        previous = shared;
        link = &shared->next;
    }
}

static void count_references(qh_runtime *runtime) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        if (qh__slot_kind(slot) == QH_SLOT_FILTER)
            ((qh_filter *)slot->object)->index->shared.references++;
        if (qh__slot_kind(slot) != QH_SLOT_AGENT) continue;
        qh_agent *agent = slot->object;
        agent->encoder.plan->shared.references++;
        if (agent->actuator) agent->actuator->zones->shared.references++;
        if (agent->feature) runtime->knowledge.shared.references++;
    }
}

static bool is_loose_plan(const qh_record *record, void *context) {
    const qh_runtime *runtime = context;
    if (record->owner != 0 || record->owner_kind != QH_OWNER_encoders) return false;
    return !is_listed(&runtime->memory, &((const qh_plan *)record->block)->shared);
}

/* Plans that nobody holds. */
static void settle_plans(qh_runtime *runtime, qh_recovery *report) {
    qh_shared_list *list = &runtime->memory.shared;
    runtime->plans.count = 0;
    for (qh_shared *at = list->first, *next; at; at = next) {
        next = at->next;
        if (at->owner != &runtime->plans.owner) continue;
        at->frozen = true;
        runtime->plans.count += at->references > 0;
        if (at->references == 0) qh_shared_close(list, at);
    }
    report->blocks += qh__salvage(&runtime->memory, is_loose_plan, runtime);
    qh__owner_settle(&runtime->memory, &runtime->plans.owner);
}

/* ---------------------------------------------------------------- what belongs to nobody */

static bool is_segment(const qh_runtime *runtime, const void *block) {
    for (uint32_t i = 0; i < runtime->slot_capacity / QH_SLOT_SEGMENT; i++)
        if (runtime->segments[i] == block) return true;
    return false;
}

static bool is_note(const qh_runtime *runtime, const void *block) {
    const struct qh_note *const *links = (const struct qh_note *const *)&runtime->notes;
    for (const void *at = *links; at; at = *(void *const *)at)
        if (at == block) return true;
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        for (const void *at = qh__slot_at(runtime, i)->notes; at; at = *(void *const *)at)
            if (at == block) return true;
    return false;
}

static bool is_nobodys(const qh_record *record, void *context) {
    const qh_runtime *runtime = context;
    if (!qh_runtime_owner_lives(runtime, record->owner)) return true;
    if (record->owner != 0) return false;
    if (record->owner_kind == QH_OWNER_zones) return record->block != (void *)runtime->zones;
    if (record->owner_kind != QH_OWNER_threads || record->block == runtime->stacks) return false;
    return !is_segment(runtime, record->block) && !is_note(runtime, record->block);
}

/* What a thread had open. */
static bool is_of_thread(const qh_record *record, void *context) {
    return record->owner_kind == QH_OWNER_threads &&
           record->owner == *(const uint32_t *)context + 1;
}

static void settle_thread(qh_runtime *runtime, uint32_t place, qh_recovery *report) {
    report->blocks += qh__salvage(&runtime->memory, is_of_thread, &place);
    qh__owner_settle(&runtime->memory, &runtime->scratch[place]);
}

/* ---------------------------------------------------------------- agents */

static void settle_agent(qh_runtime *runtime, qh_slot *slot, qh_recovery *report) {
    qh_agent *agent = slot->object;
    qh_memory *memory = &runtime->memory;
    bool was_borrowed = agent->borrowed;
    agent->borrowed = false;
    agent->table.last_row = 0; /* what was found last, and its key, are two words */
    if (qh__agent_is_whole(memory, agent)) {
        if (was_borrowed) qh__agent_mend(agent);
        report->repaired += was_borrowed;
        return;
    }
    qh__agent_rebuild(memory, agent);
    if (report->reset < QH_RECOVERED_HANDLES) report->handles[report->reset] = agent->handle;
    report->reset++;
}

static void settle_agents(qh_runtime *runtime, uint32_t place, qh_recovery *report) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        qh_slot *slot = qh__slot_at(runtime, i);
        if (qh__slot_kind(slot) == QH_SLOT_AGENT && has_claimed(slot, place))
            settle_agent(runtime, slot, report);
    }
}

/* ---------------------------------------------------------------- indexes */

typedef struct index_in {
    const qh_runtime *runtime;
    const qh_index *index;
} index_in;

static bool is_stray(const qh_record *record, void *context) {
    const index_in *in = context;
    if (record->owner != in->index->shared.id || record->owner_kind != QH_OWNER_index ||
        qh__index_knows(in->index, record->block))
        return false;
    for (uint32_t i = 0; i < in->runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(in->runtime, i);
        if (slot->object == record->block && qh__slot_kind(slot) == QH_SLOT_FILTER) return false;
    }
    return true;
}

uint32_t qh__index_collect(qh_runtime *runtime, qh_index *index) {
    index_in in = {runtime, index};
    uint32_t count = qh__salvage(&runtime->memory, is_stray, &in);
    qh__owner_settle(&runtime->memory, &index->owner);
    qh__atomic_store(&index->strays, 0);
    return count;
}

/* The desk at which the thread was searching is empty; what lay on it is given back now, or where others search by who comes later. */
static void settle_index(qh_runtime *runtime, uint32_t number, uint32_t place,
                         qh_recovery *report) {
    qh_slot *slot = qh__slot_at(runtime, number);
    qh_index *index = slot->object;
    qh_claim claim;
    if (qh__atomic_load(&slot->readers) >> place & 1) {
        if (index->shared.frozen) { /* else it looked, and was not to read */
            index->desks[place] = (qh_index_desk){0};
            qh__atomic_store(&index->strays, 1);
        }
        qh__atomic_add(&slot->readers, 0 - (1u << place));
    }
    if (!qh__atomic_load(&index->strays) ||
        qh__claim(runtime, handle_at(runtime, number), QH_SLOT_INDEX, &claim) != QH_OK)
        return;
    report->blocks += qh__index_collect(runtime, index);
    qh__claim_end(&claim);
}

static void settle_indexes(qh_runtime *runtime, uint32_t place, qh_recovery *report) {
    for (uint32_t i = 0; i < runtime->slot_count; i++)
        if (qh__slot_kind(qh__slot_at(runtime, i)) == QH_SLOT_INDEX)
            settle_index(runtime, i, place, report);
}

/* ---------------------------------------------------------------- rooms */

static bool agent_lives(const void *context, qh_handle agent) {
    return qh_runtime_agent(context, agent) != NULL;
}

/* What the thread held, before anybody else gets it: bits by qh_lock_id. */
static uint32_t locks_of(qh_runtime *runtime, uint32_t place) {
    qh_threads *threads = qh__threads();
    uint32_t held = 0;
    held |= (uint32_t)qh_mutex_withdraw(&runtime->registry.lock, threads, place)
            << QH_LOCK_REGISTRY;
    held |= (uint32_t)qh_mutex_withdraw(&runtime->federation.lock, threads, place)
            << QH_LOCK_FEDERATION;
    held |= (uint32_t)qh_mutex_withdraw(&runtime->messages.lock, threads, place)
            << QH_LOCK_MESSAGES;
    held |= (uint32_t)qh_mutex_withdraw(&runtime->knowledge.lock, threads, place) << QH_LOCK_SEARCH;
    if (runtime->zones)
        held |= (uint32_t)qh_mutex_withdraw(&runtime->zones->lock, threads, place) << QH_LOCK_ZONES;
    if (qh_mutex_withdraw(&runtime->metrics.lock.gate, threads, place))
        held |= 1u << QH_LOCK_METRICS;
    return held;
}

static void settle_rooms(qh_runtime *runtime, uint32_t held, qh_recovery *report) {
    uint32_t lost = 0;
    if (held >> QH_LOCK_FEDERATION & 1)
        lost |= (uint32_t)qh__federation_salvage(&runtime->federation) << QH_LOCK_FEDERATION;
    if (held >> QH_LOCK_METRICS & 1)
        lost |= (uint32_t)(qh__metrics_salvage(&runtime->metrics) > 0) << QH_LOCK_METRICS;
    if (held >> QH_LOCK_MESSAGES & 1)
        lost |= (uint32_t)!qh__messages_salvage(&runtime->messages, agent_lives, runtime)
                << QH_LOCK_MESSAGES;
    if (held >> QH_LOCK_ZONES & 1)
        lost |= (uint32_t)qh__zones_salvage(runtime->zones) << QH_LOCK_ZONES;
    report->rooms |= lost;
}

/* What waits for agents that live no more. Where the lock cannot be had that waits for the next who has their slot, or who recovers. */
static void forget_dead(qh_runtime *runtime) {
    qh_messages *messages = &runtime->messages;
    if (qh__room_enter_soon(&messages->lock, messages->lock_id) != QH_OK) return;
    for (uint32_t i = 0; i < messages->inbox_count; i++) {
        qh_handle agent = messages->inboxes[i].agent;
        if (agent && !agent_lives(runtime, agent)) qh_messages_forget(messages, agent);
    }
    qh__room_leave(&messages->lock, messages->lock_id);
}

static void free_rooms(qh_runtime *runtime, uint32_t place) {
    qh_threads *threads = qh__threads();
    qh_mutex_recover(&runtime->federation.lock, threads, place);
    qh_mutex_recover(&runtime->messages.lock, threads, place);
    qh_mutex_recover(&runtime->knowledge.lock, threads, place);
    if (runtime->zones) qh_mutex_recover(&runtime->zones->lock, threads, place);
    qh_rwlock_recover(&runtime->metrics.lock, threads, place);
}

/* ---------------------------------------------------------------- the whole */

static bool is_of_knowledge(const qh_record *record, void *context) {
    (void)context;
    return record->owner == 0 && record->owner_kind == QH_OWNER_knowledge;
}

/* A catalogue that was being replaced is given up; nobody holds it, since it was not frozen. */
static void settle_knowledge(qh_runtime *runtime, qh_recovery *report) {
    qh_knowledge *knowledge = &runtime->knowledge;
    if (!knowledge->changing) return;
    if (is_listed(&runtime->memory, &knowledge->shared))
        qh_shared_close(&runtime->memory.shared, &knowledge->shared);
    report->blocks += qh__salvage(&runtime->memory, is_of_knowledge, NULL);
    knowledge->catalogue = (qh_catalogue){0};
    knowledge->listed = knowledge->shared.frozen = knowledge->changing = false;
    qh__owner_settle(&runtime->memory, &knowledge->owner);
    report->rooms |= 1u << QH_LOCK_SEARCH;
}

static void settle_registry(qh_runtime *runtime, uint32_t place, bool registry,
                            qh_recovery *report) {
    if (registry) count_slots(runtime);
    drop_ruins(runtime, place, registry, report);
    if (report->removed) drop_orphans(runtime, report);
    if (!registry && report->removed == 0) return;
    list_slots(runtime);
    relink(runtime);
    count_references(runtime);
    settle_plans(runtime, report);
    settle_knowledge(runtime, report);
    report->blocks += qh__salvage(&runtime->memory, is_nobodys, runtime);
    qh__owner_settle(&runtime->memory, &runtime->threads_owner);
}

qh_result qh_runtime_recover(qh_runtime *runtime, uint32_t place, qh_recovery *report) {
    qh_heap *heap = &runtime->memory.heap;
    *report = (qh_recovery){0};
    if (place >= QH_MAX_THREADS || place == qh__self()) return QH_INVALID_ARGUMENT;
    report->undone = qh_memory_recover(heap, place);
    uint32_t held = locks_of(runtime, place);
    bool registry = held >> QH_LOCK_REGISTRY & 1;
    if (!registry) QH_TRY(qh__room_enter_soon(&runtime->registry.lock, QH_LOCK_REGISTRY));
    qh_result result = qh__memory_enter_soon(heap);
    if (result == QH_OK) {
        settle_registry(runtime, place, registry, report);
        settle_thread(runtime, place, report);
        settle_agents(runtime, place, report);
        settle_indexes(runtime, place, report);
        settle_rooms(runtime, held, report);
        qh__memory_leave(heap);
        report->released = qh_runtime_release_all(runtime, place);
    }
    if (result == QH_OK) free_rooms(runtime, place);
    if (result == QH_OK) forget_dead(runtime);
    if (!registry) qh__room_leave(&runtime->registry.lock, QH_LOCK_REGISTRY);
    if (result == QH_OK) qh_mutex_recover(&runtime->registry.lock, qh__threads(), place);
    return result;
}

#endif
