/* A batch: many agents in one call. Row i of each buffer belongs to agent i; observation rows are QH_BATCH_STRIDE floats apart,
 * the first float of a row is the state of an index encoder.
 *
 * A call prepares every agent before it commits the first: it happens for all or for none. An agent is at most once in a batch.
 *
 * An agent whose episode ended begins its next one in the `step` that finds its ending 0 again: its reward is not read,
 * its row is the first observation (as in Gymnasium's next-step autoreset). While its ending stays set it rests, action -1. */
#ifndef QHIVE_BATCH_H
#define QHIVE_BATCH_H

#include "qhive/runtime.h"

QH_BEGIN_DECLARATIONS

#define QH_BATCH_STRIDE 64u

typedef struct qh_batch qh_batch;

/* Where the rows lie; valid until the batch is destroyed. */
typedef struct qh_batch_rows {
    uint32_t count;
    qh_handle *handles;  /* in, before `seal` */
    float *observations; /* in: QH_BATCH_STRIDE floats a row */
    float *rewards;      /* in */
    uint8_t *endings;    /* in: qh_ending */
    int32_t *actions;    /* out */
    double *time;        /* in: of every row, milliseconds, the caller's clock */
} qh_batch_rows;

/* Makes a batch for `count` >= 1 agents, all buffers zero; its handles are for the caller to fill before `seal`. */
qh_result qh_batch_create(qh_runtime *runtime, uint32_t count, qh_batch **batch);

qh_batch_rows qh_batch_buffers(qh_batch *batch);

/* Checks the handles: QH_STALE_HANDLE, or QH_INVALID_ARGUMENT for an agent that comes twice. Until this succeeded every call
 * is QH_INVALID_STATE. */
qh_result qh_batch_seal(qh_runtime *runtime, qh_batch *batch);

void qh_batch_destroy(qh_runtime *runtime, qh_batch *batch);

/* The calls of one agent, for all. A failure leaves every agent as it was; `qh_batch_failed_row` says whose row it was. */
qh_result qh_batch_begin(qh_runtime *runtime, qh_batch *batch);
qh_result qh_batch_step(qh_runtime *runtime, qh_batch *batch);
qh_result qh_batch_act(qh_runtime *runtime, qh_batch *batch, bool greedy);

uint32_t qh_batch_failed_row(const qh_batch *batch);

QH_END_DECLARATIONS

#endif
