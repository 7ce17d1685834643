/* The Q-table against a plain array: random and adversarial keys, promises kept without memory, failures that change nothing. */
#include "fixture.h"

#include "learn/table.h"

#define MOST_KEYS 50000u
#define KEYS (QH_ASSERT_LEVEL >= 3 ? 15000u : MOST_KEYS)

static qh_memory memory;
static qh_owner owner;
static qh_table table;

static void open_table(uint32_t actions, uint32_t extra_bytes, float initial_value, bool track) {
    CHECK_OK(test_memory_open(&memory, TEST_NO_POOLS, track));
    qh_owner_open(&memory.heap, &owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
    qh_table_open(&table, &memory, &owner, actions, extra_bytes, initial_value);
}

/* Also checks that clearing gives every byte back. */
static void close_table(void) {
    CHECK(qh_table_validate(&table));
    CHECK_EQ(qh_table_bytes(&table), owner.live_bytes);
    qh_table_clear(&table);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(owner.live_blocks, 0);
    CHECK_EQ(qh_table_bytes(&table), 0);
    CHECK(qh_table_validate(&table) && qh_heap_validate(&memory.heap));
    test_memory_close(&memory);
}

static qh_row *row_at(uint32_t location) {
    return qh__table_row(&table, location);
}

/* Adds a row that remembers its number. */
static uint32_t add(uint64_t key, uint32_t number) {
    CHECK_OK(qh_table_reserve(&table, 1));
    uint32_t location = qh_table_insert(&table, key);
    qh_row *row = row_at(location);
    row->q[0] = (float)number;
    qh__row_counts(&table, row)[0] = number;
    return location;
}

static bool holds(uint64_t key, uint32_t number) {
    uint32_t location = qh_table_find(&table, key);
    if (location == QH_NO_ROW) return false;
    qh_row *row = row_at(location);
    return row->key == key && row->q[0] == (float)number &&
           qh__row_counts(&table, row)[0] == number;
}

static uint64_t draw_key(qh_random *random) {
    return (uint64_t)qh__random_next(random) << 32 | qh__random_next(random);
}

/* Buckets of the longest chain. */
static uint32_t longest_chain(void) {
    uint32_t longest = 0, buckets = table.rows ? table.level_mask + 1 + table.split : 0;
    for (uint32_t i = 0; i < buckets; i++) {
        uint32_t length = 1, link = qh__bucket_at(&table.buckets, i)->link & 0x0FFFFFFFu;
        for (; link; length++) link = qh__bucket_at(&table.spills, link - 1)->link & 0x0FFFFFFFu;
        longest = QH_MAX(longest, length);
    }
    return longest;
}

/* ---------------------------------------------------------------- rows */

static void a_row_is_born_clean(void) {
    static const uint32_t actions[] = {1, 2, 3, 4, 5, 7, 8, 16, 31, 33, 1000, 1024};
    for (uint32_t i = 0; i < COUNT_OF(actions); i++)
        for (uint32_t extra = 0; extra <= 64; extra += 32) {
            open_table(actions[i], extra, 2.5f, false);
            for (uint32_t n = 0; n < 40; n++) {
                uint64_t key = qh__mix64(n + 1);
                REQUIRE_OK(qh_table_reserve(&table, 1));
                qh_row *row = row_at(qh_table_insert(&table, key));
                CHECK_EQ((uintptr_t)row % 16, 0);
                CHECK_EQ(row->key, key);
                for (uint32_t a = 0; a < table.stride; a++) {
                    CHECK_SAME(row->q[a], a < actions[i] ? 2.5 : -__builtin_inf());
                    CHECK_EQ(qh__row_counts(&table, row)[a], 0);
                }
                const unsigned char *more = qh__row_extra(&table, row);
                for (uint32_t b = 0; b < extra; b++) CHECK_EQ(more[b], 0);
                memset(row->q, 0x77, table.row_bytes - QH_ROW_HEADER_BYTES);
            }
            for (uint32_t n = 0; n < 40; n++)
                CHECK_EQ(row_at(qh_table_location(&table, n))->key, qh__mix64(n + 1));
            close_table();
        }
}

/* Values, counts and extra bytes each keep what is written into them. */
static void the_parts_of_a_row_are_apart(void) {
    for (uint32_t actions = 1; actions <= 40; actions += 3) {
        open_table(actions, 48, 0, false);
        uint32_t first = add(1, 0);
        add(2, 0);
        qh_row *row = row_at(first), *next = row_at(qh_table_location(&table, 1));
        float *q = row->q;
        uint32_t *counts = qh__row_counts(&table, row);
        unsigned char *extra = qh__row_extra(&table, row);
        for (uint32_t a = 0; a < table.stride; a++) q[a] = (float)a + 0.5f;
        for (uint32_t a = 0; a < table.stride; a++) counts[a] = 1000 + a;
        for (uint32_t b = 0; b < 48; b++) extra[b] = (unsigned char)(200 + b);
        CHECK(extra + 48 <= (unsigned char *)next && row->key == 1 && next->key == 2);
        for (uint32_t a = 0; a < table.stride; a++) {
            CHECK_SAME(q[a], a + 0.5);
            CHECK_EQ(counts[a], 1000 + a);
        }
        for (uint32_t b = 0; b < 48; b++) CHECK_EQ(extra[b], (unsigned char)(200 + b));
        close_table();
    }
}

static void an_empty_table_takes_no_memory(void) {
    open_table(4, 0, 0, false);
    CHECK_EQ(owner.live_bytes, 0);
    CHECK_EQ(qh_table_find(&table, 1), QH_NO_ROW);
    CHECK_EQ(qh_table_hash(&table, 7), qh_table_hash(&table, 7));
    CHECK_OK(qh_table_reserve(&table, 0));
    close_table();
}

static uint64_t keys[MOST_KEYS];
static uint32_t locations[MOST_KEYS];

static void rows_never_move_and_keep_their_order(void) {
    qh_random random = test_random();
    open_table(3, 8, 0, false);
    for (uint32_t i = 0; i < 10000; i++) {
        keys[i] = draw_key(&random);
        locations[i] = add(keys[i], i);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        CHECK_EQ(qh_table_find(&table, keys[i]), locations[i]);
        CHECK_EQ(qh_table_location(&table, i), locations[i]);
        CHECK(holds(keys[i], i));
    }
    close_table();
}

/* What was found last is a help, never an answer of its own: keys that come and go, and a table that is cleared. */
static void recall_finds_what_find_finds(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < 3; round++) {
        open_table(3, 8, 0, false);
        for (uint32_t i = 0; i < 3000; i++) {
            keys[i] = i % 5 == 4 ? keys[i - 1] : draw_key(&random) % 200 + 1;
            CHECK_EQ(qh__table_recall(&table, keys[i]), qh_table_find(&table, keys[i]));
            if (i % 3 == 0 && qh_table_find(&table, keys[i]) == QH_NO_ROW) {
                CHECK_OK(qh_table_reserve(&table, 1));
                uint32_t location = qh_table_insert(&table, keys[i]);
                CHECK_EQ(qh__table_recall(&table, keys[i]), location);
            }
            if (i % 1000 != 999) continue;
            uint64_t last = table.last_key;
            CHECK(last && qh__table_recall(&table, last) != QH_NO_ROW);
            qh_table_clear(&table);
            CHECK_EQ(qh__table_recall(&table, last), QH_NO_ROW);
            CHECK_EQ(qh__table_recall(&table, 0), QH_NO_ROW);
        }
        close_table();
    }
}

