/* The batch: what it does is told in qhive/batch.h. */
#ifndef QH_RUNTIME_BATCH_H
#define QH_RUNTIME_BATCH_H

#include "qhive/batch.h"
#include "runtime/runtime.h"

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

void qh__batch_close(qh_runtime *runtime, qh_batch *batch);

#endif
