/** At the edge bytes are not compiled; the host gives a module that it compiled when the program was uploaded. */
import { QhiveError } from '../errors.js';
import wasm from 'qhive:module';

/** @param {boolean | undefined} wanted the option `simd` */
export function ownModuleSync(wanted) {
    if (wanted === false) throw new QhiveError('UNSUPPORTED', 'options.simd: this entry has the SIMD build only; give qhive/qhive-scalar.wasm as options.wasm');
    return wasm;
}

/** @param {boolean | undefined} wanted */
export const ownModule = async (wanted) => ownModuleSync(wanted);
