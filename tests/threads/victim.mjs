/** A worker that is to be terminated: does everything that changes the runtime, in random order, until it is. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachRuntime } from 'qhive/url';

const { shared, seed, touched, gate } = workerData;
let state = seed;
const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
};
const runtime = await attachRuntime(shared);
const agents = touched.map((name) => runtime.agent(name));
const own = [];
const PAYLOAD = new Uint8Array(100);
const ROWS = Float32Array.from({ length: 80 }, (_, i) => (i * 7) % 13);

/** The world moves on: another thread has the agent, a queue is full, memory is short, an agent is gone. */
const MEANWHILE = new Set(['BUSY', 'INVALID_STATE', 'STALE_HANDLE', 'EXCEEDS_LIMIT', 'QUOTA_EXCEEDED', 'INVALID_ARGUMENT', 'CORRUPT']);

function learn(agent) {
    const tiles = agent.config.encoder.kind !== 'index';
    const see = () => (tiles ? [random(1000) / 1000, random(1000) / 1000] : random(2000));
    for (let i = 0; i < 50; i++) agent.learn(see(), random(agent.config.actions), random(100) / 10, see());
}

const DEEDS = [
    ...Array.from({ length: 8 }, () => () => learn(agents[random(agents.length)])),
    () => agents[random(agents.length)].replay(20),
    () => own.push(runtime.createAgent({ actions: 3, encoder: { kind: 'index', states: 2000 }, category: 'own', replay: { capacity: 50 } })),
    () => own.length > 0 && learn(own[random(own.length)]),
    () => own.length > 4 && own.splice(random(own.length), 1)[0].free(),
    () => runtime.messages.send(agents[0], { category: 'touched' }, PAYLOAD),
    () => runtime.messages.receive(agents[random(agents.length)]),
    () => runtime.federation.accumulate([agents[random(agents.length)]]),
    () => random(8) === 0 && runtime.federation.merge(),
    () => runtime.metrics.observe(`series_${random(20)}`, random(1000)),
    () => random(8) === 0 && agents[random(agents.length)].reset(),
    () => agents[random(agents.length)].importTable(agents[random(agents.length)].exportTable()),
    () => runtime.batch([agents[random(agents.length)]]).free(),
    () => random(4) === 0 && runtime.batch([agents[random(agents.length)]]),
    () => {
        const index = runtime.createIndex({ dims: 4 });
        index.addAll(ROWS);
        if (random(4) > 0) index.freeze();
        if (random(4) > 0) index.free();
    },
];

parentPort.postMessage(runtime.thread);
Atomics.wait(new Int32Array(gate), 0, 0); // all begin at once: those that are there early burn nothing
for (;;) {
    try {
        DEEDS[random(DEEDS.length)]();
    } catch (error) {
        if (!MEANWHILE.has(error.code)) throw error;
    }
}
