/* The vector index: the rows nearest to a vector, exactly by a scan or nearly by a graph (HNSW: Malkov & Yashunin, "Efficient and
 * robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs", TPAMI 2020). Names are the paper's:
 * M, efConstruction, ef, level, mL.
 *
 * Life: rows are added; the graph is built over them, at once or in slices; then the index is frozen, once. Freezing puts the rows
 * in a new order (by level, then breadth first: neighbours in the graph become neighbours in memory), packs the links, drops what only
 * building needed, and from then on nothing changes. A search is allowed at any time; before freezing it is a scan.
 *
 *   building   one growable block: vectors, labels, links of level 0 (1 + 2M + 1 numbers a row), set of labels; links above 0 apart
 *   frozen     one block: vectors | codes | scales | halves | centre | labels | categories | offsets | links, these of 16 bits each
 *              up to 65,536 rows. The rows of level l and above are the first counts[l] ones; row r has its links of level l
 *              at offsets[first_of[l] + r]
 *
 * What differs from the paper: a row that no other leads to gets one more link from a reachable row near it when freezing (level 0
 * has room for 2M + 1), so that every row can be reached from the entry; a walk keeps one sorted array instead of two heaps; and
 * a scan takes the graph's place where it is cheaper: up to 1,000 rows, where a filter leaves few, and where a walk found
 * fewer allowed rows than there are.
 *
 * Same rows and seed, same bytes, in every build (kernel.h). Tried and dropped: a kernel unrolled for 64 dimensions (1.00x), -O3 (1.05x
 * for 2 KB more), touching the codes' lines ahead as is done for vectors (0.95x).
 *
 * Invariants (qh_index_validate): links lie on their level and within it; frozen: offsets rise to the number of links, no row has more
 * links than its level allows, every row is reachable on level 0, labels differ, vectors and scales are finite. */
#ifndef QH_SHARED_INDEX_INDEX_H
#define QH_SHARED_INDEX_INDEX_H

#include "base/handle.h"
#include "base/random.h"
#include "memory/memory.h"
#include "memory/shared.h"
#include "qhive/index.h"
#include "shared/index/kernel.h"
#include "sync/thread.h"

#define QH_INDEX_MAX_DIMS 4096u
#define QH_INDEX_MAX_M 64u
#define QH_INDEX_MAX_EF 4096u
#define QH_INDEX_MAX_ROWS 0x10000000u
#define QH_INDEX_LEVELS 16u
#define QH_INDEX_MAX_CATEGORY 0xFFFFu
#define QH_INDEX_MAX_DEGREE (2 * QH_INDEX_MAX_M + 1)
#define QH_INDEX_LARGEST                                                                           \
    1e17 /* size of a value: the sum of 4,096 squared differences is a finite float */
#define QH_INDEX_SCAN_ROWS 1000u
#define QH_INDEX_RERANK 20u
#define QH_INDEX_USUAL_EF 128u /* a beam for which there is room from the start */

typedef enum qh_index_mode {
    QH_INDEX_CHOSEN, /* a scan where it is cheaper than the graph */
    QH_INDEX_SCAN,
    QH_INDEX_GRAPH
} qh_index_mode;

/* The rows: in one block while building, with room for `capacity` of them; in the frozen block afterwards. */
typedef struct qh_index_rows {
    float *
        vectors; /* stride floats each; of length 1 (or 0) for cosine. NULL when frozen to codes only */
    uint32_t *labels;
    uint16_t *categories;
} qh_index_rows;

/* What only building needs. */
typedef struct qh_index_graph {
    uint32_t *links;    /* of level 0: their number, then 2M + 1 places, for each row */
    uint32_t *upper_at; /* where the row's links above level 0 begin in `upper` */
    uint32_t *places;   /* hash set of labels, of 2^place_bits: 1 + row */
    uint8_t *levels;
    uint32_t
        *upper; /* its own block: their number, then M places, for each level of a row above 0 */
    uint32_t place_bits, upper_count, upper_capacity;
    uint32_t placed; /* rows whose `upper_at` is known */
    uint32_t built;  /* rows in the graph */
    qh_random random;
} qh_index_graph;

