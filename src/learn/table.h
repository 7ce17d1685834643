/* The Q-table: a sparse hash table from a 64-bit state key to a row of action values and visit counts.
 *
 *   key -> bucket (linear hashing)        location -> row (append only, never moves)
 *
 *   bucket, 64 bytes, one cache line      row
 *   +--------------+------+-----------+   +-----+-------+-----------+-------------+----------+
 *   | tags 12 x u8 | link | rows 12x4 |   | key | 2 x 4 | q[stride] | n[stride]   | extra    |
 *   +--------------+------+-----------+   +-----+-------+-----------+-------------+----------+
 *   link: count of entries in the top 4 bits, 1 + number of the spill bucket behind in the low 28.
 *
 * Rows live in segments under a directory and never move: a location (the row's distance from the start of memory, in units of 16 bytes) is good until the table is
 * cleared, so traces and n-step queues keep locations, not keys. Segments start near 1 KiB and double up to 16 KiB:
 * an empty table costs nothing, a small one little, and a 10 MiB table needs no large block. `stride` is `actions` rounded up to
 * whole SIMD lanes; the spare lanes hold -infinity, so that a maximum needs no tail.
 *
 * The index is linear hashing (Litwin 1980): buckets 0 .. 2^level + split - 1; an insertion that brings the mean above 6
 * rows a bucket splits bucket `split` in two. No rehash, no pause: the slowest insertion moves one chain. Keys must be
 * uniform in all 64 bits (encoders mix them); the table knows nothing of encoders.
 *
 * `leaders` remembers which of up to 32 values are the greatest, from the first choice after one of them changed to the next change:
 * choosing again reads 4 bytes instead of all values. It follows from the values. Neither it nor the stamp is in any hash or export.
 *
 * A row exists only once something was learned in its state. `reserve` takes all memory that the insertions after it may need,
 * so that a caller can first make sure and then change things: a spent quota never leaves half an update behind.
 *
 * Invariants (qh_table_validate): each row is found under its key; leaders that are known are the greatest; entries of all chains == rows; each entry's chain is the one its
 * key selects; tags match; free + linked spill buckets == spill buckets. */
#ifndef QH_LEARN_TABLE_H
#define QH_LEARN_TABLE_H

#include "base/bits.h"
#include "memory/memory.h"
#include "sync/atomic.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define QH_NO_ROW 0xFFFFFFFFu
#define QH_BUCKET_ENTRIES 12u
#define QH_ROW_HEADER_BYTES 16u

typedef struct qh_bucket {
    uint8_t tags[QH_BUCKET_ENTRIES];
    uint32_t link;
    uint32_t rows[QH_BUCKET_ENTRIES];
} qh_bucket;

_Static_assert(sizeof(qh_bucket) == 64, "a bucket is one cache line");

typedef struct qh_row {
    uint64_t key;
    uint32_t leaders; /* bit i: q[i] is the greatest; 0: not known */
    uint32_t stamp;   /* 0 at birth; what a reader of the table has seen of the row */
    float q[];        /* stride values, then stride counts, then the extra bytes */
} qh_row;

/* An array of equal blocks' addresses that grows by doubling. */
typedef struct qh_directory {
    void **segments;
    uint32_t count, capacity;
} qh_directory;

typedef struct qh_table {
    /* the path of a lookup */
    uint32_t rows;
    uint32_t level_mask; /* 2^level - 1 */
    uint32_t split;      /* next bucket to split, <= level_mask */
    uint32_t row_bytes;
    qh_directory buckets; /* segments of 16 buckets; the first may be shorter */
    qh_directory spills;  /* segments of 16 buckets; the first has 4 */
    qh_memory *memory;
    uint32_t actions, stride, extra_bytes;
    uint64_t last_key; /* what `recall` found last, and where */
    uint32_t last_row; /* 0: nothing yet */
    /* the path of an insertion */
    qh_directory row_segments;
    uint32_t row_room; /* rows that fit after `rows` without memory */
    uint32_t first_rows, segment_rows;
    uint32_t spill_free; /* 1 + the first free spill bucket, 0: none */
    uint32_t spill_free_count;
    uint32_t spill_promised; /* of these, kept for the insertions reserved */
    float initial_value;
    qh_owner *owner;
} qh_table;

/* An empty table: takes no memory. `extra_bytes` a row (a multiple of 8) follow the counts, zeroed at birth. */
void qh_table_open(qh_table *table, qh_memory *memory, qh_owner *owner, uint32_t actions,
                   uint32_t extra_bytes, float initial_value);

