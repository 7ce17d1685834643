/* Allocation records: an open-addressing table against a plain list, and what it says about leaks. */
#include "fixture.h"

static qh_memory memory;
static qh_owner owner;

static qh_heap *open_heap(bool track) {
    if (test_memory_open(&memory, TEST_NO_POOLS, track) != QH_OK) TEST_FAIL("no memory");
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
    return &memory.heap;
}

static void a_record_says_what_was_allocated(void) {
    qh_heap *heap = open_heap(true);
    void *first, *second;
    REQUIRE_OK(qh_heap_alloc(heap, &owner, 100, QH_BLOCK_table, &first));
    REQUIRE_OK(qh_heap_alloc(heap, &owner, 300, QH_BLOCK_trajectory, &second));
    const qh_record *record = qh_records_find(heap->records, second);
    REQUIRE(record != NULL);
    CHECK(record->block == second);
    CHECK_EQ(record->byte_count, qh_heap_charge(300));
    CHECK_EQ(record->owner, 0x10001);
    CHECK_EQ(record->owner_kind, QH_OWNER_agent);
    CHECK_EQ(record->kind, QH_BLOCK_trajectory);
    CHECK_EQ(record->sequence, qh_records_find(heap->records, first)->sequence + 1);
    qh_heap_free(heap, &owner, first, 100);
    CHECK(qh_records_find(heap->records, first) == NULL);
    record = qh_records_find(heap->records, second); /* it may have moved up */
    REQUIRE(record != NULL);
    CHECK_EQ(record->byte_count, qh_heap_charge(300));
    CHECK_EQ(heap->records->count, 1);
    test_memory_close(&memory);
}

static void without_tracking_nothing_is_kept(void) {
    qh_heap *heap = open_heap(false);
    void *block;
    REQUIRE_OK(qh_heap_alloc(heap, &owner, 100, QH_BLOCK_table, &block));
    CHECK_EQ(memory.records.capacity, 0);
    CHECK_EQ(memory.records_owner.live_bytes, 0);
    CHECK(qh_records_find(&memory.records, block) == NULL);
    CHECK(!qh_records_remove(&memory.records, block));
    CHECK_EQ(heap->live_bytes, 112);
    test_memory_close(&memory);
}

static void the_table_pays_for_itself_and_is_not_recorded(void) {
    qh_heap *heap = open_heap(true);
    static void *blocks[2000];
    for (uint32_t i = 0; i < COUNT_OF(blocks); i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owner, 16, QH_BLOCK_table, &blocks[i]));
    const qh_records *records = heap->records;
    CHECK_EQ(records->count, COUNT_OF(blocks));
    CHECK((records->capacity & (records->capacity - 1)) == 0);
    CHECK(records->count * 4 <= records->capacity * 3);
    CHECK_EQ(memory.records_owner.live_bytes,
             qh_heap_charge(records->capacity * sizeof(qh_record)));
    CHECK_EQ(memory.records_owner.live_blocks, 1);
    CHECK(qh_records_find(records, records->places) == NULL);
    CHECK_EQ(heap->live_bytes, owner.live_bytes + memory.records_owner.live_bytes);
    for (uint32_t i = 0; i < COUNT_OF(blocks); i++)
        CHECK(qh_records_find(records, blocks[i]) != NULL);
    CHECK(qh_heap_validate(heap));
    test_memory_close(&memory);
}

static void no_room_for_a_record_is_no_allocation(void) {
    qh_heap *heap = open_heap(true);
    void *block = NULL, *first;
    heap->fail_after = 2; /* the block itself would be served, its record not */
    CHECK_RESULT(qh_heap_alloc(heap, &owner, 64, QH_BLOCK_table, &block), QH_GROWTH_FAILED);
    CHECK(block == NULL);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(heap->live_bytes, 0);
    heap->fail_after = 0;
    REQUIRE_OK(qh_heap_alloc(heap, &owner, 64, QH_BLOCK_table, &first));
    for (uint32_t i = 1; i < 192; i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owner, 64, QH_BLOCK_table, &block));
    heap->fail_after = 2; /* record number 193 needs a larger table */
    size_t live_bytes = heap->live_bytes;
    CHECK_RESULT(qh_heap_alloc(heap, &owner, 64, QH_BLOCK_table, &block), QH_GROWTH_FAILED);
    CHECK_EQ(heap->live_bytes, live_bytes);
    CHECK_EQ(heap->records->count, 192);
    CHECK(heap->records == &memory.records && qh_heap_validate(heap));
    heap->fail_after = 0;
    CHECK_OK(qh_heap_alloc(heap, &owner, 64, QH_BLOCK_table, &block));
    CHECK(qh_records_find(heap->records, first) != NULL);
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- a model */