/* What only a frozen index has. */
typedef struct qh_index_frozen {
    uint32_t *offsets;
    void *links;                     /* uint16_t up to 65,536 rows, else uint32_t */
    float *scales, *halves, *centre; /* of the codes */
    int8_t *codes;                   /* code_stride each */
    uint32_t counts[QH_INDEX_LEVELS], first_of[QH_INDEX_LEVELS];
    uint32_t offset_count, link_count;
} qh_index_frozen;

/* What a walk writes to: one block; `visited` is in the rows' block while building. */
typedef struct qh_index_work {
    void *block;
    size_t byte_count;
    uint32_t ef;          /* room of the beam, less one */
    float *query;         /* prepared: stride floats */
    int16_t *query_codes; /* code_stride */
    float query_scale, query_square;
    qh_key *beam;
    uint32_t beam_size;
    uint8_t *visited; /* one a row: the epoch of the walk that came there last */
    uint8_t epoch;
    float touched;
} qh_index_work;

/* Where queries and results of a caller lie: one block, kept from call to call. */
typedef struct qh_index_exchange {
    void *block;
    size_t byte_count;
    uint32_t query_count, k;
    float *queries;   /* dims each */
    qh_key *best;     /* k: scratch */
    uint32_t *labels; /* k each */
    float *distances; /* k each */
    uint32_t *bits;   /* one for each of `rows`, and one more word at most; NULL unless asked for */
    uint32_t rows;    /* of the index when the room was made */
    uint32_t bits_of; /* 1 + the category whose rows `bits` has, 0: something else */
    uint32_t allowed; /* ones in `bits`, where it has a category's rows */
} qh_index_exchange;

/* What a search writes to. Of each thread: a frozen index is searched by many at once. */
typedef struct qh_index_desk {
    qh_index_work work;
    qh_index_exchange exchange;
} qh_index_desk;

typedef struct qh_index {
    qh_memory *memory;
    qh_owner owner;
    qh_shared shared;
    qh_index_def def;
    uint32_t stride, code_stride; /* of a row: floats, a multiple of 4; codes, of 16 */
    uint32_t count, capacity;
    uint32_t top, entry; /* the highest level, and the row there where every walk begins */
    void *block;         /* of the rows */
    size_t block_bytes;
    qh_index_rows rows;
    qh_index_graph graph;
    qh_index_frozen fixed;
#if QH_THREADS
    qh_index_desk desks[QH_MAX_THREADS];
    uint32_t strays; /* 1: blocks of the index's may be left that nothing names any more */
#else
    qh_index_desk desk;
#endif
} qh_index;

#if QH_THREADS
#define QH_DESK_COUNT QH_MAX_THREADS
#define QH_DESKS(index) (index)->desks
#else
#define QH_DESK_COUNT 1
#define QH_DESKS(index) (&(index)->desk)
#endif

/* The calling thread's; while it is built an index has the work of one. */
QH_INLINE qh_index_desk *qh__index_desk(const qh_index *index) {
#if QH_THREADS
    return (qh_index_desk *)&index->desks[qh__self()];
#else
    return (qh_index_desk *)&index->desk;
#endif
}

QH_INLINE qh_index_work *qh__index_work(const qh_index *index) {
#if QH_THREADS
    return (qh_index_work *)&index->desks[index->shared.frozen ? qh__self() : 0].work;
#else
    return (qh_index_work *)&index->desk.work;
#endif
}

/* A set of rows of a frozen index, which it holds. */
typedef struct qh_filter {
    qh_handle handle;
    uint32_t allowed;
    qh_index *index;
    uint32_t bits[]; /* one a row, and one more word at most */
} qh_filter;

/* ---------------------------------------------------------------- life */

/* Makes an empty index. QH_INVALID_ARGUMENT for a definition out of its ranges; fails like qh_heap_alloc. */
qh_result qh_index_open(qh_memory *memory, const qh_index_def *def, qh_handle handle,
                        qh_index **index);

