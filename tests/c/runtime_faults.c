/* Fault injection: each allocation of a whole life fails, once or from then on, and so does the engine, the page budget and the
 * quota, wherever they may. A failed call has its error, changes nothing, leaks nothing; called again with memory it does what it
 * would have done: the end of every life is that of the one without faults. */
#include "cast.h"

#include "learn/transfer.h"

typedef enum fault {
    FAULT_NONE,
    FAULT_ONCE,  /* the n-th allocation fails; then there is memory again */
    FAULT_EVER,  /* it and all later ones */
    FAULT_PAGES, /* the engine grows no memory from the n-th call on, for one call */
} fault;

typedef struct life {
    qh_runtime *runtime;
    qh_agent *agent;
    fault fault;
    uint32_t failures;
    uint64_t expected; /* the state before the call that runs */
    bool alive;
} life;

static life now;

static uint64_t state_now(void) {
    return now.agent ? test_agent_state(now.agent) : 0;
}

/* After a failed call: the right error, nothing changed, all books in order. */
static void check_failure(qh_result result) {
    now.failures++;
    CHECK_RESULT(result, QH_GROWTH_FAILED);
    CHECK_EQ(state_now(), now.expected);
    CHECK(qh_runtime_validate(now.runtime));
}

/* Runs a call; repeats it after a failure that does not last. Returns whether it went through in the end. */
static bool survives(qh_result (*call)(void)) {
    qh_heap *heap = &now.runtime->memory.heap;
    now.expected = state_now();
    qh_result result = call();
    if (result == QH_OK) return true;
    check_failure(result);
    if (now.fault == FAULT_EVER) {
        CHECK_RESULT(call(), QH_GROWTH_FAILED); /* for ever means again */
        CHECK_EQ(state_now(), now.expected);
        return false;
    }
    heap->fail_after = 0;
    now.runtime->memory.budget.refuse_growth = false;
    CHECK_OK(call());
    return true;
}

/* ---------------------------------------------------------------- the calls of a life */

static qh_agent_def def;
static cast_world world, elsewhere; /* where the agent is, and whence it learns besides */
static qh_observation here;
static qh_experience experience;
static uint32_t taken, replayed;

static qh_result create(void) {
    qh_handle handle;
    QH_TRY(qh_runtime_create_agent(now.runtime, &def, &handle));
    now.agent = qh_runtime_agent(now.runtime, handle);
    return QH_OK;
}

static qh_result begin(void) {
    int32_t action;
    return qh_agent_begin(now.agent, here, &action);
}

static qh_result step(void) {
    int32_t action;
    return qh_agent_step(now.agent, &experience, &action);
}

static qh_result learn(void) {
    double td_error;
    return qh_agent_learn(now.agent, here, taken, &experience, QH_NO_ACTION, &td_error);
}

static qh_result replay(void) {
    double mean;
    return qh_agent_replay(now.agent, replayed, &mean);
}

/* Everything an agent does; ends early where a fault lasts. Returns the state at the end. */
static uint64_t live(uint32_t member, uint32_t steps) {
    world.random = qh__random_seeded(31, member);
    now.alive = survives(create);
    for (uint32_t i = 0; i < steps && now.alive; i++) {
        if (!now.agent->running) {
            here = cast_observe(&world);
            now.alive = survives(begin);
        }
        elsewhere.random = world.random;
        experience = cast_experience(&world);
        now.alive = now.alive && survives(step);
        if (i % 3 == 1 && now.alive) {
            here = cast_observe(&elsewhere);
            taken = i % now.agent->actions;
            now.alive = survives(learn);
        }
        replayed = 5;
        if (i % 8 == 5 && now.alive) now.alive = survives(replay);
    }
    return state_now();
}

