/** The table that is printed, and the same as JSON. */
import { reached } from './targets.js';

const digits = (value) => (value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 4);
const number = (value) => value.toFixed(digits(Math.abs(value)));

/** Nanoseconds in the unit that reads best. */
function duration(nanoseconds) {
    if (nanoseconds < 1e4) return `${number(nanoseconds)} ns`;
    return nanoseconds < 1e7 ? `${number(nanoseconds / 1e3)} us` : `${number(nanoseconds / 1e6)} ms`;
}

function targetOf({ target, unit }) {
    if (target === undefined) return '';
    const limits = [target.atLeast !== undefined && `>= ${target.atLeast}`, target.atMost !== undefined && `<= ${target.atMost}`];
    return `${limits.filter(Boolean).join(', ')} ${unit}`;
}

const verdictOf = (figure) => ({ true: 'reached', false: 'MISSED', undefined: '' })[reached(figure)];
const quartilesOf = ({ low, high }) => (low === undefined ? '' : `${number(low)} .. ${number(high)}`);

/** What a plain figure is made of. */
function detailOf({ nanoseconds, bytes }) {
    if (nanoseconds) return `median ${duration(nanoseconds.median)}, slowest ${duration(nanoseconds.slowest)}`;
    return bytes ? `${bytes.live} of ${bytes.bare} bytes` : '';
}

function rowOf(figure) {
    const { what, value, unit, against, nanoseconds } = figure;
    const ends = [quartilesOf(figure), targetOf(figure), verdictOf(figure)];
    if (against === undefined) return [what, detailOf(figure), '', `${number(value)} ${unit}`, ...ends];
    return [what, duration(nanoseconds.qhive), `${against} ${duration(nanoseconds.baseline)}`, `${number(value)} ${unit}`, ...ends];
}

const HEAD = ['', 'qhive', 'against', 'value', 'quartiles', 'target', ''];
const RIGHT = new Set([3]);

/** Lines of a table as wide as its widest cells. @param {object[]} figures */
export function table(figures) {
    const rows = [HEAD, ...figures.map(rowOf)];
    const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    const line = (row) => row.map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ').trimEnd();
    return [line(rows[0]), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join('\n');
}

/** One sentence on the targets of these figures. */
export function summary(figures) {
    const verdicts = figures.map(reached).filter((verdict) => verdict !== undefined);
    const missed = figures.filter((figure) => reached(figure) === false).map(({ id }) => id);
    const count = `${verdicts.length - missed.length} of ${verdicts.length} targets reached`;
    return missed.length === 0 ? count : `${count}; missed: ${missed.join(', ')}`;
}

/** Figures as data, each with its verdict. */
export const data = (figures) => figures.map((figure) => ({ ...figure, ...(figure.target && { reached: reached(figure) }) }));
