/* Either heap, as its users see it: alignment, charges, quotas, failures that change nothing, and a shadow model that knows nothing
 * of its insides. */
#include "heap_fixture.h"

#if defined(QH_SMALL)
#define TABLES_BLOCKS 2u /* what the heap's own tables take of four pages, in blocks of 208 bytes */
#else
#define TABLES_BLOCKS 160u
#endif

/* What users see of a heap. */
static bool equal_books(const qh_heap *a, const qh_heap *b) {
    return a->live_bytes == b->live_bytes && a->live_blocks == b->live_blocks &&
           a->peak_bytes == b->peak_bytes && a->fail_after == b->fail_after &&
           qh_heap_end(a) == qh_heap_end(b);
}

/* ---------------------------------------------------------------- charges */

static void blocks_are_aligned_and_apart(void) {
    qh_heap *heap = open_heap(false);
    uintptr_t end = 0;
    for (size_t bytes = 1; bytes < 3000; bytes += 7) {
        void *block;
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], bytes, QH_BLOCK_table, &block));
        CHECK_EQ((uintptr_t)block % QH_HEAP_ALIGNMENT, 0);
        CHECK((uintptr_t)block >= end);
        end = (uintptr_t)block + bytes;
        memset(block, 0xEE, bytes);
    }
    void *carved;
    REQUIRE_OK(qh_heap_carve(heap, &owners[0], 1000, QH_BLOCK_state, &carved));
    CHECK_EQ((uintptr_t)carved % 64, 0);
    CHECK((uintptr_t)carved >= end);
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

static void every_byte_is_charged_to_heap_and_owner(void) {
    qh_heap *heap = open_heap(false);
    void *a, *b;
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 100, QH_BLOCK_table, &a));
    REQUIRE_OK(qh_heap_alloc(heap, &owners[1], 1000, QH_BLOCK_table, &b));
    CHECK_EQ(owners[0].live_bytes, 112);
    CHECK_EQ(owners[1].live_bytes, qh_heap_charge(1000));
    CHECK_EQ(owners[0].live_blocks + owners[1].live_blocks, 2);
    CHECK_EQ(heap->live_bytes, 112 + qh_heap_charge(1000));
    CHECK_EQ(heap->live_blocks, 2);
    qh_heap_free(heap, &owners[1], b, 1000);
    CHECK_EQ(owners[1].live_bytes, 0);
    CHECK_EQ(owners[1].peak_bytes, qh_heap_charge(1000));
    CHECK_EQ(heap->live_bytes, 112);
    CHECK_EQ(heap->peak_bytes, 112 + qh_heap_charge(1000));
    qh_heap_free(heap, &owners[0], a, 100);
    qh_heap_free(heap, &owners[0], NULL, 100);
    CHECK_EQ(heap->live_bytes, 0);
    CHECK_EQ(heap->live_blocks, 0);
    for (int i = 0; i < 4; i++) qh_owner_close(heap, &owners[i]);
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

static void freed_blocks_are_used_before_fresh_ones(void) {
    qh_heap *heap = open_heap(false);
    void *blocks[20];
    be_ordinary(heap, &owners[0]);
    for (int i = 0; i < 20; i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 200, QH_BLOCK_table, &blocks[i]));
    size_t end = qh_heap_end(heap);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 20; i++) qh_heap_free(heap, &owners[0], blocks[i], 200);
        for (int i = 0; i < 20; i++)
            REQUIRE_OK(
                qh_heap_alloc(heap, &owners[0], 193 + (size_t)i % 16, QH_BLOCK_table, &blocks[i]));
        CHECK_EQ(qh_heap_end(heap), end);
        CHECK(qh_heap_validate(heap));
    }
    test_memory_close(&memory);
}

static void zeroed_blocks_are_zero(void) {
    qh_heap *heap = open_heap(false);
    void *block;
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 500, QH_BLOCK_table, &block));
    memset(block, 0xFF, 500);
    qh_heap_free(heap, &owners[0], block, 500);
    REQUIRE_OK(qh_heap_alloc_zeroed(heap, &owners[0], 500, QH_BLOCK_table, &block));
    for (int i = 0; i < 500; i++) CHECK_EQ(((unsigned char *)block)[i], 0);
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- quota and failure */

