#include "sync/rwlock.h"

#if QH_THREADS

#define READERS UINT64_C(0xFFFFFFFF)
#define WRITER_SHIFT 32
#define KEPT_TO_WRITE (UINT64_C(1) << 40)
#define DRAIN_SPINS 100
#define DRAIN_SLICE_NS INT64_C(1000000)

static uint64_t reader_bit(uint32_t thread) {
    return UINT64_C(1) << thread;
}

static uint64_t written_by(uint32_t thread) {
    return (uint64_t)(thread + 1) << WRITER_SHIFT;
}

/* 1 + a place. */
static uint32_t writer_of(uint64_t word) {
    return (uint32_t)(word >> WRITER_SHIFT) & 0xFF;
}

/* The word without the bits `take` and with the bits `give`. Returns what it has become. */
static uint64_t change(qh_rwlock *lock, uint64_t take, uint64_t give) {
    uint64_t word = qh__atomic_load64(&lock->word);
    while (!qh__atomic_swap64(&lock->word, &word, (word & ~take) | give)) {
    }
    return (word & ~take) | give;
}

/* Whether `self` keeps the lock. */
static bool is_kept(const qh_rwlock *lock, uint32_t self) {
    uint64_t word = qh__atomic_load64(&lock->word);
    return writer_of(word) == self + 1 && (word & KEPT_TO_WRITE) != 0;
}

/* After the last reader has left. */
static void tell_writer(qh_threads *threads, uint64_t word) {
    if ((word & READERS) == 0 && word != 0) qh_thread_wake(threads, writer_of(word) - 1);
}

/* ---------------------------------------------------------------- reading */

bool qh_rwlock_try_read(qh_rwlock *lock, uint32_t self) {
    uint64_t word = qh__atomic_load64(&lock->word);
    while ((word & ~READERS) == 0)
        if (qh__atomic_swap64(&lock->word, &word, word | reader_bit(self))) {
            QH_CELL_SET(&lock->reads[self], QH_CELL(&lock->reads[self]) + 1);
            return true;
        }
    return false;
}

qh_result qh__rwlock_read_slowly(qh_rwlock *lock, qh_threads *threads, uint32_t self,
                                 int64_t timeout_ns) {
    if (is_kept(lock, self)) return QH_OK;
    QH_ASSERT((qh__atomic_load64(&lock->word) & reader_bit(self)) == 0);
    if (qh_rwlock_try_read(lock, self)) return QH_OK;
    QH_TRY(qh_mutex_lock(&lock->gate, threads, self, timeout_ns));
    change(lock, 0, reader_bit(self)); /* whoever has the gate knows that nobody writes */
    qh_mutex_unlock(&lock->gate, threads, self);
    return QH_OK;
}

void qh__rwlock_end_read_slowly(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    if (is_kept(lock, self)) return;
    tell_writer(threads, change(lock, reader_bit(self), 0));
}

/* ---------------------------------------------------------------- writing */

bool qh_rwlock_try_write(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    uint64_t word = 0;
    if (is_kept(lock, self)) return true;
    if (!qh_mutex_try(&lock->gate, self)) return false;
    if (qh__atomic_swap64(&lock->word, &word, written_by(self))) return true;
    qh_mutex_unlock(&lock->gate, threads, self);
    return false;
}

/* How often to look before sleeping, or giving up. */
static uint32_t drain_spins(const qh_thread *place) {
#if defined(QH_MODEL)
    (void)place;
    return 1;
#else
    return place->may_sleep ? DRAIN_SPINS : QH_MUTEX_SPINS_AWAKE;
#endif
}

static bool is_drained(const qh_rwlock *lock) {
    return (qh__atomic_load64(&lock->word) & READERS) == 0;
}

/* Waits until nobody reads, counting as who has the gate. */
static qh_result drain(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    qh_lock_counters *counters = &lock->gate.counters;
    const qh_thread *place = &threads->places[self];
    for (uint32_t i = 0, most = drain_spins(place); i < most; i++)
        if (is_drained(lock)) return QH_OK;
    if (timeout_ns == QH_UNLESS_KEEPING) timeout_ns = place->keeps > 0 ? 0 : QH_FOREVER;
    if (!place->may_sleep) return QH_BUSY;
    QH_CELL_SET(&counters->contended, QH_CELL(&counters->contended) + 1);
    uint64_t waited_ms = 0;
    for (int64_t left = timeout_ns; left > 0;) {
        uint32_t wakes = qh__thread_wakes(threads, self);
        if (is_drained(lock)) return QH_OK;
        int64_t slice = QH_MIN(left, DRAIN_SLICE_NS);
        if (qh_thread_sleep(threads, self, wakes, slice)) continue;
        if (timeout_ns != QH_FOREVER) left -= slice;
        if (++waited_ms > QH_CELL(&counters->longest_wait_ms))
            QH_CELL_SET(&counters->longest_wait_ms, waited_ms);
    }
    return QH_BUSY;
}

qh_result qh_rwlock_write(qh_rwlock *lock, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    uint64_t word = 0;
    QH_TRY(qh_mutex_lock(&lock->gate, threads, self, timeout_ns));
    if (QH_LIKELY(qh__atomic_swap64(&lock->word, &word, written_by(self)))) return QH_OK;
    change(lock, 0, written_by(self));
    qh_result result = drain(lock, threads, self, timeout_ns);
    if (QH_UNLIKELY(result != QH_OK)) qh_rwlock_end_write(lock, threads, self);
    return result;
}

void qh_rwlock_end_write(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    uint64_t word = written_by(self);
    if (QH_UNLIKELY(!qh__atomic_swap64(&lock->word, &word, 0))) {
        if (word & KEPT_TO_WRITE) return;
        change(lock, ~READERS, 0);
    }
    qh_mutex_unlock(&lock->gate, threads, self);
}

/* ---------------------------------------------------------------- keeping */

bool qh_rwlock_enroll(qh_rwlock *lock, qh_threads *threads, uint32_t self, uint32_t *wakes) {
    *wakes = qh__thread_wakes(threads, self);
    if (!is_kept(lock, self)) {
        uint32_t later;
        if (!qh_mutex_enroll(&lock->gate, threads, self, &later)) return false;
        change(lock, 0, written_by(self) | KEPT_TO_WRITE);
    }
    return is_drained(lock);
}

void qh_rwlock_release(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    change(lock, ~READERS, 0);
    qh_mutex_release(&lock->gate, threads, self);
}

void qh_rwlock_withdraw(qh_rwlock *lock, qh_threads *threads, uint32_t self) {
    if (qh_mutex_withdraw(&lock->gate, threads, self)) qh_rwlock_release(lock, threads, self);
}

/* ---------------------------------------------------------------- the rest */

bool qh_rwlock_recover(qh_rwlock *lock, qh_threads *threads, uint32_t dead) {
    bool wrote = writer_of(qh__atomic_load64(&lock->word)) == dead + 1;
    tell_writer(threads, change(lock, reader_bit(dead) | (wrote ? ~READERS : 0), 0));
    qh_mutex_recover(&lock->gate, threads, dead);
    return wrote;
}

qh_lock_counters qh_rwlock_counters(const qh_rwlock *lock) {
    qh_lock_counters sum = qh_mutex_counters(&lock->gate);
    for (uint32_t i = 0; i < QH_MAX_THREADS; i++) sum.acquired += QH_CELL(&lock->reads[i]);
    return sum;
}

#endif
