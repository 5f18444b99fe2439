/**
 * From a reduced table to what the report's page carries: totals of everything, and day-by-sensor counts of the
 * leading keys of each section. What is left out is counted, so that the page can say what it does not know.
 */
import { calculateDistinct, type DistinctPart } from "./build-distinct.ts";
import { addCells, type Cells, type Grid } from "./cells.ts";
import type { DistinctData, DistinctValue } from "./distinct-values.ts";
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { sortedRows } from "../columns/group.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { cutLong } from "../text/cut.ts";
import type { SourceInfo } from "../events/source.ts";
import { type Activity, ACTIVITY_EVENTS } from "../events/activity-events.ts";
import { type KeyValue, KIND_NAMES } from "../reduced/kinds.ts";
import { isTextColumn, keyOf, namesOf, rowsOf, type ShownColumn, type ShownKind, type ShownRows } from "../reduced/origin-kinds.ts";
import type { Calculation } from "../process/pause.ts";
import { busiestDays, countOutside } from "../reduced/busiest-days.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { MinutesData } from "./report-minutes.ts";
import type { SessionReach, TableReach } from "./report-reach.ts";
import { type Section, SECTIONS } from "./report-sections.ts";
import { toValueRows } from "../statistics/value-rows.ts";
import { widened } from "../columns/growing-column.ts";

/** Longest run of days drawn, ten years; days farther off come from broken clocks. */
const MAX_DAYS = 3653;
/** Keys of a section that a page carries at most, and those it carries whatever they cost. */
export const CARRY_MOST = 300;
export const SHOW_MOST = 100;
/** Bounds of the cells a page may carry: about 1.3 bytes each once packed. */
const CELLS_BASE = 40_000;
const CELLS_PER_SENSOR_DAY = 20;
const CELLS_MOST = 800_000;
/** Sensor-days up to which a page can afford to say, for each of them, how large what it leaves out can be. */
const BOUNDED_SENSOR_DAYS = 8_000;

export interface SectionData {
  readonly id: string;
  /** How many keys there are, carried or not. */
  readonly distinct: number;
  /** The largest count among keys that are not carried; 0 when all are. */
  readonly leftOutLargest: number;
  /** Per cell, a count that no key which is not carried exceeds; left out where it would cost too much. */
  readonly leftOutMost?: Cells;
  /** Carried keys by count falling; `keys[i][column]`, a null where there is no value. */
  readonly keys: readonly (readonly KeyValue[])[];
  /** VirusTotal's verdict per key as [positives, total], where one is known. */
  readonly verdicts?: readonly (readonly [number, number] | null)[];
  /** Where the source address of each key comes from, "" = nobody knows; only where databases were named. */
  readonly origins?: readonly string[];
  readonly firstSeenUs: readonly number[];
  readonly lastSeenUs: readonly number[];
  /** Counts of all keys together, then of each carried one. */
  readonly all: Cells;
  readonly cells: readonly Cells[];
  /** The same for successful logins, in sections that have them. */
  readonly allSuccess?: Cells;
  readonly success?: readonly Cells[];
}

export interface ReportData {
  readonly grid: Grid;
  /** Names by sensor code. */
  readonly sensors: readonly string[];
  /** All events; of a sensor-day known from cut counts alone, the sum of those. A cell means: something was logged. */
  readonly events: Cells;
  /** Hours of each sensor-day that were watched, as the statistics have it; left out where there are none. */
  readonly watchedHours?: Cells;
  /** Events on days that are not drawn, see `MAX_DAYS`. */
  readonly eventsOutside: number;
  readonly distinct: Readonly<Record<DistinctValue, DistinctData>>;
  readonly sections: readonly SectionData[];
  readonly unknown?: UnknownData;
  /** Which databases said where addresses come from, in words; left out where none was named. */
  readonly originsBy?: string;
  /** Events by hour, where they are few enough to be carried. */
  readonly hours?: HoursData;
  /** The same by minutes, of a few days where event tables were at hand. */
  readonly minutes?: MinutesData;
  /** How far they came, as the table knows, and, where event tables were at hand, by sessions. */
  readonly reach?: TableReach;
  readonly sessionReach?: SessionReach;
}

