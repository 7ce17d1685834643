/** Where the ES module finds the binaries. Bundlers split the dynamic imports off. */
import { compile, refused } from '../engine.js';
import { QhiveError } from '../errors.js';
import simd from 'qhive:simd';

export { simd };

let bytes = /** @type {Uint8Array<ArrayBuffer> | undefined} */ (undefined);

export async function loadScalar() {
    return (bytes ??= (await import('qhive:scalar')).scalarBytes());
}

/** Undefined: an ES module cannot load another one synchronously, unless it is here already. */
export const loadScalarSync = () => bytes;

export const threadsModule = async () => compile((await import('qhive:threads-build')).threadsBytes(), refused);

/** @returns {never} */
export function threadsModuleSync() {
    throw new QhiveError(
        'UNSUPPORTED',
        'an ES module cannot load the build for threads synchronously here: use createRuntime(), or give qhive/qhive-threads.wasm, compiled, as options.wasm',
    );
}
