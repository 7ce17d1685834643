/* The exports of the vector index. As in exports.c: handles are looked up, numbers checked, nothing is trusted. */
#include "wasm/io.h"

#include "runtime/claims.h"
#include "shared/index/index.h"

#if QH_SHARED

#if QH_THREADS
/* Claims an index for the length of the call; one that is frozen, by `to_read`, as one of its readers. */
static qh_result use_index(uint32_t handle, bool to_read, qh_claim *claim, qh_index **index) {
    const qh_runtime *opened = qh__instance();
    if (!opened) return QH_STALE_HANDLE;
    qh_result result =
        to_read ? qh__claim_to_read(opened, handle, QH_SLOT_INDEX, claim) : QH_INVALID_STATE;
    if (result == QH_INVALID_STATE) result = qh__claim(opened, handle, QH_SLOT_INDEX, claim);
    if (result == QH_OK) *index = qh__claimed(opened, handle);
    return result;
}

#define USE_INDEX_OR_RETURN(index, handle, to_read)                                                \
    QH_CLAIM(index_claim);                                                                         \
    qh_index *index;                                                                               \
    QH_TRY(use_index(handle, to_read, &index_claim, &index))
#define INDEX_OR_RETURN(index, handle) USE_INDEX_OR_RETURN(index, handle, false)
#define INDEX_TO_READ_OR_RETURN(index, handle) USE_INDEX_OR_RETURN(index, handle, true)
#else
static qh_index *vector_index_of(uint32_t handle) {
    qh_runtime *opened = qh__instance();
    return opened ? qh__runtime_object(opened, handle, QH_SLOT_INDEX) : NULL;
}
#endif

static qh_filter *filter_of(uint32_t handle) {
    qh_runtime *opened = qh__instance();
    return opened ? qh__runtime_object(opened, handle, QH_SLOT_FILTER) : NULL;
}

#if !QH_THREADS
#define INDEX_OR_RETURN(index, handle)                                                             \
    qh_index *index = vector_index_of(handle);                                                     \
    if (QH_UNLIKELY(!index)) return QH_STALE_HANDLE
#define INDEX_TO_READ_OR_RETURN(index, handle) INDEX_OR_RETURN(index, handle)
#endif

static double address_of(const void *at) {
    return (double)(uintptr_t)at;
}

/* Makes an index: its handle (> 0). Without `seeded` its levels come from the runtime's seed. */
EXPORT(int32_t, qh_index_create,
       (uint32_t dims, uint32_t metric, uint32_t m, uint32_t ef_construction, uint32_t storage,
        uint32_t seed_low, uint32_t seed_high, uint32_t seeded)) {
    qh_runtime *opened = qh__instance();
    if (!opened) return QH_INVALID_STATE;
    qh_index_def def = {
        dims, metric, m, ef_construction, storage, (uint64_t)seed_high << 32 | seed_low};
    if (!seeded) def.seed = opened->plans.seed;
    qh_handle handle;
    QH_HOLD_REGISTRY(opened);
    QH_TRY(qh_runtime_create_index(opened, &def, NULL, 0, &handle));
    return (int32_t)handle;
}

/* Destroys an index or a filter. QH_BUSY for an index with filters. */
EXPORT(int32_t, qh_index_destroy, (uint32_t handle)) {
#if QH_THREADS
    QH_CLAIM(claim);
    if (!qh__instance()) return QH_STALE_HANDLE;
    QH_TRY(qh__claim(qh__instance(), handle, QH_SLOT_FREE, &claim));
    QH_HOLD_REGISTRY(qh__instance());
    QH_TRY(qh_runtime_destroy_index(qh__instance(), handle));
    claim.slot = NULL; /* it ended with its object */
    return QH_OK;
#else
    return qh__instance() ? qh_runtime_destroy_index(qh__instance(), handle) : QH_STALE_HANDLE;
#endif
}

/* Makes room for `count` more rows. numbers: the addresses of their vectors, labels (uint32) and categories (uint16), floats from
 * one vector to the next. */
EXPORT(int32_t, qh_index_room, (uint32_t handle, uint32_t count)) {
    INDEX_OR_RETURN(index, handle);
    QH_TRY(qh_index_reserve(index, count));
    double *numbers = qh__io.numbers;
    numbers[0] = address_of(index->rows.vectors + (size_t)index->count * index->stride);
    numbers[1] = address_of(index->rows.labels + index->count);
    numbers[2] = address_of(index->rows.categories + index->count);
    numbers[3] = index->stride;
    return QH_OK;
}

/* Adds the `count` rows that were written there. On failure numbers[0] says which was at fault. */
EXPORT(int32_t, qh_index_add, (uint32_t handle, uint32_t count)) {
    INDEX_OR_RETURN(index, handle);
    uint32_t failed;
    qh_result result = qh_index_commit(index, count, &failed);
    if (result != QH_OK) qh__io.numbers[0] = failed;
    return result;
}

/* Puts up to `count` more rows into the graph: how many are in it. */
EXPORT(int32_t, qh_index_insert, (uint32_t handle, uint32_t count)) {
    INDEX_OR_RETURN(index, handle);
    QH_TRY(qh_index_build(index, count));
    return (int32_t)index->graph.built;
}

EXPORT(int32_t, qh_index_end, (uint32_t handle)) {
    INDEX_OR_RETURN(index, handle);
    return qh_index_freeze(index);
}

/* numbers: rows, rows in the graph, frozen, bytes, holders, address of the labels, dims, metric, M, efConstruction, storage, low and
 * high half of the seed. */
