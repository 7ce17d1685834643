/* Federation: each rule against the plain formula, who has a say, what comes back to agents, and bytes that are damaged or hostile. */
#include "cast.h"

#define CLIENTS 7u
#define STATES 12u
#define ACTIONS 3u
#define ROOM 60000u

static qh_runtime *runtime;
static qh_federation *federation;
static qh_agent *clients[CLIENTS];
static unsigned char bytes[ROOM], damaged[ROOM];
static uint32_t fault;

static qh_merge_def rule_of(uint32_t rule) {
    return (qh_merge_def){.rule = rule, .trim = 0.2, .visit_cap = 50, .clip = __builtin_inf()};
}

static void open_clients(uint32_t algorithm) {
    runtime = test_runtime_open(5, true);
    federation = &runtime->federation;
    qh_agent_def def = test_greedy(ACTIONS, STATES);
    def.algorithm = algorithm;
    def.initial_value = 0.25;
    for (uint32_t i = 0; i < CLIENTS; i++) clients[i] = test_agent(runtime, &def);
}

/* Values and counts by chance; a third of the cells is not visited. */
static void fill_clients(qh_random *random) {
    for (uint32_t i = 0; i < CLIENTS; i++)
        for (uint32_t state = 0; state < STATES; state++) {
            if (qh__random_below(random, 4) == 0) continue;
            qh_row *row = test_row(clients[i], state);
            for (uint32_t a = 0; a < ACTIONS; a++) {
                bool visited = qh__random_below(random, 3) > 0;
                row->q[a] = visited ? (float)(qh__random_unit(random) * 10 - 5) : 0.25f;
                qh__row_counts(&clients[i]->table, row)[a] =
                    visited ? 1 + qh__random_below(random, 120) : 0;
                if (clients[i]->double_q)
                    qh__row_second(clients[i], row)[a] =
                        visited ? (float)qh__random_unit(random) : 0.25f;
            }
        }
}

static void accumulate_all(double age) {
    CHECK_OK(qh_federation_accumulate(federation, clients, CLIENTS, age, &fault));
}

static qh_merge_report merge(const qh_merge_def *def) {
    qh_merge_report report;
    CHECK_OK(qh_federation_merge(federation, def, &report));
    CHECK(qh_runtime_validate(runtime));
    return report;
}

static uint64_t key_of(double state) {
    uint64_t key = 0;
    CHECK_OK(qh_encoder_keys(&clients[0]->encoder, NULL, state, &key));
    return key;
}

static qh_row *row_of_state(const qh_table *table, double state) {
    uint32_t location = qh_table_find(table, key_of(state));
    return location == QH_NO_ROW ? NULL : qh__table_row(table, location);
}

/* ---------------------------------------------------------------- rules */

typedef struct said {
    double value, weight;
} said;

static void order(said *all, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count; k++)
            if (all[k].value < all[i].value) {
                said swapped = all[i];
                all[i] = all[k];
                all[k] = swapped;
            }
}

/* The rule as its definition reads; all clients are of one age. */
static double expected(uint32_t rule, said *all, uint32_t count) {
    order(all, count);
    if (rule == QH_MERGE_MEDIAN) return (all[(count - 1) / 2].value + all[count / 2].value) / 2;
    bool trims = rule == QH_MERGE_ROBUST || rule == QH_MERGE_TRIMMED_MEAN;
    uint32_t cut = trims ? count / 5 : 0;
    double sum = 0, weights = 0;
    for (uint32_t i = cut; i < count - cut; i++) {
        double weight = rule == QH_MERGE_ROBUST           ? QH_MIN(all[i].weight, 50)
                        : rule == QH_MERGE_VISIT_WEIGHTED ? all[i].weight
                                                          : 1;
        sum += all[i].value * weight;
        weights += weight;
    }
    return sum / weights;
}

static uint32_t ask_clients(double state, uint32_t action, bool second, said *all) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        qh_row *row = row_of_state(&clients[i]->table, state);
        if (!row || qh__row_counts(&clients[i]->table, row)[action] == 0) continue;
        const float *values = second ? qh__row_second(clients[i], row) : row->q;
        all[count++] =
            (said){(double)values[action], qh__row_counts(&clients[i]->table, row)[action]};
    }
    return count;
}

