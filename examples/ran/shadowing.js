/**
 * Large-scale loss around each site: path loss, line of sight and shadow fading on a 25 m grid.
 *
 * Each site has two random fields over the displacement from it: shadow fading and the field that
 * decides line of sight (there is sight where Phi(field) < P_LOS(distance)). Both are white noise
 * passed through a first-order recursion along x, then along y: unit variance, autocorrelation
 * exp(-(|dx| + |dy|) / 50 m) (TR 38.901 table 7.6.3.1-2 gives 50 m for both in UMa). Between grid
 * points the loss is interpolated, so a street corner costs its 20 dB over about 25 m. Links to
 * different sites are independent, as in TR 38.901; the sectors of a site share their fields.
 */

import { CIRCUMRADIUS, SITES } from './geometry.js';
import { SHADOW_SIGMA_LOS, SHADOW_SIGMA_NLOS, losProbability, pathLossLos, pathLossNlos } from './pathloss.js';
import { Stream, normal, normalTable } from './random.js';

export const GRID_STEP = 25;                                            // m
const HALF = Math.ceil(CIRCUMRADIUS / GRID_STEP) + 1;
export const GRID_SIDE = 2 * HALF + 1;
const CORRELATION_DISTANCE = 50;                                        // m
export const MIN_DISTANCE = 10;                                         // m, the model's lower limit

const RHO = Math.exp(-GRID_STEP / CORRELATION_DISTANCE);
const INNOVATION = Math.sqrt(1 - RHO * RHO);
const NOISE_LENGTH = 1 << 16;

/** Abscissa of a normal quantile, by bisection: probability -> x with Phi(x) = probability. */
function quantile(probability) {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 40; i++) {
    const x = (low + high) / 2;
    if (cumulative(x) < probability) low = x; else high = x;
  }
  return (low + high) / 2;
}

/** Standard normal distribution function (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
export function cumulative(x) {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI)
    * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}

/**
 * A unit-variance field with separable exponential correlation, written into `field` (GRID_SIDE^2).
 * @param {Float32Array} field @param {Float32Array} noise table of normals @param {number} offset into it
 */
export function correlatedField(field, noise, offset) {
  const mask = noise.length - 1;
  for (let y = 0; y < GRID_SIDE; y++) {
    let last = noise[offset++ & mask];
    field[y * GRID_SIDE] = last;
    for (let x = 1; x < GRID_SIDE; x++) {
      last = RHO * last + INNOVATION * noise[offset++ & mask];
      field[y * GRID_SIDE + x] = last;
    }
  }
  for (let i = GRID_SIDE; i < GRID_SIDE * GRID_SIDE; i++) {
    field[i] = RHO * field[i - GRID_SIDE] + INNOVATION * field[i];
  }
}

/** P_LOS thresholds as normal abscissae, by distance in metres: the field is compared with these. */
const thresholds = Float32Array.from({ length: Math.ceil(HALF * GRID_STEP * 1.5) }, (_, d) => quantile(losProbability(Math.max(d, 1))));

/**
 * Loss maps of all sites, dB, without antennas.
 * @param {number} seed @param {number} frequency GHz @param {Float64Array} heights of the sites, m @param {number} hUT m
 * @returns {Float32Array} SITES x GRID_SIDE x GRID_SIDE
 */
export function lossMaps(seed, frequency, heights, hUT) {
  const nodes = GRID_SIDE * GRID_SIDE;
  const maps = new Float32Array(SITES * nodes);
  const shadow = new Float32Array(nodes);
  const sight = new Float32Array(nodes);
  const noise = normalTable(seed, Stream.SHADOWING, NOISE_LENGTH);
  for (let site = 0; site < SITES; site++) {
    const phase = Math.floor(Math.abs(normal(seed, Stream.LINE_OF_SIGHT, site)) * 1e6);
    correlatedField(shadow, noise, phase);
    correlatedField(sight, noise, phase * 7 + 12345 + site * 4099);
    fillMap(maps.subarray(site * nodes, (site + 1) * nodes), shadow, sight, frequency, heights[site], hUT);
  }
  return maps;
}

/** One site's map from its two fields. */
function fillMap(map, shadow, sight, frequency, hBS, hUT) {
  for (let y = 0, i = 0; y < GRID_SIDE; y++) {
    for (let x = 0; x < GRID_SIDE; x++, i++) {
      const d = Math.max(MIN_DISTANCE, Math.hypot((x - HALF) * GRID_STEP, (y - HALF) * GRID_STEP));
      const los = sight[i] < thresholds[d | 0];
      map[i] = los
        ? pathLossLos(d, frequency, hBS, hUT) + SHADOW_SIGMA_LOS * shadow[i]
        : pathLossNlos(d, frequency, hBS, hUT) + SHADOW_SIGMA_NLOS * shadow[i];
    }
  }
}

/**
 * Loss at a displacement from a site, dB, bilinear between grid points.
 * @param {Float32Array} maps @param {number} site @param {number} dx m @param {number} dy m, both already wrapped
 */
export function lossAt(maps, site, dx, dy) {
  const gx = dx / GRID_STEP + HALF;
  const gy = dy / GRID_STEP + HALF;
  const x = gx | 0;
  const y = gy | 0;
  const fx = gx - x;
  const fy = gy - y;
  const i = (site * GRID_SIDE + y) * GRID_SIDE + x;
  const top = maps[i] + fx * (maps[i + 1] - maps[i]);
  const bottom = maps[i + GRID_SIDE] + fx * (maps[i + GRID_SIDE + 1] - maps[i + GRID_SIDE]);
  return top + fy * (bottom - top);
}
