/**
 * Colours of the canvases. They are the page's CSS variables, read again when the scheme changes, so a canvas is dark
 * exactly when the page is. The scales rise in lightness, and the two-sided one is blue against orange: both are told
 * apart without red and green.
 */
const STEPS = 64;
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set();
let cache = new Map();

dark.addEventListener('change', () => {
    cache = new Map();
    for (const listener of listeners) listener();
});

/** Calls back when colours have changed. */
export const onTheme = (listener) => void listeners.add(listener);

export const motionless = matchMedia('(prefers-reduced-motion: reduce)');

/** Value of a CSS variable. */
export function colour(name) {
    if (!cache.has(name)) cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
    return cache.get(name);
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** STEPS colours through some variables. */
function ramp(names) {
    const key = names.join();
    if (cache.has(key)) return cache.get(key);
    const stops = names.map((name) => channels(colour(name)));
    const table = Array.from({ length: STEPS }, (_, i) => {
        const at = (i / (STEPS - 1)) * (stops.length - 1);
        const k = Math.min(Math.floor(at), stops.length - 2);
        const mix = stops[k].map((from, c) => Math.round(from + (stops[k + 1][c] - from) * (at - k)));
        return `rgb(${mix.join()})`;
    });
    cache.set(key, table);
    return table;
}

const SCALES = {
    load: ['load-0', 'load-1', 'load-2', 'load-3'],
    sequential: ['seq-0', 'seq-1', 'seq-2', 'seq-3', 'seq-4'],
    diverging: ['div-low', 'div-mid', 'div-high'],
};

/** A function from 0..1 to a colour. */
export function scale(name) {
    const table = ramp(SCALES[name]);
    return (share) => table[Math.max(0, Math.min(STEPS - 1, Math.round(share * (STEPS - 1)) || 0))];
}
