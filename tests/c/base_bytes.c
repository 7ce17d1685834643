/* Memory functions, hashes, checksums, bit tricks, handles and the table of results. */
#include "fixture.h"

#include "base/handle.h"

/* ---------------------------------------------------------------- memory functions */

static unsigned char left[600], right[600], model[600];

static void fill(unsigned char *bytes, uint32_t count, uint32_t salt) {
    for (uint32_t i = 0; i < count; i++) bytes[i] = (unsigned char)(i * 7 + salt);
}

/* Sizes the compiler cannot see, so that the functions themselves run. */
static void copies_and_fills(void) {
    qh_random random = test_random();
    for (int round = 0; round < 3000; round++) {
        uint32_t count = qh__random_below(&random, 130), from = qh__random_below(&random, 170);
        uint32_t to = 300 + qh__random_below(&random, 150);
        int value = (int)qh__random_below(&random, 256);
        fill(left, sizeof left, (uint32_t)round);
        memcpy(left + to, left + from, count);
        for (uint32_t i = 0; i < count; i++) CHECK_EQ(left[to + i], left[from + i]);
        CHECK_EQ(left[to + count], (unsigned char)((to + count) * 7 + (uint32_t)round));
        memset(left + from, value, count);
        for (uint32_t i = 0; i < count; i++) CHECK_EQ(left[from + i], value);
        CHECK(count == 0 ||
              left[from + count] == (unsigned char)((from + count) * 7 + (uint32_t)round));
    }
}

static void moves_overlapping(void) {
    qh_random random = test_random();
    for (int round = 0; round < 3000; round++) {
        uint32_t count = qh__random_below(&random, 130), from = qh__random_below(&random, 200);
        uint32_t to = qh__random_below(&random, 200);
        fill(left, sizeof left, 3);
        fill(model, sizeof model, 3);
        memmove(left + to, left + from, count);
        for (uint32_t i = 0; i < count; i++) right[i] = model[from + i];
        for (uint32_t i = 0; i < count; i++) model[to + i] = right[i];
        for (uint32_t i = 0; i < sizeof left; i++) CHECK_EQ(left[i], model[i]);
    }
}

static void compares(void) {
    fill(left, sizeof left, 5);
    fill(right, sizeof right, 5);
    CHECK_EQ(memcmp(left, right, sizeof left), 0);
    CHECK_EQ(memcmp(left, right, 0), 0);
    for (uint32_t at = 0; at < 40; at++) {
        right[at]++;
        int order = memcmp(left, right, 40);
        CHECK(left[at] < right[at] ? order < 0 : order > 0);
        CHECK_EQ(memcmp(left, right, at), 0);
        right[at]--;
    }
    left[0] = 0x7F;
    right[0] = 0x80;
    CHECK(memcmp(left, right, 1) < 0);
}

