/**
 * The long soak of memory: `npm run soak:memory [-- --count N] [--seed N] [--build native|native-debug|wasm|wasm-scalar|wasm-small]`.
 *
 * Runs tests/c/runtime_soak.c for `count` operations (default 10^9, a quarter of an hour natively; create, learn and free cycles:
 * a thousandth of it), says every tenth how far it is, and prints the trace hash: the same for one seed and count in every build.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, install, root } from '../cmake/build.mjs';

const BUILDS = ['native', 'native-debug', 'wasm', 'wasm-scalar', 'wasm-small'];

function readNumber(name, text) {
    if (/^\d+$/.test(text) && BigInt(text) < 1n << 64n) return BigInt(text);
    throw new Error(`--${name} must be a whole number below 2^64, not '${text}'`);
}

/** Runs one test of the suite for so many rounds; its exit code. */
function run(preset, test, rounds, seed) {
    const args = ['--seed', `${seed}`, '--rounds', `${rounds}`, `runtime_soak: ${test}`];
    const wasm = preset.startsWith('wasm');
    const command = wasm
        ? [process.execPath, join(root, 'tests/c/run-wasm.mjs'), join(root, 'build', preset, 'qhive_tests.wasm')]
        : [join(root, 'build', preset, 'qhive_tests')];
    return spawnSync(command[0], [...command.slice(1), ...args], { stdio: 'inherit' }).status ?? 1;
}

try {
    const { values } = parseArgs({
        options: {
            count: { type: 'string', default: '1000000000' },
            seed: { type: 'string', default: '1' },
            build: { type: 'string', default: 'native' },
        },
    });
    const count = readNumber('count', values.count);
    const seed = readNumber('seed', values.seed);
    if (count < 10000n) throw new Error('--count must be at least 10000');
    if (!BUILDS.includes(values.build)) throw new Error(`--build must be one of ${BUILDS.join(', ')}, not '${values.build}'`);
    install();
    build([`${values.build}:qhive_tests${values.build.startsWith('wasm') ? '_wasm' : ''}`]);
    const failed = run(values.build, 'any order', count, seed) || run(values.build, 'cycles', count / 1000n, seed);
    process.exitCode = failed;
} catch (error) {
    console.error(error.message);
    process.exitCode = 2;
}
