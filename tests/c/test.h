/* The harness of the C unit tests: named tests, checks, and seeds that replay.
 *
 * Each file of this folder but the harness is one suite: functions of no arguments, listed with a sentence each in
 * TEST_SUITE. The same files run natively (target qhive_tests) and inside WebAssembly (qhive_tests_wasm), so they use no libc:
 * the core, this header and fixture.h are all there is. Memory of a test is static or of a fixture.
 *
 * Output is TAP: `1..N`, then `ok n - suite: name` or `not ok n - suite: name (file:line)` with the place of the first
 * failed check; lines that begin with # explain. A CHECK that fails lets the test go on, a REQUIRE ends it.
 *
 * A test that draws random numbers gets its generator from `test_random`, which prints the seed. The same seed and the name of
 * the test replay it:
 *
 *   qhive_tests --seed 7 "table: model"        node tests/c/run-wasm.mjs qhive_tests.wasm --seed 7 "table: model" */
#ifndef QH_TEST_H
#define QH_TEST_H

#include "base/bits.h"
#include "base/random.h"

/* Each heap has its own suite. */
#if defined(QH_SMALL)
#define TEST_HEAP_SUITES(X) X(memory_heap) X(memory_heap_small)
#else
#define TEST_HEAP_SUITES(X) X(memory_heap) X(memory_heap_layers)
#endif

/* X(suite): every suite, in the order they run. */
#define TEST_SUITES(X)                                                                             \
    X(harness_self)                                                                                \
    X(base_bytes)                                                                                  \
    X(base_maths)                                                                                  \
    X(base_random)                                                                                 \
    X(memory_budget)                                                                               \
    TEST_HEAP_SUITES(X)                                                                            \
    X(memory_pool)                                                                                 \
    X(memory_record)                                                                               \
    X(memory_detector)                                                                             \
    X(memory_arena)                                                                                \
    X(memory_shared)                                                                               \
    X(memory_guard)                                                                                \
    X(shared_zones)                                                                                \
    X(shared_index)                                                                                \
    X(learn_encoder)                                                                               \
    X(learn_encoder_keys)                                                                          \
    X(learn_table)                                                                                 \
    X(learn_policy)                                                                                \
    X(learn_rules)                                                                                 \
    X(learn_episodes)                                                                              \
    X(learn_replay)                                                                                \
    X(learn_agent)                                                                                 \
    X(learn_transfer)                                                                              \
    X(shared_text)                                                                                 \
    X(shared_federation)                                                                           \
    X(shared_messages)                                                                             \
    X(shared_metrics)                                                                              \
    X(shared_knowledge)                                                                            \
    X(runtime_agents)                                                                              \
    X(runtime_batch)                                                                               \
    X(runtime_faults)                                                                              \
    X(runtime_soak)                                                                                \
    X(wasm_exports)

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

typedef struct test_suite {
    const char *name;
    const test_case *cases;
    uint32_t count;
} test_suite;

#define TEST_SUITE_DECLARE(suite) extern const test_suite suite##_suite;
TEST_SUITES(TEST_SUITE_DECLARE)
#undef TEST_SUITE_DECLARE

/* TEST_SUITE(suite, {"what holds", function}, ...); once, at the end of a suite's file. */
#define TEST_SUITE(suite, ...)                                                                     \
    static const test_case suite##_cases[] = {__VA_ARGS__};                                        \
    const test_suite suite##_suite = {#suite, suite##_cases,                                       \
                                      sizeof suite##_cases / sizeof suite##_cases[0]}

/* ---- checks */

#define TEST_FAIL(text) test__fail(__FILE__, __LINE__, text)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (QH_UNLIKELY(!(condition))) TEST_FAIL(#condition);                                      \
    } while (0)

/* Integers, of any width and sign. */
#define CHECK_EQ(actual, expected)                                                                 \
    do {                                                                                           \
        int64_t actual_ = (int64_t)(actual), expected_ = (int64_t)(expected);                      \
        if (QH_UNLIKELY(actual_ != expected_))                                                     \
            test__fail_integers(__FILE__, __LINE__, #actual, actual_, expected_);                  \
    } while (0)

/* Floating point, to the bit (but any NaN equals any NaN). */
#define CHECK_SAME(actual, expected)                                                               \
    do {                                                                                           \
        double actual_ = (double)(actual), expected_ = (double)(expected);                         \
        if (QH_UNLIKELY(!test_same(actual_, expected_)))                                           \
            test__fail_doubles(__FILE__, __LINE__, #actual, actual_, expected_);                   \
    } while (0)

#define CHECK_NEAR(actual, expected, tolerance)                                                    \
    do {                                                                                           \
        double actual_ = (double)(actual), expected_ = (double)(expected);                         \
        if (QH_UNLIKELY(!(__builtin_fabs(actual_ - expected_) <= (double)(tolerance))))            \
            test__fail_doubles(__FILE__, __LINE__, #actual, actual_, expected_);                   \
    } while (0)

/* A qh_result. */
#define CHECK_RESULT(actual, expected)                                                             \
    do {                                                                                           \
        int result_ = (int)(actual);                                                               \
        if (QH_UNLIKELY(result_ != (int)(expected)))                                               \
            test__fail_results(__FILE__, __LINE__, #actual, result_, (int)(expected));             \
    } while (0)

#define CHECK_OK(actual) CHECK_RESULT(actual, QH_OK)

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (QH_UNLIKELY(!(condition))) {                                                           \
            TEST_FAIL(#condition);                                                                 \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define REQUIRE_OK(actual)                                                                         \
    do {                                                                                           \
        int required_ = (int)(actual);                                                             \
        if (QH_UNLIKELY(required_ != QH_OK)) {                                                     \
            test__fail_results(__FILE__, __LINE__, #actual, required_, QH_OK);                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

void test__fail(const char *file, int line, const char *text);
void test__fail_integers(const char *file, int line, const char *text, int64_t actual,
                         int64_t expected);
void test__fail_doubles(const char *file, int line, const char *text, double actual,
                        double expected);
void test__fail_results(const char *file, int line, const char *text, int actual, int expected);

bool test_same(double a, double b);

/* Checks failed so far in the test that runs. */
uint32_t test_failures(void);

/* ---- explanations: one line that begins with # */

void test_note(const char *text);
void test_note_integer(const char *text, int64_t value);
void test_note_hash(const char *text, uint64_t hash);
void test_note_double(const char *text, double value);

/* ---- chance */

/* The generator of the test that runs; prints its seed. */
qh_random test_random(void);

uint64_t test_seed(void);

/* How many operations a soak does: `otherwise`, unless the runner was told (--rounds). */
uint64_t test_rounds(uint64_t otherwise);

/* Chi-square of counts against probabilities (NULL: equal ones). What is expected fewer than 5 times is pooled: chi-square knows
 * nothing of rare events. */
double test_chi_square(const uint32_t *counts, const double *probabilities, uint32_t count);

/* What chi-square with so many degrees of freedom exceeds less than once in a million draws. */
double test_chi_square_limit(uint32_t degrees);

/* ---- the runner */

/* Runs every test whose `suite: name` contains the filter; the number of those that failed. Wasm: called by run-wasm.mjs. */
int qh_test_main(void);

/* Sets the seed of all generators; its default is 1. */
void qh_test_seed(uint32_t low, uint32_t high);

/* Sets what `test_rounds` answers; 0: what the test likes. */
void qh_test_rounds(uint32_t low, uint32_t high);

/* The filter: 256 bytes, ended by 0, for the caller to write. Empty: every test. */
char *qh_test_filter(void);

#endif
