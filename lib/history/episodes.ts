/**
 * The history of an archive: what happened when, each thing once, the most remarkable first.
 *
 * Keys that begin, peak or end on the same days through the same sources are one episode. What is an episode of the
 * sensors themselves (an outage, a new one, another version) is told as such, so that nobody takes it for attackers.
 */
import { buildCoverage, type Coverage } from "../statistics/coverage.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { type Candidate, findCandidates } from "./candidates.ts";
import { type HistorySource, toHistorySource } from "./history-source.ts";
import type { Watch } from "./day-series.ts";
import { FAMILIES, type Family, LEAST_DAYS } from "./families.ts";
import type { PeakLeader } from "./peaks.ts";
import { commonShare, sourceSetSize, uniteSets } from "./source-sets.ts";
import type { SpanShape } from "./spans.ts";
import { daysOfIds, findWatchChanges, type WatchChange, type WatchShape } from "./watch-changes.ts";

/** `peak`: of a day, by an address of which nothing else is told. */
export type EpisodeShape = SpanShape | WatchShape | "peak";

export type EpisodeKey = ReturnType<typeof toKeys>[number];

export interface Episode {
  readonly shape: EpisodeShape;
  /** Days since 1970-01-01 UTC, both included; of a pause, its own. */
  readonly first: number;
  readonly last: number;
  /** Whether it begins after the archive does, and ends before. */
  readonly begins: boolean;
  readonly ends: boolean;
  /** Names of the sensors it was seen on, and how many there were to see it. */
  readonly sensors: readonly string[];
  readonly sensorsWatching: number;
  /** What leads it changed there alone; the other sensors have it as before. */
  readonly isLocal?: true;
  readonly sources: number | undefined;
  /** Those that are counted of what leads it; of several addresses that did the same, of all of them. */
  readonly events: number;
  /** How many keys of the family that leads it there are, told below or not. */
  readonly alike: number;
  /** What tells of it, what leads it first; empty for an episode of the watch. */
  readonly keys: readonly EpisodeKey[];
  /** Events of what leads it, by day of the archive; null on days that nobody watched. Of the watch none. */
  readonly perDay?: { readonly firstDay: number; readonly counts: readonly (number | null)[] };
  /** What single addresses of it made of the peaks of its days, the most of it first; left out where nothing. */
  readonly peaks?: readonly PeakLeader[];
  /** Of an episode of the watch: hours lost, event ids that came and went. */
  readonly watch?: Pick<WatchChange, "hours" | "eventids" | "goneEventids">;
  /** A level that holds for days has passed a test; a burst is counted. */
  readonly isTested: boolean;
  /** Log-likelihood that its most surprising key gains by it; 0 for an episode of the watch. */
  readonly surprise: number;
  /** What it is ranked by. */
  readonly score: number;
}

export interface EpisodeOptions {
  /** Where the coverage has been built before. */
  readonly coverage?: Coverage;
  /** Episodes of attackers at most; 0 = all. */
  readonly limit?: number;
}

/** Edges of the same episode differ by this part of its length at most, and by so many days. */
const EDGE_SHARE = 0.15;
const EDGE_DAYS = 3;
/** Part of the sources of the smaller that two keys of one episode share, at least. */
const LEAST_COMMON = 0.5;
/** Part of what is done of its kind on its days that a single address makes, at least, to be one with others like it. */
const LEAST_PART = 0.02;
/** No surprise is greater: beyond, models and not attackers decide. */
const SURPRISE_MOST = 200;
/** What leads an episode comes from this part of its sources, at least. */
const LEAD_SHARE = 0.5;
/** Keys told of an episode, of each family. */
const KEYS_MOST = 20;

/** Find the episodes of a table, by score. */
export function findEpisodes(table: ReducedTable, options: EpisodeOptions = {}): Episode[] {
  return findEpisodesIn(toHistorySource(table), { ...options, coverage: options.coverage ?? buildCoverage(table) });
}

