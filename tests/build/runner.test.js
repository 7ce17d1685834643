/** The test command counts what programs print and swallows nothing. */
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { failuresIn, lanes, tap } from '../run.mjs';

const program = (script) => [process.execPath, '-e', script];
const run = (lines, exit = 0) => tap(program(`console.log(${JSON.stringify(lines.join('\n'))}); process.exitCode = ${exit}`), { quiet: true });

test('counts passed, failed and skipped lines', async () => {
    const counts = await run(['1..4', 'ok 1 - a', 'not ok 2 - b', 'ok 3 - c # SKIP no threads', 'ok 4 - d'], 1);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 1, failures: ['not ok 2 - b'] });
});

test('a crash after passing tests is a failure', async () => {
    expect(await run(['ok 1 - a'], 3)).toMatchObject({ passed: 1, failed: 1, note: 'crashed: exit 3' });
});

test('a signal is a failure', async () => {
    expect(await tap(program(`console.log('ok 1'); process.kill(process.pid, 'SIGKILL')`), { quiet: true })).toMatchObject({ failed: 1 });
});

test('planned tests that did not run are failures', async () => {
    expect(await run(['1..3', 'ok 1 - a'])).toMatchObject({ passed: 1, failed: 2 });
});

test('a suite without tests is a failure', async () => {
    expect(await run(['nothing'])).toMatchObject({ passed: 0, failed: 1, note: 'ran no test' });
});

test('a program that does not exist is a failure', async () => {
    expect(await tap(['./no-such-program'])).toMatchObject({ failed: 1 });
});

test('says of a test that failed, and of a file that did not run, where it is and why', () => {
    const assertionResults = [{ status: 'passed' }, { status: 'failed', fullName: 'the hive hums', failureMessages: [['Error: silence', ...Array(30).fill('at')].join('\n')] }];
    const testResults = [
        { name: join(root, 'tests/a.test.js'), status: 'failed', message: 'all of it', assertionResults },
        { name: join(root, 'tests/b.test.js'), status: 'failed', message: 'SyntaxError: b', assertionResults: [] },
        { name: join(root, 'tests/c.test.js'), status: 'passed', message: '', assertionResults: [{ status: 'passed' }] },
    ];
    const [first, second, ...others] = failuresIn({ testResults });
    expect(first).toMatch(/^tests\Wa\.test\.js: the hive hums\n {4}Error: silence\n/);
    expect(first.split('\n').length).toBe(13);
    expect(second).toMatch(/^tests\Wb\.test\.js\n {4}SyntaxError: b$/);
    expect(others).toEqual([]);
});

test('lanes start in order, never more than allowed, and free their place after a failure', async () => {
    const lane = lanes(2);
    const started = [];
    let running = 0;
    let most = 0;
    const work = (name) => async () => {
        started.push(name);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (name === 'b') throw new Error('b fails');
        return name;
    };
    const results = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((name) => lane(work(name))));
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(most).toBe(2);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});
