/* Safe zones: grids, rates, approvals, rollbacks and the audit, one by one; then a storm against a model that knows nothing of the
 * core's books: it keeps every change it saw and counts again. */
#include "fixture.h"

#include "shared/zones.h"

#define HOUR QH_ZONE_HOUR_MS
#define MINUTE 60000.0

static qh_memory memory;

static qh_zone_def zone_of(double min, double max, double initial, double step) {
    return (qh_zone_def){min, max, initial, step, -1, MINUTE, 0};
}

static const qh_trigger_def drops = {0, 2, 1, 10 * MINUTE, 2, 0};

/* Opens zones from structs; NULL fails the test. */
static qh_zones *open_zones(const qh_zone_def *zones, uint32_t zone_count,
                            const qh_trigger_def *triggers, uint32_t trigger_count) {
    static double numbers[512];
    if (test_memory_open(&memory, TEST_NO_POOLS, true) != QH_OK) TEST_FAIL("no memory");
    memcpy(numbers, zones, zone_count * sizeof *zones);
    double *behind = numbers + zone_count * (sizeof *zones / 8);
    if (trigger_count) memcpy(behind, triggers, trigger_count * sizeof *triggers);
    qh_zones_def def = {.numbers = numbers,
                        .number_count = zone_count * (sizeof *zones / 8) +
                                        trigger_count * (sizeof *triggers / 8),
                        .zone_count = zone_count,
                        .trigger_count = trigger_count,
                        .back_off_ms = 15 * MINUTE,
                        .max_back_off_ms = 60 * MINUTE};
    qh_zones *made = NULL;
    CHECK_OK(qh_zones_open(&memory, &def, &made));
    return made;
}

static void close_zones(qh_zones *zones) {
    CHECK(qh_zones_validate(zones));
    CHECK_OK(qh_zones_close(zones));
    CHECK_EQ(memory.heap.live_bytes, memory.records_owner.live_bytes);
    test_memory_close(&memory);
}

static double value_of(const qh_zones *zones, uint32_t zone) {
    return qh_zone_value(&zones->zones[zone], zones->zones[zone].index);
}

static qh_result propose(qh_zones *zones, uint32_t zone, double to, double time,
                         qh_change *change) {
    return qh_zones_propose(zones, &(qh_proposal){7, zone, to, time, NULL, 0}, change);
}

static qh_zone_reason refusal(qh_zones *zones, uint32_t zone, double to, double time) {
    qh_change change;
    double before = value_of(zones, zone);
    CHECK(!qh_zones_allow(zones, zone, to, time));
    CHECK_RESULT(propose(zones, zone, to, time, &change), QH_SAFE_ZONE);
    CHECK_EQ(change.status, QH_CHANGE_rejected);
    CHECK_SAME(value_of(zones, zone), before);
    return (qh_zone_reason)change.reason;
}

static void applies(qh_zones *zones, uint32_t zone, double to, double time) {
    qh_change change;
    CHECK(qh_zones_allow(zones, zone, to, time));
    CHECK_OK(propose(zones, zone, to, time, &change));
    CHECK_EQ(change.status, QH_CHANGE_applied);
    CHECK_SAME(value_of(zones, zone), to);
    CHECK_SAME(change.to, to);
}

/* ---------------------------------------------------------------- values */

