/* The learning rules, one update at a time, against numbers worked out by hand: powers of two throughout, so that every result
 * is exact. Step size and discount are 1/2 where nothing else is said; state 1 is worth {2, 4}, Q(0, 0) is 1. */
#include "fixture.h"

#include "learn/express.h"

static qh_runtime *runtime;

static qh_agent *open_agent(qh_agent_def def) {
    runtime = test_runtime_open(9, false);
    return runtime ? test_agent(runtime, &def) : NULL;
}

static qh_agent_def half_of(uint32_t algorithm) {
    qh_agent_def def = test_greedy(2, 10);
    def.algorithm = algorithm;
    def.rate = test_constant(0.5);
    def.discount = 0.5;
    return def;
}

static void put(qh_agent *agent, double state, float first, float second) {
    qh_row *row = test_row(agent, state);
    row->q[0] = first;
    row->q[1] = second;
}

static float q_of(qh_agent *agent, double state, uint32_t action) {
    return test_row(agent, state)->q[action];
}

static double learn(qh_agent *agent, double state, uint32_t action, double reward, double next,
                    uint32_t ending, int32_t next_action) {
    qh_experience experience = test_outcome(reward, test_state(next), ending);
    double td_error = __builtin_nan("");
    CHECK_OK(qh_agent_learn(agent, test_state(state), action, &experience, next_action, &td_error));
    return td_error;
}

/* Resets the two states, learns from 0, action 0, reward 3 to state 1, and compares TD error and new value. */
static void check_update(qh_agent *agent, uint32_t ending, int32_t next_action, double td_error,
                         double q) {
    put(agent, 0, 1, 0);
    put(agent, 1, 2, 4);
    CHECK_SAME(learn(agent, 0, 0, 3, 1, ending, next_action), td_error);
    CHECK_SAME(q_of(agent, 0, 0), q);
    CHECK_SAME(q_of(agent, 0, 1), 0);
    CHECK_SAME(q_of(agent, 1, 0), 2);
    CHECK_SAME(q_of(agent, 1, 1), 4);
}

/* ---------------------------------------------------------------- the four rules */

static void q_learning_by_hand(void) {
    qh_agent *agent = open_agent(half_of(QH_Q_LEARNING));
    REQUIRE(agent);
    check_update(agent, QH_GOING_ON, QH_NO_ACTION, 4, 3); /* 3 + 4/2 - 1; 1 + 4/2 */
    check_update(agent, QH_GOING_ON, 0, 4, 3); /* what comes next does not matter off policy */
    check_update(agent, QH_TERMINATED, QH_NO_ACTION, 2, 2); /* 3 - 1 */
    check_update(agent, QH_TRUNCATED, QH_NO_ACTION, 4, 3);
    qh_runtime_close(runtime);
}

static void sarsa_by_hand(void) {
    qh_agent *agent = open_agent(half_of(QH_SARSA));
    REQUIRE(agent);
    check_update(agent, QH_GOING_ON, 0, 3, 2.5); /* 3 + 2/2 - 1 */
    check_update(agent, QH_GOING_ON, 1, 4, 3);
    check_update(agent, QH_GOING_ON, QH_NO_ACTION, 4, 3); /* drawn from the greedy policy */
    check_update(agent, QH_TERMINATED, 0, 2, 2);
    check_update(agent, QH_TRUNCATED, 0, 3, 2.5);
    qh_runtime_close(runtime);
}

static void expected_sarsa_by_hand(void) {
    qh_agent_def def = half_of(QH_EXPECTED_SARSA);
    def.policy = QH_EPSILON_GREEDY;
    def.exploration = test_constant(0.5);
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    check_update(agent, QH_GOING_ON, QH_NO_ACTION, 3.75, 2.875); /* 3 + (3/4 4 + 1/4 2) / 2 - 1 */
    check_update(agent, QH_TERMINATED, QH_NO_ACTION, 2, 2);
    check_update(agent, QH_TRUNCATED, QH_NO_ACTION, 3.75, 2.875);
    qh_runtime_close(runtime);
    def.policy = QH_SOFTMAX;
    def.exploration = test_constant(2 / 0.6931471805599453); /* weights 1/2 : 1 */
    agent = open_agent(def);
    REQUIRE(agent);
    put(agent, 0, 1, 0);
    put(agent, 1, 2, 4);
    CHECK_NEAR(learn(agent, 0, 0, 3, 1, QH_GOING_ON, QH_NO_ACTION), 2 + (2 + 2 * 4) / 3.0 / 2,
               1e-12);
    qh_runtime_close(runtime);
}

