/** What agents learn depends neither on the threads that run them nor on how many these are. */
import { createRuntimeSync } from 'qhive';
import { run } from '../golden/program.mjs';
import { hashOf } from './golden.mjs';

const STEPS = 3000;

test(`593 agents of every kind after ${STEPS} steps, in 1, 2 and 4 threads and without any`, async () => {
    const alone = run(createRuntimeSync, STEPS);
    const hashes = {};
    for (const threads of [1, 2, 4]) hashes[threads] = await hashOf(threads, STEPS);
    expect(hashes).toEqual({ 1: alone, 2: alone, 4: alone });
});

test('the same where no thread keeps its claims', async () => {
    expect(await hashOf(3, 500, false)).toBe(run(createRuntimeSync, 500));
});
