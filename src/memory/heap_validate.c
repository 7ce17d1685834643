#include "memory/heap_parts.h"

#if !defined(QH_SMALL)

/* What the map says is free between first and top; UINT64_MAX when its borders do not come in pairs. */
static uint64_t mapped_free(const qh_heap *heap, uint32_t *runs) {
    uint64_t sum = 0;
    uint32_t begin = 0;
    *runs = 0;
    for (uint32_t word = heap->first / 32; word < heap->covered / 32; word++) {
        for (uint32_t bits = *map_word(heap, word * 32); bits; bits &= bits - 1) {
            uint32_t border = word * 32 + (uint32_t)__builtin_ctz(bits);
            if (border < heap->first || border > heap->top) return UINT64_MAX;
            if (begin) {
                sum += border - begin;
                begin = 0;
            } else {
                begin = border;
                ++*runs;
            }
        }
    }
    return begin ? UINT64_MAX : sum;
}

static bool lies_inside(const qh_heap *heap, uint64_t granule, uint64_t units) {
    return granule >= heap->body && granule + units <= heap->top;
}

/* Adds the holes of one list to `count` and `sum`. */
static bool list_is_valid(const qh_heap *heap, uint32_t class, uint32_t *count, uint64_t *sum) {
    uint32_t head = heap->heads + class, prev = head, granule = hole_at(heap, head)->next;
    for (; granule != head; granule = hole_at(heap, granule)->next) {
        if (!lies_inside(heap, granule, 1)) return false;
        const hole *listed = hole_at(heap, granule);
        uint32_t end = granule + listed->units;
        if (listed->units == 0 || !lies_inside(heap, granule, listed->units) ||
            hole_class(listed->units) != class || listed->prev != prev ||
            *hole_tail(heap, end) != listed->units || !is_border(heap, granule) ||
            !is_border(heap, end))
            return false;
        ++*count;
        *sum += listed->units;
        if (*sum > heap->top) return false;
        prev = granule;
    }
    bool listed = heap->column_bits[class / 32] >> class % 32 & 1;
    return hole_at(heap, head)->prev == prev && listed == (prev != head);
}

static bool holes_are_valid(const qh_heap *heap, uint64_t *sum) {
    uint32_t count = 0, runs;
    *sum = 0;
    for (uint32_t class = 0; class < HOLE_CLASSES; class++)
        if (!list_is_valid(heap, class, &count, sum)) return false;
    for (uint32_t row = 0; row < QH_HEAP_ROWS; row++)
        if ((heap->row_bits >> row & 1) != (heap->column_bits[row] != 0)) return false;
    return mapped_free(heap, &runs) == *sum && runs == count;
}

#if QH_THREADS

/* Whether what the cache and the nest have lies apart from each other and from the holes; writes nothing, since whoever reads may die. */
static bool reserved_lie_apart(const qh_heap *heap) {
    uint64_t runs[QH_HEAP_RING + 1]; /* granule << 32 | length, in order */
    uint32_t count = 0, at = 0, begin = 0;
    for (uint32_t place = 0; place <= QH_HEAP_RING; place++) {
        uint64_t nest = (uint64_t)heap->nest_at << 32 | (heap->nest_end - heap->nest_at),
                 run = nest;
        if (place < QH_HEAP_RING)
            run = heap->ring[place] >> 32 << 32 | length_of(heap->ring[place]);
        if ((uint32_t)run == 0) continue;
        uint32_t to = count++;
        for (; to > 0 && runs[to - 1] > run; to--) runs[to] = runs[to - 1];
        runs[to] = run;
    }
    for (uint32_t i = 1; i < count; i++)
        if ((runs[i - 1] >> 32) + (uint32_t)runs[i - 1] > runs[i] >> 32) return false;
    for (uint32_t word = heap->first / 32; word < heap->covered / 32; word++)
        for (uint32_t bits = *map_word(heap, word * 32); bits; bits &= bits - 1) {
            uint32_t border = word * 32 + (uint32_t)__builtin_ctz(bits);
            for (; begin && at < count && runs[at] >> 32 < border; at++)
                if ((runs[at] >> 32) + (uint32_t)runs[at] > begin) return false;
            while (!begin && at < count && (runs[at] >> 32) + (uint32_t)runs[at] <= border) at++;
            begin = begin ? 0 : border;
        }
    return true;
}

#else

static void flip_run(const qh_heap *heap, uint32_t begin, uint32_t end) {
    flip_border(heap, begin);
    flip_border(heap, end);
}

/* Enters what is cached and the rest of the nest in the map, as if it were free, or takes it out again. What overlaps then
 * counts less than its length. */
static void flip_reserved(const qh_heap *heap) {
    for (uint32_t place = 0; place < QH_HEAP_RING; place++) {
        uint32_t granule = (uint32_t)(heap->ring[place] >> 32);
        if (granule) flip_run(heap, granule, granule + length_of(heap->ring[place]));
    }
    if (heap->nest_at != heap->nest_end) flip_run(heap, heap->nest_at, heap->nest_end);
}

#endif

static bool cache_is_valid(const qh_heap *heap, uint64_t *sum) {
    uint32_t entries = 0, chained = 0;
    *sum = 0;
    for (uint32_t place = 0; place < QH_HEAP_RING; place++) {
        uint64_t entry = heap->ring[place];
        uint32_t units = length_of(entry);
        if (!entry) continue;
        if (units == 0 || units > QH_HEAP_LONGEST || !lies_inside(heap, entry >> 32, units))
            return false;
        entries++;
        *sum += units;
    }
    for (uint32_t units = 1; units <= QH_HEAP_LONGEST; units++) {
        uint32_t place = heap->bins[units], age = 0;
        while (length_of(heap->ring[place % QH_HEAP_RING]) == units) {
            uint32_t older = (heap->turn - place) % QH_HEAP_RING + 1;
            if (older <= age) break; /* written again since: the bin ends here */
            age = older;
            chained++;
            place = (uint32_t)(heap->ring[place % QH_HEAP_RING] >> 16) & 0xFFFF;
        }
    }
    return chained == entries;
}

bool QH_UNLOCKED(qh_heap_validate)(const qh_heap *heap) {
    uint64_t holes, cached, rest = heap->nest_end - heap->nest_at;
    uint64_t taken = heap->nest_at - heap->nest_begin;
    uint32_t runs, tables = heap->body - heap->first + heap->map_units;
    if (heap->top > heap->limit || heap->top >= heap->covered ||
        (rest && !lies_inside(heap, heap->nest_at, rest)))
        return false;
    if (!holes_are_valid(heap, &holes) || !cache_is_valid(heap, &cached)) return false;
#if QH_THREADS
    uint64_t reserved = reserved_lie_apart(heap) ? holes + cached + rest : UINT64_MAX;
    (void)runs;
#else
    flip_reserved(heap);
    uint64_t reserved = mapped_free(heap, &runs);
    flip_reserved(heap);
#endif
    return reserved == holes + cached + rest &&
           heap->used + taken ==
               cached + heap->live_bytes / GRANULE + RED_ZONE(heap) * heap->live_blocks &&
           tables + holes + taken + rest + heap->used == heap->top - heap->first;
}

#endif
