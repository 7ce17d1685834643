/* Episodes: begin and step under every rule, n-step returns, eligibility traces and Dyna by hand; then random walks beside a naive
 * learner that only knows the text of rules.h's order of things and the actions it sees taken. */
#include "fixture.h"

static qh_runtime *runtime;

static qh_agent *open_agent(qh_agent_def def) {
    runtime = test_runtime_open(21, false);
    return runtime ? test_agent(runtime, &def) : NULL;
}

/* Two actions, the first of equals, step size and discount 1/2: exact in binary. */
static qh_agent_def half_of(uint32_t algorithm) {
    qh_agent_def def = test_greedy(2, 100);
    def.algorithm = algorithm;
    def.rate = test_constant(0.5);
    def.discount = 0.5;
    return def;
}

/* The same with four tilings: whole states apart, no two states share a tile, and a value is the sum of four exact quarters. */
static qh_agent_def tiled(qh_agent_def def) {
    static const qh_dim dim = {0, 100, 100, 0};
    def.encoder =
        (qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 4};
    return def;
}

static qh_observation seen_by(const qh_agent *agent, uint32_t state) {
    static float places[100];
    places[state] = (float)state + 0.125f;
    return agent->tilings > 1 ? test_values(&places[state]) : test_state(state);
}

static void put(qh_agent *agent, uint32_t state, float first, float second) {
    qh_observation seen = seen_by(agent, state);
    uint64_t keys[QH_MAX_TILINGS];
    uint32_t rows[QH_MAX_TILINGS];
    CHECK_OK(qh_encoder_keys(&agent->encoder, seen.values, seen.state, keys));
    CHECK_OK(qh_table_reserve(&agent->table, agent->tilings));
    for (uint32_t t = 0; t < agent->tilings; t++) rows[t] = QH_NO_ROW;
    qh__agent_give_birth(agent, keys, rows);
    for (uint32_t t = 0; t < agent->tilings; t++) {
        qh_row *row = qh__table_row(&agent->table, rows[t]);
        row->q[0] = first / (float)agent->tilings;
        row->q[1] = second / (float)agent->tilings;
    }
}

static float q_of(const qh_agent *agent, uint32_t state, uint32_t action) {
    float values[QH_MAX_ACTIONS];
    CHECK_OK(qh_agent_values(agent, seen_by(agent, state), values));
    return values[action];
}

static int32_t begin(qh_agent *agent, uint32_t state) {
    int32_t action = -99;
    CHECK_OK(qh_agent_begin(agent, seen_by(agent, state), &action));
    return action;
}

static int32_t step(qh_agent *agent, double reward, uint32_t state, uint32_t ending) {
    qh_experience experience = test_outcome(reward, seen_by(agent, state), ending);
    int32_t action = -99;
    CHECK_OK(qh_agent_step(agent, &experience, &action));
    return action;
}

/* ---------------------------------------------------------------- when is chosen */

/* A step back into the same state that makes its best action the worse one: rules that learn first see it. */
static void rules_choose_before_or_after_they_learn(void) {
    static const int32_t next[] = {1, 0, 1}; /* Q-learning, SARSA, Expected SARSA */
    for (uint32_t algorithm = QH_Q_LEARNING; algorithm <= QH_EXPECTED_SARSA; algorithm++) {
        qh_agent *agent = open_agent(half_of(algorithm));
        REQUIRE(agent);
        put(agent, 0, 1, 0);
        CHECK_EQ(begin(agent, 0), 0);
        CHECK_EQ(step(agent, -10, 0, QH_GOING_ON), next[algorithm]);
        CHECK_SAME(q_of(agent, 0, 0), -4.25); /* 1 + (-10 + 1/2 - 1) / 2 */
        qh_runtime_close(runtime);
    }
}

