/**
 * Scenario files: which agents, how they see, how they learn, in how much memory, and how long. JSON; docs/cli.md describes it.
 *
 * Everything may be left out. What is there is checked before anything runs, and a mistake is told with the place it is at.
 */

import { agentConfigs, dimensions } from './agents.js';
import { DEFAULTS, MAX_SEED, UsageError, parseSeeds } from './options.js';
import { KNOBS } from './parameters.js';
import { MASTER_SEED } from './job.js';

/** A file that says something else than a scenario can say; the message names the place. */
export class ScenarioError extends Error {}

/** What runs when no file is given; as a file it says the same. */
export const DEFAULT_SCENARIO = Object.freeze({
  name: 'the main job, shortened',
  seed: MASTER_SEED,
  agents: 'all',
  encoders: {},
  rules: {},
  budget: { pages: 1024 },
  train: { days: 20 },
  evaluate: { seeds: '1001..1003', days: 1 },
});

const MAX_PAGES = 65536;
const MAX_BINS = 64;
const NAMES = KNOBS.map(({ name }) => name);
const list = (names) => names.join(', ');
const show = (value) => (value === undefined ? 'nothing' : JSON.stringify(value));

/** @param {string} place @param {string} expected @param {unknown} value @returns {never} */
function wrong(place, expected, value) {
  throw new ScenarioError(`${place || 'the scenario'}: expected ${expected}, not ${show(value)}`);
}

const whole = (least, most) => (value, place) =>
  (Number.isInteger(value) && value >= least && value <= most ? value : wrong(place, `a whole number from ${least} to ${most}`, value));

const text = (value, place) => (typeof value === 'string' && value !== '' ? value : wrong(place, 'a text', value));

/** An object with these members, all of them optional. @param {Record<string, (value: unknown, place: string) => any>} members */
const record = (members) => (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(place, `an object with ${list(Object.keys(members))}`, value);
  const read = {};
  for (const [key, member] of Object.entries(value)) {
    const at = place === '' ? key : `${place}.${key}`;
    if (!Object.hasOwn(members, key)) throw new ScenarioError(`${at}: there is no such setting; there are ${list(Object.keys(members))}`);
    read[key] = members[key](member, at);
  }
  return read;
};

/** One value a knob, by its name; `all` counts for those that are not named. */
const byKnob = (read) => record(Object.fromEntries(['all', ...NAMES].map((name) => [name, read(name)])));

function knobs(value, place) {
  if (value === 'all') return KNOBS;
  if (!Array.isArray(value) || value.length === 0) wrong(place, `"all" or a list of ${list(NAMES)}`, value);
  value.forEach((name, i) => {
    if (!NAMES.includes(name)) throw new ScenarioError(`${place}[${i}]: there is no parameter ${show(name)}; there are ${list(NAMES)}`);
    if (value.indexOf(name) !== i) throw new ScenarioError(`${place}[${i}]: ${show(name)} is there twice`);
  });
  return KNOBS.filter(({ name }) => value.includes(name));
}

function seeds(value, place) {
  try {
    return parseSeeds(typeof value === 'number' ? String(value) : text(value, place));
  } catch (error) {
    if (error instanceof UsageError) wrong(place, `"A..B" or "A,B,C" of whole numbers 0..${MAX_SEED}, at most 1000`, value);
    throw error;
  }
}

const ENCODERS = { bins: ['keys'], tiles: ['keys', 'tilings'], simhash: ['bits'] };
const MEMBERS = {
  kind: (value, place) => (Object.hasOwn(ENCODERS, /** @type {string} */ (value)) ? value : wrong(place, `one of ${list(Object.keys(ENCODERS))}`, value)),
  tilings: whole(1, 32),
  bits: whole(1, 32),
};

