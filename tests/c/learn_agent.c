/* Whole agents: what they cost, give back, refuse, and leave alone; one stream of chance each; two paths with one result. */
#include "cast.h"

#include "learn/express.h"
#include "learn/transfer.h"

static qh_runtime *runtime;
static cast_world world;

static qh_agent *open_member(uint32_t member) {
    qh_agent_def def;
    CHECK(cast_member(member, &def));
    runtime = test_runtime_open(3, false);
    world.random = qh__random_seeded(17, member);
    return runtime ? test_agent(runtime, &def) : NULL;
}

/* Plays `steps` steps, of each kind of call some. */
static void play(qh_agent *agent, uint32_t steps) {
    int32_t action;
    double number;
    for (uint32_t i = 0; i < steps; i++) {
        if (!agent->running) {
            CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
            CHECK(action >= 0 && action < (int32_t)agent->actions);
        }
        qh_experience experience = cast_experience(&world);
        CHECK_OK(qh_agent_step(agent, &experience, &action));
        CHECK(experience.ending ? action == QH_NO_ACTION
                                : action >= 0 && action < (int32_t)agent->actions);
        if (i % 7 == 3) {
            qh_observation here = {world.values, world.state};
            cast_world elsewhere = {.random = world.random};
            experience = cast_experience(&elsewhere);
            uint32_t taken = qh__random_below(&world.random, agent->actions);
            CHECK_OK(qh_agent_learn(agent, here, taken, &experience, QH_NO_ACTION, &number));
        }
        if (i % 11 == 5) CHECK_OK(qh_agent_replay(agent, 4, &number));
    }
}

/* Member `i` after `steps` steps, in a runtime of its own; the one before it goes. NULL after the last. */
static qh_agent *next_member(uint32_t i, uint32_t steps) {
    qh_agent_def def;
    if (i > 0) qh_runtime_close(runtime);
    if (!cast_member(i, &def)) return NULL;
    qh_agent *agent = open_member(i);
    if (agent)
        play(agent, steps);
    else
        TEST_FAIL("no agent");
    return agent;
}

/* ---------------------------------------------------------------- what an agent costs */

static void an_agent_that_learned_nothing_is_small(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 0)); i++) {
        CHECK(agent->owner.live_bytes <= 4096);
        CHECK_EQ(qh_table_bytes(&agent->table), 0);
    }
}

/* 64 dimensions and 16 actions, the plan that hundreds would share included. */
static void the_first_of_many_is_small_too(void) {
    static qh_dim dims[QH_MAX_DIMS];
    for (uint32_t i = 0; i < QH_MAX_DIMS; i++) dims[i] = (qh_dim){0, 1, 16, 0};
    runtime = test_runtime_open(3, false);
    REQUIRE(runtime);
    qh_agent_def def = qh_agent_def_default();
    def.actions = 16;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_BINS, .dims = dims, .dim_count = QH_MAX_DIMS};
    const char name[] = "tilt of cell 57";
    def.name = name;
    def.name_length = sizeof name - 1;
    CHECK_OK(qh_runtime_destroy_agent(runtime,
                                      test_agent(runtime, &def)->handle)); /* the list of slots */
    size_t before = runtime->memory.heap.live_bytes;
    qh_agent *agent = test_agent(runtime, &def);
    REQUIRE(agent);
    size_t cost = runtime->memory.heap.live_bytes - before + QH_STATE_BYTES;
    test_note_integer("bytes of the first agent of 64 dimensions", (int64_t)cost);
    CHECK(cost <= 4096);
    before = runtime->memory.heap.live_bytes;
    def.name_length = 0;
    REQUIRE(test_agent(runtime, &def));
    cost = runtime->memory.heap.live_bytes - before + QH_STATE_BYTES;
    test_note_integer("bytes of the second", (int64_t)cost);
    CHECK(cost <= 2048);
    qh_runtime_close(runtime);
}

static size_t bytes_without_records(void) {
    return runtime->memory.heap.live_bytes - runtime->memory.records_owner.live_bytes;
}

