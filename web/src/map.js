/**
 * The network: 19 hexagons, what is nearest to each site, cut into its three cells (120 degrees around each boresight), by load; and the
 * users on their way. So a user is drawn in the cell whose antenna looks at it, and the cells leave no gap.
 */
import { AREA_NAMES, CELLS, SECTORS, cellName, siteOf } from './facts.js';
import { CELL_AREAS, SITE_HEIGHTS } from '../../examples/ran/city.js';
import { AZIMUTHS, INTER_SITE_DISTANCE, SITES, SITE_X, SITE_Y } from '../../examples/ran/geometry.js';
import { CELL_FIELDS, USER_FIELDS, UserState } from './fields.js';
import { fixed, integer, percent } from './format.js';
import { Surface, neighbour } from './surface.js';
import { colour, motionless, scale } from './theme.js';

const CORNER = INTER_SITE_DISTANCE / Math.sqrt(3);  // of a site's hexagon, from the site, m
const MARGIN = 14;                               // m
const ends = (values) => [Math.min(...values), Math.max(...values)];
const [WEST, EAST] = ends(SITE_X);
const [SOUTH, NORTH] = ends(SITE_Y);
const LEFT = WEST - INTER_SITE_DISTANCE / 2 - MARGIN;
const RIGHT = EAST + INTER_SITE_DISTANCE / 2 + MARGIN;
const TOP = NORTH + CORNER + MARGIN;
const BOTTOM = SOUTH - CORNER - MARGIN;
/** A point at a distance from the site of a cell, in a direction from its boresight. @returns {[number, number]} m */
const around = (cell, distance, degrees) => {
    const angle = ((AZIMUTHS[cell % SECTORS] + degrees) * Math.PI) / 180;
    return [SITE_X[siteOf(cell)] + distance * Math.cos(angle), SITE_Y[siteOf(cell)] + distance * Math.sin(angle)];
};
const ALL = Array.from({ length: CELLS }, (_, cell) => cell);
const CENTRES = ALL.map((cell) => around(cell, CORNER / 2, 0));
const CORNERS = ALL.map((cell) => [around(cell, 0, 0), around(cell, CORNER, -60), around(cell, CORNER, 0), around(cell, CORNER, 60)]);
const MAX_HEIGHT = 470;
const CELLS_EVERY = 50;                          // ms: loads may lag, users may not
const LEAP = 600;                                // m; who is farther away than this has left the map at its other side

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

    /** The outline of a cell, or one that lies within it. */
    outline(context, cell, share = 1) {
        const [x, y] = this.point(...CENTRES[cell]);
        context.beginPath();
        for (const corner of CORNERS[cell]) {
            const [cx, cy] = this.point(...corner);
            context.lineTo(x + (cx - x) * share, y + (cy - y) * share);
        }
        context.closePath();
    }

    drawCells(context) {
        const paint = scale('load');
        context.lineJoin = 'round';
        context.strokeStyle = colour('hex-line');
        context.lineWidth = 1.2;
        for (const cell of ALL) {
            this.outline(context, cell);
            context.fillStyle = paint(this.field(cell, 'load'));
            context.fill();
            if (this.field(cell, 'asleep')) this.hatch(context, cell);
            context.stroke();
        }
        this.drawHexagons(context);
        for (const [cell, ring] of [...[...this.selected].map((c) => [c, 'text']), [this.surface.hovered, 'text'], [this.surface.pointed, 'focus']]) {
            if (cell === null) continue;
            this.outline(context, cell, 0.9);
            context.strokeStyle = colour(ring);
            context.lineWidth = 2.5;
            context.stroke();
        }
    }

    /** What belongs to one site. */
    drawHexagons(context) {
        context.lineWidth = Math.max(2.5, this.unit * 26);
        context.beginPath();
        for (const cell of ALL) {
            const [, ...corners] = CORNERS[cell].map((corner) => this.point(...corner));
            context.moveTo(...corners[0]);
            for (const corner of corners.slice(1)) context.lineTo(...corner);
        }
        context.stroke();
    }

    hatch(context, cell) {
        const [x, y] = this.point(...CENTRES[cell]);
        const size = CORNER * this.unit;
        context.save();
        context.clip();
        context.strokeStyle = colour('hatch');
        context.beginPath();
        for (let d = -2 * size; d < 2 * size; d += 6) {
            context.moveTo(x + d - size, y + size);
            context.lineTo(x + d + size, y - size);
        }
        context.stroke();
        context.restore();
        this.outline(context, cell);
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

    /** The cell at a point of the canvas: the nearest site's, that which looks there. */
    at(x, y) {
        const east = (x - this.left) / this.unit + LEFT;
        const north = TOP - y / this.unit;
        const away = Array.from(SITE_X, (siteX, site) => Math.hypot(east - siteX, north - SITE_Y[site]));
        const site = away.indexOf(Math.min(...away));
        if (away[site] > CORNER) return null;
        const degrees = (Math.atan2(north - SITE_Y[site], east - SITE_X[site]) * 180) / Math.PI;
        const off = AZIMUTHS.map((azimuth) => Math.abs(((degrees - azimuth + 540) % 360) - 180));
        return site * SECTORS + off.indexOf(Math.min(...off));
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