static void the_quota_is_checked_before_anything_is_taken(void) {
    qh_heap *heap = open_heap(false);
    qh_owner *owner = &owners[0];
    owner->quota_bytes = qh_heap_charge(1000) + 16;
    void *block = NULL, *other;
    REQUIRE_OK(qh_heap_alloc(heap, owner, 1000, QH_BLOCK_table, &block));
    REQUIRE_OK(qh_heap_alloc(heap, owner, 16, QH_BLOCK_table, &other));
    qh_heap before = *heap;
    qh_owner owner_before = *owner;
    void *none = NULL;
    CHECK_RESULT(qh_heap_alloc(heap, owner, 1, QH_BLOCK_table, &none), QH_QUOTA_EXCEEDED);
    CHECK_RESULT(qh_heap_alloc(heap, owner, SIZE_MAX, QH_BLOCK_table, &none), QH_QUOTA_EXCEEDED);
    CHECK_RESULT(qh_heap_alloc_zeroed(heap, owner, 1u << 30, QH_BLOCK_table, &none),
                 QH_QUOTA_EXCEEDED);
    CHECK_RESULT(qh_heap_carve(heap, owner, 64, QH_BLOCK_table, &none), QH_QUOTA_EXCEEDED);
    CHECK_RESULT(qh_heap_resize(heap, owner, &block, 1000, 1025, QH_BLOCK_table),
                 QH_QUOTA_EXCEEDED);
    CHECK(none == NULL && equal_books(&before, heap));
    CHECK_EQ(memcmp(&owner_before, owner, sizeof *owner), 0);
    CHECK(qh_owner_affords(owner, 0) && !qh_owner_affords(owner, 1));
    qh_heap_free(heap, owner, other, 16);
    CHECK(qh_owner_affords(owner, 16) && !qh_owner_affords(owner, 17));
    CHECK_OK(qh_heap_alloc(heap, owner, 16, QH_BLOCK_table, &other));
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

/* The budget refuses in its three ways; the heap passes the reason on and is as it was. */
static void refusals_of_the_budget_change_nothing(void) {
    qh_heap *heap = open_heap(false);
    qh_budget *budget = &memory.budget;
    void *block = NULL;
    size_t usable = (size_t)budget->pages * QH_PAGE_BYTES;
    size_t used = qh_heap_end(heap), most = budget->max_pages * QH_PAGE_BYTES - used;
    size_t over = QH_MIN(QH_MAX(most, usable - QH_MIN(usable, used)) + 1, (size_t)0x40000000);
    qh_heap before = *heap;
    if (over > most)
        CHECK_RESULT(qh_heap_alloc(heap, &owners[0], over, QH_BLOCK_table, &block),
                     QH_EXCEEDS_LIMIT);
    CHECK_RESULT(qh_heap_alloc(heap, &owners[0], SIZE_MAX / 2 - 64, QH_BLOCK_table, &block),
                 QH_OVERFLOW);
    CHECK_RESULT(qh_heap_carve(heap, &owners[0], SIZE_MAX, QH_BLOCK_table, &block), QH_OVERFLOW);
    budget->refuse_growth = true;
    CHECK_RESULT(qh_heap_alloc(heap, &owners[0], usable + 1, QH_BLOCK_table, &block),
                 QH_GROWTH_FAILED);
    budget->refuse_growth = false;
    CHECK(block == NULL && equal_books(&before, heap));
    CHECK_EQ(owners[0].live_bytes, 0);
    CHECK_OK(qh_heap_alloc(heap, &owners[0], 64, QH_BLOCK_table, &block));
    test_memory_close(&memory);
}

static void injected_failures_fail_from_the_nth_on(void) {
    qh_heap *heap = open_heap(false);
    void *block;
    for (uint32_t n = 1; n < 6; n++) {
        heap->fail_after = n;
        for (uint32_t i = 1; i < n; i++)
            CHECK_OK(qh_heap_alloc(heap, &owners[0], 32, QH_BLOCK_table, &block));
        for (uint32_t i = 0; i < 3; i++)
            CHECK_RESULT(qh_heap_alloc(heap, &owners[0], 32, QH_BLOCK_table, &block),
                         QH_GROWTH_FAILED);
        heap->fail_after = 0;
        CHECK_OK(qh_heap_alloc(heap, &owners[0], 32, QH_BLOCK_table, &block));
    }
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- resize */

static void resize_keeps_contents(void) {
    qh_heap *heap = open_heap(true);
    static const size_t sizes[] = {1,   16,   17,   100, 128, 129,    144,
                                   145, 5000, 4000, 60,  61,  100000, 8};
    void *block = NULL;
    size_t held = 0;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        void *before = block;
        REQUIRE_OK(qh_heap_resize(heap, &owners[0], &block, held, sizes[i], QH_BLOCK_table));
        if (held && qh_heap_charge(held) == qh_heap_charge(sizes[i])) CHECK(block == before);
        CHECK(is_filled(block, QH_MIN(held, sizes[i]), i - 1));
        held = sizes[i];
        fill(block, held, i);
        CHECK_EQ(owners[0].live_bytes, qh_heap_charge(held));
        CHECK_EQ(owners[0].live_blocks, 1);
        CHECK(qh_heap_validate(heap));
    }
    qh_heap_free(heap, &owners[0], block, held);
    CHECK_EQ(owners[0].live_bytes, 0);
    test_memory_close(&memory);
}

static void a_resize_that_fails_leaves_the_block(void) {
    qh_heap *heap = open_heap(false);
    void *block;
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 300, QH_BLOCK_table, &block));
    fill(block, 300, 9);
    void *before = block;
    heap->fail_after = 1;
    CHECK_RESULT(qh_heap_resize(heap, &owners[0], &block, 300, 3000, QH_BLOCK_table),
                 QH_GROWTH_FAILED);
    CHECK_OK(qh_heap_resize(heap, &owners[0], &block, 300, 304, QH_BLOCK_table));
    heap->fail_after = 0;
    CHECK(block == before && is_filled(block, 300, 9));
    CHECK_EQ(owners[0].live_bytes, qh_heap_charge(300));
    test_memory_close(&memory);
}

