import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import { LogError } from '../../examples/ran-replay/csv.js';
import { logBytes, readLogs } from '../../examples/ran-replay/logs.js';
import { consequence, writeSyntheticLogs } from './synthetic.js';

let logs;
afterEach(() => logs?.remove());
const write = (options) => { logs = writeSyntheticLogs({ decisions: 30, ...options }); return logs.folder; };

describe('reading', () => {
    test('streams, runs, decisions and what each decision knew', async () => {
        const seed = 3;
        console.info(`seed ${seed}`);
        const read = await readLogs(write({ seed }));
        expect(read.streams).toHaveLength(5 * 6 + 2);
        expect(read.streams.map((s) => s.agent)).toEqual([...read.streams.keys()]);
        expect(read.streams[0]).toMatchObject({ source: 'explora', name: 'main-e01/eMBB/0', run: 'main-e01', slice: 0, k: 0, length: 90 });
        expect(read.streams.at(-1)).toMatchObject({ source: 'tractor', name: 'tractor/1', slice: -1, length: 1000 });
        expect(read.rows).toEqual({ reports: 5 * 30 * 3 * 6, tractor: 1800, decisions: 150, driven: 5 * 6 * 90 + 1800 });

        const run = read.runs.get('winter-e02');
        expect(run).toMatchObject({ family: 'winter', controller: 'embb', traffic: 'trf1', count: 30 });
        expect([...run.actions]).toEqual(logs.actions['winter-e02']);
        expect(run.rewards[0]).toBeNaN();
        expect(run.rewards[1]).toBeCloseTo(0.07204403 * run.states[18 + 2] + 0.00229358 * run.states[18 + 11] - 4.96e-5 * run.states[18 + 13], 9);
        for (let i = 0; i < run.count; i++) {
            run.streams.forEach((stream, local) => {
                expect(run.rows[i * run.streams.length + local]).toBe(3 * i + 2);
                const kpis = i === 0 ? undefined : consequence(run.actions[i - 1])[stream.slice];
                if (kpis) expect(stream.values[(3 * i + 2) * 5 + 1]).toBeCloseTo(kpis[1], 6);
            });
        }
    });

    test('a report at the very time of a decision is not known to it', async () => {
        const shift = (text) => text.replace(/^(winter-e01),(\d+)500,/gm, (_, run, thousands) => `${run},${thousands}000,`);
        const read = await readLogs(write({ change: { 'explora_decisions.csv.gz': shift } }));
        const run = read.runs.get('winter-e01');
        expect(run.times[4]).toBe(14000);
        expect(run.rows[4 * 6]).toBe(3 * 4 + 1);
    });

    test('a UE that is absent from the last report has no row; one that no agent stands for is passed over', async () => {
        const drop = (text) => text.replace(/^winter-e01,2000,0,1,.*\n/m, 'winter-e01,2000,0,9,0,1,1,3,10,0\n');
        const fewer = (text) => text.replace(/^(\d+,explora,winter-e01,0,1),90$/m, '$1,89');
        const read = await readLogs(write({ change: { 'explora_reports.csv.gz': drop, 'agents593.csv': fewer } }));
        const run = read.runs.get('winter-e01');
        expect([...run.rows.slice(0, 6)]).toEqual([2, -1, 2, 2, 2, 2]);
        expect([...run.rows.slice(6, 12)]).toEqual([5, 4, 5, 5, 5, 5]);
    });

    test('observations: buffers in decades, both directions of TRACTOR carried together', async () => {
        const read = await readLogs(write());
        expect(logBytes(0)).toBe(0);
        expect(logBytes(999)).toBeCloseTo(3, 12);
        expect([...read.streams.at(-1).values.slice(0, 6)]).toEqual([4.5, Math.fround(logBytes(400)), 10, 9, 11, 35]);
    });
});

describe('what is wrong is said', () => {
    const failure = async (folder) => readLogs(folder).then(() => undefined, (error) => error);

    test('no folder, a file instead of a folder, a missing file: named with what is expected', async () => {
        const absent = await failure('no/such/folder');
        expect(absent).toBeInstanceOf(LogError);
        expect(absent.message).toMatch(/no\/such\/folder: no such folder\. Expected a folder with agents593\.csv, .*tractor_kpis\.csv\.gz/);
        const file = await failure('package.json');
        expect(file.message).toMatch(/not a folder/);
        const missing = await failure(write({ change: { 'explora_reports.csv.gz': null } }));
        expect(missing).toBeInstanceOf(LogError);
        expect(missing.message).toMatch(/: explora_reports\.csv\.gz missing\. Expected/);
    });

    const first = (text, replace) => text.replace(/^(main-e01,.*)$/m, replace);
    test.each([
        ['another header', 'explora_decisions.csv.gz', (t) => t.replace('reward', 'rewards'), /explora_decisions\.csv\.gz, line 1: the header is/],
        ['an empty file', 'explora_slicings.csv', () => '', /explora_slicings\.csv, line 1: the file is empty/],
        ['a field that is no number', 'explora_reports.csv.gz', (t) => first(t, 'main-e01,0,0,0,abc,1,1,3,10,0'), /explora_reports\.csv\.gz, line 2: "abc" is no number/],
        ['an empty KPI', 'explora_reports.csv.gz', (t) => first(t, 'main-e01,0,0,0,,1,1,3,10,0'), /line 2: an empty KPI/],
        ['too few fields', 'tractor_kpis.csv.gz', (t) => t.replace(/,12$/m, ''), /tractor_kpis\.csv\.gz, line 2: 20 fields, expected 21/],
        ['an action out of range', 'explora_decisions.csv.gz', (t) => t.replace(/,\d+$/m, ',297'), /line 2: "297" is no integer in 0\.\.296/],
        ['an unknown run', 'explora_decisions.csv.gz', (t) => t.replace('main-e01,', 'main-e99,'), /run "main-e99" is not in explora_runs\.csv/],
        ['a run of no known family', 'explora_runs.csv', (t) => t.replace('main-e01,', 'summer-e01,'), /"summer-e01" is of no known family/],
        ['fewer rows than promised', 'agents593.csv', (t) => t.replace('main-e01,0,0,90', 'main-e01,0,0,91'), /main-e01\/eMBB\/0 has 90 rows, agents593\.csv says 91/],
        ['more rows than promised', 'agents593.csv', (t) => t.replace('main-e01,0,0,90', 'main-e01,0,0,89'), /more rows of main-e01\/eMBB\/0/],
        ['time running backwards', 'explora_reports.csv.gz', (t) => t.replace('main-e01,1000,', 'main-e01,-1,'), /line 8: time runs backwards/],
        ['damaged gzip', 'tractor_kpis.csv.gz', (t) => gzipSync(t).subarray(0, 200), /tractor_kpis\.csv\.gz cannot be read as gzip/],
        ['no gzip at all', 'tractor_kpis.csv.gz', (t) => Buffer.from(t), /tractor_kpis\.csv\.gz cannot be read as gzip/],
    ])('%s', async (_, file, change, message) => {
        const error = await failure(write({ change: { [file]: change } }));
        expect(error).toBeInstanceOf(LogError);
        expect(error.message).toMatch(message);
    });
});