/* Ends a life and looks at what it leaves behind. */
static void bury(uint64_t blocks) {
    qh_memory *memory = &now.runtime->memory;
    memory->heap.fail_after = 0;
    memory->budget.refuse_growth = false;
    if (now.agent) {
        int32_t action; /* what needs no memory works to the end */
        CHECK_OK(qh_agent_act(now.agent, cast_observe(&world), true, NULL, &action));
        CHECK_OK(qh_runtime_destroy_agent(now.runtime, now.agent->handle));
    }
    now.agent = NULL;
    CHECK_EQ(memory->heap.live_blocks - memory->runtime_owner.live_blocks -
                 memory->records_owner.live_blocks,
             blocks);
    for (uint32_t p = 0; p < QH_POOL_COUNT; p++) CHECK_EQ(qh_pool_in_use(&memory->pools[p]), 0);
    CHECK_EQ(now.runtime->plans.count, 0);
    CHECK_EQ(now.runtime->agent_count, 0);
    CHECK(qh_runtime_validate(now.runtime));
    qh_runtime_close(now.runtime);
}

/* One life whose n-th allocation fails. Returns whether there was an n-th. */
static bool live_with_fault(uint32_t member, uint32_t steps, fault kind, uint32_t n, bool track,
                            uint64_t *end) {
    qh_runtime_def runtime_def = {
        .max_pages = TEST_MAX_PAGES, .seed = 3, .track_allocations = track};
    now = (life){.fault = kind};
    CHECK(cast_member(member, &def));
    if (qh_runtime_open(&runtime_def, TEST_HEAP_START, &now.runtime) != QH_OK) return false;
    now.runtime->memory.heap.fail_after = kind == FAULT_NONE ? 0 : n;
    *end = live(member, steps);
    bool reached = now.runtime->memory.heap.fail_after == 1 || now.failures > 0;
    bury(0);
    return reached;
}

static void fail_each_allocation(fault kind, uint32_t steps, bool track) {
    uint32_t lives = 0, failures = 0;
    for (uint32_t member = 0; member < CAST_SIZE; member++) {
        uint64_t unharmed = 0, end = 0;
        live_with_fault(member, steps, FAULT_NONE, 0, track, &unharmed);
        uint32_t n = 1;
        for (; live_with_fault(member, steps, kind, n, track, &end); n++) {
            REQUIRE(n < 3000);
            lives++;
            failures += now.failures;
            if (kind == FAULT_ONCE || now.alive) CHECK_EQ(end, unharmed);
            if (test_failures()) {
                test_note_integer("member", member);
                test_note_integer("allocation", n);
                return;
            }
        }
        CHECK_EQ(end, unharmed);
        CHECK(n > 4);
    }
    test_note_integer("lives", lives);
    test_note_integer("calls that failed", failures);
    CHECK(failures > CAST_SIZE * 4);
}

static void every_allocation_fails_once(void) {
    fail_each_allocation(FAULT_ONCE, 60, false);
}

static void every_allocation_fails_for_ever(void) {
    fail_each_allocation(FAULT_EVER, 60, false);
}

static void every_allocation_fails_once_with_records(void) {
    fail_each_allocation(FAULT_ONCE, 30, true);
}

static void every_allocation_fails_for_ever_with_records(void) {
    fail_each_allocation(FAULT_EVER, 30, true);
}

/* ---------------------------------------------------------------- the engine, the budget, the quota */

/* In wasm the pages of hundreds of lives add up: they grow by little. */
#if defined(__wasm__)
#define FEW_PAGES (test_pages() + 8 + test_pages() / 32)
#else
#define FEW_PAGES TEST_MAX_PAGES
#endif

/* As if the heap had come to the end of its pages, but for so many bytes, and the engine gave no more. */
static void leave_only(qh_memory *memory, size_t byte_count) {
    void *spared, *filled;
    CHECK_OK(qh_heap_alloc(&memory->heap, &memory->runtime_owner, byte_count, QH_BLOCK_runtime,
                           &spared));
    memory->budget.refuse_growth = true;
    for (size_t bytes = (size_t)1 << 29; bytes >= 16; bytes /= 2)
        while (qh_heap_alloc(&memory->heap, &memory->runtime_owner, bytes, QH_BLOCK_runtime,
                             &filled) == QH_OK) {
        }
    qh_heap_free(&memory->heap, &memory->runtime_owner, spared, byte_count);
}

