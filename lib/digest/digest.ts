/**
 * A digest: some days of an archive against as many before, in what a person wants to know on a Monday.
 *
 * Tested in `test/scripts/digest.test.ts`.
 */
import type { Campaign } from "../campaigns/campaign.ts";
import { findEpisodes, type Episode } from "../history/episodes.ts";
import { episodesWithin } from "../history/history-output.ts";
import { withPeaks, withTablePeaks } from "../history/peak-episodes.ts";
import { findPeaks, type PeakLeader } from "../history/peaks.ts";
import { countOrigins } from "../origin/origin-counts.ts";
import type { Origins } from "../origin/origins.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { withoutEchoes } from "../statistics/echoes.ts";
import { buildCoverage, type Coverage, OBSERVED, PARTIAL } from "../statistics/coverage.ts";
import type { LedgerEntry } from "../statistics/ledger.ts";
import { whyNoComparison } from "../statistics/no-comparison.ts";
import { computeStatistics } from "../statistics/statistics.ts";
import { DAY_US, dayOf } from "../text/time.ts";

/** Credentials that are ranked. */
const CREDENTIALS_MOST = 10;

/** A sum over the days asked for, and over as many before. */
export interface Figure {
  readonly name: string;
  readonly now: number;
  /** null where the archive does not hold any of these days. */
  readonly before: number | null;
}

export type Digest = ReturnType<typeof buildDigest>;

export interface DigestOptions {
  readonly firstDay: number;
  readonly lastDay: number;
  readonly campaigns: readonly Campaign[];
  /** What single addresses made of peaks, beside what the table knows. */
  readonly leaders?: readonly PeakLeader[];
  readonly origins?: Origins | undefined;
}

/**
 * Put a digest together.
 *
 * @param table Up to the last day; days behind it must not be in it.
 */
export function buildDigest(table: ReducedTable, { firstDay, lastDay, campaigns, leaders = [], origins }: DigestOptions) {
  const coverage = buildCoverage(table);
  const archiveEnd = coverage.firstDay + coverage.days - 1;
  const isAlive = archiveEnd >= firstDay;
  // The statistics judge the last days of the archive, so a week that begins with silence is judged by what is left of it.
  const statistics = computeStatistics(table, {
    lastDays: Math.max(1, Math.min(archiveEnd - firstDay + 1, coverage.days)),
    newSinceDay: firstDay,
  });
  const days = lastDay - firstDay + 1;
  const firstDayOf = (i: number) => dayOf(coverage.firstSeenUs[i]!);
  const isUp = (i: number) =>
    Array.from({ length: days }, (_, n) => firstDay + n - coverage.firstDay).some(offset => {
      const status = offset < 0 || offset >= coverage.days ? 0 : coverage.status[i * coverage.days + offset]!;
      return (status === OBSERVED || status === PARTIAL) && coverage.events[i * coverage.days + offset]! > 0;
    });
  const sensors = coverage.sensors.map((sensor, i) => ({ sensor, i, isUp: isUp(i) }));
  const history = () => withPeaks(withTablePeaks(table, findEpisodes(table, { coverage })), leaders, findPeaks(table));
  const episodes = isAlive ? episodesWithin(history(), firstDay, lastDay).filter(one => turnsWithin(one, firstDay, lastDay)) : [];
  const isNew = ({ firstSeenUs }: LedgerEntry) => firstSeenUs >= firstDay * DAY_US;
  const news = isAlive ? statistics.novelty.new.filter(isNew) : [];
  return {
    /** Days since 1970-01-01 UTC, both included. */
    firstDay,
    lastDay,
    /** With an event in these days, by name; and those of them whose first event lies in these days. */
    sensorsUp: sensors.filter(({ isUp: up }) => up).map(({ sensor }) => sensor),
    sensorsNew: sensors.filter(({ i }) => firstDayOf(i) >= firstDay && firstDayOf(i) > coverage.firstDay).map(({ sensor }) => sensor),
    /** Silent when the days end, longer than chance allows; and such as had no event in these days at all. */
    sensorsSilent: isAlive ? coverage.silent : [],
    sensorsAbsent: sensors
      .filter(({ isUp: up, sensor }) => !up && !(isAlive && coverage.silent.some(one => one.sensor === sensor)))
      .map(({ sensor, i }) => ({ sensor, lastUs: coverage.lastSeenUs[i]! })),
    figures: countFigures(table, firstDay, lastDay, coverage.firstDay),
    /** Sensor-days watched, of these days and of as many before: by them figures of unequal watches are made equal. */
    watched: { now: watchedDays(coverage, firstDay, lastDay), before: watchedDays(coverage, firstDay - days, firstDay - 1) },
    /** Tested and reported, the most remarkable first. */
    changes: isAlive ? withoutEchoes(statistics.changes.filter(({ reported }) => reported)) : [],
    comparisons: statistics.tests.m,
    /** Why nothing was compared; null where something was. */
    whyNone: statistics.tests.m === 0 ? whyNoComparison(statistics) : null,
    /** Of attackers and of the watch, that turned in these days, by score. */
    episodes,
    campaignsNew: campaigns.filter(({ state }) => state === "new"),
    campaignsReturning: campaigns.filter(({ state }) => state === "returning"),
    /** Seen for the first time in the archive. */
    newHashes: news.filter(({ type }) => type === "hash"),
    newHosts: news.filter(({ type }) => type === "urlHost"),
    credentials: rankCredentials(table, firstDay, lastDay),
    /** The addresses of these days by country and network; undefined without a database. */
    origins: origins && countOrigins([...addressesOf(table.kinds.connect, firstDay, lastDay)].map(code => table.dictionaries.src_ip[code]!), origins),
    originSources: origins?.sources ?? [],
  };
}

