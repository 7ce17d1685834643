/**
 * One network over an environment: its parameters, who is served where, and what comes of it.
 *
 * Use, per period:  environment.beginPeriod(); network.beginPeriod();
 *                   SEGMENTS times { environment.advance(); network.segment(); }
 *                   network.endPeriod();
 *
 * Received powers are per carrier (20 MHz), in milliwatts. Interference is load-weighted: a cell
 * disturbs others in proportion to the resource blocks it used in the segment before.
 */

import { ANGLE_BINS, arrayFactorTable } from './antenna.js';
import { cellWatts } from './energy.js';
import { LINKS, NEAR, NOISE_MASK } from './environment.js';
import { CELLS, NEIGHBOURS, SECTORS, SITES, neighbourTable } from './geometry.js';
import { HandoverWalk } from './handover.js';
import { Kpis } from './kpis.js';
import { SEGMENTS, SEGMENT_SECONDS, TICK, TICKS, USERS } from './mobility.js';
import { KNOBS, Levels, knobNamed } from './parameters.js';
import { COMPONENTS, Component, UPLINK_SCALE, Weight, networkReward } from './reward.js';
import { BANDWIDTH, allocate, spectralEfficiency } from './scheduler.js';
import { Slice, UPLINK_FRACTION } from './traffic.js';
import { UPLINK_NOISE, blockPower, powerLimitedShare } from './uplink.js';

export const NEIGHBOUR_TABLE = neighbourTable();
export const DOWNLINK_NOISE = 10 ** ((-174 + 10 * Math.log10(BANDWIDTH) + 7) / 10);   // mW, noise figure 7 dB
export const STARVED_MBPS = 0.4;               // a broadband session below this is lost
const MEGA = 1e6;

const ARRAY_FACTOR = arrayFactorTable(knobNamed('tilt').levels);
const linear = (decibel) => 10 ** (decibel / 10);

export class Network {
  /** @param {import('./environment.js').Environment} environment @param {Levels} [levels] */
  constructor(environment, levels = new Levels()) {
    this.environment = environment;
    this.levels = levels;
    this.kpis = new Kpis();
    this.walk = new HandoverWalk();
    this.makeParameters();
    this.makeCells();
    this.makeUsers();
  }

  makeParameters() {
    const cells = () => new Float64Array(CELLS);
    this.power = cells();                        // mW
    this.offset = cells();                       // dB
    this.bias = cells();                         // the same, linear
    this.hysteresis = cells();                   // dB
    this.p0 = cells();                           // dBm
    this.alpha = cells();
    this.sliceShare = cells();
    this.sleepThreshold = cells();
    this.admissionThreshold = cells();
    this.triggerTicks = new Uint8Array(CELLS);
    this.tiltRow = new Int32Array(CELLS);        // offset into ARRAY_FACTOR
    this.wakeThreshold = new Float64Array(SITES);
    this.fairness = 0;
  }

  makeCells() {
    const cells = () => new Float64Array(CELLS);
    this.asleep = new Uint8Array(CELLS);
    this.load = cells();                         // PRB load, 0..1, smoothed
    this.offered = cells();                      // blocks asked for over blocks there are, may pass 1
    this.priorityOffered = cells();              // the priority slice's part of it
    this.uplinkLoad = cells();
    this.uplinkInterference = cells();           // mW per block
    this.uplinkPower = cells();
    this.neighbourLoad = cells();                // mean over awake neighbours
    this.users = new Int32Array(CELLS);          // admitted, at the last segment
    this.fastUsers = new Int32Array(CELLS);      // of these, faster than 5 m/s
    this.rateSum = cells();                      // Mbit/s, over the period's segments
    this.edgeUsers = cells();                    // users below 2 Mbit/s, over the period's segments
    this.failures = cells();                     // of this period
    this.blocks = cells();
    this.handovers = cells();
    this.pingPongs = cells();
    this.watts = cells();
    this.components = new Float64Array(CELLS * COMPONENTS);   // of this period
    this.reward = 0;                             // of the last period
  }

