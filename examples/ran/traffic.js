/**
 * Who wants how much, and when: daily activity curves by area, sessions, slices and demands.
 *
 * A user is in a session during spells of three periods (45 minutes of the day), each with the
 * probability of its area's curve at that time. The draw depends on seed, user and spell only, so it
 * is the same whatever the network does.
 */

import { Area } from './city.js';
import { Stream, hash, normal, uniform } from './random.js';

export const PERIODS_PER_DAY = 96;            // quarters of an hour
export const SPELL = 3;                       // periods
export const Slice = Object.freeze({ BROADBAND: 0, PRIORITY: 1 });
export const PRIORITY_SHARES = Object.freeze([0.2, 0.1, 0.5]);   // of the users, by area
export const PRIORITY_DEMAND = 2;           // Mbit/s down
export const UPLINK_FRACTION = 0.2;           // of the down-link demand

const MEDIAN_DEMAND = 5;                      // Mbit/s down, broadband
const DEMAND_SPREAD = 0.6;                    // of ln(demand)
const MIN_DEMAND = 2;
const MAX_DEMAND = 20;

/** A smooth bump of the 24-hour clock. */
function bump(hour, centre, width) {
  let away = Math.abs(hour - centre);
  away = Math.min(away, 24 - away);
  return Math.exp(-0.5 * (away / width) ** 2);
}

/**
 * Probability that a user of an area is in a session.
 * @param {number} hour 0..24 @param {number} area a value of `Area`
 */
export function activity(hour, area) {
  if (area === Area.OFFICE) return 0.05 + 0.62 * bump(hour, 13.5, 3.2);
  if (area === Area.HOME) return 0.08 + 0.58 * bump(hour, 20.5, 2.4) + 0.18 * bump(hour, 7.5, 1.2);
  return 0.07 + 0.4 * bump(hour, 12.5, 3.5) + 0.35 * bump(hour, 19, 2.5);
}

/** Whether a user is in a session in a period of a day; `level` scales the curve (the day's traffic, about 1). */
export function inSession(seed, user, day, period, area, level) {
  const shifted = day * PERIODS_PER_DAY + period + hash(seed, Stream.SESSION, user, -1) % SPELL;
  const hour = (period + 0.5) * 24 / PERIODS_PER_DAY;
  return uniform(seed, Stream.SESSION, user, Math.floor(shifted / SPELL)) < activity(hour, area) * level;
}

/** Slice of a user: machines ask for the priority slice, and most of them are in industry. */
export function sliceOf(seed, user, area) {
  return uniform(seed, Stream.DEMAND, user, -1) < PRIORITY_SHARES[area] ? Slice.PRIORITY : Slice.BROADBAND;
}

/** Down-link demand of a user on a day, Mbit/s. */
export function demandOf(seed, user, day, slice) {
  if (slice === Slice.PRIORITY) return PRIORITY_DEMAND;
  const demand = MEDIAN_DEMAND * Math.exp(DEMAND_SPREAD * normal(seed, Stream.DEMAND, user, day));
  return Math.min(MAX_DEMAND, Math.max(MIN_DEMAND, demand));
}
