/* qhive's heap, one pool, and owners, over all of linear memory. */
#include "allocator.h"

extern unsigned char __heap_base;
qh_heap bench_heap;
qh_pool bench_pool;
qh_owner bench_owners[BENCH_OWNERS];
static qh_budget budget;

EXPORT("setup") void setup(void) {
    if (qh_budget_open(&budget, 65535) != QH_OK ||
        qh_heap_open(&bench_heap, &budget, (size_t)&__heap_base) != QH_OK)
        __builtin_trap();
    for (uint32_t i = 0; i < BENCH_OWNERS; i++)
        qh_owner_open(&bench_heap, &bench_owners[i], i, QH_OWNER_agent, SIZE_MAX / 2);
}

/* Only the trace of the pool wants it: it would count as memory in the others. */
EXPORT("open_pool") void open_pool(void) {
    if (qh_pool_open(&bench_pool, &bench_heap, &bench_owners[1], 1024, 64, QH_BLOCK_trajectory) !=
        QH_OK)
        __builtin_trap();
}

EXPORT("valid") bool valid(void) {
    return qh_heap_validate(&bench_heap);
}
