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

/** Runs `steps` batch steps; returns the hash of all tables, 16 hexadecimal digits. */
export function run(createRuntimeSync, steps, options = {}) {
    const runtime = createRuntimeSync({ seed: 20261122, maxPages: 1024, ...options });
    const agents = [];
    for (let i = 0; i < AGENTS; i++) agents.push(runtime.createAgent(configOf(i)));
    const batch = runtime.batch(agents);
    const places = new Int32Array(AGENTS);
    observe(batch.observations, places, 0);
    batch.begin();
    for (let step = 1; step <= steps; step++) {
        live(batch, places, step);
        batch.step();
        if (step % REPLAY_EVERY === 0) for (const agent of agents) agent.replay(8);
    }
    const hash = runtime.hash();
    runtime.dispose();
    return hash;
}

function observe(observations, places, step) {
    for (let i = 0; i < AGENTS; i++) {
        const row = i * 64;
        observations[row] = places[i];
        observations[row + 1] = (places[i] * 7 + step) % 13;
        observations[row + 2] = ((places[i] + i) % 9) - 4;
        observations[row + 3] = 0.5;
    }
}

/** An action moves an agent along a ring of 17 places; place 0 ends its episode, step 50 of each hundred truncates all others. */
function live(batch, places, step) {
    const { observations, rewards, endings, actions } = batch;
    for (let i = 0; i < AGENTS; i++) {
        if (actions[i] < 0) {
            places[i] = 1 + ((i + step) % 16);
            rewards[i] = 0;
            endings[i] = 0;
            continue;
        }
        places[i] = (places[i] + actions[i] * 3 + 1 + (step % 3)) % 17;
        rewards[i] = (((places[i] * 5 + i) % 11) - 5) / 8;
        endings[i] = places[i] === 0 ? 1 : step % 100 === 50 ? 2 : 0;
    }
    observe(observations, places, step);
}
