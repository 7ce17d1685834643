/**
 * The package against the plain reference of tests/reference, after random programs of begin, step, learn, replay
 * and act over random configurations with an index encoder: every action, every TD error and every bit of every
 * row must agree. A failing program is shrunk and printed with the seed that replays it.
 *
 * Softmax, UCB and prioritised replay use exp and log, which engines may round differently: not compared here.
 */

import fc from 'fast-check';
import { createRuntimeSync } from 'qhive';
import { createRuntimeSync as createReference } from '../reference/runtime.js';
import { report, testSeed } from './support.js';

const seed = testSeed(4901);
const STATES = 6;
const RUNS = 400;

const schedule = fc.oneof(
    fc.constantFrom(0.1, 0.3, 0.5, 1),
    fc.record({ start: fc.constantFrom(1, 0.5), end: fc.constantFrom(0.01, 0.1), decay: fc.constantFrom(0.9, 0.99) }),
);
const policy = fc.oneof(
    fc.constant({ kind: 'greedy' }),
    fc.record({ kind: fc.constant('epsilon-greedy'), epsilon: schedule }),
);

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
        encoder: fc.constant({ kind: 'index', states: STATES }),
        learningRate: fc.oneof(schedule, fc.constant('visits')),
        discount: fc.constantFrom(0, 0.5, 0.95, 1),
        policy,
        initialValue: fc.constantFrom(0, 1, 0.3, -2),
        planning: fc.constantFrom(0, 0, 3),
        replay: fc.constantFrom(undefined, { capacity: 1 }, { capacity: 20 }),
        tieBreak: fc.constantFrom('random', 'first'),
        name: fc.constantFrom(undefined, 'short', 'eight888', 'a longer name, naïve'),
    }),
)).map(([depth, rest]) => JSON.parse(JSON.stringify({ ...rest, ...depth })));

const state = fc.nat(STATES - 1);
const reward = fc.oneof(fc.constantFrom(0, 1, -1), fc.double({ min: -3, max: 3, noNaN: true }));
const ending = fc.constantFrom({}, {}, {}, {}, {}, { terminated: true }, { truncated: true });
const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('begin'), state }) },
    { weight: 30, arbitrary: fc.record({ kind: fc.constant('step'), state, reward, ending }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('learn'), state, action: fc.nat(999), reward, next: state, ending, nextAction: fc.option(fc.nat(999), { nil: undefined }) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('replay'), count: fc.nat(300) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('act'), state, greedy: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reset' }) },
);

/** Runs a program; what it returned, call by call, and all that was learned. */
function run(create, master, agentConfig, program) {
    const runtime = create({ seed: master });
    const agent = runtime.createAgent(agentConfig);
    let running = false;
    const within = (action) => (action === undefined ? undefined : action % agentConfig.actions);
    const answers = program.map((op) => {
        switch (op.kind) {
            case 'begin': running = true; return agent.begin(op.state);
            case 'step': {
                if (!running) return 'not running';
                running = !op.ending.terminated && !op.ending.truncated;
                return agent.step(op.reward, op.state, op.ending);
            }
            case 'learn': {
                const nextAction = within(op.nextAction);
                const options = nextAction === undefined ? op.ending : { ...op.ending, nextAction };
                return agent.learn(op.state, within(op.action), op.reward, op.next, options);
            }
            case 'replay': return agentConfig.replay ? agent.replay(op.count) : 0;
            case 'reset': running = false; return agent.reset();
            default: return agent.act(op.state, { greedy: op.greedy });
        }
    });
    const rows = Array.from({ length: STATES }, (_, s) => ({
        q: Array.from(new Uint32Array(Float32Array.from(agent.qValues(s)).buffer)),
        visits: Array.from(agent.visits(s)),
    }));
    runtime.dispose();
    return { answers, rows };
}

test('every action, TD error and row agrees to the last bit', () => {
    report(`${RUNS} random programs against the reference, seed ${seed}`);
    fc.assert(
        fc.property(fc.nat(), config, fc.array(operation, { minLength: 1, maxLength: 150 }), (master, agentConfig, program) => {
            expect(run(createRuntimeSync, master, agentConfig, program)).toEqual(run(createReference, master, agentConfig, program));
        }),
        { seed, numRuns: RUNS },
    );
});
