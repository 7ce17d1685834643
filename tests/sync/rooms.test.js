/** The shared rooms under native threads and ThreadSanitizer: nothing is lost, nothing comes twice, nothing races. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
const folder = mkdtempSync(join(tmpdir(), 'qhive-rooms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const includes = [root, join(root, 'include'), join(root, 'src')].flatMap((path) => ['-I', path]);
const flags = ['-std=gnu17', '-O1', '-g', '-fno-math-errno', '-fsanitize=thread', '-pthread', '-DQH_THREADS=1', '-DQH_ASSERT_LEVEL=2', '-w'];

const compile = (args) => spawnSync(compiler, [...flags, ...includes, ...args], { encoding: 'utf8' });

/** Builds and runs a program of these sources under ThreadSanitizer; setarch, where it is: TSan dislikes some randomised layouts. */
function runSanitized(name, sources) {
    const program = join(folder, name);
    const built = compile([...sources, '-o', program]);
    if (built.status !== 0) return built;
    const setarch = findProgram('setarch');
    return spawnSync(setarch ?? program, setarch ? ['-R', program] : [], { encoding: 'utf8', timeout: 120_000 });
}

function sanitizerWorks() {
    if (compiler === undefined || process.platform !== 'linux') return false;
    const source = join(folder, 'empty.c');
    writeFileSync(source, 'int main(void) { return 0; }\n');
    return runSanitized('empty', [source]).status === 0;
}

const core = join(folder, 'core.o');

/** The whole core, all threads of which are native, in one object: once for all programs. */
function compileCore() {
    if (existsSync(core)) return;
    const unit = join(folder, 'core.c');
    const listed = [...readFileSync(join(root, 'cmake/sources.cmake'), 'utf8').matchAll(/^ {2}(src\/\S+\.c)$/gm)].map(([, path]) => path);
    writeFileSync(unit, listed.map((path) => `#include "${path}"\n`).join(''));
    expect(compile(['-c', unit, '-o', core]).stderr).toBe('');
}

const works = sanitizerWorks();

/** What a program says at its end: it, and nothing that is wrong. */
(works ? test : test.skip).each([
    ['rooms', 'four of them, send, count and contribute', /^4 threads, 48064 messages/m],
    ['recovery', 'die, two at once as well, and are recovered', /^recovered, \d+ blocks given back/m],
    ['agents', 'four of them, make agents, learn, share and destroy them', /^4 threads, \d{5,} steps in \d{4,} batches .* \d+ times busy/m],
])('%s: threads %s', (name, _, said) => {
    compileCore();
    const { status, stdout, stderr } = runSanitized(name, [core, join(root, `tests/sync/threads/${name}.c`)]);
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(said);
    expect(status).toBe(0);
});
