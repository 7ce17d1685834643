/**
 * qhive: hundreds of tabular reinforcement-learning agents in one WebAssembly linear memory.
 *
 * Nothing happens at import: no compilation, no instance, no global.
 *
 * @module qhive
 */
import { VERSION } from 'qhive:abi';
import { Core } from './core.js';
import { codeOf, QhiveError } from './errors.js';
import { createMemory, readOptions } from './options.js';
import { resourceProblem } from './failure.js';
import { kit } from './kit.js';
import { AgentRuntime } from './runtime.js';
import { loadThreads, loadThreadsSync } from 'qhive:threads';
import { loadModule, loadModuleSync } from './load.js'; // last: a compressor does better with all of the code in front of the binary

export { QhiveError };

/** @param {import('./options.js').Options} options */
function linkError(error, options) {
    return new QhiveError('VERSION', `the module cannot be linked with a memory of ${options.pages} pages (${error}). Take qhive.wasm from the same version of the package`, error);
}

/** Whether the instance is the SIMD build; throws where it is that of another version. @param {Core} core */
function readKind(core) {
    const [version, kind] = core.staticText(core.call('qh_version_address')).split('+');
    if (version !== VERSION) throw new QhiveError('VERSION', `options.wasm is the module of qhive ${version}; this is qhive ${VERSION}. Take qhive.wasm from the same version of the package`);
    return kind !== 'scalar';
}

/**
 * A runtime on a fresh instance.
 * @param {{ exports: any }} instance @param {WebAssembly.Memory} memory @param {import('./options.js').Options} options
 * @param {WebAssembly.Module} module @param {typeof import('qhive:threads-code')} [threads] where it is to have some
 */
function open(instance, memory, options, module, threads) {
    const core = new Core(instance.exports, memory);
    const maySleep = threads?.found(core, module, kit) ?? 0;
    const simd = readKind(core);
    if (options.simd !== undefined && options.simd !== simd)
        throw new QhiveError('INVALID_ARGUMENT', `options.simd is ${options.simd}, but options.wasm is the ${simd ? 'SIMD' : 'scalar'} build`);
    const { maxPages, initialPages, seed, pools, trackAllocations, onLeak } = options;
    if (onLeak !== undefined) core.leaks = { report: onLeak, disposed: false };
    const opened = core.call(
        'qh_open', maxPages, initialPages, seed[0], seed[1], pools.state, pools.trajectory, pools.message, trackAllocations ? 1 : 0,
        options.threads, maySleep,
    );
    if (opened < 0) {
        const code = codeOf(opened);
        throw new QhiveError(code ?? 'INVALID_STATE', `the runtime cannot be opened: ${openProblem(code, options, core)}`);
    }
    return new AgentRuntime(core, simd);
}

const openProblem = (code, { maxPages, threads }, core) =>
    code === 'EXCEEDS_LIMIT' ? `its pools${threads > 0 ? ` and the stacks of ${threads} threads` : ''} need more than maxPages (${maxPages})` : resourceProblem(core, code);

/** @param {import('../types/qhive.js').RuntimeOptions} [options] */
export async function createRuntime(options) {
    const complete = readOptions(options);
    const threads = complete.threads > 0 ? await loadThreads() : undefined;
    threads?.requireThreads(kit, 'options.threads');
    const module = await loadModule(complete);
    threads?.requireThreadsModule(kit, module, 'options.wasm');
    const memory = createMemory(complete);
    let instance;
    try {
        instance = await WebAssembly.instantiate(module, { env: { memory } });
    } catch (error) {
        throw linkError(error, complete);
    }
    return open(instance, memory, complete, module, threads);
}

/** @param {import('../types/qhive.js').RuntimeOptions} [options] */
export function createRuntimeSync(options) {
    const complete = readOptions(options);
    const threads = complete.threads > 0 ? loadThreadsSync() : undefined;
    threads?.requireThreads(kit, 'options.threads');
    const module = loadModuleSync(complete);
    threads?.requireThreadsModule(kit, module, 'options.wasm');
    const memory = createMemory(complete);
    let instance;
    try {
        instance = new WebAssembly.Instance(module, { env: { memory } });
    } catch (error) {
        throw linkError(error, complete);
    }
    return open(instance, memory, complete, module, threads);
}

/** @param {import('../types/qhive.js').SharedRuntime} shared @returns {Promise<AgentRuntime>} */
export async function attachRuntime(shared) {
    const threads = await loadThreads();
    return threads.attach(kit, shared, (core) => new AgentRuntime(core, readKind(core)));
}
