/* The vector index: the rows nearest to a vector, exactly by a scan or nearly by a graph (HNSW: Malkov & Yashunin, TPAMI 2020).
 * Rows are added, the graph is built over them, then the index is frozen, once. A search is allowed at any time; before
 * freezing it is a scan. The same rows in the same order and the same seed give the same bytes in every build. */
#ifndef QHIVE_INDEX_H
#define QHIVE_INDEX_H

#include "qhive/common.h"

QH_BEGIN_DECLARATIONS

typedef struct qh_index qh_index;

typedef enum qh_metric {
    QH_COSINE, /* 1 - cos(x, q); a vector of zeros is at distance 1 from everything */
    QH_L2,     /* squared Euclidean distance */
    QH_IP      /* 1 - x . q */
} qh_metric;

typedef enum qh_storage {
    QH_STORE_F32,
    QH_STORE_I8_F32, /* the graph is walked on 8-bit codes, the best are ranked again by their vectors */
    QH_STORE_I8      /* codes only: distances are those of the codes */
} qh_storage;

typedef struct qh_index_def {
    uint32_t dims;   /* 1..4096 */
    uint32_t metric; /* qh_metric */
    uint32_t m;      /* 2..64: links a row on levels above 0; twice that on level 0. Default 16 */
    uint32_t ef_construction; /* 1..4096, default 200 */
    uint32_t storage;         /* qh_storage, default f32 */
    uint64_t seed;            /* of the levels */
} qh_index_def;

/* Cosine, M 16, efConstruction 200, float32, seed 0; dims are the caller's. */
qh_index_def qh_index_def_default(void);

/* Adds rows: `count` * dims floats, and a label each (NULL: the rows' numbers). All or none: QH_INVALID_ARGUMENT for a value that
 * is not finite or above 1e17 in size, or a label that is there already (`failed`, where not NULL, is the row then);
 * QH_INVALID_STATE when frozen; failures of memory. */
qh_result qh_index_append(qh_index *index, const float *vectors, const uint32_t *labels,
                          uint32_t count, uint32_t *failed);

/* Puts up to `count` more rows into the graph, in the order in which they were added. */
qh_result qh_index_build(qh_index *index, uint32_t count);

/* Builds what is left, then freezes. QH_INVALID_STATE when it is frozen; failures of memory, after which it can be tried again. */
qh_result qh_index_freeze(qh_index *index);

/* The `k` rows nearest to a query of dims floats: labels and distances, nearest first, equals by label; `found` is how many there
 * are. `ef`: rows that a walk keeps, 1..4096, raised to k; 0: 64. QH_INVALID_ARGUMENT for a query with a value that is
 * not finite or above 1e17, or a `k` or `ef` out of range; failures of memory. */
qh_result qh_index_nearest(qh_index *index, const float *query, uint32_t k, uint32_t ef,
                           uint32_t *labels, float *distances, uint32_t *found);

/* Bytes that qh_index_export writes. QH_INVALID_STATE before freezing. */
qh_result qh_index_export_size(const qh_index *index, size_t *byte_count);
void qh_index_export(const qh_index *index, unsigned char *bytes);

typedef struct qh_index_details {
    qh_index_def def;
    uint32_t rows;
    bool frozen;
    uint64_t live_bytes;
} qh_index_details;

qh_index_details qh_index_inspect(const qh_index *index);

QH_END_DECLARATIONS

#endif
