/**
 * What others make: hnswlib-wasm, hnswlib-node (needs a compiler when it is installed) and usearch (native). They are no dependencies:
 * the benchmark installs them beside the build, and goes without those that cannot be had.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../cmake/build.mjs';
import { processorTime } from '../measure.js';
import { DIMS } from './data.js';

const VERSIONS = { 'hnswlib-wasm': '0.8.2', 'hnswlib-node': '3.0.0', usearch: '2.25.3' };
const QUIETLY = ['--no-save', '--no-audit', '--no-fund'];
const folder = join(root, 'build', 'peers');
const installed = (name) => existsSync(join(folder, 'node_modules', name, 'package.json'));

/** Installs what is missing, one by one: one that fails leaves the others. */
export function install() {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    for (const [name, version] of Object.entries(VERSIONS))
        if (!installed(name)) spawnSync(npm, ['install', ...QUIETLY, `${name}@${version}`], { cwd: folder, stdio: 'ignore', timeout: 240000 });
}

const rowsOf = (vectors, convert) =>
    Array.from({ length: vectors.length / DIMS }, (_, i) => convert(vectors.subarray(i * DIMS, (i + 1) * DIMS)));

/** An index as all peers are measured: built one row after the other, searched one query after the other. */
function measured(set, convert, make, add) {
    const rows = rowsOf(set.base, convert);
    const start = processorTime();
    const index = make();
    rows.forEach((row, i) => add(index, row, i));
    return { index, build: processorTime() - start, queries: rowsOf(set.query, convert) };
}

async function hnswlibWasm() {
    globalThis.window ??= globalThis; // it is made for browsers
    const { default: factory } = await import(pathToFileURL(join(folder, 'node_modules/hnswlib-wasm/dist/hnswlib-317962d7.js')).href);
    const library = await factory({ print() {}, printErr() {} });
    return (set, m, efConstruction) => {
        const make = () => {
            const index = new library.HierarchicalNSW('l2', DIMS, '');
            index.initIndex(set.count, m, efConstruction, 100);
            return index;
        };
        const { index, build, queries } = measured(set, (row) => row, make, (to, row, i) => to.addPoint(row, i, false));
        return { build, search: (ef) => (index.setEfSearch(ef), (i) => index.searchKnn(queries[i], 10, undefined).neighbors) };
    };
}

async function hnswlibNode() {
    const { HierarchicalNSW } = createRequire(join(folder, 'x.js'))('hnswlib-node');
    return (set, m, efConstruction) => {
        const make = () => {
            const index = new HierarchicalNSW('l2', DIMS);
            index.initIndex(set.count, m, efConstruction, 100);
            return index;
        };
        const { index, build, queries } = measured(set, (row) => Array.from(row), make, (to, row, i) => to.addPoint(row, i));
        return { build, search: (ef) => (index.setEf(ef), (i) => index.searchKnn(queries[i], 10).neighbors) };
    };
}

/** Its ef is fixed when an index is made, so one is made for each; `all` searches for every query in one call, on one thread. */
async function usearch() {
    const { Index } = createRequire(join(folder, 'x.js'))('usearch');
    return (set, m, efConstruction) => {
        const rows = rowsOf(set.base, (row) => row.slice());
        const queries = rowsOf(set.query, (row) => row.slice());
        const keys = BigUint64Array.from(rows, (_, i) => BigInt(i));
        const made = new Map();
        const make = (ef) => {
            const index = new Index({
                dimensions: DIMS, metric: 'l2sq', quantization: 'f16', multi: false,
                connectivity: m, expansion_add: efConstruction, expansion_search: ef,
            });
            index.add(keys, rows, 1);
            return index;
        };
        const at = (ef) => made.get(ef) ?? (made.set(ef, make(ef)), made.get(ef));
        const start = processorTime();
        at(10);
        const build = processorTime() - start;
        const widths = [10, 16, 22, 28, 36, 50, 80, 150];
        const all = (ef) => () => at(ef).search(queries, 10, 1);
        return { build, widths, all, search: (ef) => (i) => at(ef).search(queries[i], 10, 1).keys };
    };
}

/** The peers that are there: name to a function that builds one over a set. */
export async function loadPeers() {
    const peers = {};
    for (const [name, load] of Object.entries({ 'hnswlib-wasm': hnswlibWasm, 'hnswlib-node': hnswlibNode, usearch })) {
        try {
            peers[name] = await load();
        } catch (error) {
            console.error(`${name} is left out: ${String(error.message).split('\n')[0]}`);
        }
    }
    return peers;
}
