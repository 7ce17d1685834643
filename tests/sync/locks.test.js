/** The locks, and both cores of a queue, under native threads and ThreadSanitizer, without suppressions. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
const folder = mkdtempSync(join(tmpdir(), 'qhive-locks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** setarch, where it is: TSan dislikes some randomised layouts. */
function runSanitized(name, sources, args = []) {
    const program = join(folder, name);
    const flags = ['-std=gnu17', '-O1', '-g', '-fsanitize=thread', '-pthread', '-DQH_THREADS=1', '-I', join(root, 'include'), '-I', join(root, 'src')];
    const built = spawnSync(compiler, [...flags, ...sources, '-o', program], { encoding: 'utf8' });
    if (built.status !== 0) return built;
    const setarch = findProgram('setarch');
    return spawnSync(setarch ?? program, [...(setarch ? ['-R', program] : []), ...args], { encoding: 'utf8', timeout: 120_000 });
}

function sanitizerWorks() {
    if (compiler === undefined || process.platform !== 'linux') return false;
    const source = join(folder, 'empty.c');
    writeFileSync(source, 'int main(void) { return 0; }\n');
    return runSanitized('empty', [source]).status === 0;
}

const SYNC = ['thread.c', 'mutex.c', 'rwlock.c'].map((name) => join(root, 'src/sync', name));
const works = sanitizerWorks();

(works ? test : test.skip)('eight threads take mutex and read-write lock in every way', () => {
    const { status, stdout, stderr } = runSanitized('locks', [...SYNC, join(root, 'tests/sync/threads/locks.c')], ['60000']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^8 threads, \d{6} entries, \d+ of them waited for, \d{5} writes\n$/);
    expect(status).toBe(0);
});

(works ? test : test.skip)('a lock that does not hold is a race', () => {
    const broken = join(folder, 'broken.c');
    writeFileSync(broken, '#define qh_mutex_unlock(mutex, threads, self) ((mutex)->word = 0)\n#include "sync/threads/locks.c"\n');
    const { status } = runSanitized('broken', [...SYNC, '-I', join(root, 'tests'), broken], ['1000']);
    expect(status).not.toBe(0);
});

(works ? test : test.skip)('both cores of a queue deliver exactly once under two to eight threads', () => {
    const { status, stdout, stderr } = runSanitized('queues', [...SYNC, join(root, 'bench/messages/queues.c')], ['8', '300']);
    expect(stderr).toBe('');
    expect(stdout.match(/, exactly once$/gm)).toHaveLength(6);
    expect(status).toBe(0);
});
