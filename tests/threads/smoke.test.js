/** The module for threads, without the package: instances in several worker threads over one shared memory. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { abi, attach, compile, openRuntime } from './module.mjs';

const config = { name: 'a', actions: 3, encoder: { kind: 'index', states: 8 } };
const module = compile();

/** What a worker reports that steps these agents. */
async function inWorker(runtime, handles, steps) {
    const workerData = { module, memory: runtime.memory, handles, steps };
    const worker = new Worker(new URL('smoke-worker.mjs', import.meta.url), { workerData });
    const [report] = await once(worker, 'message');
    await once(worker, 'exit');
    return report;
}

test('the module imports its memory alone, and exports what a thread needs', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    for (const name of ['__wasm_init_tls', '__set_stack_limits', '__stack_pointer', 'qh_thread_begin']) expect(names).toContain(name);
});

test('agents learn in another thread what they learn in this one', async () => {
    const runtime = openRuntime({ module });
    const twin = openRuntime({ module });
    const [handle, same] = [runtime, twin].map((each) => each.createAgent(config));
    runtime.noteSet(handle, 1, 'who I am');
    const report = await inWorker(runtime, [handle], 500);
    let action = twin.call('qh_begin', same, 0, 0);
    for (let step = 1; step <= 500; step++) action = twin.call('qh_step', same, action - 1, step % 8, 0, step, 0);
    expect(report).toMatchObject({ place: 1, owners: [2], note: 'who I am', hashes: [twin.hash(same)] });
    expect(runtime.hash(handle)).toBe(twin.hash(same));
    expect(runtime.call('qh_agent_owner', handle)).toBe(0);
    expect(runtime.call('qh_step', report.own, 1, 1, 0, 0, 0)).toBeGreaterThanOrEqual(0);
    expect(runtime.call('qh_validate')).toBe(1);
    expect((await inWorker(runtime, [handle], 10)).place).toBe(1); // its place is free again
});

test('two instances in one thread have each its own stack, exchange buffer and claims', () => {
    const first = openRuntime({ module, places: 2 });
    const second = attach(module, first.memory);
    const handle = first.createAgent(config);
    expect(second.base).not.toBe(first.base);
    expect(first.call('qh_agent_claim', handle)).toBe(1);
    expect(first.call('qh_agent_claim', handle)).toBe(1);
    expect(second.call('qh_agent_claim', handle)).toBe(0);
    expect(second.call('qh_agent_owner', handle)).toBe(1);
    expect(() => second.call('qh_agent_release', handle)).toThrow('BUSY');
    first.call('qh_agent_release', handle);
    expect(second.call('qh_agent_claim', handle)).toBe(1);
    second.call('qh_thread_end');
    expect(first.call('qh_agent_owner', handle)).toBe(0);
    expect(() => attach(module, first.memory) && attach(module, first.memory)).toThrow('no place');
    expect(() => first.call('qh_agent_claim', handle + 65536)).toThrow('STALE_HANDLE');
});

test('a stack that overflows traps before it writes over another', () => {
    const runtime = openRuntime({ module, places: 2 });
    const thread = attach(module, runtime.memory);
    const words = thread.placeWords(1);
    const [base, limit] = ['stack_base', 'stack_limit'].map((field) => words[abi.thread[field] / 4]);
    expect(base - limit).toBe(131072);
    const handle = thread.createAgent(config);
    thread.exports.__stack_pointer.value = limit + 16;
    expect(() => thread.exports.qh_recall(handle, 0)).not.toThrow(RangeError);
    expect(() => thread.exports.qh_series_find(1)).toThrow(WebAssembly.RuntimeError);
    expect(runtime.call('qh_validate')).toBe(1);
});

test('a runtime is opened with 1 to 32 places', () => {
    for (const places of [0, 33]) expect(() => openRuntime({ module, places })).toThrow('INVALID_ARGUMENT');
    const runtime = openRuntime({ module, places: 32 });
    const states = Array.from({ length: 32 }, (_, i) => runtime.placeWords(i)[abi.thread.state / 4]);
    expect(states).toEqual([abi.place.live, ...Array(31).fill(abi.place.free)]);
    expect(runtime.call('qh_validate')).toBe(1);
});
