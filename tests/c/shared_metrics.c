/* Metrics: the histogram against sorted values, names, sums over agents that come and go. */
#include "fixture.h"

#define VALUES 4000u

static qh_runtime *runtime;
static qh_metrics_store *metrics;
static double values[VALUES];

static void open_store(void) {
    runtime = test_runtime_open(1, true);
    metrics = &runtime->metrics;
}

static qh_text text(const char *name) {
    uint32_t length = 0;
    while (name[length]) length++;
    return (qh_text){(const unsigned char *)name, length};
}

static uint32_t series(const char *name) {
    uint32_t number = UINT32_MAX;
    CHECK_OK(qh_metrics_find(metrics, text(name), &number));
    return number;
}

static void sort_values(uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        double value = values[i];
        uint32_t k = i;
        for (; k > 0 && values[k - 1] > value; k--) values[k] = values[k - 1];
        values[k] = value;
    }
}

static uint32_t count_octaves(const qh_series *of, double end) {
    double below = 0;
    for (uint32_t i = 0; i < of->octave_count; i++)
        if (qh_octave_end(&of->octaves[i]) <= end) below += qh_octave_count(&of->octaves[i]);
    return (uint32_t)below;
}

/* Quantiles against the values themselves, and buckets that hold exactly what is not above their ends. */
static void check_histogram(const qh_series *of, uint32_t count) {
    sort_values(count);
    for (double quantile = 0.001; quantile <= 1; quantile += 0.001) {
        double exact = values[(uint32_t)QH_MAX(-qh__floor(-quantile * count) - 1, 0)];
        double found = qh_series_quantile(of, quantile);
        CHECK(qh__abs(found - exact) <= qh__abs(exact) / 60);
    }
    for (uint32_t i = 0; i < of->octave_count; i++) {
        double end = qh_octave_end(&of->octaves[i]);
        uint32_t below = 0;
        while (below < count && values[below] <= end) below++;
        CHECK_EQ(count_octaves(of, end), below);
    }
    CHECK(of->least == values[0] && of->greatest == values[count - 1]);
}

static void quantiles_are_those_of_the_values(void) {
    qh_random random = test_random();
    for (uint32_t kind = 0; kind < 4; kind++) {
        open_store();
        uint32_t number = series("x");
        for (uint32_t i = 0; i < VALUES; i++) {
            double unit = qh__random_unit(&random);
            values[i] = kind == 0   ? unit * 100
                        : kind == 1 ? qh__exp(40 * unit - 20)
                        : kind == 2 ? (double)qh__random_below(&random, 9) - 4 /* ends of octaves */
                                    : (unit < 0.5 ? -1 : 1) * qh__exp(20 * unit);
            CHECK_OK(qh_metrics_count(metrics, number, values[i]));
        }
        CHECK(qh_runtime_validate(runtime));
        check_histogram(&metrics->series[number], VALUES);
        qh_runtime_close(runtime);
    }
}

static void any_finite_number_can_be_observed(void) {
    static const double extremes[] = {
        0, -0.0, 0x1p-1074, -0x1p-1074, 0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023,
        1, -1,   0x1p-1022, 1e-300};
    open_store();
    uint32_t number = series("x");
    for (uint32_t i = 0; i < COUNT_OF(extremes); i++) {
        CHECK_OK(qh_metrics_count(metrics, number, extremes[i]));
        CHECK(qh_metrics_validate(metrics));
    }
    const qh_series *of = &metrics->series[number];
    CHECK(qh_series_quantile(of, 0) == -0x1.fffffffffffffp1023 ||
          qh_series_quantile(of, 0) < -0x1.f8p1023);
    CHECK(qh__is_finite(qh_series_quantile(of, 1)) && qh_series_quantile(of, 1) > 0x1.f8p1023);
    CHECK(qh__abs(qh_series_quantile(of, 0.5)) < 1e-300);
    CHECK_RESULT(qh_metrics_count(metrics, number, __builtin_nan("")), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_metrics_count(metrics, number, __builtin_inf()), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_metrics_count(metrics, 1, 1), QH_INVALID_ARGUMENT);
    CHECK(of->count == COUNT_OF(extremes));
    CHECK(qh_series_quantile(&metrics->series[series("nothing")], 0.5) == 0);
    qh_runtime_close(runtime);
}

