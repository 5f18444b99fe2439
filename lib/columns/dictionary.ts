/**
 * Dictionary of byte strings: equal bytes get equal codes, codes count up from 0 in order of first sight.
 *
 * All texts lie one behind the other in one arena, so the arena and the offsets are an Arrow Utf8 column as they are
 * and no JavaScript string is made until somebody wants to read one.
 */
import { widened } from "./growing-column.ts";

/** Longest text whose hash is computed here; longer ones go to the native hash, whose call then costs less. */
const OWN_HASH_MAX_BYTES = 512;

/** Offsets are Int32 in Arrow's Utf8, so a dictionary can hold this many bytes of distinct text. */
const ARENA_MAX_BYTES = 2 ** 31 - 1;

// Attackers choose the texts. A seed they cannot know keeps them from choosing texts that all collide.
const SEED = crypto.getRandomValues(new Int32Array(1))[0]!;

/** Texts by code, as they lie in an arena: what a {@link Dictionary} is once it is only read. */
export interface Texts {
  readonly size: number;
  /** All texts, one behind the other, in UTF-8. */
  readonly arena: Uint8Array;
  /** `offsets[code]` and `offsets[code + 1]` = where the text of a code starts and ends. */
  readonly offsets: Int32Array;
}

/** Whether a code stands for a text of at least one character; -1 stands for none. */
export function hasText({ offsets }: Texts, code: number): boolean {
  return code >= 0 && offsets[code]! < offsets[code + 1]!;
}

export function textOf(texts: Texts, code: number): string {
  return decoder.decode(texts.arena.subarray(texts.offsets[code]!, texts.offsets[code + 1]!));
}

/** All texts in code order. */
export function allTexts(texts: Texts): string[] {
  const { size, arena, offsets } = texts;
  const bytes = arena.subarray(0, offsets[size]!);
  const whole = decoder.decode(bytes);
  // One byte a character: then every text is a piece of the one string (measured: a tenth of decoding each).
  if (whole.length === bytes.length) {
    return Array.from({ length: size }, (_, code) => whole.slice(offsets[code]!, offsets[code + 1]!));
  }
  return Array.from({ length: size }, (_, code) => textOf(texts, code));
}

/** Codes of the texts that hold a word of ASCII, rising; no text is made of the others. */
export function codesWith({ size, arena, offsets }: Texts, word: string): Int32Array {
  const bytes = Buffer.from(arena.buffer, arena.byteOffset, offsets[size]);
  const codes: number[] = [];
  for (let at = bytes.indexOf(word, offsets[0]), code = 0; at >= 0; at = bytes.indexOf(word, at)) {
    while (offsets[code + 1]! <= at) code++;
    // Not one that begins in a text and ends in the next.
    if (at + word.length > offsets[code + 1]!) {
      at++;
      continue;
    }
    codes.push(code);
    at = offsets[code + 1]!;
  }
  return Int32Array.from(codes);
}

/**
 * Tells the code in a dictionary, -1 = none, of the text that a code, -1 = none, stands for in others; each is looked up once, when
 * it is first asked for.
 */
