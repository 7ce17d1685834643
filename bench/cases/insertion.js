/**
 * The slowest single insertion among a million new states, against the median one.
 *
 * Every insertion is timed by itself, on the wall's clock, which also sees whatever else the machine does meanwhile. But the core is
 * deterministic: insertion i of one run does exactly the work of insertion i of the next. So the run is repeated, and of each
 * insertion the shortest time counts. A pause that belongs to the table (a rehash, a copy, a split) comes at the same
 * insertion every time and stays; an interrupt or a switch of processes comes at another one and goes. What the clock itself takes is
 * subtracted.
 *
 * Three tables are measured: one in memory that the runtime has used before, where nothing but the table counts; one in a fresh runtime
 * that was given all its pages at its creation, where the system's first touch of every page counts too; and one in a fresh runtime that
 * grows, where `memory.grow` does. For scale, a Map of numbers, which holds no rows at all: its slowest insertion rehashes it.
 */
import { plain } from '../figures.js';
import { collectGarbage, median, quantile } from '../measure.js';
import { agentConfig, createRuntime, SHAPE } from '../workload.js';

const STATES = 1_000_000;
const REPEATS = 4;
const FRESH_REPEATS = 3;
const PAGES = 4096; // 256 MiB

/** Writes the number of a state as the cells of its first dimensions. */
function writeState(state, number) {
    const { bins } = SHAPE;
    for (let i = 0, rest = number; rest > 0; i++, rest = Math.floor(rest / bins)) state[i] = ((rest % bins) + 0.5) / bins;
}

/** Learns in `count` new states, one after the other; `least[i]` becomes the shortest time of insertion i so far, in nanoseconds. */
function insertAll(agent, least) {
    const state = new Float32Array(SHAPE.dims);
    const next = new Float32Array(SHAPE.dims);
    for (let i = 0; i < least.length; i++) {
        writeState(state, i);
        const start = performance.now();
        agent.learn(state, i % SHAPE.actions, 1, next);
        const spent = (performance.now() - start) * 1e6;
        if (spent < least[i]) least[i] = spent;
    }
}

function insertIntoMap(least) {
    const map = new Map();
    for (let i = 0; i < least.length; i++) {
        const start = performance.now();
        map.set(i, i);
        const spent = (performance.now() - start) * 1e6;
        if (spent < least[i]) least[i] = spent;
    }
}

function clockCost() {
    const times = new Float64Array(100_000);
    for (let i = 0; i < times.length; i++) times[i] = -performance.now() + performance.now();
    return median(times) * 1e6;
}

/** @param {() => void} body one run @param {number} repeats */
function repeat(repeats, body) {
    const least = new Float64Array(STATES).fill(Infinity);
    for (let i = 0; i < repeats; i++) {
        collectGarbage();
        body(least);
    }
    const clock = clockCost();
    return least.map((time) => Math.max(time - clock, 0));
}

const config = agentConfig({ quotaBytes: Infinity });

/** The memory is there already: a run before has taken it, and given it back. */
function inWarmMemory(options) {
    const runtime = createRuntime(options);
    const agent = runtime.createAgent(config);
    insertAll(agent, new Float64Array(STATES));
    const times = repeat(REPEATS, (least) => {
        agent.reset();
        insertAll(agent, least);
    });
    runtime.dispose();
    return times;
}

function inFreshMemory(options, initialPages) {
    return repeat(FRESH_REPEATS, (least) => {
        const runtime = createRuntime({ ...options, ...(initialPages && { initialPages }) });
        insertAll(runtime.createAgent(config), least);
        runtime.dispose();
    });
}

/** The slowest over the median, and both. */
function describe(id, what, times) {
    const nanoseconds = { median: median(times), mostly: quantile(times, 0.9999), slowest: times.reduce((a, b) => Math.max(a, b)) };
    return plain(id, what, nanoseconds.slowest / nanoseconds.median, 'x', { nanoseconds });
}

function run({ runtime: options }) {
    return [
        describe('insertion/slowest', 'slowest of 1e6 insertions / median', inWarmMemory(options)),
        describe('insertion/fresh', 'the same, pages never touched', inFreshMemory(options, PAGES)),
        describe('insertion/growing', 'the same, memory growing', inFreshMemory(options)),
        describe('insertion/map', 'the same, Map of numbers', repeat(FRESH_REPEATS, insertIntoMap)),
    ];
}

export const cases = [{ name: 'insertion', about: 'the slowest single insertion of a million', run }];