  makeUsers() {
    this.serving = new Int16Array(USERS).fill(-1);
    this.admitted = new Uint8Array(USERS);
    this.previousCell = new Int16Array(USERS).fill(-1);
    this.leftAt = new Float64Array(USERS).fill(-1e9);
    this.targetCell = new Int16Array(USERS).fill(-1);
    this.held = new Int32Array(USERS);
    this.poor = new Int32Array(USERS);
    this.talking = new Float32Array(USERS);      // share of the segment in which data can flow
    this.rxBefore = new Float32Array(USERS * LINKS);
    this.rxAfter = new Float32Array(USERS * LINKS);
    this.slot = new Uint8Array(USERS);           // of the serving cell among the user's links
    this.need = new Float32Array(USERS);
    this.weight = new Float32Array(USERS);
    this.share = new Float32Array(USERS);
    this.efficiency = new Float32Array(USERS);
    this.blockPower = new Float32Array(USERS);
    this.first = new Int32Array(2 * CELLS + 1);  // users of (cell, slice) are list[first[2 cell + slice] ..]
    this.list = new Int32Array(USERS);
    this.fill = new Int32Array(2 * CELLS);
  }

  /**
   * Takes over another network's state, accounts excepted: from here on the two differ only in their levels.
   * @param {Network} other on the same environment
   */
  copyState(other) {
    for (const name of STATE) this[name].set(other[name]);
    for (const knob of KNOBS) this.levels.of[knob.name].set(other.levels.of[knob.name]);
  }

  /** Parameter values from the levels. */
  applyLevels() {
    const { levels } = this;
    const value = (name, unit) => VALUES[name][levels.of[name][unit]];
    for (let cell = 0; cell < CELLS; cell++) {
      this.tiltRow[cell] = levels.of.tilt[cell] * ANGLE_BINS;
      this.power[cell] = linear(value('power', cell));
      this.offset[cell] = value('offset', cell);
      this.bias[cell] = linear(this.offset[cell]);
      this.hysteresis[cell] = value('hysteresis', cell);
      this.triggerTicks[cell] = Math.max(1, Math.round(value('timeToTrigger', cell) / 1000 / TICK));
      this.p0[cell] = value('p0', cell);
      this.alpha[cell] = value('alpha', cell);
      this.sliceShare[cell] = value('sliceShare', cell);
      this.sleepThreshold[cell] = value('sleepThreshold', cell);
      this.admissionThreshold[cell] = value('admissionThreshold', cell);
    }
    for (let site = 0; site < SITES; site++) this.wakeThreshold[site] = value('wakeThreshold', site);
    this.walk.a3Offset = value('a3Offset', 0);
    this.walk.smoothing = 0.5 ** (value('filterCoefficient', 0) / 4);
    this.walk.t310Ticks = Math.max(1, Math.round(value('t310', 0) / 1000 / TICK));
    this.fairness = value('fairness', 0);
  }

  /** Opens a period: new parameters, sleep, attachment, admission. The environment's period is open. */
  beginPeriod() {
    this.applyLevels();
    this.components.fill(0);
    const perPeriod = [this.rateSum, this.edgeUsers, this.failures, this.blocks, this.handovers, this.pingPongs, this.watts];
    for (const field of perPeriod) field.fill(0);
    this.updateSleep();
    this.receive(this.rxAfter, this.environment.linkAfter, this.environment.depressionAfter);
    this.attach();
  }

  /** Which cells sleep in this period. One cell of a site always stays awake. */
  updateSleep() {
    const { asleep, load } = this;
    for (let cell = 0; cell < CELLS; cell++) {
      const site = cell / SECTORS | 0;
      const busy = this.neighbourLoad[cell] > this.wakeThreshold[site];
      if (asleep[cell]) {
        if (busy || this.sleepThreshold[cell] === 0) {
          asleep[cell] = 0;
          load[cell] = this.offered[cell] = 0;
        }
      } else if (!busy && load[cell] < this.sleepThreshold[cell] && this.awakeAt(site) > 1) {
        asleep[cell] = 1;
        load[cell] = this.offered[cell] = this.priorityOffered[cell] = this.uplinkLoad[cell] = 0;
      }
    }
  }

