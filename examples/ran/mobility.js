/**
 * Where users are: crowds on foot, walkers, city traffic and a highway.
 *
 * The day is a time lapse: each quarter of an hour is represented by `SEGMENTS` segments of
 * `SEGMENT_SECONDS` of continuous motion, and one window's end is the next one's start.
 */

import { Area, CELL_AREAS, HIGHWAY, HOTSPOTS } from './city.js';
import { CELLS, SITES, SITE_X, SITE_Y, cellCentre, distance, wrap } from './geometry.js';
import { Stream, normal, pick, uniform } from './random.js';

export const USERS = 570;
export const SEGMENTS = 2;
export const TICK = 0.08;                                      // s
export const TICKS = 36;                                       // per segment
export const SEGMENT_SECONDS = TICK * TICKS;                   // 2.88 s

export const Kind = Object.freeze({ CROWD: 0, WALKER: 1, CAR: 2, HIGHWAY: 3 });
const SHARES = [0.42, 0.2, 0.26, 0.12];
const SPEEDS = [0.6, 1.2, 11, 25];                             // m/s

/** Nearest cell middle, the area a user belongs to. */
function nearestCell(x, y) {
  let best = 0;
  let away = Infinity;
  for (let cell = 0; cell < CELLS; cell++) {
    const [cx, cy] = cellCentre(cell);
    const d = distance(x, y, cx, cy);
    if (d < away) { away = d; best = cell; }
  }
  return best;
}

export class Mobility {
  /** @param {number} seed */
  constructor(seed) {
    this.seed = seed;
    this.x = new Float64Array(USERS);
    this.y = new Float64Array(USERS);
    this.heading = new Float64Array(USERS);
    this.speed = new Float32Array(USERS);                      // m/s
    this.kind = new Uint8Array(USERS);
    this.area = new Uint8Array(USERS);
    this.anchor = new Int16Array(USERS).fill(-1);              // hotspot of a crowd
    this.segment = 0;
    this.placeHotspots();
    for (let user = 0; user < USERS; user++) this.place(user);
  }

  placeHotspots() {
    const { seed } = this;
    this.hotspots = HOTSPOTS.map((spot, h) => ({
      x: spot.x + 40 * normal(seed, Stream.HOTSPOT, h, 1),
      y: spot.y + 40 * normal(seed, Stream.HOTSPOT, h, 2),
      radius: spot.radius,
      weight: spot.weight * Math.exp(0.25 * normal(seed, Stream.HOTSPOT, h, 3)),
      cell: spot.cell,
    }));
    this.weights = this.hotspots.map((spot) => spot.weight);
  }

  /** @param {number} user */
  place(user) {
    const { seed } = this;
    const draw = (what) => uniform(seed, Stream.USER, user, what);
    const kind = pick(SHARES, draw(0));
    this.kind[user] = kind;
    this.heading[user] = 2 * Math.PI * draw(1);
    this.speed[user] = SPEEDS[kind] * (0.7 + 0.6 * draw(2));
    if (kind === Kind.CROWD) this.placeInCrowd(user, draw);
    else if (kind === Kind.HIGHWAY) this.placeOnHighway(user, draw);
    else this.placeAnywhere(user, draw);
    this.area[user] = kind === Kind.HIGHWAY ? Area.INDUSTRY : CELL_AREAS[nearestCell(this.x[user], this.y[user])];
  }

  placeInCrowd(user, draw) {
    const spot = pick(this.weights, draw(3));
    const { x, y, radius } = this.hotspots[spot];
    const r = radius * Math.sqrt(draw(4));
    this.anchor[user] = spot;
    this.x[user] = x + r * Math.cos(2 * Math.PI * draw(5));
    this.y[user] = y + r * Math.sin(2 * Math.PI * draw(5));
  }

  placeOnHighway(user, draw) {
    const along = HIGHWAY.length * draw(3);
    this.x[user] = HIGHWAY.x + along * HIGHWAY.dx;
    this.y[user] = HIGHWAY.y + along * HIGHWAY.dy;
    this.heading[user] = Math.atan2(HIGHWAY.dy, HIGHWAY.dx) + (draw(4) < 0.5 ? 0 : Math.PI);
    this.fold(user);
  }

  placeAnywhere(user, draw) {
    const site = Math.floor(SITES * draw(3));
    const r = 290 * Math.sqrt(draw(4));
    this.x[user] = SITE_X[site] + r * Math.cos(2 * Math.PI * draw(5));
    this.y[user] = SITE_Y[site] + r * Math.sin(2 * Math.PI * draw(5));
    this.fold(user);
  }

  /** Back into the cluster's own hexagon. */
  fold(user) {
    const v = wrap(this.x[user], this.y[user]);
    this.x[user] = v[0];
    this.y[user] = v[1];
  }

  /** Moves every user by one segment. */
  advance() {
    const { seed, segment } = this;
    for (let user = 0; user < USERS; user++) {
      this.turn(user, uniform(seed, Stream.MOTION, user, segment));
      const length = this.speed[user] * SEGMENT_SECONDS;
      this.x[user] += length * Math.cos(this.heading[user]);
      this.y[user] += length * Math.sin(this.heading[user]);
      this.fold(user);
    }
    this.segment++;
  }

  /** Turns at crossings (cars), now and then (walkers), back to the crowd's middle (crowds). */
  turn(user, u) {
    const kind = this.kind[user];
    if (kind === Kind.CAR && u < 0.2) this.heading[user] += u < 0.1 ? Math.PI / 2 : -Math.PI / 2;
    else if (kind === Kind.WALKER && u < 0.3) this.heading[user] += (u / 0.3 - 0.5) * Math.PI;
    else if (kind === Kind.CROWD) {
      const spot = this.hotspots[this.anchor[user]];
      const v = wrap(spot.x - this.x[user], spot.y - this.y[user]);
      if (Math.hypot(v[0], v[1]) > spot.radius) this.heading[user] = Math.atan2(v[1], v[0]);
      else this.heading[user] += (u - 0.5) * 2;
    }
  }
}