static void a_destroyed_agent_gives_everything_back(void) {
    qh_agent_def def;
    for (uint32_t i = 0; cast_member(i, &def); i++) {
        runtime = test_runtime_open(3, true);
        REQUIRE(runtime);
        CHECK_OK(qh_runtime_destroy_agent(runtime, test_agent(runtime, &def)->handle));
        size_t before = bytes_without_records();
        uint64_t blocks = runtime->memory.heap.live_blocks;
        qh_agent *agent = test_agent(runtime, &def);
        REQUIRE(agent);
        world.random = qh__random_seeded(18, i);
        play(agent, 400);
        CHECK(agent->table.rows > 0 && qh_agent_validate(agent));
        size_t parts = qh_table_bytes(&agent->table) + qh_replay_bytes(&agent->replay);
        CHECK(parts < agent->owner.live_bytes);
        CHECK_OK(qh_runtime_destroy_agent(runtime, agent->handle));
        CHECK_EQ(bytes_without_records(), before);
        CHECK_EQ(runtime->memory.heap.live_blocks, blocks);
        for (uint32_t p = 0; p < QH_POOL_COUNT; p++)
            CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[p]), 0);
        CHECK_EQ(runtime->plans.count, 0);
        CHECK(qh_runtime_validate(runtime));
        qh_runtime_close(runtime);
    }
}

static void reset_is_a_new_beginning(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 0)); i++) {
        uint64_t untouched = test_agent_state(agent);
        play(agent, 300);
        uint64_t first = test_agent_state(agent);
        CHECK_OK(qh_agent_reset(agent));
        CHECK_EQ(qh_table_bytes(&agent->table), 0);
        CHECK_EQ(test_agent_state(agent), untouched);
        world.random = qh__random_seeded(17, i);
        play(agent, 300);
        CHECK_EQ(test_agent_state(agent), first);
    }
}

/* ---------------------------------------------------------------- quotas */

/* Learns until the quota is spent: then nothing changes, and what is known can still be learned from. */
static void a_spent_quota_changes_nothing(void) {
    qh_agent_def def;
    for (uint32_t i = 0; cast_member(i, &def); i++) {
        runtime = test_runtime_open(3, false);
        REQUIRE(runtime);
        qh_agent *probe = test_agent(runtime, &def);
        REQUIRE(probe);
        def.quota_bytes = (double)probe->owner.live_bytes + 3000;
        qh_agent *agent = test_agent(runtime, &def);
        REQUIRE(agent);
        world.random = qh__random_seeded(19, i);
        uint32_t refusals = 0;
        for (uint32_t n = 0; n < 1500; n++) {
            int32_t action = -99;
            if (!agent->running) CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
            qh_experience experience = cast_experience(&world);
            uint64_t before = test_agent_state(agent);
            action = -99;
            qh_result result = qh_agent_step(agent, &experience, &action);
            if (result == QH_OK) continue;
            CHECK_RESULT(result, QH_QUOTA_EXCEEDED);
            CHECK_EQ(action, -99);
            CHECK_EQ(test_agent_state(agent), before);
            CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_QUOTA_EXCEEDED);
            CHECK_EQ(test_agent_state(agent), before);
            CHECK(qh_agent_validate(agent));
            refusals++;
            CHECK_OK(
                qh_agent_begin(agent, cast_observe(&world), &action)); /* elsewhere it may go on */
        }
        if (i != 7) CHECK(refusals > 5); /* the simhash of six bits has no more states */
        CHECK(agent->owner.live_bytes <= agent->owner.quota_bytes);
        CHECK(qh_runtime_validate(runtime));
        qh_runtime_close(runtime);
    }
}

static void an_agent_needs_a_quota_for_itself(void) {
    qh_agent_def def;
    for (uint32_t i = 0; cast_member(i, &def); i++) {
        runtime = test_runtime_open(3, false);
        REQUIRE(runtime);
        qh_agent *probe = test_agent(runtime, &def);
        REQUIRE(probe);
        size_t needed = probe->owner.live_bytes;
        CHECK_OK(qh_runtime_destroy_agent(runtime, probe->handle));
        size_t before = runtime->memory.heap.live_bytes;
        for (size_t quota = 0; quota < needed; quota += 48) {
            qh_handle handle = 77;
            def.quota_bytes = (double)quota;
            CHECK_RESULT(qh_runtime_create_agent(runtime, &def, &handle), QH_QUOTA_EXCEEDED);
            CHECK_EQ(handle, 77);
            CHECK_EQ(runtime->memory.heap.live_bytes, before);
        }
        CHECK_EQ(runtime->agent_count, 0);
        def.quota_bytes = (double)needed;
        CHECK(test_agent(runtime, &def));
        CHECK(qh_runtime_validate(runtime));
        qh_runtime_close(runtime);
    }
}