#define KEYS 180u

static void *keys[KEYS];
static uint32_t sequence_of[KEYS]; /* 0: not there */

/* Invented addresses whose homes lie in 24 neighbouring places, across the end of the table: long runs that wrap. */
static void choose_colliding_keys(void) {
    uint32_t count = 0;
    for (uintptr_t address = 16; count < KEYS; address += 16) {
        uint64_t home = (qh__mix64(address) + 12) & 255;
        if (home < 24) keys[count++] = (void *)address;
    }
}

static void check_against_the_list(const qh_records *records) {
    uint32_t there = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        const qh_record *record = qh_records_find(records, keys[i]);
        CHECK_EQ(record != NULL, sequence_of[i] != 0);
        if (record) CHECK_EQ(record->sequence, sequence_of[i]);
        there += record != NULL;
    }
    CHECK_EQ(records->count, there);
    uint32_t places = 0;
    for (size_t i = 0; i < records->capacity; i++) places += records->places[i].block != NULL;
    CHECK_EQ(places, there);
}

static void deletion_shifts_back_as_a_list_would(void) {
    qh_random random = test_random();
    qh_heap *heap = open_heap(false);
    qh_records *records = &memory.records;
    memset(sequence_of, 0, sizeof sequence_of);
    choose_colliding_keys();
    for (uint32_t round = 0; round < TEST_SHARE(20000u); round++) {
        uint32_t i = qh__random_below(&random, KEYS);
        if (sequence_of[i]) {
            CHECK(qh_records_remove(records, keys[i]));
            CHECK(!qh_records_remove(records, keys[i]));
            sequence_of[i] = 0;
        } else {
            CHECK(!qh_records_remove(records, keys[i]));
            CHECK_OK(qh_records_reserve(heap, records));
            qh_records_add(records, keys[i], 16, &owner, QH_BLOCK_table);
            sequence_of[i] = records->sequence;
        }
        CHECK_EQ(qh_records_find(records, keys[i]) != NULL, sequence_of[i] != 0);
        if (round % 32 == 0) check_against_the_list(records);
    }
    CHECK_EQ(records->capacity, 256);
    check_against_the_list(records);
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- leaks */

static uint32_t records_of(const qh_records *records, uint32_t id) {
    uint32_t count = 0;
    for (size_t i = 0; i < records->capacity; i++)
        count += records->places[i].block != NULL && records->places[i].owner == id;
    return count;
}

static void what_an_owner_leaves_behind_is_found(void) {
    qh_heap *heap = open_heap(true);
    qh_owner other;
    qh_owner_open(heap, &other, 0x10002, QH_OWNER_agent, SIZE_MAX / 2);
    void *mine[50], *theirs[50];
    for (uint32_t i = 0; i < 50; i++) {
        REQUIRE_OK(qh_heap_alloc(heap, &owner, 40 + i, QH_BLOCK_table, &mine[i]));
        REQUIRE_OK(qh_heap_alloc(heap, &other, 40 + i, QH_BLOCK_table, &theirs[i]));
    }
    for (uint32_t i = 0; i < 50; i++)
        if (i != 7 && i != 31) qh_heap_free(heap, &owner, mine[i], 40 + i);
    CHECK_EQ(records_of(heap->records, owner.id), 2);
    CHECK_EQ(records_of(heap->records, other.id), 50);
    CHECK_EQ(qh_records_find(heap->records, mine[7])->byte_count, 48);
    CHECK_EQ(qh_records_find(heap->records, mine[31])->byte_count, 80);
    test_memory_close(&memory);
}

/* An agent of every part: after its end no record names it. */
static void a_destroyed_agent_leaves_no_record(void) {
    qh_runtime *runtime = test_runtime_open(5, true);
    REQUIRE(runtime);
    qh_agent_def def = test_greedy(3, 1000);
    def.algorithm = QH_DOUBLE_Q;
    def.n_step = 4;
    def.replay_capacity = 3000;
    def.replay_kind = QH_REPLAY_PRIORITIZED;
    def.planning = 2;
    qh_agent *agent = test_agent(runtime, &def);
    REQUIRE(agent);
    const qh_records *records = &runtime->memory.records;
    qh_handle handle = agent->handle;
    int32_t action;
    REQUIRE_OK(qh_agent_begin(agent, test_state(0), &action));
    for (uint32_t i = 1; i < 900; i++) {
        qh_experience experience = test_outcome(1, test_state(i), QH_GOING_ON);
        REQUIRE_OK(qh_agent_step(agent, &experience, &action));
    }
    CHECK(records_of(records, handle) > 50);
    CHECK_EQ(records_of(records, handle), agent->owner.live_blocks);
    CHECK_OK(qh_runtime_destroy_agent(runtime, handle));
    CHECK_EQ(records_of(records, handle), 0);
    for (size_t i = 0; i < records->capacity; i++)
        CHECK(!records->places[i].block || records->places[i].owner_kind == QH_OWNER_runtime);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* A block charged to an agent's name through other books than the agent's own: its closing does not see it, the records do. */
static void a_block_that_outlives_its_owner_is_named(void) {
    qh_runtime *runtime = test_runtime_open(5, true);
    REQUIRE(runtime);
    qh_agent_def def = test_greedy(2, 10);
    qh_agent *agent = test_agent(runtime, &def);
    qh_batch *batch;
    REQUIRE(agent);
    REQUIRE_OK(qh_batch_create(runtime, 1, &batch));
    qh_handle handle = agent->handle;
    CHECK(qh_runtime_owner_lives(runtime, 0) && qh_runtime_owner_lives(runtime, handle));
    CHECK(qh_runtime_owner_lives(runtime, batch->handle));
    CHECK(!qh_runtime_owner_lives(runtime, handle + 1000));
    CHECK_EQ(qh_records_find(&runtime->memory.records, batch)->owner, batch->handle);
    qh_owner careless;
    void *lost;
    qh_owner_open(&runtime->memory.heap, &careless, handle, QH_OWNER_agent, SIZE_MAX);
    REQUIRE_OK(qh_heap_alloc(&runtime->memory.heap, &careless, 40, QH_BLOCK_table, &lost));
    CHECK_OK(qh_runtime_destroy_agent(runtime, handle));
    uint32_t orphans = 0;
    const qh_records *records = &runtime->memory.records;
    for (size_t i = 0; i < records->capacity; i++) {
        const qh_record *record = &records->places[i];
        if (!record->block || qh_runtime_owner_lives(runtime, record->owner)) continue;
        CHECK(record->block == lost && record->owner == handle);
        orphans++;
    }
    CHECK_EQ(orphans, 1);
    qh_agent *next = test_agent(runtime, &def); /* in the same place, but another */
    REQUIRE(next);
    CHECK(qh_runtime_owner_lives(runtime, next->handle));
    CHECK(!qh_runtime_owner_lives(runtime, handle));
    qh_heap_free(&runtime->memory.heap, &careless, lost, 40);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

TEST_SUITE(memory_record, {"a record says what was allocated", a_record_says_what_was_allocated},
           {"without tracking nothing is kept", without_tracking_nothing_is_kept},
           {"the table pays for itself and is not recorded",
            the_table_pays_for_itself_and_is_not_recorded},
           {"no room for a record is no allocation", no_room_for_a_record_is_no_allocation},
           {"deletion shifts back as a list would", deletion_shifts_back_as_a_list_would},
           {"what an owner leaves behind is found", what_an_owner_leaves_behind_is_found},
           {"a destroyed agent leaves no record", a_destroyed_agent_leaves_no_record},
           {"a block that outlives its owner is named", a_block_that_outlives_its_owner_is_named});
