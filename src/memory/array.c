#include "memory/array.h"

#include "base/bytes.h"

qh_result qh__array_reserve(qh_heap *heap, qh_owner *owner, void **items, uint32_t *capacity,
                            uint32_t needed, size_t item_bytes, qh_block_kind kind) {
    uint32_t had = *capacity, room = QH_MAX(had, QH_ARRAY_LEAST);
    if (needed <= had) return QH_OK;
    while (room < needed) room *= 2;
    QH_TRY(qh_heap_resize(heap, owner, items, had * item_bytes, room * item_bytes, kind));
    memset((unsigned char *)*items + had * item_bytes, 0, (room - had) * item_bytes);
    *capacity = room;
    return QH_OK;
}