/* Memory that is all used before call number n: a growth that the engine refuses. */
static void the_engine_refuses_at_each_call(void) {
    uint32_t failures = 0;
    for (uint32_t member = 0; member < CAST_SIZE; member++) {
        uint64_t unharmed = 0;
        live_with_fault(member, 30, FAULT_NONE, 0, false, &unharmed);
        for (uint32_t wasted = 0; wasted < 12000; wasted += 592) {
            qh_runtime_def runtime_def = {.max_pages = FEW_PAGES, .seed = 3};
            now = (life){.fault = FAULT_PAGES};
            CHECK(cast_member(member, &def));
            REQUIRE_OK(qh_runtime_open(&runtime_def, TEST_HEAP_START, &now.runtime));
            qh_memory *memory = &now.runtime->memory;
            leave_only(memory, 12000 - wasted);
            uint64_t end = live(member, 30);
            CHECK_EQ(end, unharmed);
            failures += now.failures;
            bury(0);
        }
    }
    test_note_integer("calls that failed", failures);
    CHECK(failures > CAST_SIZE * 4);
}

/* Lives on in ever smaller budgets: each ends with EXCEEDS_LIMIT at some point, never otherwise. */
static void a_page_budget_ends_lives_in_order(void) {
    for (uint32_t member = 0; member < CAST_SIZE; member++)
        for (uint32_t spare = 1; spare <= 3; spare++) {
            qh_runtime_def runtime_def = {.max_pages = test_pages() + spare, .seed = 3};
            size_t start = (size_t)test_pages() * QH_PAGE_BYTES;
            now = (life){0};
            CHECK(cast_member(member, &def));
            REQUIRE_OK(qh_runtime_open(&runtime_def, start, &now.runtime));
            def.quota_bytes = 1e9;
            qh_result result = create(), (*refused)(void) = create;
            world.random = qh__random_seeded(32, member);
            uint32_t crowd = 0;
            for (; result == QH_OK && crowd < 3000; crowd++) { /* agents until there is no room */
                elsewhere.random = world.random;
                here = cast_observe(&elsewhere);
                experience = cast_experience(&world);
                taken = 0;
                now.expected = state_now();
                qh_agent *learning = now.agent;
                result = (refused = learn)();
                if (result == QH_OK) result = (refused = create)();
                if (result != QH_OK) CHECK(now.agent == learning);
            }
            CHECK_RESULT(result, QH_EXCEEDS_LIMIT);
            CHECK(crowd > 4 && qh_runtime_validate(now.runtime));
            uint64_t hash = qh_runtime_hash(now.runtime);
            CHECK_RESULT(refused(), QH_EXCEEDS_LIMIT);
            CHECK_EQ(qh_runtime_hash(now.runtime), hash);
            qh_runtime_close(now.runtime);
        }
}

static void every_quota_ends_a_life_in_order(void) {
    for (uint32_t member = 0; member < CAST_SIZE; member++) {
        qh_runtime *runtime = test_runtime_open(3, true);
        REQUIRE(runtime);
        for (uint32_t quota = 0; quota < 24000; quota += 487) {
            now = (life){.runtime = runtime};
            CHECK(cast_member(member, &def));
            def.quota_bytes = quota;
            world.random = qh__random_seeded(33, member);
            qh_result result = create();
            for (uint32_t i = 0; i < 60 && result == QH_OK; i++) {
                here = cast_observe(&world);
                if (!now.agent->running) CHECK_OK(begin());
                experience = cast_experience(&world);
                now.expected = state_now();
                result = step();
                if (result == QH_OK) continue;
                CHECK_EQ(state_now(), now.expected);
                CHECK(qh_agent_validate(now.agent));
            }
            CHECK(result == QH_OK || result == QH_QUOTA_EXCEEDED);
            if (now.agent) CHECK_OK(qh_runtime_destroy_agent(runtime, now.agent->handle));
            CHECK_EQ(runtime->memory.heap.live_blocks,
                     runtime->memory.runtime_owner.live_blocks +
                         runtime->memory.records_owner.live_blocks);
        }
        CHECK(qh_runtime_validate(runtime));
        qh_runtime_close(runtime);
    }
}

/* ---------------------------------------------------------------- batches */

