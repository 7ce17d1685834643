/**
 * Instructions of the core's calls, counted by callgrind: `node bench/profile/main.js [options]`.
 *
 * A count repeats exactly, whatever else the machine does; it is not time. The programs are the core built as in the native
 * release, and again with its SIMD kernels where SIMDe (Debian: libsimde-dev) is installed, which is nearer to what an engine makes of the module.
 * Needs cmake, a C compiler and valgrind.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram, root } from '../../cmake/build.mjs';
import { readProfile } from './callgrind.js';

const FOLDER = join(root, 'build', 'profile');
const AGENTS = 593;

/** What is called how often; `copies` observations are written in each call, which do not count. */
const CASES = {
    act: { calls: 8192, copies: 1 },
    learn: { calls: 8192, copies: 2 },
    insert: { calls: 20000, copies: 2 },
    'batch-act': { calls: 24, copies: 0, agents: AGENTS },
    'batch-step': { calls: 24, copies: 0, agents: AGENTS },
};

const OPTIONS = {
    only: { type: 'string', multiple: true, default: [] },
    scalar: { type: 'boolean', default: false },
    cache: { type: 'boolean', default: false },
    lines: { type: 'boolean', default: false },
    top: { type: 'string', default: '14' },
    help: { type: 'boolean', default: false },
};

const HELP = `node bench/profile/main.js [options]

  --only <case>   one of ${Object.keys(CASES).join(', ')}; may be given again
  --scalar        the build without SIMD, also where SIMDe is installed
  --cache         simulate the caches too: misses of the first and the last level
  --lines         the costliest lines instead of functions
  --top <n>       how many, default 14`;

class UsageError extends Error {}

function run(program, args) {
    const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status === 0 && !error) return;
    throw new Error(`${program} ${args.join(' ')} failed\n${error?.message ?? ''}${stdout}${stderr}`);
}

/** Brings the programs up to date: the path of the one that is wanted. */
function build(scalar) {
    const missing = ['cmake', 'valgrind'].filter((name) => !findProgram(name));
    if (missing.length > 0 || !findProgram('cc', 'gcc', 'clang')) throw new UsageError(`needs ${[...missing, 'a C compiler'].join(', ')}`);
    run('cmake', ['-S', join('bench', 'profile'), '-B', FOLDER, '--log-level=WARNING']);
    run('cmake', ['--build', FOLDER, '--parallel']);
    const simd = join(FOLDER, 'profile-simd');
    return !scalar && existsSync(simd) ? simd : join(FOLDER, 'profile-scalar');
}

/** Counts one case: costs an agent and call. */
function count(program, name, { calls, agents = 1 }, cache) {
    const file = join(FOLDER, `${name}.out`);
    const simulate = cache ? ['--cache-sim=yes'] : [];
    const callgrind = ['--tool=callgrind', '--collect-atstart=no', '--toggle-collect=measured', `--callgrind-out-file=${file}`, ...simulate];
    run('valgrind', ['--quiet', ...callgrind, program, name, String(calls)]);
    const { events, totals, functions, lines } = readProfile(file, root);
    const each = (costs) => Object.fromEntries(events.map((event, i) => [event, costs[i] / (calls * agents)]));
    const all = (map) => [...map].map(([where, costs]) => ({ where, ...each(costs) })).sort((a, b) => b.Ir - a.Ir);
    return { name, ...each(totals), functions: all(functions), lines: all(lines) };
}

const misses = ({ D1mr = 0, D1mw = 0, DLmr = 0, DLmw = 0 }) => [D1mr + D1mw, DLmr + DLmw].map((value) => value.toFixed(2).padStart(9)).join('');
const sourceOf = (where) => {
    const [path, line] = where.split(':');
    return `${where}  ${readFileSync(join(root, path), 'utf8').split('\n')[Number(line) - 1].trim()}`;
};

function print(results, { cache, lines, top, copy }) {
    console.log(`\n${''.padEnd(12)}instructions${cache ? '  D1 miss  LL miss' : ''}`);
    for (const result of results) console.log(`${result.name.padEnd(12)}${(result.Ir - copy * CASES[result.name].copies).toFixed(0).padStart(12)}${cache ? misses(result) : ''}`);
    for (const result of results) {
        console.log(`\n${result.name}`);
        for (const entry of (lines ? result.lines : result.functions).slice(0, top))
            console.log(`${entry.Ir.toFixed(1).padStart(12)}${cache ? misses(entry) : ''}  ${lines ? sourceOf(entry.where) : entry.where}`);
    }
}

function readArguments() {
    try {
        const { values } = parseArgs({ options: OPTIONS });
        const names = values.only.flatMap((list) => list.split(','));
        const unknown = names.filter((name) => !Object.hasOwn(CASES, name));
        if (unknown.length > 0) throw new UsageError(`no case ${unknown.join(', ')}`);
        if (!(Number(values.top) >= 1)) throw new UsageError('--top must be a number from 1 on');
        return { ...values, top: Number(values.top), names: names.length > 0 ? names : Object.keys(CASES) };
    } catch (error) {
        throw error.code?.startsWith('ERR_PARSE_ARGS') ? new UsageError(error.message) : error;
    }
}

function main() {
    const options = readArguments();
    if (options.help) return console.log(HELP);
    mkdirSync(FOLDER, { recursive: true });
    const program = build(options.scalar);
    const { Ir: copy } = count(program, 'copy', { calls: 1000 }, false);
    console.log(`${relative(root, program)}: instructions an agent and call, by callgrind, without the ${copy.toFixed(0)} of writing an observation`);
    print(options.names.map((name) => count(program, name, CASES[name], options.cache)), { ...options, copy });
    return undefined;
}

try {
    main();
} catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${HELP}`);
    process.exitCode = 2;
}
