/* The page budget: three distinct refusals that change nothing, growth in few steps, and its log. */
#include "fixture.h"

#define SPARE 64u /* pages a budget of these tests may grow by */

static qh_budget budget;

static qh_result open_with(uint32_t spare_pages) {
    return qh_budget_open(&budget, test_pages() + spare_pages);
}

/* Expects a refusal of `call` that leaves every field as it was. */
#define CHECK_REFUSED(call, result)                                                                \
    do {                                                                                           \
        qh_budget before_ = budget;                                                                \
        CHECK_RESULT(call, result);                                                                \
        CHECK_EQ(budget.pages, before_.pages);                                                     \
        CHECK_EQ(budget.growth_count, before_.growth_count);                                       \
        CHECK_EQ(memcmp(budget.growths, before_.growths, sizeof budget.growths), 0);               \
    } while (0)

static void opens_over_what_there_is(void) {
    REQUIRE_OK(open_with(SPARE));
    CHECK_EQ(budget.pages, test_pages());
    CHECK_EQ(budget.max_pages, test_pages() + SPARE);
    CHECK_EQ(budget.growth_count, 0);
    qh_budget_close(&budget);
#if defined(__wasm__)
    CHECK_RESULT(qh_budget_open(&budget, test_pages() - 1), QH_EXCEEDS_LIMIT);
#endif
    CHECK_RESULT(qh_budget_open(&budget, 0), QH_EXCEEDS_LIMIT);
}

static void sums_that_wrap_are_overflow(void) {
    REQUIRE_OK(open_with(SPARE));
    REQUIRE_OK(qh_budget_grow(&budget, 1));
    const size_t most = SIZE_MAX / QH_PAGE_BYTES;
    CHECK_REFUSED(qh_budget_grow(&budget, SIZE_MAX), QH_OVERFLOW);
    CHECK_REFUSED(qh_budget_grow(&budget, SIZE_MAX - budget.pages + 1), QH_OVERFLOW);
    CHECK_REFUSED(qh_budget_grow(&budget, SIZE_MAX - budget.pages), QH_OVERFLOW);
    CHECK_REFUSED(qh_budget_grow(&budget, most + 1 - budget.pages), QH_OVERFLOW);
    CHECK_REFUSED(qh_budget_reach(&budget, SIZE_MAX), QH_OVERFLOW);
    CHECK_REFUSED(qh_budget_grow(&budget, most - budget.pages), QH_EXCEEDS_LIMIT);
    CHECK_REFUSED(qh_budget_reach(&budget, SIZE_MAX - QH_PAGE_BYTES + 1), QH_EXCEEDS_LIMIT);
    qh_budget_close(&budget);
}

static void growth_past_the_budget_exceeds_the_limit(void) {
    REQUIRE_OK(open_with(SPARE));
    CHECK_REFUSED(qh_budget_grow(&budget, SPARE + 1), QH_EXCEEDS_LIMIT);
    CHECK_REFUSED(qh_budget_reach(&budget, (size_t)budget.max_pages * QH_PAGE_BYTES + 1),
                  QH_EXCEEDS_LIMIT);
    CHECK_OK(qh_budget_grow(&budget, SPARE));
    CHECK_EQ(budget.pages, budget.max_pages);
    CHECK_REFUSED(qh_budget_grow(&budget, 1), QH_EXCEEDS_LIMIT);
    CHECK_OK(qh_budget_reach(&budget, (size_t)budget.max_pages * QH_PAGE_BYTES));
    CHECK_EQ(budget.growth_count, 1);
    qh_budget_close(&budget);
}

static void an_engine_that_refuses_is_growth_failed(void) {
    REQUIRE_OK(open_with(SPARE));
    budget.refuse_growth = true;
    CHECK_REFUSED(qh_budget_grow(&budget, 1), QH_GROWTH_FAILED);
    CHECK_REFUSED(qh_budget_reach(&budget, (size_t)budget.pages * QH_PAGE_BYTES + 1),
                  QH_GROWTH_FAILED);
    budget.refuse_growth = false;
    CHECK_OK(qh_budget_grow(&budget, 1));
    qh_budget_close(&budget);
#if defined(__wasm__)
    /* The memory's own maximum lies below this budget: the engine itself says no. */
    REQUIRE_OK(qh_budget_open(&budget, 65535));
    CHECK_REFUSED(qh_budget_grow(&budget, 60000 - budget.pages), QH_GROWTH_FAILED);
    qh_budget_close(&budget);
#endif
}

/* What is asked for, and at least 1/QH_GROWTH_SHARE of what is there; less only at the end. */
static void growth_comes_in_few_steps(void) {
    REQUIRE_OK(open_with(SPARE));
    uint32_t first = budget.pages, share = QH_MAX(first / QH_GROWTH_SHARE, 1u);
    CHECK_OK(qh_budget_grow(&budget, 1));
    CHECK_EQ(budget.pages, first + share);
    CHECK_EQ(budget.growths[0].from_pages, first);
    CHECK_EQ(budget.growths[0].to_pages, budget.pages);
    CHECK_OK(qh_budget_grow(&budget, share + 5));
    CHECK_EQ(budget.pages, first + 2 * share + 5);
    CHECK_OK(qh_budget_grow(&budget, budget.max_pages - budget.pages));
    CHECK_EQ(budget.pages, budget.max_pages);
    qh_budget_close(&budget);
#if !defined(__wasm__)
    REQUIRE_OK(qh_budget_open(&budget, 50000));
    while (budget.pages < budget.max_pages && budget.growth_count < 4000) {
        uint32_t before = budget.pages, step = QH_MAX(before / QH_GROWTH_SHARE, 1u);
        REQUIRE_OK(qh_budget_grow(&budget, 1));
        CHECK_EQ(budget.pages - before, QH_MIN(step, budget.max_pages - before));
    }
    CHECK_EQ(budget.pages, budget.max_pages);
    CHECK(budget.growth_count < 2000);
    qh_budget_close(&budget);
#endif
}

