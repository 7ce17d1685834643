/**
 * The benchmark of the vector index: `npm run bench:index -- [--data FOLDER] [--sets lsa593,lsa10k] [--rounds 15] [--no-install] [--json]`.
 *
 * One process, processor time, contenders in turn within a round; a ratio is the median of the rounds. Each contender is asked for the
 * ten nearest with the least `ef` that reaches the recall, on the same rows and queries, M = 16 and efConstruction = 200.
 */
import { createRuntimeSync } from 'qhive';
import { parseArgs } from 'node:util';
import { median, processorTime } from '../measure.js';
import { DIMS, loadSet, recallOf } from './data.js';
import { install, loadPeers } from './peers.js';

const RECALLS = [0.95, 0.99];
const WIDTHS = [10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 27, 30, 34, 38, 44, 50, 60, 70, 85, 100, 130, 160, 200, 300];
const M = 16;
const EF_CONSTRUCTION = 200;

const { values } = parseArgs({
    options: {
        data: { type: 'string', default: '../shared/data/vectors' },
        sets: { type: 'string', default: 'lsa593,lsa10k' },
        rounds: { type: 'string', default: '15' },
        'no-install': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
    },
});

/** What one call for all queries costs, microseconds a query. */
function timed(set, run) {
    const start = processorTime();
    run();
    return ((processorTime() - start) * 1000) / set.queries;
}

const each = (set, search) => () => {
    for (let i = 0; i < set.queries; i++) search(i);
};

/** The least width that reaches a recall. */
function widthFor(set, recall, searchWith, widths) {
    for (const ef of widths) {
        const reached = recallOf(set, searchWith(ef));
        if (reached >= recall) return { ef, reached };
    }
    return undefined;
}

function buildOurs(set, options) {
    const runtime = createRuntimeSync({ pools: { state: 0, trajectory: 0, message: 0 } });
    const index = runtime.createIndex({ dims: DIMS, metric: 'l2', m: M, efConstruction: EF_CONSTRUCTION, ...options });
    const start = processorTime();
    index.addAll(set.base);
    index.freeze();
    return { index, build: processorTime() - start, bytes: index.bytes / set.count };
}

/** @returns {{ name: string, recall: number | undefined, detail: string, run: () => void }[]} */
function contendersOf(set, name, search, all, widths = WIDTHS) {
    return RECALLS.flatMap((recall) => {
        const width = widthFor(set, recall, search, widths);
        if (width === undefined) return [];
        const detail = `ef ${width.ef}, recall ${width.reached.toFixed(4)}`;
        const one = { name, recall, detail, run: each(set, search(width.ef)) };
        return all === undefined ? [one] : [one, { name: `${name}, one call`, recall, detail, run: all(width.ef) }];
    });
}

function ours(set, builds, costs) {
    const found = [];
    for (const [name, options] of Object.entries({ 'qhive f32': {}, 'qhive i8': { quantization: 'i8' }, 'qhive i8 only': { quantization: 'i8', rerank: false } })) {
        const { index, build, bytes } = buildOurs(set, options);
        builds[name] = build;
        costs[name] = bytes;
        const queries = Array.from({ length: set.queries }, (_, i) => set.query.slice(i * DIMS, (i + 1) * DIMS));
        const search = (ef) => (i) => index.search(queries[i], 10, { ef, exact: false }).labels;
        found.push(...contendersOf(set, name, search, (ef) => () => index.searchAll(set.query, 10, { ef, exact: false })));
        if (options.quantization === undefined && set.count < 1000)
            found.push({ name: 'qhive scan', recall: undefined, detail: 'exact', run: each(set, (i) => index.search(queries[i], 10).labels) });
    }
    return found;
}

async function measure(set, peers, rounds) {
    const builds = {};
    const costs = {};
    const contenders = [];
    for (const [name, make] of Object.entries(peers)) {
        const { build, search, all, widths } = make(set, M, EF_CONSTRUCTION);
        builds[name] = build;
        contenders.push(...contendersOf(set, name, search, all, widths));
    }
    contenders.push(...ours(set, builds, costs));
    const samples = contenders.map(() => /** @type {number[]} */ ([]));
    for (const { run } of contenders) run();
    for (let round = 0; round < rounds; round++)
        for (let i = 0; i < contenders.length; i++) {
            const at = (i + round) % contenders.length;
            samples[at].push(timed(set, contenders[at].run));
        }
    return { builds, costs, contenders, samples };
}

/** How many times as long a peer takes, at the same recall (a scan, which is exact: at .95). */
function ratioTo(peer, at, { contenders, samples }) {
    const recall = contenders[at].recall ?? RECALLS[0];
    const other = contenders.findIndex(({ name, recall: reached }) => name === peer && reached === recall);
    return other < 0 ? undefined : median(samples[other].map((value, round) => value / samples[at][round]));
}

function rowsOf(set, result, peers) {
    const names = [...Object.keys(peers), ...('usearch' in peers ? ['usearch, one call'] : [])];
    return result.contenders.map(({ name, recall, detail }, i) => ({
        set: set.name,
        name,
        recall,
        detail,
        microseconds: median(result.samples[i]),
        least: Math.min(...result.samples[i]),
        times: Object.fromEntries(names.map((peer) => [peer, ratioTo(peer, i, result)])),
    }));
}

function print(set, result, rows) {
    console.log(`\n${set.name}: ${set.count} rows of ${DIMS}, ${set.queries} queries${set.real ? '' : ' (synthetic: the set is not there)'}`);
    for (const { name, recall, detail, microseconds, least, times } of rows) {
        const ratios = Object.entries(times).map(([peer, ratio]) => (ratio === undefined ? '' : `${ratio.toFixed(2)}x ${peer}`)).filter(Boolean);
        const cost = `${microseconds.toFixed(2)} us (least ${least.toFixed(2)})`;
        console.log(`  ${name.padEnd(24)} ${String(recall ?? 'scan').padEnd(5)} ${detail.padEnd(22)} ${cost.padEnd(26)} ${name.startsWith('qhive') ? ratios.join('  ') : ''}`);
    }
    const first = result.builds['hnswlib-wasm'];
    for (const [name, build] of Object.entries(result.builds)) {
        const share = first === undefined ? '' : `  ${(build / first).toFixed(2)} of hnswlib-wasm`;
        const cost = result.costs[name] === undefined ? '' : `  ${result.costs[name].toFixed(1)} bytes a row`;
        console.log(`  build ${name.padEnd(18)} ${build.toFixed(0)} ms${share}${cost}`);
    }
}

const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds >= 3 && rounds <= 1000)) throw new Error(`--rounds must be a whole number from 3 to 1000, not ${values.rounds}`);
if (!values['no-install']) install();
const peers = await loadPeers();
const report = [];
for (const name of values.sets.split(',')) {
    const set = loadSet(values.data, name);
    const result = await measure(set, peers, rounds);
    const rows = rowsOf(set, result, peers);
    report.push({ set: name, real: set.real, searches: rows, builds: result.builds, bytes: result.costs });
    if (!values.json) print(set, result, rows);
}
if (values.json) console.log(JSON.stringify(report, null, 2));
