/* The insides of the heap (not of the small build's): charges, cache, holes, nests, alignment, validators, and a trace that is the same in
 * every build. */
#include "heap_fixture.h"

#if !defined(QH_SMALL)

/* ---------------------------------------------------------------- charges */

static void a_block_is_charged_to_the_next_sixteen(void) {
    for (size_t bytes = 1; bytes <= 20000; bytes++)
        CHECK_EQ(qh_heap_charge(bytes), (bytes + 15) / 16 * 16);
    for (size_t bytes = 16; bytes <= 0x40000000; bytes *= 2) CHECK_EQ(qh_heap_charge(bytes), bytes);
    CHECK(qh_heap_charge(SIZE_MAX) >= SIZE_MAX / 2);
}

/* ---------------------------------------------------------------- the validator detects */

static void broken_books_are_detected(void) {
    qh_heap *heap = open_heap(false);
    void *blocks[8];
    be_ordinary(heap, &owners[0]);
    for (int i = 0; i < 8; i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 4000, QH_BLOCK_table, &blocks[i]));
    for (int i = 1; i < 6; i += 2) qh_heap_free(heap, &owners[0], blocks[i], 4000);
    REQUIRE(qh_heap_validate(heap));
    test_expose(&memory);
    uint32_t *hole = blocks[1], *other = blocks[3], was, *tail = hole + 4 * hole[0] - 1;
    CHECK_DETECTED(heap->live_bytes += 16, heap->live_bytes -= 16);
    CHECK_DETECTED(heap->used += 1, heap->used -= 1);
    CHECK_DETECTED(heap->top += 1, heap->top -= 1);
    CHECK_DETECTED(heap->row_bits ^= 1u << 5, heap->row_bits ^= 1u << 5);
    CHECK_DETECTED(heap->column_bits[0] ^= 2, heap->column_bits[0] ^= 2);
    CHECK_DETECTED(hole[0] += 1, hole[0] -= 1);
    CHECK_DETECTED(*tail += 1, *tail -= 1);
    CHECK_DETECTED((was = hole[1], hole[1] = hole[2]), hole[1] = was);
    CHECK_DETECTED((was = other[2], other[2] = 0), other[2] = was);
    CHECK_DETECTED((was = other[1], other[1] = UINT32_MAX), other[1] = was);
    uint32_t granule = (uint32_t)(qh__offset_of(&memory.budget, blocks[2]) / 16);
    uint32_t *map = qh__at(&memory.budget, (size_t)heap->maps[(granule - heap->origin) >> 17] * 16);
    CHECK_DETECTED(map[granule / 32] ^= 1u << granule % 32,
                   map[granule / 32] ^= 1u << granule % 32);
    CHECK_DETECTED(map[(granule + 7) / 32] ^= 1u << (granule + 7) % 32,
                   map[(granule + 7) / 32] ^= 1u << (granule + 7) % 32);
    test_memory_close(&memory);
}

static void a_broken_cache_is_detected(void) {
    qh_heap *heap = open_heap(false);
    void *a, *b;
    test_without_red_zones(&memory);
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 640, QH_BLOCK_table, &a));
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 640, QH_BLOCK_table, &b));
    qh_heap_free(heap, &owners[0], a, 640);
    qh_heap_free(heap, &owners[0], b, 640);
    uint64_t *entry = &heap->ring[heap->bins[40]], was = *entry;
    REQUIRE(qh_heap_validate(heap) && (was & 0xFFFF) == 40);
    CHECK_DETECTED(*entry = 0, *entry = was);
    CHECK_DETECTED(*entry -= 1, *entry = was);
    CHECK_DETECTED(*entry += (uint64_t)1 << 32, *entry = was);
    CHECK_DETECTED(*entry += (uint64_t)1 << 63, *entry = was);
    CHECK_DETECTED(*entry |= 0xFFFF, *entry = was);
    uint16_t bin = heap->bins[40];
    CHECK_DETECTED(heap->bins[40] = 0, heap->bins[40] = bin);
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- what becomes of freed memory */

/* Neighbours become one block again, whatever the order in which they are freed. */
static void free_neighbours_merge(void) {
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    qh_heap *heap = open_heap(false);
    be_ordinary(heap, &owners[0]);
    for (uint32_t i = 0; i < 6; i++) {
        void *parts[3], *guard, *whole;
        for (int k = 0; k < 3; k++)
            REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 4096, QH_BLOCK_table, &parts[k]));
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 3000, QH_BLOCK_table, &guard));
        for (int k = 0; k < 3; k++) qh_heap_free(heap, &owners[0], parts[orders[i][k]], 4096);
        CHECK(qh_heap_validate(heap));
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 3 * 4096, QH_BLOCK_table, &whole));
        CHECK(whole == parts[0]);
        qh_heap_free(heap, &owners[0], whole, 3 * 4096);
        qh_heap_free(heap, &owners[0], guard, 3000);
    }
    test_memory_close(&memory);
}

