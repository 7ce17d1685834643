/**
 * A3 handover, ping-pong and radio-link failure of one user through one segment.
 *
 * Event A3 (TS 38.331 clause 5.5.4.4), entering:  Mn + Ocn - Hys > Mp + Ocp + Off, held for the time
 * to trigger by the same neighbour. M are filtered measurements in dB:
 * F_n = (1 - a) F_(n-1) + a M_n with a = 1 / 2^(k/4) (clause 5.5.3.2, scaled to the tick).
 * Radio-link failure: SINR below Qout until T310 ends; SINR above Qin stops the timer (TS 38.133 8.1).
 * A handover whose target is below Qout when it is executed fails: the user is dropped too.
 * A handover back to the cell left less than `PING_PONG_SECONDS` ago is a ping-pong.
 *
 * Received powers move geometrically (linearly in dB) between the segment's ends.
 */

import { TICK, TICKS } from './mobility.js';

export const Q_OUT = 10 ** (-8 / 10);              // SINR, linear
export const Q_IN = 10 ** (-6 / 10);
export const PING_PONG_SECONDS = 3;
export const MEASUREMENT_SIGMA = 2.5;              // dB, fading left after layer 1 averaging
export const CANDIDATES = 4;                       // serving cell and its strongest neighbours
export const INTERRUPTION = 0.12;                  // s without data per handover
export const REESTABLISHMENT = 0.8;                // s without data after a failure

const DECIBELS = 10 / Math.LN10;                   // per neper of power

/** Tick by tick, 0 = none. */
export const Outcome = Object.freeze({ NONE: 0, HANDOVER: 1, FAILURE: 2 });

/**
 * One user's segment, set up by the caller and run to its end. All fields are plain numbers or short
 * typed arrays: one instance serves every user.
 */
export class HandoverWalk {
  constructor() {
    this.cell = new Int16Array(CANDIDATES);            // cell numbers
    this.power = new Float64Array(CANDIDATES);         // received power now, mW
    this.growth = new Float64Array(CANDIDATES);        // its factor per tick
    this.level = new Float64Array(CANDIDATES);         // the same, dBm
    this.slope = new Float64Array(CANDIDATES);         // dB per tick
    this.filtered = new Float64Array(CANDIDATES);      // dBm
    this.offset = new Float64Array(CANDIDATES);        // cell individual offsets, dB
    this.load = new Float64Array(CANDIDATES);          // PRB load 0..1: a cell does not disturb itself
    this.count = 0;
    this.total = 0;                                    // all load-weighted received power and noise, mW
    this.totalGrowth = 1;
    this.smoothing = 1;                                // a
    this.a3Offset = 0;                                 // dB
    this.t310Ticks = 12;
    // Carried from segment to segment by the caller:
    this.serving = 0;                                  // index into `cell`
    this.targetCell = -1;
    this.held = 0;                                     // ticks the A3 condition has held
    this.poor = 0;                                     // ticks since SINR fell below Qout
    this.previousCell = -1;
    this.leftAt = -1e9;                                // s, when previousCell was left
    // Results:
    this.handovers = 0;
    this.pingPongs = 0;
    this.failures = 0;
    this.silentSeconds = 0;
  }

  /** Starts a segment for a user with no candidates yet. */
  open() {
    this.count = 0;
    this.serving = 0;
    this.handovers = this.pingPongs = this.failures = 0;
    this.silentSeconds = 0;
  }

  /** Adds a cell; the first added is the serving one. Powers in mW at the segment's two ends. */
  add(cell, before, after, offset, load) {
    const i = this.count++;
    const logBefore = Math.log(before);
    const step = (Math.log(after) - logBefore) / TICKS;
    this.cell[i] = cell;
    this.power[i] = before;
    this.growth[i] = Math.exp(step);
    this.level[i] = this.filtered[i] = DECIBELS * logBefore;
    this.slope[i] = DECIBELS * step;
    this.offset[i] = offset;
    this.load[i] = load;
  }

  /** SINR on the serving cell now, linear. */
  sinr() {
    const own = this.power[this.serving];
    return own / Math.max(this.total - own * this.load[this.serving], 1e-18);
  }

  /**
   * Runs the ticks of a segment.
   * @param {Float64Array} hysteresis dB by cell @param {Uint8Array} triggerTicks time to trigger by cell
   * @param {Float32Array} fading standard normals @param {number} mask its length less one
   * @param {number} at where this user's begin @param {number} now s at the segment's start
   */
  run(hysteresis, triggerTicks, fading, mask, at, now) {
    for (let tick = 0; tick < TICKS; tick++) {
      for (let i = 0; i < this.count; i++) {
        this.power[i] *= this.growth[i];
        this.level[i] += this.slope[i];
        const measured = this.level[i] + MEASUREMENT_SIGMA * fading[(at + tick * CANDIDATES + i) & mask];
        this.filtered[i] += this.smoothing * (measured - this.filtered[i]);
      }
      this.total *= this.totalGrowth;
      const time = now + tick * TICK;
      if (this.monitor() === Outcome.FAILURE) this.fail(time);
      else this.report(hysteresis, triggerTicks, time);
    }
  }

  /** Radio-link monitoring of one tick. */
  monitor() {
    const sinr = this.sinr();
    if (sinr < Q_OUT) {
      this.silentSeconds += TICK;
      this.poor++;
    } else if (sinr > Q_IN) this.poor = 0;
    else if (this.poor > 0) this.poor++;
    return this.poor >= this.t310Ticks ? Outcome.FAILURE : Outcome.NONE;
  }

  /** A3 evaluation of one tick. */
  report(hysteresis, triggerTicks, time) {
    const from = this.cell[this.serving];
    const bar = this.filtered[this.serving] + this.offset[this.serving] + this.a3Offset + hysteresis[from];
    let best = -1;
    let bestLevel = bar;
    for (let i = 0; i < this.count; i++) {
      const level = this.filtered[i] + this.offset[i];
      if (i !== this.serving && level > bestLevel) { best = i; bestLevel = level; }
    }
    if (best < 0) {
      this.held = 0;
      this.targetCell = -1;
      return;
    }
    if (this.cell[best] !== this.targetCell) {
      this.targetCell = this.cell[best];
      this.held = 0;
    }
    if (++this.held >= triggerTicks[from]) this.execute(best, time);
  }

  execute(target, time) {
    const from = this.cell[this.serving];
    this.handovers++;
    if (this.cell[target] === this.previousCell && time - this.leftAt < PING_PONG_SECONDS) this.pingPongs++;
    this.settle(target, from, time);
    this.silentSeconds += INTERRUPTION;
    if (this.sinr() < Q_OUT) this.fail(time);
  }

  /** Failure: re-establishment on the strongest candidate. */
  fail(time) {
    let best = this.serving;
    for (let i = 0; i < this.count; i++) if (this.level[i] > this.level[best]) best = i;
    this.failures++;
    this.silentSeconds += REESTABLISHMENT;
    if (best !== this.serving) this.settle(best, this.cell[this.serving], time);
    this.held = this.poor = 0;
  }

  settle(target, from, time) {
    this.previousCell = from;
    this.leftAt = time;
    this.serving = target;
    this.targetCell = -1;
    this.held = this.poor = 0;
  }
}
