import { cellWatts } from '../../examples/ran/energy.js';
import { Environment, SEGMENTS } from '../../examples/ran/environment.js';
import { CELLS } from '../../examples/ran/geometry.js';
import { runPeriod } from '../../examples/ran/loop.js';
import { Network } from '../../examples/ran/network.js';
import { AGENTS, KNOBS, Levels, defaultLevel } from '../../examples/ran/parameters.js';
import { COMPONENTS, networkReward } from '../../examples/ran/reward.js';
import { allocate, spectralEfficiency } from '../../examples/ran/scheduler.js';
import { activity } from '../../examples/ran/traffic.js';
import { UE_POWER, blockPower, powerLimitedShare } from '../../examples/ran/uplink.js';

const SEED = 20260;
const START = 40;                                  // periods: ten in the morning

/** Runs networks with the given levels over the same users, from the morning on. */
function runFor(periods, levels, seed = SEED) {
  const environment = new Environment(seed);
  environment.period = START - 1;
  environment.demand.fill(5);
  const networks = levels.map((each) => new Network(environment, each));
  for (let p = 0; p < periods; p++) runPeriod(environment, networks);
  return networks;
}

const at = (name, level) => {
  const levels = new Levels();
  levels.fill(name, level);
  return levels;
};

/** The network at the lowest and at the highest level of a knob. */
function ends(name, periods = 3) {
  const top = KNOBS.find((knob) => knob.name === name).levels.length - 1;
  return runFor(periods, [at(name, 0), at(name, top)]).map((network) => ({ network, ...network.kpis.summary() }));
}

test('593 agents: ten knobs per cell, one per site, four of the network', () => {
  expect(AGENTS).toBe(593);
  expect(KNOBS.filter((knob) => knob.scope === 'cell')).toHaveLength(10);
  for (const knob of KNOBS) expect(defaultLevel(knob)).toBeGreaterThanOrEqual(0);
});

test('the same seed gives the same KPIs, another seed others', () => {
  const [a] = runFor(4, [new Levels()]);
  const [b] = runFor(4, [new Levels()]);
  const [c] = runFor(4, [new Levels()], SEED + 1);
  expect(a.kpis.summary()).toEqual(b.kpis.summary());
  expect(a.components).toEqual(b.components);
  expect(a.kpis.summary()).not.toEqual(c.kpis.summary());
});

test('two networks on one environment do not disturb each other', () => {
  const [alone] = runFor(3, [new Levels()]);
  const [beside] = runFor(3, [new Levels(), at('tilt', 0)]);
  expect(beside.kpis.summary()).toEqual(alone.kpis.summary());
});

test('a copy of the state goes on like the original', () => {
  const environment = new Environment(SEED);
  const original = new Network(environment);
  for (let p = 0; p < 3; p++) runPeriod(environment, [original]);
  const copy = new Network(environment);
  copy.copyState(original);
  runPeriod(environment, [original, copy]);
  expect(copy.components).toEqual(original.components);
});