/* What is freed at the end lowers it; what the cache keeps is bounded, and goes as other blocks come. */
static void memory_comes_back(void) {
    qh_heap *heap = open_heap(false);
    static void *blocks[2000];
    be_ordinary(heap, &owners[0]);
    for (int round = 0; round < 3; round++) {
        size_t size = round == 0 ? 100 : round == 1 ? 1000 : 3000;
        for (int i = 0; i < 2000; i++)
            REQUIRE_OK(qh_heap_alloc(heap, &owners[0], size, QH_BLOCK_table, &blocks[i]));
        for (int i = 0; i < 2000; i++) qh_heap_free(heap, &owners[0], blocks[i], size);
        CHECK((size_t)heap->used * 16 <= 2048 * 5);
        CHECK(qh_heap_validate(heap));
    }
    size_t end = qh_heap_end(heap);
    void *all;
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 2000 * 900, QH_BLOCK_table, &all));
    CHECK_EQ(qh_heap_end(heap), end);
    qh_heap_free(heap, &owners[0], all, 2000 * 900);
    test_memory_close(&memory);
}

/* No single call gives back more than a few blocks: by what is in use before and after. */
static void no_free_flushes_the_cache(void) {
    qh_heap *heap = open_heap(false);
    static void *blocks[3000];
    be_ordinary(heap, &owners[0]);
    for (uint32_t i = 0; i < 3000; i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 2048, QH_BLOCK_table, &blocks[i]));
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t before = heap->used;
        qh_heap_free(heap, &owners[0], blocks[i], 2048);
        CHECK(heap->used + 5 * 128 >= before);
    }
    test_memory_close(&memory);
}

static void aligned_blocks_are_aligned(void) {
    qh_heap *heap = open_heap(true);
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        void *blocks[5];
        for (size_t i = 0; i < 5; i++) {
            qh_owner *owner = &owners[i % 2];
            if (i % 2) be_ordinary(heap, owner);
            REQUIRE_OK(qh_heap_alloc_aligned(heap, owner, 100 + i * 1000, alignment, QH_BLOCK_table,
                                             &blocks[i]));
            CHECK_EQ(((uintptr_t)blocks[i] - memory.budget.base) % alignment, 0);
            memset(blocks[i], 0xEE, 100 + i * 1000);
            CHECK(qh_records_find(heap->records, blocks[i]) != NULL);
        }
        CHECK(qh_heap_validate(heap));
        for (size_t i = 0; i < 5; i++)
            qh_heap_free(heap, &owners[i % 2], blocks[i], 100 + i * 1000);
    }
    CHECK_EQ(heap->live_bytes, memory.records_owner.live_bytes);
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- building and release */

static void build_agent(qh_heap *heap, qh_owner *owner, uint32_t salt) {
    for (uint32_t i = 0; i < 40; i++) {
        void *block;
        size_t bytes = i == 9 ? 20000 + 100 * salt : 16 + (i * 37 + salt) % 1009;
        CHECK_OK(qh_heap_alloc(heap, owner, bytes, QH_BLOCK_table, &block));
        memset(block, (int)salt, bytes);
    }
}

static void a_builder_is_released_at_once(void) {
    qh_heap *heap = open_heap(false);
    size_t end = 0;
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t o = 0; o < 4; o++) build_agent(heap, &owners[o], round % 7 + o);
        CHECK_EQ(heap->live_blocks, 160);
        CHECK(qh_heap_validate(heap));
        for (uint32_t o = 0; o < 4; o++) {
            CHECK(qh_owner_release_all(heap, &owners[(o + round) % 4]));
            CHECK(qh_heap_validate(heap));
        }
        CHECK_EQ(heap->books, 0);
        CHECK_EQ(heap->used, 0);
        if (round == 0) end = qh_heap_end(heap);
        CHECK_EQ(qh_heap_end(heap), end);
    }
    for (uint32_t o = 0; o < 4; o++) qh_owner_close(heap, &owners[o]);
    test_memory_close(&memory);
}

