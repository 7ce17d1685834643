/* Arrays that grow: a block of the heap, how many items it has room for, and one way to make it larger. */
#ifndef QH_MEMORY_ARRAY_H
#define QH_MEMORY_ARRAY_H

#include "memory/heap.h"

#define QH_ARRAY_LEAST 4u /* items that there is room for at first */

/* Makes `*items`, with room for `*capacity` of `item_bytes` each, hold `needed`: doubled until it does, at least 4, what is new filled with
 * zeros. NULL and 0 are an array that is not there yet. Fails like qh_heap_resize; then nothing has changed. */
qh_result qh__array_reserve(qh_heap *heap, qh_owner *owner, void **items, uint32_t *capacity,
                            uint32_t needed, size_t item_bytes, qh_block_kind kind);

#if QH_THREADS
/* The same in one step for whoever dies in it: `*items_at`, a pointer of any type, and `*capacity` change with the heap or not at all. For
 * what is found by its fields alone, and not by who owns it. */
qh_result qh__array_grow(qh_heap *heap, qh_owner *owner, void *items_at, uint32_t *capacity,
                         uint32_t needed, size_t item_bytes, qh_block_kind kind);
#endif

#endif
