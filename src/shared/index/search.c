/* Searching: a walk or a scan, which of them, filters, and where queries and results lie. */
#include "base/bits.h"
#include "shared/index/graph.h"

#define QUERY_CODE 4095.0f /* 127 * 4095 * 4096 dims < 2^31 */
#define CHUNK 64u
#define WALK_FACTOR 8u /* distances that a walk computes for each row it keeps, about */

/* The nearest rows so far: distance, then label. */
typedef struct top_rows {
    qh_key *keys;
    uint32_t size, most;
} top_rows;

/* ---------------------------------------------------------------- one query */

QH_FAST_BEGIN

static void offer(qh_index *index, top_rows *best, const qh_key *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (best->size == best->most && keys[i] >> 32 > best->keys[best->size - 1] >> 32) continue;
        qh_key key = (keys[i] >> 32 << 32) | index->rows.labels[qh__key_row(keys[i])];
        if (best->size == best->most && key >= best->keys[best->size - 1]) continue;
        qh__index_insert(best->keys, &best->size, best->most, key);
    }
}

static bool allows(const qh_index_request *search, uint32_t row) {
    return !search->bits || (search->bits[row >> 5] >> (row & 31) & 1);
}

static void scan_rows(qh_index *index, const uint32_t *rows, uint32_t count, top_rows *best) {
    qh_key keys[CHUNK];
    if (index->rows.vectors)
        qh__index_measure(index, qh__index_work(index)->query, rows, count, keys);
    else
        qh__index_measure_codes(index, rows, count, keys);
    offer(index, best, keys, count);
}

static void scan_allowed(qh_index *index, const qh_index_request *search, top_rows *best) {
    uint32_t rows[CHUNK], count = 0;
    for (uint32_t row = 0; row < index->count; row++) {
        rows[count] = row;
        count += allows(search, row);
        if (count < CHUNK) continue;
        scan_rows(index, rows, count, best);
        count = 0;
    }
    scan_rows(index, rows, count, best);
}

/* Offers the best rows of the beam that are allowed; those of an index with codes and vectors by their vectors. */
static void harvest(qh_index *index, const qh_index_request *search, top_rows *best) {
    const qh_index_work *work = qh__index_work(index);
    bool rerank = index->def.storage == QH_STORE_I8_F32;
    uint32_t most = rerank ? QH_MAX(QH_INDEX_RERANK, 2 * search->k) : search->k;
    for (uint32_t i = 0; i < work->beam_size && most > 0; i++) {
        uint32_t row = qh__key_row(work->beam[i]);
        if (!allows(search, row)) continue;
        if (rerank)
            scan_rows(index, &row, 1, best);
        else
            offer(index, best, work->beam + i, 1);
        most--;
    }
}

static void encode_query(qh_index *index) {
    qh_index_work *work = qh__index_work(index);
    const float *centre = index->fixed.centre;
    memset(work->query_codes, 0, index->code_stride * sizeof(int16_t));
    work->query_scale =
        qh__index_encode(work->query, centre, index->def.dims, QUERY_CODE, work->query_codes);
    if (!centre) return;
    double square = 0;
    for (uint32_t i = 0; i < index->stride; i++) {
        double x = (double)work->query[i] - (double)centre[i];
        square += x * x;
    }
    work->query_square = (float)square;
}

static void find_one(qh_index *index, const qh_index_request *search, uint32_t ef, top_rows *best) {
    bool codes = index->fixed.codes;
    const float *query = qh__index_work(index)->query;
    best->size = 0;
    if (codes) encode_query(index);
    if (ef > 0) {
        qh__index_walk(index, query, codes, 0, qh__index_descend(index, query, codes, 0), ef);
        harvest(index, search, best);
        if (best->size == QH_MIN(search->k, search->allowed)) return;
        best->size = 0;
    }
    scan_allowed(index, search, best);
}

QH_FAST_END

static float reported_distance(const qh_index *index, qh_key key) {
    float distance = qh__unsortable((uint32_t)(key >> 32));
    if (!index->rows.vectors && index->def.metric == QH_L2)
        distance = 2 * distance + qh__index_work(index)->query_square;
    return distance < 0 && index->def.metric != QH_IP ? 0 : distance;
}

static void write_results(const qh_index *index, uint32_t query, const top_rows *best) {
    size_t first = (size_t)query * best->most;
    uint32_t *labels = qh__index_desk(index)->exchange.labels + first;
    float *distances = qh__index_desk(index)->exchange.distances + first;
    for (uint32_t i = 0; i < best->most; i++) {
        labels[i] = i < best->size ? (uint32_t)best->keys[i] : UINT32_MAX;
        distances[i] = i < best->size ? reported_distance(index, best->keys[i]) : __builtin_inff();
    }
}

/* ---------------------------------------------------------------- all queries */

/* The length of a walk's beam, 0 for a scan. A filter makes the beam longer by what it lets through. */
static uint32_t beam_length(const qh_index *index, const qh_index_request *search) {
    if (!index->shared.frozen || search->mode == QH_INDEX_SCAN || search->allowed == 0) return 0;
    uint64_t ef = QH_MAX(search->ef, search->k);
    if (index->def.storage == QH_STORE_I8_F32) ef = QH_MAX(ef, QH_INDEX_RERANK);
    ef = QH_MIN(ef * index->count / search->allowed, (uint64_t)index->count);
    bool scan = search->allowed < QH_INDEX_SCAN_ROWS || ef * WALK_FACTOR > search->allowed;
    return scan && search->mode != QH_INDEX_GRAPH ? 0 : (uint32_t)ef;
}

