/** Where the ES module finds the two binaries. Bundlers split the dynamic import off. */
import simd from 'qhive:simd';

export { simd };

let bytes = /** @type {Uint8Array<ArrayBuffer> | undefined} */ (undefined);

export async function loadScalar() {
    return (bytes ??= (await import('qhive:scalar')).scalarBytes());
}

/** Undefined: an ES module cannot load another one synchronously, unless it is here already. */
export const loadScalarSync = () => bytes;
