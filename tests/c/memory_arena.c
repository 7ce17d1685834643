/* Arenas: aligned blocks that do not touch, marks that nest, chunks that come back, and books that add up. */
#include "fixture.h"

static qh_memory memory;
static qh_owner owner;
static qh_arena arena;

static void open_arena(size_t first_bytes, bool track) {
    if (test_memory_open(&memory, TEST_NO_POOLS, track) != QH_OK) TEST_FAIL("no memory");
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
    qh_arena_open(&arena, &memory.heap, &owner, first_bytes, QH_BLOCK_buffer);
}

static void close_arena(void) {
    qh_arena_clear(&arena);
    CHECK(qh_arena_validate(&arena) && qh_heap_validate(&memory.heap));
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(owner.live_blocks, 0);
    test_memory_close(&memory);
}

static unsigned char *take_block(size_t byte_count) {
    void *block = NULL;
    CHECK_OK(qh_arena_alloc(&arena, byte_count, &block));
    return block;
}

static void an_empty_arena_takes_nothing(void) {
    open_arena(0, false);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK(qh_arena_validate(&arena));
    qh_arena_rewind(&arena, qh_arena_mark_now(&arena));
    qh_arena_clear(&arena);
    close_arena();
}

static void blocks_lie_side_by_side(void) {
    open_arena(1024, false);
    unsigned char *first = take_block(1), *second = take_block(17), *third = take_block(16);
    CHECK_EQ((uintptr_t)first % 16, 0);
    CHECK_EQ(second - first, 16);
    CHECK_EQ(third - second, 32);
    CHECK_EQ(owner.live_blocks, 1);
    CHECK_EQ(arena.used_bytes, 64);
    CHECK(arena.chunk_bytes >= 64 + 16 && owner.live_bytes >= arena.chunk_bytes);
    CHECK(qh_arena_validate(&arena));
    close_arena();
}

static void what_does_not_fit_begins_a_chunk(void) {
    open_arena(256, false);
    take_block(256);
    CHECK_EQ(owner.live_blocks, 1);
    take_block(16);
    CHECK_EQ(owner.live_blocks, 2);
    take_block(100000); /* a chunk of its own */
    CHECK_EQ(owner.live_blocks, 3);
    CHECK_EQ(arena.used_bytes, 256 + 16 + 100000);
    CHECK(qh_arena_validate(&arena));
    close_arena();
}

/* A megabyte in blocks of 100 bytes: a handful of chunks, little beyond what was asked for. */
static void chunks_are_few(void) {
    open_arena(0, false);
    for (uint32_t i = 0; i < 9362; i++) memset(take_block(100), (int)i, 100);
    CHECK(owner.live_blocks < 12);
    CHECK(arena.chunk_bytes < arena.used_bytes + (300 << 10));
    CHECK(qh_arena_validate(&arena));
    close_arena();
}

static void a_rewind_gives_back_what_came_after_the_mark(void) {
    open_arena(512, false);
    memset(take_block(100), 1, 100);
    qh_arena_mark mark = qh_arena_mark_now(&arena);
    unsigned char *after = take_block(64);
    size_t live_bytes = owner.live_bytes;
    for (uint32_t i = 0; i < 100; i++) take_block(1000);
    qh_arena_mark late = qh_arena_mark_now(&arena);
    take_block(8);
    qh_arena_rewind(&arena, late);
    CHECK_EQ(arena.used_bytes, late.used_bytes);
    CHECK(qh_arena_validate(&arena));
    qh_arena_rewind(&arena, mark);
    CHECK_EQ(owner.live_bytes, live_bytes);
    CHECK_EQ(arena.used_bytes, 112);
    CHECK(arena.peak_bytes > 100000);
    CHECK(take_block(64) == after && qh_arena_validate(&arena));
    close_arena();
}

