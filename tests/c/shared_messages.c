/* The message queue: first in, first out for each inbox, refusal without loss, a place for whoever has nothing waiting, and nothing
 * left over when agents go. */
#include "fixture.h"

#define AGENTS 6u

static qh_runtime *runtime;
static qh_messages *messages;
static qh_handle agents[AGENTS];

static void open_queue(uint32_t capacity) {
    runtime = test_runtime_open(1, true);
    messages = &runtime->messages;
    messages->capacity = capacity;
    qh_agent_def def = test_greedy(2, 4);
    for (uint32_t i = 0; i < AGENTS; i++)
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &agents[i]));
}

static qh_result send(uint32_t from, uint32_t to, uint32_t number) {
    qh_message_def def = {agents[from], &agents[to], 1, &number, sizeof number};
    return qh_messages_send(messages, &def);
}

/* The number sent first of those that wait, UINT32_MAX where none does; `from` receives the sender's handle. */
static uint32_t receive(uint32_t agent, qh_handle *from) {
    const qh_message *message;
    uint32_t number = UINT32_MAX;
    CHECK_OK(qh_messages_peek(messages, agents[agent], &message));
    if (!message) {
        CHECK_RESULT(qh_messages_take(messages, agents[agent]), QH_INVALID_STATE);
        return number;
    }
    CHECK_EQ(message->byte_count, sizeof number);
    memcpy(&number, message->payload, sizeof number);
    *from = message->from;
    CHECK_OK(qh_messages_take(messages, agents[agent]));
    return number;
}

static void an_inbox_is_first_in_first_out(void) {
    qh_handle from = 0;
    open_queue(100);
    for (uint32_t i = 0; i < 60; i++) CHECK_OK(send(i % 3, 3 + i % 2, i));
    CHECK_EQ(messages->length, 60);
    for (uint32_t i = 0; i < 60; i++) {
        CHECK_EQ(receive(3 + i % 2, &from), i);
        CHECK_EQ(from, agents[i % 3]);
        CHECK(qh_runtime_validate(runtime));
    }
    CHECK_EQ(receive(3, &from), UINT32_MAX);
    CHECK_EQ(messages->length, 0);
    CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[QH_POOL_MESSAGE]), 0);
    CHECK(runtime->memory.pools[QH_POOL_MESSAGE].fallbacks > 0); /* the pool has 4 blocks */
    qh_runtime_close(runtime);
}

static void a_full_queue_refuses_and_loses_nothing(void) {
    qh_handle from;
    open_queue(10);
    for (uint32_t i = 0; i < 10; i++) CHECK_OK(send(0, 1, i));
    for (uint32_t i = 0; i < 5; i++) CHECK_RESULT(send(0, 1 + i, 99), QH_INVALID_STATE);
    CHECK_EQ(messages->length, 10);
    CHECK(messages->refused == 5 && messages->sent == 10);
    for (uint32_t i = 0; i < 10; i++) CHECK_EQ(receive(1, &from), i);
    CHECK_OK(send(0, 1, 77));
    CHECK_EQ(receive(1, &from), 77);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

/* While three senders flood, a fourth gets a message through each time its last one has been received, and no more wait than
 * the capacity and one for each sender. */
static void a_flood_shuts_nobody_out(void) {
    qh_handle from;
    open_queue(20);
    uint32_t quiet = 0;
    for (uint32_t round = 0; round < 200; round++) {
        for (uint32_t i = 0; i < 30; i++) send(i % 3, 4 + i % 2, 1000);
        CHECK_OK(send(3, 4, round)); /* it has nothing waiting */
        CHECK(messages->length <= 20 + AGENTS);
        CHECK_RESULT(send(3, 4, 5000), QH_INVALID_STATE);
        uint32_t ahead = 0;
        from = 0;
        for (; from != agents[3]; ahead++) receive(4, &from);
        CHECK(ahead <=
              20 + AGENTS); /* first in, first out: the flood that comes later is behind it */
        quiet++;
    }
    CHECK_EQ(quiet, 200);
    CHECK(qh_runtime_validate(runtime));
    qh_runtime_close(runtime);
}

static void a_broadcast_is_one_block(void) {
    qh_handle from;
    uint32_t number = 5;
    open_queue(10);
    qh_message_def def = {agents[0], agents + 1, AGENTS - 1, &number, sizeof number};
    CHECK_OK(qh_messages_send(messages, &def));
    CHECK(messages->length == AGENTS - 1 && messages->blocks == 1);
    CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[QH_POOL_MESSAGE]), 1);
    CHECK_OK(qh_messages_send(messages, &def));
    CHECK_RESULT(qh_messages_send(messages, &def), QH_INVALID_STATE); /* whole or not at all */
    CHECK_EQ(messages->length, 2 * (AGENTS - 1));
    for (uint32_t i = 1; i < AGENTS; i++) {
        CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[QH_POOL_MESSAGE]), 2);
        CHECK_EQ(receive(i, &from), 5);
        CHECK(qh_runtime_validate(runtime));
    }
    CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[QH_POOL_MESSAGE]), 1);
    qh_runtime_close(runtime);
}