/* Who leaves frees as ever, blocks of pools and records too; what it had comes back whole when it is closed. */
/* A nest filled to its last granule, and right behind it a block by itself: one extent, of which all must come back. */
static void a_full_nest_and_what_lies_behind_it_come_back(void) {
    for (uint32_t way = 0; way < 3; way++) {
        qh_heap *heap = open_heap(false);
        void *block;
        CHECK_OK(qh_heap_alloc(heap, &owners[0], 16, QH_BLOCK_table, &block));
        REQUIRE(heap->nest == owners[0].nest);
        while (heap->nest_at < heap->nest_end)
            CHECK_OK(qh_heap_alloc(heap, &owners[0], 16, QH_BLOCK_table, &block));
        uint32_t end = heap->nest_end;
        if (way == 1)
            CHECK_OK(qh_heap_alloc_aligned(heap, &owners[0], 8192, 16, QH_BLOCK_table, &block));
        else
            CHECK_OK(qh_heap_alloc(heap, &owners[0], 8192, QH_BLOCK_table, &block));
        CHECK_EQ(qh__offset_of(&memory.budget, block) / 16, end);
        CHECK_EQ(owners[0].extent_count, 1);
        if (way == 2) CHECK_OK(qh_heap_alloc(heap, &owners[0], 16, QH_BLOCK_table, &block));
        CHECK(qh_heap_validate(heap));
        CHECK(qh_owner_release_all(heap, &owners[0]));
        CHECK_EQ(heap->books, 0);
        CHECK_EQ(heap->used, 0);
        CHECK(qh_heap_validate(heap));
        test_memory_close(&memory);
    }
}

static void who_leaves_gives_everything_back_at_the_end(void) {
    for (uint32_t track = 0; track < 2; track++) {
        qh_heap *heap = open_heap(track != 0);
        qh_pool pool;
        void *blocks[40], *pooled;
        REQUIRE_OK(qh_pool_open(&pool, heap, &memory.runtime_owner, 256, 4, QH_BLOCK_state));
        REQUIRE_OK(qh_pool_acquire(&pool, &owners[0], &pooled));
        uint64_t books = heap->books;
        uint32_t used = heap->used + heap->nest_at - heap->nest_begin;
        for (size_t i = 0; i < COUNT_OF(blocks); i++)
            REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 50 * i + 1, QH_BLOCK_table, &blocks[i]));
        qh_owner_leave(&owners[0]);
        CHECK_OK(qh_pool_release(&pool, &owners[0], pooled));
        for (size_t i = COUNT_OF(blocks); i-- > 0;) {
            qh_heap_free(heap, &owners[0], blocks[i], 50 * i + 1);
            if (track) CHECK(qh_records_find(heap->records, blocks[i]) == NULL);
        }
        CHECK_EQ(owners[0].books, 0);
        qh_owner_close(heap, &owners[0]);
        if (!track) CHECK(heap->books == books && heap->used == used); /* none is cached */
        CHECK(qh_heap_validate(heap));
        test_memory_close(&memory);
    }
}

static void who_cannot_be_released_at_once_keeps_everything(void) {
    qh_heap *heap = open_heap(false);
    void *block, *freed;
    build_agent(heap, &owners[0], 1);
    REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 32, QH_BLOCK_table, &freed));
    qh_heap_free(heap, &owners[0], freed, 32);
    uint64_t books = owners[0].books;
    CHECK(!qh_owner_release_all(heap, &owners[0]));
    CHECK_EQ(owners[0].books, books);
    build_agent(heap, &owners[1], 2);
    qh_owner_charge(&owners[1], 256);
    CHECK(!qh_owner_release_all(heap, &owners[1]));
    qh_owner_discharge(&owners[1], 256);
    CHECK(qh_owner_release_all(heap, &owners[1]));
    REQUIRE_OK(qh_heap_alloc(heap, &owners[2], 500, QH_BLOCK_table, &block));
    REQUIRE_OK(qh_heap_resize(heap, &owners[2], &block, 500, 400, QH_BLOCK_table));
    CHECK(!qh_owner_release_all(heap, &owners[2]));
    qh_heap_free(heap, &owners[2], block, 400);
    CHECK(qh_owner_release_all(heap, &owners[2]));
    for (uint32_t i = 0; i < 2 * QH_OWNER_EXTENTS; i++) {
        REQUIRE_OK(qh_heap_alloc(heap, &owners[3], 5000, QH_BLOCK_table, &block));
        REQUIRE_OK(qh_heap_alloc(heap, &owners[1], 5000, QH_BLOCK_table, &block));
    }
    CHECK(!qh_owner_release_all(heap, &owners[3]));
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

