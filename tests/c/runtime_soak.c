/* A soak: agents of every kind are born, learn, travel as bytes and die in any order, among blocks of owners with quotas, arenas and
 * batches, while a model that knows nothing of the heap keeps its own books: which block is whose, what is in it, what each owner
 * may still take. What the agents do is folded into one hash: it is the same in every build and engine.
 *
 * `npm run soak:memory` runs it for 10^9 operations; here a bounded run is held against the hash below. */
#include "cast.h"

#include "learn/transfer.h"

#define OPERATIONS 120000u
#define TRACE_HASH                                                                                 \
    0xb58b0d2861f34d21u /* of that many operations with seed 1; changes with what agents learn */

#define AGENTS 40u
#define BLOCKS 300u
#define OWNERS 5u
#define CHECK_EVERY 8192u

static struct soak_agent {
    qh_agent *agent;
    qh_handle handle;
    cast_world world;
} crowd[AGENTS];

static struct soak_block {
    unsigned char *at;
    size_t byte_count;
    uint32_t owner;
    unsigned char fill;
} blocks[BLOCKS];

static struct soak_owner {
    qh_owner owner;
    size_t live_bytes, quota_bytes;
    uint32_t live_blocks;
} owners[OWNERS];

static qh_runtime *runtime;
static qh_random random;
static qh_batch *batch;
static uint64_t trace;

static uint32_t draw(uint32_t below) {
    return qh__random_below(&random, below);
}

static void fold(uint64_t word) {
    trace = qh__hash_step(trace, word);
}

static void fold_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fold(bits);
}

/* ---------------------------------------------------------------- agents */

static void be_born(struct soak_agent *one) {
    qh_agent_def def;
    CHECK(cast_member(draw(CAST_SIZE), &def));
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &one->handle));
    one->agent = qh_runtime_agent(runtime, one->handle);
    one->world.random = qh__random_seeded(one->handle, draw(1000));
    fold(one->handle);
}

static void take_step(struct soak_agent *one) {
    int32_t action;
    if (!one->agent->running) {
        qh_observation first = cast_observe(&one->world);
        CHECK_OK(qh_agent_begin(one->agent, first, &action));
    }
    qh_experience experience = cast_experience(&one->world);
    CHECK_OK(qh_agent_step(one->agent, &experience, &action));
    fold((uint64_t)(uint32_t)action);
}

static void learn_once(struct soak_agent *one) {
    cast_world elsewhere = one->world;
    qh_observation from = cast_observe(&elsewhere);
    qh_experience experience = cast_experience(&one->world);
    double td_error;
    CHECK_OK(qh_agent_learn(one->agent, from, draw(one->agent->actions), &experience, QH_NO_ACTION,
                            &td_error));
    fold_double(td_error);
}

/* Its table leaves through a block of the runtime, and comes back; a model (planning) does not travel. */
static void travel(struct soak_agent *one) {
    qh_heap *heap = &runtime->memory.heap;
    uint64_t hash = qh_agent_hash(one->agent);
    size_t byte_count;
    void *bytes;
    CHECK_OK(qh_agent_export_size(one->agent, &byte_count));
    CHECK_OK(
        qh_heap_alloc(heap, &runtime->memory.runtime_owner, byte_count, QH_BLOCK_buffer, &bytes));
    qh_agent_export(one->agent, bytes);
    CHECK_OK(qh_agent_import(one->agent, bytes, byte_count));
    qh_heap_free(heap, &runtime->memory.runtime_owner, bytes, byte_count);
    if (one->agent->planning == 0) CHECK_EQ(qh_agent_hash(one->agent), hash);
    fold(hash);
}

static void die(struct soak_agent *one) {
    fold(qh_agent_hash(one->agent));
    CHECK_OK(qh_runtime_destroy_agent(runtime, one->handle));
    CHECK(qh_runtime_agent(runtime, one->handle) == NULL);
    one->agent = NULL;
}

static void let_one_act(void) {
    struct soak_agent *one = &crowd[draw(AGENTS)];
    uint32_t dice = draw(1000);
    if (!one->agent) {
        be_born(one);
    } else if (dice < 780) {
        take_step(one);
    } else if (dice < 900) {
        learn_once(one);
    } else if (dice < 950) {
        double mean;
        CHECK_OK(qh_agent_replay(one->agent, 3, &mean));
        fold_double(mean);
    } else if (dice < 970) {
        CHECK_OK(qh_agent_reset(one->agent));
    } else if (dice < 982) {
        travel(one);
    } else {
        die(one);
    }
}

