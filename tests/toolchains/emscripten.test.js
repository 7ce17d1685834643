/** Emscripten: the library made by emcc, in a program that runs in Node. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, CLIFF, CLIFF_TABLE, findProgram, root } from './support.js';

const given = findProgram('emcc') ? test : test.skip;

describe('Emscripten (skipped without emcc)', () => {
    given('cliff learns the same, to the bit', () => {
        const { status, stdout, stderr } = attempt(process.execPath, [join(root, 'build/emscripten/cliff.cjs')]);
        expect(stderr).toBe('');
        expect(stdout).toContain(CLIFF);
        expect(stdout).toContain(CLIFF_TABLE);
        expect(status).toBe(0);
    });

    given('the static library is there to link', () => expect(existsSync(join(root, 'build/emscripten/libqhive.a'))).toBe(true));
});
