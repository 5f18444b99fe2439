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
import type { Texts } from "../columns/dictionary.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { pickTexts } from "../columns/pick-texts.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { DAY_FORMS, type OptionTable } from "../process/command.ts";
import { checkDays } from "../process/option-values.ts";
import { toIsoDay } from "../text/format.ts";
import type { SortedInput } from "./combine-sorted.ts";
import { Dataset } from "./dataset.ts";
import { daysOfMonth } from "./dataset-manifest.ts";
import { cutDays, type DayBounds, daysOf, toDays } from "./day-ranges.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KINDS } from "./kinds.ts";
import { batchesOf, textsOf } from "./merge-sorted.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, takeRows } from "./reduced-table.ts";
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

/** Codes of the texts that are left of each column, rising. */
type Used = Record<CodedColumn, Int32Array>;

/**
 * Some days of a table that is to be combined.
 *
 * @returns undefined if it counts none of them.
 */
export function limitDays(
  { name, info: all, rows, open }: Omit<SortedInput, "read"> & { readonly rows: number },
  days: DayBounds,
): { readonly name: string; readonly info: ReducedInfo; readonly rows: number; open(): SortedTable } | undefined {
  const info = limitInfo(all, days);
  if (info === undefined) return undefined;
  const openMonths = () => {
    const table = open();
    // Verdicts hold whenever they were given.
    return table instanceof Dataset ? table.only(({ kind, month }) => kind === "scan" || cutDays([daysOfMonth(month)], days).length > 0) : table;
  };
  let used: Used | undefined;
  const months = openMonths();
  const most = months instanceof Dataset ? months.allRows : rows;
  months.close();
  return { name, info, rows: most, open: () => ofDays(openMonths(), info, days, table => (used ??= findUsed(table, days))) };
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
    const left: number[] = [];
    for (let row = 0; row < rows; row++) if (first <= day[row]! && day[row]! <= last) left.push(row);
    // Whoever merges looks at the first row of a batch.
    if (left.length > 0) yield { table: left.length === rows ? all : takeRows(all, Int32Array.from(left)), sets };
  }
}

function codesOf(name: CodedColumn, { sensor, keys }: KindTable): Int32Array | undefined {
  return name === "sensor" ? sensor : keys[name];
}

function findUsed(table: SortedTable, days: DayBounds): Used {
  const texts = textsOf(table);
  const isUsed = new Map(CODED_COLUMNS.map(name => [name, new Uint8Array(texts[name].size)]));
  const memory = new ColumnMemory();
  for (const kind of KIND_NAMES) {
    for (const { table: rows } of selectDays(table, kind, days, memory)) {
      for (const [name, marks] of isUsed) for (const code of codesOf(name, rows) ?? []) if (code >= 0) marks[code] = 1;
    }
  }
  const used = [...isUsed].map(([name, marks]) => [name, Int32Array.from(marks.keys()).filter(code => marks[code] === 1)]);
  return Object.fromEntries(used) as Used;
}

function ofDays(table: SortedTable, info: ReducedInfo, days: DayBounds, usedOf: (table: SortedTable) => Used): SortedTable {
  let numbers: ReadonlyMap<CodedColumn, Int32Array> | undefined;
  const numberOf = (texts: Record<CodedColumn, Texts>) =>
    new Map(CODED_COLUMNS.map(name => [name, numberCodes(usedOf(table)[name], texts[name].size)]));
  return {
    name: table.name,
    info,
    textsOf: name => pickTexts(table.textsOf(name), usedOf(table)[name]),
    isEmpty: () => KIND_NAMES.every(kind => kind === "scan" || selectDays(table, kind, days).next().done === true),
    *batches(kind, memory) {
      const own = (numbers ??= numberOf(textsOf(table)));
      const recode = (name: CodedColumn, codes: Int32Array) => codes.map(code => (code < 0 ? -1 : own.get(name)![code]!));
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

/** The place of each code among those used. */
function numberCodes(used: Int32Array, size: number): Int32Array {
  const numbers = new Int32Array(size).fill(-1);
  for (let i = 0; i < used.length; i++) numbers[used[i]!] = i;
  return numbers;
}
