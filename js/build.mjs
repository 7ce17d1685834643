/**
 * Makes dist/ from js/src, js/types and the modules in build/ (CMake's target `package` runs it):
 *
 *   qhive.mjs            ES module; the SIMD binary inside, the scalar one behind a dynamic import
 *   qhive.node.mjs       the same for Node, whose synchronous start can load the scalar binary too
 *   qhive.cjs            CommonJS; the scalar binary behind a `require`
 *   qhive.global.js      one script for a <script> tag, global `qhive`, both binaries inside
 *   qhive.workerd.mjs    for Cloudflare's workers: imports qhive.wasm, which their tools compile beforehand
 *   qhive.edge.mjs       the same where that import is spelt `qhive.wasm?module`
 *   url.mjs/.cjs         no binary inside: the caller says where qhive.wasm is
 *   cli.mjs, cli/        the command `qhive`; it uses the package by its name
 *   web/                 the page that `qhive serve` serves, static
 *   threads.mjs/.cjs     the code for threads, which the entries load when it is needed; qhive-threads.mjs/.cjs: the binary for threads
 *   qhive-scalar.mjs/.cjs, qhive.wasm, qhive-scalar.wasm, qhive-threads.wasm, evaluate.mjs/.cjs, types
 *
 * What JavaScript knows of the core (offsets, codes, limits, exports) is read here from the layout module
 * and src/wasm/exports.txt and reaches the sources as the virtual module `qhive:abi`: nothing is typed twice.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { compress } from 'lzma';
import { minify } from 'terser';
import { buildPage } from '../web/build.js';
import { buildCommands } from './commands.mjs';
import { openModule, readLayout } from './layout.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

const modules = {
    simd: readFileSync(join(root, 'build/wasm/qhive.wasm')),
    scalar: readFileSync(join(root, 'build/wasm-scalar/qhive.wasm')),
    threads: readFileSync(join(root, 'build/wasm-threads/qhive.wasm')),
    abi: readFileSync(join(root, 'build/wasm/qhive_abi.wasm')),
};

/** The layout table by its parts: `{ io: { observation: 0, ... }, def: { ... }, result: { OVERFLOW: 2, ... }, ... }`. */
function readAbi() {
    const abi = {};
    for (const [name, value] of Object.entries(readLayout(modules.abi))) {
        const dot = name.indexOf('.');
        (abi[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = value;
    }
    return abi;
}

function exportList(name) {
    const lines = readFileSync(join(root, 'src/wasm', name), 'utf8').split('\n');
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
}

function abiSource() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const opened = [openModule(modules.simd), openModule(modules.scalar), openModule(modules.threads, true)];
    const pages = Math.max(...opened.map(({ initial }) => initial));
    const heapBase = Math.max(...opened.map(({ exports }) => exports.__heap_base.value));
    const values = { VERSION: version, EXPORTS: exportList('exports.txt'), THREAD_EXPORTS: exportList('exports-threads.txt'), MODULE_PAGES: pages, HEAP_BASE: heapBase, abi: readAbi() };
    return Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`).join('');
}

const LZMA_HEADER = 13;
const LZMA_PROPERTIES = 93; // lc 3, lp 0, pb 2: what js/src/lzma.js reads

/** As js/src/packed.js reads it. */
function packed(bytes) {
    const stream = Uint8Array.from(compress(bytes, 5));
    if (stream[0] !== LZMA_PROPERTIES) throw new Error(`the LZMA encoder chose the properties ${stream[0]}`);
    const text = Buffer.from(stream.subarray(LZMA_HEADER)).toString('base64').replace(/=+$/, '');
    return `export default ${JSON.stringify({ byteCount: bytes.length, text })};`;
}

const virtual = {
    abi: abiSource(),
    simd: packed(modules.simd),
    'scalar-packed': packed(modules.scalar),
    'threads-packed': packed(modules.threads),
};

/**
 * Resolves `qhive:*`: `own`, `binaries` and `threads` to the files named for the output, `scalar`, `module` and the chunks for threads to
 * files beside it, the others to what is generated here.
 */
const plugin = ({ own = 'inlined.js', binaries = '', threads = '', scalar = '', module = '', chunks = '' } = {}) => ({
    name: 'qhive',
    setup(build) {
        const source = (file) => ({ path: join(root, 'js/src/binaries', file) });
        build.onResolve({ filter: /^qhive:/ }, ({ path }) => {
            const name = path.slice('qhive:'.length);
            if (name === 'own') return source(own);
            if (name === 'binaries') return source(binaries);
            if (name === 'threads') return source(threads);
            if (name === 'threads-code') return { path: `./threads${chunks}`, external: true };
            if (name === 'threads-build') return { path: `./qhive-threads${chunks}`, external: true };
            if (name === 'scalar') return scalar ? { path: scalar, external: true } : source('scalar.js');
            if (name === 'module') return { path: module, external: true };
            return { path: name, namespace: 'qhive' };
        });
        build.onLoad({ filter: /.*/, namespace: 'qhive' }, ({ path }) => ({ contents: virtual[path], loader: 'js' }));
    },
});

const LINE = 500; // an engine prints the line that threw

const common = {
    absWorkingDir: root,
    bundle: true,
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    minify: true,
    write: false,
    logLevel: 'warning',
};

/** What this build makes in dist/: files, and the folder of the page, which is replaced as a whole. */
const made = new Set(['web']);

/** A reader of dist/ sees each file as it was or as it becomes, never half of it. */
function put(name, contents) {
    const path = join(dist, name);
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
    made.add(join(name));
}

/** Removes what an earlier build left: all of dist/ is shipped. */
function sweep(folder = '') {
    for (const entry of readdirSync(join(dist, folder), { withFileTypes: true })) {
        const name = join(folder, entry.name);
        if (made.has(name)) continue;
        if ([...made].some((path) => path.startsWith(name + sep))) sweep(name);
        else rmSync(join(dist, name), { recursive: true });
    }
}

/** Bundled and minified; public names stay. */
async function bundle(name, entry, options) {
    const { outputFiles } = await esbuild.build({ ...common, entryPoints: [join('js/src', entry)], outfile: name, ...options });
    const module = options.format === 'esm';
    const { code } = await minify(outputFiles[0].text, {
        module,
        ecma: 2020,
        compress: { passes: 1, ecma: 2020, unsafe_arrows: true },
        mangle: { toplevel: options.format === 'cjs' },
        format: { ecma: 2020, max_line_len: LINE },
    });
    const [named = ''] = /0&&\(module\.exports=[^)]*\);?/.exec(outputFiles[0].text) ?? []; // from which Node reads the names that a CommonJS file exports
    put(name, `${code}\n${named}`);
}

/** The declarations of the main entry in one file: those that js/types/qhive.d.ts names, without what they import of each other. */
function mainTypes() {
    const text = readFileSync(join(root, 'js/types/qhive.d.ts'), 'utf8');
    const read = (name) => readFileSync(join(root, 'js/types', `${name}.d.ts`), 'utf8').replace(/^\/\*\*.*\*\/\n/, '').replaceAll(/^import type .*\n/gm, '').trim();
    return text.replaceAll(/^export \* from '\.\/([\w-]+)\.js';\n/gm, (_, name) => `\n/* ---- ${name} */\n\n${read(name)}\n`);
}

function copyTypes() {
    for (const name of ['qhive', 'evaluate', 'url', 'qhive-scalar']) {
        const text = name === 'qhive' ? mainTypes() : readFileSync(join(root, 'js/types', `${name}.d.ts`), 'utf8');
        put(`${name}.d.ts`, text);
        put(`${name}.d.cts`, text.replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'"));
    }
}

mkdirSync(dist, { recursive: true });
const esm = { format: 'esm', platform: 'neutral' };
const cjs = { format: 'cjs', platform: 'node' }; // for the names at its end, see bundle()
const iife = { format: 'iife', platform: 'browser', globalName: 'qhive' };
const edge = (module) => ({ ...esm, plugins: [plugin({ own: 'precompiled.js', threads: 'threads-none.js', module })] });
const inEsm = { binaries: 'esm.js', threads: 'threads-esm.js', scalar: './qhive-scalar.mjs', chunks: '.mjs' };
const inCjs = { binaries: 'cjs.js', threads: 'threads-cjs.js', scalar: './qhive-scalar.cjs', chunks: '.cjs' };
await Promise.all([
    bundle('qhive.mjs', 'index.js', { ...esm, plugins: [plugin(inEsm)] }),
    bundle('qhive.node.mjs', 'index.js', { ...esm, platform: 'node', plugins: [plugin({ ...inEsm, binaries: 'node.js', threads: 'threads-node.js' })] }),
    bundle('qhive.cjs', 'index.js', { ...cjs, plugins: [plugin(inCjs)] }),
    bundle('qhive.global.js', 'index.js', { ...iife, plugins: [plugin({ binaries: 'global.js', threads: 'threads-inside.js' })] }),
    bundle('qhive.workerd.mjs', 'index.js', edge('./qhive.wasm')),
    bundle('qhive.edge.mjs', 'index.js', edge('./qhive.wasm?module')),
    bundle('url.mjs', 'index.js', { ...esm, plugins: [plugin({ ...inEsm, own: 'url.js' })] }),
    bundle('url.cjs', 'index.js', { ...cjs, plugins: [plugin({ ...inCjs, own: 'url.js' })] }),
    bundle('qhive-scalar.mjs', 'binaries/scalar.js', { ...esm, plugins: [plugin()] }),
    bundle('qhive-scalar.cjs', 'binaries/scalar.js', { ...cjs, plugins: [plugin()] }),
    bundle('threads.mjs', 'threads.js', { ...esm, plugins: [plugin()] }),
    bundle('threads.cjs', 'threads.js', { ...cjs, plugins: [plugin()] }),
    bundle('qhive-threads.mjs', 'binaries/threads.js', { ...esm, plugins: [plugin()] }),
    bundle('qhive-threads.cjs', 'binaries/threads.js', { ...cjs, plugins: [plugin()] }),
    buildCommands({ ...common, ...esm, platform: 'node', minify: false, minifySyntax: true, minifyWhitespace: true }, plugin(), put),
    bundle('evaluate.mjs', 'evaluate/index.js', esm),
    bundle('evaluate.cjs', 'evaluate/index.js', cjs),
]);
copyTypes();
put('qhive.wasm', modules.simd);
put('qhive-scalar.wasm', modules.scalar);
put('qhive-threads.wasm', modules.threads);
await buildPage();
sweep();
