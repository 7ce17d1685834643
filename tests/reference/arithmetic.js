/**
 * Every decision about the order and the width of arithmetic that two implementations must share to agree to the
 * last bit. The rest of the reference says what is learned; this file says how it is rounded. To align the
 * reference with another implementation, change this file (and random.js for the draws), nothing else.
 *
 * Decided here
 *   - a table row holds float32; every other quantity (reward, discount, step size, target, TD error) is double
 *   - a row is read exactly and written with one rounding: Q <- f32(Q + step * error)
 *   - values of several rows (tilings, the two tables of Double Q) are added to zero left to right, rounded to float32
 *     after each addition (so their sum is never -0), so that comparing actions compares what a float32 implementation compares
 *   - what a policy expects is summed over actions in ascending order, in double; an epsilon-greedy policy expects
 *     epsilon of the mean and the rest of the best value; one of UCB takes its probabilities as float32
 *   - a schedule keeps its power of `decay` by repeated multiplication: no pow, which differs between engines
 *   - an n-step return is folded from the newest reward to the oldest (Horner): r1 + g (r2 + g (... + g B))
 *   - the weight of an update (trace, importance) multiplies its error before the step size does
 *
 *   - exp and log are those of maths.js; a power x^y is exp(y log x)
 */

import { exp, log } from './maths.js';

const { fround, sqrt, max, min } = Math;

/** One more addend of an action value made of several cells. */
export const accumulate = (total, cell) => fround(total + cell);

/** The two tables of Double Q-learning as one action value: their mean orders actions as their sum does. */
export const meanOfTables = (first, second) => fround(fround(fround(0 + first) + second) * 0.5);

/** The starting value of one of `count` cells that add up to `initialValue`. */
export const share = (initialValue, count) => fround(initialValue / count);

/** One-step target (S&B 6.5). */
export const target = (reward, discount, bootstrap) => reward + discount * bootstrap;

/** A cell after an update; one of `tilings` (S&B 9.5.4), its error weighted by a trace or by importance, else by 1. */
export const moved = (cell, learningRate, tilings, weight, error) => fround(cell + (learningRate / tilings) * (weight * error));

/** What an epsilon-greedy policy expects of a state. */
export const blend = (epsilon, average, best) => (epsilon === 0 ? best : epsilon * average + (1 - epsilon) * best);

/** Value of a schedule whose decay has been multiplied up to `power`. */
export const scheduled = ({ start, end }, power) => end + (start - end) * power;

/**
 * Whether the next action is chosen after planning, as in S&B 8.2, or before it (so that an agent answers with what it
 * knew when it was asked). The first makes the second episode of the Dyna maze with 50 planned updates 39.5 steps long on
 * average, the second 40.0 (1000 runs each, +- .3).
 */
export const PLAN_BEFORE_CHOOSING = false;

/** 1 / visits, where the visit being learned from is already counted. */
export const visitRate = (visits) => 1 / (visits > 1 ? visits : 1);

/** A replacing trace after one step. Entries below TRACE_FLOOR are dropped. */
export const faded = (trace, discount, lambda) => trace * (discount * lambda);
export const TRACE_FLOOR = 1e-3;

/** Unnormalised softmax preference; `best` is the largest allowed value. A schedule may round to a temperature of 0. */
export const preference = (value, best, temperature) => exp((value - best) / max(temperature, 2 ** -1022));

/** UCB1 score of a visited action (S&B 2.7); unvisited actions come first, whatever their value. */
export const upperBound = (value, c, total, visits) => fround(value + c * sqrt(log(total) / visits));

/** Priority of a transition in the sum tree (Schaul et al. 2016, 3.3). */
export const PRIORITY_FLOOR = 0.01;
export const priorityOf = (error, alpha) => min(fround(exp(alpha * log(Math.abs(error) + PRIORITY_FLOOR))), fround(1e30));

/** Importance weight of a transition drawn with this probability from `count`; to be divided by the largest drawn with it. */
export const importance = (probability, count, beta) => exp(-beta * log(count * probability));

/** Transitions are drawn this many at a time, before any of them is learned from; their weights share one maximum. */
export const REPLAY_CHUNK = 256;
