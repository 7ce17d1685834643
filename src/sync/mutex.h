/* A mutex that no thread can starve on and that survives the death of its holder.
 *
 * All of it is one 64-bit word, changed by compare-and-swap only:
 *
 *     bits  0-31  threads that wait, one bit each
 *          32-39  1 + the thread that holds it, 0: free
 *          40-47  how often it was taken past those who wait (barges) since it was last handed over
 *             48  somebody has been woken and has not looked yet
 *
 * Taking a free mutex is one swap, even past those who wait: who runs now is faster than who must wake up first. After
 * QH_MUTEX_PATIENCE such barges the holder hands the mutex over, still held, to the next waiter in turn. So while a thread
 * waits, others take the mutex at most QH_MUTEX_BYPASS_LIMIT times. (Plain futex mutexes have no bound; their worst waits were
 * measured at 40 to 50 ms.)
 *
 * Without QH_THREADS a mutex is nothing, and all calls succeed.
 *
 * Sources: U. Drepper, "Futexes Are Tricky", 2011 (states); the starvation mode of Go's sync.Mutex (handing over). */
#ifndef QH_SYNC_MUTEX_H
#define QH_SYNC_MUTEX_H

#include "sync/thread.h"

#ifndef QH_MUTEX_PATIENCE
#define QH_MUTEX_PATIENCE 32u
#endif
#define QH_MUTEX_BYPASS_LIMIT ((QH_MUTEX_PATIENCE + 1) * QH_MAX_THREADS)

typedef struct qh_mutex {
    uint64_t word;
    uint32_t served; /* whom it was handed to last; the holder's */
    qh_lock_counters counters;
} qh_mutex;

#if QH_THREADS

/* Takes the mutex if it is free. */
bool qh_mutex_try(qh_mutex *mutex, uint32_t self);

/* Takes the mutex, sleeping up to `timeout_ns` (0: never). QH_BUSY: it is not taken; a place that may not sleep gets that after
 * its spin. Not recursive: taking it twice asserts. */
qh_result qh_mutex_lock(qh_mutex *mutex, qh_threads *threads, uint32_t self, int64_t timeout_ns);

void qh_mutex_unlock(qh_mutex *mutex, qh_threads *threads, uint32_t self);

/* One round of waiting, for those who sleep by other means (Atomics.waitAsync). True: taken. Otherwise the thread is
 * enrolled: sleep while its word is `*wakes`, then call again; or give up with qh_mutex_withdraw. */
bool qh_mutex_enroll(qh_mutex *mutex, qh_threads *threads, uint32_t self, uint32_t *wakes);

/* Ends waiting. True: the mutex had been handed over meanwhile and is held. */
bool qh_mutex_withdraw(qh_mutex *mutex, qh_threads *threads, uint32_t self);

/* Ends what a thread that has died was doing here, called by a living one. True: it held the mutex, which is free again; what the mutex
 * guards may be half changed. */
bool qh_mutex_recover(qh_mutex *mutex, qh_threads *threads, uint32_t dead);

/* The thread that holds it, or QH_NO_THREAD. */
uint32_t qh_mutex_holder(const qh_mutex *mutex);

#else

QH_INLINE bool qh_mutex_try(qh_mutex *mutex, uint32_t self) {
    (void)mutex, (void)self;
    return true;
}

QH_INLINE qh_result qh_mutex_lock(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                  int64_t timeout_ns) {
    (void)mutex, (void)threads, (void)self, (void)timeout_ns;
    return QH_OK;
}

QH_INLINE void qh_mutex_unlock(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    (void)mutex, (void)threads, (void)self;
}

#endif
#endif
