import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Crew } from '../../examples/ran/crew.js';
import { agentConfigs, dimensions } from '../../examples/ran/agents.js';
import { evaluateSeed, trainDay } from '../../examples/ran/loop.js';
import { FIRST_TRAINING_SEED, MAX_SEED, UsageError, parseOptions, parseSeeds } from '../../examples/ran/options.js';
import { KNOBS } from '../../examples/ran/parameters.js';
import { compare, memory, percentile, spread } from '../../examples/ran/report.js';

const MAIN = fileURLToPath(new URL('../../examples/ran/main.js', import.meta.url));

const start = (...args) => new Promise((resolve) => {
  execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});

describe('arguments', () => {
  test('seeds', () => {
    expect(parseSeeds('1001..1004')).toEqual([1001, 1002, 1003, 1004]);
    expect(parseSeeds('5')).toEqual([5]);
    expect(parseSeeds('7,3,7')).toEqual([7, 3]);
  });

  test.each(['', 'a', '5..1', '1...3', '1..', '-1', '1.5', '1,', '0..5000', '4294967296'])('%j is refused', (text) => {
    expect(() => parseSeeds(text)).toThrow(UsageError);
  });

  test('no seed that can be asked for is trained on', () => expect(FIRST_TRAINING_SEED).toBeGreaterThan(MAX_SEED));

  test('defaults', () => expect(parseOptions([])).toMatchObject({ help: false, json: false, days: 1 }));

  test.each([['--days', '0'], ['--train-seeds', 'many'], ['--nonsense'], ['stray']])('%s %s is refused', (...args) => {
    expect(() => parseOptions(args.filter(Boolean))).toThrow(UsageError);
  });

  test('wrong usage: one line, exit code 2', async () => {
    const { code, stdout, stderr } = await start('--seeds', 'x');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('expected A..B');
  });

  test('help', async () => {
    const { code, stdout } = await start('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--seeds');
  });
});

describe('agents', () => {
  test('593 configurations with distinct names and at most 64 dimensions', () => {
    const configs = agentConfigs();
    expect(configs).toHaveLength(593);
    expect(new Set(configs.map(({ name }) => name)).size).toBe(593);
    for (const knob of KNOBS) {
      const dims = dimensions(knob);
      expect(dims.length + dims.filter(({ trend }) => trend).length).toBeLessThanOrEqual(64);
      expect(dims[0].bins).toBe(knob.levels.length);
    }
  });

  test('who keeps is paid nothing, who moves is paid its surroundings less the cost', () => {
    const crew = new Crew();
    const rewards = new Float32Array(crew.size);
    const actions = new Int32Array(crew.size);
    const components = new Float64Array(57 * 5);
    const twin = new Float64Array(57 * 5);
    components[0] = 2;
    actions[0] = 1;
    crew.moved[0] = -1;
    crew.pay(rewards, actions, components, twin);
    expect(rewards[0]).toBeCloseTo(2 - 0.15 * 3, 5);
    expect(rewards.subarray(1).every((reward) => reward === 0)).toBe(true);
  });
});

describe('report', () => {
  test('spread and percentiles', () => {
    expect(spread([1, 2, 3])).toEqual({ mean: 2, sd: 1, min: 1, max: 3 });
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
  });

  test('counts wins by reward', () => {
    const run = (learned) => ({ seed: 1, defaults: { reward: 1 }, random: { reward: 0 }, learned: { reward: learned } });
    expect(compare([run(2), run(0.5)]).wins).toEqual({ vsDefaults: 1, vsRandom: 2, of: 2 });
  });
});

test('closed loop: a day of training and one of evaluation, twice the same', async () => {
  const { createRuntime } = await import('qhive');
  const results = [];
  for (let n = 0; n < 2; n++) {
    const runtime = await createRuntime({ seed: 3 });
    for (const config of agentConfigs()) runtime.createAgent(config);
    const batch = runtime.batch();
    const crew = new Crew();
    trainDay(batch, crew, FIRST_TRAINING_SEED);
    const states = [...runtime.agents].reduce((sum, agent) => sum + agent.metrics.states, 0);
    results.push({ states, ...evaluateSeed(batch, crew, 1, 1) });
    const { liveBytes, perAgentBytes, perCategory } = memory(runtime);
    const groups = Object.values(perCategory);
    expect(groups.reduce((sum, { agents }) => sum + agents, 0)).toBe(runtime.agents.length);
    expect(groups.reduce((sum, { agents, bytes }) => sum + agents * bytes.mean, 0)).toBeCloseTo(perAgentBytes.mean * 593, 3);
    expect(groups.every(({ bytes, tableBytes }) => tableBytes.mean < bytes.mean)).toBe(true);
    expect(perAgentBytes.mean * 593).toBeLessThan(liveBytes);
    expect(perAgentBytes.max).toBeLessThan(4096);
    runtime.dispose();
  }
  expect(results[0].states).toBeGreaterThan(593);
  expect(results[1]).toEqual(results[0]);
  expect(results[0].random.reward).toBeLessThan(results[0].defaults.reward);
}, 240000);
