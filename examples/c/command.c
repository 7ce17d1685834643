/* A small command on the C library, for WASI and natively:
 *
 *   qhive run [--agents N] [--steps N] [--seed N] [--out FILE]    N agents learn CliffWalking at once; FILE receives the first table
 *   qhive inspect FILE                                            what is in an exported table or vector index
 *
 * Exit 0, 1 when something failed, 2 for wrong usage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qhive/qhive.h>

#include "world.h"

#define USAGE                                                                                      \
    "usage: qhive run [--agents 1..593] [--steps 1..1000000] [--seed N] [--out FILE]\n"            \
    "       qhive inspect FILE\n"

#define MOST_AGENTS 593
#define INDEX_MAGIC "QHIX"

static int wrong_usage(const char *what, const char *which) {
    fprintf(stderr, "qhive: %s%s%s\n%s", what, which ? ": " : "", which ? which : "", USAGE);
    return 2;
}

static int failed(const char *what, qh_result result) {
    fprintf(stderr, "qhive: %s: %s\n", what, qh_result_name(result));
    return 1;
}

/* ---------------------------------------------------------------- run */

typedef struct options {
    unsigned long long agents, steps, seed;
    const char *out;
} options;

static int parse_number(const char *text, unsigned long long least, unsigned long long most,
                        unsigned long long *number) {
    char *end;
    if (!text || *text < '0' || *text > '9') return 0;
    *number = strtoull(text, &end, 10);
    return *end == 0 && *number >= least && *number <= most;
}

static int parse(int argc, char **argv, options *chosen) {
    for (int i = 0; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        int fits = 0;
        if (strcmp(argv[i], "--agents") == 0)
            fits = parse_number(value, 1, MOST_AGENTS, &chosen->agents);
        else if (strcmp(argv[i], "--steps") == 0)
            fits = parse_number(value, 1, 1000000, &chosen->steps);
        else if (strcmp(argv[i], "--seed") == 0)
            fits = parse_number(value, 0, UINT64_MAX, &chosen->seed);
        else if (strcmp(argv[i], "--out") == 0)
            fits = (chosen->out = value) != NULL;
        if (!fits) return wrong_usage("not understood", argv[i]);
    }
    return 0;
}

static int write_table(const qh_agent *agent, const char *path) {
    size_t byte_count;
    qh_result result = qh_agent_export_size(agent, &byte_count);
    if (result != QH_OK) return failed("export", result);
    unsigned char *bytes = malloc(byte_count);
    FILE *file = bytes ? fopen(path, "wb") : NULL;
    int good = 0;
    if (file) {
        qh_agent_export(agent, bytes);
        good = fwrite(bytes, 1, byte_count, file) == byte_count;
        good &= fclose(file) == 0;
    }
    free(bytes);
    if (!good) fprintf(stderr, "qhive: cannot write %s\n", path);
    return good ? 0 : 1;
}

static qh_result populate(qh_runtime *runtime, qh_batch_rows rows) {
    for (uint32_t i = 0; i < rows.count; i++) {
        qh_agent_def def = qh_agent_def_default();
        def.actions = MOVES;
        def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = STATES};
        def.rate = (qh_schedule){0.5, 0.5, 1};
        def.discount = 1;
        qh_result result = qh_runtime_create_agent(runtime, &def, &rows.handles[i]);
        if (result != QH_OK) return result;
        rows.observations[(size_t)i * QH_BATCH_STRIDE] = START;
    }
    return QH_OK;
}

/* Moves every agent by its action; the number of those that arrived. */
static unsigned live(qh_batch_rows rows) {
    unsigned arrived = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        float *state = rows.observations + (size_t)i * QH_BATCH_STRIDE;
        if (rows.actions[i] == QH_NO_ACTION) { /* it arrived in the step before */
            *state = START;
            rows.endings[i] = QH_GOING_ON;
            continue;
        }
        world_step step = world_move((int32_t)*state, rows.actions[i]);
        *state = (float)step.state;
        rows.rewards[i] = (float)step.reward;
        rows.endings[i] = step.state == GOAL ? QH_TERMINATED : QH_GOING_ON;
        arrived += step.state == GOAL;
    }
    return arrived;
}

