/**
 * Whether a module is one of this version.
 */
import { EXPORTS, VERSION } from 'qhive:abi';
import { QhiveError } from './errors.js';

/** Throws VERSION unless the module has the core's boundary. @param {any} module @param {string} what it was given as @param {string} file that is it */
export function checkBoundary(module, what = 'options.wasm', file = 'qhive.wasm') {
    const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    const missing = EXPORTS.filter((name) => !names.has(name));
    const imports = WebAssembly.Module.imports(module);
    const foreign = imports.filter(({ module: from, name, kind }) => from !== 'env' || name !== 'memory' || kind !== 'memory');
    if (missing.length === 0 && foreign.length === 0 && imports.length === 1) return module;
    const why = missing.length > 0 ? `it lacks ${missing[0]}` : 'it imports something else than its memory';
    throw new QhiveError('VERSION', `${what} is not the module of qhive ${VERSION}: ${why}. Take ${file} from the same version of the package`);
}