static void what_waits_goes_with_its_agent(void) {
    qh_handle from = 0;
    open_queue(50);
    for (uint32_t i = 0; i < 20; i++) CHECK_OK(send(i % 2, 2 + i % 2, i));
    qh_handle gone = agents[0];
    CHECK_OK(qh_runtime_destroy_agent(runtime, agents[2]));
    CHECK_EQ(messages->length, 10);
    CHECK_OK(qh_runtime_destroy_agent(runtime, gone)); /* sent only to 2 */
    CHECK(qh_runtime_validate(runtime));
    CHECK_OK(qh_runtime_destroy_agent(runtime, agents[1])); /* what it sent is still delivered */
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(receive(3, &from), 2 * i + 1);
        CHECK_EQ(from, agents[1]);
    }
    qh_agent_def def = test_greedy(2, 4); /* in the places of the others: no message of theirs */
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(qh_runtime_create_agent(runtime, &def, &agents[i]));
        CHECK_EQ(receive(i, &from), UINT32_MAX);
        CHECK_OK(send(i, 3, i));
    }
    CHECK(qh_runtime_validate(runtime));
    CHECK_EQ(qh_pool_in_use(&runtime->memory.pools[QH_POOL_MESSAGE]), 3);
    qh_runtime_close(runtime);
}

static void memory_that_fails_changes_nothing(void) {
    qh_handle from;
    for (uint32_t fails = 1; fails < 12; fails++) {
        open_queue(100);
        uint32_t sent = 0, refused = 0, expected = 0;
        runtime->memory.heap.fail_after = fails;
        while (sent < 40) {
            qh_result result = send(sent % 3, 3, sent);
            if (result == QH_OK) {
                sent++;
                continue;
            }
            CHECK_RESULT(result, QH_GROWTH_FAILED);
            CHECK_EQ(messages->length, sent);
            CHECK(qh_runtime_validate(runtime));
            runtime->memory.heap.fail_after = 0;
            refused++;
        }
        CHECK_EQ(refused, 1);
        while (expected < sent) CHECK_EQ(receive(3, &from), expected++);
        CHECK(qh_runtime_validate(runtime));
        qh_runtime_close(runtime);
    }
}

static void what_is_no_message_is_refused(void) {
    static unsigned char payload[QH_MESSAGE_BYTES];
    const qh_message *message;
    open_queue(10);
    qh_message_def def = {agents[0], agents + 1, 1, payload, QH_MESSAGE_PAYLOAD + 1};
    CHECK_RESULT(qh_messages_send(messages, &def), QH_INVALID_ARGUMENT);
    def.byte_count = QH_MESSAGE_PAYLOAD;
    for (uint32_t i = 0; i < QH_MESSAGE_PAYLOAD; i++) payload[i] = (unsigned char)(i * 7);
    CHECK_OK(qh_messages_send(messages, &def));
    CHECK_OK(qh_messages_peek(messages, agents[1], &message));
    CHECK(message->byte_count == QH_MESSAGE_PAYLOAD &&
          memcmp(message->payload, payload, QH_MESSAGE_PAYLOAD) == 0);
    def.receivers = 0;
    CHECK_RESULT(qh_messages_send(messages, &def), QH_INVALID_ARGUMENT);
    CHECK_EQ(messages->length, 1);
    CHECK_OK(qh_messages_take(messages, agents[1]));
    CHECK_EQ(runtime->memory.heap.records ? messages->blocks : 1, 0);
    qh_runtime_close(runtime);
}

static void its_validator_sees_what_is_wrong(void) {
    open_queue(10);
    for (uint32_t i = 0; i < 6; i++) CHECK_OK(send(i % 2, 2, i));
    CHECK(qh_messages_validate(messages));
    uint32_t *wrong[] = {&messages->length, &messages->blocks, &messages->inboxes[0].waiting,
                         &messages->inboxes[2].last, &messages->free};
    for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
        uint32_t right = *wrong[i];
        *wrong[i] = i == 4 ? 0 : right + 1;
        CHECK(!qh_messages_validate(messages));
        *wrong[i] = right;
        CHECK(qh_messages_validate(messages));
    }
    messages->deliveries[0].message->references++;
    CHECK(!qh_messages_validate(messages));
    messages->deliveries[0].message->references--;
    CHECK(qh_messages_validate(messages));
    qh_runtime_close(runtime);
}

TEST_SUITE(shared_messages, {"an inbox is first in, first out", an_inbox_is_first_in_first_out},
           {"a full queue refuses and loses nothing", a_full_queue_refuses_and_loses_nothing},
           {"a flood shuts nobody out", a_flood_shuts_nobody_out},
           {"a broadcast is one block", a_broadcast_is_one_block},
           {"what waits goes with its agent", what_waits_goes_with_its_agent},
           {"memory that fails changes nothing", memory_that_fails_changes_nothing},
           {"what is no message is refused", what_is_no_message_is_refused},
           {"its validator sees what is wrong", its_validator_sees_what_is_wrong});
