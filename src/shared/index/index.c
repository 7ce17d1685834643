#include "shared/index/index.h"

#include "base/bits.h"
#include "base/maths.h"
#include "shared/index/graph.h"

#define LEVEL_STREAM 0x484E5357u
#define MOST_PLACE_BITS 30u
#define LABEL_GAMMA 0x9E3779B1u

qh_index_def qh_index_def_default(void) {
    return (qh_index_def){.m = 16, .ef_construction = 200};
}

/* ---------------------------------------------------------------- life */

bool qh__index_def_is_sound(const qh_index_def *def) {
    return def->dims - 1 < QH_INDEX_MAX_DIMS && def->metric <= QH_IP &&
           def->m - 2 <= QH_INDEX_MAX_M - 2 && def->ef_construction - 1 < QH_INDEX_MAX_EF &&
           def->storage <= QH_STORE_I8;
}

qh_result qh_index_open(qh_memory *memory, const qh_index_def *def, qh_handle handle,
                        qh_index **index) {
    if (!qh__index_def_is_sound(def)) return QH_INVALID_ARGUMENT;
    qh_owner owner;
    void *block;
    qh_owner_open(&memory->heap, &owner, handle, QH_OWNER_index, SIZE_MAX);
    QH_TRY(qh_heap_alloc_zeroed(&memory->heap, &owner, sizeof(qh_index), QH_BLOCK_vectors, &block));
    qh_index *opened = block;
    opened->memory = memory;
    opened->owner = owner;
    opened->def = *def;
    opened->stride = (uint32_t)qh__align_up(def->dims, 4);
    opened->code_stride = (uint32_t)qh__align_up(def->dims, 16);
    opened->graph.random = qh__random_seeded(def->seed, LEVEL_STREAM);
    qh_shared_open(&memory->shared, &opened->shared, &opened->owner, handle,
                   opened->owner.live_bytes);
    *index = opened;
    return QH_OK;
}

/* What the desks of a frozen index take does not count: many threads have some at once. */
QH_INLINE void note_bytes(qh_index *index) {
    if (QH_THREADS && index->shared.frozen) return;
    index->shared.byte_count = index->owner.live_bytes;
}

void *qh__index_alloc(qh_index *index, uint64_t byte_count, qh_result *result) {
    void *block = NULL;
    *result = byte_count > SIZE_MAX
                  ? QH_OVERFLOW
                  : qh_heap_alloc(&index->memory->heap, &index->owner,
                                  QH_MAX((size_t)byte_count, (size_t)1), QH_BLOCK_vectors, &block);
    note_bytes(index);
    return block;
}

#if QH_THREADS
/* While many read it its books are nobody's own: what cannot be given back under their lock is found by its record later. */
static void free_of_frozen(qh_index *index, void *block, size_t byte_count) {
    if (!qh__heap_try_free(&index->memory->heap, &index->owner, block, byte_count))
        qh__atomic_store(&index->strays, 1);
}

bool qh__index_knows(const qh_index *index, const void *block) {
    bool knows = block == index || block == index->block || block == index->graph.upper;
    for (uint32_t i = 0; i < QH_DESK_COUNT && !knows; i++)
        knows = block == index->desks[i].work.block || block == index->desks[i].exchange.block;
    return knows;
}
#endif

void qh__index_free(qh_index *index, void *block, size_t byte_count) {
#if QH_THREADS
    if (block && index->shared.frozen) {
        free_of_frozen(index, block, QH_MAX(byte_count, (size_t)1));
        return;
    }
#endif
    if (block)
        qh_heap_free(&index->memory->heap, &index->owner, block, QH_MAX(byte_count, (size_t)1));
    note_bytes(index);
}

void qh__index_free_building(qh_index *index) {
    qh_index_graph *graph = &index->graph;
    qh__index_free(index, graph->upper, graph->upper_capacity * sizeof(uint32_t));
    qh__index_free(index, index->block, index->block_bytes);
    *graph = (qh_index_graph){0};
}

static void free_desks(qh_index *index) {
    const qh_index_desk *desks = QH_DESKS(index);
    for (uint32_t i = 0; i < QH_DESK_COUNT; i++) {
        qh__index_free(index, desks[i].work.block, desks[i].work.byte_count);
        qh__index_free(index, desks[i].exchange.block, desks[i].exchange.byte_count);
    }
}

