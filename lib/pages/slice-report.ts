/**
 * What `result.html` is made of, of a table that is dealt out by keys. Each slice counts its leading keys, which are those of
 * the table and some more; once those of all slices are known, it keeps what the page may carry, and of all others the sums.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { addKeys } from "../reduced/add-keys.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { type Kind, KINDS, type KeyValue } from "../reduced/kinds.ts";
import { isTextColumn, keyOf, namesOf } from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { joinPicked, pickTable, withoutSources, withSensors } from "../reduced/table-slices.ts";
import { type Calculation, takeAtOnce } from "../process/pause.ts";
import { compareFirst } from "../statistics/first-places.ts";
import type { SliceName } from "../statistics/slice-rules.ts";
import { toValueRows } from "../statistics/value-rows.ts";
import { calculateDistinct, joinDistinct, measureDistinct, type MeasuredDistinct } from "../view/build-distinct.ts";
import { addCells, type Cells, type Grid } from "../view/cells.ts";
import { chooseDays, describeUnknown, joinHours, partsOf, readVerdicts, type ReportData, sumEvents, sumHours } from "../view/report-data.ts";
import { CARRY_MOST, type Draft, draftSection, finishSection, type SectionData, shareOut, SHOW_MOST, toKeyNames } from "../view/section-keys.ts";
import { type Section, SECTIONS } from "../view/report-sections.ts";
import { cutLong } from "../text/cut.ts";

/** Sections with so few keys that all are told: their rows are brought down to the columns of the section. */
const WHOLE: ReadonlySet<string> = new Set(["lengths", "events"]);
/** Sections of files and SSH keys, of which the first slice has all rows. */
const FEW_KINDS: ReadonlySet<string> = new Set(["file_download", "file_upload", "ssh_key"]);
const SLICED = SECTIONS.filter(({ kind }) => kind in KINDS && !FEW_KINDS.has(kind));

/** The leading keys of a section in one slice, by count falling, ties by key. */
interface Ranked {
  readonly keys: readonly (readonly KeyValue[])[];
  readonly totals: readonly number[];
  /** Rows, an upper bound of their cells. */
  readonly size: readonly number[];
}

/** By id of section; of all, the files' and keys' too. */
export type RankedSections = Readonly<Record<string, Ranked>>;

/** What one slice leaves. */
export interface SliceReport {
  /** By id; those that have rows. Of sections that are told whole without keys. */
  readonly sections: Readonly<Record<string, SectionData>>;
  /** By id, of sections that are told whole: their rows. */
  readonly whole: Readonly<Record<string, ReducedTable>>;
  readonly addresses: MeasuredDistinct;
  readonly commands: MeasuredDistinct;
  readonly hours: readonly Cells[] | null;
  /** Files, verdicts, SSH keys: rows of the first slice. */
  readonly few: ReducedTable;
}

/** Looks at one holding after another, in the first round. */
export class ReportDrafter {
  readonly #grid: Grid;
  readonly #ranked: Record<string, Ranked> = {};
  readonly #sections: Record<string, SectionData> = {};
  readonly #whole: Record<string, ReducedTable> = {};
  #addresses: MeasuredDistinct | undefined;
  #commands: MeasuredDistinct | undefined;
  #hours: readonly Cells[] | null = null;
  #few: ReducedTable | undefined;

  constructor({ table }: CellSums) {
    this.#grid = chooseDays(table, undefined).grid;
  }

  look(name: SliceName, kinds: readonly Kind[], table: ReducedTable): void {
    const grid = this.#grid;
    if (name === "keys") {
      for (const section of SLICED) if (kinds.includes(section.kind as Kind)) this.#draft(section, table);
      if (kinds.includes("event")) this.#hours = sumHours([table.kinds.event], table.dictionaries.eventid, grid) ?? null;
    } else if (name === "address") {
      const { src_ip } = table.dictionaries;
      this.#addresses = takeAtOnce(measureDistinct(toValueRows(table, "address").rows.parts, src_ip.length, grid, undefined, value => src_ip[value]!));
    } else if (name === "masked") {
      const { input } = table.dictionaries;
      const { rows, day, sensor, keys } = table.kinds.command;
      this.#commands = takeAtOnce(measureDistinct([{ rows, day, sensor, value: keys.input! }], input.length, grid, undefined, value => input[value]!));
    } else if (name === "few") {
      this.#few = withoutSources(table);
      const withKeys = addKeys(table);
      for (const section of SECTIONS.filter(({ kind }) => FEW_KINDS.has(kind))) this.#rank(section, withKeys);
    }
  }

