/** Threads in real browsers: a page and its workers on one memory, with and without the headers that it takes. */
import { createRuntimeSync } from 'qhive';
import { serve } from '../browser/chromium.js';
import { books, stress } from '../threads/stress.js';
import { BROWSERS } from './drivers.js';

const POOLS = { state: 64, trajectory: 8, message: 8 };

/** The script of a worker: calls functions that are sent to it as text. */
const WORKER = `
import * as library from 'ORIGIN/dist/qhive.mjs';
let runtime;
onmessage = async ({ data: { shared, source, argument } }) => {
    try {
        runtime ??= await library.attachRuntime(shared);
        postMessage({ result: await eval('(' + source + ')')(runtime, argument) });
    } catch ({ code, message }) {
        postMessage({ result: code + ': ' + message });
    }
};`;

/** What a page has: the library, and workers that \`ask\` calls into, one question at a time. */
const PAGE = `<script src="/dist/qhive.global.js"></script><script>
const blob = new Blob([${JSON.stringify(WORKER)}.replace('ORIGIN', location.origin)], { type: 'text/javascript' });
function start() {
    const worker = new Worker(URL.createObjectURL(blob), { type: 'module' });
    return (shared, call, argument) => new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data.result);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ shared, source: String(call), argument });
    });
}
</script>`;

function walk(runtime, { id, steps }) {
    const agent = runtime.agent(id);
    let state = 0;
    let action = agent.begin(state);
    for (let i = 0; i < steps; i++) action = agent.step(i % 7, (state = (state * 5 + action + i) % 16));
    return runtime.thread;
}

const CONFIG = { actions: 4, encoder: { kind: 'index', states: 16 }, replay: { capacity: 20 } };
const STEPS = 5000;

function expected() {
    const runtime = createRuntimeSync({ seed: 5, pools: POOLS });
    for (let i = 0; i < 6; i++) walk(runtime, { id: runtime.createAgent(CONFIG).id, steps: STEPS });
    return runtime.hash();
}

describe.each(Object.keys(BROWSERS))('%s', (name) => {
    const maybe = BROWSERS[name].available() ? test : test.skip;
    const servers = [];
    let browser;
    let page;
    const open = async (headers) => {
        const server = await serve(new Map([['/', `<!doctype html><meta charset="utf-8"><title>qhive</title><body>${PAGE}</body>`]]), headers);
        servers.push(server);
        const { page: opened } = await browser.newPage({ width: 800, height: 600 });
        await opened.goto(`http://127.0.0.1:${server.address().port}/`);
        return opened;
    };
    beforeAll(async () => {
        if (!BROWSERS[name].available()) return;
        browser = await BROWSERS[name].launch();
        page = await open();
    });
    afterAll(async () => {
        await browser?.close();
        for (const server of servers) {
            server.closeAllConnections();
            await new Promise((resolve) => void server.close(resolve));
        }
    });
    /** Evaluates an expression in the page, which may await, with what the tests have. */
    const inPage = (body, where = page) => where.evaluate(`(async () => {
        const walk = ${walk}, config = ${JSON.stringify(CONFIG)}, pools = ${JSON.stringify(POOLS)}, steps = ${STEPS}, stress = ${stress}, books = ${books};
        ${body}
    })()`);

    maybe('learns in workers what one thread learns in Node', async () => {
        const found = await inPage(`
            const runtime = await qhive.createRuntime({ seed: 5, pools, threads: 4 });
            const agents = Array.from({ length: 6 }, () => runtime.createAgent(config));
            const workers = [start(), start()];
            const shared = runtime.share();
            const threads = await Promise.all(workers.map(async (ask, i) => {
                let thread;
                for (const { id } of agents.filter((_, j) => j % 2 === i)) thread = await ask(shared, walk, { id, steps });
                return thread;
            }));
            return { isolated: crossOriginIsolated, threads: threads.sort(), all: runtime.threads, hash: runtime.hash(), sound: runtime.validate() };`);
        expect(found).toEqual({ isolated: true, threads: [2, 3], all: [1, 2, 3], hash: expected(), sound: true });
    });

    maybe('without the headers there are no threads, and it works without them', async () => {
        const bare = await open({});
        const found = await inPage(`
            const refused = await qhive.createRuntime({ threads: true }).catch(({ code, message }) => code + ': ' + message);
            const attached = await qhive.attachRuntime({}).catch(({ code }) => code);
            const runtime = await qhive.createRuntime({ seed: 5, pools });
            for (let i = 0; i < 6; i++) walk(runtime, { id: runtime.createAgent(config).id, steps });
            return { refused, attached, hash: runtime.hash() };`, bare);
        expect(found).toEqual({
            refused: expect.stringMatching(/^UNSUPPORTED: .*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/), attached: 'UNSUPPORTED', hash: expected(),
        });
    });

    maybe('the page never blocks: a room in a worker’s hands is BUSY, and waited for without blocking', async () => {
        const found = await inPage(`
            const runtime = await qhive.createRuntime({ seed: 5, pools, threads: 4 });
            const agent = runtime.createAgent({ ...config, category: 'c' });
            const holder = start();
            const until = (wanted) => new Promise((resolve) => {
                const channel = new BroadcastChannel('lock');
                channel.onmessage = ({ data }) => data === wanted && (channel.close(), resolve());
            });
            const held = until('held');
            const holding = holder(runtime.share(), (there) => there.withLock('federation', async () => {
                const channel = new BroadcastChannel('lock');
                const end = new Promise((resolve) => (channel.onmessage = ({ data }) => data === 'end' && resolve()));
                channel.postMessage('held');
                await end;
                channel.close();
                return 'held';
            }));
            await Promise.race([held, holding.then((result) => Promise.reject(new Error(result)))]);
            const failed = (call) => { try { call(); return 'taken'; } catch ({ code, message }) { return code + ': ' + message; } };
            const busy = failed(() => runtime.federation.accumulate([agent]));
            const late = await runtime.withLock('federation', () => 'in time', { timeout: 30 }).catch(({ code, message }) => code + ': ' + message);
            const channel = new BroadcastChannel('lock');
            setTimeout(() => channel.postMessage('end'), 50);
            let turns = 0;
            const ticking = setInterval(() => turns++, 1);
            const waited = await runtime.withLock('federation', () => (runtime.federation.accumulate([agent]), runtime.federation.contributions));
            clearInterval(ticking);
            return { busy, late, waited, turned: turns > 0, held: await holding, after: failed(() => runtime.federation.accumulate([agent])), sound: runtime.validate() };`);
        expect(found).toEqual({
            busy: expect.stringMatching(/^BUSY: .*may not block.*withLock/), late: expect.stringMatching(/^BUSY: .*30 ms/), waited: 1, turned: true, held: 'held', after: 'taken', sound: true,
        });
    });

    maybe('three workers use all of a runtime at once', async () => {
        const found = await inPage(`
            const runtime = await qhive.createRuntime({ seed: 5, pools, threads: 4 });
            const common = Array.from({ length: 6 }, () => runtime.createAgent({ category: 'stress', actions: 3, encoder: { kind: 'index', states: 50 } }).id);
            const workers = [start(), start(), start()];
            const tallies = await Promise.all(workers.map((ask, i) => ask(runtime.share(), stress, { seed: i + 1, rounds: 200, common })));
            return { made: tallies.map((tally) => tally.made ?? tally), ...books(runtime, tallies, common) };`);
        expect(found).toEqual({ made: [600, 600, 600], agents: 6, learned: 0, messages: 0, observed: 0, sound: true });
    });
});
