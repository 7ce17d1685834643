/* Batches: what single calls do, for all or for none; rows that ended begin again; hostile lists are refused. */
#include "cast.h"

static qh_runtime *runtime;
static qh_agent *agents[CAST_SIZE];
static qh_batch *batch;

static bool open_cast(void) {
    qh_agent_def def;
    runtime = test_runtime_open(4, false);
    for (uint32_t i = 0; runtime && cast_member(i, &def); i++)
        if (!(agents[i] = test_agent(runtime, &def))) return false;
    return runtime != NULL;
}

static bool open_batch(void) {
    if (!open_cast()) return false;
    CHECK_OK(qh_batch_create(runtime, CAST_SIZE, &batch));
    for (uint32_t i = 0; i < CAST_SIZE; i++) batch->handles[i] = agents[i]->handle;
    CHECK_OK(qh_batch_seal(runtime, batch));
    return true;
}

/* An index agent reads its state from the first float. */
static void put_row(uint32_t i, cast_world *world) {
    float *row = batch->observations + (size_t)i * QH_BATCH_STRIDE;
    qh_observation seen = cast_observe(world);
    for (uint32_t d = 0; d < CAST_DIMS; d++) row[d] = seen.values[d];
    if (agents[i]->encoder.plan->kind == QH_ENCODER_INDEX) row[0] = (float)seen.state;
}

static void put_rows(cast_world *world) {
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        put_row(i, world);
        batch->rewards[i] = (float)qh__random_below(&world->random, 17) - 8;
        uint32_t dice = qh__random_below(&world->random, 12);
        batch->endings[i] = (uint8_t)(dice < 2 ? dice + 1 : 0);
    }
}

static uint64_t state_of_all(void) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < CAST_SIZE; i++)
        hash = qh__hash_step(hash, test_agent_state(agents[i]));
    return hash;
}

static qh_observation row_of(uint32_t i) {
    const float *row = batch->observations + (size_t)i * QH_BATCH_STRIDE;
    return (qh_observation){row, (double)row[0]};
}

/* ---------------------------------------------------------------- equal to single calls */

