/* What only the C interface has, and every way it refuses. Prints ok and not ok lines. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qhive/qhive.h>

static int failures;

static void check(int holds, const char *what) {
    failures += !holds;
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
}

static qh_runtime *open_runtime(uint32_t max_pages) {
    qh_runtime_def def = qh_runtime_def_default();
    def.max_pages = max_pages;
    qh_runtime *runtime = NULL;
    check(qh_runtime_create(&def, &runtime) == QH_OK && runtime, "a runtime opens");
    return runtime;
}

static void refuse_runtimes(void) {
    qh_runtime *none = NULL;
    qh_runtime_def def = qh_runtime_def_default();
    def.max_pages = 0;
    check(qh_runtime_create(&def, &none) == QH_INVALID_ARGUMENT, "no pages");
    def.max_pages = 65536;
    check(qh_runtime_create(&def, &none) == QH_INVALID_ARGUMENT, "4 GiB");
    def.max_pages = 8;
    check(qh_runtime_create(&def, &none) == QH_EXCEEDS_LIMIT, "pools beyond the budget");
    def.pools[QH_POOL_STATE] = UINT32_MAX;
    check(qh_runtime_create(&def, &none) == QH_INVALID_ARGUMENT, "a pool beyond all bounds");
    check(!none, "a refused runtime is none");
    qh_runtime_destroy(NULL);
}

static void use_runtimes_side_by_side(void) {
    qh_runtime *first = open_runtime(128), *second = open_runtime(128);
    qh_agent_def def = qh_agent_def_default();
    qh_handle one = 0, other = 0;
    def.actions = 2;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 4};
    check(qh_runtime_create_agent(first, &def, &one) == QH_OK, "an agent of the first");
    check(qh_runtime_create_agent(second, &def, &other) == QH_OK, "an agent of the second");
    qh_runtime_destroy(first);
    int32_t action;
    qh_agent *agent = qh_runtime_agent(second, other);
    check(qh_agent_begin(agent, (qh_observation){NULL, 1}, &action) == QH_OK, "the second goes on");
    qh_agent_info info = qh_agent_inspect(agent);
    check(info.running && info.actions == 2 && info.handle == other && info.live_bytes > 0 &&
              info.metrics.action_count == 1 && info.quota_bytes == 10 * 1024 * 1024,
          "an agent tells of itself");
    check(qh_agent_begin(agent, (qh_observation){NULL, 4}, &action) == QH_INVALID_ARGUMENT,
          "a state too far");
    check(qh_agent_begin(agent, (qh_observation){NULL, NAN}, &action) == QH_INVALID_ARGUMENT,
          "a state that is no number");
    check(qh_agent_look(agent, -5) == QH_OK, "without an actuator there is nothing to look at");
    qh_change change;
    check(qh_agent_apply(agent, 0, 0, &change) == QH_INVALID_STATE, "nor anything to apply");
    qh_runtime_info whole = qh_runtime_inspect(second);
    check(whole.agents == 1 && whole.max_pages == 128 && whole.pages <= 128 &&
              whole.live_bytes <= whole.peak_bytes,
          "a runtime tells of itself");
    check(qh_runtime_destroy_agent(second, other) == QH_OK, "an agent goes");
    check(qh_runtime_destroy_agent(second, other) == QH_STALE_HANDLE, "but once");
    check(!qh_runtime_agent(second, other) && !qh_runtime_agent(second, 0), "and is no more");
    check(qh_runtime_validate(second), "the second is sound");
    qh_runtime_destroy(second);
}

static void move_a_parameter(void) {
    static const double numbers[] = {
        0, 12,   6, 0.5,    4, 60000,
        0,                         /* zone: min, max, initial, step, rate, cooldown, approval */
        0, 0.02, 1, 900000, 2, 0}; /* trigger: kpi, threshold, above, window, depth, members */
    static const int32_t deltas[] = {-1, 0, 1};
    qh_runtime *runtime = open_runtime(256);
    qh_zones_def zones = {.numbers = numbers,
                          .number_count = sizeof numbers / sizeof *numbers,
                          .zone_count = 1,
                          .trigger_count = 1,
                          .audit_bytes = 16384,
                          .back_off_ms = 1000,
                          .max_back_off_ms = 8000};
    check(!qh_runtime_zones(runtime), "no zones yet");
    zones.number_count--;
    check(qh_runtime_define_zones(runtime, &zones) == QH_INVALID_ARGUMENT, "a number too few");
    zones.number_count++;
    check(qh_runtime_define_zones(runtime, &zones) == QH_OK, "zones are defined");
    check(qh_runtime_define_zones(runtime, &zones) == QH_INVALID_STATE, "once");
    qh_zones *defined = qh_runtime_zones(runtime);
    check(qh_zones_value(defined, 0) == 6 && isnan(qh_zones_value(defined, 1)), "values are read");

    qh_agent_def def = qh_agent_def_default();
    def.actions = 3;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 2};
    def.zones = defined;
    def.deltas = deltas;
    qh_handle handle = 0;
    check(qh_runtime_create_agent(runtime, &def, &handle) == QH_OK, "an agent with an actuator");
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    int32_t action;
    qh_change change;
    check(qh_agent_look(agent, -1) == QH_INVALID_ARGUMENT, "a time that is none");
    check(qh_agent_look(agent, 1e6) == QH_OK, "it sees what is allowed");
    check(qh_agent_act(agent, (qh_observation){NULL, 0}, false, NULL, &action) == QH_OK, "it acts");
    check(qh_agent_apply(agent, 2, 1e6, &change) == QH_OK && change.to == 6.5,
          "up by half a degree");
    check(qh_zones_value(defined, 0) == 6.5, "the value moved");
    check(qh_agent_apply(agent, 2, 1e6 + 1, &change) == QH_SAFE_ZONE &&
              change.reason == QH_REASON_cooldown,
          "not again within a minute");
    check(qh_zones_observe(defined, 0, 0.5, 2e6) == QH_OK, "a bad reading");
    check(qh_zones_observe(defined, 0, 0.5, 3e6) == QH_OK && qh_zones_value(defined, 0) == 6,
          "that stays takes the change back");
    qh_runtime_destroy(runtime);
}

