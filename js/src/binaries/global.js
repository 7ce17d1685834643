/** The script-tag file holds both binaries. */
import { scalarBytes } from 'qhive:scalar';
import simd from 'qhive:simd';

export { simd };

export const loadScalarSync = () => scalarBytes();

export const loadScalar = async () => scalarBytes();
