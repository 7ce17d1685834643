#include "learn/table.h"

#if QH_THREADS
#include "learn/salvage.h"
#endif

#include "base/bytes.h"

#define MEAN_ROWS_PER_BUCKET 6u
#define SEGMENT_BUCKETS 16u
#define FIRST_SPILLS 4u
#define COUNT_ONE (1u << 28)
#define LINK_MASK 0x0FFFFFFFu
#define MOST_SPILLS 64u /* of a chain that is not crowded */

/* ---------------------------------------------------------------- directories */

static qh_result directory_reserve(qh_table *table, qh_directory *directory, qh_block_kind kind) {
    if (directory->count < directory->capacity) return QH_OK;
    uint32_t capacity = directory->capacity ? directory->capacity * 2 : 4;
    void *segments = directory->segments;
    QH_TRY(qh_heap_resize(&table->memory->heap, table->owner, &segments,
                          directory->capacity * sizeof(void *), capacity * sizeof(void *), kind));
    directory->segments = segments;
    directory->capacity = capacity;
    return QH_OK;
}

static qh_result directory_add(qh_table *table, qh_directory *directory, size_t byte_count,
                               qh_block_kind kind) {
    QH_TRY(directory_reserve(table, directory, kind));
    void *segment;
    QH_TRY(qh_heap_alloc(&table->memory->heap, table->owner, byte_count, kind, &segment));
    directory->segments[directory->count++] = segment;
    return QH_OK;
}

/* ---------------------------------------------------------------- sizes */

static uint32_t power_of_two_within(size_t byte_count, uint32_t row_bytes) {
    size_t rows = byte_count / row_bytes;
    uint32_t power = rows < 2 ? 1 : 1u << qh__log2_floor(rows);
    return QH_MIN(power, 1024u);
}

static uint32_t rows_of_segment(const qh_table *table, uint32_t segment) {
    uint32_t doublings = qh__log2_floor(table->segment_rows / table->first_rows);
    if (segment == 0) return table->first_rows;
    return segment > doublings ? table->segment_rows : table->first_rows << (segment - 1);
}

static uint32_t buckets_now(const qh_table *table) {
    return table->rows == 0 ? 0 : table->level_mask + 1 + table->split;
}

/* Buckets that the first segment has room for; it doubles until it is a whole segment. */
static uint32_t first_segment_room(uint32_t bucket_count) {
    if (bucket_count >= SEGMENT_BUCKETS) return SEGMENT_BUCKETS;
    return bucket_count <= 1 ? 1 : 1u << (qh__log2_floor(bucket_count - 1) + 1);
}

static uint32_t spills_of_segment(uint32_t segment) {
    return segment == 0 ? FIRST_SPILLS : SEGMENT_BUCKETS;
}

/* ---------------------------------------------------------------- life */

void qh_table_open(qh_table *table, qh_memory *memory, qh_owner *owner, uint32_t actions,
                   uint32_t extra_bytes, float initial_value) {
    *table = (qh_table){
        .memory = memory, .owner = owner, .actions = actions, .extra_bytes = extra_bytes};
    table->stride = qh__stride_of(actions);
    table->initial_value = initial_value;
    table->row_bytes = (uint32_t)qh__align_up(
        QH_ROW_HEADER_BYTES + (size_t)table->stride * 8 + extra_bytes, QH_HEAP_ALIGNMENT);
    table->first_rows = power_of_two_within(1024, table->row_bytes);
    table->segment_rows = power_of_two_within(16384, table->row_bytes);
}

static void free_directory(qh_table *table, qh_directory *directory) {
    qh_heap_free(&table->memory->heap, table->owner, directory->segments,
                 directory->capacity * sizeof(void *));
}

