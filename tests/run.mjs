/**
 * The one test command: builds everything and runs every suite.
 *
 *   npm test [-- suite...] [-- arguments for Jest...]
 *
 * Suites are the keys of SUITES; without a name all but `lint` run, with `all` that too.
 *
 * The last line printed is the sum over all suites, `N passed, N failed, N skipped`. A suite that cannot
 * be built, crashes, or runs no test at all counts as one failure; one that this machine cannot run is
 * skipped by name. The exit code is 0 only without failures.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, findProgram, install, root } from '../cmake/build.mjs';

const compiler = () => findProgram('cc', 'gcc', 'clang');
const needsCompiler = () => compiler() === undefined && 'no native C compiler (cc, gcc or clang)';
const needsChromium = async () =>
    (await import('./browser/chromium.js')).findChromium() === undefined && 'no Chromium (set QHIVE_CHROMIUM to its path)';

const SUITES = {
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
    'c-wasm': {
        targets: ['wasm:qhive_tests_wasm'],
        run: () => tap([process.execPath, 'tests/c/run-wasm.mjs', 'build/wasm/qhive_tests.wasm']),
    },
    'c-wasm-scalar': {
        targets: ['wasm-scalar:qhive_tests_wasm'],
        run: () => tap([process.execPath, 'tests/c/run-wasm.mjs', 'build/wasm-scalar/qhive_tests.wasm']),
    },
    jest: {
        targets: ['package', ...(compiler() ? ['native:qhive_golden'] : [])],
        run: (args) => jest('package', args),
    },
    lint: { targets: [], run: async () => (await import('../cmake/lint.mjs')).lint() },
    browser: { targets: ['package'], unavailable: needsChromium, run: (args) => jest('browser', args) },
};

/** Runs a program in the source root, passing its output on; resolves with its exit and its stdout. */
function execute([program, ...args], env = {}) {
    return new Promise((resolve) => {
        const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
        let stdout = '';
        child.stdout.setEncoding('utf8').on('data', (text) => {
            stdout += text;
            process.stdout.write(text);
        });
        child.on('error', (error) => resolve({ reason: error.message, stdout }));
        child.on('close', (status, signal) => resolve({ reason: status === 0 ? '' : `exit ${signal ?? status}`, stdout }));
    });
}

/** A program that prints `ok`/`not ok` lines. */
export async function tap(command) {
    const { stdout, reason } = await execute(command, { UBSAN_OPTIONS: 'print_stacktrace=1' });
    const lines = stdout.split('\n');
    const ok = lines.filter((line) => /^ok\b/.test(line));
    const skipped = ok.filter((line) => /#\s*skip/i.test(line)).length;
    const failed = lines.filter((line) => /^not ok\b/.test(line)).length;
    const plan = lines.map((line) => /^1\.\.(\d+)/.exec(line)?.[1]).find(Boolean);
    const missing = plan === undefined ? 0 : Math.max(0, Number(plan) - ok.length - failed);
    const counts = { passed: ok.length - skipped, failed: failed + missing, skipped };
    return missing > 0 ? { ...counts, note: `${missing} planned tests did not run` } : crashed(counts, reason);
}

async function jest(project, args) {
    const file = join(root, 'build', 'test', `jest-${project}.json`);
    mkdirSync(join(root, 'build', 'test'), { recursive: true });
    rmSync(file, { force: true });
    const { reason } = await execute([
        process.execPath, '--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js',
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
    };
    return crashed(counts, reason);
}

/** A bad exit without a failed test, or no test at all, is one failure. */
function crashed(counts, reason) {
    if (reason && counts.failed === 0) return { ...counts, failed: 1, note: `crashed: ${reason}` };
    if (counts.passed + counts.failed + counts.skipped === 0) return { ...counts, failed: 1, note: 'ran no test' };
    return counts;
}

async function runSuite(name, args) {
    const { targets, unavailable, run } = SUITES[name];
    const reason = await unavailable?.();
    if (reason) return { passed: 0, failed: 0, skipped: 1, note: reason };
    console.log(`\n# ${name}`);
    try {
        build(targets);
        return await run(args);
    } catch (error) {
        console.error(error);
        return { passed: 0, failed: 1, skipped: 0, note: 'did not build or start' };
    }
}

const sentence = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

async function main(args) {
    const split = args.indexOf('--');
    const names = split < 0 ? args : args.slice(0, split);
    const every = Object.keys(SUITES);
    const chosen = names.length > 0 ? names.flatMap((name) => (name === 'all' ? every : [name])) : every.filter((name) => name !== 'lint');
    const unknown = chosen.filter((name) => !every.includes(name));
    if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${every.join(', ')}`);
    install();
    const lines = [];
    const sum = { passed: 0, failed: 0, skipped: 0 };
    for (const name of chosen) {
        const start = performance.now();
        const result = await runSuite(name, split < 0 ? [] : args.slice(split + 1));
        const seconds = ((performance.now() - start) / 1000).toFixed(1);
        lines.push(`# ${name}: ${sentence(result)} in ${seconds} s${result.note ? ` (${result.note})` : ''}`);
        for (const key of Object.keys(sum)) sum[key] += result[key];
    }
    console.log(`\n${lines.join('\n')}\n${sentence(sum)}`);
    process.exitCode = sum.failed === 0 ? 0 : 1;
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
