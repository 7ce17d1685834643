/* src/sync/rwlock.c over the mutex of lock.pml: WRITERS processes write, the others read, ROUNDS rounds each.
 *
 *   TIMEOUTS  writers may give up waiting, for the gate and for the readers
 *   DEATH     process 0 may die anywhere; the last process recovers what it left, then writes
 *
 * Asserted: nobody is inside beside a writer; once a writer has said so, no reader enters before it (it does not starve); who waits at the
 * gate is passed at most (PATIENCE + 1) * N times; in the end nothing is left over. No end but that is valid. */
#include "lock.pml"

#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef WRITERS
#define WRITERS 1
#endif
#define BYPASS_LIMIT ((PATIENCE + 1) * N)
#ifdef TIMEOUTS
#define MAY_TIME_OUT true
#else
#define MAY_TIME_OUT false
#endif

#define READERS 15
#define WRITER 112
#define WRITTEN_BY(i) (((i) + 1) << 4)

byte rw; /* bits 0-3 who reads, 4-6 1 + who writes or waits for the readers to leave */
byte writing, reading, passed[N], over;
bool dead;

/* What rw becomes without `take` and with `give`; in one step, for nothing else is decided between its load and its exchange. */
inline change(take_bits, give_bits) {
    d_step { rw = (rw & ~(take_bits)) | (give_bits) }
}

/* Whoever has just taken the gate has passed those who wait at it. */
inline passes() {
    d_step {
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
}

inline tell_writer() {
#ifndef BUG_TELL
    if
    :: (seen & READERS) == 0 && seen != 0 -> wake[(seen >> 4) - 1] = true
    :: else
    fi;
#endif
    seen = 0
}

inline end_read(who) {
    d_step { change(BIT(who), 0); seen = rw }
    tell_writer()
}

inline read() {
    d_step { /* no writer is there: the exchange finds it so */
        if
#ifdef BUG_READER
        :: true ->
#else
        :: (rw & ~READERS) == 0 ->
#endif
            rw = rw | BIT(self); held = true
        :: else -> held = false
        fi
    }
    if
    :: !held ->
        lock(false);
        passes();
        change(0, BIT(self));
        assert((rw & WRITER) == 0); /* no writer is passed */
        unlock()
    :: else
    fi;
    held = false
}

inline end_write() {
    change(WRITER, 0);
    unlock()
}

/* held: it may write. */
inline write() {
    lock(MAY_TIME_OUT);
    if
    :: held ->
        passes();
        change(0, WRITTEN_BY(self));
#ifndef BUG_DRAIN
        do
        :: wake[self] = false;
            if
            :: (rw & READERS) == 0 -> break
            :: else
            fi;
            if
            :: wake[self]
            :: MAY_TIME_OUT -> held = false; break
            fi
        od;
#endif
        wake[self] = false;
        if
#ifndef BUG_GATE
        :: !held -> end_write()
#endif
        :: else
        fi
    :: else
    fi
}

#define MINE byte i, round, seen

inline inside_reading() {
    d_step { assert(writing == 0); reading = reading | BIT(self) }
    d_step { assert(writing == 0); reading = reading & ~BIT(self) }
}

inline inside_writing() {
    d_step { assert(writing == 0 && reading == 0); writing = self + 1 }
    d_step { assert(writing == self + 1 && reading == 0); writing = 0 }
}

inline write_once() {
    write();
    if
    :: held -> inside_writing(); end_write()
    :: else
    fi;
    held = false
}

inline read_once() {
    read();
    inside_reading();
    end_read(self)
}

proctype user(byte self; bool writes) {
    LOCALS;
    MINE;
    do
    :: round < ROUNDS ->
        round++;
        if
        :: writes -> write_once()
        :: else -> read_once()
        fi
    :: round == ROUNDS -> break
    od;
    over++
}

#ifdef DEATH
proctype mortal(bool writes) {
    byte self = 0;
    LOCALS;
    MINE;
    {
        if
        :: writes -> write_once()
        :: else -> read_once()
        fi
    } unless { dead }
    over++
}

proctype undertaker() {
    byte self = N - 1;
    LOCALS;
    MINE;
    bool wrote;
    dead = true;
    over > 0;
    d_step {
        reading = reading & ~BIT(0);
        writing = (writing == 1 -> 0 : writing);
        wrote = ((rw & WRITER) == WRITTEN_BY(0));
#ifdef BUG_DEAD_READER
        if
        :: wrote -> rw = rw & ~WRITER
        :: else
        fi;
#else
#ifdef BUG_DEAD_WRITER
        rw = rw & ~BIT(0);
#else
        rw = rw & ~(BIT(0) | (wrote -> WRITER : 0));
#endif
#endif
        seen = rw
    }
    tell_writer();
#ifndef BUG_DEAD_GATE
    recover(0);
#endif
    held = false;
    assert((rw & BIT(0)) == 0 && (rw & WRITER) != WRITTEN_BY(0));
    write_once();
    over++
}
#endif

init {
    byte n;
    atomic {
#ifdef DEATH
        if
        :: run mortal(true)
        :: run mortal(false)
        fi;
        run undertaker();
        n = 1;
        do
        :: n < N - 1 -> run user(n, n < WRITERS); n++
        :: else -> break
        od
#else
        do
        :: n < N -> run user(n, n < WRITERS); n++
        :: else -> break
        od
#endif
    }
    over == N;
    assert(word == 0 && rw == 0)
}
