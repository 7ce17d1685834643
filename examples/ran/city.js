/**
 * What stays the same in every run: the city. Site heights, what each cell covers (offices, homes,
 * industry), its buildings (shadowing and lines of sight), where crowds gather and where the highway
 * runs. An operator trains on the network it will run, and buildings do not move overnight; what a seed
 * changes is what changes from day to day: the exact place and size of each crowd, who is indoors
 * behind which wall, every user's way, session and demand.
 */

import { CELLS, IMAGE_X, IMAGE_Y, SITES, cellCentre } from './geometry.js';
import { Stream, pick, uniform } from './random.js';

export const CITY = 38901;                       // seed of the fixed layout
const LOWEST = 16;                        // m
const HIGHEST = 42;                       // m

/** Kinds of area; the traffic curve of a user follows the area where its day is spent. */
export const Area = Object.freeze({ OFFICE: 0, HOME: 1, INDUSTRY: 2 });

/** Antenna heights of the sites, m. */
export const SITE_HEIGHTS = Float64Array.from({ length: SITES },
  (_, site) => LOWEST + (HIGHEST - LOWEST) * uniform(CITY, Stream.CITY, site, 1));

/** Area of each cell. */
export const CELL_AREAS = Uint8Array.from({ length: CELLS },
  (_, cell) => pick([0.3, 0.4, 0.3], uniform(CITY, Stream.CITY, cell, 2)));

/**
 * Places where pedestrians gather: one in about a third of the cells, of unequal weight.
 * @type {readonly { x: number, y: number, cell: number, weight: number, radius: number }[]} m, relative weight
 */
export const HOTSPOTS = Object.freeze(Array.from({ length: CELLS }, (_, cell) => cell)
  .filter((cell) => uniform(CITY, Stream.CITY, cell, 3) < 0.35)
  .map((cell) => {
    const [x, y] = cellCentre(cell);
    const away = 110 * uniform(CITY, Stream.CITY, cell, 4);
    const angle = 2 * Math.PI * uniform(CITY, Stream.CITY, cell, 5);
    return {
      cell,
      x: x + away * Math.cos(angle),
      y: y + away * Math.sin(angle),
      weight: 0.5 + 1.5 * uniform(CITY, Stream.CITY, cell, 6),
      radius: 30 + 60 * uniform(CITY, Stream.CITY, cell, 7),
    };
  }));

/** The highway: a straight line that closes on the torus, through (x, y) along (dx, dy), `length` m long. */
export const HIGHWAY = Object.freeze({
  x: 60, y: -130,
  dx: IMAGE_X[0] / Math.hypot(IMAGE_X[0], IMAGE_Y[0]),
  dy: IMAGE_Y[0] / Math.hypot(IMAGE_X[0], IMAGE_Y[0]),
  length: Math.hypot(IMAGE_X[0], IMAGE_Y[0]),
});