qh_result qh_index_find(qh_index *index, const qh_index_request *search, uint32_t *found,
                        uint32_t *failed) {
    const qh_index_exchange *exchange = &qh__index_desk(index)->exchange;
    qh_index_request bounded = *search;
    top_rows best = {exchange->best, 0, search->k};
    *found = *failed = 0;
    if (search->k > exchange->k || search->query_count > exchange->query_count)
        return QH_INVALID_STATE;
    if (!search->bits) bounded.allowed = index->count;
    uint32_t ef = beam_length(index, &bounded);
    QH_TRY(qh__index_work_reserve(index, ef));
    for (uint32_t i = 0; i < search->query_count; i++) {
        *failed = i;
        memcpy(qh__index_work(index)->query, exchange->queries + (size_t)i * index->def.dims,
               index->def.dims * sizeof(float));
        if (!qh__index_prepare(index, qh__index_work(index)->query)) return QH_INVALID_ARGUMENT;
        find_one(index, &bounded, ef, &best);
        write_results(index, i, &best);
    }
    *found = best.size;
    return QH_OK;
}

/* ---------------------------------------------------------------- queries and results */

static uint64_t lay_out_exchange(unsigned char *block, uint64_t dims, uint64_t words,
                                 qh_index_exchange *exchange) {
    uint64_t at = 0, n = exchange->query_count, k = exchange->k;
    exchange->best = qh__index_part(block, &at, k * sizeof(qh_key));
    exchange->queries = qh__index_part(block, &at, n * dims * sizeof(float));
    exchange->labels = qh__index_part(block, &at, n * k * sizeof(uint32_t));
    exchange->distances = qh__index_part(block, &at, n * k * sizeof(float));
    exchange->bits = qh__index_part(block, &at, words * sizeof(uint32_t));
    return at;
}

static void free_exchange(qh_index *index) {
    qh__index_free(index, qh__index_desk(index)->exchange.block,
                   qh__index_desk(index)->exchange.byte_count);
    qh__index_desk(index)->exchange = (qh_index_exchange){0};
}

qh_result qh_index_exchange_reserve(qh_index *index, uint32_t query_count, uint32_t k,
                                    bool with_bits) {
    qh_index_exchange fresh = {.query_count = query_count, .k = k, .rows = index->count};
    if (query_count == 0) {
        free_exchange(index);
        return QH_OK;
    }
    uint64_t words = with_bits ? index->count / 32 + 1 : 0;
    uint64_t byte_count = lay_out_exchange(NULL, index->def.dims, words, &fresh);
    if ((uint64_t)query_count * k > UINT32_MAX / 8) return QH_OVERFLOW;
    qh_result result;
    fresh.block = qh__index_alloc(index, byte_count, &result);
    if (!fresh.block) return result;
    fresh.byte_count = (size_t)byte_count;
    lay_out_exchange(fresh.block, index->def.dims, words, &fresh);
    free_exchange(index);
    qh__index_desk(index)->exchange = fresh;
    return QH_OK;
}

/* ---------------------------------------------------------------- filters */

uint32_t qh__index_count_bits(uint32_t *bits, uint32_t count) {
    uint32_t ones = 0;
    bits[count / 32] &= (1u << count % 32) - 1;
    for (uint32_t i = 0; i <= count / 32; i++) ones += (uint32_t)__builtin_popcount(bits[i]);
    return ones;
}

uint32_t qh_index_category_bits(qh_index *index, uint32_t category, const uint32_t *bits) {
    qh_index_exchange *exchange = &qh__index_desk(index)->exchange;
    const uint16_t *categories = index->rows.categories;
    if (!bits && exchange->bits_of == category + 1) return exchange->allowed;
    for (uint32_t first = 0; first < index->count; first += 32) {
        uint32_t word = 0, end = QH_MIN(index->count - first, 32u);
        for (uint32_t i = 0; i < end; i++)
            word |= (uint32_t)((categories ? categories[first + i] : 0u) == category) << i;
        exchange->bits[first >> 5] = bits ? word & bits[first >> 5] : word;
    }
    exchange->bits_of = bits ? 0 : category + 1;
    exchange->allowed = qh__index_count_bits(exchange->bits, index->count);
    return exchange->allowed;
}

static size_t filter_bytes(const qh_index *index) {
    return sizeof(qh_filter) + (index->count / 32 + 1) * sizeof(uint32_t);
}

qh_result qh_filter_open(qh_index *index, qh_handle handle, const uint32_t *bits,
                         qh_filter **filter) {
    QH_TRY(qh_shared_acquire(&index->shared));
    qh_result result;
    qh_filter *opened = qh__index_alloc(index, filter_bytes(index), &result);
    if (!opened) {
        qh_shared_release(&index->shared);
        return result;
    }
    *opened = (qh_filter){.handle = handle, .index = index};
    memcpy(opened->bits, bits, filter_bytes(index) - sizeof *opened);
    opened->allowed = qh__index_count_bits(opened->bits, index->count);
    *filter = opened;
    return QH_OK;
}

void qh_filter_close(qh_filter *filter) {
    qh_index *index = filter->index;
    qh_shared_release(&index->shared);
    qh__index_free(index, filter, filter_bytes(index));
}