void qh_table_clear(qh_table *table) {
    qh_heap *heap = &table->memory->heap;
    uint32_t first = first_segment_room(QH_MAX(buckets_now(table), 1u));
    for (uint32_t i = 0; i < table->buckets.count; i++)
        qh_heap_free(heap, table->owner, table->buckets.segments[i],
                     (i == 0 ? first : SEGMENT_BUCKETS) * sizeof(qh_bucket));
    for (uint32_t i = 0; i < table->spills.count; i++)
        qh_heap_free(heap, table->owner, table->spills.segments[i],
                     spills_of_segment(i) * sizeof(qh_bucket));
    for (uint32_t i = 0; i < table->row_segments.count; i++)
        qh_heap_free(heap, table->owner, table->row_segments.segments[i],
                     (size_t)rows_of_segment(table, i) * table->row_bytes);
    free_directory(table, &table->buckets);
    free_directory(table, &table->spills);
    free_directory(table, &table->row_segments);
    qh_table_open(table, table->memory, table->owner, table->actions, table->extra_bytes,
                  table->initial_value);
}

/* ---------------------------------------------------------------- spill buckets */

static qh_result reserve_spills(qh_table *table, uint32_t count) {
    while (table->spill_free_count < count) {
        uint32_t segment = table->spills.count, room = spills_of_segment(segment);
        QH_TRY(directory_add(table, &table->spills, room * sizeof(qh_bucket), QH_BLOCK_index));
        for (uint32_t i = room; i-- > 0;) {
            uint32_t number = segment * SEGMENT_BUCKETS + i;
            qh__bucket_at(&table->spills, number)->link = table->spill_free;
            table->spill_free = number + 1;
        }
        table->spill_free_count += room;
    }
    return QH_OK;
}

QH_FAST_BEGIN

/* Returns 1 + the number of an empty spill bucket. */
static uint32_t take_spill(qh_table *table) {
    QH_ASSERT(table->spill_free != 0);
    uint32_t link = table->spill_free;
    qh_bucket *bucket = qh__bucket_at(&table->spills, link - 1);
    table->spill_free = bucket->link;
    table->spill_free_count--;
    bucket->link = 0;
    return link;
}

static void give_spills(qh_table *table, uint32_t link) {
    while (link) {
        qh_bucket *bucket = qh__bucket_at(&table->spills, link - 1);
        uint32_t next = bucket->link & LINK_MASK;
        bucket->link = table->spill_free;
        table->spill_free = link;
        table->spill_free_count++;
        link = next;
    }
}

static uint32_t chain_spills(const qh_table *table, const qh_bucket *bucket) {
    uint32_t count = 0;
    for (uint32_t link = bucket->link & LINK_MASK; link; count++)
        link = qh__bucket_at(&table->spills, link - 1)->link & LINK_MASK;
    return count;
}

/* ---------------------------------------------------------------- buckets */

/* A place at the end of a chain that entries are appended to. */
typedef struct cursor {
    qh_bucket *bucket;
    uint32_t entry;
} cursor;

static void append(qh_table *table, cursor *to, uint8_t tag, uint32_t location) {
    if (to->entry == QH_BUCKET_ENTRIES) {
        uint32_t next = to->bucket->link & LINK_MASK;
        if (!next) next = take_spill(table);
        to->bucket->link = QH_BUCKET_ENTRIES * COUNT_ONE | next;
        *to = (cursor){qh__bucket_at(&table->spills, next - 1), 0};
    }
    to->bucket->tags[to->entry] = tag;
    to->bucket->rows[to->entry++] = location;
}

/* Ends the chain at the cursor: what hangs behind becomes free. */
static void finish(qh_table *table, const cursor *at) {
    uint32_t rest = at->bucket->link & LINK_MASK;
    at->bucket->link = at->entry * COUNT_ONE;
    give_spills(table, rest);
}

static qh_result add_bucket(qh_table *table, uint32_t number) {
    if (number % SEGMENT_BUCKETS == 0)
        return directory_add(table, &table->buckets,
                             (number == 0 ? 1 : SEGMENT_BUCKETS) * sizeof(qh_bucket),
                             QH_BLOCK_index);
    uint32_t room = first_segment_room(number);
    if (number < room || number >= SEGMENT_BUCKETS) return QH_OK;
    return qh_heap_resize(&table->memory->heap, table->owner, &table->buckets.segments[0],
                          room * sizeof(qh_bucket), 2 * room * sizeof(qh_bucket), QH_BLOCK_index);
}

