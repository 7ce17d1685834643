/* The one buffer through which JavaScript and the core exchange what does not fit a number. It lies in static memory; its
 * offsets, and every enumeration that crosses, are published by abi.c, from which the package generates its tables. */
#ifndef QH_WASM_IO_H
#define QH_WASM_IO_H

#include "runtime/batch.h"
#include "wasm/exports.h"

#define QH_IO_TEXT_BYTES 4096
#define QH_IO_NUMBERS 64

typedef struct qh_io {
    alignas(64) float observation[QH_MAX_DIMS]; /* in: of the state */
    float next[QH_MAX_DIMS];                    /* in: of the next state */
    double numbers[QH_IO_NUMBERS];              /* out: whatever is read in bulk */
    float values[QH_MAX_ACTIONS];               /* out: one number an action or dimension */
    uint32_t counts[QH_MAX_ACTIONS]; /* out: one count an action; in: an actuator's grid steps */
    uint32_t mask[QH_MASK_WORDS];    /* in: one bit an action, 1 = allowed */
    uint8_t text[QH_IO_TEXT_BYTES];  /* in: a name in UTF-8 */
    qh_dim dims[QH_MAX_DIMS];        /* in: of an encoder */
    double time;                     /* in: of a choice, with QH_FLAG_TIME */
    qh_agent_def def; /* in: of an agent; pointers and name_length are set by the core */
} qh_io;

extern QH_THREAD_LOCAL qh_io qh__io; /* exports.c */

#if QH_OWNS_MEMORY
extern unsigned char __heap_base;
#define QH_HEAP_START ((size_t)&__heap_base)
#else
#define QH_HEAP_START 0
#endif

/* Bits of the `flags` argument. */
enum {
    QH_FLAG_GREEDY = 1,
    QH_FLAG_MASK = 2,         /* `mask` counts */
    QH_FLAG_IN_PLACE = 4,     /* the observation is in the agent's own input block */
    QH_FLAG_TIME = 8,         /* `time` counts */
    QH_FLAG_PROBABILITY = 16, /* numbers[0] is the probability with which the action was chosen */
};

/* The runtime, NULL before it is opened, and the open transfer buffer, NULL when there is none. */
qh_runtime *qh__instance(void);
unsigned char *qh__transfer(size_t *byte_count);

#if QH_THREADS
/* Lets go of the lock that the thread keeps, and of the wait for one. */
void qh__locks_end(void);
#endif

/* Puts a block of the runtime's in the place of the open transfer buffer. numbers: its address and size. */
void qh__transfer_replace(void *block, size_t byte_count);

#if QH_THREADS
/* Makes the places of threads; the caller's is 0. QH_INVALID_ARGUMENT but for 1 .. QH_MAX_THREADS; failures of memory. */
qh_result qh__places_open(qh_runtime *opened, uint32_t places, bool may_sleep);
#endif

/* A definition that is seen from outside (wasm/exports.h). */
#define EXPORT(type, name, parameters) __attribute__((visibility("default"))) type name parameters

#endif
