#include "runtime/claims.h"

#include "runtime/batch.h"

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

bool qh__is_named(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind) {
    uint32_t unclaimed;
    return named(runtime, handle, kind, &unclaimed) != NULL;
}

QH_FAST_BEGIN

qh_result qh__claim(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                    qh_claim *claim) {
    uint32_t unclaimed;
    qh_slot *slot = named(runtime, handle, kind, &unclaimed);
    claim->slot = NULL;
    if (QH_UNLIKELY(!slot)) return QH_STALE_HANDLE;
    uint32_t seen = unclaimed, mine = unclaimed | (qh__self() + 1);
    if (qh__atomic_load(&slot->word) == mine) return QH_OK;
    if (QH_UNLIKELY(!qh__atomic_swap(&slot->word, &seen, mine)))
        return (seen & ~CLAIMANT) == unclaimed ? QH_BUSY : QH_STALE_HANDLE;
    *claim = (qh_claim){slot, unclaimed};
    if (QH_LIKELY(qh__atomic_load(&slot->readers) == 0)) return QH_OK;
    qh__claim_end(claim);
    claim->slot = NULL;
    return QH_BUSY;
}

qh_result qh__claim_passing(const qh_runtime *runtime, qh_handle agent) {
    qh_claim claim;
    QH_TRY(qh__claim(runtime, agent, QH_SLOT_AGENT, &claim));
    if (claim.slot) claim.slot->passing = true;
    return QH_OK;
}

void qh__claim_end_passing(const qh_runtime *runtime, qh_handle agent) {
    qh_slot *slot = qh__slot_at(runtime, qh__handle_slot(agent));
    uint32_t word = qh__atomic_load(&slot->word);
    if ((word & CLAIMANT) != qh__self() + 1 || !slot->passing) return;
    slot->passing = false;
    qh__atomic_store(&slot->word, word & ~CLAIMANT);
}

QH_FAST_END

qh_result qh__claim_to_read(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                            qh_claim *claim) {
    uint32_t unclaimed, bit = 1u << qh__self();
    qh_slot *slot = named(runtime, handle, kind, &unclaimed);
    claim->slot = NULL;
    if (!slot) return QH_STALE_HANDLE;
    QH_ASSERT(!(qh__atomic_load(&slot->readers) & bit));
    qh__atomic_add(&slot->readers, bit);
    *claim = (qh_claim){slot, 0};
    uint32_t word = qh__atomic_load(&slot->word);
    bool is_free = word == unclaimed || word == (unclaimed | (qh__self() + 1));
    qh_result result = is_free                           ? QH_OK
                       : (word & ~CLAIMANT) == unclaimed ? QH_BUSY
                                                         : QH_STALE_HANDLE;
    if (result == QH_OK && kind == QH_SLOT_INDEX &&
        !((const qh_index *)slot->object)->shared.frozen)
        result = QH_INVALID_STATE;
    if (result == QH_OK) return QH_OK;
    qh__claim_end(claim);
    claim->slot = NULL;
    return result;
}

static void end_reading_of(qh_slot *slot, uint32_t place) {
    if (qh__atomic_load(&slot->readers) & 1u << place)
        qh__atomic_add(&slot->readers, 0 - (1u << place));
}

/* As a reader where that is enough, so that the searches of others go on. */
static qh_result claim_for_all(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind) {
    qh_claim claim;
    qh_result result = QH_INVALID_STATE;
    if (kind == QH_SLOT_INDEX || kind == QH_SLOT_FILTER)
        result = qh__claim_to_read(runtime, handle, kind, &claim);
    if (result != QH_INVALID_STATE) return result;
    result = qh__claim(runtime, handle, kind, &claim);
    if (claim.slot) claim.slot->passing = true;
    return result;
}

qh_result qh__claim_all(const qh_runtime *runtime) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        const qh_slot *slot = qh__slot_at(runtime, i);
        qh_slot_kind kind = (qh_slot_kind)qh__slot_kind(slot);
        if (kind == QH_SLOT_FREE) continue;
        qh_result result =
            claim_for_all(runtime, qh__handle_make(i, qh__slot_generation(slot)), kind);
        if (result == QH_OK) continue;
        qh__claim_end_all(runtime);
        return result;
    }
    return QH_OK;
}

void qh__claim_end_all(const qh_runtime *runtime) {
    for (uint32_t i = 0; i < runtime->slot_count; i++) {
        end_reading_of(qh__slot_at(runtime, i), qh__self());
        qh__claim_end_passing(runtime, i);
    }
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
    slot->newborn = false;
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

bool qh__slot_is_used(const qh_slot *slot, uint32_t but_place) {
    uint32_t claimant = qh__atomic_load(&slot->word) & CLAIMANT;
    return (claimant != 0 && claimant != but_place + 1) ||
           (qh__atomic_load(&slot->readers) & ~(1u << but_place)) != 0;
}

static void give_back_object(qh_runtime *runtime, uint32_t number) {
    qh_slot *slot = qh__slot_at(runtime, number);
    uint32_t kind = qh__slot_kind(slot);
    qh_handle handle = qh__handle_make(number, qh__slot_generation(slot));
    qh_claim claim;
    slot->maker = 0;
    if (qh__claim(runtime, handle, (qh_slot_kind)kind, &claim) != QH_OK) return;
    if (kind == QH_SLOT_BATCH)
        qh_batch_destroy(runtime, slot->object);
    else if (qh_runtime_destroy_index(runtime, handle) != QH_OK)
        qh__claim_end(&claim);
}

void qh_runtime_give_back(qh_runtime *runtime) {
    const uint32_t kinds[] = {QH_SLOT_BATCH, QH_SLOT_FILTER, QH_SLOT_INDEX};
    for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (uint32_t i = 0; i < runtime->slot_count; i++) {
            const qh_slot *slot = qh__slot_at(runtime, i);
            if (slot->maker == qh__self() + 1 && qh__slot_kind(slot) == kinds[k])
                give_back_object(runtime, i);
        }
}

uint32_t qh_runtime_release_all(qh_runtime *runtime, uint32_t place) {
    uint32_t count = qh__slot_count(runtime), released = 0;
    for (uint32_t i = 0; i < count; i++) {
        qh_slot *slot = qh__slot_at(runtime, i);
        uint32_t word = qh__atomic_load(&slot->word);
        end_reading_of(slot, place);
        if ((word & CLAIMANT) != place + 1) continue;
        slot->passing = slot->newborn = false;
        qh__atomic_store(&slot->word, word & ~CLAIMANT);
        released++;
    }
    return released;
}

#endif
