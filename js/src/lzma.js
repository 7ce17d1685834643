/**
 * A decoder of LZMA streams with the parameters lc 3, lp 0, pb 2, after the specification of Igor Pavlov's LZMA SDK (public domain).
 *
 * The module is a sixth smaller in LZMA than in deflate and decodes in a few milliseconds. Of a stream only the body is taken, without
 * its header; the length is known. The bytes come from the package's own build, so damage is not looked for: a module
 * that does not compile says so.
 */
const STATES = 12;
const POSITIONS = 4; // 2^pb
const LITERAL_SIZE = 0x300;
const LENGTH_SIZE = 2 + 2 * POSITIONS * 8 + 256;
const SLOT_SIZE = 64;

/* Where each kind of probability begins in the one table of them. */
const IS_MATCH = 0;
const IS_LONG = IS_MATCH + STATES * POSITIONS;
const IS_REP = IS_LONG + STATES * POSITIONS; // then of the other three reps, 12 each
const SLOTS = IS_REP + 4 * STATES;
const SPECIAL = SLOTS + 4 * SLOT_SIZE;
const ALIGN = SPECIAL + 128;
const LENGTHS = ALIGN + 16;
const LITERALS = LENGTHS + 2 * LENGTH_SIZE;
const TABLE_SIZE = LITERALS + (LITERAL_SIZE << 3);

/** The range decoder: bits by their probability, and by trees of them. @param {Uint8Array} packed */
function reader(packed) {
    const table = new Uint16Array(TABLE_SIZE).fill(1024);
    let at = 1;
    let range = 2 ** 32 - 1;
    let code = 0;
    while (at < 5) code = code * 256 + packed[at++];
    const shift = () => {
        if (range >= 2 ** 24) return;
        range *= 256;
        code = code * 256 + packed[at++];
    };
    const bit = (/** @type {number} */ i) => {
        const odds = table[i];
        const bound = (range >>> 11) * odds;
        const one = code < bound ? 0 : 1;
        if (one) {
            range -= bound;
            code -= bound;
            table[i] -= odds >> 5;
        } else {
            range = bound;
            table[i] += (2048 - odds) >> 5;
        }
        shift();
        return one;
    };
    const tree = (/** @type {number} */ base, /** @type {number} */ bits) => {
        let node = 1;
        for (let i = 0; i < bits; i++) node = (node << 1) | bit(base + node);
        return node - (1 << bits);
    };
    const reverse = (/** @type {number} */ base, /** @type {number} */ bits) => {
        let node = 1;
        let value = 0;
        for (let i = 0; i < bits; i++) {
            const one = bit(base + node);
            node = (node << 1) | one;
            value |= one << i;
        }
        return value;
    };
    const direct = (/** @type {number} */ bits) => {
        let value = 0;
        for (let i = 0; i < bits; i++) {
            range >>>= 1;
            const one = code < range ? 0 : 1;
            if (one) code -= range;
            value = (value << 1) | one;
            shift();
        }
        return value;
    };
    const length = (/** @type {number} */ base, /** @type {number} */ position) => {
        if (!bit(base)) return tree(base + 2 + position * 8, 3);
        if (!bit(base + 1)) return 8 + tree(base + 2 + (POSITIONS + position) * 8, 3);
        return 16 + tree(base + 2 + 2 * POSITIONS * 8, 8);
    };
    const distance = (/** @type {number} */ lengthState) => {
        const slot = tree(SLOTS + lengthState * SLOT_SIZE, 6);
        if (slot < 4) return slot;
        const bits = (slot >> 1) - 1;
        const start = (2 | (slot & 1)) << bits;
        if (slot < 14) return start + reverse(SPECIAL + start - slot, bits);
        return start + (direct(bits - 4) << 4) + reverse(ALIGN, 4);
    };
    return { bit, length, distance };
}

/**
 * @param {Uint8Array} packed the body of the stream
 * @param {number} byteCount of what was packed
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unpackLzma(packed, byteCount) {
    const { bit, length, distance } = reader(packed);
    const out = new Uint8Array(byteCount);
    const last = [0, 0, 0, 0];
    let state = 0;
    const literal = (/** @type {number} */ at) => {
        const base = LITERALS + LITERAL_SIZE * (out[at - 1] >> 5);
        let symbol = 1;
        for (let match = state < 7 ? 0 : out[at - last[0] - 1] | 256, same = state >= 7; symbol < 256; ) {
            match <<= 1;
            const expected = (match >> 8) & 1;
            const one = bit(base + symbol + (same ? (1 + expected) << 8 : 0));
            symbol = (symbol << 1) | one;
            same &&= one === expected;
        }
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        return symbol;
    };
    for (let at = 0; at < byteCount; ) {
        const position = at % POSITIONS;
        if (!bit(IS_MATCH + state * POSITIONS + position)) {
            out[at] = literal(at);
            at++;
            continue;
        }
        let count;
        if (bit(IS_REP + state)) {
            let which = 0;
            let short = false;
            if (!bit(IS_REP + STATES + state)) short = !bit(IS_LONG + state * POSITIONS + position);
            else which = !bit(IS_REP + 2 * STATES + state) ? 1 : 2 + bit(IS_REP + 3 * STATES + state);
            last.unshift(last.splice(which, 1)[0]);
            count = short ? 1 : 2 + length(LENGTHS + LENGTH_SIZE, position);
            state = (state < 7 ? 8 : 11) + (short && state < 7 ? 1 : 0);
        } else {
            count = 2 + length(LENGTHS, position);
            last.pop();
            last.unshift(distance(Math.min(count - 2, 3)));
            state = state < 7 ? 7 : 10;
        }
        for (; count > 0 && at < byteCount; count--, at++) out[at] = out[at - last[0] - 1];
    }
    return out;
}
