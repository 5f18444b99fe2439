/**
 * The statistics of a table that stays in its file: what `computeStatistics` says of the same table in memory.
 *
 * All that looks at rows is a task for a thread that has the file open: of one unit that is compared, or one type of value, and
 * there one slice of the keys, so that what a task holds is bounded however many rows there are. Between the rounds, samples and
 * comparisons are joined here as those of slices of a cluster are.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { PackedStore } from "../process/packed-store.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { Given, StoredPool } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { type ChangeRow, describeChanges, describedKeys } from "./change.ts";
import { type Comparisons, examineKeys, type KindComparisons } from "./comparisons.ts";
import { type ComparedUnit, UnitTexts, unitsOfKinds } from "./compared-units.ts";
import type { DispersionSamples } from "./dispersion.ts";
import { joinKeys, pruneSamples } from "./join-samples.ts";
import { joinComparisons, joinStandOuts } from "./join-slices.ts";
import { type JudgedKind, judgeComparisons } from "./judgement.ts";
import { type ChangeKind, MARKED_KEYS, type Unit } from "./keyed-rows.ts";
import { type KindStandOuts, startOf } from "./sensor-compare.ts";
import type { StatisticsOptions } from "./settings.ts";
import type { MeasuredKeys } from "./slice-work.ts";
import { ceilingOf, type ComparedRows, planContext, type Statistics, toComparedDistinct, toStatistics } from "./statistics.ts";
import { type PartContext, settle } from "./statistics-parts.ts";
import { readLedgers } from "./stored-ledgers.ts";
import type { StatisticsTasks } from "./stored-tasks.ts";
import { ALL_KEYS, cutSlice, type KeySlice } from "./unit-rows.ts";
import type { ExaminedUnit, FoundInUnit, MeasuredUnit, OpenKeys, StoredContext } from "./unit-tasks.ts";

type Pool = StoredPool<StatisticsTasks>;

/** Rows that a task holds, about: some 120 bytes each. */
const SLICE_ROWS = 600_000;

/** Slices measured after which samples are pruned. */
const PRUNED_EVERY = 4;

/** How much a task holds. */
export interface SliceSizes {
  readonly rows?: number;
  readonly values?: number;
}

/**
 * @param cells The sums of the table, which tell events of all sensor-days that are counted (`tellsEvents`).
 * @param sizes Smaller ones give the same, in more tasks.
 * @throws {RangeError} if an option is out of range.
 */
export async function computeStored(stored: StoredTable, cells: CellSums, options: StatisticsOptions, pool: Pool, sizes: SliceSizes = {}): Promise<Statistics> {
  const context = planContext(cells.table, options);
  const units = unitsOfKinds(context.settings, context.sourceWindows !== undefined);
  const fromDay = firstComparedDay(context);
  const texts = new UnitTexts(stored, units);
  const given = pool.give<StoredContext>({ context, units, coded: texts.coded, cells: cells.table.kinds, fromDay });
  using store = new PackedStore();
  const run = new StoredRun(context, units, texts, cells, { given, fromDay, pool, store, sliceRows: sizes.rows ?? SLICE_ROWS });
  const rowsOf = (kind: Kind) => run.rowsOf(kind);
  const [ledgers, measured, trends] = await Promise.all([
    readLedgers({ stored, context, given, rowsOf, ...(sizes.values !== undefined && { sliceValues: sizes.values }) }, pool),
    run.measure(),
    run.findTrends(),
  ]);
  const distinct = toComparedDistinct(ledgers.flatMap(({ distinct }) => distinct), context.coverage);
  const { changes, tests } = await run.compare(measured, distinct);
  return toStatistics(cells.table, context, { ledgers, standOuts: measured.standOuts, trends, changes, tests });
}

/** The first day that any comparison looks at. */
function firstComparedDay({ coverage, windows, sourceWindows, settings }: PartContext): number {
  const offsets = [...windows.firstOffset, ...(sourceWindows?.firstOffset ?? []), startOf(coverage, { days: settings.baselineDays })];
  return coverage.firstDay + offsets.reduce((least, offset) => Math.min(least, offset), coverage.days);
}

