/**
 * Figures: what a case returns, one line of the table each.
 *
 * A comparison holds the ratio of two contenders as `value`, with quartiles; a plain figure holds a number with its unit.
 */
import { median, ratio } from './measure.js';
import { TARGETS } from './targets.js';

const withTarget = (figure) => ({ ...figure, ...(TARGETS[figure.id] && { target: TARGETS[figure.id] }) });

/** How many times as fast `qhive` is as `baseline`, both nanoseconds round by round. */
export function comparison(id, what, against, samples) {
    const { median: value, low, high } = ratio(samples.baseline, samples.qhive);
    const spent = { qhive: median(samples.qhive), baseline: median(samples.baseline) };
    return withTarget({ id, what, against, value, unit: 'x', low, high, nanoseconds: spent });
}

/** A number by itself; `low` and `high` where it varies. */
export const plain = (id, what, value, unit, more) => withTarget({ id, what, value, unit, ...more });