/** {@link findEpisodes} of a table that may lie elsewhere. */
export function findEpisodesIn(source: HistorySource, options: EpisodeOptions & { readonly coverage: Coverage }): Episode[] {
  const changes = findWatchChanges(daysOfIds([source.events], source.dictionaries), options.coverage);
  return tellEpisodes({ changes, ...findCandidates(source, options.coverage), totals: source.totals }, options);
}

/** What episodes are made of. */
export interface Happened {
  readonly changes: readonly WatchChange[];
  readonly watch: Watch;
  readonly candidates: readonly Candidate[];
  /** Its counts add up, by kind and day, to those of all rows. */
  readonly totals: ReducedTable;
}

/** The episodes of what happened, by score. */
export function tellEpisodes({ changes, watch, candidates, totals: table }: Happened, options: EpisodeOptions & { readonly coverage: Coverage }): Episode[] {
  const { coverage } = options;
  const totals = new DayTotals(table, coverage);
  const ofAttackers = candidates.filter(candidate => !changes.some(change => explains(change, candidate, coverage.sensors.length)));
  const groups = watch.days.length < LEAST_DAYS ? [] : groupCandidates(totals, ofAttackers);
  const episodes = discount(groups.map(group => toEpisode(coverage, watch, totals, group))).sort(byScore);
  const shown = options.limit === undefined || options.limit === 0 ? episodes : episodes.slice(0, options.limit);
  return [...shown, ...changes.map(change => toWatchEpisode(coverage, change))].sort(byScore);
}

function byScore(a: Episode, b: Episode): number {
  return b.score - a.score || b.surprise - a.surprise || a.first - b.first || a.last - b.last;
}

/** Candidates told together; the first of a group is what it was gathered round. */
interface Group {
  readonly seed: Candidate;
  readonly members: Candidate[];
  /** What several actors of it did, each for himself. */
  readonly together?: Activity;
}

function groupCandidates(totals: DayTotals, candidates: readonly Candidate[]): Group[] {
  const isEvent = ({ series }: Candidate) => series.family === "event";
  const sorted = candidates.toSorted(
    (a, b) => Number(isEvent(a)) - Number(isEvent(b)) || scoreOf([b]) - scoreOf([a]) || a.first - b.first,
  );
  const groups: Group[] = [];
  for (const candidate of sorted) {
    const group = groups.find(
      ({ seed }) => (isSameTime(seed, candidate) && isSameActor(seed, candidate)) || isOneOf(candidate, seed),
    );
    if (group === undefined) groups.push({ seed: candidate, members: [candidate] });
    else group.members.push(candidate);
  }
  return joinBursts(totals, groups);
}

/** Whether two keys begin and end together, as far as the archive shows it. */
function isSameTime(a: Candidate, b: Candidate): boolean {
  if ((a.span.shape === "paused") !== (b.span.shape === "paused")) return false;
  const length = Math.min(a.last - a.first, b.last - b.first) + 1;
  const slack = Math.min(EDGE_DAYS, Math.max(1, Math.round(EDGE_SHARE * length)));
  const isNear = (x: number, y: number) => Math.abs(x - y) <= slack;
  return isNear(a.first, b.first) && isNear(a.last, b.last);
}

function isSameActor(a: Candidate, b: Candidate): boolean {
  if (countShared(a.sensors, b.sensors) < Math.min(a.sensors.length, b.sensors.length)) return false;
  if (a.sources === undefined || b.sources === undefined) return true;
  return commonShare(a.sources, b.sources) >= LEAST_COMMON;
}

/** How many numbers two rising lists share. */
function countShared(a: readonly number[], b: readonly number[]): number {
  let [i, j, shared] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) shared++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return shared;
}

