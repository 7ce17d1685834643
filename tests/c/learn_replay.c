/* The trajectory ring: order, memory, uniform draws; the sum tree and its probabilities against a plain array of weights. */
#include "fixture.h"

static qh_memory memory;
static qh_owner owner;
static qh_replay replay;

static void open_ring(uint32_t capacity, uint32_t keys, bool prioritised, double alpha) {
    CHECK_OK(test_memory_open(&memory, TEST_POOLS, false));
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
    CHECK_OK(qh_replay_open(&replay, &memory, &owner, capacity, keys, prioritised, alpha));
}

/* Also checks that everything was given back. */
static void close_ring(void) {
    CHECK(qh_replay_validate(&replay));
    qh_replay_close(&replay);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(owner.live_blocks, 0);
    CHECK(qh_memory_validate(&memory));
    test_memory_close(&memory);
}

static qh_result push(uint32_t number) {
    QH_TRY(qh_replay_reserve(&replay));
    qh_transition *transition = qh_replay_push(&replay);
    transition->reward = number;
    transition->action = number % 1000 & 0xFFFu;
    transition->next_action = QH_NEXT_UNKNOWN;
    transition->ending = number % 2;
    return QH_OK;
}

/* ---------------------------------------------------------------- the ring */

static void the_oldest_gives_way(void) {
    static const uint32_t capacities[] = {1, 2, 31, 32, 33, 100, 1000};
    for (uint32_t c = 0; c < COUNT_OF(capacities); c++) {
        uint32_t capacity = capacities[c];
        open_ring(capacity, 1, false, 0);
        for (uint32_t pushed = 1; pushed <= 2 * capacity + 7; pushed++) {
            REQUIRE_OK(push(pushed - 1));
            CHECK_EQ(replay.count, QH_MIN(pushed, capacity));
            CHECK_EQ(replay.next, pushed % capacity);
            for (uint32_t i = 0; i < replay.count; i += 1 + capacity / 40) {
                uint32_t latest = (pushed - 1 - i) / capacity * capacity + i;
                const qh_transition *transition = qh_replay_at(&replay, i);
                CHECK_SAME(transition->reward, latest);
                CHECK_EQ(transition->action, latest % 1000);
                CHECK_EQ(transition->ending, latest % 2);
            }
        }
        close_ring();
    }
}

/* Each transition keeps both states' keys: no neighbour writes over them. */
static void transitions_do_not_overlap(void) {
    for (uint32_t keys = 1; keys <= QH_MAX_TILINGS; keys = keys * 2 + 1) {
        open_ring(200, keys, false, 0);
        CHECK_EQ(replay.transition_bytes, 16 + 16 * keys);
        CHECK_EQ(replay.per_block, 1024 / (16 + 16 * keys));
        for (uint32_t n = 0; n < 300; n++) {
            REQUIRE_OK(push(n));
            qh_transition *transition = qh_replay_at(&replay, n % 200);
            for (uint32_t k = 0; k < 2 * keys; k++) transition->keys[k] = (uint64_t)n << 32 | k;
        }
        for (uint32_t i = 0; i < 200; i++) {
            const qh_transition *transition = qh_replay_at(&replay, i);
            uint32_t n = i < 100 ? 200 + i : i;
            CHECK_SAME(transition->reward, n);
            for (uint32_t k = 0; k < 2 * keys; k++)
                CHECK_EQ(transition->keys[k], (uint64_t)n << 32 | k);
        }
        close_ring();
    }
}

static void blocks_are_taken_as_the_ring_fills(void) {
    open_ring(1000, 1, false, 0);
    CHECK_EQ(owner.live_bytes, 0);
    for (uint32_t n = 0; n < 2500; n++) {
        REQUIRE_OK(push(n));
        uint32_t filled = QH_MIN(n + 1, 1000u);
        CHECK_EQ(replay.block_count, (filled + 31) / 32);
        CHECK_EQ(qh_replay_bytes(&replay), owner.live_bytes);
    }
    CHECK_EQ(qh_pool_in_use(&memory.pools[QH_POOL_TRAJECTORY]), 16);
    CHECK_EQ(memory.pools[QH_POOL_TRAJECTORY].fallbacks, 16);
    qh_replay_clear(&replay);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(qh_pool_in_use(&memory.pools[QH_POOL_TRAJECTORY]), 0);
    for (uint32_t n = 0; n < 50; n++) REQUIRE_OK(push(n));
    CHECK_SAME(qh_replay_at(&replay, 49)->reward, 49);
    close_ring();
}

static void a_ring_of_nothing_takes_nothing(void) {
    open_ring(0, 1, true, 0.6);
    CHECK_OK(qh_replay_reserve(&replay));
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(qh_replay_bytes(&replay), 0);
    close_ring();
}

