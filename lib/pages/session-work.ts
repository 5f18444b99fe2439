/**
 * What the report tells of sessions: chains of commands, how long they lasted, how far they came, campaigns, and, from
 * event tables, the newest sessions behind a value.
 *
 * In a thread of its own where the logs are large, so that it costs the run little.
 */
import { type CampaignCounts, countCampaigns } from "../campaigns/campaign-counts.ts";
import { toCampaigns } from "../campaigns/find-campaigns.ts";
import { findLeadingCampaign, type LeadingCampaign } from "../campaigns/leading-campaign.ts";
import { STORY_DAYS, type StoryCounts, tellStories } from "../campaigns/session-stories.ts";
import { type MarkedSessions, SessionMarks } from "../campaigns/session-marks.ts";
import { type ChainCounts, countChains } from "../sessions/chain-counts.ts";
import { DurationCounter, type DurationCounts } from "../sessions/duration-counts.ts";
import { type EventTable, eventTableToIpc, reopenEventTable } from "../events/event-table.ts";
import type { PeakDay, PeakLeader } from "../history/peaks.ts";
import { type LogSessions, readSessions } from "../logs/log-sessions.ts";
import type { LogSet } from "../logs/log-set.ts";
import { unpackDigest } from "../logs/packed-digest.ts";
import { isPacked, type Packed, packedBytes } from "../process/packed-store.ts";
import type { ReductionParameters } from "../events/scope.ts";
import type { SourceInfo } from "../events/source.ts";
import { MAPPING_VERSION } from "../events/schema.ts";
import { MINUTE_DAYS } from "../view/report-minutes.ts";
import { countMinutes, type MinuteCounts } from "../sessions/minute-counts.ts";
import { findLeaders, type LedLog, mayHavePeak } from "../sessions/peak-counts.ts";
import { ReachCounter, type ReachCounts } from "../sessions/reach-counts.ts";
import type { Trail, TrailLimits } from "../sessions/newest-sessions.ts";
import { findTrails, type TrailQuery } from "../sessions/session-trails.ts";
import { dayOf } from "../text/time.ts";
import { memoryOf, Thread } from "../process/thread.ts";

/** Positions of a chain that the report tells apart. */
const REPORT_STEPS = 6;
/** Chains that are counted by day and sensor. */
const CHAINS_MOST = 400;
/** Campaigns that the report may tell. */
const CAMPAIGNS_MOST = 60;
/** Events from which another thread pays. */
const ASIDE_MIN_EVENTS = 200_000;

/** An event table, as a file or whole, and the time it covers. */
export interface TableRef {
  readonly from: string | Uint8Array;
  /** State in which its file must still be, see `stateOf`. */
  readonly state?: string | undefined;
  readonly firstUs: number;
  readonly lastUs: number;
  /** See `TrailPlace`. */
  readonly sensors?: readonly string[] | undefined;
}

/** The sessions of a log or, of the event of a line that was cut, behind it; and the time it covers. */
interface SessionLog<Log = LogSessions> extends Pick<SourceInfo, "firstSeenUs" | "lastSeenUs"> {
  readonly sessions: readonly Log[] | Packed;
}

export type SessionTask =
  | { readonly what: "counts"; readonly logs: SessionLog[]; readonly scope: ReductionParameters }
  /** Of the sessions that were counted before. */
  | { readonly what: "leaders"; readonly scope: ReductionParameters; readonly peaks: readonly PeakDay[] }
  | { readonly what: "minutes"; readonly tables: readonly TableRef[]; readonly scope: ReductionParameters }
  | {
      readonly what: "trails";
      readonly tables: readonly TableRef[];
      readonly scope: ReductionParameters;
      readonly queries: readonly TrailQuery[];
      readonly limits: TrailLimits;
    };

export interface SessionCounts {
  readonly chains: ChainCounts;
  readonly durations: DurationCounts;
  readonly campaigns: CampaignCounts;
  /** Left out where none made more than half of the sessions that typed. */
  readonly leading?: LeadingCampaign;
  readonly reach: ReachCounts;
  /** Where sessions came on {@link STORY_DAYS} days at most. */
  readonly stories?: StoryCounts;
}

/** Outcome of a task; `trails[query][key]`. */
export interface SessionOutcomes {
  readonly counts: SessionCounts;
  readonly leaders: PeakLeader[];
  readonly minutes: MinuteCounts;
  readonly trails: Trail[][];
}

export type SessionOutcome = SessionOutcomes[keyof SessionOutcomes];

/** Looks into the sessions and event tables of a set; to be disposed before the set is. */
export interface SessionWork extends Disposable {
  /** Begun at once. */
  readonly counts: Promise<SessionCounts>;
  findLeaders(peaks: readonly PeakDay[]): Promise<PeakLeader[]>;
  /** Of {@link MINUTE_DAYS} days at most; of more undefined. */
  countMinutes(): Promise<MinuteCounts | undefined>;
  findTrails(queries: readonly TrailQuery[], limits: TrailLimits): Promise<Trail[][]>;
}

