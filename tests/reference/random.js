/**
 * The agents' generator: xoshiro128++ 1.0 (Blackman & Vigna 2019), and every way in which a draw is used.
 *
 * Seeding is one function, `seedState`; each kind of draw is one function; both are to be aligned with whatever
 * implementation the reference is compared to.
 *
 * Draws of a learner, in order
 *   epsilon-greedy   one number for "explore?"; then one for the action (exploring) or for the tie
 *   greedy, UCB      one number for the tie
 *   softmax          one number
 *   tie              one number when two or more actions tie and ties are random, none otherwise
 *   Double Q         one number per update: the table
 *   planning         one number per simulated update: the pair
 *   replay           one number per transition
 */

const { floor } = Math;
const TWO_POW_32 = 4294967296;
const MASK64 = 0xffffffffffffffffn;

function splitmix64(state) {
  const next = (state + 0x9e3779b97f4a7c15n) & MASK64;
  let z = next;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return { next, value: z ^ (z >> 31n) };
}

/** FNV-1a, 64 bits, of the UTF-8 bytes of a name. */
export function hashName(name) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK64;
  return hash;
}

/**
 * The 128 bits of state for one stream of a master seed.
 * @param {bigint} masterSeed 64 bits
 * @param {bigint} stream 64 bits: the agent's number, or the hash of its name when it was given one
 */
export function seedState(masterSeed, stream) {
  const mixed = splitmix64(stream & MASK64).value;
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

  /** 0 .. n - 1 by multiplication (Lemire 2019) without rejection: the bias is below n / 2^32 */
  below(n) {
    return floor((this.next() * n) / TWO_POW_32);
  }
}

