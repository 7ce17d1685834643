/** `qhive/qhive-scalar`: the bytes of the scalar build. The main entry loads it only where SIMD is missing. */
import { unpack } from '../packed.js';
import scalar from 'qhive:scalar-packed';

export const scalarBytes = () => unpack(scalar);
