/* The locks under native threads, for ThreadSanitizer: what they guard is plain memory, so a lock that does not hold is a race. All ways
 * to take them at once: at once, with a timeout, as a try, kept from call to call, given up. Prints a line for each thing that is wrong;
 * exits with how many. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync/rwlock.h"

#define THREADS 8u

static qh_threads threads;
static qh_mutex mutex;
static qh_rwlock rwlock;
static uint64_t guarded, twin, entries[THREADS], writes[THREADS];
static uint64_t left_half, right_half;
static uint32_t rounds, wrong;

static void expect(bool holds, const char *what) {
    if (holds) return;
    __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    printf("not ok %s\n", what);
}

static void inside(uint32_t self) {
    expect(guarded == twin, "the mutex keeps others out");
    guarded++;
    entries[self]++;
    twin++;
}

/* Enrolls, sleeps until it is woken, keeps the mutex over two calls; or gives up. */
static void keep(uint32_t self, bool gives_up) {
    uint32_t wakes;
    while (!qh_mutex_enroll(&mutex, &threads, self, &wakes)) {
        if (gives_up) {
            if (qh_mutex_withdraw(&mutex, &threads, self)) qh_mutex_release(&mutex, &threads, self);
            return;
        }
        qh_thread_sleep(&threads, self, wakes, 10000000);
    }
    for (int i = 0; i < 2; i++) {
        expect(qh_mutex_lock(&mutex, &threads, self, 0) == QH_OK, "what is kept is there");
        inside(self);
        qh_mutex_unlock(&mutex, &threads, self);
    }
    qh_mutex_release(&mutex, &threads, self);
}

static void use_mutex(uint32_t self, uint32_t round) {
    bool has = false;
    switch (round % 8) {
    case 0: keep(self, false); return;
    case 1: keep(self, true); return;
    case 2: has = qh_mutex_try(&mutex, self); break;
    case 3: has = qh_mutex_lock(&mutex, &threads, self, 1000000) == QH_OK; break;
    default: has = qh_mutex_lock(&mutex, &threads, self, QH_FOREVER) == QH_OK; break;
    }
    if (!has) return;
    inside(self);
    qh_mutex_unlock(&mutex, &threads, self);
}

static void write_both(uint32_t self) {
    expect(left_half == right_half, "the writer is alone");
    left_half++;
    writes[self]++;
    right_half++;
}

static void use_rwlock(uint32_t self, uint32_t round) {
    uint32_t wakes;
    if (round % 16 == 0) {
        while (!qh_rwlock_enroll(&rwlock, &threads, self, &wakes)) qh_thread_sleep(&threads, self, wakes, 10000000);
        expect(qh_rwlock_write(&rwlock, &threads, self, QH_FOREVER) == QH_OK, "what is kept is there");
        write_both(self);
        qh_rwlock_end_write(&rwlock, &threads, self);
        qh_rwlock_release(&rwlock, &threads, self);
    } else if (round % 16 == 8) {
        if (qh_rwlock_write(&rwlock, &threads, self, round % 32 == 8 ? 1000000 : QH_FOREVER) != QH_OK) return;
        write_both(self);
        qh_rwlock_end_write(&rwlock, &threads, self);
    } else if (round % 16 == 5) {
        if (qh_rwlock_enroll(&rwlock, &threads, self, &wakes))
            qh_rwlock_release(&rwlock, &threads, self);
        else
            qh_rwlock_withdraw(&rwlock, &threads, self);
    } else {
        expect(qh_rwlock_read(&rwlock, &threads, self, QH_FOREVER) == QH_OK, "a reader gets in");
        expect(left_half == right_half, "nobody writes beside a reader");
        qh_rwlock_end_read(&rwlock, &threads, self);
    }
}

static void *run(void *argument) {
    uint32_t self = *(uint32_t *)argument;
    for (uint32_t round = 0; round < rounds; round++) {
        use_mutex(self, round + self);
        use_rwlock(self, round + self);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t started[THREADS];
    uint32_t numbers[THREADS];
    uint64_t all = 0, written = 0;
    rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
    for (uint32_t i = 0; i < THREADS; i++) qh_thread_open(&threads, i, true);
    for (uint32_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&started[i], NULL, run, &numbers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(started[i], NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        all += entries[i];
        written += writes[i];
        expect(threads.places[i].keeps == 0, "nothing is kept in the end");
    }
    expect(guarded == all && twin == all, "no entry is lost");
    expect(left_half == written && right_half == written, "no write is lost");
    expect(mutex.word == 0 && mutex.enrolled == 0, "the mutex is as new");
    expect(rwlock.word == 0 && rwlock.gate.word == 0 && rwlock.gate.enrolled == 0, "the lock is as new");
    qh_lock_counters counters = qh_mutex_counters(&mutex);
    expect(counters.acquired <= all && counters.contended <= counters.acquired, "the counters are possible");
    printf("%u threads, %llu entries, %llu of them waited for, %llu writes\n", THREADS, (unsigned long long)all,
           (unsigned long long)counters.contended, (unsigned long long)written);
    return (int)wrong;
}