/** Counts of activities by hour: a cell is `(day * 24 + hour) * sensors + sensor`. */
export type HoursData = Readonly<Record<Activity, Cells>>;

/** Cells of hours that a page carries at most: some 20 kB. */
const HOUR_CELLS_MOST = 15_000;

/** What a table cannot say because its sources did not; left out where there is no such thing. */
export interface UnknownData {
  /** Some sources, or all, held counts that were cut to the most frequent: there may have been more of everything. */
  readonly cut: "some" | "all";
  /** Of some logins, or of all, it is not said whether they were accepted. */
  readonly success?: "some" | "all";
}

export interface ReportDataOptions {
  /** Keys shown per section; they are carried whatever they cost. */
  readonly show: number;
  /** See {@link Grid.others}. */
  readonly others?: number;
}

/** Where a report is read from: a table in memory, or one that lies elsewhere. */
export interface ReportSource {
  /** Its texts and names are those of all rows; its counts add up to those of all rows by kind, day and sensor. */
  readonly table: ReducedTable;
  /** VirusTotal's verdicts. */
  readonly scans: KindTable;
  /** All rows of a kind, part by part in their order, as often as they are asked for; undefined where it has none. */
  partsOf(kind: ShownKind): Iterable<ShownRows> | undefined;
  /** Source addresses, as `toValueRows` tells them. */
  addresses(): { readonly parts: Iterable<DistinctPart> };
}

export function toReportSource(table: ReducedTable): ReportSource {
  return {
    table,
    scans: table.kinds.scan,
    partsOf(kind) {
      const rows = rowsOf(table, kind);
      return rows && [rows];
    },
    addresses: () => toValueRows(table, "address").rows,
  };
}

/** @param source Where its rows lie, if not in the table. */
export function* calculateReportData(table: ReducedTable, options: ReportDataOptions, source = toReportSource(table)): Calculation<ReportData> {
  const { grid, eventsOutside } = chooseDays(table, options.others);
  const verdicts = readVerdicts(source.scans);
  const drafts: Draft[] = [];
  for (const section of SECTIONS) {
    const draft = yield* draftSection(source, section, grid, Math.max(CARRY_MOST, options.show));
    if (draft !== undefined) drafts.push(draft);
    yield;
  }
  const carried = shareOut(drafts, grid, options.show);
  const sections: SectionData[] = [];
  for (const [i, draft] of drafts.entries()) {
    sections.push(yield* finishSection(table, draft, carried[i]!, verdicts));
    yield;
  }
  const events = sumEvents(table, grid);
  yield;
  return {
    grid,
    sensors: table.dictionaries.sensor.map(cutLong),
    events,
    eventsOutside,
    distinct: yield* countDistinct(source, grid, verdicts),
    sections,
    ...joinHours([sumHours(source.partsOf("event")!, table.dictionaries.eventid, grid)]),
    ...describeUnknown(table.info.sources),
    ...(table.origins && { originsBy: table.origins.by }),
  };
}

export function describeUnknown(sources: readonly SourceInfo[]): Pick<ReportData, "unknown"> {
  const shareOf = (is: (source: SourceInfo) => boolean | undefined) =>
    !sources.some(is) ? undefined : sources.every(is) ? "all" : "some";
  const cut = shareOf(source => source.cut);
  const success = shareOf(source => source.lacksSuccess);
  return cut === undefined ? {} : { unknown: { cut, ...(success === undefined ? {} : { success }) } };
}

/** Days that hold anything; when they lie too far apart, the {@link MAX_DAYS} that hold most of it. */
export function chooseDays(table: ReducedTable, others: number | undefined): { grid: Grid; eventsOutside: number } {
  const range = busiestDays(table, MAX_DAYS);
  const sensors = { sensors: Math.max(1, table.dictionaries.sensor.length), ...(others !== undefined && { others }) };
  if (range === undefined) return { grid: { firstDay: 0, days: 0, ...sensors }, eventsOutside: 0 };
  const { first, last } = range;
  return { grid: { firstDay: first, days: last - first + 1, ...sensors }, eventsOutside: countOutside(table, range) };
}

