/**
 * The one test command: builds everything and runs every suite.
 *
 *   npm test [-- suite...] [-- arguments for Jest...]
 *
 * Suites are the keys of SUITES; without a name all but `lint` and those ON_REQUEST run, with `all` the linters too. Several suites run
 * side by side, as many as there are cores but at most two, and each prints when it is over; one suite
 * prints as it goes.
 *
 * What failed is named once more before the end. The last line printed is the sum over all suites, `N passed, N failed, N skipped`. A suite that cannot
 * be built, crashes, or runs no test at all counts as one failure; one that this machine cannot run is
 * skipped by name. The exit code is 0 only without failures.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, execute as capture, findProgram, install, root } from '../cmake/build.mjs';

const compiler = () => findProgram('cc', 'gcc', 'clang');
const needsCompiler = () => compiler() === undefined && 'no native C compiler (cc, gcc or clang)';
const needsChromium = async () =>
    (await import('./browser/chromium.js')).findChromium() === undefined && 'no Chromium (set QHIVE_CHROMIUM to its path)';

const needsBrowser = async () => {
    const { BROWSERS } = await import('./page/drivers.js');
    return !Object.values(BROWSERS).some(({ available }) => available()) && 'neither Chromium nor Firefox (set QHIVE_CHROMIUM or QHIVE_FIREFOX)';
};

/** In the order in which they start: the longest first, then those for which little is to be built, so that no lane waits for a build. */
const SUITES = {
    jest: {
        targets: ['package', 'wasm-small:qhive_wasm', 'wasm-threads:qhive_wasm', ...(compiler() ? ['native:qhive_golden'] : [])],
        run: (args) => jest('package', args),
    },
    lint: { targets: ['package', ...(compiler() ? ['native:qhive'] : [])], run: async () => (await import('../cmake/lint.mjs')).lint() },
    'c-sanitized': {
        targets: ['native-debug:qhive_tests'],
        unavailable: needsCompiler,
        run: () => tap([join(root, 'build/native-debug/qhive_tests')]),
    },
    'c-native': {
        targets: ['native:qhive_tests'],
        unavailable: needsCompiler,
        run: () => tap([join(root, 'build/native/qhive_tests')]),
    },
    'c-wasm-small': {
        targets: ['wasm-small:qhive_tests_wasm'],
        run: () => tap([process.execPath, 'tests/c/run-wasm.mjs', 'build/wasm-small/qhive_tests.wasm']),
    },
    tarball: { targets: ['package'], run: (args) => jest('tarball', args) },
    page: { targets: ['package'], unavailable: needsBrowser, run: (args) => jest('page', args) },
    browser: { targets: ['package', 'wasm:qhive_tests_wasm'], unavailable: needsChromium, run: (args) => jest('browser', args) },
    toolchains: {
        targets: [
            'package', 'wasm-wasi:qhive_wasi',
            ...(compiler() ? ['native:qhive'] : []),
            ...(findProgram('emcc') ? ['emscripten:qhive_cliff'] : []),
        ],
        run: (args) => jest('toolchains', args),
    },
    'c-wasm': {
        targets: ['wasm:qhive_tests_wasm'],
        run: () => tap([process.execPath, 'tests/c/run-wasm.mjs', 'build/wasm/qhive_tests.wasm']),
    },
    'c-wasm-scalar': {
        targets: ['wasm-scalar:qhive_tests_wasm'],
        run: () => tap([process.execPath, 'tests/c/run-wasm.mjs', 'build/wasm-scalar/qhive_tests.wasm']),
    },
};

/** Only by name: `c-wasm-small` runs the same tests without SIMD, with a heap more. Before a release. */
const ON_REQUEST = ['c-wasm-scalar'];

/** After so long a suite hangs, and is ended and counted as failed. */
const HANGS_MS = 15 * 60_000;

/** Runs a program in the source root, passing its output on unless `quiet`; resolves with its exit and its stdout. */
function execute([program, ...args], { env = {}, quiet = false } = {}) {
    return new Promise((resolve) => {
        const child = spawn(program, args, {
            cwd: root,
            stdio: ['ignore', 'pipe', 'inherit'],
            env: { ...process.env, ...env },
            timeout: HANGS_MS,
        });
        let stdout = '';
        child.stdout.setEncoding('utf8').on('data', (text) => {
            stdout += text;
            if (!quiet) process.stdout.write(text);
        });
        child.on('error', (error) => resolve({ reason: error.message, stdout }));
        child.on('close', (status, signal) => resolve({ reason: status === 0 ? '' : `exit ${signal ?? status}`, stdout }));
    });
}

