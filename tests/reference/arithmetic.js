/**
 * Every decision about the order and the width of arithmetic that two implementations must share to agree to the
 * last bit. The rest of the reference says what is learned; this file says how it is rounded. To align the
 * reference with another implementation, change this file (and random.js for the draws), nothing else.
 *
 * Decided here
 *   - a table row holds float32; every other quantity (reward, discount, step size, target, TD error) is double
 *   - a row is read exactly and written with one rounding: Q <- f32(Q + step * error)
 *   - values of several rows (tilings, the two tables of Double Q) are added left to right, rounded to float32
 *     after each addition, so that comparing actions compares what a float32 implementation compares
 *   - what a policy expects is summed over actions in ascending order, in double
 *   - a schedule keeps its power of `decay` by repeated multiplication: no pow, which differs between engines
 *   - an n-step return is folded from the newest reward to the oldest (Horner): r1 + g (r2 + g (... + g B))
 */

const { fround, exp, log, sqrt, pow } = Math;

/** What a float32 cell holds after `value` is written to it. */
export const store = (value) => fround(value);

/** One more addend of an action value made of several cells. */
export const accumulate = (total, cell) => fround(total + cell);

/** The two tables of Double Q-learning as one action value: their mean orders actions as their sum does. */
export const meanOfTables = (first, second) => fround(fround(first + second) * 0.5);

/** The starting value of one of `count` cells that add up to `initialValue`. */
export const share = (initialValue, count) => fround(initialValue / count);

/** One-step target (S&B 6.5). */
export const target = (reward, discount, bootstrap) => reward + discount * bootstrap;

/** The step that one of `tilings` cells takes (S&B 9.5.4); `weight` is an importance weight or a trace, else 1. */
export const stepSize = (learningRate, tilings, weight) => (learningRate / tilings) * weight;

/** A cell after an update. */
export const moved = (cell, step, error) => fround(cell + step * error);

/** Value of a schedule whose decay has been multiplied up to `power`. */
export const scheduled = ({ start, end }, power) => end + (start - end) * power;

/** 1 / visits, where the visit being learned from is already counted. */
export const visitRate = (visits) => 1 / (visits > 1 ? visits : 1);

/** A replacing trace after one step. Entries below TRACE_FLOOR are dropped. */
export const faded = (trace, discount, lambda) => trace * (discount * lambda);
export const TRACE_FLOOR = 1e-3;

/** Unnormalised softmax preference; `best` is the largest allowed value. */
export const preference = (value, best, temperature) => exp((value - best) / temperature);

/** UCB1 score of a visited action (S&B 2.7); unvisited actions come first, whatever their value. */
export const upperBound = (value, c, total, visits) => value + c * sqrt(log(total) / visits);

/** Priority of a transition in the sum tree (Schaul et al. 2016, 3.3). */
export const PRIORITY_FLOOR = 1e-6;
export const priorityOf = (error, alpha) => pow(Math.abs(error) + PRIORITY_FLOOR, alpha);

/** Importance weight normalised by the largest one possible, that of the smallest priority held. */
export const importance = (priority, smallest, beta) => pow(smallest / priority, beta);
