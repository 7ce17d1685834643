/**
 * What the engine can do: compile at all, run SIMD; and what to say where it cannot.
 */
import { reasonOf } from './core.js';
import { QhiveError } from './errors.js';

/** The smallest module: its header. It compiles wherever anything may be compiled from bytes. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
/** A function that makes a v128 of an i32 and takes its first lane. */
const SIMD = Uint8Array.of(...EMPTY, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 11);

export function requireWebAssembly() {
    if (typeof WebAssembly !== 'object') throw new QhiveError('UNSUPPORTED', 'this engine has no WebAssembly');
}

let simd = /** @type {boolean | undefined} */ (undefined);

/** Whether the engine runs SIMD128. */
export const runsSimd = () => (simd ??= WebAssembly.validate(SIMD));

export const noSimd = (/** @type {string} */ remedy) =>
    new QhiveError('UNSUPPORTED', `this engine has no SIMD for WebAssembly: ${remedy}`);

/** The error of sound bytes that were not compiled; `hint` goes to its end. @param {unknown} error */
export const refused = (error, hint = '') =>
    new QhiveError(
        'UNSUPPORTED',
        `this engine does not compile the module (${reasonOf(error)}). A page's Content-Security-Policy needs 'wasm-unsafe-eval' in script-src; at the edge, import qhive/qhive.wasm and give that WebAssembly.Module as options.wasm${hint}`,
        error,
    );

function mayCompile() {
    try {
        void new WebAssembly.Module(EMPTY);
        return true;
    } catch {
        return false;
    }
}

/** The error of a caller's bytes that were not compiled: damaged, where it is they that the engine complains of. @param {unknown} error */
export function damaged(error, hint = '') {
    if (!(error instanceof WebAssembly.CompileError) || !mayCompile()) return refused(error, hint);
    if (!runsSimd()) return noSimd('give the scalar build (qhive/qhive-scalar.wasm) as options.wasm');
    return new QhiveError('CORRUPT', `options.wasm does not compile (${reasonOf(error)})`, error);
}

/**
 * The main thread of a page compiles large modules only asynchronously, and says so by another error than CompileError.
 * @param {BufferSource} bytes @param {(error: unknown, hint: string) => QhiveError} explain
 */
export function compileSync(bytes, explain) {
    try {
        return new WebAssembly.Module(bytes);
    } catch (error) {
        throw explain(error, error instanceof WebAssembly.CompileError ? '' : ', or use createRuntime()');
    }
}

/** @param {BufferSource} bytes @param {(error: unknown) => QhiveError} explain */
export async function compile(bytes, explain) {
    try {
        return await WebAssembly.compile(bytes);
    } catch (error) {
        throw explain(error);
    }
}
