/**
 * The one kind of error this package throws, and the codes of the core.
 */
import { abi } from 'qhive:abi';

/** @typedef {import('../types/qhive.js').ErrorCode} ErrorCode */

export class QhiveError extends Error {
    /**
     * @param {ErrorCode} code
     * @param {string} message
     * @param {unknown} [cause] the engine's own error, where there is one
     */
    constructor(code, message, cause) {
        super(message, cause === undefined ? undefined : { cause });
        /** @readonly */
        this.code = code;
    }
}
Object.defineProperty(QhiveError.prototype, 'name', { value: 'QhiveError', configurable: true, writable: true });

/** Names of the core's results by their number, which is below -1. */
const NAMES = new Map(Object.entries(abi.result).map(([name, value]) => [-value, /** @type {ErrorCode} */ (name)]));

/** The name of a result of the core, undefined where the number is none. @param {number} result */
export const codeOf = (result) => NAMES.get(result);

/** The number of a result by its name. @param {ErrorCode} code */
export const resultOf = (code) => -abi.result[code];
