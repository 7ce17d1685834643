/**
 * How long the calls that are not sliced keep a page waiting: `node bench/waiting.js`, on the package that is built. Processor time
 * of the fastest of some calls, in milliseconds; docs/bundlers.md has the figures.
 */
import { readFileSync } from 'node:fs';
import { createRuntimeSync } from 'qhive';
import { createRandom } from './workload.js';

const ROUNDS = 7;
const ACTIONS = 16;
const DIMS = 64;
const VECTORS = 10_000;
const MAX_PAGES = 2048;
const catalogue = JSON.parse(readFileSync(new URL('../examples/ran/features.json', import.meta.url), 'utf8'));
const newRuntime = () => createRuntimeSync({ seed: 1, maxPages: MAX_PAGES });

/** Calls `work(prepare())` some times and prints how long the fastest took; what it returned. */
function measure(name, work, prepare = () => undefined) {
    let least = Infinity;
    let result;
    for (let i = 0; i < ROUNDS; i++) {
        const prepared = prepare();
        const start = process.cpuUsage();
        result = work(prepared);
        const { user, system } = process.cpuUsage(start);
        least = Math.min(least, (user + system) / 1000);
    }
    console.log(`${name.padEnd(40)}${least.toFixed(1).padStart(7)} ms`);
    return result;
}

/** Learns new states until the quota is spent. */
function fill(agent) {
    for (let state = 0; ; state++)
        try {
            agent.learn(state, state % ACTIONS, 1, state + 1);
        } catch (error) {
            if (error.code === 'QUOTA_EXCEEDED') return;
            throw error;
        }
}

function measureTables(runtime) {
    const config = { actions: ACTIONS, encoder: { kind: 'index', states: 2 ** 20 } };
    const agent = runtime.createAgent(config);
    fill(agent);
    const bytes = measure(`exportTable, ${agent.metrics.states} states`, () => agent.exportTable());
    measure('importTable', (fresh) => {
        fresh.importTable(bytes);
        return fresh.free();
    }, () => runtime.createAgent(config));
    agent.free();
}

function measureIndexes(runtime, quantization) {
    const index = runtime.createIndex({ dims: DIMS, quantization });
    index.addAll(Float32Array.from({ length: DIMS * VECTORS }, createRandom()));
    index.freeze();
    const bytes = measure(`index.export, ${index.size} x ${DIMS} ${quantization}`, () => index.export());
    measure(`importIndex, ${quantization}`, () => runtime.importIndex(bytes).free());
    index.free();
}

const runtime = newRuntime();
measureTables(runtime);
for (const quantization of ['f32', 'i8']) measureIndexes(runtime, quantization);
measure(`knowledge.load, ${catalogue.length} entries`, ({ knowledge }) => knowledge.load(catalogue), newRuntime);
runtime.dispose();
