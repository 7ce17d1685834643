#include "memory/heap_parts.h"

#if !defined(QH_SMALL)

#include "base/bits.h"
#include "base/bytes.h"

QH_FAST_BEGIN

/* A request beyond this is refused before arithmetic with it could wrap. */
#define LARGEST_REQUEST ((size_t)0x40000000)

/* The cache may hold this part of the memory in use, and 4 KiB. */
#define CACHE_SHARE 32
#define CACHE_LEAST 256u

/* While the cache holds too much a free gives two blocks back and looks at so many places of the ring for them. */
#define EXCESS_BLOCKS 2
#define EXCESS_PLACES 64

/* Blocks given back before the memory grows. */
#define EVICTED_BEFORE_GROWTH 8

/* Holes looked at in a list whose members differ in length. */
#define HOLES_TRIED 2

/* Granules that a nest is opened with. */
#define NEST_LEAST 256u
#define NEST_MOST 4096u

/* ---------------------------------------------------------------- holes */

/* Low addresses to the front: what lives long gathers there. One comparison does nearly as well as sorting. */
static QH_NOINLINE void hole_insert(qh_heap *heap, uint32_t granule, uint32_t units) {
    uint32_t class = hole_class(units), prev = heap->heads + class;
    uint32_t next = hole_at(heap, prev)->next;
    if (granule > next) {
        next = prev;
        prev = hole_at(heap, next)->prev;
    }
    hole *inserted = hole_at(heap, granule);
    QH_LOG_WORDS(heap, inserted, 3);
    QH_LOG(heap, hole_tail(heap, granule + units));
    QH_LOG(heap, &hole_at(heap, next)->prev);
    QH_LOG(heap, &hole_at(heap, prev)->next);
    inserted->units = units;
    inserted->next = next;
    inserted->prev = prev;
    *hole_tail(heap, granule + units) = units;
    hole_at(heap, next)->prev = granule;
    hole_at(heap, prev)->next = granule;
    heap->column_bits[class / 32] |= 1u << class % 32;
    heap->row_bits |= 1u << class / 32;
}

QH_INLINE uint32_t hole_remove(qh_heap *heap, uint32_t granule) {
    const hole *removed = hole_at(heap, granule);
    uint32_t units = removed->units, next = removed->next, prev = removed->prev;
    QH_LOG_WORDS(heap, removed, 3);
    QH_LOG(heap, hole_tail(heap, granule + units));
    QH_LOG(heap, &hole_at(heap, next)->prev);
    QH_LOG(heap, &hole_at(heap, prev)->next);
    hole_at(heap, next)->prev = prev;
    hole_at(heap, prev)->next = next;
    if (next == prev) {
        uint32_t class = hole_class(units);
        uint32_t columns = heap->column_bits[class / 32] &= ~(1u << class % 32);
        if (!columns) heap->row_bits &= ~(1u << class / 32);
    }
    return units;
}

QH_INLINE uint32_t first_of(const qh_heap *heap, uint32_t row, uint32_t column) {
    return hole_at(heap, heap->heads + row * 32 + column)->next;
}

/* A hole of at least `units`, one of the shortest there are; 0: none. */
static uint32_t hole_find(const qh_heap *heap, uint32_t units) {
    uint32_t class = hole_class(units), row = class / 32, columns = ~0u << class % 32;
    if (row > 1) {
        uint32_t head = heap->heads + class, granule = hole_at(heap, head)->next;
        for (int i = 0; i < HOLES_TRIED && granule != head; i++) {
            const hole *tried = hole_at(heap, granule);
            if (tried->units >= units) return granule;
            granule = tried->next;
        }
        columns = ~1u << class % 32;
    }
    columns &= heap->column_bits[row];
    if (!columns) {
        uint32_t rows = heap->row_bits & ~1u << row;
        if (!rows) return 0;
        row = (uint32_t)__builtin_ctz(rows);
        columns = heap->column_bits[row];
    }
    return first_of(heap, row, (uint32_t)__builtin_ctz(columns));
}

