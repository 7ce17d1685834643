/**
 * What the locks cost, and how long they let wait: `npm run bench:locks [-- --seconds 1] [-- --workers 2,4] [-- --json]`.
 *
 * Costs are nanoseconds of a call in wasm that locks and unlocks, with nobody else there, less those of an empty call; the least of fifteen
 * rounds. Beside them two raw exchanges, which no lock can be below. Waits are the longest of any thread, for native threads and
 * for worker threads of Node, beside a plain futex mutex of three states.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { findProgram, root } from '../../cmake/build.mjs';

const COUNT = 300_000;
const WORK = 500;
const NAMES = { raw: 'two raw exchanges', mutex: 'mutex', read: 'read lock', write: 'write lock', plain: 'plain futex mutex' };

/** The files of a folder as the compiler's tree has them. */
function treeOf(folder) {
    const tree = {};
    for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) tree[entry.name] = treeOf(join(folder, entry.name));
        else if (/\.[ch]$/.test(entry.name)) tree[entry.name] = readFileSync(join(folder, entry.name), 'utf8');
    return tree;
}

/** The module, by the compiler that the package is built with. */
async function compile() {
    const { commands } = await import('@yowasp/clang');
    await commands.clang(null, {}, { fetchProgress() {} }); // loads it without its progress lines
    const unit = ['src/sync/thread.c', 'src/sync/mutex.c', 'src/sync/rwlock.c', 'locks.c'].map((path) => `#include "${path}"\n`).join('');
    const text = readFileSync(join(root, 'bench/locks/locks.c'), 'utf8');
    let tree = { include: treeOf(join(root, 'include')), src: treeOf(join(root, 'src')), 'locks.c': text, 'unit.c': unit };
    const flags = ['--target=wasm32', '-std=c17', '-O2', '-ffreestanding', '-nostdlib', '-nostdlibinc', '-matomics', '-mbulk-memory', '-DQH_THREADS=1'];
    tree = await commands.clang([...flags, '-I.', '-Iinclude', '-Isrc', '-c', '-o', 'unit.o', 'unit.c'], tree);
    const link = ['--no-entry', '--stack-first', '--import-memory', '--shared-memory', '--max-memory=2097152'];
    tree = await commands['wasm-ld']([...link, '-o', 'locks.wasm', 'unit.o'], tree);
    return new WebAssembly.Module(tree['locks.wasm']);
}

const instantiate = (module, memory) => new WebAssembly.Instance(module, { env: { memory } }).exports;
const createMemory = () => new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });

/** Nanoseconds of each way to lock, less an empty call. */
function measureCosts(module) {
    const exports = instantiate(module, createMemory());
    exports.begin(0);
    const least = {};
    for (let round = 0; round < 16; round++)
        for (const name of ['nothing', ...Object.keys(NAMES)]) {
            const start = performance.now();
            exports[`time_${name}`](COUNT);
            const ns = ((performance.now() - start) / COUNT) * 1e6;
            if (round > 0) least[name] = Math.min(least[name] ?? Infinity, ns);
        }
    return Object.fromEntries(Object.keys(NAMES).map((name) => [name, least[name] - least.nothing]));
}

/** In a worker: enters for some time; posts how often, and the longest wait. */
function enterForSomeTime({ module, memory, fair, self, milliseconds }) {
    const exports = instantiate(module, memory);
    exports.begin(self);
    const gate = new Int32Array(memory.buffer, memory.buffer.byteLength - 4, 1);
    parentPort.postMessage('ready');
    Atomics.wait(gate, 0, 0);
    const end = performance.now() + milliseconds;
    let entries = 0;
    let worst = 0;
    for (let now = performance.now(); now < end; entries++) {
        exports.enter(fair, self, WORK);
        const after = performance.now();
        worst = Math.max(worst, after - now);
        now = after;
    }
    parentPort.postMessage({ entries, worst });
}

/** The longest wait of `count` workers. */
async function measureWait(module, fair, count, milliseconds) {
    const memory = createMemory();
    const gate = new Int32Array(memory.buffer, memory.buffer.byteLength - 4, 1);
    const reports = [];
    let ready = 0;
    await Promise.all(
        Array.from({ length: count }, (_, self) => {
            const worker = new Worker(new URL(import.meta.url), { workerData: { module, memory, fair, self, milliseconds } });
            return new Promise((resolve, reject) => {
                worker.on('error', reject).on('exit', resolve);
                worker.on('message', (message) => {
                    if (message !== 'ready') return void reports.push(message);
                    if (++ready < count) return undefined;
                    Atomics.store(gate, 0, 1);
                    return void Atomics.notify(gate, 0);
                });
            });
        }),
    );
    const entries = reports.reduce((sum, report) => sum + report.entries, 0);
    const [least] = reports.map((each) => each.entries).sort((a, b) => a - b);
    const worst = Math.max(...reports.map((each) => each.worst));
    return { worst, perMs: entries / milliseconds, leastShare: (least * count) / entries };
}

/** The same of eight native threads, as text. */
function measureNative(milliseconds) {
    const compiler = findProgram('gcc', 'clang', 'cc');
    if (compiler === undefined || process.platform !== 'linux') return '';
    const folder = mkdtempSync(join(tmpdir(), 'qhive-bench-'));
    try {
        const program = join(folder, 'locks');
        const sources = ['src/sync/thread.c', 'src/sync/mutex.c', 'src/sync/rwlock.c', 'bench/locks/locks.c'].map((path) => join(root, path));
        const flags = ['-std=gnu17', '-O2', '-pthread', '-DQH_THREADS=1', '-I', join(root, 'include'), '-I', join(root, 'src')];
        const { status, stderr } = spawnSync(compiler, [...flags, ...sources, '-o', program], { encoding: 'utf8' });
        if (status !== 0) throw new Error(stderr);
        return spawnSync(program, ['8', String(milliseconds)], { encoding: 'utf8' }).stdout;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

async function main() {
    const { values } = parseArgs({
        options: { seconds: { type: 'string', default: '1' }, workers: { type: 'string', default: '2,4' }, json: { type: 'boolean', default: false } },
    });
    const milliseconds = Number(values.seconds) * 1000;
    const module = await compile();
    const costs = measureCosts(module);
    const waits = [];
    for (const workers of values.workers.split(',').map(Number))
        for (const fair of [0, 1]) waits.push({ workers, lock: fair ? 'this mutex' : 'plain futex', ...(await measureWait(module, fair, workers, milliseconds)) });
    const native = measureNative(milliseconds);
    if (values.json) return void process.stdout.write(`${JSON.stringify({ costs, waits, native: native.split('\n').filter(Boolean) })}\n`);
    for (const [name, ns] of Object.entries(costs))
        process.stdout.write(`${NAMES[name].padEnd(20)} ${ns.toFixed(1).padStart(6)} ns   ${(ns / costs.raw).toFixed(2)} of two raw exchanges\n`);
    for (const { workers, lock, worst, perMs, leastShare } of waits)
        process.stdout.write(
            `${lock.padEnd(13)} ${workers} workers of Node: worst wait ${worst.toFixed(2).padStart(7)} ms, ${perMs.toFixed(0).padStart(7)} entries a ms, the least served ${(100 * leastShare).toFixed(1)} % of its share\n`,
        );
    return void process.stdout.write(native);
}

if (isMainThread) await main();
else enterForSomeTime(workerData);
