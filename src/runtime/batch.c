#include "runtime/batch.h"

#include "base/bytes.h"
#include "learn/express.h"
#include "runtime/claims.h"

#if QH_THREADS
/* A row that is claimed by its handle is the agent that was looked up. */
#define DESTRUCTIONS(runtime) 0u
#else
#define DESTRUCTIONS(runtime) (runtime)->destructions
#endif

/* ---------------------------------------------------------------- life */

static size_t lay_out_batch(qh_batch *batch, unsigned char *block, uint32_t count) {
    size_t observations = qh__align_up(sizeof(qh_batch), 64), n = count;
    size_t agents = observations + n * QH_BATCH_STRIDE * sizeof(float);
    size_t keys = qh__align_up(agents + n * sizeof(void *), 16);
    size_t rewards = keys + n * sizeof(uint64_t);
    size_t actions = rewards + n * sizeof(float), handles = actions + n * sizeof(int32_t);
    size_t endings = handles + n * sizeof(qh_handle), end = endings + n;
    if (!batch) return end;
    batch->observations = (float *)(void *)(block + observations);
    batch->agents = (qh_agent **)(void *)(block + agents);
    batch->keys = (uint64_t *)(void *)(block + keys);
    batch->rewards = (float *)(void *)(block + rewards);
    batch->actions = (int32_t *)(void *)(block + actions);
    batch->handles = (qh_handle *)(void *)(block + handles);
    batch->endings = block + endings;
    return end;
}

qh_result qh_batch_create(qh_runtime *runtime, uint32_t count, qh_batch **result) {
    if (count == 0 || count > QH_HANDLE_SLOTS) return QH_INVALID_ARGUMENT;
    qh_heap *heap = &runtime->memory.heap;
    qh_handle handle;
    QH_TRY(qh__runtime_reserve(runtime, &handle));
    qh_owner owner;
    qh_owner_open(heap, &owner, handle, QH_OWNER_batch, SIZE_MAX);
    size_t bytes = lay_out_batch(NULL, NULL, count);
    void *block;
    QH_TRY(qh_heap_alloc_zeroed(heap, &owner, bytes, QH_BLOCK_batch, &block));
    qh_batch *batch = block;
    qh__runtime_register(runtime, handle, batch, QH_SLOT_BATCH);
    batch->handle = handle;
    batch->count = count;
    batch->destructions = DESTRUCTIONS(runtime) - 1; /* no agent was looked up yet */
    batch->block_bytes = bytes;
    batch->owner = owner;
    lay_out_batch(batch, block, count);
    *result = batch;
    return QH_OK;
}

void qh__batch_close(qh_runtime *runtime, qh_batch *batch) {
    qh_owner owner = batch->owner;
    qh_heap_free(&runtime->memory.heap, &owner, batch, batch->block_bytes);
}

void qh_batch_destroy(qh_runtime *runtime, qh_batch *batch) {
    qh_handle handle = batch->handle;
    qh__batch_close(runtime, batch);
    qh__runtime_forget(runtime, handle);
}

#if QH_THREADS
/* Rows claimed for the length of a call: all, or none. */
typedef struct taken_rows {
    const qh_runtime *runtime;
    const qh_batch *batch;
} taken_rows;

static void return_rows(const qh_runtime *runtime, const qh_batch *batch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) qh__claim_end_passing(runtime, batch->handles[i]);
}

static void return_all_rows(const taken_rows *rows) {
    if (rows->batch) return_rows(rows->runtime, rows->batch, rows->batch->count);
}

static qh_result take_rows(const qh_runtime *runtime, qh_batch *batch, taken_rows *rows) {
    for (uint32_t i = 0; i < batch->count; i++) {
        qh_result result = qh__claim_passing(runtime, batch->handles[i]);
        if (QH_LIKELY(result == QH_OK)) continue;
        return_rows(runtime, batch, i);
        batch->failed_row = i;
        return result;
    }
    *rows = (taken_rows){runtime, batch};
    return QH_OK;
}

#define TAKE_ROWS(runtime, batch)                                                                  \
    __attribute__((cleanup(return_all_rows))) taken_rows rows = {0};                               \
    QH_TRY(take_rows(runtime, batch, &rows))
#else
#define TAKE_ROWS(runtime, batch) ((void)0)
#endif

static qh_result look_up(qh_runtime *runtime, qh_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->agents[i] = qh_runtime_agent(runtime, batch->handles[i]);
        batch->failed_row = i;
        if (!batch->agents[i]) return QH_STALE_HANDLE;
    }
    batch->destructions = DESTRUCTIONS(runtime);
    return QH_OK;
}

/* `borrowed` serves as the mark of an agent already seen. */
qh_result qh_batch_seal(qh_runtime *runtime, qh_batch *batch) {
    batch->sealed = false;
    batch->destructions = DESTRUCTIONS(runtime) - 1;
    TAKE_ROWS(runtime, batch);
    QH_TRY(look_up(runtime, batch));
    uint32_t seen = 0;
    while (seen < batch->count && !batch->agents[seen]->borrowed)
        batch->agents[seen++]->borrowed = true;
    for (uint32_t i = 0; i < seen; i++) batch->agents[i]->borrowed = false;
    batch->failed_row = seen;
    batch->sealed = seen == batch->count;
    if (batch->sealed) return QH_OK;
    batch->destructions = DESTRUCTIONS(runtime) - 1;
    return QH_INVALID_ARGUMENT;
}

