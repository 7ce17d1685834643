/* A program for callgrind: prepares agents as the benchmark does, then makes one kind of call `count` times.
 *
 *   profile <case> <count>        case: act, learn, insert, batch-act, batch-step
 *
 * 64 dimensions of 8 cells, 16 actions, epsilon-greedy; one agent that knows 4096 states, or 593 that know 8 each. Calls go
 * through the exports, as they do from JavaScript. Only what happens inside `measured` counts (--toggle-collect=measured): that
 * includes writing the observation, 64 floats a call, which `copy` alone shows. */
#include "wasm/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIMS 64u
#define CELLS 8u
#define ACTIONS 16u
#define STATES 4096u
#define AGENTS 593u
#define FRAMES 8u

/* A call that fails here is a fault of this program. */
static int32_t must(int32_t result) {
    if (result >= QH_NO_ACTION) return result;
    fprintf(stderr, "%s\n", qh_result_name(result));
    exit(1);
}

static uint32_t draws = 1;

static uint32_t draw(void) {
    draws ^= draws << 13;
    draws ^= draws >> 17;
    draws ^= draws << 5;
    return draws;
}

static void draw_state(float *state) {
    for (uint32_t i = 0; i < DIMS; i++) state[i] = (float)(draw() >> 8) / (float)(1 << 24);
}

/* The number of a state as the cells of its first dimensions; the others stay as they are. */
static void number_state(float *state, uint32_t number) {
    for (uint32_t i = 0; number > 0; i++, number /= CELLS)
        state[i] = ((float)(number % CELLS) + 0.5f) / (float)CELLS;
}

static uint32_t create_agent(void) {
    qh__io.def = qh_agent_def_default();
    qh__io.def.actions = ACTIONS;
    qh__io.def.quota_bytes = 1e12;
    qh__io.def.encoder.kind = QH_ENCODER_BINS;
    for (uint32_t i = 0; i < DIMS; i++) qh__io.dims[i] = (qh_dim){0, 1, CELLS, 0};
    return (uint32_t)must(qh_agent_create(0, DIMS));
}

static double learn(uint32_t agent, const float *state, uint32_t action, double reward,
                    const float *next) {
    memcpy(qh__io.observation, state, sizeof qh__io.observation);
    memcpy(qh__io.next, next, sizeof qh__io.next);
    return qh_learn(agent, 0, action, reward, 0, QH_GOING_ON, QH_NO_ACTION, 0, 0);
}

/* Every action of every state once, from random rewards. `stride` floats lie between two states. */
static void fill(uint32_t agent, const float *states, uint32_t count, size_t stride) {
    for (uint32_t action = 0; action < ACTIONS; action++)
        for (uint32_t i = 0; i < count; i++)
            learn(agent, states + i * stride, action, draw() * 0x1p-32,
                  states + (i + 1) % count * stride);
}

/* ---------------------------------------------------------------- what is counted */

static float states[STATES][DIMS];
static float frames[FRAMES][AGENTS][DIMS];
static uint32_t agent, batches[FRAMES];

static double run_copy(uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        memcpy(qh__io.observation, states[i % STATES], sizeof qh__io.observation);
    return (double)qh__io.observation[0];
}

static double run_act(uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(qh__io.observation, states[i % STATES], sizeof qh__io.observation);
        sum += qh_act(agent, 0, 0);
    }
    return sum;
}

static double run_learn(uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += learn(agent, states[i % STATES], i % ACTIONS, 0.5, states[(i + 1) % STATES]);
    return sum;
}

static double run_insert(uint32_t count) {
    double sum = 0;
    float state[DIMS] = {0};
    for (uint32_t i = 0; i < count; i++) {
        number_state(state, i);
        sum += learn(agent, state, i % ACTIONS, 0.5, states[0]);
    }
    return sum;
}

static double run_batch_act(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) qh_batch_act_all(batches[i % FRAMES], 0, 0);
    return count;
}

static double run_batch_step(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) qh_batch_step_all(batches[i % FRAMES], 0);
    return count;
}

QH_NOINLINE double measured(double (*run)(uint32_t), uint32_t count);
QH_NOINLINE double measured(double (*run)(uint32_t), uint32_t count) {
    return run(count);
}

/* ---------------------------------------------------------------- */

static void prepare_one(void) {
    agent = create_agent();
    fill(agent, &states[0][0], STATES, DIMS);
}

static void prepare_none(void) {
    agent = create_agent();
}

/* The addresses of a batch's rows are valid until the next call. */
static uint32_t open_batch(const uint32_t *agents, uint32_t frame) {
    uint32_t batch = (uint32_t)must(qh_batch_open(AGENTS));
    memcpy((void *)(uintptr_t)qh__io.numbers[0], agents, AGENTS * sizeof *agents);
    memcpy((void *)(uintptr_t)qh__io.numbers[1], frames[frame], sizeof frames[frame]);
    must(qh_batch_check(batch));
    return batch;
}

static void prepare_crew(void) {
    uint32_t agents[AGENTS];
    for (uint32_t i = 0; i < FRAMES * AGENTS; i++) draw_state(frames[i / AGENTS][i % AGENTS]);
    for (uint32_t i = 0; i < AGENTS; i++) {
        agents[i] = create_agent();
        fill(agents[i], frames[0][i], FRAMES, AGENTS * DIMS);
    }
    for (uint32_t frame = 0; frame < FRAMES; frame++) batches[frame] = open_batch(agents, frame);
    must(qh_batch_begin_all(batches[0], 0));
}

static const struct {
    const char *name;
    void (*prepare)(void);
    double (*run)(uint32_t);
} cases[] = {
    {"copy", prepare_none, run_copy},           {"act", prepare_one, run_act},
    {"learn", prepare_one, run_learn},          {"insert", prepare_none, run_insert},
    {"batch-act", prepare_crew, run_batch_act}, {"batch-step", prepare_crew, run_batch_step},
};

int main(int argc, char **argv) {
    const uint32_t case_count = sizeof cases / sizeof cases[0];
    uint32_t count = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0, found = 0;
    while (argc == 3 && found < case_count && strcmp(cases[found].name, argv[1]) != 0) found++;
    if (count == 0 || found == case_count) {
        fprintf(stderr, "usage: profile <case> <count>\n");
        return 2;
    }
    must(qh_open(16384, 0, 1, 0, 1000, 5000, 500, 0));
    for (uint32_t i = 0; i < STATES; i++) draw_state(states[i]);
    cases[found].prepare();
    printf("%g\n", measured(cases[found].run, count));
    return 0;
}
