/**
 * The module for threads without the package around it: a runtime in a shared memory, and further instances that become its
 * threads. What JavaScript must do for that is told in src/wasm/threads.c.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from '../../cmake/build.mjs';
import { readLayout } from '../../js/layout.mjs';

const built = (path) => readFileSync(join(root, 'build', path));

/** The layout table by its parts, as the package has it. */
function readAbi() {
    const abi = {};
    for (const [name, value] of Object.entries(readLayout(built('wasm/qhive_abi.wasm')))) {
        const dot = name.indexOf('.');
        (abi[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = value;
    }
    return abi;
}

export const abi = readAbi();

/** How the package reads a configuration and makes an agent of it: js/src/config.js by itself. */
async function loadConfig() {
    const contents = `export const abi = ${JSON.stringify(abi)};`;
    const plugin = {
        name: 'abi',
        setup(build) {
            build.onResolve({ filter: /^qhive:abi$/ }, ({ path }) => ({ path, namespace: 'abi' }));
            build.onLoad({ filter: /.*/, namespace: 'abi' }, () => ({ contents }));
        },
    };
    const { outputFiles } = await esbuild.build({
        absWorkingDir: root, entryPoints: ['js/src/config.js'], bundle: true, format: 'esm', write: false, plugins: [plugin],
    });
    return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { createFrom, readConfig } = await loadConfig();

export const compile = () => new WebAssembly.Module(built('wasm-threads/qhive.wasm'));

/** One instance, as a thread of the runtime. */
export class Thread {
    constructor(module, memory) {
        this.memory = memory;
        this.exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
    }

    /** Called once the instance has its own thread-local data. */
    begun() {
        this.base = this.exports.qh_io_address() >>> 0;
        return this;
    }

    /** The words of a place. */
    placeWords(place) {
        return new Int32Array(this.memory.buffer, this.exports.qh_threads_address() + place * abi.size.thread, abi.size.thread / 4);
    }

    /** Its number while nobody had its place before. */
    get number() {
        return this.place + 1;
    }

    get numbers() {
        return new Float64Array(this.memory.buffer, this.base + abi.io.numbers, abi.size.numbers);
    }

    /** Throws for what fails. */
    call(name, ...args) {
        const result = this.exports[name](...args);
        if (result < -1) throw new Error(`${name}: ${Object.keys(abi.result).find((code) => abi.result[code] === -result)}`);
        return result;
    }

    /** The handle of a new agent, which is this thread's. */
    bearAgent(config) {
        const core = { base: this.base, alive: () => this.memory, call: (name, ...args) => this.call(name, ...args) };
        return createFrom(core, readConfig(config));
    }

    /** The handle of a new agent. */
    createAgent(config) {
        const handle = this.bearAgent(config);
        this.call('qh_agent_release', handle);
        return handle;
    }

    /** A batch of these agents, with the views of its arrays. */
    batch(handles) {
        const handle = this.call('qh_batch_open', handles.length);
        const [ids, observations, rewards, endings, actions] = this.numbers;
        const { buffer } = this.memory;
        const count = handles.length;
        new Uint32Array(buffer, ids, count).set(handles);
        this.call('qh_batch_check', handle);
        return {
            handle,
            observations: new Float32Array(buffer, observations, count * abi.batch.stride),
            rewards: new Float32Array(buffer, rewards, count),
            endings: new Uint8Array(buffer, endings, count),
            actions: new Int32Array(buffer, actions, count),
        };
    }

    /** The hash of an agent's table, or of all. */
    hash(handle = 0) {
        this.call('qh_hash', handle);
        const [low, high] = this.numbers;
        return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
    }

    /** What JavaScript writes into the transfer buffer. */
    noteSet(handle, key, text) {
        const bytes = new TextEncoder().encode(text);
        this.call('qh_transfer_open', bytes.length);
        new Uint8Array(this.memory.buffer, this.numbers[0], bytes.length).set(bytes);
        this.call('qh_note_set', handle, key, bytes.length);
        this.call('qh_transfer_close');
    }

    noteOf(handle, key) {
        const byteCount = this.call('qh_note_get', handle, key);
        if (byteCount === 0) return undefined;
        const text = new TextDecoder().decode(new Uint8Array(this.memory.buffer, this.numbers[0], byteCount).slice());
        this.call('qh_transfer_close');
        return text;
    }
}

/** A runtime with its first thread. */
export function openRuntime({ module = compile(), places = 4, maxPages = 4096, seed = 1, maySleep = true } = {}) {
    const initial = 160;
    const pools = [1000, 5000, 500];
    const memory = new WebAssembly.Memory({ initial, maximum: maxPages, shared: true });
    const thread = new Thread(module, memory);
    thread.exports.__set_stack_limits(thread.exports.__stack_pointer.value, 0);
    thread.call('qh_open', maxPages, initial, seed, 0, ...pools, 0, places, maySleep ? 1 : 0);
    return Object.assign(thread.begun(), { module, place: 0 });
}

/** A further thread of a runtime: an instance over its memory in a free place. */
export function attach(module, memory, maySleep = true) {
    const thread = new Thread(module, memory);
    const { state, stack_base: base, stack_limit: limit, tls } = abi.thread;
    for (let place = 0; place < abi.limit.threads; place++) {
        const words = thread.placeWords(place);
        if (Atomics.compareExchange(words, state / 4, abi.place.free, abi.place.taken) !== abi.place.free) continue;
        thread.exports.__wasm_init_tls(words[tls / 4]);
        thread.exports.__stack_pointer.value = words[base / 4];
        thread.exports.__set_stack_limits(words[base / 4], words[limit / 4]);
        thread.call('qh_thread_begin', place, maySleep ? 1 : 0);
        return Object.assign(thread.begun(), { place });
    }
    throw new Error('no place is free');
}
