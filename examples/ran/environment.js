/**
 * Everything no operator can choose: users, their motion, sessions and demands, and the propagation
 * between every user and every cell before tilt and power. One environment can carry several networks
 * at once, which then differ in nothing but their parameters (common random numbers).
 *
 * A user's links are those to its `NEAR` nearest sites, chosen anew each period:
 * near[user * NEAR + n]. The rest of the network is at least 800 m away and below the noise of the model.
 * `linkBefore` and `linkAfter` hold the gains at the two ends of the current segment:
 * link[(user * NEAR + n) * SECTORS + k] = path gain * element gain, linear; the electrical tilt's array
 * factor and the transmit power are the network's. `depression[user * NEAR + n]` is the angle bin below
 * the horizon at which the site sees the user. Rows of users without a session are not kept up.
 */

import { ANGLE_BINS, ELEMENT_GAIN, MAX_ATTENUATION, angleBin, horizontalCut, verticalCut } from './antenna.js';
import { CITY, SITE_HEIGHTS } from './city.js';
import { AZIMUTHS, CIRCUMRADIUS, SECTORS, SITES, SITE_X, SITE_Y, wrap } from './geometry.js';
import { Kind, Mobility, SEGMENTS, USERS } from './mobility.js';
import { PENETRATION_SIGMA, penetrationLoss } from './pathloss.js';
import { Stream, hash, normal, normalTable, uniform } from './random.js';
import { lossAt, lossMaps } from './shadowing.js';
import { PERIODS_PER_DAY, demandOf, inSession, sliceOf } from './traffic.js';

export const FREQUENCY = 3.5;                // GHz
export const USER_HEIGHT = 1.5;              // m
export const NEAR = 7;                       // sites a user can hear
export const LINKS = NEAR * SECTORS;
export const NOISE_MASK = (1 << 16) - 1;

const DEGREES = 180 / Math.PI;
const LN10_OVER_10 = Math.LN10 / 10;

/** Linear element gain by attenuation in tenths of a decibel, 0..2 A_max (the sum is cut at A_max). */
const elementTable = Float32Array.from({ length: 20 * MAX_ATTENUATION + 1 },
  (_, tenth) => 10 ** ((ELEMENT_GAIN - Math.min(tenth / 10, MAX_ATTENUATION)) / 10));
const verticalTable = Float32Array.from({ length: ANGLE_BINS }, (_, bin) => -10 * verticalCut(bin / 10));

/** Horizontal attenuation in tenths of a decibel by the cosine of the angle off boresight. */
const COSINES = 2048;
const horizontalTable = Float32Array.from({ length: 2 * COSINES + 1 },
  (_, i) => -10 * horizontalCut(Math.acos(i / COSINES - 1) * DEGREES));

/** Angle bin below the horizon by site and distance in metres. */
const DISTANCES = Math.ceil(CIRCUMRADIUS) + 2;
const depressionTable = Uint16Array.from({ length: SITES * DISTANCES }, (_, i) => {
  const height = SITE_HEIGHTS[Math.floor(i / DISTANCES)] - USER_HEIGHT;
  return angleBin(Math.atan2(height, i % DISTANCES + 0.5) * DEGREES);
});
const axisX = Float64Array.from(AZIMUTHS, (azimuth) => Math.cos(azimuth / DEGREES));
const axisY = Float64Array.from(AZIMUTHS, (azimuth) => Math.sin(azimuth / DEGREES));

const INDOORS = 0.7;                         // of those on foot
const COATED = 0.3;                          // of the buildings

/** Gain, linear, of what stands between a user and the street; 1 outdoors. Cars lose 9 dB (TR 38.901 clause 7.4.3.2). */
function wallGain(seed, user, kind) {
  const draw = (what) => uniform(seed, Stream.WALL, user, what);
  if (kind === Kind.CAR || kind === Kind.HIGHWAY) return 10 ** -0.9;
  if (draw(0) >= INDOORS) return 1;
  const model = draw(1) < COATED ? 'high' : 'low';
  const loss = penetrationLoss(FREQUENCY, model, 25 * Math.min(draw(2), draw(3)))
    + PENETRATION_SIGMA[model] * normal(seed, Stream.WALL, user, 4);
  return 10 ** (-Math.max(loss, 0) / 10);
}

let maps = null;

/** Loss maps of the city, made once. */
function cityMaps() {
  maps ??= lossMaps(CITY, FREQUENCY, SITE_HEIGHTS, USER_HEIGHT);
  return maps;
}

