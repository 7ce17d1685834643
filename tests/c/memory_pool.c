/* Pools: every block once, guarded release, fallback to the heap, counters and charges. */
#include "fixture.h"

#define BLOCK_BYTES 256u
#define CAPACITY 20u

static qh_memory memory;
static qh_pool pool;
static qh_owner owner;

static void open_pool(uint32_t capacity, bool track) {
    if (test_memory_open(&memory, TEST_NO_POOLS, track) != QH_OK ||
        qh_pool_open(&pool, &memory.heap, &memory.runtime_owner, BLOCK_BYTES, capacity,
                     QH_BLOCK_state) != QH_OK)
        TEST_FAIL("no pool");
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
}

static void acquire_all(void **blocks, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CHECK_OK(qh_pool_acquire(&pool, &owner, &blocks[i]));
}

static bool same_pool(const qh_pool *before) {
    return memcmp(before, &pool, sizeof pool) == 0 && qh_pool_validate(&pool);
}

static void each_block_is_handed_out_once(void) {
    void *blocks[CAPACITY];
    open_pool(CAPACITY, false);
    acquire_all(blocks, CAPACITY);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        size_t offset = (size_t)((unsigned char *)blocks[i] - pool.region);
        CHECK(offset < (size_t)CAPACITY * BLOCK_BYTES && offset % BLOCK_BYTES == 0);
        for (uint32_t k = 0; k < i; k++) CHECK(blocks[i] != blocks[k]);
        memset(blocks[i], 0xCC, BLOCK_BYTES);
    }
    CHECK_EQ((uintptr_t)pool.region % 64, 0);
    CHECK_EQ(qh_pool_in_use(&pool), CAPACITY);
    CHECK_EQ(pool.fallbacks, 0);
    CHECK(qh_pool_validate(&pool));
    for (uint32_t i = 0; i < CAPACITY; i++) CHECK_OK(qh_pool_release(&pool, &owner, blocks[i]));
    CHECK_EQ(qh_pool_in_use(&pool), 0);
    CHECK_EQ(pool.fresh, CAPACITY);
    CHECK_EQ(pool.acquires, CAPACITY);
    CHECK(qh_pool_validate(&pool) && qh_heap_validate(&memory.heap));
    test_memory_close(&memory);
}

static void wrong_releases_are_refused(void) {
    void *blocks[4];
    open_pool(CAPACITY, false);
    acquire_all(blocks, 4);
    CHECK_OK(qh_pool_release(&pool, &owner, blocks[1]));
    qh_pool before = pool;
    qh_owner owner_before = owner;
    CHECK_RESULT(qh_pool_release(&pool, &owner, blocks[1]), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_pool_release(&pool, &owner, (char *)blocks[2] + 16), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_pool_release(&pool, &owner, (char *)blocks[2] + 255), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_pool_release(&pool, &owner, pool.region + 4 * BLOCK_BYTES),
                 QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_pool_release(&pool, &owner, pool.region + (CAPACITY - 1) * BLOCK_BYTES),
                 QH_INVALID_ARGUMENT);
    CHECK(same_pool(&before));
    CHECK_EQ(memcmp(&owner_before, &owner, sizeof owner), 0);
    void *again;
    CHECK_OK(qh_pool_acquire(&pool, &owner, &again));
    CHECK(again == blocks[1]);
    CHECK_OK(qh_pool_release(&pool, &owner, again));
    CHECK_RESULT(qh_pool_release(&pool, &owner, again), QH_INVALID_ARGUMENT);
    test_memory_close(&memory);
}

static void an_exhausted_pool_falls_back_to_the_heap(void) {
    void *blocks[CAPACITY + 5];
    open_pool(CAPACITY, false);
    acquire_all(blocks, CAPACITY);
    size_t heap_bytes = memory.heap.live_bytes;
    acquire_all(blocks + CAPACITY, 5);
    CHECK_EQ(pool.fallbacks, 5);
    CHECK_EQ(pool.acquires, CAPACITY);
    CHECK_EQ(qh_pool_in_use(&pool), CAPACITY);
    CHECK_EQ(memory.heap.live_bytes, heap_bytes + 5 * BLOCK_BYTES);
    CHECK_EQ(owner.live_bytes, (CAPACITY + 5) * BLOCK_BYTES);
    CHECK_EQ(owner.live_blocks, CAPACITY + 5);
    for (uint32_t i = CAPACITY + 5; i-- > 0;) CHECK_OK(qh_pool_release(&pool, &owner, blocks[i]));
    CHECK_EQ(memory.heap.live_bytes, heap_bytes);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(owner.live_blocks, 0);
    CHECK(qh_pool_validate(&pool) && qh_heap_validate(&memory.heap));
    test_memory_close(&memory);
}

