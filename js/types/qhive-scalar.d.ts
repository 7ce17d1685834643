/**
 * The build without SIMD, which the main entry loads by itself where it is needed. Who must start synchronously in an ES module gives it:
 *
 * ```js
 * import { scalarBytes } from 'qhive/qhive-scalar';
 * const runtime = createRuntimeSync({ wasm: scalarBytes() });
 * ```
 *
 * @returns the bytes of `qhive/qhive-scalar.wasm`, anew at each call
 */
export function scalarBytes(): Uint8Array<ArrayBuffer>;
