/**
 * What is to be reached, by figure. A ratio says how many times as long the baseline takes in the same rounds.
 *
 * The noise floor has a target too: where a baseline timed against itself is not near 1, no ratio of that run means anything.
 */
export const TARGETS = {
    'self/flat': { atLeast: 0.95, atMost: 1.05 },
    'act/in-place/flat': { atLeast: 3.5 },
    'act/copy/flat': { atLeast: 2 },
    'act/copy/map': { atLeast: 60 },
    'learn/in-place/flat': { atLeast: 4 },
    'learn/copy/flat': { atLeast: 5 },
    'learn/copy/map': { atLeast: 60 },
    'batch-act/flat': { atLeast: 3 },
    'batch-act/map': { atLeast: 60 },
    'batch-step/flat': { atLeast: 4 },
    'batch-step/map': { atLeast: 60 },
    'insertion/slowest': { atMost: 50 },
    'memory/table': { atMost: 1.3 },
    'size/qhive.mjs/gzip': { atMost: 48 },
};

/** Whether a figure reaches its target; undefined where it has none. @param {{ value: number, target?: { atLeast?: number, atMost?: number } }} figure */
export function reached({ value, target }) {
    if (target === undefined) return undefined;
    return value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity);
}
