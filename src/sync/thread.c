#include "sync/thread.h"

#if QH_THREADS

#if !defined(QH_MODEL)
qh_threads qh__thread_table;
QH_THREAD_LOCAL uint32_t qh__thread_self;
#if QH_ASSERT_LEVEL >= 2
QH_THREAD_LOCAL uint32_t qh__ranks_held;
#endif
#endif

#if !defined(__wasm__) && !defined(QH_MODEL)
#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Natively a place is slept on through one condition variable each: TSan understands those, and they are everywhere. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t woken;
} beds[QH_MAX_THREADS];
static pthread_once_t beds_made = PTHREAD_ONCE_INIT;

static void make_beds(void) {
    for (uint32_t i = 0; i < QH_MAX_THREADS; i++) {
        pthread_mutex_init(&beds[i].mutex, NULL);
        pthread_cond_init(&beds[i].woken, NULL);
    }
}
#endif

void qh_thread_open(qh_threads *threads, uint32_t thread, bool may_sleep) {
#if !defined(__wasm__) && !defined(QH_MODEL)
    pthread_once(&beds_made, make_beds);
#endif
    threads->places[thread].may_sleep = may_sleep;
}

#if defined(__wasm__)

bool qh_thread_sleep(qh_threads *threads, uint32_t thread, uint32_t wakes, int64_t timeout_ns) {
    int *word = (int *)&threads->places[thread].wakes;
    int64_t timeout = timeout_ns == QH_FOREVER ? -1 : timeout_ns;
    return __builtin_wasm_memory_atomic_wait32(word, (int)wakes, timeout) != 2;
}

void qh_thread_wake(qh_threads *threads, uint32_t thread) {
    uint32_t *word = &threads->places[thread].wakes;
    qh__atomic_add(word, 1);
    __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX); /* it may wait by two means */
}

#elif defined(QH_MODEL)

bool qh_model_sleep(uint32_t thread, const uint32_t *word, uint32_t seen, int64_t timeout_ns);
void qh_model_wake(uint32_t thread);

bool qh_thread_sleep(qh_threads *threads, uint32_t thread, uint32_t wakes, int64_t timeout_ns) {
    return qh_model_sleep(thread, &threads->places[thread].wakes, wakes, timeout_ns);
}

void qh_thread_wake(qh_threads *threads, uint32_t thread) {
    qh__atomic_add(&threads->places[thread].wakes, 1);
    qh_model_wake(thread);
}

#else

static struct timespec deadline_in(int64_t timeout_ns) {
    struct timespec at;
    timespec_get(&at, TIME_UTC);
    at.tv_sec += (time_t)(timeout_ns / 1000000000);
    at.tv_nsec += (long)(timeout_ns % 1000000000);
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

bool qh_thread_sleep(qh_threads *threads, uint32_t thread, uint32_t wakes, int64_t timeout_ns) {
    const uint32_t *word = &threads->places[thread].wakes;
    bool forever = timeout_ns == QH_FOREVER;
    struct timespec deadline = forever ? (struct timespec){0} : deadline_in(timeout_ns);
    int failed = 0;
    pthread_mutex_lock(&beds[thread].mutex);
    while (qh__atomic_load(word) == wakes && failed != ETIMEDOUT)
        failed = forever
                     ? pthread_cond_wait(&beds[thread].woken, &beds[thread].mutex)
                     : pthread_cond_timedwait(&beds[thread].woken, &beds[thread].mutex, &deadline);
    pthread_mutex_unlock(&beds[thread].mutex);
    return failed != ETIMEDOUT;
}

void qh_thread_wake(qh_threads *threads, uint32_t thread) {
    pthread_mutex_lock(&beds[thread].mutex);
    qh__atomic_add(&threads->places[thread].wakes, 1);
    pthread_cond_signal(&beds[thread].woken);
    pthread_mutex_unlock(&beds[thread].mutex);
}

#endif
#endif
