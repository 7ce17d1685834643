/** Where the CommonJS file finds the two binaries. */
/* global require */
import simd from 'qhive:simd';

export { simd };

export const loadScalarSync = () => require('qhive:scalar').scalarBytes();

export const loadScalar = async () => loadScalarSync();
