/**
 * Bytes made to harm: whatever is done to an exported table, an import takes it whole or refuses it as CORRUPT or VERSION, and a
 * refusal changes nothing. Checksums are repaired here, so that what lies behind them is reached.
 */
import fc from 'fast-check';
import { createRuntimeSync } from 'qhive';

const SEED = Number(process.env.QHIVE_TEST_SEED ?? 11);
const ACTIONS = 3;
const HEADER = 32;
const KINDS = {
    index: { encoder: { kind: 'index', states: 500 } },
    'double-q': { encoder: { kind: 'index', states: 500 }, algorithm: 'double-q' },
    tiles: { encoder: { kind: 'tiles', dims: [{ min: 0, max: 500, bins: 8 }], tilings: 4 }, replay: { capacity: 10, record: 'full' } },
};
const ROW = { index: 8 + 4 * ACTIONS * 2, 'double-q': 8 + 4 * ACTIONS * 3, tiles: 8 + 4 * ACTIONS * 2 };
const observe = (config, state) => (config.encoder.kind === 'index' ? state : [state]);

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    return crc;
});

/** CRC-32C of the bytes, their checksum taken as 0. */
function crc32c(bytes) {
    let crc = 0xffffffff;
    for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ (i >= 28 && i < 32 ? 0 : bytes[i])) & 255];
    return ~crc >>> 0;
}

/** A copy, changed, with a right checksum. */
function forged(bytes, change) {
    const copy = bytes.slice();
    change(new DataView(copy.buffer), copy);
    if (copy.length >= HEADER) new DataView(copy.buffer).setUint32(28, crc32c(copy), true);
    return copy;
}

/** A table of `count` rows with these keys, all values 0. */
function tableOf(bytes, rowBytes, keys) {
    const made = new Uint8Array(HEADER + keys.length * rowBytes);
    made.set(bytes.subarray(0, HEADER));
    return forged(made, (view) => {
        view.setUint32(24, keys.length, true);
        keys.forEach((key, i) => view.setBigUint64(HEADER + i * rowBytes, key, true));
    });
}

describe.each(Object.keys(KINDS))('%s', (kind) => {
    let runtime;
    let victim;
    let bytes;
    beforeAll(() => {
        runtime = createRuntimeSync({ seed: SEED });
        const config = KINDS[kind];
        const teacher = runtime.createAgent({ actions: ACTIONS, ...config });
        for (let i = 0; i < 40; i++) teacher.learn(observe(config, i * 11), i % ACTIONS, i - 20, observe(config, i));
        bytes = teacher.exportTable();
        victim = runtime.createAgent({ actions: ACTIONS, ...config });
        victim.begin(observe(config, 1));
        for (let i = 0; i < 30; i++) victim.step(1, observe(config, i * 7));
    });
    afterAll(() => runtime.dispose());

    const look = () => `${victim.hash()} ${runtime.memory.liveBytes} ${JSON.stringify(victim.metrics)}`;

    /** 'taken', or the code of the refusal, after which nothing has changed. */
    function offer(given) {
        const before = look();
        try {
            victim.importTable(given);
        } catch (error) {
            if (look() !== before) throw new Error(`a refused import changed ${before} to ${look()}`, { cause: error });
            return error.code;
        }
        return 'taken';
    }

    test('every truncation, with and without a repaired checksum', () => {
        const answers = new Set();
        for (let length = 0; length < bytes.length; length++) {
            answers.add(offer(bytes.slice(0, length)));
            answers.add(offer(forged(bytes.slice(0, length), () => {})));
        }
        expect([...answers]).toEqual(['CORRUPT']);
        expect(runtime.validate()).toBe(true);
    });

    test(`any bits flipped under a right checksum: taken as a table, or refused (seed ${SEED})`, () => {
        const flips = fc.array(fc.record({ at: fc.nat(bytes.length - 1), bits: fc.integer({ min: 1, max: 255 }) }), { minLength: 1, maxLength: 4 });
        let taken = 0;
        fc.assert(
            fc.property(flips, (all) => {
                const given = forged(bytes, (_, copy) => all.forEach(({ at, bits }) => (copy[at] ^= bits)));
                const answer = offer(given);
                expect(['taken', 'CORRUPT', 'VERSION']).toContain(answer);
                if (answer !== 'taken') return;
                taken++;
                expect(Buffer.compare(victim.exportTable(), given)).toBe(0);
                expect(runtime.validate()).toBe(true);
            }),
            { seed: SEED, numRuns: 400 },
        );
        expect(taken).toBeGreaterThan(100);
    });

    test('fields of the header at their extremes', () => {
        for (const at of [0, 4, 8, 12, 16, 20, 24])
            for (const value of [0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000000]) {
                const given = forged(bytes, (view) => view.setUint32(at, value, true));
                const same = new DataView(bytes.buffer).getUint32(at, true) === value;
                expect(offer(given)).toBe(same ? 'taken' : at === 4 ? 'VERSION' : 'CORRUPT');
            }
    });

    test('a key twice, anywhere', () => {
        const rowBytes = ROW[kind];
        const rows = (bytes.length - HEADER) / rowBytes;
        for (let i = 1; i < rows; i += 3)
            expect(offer(forged(bytes, (_, copy) => copy.copyWithin(HEADER + i * rowBytes, HEADER, HEADER + 8)))).toBe('CORRUPT');
        expect(offer(tableOf(bytes, rowBytes, new Array(50).fill(7n)))).toBe('CORRUPT');
    });

    test('values that are no numbers', () => {
        for (const word of [0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001])
            for (let value = 0; value < ACTIONS * (kind === 'double-q' ? 2 : 1); value++)
                expect(offer(forged(bytes, (view) => view.setUint32(HEADER + 8 + 4 * value, word, true)))).toBe('CORRUPT');
    });

    test('keys that all fall into one bucket are refused before they can cost time', () => {
        const keys = (count, next) => Array.from({ length: count }, (_, i) => next(BigInt(i)));
        const rowBytes = ROW[kind];
        expect(offer(tableOf(bytes, rowBytes, keys(20000, (i) => i << 32n)))).toBe('CORRUPT');
        expect(offer(tableOf(bytes, rowBytes, keys(20000, (i) => (i << 24n) | 5n)))).toBe('CORRUPT');
        expect(offer(tableOf(bytes, rowBytes, keys(700, (i) => i << 32n)))).toBe('taken');
        expect(runtime.validate()).toBe(true);
        expect(offer(tableOf(bytes, rowBytes, keys(20000, (i) => (i * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn)))).toBe('taken');
        expect(runtime.validate()).toBe(true);
        expect(offer(bytes)).toBe('taken');
    });
});
