/**
 * Uplink: open-loop fractional power control and the interference it makes.
 *
 *   P = min(Pmax - 10 log10(M), P0 + alpha PL)  per resource block (TS 38.213 clause 7.1.1, open loop)
 *
 * PL is the coupling loss to the serving cell, antennas included. P0 below is per resource block of
 * 180 kHz. One user of each cell sends on a block at a time, so a cell's interference is the load-weighted
 * mean over the users of every other cell.
 */

export const UE_POWER = 200;                     // mW, 23 dBm
export const BLOCKS = 100;                       // of 180 kHz, 20 MHz
export const UPLINK_NOISE = 10 ** ((-174 + 10 * Math.log10(180e3) + 5) / 10);   // mW per block, noise figure 5 dB

/**
 * Transmit power of a user per block, mW.
 * @param {number} p0 dBm @param {number} alpha 0..1 @param {number} gain coupling gain, linear
 */
export function blockPower(p0, alpha, gain) {
  const power = Math.exp(p0 * Math.LN10 / 10 - alpha * Math.log(gain));
  return power < UE_POWER ? power : UE_POWER;
}

/** Largest share of the carrier a user's total power allows, 0..1. @param {number} power mW per block */
export function powerLimitedShare(power) {
  const share = UE_POWER / (power * BLOCKS);
  return share < 1 ? share : 1;
}
