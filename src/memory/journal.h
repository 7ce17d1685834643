/* The undo journal of the memory lock: what makes heap, pools and records survive the death of a thread in the middle of a change.
 *
 * A worker may be terminated anywhere, inside the lock as well. So an operation begins by keeping copies of the few small structs it may
 * change (the head of the heap, the books of the owner, the pool, the head of the records), and says of each other word (the links of
 * holes, words of the map, links of pools, places of records) what it was before it changes it:
 *
 *     begin    keep the structs            open = 1
 *     log      entries[count] = word       count + 1       then the word may change
 *     commit                               open = 0        then the record that is no more is taken out of its table
 *
 * Whoever recovers finds `open` and puts everything back, last word first; putting it back twice does no harm, so that may be
 * interrupted, too. Taking a record out is finished instead of undone: the place that is being emptied is kept in `emptying`, and moving the
 * records behind it up can be begun again from there.
 *
 * An operation that consists of several (blocks of the cache that are given back until there is room, a table of records that grows) commits
 * in between, where everything is sound. So the journal has a bound: QH_JOURNAL_ENTRIES, asserted at every entry. The worst there is
 * is a block that grows: the rest of a nest becomes a hole, a hole is cut, and the old place, put into the cache, drives out another
 * block, each with neighbours to be merged with.
 *
 * Whatever an owner writes into a block before the commit must not matter after a rollback. The heap keeps its own words in holes only,
 * and logs all of a hole's when it takes it.
 *
 * Without QH_THREADS there is no lock, no journal, and all of these are nothing. */
#ifndef QH_MEMORY_JOURNAL_H
#define QH_MEMORY_JOURNAL_H

#include "sync/room.h"

/* The bodies of what takes the memory lock have names of their own only where there is one. */
#if QH_THREADS
#define QH_UNLOCKED(name) name##_unlocked
#else
#define QH_UNLOCKED(name) name
#endif

#if QH_THREADS

#define QH_JOURNAL_ENTRIES 160u
#define QH_JOURNAL_BYTES 768u
#define QH_JOURNAL_REGIONS 4u

/* For the compiler: what is written before comes before what is written after. A thread that dies has done so in this order. */
#define QH_ORDERED() __atomic_signal_fence(__ATOMIC_SEQ_CST)

typedef struct qh_undo {
    uint32_t *at, was;
} qh_undo;

typedef struct qh_journal {
    uint32_t open;  /* 1: all of this has to be undone */
    uint32_t count; /* of entries */
    uint32_t most;  /* there ever were */
    uint32_t regions;
    struct {
        void *at;
        uint32_t byte_count;
    } kept_at[QH_JOURNAL_REGIONS];
    uint64_t kept[QH_JOURNAL_BYTES / 8];
    qh_undo entries[QH_JOURNAL_ENTRIES];
} qh_journal;

/* Forgets the last operation; the regions that the next one keeps follow. */
void qh__journal_clear(qh_journal *journal);
void qh__journal_keep(qh_journal *journal, void *at, uint32_t byte_count);

/* Begins, or goes on from here: copies the regions. */
void qh__journal_begin(qh_journal *journal);

QH_INLINE void qh__journal_commit(qh_journal *journal) {
    QH_ORDERED();
    journal->open = 0;
    QH_ORDERED();
}

/* Puts everything back as it was at `begin`. */
void qh__journal_undo(qh_journal *journal);

QH_INLINE void qh__journal_log(qh_journal *journal, const void *at, uint32_t words) {
    uint32_t *word = (uint32_t *)(uintptr_t)at;
    for (uint32_t count = journal->count; words > 0; words--, word++) {
        QH_ASSERT(count < QH_JOURNAL_ENTRIES);
        journal->entries[count] = (qh_undo){word, *word};
        QH_ORDERED();
        journal->count = ++count;
    }
    QH_ORDERED();
}

#endif
#endif