static void endings_bootstrap_or_not(void) {
    static const double truncated[] = {3, 3,
                                       3}; /* 1 + (3 + 4/2 - 1) / 2: greedy, so all rules agree */
    for (uint32_t algorithm = QH_Q_LEARNING; algorithm <= QH_EXPECTED_SARSA; algorithm++) {
        qh_agent *agent = open_agent(half_of(algorithm));
        REQUIRE(agent);
        put(agent, 1, 2, 4);
        put(agent, 0, 1, 0);
        begin(agent, 0);
        CHECK_EQ(step(agent, 3, 1, QH_TERMINATED), QH_NO_ACTION);
        CHECK_SAME(q_of(agent, 0, 0), 2); /* 1 + (3 - 1) / 2 */
        put(agent, 0, 1, 0);
        begin(agent, 0);
        CHECK_EQ(step(agent, 3, 1, QH_TRUNCATED), QH_NO_ACTION);
        CHECK_SAME(q_of(agent, 0, 0), truncated[algorithm]);
        CHECK_SAME(agent->metrics.episodes, 2);
        CHECK_SAME(agent->metrics.action_count, 2);
        qh_runtime_close(runtime);
    }
}

static void steps_want_an_episode(void) {
    qh_agent *agent = open_agent(half_of(QH_Q_LEARNING));
    REQUIRE(agent);
    qh_experience experience = test_outcome(1, test_state(1), QH_GOING_ON);
    int32_t action = 5;
    CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_INVALID_STATE);
    begin(agent, 0);
    step(agent, 1, 1, QH_TERMINATED);
    CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_INVALID_STATE);
    begin(agent, 0);
    begin(agent, 3); /* in the middle of an episode: a new one */
    step(agent, 8, 1, QH_TERMINATED);
    CHECK_SAME(q_of(agent, 3, 0), 4);
    CHECK_SAME(q_of(agent, 0, 0), 0.5);
    begin(agent, 0);
    CHECK_OK(qh_agent_reset(agent));
    CHECK_RESULT(qh_agent_step(agent, &experience, &action), QH_INVALID_STATE);
    CHECK_EQ(action, 5);
    qh_runtime_close(runtime);
}