static void a_replay_beyond_the_quota_harms_nobody(void) {
    qh_agent *neighbour = open_member(0);
    REQUIRE(neighbour);
    play(neighbour, 200);
    uint64_t before = qh_runtime_hash(runtime);
    size_t bytes = runtime->memory.heap.live_bytes;
    qh_agent_def def;
    CHECK(cast_member(8, &def));
    qh_handle handle;
    for (uint32_t capacity = 3000000; capacity <= 0x10000000; capacity = capacity * 3 + 1) {
        def.replay_capacity = capacity;
        CHECK_RESULT(qh_runtime_create_agent(runtime, &def, &handle), QH_QUOTA_EXCEEDED);
        CHECK_EQ(qh_runtime_hash(runtime), before);
        CHECK_EQ(runtime->memory.heap.live_bytes, bytes);
        CHECK(qh_runtime_validate(runtime));
    }
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- re-entrant use */

static void a_borrowed_agent_is_busy(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 50)); i++) {
        int32_t action = -99;
        if (!agent->running) CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
        qh_experience experience = cast_experience(&world);
        qh_observation here = {world.values, world.state};
        double number = 0;
        unsigned char bytes[32] = {0};
        uint64_t before = test_agent_state(agent);
        agent->borrowed = true; /* as inside a call */
        CHECK_RESULT(qh_agent_begin(agent, here, &action), QH_BUSY);
        CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_BUSY);
        CHECK_RESULT(qh_agent_act(agent, here, false, NULL, &action), QH_BUSY);
        CHECK_RESULT(qh_agent_learn(agent, here, 0, &experience, QH_NO_ACTION, &number), QH_BUSY);
        CHECK_RESULT(qh_agent_replay(agent, 3, &number), QH_BUSY);
        CHECK_RESULT(qh_agent_reset(agent), QH_BUSY);
        CHECK_RESULT(qh_agent_import(agent, bytes, sizeof bytes), QH_BUSY);
        CHECK_RESULT(qh_runtime_destroy_agent(runtime, agent->handle), QH_BUSY);
        CHECK(!qh_agent_validate(agent)); /* between calls nobody borrows */
        agent->borrowed = false;
        CHECK_EQ(test_agent_state(agent), before);
        CHECK_OK(qh_agent_step(agent, &experience, &action));
    }
}

/* ---------------------------------------------------------------- definitions and observations */

#define CHECK_REFUSED(change)                                                                      \
    do {                                                                                           \
        qh_agent_def def = test_greedy(4, 10);                                                     \
        qh_handle handle;                                                                          \
        change;                                                                                    \
        CHECK_RESULT(qh_runtime_create_agent(runtime, &def, &handle), QH_INVALID_ARGUMENT);        \
    } while (0)

