/* What the heap (heap.c) and its validator (heap_validate.c) both know: where granules, holes and the map lie. The design is in heap.h. */
#ifndef QH_MEMORY_HEAP_PARTS_H
#define QH_MEMORY_HEAP_PARTS_H

#include "memory/guard.h"
#include "memory/heap.h"

#if !defined(QH_SMALL)

#define GRANULE QH_HEAP_ALIGNMENT
#define GRANULES_PER_PAGE ((uint32_t)(QH_PAGE_BYTES / GRANULE))
#define MOST_GRANULES (1u << 28) /* 4 GiB, which the classes of holes end at */
#define HOLE_CLASSES (QH_HEAP_ROWS * 32u)

#if QH_POISONED && defined(__SANITIZE_ADDRESS__)
#error                                                                                             \
    "compile this file with -fno-sanitize=address -DQH_SANITIZED=1: it touches what it has poisoned"
#endif

/* Granules behind each block that nobody may touch; not charged. */
#if QH_POISONED
#define RED_ZONE(heap) ((heap)->red_zone)
#else
#define RED_ZONE(heap) ((void)(heap), 0u)
#endif

/* Granules of which one part of the map tells. */
#define REGION (1u << 17)

/* In the first granule of a hole. The last four bytes of a hole are its length once more. */
typedef struct hole {
    uint32_t units, next, prev;
} hole;

/* ---------------------------------------------------------------- places */

QH_INLINE void *granule_at(const qh_heap *heap, uint32_t granule) {
#if QH_OWNS_MEMORY
    (void)heap; /* the base is 0 */
    return (void *)((size_t)granule * GRANULE);
#else
    return (void *)(heap->base + (size_t)granule * GRANULE);
#endif
}

QH_INLINE uint32_t granule_of(const qh_heap *heap, const void *block) {
#if QH_OWNS_MEMORY
    (void)heap;
    return (uint32_t)((uintptr_t)block / GRANULE);
#else
    return (uint32_t)(((uintptr_t)block - heap->base) / GRANULE);
#endif
}

QH_INLINE uint32_t units_of(size_t byte_count) {
    return (uint32_t)((byte_count + GRANULE - 1) / GRANULE);
}

/* What a block takes of the heap. */
QH_INLINE uint32_t span_of(const qh_heap *heap, size_t byte_count) {
    return units_of(byte_count) + RED_ZONE(heap);
}

QH_INLINE hole *hole_at(const qh_heap *heap, uint32_t granule) {
    return granule_at(heap, granule);
}

QH_INLINE uint32_t *hole_tail(const qh_heap *heap, uint32_t end) {
    return (uint32_t *)granule_at(heap, end) - 1;
}

/* ---------------------------------------------------------------- the map: where free memory begins or ends */

/* Regions are counted from the heap's start, so that the first is a whole one. */
QH_INLINE uint32_t region_of(const qh_heap *heap, uint32_t granule) {
    return (granule - heap->origin) / REGION;
}

QH_INLINE uint32_t *map_word(const qh_heap *heap, uint32_t granule) {
    return (uint32_t *)granule_at(heap, heap->maps[region_of(heap, granule)]) + granule / 32;
}

QH_INLINE bool is_border(const qh_heap *heap, uint32_t granule) {
    return map_word(heap, granule)[0] >> granule % 32 & 1;
}

/* Returns what the bit was. At the border of a block in use: whether there is a hole on the other side. */
QH_INLINE bool flip_border(const qh_heap *heap, uint32_t granule) {
    uint32_t *word = map_word(heap, granule), was = *word;
    QH_LOG(heap, word);
    *word = was ^ 1u << granule % 32;
    return was >> granule % 32 & 1;
}

/* ---------------------------------------------------------------- lengths */

/* The list in which holes of a length are. */
QH_INLINE uint32_t hole_class(uint32_t units) {
    uint32_t log = 26 - (uint32_t)__builtin_clz(units | 32);
    return log * 32 + (units >> log);
}

/* Of what an entry of the cache tells. */
QH_INLINE uint32_t length_of(uint64_t entry) {
    return (uint32_t)entry & 0xFFFF;
}

#endif
#endif
