/** The network: 57 hexagons by load, the sites, and the users on their way. */
import { AREA_NAMES, CELLS, SECTORS, cellName, siteOf } from './facts.js';
import { CELL_AREAS, SITE_HEIGHTS } from '../../examples/ran/city.js';
import { INTER_SITE_DISTANCE, SITES, SITE_X, SITE_Y, cellCentre } from '../../examples/ran/geometry.js';
import { CELL_FIELDS, USER_FIELDS, UserState } from './fields.js';
import { fixed, integer, percent } from './format.js';
import { Surface, neighbour } from './surface.js';
import { colour, motionless, scale } from './theme.js';

const RADIUS = INTER_SITE_DISTANCE / 3;          // of a cell's hexagon, m
const MARGIN = RADIUS * 1.12;
const CENTRES = Array.from({ length: CELLS }, (_, cell) => cellCentre(cell));
const LEFT = Math.min(...CENTRES.map(([x]) => x)) - MARGIN;
const RIGHT = Math.max(...CENTRES.map(([x]) => x)) + MARGIN;
const TOP = Math.max(...CENTRES.map(([, y]) => y)) + MARGIN;
const BOTTOM = Math.min(...CENTRES.map(([, y]) => y)) - MARGIN;
const MAX_HEIGHT = 470;
const CELLS_EVERY = 50;                          // ms: loads may lag, users may not
const LEAP = 600;                                // m; who is farther away than this has left the map at its other side
const CORNERS = Array.from({ length: 6 }, (_, k) => [Math.cos((k * 60 + 30) * Math.PI / 180), Math.sin((k * 60 + 30) * Math.PI / 180)]);

const disc = (path, x, y, size) => {
    path.moveTo(x + size, y);
    path.arc(x, y, size, 0, 2 * Math.PI);
};
/** How users look, by `UserState`. */
const LOOKS = [
    { trace() {} },
    { trace: disc, fill: 'user' },
    { trace: (path, x, y, size) => path.rect(x - size, y - size, 2 * size, 2 * size), fill: 'user-priority' },
    { trace: (path, x, y, size) => disc(path, x, y, size * 1.8), stroke: 'refused' },
];

export class NetworkMap {
    /** @param {HTMLElement} host @param {{ choose: (cell: number) => void }} options */
    constructor(host, { choose }) {
        this.cells = new Float32Array(CELLS * CELL_FIELDS.length);
        this.users = this.before = null;
        this.since = 0;
        this.interval = 100;
        this.drawn = 0;
        this.progress = 1;
        this.selected = new Set();
        this.surface = new Surface(host, {
            label: 'Map of the 57 cells with their load and their users',
            help: 'Arrow keys go from cell to cell, Enter opens its agent',
            size: (width) => Math.round(Math.min(MAX_HEIGHT, (width * (TOP - BOTTOM)) / (RIGHT - LEFT))),
            draw: (context, width, height) => this.draw(context, width, height),
            drawAbove: (context) => this.drawUsers(context),
            at: (x, y) => this.at(x, y),
            tell: (cell) => this.tell(cell),
            place: (cell) => this.point(...CENTRES[cell]),
            move: (cell, key) => neighbour(CENTRES.map(([x, y]) => [x, -y]), cell, key),
            choose,
        });
    }

    /** @param {{ cells: Float32Array, users: Float32Array }} frame @param {number} now ms */
    update({ cells, users }, now) {
        this.cells = cells;
        this.before = this.users;
        this.users = users;
        this.interval = Math.min(600, Math.max(16, now - this.since));
        this.since = now;
        this.fresh = true;
    }

    /** Cells that the open agent answers for. */
    select(cells) {
        this.selected = new Set(cells);
        this.surface.touch();
    }

    paint(now) {
        if (this.fresh && now - this.drawn >= CELLS_EVERY) {
            this.fresh = false;
            this.drawn = now;
            this.surface.touch();
        }
        const redrawn = this.surface.dirty;
        this.surface.paint();
        const progress = motionless.matches ? 1 : Math.min(1, (now - this.since) / this.interval);
        if (progress === this.progress && !redrawn) return;
        this.progress = progress;
        if (this.users) this.surface.paintAbove();
    }

    point(x, y) {
        return [this.left + (x - LEFT) * this.unit, (TOP - y) * this.unit];
    }

    field(cell, name) {
        return this.cells[cell * CELL_FIELDS.length + CELL_FIELDS.indexOf(name)];
    }

    draw(context, width, height) {
        this.unit = Math.min(width / (RIGHT - LEFT), height / (TOP - BOTTOM));
        this.left = (width - (RIGHT - LEFT) * this.unit) / 2;
        this.drawCells(context);
        this.drawSites(context);
    }

