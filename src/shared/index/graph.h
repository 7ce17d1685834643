/* Inside the vector index: what building, freezing, searching and importing share. */
#ifndef QH_SHARED_INDEX_GRAPH_H
#define QH_SHARED_INDEX_GRAPH_H

#include "shared/index/index.h"

bool qh__index_def_is_sound(const qh_index_def *def);

/* Memory of the index; NULL when there is none, and `result` says why. */
void *qh__index_alloc(qh_index *index, uint64_t byte_count, qh_result *result);
void qh__index_free(qh_index *index, void *block, size_t byte_count);

/* The next part of a block, each at a multiple of 16; NULL for one without bytes, or while only `at`, its end, is wanted. */
void *qh__index_part(unsigned char *block, uint64_t *at, uint64_t byte_count);

/* Frees what only building needs, and the rows' block. */
void qh__index_free_building(qh_index *index);

/* A work block with a beam for `ef` rows, and for a frozen index a mark for each of `rows`. */
qh_result qh__index_make_work(qh_index *index, uint32_t ef, uint32_t rows, qh_index_work *work);

/* Makes the beam at least `ef` long. */
qh_result qh__index_work_reserve(qh_index *index, uint32_t ef);

/* The set of labels in `places`: of 2^place_bits, enough for `rows`. */
uint32_t qh__index_place_bits(uint32_t rows);
void qh__index_place_label(qh_index_graph *graph, const uint32_t *labels, uint32_t row);
bool qh__index_has_label(const qh_index_graph *graph, const uint32_t *labels, uint32_t label);

/* Checks a vector, fills its last places with zeros, and makes it of length 1 for cosine; false for a value no index takes. */
bool qh__index_prepare(const qh_index *index, float *vector);

/* Distances of rows to `query`, as keys. */
void qh__index_measure(const qh_index *index, const float *query, const uint32_t *rows,
                       uint32_t count, qh_key *keys);

/* The same by the codes, to the query of `work`. For l2 half the distance less what is the same for all rows. */
void qh__index_measure_codes(const qh_index *index, const uint32_t *rows, uint32_t count,
                             qh_key *keys);

/* Puts a key into a sorted array of `size` that holds at most `capacity`: its place. When it is full its last one goes. */
uint32_t qh__index_insert(qh_key *keys, uint32_t *size, uint32_t capacity, qh_key key);

/* Fills the beam with the `ef` rows of a level nearest to the query that a walk from `start` finds (the paper's algorithm 2). */
void qh__index_walk(qh_index *index, const float *query, bool codes, uint32_t level, uint32_t start,
                    uint32_t ef);

/* Where a walk for the query on `level` begins, found from the entry down. */
uint32_t qh__index_descend(qh_index *index, const float *query, bool codes, uint32_t level);

/* A vector less a centre (NULL: none) as integers of at most `largest` in size: their scale. */
float qh__index_encode(const float *vector, const float *centre, uint32_t dims, float largest,
                       int16_t *codes);

typedef struct qh_index_code {
    float scale, half; /* half the squared length of what the codes say */
} qh_index_code;

/* Writes the codes of a row. */
qh_index_code qh__index_encode_row(const qh_index *index, const float *centre, const float *vector,
                                   int8_t *codes);

/* Where the parts of the frozen block lie, for the rows, offsets and links there are: its bytes. */
uint64_t qh__index_lay_out(const qh_index *index, bool categorised, unsigned char *block,
                           qh_index_rows *rows, qh_index_frozen *fixed);

/* The number of offsets and where each level's begin, from `counts`. */
void qh__index_count_offsets(qh_index_frozen *fixed);

/* The frozen block lies at a multiple of 64 in a block of so many bytes more. */
#define QH_INDEX_SLACK 48u
unsigned char *qh__index_aligned(void *block);

/* While building: the links of a row on a level, their number first. */
QH_INLINE uint32_t *qh__index_links(const qh_index *index, uint32_t level, uint32_t row) {
    const qh_index_graph *graph = &index->graph;
    if (level == 0) return graph->links + (size_t)row * (2 * index->def.m + 2);
    return graph->upper + graph->upper_at[row] + (size_t)(level - 1) * (index->def.m + 1);
}

QH_INLINE const float *qh__index_vector(const qh_index *index, uint32_t row) {
    return index->rows.vectors + (size_t)row * index->stride;
}

/* Whether links have 16 bits. */
QH_INLINE bool qh__index_narrow(const qh_index *index) {
    return index->count <= 65536;
}

#endif
