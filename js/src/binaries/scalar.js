/** The chunk with the scalar binary: deflated, base64, loaded only where SIMD is missing. */
export { default } from 'qhive:scalar';
