/* Insertion: the paper's algorithms 1 and 4. */
#include "shared/index/graph.h"

QH_FAST_BEGIN

/* The paper's algorithm 4 over sorted keys: a row is kept when it is nearer to the base than to every row kept before. */
static uint32_t select_rows(const qh_index *index, const qh_key *keys, uint32_t count,
                            uint32_t most, uint32_t *kept) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count && n < most; i++) {
        uint32_t row = qh__key_row(keys[i]), j = 0;
        const float *vector = qh__index_vector(index, row);
        for (; j < n; j++) {
            qh_key key;
            qh__index_measure(index, vector, &kept[j], 1, &key);
            if (key >> 32 < keys[i] >> 32) break;
        }
        if (j == n) kept[n++] = row;
    }
    return n;
}

static void link_back(qh_index *index, uint32_t level, uint32_t from, uint32_t to) {
    uint32_t *links = qh__index_links(index, level, from),
             most = level ? index->def.m : 2 * index->def.m;
    if (links[0] < most) {
        links[++links[0]] = to;
        return;
    }
    qh_key keys[QH_INDEX_MAX_DEGREE + 1], sorted[QH_INDEX_MAX_DEGREE + 1];
    uint32_t rows[QH_INDEX_MAX_DEGREE + 1], count = 0;
    memcpy(rows, links + 1, most * sizeof(uint32_t));
    rows[most] = to;
    qh__index_measure(index, qh__index_vector(index, from), rows, most + 1, keys);
    for (uint32_t i = 0; i <= most; i++) qh__index_insert(sorted, &count, most + 1, keys[i]);
    links[0] = select_rows(index, sorted, count, most, links + 1);
}

static void connect(qh_index *index, uint32_t level, uint32_t row) {
    uint32_t *links = qh__index_links(index, level, row);
    links[0] = select_rows(index, qh__index_work(index)->beam, qh__index_work(index)->beam_size,
                           index->def.m, links + 1);
    for (uint32_t i = 1; i <= links[0]; i++) link_back(index, level, links[i], row);
}

static void insert_row(qh_index *index, uint32_t row) {
    const float *query = qh__index_vector(index, row);
    uint32_t level = index->graph.levels[row];
    for (uint32_t l = 0; l <= level; l++) qh__index_links(index, l, row)[0] = 0;
    if (row > 0) {
        uint32_t at = qh__index_descend(index, query, false, QH_MIN(level, index->top));
        for (uint32_t l = QH_MIN(level, index->top) + 1; l-- > 0;) {
            qh__index_walk(index, query, false, l, at, index->def.ef_construction);
            at = qh__key_row(qh__index_work(index)->beam[0]);
            connect(index, l, row);
        }
    }
    if (row == 0 || level > index->top) {
        index->top = level;
        index->entry = row;
    }
}

QH_FAST_END

/* Room for the links above level 0 of all rows there are. */
static qh_result reserve_upper(qh_index *index) {
    qh_index_graph *graph = &index->graph;
    uint64_t needed = graph->upper_count, level_places = index->def.m + 1;
    for (uint32_t row = graph->placed; row < index->count; row++) {
        graph->upper_at[row] = (uint32_t)needed;
        needed += graph->levels[row] * level_places;
    }
    if (needed > UINT32_MAX) return QH_OVERFLOW;
    if (needed > graph->upper_capacity) {
        qh_result result;
        uint32_t *upper = qh__index_alloc(index, needed * sizeof *upper, &result);
        if (!upper) return result;
        if (graph->upper) memcpy(upper, graph->upper, graph->upper_count * sizeof *upper);
        qh__index_free(index, graph->upper, graph->upper_capacity * sizeof *upper);
        graph->upper = upper;
        graph->upper_capacity = (uint32_t)needed;
    }
    graph->upper_count = (uint32_t)needed;
    graph->placed = index->count;
    return QH_OK;
}

qh_result qh_index_build(qh_index *index, uint32_t count) {
    qh_index_graph *graph = &index->graph;
    if (index->shared.frozen) return QH_INVALID_STATE;
    QH_TRY(reserve_upper(index));
    QH_TRY(qh__index_work_reserve(index, index->def.ef_construction));
    uint32_t end = graph->built + QH_MIN(count, index->count - graph->built);
    while (graph->built < end) insert_row(index, graph->built++);
    return QH_OK;
}
