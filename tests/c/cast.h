/* A cast of agents unlike in every respect, and one way to play them all: what tests of whole agents run over. */
#ifndef QH_TEST_CAST_H
#define QH_TEST_CAST_H

#include "fixture.h"

#define CAST_DIMS 3u
#define CAST_STATES 40u

static const qh_dim cast_dims[CAST_DIMS] = {{0, 8, 8, 0}, {-1, 1, 4, 0}, {0, 100, 5, 0}};
static const qh_dim cast_trends[CAST_DIMS] = {{0, 8, 4, 0.25f}, {-1, 1, 2, 0}, {0, 100, 0, 0.5f}};
static const qh_dim cast_wide[CAST_DIMS] = {{0, 8, 1000, 0}, {-1, 1, 4, 0}, {0, 100, 5, 0}};

static inline qh_encoder_def cast_encoder(uint32_t kind, const qh_dim *dims) {
    return (qh_encoder_def){.kind = kind,
                            .states = CAST_STATES,
                            .bits = 6,
                            .tilings = 4,
                            .dim_count = CAST_DIMS,
                            .dims = dims};
}

/* Fills in what makes member `i` of the cast different from the defaults; false behind the last one. */
static inline bool cast_member(uint32_t i, qh_agent_def *def) {
    *def = qh_agent_def_default();
    def->actions = 3 + i % 3;
    def->encoder = cast_encoder(QH_ENCODER_BINS, cast_dims);
    switch (i) {
    case 0: return true; /* rides the express lane */
    case 1: def->encoder = cast_encoder(QH_ENCODER_INDEX, NULL); return true;
    case 2:
        def->algorithm = QH_SARSA;
        def->policy = QH_SOFTMAX;
        return true;
    case 3:
        def->algorithm = QH_DOUBLE_Q;
        def->replay_capacity = 100;
        return true;
    case 4:
        def->algorithm = QH_EXPECTED_SARSA;
        def->policy = QH_UCB;
        def->ucb_c = 0.5;
        return true;
    case 5:
        def->encoder = cast_encoder(QH_ENCODER_BINS, cast_trends);
        def->n_step = 4;
        return true;
    case 6:
        def->encoder = cast_encoder(QH_ENCODER_TILES, cast_dims);
        def->lambda = 0.8;
        return true;
    case 7:
        def->encoder = cast_encoder(QH_ENCODER_SIMHASH, cast_trends);
        def->rate_visits = 1;
        return true;
    case 8:
        def->replay_capacity = 200;
        def->replay_kind = QH_REPLAY_PRIORITIZED;
        def->planning = 3;
        return true;
    case 9:
        def->algorithm = QH_DOUBLE_Q;
        def->planning = 2;
        def->n_step = 3;
        return true;
    case 10:
        def->lambda = 0.9;
        def->replay_capacity = 50;
        return true;
    case 11:
        def->actions = 70;
        def->encoder = cast_encoder(QH_ENCODER_TILES, cast_trends);
        def->algorithm = QH_SARSA;
        def->replay_capacity = 40;
        return true;
    case 12:
        def->encoder = cast_encoder(QH_ENCODER_BINS, cast_wide);
        def->tie_break = QH_TIE_FIRST;
        return true;
    case 13:
        def->rate = (qh_schedule){1, 0.1, 0.99};
        def->exploration = (qh_schedule){1, 0, 0.995};
        def->initial_value = 2;
        return true;
    case 14:
        def->encoder = cast_encoder(QH_ENCODER_TILES, cast_trends);
        def->policy = QH_SOFTMAX;
        def->propensities = 1;
        def->replay_capacity = 60;
        def->replay_kind = QH_REPLAY_PRIORITIZED;
        def->replay_record = QH_RECORD_FULL;
        return true;
    default: return false;
    }
}

#define CAST_SIZE 15u

/* A world without sense: where an agent goes next, for what, and whether that was the end. */
typedef struct cast_world {
    qh_random random;
    float values[QH_MAX_DIMS];
    double state;
} cast_world;

static inline qh_observation cast_observe(cast_world *world) {
    world->state = qh__random_below(&world->random, CAST_STATES);
    world->values[0] = (float)qh__random_below(&world->random, 32) / 4;
    world->values[1] = (float)qh__random_below(&world->random, 16) / 8 - 1;
    world->values[2] = (float)qh__random_below(&world->random, 100);
    return (qh_observation){world->values, world->state};
}

static inline qh_experience cast_experience(cast_world *world) {
    qh_observation next = cast_observe(world);
    double reward = qh__random_unit(&world->random) * 2 - 1;
    uint32_t dice = qh__random_below(&world->random, 16);
    return (qh_experience){next, reward, dice < 2 ? dice + 1 : QH_GOING_ON, world->state};
}

#endif
