/**
 * The environments' own source of randomness: sfc32 (Chris Doty-Humphrey, PractRand), seeded by an integer.
 *
 * It is deliberately another generator than the one agents use, so that no environment can be correlated
 * with the agent acting in it. `Math.random` appears nowhere in the tests: a printed seed replays a run.
 */

const { log, sqrt, cos, PI, imul } = Math;

const WARM_UP = 15;
const TWO_POW_32 = 4294967296;

/**
 * @typedef {object} Random
 * @property {() => number} uint32   next integer, 0 .. 2^32 - 1
 * @property {() => number} uniform  next number in [0, 1), a multiple of 2^-32
 * @property {(n: number) => number} below  next integer, 0 .. n - 1
 * @property {() => number} normal   next standard normal number (Box & Muller 1958, one of each pair)
 */

/**
 * @param {number} seed any integer below 2^53; equal seeds give equal sequences
 * @param {number} [stream] independent sequences of one seed
 * @returns {Random}
 */
export function createRandom(seed, stream = 0) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`seed ${seed} is not a safe integer`);
    let a = seed >>> 0;
    let b = Math.floor(seed / TWO_POW_32) >>> 0;
    let c = imul(stream, 0x9e3779b9) ^ 0x2545f491;
    let counter = 1;

    const uint32 = () => {
        const result = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = (((c << 21) | (c >>> 11)) + result) | 0;
        return result >>> 0;
    };
    const uniform = () => uint32() / TWO_POW_32;
    const below = (n) => Math.floor((uint32() * n) / TWO_POW_32);
    const normal = () => {
        const radius = sqrt(-2 * log(1 - uniform()));
        return radius * cos(2 * PI * uniform());
    };

    for (let i = 0; i < WARM_UP; i += 1) uint32();
    return { uint32, uniform, below, normal };
}
