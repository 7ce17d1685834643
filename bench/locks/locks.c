/* The cost and the fairness of the locks of src/sync, beside a plain futex mutex of three states (U. Drepper, "Futexes Are Tricky", 2011,
 * mutex2). In wasm the functions are called by main.js. Natively a program: `locks [threads] [milliseconds]`. */
#include "sync/rwlock.h"

static qh_threads threads;
static qh_mutex mutex;
static qh_rwlock rwlock;
static uint64_t raw;
static uint32_t plain, shared_work;

/* ---------------------------------------------------------------- a plain futex mutex */

#if defined(__wasm__)
static void sleep_on(uint32_t *word, uint32_t value) {
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)value, -1);
}

static void wake_one(uint32_t *word) {
    __builtin_wasm_memory_atomic_notify((int *)word, 1);
}
#else
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

long syscall(long number, ...);

static void sleep_on(uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_one(uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
#endif

static void plain_lock(void) {
    for (int i = 0; i < 100; i++) {
        uint32_t state = 0;
        if (__atomic_compare_exchange_n(&plain, &state, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
    }
    while (__atomic_exchange_n(&plain, 2, __ATOMIC_SEQ_CST) != 0) sleep_on(&plain, 2);
}

static void plain_unlock(void) {
    if (__atomic_exchange_n(&plain, 0, __ATOMIC_SEQ_CST) == 2) wake_one(&plain);
}

/* Some microseconds inside. */
static void work(uint32_t amount) {
    for (uint32_t i = 0; i < amount; i++) *(volatile uint32_t *)&shared_work += i;
}

static void lock_plain(uint32_t self, uint32_t amount) {
    (void)self;
    plain_lock();
    work(amount);
    plain_unlock();
}

static void lock_mutex(uint32_t self, uint32_t amount) {
    if (qh_mutex_lock(&mutex, &threads, self, QH_FOREVER) != QH_OK) __builtin_trap();
    work(amount);
    qh_mutex_unlock(&mutex, &threads, self);
}

#if defined(__wasm__)

#define EXPORTED(name) __attribute__((export_name(#name), noinline)) name
#define LOOP(call)                                                                                                     \
    for (uint32_t i = 0; i < count; i++) call

void EXPORTED(begin)(uint32_t self) {
    qh_thread_open(&threads, self, true);
}

void EXPORTED(enter)(uint32_t fair, uint32_t self, uint32_t amount) {
    if (fair)
        lock_mutex(self, amount);
    else
        lock_plain(self, amount);
}

static QH_NOINLINE void call_nothing(uint64_t *at) {
    *(volatile uint64_t *)at;
}

static QH_NOINLINE void call_raw(uint64_t *at) {
    uint64_t expected = 0;
    if (!qh__atomic_swap64(at, &expected, UINT64_C(1) << 32)) __builtin_trap();
    expected = UINT64_C(1) << 32;
    if (!qh__atomic_swap64(at, &expected, 0)) __builtin_trap();
}

static QH_NOINLINE void call_mutex(qh_mutex *at, uint32_t self) {
    if (qh_mutex_lock(at, &threads, self, QH_FOREVER) != QH_OK) __builtin_trap();
    qh_mutex_unlock(at, &threads, self);
}

static QH_NOINLINE void call_read(qh_rwlock *at, uint32_t self) {
    if (qh_rwlock_read(at, &threads, self, QH_FOREVER) != QH_OK) __builtin_trap();
    qh_rwlock_end_read(at, &threads, self);
}

static QH_NOINLINE void call_write(qh_rwlock *at, uint32_t self) {
    if (qh_rwlock_write(at, &threads, self, QH_FOREVER) != QH_OK) __builtin_trap();
    qh_rwlock_end_write(at, &threads, self);
}

static QH_NOINLINE void call_plain(void) {
    plain_lock();
    plain_unlock();
}

void EXPORTED(time_nothing)(uint32_t count) {
    LOOP(call_nothing(&raw));
}

void EXPORTED(time_raw)(uint32_t count) {
    LOOP(call_raw(&raw));
}

void EXPORTED(time_mutex)(uint32_t count) {
    LOOP(call_mutex(&mutex, 0));
}

void EXPORTED(time_read)(uint32_t count) {
    LOOP(call_read(&rwlock, 0));
}

void EXPORTED(time_write)(uint32_t count) {
    LOOP(call_write(&rwlock, 0));
}

void EXPORTED(time_plain)(uint32_t count) {
    LOOP(call_plain());
}

#else

static void (*enter)(uint32_t self, uint32_t amount);
static uint32_t stop;
static double worst_ms[QH_MAX_THREADS];
static uint64_t entries[QH_MAX_THREADS];

static double now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void *run(void *argument) {
    uint32_t self = *(uint32_t *)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        double start = now_ms();
        enter(self, 500);
        double took = now_ms() - start;
        if (took > worst_ms[self]) worst_ms[self] = took;
        entries[self]++;
    }
    return NULL;
}

static void measure(const char *name, void (*way)(uint32_t, uint32_t), uint32_t count, long milliseconds) {
    pthread_t started[QH_MAX_THREADS];
    uint32_t numbers[QH_MAX_THREADS];
    enter = way;
    stop = 0;
    memset(worst_ms, 0, sizeof worst_ms);
    memset(entries, 0, sizeof entries);
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = i;
        qh_thread_open(&threads, i, true);
        pthread_create(&started[i], NULL, run, &numbers[i]);
    }
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < count; i++) pthread_join(started[i], NULL);
    double worst = 0;
    uint64_t total = 0, least = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        worst = QH_MAX(worst, worst_ms[i]);
        least = QH_MIN(least, entries[i]);
        total += entries[i];
    }
    printf("%-13s %u native threads: worst wait %7.2f ms, %7.0f entries a ms, the least served thread %4.1f %% of its share\n", name, count, worst,
           (double)total / (double)milliseconds, 100.0 * (double)least * count / (double)total);
}

int main(int argc, char **argv) {
    uint32_t count = argc > 1 ? (uint32_t)atoi(argv[1]) : 8;
    long milliseconds = argc > 2 ? atol(argv[2]) : 1000;
    if (count < 1 || count > QH_MAX_THREADS) return 1;
    measure("plain futex", lock_plain, count, milliseconds);
    measure("this mutex", lock_mutex, count, milliseconds);
    return 0;
}

#endif
