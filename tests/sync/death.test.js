/**
 * Death in the middle of things: every operation ended at each of its basic blocks, and what a survivor makes of it. The checks are
 * checked: sources from which one line of the journal is missing must be found out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from '../../cmake/build.mjs';

const compiler = findProgram('gcc', 'clang', 'cc');
const folder = mkdtempSync(join(tmpdir(), 'qhive-death-'));
const works = compiler !== undefined && process.platform === 'linux';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const includes = [root, join(root, 'include'), join(root, 'src')].flatMap((path) => ['-I', path]);
const common = ['-std=gnu17', '-O1', '-g', '-fno-math-errno', '-pthread', '-w', '-DQH_THREADS=1', '-DQH_ASSERT_LEVEL=2'];
const listed = [...readFileSync(join(root, 'cmake/sources.cmake'), 'utf8').matchAll(/^ {2}(src\/\S+\.c)$/gm)].map(([, path]) => path);
const ofMemory = listed.filter((path) => /^src\/(base|sync|memory)\//.test(path));

function run(program, args, options = {}) {
    const result = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000, ...options });
    if (result.error) throw result.error;
    return result;
}

function compile(args) {
    const { status, stderr } = run(compiler, args);
    if (status !== 0) throw new Error(stderr);
}

/** One translation unit of sources; `changed` replaces the text of one of them, or of a header: it comes first, and its guard keeps the other out. */
function unit(name, sources, changed = {}) {
    const file = join(folder, `${name}.c`);
    const headers = Object.keys(changed).filter((path) => path.endsWith('.h'));
    const lines = [...headers, ...sources].map((path) => (changed[path] === undefined ? `#include "${path}"\n` : `#line 1 "${path}"\n${changed[path]}\n`));
    writeFileSync(file, lines.join(''));
    return file;
}

/** A program whose core can be ended at each basic block. */
function mortal(name, sources, test, changed = {}) {
    const object = join(folder, `${name}.o`);
    const program = join(folder, name);
    compile([...common, ...includes, '-fsanitize-coverage=trace-pc', '-c', unit(name, sources, changed), '-o', object]);
    compile([...common, ...includes, test, join(root, 'tests/sync/death/victim.c'), object, '-o', program]);
    return program;
}

const memoryTest = join(root, 'tests/sync/death/memory.c');

(works ? test : test.skip)('memory is as it was before or as it would have been after, wherever a thread dies', () => {
    const { status, stdout } = run(mortal('memory', ofMemory, memoryTest), [process.env.QHIVE_SOAK ? '24' : '8', '1']);
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(/^seed 1: \d+ operations, \d{5,} deaths, \d{4,} rolled back/m);
    expect(status).toBe(0);
});

const runtimeTest = join(root, 'tests/sync/death/runtime.c');

(works ? test : test.skip)('a runtime goes on, wherever one of its threads dies', () => {
    const { status, stdout } = run(mortal('runtime', listed, runtimeTest), [process.env.QHIVE_SOAK ? '300' : '4']);
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(/^\d{4,} deaths: \d+ undone, \d+ repaired, \d+ reset/m);
    expect(status).toBe(0);
});

(works && process.env.QHIVE_SOAK ? test : test.skip)('what recovery forgets is found', () => {
    const forgotten = [
        ['src/shared/salvage.c', 'delivery->message != messages->sending', 'true', 'send'],
        ['src/learn/salvage.c', 'survey.books == books && agent->owner.books == books', 'true', 'import'],
    ];
    const found = forgotten.map(([path, what, instead, operation], i) => {
        const text = readFileSync(join(root, path), 'utf8');
        const program = mortal(`forgotten-${i}`, listed, runtimeTest, { [path]: text.replace(what, instead) });
        const { status, stdout } = run(program, ['100', operation]);
        return status !== 0 || /^not ok/m.test(stdout);
    });
    expect(found).toEqual(forgotten.map(() => true));
});

/** Each line of a file that logs, left out. */
function mistakes(path) {
    const text = readFileSync(join(root, path), 'utf8').split('\n');
    return text.flatMap((line, i) => (/^\s+QH_LOG(_WORDS|_HALF)?\(/.test(line) && /;$/.test(line) ? [[`${path}:${i + 1} ${line.trim()}`, path, text.toSpliced(i, 1).join('\n')]] : []));
}

const seeded = ['src/memory/heap.c', 'src/memory/heap_parts.h', 'src/memory/pool.c', 'src/memory/record.c', 'src/memory/lock.c'].flatMap(mistakes);
const journal = readFileSync(join(root, 'src/memory/lock.c'), 'utf8');
for (const kept of ['lock->records, sizeof *lock->records', 'owner, sizeof *owner', 'pool, sizeof *pool', 'heap, QH_HEAP_HEAD'])
    seeded.push([`nothing kept of ${kept}`, 'src/memory/lock.c', journal.replace(/^.*qh__journal_keep\((.*)\);$/gm, (line, what) => (what === `journal, ${kept}` ? ';' : line))]);

/* In every run of the suite some; all of them with QHIVE_SOAK. */
const chosen = process.env.QHIVE_SOAK ? seeded : seeded.filter((_, i) => i % 7 === 0);

(works ? test : test.skip)('a line that is missing in the journal is found', () => {
    expect(seeded.length).toBeGreaterThan(15);
    const survived = chosen.filter(([, path, text], i) => {
        const program = mortal(`mistake-${i}`, ofMemory, memoryTest, { [path]: text });
        const { status, stdout } = run(program, [process.env.QHIVE_SOAK ? '200' : '40', '1']);
        return status === 0 && !/^not ok/m.test(stdout);
    });
    expect(survived.map(([name]) => name)).toEqual([]);
});

function sanitizerWorks() {
    if (!works) return false;
    const program = join(folder, 'empty');
    writeFileSync(`${program}.c`, 'int main(void) { return 0; }\n');
    return spawnSync(compiler, ['-fsanitize=thread', `${program}.c`, '-o', program]).status === 0 && sanitized(program).status === 0;
}

/** setarch, where it is: ThreadSanitizer dislikes some randomised layouts. */
function sanitized(program) {
    const setarch = findProgram('setarch');
    return run(setarch ?? program, setarch ? ['-R', program] : []);
}

(sanitizerWorks() ? test : test.skip)('four threads share one heap, and nothing races', () => {
    const program = join(folder, 'threads');
    compile([...common, ...includes, '-fsanitize=thread', unit('threads', ofMemory), join(root, 'tests/sync/threads/memory.c'), '-o', program]);
    const { status, stdout, stderr } = sanitized(program);
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(/^4 threads, \d+ times the lock/m);
    expect(status).toBe(0);
});
