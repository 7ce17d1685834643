#include "sync/mutex.h"

#if QH_THREADS

#define WAITERS UINT64_C(0xFFFFFFFF)
#define HOLDER_SHIFT 32
#define HOLDER (UINT64_C(0xFF) << HOLDER_SHIFT)
#define BARGE (UINT64_C(1) << 40)
#define BARGES (UINT64_C(0xFF) << 40)
#define WOKEN (UINT64_C(1) << 48)

#if defined(QH_MODEL)
#define SPINS 1 /* more is more of the same */
#else
#define SPINS 100
#endif
#define SLICE_NS INT64_C(1000000)

static uint64_t bit_of(uint32_t thread) {
    return UINT64_C(1) << thread;
}

static uint64_t held_by(uint32_t thread) {
    return (uint64_t)(thread + 1) << HOLDER_SHIFT;
}

static bool is_held_by(uint64_t word, uint32_t thread) {
    return (word & HOLDER) == held_by(thread);
}

/* The word after `self` took a free mutex: no waiter any more, and one more barge if others wait. */
static uint64_t taken(uint64_t word, uint32_t self) {
    uint64_t left = word & WAITERS & ~bit_of(self);
    uint64_t woken = word & bit_of(self) ? 0 : word & WOKEN;
    return left == 0 ? held_by(self) : left | held_by(self) | ((word & BARGES) + BARGE) | woken;
}

/* Takes the mutex while it is free. `*word` is what it was seen as, and is seen as afterwards. */
static bool take(qh_mutex *mutex, uint32_t self, uint64_t *word) {
    while ((*word & HOLDER) == 0)
        if (qh__atomic_swap64(&mutex->word, word, taken(*word, self))) return true;
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

bool qh_mutex_try(qh_mutex *mutex, uint32_t self) {
    uint64_t word = 0;
    bool is_taken =
        qh__atomic_swap64(&mutex->word, &word, held_by(self)) || take(mutex, self, &word);
    if (is_taken) mutex->counters.acquired++;
    return is_taken;
}

/* Enrols or, where the mutex became free or was handed over meanwhile, has it. */
static bool enroll(qh_mutex *mutex, uint32_t self) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    for (;;) {
        if (is_held_by(word, self)) return true;
        if (take(mutex, self, &word)) return true;
        if (is_held_by(word, self)) return true;
        /* A woken waiter that lost again has looked. */
        uint64_t next = word & bit_of(self) ? word & ~WOKEN : word | bit_of(self);
        if (next == word || qh__atomic_swap64(&mutex->word, &word, next)) return false;
    }
}

bool qh_mutex_enroll(qh_mutex *mutex, qh_threads *threads, uint32_t self, uint32_t *wakes) {
    *wakes = qh__thread_wakes(threads, self);
    return enroll(mutex, self);
}

/* Wakes the next waiter of a free mutex whose word is `word`, unless somebody is awake already. */
static void wake_next(qh_mutex *mutex, qh_threads *threads, uint64_t word, uint32_t after) {
    while ((word & HOLDER) == 0 && (word & WAITERS) != 0 && (word & WOKEN) == 0)
        if (qh__atomic_swap64(&mutex->word, &word, word | WOKEN)) {
            qh_thread_wake(threads, next_waiter(word, after));
            return;
        }
}

bool qh_mutex_withdraw(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
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

static QH_NOINLINE qh_result lock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                         int64_t timeout_ns, uint32_t *waited_ms) {
    for (int i = 0; i < SPINS; i++) {
        uint64_t word = qh__atomic_load64(&mutex->word);
        if (take(mutex, self, &word)) return QH_OK;
        pause_briefly();
    }
    if (!threads->places[self].may_sleep || timeout_ns <= 0) return QH_BUSY;
    for (int64_t left = timeout_ns;;) {
        uint32_t wakes = qh__thread_wakes(threads, self);
        if (enroll(mutex, self)) return QH_OK;
        int64_t slice = QH_MIN(left, SLICE_NS);
        if (qh_thread_sleep(threads, self, wakes, slice)) continue;
        if (timeout_ns != QH_FOREVER) left -= slice;
        ++*waited_ms;
        if (left <= 0) return qh_mutex_withdraw(mutex, threads, self) ? QH_OK : QH_BUSY;
    }
}

qh_result qh_mutex_lock(qh_mutex *mutex, qh_threads *threads, uint32_t self, int64_t timeout_ns) {
    uint64_t word = 0;
    if (QH_UNLIKELY(!qh__atomic_swap64(&mutex->word, &word, held_by(self)))) {
        QH_ASSERT(!is_held_by(word, self));
        uint32_t waited_ms = 0;
        QH_TRY(lock_slowly(mutex, threads, self, timeout_ns, &waited_ms));
        mutex->counters.contended++;
        mutex->counters.longest_wait_ms = QH_MAX(mutex->counters.longest_wait_ms, waited_ms);
    }
    mutex->counters.acquired++;
    return QH_OK;
}

/* Frees or hands over a mutex that `self`, who may be dead, holds. */
static QH_NOINLINE void unlock_slowly(qh_mutex *mutex, qh_threads *threads, uint32_t self,
                                      uint64_t word) {
    uint32_t served = mutex->served;
    uint32_t heir = QH_NO_THREAD;
    uint64_t next;
    do {
        QH_ASSERT(is_held_by(word, self));
        bool hand_over = (word & WAITERS) != 0 && (word & BARGES) >= QH_MUTEX_PATIENCE * BARGE;
        heir = hand_over ? next_waiter(word, served) : QH_NO_THREAD;
        next = hand_over ? (word & WAITERS & ~bit_of(heir)) | held_by(heir) : word & ~HOLDER;
        mutex->served = hand_over ? heir : served; /* after the swap it is somebody else's */
    } while (!qh__atomic_swap64(&mutex->word, &word, next));
    if (heir != QH_NO_THREAD)
        qh_thread_wake(threads, heir);
    else
        wake_next(mutex, threads, next, self);
}

void qh_mutex_unlock(qh_mutex *mutex, qh_threads *threads, uint32_t self) {
    uint64_t word = held_by(self);
    if (QH_UNLIKELY(!qh__atomic_swap64(&mutex->word, &word, 0)))
        unlock_slowly(mutex, threads, self, word);
}

bool qh_mutex_recover(qh_mutex *mutex, qh_threads *threads, uint32_t dead) {
    bool held = qh_mutex_withdraw(mutex, threads, dead);
    if (held) unlock_slowly(mutex, threads, dead, qh__atomic_load64(&mutex->word));
    return held;
}

uint32_t qh_mutex_holder(const qh_mutex *mutex) {
    uint64_t word = qh__atomic_load64(&mutex->word);
    return (word & HOLDER) == 0 ? QH_NO_THREAD : (uint32_t)((word & HOLDER) >> HOLDER_SHIFT) - 1;
}

#endif
