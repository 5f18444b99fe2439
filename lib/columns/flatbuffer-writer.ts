/**
 * Writes flatbuffers, the form of Arrow's metadata: each table with its fields in their order, what they lead to behind it.
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
  | { readonly longs: readonly (readonly number[])[] };

export const byte = (number: number): TableField => ({ bytes: 1, number });
export const short = (number: number): TableField => ({ bytes: 2, number });
export const int = (number: number): TableField => ({ bytes: 4, number });
export const long = (number: number): TableField => ({ bytes: 8, number });

/** The bytes of a buffer whose root is a table; a field that is undefined is left out. */
export function toFlatbuffer(root: readonly (TableField | undefined)[]): Uint8Array {
  const writer = new FlatbufferWriter();
  writer.reserve(4);
  writer.point(0, writer.putTable(root));
  return writer.finish();
}

const encoder = new TextEncoder();

class FlatbufferWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

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
    const vtableBytes = 4 + 2 * fields.length;
    this.#align(8, vtableBytes);
    const vtable = this.reserve(vtableBytes);
    const table = this.reserve(size);
    this.#view.setUint16(vtable, vtableBytes, true);
    this.#view.setUint16(vtable + 2, size, true);
    this.#view.setInt32(table, table - vtable, true);
    fields.forEach((field, i) => {
      if (field === undefined) return;
      this.#view.setUint16(vtable + 4 + 2 * i, places[i]!, true);
      const at = table + places[i]!;
      if ("bytes" in field) this.#putNumber(at, field.bytes, field.number);
      else this.point(at, this.#putValue(field));
    });
    return table;
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

  #putValue(value: Exclude<TableField, { bytes: number }>): number {
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
