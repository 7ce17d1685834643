/* The exports, in the module for threads, with which JavaScript waits for the lock of a room without blocking:
 *
 *     while (!qh_lock_enroll(id, waited)) await Atomics.waitAsync(words, numbers[0] >> 2, numbers[1], timeout).value;
 *     ... calls of the room, whose lock the thread has ...
 *     qh_lock_release(id);
 *
 * or, instead of looking again, qh_lock_withdraw(id): afterwards nothing of the wait is left. A thread waits for one lock at a time and
 * keeps one at a time, so that those who wait like this cannot deadlock; while it keeps one its calls wait for no other room
 * (QH_BUSY). Who keeps a lock keeps all other threads out of the room: it should not do so for long. */
#include "wasm/io.h"

#if QH_THREADS

/* One of the two. */
typedef struct lock_named {
    qh_mutex *mutex;
    qh_rwlock *rwlock;
} lock_named;

static QH_THREAD_LOCAL uint32_t awaited_lock, kept_lock; /* 1 + a qh_lock_id, 0: none */

/* The lock of a room that can be kept; those of memory and of the registry cannot. */
static qh_result room_lock(uint32_t id, lock_named *lock) {
    qh_runtime *opened = qh__instance();
    if (!opened) return QH_INVALID_STATE;
    if (id < QH_LOCK_FEDERATION || id >= QH_LOCK_COUNT) return QH_INVALID_ARGUMENT;
    lock->mutex = id == QH_LOCK_METRICS ? NULL : qh_runtime_lock(opened, id);
    lock->rwlock = id == QH_LOCK_METRICS ? &opened->metrics.lock : NULL;
    return lock->mutex || lock->rwlock ? QH_OK : QH_INVALID_STATE; /* no zones yet */
}

static void count_wait(const lock_named *lock, double waited_ms) {
    uint64_t *longest =
        &(lock->mutex ? lock->mutex : &lock->rwlock->gate)->counters.longest_wait_ms;
    if (waited_ms > (double)QH_CELL(longest) && waited_ms < 1e9)
        QH_CELL_SET(longest, (uint64_t)waited_ms);
}

/* 1: the thread has the lock of a room (2 federation, 3 metrics, 4 messages, 5 zones, 6 search) and keeps it. 0: it is enrolled; numbers: the
 * address of the word to wait on, the value to wait at. `waited_ms`: since when, by the caller's clock. QH_INVALID_STATE for a thread that
 * keeps a lock, or waits for another. */
EXPORT(int32_t, qh_lock_enroll, (uint32_t id, double waited_ms)) {
    lock_named lock;
    uint32_t wakes, self = qh__self();
    QH_TRY(room_lock(id, &lock));
    if (kept_lock || (awaited_lock && awaited_lock != id + 1)) return QH_INVALID_STATE;
    bool has = lock.mutex ? qh_mutex_enroll(lock.mutex, qh__threads(), self, &wakes)
                          : qh_rwlock_enroll(lock.rwlock, qh__threads(), self, &wakes);
    awaited_lock = has ? 0 : id + 1;
    kept_lock = has ? id + 1 : 0;
    if (has) count_wait(&lock, waited_ms);
    qh__io.numbers[0] = (double)(uintptr_t)&qh__threads()->places[self].wakes;
    qh__io.numbers[1] = (double)(int32_t)wakes;
    return has;
}

/* Ends a wait. QH_INVALID_STATE where there is none. */
EXPORT(int32_t, qh_lock_withdraw, (uint32_t id)) {
    lock_named lock;
    uint32_t self = qh__self();
    QH_TRY(room_lock(id, &lock));
    if (awaited_lock != id + 1) return QH_INVALID_STATE;
    awaited_lock = 0;
    if (lock.rwlock)
        qh_rwlock_withdraw(lock.rwlock, qh__threads(), self);
    else if (qh_mutex_withdraw(lock.mutex, qh__threads(), self))
        qh_mutex_release(lock.mutex, qh__threads(), self);
    return QH_OK;
}

/* Lets go of a lock that is kept. QH_INVALID_STATE where it is not. */
EXPORT(int32_t, qh_lock_release, (uint32_t id)) {
    lock_named lock;
    QH_TRY(room_lock(id, &lock));
    if (kept_lock != id + 1) return QH_INVALID_STATE;
    kept_lock = 0;
    if (lock.rwlock)
        qh_rwlock_release(lock.rwlock, qh__threads(), qh__self());
    else
        qh_mutex_release(lock.mutex, qh__threads(), qh__self());
    return QH_OK;
}

void qh__locks_end(void) {
    if (awaited_lock) qh_lock_withdraw(awaited_lock - 1);
    if (kept_lock) qh_lock_release(kept_lock - 1);
}

#endif