/* A batch of those alive, for one round. */
static void step_together(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < AGENTS; i++) count += crowd[i].agent != NULL;
    if (count == 0) return;
    CHECK_OK(qh_batch_create(runtime, count, &batch));
    for (uint32_t i = 0, row = 0; i < AGENTS; i++) {
        if (!crowd[i].agent) continue;
        qh_observation seen = cast_observe(&crowd[i].world);
        float *at = batch->observations + (size_t)row * QH_BATCH_STRIDE;
        for (uint32_t d = 0; d < CAST_DIMS; d++) at[d] = seen.values[d];
        if (crowd[i].agent->encoder.plan->kind == QH_ENCODER_INDEX) at[0] = (float)seen.state;
        batch->handles[row++] = crowd[i].handle;
    }
    CHECK_OK(qh_batch_seal(runtime, batch));
    CHECK_OK(qh_batch_begin(runtime, batch));
    for (uint32_t row = 0; row < count; row++) fold((uint64_t)(uint32_t)batch->actions[row]);
    qh_batch_destroy(runtime, batch);
}

/* ---------------------------------------------------------------- blocks */

static bool is_filled(const struct soak_block *block) {
    for (size_t i = 0; i < block->byte_count; i += 1 + block->byte_count / 64)
        if (block->at[i] != block->fill) return false;
    return block->at[block->byte_count - 1] == block->fill;
}

static void give_block_back(struct soak_block *block) {
    struct soak_owner *one = &owners[block->owner];
    CHECK(is_filled(block));
    qh_heap_free(&runtime->memory.heap, &one->owner, block->at, block->byte_count);
    one->live_bytes -= qh_heap_charge(block->byte_count);
    one->live_blocks--;
    block->at = NULL;
}

/* Sizes are log-uniform up to 64 KiB, most of them small. */
static void take_block(struct soak_block *block, uint32_t owner, size_t byte_count, bool zeroed) {
    struct soak_owner *one = &owners[owner];
    bool fits = qh_heap_charge(byte_count) <= one->quota_bytes - one->live_bytes;
    void *at = NULL;
    qh_result result = zeroed ? qh_heap_alloc_zeroed(&runtime->memory.heap, &one->owner, byte_count,
                                                     QH_BLOCK_buffer, &at)
                              : qh_heap_alloc(&runtime->memory.heap, &one->owner, byte_count,
                                              QH_BLOCK_buffer, &at);
    CHECK_RESULT(result, fits ? QH_OK : QH_QUOTA_EXCEEDED);
    if (result != QH_OK) return;
    CHECK_EQ((uintptr_t)at % QH_HEAP_ALIGNMENT, 0);
    block->at = at;
    block->byte_count = byte_count;
    block->owner = owner;
    if (zeroed) {
        block->fill = 0;
        CHECK(is_filled(block));
    }
    block->fill = (unsigned char)(1 + byte_count % 255);
    memset(at, block->fill, byte_count);
    one->live_bytes += qh_heap_charge(byte_count);
    one->live_blocks++;
}

static void resize_block(struct soak_block *block, size_t byte_count) {
    struct soak_owner *one = &owners[block->owner];
    size_t before = block->byte_count;
    void *at = block->at;
    qh_result result = qh_heap_resize(&runtime->memory.heap, &one->owner, &at, before, byte_count,
                                      QH_BLOCK_buffer);
    CHECK(result == QH_OK || result == QH_QUOTA_EXCEEDED);
    if (result != QH_OK) return;
    block->at = at;
    block->byte_count = QH_MIN(before, byte_count);
    CHECK(is_filled(block));
    block->byte_count = byte_count;
    memset(at, block->fill, byte_count);
    one->live_bytes += qh_heap_charge(byte_count) - qh_heap_charge(before);
}

/* Every number is drawn before anything is decided by the heap, so that all heaps see one sequence. */
static void move_a_block(void) {
    struct soak_block *block = &blocks[draw(BLOCKS)];
    uint32_t owner = draw(OWNERS), log = draw(100) < 90 ? 4 + draw(7) : 10 + draw(6);
    size_t byte_count = ((size_t)1 << log) + draw(1u << log);
    uint32_t dice = draw(10);
    if (!block->at)
        take_block(block, owner, byte_count, dice == 0);
    else if (dice == 1)
        resize_block(block, byte_count);
    else
        give_block_back(block);
}

