/**
 * Which core a message queue should have: `npm run bench:messages [-- 8 1000]`, threads and milliseconds. Vyukov's lock-free ring against
 * a ring inside the mutex of src/sync, under 2, 4, 8 native threads which all send and receive.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
if (compiler === undefined) throw new Error('a C compiler (gcc, clang or cc) is needed');
const folder = mkdtempSync(join(tmpdir(), 'qhive-bench-'));
try {
    const program = join(folder, 'queues');
    const sources = ['src/sync/thread.c', 'src/sync/mutex.c', 'bench/messages/queues.c'].map((path) => join(root, path));
    const flags = ['-std=gnu17', '-O2', '-pthread', '-DQH_THREADS=1', '-I', join(root, 'include'), '-I', join(root, 'src')];
    for (const [command, args] of [[compiler, [...flags, ...sources, '-o', program]], [program, process.argv.slice(2)]]) {
        const { status } = spawnSync(command, args, { stdio: 'inherit' });
        if (status !== 0) process.exitCode = 1;
    }
} finally {
    rmSync(folder, { recursive: true, force: true });
}
