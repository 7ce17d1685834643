/* An index as bytes, and the checks that bytes and memory have in common. Nothing that comes in is trusted: what a search follows (offsets,
 * links, counts) and what it computes with (vectors, scales) is all looked at before the index exists. */
#include "base/maths.h"
#include "shared/index/graph.h"

#define MAGIC_INDEX 0x58494851u /* "QHIX" */
#define INDEX_VERSION 1u
#define AT_CRC 8u
#define AT_COUNTS 64u
#define UNIT_SLACK 1e-3

static uint32_t word_at(const unsigned char *bytes, uint32_t at) {
    uint32_t word;
    memcpy(&word, bytes + at, sizeof word);
    return word;
}

static uint32_t index_checksum(const unsigned char *bytes, size_t byte_count) {
    static const unsigned char zeros[4];
    uint32_t crc = qh__crc32c(0, bytes, AT_CRC);
    crc = qh__crc32c(crc, zeros, sizeof zeros);
    return qh__crc32c(crc, bytes + AT_CRC + 4, byte_count - AT_CRC - 4);
}

/* ---------------------------------------------------------------- export */

static uint64_t frozen_bytes(const qh_index *index) {
    qh_index_rows rows;
    qh_index_frozen fixed = index->fixed;
    return qh__index_lay_out(index, index->rows.categories != NULL, NULL, &rows, &fixed);
}

qh_result qh_index_export_size(const qh_index *index, size_t *byte_count) {
    if (!index->shared.frozen) return QH_INVALID_STATE;
    *byte_count = QH_INDEX_HEADER_BYTES + (size_t)frozen_bytes(index);
    return QH_OK;
}

void qh_index_export(const qh_index *index, unsigned char *bytes) {
    const qh_index_def *def = &index->def;
    const qh_index_frozen *fixed = &index->fixed;
    size_t block_bytes = (size_t)frozen_bytes(index);
    uint32_t head[AT_COUNTS / 4] = {MAGIC_INDEX,
                                    INDEX_VERSION,
                                    0,
                                    def->dims,
                                    def->metric,
                                    def->m,
                                    def->ef_construction,
                                    def->storage,
                                    index->count,
                                    fixed->offset_count,
                                    fixed->link_count,
                                    index->rows.categories != NULL,
                                    (uint32_t)def->seed,
                                    (uint32_t)(def->seed >> 32),
                                    0,
                                    0};
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + AT_COUNTS, fixed->counts, sizeof fixed->counts);
    memcpy(bytes + QH_INDEX_HEADER_BYTES, qh__index_aligned(index->block), block_bytes);
    uint32_t crc = index_checksum(bytes, QH_INDEX_HEADER_BYTES + block_bytes);
    memcpy(bytes + AT_CRC, &crc, sizeof crc);
}

/* ---------------------------------------------------------------- checks */

static uint32_t link_at(const qh_index *index, uint32_t at) {
    if (qh__index_narrow(index)) return ((const uint16_t *)index->fixed.links)[at];
    return ((const uint32_t *)index->fixed.links)[at];
}

static bool links_are_sound(const qh_index *index) {
    const qh_index_frozen *fixed = &index->fixed;
    const uint32_t *offset = fixed->offsets;
    if (offset[0] != 0) return false;
    for (uint32_t l = 0; l < QH_INDEX_LEVELS; l++) {
        uint32_t most = l ? index->def.m : 2 * index->def.m + 1;
        for (uint32_t i = 0; i < fixed->counts[l]; i++, offset++) {
            if (offset[1] < offset[0] || offset[1] - offset[0] > most ||
                offset[1] > fixed->link_count)
                return false;
            for (uint32_t at = offset[0]; at < offset[1]; at++)
                if (link_at(index, at) >= fixed->counts[l]) return false;
        }
    }
    return *offset == fixed->link_count;
}

static bool vector_is_sound(const qh_index *index, const float *vector, bool whole) {
    double square = 0;
    for (uint32_t i = 0; i < index->stride; i++) {
        double x = (double)vector[i];
        if (!(qh__abs(x) <= QH_INDEX_LARGEST) || (i >= index->def.dims && x != 0)) return false;
        square += x * x;
    }
    return !whole || index->def.metric != QH_COSINE || square == 0 ||
           qh__abs(square - 1) < UNIT_SLACK;
}

