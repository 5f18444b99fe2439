/**
 * Flatbuffers, the form of Arrow's metadata, read no further than their bytes go.
 *
 * Format: https://flatbuffers.dev/internals/. Tested in `test/lib/columns/arrow-guard.test.ts`.
 */

/** What is no sound Arrow table of ours; the message says what of it. */
export class ArrowError extends Error {
  override name = "ArrowError";
}

/** Tables within one message at most: several may lie in the same bytes, and be read again and again. */
const TABLES_MAX = 1 << 20;

/** A field of a flatbuffer table: bytes of a scalar, or what its offset leads to. */
export type FieldShape =
  | number
  | "string"
  /** A list that must hold nothing. */
  | "empty"
  /** Elements of so many bytes each. */
  | { readonly vector: number }
  | { readonly table: readonly FieldShape[] }
  | { readonly tables: readonly FieldShape[] }
  /** By the type that the field before names; a type that is not listed is refused. */
  | { readonly union: ReadonlyMap<number, readonly FieldShape[]> };

const TEXT = new TextDecoder();

/** One buffer; every step is held against its end. */
export class Flatbuffer {
  readonly #view: DataView;
  #tables = 0;

  constructor({ buffer, byteOffset, length }: Uint8Array) {
    this.#view = new DataView(buffer, byteOffset, length);
  }

  /** Check the whole message. @returns Where its root table lies. */
  check(root: readonly FieldShape[]): number {
    const table = this.#target(0);
    this.#checkTable(table, root);
    return table;
  }

  #u32(at: number): number {
    if (at < 0 || at + 4 > this.#view.byteLength) throw damaged();
    return this.#view.getUint32(at, true);
  }

  /** What the offset at `at` leads to. */
  #target(at: number): number {
    const target = at + this.#u32(at);
    if (target + 4 > this.#view.byteLength) throw damaged();
    return target;
  }

  /** Where a field of a table lies; undefined if the table does without. */
  fieldAt(table: number, index: number): number | undefined {
    const vtable = table - this.#view.getInt32(table, true);
    if (vtable < 0 || vtable + 4 > this.#view.byteLength) throw damaged();
    const vtableBytes = this.#view.getUint16(vtable, true);
    const slot = 4 + 2 * index;
    if (slot + 2 > vtableBytes) return undefined;
    if (vtable + vtableBytes > this.#view.byteLength) throw damaged();
    const offset = this.#view.getUint16(vtable + slot, true);
    return offset === 0 ? undefined : table + offset;
  }

  /** The table, vector or text that a field leads to. */
  child(table: number, index: number): number | undefined {
    const at = this.fieldAt(table, index);
    return at === undefined ? undefined : this.#target(at);
  }

  byte(table: number, index: number): number {
    const at = this.fieldAt(table, index);
    if (at === undefined) return 0;
    if (at + 1 > this.#view.byteLength) throw damaged();
    return this.#view.getUint8(at);
  }

  /** The tables of a list; none where there is no list. */
  tables(table: number, index: number): number[] {
    const list = this.child(table, index);
    const length = list === undefined ? 0 : this.lengthOf(list);
    return Array.from({ length }, (_, i) => this.#target(list! + 4 + 4 * i));
  }

  /** A text; "" where there is none. */
  text(table: number, index: number): string {
    const at = this.child(table, index);
    if (at === undefined) return "";
    const { buffer, byteOffset } = this.#view;
    return TEXT.decode(new Uint8Array(buffer, byteOffset + at + 4, this.lengthOf(at)));
  }

  /** A whole number of 64 bits; a field that is not there is 0. */
  long(table: number, index: number): number {
    const at = this.fieldAt(table, index);
    return at === undefined ? 0 : this.longAt(at);
  }

  /** @throws {ArrowError} if it is negative, or beyond 2^53. */
  longAt(at: number): number {
    const value = this.#u32(at + 4) * 0x1_0000_0000 + this.#u32(at);
    if (!Number.isSafeInteger(value)) throw damaged();
    return value;
  }

  /** A list of pairs of such numbers, one behind the other; none where there is no list. */
  longPairs(table: number, index: number): Float64Array {
    const list = this.child(table, index);
    const longs = new Float64Array(list === undefined ? 0 : 2 * this.lengthOf(list));
    for (let i = 0; i < longs.length; i++) longs[i] = this.longAt(list! + 4 + 8 * i);
    return longs;
  }

  lengthOf(vector: number): number {
    return this.#u32(vector);
  }

  #checkTable(table: number, shapes: readonly FieldShape[]): void {
    if (++this.#tables > TABLES_MAX) throw damaged();
    shapes.forEach((shape, i) => {
      const at = this.fieldAt(table, i);
      if (at === undefined) return;
      if (typeof shape === "number") {
        if (at + shape > this.#view.byteLength) throw damaged();
        return;
      }
      const target = this.#target(at);
      if (shape === "string") this.#checkVector(target, 1);
      else if (shape === "empty") {
        if (this.lengthOf(target) > 0) throw new ArrowError("Arrow data with columns in columns, which ours have not");
      }
      else if ("vector" in shape) this.#checkVector(target, shape.vector);
      else if ("table" in shape) this.#checkTable(target, shape.table);
      else if ("union" in shape) {
        const type = this.byte(table, i - 1);
        const known = shape.union.get(type);
        if (known === undefined) throw new ArrowError(`Arrow data of a kind that no table of ours holds (${type})`);
        this.#checkTable(target, known);
      } else {
        this.#checkVector(target, 4);
        for (let k = 0; k < this.lengthOf(target); k++) this.#checkTable(this.#target(target + 4 + 4 * k), shape.tables);
      }
    });
  }

  #checkVector(at: number, elementBytes: number): void {
    if (at + 4 + this.lengthOf(at) * elementBytes > this.#view.byteLength) throw damaged();
  }
}

export function damaged(): ArrowError {
  return new ArrowError("its Arrow data are damaged: a length or an offset leads beyond its end");
}
