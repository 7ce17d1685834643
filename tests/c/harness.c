/* The runner behind test.h, and `main` where there is one. */
#include "test.h"

#include "base/bytes.h"
#include "base/maths.h"

#if defined(__wasm__)
__attribute__((import_module("env"), import_name("qh_test_print"))) void
qh_test_print(const char *text, uint32_t byte_count);
#else
#include <stdio.h>
#include <stdlib.h>
#endif

#define FILTER_BYTES 256u
#define FAILURES_SHOWN 8u
#define LINE_BYTES 512u
#define RARE 5.0 /* events expected less often are counted together */

static char filter[FILTER_BYTES];
static uint64_t seed = 1, rounds;

static struct {
    const char *suite, *name;
    const char *file; /* of the first failed check */
    int line;
    uint32_t failures;
} running;

/* ---------------------------------------------------------------- output */

static char line[LINE_BYTES];
static uint32_t line_length;

static void put(const char *text) {
    while (*text && line_length < LINE_BYTES - 1) line[line_length++] = *text++;
}

static void put_unsigned(uint64_t value, uint32_t base) {
    char digits[64];
    uint32_t count = 0;
    do digits[count++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (count > 0 && line_length < LINE_BYTES - 1) line[line_length++] = digits[--count];
}

static void put_integer(int64_t value) {
    if (value < 0) put("-");
    put_unsigned(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

/* Nine digits and an exponent: for eyes; the bits beside it are exact. */
static void put_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    double magnitude = qh__abs(value);
    if (value != value) {
        put("nan");
    } else if (magnitude == 0 || magnitude > 1.7e308) {
        put(value < 0 ? "-" : "");
        put(magnitude == 0 ? "0" : "huge");
    } else {
        int exponent = 0;
        for (; magnitude >= 10; exponent++) magnitude /= 10;
        for (; magnitude < 1; exponent--) magnitude *= 10;
        uint64_t digits = (uint64_t)(magnitude * 1e8 + 0.5);
        put(value < 0 ? "-" : "");
        put_unsigned(digits / 100000000, 10);
        put(".");
        for (uint64_t place = 10000000; place; place /= 10) put_unsigned(digits / place % 10, 10);
        put("e");
        put_integer(exponent);
    }
    put(" [0x");
    put_unsigned(bits, 16);
    put("]");
}

static void end_line(void) {
    line[line_length++] = '\n';
#if defined(__wasm__)
    qh_test_print(line, line_length);
#else
    fwrite(line, 1, line_length, stdout);
    fflush(stdout);
#endif
    line_length = 0;
}

static void put_place(const char *file, int number) {
    if (file[0] == '.' && file[1] == '/') file += 2;
    put(file);
    put(":");
    put_integer(number);
}

/* ---------------------------------------------------------------- checks */

/* Begins the line of a failure; false when enough were shown. */
static bool begin_failure(const char *file, int number, const char *text) {
    if (running.failures++ == 0) {
        running.file = file;
        running.line = number;
    }
    if (running.failures > FAILURES_SHOWN) return false;
    put("# failed: ");
    put_place(file, number);
    put(": ");
    put(text);
    return true;
}

void test__fail(const char *file, int number, const char *text) {
    if (begin_failure(file, number, text)) end_line();
}

void test__fail_integers(const char *file, int number, const char *text, int64_t actual,
                         int64_t expected) {
    if (!begin_failure(file, number, text)) return;
    put(" is ");
    put_integer(actual);
    put(", not ");
    put_integer(expected);
    end_line();
}

void test__fail_doubles(const char *file, int number, const char *text, double actual,
                        double expected) {
    if (!begin_failure(file, number, text)) return;
    put(" is ");
    put_double(actual);
    put(", not ");
    put_double(expected);
    end_line();
}

void test__fail_results(const char *file, int number, const char *text, int actual, int expected) {
    if (!begin_failure(file, number, text)) return;
    put(" is ");
    put(qh_result_name(actual));
    put(", not ");
    put(qh_result_name(expected));
    end_line();
}

bool test_same(double a, double b) {
    if (a != a || b != b) return a != a && b != b;
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

uint32_t test_failures(void) {
    return running.failures;
}

/* ---------------------------------------------------------------- explanations */

static void begin_note(const char *text) {
    put("# ");
    put(running.name);
    put(": ");
    put(text);
}

void test_note(const char *text) {
    begin_note(text);
    end_line();
}

void test_note_integer(const char *text, int64_t value) {
    begin_note(text);
    put(" ");
    put_integer(value);
    end_line();
}

void test_note_hash(const char *text, uint64_t hash) {
    begin_note(text);
    put(" ");
    put_unsigned(hash, 16);
    end_line();
}

void test_note_double(const char *text, double value) {
    begin_note(text);
    put(" ");
    put_double(value);
    end_line();
}

/* ---------------------------------------------------------------- chance */

static uint32_t length_of(const char *text) {
    uint32_t length = 0;
    while (text[length]) length++;
    return length;
}

qh_random test_random(void) {
    begin_note("--seed ");
    put_unsigned(seed, 10);
    end_line();
    return qh__random_seeded(seed, qh__hash_bytes(running.name, length_of(running.name), 0));
}

uint64_t test_seed(void) {
    return seed;
}

uint64_t test_rounds(uint64_t otherwise) {
    return rounds ? rounds : otherwise;
}

static double deviation(double count, double expected) {
    return (count - expected) * (count - expected) / expected;
}

double test_chi_square(const uint32_t *counts, const double *probabilities, uint32_t count) {
    double total = 0, sum = 0, rare = 0, rare_expected = 0;
    for (uint32_t i = 0; i < count; i++) total += counts[i];
    for (uint32_t i = 0; i < count; i++) {
        double expected = total * (probabilities ? probabilities[i] : 1.0 / count);
        if (expected == 0 && counts[i] > 0) return __builtin_inf();
        if (expected >= RARE) {
            sum += deviation(counts[i], expected);
        } else {
            rare += counts[i];
            rare_expected += expected;
        }
    }
    if (rare_expected >= RARE) return sum + deviation(rare, rare_expected);
    return rare <= 5 * RARE ? sum : __builtin_inf();
}

/* Laurent & Massart (Annals of Statistics 28, 2000), lemma 1: P(X > d + 2 sqrt(d t) + 2 t) <= e^-t. */
double test_chi_square_limit(uint32_t degrees) {
    const double t = 13.9;
    return degrees + 2 * qh__sqrt(degrees * t) + 2 * t;
}

/* ---------------------------------------------------------------- the runner */

#define SUITE_ADDRESS(suite) &suite##_suite,
static const test_suite *const suites[] = {TEST_SUITES(SUITE_ADDRESS)};

#define SUITE_COUNT (sizeof suites / sizeof suites[0])

static void put_name(const char *suite, const char *name) {
    put(suite);
    put(": ");
    put(name);
}

static bool contains(const char *text, const char *part) {
    for (; *text; text++) {
        uint32_t i = 0;
        while (part[i] && text[i] == part[i]) i++;
        if (!part[i]) return true;
    }
    return part[0] == 0;
}

static bool is_chosen(const char *suite, const char *name) {
    put_name(suite, name);
    line[line_length] = 0;
    line_length = 0;
    return contains(line, filter);
}

static uint32_t count_chosen(void) {
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < SUITE_COUNT; i++)
        for (uint32_t k = 0; k < suites[i]->count; k++)
            chosen += is_chosen(suites[i]->name, suites[i]->cases[k].name);
    return chosen;
}

static bool run_one(const test_suite *suite, const test_case *test, uint32_t number) {
    running.suite = suite->name;
    running.name = test->name;
    running.failures = 0;
    test->run();
    bool passed = running.failures == 0;
    put(passed ? "ok " : "not ok ");
    put_integer(number);
    put(" - ");
    put_name(suite->name, test->name);
    if (!passed) {
        put(" (");
        put_place(running.file, running.line);
        put(")");
    }
    end_line();
    return passed;
}

int qh_test_main(void) {
    uint32_t number = 0, chosen = count_chosen();
    int failed = 0;
    put("1..");
    put_integer(chosen);
    end_line();
    for (uint32_t i = 0; i < SUITE_COUNT; i++)
        for (uint32_t k = 0; k < suites[i]->count; k++)
            if (is_chosen(suites[i]->name, suites[i]->cases[k].name))
                failed += !run_one(suites[i], &suites[i]->cases[k], ++number);
    return failed;
}

void qh_test_seed(uint32_t low, uint32_t high) {
    seed = (uint64_t)high << 32 | low;
}

void qh_test_rounds(uint32_t low, uint32_t high) {
    rounds = (uint64_t)high << 32 | low;
}

char *qh_test_filter(void) {
    return filter;
}

#if !defined(__wasm__)
static void usage(const char *program) {
    fprintf(stderr, "usage: %s [--seed number] [--rounds number] [part of `suite: name`]\n",
            program);
    exit(2);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *end;
        bool seeds = strcmp(argv[i], "--seed") == 0;
        if ((seeds || strcmp(argv[i], "--rounds") == 0) && i + 1 < argc) {
            *(seeds ? &seed : &rounds) = strtoull(argv[++i], &end, 0);
            if (*end || end == argv[i]) usage(argv[0]);
        } else if (argv[i][0] == '-' || strlen(argv[i]) >= FILTER_BYTES) {
            usage(argv[0]);
        } else {
            memcpy(filter, argv[i], strlen(argv[i]) + 1);
        }
    }
    return qh_test_main() == 0 ? 0 : 1;
}
#endif