static void decimals_come_out_as_they_are_written(void) {
    const qh_zone_def defs[] = {zone_of(0, 1, 0.3, 0.1), zone_of(-0.007, 0.002, 0, 0.001),
                                zone_of(1e9, 1e9 + 1, 1e9, 1e-6)};
    qh_zones *zones = open_zones(defs, COUNT_OF(defs), NULL, 0);
    const double tenths[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
    CHECK_EQ(zones->zones[0].levels, 11);
    CHECK_EQ(zones->zones[0].home, 3);
    for (uint32_t i = 0; i < 11; i++) CHECK_SAME(qh_zone_value(&zones->zones[0], i), tenths[i]);
    CHECK_EQ(zones->zones[1].levels, 10);
    CHECK_SAME(qh_zone_value(&zones->zones[1], 0), -0.007);
    CHECK_EQ(zones->zones[2].levels, 1000001);
    CHECK_SAME(qh_zone_value(&zones->zones[2], 1000000), 1e9 + 1);
    close_zones(zones);
}

static void every_level_lies_in_its_zone(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < TEST_SHARE(2000u); round++) {
        double min = (qh__random_unit(&random) - 0.5) * 100;
        double max = min + qh__random_unit(&random) * 100;
        double initial = min + qh__random_unit(&random) * (max - min);
        qh_zone_def def = zone_of(min, max, initial, 0.01 + qh__random_unit(&random) * 9);
        qh_zones *zones = open_zones(&def, 1, NULL, 0);
        const qh_zone *zone = &zones->zones[0];
        for (uint32_t i = 0; i < zone->levels; i++) {
            double value = qh_zone_value(zone, i);
            CHECK(value >= min && value <= max);
            if (i > 0) CHECK(value > qh_zone_value(zone, i - 1));
        }
        CHECK(!(qh_zone_value(zone, -1) >= min));
        CHECK(!(qh_zone_value(zone, zone->levels) <= max));
        CHECK_SAME(qh_zone_value(zone, zone->home), initial);
        close_zones(zones);
    }
}

static void what_is_not_on_the_grid_is_refused(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 2); /* 1, 3, 5, 7, 9 */
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    CHECK_EQ(zones->zones[0].levels, 5);
    CHECK_EQ(refusal(zones, 0, 6, 0), QH_REASON_off_grid);
    CHECK_EQ(refusal(zones, 0, 10, 0), QH_REASON_off_grid);
    CHECK_EQ(refusal(zones, 0, 0, 0), QH_REASON_off_grid);
    CHECK_EQ(refusal(zones, 0, 11, 0), QH_REASON_outside);
    CHECK_EQ(refusal(zones, 0, 10.0000001, 0), QH_REASON_outside);
    CHECK_EQ(refusal(zones, 0, -1e308, 0), QH_REASON_outside);
    CHECK_EQ(refusal(zones, 0, 7 + 1e-5, 0), QH_REASON_off_grid);
    qh_change change;
    CHECK_OK(propose(zones, 0, 7 + 1e-7, 0, &change));
    CHECK_SAME(change.to, 7);
    CHECK_SAME(value_of(zones, 0), 7);
    close_zones(zones);
}

static void numbers_that_are_none_are_refused(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_zones *zones = open_zones(&def, 1, &drops, 1);
    qh_change change;
    double bad[] = {__builtin_nan(""), __builtin_inf(), -__builtin_inf()};
    double times[] = {__builtin_nan(""), __builtin_inf(), -1, 0x1p53};
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK_RESULT(propose(zones, 0, bad[i], 0, &change), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_zones_observe(zones, 0, bad[i], 0), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_zones_approve(zones, bad[i], 0, &change), QH_INVALID_ARGUMENT);
    }
    for (uint32_t i = 0; i < COUNT_OF(times); i++) {
        CHECK_RESULT(propose(zones, 0, 6, times[i], &change), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_zones_observe(zones, 0, 6, times[i]), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_zones_approve(zones, 1, times[i], &change), QH_INVALID_ARGUMENT);
        CHECK_RESULT(qh_zones_reset(zones, times[i]), QH_INVALID_ARGUMENT);
    }
    CHECK_RESULT(propose(zones, 1, 6, 0, &change), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_zones_observe(zones, 1, 0, 0), QH_INVALID_ARGUMENT);
    CHECK_SAME(zones->sequence, 0);
    CHECK_EQ(zones->audit_end, 0);
    applies(zones, 0, 6, 5 * MINUTE);
    CHECK_RESULT(propose(zones, 0, 7, 5 * MINUTE - 1, &change), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_zones_observe(zones, 0, 0, 100));
    CHECK_RESULT(qh_zones_observe(zones, 0, 0, 99), QH_INVALID_ARGUMENT);
    close_zones(zones);
}

