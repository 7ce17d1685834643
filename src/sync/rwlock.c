#include "sync/rwlock.h"

#if QH_THREADS

#define READERS UINT64_C(0xFFFFFFFF)
#define WRITER_SHIFT 32
#if defined(QH_MODEL)
#define DRAIN_SPINS 1
#else
#define DRAIN_SPINS 100
#endif
#define DRAIN_SLICE_NS INT64_C(1000000)

static uint64_t reader_bit(uint32_t thread) {
    return UINT64_C(1) << thread;
}

/* The word without the bits `take` and with the bits `give`. Returns what it has become. */
static uint64_t change(qh_rwlock *lock, uint64_t take, uint64_t give) {
    uint64_t word = qh__atomic_load64(&lock->word);
    while (!qh__atomic_swap64(&lock->word, &word, (word & ~take) | give)) {
    }
    return (word & ~take) | give;
}

bool qh_rwlock_try_read(qh_rwlock *lock, uint32_t self) {
    uint64_t word = qh__atomic_load64(&lock->word);
    while ((word & ~READERS) == 0)
        if (qh__atomic_swap64(&lock->word, &word, word | reader_bit(self))) return true;
    return false;
}

qh_result qh_rwlock_read(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    QH_ASSERT((qh__atomic_load64(&lock->word) & reader_bit(self)) == 0);
    if (QH_LIKELY(qh_rwlock_try_read(lock, self))) return QH_OK;
    QH_TRY(qh_mutex_lock(&lock->gate, threads, self, timeout_ns));
    change(lock, 0, reader_bit(self)); /* whoever has the gate knows that nobody writes */
    qh_mutex_unlock(&lock->gate, threads, self);
    return QH_OK;
}

void qh_rwlock_end_read(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    uint64_t word = change(lock, reader_bit(self), 0);
    if ((word & READERS) == 0 && word != 0)
        qh_thread_wake(threads, (uint32_t)(word >> WRITER_SHIFT) - 1);
}

bool qh_rwlock_try_write(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    uint64_t word = 0;
    if (!qh_mutex_try(&lock->gate, self)) return false;
    if (qh__atomic_swap64(&lock->word, &word, (uint64_t)(self + 1) << WRITER_SHIFT)) return true;
    qh_mutex_unlock(&lock->gate, threads, self);
    return false;
}

/* Waits until nobody reads. */
static qh_result drain(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    for (int i = 0; i < DRAIN_SPINS; i++)
        if ((qh__atomic_load64(&lock->word) & READERS) == 0) return QH_OK;
    if (!threads->places[self].may_sleep) return QH_BUSY;
    for (int64_t left = timeout_ns; left > 0;) {
        uint32_t wakes = qh__thread_wakes(threads, self);
        if ((qh__atomic_load64(&lock->word) & READERS) == 0) return QH_OK;
        int64_t slice = QH_MIN(left, DRAIN_SLICE_NS);
        if (!qh_thread_sleep(threads, self, wakes, slice) && timeout_ns != QH_FOREVER)
            left -= slice;
    }
    return QH_BUSY;
}

qh_result qh_rwlock_write(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    QH_TRY(qh_mutex_lock(&lock->gate, threads, self, timeout_ns));
    change(lock, 0, (uint64_t)(self + 1) << WRITER_SHIFT);
    qh_result result = drain(lock, threads, self, timeout_ns);
    if (QH_UNLIKELY(result != QH_OK)) qh_rwlock_end_write(lock, threads, self);
    return result;
}

void qh_rwlock_end_write(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    change(lock, ~READERS, 0);
    qh_mutex_unlock(&lock->gate, threads, self);
}

bool qh_rwlock_recover(qh_rwlock *lock, qh_threads *threads, uint32_t dead) {
    bool wrote = qh__atomic_load64(&lock->word) >> WRITER_SHIFT == dead + 1;
    uint64_t word = change(lock, reader_bit(dead) | (wrote ? ~READERS : 0), 0);
    if ((word & READERS) == 0 && word != 0)
        qh_thread_wake(threads, (uint32_t)(word >> WRITER_SHIFT) - 1);
    qh_mutex_recover(&lock->gate, threads, dead);
    return wrote;
}

#endif
