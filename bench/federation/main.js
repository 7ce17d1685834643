/**
 * The time of a federated merge: `npm run bench:federation [-- --agents 593] [-- --clients 10] [-- --states 40] [-- --json]`.
 *
 * Each of `clients` runtimes has `agents` agents of a category each, which have learned in `states` states of 4 actions; each sends one
 * delta. Timed, by the clock and by the processor: reading the deltas, merging them by each rule, and writing the result into the
 * agents of the last runtime. The median of nine rounds.
 */
import { parseArgs } from 'node:util';
import { createRuntimeSync } from 'qhive';

const ROUNDS = 9;
const ACTIONS = 4;
const RULES = ['robust', 'visit-weighted', 'mean', 'median', 'trimmed-mean'];

const { values } = parseArgs({
    options: {
        agents: { type: 'string', default: '593' }, clients: { type: 'string', default: '10' }, states: { type: 'string', default: '40' },
        json: { type: 'boolean', default: false },
    },
});
const [agents, clients, states] = [values.agents, values.clients, values.states].map(Number);

/** A runtime whose agents have learned, by a linear congruential generator (Numerical Recipes). */
function createClient(seed) {
    const runtime = createRuntimeSync({ seed, pools: { trajectory: 1, message: 1 } });
    let state = seed;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    for (let i = 0; i < agents; i++) {
        const agent = runtime.createAgent({ actions: ACTIONS, encoder: { kind: 'index', states }, category: `cell ${i}` });
        for (let k = 0; k < states * ACTIONS * 2; k++)
            agent.learn(k % states, Math.floor(random() * ACTIONS), random() - 0.5, Math.floor(random() * states));
    }
    return runtime;
}

const medianOf = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Median of a call's milliseconds: by the clock and by the processor. */
function time(call, prepare = () => {}) {
    const clock = [];
    const processor = [];
    for (let round = 0; round < ROUNDS; round++) {
        prepare();
        const cpu = process.cpuUsage();
        const start = performance.now();
        call();
        clock.push(performance.now() - start);
        const { user, system } = process.cpuUsage(cpu);
        processor.push((user + system) / 1000);
    }
    return { clock: medianOf(clock), processor: medianOf(processor) };
}

let runtime;
const deltas = Array.from({ length: clients }, (_, i) => {
    runtime?.dispose();
    runtime = createClient(i + 1);
    return runtime.federation.exportDelta(runtime.agents);
});
const { federation } = runtime;
const readAll = () => deltas.forEach((delta) => federation.accumulateDelta(delta));
const results = { 'read deltas': time(readAll, () => federation.clear()) };
for (const rule of RULES) results[`merge: ${rule}`] = time(() => federation.merge({ rule }));
results.apply = time(() => federation.apply(runtime.agents));
results['export delta'] = time(() => federation.exportDelta(runtime.agents, { all: true }));
const bytes = deltas.reduce((sum, { length }) => sum + length, 0);

if (values.json) process.stdout.write(`${JSON.stringify({ agents, clients, states, bytes, results })}\n`);
else {
    process.stdout.write(`${agents} agents from ${clients} clients, ${states} states of ${ACTIONS} actions; ${(bytes / 2 ** 20).toFixed(1)} MiB of deltas\n`);
    for (const [name, { clock, processor }] of Object.entries(results))
        process.stdout.write(`${name.padEnd(24)} ${clock.toFixed(1).padStart(8)} ms   ${processor.toFixed(1).padStart(8)} ms of processor\n`);
}
