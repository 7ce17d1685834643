/**
 * What every case works on: the shape of the problem, its seeded data, and agents that have learned.
 *
 * 64 floats in 0..1, each cut into 8 cells, so that 4096 random states are 4096 different ones; 16 actions. States are visited
 * in another order than they were first seen, so that neither side walks its table in the order of memory.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createRuntimeSync } from 'qhive';

export const SEED = 1;
export const SHAPE = { dims: 64, bins: 8, states: 4096, actions: 16 };
export const AGENTS = 593;
/** States that the calls of one round walk over; the next round takes the next ones. As many as stay in the caches near the processor. */
export const WINDOW = 256;
/** Different observations that each agent of a batch meets in turn. */
export const FRAMES = 8;
export const LEARNING = { epsilon: 0.1, learningRate: 0.1, discount: 0.95 };

/** New copies of modules: their functions are optimised for what one comparison gives them, and for nothing else. */
let copies = 0;
const loadModule = (name) => import(`./baselines/${name}.js?copy=${++copies}`);
export const loadLoops = () => import(`./loops.js?copy=${++copies}`);

export const baselineOptions = (seed = SEED) => ({ ...SHAPE, ...LEARNING, seed });

/** A maker of baselines, by seed: `flat`, `map`, or `map:` and the name of its join. */
export async function loadBaseline(name) {
    const [file, join] = name.split(':');
    const { FlatAgent, MapAgent } = await loadModule(file);
    const Agent = FlatAgent ?? MapAgent;
    return (seed) => new Agent({ ...baselineOptions(seed), join });
}

/** Uniform numbers in [0, 1): xorshift32. */
export function createRandom(seed = SEED) {
    let x = seed | 0 || 1;
    return () => {
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        return (x >>> 0) * 2 ** -32;
    };
}

function shuffle(items, random) {
    for (let i = items.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
}

/** States as Float32Arrays in the order of first visits, and in that of the measurement; a reward and an action for each. */
export function createTransitions(count = SHAPE.states) {
    const random = createRandom();
    const states = Array.from({ length: count }, () => Float32Array.from({ length: SHAPE.dims }, random));
    return {
        states,
        walk: shuffle([...states], random),
        actions: Uint8Array.from({ length: count }, () => random() * SHAPE.actions),
        rewards: Float32Array.from({ length: count }, random),
    };
}

/**
 * States of which each is the one before but for a single float: `places[i]` is the dimension that takes `values[i]`. The three first
 * dimensions change at random; `states` has all that can come, and random others.
 */
export function createDrift(length) {
    const random = createRandom(SEED + 3);
    const { states } = createTransitions();
    const cells = SHAPE.bins ** 3;
    const middle = (cell) => (cell + 0.5) / SHAPE.bins;
    for (let i = 0; i < cells; i++) {
        states[i] = states[cells].slice();
        for (let place = 0; place < 3; place++) states[i][place] = middle(Math.floor(i / SHAPE.bins ** place) % SHAPE.bins);
    }
    return {
        states,
        first: states[0],
        places: Uint8Array.from({ length }, () => random() * 3),
        values: Float32Array.from({ length }, () => middle(Math.floor(random() * SHAPE.bins))),
    };
}

/** Learns every action of every state once, from random rewards: full rows, and no two values alike. */
export function fill(agent, states) {
    const random = createRandom(SEED + 1);
    for (let action = 0; action < SHAPE.actions; action++)
        for (let i = 0; i < states.length; i++) agent.learn(states[i], action, random(), states[(i + 1) % states.length]);
    return agent;
}

/** @param {object} options `wasm`: the bytes of another module than the package's own; more options of the runtime */
export function createRuntime({ wasm, ...options } = {}) {
    return createRuntimeSync({ seed: SEED, ...(wasm && { wasm }), ...options });
}

/**
 * One runtime for all calls of single agents, as a program has one. V8 inlines its calls into the module while they have met one
 * instance of it; a second runtime in the process costs each call 10 to 40 ns.
 */
let shared;

export function sharedRuntime(options = {}) {
    shared ??= { runtime: createRuntime(options), options: { ...options } };
    const names = new Set([...Object.keys(options), ...Object.keys(shared.options)]);
    const other = [...names].filter((name) => options[name] !== shared.options[name]);
    if (other.length > 0) throw new Error(`the shared runtime was made with another ${other.join(', ')}`);
    return shared.runtime;
}

/** The path of a file that the package exports. */
export const packageFile = (name) => createRequire(import.meta.url).resolve(name);

/** The bytes of the module that is measured. */
export const moduleBytes = ({ wasm } = {}) => wasm ?? readFileSync(packageFile('qhive/qhive.wasm'));

export const agentConfig = (more) => ({
    actions: SHAPE.actions,
    encoder: { kind: 'bins', dims: Array.from({ length: SHAPE.dims }, () => ({ min: 0, max: 1, bins: SHAPE.bins })) },
    algorithm: 'q-learning',
    learningRate: LEARNING.learningRate,
    discount: LEARNING.discount,
    policy: { kind: 'epsilon-greedy', epsilon: LEARNING.epsilon },
    ...more,
});

/** One frame: a row of observations and a reward for each agent. `rows[i]` is a view of the row of agent i. */
function createFrame(random) {
    const observations = Float32Array.from({ length: AGENTS * SHAPE.dims }, random);
    const rows = Array.from({ length: AGENTS }, (_, i) => observations.subarray(i * SHAPE.dims, (i + 1) * SHAPE.dims));
    return { observations, rows, rewards: Float32Array.from({ length: AGENTS }, random), endings: new Uint8Array(AGENTS) };
}

export function createFrames(count = FRAMES) {
    const random = createRandom(SEED + 2);
    return Array.from({ length: count }, () => createFrame(random));
}

/** 593 agents that know the states of all frames, and a batch of them for each frame with its rows in place. */
export function createCrew(runtime, frames) {
    const agents = Array.from({ length: AGENTS }, () => runtime.createAgent(agentConfig()));
    fillCrew(agents, frames);
    const batches = frames.map((frame) => {
        const batch = runtime.batch(agents);
        batch.observations.set(frame.observations);
        batch.rewards.set(frame.rewards);
        return batch;
    });
    batches[0].begin();
    return { agents, batches };
}

export function fillCrew(agents, frames) {
    agents.forEach((agent, i) => fill(agent, frames.map(({ rows }) => rows[i])));
    return agents;
}