/* One of the longest holes if it has at least `units`; 0: none has. */
static uint32_t hole_longest(const qh_heap *heap, uint32_t units) {
    if (!heap->row_bits) return 0;
    uint32_t row = 31 - (uint32_t)__builtin_clz(heap->row_bits);
    uint32_t found = first_of(heap, row, 31 - (uint32_t)__builtin_clz(heap->column_bits[row]));
    return hole_at(heap, found)->units >= units ? found : 0;
}

static void set_used(qh_heap *heap, uint32_t used) {
    uint32_t slack = used / CACHE_SHARE + CACHE_LEAST + RED_ZONE(heap) * heap->live_blocks;
    heap->used = used;
    heap->floor = used > slack ? (uint64_t)(used - slack) * GRANULE << 32 : 0;
}

/* Takes the first `units` of a hole. */
static void hole_cut(qh_heap *heap, uint32_t granule, uint32_t units) {
    uint32_t rest = hole_remove(heap, granule) - units;
    flip_border(heap, granule);
    flip_border(heap, granule + units);
    if (rest) hole_insert(heap, granule + units, rest);
    set_used(heap, heap->used + units);
}

static QH_NOINLINE void give_back_units(qh_heap *heap, uint32_t granule, uint32_t units) {
    uint32_t end = granule + units;
    set_used(heap, heap->used - units);
    if (flip_border(heap, end)) end += hole_remove(heap, end);
    if (flip_border(heap, granule)) {
        granule -= *hole_tail(heap, granule);
        hole_remove(heap, granule);
    }
    if (end != heap->top) {
        hole_insert(heap, granule, end - granule);
        return;
    }
    flip_border(heap, granule);
    flip_border(heap, end);
    heap->top = granule;
}

/* ---------------------------------------------------------------- the cache */

QH_INLINE bool cache_evict(qh_heap *heap, uint32_t place) {
    uint64_t entry = heap->ring[place];
    if (!entry) return false;
    QH_LOG_WORDS(heap, &heap->ring[place], 2);
    heap->ring[place] = 0;
    give_back_units(heap, (uint32_t)(entry >> 32), length_of(entry));
    return true;
}

QH_INLINE uint32_t next_turn(qh_heap *heap) {
    return heap->turn = (heap->turn + 1) % QH_HEAP_RING;
}

/* Gives back what lies in the next places of the ring, oldest first: so many blocks at most. */
static QH_NOINLINE void cache_evict_next(qh_heap *heap, uint32_t places, uint32_t blocks) {
    for (; places > 0 && blocks > 0; places--) {
        blocks -= cache_evict(heap, next_turn(heap));
        QH_CHECKPOINT(heap);
    }
}

/* The block of so many granules that was freed last; 0: none. A place that a bin still names after its block was given back, or that
 * was written again, holds nothing or another length: the same length would have been taken before. */
QH_INLINE uint32_t cache_take(qh_heap *heap, uint32_t units) {
    uint64_t *place = &heap->ring[heap->bins[units]], entry = *place;
    if (length_of(entry) != units) return 0;
    QH_LOG_WORDS(heap, place, 2);
    QH_LOG_HALF(heap, &heap->bins[units]);
    *place = 0;
    heap->bins[units] = (uint16_t)(entry >> 16);
    return (uint32_t)(entry >> 32);
}

QH_INLINE void cache_put(qh_heap *heap, uint32_t granule, uint32_t units) {
    uint32_t place = next_turn(heap);
    cache_evict(heap, place);
    QH_LOG_WORDS(heap, &heap->ring[place], 2);
    QH_LOG_HALF(heap, &heap->bins[units]);
    heap->ring[place] = (uint64_t)granule << 32 | (uint32_t)heap->bins[units] << 16 | units;
    heap->bins[units] = (uint16_t)place;
}

/* ---------------------------------------------------------------- the top */

/* The granules that the budget may have in all. */
static uint32_t top_most(const qh_heap *heap) {
    return QH_MIN(heap->budget->max_pages, UINT32_MAX / GRANULES_PER_PAGE) * GRANULES_PER_PAGE;
}

