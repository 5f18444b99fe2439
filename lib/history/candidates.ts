/** What happened to single keys, with who and where: what episodes are put together from. Tested in `test/lib/history/episodes.test.ts`. */
import type { Coverage } from "../statistics/coverage.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { buildSeries, buildWatch, type DaySeries, type Watch } from "./day-series.ts";
import { FAMILIES, type Family, FAMILY_NAMES } from "./families.ts";
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

export function findCandidates(table: ReducedTable, coverage: Coverage): { watch: Watch; candidates: Candidate[] } {
  const watch = buildWatch(table, coverage);
  return { watch, candidates: FAMILY_NAMES.flatMap(family => ofFamily(table, watch, family)) };
}

function ofFamily(table: ReducedTable, watch: Watch, family: Family): Candidate[] {
  const all = buildSeries(table, watch, family);
  const noises = all.map(({ counts }) => measureNoise(counts, watch.exposure));
  const usual = usualCorrelation(noises);
  const found: { series: DaySeries; span: Span }[] = [];
  all.forEach((series, i) => {
    const size = sizeOf(noises[i]!, usual);
    const shape = findShape(series.counts, watch.exposure, { size, penalty: PENALTY });
    for (const span of findSpans(series.counts, watch.exposure, size, shape)) found.push({ series, span });
  });
  const best = found.toSorted((a, b) => b.span.gain - a.span.gain).slice(0, CANDIDATES_MOST);
  const addresses = addressesOf(table, FAMILIES[family].kind);
  return best.map(({ series, span }) => toCandidate(table, watch, addresses, series, span));
}

function toCandidate(table: ReducedTable, watch: Watch, addresses: RowAddresses | undefined, series: DaySeries, span: Span): Candidate {
  const own = table.kinds[FAMILIES[series.family].kind];
  const first = watch.days[span.start]!;
  const last = watch.days[span.end - 1]!;
  // A pause is told by who was there around it.
  const rows = series.rows.filter(row => span.shape === "paused" || (own.day[row]! >= first && own.day[row]! <= last));
  const sensors = [...new Set(Array.from(rows, row => own.sensor[row]!))].sort((a, b) => a - b);
  let events = 0;
  for (const row of rows) events += own.count[row]!;
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
