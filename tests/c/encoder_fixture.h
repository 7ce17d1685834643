/* One encoder at a time, in a memory of its own. */
#ifndef QH_TEST_ENCODER_FIXTURE_H
#define QH_TEST_ENCODER_FIXTURE_H

#include "fixture.h"

#include "learn/encoder.h"

static qh_memory encoder_memory;
static qh_plans encoder_plans;
static qh_owner encoder_owner;
static qh_encoder encoder;

static inline void open_encoder_memory(uint64_t seed) {
    CHECK_OK(test_memory_open(&encoder_memory, TEST_NO_POOLS, false));
    qh_plans_open(&encoder_plans, &encoder_memory, seed);
    qh_owner_open(&encoder_memory.heap, &encoder_owner, 0x10001, QH_OWNER_agent, SIZE_MAX / 2);
}

static inline void open_encoder(const qh_encoder_def *def) {
    CHECK_OK(qh_plan_check(def));
    CHECK_OK(qh_encoder_open(&encoder, def, &encoder_plans, &encoder_owner));
}

static inline void close_encoder(void) {
    qh_encoder_close(&encoder, &encoder_plans, &encoder_owner);
}

/* Also checks that everything was given back. */
static inline void close_encoder_memory(void) {
    CHECK_EQ(encoder_memory.heap.live_bytes, 0);
    CHECK_EQ(encoder_owner.live_bytes, 0);
    CHECK(qh_plans_validate(&encoder_plans, 0) && qh_heap_validate(&encoder_memory.heap));
    test_memory_close(&encoder_memory);
}

static inline qh_encoder_def bins_of(const qh_dim *dims, uint32_t count) {
    return (qh_encoder_def){.kind = QH_ENCODER_BINS, .dims = dims, .dim_count = count};
}

#endif
