/**
 * Random numbers that a seed fixes for ever, for tests and generated logs.
 *
 * sfc32 (PractRand's small fast counter, public domain): quick, and good far beyond what a test asks. Not for secrets.
 */

/** Mix a text into four 32-bit words (cyrb128, public domain). */
export function hashText(text: string): [number, number, number, number] {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [(a ^ b ^ c ^ d) >>> 0, (b ^ a) >>> 0, (c ^ a) >>> 0, (d ^ a) >>> 0];
}

/** Mix two whole numbers into one of 32 bits; used where a rank or a slot must always give the same thing. */
export function hashNumbers(a: number, b = 0): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ 0xc2b2ae35, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A stream of random numbers; equal seeds give equal streams on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number | string) {
    const words = hashText(String(seed));
    this.a = words[0] | 0;
    this.b = words[1] | 0;
    this.c = words[2] | 0;
    this.d = words[3] | 0;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    return this.word() / 4294967296;
  }

  /** Whole number in [0, n). */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** Whole number in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One element; the list must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }

  /** Index with probability proportional to its weight. */
  weighted(weights: readonly number[]): number {
    let total = 0;
    for (const weight of weights) total += weight;
    let left = this.next() * total;
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left < 0) return i;
    }
    return weights.length - 1;
  }

  /** Standard normal (Box-Muller; one of the two values is thrown away, so that the stream stays easy to follow). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Log-normal with the given median; `sigma` is the spread of its logarithm. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  /**
   * Rank from a law of Zipf and Mandelbrot: P(rank >= k) = (1 + k / head) ** (1 - exponent), even beyond `limit`.
   *
   * @param exponent > 1; the closer to 1, the heavier the tail.
   * @param head How many ranks share the lead; 1 gives the first about half of everything when `exponent` is 2.
   */
  zipf(exponent: number, limit: number, head = 1): number {
    const rank = Math.floor(head * ((1 - this.next()) ** (-1 / (exponent - 1)) - 1));
    return rank < limit ? rank : this.int(limit);
  }

  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string {
    let text = "";
    while (text.length < length) text += this.word().toString(16).padStart(8, "0");
    return text.length === length ? text : text.slice(0, length);
  }

  /** Put the list into random order, in place. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }
}

/** A fresh stream for a seed; take one per purpose, so that a change in one place does not move all others. */
export function seededRandom(seed: number | string): Random {
  return new Random(seed);
}
