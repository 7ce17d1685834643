/**
 * The build without SIMD, which the main entry loads by itself where it is needed. Who must start synchronously in an ES module gives it:
 *
 * ```js
 * import scalar from 'qhive/qhive-scalar';
 * const runtime = createRuntimeSync({ wasm: scalar() });
 * ```
 *
 * @returns the bytes of `qhive/qhive-scalar.wasm`, anew at each call
 */
export default function bytes(): Uint8Array<ArrayBuffer>;