static void a_pool_of_nothing_is_the_heap(void) {
    void *blocks[3];
    open_pool(0, false);
    acquire_all(blocks, 3);
    CHECK_EQ(pool.fallbacks, 3);
    CHECK(qh_pool_validate(&pool));
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(qh_pool_release(&pool, &owner, blocks[i]));
    CHECK_EQ(owner.live_bytes, 0);
    test_memory_close(&memory);
}

static void the_quota_holds_for_pool_and_fallback(void) {
    void *blocks[CAPACITY], *none = NULL;
    for (uint32_t capacity = 2; capacity <= 4;
         capacity += 2) { /* of 3 blocks: with and without fallback */
        open_pool(capacity, false);
        owner.quota_bytes = 3 * BLOCK_BYTES + 100;
        acquire_all(blocks, 3);
        qh_pool before = pool;
        CHECK_RESULT(qh_pool_acquire(&pool, &owner, &none), QH_QUOTA_EXCEEDED);
        CHECK(none == NULL && same_pool(&before));
        CHECK_EQ(owner.live_bytes, 3 * BLOCK_BYTES);
        CHECK_OK(qh_pool_release(&pool, &owner, blocks[0]));
        CHECK_OK(qh_pool_acquire(&pool, &owner, &blocks[0]));
        test_memory_close(&memory);
    }
}

static void a_fallback_that_fails_changes_nothing(void) {
    void *blocks[2], *none = NULL;
    open_pool(2, false);
    acquire_all(blocks, 2);
    qh_pool before = pool;
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_pool_acquire(&pool, &owner, &none), QH_GROWTH_FAILED);
    CHECK(none == NULL && same_pool(&before));
    CHECK_EQ(owner.live_bytes, 2 * BLOCK_BYTES);
    test_memory_close(&memory);
}

static void an_opening_that_fails_leaves_the_heap_sound(void) {
    for (uint32_t n = 1; n <= 2; n++) {
        REQUIRE_OK(test_memory_open(&memory, TEST_NO_POOLS, false));
        memory.heap.fail_after = n;
        CHECK_RESULT(qh_pool_open(&pool, &memory.heap, &memory.runtime_owner, BLOCK_BYTES, CAPACITY,
                                  QH_BLOCK_state),
                     QH_GROWTH_FAILED);
        CHECK(qh_heap_validate(&memory.heap));
        test_memory_close(&memory);
    }
}

static void a_larger_region_than_memory_is_refused(void) {
    static const uint32_t capacities[] = {0xFFFFFFFFu, 0x100001u, 0x100000u, 0x80001u, 0x40001u};
    REQUIRE_OK(test_memory_open(&memory, TEST_NO_POOLS, false)); /* a budget of 1 GiB */
    for (uint32_t i = 0; i < COUNT_OF(capacities); i++) {
        qh_result result = qh_pool_open(&pool, &memory.heap, &memory.runtime_owner, 4096,
                                        capacities[i], QH_BLOCK_message);
        CHECK(result == QH_OVERFLOW || result == QH_EXCEEDS_LIMIT);
    }
    test_memory_close(&memory);
}

/* The first block has the address of the pool's region, which must not stand in its place. */
static void blocks_are_recorded(void) {
    void *blocks[CAPACITY + 1];
    open_pool(CAPACITY, true);
    acquire_all(blocks, CAPACITY + 1);
    for (uint32_t i = 0; i <= CAPACITY; i++) {
        const qh_record *record = qh_records_find(&memory.records, blocks[i]);
        REQUIRE(record != NULL);
        CHECK_EQ(record->owner, owner.id);
        CHECK_EQ(record->byte_count, BLOCK_BYTES);
        CHECK_EQ(record->kind, QH_BLOCK_state);
    }
    for (uint32_t i = 0; i <= CAPACITY; i++) {
        CHECK_OK(qh_pool_release(&pool, &owner, blocks[i]));
        CHECK(qh_records_find(&memory.records, blocks[i]) == NULL);
    }
    CHECK(qh_memory_validate(&memory));
    test_memory_close(&memory);
}

static void broken_books_are_detected(void) {
    void *blocks[8];
    open_pool(CAPACITY, false);
    acquire_all(blocks, 8);
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(qh_pool_release(&pool, &owner, blocks[i]));
    REQUIRE(qh_pool_validate(&pool));
    qh_pool sound = pool;
#define CHECK_DETECTED(damage)                                                                     \
    do {                                                                                           \
        damage;                                                                                    \
        CHECK(!qh_pool_validate(&pool));                                                           \
        pool = sound;                                                                              \
        CHECK(qh_pool_validate(&pool));                                                            \
    } while (0)
    CHECK_DETECTED(pool.acquires++);
    CHECK_DETECTED(pool.fresh++);
    CHECK_DETECTED(pool.freed = pool.links[pool.freed]);
    CHECK_DETECTED(pool.freed = UINT32_MAX);
    CHECK_DETECTED(pool.freed = pool.fresh);
    CHECK_DETECTED(pool.capacity = pool.fresh - 1);
    uint32_t *free_one = &pool.links[pool.freed], *out = &pool.links[5], was = *out,
             next = *free_one;
    *out = UINT32_MAX;
    CHECK(!qh_pool_validate(&pool));
    *out = was;
    *free_one = pool.freed; /* a ring */
    CHECK(!qh_pool_validate(&pool));
    *free_one = was; /* out, and in the list */
    CHECK(!qh_pool_validate(&pool));
    *free_one = next;
    CHECK(qh_pool_validate(&pool));
    test_memory_close(&memory);
}

