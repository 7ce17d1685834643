/**
 * A small life of a runtime for `qhive memory`: agents of five kinds learn from random walks; halfway a fifth of them is freed
 * and younger, larger ones take their place, so that the heap has something to show. The same options give the same bytes.
 */
/** @typedef {import('../../types/qhive.js').AgentConfig} AgentConfig */

const dims = (/** @type {number} */ count, /** @type {number} */ bins) => Array.from({ length: count }, () => ({ min: 0, max: 1, bins }));

/** @type {[string, AgentConfig][]} */
const KINDS = [
    ['load', { actions: 9, encoder: { kind: 'bins', dims: dims(3, 6) } }],
    ['handover', { actions: 7, encoder: { kind: 'bins', dims: dims(4, 5) }, replay: { capacity: 120 } }],
    ['energy', { actions: 3, encoder: { kind: 'index', states: 288 }, algorithm: 'double-q', nStep: 4 }],
    ['antenna', { actions: 5, encoder: { kind: 'tiles', dims: dims(2, 4), tilings: 8 }, lambda: 0.7, algorithm: 'sarsa' }],
    ['anomaly', { actions: 2, encoder: { kind: 'simhash', dims: dims(8, 0), bits: 10 }, replay: { capacity: 200, kind: 'prioritized' } }],
];

/** Numbers 0..1 from a linear congruential generator (Numerical Recipes). @param {number} seed */
function generator(seed) {
    let state = seed >>> 0;
    return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** @param {import('../../types/qhive.js').Agent} agent @param {number} steps @param {() => number} random */
function learn(agent, steps, random) {
    const { encoder } = agent.config;
    const place = Array.from({ length: encoder.kind === 'index' ? 1 : encoder.dims.length }, random);
    const observe = () => (encoder.kind === 'index' ? Math.floor(place[0] * encoder.states) : place);
    let action = agent.begin(observe());
    for (let step = 0; step < steps; step++) {
        for (let i = 0; i < place.length; i++) place[i] = Math.min(0.999, Math.max(0, place[i] + (random() - 0.5) * 0.3));
        const terminated = random() < 0.01;
        action = agent.step(place[0] - action * 0.1, observe(), { terminated });
        if (terminated) action = agent.begin(observe());
    }
}

/** @param {{ agents: number, steps: number, seed: number, 'max-pages': number }} options */
export async function live({ agents, steps, seed, 'max-pages': maxPages }) {
    const { createRuntimeSync } = await import('qhive'); // not before it is needed: help and wrong usage answer at once
    const pools = { state: agents, trajectory: Math.ceil(agents / 2), message: 16 };
    const runtime = createRuntimeSync({ seed, maxPages, pools, trackAllocations: true });
    const random = generator(seed);
    const make = (/** @type {number} */ i, /** @type {string} */ age) => {
        const [name, config] = KINDS[i % KINDS.length];
        return runtime.createAgent({ ...config, name: `${name}-${age}${i}` });
    };
    const first = Array.from({ length: agents }, (_, i) => make(i, ''));
    for (const agent of first) learn(agent, steps, random);
    for (let i = 0; i < agents; i += 5) first[i].free();
    for (let i = 0; i < agents; i += 10) learn(make(i + 1, 'young-'), steps, random);
    if (runtime.agents.length > 0) runtime.batch();
    return runtime;
}