/* What a heap must never do, done by hand: the model below would see each of these. */
static void a_double_free_is_detected(void) {
    qh_heap *heap = open_heap(false);
    void *a, *b;
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 64, QH_BLOCK_table, &a));
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 64, QH_BLOCK_table, &b));
    qh_heap_free(heap, &owners[0], a, 64);
    qh_heap_free(heap, &owners[0], a, 64);
    CHECK(!qh_heap_validate(heap));
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- shadow model */

#define MODEL_BLOCKS 400u

static shadow live[MODEL_BLOCKS];
static uint32_t live_count;

static void check_model(const qh_heap *heap) {
    size_t held[COUNT_OF(owners)] = {0};
    uint32_t blocks[COUNT_OF(owners)] = {0};
    size_t total = memory.records_owner.live_bytes;
    for (uint32_t i = 0; i < live_count; i++) {
        held[live[i].owner] += qh_heap_charge(live[i].byte_count);
        blocks[live[i].owner]++;
        CHECK(is_painted(&live[i]));
        if (heap->records) CHECK(qh_records_find(heap->records, live[i].block) != NULL);
    }
    for (uint32_t o = 0; o < COUNT_OF(owners); o++) {
        CHECK_EQ(owners[o].live_bytes, held[o]);
        CHECK_EQ(owners[o].live_blocks, blocks[o]);
        CHECK(owners[o].live_bytes <= owners[o].quota_bytes);
        total += held[o];
    }
    CHECK_EQ(heap->live_bytes, total);
    if (heap->records) CHECK_EQ(heap->records->count, live_count);
    CHECK(qh_memory_validate(&memory));
}

static void model_alloc(qh_heap *heap, qh_random *random) {
    shadow s = {.byte_count = draw_size(random)};
    s.owner = qh__random_below(random, COUNT_OF(owners));
    s.salt = qh__random_below(random, 200);
    qh_owner *owner = &owners[s.owner];
    bool affords = qh_owner_affords(owner, qh_heap_charge(s.byte_count));
    if (qh__random_below(random, 50) == 0) heap->fail_after = 1;
    void *block;
    qh_result result = qh_heap_alloc(heap, owner, s.byte_count, QH_BLOCK_table, &block);
    CHECK_RESULT(result, !affords           ? QH_QUOTA_EXCEEDED
                         : heap->fail_after ? QH_GROWTH_FAILED
                                            : QH_OK);
    heap->fail_after = 0;
    if (result != QH_OK) return;
    s.block = block;
    paint(&s);
    live[live_count++] = s;
}

static void model_free(qh_heap *heap, qh_random *random) {
    uint32_t i = qh__random_below(random, live_count);
    CHECK(is_painted(&live[i]));
    qh_heap_free(heap, &owners[live[i].owner], live[i].block, live[i].byte_count);
    live[i] = live[--live_count];
}