  awakeAt(site) {
    let awake = 0;
    for (let k = 0; k < SECTORS; k++) awake += 1 - this.asleep[site * SECTORS + k];
    return awake;
  }

  /** Received powers of all users in a session: rx[user * LINKS + l], mW; 0 from cells asleep. */
  receive(rx, link, depression) {
    const { active, near } = this.environment;
    const { power, tiltRow, asleep } = this;
    for (let user = 0; user < USERS; user++) {
      if (!active[user]) continue;
      let at = user * LINKS;
      for (let n = user * NEAR; n < user * NEAR + NEAR; n++) {
        const bin = depression[n];
        for (let cell = near[n] * SECTORS, end = cell + SECTORS; cell < end; cell++, at++) {
          rx[at] = asleep[cell] ? 0 : link[at] * ARRAY_FACTOR[tiltRow[cell] + bin] * power[cell];
        }
      }
    }
  }

  /** Ends sessions, starts new ones on their strongest cell, moves users off cells that went to sleep. */
  attach() {
    const { active } = this.environment;
    for (let user = 0; user < USERS; user++) {
      if (!active[user]) {
        this.serving[user] = -1;
        this.admitted[user] = 0;
        continue;
      }
      this.kpis.attempts++;
      if (this.admitted[user] && !this.findSlot(user)) this.rehome(user);
      if (!this.admitted[user]) this.admit(user);
    }
  }

  /** Place of the serving cell among the user's links. @returns {boolean} false where it is asleep or out of reach */
  findSlot(user) {
    const cell = this.serving[user];
    const site = cell / SECTORS | 0;
    const { near } = this.environment;
    if (this.asleep[cell]) return false;
    for (let n = 0; n < NEAR; n++) {
      if (near[user * NEAR + n] !== site) continue;
      this.slot[user] = n * SECTORS + cell % SECTORS;
      return true;
    }
    return false;
  }

  /** Cell of one of a user's links. */
  cellAt(user, slot) {
    return this.environment.near[user * NEAR + (slot / SECTORS | 0)] * SECTORS + slot % SECTORS;
  }

  rehome(user) {
    const from = this.serving[user];
    const slot = this.strongest(user, this.rxAfter);
    this.handovers[from]++;
    this.previousCell[user] = from;
    this.leftAt[user] = this.environment.segment * SEGMENT_SECONDS;
    this.moveTo(user, slot);
  }

  /** Admission control: refused while the cell is asked for more than its threshold. */
  admit(user) {
    this.moveTo(user, this.strongest(user, this.rxAfter));
    const cell = this.serving[user];
    if (this.offered[cell] > this.admissionThreshold[cell]) {
      this.blocks[cell]++;
      return;
    }
    this.admitted[user] = 1;
    this.previousCell[user] = -1;
  }

  moveTo(user, slot) {
    this.slot[user] = slot;
    this.serving[user] = this.cellAt(user, slot);
    this.targetCell[user] = -1;
    this.held[user] = this.poor[user] = 0;
  }

  /** Strongest link of a user, cell individual offsets counted. */
  strongest(user, rx) {
    let best = 0;
    let bestPower = -1;
    for (let slot = 0, at = user * LINKS; slot < LINKS; slot++, at++) {
      const power = rx[at] * this.bias[this.cellAt(user, slot)];
      if (power > bestPower) { best = slot; bestPower = power; }
    }
    return best;
  }

  /** One segment; the environment has advanced by it. */
  segment() {
    [this.rxBefore, this.rxAfter] = [this.rxAfter, this.rxBefore];
    this.receive(this.rxAfter, this.environment.linkAfter, this.environment.depressionAfter);
    this.moveUsers();
    this.group();
    this.downlink();
    this.uplink();
    this.accountEnergy();
  }

  // ---------------------------------------------------------------- mobility

  moveUsers() {
    const now = (this.environment.segment - 1) * SEGMENT_SECONDS;
    for (let user = 0; user < USERS; user++) {
      this.talking[user] = 1;
      if (this.admitted[user] && this.prepareWalk(user)) this.walkUser(user, now);
    }
  }

