import { CANDIDATES, HandoverWalk, PING_PONG_SECONDS } from '../../examples/ran/handover.js';
import { TICK, TICKS } from '../../examples/ran/mobility.js';

const dBm = (level) => 10 ** (level / 10);
const SILENT = new Float32Array(1024);

/** A walk without measurement noise: cells as [cell, dBm before, dBm after]. */
function walkAlong(walk, cells, { hysteresis = 2, ticks = 4, now = 0 } = {}) {
  walk.open();
  walk.total = cells.reduce((sum, [, before]) => sum + dBm(before), dBm(-94));
  walk.totalGrowth = (cells.reduce((sum, [, , after]) => sum + dBm(after), dBm(-94)) / walk.total) ** (1 / TICKS);
  for (const [cell, before, after] of cells) walk.add(cell, dBm(before), dBm(after), 0, 1);
  walk.run(new Float64Array(8).fill(hysteresis), new Uint8Array(8).fill(ticks), SILENT, SILENT.length - 1, 0, now);
  return walk.cell[walk.serving];
}

const fresh = () => Object.assign(new HandoverWalk(), { a3Offset: 1, smoothing: 1, t310Ticks: 12 });

test('hands over once the neighbour is better by offset and hysteresis', () => {
  const walk = fresh();
  expect(walkAlong(walk, [[1, -70, -90], [2, -90, -70]])).toBe(2);
  expect(walk.handovers).toBe(1);
  expect(walk.failures + walk.pingPongs).toBe(0);
});

test('stays where the neighbour is better by less', () => {
  const walk = fresh();
  expect(walkAlong(walk, [[1, -80, -80], [2, -77.5, -77.5]])).toBe(1);
  expect(walkAlong(walk, [[1, -80, -80], [2, -76.5, -76.5]])).toBe(2);
});

test('a longer hysteresis or time to trigger hands over later or not at all', () => {
  expect(walkAlong(fresh(), [[1, -80, -82], [2, -82, -78]], { hysteresis: 2 })).toBe(2);
  expect(walkAlong(fresh(), [[1, -80, -82], [2, -82, -78]], { hysteresis: 4 })).toBe(1);
  expect(walkAlong(fresh(), [[1, -80, -82], [2, -82, -77]], { ticks: TICKS })).toBe(1);
});

test('the condition is carried from segment to segment', () => {
  const walk = fresh();
  const better = [[1, -80, -80], [2, -76, -76]];
  expect(walkAlong(walk, better, { ticks: TICKS + 2 })).toBe(1);
  expect(walk.held).toBe(TICKS);
  expect(walkAlong(walk, better, { ticks: TICKS + 2, now: TICKS * TICK })).toBe(2);
});

test('coming back soon is a ping-pong, coming back late is not', () => {
  for (const [pause, expected] of [[0, 1], [PING_PONG_SECONDS, 0]]) {
    const walk = fresh();
    walkAlong(walk, [[1, -80, -80], [2, -75, -75]]);
    walkAlong(walk, [[2, -80, -80], [1, -75, -75]], { now: TICKS * TICK * 0.5 + pause });
    expect(walk.handovers).toBe(1);
    expect(walk.pingPongs).toBe(expected);
  }
});

test('too late: the link fails after T310 and is re-established on the strongest cell', () => {
  const walk = fresh();
  expect(walkAlong(walk, [[1, -80, -100], [2, -85, -70]], { ticks: 255 })).toBe(2);
  expect(walk.failures).toBe(1);
  expect(walk.handovers).toBe(0);
  expect(walk.silentSeconds).toBeGreaterThan(0.8);
  const patient = Object.assign(fresh(), { t310Ticks: 1000 });
  walkAlong(patient, [[1, -80, -100], [2, -85, -70]], { ticks: 255 });
  expect(patient.failures).toBe(0);
});

test('room for the serving cell and three neighbours', () => expect(CANDIDATES).toBe(4));
