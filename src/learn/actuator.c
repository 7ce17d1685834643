#include "learn/actuator.h"

qh_result qh_actuator_open(qh_heap *heap, qh_owner *owner, const qh_agent_def *def,
                           qh_actuator **result) {
    *result = NULL;
    if (!def->zones) return QH_OK;
    if (def->zone >= def->zones->zone_count) return QH_INVALID_ARGUMENT;
    uint32_t words = (def->actions + 31) / 32;
    size_t byte_count = sizeof(qh_actuator) + ((size_t)def->actions * 2 + words) * 4;
    void *block;
    QH_TRY(qh_heap_alloc_zeroed(heap, owner, byte_count, QH_BLOCK_agent, &block));
    qh_result held = qh_shared_acquire(&def->zones->shared);
    QH_ASSERT(held == QH_OK); /* frozen, and there are fewer agents than references */
    qh_actuator *actuator = block;
    *actuator = (qh_actuator){
        .zones = def->zones, .zone = def->zone, .actions = def->actions, .byte_count = byte_count};
    actuator->deltas = (int32_t *)(void *)(actuator + 1);
    actuator->values = (float *)(void *)(actuator->deltas + def->actions);
    actuator->mask = (uint32_t *)(void *)(actuator->values + def->actions);
    for (uint32_t i = 0; i < def->actions; i++) actuator->deltas[i] = def->deltas[i];
    *result = actuator;
    return QH_OK;
}

void qh_actuator_close(qh_heap *heap, qh_owner *owner, qh_actuator *actuator) {
    if (!actuator) return;
    qh_shared_release(&actuator->zones->shared);
    qh_heap_free(heap, owner, actuator, actuator->byte_count);
}

static const qh_zone *zone_of(const qh_actuator *actuator) {
    return &actuator->zones->zones[actuator->zone];
}

static int64_t level_after(const qh_actuator *actuator, uint32_t action) {
    return (int64_t)zone_of(actuator)->index + actuator->deltas[action];
}

qh_result qh_actuator_look(qh_actuator *actuator, double time) {
    if (!qh__is_time(time)) return QH_INVALID_ARGUMENT;
    const qh_zone *zone = zone_of(actuator);
    double left;
    bool movable = qh_zone_movable(actuator->zones, zone, time, &left) == QH_REASON_within;
    for (uint32_t i = 0; i < actuator->actions; i++) {
        int64_t level = level_after(actuator, i);
        bool allowed = actuator->deltas[i] == 0 || (movable && level >= 0 && level < zone->levels);
        if (i % 32 == 0) actuator->mask[i / 32] = 0;
        actuator->mask[i / 32] |= (uint32_t)allowed << i % 32;
    }
    return QH_OK;
}

const uint32_t *qh_actuator_narrow(qh_actuator *actuator, const uint32_t *mask) {
    uint32_t any = 0;
    for (uint32_t word = 0; word * 32 < actuator->actions; word++)
        any |= actuator->mask[word] &= mask ? mask[word] : UINT32_MAX;
    return any ? actuator->mask : NULL;
}

void qh_actuator_remember(qh_actuator *actuator, const float *values) {
    for (uint32_t i = 0; i < actuator->actions; i++) actuator->values[i] = values[i];
    actuator->chose = true;
}

qh_result qh_actuator_apply(qh_actuator *actuator, uint32_t agent, uint32_t action, double time,
                            qh_change *change) {
    if (action >= actuator->actions || !qh__is_time(time)) return QH_INVALID_ARGUMENT;
    const qh_zone *zone = zone_of(actuator);
    double to = qh_zone_value(zone, level_after(actuator, action));
    if (actuator->deltas[action] == 0) {
        *change = (qh_change){.time = time,
                              .from = to,
                              .to = to,
                              .agent = agent,
                              .zone = actuator->zone,
                              .status = QH_CHANGE_applied,
                              .reason = QH_REASON_keep};
        return QH_OK;
    }
    qh_proposal proposal = {agent, actuator->zone, to, time, NULL, 0};
    if (actuator->chose) {
        proposal.values = actuator->values;
        proposal.value_count = actuator->actions;
    }
    return qh_zones_propose(actuator->zones, &proposal, change);
}