qh_result qh_index_close(qh_index *index) {
    QH_TRY(qh_shared_close(&index->memory->shared, &index->shared));
#if QH_THREADS
    index->shared.frozen = false; /* nobody reads it any more */
#endif
    qh__index_free_building(index);
    free_desks(index);
    qh_owner owner = index->owner;
    qh_heap *heap = &index->memory->heap;
    qh_heap_free(heap, &owner, index, sizeof *index);
    qh_owner_close(heap, &owner);
    return QH_OK;
}

/* ---------------------------------------------------------------- work */

static void lay_out_work(const qh_index *index, uint32_t ef, uint32_t rows, unsigned char *block,
                         qh_index_work *work) {
    size_t codes = index->stride * sizeof(float);
    size_t beam = qh__align_up(codes + index->code_stride * sizeof(int16_t), sizeof(qh_key));
    size_t visited = beam + ((size_t)ef + 1) * sizeof(qh_key);
    *work = (qh_index_work){.byte_count = visited + rows, .ef = ef};
    if (!block) return;
    work->block = block;
    work->query = (float *)(void *)block;
    work->query_codes = (int16_t *)(void *)(block + codes);
    work->beam = (qh_key *)(void *)(block + beam);
    work->visited = rows ? block + visited : qh__index_work(index)->visited;
    work->epoch = rows ? 0 : qh__index_work(index)->epoch;
    memset(block + visited, 0, rows);
}

qh_result qh__index_make_work(qh_index *index, uint32_t ef, uint32_t rows, qh_index_work *work) {
    qh_result result;
    ef = QH_MAX(ef, QH_INDEX_USUAL_EF);
    lay_out_work(index, ef, rows, NULL, work);
    void *block = qh__index_alloc(index, work->byte_count, &result);
    if (block) lay_out_work(index, ef, rows, block, work);
    return result;
}

qh_result qh__index_work_reserve(qh_index *index, uint32_t ef) {
    qh_index_work fresh;
    if (qh__index_work(index)->block && ef <= qh__index_work(index)->ef) return QH_OK;
    QH_TRY(qh__index_make_work(index, ef, index->shared.frozen ? index->count : 0, &fresh));
    qh__index_free(index, qh__index_work(index)->block, qh__index_work(index)->byte_count);
    *qh__index_work(index) = fresh;
    return QH_OK;
}

/* ---------------------------------------------------------------- labels */

static uint32_t first_place(const qh_index_graph *graph, uint32_t label) {
    return label * LABEL_GAMMA >> (32 - graph->place_bits);
}

void qh__index_place_label(qh_index_graph *graph, const uint32_t *labels, uint32_t row) {
    uint32_t mask = (1u << graph->place_bits) - 1, at = first_place(graph, labels[row]);
    while (graph->places[at]) at = (at + 1) & mask;
    graph->places[at] = row + 1;
}

bool qh__index_has_label(const qh_index_graph *graph, const uint32_t *labels, uint32_t label) {
    uint32_t mask = (1u << graph->place_bits) - 1, at = first_place(graph, label);
    for (; graph->places[at]; at = (at + 1) & mask)
        if (labels[graph->places[at] - 1] == label) return true;
    return false;
}

/* What was placed last goes without moving the others: no search for them leads past it. */
static void take_labels_back(qh_index_graph *graph, uint32_t first) {
    for (uint32_t i = 0; i < 1u << graph->place_bits; i++)
        if (graph->places[i] > first) graph->places[i] = 0;
}

/* A set of labels with at most half of its places taken. */
uint32_t qh__index_place_bits(uint32_t rows) {
    return qh__log2_floor((size_t)rows + 1) + 2;
}

/* ---------------------------------------------------------------- rows */

QH_NOINLINE void *qh__index_part(unsigned char *block, uint64_t *at, uint64_t byte_count) {
    void *found = block && byte_count ? block + *at : NULL;
    *at += (byte_count + 15) & ~(uint64_t)15;
    return found;
}

static uint64_t lay_out_rows(const qh_index *index, uint32_t capacity, unsigned char *block,
                             qh_index_rows *rows, qh_index_graph *graph, uint8_t **visited) {
    uint64_t at = 0, n = capacity;
    rows->vectors = qh__index_part(block, &at, n * index->stride * sizeof(float));
    graph->links = qh__index_part(block, &at, n * (2 * index->def.m + 2) * sizeof(uint32_t));
    graph->places = qh__index_part(block, &at, sizeof(uint32_t) << graph->place_bits);
    rows->labels = qh__index_part(block, &at, n * sizeof(uint32_t));
    graph->upper_at = qh__index_part(block, &at, n * sizeof(uint32_t));
    rows->categories = qh__index_part(block, &at, n * sizeof(uint16_t));
    graph->levels = qh__index_part(block, &at, n);
    *visited = qh__index_part(block, &at, n);
    return at;
}

