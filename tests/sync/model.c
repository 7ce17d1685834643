/* The locks of src/sync under every schedule with a bounded number of preemptions. Prints TAP.
 *
 *   model [--limit executions] [--only name]
 *
 * The same sources with a mistake put in must fail here: tests/sync/model.test.js does that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler.h"
#include "sync/rwlock.h"

static qh_threads threads;
static qh_mutex mutex;
static qh_rwlock rwlock;
static uint32_t inside, readers_inside, entries, refused;
static uint32_t waiting_since[MODEL_THREADS]; /* 1 + entries when the thread was first seen waiting; 0: it does not wait */
static uint32_t worst_bypass;

static void prepare(void) {
    memset(&threads, 0, sizeof threads);
    memset(&mutex, 0, sizeof mutex);
    memset(&rwlock, 0, sizeof rwlock);
    memset(waiting_since, 0, sizeof waiting_since);
    inside = readers_inside = entries = refused = 0;
    for (uint32_t t = 0; t < MODEL_THREADS; t++) qh_thread_open(&threads, t, true);
}

void qh_model_step(void);

/* Those who are in the word as waiting have been passed by one more. */
static void note_entry(uint32_t self) {
    entries++;
    waiting_since[self] = 0;
    for (uint32_t t = 0; t < MODEL_THREADS; t++) {
        bool waits = (mutex.word >> t & 1) != 0;
        if (!waits) continue;
        if (waiting_since[t] == 0) waiting_since[t] = entries;
        uint32_t passed = entries + 1 - waiting_since[t];
        if (passed > worst_bypass) worst_bypass = passed;
        MODEL_CHECK(passed <= (QH_MUTEX_PATIENCE + 1) * model_thread_count());
    }
}

/* What a mutex is for: nobody else is here. */
static void critical(uint32_t self) {
    MODEL_CHECK(inside == 0);
    MODEL_CHECK(qh_mutex_holder(&mutex) == self);
    inside++;
    note_entry(self);
    qh_model_step();
    inside--;
}

static void lock_and_unlock(uint32_t self) {
    MODEL_CHECK(qh_mutex_lock(&mutex, &threads, self, QH_FOREVER) == QH_OK);
    critical(self);
    qh_mutex_unlock(&mutex, &threads, self);
}

static void twice(uint32_t self) {
    lock_and_unlock(self);
    lock_and_unlock(self);
}

static void often(uint32_t self) {
    for (int i = 0; i < (self == 0 ? 1 : 6); i++) lock_and_unlock(self);
}

static void with_timeouts(uint32_t self) {
    for (int i = 0; i < 2; i++) {
        if (qh_mutex_lock(&mutex, &threads, self, self == 0 ? QH_FOREVER : 1) != QH_OK) {
            refused++;
            continue;
        }
        critical(self);
        qh_mutex_unlock(&mutex, &threads, self);
    }
}

static void with_tries(uint32_t self) {
    if (self != 0) {
        lock_and_unlock(self);
    } else if (qh_mutex_try(&mutex, self)) {
        critical(self);
        qh_mutex_unlock(&mutex, &threads, self);
    }
}

/* Thread 0 may be killed anywhere; the last thread buries it. */
static void with_death(uint32_t self) {
    bool is_undertaker = self == 2;
    model_shelter(self != 0);
    if (!is_undertaker) {
        lock_and_unlock(self);
        return;
    }
    model_await(0);
    if (model_is_dead(0)) {
        bool held = qh_mutex_holder(&mutex) == 0;
        MODEL_CHECK(qh_mutex_recover(&mutex, &threads, 0) == held);
        if (held) inside = 0;
        MODEL_CHECK(qh_mutex_holder(&mutex) != 0);
        MODEL_CHECK((mutex.word & 1) == 0);
    }
    lock_and_unlock(self);
}

/* ---------------------------------------------------------------- waiting with other calls in between */