/* ---------------------------------------------------------------- against an array */

static void random_keys_agree_with_an_array(void) {
    qh_random random = test_random();
    open_table(4, 0, 0, false);
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = draw_key(&random);
        CHECK_EQ(qh_table_find(&table, keys[i]), QH_NO_ROW);
        add(keys[i], i);
        CHECK_EQ(table.rows, i + 1);
        uint32_t known = qh__random_below(&random, i + 1);
        CHECK(holds(keys[known], known));
        CHECK_EQ(qh_table_find(&table, draw_key(&random)), QH_NO_ROW);
        CHECK_EQ(qh_table_find(&table, keys[known] ^ 1), QH_NO_ROW);
        CHECK_EQ(qh_table_find(&table, keys[known] ^ (uint64_t)1 << 63), QH_NO_ROW);
        if ((i & (i + 1)) == 0) CHECK(qh_table_validate(&table));
        if (i % 97 == 0) CHECK_EQ(qh_table_bytes(&table), owner.live_bytes);
    }
    for (uint32_t i = 0; i < KEYS; i++) CHECK(holds(keys[i], i));
    CHECK(longest_chain() <= 3);
    test_note_integer("buckets of the longest chain", longest_chain());
    close_table();
}

/* Keys that agree where a bucket or a tag is read: the table gets slow, never wrong. */
static uint64_t adversarial_key(uint32_t kind, uint32_t i) {
    switch (kind) {
    case 0: return (uint64_t)i << 32;                  /* all 32 low bits equal */
    case 1: return (uint64_t)i << 32 | 0xFFFFFFFFu;    /* and all set */
    case 2: return qh__mix64(i) & ~(uint64_t)0x3FF;    /* 10 low bits equal */
    case 3: return qh__mix64(i) & 0x00FFFFFFFFFFFFFFu; /* one tag */
    case 4: return i;                                  /* counting up */
    case 5: return (uint64_t)i << 20;                  /* bits that few levels see */
    case 6: return (uint64_t)__builtin_bswap32(i) | (uint64_t)i << 40;
    default: return ~(uint64_t)i * 0x100000001u;
    }
}

