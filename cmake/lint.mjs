/**
 * All linters, or with --fix the formatters: `npm run lint [-- name...]`, `npm run format`.
 *
 * clang-format, eslint, tsc and typedoc are pinned by package-lock.json; cppcheck and clang-tidy are the machine's
 * and skipped by name where they are missing. Every linter runs even after one failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, execute, findProgram, install, root } from './build.mjs';

const C_FOLDERS = ['include', 'src', 'tests/c', 'tests/golden', 'bench/profile', 'examples/c', 'tests/toolchains'];
const installed = (name) => [process.execPath, join('node_modules', name)];

function cFiles(pattern, folders = C_FOLDERS) {
    return folders
        .map((folder) => join(root, folder))
        .filter((folder) => existsSync(folder))
        .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
        .filter((path) => pattern.test(path))
        .map((path) => relative(root, path))
        .sort();
}

const clangFormat = installed('@wasm-fmt/clang-format/clang-format-cli.cjs');

/** States the analyser visits in a function before it lets go; at its 225,000 a few long functions take two minutes. */
const ANALYSER_BUDGET = ['-analyzer-config', 'max-nodes=30000'].map((arg) => ['-Xclang', arg]).flat().map((arg) => `--extra-arg=${arg}`);

const LINTERS = {
    'clang-format': () => [...clangFormat, '--dry-run', '-Werror', ...cFiles(/\.[ch]$/)],
    eslint: () => [...installed('eslint/bin/eslint.js'), '.'],
    tsc: () => [...installed('typescript/bin/tsc'), '-p', 'tsconfig.json'],
    'tsc-cli': () => [...installed('typescript/bin/tsc'), '-p', 'js/src/cli/tsconfig.json'],
    typedoc: async () => {
        await build(['package']);
        return [...installed('typedoc/bin/typedoc'), '--emit', 'none'];
    },
    cppcheck: () => [
        findProgram('cppcheck'), '--quiet', '--error-exitcode=1', '--std=c11', '--inline-suppr', '-j', '2',
        '--enable=warning,performance,portability', '--suppress=missingIncludeSystem', '--suppress=normalCheckLevelMaxBranches',
        '-Iinclude', '-Isrc', '-DQH_ASSERT_LEVEL=3', '--template=gcc', 'src',
    ],
    'clang-tidy': async () => {
        if (!findProgram('clang-tidy')) return [undefined];
        await build(['native:qhive']);
        return [findProgram('clang-tidy'), '--quiet', '-p', 'build/native', ...ANALYSER_BUDGET, ...compiled()];
    },
};

const FIXERS = {
    'clang-format': () => [...clangFormat, '-i', ...cFiles(/\.[ch]$/)],
    eslint: () => [...installed('eslint/bin/eslint.js'), '--fix', '.'],
};

/** The core's files in the native build: what clang-tidy has compile commands for. */
function compiled() {
    const commands = JSON.parse(readFileSync(join(root, 'build', 'native', 'compile_commands.json'), 'utf8'));
    return commands.map(({ file }) => relative(root, file)).filter((path) => path.startsWith(`src${sep}`));
}

/** Runs one linter; its verdict is `passed`, `failed` or `skipped`, with a line that says so. */
async function runOne(name, command) {
    const start = performance.now();
    try {
        const [program, ...args] = await command();
        if (program === undefined) return ['skipped', `# ${name}: skipped, not installed`];
        const { status } = await execute(program, args, { stdio: 'inherit' });
        const verdict = status === 0 ? 'passed' : 'failed';
        return [verdict, `# ${name}: ${verdict} in ${((performance.now() - start) / 1000).toFixed(1)} s`];
    } catch (error) {
        return ['failed', `# ${name}: failed (${error.message})`];
    }
}

/** Runs these linters, all of them by default, and says how each went. */
export async function lint(names = [], table = LINTERS) {
    const unknown = names.filter((name) => !Object.hasOwn(table, name));
    if (unknown.length > 0) throw new Error(`no ${unknown.join(', ')}; there are ${Object.keys(table).join(', ')}`);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const lines = [];
    for (const name of names.length > 0 ? names : Object.keys(table)) {
        const [verdict, line] = await runOne(name, table[name]);
        counts[verdict]++;
        lines.push(line);
    }
    console.log(lines.join('\n'));
    return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const args = process.argv.slice(2);
    try {
        await install();
        const { failed } = await lint(args.filter((arg) => !arg.startsWith('--')), args.includes('--fix') ? FIXERS : LINTERS);
        process.exitCode = failed === 0 ? 0 : 1;
    } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
    }
}
