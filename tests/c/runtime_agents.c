/* The runtime: handles that never name another object, names, 593 agents, and no drift over a hundred thousand lives. */
#include "cast.h"

static qh_runtime *runtime;

static qh_agent_def small_def(void) {
    return test_greedy(2, 1000);
}

static void learn_once(qh_agent *agent, uint32_t state) {
    qh_experience experience = test_outcome(1, test_state(0), QH_TERMINATED);
    double td_error;
    CHECK_OK(qh_agent_learn(agent, test_state(state), 0, &experience, QH_NO_ACTION, &td_error));
}

/* ---------------------------------------------------------------- handles */

static void stale_handles_name_nothing(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_handle first, second;
    CHECK(qh_runtime_agent(runtime, 0) == NULL);
    CHECK(qh_runtime_agent(runtime, qh__handle_make(0, 1)) == NULL);
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &first));
    CHECK(first != 0 && (int32_t)first > 0 && qh_runtime_agent(runtime, first));
    CHECK_OK(qh_runtime_destroy_agent(runtime, first));
    CHECK(qh_runtime_agent(runtime, first) == NULL);
    CHECK_RESULT(qh_runtime_destroy_agent(runtime, first), QH_STALE_HANDLE);
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &second));
    CHECK(second != first && qh__handle_slot(second) == qh__handle_slot(first));
    CHECK(qh_runtime_agent(runtime, first) == NULL && qh_runtime_agent(runtime, second));
    CHECK_RESULT(qh_runtime_destroy_agent(runtime, first), QH_STALE_HANDLE);
    CHECK_EQ(runtime->agent_count, 1);
    qh_runtime_close(runtime);
}

static void invented_handles_name_nothing(void) {
    qh_random random = test_random();
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_handle handles[100];
    for (uint32_t i = 0; i < 100; i++)
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &handles[i]));
    for (uint32_t i = 0; i < 50; i++) CHECK_OK(qh_runtime_destroy_agent(runtime, handles[i * 2]));
    for (uint32_t round = 0; round < 100000; round++) {
        qh_handle handle = qh__random_next(&random);
        if (round % 2)
            handle = qh__handle_make(qh__random_below(&random, 110), qh__random_below(&random, 4));
        bool live = false;
        for (uint32_t i = 0; i < 100; i++) live |= i % 2 && handles[i] == handle;
        CHECK_EQ(qh_runtime_agent(runtime, handle) != NULL, live);
    }
    qh_runtime_close(runtime);
}

static void a_handle_is_of_its_kind(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_agent *agent = test_agent(runtime, &def);
    qh_batch *batch;
    REQUIRE(agent);
    REQUIRE_OK(qh_batch_create(runtime, 1, &batch));
    CHECK(qh_runtime_agent(runtime, batch->handle) == NULL);
    CHECK(qh__runtime_object(runtime, agent->handle, QH_SLOT_BATCH) == NULL);
    CHECK(qh__runtime_object(runtime, batch->handle, QH_SLOT_BATCH) == batch);
    CHECK_RESULT(qh_runtime_destroy_agent(runtime, batch->handle), QH_STALE_HANDLE);
    qh_runtime_close(runtime);
}