static void definitions_out_of_range_are_refused(void) {
    const double nan = __builtin_nan(""), inf = __builtin_inf();
    const qh_zone_def bad[] = {{1, 0, 1, 1, -1, 0, 0},
                               {0, 1, 2, 1, -1, 0, 0},
                               {0, 1, 0, 0, -1, 0, 0},
                               {0, 1, 0, -1, -1, 0, 0},
                               {0, 1, 0, nan, -1, 0, 0},
                               {0, inf, 0, 1, -1, 0, 0},
                               {-1e308, 1e308, 0, 1e300, -1, 0, 0},
                               {0, 1, 0, 1e-10, -1, 0, 0},
                               {0, 1, 0, 1, -2, 0, 0},
                               {0, 1, 0, 1, 0.5, 0, 0},
                               {0, 1, 0, 1, 65536, 0, 0},
                               {0, 1, 0, 1, -1, -1, 0},
                               {0, 1, 0, 1, -1, 0x1p53, 0},
                               {0, 1, 0, 1, -1, 0, 2},
                               {nan, 1, 0, 1, -1, 0, 0}};
    REQUIRE_OK(test_memory_open(&memory, TEST_NO_POOLS, true));
    size_t live = memory.heap.live_bytes;
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        qh_zones *made = NULL;
        qh_zones_def def = {&bad[i].min, 7, 1, 0, 0, 1, 1};
        CHECK_RESULT(qh_zones_open(&memory, &def, &made), QH_INVALID_ARGUMENT);
        CHECK(made == NULL && memory.heap.live_bytes - memory.records_owner.live_bytes == live);
    }
    double good[14] = {0, 1, 0, 1, -1, 0, 0, 0, 5, 1, 0, 1, 1, 0};
    const struct {
        uint32_t at;
        double value;
    } spoilt[] = {{7, -1},    {7, 0.5}, {8, inf}, {9, 2},  {10, -1}, {11, 0},
                  {11, 1025}, {12, 0},  {12, 2},  {13, 1}, {13, nan}};
    for (uint32_t i = 0; i < COUNT_OF(spoilt); i++) {
        double numbers[14];
        qh_zones *made = NULL;
        memcpy(numbers, good, sizeof good);
        numbers[spoilt[i].at] = spoilt[i].value;
        qh_zones_def def = {numbers, 14, 1, 1, 0, 1, 1};
        CHECK_RESULT(qh_zones_open(&memory, &def, &made), QH_INVALID_ARGUMENT);
    }
    for (size_t count = 0; count < 14; count++) {
        qh_zones *made = NULL;
        qh_zones_def def = {good, count, 1, 1, 0, 1, 1};
        CHECK_RESULT(qh_zones_open(&memory, &def, &made), QH_INVALID_ARGUMENT);
    }
    test_memory_close(&memory);
}

/* ---------------------------------------------------------------- time */

static void a_cooldown_ends_to_the_millisecond(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    applies(zones, 0, 6, 1000);
    CHECK_EQ(refusal(zones, 0, 7, 1000), QH_REASON_cooldown);
    CHECK_EQ(refusal(zones, 0, 7, 60999), QH_REASON_cooldown);
    qh_change change;
    CHECK_RESULT(propose(zones, 0, 7, 60000, &change), QH_SAFE_ZONE);
    CHECK_SAME(change.detail, 1000);
    applies(zones, 0, 7, 61000);
    close_zones(zones);
}

static void an_hour_slides(void) {
    qh_zone_def defs[] = {zone_of(0, 10, 5, 1), zone_of(0, 10, 5, 1)};
    defs[0].rate = 3;
    defs[0].cooldown = 0;
    defs[1].rate = 0;
    qh_zones *zones = open_zones(defs, 2, NULL, 0);
    applies(zones, 0, 6, 0);
    applies(zones, 0, 7, 20 * MINUTE);
    applies(zones, 0, 6, 40 * MINUTE);
    CHECK_EQ(refusal(zones, 0, 7, HOUR - 1), QH_REASON_rate);
    applies(zones, 0, 7, HOUR);
    CHECK_EQ(refusal(zones, 0, 6, HOUR), QH_REASON_rate);
    CHECK_EQ(refusal(zones, 0, 6, HOUR + 20 * MINUTE - 1), QH_REASON_rate);
    applies(zones, 0, 6, HOUR + 20 * MINUTE);
    CHECK_EQ(refusal(zones, 1, 6, 1e12), QH_REASON_rate);
    close_zones(zones);
}

