/** Peaks, and the addresses that made most of them, told with the episodes they belong to. */
import { describe, expect, test } from "bun:test";
import { describeEpisode, toPlainSentence } from "../../../lib/history/episode-words.ts";
import type { Episode } from "../../../lib/history/episodes.ts";
import { withPeaks, withTablePeaks } from "../../../lib/history/peak-episodes.ts";
import { findPeaks, type PeakLeader, peaksBesideTable } from "../../../lib/history/peaks.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const FIRST = Date.parse("2026-03-01") / 86_400_000;
const PEAK = FIRST + 6;

/** Ten days with ten logins each; on the seventh 60, and 40 proxy requests, of which one address makes 30. */
function rows(): LiteralRow[] {
  return Array.from({ length: 10 }, (_, n): LiteralRow[] => {
    const [date, sensor] = [toIsoDay(FIRST + n), "a"];
    const isPeak = FIRST + n === PEAK;
    const proxy = (src_ip: string, count: number): LiteralRow => ({ kind: "proxy_request", date, sensor, key: { src_ip, dst_ip: "192.0.2.9", dst_port: 25 }, count });
    return [
      { kind: "event", date, sensor, key: { eventid: "cowrie.login.failed", hour: 1 }, count: 10 },
      { kind: "login", date, sensor, key: { username: "root", password: "x" }, count: isPeak ? 60 : 10 },
      ...(isPeak ? [proxy("198.51.100.1", 30), proxy("198.51.100.2", 10)] : []),
    ];
  }).flat();
}
const TABLE = buildReduced(rows());
const PEAKS = findPeaks(TABLE);

const leader = (more: Partial<PeakLeader> = {}): PeakLeader => ({ activity: "logins", day: PEAK, total: 60, address: "203.0.113.7", count: 50, sensors: ["a"], ...more });
const episode = (more: Partial<Episode> = {}, family: "address" | "user" = "address", value = "203.0.113.7"): Episode => ({
  ...{ shape: "burst", first: PEAK, last: PEAK, begins: true, ends: true, sensors: ["a"], sensorsWatching: 1, sources: 1, events: 50, alike: 1 },
  ...{ isTested: false, surprise: 9, score: 200 },
  keys: [{ family, values: [value], events: 50, share: 0.7, sources: 1, before: null, level: 50, after: null }],
  ...more,
});
const told = (episodes: readonly Episode[]) => episodes.map(one => toPlainSentence(describeEpisode(one)));

test("a peak is far above the middle day; of few days each may be one; of cut counts none is known", () => {
  expect(PEAKS.days).toEqual([{ activity: "logins", day: PEAK, total: 60 }, { activity: "proxy requests", day: PEAK, total: 40 }]);
  expect(peaksBesideTable(TABLE).map(({ activity }) => activity)).toEqual(["logins"]);
  expect(PEAKS.perDay.logins).toEqual([10, 10, 10, 10, 10, 10, 60, 10, 10, 10]);
  const few = findPeaks(buildReduced(rows().filter(({ date }) => date >= toIsoDay(PEAK - 2) && date <= toIsoDay(PEAK + 1))));
  expect(few.days.map(({ total }) => total)).toEqual([60, 40]);
  expect(findPeaks(buildReduced(rows().filter(({ date }) => date >= toIsoDay(PEAK - 2) && date <= toIsoDay(PEAK)))).days).toEqual([]);
  const cut = { ...TABLE, info: { ...TABLE.info, sources: TABLE.info.sources.map(source => ({ ...source, cut: true })) } };
  expect(cut.info.sources.length === 0 || findPeaks(cut).days.length === 0).toBe(true);
});

test("a table knows who made its proxy requests", () => {
  expect(told(withTablePeaks(TABLE, []))).toEqual(["7 Mar: 30 of 40 proxy requests (75.0 %) came from one address, `198.51.100.1` on `a`."]);
  // Where the episode has that number itself it is not said again, whole or with others.
  const own = episode({ events: 30 }, "user", "198.51.100.1");
  expect(withTablePeaks(TABLE, [own])).toEqual([own]);
  expect(told(withTablePeaks(TABLE, [episode({ events: 40, alike: 2 }, "user", "198.51.100.1")]))[0]).toEndWith("; it alone made 30 of 40 proxy requests (75.0 %).");
});

describe("what is counted elsewhere", () => {
  test("goes to the episode of the address, on its days", () => {
    expect(told(withPeaks([episode()], [leader()], PEAKS))).toEqual(["7 Mar: address `203.0.113.7`, 50 connections (70.0 % of all); it made 50 of 60 logins (83.3 %)."]);
    const long = withPeaks([episode({ last: PEAK + 1, alike: 3 })], [leader(), leader({ activity: "commands", count: 9, total: 12 })], PEAKS);
    expect(told(long)[0]).toEndWith("; it alone made 50 of 60 logins (83.3 %) of 7 Mar and 9 of 12 commands (75.0 %).");
    const other = episode({ keys: [...episode().keys, ...episode({}, "address", "203.0.113.8").keys] });
    expect(told(withPeaks([other], [leader({ address: "203.0.113.8" })], PEAKS))[0]).toEndWith("; `203.0.113.8` made 50 of 60 logins (83.3 %).");
  });

  test("is an episode of its own where none tells of it; what an attacker calls itself stays text", () => {
    const [first, second] = withPeaks([episode({ first: FIRST, last: FIRST })], [leader({ address: "<b>\u001b[2J" })], PEAKS);
    expect([first!.score, second!.shape, second!.perDay!.counts[6]]).toEqual([200, "peak", 60]);
    expect(told([second!])).toEqual(["7 Mar: 50 of 60 logins (83.3 %) came from one address, `<b>\\x1b[2J` on `a`."]);
    expect(withPeaks([episode()], [], PEAKS)).toEqual([episode()]);
  });
});