/* Where the part of the map that begins at granule `at` ends. */
static uint32_t map_end(const qh_heap *heap, uint32_t at) {
    return QH_MIN(at + REGION, (top_most(heap) / 128 + 1) * 128);
}

/* The next part of the map, at the top, where there is room for it. */
static void map_region(qh_heap *heap) {
    uint32_t at = heap->covered, end = map_end(heap, at), units = (end - at) / 128;
    uint32_t *map = granule_at(heap, heap->top);
    QH_UNPOISON(map, units * GRANULE);
    memset(map, 0, units * GRANULE);
    heap->maps[region_of(heap, at)] = heap->top - at / 128;
    heap->covered = end;
    heap->map_units += units;
    heap->top += units;
}

static bool top_reach(qh_heap *heap, uint32_t end) {
    qh_budget *budget = heap->budget;
    uint32_t pages = end / GRANULES_PER_PAGE + (end % GRANULES_PER_PAGE != 0);
    if (end > MOST_GRANULES && pages <= budget->max_pages) {
        heap->failure = QH_EXCEEDS_LIMIT;
        return false;
    }
    if (pages > budget->pages) {
        heap->failure = qh_budget_grow(budget, pages - budget->pages);
        if (heap->failure != QH_OK) return false;
    }
    uint32_t limit = QH_MIN(budget->pages, UINT32_MAX / GRANULES_PER_PAGE) * GRANULES_PER_PAGE;
#if QH_POISONED
    uint32_t poisoned = QH_MAX(heap->limit, heap->first);
    QH_POISON(granule_at(heap, poisoned), (limit - poisoned) * GRANULE);
#endif
    heap->limit = limit;
    return true;
}

/* Adds `units` to what lies below the top; where they begin, or 0. What the map lacks comes behind them. */
static QH_NOINLINE uint32_t raise_top(qh_heap *heap, uint32_t units) {
    uint32_t begin = heap->top, end = begin + units, top = end, most = top_most(heap);
    for (uint32_t at = heap->covered; at <= top && at <= most; at = map_end(heap, at))
        top += (map_end(heap, at) - at) / 128;
    if (top > heap->limit && !top_reach(heap, top)) return 0;
    heap->top = end;
    while (heap->top < top) map_region(heap);
    set_used(heap, heap->used + units);
    return begin;
}

/* ---------------------------------------------------------------- nests */

/* The rest of the open nest becomes a hole. */
static void nest_close(qh_heap *heap) {
    uint32_t rest = heap->nest_end - heap->nest_at, taken = heap->nest_at - heap->nest_begin;
    heap->nest = 0;
    heap->nest_used += taken;
    heap->nest_begin = heap->nest_end = heap->nest_at;
    set_used(heap, heap->used + taken + rest);
    if (rest) give_back_units(heap, heap->nest_at, rest);
}

/* From here on the owner's blocks are like those of any other. */
static void stop_building(qh_heap *heap, qh_owner *owner) {
    if (heap->nest == owner->nest) nest_close(heap);
    owner->nest = 0;
}

/* ---------------------------------------------------------------- taking */

/* From the holes, or else the top; 0 and heap->failure where there is no memory. */
static QH_NOINLINE uint32_t take_units(qh_heap *heap, uint32_t units) {
    uint32_t found = hole_find(heap, units);
    if (!found && heap->top + units > heap->limit) {
        cache_evict_next(heap, EXCESS_PLACES, EVICTED_BEFORE_GROWTH);
        found = hole_find(heap, units);
    }
    if (!found) {
        found = raise_top(heap, units);
        if (found) return found;
        cache_evict_next(heap, QH_HEAP_RING, QH_HEAP_RING);
        nest_close(heap);
        found = hole_find(heap, units);
        if (!found) return raise_top(heap, units);
    }
    hole_cut(heap, found, units);
    return found;
}

/* Makes [begin, end) the owner's. There is room: who has its last extent stops building before it needs one more. */
static uint32_t add_extent(qh_owner *owner, uint32_t begin, uint32_t end) {
    uint32_t last = owner->extent_count;
    if (last && owner->extents[last - 1].end == begin) {
        owner->extents[last - 1].end = end;
        return last - 1;
    }
    owner->extents[last] = (qh_extent){begin, end};
    owner->extent_count = last + 1;
    return last;
}