static void model_resize(qh_heap *heap, qh_random *random) {
    shadow *s = &live[qh__random_below(random, live_count)];
    size_t count = draw_size(random), kept = QH_MIN(QH_MIN(count, s->byte_count), (size_t)96);
    void *block = s->block;
    fill(s->block, s->byte_count, s->salt);
    if (qh_heap_resize(heap, &owners[s->owner], &block, s->byte_count, count, QH_BLOCK_table) ==
        QH_OK) {
        CHECK(is_filled(block, kept, s->salt));
        s->block = block;
        s->byte_count = count;
    }
    paint(s);
}

static void run_model(bool track) {
    qh_random random = test_random();
    qh_heap *heap = open_heap(track);
    owners[2].quota_bytes = 200000;
    owners[3].quota_bytes = 20000;
    live_count = 0;
    for (uint32_t round = 0; round < TEST_SHARE(60000u); round++) {
        bool rising = round / 1000 % 2 == 0;
        uint32_t what = qh__random_below(&random, 10);
        if (live_count > 0 && what == 0)
            model_resize(heap, &random);
        else if (live_count < MODEL_BLOCKS && (live_count == 0 || what < (rising ? 7 : 4)))
            model_alloc(heap, &random);
        else
            model_free(heap, &random);
        if (round % 500 == 0) check_model(heap);
    }
    while (live_count > 0) model_free(heap, &random);
    check_model(heap);
    for (uint32_t o = 0; o < COUNT_OF(owners); o++) qh_owner_close(heap, &owners[o]);
    test_memory_close(&memory);
}

static void random_operations_agree_with_the_model(void) {
    run_model(false);
}

static void the_model_holds_with_records_too(void) {
    run_model(true);
}

/* Fills the budget to the brim and empties it, again and again: the same number of blocks each time. */
static void exhaustion_and_back_does_not_drift(void) {
    qh_budget *budget = &memory.budget;
    memory = (qh_memory){0};
    REQUIRE_OK(qh_budget_open(budget, test_pages() + 4));
    REQUIRE_OK(
        qh_memory_open(&memory, 0, (size_t)test_pages() * QH_PAGE_BYTES, TEST_NO_POOLS, false));
    qh_owner_open(&memory.heap, &owners[0], 1, QH_OWNER_agent, SIZE_MAX / 2);
    static void *blocks[4096];
    uint32_t first = 0;
    for (uint32_t round = 0; round < 5; round++) {
        uint32_t count = 0;
        qh_result result = QH_OK;
        while (result == QH_OK && count < COUNT_OF(blocks))
            result = qh_heap_alloc(&memory.heap, &owners[0], 200, QH_BLOCK_table, &blocks[count++]);
        CHECK_RESULT(result, QH_EXCEEDS_LIMIT);
        if (round == 0) first = count;
        CHECK_EQ(count, first);
        CHECK(qh_heap_validate(&memory.heap));
        for (uint32_t i = 0; i + 1 < count; i++)
            qh_heap_free(&memory.heap, &owners[0], blocks[i], 200);
        CHECK_EQ(memory.heap.live_bytes, 0);
    }
    CHECK(first > 4 * 65536 / 208 - TABLES_BLOCKS);
    test_memory_close(&memory);
}

TEST_SUITE(memory_heap, {"blocks are aligned and apart", blocks_are_aligned_and_apart},
           {"every byte is charged to heap and owner", every_byte_is_charged_to_heap_and_owner},
           {"freed blocks are used before fresh ones", freed_blocks_are_used_before_fresh_ones},
           {"zeroed blocks are zero", zeroed_blocks_are_zero},
           {"the quota is checked before anything is taken",
            the_quota_is_checked_before_anything_is_taken},
           {"refusals of the budget change nothing", refusals_of_the_budget_change_nothing},
           {"injected failures fail from the nth on", injected_failures_fail_from_the_nth_on},
           {"resize keeps contents", resize_keeps_contents},
           {"a resize that fails leaves the block", a_resize_that_fails_leaves_the_block},
           {"a double free is detected", a_double_free_is_detected},
           {"random operations agree with the model", random_operations_agree_with_the_model},
           {"the model holds with records too", the_model_holds_with_records_too},
           {"exhaustion and back does not drift", exhaustion_and_back_does_not_drift});
