/** The agents' generator against the published outputs of its algorithms. */

import { Generator, seedState, splitmix64, streamOfName } from './random.js';

test('xoshiro128++ from the state 1, 2, 3, 4', () => {
    const generator = new Generator(Uint32Array.of(1, 2, 3, 4));
    const expected = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420];
    expect(Array.from(expected, () => generator.next())).toEqual(expected);
});

test('SplitMix64 from 1234567', () => {
    const expected = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n, 4593380528125082431n, 16408922859458223821n];
    let state = 1234567n;
    for (const value of expected) {
        const output = splitmix64(state);
        expect(output.value).toBe(value);
        state = output.next;
    }
});

test('streams of numbers and of names do not meet', () => {
    const seen = new Set();
    for (let i = 1; i <= 1000; i += 1) {
        seen.add(seedState(7n, BigInt(i)).join());
        seen.add(seedState(7n, streamOfName(`agent-${i}`)).join());
    }
    expect(seen.size).toBe(2000);
    expect(streamOfName('x') >> 63n).toBe(1n);
});

test('a bound of one draws nothing, every bound is met', () => {
    const generator = new Generator(seedState(1n, 1n));
    const { a, b } = generator;
    expect(generator.below(1)).toBe(0);
    expect([generator.a, generator.b]).toEqual([a, b]);
    for (const bound of [2, 3, 5, 1000]) {
        const drawn = Array.from({ length: 20 * bound }, () => generator.below(bound));
        expect(Math.max(...drawn)).toBe(bound - 1);
        expect(Math.min(...drawn)).toBe(0);
    }
});