static void an_owner_may_be_moved_while_it_builds(void) {
    qh_heap *heap = open_heap(false);
    qh_owner first = owners[0], second;
    build_agent(heap, &first, 3);
    second = first;
    first = (qh_owner){0};
    build_agent(heap, &second, 4);
    CHECK(qh_heap_validate(heap));
    CHECK(qh_owner_release_all(heap, &second));
    CHECK_EQ(heap->books, 0);
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

/* A block that grows at the end of the heap or before a hole stays where it is. */
static void a_block_grows_in_place(void) {
    qh_heap *heap = open_heap(false);
    for (int ordinary = 0; ordinary < 2; ordinary++) {
        qh_owner *owner = &owners[ordinary];
        void *block, *before, *behind;
        if (ordinary) be_ordinary(heap, owner);
        REQUIRE_OK(qh_heap_alloc(heap, owner, 1024, QH_BLOCK_table, &block));
        before = block;
        for (size_t bytes = 1024; bytes < 1 << 18; bytes *= 2) {
            REQUIRE_OK(qh_heap_resize(heap, owner, &block, bytes, 2 * bytes, QH_BLOCK_table));
            CHECK(block == before);
            CHECK_EQ(owner->live_bytes, 2 * bytes);
            CHECK(qh_heap_validate(heap));
        }
        REQUIRE_OK(qh_heap_alloc(heap, &owners[2], 5000, QH_BLOCK_table, &behind));
        REQUIRE_OK(qh_heap_resize(heap, owner, &block, 1 << 18, 1 << 12, QH_BLOCK_table));
        CHECK(qh_heap_validate(heap));
        REQUIRE_OK(qh_heap_resize(heap, owner, &block, 1 << 12, 1 << 17, QH_BLOCK_table));
        CHECK(block == before && qh_heap_validate(heap));
        qh_heap_free(heap, owner, block, 1 << 17);
        qh_heap_free(heap, &owners[2], behind, 5000);
        CHECK_EQ(heap->books, 0);
    }
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- one trace everywhere */

#define TRACE_HASH 5503031477469659504 /* of the first 150,000 operations */
#define TRACE_PAGES 96u
#define TRACE_OWNERS 24u
#define TRACE_BLOCKS 3000u

static shadow traced[TRACE_BLOCKS];
static qh_owner trace_owners[TRACE_OWNERS];
static uint64_t trace_hash;

/* From a page on, and with all pages there from the start, so that neither can make a difference. */
static qh_heap *open_traced_heap(void) {
    qh_budget *budget = &memory.budget;
    size_t start = (size_t)test_pages() * QH_PAGE_BYTES;
    memory = (qh_memory){0};
    CHECK_OK(qh_budget_open(budget, test_pages() + TRACE_PAGES));
    CHECK_OK(qh_budget_grow(budget, TRACE_PAGES));
    CHECK_OK(qh_memory_open(&memory, 0, start, TEST_NO_POOLS, false));
    test_without_red_zones(&memory);
    for (uint32_t i = 0; i < TRACE_OWNERS; i++)
        qh_owner_open(&memory.heap, &trace_owners[i], i, QH_OWNER_agent,
                      i % 5 == 4 ? 100000 * (size_t)i : SIZE_MAX / 2);
    for (uint32_t i = 0; i < TRACE_BLOCKS; i++) traced[i] = (shadow){0};
    trace_hash = 0;
    return &memory.heap;
}

static void trace(const void *block, uint64_t word) {
    size_t offset = block ? qh__offset_of(&memory.budget, block) - memory.heap.start : 0;
    trace_hash = qh__hash_step(trace_hash, offset << 8 ^ word);
}

static void trace_alloc(qh_heap *heap, qh_random *random, shadow *s) {
    *s = (shadow){.byte_count = draw_size(random), .owner = qh__random_below(random, TRACE_OWNERS)};
    s->salt = qh__random_below(random, 200);
    void *block = NULL;
    uint32_t kind = qh__random_below(random, 16);
    size_t alignment = (size_t)16 << qh__random_below(random, 8);
    qh_owner *owner = &trace_owners[s->owner];
    trace(NULL, (uint64_t)(kind == 0 ? qh_heap_alloc_aligned(heap, owner, s->byte_count, alignment,
                                                             QH_BLOCK_table, &block)
                                     : qh_heap_alloc(heap, owner, s->byte_count, QH_BLOCK_table,
                                                     &block)));
    trace(block, 0);
    s->block = block;
    if (block) paint(s);
}

static void trace_free(qh_heap *heap, shadow *s) {
    CHECK(is_painted(s));
    qh_heap_free(heap, &trace_owners[s->owner], s->block, s->byte_count);
    s->block = NULL;
}

static void trace_resize(qh_heap *heap, qh_random *random, shadow *s) {
    size_t count = draw_size(random), edge = QH_MIN(QH_MIN(count, s->byte_count), (size_t)96);
    void *block = s->block;
    fill(s->block, edge, s->salt);
    qh_result result =
        qh_heap_resize(heap, &trace_owners[s->owner], &block, s->byte_count, count, QH_BLOCK_table);
    trace(block, (uint64_t)result);
    if (result == QH_OK) {
        CHECK(is_filled(block, edge, s->salt));
        s->block = block;
        s->byte_count = count;
    } else {
        CHECK(block == s->block);
    }
    paint(s);
}

/* All blocks of an owner go: at once where it can, one by one where not. */
static void trace_release(qh_heap *heap, uint32_t o) {
    for (uint32_t i = 0; i < TRACE_BLOCKS; i++)
        if (traced[i].block && traced[i].owner == o) CHECK(is_painted(&traced[i]));
    bool released = qh_owner_release_all(heap, &trace_owners[o]);
    trace(NULL, released);
    for (uint32_t i = 0; i < TRACE_BLOCKS; i++) {
        if (!traced[i].block || traced[i].owner != o) continue;
        if (released)
            traced[i].block = NULL;
        else
            trace_free(heap, &traced[i]);
    }
    CHECK_EQ(trace_owners[o].books, 0);
    size_t quota = trace_owners[o].quota_bytes;
    qh_owner_close(heap, &trace_owners[o]);
    qh_owner_open(heap, &trace_owners[o], o, QH_OWNER_agent, quota);
}

static void check_trace(const qh_heap *heap) {
    size_t held[TRACE_OWNERS] = {0}, total = 0;
    for (uint32_t i = 0; i < TRACE_BLOCKS; i++)
        if (traced[i].block) held[traced[i].owner] += qh_heap_charge(traced[i].byte_count);
    for (uint32_t o = 0; o < TRACE_OWNERS; o++) {
        CHECK_EQ(trace_owners[o].live_bytes, held[o]);
        CHECK(held[o] <= trace_owners[o].quota_bytes);
        total += held[o];
    }
    CHECK_EQ(heap->live_bytes, total);
    CHECK(qh_heap_validate(heap));
}

static void the_trace_is_the_same_in_every_build(void) {
    qh_random random = qh__random_seeded(20, 26);
    qh_heap *heap = open_traced_heap();
    const uint32_t rounds = QH_ASSERT_LEVEL >= 3 ? 150000 : 1500000;
    for (uint32_t round = 1; round <= rounds; round++) {
        uint32_t reach = round / 20000 % 2 ? TRACE_BLOCKS / 4 : TRACE_BLOCKS;
        shadow *s = &traced[qh__random_below(&random, reach)];
        uint32_t what = qh__random_below(&random, 1000);
        if (what == 0)
            trace_release(heap, qh__random_below(&random, TRACE_OWNERS));
        else if (!s->block)
            trace_alloc(heap, &random, s);
        else if (what < 150)
            trace_resize(heap, &random, s);
        else
            trace_free(heap, s);
        if (round % 5000 == 0) check_trace(heap);
        if (round == 150000) {
            test_note_integer("trace hash", (int64_t)trace_hash);
            CHECK_EQ((int64_t)trace_hash, TRACE_HASH);
        }
    }
    for (uint32_t o = 0; o < TRACE_OWNERS; o++) trace_release(heap, o);
    CHECK_EQ(heap->books, 0);
    check_trace(heap);
    test_memory_close(&memory);
}

TEST_SUITE(memory_heap_layers,
           {"a block is charged to the next sixteen", a_block_is_charged_to_the_next_sixteen},
           {"broken books are detected", broken_books_are_detected},
           {"a broken cache is detected", a_broken_cache_is_detected},
           {"free neighbours merge", free_neighbours_merge},
           {"memory comes back", memory_comes_back},
           {"no free flushes the cache", no_free_flushes_the_cache},
           {"aligned blocks are aligned", aligned_blocks_are_aligned},
           {"a builder is released at once", a_builder_is_released_at_once},
           {"a full nest and what lies behind it come back",
            a_full_nest_and_what_lies_behind_it_come_back},
           {"who leaves gives everything back at the end",
            who_leaves_gives_everything_back_at_the_end},
           {"who cannot be released at once keeps everything",
            who_cannot_be_released_at_once_keeps_everything},
           {"an owner may be moved while it builds", an_owner_may_be_moved_while_it_builds},
           {"a block grows in place", a_block_grows_in_place},
           {"the trace is the same in every build", the_trace_is_the_same_in_every_build});

#endif
