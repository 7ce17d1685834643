/* The memory lock: one mutex around what all owners share of memory, which is the heap, the pools, the records and the page budget.
 *
 * Every public function of heap.h and pool.h takes it for as long as it runs; arenas, arrays and the tables of agents go
 * through these. It is the innermost lock: who holds it takes no other. What an agent carves out of blocks that it has (rows, buckets,
 * transitions) needs no lock.
 *
 * A thread that may not sleep and does not get the lock at once is told QH_BUSY where something is asked for, and nothing has changed. To
 * give back cannot fail: such a thread puts the block on a list of its own, kept in the block itself, and gives it back with the lock that
 * it gets next. (Spinning until the lock is free would hang a page for ever where a worker died with it: only the page itself could
 * call recover.) Until then the block counts as the heap's live memory, and has its record, but is no longer in its owner's books.
 *
 * Without QH_THREADS there is no lock: heap.c and pool.c are called as they are. */
#ifndef QH_MEMORY_LOCK_H
#define QH_MEMORY_LOCK_H

#include "memory/journal.h"

#if QH_THREADS

struct qh_heap;
struct qh_owner;
struct qh_pool;
struct qh_records;

/* In a block that is to be given back. */
typedef struct qh_deferred {
    struct qh_deferred *next;
    size_t bytes; /* as charged; and 1, where it is a pool's */
    struct qh_pool *pool;
} qh_deferred;

typedef struct qh_memory_lock {
    qh_mutex mutex;
    uint32_t emptying; /* 1 + the place of the record that is being taken out; 0: none */
    struct qh_owner *owner;
    struct qh_pool *pool; /* who the operation that runs is for */
    struct qh_records *records;
    void *outgrown; /* a table of records that was replaced and is not given back yet */
    size_t outgrown_bytes;
    qh_deferred *deferred[QH_MAX_THREADS];
    uint32_t orphans; /* whose owners have died: bit i for deferred[i] */
    uint32_t nests_opened;
    qh_journal journal;
} qh_memory_lock;

/* Takes the lock and begins an operation for an owner and a pool (NULL: none). QH_BUSY: it cannot be had. */
qh_result qh__memory_enter(struct qh_heap *heap, struct qh_owner *owner, struct qh_pool *pool);
void qh__memory_leave(struct qh_heap *heap);

/* The same for nobody in particular, by who must not wait for a holder that may be dead. */
qh_result qh__memory_enter_soon(struct qh_heap *heap);

/* Gives a block back, unless the lock cannot be had: then it stays in the books. For an owner whose books are not the caller's alone. */
bool qh__heap_try_free(struct qh_heap *heap, struct qh_owner *owner, void *block,
                       size_t byte_count);

/* What was done so far stays done. */
void qh__memory_checkpoint(struct qh_heap *heap);

/* Begins an operation of other parties while the lock is held. */
void qh__memory_begin(struct qh_heap *heap, struct qh_owner *owner, struct qh_pool *pool);
void qh__memory_commit(struct qh_heap *heap);

/* Ends what a thread that has died was doing to memory: its operation is undone, the lock is free, what it had put off to give back is put on
 * the list of the calling thread. True: there was something to undo or finish. Needs no lock, and may be called again. */
bool qh_memory_recover(struct qh_heap *heap, uint32_t dead);

/* Whether a block waits to be given back. */
bool qh__memory_is_deferred(const struct qh_heap *heap, const void *block);

/* A lookup in the heap may be const where what it finds is changed. */
#define QH_JOURNAL_OF(heap) ((qh_journal *)(uintptr_t)&(heap)->lock.journal)
#define QH_LOG(heap, at) qh__journal_log(QH_JOURNAL_OF(heap), at, 1)
#define QH_LOG_WORDS(heap, at, words) qh__journal_log(QH_JOURNAL_OF(heap), at, (uint32_t)(words))
#define QH_LOG_HALF(heap, at)                                                                      \
    qh__journal_log(QH_JOURNAL_OF(heap), (void *)((uintptr_t)(at) & ~(uintptr_t)3), 1)
#define QH_CHECKPOINT(heap) qh__memory_checkpoint(heap)

#else

#define QH_LOG(heap, at) ((void)0)
#define QH_LOG_WORDS(heap, at, words) ((void)0)
#define QH_LOG_HALF(heap, at) ((void)0)
#define QH_CHECKPOINT(heap) ((void)0)

#endif
#endif
