/**
 * Key performance indicators of a run, accumulated over its periods.
 *
 *   edgeRateMbps    5th percentile of the down-link rate of broadband sessions; refused ones count as 0
 *   meanRateMbps    mean of the same
 *   uplinkRateMbps  mean uplink rate of all sessions
 *   priorityServed  mean share of their demand that priority sessions got
 *   dropRate        radio-link failures and starved sessions per session-minute
 *   blockRate       share of session-periods refused by admission control
 *   pingPongRate    ping-pongs per handover
 *   handoverRate    handovers per session-minute
 *   energyKwh       energy of all cells per day, kWh
 */

import { SEGMENT_SECONDS } from './mobility.js';

const BINS = 4096;
const BIN_WIDTH = 0.01;                              // Mbit/s

export class Kpis {
  constructor() {
    this.histogram = new Uint32Array(BINS);          // broadband rates, the last bin holds all above
    this.samples = 0;
    this.rateSum = 0;
    this.uplinkSum = 0;
    this.prioritySum = 0;
    this.prioritySamples = 0;
    this.sessions = 0;                               // user-segments, all slices, admitted or not
    this.attempts = 0;                               // user-periods
    this.drops = 0;
    this.blocks = 0;
    this.handovers = 0;
    this.pingPongs = 0;
    this.wattSum = 0;                                // of the network, per segment
    this.segments = 0;
    this.rewardSum = 0;
    this.periods = 0;
  }

  /** A broadband session's rate in a segment, Mbit/s. */
  addRate(rate) {
    const bin = rate / BIN_WIDTH | 0;
    this.histogram[bin < BINS ? bin : BINS - 1]++;
    this.samples++;
    this.rateSum += rate;
  }

  /** Rate below which a share of the sessions lies, Mbit/s. */
  percentile(share) {
    let left = share * this.samples;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.histogram[bin];
      if (left <= 0) return (bin + 0.5) * BIN_WIDTH;
    }
    return BINS * BIN_WIDTH;
  }

  /** @returns {Record<string, number>} the indicators named above and `reward`, the mean per period */
  summary() {
    const minutes = Math.max(this.sessions * SEGMENT_SECONDS / 60, 1e-9);
    return {
      reward: this.rewardSum / Math.max(this.periods, 1),
      edgeRateMbps: this.percentile(0.05),
      meanRateMbps: this.rateSum / Math.max(this.samples, 1),
      uplinkRateMbps: this.uplinkSum / Math.max(this.sessions, 1),
      priorityServed: this.prioritySum / Math.max(this.prioritySamples, 1),
      dropRate: this.drops / minutes,
      blockRate: this.blocks / Math.max(this.attempts, 1),
      pingPongRate: this.pingPongs / Math.max(this.handovers, 1),
      handoverRate: this.handovers / minutes,
      energyKwh: this.wattSum / Math.max(this.segments, 1) * 24 / 1000,
    };
  }
}