/* A state that `learn` met in between is found, not made a second time. */
static void learning_between_steps_is_seen(void) {
    qh_agent *agent = open_agent(half_of(QH_Q_LEARNING));
    REQUIRE(agent);
    qh_experience experience = test_outcome(16, test_state(9), QH_TERMINATED);
    double td_error;
    begin(agent, 0);
    CHECK_OK(qh_agent_learn(agent, test_state(0), 0, &experience, QH_NO_ACTION, &td_error));
    step(agent, 0, 1, QH_TERMINATED);
    CHECK_SAME(q_of(agent, 0, 0), 4);
    CHECK_EQ(agent->table.rows, 1);
    CHECK(qh_agent_validate(agent));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- n steps */

/* Rewards 8, 16, 32, 64 along states 0, 1, 2, 3, 4 with n = 3; state 3 is worth 48, state 4 {32, 16}. */
static void three_steps_by_hand(void) {
    static const uint32_t algorithms[] = {QH_Q_LEARNING, QH_SARSA, QH_EXPECTED_SARSA};
    for (uint32_t i = 0; i < 2 * COUNT_OF(algorithms); i++) {
        qh_agent_def def = half_of(algorithms[i / 2]);
        def.n_step = 3;
        qh_agent *agent = open_agent(i % 2 ? tiled(def) : def);
        REQUIRE(agent);
        put(agent, 3, 48, 0);
        put(agent, 4, 32, 16);
        begin(agent, 0);
        step(agent, 8, 1, QH_GOING_ON);
        step(agent, 16, 2, QH_GOING_ON);
        CHECK(q_of(agent, 0, 0) == 0 && q_of(agent, 1, 0) == 0);
        step(agent, 32, 3, QH_GOING_ON);
        CHECK_SAME(q_of(agent, 0, 0), 15); /* (8 + 16/2 + 32/4 + 48/8) / 2 */
        CHECK_SAME(q_of(agent, 1, 0), 0);
        step(agent, 64, 4, QH_TRUNCATED);
        CHECK_SAME(q_of(agent, 1, 0), 26);      /* (16 + 32/2 + 64/4 + 32/8) / 2 */
        CHECK_SAME(q_of(agent, 2, 0), 36);      /* (32 + 64/2 + 32/4) / 2 */
        CHECK_SAME(q_of(agent, 3, 0), 48 + 16); /* 48 + (64 + 32/2 - 48) / 2 */
        CHECK_SAME(agent->metrics.learning_steps, 4);
        qh_runtime_close(runtime);
    }
}

static void three_steps_to_a_terminal_state_by_hand(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.n_step = 3;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    put(agent, 2, 1000, 1000);
    begin(agent, 0);
    step(agent, 8, 1, QH_GOING_ON);
    step(agent, 16, 2, QH_TERMINATED); /* sooner than n: what is ahead counts nothing */
    CHECK_SAME(q_of(agent, 0, 0), 8);
    CHECK_SAME(q_of(agent, 1, 0), 8);
    CHECK_EQ(agent->pending.count, 0);
    qh_runtime_close(runtime);
}

static void a_new_episode_forgets_what_is_pending(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.n_step = 3;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    step(agent, 8, 1, QH_GOING_ON);
    begin(agent, 5);
    step(agent, 4, 6, QH_TERMINATED);
    CHECK_SAME(q_of(agent, 0, 0), 0);
    CHECK_SAME(q_of(agent, 5, 0), 2);
    qh_runtime_close(runtime);
}

/* An n-step agent learns from given transitions one step deep. */
static void learn_is_one_step_deep(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.n_step = 5;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    qh_experience experience = test_outcome(8, test_state(1), QH_GOING_ON);
    double td_error;
    put(agent, 1, 4, 0);
    CHECK_OK(qh_agent_learn(agent, test_state(0), 1, &experience, QH_NO_ACTION, &td_error));
    CHECK_SAME(td_error, 10);
    CHECK_SAME(q_of(agent, 0, 1), 5);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- eligibility traces */

/* SARSA(lambda) with replacing traces; discount 1/2 and lambda 1/2 make a trace fade to a quarter. */
static void check_replacing_traces(qh_agent_def def) {
    def.lambda = 0.5;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    step(agent, 16, 1, QH_GOING_ON); /* error 16 */
    CHECK_SAME(q_of(agent, 0, 0), 8);
    step(agent, 32, 0, QH_GOING_ON); /* error 32 + 8/2 = 36: trace of 0 is 1/4 */
    CHECK_SAME(q_of(agent, 1, 0), 18);
    CHECK_SAME(q_of(agent, 0, 0), 8 + 4.5);
    step(agent, 0, 2, QH_GOING_ON); /* state 0 again: its trace is 1, not 1 + 1/16; error -12.5 */
    CHECK_SAME(q_of(agent, 0, 0), 12.5 - 6.25);
    CHECK_SAME(q_of(agent, 1, 0), 18 - 12.5 / 2 / 4);
    step(agent, 64, 3, QH_TERMINATED); /* error 64: 2 at 1, 0 at 1/4, 1 at 1/16 */
    CHECK_SAME(q_of(agent, 2, 0), 32);
    CHECK_SAME(q_of(agent, 0, 0), 6.25 + 8);
    CHECK_SAME(q_of(agent, 1, 0), 18 - 12.5 / 8 + 2);
    CHECK_EQ(agent->traces.count, 0);
    qh_runtime_close(runtime);
}

static void replacing_traces_by_hand(void) {
    check_replacing_traces(half_of(QH_SARSA));
    check_replacing_traces(tiled(half_of(QH_SARSA)));
}

/* Watkins' Q(lambda): an action that is not the best ends all traces; learning from it comes first. */
static void watkins_cut_by_hand(void) {
    for (uint32_t greedy = 0; greedy < 2; greedy++) {
        qh_agent_def def = half_of(QH_Q_LEARNING);
        def.lambda = 0.5;
        def.policy = QH_EPSILON_GREEDY;
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        put(agent, 1, 8, 16);
        agent->policy.exploration =
            qh__schedule_open(&(qh_schedule){1, 1, 1}); /* explores always */
        int32_t action;
        do {
            put(agent, 0, 0, 0);
            begin(agent, 0);
            action = step(agent, 4, 1, QH_GOING_ON); /* error 4 + 16/2 = 12 */
        } while ((action == 1) != greedy);
        uint32_t first = q_of(agent, 0, 0) != 0 ? 0 : 1;
        CHECK_SAME(q_of(agent, 0, first), 6);
        CHECK_EQ(agent->traces.count, greedy);
        step(agent, 32, 2, QH_TERMINATED);
        CHECK_SAME(q_of(agent, 0, first), greedy ? 6 + (32 - 16) / 8.0 : 6);
        CHECK_SAME(q_of(agent, 1, (uint32_t)action), greedy ? 24 : 20);
        qh_runtime_close(runtime);
    }
}

static void other_rules_do_not_cut(void) {
    static const uint32_t algorithms[] = {QH_SARSA, QH_EXPECTED_SARSA};
    for (uint32_t i = 0; i < COUNT_OF(algorithms); i++) {
        qh_agent_def def = half_of(algorithms[i]);
        def.lambda = 1;
        def.policy = QH_EPSILON_GREEDY;
        def.exploration = test_constant(1);
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        for (uint32_t s = 1; s < 8; s++) put(agent, s, (float)s, 0);
        begin(agent, 0);
        for (uint32_t s = 1; s < 8; s++) {
            step(agent, 1, s, QH_GOING_ON);
            CHECK_EQ(agent->traces.count, s);
        }
        qh_runtime_close(runtime);
    }
}

static void faint_traces_are_dropped(void) {
    qh_agent_def def = half_of(QH_SARSA);
    def.lambda = 0.5;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    for (uint32_t s = 1; s < 50; s++) {
        step(agent, 1, s, QH_GOING_ON);
        CHECK(agent->traces.count <= 4); /* 1/4, 1/16, 1/64, 1/256; 1/1024 is below a thousandth */
    }
    CHECK_EQ(agent->traces.count, 4);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- Dyna */

static void planning_repeats_what_the_model_knows(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.planning = 3;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    step(agent, 16, 1, QH_TERMINATED);
    CHECK_SAME(q_of(agent, 0, 0), 15); /* 16 (1 - 1/2^4): one real update and three simulated */
    CHECK_SAME(q_of(agent, 0, 1), 0);
    CHECK_EQ(qh__row_counts(&agent->table, test_row(agent, 0))[0], 1);
    CHECK_SAME(agent->metrics.learning_steps, 1);
    qh_runtime_close(runtime);
}

static void the_model_is_the_last_outcome(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.planning = 1;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    const qh_model *model = qh__row_model(agent, test_row(agent, 0));
    CHECK(!model[0].known && !model[1].known);
    begin(agent, 0);
    step(agent, 16, 1, QH_GOING_ON);
    uint64_t key;
    CHECK_OK(qh_encoder_keys(&agent->encoder, NULL, 1, &key));
    CHECK(model[0].known && !model[0].terminated && model[0].reward == 16 &&
          model[0].next_key == key);
    begin(agent, 0);
    step(agent, -4, 2, QH_TERMINATED);
    CHECK_OK(qh_encoder_keys(&agent->encoder, NULL, 2, &key));
    CHECK(model[0].known && model[0].terminated && model[0].reward == -4 &&
          model[0].next_key == key);
    CHECK(!model[1].known);
    begin(agent, 0);
    step(agent, 8, 3, QH_TRUNCATED);
    CHECK(!model[0].terminated && model[0].reward == 8); /* truncation is not an end of the world */
    qh_runtime_close(runtime);
}

/* Planning bootstraps through the model: after the goal was met once, its value runs back along the path without a step. */
static void planning_carries_values_back(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.planning = 300;
    def.rate = test_constant(1);
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    for (uint32_t s = 1; s < 5; s++) step(agent, 0, s, QH_GOING_ON);
    step(agent, 64, 5, QH_TERMINATED);
    for (uint32_t s = 0; s < 5; s++) CHECK_SAME(q_of(agent, s, 0), 64 >> (4 - s));
    qh_runtime_close(runtime);
}

static void planning_with_two_tables_learns_both(void) {
    qh_agent_def def = half_of(QH_DOUBLE_Q);
    def.planning = 40;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    begin(agent, 0);
    step(agent, 16, 1, QH_TERMINATED);
    const float *second = qh__row_second(agent, test_row(agent, 0));
    CHECK_NEAR(q_of(agent, 0, 0), 16, 0.1);
    CHECK_NEAR(second[0], 16, 0.1);
    CHECK(second[1] == 0 && second[2] == -__builtin_inff());
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- beside a naive learner */

#define STATES 6u
#define ACTIONS 3u
#define MOST_STEPS 8u

typedef struct experience_row {
    uint32_t state, action;
    double reward;
} experience_row;

static struct {
    uint32_t algorithm, n_step;
    double rate, discount, lambda, epsilon;
    double q[STATES][ACTIONS], trace[STATES][ACTIONS];
    experience_row pending[MOST_STEPS];
    uint32_t pending_count;
} naive;

static double best_of(const double *q) {
    double best = q[0];
    for (uint32_t a = 1; a < ACTIONS; a++) best = QH_MAX(best, q[a]);
    return best;
}

static double naive_value(uint32_t state, int32_t next_action) {
    const double *q = naive.q[state];
    double mean = 0;
    switch (naive.algorithm) {
    case QH_SARSA: return q[next_action];
    case QH_EXPECTED_SARSA:
        for (uint32_t a = 0; a < ACTIONS; a++) mean += q[a] / ACTIONS;
        return naive.epsilon * mean + (1 - naive.epsilon) * best_of(q);
    default: return best_of(q);
    }
}

static void naive_n_step(uint32_t ahead, int32_t next_action, bool terminated) {
    double target = terminated ? 0 : naive_value(ahead, next_action);
    for (uint32_t i = naive.pending_count; i-- > 0;)
        target = naive.pending[i].reward + naive.discount * target;
    experience_row oldest = naive.pending[0];
    double *q = &naive.q[oldest.state][oldest.action];
    *q += naive.rate * (target - *q);
    for (uint32_t i = 1; i < naive.pending_count; i++) naive.pending[i - 1] = naive.pending[i];
    naive.pending_count--;
}

static void naive_traces(experience_row now, uint32_t ahead, int32_t next_action, uint32_t ending) {
    double target = now.reward;
    if (ending != QH_TERMINATED) target += naive.discount * naive_value(ahead, next_action);
    double error = target - naive.q[now.state][now.action];
    bool cut = ending != QH_GOING_ON || (naive.algorithm == QH_Q_LEARNING &&
                                         naive.q[ahead][next_action] < best_of(naive.q[ahead]));
    naive.trace[now.state][now.action] = 1;
    for (uint32_t s = 0; s < STATES; s++)
        for (uint32_t a = 0; a < ACTIONS; a++) {
            naive.q[s][a] += naive.rate * naive.trace[s][a] * error;
            naive.trace[s][a] *= cut ? 0 : naive.discount * naive.lambda;
            if (naive.trace[s][a] < 0.001) naive.trace[s][a] = 0;
        }
}

/* `next_action` is the one the agent takes next (or drew, where the episode was cut short). */
static void naive_step(experience_row now, uint32_t ahead, int32_t next_action, uint32_t ending) {
    if (naive.lambda > 0) {
        naive_traces(now, ahead, next_action, ending);
        return;
    }
    naive.pending[naive.pending_count++] = now;
    if (naive.pending_count == naive.n_step)
        naive_n_step(ahead, next_action, ending == QH_TERMINATED);
    while (ending != QH_GOING_ON && naive.pending_count > 0)
        naive_n_step(ahead, next_action, ending == QH_TERMINATED);
}

/* Walks at random and compares all values after each step. The difference is the rounding to float. */
static void walk_beside_the_naive_learner(qh_random *random, uint32_t steps) {
    qh_agent_def def = test_greedy(ACTIONS, STATES);
    def.algorithm = naive.algorithm;
    def.policy = QH_EPSILON_GREEDY;
    def.tie_break = QH_TIE_RANDOM;
    def.exploration = test_constant(naive.epsilon);
    def.rate = test_constant(naive.rate);
    def.discount = naive.discount;
    def.lambda = naive.lambda;
    def.n_step = naive.n_step;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    uint32_t state = 0;
    int32_t action = begin(agent, state);
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t ahead = qh__random_below(random, STATES), dice = qh__random_below(random, 12);
        uint32_t ending = dice == 0 ? QH_TERMINATED : dice == 1 ? QH_TRUNCATED : QH_GOING_ON;
        experience_row now = {state, (uint32_t)action, qh__random_unit(random) * 4 - 2};
        step(agent, now.reward, ahead, ending);
        /* A truncated SARSA draws the action it would have taken; only its value tells which. */
        bool hidden = ending == QH_TRUNCATED && naive.algorithm == QH_SARSA;
        REQUIRE(!hidden || agent->last_action >= 0);
        naive_step(now, ahead, agent->last_action, ending);
        for (uint32_t s = 0; s < STATES; s++)
            for (uint32_t a = 0; a < ACTIONS; a++) {
                float values[ACTIONS];
                CHECK_OK(qh_agent_values(agent, test_state(s), values));
                CHECK_NEAR(values[a], naive.q[s][a], 1e-5);
                naive.q[s][a] =
                    (double)values[a]; /* rounding must not add up to another greatest */
            }
        if (test_failures()) return;
        state = ending == QH_GOING_ON ? ahead : qh__random_below(random, STATES);
        action = ending == QH_GOING_ON ? agent->last_action : begin(agent, state);
    }
    CHECK(qh_agent_validate(agent));
    qh_runtime_close(runtime);
}

static void random_walks_agree_with_the_naive_learner(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < 120; round++) {
        memset(&naive, 0, sizeof naive);
        naive.algorithm = round % 3;
        naive.n_step = round % 2 ? 1 : 1 + qh__random_below(&random, MOST_STEPS);
        naive.lambda = naive.n_step == 1 && round % 4 < 2 ? qh__random_unit(&random) : 0;
        naive.rate = 0.05 + 0.9 * qh__random_unit(&random);
        naive.discount = qh__random_unit(&random);
        naive.epsilon = qh__random_unit(&random);
        walk_beside_the_naive_learner(&random, TEST_SHARE(1000u));
        if (!test_failures()) continue;
        test_note_integer("algorithm", naive.algorithm);
        test_note_integer("n", naive.n_step);
        test_note_double("lambda", naive.lambda);
        return;
    }
}

TEST_SUITE(learn_episodes,
           {"rules choose before or after they learn", rules_choose_before_or_after_they_learn},
           {"endings bootstrap or not", endings_bootstrap_or_not},
           {"steps want an episode", steps_want_an_episode},
           {"learning between steps is seen", learning_between_steps_is_seen},
           {"three steps by hand", three_steps_by_hand},
           {"three steps to a terminal state by hand", three_steps_to_a_terminal_state_by_hand},
           {"a new episode forgets what is pending", a_new_episode_forgets_what_is_pending},
           {"learn is one step deep", learn_is_one_step_deep},
           {"replacing traces by hand", replacing_traces_by_hand},
           {"Watkins' cut by hand", watkins_cut_by_hand},
           {"other rules do not cut", other_rules_do_not_cut},
           {"faint traces are dropped", faint_traces_are_dropped},
           {"planning repeats what the model knows", planning_repeats_what_the_model_knows},
           {"the model is the last outcome", the_model_is_the_last_outcome},
           {"planning carries values back", planning_carries_values_back},
           {"planning with two tables learns both", planning_with_two_tables_learns_both},
           {"random walks agree with the naive learner",
            random_walks_agree_with_the_naive_learner});
