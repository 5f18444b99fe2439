/**
 * Files in which the tasks of one piece of work leave what they found: JSON, and behind it the bytes of its columns of numbers.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { closeSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRegular } from "../columns/regular-file.ts";
import type { Shard } from "../reduced/reduced-table.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/**
 * What a file holds: what its slice measured, what pages may show of it, and of the first the sums of the whole table; what came of
 * the comparisons, with all that pages show.
 */
export type PartRound = "measured" | "shown" | "summed" | "compared";

interface PartHead {
  readonly format: "cowrie part 2";
  readonly round: PartRound;
  readonly part: Shard;
  /** What tells one piece of work from another: tables, options, program. */
  readonly work: string;
}

const COLUMNS = { Int32Array, Uint32Array, Float32Array, Float64Array, Uint8Array } as const;

export function partPath(folder: string, round: PartRound, { number, of }: Shard): string {
  return join(folder, `${round}-${number}-of-${of}.part`);
}

/** Columns stand at multiples of so many bytes. */
const ALIGNED = 8;

export function encodePart(round: PartRound, part: Shard, work: string, found: unknown): Uint8Array {
  const head: PartHead = { format: "cowrie part 2", round, part, work };
  const columns: Uint8Array[] = [];
  let bytes = 0;
  const text = JSON.stringify({ head, found }, (_, value: unknown) => {
    // JSON has no such numbers.
    if (typeof value === "number" && !Number.isFinite(value)) return { number: String(value) };
    if (!ArrayBuffer.isView(value)) return value;
    const place = { column: value.constructor.name, at: bytes, bytes: value.byteLength };
    columns.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    bytes += padded(value.byteLength);
    return place;
  });
  const json = new TextEncoder().encode(text);
  const whole = new Uint8Array(ALIGNED + padded(json.length) + bytes);
  new DataView(whole.buffer).setFloat64(0, json.length, true);
  whole.set(json, ALIGNED);
  let at = ALIGNED + padded(json.length);
  for (const column of columns) {
    whole.set(column, at);
    at += padded(column.length);
  }
  return Bun.zstdCompressSync(whole);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNED) * ALIGNED;
}

/** @throws {Error} if the file is not there, is something else, or of other work. */
export function decodePart<Found>(folder: string, round: PartRound, part: Shard, work?: string): { readonly work: string; readonly found: Found } {
  const path = partPath(folder, round, part);
  const { head, found } = parse(path);
  if (head?.format !== "cowrie part 2" || head.round !== round || head.part?.number !== part.number || head.part.of !== part.of) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: not what statistics.ts leaves of a part`);
  }
  if (work !== undefined && head.work !== work) {
    throw new Error(`Cannot use ${quoteForMessage(path)}: it is of other tables, other options or another version than the rest; remove it and make it again`);
  }
  return { work: head.work, found: found as Found };
}

function parse(path: string): { readonly head?: PartHead; readonly found?: unknown } {
  try {
    const file = openRegular(path);
    using _closed = { [Symbol.dispose]: () => closeSync(file) };
    const whole = Bun.zstdDecompressSync(readFileSync(file));
    const length = new DataView(whole.buffer, whole.byteOffset).getFloat64(0, true);
    const text = new TextDecoder().decode(whole.subarray(ALIGNED, ALIGNED + length));
    // A copy: the text is let go.
    const columns = whole.slice(ALIGNED + padded(length));
    return withColumns(JSON.parse(text), columns) as { head?: PartHead; found?: unknown };
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

/** Put columns and numbers in their places, where they lie. Not by JSON.parse itself, which takes three times as long. */
function withColumns(value: unknown, columns: Uint8Array): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (typeof value[i] === "object") value[i] = withColumns(value[i], columns);
    return value;
  }
  // Texts of logs are strings here, and never objects.
  if ("number" in value && typeof value.number === "string") return Number(value.number);
  if ("column" in value && "at" in value) return toColumn(value, columns);
  const fields = value as Record<string, unknown>;
  for (const name in fields) {
    const made = withColumns(fields[name], columns);
    if (made !== fields[name]) fields[name] = made;
  }
  return value;
}

function toColumn(value: object, columns: Uint8Array): unknown {
  const { column, at, bytes } = value as { readonly column: keyof typeof COLUMNS; readonly at: number; readonly bytes: number };
  if (at + bytes > columns.length) throw new RangeError("it ends too early");
  // A view: some parts have tens of thousands of columns, and memory of its own for each takes several times as much.
  const make = COLUMNS[column];
  return new make(columns.buffer as ArrayBuffer, columns.byteOffset + at, bytes / make.BYTES_PER_ELEMENT);
}

/** Parts of which a file is missing. */
export function missingParts(folder: string, round: PartRound, of: number): number[] {
  return Array.from({ length: of }, (_, i) => i + 1).filter(number => !existsSync(partPath(folder, round, { number, of })));
}
