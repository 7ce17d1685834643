/** The command line: what it prints adds up, its picture is to scale, and wrong usage is one line and exit code 2. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'qhive-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function qhive(args, env = {}) {
    const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env;
    const options = { cwd: folder, encoding: 'utf8', env: { ...rest, ...env } };
    return spawnSync(process.execPath, [join(root, manifest.bin.qhive), ...args], options);
}

describe('usage', () => {
    const WRONG = [
        [[]], [['nonsense']], [['toString']], [['memory', 'more']], [['memory', '--nonsense']], [['memory', '--agents']], [['memory', '--agents', 'x']],
        [['memory', '--agents', '0']], [['memory', '--steps', '-1']], [['memory', '--steps=1e3']], [['memory', '--max-pages', '65537']], [['memory', '--svg=']],
        [['memory', '--json=yes']],
    ];
    test.each(WRONG)('%j is refused', (args) => {
        const { status, stdout, stderr } = qhive(args);
        expect(status).toBe(2);
        expect(stdout).toBe('');
        expect(stderr).toMatch(/^qhive: [^\n]{10,200}\n$/);
    });

    test('a reader who goes away ends the command without a word', async () => {
        const child = spawn(process.execPath, [join(root, manifest.bin.qhive), 'memory', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.destroy();
        let complaint = '';
        child.stderr.on('data', (text) => (complaint += text));
        expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
        expect(complaint).toBe('');
    });

    test('help says every option, and has examples', () => {
        expect(qhive(['--help']).stdout).toMatch(/memory {2}show/);
        const { status, stdout } = qhive(['memory', '--help']);
        expect(status).toBe(0);
        for (const option of ['agents', 'steps', 'seed', 'max-pages', 'top', 'svg', 'no-svg', 'json', 'help']) expect(stdout).toContain(`--${option}`);
        expect(stdout).toMatch(/Examples:\n {2}qhive memory/);
        expect(qhive(['--version']).stdout).toBe(`${manifest.version}\n`);
    });

    test('what goes wrong later is one line and exit code 1', () => {
        for (const args of [['--max-pages', '20'], ['--agents', '2', '--steps', '1', '--svg', 'no/such/folder.svg', '--json']]) {
            const { status, stderr } = qhive(['memory', ...args]);
            expect(status).toBe(1);
            expect(stderr).toMatch(/^qhive: [^\n]+\n$/);
        }
    });
});

describe('memory', () => {
    const args = ['memory', '--agents', '30', '--steps', '100', '--seed', '5', '--top', '3'];
    const json = JSON.parse(qhive([...args, '--json', '--svg', 'picture.svg']).stdout);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

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
        expect(JSON.parse(qhive([...args, '--json', '--no-svg']).stdout)).toEqual(json);
        expect(existsSync(join(folder, 'qhive-memory.svg'))).toBe(false);
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
        const { status, stdout } = qhive(args);
        expect(status).toBe(0);
        expect(stdout).toMatch(/agents: Q-tables +[\d.]+ KiB +[\d.]+ %/);
        expect(stdout).toMatch(/trajectory +1\.0 KiB +15 +15/);
        expect(stdout).toMatch(/Leaks: 0\n\nqhive-memory.svg/);
        expect(stdout).not.toContain('\u001b[');
        expect(qhive([...args, '--no-svg'], { FORCE_COLOR: '1' }).stdout).toContain('\u001b[1m');
        expect(qhive([...args, '--no-svg'], { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toContain('\u001b[');
        expect(existsSync(join(folder, 'qhive-memory.svg'))).toBe(true);
    });
});

describe('ask', () => {
    test('answers from the catalogue', () => {
        const { answers } = JSON.parse(qhive(['ask', 'cells', 'that', 'can', 'sleep', 'at', 'night', '--json', '--order']).stdout);
        expect(answers).toHaveLength(3);
        expect(answers[0]).toMatchObject({ category: 'Energy Saving', description: expect.stringContaining('.') });
        expect(answers[0].order.at(-1)).toBe(answers[0].code);
        expect(qhive(['ask', '38.331 a3-Offset', '-n', '1']).stdout).toMatch(/Event A3 offset[^]*-30\.\.30/);
        expect(qhive(['ask', 'sleep', '--category', 'Mobility', '--json']).stdout).not.toContain('Energy Saving');
        expect(qhive(['ask', 'zzzzqqqq']).stdout).toBe('Nothing in the catalogue is like that.\n');
    });

    test.each([[[]], [['x', '-n', '0']], [['x', '--catalogue', 'no-such-file']], [['x', '--nonsense']]])('%j is refused', (args) => {
        const { status, stderr } = qhive(['ask', ...args]);
        expect(status).toBe(2);
        expect(stderr).toMatch(/^qhive: [^\n]+\n$/);
    });
});
