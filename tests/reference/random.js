/**
 * The agents' generator: xoshiro128++ 1.0 (Blackman & Vigna 2019), and every way in which a draw is used.
 *
 * Seeding is one function, `seedState`; each kind of draw is one function; both are to be aligned with whatever
 * implementation the reference is compared to.
 *
 * Draws of a learner, in order
 *   epsilon-greedy   one number for "explore?", none when epsilon is 0; then one for the action (exploring) or the tie
 *   greedy, UCB      one number for the tie
 *   softmax          one number
 *   tie              one number when two or more actions tie and ties are random, none otherwise
 *   Double Q         per update one number for the table that learns, then the tie within it
 *   planning         per simulated update one number for the state, then one for the action, then the update's own
 *   replay           one number per transition, for up to REPLAY_CHUNK transitions before the first is learned from
 * Wherever one of n is drawn (an action, a tie, a state) and n is 1, nothing is drawn.
 */

const { floor } = Math;
const TWO_POW_32 = 4294967296;
const LARGEST_BOUND = 2 ** 21;
const MASK64 = 0xffffffffffffffffn;

const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n;

/** The finaliser of SplitMix64 (Steele, Lea & Flood 2014). */
export function mix64(value) {
    let z = value & MASK64;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
    return z ^ (z >> 31n);
}

/** The next output of SplitMix64, and the state it leaves. */
export function splitmix64(state) {
    const next = (state + GOLDEN_GAMMA) & MASK64;
    return { next, value: mix64(next) };
}

const fold = (hash, word) => (mix64(hash ^ word) + GOLDEN_GAMMA) & MASK64;

/** The stream of an agent that was given a name: its UTF-8 bytes, eight at a time, and their number; bit 63 is set. */
export function streamOfName(name) {
    const bytes = new TextEncoder().encode(name);
    let hash = fold(0n, BigInt(bytes.length));
    let word = 0n;
    bytes.forEach((byte, i) => {
        word |= BigInt(byte) << BigInt(8 * (i % 8));
        if (i % 8 !== 7) return;
        hash = fold(hash, word);
        word = 0n;
    });
    return fold(hash, word) | (1n << 63n);
}

/**
 * The 128 bits of state for one stream of a master seed.
 * @param {bigint} masterSeed 64 bits
 * @param {bigint} stream 64 bits: the agent's number (the first is 1), or `streamOfName` when it was given a name
 */
export function seedState(masterSeed, stream) {
    const mixed = mix64(stream + GOLDEN_GAMMA);
    const first = splitmix64((masterSeed ^ mixed) & MASK64);
    const second = splitmix64(first.next);
    const words = [first.value, first.value >> 32n, second.value, second.value >> 32n];
    return Uint32Array.from(words, (word) => Number(word & 0xffffffffn));
}

export class Generator {
    /** @param {Uint32Array} state four words, not all zero */
    constructor(state) {
        [this.a, this.b, this.c, this.d] = Int32Array.from(state);
    }

    /** 0 .. 2^32 - 1 */
    next() {
        const sum = (this.a + this.d) | 0;
        const result = (((sum << 7) | (sum >>> 25)) + this.a) | 0;
        const shifted = this.b << 9;
        this.c ^= this.a;
        this.d ^= this.b;
        this.b ^= this.c;
        this.a ^= this.d;
        this.c ^= shifted;
        this.d = (this.d << 11) | (this.d >>> 21);
        return result >>> 0;
    }

    /** [0, 1), a multiple of 2^-32 */
    uniform() {
        return this.next() / TWO_POW_32;
    }

    /** 0 .. n - 1 by multiplication, rejecting what would be biased (Lemire 2019); n up to 2^21, where doubles are exact */
    below(n) {
        if (n === 1) return 0;
        if (!(n > 0 && n <= LARGEST_BOUND)) throw new RangeError(`a bound of ${n}`);
        const rejected = TWO_POW_32 % n;
        for (;;) {
            const product = this.next() * n;
            const high = floor(product / TWO_POW_32);
            if (product - high * TWO_POW_32 >= rejected) return high;
        }
    }
}

