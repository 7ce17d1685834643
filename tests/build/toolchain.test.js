/** The compiler wrapper refuses what must not reach a module: undefined functions, warnings, unknown exports. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'qhive-toolchain-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const { compile, link, check } = JSON.parse(readFileSync(join(root, 'build/wasm/qhive.wasm.job.json'), 'utf8'));
const GOOD = 'int answer(void);\nint answer(void) { return 42; }\n';
const CASES = [
    ['a good file', GOOD, 'answer'],
    ['an undefined function', 'int missing(void);\nint answer(void);\nint answer(void) { return missing(); }\n', 'answer', /missing/],
    ['a warning', 'int answer(void);\nint answer(void) { int unused; return 42; }\n', 'answer', /-Wunused/],
    ['a lossy conversion', 'int answer(double x);\nint answer(double x) { return x; }\n', 'answer', /conversion/],
    ['a pointer in 32 bits', 'unsigned answer(void *p);\nunsigned answer(void *p) { return (unsigned)p; }\n', 'answer', /pointer-to-int-cast/],
    ['a libc header', '#include <stdlib.h>\n', 'answer', /stdlib/],
    ['an export that does not exist', GOOD, 'other', /other/],
    ['an export that is no name', GOOD, '--allow-undefined', /not a symbol/],
];

/** One job file for each case, in a source tree of its own. */
const jobs = CASES.map(([, source, exported], i) => {
    const places = [join(scratch, `${i}`), join(scratch, `${i}.wasm`), ''];
    mkdirSync(join(places[0], 'src'), { recursive: true });
    writeFileSync(join(places[0], 'src', 'a.c'), source);
    writeFileSync(join(places[0], 'src', 'exports.txt'), `# a comment\n${exported}  # another\n`);
    writeFileSync(places[1], 'stale');
    const job = { places, unit: ['src/a.c'], separate: [[], []], exports: ['src/exports.txt'], reactor: [], check, compile, link, shrink: [] };
    writeFileSync(join(scratch, `${i}.json`), JSON.stringify(job));
    return join(scratch, `${i}.json`);
});

let status;
let said;
beforeAll(() => {
    const result = spawnSync(process.execPath, ['cmake/wasm-cc.mjs', ...jobs], { cwd: root, encoding: 'utf8' });
    status = result.status;
    said = result.stdout + result.stderr;
});

test('a good file becomes a module', async () => {
    const memory = new WebAssembly.Memory({ initial: 16 });
    const { instance } = await WebAssembly.instantiate(readFileSync(join(scratch, '0.wasm')), { env: { memory } });
    expect(instance.exports.answer()).toBe(42);
});

test.each(CASES.slice(1).map(([name, , , message], i) => [name, i + 1, message]))('%s leaves no module', (_, i, message) => {
    expect(said).toMatch(message);
    expect(existsSync(join(scratch, `${i}.wasm`))).toBe(false);
});

test('the wrapper fails if any module does', () => expect(status).toBe(1));
