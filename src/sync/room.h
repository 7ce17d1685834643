/* How a shared, mutable room takes its lock: a line at the head of a function, and one at its end.
 *
 *     typedef struct thing { ...; QH_ROOM_MUTEX } thing;
 *     QH_ENTER(thing);            returns QH_BUSY where the lock cannot be waited for
 *     return QH_LEAVE(thing, result);
 *
 * Without QH_THREADS rooms have no locks, and these lines are nothing. With it, sync/thread.h knows which threads there are and which of
 * them calls. No room calls another while it holds its lock: the locks have no order. */
#ifndef QH_SYNC_ROOM_H
#define QH_SYNC_ROOM_H

#include "sync/rwlock.h"

#if QH_THREADS

#define QH_ROOM_MUTEX qh_mutex lock;
#define QH_ROOM_RWLOCK qh_rwlock lock;
#define QH_ENTER(room) QH_TRY(qh_mutex_lock(&(room)->lock, qh__threads(), qh__self(), QH_FOREVER))
#define QH_ENTER_TO_READ(room)                                                                     \
    QH_TRY(qh_rwlock_read(&(room)->lock, qh__threads(), qh__self(), QH_FOREVER))
#define QH_ENTER_TO_WRITE(room)                                                                    \
    QH_TRY(qh_rwlock_write(&(room)->lock, qh__threads(), qh__self(), QH_FOREVER))
#define QH_LEAVE(room, result) (qh_mutex_unlock(&(room)->lock, qh__threads(), qh__self()), (result))
#define QH_LEAVE_READING(room, result)                                                             \
    (qh_rwlock_end_read(&(room)->lock, qh__threads(), qh__self()), (result))
#define QH_LEAVE_WRITING(room, result)                                                             \
    (qh_rwlock_end_write(&(room)->lock, qh__threads(), qh__self()), (result))

#else

#define QH_ROOM_MUTEX
#define QH_ROOM_RWLOCK
#define QH_ENTER(room) ((void)0)
#define QH_ENTER_TO_READ(room) ((void)0)
#define QH_ENTER_TO_WRITE(room) ((void)0)
#define QH_LEAVE(room, result) (result)
#define QH_LEAVE_READING(room, result) (result)
#define QH_LEAVE_WRITING(room, result) (result)

#endif
#endif
