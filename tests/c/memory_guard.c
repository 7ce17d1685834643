/* Guards at the highest assertion tier: an overrun by one byte, a use after a release or a rewind, and a double release are caught
 * in heap, pools and arenas, by the sanitizer where there is one and by patterns where there is none. */
#include "fixture.h"

#include "memory/guard.h"

#if QH_POISONED
int __asan_address_is_poisoned(void const volatile *at);
#define MAY_TOUCH(at) (__asan_address_is_poisoned(at) == 0)
#else
#define MAY_TOUCH(at) ((void)(at), true)
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
    return QH_POISONED && !MAY_TOUCH(at);
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
    if (QH_POISONED) CHECK(forbidden(bytes) && forbidden(bytes + 255));
    if (GUARDED && !QH_POISONED) CHECK(bytes[0] == QH_FREED_BYTE && bytes[255] == QH_FREED_BYTE);
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
    if (QH_POISONED)
        CHECK(forbidden(bytes + 37) && forbidden(bytes + 48) && forbidden(arena.end - 1));
    if (GUARDED && !QH_POISONED) CHECK(bytes[37] == QH_FREED_BYTE && bytes[36] == QH_FRESH_BYTE);
    qh_arena_mark mark = qh_arena_mark_now(&arena);
    REQUIRE_OK(qh_arena_alloc(&arena, 64, &second));
    CHECK(MAY_TOUCH((unsigned char *)second + 63));
    qh_arena_rewind(&arena, mark);
    if (QH_POISONED) CHECK(forbidden(second));
    if (GUARDED && !QH_POISONED) CHECK(((unsigned char *)second)[63] == QH_FREED_BYTE);
    CHECK(MAY_TOUCH(bytes + 36));
    qh_arena_clear(&arena);
    REQUIRE_OK(qh_heap_alloc(&memory.heap, &owner, 4080, QH_BLOCK_buffer, &second));
    memset(second, 1, 4080); /* what was an arena's is the heap's again */
    qh_heap_free(&memory.heap, &owner, second, 4080);
    test_memory_close(&memory);
}

#if !defined(QH_SMALL)
/* Bytes [from, to) of a block: may all be touched, or none. */
static bool all_allowed(const unsigned char *block, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (!MAY_TOUCH(block + i)) return false;
    return true;
}

static bool all_forbidden(const unsigned char *block, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (!forbidden(block + i)) return false;
    return true;
}

/* Whether `block` is exactly `byte_count` bytes for whoever has it; also where it ends with its last granule. */
static bool is_fenced(const unsigned char *block, size_t byte_count) {
    size_t end = qh_heap_charge(byte_count) + 16;
    return all_allowed(block, 0, byte_count) &&
           (!QH_POISONED || all_forbidden(block, byte_count, end));
}

/* Of an owner that is building, and of one whose blocks come from everywhere; short and long. */
static void a_block_of_the_heap_ends_where_it_was_asked_to(void) {
    static const size_t sizes[] = {1, 15, 16, 37, 48, 640, 2032, 2048, 2049, 5000, 70000};
    qh_heap *heap = (open_guarded(), &memory.heap);
    unsigned char *blocks[COUNT_OF(sizes)];
    for (int ordinary = 0; ordinary < 2; ordinary++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            void *block;
            REQUIRE_OK(qh_heap_alloc(heap, &owner, sizes[i], QH_BLOCK_table, &block));
            blocks[i] = block;
            CHECK(is_fenced(block, sizes[i]));
            if (GUARDED) CHECK(blocks[i][sizes[i] - 1] == QH_FRESH_BYTE);
            memset(block, 1, sizes[i]);
        }
        CHECK(qh_heap_validate(heap));
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) CHECK(is_fenced(blocks[i], sizes[i]));
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            qh_heap_free(heap, &owner, blocks[i], sizes[i]);
            if (QH_POISONED) CHECK(all_forbidden(blocks[i], 0, sizes[i]));
        }
        CHECK(qh_heap_validate(heap));
    }
    test_memory_close(&memory);
}

static void a_resized_block_ends_where_it_does_now(void) {
    static const size_t sizes[] = {100, 110, 97, 112, 1000, 30, 3000, 90000, 40000, 40001, 17};
    qh_heap *heap = (open_guarded(), &memory.heap);
    for (int ordinary = 0; ordinary < 2; ordinary++) {
        void *block = NULL, *behind;
        size_t size = sizes[0], behind_size = 0;
        REQUIRE_OK(qh_heap_resize(heap, &owner, &block, 0, size, QH_BLOCK_table));
        for (uint32_t i = 0; i < 4 * COUNT_OF(sizes); i++) {
            unsigned char *before = block;
            size_t wanted = sizes[i % COUNT_OF(sizes)];
            memset(block, (int)(i + 1), size);
            REQUIRE_OK(qh_heap_resize(heap, &owner, &block, size, wanted, QH_BLOCK_table));
            CHECK(is_fenced(block, wanted));
            CHECK(((unsigned char *)block)[QH_MIN(size, wanted) - 1] == i + 1);
            if (QH_POISONED && block != before) CHECK(all_forbidden(before, 0, size));
            size = wanted;
            if (behind_size) qh_heap_free(heap, &owner, behind, behind_size);
            behind_size = i % 3 == 0 ? 50 : 0; /* now and then it cannot grow where it is */
            if (behind_size)
                REQUIRE_OK(qh_heap_alloc(heap, &owner, behind_size, QH_BLOCK_table, &behind));
        }
        CHECK(qh_heap_validate(heap));
        if (behind_size) qh_heap_free(heap, &owner, behind, behind_size);
        qh_heap_free(heap, &owner, block, size);
    }
    test_memory_close(&memory);
}

static void blocks_released_at_once_are_out_of_bounds(void) {
    qh_heap *heap = (open_guarded(), &memory.heap);
    void *blocks[60];
    for (uint32_t i = 0; i < COUNT_OF(blocks); i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owner, 16 + 90 * i, QH_BLOCK_table, &blocks[i]));
    CHECK(qh_owner_release_all(heap, &owner));
    for (uint32_t i = 0; QH_POISONED && i < COUNT_OF(blocks); i++)
        CHECK(all_forbidden(blocks[i], 0, 16 + 90 * i));
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

static void what_no_pool_has_given_out_is_out_of_bounds(void) {
    open_guarded();
    qh_pool *pool = &memory.pools[QH_POOL_TRAJECTORY];
    size_t bytes = (size_t)pool->capacity * pool->block_bytes;
    if (QH_POISONED) CHECK(all_forbidden(pool->region, 0, bytes));
    test_memory_close(&memory);
}

#define HEAP_GUARDS                                                                                \
    {"a block of the heap ends where it was asked to",                                             \
     a_block_of_the_heap_ends_where_it_was_asked_to},                                              \
        {"a resized block ends where it does now", a_resized_block_ends_where_it_does_now},        \
        {"blocks released at once are out of bounds", blocks_released_at_once_are_out_of_bounds},  \
        {"what no pool has given out is out of bounds",                                            \
         what_no_pool_has_given_out_is_out_of_bounds},
#else
#define HEAP_GUARDS
#endif

TEST_SUITE(memory_guard,
           HEAP_GUARDS{"a released pool block is out of bounds",
                       a_released_pool_block_is_out_of_bounds},
           {"one byte behind an arena block is out of bounds",
            one_byte_behind_an_arena_block_is_out_of_bounds});
