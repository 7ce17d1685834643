/**
 * `qhive replay`: drives one agent per stream of real logs, learns control offline where there was some, and values it on runs held out.
 */
import { UsageError, whole } from './command.js';

export const argument = 'FOLDER';

/** @type {import('./command.js').Command['options']} */
export const options = {
    seed: { type: 'string', value: 'N', default: 1, read: whole(0, 0xffffffff), text: 'of the agents and of the bootstrap' },
};

export const notes = [
    'FOLDER holds agents593.csv, explora_runs.csv, explora_slicings.csv, explora_decisions.csv.gz, explora_reports.csv.gz and',
    'tractor_kpis.csv.gz: the public EXPLORA and TRACTOR logs, a row each decision and each report.',
];

/** @type {import('./command.js').Command['examples']} */
export const examples = [
    ['qhive replay logs/ran', 'what was learned, and how far to trust it'],
    ['qhive replay logs/ran --json > replay.json', 'the report for a program'],
];

/** The phases of a replay as bars, one after the other. @param {typeof import('qhive:progress').progress} progress */
function phases(progress) {
    let [phase, shown] = ['', 0];
    /** @type {ReturnType<typeof progress> | undefined} */
    let bar;
    const end = () => {
        for (; bar && shown < 100; shown++) bar.step();
        bar?.stop();
        bar = undefined;
    };
    const show = (/** @type {string} */ name, /** @type {number} */ done, /** @type {number} */ total) => {
        if (name !== phase) {
            end();
            [phase, shown, bar] = [name, 0, progress(`${name}, %`, 100)];
        }
        for (; shown < Math.floor((100 * done) / total); shown++) bar?.step();
    };
    return { show, end };
}

/** @type {import('./command.js').Command['run']} */
export async function run(values, terminal) {
    const folder = values[argument];
    if (folder === '') throw new UsageError('a FOLDER is missing (qhive replay --help)');
    const { replay, render, NoLogsError } = await import('qhive:replay');
    const { progress } = await import('qhive:progress');
    const { createRuntime } = await import('qhive');
    const { show, end } = phases(progress);
    let report;
    try {
        report = await replay(folder, { createRuntime, seed: values.seed, progress: show, now: () => performance.now() });
    } catch (error) {
        if (error instanceof NoLogsError) throw new UsageError(error.message);
        throw error;
    } finally {
        end();
    }
    report.memory.processPeakBytes = process.resourceUsage().maxRSS * 1024;
    terminal.print(values.json ? JSON.stringify(report, null, 2) : render(report));
}
