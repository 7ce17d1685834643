/**
 * The heap against dlmalloc: `npm run bench:memory [-- --traces=abBcdDefp] [--rounds=5] [--long] [--optimise=-O3]`.
 *
 * Both run the traces of driver.c in this process; times are processor time (user + system) in ns per operation, less those of the empty
 * driver; ratios are taken round by round and their median is printed, so that a machine that slows down does so for all. Peak is
 * linear memory above the static data over the most bytes that were live at once. --long adds 40 million operations to the peaks of b, c
 * and d2 and 100 million of mixed agents. Exit code 0 whatever the figures are: a timing is no test.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--no-liftoff');

const OPERATIONS = 1 << 20;
const ROUND_MS = 40;
const NAMES = ['empty', 'dlmalloc', 'qhive'];
const TARGETS = {
    a: ['64 B, last in first out', 1],
    b: ['16..1024 B, random lifetime', 4, 1.08],
    B: ['b2: the same, first in first out', 3, 1.08],
    c: ['593 owners, 16 B..64 KiB', 2.5, 1.1],
    d: ['agents come and go', 3, 1.02],
    D: ['d2: tables of 8..80 KiB', 4.5, 1.12],
    e: ['one table doubled', undefined, 1.06],
    f: ['phases of sizes', 1, 2.05],
};

const folder = fileURLToPath(new URL('../../build/bench-memory', import.meta.url));
const { values: options } = parseArgs({
    options: {
        traces: { type: 'string', default: 'abBcdDef' },
        rounds: { type: 'string', default: '5' },
        long: { type: 'boolean', default: false },
        optimise: { type: 'string', default: '-Os' },
    },
});

const builder = fileURLToPath(new URL('./build.js', import.meta.url));
const built = spawnSync(process.execPath, [builder, folder, options.optimise], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
const modules = {};
for (const name of NAMES) modules[name] = new WebAssembly.Module(readFileSync(`${folder}/${name}.wasm`));
const env = { clock_ns: () => performance.now() * 1e6 };

const median = (values) => [...values].sort((x, y) => x - y)[values.length >> 1];
const fixed = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const print = (line = '') => process.stdout.write(`${line}\n`);

function open(name, trace, seed = 1) {
    const bench = new WebAssembly.Instance(modules[name], { env }).exports;
    bench._initialize?.();
    bench.setup();
    if (trace === 'p') bench.open_pool?.();
    bench.start(trace.charCodeAt(0), seed);
    return bench;
}

function close(bench) {
    if (!bench.valid()) throw new Error('the heap is damaged');
}

function cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
}

const memory = (bench) => bench.memory.buffer.byteLength - bench.__heap_base.value;

/** ns per operation of one round; plans are made outside of the time. */
function timeRound(bench, oneByOne) {
    let ms = 0;
    let operations = 0;
    while (ms < ROUND_MS) {
        operations += bench.generate(OPERATIONS);
        const begin = cpuMs();
        bench.replay(oneByOne);
        ms += cpuMs() - begin;
    }
    return (ms * 1e6) / operations;
}

/** Rounds of all three in turn: medians, and the ratio of dlmalloc to qhive. */
function timeTrace(benches, oneByOne = false) {
    const times = { empty: [], dlmalloc: [], qhive: [] };
    const ratios = [];
    for (let round = 0; round <= Number(options.rounds); round++) {
        const [empty, dlmalloc, qhive] = NAMES.map((name) => timeRound(benches[name], oneByOne));
        if (round === 0) continue;
        ratios.push((dlmalloc - empty) / (qhive - empty));
        for (const [i, time] of [empty, dlmalloc, qhive].entries()) times[NAMES[i]].push(time);
    }
    const net = (name) => median(times[name]) - median(times.empty);
    return { empty: median(times.empty), dlmalloc: net('dlmalloc'), qhive: net('qhive'), ratio: median(ratios) };
}

function traces() {
    print('trace                               empty  dlmalloc   qhive   ratio  wanted    peak dlmalloc  qhive   wanted');
    for (const trace of options.traces) {
        if (!TARGETS[trace]) continue;
        const [title, wanted, peakWanted] = TARGETS[trace];
        const benches = Object.fromEntries(NAMES.map((name) => [name, open(name, trace)]));
        const { empty, dlmalloc, qhive, ratio } = timeTrace(benches);
        const peaks = ['dlmalloc', 'qhive'].map((name) => memory(benches[name]) / benches[name].peak());
        const columns = [
            `${trace} ${title}`.padEnd(34),
            fixed(empty).padStart(7),
            fixed(dlmalloc).padStart(9),
            fixed(qhive).padStart(7),
            `${fixed(ratio)}x`.padStart(7),
            (wanted ? `${wanted}x` : '12 ns').padStart(7),
            ...(peakWanted ? [fixed(peaks[0], 3).padStart(16), fixed(peaks[1], 3).padStart(6), String(peakWanted).padStart(8)] : []),
        ];
        print(columns.join(' '));
        if ('dD'.includes(trace)) {
            const single = timeTrace(benches, true);
            print(`  each block freed by itself        ${columns[1]} ${fixed(single.dlmalloc).padStart(9)} ${fixed(single.qhive).padStart(7)} ${`${fixed(single.ratio)}x`.padStart(7)}`);
        }
        if (options.long && 'bBcD'.includes(trace)) flatness(benches, trace);
        close(benches.qhive);
    }
}