static void a_reserve_that_fails_changes_nothing(void) {
    open_ring(2000, 1, true, 0.6);
    uint32_t failures = 0;
    for (uint32_t n = 0; n < 1500; n++) {
        memory.heap.fail_after = 1;
        qh_replay before = replay;
        size_t bytes = owner.live_bytes;
        qh_result result = qh_replay_reserve(&replay);
        if (result != QH_OK) {
            failures++;
            CHECK_RESULT(result, QH_GROWTH_FAILED);
            CHECK_EQ(replay.count, before.count);
            CHECK_EQ(replay.next, before.next);
            CHECK_EQ(replay.block_count, before.block_count);
            CHECK_EQ(qh_replay_bytes(&replay), owner.live_bytes);
            CHECK(owner.live_bytes >= bytes && qh_replay_validate(&replay));
        }
        memory.heap.fail_after = 0;
        REQUIRE_OK(push(n));
    }
    CHECK(failures > 20);
    close_ring();
}

/* ---------------------------------------------------------------- uniform draws */

static void draws_are_uniform(void) {
    qh_random random = test_random();
    static uint32_t counts[500];
    for (uint32_t filled = 1; filled <= 500; filled = filled * 3 + 1) {
        open_ring(500, 1, false, 0);
        for (uint32_t n = 0; n < filled; n++) REQUIRE_OK(push(n));
        memset(counts, 0, sizeof counts);
        for (uint32_t i = 0; i < TEST_SHARE(100000u); i++) {
            uint32_t drawn = qh_replay_draw(&replay, &random);
            REQUIRE(drawn < filled);
            counts[drawn]++;
        }
        if (filled > 1)
            CHECK(test_chi_square(counts, NULL, filled) < test_chi_square_limit(filled - 1));
        CHECK_SAME(qh_replay_probability(&replay, filled - 1), 1.0 / filled);
        close_ring();
    }
}

/* ---------------------------------------------------------------- priorities */

static double weights[300]; /* the model: p^alpha */

static double weight_of(double td_error, double alpha) {
    double p = qh__abs(td_error) + 0.01;
    return p > 1e40 ? 1e30 : qh__exp(alpha * qh__log(p));
}

static void check_probabilities(uint32_t count) {
    double sum = 0, total = 0;
    for (uint32_t i = 0; i < count; i++) sum += weights[i];
    for (uint32_t i = 0; i < count; i++) {
        double p = qh_replay_probability(&replay, i);
        CHECK_NEAR(p, weights[i] / sum, 1e-5 * weights[i] / sum + 1e-12);
        total += p;
    }
    CHECK_NEAR(total, 1, 1e-5);
    CHECK(qh_replay_validate(&replay));
}

static void the_tree_agrees_with_an_array(void) {
    qh_random random = test_random();
    static const double alphas[] = {0, 0.4, 0.6, 1};
    for (uint32_t a = 0; a < COUNT_OF(alphas); a++) {
        double alpha = alphas[a], greatest = 1;
        open_ring(300, 1, true, alpha);
        for (uint32_t round = 0; round < 3000; round++) {
            if (replay.count == 0 || qh__random_below(&random, 4) == 0) {
                weights[replay.next] = greatest;
                REQUIRE_OK(push(round));
            } else {
                uint32_t i = qh__random_below(&random, replay.count);
                double td_error = (qh__random_unit(&random) - 0.5) * 20;
                qh_replay_prioritise(&replay, i, td_error);
                weights[i] = weight_of(td_error, alpha);
                greatest = QH_MAX(greatest, weights[i]);
            }
            if (round % 100 == 0) check_probabilities(replay.count);
        }
        check_probabilities(300);
        close_ring();
    }
}

static void draws_follow_the_priorities(void) {
    qh_random random = test_random();
    static uint32_t counts[300];
    static double probabilities[300];
    static const uint32_t sizes[] = {1, 2, 3, 50, 200, 256, 300};
    for (uint32_t s = 0; s < COUNT_OF(sizes); s++) {
        open_ring(sizes[s], 1, true, 0.6);
        for (uint32_t n = 0; n < sizes[s]; n++) {
            REQUIRE_OK(push(n));
            qh_replay_prioritise(&replay, n, qh__random_unit(&random) * 5);
        }
        for (uint32_t n = 0; n < sizes[s]; n++)
            probabilities[n] = qh_replay_probability(&replay, n);
        memset(counts, 0, sizeof counts);
        for (uint32_t i = 0; i < TEST_SHARE(100000u); i++) {
            uint32_t drawn = qh_replay_draw(&replay, &random);
            REQUIRE(drawn < sizes[s]);
            counts[drawn]++;
        }
        if (sizes[s] > 1)
            CHECK(test_chi_square(counts, probabilities, sizes[s]) <
                  test_chi_square_limit(sizes[s] - 1));
        close_ring();
    }
}

static void a_new_transition_has_the_greatest_priority_seen(void) {
    open_ring(10, 1, true, 0.5);
    REQUIRE_OK(push(0));
    CHECK_SAME(replay.tree[replay.leaves], 1);
    qh_replay_prioritise(&replay, 0, 8.99); /* 9^0.5 = 3 */
    CHECK_NEAR(replay.tree[replay.leaves], 3, 1e-6);
    REQUIRE_OK(push(1));
    CHECK_SAME(replay.tree[replay.leaves + 1], replay.tree[replay.leaves]);
    qh_replay_prioritise(&replay, 0, 0); /* 0.01^0.5 */
    CHECK_NEAR(replay.tree[replay.leaves], 0.1, 1e-7);
    REQUIRE_OK(push(2));
    CHECK_SAME(replay.tree[replay.leaves + 2], replay.tree[replay.leaves + 1]);
    qh_replay_clear(&replay);
    REQUIRE_OK(push(3));
    CHECK_SAME(replay.tree[replay.leaves], 1);
    close_ring();
}

