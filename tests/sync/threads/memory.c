/* The memory lock under native threads, for ThreadSanitizer: each takes, fills, resizes and gives back blocks of its own owner, of heap and
 * pools; the last of them may not sleep, meets QH_BUSY, and gives back later. What is written stays; in the end nothing is left, and
 * everything is sound. Prints a line for each thing that is wrong, then what happened; exits with how many. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "memory/memory.h"

#define THREADS 4u
#define ROUNDS 30000u
#define BLOCKS 64u

static qh_memory memory;
static qh_owner owners[THREADS];
static uint32_t wrong, busy[THREADS];

static void expect(bool holds, const char *what) {
    if (holds) return;
    __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    printf("not ok %s\n", what);
}

typedef struct held {
    uint32_t *words;
    size_t byte_count;
    qh_pool *pool;
} held;

static uint32_t mark_of(const held *block) {
    return qh__self() << 28 | (uint32_t)block->byte_count;
}

static void mark(const held *block) {
    block->words[0] = block->words[block->byte_count / 4 - 1] = mark_of(block);
}

static void check(const held *block) {
    expect(block->words[0] == mark_of(block) &&
               block->words[block->byte_count / 4 - 1] == mark_of(block),
           "what is written stays");
}

static void give(held *block) {
    qh_owner *owner = &owners[qh__self()];
    check(block);
    if (!block->pool)
        qh_heap_free(&memory.heap, owner, block->words, block->byte_count);
    else
        expect(qh_pool_release(block->pool, owner, block->words) == QH_OK,
               "a block of a pool goes back");
    *block = (held){0};
}

static void take(held *block, qh_random *random) {
    qh_owner *owner = &owners[qh__self()];
    held taken = {.byte_count = 4 * (1 + (qh__random_next(random) &
                                          ((8u << qh__random_below(random, 9)) - 1)))};
    void *at = NULL;
    qh_result result;
    if (qh__random_below(random, 4)) {
        result = qh_heap_alloc(&memory.heap, owner, taken.byte_count, QH_BLOCK_table, &at);
    } else {
        taken.pool = &memory.pools[qh__random_below(random, QH_POOL_COUNT)];
        taken.byte_count = taken.pool->block_bytes;
        result = qh_pool_acquire(taken.pool, owner, &at);
    }
    busy[qh__self()] += result == QH_BUSY;
    expect(result == QH_OK || (result == QH_BUSY && qh__self() == THREADS - 1), "a block, or busy");
    if (result != QH_OK) return;
    taken.words = at;
    mark(&taken);
    *block = taken;
}

static void resize(held *block, qh_random *random) {
    size_t byte_count = 4 * (1 + qh__random_below(random, 400));
    void *at = block->words;
    check(block);
    if (qh_heap_resize(&memory.heap, &owners[qh__self()], &at, block->byte_count, byte_count,
                       QH_BLOCK_table) != QH_OK)
        return;
    block->words = at;
    block->byte_count = byte_count;
    mark(block);
}

static void *run(void *argument) {
    held blocks[BLOCKS] = {0};
    qh__thread_self = *(uint32_t *)argument;
    qh_random random = qh__random_seeded(7, qh__self());
    for (uint32_t round = 0; round < ROUNDS; round++) {
        held *block = &blocks[qh__random_below(&random, BLOCKS)];
        if (!block->words)
            take(block, &random);
        else if (block->pool || qh__random_below(&random, 3))
            give(block);
        else
            resize(block, &random);
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (blocks[i].words) give(&blocks[i]);
    return NULL;
}

int main(void) {
    static const uint32_t pools[QH_POOL_COUNT] = {40, 40, 20};
    pthread_t started[THREADS];
    uint32_t numbers[THREADS];
    if (qh_budget_open(&memory.budget, 4096) != QH_OK ||
        qh_memory_open(&memory, 0, 0, pools, false) != QH_OK)
        return 1;
    size_t before =
        memory.heap.live_bytes - qh_heap_charge(memory.records.capacity * sizeof(qh_record));
    size_t records = memory.records.count;
    for (uint32_t i = 0; i < THREADS; i++) {
        qh_owner_open(&memory.heap, &owners[i], 0x10000 + i, QH_OWNER_agent, SIZE_MAX / 2);
        qh_thread_open(qh__threads(), i, i < THREADS - 1);
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_create(&started[i], NULL, run, &numbers[i]);
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(started[i], NULL);
    uint32_t late = 0;
    for (const qh_deferred *at = memory.heap.lock.deferred[THREADS - 1]; at; at = at->next) late++;
    qh__thread_self = THREADS - 1;
    expect(qh_heap_validate(&memory.heap),
           "the heap is sound"); /* and takes back what was put off */
    expect(qh_memory_validate(&memory), "memory is sound");
    expect(memory.heap.live_bytes - qh_heap_charge(memory.records.capacity * sizeof(qh_record)) ==
                   before &&
               memory.records.count == records,
           "nothing is left");
    for (uint32_t i = 0; i < THREADS; i++) expect(owners[i].books == 0, "nobody owns anything");
    const qh_lock_counters *counters = &memory.heap.lock.mutex.counters;
    printf(
        "%u threads, %llu times the lock, %llu contended, %u times busy, %u blocks given back at the end, %u entries\n",
        THREADS, (unsigned long long)counters->acquired, (unsigned long long)counters->contended,
        busy[THREADS - 1], late, memory.heap.lock.journal.most);
    qh_budget_close(&memory.budget);
    return (int)wrong;
}
