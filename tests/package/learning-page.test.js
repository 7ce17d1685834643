/** docs/learning.md: its pictures are there and readable in any colour scheme, its curves can be drawn. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { drawLines } from '../../examples/curves/charts.js';

const page = readFileSync(join(root, 'docs', 'learning.md'), 'utf8');

test('every picture is there: small, transparent, its text in the colour of the scheme', () => {
    const pictures = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => readFileSync(join(root, 'docs', path), 'utf8'));
    expect(pictures.length).toBe(4);
    for (const svg of pictures) {
        expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
        expect(svg).toContain('prefers-color-scheme:dark');
        expect(svg.length).toBeLessThan(20_000);
    }
});

test('lines are drawn with their names beside them, apart from each other', () => {
    const points = ['one', 'two'].flatMap((line) => [0, 1, 2].map((x) => ({ line, x, y: x / 2 })));
    const svg = drawLines({ points, x: 'across', y: 'up' });
    const tops = [...svg.matchAll(/<text text-anchor="start" x="\d+" y="(\d+)"[^>]*>(one|two)</g)].map(([, y]) => Number(y));
    expect(Math.abs(tops[0] - tops[1])).toBeGreaterThanOrEqual(15);
});

test('npm run curves draws what is asked for', () => {
    const out = mkdtempSync(join(tmpdir(), 'qhive-curves-'));
    execFileSync(process.execPath, ['examples/curves/main.js', '--out', out, '--only', 'maze'], { cwd: root, stdio: 'pipe' });
    const [drawn, kept] = [out, join(root, 'docs', 'images')].map((folder) => readFileSync(join(folder, 'maze.svg'), 'utf8'));
    expect(drawn === kept).toBe(true);
});