static void copy_building(const qh_index *index, const qh_index_rows *rows,
                          const qh_index_graph *graph) {
    size_t n = index->count;
    if (n == 0) return;
    memcpy(rows->vectors, index->rows.vectors, n * index->stride * sizeof(float));
    memcpy(rows->labels, index->rows.labels, n * sizeof(uint32_t));
    memcpy(rows->categories, index->rows.categories, n * sizeof(uint16_t));
    memcpy(graph->links, index->graph.links, n * (2 * index->def.m + 2) * sizeof(uint32_t));
    memcpy(graph->upper_at, index->graph.upper_at, n * sizeof(uint32_t));
    memcpy(graph->levels, index->graph.levels, n);
}

static qh_result grow_rows(qh_index *index, uint32_t capacity) {
    qh_index_rows rows;
    qh_index_graph graph = index->graph;
    uint8_t *visited;
    graph.place_bits = qh__index_place_bits(capacity);
    if (graph.place_bits > MOST_PLACE_BITS) return QH_EXCEEDS_LIMIT;
    uint64_t byte_count = lay_out_rows(index, capacity, NULL, &rows, &graph, &visited);
    qh_result result;
    void *block = qh__index_alloc(index, byte_count, &result);
    if (!block) return result;
    lay_out_rows(index, capacity, block, &rows, &graph, &visited);
    copy_building(index, &rows, &graph);
    QH_ASSERT(graph.places && visited);
    memset(graph.places, 0, sizeof(uint32_t) << graph.place_bits);
    for (uint32_t row = 0; row < index->count; row++)
        qh__index_place_label(&graph, rows.labels, row);
    memset(visited, 0, capacity);
    qh__index_free(index, index->block, index->block_bytes);
    index->block = block;
    index->block_bytes = (size_t)byte_count;
    index->capacity = capacity;
    index->rows = rows;
    index->graph = graph;
    qh__index_work(index)->visited = visited;
    qh__index_work(index)->epoch = 0;
    return QH_OK;
}

qh_result qh_index_reserve(qh_index *index, uint32_t count) {
    if (index->shared.frozen) return QH_INVALID_STATE;
    if (count == 0) return QH_OK;
    if (count > QH_INDEX_MAX_ROWS - index->count) return QH_EXCEEDS_LIMIT;
    uint32_t needed = index->count + count;
    if (needed > index->capacity)
        QH_TRY(
            grow_rows(index, QH_MAX(needed, QH_MAX(16u, index->capacity + index->capacity / 2))));
    QH_ASSERT(index->rows.categories != NULL);
    memset(index->rows.categories + index->count, 0, count * sizeof(uint16_t));
    return QH_OK;
}

/* ---------------------------------------------------------------- adding */

bool qh__index_prepare(const qh_index *index, float *vector) {
    double square = 0;
    for (uint32_t i = 0; i < index->def.dims; i++) {
        double x = (double)vector[i];
        if (!(qh__abs(x) <= QH_INDEX_LARGEST)) return false;
        square += x * x;
    }
    for (uint32_t i = index->def.dims; i < index->stride; i++) vector[i] = 0;
    if (index->def.metric != QH_COSINE || square == 0) return true;
    double scale = 1 / qh__sqrt(square);
    for (uint32_t i = 0; i < index->def.dims; i++) vector[i] = (float)((double)vector[i] * scale);
    return true;
}

static uint8_t draw_level(qh_index *index) {
    double u = 1 - qh__random_unit(&index->graph.random);
    double level = -qh__log(u) / qh__log(index->def.m); /* mL = 1 / ln M */
    return (uint8_t)QH_MIN(level, (double)(QH_INDEX_LEVELS - 1));
}

qh_result qh_index_commit(qh_index *index, uint32_t count, uint32_t *failed) {
    uint32_t first = index->count;
    *failed = 0;
    if (index->shared.frozen || count > index->capacity - first) return QH_INVALID_STATE;
    for (uint32_t row = first; row - first < count; row++) {
        bool good =
            qh__index_prepare(index, index->rows.vectors + (size_t)row * index->stride) &&
            !qh__index_has_label(&index->graph, index->rows.labels, index->rows.labels[row]);
        if (!good) {
            *failed = row - first;
            take_labels_back(&index->graph, first);
            return QH_INVALID_ARGUMENT;
        }
        qh__index_place_label(&index->graph, index->rows.labels, row);
    }
    for (uint32_t row = first; row - first < count; row++)
        index->graph.levels[row] = draw_level(index);
    index->count = first + count;
    return QH_OK;
}
