/* Claims: an object (agent, batch, index) is used by one thread at a time.
 *
 * A slot's word has its generation, its kind and who has claimed it, so that one exchange looks a handle up and claims what it
 * names: a stale handle claims nothing, and nothing is freed between the look and the claim. A claim is never waited for (QH_BUSY), so
 * claims cannot deadlock. Only who has claimed an object frees its slot.
 *
 * Every export claims what it uses for its own length, unless its thread has done so before (qh_agent_claim), which saves it the
 * exchanges. Without QH_THREADS nothing of this is there. */
#ifndef QH_RUNTIME_CLAIMS_H
#define QH_RUNTIME_CLAIMS_H

#include "runtime/runtime.h"

#if QH_THREADS

/* The end of a claim; `slot` NULL: nothing ends. */
typedef struct qh_claim {
    qh_slot *slot;
    uint32_t word; /* without a claimant */
} qh_claim;

/* Claims what a handle names, of any kind for QH_SLOT_FREE. QH_STALE_HANDLE, or QH_BUSY while another thread has it. `claim` says what
 * is to be ended: nothing where this thread had it before. */
qh_result qh__claim(const qh_runtime *runtime, qh_handle handle, qh_slot_kind kind,
                    qh_claim *claim);

QH_INLINE void qh__claim_end(const qh_claim *claim) {
    if (claim->slot) qh__atomic_store(&claim->slot->word, claim->word);
}

/* A claim that lasts until it is released, or its thread ends. Claiming twice is one claim. QH_STALE_HANDLE, QH_BUSY. */
qh_result qh_runtime_claim(qh_runtime *runtime, qh_handle handle);

/* QH_STALE_HANDLE; QH_BUSY where this thread has not claimed it. */
qh_result qh_runtime_release(qh_runtime *runtime, qh_handle handle);

/* The place that has claimed it, QH_NO_THREAD: none; QH_STALE_HANDLE as a result. */
qh_result qh_runtime_claimant(const qh_runtime *runtime, qh_handle handle, uint32_t *place);

/* Ends all claims of a thread: how many there were. */
uint32_t qh_runtime_release_all(qh_runtime *runtime, uint32_t place);

#endif
#endif