/* The learning table chooses, the other one judges: with tables {2, 4} and {8, 1} in the next state either judge says less than
 * the maximum. A fair coin says who learns. */
static void double_q_by_hand(void) {
    qh_agent *agent = open_agent(half_of(QH_DOUBLE_Q));
    REQUIRE(agent);
    uint32_t learned[2] = {0};
    for (uint32_t round = 0; round < 2000; round++) {
        put(agent, 0, 1, 0);
        put(agent, 1, 2, 4);
        float *second = qh__row_second(agent, test_row(agent, 0)),
              *second_ahead = qh__row_second(agent, test_row(agent, 1));
        second[0] = 3;
        second[1] = 0;
        second_ahead[0] = 8;
        second_ahead[1] = 1;
        double td_error = learn(agent, 0, 0, 3, 1, QH_GOING_ON, QH_NO_ACTION);
        if (q_of(agent, 0, 0) == 1) { /* the second learns: its best is action 0, worth 2 */
            learned[1]++;
            CHECK_SAME(td_error, 1);
            CHECK_SAME(second[0], 3.5);
        } else { /* the first learns: its best is action 1, worth 1 */
            learned[0]++;
            CHECK_SAME(td_error, 2.5);
            CHECK_SAME(q_of(agent, 0, 0), 2.25);
            CHECK_SAME(second[0], 3);
        }
        CHECK(second[1] == 0 && second_ahead[0] == 8 && q_of(agent, 1, 1) == 4);
    }
    CHECK(test_chi_square(learned, NULL, 2) < test_chi_square_limit(1));
    qh_runtime_close(runtime);
}

