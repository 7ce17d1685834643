/** The script-tag file holds two binaries; that for threads lies beside it. */
import { QhiveError } from '../errors.js';
import { givenModule } from '../given.js';
import { scalarBytes } from 'qhive:scalar';
import simd from 'qhive:simd';

export { simd };

/** Where this script is from: known only while it runs. */
const source = /** @type {HTMLScriptElement | null | undefined} */ (globalThis.document?.currentScript)?.src;

export const loadScalarSync = () => scalarBytes();

export const loadScalar = async () => scalarBytes();

export async function threadsModule() {
    if (!source)
        throw new QhiveError('INVALID_ARGUMENT', 'options.wasm must be given: the script does not know where it is from. It is qhive/qhive-threads.wasm: give its URL');
    return givenModule(new URL('qhive-threads.wasm', source));
}

/** @returns {never} */
export function threadsModuleSync() {
    throw new QhiveError(
        'UNSUPPORTED', 'the build for threads cannot be loaded synchronously here: use createRuntime(), or give qhive/qhive-threads.wasm, compiled, as options.wasm',
    );
}
