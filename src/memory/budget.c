#if !defined(__wasm__)
#define _DEFAULT_SOURCE /* mmap beside -std=c17 */
#endif

#include "memory/budget.h"

#include "memory/guard.h"

#if !defined(__wasm__)
#include <sys/mman.h>
#elif !QH_OWNS_MEMORY
#include <stdlib.h>
#endif

#if QH_OWNS_MEMORY
static uint32_t pages_now(void) {
    return (uint32_t)__builtin_wasm_memory_size(0);
}

qh_result qh_budget_open(qh_budget *budget, uint32_t max_pages) {
    *budget = (qh_budget){.pages = pages_now(), .max_pages = max_pages};
    return budget->pages > max_pages ? QH_EXCEEDS_LIMIT : QH_OK;
}

void qh_budget_close(qh_budget *budget) {
    (void)budget;
}

static bool engine_grows(qh_budget *budget, size_t page_count) {
    if (budget->refuse_growth) return false;
    return __builtin_wasm_memory_grow(0, page_count) != SIZE_MAX;
}
#else
/* On a 64-bit host a mapping is an address range, not memory: pages cost nothing until they are touched. On WebAssembly memory is
 * the allocator's, which must not find that somebody else grew it. */
static void *reserve(size_t byte_count) {
#if defined(__wasm__)
    return aligned_alloc(QH_PAGE_BYTES, byte_count);
#else
    void *base = mmap(NULL, byte_count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return base == MAP_FAILED ? NULL : base;
#endif
}

static void give_back(void *base, size_t byte_count) {
#if defined(__wasm__)
    (void)byte_count;
    free(base);
#else
    munmap(base, byte_count);
#endif
}

qh_result qh_budget_open(qh_budget *budget, uint32_t max_pages) {
    *budget = (qh_budget){.max_pages = max_pages};
    if (max_pages == 0) return QH_EXCEEDS_LIMIT;
    size_t byte_count;
    if (__builtin_mul_overflow((size_t)max_pages, QH_PAGE_BYTES, &byte_count)) return QH_OVERFLOW;
    budget->base = (uintptr_t)reserve(byte_count);
    return budget->base ? QH_OK : QH_GROWTH_FAILED;
}

void qh_budget_close(qh_budget *budget) {
    if (budget->base) QH_UNPOISON((void *)budget->base, (size_t)budget->pages * QH_PAGE_BYTES);
    if (budget->base) give_back((void *)budget->base, (size_t)budget->max_pages * QH_PAGE_BYTES);
    *budget = (qh_budget){0};
}

static bool engine_grows(qh_budget *budget, size_t page_count) {
    (void)page_count;
    return !budget->refuse_growth;
}
#endif

static void log_growth(qh_budget *budget, uint32_t from_pages, uint32_t to_pages) {
    uint32_t i = budget->growth_count++;
    if (i < QH_GROWTH_LOG)
        budget->growths[i] = (qh_growth){from_pages, to_pages};
    else
        budget->growths[QH_GROWTH_LOG - 1].to_pages = to_pages;
}

qh_result qh_budget_grow(qh_budget *budget, size_t page_count) {
#if QH_OWNS_MEMORY
    budget->pages = pages_now(); /* the host may have grown its memory itself */
#endif
    size_t sum;
    if (__builtin_add_overflow((size_t)budget->pages, page_count, &sum) ||
        sum > SIZE_MAX / QH_PAGE_BYTES)
        return QH_OVERFLOW;
    if (sum > budget->max_pages) return QH_EXCEEDS_LIMIT;
    size_t step = QH_MAX(page_count, (size_t)budget->pages / QH_GROWTH_SHARE);
    step = QH_MIN(step, (size_t)(budget->max_pages - budget->pages));
    if (!engine_grows(budget, step)) {
        step = page_count;
        if (!engine_grows(budget, step)) return QH_GROWTH_FAILED;
    }
    uint32_t from_pages = budget->pages;
    budget->pages += (uint32_t)step;
    log_growth(budget, from_pages, budget->pages);
    return QH_OK;
}

qh_result qh_budget_reach(qh_budget *budget, size_t end) {
    size_t needed =
        end / QH_PAGE_BYTES + (end % QH_PAGE_BYTES != 0); /* 4 GiB in bytes overflow 32 bits */
    return needed <= budget->pages ? QH_OK : qh_budget_grow(budget, needed - budget->pages);
}

#if QH_THREADS
void qh_budget_refresh(qh_budget *budget) {
#if QH_OWNS_MEMORY
    budget->pages = pages_now();
#endif
    (void)budget;
}
#endif