/** What is compared: of a unit its events or its sources. */
interface ComparedName {
  readonly kind: ChangeKind;
  readonly unit: Unit;
  /** Place among the units. */
  readonly place: number;
}

interface Measured {
  /** In the order in which they are compared: events, then sources. */
  readonly compared: readonly MeasuredList[];
  readonly standOuts: readonly KindStandOuts[];
}

interface MeasuredList extends ComparedName {
  /** Of all slices together. */
  readonly samples: DispersionSamples;
  readonly slices: readonly { readonly found: FoundInUnit; readonly openKeys: OpenKeys }[];
}

interface HowToRun {
  readonly given: Given<StoredContext>;
  readonly fromDay: number;
  readonly pool: Pool;
  /** Takes open comparisons until it is known what is usual. */
  readonly store: PackedStore;
  readonly sliceRows: number;
}

/** What is asked of the threads for the comparisons, and what is made of the answers. */
class StoredRun {
  readonly #context: PartContext;
  readonly #units: readonly ComparedUnit[];
  readonly #texts: UnitTexts;
  readonly #cells: CellSums;
  readonly #how: HowToRun;

  constructor(context: PartContext, units: readonly ComparedUnit[], texts: UnitTexts, cells: CellSums, how: HowToRun) {
    this.#context = context;
    this.#units = units;
    this.#texts = texts;
    this.#cells = cells;
    this.#how = how;
  }

  /** Rows of a kind since a day. */
  rowsOf(kind: Kind, fromDay = -Infinity): number {
    const { day } = this.#cells.table.kinds[kind];
    return this.#cells.rows[kind].reduce((sum, rows, i) => (day[i]! >= fromDay ? sum + rows : sum), 0);
  }

