/* Claims: an object (agent, batch, index) is used by one thread at a time.
 *
 * A slot's word has its generation, its kind and who has claimed it, so that one exchange looks a handle up and claims what it
 * names: a stale handle claims nothing, and nothing is freed between the look and the claim. A claim is never waited for (QH_BUSY), so
 * claims cannot deadlock. Only who has claimed an object frees its slot.
 *
 * Every export claims what it uses for its own length, unless its thread has done so before (qh_agent_claim), which saves it the
 * exchanges. A frozen index changes no more: any number of threads read it at once, each with a bit of `readers`. A claim of it and a
 * reader exclude each other: each says that it is there before it looks for the other. Without QH_THREADS nothing of this is there. */
#ifndef QH_RUNTIME_CLAIMS_H
#define QH_RUNTIME_CLAIMS_H

#include "runtime/runtime.h"

#if QH_THREADS

/* The end of a claim; `slot` NULL: nothing ends. */
typedef struct qh_claim {
    qh_slot *slot;
    uint32_t word; /* without a claimant; 0: of a reader */
} qh_claim;

#define QH_CLAIM(claim) __attribute__((cleanup(qh__claim_end))) qh_claim claim = {0}

/* Claims what a handle names, of any kind for QH_SLOT_FREE. QH_STALE_HANDLE, or QH_BUSY while another thread has it. `claim` says what
 * is to be ended: nothing where this thread had it before. */
qh_result qh__claim(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                    qh_claim *claim);

/* Claims a frozen index, or a filter, as one of its readers; QH_INVALID_STATE where the index is not frozen. */
qh_result qh__claim_to_read(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                            qh_claim *claim);

/* Whether a handle names such an object, at this moment. */
bool qh__is_named(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind);

/* What a claimed slot holds. */
QH_INLINE void *qh__claimed(const qh_runtime *runtime, qh_handle handle) {
    return qh__slot_at(runtime, qh__handle_slot(handle))->object;
}

QH_INLINE void qh__claim_end(const qh_claim *claim) {
    if (!claim->slot) return;
    if (claim->word)
        qh__atomic_store(&claim->slot->word, claim->word);
    else
        qh__atomic_add(&claim->slot->readers, 0 - (1u << qh__self()));
}

/* Claims an agent for the length of a call that claims many, or (an agent that this thread had) marks nothing. To be ended by
 * qh__claim_end_passing, which does nothing for those. */
qh_result qh__claim_passing(const qh_runtime *runtime, qh_handle agent);
void qh__claim_end_passing(const qh_runtime *runtime, qh_handle agent);

/* Claims every object there is: QH_BUSY, and nothing is claimed, where another thread has one. Holds for a caller that holds the
 * registry. */
qh_result qh__claim_all(const qh_runtime *runtime);
void qh__claim_end_all(const qh_runtime *runtime);

/* A claim that lasts until it is released, or its thread ends. Claiming twice is one claim. QH_STALE_HANDLE, QH_BUSY. */
qh_result qh_runtime_claim(qh_runtime *runtime, qh_handle handle);

/* QH_STALE_HANDLE; QH_BUSY where this thread has not claimed it. */
qh_result qh_runtime_release(qh_runtime *runtime, qh_handle handle);

/* The place that has claimed it, QH_NO_THREAD: none; QH_STALE_HANDLE as a result. */
qh_result qh_runtime_claimant(const qh_runtime *runtime, qh_handle handle, uint32_t *place);

/* Destroys the batches, filters and indexes that the calling thread has made: with it nobody knows them any more. One that another thread is using
 * stays, and belongs to all. Holds for a caller that holds the registry. */
void qh_runtime_give_back(qh_runtime *runtime);

/* Whether a thread other than this one is using what is in a slot. */
bool qh__slot_is_used(const qh_slot *slot, uint32_t but_place);

/* Ends all claims of a thread: how many there were. */
uint32_t qh_runtime_release_all(qh_runtime *runtime, uint32_t place);

#endif
#endif
