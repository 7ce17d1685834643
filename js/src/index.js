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
import { AgentRuntime } from './runtime.js';
import { loadModule, loadModuleSync } from './load.js'; // last: a compressor does better with all of the code in front of the binary

export { QhiveError };

/** @param {import('./options.js').Options} options */
function linkError(error, options) {
    return new QhiveError('VERSION', `the module cannot be linked with a memory of ${options.pages} pages (${error}). Take qhive.wasm from the same version of the package`, error);
}

/** A runtime on a fresh instance. */
function open(instance, memory, options) {
    const core = new Core(instance.exports, memory);
    const [version, kind] = core.staticText(core.call('qh_version_address')).split('+');
    if (version !== VERSION) throw new QhiveError('VERSION', `options.wasm is the module of qhive ${version}; this is qhive ${VERSION}. Take qhive.wasm from the same version of the package`);
    const simd = kind !== 'scalar';
    if (options.simd !== undefined && options.simd !== simd)
        throw new QhiveError('INVALID_ARGUMENT', `options.simd is ${options.simd}, but options.wasm is the ${simd ? 'SIMD' : 'scalar'} build`);
    const { maxPages, initialPages, seed, pools, trackAllocations, onLeak } = options;
    if (onLeak !== undefined) core.leaks = { report: onLeak, disposed: false };
    const opened = core.call(
        'qh_open', maxPages, initialPages, seed[0], seed[1], pools.state, pools.trajectory, pools.message, trackAllocations ? 1 : 0,
    );
    if (opened < 0) {
        const code = codeOf(opened);
        throw new QhiveError(code ?? 'INVALID_STATE', `the runtime cannot be opened: ${openProblem(code, maxPages, core)}`);
    }
    return new AgentRuntime(core, simd);
}

const openProblem = (code, maxPages, core) =>
    code === 'EXCEEDS_LIMIT' ? `its pools need more than maxPages (${maxPages})` : resourceProblem(core, code);

/** @param {import('../types/qhive.js').RuntimeOptions} [options] */
export async function createRuntime(options) {
    const complete = readOptions(options);
    const module = await loadModule(complete);
    const memory = createMemory(complete);
    let instance;
    try {
        instance = await WebAssembly.instantiate(module, { env: { memory } });
    } catch (error) {
        throw linkError(error, complete);
    }
    return open(instance, memory, complete);
}

/** @param {import('../types/qhive.js').RuntimeOptions} [options] */
export function createRuntimeSync(options) {
    const complete = readOptions(options);
    const module = loadModuleSync(complete);
    const memory = createMemory(complete);
    let instance;
    try {
        instance = new WebAssembly.Instance(module, { env: { memory } });
    } catch (error) {
        throw linkError(error, complete);
    }
    return open(instance, memory, complete);
}
