/* The page budget: the only door to more memory (the design's WasmMemoryManager).
 *
 * Linear memory is counted in pages of 64 KiB. On wasm the budget grows the one memory of the instance; natively,
 * and where a libc shares that memory, the same code runs over a reservation whose pages become usable one after the other. Growth is refused
 * with three distinct errors, and nothing changes then:
 *   QH_OVERFLOW        the sum of pages, or pages in bytes, does not fit its type
 *   QH_EXCEEDS_LIMIT   the sum would pass `max_pages`
 *   QH_GROWTH_FAILED   the engine said no
 *
 * A growth costs microseconds to milliseconds and detaches every JavaScript view; a page that is not needed costs as much when it is
 * first touched. A growth is what is asked for and at least 1/QH_GROWTH_SHARE of what is there; whoever knows how much
 * will be needed asks for it at once (initial_pages). Fresh pages are zero: nothing clears them. */
#ifndef QH_MEMORY_BUDGET_H
#define QH_MEMORY_BUDGET_H

#include "sync/atomic.h"

#define QH_PAGE_BYTES ((size_t)65536)
#define QH_GROWTH_SHARE 192
#define QH_GROWTH_LOG 32 /* growths remembered; later ones replace the last entry's end */

typedef struct qh_growth {
    uint32_t from_pages, to_pages;
} qh_growth;

typedef struct qh_budget {
    uintptr_t base; /* address of page 0; a number, since it is 0 where the memory is all ours */
    uint32_t pages; /* pages usable now */
    uint32_t max_pages;
    uint32_t growth_count; /* all growths ever, also those no longer in the log */
    bool refuse_growth;    /* fault injection: the engine refuses */
    qh_growth growths[QH_GROWTH_LOG];
} qh_budget;

/* Opens the budget over the memory there is (wasm) or a reservation of `max_pages` (native, or under a libc). QH_EXCEEDS_LIMIT when more
 * pages than that are in use already, QH_GROWTH_FAILED when that is refused. */
qh_result qh_budget_open(qh_budget *budget, uint32_t max_pages);

/* Gives a reservation back. Otherwise wasm memory never shrinks: nothing happens. */
void qh_budget_close(qh_budget *budget);

/* Makes at least `page_count` more pages usable. */
qh_result qh_budget_grow(qh_budget *budget, size_t page_count);

/* Makes at least the bytes up to `end` (an offset from `base`) usable. */
qh_result qh_budget_reach(qh_budget *budget, size_t end);

#if QH_THREADS
/* The pages there are, after somebody died while asking for more. */
void qh_budget_refresh(qh_budget *budget);
#endif

/* What lies `offset` bytes from the start of memory, and the way back. */
QH_INLINE void *qh__at(const qh_budget *budget, size_t offset) {
#if QH_OWNS_MEMORY
    (void)budget; /* the base is 0 */
    return (void *)offset;
#else
    return (void *)(budget->base + offset);
#endif
}

QH_INLINE size_t qh__offset_of(const qh_budget *budget, const void *at) {
    return (size_t)((uintptr_t)at - budget->base);
}

#endif