static void names_are_those_of_prometheus(void) {
    static char long_name[QH_SERIES_NAME + 2];
    static const char *const wrong[] = {
        "",        "1a",       "a-b",       "a b",          "a.b",
        "qhive_x", "\xC3\xA4", "known_sum", "known_bucket", "known_count"};
    uint32_t number;
    open_store();
    CHECK_EQ(series("known"), 0);
    CHECK_EQ(series("_a1"), 1);
    CHECK_EQ(series("known_total"), 2);
    CHECK_EQ(series("known"), 0);
    CHECK_EQ(series("x_sum"), 3);
    CHECK_RESULT(qh_metrics_find(metrics, text("x"), &number), QH_INVALID_ARGUMENT);
    for (uint32_t i = 0; i < COUNT_OF(wrong); i++)
        CHECK_RESULT(qh_metrics_find(metrics, text(wrong[i]), &number), QH_INVALID_ARGUMENT);
    for (uint32_t i = 0; i < QH_SERIES_NAME; i++) long_name[i] = 'a';
    CHECK_EQ(series(long_name), 4);
    long_name[QH_SERIES_NAME] = 'a';
    CHECK_RESULT(qh_metrics_find(metrics, text(long_name), &number), QH_INVALID_ARGUMENT);
    CHECK_EQ(metrics->series_count, 5);
    qh_runtime_close(runtime);
}

static void memory_that_fails_changes_nothing(void) {
    for (uint32_t fails = 1; fails < 10; fails++) {
        open_store();
        uint32_t counted = 0, failures = 0, number = UINT32_MAX;
        runtime->memory.heap.fail_after = fails;
        while (counted < 30) {
            qh_result result = number == UINT32_MAX
                                   ? qh_metrics_find(metrics, text("x"), &number)
                                   : qh_metrics_count(metrics, number, (double)(1u << counted));
            if (result != QH_OK) {
                CHECK_RESULT(result, QH_GROWTH_FAILED);
                if (metrics->series_count == 0) number = UINT32_MAX;
                runtime->memory.heap.fail_after = 0;
                failures++;
            } else if (metrics->series_count > 0 && metrics->series[0].count > counted) {
                counted++;
            }
            CHECK(qh_runtime_validate(runtime));
        }
        CHECK(failures <= 1 && (failures == 1 || fails > 3));
        CHECK(metrics->series[0].count == 30);
        qh_runtime_close(runtime);
    }
}

static void what_agents_did_stays_counted(void) {
    qh_handle handles[3];
    int32_t action;
    open_store();
    qh_agent_def def = test_greedy(2, 4);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &handles[i]));
        qh_agent *agent = qh_runtime_agent(runtime, handles[i]);
        CHECK_OK(qh_agent_begin(agent, test_state(0), &action));
        qh_experience experience = test_outcome(2, test_state(1), QH_GOING_ON);
        for (uint32_t k = 0; k <= i; k++) CHECK_OK(qh_agent_step(agent, &experience, &action));
    }
    CHECK_OK(qh_runtime_destroy_agent(runtime, handles[0]));
    CHECK_OK(qh_runtime_reset_agent(runtime, handles[2]));
    CHECK_RESULT(qh_runtime_reset_agent(runtime, handles[0]), QH_STALE_HANDLE);
    qh_agent_metrics sum = metrics->retired;
    for (uint32_t i = 1; i < 3; i++)
        qh_metrics_add(&sum, &qh_runtime_agent(runtime, handles[i])->metrics);
    CHECK(sum.learning_steps == 6 && sum.reward_sum == 12 && sum.action_count == 9);
    qh_runtime_close(runtime);
}

static void its_validator_sees_what_is_wrong(void) {
    open_store();
    uint32_t number = series("x");
    for (uint32_t i = 1; i < 40; i++) CHECK_OK(qh_metrics_count(metrics, number, i));
    qh_series *of = &metrics->series[number];
    CHECK(qh_metrics_validate(metrics));
    of->octaves[1].counts[3]++;
    CHECK(!qh_metrics_validate(metrics));
    of->octaves[1].counts[3]--;
    of->octaves[1].number -= 5;
    CHECK(!qh_metrics_validate(metrics));
    of->octaves[1].number += 5;
    of->greatest = 0;
    CHECK(!qh_metrics_validate(metrics));
    of->greatest = 39;
    CHECK(qh_metrics_validate(metrics));
    qh_runtime_close(runtime);
}

TEST_SUITE(shared_metrics, {"quantiles are those of the values", quantiles_are_those_of_the_values},
           {"any finite number can be observed", any_finite_number_can_be_observed},
           {"names are those of Prometheus", names_are_those_of_prometheus},
           {"memory that fails changes nothing", memory_that_fails_changes_nothing},
           {"what agents did stays counted", what_agents_did_stays_counted},
           {"its validator sees what is wrong", its_validator_sees_what_is_wrong});