/* What JavaScript does with Atomics.waitAsync: enrolls, does other things, looks again. */
static void enroll_and_keep(uint32_t self) {
    uint32_t wakes;
    while (!qh_mutex_enroll(&mutex, &threads, self, &wakes)) {
        MODEL_CHECK(qh_mutex_is_enrolled(&mutex, self));
        qh_thread_sleep(&threads, self, wakes, QH_FOREVER);
    }
    MODEL_CHECK(qh_mutex_is_kept(&mutex, self) && !qh_mutex_is_enrolled(&mutex, self));
    MODEL_CHECK(threads.places[self].keeps == 1);
}

/* The holder calls the room twice, which is not to let go of the lock. */
static void keeper(uint32_t self) {
    enroll_and_keep(self);
    lock_and_unlock(self);
    MODEL_CHECK(qh_mutex_holder(&mutex) == self);
    lock_and_unlock(self);
    qh_mutex_release(&mutex, &threads, self);
    MODEL_CHECK(threads.places[self].keeps == 0);
}

static void with_a_keeper(uint32_t self) {
    if (self == 0)
        keeper(self);
    else
        twice(self);
}

static void with_two_keepers(uint32_t self) {
    if (self == 2)
        lock_and_unlock(self);
    else
        keeper(self);
}

/* Takes the mutex past itself while it waits for it, or is told that it is busy; gives up or not. */
static void calls_meanwhile(uint32_t self, bool gives_up) {
    uint32_t wakes;
    bool has = qh_mutex_enroll(&mutex, &threads, self, &wakes);
    if (qh_mutex_lock(&mutex, &threads, self, QH_FOREVER) == QH_OK) {
        critical(self);
        qh_mutex_unlock(&mutex, &threads, self);
    }
    if (gives_up) {
        if (has || qh_mutex_withdraw(&mutex, &threads, self))
            qh_mutex_release(&mutex, &threads, self);
        MODEL_CHECK((mutex.word >> self & 1) == 0 && qh_mutex_holder(&mutex) != self);
        MODEL_CHECK(!qh_mutex_is_enrolled(&mutex, self) && threads.places[self].keeps == 0);
        return;
    }
    if (!has) {
        qh_thread_sleep(&threads, self, wakes, QH_FOREVER);
        enroll_and_keep(self);
    }
    critical(self);
    qh_mutex_release(&mutex, &threads, self);
}

static void with_calls_meanwhile(uint32_t self) {
    if (self == 0)
        calls_meanwhile(self, false);
    else
        twice(self);
}

static void with_withdrawals(uint32_t self) {
    if (self == 0)
        calls_meanwhile(self, true);
    else
        twice(self);
}

static void with_withdrawals_beside_a_keeper(uint32_t self) {
    if (self == 0)
        calls_meanwhile(self, true);
    else if (self == 1)
        keeper(self);
    else
        lock_and_unlock(self);
}

/* A thread that keeps the mutex, or waits for it, dies. */
static void with_a_dying_keeper(uint32_t self) {
    model_shelter(self != 0);
    if (self == 0) {
        keeper(self);
    } else if (self == 1) {
        lock_and_unlock(self);
    } else {
        model_await(0);
        if (model_is_dead(0)) {
            bool held = qh_mutex_holder(&mutex) == 0;
            MODEL_CHECK(qh_mutex_recover(&mutex, &threads, 0) == held);
            if (held) inside = 0;
            MODEL_CHECK((mutex.word & 1) == 0 && qh_mutex_holder(&mutex) != 0);
            MODEL_CHECK(mutex.enrolled == 0 && threads.places[0].keeps == 0);
        }
        lock_and_unlock(self);
    }
}

static const char *mutex_is_free(void) {
    return mutex.word != 0 || mutex.enrolled != 0 ? "the mutex is not as new" : inside != 0 ? "somebody is inside" : NULL;
}

static const char *all_entered(void) {
    return entries + refused != 6 ? "an entry is missing" : mutex_is_free();
}

/* ---------------------------------------------------------------- read-write lock */

static void read_once(uint32_t self) {
    MODEL_CHECK(qh_rwlock_read(&rwlock, &threads, self, QH_FOREVER) == QH_OK);
    readers_inside++;
    MODEL_CHECK(inside == 0);
    qh_model_step();
    MODEL_CHECK(inside == 0);
    readers_inside--;
    qh_rwlock_end_read(&rwlock, &threads, self);
}