export function translator({ size, arena, offsets }: Texts, to: Dictionary): (code: number) => number {
  const known = new Int32Array(size).fill(-1);
  return code => {
    if (code < 0) return -1;
    if (known[code]! < 0) known[code] = to.intern(arena, offsets[code]!, offsets[code + 1]!);
    return known[code]!;
  };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

export class Dictionary implements Texts {
  /** Number of texts. */
  size = 0;
  /** All texts, one behind the other; valid up to `offsets[size]`. */
  arena = new Uint8Array(1 << 12);
  /** `offsets[code]` = where the text of `code` starts; `offsets[size]` = where the last one ends. */
  offsets = new Int32Array(1 << 8);

  #hashes = new Int32Array(1 << 8);
  /** Open addressing with linear probing; 0 = free, else code + 1. Length is a power of two, at most half full. */
  #slots = new Int32Array(1 << 9);

  /**
   * Code of the bytes `[start, end)` of `bytes`, which are added if they are new.
   *
   * @param bytes Well-formed UTF-8 in the range; not checked here, the caller guarantees it.
   * @throws {RangeError} if the distinct texts pass 2 GiB.
   */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const hash = length <= OWN_HASH_MAX_BYTES ? hashBytes(bytes, start, end) : hashLong(bytes, start, end);
    const slot = this.#slotOf(hash, bytes, start, length);
    const entry = this.#slots[slot]!;
    return entry !== 0 ? entry - 1 : this.#add(bytes, start, end, hash, slot);
  }

  /** Where a text is, or where it belongs. */
  #slotOf(hash: number, bytes: Uint8Array, start: number, length: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const { arena, offsets } = this;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      const code = entry - 1;
      if (this.#hashes[code] === hash) {
        const offset = offsets[code]!;
        if (offsets[code + 1]! - offset === length) {
          let i = 0;
          while (i < length && arena[offset + i] === bytes[start + i]) i++;
          if (i === length) return slot;
        }
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Code of the bytes `[start, end)` of `bytes`; -1 if they are not there. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const hash = length <= OWN_HASH_MAX_BYTES ? hashBytes(bytes, start, end) : hashLong(bytes, start, end);
    const slot = this.#slotOf(hash, bytes, start, length);
    return this.#slots[slot]! - 1;
  }

  /** Code of a text; lone surrogates become U+FFFD. */
  internText(text: string): number {
    const bytes = encoder.encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  text(code: number): string {
    return textOf(this, code);
  }

  /** All texts in code order. */
  texts(): string[] {
    return allTexts(this);
  }

  /** Bytes of distinct text held. */
  get textBytes(): number {
    return this.offsets[this.size]!;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const code = this.size;
    const offset = this.offsets[code]!;
    const offsetEnd = offset + (end - start);
    if (offsetEnd > this.arena.length) this.#growArena(offsetEnd);
    if (code + 2 > this.offsets.length) this.#growEntries();
    if (end - start <= 64) {
      // Shorter than the cost of making two views for a native copy.
      const { arena } = this;
      for (let i = start, o = offset; i < end; i++, o++) arena[o] = bytes[i]!;
    } else {
      this.arena.set(bytes.subarray(start, end), offset);
    }
    this.offsets[code + 1] = offsetEnd;
    this.#hashes[code] = hash;
    this.#slots[slot] = code + 1;
    this.size = code + 1;
    if (this.size * 2 > this.#slots.length) this.#growSlots();
    return code;
  }

  #growArena(needed: number): void {
    if (needed > ARENA_MAX_BYTES) {
      throw new RangeError(`Cannot hold ${needed} bytes of distinct text in one column: expected at most 2 GiB`);
    }
    const arena = new Uint8Array(Math.min(ARENA_MAX_BYTES, Math.max(needed, this.arena.length * 2)));
    arena.set(this.arena);
    this.arena = arena;
  }

  #growEntries(): void {
    this.offsets = widened(this.offsets);
    this.#hashes = widened(this.#hashes, this.offsets.length);
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let code = 0; code < this.size; code++) {
      let slot = this.#hashes[code]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = code + 1;
    }
    this.#slots = slots;
  }
}

/** Four bytes a step: the multiplication is what takes the time (measured 3.5 GB/s against 0.9 byte by byte). */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED ^ (end - start);
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    hash = Math.imul(
      hash ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)),
      0x9e3779b1,
    );
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  // The multiplications carry upwards only; bring the high bits down, where the slot is taken from.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function hashLong(bytes: Uint8Array, start: number, end: number): number {
  return Bun.hash.xxHash32(bytes.subarray(start, end), SEED >>> 0) | 0;
}

/** Texts in an arena, in the order given. */
export function toTexts(strings: readonly string[]): Texts {
  // One byte a character: then they are encoded all at once (measured: an eighth of the time).
  const size = strings.length;
  const offsets = new Int32Array(size + 1);
  for (let i = 0; i < size; i++) offsets[i + 1] = offsets[i]! + strings[i]!.length;
  const arena = new TextEncoder().encode(strings.join(""));
  if (arena.length === offsets[size]) return { size, arena, offsets };
  const dictionary = new Dictionary();
  for (const string of strings) dictionary.internText(string);
  return dictionary;
}
