/**
 * `qhive run`: the main job. Agents learn to run a simulated radio network, as a scenario file says, and are compared with its
 * defaults and with random actions on days they have not seen.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFile, readJson, UsageError, whole } from './command.js';

export const argument = 'SCENARIO';
/** @type {'optional'} */
export const arity = 'optional';

/** @type {import('./command.js').Command['options']} */
export const options = {
    'train-days': { type: 'string', value: 'N', read: whole(1, 10000), text: 'days of training, instead of the scenario\'s' },
    seeds: { type: 'string', value: 'A..B', text: 'evaluation days, such as 1001..1010 or 5,8, instead of the scenario\'s' },
    seed: { type: 'string', value: 'N', read: whole(0, 0xffffffff), text: 'of the agents, instead of the scenario\'s' },
    'max-pages': { type: 'string', value: 'N', read: whole(1, 65536), text: 'page budget, 64 KiB each, instead of the scenario\'s' },
    tables: { type: 'string', value: 'FOLDER', text: 'write there what each agent has learned, for `qhive inspect`' },
    print: { type: 'boolean', text: 'print the default scenario as a file to start from, and run nothing' },
};

export const notes = [
    'A scenario is a JSON object; everything in it may be left out:',
    '  name      a text, for the report',
    '  seed      of the agents, a whole number',
    '  agents    "all" (593), or which parameters they turn: ["tilt", "offset", ...]',
    '  encoders  how they see, by parameter or for "all": { "tilt": { "kind": "bins", "keys": { "load": 4, "hour": 6 } } };',
    '            kinds are bins and tiles (keys: cells for each thing seen; tilings), and simhash (bits)',
    '  rules     how they learn, by parameter or for "all": algorithm, learningRate, discount, policy, initialValue,',
    '            lambda, nStep, replay, propensities, planning, tieBreak, as createAgent() takes them',
    '  budget    pages of the whole; quotaBytes of each agent; pools: state, trajectory, message',
    '  train     { "days": 20 }',
    '  evaluate  { "seeds": "1001..1003", "days": 1 }',
];

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive run', 'all 593 agents, 20 days, three unseen days: half a minute'],
    ['qhive run --print > my.json', 'a scenario to change'],
    ['qhive run my.json --train-days 60 --tables learned', 'it, with more training; the tables are kept'],
    ['qhive run my.json --json > report.json', 'the report for a program'],
];

/** @param {any} values @param {any} job the module */
function readJob(values, { readScenario, parseSeeds, ScenarioError, UsageError: WrongSeeds }) {
    const file = values[argument];
    const instead = { seed: values.seed, trainDays: values['train-days'], pages: values['max-pages'], seeds: undefined };
    try {
        if (values.seeds !== undefined) instead.seeds = parseSeeds(values.seeds);
        return readScenario(file === undefined ? {} : readJson(file, 'the scenario'), instead);
    } catch (error) {
        const { message } = /** @type {Error} */ (error);
        if (error instanceof ScenarioError) throw new UsageError(`${file}: ${message}`);
        if (error instanceof WrongSeeds) throw new UsageError(message);
        throw error;
    }
}

/** A table for each agent. @param {string} folder @param {readonly import('../../types/qhive.js').Agent[]} agents */
function keepTables(folder, agents) {
    mkdirSync(folder, { recursive: true });
    for (const agent of agents) writeFileSync(join(folder, `${agent.name.replace('/', '-')}.qhtb`), agent.exportTable());
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    const job = await import('qhive:job');
    if (values.print) return terminal.print(JSON.stringify(job.DEFAULT_SCENARIO, null, 2));
    const { progress } = await import('qhive:progress');
    const scenario = readJob(values, job);
    const features = readJson(packageFile('dist/web/features.json'), 'the catalogue');
    const keep = (/** @type {import('../../types/qhive.js').Agent[]} */ agents) => values.tables && keepTables(values.tables, agents);
    let report;
    try {
        report = await job.runJob({ ...scenario, features, keep }, { progress, now: () => performance.now() });
    } catch (error) {
        const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
        if (code === 'INVALID_ARGUMENT' && values[argument]) throw new UsageError(`${values[argument]}: no agent can be made as it says: ${message}`);
        if (code === 'EXCEEDS_LIMIT' || code === 'QUOTA_EXCEEDED') throw new Error(`the memory budget is spent: ${message}`, { cause: error });
        throw error;
    }
    if (values.json) terminal.print(JSON.stringify({ scenario: scenario.name, ...report }, null, 2));
    else terminal.print(`\n${terminal.bold(scenario.name)}\n${job.render(report, terminal.colours)}`);
    return undefined;
}
