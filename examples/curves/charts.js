/** Lines as SVG, by Observable Plot. A picture has no background and takes its text colour from the reader's scheme, light or dark. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const SCHEME = '<style>svg{color:#333}@media(prefers-color-scheme:dark){svg{color:#ddd}}</style>';

const [HEIGHT, RIGHT, LINE_HEIGHT] = [340, 110, 15];

/** Shorter paths: a tenth of a pixel is enough. */
const rounded = (svg) => svg.replace(/ d="[^"]*"/g, (path) => path.replace(/\d+\.\d{2,}/g, (digits) => String(Math.round(digits * 10) / 10)));

/** The names of the lines at their right ends, pushed apart where they would overlap. */
function labels(svg, points) {
    const [x, y, color] = ['x', 'y', 'color'].map((name) => svg.scale(name));
    const ends = new Map(points.map((point) => [point.line, point]));
    const placed = [...ends.values()].map((end) => ({ ...end, top: Math.max(y.apply(end.y), LINE_HEIGHT) })).sort((a, b) => a.top - b.top);
    placed.forEach((label, i) => { label.top = Math.max(label.top, i === 0 ? 0 : placed[i - 1].top + LINE_HEIGHT); });
    const over = Math.max(0, placed.at(-1).top - (HEIGHT - 40));
    return placed.map(({ line, x: at, top }) => `<text text-anchor="start" x="${Math.round(x.apply(at)) + 6}" y="${Math.round(top - over) + 4}" fill="${color.apply(line)}">${line}</text>`).join('');
}

/**
 * @param {object} chart
 * @param {import('./experiments.js').Point[]} chart.points
 * @param {string} chart.x label of the horizontal axis
 * @param {string} chart.y label of the vertical axis
 * @param {object} [chart.yScale] more about the vertical axis, as Plot takes it
 * @param {number[]} [chart.rules] values to mark by a dotted line
 * @returns {string} the picture
 */
export function drawLines({ points, x, y, yScale = {}, rules = [] }) {
    const { document } = parseHTML('<html><body></body></html>');
    const svg = Plot.plot({
        document,
        width: 680,
        height: HEIGHT,
        marginRight: RIGHT,
        style: { fontSize: '12px', background: 'none' },
        x: { label: x, nice: true },
        y: { label: y, grid: true, ...yScale },
        color: { domain: [...new Set(points.map(({ line }) => line))], scheme: 'observable10' },
        marks: [
            Plot.ruleY(rules, { strokeDasharray: '2 4', strokeOpacity: 0.6 }),
            Plot.line(points, { x: 'x', y: 'y', stroke: 'line', strokeWidth: 1.8, clip: true }),
        ],
    });
    svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    return rounded(svg.outerHTML.replace(/(<svg[^>]*>)/, `$1${SCHEME}`).replace('</svg>', `${labels(svg, points)}</svg>`)).replace(/plot-clip-\d+/g, 'clip');
}
