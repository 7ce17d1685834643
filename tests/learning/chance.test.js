/**
 * Models full of chance: transitions are drawn uniformly over states and actions, the step size falls to 0, and every rule must
 * come to the exact values of dynamic programming: its greedy policy, evaluated exactly, is worth the optimum.
 */

import { createRuntimeSync } from 'qhive';
import {
    actionValues, bestEpsilonSoft, blackjack, cliffWalking, createRandom, deterministic, evaluatePolicy, frozenLake, gambler, racetrack, riverSwim,
    valueIteration, windyGridworld,
} from '../environments/index.js';
import { greedyActions, indexed, report, testSeed } from './support.js';

const SEED = testSeed(4302);
const SOAK = process.env.QHIVE_SOAK !== undefined;
/** `npm run soak:learning` shows more, more often, and larger models. */
const MORE = SOAK ? 4 : 1;
const RUNS = SOAK ? 5 : 1;
const EPSILON = 0.1;

/**
 * `worst`: the largest error of a value, in units of the largest value, that so many samples leave; `gap`: by how much the greedy
 * policy may fall short of the optimum: not at all where the actions are far enough apart.
 */
const CASES = [
    { model: windyGridworld({ stochastic: true }), discount: 0.95, samples: 120_000, worst: 0.1, gap: 1e-6 },
    { model: riverSwim(), discount: 0.95, samples: 60_000, worst: 0.1, gap: 1e-6 },
    { model: riverSwim({ states: 9 }), discount: 0.97, samples: 60_000, worst: 0.15, gap: 1e-6, rules: ['q-learning', 'expected-sarsa'] },
    { model: frozenLake(), discount: 0.95, samples: 60_000, worst: 0.12, gap: 1e-6 },
    { model: frozenLake({ map: ['SFFFF', 'FFHFF', 'FFFFH', 'HFFFF', 'FFHFG'] }), discount: 0.95, samples: 80_000, worst: 0.12, gap: 2e-2, rules: ['sarsa', 'double-q'] },
    { model: cliffWalking({ slippery: true, rows: 3, columns: 6 }), discount: 0.9, samples: 60_000, worst: 0.1, gap: 1e-6 },
    { model: gambler({ goal: 10, heads: 0.55 }), discount: 1, samples: 60_000, worst: 0.3, gap: 0.12, rules: ['q-learning', 'sarsa'] },
    { model: blackjack(), discount: 1, samples: 100_000, worst: 0.3, gap: 0.02, rules: ['double-q', 'expected-sarsa'] },
    ...(SOAK ? [{ model: racetrack(), discount: 0.95, samples: 400_000, worst: 0.15, gap: 1e-6 }] : []),
].map((row) => [row.model.name, row]);

let runtime;
beforeEach(() => { runtime = createRuntimeSync({ seed: SEED }); });
afterEach(() => runtime.dispose());

function drawOutcome(list, u) {
    let left = u;
    return list.find(({ probability }) => (left -= probability) < 0) ?? list.at(-1);
}

/** Shows so many transitions of pairs drawn uniformly. */
function show(agent, model, random, samples) {
    const pairs = model.outcomes.flatMap((list, index) => (list.length > 0 ? [index] : []));
    for (let i = 0; i < samples; i += 1) {
        const index = pairs[random.below(pairs.length)];
        const outcome = drawOutcome(model.outcomes[index], random.uniform());
        agent.learn(Math.floor(index / model.actions), index % model.actions, outcome.reward, outcome.next, outcome);
    }
}

/** Largest error of a value, in units of the largest one. */
function worstError(agent, model, q) {
    let [worst, largest] = [0, 0];
    model.outcomes.forEach((list, index) => {
        if (list.length === 0) return;
        worst = Math.max(worst, Math.abs(agent.qValues(Math.floor(index / model.actions))[index % model.actions] - q[index]));
        largest = Math.max(largest, Math.abs(q[index]));
    });
    return worst / largest;
}

describe.each(CASES)('%s', (_, { model, discount, samples, worst, gap, rules }) => {
    const exact = valueIteration(model, { discount });
    const soft = bestEpsilonSoft(model, EPSILON, { discount, tolerance: 1e-11 });
    const worthOf = (policy) => evaluatePolicy(model, deterministic(model, policy), { discount }).start;

    test.each((!SOAK && rules) || ['q-learning', 'double-q', 'expected-sarsa', 'sarsa'])('%s', (algorithm) => {
        const onPolicy = algorithm.includes('sarsa');
        const q = onPolicy ? actionValues(model, soft.values, discount) : exact.q;
        const optimum = worthOf(onPolicy ? soft.policy : exact.policy);
        const shown = samples * MORE * (algorithm === 'double-q' ? 2 : 1);
        for (let run = 0; run < RUNS; run += 1) {
            const learningRate = { start: 0.5, end: 0, decay: Math.exp(-6.5 / shown) };
            const policy = { kind: 'epsilon-greedy', epsilon: EPSILON };
            const agent = runtime.createAgent(indexed(model, { name: `${algorithm} ${run}`, algorithm, discount, learningRate, policy }));
            show(agent, model, createRandom(SEED, run), shown);
            const error = worstError(agent, model, q);
            const short = optimum - worthOf(greedyActions(agent, model));
            report(`${model.name}, ${algorithm}: worst error ${(100 * error).toFixed(2)} %, greedy policy ${short.toExponential(1)} short of ${optimum.toFixed(6)} (seed ${SEED})`);
            expect(error).toBeLessThan(worst);
            expect(short).toBeLessThan(gap);
        }
    });
});
