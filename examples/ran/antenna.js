/**
 * Sector antenna: the element of 3GPP TR 38.901 table 7.3-1 in a vertical column with electrical
 * down-tilt by phase progression (composite pattern, TR 37.840 clause 5.4.4).
 *
 *   A_V = -min(12 ((theta - 90) / 65)^2, 30)      A_H = -min(12 (phi / 65)^2, 30)
 *   element = 8 dBi - min(-(A_V + A_H), 30)
 *   array   = |sin(M psi / 2) / sin(psi / 2)|^2 / M,  psi = 2 pi (d / lambda) (sin depression - sin tilt)
 *
 * M = 8 elements 0.8 wavelengths apart give a main lobe of 8 degrees. Nulls are filled to -20 dB of
 * the maximum: real columns do this by taper, and no scattering environment shows a deeper null.
 */

export const BEAMWIDTH = 65;          // degrees, horizontal and vertical, of one element
export const MAX_ATTENUATION = 30;    // dB, A_max and SLA_V
export const ELEMENT_GAIN = 8;        // dBi
export const ELEMENTS = 8;
export const SPACING = 0.8;           // wavelengths
const NULL_FILL = 0.01;               // of the array's maximum

/** Vertical cut, dB <= 0. @param {number} depression degrees below the horizon (zenith angle less 90) */
export function verticalCut(depression) {
  return -Math.min(12 * (depression / BEAMWIDTH) ** 2, MAX_ATTENUATION);
}

/** Horizontal cut, dB <= 0. @param {number} azimuth degrees off boresight, -180..180 */
export function horizontalCut(azimuth) {
  return -Math.min(12 * (azimuth / BEAMWIDTH) ** 2, MAX_ATTENUATION);
}

/** Gain of one element, dBi. Angles as above. */
export function elementGain(depression, azimuth) {
  return ELEMENT_GAIN - Math.min(-(verticalCut(depression) + horizontalCut(azimuth)), MAX_ATTENUATION);
}

/** Gain of the column over one element, linear, 0.08..8. @param {number} depression degrees @param {number} tilt degrees */
export function arrayFactor(depression, tilt) {
  const rad = Math.PI / 180;
  const half = Math.PI * SPACING * (Math.sin(depression * rad) - Math.sin(tilt * rad));
  const below = Math.sin(half);
  const ratio = Math.abs(below) < 1e-9 ? ELEMENTS : Math.sin(ELEMENTS * half) / below;
  return Math.max(ratio * ratio / ELEMENTS, NULL_FILL * ELEMENTS);
}

/** Depression angles are tabulated every tenth of a degree from 0 to 80. */
export const ANGLE_BINS = 801;
export const angleBin = (depression) => Math.min(ANGLE_BINS - 1, Math.max(0, Math.round(depression * 10)));

/**
 * `arrayFactor` for a list of tilts over all angle bins.
 * @param {readonly number[]} tilts degrees
 * @returns {Float32Array} row t is tilts[t], `ANGLE_BINS` long
 */
export function arrayFactorTable(tilts) {
  const table = new Float32Array(tilts.length * ANGLE_BINS);
  tilts.forEach((tilt, t) => {
    for (let bin = 0; bin < ANGLE_BINS; bin++) table[t * ANGLE_BINS + bin] = arrayFactor(bin / 10, tilt);
  });
  return table;
}