static void a_pending_change_waits_half_an_hour(void) {
    qh_zone_def def = zone_of(0, 10, 5, 1);
    def.approval = 1;
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    qh_change change;
    CHECK_OK(propose(zones, 0, 6, 0, &change));
    CHECK_EQ(change.status, QH_CHANGE_pending);
    CHECK_SAME(value_of(zones, 0), 5);
    CHECK_OK(propose(zones, 0, 7, 10, &change));
    CHECK_RESULT(qh_zones_approve(zones, 3, 20, &change), QH_INVALID_ARGUMENT);
    CHECK_RESULT(qh_zones_approve(zones, 2, 9, &change), QH_INVALID_ARGUMENT);
    CHECK_OK(qh_zones_approve(zones, 1, 20, &change));
    CHECK_EQ(change.status, QH_CHANGE_applied);
    CHECK_SAME(value_of(zones, 0), 6);
    CHECK_RESULT(qh_zones_approve(zones, 1, 20, &change), QH_INVALID_STATE);
    CHECK_RESULT(qh_zones_approve(zones, 2, 30, &change), QH_SAFE_ZONE); /* checked anew */
    CHECK_EQ(change.reason, QH_REASON_cooldown);
    CHECK_SAME(value_of(zones, 0), 6);
    CHECK_EQ(zones->pending_count, 1);
    CHECK_OK(qh_zones_approve(zones, 2, 30 * MINUTE + 9, &change)); /* the last moment */
    CHECK_SAME(value_of(zones, 0), 7);
    CHECK_OK(propose(zones, 0, 8, 40 * MINUTE, &change));
    CHECK_RESULT(qh_zones_approve(zones, 3, 70 * MINUTE, &change), QH_INVALID_STATE);
    CHECK_EQ(zones->pending_count, 0);
    CHECK_SAME(value_of(zones, 0), 7);
    close_zones(zones);
}

static void the_queue_has_an_end(void) {
    qh_zone_def def = zone_of(0, 10, 5, 1);
    def.approval = 1;
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    qh_change change;
    for (uint32_t i = 0; i < QH_ZONE_PENDING; i++) CHECK_OK(propose(zones, 0, 6, i, &change));
    CHECK_EQ(refusal(zones, 0, 6, 1000), QH_REASON_queue_full);
    CHECK(qh_zones_allow(zones, 0, 6, 30 * MINUTE)); /* the first has expired then */
    CHECK_OK(propose(zones, 0, 6, 30 * MINUTE, &change));
    CHECK_EQ(zones->pending_count, QH_ZONE_PENDING);
    close_zones(zones);
}

/* ---------------------------------------------------------------- rollback */

static void a_window_must_be_full(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_zones *zones = open_zones(&def, 1, &drops, 1);
    qh_change change;
    applies(zones, 0, 6, 0);
    CHECK_OK(qh_zones_observe(zones, 0, 3, MINUTE));
    CHECK_OK(qh_zones_observe(zones, 0, 2, 5 * MINUTE)); /* at the threshold is not above it */
    CHECK_OK(qh_zones_observe(zones, 0, 3, 6 * MINUTE));
    CHECK_OK(qh_zones_observe(zones, 0, 3, 16 * MINUTE - 1));
    CHECK_EQ(qh_zones_undone(zones, 0, &change), 0);
    CHECK_SAME(value_of(zones, 0), 6);
    CHECK_OK(qh_zones_observe(zones, 0, 3, 16 * MINUTE));
    CHECK_EQ(qh_zones_undone(zones, 0, &change), 1);
    CHECK_EQ(change.status, QH_CHANGE_rolled_back);
    CHECK_SAME(change.sequence, 1);
    CHECK_SAME(change.from, 5);
    CHECK_SAME(value_of(zones, 0), 5);
    CHECK_EQ(qh_zones_undone(zones, 1, &change), 0);
    CHECK_OK(qh_zones_observe(zones, 0, 3, 17 * MINUTE)); /* the window begins anew */
    CHECK_EQ(qh_zones_undone(zones, 0, &change), 0);
    close_zones(zones);
}

