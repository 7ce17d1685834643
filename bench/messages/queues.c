/* Two cores for the message queue under native threads: Vyukov's bounded lock-free ring of many producers and consumers, and a ring inside
 * the mutex of src/sync. Threads both send and receive; everything is received exactly once, each sender's numbers in their order as far as
 * one receiver sees them. Prints a line for each measurement.
 *
 *   queues [threads] [milliseconds]
 *
 * Source: D. Vyukov, "Bounded MPMC queue", 1024cores.net, 2010. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sync/mutex.h"

#define CAPACITY 1024u /* a power of two */
#define THREADS_MAX 8u

typedef struct cell {
    uint32_t sequence;
    uint64_t value;
} cell;

static struct {
    alignas(64) uint32_t tail;
    alignas(64) uint32_t head;
    alignas(64) cell cells[CAPACITY];
} ring;

static struct {
    qh_mutex mutex;
    uint32_t tail, head;
    uint64_t values[CAPACITY];
} guarded;

typedef struct core {
    const char *name;
    bool (*put)(uint64_t value, uint32_t self);
    bool (*get)(uint64_t *value, uint32_t self);
} core;

static qh_threads threads;
static uint32_t thread_count, stop;
static const core *used;
static uint64_t sent[THREADS_MAX], received[THREADS_MAX][THREADS_MAX], last[THREADS_MAX][THREADS_MAX], sums[THREADS_MAX];
static double worst_ms[THREADS_MAX];
static uint32_t wrong;

static bool ring_put(uint64_t value, uint32_t self) {
    (void)self;
    uint32_t at = __atomic_load_n(&ring.tail, __ATOMIC_RELAXED);
    for (;;) {
        cell *here = &ring.cells[at % CAPACITY];
        int32_t ahead = (int32_t)(__atomic_load_n(&here->sequence, __ATOMIC_ACQUIRE) - at);
        if (ahead < 0) return false;
        if (ahead > 0) {
            at = __atomic_load_n(&ring.tail, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&ring.tail, &at, at + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            here->value = value;
            __atomic_store_n(&here->sequence, at + 1, __ATOMIC_RELEASE);
            return true;
        }
    }
}

static bool ring_get(uint64_t *value, uint32_t self) {
    (void)self;
    uint32_t at = __atomic_load_n(&ring.head, __ATOMIC_RELAXED);
    for (;;) {
        cell *here = &ring.cells[at % CAPACITY];
        int32_t ahead = (int32_t)(__atomic_load_n(&here->sequence, __ATOMIC_ACQUIRE) - (at + 1));
        if (ahead < 0) return false;
        if (ahead > 0) {
            at = __atomic_load_n(&ring.head, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&ring.head, &at, at + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            *value = here->value;
            __atomic_store_n(&here->sequence, at + CAPACITY, __ATOMIC_RELEASE);
            return true;
        }
    }
}

static bool guarded_put(uint64_t value, uint32_t self) {
    qh_mutex_lock(&guarded.mutex, &threads, self, QH_FOREVER);
    bool fits = guarded.tail - guarded.head < CAPACITY;
    if (fits) guarded.values[guarded.tail++ % CAPACITY] = value;
    qh_mutex_unlock(&guarded.mutex, &threads, self);
    return fits;
}

static bool guarded_get(uint64_t *value, uint32_t self) {
    qh_mutex_lock(&guarded.mutex, &threads, self, QH_FOREVER);
    bool there = guarded.tail != guarded.head;
    if (there) *value = guarded.values[guarded.head++ % CAPACITY];
    qh_mutex_unlock(&guarded.mutex, &threads, self);
    return there;
}

static const core CORES[] = {{"ring", ring_put, ring_get}, {"mutex", guarded_put, guarded_get}};

static double now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* A message is 1 + the sender's number, times 2^40, plus its place in what the sender sent. */
static void note(uint64_t value, uint32_t self) {
    uint32_t from = (uint32_t)(value >> 40) - 1;
    uint64_t number = value & ((UINT64_C(1) << 40) - 1);
    if (from >= thread_count || number <= last[self][from]) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    if (from >= thread_count) return;
    last[self][from] = number;
    received[self][from]++;
    sums[self] += number;
}

static void *run(void *argument) {
    uint32_t self = *(uint32_t *)argument;
    uint64_t value, rounds = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        bool timed = ++rounds % 64 == 0;
        double start = timed ? now_ms() : 0;
        if (used->put((uint64_t)(self + 1) << 40 | (sent[self] + 1), self)) sent[self]++;
        if (used->get(&value, self)) note(value, self);
        double took = timed ? now_ms() - start : 0;
        if (took > worst_ms[self]) worst_ms[self] = took;
    }
    return NULL;
}

static void prepare(void) {
    memset(&ring, 0, sizeof ring);
    for (uint32_t i = 0; i < CAPACITY; i++) ring.cells[i].sequence = i;
    memset(&guarded, 0, sizeof guarded);
    memset(sent, 0, sizeof sent);
    memset(received, 0, sizeof received);
    memset(last, 0, sizeof last);
    memset(sums, 0, sizeof sums);
    memset(worst_ms, 0, sizeof worst_ms);
    stop = wrong = 0;
    for (uint32_t i = 0; i < THREADS_MAX; i++) qh_thread_open(&threads, i, true);
}

/* Whether everything that was sent has come once: the number and the sum of each sender's numbers, over all receivers. */
static bool is_exact(void) {
    uint64_t value, expected = 0, sum = 0;
    while (used->get(&value, 0)) { /* in an order of its own: what others took before may be later */
        uint32_t from = (uint32_t)(value >> 40) - 1;
        received[0][from]++;
        sums[0] += value & ((UINT64_C(1) << 40) - 1);
    }
    for (uint32_t from = 0; from < thread_count; from++) {
        uint64_t count = 0;
        for (uint32_t to = 0; to < thread_count; to++) count += received[to][from];
        if (count != sent[from]) return false;
        expected += sent[from] * (sent[from] + 1) / 2;
        sum += sums[from];
    }
    return sum == expected && wrong == 0;
}

static void measure(const core *core, long milliseconds) {
    pthread_t started[THREADS_MAX];
    uint32_t numbers[THREADS_MAX];
    used = core;
    prepare();
    double start = now_ms();
    for (uint32_t i = 0; i < thread_count; i++) {
        numbers[i] = i;
        pthread_create(&started[i], NULL, run, &numbers[i]);
    }
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < thread_count; i++) pthread_join(started[i], NULL);
    double took = now_ms() - start, worst = 0;
    uint64_t total = 0, least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < thread_count; i++) {
        total += sent[i];
        least = QH_MIN(least, sent[i]);
        most = QH_MAX(most, sent[i]);
        worst = QH_MAX(worst, worst_ms[i]);
    }
    printf("%s %u threads: %.2f million messages a second, worst %.2f ms, most to least sent %.2f, %s\n", core->name, thread_count,
           (double)total / took / 1e3, worst, (double)most / (double)QH_MAX(least, 1u), is_exact() ? "exactly once" : "NOT EXACT");
}

int main(int argc, char **argv) {
    uint32_t most = argc > 1 ? (uint32_t)atoi(argv[1]) : THREADS_MAX;
    long milliseconds = argc > 2 ? atol(argv[2]) : 500;
    for (thread_count = 2; thread_count <= most && thread_count <= THREADS_MAX; thread_count *= 2)
        for (uint32_t i = 0; i < 2; i++) measure(&CORES[i], milliseconds);
    return 0;
}
