/** Runs a Promela model to the end: spin makes a program of it, which looks at every state. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('cc', 'gcc', 'clang');
const spin = findProgram('spin');

/** Whether there is a Spin, and a compiler for what it makes. */
export const available = compiler !== undefined && spin !== undefined;

/** What holds, by model: the name, what is defined. `long`: minutes or gigabytes, for the soak alone; `large`: worth compiling well. */
export const HOLDS = [
    { model: 'mutex', name: 'four take it', define: ['N=4', 'ROUNDS=1'], large: true },
    { model: 'mutex', name: 'three give up waiting', define: ['ROUNDS=1', 'TIMEOUTS'] },
    { model: 'mutex', name: 'one of three keeps it', define: ['ROUNDS=1', 'KEEPER'] },
    { model: 'mutex', name: 'one of three dies', define: ['ROUNDS=1', 'DEATH'] },
    { model: 'rwlock', name: 'two of three write', define: ['WRITERS=2', 'TIMEOUTS'] },
    { model: 'rwlock', name: 'one of three dies', define: ['WRITERS=2', 'DEATH'] },
    { model: 'mutex', name: 'three take it twice', define: ['ROUNDS=2'], long: true },
    { model: 'mutex', name: 'three take it twice, patiently', define: ['ROUNDS=2', 'PATIENCE=2'], long: true },
    { model: 'mutex', name: 'three take it for ever', define: ['ROUNDS=0'], long: true },
    { model: 'mutex', name: 'three give up waiting, twice', define: ['ROUNDS=2', 'TIMEOUTS'], long: true },
    { model: 'mutex', name: 'one of four gives up waiting or keeps it', define: ['N=4', 'ROUNDS=1', 'KEEPER'], long: true },
    { model: 'mutex', name: 'one of four dies', define: ['N=4', 'ROUNDS=1', 'DEATH'], long: true },
    { model: 'rwlock', name: 'two of four write', define: ['N=4', 'WRITERS=2'], long: true },
    { model: 'rwlock', name: 'one of four writes', define: ['N=4', 'WRITERS=1'], long: true },
    { model: 'rwlock', name: 'two of three write, twice', define: ['ROUNDS=2', 'WRITERS=2'], long: true },
    { model: 'rwlock', name: 'one of four dies', define: ['N=4', 'WRITERS=2', 'DEATH'], long: true },
];

/** Mistakes, and where they are to be found. */
export const MISTAKES = [
    { model: 'mutex', name: 'reads its wake-ups after it enrolled', define: ['BUG_ORDER'] },
    { model: 'mutex', name: 'wakes nobody', define: ['BUG_WAKE'] },
    { model: 'mutex', name: 'does not wake whom it hands over to', define: ['BUG_HEIR'] },
    { model: 'mutex', name: 'takes a mutex that is held', define: ['BUG_HELD'] },
    { model: 'mutex', name: 'forgets the others who wait', define: ['BUG_WAITERS'] },
    { model: 'mutex', name: 'keeps the mark of a wake-up that was lost', define: ['BUG_WOKEN', 'PATIENCE=2'] },
    { model: 'mutex', name: 'never hands over', define: ['BUG_PATIENCE', 'ROUNDS=0'] },
    { model: 'mutex', name: 'hands over in no order', define: ['BUG_ROUND', 'ROUNDS=0'] },
    { model: 'mutex', name: 'withdraws from what was handed over', define: ['BUG_WITHDRAW', 'TIMEOUTS'] },
    { model: 'mutex', name: 'withdraws with a wake-up meant for all', define: ['BUG_TIMEOUT', 'TIMEOUTS'] },
    { model: 'mutex', name: 'lets go of what is kept', define: ['BUG_KEPT', 'ROUNDS=1', 'KEEPER'] },
    { model: 'mutex', name: 'leaves the dead in the queue', define: ['BUG_RECOVER', 'ROUNDS=1', 'DEATH'] },
    { model: 'rwlock', name: 'lets readers in while one writes', define: ['BUG_READER'] },
    { model: 'rwlock', name: 'writes while others read', define: ['BUG_DRAIN'] },
    { model: 'rwlock', name: 'does not tell the writer', define: ['BUG_TELL'] },
    { model: 'rwlock', name: 'keeps the gate after a timeout', define: ['BUG_GATE', 'TIMEOUTS', 'WRITERS=2'] },
    { model: 'rwlock', name: 'leaves a dead reader inside', define: ['BUG_DEAD_READER', 'DEATH'] },
    { model: 'rwlock', name: 'leaves a dead writer inside', define: ['BUG_DEAD_WRITER', 'DEATH'] },
    { model: 'rwlock', name: 'leaves the gate to the dead', define: ['BUG_DEAD_GATE', 'DEATH'] },
];

function must({ status, signal, stdout, stderr, error }, what) {
    if (error) throw error;
    if (status !== 0) throw new Error(`${what} failed (${signal ?? status})\n${stdout}${stderr}`);
    return stdout;
}

/** Explores a model in a folder of its own under `folder`: how many errors (it stops at the first), how many states, whether all were seen. */
export function explore({ model, define, long = false, large = long }, folder) {
    const cwd = join(folder, [model, ...define].join('-'));
    mkdirSync(cwd);
    const run = (program, args) => spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
    for (const file of ['lock.pml', `${model}.pml`]) copyFileSync(join(root, 'tests/sync', file), join(cwd, file));
    must(run(spin, ['-a', ...define.map((name) => `-D${name}`), `${model}.pml`]), 'spin');
    must(run(compiler, [large ? '-O2' : '-O0', '-w', '-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=16000', '-o', 'pan', 'pan.c']), 'cc');
    const report = must(run('./pan', [`-m${long ? 100_000_000 : 1_000_000}`]), 'pan');
    const [, errors] = /errors: (\d+)/.exec(report) ?? [];
    const [, states] = /^\s*(\S+) states, stored/m.exec(report) ?? [];
    const all = !/max search depth too small|Search not completed|out of memory/.test(report);
    return { errors: Number(errors), states: Number(states), all };
}
