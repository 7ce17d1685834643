/* Policies: the greatest value, ties, masks, each kind's probabilities against its choices, and the arithmetic of schedules. */
#include "fixture.h"

#include "learn/policy.h"

static alignas(16) float values[QH_MAX_ACTIONS];
static uint32_t counts[QH_MAX_ACTIONS], chosen[QH_MAX_ACTIONS], mask[QH_MASK_WORDS];
static float probabilities[QH_MAX_ACTIONS];
static double expected[QH_MAX_ACTIONS];

static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 64, 100, 1000, 1024};

/* Values from a few levels, so that there are ties; the spare lanes are -infinity. */
static void draw_values(qh_random *random, uint32_t actions, uint32_t levels) {
    for (uint32_t i = 0; i < actions; i++)
        values[i] = (float)qh__random_below(random, levels) - (float)levels / 2;
    for (uint32_t i = actions; i < QH_MAX_ACTIONS; i++) values[i] = -__builtin_inff();
}

static void draw_mask(qh_random *random, uint32_t actions) {
    memset(mask, 0, sizeof mask);
    uint32_t always = qh__random_below(random, actions);
    for (uint32_t i = 0; i < actions; i++)
        if (i == always || qh__random_below(random, 3) == 0) mask[i / 32] |= 1u << i % 32;
}

static bool allowed(const uint32_t *set, uint32_t action) {
    return !set || (set[action / 32] >> action % 32 & 1);
}

static float greatest_of(uint32_t actions, const uint32_t *set) {
    float best = -__builtin_inff();
    for (uint32_t i = 0; i < actions; i++)
        if (allowed(set, i) && values[i] > best) best = values[i];
    return best;
}

static qh_policy policy_of(uint32_t kind, uint32_t actions, double exploration) {
    qh_schedule schedule = test_constant(exploration);
    qh_policy policy = {.kind = kind,
                        .actions = actions,
                        .exploration = qh__schedule_open(&schedule),
                        .ucb_c = exploration};
    qh__policy_settle(&policy);
    return policy;
}

/* ---------------------------------------------------------------- greedy */

static void the_greatest_value_is_found(void) {
    qh_random random = test_random();
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++)
        for (uint32_t round = 0; round < 50; round++) {
            draw_values(&random, sizes[s], round % 2 ? 5 : 1000000);
            if (round % 5 == 0)
                for (uint32_t i = 0; i < sizes[s]; i++) values[i] -= 1e6f;
            draw_mask(&random, sizes[s]);
            CHECK_SAME(qh_policy_max(values, sizes[s], NULL), greatest_of(sizes[s], NULL));
            CHECK_SAME(qh_policy_max(values, sizes[s], mask), greatest_of(sizes[s], mask));
            CHECK_SAME(qh__max_of_all(values, (sizes[s] + 3) & ~3u), greatest_of(sizes[s], NULL));
        }
}

static void the_first_of_equals_draws_nothing(void) {
    qh_random random = test_random();
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++)
        for (uint32_t round = 0; round < 50; round++) {
            draw_values(&random, sizes[s], 3);
            draw_mask(&random, sizes[s]);
            const uint32_t *set = round % 2 ? mask : NULL;
            qh_random before = random;
            uint32_t action = qh_policy_greedy(values, sizes[s], true, set, &random), first = 0;
            while (!allowed(set, first) || values[first] != greatest_of(sizes[s], set)) first++;
            CHECK_EQ(action, first);
            CHECK_EQ(memcmp(&before, &random, sizeof random), 0);
        }
}

static void a_single_greatest_draws_nothing(void) {
    qh_random random = test_random();
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++) {
        draw_values(&random, sizes[s], 3);
        uint32_t best = qh__random_below(&random, sizes[s]);
        values[best] = 9;
        qh_random before = random;
        CHECK_EQ(qh_policy_greedy(values, sizes[s], false, NULL, &random), best);
        CHECK_EQ(memcmp(&before, &random, sizeof random), 0);
    }
}

/* Counts `rounds` choices and compares them with `expected` for `actions`; none outside it may come. */
static void check_frequencies(uint32_t actions, uint32_t possible) {
    if (possible < 2) return;
    double chi_square = test_chi_square(chosen, expected, actions);
    CHECK(chi_square < test_chi_square_limit(possible - 1));
}