static void definitions_out_of_range_are_refused(void) {
    const double nan = __builtin_nan(""), infinite = __builtin_inf();
    static const double no_fractions[] = {-0.1, 1.1, -1e300, 1e300};
    runtime = test_runtime_open(3, false);
    REQUIRE(runtime);
    for (uint32_t i = 0; i < 7; i++) {
        double x = i < 4 ? no_fractions[i] : i == 4 ? nan : i == 5 ? infinite : -infinite;
        CHECK_REFUSED(def.rate = test_constant(x));
        CHECK_REFUSED(def.rate.end = x);
        CHECK_REFUSED(def.rate.decay = x);
        CHECK_REFUSED(def.discount = x);
        CHECK_REFUSED(def.lambda = x);
        CHECK_REFUSED((def.policy = QH_EPSILON_GREEDY, def.exploration = test_constant(x)));
        CHECK_REFUSED((def.policy = QH_EPSILON_GREEDY, def.exploration.decay = x));
        CHECK_REFUSED((def.replay_kind = QH_REPLAY_PRIORITIZED, def.replay_alpha = x));
        CHECK_REFUSED((def.replay_kind = QH_REPLAY_PRIORITIZED, def.replay_beta = x));
        if (i != 1 && i != 3) CHECK_REFUSED((def.policy = QH_UCB, def.ucb_c = x));
        if (i != 1 && i != 3)
            CHECK_REFUSED((def.policy = QH_SOFTMAX, def.exploration = test_constant(x)));
        if (i > 1) CHECK_REFUSED(def.initial_value = x);
        if (i != 1 && i != 3 && i != 5) CHECK_REFUSED(def.quota_bytes = x);
    }
    CHECK_REFUSED(def.rate = test_constant(0));
    CHECK_REFUSED((def.policy = QH_SOFTMAX, def.exploration = test_constant(0)));
    CHECK_REFUSED((def.policy = QH_SOFTMAX, def.exploration.end = 0));
    CHECK_REFUSED(def.actions = 0);
    CHECK_REFUSED(def.actions = QH_MAX_ACTIONS + 1);
    CHECK_REFUSED(def.actions = 0xFFFFFFFFu);
    CHECK_REFUSED(def.algorithm = QH_DOUBLE_Q + 1);
    CHECK_REFUSED(def.policy = QH_UCB + 1);
    CHECK_REFUSED(def.tie_break = QH_TIE_FIRST + 1);
    CHECK_REFUSED(def.replay_kind = QH_REPLAY_PRIORITIZED + 1);
    CHECK_REFUSED(def.n_step = 0);
    CHECK_REFUSED(def.n_step = 1025);
    CHECK_REFUSED(def.replay_capacity = 0x10000001u);
    CHECK_REFUSED(def.planning = 1000001);
    CHECK_REFUSED(def.encoder.states = 0);
    CHECK_REFUSED((def.lambda = 0.5, def.n_step = 2));
    CHECK_REFUSED((def.lambda = 0.5, def.algorithm = QH_DOUBLE_Q));
    CHECK_REFUSED((def.planning = 1, def.encoder = cast_encoder(QH_ENCODER_TILES, cast_dims)));
    CHECK_EQ(runtime->agent_count, 0);
    CHECK_EQ(runtime->memory.heap.live_blocks, runtime->memory.runtime_owner.live_blocks);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void observations_out_of_range_change_nothing(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 100)); i++) {
        int32_t action = -99;
        if (!agent->running) CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
        action = -99;
        float numbers[QH_MAX_ACTIONS];
        uint32_t counts[QH_MAX_ACTIONS];
        double td_error;
        qh_experience fine = cast_experience(&world);
        for (uint32_t at = 0; at < CAST_DIMS; at++) {
            float values[QH_MAX_DIMS] = {4, 0, 50};
            values[at] = at == 1 ? -__builtin_nanf("") : __builtin_nanf("");
            qh_observation spoilt = {values, __builtin_nan("")};
            qh_experience experience = {spoilt, 1, QH_GOING_ON, 0};
            uint64_t before = test_agent_state(agent);
            CHECK_RESULT(qh_agent_begin(agent, spoilt, &action), QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_act(agent, spoilt, false, NULL, &action), QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_learn(agent, spoilt, 0, &fine, QH_NO_ACTION, &td_error),
                         QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_learn(agent, fine.next, 0, &experience, QH_NO_ACTION, &td_error),
                         QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_values(agent, spoilt, numbers), QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_visits(agent, spoilt, counts), QH_INVALID_ARGUMENT);
            CHECK_RESULT(qh_agent_probabilities(agent, spoilt, NULL, numbers), QH_INVALID_ARGUMENT);
            CHECK_EQ(action, -99);
            CHECK_EQ(test_agent_state(agent), before);
        }
    }
}

static void reading_changes_nothing(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 100)); i++) {
        float numbers[QH_MAX_ACTIONS];
        uint32_t counts[QH_MAX_ACTIONS];
        uint64_t before = test_agent_state(agent);
        for (uint32_t n = 0; n < 50; n++) {
            qh_observation here = cast_observe(&world);
            double sum = 0;
            CHECK_OK(qh_agent_values(agent, here, numbers));
            CHECK_OK(qh_agent_visits(agent, here, counts));
            CHECK_OK(qh_agent_probabilities(agent, here, NULL, numbers));
            for (uint32_t a = 0; a < agent->actions; a++) sum += (double)numbers[a];
            CHECK_NEAR(sum, 1, 1e-5);
        }
        CHECK_EQ(test_agent_state(agent), before);
    }
}

