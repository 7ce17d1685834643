/* Tables as bytes: there and back for every agent, and nothing changed by bytes that are damaged, cut, foreign or hostile. */
#include "cast.h"

#include "learn/transfer.h"

#define ROOM 400000u
#define HEADER 32u

static qh_runtime *runtime;
static unsigned char bytes[ROOM], again[ROOM];

static void walk(qh_agent *agent, uint32_t steps, uint64_t seed) {
    cast_world world = {.random = qh__random_seeded(seed, 0)};
    int32_t action;
    for (uint32_t i = 0; i < steps; i++) {
        if (!agent->running) CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
        qh_experience experience = cast_experience(&world);
        CHECK_OK(qh_agent_step(agent, &experience, &action));
    }
}

/* Two agents of member `i`, the first of which has learned. */
static bool open_pair(uint32_t i, qh_agent *pair[2]) {
    qh_agent_def def;
    CHECK(cast_member(i, &def));
    runtime = test_runtime_open(3, false);
    for (uint32_t k = 0; k < 2; k++) pair[k] = runtime ? test_agent(runtime, &def) : NULL;
    if (!pair[0] || !pair[1]) return false;
    walk(pair[0], 300, i);
    return true;
}

static size_t export(const qh_agent *agent, unsigned char *to) {
    size_t count = 0;
    CHECK_OK(qh_agent_export_size(agent, &count));
    CHECK(count <= ROOM - 8);
    memset(to, 0xEE, ROOM);
    qh_agent_export(agent, to);
    for (uint32_t i = 0; i < 8; i++) CHECK_EQ(to[count + i], 0xEE);
    return count;
}

static void every_table_travels(void) {
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        qh_agent *pair[2];
        REQUIRE(open_pair(i, pair));
        size_t count = export(pair[0], bytes);
        uint64_t before = test_agent_state(pair[0]);
        CHECK_OK(qh_agent_import(pair[1], bytes, count));
        CHECK_EQ(test_agent_state(pair[0]), before);
        CHECK_EQ(export(pair[1], again), count);
        CHECK_EQ(memcmp(bytes, again, count), 0);
        if (!pair[0]->planning)
            CHECK_EQ(qh_agent_hash(pair[1]), qh_agent_hash(pair[0])); /* the model stays */
        CHECK(qh_agent_validate(pair[1]));
        qh_runtime_close(runtime);
    }
}

/* A table replaced in the middle of everything: the agent goes on, also where memories name rows that are gone. */
static void life_goes_on_after_an_import(void) {
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        qh_agent *pair[2];
        double mean;
        REQUIRE(open_pair(i, pair));
        size_t count = export(pair[0], bytes);
        walk(pair[1], 200, 1000 + i);
        CHECK_OK(qh_agent_import(pair[1], bytes, count));
        CHECK_OK(qh_agent_replay(pair[1], 600, &mean));
        walk(pair[1], 200, 2000 + i);
        CHECK_OK(qh_agent_replay(pair[1], 50, &mean));
        CHECK(qh_agent_validate(pair[1]) && qh_runtime_validate(runtime));
        CHECK_OK(qh_runtime_destroy_agent(runtime, pair[1]->handle));
        CHECK_OK(qh_runtime_destroy_agent(runtime, pair[0]->handle));
        CHECK_EQ(runtime->memory.heap.live_blocks, runtime->memory.runtime_owner.live_blocks);
        qh_runtime_close(runtime);
    }
}

/* Remembered states whose rows an import took away: replay makes them again, or, without memory, changes nothing. */
static void replay_after_an_import_asks_for_memory_first(void) {
    uint32_t failures = 0;
    for (uint32_t i = 0; i < CAST_SIZE; i++)
        for (uint32_t rows = 0; rows < 40; rows += 3) {
            qh_agent *pair[2];
            REQUIRE(open_pair(i, pair));
            CHECK_OK(qh_agent_reset(pair[0]));
            walk(pair[0], rows, 3000 + i);
            size_t count = export(pair[0], bytes);
            walk(pair[1], 250, 4000 + i);
            CHECK_OK(qh_agent_import(pair[1], bytes, count));
            uint64_t before = test_agent_state(pair[1]);
            double mean;
            runtime->memory.heap.fail_after = 1;
            qh_result result = qh_agent_replay(pair[1], 200, &mean);
            runtime->memory.heap.fail_after = 0;
            if (result != QH_OK) {
                failures++;
                CHECK_RESULT(result, QH_GROWTH_FAILED);
                CHECK_EQ(test_agent_state(pair[1]), before);
                CHECK_OK(qh_agent_replay(pair[1], 200, &mean));
            }
            CHECK(qh_agent_validate(pair[1]));
            qh_runtime_close(runtime);
        }
    CHECK(failures > 20);
}

static void check_refused(qh_agent *agent, size_t count) {
    uint64_t before = test_agent_state(agent);
    size_t live = agent->owner.live_bytes;
    qh_result result = qh_agent_import(agent, bytes, count);
    CHECK(result == QH_CORRUPT || result == QH_VERSION);
    CHECK_EQ(test_agent_state(agent), before);
    CHECK_EQ(agent->owner.live_bytes, live);
}

