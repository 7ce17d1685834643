/**
 * Linear memory, to scale: rows of equal length from address 0 on, up to the budget. Each block is where it is and as long
 * as it is; those of the open agent are marked.
 */
import { PAGE_BYTES } from './facts.js';
import { GROUPS } from './fields.js';
import { bar, byId, element, say } from './dom.js';
import { bytes, integer, pages } from './format.js';
import { Surface } from './surface.js';
import { colour } from './theme.js';

const ROWS = 32;
const ROW_PIXELS = 7;
const GAP = 2;
const THIN = 3;                                  // pixels
const TITLES = { agents: 'agents', tables: 'their tables', encoders: 'encoders', batch: 'batch rows', shared: 'safe zones, features', runtime: 'runtime', withdrawn: 'withdrawn' };
const REGIONS = { stack: 'stack', static: 'static data', pools: 'pools, free', free: 'free' };

export class MemoryPanel {
    /** @param {HTMLElement} host */
    constructor(host) {
        this.picture = null;
        this.owner = null;
        this.surface = new Surface(host, {
            label: 'Linear memory drawn to scale; the figures are below',
            size: () => ROWS * (ROW_PIXELS + GAP),
            draw: (context, width) => this.draw(context, width),
            at: (x, y) => this.at(x, y),
            tell: (address) => this.tell(address),
        });
        this.legend = new Map();
        this.makeLegend();
    }

    makeLegend() {
        for (const [name, title] of [...Object.entries(REGIONS).slice(0, 3), ...GROUPS.map((group) => [group, TITLES[group]]), ['free', REGIONS.free]]) {
            const figure = element('span');
            const item = element('li', {}, [element('span', { class: `swatch ${name}` }), `${title} `, figure]);
            this.legend.set(name, { figure, item });
            byId('memory-legend').append(item);
        }
    }

    /** @param {object} picture as `Frames.memory` reads it @param {number} maxPages */
    update(picture, maxPages) {
        this.picture = picture;
        this.maxPages = maxPages;
        this.perRow = Math.ceil((maxPages * PAGE_BYTES) / ROWS / 4096) * 4096;
        this.pages = picture.layout.at(-1).end / PAGE_BYTES;
        this.surface.touch();
        this.showLegend();
        this.showPools();
    }

    /** Marks the blocks of an owner. */
    mark(owner) {
        this.owner = owner;
        this.surface.touch();
    }

    paint() {
        this.surface.paint();
    }

    showLegend() {
        const { picture } = this;
        const sums = Object.fromEntries(GROUPS.map((group) => [group, 0]));
        picture.bytes.forEach((size, i) => (sums[GROUPS[picture.group[i]]] += size));
        const length = (name) => { const { start, end } = picture.layout.find((region) => region.name === name); return end - start; };
        const lent = picture.pools.reduce((sum, { blockBytes, inUse }) => sum + blockBytes * inUse, 0);
        Object.assign(sums, { stack: length('stack'), static: length('static'), pools: length('pools') - lent });
        sums.free = this.maxPages * PAGE_BYTES - Object.values(sums).reduce((sum, size) => sum + size, 0);
        for (const [name, { figure, item }] of this.legend) {
            say(figure, bytes(Math.max(0, sums[name])));
            item.hidden = name === 'withdrawn' && sums.withdrawn === 0;
        }
        say(byId('memory-note'), `A row is ${bytes(this.perRow)}; ${pages(this.pages)} of ${integer(this.maxPages)} are there, ${integer(picture.address.length)} blocks`);
    }

    showPools() {
        byId('pools').replaceChildren(...this.picture.pools.map(({ name, blockBytes, capacity, inUse, peak, fallbacks }) => element('div', {}, [
            element('div', {}, [element('b', { text: `${name} pool` }), ` ${integer(inUse)} of ${integer(capacity)} blocks of ${bytes(blockBytes)}`]),
            bar(inUse, 0, capacity, `${name} pool: ${inUse} of ${capacity} blocks in use`),
            element('div', { text: `most ${integer(peak)}, ${integer(fallbacks)} from the heap instead` }),
        ])));
    }