static void use_an_arena(void) {
    qh_arena arena;
    void *first, *second;
    size_t small = 1 + draw(400), large = 1 + draw(20000);
    qh_arena_open(&arena, &runtime->memory.heap, &runtime->memory.runtime_owner, 512,
                  QH_BLOCK_buffer);
    CHECK_OK(qh_arena_alloc(&arena, small, &first));
    memset(first, 0x5A, small);
    qh_arena_mark mark = qh_arena_mark_now(&arena);
    CHECK_OK(qh_arena_alloc(&arena, large, &second));
    memset(second, 0xA5, large);
    CHECK(((unsigned char *)first)[small - 1] == 0x5A && qh_arena_validate(&arena));
    qh_arena_rewind(&arena, mark);
    qh_arena_clear(&arena);
}

/* ---------------------------------------------------------------- the whole */

static void check_books(void) {
    const qh_memory *memory = &runtime->memory;
    size_t bytes = memory->runtime_owner.live_bytes + memory->records_owner.live_bytes +
                   runtime->plans.owner.live_bytes;
    uint32_t alive = 0;
    for (uint32_t i = 0; i < OWNERS; i++) {
        CHECK_EQ(owners[i].owner.live_bytes, owners[i].live_bytes);
        CHECK_EQ(owners[i].owner.live_blocks, owners[i].live_blocks);
        CHECK(owners[i].live_bytes <= owners[i].quota_bytes);
        bytes += owners[i].live_bytes;
    }
    for (uint32_t i = 0; i < AGENTS; i++) {
        if (!crowd[i].agent) continue;
        CHECK(crowd[i].agent->owner.live_bytes <= crowd[i].agent->owner.quota_bytes);
        bytes += crowd[i].agent->owner.live_bytes;
        alive++;
    }
    for (uint32_t p = 0; p < QH_POOL_COUNT;
         p++) /* paid for twice: by the runtime, and by who has it */
        bytes -= (size_t)qh_pool_in_use(&memory->pools[p]) * memory->pools[p].block_bytes;
    CHECK_EQ(memory->heap.live_bytes, bytes);
    CHECK_EQ(runtime->agent_count, alive);
    CHECK(qh_runtime_validate(runtime));
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (blocks[i].at) CHECK(is_filled(&blocks[i]));
}

static void open_soak(void) {
    static const size_t quotas[OWNERS] = {0, 4096, 100000, 1000000, SIZE_MAX / 2};
    runtime = test_runtime_open(11, false);
    for (uint32_t i = 0; i < AGENTS; i++) crowd[i].agent = NULL;
    for (uint32_t i = 0; i < BLOCKS; i++) blocks[i].at = NULL;
    for (uint32_t i = 0; i < OWNERS && runtime; i++) {
        owners[i] = (struct soak_owner){.quota_bytes = quotas[i]};
        qh_owner_open(&runtime->memory.heap, &owners[i].owner, 0, QH_OWNER_metrics, quotas[i]);
    }
    trace = 0;
}

static void close_soak(void) {
    for (uint32_t i = 0; i < AGENTS; i++)
        if (crowd[i].agent) die(&crowd[i]);
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (blocks[i].at) give_block_back(&blocks[i]);
    check_books();
    for (uint32_t i = 0; i < OWNERS; i++) {
        CHECK_EQ(owners[i].owner.live_bytes, 0);
        qh_owner_close(&runtime->memory.heap, &owners[i].owner);
    }
    CHECK_EQ(runtime->memory.shared.count, 0);
    qh_runtime_close(runtime);
}

static void any_order_of_lives_keeps_the_books(void) {
    uint64_t operations = test_rounds(OPERATIONS), tenth = operations / 10;
    random = test_random();
    open_soak();
    REQUIRE(runtime);
    uint32_t pages = 0;
    for (uint64_t i = 0; i < operations && test_failures() == 0; i++) {
        uint32_t dice = draw(1000);
        if (dice < 500)
            let_one_act();
        else if (dice < 997)
            move_a_block();
        else if (dice < 999)
            use_an_arena();
        else
            step_together();
        if (i % CHECK_EVERY == 0) check_books();
        if (i == tenth) pages = runtime->memory.budget.pages;
        if (operations > OPERATIONS && i % tenth == tenth - 1)
            test_note_integer("operations", (int64_t)(i + 1));
    }
    check_books();
    uint32_t grown = runtime->memory.budget.pages - pages;
    if (operations > OPERATIONS) {
        test_note_integer("pages after a tenth", pages);
        test_note_integer("pages since then", grown);
        CHECK(grown <= pages / 50 + 16);
    }
    close_soak();
    test_note_hash("trace", trace);
    if (operations == OPERATIONS && test_seed() == 1) CHECK_EQ(trace, (uint64_t)TRACE_HASH);
}

