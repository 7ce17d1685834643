/* The allocator that does nothing. */
#include "allocator.h"

char empty_heap[128], empty_owners[BENCH_OWNERS][128];
static char block[1 << 16];

int empty_alloc(void *heap, void *owner, size_t byte_count, int kind, void **taken) {
    (void)heap, (void)owner, (void)byte_count, (void)kind;
    *taken = block;
    return 0;
}

void empty_free(void *heap, void *owner, void *taken, size_t byte_count) {
    (void)heap, (void)owner, (void)taken, (void)byte_count;
}

bool empty_release(void *heap, void *owner) {
    (void)heap, (void)owner;
    return true;
}

EXPORT("setup") void setup(void) {}
EXPORT("valid") bool valid(void) {
    return true;
}