static void the_last_changes_go_back_in_reverse(void) {
    qh_zone_def defs[] = {zone_of(0, 10, 5, 1), zone_of(0, 10, 5, 1)};
    qh_trigger_def trigger = {0, 2, 1, 0, 3, 0};
    defs[0].cooldown = defs[1].cooldown = 0;
    qh_zones *zones = open_zones(defs, 2, &trigger, 1);
    applies(zones, 0, 6, 0);
    applies(zones, 0, 7, 1);
    applies(zones, 1, 4, 2);
    applies(zones, 1, 4, 3); /* changes nothing: nothing to undo */
    applies(zones, 0, 8, 4);
    CHECK_OK(qh_zones_observe(zones, 0, 9, 10));
    qh_change change;
    uint32_t place = 0;
    const double expected[] = {5, 3, 2};
    for (uint32_t i = 0; i < 3; i++) {
        place = qh_zones_undone(zones, place, &change);
        CHECK(place > 0);
        CHECK_SAME(change.sequence, expected[i]);
    }
    CHECK_EQ(qh_zones_undone(zones, place, &change), 0);
    CHECK_SAME(value_of(zones, 0), 6);
    CHECK_SAME(value_of(zones, 1), 5);
    CHECK_OK(qh_zones_observe(zones, 0, 9, 11)); /* what is left */
    CHECK_SAME(value_of(zones, 0), 5);
    CHECK_OK(qh_zones_observe(zones, 0, 9, 12)); /* nothing is left */
    CHECK_EQ(qh_zones_undone(zones, 0, &change), 0);
    close_zones(zones);
}

static void a_trigger_undoes_its_own_parameters_only(void) {
    const double numbers[] = {0,  9, 5, 1, -1, 0, 0, 0, 9, 5, 1,
                              -1, 0, 0, 0, 1,  0, 0, 2, 1, 1}; /* undoes zone 1, below 1 */
    REQUIRE_OK(test_memory_open(&memory, TEST_NO_POOLS, true));
    qh_zones_def def = {numbers, COUNT_OF(numbers), 2, 1, 0, MINUTE, HOUR};
    qh_zones *zones = NULL;
    REQUIRE_OK(qh_zones_open(&memory, &def, &zones));
    applies(zones, 1, 6, 0);
    applies(zones, 0, 6, 1);
    CHECK_OK(qh_zones_observe(zones, 0, 0.5, 2));
    CHECK_SAME(value_of(zones, 0), 6);
    CHECK_SAME(value_of(zones, 1), 5);
    close_zones(zones);
}

static void back_off_doubles_and_forgets(void) {
    qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_trigger_def trigger = {0, 2, 1, 0, 1, 0};
    def.cooldown = 0;
    qh_zones *zones = open_zones(&def, 1, &trigger, 1);
    double time = 1000, expected[] = {15, 30, 60, 60};
    for (uint32_t i = 0; i < COUNT_OF(expected); i++) {
        applies(zones, 0, 6, time);
        CHECK_OK(qh_zones_observe(zones, 0, 9, time + 1));
        CHECK_SAME(value_of(zones, 0), 5);
        time += 1 + expected[i] * MINUTE;
        CHECK_EQ(refusal(zones, 0, 6, time - 1), QH_REASON_back_off);
    }
    time += HOUR; /* quiet for the longest back-off */
    applies(zones, 0, 6, time);
    CHECK_OK(qh_zones_observe(zones, 0, 9, time));
    CHECK_SAME(zones->zones[0].blocked, time + 15 * MINUTE);
    close_zones(zones);
}

static void a_late_reading_undoes_at_the_parameters_own_time(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_trigger_def trigger = {0, 2, 1, 0, 1, 0};
    qh_zones *zones = open_zones(&def, 1, &trigger, 1);
    applies(zones, 0, 6, HOUR);
    CHECK_OK(qh_zones_observe(zones, 0, 9, MINUTE));
    CHECK_SAME(value_of(zones, 0), 5);
    CHECK_SAME(zones->zones[0].last, HOUR);
    CHECK_SAME(zones->zones[0].blocked, HOUR + 15 * MINUTE);
    close_zones(zones);
}

/* ---------------------------------------------------------------- audit, memory, life */

