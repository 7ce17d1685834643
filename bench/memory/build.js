/**
 * Compiles the benchmark of memory with npm's @yowasp/clang: `node bench/memory/build.js FOLDER`. One module for each allocator, each
 * file compiled by itself so that nothing is inlined across; dlmalloc is that of the WASI libc inside the toolchain.
 * Writes FOLDER/{qhive,dlmalloc,empty}.wasm and FOLDER/sizes.json: bytes of code of alloc, free and resize with all they call.
 *
 * A process of its own: V8's baseline compiler, which LLVM starts fastest with, would spoil the measurement.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['bench/memory', 'src/base', 'src/memory', 'include/qhive'];
const HEAP = ['src/memory/heap.c', 'src/memory/heap_validate.c', 'src/memory/budget.c', 'src/memory/record.c', 'src/memory/pool.c', 'src/base/bytes.c'];
const FEATURES = ['-mbulk-memory', '-msign-ext', '-mnontrapping-fptoint'];
const LANGUAGE = ['-std=c17', '-ffreestanding', '-fvisibility=hidden', ...FEATURES, '-Isrc', '-Iinclude', '-Ibench/memory'];

function sourceTree() {
    const tree = {};
    for (const folder of FOLDERS) {
        let place = tree;
        for (const name of folder.split('/')) place = place[name] ??= {};
        for (const name of readdirSync(join(root, folder)))
            if (/\.[ch]$/.test(name)) place[name] = new Uint8Array(readFileSync(join(root, folder, name)));
    }
    return tree;
}

setFlagsFromString('--liftoff-only');
const { commands } = await import('@yowasp/clang');
await commands.clang(null, {}, { fetchProgress() {} });
let tree = sourceTree();

async function compile(source, flags) {
    const object = `${source.replaceAll('/', '_')}${flags.join('')}.o`;
    if (!tree[object]) tree = await commands.clang(['--target=wasm32', ...LANGUAGE, ...flags, '-c', source, '-o', object], tree);
    return object;
}

async function module(name, sources, optimise) {
    const objects = [];
    const peer = `-DPEER_${name.toUpperCase()}`;
    if (name === 'dlmalloc') {
        const program = ['--target=wasm32-wasip1', '-mexec-model=reactor', '-Wl,--export=__heap_base', '-std=c17', '-O3', ...FEATURES];
        tree = await commands.clang([...program, '-Ibench/memory', peer, ...sources, '-o', 'out.wasm'], tree);
        return tree['out.wasm'];
    }
    for (const source of sources) objects.push(await compile(source, source.startsWith('bench') ? ['-O3', peer] : [optimise]));
    return link(objects, ['--export=__heap_base', '-z', 'stack-size=65536']);
}

async function link(objects, flags) {
    tree = await commands['wasm-ld'](['--no-entry', '--stack-first', '--gc-sections', ...flags, ...objects, '-o', 'out.wasm'], tree);
    return tree['out.wasm'];
}

/** The bytes of a module's code section. */
function codeBytes(bytes) {
    const number = (at) => {
        for (let value = 0, shift = 0; ; shift += 7) {
            value |= (bytes[at] & 127) << shift;
            if (!(bytes[at++] & 128)) return [value >>> 0, at];
        }
    };
    for (let at = 8; at < bytes.length; ) {
        const [size, begin] = number(at + 1);
        if (bytes[at] === 10) return size;
        at = begin + size;
    }
    return 0;
}

/** alloc, free and resize with what they call, without what the budget, records and memcpy are by themselves. */
async function heapBytes(optimise) {
    const flags = [optimise, '-DQH_ASSERT_LEVEL=0'];
    const exports = (names) => ['--strip-all', ...names.map((name) => `--export=${name}`)];
    const rest = [];
    for (const source of HEAP.slice(1)) rest.push(await compile(source, ['-Os']));
    const heap = await compile(HEAP[0], flags);
    const others = ['qh_budget_grow', 'qh_records_reserve', 'qh_records_add', 'qh_records_remove', 'memcpy', 'memset'];
    const calls = ['qh_heap_alloc', 'qh_heap_free', 'qh_heap_resize'];
    const whole = codeBytes(await link([heap, ...rest], exports([...calls, ...others])));
    return whole - codeBytes(await link(rest, [...exports(others), '--allow-undefined']));
}

const [folder, optimise = '-Os'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const modules = {
    qhive: ['bench/memory/driver.c', 'bench/memory/qhive.c', ...HEAP],
    empty: ['bench/memory/driver.c', 'bench/memory/empty.c', 'src/base/bytes.c'],
    dlmalloc: ['bench/memory/driver.c', 'bench/memory/dlmalloc.c'],
};
for (const [name, sources] of Object.entries(modules)) writeFileSync(join(folder, `${name}.wasm`), await module(name, sources, optimise));
const sizes = { small: await heapBytes('-Oz'), shipped: await heapBytes('-Os'), fast: await heapBytes('-O3') };
writeFileSync(join(folder, 'sizes.json'), JSON.stringify(sizes));
