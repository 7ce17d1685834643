/**
 * Timing on a machine that does other things too.
 *
 * - The clock is the processor time of this process, not the wall: what others run costs nothing here, except through the caches.
 * - All contenders run in turn, a few milliseconds each, round after round, the order changing: what slows the machine down slows
 *   all of them. A ratio is taken within a round; reported are the median of the rounds and the quartiles around it.
 * - Each contender runs until its code is optimised before the first round.
 */
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';

const CHUNK_MS = 4;
const WARM_UP_MS = 250;

/** Processor time of this process so far, milliseconds, to a microsecond. */
export function processorTime() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
}

setFlagsFromString('--expose-gc');
export const collectGarbage = runInNewContext('gc');

/** What the loops compute goes here, so that none of it can be left out. */
export const sink = { value: 0 };

function time(run, count) {
    const start = processorTime();
    sink.value += run(count);
    return processorTime() - start;
}

/** How many operations last one chunk, once the code is warm. */
function calibrate(run) {
    let count = 1;
    let spent = 0;
    let last = 0;
    while (last < CHUNK_MS || spent < WARM_UP_MS) {
        last = time(run, count);
        spent += last;
        if (last < CHUNK_MS) count = last > CHUNK_MS / 16 ? Math.ceil((count * CHUNK_MS * 1.1) / last) : count * 4;
    }
    return count;
}

/**
 * Runs contenders in turn. Each is a function of a number of operations that returns a number; `prepare(round)` is called before
 * each round, untimed.
 *
 * @param {Record<string, (count: number) => number>} contenders
 * @param {{ rounds: number, prepare?: (round: number) => void }} options
 * @returns {Record<string, number[]>} for each contender, nanoseconds an operation in each round
 */
export function interleave(contenders, { rounds, prepare }) {
    prepare?.(0);
    collectGarbage();
    const names = Object.keys(contenders);
    const counts = names.map((name) => calibrate(contenders[name]));
    const samples = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
        prepare?.(round);
        for (let i = 0; i < names.length; i++) {
            const turn = (round % 2 === 0 ? i : names.length - 1 - i) + (round >> 1);
            const at = turn % names.length;
            samples[names[at]].push((time(contenders[names[at]], counts[at]) * 1e6) / counts[at]);
        }
    }
    return samples;
}

/** A quantile between order statistics. @param {ArrayLike<number>} values @param {number} share 0..1 */
export function quantile(values, share) {
    const sorted = Float64Array.from(values).sort();
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

export const median = (values) => quantile(values, 0.5);

/** Median and quartiles. @param {number[]} values */
export const spread = (values) => ({ median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) });

/** How many times as long `slow` took as `fast`, round by round. */
export const ratio = (slow, fast) => spread(slow.map((value, round) => value / fast[round]));