/* Gives all memory back; the table is empty then and can be used on. */
void qh_table_clear(qh_table *table);

/* Makes the next `count` insertions unable to fail. On failure the table's content is as it was. */
qh_result qh_table_reserve(qh_table *table, uint32_t count);

/* Adds a row for a key that is not there, after a `reserve`. */
uint32_t qh_table_insert(qh_table *table, uint64_t key);

/* The location of the key's row, QH_NO_ROW where there is none. */
uint32_t qh_table_find(const qh_table *table, uint64_t key);

/* Whether the bucket of `key` holds over 768 rows. Keys that are uniform in all bits never do that (the mean is 6): hostile
 * ones would, to make every search long. */
bool qh_table_is_crowded(const qh_table *table, uint64_t key);

/* Bytes of the table in memory. */
size_t qh_table_bytes(const qh_table *table);

/* The location of the row number `index` in order of insertion, from 0. */
uint32_t qh_table_location(const qh_table *table, uint32_t index);

/* A hash of all rows (keys, values, counts, extra) in order of insertion: the same in every build. */
uint64_t qh_table_hash(const qh_table *table, uint64_t seed);

bool qh_table_validate(const qh_table *table);

QH_INLINE uint32_t qh__stride_of(uint32_t actions) {
    return (actions + 3) & ~3u;
}

QH_INLINE qh_row *qh__table_row(const qh_table *table, uint32_t location) {
    return qh__at(&table->memory->budget, (size_t)location << 4);
}

QH_INLINE uint32_t *qh__row_counts(const qh_table *table, qh_row *row) {
    return (uint32_t *)(void *)(row->q + table->stride);
}

QH_INLINE void *qh__row_extra(const qh_table *table, qh_row *row) {
    return row->q + 2 * (size_t)table->stride;
}

QH_INLINE uint8_t qh__tag_of(uint64_t key) {
    return (uint8_t)(key >> 56);
}

QH_INLINE uint32_t qh__bucket_of(const qh_table *table, uint64_t key) {
    uint32_t bucket = (uint32_t)key & table->level_mask;
    uint32_t doubled = (uint32_t)key & (table->level_mask * 2 + 1);
    return bucket < table->split ? doubled : bucket;
}

QH_INLINE qh_bucket *qh__bucket_at(const qh_directory *directory, uint32_t number) {
    return (qh_bucket *)directory->segments[number >> 4] + (number & 15);
}

/* Bit i set: tag i of the bucket equals `tag` (perhaps more bits: the key decides). */
QH_INLINE uint32_t qh__bucket_matches(const qh_bucket *bucket, uint8_t tag) {
    uint32_t live = (1u << (bucket->link >> 28)) - 1;
#if defined(__wasm_simd128__)
    return wasm_i8x16_bitmask(
               wasm_i8x16_eq(wasm_v128_load(bucket), wasm_i8x16_splat((int8_t)tag))) &
           live;
#else
    uint32_t matches = 0;
    for (uint32_t i = 0; i < QH_BUCKET_ENTRIES; i++)
        matches |= (uint32_t)(bucket->tags[i] == tag) << i;
    return matches & live;
#endif
}

/* qh_table_find, inline for hot paths. */
QH_INLINE uint32_t qh__table_find(const qh_table *table, uint64_t key) {
    if (QH_UNLIKELY(table->rows == 0)) return QH_NO_ROW;
    const qh_bucket *bucket = qh__bucket_at(&table->buckets, qh__bucket_of(table, key));
    uint8_t tag = qh__tag_of(key);
    for (;;) {
        for (uint32_t matches = qh__bucket_matches(bucket, tag); matches; matches &= matches - 1) {
            uint32_t location = bucket->rows[__builtin_ctz(matches)];
            if (QH_LIKELY(qh__table_row(table, location)->key == key)) return location;
        }
        uint32_t next = bucket->link & 0x0FFFFFFFu;
        if (QH_LIKELY(next == 0)) return QH_NO_ROW;
        bucket = qh__bucket_at(&table->spills, next - 1);
    }
}

/* qh_table_find, quicker for the key that it found last: rows stay where they are until the table is cleared. */
QH_INLINE uint32_t qh__table_recall(qh_table *table, uint64_t key) {
    if (QH_LIKELY(table->last_key == key && table->last_row)) return table->last_row;
    uint32_t location = qh__table_find(table, key);
    if (QH_LIKELY(location != QH_NO_ROW)) {
        table->last_key = key;
        table->last_row = location;
    }
    return location;
}

#endif