/* The codes of vectors that are there must be theirs; others need only be numbers. */
static bool codes_are_sound(const qh_index *index, uint32_t row) {
    const qh_index_frozen *fixed = &index->fixed;
    const int8_t *codes = fixed->codes + (size_t)row * index->code_stride;
    float scale = fixed->scales[row], half = fixed->halves ? fixed->halves[row] : 0;
    if (!(scale > 0 && (double)scale <= QH_INDEX_LARGEST && half >= 0 &&
          qh__is_finite((double)half)))
        return false;
    for (uint32_t i = index->def.dims; i < index->code_stride; i++)
        if (codes[i] != 0) return false;
    if (!index->rows.vectors) return true;
    int8_t own[QH_INDEX_MAX_DIMS];
    qh_index_code code =
        qh__index_encode_row(index, fixed->centre, qh__index_vector(index, row), own);
    return code.scale == scale && (!fixed->halves || code.half == half) &&
           memcmp(own, codes, index->code_stride) == 0;
}

static bool rows_are_sound(const qh_index *index) {
    if (index->fixed.centre && !vector_is_sound(index, index->fixed.centre, false)) return false;
    for (uint32_t row = 0; row < index->count; row++) {
        if (index->rows.vectors && !vector_is_sound(index, qh__index_vector(index, row), true))
            return false;
        if (index->fixed.codes && !codes_are_sound(index, row)) return false;
    }
    return true;
}

/* Labels all different, and each row reachable: with memory for both. */
static bool labels_differ(const qh_index *index, uint32_t *places, uint32_t place_bits) {
    qh_index_graph set = {.places = places, .place_bits = place_bits};
    memset(places, 0, sizeof(uint32_t) << place_bits);
    for (uint32_t row = 0; row < index->count; row++) {
        if (qh__index_has_label(&set, index->rows.labels, index->rows.labels[row])) return false;
        qh__index_place_label(&set, index->rows.labels, row);
    }
    return true;
}

static bool all_reachable(const qh_index *index, uint32_t *queue) {
    uint8_t *seen = qh__index_work(index)->visited;
    uint32_t size = 0;
    memset(seen, 0, index->count);
    if (index->count) seen[queue[size++] = 0] = 1;
    for (uint32_t i = 0; i < size; i++) {
        const uint32_t *offset = index->fixed.offsets + queue[i];
        for (uint32_t at = offset[0]; at < offset[1]; at++) {
            uint32_t link = link_at(index, at);
            if (!seen[link]) seen[queue[size++] = link] = 1;
        }
    }
    memset(seen, 0, index->count);
    return size == index->count;
}

static qh_result check_frozen(qh_index *index, bool *sound) {
    uint32_t place_bits = qh__index_place_bits(index->count);
    size_t byte_count = sizeof(uint32_t) << place_bits; /* twice as many as rows, or more */
    qh_result result;
    *sound = links_are_sound(index) && rows_are_sound(index);
    if (!*sound) return QH_OK;
#if QH_THREADS
    QH_TRY(qh__index_work_reserve(index, 0)); /* this thread may never have searched */
#endif
    uint32_t *block = qh__index_alloc(index, byte_count, &result);
    if (!block) return result;
    *sound = labels_differ(index, block, place_bits) && all_reachable(index, block);
    qh__index_work(index)->epoch = 0;
    qh__index_free(index, block, byte_count);
    return QH_OK;
}

static bool level_links_are_sound(const qh_index *index, uint32_t row, uint32_t level) {
    const uint32_t *links = qh__index_links(index, level, row);
    if (links[0] > (level ? index->def.m : 2 * index->def.m + 1)) return false;
    for (uint32_t i = 1; i <= links[0]; i++)
        if (links[i] >= index->graph.built || index->graph.levels[links[i]] < level) return false;
    return true;
}