  /**
   * Candidates of a user. @returns {boolean} false where nothing can happen: the serving cell stays
   * far stronger than all others to the end
   */
  prepareWalk(user) {
    const { walk, rxBefore, rxAfter, bias, load, environment: { near } } = this;
    const serving = this.slot[user];
    let totalBefore = DOWNLINK_NOISE;
    let totalAfter = DOWNLINK_NOISE;
    let first = -1, second = -1, third = -1;
    let firstPower = 0, secondPower = 0, thirdPower = 0;
    for (let n = 0, slot = 0, at = user * LINKS; n < NEAR; n++) {
      for (let cell = near[user * NEAR + n] * SECTORS, end = cell + SECTORS; cell < end; cell++, slot++, at++) {
        const before = rxBefore[at];
        const after = rxAfter[at];
        totalBefore += before * load[cell];
        totalAfter += after * load[cell];
        const power = (before > after ? before : after) * bias[cell];
        if (power <= thirdPower || slot === serving) continue;
        if (power > firstPower) {
          third = second; thirdPower = secondPower;
          second = first; secondPower = firstPower;
          first = slot; firstPower = power;
        } else if (power > secondPower) {
          third = second; thirdPower = secondPower;
          second = slot; secondPower = power;
        } else { third = slot; thirdPower = power; }
      }
    }
    const own = user * LINKS + serving;
    const weakest = Math.min(rxBefore[own], rxAfter[own]) * bias[this.serving[user]];
    if (weakest > 2.5 * firstPower) return false;
    walk.open();
    walk.total = totalBefore;
    walk.totalGrowth = Math.exp(Math.log(totalAfter / totalBefore) / TICKS);
    this.addCandidate(user, serving);
    if (first >= 0) this.addCandidate(user, first);
    if (second >= 0) this.addCandidate(user, second);
    if (third >= 0) this.addCandidate(user, third);
    return true;
  }

  addCandidate(user, slot) {
    const cell = this.cellAt(user, slot);
    const at = user * LINKS + slot;
    this.walk.add(cell, this.rxBefore[at], this.rxAfter[at], this.offset[cell], this.load[cell]);
  }

  walkUser(user, now) {
    const { walk, environment } = this;
    const from = this.serving[user];
    walk.targetCell = this.targetCell[user];
    walk.held = this.held[user];
    walk.poor = this.poor[user];
    walk.previousCell = this.previousCell[user];
    walk.leftAt = this.leftAt[user];
    walk.run(this.hysteresis, this.triggerTicks, environment.fading, NOISE_MASK, environment.fadingOffset(user), now);
    this.targetCell[user] = walk.targetCell;
    this.held[user] = walk.held;
    this.poor[user] = walk.poor;
    this.previousCell[user] = walk.previousCell;
    this.leftAt[user] = walk.leftAt;
    this.serving[user] = walk.cell[walk.serving];
    this.findSlot(user);
    this.talking[user] = Math.max(0, 1 - walk.silentSeconds / SEGMENT_SECONDS);
    this.handovers[from] += walk.handovers;
    this.pingPongs[from] += walk.pingPongs;
    this.failures[from] += walk.failures;
  }

  // ---------------------------------------------------------------- rates

  /** Sorts admitted users by (cell, slice). */
  group() {
    const { first, list, fill, serving, admitted, environment } = this;
    const { slice, mobility } = environment;
    first.fill(0);
    this.users.fill(0);
    this.fastUsers.fill(0);
    for (let user = 0; user < USERS; user++) {
      if (!admitted[user]) continue;
      const cell = serving[user];
      first[2 * cell + slice[user] + 1]++;
      this.users[cell]++;
      if (mobility.speed[user] > 5) this.fastUsers[cell]++;
    }
    for (let i = 0; i < 2 * CELLS; i++) {
      first[i + 1] += first[i];
      fill[i] = first[i];
    }
    for (let user = 0; user < USERS; user++) {
      if (admitted[user]) list[fill[2 * serving[user] + slice[user]]++] = user;
    }
  }

