/** Where the ES module finds the two binaries (deflated, base64). Bundlers split the dynamic import off. */
import simd from 'qhive:simd';

export { simd };

let scalar;

export async function loadScalar() {
    scalar ??= (await import('qhive:scalar')).default;
    return scalar;
}

/** Undefined: an ES module cannot load another one synchronously, unless it is here already. */
export const loadScalarSync = () => scalar;