static void a_batch_fails_for_all_or_for_none(void) {
    uint64_t hashes[200];
    uint32_t failures = 0, runs = 0;
    for (uint32_t n = 0; n < COUNT_OF(hashes); n++, runs++) { /* run 0 has no fault */
        qh_runtime *runtime = test_runtime_open(3, false);
        qh_batch *batch;
        REQUIRE(runtime);
        REQUIRE_OK(qh_batch_create(runtime, CAST_SIZE, &batch));
        qh_agent *agents[CAST_SIZE];
        for (uint32_t i = 0; i < CAST_SIZE; i++) {
            CHECK(cast_member(i, &def));
            REQUIRE((agents[i] = test_agent(runtime, &def)) != NULL);
            batch->handles[i] = agents[i]->handle;
        }
        REQUIRE_OK(qh_batch_seal(runtime, batch));
        qh_heap *heap = &runtime->memory.heap;
        heap->fail_after = n;
        world.random = qh__random_seeded(34, 0);
        for (uint32_t round = 0; round < 12; round++) {
            for (uint32_t i = 0; i < CAST_SIZE; i++) {
                float *row = batch->observations + (size_t)i * QH_BATCH_STRIDE;
                here = cast_observe(&world);
                for (uint32_t d = 0; d < CAST_DIMS; d++) row[d] = here.values[d];
                if (agents[i]->encoder.plan->kind == QH_ENCODER_INDEX) row[0] = (float)here.state;
                batch->rewards[i] = (float)round;
            }
            uint64_t before = 0, after = 0;
            for (uint32_t i = 0; i < CAST_SIZE; i++)
                before = qh__hash_step(before, test_agent_state(agents[i]));
            qh_result result =
                round ? qh_batch_step(runtime, batch) : qh_batch_begin(runtime, batch);
            if (result == QH_OK) continue;
            failures++;
            CHECK_RESULT(result, QH_GROWTH_FAILED);
            for (uint32_t i = 0; i < CAST_SIZE; i++)
                after = qh__hash_step(after, test_agent_state(agents[i]));
            CHECK_EQ(after, before);
            CHECK(qh_runtime_validate(runtime));
            heap->fail_after = 0;
            CHECK_OK(round ? qh_batch_step(runtime, batch) : qh_batch_begin(runtime, batch));
        }
        hashes[n] = 0;
        for (uint32_t i = 0; i < CAST_SIZE; i++)
            hashes[n] = qh__hash_step(hashes[n], test_agent_state(agents[i]));
        CHECK_EQ(hashes[n], hashes[0]);
        bool reached = n == 0 || heap->fail_after <= 1;
        qh_runtime_close(runtime);
        if (!reached) break;
    }
    test_note_integer("runs", runs);
    CHECK(failures > 30);
}

/* ---------------------------------------------------------------- every other operation */

/* What a user can do beside letting agents live: each as one call over a runtime with agents that have learned. */
static struct {
    qh_runtime *runtime;
    qh_agent *agents[4];
    qh_batch *batch;
    unsigned char *bytes; /* a table, exported before any fault */
    size_t byte_count;
} site;

static qh_result make_batch(void) {
    return qh_batch_create(site.runtime, 3, &site.batch);
}

static qh_result make_agent(void) {
    qh_agent_def one;
    qh_handle handle;
    CHECK(cast_member(8, &one));
    return qh_runtime_create_agent(site.runtime, &one, &handle);
}

static qh_result import_table(void) {
    return qh_agent_import(site.agents[1], site.bytes, site.byte_count);
}

static qh_result reset_agent(void) {
    return qh_agent_reset(site.agents[2]);
}

static qh_result export_table(void) {
    qh_heap *heap = &site.runtime->memory.heap;
    qh_owner *payer = &site.runtime->memory.runtime_owner;
    void *bytes;
    QH_TRY(qh_heap_alloc(heap, payer, site.byte_count, QH_BLOCK_buffer, &bytes));
    qh_agent_export(site.agents[0], bytes);
    qh_heap_free(heap, payer, bytes, site.byte_count);
    return QH_OK;
}

