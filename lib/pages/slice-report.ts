/**
 * What `result.html` is made of, of a table that is dealt out by keys. Each slice leaves the rows of its leading keys, which
 * are those of the table and some more, and of all others the sums that the page shows of them.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { addKeys } from "../reduced/add-keys.ts";
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { keyOf } from "../reduced/origin-kinds.ts";
import { type Kind, KINDS } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { joinPicked, pickTable, withoutSources, withSensors } from "../reduced/table-slices.ts";
import { type Calculation, takeAtOnce } from "../process/pause.ts";
import type { StatisticsSlices } from "../statistics/slice-work.ts";
import { toValueRows } from "../statistics/value-rows.ts";
import { calculateDistinct, joinDistinct, measureDistinct, type MeasuredDistinct } from "../view/build-distinct.ts";
import { addCells, type Cells, type Grid } from "../view/cells.ts";
import {
  CARRY_MOST,
  chooseDays,
  sumEvents,
  describeUnknown,
  type Draft,
  draftSection,
  finishSection,
  joinHours,
  readVerdicts,
  type ReportData,
  type ReportSource,
  type SectionData,
  shareOut,
  sumHours,
  toReportSource,
} from "../view/report-data.ts";
import { type Section, SECTIONS } from "../view/report-sections.ts";
import { cutLong } from "../text/cut.ts";

/** Sections with so few keys that all are told: their rows are brought down to the columns of the section. */
const WHOLE: ReadonlySet<string> = new Set(["lengths", "events"]);
/** Sections of files and SSH keys, of which the first slice has all rows. */
const FEW_KINDS: ReadonlySet<string> = new Set(["file_download", "file_upload", "ssh_key"]);
const SLICED = SECTIONS.filter(({ kind }) => kind in KINDS && !FEW_KINDS.has(kind));

interface SliceSection {
  /** Rows of leading keys. */
  readonly leading: ReducedTable;
  /** How many rows each key has, as JSON of its values; only where rows were brought down. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly distinct: number;
  readonly all: Cells;
  readonly allSuccess?: Cells;
  /** Of keys that do not lead, see `SectionData`. */
  readonly leftOutMost?: Cells;
}

/** What one slice leaves. */
export interface SliceReport {
  /** By id; those that have rows. */
  readonly sections: Readonly<Record<string, SliceSection>>;
  readonly addresses: MeasuredDistinct;
  readonly commands: MeasuredDistinct;
  readonly hours: readonly Cells[] | null;
  /** Files, verdicts, SSH keys: rows of the first slice. */
  readonly few: ReducedTable;
}

export function sliceReport({ tables, cells }: StatisticsSlices): SliceReport {
  const { grid } = chooseDays(cells.table, undefined);
  const { keys, masked, network, few } = tables;
  const sections = SLICED.flatMap(section => {
    const own = sliceSection(keys, section, grid);
    return own === undefined ? [] : [[section.id, own] as const];
  });
  const { src_ip, input } = { ...network.dictionaries, input: masked.dictionaries.input };
  const { rows, day, sensor, keys: ofCommands } = masked.kinds.command;
  return {
    sections: Object.fromEntries(sections),
    addresses: takeAtOnce(measureDistinct(toValueRows(network, "address").rows.parts, src_ip.length, grid, undefined, value => src_ip[value]!)),
    commands: takeAtOnce(measureDistinct([{ rows, day, sensor, value: ofCommands.input! }], input.length, grid, undefined, value => input[value]!)),
    hours: sumHours([keys.kinds.event], keys.dictionaries.eventid, grid) ?? null,
    few: withoutSources(few),
  };
}

function sliceSection(table: ReducedTable, section: Section, grid: Grid): SliceSection | undefined {
  const kind = section.kind as Kind;
  const draft = takeAtOnce(draftSection(toReportSource(table), section, grid, CARRY_MOST));
  if (draft === undefined) return undefined;
  const { distinct, all, allSuccess, leftOutMost } = takeAtOnce(finishSection(table, draft, draft.ranked.length, new Map()));
  const isWhole = WHOLE.has(section.id);
  const rows = table.kinds[kind];
  const names = KINDS[kind].filter(name => !isWhole || section.columns.includes(name));
  const other = Object.fromEntries(KINDS[kind].filter(name => !names.includes(name)).map(name => [name, new Int32Array(rows.rows).fill(-1)]));
  const brought = { ...rows, keys: { ...rows.keys, ...other }, ...(isWhole && { addresses: rows.addresses && new Int32Array(rows.rows).fill(-1) }) };
  const wanted = isWhole ? Int32Array.from(rows.day.keys()) : rowsOfKeys(draft, rows);
  return {
    leading: pickTable({ ...table, kinds: { ...table.kinds, [kind]: brought } }, kind, wanted),
    sizes: isWhole ? Object.fromEntries(draft.ranked.map((codes, i) => [nameOf(section, table, codes), draft.size[i]!])) : {},
    distinct,
    all,
    ...(allSuccess && { allSuccess }),
    ...(leftOutMost && { leftOutMost }),
  };
}