/** Events per sensor-day; where no event is counted by its type, what the shown kinds hold. */
export function sumEvents(table: ReducedTable, grid: Grid): Cells {
  const events = toCells(table.kinds.event, grid, table.kinds.event.count);
  const others = new Map<number, number>();
  for (const kind of KIND_NAMES) {
    if (kind === "event" || kind === "scan" || kind === "last_command" || kind === "client_key") continue;
    const { at, count } = toCells(table.kinds[kind], grid, table.kinds[kind].count);
    // Both lists rise, so one pass tells which cells the events lack.
    for (let i = 0, j = 0; i < at.length; i++) {
      while (j < events.at.length && events.at[j]! < at[i]!) j++;
      if (events.at[j] !== at[i]) others.set(at[i]!, (others.get(at[i]!) ?? 0) + count[i]!);
    }
  }
  if (others.size === 0) return events;
  events.at.forEach((cell, i) => others.set(cell, events.count[i]!));
  const at = Int32Array.from(others.keys()).sort();
  return { at, count: Float64Array.from(at, cell => others.get(cell)!) };
}

/** Hours of a table, or of one slice: by activity, as cells of {@link HoursData}; undefined where they are not known, or too many. */
export function sumHours(events: Iterable<ShownRows>, eventids: readonly string[], grid: Grid): Cells[] | undefined {
  const ids = Object.values(ACTIVITY_EVENTS).map(own => new Set(own.map(id => eventids.indexOf(id))));
  const sums = ids.map(() => new Map<number, number>());
  let cells = 0;
  for (const { rows, day: days, sensor, keys, count } of events) {
    const { eventid, hour: hours } = keys;
    for (let row = 0; row < rows; row++) {
      const day = days[row]! - grid.firstDay;
      const hour = hours![row]!;
      // Of cut counts no hour is known.
      if (hour < 0) return undefined;
      if (day < 0 || day >= grid.days) continue;
      const cell = (day * 24 + hour) * grid.sensors + sensor[row]!;
      for (let i = 0; i < ids.length; i++) {
        if (!ids[i]!.has(eventid![row]!)) continue;
        const before = sums[i]!.get(cell);
        if (before === undefined && ++cells > HOUR_CELLS_MOST) return undefined;
        sums[i]!.set(cell, (before ?? 0) + count[row]!);
      }
    }
  }
  return sums.map(own => {
    const at = Int32Array.from(own.keys()).sort();
    return { at, count: Float64Array.from(at, cell => own.get(cell)!) };
  });
}

/** @param parts {@link sumHours} of a table, or of all slices of one. */
export function joinHours(parts: readonly (readonly Cells[] | undefined)[]): Pick<ReportData, "hours"> {
  const known = parts.filter(part => part !== undefined);
  const names = Object.keys(ACTIVITY_EVENTS) as (keyof HoursData)[];
  const hours = names.map((_, i) => addCells(known.map(part => part[i]!)));
  if (known.length < parts.length || hours.reduce((sum, { at }) => sum + at.length, 0) > HOUR_CELLS_MOST) return {};
  return { hours: Object.fromEntries(names.map((name, i) => [name, hours[i]!])) as unknown as HoursData };
}

/** Hash code -> [positives, total]: the latest verdict, of equally late ones the worst. */
export function readVerdicts({ keys, lastSeenUs, rows }: KindTable): Map<number, [number, number]> {
  const latest = new Map<number, { us: number; positives: number; total: number }>();
  for (let row = 0; row < rows; row++) {
    const shasum = keys.shasum![row]!;
    const found = { us: lastSeenUs[row]!, positives: keys.positives![row]!, total: keys.total![row]! };
    const known = latest.get(shasum);
    if (known === undefined || found.us > known.us || (found.us === known.us && found.positives > known.positives)) {
      latest.set(shasum, found);
    }
  }
  return new Map([...latest].map(([shasum, { positives, total }]) => [shasum, [positives, total]]));
}