/* A slot serves 32,767 objects; then it is retired, and no handle of its past ever names anything again. */
static void worn_out_slots_are_retired(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_handle handle = 0, last = 0;
    uint32_t slot = 0;
    for (uint32_t i = 1; i <= QH_HANDLE_LAST_GENERATION; i++) {
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &handle));
        if (i == 1) slot = qh__handle_slot(handle);
        CHECK_EQ(qh__handle_slot(handle), slot);
        CHECK_EQ(qh__handle_generation(handle), i);
        CHECK((int32_t)handle > 0);
        CHECK_OK(qh_runtime_destroy_agent(runtime, handle));
        last = handle;
        if (i % 8192 == 0 || i + 2 > QH_HANDLE_LAST_GENERATION) CHECK(qh_runtime_validate(runtime));
    }
    CHECK(qh_runtime_validate(runtime));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &handle));
        CHECK(qh__handle_slot(handle) != slot);
        CHECK(qh_runtime_agent(runtime, last) == NULL);
        CHECK(qh_runtime_agent(runtime, qh__handle_make(slot, 1)) == NULL);
        CHECK(qh_runtime_agent(runtime, qh__handle_make(slot, 0)) == NULL);
    }
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void slots_run_out_with_an_error(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_handle handle = 0, some = 0;
    for (uint32_t i = 0; i < QH_HANDLE_SLOTS; i++) {
        REQUIRE_OK(qh_runtime_create_agent(runtime, &def, &handle));
        if (i == 40000) some = handle;
    }
    size_t live = runtime->memory.heap.live_bytes;
    CHECK_RESULT(qh_runtime_create_agent(runtime, &def, &handle), QH_EXCEEDS_LIMIT);
    CHECK_EQ(runtime->memory.heap.live_bytes, live);
    CHECK_EQ(runtime->agent_count, QH_HANDLE_SLOTS);
    CHECK_OK(qh_runtime_destroy_agent(runtime, some));
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &handle));
    CHECK(qh__handle_slot(handle) == qh__handle_slot(some) && handle != some);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- names */

static qh_result create_named(const char *name, uint32_t length, qh_handle *handle) {
    qh_agent_def def = small_def();
    def.name = name;
    def.name_length = length;
    return qh_runtime_create_agent(runtime, &def, handle);
}

static void names_are_unique(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_handle first, second, handle = 77;
    CHECK_OK(create_named("cell-1", 6, &first));
    CHECK_OK(create_named("cell-12", 7, &second));
    size_t live = runtime->memory.heap.live_bytes;
    CHECK_RESULT(create_named("cell-1", 6, &handle), QH_INVALID_ARGUMENT);
    CHECK_RESULT(create_named("cell-12", 6, &handle), QH_INVALID_ARGUMENT);
    CHECK_EQ(handle, 77);
    CHECK_EQ(runtime->memory.heap.live_bytes, live);
    CHECK_EQ(runtime->agent_count, 2);
    CHECK_OK(create_named("cell-", 5, &handle));
    CHECK_OK(create_named("cell-1\0", 7, &handle));
    CHECK_OK(qh_runtime_destroy_agent(runtime, first));
    CHECK_OK(create_named("cell-1", 6, &handle));
    CHECK_EQ(memcmp(qh_runtime_agent(runtime, handle)->name, "cell-1", 6), 0);
    CHECK_EQ(qh_runtime_agent(runtime, handle)->name_length, 6);
    qh_agent_def def = small_def(); /* no name is no name twice */
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &handle));
    CHECK_OK(qh_runtime_create_agent(runtime, &def, &handle));
    qh_runtime_close(runtime);
}

/* A name with every byte, as long as the boundary allows. */
static void long_names_are_kept_whole(void) {
    static char name[4096];
    for (uint32_t i = 0; i < sizeof name; i++) name[i] = (char)(i * 37 + 5);
    runtime = test_runtime_open(1, true);
    REQUIRE(runtime);
    qh_handle handle;
    CHECK_OK(create_named(name, sizeof name, &handle));
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    CHECK_EQ(memcmp(agent->name, name, sizeof name), 0);
    learn_once(agent, 3);
    CHECK_EQ(memcmp(agent->name, name, sizeof name), 0);
    CHECK_RESULT(create_named(name, sizeof name, &handle), QH_INVALID_ARGUMENT);
    name[4095]++;
    CHECK_OK(create_named(name, sizeof name, &handle));
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- many */

#define MANY 593u

static qh_handle handles[MANY];

static void create_many(void) {
    static const qh_dim dims[4] = {{0, 1, 10, 0}, {-1, 1, 5, 0}, {0, 100, 20, 0}, {0, 1, 0, 0}};
    for (uint32_t i = 0; i < MANY; i++) {
        qh_agent_def def = qh_agent_def_default();
        def.actions = 3;
        def.encoder = (qh_encoder_def){.kind = QH_ENCODER_BINS, .dims = dims, .dim_count = 4};
        REQUIRE_OK(qh_runtime_create_agent(runtime, &def, &handles[i]));
    }
}

static void step_many(qh_random *random, uint32_t rounds) {
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            float values[16] = {(float)qh__random_unit(random), (float)qh__random_unit(random), 50,
                                0};
            qh_agent *agent = qh_runtime_agent(runtime, handles[i]);
            qh_experience experience =
                test_outcome(qh__random_unit(random), test_values(values), QH_GOING_ON);
            int32_t action;
            if (!agent->running)
                CHECK_OK(qh_agent_begin(agent, test_values(values), &action));
            else
                CHECK_OK(qh_agent_step(agent, &experience, &action));
        }
}

