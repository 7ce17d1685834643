import { BEAMWIDTH, arrayFactor, elementGain, horizontalCut, verticalCut } from '../../examples/ran/antenna.js';
import { CELLS, NEIGHBOURS, SITES, SITE_X, SITE_Y, distance, neighbourTable } from '../../examples/ran/geometry.js';
import { breakpointDistance, losProbability, pathLossLos, pathLossNlos, penetrationLoss } from '../../examples/ran/pathloss.js';
import { normalTable } from '../../examples/ran/random.js';
import { GRID_SIDE, correlatedField, cumulative } from '../../examples/ran/shadowing.js';

describe('TR 38.901 urban macro', () => {
  test('path loss at 3.5 GHz, 25 m, 1.5 m, 100 m', () => {
    expect(Math.abs(pathLossLos(100, 3.5, 25, 1.5) - 83.1381)).toBeLessThan(1e-4);
    expect(Math.abs(pathLossNlos(100, 3.5, 25, 1.5) - 103.0375)).toBeLessThan(1e-4);
    expect(breakpointDistance(3.5, 25, 1.5)).toBeCloseTo(560.36, 1);
  });

  test('the slope is 40 dB per decade past the breakpoint', () => {
    const d = breakpointDistance(3.5, 25, 1.5);
    expect(pathLossLos(20 * d, 3.5, 25, 1.5) - pathLossLos(2 * d, 3.5, 25, 1.5)).toBeCloseTo(40, 1);
    expect(Math.abs(pathLossLos(d * 1.000001, 3.5, 25, 1.5) - pathLossLos(d, 3.5, 25, 1.5))).toBeLessThan(0.01);
  });

  test('without line of sight is never better than with it', () => {
    for (let d = 10; d < 5000; d += 37) expect(pathLossNlos(d, 3.5, 25, 1.5)).toBeGreaterThanOrEqual(pathLossLos(d, 3.5, 25, 1.5));
  });

  test('probability of line of sight', () => {
    expect(losProbability(10)).toBe(1);
    expect(losProbability(18)).toBe(1);
    expect(losProbability(100)).toBeCloseTo(0.18 + Math.exp(-100 / 63) * 0.82, 12);
    expect(losProbability(100, 13)).toBe(losProbability(100, 1.5));
    expect(losProbability(100, 23)).toBeCloseTo(losProbability(100) * (1 + 1.25 * Math.exp(-2 / 3)), 12);
  });

  test('walls: coated glass costs more, and so does depth', () => {
    expect(penetrationLoss(3.5, 'low', 0)).toBeCloseTo(12.7, 1);
    expect(penetrationLoss(3.5, 'high', 0)).toBeGreaterThan(penetrationLoss(3.5, 'low', 0) + 10);
    expect(penetrationLoss(3.5, 'low', 10) - penetrationLoss(3.5, 'low', 0)).toBeCloseTo(5, 12);
  });
});

describe('antenna', () => {
  test('element: 8 dBi ahead, 3 dB at half the beam width, 30 dB at most', () => {
    expect(elementGain(0, 0)).toBe(8);
    expect(horizontalCut(BEAMWIDTH / 2)).toBeCloseTo(-3, 12);
    expect(verticalCut(BEAMWIDTH / 2)).toBeCloseTo(-3, 12);
    expect(elementGain(0, 180)).toBe(-22);
    expect(elementGain(90, 180)).toBe(-22);
  });

  test('column: 9 dB where it points, falls off beside it', () => {
    for (const tilt of [4, 10, 16]) {
      expect(10 * Math.log10(arrayFactor(tilt, tilt))).toBeCloseTo(9.03, 2);
      expect(arrayFactor(tilt + 4, tilt) / 8).toBeCloseTo(0.5, 1);
      expect(arrayFactor(tilt + 9, tilt)).toBeLessThan(0.8);
    }
  });
});

describe('geometry', () => {
  test('every site has six neighbours at 500 m across the edge', () => {
    for (let a = 0; a < SITES; a++) {
      let near = 0;
      for (let b = 0; b < SITES; b++) if (a !== b && distance(SITE_X[a], SITE_Y[a], SITE_X[b], SITE_Y[b]) < 501) near++;
      expect(near).toBe(6);
    }
  });

  test('a neighbourhood is other cells, each once', () => {
    const table = neighbourTable();
    for (let cell = 0; cell < CELLS; cell++) {
      const near = new Set(table.subarray(cell * NEIGHBOURS, (cell + 1) * NEIGHBOURS));
      expect(near.size).toBe(NEIGHBOURS);
      expect(near.has(cell)).toBe(false);
    }
  });
});

test('shadowing has unit variance and is correlated exp(-25 / 50) from point to point', () => {
  const field = new Float32Array(GRID_SIDE * GRID_SIDE);
  const noise = normalTable(7, 1, 1 << 16);
  let square = 0;
  let product = 0;
  for (let n = 0; n < 6; n++) {
    correlatedField(field, noise, n * 10007);
    for (let i = 0; i + 1 < field.length; i++) { square += field[i] ** 2; product += field[i] * field[i + 1]; }
  }
  const count = 6 * (field.length - 1);
  expect(square / count).toBeGreaterThan(0.85);
  expect(square / count).toBeLessThan(1.15);
  expect(product / square).toBeCloseTo(Math.exp(-0.5), 1);
  expect(cumulative(1.959964)).toBeCloseTo(0.975, 6);
});