/** The peak after 40 million operations against that after the first million. */
function flatness(benches, trace) {
    const line = ['dlmalloc', 'qhive'].map((name) => {
        const bench = open(name, trace);
        let operations = 0;
        let first = 0;
        while (operations < 40e6) {
            operations += bench.generate(OPERATIONS);
            bench.replay(false);
            first ||= memory(bench) / bench.peak();
        }
        close(bench);
        return `${name} ${fixed(first, 3)} -> ${fixed(memory(bench) / bench.peak(), 3)}`;
    });
    print(`  40 million operations: ${line.join(', ')} (flat: within 0.01)`);
}

function teardown() {
    print('\nteardown of an owner with 10,000 blocks (us; wanted: 50x)');
    for (const [size, title] of [[64, '64 B'], [0, '16..1024 B'], [1024, '1 KiB']]) {
        const times = { dlmalloc: [], qhive: [], single: [] };
        const benches = { dlmalloc: open('dlmalloc', 'a'), qhive: open('qhive', 'a'), single: open('qhive', 'a') };
        for (let round = 0; round < 15; round++)
            for (const [name, bench] of Object.entries(benches)) {
                bench.build_up(10000, size);
                const begin = performance.now();
                bench.tear_down(10000, name === 'single');
                times[name].push((performance.now() - begin) * 1000);
            }
        const [dlmalloc, qhive, single] = Object.values(times).map(median);
        print(`  ${title.padEnd(11)} dlmalloc ${fixed(dlmalloc, 1)}, at once ${fixed(qhive, 1)} (${fixed(dlmalloc / qhive, 0)}x), one by one ${fixed(single, 1)}`);
    }
}

function pool() {
    const benches = Object.fromEntries(NAMES.map((name) => [name, open(name, 'p')]));
    const { empty, dlmalloc, qhive } = timeTrace(benches);
    print(`\npool: acquire and release ${fixed(2 * (qhive + empty))} ns a pair, two empty calls ${fixed(2 * empty)}: ${fixed((qhive + empty) / empty)} (wanted: 2); malloc and free ${fixed(2 * (dlmalloc + empty))}`);
}

/** Each operation by itself: the least of the replays from the same start, then the longest of the operations. */
function slowest() {
    const replays = options.long ? 16 : 8;
    const operations = options.long ? OPERATIONS : 1 << 18;
    print(`\nslowest operation, the clock included (least of ${replays} replays; growth left out)`);
    for (const [trace, wanted] of [['b', 0.6], ['d', 1]])
        for (const name of NAMES) {
            let least;
            for (let replay = 0; replay < replays; replay++) {
                const bench = open(name, trace, 7);
                for (let warm = 0; warm < 2; warm++) {
                    bench.generate(OPERATIONS);
                    bench.replay(false);
                }
                bench.generate(operations);
                const times = new Float32Array(bench.memory.buffer, bench.times(), bench.replay_timed()).slice();
                least = least ? least.map((time, i) => Math.min(time, times[i])) : times;
            }
            const sorted = least.sort();
            const slow = sorted.filter((time) => time > wanted * 1000).length;
            const at = (share) => fixed(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] / 1000, 3);
            print(`  ${trace} ${name.padEnd(9)} median ${at(0.5)} us, 99.99 % ${at(0.9999)}, slowest ${at(1)}; ${slow} of ${sorted.length} over ${wanted}`);
        }
}

function mixed() {
    const bench = open('qhive', 'm');
    const operations = options.long ? 1e8 : 5e6;
    let first = 0;
    for (let part = 0; part < 10; part++) {
        bench.mix(operations / 10);
        first ||= memory(bench);
    }
    close(bench);
    print(`\nmixed agents, ${operations / 1e6} million operations: memory after a tenth ${first >> 10} KiB, at the end ${memory(bench) >> 10} KiB: +${fixed((memory(bench) / first - 1) * 100)} % (wanted: 1), peak ${fixed(memory(bench) / bench.peak(), 3)}`);
}

function codeSize() {
    const { small, shipped, fast } = JSON.parse(readFileSync(`${folder}/sizes.json`, 'utf8'));
    print(`\ncode of alloc, free and resize: ${small} bytes at -Oz (wanted: 2253), ${shipped} at -Os (shipped), ${fast} at -O3 (wanted: 4096)`);
}

print(`heap compiled with ${options.optimise}; ns per operation, net of the empty driver; ratio = dlmalloc / qhive\n`);
traces();
if (options.traces === 'abBcdDef' || options.traces.includes('p')) {
    teardown();
    pool();
    slowest();
    mixed();
}
codeSize();
