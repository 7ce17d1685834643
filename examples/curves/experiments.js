/**
 * The classic experiments whose curves docs/learning.md shows, run with the package. Each returns rows of numbers, one a
 * point of a line: `line` says which. Everything is seeded: the same seed gives the same curves.
 */
import { createRuntimeSync } from 'qhive';
import { cliffWalking, createRandom, dynaMaze, maximisationBias, randomWalk, randomWalkValues, Simulation } from '../../tests/environments/index.js';

/** @typedef {{ line: string, x: number, y: number }} Point */

const EPSILON_GREEDY = { kind: 'epsilon-greedy', epsilon: 0.1 };

/**
 * Runs a configuration `runs` times and averages what `measure(agent, play)` gives, a number for each x.
 * @returns {Float64Array}
 */
function average({ seed, runs, model, config, measure }) {
    const runtime = createRuntimeSync({ seed });
    let sum;
    for (let run = 0; run < runs; run++) {
        const agent = runtime.createAgent({ name: `run ${run}`, actions: model.actions, encoder: { kind: 'index', states: model.states }, ...config });
        const row = measure(agent, new Simulation(model, createRandom(seed, run)));
        sum = (sum ?? new Float64Array(row.length)).map((value, i) => value + row[i] / runs);
        agent.free();
    }
    runtime.dispose();
    return sum;
}

/** One episode; `done(play)` of it: its steps, its return. */
function playEpisode(agent, play) {
    let action = agent.begin(play.reset());
    let total = 0;
    while (action >= 0) {
        const observation = play.step(action);
        total += play.reward;
        action = agent.step(play.reward, observation, play);
    }
    return total;
}

const points = (line, values, x = (i) => i + 1) => Array.from(values, (y, i) => ({ line, x: x(i), y }));

/** Means of every `size` neighbours. */
const thinned = (values, size) => Float64Array.from({ length: values.length / size }, (_, i) =>
    values.slice(i * size, (i + 1) * size).reduce((sum, value) => sum + value / size, 0));

/** CliffWalking (S&B example 6.6): the reward an episode earns while it learns, by rule. @returns {Point[]} */
export function cliffByRule({ seed, runs = 200, episodes = 500 }) {
    const rules = { 'Q-learning': 'q-learning', SARSA: 'sarsa', 'Expected SARSA': 'expected-sarsa', 'Double Q': 'double-q' };
    const GROUP = 10;
    return Object.entries(rules).flatMap(([line, algorithm]) => {
        const config = { algorithm, learningRate: 0.5, discount: 1, policy: EPSILON_GREEDY };
        const measure = (agent, play) => Float64Array.from({ length: episodes }, () => playEpisode(agent, play));
        return points(line, thinned(average({ seed, runs, model: cliffWalking(), config, measure }), GROUP), (i) => (i + 0.5) * GROUP);
    });
}

/** Dyna maze (S&B example 8.1): the steps of each episode, by simulated updates a step. @returns {Point[]} */
export function mazeByPlanning({ seed, runs = 60, episodes = 50 }) {
    return [0, 5, 50].flatMap((planning) => {
        const config = { planning, learningRate: 0.1, discount: 0.95, policy: EPSILON_GREEDY };
        const measure = (agent, play) => Float64Array.from({ length: episodes }, () => (playEpisode(agent, play), play.steps));
        return points(`planning ${planning}`, average({ seed, runs, model: dynaMaze(), config, measure }));
    });
}

/** Maximisation bias (S&B example 6.7): the share of runs that go left, a mistake, in each episode. @returns {Point[]} */
export function leftByRule({ seed, runs = 1000, episodes = 300 }) {
    const model = maximisationBias();
    const GROUP = 3;
    const measure = (agent, play) => Float64Array.from({ length: episodes }, () => {
        let left = 0;
        for (let state = play.reset(); !play.terminated;) {
            const action = agent.act(state, { mask: model.allowed(state) });
            const next = play.step(action);
            agent.learn(state, action, play.reward, next, play);
            if (state === 0 && action === 0) left = 100;
            state = next;
        }
        return left;
    });
    return Object.entries({ 'Q-learning': 'q-learning', 'Double Q': 'double-q' }).flatMap(([line, algorithm]) => {
        const config = { algorithm, learningRate: 0.1, discount: 1, policy: EPSILON_GREEDY };
        return points(line, thinned(average({ seed, runs, model, config, measure }), GROUP), (i) => (i + 0.5) * GROUP);
    });
}

/** The 19-state random walk (S&B figure 7.2): error of the values over the first ten episodes, by n and step size. @returns {Point[]} */
export function walkBySteps({ seed, runs = 100 }) {
    const model = randomWalk();
    const truth = randomWalkValues();
    const error = (agent) => Math.sqrt(truth.reduce((sum, value, state) => sum + (agent.qValues(state)[0] - value) ** 2, 0) / truth.length);
    const measure = (agent, play) => {
        let sum = 0;
        for (let episode = 0; episode < 10; episode++) {
            playEpisode(agent, play);
            sum += error(agent) / 10;
        }
        return [sum];
    };
    const rates = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    return [1, 2, 4, 8, 16].flatMap((nStep) => points(`n = ${nStep}`, rates.map((learningRate) =>
        average({ seed, runs, model, config: { algorithm: 'sarsa', discount: 1, nStep, learningRate }, measure })[0]), (i) => rates[i]));
}
