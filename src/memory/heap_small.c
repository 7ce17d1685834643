#include "memory/heap.h"

#include "base/bits.h"
#include "base/bytes.h"

QH_FAST_BEGIN

#if defined(QH_SMALL)

/* A request beyond this is refused before arithmetic with it could wrap. */
#define LARGEST_REQUEST ((size_t)(sizeof(size_t) > 4 ? 0x400000000u : 0x40000000u))

/* Stands for a class where a block comes straight from the bump pointer. */
#define CARVED QH_HEAP_CLASSES

/* Class 0..7: 16, 32, .. 128. From there 8 classes to a doubling: class 8 + 8 e + m holds 128 * 2^e * (9 + m) / 8. */
static uint32_t class_of(size_t byte_count) {
    if (byte_count <= 128) return (uint32_t)((byte_count + 15) / 16 - 1);
    size_t below = byte_count - 1;
    uint32_t log = qh__log2_floor(below);
    return 8 + 8 * (log - 7) + (uint32_t)((below >> (log - 3)) & 7);
}

static size_t class_bytes(uint32_t index) {
    if (index < 8) return 16 * ((size_t)index + 1);
    uint32_t octave = (index - 8) / 8, step = (index - 8) % 8;
    return ((size_t)(9 + step) << (octave + 4));
}

size_t qh_heap_charge(size_t byte_count) {
    return byte_count > LARGEST_REQUEST ? SIZE_MAX / 2 : class_bytes(class_of(byte_count));
}

qh_result qh_heap_open(qh_heap *heap, qh_budget *budget, size_t start) {
    *heap = (qh_heap){.budget = budget};
    heap->start = heap->bump = qh__align_up(start, 64);
    return QH_OK;
}

size_t qh_heap_end(const qh_heap *heap) {
    return heap->bump;
}

bool qh_owner_release_all(qh_heap *heap, qh_owner *owner) {
    (void)heap;
    return owner->live_blocks == 0;
}

void qh_owner_open(qh_heap *heap, qh_owner *owner, uint32_t id, uint32_t kind, size_t quota_bytes) {
    (void)heap;
    *owner = (qh_owner){.id = id, .kind = kind, .quota_bytes = quota_bytes};
}

void qh_owner_close(qh_heap *heap, qh_owner *owner) {
    (void)heap;
    QH_ASSERT(owner->live_bytes == 0 && owner->live_blocks == 0);
    *owner = (qh_owner){0};
}

void qh_owner_leave(qh_owner *owner) {
    (void)owner;
}

bool qh_owner_affords(const qh_owner *owner, size_t byte_count) {
    return byte_count <= owner->quota_bytes - owner->live_bytes;
}

bool qh_owner_charge(qh_owner *owner, size_t byte_count) {
    if (!qh_owner_affords(owner, byte_count)) return false;
    owner->live_bytes += byte_count;
    if (owner->live_bytes > owner->peak_bytes) owner->peak_bytes = owner->live_bytes;
    owner->live_blocks++;
    return true;
}

void qh_owner_discharge(qh_owner *owner, size_t byte_count) {
    QH_ASSERT(owner->live_bytes >= byte_count && owner->live_blocks > 0);
    owner->live_bytes -= byte_count;
    owner->live_blocks--;
}

static bool injected_failure(qh_heap *heap) {
    if (QH_LIKELY(heap->fail_after == 0)) return false;
    if (heap->fail_after > 1) {
        heap->fail_after--;
        return false;
    }
    return true;
}

static qh_result bump(qh_heap *heap, size_t bytes, size_t alignment, void **block) {
    size_t begin = qh__align_up(heap->bump, alignment), end;
    if (__builtin_add_overflow(begin, bytes, &end)) return QH_OVERFLOW;
    QH_TRY(qh_budget_reach(heap->budget, end));
    *block = qh__at(heap->budget, begin);
    heap->padding += begin - heap->bump;
    heap->bump = end;
    return QH_OK;
}

static qh_result take(qh_heap *heap, uint32_t index, size_t bytes, void **block) {
    qh_free_block *head = heap->free_lists[index];
    if (!head) return bump(heap, bytes, QH_HEAP_ALIGNMENT, block);
    heap->free_lists[index] = head->next;
    *block = head;
    return QH_OK;
}

