/** `qhive/url` carries no module: the caller says where it is. */
import { QhiveError } from '../errors.js';

/** @returns {never} */
export function ownModuleSync() {
    throw new QhiveError('INVALID_ARGUMENT', 'options.wasm must be given: qhive/url carries no module. It is qhive/qhive.wasm: give its URL');
}

/** @returns {Promise<never>} */
export const ownModule = async () => ownModuleSync();
