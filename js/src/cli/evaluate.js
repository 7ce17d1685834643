/**
 * `qhive evaluate`: values a policy on decisions that were logged under another one, by four estimators, and says how far to trust them.
 */
import { columns, UsageError, whole } from './command.js';
import { readLog } from './log.js';
import { percent } from './text.js';

export const argument = 'LOG';

/** @type {import('./command.js').Command['options']} */
export const options = {
    policy: { type: 'string', value: 'NAME', text: 'greedy, uniform, or an action to take always (default: the target of the log, else greedy)' },
    actions: { type: 'string', value: 'N', read: whole(1, 2 ** 24), text: 'how many there are to choose from (default: as many as the log shows)' },
    replicates: { type: 'string', value: 'N', default: 1000, read: whole(10, 1e6), text: 'resamples of the bootstrap' },
    seed: { type: 'string', value: 'N', default: 0, read: whole(0, 0xffffffff), text: 'of the bootstrap' },
    clip: { type: 'string', value: 'W', read: readClip, text: 'largest importance weight: less variance, but biased' },
};

export const notes = [
    'LOG is CSV with a header, or JSON lines (.gz too), with the columns action and reward, and where known propensity,',
    'context, cluster, and target: the action of the policy to value, or its probabilities (in CSV target_0, target_1, ...).',
    'greedy is what the log itself suggests: in each context the action with the best reward elsewhere in the log (cross-fitted).',
];

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive evaluate decisions.csv', 'is its target better than what was done?'],
    ['qhive evaluate decisions.jsonl --policy greedy', 'what could be gained by its own lesson'],
    ['qhive evaluate decisions.csv.gz --policy 0 --json', 'what if action 0 had always been taken; for a program'],
];

const FOLDS = 5;
const MOST_CELLS = 2 ** 26;

/** @param {string} text @param {string} name */
function readClip(text, name) {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
    throw new UsageError(`--${name} must be a number above 0, not '${text}'`);
}

/** The largest of each row. @param {Float64Array} rows @param {number} count a row */
function bestOf(rows, count) {
    return Array.from({ length: rows.length / count }, (_, i) => {
        let best = 0;
        for (let a = 1; a < count; a++) if (rows[i * count + a] > rows[i * count + best]) best = a;
        return best;
    });
}

/**
 * The policy to be valued.
 * @param {string | undefined} policy @param {ReturnType<typeof readLog>} log @param {number} actionCount @param {Float64Array} model
 */
function targetOf(policy, log, actionCount, model) {
    const { length } = log.actions;
    if (policy === undefined && log.target) return { name: 'the target of the log', target: log.target };
    if (policy === undefined && log.targetActions) return { name: 'the target of the log', targetActions: log.targetActions };
    if (policy === undefined || policy === 'greedy') return { name: 'greedy, cross-fitted', targetActions: bestOf(model, actionCount) };
    if (policy === 'uniform') return { name: 'uniform', target: new Float64Array(length * actionCount).fill(1 / actionCount) };
    const action = /^\d+$/.test(policy) ? Number(policy) : NaN;
    if (!(action < actionCount)) throw new UsageError(`--policy must be greedy, uniform or an action from 0 to ${actionCount - 1}, not '${policy}'`);
    return { name: `always action ${action}`, targetActions: new Array(length).fill(action) };
}

/** Which decisions a reward model may not learn from when it predicts one: its own cluster's, or a fifth. @param {ReturnType<typeof readLog>} log */
function foldsOf({ clusters, actions }) {
    return clusters && new Set(clusters).size > 1 ? clusters : actions.map((_, i) => i % Math.min(FOLDS, actions.length));
}