    draw(context, width) {
        if (!this.picture) return;
        const { layout, address, bytes: sizes, owner, names } = this.picture;
        const limit = this.maxPages * PAGE_BYTES;
        this.span(context, width, 0, limit, colour('mem-free'));
        const paint = { stack: colour('mem-stack'), static: colour('mem-static'), pools: colour('mem-pools') };
        for (const { name, start, end } of layout) if (paint[name]) this.span(context, width, start, end, paint[name]);
        const fills = GROUPS.map((name) => (name === 'withdrawn' ? hatch(context) : colour(`mem-${name}`)));
        this.drawBlocks(context, width, fills);
        this.edge(context, width, layout.at(-1).end);
        const marked = this.owner === null ? -1 : names.indexOf(this.owner);
        if (marked < 0) return;
        for (let i = 0; i < address.length; i++) if (owner[i] === marked) this.flag(context, width, address[i], sizes[i]);
    }

    /** Blocks in order of their addresses; neighbours of one kind too thin to be told apart are drawn as one. */
    drawBlocks(context, width, fills) {
        const { address, bytes: sizes, group } = this.picture;
        const thin = (THIN * this.perRow) / width;
        for (let i = 0; i < address.length;) {
            const [start, kind] = [address[i], group[i]];
            let end = start + sizes[i++];
            while (i < address.length && group[i] === kind && sizes[i] < thin && address[i] - end < thin / 2) end = address[i] + sizes[i++];
            this.span(context, width, start, end, fills[kind]);
        }
    }

    span(context, width, start, end, fill) {
        context.fillStyle = fill;
        for (let row = Math.floor(start / this.perRow); row * this.perRow < end; row++) {
            const from = Math.max(start, row * this.perRow) - row * this.perRow;
            const to = Math.min(end, (row + 1) * this.perRow) - row * this.perRow;
            const x = (from / this.perRow) * width;
            context.fillRect(x, row * (ROW_PIXELS + GAP), Math.max(0.4, (to / this.perRow) * width - x), ROW_PIXELS);
        }
    }

    /** Where the memory that is there ends; what follows is budget. */
    edge(context, width, end) {
        const row = Math.floor(end / this.perRow);
        const x = ((end % this.perRow) / this.perRow) * width;
        context.fillStyle = colour('text');
        if (end < this.maxPages * PAGE_BYTES) context.fillRect(x, row * (ROW_PIXELS + GAP) - 1, 2, ROW_PIXELS + 2);
    }

    flag(context, width, address, size) {
        const row = Math.floor(address / this.perRow);
        const x = ((address % this.perRow) / this.perRow) * width;
        context.strokeStyle = colour('text');
        context.lineWidth = 2;
        context.strokeRect(x - 2, row * (ROW_PIXELS + GAP) - 1, Math.max(4, (size / this.perRow) * width + 3), ROW_PIXELS + 2);
    }

    at(x, y) {
        if (!this.picture) return null;
        const row = Math.floor(y / (ROW_PIXELS + GAP));
        const address = Math.floor((row + x / this.surface.width) * this.perRow);
        return address >= 0 && address < this.maxPages * PAGE_BYTES ? address : null;
    }

    tell(where) {
        const { picture } = this;
        const hex = `0x${where.toString(16).toUpperCase().padStart(6, '0')}`;
        const slack = this.perRow / this.surface.width / 2;
        const i = picture.address.findIndex((start, k) => where >= start - slack && where < start + picture.bytes[k] + slack);
        if (i >= 0) return `${hex} · ${bytes(picture.bytes[i])}\n${picture.kinds[i]} of ${picture.group[i] === GROUPS.indexOf('withdrawn') ? 'someone else (withdrawn)' : picture.names[picture.owner[i]]}`;
        const region = picture.layout.find(({ start, end }) => where >= start && where < end);
        return `${hex}\n${!region || region.name === 'unused' ? 'not in use yet' : region.name === 'heap' ? 'heap, free' : (REGIONS[region.name] ?? region.name)}`;
    }
}

/** Stripes for what somebody else has. */
function hatch(context) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const brush = tile.getContext('2d');
    brush.strokeStyle = colour('mem-withdrawn');
    brush.lineWidth = 1.6;
    brush.beginPath();
    for (const d of [-6, 0, 6]) {
        brush.moveTo(d, 6);
        brush.lineTo(d + 6, 0);
    }
    brush.stroke();
    return context.createPattern(tile, 'repeat');
}