EXPORT(int32_t, qh_index_info, (uint32_t handle)) {
    INDEX_TO_READ_OR_RETURN(index, handle);
    double *numbers = qh__io.numbers;
    const uint32_t def[] = {index->def.dims,
                            index->def.metric,
                            index->def.m,
                            index->def.ef_construction,
                            index->def.storage,
                            (uint32_t)index->def.seed,
                            (uint32_t)(index->def.seed >> 32)};
    numbers[0] = index->count;
    numbers[1] = index->shared.frozen ? index->count : index->graph.built;
    numbers[2] = index->shared.frozen;
    numbers[3] = (double)(QH_THREADS ? index->shared.byte_count : index->owner.live_bytes);
    numbers[4] = index->shared.references;
    numbers[5] = address_of(index->rows.labels);
    for (uint32_t i = 0; i < sizeof def / sizeof *def; i++) numbers[6 + i] = def[i];
    return QH_OK;
}

/* Makes room for queries and results; 0 queries: gives it back. numbers: addresses of queries (dims floats each), labels (uint32),
 * distances (float32; k each), and bits (uint32 words, one bit a row), 0 unless asked for. */
EXPORT(int32_t, qh_index_exchange_open,
       (uint32_t handle, uint32_t query_count, uint32_t k, uint32_t with_bits)) {
    INDEX_TO_READ_OR_RETURN(index, handle);
    QH_TRY(qh_index_exchange_reserve(index, query_count, k, with_bits));
    const qh_index_exchange *exchange = &qh__index_desk(index)->exchange;
    double *numbers = qh__io.numbers;
    numbers[0] = address_of(exchange->queries);
    numbers[1] = address_of(exchange->labels);
    numbers[2] = address_of(exchange->distances);
    numbers[3] = address_of(exchange->bits);
    return QH_OK;
}

/* What a search may find: a filter's rows, those of the bits in the exchange (1) or all (0); of them one category's (-1: any). */
static qh_result narrow(qh_index *index, uint32_t filter, int32_t category,
                        qh_index_request *search) {
    qh_index_exchange *exchange = &qh__index_desk(index)->exchange;
    bool has_bits = exchange->bits && exchange->rows == index->count;
    if (!has_bits && (filter == 1 || category >= 0)) return QH_INVALID_STATE;
    if (filter > 1) {
        const qh_filter *held = filter_of(filter);
        if (!held) return QH_STALE_HANDLE;
        if (held->index != index) return QH_INVALID_ARGUMENT;
        search->bits = held->bits;
        search->allowed = held->allowed;
    } else if (filter == 1) {
        exchange->bits_of = 0;
        search->bits = exchange->bits;
        search->allowed = qh__index_count_bits(exchange->bits, index->count);
    }
    if (category >= 0) {
        search->allowed = qh_index_category_bits(index, (uint32_t)category, search->bits);
        search->bits = exchange->bits;
    }
    return QH_OK;
}

/* Searches for the first `query_count` queries in the exchange: how many rows were found for the last. On failure numbers[0] says which
 * query was at fault. */
EXPORT(int32_t, qh_index_search,
       (uint32_t handle, uint32_t query_count, uint32_t k, uint32_t ef, uint32_t mode,
        uint32_t filter, int32_t category)) {
    INDEX_TO_READ_OR_RETURN(index, handle);
    if (mode > QH_INDEX_GRAPH || k == 0) return QH_INVALID_ARGUMENT;
    qh_index_request search = {.query_count = query_count, .k = k, .ef = ef, .mode = mode};
#if QH_THREADS
    QH_CLAIM(filter_claim);
    if (filter > 1)
        QH_TRY(qh__claim_to_read(qh__instance(), filter, QH_SLOT_FILTER, &filter_claim));
#endif
    QH_TRY(narrow(index, filter, category, &search));
    uint32_t found, failed;
    qh_result result = qh_index_find(index, &search, &found, &failed);
    if (result == QH_OK) return (int32_t)found;
    qh__io.numbers[0] = failed;
    return result;
}

/* Makes a filter of the bits in the exchange: its handle. numbers: how many rows it allows. */
EXPORT(int32_t, qh_index_filter, (uint32_t handle)) {
    INDEX_TO_READ_OR_RETURN(index, handle);
    qh_filter *filter;
    QH_HOLD_REGISTRY(qh__instance());
    if (!qh__index_desk(index)->exchange.bits ||
        qh__index_desk(index)->exchange.rows != index->count)
        return QH_INVALID_STATE;
    qh__index_desk(index)->exchange.bits_of = 0;
    QH_TRY(qh_runtime_create_filter(qh__instance(), index, qh__index_desk(index)->exchange.bits,
                                    &filter));
    qh__io.numbers[0] = filter->allowed;
    return (int32_t)filter->handle;
}

/* Opens the transfer buffer and writes the index into it. numbers: its address and size. */
EXPORT(int32_t, qh_index_write, (uint32_t handle)) {
    INDEX_TO_READ_OR_RETURN(index, handle);
    size_t byte_count;
    QH_TRY(qh_index_export_size(index, &byte_count));
    if (byte_count > UINT32_MAX) return QH_OVERFLOW;
    QH_TRY(qh_transfer_open((uint32_t)byte_count));
    qh_index_export(index, qh__transfer(&byte_count));
    return QH_OK;
}

/* Makes an index of the bytes in the transfer buffer, which stays open: its handle. */
EXPORT(int32_t, qh_index_read, (void)) {
    size_t byte_count;
    const unsigned char *bytes = qh__transfer(&byte_count);
    if (!qh__instance() || !bytes) return QH_INVALID_STATE;
    qh_handle handle;
    QH_HOLD_REGISTRY(qh__instance());
    QH_TRY(qh_runtime_create_index(qh__instance(), NULL, bytes, byte_count, &handle));
    return (int32_t)handle;
}

#endif
