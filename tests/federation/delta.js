/** What a test needs to make deltas of its own. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    return crc;
});

/** CRC-32C of bytes. @param {Uint8Array} bytes */
export function crc32c(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
}

/** The delta with its checksum made right again. @param {Uint8Array} bytes */
export function seal(bytes) {
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(4, crc32c(bytes.subarray(8)), true);
    return bytes;
}