static void adversarial_keys_agree_with_an_array(void) {
    const uint32_t count = TEST_SHARE(3000u);
    for (uint32_t kind = 0; kind < 8; kind++) {
        open_table(2, 0, 0, false);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t key = adversarial_key(kind, i);
            CHECK_EQ(qh_table_find(&table, key), QH_NO_ROW);
            add(key, i);
        }
        CHECK(qh_table_validate(&table));
        for (uint32_t i = 0; i < count; i++) CHECK(holds(adversarial_key(kind, i), i));
        for (uint32_t i = count; i < 2 * count; i++)
            CHECK_EQ(qh_table_find(&table, adversarial_key(kind, i)), QH_NO_ROW);
        close_table();
    }
}

/* An entry is looked for by tag first; keys of one bucket and one tag must still be told apart. */
static void equal_tags_in_one_bucket_are_told_apart(void) {
    open_table(1, 0, 0, false);
    for (uint32_t i = 0; i < 200; i++) add((uint64_t)i << 32 | 5, i);
    for (uint32_t i = 0; i < 200; i++) CHECK(holds((uint64_t)i << 32 | 5, i));
    CHECK_EQ(qh_table_find(&table, (uint64_t)200 << 32 | 5), QH_NO_ROW);
    close_table();
}

static void chains_stay_short_at_every_size(void) {
    qh_random random = test_random();
    for (uint32_t trial = 0; trial < 5; trial++) {
        open_table(1, 0, 0, false);
        for (uint32_t i = 0; i < 5000; i++) {
            add(draw_key(&random), i);
            if (i % 37 == 0) CHECK(longest_chain() <= 3);
            if (i > 12) CHECK(table.rows <= 6 * (table.level_mask + 1 + table.split));
        }
        close_table();
    }
}

/* ---------------------------------------------------------------- memory */

static void no_block_is_large(void) {
    static const uint32_t actions[] = {2, 16, 100, 1024};
    for (uint32_t i = 0; i < COUNT_OF(actions); i++) {
        open_table(actions[i], 0, 0, true);
        size_t limit = QH_MAX((size_t)16384, (size_t)table.row_bytes);
        for (uint32_t n = 0; table.rows * (size_t)table.row_bytes < 4000000; n++)
            add(qh__mix64(n), n);
        for (size_t place = 0; place < memory.records.capacity; place++)
            if (memory.records.places[place].block)
                CHECK(memory.records.places[place].byte_count <= limit);
        /* Rows are most of it: directories and buckets cost less than a third of the smallest rows. */
        CHECK((double)owner.live_bytes <= 1.34 * table.rows * table.row_bytes);
        close_table();
    }
}

static void a_small_table_is_small(void) {
    open_table(3, 0, 0, false);
    add(qh__mix64(1), 0);
    CHECK(owner.live_bytes <= 1024 + 64 + 2 * 64);
    close_table();
}

static void cleared_tables_serve_again(void) {
    qh_random random = test_random();
    open_table(5, 0, 1, false);
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t count = qh__random_below(&random, 400) + (round % 20 == 0 ? 2000 : 0);
        for (uint32_t i = 0; i < count; i++) {
            keys[i] = draw_key(&random);
            add(keys[i], i);
        }
        for (uint32_t i = 0; i < count; i++) CHECK(holds(keys[i], i));
        CHECK(qh_table_validate(&table));
        qh_table_clear(&table);
        CHECK_EQ(owner.live_bytes, 0);
        if (count) CHECK_EQ(qh_table_find(&table, keys[0]), QH_NO_ROW);
    }
    close_table();
}

/* ---------------------------------------------------------------- promises and refusals */