/** @param {any} values */
async function evaluateLog(values) {
    const { crossFitRewardModel, evaluatePolicy } = await import('qhive/evaluate');
    const log = readLog(values[argument]);
    const seen = [...log.actions, ...(log.targetActions ?? []), (log.target?.[0].length ?? 1) - 1];
    const shown = seen.reduce((most, action) => Math.max(most, action), 0) + 1;
    const actionCount = values.actions ?? shown;
    if (actionCount < shown) throw new UsageError(`--actions ${actionCount} is too few: the log shows action ${shown - 1}`);
    if (log.actions.length < 2) throw new UsageError('a log of one decision says nothing about another policy');
    if (log.actions.length * actionCount > MOST_CELLS) throw new UsageError(`${log.actions.length} decisions of ${actionCount} actions are too many for a reward model here`);
    const { contexts, actions, rewards } = log;
    const model = crossFitRewardModel({ actionCount, actions, rewards, folds: foldsOf(log), ...(contexts && { contexts }) });
    const { name, ...target } = targetOf(values.policy, log, actionCount, model);
    const { target: _, targetActions: __, ...known } = log;
    const given = Object.fromEntries(Object.entries(known).filter(([, column]) => column !== undefined));
    const evaluation = evaluatePolicy(
        /** @type {any} */ ({ actionCount, ...given, ...target, model }),
        { bootstrap: { replicates: values.replicates, seed: values.seed }, ...(values.clip && { clip: values.clip }) },
    );
    const warnings = [...evaluation.warnings];
    if (name.startsWith('greedy')) {
        warnings.push(/** @type {any} */ ({
            code: 'OPTIMISTIC_MODEL', value: actionCount, limit: 1,
            message: 'the policy takes what the reward model likes best, so the direct method flatters it; trust the estimators with weights',
        }));
    }
    return { policy: name, actionCount, contexts: contexts ? new Set(contexts).size : 1, ...evaluation, warnings };
}

const ROWS = /** @type {const} */ ([
    ['logged', 'what was done'], ['directMethod', 'direct method'], ['ips', 'importance sampling (IPS)'], ['snips', 'the same, self-normalised'], ['doublyRobust', 'doubly robust'],
]);

/** @param {Awaited<ReturnType<typeof evaluateLog>>} facts @param {import('./command.js').Terminal} terminal */
function print(facts, { print: line, bold, dim }) {
    const { n, clusters, policy, coverage, propensities, logged, warnings } = facts;
    const number = (/** @type {number | undefined} */ value) => (Number.isFinite(value) ? Number(value).toPrecision(5) : '-');
    line(bold(`${policy}, on ${n} decisions${clusters < n ? ` in ${clusters} clusters` : ''}, ${facts.actionCount} actions, ${facts.contexts} contexts`));
    const rows = ROWS.flatMap(([key, title]) => {
        const estimate = facts[key];
        if (!estimate) return [];
        const { value, standardError, interval } = estimate;
        const gain = key === 'logged' ? '' : `${value >= logged.value ? '+' : ''}${number(value - logged.value)}`;
        return [[title, number(value), number(standardError), interval ? `${number(interval.lower)} .. ${number(interval.upper)}` : '', gain]];
    });
    const [head, ...body] = columns([['', 'reward', 'std. error', '95 % interval', 'gain'], ...rows]);
    line([dim(head), ...body].join('\n'));
    line(`\n  propensities ${propensities.source}${propensities.source === 'estimated' ? `: ${propensities.method}` : ''}`);
    line(`  ${coverage.matched} of ${n} decisions are such as the policy takes; they count as ${coverage.effectiveSampleSize.toFixed(0)} (${percent(coverage.effectiveRatio, 1)})`);
    for (const { code, message } of warnings) line(`  ! ${bold(code)}: ${message}`);
    if (warnings.length === 0) line('  nothing speaks against these figures');
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    let facts;
    try {
        facts = await evaluateLog(values);
    } catch (error) {
        if (/** @type {any} */ (error).code === 'INVALID_ARGUMENT') throw new UsageError(`the log '${values[argument]}': ${/** @type {Error} */ (error).message}`);
        throw error;
    }
    if (values.json) terminal.print(JSON.stringify(facts, null, 2));
    else print(facts, terminal);
}