static void search_vectors(void) {
    enum {
        ROWS = 300,
        DIMS = 5
    };
    static float rows[ROWS][DIMS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < DIMS; j++) rows[i][j] = (float)((i * 31 + j * 17) % 101 + (i + j) % 7);
    qh_runtime *runtime = open_runtime(256);
    qh_index_def def = qh_index_def_default();
    qh_handle handle = 0, again = 0;
    check(qh_runtime_add_index(runtime, &def, &handle) == QH_INVALID_ARGUMENT, "no dimensions");
    def.dims = DIMS;
    def.metric = QH_L2;
    check(qh_runtime_add_index(runtime, &def, &handle) == QH_OK, "an index");
    qh_index *index = qh_runtime_index(runtime, handle);
    uint32_t labels[8], found, failed = 9;
    float distances[8];
    size_t byte_count = 0;
    check(qh_index_export_size(index, &byte_count) == QH_INVALID_STATE, "not before it is frozen");
    check(qh_index_append(index, rows[0], NULL, ROWS, NULL) == QH_OK, "rows");
    uint32_t taken = 7;
    check(qh_index_append(index, rows[0], &taken, 1, &failed) == QH_INVALID_ARGUMENT && failed == 0,
          "a label twice");
    check(qh_index_freeze(index) == QH_OK, "frozen");
    check(qh_index_append(index, rows[0], NULL, 1, NULL) == QH_INVALID_STATE, "for good");
    check(qh_index_nearest(index, rows[42], 8, 0, labels, distances, &found) == QH_OK &&
              found == 8 && distances[0] == 0,
          "the nearest to a row is at no distance");
    float query[DIMS] = {NAN};
    check(qh_index_nearest(index, query, 8, 0, labels, distances, &found) == QH_INVALID_ARGUMENT,
          "a query that is no number");
    check(qh_index_nearest(index, rows[0], 0, 0, labels, distances, &found) == QH_INVALID_ARGUMENT,
          "none asked for");
    check(qh_index_export_size(index, &byte_count) == QH_OK, "its bytes");
    unsigned char *bytes = malloc(byte_count);
    qh_index_export(index, bytes);
    check(qh_runtime_load_index(runtime, bytes, byte_count, &again) == QH_OK, "come back");
    qh_index_details details = qh_index_inspect(qh_runtime_index(runtime, again));
    check(details.rows == ROWS && details.frozen && details.def.dims == DIMS, "as they were");
    bytes[byte_count / 2] ^= 1;
    check(qh_runtime_load_index(runtime, bytes, byte_count, &again) == QH_CORRUPT, "but sound");
    check(qh_runtime_load_index(runtime, NULL, 0, &again) == QH_CORRUPT, "and not from nothing");
    check(qh_runtime_destroy_index(runtime, handle) == QH_OK && !qh_runtime_index(runtime, handle),
          "an index goes");
    check(qh_runtime_validate(runtime), "what is left is sound");
    free(bytes);
    qh_runtime_destroy(runtime);
}

