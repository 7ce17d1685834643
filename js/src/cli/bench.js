/**
 * `qhive bench`: this package against what one would write instead, in one process and in turn. `npm run bench` of the repository
 * measures more; what is measured and how is told in its docs/benchmarks.md.
 */
import { UsageError, whole } from './command.js';

/** @typedef {typeof import('qhive:bench')} Kit */

const AGAINST = /** @type {const} */ ([['flat', 'flat Float32Array, FNV-1a'], ['map', 'Map, joined keys']]);

/** What is measured: its title, the loops that do it, and what they walk over. */
const CASES = /** @type {Record<string, { about: string, loops: string, batch?: boolean }>} */ ({
    act: { about: 'one agent chooses', loops: 'actLoops' },
    learn: { about: 'one agent learns', loops: 'learnLoops' },
    step: { about: 'one agent learns and chooses', loops: 'stepLoops' },
    'batch-act': { about: '593 agents choose, one call', loops: 'batchActLoops', batch: true },
    'batch-step': { about: '593 agents learn and choose, one call', loops: 'batchStepLoops', batch: true },
});

/** @param {string} text */
function readCases(text) {
    const names = text.split(',');
    const unknown = names.find((name) => !Object.hasOwn(CASES, name));
    if (unknown !== undefined) throw new UsageError(`--only must be a list of ${Object.keys(CASES).join(', ')}, not '${text}'`);
    return names;
}

/** @type {import('./command.js').Command['options']} */
export const options = {
    only: { type: 'string', value: 'LIST', read: readCases, text: `some of ${Object.keys(CASES).join(',')}` },
    rounds: { type: 'string', value: 'N', default: 15, read: whole(3, 1000), text: 'rounds of each comparison' },
};

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive bench', 'everything: half a minute'],
    ['qhive bench --only step,batch-step --rounds 41', 'two cases, more exactly'],
    ['qhive bench --json', 'the figures for a program'],
];

let copies = 0;
/** A new copy of loops and baselines: the engine optimises it for one comparison alone. @returns {Promise<any>} */
const loadContenders = () => import(new URL(`./contenders.mjs?copy=${++copies}`, import.meta.url).href);

/** @typedef {{ kit: Kit, runtime: import('qhive').AgentRuntime, Baseline: any, create: any, loops: string }} Match */

/** @param {Match} match */
function matchOne({ kit, runtime, Baseline, create, loops }) {
    const transitions = kit.createTransitions();
    const agent = kit.fill(runtime.createAgent(kit.agentConfig()), transitions.states);
    const baseline = kit.fill(new Baseline(kit.baselineOptions()), transitions.states);
    return create(agent, baseline, loops === 'actLoops' ? transitions.walk : transitions);
}

/** @param {Match} match */
function matchMany({ kit, runtime, Baseline, create }) {
    const frames = kit.createFrames();
    const { batches } = kit.createCrew(runtime, frames);
    const baselines = kit.fillCrew(Array.from({ length: kit.AGENTS }, (_, i) => new Baseline(kit.baselineOptions(i + 1))), frames);
    return { loops: create(batches, baselines, frames) };
}

/** @param {Kit} kit @param {(typeof CASES)[string]} measured @param {'flat' | 'map'} against @param {number} rounds */
async function compare(kit, { loops, batch }, against, rounds) {
    const { FlatAgent, MapAgent, [loops]: create } = await loadContenders();
    const runtime = kit.createRuntime();
    const { loops: contenders, prepare } = (batch ? matchMany : matchOne)({ kit, runtime, Baseline: against === 'flat' ? FlatAgent : MapAgent, create, loops });
    const samples = kit.interleave(contenders, { rounds, prepare });
    runtime.dispose();
    return samples;
}

/** @type {import('./command.js').Command['run']} */
export async function run({ only = Object.keys(CASES), rounds, json }, terminal) {
    const kit = await import('qhive:bench');
    const { progress } = await import('qhive:progress');
    const probe = kit.createRuntime();
    const { build } = probe;
    probe.dispose();
    const shown = progress('comparisons', only.length * AGAINST.length);
    const figures = [];
    for (const name of only) {
        const measured = CASES[name];
        for (const [against, title] of AGAINST) {
            const samples = await compare(kit, measured, against, rounds);
            const { target: _, ...figure } = kit.comparison(`${name}/${against}`, measured.about, title, samples);
            figures.push(figure);
            shown.step();
        }
    }
    shown.stop();
    const machine = { qhive: build.version, simd: build.simd, node: process.version };
    if (json) return terminal.print(JSON.stringify({ machine, rounds, seed: kit.SEED, figures }, null, 2));
    terminal.print(terminal.bold(`qhive ${build.version} (${build.simd ? 'SIMD' : 'scalar'}), Node ${process.version}; ${rounds} rounds; processor time of one call, how many times as fast`));
    return terminal.print(kit.table(figures));
}
