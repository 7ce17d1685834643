/* What the public C headers (include/qhive) have beyond the core's own functions: everything checked, as the exports of the
 * WebAssembly module do for JavaScript. In the libraries, not in the module. */
#include "base/bytes.h"
#include "learn/transfer.h"
#include "qhive/qhive.h"
#include "runtime/batch.h"

#define DEFAULT_EF 64u

#ifndef QHIVE_VERSION
#define QHIVE_VERSION "0.0.0"
#endif

const char *qh_version(void) {
    return QHIVE_VERSION;
}

/* ---------------------------------------------------------------- runtime */

qh_result qh_runtime_create(const qh_runtime_def *def, qh_runtime **runtime) {
    bool sound = def->max_pages >= 1 && def->max_pages <= 65535;
    for (int i = 0; i < QH_POOL_COUNT; i++) sound &= def->pools[i] <= 0x100000;
    return sound ? qh_runtime_open(def, 0, runtime) : QH_INVALID_ARGUMENT;
}

void qh_runtime_destroy(qh_runtime *runtime) {
    if (runtime) qh_runtime_close(runtime);
}

qh_runtime_info qh_runtime_inspect(const qh_runtime *runtime) {
    const qh_memory *memory = &runtime->memory;
    return (qh_runtime_info){.pages = memory->budget.pages,
                             .max_pages = memory->budget.max_pages,
                             .agents = runtime->agent_count,
                             .live_bytes = memory->heap.live_bytes,
                             .peak_bytes = memory->heap.peak_bytes};
}

qh_result qh_runtime_define_zones(qh_runtime *runtime, const qh_zones_def *def) {
    if (runtime->zones) return QH_INVALID_STATE;
    return qh_zones_open(&runtime->memory, def, &runtime->zones);
}

qh_zones *qh_runtime_zones(const qh_runtime *runtime) {
    return runtime->zones;
}

double qh_zones_value(const qh_zones *zones, uint32_t zone) {
    if (zone >= zones->zone_count) return __builtin_nan("");
    return qh_zone_value(&zones->zones[zone], zones->zones[zone].index);
}

/* ---------------------------------------------------------------- agents */

qh_result qh_agent_look(qh_agent *agent, double time) {
    return agent->actuator ? qh_actuator_look(agent->actuator, time) : QH_OK;
}

qh_result qh_agent_apply(qh_agent *agent, uint32_t action, double time, qh_change *change) {
    if (!agent->actuator) return QH_INVALID_STATE;
    return qh_actuator_apply(agent->actuator, agent->handle, action, time, change);
}

qh_agent_info qh_agent_inspect(const qh_agent *agent) {
    return (qh_agent_info){.handle = agent->handle,
                           .actions = agent->actions,
                           .states = agent->table.rows,
                           .running = agent->running,
                           .live_bytes = agent->owner.live_bytes,
                           .peak_bytes = agent->owner.peak_bytes,
                           .quota_bytes = agent->owner.quota_bytes,
                           .metrics = agent->metrics};
}

/* ---------------------------------------------------------------- batches */

qh_batch_rows qh_batch_buffers(qh_batch *batch) {
    return (qh_batch_rows){.count = batch->count,
                           .handles = batch->handles,
                           .observations = batch->observations,
                           .rewards = batch->rewards,
                           .endings = batch->endings,
                           .actions = batch->actions,
                           .time = &batch->time};
}

uint32_t qh_batch_failed_row(const qh_batch *batch) {
    return batch->failed_row;
}

/* ---------------------------------------------------------------- indexes */

qh_result qh_runtime_add_index(qh_runtime *runtime, const qh_index_def *def, qh_handle *handle) {
    return qh_runtime_create_index(runtime, def, NULL, 0, handle);
}

qh_result qh_runtime_load_index(qh_runtime *runtime, const void *bytes, size_t byte_count,
                                qh_handle *handle) {
    if (!bytes) return QH_CORRUPT;
    return qh_runtime_create_index(runtime, NULL, bytes, byte_count, handle);
}

qh_index *qh_runtime_index(const qh_runtime *runtime, qh_handle handle) {
    return qh__runtime_object(runtime, handle, QH_SLOT_INDEX);
}

qh_result qh_index_append(qh_index *index, const float *vectors, const uint32_t *labels,
                          uint32_t count, uint32_t *failed) {
    uint32_t at_fault = 0;
    QH_TRY(qh_index_reserve(index, count));
    size_t dims = index->def.dims, stride = index->stride, first = index->count;
    for (size_t i = 0; i < count; i++) {
        float *row = index->rows.vectors + (first + i) * stride;
        memset(row, 0, stride * sizeof(float));
        memcpy(row, vectors + i * dims, dims * sizeof(float));
        index->rows.labels[first + i] = labels ? labels[i] : (uint32_t)(first + i);
        index->rows.categories[first + i] = 0;
    }
    qh_result result = qh_index_commit(index, count, &at_fault);
    if (result != QH_OK && failed) *failed = at_fault;
    return result;
}

qh_result qh_index_nearest(qh_index *index, const float *query, uint32_t k, uint32_t ef,
                           uint32_t *labels, float *distances, uint32_t *found) {
    if (ef == 0) ef = DEFAULT_EF;
    if (k == 0 || k > QH_INDEX_MAX_ROWS || ef > QH_INDEX_MAX_EF) return QH_INVALID_ARGUMENT;
    QH_TRY(qh_index_exchange_reserve(index, 1, k, false));
    memcpy(qh__index_desk(index)->exchange.queries, query, index->def.dims * sizeof(float));
    uint32_t failed;
    qh_index_request request = {.query_count = 1, .k = k, .ef = ef, .mode = QH_INDEX_CHOSEN};
    QH_TRY(qh_index_find(index, &request, found, &failed));
    memcpy(labels, qh__index_desk(index)->exchange.labels, *found * sizeof(uint32_t));
    memcpy(distances, qh__index_desk(index)->exchange.distances, *found * sizeof(float));
    return QH_OK;
}

qh_index_details qh_index_inspect(const qh_index *index) {
    return (qh_index_details){.def = index->def,
                              .rows = index->count,
                              .frozen = index->shared.frozen,
                              .live_bytes = index->owner.live_bytes};
}
