/* How a shared, mutable room takes its lock: a line at the head of a function, and one at its end.
 *
 *     typedef struct thing { ...; QH_ROOM_MUTEX } thing;
 *     QH_ENTER(thing);            returns QH_BUSY where the lock cannot be waited for
 *     return QH_LEAVE(thing, result);
 *     QH_HOLD(name, thing);       the same, to the end of the scope
 *
 * Without QH_THREADS rooms have no locks, and these lines are nothing. With it, sync/thread.h knows which threads there are and which of
 * them calls.
 *
 * Locks are taken in this order: registry, federation, metrics, messages, zones, search, memory (qh_lock_id, memory last). A thread that
 * holds one takes only later ones, so no cycle of threads can wait for each other; assertions of level 2 hold every thread to it. Of the
 * rooms no function holds two, but for the validator of everything. */
#ifndef QH_SYNC_ROOM_H
#define QH_SYNC_ROOM_H

#include "sync/rwlock.h"

/* The locks of a runtime. */
typedef enum qh_lock_id {
    QH_LOCK_MEMORY, /* heap, pools, records; the innermost */
    QH_LOCK_REGISTRY, /* what there is: slots, plans, references, zones and knowledge as they are made */
    QH_LOCK_FEDERATION, /* rooms */
    QH_LOCK_METRICS,
    QH_LOCK_MESSAGES,
    QH_LOCK_ZONES,
    QH_LOCK_SEARCH, /* the knowledge */
    QH_LOCK_COUNT
} qh_lock_id;

#if QH_THREADS

QH_INLINE void qh__rank_enter(uint32_t lock_id) {
#if QH_ASSERT_LEVEL >= 2
    uint32_t bit = 1u << (lock_id == QH_LOCK_MEMORY ? QH_LOCK_COUNT : lock_id);
    QH_ASSERT2(qh__ranks_held < bit);
    qh__ranks_held |= bit;
#endif
    (void)lock_id;
}

QH_INLINE void qh__rank_leave(uint32_t lock_id) {
#if QH_ASSERT_LEVEL >= 2
    uint32_t bit = 1u << (lock_id == QH_LOCK_MEMORY ? QH_LOCK_COUNT : lock_id);
    QH_ASSERT2(qh__ranks_held & bit);
    qh__ranks_held &= ~bit;
#endif
    (void)lock_id;
}

/* Ends a rank that was entered for a lock which was not taken. */
QH_INLINE qh_result qh__rank_entered(uint32_t lock_id, qh_result result) {
    if (QH_UNLIKELY(result != QH_OK)) qh__rank_leave(lock_id);
    return result;
}

QH_INLINE qh_result qh__room_enter(qh_mutex *lock, uint32_t lock_id) {
    qh__rank_enter(lock_id);
    return qh__rank_entered(lock_id,
                            qh_mutex_lock(lock, qh__threads(), qh__self(), QH_UNLESS_KEEPING));
}

/* For who must go on even where the holder is dead: QH_BUSY after `QH_SOON_NS`. */
#define QH_SOON_NS INT64_C(100000000)
QH_INLINE qh_result qh__room_enter_soon(qh_mutex *lock, uint32_t lock_id) {
    int64_t timeout_ns = qh__threads()->places[qh__self()].keeps > 0 ? 0 : QH_SOON_NS;
    qh__rank_enter(lock_id);
    return qh__rank_entered(lock_id, qh_mutex_lock(lock, qh__threads(), qh__self(), timeout_ns));
}

QH_INLINE void qh__room_leave(qh_mutex *lock, uint32_t lock_id) {
    qh_mutex_unlock(lock, qh__threads(), qh__self());
    qh__rank_leave(lock_id);
}

QH_INLINE qh_result qh__room_enter_to(qh_rwlock *lock, uint32_t lock_id, bool write) {
    qh__rank_enter(lock_id);
    qh_result result = write ? qh_rwlock_write(lock, qh__threads(), qh__self(), QH_UNLESS_KEEPING)
                             : qh_rwlock_read(lock, qh__threads(), qh__self(), QH_UNLESS_KEEPING);
    return qh__rank_entered(lock_id, result);
}

QH_INLINE void qh__room_leave_to(qh_rwlock *lock, uint32_t lock_id, bool write) {
    if (write)
        qh_rwlock_end_write(lock, qh__threads(), qh__self());
    else
        qh_rwlock_end_read(lock, qh__threads(), qh__self());
    qh__rank_leave(lock_id);
}

/* A lock held to the end of a scope. */
typedef struct qh_held {
    qh_mutex *lock;
    uint32_t lock_id;
} qh_held;

QH_INLINE qh_result qh__hold(qh_held *held, qh_mutex *lock, uint32_t lock_id) {
    QH_TRY(qh__room_enter(lock, lock_id));
    *held = (qh_held){lock, lock_id};
    return QH_OK;
}

QH_INLINE void qh__hold_end(const qh_held *held) {
    if (held->lock) qh__room_leave(held->lock, held->lock_id);
}

#define QH_ROOM_MUTEX                                                                              \
    qh_mutex lock;                                                                                 \
    uint32_t lock_id;
#define QH_ROOM_RWLOCK                                                                             \
    qh_rwlock lock;                                                                                \
    uint32_t lock_id;
#define QH_ENTER(room) QH_TRY(qh__room_enter(&(room)->lock, (room)->lock_id))
#define QH_ENTER_TO_READ(room) QH_TRY(qh__room_enter_to(&(room)->lock, (room)->lock_id, false))
#define QH_ENTER_TO_WRITE(room) QH_TRY(qh__room_enter_to(&(room)->lock, (room)->lock_id, true))
#define QH_LEAVE(room, result) (qh__room_leave(&(room)->lock, (room)->lock_id), (result))
#define QH_LEAVE_READING(room, result)                                                             \
    (qh__room_leave_to(&(room)->lock, (room)->lock_id, false), (result))
#define QH_LEAVE_WRITING(room, result)                                                             \
    (qh__room_leave_to(&(room)->lock, (room)->lock_id, true), (result))
#define QH_HOLD(held, room)                                                                        \
    __attribute__((cleanup(qh__hold_end))) qh_held held = {0};                                     \
    QH_TRY(qh__hold(&held, &(room)->lock, (room)->lock_id))

#else

#define QH_ROOM_MUTEX
#define QH_ROOM_RWLOCK
#define QH_ENTER(room) ((void)0)
#define QH_ENTER_TO_READ(room) ((void)0)
#define QH_ENTER_TO_WRITE(room) ((void)0)
#define QH_LEAVE(room, result) (result)
#define QH_LEAVE_READING(room, result) (result)
#define QH_LEAVE_WRITING(room, result) (result)
#define QH_HOLD(held, room) ((void)0)

#endif
#endif
