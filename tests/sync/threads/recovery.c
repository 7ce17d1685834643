/* What recovery makes of deaths that no single operation shows: two at once, each with a lock that the other's recovery needs; a search in
 * an index that others go on searching; a place that is being recovered already. The threads are played by one, which says each time who
 * it is. Prints a line for each thing that is wrong; exits with how many. */
#include <stdio.h>

#include "base/bytes.h"
#include "runtime/claims.h"
#include "wasm/io.h"

#define PLACES 8u
#define ROWS 100u
#define DIMS 8u

static uint32_t wrong, blocks;

static void expect(bool holds, const char *what) {
    if (holds) return;
    wrong++;
    printf("not ok %s\n", what);
}

static void be(uint32_t place) {
    qh__thread_self = place;
    qh__ranks_held = 0;
}

static void begin(uint32_t place, bool may_sleep) {
    qh__threads()->places[place].state = QH_PLACE_TAKEN;
    be(place);
    expect(qh_thread_begin(place, may_sleep) == QH_OK, "a thread begins");
}

static uint32_t number_of(uint32_t place) {
    return qh__threads()->places[place].terms * QH_MAX_THREADS + place + 1;
}

static void recover(uint32_t place) {
    be(0);
    expect(qh_recover(number_of(place)) == QH_OK, "a thread is recovered");
    blocks += (uint32_t)qh__io.numbers[5];
    expect(qh__threads()->places[place].state == QH_PLACE_FREE, "its place is free");
    expect(qh_validate() == 1, "all is sound");
}

/* ---------------------------------------------------------------- handles */

static void test_notes_about_nothing(void) {
    for (uint32_t handle = 1; handle < 2 * QH_MAX_THREADS; handle++) {
        expect(qh_note_set(handle, 1, 0) == QH_STALE_HANDLE, "no note about nothing");
        expect(qh_note_get(handle, 1) == QH_STALE_HANDLE, "nor one to read");
    }
}

static uint32_t make_agent(void) {
    qh__io.def = qh_agent_def_default();
    qh__io.def.actions = 2;
    qh__io.def.encoder.states = 4;
    int32_t handle = qh_agent_create(0, 0);
    expect(handle > 0 && qh_agent_release((uint32_t)handle) == QH_OK, "an agent");
    return (uint32_t)handle;
}

static bool names_agent(const void *opened, qh_handle agent) {
    return qh__is_named(opened, agent, QH_SLOT_AGENT);
}

/* The receiver goes after it was looked up, and another has its slot, and mail, by the time the message is sent. */
static void test_receiver_that_went(void) {
    be(0);
    uint32_t from = make_agent(), gone = make_agent();
    expect(qh_agent_destroy(gone) == QH_OK, "destroyed");
    uint32_t heir = make_agent();
    expect((heir & 0xFFFF) == (gone & 0xFFFF) && heir != gone, "it has the same slot");
    expect(qh_message_send(from, heir, 0, 0, 3) == QH_OK, "its first message");
    qh_message_def late = {from, &gone, 1, "late", 4, names_agent, qh__instance()};
    expect(qh_messages_send(&qh__instance()->messages, &late) == QH_STALE_HANDLE, "too late");
    expect(qh_message_next(heir) == 3, "what was there is there");
    /* Had it arrived: */
    late.lives = NULL;
    expect(qh_messages_send(&qh__instance()->messages, &late) == QH_OK, "it arrives");
    expect(qh_message_send(from, heir, 0, 0, 5) == QH_OK, "another message");
    expect(qh__instance()->messages.length == 1 && qh_validate() == 1, "the late one is dropped");
    expect(qh_message_next(heir) == 5, "and is not read");
    expect(qh_agent_destroy(from) == QH_OK && qh_agent_destroy(heir) == QH_OK, "destroyed");
}

/* ---------------------------------------------------------------- deaths */

static void test_two_dead(void) {
    qh_runtime *runtime = qh__instance();
    begin(2, true);
    expect(qh__room_enter(&runtime->registry.lock, QH_LOCK_REGISTRY) == QH_OK, "the registry");
    begin(3, true);
    expect(qh__memory_enter(&runtime->memory.heap, NULL, NULL) == QH_OK, "the memory");
    begin(4, true);
    expect(qh__room_enter(&runtime->messages.lock, QH_LOCK_MESSAGES) == QH_OK, "the messages");
    be(0);
    expect(qh_recover(number_of(2)) == QH_BUSY, "the memory is held by another who died");
    expect(qh_recover(number_of(3)) == QH_BUSY, "the registry is held by another who died");
    expect(qh__threads()->places[2].state == QH_PLACE_LIVE, "not recovered yet");
    expect(qh_recover(number_of(2)) == QH_OK && qh_recover(number_of(3)) == QH_OK,
           "again, in any order");
    recover(4);
}

static void test_one_at_a_time(void) {
    begin(2, true);
    be(0);
    qh__threads()->places[2].state = QH_PLACE_RECOVERING;
    expect(qh_recover(number_of(2)) == QH_BUSY, "somebody does that already");
    qh__threads()->places[2].state = QH_PLACE_LIVE;
    recover(2);
    expect(qh_recover(number_of(2)) == QH_OK && qh__io.numbers[0] == 0, "nobody is there");
    expect(qh_recover(number_of(0)) == QH_INVALID_ARGUMENT, "oneself");
    expect(qh_recover(0) == QH_INVALID_ARGUMENT && qh_recover(UINT32_MAX) == QH_INVALID_ARGUMENT,
           "no numbers");
    uint32_t dead = number_of(2);
    begin(2, true);
    recover(2);
    begin(2, true);
    uint32_t agent = make_agent();
    expect(qh_agent_claim(agent) == 1 && qh_agent_owner(agent) == (int32_t)number_of(2),
           "who came after has the place, and a number of its own");
    be(0);
    expect(number_of(2) != dead && qh_recover(dead) == QH_OK && qh__io.numbers[0] == 0,
           "who is dead is dead once");
    expect(qh_agent_owner(agent) == (int32_t)number_of(2), "who came after lives on");
    recover(2);
    expect(qh_agent_destroy(agent) == QH_OK, "destroyed");
}