/* The hole right behind the owner's last nest if it has at least `units`, which makes one extent of both; 0: none. */
static uint32_t nest_behind(const qh_heap *heap, const qh_owner *owner, uint32_t units) {
    uint32_t begin = heap->nest_at, last = owner->extent_count;
    if (last == 0 || owner->extents[last - 1].end != begin || !is_border(heap, begin)) return 0;
    return hole_at(heap, begin)->units >= units ? begin : 0;
}

/* As long as what the last owner needed of nests, so that one extent does for owners that are alike. */
static bool nest_open(qh_heap *heap, qh_owner *owner, uint32_t units) {
    uint32_t want = QH_MAX(heap->nest_used / 2, NEST_LEAST);
    if (heap->nest_used < heap->nest_guess) want = heap->nest_guess - heap->nest_used;
    want = QH_MAX(QH_MIN(want, NEST_MOST), units);
    uint32_t begin = nest_behind(heap, owner, units);
    if (begin)
        want = QH_MIN(want, hole_at(heap, begin)->units);
    else
        begin = hole_find(heap, want);
    if (!begin && owner->extent_count < QH_OWNER_EXTENTS / 2) {
        begin = hole_longest(heap, QH_MAX(units, NEST_LEAST));
        if (begin) want = hole_at(heap, begin)->units;
    }
    if (begin)
        hole_cut(heap, begin, want);
    else if ((begin = raise_top(heap, want)) == 0 && (begin = take_units(heap, want = units)) == 0)
        return false;
    set_used(heap, heap->used - want);
    heap->nest = owner->nest;
    heap->nest_extent = add_extent(owner, begin, begin);
    heap->nest_begin = heap->nest_at = begin;
    heap->nest_end = begin + want;
    return true;
}

/* There is room. */
QH_INLINE uint32_t nest_take(qh_heap *heap, qh_owner *owner, uint32_t units) {
    uint32_t taken = heap->nest_at;
    owner->extents[heap->nest_extent].end = heap->nest_at = taken + units;
    return taken;
}

/* For an owner that is building. */
static uint32_t nest_build(qh_heap *heap, qh_owner *owner, uint32_t units) {
    if (heap->nest && heap->nest != owner->nest) nest_close(heap);
    if (!heap->nest && heap->nest_owner != owner->nest) {
        heap->nest_owner = owner->nest;
        heap->nest_guess = heap->nest_used;
        heap->nest_used = 0;
    }
    if (heap->nest && units <= heap->nest_end - heap->nest_at && units <= QH_HEAP_NESTED)
        return nest_take(heap, owner, units);
    if (owner->extent_count == QH_OWNER_EXTENTS) {
        stop_building(heap, owner);
        return take_units(heap, units);
    }
    if (units > QH_HEAP_NESTED) {
        uint32_t taken = take_units(heap, units);
        if (taken) add_extent(owner, taken, taken + units);
        return taken;
    }
    nest_close(heap);
    return nest_open(heap, owner, units) ? nest_take(heap, owner, units) : 0;
}

static QH_NOINLINE uint32_t obtain_units(qh_heap *heap, qh_owner *owner, uint32_t units) {
    if (owner->nest) return nest_build(heap, owner, units);
    uint32_t taken = units <= QH_HEAP_NESTED ? cache_take(heap, units) : 0;
    return taken ? taken : take_units(heap, units);
}

/* ---------------------------------------------------------------- books */

size_t qh_heap_charge(size_t byte_count) {
    return byte_count > LARGEST_REQUEST ? SIZE_MAX / 2 : qh__align_up(byte_count, GRANULE);
}

size_t qh_heap_end(const qh_heap *heap) {
    return heap->top * GRANULE;
}

QH_INLINE uint64_t books_of(size_t bytes, uint32_t blocks) {
    return (uint64_t)bytes << 32 | blocks;
}

QH_INLINE void put_books(qh_heap *heap, qh_owner *owner, uint64_t owned, uint64_t live) {
    owner->books = owned;
    heap->books = live;
    if (owned > owner->peak) owner->peak = owned | UINT32_MAX;
    if (live > heap->peak) heap->peak = live | UINT32_MAX;
}

