/** The locks under a scheduler that tries every interleaving: they hold, and each mistake put into them is found. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { available, buildModel } from './model.mjs';

const folder = mkdtempSync(join(tmpdir(), 'qhive-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds the model with sources in which `from` reads `to`, and runs it. */
function explore(name, mistake, args = []) {
    const program = buildModel(folder, name, mistake);
    const { status, signal, stdout, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 100_000 });
    expect(error).toBeUndefined();
    return { status, signal, stdout };
}

(available ? test : test.skip)('schedules with three preemptions keep the locks', () => {
    const { status, stdout } = explore('right', {}, ['--limit', '15000']);
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout.match(/^ok/gm)).toHaveLength(20);
    expect(status).toBe(0);
});

const MISTAKES = {
    'reads its wake-ups after it enrolled': { in: 'twice each',
        file: 'mutex.c',
        from: 'uint32_t wakes = qh__thread_wakes(threads, self);\n        if (enroll(mutex, self)) return QH_OK;',
        to: 'if (enroll(mutex, self)) return QH_OK;\n        uint32_t wakes = qh__thread_wakes(threads, self);',
    },
    'wakes nobody': { in: 'twice each', file: 'mutex.c', from: '    else\n        wake_next(mutex, threads, next, self);', to: '' },
    'does not wake whom it hands over to': { in: 'one waits', file: 'mutex.c', from: '        qh_thread_wake(threads, heir);', to: '        (void)threads;' },
    'takes a mutex that is held': { in: 'twice each', file: 'mutex.c', from: 'while ((*word & HOLDER) == 0)', to: 'while ((*word & WAITERS) == 0)' },
    'forgets the others who wait': { in: 'four threads', file: 'mutex.c', from: ': left | qh__held_by(self) |', to: ': qh__held_by(self) |' },
    'keeps the mark of a wake-up that was lost': { in: 'twice each', file: 'mutex.c', from: 'word & bit_of(self) ? word & ~WOKEN : word', to: 'word' },
    'never hands over': { in: 'one waits', file: 'mutex.c', from: '(word & BARGES) >= QH_MUTEX_PATIENCE * BARGE', to: '(word & BARGES) > BARGES' },
    'hands over in no order': { in: 'one waits', file: 'mutex.c', from: 'next_waiter(word, served)', to: 'next_waiter(word, 0)' },
    'withdraws from what was handed over': { in: 'mutex: timeouts',
        file: 'mutex.c', from: '        if (is_held_by(word, self)) return true;\n        next =', to: '        next =',
    },
    'withdraws with a wake-up meant for all': { in: 'mutex: timeouts', file: 'mutex.c', from: '    wake_next(mutex, threads, next, self); /*', to: '    /*' },
    'unlocks without looking': { in: 'tries', file: 'mutex.h', from: 'uint64_t word = qh__held_by(self);\n    if', to: 'uint64_t word = qh__atomic_load64(&mutex->word);\n    if' },
    'leaves the dead in the queue': { in: 'mutex: a death', file: 'mutex.c', from: 'bool held = qh_mutex_withdraw(mutex, threads, dead);', to: 'bool held = qh_mutex_holder(mutex) == dead;' },
    'lets readers in while one writes': { in: 'two readers', file: 'rwlock.c', from: 'while ((word & ~READERS) == 0)', to: 'while (true)' },
    'writes while others read': { in: 'two readers', file: 'rwlock.c', from: 'qh_result result = drain(lock, threads, self, timeout_ns);', to: 'qh_result result = QH_OK;' },
    'does not tell the writer': { in: 'two readers', file: 'rwlock.c', from: 'tell_writer(threads, change(lock, reader_bit(self), 0));', to: 'change(lock, reader_bit(self), 0), (void)threads;' },
    'keeps the gate after a timeout': { in: 'writers with timeouts', file: 'rwlock.c', from: 'if (QH_UNLIKELY(result != QH_OK)) qh_rwlock_end_write(lock, threads, self);', to: '' },
    'keeps the gate after a try': { in: 'rwlock: tries', file: 'rwlock.c', from: '    qh_mutex_unlock(&lock->gate, threads, self);\n    return false;', to: '    (void)threads;\n    return false;' },
    'leaves a dead reader inside': { in: 'death of a reader', file: 'rwlock.c', from: 'reader_bit(dead) | (wrote', to: '(wrote' },
    'leaves a dead writer inside': { in: 'death of a writer', file: 'rwlock.c', from: '(wrote ? ~READERS : 0)', to: '0' },
    'lets go of what is kept': { in: 'kept beside', file: 'mutex.c', from: '        if (word & KEPT) return;\n', to: '' },
    'keeps nothing': { in: 'kept beside', file: 'mutex.c', from: '    keep(mutex, threads, self, waited);\n    set_enrolled', to: '    set_enrolled' },
    'stops waiting when it takes the mutex past itself': { in: 'calls while', file: 'mutex.c', from: 'enrolled ? 0 : bit_of(self), spins_of', to: 'bit_of(self), spins_of' },
    'leaves the mark that it waits': { in: 'gives up', file: 'mutex.c', from: '    set_enrolled(mutex, self, false);\n    return held;', to: '    return held;' },
    'lets the dead keep it': { in: 'death of a keeper', file: 'mutex.c', from: 'while (!qh__atomic_swap64(&mutex->word, &word, word & ~KEPT)) {\n    }\n    qh__', to: 'qh__' },
    'ends what is kept to write': { in: 'kept to write', file: 'rwlock.c', from: 'if (word & KEPT_TO_WRITE) return;', to: '' },
    'keeps without waiting for the readers': { in: 'kept to write', file: 'rwlock.c', from: '    return is_drained(lock);\n', to: '    return true;\n' },
    'withdraws from the gate alone': { in: 'rwlock: gives up', file: 'rwlock.c', from: 'self)) qh_rwlock_release(lock, threads, self);', to: 'self)) qh_mutex_release(&lock->gate, threads, self);' },
    'leaves the gate to the dead': { in: 'death of a writer', file: 'rwlock.c', from: '    qh_mutex_recover(&lock->gate, threads, dead);\n', to: '' },
};

(available ? describe : describe.skip)('a lock is found out that', () => {
    test.each(Object.keys(MISTAKES))('%s', (name) => {
        const mistake = MISTAKES[name];
        const { signal, stdout } = explore(name.replaceAll(' ', '-'), mistake, ['--limit', '400000', '--only', mistake.in]);
        expect(/^not ok/m.test(stdout) || signal === 'SIGILL').toBe(true); // by the model or by an assertion of the lock's own
    });
});
