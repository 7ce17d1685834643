/* One agent learns CliffWalking, then shows its way: `cliff [seed]`. The same seed prints the same in every build. */
#include <stdio.h>
#include <stdlib.h>

#include <qhive/qhive.h>

#include "world.h"

#define EPISODES 500
#define LONGEST 200

static void must(qh_result result, const char *what) {
    if (result == QH_OK) return;
    fprintf(stderr, "%s: %s\n", what, qh_result_name(result));
    exit(1);
}

static void live_an_episode(qh_agent *agent) {
    world_step here = {START, 0};
    int32_t action;
    must(qh_agent_begin(agent, (qh_observation){NULL, here.state}, &action), "begin");
    for (int step = 0; action != QH_NO_ACTION; step++) {
        here = world_move(here.state, action);
        qh_experience experience = {.next = {NULL, here.state}, .reward = here.reward};
        if (here.state == GOAL)
            experience.ending = QH_TERMINATED;
        else if (step == LONGEST)
            experience.ending = QH_TRUNCATED;
        must(qh_agent_step(agent, &experience, &action), "step");
    }
}

/* Follows the best actions; the number of steps to the goal. */
static int show_the_way(qh_agent *agent) {
    char map[STATES];
    for (int i = 0; i < STATES; i++) map[i] = i > START && i < GOAL ? '~' : '.';
    int steps = 0;
    int32_t state = START;
    for (; state != GOAL && steps < LONGEST; steps++) {
        int32_t action;
        map[state] = 'o';
        must(qh_agent_act(agent, (qh_observation){NULL, state}, true, NULL, &action), "act");
        state = world_move(state, action).state;
    }
    map[GOAL] = 'G';
    for (int row = 0; row < ROWS; row++) printf("%.*s\n", COLUMNS, map + row * COLUMNS);
    return steps;
}

int main(int argc, char **argv) {
    qh_runtime_def world = qh_runtime_def_default();
    world.seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    world.max_pages = 128; /* 8 MiB: room for the pools and a little more */
    qh_runtime *runtime;
    must(qh_runtime_create(&world, &runtime), "runtime");

    qh_agent_def def = qh_agent_def_default();
    def.actions = MOVES;
    def.encoder = (qh_encoder_def){.kind = QH_ENCODER_INDEX, .states = STATES};
    def.rate = (qh_schedule){0.5, 0.5, 1};
    def.discount = 1;
    qh_handle handle;
    must(qh_runtime_create_agent(runtime, &def, &handle), "agent");
    qh_agent *agent = qh_runtime_agent(runtime, handle);
    for (int i = 0; i < EPISODES; i++) live_an_episode(agent);

    int steps = show_the_way(agent);
    qh_agent_info info = qh_agent_inspect(agent);
    printf("%d steps; %u states known; %llu bytes; table %016llx\n", steps, (unsigned)info.states,
           (unsigned long long)info.live_bytes, (unsigned long long)qh_agent_hash(agent));
    qh_runtime_destroy(runtime);
    return steps == 13 ? 0 : 1;
}