static void agents_593_live_together(void) {
    qh_random random = test_random();
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    create_many();
    CHECK_EQ(runtime->agent_count, MANY);
    CHECK_EQ(runtime->plans.count, 1);
    step_many(&random, 20);
    CHECK(qh_runtime_validate(runtime));
    uint64_t others = 0;
    for (uint32_t i = 1; i < MANY; i++)
        others ^= test_agent_state(qh_runtime_agent(runtime, handles[i]));
    uint64_t hash = qh_runtime_hash(runtime);
    static const float values[16] = {0.5f, 0.5f, 99, 0};
    qh_experience experience = test_outcome(5, test_values(values), QH_TERMINATED);
    int32_t action;
    CHECK_OK(qh_agent_step(qh_runtime_agent(runtime, handles[0]), &experience, &action));
    CHECK(qh_runtime_hash(runtime) != hash);
    for (uint32_t i = 1; i < MANY; i++)
        others ^= test_agent_state(qh_runtime_agent(runtime, handles[i]));
    CHECK_EQ(others, 0); /* what one learns is its own */
    size_t owned = 0;
    for (uint32_t i = 0; i < MANY; i++)
        owned += qh_runtime_agent(runtime, handles[i])->owner.live_bytes;
    size_t lent = 0;
    for (uint32_t p = 0; p < QH_POOL_COUNT; p++)
        lent += (size_t)qh_pool_in_use(&runtime->memory.pools[p]) *
                runtime->memory.pools[p].block_bytes;
    CHECK_EQ(runtime->memory.heap.live_bytes, owned - lent +
                                                  runtime->memory.runtime_owner.live_bytes +
                                                  runtime->plans.owner.live_bytes);
    qh_runtime_close(runtime);
}

static void they_leave_in_any_order(void) {
    qh_random random = test_random();
    runtime = test_runtime_open(1, true);
    REQUIRE(runtime);
    create_many();
    step_many(&random, 3);
    for (uint32_t left = MANY; left > 0; left--) {
        uint32_t i = qh__random_below(&random, left);
        CHECK_OK(qh_runtime_destroy_agent(runtime, handles[i]));
        handles[i] = handles[left - 1];
        if (left % 64 == 0) CHECK(qh_runtime_validate(runtime));
    }
    CHECK_EQ(runtime->agent_count, 0);
    CHECK_EQ(runtime->plans.count, 0);
    for (uint32_t p = 0; p < QH_POOL_COUNT; p++)
        CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[p]), 0);
    const qh_records *records = &runtime->memory.records;
    for (size_t i = 0; i < records->capacity; i++)
        CHECK(!records->places[i].block || records->places[i].owner_kind == QH_OWNER_runtime);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* A life each: made, taught, freed. Bytes, pages and the end of the heap come back to where they were. */