static void fresh_pages_are_usable_and_zero(void) {
    REQUIRE_OK(open_with(SPARE));
    size_t start = (size_t)budget.pages * QH_PAGE_BYTES;
    REQUIRE_OK(qh_budget_reach(&budget, start + 5 * QH_PAGE_BYTES + 1));
    CHECK(budget.pages * QH_PAGE_BYTES >= start + 6 * QH_PAGE_BYTES);
    unsigned char *bytes = qh__at(&budget, start);
    for (size_t i = 0; i < 6 * QH_PAGE_BYTES; i += 61) CHECK_EQ(bytes[i], 0);
    bytes[0] = bytes[6 * QH_PAGE_BYTES - 1] = 7;
    CHECK_EQ(bytes[0] + bytes[6 * QH_PAGE_BYTES - 1], 14);
    CHECK_EQ(qh__offset_of(&budget, bytes), start);
    qh_budget_close(&budget);
}

static void reaching_what_is_there_grows_nothing(void) {
    REQUIRE_OK(open_with(SPARE));
    REQUIRE_OK(qh_budget_grow(&budget, 2));
    size_t usable = (size_t)budget.pages * QH_PAGE_BYTES;
    uint32_t growths = budget.growth_count;
    CHECK_OK(qh_budget_reach(&budget, 0));
    CHECK_OK(qh_budget_reach(&budget, usable - 1));
    CHECK_OK(qh_budget_reach(&budget, usable));
    CHECK_EQ(budget.growth_count, growths);
    CHECK_OK(qh_budget_reach(&budget, usable + 1));
    CHECK_EQ(budget.growth_count, growths + 1);
    qh_budget_close(&budget);
}

/* Each entry begins where the one before it ended; growths beyond the log extend its last entry. */
static void the_log_is_a_chain(void) {
#if defined(__wasm__)
    const uint32_t growths = 3; /* real memory, and it never shrinks */
#else
    const uint32_t growths = 60;
#endif
    REQUIRE_OK(qh_budget_open(&budget, growths > 3 ? 300000 : 2 * test_pages() + SPARE));
    uint32_t first = budget.pages;
    for (uint32_t i = 0; i < growths; i++) REQUIRE_OK(qh_budget_grow(&budget, 1));
    CHECK_EQ(budget.growth_count, growths);
    uint32_t logged = QH_MIN(growths, (uint32_t)QH_GROWTH_LOG);
    CHECK_EQ(budget.growths[0].from_pages, first);
    for (uint32_t i = 0; i < logged; i++) {
        CHECK(budget.growths[i].from_pages < budget.growths[i].to_pages);
        if (i > 0) CHECK_EQ(budget.growths[i].from_pages, budget.growths[i - 1].to_pages);
    }
    CHECK_EQ(budget.growths[logged - 1].to_pages, budget.pages);
    qh_budget_close(&budget);
}

/* In wasm pages that the host added are counted; natively closing gives the mapping back. */
#if defined(__wasm__)
static void the_budget_and_its_host_agree(void) {
    REQUIRE_OK(open_with(SPARE));
    uint32_t before = budget.pages;
    REQUIRE(__builtin_wasm_memory_grow(0, 3) != SIZE_MAX);
    CHECK_OK(qh_budget_grow(&budget, 1));
    CHECK(budget.pages >= before + 4);
    CHECK_EQ(budget.pages, test_pages());
    qh_budget_close(&budget);
}
#else
static void the_budget_and_its_host_agree(void) {
    for (int i = 0; i < 2000; i++) { /* 32 TiB of address space if it did not */
        REQUIRE_OK(qh_budget_open(&budget, 262144));
        qh_budget_close(&budget);
        CHECK(budget.base == 0 && budget.pages == 0);
    }
}
#endif

TEST_SUITE(memory_budget, {"a budget opens over the pages there are", opens_over_what_there_is},
           {"a sum that wraps is OVERFLOW", sums_that_wrap_are_overflow},
           {"growth past the budget is EXCEEDS_LIMIT", growth_past_the_budget_exceeds_the_limit},
           {"an engine that refuses is GROWTH_FAILED", an_engine_that_refuses_is_growth_failed},
           {"growth comes in few steps", growth_comes_in_few_steps},
           {"fresh pages are usable and zero", fresh_pages_are_usable_and_zero},
           {"reaching what is there grows nothing", reaching_what_is_there_grows_nothing},
           {"the log of growths is a chain", the_log_is_a_chain},
           {"the budget and its host agree", the_budget_and_its_host_agree});
