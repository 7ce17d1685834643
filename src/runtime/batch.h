/* A batch: many agents in one call. Row i of each buffer belongs to agent i; observation rows are 64 floats apart.
 *
 * A call prepares every agent before it commits the first: it happens for all or for none. An agent is at most once in a batch.
 *
 * An agent whose episode ended begins its next one in the `step` that finds its ending 0 again: its reward is not read,
 * its row is the first observation (as in Gymnasium's next-step autoreset). While its ending stays set it rests, action -1. */
#ifndef QH_RUNTIME_BATCH_H
#define QH_RUNTIME_BATCH_H

#include "runtime/runtime.h"

#define QH_BATCH_STRIDE 64u

typedef struct qh_batch {
    qh_handle handle;
    uint32_t count;
    uint32_t destructions; /* the runtime's, when `agents` was last looked up */
    uint32_t failed_row;   /* of the last call that failed */
    bool sealed;           /* the handles were checked: each names an agent, none twice */
    qh_handle *handles;
    qh_agent **agents;
    uint64_t *keys; /* scratch of `act`: one a row */
    float *observations, *rewards;
    uint8_t *endings;
    int32_t *actions;
    double time; /* of every row, milliseconds; what actuators may do depends on it */
    qh_owner owner;
    size_t block_bytes;
} qh_batch;

/* Makes a batch for `count` >= 1 agents, all buffers zero; its handles are for the caller to fill before `seal`. */
qh_result qh_batch_create(qh_runtime *runtime, uint32_t count, qh_batch **batch);

/* Checks the handles: QH_STALE_HANDLE, or QH_INVALID_ARGUMENT for an agent that comes twice. Until this succeeded every call
 * is QH_INVALID_STATE. */
qh_result qh_batch_seal(qh_runtime *runtime, qh_batch *batch);

void qh_batch_destroy(qh_runtime *runtime, qh_batch *batch);

/* The calls of one agent, for all. A failure leaves every agent as it was and says which row it was in `failed_row`. */
qh_result qh_batch_begin(qh_runtime *runtime, qh_batch *batch);
qh_result qh_batch_step(qh_runtime *runtime, qh_batch *batch);
qh_result qh_batch_act(qh_runtime *runtime, qh_batch *batch, bool greedy);

void qh__batch_close(qh_runtime *runtime, qh_batch *batch);

#endif
