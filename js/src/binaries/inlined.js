/**
 * The module out of the package: SIMD where the engine has it, else the scalar one, which is loaded only then, as is the one for
 * threads. The compiled modules are kept: a second runtime costs no second compilation.
 */
import { loadScalar, loadScalarSync, simd, threadsModule, threadsModuleSync } from 'qhive:binaries';
import { compile, compileSync, noSimd, refused, runsSimd } from '../engine.js';
import { QhiveError } from '../errors.js';
import { unpack } from '../packed.js';

/** @type {{ simd?: WebAssembly.Module, scalar?: WebAssembly.Module, threads?: WebAssembly.Module }} */
const compiled = {};

/** Which module to use. @param {boolean | undefined} wanted the option `simd` */
function choose(wanted) {
    if (wanted === true && !runsSimd()) throw noSimd('leave options.simd out');
    return wanted !== false && runsSimd() ? 'simd' : 'scalar';
}

function requireSimd() {
    if (!runsSimd()) throw noSimd('the build for threads needs it');
}

/** @param {boolean | undefined} wanted @param {boolean} threads */
export async function ownModule(wanted, threads) {
    if (threads) {
        requireSimd();
        return (compiled.threads ??= await threadsModule());
    }
    const kind = choose(wanted);
    return (compiled[kind] ??= await compile(kind === 'simd' ? unpack(simd) : await loadScalar(), refused));
}

/** @param {boolean | undefined} wanted @param {boolean} threads */
export function ownModuleSync(wanted, threads) {
    if (threads) {
        requireSimd();
        return (compiled.threads ??= threadsModuleSync());
    }
    const kind = choose(wanted);
    return (compiled[kind] ??= compileSync(kind === 'simd' ? unpack(simd) : scalarBytes(), refused));
}

function scalarBytes() {
    const bytes = loadScalarSync();
    if (bytes !== undefined) return bytes;
    throw new QhiveError(
        'UNSUPPORTED',
        'an ES module cannot load the scalar build synchronously here: use createRuntime(), or give the bytes of qhive/qhive-scalar as options.wasm',
    );
}
