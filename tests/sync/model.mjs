/** Builds the deterministic scheduler with the real locks under it, or with locks into which a mistake was put. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');

/** Fibers need ucontext. */
export const available = compiler !== undefined && process.platform === 'linux';

/** Without the checks of a fortified longjmp: it is used to change stacks. */
function compile(args) {
    const flags = ['-std=gnu17', '-O1', '-U_FORTIFY_SOURCE', '-DQH_THREADS=1', '-DQH_MODEL', '-DQH_MUTEX_PATIENCE=2u', '-Wno-unused-function', '-Wno-unused-variable'];
    const { stderr, error } = spawnSync(compiler, [...flags, ...args], { encoding: 'utf8' });
    if (error || stderr !== '') throw new Error(`the model does not compile: ${error?.message ?? stderr}`);
}

/** The scheduler, compiled once a folder. */
function scheduler(folder) {
    const object = join(folder, 'scheduler.o');
    const includes = ['-I', join(root, 'include'), '-I', join(root, 'src')];
    if (!existsSync(object)) compile([...includes, '-c', join(root, 'tests/sync/scheduler.c'), '-o', object]);
    return object;
}

/** The path of the program, in a folder `name` under `folder`. In `file` of src/sync, `from`, which is there once, reads `to`. */
export function buildModel(folder, name = 'right', { file, from, to } = {}) {
    const sources = join(folder, name);
    mkdirSync(sources);
    cpSync(join(root, 'src/sync'), join(sources, 'sync'), { recursive: true });
    if (file) {
        const path = join(sources, 'sync', file);
        const parts = readFileSync(path, 'utf8').split(from);
        if (parts.length !== 2) throw new Error(`${file} does not have once: ${from}`);
        writeFileSync(path, parts.join(to));
    }
    const program = join(sources, 'model');
    const includes = ['-I', sources, '-I', join(root, 'include'), '-I', join(root, 'src'), '-I', join(root, 'tests/sync')];
    const unit = join(sources, 'unit.c');
    const files = [...['thread.c', 'mutex.c', 'rwlock.c'].map((each) => join(sources, 'sync', each)), join(root, 'tests/sync/model.c')];
    writeFileSync(unit, files.map((path) => `#include "${path}"\n`).join(''));
    compile([...includes, unit, scheduler(folder), '-o', program]);
    return program;
}
