/**
 * The picture of linear memory, as SVG, to scale. Above, one bar: the whole budget. Below, the pages there are, read like a page of
 * text: rows of equal numbers of bytes, from address 0 at the top left. A cell shows what most of its bytes are. Colours follow the
 * reader's light or dark scheme; the file needs no script and no font.
 */
import { TITLES } from './spans.js';
import { hex, percent, size } from './text.js';

/** @typedef {import('./spans.js').Span} Span */

const PAGE_BYTES = 65536;
const CELLS = 440; // of a row
const CELL_WIDTH = 2;
const ROW_HEIGHT = 9;
const ROW_GAP = 2;
const MOST_ROWS = 64;
const LEFT = 84;
const WIDTH = LEFT + CELLS * CELL_WIDTH + 16;
const BAR_TOP = 66;
const BAR_HEIGHT = 16;
const GRID_TOP = 124;
const LEGEND_COLUMNS = 3;

/** Of each kind of span: on a light ground, on a dark one. @type {Record<string, [string, string]>} */
const COLOURS = {
    stack: ['#57606a', '#8b949e'],
    static: ['#8c959f', '#6e7681'],
    table: ['#2a78d6', '#3987e5'],
    trajectory: ['#1baf7a', '#199e70'],
    agent: ['#4a3aa7', '#9085e9'],
    encoders: ['#eda100', '#c98500'],
    batch: ['#e87ba4', '#d55181'],
    shared: ['#eb6834', '#d95926'],
    runtime: ['#008300', '#3fb950'],
    records: ['#a47551', '#8a6343'],
    leak: ['#e34948', '#ff5a52'],
    pool: ['#cde9dd', '#1d4436'],
    hole: ['#dfe3e8', '#30363d'],
    unused: ['#f3f5f7', '#191f27'],
};

/** Bytes of a row: a power of two, so that few rows show everything. @param {number} total */
function bytesOfRow(total) {
    let bytes = PAGE_BYTES / 4;
    while (total / bytes > MOST_ROWS) bytes *= 2;
    return bytes;
}

/** What most bytes of each cell are, cell after cell; undefined behind the last page. @param {Span[]} spans @param {number} rowBytes */
function cellsOf(spans, rowBytes) {
    const total = spans[spans.length - 1].end;
    const cells = /** @type {(string | undefined)[]} */ ([]);
    let first = 0;
    for (let i = 0; i < Math.ceil(total / rowBytes) * CELLS; i++) {
        const start = (i / CELLS) * rowBytes;
        const end = ((i + 1) / CELLS) * rowBytes;
        /** @type {Record<string, number>} */
        const bytes = {};
        while (first < spans.length && spans[first].end <= start) first++;
        for (let k = first; k < spans.length && spans[k].start < end; k++)
            bytes[spans[k].what] = (bytes[spans[k].what] ?? 0) + Math.min(end, spans[k].end) - Math.max(start, spans[k].start);
        cells.push(Object.keys(bytes).sort((a, b) => bytes[b] - bytes[a])[0]);
    }
    return cells;
}

/** One path for each kind: its runs of cells as rectangles. @param {(string | undefined)[]} cells */
function pathsOf(cells) {
    /** @type {Map<string, string>} */
    const paths = new Map();
    for (let i = 0; i < cells.length; ) {
        const what = cells[i];
        const rowEnd = (Math.floor(i / CELLS) + 1) * CELLS;
        let end = i + 1;
        while (end < rowEnd && cells[end] === what) end++;
        if (what !== undefined) {
            const x = LEFT + (i % CELLS) * CELL_WIDTH;
            const y = GRID_TOP + Math.floor(i / CELLS) * (ROW_HEIGHT + ROW_GAP);
            const width = (end - i) * CELL_WIDTH;
            paths.set(what, `${paths.get(what) ?? ''}M${x} ${y}h${width}v${ROW_HEIGHT}h-${width}z`);
        }
        i = end;
    }
    return [...paths].map(([what, path]) => `<path class="${what}" d="${path}"/>`);
}

