/**
 * A canvas as sharp as the screen and as wide as its place, with a tooltip, a cursor for the keyboard, and a name.
 *
 * `size(width)` gives its height; `draw(context, width, height)` draws it in CSS pixels; `at(x, y)` says what is there (an
 * id or null); `drawAbove` draws what moves on a layer of its own; `tell(id)` describes it; `move(id, key)` is the neighbour in a direction; `choose(id)` opens it.
 */
import { onTheme } from './theme.js';

const tooltip = document.getElementById('tooltip');
const spoken = document.getElementById('spoken');
const KEYS = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End']);

function showTooltip(text, x, y) {
    tooltip.textContent = text;
    tooltip.hidden = false;
    const { width, height } = tooltip.getBoundingClientRect();
    const left = Math.min(x + 14, innerWidth - width - 8);
    const top = y + 18 + height > innerHeight ? y - height - 12 : y + 18;
    tooltip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
}

export const hideTooltip = () => void (tooltip.hidden = true);

export class Surface {
    constructor(host, { label, help, ...parts }) {
        this.parts = parts;
        this.host = host;
        this.canvas = document.createElement('canvas');
        this.context = this.canvas.getContext('2d');
        this.hovered = null;
        this.cursor = null;
        this.dirty = true;
        this.describe(label, help);
        host.append(this.canvas);
        if (parts.drawAbove) this.addLayer();
        new ResizeObserver(() => this.resize()).observe(host);
        onTheme(() => this.touch());
        if (parts.at) this.listen();
    }

    addLayer() {
        this.upper = document.createElement('canvas');
        this.upper.className = 'upper';
        this.upper.setAttribute('aria-hidden', 'true');
        this.above = this.upper.getContext('2d');
        this.host.append(this.upper);
    }

    describe(label, help) {
        const { canvas } = this;
        canvas.setAttribute('aria-label', help ? `${label}. ${help}` : label);
        canvas.setAttribute('role', this.parts.choose ? 'application' : 'img');
        if (this.parts.choose) {
            canvas.tabIndex = 0;
            canvas.setAttribute('aria-roledescription', 'interactive picture');
        }
    }

    resize() {
        const ratio = Math.min(3, devicePixelRatio || 1);
        const width = this.host.clientWidth;
        const height = this.parts.size(width);
        if (width === this.width && height === this.height && ratio === this.ratio) return;
        Object.assign(this, { width, height, ratio });
        for (const canvas of this.upper ? [this.canvas, this.upper] : [this.canvas]) {
            canvas.width = Math.round(width * ratio);
            canvas.height = Math.round(height * ratio);
            canvas.style.height = `${height}px`;
        }
        this.touch();
        this.paint();
    }

    /** To be drawn at the next frame. */
    touch() {
        this.dirty = true;
    }

    /** Draws if anything has changed. */
    paint() {
        if (!this.dirty || !this.width) return;
        this.dirty = false;
        this.layer(this.context, this.parts.draw);
    }

    /** Draws what moves. */
    paintAbove() {
        if (this.width) this.layer(this.above, this.parts.drawAbove);
    }

    layer(context, draw) {
        context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
        context.clearRect(0, 0, this.width, this.height);
        draw(context, this.width, this.height);
    }

    listen() {
        const { canvas, parts } = this;
        canvas.addEventListener('pointermove', (event) => this.hover(this.find(event), event));
        canvas.addEventListener('pointerleave', () => this.hover(null));
        canvas.addEventListener('click', (event) => {
            const id = this.find(event);
            if (id === null || !parts.choose) return;
            this.cursor = id;
            parts.choose(id);
            this.touch();
        });
        if (!parts.choose) return;
        canvas.addEventListener('keydown', (event) => this.key(event));
        canvas.addEventListener('focus', () => {
            this.cursor ??= parts.first?.() ?? 0;
            if (canvas.matches(':focus-visible')) this.point();
        });
        canvas.addEventListener('blur', () => {
            hideTooltip();
            this.touch();
        });
    }

    find({ offsetX, offsetY }) {
        return this.parts.at(offsetX, offsetY);
    }

    hover(id, event) {
        if (id !== this.hovered) this.touch();
        this.hovered = id;
        if (id === null) hideTooltip();
        else showTooltip(this.parts.tell(id), event.clientX, event.clientY);
    }

    key(event) {
        const { parts } = this;
        if (event.key === 'Enter' || event.key === ' ') parts.choose(this.cursor);
        else if (KEYS.has(event.key)) this.cursor = parts.move(this.cursor, event.key);
        else if (event.key === 'Escape') hideTooltip();
        else return;
        event.preventDefault();
        if (KEYS.has(event.key)) this.point();
        this.touch();
    }

    /** Shows and says what the keyboard's cursor is on. */
    point() {
        const { canvas, parts, cursor } = this;
        const [x, y] = parts.place(cursor);
        const box = canvas.getBoundingClientRect();
        const text = parts.tell(cursor);
        showTooltip(text, box.left + x, box.top + y);
        spoken.textContent = text.replaceAll('\n', ', ');
        this.touch();
    }

    /** What the keyboard's cursor is on while the canvas has the focus. */
    get pointed() {
        return document.activeElement === this.canvas && this.canvas.matches(':focus-visible') ? this.cursor : null;
    }
}

/** The nearest of some places in a direction: small steps along, no detours across. */
export function neighbour(places, from, key) {
    if (key === 'Home') return 0;
    if (key === 'End') return places.length - 1;
    const [x, y] = places[from];
    const across = key === 'ArrowLeft' || key === 'ArrowRight';
    const sign = key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1;
    let best = from;
    let least = Infinity;
    places.forEach(([px, py], i) => {
        const along = sign * (across ? px - x : py - y);
        const aside = Math.abs(across ? py - y : px - x);
        if (along <= 0.5 || i === from) return;
        const cost = along + 3 * aside;
        if (cost < least) [best, least] = [i, cost];
    });
    return best;
}
