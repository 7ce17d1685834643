/** The commands that work: the main job from a scenario, logs, benchmark, server, exports; as a user runs them. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createRuntimeSync } from 'qhive';
import { evaluatePolicy } from 'qhive/evaluate';
import { readLog } from '../../js/src/cli/log.js';
import { writeSyntheticLogs } from '../replay/synthetic.js';
import { install } from './cli.js';

const { folder, binary, qhive, remove } = install();
afterAll(remove);
const write = (name, contents) => writeFileSync(join(folder, name), typeof contents === 'object' && !Buffer.isBuffer(contents) ? JSON.stringify(contents) : contents);

const SMALL = {
    name: 'two of the whole network', agents: ['t310', 'fairness'], seed: 3,
    encoders: { t310: { kind: 'tiles', keys: { load: 4 }, tilings: 2 } }, rules: { all: { algorithm: 'double-q' } },
    budget: { pages: 256, pools: { state: 8, trajectory: 0, message: 0 } }, train: { days: 1 }, evaluate: { seeds: '9' },
};

describe('run', () => {
    test('runs a scenario, reports, and keeps what was learned', async () => {
        write('small.json', SMALL);
        const { status, stdout, stderr } = await qhive(['run', 'small.json', '--json', '--tables', 'learned']);
        expect([status, stderr.split('\n')[0]]).toEqual([0, 'training: 1']);
        const report = JSON.parse(stdout);
        expect(report).toMatchObject({ scenario: SMALL.name, agents: 2, seeds: [9], days: 1, train: { seeds: 1 }, memory: { maxPages: 256 } });
        expect(report.kpis.defaults.reward.mean).toBeGreaterThan(report.kpis.random.reward.mean);
        expect(report.hash).toMatch(/^[0-9a-f]{16}$/);
        expect(readdirSync(join(folder, 'learned'))).toEqual(['fairness-0.qhtb', 't310-0.qhtb']);
        const [table, text, other] = await Promise.all([
            qhive(['inspect', 'learned/t310-0.qhtb', '--json', '--top', '2']), qhive(['inspect', 'learned/t310-0.qhtb']), qhive(['run', '--print']),
        ]);
        expect(JSON.parse(table.stdout)).toMatchObject({ format: 'table', version: 1, tables: 2, actions: 3, top: [{ best: expect.any(Number) }, {}] });
        expect(text.stdout).toMatch(/^A table of \d+ states and 3 actions[^]*configuration hash +[0-9a-f]{16}\n[^]*CRC-32C +0x[0-9a-f]{8}, right/);
        expect(JSON.parse(other.stdout)).toMatchObject({ agents: 'all', budget: { pages: expect.any(Number) } });
    });

    test('a mistake in a scenario is told with its place', async () => {
        write('wrong.json', { agents: ['tlt'] });
        write('refused.json', { agents: ['t310'], rules: { t310: { lambda: 2 } } });
        const [wrong, refused] = await Promise.all([qhive(['run', 'wrong.json']), qhive(['run', 'refused.json'])]);
        expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/^qhive: wrong\.json: agents\[0\]: there is no parameter "tlt"; there are tilt, [^\n]+\n$/)]);
        expect([refused.status, refused.stderr]).toEqual([2, expect.stringMatching(/^qhive: refused\.json: no agent can be made as it says: [^\n]*lambda[^\n]*\n$/)]);
    });

    test('a budget that is too small is told, and nothing is reported', async () => {
        const { status, stdout, stderr } = await qhive(['run', 'small.json', '--max-pages', '20']);
        expect([status, stdout]).toEqual([1, '']);
        expect(stderr).toMatch(/^qhive: the memory budget is spent: .*maxPages \(20\)/m);
    });
});

describe('evaluate', () => {
    const rows = Array.from({ length: 400 }, (_, i) => {
        const context = i % 2;
        const action = (i * 7 + (i >> 3)) % 4 === 0 ? 1 : 0;
        return { context: `c${context}`, action, reward: action === context ? 1 : (i % 5) / 10, propensity: action === 1 ? 0.25 : 0.75, cluster: i >> 4, target: context };
    });
    const NAMES = Object.keys(rows[0]);
    const csv = [NAMES.join(','), ...rows.map((row) => NAMES.map((name) => row[name]).join(','))].join('\r\n');
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');

    test('a log in CSV, in JSON lines and gzipped gives the figures of qhive/evaluate', async () => {
        write('log.csv', csv);
        write('log.jsonl', lines);
        write('log.csv.gz', gzipSync(csv));
        const all = await Promise.all(['log.csv', 'log.jsonl', 'log.csv.gz'].map((name) => qhive(['evaluate', name, '--json', '--replicates', '50', '--seed', '4'])));
        const [first, ...others] = all.map(({ stdout }) => JSON.parse(stdout));
        for (const other of others) expect(other).toEqual(first);
        const column = (name) => rows.map((row) => row[name]);
        const direct = evaluatePolicy({
            actionCount: 2, actions: column('action'), rewards: column('reward'), propensities: column('propensity'), targetActions: column('target'), clusters: column('cluster'),
        }, { bootstrap: { replicates: 50, seed: 4 } });
        for (const name of ['logged', 'ips', 'snips', 'coverage']) expect(first[name]).toEqual(JSON.parse(JSON.stringify(direct[name])));
        expect(first).toMatchObject({ policy: 'the target of the log', contexts: 2, clusters: 25, propensities: { source: 'given' } });
        expect(first.doublyRobust.value).toBeGreaterThan(first.logged.value);
    });

    test('says in words how far to trust it', async () => {
        write('few.csv', `"action",reward\n${'1,"2"\n0,1\n'.repeat(9)}`);
        const [greedy, always] = await Promise.all([qhive(['evaluate', 'few.csv', '--policy', 'greedy']), qhive(['evaluate', 'few.csv', '--policy', '1', '--actions', '3'])]);
        expect(greedy.stdout).toMatch(/! ESTIMATED_PROPENSITIES: [^]*! THIN_COVERAGE: [^]*! OPTIMISTIC_MODEL: /);
        expect(always.stdout).toMatch(/^always action 1, on 18 decisions, 3 actions[^]*what was done +1\.5000/);
    });

    test('a mistake in a log is told with its line', async () => {
        write('wrong.csv', 'action,reward\n0,1\n0.5,1\n');
        expect(await qhive(['evaluate', 'wrong.csv'])).toEqual({ status: 2, stdout: '', stderr: 'qhive: line 3: action must be a whole number from 0, not "0.5"\n' });
        const MISTAKES = [
            ['action,reward\n0,1\n1,x\n', 'line 3: reward must be a number, not "x"'], ['action,reward\n0,1\n1\n', 'line 3 has 1 fields, the header 2'],
            ['a,reward\n0,1\n', 'has no action'], ['', 'is empty'], ['action,reward\n', 'no decision'],
            ['{"action":0,"reward":1}\n[1]\n', 'line 2 must be a JSON object'], ['{"action":0,"reward":1,"propensity":0.5}\n{"action":0,"reward":1}\n', 'line 2 has no propensity'],
            ['{"action":0,"reward":1,"target":1}\n{"action":0,"reward":1,"target":[1,0]}\n', 'target must be an action in every line'],
        ];
        for (const [text, message] of MISTAKES) {
            write('wrong.log', text);
            expect(() => readLog(join(folder, 'wrong.log'))).toThrow(message);
        }
        write('odds.csv', 'action,reward,target_1,target_0,note\n0,1,0.25,0.75,"a, ""b"""\n');
        expect(readLog(join(folder, 'odds.csv'))).toMatchObject({ actions: [0], rewards: [1], target: [[0.75, 0.25]] });
    });
});

test('inspect finds damage, and knows an index', async () => {
    const runtime = createRuntimeSync({ seed: 2 });
    const index = runtime.createIndex({ dims: 8, metric: 'l2' });
    index.addAll(Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)));
    index.freeze();
    const bytes = Buffer.from(index.export());
    const agent = runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 4 } });
    agent.learn(3, 1, 0.5, 2);
    const table = Buffer.from(agent.exportTable());
    write('index.qhix', bytes);
    write('table.qhtb', table);
    const damaged = (whole, at) => Buffer.from(whole).fill(255, at, at + 1);
    write('flipped.qhix', damaged(bytes, 200));
    write('flipped.qhtb', damaged(table, 44));
    write('cut.qhtb', table.subarray(0, table.length - 1));
    write('later.qhtb', damaged(table, 4));
    const [good, small, ...bad] = await Promise.all(['index.qhix', 'table.qhtb', 'flipped.qhix', 'flipped.qhtb', 'cut.qhtb', 'later.qhtb'].map((name) => qhive(['inspect', name, '--json'])));
    expect(JSON.parse(good.stdout)).toMatchObject({ format: 'index', version: 1, vectors: 10, dims: 8, metric: 'l2', storage: 'f32', categories: false });
    expect(JSON.parse(small.stdout)).toMatchObject({ rows: 1, visits: { total: 1, tried: 1 }, top: [{ visits: 1, tries: [0, 1], values: [0, expect.closeTo(0.05)], best: 1 }] });
    bad.forEach(({ status, stdout, stderr }, i) => {
        expect([i, status, stdout]).toEqual([i, 1, '']);
        expect(stderr).toMatch([/is damaged: the CRC-32C is 0x/, /is damaged: the CRC-32C is 0x/, /is damaged: 1 states take 56 bytes, here are 55/, /is damaged: it is of version \d+, this package reads 1/][i]);
    });
    const none = await qhive(['inspect', 'index.qhix'], { NODE_OPTIONS: '--import=data:text/javascript,delete%20globalThis.WebAssembly' });
    expect([none.status, none.stderr]).toEqual([1, 'qhive: this engine has no WebAssembly\n']); // and the file is sound
});

test('bench compares with the flat table and the Map', async () => {
    const { status, stdout } = await qhive(['bench', '--only', 'step', '--rounds', '3', '--json']);
    expect(status).toBe(0);
    const { figures } = JSON.parse(stdout);
    expect(figures.map(({ id }) => id)).toEqual(['step/flat', 'step/map']);
    for (const { value, nanoseconds } of figures) expect(value > 0 && nanoseconds.qhive > 0 && nanoseconds.baseline > 0).toBe(true);
});

describe('replay', () => {
    let logs;
    beforeAll(() => (logs = writeSyntheticLogs({ decisions: 40 })));
    afterAll(() => logs.remove());

    test('replays a folder of logs', async () => {
        const { status, stdout, stderr } = await qhive(['replay', logs.folder, '--json']);
        expect(status).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ seed: 1, agents: { total: expect.any(Number) }, control: { overall: { runs: 4 } } });
        expect(stderr).toMatch(/^learn, %: 100\n/m);
        expect(stderr).not.toContain('\u001b');
    });

    const script = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
    (script ? test : test.skip)('shows bars on a terminal', () => {
        const command = `'${process.execPath}' '${binary}' replay '${logs.folder}'`;
        const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env: { ...process.env, TERM: 'xterm' } });
        expect(stdout).toMatch(/evaluate, % +\[[█░]+\] \d+\/100/);
    });
});

test('serve serves the page under its policy, and says where', async () => {
    const child = spawn(process.execPath, [binary, 'serve', '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
        const line = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text))));
        const { address } = JSON.parse(line);
        const page = await fetch(address);
        expect(page.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval'");
        expect(await page.text()).toContain('593 agents learn');
        for (const name of ['main.js', 'worker.js', 'page.css', 'features.json', 'LICENCES.txt']) expect((await fetch(`${address}${name}`)).status).toBe(200);
        for (const name of ['nothing.js', '..%2fqhive.mjs', '%2e%2e/qhive.mjs', 'worker.js.map']) expect((await fetch(`${address}${name}`)).status).toBe(404);
        expect((await fetch(address, { method: 'POST' })).status).toBe(404);
        const taken = await qhive(['serve', '--port', new URL(address).port]);
        expect([taken.status, taken.stderr]).toEqual([1, expect.stringMatching(/^qhive: port \d+ is taken; qhive serve --port N takes another\n$/)]);
    } finally {
        child.kill();
    }
});