export class Environment {
  /** @param {number} seed */
  constructor(seed) {
    this.seed = seed;
    this.maps = cityMaps();
    this.mobility = new Mobility(seed);
    this.linkBefore = new Float32Array(USERS * LINKS);
    this.linkAfter = new Float32Array(USERS * LINKS);
    this.near = new Uint8Array(USERS * NEAR);
    this.squares = new Float64Array(NEAR);
    this.depressionBefore = new Uint16Array(USERS * NEAR);
    this.depressionAfter = new Uint16Array(USERS * NEAR);
    this.slice = Uint8Array.from({ length: USERS }, (_, user) => sliceOf(seed, user, this.mobility.area[user]));
    this.wall = Float64Array.from({ length: USERS }, (_, user) => wallGain(seed, user, this.mobility.kind[user]));
    this.active = new Uint8Array(USERS);
    this.demand = new Float32Array(USERS);                      // Mbit/s down
    this.fading = normalTable(seed, Stream.MEASUREMENT, NOISE_MASK + 1);
    this.period = -1;                                           // since the start
    this.segment = 0;                                           // since the start
  }

  get day() { return Math.floor(this.period / PERIODS_PER_DAY); }

  /** Hour of the day, 0..24. */
  get hour() { return (this.period % PERIODS_PER_DAY) * 24 / PERIODS_PER_DAY; }

  /** Opens the next period: who is in a session now. */
  beginPeriod() {
    this.period++;
    const { seed, period, day } = this;
    const ofDay = period % PERIODS_PER_DAY;
    const level = Math.exp(0.08 * normal(seed, Stream.SESSION, -2, day));
    for (let user = 0; user < USERS; user++) {
      this.active[user] = inSession(seed, user, day, ofDay, this.mobility.area[user], level) ? 1 : 0;
      if (this.active[user]) {
        this.findNear(user);
        this.propagate(user, this.linkAfter, this.depressionAfter);
      }
      if (ofDay === 0) this.demand[user] = demandOf(seed, user, day, this.slice[user]);
    }
  }

  /** Moves on by one segment; there are `SEGMENTS` in a period. */
  advance() {
    [this.linkBefore, this.linkAfter] = [this.linkAfter, this.linkBefore];
    [this.depressionBefore, this.depressionAfter] = [this.depressionAfter, this.depressionBefore];
    this.mobility.advance();
    for (let user = 0; user < USERS; user++) {
      if (this.active[user]) this.propagate(user, this.linkAfter, this.depressionAfter);
    }
    this.segment++;
  }

  /** Where a user's measurement noise of this segment starts in `fading`. */
  fadingOffset(user) { return hash(this.seed, Stream.MEASUREMENT, user, this.segment) & NOISE_MASK; }

  /** The sites nearest to a user, by insertion into a short sorted list. */
  findNear(user) {
    const { near, squares } = this;
    const x = this.mobility.x[user];
    const y = this.mobility.y[user];
    squares.fill(Infinity);
    for (let site = 0; site < SITES; site++) {
      const v = wrap(x - SITE_X[site], y - SITE_Y[site]);
      const square = v[0] * v[0] + v[1] * v[1];
      if (square >= squares[NEAR - 1]) continue;
      let n = NEAR - 1;
      for (; n > 0 && squares[n - 1] > square; n--) {
        squares[n] = squares[n - 1];
        near[user * NEAR + n] = near[user * NEAR + n - 1];
      }
      squares[n] = square;
      near[user * NEAR + n] = site;
    }
  }

  /** One user's gains and angles, at its present place. */
  propagate(user, link, depression) {
    const x = this.mobility.x[user];
    const y = this.mobility.y[user];
    const wall = this.wall[user];
    for (let n = 0; n < NEAR; n++) {
      const site = this.near[user * NEAR + n];
      const v = wrap(x - SITE_X[site], y - SITE_Y[site]);
      const dx = v[0];
      const dy = v[1];
      const path = wall * Math.exp(-LN10_OVER_10 * lossAt(this.maps, site, dx, dy));
      const away = Math.sqrt(dx * dx + dy * dy) + 1e-9;
      const bin = depressionTable[site * DISTANCES + (away | 0)];
      depression[user * NEAR + n] = bin;
      const at = (user * NEAR + n) * SECTORS;
      const inverse = 1 / away;
      for (let k = 0; k < SECTORS; k++) {
        const cosine = (dx * axisX[k] + dy * axisY[k]) * inverse;
        const attenuation = verticalTable[bin] + horizontalTable[((cosine + 1) * COSINES + 0.5) | 0];
        link[at + k] = path * elementTable[(attenuation + 0.5) | 0];
      }
    }
  }
}

export { SEGMENTS, USERS };
