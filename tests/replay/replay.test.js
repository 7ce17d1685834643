import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRuntime } from 'qhive';
import { drive, HORIZON, judge } from '../../examples/ran-replay/drive.js';
import { cellOf, evaluateRun, summarise } from '../../examples/ran-replay/heldout.js';
import { readLogs } from '../../examples/ran-replay/logs.js';
import { decideRun, trainRun, transitionsOf } from '../../examples/ran-replay/offline.js';
import { replay } from '../../examples/ran-replay/replay.js';
import { render } from '../../examples/ran-replay/report.js';
import { configOf, isControlled } from '../../examples/ran-replay/roles.js';
import { BEST_ACTION, consequence, rewardOf, writeSyntheticLogs } from './synthetic.js';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const real = join(root, '../shared/data/ran');
const seed = 21;

/** @returns {Promise<{ code: number, out: string, err: string }>} of the command line */
function run(...args) {
    return new Promise((resolve) => {
        execFile(process.execPath, [join(root, 'examples/ran-replay/main.js'), ...args], { maxBuffer: 2 ** 26, timeout: 100_000 },
            (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
    });
}

describe('synthetic logs', () => {
    let written;
    let logs;
    let runtime;
    beforeAll(async () => {
        console.info(`seed ${seed}`);
        written = writeSyntheticLogs({ seed });
        logs = await readLogs(written.folder);
    });
    const dispose = () => {
        runtime?.dispose();
        runtime = undefined;
    };
    afterEach(dispose);
    afterAll(() => written.remove());

    const create = async () => {
        runtime = await createRuntime({ seed });
        return logs.streams.map((s) => runtime.createAgent(configOf(s, isControlled(logs.runs.get(s.run)))));
    };

    test('agents find the best joint action for a run they never saw, and no other agent is touched', async () => {
        const agents = await create();
        const transitions = new Map([...logs.runs.values()].filter(isControlled).map((r) => [r.name, transitionsOf(r)]));
        const held = logs.runs.get('spring-e02');
        trainRun(held, agents, transitions);
        logs.streams.forEach((s) => expect(agents[s.agent].metrics.states > 0).toBe(s.run === 'spring-e02'));
        const decided = decideRun(transitions.get('spring-e02'), agents);
        const best = [...decided.actions].filter((a) => a === BEST_ACTION).length;
        expect(best / decided.actions.length).toBeGreaterThan(0.8);
    });

    test('a known policy is valued right: always the best action, by every estimator', () => {
        const transitions = transitionsOf(logs.runs.get('winter-e01'));
        const n = transitions.decisions.length;
        const evaluated = evaluateRun(transitions, { actions: new Int16Array(n).fill(BEST_ACTION), values: new Float64Array(n) });
        const truth = rewardOf(consequence(BEST_ACTION));
        const summary = summarise([evaluated], seed);
        expect(summary.decisions).toBe(n);
        expect(summary.estimates.snips.value).toBeCloseTo(truth, 6);
        expect(summary.estimates.jointSnips.value).toBeCloseTo(truth, 6);
        expect(Math.abs(summary.estimates.directMethod.value - truth)).toBeLessThan(0.03);
        expect(Math.abs(summary.estimates.doublyRobust.value - truth)).toBeLessThan(0.03);
        expect(summary.betterRuns).toBe(1);
    });

    test('the direct method finds next to no gain in the logged decisions: the placebo', () => {
        const transitions = transitionsOf(logs.runs.get('winter-e01'));
        const { run: own, decisions } = transitions;
        const actions = Int16Array.from(decisions, (i) => own.actions[i]);
        const evaluated = evaluateRun(transitions, { actions, values: new Float64Array(decisions.length) });
        const { estimates } = summarise([evaluated], seed);
        expect(evaluated.placebo).toBe(estimates.directMethod.gain);
        expect(Math.abs(evaluated.placebo)).toBeLessThan(0.03);
        expect(evaluated.joint.evaluation.coverage.matched).toBe(decisions.length);
    });

    test('state cells: backlog by two decades, KPI in steps, the last cell open', () => {
        const states = new Float64Array(18);
        expect([0, 1, 2].map((s) => cellOf(states, 0, s))).toEqual([0, 0, 0]);
        states.set([2, 183000, 9, 1, 36, 200], 0);
        states.set([2, 0, 0.1, 1, 3, 45], 6);
        states.set([2, 150, 0.1, 1, 3, 45], 12);
        expect([0, 1, 2].map((s) => cellOf(states, 0, s))).toEqual([2 * 4 + 3, 2, 1]);
    });

    test('driving: predictors learn along all rows of streams of different lengths, controllers only act', async () => {
        const agents = await create();
        const controllers = logs.streams.filter((s) => isControlled(logs.runs.get(s.run)));
        const predictors = logs.streams.filter((s) => !controllers.includes(s));
        const driving = drive(runtime, agents, predictors, controllers);
        expect(driving.steps).toBe(predictors.reduce((n, s) => n + s.length, 0));
        expect(driving.acts).toBe(controllers.reduce((n, s) => n + s.length, 0));
        expect(driving.chosen.reduce((a, b) => a + b)).toBe(driving.acts);
        for (const s of controllers) expect(agents[s.agent].metrics.states).toBe(0);
        for (const s of predictors) expect(agents[s.agent].metrics.states).toBeGreaterThan(0);
    });

    test('prediction beats the mean where there is something to predict (a square wave of traffic)', async () => {
        const agents = await create();
        const predictors = logs.streams.filter((s) => s.source === 'tractor');
        const { predictions } = drive(runtime, agents, predictors, []);
        for (const prediction of predictions) {
            const { rows, squares } = judge(prediction);
            expect(rows).toBe(prediction.stream.length - HORIZON - Math.ceil(prediction.stream.length / 2));
            expect(squares.learned).toBeLessThan(0.9 * squares.mean);
        }
    });

    test('a value is learned from earlier rows only: a changed future changes no earlier prediction', async () => {
        const predictors = logs.streams.filter((s) => s.source === 'tractor');
        const values = [];
        for (const cut of [Infinity, 120]) {
            const changed = predictors.map((s) => ({ ...s, values: s.values.map((v, i) => (Math.trunc(i / s.width) > cut ? 1 : v)) }));
            const agents = await create();
            values.push(drive(runtime, agents, changed, []).predictions.map((p) => [...p.values.slice(0, 121)]));
            dispose();
        }
        expect(values[1]).toEqual(values[0]);
    });

    test('the whole replay: same seed, same report; every part is there and can be printed', async () => {
        const report = await replay(written.folder, { createRuntime, seed });
        expect(await replay(written.folder, { createRuntime, seed })).toEqual(report);
        expect(report.agents).toMatchObject({ total: 32, controllers: 24, predictors: 8 });
        expect(report.control.overall.runs).toBe(4);
        expect(report.control.overall.estimates.directMethod.gain).toBeGreaterThan(0);
        expect(report.control.runs.map((r) => r.run)).toEqual(['winter-e01', 'winter-e02', 'spring-e01', 'spring-e02']);
        expect(report.control.warnings.map((w) => w.code)).toEqual(expect.arrayContaining(['ESTIMATED_PROPENSITIES', 'MISSING_REWARDS']));
        expect(report.states.total).toBeGreaterThan(0);
        expect(report.memory.pages).toBeGreaterThan(0);
        expect(report.memory.perAgent.max).toBeLessThanOrEqual(report.memory.liveBytes);
        report.memory.processPeakBytes = 0;
        expect(render(report)).toMatch(/logged policy +0\.\d{4}[^]*MISSING_REWARDS[^]*tractor[^]*memory: \d+ pages/);
    });
});

describe('the command', () => {
    test('a missing folder: exit code 1, naming what is expected; nothing on standard output', async () => {
        const { code, out, err } = await run('no/such/folder');
        expect([code, out]).toEqual([1, '']);
        expect(err).toMatch(/^no\/such\/folder: no such folder\. Expected a folder with agents593\.csv/);
    });

    test('a missing file: exit code 1, naming it', async () => {
        const logs = writeSyntheticLogs({ decisions: 5, change: { 'tractor_kpis.csv.gz': null } });
        const { code, err } = await run(logs.folder, '--json');
        logs.remove();
        expect(code).toBe(1);
        expect(err).toMatch(/: tractor_kpis\.csv\.gz missing\. Expected/);
    });

    test.each([[[]], [['a', 'b']], [['a', '--seed', 'x']], [['a', '--seed', '4294967296']], [['a', '--no-such-option']]])('wrong usage %j: exit code 2, with the usage', async (args) => {
        const { code, out, err } = await run(...args);
        expect([code, out]).toEqual([2, '']);
        expect(err).toMatch(/usage: npm run replay/);
    });

    test('--help: the usage on standard output, exit code 0', async () => {
        const { code, out } = await run('--help');
        expect(code).toBe(0);
        expect(out).toMatch(/^usage: npm run replay/);
    });

    test('--json prints one JSON document, of the seed asked for', async () => {
        const logs = writeSyntheticLogs({ decisions: 60 });
        const { code, out } = await run(logs.folder, '--json', '--seed', '7');
        logs.remove();
        expect(code).toBe(0);
        const report = JSON.parse(out);
        expect(report.seed).toBe(7);
        expect(report.memory.processPeakBytes).toBeGreaterThan(0);
    });
});

(existsSync(real) ? describe : describe.skip)('the real logs (../shared/data/ran)', () => {
    let report;
    beforeAll(async () => {
        const { code, out, err } = await run(real, '--json');
        if (code !== 0) throw new Error(`exit code ${code}: ${err}`);
        report = JSON.parse(out);
    });

    test('all 593 agents are driven by all their rows', () => {
        expect(report.agents).toMatchObject({ total: 593, controllers: 288, predictors: 305, predictedSteps: 144424, shadowDecisions: 431902 });
        expect(report.data).toMatchObject({ reports: 531433, tractor: 66978, decisions: 31998, driven: 576326 });
    });

    test('24 runs are held out, winter and spring only', () => {
        expect(report.control.runs).toHaveLength(24);
        expect(report.control.runs.every((r) => /^(winter|spring)-/.test(r.run))).toBe(true);
    });

    test('the learned policy earns more than the logged one, by the direct method and doubly robust, beyond the interval', () => {
        const { logged, estimates } = report.control.overall;
        expect(logged).toBeCloseTo(0.3002, 3);
        expect(estimates.directMethod.interval.lower).toBeGreaterThan(0);
        expect(estimates.doublyRobust.interval.lower).toBeGreaterThan(0);
    });

    test('the direct method finds next to no gain in the logged policy itself', () => {
        const { placebo, estimates } = report.control.overall;
        expect(Math.abs(placebo)).toBeLessThan(0.1 * estimates.directMethod.gain);
    });

    test('thin coverage is said', () => {
        expect(report.control.warnings.filter((w) => w.code === 'THIN_COVERAGE').map((w) => w.where)).toContain('all slices jointly, 297 actions');
    });

    test('memory stays small: under 64 MiB of linear memory, 512 MiB of process', () => {
        expect(report.memory.linearBytes).toBeLessThan(64 * 2 ** 20);
        expect(report.memory.processPeakBytes).toBeLessThan(512 * 2 ** 20);
    });
});
