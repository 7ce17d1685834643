/** The locks under a scheduler that tries every interleaving: they hold, and each mistake put into them is found. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
const works = compiler !== undefined && process.platform === 'linux'; // fibers need ucontext
const folder = mkdtempSync(join(tmpdir(), 'qhive-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds the model with sources in which `from` reads `to`, and runs it. */
function explore(name, { file, from, to } = {}, args = []) {
    const sources = join(folder, name);
    mkdirSync(sources);
    cpSync(join(root, 'src/sync'), join(sources, 'sync'), { recursive: true });
    if (file) {
        const path = join(sources, 'sync', file);
        const text = readFileSync(path, 'utf8');
        expect(text.split(from)).toHaveLength(2);
        writeFileSync(path, text.replace(from, () => to));
    }
    const files = ['thread.c', 'mutex.c', 'rwlock.c'].map((each) => join(sources, 'sync', each));
    const program = join(sources, 'model');
    const flags = ['-std=gnu17', '-O1', '-DQH_THREADS=1', '-DQH_MODEL', '-DQH_MUTEX_PATIENCE=2u', '-Wno-unused-function', '-Wno-unused-variable'];
    const includes = ['-I', sources, '-I', join(root, 'include'), '-I', join(root, 'src'), '-I', join(root, 'tests/sync')];
    const own = readdirSync(join(root, 'tests/sync')).filter((each) => each.endsWith('.c')).map((each) => join(root, 'tests/sync', each));
    const built = spawnSync(compiler, [...flags, ...includes, ...own, ...files, '-o', program], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    const { status, signal, stdout, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 100_000 });
    expect(error).toBeUndefined();
    return { status, signal, stdout };
}

(works ? test : test.skip)('every schedule with two or three preemptions keeps the locks', () => {
    const { status, stdout } = explore('right', {}, ['--limit', '10000']);
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout.match(/^ok/gm)).toHaveLength(12);
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
    'forgets the others who wait': { in: 'four threads', file: 'mutex.c', from: ': left | held_by(self) |', to: ': held_by(self) |' },
    'keeps the mark of a wake-up that was lost': { in: 'twice each', file: 'mutex.c', from: 'word & bit_of(self) ? word & ~WOKEN : word', to: 'word' },
    'never hands over': { in: 'one waits', file: 'mutex.c', from: '(word & BARGES) >= QH_MUTEX_PATIENCE * BARGE', to: '(word & BARGES) > BARGES' },
    'hands over in no order': { in: 'one waits', file: 'mutex.c', from: 'next_waiter(word, served)', to: 'next_waiter(word, 0)' },
    'withdraws from what was handed over': { in: 'mutex: timeouts',
        file: 'mutex.c', from: '        if (is_held_by(word, self)) return true;\n        next =', to: '        next =',
    },
    'withdraws with a wake-up meant for all': { in: 'mutex: timeouts', file: 'mutex.c', from: '    wake_next(mutex, threads, next, self); /*', to: '    /*' },
    'unlocks without looking': { in: 'tries', file: 'mutex.c', from: 'uint64_t word = held_by(self);\n    if', to: 'uint64_t word = qh__atomic_load64(&mutex->word);\n    if' },
    'leaves the dead in the queue': { in: 'mutex: a death', file: 'mutex.c', from: 'bool held = qh_mutex_withdraw(mutex, threads, dead);', to: 'bool held = qh_mutex_holder(mutex) == dead;' },
    'lets readers in while one writes': { in: 'two readers', file: 'rwlock.c', from: 'while ((word & ~READERS) == 0)', to: 'while (true)' },
    'writes while others read': { in: 'two readers', file: 'rwlock.c', from: 'qh_result result = drain(lock, threads, self, timeout_ns);', to: 'qh_result result = QH_OK;' },
    'does not tell the writer': { in: 'two readers', file: 'rwlock.c', from: 'if ((word & READERS) == 0 && word != 0)\n        qh_thread_wake(threads, (uint32_t)(word >> WRITER_SHIFT) - 1);\n}\n\nbool', to: '(void)threads, (void)word;\n}\n\nbool' },
    'keeps the gate after a timeout': { in: 'writers with timeouts', file: 'rwlock.c', from: 'if (QH_UNLIKELY(result != QH_OK)) qh_rwlock_end_write(lock, threads, self);', to: '' },
    'keeps the gate after a try': { in: 'rwlock: tries', file: 'rwlock.c', from: '    qh_mutex_unlock(&lock->gate, threads, self);\n    return false;', to: '    (void)threads;\n    return false;' },
    'leaves a dead reader inside': { in: 'death of a reader', file: 'rwlock.c', from: 'reader_bit(dead) | (wrote', to: '(wrote' },
    'leaves a dead writer inside': { in: 'death of a writer', file: 'rwlock.c', from: '(wrote ? ~READERS : 0)', to: '0' },
    'leaves the gate to the dead': { in: 'death of a writer', file: 'rwlock.c', from: '    qh_mutex_recover(&lock->gate, threads, dead);\n', to: '' },
};

(works ? describe : describe.skip)('a lock is found out that', () => {
    test.each(Object.keys(MISTAKES))('%s', (name) => {
        const mistake = MISTAKES[name];
        const { signal, stdout } = explore(name.replaceAll(' ', '-'), mistake, ['--limit', '400000', '--only', mistake.in]);
        expect(/^not ok/m.test(stdout) || signal === 'SIGILL').toBe(true); // by the model or by an assertion of the lock's own
    });
});