/** How a knob's agents see: `kind`, and what of their row their table is keyed by. */
const encoder = (name) => (value, place) => {
  const seen = name === 'all' ? dimensions(KNOBS[0]).slice(1).map((dim) => dim.name) : dimensions(KNOBS.find((knob) => knob.name === name)).map((dim) => dim.name);
  const keys = record(Object.fromEntries(seen.map((dim) => [dim, whole(0, MAX_BINS)])));
  const read = { kind: 'bins', ...record({ ...MEMBERS, keys })(value, place) };
  for (const key of Object.keys(read)) {
    if (key !== 'kind' && !ENCODERS[read.kind].includes(key)) throw new ScenarioError(`${place}.${key}: ${read.kind} has no ${key}; it has ${list(ENCODERS[read.kind])}`);
  }
  return read;
};

/** The core checks the values, when the agent is made. */
const anything = (value) => value;
const RULE = Object.fromEntries(
  ['algorithm', 'learningRate', 'discount', 'policy', 'initialValue', 'lambda', 'nStep', 'replay', 'propensities', 'planning', 'tieBreak'].map((name) => [name, anything]),
);

const read = record({
  name: text,
  seed: whole(0, MAX_SEED),
  agents: knobs,
  encoders: byKnob(encoder),
  rules: byKnob(() => record(RULE)),
  budget: record({
    pages: whole(1, MAX_PAGES),
    quotaBytes: whole(1, Number.MAX_SAFE_INTEGER),
    pools: record({ state: whole(0, MAX_PAGES), trajectory: whole(0, MAX_PAGES), message: whole(0, MAX_PAGES) }),
  }),
  train: record({ days: whole(1, 10000) }),
  evaluate: record({ seeds, days: whole(1, 365) }),
});

/** An encoder of the core from one of a scenario. A trend is one more dimension, so what is keyed has none. */
function build({ kind, keys = {}, tilings = 8, bits = 8 }, dims) {
  if (kind === 'simhash') return { kind, dims, bits };
  const own = dims[0].name;
  const keyed = dims.map(({ trend, ...dim }) => {
    const bins = keys[dim.name] ?? (dim.name === own ? dim.bins : 0);
    return { ...dim, bins, ...(trend && bins === 0 ? { trend } : {}) };
  });
  return kind === 'tiles' ? { kind, dims: keyed, tilings } : { kind, dims: keyed };
}

/** The configurations of a scenario's agents, knob by knob. */
function configure({ agents: chosen, encoders = {}, rules = {}, budget }) {
  return agentConfigs(undefined, chosen).map((config) => {
    const knob = /** @type {string} */ (config.name).split('/')[0];
    const given = encoders[knob] ?? encoders.all;
    return {
      ...config, ...rules.all, ...rules[knob],
      ...(given && { encoder: build(given, config.encoder.dims) }),
      ...(budget.quotaBytes && { quotaBytes: budget.quotaBytes }),
    };
  });
}

/**
 * The job that a scenario describes.
 * @param {unknown} value what was in the file
 * @param {{ seed?: number, trainDays?: number, seeds?: number[], days?: number, pages?: number }} [instead] of what the file says
 * @returns {{ name: string } & Omit<import('./job.js').Job, 'features'>}
 * @throws {ScenarioError} naming the setting, what it may be, and what it was
 */
export function readScenario(value, instead = {}) {
  const base = DEFAULT_SCENARIO;
  const file = read(value, '');
  const scenario = { ...base, ...file, agents: file.agents ?? KNOBS, budget: { ...base.budget, ...file.budget } };
  const { pages, pools } = scenario.budget;
  return {
    name: file.name ?? (Object.keys(file).length > 0 ? 'a scenario' : base.name),
    seed: instead.seed ?? scenario.seed,
    knobs: scenario.agents,
    configs: configure(scenario),
    budget: { maxPages: instead.pages ?? pages, ...(pools && { pools }) },
    trainSeeds: instead.trainDays ?? file.train?.days ?? base.train.days,
    seeds: instead.seeds ?? file.evaluate?.seeds ?? parseSeeds(base.evaluate.seeds),
    days: instead.days ?? file.evaluate?.days ?? Number(DEFAULTS.days),
  };
}
