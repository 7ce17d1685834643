/**
 * The quality of the feature knowledge's search: `npm run bench:knowledge [-- --misses] [-- --json]`.
 *
 * 120 questions, each with the entries that answer it (tests/knowledge/questions.json), are asked of the catalogue of the main job. Half
 * of them, by a fixed seed, were looked at while the search was made (dev); the other half was not (held out). Reported for each
 * half and mode: MRR@10, the mean over questions of 1 / rank of the first answer among ten hits (0 where there is
 * none), and recall@10, the mean share of a question's answers among ten hits. Neither reads a clock; both are the same everywhere.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRuntime } from 'qhive';

const SPLIT_SEED = 593;
const HITS = 10;
const MODES = ['lexical', 'vector', 'fused'];
const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

/** Fisher-Yates by a linear congruential generator (Numerical Recipes). */
function shuffled(items, seed) {
    const list = [...items];
    let state = seed;
    for (let i = list.length - 1; i > 0; i--) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const j = Math.floor((state / 2 ** 32) * (i + 1));
        [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
}

/** The two halves of the questions. */
export function halves() {
    const all = shuffled(read('../../tests/knowledge/questions.json'), SPLIT_SEED);
    const half = all.length / 2;
    return { dev: all.slice(0, half), 'held out': all.slice(half) };
}

/** The catalogue of the main job, loaded and frozen. @param {Uint8Array} [wasm] another build of the module */
export async function catalogue(wasm) {
    const runtime = await createRuntime({ wasm });
    runtime.knowledge.load(read('../../examples/ran/features.json'));
    runtime.knowledge.freeze();
    return runtime;
}

/** @returns {{ question: string, rank: number, recall: number, hits: string[] }[]} rank 0: no answer among the hits */
export function ask(knowledge, questions, mode) {
    return questions.map(({ question, answers }) => {
        const hits = knowledge.search(question, { k: HITS, mode }).map(({ code }) => code);
        const rank = 1 + hits.findIndex((code) => answers.includes(code));
        const found = hits.filter((code) => answers.includes(code)).length;
        return { question, answers, rank, recall: found / Math.min(answers.length, HITS), hits };
    });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** MRR@10 and recall@10 of answers. */
export const score = (asked) => ({
    mrr: mean(asked.map(({ rank }) => (rank === 0 ? 0 : 1 / rank))),
    recall: mean(asked.map(({ recall }) => recall)),
});

function misses(asked) {
    for (const { question, rank, answers, hits } of asked.filter((one) => one.rank !== 1))
        console.log(`  ${rank === 0 ? '>10' : String(rank).padStart(3)}  ${question}\n         wanted ${answers.join('; ')}\n         found  ${hits.slice(0, 4).join('; ')}`);
}

async function main(args) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false }, misses: { type: 'boolean', default: false }, wasm: { type: 'string' } } });
    const runtime = await catalogue(values.wasm === undefined ? undefined : readFileSync(values.wasm));
    const { knowledge } = runtime;
    const report = {};
    for (const [half, questions] of Object.entries(halves()))
        report[half] = Object.fromEntries(MODES.map((mode) => [mode, score(ask(knowledge, questions, mode))]));
    if (values.json) return console.log(JSON.stringify(report, null, 2));
    console.log(`${knowledge.size} features in ${(knowledge.bytes / 1024).toFixed(0)} KiB, once for all agents\n`);
    console.log('                 MRR@10                      recall@10');
    console.log(`questions        ${MODES.map((mode) => mode.padEnd(9)).join('')} ${MODES.map((mode) => mode.padEnd(9)).join('')}`);
    for (const [half, modes] of Object.entries(report)) {
        const figures = ['mrr', 'recall'].map((figure) => MODES.map((mode) => modes[mode][figure].toFixed(3).padEnd(9)).join(''));
        console.log(`${half.padEnd(12)} 60  ${figures.join(' ')}`);
    }
    if (values.misses) misses(ask(knowledge, halves().dev, 'fused'));
    return undefined;
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(process.argv.slice(2));
