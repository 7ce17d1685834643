/**
 * Policies: the probability of each action, and the draw of one. Both from the same values, visits and mask.
 *
 * `values` holds one action value per action, `visits` how often each was learned from, `mask` 0 for a forbidden
 * action (undefined: all are allowed). Ties are broken uniformly, or for the first action.
 */

import { blend, preference, upperBound } from './arithmetic.js';

const F64 = Float64Array;
const F32 = Float32Array;

/** The largest allowed value. */
export function bestValue(values, mask) {
    let best = -Infinity;
    for (let a = 0; a < values.length; a += 1) if ((!mask || mask[a]) && values[a] > best) best = values[a];
    return best;
}

function countOf(values, value, mask) {
    let count = 0;
    for (let a = 0; a < values.length; a += 1) if ((!mask || mask[a]) && values[a] === value) count += 1;
    return count;
}

function nthOf(values, value, mask, n) {
    let left = n;
    for (let a = 0; a < values.length; a += 1) {
        if ((!mask || mask[a]) && values[a] === value) {
            if (left === 0) return a;
            left -= 1;
        }
    }
    throw new Error('no such action');
}

/** One of the allowed actions with the largest value. */
export function bestAction(values, mask, tieBreak, generator) {
    const best = bestValue(values, mask);
    const count = tieBreak === 'random' ? countOf(values, best, mask) : 1;
    return nthOf(values, best, mask, count > 1 ? generator.below(count) : 0);
}

/** UCB1 scores; unvisited actions score Infinity. */
function scores(policy, values, visits) {
    let total = 0;
    for (let a = 0; a < visits.length; a += 1) total += visits[a];
    return F64.from(values, (value, a) => (visits[a] === 0 ? Infinity : upperBound(value, policy.c, total, visits[a])));
}

/** Softmax preferences, 0 where forbidden. */
function preferences(values, mask, temperature) {
    const best = bestValue(values, mask);
    return F64.from(values, (value, a) => (!mask || mask[a] ? preference(value, best, temperature) : 0));
}

function allowedCount(actions, mask) {
    if (!mask) return actions;
    let count = 0;
    for (let a = 0; a < actions; a += 1) if (mask[a]) count += 1;
    return count;
}

function randomAllowed(actions, mask, generator) {
    if (!mask) return generator.below(actions);
    let left = generator.below(allowedCount(actions, mask));
    for (let a = 0; a < actions; a += 1) {
        if (mask[a]) {
            if (left === 0) return a;
            left -= 1;
        }
    }
    throw new Error('no action is allowed');
}

function drawFrom(weights, generator) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let left = generator.uniform() * total;
    let last = -1;
    for (let a = 0; a < weights.length; a += 1) {
        if (weights[a] === 0) continue;
        last = a;
        left -= weights[a];
        if (left < 0) return a;
    }
    return last;
}

/**
 * Chooses an action.
 * @param {{ kind: string, c?: number }} policy
 * @param {number} level the present epsilon or temperature
 */
export function chooseAction(policy, level, values, visits, mask, tieBreak, generator) {
    switch (policy.kind) {
        case 'greedy':
            return bestAction(values, mask, tieBreak, generator);
        case 'epsilon-greedy':
            if (level > 0 && generator.uniform() < level) return randomAllowed(values.length, mask, generator);
            return bestAction(values, mask, tieBreak, generator);
        case 'softmax':
            return drawFrom(preferences(values, mask, level), generator);
        case 'ucb':
            return bestAction(scores(policy, values, visits), mask, tieBreak, generator);
        default:
            throw new RangeError(`policy '${policy.kind}'`);
    }
}

/** The probability with which `chooseAction` chooses each action. */
export function probabilities(policy, level, values, visits, mask, tieBreak) {
    if (policy.kind === 'softmax') {
        const weights = preferences(values, mask, level);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return weights.map((weight) => weight / total);
    }
    const ranked = policy.kind === 'ucb' ? scores(policy, values, visits) : values;
    const explore = policy.kind === 'epsilon-greedy' ? level : 0;
    const best = bestValue(ranked, mask);
    const ties = tieBreak === 'random' ? countOf(ranked, best, mask) : 1;
    const allowed = allowedCount(values.length, mask);
    const result = new F64(values.length);
    let given = 0;
    for (let a = 0; a < result.length; a += 1) {
        if (mask && !mask[a]) continue;
        result[a] = explore / allowed;
        if (ranked[a] === best && given < ties) {
            result[a] += (1 - explore) / ties;
            given += 1;
        }
    }
    return result;
}

/** The value that the policy expects of a state: what Expected SARSA continues with. */
export function expectation(policy, level, values, visits, tieBreak) {
    if (policy.kind === 'greedy' || policy.kind === 'epsilon-greedy') {
        const average = values.reduce((sum, value) => sum + value, 0) / values.length;
        return blend(policy.kind === 'greedy' ? 0 : level, average, bestValue(values));
    }
    const exact = probabilities(policy, level, values, visits, undefined, tieBreak);
    const chances = policy.kind === 'ucb' ? F32.from(exact) : exact;
    let sum = 0;
    for (let a = 0; a < values.length; a += 1) sum += chances[a] * values[a];
    return sum;
}
