/**
 * `qhive ask`: answers a question about the radio network from the catalogue of the main job, offline.
 */
import { packageFile, readJson, UsageError, whole } from './command.js';

export const argument = 'QUESTION';
/** @type {'words'} */
export const arity = 'words';

/** @type {import('./command.js').Command['options']} */
export const options = {
    count: { type: 'string', short: 'n', value: 'N', default: 3, read: whole(1, 100), text: 'answers at most' },
    category: { type: 'string', value: 'NAME', text: 'only of this category, such as Mobility' },
    order: { type: 'boolean', text: 'also say what must be active before, in order' },
    catalogue: { type: 'string', value: 'FILE', text: 'another catalogue: a JSON array of features' },
};

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive ask "phones bounce between two cells"', 'the functions that may be at fault'],
    ['qhive ask cells that can sleep at night -n 5 --order', 'five of them, and what they need'],
    ['qhive ask "38.331 a3-Offset" -n 1 --json', 'an entry by its code, for a program'],
];

/** @param {import('../../types/qhive.js').Feature & { score: number, order?: string[] }} answer @param {import('./command.js').Terminal} terminal */
function print({ code, name, category, description, parameters = [], kpis = [], requires = [], order, score }, { print: line, bold, dim }) {
    line(`\n${bold(name)}  ${dim(`${code}, ${category}, ${score.toFixed(2)}`)}`);
    if (description) line(`  ${description}`);
    for (const parameter of parameters) line(`  - ${parameter}`);
    if (kpis.length > 0) line(`  moves: ${kpis.join(', ')}`);
    if (order) line(`  order: ${order.join(' -> ')}`);
    else if (requires.length > 0) line(`  needs: ${requires.join(', ')}`);
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    const question = values[argument];
    if (question.trim() === '') throw new UsageError('a question is missing: qhive ask "phones bounce between two cells" (qhive ask --help)');
    const { createRuntimeSync } = await import('qhive');
    const runtime = createRuntimeSync({ pools: { state: 0, trajectory: 0, message: 0 } });
    const { knowledge } = runtime;
    knowledge.load(readJson(values.catalogue ?? packageFile('dist/web/features.json'), 'the catalogue'));
    knowledge.freeze();
    const hits = knowledge.search(question, { k: values.count, ...(values.category === undefined ? {} : { category: values.category }) });
    const answers = hits.map(({ code, score }) => {
        const feature = /** @type {import('../../types/qhive.js').Feature} */ (knowledge.get(code));
        return { ...feature, score, ...(values.order ? { order: knowledge.activationOrder([code]) } : {}) };
    });
    if (values.json) terminal.print(JSON.stringify({ question, answers }, null, 2));
    else if (answers.length === 0) terminal.print('Nothing in the catalogue is like that.');
    else for (const answer of answers) print(answer, terminal);
    runtime.dispose();
}