/* Gives everything back. QH_BUSY while a filter, or anything else, holds it. */
qh_result qh_index_close(qh_index *index);

#if QH_THREADS
/* Whether a block of the index's, which nobody uses now, is one that it knows of; filters are not. */
bool qh__index_knows(const qh_index *index, const void *block);
#endif

/* ---------------------------------------------------------------- building */

/* Makes room for `count` more rows, whose vectors (stride floats each), labels and categories (zero) the caller then writes behind those
 * of the last row. QH_INVALID_STATE when frozen, QH_EXCEEDS_LIMIT past 2^28 rows; fails like qh_heap_alloc. Nothing has changed then. */
qh_result qh_index_reserve(qh_index *index, uint32_t count);

/* Adds the `count` rows written there, all or none. QH_INVALID_ARGUMENT for a vector with a value that is not finite or above 1e17 in
 * size, or a label that is there already; `failed` is the row then, counted from the first of these. QH_INVALID_STATE
 * when frozen, or without room for them. */
qh_result qh_index_commit(qh_index *index, uint32_t count, uint32_t *failed);

/* ---------------------------------------------------------------- searching */

/* Makes room in `exchange` for `query_count` queries with `k` results each, and with a bit for each row if asked; 0 queries: gives it
 * back. */
qh_result qh_index_exchange_reserve(qh_index *index, uint32_t query_count, uint32_t k,
                                    bool with_bits);

typedef struct qh_index_request {
    uint32_t query_count, k; /* at most what the exchange has room for */
    uint32_t ef;             /* rows that a walk keeps; raised to k */
    uint32_t mode;           /* qh_index_mode */
    const uint32_t *bits;    /* NULL, or one bit a row: 1 allows it */
    uint32_t allowed;        /* number of ones */
} qh_index_request;

/* For each query in the exchange the `k` rows nearest to it: labels and distances, nearest first, equals by label. Where there are fewer
 * the rest is label 0xFFFFFFFF at distance infinity; `found` is how many the last query has. QH_INVALID_ARGUMENT for a query with
 * a value that is not finite or above 1e17 (`failed` says which); fails like qh_heap_alloc when ef is larger than ever. */
qh_result qh_index_find(qh_index *index, const qh_index_request *search, uint32_t *found,
                        uint32_t *failed);

/* Writes the rows of a category, of those that `bits` allows where it is not NULL, to the exchange's bits: their number. */
uint32_t qh_index_category_bits(qh_index *index, uint32_t category, const uint32_t *bits);

/* A filter of the rows whose bits are set. QH_INVALID_STATE before the index is frozen; fails like qh_heap_alloc. */
qh_result qh_filter_open(qh_index *index, qh_handle handle, const uint32_t *bits,
                         qh_filter **filter);

void qh_filter_close(qh_filter *filter);

/* The ones among the first `count` bits; the others of their last word (there are count / 32 + 1) are set to 0. */
uint32_t qh__index_count_bits(uint32_t *bits, uint32_t count);

/* ---------------------------------------------------------------- bytes */

/* A frozen index as bytes, little-endian:
 *   0  "QHIX"     4  version (1)   8  CRC-32C of all bytes, this field as 0      12 dims      16 metric     20 M
 *   24 efConstruction              28 storage       32 rows      36 offsets      40 links     44 1: there are categories
 *   48 seed (64 bits)              56 0             64 rows of each of 16 levels and above
 *   128 the frozen block */
#define QH_INDEX_HEADER_BYTES 128u

/* Makes a frozen index of bytes. QH_VERSION for another version, QH_CORRUPT for anything damaged, cut, or that no index can be; fails like
 * qh_heap_alloc. Nothing has changed then. */
qh_result qh_index_import(qh_memory *memory, const unsigned char *bytes, size_t byte_count,
                          qh_handle handle, qh_index **index);

/* Whether it is sound; takes a few bytes a row of memory for a moment, and looks less closely where there are none. */
bool qh_index_validate(qh_index *index);

#endif