/** What attackers do, and by whom, or by what, it is counted. */
type Activity = "proxy" | "connection" | "login" | "command" | "client" | "event";
const ACTIVITY_OF: Readonly<Record<Family, Activity>> = {
  user: "proxy",
  target: "proxy",
  address: "connection",
  network: "connection",
  credential: "login",
  username: "login",
  password: "login",
  command: "command",
  file: "command",
  upload: "command",
  client: "client",
  hassh: "client",
  event: "event",
};

/**
 * Join bursts of the same days that are made by single addresses doing the same: each is one of several. Those that each
 * make much of it are one, and the many that make little are another.
 */
function joinBursts(totals: DayTotals, groups: readonly Group[]): Group[] {
  const joined: Group[] = [];
  const placeOf = new Map<string, number>();
  for (const group of groups) {
    const solo = soloActivity(totals, group);
    const key = `${solo?.activity} ${solo?.isLarge} ${group.seed.first} ${group.seed.last}`;
    const place = solo === undefined ? undefined : placeOf.get(key);
    if (place === undefined) {
      const at = joined.push(group) - 1;
      if (solo !== undefined) placeOf.set(key, at);
    } else {
      const other = joined[place]!;
      joined[place] = { ...other, members: [...other.members, ...group.members], together: solo!.activity };
    }
  }
  return joined;
}

/** What single addresses do in a burst, and whether one of them makes much of all that is done of it. */
function soloActivity(totals: DayTotals, { seed, members }: Group): { activity: Activity; isLarge: boolean } | undefined {
  if (seed.span.shape !== "burst") return undefined;
  const solos = members.filter(({ series }) => series.family === "user" || series.family === "address");
  const large = solos.find(({ series, first, last, events }) => {
    return events >= LEAST_PART * totals.sum(FAMILIES[series.family].kind, first, last);
  });
  if (large !== undefined) return { activity: ACTIVITY_OF[large.series.family], isLarge: true };
  // Of a group that something else leads its addresses are no more than members.
  return solos.includes(seed) ? { activity: ACTIVITY_OF[seed.series.family], isLarge: false } : undefined;
}

/** Events of one machine of a campaign, of the mean of all, at most. */
const MACHINE_TIMES = 4;

/** Whether a key is one address of many that another key came from, and did no more than one of those usually did. */
function isOneOf({ sources, first, last, events, span }: Candidate, campaign: Candidate): boolean {
  if (sources?.length !== 1 || campaign.sources === undefined || campaign.sources.length < 2) return false;
  if (span.shape === "burst" || first < campaign.first - 1 || last > campaign.last + 1) return false;
  const isTypical = events * sourceSetSize(campaign.sources) <= MACHINE_TIMES * campaign.events;
  return isTypical && commonShare(sources, campaign.sources) === 1;
}

/**
 * What candidates are ranked by: how surprising, through how many sources, on how many sensors; the latter by their
 * logarithms, as a hundred addresses are not a hundred times as remarkable as one. What takes long is less of a surprise.
 */
function scoreOf(members: readonly Candidate[]): number {
  const surprise = Math.max(...members.map(({ span }) => Math.min(SURPRISE_MOST, span.gain) / Math.sqrt(span.end - span.start)));
  const sources = Math.max(1, ...members.map(one => (one.sources === undefined ? 1 : sourceSetSize(one.sources))));
  const sensors = Math.max(1, ...members.map(one => one.sensors.length));
  return surprise * (1 + Math.log(sources)) * (1 + Math.log(sensors));
}

/** The second of what the same activity tells is less news than the first, the third less again. */
function discount(episodes: readonly Episode[]): Episode[] {
  const told = new Map<Activity, number>();
  return episodes.toSorted(byScore).map(episode => {
    const activity = ACTIVITY_OF[episode.keys[0]!.family];
    const before = told.get(activity) ?? 0;
    told.set(activity, before + 1);
    return { ...episode, score: episode.score / (1 + before) };
  });
}