/** The rows of the keys that are ranked. */
function rowsOfKeys({ section, ranked }: Draft, { keys, rows }: KindTable): Int32Array {
  return new ChosenTuples(ranked).find(section.columns.map(column => keys[column as keyof typeof keys]!), rows).rows.slice();
}

/** A key wherever its texts are numbered. */
function nameOf({ columns }: Section, table: ReducedTable, codes: readonly number[]): string {
  return JSON.stringify(columns.map((column, i) => (column === "eventid" ? table.dictionaries.eventid[codes[i]!]! : codes[i]!)));
}

/**
 * The data of the report.
 *
 * @param cells The sums of the whole table.
 * @param show Keys shown per section.
 */
export function* joinReportData({ table }: CellSums, parts: readonly SliceReport[], show: number): Calculation<ReportData> {
  const { grid, eventsOutside } = chooseDays(table, undefined);
  const sensors = table.dictionaries.sensor;
  const few = addKeys(joinFew(parts, table, sensors));
  const fewSource = { ...toReportSource(few), table: few };
  const verdicts = readVerdicts(few.kinds.scan);
  const most = Math.max(CARRY_MOST, show);
  const drafts: { readonly draft: Draft; readonly table: ReducedTable }[] = [];
  for (const section of SECTIONS) {
    const own = SLICED.includes(section) ? joinLeading(parts, section, table, sensors) : few;
    const source: Pick<ReportSource, "partsOf"> = own === few ? fewSource : toReportSource(own);
    const draft = yield* draftSection(source as ReportSource, section, grid, most);
    if (draft !== undefined) drafts.push({ draft: own === few ? draft : { ...draft, size: sizesOf(parts, draft, own) }, table: own });
    yield;
  }
  const carried = shareOut(drafts.map(({ draft }) => draft), grid, show);
  const sections: SectionData[] = [];
  for (const [i, { draft, table: own }] of drafts.entries()) {
    const data = yield* finishSection(own, draft, carried[i]!, verdicts);
    sections.push(own === few ? data : joinSection(data, draft.section, parts));
    yield;
  }
  return {
    grid,
    sensors: sensors.map(cutLong),
    events: sumEvents(table, grid),
    eventsOutside,
    distinct: {
      addresses: joinDistinct(parts.map(({ addresses }) => addresses), grid),
      commands: joinDistinct(parts.map(({ commands }) => commands), grid),
      ...(yield* countFiles(few, grid, verdicts)),
    },
    sections,
    ...joinHours(parts.map(({ hours }) => hours ?? undefined)),
    ...describeUnknown(table.info.sources),
  };
}

function joinFew(parts: readonly SliceReport[], { info }: ReducedTable, sensors: readonly string[]): ReducedTable {
  const full = parts.find(({ few }) => Object.values(few.kinds).some(({ rows }) => rows > 0)) ?? parts[0]!;
  return { ...withSensors(full.few, sensors), info };
}

function joinLeading(parts: readonly SliceReport[], { id, kind }: Section, { info }: ReducedTable, sensors: readonly string[]): ReducedTable {
  return joinPicked(parts.flatMap(({ sections }) => sections[id]?.leading ?? []), kind as Kind, info, sensors);
}

function sizesOf(parts: readonly SliceReport[], { section, ranked, size }: Draft, table: ReducedTable): readonly number[] {
  const { id } = section;
  if (!WHOLE.has(id)) return size;
  return ranked.map(codes => parts.reduce((sum, { sections }) => sum + (sections[id]?.sizes[nameOf(section, table, codes)] ?? 0), 0));
}

/** What a section says of all keys, and of those that it does not carry. */
function joinSection(data: SectionData, section: Section, parts: readonly SliceReport[]): SectionData {
  // All of these keys are in the rows already.
  if (WHOLE.has(section.id)) return data;
  const own = parts.flatMap(({ sections }) => sections[section.id] ?? []);
  const { allSuccess, leftOutMost } = data;
  const isRowPerKey = section.columns.length === keyOf(section.kind).length;
  const leftOut = leftOutMost && addCells([leftOutMost, ...own.map(part => part.leftOutMost!)], isRowPerKey ? Math.max : undefined);
  return {
    ...data,
    distinct: own.reduce((sum, part) => sum + part.distinct, 0),
    ...(leftOut && { leftOutMost: leftOut }),
    all: addCells(own.map(part => part.all)),
    ...(allSuccess && { allSuccess: addCells(own.map(part => part.allSuccess!)) }),
  };
}

function* countFiles(few: ReducedTable, grid: Grid, verdicts: ReadonlyMap<number, readonly [number, number]>) {
  const { shasum } = few.dictionaries;
  const { rows, day, sensor, keys } = few.kinds.file_download;
  const count = (isWanted: (code: number) => boolean) => {
    const value = keys.shasum!.map(code => (code >= 0 && isWanted(code) ? code : -1));
    return calculateDistinct([{ rows, day, sensor, value }], shasum.length, grid, undefined, code => shasum[code]!);
  };
  return { files: yield* count(() => true), flagged: yield* count(code => (verdicts.get(code)?.[0] ?? 0) > 0) };
}
