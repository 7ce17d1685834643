/* The runtime: one memory under a page budget, and everything that lives in it.
 *
 *   qh_runtime_def def = qh_runtime_def_default();
 *   def.seed = 1;
 *   def.max_pages = 512;                                   at most 32 MiB
 *   qh_runtime *runtime;
 *   if (qh_runtime_create(&def, &runtime) != QH_OK) ...
 *
 * A program may have as many runtimes as it likes. Threads: one runtime is for one thread at a time; different runtimes share
 * nothing. The same seed and the same calls give the same bytes in every build, on every machine: there is no clock and no
 * entropy in the library. Natively a runtime reserves max_pages of addresses (mmap) and touches what it uses; with a libc
 * on WebAssembly (WASI, Emscripten) it takes max_pages from aligned_alloc at once, so say there what you need. */
#ifndef QHIVE_RUNTIME_H
#define QHIVE_RUNTIME_H

#include "qhive/agent.h"
#include "qhive/index.h"
#include "qhive/zones.h"

QH_BEGIN_DECLARATIONS

typedef struct qh_runtime qh_runtime;

/* The pools of preallocated blocks, in the order of qh_runtime_def.pools. */
enum {
    QH_POOL_STATE,      /* 256 bytes: one an agent */
    QH_POOL_TRAJECTORY, /* 1 KiB: remembered transitions */
    QH_POOL_MESSAGE,    /* 4 KiB */
    QH_POOL_COUNT
};

typedef struct qh_runtime_def {
    uint32_t max_pages;     /* page budget, 64 KiB each, 1..65535 */
    uint32_t initial_pages; /* usable from the start; 0: what the pools need */
    uint64_t seed;          /* master seed */
    uint32_t pools
        [QH_POOL_COUNT]; /* blocks of state, trajectory, message; the heap serves what they do not */
    bool track_allocations;
} qh_runtime_def;

/* 16384 pages (1 GiB), seed 0, pools of 1000, 5000 and 500 blocks (7.0 MiB). */
qh_runtime_def qh_runtime_def_default(void);

/* Makes a runtime. QH_INVALID_ARGUMENT for a definition out of range, QH_EXCEEDS_LIMIT when the pools do not fit the budget,
 * QH_GROWTH_FAILED when the system refuses the memory. */
qh_result qh_runtime_create(const qh_runtime_def *def, qh_runtime **runtime);

/* Destroys everything in it and gives its memory back. NULL is allowed. */
void qh_runtime_destroy(qh_runtime *runtime);

/* Makes an agent. A name must be unique (else QH_INVALID_ARGUMENT). QH_INVALID_ARGUMENT for a definition out of range,
 * QH_QUOTA_EXCEEDED when the quota does not hold even an agent that learned nothing, QH_EXCEEDS_LIMIT or QH_GROWTH_FAILED
 * when the budget is spent. Nothing has changed then. */
qh_result qh_runtime_create_agent(qh_runtime *runtime, const qh_agent_def *def, qh_handle *handle);

/* Gives all of an agent's memory back. QH_STALE_HANDLE when there is none, QH_BUSY while one of its calls is running. */
qh_result qh_runtime_destroy_agent(qh_runtime *runtime, qh_handle handle);

/* The agent behind a handle, or NULL. Valid until it is destroyed. */
qh_agent *qh_runtime_agent(const qh_runtime *runtime, qh_handle handle);

/* Makes an empty index, or one of the bytes of a frozen one. QH_INVALID_ARGUMENT for a definition out of range; QH_VERSION or
 * QH_CORRUPT for bytes that are not what qh_index_export wrote; failures of memory. Nothing has changed then. */
qh_result qh_runtime_add_index(qh_runtime *runtime, const qh_index_def *def, qh_handle *handle);
qh_result qh_runtime_load_index(qh_runtime *runtime, const void *bytes, size_t byte_count,
                                qh_handle *handle);

/* QH_STALE_HANDLE when there is none. */
qh_result qh_runtime_destroy_index(qh_runtime *runtime, qh_handle handle);

/* The index behind a handle, or NULL. Valid until it is destroyed. */
qh_index *qh_runtime_index(const qh_runtime *runtime, qh_handle handle);

/* Defines the safe zones and freezes them, once: QH_INVALID_STATE the second time, QH_INVALID_ARGUMENT for a definition out of
 * range, failures of memory. */
qh_result qh_runtime_define_zones(qh_runtime *runtime, const qh_zones_def *def);

/* The safe zones, NULL before they are defined. */
qh_zones *qh_runtime_zones(const qh_runtime *runtime);

/* A hash of the tables of all agents, in order of their slots: equal in every build after equal calls. */
uint64_t qh_runtime_hash(const qh_runtime *runtime);

/* Whether every structure of the runtime is sound. Takes time. */
bool qh_runtime_validate(const qh_runtime *runtime);

typedef struct qh_runtime_info {
    uint32_t pages, max_pages; /* usable now, and at most */
    uint32_t agents;
    uint64_t live_bytes, peak_bytes; /* of all blocks */
} qh_runtime_info;

qh_runtime_info qh_runtime_inspect(const qh_runtime *runtime);

/* The version of the library, "1.2.3". Static storage. */
const char *qh_version(void);

QH_END_DECLARATIONS

#endif
