#include "sync/mutex.h"

#if QH_THREADS

#define WAITERS UINT64_C(0xFFFFFFFF)
#define HOLDER_SHIFT 32
#define HOLDER (UINT64_C(0xFF) << HOLDER_SHIFT)
#define BARGE (UINT64_C(1) << 40)
#define BARGES (UINT64_C(0xFF) << 40)
#define WOKEN (UINT64_C(1) << 48)
#define KEPT (UINT64_C(1) << 49)
#define SLICE_NS INT64_C(1000000)

static uint64_t bit_of(uint32_t thread) {
    return UINT64_C(1) << thread;
}

static bool is_held_by(uint64_t word, uint32_t thread) {
    return (word & HOLDER) == qh__held_by(thread);
}

/* The word after `self` took a free mutex: its bit `mine` is gone, and one more barge if others wait. */
static uint64_t taken(uint64_t word, uint32_t self, uint64_t mine) {
    uint64_t left = word & WAITERS & ~mine;
    uint64_t woken = word & mine ? 0 : word & WOKEN;
    return left == 0 ? qh__held_by(self)
                     : left | qh__held_by(self) | ((word & BARGES) + BARGE) | woken;
}

/* Takes the mutex while it is free. `*word` is what it was seen as, and is seen as afterwards. */
static bool take(qh_mutex *mutex, uint32_t self, uint64_t mine, uint64_t *word) {
    while ((*word & HOLDER) == 0)
        if (qh__atomic_swap64(&mutex->word, word, taken(*word, self, mine))) return true;
    return false;
}

static uint32_t next_waiter(uint64_t word, uint32_t after) {
    uint64_t waiters = word & WAITERS;
    uint64_t later = waiters & ~(bit_of(after) | (bit_of(after) - 1));
    return (uint32_t)__builtin_ctzll(later != 0 ? later : waiters);
}

QH_INLINE void pause_briefly(void) {
#if defined(__x86_64__) && !defined(QH_MODEL)
    __builtin_ia32_pause();
#endif
}

/* By whom holds it. */
static void count_acquired(qh_mutex *mutex, bool contended, uint64_t waited_ms) {
    qh_lock_counters *counters = &mutex->counters;
    QH_CELL_SET(&counters->acquired, QH_CELL(&counters->acquired) + 1);
    if (!contended) return;
    QH_CELL_SET(&counters->contended, QH_CELL(&counters->contended) + 1);
    if (waited_ms > QH_CELL(&counters->longest_wait_ms))
        QH_CELL_SET(&counters->longest_wait_ms, waited_ms);
}

qh_lock_counters qh_mutex_counters(const qh_mutex *mutex) {
    const qh_lock_counters *counters = &mutex->counters;
    return (qh_lock_counters){QH_CELL(&counters->acquired), QH_CELL(&counters->contended),
                              QH_CELL(&counters->longest_wait_ms)};
}

bool qh_mutex_is_enrolled(const qh_mutex *mutex, uint32_t self) {
    return (qh__atomic_load(&mutex->enrolled) & (uint32_t)bit_of(self)) != 0;
}

bool qh_mutex_is_kept(const qh_mutex *mutex, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    return is_held_by(word, self) && (word & KEPT) != 0;
}

bool qh_mutex_try(qh_mutex *mutex, uint32_t self) {
    uint64_t word = 0;
    bool is_taken = qh__atomic_swap64(&mutex->word, &word, qh__held_by(self)) ||
                    take(mutex, self, qh_mutex_is_enrolled(mutex, self) ? 0 : bit_of(self), &word);
    if (is_taken) count_acquired(mutex, false, 0);
    return is_taken || (is_held_by(word, self) && (word & KEPT) != 0);
}

/* ---------------------------------------------------------------- waiting */

