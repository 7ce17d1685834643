/**
 * `qhive memory`: runs a small scenario and shows what its memory is spent on, as text, as JSON and as a picture.
 */
import { writeFileSync } from 'node:fs';
import { columns, UsageError, whole } from './command.js';
import { draw } from './picture.js';
import { live } from './scenario.js';
import { spansOf, sumByKind, TITLES } from './spans.js';
import { hex, percent, size } from './text.js';

/** @type {import('./command.js').Command['options']} */
export const options = {
    agents: { type: 'string', value: 'N', default: 200, read: whole(1, 65535), text: 'agents of the scenario, of five kinds' },
    steps: { type: 'string', value: 'N', default: 300, read: whole(0, 1e6), text: 'learning steps of each' },
    seed: { type: 'string', value: 'N', default: 1, read: whole(0, Number.MAX_SAFE_INTEGER), text: 'seed of the agents and their world' },
    'max-pages': { type: 'string', value: 'N', default: 256, read: whole(1, 65536), text: 'page budget, 64 KiB each' },
    top: { type: 'string', value: 'N', default: 8, read: whole(0, 65535), text: 'owners to list, the largest first' },
    svg: { type: 'string', value: 'FILE', default: 'qhive-memory.svg', text: 'write the picture to this file' },
    'no-svg': { type: 'boolean', text: 'write no picture' },
};

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive memory', 'the scenario of 200 agents, and its picture'],
    ['qhive memory --agents 593 --max-pages 1024 --svg city.svg', 'as many agents as a city has'],
    ['qhive memory --agents 40 --json --no-svg', 'every figure, for a program'],
];

/** Owners of a kind together. @param {import('../../types/qhive.js').OwnerInfo[]} owners */
function byKind(owners) {
    /** @type {Map<string, { kind: string, owners: number, liveBytes: number, peakBytes: number, blocks: number }>} */
    const kinds = new Map();
    for (const { kind, liveBytes, peakBytes, blocks } of owners) {
        const sum = kinds.get(kind) ?? { kind, owners: 0, liveBytes: 0, peakBytes: 0, blocks: 0 };
        sum.owners++;
        sum.liveBytes += liveBytes;
        sum.peakBytes = Math.max(sum.peakBytes, peakBytes);
        sum.blocks += blocks;
        kinds.set(kind, sum);
    }
    return [...kinds.values()].sort((a, b) => b.liveBytes - a.liveBytes);
}

/** Everything that is printed. @param {import('../../types/qhive.js').AgentRuntime} runtime @param {number} top */
function report(runtime, top) {
    const { memory } = runtime;
    const owners = memory.owners();
    const { pages, maxPages, liveBytes, peakLiveBytes } = memory;
    return {
        pages, maxPages, liveBytes, peakLiveBytes,
        layout: memory.layout(), pools: memory.pools(), growths: memory.growths(), shared: memory.shared(), leaks: memory.leaks(),
        kinds: byKind(owners),
        owners: [...owners].sort((a, b) => b.liveBytes - a.liveBytes).slice(0, top),
        spans: sumByKind(spansOf(memory)),
    };
}

/** @param {ReturnType<typeof report>} facts @param {import('./command.js').Terminal} terminal */
function print(facts, { print: line, bold, dim }) {
    const { pages, maxPages, liveBytes, peakLiveBytes } = facts;
    const total = pages * 65536;
    const section = (/** @type {string} */ title, /** @type {(string | number)[][]} */ rows) => {
        line(`\n${bold(title)}`);
        const [head, ...body] = columns(rows);
        line([dim(head), ...body].join('\n'));
    };
    line(bold(`${pages} of at most ${maxPages} pages: ${size(total)}; ${size(liveBytes)} live, ${size(peakLiveBytes)} at most`));
    section('Layout', [
        ['region', 'start', 'end', 'bytes'],
        ...facts.layout.map(({ name, start, end }) => [name, hex(start), hex(end), size(end - start)]),
    ]);
    section('What it is spent on', [
        ['', 'bytes', 'share'],
        ...Object.entries(TITLES)
            .filter(([what]) => facts.spans[what] > 0)
            .map(([what, title]) => [title, size(facts.spans[what]), percent(facts.spans[what], total)]),
    ]);
    section('Pools', [
        ['pool', 'block', 'blocks', 'in use', 'peak', 'acquires', 'from the heap'],
        ...facts.pools.map(({ name, blockBytes, capacity, inUse, peak, acquires, fallbacks }) => [
            name, size(blockBytes), capacity, inUse, peak, acquires, fallbacks,
        ]),
    ]);
    section('Owners by kind', [
        ['kind', 'owners', 'bytes', 'share', 'blocks', 'most of one'],
        ...facts.kinds.map(({ kind, owners, liveBytes: bytes, blocks, peakBytes }) => [
            kind, owners, size(bytes), percent(bytes, liveBytes), blocks, size(peakBytes),
        ]),
    ]);
    const largest = facts.owners.map(({ owner, liveBytes: bytes, peakBytes, quotaBytes, blocks }) =>
        [owner, size(bytes), size(peakBytes), size(quotaBytes), blocks]);
    if (largest.length > 0) section(`The largest ${largest.length} owners`, [['owner', 'bytes', 'peak', 'quota', 'blocks'], ...largest]);
    const references = facts.shared.reduce((sum, resource) => sum + resource.references, 0);
    const growths = facts.growths.map(({ fromPages, toPages }) => `${fromPages} to ${toPages}`);
    line(`\nGrowths (pages): ${growths.join(', ') || 'none'}`);
    line(`Shared: ${facts.shared.length} held ${references} times\nLeaks: ${facts.leaks.length}`);
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    if (values.svg === '') throw new UsageError('--svg must name a file (or give --no-svg)');
    const runtime = await live(values);
    const facts = report(runtime, values.top);
    if (values.json) terminal.print(JSON.stringify(facts, (_, value) => (value === Infinity ? null : value), 2));
    else print(facts, terminal);
    if (!values['no-svg']) {
        writeFileSync(values.svg, draw(spansOf(runtime.memory), facts));
        if (!values.json) terminal.print(`\n${values.svg} is the picture of it`);
    }
    runtime.dispose();
}
