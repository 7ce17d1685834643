/**
 * The golden program over several threads: `node tests/threads/golden.mjs [--threads 2] [--steps 100000]` prints the hash of all tables, which
 * does not depend on their number.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createRuntime } from 'qhive';
import { GOLDEN, OPTIONS, populate, STEPS } from '../golden/program.mjs';

/** The hash after `steps` steps of `threads` worker threads, which claim their agents for good, or call by call. */
export async function hashOf(threads, steps, claims = true) {
    const runtime = await createRuntime({ ...OPTIONS, maxPages: 2048, threads: threads + 1 });
    const ids = populate(runtime).map(({ id }) => id);
    const work = Array.from({ length: threads }, (_, first) => {
        const workerData = { shared: runtime.share(), ids, first, stride: threads, steps, claims };
        return once(new Worker(new URL('golden-worker.mjs', import.meta.url), { workerData }), 'message');
    });
    await Promise.all(work);
    if (!runtime.validate()) throw new Error('the runtime is not sound');
    const hash = runtime.hash();
    runtime.dispose();
    return hash;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const { values } = parseArgs({ options: { threads: { type: 'string', default: '2' }, steps: { type: 'string', default: String(STEPS) } } });
    const hash = await hashOf(Number(values.threads), Number(values.steps));
    const due = Number(values.steps) === STEPS ? GOLDEN : hash;
    console.log(`${hash}: ${values.steps} steps in ${values.threads} threads${hash === due ? '' : `, not ${due}`}`);
    process.exitCode = hash === due ? 0 : 1;
}