function toEpisode(coverage: Coverage, watch: Watch, totals: DayTotals, { seed, members, together }: Group): Episode {
  const names = coverage.sensors;
  // What every actor logs says nothing of this one, where anything else is known.
  const own = members.filter(({ series }) => series.family !== "event");
  const telling = own.length > 0 ? own : members;
  const sets = telling.flatMap(({ sources }) => sources ?? []);
  const all = sets.length === 0 ? undefined : uniteSets(sets);
  const first = Math.min(...telling.map(one => one.first));
  const last = Math.max(...telling.map(one => one.last));
  const sorted = sortTelling(telling, all && sourceSetSize(all), together);
  const alike = sorted.filter(({ series }) => series.family === sorted[0]!.series.family);
  // Addresses that are part of what one sensor saw may have been elsewhere, too.
  const seenBy = sorted[0]!.isLocal ? sorted.slice(0, 1) : telling;
  const sensors = [...new Set(seenBy.flatMap(one => one.sensors))].sort((a, b) => a - b);
  return {
    shape: seed.span.shape,
    first,
    last,
    begins: seed.begins,
    ends: seed.ends,
    sensors: sensors.map(code => names[code]!),
    sensorsWatching: countWatching(coverage, first, last),
    ...(sorted[0]!.isLocal && { isLocal: true }),
    sources: all && sourceSetSize(all),
    events: together === undefined ? sorted[0]!.events : alike.reduce((sum, { events }) => sum + events, 0),
    alike: alike.length,
    keys: toKeys(totals, [...sorted, ...members.filter(one => !telling.includes(one))]),
    perDay: toPerDay(watch, together === undefined ? [sorted[0]!] : alike),
    isTested: seed.span.shape !== "burst",
    surprise: Math.max(...members.map(({ span }) => span.gain)),
    score: scoreOf(telling),
  };
}

/** Events of some members, day by day. */
function toPerDay(watch: Watch, members: readonly Candidate[]): NonNullable<Episode["perDay"]> {
  const counts = Array.from(watch.placeOf, place =>
    place < 0 ? null : members.reduce((sum, { series }) => sum + series.events[place]!, 0),
  );
  return { firstDay: watch.firstDay, counts };
}

/** What an actor brought, in the order in which it is told of him. */
const TELLING: readonly Family[] = [
  "credential",
  "user",
  "command",
  "file",
  "upload",
  "address",
  "username",
  "password",
  "target",
  "network",
  "client",
  "hassh",
  "event",
];

/**
 * The members of an episode, the one that leads it first: what most of its sources brought, of those the most surprising.
 */
function sortTelling(telling: readonly Candidate[], sources: number | undefined, together: Activity | undefined): Candidate[] {
  const gainOf = ({ span }: Candidate) => Math.min(SURPRISE_MOST, span.gain);
  const order = ({ series }: Candidate) => TELLING.indexOf(series.family);
  const sorted = telling.toSorted((a, b) => order(a) - order(b) || gainOf(b) - gainOf(a) || b.events - a.events);
  const leads = sorted.filter(one =>
    together !== undefined
      ? ACTIVITY_OF[one.series.family] === together && (one.series.family === "user" || one.series.family === "address")
      : sources === undefined || one.sources === undefined || sourceSetSize(one.sources) >= LEAD_SHARE * sources,
  );
  // What all sensors saw comes before what one did.
  const wide = leads.filter(one => !one.isLocal);
  const fit = wide.length > 0 ? wide : leads;
  // What gains about as much as the best is told in the order of telling.
  const best = Math.max(...fit.map(gainOf));
  const lead = fit.find(one => gainOf(one) >= 0.8 * best) ?? sorted[0]!;
  const family = lead.series.family;
  return [lead, ...sorted.filter(one => one !== lead && one.series.family === family), ...sorted.filter(one => one.series.family !== family)];
}

/** Days by which what the sensors did and what a key did may differ, and still be one. */
const WATCH_SLACK = 1;

