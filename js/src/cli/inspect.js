/**
 * `qhive inspect`: what is in an exported table (`agent.exportTable()`) or index (`index.export()`), and whether it is sound.
 */
import { abi } from 'qhive:abi';
import { columns, pairs, readInput, UsageError, whole } from './command.js';
import { checkSum, damage, readTable } from './table.js';
import { hex, percent, size } from './text.js';

export const argument = 'EXPORT';

/** @type {import('./command.js').Command['options']} */
export const options = {
    top: { type: 'string', value: 'N', default: 5, read: whole(0, 1e6), text: 'states to list, those learned from most first' },
};

export const notes = ['Exit code 1 says that the file is damaged, cut or of another version.'];

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive inspect learned/tilt-7.qhtb', 'a table that `qhive run --tables learned` wrote'],
    ['qhive inspect vectors.qhix --json', 'an index; for a program'],
];

const INDEX_HEADER_BYTES = 64;
const INDEX_CRC_AT = 8;
const METRICS = Object.keys(abi.metric);
const STORAGES = Object.keys(abi.storage);

/** An index is checked by the core, every byte. @param {Buffer} bytes */
async function readIndex(bytes) {
    if (bytes.length < INDEX_HEADER_BYTES) throw damage(`a header has ${INDEX_HEADER_BYTES} bytes, here are ${bytes.length}`);
    checkSum(bytes, INDEX_CRC_AT);
    const { createRuntimeSync } = await import('qhive');
    const runtime = createRuntimeSync({ pools: { state: 0, trajectory: 0, message: 0 } });
    const index = runtime.importIndex(bytes);
    const word = (/** @type {number} */ at) => bytes.readUInt32LE(at);
    const facts = {
        format: 'index', version: word(4), bytes: bytes.length, crc: hex(word(8)), vectors: index.size, dims: word(12),
        metric: METRICS[word(16)] ?? word(16), m: word(20), efConstruction: word(24), storage: STORAGES[word(28)] ?? word(28),
        links: word(40), categories: word(44) === 1, seed: String(bytes.readBigUInt64LE(48)),
        bytesPerVector: index.size > 0 ? bytes.length / index.size : 0,
    };
    runtime.dispose();
    return facts;
}

/** @param {ReturnType<typeof readTable>} facts @param {import('./command.js').Terminal} terminal */
function printTable(facts, { print, bold, dim }) {
    const { version, bytes, configuration, actions, tables, rows, crc, visits, top } = facts;
    print(bold(`A table of ${rows} states and ${actions} actions, ${size(bytes)}`));
    print(pairs([
        ['format', `${tables === 2 ? 'double-q, two tables' : 'one table'}, version ${version}`], ['configuration hash', configuration], ['CRC-32C', `${crc}, right`],
        ['learning steps', visits.total], ['actions tried in all', `${visits.tried} of ${rows * actions} (${percent(visits.tried, Math.max(1, rows * actions))})`],
        ['values', rows > 0 ? `${facts.values.least.toPrecision(4)} .. ${facts.values.most.toPrecision(4)}` : 'none'],
    ]));
    if (top.length === 0) return;
    print(`\n${bold(`The ${top.length} states learned from most`)}`);
    const [head, ...body] = columns([
        ['state', 'visits', 'best', ...Array.from({ length: Math.min(8, actions) }, (_, a) => `Q(${a})`)],
        ...top.map(({ key, visits: count, best, values }) => [key, count, best, ...values.slice(0, 8).map((value) => value.toFixed(3))]),
    ]);
    print([dim(head), ...body].join('\n'));
    if (actions > 8) print(dim(`  and ${actions - 8} more actions; --json has all`));
}

/** @param {Awaited<ReturnType<typeof readIndex>>} facts @param {import('./command.js').Terminal} terminal */
function printIndex({ bytes, vectors, dims, version, crc, links, ...facts }, { print, bold }) {
    print(bold(`An index of ${vectors} vectors with ${dims} numbers each, ${size(bytes)}`));
    print(pairs([
        ['format', `version ${version}`], ['CRC-32C', `${crc}, right`], ['metric', String(facts.metric)], ['stored as', facts.storage], ['links of a vector (M)', facts.m],
        ['efConstruction', facts.efConstruction], ['links in all', links], ['categories', facts.categories ? 'yes' : 'no'], ['seed', facts.seed],
        ['bytes a vector', facts.bytesPerVector.toFixed(0)],
    ]));
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    const path = values[argument];
    const bytes = readInput(path, 'the export');
    const magic = bytes.subarray(0, 4).toString('latin1');
    if (magic !== 'QHTB' && magic !== 'QHIX') throw new UsageError(`'${path}' is no export of qhive: it must begin with QHTB (a table) or QHIX (an index)`);
    try {
        const facts = magic === 'QHTB' ? readTable(bytes, values.top) : await readIndex(bytes);
        if (values.json) terminal.print(JSON.stringify({ file: path, ...facts }, null, 2));
        else if ('rows' in facts) printTable(facts, terminal);
        else printIndex(facts, terminal);
    } catch (error) {
        const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
        if (code !== 'CORRUPT' && code !== 'VERSION') throw error;
        throw new Error(`'${path}' is damaged: ${message}`, { cause: error });
    }
}
