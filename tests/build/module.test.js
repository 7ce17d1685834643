/** What the modules in build/ are: their boundary, their memory, and that nothing of the builder is in them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { devNull, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRuntimeSync } from 'qhive';
import { root } from '../../cmake/build.mjs';
import { readExportList, readModule } from './wasm-binary.js';

const STACK_BYTES = 1048576;
const PAGE_BYTES = 65536;
const exportList = readExportList(readFileSync(join(root, 'src/wasm/exports.txt'), 'utf8'));

const WASM_OPT = fileURLToPath(new URL('../../node_modules/binaryen/bin/wasm-opt', import.meta.url));

/** Whether a module needs SIMD, and what binaryen's validator says of it where there is none. */
function withoutSimd(file) {
    const others = ['bulk-memory', 'sign-ext', 'nontrapping-float-to-int', 'mutable-globals'].map((feature) => `--enable-${feature}`);
    const { error, status, stderr } = spawnSync(process.execPath, [WASM_OPT, file, '--quiet', '--mvp-features', ...others, '-o', devNull], { encoding: 'utf8' });
    if (error) throw error;
    return { fits: status === 0, problems: stderr };
}

describe.each([
    ['wasm', true],
    ['wasm-scalar', false],
    ['wasm-small', false],
])('the module of preset %s', (preset, simd) => {
    const file = join(root, 'build', preset, 'qhive.wasm');
    const bytes = readFileSync(file);
    const module = readModule(bytes);
    const memory = module.imports.find(({ kind }) => kind === 'memory');

    test('exports exactly the names of the export list', () => {
        expect(module.exports.map(({ name }) => name).sort()).toEqual([...exportList].sort());
    });

    test('imports nothing but its memory, whose maximum is left to the loader', () => {
        expect(module.imports).toEqual([
            { module: 'env', name: 'memory', kind: 'memory', min: expect.any(Number), max: undefined, shared: false, memory64: false },
        ]);
    });

    test.each([0, 1, 16384, 65536])('instantiates in a memory whose maximum is its minimum plus, or is, %d pages', async (pages) => {
        const maximum = Math.max(memory.min, pages > 1 ? pages : memory.min + pages);
        const given = new WebAssembly.Memory({ initial: memory.min, maximum });
        await expect(WebAssembly.instantiate(bytes, { env: { memory: given } })).resolves.toBeDefined();
    });

    test('refuses a memory smaller than its static data', async () => {
        const given = new WebAssembly.Memory({ initial: memory.min - 1, maximum: memory.min });
        await expect(WebAssembly.instantiate(bytes, { env: { memory: given } })).rejects.toThrow(/memory/);
    });

    describe('lays out its memory', () => {
        const { value: heapBase } = module.exports.find(({ name }) => name === '__heap_base');
        const exported = module.exports.find(({ name }) => name === '__stack_pointer');
        const dataEnd = Math.max(...module.data.map(({ start, byteCount }) => start + byteCount));

        test('stack from 0 to 1 MiB: overflowing it leaves the memory', () => {
            // The stack pointer is the only mutable global of the linker, and its first.
            expect(module.globals.filter(({ mutable }) => mutable)).toEqual([module.globals[0]]);
            expect(module.globals[0].value).toBe(STACK_BYTES);
            expect(exported.value).toBe(STACK_BYTES);
        });

        test('static data from 1 MiB on, apart from each other, up to the heap base', () => {
            const segments = [...module.data].sort((a, b) => a.start - b.start);
            expect(segments[0].start).toBeGreaterThanOrEqual(STACK_BYTES);
            expect(segments[0].start).toBeLessThan(STACK_BYTES + 64);
            for (let i = 1; i < segments.length; i++)
                expect(segments[i].start).toBeGreaterThanOrEqual(segments[i - 1].start + segments[i - 1].byteCount);
            expect(dataEnd).toBeLessThanOrEqual(heapBase);
            expect(heapBase % 16).toBe(0);
            expect(heapBase).toBeLessThanOrEqual(memory.min * PAGE_BYTES);
            expect(heapBase).toBeGreaterThan((memory.min - 1) * PAGE_BYTES);
        });

        test('heap from there upward, which layout() says too', () => {
            const runtime = createRuntimeSync({ wasm: bytes, pools: { state: 4, trajectory: 4, message: 1 }, maxPages: 64 });
            const [stack, data, pools, heap, unused] = runtime.memory.layout();
            expect([stack.start, stack.end, data.start]).toEqual([0, STACK_BYTES, STACK_BYTES]);
            expect(data.end).toBeGreaterThanOrEqual(heapBase);
            expect(pools.start).toBe(data.end);
            expect(heap.start).toBe(pools.end);
            expect(unused.end).toBe(runtime.memory.pages * PAGE_BYTES);
            let end = heap.end;
            for (let i = 0; i < 40; i++) {
                runtime.createAgent({ actions: 4, encoder: { kind: 'index', states: 100 } });
                const [, before, , grown] = runtime.memory.layout();
                expect(before.end).toBe(data.end);
                expect(grown.end).toBeGreaterThanOrEqual(heap.end); // a nest that closes lowers it
                end = grown.end;
            }
            expect(end).toBeGreaterThan(heap.end);
        });

        test('a stack that overflows traps and writes over nothing', () => {
            const staticData = () => Buffer.from(given.buffer, STACK_BYTES).toString('latin1');
            const given = new WebAssembly.Memory({ initial: memory.min, maximum: 1024 });
            const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: given } });
            const before = staticData();
            exports.__stack_pointer.value = 64;
            expect(() => exports.qh_open(1024, 0, 1, 0, 4, 4, 1, 0)).toThrow(WebAssembly.RuntimeError);
            expect(staticData() === before).toBe(true);
            exports.__stack_pointer.value = STACK_BYTES;
            expect(exports.qh_open(1024, 0, 1, 0, 4, 4, 1, 0)).toBe(0);
            expect(exports.__stack_pointer.value).toBe(STACK_BYTES);
        });
    });

    test('carries no custom section and no path', () => {
        expect(module.sections.filter(({ id }) => id === 0)).toEqual([]);
        const text = Buffer.from(bytes).toString('latin1');
        for (const path of [root, homedir(), `${tmpdir()}/`, 'unit.c', '.c\0']) expect(text).not.toContain(path);
    });

    test(`${simd ? 'uses' : 'does not use'} SIMD instructions`, () => {
        const problems = simd ? expect.stringMatching(/SIMD operations require SIMD/) : '';
        expect(withoutSimd(file)).toEqual({ fits: !simd, problems });
    });

    test('is compiled with the agreed flags', () => {
        const { compile, link } = JSON.parse(readFileSync(`${file}.job.json`, 'utf8'));
        expect(compile).toEqual(
            expect.arrayContaining([
                '--target=wasm32', '-std=c17', '-ffreestanding', '-nostdlib', '-fvisibility=hidden', '-mbulk-memory',
                '-msign-ext', '-mnontrapping-fptoint', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror', '-DQH_ASSERT_LEVEL=1',
            ]),
        );
        expect(compile.includes('-msimd128')).toBe(simd);
        expect(link).toEqual(expect.arrayContaining(['--no-entry', '--stack-first', '--import-memory', `stack-size=${STACK_BYTES}`]));
        expect(link).not.toContain('--allow-undefined');
    });
});