  downlink() {
    const { rxAfter, load, serving, admitted, environment, fairness } = this;
    const { near } = environment;
    for (let user = 0; user < USERS; user++) {
      if (!admitted[user]) continue;
      let total = DOWNLINK_NOISE;
      for (let n = user * NEAR, at = user * LINKS; n < user * NEAR + NEAR; n++) {
        for (let cell = near[n] * SECTORS, end = cell + SECTORS; cell < end; cell++, at++) total += rxAfter[at] * load[cell];
      }
      const own = rxAfter[user * LINKS + this.slot[user]];
      const efficiency = spectralEfficiency(own / Math.max(total - own * load[serving[user]], 1e-18)) + 1e-6;
      this.efficiency[user] = efficiency;
      this.need[user] = environment.demand[user] * MEGA / (efficiency * BANDWIDTH);
      this.weight[user] = fairness === 0 ? 1 : efficiency ** fairness;
    }
    for (let cell = 0; cell < CELLS; cell++) this.serveCell(cell);
    this.countRefused();
    this.updateNeighbourLoad();
  }

  serveCell(cell) {
    if (this.asleep[cell]) return;
    const { first, list, need, weight, share } = this;
    const from = first[2 * cell], middle = first[2 * cell + 1], to = first[2 * cell + 2];
    const reserved = this.sliceShare[cell];
    const used = allocate(list, from, middle, need, weight, share, 1 - reserved)
      + allocate(list, middle, to, need, weight, share, reserved);
    let offered = 0;
    let priority = 0;
    for (let i = from; i < to; i++) offered += need[list[i]];
    for (let i = middle; i < to; i++) priority += need[list[i]];
    this.load[cell] = 0.5 * this.load[cell] + 0.5 * used;
    this.offered[cell] = 0.5 * this.offered[cell] + 0.5 * offered;
    this.priorityOffered[cell] = 0.5 * this.priorityOffered[cell] + 0.5 * priority;
    this.payCell(cell, from, to);
  }

  /** Utility of the rates of a cell's users. */
  payCell(cell, from, to) {
    const { environment, kpis } = this;
    let data = 0;
    for (let i = from; i < to; i++) {
      const user = this.list[i];
      const rate = this.share[user] * this.efficiency[user] * BANDWIDTH / MEGA * this.talking[user];
      this.rateSum[cell] += rate;
      if (environment.slice[user] === Slice.PRIORITY) {
        const served = rate / environment.demand[user];
        data += Weight.PRIORITY * served;
        kpis.prioritySum += served;
        kpis.prioritySamples++;
        continue;
      }
      data += Math.log(1 + rate);
      kpis.addRate(rate);
      if (rate < 2) this.edgeUsers[cell]++;
      if (rate < STARVED_MBPS) this.starve(user, cell);
    }
    this.components[cell * COMPONENTS + Component.DATA] += data / SEGMENTS;
  }

  /** A session whose share is next to nothing is lost; the user asks again in the next period. */
  starve(user, cell) {
    if (this.talking[user] < 0.7) return;                    // counted as a radio-link failure already
    this.failures[cell]++;
    this.admitted[user] = 2;                                 // served to the segment's end
  }

  /** Sessions waiting outside count with rate 0. */
  countRefused() {
    const { active, slice } = this.environment;
    for (let user = 0; user < USERS; user++) {
      if (!active[user]) continue;
      this.kpis.sessions++;
      if (this.admitted[user]) continue;
      if (slice[user] === Slice.BROADBAND) this.kpis.addRate(0);
      else this.kpis.prioritySamples++;
    }
  }

  updateNeighbourLoad() {
    for (let cell = 0; cell < CELLS; cell++) {
      let sum = 0;
      let awake = 0;
      for (let n = 0; n < NEIGHBOURS; n++) {
        const other = NEIGHBOUR_TABLE[cell * NEIGHBOURS + n];
        if (this.asleep[other]) continue;
        sum += this.load[other];
        awake++;
      }
      this.neighbourLoad[cell] = awake ? sum / awake : 1;
    }
  }

  // ---------------------------------------------------------------- uplink

