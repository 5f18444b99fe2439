/**
 * What stands for an address in a set, by its code; made when it is first asked for, as of many addresses few are.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import { addressHash } from "../columns/address-sets.ts";
import { type Texts, textOf } from "../columns/dictionary.ts";

/** Of some texts, for all who ask for the same. */
const known = new WeakMap<Texts, AddressHashes>();

export class AddressHashes {
  readonly #texts: Texts;
  readonly #hashes: Uint32Array;
  readonly #isMade: Uint8Array;

  private constructor(texts: Texts) {
    this.#texts = texts;
    this.#hashes = new Uint32Array(texts.size);
    this.#isMade = new Uint8Array(texts.size);
  }

  static of(texts: Texts): AddressHashes {
    const hashes = known.get(texts) ?? new AddressHashes(texts);
    known.set(texts, hashes);
    return hashes;
  }

  /** Of the address that a code, >= 0, stands for. */
  hashOf(code: number): number {
    if (this.#isMade[code] === 0) {
      this.#hashes[code] = addressHash(textOf(this.#texts, code));
      this.#isMade[code] = 1;
    }
    return this.#hashes[code]!;
  }
}
