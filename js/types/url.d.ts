/**
 * The same package without a module inside: `wasm` says where `qhive/qhive.wasm` is, which the engine then compiles while it arrives.
 *
 * ```js
 * import { createRuntime } from 'qhive/url';
 * import wasm from 'qhive/qhive.wasm?url'; // how a bundler is asked for the address of a file; this is Vite's way
 * const runtime = await createRuntime({ wasm });
 * ```
 *
 * A response of another type than `application/wasm` works too, but is compiled only when it is all there.
 */
import type { AgentRuntime, RuntimeOptions } from './qhive.js';

export * from './qhive.js';

/** {@link RuntimeOptions} of which `wasm` is not optional. */
export type UrlRuntimeOptions = RuntimeOptions & { wasm: NonNullable<RuntimeOptions['wasm']> };

/** @throws {QhiveError} as `createRuntime` of the main entry; INVALID_ARGUMENT without `wasm` */
export function createRuntime(options: UrlRuntimeOptions): Promise<AgentRuntime>;

/** The same at once: `wasm` must be bytes or a `WebAssembly.Module`. */
export function createRuntimeSync(options: UrlRuntimeOptions): AgentRuntime;
