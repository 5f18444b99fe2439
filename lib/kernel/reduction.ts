/**
 * A log reduced in the kernel while it is read: what the kernel is told of kinds and rules, and its rows.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import type { AddressSets } from "../columns/address-sets.ts";
import type { Kernel } from "./kernel.ts";
import { RULE_BYTES } from "./layout.ts";

/** What an event counts as, see the layout. */
export interface KernelRule {
  readonly kind: number;
  readonly flags: number;
  /** Where each key column comes from. */
  readonly keys: readonly number[];
}

/** What is counted of a log, and how. */
export interface KernelScope {
  readonly robotMaxSeconds: number;
  /** Days since 1970-01-01 UTC, both inclusive. */
  readonly sinceDay: number;
  readonly untilDay: number;
  /** Groups, and pairs of a group and one of its addresses, that are held at most: some 100 bytes each. */
  readonly heldMax: number;
  /** By kind. */
  readonly kinds: readonly { readonly keys: number; readonly hasAddresses: boolean }[];
  readonly rules: readonly KernelRule[];
}

/** Reduced rows of a kind; `keys[column][row]`. */
export interface KernelKind {
  readonly rows: number;
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
  readonly count: Float64Array;
  readonly success: Float64Array;
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly keys: readonly Int32Array[];
  readonly addresses: Int32Array | null;
}

export class KernelReduction {
  readonly #kernel: Kernel;
  readonly #kinds: KernelScope["kinds"];

  /** To be made behind `startLog`; it is good until the next. */
  constructor(kernel: Kernel, { robotMaxSeconds, sinceDay, untilDay, heldMax, kinds, rules }: KernelScope) {
    this.#kernel = kernel;
    this.#kinds = kinds;
    const { exports } = kernel;
    exports.startReduction(robotMaxSeconds, sinceDay, untilDay, heldMax);
    kinds.forEach(({ keys, hasAddresses }, kind) => exports.setColumns(kind, keys, Number(hasAddresses)));
    for (const { kind, flags, keys } of rules) {
      const room = exports.scratchFor(RULE_BYTES);
      new Int32Array(exports.memory.buffer, room, RULE_BYTES / 4).set([kind, flags, ...keys]);
      exports.nameRule();
    }
  }

  /** Name the rule of the next event id. */
  addEventid(rule: number): void {
    this.#kernel.exports.addEventid(rule);
  }

  /** Name the code that the next sensor counts under, -1 = it does not; first comes that of events without one. */
  addSensor(code: number): void {
    this.#kernel.exports.addSensor(code);
  }

  /**
   * Count the rows that came since the last call; every event id and sensor that the log has so far must be named.
   *
   * @returns False if the log has too much for the kernel: what was counted of it is of no use.
   */
  reduce(): boolean {
    return this.#kernel.guard(() => this.#kernel.exports.reduceRows()) !== 0;
  }

  /**
   * The rows, in the codes of the log; all arrays lie in one buffer of their own. Nothing may be counted afterwards.
   *
   * @param elementOf What stands for an address, given by its code, in a set; asked for those only that the kernel does not know.
   */
  take(elementOf: (address: number) => number): { readonly kinds: readonly KernelKind[]; readonly sets: AddressSets } {
    const { exports } = this.#kernel;
    const others = this.#kernel.guard(() => exports.findElements());
    for (const code of new Uint32Array(exports.memory.buffer, others, exports.otherAddresses())) exports.setElement(code, elementOf(code));
    const start = this.#kernel.guard(() => exports.writeReduced());
    const buffer = exports.memory.buffer.slice(start, start + exports.reducedBytes()) as ArrayBuffer;
    let at = 0;
    const floats = (length: number) => new Float64Array(buffer, (at += length * 8) - length * 8, length);
    const words = (length: number) => new Int32Array(buffer, (at += length * 4) - length * 4, length);
    const kinds = this.#kinds.map(({ keys, hasAddresses }, kind): KernelKind => {
      at = Math.ceil(at / 8) * 8;
      const rows = exports.rowsOfKind(kind);
      // In the order in which they lie.
      return {
        rows,
        firstSeenUs: floats(rows),
        lastSeenUs: floats(rows),
        count: floats(rows),
        success: floats(rows),
        day: words(rows),
        sensor: words(rows),
        keys: Array.from({ length: keys }, () => words(rows)),
        addresses: hasAddresses ? words(rows) : null,
      };
    });
    at = Math.ceil(at / 8) * 8;
    const size = exports.reducedSets();
    return { kinds, sets: { size, offsets: words(size + 1), hashes: new Uint32Array(buffer, at) } };
  }
}
