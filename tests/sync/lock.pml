/* src/sync/mutex.c in Promela, an exchange a step, for mutex.pml and rwlock.pml. Each process has `self` and the LOCALS.
 *
 * The word: bits 0-3 who waits, 4-6 1 + who holds it, 7-9 barges, 10 woken, 11 kept. `wake[i]` stands for "the counter of place i is no longer
 * what it was when it was last read". Every BUG_ is a mistake that must be found. */
#ifndef N
#define N 3
#endif
#ifndef PATIENCE
#define PATIENCE 1
#endif
#define NOBODY 7

#define BIT(i) (1 << (i))
#define WAITERS 15
#define HOLDER 112
#define HELD_BY(i) (((i) + 1) << 4)
#define BARGE 128
#define BARGES 896
#define WOKEN 1024
#define KEPT 2048
#define IS_HELD_BY(x, i) (((x) & HOLDER) == HELD_BY(i))

#ifdef BUG_HELD
#define SEEMS_FREE(x) (((x) & WAITERS) == 0)
#else
#define SEEMS_FREE(x) (((x) & HOLDER) == 0)
#endif

#define LOCALS short w, next; bool ok, held; byte heir, before

short word;
byte served;
bool wake[N];

/* What a process no longer needs makes no states. */
inline forget() {
    d_step { w = 0; next = 0; heir = 0; before = 0; ok = false }
}

/* The word that was read is still there: it is `value` now. Otherwise it is read again. */
inline exchange(value) {
    d_step {
        if
        :: word == w -> word = value; w = word; ok = true
        :: else -> w = word; ok = false
        fi;
        next = 0
    }
}

/* next: the word after self took it. */
inline taken(mine) {
    d_step {
        next = w & WAITERS & ~(mine);
        if
        :: next == 0 -> next = HELD_BY(self)
#ifdef BUG_WAITERS
        :: else -> next = HELD_BY(self) | ((w & BARGES) + BARGE)
#else
        :: else ->
            next = next | HELD_BY(self) | ((w & BARGES) + BARGE);
            if
            :: (w & (mine)) == 0 -> next = next | (w & WOKEN)
            :: else
            fi
#endif
        fi
    }
}

inline take(mine) {
    ok = false;
    do
    :: atomic { !ok && SEEMS_FREE(w) -> taken(mine); exchange(next) }
    :: else -> break
    od
}

/* heir: who waits next after `after`, in turn. */
inline choose_waiter(bits, after) {
    d_step {
#ifdef BUG_ROUND
        heir = 0;
#else
        heir = (after + 1) % N;
#endif
        do
        :: (bits & BIT(heir)) == 0 -> heir = (heir + 1) % N
        :: else -> break
        od
    }
}

inline wake_next(after) {
    do
    :: atomic {
            (w & HOLDER) == 0 && (w & WAITERS) != 0 && (w & WOKEN) == 0 ->
            choose_waiter(w, after);
            exchange(w | WOKEN)
        }
        if
        :: ok -> d_step { wake[heir] = true; forget() } break
        :: else -> heir = 0
        fi
    :: else -> break
    od
}

/* held: it has it. Otherwise it is enrolled. */
inline enroll() {
    w = word;
    do
    :: IS_HELD_BY(w, self) -> d_step { held = true; forget() } break
    :: else ->
        take(BIT(self));
        if
        :: ok || IS_HELD_BY(w, self) -> d_step { held = true; forget() } break
        :: atomic {
                else ->
#ifdef BUG_WOKEN
                next = (w & BIT(self) -> w : w | BIT(self));
#else
                next = (w & BIT(self) -> w & ~WOKEN : w | BIT(self));
#endif
                if
                :: next == w -> ok = true /* nothing to change */
                :: else -> exchange(next)
                fi
            }
            if
            :: ok -> d_step { held = false; forget() } break
            :: else
            fi
        fi
    od
}

/* held: it had been handed over. */
inline withdraw(who) {
    w = word;
    held = false;
    do
#ifndef BUG_WITHDRAW
    :: IS_HELD_BY(w, who) -> held = true; break
#endif
    :: atomic {
            else ->
            next = w & ~(BIT(who) | WOKEN);
            if
            :: (next & WAITERS) == 0 -> next = next & ~BARGES
            :: else
            fi;
            exchange(next)
        }
        if
        :: ok -> break
        :: else
        fi
    od;
#ifndef BUG_TIMEOUT
    if
    :: !held -> wake_next(who)
    :: else
    fi;
#endif
    forget()
}

/* held: taken; false only after a timeout. */
inline lock(may_time_out) {
    atomic { w = 0; exchange(HELD_BY(self)); held = ok }
    if
    :: !held -> /* one look, then sleep */
        w = word;
        take(BIT(self));
        d_step { held = ok; forget() }
        do
        :: held -> break
        :: else ->
#ifdef BUG_ORDER
            enroll();
            wake[self] = false;
#else
            wake[self] = false;
            enroll();
#endif
            if
            :: held -> break
            :: !held && wake[self]
            :: !held && may_time_out -> withdraw(self); break
            fi
        od
    :: else
    fi;
    d_step { forget(); wake[self] = false }
}

inline unlock_slowly(who) {
    w = word;
    before = served;
    do
    :: assert(IS_HELD_BY(w, who));
#ifndef BUG_KEPT
        if
        :: (w & KEPT) != 0 -> heir = NOBODY; w = HELD_BY(who); break /* and wakes nobody */
        :: else
        fi;
#endif
        d_step {
            if
#ifdef BUG_PATIENCE
            :: false ->
#else
            :: (w & WAITERS) != 0 && (w & BARGES) >= PATIENCE * BARGE ->
#endif
                choose_waiter(w, before);
                next = (w & WAITERS & ~BIT(heir)) | HELD_BY(heir)
            :: else ->
                heir = NOBODY;
                next = w & ~HOLDER
            fi
        }
        served = (heir != NOBODY -> heir : before); /* after the exchange it is somebody else's */
        exchange(next);
        if
        :: ok -> break
        :: else
        fi
    od;
    if
#ifdef BUG_HEIR
    :: heir != NOBODY
#else
    :: heir != NOBODY -> wake[heir] = true
#endif
#ifdef BUG_WAKE
    :: else
#else
    :: else -> wake_next(who)
#endif
    fi;
    forget()
}

inline unlock() {
    atomic { w = HELD_BY(self); exchange(0) }
    if
    :: !ok -> unlock_slowly(self)
    :: else -> forget()
    fi
}

/* Takes what is held across calls until it is let go. */
inline keep() {
    w = word;
    do
    :: exchange(w | KEPT);
        if
        :: ok -> break
        :: else
        fi
    od;
    forget()
}

inline stop_keeping() {
    w = word;
    do
    :: exchange(w & ~KEPT);
        if
        :: ok -> break
        :: else
        fi
    od;
    forget()
}

/* held: the dead one had it. */
inline recover(who) {
#ifdef BUG_RECOVER
    held = IS_HELD_BY(word, who);
#else
    withdraw(who);
#endif
    if
    :: held -> stop_keeping(); unlock_slowly(who)
    :: else
    fi;
    forget()
}