/* ---------------------------------------------------------------- lives that come and go */

/* The same thing done again takes the same memory again. */
static void cycles_of_lives_do_not_drift(void) {
    uint64_t cycles = test_rounds(4000);
    runtime = test_runtime_open(12, false);
    REQUIRE(runtime);
    size_t live_bytes = 0;
    uint32_t pages = 0;
    for (uint64_t i = 0; i < cycles && test_failures() == 0; i++) {
        struct soak_agent *one = &crowd[0];
        qh_agent_def def;
        CHECK(cast_member((uint32_t)(i % CAST_SIZE), &def));
        REQUIRE_OK(qh_runtime_create_agent(runtime, &def, &one->handle));
        one->agent = qh_runtime_agent(runtime, one->handle);
        one->world.random = qh__random_seeded(4, i % CAST_SIZE);
        for (uint32_t step = 0; step < 12; step++) take_step(one);
        die(one);
        if (i == 2 * CAST_SIZE) {
            live_bytes = runtime->memory.heap.live_bytes;
            pages = runtime->memory.budget.pages;
        }
        if (i > 2 * CAST_SIZE) CHECK_EQ(runtime->memory.heap.live_bytes, live_bytes);
    }
    CHECK_EQ(runtime->memory.budget.pages, pages);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* With no page to spare but `spare`: agents are made until there is no room, and freed; every time as many, from as much. */
static void exhaustion_and_back_does_not_drift(void) {
    for (uint32_t spare = 0; spare <= 3; spare++) {
        size_t start = (size_t)test_pages() * QH_PAGE_BYTES;
        qh_runtime_def def = {.max_pages = test_pages() + 1 + spare, .seed = 3, .pools = {4, 4, 0}};
        REQUIRE_OK(qh_runtime_open(&def, start, &runtime));
        static qh_handle handles[4000];
        uint32_t first_crowd = 0;
        size_t live_bytes = 0;
        for (uint32_t round = 0; round < 12; round++) {
            uint32_t made = 0;
            qh_result result = QH_OK;
            while (result == QH_OK && made < COUNT_OF(handles)) {
                qh_agent_def agent_def;
                CHECK(cast_member(made % CAST_SIZE, &agent_def));
                result = qh_runtime_create_agent(runtime, &agent_def, &handles[made]);
                if (result != QH_OK) break;
                struct soak_agent *one = &crowd[0];
                one->agent = qh_runtime_agent(runtime, handles[made++]);
                one->world.random = qh__random_seeded(5, made);
                qh_observation from = cast_observe(&one->world);
                qh_experience experience = cast_experience(&one->world);
                double td_error;
                result = qh_agent_learn(one->agent, from, 0, &experience, QH_NO_ACTION, &td_error);
            }
            CHECK_RESULT(result, QH_EXCEEDS_LIMIT);
            CHECK(runtime->memory.budget.pages <= def.max_pages && qh_runtime_validate(runtime));
            for (uint32_t i = 0; i < made; i += 2)
                CHECK_OK(qh_runtime_destroy_agent(runtime, handles[i]));
            for (uint32_t i = 1; i < made; i += 2)
                CHECK_OK(qh_runtime_destroy_agent(runtime, handles[i]));
            CHECK_EQ(runtime->agent_count, 0);
            CHECK(qh_runtime_validate(runtime));
            if (round == 1) {
                first_crowd = made;
                live_bytes = runtime->memory.heap.live_bytes;
            }
            if (round > 1) {
                CHECK(made + made / 8 + 2 >= first_crowd);
                CHECK_EQ(runtime->memory.heap.live_bytes, live_bytes);
            }
        }
        test_note_integer("agents in the least memory", first_crowd);
        qh_runtime_close(runtime);
    }
}

TEST_SUITE(runtime_soak, {"any order of lives keeps the books", any_order_of_lives_keeps_the_books},
           {"cycles of lives do not drift", cycles_of_lives_do_not_drift},
           {"exhaustion and back does not drift", exhaustion_and_back_does_not_drift});