static void ties_are_broken_uniformly(void) {
    qh_random random = test_random();
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++)
        for (uint32_t masked = 0; masked < 2; masked++) {
            uint32_t actions = sizes[s], ties = 0;
            draw_values(&random, actions, 3);
            draw_mask(&random, actions);
            const uint32_t *set = masked ? mask : NULL;
            float best = greatest_of(actions, set);
            for (uint32_t i = 0; i < actions; i++) ties += allowed(set, i) && values[i] == best;
            for (uint32_t i = 0; i < actions; i++)
                expected[i] = allowed(set, i) && values[i] == best ? 1.0 / ties : 0;
            memset(chosen, 0, sizeof chosen);
            for (uint32_t round = 0; round < TEST_SHARE(20000u); round++)
                chosen[qh_policy_greedy(values, actions, false, set, &random)]++;
            for (uint32_t i = 0; i < actions; i++) CHECK(expected[i] > 0 || chosen[i] == 0);
            check_frequencies(actions, ties);
        }
}

static void extreme_values_are_values(void) {
    qh_random random = test_random();
    draw_values(&random, 5, 2);
    for (uint32_t i = 0; i < 5; i++) values[i] = -(float)QH_FLOAT_MAX;
    CHECK_SAME(qh_policy_max(values, 5, NULL), -QH_FLOAT_MAX);
    memset(chosen, 0, sizeof chosen);
    for (uint32_t i = 0; i < 1000; i++) chosen[qh_policy_greedy(values, 5, false, NULL, &random)]++;
    for (uint32_t i = 0; i < 5; i++) CHECK(chosen[i] > 100);
    values[3] = (float)QH_FLOAT_MAX;
    CHECK_EQ(qh_policy_greedy(values, 5, false, NULL, &random), 3);
    values[0] = -0.0f;
    values[1] = 0.0f;
    values[2] = values[3] = values[4] = -1;
    memset(chosen, 0, sizeof chosen);
    for (uint32_t i = 0; i < 1000; i++) chosen[qh_policy_greedy(values, 5, false, NULL, &random)]++;
    CHECK(chosen[0] > 400 && chosen[1] > 400);
}

/* ---------------------------------------------------------------- choices follow the probabilities */

static void check_policy(const qh_policy *policy, const uint32_t *tried, const uint32_t *set,
                         qh_random *random) {
    uint32_t actions = policy->actions, possible = 0;
    double sum = 0;
    qh_policy_probabilities(policy, values, tried, set, probabilities);
    for (uint32_t i = 0; i < actions; i++) {
        CHECK(probabilities[i] >= 0 && probabilities[i] <= 1);
        CHECK(allowed(set, i) || probabilities[i] == 0);
        expected[i] = (double)probabilities[i];
        sum += expected[i];
        possible += probabilities[i] > 0;
    }
    CHECK_NEAR(sum, 1, 1e-6);
    memset(chosen, 0, sizeof chosen);
    for (uint32_t round = 0; round < TEST_SHARE(5000u); round++) {
        uint32_t action = qh_policy_choose(policy, values, tried, set, random);
        REQUIRE(action < actions && allowed(set, action));
        chosen[action]++;
    }
    for (uint32_t i = 0; i < actions; i++) CHECK(probabilities[i] > 0 || chosen[i] == 0);
    check_frequencies(actions, possible);
}

/* Every kind, tie break, number of actions, with and without a mask and counts. */
static void choices_follow_the_probabilities(void) {
    static const uint32_t few[] = {1, 2, 3, 5, 16, 33, 100};
    static const double explorations[4][3] = {{0, 0, 0}, {0, 0.3, 1}, {0.1, 1, 20}, {0, 0.5, 2}};
    qh_random random = test_random();
    for (uint32_t kind = QH_GREEDY; kind <= QH_UCB; kind++)
        for (uint32_t s = 0; s < COUNT_OF(few); s++)
            for (uint32_t variant = 0; variant < 12; variant++) {
                qh_policy policy = policy_of(kind, few[s], explorations[kind][variant % 3]);
                policy.first = variant / 3 % 2;
                draw_values(&random, few[s], variant % 4 == 0 ? 1 : 4);
                draw_mask(&random, few[s]);
                for (uint32_t i = 0; i < few[s]; i++)
                    counts[i] = qh__random_below(&random, 12) / (1 + variant % 2);
                check_policy(&policy, variant % 5 ? counts : NULL, variant < 6 ? NULL : mask,
                             &random);
            }
}