static void the_audit_says_what_was_known(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    const qh_trigger_def triggers[] = {drops, {1, 0, 0, 1, 1, 0}, {0, 9, 1, 1, 1, 0}};
    qh_zones *zones = open_zones(&def, 1, triggers, 3);
    qh_change change;
    const float q[3] = {0.5f, -1, 3};
    double numbers[QH_EVENT_NUMBERS];
    float values[QH_MAX_ACTIONS];
    CHECK_OK(qh_zones_observe(zones, 0, 1.25, 5));
    CHECK_OK(qh_zones_propose(zones, &(qh_proposal){7, 0, 6, 10, q, 3}, &change));
    CHECK_OK(qh_zones_observe(zones, 1, 4, 15));
    CHECK_RESULT(qh_zones_propose(zones, &(qh_proposal){8, 0, 7, 20, q, 1}, &change), QH_SAFE_ZONE);
    CHECK(qh_zones_event(zones, true, numbers, values));
    const qh_change *event = (const qh_change *)(const void *)numbers;
    CHECK_SAME(event->sequence, 1);
    CHECK_SAME(event->agent, 7);
    CHECK_SAME(event->from, 5);
    CHECK_SAME(event->to, 6);
    CHECK_SAME(event->readings, 2); /* of two triggers */
    CHECK_SAME(numbers[QH_CHANGE_NUMBERS], 1.25);
    CHECK_SAME(numbers[QH_CHANGE_NUMBERS + 2], 1.25);
    CHECK_SAME(numbers[QH_CHANGE_NUMBERS + 1], 0);
    CHECK_SAME(event->values, 3);
    for (uint32_t i = 0; i < 3; i++) CHECK_SAME((double)values[i], (double)q[i]);
    CHECK(qh_zones_event(zones, false, numbers, values));
    CHECK_SAME(event->sequence, 2);
    CHECK_EQ(event->status, QH_CHANGE_rejected);
    CHECK_EQ(event->reason, QH_REASON_cooldown);
    CHECK_SAME(event->readings, 3);
    CHECK_SAME(numbers[QH_CHANGE_NUMBERS + 2], 4);
    CHECK(!qh_zones_event(zones, false, numbers, values));
    close_zones(zones);
}

static void the_oldest_events_settle_in_the_base(void) {
    qh_zone_def def = zone_of(0, 1000, 500, 1);
    def.cooldown = 0;
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    qh_change change;
    for (uint32_t i = 0; i < 700; i++) {
        propose(zones, 0, i % 7 == 0 ? 2000 : (double)i, i, &change);
        CHECK(zones->audit_end - zones->audit_first <= QH_ZONE_AUDIT);
        if (i % 50 == 0) CHECK(qh_zones_validate(zones));
    }
    CHECK(zones->zones[0].base > 500);
    double numbers[QH_EVENT_NUMBERS];
    float values[QH_MAX_ACTIONS];
    uint32_t events = 0;
    for (bool more = qh_zones_event(zones, true, numbers, values); more;
         more = qh_zones_event(zones, false, numbers, values))
        events++;
    CHECK(events >= (QH_ZONE_AUDIT - QH_EVENT_NUMBERS) / QH_CHANGE_NUMBERS);
    close_zones(zones);
}

static void a_reset_is_in_the_audit(void) {
    qh_zone_def defs[] = {zone_of(0, 10, 5, 1), zone_of(0, 10, 5, 1)};
    defs[1].approval = 1;
    qh_zones *zones = open_zones(defs, 2, &drops, 1);
    qh_change change;
    applies(zones, 0, 6, 1000);
    CHECK_OK(propose(zones, 1, 6, 1000, &change));
    CHECK_OK(qh_zones_reset(zones, 2000));
    CHECK_SAME(value_of(zones, 0), 5);
    CHECK_EQ(zones->pending_count, 0);
    CHECK_RESULT(qh_zones_approve(zones, 2, 3000, &change), QH_INVALID_STATE);
    applies(zones, 0, 7, 2000); /* no cooldown is left */
    CHECK_OK(qh_zones_observe(zones, 0, 0, 0));
    close_zones(zones);
}

static void references_hold_the_zones(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_zones *zones = open_zones(&def, 1, NULL, 0);
    CHECK_OK(qh_shared_acquire(&zones->shared));
    CHECK_RESULT(qh_zones_close(zones), QH_BUSY);
    CHECK(qh_zones_validate(zones));
    CHECK_EQ(qh_shared_release(&zones->shared), 0);
    close_zones(zones);
}