static void book_block(qh_heap *heap, qh_owner *owner, uint64_t books) {
    put_books(heap, owner, owner->books + books, heap->books + books);
}

/* A number that no other nest had; with threads an owner is opened without the lock. */
#if QH_THREADS
#define NEXT_NEST(heap) (qh__atomic_add(&(heap)->lock.nests_opened, 1) + 1)
#else
#define NEXT_NEST(heap) (++(heap)->nests_opened)
#endif

void qh_owner_open(qh_heap *heap, qh_owner *owner, uint32_t id, uint32_t kind, size_t quota_bytes) {
    *owner = (qh_owner){.id = id, .kind = kind, .quota_bytes = quota_bytes};
    owner->nest = NEXT_NEST(heap);
}

/* All blocks of an owner that is building, which then begins anew. */
static void release_extents(qh_heap *heap, qh_owner *owner) {
    if (heap->nest == owner->nest) nest_close(heap);
    for (uint32_t i = 0; i < owner->extent_count; i++) {
        uint32_t begin = owner->extents[i].begin, units = owner->extents[i].end - begin;
        qh__guard_freed(granule_at(heap, begin), units * GRANULE);
        give_back_units(heap, begin, units);
    }
    owner->extent_count = 0;
    owner->nest = NEXT_NEST(heap);
}

/* With threads every block goes by itself: what has a record is live and what has none is free, whenever the thread dies. */
void qh_owner_leave(qh_owner *owner) {
    owner->leaving = !QH_THREADS && owner->nest != 0;
}

void QH_UNLOCKED(qh_owner_close)(qh_heap *heap, qh_owner *owner) {
    QH_ASSERT(owner->books == 0);
    if (owner->leaving)
        release_extents(heap, owner);
    else if (owner->nest)
        stop_building(heap, owner);
    *owner = (qh_owner){0};
}

bool qh_owner_release_all(qh_heap *heap, qh_owner *owner) {
    if (owner->books == 0) return true;
    if (!owner->nest || heap->records) return false;
    uint32_t pooled = owner->live_bytes / GRANULE + RED_ZONE(heap) * owner->live_blocks;
    for (uint32_t i = 0; i < owner->extent_count; i++)
        pooled -= owner->extents[i].end - owner->extents[i].begin;
    if (pooled) return false;
    heap->books -= owner->books;
    owner->books = 0;
    release_extents(heap, owner);
    return true;
}

/* ---------------------------------------------------------------- alloc */

static bool injected_failure(qh_heap *heap) {
    if (QH_LIKELY(heap->fail_after == 0)) return false;
    if (heap->fail_after == 1) return true;
    heap->fail_after--;
    return false;
}

/* Whether the owner may have a block of `byte_count` that is charged `added` more than what it has. */
static qh_result admit_block(qh_heap *heap, const qh_owner *owner, size_t byte_count, size_t added,
                             bool recorded) {
    if (!qh_owner_affords(owner, added)) return QH_QUOTA_EXCEEDED;
    if (byte_count > LARGEST_REQUEST) return QH_OVERFLOW;
    if (injected_failure(heap)) return QH_GROWTH_FAILED;
    return recorded && heap->records ? qh_records_reserve(heap, heap->records) : QH_OK;
}

static QH_NOINLINE qh_result alloc_slowly(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                          qh_block_kind kind, void **block) {
    size_t bytes = qh_heap_charge(byte_count);
    QH_TRY(admit_block(heap, owner, byte_count, bytes, true));
    uint32_t taken = obtain_units(heap, owner, span_of(heap, byte_count));
    if (!taken) return heap->failure;
    book_block(heap, owner, books_of(bytes, 1));
    *block = granule_at(heap, taken);
    qh__guard_taken(*block, byte_count, bytes);
    if (heap->records) qh_records_add(heap->records, *block, bytes, owner, kind);
    return QH_OK;
}

