/* Freezing: every row made reachable, a new order, and everything packed into one block. */
#include "base/bits.h"
#include "base/maths.h"
#include "shared/index/graph.h"

#define NOWHERE UINT32_MAX
#define SMALLEST 1e-30f /* of a scale times its range: the inverse is a finite float */

/* ---------------------------------------------------------------- every row reachable */

typedef struct ordering {
    uint32_t *order;    /* rows in their new order */
    uint32_t *position; /* of each row in it, NOWHERE until it is reached */
    uint32_t count;
} ordering;

static void reach(ordering *to, uint32_t row) {
    to->position[row] = to->count;
    to->order[to->count++] = row;
}

/* Appends what the rows from `first` on lead to, breadth first. */
static void spread(const qh_index *index, ordering *to, uint32_t first) {
    for (uint32_t i = first; i < to->count; i++) {
        const uint32_t *links = qh__index_links(index, 0, to->order[i]);
        for (uint32_t j = 1; j <= links[0]; j++)
            if (to->position[links[j]] == NOWHERE) reach(to, links[j]);
    }
}

/* A reachable row near `row` with a place left for a link; there always is one, for a row newly reached has its spare place. The walk
 * begins at the entry: the levels above lead also to rows that level 0 does not. */
static uint32_t nearest_with_room(qh_index *index, const ordering *to, uint32_t row) {
    uint32_t most = 2 * index->def.m + 1;
    qh__index_walk(index, qh__index_vector(index, row), false, 0, index->entry,
                   index->def.ef_construction);
    for (uint32_t i = 0; i < qh__index_work(index)->beam_size; i++) {
        uint32_t near = qh__key_row(qh__index_work(index)->beam[i]);
        if (qh__index_links(index, 0, near)[0] < most) return near;
    }
    for (uint32_t i = to->count;; i--)
        if (qh__index_links(index, 0, to->order[i - 1])[0] < most) return to->order[i - 1];
}

static void reach_all(qh_index *index, ordering *to) {
    for (uint32_t row = 0; row < index->count; row++) to->position[row] = NOWHERE;
    reach(to, index->entry);
    spread(index, to, 0);
    for (uint32_t row = 0; row < index->count; row++) {
        if (to->position[row] != NOWHERE) continue;
        uint32_t *links = qh__index_links(index, 0, nearest_with_room(index, to, row));
        links[++links[0]] = row;
        reach(to, row);
        spread(index, to, to->count - 1);
    }
}

/* From breadth first to: by level, the highest first, and within a level breadth first. */
static void sort_by_level(const qh_index *index, ordering *to, uint32_t counts[QH_INDEX_LEVELS]) {
    const uint8_t *levels = index->graph.levels;
    uint32_t next[QH_INDEX_LEVELS + 1] = {0};
    memset(counts, 0, QH_INDEX_LEVELS * sizeof *counts);
    for (uint32_t row = 0; row < index->count; row++)
        for (uint32_t l = 0; l <= levels[row]; l++) counts[l]++;
    for (uint32_t l = 0; l + 1 < QH_INDEX_LEVELS; l++) next[l] = counts[l + 1];
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t row = to->order[i];
        to->position[row] = next[levels[row]]++;
    }
    for (uint32_t row = 0; row < index->count; row++) to->order[to->position[row]] = row;
}

/* ---------------------------------------------------------------- codes */

float qh__index_encode(const float *vector, const float *centre, uint32_t dims, float largest,
                       int16_t *codes) {
    float most = 0;
    for (uint32_t i = 0; i < dims; i++) {
        float x = __builtin_fabsf(vector[i] - (centre ? centre[i] : 0));
        most = QH_MAX(most, x);
    }
    if (most < SMALLEST) most = SMALLEST;
    float inverse = largest / most;
    for (uint32_t i = 0; i < dims; i++) {
        float x = (vector[i] - (centre ? centre[i] : 0)) * inverse;
        codes[i] = (int16_t)(x + (x < 0 ? -0.5f : 0.5f));
    }
    return most / largest;
}

qh_index_code qh__index_encode_row(const qh_index *index, const float *centre, const float *vector,
                                   int8_t *codes) {
    int16_t *wide = qh__index_work(index)->query_codes;
    int32_t square = 0;
    float scale = qh__index_encode(vector, centre, index->def.dims, 127, wide);
    for (uint32_t i = 0; i < index->code_stride; i++) {
        codes[i] = i < index->def.dims ? (int8_t)wide[i] : 0;
        square += codes[i] * codes[i];
    }
    return (qh_index_code){scale, (float)square * scale * scale * 0.5f};
}

static void find_centre(const qh_index *index, float *centre) {
    for (uint32_t i = 0; i < index->stride; i++) {
        double sum = 0;
        for (uint32_t row = 0; row < index->count; row++)
            sum += (double)qh__index_vector(index, row)[i];
        centre[i] = (float)(sum / QH_MAX(index->count, 1u));
    }
}

/* ---------------------------------------------------------------- the block */

