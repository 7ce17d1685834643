/* What tests make their memory, agents and runtimes from. Sized for reading a test without looking here. */
#ifndef QH_TEST_FIXTURE_H
#define QH_TEST_FIXTURE_H

#include "test.h"

#include "base/bytes.h"
#include "base/maths.h"
#include "memory/arena.h"
#include "memory/guard.h"
#include "runtime/batch.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* How much a random test does: less under the sanitizers, which are ten times slower. */
#if QH_ASSERT_LEVEL >= 3
#define TEST_SHARE(rounds) ((rounds) / 5 + 1)
#else
#define TEST_SHARE(rounds) (rounds)
#endif

/* Where the memory of a test begins, and the pages it finds. In wasm every test uses the same memory from the end of the
 * static data on, which the tests before it have left dirty. */
#if defined(__wasm__)
extern unsigned char __heap_base;
#define TEST_HEAP_START ((size_t)&__heap_base)
QH_INLINE uint32_t test_pages(void) {
    return (uint32_t)__builtin_wasm_memory_size(0);
}
#else
#define TEST_HEAP_START ((size_t)0)
QH_INLINE uint32_t test_pages(void) {
    return 0;
}
#endif

#define TEST_MAX_PAGES 16384u

static const uint32_t TEST_NO_POOLS[QH_POOL_COUNT] = {0, 0, 0};
static const uint32_t TEST_POOLS[QH_POOL_COUNT] = {8, 16, 4};

/* Opens a memory; the first quarter MiB natively is made as dirty as it is in wasm. */
static inline qh_result test_memory_open(qh_memory *memory, const uint32_t pools[QH_POOL_COUNT],
                                         bool track) {
    *memory = (qh_memory){0};
    QH_TRY(qh_budget_open(&memory->budget, TEST_MAX_PAGES));
#if !defined(__wasm__)
    memset((void *)memory->budget.base, 0xA5, 262144);
#endif
    return qh_memory_open(memory, 0, TEST_HEAP_START, pools, track);
}

/* Places blocks as they lie in other builds. Before the first. */
static inline void test_without_red_zones(qh_memory *memory) {
    (void)memory;
#if QH_POISONED && !defined(QH_SMALL)
    memory->heap.red_zone = 0;
#endif
}

/* Lets a test look into what is nobody's, which the sanitizer would report. */
static inline void test_expose(qh_memory *memory) {
    QH_UNPOISON(qh__at(&memory->budget, 0), (size_t)memory->budget.pages * QH_PAGE_BYTES);
}

static inline void test_memory_close(qh_memory *memory) {
    qh_budget_close(&memory->budget);
}

/* Opens a runtime with small pools; NULL fails the test. */
static inline qh_runtime *test_runtime_open(uint64_t seed, bool track) {
    qh_runtime_def def = qh_runtime_def_default();
    def.seed = seed;
    def.track_allocations = track;
    for (uint32_t i = 0; i < QH_POOL_COUNT; i++) def.pools[i] = TEST_POOLS[i];
    qh_runtime *runtime = NULL;
    CHECK_OK(qh_runtime_open(&def, TEST_HEAP_START, &runtime));
    return runtime;
}

/* Makes an agent; NULL fails the test. */
static inline qh_agent *test_agent(qh_runtime *runtime, const qh_agent_def *def) {
    qh_handle handle = 0;
    CHECK_OK(qh_runtime_create_agent(runtime, def, &handle));
    return qh_runtime_agent(runtime, handle);
}

/* A definition of an index agent without chance: greedy, the first of equals. */
static inline qh_agent_def test_greedy(uint32_t actions, uint32_t states) {
    qh_agent_def def = qh_agent_def_default();
    def.actions = actions;
    def.encoder.kind = QH_ENCODER_INDEX;
    def.encoder.states = states;
    def.policy = QH_GREEDY;
    def.tie_break = QH_TIE_FIRST;
    return def;
}

static inline qh_schedule test_constant(double value) {
    return (qh_schedule){value, value, 1};
}

static inline qh_observation test_state(double state) {
    return (qh_observation){NULL, state};
}

static inline qh_observation test_values(const float *values) {
    return (qh_observation){values, 0};
}

static inline qh_experience test_outcome(double reward, qh_observation next, uint32_t ending) {
    return (qh_experience){next, reward, ending, 0};
}

/* The row of a state of an index agent, made if it is missing. */
static inline qh_row *test_row(qh_agent *agent, double state) {
    uint64_t key = 0;
    uint32_t location = QH_NO_ROW;
    CHECK_OK(qh_encoder_keys(&agent->encoder, NULL, state, &key));
    CHECK_OK(qh_table_reserve(&agent->table, 1));
    qh__agent_give_birth(agent, &key, &location);
    return qh__table_row(&agent->table, location);
}

/* What an observer of an agent can see of what it learned, and of its chance. */
static inline uint64_t test_agent_state(const qh_agent *agent) {
    uint64_t hash = qh_agent_hash(agent);
    hash = qh__hash_bytes(agent->random.state, sizeof agent->random.state, hash);
    hash = qh__hash_bytes(&agent->metrics, sizeof agent->metrics, hash);
    hash = qh__hash_bytes(&agent->rate.power, sizeof agent->rate.power, hash);
    hash = qh__hash_step(hash, (uint64_t)agent->last_action << 2 | (uint64_t)agent->running << 1 |
                                   (uint64_t)agent->ended);
    if (agent->running) hash = qh__hash_bytes(agent->keys, agent->tilings * sizeof(uint64_t), hash);
    if (agent->encoder.average)
        hash = qh__hash_bytes(agent->encoder.average, agent->encoder.plan->trends * sizeof(float),
                              hash);
    return qh__hash_step(hash, (uint64_t)agent->replay.count << 32 | agent->replay.next);
}

#endif
