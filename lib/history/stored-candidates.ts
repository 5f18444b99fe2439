/**
 * What happened to single keys of a table in its file, as `findCandidates` says it of a table in memory: the same families, keys,
 * series and spans, put together of tasks that read the table by kinds and days. No rows are held.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import { sharedInts } from "../columns/shared-arrays.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { Given, StoredPool } from "../reduced/stored-pool.ts";
import type { StoredDays } from "../reduced/stored-table.ts";
import { type Candidate, bestOf, describeCandidate, type KeyFinding, type Watches } from "./candidates.ts";
import type { KeySeries, Watch } from "./day-series.ts";
import { FAMILIES, type Family, FAMILY_NAMES, type FamilySpec } from "./families.ts";
import type { HistoryTasks } from "./history-tasks.ts";
import type { KeySlots } from "./key-slots.ts";
import { measureNoise, type Noise, usualCorrelation } from "./noise.ts";
import { sensorsLookedAt, type OnSensor } from "./sensor-levels.ts";
import type { Span } from "./spans.ts";
import { type DayCounts, lengthOf, type DaysWanted, joinDayCounts } from "./stored-days.ts";
import type { FamilyLeaders } from "./stored-leaders.ts";
import { joinSpanRows, type SpanWanted } from "./stored-spans.ts";

export interface StoredHistory {
  readonly pool: StoredPool<HistoryTasks>;
  readonly cells: CellSums;
  readonly watches: Watches;
  readonly sizes?: TaskSizes;
}

export interface TaskSizes {
  /** Rows that a task reads, about: more tasks spread better, fewer read less twice. */
  readonly taskRows: number;
  /** Days of keys on single sensors that are counted at once: 16 bytes each. */
  readonly cellDays: number;
}

const SIZES: TaskSizes = { taskRows: 1 << 22, cellDays: 1 << 21 };

/** By family, in the order of these. */
export async function findStoredCandidates({ pool, cells, watches, sizes = SIZES }: StoredHistory): Promise<Candidate[]> {
  const given = pool.give(watches);
  const kinds = [...new Set(FAMILY_NAMES.map(family => FAMILIES[family].kind))].filter(kind => cells.table.kinds[kind].rows > 0);
  const found = await Promise.all(kinds.map(kind => new KindHistory(pool, cells, kind, watches, given, sizes).find()));
  const byFamily = new Map(found.flat());
  return FAMILY_NAMES.flatMap(family => byFamily.get(family) ?? []);
}

/** Keys in which one task looks for spans, and what a series costs of what it costs to read a row. */
const TASK_KEYS = 64;
const SERIES_ROWS = 1000;

/** Chosen keys of a family, and what was found of them. */
interface FamilyHistory {
  readonly family: Family;
  readonly slots: Given<KeySlots>;
  /** Of each key the sensors that it is looked at on. */
  readonly sensors: readonly (readonly number[])[];
  readonly series: readonly KeySeries[];
  readonly usual: number;
  readonly fleet: readonly (readonly Span[])[];
}

/** A span, and of which key and sensors its rows are. */
interface FoundSpan extends KeyFinding<KeySeries> {
  readonly place: number;
  readonly sensors?: readonly number[];
}

/** The families of one kind. */
class KindHistory {
  readonly #pool: StoredPool<HistoryTasks>;
  readonly #kind: Kind;
  readonly #sensors: number;
  readonly #watch: Watch;
  readonly #watches: readonly Watch[];
  readonly #given: Given<Watches>;
  readonly #rows: number;
  readonly #cellDays: number;
  /** Ranges of days that follow each other, of about as many rows each. */
  readonly #ranges: readonly (StoredDays & { readonly rows: number })[];

  constructor(pool: StoredPool<HistoryTasks>, { table, rows }: CellSums, kind: Kind, { watch, watches }: Watches, given: Given<Watches>, { taskRows, cellDays }: TaskSizes) {
    this.#cellDays = cellDays;
    this.#pool = pool;
    this.#kind = kind;
    this.#sensors = table.dictionaries.sensor.length;
    this.#watch = watch;
    this.#watches = watches;
    this.#given = given;
    this.#rows = rows[kind].reduce((sum, one) => sum + one, 0);
    this.#ranges = splitDays(table.kinds[kind].day, rows[kind], this.#rows / Math.min(2 * pool.threads, Math.ceil(this.#rows / taskRows)));
  }

  async find(): Promise<[Family, Candidate[]][]> {
    const leaders = await this.#pool.ask("historyLeaders", { kind: this.#kind }, 2 * this.#rows);
    const families = await this.#readFamilies(leaders.filter(({ values }) => values.length > 0));
    const onSensors = await this.#findOnSensors(families);
    const best = families.map(({ series, fleet }, i) => {
      return bestOf(series.flatMap((one, place) => [...fleet[place]!.map((span): FoundSpan => ({ series: one, span, place })), ...(onSensors[i]![place] ?? [])]));
    });
    return await this.#describe(families, best);
  }