qh_result QH_UNLOCKED(qh_heap_alloc)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                     qh_block_kind kind, void **block) {
    uint32_t units = span_of(heap, byte_count), taken = 0;
    uint64_t books = books_of((units - RED_ZONE(heap)) * GRANULE, 1);
    uint64_t owned = owner->books + books, live = heap->books + books;
    QH_ASSERT(byte_count > 0);
    if (QH_UNLIKELY(owned >> 32 > owner->quota_bytes ||
                    byte_count > (QH_HEAP_NESTED - RED_ZONE(heap)) * GRANULE || heap->fail_after ||
                    heap->records))
        return alloc_slowly(heap, owner, byte_count, kind, block);
    if (owner->nest) {
        if (owner->nest != heap->nest || units > heap->nest_end - heap->nest_at)
            return alloc_slowly(heap, owner, byte_count, kind, block);
        taken = nest_take(heap, owner, units);
    } else {
        taken = cache_take(heap, units);
        if (!taken) return alloc_slowly(heap, owner, byte_count, kind, block);
    }
    put_books(heap, owner, owned, live);
    *block = granule_at(heap, taken);
    qh__guard_taken(*block, byte_count, (units - RED_ZONE(heap)) * GRANULE);
    return QH_OK;
}

qh_result qh_heap_alloc_zeroed(qh_heap *heap, qh_owner *owner, size_t byte_count,
                               qh_block_kind kind, void **block) {
    QH_TRY(qh_heap_alloc(heap, owner, byte_count, kind, block));
    memset(*block, 0, byte_count);
    return QH_OK;
}

/* Takes enough to align in, and gives both ends back. */
static qh_result alloc_aligned(qh_heap *heap, qh_owner *owner, size_t bytes, size_t alignment,
                               void **block) {
    uint32_t units = span_of(heap, bytes), step = (uint32_t)(alignment / GRANULE);
    if (owner->nest && owner->extent_count == QH_OWNER_EXTENTS) stop_building(heap, owner);
    uint32_t taken = take_units(heap, units + step - 1);
    if (!taken) return heap->failure;
    uint32_t begin = (taken + step - 1) / step * step, before = begin - taken;
    if (before) give_back_units(heap, taken, before);
    if (before < step - 1) give_back_units(heap, begin + units, step - 1 - before);
    if (owner->nest) add_extent(owner, begin, begin + units);
    book_block(heap, owner, books_of(bytes, 1));
    *block = granule_at(heap, begin);
    qh__guard_taken(*block, bytes, bytes);
    return QH_OK;
}

qh_result QH_UNLOCKED(qh_heap_alloc_aligned)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                             size_t alignment, qh_block_kind kind, void **block) {
    QH_ASSERT(byte_count > 0 && alignment <= QH_PAGE_BYTES && (alignment & (alignment - 1)) == 0);
    size_t bytes = qh_heap_charge(byte_count);
    QH_TRY(admit_block(heap, owner, byte_count, bytes, true));
    QH_TRY(alloc_aligned(heap, owner, bytes, QH_MAX(alignment, GRANULE), block));
    if (heap->records) qh_records_add(heap->records, *block, bytes, owner, kind);
    return QH_OK;
}

qh_result QH_UNLOCKED(qh_heap_carve)(qh_heap *heap, qh_owner *owner, size_t byte_count,
                                     qh_block_kind kind, void **block) {
    (void)kind;
    size_t bytes = qh__align_up(byte_count, GRANULE);
    if (bytes < byte_count || bytes / GRANULE > MOST_GRANULES - 64) return QH_OVERFLOW;
    QH_TRY(admit_block(heap, owner, 0, bytes, false));
    return alloc_aligned(heap, owner, bytes, 64, block);
}

/* ---------------------------------------------------------------- free and resize */

/* The block is no longer the owner's in the books. */
static QH_NOINLINE void free_slowly(qh_heap *heap, qh_owner *owner, uint32_t granule,
                                    uint32_t units) {
    if (owner->leaving) return;
    if (owner->nest) stop_building(heap, owner);
    if (units > QH_HEAP_LONGEST) {
        give_back_units(heap, granule, units);
        return;
    }
    cache_put(heap, granule, units);
    if (!QH_THREADS && heap->books < heap->floor) /* with threads: qh__heap_trim */
        cache_evict_next(heap, EXCESS_PLACES, EXCESS_BLOCKS);
}

