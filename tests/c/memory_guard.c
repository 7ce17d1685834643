/* Guards at the highest assertion tier: an overrun by one byte, a use after a release or a rewind, and a double release are caught
 * in pools and arenas, by the sanitizer where there is one and by patterns where there is none. */
#include "fixture.h"

#include "memory/guard.h"

#if QH_SANITIZED
int __asan_address_is_poisoned(void const volatile *at);
#define MAY_TOUCH(at) (__asan_address_is_poisoned(at) == 0)
#else
#define MAY_TOUCH(at) true
#endif

#define GUARDED (QH_ASSERT_LEVEL >= 3)

static qh_memory memory;
static qh_owner owner;

static void open_guarded(void) {
    if (test_memory_open(&memory, TEST_POOLS, false) != QH_OK) TEST_FAIL("no memory");
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
}

/* Whether touching a byte would be reported. */
static bool forbidden(const void *at) {
    (void)at; /* where nothing reports */
    return QH_SANITIZED && !MAY_TOUCH(at);
}

static void a_released_pool_block_is_out_of_bounds(void) {
    open_guarded();
    qh_pool *pool = &memory.pools[QH_POOL_STATE];
    void *block;
    REQUIRE_OK(qh_pool_acquire(pool, &owner, &block));
    unsigned char *bytes = block;
    for (uint32_t i = 0; i < QH_STATE_BYTES; i++) CHECK(MAY_TOUCH(bytes + i));
    if (GUARDED) CHECK(bytes[0] == QH_FRESH_BYTE && bytes[255] == QH_FRESH_BYTE);
    CHECK_OK(qh_pool_release(pool, &owner, block));
    if (QH_SANITIZED) CHECK(forbidden(bytes + 16) && forbidden(bytes + 255));
    if (GUARDED && !QH_SANITIZED) CHECK(bytes[16] == QH_FREED_BYTE && bytes[255] == QH_FREED_BYTE);
    CHECK_RESULT(qh_pool_release(pool, &owner, block), QH_INVALID_ARGUMENT); /* in every build */
    REQUIRE_OK(qh_pool_acquire(pool, &owner, &block));
    CHECK(block == bytes && MAY_TOUCH(bytes + 255));
    CHECK_OK(qh_pool_release(pool, &owner, block));
    test_memory_close(&memory);
}

static void one_byte_behind_an_arena_block_is_out_of_bounds(void) {
    open_guarded();
    qh_arena arena;
    void *first, *second;
    qh_arena_open(&arena, &memory.heap, &owner, 0, QH_BLOCK_buffer);
    REQUIRE_OK(qh_arena_alloc(&arena, 37, &first));
    unsigned char *bytes = first;
    for (uint32_t i = 0; i < 37; i++) CHECK(MAY_TOUCH(bytes + i));
    if (QH_SANITIZED)
        CHECK(forbidden(bytes + 37) && forbidden(bytes + 48) && forbidden(arena.end - 1));
    if (GUARDED && !QH_SANITIZED) CHECK(bytes[37] == QH_FREED_BYTE && bytes[36] == QH_FRESH_BYTE);
    qh_arena_mark mark = qh_arena_mark_now(&arena);
    REQUIRE_OK(qh_arena_alloc(&arena, 64, &second));
    CHECK(MAY_TOUCH((unsigned char *)second + 63));
    qh_arena_rewind(&arena, mark);
    if (QH_SANITIZED) CHECK(forbidden(second));
    if (GUARDED && !QH_SANITIZED) CHECK(((unsigned char *)second)[63] == QH_FREED_BYTE);
    CHECK(MAY_TOUCH(bytes + 36));
    qh_arena_clear(&arena);
    REQUIRE_OK(qh_heap_alloc(&memory.heap, &owner, 4080, QH_BLOCK_buffer, &second));
    memset(second, 1, 4080); /* what was an arena's is the heap's again */
    qh_heap_free(&memory.heap, &owner, second, 4080);
    test_memory_close(&memory);
}

TEST_SUITE(memory_guard,
           {"a released pool block is out of bounds", a_released_pool_block_is_out_of_bounds},
           {"one byte behind an arena block is out of bounds",
            one_byte_behind_an_arena_block_is_out_of_bounds});