/* After a reserve of n, n insertions succeed though the heap gives nothing: splits wait, chains grow, all is found. */
static void reserved_insertions_need_no_memory(void) {
    qh_random random = test_random();
    open_table(2, 0, 0, false);
    uint32_t count = 0;
    while (count < TEST_SHARE(8000u)) {
        uint32_t together = 1 + qh__random_below(&random, qh__random_below(&random, 8) ? 4 : 300);
        CHECK_OK(qh_table_reserve(&table, together));
        memory.heap.fail_after = 1;
        for (uint32_t i = 0; i < together; i++, count++) {
            keys[count] = draw_key(&random);
            uint32_t location = qh_table_insert(&table, keys[count]);
            row_at(location)->q[0] = (float)count;
            qh__row_counts(&table, row_at(location))[0] = count;
        }
        memory.heap.fail_after = 0;
        if (qh__random_below(&random, 100) == 0) CHECK(qh_table_validate(&table));
    }
    for (uint32_t i = 0; i < count; i++) CHECK(holds(keys[i], i));
    close_table();
}

/* The same when every key falls into one bucket: each insertion may need a spill bucket. */
static void promises_hold_for_adversarial_keys(void) {
    for (uint32_t together = 1; together <= 200; together = together * 3 + 1) {
        open_table(1, 0, 0, false);
        for (uint32_t count = 0; count < 1000;) {
            CHECK_OK(qh_table_reserve(&table, together));
            memory.heap.fail_after = 1;
            for (uint32_t i = 0; i < together; i++, count++) {
                uint32_t location = qh_table_insert(&table, (uint64_t)count << 32 | 9);
                row_at(location)->q[0] = (float)count;
                qh__row_counts(&table, row_at(location))[0] = count;
            }
            memory.heap.fail_after = 0;
        }
        CHECK(qh_table_validate(&table));
        for (uint32_t i = 0; i < 1000; i++) CHECK(holds((uint64_t)i << 32 | 9, i));
        close_table();
    }
}

/* Fails each allocation of a reserve in turn, at every size. */
static void a_reserve_that_fails_changes_nothing(void) {
    qh_random random = test_random();
    open_table(3, 0, 0, false);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < TEST_SHARE(6000u); i++) {
        uint32_t together = i % 50 == 0 ? 100 : 1;
        for (uint32_t n = 1; n < 20; n++) {
            uint64_t hash = i % 16 == 0 ? qh_table_hash(&table, 0) : 0;
            uint32_t rows = table.rows;
            memory.heap.fail_after = n;
            qh_result result = qh_table_reserve(&table, together);
            memory.heap.fail_after = 0;
            if (result == QH_OK) break;
            failures++;
            CHECK_RESULT(result, QH_GROWTH_FAILED);
            CHECK_EQ(table.rows, rows);
            if (i % 16 == 0) CHECK(qh_table_validate(&table) && qh_table_hash(&table, 0) == hash);
            CHECK_EQ(qh_table_bytes(&table), owner.live_bytes);
            if (i > 0) CHECK(holds(keys[i / 2], i / 2));
        }
        keys[i] = draw_key(&random);
        add(keys[i], i);
    }
    CHECK(failures > 10);
    close_table();
}

static void a_spent_quota_changes_nothing(void) {
    qh_random random = test_random();
    for (size_t quota = 100; quota < 60000; quota = quota * 3 / 2 + 77) {
        open_table(4, 0, 0, false);
        owner.quota_bytes = quota;
        uint32_t count = 0;
        while (qh_table_reserve(&table, 1) == QH_OK) {
            keys[count] = draw_key(&random);
            uint32_t location = qh_table_insert(&table, keys[count]);
            row_at(location)->q[0] = (float)count;
            qh__row_counts(&table, row_at(location))[0] = count;
            count++;
        }
        uint64_t hash = qh_table_hash(&table, 3);
        for (uint32_t i = 0; i < 10; i++)
            CHECK_RESULT(qh_table_reserve(&table, 1 + i), QH_QUOTA_EXCEEDED);
        CHECK_EQ(qh_table_hash(&table, 3), hash);
        CHECK_EQ(table.rows, count);
        CHECK(owner.live_bytes <= quota && qh_table_validate(&table));
        for (uint32_t i = 0; i < count; i++) CHECK(holds(keys[i], i));
        close_table();
    }
}

/* ---------------------------------------------------------------- the hash of the content */

static void the_hash_is_of_the_content_alone(void) {
    qh_random random = test_random();
    uint64_t hashes[2];
    for (uint32_t i = 0; i < 2000; i++) keys[i] = draw_key(&random);
    for (uint32_t way = 0; way < 2; way++) {
        void *shift;
        open_table(6, 16, 0.5f, false);
        if (way) { /* elsewhere, reserved at once, without memory for a split */
            REQUIRE_OK(
                qh_heap_alloc(&memory.heap, &memory.runtime_owner, 5000, QH_BLOCK_runtime, &shift));
            REQUIRE_OK(qh_table_reserve(&table, 2000));
            memory.heap.fail_after = 1;
        }
        for (uint32_t i = 0; i < 2000; i++) add(keys[i], i);
        memory.heap.fail_after = 0;
        hashes[way] = qh_table_hash(&table, 11);
        CHECK(qh_table_hash(&table, 12) != hashes[way]);
        close_table();
    }
    CHECK_EQ(hashes[0], hashes[1]);
}

