/**
 * Power drawn by a cell: the EARTH model of a macro base station (Auer et al., "How much energy is
 * needed to run a wireless network?", IEEE Wireless Communications 18(5), 2011, table 2):
 *
 *   active  P = NTRX (P0 + dp Pout),  NTRX = 2 chains, P0 = 130 W, dp = 4.7
 *   asleep  P = NTRX 75 W
 */

export const CHAINS = 2;
export const STATIC_WATTS = 130;
export const SLOPE = 4.7;
export const SLEEP_WATTS = 75;

/**
 * @param {number} powerMilliwatts transmit power at full load, all chains together
 * @param {number} load PRB load, 0..1
 * @param {boolean} asleep
 * @returns {number} W
 */
export function cellWatts(powerMilliwatts, load, asleep) {
  if (asleep) return CHAINS * SLEEP_WATTS;
  return CHAINS * STATIC_WATTS + SLOPE * powerMilliwatts / 1000 * load;
}
