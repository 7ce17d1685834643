#include "runtime/claims.h"

#if QH_THREADS

#define CLAIMANT 0xFFu

/* The slot of a handle, and its word as long as nobody has claimed it; NULL for a stale handle. */
static qh_slot *named(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                      uint32_t *unclaimed) {
    uint32_t number = qh__handle_slot(handle);
    if (QH_UNLIKELY(number >= qh__slot_count(runtime))) return NULL;
    qh_slot *slot = qh__slot_at(runtime, number);
    uint32_t word = qh__atomic_load(&slot->word) & ~CLAIMANT;
    uint32_t of_kind = word >> 8 & 0xFF;
    bool is_kind = kind == QH_SLOT_FREE ? of_kind != QH_SLOT_FREE : of_kind == (uint32_t)kind;
    *unclaimed = word;
    return word >> 16 == qh__handle_generation(handle) && is_kind ? slot : NULL;
}

qh_result qh__claim(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                    qh_claim *claim) {
    uint32_t unclaimed;
    qh_slot *slot = named(runtime, handle, kind, &unclaimed);
    claim->slot = NULL;
    if (QH_UNLIKELY(!slot)) return QH_STALE_HANDLE;
    uint32_t seen = unclaimed, mine = unclaimed | (qh__self() + 1);
    if (qh__atomic_load(&slot->word) == mine) return QH_OK;
    if (QH_LIKELY(qh__atomic_swap(&slot->word, &seen, mine))) {
        *claim = (qh_claim){slot, unclaimed};
        return QH_OK;
    }
    return (seen & ~CLAIMANT) == unclaimed ? QH_BUSY : QH_STALE_HANDLE;
}

qh_result qh_runtime_claim(qh_runtime *runtime, qh_handle handle) {
    qh_claim claim;
    return qh__claim(runtime, handle, QH_SLOT_FREE, &claim);
}

qh_result qh_runtime_release(qh_runtime *runtime, qh_handle handle) {
    uint32_t unclaimed;
    qh_slot *slot = named(runtime, handle, QH_SLOT_FREE, &unclaimed);
    if (!slot) return QH_STALE_HANDLE;
    if (qh__atomic_load(&slot->word) != (unclaimed | (qh__self() + 1))) return QH_BUSY;
    qh__atomic_store(&slot->word, unclaimed);
    return QH_OK;
}

qh_result qh_runtime_claimant(const qh_runtime *runtime, qh_handle handle, uint32_t *place) {
    uint32_t unclaimed;
    const qh_slot *slot = named(runtime, handle, QH_SLOT_FREE, &unclaimed);
    if (!slot) return QH_STALE_HANDLE;
    uint32_t word = qh__atomic_load(&slot->word);
    if ((word & ~CLAIMANT) != unclaimed) return QH_STALE_HANDLE;
    *place = word & CLAIMANT ? (word & CLAIMANT) - 1 : QH_NO_THREAD;
    return QH_OK;
}

uint32_t qh_runtime_release_all(qh_runtime *runtime, uint32_t place) {
    uint32_t count = qh__slot_count(runtime), released = 0;
    for (uint32_t i = 0; i < count; i++) {
        qh_slot *slot = qh__slot_at(runtime, i);
        uint32_t word = qh__atomic_load(&slot->word);
        if ((word & CLAIMANT) != place + 1) continue;
        qh__atomic_store(&slot->word, word & ~CLAIMANT);
        released++;
    }
    return released;
}

#endif
