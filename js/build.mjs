/**
 * Makes dist/ from js/src, js/types and the modules in build/ (CMake's target `package` runs it):
 *
 *   qhive.mjs            ES module; the SIMD binary inside, the scalar one behind a dynamic import
 *   qhive.node.mjs       the same for Node, whose synchronous start can load the scalar binary too
 *   qhive.cjs            CommonJS; the scalar binary behind a `require`
 *   qhive.global.js      one script for a <script> tag, global `qhive`, both binaries inside
 *   cli.mjs, cli/        the command `qhive`; it uses the package by its name
 *   web/                 the page that `qhive serve` serves, static
 *   qhive-scalar.mjs/.cjs, qhive.wasm, qhive-scalar.wasm, evaluate.mjs/.cjs, types
 *
 * What JavaScript knows of the core (offsets, codes, limits, exports) is read here from the layout module
 * and src/wasm/exports.txt and reaches the sources as the virtual module `qhive:abi`: nothing is typed twice.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { deflateSync } from 'fflate';
import { buildPage } from '../web/build.js';
import { buildCommands } from './commands.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const ENTRY_BYTES = 48;
const NAME_BYTES = 44;

const modules = {
    simd: readFileSync(join(root, 'build/wasm/qhive.wasm')),
    scalar: readFileSync(join(root, 'build/wasm-scalar/qhive.wasm')),
    abi: readFileSync(join(root, 'build/wasm/qhive_abi.wasm')),
};

/** The fewest pages with which a module can be instantiated. */
function pagesOf(bytes) {
    const module = new WebAssembly.Module(bytes);
    for (let initial = 1; ; initial++) {
        const memory = new WebAssembly.Memory({ initial });
        try {
            return { initial, memory, exports: new WebAssembly.Instance(module, { env: { memory } }).exports };
        } catch (error) {
            if (!(error instanceof WebAssembly.LinkError) || initial === 1024) throw error;
        }
    }
}

/** The layout table: `{ io: { observation: 0, ... }, def: { ... }, result: { OVERFLOW: 2, ... }, ... }`. */
function readAbi() {
    const { memory, exports } = pagesOf(modules.abi);
    const view = new DataView(memory.buffer, exports.qh_abi_address(), exports.qh_abi_count() * ENTRY_BYTES);
    const abi = {};
    for (let at = 0; at < view.byteLength; at += ENTRY_BYTES) {
        const name = Buffer.from(view.buffer, view.byteOffset + at, NAME_BYTES).toString('ascii').replace(/\0.*$/s, '');
        const dot = name.indexOf('.');
        (abi[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = view.getUint32(at + NAME_BYTES, true);
    }
    return abi;
}

function exportList() {
    const lines = readFileSync(join(root, 'src/wasm/exports.txt'), 'utf8').split('\n');
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
}

function abiSource() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const pages = Math.max(pagesOf(modules.simd).initial, pagesOf(modules.scalar).initial);
    const heapBase = Math.max(...[modules.simd, modules.scalar].map((bytes) => pagesOf(bytes).exports.__heap_base.value));
    const values = { VERSION: version, EXPORTS: exportList(), MODULE_PAGES: pages, HEAP_BASE: heapBase, abi: readAbi() };
    return Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`).join('');
}

/** Deflated before base64: a server's own compression finds little in base64 of raw bytes. */
const packed = (bytes) => `export default '${Buffer.from(deflateSync(bytes, { level: 9, mem: 12 })).toString('base64')}';`;

const virtual = {
    abi: abiSource(),
    simd: packed(modules.simd),
    scalar: packed(modules.scalar),
};

/** Resolves `qhive:*`: `binaries` to the file named for the output, the others to what is generated here. */
const plugin = (binaries, { scalarFile } = {}) => ({
    name: 'qhive',
    setup(build) {
        build.onResolve({ filter: /^qhive:/ }, ({ path }) => {
            const name = path.slice('qhive:'.length);
            if (name === 'binaries') return { path: join(root, 'js/src/binaries', binaries) };
            if (name === 'scalar' && scalarFile) return { path: scalarFile, external: true };
            return { path: name, namespace: 'qhive' };
        });
        build.onLoad({ filter: /.*/, namespace: 'qhive' }, ({ path }) => ({ contents: virtual[path], loader: 'js' }));
    },
});

const common = {
    absWorkingDir: root,
    bundle: true,
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160, // an engine prints the line that threw
    write: false,
    logLevel: 'warning',
};

/** A reader of dist/ sees each file as it was or as it becomes, never half of it. */
function put(name, contents) {
    const path = join(dist, name);
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
}

async function bundle(name, entry, options) {
    const { outputFiles } = await esbuild.build({ ...common, entryPoints: [join('js/src', entry)], outfile: name, ...options });
    put(name, outputFiles[0].contents);
}

async function copyTypes() {
    for (const name of ['qhive', 'evaluate']) {
        const source = join(root, 'js/types', `${name}.d.ts`);
        if (!existsSync(source)) continue;
        const text = readFileSync(source, 'utf8');
        put(`${name}.d.ts`, text);
        put(`${name}.d.cts`, text);
    }
}

mkdirSync(dist, { recursive: true });
const esm = { format: 'esm', platform: 'neutral' };
const cjs = { format: 'cjs', platform: 'neutral' };
await Promise.all([
    bundle('qhive.mjs', 'index.js', { ...esm, plugins: [plugin('esm.js', { scalarFile: './qhive-scalar.mjs' })] }),
    bundle('qhive.node.mjs', 'index.js', { ...esm, platform: 'node', plugins: [plugin('node.js', { scalarFile: './qhive-scalar.mjs' })] }),
    bundle('qhive.cjs', 'index.js', { ...cjs, plugins: [plugin('cjs.js', { scalarFile: './qhive-scalar.cjs' })] }),
    bundle('qhive.global.js', 'index.js', {
        format: 'iife', platform: 'browser', globalName: 'qhive', minify: true, keepNames: true, plugins: [plugin('global.js')],
    }),
    bundle('qhive-scalar.mjs', 'binaries/scalar.js', { ...esm, plugins: [plugin('esm.js')] }),
    bundle('qhive-scalar.cjs', 'binaries/scalar.js', { ...cjs, plugins: [plugin('cjs.js')] }),
    buildCommands({ ...common, ...esm, platform: 'node' }, plugin('node.js'), put),
    bundle('evaluate.mjs', 'evaluate/index.js', esm),
    bundle('evaluate.cjs', 'evaluate/index.js', cjs),
    copyTypes(),
]);
for (const [name, preset] of [['qhive', 'wasm'], ['qhive-scalar', 'wasm-scalar']]) {
    copyFileSync(join(root, 'build', preset, 'qhive.wasm'), join(dist, `${name}.wasm.new`));
    renameSync(join(dist, `${name}.wasm.new`), join(dist, `${name}.wasm`));
}
await buildPage();