/** Exposure of all sensors, added up over some days; of a day on which nobody knows who watched, nothing. */
function watchedDays({ sensors, firstDay, days, exposure }: Coverage, from: number, to: number): number {
  let sum = 0;
  for (let i = 0; i < sensors.length; i++)
    for (let day = Math.max(from, firstDay); day <= Math.min(to, firstDay + days - 1); day++) {
      const share = exposure[i * days + day - firstDay]!;
      if (share > 0) sum += share;
    }
  return sum;
}

/** Whether something began, ended, peaked or paused in these days, rather than went on. */
function turnsWithin({ first, last, begins, ends }: Episode, from: number, to: number): boolean {
  return (begins && first >= from && first <= to) || (ends && last >= from && last <= to) || (first >= from && last <= to);
}

function countFigures(table: ReducedTable, firstDay: number, lastDay: number, archiveFirst: number): Figure[] {
  const days = lastDay - firstDay + 1;
  const hasBefore = firstDay > archiveFirst;
  const { kinds } = table;
  const sums = (own: KindTable, column: "count" | "success") => [sumOf(own, column, firstDay, lastDay), sumOf(own, column, firstDay - days, firstDay - 1)];
  const figure = (name: string, [now, before]: readonly number[]): Figure => ({ name, now: now!, before: hasBefore ? before! : null });
  return [
    figure("events", sums(kinds.event, "count")),
    figure("sessions", sums(kinds.connect, "count")),
    figure("addresses", [addressesOf(kinds.connect, firstDay, lastDay).size, addressesOf(kinds.connect, firstDay - days, firstDay - 1).size]),
    figure("logins", sums(kinds.login, "count")),
    figure("accepted", sums(kinds.login, "success")),
    figure("commands", sums(kinds.command, "count")),
    figure("downloads", sums(kinds.file_download, "count")),
    figure("uploads", sums(kinds.file_upload, "count")),
    figure("proxy requests", sums(kinds.proxy_request, "count")),
  ];
}

function sumOf({ day, rows, ...columns }: KindTable, column: "count" | "success", from: number, to: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) if (day[row]! >= from && day[row]! <= to) sum += columns[column][row]!;
  return sum;
}

/** Codes of the distinct addresses of some days. */
function addressesOf({ day, rows, keys }: KindTable, from: number, to: number): Set<number> {
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++) if (day[row]! >= from && day[row]! <= to && keys.src_ip![row]! >= 0) seen.add(keys.src_ip![row]!);
  return seen;
}

/** Most frequent first; ties by name, then password. */
function rankCredentials({ kinds: { login }, dictionaries }: ReducedTable, from: number, to: number) {
  const found = new Map<string, { user: number; word: number; count: number; accepted: number }>();
  for (let row = 0; row < login.rows; row++) {
    if (login.day[row]! < from || login.day[row]! > to) continue;
    const [user, word] = [login.keys.username![row]!, login.keys.password![row]!];
    const key = `${user} ${word}`;
    const own = found.get(key) ?? { user, word, count: 0, accepted: 0 };
    own.count += login.count[row]!;
    own.accepted += login.success[row]!;
    found.set(key, own);
  }
  return [...found.values()]
    .sort((a, b) => b.count - a.count || a.user - b.user || a.word - b.word)
    .slice(0, CREDENTIALS_MOST)
    .map(({ user, word, count, accepted }) => ({
      username: user < 0 ? null : dictionaries.username[user]!,
      /** null for a public key. */
      password: word < 0 ? null : dictionaries.password[word]!,
      count,
      accepted,
    }));
}
