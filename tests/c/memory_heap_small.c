/* The insides of the small build's heap: its classes, and that its validator sees damage. */
#include "heap_fixture.h"

#if defined(QH_SMALL)

static void classes_waste_little(void) {
    qh_random random = test_random();
    size_t last = 0;
    for (size_t bytes = 1; bytes <= 20000; bytes++) {
        size_t charge = qh_heap_charge(bytes);
        CHECK(charge >= bytes && charge % QH_HEAP_ALIGNMENT == 0 && charge >= last);
        CHECK(bytes <= 128 ? charge - bytes < 16 : charge * 8 <= (bytes - 1) * 9 + 128);
        CHECK_EQ(qh_heap_charge(charge), charge);
        last = charge;
    }
    for (uint32_t i = 0; i < 20000; i++) {
        size_t bytes = (qh__random_next(&random) >> 2 >> qh__random_below(&random, 20)) + 129;
        size_t charge = qh_heap_charge(bytes);
        CHECK(charge >= bytes && (double)charge <= (double)bytes * 1.125 + 16);
        CHECK_EQ(qh_heap_charge(charge), charge);
    }
    CHECK_EQ(qh_heap_charge(0x40000000), 0x40000000);
    CHECK(qh_heap_charge(SIZE_MAX) >= SIZE_MAX / 2);
}

static void powers_of_two_are_charged_exactly(void) {
    for (size_t bytes = 16; bytes <= 0x40000000; bytes *= 2) CHECK_EQ(qh_heap_charge(bytes), bytes);
}

static void broken_books_are_detected(void) {
    qh_heap *heap = open_heap(false);
    void *blocks[6];
    for (int i = 0; i < 6; i++)
        REQUIRE_OK(qh_heap_alloc(heap, &owners[0], 200, QH_BLOCK_table, &blocks[i]));
    for (int i = 0; i < 4; i++) qh_heap_free(heap, &owners[0], blocks[i], 200);
    uint32_t used = 0;
    while (!heap->free_lists[used]) used++;
    qh_free_block *head = heap->free_lists[used], *second = head->next;
    REQUIRE(qh_heap_validate(heap) && second);
    CHECK_DETECTED(heap->live_bytes += 16, heap->live_bytes -= 16);
    CHECK_DETECTED(heap->padding += 16, heap->padding -= 16);
    CHECK_DETECTED(heap->bump += 16, heap->bump -= 16);
    CHECK_DETECTED(heap->free_lists[used] = second, heap->free_lists[used] = head);
    CHECK_DETECTED(heap->free_lists[used + 1] = head, heap->free_lists[used + 1] = NULL);
    CHECK_DETECTED(second->next = head, second->next = blocks[1]);
    CHECK_DETECTED(head->next = qh__at(&memory.budget, heap->bump), head->next = second);
    CHECK_DETECTED(heap->free_lists[used] = (void *)((char *)blocks[0] + 8),
                   heap->free_lists[used] = head);
    test_memory_close(&memory);
}

TEST_SUITE(memory_heap_small, {"classes waste at most an eighth", classes_waste_little},
           {"powers of two are charged exactly", powers_of_two_are_charged_exactly},
           {"broken books are detected", broken_books_are_detected});

#endif
