/** Every JavaScript block of the README runs as it stands. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { runInThisContext } from 'node:vm';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```js\n([^]*?)```/g)].map((match) => match[1]);

/** What a block needs that its reader has: agents, and a world for them. */
const PREAMBLES = {
    'const batch = runtime.batch(agents)': `
        import { createRuntimeSync } from 'qhive';
        const runtime = createRuntimeSync();
        const agents = [1, 2, 3].map(() => runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 5 } }));
        const firstObservations = new Float32Array(3 * 64);
        const rewards = [1, 2, 3];
    `,
    'const index = runtime.createIndex(': `
        import { createRuntimeSync } from 'qhive';
        const runtime = createRuntimeSync();
        const vectors = Float32Array.from({ length: 64 * 20 }, (_, i) => Math.sin(i));
        const vector = vectors.subarray(0, 64);
    `,
};

test('the README has JavaScript in it', () => expect(blocks.length).toBeGreaterThan(1));

test.each(blocks.map((block, i) => [i + 1, block]))('block %i runs', (i, block) => {
    const preamble = Object.entries(PREAMBLES).find(([start]) => block.includes(start))?.[1] ?? '';
    mkdirSync(join(root, 'build', 'readme'), { recursive: true });
    const file = join(root, 'build', 'readme', `block-${i}.mjs`);
    writeFileSync(file, `${preamble}\n${block}`);
    execFileSync(process.execPath, [file], { cwd: root, stdio: 'pipe' });
});

test('the script-tag block uses what the script-tag file offers', () => {
    const html = /```html\n([^]*?)```/.exec(readme)[1];
    const source = readFileSync(join(root, 'dist', 'qhive.global.js'), 'utf8');
    const { createRuntime } = runInThisContext(`${source}; qhive`);
    expect(html).toContain('qhive.createRuntime()');
    expect(typeof createRuntime).toBe('function');
});
