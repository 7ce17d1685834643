/* Allocation records: with tracking on, one record for each live block, by address. Costs nothing when off.
 * An open-addressing hash table (linear probing, backward-shift deletion) in memory of the heap it watches, owned by
 * the runtime and not itself recorded. */
#ifndef QH_MEMORY_RECORD_H
#define QH_MEMORY_RECORD_H

#include "base/platform.h"

struct qh_heap;
struct qh_owner;

/* clang-format off */
/* X(name): what a block is for. */
#define QH_BLOCK_KINDS(X)                                                                          \
    X(runtime) X(agent) X(encoder) X(table) X(index) X(trajectory)                                 \
    X(state) X(batch) X(buffer) X(records) X(message) X(zones) X(vectors) X(knowledge) X(stack) X(note)
/* clang-format on */

typedef enum qh_block_kind {
#define QH_BLOCK_KIND_ENUM(name) QH_BLOCK_##name,
    QH_BLOCK_KINDS(QH_BLOCK_KIND_ENUM)
#undef QH_BLOCK_KIND_ENUM
} qh_block_kind;

/* clang-format off */
/* X(name): who owns blocks. */
#define QH_OWNER_KINDS(X)                                                                          \
    X(runtime) X(agent) X(batch) X(records) X(encoders) X(knowledge)                               \
    X(index) X(zones) X(federation) X(metrics) X(messages) X(threads)
/* clang-format on */

typedef enum qh_owner_kind {
#define QH_OWNER_KIND_ENUM(name) QH_OWNER_##name,
    QH_OWNER_KINDS(QH_OWNER_KIND_ENUM)
#undef QH_OWNER_KIND_ENUM
} qh_owner_kind;

typedef struct qh_record {
    void *block; /* NULL: an empty place */
    size_t byte_count;
    uint32_t owner;      /* its id */
    uint32_t owner_kind; /* qh_owner_kind */
    uint32_t kind;       /* qh_block_kind */
    uint32_t sequence;   /* number of the allocation, from 1 */
} qh_record;

typedef struct qh_records {
    struct qh_owner *owner; /* pays for the table */
    qh_record *places;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint32_t sequence;
#if QH_THREADS
    struct qh_heap *heap; /* whose lock and journal guard it */
#endif
} qh_records;

/* Makes room for one more record, so that the `add` that follows cannot fail. */
qh_result qh_records_reserve(struct qh_heap *heap, qh_records *records);

void qh_records_add(qh_records *records, void *block, size_t byte_count,
                    const struct qh_owner *owner, qh_block_kind kind);

/* Removes the record of `block`; false where there is none (a double or foreign free). */
bool qh_records_remove(qh_records *records, const void *block);

const qh_record *qh_records_find(const qh_records *records, const void *block);

#if QH_THREADS
/* ---- under the memory lock */

/* The record of a block goes when the operation commits; asserts that there is one, where records are kept. */
void qh__records_remove_later(struct qh_heap *heap, const void *block);

/* Gives back the table that was outgrown, if there is one. */
void qh__records_drop_outgrown(struct qh_heap *heap);

/* Ends that: also what somebody who died began. */
void qh__records_finish(struct qh_heap *heap);

/* The block has another size now. */
void qh__records_resize(struct qh_heap *heap, const void *block, size_t byte_count);

/* Counts them; after a death. */
void qh__records_recount(qh_records *records);
#endif

#endif