/* What every way of taking a block does: quota first, then the memory, then the books. A carved region has no record: what
 * is handed out of it has, and its first block lies at the same address. */
static qh_result take_charged(qh_heap *heap, qh_owner *owner, uint32_t index, size_t bytes,
                              qh_block_kind kind, void **block) {
    if (!qh_owner_affords(owner, bytes)) return QH_QUOTA_EXCEEDED;
    if (injected_failure(heap)) return QH_GROWTH_FAILED;
    qh_records *records = index == CARVED ? NULL : heap->records;
    if (records) QH_TRY(qh_records_reserve(heap, records));
    QH_TRY(index == CARVED ? bump(heap, bytes, 64, block) : take(heap, index, bytes, block));
    qh_owner_charge(owner, bytes);
    heap->live_blocks++;
    heap->live_bytes += bytes;
    if (heap->live_bytes > heap->peak_bytes) heap->peak_bytes = heap->live_bytes;
    if (records) qh_records_add(records, *block, bytes, owner, kind);
    return QH_OK;
}

qh_result qh_heap_alloc(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block) {
    QH_ASSERT(byte_count > 0);
    if (byte_count > LARGEST_REQUEST)
        return byte_count > owner->quota_bytes ? QH_QUOTA_EXCEEDED : QH_OVERFLOW;
    uint32_t index = class_of(byte_count);
    return take_charged(heap, owner, index, class_bytes(index), kind, block);
}

qh_result qh_heap_carve(qh_heap *heap, qh_owner *owner, size_t byte_count, qh_block_kind kind,
                        void **block) {
    if (byte_count > SIZE_MAX - QH_HEAP_ALIGNMENT) return QH_OVERFLOW;
    return take_charged(heap, owner, CARVED, qh__align_up(byte_count, QH_HEAP_ALIGNMENT), kind,
                        block);
}

qh_result qh_heap_alloc_zeroed(qh_heap *heap, qh_owner *owner, size_t byte_count,
                               qh_block_kind kind, void **block) {
    QH_TRY(qh_heap_alloc(heap, owner, byte_count, kind, block));
    memset(*block, 0, byte_count);
    return QH_OK;
}

void qh_heap_free(qh_heap *heap, qh_owner *owner, void *block, size_t byte_count) {
    if (!block) return;
    uint32_t index = class_of(byte_count);
    size_t bytes = class_bytes(index);
    if (heap->records) {
        bool known = qh_records_remove(heap->records, block);
        QH_ASSERT(known);
    }
    qh_owner_discharge(owner, bytes);
    heap->live_blocks--;
    heap->live_bytes -= bytes;
    qh_free_block *freed = block;
    freed->next = heap->free_lists[index];
    heap->free_lists[index] = freed;
}

qh_result qh_heap_resize(qh_heap *heap, qh_owner *owner, void **block, size_t old_count,
                         size_t new_count, qh_block_kind kind) {
    if (*block && new_count <= LARGEST_REQUEST && class_of(old_count) == class_of(new_count))
        return QH_OK;
    void *moved;
    QH_TRY(qh_heap_alloc(heap, owner, new_count, kind, &moved));
    if (*block) {
        memcpy(moved, *block, QH_MIN(old_count, new_count));
        qh_heap_free(heap, owner, *block, old_count);
    }
    *block = moved;
    return QH_OK;
}

bool qh_heap_validate(const qh_heap *heap) {
    size_t listed = 0, extent = heap->bump - heap->start;
    for (uint32_t index = 0; index < QH_HEAP_CLASSES; index++) {
        for (const qh_free_block *block = heap->free_lists[index]; block; block = block->next) {
            size_t offset = qh__offset_of(heap->budget, block);
            if (offset < heap->start || offset >= heap->bump || offset % QH_HEAP_ALIGNMENT != 0)
                return false;
            listed += class_bytes(index);
            if (listed > extent) return false;
        }
    }
    return listed + heap->live_bytes + heap->padding == extent;
}

#endif

QH_FAST_END
