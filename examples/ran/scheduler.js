/**
 * Sharing a cell's resource blocks among the users of one slice.
 *
 * Each user needs n = demand / (blocks' rate) of the carrier. When all needs fit, all are met;
 * otherwise the blocks are shared in proportion to efficiency^fairness, no user gets more than it
 * needs, and what it leaves goes to the others (water-filling). Fairness 0 gives equal blocks
 * (proportional fair), below 0 favours the cell edge, above 0 the sum rate.
 *
 * Rate of a block: attenuated Shannon, 0.75 log2(1 + SINR), at most 5.55 bit/s/Hz (TR 36.942 A.2,
 * with 64-QAM 8/9 of TS 38.214 table 5.1.3.1-1 as the ceiling).
 */

export const BANDWIDTH = 20e6;                   // Hz
export const EFFICIENCY_CEILING = 5.55;          // bit/s/Hz
const ATTENUATION = 0.75;
const ROUNDS = 6;

/** Spectral efficiency, bit/s/Hz. @param {number} sinr linear */
export function spectralEfficiency(sinr) {
  const efficiency = ATTENUATION * Math.log2(1 + sinr);
  return efficiency < EFFICIENCY_CEILING ? efficiency : EFFICIENCY_CEILING;
}

/**
 * Shares `budget` of the carrier among users list[from..to), into share[user].
 * @param {Int32Array} list @param {number} from @param {number} to
 * @param {Float32Array} need by user, fraction of the carrier, >= 0
 * @param {Float32Array} weight by user, > 0
 * @param {Float32Array} share by user, written
 * @param {number} budget 0..1
 * @returns {number} the fraction of the carrier used
 */
export function allocate(list, from, to, need, weight, share, budget) {
  let needed = 0;
  for (let i = from; i < to; i++) needed += need[list[i]];
  if (needed <= budget) {
    for (let i = from; i < to; i++) share[list[i]] = need[list[i]];
    return needed;
  }
  for (let i = from; i < to; i++) share[list[i]] = 0;
  let left = budget;
  for (let round = 0; round < ROUNDS && left > 1e-6; round++) left = pour(list, from, to, need, weight, share, left);
  return budget - left;
}

/** One round of water-filling. @returns {number} what is left */
function pour(list, from, to, need, weight, share, left) {
  let open = 0;
  for (let i = from; i < to; i++) if (share[list[i]] < need[list[i]]) open += weight[list[i]];
  if (open === 0) return left;
  const unit = left / open;
  for (let i = from; i < to; i++) {
    const user = list[i];
    const gap = need[user] - share[user];
    if (gap <= 0) continue;
    const given = Math.min(gap, unit * weight[user]);
    share[user] += given;
    left -= given;
  }
  return left;
}
