/** Numbers for people. */

/** @param {number} bytes */
export function size(bytes) {
    if (bytes === Infinity) return 'none';
    if (bytes < 1024) return `${bytes} B`;
    return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

/** @param {number} address */
export const hex = (address) => `0x${address.toString(16).padStart(8, '0')}`;

/** @param {number} part @param {number} whole */
export const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
