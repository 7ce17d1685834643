/**
 * The benchmark: `npm run bench -- [options]`. What is measured and how is told in docs/benchmarks.md, and in the cases.
 *
 * Everything runs in this one process. The exit code is 0 whatever the figures, except with --check.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cases as batch } from './cases/batch.js';
import { cases as boundary } from './cases/boundary.js';
import { cases as insertion } from './cases/insertion.js';
import { cases as memory } from './cases/memory.js';
import { cases as single } from './cases/single.js';
import { cases as size } from './cases/size.js';
import { processorTime } from './measure.js';
import { data, summary, table } from './report.js';
import { reached } from './targets.js';
import { createRuntime, SEED } from './workload.js';

const CASES = [...single, ...batch, ...boundary, ...insertion, ...memory, ...size];

const OPTIONS = {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '41' },
    wasm: { type: 'string' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
};

const HELP = `npm run bench -- [options]

  --only <case>     one case only; may be given again, or as a list: act,learn
  --rounds <n>      rounds of each comparison, 3..1000, default 41
  --wasm <file>     another build of the module than the package's own
  --json            the figures as JSON
  --check           exit code 1 when a target is missed

Cases
${CASES.map(({ name, about }) => `  ${name.padEnd(16)}  ${about}`).join('\n')}`;

class UsageError extends Error {}

function chooseCases(only) {
    const names = only.flatMap((list) => list.split(','));
    const unknown = names.filter((name) => !CASES.some((one) => one.name === name));
    if (unknown.length > 0) throw new UsageError(`no case ${unknown.join(', ')}; there are ${CASES.map(({ name }) => name).join(', ')}`);
    return names.length === 0 ? CASES : CASES.filter(({ name }) => names.includes(name));
}

function readRounds(text) {
    const rounds = Number(text);
    if (!Number.isInteger(rounds) || rounds < 3 || rounds > 1000) throw new UsageError(`--rounds must be a whole number from 3 to 1000, not ${text}`);
    return rounds;
}

function readModule(path) {
    try {
        return path === undefined ? undefined : readFileSync(path);
    } catch (error) {
        throw new UsageError(`--wasm: ${error.message}`);
    }
}

function readArguments() {
    try {
        const { values } = parseArgs({ options: OPTIONS });
        return { ...values, chosen: chooseCases(values.only), rounds: readRounds(values.rounds), module: readModule(values.wasm) };
    } catch (error) {
        if (error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS')) {
            console.error(`${error.message}\n\n${HELP}`);
            process.exit(2);
        }
        throw error;
    }
}

/** What the figures depend on beside the code. */
function describeMachine(runtimeOptions) {
    const runtime = createRuntime(runtimeOptions);
    const { version, simd } = runtime.build;
    runtime.dispose();
    return { qhive: version, simd, node: process.version, v8: process.versions.v8, processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
}

/** Says on a terminal what runs, on a line that the next one replaces. */
function progress(text) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function measure(chosen, options) {
    const figures = [];
    for (const [i, { name, about, run }] of chosen.entries()) {
        progress(`${i + 1}/${chosen.length}  ${name}: ${about} `);
        for (const figure of await run(options)) figures.push({ case: name, ...figure });
    }
    progress('');
    return figures;
}

function print(figures, machine, { rounds }, load) {
    const { qhive, simd, node, processor, cores } = machine;
    console.log(`qhive ${qhive} (${simd ? 'SIMD' : 'scalar'}), Node ${node}, ${processor} x ${cores}; ${rounds} rounds, seed ${SEED}`);
    console.log(`${load.share} % of a processor, load ${load.before} before and ${load.after} after (of other programs too)\n`);
    console.log(table(figures));
    console.log(`\n${summary(figures)}`);
}

async function main() {
    const options = readArguments();
    if (options.help) return console.log(HELP);
    const runtime = { wasm: options.module };
    const machine = describeMachine(runtime);
    const load = { before: loadavg()[0].toFixed(1) };
    const [wall, spent] = [performance.now(), processorTime()];
    const figures = await measure(options.chosen, { rounds: options.rounds, runtime });
    load.share = Math.round((100 * (processorTime() - spent)) / (performance.now() - wall));
    load.after = loadavg()[0].toFixed(1);
    if (options.json) console.log(JSON.stringify({ machine, rounds: options.rounds, seed: SEED, load, figures: data(figures) }, null, 2));
    else print(figures, machine, options, load);
    if (options.check && figures.some((figure) => reached(figure) === false)) process.exitCode = 1;
    return undefined;
}

await main();