static void check_merged(uint32_t rule, bool second) {
    const qh_table *table = &federation->merged.groups[0].table;
    said all[CLIENTS];
    for (uint32_t state = 0; state < STATES; state++) {
        qh_row *row = row_of_state(table, state);
        for (uint32_t a = 0; row && a < ACTIONS; a++) {
            uint32_t count = ask_clients(state, a, second, all);
            CHECK_EQ(qh__row_counts(table, row)[a], count);
            if (count == 0) continue;
            const float *values = second ? qh__row_second(clients[0], row) : row->q;
            double exact = expected(rule, all, count);
            CHECK(qh__abs((double)values[a] - exact) <= 1e-6 * (1 + qh__abs(exact)));
        }
    }
}

static void rules_are_what_they_say(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < 20; round++)
        for (uint32_t rule = 0; rule < QH_MERGE_RULES; rule++) {
            open_clients(round % 2 ? QH_DOUBLE_Q : QH_Q_LEARNING);
            fill_clients(&random);
            accumulate_all(round % 3);
            qh_merge_def def = rule_of(rule);
            qh_merge_report report = merge(&def);
            CHECK(report.groups == 1 && report.rejected == 0 && report.rows > 0);
            check_merged(rule, false);
            if (round % 2) check_merged(rule, true);
            qh_runtime_close(runtime);
        }
}

/* The hash of what agent 0 has after a merge of clients in this order. */
static uint64_t merged_in_order(const uint32_t *sequence, const qh_merge_def *def) {
    qh_random random = qh__random_seeded(11, 0);
    qh_agent *ordered[CLIENTS];
    uint32_t applied;
    open_clients(QH_Q_LEARNING);
    fill_clients(&random);
    for (uint32_t i = 0; i < STATES; i++) test_row(clients[0], i); /* rows in one order */
    for (uint32_t i = 0; i < CLIENTS; i++) ordered[i] = clients[sequence[i]];
    CHECK_OK(qh_federation_accumulate(federation, ordered, CLIENTS, 0, &fault));
    merge(def);
    CHECK_OK(qh_federation_apply(federation, clients, 1, &applied, &fault));
    uint64_t hash = qh_agent_hash(clients[0]);
    qh_runtime_close(runtime);
    return hash;
}

static void the_order_of_contributions_does_not_matter(void) {
    static const uint32_t orders[][CLIENTS] = {{0, 1, 2, 3, 4, 5, 6}, {6, 2, 4, 0, 1, 3, 5}};
    for (uint32_t rule = 0; rule < QH_MERGE_RULES; rule++) {
        qh_merge_def def = rule_of(rule);
        def.sigma = rule % 2 ? 0.5 : 0;
        def.clip = rule > 2 ? 3 : __builtin_inf();
        CHECK_EQ(merged_in_order(orders[0], &def), merged_in_order(orders[1], &def));
    }
}

