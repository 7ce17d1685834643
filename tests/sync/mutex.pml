/* The mutex: N processes, ROUNDS rounds each (0: for ever).
 *
 *   TIMEOUTS  all but process 0 may give up waiting
 *   KEEPER    process 0 waits by other means, keeps the mutex and takes it once more while it does
 *   DEATH     process 0 may die anywhere; whoever notices recovers what it left
 *
 * Asserted: one is inside at a time; whoever waits is passed at most (PATIENCE + 1) * N times; in the end nothing is left over. No end
 * but that is valid: nobody sleeps for ever. */
#include "lock.pml"

#ifndef ROUNDS
#define ROUNDS 2
#endif
#define BYPASS_LIMIT ((PATIENCE + 1) * N)
#ifdef TIMEOUTS
#define MAY_TIME_OUT (self != 0)
#else
#define MAY_TIME_OUT false
#endif

byte inside, passed[N], over;
bool dead;

inline critical() {
    d_step {
        assert(inside == 0);
        assert(IS_HELD_BY(word, self));
        inside = self + 1;
        i = 0;
        do
        :: i < N ->
            if
            :: i != self && (word & BIT(i)) -> passed[i]++; assert(passed[i] <= BYPASS_LIMIT)
            :: else -> passed[i] = 0
            fi;
            i++
        :: else -> break
        od;
        i = 0
    }
    inside = 0
}

proctype user(byte self) {
    LOCALS;
    byte i, round;
    do
    :: ROUNDS == 0 || round < ROUNDS ->
        if
        :: ROUNDS != 0 -> round++
        :: else
        fi;
        lock(MAY_TIME_OUT);
        if
        :: held -> critical(); unlock(); held = false
        :: else
        fi
    :: ROUNDS != 0 && round == ROUNDS -> break
    od;
    over++
}

#ifdef KEEPER
inline nested() {
    w = 0;
    exchange(HELD_BY(self));
    assert(!ok && IS_HELD_BY(w, self) && (w & KEPT) != 0);
    critical();
    unlock();
    assert(IS_HELD_BY(word, self))
}

proctype keeper() {
    byte self = 0;
    LOCALS;
    byte i, round;
    do
    :: ROUNDS == 0 || round < 1 ->
        if
        :: ROUNDS != 0 -> round++
        :: else
        fi;
        held = false;
        do
        :: held -> keep(); nested(); stop_keeping(); unlock(); break
        :: else ->
            wake[self] = false;
            enroll();
            if
            :: held
            :: !held && wake[self]
            :: !held -> /* gives up */
                withdraw(self);
                if
                :: held -> unlock()
                :: else
                fi;
                assert((word & BIT(self)) == 0);
                break
            fi
        od
    :: ROUNDS != 0 && round == 1 -> break
    od;
    over++
}
#endif

#ifdef DEATH
proctype mortal() {
    byte self = 0;
    LOCALS;
    byte i, round;
    { lock(false); critical(); unlock() } unless { dead }
    over++
}

proctype undertaker() {
    byte self = N - 1;
    LOCALS;
    byte i, round;
    dead = true;
    over > 0; /* it is over with, by itself or not */
    d_step {
        if
        :: inside == 1 -> inside = 0
        :: else
        fi
    }
    recover(0);
    assert(!IS_HELD_BY(word, 0) && (word & BIT(0)) == 0);
    lock(false);
    critical();
    unlock();
    over++
}
#endif

init {
    byte n;
    atomic {
#ifdef DEATH
        run mortal();
        run undertaker();
        n = 1;
        do
        :: n < N - 1 -> run user(n); n++
        :: else -> break
        od
#else
#ifdef KEEPER
        run keeper();
        n = 1;
#endif
        do
        :: n < N -> run user(n); n++
        :: else -> break
        od
#endif
    }
    over == N;
    assert(word == 0)
}