static bool write_once(uint32_t self, int64_t timeout_ns) {
    if (qh_rwlock_write(&rwlock, &threads, self, timeout_ns) != QH_OK) return false;
    MODEL_CHECK(inside == 0 && readers_inside == 0);
    inside++;
    qh_model_step();
    MODEL_CHECK(inside == 1 && readers_inside == 0);
    inside--;
    qh_rwlock_end_write(&rwlock, &threads, self);
    return true;
}

static void one_writer(uint32_t self) {
    if (self == 0) {
        write_once(self, QH_FOREVER);
    } else {
        read_once(self);
        read_once(self);
    }
}

static void two_writers(uint32_t self) {
    if (self == 0)
        read_once(self);
    else
        write_once(self, QH_FOREVER);
}

static void writers_with_timeouts(uint32_t self) {
    if (self == 0)
        read_once(self);
    else if (!write_once(self, 1))
        refused++;
}

static void tried(uint32_t self) {
    if (self == 0) {
        read_once(self);
        write_once(self, QH_FOREVER);
    } else if (self == 1) {
        if (!qh_rwlock_try_write(&rwlock, &threads, self)) return;
        MODEL_CHECK(inside == 0 && readers_inside == 0);
        qh_model_step();
        MODEL_CHECK(inside == 0 && readers_inside == 0);
        qh_rwlock_end_write(&rwlock, &threads, self);
    } else {
        if (!qh_rwlock_try_read(&rwlock, self)) return;
        MODEL_CHECK(inside == 0);
        qh_model_step();
        MODEL_CHECK(inside == 0);
        qh_rwlock_end_read(&rwlock, &threads, self);
    }
}

static void death_of_a_reader_or_writer(uint32_t self, bool writes) {
    model_shelter(self != 0);
    if (self == 0) {
        if (writes)
            write_once(self, QH_FOREVER);
        else
            read_once(self);
    } else if (self == 1) {
        if (writes)
            read_once(self);
        else
            write_once(self, QH_FOREVER);
    } else {
        model_await(0);
        if (!model_is_dead(0)) return;
        if (writes) inside = 0; /* whatever it was about to do, it does no more */
        readers_inside -= writes || readers_inside == 0 ? 0 : 1;
        qh_rwlock_recover(&rwlock, &threads, 0);
        MODEL_CHECK((rwlock.word & 1) == 0 && rwlock.word >> 32 != 1);
        MODEL_CHECK(qh_mutex_holder(&rwlock.gate) != 0);
        write_once(self, QH_FOREVER);
    }
}

static void death_of_a_reader(uint32_t self) {
    death_of_a_reader_or_writer(self, false);
}

static void death_of_a_writer(uint32_t self) {
    death_of_a_reader_or_writer(self, true);
}

static void enroll_to_write(uint32_t self) {
    uint32_t wakes;
    while (!qh_rwlock_enroll(&rwlock, &threads, self, &wakes))
        qh_thread_sleep(&threads, self, wakes, QH_FOREVER);
    MODEL_CHECK(inside == 0 && readers_inside == 0);
}

/* Both kinds of calls have the lock that is kept, and leave it so. */
static void keep_to_write(uint32_t self) {
    enroll_to_write(self);
    write_once(self, QH_FOREVER);
    read_once(self);
    inside++;
    qh_model_step();
    MODEL_CHECK(inside == 1 && readers_inside == 0);
    inside--;
    qh_rwlock_release(&rwlock, &threads, self);
    MODEL_CHECK(threads.places[self].keeps == 0);
}

static void kept(uint32_t self) {
    if (self == 0)
        keep_to_write(self);
    else if (self == 1)
        read_once(self);
    else
        write_once(self, QH_FOREVER);
}

