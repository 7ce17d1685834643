/**
 * What the learning tests share: training loops, statistics, the comparison with a published value, the report.
 *
 * Every test is replayed by its seed alone: run i of a test uses the agent `run-<i>` of a runtime with that seed,
 * and the environment stream (seed, i). `QHIVE_TEST_SEED` sets another seed for all of them.
 */

import { createRuntimeSync } from 'qhive';
import { createRandom, Simulation } from '../environments/index.js';

const { sqrt, abs } = Math;



/** How many standard errors a measured value may lie from its anchor. */
export const STANDARD_ERRORS = 3;

/** The seed of a test: its own, or the one asked for on the command line. */
export function testSeed(own) {
    const asked = process.env.QHIVE_TEST_SEED;
    return asked === undefined ? own : Number(asked);
}

// ------------------------------------------------------------------ training

/** Plays one episode through `begin` and `step`; `onStep(state, action)` sees every choice. */
export function playEpisode(agent, play, onStep) {
    let action = agent.begin(play.reset());
    let sum = 0;
    do {
        onStep?.(play.state, action);
        const observation = play.step(action);
        sum += play.reward;
        action = agent.step(play.reward, observation, play);
    } while (action >= 0);
    return sum;
}

/**
 * Trains for a number of episodes.
 * @returns {{ returns: Float64Array, steps: Float64Array }} by episode
 */
export function train(agent, play, episodes) {
    const returns = new Float64Array(episodes);
    const steps = new Float64Array(episodes);
    for (let episode = 0; episode < episodes; episode += 1) {
        returns[episode] = playEpisode(agent, play);
        steps[episode] = play.steps;
    }
    return { returns, steps };
}

/**
 * Trains `runs` agents of one configuration, each in its own copy of the environment, in one runtime, and maps
 * each of them with `measure(agent, play, run)`. Agents are freed as soon as they were measured.
 *
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.runs
 * @param {object} options.config an AgentConfig without a name
 * @param {import('../environments/finite-model.js').FiniteModel | ((random: object) => object)} options.environment
 * @param {(agent: object, play: object, run: number) => T} options.measure
 * @returns {T[]}
 * @template T
 */
export function forEachRun({ seed, runs, config, environment, measure }) {
    const runtime = createRuntimeSync({ seed });
    try {
        return Array.from({ length: runs }, (_, run) => {
            const agent = runtime.createAgent({ name: `run-${run}`, ...config });
            const random = createRandom(seed, run);
            const play = typeof environment === 'function' ? environment(random) : new Simulation(environment, random);
            const result = measure(agent, play, run);
            agent.free();
            return result;
        });
    } finally {
        runtime.dispose();
    }
}

/** The configuration of an agent whose observation is a state of `model`. */
export function indexed(model, config) {
    return { actions: model.actions, encoder: { kind: 'index', states: model.states }, ...config };
}

/** The first of the actions valued highest, of every state; what is not allowed there is left out. */
export function greedyActions(agent, model) {
    return Int32Array.from({ length: model.states }, (_, state) => {
        const mask = model.allowed(state);
        const values = agent.qValues(state);
        let best = -1;
        for (let a = 0; a < values.length; a += 1) if ((!mask || mask[a]) && (best < 0 || values[a] > values[best])) best = a;
        return best;
    });
}

// ------------------------------------------------------------------ statistics

export function mean(samples) {
    return samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

export function standardError(samples) {
    const centre = mean(samples);
    const squares = samples.reduce((sum, value) => sum + (value - centre) ** 2, 0);
    return sqrt(squares / (samples.length - 1) / samples.length);
}

/** Mean of the last `count` values. */
export function lastMean(samples, count) {
    return mean(samples.slice(samples.length - count));
}

/** Pearson's chi-square statistic of counts that should be equal. */
export function chiSquare(counts) {
    const expected = mean(counts);
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

// ------------------------------------------------------------------ comparison

/** One line of the report, also printed when a test passes. */
export function report(line) {
    process.stdout.write(`  ${line}\n`);
}

/**
 * Compares the mean of samples with a published value: within three standard errors of the difference.
 *
 * @param {object} options
 * @param {string} options.row       what is compared, as in the table of anchors
 * @param {ArrayLike<number>} options.samples one per run
 * @param {number} options.anchor
 * @param {number} [options.anchorError]      standard error of the published value, as published
 * @param {number} [options.anchorRuns] when none was published: the number of runs behind it, from which
 *   the standard error follows with the deviation measured here
 * @param {number} [options.rounding]         half of the last printed digit of the published value
 * @param {number} options.seed
 * @throws {Error} with the measured value and the seed that replays it
 */
export function expectNear({ row, samples, anchor, anchorError = 0, anchorRuns = Infinity, rounding = 0, seed }) {
    const values = Array.from(samples);
    const measured = mean(values);
    const error = standardError(values);
    const published = anchorError || (error * sqrt(values.length)) / sqrt(anchorRuns);
    const allowed = STANDARD_ERRORS * sqrt(error ** 2 + published ** 2) + rounding;
    const line = `${row}: ${measured.toPrecision(6)} +- ${error.toPrecision(2)} (anchor ${anchor}, allowed +- ${allowed.toPrecision(3)}; ${values.length} runs, seed ${seed})`;
    report(line);
    if (!(abs(measured - anchor) <= allowed)) throw new Error(line);
}

/**
 * Compares a share of runs with a published share: binomial, within three standard errors of the difference.
 * A share of 1 published must be met in every run.
 */
export function expectShare({ row, hits, runs, anchor, anchorRuns, rounding = 0, seed }) {
    const measured = hits / runs;
    const pooled = (hits + anchor * anchorRuns) / (runs + anchorRuns);
    const allowed = STANDARD_ERRORS * sqrt(pooled * (1 - pooled) * (1 / runs + 1 / anchorRuns)) + rounding;
    const percent = (share) => `${(100 * share).toFixed(2)} %`;
    const line = `${row}: ${percent(measured)} of ${runs} (anchor ${percent(anchor)}, allowed +- ${percent(allowed)}; seed ${seed})`;
    report(line);
    if (!(abs(measured - anchor) <= allowed)) throw new Error(line);
}
