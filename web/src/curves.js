/** Learning curves: the same unseen day after each day of training, against the defaults and random actions. */
import uPlot from 'uplot';
import { byId, element, say } from './dom.js';
import { clock, fixed, signed } from './format.js';
import { colour, onTheme } from './theme.js';

const LEAST = { width: 200, height: 240 };
const MOST_HEIGHT = 460;
const FONT = '12px system-ui, sans-serif';
const DAY_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** At least five days wide, so that the first ones do not run across the whole picture. */
const daysRange = (_, low, high) => [low ?? 0, Math.max(high ?? 0, (low ?? 0) + 5)];

const TABS = [
    {
        id: 'learning', title: 'Learning', x: 'days of training',
        note: 'Reward of one unseen day, driven greedily by what had been learned by then. Nothing is learned on it.',
        series: [['defaults', 'defaults', [7, 5]], ['random', 'random', [2, 4]], ['learned', 'learned']],
        data: ({ days, learned, baselines }) => [days, ...['defaults', 'random'].map((name) => days.map(() => baselines?.[name].reward)), learned],
    },
    {
        id: 'gain', title: 'Gain', x: 'days of training',
        note: 'The same, less what the defaults earned: how much better the network is run.',
        series: [['defaults', 'defaults', [7, 5]], ['learned less defaults', 'learned']],
        data: ({ days, learned, baselines }) => [days, days.map(() => 0), learned.map((reward) => reward - baselines?.defaults.reward)],
    },
    {
        id: 'hours', title: 'By hour', x: 'hour of the unseen day', note: 'The same day, hour by hour: reward per period of the three networks with the same users.',
        series: [['defaults', 'defaults', [7, 5]], ['random', 'random', [2, 4]], ['learned', 'learned']],
        data: ({ hours }) => [hours.learned.map((_, i) => i / 2), hours.defaults ?? [], hours.random ?? [], hours.learned],
        hours: true,
    },
    {
        id: 'training', title: 'Training', x: 'days of training', note: 'How wrong they still are, and how often they still try something else: means over all agents and each day.',
        series: [['mean |TD error|', 'learned'], ['epsilon', 'random', [2, 4]]],
        data: ({ days, tdError, epsilon }) => [days.slice(1), tdError.slice(1), epsilon.slice(1)],
    },
];

export class Curves {
    constructor() {
        this.curves = null;
        this.tab = TABS[0];
        this.host = byId('chart');
        this.buttons = TABS.map((tab, i) => {
            const button = element('button', { type: 'button', role: 'tab', id: `tab-${tab.id}`, 'aria-controls': 'curve-panel', text: tab.title });
            button.addEventListener('click', () => this.open(i));
            button.addEventListener('keydown', (event) => this.key(event, i));
            return button;
        });
        byId('curve-tabs').append(...this.buttons);
        new ResizeObserver(() => this.resize()).observe(this.host);
        onTheme(() => this.make());
        this.open(0);
    }

    key(event, from) {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = (from + step + TABS.length) % TABS.length;
        this.open(next);
        this.buttons[next].focus();
        event.preventDefault();
    }

    open(number) {
        this.tab = TABS[number];
        this.buttons.forEach((button, i) => {
            button.setAttribute('aria-selected', i === number);
            button.tabIndex = i === number ? 0 : -1;
        });
        byId('curve-panel').setAttribute('aria-labelledby', `tab-${this.tab.id}`);
        say(byId('curve-note'), this.tab.note);
        this.make();
    }

    make() {
        this.plot?.destroy();
        this.plot = new uPlot(this.options(), this.data(), this.host);
        this.plot.root.setAttribute('aria-hidden', 'true');
        this.showFigures();
    }

    options() {
        const { tab } = this;
        const lines = { stroke: colour('grid'), width: 1 };
        const axis = { stroke: colour('muted'), grid: lines, ticks: lines, font: FONT, labelFont: FONT };
        const places = (_, values) => values.map((value) => (value === null ? '' : fixed(value, this.digits(values))));
        return {
            ...this.size(), padding: [8, 8, 0, 0], legend: { show: false },
            cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
            scales: { x: { time: false, range: tab.hours ? [0, 24] : daysRange } },
            axes: [
                {
                    ...axis, label: tab.x, labelSize: 20, size: 30, incrs: tab.hours ? [3, 6] : DAY_STEPS,
                    values: tab.hours ? (_, values) => values.map(clock) : undefined,
                },
                { ...axis, size: 52, space: 36, values: places },
            ],
            series: [{}, ...tab.series.map(([label, paint, dash]) => ({
                label, stroke: colour(paint), width: paint === 'learned' ? 2.5 : 1.75, dash, spanGaps: true,
                points: { show: paint === 'learned' && !tab.hours ? undefined : false, size: 5, fill: colour(paint) },
            }))],
            hooks: { setCursor: [() => this.showFigures()] },
        };
    }

    digits(values) {
        const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 1;
        return [0, 1, 2, 3].find((digits) => Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6) ?? 4;
    }

    data() {
        const { curves, tab } = this;
        return curves && curves.days.length > 0 ? tab.data(curves) : [[], ...tab.series.map(() => [])];
    }

    update(curves) {
        this.curves = curves;
        this.plot.setData(this.data());
        this.showFigures();
    }

    resize() {
        const { width, height } = this.size();
        if (this.plot && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
    }

    size() {
        const { clientWidth, clientHeight } = this.host;
        return { width: Math.max(LEAST.width, clientWidth), height: Math.max(LEAST.height, Math.min(MOST_HEIGHT, clientHeight)) };
    }

    /** The figures under the pointer, otherwise the last ones. */
    showFigures() {
        const { plot, tab } = this;
        if (!plot) return;
        const [xs, ...rows] = plot.data;
        const figures = byId('curve-figures');
        if (xs.length === 0) {
            figures.replaceChildren('The first point comes after a day of training.');
            return;
        }
        const at = plot.cursor.idx ?? xs.length - 1;
        const x = tab.hours ? clock(xs[at]) : `day ${xs[at]}`;
        const shown = tab.series.map(([label, paint], i) => element('span', {}, [
            element('span', { class: `swatch line ${paint}` }), ` ${label} `, element('strong', { text: fixed(rows[i][at] ?? NaN, 3) }),
        ]));
        figures.replaceChildren(`${x}: `, ...shown, ...this.gain(rows, at));
    }

    gain(rows, at) {
        if (rows.length < 3) return [];
        const gain = rows[2][at] - rows[0][at];
        return Number.isFinite(gain) ? [element('span', {}, ['learned less defaults ', element('strong', { text: signed(gain, 3) })])] : [];
    }
}
