/**
 * 593 agents at a glance: a row a knob, a column a cell where there is room; on a phone a block a knob. An agent of a
 * site or of the network is as wide as what it answers for.
 */
import { CELLS, CREW, KNOBS, SECTORS } from './facts.js';
import { bytes, capital, figure, fixed, integer, short } from './format.js';
import { Surface, neighbour } from './surface.js';
import { colour, scale } from './theme.js';

/** What can be shown: scale, range of the values, and how one is written. */
export const MEASURES = Object.freeze({
    reward: {
        title: 'reward, recent', scale: 'diverging', text: (v) => fixed(v, 3),
        tell: 'what its moves earned lately against keeping still',
        range: (values) => { const most = percentile(values, 0.98, Math.abs) || 0.01; return [-most, most]; },
    },
    tdError: { title: 'TD error', scale: 'sequential', text: figure, tell: 'mean |TD error| of its learning', range: (values) => [0, percentile(values, 0.98) || 1] },
    epsilon: { title: 'epsilon', scale: 'sequential', text: (v) => fixed(v, 3), tell: 'how often it tries something else', range: () => [0, 0.3] },
    visits: { title: 'visits', scale: 'sequential', text: integer, tell: 'learning steps, its own and those shared by its peers', range: (values) => [0, Math.max(1, ...values)] },
    memory: { title: 'memory', scale: 'sequential', text: bytes, tell: 'bytes it holds in linear memory', range: (values) => [Math.min(...values), Math.max(...values, Math.min(...values) + 1)] },
});

function percentile(values, share, of = (value) => value) {
    const sorted = Float32Array.from(values, of).sort();
    return sorted[Math.floor(share * (sorted.length - 1))];
}

const WIDE = 600;
const ROW = 34;
const HEAD = 20;
const GAP = 7;                                   // between cells' rows and the rest
const BLOCK = { columns: CELLS / SECTORS, rows: SECTORS, label: 19, gap: 7 };

const OF_NETWORK = KNOBS.filter(({ scope }) => scope === 'network');

/** Rectangles of all agents and labels, for a width. */
function arrange(width) {
    return width >= WIDE ? arrangeRows(width) : arrangeBlocks(width);
}

function arrangeRows(width) {
    const label = Math.round(Math.min(228, width * 0.26));
    const boxes = [];
    const labels = [];
    let y = HEAD;
    let scope = 'cell';
    for (const knob of KNOBS) {
        const first = knob.scope === 'network' && scope !== 'network';
        if (knob.scope !== scope) y += GAP;
        const count = { cell: CELLS, site: CELLS / SECTORS, network: OF_NETWORK.length }[knob.scope];
        const wide = (width - label) / count;
        if (knob.scope !== 'network') {
            labels.push({ text: knob.title, x: 0, y: y + ROW / 2, width: label - 8 });
            for (let unit = 0; unit < count; unit++) boxes.push([label + unit * wide, y, wide, ROW]);
            y += ROW;
        } else {
            if (first) labels.push({ text: 'the whole network', x: 0, y: y + ROW / 2, width: label - 8 });
            const place = OF_NETWORK.indexOf(knob);
            boxes.push([label + place * wide, y, wide, ROW]);
            labels.push({ text: knob.title, x: label + place * wide + 6, y: y + ROW / 2, width: wide - 12, inside: boxes.length - 1 });
        }
        scope = knob.scope;
    }
    const sites = Array.from({ length: CELLS / SECTORS }, (_, site) => (
        { text: `${site + 1}`, x: label + ((site + 0.5) * (width - label) * SECTORS) / CELLS, y: HEAD / 2, centred: true }));
    return { boxes, labels: [{ text: 'site', x: 0, y: HEAD / 2, width: label }, ...sites, ...labels], height: y + ROW + 2 };
}

function arrangeBlocks(width) {
    const boxes = [];
    const labels = [];
    const side = width / BLOCK.columns;
    const high = Math.max(14, Math.min(20, side));
    let y = 0;
    for (const knob of KNOBS.filter(({ scope }) => scope !== 'network')) {
        labels.push({ text: knob.title, x: 0, y: y + BLOCK.label / 2, width });
        y += BLOCK.label;
        const rows = knob.scope === 'cell' ? BLOCK.rows : 1;
        for (let unit = 0; unit < BLOCK.columns * rows; unit++) {
            boxes.push([Math.floor(unit / rows) * side, y + (unit % rows) * high, side, high]);
        }
        y += rows * high + BLOCK.gap;
    }
    labels.push({ text: 'the whole network', x: 0, y: y + BLOCK.label / 2, width });
    y += BLOCK.label;
    OF_NETWORK.forEach((knob, i) => {
        boxes.push([((i % 2) * width) / 2, y + Math.floor(i / 2) * 26, width / 2, 26]);
        const box = boxes.at(-1);
        labels.push({ text: knob.title, x: box[0] + 6, y: box[1] + 13, width: box[2] - 12, inside: boxes.length - 1 });
    });
    return { boxes, labels, height: y + 54 };
}