function* countDistinct({ table: { dictionaries }, partsOf, addresses }: ReportSource, grid: Grid, verdicts: ReturnType<typeof readVerdicts>) {
  const isFlagged = dictionaries.shasum.map((_, code) => (verdicts.get(code)?.[0] ?? 0) > 0);
  const valuesOf = (kind: "command" | "file_download", valueOf: (rows: ShownRows) => Int32Array) => ({
    *[Symbol.iterator](): Generator<DistinctPart> {
      for (const part of partsOf(kind)!) yield { rows: part.rows, day: part.day, sensor: part.sensor, value: valueOf(part) };
    },
  });
  const files = (isWanted: (code: number) => boolean) =>
    valuesOf("file_download", ({ keys }) => keys.shasum!.map(code => (code >= 0 && isWanted(code) ? code : -1)));
  const found = addresses();
  const distinct = (parts: Iterable<DistinctPart>, name: "src_ip" | "input" | "shasum") =>
    calculateDistinct(parts, dictionaries[name].length, grid, undefined, value => dictionaries[name][value]!);
  return {
    addresses: yield* distinct(found.parts, "src_ip"),
    commands: yield* distinct(valuesOf("command", ({ keys }) => keys.input!), "input"),
    files: yield* distinct(files(() => true), "shasum"),
    flagged: yield* distinct(files(code => isFlagged[code]!), "shasum"),
  };
}

/** A section with its keys ranked, before it is known how many of them the page can carry. */
export interface Draft {
  readonly section: Section;
  readonly parts: Iterable<ShownRows>;
  readonly grid: Grid;
  /** How many keys there are. */
  readonly distinct: number;
  /** Keys by total falling, as many as may be carried and one more: their codes. */
  readonly ranked: readonly (readonly number[])[];
  /** Of each of `ranked`, and how many rows it has, an upper bound of its cells. */
  readonly totals: readonly number[];
  readonly size: readonly number[];
}

export function* draftSection({ partsOf }: ReportSource, section: Section, grid: Grid, most: number): Calculation<Draft | undefined> {
  const parts = partsOf(section.kind);
  if (parts === undefined) return undefined;
  const numbers = new TupleNumbers(section.columns.length);
  let totals = new Float64Array(64);
  let sizes = new Float64Array(64);
  let kept = 0;
  for (const part of parts) {
    const { rows, count } = part;
    const group = groupsOf(part, section, grid, numbers);
    if (numbers.size > totals.length) [totals, sizes] = [widened(totals, numbers.size), widened(sizes, numbers.size)];
    for (let row = 0; row < rows; row++) {
      const id = group[row]!;
      if (id < 0) continue;
      kept++;
      totals[id]! += count[row]!;
      sizes[id]!++;
    }
    yield;
  }
  if (kept === 0) return undefined;
  totals = totals.subarray(0, numbers.size);
  let distinct = 0;
  for (let id = 0; id < totals.length; id++) if (totals[id]! > 0) distinct++;
  // The numbers of all keys may take more memory than all else: they are let go.
  const ranked = [...rankGroups(totals, numbers, most)];
  return {
    section, parts, grid, distinct,
    ranked: ranked.map(id => numbers.tupleOf(id)),
    totals: ranked.map(id => totals[id]!),
    size: ranked.map(id => sizes[id]!),
  };
}

/** Number the keys of a section's columns; rows outside the days drawn, and those that do not belong, get -1. */
function groupsOf(part: ShownRows, section: Section, grid: Grid, numbers: TupleNumbers): Int32Array {
  const { rows, keys } = part;
  const group = numbers.number(section.columns.map(column => keys[column]!), rows);
  leaveOut(part, section, grid, group);
  return group;
}

