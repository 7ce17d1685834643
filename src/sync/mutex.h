/* A mutex that no thread can starve on and that survives the death of its holder.
 *
 * All of it is one 64-bit word, changed by compare-and-swap only:
 *
 *     bits  0-31  threads that wait, one bit each
 *          32-39  1 + the thread that holds it, 0: free
 *          40-47  how often it was taken past those who wait (barges) since it was last handed over
 *             48  somebody has been woken and has not looked yet
 *             49  kept: its holder has it from one call to the next
 *
 * Taking a free mutex is one swap, even past those who wait: who runs now is faster than who must wake up first. After
 * QH_MUTEX_PATIENCE such barges the holder hands the mutex over, still held, to the next waiter in turn. So while a thread
 * waits, others take the mutex at most QH_MUTEX_BYPASS_LIMIT times. (Plain futex mutexes have no bound; their worst waits were
 * measured at 40 to 50 ms.) Where nobody waits, taking it is one swap and letting it go another, and nothing else is ordered: the
 * counters are written by whoever holds it.
 *
 * A holder for one call must not take it again (that asserts). A thread that must not block enrolls and looks again when it is
 * woken, with other calls in between: once it has the mutex it keeps it, and until qh_mutex_release its calls that take it
 * have it already. While it waits so, its calls take the mutex past itself, and never sleep for it.
 *
 * Without QH_THREADS a mutex is nothing, and all calls succeed.
 *
 * Sources: U. Drepper, "Futexes Are Tricky", 2011 (states); the starvation mode of Go's sync.Mutex (handing over); glibc's adaptive
 * mutex (how long to spin). */
#ifndef QH_SYNC_MUTEX_H
#define QH_SYNC_MUTEX_H

#include "sync/thread.h"

#ifndef QH_MUTEX_PATIENCE
#define QH_MUTEX_PATIENCE 32u
#endif
#define QH_MUTEX_BYPASS_LIMIT ((QH_MUTEX_PATIENCE + 1) * QH_MAX_THREADS)

/* How often a thread looks before it sleeps: a little more than what was enough before, up to MAX. One that may not sleep looks AWAKE times
 * and is told QH_BUSY (a look is 5 to 20 ns: a fifth of a millisecond at most). */
#define QH_MUTEX_SPINS_MAX 200u
#define QH_MUTEX_SPINS_AWAKE 10000u

typedef struct qh_mutex {
    uint64_t word;
    uint64_t spins;    /* that were enough, on average; the holder's */
    uint32_t served;   /* whom it was handed to last; the holder's */
    uint32_t enrolled; /* those who wait with other calls in between, one bit each */
    qh_lock_counters counters;
} qh_mutex;

#if QH_THREADS

QH_INLINE uint64_t qh__held_by(uint32_t thread) {
    return (uint64_t)(thread + 1) << 32;
}

qh_result qh__mutex_lock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                int64_t timeout_ns);
void qh__mutex_unlock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self);

/* Takes the mutex if it is free. */
bool qh_mutex_try(qh_mutex *mutex, uint32_t self);

/* Takes the mutex, sleeping up to `timeout_ns` (0: never). QH_BUSY: it is not taken; a place that may not sleep gets that after
 * its spin. Not recursive: taking it twice asserts, unless it is kept. */
QH_INLINE qh_result qh_mutex_lock(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                  int64_t timeout_ns) {
    uint64_t word = 0;
    if (QH_UNLIKELY(!qh__atomic_swap64(&mutex->word, &word, qh__held_by(self))))
        return qh__mutex_lock_slowly(mutex, threads, self, timeout_ns);
    QH_CELL_SET(&mutex->counters.acquired, QH_CELL(&mutex->counters.acquired) + 1);
    return QH_OK;
}

QH_INLINE void qh_mutex_unlock(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    uint64_t word = qh__held_by(self);
    if (QH_UNLIKELY(!qh__atomic_swap64(&mutex->word, &word, 0)))
        qh__mutex_unlock_slowly(mutex, threads, self);
}

/* One round of waiting, for those who sleep by other means (Atomics.waitAsync). True: the thread has it, and keeps it until
 * qh_mutex_release. Otherwise it is enrolled: sleep while its word is `*wakes`, then call again; or give up with qh_mutex_withdraw.
 * Not for one who keeps it already. */
bool qh_mutex_enroll(qh_mutex *mutex, qh_threads *threads, uint32_t self, uint32_t *wakes);

/* Ends waiting. True: the mutex had been handed over meanwhile and is held. */
bool qh_mutex_withdraw(qh_mutex *mutex, qh_threads *threads, uint32_t self);

/* Lets go of what was kept, or held. */
void qh_mutex_release(qh_mutex *mutex, qh_threads *threads, uint32_t self);

/* Whether a thread keeps it; whether it waits with other calls in between. */
bool qh_mutex_is_kept(const qh_mutex *mutex, uint32_t self);
bool qh_mutex_is_enrolled(const qh_mutex *mutex, uint32_t self);

/* Ends what a thread that has died was doing here, called by a living one. True: it held the mutex, which is free again; what the mutex
 * guards may be half changed. */
bool qh_mutex_recover(qh_mutex *mutex, qh_threads *threads, uint32_t dead);

/* The thread that holds it, or QH_NO_THREAD. */
uint32_t qh_mutex_holder(const qh_mutex *mutex);

/* The counters, while others count on: each is a number that it had. */
qh_lock_counters qh_mutex_counters(const qh_mutex *mutex);

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
