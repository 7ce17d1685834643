/**
 * The package against the plain reference of tests/reference, after random programs of begin, step, learn, replay, act and
 * explain, singly and in batches, over random configurations: every action, every TD error, every probability, every
 * remembered transition and every bit of every row must agree. A failing program is shrunk and printed with the seed that
 * replays it.
 *
 * Softmax, UCB and prioritised replay agree to the last bit as well: the reference has its own exp and log.
 */

import fc from 'fast-check';
import { createRuntimeSync } from 'qhive';
import { createRuntimeSync as createReference } from '../reference/runtime.js';
import { report, testSeed } from './support.js';

const seed = testSeed(4901);
const STATES = 6;
const RUNS = Number(process.env.QHIVE_TEST_RUNS ?? 300);

const schedule = fc.oneof(
    fc.constantFrom(0.1, 0.3, 0.5, 1),
    fc.record({ start: fc.constantFrom(1, 0.5), end: fc.constantFrom(0.01, 0.1), decay: fc.constantFrom(0.9, 0.99) }),
);
const policy = fc.oneof(
    fc.constant({ kind: 'greedy' }),
    fc.record({ kind: fc.constant('epsilon-greedy'), epsilon: schedule }),
    fc.record({ kind: fc.constant('softmax'), temperature: fc.oneof(fc.constantFrom(0.05, 1, 20), schedule) }),
    fc.record({ kind: fc.constant('ucb'), c: fc.constantFrom(0, 0.5, 2) }),
);
const replay = fc.record({
    capacity: fc.constantFrom(1, 7, 20),
    kind: fc.constantFrom('uniform', 'prioritized'),
    record: fc.constantFrom('compact', 'full'),
    alpha: fc.constantFrom(0, 0.6, 1),
    beta: fc.constantFrom(0, 0.4, 1),
});

/** States as an index, or as the middles of cells: the package has a path of its own for the latter. */
const grid = { kind: 'bins', dims: [{ min: 0, max: 3, bins: 3 }, { min: 0, max: 2, bins: 2 }] };
const encoder = fc.constantFrom({ kind: 'index', states: STATES }, grid);
const observe = (kind, state) => (kind === 'index' ? state : [(state % 3) + 0.5, Math.floor(state / 3) + 0.5]);

/** One step, n steps or traces: which of them a rule allows. */
const depthOf = (algorithm) => fc.oneof(
    fc.constant({}),
    fc.record({ nStep: fc.constantFrom(2, 3, 5) }),
    algorithm === 'double-q' ? fc.constant({}) : fc.record({ lambda: fc.constantFrom(0.3, 0.9, 1) }),
);

const config = fc.constantFrom('q-learning', 'sarsa', 'expected-sarsa', 'double-q').chain((algorithm) => fc.tuple(
    depthOf(algorithm),
    fc.record({
        algorithm: fc.constant(algorithm),
        actions: fc.constantFrom(1, 2, 3, 4, 7, 16, 33, 70),
        encoder,
        learningRate: fc.oneof(schedule, fc.constant('visits')),
        discount: fc.constantFrom(0, 0.5, 0.95, 1),
        policy,
        initialValue: fc.constantFrom(0, 1, 0.3, -2),
        planning: fc.constantFrom(0, 0, 3),
        replay: fc.option(replay, { nil: undefined }),
        propensities: fc.constantFrom(undefined, true, false),
        tieBreak: fc.constantFrom('random', 'first'),
        name: fc.constantFrom(undefined, 'short', 'eight888', 'a longer name, naïve'),
    }),
)).map(([depth, rest]) => JSON.parse(JSON.stringify({ ...rest, ...depth })));

const state = fc.nat(STATES - 1);
const reward = fc.oneof(fc.constantFrom(0, 1, -1), fc.float({ min: -3, max: 3, noNaN: true }));
const ending = fc.constantFrom(...new Array(18).fill({}), { terminated: true }, { truncated: true });
const mask = fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 70 }), { nil: undefined });
const probability = fc.constantFrom(undefined, undefined, 0.25, 1 / 3);
const inBatch = fc.boolean();
const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('begin'), state, inBatch }) },
    { weight: 30, arbitrary: fc.record({ kind: fc.constant('step'), state, reward, ending, inBatch }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('learn'), state, action: fc.nat(999), reward, next: state, ending, nextAction: fc.option(fc.nat(999), { nil: undefined }), probability }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('replay'), count: fc.nat(300) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('act'), state, greedy: fc.boolean(), mask, inBatch }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('explain'), state, mask }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reset' }) },
);

