/** The command line: what it prints adds up, its picture is to scale, and wrong usage is one line and exit code 2. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install, manifest } from './cli.js';

const { folder, binary, qhive, remove } = install();
afterAll(remove);

const NAMES = ['run', 'replay', 'evaluate', 'inspect', 'memory', 'ask', 'bench', 'serve'];

describe('usage', () => {
    writeFileSync(join(folder, 'log.csv'), 'action,reward\n0,1\n1,2\n');
    writeFileSync(join(folder, 'text'), 'no export\n');
    const WRONG = [
        [], ['nonsense'], ['toString'], ['memory', 'more'], ['memory', '--agents', '0'], ['memory', '--json=yes'], ['ask'], ['ask', 'x', '--catalogue', 'no-such-file'],
        ['run', 'text'], ['run', '--seeds', '5..1'], ['replay'], ['evaluate', 'log.csv', '--policy', '2'], ['evaluate', 'log.csv', '--clip', '0'], ['inspect', 'text'],
        ['bench', '--only', 'act,nonsense'], ['serve', '--port', '65536'], ['replay', 'no-such-folder'], ['replay', 'text'],
    ];

    test('every mistake is one line that says what was expected, and exit code 2', async () => {
        const all = await Promise.all(WRONG.map((args) => qhive(args)));
        all.forEach(({ status, stdout, stderr }, i) => {
            expect([WRONG[i], status, stdout]).toEqual([WRONG[i], 2, '']);
            expect(stderr).toMatch(/^qhive: [^\n]{10,600}\n$/);
        });
    });

    test('a reader who goes away ends the command without a word', async () => {
        const child = spawn(process.execPath, [binary, 'memory', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.destroy();
        let complaint = '';
        child.stderr.on('data', (text) => (complaint += text));
        expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
        expect(complaint).toBe('');
    });

    test('help names every command; each has its own, with examples', async () => {
        const [all, version, ...each] = await Promise.all([['--help'], ['--version'], ...NAMES.map((name) => [name, '--help'])].map((args) => qhive(args)));
        expect(version.stdout).toBe(`${manifest.version}\n`);
        each.forEach(({ status, stdout }, i) => {
            expect(all.stdout).toContain(`  ${NAMES[i].padEnd(8)}  `);
            expect([NAMES[i], status]).toEqual([NAMES[i], 0]);
            expect(stdout).toMatch(new RegExp(`^Usage: qhive ${NAMES[i]} .*\\[options\\]$`, 'm'));
            expect(stdout).toMatch(new RegExp(`^Examples:\\n {2}qhive ${NAMES[i]}`, 'm'));
            for (const option of ['json', 'help']) expect(stdout).toContain(`--${option}`);
        });
        for (const option of ['agents', 'steps', 'seed', 'max-pages', 'top', 'svg', 'no-svg']) expect(each[NAMES.indexOf('memory')].stdout).toContain(`--${option}`);
    });

    test('what goes wrong later is one line and exit code 1', async () => {
        const later = [['memory', '--max-pages', '20'], ['memory', '--agents', '2', '--steps', '1', '--svg', 'no/such/folder.svg', '--json']];
        for (const { status, stderr } of await Promise.all(later.map((args) => qhive(args)))) {
            expect(status).toBe(1);
            expect(stderr).toMatch(/^qhive: [^\n]+\n$/);
        }
    });
});

describe('memory', () => {
    const args = ['memory', '--agents', '30', '--steps', '100', '--seed', '5', '--top', '3'];
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    let json, again, text, coloured, plain, off, nothingDrawn;
    beforeAll(async () => {
        again = await qhive([...args, '--json', '--no-svg']);
        nothingDrawn = !existsSync(join(folder, 'qhive-memory.svg'));
        [json, text, coloured, plain, off] = await Promise.all([
            qhive([...args, '--json', '--svg', 'picture.svg']), qhive(args),
            qhive([...args, '--no-svg'], { FORCE_COLOR: '1' }), qhive([...args, '--no-svg'], { FORCE_COLOR: '1', NO_COLOR: '1' }),
            qhive([...args, '--no-svg'], { FORCE_COLOR: '0' }),
        ]);
        json = JSON.parse(json.stdout);
    });

    test('the figures add up', () => {
        expect(sum(Object.values(json.spans))).toBe(json.pages * 65536);
        expect(sum(json.layout.map(({ start, end }) => end - start))).toBe(json.pages * 65536);
        expect(sum(json.kinds.map(({ liveBytes }) => liveBytes))).toBe(json.liveBytes);
        expect(json.kinds.find(({ kind }) => kind === 'agent').owners).toBe(27);
        expect(json.owners).toHaveLength(3);
        expect(json.leaks).toEqual([]);
        const { stack, static: data, unused, hole, pool, ...live } = json.spans;
        expect(stack).toBe(2 ** 20);
        expect(sum(Object.values(live)) + pool).toBe(json.liveBytes);
        expect(Object.keys(live).sort()).toEqual(expect.arrayContaining(['agent', 'batch', 'encoders', 'records', 'runtime', 'table', 'trajectory']));
        expect(data).toBeGreaterThan(1000);
        expect(unused + hole).toBeGreaterThan(0);
    });

    test('the same options give the same bytes', () => {
        expect(JSON.parse(again.stdout)).toEqual(json);
        expect(nothingDrawn).toBe(true);
    });

    test('the picture is to scale', () => {
        const svg = readFileSync(join(folder, 'picture.svg'), 'utf8');
        expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="[\d. ]+"[^>]*role="img"/);
        expect(svg).toContain('prefers-color-scheme:dark');
        expect(svg.match(/<(?:svg|title|desc|style|text|rect|path)\b/g).length).toBeLessThan(200);
        const cells = {};
        for (const [, what, path] of svg.matchAll(/<path class="(\w+)" d="([^"]+)"/g))
            cells[what] = sum([...path.matchAll(/h(\d+)v/g)].map(([, width]) => Number(width)));
        const all = sum(Object.values(cells));
        for (const [what, bytes] of Object.entries(json.spans)) {
            const share = bytes / (json.pages * 65536);
            expect(Math.abs((cells[what] ?? 0) / all - share)).toBeLessThan(0.015);
        }
        expect(cells.stack / all).toBeCloseTo(2 ** 20 / (json.pages * 65536), 2);
    });

    test('the text names what the picture shows, with colours only where they are wanted', () => {
        expect(text.status).toBe(0);
        expect(text.stdout).toMatch(/agents: Q-tables +[\d.]+ KiB +[\d.]+ %/);
        expect(text.stdout).toMatch(/trajectory +1\.0 KiB +15 +15/);
        expect(text.stdout).toMatch(/Leaks: 0\n\nqhive-memory.svg/);
        expect(text.stdout).not.toContain('\u001b[');
        expect(coloured.stdout).toContain('\u001b[1m');
        for (const { stdout } of [plain, off]) expect(stdout).not.toContain('\u001b[');
        expect(existsSync(join(folder, 'qhive-memory.svg'))).toBe(true);
    });
});

test('ask answers from the catalogue', async () => {
    const [night, code, category, nothing] = await Promise.all([
        qhive(['ask', 'cells', 'that', 'can', 'sleep', 'at', 'night', '--json', '--order']), qhive(['ask', '38.331 a3-Offset', '-n', '1']),
        qhive(['ask', 'sleep', '--category', 'Mobility', '--json']), qhive(['ask', 'zzzzqqqq']),
    ]);
    const { answers } = JSON.parse(night.stdout);
    expect(answers).toHaveLength(3);
    expect(answers[0]).toMatchObject({ category: 'Energy Saving', description: expect.stringContaining('.') });
    expect(answers[0].order.at(-1)).toBe(answers[0].code);
    expect(code.stdout).toMatch(/Event A3 offset[^]*-30\.\.30/);
    expect(category.stdout).not.toContain('Energy Saving');
    expect(nothing.stdout).toBe('Nothing in the catalogue is like that.\n');
});
