/**
 * A dataset and a new table that count some of the same logs: which of them counts which days.
 *
 * Logs go and grow. So the two need not be parts of one another as a whole: of each day that counts which has all logs of it
 * that the other has, in the same state or a later one; days of other logs add up. What is left of both has no log's day
 * twice, and is combined as days of the same logs are.
 *
 * Tested in `test/lib/reduced/settle-days.test.ts`.
 */
import type { SourceInfo } from "../events/source.ts";
import { dayOf } from "../text/time.ts";
import { isNoWider, isStateOf } from "./combine.ts";
import { cutDays, type DayBounds, daysOf, hasDay, uniteDays, withoutDays } from "./day-ranges.ts";
import { batchesOf } from "./merge-sorted.ts";
import type { SortedTable } from "./sorted-table.ts";
import { type ReducedInfo, takeRows } from "./reduced-table.ts";

export interface SettledDays {
  /** Sources of the dataset and of the new table that are left, each with its days. */
  readonly old: readonly SourceInfo[];
  readonly added: readonly SourceInfo[];
  /** Days that the dataset counts, and those that the new table counts in its place. */
  readonly kept: readonly DayBounds[];
  readonly replaced: readonly DayBounds[];
  /** Logs that were written on after the last day of them that the dataset counts: of that day there may be more. */
  readonly grown: readonly { readonly path: string; readonly day: number }[];
}

/** A log that one of the two counts, and on which days it may have events. */
interface Counted {
  readonly source: SourceInfo;
  readonly days: readonly DayBounds[];
  readonly seen: readonly DayBounds[];
}

/**
 * @param prefersNew Whether a day of which both have all goes to the new table: the dataset may have counted it when less of a
 * log was written.
 * @returns undefined where they have no log in common, or are counted by other rules, or a day is of neither.
 */
export function settleDays(old: ReducedInfo, added: ReducedInfo, prefersNew = false): SettledDays | undefined {
  const isOneRule =
    isNoWider(old.parameters, added.parameters) && isNoWider(added.parameters, old.parameters) && JSON.stringify(old.shard) === JSON.stringify(added.shard);
  const [ours, theirs] = [countedOf(old), countedOf(added)];
  if (!isOneRule || ours === undefined || theirs === undefined || ![...ours.keys()].some(head => theirs.has(head))) return undefined;
  const ranges = chooseDays(ours, theirs, prefersNew);
  if (ranges === undefined) return undefined;
  const grown: { path: string; day: number }[] = [];
  const left = { old: [] as SourceInfo[], added: [] as SourceInfo[] };
  for (const [head, own] of ours) {
    const other = theirs.get(head);
    if (other === undefined) {
      left.old.push(own.source);
      continue;
    }
    const isGrown = isLess(own, other);
    if (!isGrown && !isLess(other, own)) return undefined;
    // Of two states the later is the log, and the days of both are counted.
    const state = isGrown ? other.source : own.source;
    const [stay, come] = splitDays(own, other, ranges);
    if (stay.length > 0) left.old.push(withDays(state, stay));
    if (come.length > 0) left.added.push(withDays(state, come));
    const [earlier, counted] = isGrown ? [own, stay] : [other, come];
    const last = dayOf(earlier.source.lastSeenUs ?? NaN);
    if (earlier.source.wholeHash !== state.wholeHash && hasDay(counted, last)) grown.push({ path: state.path, day: last });
  }
  for (const [head, { source }] of theirs) if (!ours.has(head)) left.added.push(source);
  return { ...left, ...ranges, grown };
}

/** By the hash of their first line; undefined if two are alike. */
function countedOf({ sources, parameters }: ReducedInfo): Map<string, Counted> | undefined {
  const counted = new Map<string, Counted>();
  for (const source of sources) {
    const { firstSeenUs, lastSeenUs, headHash } = source;
    const days = daysOf(source, parameters);
    const seen = firstSeenUs === undefined ? [] : cutDays(days, [dayOf(firstSeenUs), dayOf(lastSeenUs!)]);
    counted.set(headHash, { source, days, seen });
  }
  return counted.size === sources.length ? counted : undefined;
}