static void double_q_reports_the_mean_and_chooses_by_the_sum(void) {
    qh_agent *agent = open_agent(half_of(QH_DOUBLE_Q));
    REQUIRE(agent);
    put(agent, 0, 1, 2);
    float *second = qh__row_second(agent, test_row(agent, 0)), values[2];
    CHECK(second[0] == 0 && second[1] == 0 && second[2] == -__builtin_inff());
    second[0] = 8;
    second[1] = 4;
    int32_t action;
    CHECK_OK(qh_agent_values(agent, test_state(0), values));
    CHECK_SAME(values[0], 4.5);
    CHECK_SAME(values[1], 3);
    CHECK_OK(qh_agent_act(agent, test_state(0), true, NULL, &action));
    CHECK_EQ(action, 0);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- step sizes */

static void a_step_of_one_by_visits_is_the_mean(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.rate_visits = 1;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    static const double rewards[] = {4, 8, 12, -8, 24}, means[] = {4, 6, 8, 4, 8};
    for (uint32_t i = 0; i < COUNT_OF(rewards); i++) {
        learn(agent, 3, 1, rewards[i], 0, QH_TERMINATED, QH_NO_ACTION);
        CHECK_SAME(q_of(agent, 3, 1), means[i]);
        CHECK_EQ(qh__row_counts(&agent->table, test_row(agent, 3))[1], i + 1);
    }
    learn(agent, 3, 0, 5, 0, QH_TERMINATED, QH_NO_ACTION); /* counts are of state and action */
    CHECK_SAME(q_of(agent, 3, 0), 5);
    qh_runtime_close(runtime);
}

static void a_scheduled_step_decays_with_each_learning_step(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.rate = (qh_schedule){1, 0, 0.5};
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    for (uint32_t i = 0; i < 6; i++) {
        learn(agent, i, 0, 64, 9, QH_TERMINATED, QH_NO_ACTION);
        CHECK_SAME(q_of(agent, i, 0), 64 >> i);
    }
    CHECK_OK(qh_agent_reset(agent));
    learn(agent, 0, 0, 64, 9, QH_TERMINATED, QH_NO_ACTION);
    CHECK_SAME(q_of(agent, 0, 0), 64);
    qh_runtime_close(runtime);
}

static void exploration_decays_with_each_learning_step(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.policy = QH_EPSILON_GREEDY;
    def.exploration = (qh_schedule){1, 0, 0.5};
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    float probabilities[2];
    put(agent, 0, 1, 0);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_OK(qh_agent_probabilities(agent, test_state(0), NULL, probabilities));
        CHECK_SAME(probabilities[1], 0.5 / (1 << i));
        learn(agent, 5, 0, 1, 9, QH_TERMINATED, QH_NO_ACTION);
    }
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- unseen states, counts, metrics */

static void unseen_states_are_worth_the_initial_value(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.initial_value = 6;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    float values[2];
    uint32_t counts[2];
    CHECK_SAME(learn(agent, 0, 1, 1, 7, QH_GOING_ON, QH_NO_ACTION), 1 + 3 - 6);
    CHECK_EQ(agent->table.rows, 1); /* the state ahead was only looked at */
    CHECK_OK(qh_agent_values(agent, test_state(0), values));
    CHECK(values[0] == 6 && values[1] == 5);
    CHECK_OK(qh_agent_values(agent, test_state(7), values));
    CHECK(values[0] == 6 && values[1] == 6);
    CHECK_OK(qh_agent_visits(agent, test_state(7), counts));
    CHECK(counts[0] == 0 && counts[1] == 0);
    CHECK_EQ(agent->table.rows, 1);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- what a row remembers of its values */

static int32_t quick_act(qh_agent *agent, double state, uint32_t allowed) {
    uint64_t key;
    CHECK_OK(qh_encoder_keys(&agent->encoder, NULL, state, &key));
    return allowed ? qh__express_act_among(agent, key, true, allowed)
                   : qh__express_act(agent, key, true);
}

static void check_leaders(qh_agent *agent, uint32_t leaders) {
    uint64_t hash = qh_agent_hash(agent);
    qh_row *row = test_row(agent, 0);
    CHECK_EQ(row->leaders, 0);
    CHECK(leaders >> quick_act(agent, 0, 0) & 1);
    CHECK_EQ(row->leaders, leaders);
    CHECK_EQ(qh_agent_hash(agent), hash);
    CHECK(qh_agent_validate(agent));
    CHECK_EQ(quick_act(agent, 0, 1), 0);
    CHECK_EQ(quick_act(agent, 0, 2), 1);
    for (uint32_t wrong = 1; wrong < 8; wrong++) {
        row->leaders = wrong;
        CHECK_EQ(qh_agent_validate(agent), wrong == leaders);
    }
    row->leaders = leaders;
}

static void leaders_are_found_anew_after_each_change(void) {
    static const uint32_t algorithms[] = {QH_Q_LEARNING, QH_EXPECTED_SARSA};
    for (uint32_t i = 0; i < COUNT_OF(algorithms); i++) {
        qh_agent *agent = open_agent(half_of(algorithms[i]));
        REQUIRE(agent);
        put(agent, 0, 1, 2);
        test_row(agent, 0)->leaders = 0;
        check_leaders(agent, 2);
        learn(agent, 0, 1, -8, 1, QH_TERMINATED, QH_NO_ACTION); /* 2 - 10/2 */
        check_leaders(agent, 1);
        learn(agent, 0, 1, 5, 1, QH_TERMINATED, QH_NO_ACTION); /* -3 + 8/2: as great as the other */
        check_leaders(agent, 3);
        learn(agent, 0, 0, 3, 1, QH_TERMINATED, QH_NO_ACTION); /* 1 + 2/2 */
        check_leaders(agent, 1);
        qh_runtime_close(runtime);
    }
}

static void counts_stop_at_their_greatest(void) {
    qh_agent *agent = open_agent(half_of(QH_Q_LEARNING));
    REQUIRE(agent);
    uint32_t *counts = qh__row_counts(&agent->table, test_row(agent, 0));
    counts[0] = UINT32_MAX - 1;
    for (uint32_t i = 0; i < 3; i++) learn(agent, 0, 0, 1, 1, QH_GOING_ON, QH_NO_ACTION);
    CHECK_EQ(counts[0], UINT32_MAX);
    CHECK_EQ(counts[1], 0);
    qh_runtime_close(runtime);
}

static void metrics_add_up(void) {
    qh_agent *agent = open_agent(half_of(QH_Q_LEARNING));
    REQUIRE(agent);
    qh_experience experience = test_outcome(4, test_state(1), QH_GOING_ON);
    double td_error;
    experience.time = 1000;
    CHECK_OK(qh_agent_learn(agent, test_state(0), 0, &experience, QH_NO_ACTION, &td_error)); /* 4 */
    experience = test_outcome(-6, test_state(1), QH_TERMINATED);
    experience.time = 2000;
    CHECK_OK(
        qh_agent_learn(agent, test_state(0), 0, &experience, QH_NO_ACTION, &td_error)); /* -8 */
    experience = test_outcome(-2, test_state(1), QH_TRUNCATED);
    experience.time = 3000;
    CHECK_OK(qh_agent_learn(agent, test_state(0), 0, &experience, QH_NO_ACTION, &td_error)); /* 0 */
    const qh_agent_metrics *metrics = &agent->metrics;
    CHECK_SAME(metrics->learning_steps, 3);
    CHECK_SAME(metrics->reward_sum, -4);
    CHECK_SAME(metrics->td_error_sum, 12);
    CHECK_SAME(metrics->episodes, 2);
    CHECK_SAME(metrics->last_update, 3000);
    CHECK_SAME(metrics->action_count, 0);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- tile coding */

/* Q is the sum over tilings, the step is divided among them: the sum moves by the whole step, whatever their number. */
static void tilings_share_a_value_and_a_step(void) {
    static const qh_dim dim = {0, 4, 4, 0};
    static const float here = 1.0625f, near = 1.3125f, far = 3.5f;
    for (uint32_t algorithm = QH_Q_LEARNING; algorithm <= QH_EXPECTED_SARSA; algorithm++) {
        qh_agent_def def = half_of(algorithm);
        def.encoder =
            (qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 8};
        def.initial_value = 4;
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        float values[2];
        double td_error;
        CHECK_OK(qh_agent_values(agent, test_values(&here), values));
        CHECK_SAME(values[0], 4);
        qh_experience experience = test_outcome(8, test_values(&far), QH_GOING_ON);
        CHECK_OK(
            qh_agent_learn(agent, test_values(&here), 0, &experience, QH_NO_ACTION, &td_error));
        CHECK_SAME(td_error, 8 + 2 - 4);
        CHECK_OK(qh_agent_values(agent, test_values(&here), values));
        CHECK(values[0] == 7 && values[1] == 4);
        CHECK_OK(qh_agent_values(agent, test_values(&near), values));
        CHECK_SAME(values[0], 4 + 3 * 6.0 / 8); /* a quarter of a tile away: 6 of 8 tiles shared */
        CHECK_OK(qh_agent_values(agent, test_values(&far), values));
        CHECK_SAME(values[0], 4);
        uint32_t counts[2];
        CHECK_OK(qh_agent_visits(agent, test_values(&here), counts));
        CHECK(counts[0] == 1 && counts[1] == 0);
        CHECK_OK(qh_agent_visits(agent, test_values(&near), counts));
        CHECK_EQ(counts[0], 0); /* least over the tilings */
        qh_runtime_close(runtime);
    }
}

/* ---------------------------------------------------------------- numbers at the end of their range */

static bool is_finite_table(const qh_agent *agent) {
    for (uint32_t i = 0; i < agent->table.rows; i++) {
        qh_row *row = qh__table_row(&agent->table, qh_table_location(&agent->table, i));
        for (uint32_t a = 0; a < agent->actions; a++)
            if (!qh__is_finite((double)row->q[a])) return false;
    }
    return true;
}

static bool is_finite_row(const qh_agent *agent, double state) {
    float values[2];
    return qh_agent_values(agent, test_state(state), values) == QH_OK &&
           qh__is_finite((double)values[0]) && qh__is_finite((double)values[1]);
}

static void enormous_rewards_saturate(void) {
    for (uint32_t algorithm = QH_Q_LEARNING; algorithm <= QH_DOUBLE_Q; algorithm++) {
        qh_agent_def def = half_of(algorithm);
        def.rate = test_constant(1);
        def.discount = 1;
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        static const double rewards[] = {QH_FLOAT_MAX, 3e38, -QH_FLOAT_MAX, 1e38,
                                         -3e38,        2e38, -1e38};
        for (uint32_t i = 0; i < 200; i++) {
            double td_error =
                learn(agent, i % 3, i % 2, rewards[i % COUNT_OF(rewards)], (i + 1) % 3,
                      i % 5 == 0 ? QH_TERMINATED : QH_GOING_ON, QH_NO_ACTION);
            CHECK(td_error == td_error);
            CHECK(is_finite_row(agent, i % 3));
        }
        qh_runtime_close(runtime);
    }
}

/* Single tiles saturate; their sum must not become infinite, or a TD error becomes the difference of two infinities. */
static void enormous_sums_over_tilings_saturate(void) {
    static const qh_dim dim = {0, 4, 4, 0};
    for (uint32_t algorithm = QH_Q_LEARNING; algorithm <= QH_DOUBLE_Q; algorithm++) {
        qh_agent_def def = half_of(algorithm);
        def.encoder =
            (qh_encoder_def){.kind = QH_ENCODER_TILES, .dims = &dim, .dim_count = 1, .tilings = 4};
        def.rate = test_constant(1);
        def.discount = 1;
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        for (uint32_t i = 0; i < 400; i++) {
            float here = (float)(i * 7 % 8) / 2, next = (float)(i * 5 % 8) / 2, values[2];
            double reward = i < 300 ? QH_FLOAT_MAX : -QH_FLOAT_MAX, td_error = 0;
            qh_experience experience = test_outcome(reward, test_values(&next), QH_GOING_ON);
            CHECK_OK(qh_agent_learn(agent, test_values(&here), i % 2, &experience, QH_NO_ACTION,
                                    &td_error));
            CHECK(td_error == td_error);
            CHECK_OK(qh_agent_values(agent, test_values(&here), values));
            CHECK(qh__is_finite((double)values[0]) && qh__is_finite((double)values[1]));
        }
        CHECK(is_finite_table(agent));
        qh_runtime_close(runtime);
    }
}

static void what_is_no_experience_is_refused(void) {
    qh_agent *agent = open_agent(half_of(QH_SARSA));
    REQUIRE(agent);
    learn(agent, 0, 0, 1, 1, QH_GOING_ON, 0);
    const double nan = __builtin_nan(""), infinite = __builtin_inf();
    const struct {
        double state, reward, next, time;
        uint32_t action, ending;
        int32_t next_action;
    } wrong[] = {
        {nan, 1, 1, 0, 0, 0, 0},         {10, 1, 1, 0, 0, 0, 0},       {0, nan, 1, 0, 0, 0, 0},
        {0, 3.5e38, 1, 0, 0, 0, 0},      {0, -3.5e38, 1, 0, 0, 0, 0},  {0, infinite, 1, 0, 0, 0, 0},
        {0, -infinite, 1, 0, 0, 0, 0},   {0, 1, 0.5, 0, 0, 0, 0},      {0, 1, -1, 0, 0, 0, 0},
        {0, 1, 1, nan, 0, 0, 0},         {0, 1, 1, infinite, 0, 0, 0}, {0, 1, 1, 0, 2, 0, 0},
        {0, 1, 1, 0, 0xFFFFFFFFu, 0, 0}, {0, 1, 1, 0, 0, 3, 0},        {0, 1, 1, 0, 0, 0, 2},
        {0, 1, 1, 0, 0, 0, -2},          {0, 1, nan, 0, 0, 1, 0}};
    uint64_t before = test_agent_state(agent);
    for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
        qh_experience experience = {test_state(wrong[i].next), wrong[i].reward, wrong[i].ending,
                                    wrong[i].time};
        double td_error;
        CHECK_RESULT(qh_agent_learn(agent, test_state(wrong[i].state), wrong[i].action, &experience,
                                    wrong[i].next_action, &td_error),
                     QH_INVALID_ARGUMENT);
        CHECK_EQ(test_agent_state(agent), before);
    }
    CHECK(qh_agent_validate(agent));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- replay */

static double replay(qh_agent *agent, uint32_t count) {
    double mean = -1;
    CHECK_OK(qh_agent_replay(agent, count, &mean));
    return mean;
}

/* One transition, remembered: each replay is the same update again, uncounted. */
static void a_replayed_transition_is_learned_again(void) {
    for (uint32_t kind = QH_REPLAY_UNIFORM; kind <= QH_REPLAY_PRIORITIZED; kind++) {
        qh_agent_def def = half_of(QH_Q_LEARNING);
        def.replay_capacity = 8;
        def.replay_kind = kind;
        qh_agent *agent = open_agent(def);
        REQUIRE(agent);
        CHECK_SAME(replay(agent, 5), 0);
        learn(agent, 0, 0, 8, 1, QH_TERMINATED, QH_NO_ACTION); /* 4 */
        CHECK_SAME(replay(agent, 0), 0);
        CHECK_SAME(replay(agent, 1), 4); /* 6 */
        CHECK_SAME(q_of(agent, 0, 0), 6);
        CHECK_SAME(replay(agent, 2), 1.5); /* 2, then 1: 7.5 */
        CHECK_SAME(q_of(agent, 0, 0), 7.5);
        CHECK_EQ(qh__row_counts(&agent->table, test_row(agent, 0))[0], 1);
        CHECK_SAME(agent->metrics.learning_steps, 1);
        qh_runtime_close(runtime);
    }
}

static void replay_bootstraps_from_what_is_known_now(void) {
    qh_agent_def def = half_of(QH_SARSA);
    def.replay_capacity = 1;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    learn(agent, 0, 0, 0, 1, QH_TRUNCATED, 0); /* remembered with the next action 0 */
    put(agent, 0, 0, 0);
    put(agent, 1, 8, 16);
    CHECK_SAME(replay(agent, 1), 4);
    CHECK_SAME(q_of(agent, 0, 0), 2);
    learn(agent, 0, 1, 0, 1, QH_GOING_ON, QH_NO_ACTION); /* 4, and it takes the first one's place */
    put(agent, 0, 0, 0);
    CHECK_SAME(replay(agent, 1), 8);
    CHECK_SAME(q_of(agent, 0, 0), 0);
    CHECK_SAME(q_of(agent, 0, 1), 4);
    qh_runtime_close(runtime);
}

/* Importance weights (N p)^-beta over their greatest: with two transitions of priorities 4 : 1 and alpha = beta = 1, the likelier
 * one steps a quarter as far. */
static void prioritised_steps_are_weighted(void) {
    qh_agent_def def = half_of(QH_Q_LEARNING);
    def.replay_capacity = 2;
    def.replay_kind = QH_REPLAY_PRIORITIZED;
    def.replay_alpha = def.replay_beta = 1;
    qh_agent *agent = open_agent(def);
    REQUIRE(agent);
    uint32_t both = 0;
    for (uint32_t round = 0; round < 200; round++) {
        CHECK_OK(qh_agent_reset(agent));
        agent->random = qh__random_seeded(round, 0);
        learn(agent, 0, 0, 0, 9, QH_TERMINATED, QH_NO_ACTION);
        learn(agent, 1, 0, 0, 9, QH_TERMINATED, QH_NO_ACTION);
        put(agent, 0, -16, 0);
        put(agent, 1, -16, 0);
        qh_replay_prioritise(&agent->replay, 0, 3.99);
        qh_replay_prioritise(&agent->replay, 1, 0.99);
        CHECK_NEAR(qh_replay_probability(&agent->replay, 0), 0.8, 1e-6);
        replay(agent, 2);
        float first = q_of(agent, 0, 0), second = q_of(agent, 1, 0);
        if (first == -16 || second == -16) continue; /* one of them drawn twice */
        both++;
        CHECK_NEAR(second, -8, 1e-5);
        CHECK_NEAR(first, -14, 1e-5);
    }
    CHECK(both > 20);
    qh_runtime_close(runtime);
}

TEST_SUITE(learn_rules, {"Q-learning by hand", q_learning_by_hand},
           {"SARSA by hand", sarsa_by_hand}, {"Expected SARSA by hand", expected_sarsa_by_hand},
           {"Double Q-learning by hand", double_q_by_hand},
           {"Double Q reports the mean and chooses by the sum",
            double_q_reports_the_mean_and_chooses_by_the_sum},
           {"steps by visits give the mean", a_step_of_one_by_visits_is_the_mean},
           {"a scheduled step decays with each learning step",
            a_scheduled_step_decays_with_each_learning_step},
           {"exploration decays with each learning step",
            exploration_decays_with_each_learning_step},
           {"leaders are found anew after each change", leaders_are_found_anew_after_each_change},
           {"unseen states are worth the initial value", unseen_states_are_worth_the_initial_value},
           {"counts stop at their greatest", counts_stop_at_their_greatest},
           {"metrics add up", metrics_add_up},
           {"tilings share a value and a step", tilings_share_a_value_and_a_step},
           {"enormous rewards saturate", enormous_rewards_saturate},
           {"enormous sums over tilings saturate", enormous_sums_over_tilings_saturate},
           {"what is no experience is refused", what_is_no_experience_is_refused},
           {"a replayed transition is learned again", a_replayed_transition_is_learned_again},
           {"replay bootstraps from what is known now", replay_bootstraps_from_what_is_known_now},
           {"prioritised steps are weighted", prioritised_steps_are_weighted});