static void inspect_tables(void) {
    qh_runtime *runtime = open_runtime(128);
    qh_agent_def def = qh_agent_def_default();
    qh_table_info info;
    qh_handle handle = 0;
    def.actions = 3;
    def.algorithm = QH_DOUBLE_Q;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 4};
    check(qh_runtime_create_agent(runtime, &def, &handle) == QH_OK, "a learner of two tables");
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    qh_experience experience = {.next = {NULL, 2}, .reward = 1};
    double td_error;
    check(qh_agent_learn(agent, (qh_observation){NULL, 1}, 0, &experience, QH_NO_ACTION,
                         &td_error) == QH_OK,
          "learns");
    size_t byte_count = 0;
    unsigned char bytes[256];
    check(qh_agent_export_size(agent, &byte_count) == QH_OK && byte_count <= sizeof bytes,
          "its size");
    qh_agent_export(agent, bytes);
    check(qh_table_inspect(bytes, byte_count, &info) == QH_OK && info.actions == 3 &&
              info.tables == 2 && info.rows == 1 && info.version == 1,
          "a table tells of itself");
    check(qh_table_inspect(bytes, byte_count - 1, &info) == QH_CORRUPT, "cut");
    check(qh_table_inspect(bytes, 0, &info) == QH_CORRUPT, "empty");
    bytes[40] ^= 1;
    check(qh_table_inspect(bytes, byte_count, &info) == QH_CORRUPT, "damaged");
    bytes[4] = 2;
    check(qh_table_inspect(bytes, byte_count, &info) == QH_VERSION, "of another version");
    qh_runtime_destroy(runtime);
}

static void share_a_batch(void) {
    qh_runtime *runtime = open_runtime(128);
    qh_batch *batch;
    check(qh_batch_create(runtime, 0, &batch) == QH_INVALID_ARGUMENT, "a batch of none");
    check(qh_batch_create(runtime, 2, &batch) == QH_OK, "a batch of two");
    qh_batch_rows rows = qh_batch_buffers(batch);
    qh_agent_def def = qh_agent_def_default();
    def.actions = 2;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 4};
    check(qh_runtime_create_agent(runtime, &def, &rows.handles[0]) == QH_OK, "its first");
    check(qh_batch_begin(runtime, batch) == QH_INVALID_STATE, "not before it is sealed");
    check(qh_batch_seal(runtime, batch) == QH_STALE_HANDLE && qh_batch_failed_row(batch) == 1,
          "the second is missing");
    rows.handles[1] = rows.handles[0];
    check(qh_batch_seal(runtime, batch) == QH_INVALID_ARGUMENT, "the same twice");
    check(qh_runtime_create_agent(runtime, &def, &rows.handles[1]) == QH_OK, "its second");
    check(qh_batch_seal(runtime, batch) == QH_OK && qh_batch_begin(runtime, batch) == QH_OK,
          "both");
    rows.observations[QH_BATCH_STRIDE] = 9;
    check(qh_batch_step(runtime, batch) == QH_INVALID_ARGUMENT && qh_batch_failed_row(batch) == 1,
          "a row out of range stops all");
    rows.observations[QH_BATCH_STRIDE] = 3;
    *rows.time = 5;
    check(qh_batch_step(runtime, batch) == QH_OK, "both step");
    check(qh_batch_act(runtime, batch, true) == QH_OK, "and act");
    qh_batch_destroy(runtime, batch);
    check(qh_runtime_validate(runtime), "nothing is left of it");
    qh_runtime_destroy(runtime);
}

int main(void) {
    refuse_runtimes();
    use_runtimes_side_by_side();
    move_a_parameter();
    search_vectors();
    inspect_tables();
    share_a_batch();
    check(strcmp(qh_version(), "0.0.0") != 0, "the library knows its version");
    return failures != 0;
}