/* Splits bucket `split` where memory allows; where it does not, chains grow longer and nothing is lost. */
static void split_bucket(qh_table *table) {
    uint32_t number = table->level_mask + 1 + table->split, bit = table->level_mask + 1;
    uint32_t spills = chain_spills(table, qh__bucket_at(&table->buckets, table->split));
    if (reserve_spills(table, table->spill_promised + spills) != QH_OK) return;
    if (add_bucket(table, number) != QH_OK) return;
    qh_bucket *from = qh__bucket_at(&table->buckets, table->split);
    cursor stay = {from, 0}, move = {qh__bucket_at(&table->buckets, number), 0};
    move.bucket->link = 0;
    for (;;) {
        uint32_t count = from->link >> 28, next = from->link & LINK_MASK;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t location = from->rows[i];
            bool moves = ((uint32_t)qh__table_row(table, location)->key & bit) != 0;
            append(table, moves ? &move : &stay, from->tags[i], location);
        }
        if (!next) break;
        from = qh__bucket_at(&table->spills, next - 1);
    }
    finish(table, &stay);
    finish(table, &move);
    if (table->split++ == table->level_mask) {
        table->level_mask = table->level_mask * 2 + 1;
        table->split = 0;
    }
}

/* ---------------------------------------------------------------- rows */

qh_result qh_table_reserve(qh_table *table, uint32_t count) {
    while (table->row_room < count) {
        uint32_t rows = rows_of_segment(table, table->row_segments.count);
        QH_TRY(directory_add(table, &table->row_segments, (size_t)rows * table->row_bytes,
                             QH_BLOCK_table));
        table->row_room += rows;
    }
    if (table->buckets.count == 0) QH_TRY(add_bucket(table, 0));
    /* A chain fills its buckets: spill buckets are a twelfth of the rows at most. A split gives back what it takes. */
    uint32_t spills = QH_MIN(count, (table->rows + count) / QH_BUCKET_ENTRIES + 1);
    if (table->rows + count <= QH_BUCKET_ENTRIES) spills = 0;
    QH_TRY(reserve_spills(table, spills));
    table->spill_promised = spills;
    return QH_OK;
}

uint32_t qh_table_location(const qh_table *table, uint32_t index) {
    uint32_t first = table->first_rows, full = table->segment_rows, segment = 0, offset = index;
    if (index >= full) {
        segment = qh__log2_floor(full / first) + index / full;
        offset = index % full;
    } else if (index >= first) {
        uint32_t octave = qh__log2_floor(index / first);
        segment = octave + 1;
        offset = index - (first << octave);
    }
    size_t start = qh__offset_of(&table->memory->budget, table->row_segments.segments[segment]);
    return (uint32_t)((start + (size_t)offset * table->row_bytes) >> 4);
}

static void clear_row(const qh_table *table, qh_row *row, uint64_t key) {
    row->key = key;
    row->leaders = row->stamp = 0;
    for (uint32_t i = 0; i < table->actions; i++) row->q[i] = table->initial_value;
    for (uint32_t i = table->actions; i < table->stride; i++) row->q[i] = -__builtin_inff();
    uint32_t *rest = qh__row_counts(table, row);
    uint32_t *end = (uint32_t *)(void *)((unsigned char *)row + table->row_bytes);
    while (rest < end) *rest++ = 0;
}

