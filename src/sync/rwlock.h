/* A read-write lock for what is read far more often than written. No writer starves, and no reader.
 *
 * A writer holds the gate (a mutex) from when it wants to write until it has written, and says so in the word; a reader takes a bit of
 * the word, without the gate while no writer is there, and through the gate, in its fair order, while one is. The writer waits for
 * the readers that were before it. The bounds are the gate's: a reader or writer that waits at the gate is passed at most
 * QH_MUTEX_BYPASS_LIMIT times, and a writer that has the gate waits only for readers that are inside.
 *
 * A thread takes it once at a time, to read or to write; one that keeps it (as a mutex is kept: to write) does both as often as it
 * likes. Without QH_THREADS it is nothing, and all calls succeed.
 *
 * Source: the turnstile of A. B. Downey, "The Little Book of Semaphores", 2016, 4.2.5, made of a bounded mutex. */
#ifndef QH_SYNC_RWLOCK_H
#define QH_SYNC_RWLOCK_H

#include "sync/mutex.h"

typedef struct qh_rwlock {
    qh_mutex gate;
    uint64_t
        word; /* bits 0-31: who reads; 32-39: 1 + who writes or waits for the readers to leave; 40: it is kept */
#if QH_THREADS
    uint64_t reads
        [QH_MAX_THREADS]; /* that met no writer, counted by each place; all others are counted by the gate */
#endif
} qh_rwlock;

#if QH_THREADS

qh_result qh__rwlock_read_slowly(qh_rwlock *lock, qh_threads *threads, uint32_t self,
                                 int64_t timeout_ns);
void qh__rwlock_end_read_slowly(qh_rwlock *lock, qh_threads *threads, uint32_t self);

bool qh_rwlock_try_read(qh_rwlock *lock, uint32_t self);
bool qh_rwlock_try_write(qh_rwlock *lock, qh_threads *threads, uint32_t self);

/* As qh_mutex_lock. A writer's timeout is for the gate and for the readers each. */
QH_INLINE qh_result qh_rwlock_read(qh_rwlock *lock, qh_threads *threads, uint32_t self,
                                   int64_t timeout_ns) {
    uint64_t word = 0;
    if (QH_UNLIKELY(!qh__atomic_swap64(&lock->word, &word, UINT64_C(1) << self)))
        return qh__rwlock_read_slowly(lock, threads, self, timeout_ns);
    QH_CELL_SET(&lock->reads[self], QH_CELL(&lock->reads[self]) + 1);
    return QH_OK;
}

qh_result qh_rwlock_write(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns);

QH_INLINE void qh_rwlock_end_read(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    uint64_t word = UINT64_C(1) << self;
    if (QH_UNLIKELY(!qh__atomic_swap64(&lock->word, &word, 0)))
        qh__rwlock_end_read_slowly(lock, threads, self);
}

void qh_rwlock_end_write(qh_rwlock *lock, qh_threads *threads, uint32_t self);

/* As qh_mutex_enroll and so on: to write. A withdrawal ends all of it. */
bool qh_rwlock_enroll(qh_rwlock *lock, qh_threads *threads, uint32_t self, uint32_t *wakes);
void qh_rwlock_withdraw(qh_rwlock *lock, qh_threads *threads, uint32_t self);
void qh_rwlock_release(qh_rwlock *lock, qh_threads *threads, uint32_t self);

/* As qh_mutex_recover. True: it was a writer; what the lock guards may be half changed. */
bool qh_rwlock_recover(qh_rwlock *lock, qh_threads *threads, uint32_t dead);

/* As qh_mutex_counters. */
qh_lock_counters qh_rwlock_counters(const qh_rwlock *lock);

#else

QH_INLINE qh_result qh_rwlock_read(qh_rwlock *lock, qh_threads *threads, uint32_t self,
                                   int64_t timeout_ns) {
    (void)lock, (void)threads, (void)self, (void)timeout_ns;
    return QH_OK;
}

QH_INLINE qh_result qh_rwlock_write(qh_rwlock *lock, qh_threads *threads, uint32_t self,
                                    int64_t timeout_ns) {
    (void)lock, (void)threads, (void)self, (void)timeout_ns;
    return QH_OK;
}

QH_INLINE void qh_rwlock_end_read(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    (void)lock, (void)threads, (void)self;
}

QH_INLINE void qh_rwlock_end_write(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    (void)lock, (void)threads, (void)self;
}

#endif
#endif