static void a_hundred_thousand_lives_do_not_drift(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def;
    size_t live = 0, end = 0;
    uint32_t pages = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        CHECK(
            cast_member(i % CAST_SIZE == 11 ? 0 : i % CAST_SIZE, &def)); /* 70 actions take long */
        qh_handle handle;
        REQUIRE_OK(qh_runtime_create_agent(runtime, &def, &handle));
        qh_agent *agent = qh_runtime_agent(runtime, handle);
        float values[QH_MAX_DIMS] = {(float)(i % 8), 0, 50};
        qh_observation here = {values, i % CAST_STATES};
        qh_experience experience = test_outcome(1, here, QH_GOING_ON);
        int32_t action;
        CHECK_OK(qh_agent_begin(agent, here, &action));
        CHECK_OK(qh_agent_step(agent, &experience, &action));
        CHECK_OK(qh_runtime_destroy_agent(runtime, handle));
        if (i == CAST_SIZE - 1) {
            live = runtime->memory.heap.live_bytes;
            end = qh_heap_end(&runtime->memory.heap);
            pages = runtime->memory.budget.pages;
        }
        if (i % 20000 == 0) CHECK(qh_runtime_validate(runtime));
    }
    CHECK_EQ(runtime->memory.heap.live_bytes, live);
    CHECK(qh_heap_end(&runtime->memory.heap) <= end + 16384);
    CHECK_EQ(runtime->memory.budget.pages, pages);
    CHECK_EQ(runtime->memory.heap.live_blocks, runtime->memory.runtime_owner.live_blocks);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- a model of who lives */