static void damaged_bytes_are_refused(void) {
    qh_agent *pair[2];
    REQUIRE(open_pair(3, pair));
    walk(pair[1], 20, 5);
    size_t count = export(pair[0], bytes);
    for (size_t i = 0; i < count; i += i < 64 ? 1 : 7)
        for (uint32_t bit = 0; bit < 8; bit += i > 64 ? 2 : 1) {
            bytes[i] ^= (unsigned char)(1u << bit);
            check_refused(pair[1], count);
            bytes[i] ^= (unsigned char)(1u << bit);
        }
    for (size_t cut = 0; cut < count; cut += cut < 100 ? 1 : 13) check_refused(pair[1], cut);
    bytes[count] = 0;
    check_refused(pair[1], count + 1);
    CHECK_OK(qh_agent_import(pair[1], bytes, count));
    qh_runtime_close(runtime);
}

static void seal(size_t count) {
    uint32_t zero = 0, crc;
    memcpy(bytes + 28, &zero, 4);
    crc = qh__crc32c(0, bytes, count);
    memcpy(bytes + 28, &crc, 4);
}

/* Well-formed to the checksum, and still no table. */
static void hostile_bytes_are_refused(void) {
    qh_agent *pair[2];
    REQUIRE(open_pair(1, pair));
    size_t count = export(pair[0], bytes), row = 8 + 8 * (size_t)pair[0]->actions;
    static const uint32_t no_values[] = {0x7F800000u, 0xFF800000u, 0x7FC00000u, 0xFFC00000u,
                                         0x7F800001u};
    for (uint32_t i = 0; i < COUNT_OF(no_values); i++) {
        export(pair[0], bytes);
        memcpy(bytes + HEADER + row * 3 + 8 + 4, &no_values[i], 4);
        seal(count);
        check_refused(pair[1], count);
    }
    export(pair[0], bytes);
    memcpy(bytes + HEADER + row * 5, bytes + HEADER + row * 2, 8); /* a key twice */
    seal(count);
    check_refused(pair[1], count);
    static const uint32_t rows[] = {0, 1, 0xFFFFFFFFu, 0x80000000u, 0x10000000u};
    for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
        export(pair[0], bytes);
        memcpy(bytes + 24, &rows[i], 4);
        seal(count);
        check_refused(pair[1], count);
    }
    export(pair[0], bytes);
    const uint32_t version = 2;
    memcpy(bytes + 4, &version, 4);
    CHECK_RESULT(qh_agent_import(pair[1], bytes, count), QH_VERSION);
    qh_runtime_close(runtime);
}

static void tables_of_other_configurations_are_refused(void) {
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        qh_agent *pair[2];
        REQUIRE(open_pair(i, pair));
        size_t count = export(pair[0], bytes);
        for (uint32_t k = 0; k < CAST_SIZE; k++) {
            qh_agent_def def;
            CHECK(cast_member(k, &def));
            qh_agent *other = test_agent(runtime, &def);
            REQUIRE(other);
            if (other->config_hash != pair[0]->config_hash) check_refused(other, count);
            CHECK_OK(qh_runtime_destroy_agent(runtime, other->handle));
        }
        qh_runtime_close(runtime);
    }
}

/* Both tables must fit at once; and each allocation of an import may fail. */
static void an_import_without_room_changes_nothing(void) {
    qh_agent *pair[2];
    REQUIRE(open_pair(0, pair));
    walk(pair[1], 100, 77);
    size_t count = export(pair[0], bytes), quota = pair[1]->owner.quota_bytes;
    uint64_t before = test_agent_state(pair[1]);
    size_t live = pair[1]->owner.live_bytes, end = live + qh_table_bytes(&pair[0]->table);
    for (pair[1]->owner.quota_bytes = live; pair[1]->owner.quota_bytes < end;
         pair[1]->owner.quota_bytes += 512) {
        CHECK_RESULT(qh_agent_import(pair[1], bytes, count), QH_QUOTA_EXCEEDED);
        CHECK_EQ(test_agent_state(pair[1]), before);
        CHECK_EQ(pair[1]->owner.live_bytes, live);
    }
    pair[1]->owner.quota_bytes = quota;
    qh_heap *heap = &runtime->memory.heap;
    uint32_t failures = 0;
    for (uint32_t n = 1;; n++) {
        heap->fail_after = n;
        qh_result result = qh_agent_import(pair[1], bytes, count);
        heap->fail_after = 0;
        if (result == QH_OK) break;
        failures++;
        CHECK_RESULT(result, QH_GROWTH_FAILED);
        CHECK_EQ(test_agent_state(pair[1]), before);
        CHECK_EQ(pair[1]->owner.live_bytes, live);
        CHECK(qh_runtime_validate(runtime));
        REQUIRE(n < 10000);
    }
    CHECK(failures > 5);
    CHECK_EQ(qh_agent_hash(pair[1]), qh_agent_hash(pair[0]));
    qh_runtime_close(runtime);
}

TEST_SUITE(learn_transfer, {"every table travels", every_table_travels},
           {"life goes on after an import", life_goes_on_after_an_import},
           {"replay after an import asks for memory first",
            replay_after_an_import_asks_for_memory_first},
           {"damaged bytes are refused", damaged_bytes_are_refused},
           {"hostile bytes are refused", hostile_bytes_are_refused},
           {"tables of other configurations are refused",
            tables_of_other_configurations_are_refused},
           {"an import without room changes nothing", an_import_without_room_changes_nothing});