static void without_memory_nothing_is_made(void) {
    const qh_zone_def def = zone_of(0, 10, 5, 1);
    qh_zones_def zones_def = {&def.min, 7, 1, 0, 0, 1, 1};
    qh_zones *zones = NULL;
    REQUIRE_OK(test_memory_open(&memory, TEST_NO_POOLS, true));
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_zones_open(&memory, &zones_def, &zones), QH_GROWTH_FAILED);
    CHECK(zones == NULL && memory.heap.live_blocks == memory.records_owner.live_blocks);
    CHECK(qh_shared_validate(&memory.shared));
    memory.heap.fail_after = 0;
    CHECK_OK(qh_zones_open(&memory, &zones_def, &zones));
    zones_def.audit_bytes = 0x20000000;
    CHECK_RESULT(qh_zones_open(&memory, &zones_def, &zones), QH_INVALID_ARGUMENT);
    close_zones(zones);
}

static void damage_is_found(void) {
    qh_zone_def def = zone_of(0, 10, 5, 1);
    def.cooldown = 0;
    qh_zones *zones = open_zones(&def, 1, &drops, 1);
    for (uint32_t i = 0; i < 4; i++) applies(zones, 0, 6 + i % 2, i);
    CHECK(qh_zones_validate(zones));
    zones->zones[0].index++;
    CHECK(!qh_zones_validate(zones));
    zones->zones[0].index = 11;
    CHECK(!qh_zones_validate(zones));
    zones->zones[0].index = 2;
    CHECK(!qh_zones_validate(zones));
    zones->zones[0].index = 7;
    zones->journal[1].from++;
    CHECK(!qh_zones_validate(zones));
    zones->journal[1].from--;
    zones->zones[0].base = 4;
    CHECK(qh_zones_validate(zones)); /* an applied change hides it */
    zones->audit[zones->audit_end - QH_CHANGE_NUMBERS + 3]++;
    CHECK(!qh_zones_validate(zones));
    zones->audit[zones->audit_end - QH_CHANGE_NUMBERS + 3]--;
    zones->pending_count = QH_ZONE_PENDING + 1;
    CHECK(!qh_zones_validate(zones));
    zones->pending_count = 0;
    close_zones(zones);
}

/* ---------------------------------------------------------------- the storm */

#define STORM_ZONES 6u
#define SEEN 4096u

/* What the model remembers of a parameter: when it was written, in order, and its values. */
typedef struct seen {
    double times[SEEN];
    uint32_t count;
    double value, rested;
} seen;

static seen model[STORM_ZONES];

static const qh_zone_def storm_defs[STORM_ZONES] = {
    {0, 10, 5, 1, -1, 60000, 0},   {0, 1, 0.5, 0.1, 3, 0, 0},     {-5, 5, 0, 0.25, 10, 120000, 0},
    {0, 3, 1, 1. / 3, 5, 1000, 0}, {38, 48, 44, 2, -1, 60000, 1}, {7, 7, 7, 1, 2, 0, 0}};

static uint32_t writes_since(const seen *of, double time) {
    uint32_t count = 0;
    for (uint32_t i = of->count; i > 0 && of->count - i < SEEN; i--) {
        if (of->times[(i - 1) % SEEN] <= time) break;
        count++;
    }
    return count;
}

/* What must hold of a change that was applied at `time`; then it is remembered. */
static void check_applied(const qh_zones *zones, uint32_t zone, double time) {
    const qh_zone_def *def = &storm_defs[zone];
    seen *of = &model[zone];
    double value = value_of(zones, zone);
    CHECK(value >= def->min && value <= def->max);
    if (of->count > 0) CHECK(time - of->times[(of->count - 1) % SEEN] >= def->cooldown);
    if (def->rate >= 0) CHECK(writes_since(of, time - HOUR) < def->rate);
    CHECK(time >= of->rested);
    of->times[of->count++ % SEEN] = time;
    of->value = value;
}

static void check_undone(qh_zones *zones, double time) {
    qh_change change;
    for (uint32_t place = 0; (place = qh_zones_undone(zones, place, &change)) > 0;) {
        seen *of = &model[(uint32_t)change.zone];
        CHECK_SAME(of->value, change.to);
        of->value = change.from;
        of->rested = time + 15 * MINUTE; /* at least */
        of->times[of->count++ % SEEN] = time;
    }
    for (uint32_t i = 0; i < STORM_ZONES; i++) CHECK_SAME(value_of(zones, i), model[i].value);
}

