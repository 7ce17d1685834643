/* The boundary: every export under handles that are null, stale or invented, numbers that are none, and a storm of both. The one
 * runtime that an instance holds is opened by the second test and never closed: this suite comes last. */
#include "fixture.h"

#include "wasm/io.h"

static qh_io *io;

/* Every call that takes a handle must refuse this one. */
static void check_stale(uint32_t handle) {
    CHECK_RESULT(qh_agent_destroy(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_recall(handle, 0), QH_STALE_HANDLE);
    CHECK(qh_agent_input_address(handle) == NULL);
    CHECK_RESULT(qh_begin(handle, 0, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_step(handle, 0, 0, 0, 0, 0), QH_STALE_HANDLE);
    for (uint32_t flags = 0; flags < 32; flags++)
        CHECK_RESULT(qh_act(handle, 0, flags), QH_STALE_HANDLE);
    CHECK_SAME(qh_learn(handle, 0, 0, 0, 0, 0, -1, 0, 0), __builtin_nan(""));
    CHECK_SAME(io->numbers[0], QH_STALE_HANDLE);
    CHECK_SAME(qh_replay_many(handle, 1), __builtin_nan(""));
    CHECK_SAME(io->numbers[0], QH_STALE_HANDLE);
    CHECK_RESULT(qh_encode(handle, 0, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_q_values(handle, 0, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_visits(handle, 0, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_probabilities(handle, 0, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_metrics(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_agent_memory(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_reset(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_export(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_import(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_apply(handle, 0, 0), QH_STALE_HANDLE);
    if (handle) CHECK_RESULT(qh_hash(handle), QH_STALE_HANDLE);
}

static void check_stale_batch(uint32_t handle) {
    CHECK_RESULT(qh_batch_check(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_batch_free(handle), QH_STALE_HANDLE);
    CHECK_RESULT(qh_batch_begin_all(handle, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_batch_step_all(handle, 0), QH_STALE_HANDLE);
    CHECK_RESULT(qh_batch_act_all(handle, 1, 0), QH_STALE_HANDLE);
}

/* For a test that is run alone. */
static void make_sure_it_is_open(void) {
    io = qh_io_address();
    if (qh_validate() != 1) CHECK_OK(qh_open(1000 + test_pages(), 0, 5, 7, 10, 20, 5, 1));
}

static void without_zones(void) {
    CHECK_RESULT(qh_zones_freeze(1, 0, 0, 1, 1), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_read(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_allowed(0, 0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_propose_for(0x10000, 0, 0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_approve_one(1, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_observe_kpi(0, 0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_next_undone(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_reset_all(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_audit(1), QH_INVALID_STATE);
}

static void without_rooms(void) {
    CHECK_RESULT(qh_category(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_add(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_read(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_write(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_unite(0, 0, 0, 1, 1, 0, 0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_give(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_end(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_federation_info(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_message_send(0x10000, 0x10000, 0, 0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_message_next(0x10000), QH_INVALID_STATE);
    CHECK_RESULT(qh_message_take(0x10000), QH_INVALID_STATE);
    CHECK_RESULT(qh_message_info(), QH_INVALID_STATE);
    CHECK_RESULT(qh_series_find(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_series_count(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_series_read(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_series_octave(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_metrics_sum(), QH_INVALID_STATE);
    CHECK_RESULT(qh_lock_read(0), QH_INVALID_STATE);
}

static void before_it_is_opened_nothing_works(void) {
    io = qh_io_address();
    CHECK((uintptr_t)io % 64 == 0);
    CHECK(qh_version_address()[0] != 0);
    check_stale(0);
    check_stale(0x10000);
    check_stale_batch(0x10000);
    CHECK_RESULT(qh_agent_create(0, 0), QH_INVALID_STATE);
    CHECK_RESULT(qh_batch_open(1), QH_INVALID_STATE);
    CHECK_RESULT(qh_transfer_open(100), QH_INVALID_STATE);
    CHECK_RESULT(qh_transfer_close(), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_info(), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_pool(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_owner(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_growth(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_record(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_memory_shared(0), QH_INVALID_STATE);
    CHECK_RESULT(qh_validate(), QH_INVALID_STATE);
    without_zones();
    without_rooms();
}

static void it_opens_once(void) {
    io = qh_io_address();
    CHECK_RESULT(qh_open(0, 0, 0, 0, 1, 1, 1, 0), QH_EXCEEDS_LIMIT);
    int32_t refused = qh_open(1000 + test_pages(), 0, 0, 0, 0, 0xFFFFFFFFu, 0, 0);
    CHECK(refused == QH_OVERFLOW || refused == QH_EXCEEDS_LIMIT);
    CHECK_RESULT(qh_memory_info(), QH_INVALID_STATE); /* an opening that failed opened nothing */
    uint32_t max_pages = 1000 + test_pages();
    REQUIRE_OK(qh_open(max_pages, 0, 5, 7, 10, 20, 5, 1));
    CHECK_RESULT(qh_open(max_pages, 0, 5, 7, 10, 20, 5, 1), QH_INVALID_STATE);
    CHECK_EQ(qh_validate(), 1);
    CHECK_OK(qh_memory_info());
    CHECK_SAME(io->numbers[1], max_pages);
    CHECK(io->numbers[2] > 0 && io->numbers[6] <= io->numbers[7] &&
          io->numbers[8] <= io->numbers[9]);
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(qh_memory_pool(i));
    CHECK_RESULT(qh_memory_pool(3), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_memory_owner(0xFFFFFFFFu), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_memory_growth(32), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_memory_record(0xFFFFFFFFu), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_memory_shared(0xFFFFFFFFu), QH_INVALID_ARGUMENT);
}

static uint32_t create_bins(uint32_t actions) {
    io->def = qh_agent_def_default();
    io->def.actions = actions;
    io->def.encoder.kind = QH_ENCODER_BINS;
    for (uint32_t i = 0; i < 3; i++) io->dims[i] = (qh_dim){0, 1, 4, i == 2 ? 0.5f : 0};
    return (uint32_t)qh_agent_create(0, 3);
}

static void handles_are_checked_at_every_export(void) {
    make_sure_it_is_open();
    uint32_t handle = create_bins(4);
    REQUIRE((int32_t)handle > 0);
    CHECK(qh_agent_input_address(handle) != NULL);
    int32_t batch = qh_batch_open(1);
    REQUIRE(batch > 0);
    check_stale((uint32_t)batch);
    check_stale_batch(handle);
    CHECK_OK(qh_agent_destroy(handle));
    CHECK_OK(qh_batch_free((uint32_t)batch));
    static const uint32_t invented[] = {0,           1,           0xFFFFu,     0x10000u,
                                        0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, 0xFFFF0000u};
    check_stale(handle);
    check_stale_batch((uint32_t)batch);
    for (uint32_t i = 0; i < COUNT_OF(invented); i++) {
        check_stale(invented[i]);
        check_stale_batch(invented[i]);
    }
    CHECK_EQ(qh_validate(), 1);
}

static void definitions_are_checked(void) {
    make_sure_it_is_open();
    CHECK_RESULT(qh_agent_create(QH_IO_TEXT_BYTES + 1, 0), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_agent_create(0xFFFFFFFFu, 0), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_agent_create(0, QH_MAX_DIMS + 1), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_agent_create(0, 0xFFFFFFFFu), QH_INVALID_ARGUMENT);
    io->def = (qh_agent_def){0};
    CHECK_RESULT(qh_agent_create(0, 0), QH_INVALID_ARGUMENT);
    io->def = qh_agent_def_default();
    io->def.actions = 2;
    io->def.encoder.kind = QH_ENCODER_BINS;
    CHECK_RESULT(qh_agent_create(0, 0), QH_INVALID_ARGUMENT);
}

static void answers_are_where_they_should_be(void) {
    make_sure_it_is_open();
    uint32_t handle = create_bins(4);
    REQUIRE((int32_t)handle > 0);
    for (uint32_t i = 0; i < 3; i++) io->observation[i] = io->next[i] = 0.5f;
    CHECK_EQ(qh_encode(handle, 0, 0), 4); /* three dimensions and a trend */
    CHECK(io->values[0] == 0.5f && io->values[3] == 0);
    CHECK_SAME(qh_learn(handle, 0, 2, 10, 0, QH_TERMINATED, -1, 99, 0), 10);
    CHECK_EQ(qh_q_values(handle, 0, 0), 4);
    CHECK(io->values[2] == 1 && io->values[0] == 0);
    CHECK_EQ(qh_visits(handle, 0, 0), 4);
    CHECK(io->counts[2] == 1 && io->counts[0] == 0);
    CHECK_EQ(qh_probabilities(handle, 0, 0), 4);
    CHECK_NEAR(io->values[2], 0.925, 1e-6);
    CHECK_EQ(qh_act(handle, 0, QH_FLAG_GREEDY), 2);
    io->mask[0] = 0xFFFFFFF2; /* action 1; the bits of actions that there are not do not count */
    CHECK_EQ(qh_act(handle, 0, QH_FLAG_GREEDY | QH_FLAG_MASK), 1);
    io->mask[0] = 0xFFFFFFF0;
    CHECK_RESULT(qh_act(handle, 0, QH_FLAG_MASK), QH_INVALID_ARGUMENT);
    float *input = qh_agent_input_address(handle);
    for (uint32_t i = 0; i < 3; i++) input[i] = 0.9f;
    CHECK_EQ(qh_q_values(handle, 0, QH_FLAG_IN_PLACE), 4);
    CHECK_SAME(io->values[2], 0);
    CHECK_OK(qh_metrics(handle));
    CHECK(io->numbers[1] == 10 && io->numbers[2] == 99 && io->numbers[3] == 1 &&
          io->numbers[4] == 1);
    CHECK_OK(qh_agent_memory(handle));
    CHECK(io->numbers[0] > 0 && io->numbers[0] <= io->numbers[1] && io->numbers[2] > 0);
    io->observation[0] = -__builtin_nanf("");
    CHECK_SAME(qh_learn(handle, 0, 2, 10, 0, QH_TERMINATED, -1, 99, 0), __builtin_nan(""));
    CHECK_SAME(io->numbers[0], QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_act(handle, 0, 0), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_reset(handle));
    CHECK_OK(qh_agent_destroy(handle));
}

/* What the express lane refuses where the general path would: NaN in either state, an action too many, once the state is known. */
static void learning_refuses_what_is_no_experience(void) {
    make_sure_it_is_open();
    for (uint32_t express = 0; express < 2; express++) {
        uint32_t handle = create_bins(4);
        REQUIRE((int32_t)handle > 0);
        if (express) {
            CHECK_OK(qh_agent_destroy(handle));
            io->dims[2].trend = 0;
            handle = (uint32_t)qh_agent_create(0, 3);
        }
        for (uint32_t i = 0; i < 3; i++) io->observation[i] = io->next[i] = 0.5f;
        CHECK_SAME(qh_learn(handle, 0, 2, 10, 0, QH_GOING_ON, -1, 0, 0), 10);
        for (uint32_t i = 0; i < 6; i++) {
            float *x = i < 3 ? &io->observation[i] : &io->next[i - 3];
            *x = i % 2 ? __builtin_nanf("") : -__builtin_nanf("");
            CHECK_SAME(qh_learn(handle, 0, 2, 10, 0, QH_GOING_ON, -1, 0, 0), __builtin_nan(""));
            CHECK_SAME(io->numbers[0], QH_INVALID_ARGUMENT);
            *x = 0.5f;
        }
        static const uint32_t no_actions[] = {4, 5, 32, 0xFFFFFFFFu};
        for (uint32_t i = 0; i < COUNT_OF(no_actions); i++)
            CHECK_SAME(qh_learn(handle, 0, no_actions[i], 10, 0, QH_GOING_ON, -1, 0, 0),
                       __builtin_nan(""));
        CHECK_SAME(qh_learn(handle, 0, 2, 10, 0, 3, -1, 0, 0), __builtin_nan(""));
        CHECK_SAME(qh_learn(handle, 0, 2, 1e39, 0, 0, -1, 0, 0), __builtin_nan(""));
        CHECK_SAME(qh_learn(handle, 0, 2, 1, 0, 0, -1, __builtin_inf(), 0), __builtin_nan(""));
        CHECK_SAME(qh_learn(handle, 0, 2, 1, 0, 0, 4, 0, 0), __builtin_nan(""));
        CHECK_OK(qh_metrics(handle));
        CHECK_SAME(io->numbers[6], 1);
        CHECK_OK(qh_agent_destroy(handle));
    }
}

static void a_batch_says_which_row_failed(void) {
    make_sure_it_is_open();
    uint32_t handles[3];
    for (uint32_t i = 0; i < 3; i++) handles[i] = create_bins(4);
    int32_t batch = qh_batch_open(3);
    REQUIRE(batch > 0);
    uint32_t *list = (uint32_t *)(uintptr_t)io->numbers[0];
    float *rows = (float *)(uintptr_t)io->numbers[1];
    const int32_t *actions = (int32_t *)(uintptr_t)io->numbers[4];
    memcpy(list, handles, sizeof handles);
    list[2] = handles[0];
    CHECK_RESULT(qh_batch_check((uint32_t)batch), QH_INVALID_ARGUMENT);
    CHECK_SAME(io->numbers[0], 2);
    list[2] = handles[2];
    CHECK_OK(qh_batch_check((uint32_t)batch));
    rows[QH_BATCH_STRIDE] = __builtin_nanf("");
    CHECK_RESULT(qh_batch_begin_all((uint32_t)batch, 0), QH_INVALID_ARGUMENT);
    CHECK_SAME(io->numbers[0], 1);
    rows[QH_BATCH_STRIDE] = 0;
    CHECK_OK(qh_batch_begin_all((uint32_t)batch, 0));
    CHECK(actions[0] >= 0 && actions[1] >= 0 && actions[2] >= 0);
    CHECK_RESULT(qh_batch_step_all((uint32_t)batch, __builtin_nan("")), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_agent_destroy(handles[2]));
    CHECK_RESULT(qh_batch_act_all((uint32_t)batch, 0, 0), QH_STALE_HANDLE);
    CHECK_SAME(io->numbers[0], 2);
    CHECK_OK(qh_batch_free((uint32_t)batch));
    for (uint32_t i = 0; i < 2; i++) CHECK_OK(qh_agent_destroy(handles[i]));
}

/* ---------------------------------------------------------------- a storm */

static qh_random storm;
static uint32_t living[24], batches[4];

static uint32_t any(uint32_t bound) {
    return qh__random_below(&storm, bound);
}

static uint32_t any_bits(void) {
    return any(3) ? any(9) : qh__random_next(&storm);
}

static double any_number(void) {
    static const double odd[] = {-1,    0,      0.5,  1,   39, 40, 4294967296.0, 9007199254740992.0,
                                 1e300, -1e300, 3e38, -0.0};
    if (any(10)) return any(40);
    uint32_t i = any(COUNT_OF(odd) + 3);
    if (i == COUNT_OF(odd)) return __builtin_nan("");
    if (i == COUNT_OF(odd) + 1) return any(2) ? __builtin_inf() : -__builtin_inf();
    return i == COUNT_OF(odd) + 2 ? any(40) : odd[i];
}

static uint32_t any_handle(void) {
    uint32_t i = any(30);
    if (i < COUNT_OF(living)) return living[i];
    return i < 28 ? batches[i - 24] : qh__random_next(&storm);
}

static void spoil_buffers(void) {
    for (uint32_t i = 0; i < QH_MAX_DIMS; i++) {
        uint32_t bits = qh__random_next(&storm);
        if (any(300) == 0)
            memcpy(any(2) ? &io->observation[i] : &io->next[i], &bits, sizeof bits);
        else
            io->observation[i] = (float)any(100) / 100, io->next[i] = (float)any(100) / 100;
    }
    for (uint32_t i = 0; i < 2; i++) io->mask[i] = any(3) ? any_bits() : 0;
}

/* Mostly sound definitions: a storm of refusals would reach nothing. */
static double moment = 0; /* of the zones */

static void create_any(void) {
    io->def = qh_agent_def_default();
    qh_agent_def *def = &io->def;
    def->actions = any(20) ? 1 + any(40) : any_bits();
    def->encoder.kind = any(12) ? any(4) : any_bits();
    def->encoder.states = any(50);
    def->encoder.bits = any(8) * 5;
    def->encoder.tilings = any(36);
    uint32_t dims = 1 + any(any(4) ? 6 : 64);
    for (uint32_t i = 0; i < dims; i++) {
        io->dims[i].min = (float)any(3) - 1;
        io->dims[i].max = (float)any(20) / 4 + 1;
        io->dims[i].bins = any(300);
        io->dims[i].trend = (float)any(4) / 4;
    }
    if (any(30) == 0) {
        uint32_t spoilt = any(dims);
        memset(&io->dims[spoilt], (int)any(256), sizeof(qh_dim));
    }
    def->algorithm = any(10) ? any(4) : any_bits();
    def->policy = any(10) ? any(4) : any_bits();
    def->tie_break = any(3);
    def->rate_visits = any(2);
    def->lambda = any(4) ? 0 : (double)any(11) / 10;
    def->n_step = any(4) ? 1 : any(30);
    def->planning = any(4) ? 0 : any(10);
    def->ucb_c = any(3);
    def->replay_capacity = any(3) ? 0 : any(any(4) ? 300 : 0x20000000);
    def->replay_kind = any(2);
    def->replay_record = any(3);
    def->propensities = any(2);
    def->discount = any(10) ? 0.9 : any_number();
    def->initial_value = any(10) ? 0 : any_number();
    def->zone = any(4) ? 0 : any(20) ? 1 + any(4) : any_bits();
    for (uint32_t i = 0; i < QH_MAX_ACTIONS; i++) io->counts[i] = any(30) ? any(5) - 2 : any_bits();
    def->quota_bytes = any(3) ? 1e6 : any(3) ? any(6000) : any_number();
    uint32_t name_length = any(3) ? 0 : any(6);
    for (uint32_t i = 0; i < name_length; i++) io->text[i] = (uint8_t)any(3);
    int32_t handle = qh_agent_create(name_length, any(30) ? dims : any_bits());
    CHECK(handle > 0 || (handle < QH_NO_ACTION && handle >= QH_UNSUPPORTED));
    uint32_t place = any(COUNT_OF(living));
    if (handle <= 0) return;
    if ((int32_t)living[place] > 0) qh_agent_destroy(living[place]);
    living[place] = (uint32_t)handle;
}

static void batch_any(void) {
    uint32_t which = any(COUNT_OF(batches)), count = any(10) ? 1 + any(12) : any_bits() & 0xFFFF;
    if (any(3) == 0) qh_batch_free(batches[which]);
    int32_t handle = qh_batch_open(count);
    if (handle <= 0) return;
    uint32_t *handles = (uint32_t *)(uintptr_t)io->numbers[0];
    float *rows = (float *)(uintptr_t)io->numbers[1];
    for (uint32_t i = 0; i < count; i++)
        handles[i] = any(8) ? living[(i * 5 + which) % COUNT_OF(living)] : any_handle();
    for (uint32_t i = 0; i < count && i < 12; i++)
        for (uint32_t d = 0; d < 8; d++) rows[i * QH_BATCH_STRIDE + d] = (float)any(8) / 8;
    if (qh_batch_check((uint32_t)handle) != QH_OK && any(2))
        qh_batch_free((uint32_t)handle);
    else if (count > 100 || any(4) == 0)
        qh_batch_free((uint32_t)handle);
    else
        batches[which] = (uint32_t)handle;
}

/* A result is what the export says: no failure, or one of the table. */
static void check_result(int32_t result) {
    CHECK(result >= QH_UNSUPPORTED);
}

/* Arguments are drawn one by one: C leaves the order within a call open, and a seed must mean one storm in every build. */
static void step_any(uint32_t handle, uint32_t flags) {
    double reward = any_number(), state = any_number(), time = any(8) ? moment : any_number();
    uint32_t ending = any(4) ? 0 : any_bits();
    check_result(qh_step(handle, reward, state, ending, time, flags));
}

static void learn_any(uint32_t handle, uint32_t flags) {
    double state = any_number(), reward = any_number(), next = any_number(),
           time = any(8) ? 0 : any_number();
    uint32_t action = any(8) ? any(3) : any_bits(), ending = any(4) ? 0 : any_bits();
    int32_t next_action = any(3) ? -1 : (int32_t)any_bits();
    qh_learn(handle, state, action, reward, next, ending, next_action, time, flags);
}

static void travel_any(uint32_t handle) {
    if (qh_export(handle) == QH_OK && any(2)) check_result(qh_import(any_handle()));
    qh_transfer_close();
}

/* Four zones, of which one needs approval, and three triggers. */
static void freeze_zones(void) {
    const double numbers[] = {0, 10, 5,  1,    -1, 60000, 0, 0, 1, 0.5, 0.1, 3, 0, 0,  -3, 3,
                              0, 1,  -1, 1000, 1,  5,     5, 5, 1, 0,   0,   0, 0, 50, 1,  0,
                              2, 0,  1,  10,   0,  60000, 5, 1, 2, 100, 0,   0, 3, 0,  2};
    REQUIRE_OK(qh_transfer_open(sizeof numbers));
    memcpy((void *)(uintptr_t)io->numbers[0], numbers, sizeof numbers);
    CHECK_RESULT(qh_zones_freeze(4, 4, 0, 1, 1), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_zones_freeze(3, 3, 0, 1, 1), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_zones_freeze(4, 3, 0, 2, 1), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_zones_freeze(4, 3, 0, 900000, 86400000));
    CHECK_RESULT(qh_zones_freeze(4, 3, 0, 900000, 86400000), QH_INVALID_STATE);
    CHECK_OK(qh_transfer_close());
}

static void govern_any(uint32_t handle) {
    uint32_t which = any(10), number = any(12) ? any(4) : any_bits();
    double value = any(4) ? (double)any(60) / 5 - 1 : any_number();
    double time = any(8) ? moment : any_number();
    switch (which) {
    case 0: check_result(qh_zones_read(number)); break;
    case 1: check_result(qh_zones_allowed(number, value, time)); break;
    case 2: check_result(qh_zones_approve_one(any(4) ? any(3000) : any_number(), time)); break;
    case 3:
    case 4: check_result(qh_zones_observe_kpi(any(12) ? any(3) : number, value * 20, time)); break;
    case 5: check_result(qh_zones_next_undone(any(3) ? any(4) : any_bits())); break;
    case 6: check_result(qh_zones_audit(any(3) == 0)); break;
    case 7:
        if (any(200) == 0) check_result(qh_zones_reset_all(time));
        break;
    default: check_result(qh_zones_propose_for(handle, number, value, time)); break;
    }
}

/* Handles where the federation reads them, and what it does with them. */
static void federate_any(void) {
    uint32_t count = any(12), which = any(6), room = QH_MAX(count, 1u) * 8;
    double number = any(3) ? any(4) : any_number(), other = any(3) ? 1 : any_number();
    if (qh_transfer_open(room) != QH_OK) return;
    for (uint32_t i = 0; i < count; i++)
        ((uint32_t *)(uintptr_t)io->numbers[0])[2 * i] =
            any(20) ? living[any(COUNT_OF(living))] : any_handle();
    if (any(20) == 0) count = any_bits();
    switch (which) {
    case 0: check_result(qh_federation_add(count, number)); break;
    case 1:
        if (qh_federation_write(count, any(2)) == QH_OK) check_result(qh_federation_read(number));
        break;
    case 2:
        check_result(
            qh_federation_unite(any(3), any(6), number / 10, other, other, number, any_bits(), 0));
        break;
    case 3: check_result(qh_federation_give(count)); break;
    case 4: check_result(any(3) ? qh_federation_info(0) : qh_federation_end(any(2))); break;
    default: check_result(qh_federation_read(number)); break;
    }
    qh_transfer_close();
}

static void room_any(uint32_t handle) {
    uint32_t which = any(10), other = any(4) ? any_handle() : 0;
    double value = any_number();
    switch (which) {
    case 0: check_result(qh_category(handle, any(9) ? any(2) : any_bits())); break;
    case 1:
    case 2:
        check_result(qh_message_send(handle, other, any(2), 0, any(20) ? any(60) : any_bits()));
        break;
    case 3:
        if (qh_message_next(handle) >= 0) CHECK_OK(qh_message_take(handle));
        break;
    case 4: check_result(any(2) ? qh_message_take(handle) : qh_message_info()); break;
    case 5: check_result(qh_series_find(any(9) ? any(3) : any_bits())); break;
    case 6: check_result(qh_series_count(any(9) ? any(3) : any_bits(), value)); break;
    case 7: check_result(any(2) ? qh_series_read(any(4)) : qh_series_octave(any(4), any(9))); break;
    case 8: check_result(any(2) ? qh_metrics_sum() : qh_lock_read(any(5))); break;
    default: federate_any(); break;
    }
}

static void call_any(void) {
    uint32_t handle = any_handle(), flags = any(32), call = any(29);
    double number = any_number();
    moment += any(40) * 1000;
    io->time = any(8) ? moment : any_number();
    switch (call) {
    case 0:
        if (any(8) == 0) create_any();
        break;
    case 1: check_result(qh_begin(handle, number, flags)); break;
    case 2: check_result(qh_act(handle, number, flags)); break;
    case 3: qh_replay_many(handle, any(600)); break;
    case 4: check_result(qh_encode(handle, number, flags)); break;
    case 5: check_result(qh_q_values(handle, number, flags)); break;
    case 6: check_result(qh_probabilities(handle, number, flags)); break;
    case 7: check_result(qh_visits(handle, number, flags)); break;
    case 8: check_result(qh_metrics(handle)); break;
    case 9: batch_any(); break;
    case 10: check_result(qh_batch_begin_all(handle, any(4) ? moment : number)); break;
    case 11: check_result(qh_batch_step_all(handle, number)); break;
    case 12: check_result(qh_batch_act_all(handle, flags, any(4) ? moment : number)); break;
    case 13: check_result(any(20) ? qh_hash(handle) : qh_reset(handle)); break;
    case 14: travel_any(handle); break;
    case 15: check_result(qh_memory_owner(any_bits())); break;
    case 16: check_result(any(2) ? qh_memory_record(any_bits()) : qh_memory_shared(any(4))); break;
    case 17: govern_any(handle); break;
    case 18:
        check_result(qh_apply(handle, any(8) ? any(5) : any_bits(), any(8) ? moment : number));
        break;
    case 19:
    case 20: learn_any(handle, flags); break;
    case 22: room_any(handle); break;
    case 21: check_result(qh_recall(handle, any(2) ? any(100) : any_bits())); break;
    default: step_any(handle, flags); break;
    }
}

static void a_storm_of_calls_breaks_nothing(void) {
    make_sure_it_is_open();
    storm = test_random();
    if (qh_zones_read(0) == QH_INVALID_STATE) freeze_zones();
    for (uint32_t i = 0; i < 60; i++) create_any();
    for (uint32_t round = 0; round < TEST_SHARE(60000u); round++) {
        if (round % 8 == 0) spoil_buffers();
        call_any();
        if (round % 500 == 0) CHECK_EQ(qh_validate(), 1);
        if (test_failures()) {
            test_note_integer("round", round);
            return;
        }
    }
    double learned = 0;
    for (uint32_t i = 0; i < COUNT_OF(living); i++)
        if (qh_metrics(living[i]) == QH_OK) learned += io->numbers[6];
    test_note_double("learning steps of the living", learned);
    CHECK(learned > 100);
    for (uint32_t i = 0; i < COUNT_OF(batches); i++) qh_batch_free(batches[i]);
    for (uint32_t i = 0; i < COUNT_OF(living); i++) qh_agent_destroy(living[i]);
    CHECK_OK(qh_federation_end(0));
    CHECK_EQ(qh_validate(), 1);
    CHECK_OK(qh_message_info());
    CHECK_SAME(io->numbers[0], 0);
}

TEST_SUITE(wasm_exports, {"before it is opened nothing works", before_it_is_opened_nothing_works},
           {"it opens once", it_opens_once},
           {"handles are checked at every export", handles_are_checked_at_every_export},
           {"definitions are checked", definitions_are_checked},
           {"answers are where they should be", answers_are_where_they_should_be},
           {"learning refuses what is no experience", learning_refuses_what_is_no_experience},
           {"a batch says which row failed", a_batch_says_which_row_failed},
           {"a storm of calls breaks nothing", a_storm_of_calls_breaks_nothing});