export class HeatMap {
    /** @param {HTMLElement} host @param {{ choose: (agent: number) => void }} options */
    constructor(host, { choose }) {
        this.measure = 'reward';
        this.values = null;
        this.selected = null;
        this.plan = arrange(host.clientWidth);
        this.surface = new Surface(host, {
            label: 'Heat map of the 593 agents',
            help: 'Arrow keys go from agent to agent, Enter opens one',
            size: (width) => (this.plan = arrange(width)).height,
            draw: (context) => this.draw(context),
            at: (x, y) => this.at(x, y),
            tell: (agent) => this.tell(agent),
            place: (agent) => this.middle(agent),
            move: (agent, key) => neighbour(this.plan.boxes.map((_, i) => this.middle(i)), agent, key),
            first: () => this.selected ?? 0,
            choose,
        });
    }

    update(measure, values) {
        this.measure = measure;
        this.values = values;
        this.range = MEASURES[measure].range(values);
        this.surface.touch();
    }

    select(agent) {
        this.selected = agent;
        if (agent !== null) this.surface.cursor = agent;
        this.surface.touch();
    }

    paint() {
        this.surface.paint();
    }

    share(agent) {
        const [low, high] = this.range;
        return (this.values[agent] - low) / (high - low || 1);
    }

    draw(context) {
        const { boxes, labels } = this.plan;
        const paint = scale(MEASURES[this.measure].scale);
        boxes.forEach(([x, y, width, height], agent) => {
            context.fillStyle = this.values ? paint(this.share(agent)) : colour('sunken');
            context.fillRect(x + 0.5, y + 0.5, width - 1, height - 1);
        });
        context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
        context.textBaseline = 'middle';
        for (const label of labels) this.drawLabel(context, label);
        for (const [agent, ring] of [[this.surface.hovered, 'text'], [this.selected, 'text'], [this.surface.pointed, 'focus']]) {
            if (agent !== null) this.ring(context, boxes[agent], colour(ring), agent === this.selected ? 2.5 : 2);
        }
    }

    drawLabel(context, { text, x, y, width, centred, inside }) {
        const light = inside !== undefined && this.values && this.contrast(inside);
        context.fillStyle = inside === undefined ? colour('muted') : (light || colour('text'));
        context.textAlign = centred ? 'center' : 'left';
        context.fillText(fit(context, text, width), x, y);
    }

    /** Dark or light, whichever can be read on an agent's colour. */
    contrast(agent) {
        const [red, green, blue] = scale(MEASURES[this.measure].scale)(this.share(agent)).match(/\d+/g).map(Number);
        return 0.299 * red + 0.587 * green + 0.114 * blue > 125 ? '#14171b' : '#ffffff';
    }

    ring(context, [x, y, width, height], stroke, line) {
        context.lineWidth = line + 2;
        context.strokeStyle = colour('panel');
        context.strokeRect(x, y, width, height);
        context.lineWidth = line;
        context.strokeStyle = stroke;
        context.strokeRect(x, y, width, height);
    }

    middle(agent) {
        const [x, y, width, height] = this.plan.boxes[agent];
        return [x + width / 2, y + height / 2];
    }

    at(x, y) {
        const inside = ([left, top, width, height]) => x >= left && x < left + width && y >= top && y < top + height;
        const found = this.plan.boxes.findIndex(inside);
        return found < 0 ? null : found;
    }

    tell(agent) {
        const { knob, place, name } = CREW[agent];
        const { title, text } = MEASURES[this.measure];
        const value = this.values ? `\n${title}: ${text(this.values[agent])}` : '';
        return `${capital(knob.title)} · ${place}${value}\n${name}`;
    }

    /** What the colours mean: class of the ramp and its ends. */
    legend() {
        const { scale: ramp, text, tell } = MEASURES[this.measure];
        const [low, high] = this.values ? this.range : [0, 0];
        return { ramp, low: this.values ? text(low) : '', high: this.values ? (this.measure === 'visits' ? short(high) : text(high)) : '', tell };
    }
}

const widths = new Map();

/** A text cut to a width. */
function fit(context, text, width) {
    if (!width) return text;
    const key = `${text}${Math.round(width)}`;
    if (!widths.has(key)) {
        let cut = text;
        while (cut.length > 1 && context.measureText(cut === text ? text : `${cut}…`).width > width) cut = cut.slice(0, -1);
        widths.set(key, cut === text ? text : `${cut.trimEnd()}…`);
    }
    return widths.get(key);
}

