/**
 * Writes flatbuffers, the form of Arrow's metadata: each table with its fields in their order, what they lead to behind it. What
 * several tables share is written once: where their fields lie, and what they say is shared. Of a small file that is a third.
 *
 * Tested in `test/lib/columns/arrow-writer.test.ts`, by readers of others.
 */
import { widened } from "./growing-column.ts";

/** A field of a table: a number of so many bytes, or what its offset leads to. */
export type TableField =
  | { readonly bytes: 1 | 2 | 4 | 8; readonly number: number }
  | { readonly text: string }
  | { readonly table: readonly (TableField | undefined)[] }
  | { readonly tables: readonly (readonly (TableField | undefined)[])[] }
  /** Elements of eight bytes each and their multiples, as they are. */
  | { readonly longs: readonly (readonly number[])[] }
  /** The same for all fields that name this very object. */
  | { readonly shared: Led };

export const byte = (number: number): TableField => ({ bytes: 1, number });
export const short = (number: number): TableField => ({ bytes: 2, number });
export const int = (number: number): TableField => ({ bytes: 4, number });
export const long = (number: number): TableField => ({ bytes: 8, number });

/** The bytes of a buffer whose root is a table; a field that is undefined is left out. */
export function toFlatbuffer(root: readonly (TableField | undefined)[]): Uint8Array {
  const writer = new FlatbufferWriter();
  writer.reserve(4);
  writer.point(0, writer.putTable(root));
  writer.putShared();
  return writer.finish();
}

/** Tables whose fields lie at the same places. */
interface Vtable {
  readonly places: readonly number[];
  readonly fields: number;
  readonly size: number;
  readonly tables: number[];
}

/** What an offset leads to. */
type Led = Exclude<TableField, { bytes: number } | { shared: unknown }>;

const encoder = new TextEncoder();

class FlatbufferWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  /**
   * Where the fields of tables lie, by their widths. Written last: Polars finds none that stands before the table that leads to one
   * of these.
   */
  readonly #vtables = new Map<string, Vtable>();
  /** Fields that lead to what is shared: an offset leads forward only, so this comes last, too. */
  readonly #later = new Map<Led, number[]>();

  /** Make room behind what is written. @returns Where it begins. */
  reserve(bytes: number): number {
    const start = this.#end;
    this.#end += bytes;
    if (this.#end > this.#bytes.length) {
      this.#bytes = widened(this.#bytes, 2 * this.#end);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return start;
  }

  /** Room from which on, after so many bytes, numbers of that width lie as they should. */
  #align(width: number, after = 0): void {
    this.reserve((width - ((this.#end + after) % width)) % width);
  }

  /** Set the offset at `from`. */
  point(from: number, to: number): void {
    this.#view.setUint32(from, to - from, true);
  }

  finish(): Uint8Array {
    this.#align(8);
    return this.#bytes.subarray(0, this.#end);
  }

  putTable(fields: readonly (TableField | undefined)[]): number {
    const widths = fields.map(field => (field === undefined ? 0 : "bytes" in field ? field.bytes : 4));
    const places: number[] = [];
    let size = 4;
    widths.forEach((width, i) => {
      if (width === 0) return;
      places[i] = size = Math.ceil(size / width) * width;
      size += width;
    });
    this.#align(Math.max(4, ...widths));
    const table = this.reserve(size);
    const key = widths.join(" ");
    const alike = this.#vtables.get(key);
    if (alike === undefined) this.#vtables.set(key, { places, fields: fields.length, size, tables: [table] });
    else alike.tables.push(table);
    fields.forEach((field, i) => {
      if (field === undefined) return;
      const at = table + places[i]!;
      if ("bytes" in field) this.#putNumber(at, field.bytes, field.number);
      else if ("shared" in field) this.#shareLater(field.shared, at);
      else this.point(at, this.#putValue(field));
    });
    return table;
  }

  #shareLater(value: Led, at: number): void {
    const fields = this.#later.get(value);
    if (fields === undefined) this.#later.set(value, [at]);
    else fields.push(at);
  }

  /** What is shared, once all else is written. */
  putShared(): void {
    for (const [value, fields] of this.#later) {
      const to = this.#putValue(value);
      for (const field of fields) this.point(field, to);
    }
    for (const { places, fields, size, tables } of this.#vtables.values()) {
      this.#align(2);
      const vtable = this.reserve(4 + 2 * fields);
      this.#view.setUint16(vtable, 4 + 2 * fields, true);
      this.#view.setUint16(vtable + 2, size, true);
      // Of a field that is left out nothing is said.
      places.forEach((place, i) => this.#view.setUint16(vtable + 4 + 2 * i, place, true));
      for (const table of tables) this.#view.setInt32(table, table - vtable, true);
    }
  }

  #putNumber(at: number, bytes: number, number: number): void {
    if (bytes === 1) this.#view.setUint8(at, number);
    else if (bytes === 2) this.#view.setInt16(at, number, true);
    else if (bytes === 4) this.#view.setInt32(at, number, true);
    else this.#putLong(at, number);
  }

  /** A whole number from 0 to 2^53. */
  #putLong(at: number, number: number): void {
    this.#view.setUint32(at, number % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(number / 0x1_0000_0000), true);
  }

  #putValue(value: Led): number {
    if ("table" in value) return this.putTable(value.table);
    if ("text" in value) return this.#putText(value.text);
    return "tables" in value ? this.#putTables(value.tables) : this.#putLongs(value.longs);
  }

  #putText(text: string): number {
    const bytes = encoder.encode(text);
    this.#align(4);
    const at = this.reserve(4 + bytes.length + 1);
    this.#view.setUint32(at, bytes.length, true);
    this.#bytes.set(bytes, at + 4);
    return at;
  }

  #putTables(tables: readonly (readonly (TableField | undefined)[])[]): number {
    this.#align(4);
    const at = this.reserve(4 + 4 * tables.length);
    this.#view.setUint32(at, tables.length, true);
    tables.forEach((table, i) => this.point(at + 4 + 4 * i, this.putTable(table)));
    return at;
  }

  #putLongs(elements: readonly (readonly number[])[]): number {
    this.#align(8, 4);
    const at = this.reserve(4);
    this.#view.setUint32(at, elements.length, true);
    for (const element of elements) for (const number of element) this.#putLong(this.reserve(8), number);
    return at;
  }
}