describe('every knob matters', () => {
  test.each(KNOBS.filter((knob) => knob.name !== 'offset').map((knob) => knob.name))('%s changes the reward', (name) => {
    const [low, high] = ends(name, 4);
    expect(low.reward).not.toBe(high.reward);
  });

  test('power: more watts', () => {
    const [low, high] = ends('power');
    expect(high.energyKwh).toBeGreaterThan(low.energyKwh * 1.1);
  });

  test('cell individual offset: draws users to the cell', () => {
    const raised = new Levels();
    for (let cell = 0; cell < CELLS; cell += 3) raised.of.offset[cell] = 6;
    const users = [0, 0];
    const environment = new Environment(SEED);
    environment.period = START - 1;
    environment.demand.fill(5);
    const networks = [new Levels(), raised].map((each) => new Network(environment, each));
    for (let p = 0; p < 3; p++) {
      runPeriod(environment, networks);
      networks.forEach((network, i) => { for (let cell = 0; cell < CELLS; cell += 3) users[i] += network.users[cell]; });
    }
    expect(users[1]).toBeGreaterThan(users[0]);
  });

  test('hysteresis and time to trigger: fewer handovers', () => {
    for (const name of ['hysteresis', 'timeToTrigger', 'a3Offset']) {
      const [low, high] = ends(name, 3);
      expect(high.handoverRate).toBeLessThan(low.handoverRate * 0.9);
    }
  });

  test('T310: a longer one declares fewer failures', () => {
    const [low, high] = ends('t310');
    expect(high.dropRate).toBeLessThan(low.dropRate);
  });

  test('slice share: priority users are served, broadband pays', () => {
    const [low, high] = ends('sliceShare');
    expect(high.priorityServed).toBeGreaterThan(low.priorityServed);
    expect(high.meanRateMbps).toBeLessThan(low.meanRateMbps);
  });

  test('sleep threshold: cells sleep, energy falls', () => {
    const [never, eager] = ends('sleepThreshold');
    expect(never.network.asleep.some(Boolean)).toBe(false);
    expect(eager.energyKwh).toBeLessThan(never.energyKwh);
  });

  test('admission threshold: a lower one refuses more', () => {
    const [low, high] = ends('admissionThreshold');
    expect(low.blockRate).toBeGreaterThan(high.blockRate);
  });

  test('P0 and alpha: power rises with both and stops at 23 dBm', () => {
    expect(blockPower(-88, 0.8, 1e-10)).toBeCloseTo(10 ** -0.8, 6);
    expect(blockPower(-84, 0.8, 1e-10) / blockPower(-88, 0.8, 1e-10)).toBeCloseTo(10 ** 0.4, 6);
    expect(blockPower(-88, 0.9, 1e-10) / blockPower(-88, 0.8, 1e-10)).toBeCloseTo(10, 6);
    expect(blockPower(-76, 1, 1e-14)).toBe(UE_POWER);
    expect(powerLimitedShare(UE_POWER)).toBeCloseTo(0.01, 12);
  });
});

describe('energy', () => {
  test('EARTH macro model', () => {
    expect(cellWatts(40000, 0, false)).toBeCloseTo(260, 9);
    expect(cellWatts(40000, 1, false)).toBeCloseTo(448, 9);
    expect(cellWatts(40000, 1, true)).toBe(150);
  });

  test('the account is the sum of the cells', () => {
    const [network] = runFor(2, [new Levels()]);
    const watts = network.watts.reduce((sum, value) => sum + value, 0);
    const before = network.kpis.wattSum;
    runPeriod(network.environment, [network]);
    const now = network.watts.reduce((sum, value) => sum + value, 0);
    expect(watts).toBeGreaterThan(CELLS * 150);
    expect((network.kpis.wattSum - before) / SEGMENTS).toBeCloseTo(now, 6);
  });
});

test('the reward is the mean of the cells, all components counted', () => {
  const components = new Float64Array(CELLS * COMPONENTS).fill(1);
  expect(networkReward(components)).toBeCloseTo(COMPONENTS, 12);
  const [network] = runFor(1, [new Levels()]);
  expect(network.reward).toBe(networkReward(network.components));
});

describe('scheduler', () => {
  const list = Int32Array.from([0, 1, 2]);
  const share = new Float32Array(3);

  test('meets all needs that fit', () => {
    const need = Float32Array.from([0.1, 0.2, 0.3]);
    expect(allocate(list, 0, 3, need, new Float32Array(3).fill(1), share, 1)).toBeCloseTo(0.6, 6);
    expect(share).toEqual(need);
  });

  test('shares by weight, gives nobody more than it needs, wastes nothing', () => {
    const need = Float32Array.from([0.1, 2, 2]);
    const used = allocate(list, 0, 3, need, Float32Array.from([1, 1, 2]), share, 1);
    expect(used).toBeCloseTo(1, 5);
    expect(share[0]).toBeCloseTo(0.1, 6);
    expect(share[1]).toBeCloseTo(0.3, 5);
    expect(share[2]).toBeCloseTo(0.6, 5);
  });

  test('efficiency grows with SINR up to its ceiling', () => {
    expect(spectralEfficiency(1)).toBeCloseTo(0.75, 12);
    expect(spectralEfficiency(1e9)).toBe(5.55);
  });
});

test('activity follows the clock', () => {
  expect(activity(13.5, 0)).toBeGreaterThan(5 * activity(3, 0));
  expect(activity(20.5, 1)).toBeGreaterThan(activity(13.5, 1));
});
