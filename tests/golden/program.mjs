/**
 * The golden program: 593 agents of every kind live in a world of integers for a number of batch steps; the hash of all
 * their tables is the same in every build and engine. golden.c is the same program against the C library.
 *
 * The world uses additions and multiplications of small integers only, so that nothing in it can differ between
 * languages: every observation and reward is an integer or a multiple of 1/8.
 */
export const AGENTS = 593;

/** Batch steps after which every agent learns again from what it remembers. */
const REPLAY_EVERY = 250;

/** The batch steps the tests run; `npm test` compares builds and engines after so many. */
export const STEPS = 100_000;

/** Their hash. It changes only with the meaning of a row: a new rule for keys, rounding, draws or layout. */
export const GOLDEN = 'bf4164770c3ef8b9';

const dims = (bins, trend) => [
    { min: 0, max: 17, bins },
    { min: 0, max: 13, bins: 4, ...(trend ? { trend } : {}) },
    { min: -4, max: 4, bins: 3 },
    { min: 0, max: 1, bins: 0 },
];

/** The configuration of agent `i`: most are plain Q-learners, ten of every 64 show the other encoders, rules, policies, schedules and memories. */
export function configOf(i) {
    const common = { name: `agent-${i}`, actions: 4, learningRate: 0.25, discount: 0.875 };
    switch (i % 64) {
        case 9: return { ...common, encoder: { kind: 'index', states: 17 }, algorithm: 'double-q', policy: { kind: 'ucb', c: 1 } };
        case 10: return { ...common, encoder: { kind: 'bins', dims: dims(17, 0.25) }, algorithm: 'sarsa' };
        case 11: return { ...common, encoder: { kind: 'bins', dims: dims(17) }, algorithm: 'expected-sarsa', policy: { kind: 'softmax', temperature: 0.5 } };
        case 12: return { ...common, encoder: { kind: 'tiles', dims: dims(4).slice(0, 2), tilings: 4 }, lambda: 0.75 };
        case 13: return { ...common, encoder: { kind: 'index', states: 17 }, algorithm: 'sarsa', nStep: 3 };
        case 14: return { ...common, encoder: { kind: 'simhash', dims: dims(17), bits: 12 }, learningRate: 'visits', initialValue: 1 };
        case 15: return { ...common, encoder: { kind: 'index', states: 17 }, planning: 2, replay: { capacity: 64 } };
        case 16: return { ...common, encoder: { kind: 'index', states: 17 }, algorithm: 'double-q', policy: { kind: 'softmax', temperature: { start: 2, end: 0.125, decay: 0.9995 } } };
        case 17: return { ...common, encoder: { kind: 'bins', dims: dims(17, 0.25) }, learningRate: { start: 1, end: 0.0625, decay: 0.999 }, replay: { capacity: 100, kind: 'prioritized', record: 'full' } };
        case 18: return { ...common, encoder: { kind: 'tiles', dims: dims(4).slice(0, 2), tilings: 4 }, algorithm: 'expected-sarsa', policy: { kind: 'ucb', c: 0.5 }, replay: { capacity: 50, kind: 'prioritized', alpha: 0.5, beta: 1 } };
        default: return { ...common, encoder: { kind: 'bins', dims: dims(17) }, policy: { kind: 'epsilon-greedy', epsilon: { start: 1, end: 0.0625, decay: 0.999 } } };
    }
}

/** Makes the agents in a runtime, in order. */
export function populate(runtime) {
    return Array.from({ length: AGENTS }, (_, i) => runtime.createAgent(configOf(i)));
}

/** The options of the program's runtime. */
export const OPTIONS = { seed: 20261122, maxPages: 1024 };

/** Runs `steps` batch steps; returns the hash of all tables, 16 hexadecimal digits. */
export function run(createRuntimeSync, steps, options = {}) {
    const runtime = createRuntimeSync({ ...OPTIONS, ...options });
    livePart(runtime, populate(runtime), 0, 1, steps);
    const hash = runtime.hash();
    runtime.dispose();
    return hash;
}

/** Lives `steps` steps with those of the agents whose number is `first` plus a multiple of `stride`: what each learns depends on no other. */
export function livePart(runtime, agents, first, stride, steps) {
    const numbers = Int32Array.from({ length: Math.ceil((AGENTS - first) / stride) }, (_, k) => first + k * stride);
    const part = Array.from(numbers, (number) => agents[number]);
    const batch = runtime.batch(part);
    const places = new Int32Array(part.length);
    observe(batch.observations, numbers, places, 0);
    batch.begin();
    for (let step = 1; step <= steps; step++) {
        live(batch, numbers, places, step);
        batch.step();
        if (step % REPLAY_EVERY === 0) for (const agent of part) agent.replay(8);
    }
    batch.free();
}

function observe(observations, numbers, places, step) {
    for (let k = 0; k < places.length; k++) {
        const row = k * 64;
        observations[row] = places[k];
        observations[row + 1] = (places[k] * 7 + step) % 13;
        observations[row + 2] = ((places[k] + numbers[k]) % 9) - 4;
        observations[row + 3] = 0.5;
    }
}

/** An action moves an agent along a ring of 17 places; place 0 ends its episode, step 50 of each hundred truncates all others. */
function live(batch, numbers, places, step) {
    const { observations, rewards, endings, actions } = batch;
    for (let k = 0; k < places.length; k++) {
        const i = numbers[k];
        if (actions[k] < 0) {
            places[k] = 1 + ((i + step) % 16);
            rewards[k] = 0;
            endings[k] = 0;
            continue;
        }
        places[k] = (places[k] + actions[k] * 3 + 1 + (step % 3)) % 17;
        rewards[k] = (((places[k] * 5 + i) % 11) - 5) / 8;
        endings[k] = places[k] === 0 ? 1 : step % 100 === 50 ? 2 : 0;
    }
    observe(observations, numbers, places, step);
}