static void random_operations_agree_with_a_model(void) {
    qh_random random = test_random();
    static void *out[3 * CAPACITY];
    uint32_t count = 0;
    open_pool(CAPACITY, true);
    for (uint32_t round = 0; round < TEST_SHARE(50000u); round++) {
        if (count < COUNT_OF(out) && (count == 0 || qh__random_below(&random, 2))) {
            void *block;
            CHECK_OK(qh_pool_acquire(&pool, &owner, &block));
            for (uint32_t i = 0; i < count; i++) CHECK(out[i] != block);
            *(void **)block = block;
            out[count++] = block;
        } else {
            uint32_t i = qh__random_below(&random, count);
            CHECK(*(void **)out[i] == out[i]);
            CHECK_OK(qh_pool_release(&pool, &owner, out[i]));
            out[i] = out[--count];
        }
        CHECK_EQ(owner.live_bytes, count * BLOCK_BYTES);
        CHECK_EQ(owner.live_blocks, count);
        if (round % 64 == 0) CHECK(qh_pool_validate(&pool) && qh_heap_validate(&memory.heap));
    }
    while (count > 0) CHECK_OK(qh_pool_release(&pool, &owner, out[--count]));
    qh_owner_close(&memory.heap, &owner);
    test_memory_close(&memory);
}

/* Pointers from elsewhere: of the stack, of static data, crooked, NULL, of another kind, given back twice. */
static void foreign_pointers_are_refused(void) {
    static alignas(16) unsigned char elsewhere[BLOCK_BYTES];
    for (uint32_t track = 0; track < 2; track++) {
        void *inside, *lent[2], *other;
        open_pool(1, track != 0);
        acquire_all(&inside, 1);
        REQUIRE_OK(qh_heap_alloc(&memory.heap, &owner, BLOCK_BYTES, QH_BLOCK_table, &other));
        CHECK_RESULT(qh_pool_release(&pool, &owner, other),
                     QH_INVALID_ARGUMENT); /* none was lent */
        acquire_all(lent, 2);
        CHECK_EQ(pool.lent, 2);
        size_t live_bytes = owner.live_bytes;
        CHECK_RESULT(qh_pool_release(&pool, &owner, (char *)lent[0] + 8), QH_INVALID_ARGUMENT);
#if !defined(__wasm__) /* there everything lies in the one memory */
        CHECK_RESULT(qh_pool_release(&pool, &owner, elsewhere), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_pool_release(&pool, &owner, NULL), QH_INVALID_ARGUMENT);
#else
        (void)elsewhere;
#endif
        if (track) CHECK_RESULT(qh_pool_release(&pool, &owner, other), QH_INVALID_ARGUMENT);
        CHECK_EQ(owner.live_bytes, live_bytes);
        CHECK_OK(qh_pool_release(&pool, &owner, lent[0]));
        if (track) CHECK_RESULT(qh_pool_release(&pool, &owner, lent[0]), QH_INVALID_ARGUMENT);
        CHECK_OK(qh_pool_release(&pool, &owner, lent[1]));
        CHECK_RESULT(qh_pool_release(&pool, &owner, lent[1]), QH_INVALID_ARGUMENT);
        CHECK_OK(qh_pool_release(&pool, &owner, inside));
        CHECK_EQ(pool.lent, 0);
        qh_heap_free(&memory.heap, &owner, other, BLOCK_BYTES);
        CHECK(owner.live_bytes == 0 && qh_pool_validate(&pool) && qh_heap_validate(&memory.heap));
        test_memory_close(&memory);
    }
}

TEST_SUITE(memory_pool, {"each block is handed out once", each_block_is_handed_out_once},
           {"double and crooked releases are refused", wrong_releases_are_refused},
           {"foreign pointers are refused", foreign_pointers_are_refused},
           {"an exhausted pool falls back to the heap", an_exhausted_pool_falls_back_to_the_heap},
           {"a pool of nothing is the heap", a_pool_of_nothing_is_the_heap},
           {"the quota holds for pool and fallback", the_quota_holds_for_pool_and_fallback},
           {"a fallback that fails changes nothing", a_fallback_that_fails_changes_nothing},
           {"an opening that fails leaves the heap sound",
            an_opening_that_fails_leaves_the_heap_sound},
           {"a region larger than memory is refused", a_larger_region_than_memory_is_refused},
           {"blocks are recorded", blocks_are_recorded},
           {"broken books are detected", broken_books_are_detected},
           {"random operations agree with a model", random_operations_agree_with_a_model});
