/* The heap: every block of every agent, above the static data, under the page budget. docs/design/memory.md explains the design.
 *
 * Memory is counted in granules of 16 bytes. Who frees a block knows its size (sized free) and its owner, so blocks carry no
 * header: a payload byte is a byte of memory. Three layers, each used by the one before it:
 *   cache  blocks of less than 1 KiB that were freed lately, by exact length, last in first out. A ring of QH_HEAP_RING places
 *          remembers in which order they came; a block that was not taken again within one round of the ring is given back, one at
 *          most for each that comes in (three when the cache holds too much), so that no operation ever flushes it.
 *   holes  what is free below the top, merged with its neighbours at once: lists by length, exact up to 1 KiB and 32 to a
 *          doubling from there, with a bitmap of those that are not empty. The map outside of the blocks has a bit where
 *          used and free memory meet, so that freeing reads nothing of its neighbours that are in use.
 *   top    from where the heap grows; what is freed below it lowers it.
 *
 * An owner that has freed nothing yet is `building`: its small blocks come one after the other from a nest, a run that is the
 * owner's alone, and qh_owner_release_all gives everything back in a few steps. With its first free it becomes ordinary.
 *
 * Every block belongs to an owner (an agent, a shared resource, the runtime): the owner is charged the rounded size before
 * anything is taken, and QH_QUOTA_EXCEEDED leaves everything as it was. The same calls give the same offsets from the heap's
 * start in every build.
 *
 * Invariants (qh_heap_validate): holes, cached blocks, live blocks, the rest of the nest and the heap's own tables partition the memory
 * between start and top; two holes never touch; every list, bitmap, map and count says the same. */
#ifndef QH_MEMORY_HEAP_H
#define QH_MEMORY_HEAP_H

#if defined(QH_SMALL)
#include "memory/heap_small.h"
#else

#include "memory/budget.h"
#include "memory/guard.h"
#include "memory/lock.h"
#include "memory/record.h"

#define QH_HEAP_ALIGNMENT ((size_t)16)
#define QH_HEAP_LONGEST 63 /* granules of the longest block that is cached */
#define QH_HEAP_NESTED 256 /* granules of the longest block that lies in a nest */
#define QH_HEAP_RING 512   /* blocks that are cached at most; a power of two */
#define QH_HEAP_ROWS 24    /* of 32 lists of holes each */
#define QH_OWNER_EXTENTS 8

/* Bytes and blocks in one word, so that the books of a block are one addition. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the halves of the books are in little-endian order"
#endif

typedef struct qh_extent {
    uint32_t begin, end; /* granules */
} qh_extent;

/* Who pays for a block. Lives inside its agent or resource, and may be moved. */
typedef struct qh_owner {
    union {
        uint64_t books;
        struct {
            uint32_t live_blocks, live_bytes;
        };
    };
    union {
        uint64_t peak; /* of the books; the low half is all ones */
        struct {
            uint32_t peak_ones, peak_bytes;
        };
    };
    size_t quota_bytes;
    uint32_t id;      /* the agent's handle; below QH_OWNER_COUNT a resource of the runtime */
    uint32_t kind;    /* qh_owner_kind */
    uint32_t nest;    /* tells its nest from those of others; 0: not building */
    uint32_t leaving; /* its extents are given back when it is closed, and its blocks not before */
    uint32_t extent_count;
    qh_extent extents[QH_OWNER_EXTENTS]; /* all blocks of an owner that is building */
} qh_owner;

typedef struct qh_free_block {
    struct qh_free_block *next;
} qh_free_block;

typedef struct qh_heap {
    union {
        uint64_t books;
        struct {
            uint32_t live_blocks, live_bytes;
        };
    };
    union {
        uint64_t peak;
        struct {
            uint32_t peak_ones, peak_bytes;
        };
    };
    uint64_t floor; /* books below which the cache holds too much */
    uint32_t
        fail_after; /* fault injection: 0 off; n: the n-th allocation from now and all later ones fail */
    uint32_t turn;       /* the place of the ring written last */
    qh_records *records; /* NULL: not tracking */
    qh_budget *budget;
    uintptr_t base; /* the budget's */
    uint32_t
        *maps;    /* where each part of the map lies, as if its first bit were that of granule 0 */
    size_t start; /* offset from budget->base */
    /* granules, counted from budget->base */
    uint32_t origin, first, top, limit;
    uint32_t body;                          /* where the tables end that are never moved */
    uint32_t covered;                       /* the map tells of what lies below */
    uint32_t heads;                         /* of the lists of holes: one granule each */
    uint32_t nest_begin, nest_at, nest_end; /* the open nest, and up to where it is taken */
    /* lengths in granules */
    uint32_t used; /* live outside of the open nest, or cached */
    uint32_t map_units;
    uint32_t nest_guess;  /* what the last owner needed of nests */
    uint32_t nest_used;   /* what the one that is building took of nests before this one */
    uint32_t nest;        /* whose nest is open; 0: nobody's */
    uint32_t nest_owner;  /* whose nest was open last */
    uint32_t nest_extent; /* which of its extents */
    uint32_t nests_opened;
    qh_result failure; /* why memory was refused last */
#if QH_POISONED
    uint32_t red_zone; /* granules left behind each block */
#endif
    uint32_t row_bits, column_bits[QH_HEAP_ROWS];
    /* By length: the place of the block freed last. Beyond QH_HEAP_LONGEST 0, where no block of that length lies. */
    uint16_t bins[QH_HEAP_NESTED + 1];
    uint64_t ring
        [QH_HEAP_RING]; /* granule << 32 | place of the next in the bin << 16 | length; 0: none */
#if QH_THREADS
    qh_memory_lock lock;
#endif
} qh_heap;

