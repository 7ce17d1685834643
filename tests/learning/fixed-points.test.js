/**
 * What each rule settles at, against dynamic programming: every transition of a model is shown in sweeps, so that nothing is
 * left to chance, until the values rest; then every action value of every state must be the exact one, to 1e-6.
 */

import { createRuntimeSync } from 'qhive';
import {
    actionValues, bestEpsilonSoft, blockingMaze, cliffWalking, createRandom, defineModel, dynaMaze, frozenLake, maze, taxi, valueIteration, windyGridworld,
} from '../environments/index.js';
import { indexed, report, testSeed } from './support.js';

const SEED = testSeed(4301);
const TOLERANCE = 1e-6;

/** `npm run soak:learning` adds what takes longer. */
const SOAK = process.env.QHIVE_SOAK !== undefined;
const MODELS = [
    [cliffWalking(), 1], [cliffWalking({ columns: 6 }), 1], [cliffWalking({ rows: 3, columns: 20 }), 0.99], [windyGridworld(), 1],
    [windyGridworld({ moves: 'king' }), 1], [dynaMaze(), 0.95], [blockingMaze({ changed: true }), 0.95],
    [maze('Corridors', ['S.#....', '.##.##.', '.#..#G.', '....##.']), 0.97],
    [frozenLake({ map: ['SFFFF', 'FFHFF', 'FFFFH', 'HFFFF', 'FFHFG'], slippery: false }), 0.9],
    ...(SOAK ? [[taxi(), 0.9]] : []),
];

let runtime;
beforeEach(() => { runtime = createRuntimeSync({ seed: SEED }); });
afterEach(() => runtime.dispose());

/** Calls `visit(state, action, outcome)` for every transition of a deterministic model. */
function forEachTransition(model, visit) {
    model.outcomes.forEach((list, index) => {
        if (list.length > 1) throw new Error(`${model.name} is not deterministic`);
        if (list.length === 1) visit(Math.floor(index / model.actions), index % model.actions, list[0]);
    });
}

/** One pass over all transitions; the largest |TD error|. `after(outcome)`: the action taken next. */
function sweep(agent, model, after) {
    let largest = 0;
    forEachTransition(model, (state, action, outcome) => {
        const { reward, next, terminated } = outcome;
        const ending = after && !terminated ? { terminated, nextAction: after(outcome) } : { terminated };
        largest = Math.max(largest, Math.abs(agent.learn(state, action, reward, next, ending)));
    });
    return largest;
}

/** Sweeps until nothing moves, or `most` times. */
function settle(agent, model, { most = 600, quiet = 1, after } = {}) {
    let still = 0;
    for (let i = 0; i < most && still < quiet; i += 1) still = sweep(agent, model, after) < 1e-7 ? still + 1 : 0;
}

/** Compares every action value with the exact one. */
function expectExact(agent, model, q, what) {
    let worst = 0;
    forEachTransition(model, (state, action) => {
        const exact = q[state * model.actions + action];
        worst = Math.max(worst, Math.abs(agent.qValues(state)[action] - exact) / Math.max(1, Math.abs(exact)));
    });
    report(`${model.name}, ${what}: worst relative error ${worst.toExponential(1)} (seed ${SEED})`);
    expect(worst).toBeLessThan(TOLERANCE);
}

const agentOf = (model, config) => runtime.createAgent(indexed(model, { learningRate: 1, ...config }));

describe.each(MODELS.map(([model, discount]) => [model.name, model, discount]))('%s', (_, model, discount) => {
    test('Q-learning, Double Q and greedy Expected SARSA settle at Q*', () => {
        const { q } = valueIteration(model, { discount });
        for (const [algorithm, quiet] of [['q-learning', 1], ['expected-sarsa', 1], ['double-q', 30]]) {
            const agent = agentOf(model, { algorithm, discount, policy: { kind: 'greedy' } });
            settle(agent, model, { quiet });
            expectExact(agent, model, q, algorithm);
        }
    });

    test('SARSA settles at the values of the policy that it is shown', () => {
        const shown = valueIteration(model, { discount: 0.9 }).policy;
        const values = new Float64Array(model.states);
        for (let i = 0; i < 400; i += 1)
            forEachTransition(model, (state, action, { reward, next, terminated }) => {
                if (action === shown[state]) values[state] = reward + (terminated ? 0 : 0.9 * values[next]);
            });
        const agent = agentOf(model, { algorithm: 'sarsa', discount: 0.9 });
        settle(agent, model, { after: ({ next }) => shown[next] });
        expectExact(agent, model, actionValues(model, values, 0.9), 'sarsa');
    });

    test('Expected SARSA settles at the best policy that explores with epsilon .2', () => {
        const { values } = bestEpsilonSoft(model, 0.2, { discount: 0.9 });
        const agent = agentOf(model, { algorithm: 'expected-sarsa', discount: 0.9, policy: { kind: 'epsilon-greedy', epsilon: 0.2 } });
        settle(agent, model);
        expectExact(agent, model, actionValues(model, values, 0.9), 'expected-sarsa, epsilon .2');
    });
});