/* ---------------------------------------------------------------- acting */

static void masks_forbid(void) {
    qh_agent *agent;
    for (uint32_t i = 0; (agent = next_member(i, 200)); i++) {
        float probabilities[QH_MAX_ACTIONS];
        for (uint32_t n = 0; n < 200; n++) {
            uint32_t mask[QH_MASK_WORDS] = {0};
            uint32_t only = qh__random_below(&world.random, agent->actions);
            for (uint32_t a = 0; a < agent->actions; a++)
                if (a == only || qh__random_below(&world.random, 3) == 0)
                    mask[a / 32] |= 1u << a % 32;
            int32_t action;
            qh_observation here = cast_observe(&world);
            CHECK_OK(qh_agent_act(agent, here, n % 2, mask, &action));
            CHECK(mask[action / 32] >> action % 32 & 1);
            CHECK_OK(qh_agent_probabilities(agent, here, mask, probabilities));
            for (uint32_t a = 0; a < agent->actions; a++)
                CHECK((mask[a / 32] >> a % 32 & 1) || probabilities[a] == 0);
        }
        uint32_t none[QH_MASK_WORDS] = {0}, beyond[QH_MASK_WORDS] = {0};
        beyond[31] = 0x80000000u;
        int32_t action = -99;
        uint64_t before = test_agent_state(agent);
        CHECK_RESULT(qh_agent_act(agent, cast_observe(&world), false, none, &action),
                     QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_agent_act(agent, cast_observe(&world), false, beyond, &action),
                     QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_agent_probabilities(agent, cast_observe(&world), none, probabilities),
                     QH_INVALID_ARGUMENT);
        CHECK(action == -99 && test_agent_state(agent) == before);
    }
}