uint32_t qh_table_insert(qh_table *table, uint64_t key) {
    QH_ASSERT(table->row_room > 0);
    QH_ASSERT2(qh_table_find(table, key) == QH_NO_ROW);
    uint32_t location = qh_table_location(table, table->rows);
    clear_row(table, qh__table_row(table, location), key);
    if (table->rows == 0) {
        table->level_mask = table->split = 0;
        qh__bucket_at(&table->buckets, 0)->link = 0;
    }
    cursor end = {qh__bucket_at(&table->buckets, qh__bucket_of(table, key)), 0};
    for (uint32_t next; (next = end.bucket->link & LINK_MASK) != 0;)
        end.bucket = qh__bucket_at(&table->spills, next - 1);
    end.entry = end.bucket->link >> 28;
    append(table, &end, qh__tag_of(key), location);
    end.bucket->link = end.entry * COUNT_ONE;
    QH_CELL_ADD(&table->rows, 1);
    table->row_room--;
    if (table->spill_promised) table->spill_promised--;
    if (table->rows > MEAN_ROWS_PER_BUCKET * (table->level_mask + 1 + table->split))
        split_bucket(table);
    return location;
}

/* ---------------------------------------------------------------- reading */

uint32_t qh_table_find(const qh_table *table, uint64_t key) {
    return qh__table_find(table, key);
}

QH_FAST_END

bool qh_table_is_crowded(const qh_table *table, uint64_t key) {
    return table->rows > 0 &&
           chain_spills(table, qh__bucket_at(&table->buckets, qh__bucket_of(table, key))) >
               MOST_SPILLS;
}

size_t qh_table_bytes(const qh_table *table) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < table->row_segments.count; i++)
        bytes += qh_heap_charge((size_t)rows_of_segment(table, i) * table->row_bytes);
    for (uint32_t i = 0; i < table->spills.count; i++)
        bytes += qh_heap_charge(spills_of_segment(i) * sizeof(qh_bucket));
    for (uint32_t i = 0; i < table->buckets.count; i++)
        bytes += (i == 0 ? first_segment_room(QH_MAX(buckets_now(table), 1u)) : SEGMENT_BUCKETS) *
                 sizeof(qh_bucket);
    const qh_directory *directories[] = {&table->buckets, &table->spills, &table->row_segments};
    for (int i = 0; i < 3; i++)
        if (directories[i]->capacity)
            bytes += qh_heap_charge(directories[i]->capacity * sizeof(void *));
    return bytes;
}

uint64_t qh_table_hash(const qh_table *table, uint64_t seed) {
    uint64_t hash = qh__hash_step(seed, table->rows);
    for (uint32_t i = 0; i < table->rows; i++) {
        const unsigned char *row =
            (unsigned char *)qh__table_row(table, qh_table_location(table, i));
        for (uint32_t at = 0; at < table->row_bytes; at += 8) {
            uint64_t word;
            memcpy(&word, row + at, sizeof word);
            hash = qh__hash_step(hash, at == offsetof(qh_row, leaders) ? 0 : word);
        }
    }
    return hash;
}

static bool chain_is_valid(const qh_table *table, uint32_t number, uint32_t *entries,
                           uint32_t *spills) {
    const qh_bucket *bucket = qh__bucket_at(&table->buckets, number);
    for (;;) {
        uint32_t count = bucket->link >> 28, next = bucket->link & LINK_MASK;
        if (count > QH_BUCKET_ENTRIES || (next && count != QH_BUCKET_ENTRIES)) return false;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t key = qh__table_row(table, bucket->rows[i])->key;
            if (qh__bucket_of(table, key) != number || bucket->tags[i] != qh__tag_of(key))
                return false;
        }
        *entries += count;
        if (!next) return true;
        if (++*spills > table->spills.count * SEGMENT_BUCKETS) return false;
        bucket = qh__bucket_at(&table->spills, next - 1);
    }
}

static bool leaders_are_right(const qh_table *table, const qh_row *row) {
    if (row->leaders == 0) return true;
    if (table->actions > 32) return false;
    float greatest = row->q[__builtin_ctz(row->leaders)];
    for (uint32_t i = 0; i < table->actions; i++) {
        bool leads = row->leaders >> i & 1;
        if (leads ? row->q[i] != greatest : row->q[i] >= greatest) return false;
    }
    return row->leaders >> (table->actions - 1) <= 1;
}