static double some_value(qh_random *random, const qh_zones *zones, uint32_t zone) {
    uint32_t way = qh__random_below(random, 10);
    const qh_zone *of = &zones->zones[zone];
    if (way == 0) return (qh__random_unit(random) - 0.5) * 200;
    if (way == 1) return qh_zone_value(of, (int64_t)qh__random_below(random, 60) - 30);
    return qh_zone_value(of, (int64_t)of->index + (int64_t)qh__random_below(random, 5) - 2);
}

static void a_storm_never_leaves_the_zones(void) {
    const qh_trigger_def triggers[] = {{0, 0.97, 1, 0, 3, 0}, {1, 0.3, 0, 20 * MINUTE, 5, 0}};
    qh_random random = test_random();
    qh_zones *zones = open_zones(storm_defs, STORM_ZONES, triggers, 2);
    double time = 0, applied = 0, refused = 0, undone = 0;
    for (uint32_t i = 0; i < STORM_ZONES; i++) model[i] = (seen){.value = storm_defs[i].initial};
    for (uint32_t round = 0; round < TEST_SHARE(1000000u) && !test_failures(); round++) {
        qh_change change;
        uint32_t zone = qh__random_below(&random, STORM_ZONES),
                 what = qh__random_below(&random, 16);
        time += qh__random_below(&random, 8) ? qh__random_below(&random, 40000) : 0;
        if (what == 0) {
            CHECK_OK(qh_zones_observe(zones, 0, qh__random_unit(&random), time));
            undone += qh_zones_undone(zones, 0, &change) > 0;
            check_undone(zones, time);
        } else if (what == 1) {
            CHECK_OK(qh_zones_observe(zones, 1, qh__random_unit(&random) * 0.4, time));
            check_undone(zones, time);
        } else if (what == 2 && zones->sequence > 0) {
            double back = qh__random_below(&random, 60);
            if (qh_zones_approve(zones, zones->sequence - back, time, &change) == QH_OK)
                check_applied(zones, (uint32_t)change.zone, time);
        } else {
            double to = some_value(&random, zones, zone);
            bool allowed = qh_zones_allow(zones, zone, to, time);
            qh_result result = propose(zones, zone, to, time, &change);
            CHECK_EQ(result == QH_OK, allowed);
            if (result == QH_OK && (int)change.status == QH_CHANGE_applied) {
                check_applied(zones, zone, time);
                applied++;
            } else {
                CHECK_SAME(value_of(zones, zone), model[zone].value);
                refused++;
            }
        }
        if (round % 1000 == 0) CHECK(qh_zones_validate(zones));
    }
    test_note_double("applied", applied);
    test_note_double("refused", refused);
    test_note_double("readings that undid", undone);
    CHECK(applied > 100 && refused > 100 && undone > 100);
    close_zones(zones);
}

TEST_SUITE(shared_zones,
           {"decimals come out as they are written", decimals_come_out_as_they_are_written},
           {"every level lies in its zone", every_level_lies_in_its_zone},
           {"what is not on the grid is refused", what_is_not_on_the_grid_is_refused},
           {"numbers that are none are refused", numbers_that_are_none_are_refused},
           {"definitions out of range are refused", definitions_out_of_range_are_refused},
           {"a cooldown ends to the millisecond", a_cooldown_ends_to_the_millisecond},
           {"an hour slides", an_hour_slides},
           {"a pending change waits half an hour", a_pending_change_waits_half_an_hour},
           {"the queue has an end", the_queue_has_an_end},
           {"a window must be full", a_window_must_be_full},
           {"the last changes go back in reverse", the_last_changes_go_back_in_reverse},
           {"a trigger undoes its own parameters only", a_trigger_undoes_its_own_parameters_only},
           {"back-off doubles and forgets", back_off_doubles_and_forgets},
           {"a late reading undoes at the parameter's own time",
            a_late_reading_undoes_at_the_parameters_own_time},
           {"the audit says what was known", the_audit_says_what_was_known},
           {"the oldest events settle in the base", the_oldest_events_settle_in_the_base},
           {"a reset is in the audit", a_reset_is_in_the_audit},
           {"references hold the zones", references_hold_the_zones},
           {"without memory nothing is made", without_memory_nothing_is_made},
           {"damage is found", damage_is_found},
           {"a storm never leaves the zones", a_storm_never_leaves_the_zones});
