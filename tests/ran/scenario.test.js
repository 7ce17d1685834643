/** Scenario files: what they say becomes of the job, and what they may not say is told with its place. */
import { readFileSync } from 'node:fs';
import { createRuntimeSync } from 'qhive';
import { agentConfigs } from '../../examples/ran/agents.js';
import { DEFAULT_SCENARIO, ScenarioError, readScenario } from '../../examples/ran/scenario.js';

describe('what a scenario says', () => {
  test('nothing: the main job, shortened', () => {
    const job = readScenario({});
    expect(job).toMatchObject({ name: DEFAULT_SCENARIO.name, seed: 593, trainSeeds: 20, seeds: [1001, 1002, 1003], days: 1, budget: { maxPages: 1024 } });
    expect(JSON.stringify(job.configs)).toBe(JSON.stringify(agentConfigs()));
    expect(readScenario(JSON.parse(JSON.stringify(DEFAULT_SCENARIO)))).toMatchObject({ seed: job.seed, seeds: job.seeds, budget: job.budget, trainSeeds: job.trainSeeds });
  });

  test('agents, encoders, rules and budget', () => {
    const { knobs, configs, budget } = readScenario({
      agents: ['offset', 'tilt'], encoders: { all: { keys: { load: 3, users: 2 } }, tilt: { kind: 'simhash', bits: 6 } },
      rules: { all: { algorithm: 'sarsa' }, tilt: { lambda: 0.5 } }, budget: { pages: 40, quotaBytes: 5000, pools: { state: 7 } },
    });
    expect(knobs.map(({ name }) => name)).toEqual(['tilt', 'offset']);
    expect(configs).toHaveLength(2 * 57);
    expect(budget).toEqual({ maxPages: 40, pools: { state: 7 } });
    expect(configs[0]).toMatchObject({ name: 'tilt/0', encoder: { kind: 'simhash', bits: 6 }, algorithm: 'sarsa', lambda: 0.5, quotaBytes: 5000 });
    const keyed = configs[57].encoder.dims.filter(({ bins }) => bins > 0);
    expect(keyed.map(({ name, bins, trend }) => [name, bins, trend])).toEqual([['offset', 7, undefined], ['load', 3, undefined], ['users', 2, undefined]]);
    expect(configs[57].encoder.dims).toHaveLength(agentConfigs()[57].encoder.dims.length);
  });

  test.each(['bins', 'tiles', 'simhash'])('%s encoders can be made', (kind) => {
    const { configs } = readScenario({ agents: ['t310'], encoders: { all: { kind } } });
    const runtime = createRuntimeSync({ seed: 1 });
    expect(runtime.createAgent({ ...configs[0], feature: undefined }).config.encoder.kind).toBe(kind);
  });

  test('the scenario of the documentation can be run', () => {
    const [, text] = /```json\n([^`]+)```/.exec(readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8'));
    const { configs, budget } = readScenario(JSON.parse(text));
    expect(configs).toHaveLength(3 * 57 + 1);
    const runtime = createRuntimeSync({ seed: 1, ...budget });
    for (const config of configs) runtime.createAgent({ ...config, feature: undefined });
  });

  test('the command line has the last word', () => {
    expect(readScenario({ seed: 5, train: { days: 9 } }, { seed: 6, seeds: [3], trainDays: 2, pages: 30 })).toMatchObject({ seed: 6, seeds: [3], trainSeeds: 2, budget: { maxPages: 30 } });
  });
});

describe('what it may not say', () => {
  const MISTAKES = [
    [{ agents: ['tlt'] }, 'agents[0]: there is no parameter "tlt"; there are tilt, power,'], [{ agents: ['tilt', 'tilt'] }, 'agents[1]: "tilt" is there twice'],
    [{ agents: [] }, 'agents: expected "all" or a list of'], [{ budgt: {} }, 'budgt: there is no such setting; there are name, seed, agents,'],
    [{ budget: { pages: '9' } }, 'budget.pages: expected a whole number from 1 to 65536, not "9"'], [{ seed: -1 }, 'seed: expected a whole number from 0 to 4294967295, not -1'],
    [{ encoders: { tilt: { kind: 'tiles', bits: 3 } } }, 'encoders.tilt.bits: tiles has no bits; it has keys, tilings'],
    [{ encoders: { tilt: { kind: 'toString' } } }, 'encoders.tilt.kind: expected one of bins, tiles, simhash, not "toString"'],
    [{ encoders: { tilt: { keys: { lod: 3 } } } }, 'encoders.tilt.keys.lod: there is no such setting; there are tilt, load,'],
    [{ encoders: { all: { keys: { load: 99 } } } }, 'encoders.all.keys.load: expected a whole number from 0 to 64, not 99'],
    [{ rules: { all: { alpha: 1 } } }, 'rules.all.alpha: there is no such setting; there are algorithm,'], [{ rules: 3 }, 'rules: expected an object with all, tilt,'],
    [{ evaluate: { seeds: '5..1' } }, 'evaluate.seeds: expected "A..B" or'], [{ name: '' }, 'name: expected a text, not ""'],
    [[1], 'the scenario: expected an object with name,'], [null, 'the scenario: expected an object with name,'], ['x', 'the scenario: expected an object with name,'],
  ].map(([scenario, message]) => [JSON.stringify(scenario), scenario, message]);
  test.each(MISTAKES)('%s', (_, scenario, message) => {
    expect(() => readScenario(scenario)).toThrow(ScenarioError);
    expect(() => readScenario(scenario)).toThrow(message);
  });
});