/** Rows outside the days drawn, and those that do not belong, become -1. */
function leaveOut({ rows, day, keys }: ShownRows, section: Section, grid: Grid, group: Int32Array): void {
  const lastDay = grid.firstDay + grid.days - 1;
  const needed = section.needs === undefined ? undefined : keys[section.needs]!;
  for (let row = 0; row < rows; row++) {
    if (day[row]! < grid.firstDay || day[row]! > lastDay || needed?.[row] === -1) group[row] = -1;
  }
}

/** The `most` groups with the largest totals, falling; ties by key, "no value" first. */
function rankGroups(totals: Float64Array, numbers: TupleNumbers, most: number): Int32Array {
  const compare = (a: number, b: number) => {
    if (totals[a] !== totals[b]) return totals[b]! - totals[a]!;
    const [left, right] = [numbers.tupleOf(a), numbers.tupleOf(b)];
    const i = left.findIndex((code, i) => code !== right[i]);
    return i < 0 ? 0 : left[i]! - right[i]!;
  };
  // A floor under the wanted totals first: sorting a million groups to keep 300 of them costs more than reading twice.
  const floor = totals.length > 4 * most ? totals.slice().sort()[totals.length - most]! : 0;
  const ids = Int32Array.from(totals.keys());
  const above = ids.filter(id => totals[id]! > floor).sort(compare);
  // Those upon it are most of all where most came once: they are sorted by their keys alone, without a comparison of ours.
  const level = floor === 0 ? ids.subarray(0, 0) : ids.filter(id => totals[id] === floor);
  const order = sortedRows(numbers.codesOf(level), level.length).subarray(0, most + 1 - above.length);
  const ranked = new Int32Array(above.length + order.length);
  ranked.set(above);
  order.forEach((at, i) => (ranked[above.length + i] = level[at]!));
  return ranked.subarray(0, most + 1);
}

/** How many keys of each section the page carries: `show` of each, then by rank as long as the cells suffice. */
export function shareOut(drafts: readonly (Pick<Draft, "size"> & { readonly ranked: readonly unknown[] })[], grid: Grid, show: number): number[] {
  const budget = Math.min(CELLS_MOST, CELLS_BASE + CELLS_PER_SENSOR_DAY * grid.days * grid.sensors);
  const carried = drafts.map(() => 0);
  const open = new Set(drafts.keys());
  let used = 0;
  for (let rank = 0; open.size > 0; rank++) {
    for (const i of open) {
      const { ranked, size } = drafts[i]!;
      const cost = Math.min(size[rank] ?? 0, grid.days * grid.sensors);
      // The last of `ranked` only tells how large what is left out can be.
      const most = Math.max(CARRY_MOST, show);
      if (rank >= ranked.length || rank >= most || (rank >= show && used + cost > budget)) {
        open.delete(i);
        continue;
      }
      used += cost;
      carried[i]!++;
    }
  }
  return carried;
}

