/** Every file of dist/: the same package in each format, nothing done at import, nothing in it that bundlers or browsers refuse. */
import { transformSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import vm from 'node:vm';
import * as imported from 'qhive';
import { unpackLzma } from '../../js/src/lzma.js';
import { root } from '../../cmake/build.mjs';
import { INDEX, wander } from './support.js';

const dist = (name) => join(root, 'dist', name);
const read = (name) => readFileSync(dist(name), 'utf8');
const require = createRequire(import.meta.url);
const NAMES = ['QhiveError', 'attachRuntime', 'createRuntime', 'createRuntimeSync'];

/** What a pattern finds first; a failure need not print the whole file. */
const firstOf = (pattern, text) => pattern.exec(text)?.[0] ?? '';

/** A file without the line breaks inside of its strings. */
const joined = (name) => read(name).replaceAll('\\\n', '');

const binaries = Object.fromEntries(['qhive.wasm', 'qhive-scalar.wasm'].map((name) => [name, readFileSync(dist(name))]));

/** Whether a script carries this binary of dist/, as LZMA in base64. */
function carries(text, name) {
    const packed = text.match(/[A-Za-z0-9+/]{5000,}/g) ?? [];
    const binary = binaries[name];
    return packed.some((base64) => Buffer.from(unpackLzma(Buffer.from(base64, 'base64'), binary.length)).equals(binary));
}

/** The global that the script-tag file defines, in a realm with nothing but what every browser has. */
function runScript() {
    const context = vm.createContext({ WebAssembly, TextEncoder, console });
    vm.runInContext(`${read('qhive.global.js')}\n;globalThis.result = qhive;`, context);
    return context.result;
}

const FORMATS = [
    ['ES module in Node', () => imported], ['ES module', () => import('../../dist/qhive.mjs')], ['CommonJS', () => require('qhive')], ['script tag', runScript],
];

describe.each(FORMATS)('%s', (_, load) => {
    test('exports what is documented', async () => {
        expect(Object.keys(await load()).filter((name) => name !== 'default').sort()).toEqual(NAMES);
    });

    test.each([true, false])('learns the same with SIMD %p', async (simd) => {
        const { createRuntime } = await load();
        const hashes = [];
        for (const create of [createRuntime, imported.createRuntime]) {
            const runtime = await create({ seed: 5, simd });
            expect(runtime.build.simd).toBe(simd);
            wander(runtime.createAgent(INDEX));
            hashes.push(runtime.hash());
        }
        expect(hashes[0]).toBe(hashes[1]);
    });

    test('errors carry name and code', async () => {
        const { createRuntime, QhiveError } = await load();
        const error = await createRuntime({ seed: -1 }).catch((reason) => reason);
        expect(error).toMatchObject({ name: 'QhiveError', code: 'INVALID_ARGUMENT' });
        expect(error instanceof QhiveError).toBe(true);
        const own = new QhiveError('CORRUPT', 'mine');
        expect([own.name, own.code, own.message]).toEqual(['QhiveError', 'CORRUPT', 'mine']);
    });
});

describe('the scalar build at once', () => {
    test.each(FORMATS.filter(([name]) => name !== 'ES module'))('%s', async (_, load) => {
        expect((await load()).createRuntimeSync({ simd: false }).build.simd).toBe(false);
    });
});

test('both halves of the package resolve to their formats', () => {
    expect(require.resolve('qhive')).toBe(dist('qhive.cjs'));
    expect(require.resolve('qhive/evaluate')).toBe(dist('evaluate.cjs'));
    expect(Object.keys(require('qhive/evaluate'))).toContain('evaluatePolicy');
});

describe('what is in the files', () => {
    const scripts = readdirSync(join(root, 'dist')).filter((name) => /\.(mjs|cjs|js)$/.test(name));
    const browser = scripts.filter((name) => !name.includes('.node.') && name !== 'cli.mjs');
    const inlined = ['qhive.mjs', 'qhive.node.mjs', 'qhive.cjs', 'qhive.global.js'];

    test.each(scripts)('%s has no eval, no debugger, and no path of the building machine', (name) => {
        const text = read(name);
        expect(firstOf(/\beval\s*\(|new Function|\bdebugger\b|sourceMappingURL/, text)).toBe('');
        expect(text.includes(root)).toBe(false);
    });

    test.each(browser)('%s mentions no import.meta, no Node import, no top-level await', (name) => {
        const text = read(name);
        expect(firstOf(/import\.meta|require\(["']node:|from\s*["']node:|import\(["']node:|\bBuffer\./, text)).toBe('');
        expect(transformSync(text, { format: 'iife', target: 'es2022', logLevel: 'silent' }).code).not.toBe(''); // throws for top-level await
    });

    test('the scalar binary is in the script-tag file and its own chunks only', () => {
        const carriers = (binary) => scripts.filter((name) => carries(joined(name), binary)).sort();
        expect(carriers('qhive.wasm')).toEqual([...inlined].sort());
        expect(carriers('qhive-scalar.wasm')).toEqual(['qhive-scalar.cjs', 'qhive-scalar.mjs', 'qhive.global.js']);
        expect(firstOf(/import\(["']\.\/qhive-scalar\.mjs["']\)/, read('qhive.mjs'))).not.toBe('');
        expect(firstOf(/require\(["']\.\/qhive-scalar\.cjs["']\)/, read('qhive.cjs'))).not.toBe('');
    });

    test.each(browser)('%s has short lines: an uncaught error prints one', (name) => {
        const lines = joined(name).replace(/[A-Za-z0-9+/]{5000,}/g, '').split('\n');
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(2000);
    });

    test('the types are the same for both formats', () => {
        for (const name of ['qhive', 'evaluate', 'url', 'qhive-scalar'])
            expect(read(`${name}.d.cts`)).toBe(read(`${name}.d.ts`).replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'"));
    });
});

test('importing does nothing: no compilation, no instance, no global', () => {
    const script = `
        const before = Object.getOwnPropertyNames(globalThis).length;
        for (const name of ['validate', 'compile', 'instantiate', 'Module', 'Instance', 'Memory'])
            WebAssembly[name] = () => { throw new Error(name); };
        await import('./dist/qhive.mjs');
        await import('./dist/qhive.node.mjs');
        await import('./dist/qhive.cjs');
        process.stdout.write(String(Object.getOwnPropertyNames(globalThis).length - before));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe('0');
});

test('a bundle without SIMD of its own keeps the scalar binary apart', async () => {
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
        stdin: { contents: "import { createRuntime } from './dist/qhive.mjs'; createRuntime().then(console.log);", resolveDir: root },
        bundle: true, splitting: true, format: 'esm', platform: 'browser', write: false, outdir: 'out', logLevel: 'error',
    });
    expect(outputFiles.length).toBeGreaterThanOrEqual(2);
    expect(outputFiles.filter(({ text }) => carries(text, 'qhive-scalar.wasm'))).toHaveLength(1);
    expect(carries(outputFiles.find(({ path }) => path.endsWith('stdin.js')).text, 'qhive-scalar.wasm')).toBe(false);
});

test('a program that imports nothing of it gets nothing of it', async () => {
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
        stdin: { contents: "import { createRuntime } from 'qhive'; console.log(1);", resolveDir: root },
        bundle: true, format: 'esm', platform: 'browser', write: false, logLevel: 'error',
    });
    expect(outputFiles[0].text.length).toBeLessThan(200);
});