static void refusals_change_nothing(void) {
    open_arena(256, false);
    take_block(200);
    qh_arena before = arena;
    void *block = &before;
    CHECK_RESULT(qh_arena_alloc(&arena, SIZE_MAX, &block), QH_OVERFLOW);
    CHECK_RESULT(qh_arena_alloc(&arena, SIZE_MAX - 20, &block), QH_OVERFLOW);
    owner.quota_bytes = owner.live_bytes + 1000;
    CHECK_RESULT(qh_arena_alloc(&arena, 5000, &block), QH_QUOTA_EXCEEDED);
    owner.quota_bytes = SIZE_MAX / 2;
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_arena_alloc(&arena, 5000, &block), QH_GROWTH_FAILED);
    CHECK(block == &before && memcmp(&before, &arena, sizeof arena) == 0);
    CHECK_OK(qh_arena_alloc(&arena, 48, &block)); /* needs no chunk */
    memory.heap.fail_after = 0;
    close_arena();
}

static void chunks_are_recorded(void) {
    open_arena(256, true);
    take_block(200);
    take_block(2000);
    CHECK_EQ(memory.records.count, 2);
    const qh_record *record = qh_records_find(&memory.records, arena.chunk);
    CHECK(record && record->owner == owner.id && record->kind == QH_BLOCK_buffer);
    qh_arena_clear(&arena);
    CHECK_EQ(memory.records.count, 0);
    close_arena();
}

/* ---------------------------------------------------------------- a model */

#define BLOCKS 400u
#define MARKS 20u

static struct {
    unsigned char *at;
    uint32_t byte_count;
    unsigned char fill;
} blocks[BLOCKS];

static struct {
    qh_arena_mark mark;
    uint32_t blocks;
    size_t live_bytes;
} marks[MARKS];

static void check_contents(uint32_t from, uint32_t count) {
    for (uint32_t i = from; i < count; i++)
        for (uint32_t k = 0; k < blocks[i].byte_count; k++)
            if (blocks[i].at[k] != blocks[i].fill) {
                TEST_FAIL("a block was overwritten");
                return;
            }
}

static void a_stack_of_marks_behaves_as_the_model(void) {
    qh_random random = test_random();
    open_arena(700, false);
    uint32_t count = 0, depth = 0;
    for (uint32_t round = 0; round < TEST_SHARE(30000u); round++) {
        uint32_t draw = qh__random_below(&random, 100);
        if (draw < 85 && count < BLOCKS) {
            uint32_t bytes = 1 + qh__random_below(&random, draw < 80 ? 300 : 6000);
            blocks[count].at = take_block(bytes);
            blocks[count].byte_count = bytes;
            blocks[count].fill = (unsigned char)round;
            memset(blocks[count++].at, (int)(round & 255), bytes);
        } else if (draw < 92 && depth < MARKS) {
            marks[depth].mark = qh_arena_mark_now(&arena);
            marks[depth].live_bytes = owner.live_bytes;
            marks[depth++].blocks = count;
        } else if (depth > 0) {
            depth = qh__random_below(&random, depth); /* also over several at once */
            qh_arena_rewind(&arena, marks[depth].mark);
            count = marks[depth].blocks;
            CHECK_EQ(owner.live_bytes, marks[depth].live_bytes);
        } else {
            qh_arena_clear(&arena);
            count = 0;
        }
        if (round % 16 == 0) {
            size_t used = 0;
            for (uint32_t i = 0; i < count; i++) used += (blocks[i].byte_count + 15u) & ~15u;
            CHECK_EQ(arena.used_bytes, used);
            check_contents(0, count);
            CHECK(qh_arena_validate(&arena) && qh_heap_validate(&memory.heap));
        }
    }
    close_arena();
}

TEST_SUITE(memory_arena, {"an empty arena takes nothing", an_empty_arena_takes_nothing},
           {"blocks lie side by side", blocks_lie_side_by_side},
           {"what does not fit begins a chunk", what_does_not_fit_begins_a_chunk},
           {"chunks are few", chunks_are_few},
           {"a rewind gives back what came after the mark",
            a_rewind_gives_back_what_came_after_the_mark},
           {"refusals change nothing", refusals_change_nothing},
           {"chunks are recorded", chunks_are_recorded},
           {"a stack of marks behaves as the model", a_stack_of_marks_behaves_as_the_model});