  uplink() {
    this.spreadUplinkInterference();
    for (let user = 0; user < USERS; user++) {
      if (!this.admitted[user]) continue;
      const cell = this.serving[user];
      const gain = this.rxAfter[user * LINKS + this.slot[user]] / this.power[cell];
      const sinr = this.blockPower[user] * gain / (UPLINK_NOISE + this.uplinkInterference[cell]);
      const efficiency = spectralEfficiency(sinr) + 1e-6;
      this.efficiency[user] = efficiency;
      const wanted = UPLINK_FRACTION * this.environment.demand[user] * MEGA / (efficiency * BANDWIDTH);
      this.need[user] = Math.min(wanted, powerLimitedShare(this.blockPower[user]));
      this.weight[user] = 1;
    }
    for (let cell = 0; cell < CELLS; cell++) this.serveUplink(cell);
    for (let user = 0; user < USERS; user++) if (this.admitted[user] === 2) this.admitted[user] = 0;
  }

  /** Interference at each cell from the users of all others, by the load of the segment before. */
  spreadUplinkInterference() {
    const { uplinkInterference, rxAfter, power, environment: { near } } = this;
    uplinkInterference.fill(0);
    for (let user = 0; user < USERS; user++) {
      if (!this.admitted[user]) continue;
      const serving = this.serving[user];
      const gain = rxAfter[user * LINKS + this.slot[user]] / power[serving];
      this.blockPower[user] = blockPower(this.p0[serving], this.alpha[serving], gain);
      const sent = this.blockPower[user] * this.uplinkLoad[serving] / this.users[serving];
      for (let n = user * NEAR, at = user * LINKS; n < user * NEAR + NEAR; n++) {
        for (let cell = near[n] * SECTORS, end = cell + SECTORS; cell < end; cell++, at++) {
          if (cell !== serving) uplinkInterference[cell] += sent * rxAfter[at] / power[cell];
        }
      }
    }
  }

  serveUplink(cell) {
    const from = this.first[2 * cell], to = this.first[2 * cell + 2];
    const used = allocate(this.list, from, to, this.need, this.weight, this.share, 1);
    let value = 0;
    for (let i = from; i < to; i++) {
      const user = this.list[i];
      const rate = this.share[user] * this.efficiency[user] * BANDWIDTH / MEGA * this.talking[user];
      value += Math.log(1 + rate / UPLINK_SCALE);
      this.kpis.uplinkSum += rate;
    }
    this.uplinkLoad[cell] = 0.5 * this.uplinkLoad[cell] + 0.5 * used;
    this.components[cell * COMPONENTS + Component.UPLINK] += Weight.UPLINK * value / SEGMENTS;
  }

  // ---------------------------------------------------------------- accounts

  accountEnergy() {
    for (let cell = 0; cell < CELLS; cell++) {
      const watts = cellWatts(this.power[cell], this.load[cell], this.asleep[cell] === 1);
      this.watts[cell] += watts / SEGMENTS;
      this.kpis.wattSum += watts;
    }
    this.kpis.segments++;
  }

  /** Closes a period: the cells' components and the network's reward are complete. @returns {number} the reward */
  endPeriod() {
    const { components, kpis } = this;
    for (let cell = 0; cell < CELLS; cell++) {
      const at = cell * COMPONENTS;
      components[at + Component.LOSSES] = -Weight.DROP * this.failures[cell] - Weight.BLOCK * this.blocks[cell];
      components[at + Component.MOBILITY] = -Weight.PING_PONG * this.pingPongs[cell] - Weight.HANDOVER * this.handovers[cell];
      components[at + Component.ENERGY] = -Weight.WATT * this.watts[cell];
      kpis.drops += this.failures[cell];
      kpis.blocks += this.blocks[cell];
      kpis.handovers += this.handovers[cell];
      kpis.pingPongs += this.pingPongs[cell];
    }
    this.reward = networkReward(components);
    kpis.rewardSum += this.reward;
    kpis.periods++;
    return this.reward;
  }
}

/** What a period hands to the next. */
const STATE = ['asleep', 'load', 'offered', 'priorityOffered', 'uplinkLoad', 'neighbourLoad', 'serving', 'slot', 'admitted',
  'previousCell', 'leftAt', 'targetCell', 'held', 'poor'];

const VALUES = Object.fromEntries(KNOBS.map((knob) => [knob.name, knob.levels]));
