/* Threads, as the locks know them: a number, and a word to sleep on.
 *
 * The core starts no threads. Whoever does (a page with its workers, a test) gives each thread that uses a shared runtime a place
 * here, 0 .. QH_MAX_THREADS - 1, and passes that number with every call. A thread sleeps only on its own word, so a wake-up
 * reaches the one it is meant for whatever order the engine wakes in, and none can be stolen.
 *
 * A page's main thread may not sleep (Chromium traps, Firefox freezes): its place says so, and locks then answer QH_BUSY
 * after a bounded spin. */
#ifndef QH_SYNC_THREAD_H
#define QH_SYNC_THREAD_H

#include "sync/atomic.h"

#define QH_MAX_THREADS 32u
#define QH_NO_THREAD UINT32_MAX
#define QH_FOREVER INT64_MAX /* a timeout that never comes, in nanoseconds */

/* One place. 64 bytes: two threads never share a cache line. */
typedef struct qh_thread {
    alignas(64) uint32_t wakes; /* counts wake-ups; the word slept on */
    bool may_sleep;
} qh_thread;

typedef struct qh_threads {
    qh_thread places[QH_MAX_THREADS];
} qh_threads;

/* How often a lock was taken, how often not at once, and the longest sleep for it in milliseconds (whole ones: the core has no
 * clock and counts the milliseconds it asked the engine to sleep). Only whoever holds the lock writes here. */
typedef struct qh_lock_counters {
    uint64_t acquired, contended;
    uint32_t longest_wait_ms;
} qh_lock_counters;

/* Makes a place ready for a thread that starts using it. */
void qh_thread_open(qh_threads *threads, uint32_t thread, bool may_sleep);

/* What `qh_thread_sleep` needs: read it BEFORE the last look at what is waited for. */
QH_INLINE uint32_t qh__thread_wakes(const qh_threads *threads, uint32_t thread) {
    return qh__atomic_load(&threads->places[thread].wakes);
}

/* Sleeps until somebody wakes the thread, unless that has happened since `wakes` was read. False: `timeout_ns` passed. */
bool qh_thread_sleep(qh_threads *threads, uint32_t thread, uint32_t wakes, int64_t timeout_ns);

void qh_thread_wake(qh_threads *threads, uint32_t thread);

#endif