/** A program that prints `ok`/`not ok` lines. */
export async function tap(command, { quiet } = {}) {
    const { stdout, reason } = await execute(command, { env: { UBSAN_OPTIONS: 'print_stacktrace=1' }, quiet });
    const lines = stdout.split('\n');
    const ok = lines.filter((line) => /^ok\b/.test(line));
    const skipped = ok.filter((line) => /#\s*skip/i.test(line)).length;
    const failures = lines.filter((line) => /^not ok\b/.test(line));
    const failed = failures.length;
    const plan = lines.map((line) => /^1\.\.(\d+)/.exec(line)?.[1]).find(Boolean);
    const missing = plan === undefined ? 0 : Math.max(0, Number(plan) - ok.length - failed);
    const counts = { passed: ok.length - skipped, failed: failed + missing, skipped, failures };
    return missing > 0 ? { ...counts, note: `${missing} planned tests did not run` } : crashed(counts, reason);
}

async function jest(project, args) {
    const file = join(root, 'build', 'test', `jest-${project}.json`);
    mkdirSync(join(root, 'build', 'test'), { recursive: true });
    rmSync(file, { force: true });
    const { reason } = await execute([
        process.execPath, '--no-warnings', 'node_modules/jest/bin/jest.js',
        '--selectProjects', project, '--json', `--outputFile=${file}`, ...args,
    ]);
    let report;
    try {
        report = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
        return { passed: 0, failed: 1, skipped: 0, note: `no report: ${reason || error.message}` };
    }
    const counts = {
        passed: report.numPassedTests,
        failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
        skipped: report.numPendingTests + report.numTodoTests,
        failures: failuresIn(report),
    };
    return crashed(counts, reason);
}

/** The first lines of what Jest says of each test that failed, and of each file that did not run. */
export function failuresIn({ testResults }) {
    const begin = (text) => text.split('\n').slice(0, 12).map((line) => `    ${line}`).join('\n');
    return testResults.flatMap(({ name, message, status, assertionResults }) => {
        const failed = assertionResults.filter((each) => each.status === 'failed');
        if (status === 'failed' && failed.length === 0) return [`${relative(root, name)}\n${begin(message)}`];
        return failed.map(({ fullName, failureMessages }) => `${relative(root, name)}: ${fullName}\n${failureMessages.map(begin).join('\n')}`);
    });
}

/** A bad exit without a failed test, or no test at all, is one failure. */
function crashed(counts, reason) {
    if (reason && counts.failed === 0) return { ...counts, failed: 1, note: `crashed: ${reason}` };
    if (counts.passed + counts.failed + counts.skipped === 0) return { ...counts, failed: 1, note: 'ran no test' };
    return counts;
}

const NONE = Object.freeze({ passed: 0, failed: 0, skipped: 0 });
const sentence = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Builds what a suite needs. Resolves with its result where it cannot run. */
async function prepare(name) {
    const { targets, unavailable } = SUITES[name];
    try {
        const reason = await unavailable?.();
        if (reason) return { ...NONE, skipped: 1, note: reason };
        await build(targets);
        return undefined;
    } catch (error) {
        console.error(`\n# ${name}\n${error.stack}`);
        return { ...NONE, failed: 1, note: 'did not build' };
    }
}

/** Runs one suite in this process, printing as it goes. */
async function runHere(name, args) {
    console.log(`\n# ${name}`);
    try {
        return await SUITES[name].run(args);
    } catch (error) {
        console.error(error);
        return { ...NONE, failed: 1, note: 'did not start' };
    }
}

/** Runs one suite in a process of its own and prints what it printed when it is over. */
async function runAside(name, args) {
    const file = join(root, 'build', 'test', `${name}.json`);
    rmSync(file, { force: true });
    const { output } = await capture(process.execPath, [fileURLToPath(import.meta.url), '--report', file, name, '--', ...args]);
    process.stdout.write(output);
    try {
        return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
        return { ...NONE, failed: 1, note: 'crashed' };
    }
}

/** What `--report file` asks for: the suite is built, its result goes into the file. */
async function report(file, name, args) {
    const result = await runHere(name, args);
    mkdirSync(join(root, 'build', 'test'), { recursive: true });
    writeFileSync(file, JSON.stringify(result));
}

/** A function that calls what it is given, at most `limit` at a time. */
export function lanes(limit) {
    let free = limit;
    const waiting = [];
    return async (work) => {
        if (free > 0) free--;
        else await new Promise((resolve) => waiting.push(resolve));
        try {
            return await work();
        } finally {
            if (waiting.length > 0) waiting.shift()();
            else free++;
        }
    };
}

/** Runs suites, the next one building while others run. Calls `done(name, result, seconds)` for each. */
async function runAll(names, args, done) {
    const runOne = names.length === 1 ? runHere : runAside;
    const lane = lanes(Math.min(2, availableParallelism()));
    const running = [];
    for (const name of names) {
        const result = await prepare(name);
        running.push(
            lane(async () => {
                const start = performance.now();
                done(name, result ?? (await runOne(name, args)), (performance.now() - start) / 1000);
            }),
        );
    }
    await Promise.all(running);
}

async function main(args) {
    const split = args.indexOf('--');
    const names = split < 0 ? args : args.slice(0, split);
    const rest = split < 0 ? [] : args.slice(split + 1);
    if (names[0] === '--report') return report(names[1], names[2], rest);
    const every = Object.keys(SUITES);
    const usual = every.filter((name) => !ON_REQUEST.includes(name));
    const chosen = names.length > 0 ? names.flatMap((name) => (name === 'all' ? usual : [name])) : usual.filter((name) => name !== 'lint');
    const unknown = chosen.filter((name) => !every.includes(name));
    if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${every.join(', ')}`);
    await install();
    const lines = [];
    const failures = [];
    const sum = { ...NONE };
    await runAll([...new Set(chosen)], rest, (name, result, seconds) => {
        failures.push(...(result.failures ?? []).map((what) => `# failed in ${name}: ${what}`));
        lines.push(`# ${name}: ${sentence(result)} in ${seconds.toFixed(1)} s${result.note ? ` (${result.note})` : ''}`);
        for (const key of Object.keys(sum)) sum[key] += result[key];
    });
    console.log(['', ...failures, ...lines, sentence(sum)].join('\n'));
    process.exitCode = sum.failed === 0 ? 0 : 1;
    return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    try {
        await main(process.argv.slice(2));
    } catch (error) {
        console.error(error.message);
        console.log('0 passed, 1 failed, 0 skipped');
        process.exitCode = 1;
    }
}