  async #readFamilies(leaders: readonly FamilyLeaders[]): Promise<FamilyHistory[]> {
    if (leaders.length === 0) return [];
    const slots = leaders.map(one => this.#pool.give(one.slots));
    const counts = await this.#countDays(leaders.map(({ family }, i) => ({ slots: slots[i]!, hasSources: !isByEvents(family) })));
    return await Promise.all(
      leaders.map(async ({ family, values }, i) => {
        const own = counts[i]!;
        const series = values.map((of, key): KeySeries => ({ family, values: of, ...countsOf(own, key, this.#watch) }));
        const noises = series.map(one => measureNoise(one.counts, this.#watch.exposure));
        const usual = usualCorrelation(noises);
        const sensors = series.map((_, key) => (this.#watches.length === 0 ? [] : sensorsLookedAt(sumsOf(own, key, this.#sensors))));
        return { family, slots: slots[i]!, sensors, series, usual, fleet: await this.#findSpans(series, noises, usual) };
      }),
    );
  }

  async #countDays(wanted: readonly DaysWanted[]): Promise<DayCounts[]> {
    const ask = { kind: this.#kind, sensors: this.#sensors, wanted };
    const parts = await Promise.all(this.#ranges.map(({ first, last, rows }) => this.#pool.ask("historyDays", { ...ask, days: { first, last } }, rows)));
    return wanted.map((_, i) => joinDayCounts(parts.map(part => part[i]!)));
  }

  async #findSpans(series: readonly KeySeries[], noises: readonly Noise[], usual: number): Promise<Span[][]> {
    const days = this.#watch.days.length;
    const found = chunksOf(series, TASK_KEYS).map((chunk, i) => {
      const counts = new Float64Array(chunk.length * days);
      chunk.forEach((one, at) => counts.set(one.counts, at * days));
      const ask = { watches: this.#given, usual, noises: noises.slice(i * TASK_KEYS, (i + 1) * TASK_KEYS), counts };
      return this.#pool.ask("historySpans", ask, SERIES_ROWS * chunk.length);
    });
    return (await Promise.all(found)).flat();
  }

  /** By family and key: spans on single sensors. */
  async #findOnSensors(families: readonly FamilyHistory[]): Promise<FoundSpan[][][]> {
    const found = families.map(({ series }) => series.map((): FoundSpan[] => []));
    const keys = families.flatMap(({ sensors }, at) => sensors.map((own, place): KeyOnSensors => ({ at, place, sensors: own })));
    const cellsAtOnce = this.#cellDays / lengthOf(this.#all);
    for (const chunk of chunksBySize(keys.filter(({ sensors }) => sensors.length > 0), ({ sensors }) => sensors.length, cellsAtOnce)) {
      const asked = families.map((family, at) => ({ family, own: chunk.filter(key => key.at === at) })).filter(({ own }) => own.length > 0);
      const counts = await this.#countDays(asked.map(({ family, own }): DaysWanted => ({ slots: family.slots, hasSources: !isByEvents(family.family), cells: this.#pool.give(toCells(own, family.series.length, this.#sensors)) })));
      const told = await Promise.all(asked.map(({ family, own }, i) => this.#tellOnSensors(family, own, counts[i]!)));
      for (const [key, spans] of told.flat()) found[key.at]![key.place] = spans;
    }
    return found;
  }

  /** @param counts Of each of the sensors of each key, in this order. */
  async #tellOnSensors({ series, fleet, usual }: FamilyHistory, keys: readonly KeyOnSensors[], counts: DayCounts): Promise<[KeyOnSensors, FoundSpan[]][]> {
    let cells = 0;
    const counted = keys.map(({ sensors }) => sensors.map(sensor => ({ sensor, cell: cells++ })));
    const onSensors = counted.map(own => own.map(({ sensor, cell }): OnSensor => ({ sensor, counts: countsOf(counts, cell, this.#watches[sensor]!).counts })));
    const told = await Promise.all(
      chunksOf([...keys.keys()], TASK_KEYS).map(chunk => {
        const cost = SERIES_ROWS * chunk.reduce((sum, i) => sum + onSensors[i]!.length, 0);
        const asked = chunk.map(i => ({ fleet: fleet[keys[i]!.place]!, all: onSensors[i]! }));
        return this.#pool.ask("historySensorSpans", { watches: this.#given, usual, keys: asked }, cost);
      }),
    );
    return told.flat().map((spans, i) => {
      const { place } = keys[i]!;
      const found = spans.map(({ sensor, sensors, span }): FoundSpan => {
        // Its events are told by the days of the fleet.
        const events = new Float64Array(this.#watch.days.length);
        for (const one of counted[i]!) if (sensors.includes(one.sensor)) addTo(events, countsOf(counts, one.cell, this.#watch).events);
        return { place, sensor, sensors, span, series: { ...series[place]!, events, counts: onSensors[i]!.find(one => one.sensor === sensor)!.counts } };
      });
      return [keys[i]!, found];
    });
  }

  /** @param best Of each family the spans that are told. */
  async #describe(families: readonly FamilyHistory[], best: readonly (readonly FoundSpan[])[]): Promise<[Family, Candidate[]][]> {
    const watchOf = ({ sensor }: FoundSpan) => (sensor === undefined ? this.#watch : this.#watches[sensor]!);
    const asked = families.map(({ slots }, i) => ({
      slots,
      spans: best[i]!.map((found): SpanWanted => {
        const { place, sensors, span } = found;
        const { days } = watchOf(found);
        // A pause is told by who was there around it.
        const range = span.shape === "paused" ? this.#all : { first: days[span.start]!, last: days[span.end - 1]! };
        return { place, ...range, ...(sensors && { sensors }) };
      }),
    }));
    const spans = asked.flatMap(one => one.spans);
    if (spans.length === 0) return [];
    const first = spans.reduce((least, span) => Math.min(least, span.first), Infinity);
    const last = spans.reduce((most, span) => Math.max(most, span.last), -Infinity);
    const ranges = this.#ranges.filter(range => range.first <= last && range.last >= first);
    const ask = { kind: this.#kind, sensors: this.#sensors, families: asked };
    const parts = await Promise.all(
      ranges.map(range => this.#pool.ask("historySpanRows", { ...ask, days: { first: Math.max(first, range.first), last: Math.min(last, range.last) } }, range.rows)),
    );
    return families.map(({ family }, i) => [family, best[i]!.map((found, at) => describeCandidate(found, watchOf(found), joinSpanRows(parts.map(part => part[i]![at]!))))]);
  }

  /** All days that the kind has rows of. */
  get #all(): StoredDays {
    return { first: this.#ranges[0]!.first, last: this.#ranges.at(-1)!.last };
  }
}

/** A key, and on which sensors it is looked at. */
interface KeyOnSensors {
  /** Of its family among those of the kind. */
  readonly at: number;
  readonly place: number;
  readonly sensors: readonly number[];
}

function isByEvents(family: Family): boolean {
  const { isAddress }: FamilySpec = FAMILIES[family];
  return isAddress === true;
}

/** Ranges of days with rows of a kind, of so many rows each, about. */
function splitDays(day: Int32Array, rows: Int32Array, rowsEach: number): (StoredDays & { readonly rows: number })[] {
  const ranges: { first: number; last: number; rows: number }[] = [];
  let all = 0;
  for (let i = 0; i < day.length; i++) {
    const open = ranges.at(-1);
    const isNew = open === undefined || (day[i]! > open.last && all >= rowsEach * ranges.length);
    all += rows[i]!;
    if (isNew) ranges.push({ first: open === undefined ? day[i]! : open.last + 1, last: day[i]!, rows: rows[i]! });
    else {
      open.last = day[i]!;
      open.rows += rows[i]!;
    }
  }
  return ranges;
}

/** What was counted of a key on the days of a watch: events, and sources where they are known, else events. */
function countsOf({ days, events, sources, isUnknown }: DayCounts, key: number, watch: Watch): Pick<KeySeries, "events" | "counts"> {
  const all = lengthOf(days);
  const onWatch = (column: Float64Array) => {
    const counts = new Float64Array(watch.days.length);
    for (let place = 0; place < counts.length; place++) {
      const at = watch.days[place]! - days.first;
      if (at >= 0 && at < all) counts[place] = column[key * all + at]!;
    }
    return counts;
  };
  const own = onWatch(events);
  return { events: own, counts: sources === undefined || isUnknown[key] === 1 ? own : onWatch(sources) };
}

/** Events of a key by sensor. */
function sumsOf({ keys, onSensors }: DayCounts, key: number, sensors: number): Float64Array {
  const sums = new Float64Array(sensors);
  for (let sensor = 0; sensor < sensors; sensor++) sums[sensor] = onSensors[sensor * keys + key]!;
  return sums;
}

/** See `cells` of `DaysWanted`: the cells of the keys in their order, those of a key in that of its sensors. */
function toCells(wanted: readonly KeyOnSensors[], keys: number, sensors: number): Int32Array {
  const cells = sharedInts(keys * sensors);
  let size = 0;
  for (const { place, sensors: own } of wanted) for (const sensor of own) cells[sensor * keys + place] = ++size;
  return cells;
}

function addTo(sums: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += counts[i]!;
}

function chunksOf<One>(list: readonly One[], size: number): One[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Chunks of a list whose sizes add up to no more than `most`, if one by itself does not. */
function chunksBySize<One>(list: readonly One[], sizeOf: (one: One) => number, most: number): One[][] {
  const chunks: One[][] = [];
  let size = Infinity;
  for (const one of list) {
    size += sizeOf(one);
    if (size > most) {
      chunks.push([]);
      size = sizeOf(one);
    }
    chunks.at(-1)!.push(one);
  }
  return chunks;
}