/* ---------------------------------------------------------------- searches */

static uint32_t make_index(void) {
    int32_t handle = qh_index_create(DIMS, 0, 8, 40, 0, 1, 2, 1);
    expect(handle > 0 && qh_index_room((uint32_t)handle, ROWS) == QH_OK, "room for rows");
    qh_index *index = qh__claimed(qh__instance(), (qh_handle)handle);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t d = 0; d < DIMS; d++)
            index->rows.vectors[i * index->stride + d] = (float)((i * 37 + d * 11) % 97);
        index->rows.labels[i] = i;
    }
    expect(qh_index_add((uint32_t)handle, ROWS) == QH_OK, "rows");
    expect(qh_index_insert((uint32_t)handle, ROWS) == (int32_t)ROWS, "a graph");
    expect(qh_index_end((uint32_t)handle) == QH_OK, "frozen");
    return (uint32_t)handle;
}

static void search(uint32_t handle, uint32_t place) {
    be(place);
    expect(qh_index_exchange_open(handle, 1, 5, 1) == QH_OK, "an exchange");
    qh_index *index = qh__claimed(qh__instance(), handle);
    memset(index->desks[place].exchange.queries, 0, DIMS * sizeof(float));
    expect(qh_index_search(handle, 1, 5, 0, 0, 0, -1) == 5, "found");
}

/* Its bit stays, and what lies on its desk is half written. */
static void die_searching(qh_index *index, uint32_t handle, uint32_t place) {
    static qh_claim left;
    be(place);
    expect(qh__claim_to_read(qh__instance(), handle, QH_SLOT_INDEX, &left) == QH_OK, "reads");
    index->desks[place].work.block = (void *)(uintptr_t)64;
    index->desks[place].exchange.queries = NULL;
}

static void test_death_of_a_search(void) {
    qh_runtime *runtime = qh__instance();
    be(0);
    size_t before = runtime->memory.heap.live_bytes;
    uint32_t handle = make_index();
    qh_index *index = qh__claimed(runtime, handle);
    begin(2, true);
    begin(3, true);
    search(handle, 3);
    search(handle, 2);
    be(3);
    int32_t filter = qh_index_filter(handle);
    expect(filter > 0, "a filter");
    size_t bytes = index->desks[2].work.byte_count + index->desks[2].exchange.byte_count;
    size_t live = runtime->memory.heap.live_bytes;
    die_searching(index, handle, 2);
    recover(2);
    expect(live - runtime->memory.heap.live_bytes >= bytes, "what lay on its desk is given back");
    expect(!index->strays && index->desks[2].work.block == NULL, "its desk is empty");
    begin(2, true);
    search(handle, 2);
    /* While another reads. */
    QH_CLAIM(reading);
    be(3);
    expect(qh__claim_to_read(runtime, handle, QH_SLOT_INDEX, &reading) == QH_OK, "reads on");
    die_searching(index, handle, 2);
    be(0);
    expect(qh_recover(number_of(2)) == QH_OK, "recovered");
    expect(index->strays == 1, "its blocks are not looked for while another may be taking some");
    be(3);
    qh__claim_end(&reading);
    reading.slot = NULL;
    search(handle, 3);
    be(0);
    expect(qh_validate() == 1, "all is sound");
    expect(qh_index_destroy((uint32_t)filter) == QH_OK && qh_index_destroy(handle) == QH_OK,
           "destroyed");
    expect(runtime->memory.heap.live_bytes == before, "nothing is left");
}

/* A thread that may not sleep gives its exchange back while another has the memory. */
static void test_exchange_that_stays(void) {
    qh_runtime *runtime = qh__instance();
    be(0);
    size_t before = runtime->memory.heap.live_bytes;
    uint32_t handle = make_index();
    qh_index *index = qh__claimed(runtime, handle);
    begin(2, false);
    begin(3, true);
    search(handle, 2);
    be(3);
    uint64_t books = index->owner.books;
    expect(qh__memory_enter(&runtime->memory.heap, NULL, NULL) == QH_OK, "the memory");
    be(2);
    expect(qh_index_exchange_open(handle, 0, 0, 0) == QH_OK, "given back");
    expect(index->owner.books == books && index->strays == 1, "later; the books are as they were");
    qh__thread_self = 3;
    qh__ranks_held = 1u << QH_LOCK_COUNT;
    qh__memory_leave(&runtime->memory.heap);
    be(2);
    expect(qh_validate() == 1 && qh_index_destroy(handle) == QH_OK, "destroyed");
    expect(runtime->memory.heap.live_bytes == before, "nothing is left");
    recover(2);
    recover(3);
}

int main(void) {
    if (qh_open(8192, 0, 5, 7, 50, 50, 20, 0, PLACES, 1) != QH_OK) return 1;
    test_notes_about_nothing();
    test_receiver_that_went();
    test_two_dead();
    test_one_at_a_time();
    test_death_of_a_search();
    test_exchange_that_stays();
    printf("recovered, %u blocks given back\n", blocks);
    return (int)wrong;
}
