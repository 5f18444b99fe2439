/** What happened to single keys, with who and where: what episodes are put together from. Tested in `test/lib/history/episodes.test.ts`. */
import type { Coverage } from "../statistics/coverage.ts";
import { placeOfDay } from "../statistics/keyed-rows.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { buildSeries, buildWatch, type DaySeries, type Watch } from "./day-series.ts";
import { FAMILIES, type Family, FAMILY_NAMES } from "./families.ts";
import type { HistorySource } from "./history-source.ts";
import { findShape } from "./levels.ts";
import { measureNoise, sizeOf, usualCorrelation } from "./noise.ts";
import { addressesOf, type RowAddresses } from "../reduced/addresses.ts";
import { gatherSources, type SourceSet } from "./source-sets.ts";
import { findSpans, type Span } from "./spans.ts";

/**
 * What a change must gain in twice the log-likelihood.
 *
 * With it and the rank test of `levels.ts`, of the keys of real logs whose days were shuffled less than one in a hundred
 * has a change of level.
 */
export const PENALTY = 16;

/** Candidates of a family at most: those that gain most. */
const CANDIDATES_MOST = 200;

export interface Candidate {
  readonly series: DaySeries;
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
}

export function findCandidates(source: HistorySource, coverage: Coverage): { watch: Watch; candidates: Candidate[] } {
  const watch = buildWatch(source.connects, coverage);
  const known = new WeakMap<KindTable, { readonly addresses: RowAddresses | undefined }>();
  // Of a kind whose key has the address they are made anew each time: once for its families.
  const addressesBy = (table: ReducedTable, kind: Kind) => {
    const rows = table.kinds[kind];
    if (!known.has(rows)) known.set(rows, { addresses: addressesOf(table, kind) });
    return known.get(rows)!.addresses;
  };
  const candidates = FAMILY_NAMES.flatMap(family => {
    const table = source.tableOf(family);
    return ofFamily(table, watch, addressesBy(table, FAMILIES[family].kind), family);
  });
  return { watch, candidates };
}

function ofFamily(table: ReducedTable, watch: Watch, addresses: RowAddresses | undefined, family: Family): Candidate[] {
  const all = buildSeries(table, watch, addresses, family);
  const noises = all.map(({ counts }) => measureNoise(counts, watch.exposure));
  const usual = usualCorrelation(noises);
  const found: { series: DaySeries; span: Span }[] = [];
  all.forEach((series, i) => {
    const size = sizeOf(noises[i]!, usual);
    const shape = findShape(series.counts, watch.exposure, { size, penalty: PENALTY });
    for (const span of findSpans(series.counts, watch.exposure, size, shape)) found.push({ series, span });
  });
  const best = found.toSorted((a, b) => b.span.gain - a.span.gain).slice(0, CANDIDATES_MOST);
  return best.map(({ series, span }) => toCandidate(table, watch, addresses, series, span));
}

function toCandidate(table: ReducedTable, watch: Watch, addresses: RowAddresses | undefined, series: DaySeries, span: Span): Candidate {
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
  const sensors = [...isSeen.keys()].filter(sensor => isSeen[sensor] === 1);
  return {
    series,
    span,
    first,
    last,
    begins: span.start > 0,
    ends: span.end < watch.days.length,
    sensors,
    sources: addresses && gatherSources(addresses, rows),
    events,
  };
}

/** Of rows in day order those of some days. */
function rowsOfDays(rows: Int32Array, day: Int32Array, first: number, last: number): Int32Array {
  return rows.subarray(placeOfDay(day, rows, first), placeOfDay(day, rows, last + 1));
}
