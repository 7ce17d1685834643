/**
 * The hexagonal deployment: 19 sites (one centre, two rings), three sectors each, wrapped on a torus.
 *
 * Wrap-around: the 19-site cluster tiles the plane with the translation 3 a1 + 2 a2 and its five
 * rotations by 60 degrees (3^2 + 3*2 + 2^2 = 19), so every site has the surroundings of the centre
 * and there is no network edge. Distances are those to the nearest of the seven images (the usual
 * 3GPP system-level method, TR 36.942 annex A).
 */

export const SITES = 19;
export const SECTORS = 3;
export const CELLS = SITES * SECTORS;
export const INTER_SITE_DISTANCE = 500;      // m, UMa, TR 38.901 table 7.2-1
export const NEIGHBOURS = 8;                 // cells counted as a cell's neighbourhood, without itself
/** Boresight azimuths of the three sectors, degrees, counter-clockwise from the x axis. */
export const AZIMUTHS = Object.freeze([30, 150, 270]);

const D = INTER_SITE_DISTANCE;
const axial = (i, j) => [D * (i + j / 2), D * j * Math.sqrt(3) / 2];

/** Site positions, m. */
export const SITE_X = new Float64Array(SITES);
export const SITE_Y = new Float64Array(SITES);
/** Translations of the six images of the cluster, m. */
export const IMAGE_X = new Float64Array(6);
export const IMAGE_Y = new Float64Array(6);
/** Radius within which the nearest image is the identity, m. */
export const INRADIUS = D * Math.sqrt(19) / 2;
/** Largest wrapped distance, m. */
export const CIRCUMRADIUS = INRADIUS / Math.cos(Math.PI / 6);

let count = 0;
for (let ring = 0; ring <= 2; ring++) {
  for (let i = -2; i <= 2; i++) {
    for (let j = -2; j <= 2; j++) {
      if (Math.max(Math.abs(i), Math.abs(j), Math.abs(i + j)) !== ring) continue;
      [SITE_X[count], SITE_Y[count]] = axial(i, j);
      count++;
    }
  }
}
for (let k = 0, i = 3, j = 2; k < 6; k++, [i, j] = [-j, i + j]) [IMAGE_X[k], IMAGE_Y[k]] = axial(i, j);

const wrapped = new Float64Array(2);

/**
 * The shortest of a displacement's seven images.
 * @param {number} dx m @param {number} dy m
 * @returns {Float64Array} [dx, dy]; one shared array, valid until the next call
 */
export function wrap(dx, dy) {
  let best = dx * dx + dy * dy;
  wrapped[0] = dx;
  wrapped[1] = dy;
  if (best <= INRADIUS * INRADIUS) return wrapped;
  for (let k = 0; k < 6; k++) {
    const x = dx + IMAGE_X[k];
    const y = dy + IMAGE_Y[k];
    const square = x * x + y * y;
    if (square < best) {
      best = square;
      wrapped[0] = x;
      wrapped[1] = y;
    }
  }
  return wrapped;
}

/** Wrapped distance between two points, m. */
export function distance(x1, y1, x2, y2) {
  const v = wrap(x2 - x1, y2 - y1);
  return Math.hypot(v[0], v[1]);
}

/** The middle of a cell: a third of the inter-site distance out along its boresight. @returns {[number, number]} m */
export function cellCentre(cell) {
  const site = Math.floor(cell / SECTORS);
  const azimuth = AZIMUTHS[cell % SECTORS] * Math.PI / 180;
  return [SITE_X[site] + D / 3 * Math.cos(azimuth), SITE_Y[site] + D / 3 * Math.sin(azimuth)];
}

/** `NEIGHBOURS` nearest cells of each cell by the distance of their middles: neighbours[cell * NEIGHBOURS + n]. */
export function neighbourTable() {
  const table = new Int32Array(CELLS * NEIGHBOURS);
  for (let c = 0; c < CELLS; c++) {
    const [x, y] = cellCentre(c);
    const others = Array.from({ length: CELLS }, (_, other) => {
      const [ox, oy] = cellCentre(other);
      return { other, away: distance(x, y, ox, oy) };
    }).filter(({ other }) => other !== c).sort((p, q) => p.away - q.away || p.other - q.other);
    for (let n = 0; n < NEIGHBOURS; n++) table[c * NEIGHBOURS + n] = others[n].other;
  }
  return table;
}