static bool building_is_sound(const qh_index *index) {
    const qh_index_graph *graph = &index->graph;
    if (graph->built > graph->placed || graph->placed > index->count ||
        index->count > index->capacity)
        return false;
    for (uint32_t row = 0; row < index->count; row++) {
        if (!vector_is_sound(index, qh__index_vector(index, row), true) ||
            !qh__index_has_label(graph, index->rows.labels, index->rows.labels[row]))
            return false;
        for (uint32_t l = 0; row < graph->built && l <= graph->levels[row]; l++)
            if (!level_links_are_sound(index, row, l)) return false;
    }
    return graph->built == 0 ||
           (index->entry < graph->built && graph->levels[index->entry] == index->top);
}

bool qh_index_validate(qh_index *index) {
    if (!index->shared.frozen) return building_is_sound(index);
    bool sound = true;
    check_frozen(index, &sound);
    return sound;
}

/* ---------------------------------------------------------------- import */

static qh_result read_header(const unsigned char *bytes, size_t byte_count, qh_index_def *def) {
    if (byte_count < QH_INDEX_HEADER_BYTES || word_at(bytes, 0) != MAGIC_INDEX) return QH_CORRUPT;
    if (word_at(bytes, 4) != INDEX_VERSION) return QH_VERSION;
    if (word_at(bytes, AT_CRC) != index_checksum(bytes, byte_count)) return QH_CORRUPT;
    *def = (qh_index_def){.dims = word_at(bytes, 12),
                          .metric = word_at(bytes, 16),
                          .m = word_at(bytes, 20),
                          .ef_construction = word_at(bytes, 24),
                          .storage = word_at(bytes, 28),
                          .seed = (uint64_t)word_at(bytes, 52) << 32 | word_at(bytes, 48)};
    bool fits = qh__index_def_is_sound(def) && word_at(bytes, 32) <= QH_INDEX_MAX_ROWS &&
                word_at(bytes, 44) <= 1 && (word_at(bytes, 56) | word_at(bytes, 60)) == 0;
    return fits ? QH_OK : QH_CORRUPT;
}

/* The numbers of rows of each level: all of them on level 0, none more than on the level below. */
static bool read_counts(qh_index *index, const unsigned char *bytes) {
    qh_index_frozen *fixed = &index->fixed;
    index->count = index->capacity = word_at(bytes, 32);
    memcpy(fixed->counts, bytes + AT_COUNTS, sizeof fixed->counts);
    if (fixed->counts[0] != index->count) return false;
    for (uint32_t l = 1; l < QH_INDEX_LEVELS; l++) {
        if (fixed->counts[l] > fixed->counts[l - 1]) return false;
        if (fixed->counts[l]) index->top = l;
    }
    qh__index_count_offsets(fixed);
    fixed->link_count = word_at(bytes, 40);
    return fixed->offset_count == word_at(bytes, 36);
}

static qh_result fill(qh_index *index, const unsigned char *bytes, size_t byte_count) {
    bool categorised = word_at(bytes, 44), sound = false;
    if (!read_counts(index, bytes)) return QH_CORRUPT;
    uint64_t needed = qh__index_lay_out(index, categorised, NULL, &index->rows, &index->fixed);
    if (needed != byte_count - QH_INDEX_HEADER_BYTES) return QH_CORRUPT;
    qh_result result;
    index->block = qh__index_alloc(index, needed + QH_INDEX_SLACK, &result);
    if (!index->block) return result;
    index->block_bytes = (size_t)needed + QH_INDEX_SLACK;
    QH_TRY(qh__index_make_work(index, 0, index->count, qh__index_work(index)));
    unsigned char *block = qh__index_aligned(index->block);
    memcpy(block, bytes + QH_INDEX_HEADER_BYTES, (size_t)needed);
    qh__index_lay_out(index, categorised, block, &index->rows, &index->fixed);
    QH_TRY(check_frozen(index, &sound));
    return sound ? qh_shared_freeze(&index->shared) : QH_CORRUPT;
}

qh_result qh_index_import(qh_memory *memory, const unsigned char *bytes, size_t byte_count,
                          qh_handle handle, qh_index **index) {
    qh_index_def def;
    qh_index *opened;
    QH_TRY(read_header(bytes, byte_count, &def));
    QH_TRY(qh_index_open(memory, &def, handle, &opened));
    qh_result result = fill(opened, bytes, byte_count);
    if (result != QH_OK)
        qh_index_close(opened);
    else
        *index = opened;
    return result;
}