const bitsOf = (values) => Array.from(new Uint32Array(Float32Array.from(values).buffer));

/** A mask of the right length from whatever booleans, the first action allowed if none is. */
function maskOf(flags, actions) {
    if (flags === undefined) return undefined;
    const cut = Array.from({ length: actions }, (_, i) => (flags[i % flags.length] ? 1 : 0));
    if (!cut.includes(1)) cut[0] = 1;
    return cut;
}

/** The calls of a program on one agent. */
class Player {
    constructor(runtime, config) {
        this.config = config;
        this.agent = runtime.createAgent(config);
        this.batch = runtime.batch([this.agent]);
        this.running = false;
    }

    observe(to) {
        return observe(this.config.encoder.kind, to);
    }

    /** One call through the batch. */
    inBatch(method, to, options) {
        const { batch } = this;
        const observation = this.observe(to);
        if (typeof observation === 'number') batch.observations[0] = observation;
        else batch.observations.set(observation);
        batch[method](options);
        return batch.actions[0];
    }

    begin({ state: to, inBatch: batched }) {
        this.running = true;
        return batched ? this.inBatch('begin', to) : this.agent.begin(this.observe(to));
    }

    step({ state: to, reward: paid, ending: end, inBatch: batched }) {
        if (!this.running) return this.begin({ state: to, inBatch: batched });
        this.running = !end.terminated && !end.truncated;
        if (!batched) return this.agent.step(paid, this.observe(to), end);
        this.batch.rewards[0] = paid;
        this.batch.endings[0] = end.terminated ? 1 : end.truncated ? 2 : 0;
        return this.inBatch('step', to);
    }

    learn({ state: from, action, reward: paid, next, ending: end, nextAction, probability: chance }) {
        const options = { ...end };
        if (nextAction !== undefined) options.nextAction = nextAction % this.config.actions;
        if (chance !== undefined) options.probability = chance;
        return this.agent.learn(this.observe(from), action % this.config.actions, paid, this.observe(next), options);
    }

    replay({ count }) {
        return this.config.replay ? this.agent.replay(count) : 0;
    }

    act({ state: to, greedy, mask: flags, inBatch: batched }) {
        const allowed = maskOf(flags, this.config.actions);
        if (batched && !allowed) return this.inBatch('act', to, { greedy });
        return this.agent.act(this.observe(to), { greedy, ...(allowed ? { mask: allowed } : {}) });
    }

    explain({ state: to, mask: flags }) {
        const allowed = maskOf(flags, this.config.actions);
        return bitsOf(this.agent.explain(this.observe(to), 0, allowed ? { mask: allowed } : {}).probability);
    }

    reset() {
        this.running = false;
        return this.agent.reset();
    }

    /** What is known of the last choice, where that is kept. */
    lastProbability() {
        const { propensities, replay: memory } = this.config;
        return (propensities ?? memory !== undefined) ? this.agent.lastProbability : 'not kept';
    }

    /** Every bit of every row, and what is remembered. */
    learned() {
        const rows = Array.from({ length: STATES }, (_, i) => ({
            q: bitsOf(this.agent.qValues(this.observe(i))),
            visits: Array.from(this.agent.visits(this.observe(i))),
        }));
        const { actions, nextActions, rewards, endings, propensities, observations, nextObservations } = this.agent.transitions();
        const kept = this.config.propensities !== false;
        const full = this.config.replay?.record === 'full';
        return {
            rows,
            memory: { actions, nextActions, rewards, endings },
            propensities: kept ? Array.from(propensities ?? actions, (p) => (propensities ? p : NaN)) : [],
            states: full ? [observations, nextObservations].map((list) => list.map((o) => (typeof o === 'number' ? o : Array.from(o)))) : [],
        };
    }
}

/** Runs a program; what it returned, call by call, and all that was learned. */
function run(create, master, agentConfig, program) {
    const runtime = create({ seed: master });
    const player = new Player(runtime, agentConfig);
    const answers = program.map((op) => [player[op.kind](op), player.lastProbability()]);
    const result = { answers, ...player.learned() };
    runtime.dispose();
    return result;
}

test('every action, TD error, probability, memory and row agrees to the last bit', () => {
    report(`${RUNS} random programs against the reference, seed ${seed}`);
    fc.assert(
        fc.property(fc.nat(), config, fc.array(operation, { minLength: 1, maxLength: 150, size: 'max' }), (master, agentConfig, program) => {
            expect(run(createRuntimeSync, master, agentConfig, program)).toEqual(run(createReference, master, agentConfig, program));
        }),
        { seed, numRuns: RUNS },
    );
});
