/**
 * As much of a table as is of some days, by itself a table: its texts are those of its rows, its logs count on these days alone,
 * and it is combined with other days of the same logs as days of logs are. Months of a dataset that nobody asks for are not
 * opened.
 *
 * It is what the logs reduced for these days give, but for a session that goes on behind the last of them: its last command is
 * that of the whole session, and counts on its own day or not at all.
 *
 * Tested in `test/lib/reduced/limit-days.test.ts`.
 */
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { pickTexts } from "../columns/pick-texts.ts";
import { closing } from "../columns/regular-file.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { DAY_FORMS, type OptionTable } from "../process/command.ts";
import { checkDays } from "../process/option-values.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { toIsoDay } from "../text/format.ts";
import type { SortedInput } from "./combine-sorted.ts";
import { Dataset } from "./dataset.ts";
import { daysOfMonth } from "./dataset-manifest.ts";
import { cutDays, type DayBounds, daysOf, toDays } from "./day-ranges.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KINDS } from "./kinds.ts";
import { batchesOf } from "./merge-sorted.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, sliceRows } from "./reduced-table.ts";
import type { SortedBatch, SortedTable } from "./sorted-table.ts";

/** Options of what shows or combines tables. */
export const DAYS_OPTIONS = {
  since: { type: "day", help: `First day (UTC) of the tables that is looked at: ${DAY_FORMS}.` },
  until: { type: "day", help: `Last day (UTC) of the tables that is looked at: ${DAY_FORMS}.` },
} as const satisfies OptionTable;

/** @returns undefined where all days are asked for. */
export function toDayBounds({ since, until }: { readonly since?: number | undefined; readonly until?: number | undefined }): DayBounds | undefined {
  checkDays(since, until);
  return since === undefined && until === undefined ? undefined : [since ?? -Infinity, until ?? Infinity];
}

/** Said behind what holds nothing of these days; nothing of all. */
export function tellDays(days: DayBounds | undefined): string {
  const [from, to] = (days ?? []).map(day => (Number.isFinite(day) ? toIsoDay(day) : undefined));
  if (from === to) return from === undefined ? "" : ` on ${from}`;
  return `${from === undefined ? "" : ` since ${from}`}${to === undefined ? "" : ` until ${to}`}`;
}

/** What is left of the texts of each column: their codes, rising, and the place of each code among them, -1 = not left. */
type Left = Readonly<Record<CodedColumn, { readonly codes: Int32Array; readonly places: Int32Array }>>;

/**
 * Some days of a table that is to be combined.
 *
 * @returns undefined if it counts none of them.
 */
export async function limitDays(
  { name, info: all, open }: Omit<SortedInput, "read">,
  days: DayBounds,
): Promise<{ readonly name: string; readonly info: ReducedInfo; readonly rows: number; open(): SortedTable } | undefined> {
  const info = limitInfo(all, days);
  if (info === undefined) return undefined;
  const openMonths = () => {
    const table = open();
    // Verdicts hold whenever they were given.
    return table instanceof Dataset ? table.only(({ kind, month }) => kind === "scan" || cutDays([daysOfMonth(month)], days).length > 0) : table;
  };
  const months = openMonths();
  using _months = closing(months);
  const { left, rows } = await findLeft(months, days);
  return { name, info, rows, open: () => ofDays(openMonths(), info, days, left) };
}

function limitInfo(info: ReducedInfo, days: DayBounds): ReducedInfo | undefined {
  const { sinceDay: since = -Infinity, untilDay: until = Infinity, ...others } = info.parameters;
  const [bounds] = cutDays([[since, until]], days);
  if (bounds === undefined) return undefined;
  const [first, last] = bounds;
  const parameters: ReductionParameters = { ...others, ...(Number.isFinite(first) && { sinceDay: first }), ...(Number.isFinite(last) && { untilDay: last }) };
  const sources = info.sources.flatMap(source => {
    if (source.cut) return [source];
    const { days: _, ...rest } = source;
    const left = cutDays(daysOf(source, info.parameters), days);
    return left.length === 0 ? [] : [{ ...rest, ...toDays(left, parameters) }];
  });
  return sources.length === 0 ? undefined : { ...info, parameters, sources };
}

/** Rows of these days, in the codes that they have in the whole table. */
function* selectDays(table: SortedTable, kind: Kind, [first, last]: DayBounds, memory?: ColumnMemory): Generator<SortedBatch> {
  for (const { table: all, sets } of batchesOf(table, kind, memory)) {
    const { rows, day } = all;
    if (kind === "scan") {
      // As everywhere: of a day that is left out it must not bring a sensor in.
      yield { table: { ...all, sensor: all.sensor.map((code, row) => (first <= day[row]! && day[row]! <= last ? code : -1)) }, sets };
      continue;
    }
    // They stand in the order of their days.
    let start = 0;
    while (start < rows && day[start]! < first) start++;
    let end = start;
    while (end < rows && day[end]! <= last) end++;
    // Whoever merges looks at the first row of a batch.
    if (end > start) yield { table: end - start === rows ? all : sliceRows(all, start, end), sets };
  }
}

function codesOf(name: CodedColumn, { sensor, keys }: KindTable): Int32Array | undefined {
  return name === "sensor" ? sensor : keys[name];
}

/** One walk over the rows. */
async function findLeft(table: SortedTable, days: DayBounds): Promise<{ readonly left: Left; readonly rows: number }> {
  const marks = CODED_COLUMNS.map(name => [name, new Uint8Array(table.textsOf(name).size)] as const);
  const memory = new ColumnMemory();
  let found = 0;
  for (const kind of KIND_NAMES) {
    for (const { table: rows } of selectDays(table, kind, days, memory)) {
      found += rows.rows;
      for (const [name, isLeft] of marks) {
        const codes = codesOf(name, rows);
        if (codes !== undefined) for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) isLeft[codes[row]!] = 1;
      }
      await pauseNowAndThen();
    }
  }
  return { left: Object.fromEntries(marks.map(([name, isLeft]) => [name, numberLeft(isLeft)])) as Left, rows: found };
}

function numberLeft(isLeft: Uint8Array): Left[CodedColumn] {
  const places = new Int32Array(isLeft.length).fill(-1);
  const codes = new Int32Array(isLeft.length);
  let size = 0;
  for (let code = 0; code < isLeft.length; code++) {
    if (isLeft[code] === 0) continue;
    codes[size] = code;
    places[code] = size++;
  }
  return { codes: codes.slice(0, size), places };
}

function ofDays(table: SortedTable, info: ReducedInfo, days: DayBounds, left: Left): SortedTable {
  const recode = (name: CodedColumn, codes: Int32Array) => {
    const { places } = left[name];
    return codes.map(code => (code < 0 ? -1 : places[code]!));
  };
  return {
    name: table.name,
    info,
    textsOf: name => pickTexts(table.textsOf(name), left[name].codes),
    isEmpty: () => KIND_NAMES.every(kind => kind === "scan" || selectDays(table, kind, days).next().done === true),
    *batches(kind, memory) {
      for (const { table: rows, sets } of selectDays(table, kind, days, memory)) {
        const keys = Object.fromEntries(
          KINDS[kind].map((name: KeyColumn) => [name, isTextKey(name) ? recode(name as CodedColumn, rows.keys[name]!) : rows.keys[name]!]),
        );
        yield { table: { ...rows, sensor: recode("sensor", rows.sensor), keys }, sets };
      }
    },
    close: () => table.close(),
  };
}