/* The same rows, once by batch and once by a call each; a row that ended begins again in the next step. */
static void play_rounds(bool together, uint64_t *state, uint64_t *actions) {
    cast_world world = {.random = qh__random_seeded(8, 0)};
    if (!open_batch()) return;
    *actions = 0;
    put_rows(&world);
    if (together) CHECK_OK(qh_batch_begin(runtime, batch));
    for (uint32_t i = 0; i < CAST_SIZE && !together; i++)
        CHECK_OK(qh_agent_begin(agents[i], row_of(i), &batch->actions[i]));
    for (uint32_t round = 0; round < 400; round++) {
        for (uint32_t i = 0; i < CAST_SIZE; i++)
            *actions = qh__hash_step(*actions, (uint64_t)(int64_t)batch->actions[i]);
        put_rows(&world);
        batch->time = round;
        if (together) CHECK_OK(qh_batch_step(runtime, batch));
        for (uint32_t i = 0; i < CAST_SIZE && !together; i++) {
            qh_experience experience = {row_of(i), (double)batch->rewards[i], batch->endings[i],
                                        round};
            if (agents[i]->running)
                CHECK_OK(qh_agent_step(agents[i], &experience, &batch->actions[i]));
            else if (batch->endings[i])
                batch->actions[i] = QH_NO_ACTION;
            else
                CHECK_OK(qh_agent_begin(agents[i], row_of(i), &batch->actions[i]));
        }
        if (round % 8 != 5) continue;
        if (together) CHECK_OK(qh_batch_act(runtime, batch, round % 16 == 5));
        for (uint32_t i = 0; i < CAST_SIZE && !together; i++)
            CHECK_OK(qh_agent_act(agents[i], row_of(i), round % 16 == 5, NULL, &batch->actions[i]));
    }
    *state = state_of_all();
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void a_batch_is_its_single_calls(void) {
    uint64_t states[2] = {1, 2}, actions[2] = {1, 2};
    for (uint32_t together = 0; together < 2; together++)
        play_rounds(together, &states[together], &actions[together]);
    CHECK_EQ(states[0], states[1]);
    CHECK_EQ(actions[0], actions[1]);
}

static void the_order_of_agents_does_not_matter(void) {
    uint64_t states[2] = {1, 2};
    for (uint32_t reversed = 0; reversed < 2; reversed++) {
        REQUIRE(open_batch());
        cast_world worlds[CAST_SIZE];
        qh_agent *in_order[CAST_SIZE];
        memcpy(in_order, agents, sizeof agents);
        for (uint32_t i = 0; i < CAST_SIZE; i++)
            worlds[i] = (cast_world){.random = qh__random_seeded(3, i)};
        for (uint32_t i = 0; i < CAST_SIZE && reversed; i++) {
            agents[i] = in_order[CAST_SIZE - 1 - i];
            batch->handles[i] = agents[i]->handle;
        }
        CHECK_OK(qh_batch_seal(runtime, batch));
        for (uint32_t round = 0; round < 100; round++) {
            for (uint32_t i = 0; i < CAST_SIZE; i++)
                put_row(i, &worlds[reversed ? CAST_SIZE - 1 - i : i]);
            for (uint32_t i = 0; i < CAST_SIZE; i++) batch->rewards[i] = (float)(round % 5);
            CHECK_OK(round == 0 ? qh_batch_begin(runtime, batch) : qh_batch_step(runtime, batch));
        }
        memcpy(agents, in_order, sizeof agents);
        states[reversed] = state_of_all();
        qh_runtime_close(runtime);
    }
    CHECK_EQ(states[0], states[1]);
}

/* ---------------------------------------------------------------- rows that ended */

static void rows_that_ended_rest_and_begin_again(void) {
    REQUIRE(open_batch());
    cast_world world = {.random = qh__random_seeded(8, 1)};
    put_rows(&world);
    CHECK_OK(qh_batch_begin(runtime, batch));
    for (uint32_t ending = QH_TERMINATED; ending <= QH_TRUNCATED; ending++) {
        put_rows(&world);
        for (uint32_t i = 0; i < CAST_SIZE; i++) batch->endings[i] = (uint8_t)(i % 2 ? ending : 0);
        CHECK_OK(qh_batch_step(runtime, batch));
        for (uint32_t i = 0; i < CAST_SIZE; i++)
            CHECK_EQ(batch->actions[i] == QH_NO_ACTION, i % 2 == 1);
        uint64_t resting = test_agent_state(agents[1]);
        for (uint32_t again = 0; again < 3; again++) { /* the ending stays set: the row rests */
            for (uint32_t i = 1; i < CAST_SIZE; i += 2)
                batch->observations[(size_t)i * QH_BATCH_STRIDE] = __builtin_nanf("");
            CHECK_OK(qh_batch_step(runtime, batch));
            for (uint32_t i = 1; i < CAST_SIZE; i += 2) CHECK_EQ(batch->actions[i], QH_NO_ACTION);
            CHECK_EQ(test_agent_state(agents[1]), resting);
        }
        double steps = agents[1]->metrics.learning_steps, episodes = agents[1]->metrics.episodes;
        put_rows(&world);
        for (uint32_t i = 0; i < CAST_SIZE; i++) {
            batch->endings[i] = 0;
            if (i % 2) batch->rewards[i] = __builtin_nanf(""); /* not read by a row that begins */
        }
        CHECK_OK(qh_batch_step(runtime, batch));
        for (uint32_t i = 0; i < CAST_SIZE; i++)
            CHECK(batch->actions[i] >= 0 && agents[i]->running);
        CHECK_SAME(agents[1]->metrics.learning_steps, steps);
        CHECK_SAME(agents[1]->metrics.episodes, episodes);
    }
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- all or nothing */

/* One call that must fail in `row` with `result` and leave no trace. */
static void check_refused(qh_result (*call)(void), qh_result result, uint32_t row) {
    int32_t actions[CAST_SIZE];
    memcpy(actions, batch->actions, sizeof actions);
    uint64_t before = state_of_all();
    CHECK_RESULT(call(), result);
    CHECK_EQ(batch->failed_row, row);
    CHECK_EQ(state_of_all(), before);
    CHECK_EQ(memcmp(actions, batch->actions, sizeof actions), 0);
    CHECK(qh_runtime_validate(runtime));
}

static qh_result call_begin(void) {
    return qh_batch_begin(runtime, batch);
}

static qh_result call_step(void) {
    return qh_batch_step(runtime, batch);
}

static qh_result call_act(void) {
    return qh_batch_act(runtime, batch, false);
}

static qh_result call_greedy(void) {
    return qh_batch_act(runtime, batch, true);
}

static void one_bad_row_stops_all(void) {
    REQUIRE(open_batch());
    cast_world world = {.random = qh__random_seeded(8, 2)};
    put_rows(&world);
    CHECK_OK(qh_batch_begin(runtime, batch));
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        put_rows(&world);
        for (uint32_t k = 0; k < CAST_SIZE; k++) batch->endings[k] = 0;
        float *x = batch->observations + (size_t)i * QH_BATCH_STRIDE, fine = *x;
        for (uint32_t sign = 0; sign < 2; sign++) {
            *x = sign ? -__builtin_nanf("") : __builtin_nanf("");
            check_refused(call_begin, QH_INVALID_ARGUMENT, i);
            check_refused(call_step, QH_INVALID_ARGUMENT, i);
            check_refused(call_act, QH_INVALID_ARGUMENT, i);
            check_refused(call_greedy, QH_INVALID_ARGUMENT, i);
        }
        *x = fine;
        static const float no_rewards[] = {__builtin_nanf(""), __builtin_inff(), -__builtin_inff()};
        for (uint32_t r = 0; r < COUNT_OF(no_rewards); r++) {
            batch->rewards[i] = no_rewards[r];
            check_refused(call_step, QH_INVALID_ARGUMENT, i);
        }
        batch->rewards[i] = 0;
        for (uint32_t ending = 3; ending < 256; ending += 63) {
            batch->endings[i] = (uint8_t)ending;
            check_refused(call_step, QH_INVALID_ARGUMENT, i);
        }
        batch->endings[i] = 0;
        batch->time = __builtin_nan("");
        check_refused(call_step, QH_INVALID_ARGUMENT, 0);
        batch->time = 0;
        agents[i]->borrowed = true;
        CHECK_RESULT(call_begin(), QH_BUSY);
        CHECK_RESULT(call_step(), QH_BUSY);
        CHECK_RESULT(call_act(), QH_BUSY);
        CHECK_EQ(batch->failed_row, i);
        agents[i]->borrowed = false;
        CHECK_OK(qh_batch_step(runtime, batch));
    }
    qh_runtime_close(runtime);
}

static void a_spent_quota_stops_all(void) {
    for (uint32_t i = 0; i < CAST_SIZE; i += 3) {
        REQUIRE(open_batch());
        cast_world world = {.random = qh__random_seeded(8, 3)};
        agents[i]->owner.quota_bytes = agents[i]->owner.live_bytes; /* room for nothing */
        put_rows(&world);
        CHECK_OK(qh_batch_begin(runtime, batch));
        put_rows(&world);
        memset(batch->endings, 0, CAST_SIZE);
        check_refused(call_step, QH_QUOTA_EXCEEDED, i);
        agents[i]->owner.quota_bytes = 1u << 20;
        CHECK_OK(qh_batch_step(runtime, batch));
        qh_runtime_close(runtime);
    }
}

static void steps_want_episodes(void) {
    REQUIRE(open_batch());
    cast_world world = {.random = qh__random_seeded(8, 4)};
    put_rows(&world);
    memset(batch->endings, 0, CAST_SIZE);
    check_refused(call_step, QH_INVALID_STATE, 0);
    CHECK_OK(qh_batch_begin(runtime, batch));
    CHECK_OK(qh_agent_reset(agents[5])); /* not ended: none has begun */
    check_refused(call_step, QH_INVALID_STATE, 5);
    CHECK_OK(qh_batch_begin(runtime, batch));
    CHECK_OK(qh_batch_step(runtime, batch));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- who is in a batch */

static void destroyed_agents_stop_all(void) {
    REQUIRE(open_batch());
    cast_world world = {.random = qh__random_seeded(8, 5)};
    put_rows(&world);
    CHECK_OK(qh_batch_begin(runtime, batch));
    qh_agent_def def;
    CHECK(cast_member(0, &def));
    qh_agent *stranger = test_agent(runtime, &def);
    REQUIRE(stranger);
    CHECK_OK(qh_runtime_destroy_agent(runtime, stranger->handle));
    CHECK_OK(qh_batch_act(runtime, batch, false)); /* a stranger's end is nothing to the batch */
    uint64_t before = test_agent_state(agents[2]);
    CHECK_OK(qh_runtime_destroy_agent(runtime, agents[9]->handle));
    REQUIRE(test_agent(runtime, &def)); /* in the slot of the one that left */
    for (uint32_t round = 0; round < 2; round++) {
        CHECK_RESULT(call_begin(), QH_STALE_HANDLE);
        CHECK_RESULT(call_step(), QH_STALE_HANDLE);
        CHECK_RESULT(call_act(), QH_STALE_HANDLE);
        CHECK_EQ(batch->failed_row, 9);
        CHECK_EQ(test_agent_state(agents[2]), before);
    }
    qh_batch_destroy(runtime, batch);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void wrong_lists_are_refused(void) {
    REQUIRE(open_cast());
    size_t live = runtime->memory.heap.live_bytes;
    CHECK_RESULT(qh_batch_create(runtime, 0, &batch), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_batch_create(runtime, QH_HANDLE_SLOTS + 1, &batch), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_batch_create(runtime, 0xFFFFFFFFu, &batch), QH_INVALID_ARGUMENT);
    CHECK_EQ(runtime->memory.heap.live_bytes, live);
    REQUIRE_OK(qh_batch_create(runtime, 4, &batch));
    const qh_handle own = batch->handle, a = agents[0]->handle, b = agents[1]->handle,
                    c = agents[2]->handle;
    const struct {
        qh_handle handles[4];
        qh_result result;
        uint32_t row;
    } lists[] = {
        {{0, 0, 0, 0}, QH_STALE_HANDLE, 0},     {{a, b, c, 0}, QH_STALE_HANDLE, 3},
        {{a, own, b, c}, QH_STALE_HANDLE, 1},   {{a, b, 0xFFFFFFFFu, c}, QH_STALE_HANDLE, 2},
        {{a, b, c, a}, QH_INVALID_ARGUMENT, 3}, {{a, a, b, c}, QH_INVALID_ARGUMENT, 1},
        {{a, b, b, b}, QH_INVALID_ARGUMENT, 2}};
    for (uint32_t i = 0; i < COUNT_OF(lists); i++) {
        memcpy(batch->handles, lists[i].handles, sizeof lists[i].handles);
        CHECK_RESULT(qh_batch_seal(runtime, batch), lists[i].result);
        CHECK_EQ(batch->failed_row, lists[i].row);
        for (uint32_t k = 0; k < CAST_SIZE; k++) CHECK(!agents[k]->borrowed);
    }
    qh_batch_destroy(runtime, batch);
    qh_runtime_close(runtime);
}

/* What was never sealed, or not with success, names no agents: every call refuses, none reads an address that is not there. */
static void an_unsealed_batch_does_nothing(void) {
    REQUIRE(open_cast());
    for (uint32_t round = 0; round < 2; round++) {
        REQUIRE_OK(qh_batch_create(runtime, 2, &batch));
        if (round) {
            batch->handles[0] = agents[0]->handle;
            batch->handles[1] = agents[1]->handle;
            CHECK_OK(qh_batch_seal(runtime, batch)); /* once good, then not: not good */
            batch->handles[0] = 0;
            CHECK_RESULT(qh_batch_seal(runtime, batch), QH_STALE_HANDLE);
            CHECK_RESULT(call_step(), QH_INVALID_STATE);
            batch->handles[0] = agents[1]->handle;
            CHECK_RESULT(qh_batch_seal(runtime, batch), QH_INVALID_ARGUMENT);
        }
        CHECK_RESULT(call_begin(), QH_INVALID_STATE);
        CHECK_RESULT(call_step(), QH_INVALID_STATE);
        CHECK_RESULT(call_act(), QH_INVALID_STATE);
        CHECK(!agents[1]->running);
        qh_batch_destroy(runtime, batch);
    }
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- memory */

static void rows_are_apart_aligned_and_zero(void) {
    REQUIRE(open_cast());
    for (uint32_t count = 1; count <= 600; count = count * 2 + 1) {
        size_t live = runtime->memory.heap.live_bytes;
        REQUIRE_OK(qh_batch_create(runtime, count, &batch));
        CHECK_EQ((uintptr_t)batch->observations % 16, 0);
        CHECK_EQ((uintptr_t)batch->keys % 8, 0);
        CHECK_EQ(
            ((uintptr_t)batch->rewards | (uintptr_t)batch->actions | (uintptr_t)batch->handles) % 4,
            0);
        unsigned char *end = (unsigned char *)batch + qh_heap_charge(batch->block_bytes);
        for (size_t i = 0; i < (size_t)count * QH_BATCH_STRIDE; i++)
            CHECK_SAME(batch->observations[i], 0);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(batch->rewards[i] == 0 && batch->actions[i] == 0 && batch->endings[i] == 0);
            CHECK_EQ(batch->handles[i], 0);
        }
        /* Every buffer is written full: none may reach into another. */
        for (size_t i = 0; i < (size_t)count * QH_BATCH_STRIDE; i++) batch->observations[i] = 1;
        for (uint32_t i = 0; i < count; i++) batch->rewards[i] = 2;
        for (uint32_t i = 0; i < count; i++) batch->actions[i] = 3;
        for (uint32_t i = 0; i < count; i++) batch->handles[i] = 4;
        for (uint32_t i = 0; i < count; i++) batch->endings[i] = 5;
        for (uint32_t i = 0; i < count; i++) batch->keys[i] = 6;
        for (uint32_t i = 0; i < count; i++) batch->agents[i] = NULL;
        for (uint32_t i = 0; i < count; i++) {
            CHECK(batch->observations[(size_t)i * QH_BATCH_STRIDE + 63] == 1 &&
                  batch->rewards[i] == 2);
            CHECK(batch->actions[i] == 3 && batch->handles[i] == 4 && batch->endings[i] == 5);
            CHECK(batch->keys[i] == 6 && batch->agents[i] == NULL);
        }
        CHECK(batch->endings + count <= end && (unsigned char *)(batch->keys + count) <= end);
        CHECK_EQ(batch->count, count);
        CHECK(batch->owner.id == batch->handle && batch->owner.kind == QH_OWNER_batch);
        qh_batch_destroy(runtime, batch);
        CHECK_EQ(runtime->memory.heap.live_bytes, live);
    }
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void a_batch_without_room_leaves_nothing(void) {
    REQUIRE(open_cast());
    qh_heap *heap = &runtime->memory.heap;
    size_t live = heap->live_bytes;
    uint64_t before = state_of_all();
    qh_handle handle = agents[0]->handle;
    for (uint32_t n = 1; n < 10; n++) {
        heap->fail_after = n;
        qh_result result = qh_batch_create(runtime, 593, &batch);
        heap->fail_after = 0;
        if (result == QH_OK) {
            qh_batch_destroy(runtime, batch);
            break;
        }
        CHECK_RESULT(result, QH_GROWTH_FAILED);
        CHECK_EQ(heap->live_bytes, live);
        CHECK(qh_runtime_validate(runtime));
    }
    CHECK(state_of_all() == before && qh_runtime_agent(runtime, handle) == agents[0]);
    qh_runtime_close(runtime);
}

TEST_SUITE(runtime_batch, {"a batch is its single calls", a_batch_is_its_single_calls},
           {"the order of agents does not matter", the_order_of_agents_does_not_matter},
           {"rows that ended rest and begin again", rows_that_ended_rest_and_begin_again},
           {"one bad row stops all", one_bad_row_stops_all},
           {"a spent quota stops all", a_spent_quota_stops_all},
           {"steps want episodes", steps_want_episodes},
           {"destroyed agents stop all", destroyed_agents_stop_all},
           {"wrong lists are refused", wrong_lists_are_refused},
           {"an unsealed batch does nothing", an_unsealed_batch_does_nothing},
           {"rows are apart, aligned and zero", rows_are_apart_aligned_and_zero},
           {"a batch without room leaves nothing", a_batch_without_room_leaves_nothing});
