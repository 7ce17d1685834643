/** Numbers and names for people. */
import { PAGE_BYTES } from './facts.js';

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** A minus sign as wide as a plus. */
const minus = (text) => text.replace('-', '−');

export const integer = (value) => minus(plain.format(value));
export const short = (value) => minus(compact.format(value));
export const fixed = (value, digits) => (Number.isFinite(value) ? minus(value.toFixed(digits)) : '–');
export const signed = (value, digits) => (value > 0 ? '+' : '') + fixed(value, digits);
export const percent = (value, digits = 0) => `${fixed(value * 100, digits)}\u202f%`;

/** Three significant digits of anything. */
export function figure(value) {
    if (!Number.isFinite(value)) return '–';
    const size = Math.abs(value);
    return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3);
}

export function bytes(value) {
    if (value < 1024) return `${integer(value)} B`;
    if (value < 2 ** 20) return `${fixed(value / 1024, value < 10240 ? 1 : 0)} KiB`;
    return `${fixed(value / 2 ** 20, value % 2 ** 20 === 0 ? 0 : 2)} MiB`;
}

export const pages = (value) => `${integer(value)} ${value === 1 ? 'page' : 'pages'} (${bytes(value * PAGE_BYTES)})`;

/** 13.5 -> 13:30 */
export const clock = (hour) => `${String(Math.floor(hour)).padStart(2, '0')}:${String(Math.round((hour % 1) * 60)).padStart(2, '0')}`;

export const nanoseconds = (value) => (value >= 1e4 ? [fixed(value / 1000, 1), 'µs'] : [integer(value), 'ns']);

export const capital = (text) => text[0].toUpperCase() + text.slice(1);
