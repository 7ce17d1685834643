/**
 * A module as the package carries it: LZMA, then base64. A server's own compression takes the base64 back, and finds little in
 * base64 of what is not compressed.
 */
import { unpackLzma } from './lzma.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 to bytes; neither Buffer nor atob is everywhere. @param {string} text without padding */
export function decodeBase64(text) {
    const values = new Uint8Array(128);
    for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = i;
    const bytes = new Uint8Array((text.length * 3) >> 2);
    for (let i = 0, at = 0, word = 0; i < text.length; i++) {
        word = (word << 6) | values[text.charCodeAt(i)];
        if (i & 3) bytes[at++] = word >> (6 - 2 * (i & 3));
    }
    return bytes;
}

/** @param {{ byteCount: number, text: string }} module */
export const unpack = ({ byteCount, text }) => unpackLzma(decodeBase64(text), byteCount);