/** Whether what happened to a key is nothing but what happened to the sensors. */
function explains(
  change: WatchChange,
  { series, span, first, last, begins, ends, sensors }: Candidate,
  allSensors: number,
): boolean {
  const isNear = (a: number, b: number) => Math.abs(a - b) <= WATCH_SLACK;
  const isOnlyThere = sensors.every(sensor => change.sensors.includes(sensor));
  if (change.shape === "upgrade") {
    const eventid = String(series.values[0]);
    const comes = begins && isNear(first, change.first) && change.eventids.includes(eventid);
    const goes = ends && isNear(last + 1, change.first) && change.goneEventids.includes(eventid);
    return series.family === "event" && (comes || goes);
  }
  // Days on which nobody watched are no part of any series: they explain nothing.
  if (!isOnlyThere || change.sensors.length === allSensors) return false;
  if (change.shape === "new-sensor") return begins && isNear(first, change.first);
  if (span.shape === "paused") return isNear(first, change.first) && isNear(last, change.last);
  return (begins && isNear(first, change.last + 1)) || (ends && isNear(last, change.first - 1));
}

function toWatchEpisode(coverage: Coverage, change: WatchChange): Episode {
  const { shape, first, last, sensors, hours, eventids, goneEventids } = change;
  return {
    shape,
    first,
    last,
    begins: true,
    ends: shape !== "silent",
    sensors: sensors.map(code => coverage.sensors[code]!),
    sensorsWatching: countWatching(coverage, first, last),
    sources: undefined,
    events: 0,
    alike: 0,
    keys: [],
    watch: { hours, eventids, goneEventids },
    isTested: shape === "outage" || shape === "silent",
    surprise: 0,
    score: 0,
  };
}

function countWatching({ sensors, days, firstDay, exposure }: Coverage, first: number, last: number): number {
  let watching = 0;
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    const cells = exposure.subarray(sensor * days + first - firstDay, sensor * days + last - firstDay + 1);
    if (cells.some(share => share > 0)) watching++;
  }
  return watching;
}

/** In the order given, of each family {@link KEYS_MOST} at most. */
function toKeys(totals: DayTotals, members: readonly Candidate[]) {
  const orNull = (rate: number) => (Number.isNaN(rate) ? null : rate);
  const told = new Map<Family, number>();
  return members.flatMap(({ series, span, first, last, events, sources }) => {
    const { family, values } = series;
    told.set(family, (told.get(family) ?? 0) + 1);
    if (told.get(family)! > KEYS_MOST) return [];
    return {
      family,
      values,
      events,
      /** Of the events of its kind in its days, 0..1. */
      share: events / totals.sum(FAMILIES[family].kind, first, last),
      /** Distinct addresses; undefined where nobody knows. */
      sources: sources && sourceSetSize(sources),
      /** Per mean day: before, in and behind the episode; null where the archive has no day there. By sources where they are known, else events. */
      before: orNull(span.before),
      level: span.level,
      after: orNull(span.after),
    };
  });
}

/** Events of a kind on some days: summed once, asked for often. */
class DayTotals {
  readonly #table: ReducedTable;
  readonly #firstDay: number;
  readonly #days: number;
  /** Of each kind: `sums[n]` = events of the first n days. */
  readonly #sums = new Map<Kind, Float64Array>();

  constructor(table: ReducedTable, { firstDay, days }: Coverage) {
    this.#table = table;
    this.#firstDay = firstDay;
    this.#days = days;
  }

  sum(kind: Kind, first: number, last: number): number {
    let sums = this.#sums.get(kind);
    if (sums === undefined) {
      sums = new Float64Array(this.#days + 1);
      const { rows, day, count } = this.#table.kinds[kind];
      for (let row = 0; row < rows; row++) sums[day[row]! - this.#firstDay + 1]! += count[row]!;
      for (let n = 1; n <= this.#days; n++) sums[n]! += sums[n - 1]!;
      this.#sums.set(kind, sums);
    }
    return sums[last - this.#firstDay + 1]! - sums[first - this.#firstDay]!;
  }
}