  async measure(): Promise<Measured> {
    const units = await Promise.all(this.#units.map((_, place) => this.#measureUnit(place)));
    return {
      compared: [...units.flatMap(({ events }) => events ?? []), ...units.flatMap(({ sources }) => sources ?? [])],
      standOuts: units.flatMap(({ standOuts }) => standOuts ?? []),
    };
  }

  async #measureUnit(place: number) {
    const { given, pool } = this.#how;
    const { slices, cost } = this.#slicesOf(place);
    const parts: MeasuredUnit[] = [];
    let measured = 0;
    await Promise.all(
      slices.map(async (slice, i) => {
        parts[i] = this.#hold(await pool.ask("measureUnit", { given, unit: place, slice, ceiling: this.#ceiling }, 4 * cost));
        if (++measured % PRUNED_EVERY === 0) this.#prune(parts);
      }),
    );
    const unit = this.#units[place]!;
    const found = unit.family === undefined ? joinStandOuts(parts.map(({ events }) => events!.standOuts)) : undefined;
    return {
      events: unit.family === undefined ? await this.#join(place, "events", parts.map(({ events }) => events!)) : undefined,
      sources: unit.hasSources ? await this.#join(place, "sources", parts.map(({ sources }) => sources!)) : undefined,
      standOuts: found && { ...found, found: found.found.map(row => ({ ...row, key: this.#nameOf(place, row.key as number[]) })) },
    };
  }

  /** An answer without its open comparisons in memory. */
  #hold(part: MeasuredUnit): MeasuredUnit {
    const hold = (own: ExaminedUnit) => ({ ...own, found: { ...own.found, open: this.#how.store.hold(own.found.open as Uint8Array) } });
    return { ...part, ...(part.events && { events: { ...part.events, ...hold(part.events) } }), ...(part.sources && { sources: hold(part.sources) }) };
  }

  /** Leave of what slices sampled no more than what may be chosen of all of them. */
  #prune(parts: MeasuredUnit[]): void {
    for (const unit of ["events", "sources"] as const) {
      const known = [...parts.keys()].filter(i => parts[i]?.[unit] !== undefined);
      const pruned = pruneSamples(known.map(i => parts[i]![unit]!), this.#context);
      known.forEach((i, at) => (parts[i] = { ...parts[i]!, [unit]: { ...parts[i]![unit]!, samples: pruned[at]! } }));
    }
  }

  #nameOf(place: number, codes: readonly number[]) {
    return this.#texts.nameOf(this.#units[place]!, codes);
  }

  /** The keys of a unit in slices, each of about as many rows as a task may hold; and what it costs to look at all rows. */
  #slicesOf(place: number): { readonly slices: readonly KeySlice[]; readonly cost: number } {
    const { fromDay, sliceRows } = this.#how;
    const rows = this.rowsOf(this.#units[place]!.kind, fromDay);
    return { slices: cutSlice(ALL_KEYS, Math.ceil(rows / sliceRows)), cost: Math.min(rows, 2 * sliceRows) };
  }

  async #join(place: number, unit: Unit, parts: readonly ExaminedUnit[]): Promise<MeasuredList> {
    const kind = this.#units[place]!.name;
    const { keys, firsts } = await this.#orderOf(place, parts);
    let at = 0;
    const measured = parts.map((part, i): MeasuredKeys => {
      const sampled = Array.from(part.marks, mark => ({ mark, first: [firsts?.[at++] ?? 0] }));
      // What counts is how many keys all days have.
      return { kind, unit, keys: i === 0 ? keys : 0, samples: part.samples, sampled };
    });
    return { kind, unit, place, samples: joinKeys(measured, this.#context), slices: parts.map(({ found, openKeys }) => ({ found, openKeys })) };
  }

  /** How many keys there are, if not more than are all looked at; and where the sampled ones stand first, if their marks do not tell the order. */
  async #orderOf(place: number, parts: readonly ExaminedUnit[]): Promise<{ keys: number; firsts?: Float64Array }> {
    const keys = parts.reduce((sum, part) => sum + part.keys, 0);
    const marks = parts.flatMap(part => [...part.marks]);
    if (marks.length === 0 || (keys > MARKED_KEYS && new Set(marks).size === marks.length)) return { keys };
    const { given, pool } = this.#how;
    const codes = this.#units[place]!.columns.map((_, column) => Int32Array.from(parts.flatMap(part => [...part.codes[column]!])));
    const { keys: known, first } = await pool.ask("findFirsts", { given, unit: place, codes }, this.rowsOf(this.#units[place]!.kind));
    return { keys: Math.max(keys, known), firsts: first };
  }

  async findTrends(): Promise<Statistics["trends"]> {
    const { given, pool } = this.#how;
    const trends = await Promise.all(
      this.#units.map(async ({ family, kind }, place) => {
        const rows = family === undefined ? await pool.ask("findTrends", { given, unit: place }, this.rowsOf(kind)) : [];
        return rows.map(row => ({ ...row, key: this.#nameOf(place, row.key) }));
      }),
    );
    return trends.flat();
  }

  /** @param distinct Numbers of distinct values are compared like any others; they are few. */
  async compare({ compared }: Measured, distinct: ComparedRows): Promise<Pick<Statistics, "changes" | "tests">> {
    const { coverage, windows, settings } = this.#context;
    const { given, pool } = this.#how;
    const ceiling = this.#ceiling;
    const { samples: ofDistinct, ...found } = examineKeys(distinct.rows, coverage, windows, ceiling);
    const samplesOf = (unit: Unit) => compared.filter(one => one.unit === unit).map(({ samples }) => samples);
    const [events, sources] = await Promise.all([pool.ask("learnUsualOf", [...samplesOf("events"), ofDistinct], 1), pool.ask("learnUsualOf", samplesOf("sources"), 1)]);
    const pooled = { events: pool.give(events), sources: pool.give(sources) };
    const kinds: JudgedList[] = await Promise.all(
      compared.map(async ({ kind, unit, place, samples, slices }) => {
        const parts = await pool.ask("settleUnit", { given, unit, samples, found: slices.map(slice => slice.found), pooled: pooled[unit], ceiling }, 1);
        const openKeys = slices.map(slice => slice.openKeys);
        return { kind, unit, place, openKeys, compared: joinComparisons(parts.map((comparisons, i) => ({ comparisons, keys: openKeys[i]!.rows.length }))) };
      }),
    );
    const [own] = settle(this.#context, { unit: "events", samples: ofDistinct, found: [found], pooled: events, ceiling }) as [KindComparisons];
    kinds.splice(samplesOf("events").length, 0, { kind: "distinct", unit: "events", compared: own });
    const judgement = judgeComparisons(kinds, coverage, windows, settings);
    const changes = await Promise.all(
      kinds.map(async (list, at) => {
        const judged = judgement.kinds[at]!;
        if (list.place !== undefined) return await this.#describe(list as Required<JudgedList>, judged);
        const rows = describeChanges(distinct.rows, own.kept, judged, coverage, windows, settings);
        return rows.map(row => ({ ...row, key: distinct.nameOf(row.key) }));
      }),
    );
    return { changes: changes.flat(), tests: judgement.tests };
  }

  get #ceiling(): number {
    return ceilingOf(this.#context, this.#units.some(({ hasSources }) => hasSources) ? 2 : 1);
  }

  /** All about the comparisons of a unit that are told: for so many keys at once as a task may hold rows of. */
  async #describe({ unit, place, openKeys, compared: { kept } }: Required<JudgedList>, judged: JudgedKind): Promise<ChangeRow[]> {
    const { given, fromDay, pool, sliceRows } = this.#how;
    const { coverage, settings } = this.#context;
    const { kind, columns } = this.#units[place]!;
    const told = [...describedKeys(kept, judged, settings)];
    if (told.length === 0) return [];
    const codes = columns.map((_, column) => Int32Array.from(openKeys.flatMap(of => [...of.codes[column]!])));
    const rows = openKeys.flatMap(of => [...of.rows]);
    // About as many a day before the days that were compared.
    const more = coverage.days / (coverage.firstDay + coverage.days - fromDay);
    const chunks = inChunks(told, key => rows[key]! * more, sliceRows);
    const described = chunks.map(async keys => {
      const own = codes.map(column => Int32Array.from(keys, key => column[key]!));
      const ask = { given, unit: place, counted: unit, codes: own, ...pickComparisons(kept, judged, keys) };
      const changes = await pool.ask("describeUnit", ask, this.rowsOf(kind));
      return changes.map(row => ({ ...row, key: this.#nameOf(place, own.map(column => column[row.key]!)) }));
    });
    return (await Promise.all(described)).flat();
  }
}

interface JudgedList {
  readonly kind: ChangeKind;
  readonly unit: Unit;
  readonly compared: KindComparisons;
  /** Of a unit; distinct values have none. */
  readonly place?: number;
  readonly openKeys?: readonly OpenKeys[];
}

/** Some things in their order, as many together as are not more than so much. */
function inChunks<T>(things: readonly T[], sizeOf: (thing: T) => number, most: number): T[][] {
  const chunks: T[][] = [];
  let size = Infinity;
  for (const thing of things) {
    if (size + sizeOf(thing) > most) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(thing);
    size += sizeOf(thing);
  }
  return chunks;
}

/** The comparisons of some keys, which go by their places. */
function pickComparisons(kept: Comparisons, { q, reported }: JudgedKind, keys: readonly number[]): { readonly kept: Comparisons; readonly judged: JudgedKind } {
  const placeOf = new Map(keys.map((key, place) => [key, place]));
  const wanted = Int32Array.from(kept.key.keys()).filter(i => placeOf.has(kept.key[i]!));
  const { length: _, ...columns } = kept;
  const picked = Object.entries(columns).map(([name, column]) => {
    return [name, Float64Array.from(wanted, i => (name === "key" ? placeOf.get(column[i]!)! : column[i]!))];
  });
  return {
    kept: { length: wanted.length, ...Object.fromEntries(picked) } as Comparisons,
    judged: { q: Float64Array.from(wanted, i => q[i]!), reported: Uint8Array.from(wanted, i => reported[i]!) },
  };
}
