/* What the tests of both heaps share: a heap with four owners, blocks that know what is written in them, and damage to be found. */
#ifndef QH_TESTS_HEAP_FIXTURE_H
#define QH_TESTS_HEAP_FIXTURE_H

#include "fixture.h"

static qh_memory memory;
static qh_owner owners[4];

static inline qh_heap *open_heap(bool track) {
    if (test_memory_open(&memory, TEST_NO_POOLS, track) != QH_OK) TEST_FAIL("no memory");
    for (uint32_t i = 0; i < COUNT_OF(owners); i++)
        qh_owner_open(&memory.heap, &owners[i], 0x10000u + i, QH_OWNER_agent, SIZE_MAX / 2);
    return &memory.heap;
}

/* An owner whose blocks come from everywhere, as after its first free. */
static inline void be_ordinary(qh_heap *heap, qh_owner *owner) {
    void *block;
    CHECK_OK(qh_heap_alloc(heap, owner, 16, QH_BLOCK_table, &block));
    qh_heap_free(heap, owner, block, 16);
#if !defined(QH_SMALL)
    CHECK_EQ(owner->nest, 0);
#endif
}

/* ---------------------------------------------------------------- what is written in a block */

static inline void fill(unsigned char *bytes, size_t count, uint32_t salt) {
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)(i * 31 + salt);
}

static inline bool is_filled(const unsigned char *bytes, size_t count, uint32_t salt) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (unsigned char)(i * 31 + salt)) return false;
    return true;
}

typedef struct shadow {
    unsigned char *block;
    size_t byte_count;
    uint32_t owner, salt;
} shadow;

/* Both ends of a block: overlap with another one destroys an end. */
static inline void paint(const shadow *s) {
    size_t edge = QH_MIN(s->byte_count, (size_t)96);
    fill(s->block, edge, s->salt);
    fill(s->block + s->byte_count - edge, edge, s->salt + 1);
    fill(s->block, QH_MIN(edge, s->byte_count - edge), s->salt);
}

static inline bool is_painted(const shadow *s) {
    size_t edge = QH_MIN(s->byte_count, (size_t)96);
    return is_filled(s->block + s->byte_count - edge, edge, s->salt + 1) &&
           is_filled(s->block, QH_MIN(edge, s->byte_count - edge), s->salt);
}

static inline size_t draw_size(qh_random *random) {
    uint32_t log = qh__random_below(random, 15);
    return 1 + (qh__random_next(random) & ((2u << log) - 1));
}

/* Breaks one thing, expects the validator to see it, repairs it, expects it to be content. */
#define CHECK_DETECTED(damage, repair)                                                             \
    do {                                                                                           \
        damage;                                                                                    \
        CHECK(!qh_heap_validate(heap));                                                            \
        repair;                                                                                    \
        CHECK(qh_heap_validate(heap));                                                             \
    } while (0)

#endif
