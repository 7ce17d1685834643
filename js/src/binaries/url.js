/** `qhive/url` carries no module: the caller says where it is. */
import { QhiveError } from '../errors.js';

/** @param {boolean | undefined} _simd @param {boolean} threads @returns {never} */
export function ownModuleSync(_simd, threads) {
    throw new QhiveError('INVALID_ARGUMENT', `options.wasm must be given: qhive/url carries no module. It is qhive/${threads ? 'qhive-threads' : 'qhive'}.wasm: give its URL`);
}

/** @param {boolean | undefined} simd @param {boolean} threads @returns {Promise<never>} */
export const ownModule = async (simd, threads) => ownModuleSync(simd, threads);
