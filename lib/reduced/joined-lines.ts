/**
 * Lines that a rotation cut in two: the first half ends one log, the second half opens the next.
 *
 * Cowrie before v3.0.6 wrote a line in many pieces, and the rename at midnight could fall between two of them.
 */
import { dirname } from "node:path";
import { chunkedText } from "../events/log-text.ts";
import { mapLog } from "../events/map-log.ts";
import type { ReducedRows } from "./reduced-builder.ts";
import { reduceEvents } from "./reduce.ts";
import type { ReductionParameters } from "../events/scope.ts";
import type { BuiltEventTable } from "../events/event-table.ts";
import { compareSources, type SourceInfo } from "../events/source.ts";

/** The event of a cut line stands between its neighbours in time; clocks are given this much. */
const SLACK_US = 3_600_000_000;

/** A cut line that was put together. */
export interface Seam {
  /** The log that ends with the first half; the event is counted there. */
  readonly before: SourceInfo;
  readonly after: SourceInfo;
  readonly table: BuiltEventTable;
}

/** Find the cut lines of some logs; each half is used once. */
export async function findSeams(sources: readonly SourceInfo[]): Promise<Seam[]> {
  const seams: Seam[] = [];
  // Those of a folder in the order in which they begin, so that the next is found without looking at all.
  const heads = Map.groupBy(
    sources.filter(({ head, firstSeenUs }) => head !== undefined && firstSeenUs !== undefined).sort(compareSources),
    ({ path }) => dirname(path),
  );
  for (const before of sources) {
    const folder = heads.get(dirname(before.path));
    if (folder === undefined || before.tail === undefined || before.lastSeenUs === undefined) continue;
    // The next log is the one of its folder that begins soonest behind this one.
    let at = firstFrom(folder, before.lastSeenUs - SLACK_US);
    if (folder[at] === before) at++;
    const after = folder[at];
    const table = after && (await joinLine(before, after));
    if (table === undefined) continue;
    folder.splice(at, 1);
    seams.push({ before, after: after!, table });
  }
  return seams;
}

/** The first place of a list in order of first events whose event is not before `us`. */
function firstFrom(sources: readonly SourceInfo[], us: number): number {
  let low = 0;
  let high = sources.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sources[middle]!.firstSeenUs! < us) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The sources with the halves that were joined taken out of what was rejected or pending. */
export function settleSeams(sources: readonly SourceInfo[], seams: readonly Seam[]): SourceInfo[] {
  const joined = new Map<SourceInfo, { head: boolean; tail: boolean }>();
  const mark = (source: SourceInfo, half: "head" | "tail") => {
    const marks = joined.get(source) ?? { head: false, tail: false };
    marks[half] = true;
    joined.set(source, marks);
  };
  for (const { before, after } of seams) {
    mark(before, "tail");
    mark(after, "head");
  }
  return sources.map(source => {
    const marks = joined.get(source);
    if (marks === undefined) return source;
    const counts = { ...source.counts };
    const { head, tail, ...rest } = source;
    if (marks.tail) {
      if (counts.pending > 0) counts.pending--;
      else counts.rejected--;
      counts.repaired++;
    }
    if (marks.head) counts.rejected--;
    return {
      ...rest,
      counts,
      ...(marks.head || head === undefined ? {} : { head }),
      ...(marks.tail || tail === undefined ? {} : { tail }),
    };
  });
}

/** Reduced rows of a cut line, which comes behind all others of its log. */
export async function reduceSeam(seam: Seam, parameters: ReductionParameters): Promise<ReducedRows> {
  const { rows } = await reduceEvents(seam.table, seam.before.wholeHash, parameters);
  rows.kinds.last_command?.keys.line?.fill(seam.before.counts.events + seam.before.counts.repaired);
  return rows;
}

/** The event of two halves, if they are halves of one line. */
async function joinLine(before: SourceInfo, after: SourceInfo): Promise<BuiltEventTable | undefined> {
  async function* line() {
    yield new TextEncoder().encode(`${before.tail}${after.head}\n`);
  }
  const { info, table } = await mapLog(before.path, chunkedText("none", line()));
  const { counts, firstSeenUs } = info.source;
  const isOneEvent = counts.events === 1 && counts.repaired === 0 && counts.rejected === 0;
  const isBetween =
    firstSeenUs !== undefined &&
    firstSeenUs >= before.lastSeenUs! - SLACK_US &&
    firstSeenUs <= after.firstSeenUs! + SLACK_US;
  if (isOneEvent && isBetween) return table;
  table.close();
  return undefined;
}