/**
 * Start on the counts; the trails can be asked for once it is known which values are shown.
 *
 * @param asideMinEvents Events from which another thread does it.
 */
export function startSessionWork(set: LogSet, scope: ReductionParameters, asideMinEvents = ASIDE_MIN_EVENTS): SessionWork {
  const events = set.counts.events + set.counts.repaired;
  const thread =
    events < asideMinEvents
      ? undefined
      : new Thread<SessionTask, SessionOutcome>(new URL("./session-worker.ts", import.meta.url), {
          smol: true,
          doing: "look through the sessions",
        });
  const answer = sessionTasks();
  const run = <Task extends SessionTask>(task: Task, transfer?: ArrayBuffer[]) =>
    (thread === undefined ? answer(task) : thread.ask(task, undefined, transfer)) as Promise<SessionOutcomes[Task["what"]]>;
  const sessions = listSessions(set);
  // Handed over: nobody here looks at the sessions. In digests are the rows as well.
  const counts = sessions.then(logs => run({ what: "counts", logs, scope }, memoryOf(logs.filter(log => !isPacked(log.sessions)))));
  // Its failure is met where it is awaited.
  counts.catch(() => {});
  return {
    counts,
    // Behind the counts, which bring the sessions.
    findLeaders: peaks => sessions.then(() => run({ what: "leaders", scope, peaks })),
    countMinutes: async () => {
      const tables = listTables(set);
      return isShort(tables, scope) ? run({ what: "minutes", tables, scope }) : undefined;
    },
    findTrails: (queries, limits) => run({ what: "trails", tables: listTables(set), scope, queries, limits }),
    [Symbol.dispose]: () => thread?.[Symbol.dispose](),
  };
}

/** What does one task after the other in this thread; the sessions stay for those that come behind the counts. */
export function sessionTasks(): (task: SessionTask) => Promise<SessionOutcome> {
  const counted: SessionLog<LedLog>[] = [];
  return async task => {
    const { scope } = task;
    if (task.what === "leaders") return findLeaders(ledLogs(counted, task.peaks), task.peaks, scope);
    if (task.what === "counts") {
      const counts = countSessions(takeLogs(task.logs, counted), scope);
      sweepAside();
      return counts;
    }
    const places = task.tables.map(toPlace);
    return task.what === "minutes" ? countMinutes(places, scope) : findTrails(places, task.queries, scope, task.limits);
  };
}

/** @param logs In the order of the set. */
function countSessions(logs: Iterable<LogSessions>, scope: ReductionParameters): SessionCounts {
  const { sessions, reach, durations } = takeSessions(logs, scope);
  sweepAside();
  const campaigns = countJoined(sessions, scope);
  sweepAside();
  const days = new Set(reach.tallies.flatMap(({ day }) => [...day]));
  return {
    ...(days.size <= STORY_DAYS && { stories: tellStories(sessions, scope) }),
    chains: countChains(sessions, { ...scope, steps: REPORT_STEPS, most: CHAINS_MOST }),
    durations,
    reach,
    ...campaigns,
  };
}

/** What was made of each session on the way is of no use any more: as much as what is left of all. */
function sweepAside(): void {
  if (!Bun.isMainThread) Bun.gc(true);
}

/** Of functions of their own: what each of them looked up is gone when it is done. */
function takeSessions(logs: Iterable<LogSessions>, scope: ReductionParameters) {
  const durations = new DurationCounter(scope);
  const reach = new ReachCounter(scope);
  const marks = new SessionMarks(scope.sensorAliases);
  for (const log of logs) {
    durations.take(log);
    reach.take(log);
    marks.take(log);
  }
  return { sessions: marks.finish(), reach: reach.finish(), durations: durations.finish() };
}

function countJoined(sessions: MarkedSessions, scope: ReductionParameters): Pick<SessionCounts, "campaigns" | "leading"> {
  const campaigns = toCampaigns(sessions, scope);
  const leading = findLeadingCampaign(campaigns, scope);
  return { campaigns: countCampaigns(campaigns, CAMPAIGNS_MOST), ...(leading && { leading }) };
}

/** The sessions of logs, unpacked one after the other, which are let go: no more is kept than tells who led a peak. */
function* takeLogs(logs: SessionLog[], kept: SessionLog<LedLog>[]): Generator<LogSessions> {
  logs.reverse();
  let bytes = 0;
  for (let log = logs.pop(); log !== undefined; log = logs.pop()) {
    const { sessions } = log;
    if (isPacked(sessions) && (bytes += packedBytes(sessions)) > SWEEP_BYTES) {
      bytes = 0;
      sweepAside();
    }
    yield* isPacked(sessions) ? unpackDigest(sessions).sessions : sessions;
    kept.push(isPacked(sessions) ? log : { ...log, sessions: sessions.map(toLed) });
  }
}

