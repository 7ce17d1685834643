/** The learning tests for longer: more random programs against the reference, more samples, more runs, larger models. Minutes, not seconds. */
import { spawnSync } from 'node:child_process';

const { status } = spawnSync(process.execPath, ['tests/run.mjs', 'jest', '--', 'tests/learning', ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { QHIVE_TEST_RUNS: '10000', QHIVE_SOAK: '1', ...process.env },
});
process.exitCode = status ?? 1;