/* ---------------------------------------------------------------- checksums and hashes */

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void crc32c_of_the_rfc(void) {
    unsigned char bytes[48] = {0};
    CHECK_EQ(qh__crc32c(0, "123456789", 9), 0xE3069283u);
    CHECK_EQ(qh__crc32c(0, bytes, 32), 0x8A9136AAu);
    memset(bytes, 0xFF, 32);
    CHECK_EQ(qh__crc32c(0, bytes, 32), 0x62A8AB43u);
    for (uint32_t i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    CHECK_EQ(qh__crc32c(0, bytes, 32), 0x46DD794Eu);
    for (uint32_t i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    CHECK_EQ(qh__crc32c(0, bytes, 32), 0x113FDB5Cu);
    static const unsigned char read_pdu[48] = {
        0x01, 0xC0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
        0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
        0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    CHECK_EQ(qh__crc32c(0, read_pdu, 48), 0xD9963A56u);
    CHECK_EQ(qh__crc32c(0, bytes, 0), 0);
}

/* The polynomial itself, bit by bit. */
static uint32_t crc_by_definition(const unsigned char *bytes, uint32_t count) {
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    }
    return ~crc;
}

static void crc32c_is_its_polynomial_and_continues(void) {
    qh_random random = test_random();
    for (int round = 0; round < 500; round++) {
        uint32_t count = qh__random_below(&random, 300), cut = qh__random_below(&random, count + 1);
        for (uint32_t i = 0; i < count; i++) left[i] = (unsigned char)qh__random_next(&random);
        uint32_t whole = qh__crc32c(0, left, count);
        CHECK_EQ(whole, crc_by_definition(left, count));
        CHECK_EQ(qh__crc32c(qh__crc32c(0, left, cut), left + cut, count - cut), whole);
        if (count == 0) continue;
        left[cut % count] ^= (unsigned char)(1u << qh__random_below(&random, 8));
        CHECK(qh__crc32c(0, left, count) != whole);
    }
}

/* Long ones go word by word: the bytes before, within and after, from every alignment. */
static void crc32c_of_many_bytes(void) {
    static unsigned char many[5000];
    qh_random random = test_random();
    for (uint32_t i = 0; i < sizeof many; i++) many[i] = (unsigned char)qh__random_next(&random);
    for (uint32_t start = 0; start < 4; start++)
        for (uint32_t count = 4090; count < 4106; count++) {
            uint32_t whole = qh__crc32c(0, many + start, count);
            CHECK_EQ(whole, crc_by_definition(many + start, count));
            uint32_t cut = qh__random_below(&random, count + 1);
            uint32_t begun = qh__crc32c(0, many + start, cut);
            CHECK_EQ(qh__crc32c(begun, many + start + cut, count - cut), whole);
        }
}

/* Names select random streams through this hash: its values are part of what one seed means. They were computed by a second
 * program, from the definition. */
static void hash_of_bytes_is_pinned(void) {
    unsigned char bytes[256];
    for (uint32_t i = 0; i < 256; i++) bytes[i] = (unsigned char)i;
    CHECK_EQ(qh__hash_bytes("", 0, 0), 0x805821F2FA6849C4u);
    CHECK_EQ(qh__hash_bytes("a", 1, 0), 0x07AA284ADFC7ADBAu);
    CHECK_EQ(qh__hash_bytes("agent-17", 8, 0), 0x1793DF160B7EA973u);
    CHECK_EQ(qh__hash_bytes("agent-17", 8, 1), 0xCF1B7E6B6D165143u);
    CHECK_EQ(qh__hash_bytes("the quick brown fox jumps over the lazy dog", 43, 0),
             0xC76B433F07051388u);
    CHECK_EQ(qh__hash_bytes(bytes, 256, 0x0123456789ABCDEFu), 0x7091B1DD052CB46Cu);
}

static void hash_of_bytes_sees_every_bit_and_the_length(void) {
    qh_random random = test_random();
    fill(left, 64, 9);
    for (uint32_t count = 0; count <= 64; count++) {
        uint64_t hash = qh__hash_bytes(left, count, 0);
        for (uint32_t bit = 0; bit < count * 8; bit++) {
            left[bit / 8] ^= (unsigned char)(1u << bit % 8);
            CHECK(qh__hash_bytes(left, count, 0) != hash);
            left[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        CHECK(qh__hash_bytes(left, count, qh__random_next(&random) | 1u) != hash);
    }
    CHECK_EQ(qh__hash_bytes("\0", 1, 0), 0x5E26F9EA5D0D5387u);
    CHECK_EQ(qh__hash_bytes("\0\0", 2, 0), 0xDF4BA1E32DE88D73u);
}

/* ---------------------------------------------------------------- bits */

static uint32_t weight(uint64_t x) {
    return (uint32_t)__builtin_popcountll(x);
}

/* One flipped bit in changes each bit out with chance 1/2: over 64,000 flips, within 6 standard errors. */
static void mix64_avalanches(void) {
    qh_random random = test_random();
    uint32_t flips[64] = {0}, total = 0;
    const uint32_t rounds = 1000;
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t x = (uint64_t)qh__random_next(&random) << 32 | qh__random_next(&random);
        for (uint32_t bit = 0; bit < 64; bit++) {
            uint64_t changed = qh__mix64(x) ^ qh__mix64(x ^ (uint64_t)1 << bit);
            CHECK(changed != 0);
            total += weight(changed);
            for (uint32_t out = 0; out < 64; out++) flips[out] += (uint32_t)(changed >> out & 1);
        }
    }
    CHECK_NEAR(total / (64.0 * 64 * rounds), 0.5, 0.002);
    for (uint32_t out = 0; out < 64; out++) CHECK_NEAR(flips[out] / (64.0 * rounds), 0.5, 0.012);
}

static void hash_step_is_not_commutative(void) {
    CHECK(qh__hash_step(qh__hash_step(0, 1), 2) != qh__hash_step(qh__hash_step(0, 2), 1));
    CHECK(qh__hash_step(0, 0) != 0);
    CHECK(qh__hash_step(qh__hash_step(0, 0), 0) != qh__hash_step(0, 0));
}

static void powers_of_two(void) {
    for (uint32_t k = 0; k < sizeof(size_t) * 8; k++) {
        size_t power = (size_t)1 << k;
        CHECK_EQ(qh__log2_floor(power), k);
        if (k > 0) CHECK_EQ(qh__log2_floor(power | (power - 1)), k);
        if (k > 0) CHECK_EQ(qh__log2_floor(power - 1), k - 1);
    }
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2)
        for (size_t x = 0; x < 200; x++) {
            size_t up = qh__align_up(x, alignment);
            CHECK(up >= x && up - x < alignment && up % alignment == 0);
        }
    CHECK_EQ(qh__rotl32(0x80000001u, 1), 3);
    CHECK_EQ(qh__rotl64(0x8000000000000001u, 1), 3);
}

/* ---------------------------------------------------------------- handles and results */

static void handles_keep_slot_and_generation(void) {
    for (uint32_t slot = 0; slot < QH_HANDLE_SLOTS; slot += 257)
        for (uint32_t generation = 1; generation <= QH_HANDLE_LAST_GENERATION; generation += 1021) {
            qh_handle handle = qh__handle_make(slot, generation);
            CHECK_EQ(qh__handle_slot(handle), slot);
            CHECK_EQ(qh__handle_generation(handle), generation);
            CHECK((int32_t)handle > 0);
        }
    CHECK((int32_t)qh__handle_make(QH_HANDLE_SLOTS - 1, QH_HANDLE_LAST_GENERATION) > 0);
}

static bool equal_text(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static void results_have_distinct_names_below_no_action(void) {
#define RESULT_ROW(name, value, meaning) {#name, value, meaning},
    static const struct {
        const char *name;
        int value;
        const char *meaning;
    } rows[] = {QH_RESULTS(RESULT_ROW)};
#undef RESULT_ROW
    for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(equal_text(qh_result_name(rows[i].value), rows[i].name));
        CHECK(rows[i].value < QH_NO_ACTION && rows[i].meaning[0] != 0);
        for (uint32_t k = 0; k < i; k++) CHECK(rows[i].value != rows[k].value);
    }
    CHECK(equal_text(qh_result_name(0), "OK"));
    CHECK(equal_text(qh_result_name(QH_NO_ACTION), "UNKNOWN"));
    CHECK(equal_text(qh_result_name(1), "UNKNOWN") && equal_text(qh_result_name(-99), "UNKNOWN"));
}

TEST_SUITE(base_bytes, {"memcpy and memset touch what they should and no more", copies_and_fills},
           {"memmove moves overlapping bytes", moves_overlapping},
           {"memcmp compares bytes as unsigned", compares},
           {"crc32c gives the vectors of RFC 3720", crc32c_of_the_rfc},
           {"crc32c is its polynomial and continues", crc32c_is_its_polynomial_and_continues},
           {"crc32c of many bytes", crc32c_of_many_bytes},
           {"the hash of bytes is pinned", hash_of_bytes_is_pinned},
           {"the hash of bytes sees every bit and the length",
            hash_of_bytes_sees_every_bit_and_the_length},
           {"mix64 avalanches", mix64_avalanches},
           {"a hash step depends on the order", hash_step_is_not_commutative},
           {"powers of two", powers_of_two},
           {"a handle keeps slot and generation and is positive", handles_keep_slot_and_generation},
           {"results have distinct names and lie below no-action",
            results_have_distinct_names_below_no_action});
