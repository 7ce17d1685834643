/**
 * Same seed, same calls, same bytes: after 100,000 steps of 593 agents of every kind, the hash of all tables is the same for the
 * SIMD build, the scalar build and the native library. tests/browser compares Chromium.
 */
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../cmake/build.mjs';
import { GOLDEN, STEPS } from './program.mjs';

const start = promisify(execFile);
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

test('another seed gives another hash', async () => {
    const [one, other] = await Promise.all(
        ['1', '2'].map((seed) => hashOf(process.execPath, ['tests/golden/in-node.mjs', '200', 'true', seed])),
    );
    expect(one).not.toBe(other);
}, 60_000);