/** Of packed digests, after which memory is swept: what was in them is some times as much. */
const SWEEP_BYTES = 16 << 20;

/** Of the logs that were kept so, those that may have had a peak. */
function* ledLogs(logs: readonly SessionLog<LedLog>[], peaks: readonly PeakDay[]): Generator<LedLog> {
  for (const log of logs) if (mayHavePeak(log, peaks)) yield* isPacked(log.sessions) ? unpackDigest(log.sessions).led : log.sessions;
}

/** Columns in memory of their own: those of all that a log left lie in one. */
function toLed({ sensors, reach, reachAddresses }: LogSessions): LedLog {
  const { day, sensor, address, done } = reach;
  const { size, arena, offsets } = reachAddresses;
  return {
    sensors,
    reach: { day: day.slice(), sensor: sensor.slice(), address: address.slice(), done: done.map(column => column.slice()) },
    reachAddresses: { size, arena: arena.slice(), offsets: offsets.slice() },
  };
}

/** The sessions of each log, and behind them those of the event of a line that was cut. */
async function listSessions({ logs, seams }: LogSet): Promise<SessionLog[]> {
  const seamsOf = groupSeams(seams);
  // All at once: their rows are added up, and their digests let go, while cut lines are read.
  const lists = logs.map(async ({ source: { firstSeenUs, lastSeenUs, wholeHash }, digest, sessions = digest }): Promise<SessionLog[]> => {
    if (sessions === undefined) throw new Error("Cannot count sessions that were not read");
    const time = firstSeenUs === undefined ? {} : { firstSeenUs, lastSeenUs: lastSeenUs! };
    const own = seamsOf.get(wholeHash) ?? [];
    return [{ ...time, sessions }, ...(await Promise.all(own.map(async ({ table }) => ({ ...time, sessions: [await readSessions(table)] }))))];
  });
  return (await Promise.all(lists)).flat();
}

/** The cut lines by the log in which each begins: of very many logs many are. */
function groupSeams(seams: LogSet["seams"]): ReadonlyMap<string, LogSet["seams"]> {
  return Map.groupBy(seams, ({ before }) => before.wholeHash);
}

/** Whether the days asked for are so few that a report shows them by minutes. */
function isShort(tables: readonly TableRef[], { sinceDay = -Infinity, untilDay = Infinity }: ReductionParameters): boolean {
  const first = tables.reduce((least, { firstUs }) => Math.min(least, firstUs), Infinity);
  // The events of cut lines have no end of their own.
  const last = tables.reduce((most, { lastUs }) => (lastUs === Infinity ? most : Math.max(most, lastUs)), -Infinity);
  return Math.min(dayOf(last), untilDay) - Math.max(dayOf(first), sinceDay) < MINUTE_DAYS;
}

/** Events looked at between two collections of garbage: after every small table they would cost more than all else. */
const GARBAGE_ROWS = 500_000;
let rowsSinceGarbage = 0;

/** In a thread of its own, which runs beside others: the arrays of one table after the other would else pile up. */
function collectGarbage(rows: number): void {
  rowsSinceGarbage += rows;
  if (Bun.isMainThread || rowsSinceGarbage < GARBAGE_ROWS) return;
  rowsSinceGarbage = 0;
  Bun.gc(true);
}

function toPlace({ from, state, firstUs, lastUs, sensors }: TableRef) {
  return {
    firstUs,
    lastUs,
    sensors,
    async walk(visit: (table: EventTable) => Promise<void>) {
      let rows = 0;
      {
        await using stored = await reopenEventTable(from, state);
        await visit(stored.table);
        rows = stored.table.rows;
      }
      collectGarbage(rows);
    },
  };
}

/** The tables of a set in the order of their first events; what has no file, the events of cut lines, as bytes. */
function listTables({ logs, seams }: LogSet): TableRef[] {
  const seamsOf = groupSeams(seams);
  return logs.flatMap(({ source, tablePath, tableState, sensors }): TableRef[] => {
    const { firstSeenUs = Infinity, lastSeenUs = -Infinity, wholeHash } = source;
    const time = { firstUs: firstSeenUs, lastUs: lastSeenUs };
    const own = seamsOf.get(wholeHash) ?? [];
    return [
      ...(tablePath === undefined ? [] : [{ ...time, sensors, from: tablePath, state: tableState }]),
      ...own.map(({ table, before }) => {
        const counts = { lines: 1, events: table.rows, repaired: 0, rejected: 0, pending: 0 };
        const info = { mappingVersion: MAPPING_VERSION, source: { ...before, counts }, hasLineHashes: false };
        // The event of a cut line comes behind all others of its log.
        return { firstUs: firstSeenUs, lastUs: Infinity, from: Buffer.concat([...eventTableToIpc(table, info)]) };
      }),
    ];
  });
}
