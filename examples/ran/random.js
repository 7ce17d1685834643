/**
 * Counter-based random numbers: every draw is a pure function of (seed, stream, a, b).
 *
 * No generator state exists, so two networks run on the same seed see the same users, the same
 * traffic and the same fading whatever their parameters are ("common random numbers"), and a draw
 * added in one place moves no other. The mixer is the 32-bit finaliser of MurmurHash3 (Appleby, 2011).
 */

/** Names of the independent streams. */
export const Stream = Object.freeze({
  SHADOWING: 1, LINE_OF_SIGHT: 2, USER: 3, MOTION: 4, SESSION: 5, DEMAND: 6,
  MEASUREMENT: 7, CITY: 8, HOTSPOT: 9, POLICY: 10, WALL: 11,
});

/** @param {number} h uint32 @returns {number} uint32 */
function mix(h) {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * @param {number} seed any integer; 53 bits are used
 * @param {number} stream a value of `Stream`
 * @param {number} [a] first counter, integer
 * @param {number} [b] second counter, integer
 * @returns {number} uint32
 */
export function hash(seed, stream, a = 0, b = 0) {
  const high = Math.floor(seed / 0x100000000);
  let h = mix((seed | 0) ^ 0x9e3779b9);
  h = mix(h ^ Math.imul(high | 0, 0x27d4eb2f) ^ Math.imul(stream, 0x165667b1));
  h = mix((h + Math.imul(a | 0, 0x9e3779b1)) | 0);
  return mix((h + Math.imul(b | 0, 0x85ebca77)) | 0);
}

/** Uniform in [0, 1). Arguments as `hash`. */
export function uniform(seed, stream, a = 0, b = 0) {
  return hash(seed, stream, a, b) / 4294967296;
}

/** Standard normal (Box-Muller, one of the pair). Arguments as `hash`. */
export function normal(seed, stream, a = 0, b = 0) {
  const u = (hash(seed, stream, a, b) + 0.5) / 4294967296;
  const v = hash(seed, stream + 64, a, b) / 4294967296;
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

/**
 * A table of standard normals for places that need millions of them: read from a hashed offset.
 * @param {number} seed @param {number} stream @param {number} length a power of two
 * @returns {Float32Array}
 */
export function normalTable(seed, stream, length) {
  const table = new Float32Array(length);
  for (let i = 0; i < length; i++) table[i] = normal(seed, stream, i);
  return table;
}

/** Index 0..weights.length-1 drawn with probability proportional to `weights`; u in [0, 1). */
export function pick(weights, u) {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  let rest = u * total;
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i];
    if (rest < 0) return i;
  }
  return weights.length - 1;
}
