/**
 * What the npm scripts call: brings the tools and the asked targets up to date, then runs a program.
 *
 *   node cmake/build.mjs [target...] [--run script.js -- arguments...]     node cmake/build.mjs --clean
 *
 * A target is `package` (default), or `preset:target` for any CMake preset. CMake decides what is stale;
 * this file only installs missing npm packages, finds a generator and starts CMake. Node built-ins only:
 * it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ALIASES = { package: 'wasm:package' };

/** The full path of a program on PATH, or undefined. */
export function findProgram(...names) {
    for (const name of names)
        for (const folder of (process.env.PATH ?? '').split(delimiter)) {
            const path = join(folder, name);
            try {
                accessSync(path, constants.X_OK);
                return path;
            } catch {
                continue;
            }
        }
    return undefined;
}

/** Runs `npm ci` unless every development dependency is installed in its exact version. */
export async function install() {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const installed = Object.entries(devDependencies).every(([name, version]) => {
        const file = join(root, 'node_modules', name, 'package.json');
        return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
    });
    if (!installed) await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** Configures where that was not done and builds; resolves when `targets` are up to date. */
export async function build(targets) {
    const byPreset = new Map();
    for (const name of targets) {
        const [preset, target] = (ALIASES[name] ?? name).split(':');
        byPreset.set(preset, [...(byPreset.get(preset) ?? []), target]);
    }
    const { wasm, ...others } = Object.fromEntries(byPreset);
    if (wasm) await buildPreset('wasm', wasm); // by itself: the package brings other presets up to date
    await Promise.all(Object.entries(others).map((each) => buildPreset(...each)));
}

async function buildPreset(preset, names) {
    if (!configured(preset)) await run('cmake', ['--preset', preset, ...generator(), '--log-level=WARNING'], QUIET);
    await run('cmake', ['--build', '--preset', preset, '--parallel', '--target', ...names], QUIET);
}

function configured(preset) {
    const folder = join(root, 'build', preset);
    return ['Makefile', 'build.ninja'].some((file) => existsSync(join(folder, file)));
}

function generator() {
    if (process.env.CMAKE_GENERATOR || process.platform === 'win32') return [];
    if (findProgram('ninja')) return ['-G', 'Ninja'];
    if (findProgram('make', 'gmake')) return ['-G', 'Unix Makefiles'];
    throw new Error('qhive is built with CMake and make or ninja; neither make nor ninja is on PATH');
}

const QUIET = { quiet: true };

/** Runs a command in the source root; resolves with its exit code or signal and what it printed, where that was piped. */
export function execute(program, args, options = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { cwd: root, ...options });
        const printed = [];
        child.stdout?.on('data', (bytes) => printed.push(bytes));
        child.stderr?.on('data', (bytes) => printed.push(bytes));
        child.on('error', reject);
        child.on('close', (status, signal) => resolve({ status, signal, output: Buffer.concat(printed).toString() }));
    });
}

/** Runs a command that must succeed; what a quiet one printed is shown only when it failed. */
async function run(program, args, { quiet = false } = {}) {
    const stream = quiet ? 'pipe' : 'inherit';
    const { status, signal, output } = await execute(program, args, { stdio: ['ignore', stream, stream] }).catch((error) => {
        throw error.code === 'ENOENT' ? new Error(`${program} is needed to build qhive and is not on PATH`) : error;
    });
    if (status === 0) return;
    process.stderr.write(output);
    throw new Error(`${program} ${args.join(' ')} failed${signal ? `: ${signal}` : ''}`);
}

function clean() {
    for (const folder of ['build', 'dist']) rmSync(join(root, folder), { recursive: true, force: true });
}

async function main(args) {
    if (args[0] === '--clean') return clean();
    const split = args.indexOf('--run');
    const targets = split < 0 ? args : args.slice(0, split);
    await install();
    await build(targets.length > 0 ? targets : ['package']);
    if (split < 0) return undefined;
    const [script, , ...rest] = args.slice(split + 1);
    const { status, signal } = await execute(process.execPath, [script, ...rest], { cwd: process.cwd(), stdio: 'inherit' });
    process.exitCode = signal ? 1 : status;
    return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    try {
        await main(process.argv.slice(2));
    } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
    }
}
