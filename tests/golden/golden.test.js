/**
 * Same seed, same calls, same bytes: after 100,000 steps of 593 agents of every kind, the hash of all tables is the same for the
 * SIMD build, the scalar build and the native library; and gcc and clang, where they are, make the same of it. tests/browser
 * compares Chromium.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, root } from '../../cmake/build.mjs';
import { GOLDEN, STEPS } from './program.mjs';

const start = promisify(execFile);
const FEW_STEPS = 1000;
const native = join(root, 'build', 'native', 'qhive_golden');

async function hashOf(program, args) {
    const { stdout } = await start(program, args, { cwd: root });
    return stdout.trim();
}

const inNode = (simd) => hashOf(process.execPath, ['tests/golden/in-node.mjs', String(STEPS), String(simd)]);

test(`SIMD and scalar builds agree with the golden hash after ${STEPS} steps`, async () => {
    const [simd, scalar] = await Promise.all([inNode(true), inNode(false)]);
    expect({ simd, scalar }).toEqual({ simd: GOLDEN, scalar: GOLDEN });
}, 600_000);

(existsSync(native) ? test : test.skip)(`the native library agrees with the golden hash after ${STEPS} steps`, async () => {
    expect(await hashOf(native, [String(STEPS)])).toBe(GOLDEN);
}, 600_000);

/** The native library by this compiler, whatever `cc` is; rounding must not depend on who compiles. */
async function compiledBy(compiler) {
    const sources = [...readFileSync(join(root, 'cmake', 'sources.cmake'), 'utf8').matchAll(/^ {2}(src\/\S+\.c)$/gm)].map(([, path]) => path);
    const folder = join(root, 'build', 'golden');
    const [program, unit] = [join(folder, compiler), join(folder, `${compiler}.c`)];
    mkdirSync(folder, { recursive: true });
    const core = sources.filter((path) => !path.startsWith('src/wasm/'));
    writeFileSync(unit, core.map((path) => `#include "${path}"\n`).join(''));
    const flags = ['-std=gnu17', '-O1', '-ffp-contract=off', '-Iinclude', '-Isrc', '-I.'];
    await start(findProgram(compiler), [...flags, unit, 'tests/golden/golden.c', '-o', program, '-lm'], { cwd: root });
    return program;
}

describe.each(['gcc', 'clang'])('the native library by %s', (compiler) => {
    (findProgram(compiler) ? test : test.skip)(`agrees with the SIMD build after ${FEW_STEPS} steps`, async () => {
        const program = await compiledBy(compiler);
        const node = [process.execPath, ['tests/golden/in-node.mjs', String(FEW_STEPS), 'true']];
        expect(await hashOf(program, [String(FEW_STEPS)])).toBe(await hashOf(...node));
    }, 300_000);
});

test('another seed gives another hash', async () => {
    const [one, other] = await Promise.all(
        ['1', '2'].map((seed) => hashOf(process.execPath, ['tests/golden/in-node.mjs', '200', 'true', seed])),
    );
    expect(one).not.toBe(other);
}, 60_000);
