/** Making and changing elements; no HTML is ever parsed. */

/** `element('td', { class: 'number', text: '3' }, children)`; attributes that are null are left out. */
export function element(tag, { text, ...attributes } = {}, children = []) {
    const made = tag === 'svg' || SVG.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value != null) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
}

const SVG = new Set(['rect', 'line']);

export const byId = (id) => document.getElementById(id);

/** Changes a text only where it differs, so that nothing selected or read aloud is disturbed. */
export function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

/** A bar from a zero, for values of low..high. */
export function bar(value, low, high, title) {
    const at = (v) => (100 * (Math.min(high, Math.max(low, v)) - low)) / (high - low || 1);
    const [zero, end] = [at(Math.max(low, Math.min(0, high))), at(value)];
    const svg = element('svg', { class: 'bar', viewBox: '0 0 100 12', preserveAspectRatio: 'none', role: 'img', 'aria-label': title }, [
        element('rect', { class: 'track', width: 100, height: 12, rx: 2 }),
        element('rect', { class: `value${value < 0 ? ' below' : ''}`, x: Math.min(zero, end), y: 2, width: Math.abs(end - zero), height: 8 }),
    ]);
    if (low < 0) svg.append(element('line', { x1: zero, x2: zero, y1: 0, y2: 12, 'vector-effect': 'non-scaling-stroke' }));
    return svg;
}