export function* finishSection(
  table: ReducedTable,
  { section, parts, grid, distinct, totals, ranked: candidates }: Draft,
  carried: number,
  verdicts: Map<number, [number, number]>,
): Calculation<SectionData> {
  const ranked = candidates.slice(0, carried);
  const chosen = new ChosenTuples(ranked);
  const isBounded = grid.days * grid.sensors <= BOUNDED_SENSOR_DAYS;
  // A group of its own row in each cell: the largest row bounds the rest. Else their sum does.
  const isRowPerKey = section.columns.length === keyOf(section.kind).length;
  const leftOut = new Map<number, number>();
  const firstSeenUs = new Array<number>(carried).fill(Infinity);
  const lastSeenUs = new Array<number>(carried).fill(-Infinity);
  const cells = Array.from({ length: carried }, () => new CellBuilder());
  const success = Array.from({ length: carried }, () => new CellBuilder());
  const [all, allSuccess] = [new CellBuilder(), new CellBuilder()];
  let slots = new Int32Array(0);
  for (const part of parts) {
    const { rows, day, sensor, count, success: succeeded, firstSeenUs: first, lastSeenUs: last } = part;
    const found = chosen.find(section.columns.map(column => part.keys[column]!), rows);
    // What is not carried has the number behind them all.
    if (slots.length < rows) slots = new Int32Array(rows);
    slots.fill(carried, 0, rows);
    for (let i = 0; i < found.rows.length; i++) slots[found.rows[i]!] = found.numbers[i]!;
    leaveOut(part, section, grid, slots);
    for (let row = 0; row < rows; row++) {
      const slot = slots[row]!;
      if (slot < 0) continue;
      const cell = (day[row]! - grid.firstDay) * grid.sensors + sensor[row]!;
      all.add(cell, count[row]!);
      allSuccess.add(cell, succeeded[row]!);
      if (slot === carried) {
        if (!isBounded) continue;
        const most = leftOut.get(cell) ?? 0;
        leftOut.set(cell, isRowPerKey ? Math.max(most, count[row]!) : most + count[row]!);
        continue;
      }
      cells[slot]!.add(cell, count[row]!);
      success[slot]!.add(cell, succeeded[row]!);
      firstSeenUs[slot] = Math.min(firstSeenUs[slot]!, first[row]!);
      lastSeenUs[slot] = Math.max(lastSeenUs[slot]!, last[row]!);
    }
    yield;
  }
  const codeOf = (key: readonly number[], column: ShownColumn) => key[section.columns.indexOf(column)]!;
  return {
    id: section.id,
    distinct,
    leftOutLargest: totals[carried] ?? 0,
    ...(isBounded && {
      leftOutMost: { at: Int32Array.from(leftOut.keys()), count: Float64Array.from(leftOut.values()) },
    }),
    keys: ranked.map(key => section.columns.map(column => keyValue(table, column, codeOf(key, column)))),
    ...(section.columns.includes("shasum") && {
      verdicts: ranked.map(key => verdicts.get(codeOf(key, "shasum")) ?? null),
    }),
    ...(table.origins && section.columns.includes("src_ip") && { origins: ranked.map(key => originOf(table, codeOf(key, "src_ip"))) }),
    firstSeenUs,
    lastSeenUs,
    all: all.finish(),
    cells: cells.map(builder => builder.finish()),
    ...(section.kind === "login" && {
      allSuccess: allSuccess.finish(),
      success: success.map(builder => builder.finish()),
    }),
  };
}

function keyValue(table: ReducedTable, column: ShownColumn, code: number): KeyValue {
  if (code < 0) return null;
  if (!isTextColumn(column)) return code;
  const text = namesOf(table, column)[code]!;
  return column === "country" ? withCountryName(text) : cutLong(text);
}

function originOf({ origins }: ReducedTable, address: number): string {
  return cutLong(origins!.addresses[address] ?? "");
}

const COUNTRY_NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** `NL Netherlands`; nobody knows all codes. */
function withCountryName(code: string): string {
  const name = COUNTRY_NAMES.of(code);
  return name === undefined ? code : `${code} ${name}`;
}

/** Add up the rows of each cell; rows stand by day and sensor. */
function toCells(kind: ShownRows, grid: Grid, counts: Float64Array): Cells {
  const builder = new CellBuilder();
  for (let row = 0; row < kind.rows; row++) {
    const day = kind.day[row]! - grid.firstDay;
    if (day >= 0 && day < grid.days) builder.add(day * grid.sensors + kind.sensor[row]!, counts[row]!);
  }
  return builder.finish();
}

/** Cells that come in rising order, equal ones added up. */
class CellBuilder {
  #at = new Int32Array(64);
  #count = new Float64Array(64);
  #length = 0;

  add(cell: number, count: number): void {
    if (count === 0) return;
    if (this.#length === 0 || this.#at[this.#length - 1] !== cell) {
      if (this.#length === this.#at.length) {
        this.#at = widened(this.#at);
        this.#count = widened(this.#count);
      }
      this.#at[this.#length++] = cell;
    }
    this.#count[this.#length - 1]! += count;
  }

  finish(): Cells {
    return { at: this.#at.slice(0, this.#length), count: this.#count.slice(0, this.#length) };
  }
}
