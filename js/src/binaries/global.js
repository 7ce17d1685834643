/** The script-tag file holds both binaries. */
import scalar from 'qhive:scalar';
import simd from 'qhive:simd';

export { simd };

export const loadScalarSync = () => scalar();

export const loadScalar = async () => scalar();
