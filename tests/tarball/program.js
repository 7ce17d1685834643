/** The sources of the apps: each runs the same little program with the package and says what it came to. */

/** Learns a little with every kind of call that a page would make: a hash of it all. */
const LEARN = `
async function learn({ createRuntime }, options) {
    const runtime = await createRuntime({ seed: 7, pools: { state: 8, trajectory: 8, message: 2 }, ...options });
    const agent = runtime.createAgent({ actions: 3, encoder: { kind: 'bins', dims: [{ min: 0, max: 1, bins: 8 }] }, replay: { capacity: 50 } });
    agent.begin([0]);
    for (let i = 0; i < 200; i++) agent.step(i % 5, [(i % 11) / 10]);
    agent.replay(20);
    const batch = runtime.batch();
    batch.begin();
    batch.step();
    return runtime.build.simd + ' ' + runtime.hash();
}
`;

/** Ends a page or worker program: the result, or the error, becomes the text of the page. */
const SHOW = `
const show = (text) => (typeof document === 'object' ? (document.body.textContent = text) : postMessage(text));
const tell = (promise) => promise.then((text) => show(text), ({ code, message }) => show('failed ' + code + ': ' + message));
`;

/** An ES module that shows what the package comes to. */
export const moduleProgram = (from = 'qhive', options = '{}') => `import * as qhive from '${from}';\n${LEARN}${SHOW}tell(learn(qhive, ${options}));\n`;

/** The same as a classic script, after the one that defines the global. */
export const scriptProgram = (options = '{}') => `${LEARN}${SHOW}tell(learn(globalThis.qhive, ${options}));\n`;

/** The same in Node, printed. */
export const nodeProgram = (load, options = '{}') => `${load}\n${LEARN}learn(qhive, ${options}).then((text) => process.stdout.write(text));\n`;

/** A page that starts a worker and shows what it says. */
export const workerPage = (url, type) => `
const worker = new Worker('${url}', { type: '${type}' });
worker.onmessage = ({ data }) => (document.body.textContent = data);
worker.onerror = ({ message }) => (document.body.textContent = 'failed ' + message);
`;

/** A page with threads, as the README has it: one worker learns with every second agent. It shows what learnt alone comes to as well. */
export const threadsPage = (worker) => `import { createRuntime } from 'qhive';
${SHOW}
const config = { actions: 2, encoder: { kind: 'index', states: 8 } };
const learn = (agent) => { for (let i = 0; i < 1000; i++) agent.learn(i % 8, i % 2, i % 3, (i + 1) % 8); };
tell((async () => {
    const [shared, alone] = [await createRuntime({ seed: 3, threads: 2, maxPages: 512 }), await createRuntime({ seed: 3 })];
    for (const runtime of [shared, alone]) for (const name of ['a', 'b']) runtime.createAgent({ ...config, name });
    learn(shared.agent('a'));
    const worker = new Worker(new URL('${worker}', import.meta.url), { type: 'module' });
    const said = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(shared.share());
    });
    for (const agent of alone.agents) learn(agent);
    return said + ', ' + (shared.hash() === alone.hash() ? 'the same' : 'not the same');
})());
`;

/** Its worker. */
export const threadsWorker = `import { attachRuntime } from 'qhive';
onmessage = async ({ data }) => {
    const runtime = await attachRuntime(data);
    const agent = runtime.agent('b');
    for (let i = 0; i < 1000; i++) agent.learn(i % 8, i % 2, i % 3, (i + 1) % 8);
    const { thread } = runtime;
    runtime.dispose();
    postMessage('thread ' + thread + ' learned');
};
`;

/** A worker of workerd: bytes refused with the reason, the package's own module taken. */
export const workerdProgram = `import * as qhive from 'qhive';
import bytes from 'bytes';
${LEARN}
export default {
    async test() {
        const refused = await qhive.createRuntime({ wasm: bytes }).then(() => 'taken', ({ code, message }) => code + ': ' + message);
        console.log('RESULT ' + JSON.stringify({ refused, learned: await learn(qhive), scalar: await learn(qhive, { simd: false }).catch(({ code }) => code) }));
    },
};
`;

/** A TypeScript program that uses what the types promise; \`load\` brings names in. */
export const typed = (load) => `${load}
export async function main(): Promise<string> {
    using runtime: AgentRuntime = await createRuntime({ seed: 1n, maxPages: 1024 });
    const config: AgentConfig = { actions: 2, encoder: { kind: 'index', states: 4 }, policy: { kind: 'softmax', temperature: { start: 1, end: 0.1, decay: 0.99 } } };
    const agent: Agent = runtime.createAgent(config);
    const action: number = agent.begin(0);
    agent.step(1, 2, { terminated: true });
    const index = runtime.createIndex({ dims: 2, metric: 'l2' });
    index.addAll(new Float32Array(4));
    const { labels }: { labels: Uint32Array } = index.search([0, 1], 1);
    // @ts-expect-error: no such option
    runtime.createAgent({ actions: 2, encoder: { kind: 'index', states: 4 }, speed: 9 });
    // @ts-expect-error: the module is needed
    void url.createRuntime({});
    const bytes: Uint8Array = scalarBytes();
    try {
        createRuntimeSync({ wasm: bytes });
    } catch (error) {
        if (error instanceof QhiveError && error.code === 'UNSUPPORTED') return error.message;
    }
    return agent.name + action + labels.length + evaluatePolicy.name;
}
`;