bool qh_table_validate(const qh_table *table) {
    uint32_t entries = 0, spills = 0, spill_total = 0, listed = 0;
    for (uint32_t i = 0; i < buckets_now(table); i++)
        if (!chain_is_valid(table, i, &entries, &spills)) return false;
    for (uint32_t i = 0; i < table->spills.count; i++) spill_total += spills_of_segment(i);
    for (uint32_t link = table->spill_free; link;
         link = qh__bucket_at(&table->spills, link - 1)->link)
        if (++listed > spill_total) return false;
    if (entries != table->rows || listed != table->spill_free_count ||
        listed + spills != spill_total)
        return false;
    for (uint32_t i = 0; i < table->rows; i++) {
        uint32_t location = qh_table_location(table, i);
        const qh_row *row = qh__table_row(table, location);
        if (qh_table_find(table, row->key) != location || !leaders_are_right(table, row))
            return false;
    }
    return true;
}

#if QH_THREADS

static bool directory_is_whole(const qh_directory *directory, qh_survey *survey) {
    return directory->count <= directory->capacity &&
           qh__survey_block(survey, directory->segments, directory->capacity * sizeof(void *));
}

static bool segments_are_whole(const qh_table *table, qh_survey *survey) {
    uint32_t first = first_segment_room(QH_MAX(buckets_now(table), 1u));
    for (uint32_t i = 0; i < table->buckets.count; i++)
        if (!qh__survey_block(survey, table->buckets.segments[i],
                              (i == 0 ? first : SEGMENT_BUCKETS) * sizeof(qh_bucket)))
            return false;
    for (uint32_t i = 0; i < table->spills.count; i++)
        if (!qh__survey_block(survey, table->spills.segments[i],
                              spills_of_segment(i) * sizeof(qh_bucket)))
            return false;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < table->row_segments.count; i++) {
        rows += rows_of_segment(table, i);
        if (!qh__survey_block(survey, table->row_segments.segments[i],
                              (size_t)rows_of_segment(table, i) * table->row_bytes))
            return false;
    }
    return rows == (uint64_t)table->rows + table->row_room;
}

/* Whether a link is 0 or names a spill bucket. */
static bool spill_exists(const qh_table *table, uint32_t link) {
    if (link == 0) return true;
    uint32_t segment = (link - 1) / SEGMENT_BUCKETS;
    return segment < table->spills.count &&
           (link - 1) % SEGMENT_BUCKETS < spills_of_segment(segment);
}

static bool chain_is_whole(const qh_table *table, const qh_bucket *bucket) {
    uint32_t left = table->spills.count * SEGMENT_BUCKETS;
    size_t end = (size_t)table->memory->budget.pages * QH_PAGE_BYTES - table->row_bytes;
    for (;;) {
        uint32_t count = bucket->link >> 28, next = bucket->link & LINK_MASK;
        if (count > QH_BUCKET_ENTRIES || !spill_exists(table, next)) return false;
        for (uint32_t i = 0; i < count; i++)
            if ((uint64_t)bucket->rows[i] << 4 > end) return false;
        if (next == 0) return true;
        if (left-- == 0) return false;
        bucket = qh__bucket_at(&table->spills, next - 1);
    }
}

bool qh__table_is_whole(const qh_table *table, qh_survey *survey) {
    uint32_t most = table->level_mask + 1, listed = 0;
    if (table->rows > 0 && ((most & table->level_mask) != 0 || table->split > table->level_mask ||
                            (buckets_now(table) - 1) / SEGMENT_BUCKETS >= table->buckets.count))
        return false;
    if (!directory_is_whole(&table->buckets, survey) ||
        !directory_is_whole(&table->spills, survey) ||
        !directory_is_whole(&table->row_segments, survey) || !segments_are_whole(table, survey))
        return false;
    for (uint32_t i = 0; i < buckets_now(table); i++)
        if (!chain_is_whole(table, qh__bucket_at(&table->buckets, i))) return false;
    for (uint32_t link = table->spill_free; link;
         link = qh__bucket_at(&table->spills, link - 1)->link)
        if (!spill_exists(table, link) || ++listed > table->spills.count * SEGMENT_BUCKETS)
            return false;
    return qh_table_validate(table);
}

#endif