static void random_lives_agree_with_a_list(void) {
    qh_random random = test_random();
    static qh_handle live[200], dead[200];
    static uint64_t states[200];
    uint32_t count = 0, died = 0;
    runtime = test_runtime_open(1, true);
    REQUIRE(runtime);
    for (uint32_t round = 0; round < TEST_SHARE(6000u); round++) {
        uint32_t what = qh__random_below(&random, 8);
        qh_agent_def def;
        if (count < 200 && what < 3) {
            CHECK(cast_member(qh__random_below(&random, CAST_SIZE), &def));
            CHECK_OK(qh_runtime_create_agent(runtime, &def, &live[count]));
            states[count] = test_agent_state(qh_runtime_agent(runtime, live[count]));
            count++;
        } else if (count > 0 && what < 5) {
            uint32_t i = qh__random_below(&random, count);
            dead[died++ % 200] = live[i];
            CHECK_OK(qh_runtime_destroy_agent(runtime, live[i]));
            live[i] = live[--count];
            states[i] = states[count];
        } else if (count > 0) {
            uint32_t i = qh__random_below(&random, count);
            qh_agent *agent = qh_runtime_agent(runtime, live[i]);
            REQUIRE(agent);
            CHECK_EQ(test_agent_state(agent), states[i]);
            cast_world world = {.random = random};
            int32_t action;
            CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
            qh_experience experience = cast_experience(&world);
            CHECK_OK(qh_agent_step(agent, &experience, &action));
            states[i] = test_agent_state(agent);
        }
        CHECK_EQ(runtime->agent_count, count);
        for (uint32_t i = 0; i < QH_MIN(died, 200u); i++)
            CHECK(!qh_runtime_agent(runtime, dead[i]));
        if (round % 100 == 0) {
            CHECK(qh_runtime_validate(runtime));
            for (uint32_t i = 0; i < count; i++)
                CHECK_EQ(test_agent_state(qh_runtime_agent(runtime, live[i])), states[i]);
        }
    }
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- opening */

static void a_runtime_opens_within_its_pages_or_not_at_all(void) {
    qh_runtime_def def = qh_runtime_def_default();
    runtime = NULL;
    CHECK_EQ(def.max_pages, 16384);
    CHECK(def.pools[0] == 1000 && def.pools[1] == 5000 && def.pools[2] == 500);
    /* The pools by default are 7.4 MB: 113 pages and a little. */
    for (uint32_t pages = 0; pages < 113; pages += 16) {
        def.max_pages = pages;
        CHECK_RESULT(qh_runtime_open(&def, TEST_HEAP_START, &runtime), QH_EXCEEDS_LIMIT);
    }
    def = qh_runtime_def_default();
    def.max_pages = test_pages() + 200;
    def.initial_pages = def.max_pages + 1;
    CHECK_RESULT(qh_runtime_open(&def, TEST_HEAP_START, &runtime), QH_EXCEEDS_LIMIT);
    def.initial_pages = test_pages() + 150;
    REQUIRE_OK(qh_runtime_open(&def, TEST_HEAP_START, &runtime));
    CHECK(runtime->memory.budget.pages >= def.initial_pages);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
    def = qh_runtime_def_default();
    def.pools[QH_POOL_MESSAGE] = 0xFFFFFFFFu;
    qh_result result = qh_runtime_open(&def, TEST_HEAP_START, &runtime);
    CHECK(result == QH_OVERFLOW || result == QH_EXCEEDS_LIMIT);
}

static void a_runtime_without_pools_works(void) {
    qh_runtime_def def = {.max_pages = test_pages() + 64};
    REQUIRE_OK(qh_runtime_open(&def, TEST_HEAP_START, &runtime));
    qh_agent_def agent_def;
    for (uint32_t i = 0; cast_member(i, &agent_def); i++) {
        qh_agent *agent = test_agent(runtime, &agent_def);
        REQUIRE(agent);
        int32_t action;
        cast_world world = {.random = qh__random_seeded(i, i)};
        for (uint32_t n = 0; n < 40; n++) {
            if (!agent->running) CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
            qh_experience experience = cast_experience(&world);
            CHECK_OK(qh_agent_step(agent, &experience, &action));
        }
    }
    CHECK(runtime->memory.pools[QH_POOL_STATE].fallbacks == CAST_SIZE &&
          qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- the validator detects */

static void broken_books_are_detected(void) {
    runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = small_def();
    qh_agent *agents[6];
    for (uint32_t i = 0; i < 6; i++) REQUIRE((agents[i] = test_agent(runtime, &def)) != NULL);
    for (uint32_t i = 0; i < 6; i++) learn_once(agents[i], i);
    CHECK_OK(qh_runtime_destroy_agent(runtime, agents[1]->handle));
    CHECK_OK(qh_runtime_destroy_agent(runtime, agents[4]->handle));
    REQUIRE(qh_runtime_validate(runtime));
#define CHECK_DETECTED(damage, repair)                                                             \
    do {                                                                                           \
        damage;                                                                                    \
        CHECK(!qh_runtime_validate(runtime));                                                      \
        repair;                                                                                    \
        CHECK(qh_runtime_validate(runtime));                                                       \
    } while (0)
    uint32_t first_free = runtime->first_free, next_free = runtime->slots[first_free - 1].next_free;
    CHECK_DETECTED(runtime->agent_count++, runtime->agent_count--);
    CHECK_DETECTED(runtime->first_free = 0, runtime->first_free = first_free);
    CHECK_DETECTED(runtime->slots[next_free - 1].next_free = first_free,
                   runtime->slots[next_free - 1].next_free = 0);
    CHECK_DETECTED(agents[0]->borrowed = true, agents[0]->borrowed = false);
    CHECK_DETECTED(agents[2]->table.spill_free_count++, agents[2]->table.spill_free_count--);
    CHECK_DETECTED(runtime->memory.heap.live_bytes += 16, runtime->memory.heap.live_bytes -= 16);
    CHECK_DETECTED(runtime->memory.pools[0].acquires++, runtime->memory.pools[0].acquires--);
    size_t quota = agents[0]->owner.quota_bytes;
    CHECK_DETECTED(agents[0]->owner.quota_bytes = 10, agents[0]->owner.quota_bytes = quota);
    qh_runtime_close(runtime);
}

TEST_SUITE(runtime_agents, {"stale handles name nothing", stale_handles_name_nothing},
           {"invented handles name nothing", invented_handles_name_nothing},
           {"a handle is of its kind", a_handle_is_of_its_kind},
           {"worn-out slots are retired", worn_out_slots_are_retired},
           {"slots run out with an error", slots_run_out_with_an_error},
           {"names are unique", names_are_unique},
           {"long names are kept whole", long_names_are_kept_whole},
           {"593 agents live together", agents_593_live_together},
           {"they leave in any order", they_leave_in_any_order},
           {"a hundred thousand lives do not drift", a_hundred_thousand_lives_do_not_drift},
           {"random lives agree with a list", random_lives_agree_with_a_list},
           {"a runtime opens within its pages or not at all",
            a_runtime_opens_within_its_pages_or_not_at_all},
           {"a runtime without pools works", a_runtime_without_pools_works},
           {"broken books are detected", broken_books_are_detected});
