/** The entries beside the main one, the order of their conditions, and what each weighs. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createRuntime, createRuntimeSync } from 'qhive';
import { root } from '../../cmake/build.mjs';
import { INDEX, thrownBy, wander } from './support.js';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dist = (name) => join(root, 'dist', name);
const hashOf = (runtime) => {
    const agent = runtime.createAgent(INDEX);
    wander(agent);
    return agent.hash();
};

describe('the manifest', () => {
    test('the order of exports and of their conditions is what is meant', () => {
        const shape = (node) => (typeof node === 'string' ? node.replace('./dist/', '') : Object.entries(node).map(([key, child]) => [key, shape(child)]));
        const types = (name) => [['types', `${name}.d.ts`], ['default', `${name}.mjs`]];
        const commonJs = (name) => [['types', `${name}.d.cts`], ['default', `${name}.cjs`]];
        const both = (name) => [['import', types(name)], ['require', commonJs(name)]];
        expect(shape(manifest.exports)).toEqual([
            ['.', [
                ['workerd', [['types', 'qhive.d.ts'], ['default', 'qhive.workerd.mjs']]],
                ['edge-light', [['types', 'qhive.d.ts'], ['default', 'qhive.edge.mjs']]],
                ['import', [['types', 'qhive.d.ts'], ['node', 'qhive.node.mjs'], ['default', 'qhive.mjs']]],
                ['require', commonJs('qhive')],
            ]],
            ['./url', both('url')], ['./qhive-scalar', both('qhive-scalar')], ['./evaluate', both('evaluate')],
            ['./qhive.wasm', 'qhive.wasm'], ['./qhive-scalar.wasm', 'qhive-scalar.wasm'], ['./qhive-threads.wasm', 'qhive-threads.wasm'], ['./package.json', './package.json'],
        ]);
    });

    test('nothing is installed with it, nothing runs at its installation', () => {
        expect(manifest).toMatchObject({
            main: './dist/qhive.cjs', module: './dist/qhive.mjs', types: './dist/qhive.d.ts',
            unpkg: './dist/qhive.global.js', jsdelivr: './dist/qhive.global.js', sideEffects: false, engines: { node: '>=20.16' },
        });
        for (const name of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundledDependencies']) expect(manifest[name]).toBeUndefined();
        expect(Object.keys(manifest.scripts).filter((name) => /install|prepare|publish|pack/.test(name))).toEqual([]);
    });
});

describe.each([['ES module', () => import('qhive/url')], ['CommonJS', () => require('qhive/url')]])('qhive/url as %s', (_, load) => {
    const wasm = pathToFileURL(dist('qhive.wasm'));

    test('runs the module whose address it is given', async () => {
        const { createRuntime: create, createRuntimeSync: createSync, QhiveError } = await load();
        expect(hashOf(await create({ wasm }))).toBe(hashOf(await createRuntime()));
        expect(hashOf(createSync({ wasm: readFileSync(wasm) }))).toBe(hashOf(createRuntimeSync()));
        expect(thrownBy(() => createSync())).toBeInstanceOf(QhiveError);
    });

    test('without one it says that it has none', async () => {
        const { createRuntime: create, createRuntimeSync: createSync } = await load();
        const expected = { name: 'QhiveError', code: 'INVALID_ARGUMENT', message: expect.stringMatching(/options\.wasm must be given.*qhive\.wasm/) };
        await expect(create()).rejects.toMatchObject(expected);
        expect(thrownBy(() => createSync({}))).toMatchObject(expected);
    });
});

describe.each([['ES module', () => import('qhive/qhive-scalar')], ['CommonJS', () => require('qhive/qhive-scalar')]])('qhive/qhive-scalar as %s', (_, load) => {
    test('is the bytes of the scalar build', async () => {
        const { scalarBytes: bytes } = await load();
        expect(Buffer.from(bytes()).equals(readFileSync(dist('qhive-scalar.wasm')))).toBe(true);
        expect(createRuntimeSync({ wasm: bytes() }).build.simd).toBe(false);
        expect(bytes().buffer).not.toBe(bytes().buffer);
    });
});

/** KiB gzipped, above what each is; raised together with what an addition pays for. */
const BUDGETS = { 'qhive.mjs': 76, 'qhive.cjs': 76, 'url.mjs': 29, 'threads.mjs': 6, 'qhive-scalar.mjs': 46, 'qhive-threads.mjs': 62, 'qhive.global.js': 122 };

describe('sizes', () => {
    test.each(Object.entries(BUDGETS))('%s is at most %d KiB gzipped', (name, budget) => {
        expect(gzipSync(readFileSync(dist(name)), { level: 9 }).length / 1024).toBeLessThanOrEqual(budget);
    });

    test('the binary is smaller inside the package than beside it, though it is text there', () => {
        const inside = statSync(dist('qhive.mjs')).size - statSync(dist('url.mjs')).size;
        expect(inside).toBeLessThan(0.6 * statSync(dist('qhive.wasm')).size);
    });
});