static int run_in(qh_runtime *runtime, const options *chosen) {
    qh_batch *batch;
    qh_result result = qh_batch_create(runtime, (uint32_t)chosen->agents, &batch);
    if (result != QH_OK) return failed("batch", result);
    qh_batch_rows rows = qh_batch_buffers(batch);
    result = populate(runtime, rows);
    if (result == QH_OK) result = qh_batch_seal(runtime, batch);
    if (result == QH_OK) result = qh_batch_begin(runtime, batch);
    unsigned long long episodes = 0;
    for (unsigned long long i = 0; result == QH_OK && i < chosen->steps; i++) {
        episodes += live(rows);
        result = qh_batch_step(runtime, batch);
    }
    if (result != QH_OK) return failed("run", result);
    qh_runtime_info info = qh_runtime_inspect(runtime);
    printf("agents   %u\nsteps    %llu\nepisodes %llu\nmemory   %u pages, %llu bytes live\n"
           "tables   %016llx\n",
           (unsigned)info.agents, chosen->steps, episodes, (unsigned)info.pages,
           (unsigned long long)info.live_bytes, (unsigned long long)qh_runtime_hash(runtime));
    return chosen->out ? write_table(qh_runtime_agent(runtime, rows.handles[0]), chosen->out) : 0;
}

static int run(int argc, char **argv) {
    options chosen = {.agents = MOST_AGENTS, .steps = 1000, .seed = 1};
    int status = parse(argc, argv, &chosen);
    if (status) return status;
    qh_runtime_def def = qh_runtime_def_default();
    def.seed = chosen.seed;
    def.max_pages = 256; /* 16 MiB */
    qh_runtime *runtime;
    qh_result result = qh_runtime_create(&def, &runtime);
    if (result != QH_OK) return failed("runtime", result);
    status = run_in(runtime, &chosen);
    qh_runtime_destroy(runtime);
    return status;
}

/* ---------------------------------------------------------------- inspect */

static int inspect_table(const unsigned char *bytes, size_t byte_count) {
    qh_table_info info;
    qh_result result = qh_table_inspect(bytes, byte_count, &info);
    if (result != QH_OK) return failed("not a sound table", result);
    printf(
        "table of an agent, version %u\nconfiguration %016llx\nactions       %u\ntables        %u\n"
        "states        %u\nbytes         %zu, checksum right\n",
        (unsigned)info.version, (unsigned long long)info.config_hash, (unsigned)info.actions,
        (unsigned)info.tables, (unsigned)info.rows, byte_count);
    return 0;
}

static int inspect_index(const unsigned char *bytes, size_t byte_count) {
    static const char *metrics[] = {"cosine", "l2", "ip"}, *stores[] = {"f32", "i8", "i8-only"};
    qh_runtime_def def = qh_runtime_def_default();
    memset(def.pools, 0, sizeof def.pools);
    def.max_pages = (uint32_t)(byte_count / 65536 * 2 + 64);
    qh_runtime *runtime;
    qh_handle handle;
    qh_result result = qh_runtime_create(&def, &runtime);
    if (result != QH_OK) return failed("runtime", result);
    result = qh_runtime_load_index(runtime, bytes, byte_count, &handle);
    if (result == QH_OK) {
        qh_index_details found = qh_index_inspect(qh_runtime_index(runtime, handle));
        printf(
            "vector index\nrows          %u\ndimensions    %u\nmetric        %s\nstorage       %s\n"
            "M             %u\nbytes         %zu, every link checked\n",
            (unsigned)found.rows, (unsigned)found.def.dims, metrics[found.def.metric],
            stores[found.def.storage], (unsigned)found.def.m, byte_count);
    }
    qh_runtime_destroy(runtime);
    return result == QH_OK ? 0 : failed("not a sound index", result);
}

static unsigned char *read_all(const char *path, size_t *byte_count) {
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) bytes = malloc((size_t)end + 1);
        *byte_count = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
    }
    if (file) fclose(file);
    return bytes;
}

static int inspect(const char *path) {
    size_t byte_count = 0;
    unsigned char *bytes = read_all(path, &byte_count);
    if (!bytes) {
        fprintf(stderr, "qhive: cannot read %s\n", path);
        return 1;
    }
    int is_index = byte_count >= 4 && memcmp(bytes, INDEX_MAGIC, 4) == 0;
    int status = is_index ? inspect_index(bytes, byte_count) : inspect_table(bytes, byte_count);
    free(bytes);
    return status;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "run") == 0) return run(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "inspect") == 0) return inspect(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        printf("qhive %s\n%s", qh_version(), USAGE);
        return 0;
    }
    return wrong_usage("expected run or inspect", NULL);
}