static void the_expectation_is_the_sum_over_actions(void) {
    static const double explorations[4] = {0, 0.3, 0.7, 1.5};
    qh_random random = test_random();
    for (uint32_t kind = QH_GREEDY; kind <= QH_UCB; kind++)
        for (uint32_t s = 0; s < COUNT_OF(sizes); s++)
            for (uint32_t round = 0; round < 5; round++) {
                qh_policy policy = policy_of(kind, sizes[s], explorations[kind]);
                draw_values(&random, sizes[s], 7);
                for (uint32_t i = 0; i < sizes[s]; i++)
                    counts[i] = 1 + qh__random_below(&random, 9);
                qh_policy_probabilities(&policy, values, counts, NULL, probabilities);
                double sum = 0;
                for (uint32_t i = 0; i < sizes[s]; i++)
                    sum += (double)probabilities[i] * (double)values[i];
                CHECK_NEAR(qh_policy_expectation(&policy, values, counts, NULL), sum, 1e-4);
            }
}

/* ---------------------------------------------------------------- each kind by hand */

static void epsilon_greedy_by_hand(void) {
    qh_random random = test_random();
    draw_values(&random, 4, 2);
    values[0] = 1;
    values[1] = 3;
    values[2] = 3;
    values[3] = 0;
    qh_policy policy = policy_of(QH_EPSILON_GREEDY, 4, 0.25);
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    CHECK_SAME(probabilities[0], 0.0625);
    CHECK_SAME(probabilities[1], 0.4375);
    CHECK_SAME(probabilities[2], 0.4375);
    CHECK_SAME(probabilities[3], 0.0625);
    CHECK_SAME(qh_policy_expectation(&policy, values, NULL, NULL), 0.25 * 1.75 + 0.75 * 3);
    policy.first = true;
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    CHECK_SAME(probabilities[1], 0.8125);
    CHECK_SAME(probabilities[2], 0.0625);
    mask[0] = 0xD; /* all but action 1 */
    qh_policy_probabilities(&policy, values, NULL, mask, probabilities);
    CHECK_SAME(probabilities[1], 0);
    CHECK_NEAR(probabilities[2], 0.75 + 0.25 / 3, 1e-7);
    qh_policy never = policy_of(QH_EPSILON_GREEDY, 4, 0);
    never.first = true;
    qh_random before = random;
    CHECK_EQ(qh_policy_choose(&never, values, NULL, NULL, &random), 1);
    CHECK_EQ(memcmp(&before, &random, sizeof random), 0);
}

static void softmax_by_hand(void) {
    qh_random random = test_random();
    draw_values(&random, 3, 2);
    values[0] = 0;
    values[1] = 0.69314718f; /* e^v = 2 */
    values[2] = 1.09861229f; /* 3 */
    qh_policy policy = policy_of(QH_SOFTMAX, 3, 1);
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    for (uint32_t i = 0; i < 3; i++) CHECK_NEAR(probabilities[i], (i + 1) / 6.0, 1e-7);
    policy = policy_of(QH_SOFTMAX, 3, 0.5); /* squares: 1, 4, 9 */
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    for (uint32_t i = 0; i < 3; i++) CHECK_NEAR(probabilities[i], (i + 1) * (i + 1) / 14.0, 1e-7);
    mask[0] = 5;
    qh_policy_probabilities(&policy, values, NULL, mask, probabilities);
    CHECK_NEAR(probabilities[0], 0.1, 1e-7);
    CHECK_NEAR(probabilities[2], 0.9, 1e-7);
}

/* Values at the ends of float and temperatures at the ends of double: probabilities all the same. */
static void softmax_survives_extremes(void) {
    static const double temperatures[] = {5e-324, 1e-300, 1e-10, 1, 1e10, 1e300};
    qh_random random = test_random();
    for (uint32_t t = 0; t < COUNT_OF(temperatures); t++)
        for (uint32_t round = 0; round < 3; round++) {
            qh_policy policy = policy_of(QH_SOFTMAX, 4, temperatures[t]);
            draw_values(&random, 4, 3);
            if (round == 1) values[2] = (float)QH_FLOAT_MAX;
            if (round == 2) values[1] = values[3] = -(float)QH_FLOAT_MAX;
            check_policy(&policy, NULL, NULL, &random);
        }
}