#endif

/* Opens an empty heap at offset `start` of the budget's memory. Fails like qh_heap_alloc. */
qh_result qh_heap_open(qh_heap *heap, qh_budget *budget, size_t start);

void qh_owner_open(qh_heap *heap, qh_owner *owner, uint32_t id, uint32_t kind, size_t quota_bytes);

/* From now on the owner only frees. Where it is building still, what it frees is given back by qh_owner_close, all at once; its blocks
 * of pools and its records go one by one as ever. */
void qh_owner_leave(qh_owner *owner);

/* Asserts that the owner holds nothing; the extents of one that has left are given back here. */
void qh_owner_close(qh_heap *heap, qh_owner *owner);

/* Gives back all blocks of an owner at once, in time that does not depend on their number; false, and nothing has happened, where that
 * is not possible: the owner has freed or shrunk a block, holds blocks of pools, has too many extents, or
 * allocations are tracked (the small build: it holds a block). Then its blocks have to be freed one by one. */
bool qh_owner_release_all(qh_heap *heap, qh_owner *owner);

/* A block of at least `byte_count` > 0 bytes, aligned to 16, contents undefined, charged to `owner`. Fails with
 * QH_QUOTA_EXCEEDED, QH_OVERFLOW, QH_EXCEEDS_LIMIT or QH_GROWTH_FAILED; then nothing has changed. */
qh_result qh_heap_alloc(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block);

/* The same, filled with zeros. */
qh_result qh_heap_alloc_zeroed(qh_heap *heap, qh_owner *owner, size_t byte_count,
                               qh_block_kind kind, void **block);

#if !defined(QH_SMALL)
/* The same as qh_heap_alloc, its offset from the start of the memory aligned to `alignment`, a power of two up to 64 KiB (a native
 * mapping begins at a page: addresses are aligned to 4 KiB at most). */
qh_result qh_heap_alloc_aligned(qh_heap *heap, qh_owner *owner, size_t byte_count, size_t alignment,
                                qh_block_kind kind, void **block);
#endif

/* A block that is never given back (a pool's region), aligned to 64. It has no record: a pool records its blocks when they are
 * out, and the first of them has the region's address. */
qh_result qh_heap_carve(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block);

/* Gives a block back. `owner` and `byte_count` are those it was taken with. NULL is allowed. */
void qh_heap_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count);

/* Makes `*block` hold `new_count` bytes, keeping its first min(old, new); it moves only where the memory behind it is not
 * free (the small build: where its class stays the same). NULL is allowed: a new block. On failure it is as it was. */
qh_result qh_heap_resize(qh_heap *heap, qh_owner *owner, void **block, size_t old_count,
                         size_t new_count, qh_block_kind kind);

/* The bytes a request of `byte_count` is charged: the next multiple of 16 (the small build: its class). */
size_t qh_heap_charge(size_t byte_count);

/* The offset from budget->base behind all memory in use. */
size_t qh_heap_end(const qh_heap *heap);

#if defined(QH_SMALL)
/* Whether the owner's quota has room for `byte_count` more bytes. */
bool qh_owner_affords(const qh_owner *owner, size_t byte_count);

/* Charges one block whose bytes come from elsewhere (a pool); false, and nothing has changed, beyond the quota. */
bool qh_owner_charge(qh_owner *owner, size_t byte_count);

/* Discharges it. */
void qh_owner_discharge(qh_owner *owner, size_t byte_count);
#else
QH_INLINE bool qh_owner_affords(const qh_owner *owner, size_t byte_count) {
    return byte_count <= owner->quota_bytes - owner->live_bytes;
}

QH_INLINE bool qh_owner_charge(qh_owner *owner, size_t byte_count) {
    uint64_t books = owner->books + ((uint64_t)byte_count << 32 | 1);
    if (QH_UNLIKELY(books >> 32 > owner->quota_bytes)) return false;
    owner->books = books;
    if (books > owner->peak) owner->peak = books | UINT32_MAX;
    return true;
}

QH_INLINE void qh_owner_discharge(qh_owner *owner, size_t byte_count) {
    uint64_t books = (uint64_t)byte_count << 32 | 1;
    QH_ASSERT(owner->books >= books);
    owner->books -= books;
}
#endif

bool qh_heap_validate(const qh_heap *heap);

#if QH_THREADS
/* ---- under the memory lock (lock.c) */

qh_result QH_UNLOCKED(qh_heap_alloc)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                     qh_block_kind kind, void **block);
qh_result QH_UNLOCKED(qh_heap_alloc_aligned)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                             size_t alignment, qh_block_kind kind, void **block);
qh_result QH_UNLOCKED(qh_heap_carve)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                     qh_block_kind kind, void **block);
void QH_UNLOCKED(qh_heap_free)(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count);
qh_result QH_UNLOCKED(qh_heap_resize)(qh_heap *heap, qh_owner *owner, void **block,
                                      size_t old_count, size_t new_count, qh_block_kind kind);
void QH_UNLOCKED(qh_owner_close)(qh_heap *heap, qh_owner *owner);
bool QH_UNLOCKED(qh_heap_validate)(const qh_heap *heap);

/* Gives back what a free that was put off did not, the books of the owner aside. */
void qh__heap_give_back(qh_heap *heap, void *block, size_t byte_count);

/* Gives some of the cache back where it holds too much. */
void qh__heap_trim(qh_heap *heap);

/* Everything before the cache: kept by the journal. */
#define QH_HEAP_HEAD offsetof(qh_heap, bins)
#endif

#endif