static void the_hash_sees_all_that_was_learned(void) {
    open_table(3, 8, 0, false);
    for (uint32_t i = 0; i < 5; i++) add(qh__mix64(i), i);
    uint64_t hash = qh_table_hash(&table, 0);
    for (uint32_t i = 0; i < 5; i++) {
        unsigned char *bytes = (unsigned char *)row_at(qh_table_location(&table, i));
        for (uint32_t b = 0; b < table.row_bytes; b++) {
            bool remembered = b >= offsetof(qh_row, leaders) && b < offsetof(qh_row, q);
            bytes[b] ^= 0x10;
            CHECK_EQ(qh_table_hash(&table, 0) == hash, remembered);
            bytes[b] ^= 0x10;
        }
    }
    CHECK_EQ(qh_table_hash(&table, 0), hash);
    add(qh__mix64(5), 5);
    CHECK(qh_table_hash(&table, 0) != hash);
    close_table();
}

/* ---------------------------------------------------------------- the validator detects */

static void broken_books_are_detected(void) {
    open_table(2, 0, 0, false);
    for (uint32_t i = 0; i < 500; i++)
        add((uint64_t)(i % 40) << 32 | qh__mix64(i) << 48 | i / 40, i);
    REQUIRE(qh_table_validate(&table) && longest_chain() > 1);
    qh_bucket *bucket = qh__bucket_at(&table.buckets, 0);
    qh_row *row = row_at(qh_table_location(&table, 3));
#define CHECK_DETECTED(damage, repair)                                                             \
    do {                                                                                           \
        damage;                                                                                    \
        CHECK(!qh_table_validate(&table));                                                         \
        repair;                                                                                    \
        CHECK(qh_table_validate(&table));                                                          \
    } while (0)
    qh_bucket before = *bucket;
    CHECK_DETECTED(bucket->tags[0] ^= 1, *bucket = before);
    CHECK_DETECTED(bucket->link -= 1u << 28, *bucket = before);
    CHECK_DETECTED(bucket->link |= 13u << 28, *bucket = before);
    CHECK_DETECTED(bucket->rows[0] = bucket->rows[1], *bucket = before);
    CHECK_DETECTED(row->key ^= 1, row->key ^= 1);
    CHECK_DETECTED(row->key ^= (uint64_t)1 << 60, row->key ^= (uint64_t)1 << 60);
    CHECK_DETECTED(table.spill_free_count++, table.spill_free_count--);
    uint32_t free_spill = table.spill_free;
    CHECK_DETECTED(table.spill_free = 0, table.spill_free = free_spill);
    table.rows--;
    CHECK(!qh_table_validate(&table));
    table.rows++;
    close_table();
}

TEST_SUITE(learn_table, {"a row is born clean", a_row_is_born_clean},
           {"the parts of a row are apart", the_parts_of_a_row_are_apart},
           {"an empty table takes no memory", an_empty_table_takes_no_memory},
           {"rows never move and keep their order", rows_never_move_and_keep_their_order},
           {"recall finds what find finds", recall_finds_what_find_finds},
           {"random keys agree with an array", random_keys_agree_with_an_array},
           {"adversarial keys agree with an array", adversarial_keys_agree_with_an_array},
           {"equal tags in one bucket are told apart", equal_tags_in_one_bucket_are_told_apart},
           {"chains stay short at every size", chains_stay_short_at_every_size},
           {"no block is large", no_block_is_large},
           {"a small table is small", a_small_table_is_small},
           {"cleared tables serve again", cleared_tables_serve_again},
           {"reserved insertions need no memory", reserved_insertions_need_no_memory},
           {"promises hold for adversarial keys", promises_hold_for_adversarial_keys},
           {"a reserve that fails changes nothing", a_reserve_that_fails_changes_nothing},
           {"a spent quota changes nothing", a_spent_quota_changes_nothing},
           {"the hash is of the content alone", the_hash_is_of_the_content_alone},
           {"the hash sees all that was learned", the_hash_sees_all_that_was_learned},
           {"broken books are detected", broken_books_are_detected});