/** The fixed point of a softmax policy: each state worth what its own preferences make of its action values. */
function softmaxValues(model, discount, temperature) {
    const values = new Float64Array(model.states);
    for (let i = 0; i < 800; i += 1) {
        const q = actionValues(model, values, discount);
        for (let state = 0; state < model.states; state += 1) {
            if (model.terminal.has(state)) continue;
            const row = Array.from(q.subarray(state * model.actions, (state + 1) * model.actions));
            const best = Math.max(...row);
            const weights = row.map((value) => Math.exp((value - best) / temperature));
            const total = weights.reduce((sum, weight) => sum + weight, 0);
            values[state] = row.reduce((sum, value, a) => sum + (value * weights[a]) / total, 0);
        }
    }
    return values;
}

test.each([0.05, 1])('Expected SARSA under softmax of temperature %d settles at its fixed point', (temperature) => {
    const model = windyGridworld();
    const agent = agentOf(model, { algorithm: 'expected-sarsa', discount: 0.8, policy: { kind: 'softmax', temperature } });
    settle(agent, model);
    expectExact(agent, model, actionValues(model, softmaxValues(model, 0.8, temperature), 0.8), `softmax ${temperature}`);
});

describe('learning without the world', () => {
    const model = dynaMaze();
    const { q } = valueIteration(model, { discount: 0.95 });

    test.each([['uniform', 'compact'], ['uniform', 'full'], ['prioritized', 'compact'], ['prioritized', 'full']])('%s replay of %s records', (kind, record) => {
        const agent = agentOf(model, { discount: 0.95, replay: { capacity: 300, kind, record, beta: 1 } });
        sweep(agent, model);
        for (let i = 0; i < 400 && agent.replay(1000) > 1e-9; i += 1);
        expectExact(agent, model, q, `${kind} replay, ${record}`);
    });

    test('planning', () => {
        const agent = agentOf(model, { discount: 0.95, planning: 5000 });
        sweep(agent, model);
        expectExact(agent, model, q, 'planning');
    });
});

/** Layers of states; each action leads to states of the next layer with probabilities that are multiples of 1/8. */
function layers(random, { depth = 6, width = 5, actions = 3 } = {}) {
    const end = depth * width;
    return defineModel({
        name: 'Random layers',
        states: end + 1,
        actions,
        starts: [[1, 0]],
        terminal: [end],
        outcomes: (state) => Array.from({ length: 8 }, () => {
            const layer = Math.floor(state / width) + 1;
            const next = layer === depth || random.below(10) === 0 ? end : layer * width + random.below(width);
            return { probability: 1 / 8, next, reward: random.below(9) - 4, terminated: next === end };
        }),
    });
}

test.each(['q-learning', 'expected-sarsa'])('%s with step size 1 / visits averages over chance exactly', (algorithm) => {
    for (let run = 0; run < 10; run += 1) {
        const model = layers(createRandom(SEED, run));
        const epsilon = algorithm === 'q-learning' ? 0 : 0.3;
        const values = epsilon ? bestEpsilonSoft(model, epsilon, { discount: 0.9 }).values : valueIteration(model, { discount: 0.9 }).values;
        const exact = actionValues(model, values, 0.9);
        const agent = agentOf(model, { algorithm, discount: 0.9, learningRate: 'visits', policy: { kind: 'epsilon-greedy', epsilon } });
        for (let index = exact.length - 1; index >= 0; index -= 1)
            for (const { probability, reward, next, terminated } of model.outcomes[index])
                for (let copies = probability * 8; copies > 0; copies -= 1)
                    agent.learn(Math.floor(index / model.actions), index % model.actions, reward, next, { terminated });
        for (let state = 0; state < model.states - 1; state += 1)
            agent.qValues(state).forEach((value, action) => expect(Math.abs(value - exact[state * model.actions + action])).toBeLessThan(TOLERANCE * 4));
    }
});