/* Calls while it waits, then gives up. */
static void withdrawn(uint32_t self) {
    uint32_t wakes;
    if (self != 0) {
        if (self == 1)
            read_once(self);
        else
            write_once(self, QH_FOREVER);
        return;
    }
    bool has = qh_rwlock_enroll(&rwlock, &threads, self, &wakes);
    if (qh_rwlock_read(&rwlock, &threads, self, QH_FOREVER) == QH_OK) {
        MODEL_CHECK(inside == 0);
        qh_model_step();
        MODEL_CHECK(inside == 0);
        qh_rwlock_end_read(&rwlock, &threads, self);
    }
    if (has)
        qh_rwlock_release(&rwlock, &threads, self);
    else
        qh_rwlock_withdraw(&rwlock, &threads, self);
    MODEL_CHECK((rwlock.word & 1) == 0 && rwlock.word >> 32 != 1 &&
                qh_mutex_holder(&rwlock.gate) != self && threads.places[self].keeps == 0);
}

static const char *rwlock_is_free(void) {
    return rwlock.word != 0 || rwlock.gate.word != 0 || rwlock.gate.enrolled != 0 ? "the lock is not as new" : NULL;
}

static const model_program PROGRAMS[] = {
    {"mutex: three threads, twice each", 3, prepare, twice, all_entered, 3, 0, 0},
    {"mutex: four threads", 4, prepare, lock_and_unlock, mutex_is_free, 3, 0, 0},
    {"mutex: one waits while two go on", 3, prepare, often, mutex_is_free, 3, 0, 0},
    {"mutex: timeouts", 3, prepare, with_timeouts, all_entered, 3, 2, 0},
    {"mutex: tries", 3, prepare, with_tries, mutex_is_free, 3, 0, 0},
    {"mutex: a death", 3, prepare, with_death, mutex_is_free, 3, 0, 1},
    {"mutex: kept beside two", 3, prepare, with_a_keeper, mutex_is_free, 3, 0, 0},
    {"mutex: kept by two", 3, prepare, with_two_keepers, mutex_is_free, 3, 0, 0},
    {"mutex: calls while it waits", 3, prepare, with_calls_meanwhile, mutex_is_free, 3, 0, 0},
    {"mutex: gives up", 3, prepare, with_withdrawals, mutex_is_free, 3, 0, 0},
    {"mutex: gives up beside a keeper", 3, prepare, with_withdrawals_beside_a_keeper, mutex_is_free, 3, 0, 0},
    {"mutex: the death of a keeper", 3, prepare, with_a_dying_keeper, mutex_is_free, 3, 0, 1},
    {"rwlock: kept to write", 3, prepare, kept, rwlock_is_free, 3, 0, 0},
    {"rwlock: gives up", 3, prepare, withdrawn, rwlock_is_free, 3, 0, 0},
    {"rwlock: two readers and a writer", 3, prepare, one_writer, rwlock_is_free, 3, 0, 0},
    {"rwlock: a reader and two writers", 3, prepare, two_writers, rwlock_is_free, 3, 0, 0},
    {"rwlock: writers with timeouts", 3, prepare, writers_with_timeouts, rwlock_is_free, 3, 2, 0},
    {"rwlock: tries", 3, prepare, tried, rwlock_is_free, 3, 0, 0},
    {"rwlock: the death of a reader", 3, prepare, death_of_a_reader, rwlock_is_free, 3, 0, 1},
    {"rwlock: the death of a writer", 3, prepare, death_of_a_writer, rwlock_is_free, 3, 0, 1},
};

int main(int argc, char **argv) {
    uint64_t limit = 100000;
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--limit") == 0)
            limit = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
    int failed = 0;
    size_t count = sizeof PROGRAMS / sizeof *PROGRAMS;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        const model_program *program = &PROGRAMS[i];
        if (only != NULL && strstr(program->name, only) == NULL) continue;
        worst_bypass = 0;
        model_result result = model_explore(program, limit);
        bool ok = result.failure == NULL;
        printf("%sok %zu - %s\n# %llu executions%s, preemptions %u", ok ? "" : "not ", i + 1, program->name,
               (unsigned long long)result.executions, result.complete ? ", all" : "", program->preemptions);
        printf(worst_bypass > 0 ? ", passed at most %u times\n" : "\n", worst_bypass);
        fflush(stdout);
        failed += !ok;
    }
    return failed > 0;
}
