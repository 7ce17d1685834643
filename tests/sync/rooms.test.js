/** The shared rooms under native threads and ThreadSanitizer: nothing is lost, nothing comes twice, nothing races. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
const folder = mkdtempSync(join(tmpdir(), 'qhive-rooms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds and runs a program of these sources under ThreadSanitizer; setarch, where it is: TSan dislikes some randomised layouts. */
function runSanitized(name, sources, includes = []) {
    const program = join(folder, name);
    const flags = ['-std=gnu17', '-O1', '-g', '-fno-math-errno', '-fsanitize=thread', '-pthread', '-DQH_THREADS=1', '-DQH_ASSERT_LEVEL=2', '-w'];
    const built = spawnSync(compiler, [...flags, ...includes, ...sources, '-o', program], { encoding: 'utf8' });
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

/** Builds the whole core, all threads of which are native, with a program of tests/sync/threads, and runs it. */
function runThreads(name) {
    const unit = join(folder, 'unit.c');
    const listed = [...readFileSync(join(root, 'cmake/sources.cmake'), 'utf8').matchAll(/^ {2}(src\/\S+\.c)$/gm)].map(([, path]) => path);
    writeFileSync(unit, listed.map((path) => `#include "${path}"\n`).join(''));
    const includes = [root, join(root, 'include'), join(root, 'src')].flatMap((path) => ['-I', path]);
    return runSanitized(name, [unit, join(root, `tests/sync/threads/${name}.c`)], includes);
}

const works = sanitizerWorks();

/** What a program says at its end: it, and nothing that is wrong. */
(works ? test : test.skip).each([
    ['rooms', 'four of them, send, count and contribute', /^4 threads, 48064 messages/m],
    ['recovery', 'die, two at once as well, and are recovered', /^recovered, \d+ blocks given back/m],
    ['agents', 'four of them, make agents, learn, share and destroy them', /^4 threads, \d{5,} steps in \d{4,} batches .* \d+ times busy/m],
])('%s: threads %s', (name, _, said) => {
    const { status, stdout, stderr } = runThreads(name);
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(said);
    expect(status).toBe(0);
});
