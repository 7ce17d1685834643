/** What the modules in build/ are: their boundary, their memory, and that nothing of the builder is in them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { readExportList, readModule } from './wasm-binary.js';

const STACK_BYTES = 1048576;
const PAGE_BYTES = 65536;
const exportList = readExportList(readFileSync(join(root, 'src/wasm/exports.txt'), 'utf8'));

/** The disassembly of a module, by the objdump of the pinned toolchain. */
function disassemble(file) {
    const script = `
        import { readFileSync } from 'node:fs';
        import { commands } from '@yowasp/clang';
        await commands.objdump(null, {}, { fetchProgress() {} });
        await commands.objdump(['-d', 'm.wasm'], { 'm.wasm': readFileSync(process.argv[1]) });`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--liftoff-only', '--input-type=module', '-e', script, file], {
        cwd: root,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
}

describe.each([
    ['wasm', true],
    ['wasm-scalar', false],
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

    test('has the stack lowest, then static data, then the heap', () => {
        const heapBase = module.exports.find(({ name }) => name === '__heap_base')?.value ?? memory.min * PAGE_BYTES;
        // The stack pointer is the only mutable global of the linker, and its first.
        expect(module.globals[0]).toMatchObject({ mutable: true, value: STACK_BYTES });
        for (const { start, byteCount } of module.data) {
            expect(start).toBeGreaterThanOrEqual(STACK_BYTES);
            expect(start + byteCount).toBeLessThanOrEqual(heapBase);
        }
        expect(heapBase).toBeGreaterThanOrEqual(STACK_BYTES);
        expect(heapBase).toBeLessThanOrEqual(memory.min * PAGE_BYTES);
    });

    test('carries no custom section and no path', () => {
        expect(module.sections.filter(({ id }) => id === 0)).toEqual([]);
        const text = Buffer.from(bytes).toString('latin1');
        for (const path of [root, homedir(), `${tmpdir()}/`, 'unit.c', '.c\0']) expect(text).not.toContain(path);
    });

    test(`${simd ? 'uses' : 'does not use'} SIMD instructions`, () => {
        const code = disassemble(file);
        expect(code).toMatch(/\bi32\.add\b/);
        const pattern = /\b(v128\.|[if](8x16|16x8|32x4|64x2)\.)/;
        if (simd) expect(code).toMatch(pattern);
        else expect(code).not.toMatch(pattern);
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
