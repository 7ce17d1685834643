/**
 * All linters, or with --fix the formatters: `npm run lint [-- name...]`, `npm run format`.
 *
 * clang-format, eslint and tsc are pinned by package-lock.json; cppcheck and clang-tidy are the machine's
 * and skipped by name where they are missing. Every linter runs even after one failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build, findProgram, install, root } from './build.mjs';

const C_FOLDERS = ['include', 'src', 'tests/c'];
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

const LINTERS = {
    'clang-format': () => [...clangFormat, '--dry-run', '-Werror', ...cFiles(/\.[ch]$/)],
    eslint: () => [...installed('eslint/bin/eslint.js'), '.'],
    tsc: () => [...installed('typescript/bin/tsc'), '-p', 'tsconfig.json'],
    cppcheck: () => [
        findProgram('cppcheck'), '--quiet', '--error-exitcode=1', '--std=c11', '--inline-suppr', '-j', '2',
        '--enable=warning,performance,portability', '--suppress=missingIncludeSystem', '--suppress=normalCheckLevelMaxBranches',
        '-Iinclude', '-Isrc', '-DQH_ASSERT_LEVEL=3', '--template=gcc', 'src',
    ],
    'clang-tidy': () => {
        if (!findProgram('clang-tidy')) return [undefined];
        build(['native:qhive']);
        return [findProgram('clang-tidy'), '--quiet', '-p', 'build/native', ...compiled()];
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

function lint(name, command) {
    const start = performance.now();
    const [program, ...args] = command();
    if (program === undefined) return `# ${name}: skipped, not installed`;
    const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (status !== 0) process.exitCode = 1;
    return `# ${name}: ${status === 0 ? 'passed' : `failed${error ? ` (${error.message})` : ''}`} in ${seconds} s`;
}

const args = process.argv.slice(2);
const table = args.includes('--fix') ? FIXERS : LINTERS;
const names = args.filter((arg) => !arg.startsWith('--'));
install();
const lines = [];
for (const name of names.length > 0 ? names : Object.keys(table)) {
    try {
        if (!Object.hasOwn(table, name)) throw new Error(`there are ${Object.keys(table).join(', ')}`);
        lines.push(lint(name, table[name]));
    } catch (error) {
        process.exitCode = 1;
        lines.push(`# ${name}: failed (${error.message})`);
    }
}
console.log(lines.join('\n'));