    hexagon(context, cell, size) {
        const [x, y] = this.point(...CENTRES[cell]);
        context.beginPath();
        for (const [cx, cy] of CORNERS) context.lineTo(x + cx * size, y + cy * size);
        context.closePath();
    }

    drawCells(context) {
        const paint = scale('load');
        const size = RADIUS * this.unit;
        context.lineWidth = Math.max(1.5, size * 0.06);
        context.strokeStyle = colour('hex-line');
        for (let cell = 0; cell < CELLS; cell++) {
            this.hexagon(context, cell, size);
            context.fillStyle = paint(this.field(cell, 'load'));
            context.fill();
            if (this.field(cell, 'asleep')) this.hatch(context, cell, size);
            context.stroke();
        }
        for (const [cell, ring] of [...[...this.selected].map((c) => [c, 'text']), [this.surface.hovered, 'text'], [this.surface.pointed, 'focus']]) {
            if (cell === null) continue;
            this.hexagon(context, cell, size * 0.93);
            context.strokeStyle = colour(ring);
            context.lineWidth = 2.5;
            context.stroke();
        }
    }

    hatch(context, cell, size) {
        const [x, y] = this.point(...CENTRES[cell]);
        context.save();
        context.clip();
        context.strokeStyle = colour('hatch');
        context.lineWidth = 1.2;
        context.beginPath();
        for (let d = -2 * size; d < 2 * size; d += 6) {
            context.moveTo(x + d - size, y + size);
            context.lineTo(x + d + size, y - size);
        }
        context.stroke();
        context.restore();
        context.strokeStyle = colour('hex-line');
        context.lineWidth = Math.max(1.5, size * 0.06);
        this.hexagon(context, cell, size);
    }

    drawSites(context) {
        context.fillStyle = colour('text');
        context.strokeStyle = colour('panel');
        context.lineWidth = 1.5;
        for (let site = 0; site < SITES; site++) {
            const [x, y] = this.point(SITE_X[site], SITE_Y[site]);
            context.beginPath();
            context.arc(x, y, Math.max(2.6, this.unit * 17), 0, 2 * Math.PI);
            context.fill();
            context.stroke();
        }
    }

    drawUsers(context) {
        const { users, before, progress } = this;
        const size = Math.max(1.5, this.unit * 9);
        const paths = LOOKS.map(() => new Path2D());
        for (let at = 0; at < users.length; at += USER_FIELDS) {
            const state = users[at + 2];
            if (state === UserState.AWAY) continue;
            let [x, y] = [users[at], users[at + 1]];
            if (before?.[at + 2] && progress < 1 && Math.hypot(x - before[at], y - before[at + 1]) < LEAP) {
                x = before[at] + (x - before[at]) * progress;
                y = before[at + 1] + (y - before[at + 1]) * progress;
            }
            LOOKS[state].trace(paths[state], ...this.point(x, y), size);
        }
        context.lineWidth = 1.6;
        LOOKS.forEach(({ fill, stroke }, state) => {
            context.fillStyle = fill ? colour(fill) : 'transparent';
            context.strokeStyle = stroke ? colour(stroke) : 'transparent';
            if (fill) context.fill(paths[state]);
            if (stroke) context.stroke(paths[state]);
        });
    }

    at(x, y) {
        let best = null;
        let least = RADIUS * this.unit;
        CENTRES.forEach((centre, cell) => {
            const [cx, cy] = this.point(...centre);
            const away = Math.hypot(x - cx, y - cy);
            if (away < least) [best, least] = [cell, away];
        });
        return best;
    }

    tell(cell) {
        const site = siteOf(cell);
        const state = this.field(cell, 'asleep')
            ? 'asleep'
            : `load ${percent(this.field(cell, 'load'))}, asked for ${percent(this.field(cell, 'offered'))}`;
        return [
            `${cellName(cell)[0].toUpperCase()}${cellName(cell).slice(1)} · site ${site + 1}, sector ${(cell % SECTORS) + 1}`,
            `${state}\n${integer(this.field(cell, 'users'))} users · ${fixed(this.field(cell, 'watts'), 0)} W · reward ${fixed(this.field(cell, 'reward'), 2)}`,
            `${AREA_NAMES[CELL_AREAS[cell]]}, antenna at ${fixed(SITE_HEIGHTS[site], 0)} m`,
        ].join('\n');
    }
}

export const MAP_LEGEND = [
    ['ramp load', 'load 0 … 100 %'], ['swatch hatch', 'asleep'], ['dot', 'user'], ['dot priority', 'priority'], ['dot refused', 'refused'],
];
