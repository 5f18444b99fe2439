/**
 * Files in which the tasks of one piece of work leave what they found: packed JSON, in which a column of numbers is its bytes.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { closeSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRegular } from "../columns/regular-file.ts";
import type { Shard } from "../reduced/reduced-table.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** What a file holds: what its slice measured, what pages show of it, what came of the comparisons. */
export type PartRound = "measured" | "shown" | "compared";

interface PartHead {
  readonly format: "cowrie part 1";
  readonly round: PartRound;
  readonly part: Shard;
  /** What tells one piece of work from another: tables, options, program. */
  readonly work: string;
}

const COLUMNS = { Int32Array, Uint32Array, Float32Array, Float64Array, Uint8Array } as const;

export function partPath(folder: string, round: PartRound, { number, of }: Shard): string {
  return join(folder, `${round}-${number}-of-${of}.part`);
}

export function encodePart(round: PartRound, part: Shard, work: string, found: unknown): Uint8Array {
  const head: PartHead = { format: "cowrie part 1", round, part, work };
  const text = JSON.stringify({ head, found }, (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    return { column: value.constructor.name, bytes: bytes.toBase64() };
  });
  return Bun.zstdCompressSync(text);
}

/** @throws {Error} if the file is not there, is something else, or of other work. */
export function decodePart<Found>(folder: string, round: PartRound, part: Shard, work?: string): { readonly work: string; readonly found: Found } {
  const path = partPath(folder, round, part);
  const { head, found } = parse(path);
  if (head?.format !== "cowrie part 1" || head.round !== round || head.part.number !== part.number || head.part.of !== part.of) {
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
    const text = new TextDecoder().decode(Bun.zstdDecompressSync(readFileSync(file)));
    return JSON.parse(text, (_, value: unknown) => toColumn(value)) as { head?: PartHead; found?: unknown };
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

/** Texts of logs are strings here, and never objects. */
function toColumn(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("column" in value) || !("bytes" in value)) return value;
  const { column, bytes } = value as { readonly column: keyof typeof COLUMNS; readonly bytes: string };
  const { buffer } = Uint8Array.fromBase64(bytes);
  return new COLUMNS[column](buffer);
}

/** Parts of which a file is missing. */
export function missingParts(folder: string, round: PartRound, of: number): number[] {
  return Array.from({ length: of }, (_, i) => i + 1).filter(number => !existsSync(partPath(folder, round, { number, of })));
}