static void an_older_contribution_weighs_less(void) {
    uint32_t fault_at;
    open_clients(QH_Q_LEARNING);
    for (uint32_t i = 0; i < 2; i++) {
        qh_row *row = test_row(clients[i], 0);
        row->q[0] = i ? 6 : 0;
        qh__row_counts(&clients[i]->table, row)[0] = 10;
        CHECK_OK(qh_federation_accumulate(federation, clients + i, 1, i ? 3 : 0, &fault_at));
    }
    qh_merge_def def = rule_of(QH_MERGE_MEAN);
    merge(&def); /* weights 1 and 1/2 */
    CHECK(row_of_state(&federation->merged.groups[0].table, 0)->q[0] == 2);
    def = rule_of(QH_MERGE_MEDIAN);
    merge(&def);
    CHECK(row_of_state(&federation->merged.groups[0].table, 0)->q[0] == 0);
    CHECK_RESULT(qh_federation_accumulate(federation, clients, 1, -1, &fault_at),
                 QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_federation_accumulate(federation, clients, 1, __builtin_nan(""), &fault_at),
                 QH_INVALID_ARGUMENT);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- privacy */

static void updates_are_clipped_in_l2(void) {
    open_clients(QH_Q_LEARNING);
    for (uint32_t state = 0; state < 2; state++) {
        qh_row *row = test_row(clients[0], state);
        row->q[0] = state ? 4.25f : 3.25f; /* an update of (3, 4) from 0.25 */
        qh__row_counts(&clients[0]->table, row)[0] = 1;
    }
    CHECK_OK(qh_federation_accumulate(federation, clients, 1, 0, &fault));
    qh_merge_def def = rule_of(QH_MERGE_MEAN);
    def.clip = 2.5;
    CHECK_EQ(merge(&def).clipped, 1);
    const qh_table *table = &federation->merged.groups[0].table;
    CHECK(row_of_state(table, 0)->q[0] == 1.75f && row_of_state(table, 1)->q[0] == 2.25f);
    CHECK_EQ(merge(&def).clipped, 0); /* from what was merged before it is only half as far */
    table = &federation->merged.groups[0].table;
    CHECK(row_of_state(table, 0)->q[0] == 3.25f && row_of_state(table, 1)->q[0] == 4.25f);
    qh_runtime_close(runtime);
}

static void noise_is_normal_and_seeded(void) {
    double sum = 0, squares = 0, count = 0;
    open_clients(QH_Q_LEARNING);
    for (uint32_t state = 0; state < STATES; state++) {
        qh_row *row = test_row(clients[0], state);
        for (uint32_t a = 0; a < ACTIONS; a++) {
            row->q[a] = 1;
            qh__row_counts(&clients[0]->table, row)[a] = 1;
        }
    }
    CHECK_OK(qh_federation_accumulate(federation, clients, 1, 0, &fault));
    qh_merge_def def = rule_of(QH_MERGE_ROBUST);
    def.sigma = 2;
    for (def.seed = 0; def.seed < 200; def.seed++) {
        CHECK(merge(&def).noisy == STATES * ACTIONS);
        for (uint32_t state = 0; state < STATES; state++)
            for (uint32_t a = 0; a < ACTIONS; a++) {
                double noise =
                    (double)row_of_state(&federation->merged.groups[0].table, state)->q[a] - 1;
                sum += noise;
                squares += noise * noise;
                count++;
            }
    }
    CHECK(qh__abs(sum / count) < 0.1 && qh__abs(qh__sqrt(squares / count) - 2) < 0.1);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- groups and agents */

static void categories_are_merged_apart_or_together(void) {
    qh_random random = qh__random_seeded(3, 0);
    uint32_t applied;
    open_clients(QH_Q_LEARNING);
    fill_clients(&random);
    for (uint32_t i = 0; i < CLIENTS; i++) clients[i]->category = i % 3;
    accumulate_all(0);
    qh_merge_def def = rule_of(QH_MERGE_ROBUST);
    CHECK_EQ(merge(&def).groups, 3);
    CHECK_OK(qh_federation_apply(federation, clients, CLIENTS, &applied, &fault));
    CHECK_EQ(applied, CLIENTS);
    clients[0]->category = 77; /* nothing was merged for it */
    CHECK_OK(qh_federation_apply(federation, clients, CLIENTS, &applied, &fault));
    CHECK_EQ(applied, CLIENTS - 1);
    def.across = 1;
    CHECK_EQ(merge(&def).groups, 1);
    CHECK_OK(qh_federation_apply(federation, clients, CLIENTS, &applied, &fault));
    CHECK_EQ(applied, CLIENTS);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void agents_that_differ_are_not_merged(void) {
    uint32_t applied;
    qh_merge_report report;
    open_clients(QH_Q_LEARNING);
    qh_agent_def def = test_greedy(ACTIONS + 1, STATES);
    qh_agent *other = test_agent(runtime, &def);
    qh_agent *both[] = {clients[0], other};
    CHECK_RESULT(qh_federation_accumulate(federation, both, 2, 0, &fault), QH_INVALID_ARGUMENT);
    CHECK(fault == 1 && federation->count == 0);
    other->category = 5;
    CHECK_OK(qh_federation_accumulate(federation, both, 2, 0, &fault));
    qh_merge_def all = rule_of(QH_MERGE_ROBUST);
    CHECK_EQ(merge(&all).groups, 2);
    all.across = 1;
    CHECK_RESULT(qh_federation_merge(federation, &all, &report), QH_INVALID_ARGUMENT);
    CHECK_EQ(federation->merged.count, 2); /* as before */
    other->category = 0;
    CHECK_RESULT(qh_federation_apply(federation, both, 2, &applied, &fault), QH_INVALID_ARGUMENT);
    CHECK_EQ(fault, 1);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void definitions_out_of_range_are_refused(void) {
    static const double wrong[][5] = {/* trim, cap, clip, sigma, rule */
                                      {0.5, 50, 1, 0, 0}, {-0.1, 50, 1, 0, 0}, {0.2, 0, 1, 0, 0},
                                      {0.2, 50, 0, 0, 0}, {0.2, 50, 1, -1, 0}, {0.2, 50, 1, 0, 5}};
    qh_merge_report report;
    uint32_t applied;
    open_clients(QH_Q_LEARNING);
    for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
        qh_merge_def def = {.rule = (uint32_t)wrong[i][4],
                            .trim = wrong[i][0],
                            .visit_cap = wrong[i][1],
                            .clip = wrong[i][2],
                            .sigma = wrong[i][3]};
        CHECK_RESULT(qh_federation_merge(federation, &def, &report), QH_INVALID_ARGUMENT);
        double *numbers[] = {&def.trim, &def.visit_cap, &def.clip, &def.sigma};
        def = rule_of(0);
        *numbers[i % 4] = __builtin_nan("");
        CHECK_RESULT(qh_federation_merge(federation, &def, &report), QH_INVALID_ARGUMENT);
    }
    CHECK_RESULT(qh_federation_apply(federation, clients, 1, &applied, &fault), QH_INVALID_STATE);
    qh_runtime_close(runtime);
}

static void a_newer_contribution_takes_the_place_of_the_older(void) {
    open_clients(QH_Q_LEARNING);
    for (uint32_t round = 1; round < 4; round++) {
        qh_row *row = test_row(clients[2], 1);
        row->q[0] = (float)round;
        qh__row_counts(&clients[2]->table, row)[0] = round;
        accumulate_all(0);
        CHECK_EQ(federation->count, CLIENTS);
        qh_merge_def def = rule_of(QH_MERGE_MEAN);
        merge(&def);
        CHECK(row_of_state(&federation->merged.groups[0].table, 1)->q[0] == (float)round);
    }
    CHECK_OK(qh_federation_clear(federation, true));
    CHECK(federation->count == 0 && federation->merged.count == 1);
    CHECK(qh_runtime_validate(runtime));
    CHECK_OK(qh_federation_clear(federation, false));
    CHECK_EQ(federation->owner.live_bytes, 0);
    qh_runtime_close(runtime);
}

/* Applied in the middle of everything, to every kind of agent: they go on, and their visits stay. */
static void agents_go_on_after_an_apply(void) {
    for (uint32_t i = 0; i < CAST_SIZE; i++) {
        qh_agent_def def;
        qh_agent *pair[2];
        uint32_t applied;
        CHECK(cast_member(i, &def));
        runtime = test_runtime_open(3, false);
        federation = &runtime->federation;
        for (uint32_t k = 0; k < 2; k++) {
            cast_world world = {.random = qh__random_seeded(k + 1, i)};
            int32_t action;
            pair[k] = test_agent(runtime, &def);
            REQUIRE(pair[k]);
            for (uint32_t round = 0; round < 3; round++) {
                for (uint32_t step = 0; step < 60; step++) {
                    if (!pair[k]->running)
                        CHECK_OK(qh_agent_begin(pair[k], cast_observe(&world), &action));
                    qh_experience experience = cast_experience(&world);
                    CHECK_OK(qh_agent_step(pair[k], &experience, &action));
                }
                CHECK_OK(qh_federation_accumulate(federation, pair, k + 1, 0, &fault));
                qh_merge_def robust = rule_of(QH_MERGE_ROBUST);
                merge(&robust);
                CHECK_OK(qh_federation_apply(federation, pair, k + 1, &applied, &fault));
                CHECK(applied == k + 1 && qh_runtime_validate(runtime));
            }
        }
        qh_runtime_close(runtime);
    }
}

static void a_quota_that_is_spent_changes_no_agent(void) {
    uint32_t applied;
    open_clients(QH_Q_LEARNING);
    qh_agent_def def = test_greedy(ACTIONS, 100000);
    def.name = "big";
    def.name_length = 3;
    qh_agent *big = test_agent(runtime, &def);
    big->category = 9;
    for (uint32_t i = 0; i < 300; i++) qh__row_counts(&big->table, test_row(big, i))[0] = 1;
    def.quota_bytes = 8192;
    def.name_length = 0;
    qh_agent *small[] = {test_agent(runtime, &def), test_agent(runtime, &def)};
    small[0]->category = small[1]->category = 9;
    small[0]->owner.quota_bytes = 1 << 20;
    CHECK_OK(qh_federation_accumulate(federation, &big, 1, 0, &fault));
    qh_merge_def robust = rule_of(QH_MERGE_ROBUST);
    CHECK_EQ(merge(&robust).rows, 300);
    uint64_t before = test_agent_state(small[0]);
    CHECK_RESULT(qh_federation_apply(federation, small, 2, &applied, &fault), QH_QUOTA_EXCEEDED);
    CHECK(fault == 1 && test_agent_state(small[0]) == before && small[1]->table.rows == 0);
    CHECK(qh_runtime_validate(runtime));
    small[1]->owner.quota_bytes = 1 << 20;
    CHECK_OK(qh_federation_apply(federation, small, 2, &applied, &fault));
    CHECK(small[0]->table.rows == 300 && small[1]->table.rows == 300);
    federation->owner.quota_bytes = federation->owner.live_bytes;
    CHECK_RESULT(qh_federation_accumulate(federation, &big, 1, 0, &fault), QH_QUOTA_EXCEEDED);
    CHECK(federation->count == 1 && qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- deltas */

static size_t export_delta(uint32_t count, bool all) {
    size_t byte_count = 0;
    CHECK_OK(qh_delta_size(clients, count, all, &byte_count));
    CHECK(byte_count <= ROOM);
    qh_delta_write(clients, count, all, bytes);
    return byte_count;
}

static void a_delta_says_what_the_agents_say(void) {
    qh_random random = qh__random_seeded(8, 0);
    for (uint32_t algorithm = 0; algorithm <= QH_DOUBLE_Q; algorithm += QH_DOUBLE_Q) {
        open_clients(algorithm);
        fill_clients(&random);
        accumulate_all(0);
        qh_merge_def def = rule_of(QH_MERGE_ROBUST);
        qh_merge_report report = merge(&def);
        uint64_t direct = qh_table_hash(&federation->merged.groups[0].table, 0), rows = report.rows;
        CHECK_OK(qh_federation_clear(federation, false));
        size_t byte_count = export_delta(CLIENTS, false);
        CHECK_OK(qh_federation_accumulate_delta(federation, bytes, byte_count, 0));
        CHECK_EQ(federation->count, CLIENTS);
        CHECK_EQ(merge(&def).rows, rows);
        check_merged(QH_MERGE_ROBUST, algorithm == QH_DOUBLE_Q);
        CHECK(direct != 0);
        qh_runtime_close(runtime);
    }
}

static uint32_t rows_in_delta(void) {
    uint32_t rows;
    memcpy(&rows, bytes + 16 + 24, sizeof rows);
    return rows;
}

static void a_delta_holds_what_has_changed(void) {
    uint32_t applied;
    open_clients(QH_Q_LEARNING);
    for (uint32_t i = 0; i < 5; i++)
        qh__row_counts(&clients[0]->table, test_row(clients[0], i))[1] = 1;
    test_row(clients[0], 6); /* never visited: nothing to say */
    uint64_t hash = qh_agent_hash(clients[0]);
    export_delta(1, false);
    CHECK_EQ(rows_in_delta(), 5);
    CHECK_EQ(qh_agent_hash(clients[0]), hash); /* exporting changes nothing that is learned */
    export_delta(1, false);
    CHECK_EQ(rows_in_delta(), 0);
    export_delta(1, true);
    CHECK_EQ(rows_in_delta(), 5);
    test_row(clients[0], 3)->q[1] = 7;
    export_delta(1, false);
    CHECK_EQ(rows_in_delta(), 1);
    for (uint32_t i = 0; i < 5; i++) test_row(clients[1], i)->q[1] = 2;
    for (uint32_t i = 0; i < 5; i++)
        qh__row_counts(&clients[1]->table, test_row(clients[1], i))[1] = 9;
    accumulate_all(0);
    qh_merge_def def = rule_of(QH_MERGE_VISIT_WEIGHTED);
    merge(&def);
    test_row(clients[0], 4)->q[1] = 3; /* learned since */
    CHECK_OK(qh_federation_apply(federation, clients, CLIENTS, &applied, &fault));
    export_delta(1, false);
    CHECK_EQ(rows_in_delta(), 1); /* what was only merged in is no news */
    CHECK_OK(qh_agent_reset(clients[0]));
    export_delta(1, false);
    CHECK_EQ(rows_in_delta(), 0);
    qh_runtime_close(runtime);
}

static void reseal(size_t byte_count) {
    uint32_t crc = qh__crc32c(0, damaged + 8, byte_count - 8);
    memcpy(damaged + 4, &crc, sizeof crc);
}

/* Every byte flipped, every length cut, then random damage under a right checksum: refused or taken whole. */
static void hostile_bytes_are_refused_whole(void) {
    qh_random random = test_random();
    open_clients(QH_Q_LEARNING);
    fill_clients(&random);
    size_t byte_count = export_delta(3, true);
    for (size_t i = 0; i < byte_count; i++) {
        memcpy(damaged, bytes, byte_count);
        damaged[i] ^= (unsigned char)(1u << i % 8);
        qh_result result = qh_federation_accumulate_delta(federation, damaged, byte_count, 0);
        CHECK_RESULT(result, i >= 8 && i < 12 ? QH_VERSION : QH_CORRUPT);
        CHECK_RESULT(qh_federation_accumulate_delta(federation, bytes, i, 0), QH_CORRUPT);
    }
    CHECK(federation->count == 0);
    uint32_t taken = 0, refused = 0;
    for (uint32_t round = 0; round < TEST_SHARE(20000u); round++) {
        size_t length = qh__random_below(&random, 8)
                            ? byte_count
                            : 16 + qh__random_below(&random, (uint32_t)byte_count - 16);
        memcpy(damaged, bytes, byte_count);
        for (uint32_t i = qh__random_below(&random, 6); i > 0; i--)
            damaged[16 + qh__random_below(&random, (uint32_t)(round % 2 ? 100 : length - 16))] =
                (unsigned char)qh__random_next(&random);
        reseal(length);
        uint32_t count = federation->count;
        qh_result result = qh_federation_accumulate_delta(federation, damaged, length, 0);
        CHECK(result == QH_OK || federation->count == count);
        taken += result == QH_OK;
        refused += result != QH_OK;
        if (federation->count > 30) {
            qh_merge_report report;
            qh_merge_def def = rule_of(round % QH_MERGE_RULES);
            CHECK_OK(qh_federation_merge(federation, &def, &report));
            CHECK(qh_federation_validate(federation));
            CHECK_OK(qh_federation_clear(federation, false));
        }
    }
    CHECK(taken > 100 && refused > 100);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void what_is_not_finite_has_no_say(void) {
    open_clients(QH_Q_LEARNING);
    for (uint32_t i = 0; i < 2; i++) {
        qh_row *row = test_row(clients[i], 0);
        row->q[0] = 3;
        qh__row_counts(&clients[i]->table, row)[0] = 1;
    }
    size_t byte_count = export_delta(2, true);
    static const float wrong = __builtin_inff();
    memcpy(damaged, bytes, byte_count);
    memcpy(damaged + 16 + 32 + 8, &wrong, sizeof wrong);
    reseal(byte_count);
    CHECK_OK(qh_federation_accumulate_delta(federation, damaged, byte_count, 0));
    qh_merge_def def = rule_of(QH_MERGE_MEAN);
    qh_merge_report report = merge(&def);
    CHECK(report.rejected == 1 && report.rows == 1 && report.groups == 1);
    CHECK(row_of_state(&federation->merged.groups[0].table, 0)->q[0] == 3);
    qh_runtime_close(runtime);
}

/* Keys that all fall into one bucket would make every search long. */
static void crowded_keys_have_no_say(void) {
    open_clients(QH_Q_LEARNING);
    qh_contribution made = {.key = qh__group_key_of(clients[0]), .weight = 1};
    CHECK_OK(qh__federation_reserve(federation, 1));
    CHECK_OK(qh__federation_take(federation, &made, 3000));
    for (uint32_t i = 0; i < 3000; i++) {
        qh_row *row =
            (qh_row *)(void *)(made.rows + (size_t)i * qh__federated_row_bytes(&made.key));
        row->key = (uint64_t)(i + 1) << 32;
        ((uint32_t *)(void *)(row->q + 4))[0] = 1;
    }
    federation->contributions[federation->count++] = made;
    qh_merge_def def = rule_of(QH_MERGE_MEAN);
    qh_merge_report report = merge(&def);
    CHECK(report.rejected == 1 && report.rows == 0);
    qh_runtime_close(runtime);
}

/* ---------------------------------------------------------------- faults */

static void memory_that_fails_changes_nothing(void) {
    uint32_t failures = 0;
    for (uint32_t fails = 1; fails < 60; fails++) {
        qh_random random = qh__random_seeded(2, 0);
        uint32_t applied;
        qh_merge_report report;
        qh_merge_def def = rule_of(QH_MERGE_ROBUST);
        open_clients(QH_Q_LEARNING);
        fill_clients(&random);
        qh_table_clear(&clients[CLIENTS - 1]->table);
        size_t byte_count = export_delta(2, true);
        qh_heap *heap = &runtime->memory.heap;
        for (uint32_t call = 0; call < 4; call++) {
            uint64_t before = qh_runtime_hash(runtime);
            uint32_t count = federation->count, groups = federation->merged.count;
            heap->fail_after = fails;
            for (qh_result result = QH_BUSY; result != QH_OK;) {
                result =
                    call == 0   ? qh_federation_accumulate(federation, clients, CLIENTS, 0, &fault)
                    : call == 1 ? qh_federation_accumulate_delta(federation, bytes, byte_count, 0)
                    : call == 2
                        ? qh_federation_merge(federation, &def, &report)
                        : qh_federation_apply(federation, clients, CLIENTS, &applied, &fault);
                CHECK(qh_runtime_validate(runtime));
                heap->fail_after = 0;
                if (result == QH_OK) continue;
                CHECK_RESULT(result, QH_GROWTH_FAILED);
                CHECK(qh_runtime_hash(runtime) == before && federation->count == count &&
                      federation->merged.count == groups);
                failures++;
            }
        }
        CHECK(federation->count == CLIENTS + 2 && federation->merged.count == 1);
        qh_runtime_close(runtime);
    }
    CHECK(failures > 12);
}

static void its_validator_sees_what_is_wrong(void) {
    qh_random random = qh__random_seeded(2, 0);
    open_clients(QH_Q_LEARNING);
    fill_clients(&random);
    accumulate_all(1);
    CHECK(qh_federation_validate(federation));
    qh_contribution *first = &federation->contributions[0], right = *first;
    for (uint32_t i = 0; i < 4; i++) {
        if (i == 0) first->weight = 2;
        if (i == 1) first->row_count += 5;
        if (i == 2) first->key.config++;
        if (i == 3) first->key.actions = 0;
        CHECK(!qh_federation_validate(federation));
        *first = right;
        CHECK(qh_federation_validate(federation));
    }
    qh_runtime_close(runtime);
}

TEST_SUITE(shared_federation, {"rules are what they say", rules_are_what_they_say},
           {"the order of contributions does not matter",
            the_order_of_contributions_does_not_matter},
           {"an older contribution weighs less", an_older_contribution_weighs_less},
           {"updates are clipped in L2", updates_are_clipped_in_l2},
           {"noise is normal and seeded", noise_is_normal_and_seeded},
           {"categories are merged apart or together", categories_are_merged_apart_or_together},
           {"agents that differ are not merged", agents_that_differ_are_not_merged},
           {"definitions out of range are refused", definitions_out_of_range_are_refused},
           {"a newer contribution takes the place of the older",
            a_newer_contribution_takes_the_place_of_the_older},
           {"agents go on after an apply", agents_go_on_after_an_apply},
           {"a quota that is spent changes no agent", a_quota_that_is_spent_changes_no_agent},
           {"a delta says what the agents say", a_delta_says_what_the_agents_say},
           {"a delta holds what has changed", a_delta_holds_what_has_changed},
           {"hostile bytes are refused whole", hostile_bytes_are_refused_whole},
           {"what is not finite has no say", what_is_not_finite_has_no_say},
           {"crowded keys have no say", crowded_keys_have_no_say},
           {"memory that fails changes nothing", memory_that_fails_changes_nothing},
           {"its validator sees what is wrong", its_validator_sees_what_is_wrong});