/* 1 - (1 - 1e-20) is 0 in double: the temperature of a schedule's first step must not divide by it. */
static void a_temperature_of_zero_is_greedy(void) {
    qh_random random = test_random();
    qh_policy policy = policy_of(QH_SOFTMAX, 3, 0);
    const qh_schedule rising = {1e-20, 1, 0.5};
    policy.exploration = qh__schedule_open(&rising);
    CHECK_SAME(qh__schedule_value(&policy.exploration), 0);
    values[0] = values[2] = 2, values[1] = 1, values[3] = -__builtin_inff();
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    CHECK_SAME(probabilities[0], 0.5);
    CHECK_SAME(probabilities[1], 0);
    CHECK_SAME(probabilities[2], 0.5);
    CHECK_SAME(qh_policy_expectation(&policy, values, NULL, NULL), 2);
    for (uint32_t i = 0; i < 100; i++)
        CHECK(qh_policy_choose(&policy, values, NULL, NULL, &random) != 1);
}

/* S&B 2.10 with the visits of the state as time: Q + c sqrt(ln N / n). */
static void ucb_by_hand(void) {
    qh_random random = test_random();
    draw_values(&random, 3, 2);
    values[0] = 1.0f;
    values[1] = 0.5f;
    values[2] = 0.9f;
    counts[0] = 80;
    counts[1] = 10;
    counts[2] = 10;
    /* ln 100 = 4.605: bonuses c * 0.240, 0.679, 0.679 */
    static const struct {
        double c;
        uint32_t best;
    } cases[] = {{0, 0}, {0.2, 0}, {0.3, 2}, {1, 2}};
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        qh_policy policy = policy_of(QH_UCB, 3, cases[i].c);
        CHECK_EQ(qh_policy_choose(&policy, values, counts, NULL, &random), cases[i].best);
    }
    qh_policy policy =
        policy_of(QH_UCB, 3, 0.2273); /* 1 + 0.240 c against 0.9 + 0.679 c: equal at 0.2279 */
    CHECK_EQ(qh_policy_choose(&policy, values, counts, NULL, &random), 0);
    policy.ucb_c = 0.2282;
    CHECK_EQ(qh_policy_choose(&policy, values, counts, NULL, &random), 2);
    counts[1] = 0; /* never tried: before all others */
    CHECK_EQ(qh_policy_choose(&policy, values, counts, NULL, &random), 1);
    mask[0] = 5;
    CHECK(qh_policy_choose(&policy, values, counts, mask, &random) != 1);
    counts[0] = 1;
    counts[1] = counts[2] = 0;
    policy.first = true;
    CHECK_EQ(qh_policy_choose(&policy, values, counts, NULL, &random), 1);
    qh_policy_probabilities(&policy, values, NULL, NULL, probabilities);
    CHECK_SAME(probabilities[0], 1); /* a state never seen: the first of all untried */
}

static void masks_of_one_action_leave_no_choice(void) {
    qh_random random = test_random();
    for (uint32_t kind = QH_GREEDY; kind <= QH_UCB; kind++)
        for (uint32_t s = 0; s < COUNT_OF(sizes); s++) {
            qh_policy policy = policy_of(kind, sizes[s], 0.5);
            draw_values(&random, sizes[s], 3);
            memset(mask, 0, sizeof mask);
            uint32_t only = qh__random_below(&random, sizes[s]);
            mask[only / 32] = 1u << only % 32;
            for (uint32_t i = 0; i < 20; i++)
                CHECK_EQ(qh_policy_choose(&policy, values, NULL, mask, &random), only);
            qh_policy_probabilities(&policy, values, NULL, mask, probabilities);
            CHECK_SAME(probabilities[only], 1);
        }
}

/* The inline path of few actions is the general one: same choice, same draws. */
static void the_short_path_is_the_general_one(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t actions = 1 + qh__random_below(&random, QH_FEW_ACTIONS);
        bool greedy = round % 3 == 0;
        qh_policy policy =
            policy_of(greedy ? QH_GREEDY : QH_EPSILON_GREEDY, actions, (round % 4) * 0.25);
        policy.first = round % 5 == 0;
        draw_values(&random, actions, round % 7 + 1);
        qh_random one = random, other = random;
        CHECK_EQ(qh__choose_of_few(&policy, values, greedy, &one),
                 qh_policy_choose(&policy, values, NULL, NULL, &other));
        CHECK_EQ(memcmp(&one, &other, sizeof one), 0);
    }
}