#if QH_THREADS
QH_INLINE qh_result refresh(const qh_runtime *runtime, qh_batch *batch) {
    (void)runtime;
    batch->failed_row = 0;
    return batch->sealed ? QH_OK : QH_INVALID_STATE;
}
#else
static QH_NOINLINE qh_result look_up_again(qh_runtime *runtime, qh_batch *batch) {
    batch->failed_row = 0;
    return batch->sealed ? look_up(runtime, batch) : QH_INVALID_STATE;
}

QH_INLINE qh_result refresh(qh_runtime *runtime, qh_batch *batch) {
    return QH_LIKELY(batch->destructions == DESTRUCTIONS(runtime)) ? QH_OK
                                                                   : look_up_again(runtime, batch);
}
#endif

QH_FAST_BEGIN

/* ---------------------------------------------------------------- calls */

QH_INLINE qh_observation observation_of(const qh_batch *batch, uint32_t i) {
    const float *row = batch->observations + (size_t)i * QH_BATCH_STRIDE;
    return (qh_observation){row, (double)row[0]};
}

QH_INLINE qh_experience experience_of(const qh_batch *batch, uint32_t i) {
    return (qh_experience){observation_of(batch, i), (double)batch->rewards[i], batch->endings[i],
                           batch->time};
}

/* An agent with an actuator needs to know the time before it chooses. */
QH_INLINE qh_result look(const qh_batch *batch, const qh_agent *agent) {
    return QH_LIKELY(!agent->actuator) ? QH_OK
                                       : qh_actuator_look_locked(agent->actuator, batch->time);
}

static qh_result prepare_begin(const qh_batch *batch, uint32_t i) {
    QH_TRY(look(batch, batch->agents[i]));
    return qh_agent_prepare_begin(batch->agents[i], observation_of(batch, i));
}

qh_result qh_batch_begin(qh_runtime *runtime, qh_batch *batch) {
    QH_TRY(refresh(runtime, batch));
    TAKE_ROWS(runtime, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->failed_row = i;
        QH_TRY(prepare_begin(batch, i));
    }
    for (uint32_t i = 0; i < batch->count; i++)
        batch->actions[i] = qh_agent_commit_begin(batch->agents[i]);
    return QH_OK;
}

static qh_result prepare_step(qh_batch *batch, uint32_t i) {
    qh_agent *agent = batch->agents[i];
    if (QH_UNLIKELY(agent->ended && !agent->running)) {
        if (batch->endings[i] > QH_TRUNCATED) return QH_INVALID_ARGUMENT;
        return batch->endings[i] ? QH_OK : prepare_begin(batch, i);
    }
    qh_experience experience = experience_of(batch, i);
    return qh_agent_prepare_step(agent, &experience);
}

static int32_t commit_step(qh_batch *batch, uint32_t i) {
    qh_agent *agent = batch->agents[i];
    if (QH_UNLIKELY(agent->ended && !agent->running))
        return batch->endings[i] ? QH_NO_ACTION : qh_agent_commit_begin(agent);
    qh_experience experience = experience_of(batch, i);
    return qh_agent_commit_step(agent, &experience);
}

/* A pass of its own, so that the processor waits for the memory of many agents at once. */
static void find_next_rows(const qh_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        qh_agent *agent = batch->agents[i];
        if (QH_LIKELY(QH_HOT(agent->express_learner) && agent->running))
            agent->next_rows[0] = qh__table_find(&agent->table, agent->next_keys[0]);
    }
}

qh_result qh_batch_step(qh_runtime *runtime, qh_batch *batch) {
    QH_TRY(refresh(runtime, batch));
    TAKE_ROWS(runtime, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->failed_row = i;
        QH_TRY(prepare_step(batch, i));
    }
    find_next_rows(batch);
    for (uint32_t i = 0; i < batch->count; i++) batch->actions[i] = commit_step(batch, i);
    return QH_OK;
}

static qh_result find_keys(qh_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        const qh_agent *agent = batch->agents[i];
        qh_observation observation = observation_of(batch, i);
        batch->failed_row = i;
        if (QH_UNLIKELY(agent->borrowed)) return QH_BUSY;
        QH_TRY(look(batch, agent));
        if (QH_LIKELY(QH_HOT(agent->encoder.quick))) {
            batch->keys[i] = qh__encoder_cells_key(&agent->encoder, observation.values);
            if (QH_UNLIKELY(batch->keys[i] == 0)) return QH_INVALID_ARGUMENT;
            continue;
        }
        uint64_t keys[QH_MAX_TILINGS];
        QH_TRY(qh_encoder_keys(&agent->encoder, observation.values, observation.state, keys));
        batch->keys[i] = keys[0];
    }
    return QH_OK;
}

qh_result qh_batch_act(qh_runtime *runtime, qh_batch *batch, bool greedy) {
    QH_TRY(refresh(runtime, batch));
    TAKE_ROWS(runtime, batch);
    QH_TRY(find_keys(batch));
    for (uint32_t i = 0; i < batch->count; i++) {
        qh_agent *agent = batch->agents[i];
        if (QH_LIKELY(QH_HOT(agent->express))) {
            batch->actions[i] = qh__express_act(agent, batch->keys[i], greedy);
        } else if (agent->tilings == 1) {
            batch->actions[i] = qh_agent_act_on(agent, batch->keys + i, greedy, NULL);
        } else {
            qh_observation observation = observation_of(batch, i);
            qh_agent_act(agent, observation, greedy, NULL, &batch->actions[i]);
        }
    }
    return QH_OK;
}

QH_FAST_END
