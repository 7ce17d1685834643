/** Four worker threads use every part of one runtime at once; afterwards its books agree with what they say they have done. */
import { createRuntime } from 'qhive';
import { startWorker } from './crew.js';
import { books, stress } from './stress.js';

const THREADS = 4;
const ROUNDS = 500;
const SEED = Number(process.env.QHIVE_SEED ?? 20_231);

test('all of a runtime from four threads at once', async () => {
    const runtime = await createRuntime({ threads: THREADS + 1, seed: SEED, pools: { state: 64, trajectory: 64, message: 16 } });
    const common = Array.from({ length: 6 }, () => runtime.createAgent({ category: 'stress', actions: 3, encoder: { kind: 'index', states: 50 } }).id);
    const crew = await Promise.all(Array.from({ length: THREADS }, () => startWorker(runtime)));
    const tallies = await Promise.all(crew.map((worker, i) => worker.run(stress, { seed: SEED + i, rounds: ROUNDS, common })));
    process.stdout.write(`# seed ${SEED}: ${JSON.stringify(tallies)}\n`);
    await Promise.all(crew.map((worker) => worker.end()));
    expect(books(runtime, tallies, common)).toEqual({ agents: common.length, learned: 0, messages: 0, observed: 0, sound: true });
    expect(tallies.map(({ made }) => made)).toEqual(Array(THREADS).fill(3 * ROUNDS));
    runtime.dispose();
});