static qh_result define_zones(void) {
    static const double numbers[7] = {0, 10, 5, 1, -1, 60000, 0};
    qh_zones_def zones = {numbers, COUNT_OF(numbers), 1, 0, 0, 1000, 8000};
    return qh_zones_open(&site.runtime->memory, &zones, &site.runtime->zones);
}

static qh_result fill_arena(void) {
    qh_arena arena;
    void *block;
    qh_arena_open(&arena, &site.runtime->memory.heap, &site.runtime->memory.runtime_owner, 0,
                  QH_BLOCK_buffer);
    qh_result result = QH_OK;
    for (uint32_t i = 0; i < 40 && result == QH_OK; i++)
        result = qh_arena_alloc(&arena, 700, &block);
    CHECK(qh_arena_validate(&arena));
    qh_arena_clear(&arena);
    return result;
}

static const struct operation {
    const char *name;
    qh_result (*call)(void);
    bool frees_first; /* gives back before it takes */
} operations[] = {{"create an agent", make_agent, false},  {"make a batch", make_batch, false},
                  {"import a table", import_table, false}, {"reset an agent", reset_agent, true},
                  {"export a table", export_table, false}, {"define zones", define_zones, false},
                  {"fill an arena", fill_arena, false}};

static void open_site(bool track) {
    qh_runtime_def runtime_def = {
        .max_pages = TEST_MAX_PAGES, .seed = 3, .track_allocations = track};
    CHECK_OK(qh_runtime_open(&runtime_def, TEST_HEAP_START, &site.runtime));
    for (uint32_t i = 0; i < COUNT_OF(site.agents); i++) {
        CHECK(cast_member(i == 1 ? 0 : i * 3, &def));
        site.agents[i] = test_agent(site.runtime, &def);
        now.agent = site.agents[i];
        world.random = qh__random_seeded(40, i == 1 ? 0 : i);
        for (uint32_t step_number = 0; step_number < 50; step_number++) {
            here = cast_observe(&world);
            if (!now.agent->running) CHECK_OK(begin());
            experience = cast_experience(&world);
            CHECK_OK(step());
        }
    }
    void *bytes = NULL;
    CHECK_OK(qh_agent_export_size(site.agents[0], &site.byte_count));
    CHECK_OK(qh_heap_alloc(&site.runtime->memory.heap, &site.runtime->memory.runtime_owner,
                           site.byte_count, QH_BLOCK_buffer, &bytes));
    site.bytes = bytes;
    qh_agent_export(site.agents[0], bytes);
}

static uint64_t site_state(void) {
    uint64_t hash = qh__hash_step(qh_runtime_hash(site.runtime), site.runtime->agent_count);
    for (uint32_t i = 0; i < COUNT_OF(site.agents); i++)
        hash = qh__hash_step(hash, test_agent_state(site.agents[i]));
    return qh__hash_step(hash, site.runtime->memory.shared.count);
}

/* What belongs to anybody but the runtime, whose list of objects and records may have grown for what then failed. */
static size_t others_bytes(void) {
    const qh_memory *memory = &site.runtime->memory;
    return memory->heap.live_bytes - memory->runtime_owner.live_bytes -
           memory->records_owner.live_bytes;
}

/* A failure has its error and changed nothing; another one does not even take what the first one had to. */
static void check_refusal(const struct operation *operation, qh_result result, uint64_t state,
                          size_t bytes) {
    CHECK_RESULT(result, QH_GROWTH_FAILED);
    CHECK(qh_runtime_validate(site.runtime));
    if (operation->frees_first) return;
    CHECK_EQ(site_state(), state);
    CHECK_EQ(others_bytes(), bytes);
    size_t all = site.runtime->memory.heap.live_bytes;
    CHECK_RESULT(operation->call(), QH_GROWTH_FAILED);
    CHECK_EQ(site.runtime->memory.heap.live_bytes, all);
    CHECK_EQ(site_state(), state);
}