/* Enrols or, where the mutex became free or was handed over meanwhile, has it. */
static bool enroll(qh_mutex *mutex, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    for (;;) {
        if (is_held_by(word, self)) return true;
        if (take(mutex, self, bit_of(self), &word)) return true;
        if (is_held_by(word, self)) return true;
        /* A woken waiter that lost again has looked. */
        uint64_t next = word & bit_of(self) ? word & ~WOKEN : word | bit_of(self);
        if (next == word || qh__atomic_swap64(&mutex->word, &word, next)) return false;
    }
}

/* Wakes the next waiter of a free mutex whose word is `word`, unless somebody is awake already. */
static void wake_next(qh_mutex *mutex, qh_threads *threads, uint64_t word, uint32_t after) {
    while ((word & HOLDER) == 0 && (word & WAITERS) != 0 && (word & WOKEN) == 0)
        if (qh__atomic_swap64(&mutex->word, &word, word | WOKEN)) {
            qh_thread_wake(threads, next_waiter(word, after));
            return;
        }
}

/* True: it had been handed over. */
static bool stop_waiting(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    uint64_t next;
    do {
        if (is_held_by(word, self)) return true;
        next = word & ~(bit_of(self) | WOKEN);
        if ((next & WAITERS) == 0) next &= ~BARGES;
    } while (!qh__atomic_swap64(&mutex->word, &word, next));
    wake_next(mutex, threads, next, self); /* the wake-up may have been meant for this one */
    return false;
}

/* ---------------------------------------------------------------- keeping */

/* From here on the holder has the mutex in every call. */
static void keep(qh_mutex *mutex, qh_threads *threads, uint32_t self, bool waited) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    QH_ASSERT(is_held_by(word, self));
    if (word & KEPT) return;
    while (!qh__atomic_swap64(&mutex->word, &word, word | KEPT)) {
    }
    threads->places[self].keeps++;
    count_acquired(mutex, waited, 0);
}

static void set_enrolled(qh_mutex *mutex, uint32_t self, bool enrolled) {
    if (qh_mutex_is_enrolled(mutex, self) == enrolled) return;
    uint32_t bit = (uint32_t)bit_of(self);
    qh__atomic_add(&mutex->enrolled, enrolled ? bit : 0 - bit); /* nobody else changes that bit */
}

bool qh_mutex_enroll(qh_mutex *mutex, qh_threads *threads, uint32_t self, uint32_t *wakes) {
    *wakes = qh__thread_wakes(threads, self);
    bool waited = qh_mutex_is_enrolled(mutex, self);
    set_enrolled(mutex, self, true);
    if (!enroll(mutex, self)) return false;
    keep(mutex, threads, self, waited);
    set_enrolled(mutex, self, false);
    return true;
}

bool qh_mutex_withdraw(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    bool held = stop_waiting(mutex, threads, self);
    set_enrolled(mutex, self, false);
    return held;
}

void qh_mutex_release(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    QH_ASSERT(is_held_by(word, self));
    if (word & KEPT) {
        while (!qh__atomic_swap64(&mutex->word, &word, word & ~KEPT)) {
        }
        threads->places[self].keeps--;
    }
    qh_mutex_unlock(mutex, threads, self);
}

/* ---------------------------------------------------------------- locking */

/* How often it was worth looking, on average. By whom holds it. */
static void learn_spins(qh_mutex *mutex, uint64_t spins) {
    uint64_t before = QH_CELL(&mutex->spins);
    QH_CELL_SET(&mutex->spins, before + spins / 8 - before / 8);
}

/* Looks for a while. */
static bool spin(qh_mutex *mutex, uint32_t self, uint64_t mine, uint32_t most) {
    for (uint32_t i = 0; i < most; i++) {
        uint64_t word = qh__atomic_load64(&mutex->word);
        if (take(mutex, self, mine, &word)) {
            learn_spins(mutex, i);
            return true;
        }
        pause_briefly();
    }
    return false;
}

