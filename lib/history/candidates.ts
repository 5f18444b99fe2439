/** What happened to single keys, with who and where: what episodes are put together from. Tested in `test/lib/history/episodes.test.ts`. */
import type { Coverage } from "../statistics/coverage.ts";
import { placeOfDay } from "../statistics/keyed-rows.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { buildSeries, buildWatch, type DaySeries, type KeySeries, type Watch } from "./day-series.ts";
import { FAMILIES, type Family, FAMILY_NAMES, type FamilySpec } from "./families.ts";
import type { HistorySource } from "./history-source.ts";
import { findShape, PENALTY } from "./levels.ts";
import { measureNoise, type Noise, sizeOf, usualCorrelation } from "./noise.ts";
import { buildSensorWatches, findSensorSpans } from "./sensor-levels.ts";
import { addressesOf, type RowAddresses } from "../reduced/addresses.ts";
import { gatherSources, type SourceSet } from "./source-sets.ts";
import { findSpans, type Span } from "./spans.ts";

/** Candidates of a family at most: those that gain most. */
const CANDIDATES_MOST = 200;

export interface Candidate {
  readonly series: Pick<KeySeries, "family" | "values" | "events">;
  readonly span: Span;
  /** Days since 1970-01-01, both included. */
  readonly first: number;
  readonly last: number;
  /** Whether the span begins, and ends, inside the archive. */
  readonly begins: boolean;
  readonly ends: boolean;
  /** Codes of the sensors that had the key in the span. */
  readonly sensors: readonly number[];
  /** Addresses behind it, undefined where nobody knows. */
  readonly sources: SourceSet | undefined;
  readonly events: number;
  /** The others have the key too, and saw nothing of it: what happened to it there alone. */
  readonly isLocal: boolean;
}

export function findCandidates(source: HistorySource, coverage: Coverage): { watch: Watch; candidates: Candidate[] } {
  const watch = buildWatch(source.connects, coverage);
  const watches = coverage.sensors.length > 1 ? buildSensorWatches(coverage) : [];
  const known = new WeakMap<KindTable, { readonly addresses: RowAddresses | undefined }>();
  // Of a kind whose key has the address they are made anew each time: once for its families.
  const addressesBy = (table: ReducedTable, kind: Kind) => {
    const rows = table.kinds[kind];
    if (!known.has(rows)) known.set(rows, { addresses: addressesOf(table, kind) });
    return known.get(rows)!.addresses;
  };
  const candidates = FAMILY_NAMES.flatMap(family => {
    const table = source.tableOf(family);
    if (table.kinds[FAMILIES[family].kind].rows === 0) return [];
    const known = addressesBy(table, FAMILIES[family].kind);
    const measured = measureSeries(buildSeries(table, watch, known, family), watch);
    return candidatesOf(table, { watch, watches }, known, family, measured, usualCorrelation(measured.map(({ noise }) => noise)));
  });
  return { watch, candidates };
}

/** A series, and how much it varies. */
export interface MeasuredSeries {
  readonly series: DaySeries;
  readonly noise: Noise;
}

export function measureSeries(all: readonly DaySeries[], { exposure }: Watch): MeasuredSeries[] {
  return all.map(series => ({ series, noise: measureNoise(series.counts, exposure) }));
}

/** The days of the fleet, and of each sensor where there are several. */
export interface Watches {
  readonly watch: Watch;
  readonly watches: readonly Watch[];
}

/** Something that happened to a key, on the fleet or on one sensor. */
export interface KeyFinding<Series extends KeySeries = DaySeries> {
  readonly series: Series;
  readonly span: Span;
  readonly sensor?: number;
}

/**
 * What happened to keys of a family, what gains most first; of equal gains in the order of the keys.
 *
 * @param known The addresses behind the rows of its kind.
 * @param usual The correlation that is usual in the family.
 */
export function candidatesOf(
  table: ReducedTable,
  { watch, watches }: Watches,
  known: RowAddresses | undefined,
  family: Family,
  measured: readonly MeasuredSeries[],
  usual: number,
): Candidate[] {
  const own = table.kinds[FAMILIES[family].kind];
  const { isAddress }: FamilySpec = FAMILIES[family];
  const look = { own, watch, watches, addresses: isAddress ? undefined : known, usual };
  const found = measured.flatMap(({ series, noise }): KeyFinding[] => {
    const spans = spansOf(series.counts, watch, noise, usual);
    return [...spans.map(span => ({ series, span })), ...(watches.length > 0 ? findSensorSpans(series, spans, look) : [])];
  });
  return bestOf(found).map(one => toCandidate(table, one.sensor === undefined ? watch : watches[one.sensor]!, known, one));
}

/** What a series of the fleet shows. */
export function spansOf(counts: Float64Array, { exposure }: Watch, noise: Noise, usual: number): Span[] {
  const size = sizeOf(noise, usual);
  return findSpans(counts, exposure, size, findShape(counts, exposure, { size, penalty: PENALTY }));
}

/** Of what was found in a family what gains most, of equal ones the first. */
export function bestOf<One extends { readonly span: Span }>(found: readonly One[]): One[] {
  return found.toSorted((a, b) => b.span.gain - a.span.gain).slice(0, CANDIDATES_MOST);
}

/** @param watch That whose days the span is of. */
function toCandidate(table: ReducedTable, watch: Watch, addresses: RowAddresses | undefined, found: KeyFinding): Candidate {
  const { series, span } = found;
  const own = table.kinds[FAMILIES[series.family].kind];
  const first = watch.days[span.start]!;
  const last = watch.days[span.end - 1]!;
  // A pause is told by who was there around it.
  const rows = span.shape === "paused" ? series.rows : rowsOfDays(series.rows, own.day, first, last);
  const isSeen = new Uint8Array(table.dictionaries.sensor.length);
  let events = 0;
  for (let i = 0; i < rows.length; i++) {
    events += own.count[rows[i]!]!;
    isSeen[own.sensor[rows[i]!]!] = 1;
  }
  return describeCandidate(found, watch, { events, isSeen, sources: addresses && gatherSources(addresses, rows) });
}

/** What the rows of a span tell. */
export interface SpanRows {
  readonly events: number;
  /** By sensor: 1 = it has one. */
  readonly isSeen: Uint8Array;
  readonly sources: SourceSet | undefined;
}

/** @param watch That whose days the span is of. */
export function describeCandidate({ series, span, sensor }: KeyFinding<KeySeries>, watch: Watch, { events, isSeen, sources }: SpanRows): Candidate {
  return {
    // Its rows are let go.
    series: { family: series.family, values: series.values, events: series.events },
    span,
    first: watch.days[span.start]!,
    last: watch.days[span.end - 1]!,
    begins: span.start > 0,
    ends: span.end < watch.days.length,
    sensors: [...isSeen.keys()].filter(at => isSeen[at] === 1),
    sources,
    events,
    isLocal: sensor !== undefined,
  };
}

/** Of rows in day order those of some days. */
function rowsOfDays(rows: Int32Array, day: Int32Array, first: number, last: number): Int32Array {
  return rows.subarray(placeOfDay(day, rows, first), placeOfDay(day, rows, last + 1));
}
