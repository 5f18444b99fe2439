/**
 * From a reduced table to what the report's page carries: totals of everything, and day-by-sensor counts of the
 * leading keys of each section. What is left out is counted, so that the page can say what it does not know.
 */
import { calculateDistinct, type DistinctPart } from "./build-distinct.ts";
import { addCells, type Cells, type Grid } from "./cells.ts";
import type { DistinctData, DistinctValue } from "./distinct-values.ts";
import { cutLong } from "../text/cut.ts";
import type { SourceInfo } from "../events/source.ts";
import { type Activity, ACTIVITY_EVENTS } from "../events/activity-events.ts";
import { KIND_NAMES } from "../reduced/kinds.ts";
import { rowsOf, type ShownKind, type ShownRows } from "../reduced/origin-kinds.ts";
import type { Calculation } from "../process/pause.ts";
import { busiestDays, countOutside } from "../reduced/busiest-days.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { MinutesData } from "./report-minutes.ts";
import type { SessionReach, TableReach } from "./report-reach.ts";
import { SECTIONS } from "./report-sections.ts";
import { CARRY_MOST, CellBuilder, type Draft, draftSection, finishSection, type SectionData, shareOut, toKeyNames } from "./section-keys.ts";
import { toValueRows } from "../statistics/value-rows.ts";

/** Longest run of days drawn, ten years; days farther off come from broken clocks. */
const MAX_DAYS = 3653;
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

export function* calculateReportData(table: ReducedTable, options: ReportDataOptions): Calculation<ReportData> {
  const { grid, eventsOutside } = chooseDays(table, options.others);
  const verdicts = readVerdicts(table.kinds.scan);
  const drafts: Draft[] = [];
  for (const section of SECTIONS) {
    const draft = yield* draftSection(partsOf(table, section.kind), section, grid, Math.max(CARRY_MOST, options.show));
    if (draft !== undefined) drafts.push(draft);
    yield;
  }
  const carried = shareOut(drafts, grid, options.show);
  const sections: SectionData[] = [];
  for (const [i, draft] of drafts.entries()) {
    sections.push(yield* finishSection(toKeyNames(table), draft, carried[i]!, verdicts));
    yield;
  }
  const events = sumEvents(table, grid);
  yield;
  return {
    grid,
    sensors: table.dictionaries.sensor.map(cutLong),
    events,
    eventsOutside,
    distinct: yield* countDistinct(table, grid, verdicts),
    sections,
    ...joinHours([sumHours([table.kinds.event], table.dictionaries.eventid, grid)]),
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

function* countDistinct(table: ReducedTable, grid: Grid, verdicts: ReturnType<typeof readVerdicts>) {
  const { dictionaries, kinds: { command, file_download } } = table;
  const partOf = ({ rows, day, sensor }: KindTable, value: Int32Array): DistinctPart => ({ rows, day, sensor, value });
  const flagged = file_download.keys.shasum!.map(code => (code >= 0 && (verdicts.get(code)?.[0] ?? 0) > 0 ? code : -1));
  const distinct = (parts: Iterable<DistinctPart>, name: "src_ip" | "input" | "shasum") =>
    calculateDistinct(parts, dictionaries[name].length, grid, undefined, value => dictionaries[name][value]!);
  return {
    addresses: yield* distinct(toValueRows(table, "address").rows.parts, "src_ip"),
    commands: yield* distinct([partOf(command, command.keys.input!)], "input"),
    files: yield* distinct([partOf(file_download, file_download.keys.shasum!)], "shasum"),
    flagged: yield* distinct([partOf(file_download, flagged)], "shasum"),
  };
}

/** All rows of a kind; undefined where a table has none. */
export function partsOf(table: ReducedTable, kind: ShownKind): readonly ShownRows[] | undefined {
  const rows = rowsOf(table, kind);
  return rows && [rows];
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