/* How often it is worth looking. */
static uint32_t spins_of(const qh_mutex *mutex, bool sleeps) {
#if defined(QH_MODEL)
    (void)mutex, (void)sleeps;
    return 1; /* more is more of the same */
#else
    uint64_t worth = 2 * QH_CELL(&mutex->spins) + 20;
    return sleeps ? (uint32_t)QH_MIN(worth, QH_MUTEX_SPINS_MAX) : QH_MUTEX_SPINS_AWAKE;
#endif
}

static qh_result sleep_for_it(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                              int64_t timeout_ns, uint64_t *waited_ms) {
    for (int64_t left = timeout_ns;;) {
        uint32_t wakes = qh__thread_wakes(threads, self);
        if (enroll(mutex, self)) return QH_OK;
        int64_t slice = QH_MIN(left, SLICE_NS);
        if (qh_thread_sleep(threads, self, wakes, slice)) continue;
        if (timeout_ns != QH_FOREVER) left -= slice;
        ++*waited_ms;
        if (left <= 0) return stop_waiting(mutex, threads, self) ? QH_OK : QH_BUSY;
    }
}

qh_result qh__mutex_lock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                int64_t timeout_ns) {
    const qh_thread *place = &threads->places[self];
    bool enrolled = qh_mutex_is_enrolled(mutex, self);
    uint64_t waited_ms = 0;
    if (timeout_ns == QH_UNLESS_KEEPING) timeout_ns = place->keeps > 0 ? 0 : QH_FOREVER;
    if (is_held_by(qh__atomic_load64(&mutex->word), self)) {
        QH_ASSERT(enrolled || qh_mutex_is_kept(mutex, self));
        keep(mutex, threads, self, true); /* handed over to one who has not looked yet */
        return QH_OK;
    }
    bool sleeps = place->may_sleep && !enrolled && timeout_ns > 0;
    if (!spin(mutex, self, enrolled ? 0 : bit_of(self), spins_of(mutex, sleeps))) {
        if (!sleeps) return QH_BUSY;
        QH_TRY(sleep_for_it(mutex, threads, self, timeout_ns, &waited_ms));
        learn_spins(mutex, QH_MUTEX_SPINS_MAX);
    }
    count_acquired(mutex, true, waited_ms);
    return QH_OK;
}

/* ---------------------------------------------------------------- unlocking */

/* Frees or hands over a mutex that `self`, who may be dead, holds; not where it is kept. */
void qh__mutex_unlock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    uint32_t served = mutex->served;
    uint32_t heir = QH_NO_THREAD;
    uint64_t next;
    do {
        QH_ASSERT(is_held_by(word, self));
        if (word & KEPT) return;
        bool hand_over = (word & WAITERS) != 0 && (word & BARGES) >= QH_MUTEX_PATIENCE * BARGE;
        heir = hand_over ? next_waiter(word, served) : QH_NO_THREAD;
        next = hand_over ? (word & WAITERS & ~bit_of(heir)) | qh__held_by(heir) : word & ~HOLDER;
        mutex->served = hand_over ? heir : served; /* after the swap it is somebody else's */
    } while (!qh__atomic_swap64(&mutex->word, &word, next));
    if (heir != QH_NO_THREAD)
        qh_thread_wake(threads, heir);
    else
        wake_next(mutex, threads, next, self);
}

bool qh_mutex_recover(qh_mutex *mutex, qh_threads *threads, uint32_t dead) {
    bool held = qh_mutex_withdraw(mutex, threads, dead);
    threads->places[dead].keeps = 0;
    if (!held) return false;
    uint64_t word = qh__atomic_load64(&mutex->word);
    while (!qh__atomic_swap64(&mutex->word, &word, word & ~KEPT)) {
    }
    qh__mutex_unlock_slowly(mutex, threads, dead);
    return true;
}

uint32_t qh_mutex_holder(const qh_mutex *mutex) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    return (word & HOLDER) == 0 ? QH_NO_THREAD : (uint32_t)((word & HOLDER) >> HOLDER_SHIFT) - 1;
}

#endif
