/** The chunk with the scalar binary: base64 text, loaded only where SIMD is missing. */
export { default } from 'qhive:scalar';