#if QH_THREADS

void qh__heap_trim(qh_heap *heap) {
    if (heap->books < heap->floor) cache_evict_next(heap, EXCESS_PLACES, EXCESS_BLOCKS);
}

void qh__heap_give_back(qh_heap *heap, void *block, size_t byte_count) {
    qh_owner nobody = {0};
    uint32_t units = span_of(heap, byte_count);
    qh__records_remove_later(heap, block);
    heap->books -= books_of((units - RED_ZONE(heap)) * GRANULE, 1);
    qh__guard_freed(block, units * GRANULE);
    free_slowly(heap, &nobody, granule_of(heap, block), units);
}

void QH_UNLOCKED(qh_heap_free)(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count) {
    uint64_t books = books_of(qh_heap_charge(byte_count), 1);
    if (!block) return;
    QH_ASSERT(owner->books >= books);
    owner->books -= books;
    if (owner->nest) stop_building(heap, owner);
    qh__heap_give_back(heap, block, byte_count);
}

#else

void qh_heap_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count) {
    if (!block) return;
    uint32_t granule = granule_of(heap, block), units = span_of(heap, byte_count);
    uint64_t owned = owner->books, books = books_of((units - RED_ZONE(heap)) * GRANULE, 1);
    QH_ASSERT(owned >= books);
    if (QH_UNLIKELY(heap->records)) {
        bool known = qh_records_remove(heap->records, block);
        QH_ASSERT(known);
    }
    owner->books = owned - books;
    uint64_t live = heap->books -= books;
    qh__guard_freed(block, units * GRANULE);
    if (QH_UNLIKELY(units > QH_HEAP_LONGEST || owner->nest || live < heap->floor))
        free_slowly(heap, owner, granule, units);
    else
        cache_put(heap, granule, units);
}

#endif

/* Adds `more` to a block that ends at `end`, if what follows is free. */
static bool grow_in_place(qh_heap *heap, qh_owner *owner, uint32_t end, uint32_t more) {
    if (owner->nest) {
        if (heap->nest != owner->nest || heap->nest_at != end) return false;
        uint32_t rest = heap->nest_end - end;
        if (rest < more) {
            if (heap->nest_end != heap->top || !raise_top(heap, more - rest)) return false;
            set_used(heap, heap->used - (more - rest));
            heap->nest_end += more - rest;
        }
        nest_take(heap, owner, more);
        return true;
    }
    if (end == heap->top) return raise_top(heap, more) != 0;
    if (!is_border(heap, end) || hole_at(heap, end)->units < more) return false;
    hole_cut(heap, end, more);
    return true;
}

static qh_result block_grow(qh_heap *heap, qh_owner *owner, void **block, size_t old_count,
                            size_t new_count) {
    uint32_t granule = granule_of(heap, *block);
    uint32_t old_units = span_of(heap, old_count), new_units = span_of(heap, new_count);
    if (!grow_in_place(heap, owner, granule + old_units, new_units - old_units)) {
        uint32_t taken = obtain_units(heap, owner, new_units);
        if (!taken) return heap->failure;
        *block = granule_at(heap, taken);
        QH_UNPOISON(*block, old_count);
        memcpy(*block, granule_at(heap, granule), old_count);
        qh__guard_freed(granule_at(heap, granule), old_units * GRANULE);
        free_slowly(heap, owner, granule, old_units);
    }
    book_block(heap, owner, books_of((new_units - old_units) * GRANULE, 0));
    qh__guard_resized(*block, old_count, new_count, qh_heap_charge(new_count));
    return QH_OK;
}

static void block_shrink(qh_heap *heap, qh_owner *owner, void *block, size_t old_count,
                         size_t new_count) {
    uint32_t old_units = span_of(heap, old_count), new_units = span_of(heap, new_count);
    uint64_t books = books_of((old_units - new_units) * GRANULE, 0);
    qh__guard_resized(block, old_count, new_count, old_units * GRANULE);
    owner->books -= books;
    heap->books -= books;
    free_slowly(heap, owner, granule_of(heap, block) + new_units, old_units - new_units);
}