/** The bar of the whole budget. @param {Span[]} spans @param {number} maxBytes */
function barOf(spans, maxBytes) {
    const width = CELLS * CELL_WIDTH;
    const scale = width / maxBytes;
    const used = spans.filter(({ what }) => what !== 'unused');
    const end = used.length > 0 ? used[used.length - 1].end : 0;
    const total = spans[spans.length - 1].end;
    const part = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ what) =>
        to > from ? `<rect class="${what}" x="${(LEFT + from * scale).toFixed(2)}" y="${BAR_TOP}" width="${((to - from) * scale).toFixed(2)}" height="${BAR_HEIGHT}"/>` : '';
    return [
        part(0, end, 'table'), part(end, total, 'hole'), part(total, maxBytes, 'unused'),
        `<rect class="frame" x="${LEFT}" y="${BAR_TOP}" width="${width}" height="${BAR_HEIGHT}"/>`,
        `<text class="small" x="${LEFT}" y="${BAR_TOP - 6}">budget ${size(maxBytes)}: ${size(end)} in use, ${size(total - end)} of pages to spare, the rest not asked for</text>`,
    ].filter(Boolean);
}

/** @param {Record<string, number>} sums @param {number} total @param {number} top */
function legendOf(sums, total, top) {
    const shown = Object.keys(TITLES).filter((what) => sums[what] > 0);
    const perColumn = Math.ceil(shown.length / LEGEND_COLUMNS);
    const columnWidth = (CELLS * CELL_WIDTH) / LEGEND_COLUMNS;
    const lines = shown.map((what, i) => {
        const x = LEFT + Math.floor(i / perColumn) * columnWidth;
        const y = top + (i % perColumn) * 20;
        const title = TITLES[/** @type {keyof typeof TITLES} */ (what)];
        return `<rect class="${what} key" x="${x}" y="${y}" width="12" height="12"/><text x="${x + 18}" y="${y + 10}">${title}: ${size(sums[what])} (${percent(sums[what], total)})</text>`;
    });
    return { lines, height: perColumn * 20 };
}

const style = () => {
    const rules = (/** @type {0 | 1} */ scheme) => Object.entries(COLOURS).map(([what, colours]) => `.${what}{fill:${colours[scheme]}}`).join('');
    return [
        '<style>text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.small{font-size:11px;fill:#59636e}',
        `.frame,.key{stroke:#59636e;stroke-width:.5}.frame{fill:none}.ground{fill:#fff}${rules(0)}`,
        `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.frame,.key{stroke:#9198a1}.ground{fill:#0d1117}${rules(1)}}</style>`,
    ].join('\n');
};

/**
 * @param {Span[]} spans from address 0 to the end of the last page, without gaps
 * @param {{ maxPages: number, liveBytes: number, spans: Record<string, number> }} facts
 * @returns {string} an SVG document
 */
export function draw(spans, facts) {
    const total = spans[spans.length - 1].end;
    const rowBytes = bytesOfRow(total);
    const cells = cellsOf(spans, rowBytes);
    const rows = cells.length / CELLS;
    const legendTop = GRID_TOP + rows * (ROW_HEIGHT + ROW_GAP) + 14;
    const legend = legendOf(facts.spans, total, legendTop);
    const height = legendTop + legend.height + 12;
    const labels = Array.from({ length: Math.ceil(rows / 4) }, (_, i) => {
        const y = GRID_TOP + 4 * i * (ROW_HEIGHT + ROW_GAP) + ROW_HEIGHT;
        return `<text class="small" text-anchor="end" x="${LEFT - 8}" y="${y}">${hex(4 * i * rowBytes)}</text>`;
    });
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">`,
        '<title id="t">Linear memory of a runtime</title>',
        `<desc id="d">${Object.entries(facts.spans).map(([what, bytes]) => `${TITLES[/** @type {keyof typeof TITLES} */ (what)]} ${size(bytes)}`).join(', ')}</desc>`,
        style(),
        `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
        `<text class="title" x="${LEFT}" y="28">Linear memory: ${size(total)}, of which ${size(facts.liveBytes)} are live blocks</text>`,
        ...barOf(spans, facts.maxPages * PAGE_BYTES),
        `<text class="small" x="${LEFT}" y="${GRID_TOP - 8}">the pages there are, ${size(rowBytes)} a row</text>`,
        ...labels,
        ...pathsOf(cells),
        ...legend.lines,
        '</svg>', '',
    ].join('\n');
}
