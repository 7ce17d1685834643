/* The golden program against the C library: see program.mjs, which it follows line by line. Prints the hash of all tables.
 *
 *   qhive_golden STEPS */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/batch.h"

#define AGENTS 593
#define REPLAY_EVERY 250

static qh_dim dims[4];

static void set_dims(uint32_t bins, float trend) {
    dims[0] = (qh_dim){0, 17, bins, 0};
    dims[1] = (qh_dim){0, 13, 4, trend};
    dims[2] = (qh_dim){-4, 4, 3, 0};
    dims[3] = (qh_dim){0, 1, 0, 0};
}

static void use_index(qh_agent_def *def) {
    def->encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = 17};
}

static void use_bins(qh_agent_def *def, float trend) {
    set_dims(17, trend);
    def->encoder = (qh_encoder_def){.kind = QH_ENCODER_BINS, .dim_count = 4, .dims = dims};
}

static void configure(qh_agent_def *def, uint32_t i) {
    switch (i % 64) {
    case 9:
        use_index(def);
        def->algorithm = QH_DOUBLE_Q;
        def->policy = QH_UCB;
        def->ucb_c = 1;
        break;
    case 10:
        use_bins(def, 0.25f);
        def->algorithm = QH_SARSA;
        break;
    case 11:
        use_bins(def, 0);
        def->algorithm = QH_EXPECTED_SARSA;
        def->policy = QH_SOFTMAX;
        def->exploration = (qh_schedule){0.5, 0.5, 1};
        break;
    case 12:
        set_dims(4, 0);
        def->encoder =
            (qh_encoder_def){.kind = QH_ENCODER_TILES, .dim_count = 2, .dims = dims, .tilings = 4};
        def->lambda = 0.75;
        break;
    case 13:
        use_index(def);
        def->algorithm = QH_SARSA;
        def->n_step = 3;
        break;
    case 14:
        use_bins(def, 0);
        def->encoder.kind = QH_ENCODER_SIMHASH;
        def->encoder.bits = 12;
        def->rate_visits = 1;
        def->initial_value = 1;
        break;
    case 15:
        use_index(def);
        def->planning = 2;
        def->replay_capacity = 64;
        break;
    case 16:
        use_index(def);
        def->algorithm = QH_DOUBLE_Q;
        def->policy = QH_SOFTMAX;
        def->exploration = (qh_schedule){2, 0.125, 0.9995};
        break;
    case 17:
        use_bins(def, 0.25f);
        def->rate = (qh_schedule){1, 0.0625, 0.999};
        def->replay_capacity = 100;
        def->replay_kind = QH_REPLAY_PRIORITIZED;
        def->replay_record = QH_RECORD_FULL;
        break;
    case 18:
        set_dims(4, 0);
        def->encoder =
            (qh_encoder_def){.kind = QH_ENCODER_TILES, .dim_count = 2, .dims = dims, .tilings = 4};
        def->algorithm = QH_EXPECTED_SARSA;
        def->policy = QH_UCB;
        def->ucb_c = 0.5;
        def->replay_capacity = 50;
        def->replay_kind = QH_REPLAY_PRIORITIZED;
        def->replay_alpha = 0.5;
        def->replay_beta = 1;
        break;
    default:
        use_bins(def, 0);
        def->exploration = (qh_schedule){1, 0.0625, 0.999};
        break;
    }
}

static int32_t places[AGENTS];

static void observe(qh_batch *batch, int32_t step) {
    for (int32_t i = 0; i < AGENTS; i++) {
        float *row = batch->observations + i * 64;
        row[0] = (float)places[i];
        row[1] = (float)((places[i] * 7 + step) % 13);
        row[2] = (float)((places[i] + i) % 9 - 4);
        row[3] = 0.5f;
    }
}

static void live(qh_batch *batch, int32_t step) {
    for (int32_t i = 0; i < AGENTS; i++) {
        if (batch->actions[i] < 0) {
            places[i] = 1 + (i + step) % 16;
            batch->rewards[i] = 0;
            batch->endings[i] = 0;
            continue;
        }
        places[i] = (places[i] + batch->actions[i] * 3 + 1 + step % 3) % 17;
        batch->rewards[i] = (float)((places[i] * 5 + i) % 11 - 5) / 8;
        batch->endings[i] = (uint8_t)(places[i] == 0 ? 1 : step % 100 == 50 ? 2 : 0);
    }
    observe(batch, step);
}

static void must(qh_result result, const char *what) {
    if (result == QH_OK) return;
    fprintf(stderr, "%s: %s\n", what, qh_result_name(result));
    exit(1);
}

static qh_batch *populate(qh_runtime *runtime) {
    qh_batch *batch;
    must(qh_batch_create(runtime, AGENTS, &batch), "batch");
    for (uint32_t i = 0; i < AGENTS; i++) {
        char name[16];
        qh_agent_def def = qh_agent_def_default();
        def.name = name;
        def.name_length = (uint32_t)snprintf(name, sizeof name, "agent-%u", (unsigned)i);
        def.actions = 4;
        def.rate = (qh_schedule){0.25, 0.25, 1};
        def.discount = 0.875;
        configure(&def, i);
        must(qh_runtime_create_agent(runtime, &def, &batch->handles[i]), "agent");
    }
    must(qh_batch_seal(runtime, batch), "seal");
    return batch;
}

static void replay(qh_batch *batch) {
    double mean;
    for (uint32_t i = 0; i < AGENTS; i++)
        must(qh_agent_replay(batch->agents[i], 8, &mean), "replay");
}

int main(int argc, char **argv) {
    int32_t steps = argc > 1 ? atoi(argv[1]) : 1000;
    qh_runtime_def def = qh_runtime_def_default();
    def.seed = 20261122;
    def.max_pages = 1024;
    qh_runtime *runtime;
    must(qh_runtime_open(&def, 0, &runtime), "runtime");
    qh_batch *batch = populate(runtime);
    observe(batch, 0);
    must(qh_batch_begin(runtime, batch), "begin");
    for (int32_t step = 1; step <= steps; step++) {
        live(batch, step);
        must(qh_batch_step(runtime, batch), "step");
        if (step % REPLAY_EVERY == 0) replay(batch);
    }
    printf("%016llx\n", (unsigned long long)qh_runtime_hash(runtime));
    if (!qh_runtime_validate(runtime)) return 1;
    qh_runtime_close(runtime);
    return 0;
}
