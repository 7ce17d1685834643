/** The main job's safe zones: what they define, what they undo, and that the whole loop goes through them. */
import { createRuntimeSync } from 'qhive';
import { agentConfigs } from '../../examples/ran/agents.js';
import { Crew } from '../../examples/ran/crew.js';
import { CELLS } from '../../examples/ran/geometry.js';
import { Guard, LIMITS, bound, puppets } from '../../examples/ran/guard.js';
import { TrainingDay, evaluateSeed } from '../../examples/ran/loop.js';
import { FIRST_TRAINING_SEED } from '../../examples/ran/options.js';
import { AGENTS, Levels, defaultLevel } from '../../examples/ran/parameters.js';
import { safety } from '../../examples/ran/report.js';

const DOWN = 1;
const UP = 2;

function open(configs = puppets()) {
  const runtime = createRuntimeSync({ seed: 3, pools: { trajectory: 0, message: 0 } });
  const guard = new Guard(runtime);
  guard.agents = configs.map((config) => runtime.createAgent(config));
  return { runtime, guard };
}

/** What a guard reads of a network. */
const still = () => ({ levels: new Levels(), failures: new Float32Array(CELLS), blocks: new Float32Array(CELLS) });

/** The levels are those of the zones. */
function expectInStep(guard, crew, levels) {
  const astray = crew.knob.map((knob, i) => `${knob.name}/${crew.unit[i]}`)
    .filter((name, i) => guard.zones.value(name) !== levels.of[crew.knob[i].name][crew.unit[i]]);
  expect(astray).toEqual([]);
}

describe('the guard', () => {
  test('knows every parameter, once in memory whatever the number of agents', () => {
    const { runtime, guard } = open();
    expect(guard.zones.parameters).toHaveLength(AGENTS);
    expect(new Set(guard.zones.parameters).size).toBe(AGENTS);
    expect(runtime.memory.owners().filter(({ owner }) => owner === 'zones')).toHaveLength(1);
    runtime.dispose();
  });

  test('moves what may move, refuses the rest', () => {
    const { runtime, guard } = open();
    const crew = new Crew();
    const network = still();
    const actions = new Int32Array(crew.size).fill(UP);
    for (let n = 0; n < 8; n++) {
      guard.apply(crew, actions, network.levels);
      expectInStep(guard, crew, network.levels);
      guard.observe(network);
    }
    const top = crew.knob.reduce((sum, knob) => sum + knob.levels.length - 1 - defaultLevel(knob), 0);
    const { applied, refused, denied } = guard.takeLog();
    expect(applied).toBe(top);
    expect(refused).toBe(8 * crew.size - top);
    expect(denied[0]).toMatchObject({ status: 'rejected' });
    runtime.dispose();
  });

  test('takes back the last changes of a cell that keeps failing, and lets them rest', () => {
    const { runtime, guard } = open();
    const crew = new Crew();
    const network = still();
    const actions = new Int32Array(crew.size);
    const tilt = crew.knob.findIndex(({ name }, i) => name === 'tilt' && crew.unit[i] === 7);
    actions[tilt] = DOWN;
    actions[tilt + 1] = UP;
    guard.apply(crew, actions, network.levels);
    const before = network.levels.of.tilt[7];
    network.failures[7] = LIMITS.cellFailures + 1;
    guard.observe(network);
    expect(network.levels.of.tilt[7]).toBe(before);
    guard.observe(network);
    expect(network.levels.of.tilt[7]).toBe(before + 1);
    expect(network.levels.of.tilt[8]).not.toBe(defaultLevel(crew.knob[tilt]));
    const log = guard.takeLog();
    expect(log).toMatchObject({ applied: 2, refused: 0, rolledBack: 1 });
    expect(log.undone[0]).toMatchObject({ parameter: 'tilt/7', status: 'rolled-back', reason: expect.stringMatching(/failures of cell 7 above/) });
    guard.apply(crew, actions, network.levels);
    expect(guard.takeLog()).toMatchObject({ applied: 1, refused: 1, denied: [expect.objectContaining({ reason: expect.stringMatching(/backing off/) })] });
    runtime.dispose();
  });
});

test('the whole loop goes through safe zones', () => {
  const { runtime, guard } = open(agentConfigs().map(bound));
  const chance = open();
  const batch = runtime.batch(guard.agents);
  const crew = new Crew();
  const day = new TrainingDay(batch, crew, FIRST_TRAINING_SEED, guard);
  while (!day.over) {
    day.advance();
    expectInStep(guard, crew, day.network.levels);
  }
  const training = guard.takeLog();
  evaluateSeed(batch, crew, 1, 1, undefined, { learned: guard, random: chance.guard });
  const report = safety({ training, perSeed: [{ seed: 1, learned: guard.takeLog(), random: chance.guard.takeLog() }] });
  expect(report.training.refused + report.learned.refused).toBe(0);
  expect(report.training.applied).toBeGreaterThan(1000);
  expect(Math.min(report.random.applied, report.random.refused, report.random.rolledBack)).toBeGreaterThan(0);
  expect(report.rolledBack.random[0]).toMatchObject({ seed: 1, status: 'rolled-back' });
  expect(report.refused[0]).toMatchObject({ seed: 1, status: 'rejected' });
  expect(runtime.validate() && chance.runtime.validate()).toBe(true);
  runtime.dispose();
  chance.runtime.dispose();
}, 240000);
