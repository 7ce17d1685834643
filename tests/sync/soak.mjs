/**
 * What takes too long for every test run: `npm run soak:locks`. The Promela models in all their sizes (they take up to 16 GB), and the C
 * under every schedule with three preemptions.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from './model.mjs';
import { available, explore, HOLDS } from './spin.mjs';

const folder = mkdtempSync(join(tmpdir(), 'qhive-locks-'));
let failed = 0;
try {
    if (!available) process.stdout.write('without Spin: no models\n');
    for (const model of available ? HOLDS : []) {
        const { errors, states, all } = explore(model, folder);
        if (errors > 0 || !all) failed++;
        process.stdout.write(`${errors > 0 ? 'not ok' : 'ok'} ${model.model}: ${model.name}: ${states} states${all ? ', all' : ', NOT ALL'}\n`);
    }
    const start = performance.now();
    const { status, stdout } = spawnSync(buildModel(folder), ['--limit', '1000000000'], { encoding: 'utf8' });
    const executions = [...stdout.matchAll(/^# (\d+) executions/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
    process.stdout.write(`${stdout}${(executions / (performance.now() - start)).toFixed(0)} thousand schedules a second\n`);
    if (status !== 0) failed++;
} finally {
    rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
