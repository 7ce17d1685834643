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
/* For locks that have no order among each other: QH_FOREVER, but 0 for a thread that keeps one of them, so that none waits for another. */
#define QH_UNLESS_KEEPING (INT64_MAX - 1)

/* What a place is. A thread takes one by an atomic exchange of QH_PLACE_FREE for QH_PLACE_TAKEN. */
typedef enum qh_place_state {
    QH_PLACE_NONE, /* the runtime was opened with fewer places */
    QH_PLACE_FREE,
    QH_PLACE_TAKEN, /* by a thread that has not begun, or not ended, yet */
    QH_PLACE_LIVE,
    QH_PLACE_RECOVERING /* of a thread that has died, while another gives back what it had */
} qh_place_state;

/* One place. 64 bytes: two threads never share a cache line. */
typedef struct qh_thread {
    alignas(64) uint32_t wakes; /* counts wake-ups; the word slept on */
    uint32_t state;             /* qh_place_state */
    bool may_sleep;
    uint32_t keeps; /* locks that the thread keeps from one call to the next; its own */
    uint32_t terms; /* threads that have had the place and are gone */
    /* In the module: the stack, which grows down from `stack_base` to `stack_limit`, and the block of thread-local data. */
    uintptr_t stack_base, stack_limit, tls;
} qh_thread;

typedef struct qh_threads {
    qh_thread places[QH_MAX_THREADS];
} qh_threads;

/* How often a lock was taken, how often not at once, and the longest sleep for it in milliseconds (whole ones: the core has no
 * clock and counts the milliseconds it asked the engine to sleep). Only whoever holds the lock writes here. */
typedef struct qh_lock_counters {
    uint64_t acquired, contended, longest_wait_ms;
} qh_lock_counters;

#if QH_THREADS && !defined(QH_MODEL)
/* The threads of the one runtime of a module, and which of them calls: set by whoever begins a thread. */
extern qh_threads qh__thread_table;
extern QH_THREAD_LOCAL uint32_t qh__thread_self;
#if QH_ASSERT_LEVEL >= 2
extern QH_THREAD_LOCAL uint32_t
    qh__ranks_held; /* bits of the locks that it holds, in their order (room.h) */
#endif

QH_INLINE qh_threads *qh__threads(void) {
    return &qh__thread_table;
}

QH_INLINE uint32_t qh__self(void) {
    return qh__thread_self;
}
#endif

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
