/**
 * Urban macro (UMa) path loss and line-of-sight probability, 3GPP TR 38.901 V17, tables 7.4.1-1 and
 * 7.4.2-1, clause 7.4.4 for the standard deviations of shadow fading.
 */

const LIGHT = 299792458;              // m/s
export const SHADOW_SIGMA_LOS = 4;    // dB
export const SHADOW_SIGMA_NLOS = 6;   // dB

/**
 * Breakpoint distance d'BP = 4 h'BS h'UT fc / c with an effective environment height of 1 m.
 * @param {number} frequency GHz @param {number} hBS m @param {number} hUT m (1.5..13: hE = 1 m for certain)
 * @returns {number} m
 */
export function breakpointDistance(frequency, hBS, hUT) {
  return 4 * (hBS - 1) * (hUT - 1) * frequency * 1e9 / LIGHT;
}

/**
 * UMa path loss with line of sight, dB.
 * @param {number} d2D horizontal distance, m, 10..5000
 * @param {number} frequency GHz, 0.5..100 @param {number} hBS m @param {number} hUT m
 */
export function pathLossLos(d2D, frequency, hBS, hUT) {
  const dh = hBS - hUT;
  const d3D = Math.sqrt(d2D * d2D + dh * dh);
  const dBP = breakpointDistance(frequency, hBS, hUT);
  const near = 28 + 20 * Math.log10(frequency);
  if (d2D <= dBP) return near + 22 * Math.log10(d3D);
  return near + 40 * Math.log10(d3D) - 9 * Math.log10(dBP * dBP + dh * dh);
}

/** UMa path loss without line of sight, dB: never less than with it. Arguments as `pathLossLos`. */
export function pathLossNlos(d2D, frequency, hBS, hUT) {
  const dh = hBS - hUT;
  const d3D = Math.sqrt(d2D * d2D + dh * dh);
  const nlos = 13.54 + 39.08 * Math.log10(d3D) + 20 * Math.log10(frequency) - 0.6 * (hUT - 1.5);
  return Math.max(pathLossLos(d2D, frequency, hBS, hUT), nlos);
}

/**
 * Building penetration loss without its random part, TR 38.901 clause 7.4.3.1, tables 7.4.3-1 and 7.4.3-2.
 * @param {number} frequency GHz @param {'low' | 'high'} model old buildings or coated glass
 * @param {number} inside m from the wall
 * @returns {number} dB
 */
export function penetrationLoss(frequency, model, inside) {
  const power = (loss) => 10 ** (-loss / 10);
  const concrete = power(5 + 4 * frequency);
  const through = model === 'low'
    ? 0.3 * power(2 + 0.2 * frequency) + 0.7 * concrete
    : 0.7 * power(23 + 0.3 * frequency) + 0.3 * concrete;
  return 5 - 10 * Math.log10(through) + 0.5 * inside;
}

/** Standard deviation of the penetration loss by model, dB. */
export const PENETRATION_SIGMA = Object.freeze({ low: 4.4, high: 6.5 });

/**
 * Probability of line of sight in UMa (outdoor user).
 * @param {number} d2D m @param {number} [hUT] m, up to 23
 * @returns {number} 0..1
 */
export function losProbability(d2D, hUT = 1.5) {
  if (d2D <= 18) return 1;
  const base = 18 / d2D + Math.exp(-d2D / 63) * (1 - 18 / d2D);
  const c = hUT <= 13 ? 0 : ((hUT - 13) / 10) ** 1.5;
  return base * (1 + c * 5 / 4 * (d2D / 100) ** 3 * Math.exp(-d2D / 150));
}
