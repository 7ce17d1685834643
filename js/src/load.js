/**
 * Where the module comes from: the package itself, or what the caller gives as `wasm`.
 */
import { ownModule, ownModuleSync } from 'qhive:own';
import { checkBoundary } from './boundary.js';
import { requireWebAssembly } from './engine.js';
import { givenModule, givenModuleSync } from './given.js';

/** @param {import('./options.js').Options} options @returns {Promise<WebAssembly.Module>} */
export async function loadModule({ wasm, simd, threads }) {
    requireWebAssembly();
    return wasm === undefined ? ownModule(simd, threads > 0) : checkBoundary(await givenModule(wasm));
}

/** @param {import('./options.js').Options} options @returns {WebAssembly.Module} */
export function loadModuleSync({ wasm, simd, threads }) {
    requireWebAssembly();
    return wasm === undefined ? ownModuleSync(simd, threads > 0) : checkBoundary(givenModuleSync(wasm));
}
