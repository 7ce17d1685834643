/**
 * The bytes of an exported table, read without the agent that wrote them (src/learn/transfer.h has the format).
 */
import { hex } from './text.js';

const VERSION = 1;
const HEADER_BYTES = 32;
const CRC_AT = 28;

/** The error of bytes that are not what they should be, with the core's code for it. @param {string} message */
export const damage = (message) => Object.assign(new Error(message), { code: 'CORRUPT' });

/** CRC-32C (Castagnoli), a byte at a time. */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    return crc;
});

/** The checksum of an export, whose own field counts as 0. @param {Uint8Array} bytes @param {number} at of the field */
function checksum(bytes, at) {
    let crc = ~0;
    for (let i = 0; i < bytes.length; i++) crc = CRC[(crc ^ (i >= at && i < at + 4 ? 0 : bytes[i])) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
}

/** @param {Buffer} bytes @param {number} at of the checksum @returns {number} it, where it is right */
export function checkSum(bytes, at) {
    const [written, computed] = [bytes.readUInt32LE(at), checksum(bytes, at)];
    if (written !== computed) throw damage(`the CRC-32C is ${hex(computed)}, the header says ${hex(written)}`);
    return written;
}

/** @param {Buffer} bytes */
function readHeader(bytes) {
    if (bytes.length < HEADER_BYTES) throw damage(`a header has ${HEADER_BYTES} bytes, here are ${bytes.length}`);
    const word = (/** @type {number} */ at) => bytes.readUInt32LE(at);
    const header = { version: word(4), actions: word(16), tables: word(20), rows: word(24) };
    if (header.version !== VERSION) throw damage(`it is of version ${header.version}, this package reads ${VERSION}`);
    if (header.actions < 1 || header.actions > 1024) throw damage(`it says ${header.actions} actions; there are 1 to 1024`);
    if (header.tables !== 1 && header.tables !== 2) throw damage(`it says ${header.tables} tables; there are 1 or 2`);
    const rowBytes = 8 + 4 * header.actions * (header.tables + 1);
    const expected = HEADER_BYTES + header.rows * rowBytes;
    if (bytes.length !== expected) throw damage(`${header.rows} states take ${expected} bytes, here are ${bytes.length}`);
    return { ...header, rowBytes, crc: checkSum(bytes, CRC_AT) };
}

/**
 * One state: its key, the mean of its tables, and how often each action was learned from.
 * @param {Buffer} bytes @param {number} at @param {number} actions @param {number} tables
 */
function readRow(bytes, at, actions, tables) {
    const values = Array.from({ length: actions }, (_, a) => {
        let sum = 0;
        for (let t = 0; t < tables; t++) sum += bytes.readFloatLE(at + 8 + 4 * (t * actions + a));
        return sum / tables;
    });
    const tries = Array.from({ length: actions }, (_, a) => bytes.readUInt32LE(at + 8 + 4 * (tables * actions + a)));
    return { key: bytes.readBigUInt64LE(at).toString(16).padStart(16, '0'), values, tries, visits: tries.reduce((sum, n) => sum + n, 0) };
}

/**
 * @param {Buffer} bytes @param {number} count states to list
 * @returns what is in it; the first `count` states are those learned from most, the earlier of equals first
 * @throws {Error} saying what is wrong with it
 */
export function readTable(bytes, count) {
    const { rowBytes, crc, ...header } = readHeader(bytes);
    const all = Array.from({ length: header.rows }, (_, i) => readRow(bytes, HEADER_BYTES + i * rowBytes, header.actions, header.tables));
    const keys = new Set(all.map(({ key }) => key));
    if (keys.size !== all.length) throw damage('a state is there twice');
    const values = { least: Infinity, most: -Infinity };
    const visits = { total: 0, tried: 0 };
    for (const row of all) {
        if (!row.values.every(Number.isFinite)) throw damage(`state ${row.key} has a value that is not finite`);
        for (const value of row.values) [values.least, values.most] = [Math.min(values.least, value), Math.max(values.most, value)];
        visits.total += row.visits;
        visits.tried += row.tries.filter((n) => n > 0).length;
    }
    const most = all.sort((a, b) => b.visits - a.visits).slice(0, count);
    const top = most.map((row) => ({ ...row, best: row.values.indexOf(Math.max(...row.values)) }));
    return {
        format: 'table', version: header.version, bytes: bytes.length, configuration: bytes.readBigUInt64LE(8).toString(16).padStart(16, '0'),
        crc: hex(crc), actions: header.actions, tables: header.tables, rows: header.rows, visits,
        values: header.rows > 0 ? values : { least: NaN, most: NaN }, top,
    };
}
