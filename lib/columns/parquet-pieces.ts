/**
 * Columns to the bytes of a Parquet file, one row group after the other; no more than one of them is ever held.
 *
 * Texts are dictionary-coded where that helps, pages are packed by Zstandard, and each row group carries the least and
 * greatest value of every column, by which a reader passes over what it need not look at.
 */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import { allTexts, type Texts } from "./dictionary.ts";
import { packInt64 } from "./packed-column.ts";

export interface ParquetShape {
  readonly name: string;
  /** timestamp: microseconds since 1970-01-01 UTC. */
  readonly type: "timestamp" | "text" | "int32" | "int64" | "float64";
  readonly nullable: boolean;
}

/** A column of a row group. */
export type ParquetValues =
  /** Of numbers and timestamps: NaN = null. */
  | Float64Array
  /** Of texts: code per row, -1 = null. */
  | { readonly codes: Int32Array; readonly texts: Texts };

/** Signed types only, and both spellings of a type: the oldest readers know no others. */
const ELEMENTS: Record<ParquetShape["type"], Omit<SchemaElement, "name">> = {
  timestamp: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  float64: { type: "DOUBLE" },
};

/** The writer of one file; its bytes come piece by piece and belong one behind the other. */
export class ParquetPieces {
  readonly #shapes: readonly ParquetShape[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;

  /** @param metadata Key and value, kept in the file's footer. */
  constructor(shapes: readonly ParquetShape[], metadata: ReadonlyMap<string, string>) {
    this.#shapes = shapes;
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [
        { name: "root", num_children: shapes.length },
        ...shapes.map(({ name, type, nullable }): SchemaElement => ({
          name,
          ...ELEMENTS[type],
          repetition_type: nullable ? "OPTIONAL" : "REQUIRED",
        })),
      ],
      codec: "ZSTD",
      compressors: { ZSTD: bytes => Bun.zstdCompressSync(bytes as Uint8Array<ArrayBuffer>) },
      kvMetadata: [...metadata].map(([key, value]) => ({ key, value })),
      createdBy: "cowrie-longitudinal",
    });
  }

  /**
   * A row group.
   *
   * @param rows At least one.
   * @param columns As the shapes; undefined = null in all rows.
   */
  add(rows: number, columns: readonly (ParquetValues | undefined)[]): Uint8Array {
    const columnData = this.#shapes.map(({ name, type }, i): ColumnSource => {
      const column = columns[i];
      return {
        name,
        // Made when it is its turn: a row group's values as JavaScript holds them are many times its bytes.
        get data() {
          return toValues(type, column, rows);
        },
        // Times rise by small steps, and are seldom the same.
        ...(type === "timestamp" ? { encoding: "DELTA_BINARY_PACKED" as const } : {}),
      };
    });
    void this.#writer.write({ columnData, rowGroupSize: rows });
    return this.#take();
  }

  /** What ends the file. */
  finish(): Uint8Array {
    void this.#writer.finish();
    return this.#take();
  }

  #take(): Uint8Array {
    const { buffer, index } = this.#bytes;
    this.#bytes.index = 0;
    return new Uint8Array(buffer.slice(0, index));
  }
}

function toValues(type: ParquetShape["type"], column: ParquetValues | undefined, rows: number): ColumnSource["data"] {
  if (column === undefined) return new Array<null>(rows).fill(null);
  if (!(column instanceof Float64Array)) {
    const texts = allTexts(column.texts);
    return Array.from(column.codes, code => (code < 0 ? null : texts[code]!));
  }
  if (type === "timestamp") return packInt64(column).values as BigInt64Array;
  if (type === "int64") return Array.from(column, value => (Number.isNaN(value) ? null : BigInt(value)));
  return Array.from(column, value => (Number.isNaN(value) ? null : value));
}