/* The usual case of what doubles: the last block of all grows, and there is room. */
QH_INLINE bool extend_last(qh_heap *heap, qh_owner *owner, void *block, size_t old_count,
                           size_t new_count) {
    uint32_t end = granule_of(heap, block) + span_of(heap, old_count);
    uint32_t more = units_of(new_count) - units_of(old_count);
    uint64_t books = books_of((size_t)more * GRANULE, 0);
    uint64_t owned = owner->books + books, live = heap->books + books;
    if (end != heap->top || new_count > LARGEST_REQUEST || new_count < old_count ||
        more > heap->limit - end || more >= heap->covered - end ||
        owned >> 32 > owner->quota_bytes || owner->nest || heap->fail_after || heap->records)
        return false;
    heap->top = end + more;
    set_used(heap, heap->used + more);
    put_books(heap, owner, owned, live);
    qh__guard_resized(block, old_count, new_count, qh_heap_charge(new_count));
    return true;
}

#if QH_THREADS
/* The record of a block that has changed its size and perhaps its place. */
static void record_again(qh_heap *heap, const qh_owner *owner, void *old_block, void *block,
                         size_t byte_count, qh_block_kind kind) {
    if (old_block == block) {
        qh__records_resize(heap, block, byte_count);
        return;
    }
    qh__records_remove_later(heap, old_block);
    qh_records_add(heap->records, block, byte_count, owner, kind);
}
#endif

qh_result QH_UNLOCKED(qh_heap_resize)(qh_heap *heap, qh_owner *owner, void **block,
                                      size_t old_count, size_t new_count, qh_block_kind kind) {
    if (!*block) return QH_UNLOCKED(qh_heap_alloc)(heap, owner, new_count, kind, block);
    if (extend_last(heap, owner, *block, old_count, new_count)) return QH_OK;
    size_t old_bytes = qh_heap_charge(old_count), new_bytes = qh_heap_charge(new_count);
    if (old_bytes == new_bytes) {
        qh__guard_resized(*block, old_count, new_count, new_bytes);
        return QH_OK;
    }
    void *resized = *block;
    if (new_bytes > old_bytes) {
        QH_TRY(admit_block(heap, owner, new_count, new_bytes - old_bytes, QH_THREADS));
        QH_TRY(block_grow(heap, owner, &resized, old_count, new_count));
    } else {
        block_shrink(heap, owner, resized, old_count, new_count);
    }
#if QH_THREADS
    if (heap->records) record_again(heap, owner, *block, resized, new_bytes, kind);
    QH_LOG_WORDS(heap, block, sizeof *block / 4);
#else
    if (heap->records) {
        qh_records_remove(heap->records, *block);
        qh_records_add(heap->records, resized, new_bytes, owner, kind);
    }
#endif
    *block = resized;
    return QH_OK;
}

/* ---------------------------------------------------------------- opening */

qh_result qh_heap_open(qh_heap *heap, qh_budget *budget, size_t start) {
    memset(heap, 0, sizeof *heap);
#if QH_POISONED
    heap->red_zone = 1;
#endif
    heap->budget = budget;
    heap->base = budget->base;
    heap->start = qh__align_up(start, 64);
    heap->first = heap->heads = (uint32_t)(heap->start / GRANULE);
    heap->covered = heap->origin = heap->first / 128 * 128;
    uint32_t regions = region_of(heap, QH_MAX(top_most(heap), heap->origin)) + 1;
    heap->body = heap->heads + HOLE_CLASSES + units_of(regions * sizeof *heap->maps);
    heap->maps = granule_at(heap, heap->heads + HOLE_CLASSES);
    heap->top = heap->body;
    if (!raise_top(heap, 0)) return heap->failure;
    for (uint32_t head = heap->heads; head < heap->heads + HOLE_CLASSES; head++)
        *hole_at(heap, head) = (hole){0, head, head};
    return QH_OK;
}

QH_FAST_END

#endif