static void the_first_choice_of_an_unseen_state_is_uniform(void) {
    uint32_t counts[6] = {0};
    qh_agent *agent = open_member(0);
    REQUIRE(agent);
    int32_t action;
    for (uint32_t i = 0; i < 6000; i++) {
        CHECK_OK(qh_agent_begin(agent, cast_observe(&world), &action));
        counts[action]++;
    }
    CHECK(test_chi_square(counts, NULL, agent->actions) <
          test_chi_square_limit(agent->actions - 1));
    CHECK_EQ(agent->table.rows, 0); /* looking is not learning */
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- chance and determinism */

static uint64_t life_of(const char *name, uint32_t member, uint64_t seed, uint32_t forerunners) {
    qh_agent_def def;
    runtime = test_runtime_open(seed, false);
    if (!runtime) return 0;
    for (uint32_t i = 0; i < forerunners; i++) { /* other numbers, other slots, used memory */
        CHECK(cast_member(i % CAST_SIZE, &def));
        qh_agent *other = test_agent(runtime, &def);
        world.random = qh__random_seeded(99, i);
        if (other) play(other, 100);
        if (other && i % 2) CHECK_OK(qh_runtime_destroy_agent(runtime, other->handle));
    }
    CHECK(cast_member(member, &def));
    def.name = name;
    while (name && name[def.name_length]) def.name_length++;
    qh_agent *agent = test_agent(runtime, &def);
    world.random = qh__random_seeded(5, member);
    if (agent) play(agent, 300);
    uint64_t state = agent ? test_agent_state(agent) : 0;
    qh_runtime_close(runtime);
    return state;
}

static void a_named_agent_is_the_same_in_any_company(void) {
    for (uint32_t member = 0; member < CAST_SIZE; member++) {
        uint64_t alone = life_of("anna", member, 7, 0);
        CHECK_EQ(life_of("anna", member, 7, 0), alone);
        CHECK_EQ(life_of("anna", member, 7, 5), alone);
        CHECK(life_of("anna", member, 8, 0) != alone);
        CHECK(life_of("bert", member, 7, 0) != alone);
        CHECK(life_of(NULL, member, 7, 0) != alone);
    }
}

static void unnamed_agents_differ_by_number(void) {
    CHECK_EQ(life_of(NULL, 0, 7, 0), life_of(NULL, 0, 7, 0));
    CHECK(life_of(NULL, 0, 7, 0) != life_of(NULL, 0, 7, 1));
    CHECK_EQ(life_of(NULL, 0, 7, 3), life_of(NULL, 0, 7, 3));
}

/* The express lane against the general path, to the bit: values, chance, metrics. */
static void the_express_lane_is_the_general_path(void) {
    static const uint32_t members[] = {0, 12, 13};
    for (uint32_t i = 0; i < COUNT_OF(members); i++)
        for (uint32_t variant = 0; variant < 4; variant++) {
            uint64_t states[2];
            for (uint32_t general = 0; general < 2; general++) {
                qh_agent_def def;
                CHECK(cast_member(members[i], &def));
                if (variant == 1) def.policy = QH_GREEDY;
                if (variant == 2) def.rate_visits = 1;
                if (variant == 3) def.actions = 32;
                runtime = test_runtime_open(11, false);
                REQUIRE(runtime);
                qh_agent *agent = test_agent(runtime, &def);
                REQUIRE(agent);
                CHECK(agent->express && agent->express_learner);
                if (general) agent->express = agent->express_learner = agent->quick = false;
                world.random = qh__random_seeded(6, i);
                play(agent, 2000);
                states[general] = test_agent_state(agent);
                CHECK(qh_agent_validate(agent));
                qh_runtime_close(runtime);
            }
            CHECK_EQ(states[0], states[1]);
        }
}

/* A mask on the express lane: the same action and the same draws as on the general path. */
static void a_mask_on_the_express_lane_is_the_general_one(void) {
    for (uint32_t member = 0, greedy = 0; cast_member(member, &(qh_agent_def){0}); member++) {
        qh_agent *agent = open_member(member);
        REQUIRE(agent);
        play(agent, 300);
        qh_random random = test_random();
        for (uint32_t i = 0; agent->express && i < 500; i++) {
            uint64_t key =
                i % 4 ? qh__table_row(&agent->table,
                                      qh_table_location(&agent->table, i % agent->table.rows))
                            ->key
                      : i + 1;
            uint32_t all = 0xFFFFFFFFu >> (32 - agent->actions);
            uint32_t mask = qh__random_next(&random) & all;
            if (i % 7 == 0) mask = all;
            if (mask == 0) continue;
            qh_random before = agent->random;
            greedy = !greedy;
            int32_t action = qh__express_act_among(agent, key, greedy, mask);
            qh_random after = agent->random;
            agent->random = before;
            CHECK_EQ(qh_agent_act_on(agent, &key, greedy, &mask), action);
            CHECK_EQ(memcmp(&after, &agent->random, sizeof after), 0);
            if (mask != all) continue;
            agent->random = before;
            CHECK_EQ(qh__express_act(agent, key, greedy), action);
            CHECK_EQ(memcmp(&after, &agent->random, sizeof after), 0);
        }
        qh_runtime_close(runtime);
    }
}

TEST_SUITE(learn_agent,
           {"a mask on the express lane is the general one",
            a_mask_on_the_express_lane_is_the_general_one},
           {"an agent that learned nothing is small", an_agent_that_learned_nothing_is_small},
           {"the first of many is small too", the_first_of_many_is_small_too},
           {"a destroyed agent gives everything back", a_destroyed_agent_gives_everything_back},
           {"reset is a new beginning", reset_is_a_new_beginning},
           {"a spent quota changes nothing", a_spent_quota_changes_nothing},
           {"an agent needs a quota for itself", an_agent_needs_a_quota_for_itself},
           {"a replay beyond the quota harms nobody", a_replay_beyond_the_quota_harms_nobody},
           {"a borrowed agent is BUSY", a_borrowed_agent_is_busy},
           {"definitions out of range are refused", definitions_out_of_range_are_refused},
           {"observations out of range change nothing", observations_out_of_range_change_nothing},
           {"reading changes nothing", reading_changes_nothing}, {"masks forbid", masks_forbid},
           {"the first choice of an unseen state is uniform",
            the_first_choice_of_an_unseen_state_is_uniform},
           {"a named agent is the same in any company", a_named_agent_is_the_same_in_any_company},
           {"unnamed agents differ by number", unnamed_agents_differ_by_number},
           {"the express lane is the general path", the_express_lane_is_the_general_path});
