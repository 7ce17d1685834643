/** Where the ES module finds the two binaries in Node, which can also load synchronously. */
import { createRequire } from 'node:module';
import simd from 'qhive:simd';

export { simd };

export const loadScalar = async () => (await import('qhive:scalar')).scalarBytes();

export const loadScalarSync = () => createRequire(import.meta.url)('./qhive-scalar.cjs').scalarBytes();