/* An integer bound explores exactly where a number below epsilon does. */
static void the_bound_of_exploration_is_exact(void) {
    qh_random random = test_random();
    const double special[] = {0,   0x1p-1074, 0x1p-33,     0x1p-32,     0x1.8p-32,
                              0.1, 0.5,       1 - 0x1p-32, 1 - 0x1p-53, 1};
    for (uint32_t round = 0; round < 20000; round++) {
        double epsilon = round < COUNT_OF(special) ? special[round] : qh__random_unit(&random);
        if (round % 3 == 1) epsilon *= 0x1p-30;
        qh_policy policy = policy_of(QH_EPSILON_GREEDY, 4, epsilon);
        CHECK(policy.explore_below <= (uint64_t)1 << 32);
        CHECK_EQ(policy.explore_below > 0, epsilon > 0);
        for (uint64_t near = 0; near < 5; near++) {
            uint64_t bits = policy.explore_below + near - 2;
            if (bits >> 32) continue;
            CHECK_EQ(bits < policy.explore_below, (double)bits * 0x1p-32 < epsilon);
        }
    }
    CHECK_EQ(policy_of(QH_GREEDY, 4, 0.5).explore_below, 0);
    CHECK_EQ(policy_of(QH_SOFTMAX, 4, 0.5).explore_below, 0);
}

/* The greatest of zeros does not depend on the order in which lanes meet. */
static void the_greatest_of_zeros_is_positive(void) {
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++)
        for (uint32_t positive = 0; positive < sizes[s] && positive < 40; positive++) {
            uint32_t stride = (sizes[s] + 3) & ~3u;
            for (uint32_t i = 0; i < stride; i++)
                values[i] = i >= sizes[s] ? -__builtin_inff() : i == positive ? 0.0f : -0.0f;
            if (positive % 2) values[positive] = -0.0f;
            CHECK_SAME(1 / (double)qh__max_of_all(values, stride), (double)__builtin_inff());
            CHECK_SAME(1 / (double)qh_policy_max(values, sizes[s], NULL), (double)__builtin_inff());
        }
}

/* ---------------------------------------------------------------- schedules */

static void schedules_decay_towards_their_end(void) {
    const qh_schedule falling = {1, 0.1, 0.5}, rising = {0.125, 0.5, 0.75}, at_once = {1, 0.2, 0},
                      never = {1, 0.2, 1};
    qh_schedule_state state = qh__schedule_open(&falling);
    static const double values_of[] = {1, 0.55, 0.325, 0.2125};
    for (uint32_t i = 0; i < COUNT_OF(values_of); i++) {
        CHECK_NEAR(qh__schedule_value(&state), values_of[i], 1e-15);
        qh__schedule_step(&state);
    }
    for (uint32_t i = 0; i < 5000; i++) qh__schedule_step(&state);
    CHECK_SAME(qh__schedule_value(&state), 0.1);
    state = qh__schedule_open(&rising);
    CHECK_SAME(qh__schedule_value(&state), 0.125);
    qh__schedule_step(&state);
    CHECK_SAME(qh__schedule_value(&state), 0.5 - 0.375 * 0.75);
    state = qh__schedule_open(&at_once);
    CHECK_SAME(qh__schedule_value(&state), 1);
    qh__schedule_step(&state);
    CHECK_SAME(qh__schedule_value(&state), 0.2);
    state = qh__schedule_open(&never);
    for (uint32_t i = 0; i < 10; i++) qh__schedule_step(&state);
    CHECK_SAME(qh__schedule_value(&state), 1);
}

TEST_SUITE(learn_policy, {"the greatest value is found", the_greatest_value_is_found},
           {"the first of equals draws nothing", the_first_of_equals_draws_nothing},
           {"a single greatest draws nothing", a_single_greatest_draws_nothing},
           {"ties are broken uniformly", ties_are_broken_uniformly},
           {"extreme values are values", extreme_values_are_values},
           {"choices follow the probabilities", choices_follow_the_probabilities},
           {"the expectation is the sum over actions", the_expectation_is_the_sum_over_actions},
           {"epsilon-greedy by hand", epsilon_greedy_by_hand}, {"softmax by hand", softmax_by_hand},
           {"softmax survives extremes", softmax_survives_extremes},
           {"a temperature of zero is greedy", a_temperature_of_zero_is_greedy},
           {"UCB by hand", ucb_by_hand},
           {"a mask of one action leaves no choice", masks_of_one_action_leave_no_choice},
           {"the short path is the general one", the_short_path_is_the_general_one},
           {"the bound of exploration is exact", the_bound_of_exploration_is_exact},
           {"the greatest of zeros is positive", the_greatest_of_zeros_is_positive},
           {"schedules decay towards their end", schedules_decay_towards_their_end});