  finish(): { readonly ranked: RankedSections; readonly report: SliceReport } {
    const report = { sections: this.#sections, whole: this.#whole, addresses: this.#addresses!, commands: this.#commands!, hours: this.#hours, few: this.#few! };
    return { ranked: this.#ranked, report };
  }

  #rank(section: Section, table: ReducedTable): Draft | undefined {
    const draft = takeAtOnce(draftSection(partsOf(table, section.kind), section, this.#grid, CARRY_MOST));
    if (draft === undefined) return undefined;
    const { ranked, totals, size } = draft;
    this.#ranked[section.id] = { keys: ranked.map(codes => codes.map((code, i) => valueOf(table, section, i, code))), totals, size };
    return draft;
  }

  #draft(section: Section, table: ReducedTable): void {
    const draft = this.#rank(section, table);
    if (draft === undefined) return;
    if (WHOLE.has(section.id)) this.#whole[section.id] = bringDown(table, section);
    else this.#sections[section.id] = takeAtOnce(finishSection(toKeyNames(table), draft, draft.ranked.length, new Map()));
  }
}

function valueOf(table: ReducedTable, { columns }: Section, place: number, code: number): KeyValue {
  const name = columns[place]!;
  if (code < 0) return null;
  return isTextColumn(name) ? namesOf(table, name)[code]! : code;
}

/** The rows of a section without what it does not tell apart, nor tell. */
function bringDown(table: ReducedTable, { kind, columns }: Section): ReducedTable {
  const own = table.kinds[kind as Kind];
  const keys = KINDS[kind as Kind].map(name => [name, columns.includes(name) ? own.keys[name]! : new Int32Array(own.rows).fill(-1)] as const);
  const brought = { ...own, keys: Object.fromEntries(keys), addresses: own.addresses && new Int32Array(own.rows).fill(-1) };
  return pickTable({ ...table, kinds: { ...table.kinds, [kind]: brought } }, kind as Kind, Int32Array.from(own.day.keys()));
}

/** The leading keys of all slices, and where each stands. */
type Leading = ReturnType<typeof rankAll>[string];

function rankAll(parts: readonly RankedSections[]) {
  const sections = SECTIONS.filter(({ id }) => parts.some(part => part[id] !== undefined)).map(({ id }) => {
    const found = new Map<string, { key: readonly KeyValue[]; total: number; size: number; part: number; at: number }>();
    parts.forEach((ranked, part) => {
      const { keys, totals, size } = ranked[id] ?? { keys: [], totals: [], size: [] };
      keys.forEach((key, at) => {
        const name = JSON.stringify(key);
        const known = found.get(name);
        // Of a section that is told whole a key stands in several slices.
        if (known === undefined) found.set(name, { key, total: totals[at]!, size: size[at]!, part, at });
        else found.set(name, { ...known, total: known.total + totals[at]!, size: known.size + size[at]! });
      });
    });
    const ranked = [...found.values()].sort((a, b) => b.total - a.total || compareFirst(a.key, b.key)).slice(0, CARRY_MOST + 1);
    return [id, { ranked, size: ranked.map(({ size }) => size) }] as const;
  });
  return Object.fromEntries(sections);
}

/** How many keys of each section the page carries. */
function shareAll(leading: Readonly<Record<string, Leading>>, grid: Grid, show: number): Map<string, number> {
  const ids = Object.keys(leading);
  const carried = shareOut(ids.map(id => leading[id]!), grid, show);
  return new Map(ids.map((id, i) => [id, carried[i]!]));
}

/**
 * Of one slice what the page may carry, however many keys of a section are asked for: where more are shown, none is carried
 * that would not be else.
 *
 * @param parts What all slices ranked; `part` = the place of this one.
 */
export function cutReport(report: SliceReport, parts: readonly RankedSections[], part: number, { table }: CellSums): SliceReport {
  const leading = rankAll(parts);
  const carried = shareAll(leading, chooseDays(table, undefined).grid, 0);
  const sections = Object.entries(report.sections).map(([id, data]) => {
    const most = Math.max(SHOW_MOST, carried.get(id)!);
    const kept = leading[id]!.ranked.slice(0, most).filter(one => one.part === part);
    return [id, keepKeys(data, sectionOf(id), kept.map(({ at }) => at))] as const;
  });
  return { ...report, sections: Object.fromEntries(sections) };
}

function sectionOf(id: string): Section {
  return SECTIONS.find(section => section.id === id)!;
}

/** A section with some of its keys; the others are left out. */
function keepKeys(data: SectionData, section: Section, places: readonly number[]): SectionData {
  const isKept = new Set(places);
  const others = data.cells.filter((_, at) => !isKept.has(at));
  const pick = <T>(list: readonly T[]) => places.map(at => list[at]!);
  return {
    ...data,
    ...(data.leftOutMost && { leftOutMost: joinLeftOut(section, [data.leftOutMost, ...others]) }),
    keys: pick(data.keys),
    firstSeenUs: pick(data.firstSeenUs),
    lastSeenUs: pick(data.lastSeenUs),
    cells: pick(data.cells),
    ...(data.success && { success: pick(data.success) }),
  };
}

/** As `finishSection` bounds what is left out: by the largest row where a key has one of its own, else by the sum. */
function joinLeftOut({ columns, kind }: Section, cells: readonly Cells[]): Cells {
  return addCells(cells, columns.length === keyOf(kind).length ? Math.max : undefined);
}

/**
 * The data of the report.
 *
 * @param cells The sums of the whole table.
 * @param parts What each slice left, see {@link cutReport}; in step with `ranked`, what they ranked.
 * @param show Keys shown per section.
 */
export function* joinReportData({ table }: CellSums, parts: readonly SliceReport[], ranked: readonly RankedSections[], show: number): Calculation<ReportData> {
  const { grid, eventsOutside } = chooseDays(table, undefined);
  const sensors = table.dictionaries.sensor;
  const few = addKeys(joinFew(parts, table, sensors));
  const verdicts = readVerdicts(few.kinds.scan);
  const leading = rankAll(ranked);
  const carried = shareAll(leading, grid, show);
  const sections: SectionData[] = [];
  for (const section of SECTIONS) {
    const { id, kind } = section;
    const most = carried.get(id);
    if (most === undefined) continue;
    if (SLICED.includes(section) && !WHOLE.has(id)) sections.push(joinSection(section, leading[id]!, most, parts, ranked));
    else {
      const own = WHOLE.has(id) ? joinPicked(parts.flatMap(({ whole }) => whole[id] ?? []), kind as Kind, table.info, sensors) : few;
      const draft = yield* draftSection(partsOf(own, kind), section, grid, CARRY_MOST);
      sections.push(yield* finishSection(toKeyNames(own), draft!, most, verdicts));
    }
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

/** A section of what all slices left of it. */
function joinSection(section: Section, { ranked }: Leading, carried: number, parts: readonly SliceReport[], all: readonly RankedSections[]): SectionData {
  const { id } = section;
  const own = parts.map(({ sections }) => sections[id]);
  // The keys of a slice stand in the order of all.
  const next = all.map(() => 0);
  const places = ranked.map(({ part }) => next[part]!++);
  const chosen = ranked.slice(0, carried).map(({ part }, i) => ({ data: own[part]!, at: places[i]! }));
  const left = ranked.slice(carried).flatMap(({ part }, i) => own[part]!.cells[places[carried + i]!] ?? []);
  const known = own.filter(data => data !== undefined);
  const [first] = known as [SectionData];
  return {
    id,
    distinct: known.reduce((sum, data) => sum + data.distinct, 0),
    leftOutLargest: ranked[carried]?.total ?? 0,
    ...(first.leftOutMost && { leftOutMost: joinLeftOut(section, [...known.map(data => data.leftOutMost!), ...left]) }),
    keys: chosen.map(({ data, at }) => data.keys[at]!),
    firstSeenUs: chosen.map(({ data, at }) => data.firstSeenUs[at]!),
    lastSeenUs: chosen.map(({ data, at }) => data.lastSeenUs[at]!),
    all: addCells(known.map(data => data.all)),
    cells: chosen.map(({ data, at }) => data.cells[at]!),
    ...(first.allSuccess && {
      allSuccess: addCells(known.map(data => data.allSuccess!)),
      success: chosen.map(({ data, at }) => data.success![at]!),
    }),
  };
}

function joinFew(parts: readonly SliceReport[], { info }: ReducedTable, sensors: readonly string[]): ReducedTable {
  const full = parts.find(({ few }) => Object.values(few.kinds).some(({ rows }) => rows > 0)) ?? parts[0]!;
  return { ...withSensors(full.few, sensors), info };
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
