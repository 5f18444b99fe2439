/**
 * From the rows of a log to its event table: texts get their one spelling, batches are opened as they are asked for.
 */
import { Dictionary, type Texts, allTexts } from "../columns/dictionary.ts";
import { recodeInPlace } from "../columns/pick-texts.ts";
import { type PackedColumn, unpackCodes, unpackNumbers } from "../columns/packed-column.ts";
import type { StoredBatch } from "./batch-store.ts";
import type { FinishedRows } from "./event-rows.ts";
import type { BuiltEventTable, EventBatch } from "./event-table.ts";
import { NORMALIZE, NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "./schema.ts";

/** Where the columns of a stored batch stand. */
const NUMBERS_AT = TEXT_COLUMNS.length;
const TIMESTAMP_AT = NUMBERS_AT + NUMBER_COLUMN_NAMES.length;

/** @returns A table whose `close` frees the temporary file, if there is one. */
export function buildEventTable({ rows, texts, batches }: FinishedRows): BuiltEventTable {
  const dictionaries = new Map<TextColumn, Texts>();
  const recodes = new Map<TextColumn, Int32Array>();
  TEXT_COLUMNS.forEach((name, column) => {
    const raw = texts[column]!;
    const normalize = name === "extra" ? canonicalMembers : NORMALIZE[name];
    const { normal, recode } = normalize ? normalizeTexts(raw, normalize) : { normal: raw, recode: undefined };
    dictionaries.set(name, normal);
    if (recode !== undefined) recodes.set(name, recode);
  });
  const numbersUsed = new Set<number>();
  for (const { columns } of batches.read()) {
    NUMBER_COLUMN_NAMES.forEach((_, column) => columns[NUMBERS_AT + column] && numbersUsed.add(column));
  }
  return {
    rows,
    dictionaries,
    recodes,
    numbersUsed: NUMBER_COLUMN_NAMES.filter((_, column) => numbersUsed.has(column)),
    *batches() {
      for (const batch of batches.read()) yield openBatch(batch, recodes);
    },
    close: () => batches.close(),
  };
}

/** A batch as its readers see it; columns are unpacked when they are first asked for. */
function openBatch({ rows, columns, lineHash }: StoredBatch, recodes: ReadonlyMap<TextColumn, Int32Array>): EventBatch {
  const unpacked = new Map<number, Int32Array | Float64Array>();
  const once = <Values extends Int32Array | Float64Array>(at: number, unpack: (column: PackedColumn) => Values) => {
    const column = columns[at];
    if (column === undefined) return undefined;
    let values = unpacked.get(at) as Values | undefined;
    if (values === undefined) unpacked.set(at, (values = unpack(column)));
    return values;
  };
  const codesOf = (at: number) =>
    once(at, column => {
      const codes = unpackCodes(column);
      recodeInPlace(codes, recodes.get(TEXT_COLUMNS[at]!));
      return codes;
    });
  return {
    rows,
    get timestampUs() {
      return once(TIMESTAMP_AT, unpackNumbers)!;
    },
    codes: { get: name => codesOf(TEXT_COLUMNS.indexOf(name)) },
    numbers: { get: name => once(NUMBERS_AT + NUMBER_COLUMN_NAMES.indexOf(name), unpackNumbers) },
    packed: {
      timestamp: columns[TIMESTAMP_AT]!,
      get: name => {
        const at = TEXT_COLUMNS.indexOf(name as TextColumn);
        if (at < 0) return columns[NUMBERS_AT + NUMBER_COLUMN_NAMES.findIndex(number => number === name)];
        return recodes.has(TEXT_COLUMNS[at]!) ? codesOf(at) : columns[at];
      },
    },
    ...(lineHash === undefined ? {} : { lineHash }),
  };
}

/**
 * Apply `normalize` to each distinct text; texts that become equal share a code.
 *
 * @returns The new texts and `recode[old code]`, which is undefined if no text changed.
 */
function normalizeTexts(
  raw: Texts,
  normalize: (text: string) => string,
): { normal: Texts; recode: Int32Array | undefined } {
  const texts = allTexts(raw);
  const normal = texts.map(normalize);
  if (normal.every((text, code) => text === texts[code])) return { normal: raw, recode: undefined };
  const dictionary = new Dictionary();
  const recode = Int32Array.from(normal, text => dictionary.internText(text));
  return { normal: dictionary, recode };
}

/** JSON of an object with the members given as JSON text, in one spelling however they were written. */
function canonicalMembers(members: string): string {
  return JSON.stringify(JSON.parse(`{${members}}`));
}
