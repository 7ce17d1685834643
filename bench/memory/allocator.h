/* The allocator that a build of driver.c measures: PEER_QHIVE, PEER_DLMALLOC (malloc of the toolchain's WASI libc) or PEER_EMPTY, whose
 * functions lie in another file and do nothing: what the driver itself costs. Every call crosses a file for all three. */
#ifndef QH_BENCH_ALLOCATOR_H
#define QH_BENCH_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define BENCH_OWNERS 600

#if defined(PEER_QHIVE)
#include "memory/pool.h"
extern qh_heap bench_heap;
extern qh_pool bench_pool;
extern qh_owner bench_owners[];
#define TAKE(o, n, p) qh_heap_alloc(&bench_heap, &bench_owners[o], n, QH_BLOCK_table, (void **)&(p))
#define GIVE(o, p, n) qh_heap_free(&bench_heap, &bench_owners[o], p, n)
#define MOVE(o, p, old, n)                                                                         \
    qh_heap_resize(&bench_heap, &bench_owners[o], (void **)&(p), old, n, QH_BLOCK_table)
#define RELEASE(o) qh_owner_release_all(&bench_heap, &bench_owners[o])
#define POOL_TAKE(p) qh_pool_acquire(&bench_pool, &bench_owners[0], (void **)&(p))
#define POOL_GIVE(p) qh_pool_release(&bench_pool, &bench_owners[0], p)

#elif defined(PEER_DLMALLOC)
#include <stdlib.h>
#define TAKE(o, n, p) ((p) = malloc(n))
#define GIVE(o, p, n) free(p)
#define MOVE(o, p, old, n) ((p) = realloc(p, n))
#define RELEASE(o) false
#define POOL_TAKE(p) ((p) = malloc(1024))
#define POOL_GIVE(p) free(p)

#elif defined(PEER_EMPTY)
int empty_alloc(void *heap, void *owner, size_t byte_count, int kind, void **block);
void empty_free(void *heap, void *owner, void *block, size_t byte_count);
bool empty_release(void *heap, void *owner);
extern char empty_heap[], empty_owners[][128];
#define TAKE(o, n, p) empty_alloc(empty_heap, empty_owners[o], n, 3, (void **)&(p))
#define GIVE(o, p, n) empty_free(empty_heap, empty_owners[o], p, n)
#define MOVE(o, p, old, n) empty_alloc(empty_heap, empty_owners[o], n, 3, (void **)&(p))
#define RELEASE(o) empty_release(empty_heap, empty_owners[o])
#define POOL_TAKE(p) empty_alloc(empty_heap, empty_owners[0], 1024, 3, (void **)&(p))
#define POOL_GIVE(p) empty_free(empty_heap, empty_owners[0], p, 1024)
#endif

#endif
