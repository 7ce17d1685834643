/* The shared rooms under native threads, for ThreadSanitizer: each thread is an agent that sends to all others and receives, while all
 * count values and contribute to the federation. Every message arrives once, those of a sender in their order; nothing that was counted
 * is lost. Prints a line for each thing that is wrong; exits with how many. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "runtime/runtime.h"

#define THREADS 4u
#define MESSAGES 4000u
#define CAPACITY 64u

static qh_runtime *runtime;
static qh_agent *agents[THREADS];
static uint32_t wrong;

static void expect(bool holds, const char *what) {
    if (holds) return;
    __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    printf("not ok %s\n", what);
}

/* The number of the message that a thread sends next to each other one, and expects next of it. */
typedef struct progress {
    uint32_t sent[THREADS], received[THREADS], refused;
} progress;

static void send_one(progress *at, uint32_t to) {
    uint32_t number = at->sent[to];
    qh_message_def def = {agents[qh__thread_self]->handle, &agents[to]->handle, 1, &number,
                          sizeof number};
    qh_result result = qh_messages_send(&runtime->messages, &def);
    at->sent[to] += result == QH_OK;
    at->refused += result == QH_INVALID_STATE;
    expect(result == QH_OK || result == QH_INVALID_STATE, "a message is sent or refused");
}

static bool receive_one(progress *at) {
    const qh_message *message;
    uint32_t number, from = 0;
    expect(qh_messages_peek(&runtime->messages, agents[qh__thread_self]->handle, &message) == QH_OK,
           "peek");
    if (!message) return false;
    memcpy(&number, message->payload, sizeof number);
    while (from < THREADS && agents[from]->handle != message->from) from++;
    expect(from < THREADS && number == at->received[from]++, "once, and in order");
    expect(qh_messages_take(&runtime->messages, agents[qh__thread_self]->handle) == QH_OK, "take");
    return true;
}

static void *run(void *argument) {
    progress at = {0};
    uint32_t left = THREADS - 1, fault;
    qh__thread_self = *(uint32_t *)argument;
    while (left > 0) {
        left = 0;
        for (uint32_t to = 0; to < THREADS; to++) {
            if (to == qh__thread_self) continue;
            if (at.sent[to] < MESSAGES) send_one(&at, to);
            left += at.sent[to] < MESSAGES || at.received[to] < MESSAGES;
        }
        for (uint32_t i = 0; i < THREADS && receive_one(&at); i++)
            expect(qh_metrics_count(&runtime->metrics, 0, (double)i) == QH_OK, "count");
        if (at.sent[(qh__thread_self + 1) % THREADS] % 500 == 0)
            expect(qh_federation_accumulate(&runtime->federation, &agents[qh__thread_self], 1, 0,
                                            &fault) == QH_OK,
                   "accumulate");
    }
    for (uint32_t i = 0; i < THREADS; i++)
        expect(i == qh__thread_self || at.received[i] == MESSAGES, "all arrive");
    return NULL;
}

int main(void) {
    qh_runtime_def def = qh_runtime_def_default();
    pthread_t started[THREADS];
    uint32_t numbers[THREADS], series;
    def.pools[QH_POOL_MESSAGE] = THREADS * CAPACITY;
    if (qh_runtime_open(&def, 0, &runtime) != QH_OK) return 1;
    runtime->messages.capacity = CAPACITY;
    qh_agent_def agent = qh_agent_def_default();
    agent.actions = 2;
    agent.encoder.states = 4;
    for (uint32_t i = 0; i < THREADS; i++) {
        qh_handle handle;
        expect(qh_runtime_create_agent(runtime, &agent, &handle) == QH_OK &&
                   qh_runtime_release(runtime, handle) == QH_OK,
               "an agent");
        agents[i] = qh_runtime_agent(runtime, handle);
        qh_thread_open(qh__threads(), i, true);
    }
    /* Rooms take memory under their own locks; the heap they share is not theirs to lock, so what they need is there before. */
    expect(qh_metrics_find(&runtime->metrics, (qh_text){(const unsigned char *)"x", 1}, &series) ==
               QH_OK,
           "a series");
    for (uint32_t i = 0; i < THREADS; i++) {
        uint32_t fault;
        qh_message_def message = {agents[i]->handle, &agents[i]->handle, 1, "", 0};
        for (uint32_t k = 0; k < CAPACITY / THREADS; k++)
            expect(qh_messages_send(&runtime->messages, &message) == QH_OK, "room for messages");
        expect(qh_metrics_count(&runtime->metrics, 0, i) == QH_OK, "room for values");
        expect(qh_federation_accumulate(&runtime->federation, &agents[i], 1, 0, &fault) == QH_OK,
               "room for contributions");
    }
    for (uint32_t i = 0; i < THREADS; i++)
        while (qh_messages_take(&runtime->messages, agents[i]->handle) == QH_OK) {
        }
    for (uint32_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&started[i], NULL, run, &numbers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(started[i], NULL);
    expect(runtime->messages.length == 0, "nothing is left over");
    expect(runtime->messages.received - THREADS * (CAPACITY / THREADS) ==
               THREADS * (THREADS - 1.0) * MESSAGES,
           "as many as were sent");
    expect(runtime->metrics.series[0].count == THREADS * (THREADS - 1.0) * MESSAGES + THREADS,
           "every value is counted");
    expect(qh_runtime_validate(runtime), "all is sound");
    printf("%u threads, %.0f messages, %.0f refused, %llu of %llu times waited for the lock\n",
           THREADS, runtime->messages.received, runtime->messages.refused,
           (unsigned long long)runtime->messages.lock.counters.contended,
           (unsigned long long)runtime->messages.lock.counters.acquired);
    qh_runtime_close(runtime);
    return (int)wrong;
}