function isLess({ source }: Counted, { source: other }: Counted): boolean {
  return isStateOf(source, other);
}

/** The days of a log, those of one of the two together, by who has events on them; where only one has, it has all. */
function splitDays(own: Counted, other: Counted, { kept, replaced }: Pick<SettledDays, "kept" | "replaced">): [stay: DayBounds[], come: DayBounds[]] {
  const all = uniteDays([...own.days, ...other.days]);
  const [stays, comes] = [withoutDays(own.seen, replaced), withoutDays(other.seen, kept)];
  if (comes.length === 0) return [all, []];
  if (stays.length === 0) return [[], all];
  const stay = withoutDays(withoutDays(own.days, replaced), comes);
  return [stay, withoutDays(all, stay)];
}

function withDays(source: SourceInfo, days: readonly DayBounds[]): SourceInfo {
  return { ...source, days: days.map(range => range.map(day => (Number.isFinite(day) ? day : null)) as [number | null, number | null]) };
}

/** Walk over the days on which logs begin and end, not over all days: there may be centuries between. */
function chooseDays(ours: ReadonlyMap<string, Counted>, theirs: ReadonlyMap<string, Counted>, prefersNew: boolean): Pick<SettledDays, "kept" | "replaced"> | undefined {
  const steps: { day: number; head: string; isOurs: boolean; by: 1 | -1 }[] = [];
  for (const [counted, isOurs] of [[ours, true], [theirs, false]] as const) {
    for (const [head, { seen }] of counted) {
      for (const [from, to] of seen) steps.push({ day: from, head, isOurs, by: 1 }, { day: to + 1, head, isOurs, by: -1 });
    }
  }
  steps.sort((a, b) => a.day - b.day);
  const [kept, replaced]: [DayBounds[], DayBounds[]] = [[], []];
  const active = { ours: new Set<string>(), theirs: new Set<string>() };
  // Logs that both have on these days; of each side those that the other has not, or not all of.
  const shared = new Set<string>();
  const missing = { ours: new Set<string>(), theirs: new Set<string>() };
  const mark = (set: Set<string>, head: string, is: boolean) => void (is ? set.add(head) : set.delete(head));
  for (let i = 0; i < steps.length; ) {
    const { day } = steps[i]!;
    for (; i < steps.length && steps[i]!.day === day; i++) {
      const { head, isOurs, by } = steps[i]!;
      mark(isOurs ? active.ours : active.theirs, head, by === 1);
      const [isOld, isNew] = [active.ours.has(head), active.theirs.has(head)];
      const [own, other] = [ours.get(head), theirs.get(head)];
      mark(shared, head, isOld && isNew);
      mark(missing.ours, head, isNew && !(isOld && isLess(other!, own!)));
      mark(missing.theirs, head, isOld && !(isNew && isLess(own!, other!)));
    }
    if (shared.size === 0 || i === steps.length) continue;
    const range: DayBounds = [day, steps[i]!.day - 1];
    const [isAllOurs, isAllTheirs] = [missing.ours.size === 0, missing.theirs.size === 0];
    if (!isAllOurs && !isAllTheirs) return undefined;
    if (isAllOurs && !(prefersNew && isAllTheirs)) kept.push(range);
    else replaced.push(range);
  }
  return { kept: uniteDays(kept), replaced: uniteDays(replaced) };
}

/** A table without the rows of some days; verdicts, which hold whenever they were given, stay. */
export function dropDays(table: SortedTable, info: ReducedInfo, taken: readonly DayBounds[]): SortedTable {
  return {
    name: table.name,
    info,
    textsOf: name => table.textsOf(name),
    isEmpty: () => table.isEmpty(),
    *batches(kind, memory) {
      for (const batch of batchesOf(table, kind, memory)) {
        const { rows, day } = batch.table;
        const left: number[] = [];
        for (let row = 0; row < rows; row++) if (kind === "scan" || !hasDay(taken, day[row]!)) left.push(row);
        if (left.length > 0) yield left.length === rows ? batch : { table: takeRows(batch.table, Int32Array.from(left)), sets: batch.sets };
      }
    },
    close: () => table.close(),
  };
}