static void extreme_errors_keep_the_root_finite(void) {
    qh_random random = test_random();
    static const double errors[] = {
        0, 1e-300, 1e30, 1e38, 1e300, __builtin_inf(), -__builtin_inf(), -1e300};
    open_ring(4096, 1, true, 1);
    for (uint32_t n = 0; n < 4096; n++) {
        REQUIRE_OK(push(n));
        qh_replay_prioritise(&replay, n, errors[n % COUNT_OF(errors)]);
    }
    CHECK(qh__is_finite((double)replay.tree[1]));
    CHECK(qh_replay_validate(&replay));
    for (uint32_t i = 0; i < 5000; i++) CHECK(qh_replay_draw(&replay, &random) < 4096);
    for (uint32_t n = 0; n < 4096; n++) qh_replay_prioritise(&replay, n, 0);
    for (uint32_t n = 0; n < 4096; n++)
        CHECK_NEAR(qh_replay_probability(&replay, n), 1.0 / 4096, 1e-9);
    close_ring();
}

/* Capacities beside a power of two, filled in part: never a leaf behind the last transition. */
static void draws_stay_within_what_is_remembered(void) {
    qh_random random = test_random();
    static const uint32_t capacities[] = {1, 3, 5, 33, 100, 129};
    for (uint32_t c = 0; c < COUNT_OF(capacities); c++) {
        open_ring(capacities[c], 1, true, 1);
        for (uint32_t n = 0; n < capacities[c]; n++) {
            REQUIRE_OK(push(n));
            qh_replay_prioritise(&replay, n, n % 3 ? 1e-9 : 1e25);
            for (uint32_t i = 0; i < 100; i++) CHECK(qh_replay_draw(&replay, &random) <= n);
        }
        close_ring();
    }
}

/* ---------------------------------------------------------------- failure and damage */

static void a_tree_that_finds_no_room_is_closed_without_harm(void) {
    CHECK_OK(test_memory_open(&memory, TEST_POOLS, false));
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, 10000);
    CHECK_RESULT(qh_replay_open(&replay, &memory, &owner, 100000, 1, true, 0.6), QH_QUOTA_EXCEEDED);
    qh_replay_close(&replay);
    memory.heap.fail_after = 1;
    CHECK_RESULT(qh_replay_open(&replay, &memory, &owner, 100, 1, true, 0.6), QH_GROWTH_FAILED);
    qh_replay_close(&replay);
    CHECK_EQ(owner.live_bytes, 0);
    test_memory_close(&memory);
}

static void broken_books_are_detected(void) {
    open_ring(100, 1, true, 0.6);
    for (uint32_t n = 0; n < 60; n++) REQUIRE_OK(push(n));
    REQUIRE(qh_replay_validate(&replay));
    float root = replay.tree[1], leaf = replay.tree[replay.leaves + 90];
    replay.tree[1] += 1;
    CHECK(!qh_replay_validate(&replay));
    replay.tree[1] = root;
    replay.tree[replay.leaves + 90] = 1;
    CHECK(!qh_replay_validate(&replay));
    for (uint32_t node = (replay.leaves + 90) / 2; node > 0; node /= 2) replay.tree[node] += 1;
    CHECK(!qh_replay_validate(&replay)); /* sums agree, but nothing is there to be drawn */
    for (uint32_t node = (replay.leaves + 90) / 2; node > 0; node /= 2) replay.tree[node] -= 1;
    replay.tree[replay.leaves + 90] = leaf;
    replay.count += 60;
    CHECK(!qh_replay_validate(&replay));
    replay.count -= 60;
    replay.next = 100;
    CHECK(!qh_replay_validate(&replay));
    replay.next = 60;
    close_ring();
}

TEST_SUITE(learn_replay, {"the oldest transition gives way", the_oldest_gives_way},
           {"transitions do not overlap", transitions_do_not_overlap},
           {"blocks are taken as the ring fills", blocks_are_taken_as_the_ring_fills},
           {"a ring of nothing takes nothing", a_ring_of_nothing_takes_nothing},
           {"a reserve that fails changes nothing", a_reserve_that_fails_changes_nothing},
           {"draws are uniform", draws_are_uniform},
           {"the tree agrees with an array", the_tree_agrees_with_an_array},
           {"draws follow the priorities", draws_follow_the_priorities},
           {"a new transition has the greatest priority seen",
            a_new_transition_has_the_greatest_priority_seen},
           {"extreme errors keep the root finite", extreme_errors_keep_the_root_finite},
           {"draws stay within what is remembered", draws_stay_within_what_is_remembered},
           {"a tree that finds no room is closed without harm",
            a_tree_that_finds_no_room_is_closed_without_harm},
           {"broken books are detected", broken_books_are_detected});