uint64_t qh__index_lay_out(const qh_index *index, bool categorised, unsigned char *block,
                           qh_index_rows *rows, qh_index_frozen *fixed) {
    bool vectors = index->def.storage != QH_STORE_I8, codes = index->def.storage != QH_STORE_F32;
    bool centred = codes && index->def.metric == QH_L2;
    uint64_t at = 0, n = index->count;
    rows->vectors = qh__index_part(block, &at, (vectors ? n : 0) * index->stride * sizeof(float));
    fixed->codes = qh__index_part(block, &at, (codes ? n : 0) * index->code_stride);
    fixed->scales = qh__index_part(block, &at, (codes ? n : 0) * sizeof(float));
    fixed->halves = qh__index_part(block, &at, (centred ? n : 0) * sizeof(float));
    fixed->centre =
        qh__index_part(block, &at, (uint64_t)(centred ? index->stride : 0) * sizeof(float));
    rows->labels = qh__index_part(block, &at, n * sizeof(uint32_t));
    rows->categories = qh__index_part(block, &at, (categorised ? n : 0) * sizeof(uint16_t));
    fixed->offsets = qh__index_part(block, &at, (uint64_t)fixed->offset_count * sizeof(uint32_t));
    fixed->links =
        qh__index_part(block, &at, (uint64_t)fixed->link_count * (qh__index_narrow(index) ? 2 : 4));
    return at;
}

unsigned char *qh__index_aligned(void *block) {
    return (unsigned char *)block + (-(uintptr_t)block & 63);
}

void qh__index_count_offsets(qh_index_frozen *fixed) {
    fixed->offset_count = 1;
    for (uint32_t l = 0; l < QH_INDEX_LEVELS; l++) {
        fixed->first_of[l] = fixed->offset_count - 1;
        fixed->offset_count += fixed->counts[l];
    }
}

static uint32_t count_links(const qh_index *index) {
    uint32_t links = 0;
    for (uint32_t row = 0; row < index->count; row++)
        for (uint32_t l = 0; l <= index->graph.levels[row]; l++)
            links += qh__index_links(index, l, row)[0];
    return links;
}

static bool has_categories(const qh_index *index) {
    for (uint32_t row = 0; row < index->count; row++)
        if (index->rows.categories[row]) return true;
    return false;
}

static void copy_links(const qh_index *index, const ordering *to, qh_index_frozen *fixed) {
    uint32_t at = 0, *offset = fixed->offsets, *wide = fixed->links;
    uint16_t *narrow = fixed->links;
    *offset++ = 0;
    for (uint32_t l = 0; l < QH_INDEX_LEVELS; l++) {
        for (uint32_t i = 0; i < fixed->counts[l]; i++) {
            const uint32_t *links = qh__index_links(index, l, to->order[i]);
            for (uint32_t j = 1; j <= links[0]; j++, at++) {
                if (qh__index_narrow(index))
                    narrow[at] = (uint16_t)to->position[links[j]];
                else
                    wide[at] = to->position[links[j]];
            }
            *offset++ = at;
        }
    }
}

static void copy_codes(const qh_index *index, const qh_index_frozen *fixed, const float *vector,
                       uint32_t row) {
    int8_t *codes = fixed->codes + (size_t)row * index->code_stride;
    qh_index_code code = qh__index_encode_row(index, fixed->centre, vector, codes);
    fixed->scales[row] = code.scale;
    if (fixed->halves) fixed->halves[row] = code.half;
}

static void copy_rows(const qh_index *index, const ordering *to, const qh_index_rows *rows,
                      const qh_index_frozen *fixed) {
    if (fixed->centre) find_centre(index, fixed->centre);
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t row = to->order[i];
        const float *vector = qh__index_vector(index, row);
        if (rows->vectors)
            memcpy(rows->vectors + (size_t)i * index->stride, vector,
                   index->stride * sizeof(float));
        if (fixed->codes) copy_codes(index, fixed, vector, i);
        rows->labels[i] = index->rows.labels[row];
        if (rows->categories) rows->categories[i] = index->rows.categories[row];
    }
}

/* Takes all memory first: from then on nothing can fail. */
static qh_result pack(qh_index *index, ordering *to) {
    qh_index_frozen fixed = {0};
    qh_index_rows rows;
    qh_index_work work;
    if (index->count) reach_all(index, to);
    sort_by_level(index, to, fixed.counts);
    qh__index_count_offsets(&fixed);
    fixed.link_count = count_links(index);
    bool categorised = has_categories(index);
    uint64_t byte_count =
        qh__index_lay_out(index, categorised, NULL, &rows, &fixed) + QH_INDEX_SLACK;
    qh_result result;
    void *block = qh__index_alloc(index, byte_count, &result);
    if (!block) return result;
    result = qh__index_make_work(index, 0, index->count, &work);
    if (result != QH_OK) {
        qh__index_free(index, block, (size_t)byte_count);
        return result;
    }
    memset(block, 0, (size_t)byte_count);
    qh__index_lay_out(index, categorised, qh__index_aligned(block), &rows, &fixed);
    copy_rows(index, to, &rows, &fixed);
    copy_links(index, to, &fixed);
    qh__index_free_building(index);
    qh__index_free(index, qh__index_work(index)->block, qh__index_work(index)->byte_count);
    index->block = block;
    index->block_bytes = (size_t)byte_count;
    index->rows = rows;
    index->fixed = fixed;
#if QH_THREADS
    index->desks[0].work = (qh_index_work){0};
    index->desks[qh__self()].work = work;
#else
    *qh__index_work(index) = work;
#endif
    index->capacity = index->count;
    index->entry = 0;
    for (uint32_t i = 0; i < QH_DESK_COUNT; i++) QH_DESKS(index)[i].exchange.bits_of = 0;
    return qh_shared_freeze(&index->shared);
}

qh_result qh_index_freeze(qh_index *index) {
    QH_TRY(qh_index_build(index, UINT32_MAX));
    qh_result result;
    size_t byte_count = 2 * sizeof(uint32_t) * (size_t)index->count;
    uint32_t *block = qh__index_alloc(index, byte_count, &result);
    if (!block) return result;
    ordering to = {block, block + index->count, 0};
    result = pack(index, &to);
    qh__index_free(index, block, byte_count);
    return result;
}