static void refuse_each_allocation_of(const struct operation *operation, bool track) {
    uint64_t unharmed = 0;
    for (uint32_t n = 0;; n++) { /* run 0 has no fault */
        REQUIRE(n < 200);
        open_site(track);
        qh_heap *heap = &site.runtime->memory.heap;
        uint64_t state = site_state();
        size_t bytes = others_bytes();
        heap->fail_after = n;
        qh_result result = operation->call();
        bool reached = n == 0 || result != QH_OK;
        if (n > 0 && result != QH_OK) {
            check_refusal(operation, result, state, bytes);
            heap->fail_after = 0;
            result = operation->call();
        }
        heap->fail_after = 0;
        CHECK_OK(result);
        if (n == 0) unharmed = site_state();
        CHECK_EQ(site_state(), unharmed);
        CHECK(qh_runtime_validate(site.runtime));
        qh_runtime_close(site.runtime);
        if (!reached) {
            CHECK(n > 1 || operation->frees_first);
            return;
        }
    }
}

static void every_operation_survives_every_refusal(void) {
    for (uint32_t i = 0; i < COUNT_OF(operations); i++)
        for (uint32_t track = 0; track < 2 && test_failures() == 0; track++) {
            refuse_each_allocation_of(&operations[i], track != 0);
            if (test_failures()) test_note(operations[i].name);
        }
}

/* All memory there is, taken by somebody else in ever smaller blocks: now every operation meets the engine's own refusal. */
static void every_operation_survives_an_engine_that_refuses(void) {
    static void *fillers[20000];
    static uint32_t sizes[COUNT_OF(fillers)];
    for (uint32_t i = 0; i < COUNT_OF(operations) && test_failures() == 0; i++) {
        open_site(false);
        qh_memory *memory = &site.runtime->memory;
        qh_owner hoarder;
        qh_owner_open(&memory->heap, &hoarder, 0, QH_OWNER_metrics, SIZE_MAX / 2);
        memory->budget.refuse_growth = true;
        uint32_t count = 0;
        for (uint32_t bytes = 65536; bytes >= 16; bytes = bytes > 1024 ? bytes / 2 : bytes - 16)
            while (count < COUNT_OF(fillers) &&
                   qh_heap_alloc(&memory->heap, &hoarder, bytes, QH_BLOCK_buffer,
                                 &fillers[count]) == QH_OK)
                sizes[count++] = bytes;
        REQUIRE(count < COUNT_OF(fillers));
        uint64_t state = site_state();
        size_t live_bytes = others_bytes();
        uint32_t failures = 0, freed = count;
        qh_result result = operations[i].call();
        while (result != QH_OK && freed > 0) { /* room comes back, the smallest blocks first */
            check_refusal(&operations[i], result, state, live_bytes);
            failures++;
            freed--;
            qh_heap_free(&memory->heap, &hoarder, fillers[freed], sizes[freed]);
            live_bytes = others_bytes();
            result = operations[i].call();
        }
        memory->budget.refuse_growth = false; /* a heap need not have a hole of every size */
        if (result != QH_OK) result = operations[i].call();
        CHECK_OK(result);
        CHECK(failures > 0 || operations[i].frees_first);
        while (freed > 0) {
            freed--;
            qh_heap_free(&memory->heap, &hoarder, fillers[freed], sizes[freed]);
        }
        CHECK(qh_runtime_validate(site.runtime));
        if (test_failures()) test_note(operations[i].name);
        qh_runtime_close(site.runtime);
    }
}

TEST_SUITE(runtime_faults, {"every allocation of a life fails once", every_allocation_fails_once},
           {"every allocation of a life fails for ever", every_allocation_fails_for_ever},
           {"every allocation fails once, with records", every_allocation_fails_once_with_records},
           {"every allocation fails for ever, with records",
            every_allocation_fails_for_ever_with_records},
           {"the engine refuses at each call", the_engine_refuses_at_each_call},
           {"a page budget ends lives in order", a_page_budget_ends_lives_in_order},
           {"every quota ends a life in order", every_quota_ends_a_life_in_order},
           {"a batch fails for all or for none", a_batch_fails_for_all_or_for_none},
           {"every operation survives every refusal", every_operation_survives_every_refusal},
           {"every operation survives an engine that refuses",
            every_operation_survives_an_engine_that_refuses});
