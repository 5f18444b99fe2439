import { expect, test } from "bun:test";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import {
  changesToCsv,
  describeStatistics,
  newToCsv,
  newToJson,
  newToText,
  toPlainStatistics,
} from "../../../lib/statistics/statistics-output.ts";
import { summarizeStatistics } from "../../../lib/statistics/statistics-summary.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { command, dateOf, FIRST_DAY, watch } from "../../support/days.ts";

const login = (sensor: string, offset: number, username: string): LiteralRow =>
  ({ kind: "login", date: dateOf(offset), sensor, key: { username, password: null }, count: 3, success: 0 });
const flat = Array.from({ length: 40 }, () => 20);

const statistics = computeStatistics(
  buildReduced([
    ...watch("a", 40),
    ...watch("", 40),
    ...command("a", "id", [...flat.slice(1), 300]),
    login("a", 39, "new"),
    login("a", 20, "known"),
    login("", 38, "known"),
    { ...login("cut", 39, "x") },
  ]),
  { lastDays: 3 },
);

test("plain data has snake_case names, days and instants as text, and null where nothing can be said", () => {
  const day = 19_800;
  const plain = toPlainStatistics({
    firstDay: day, day, lastSeenBefore: day, returnedOn: null, perDay: [1], fromUs: 1_000_000, newOn: ["aB"], observedDays: 3,
    outages: [{ toUs: 0 }], key: [day],
  });
  expect(plain).toEqual({
    first_day: "2024-03-18", day: "2024-03-18", last_seen_before: "2024-03-18", returned_on: null, per_day: [1],
    from: "1970-01-01T00:00:01.000000Z", new_on: ["aB"], observed_days: 3, outages: [{ to: "1970-01-01T00:00:00.000000Z" }], key: [day],
  });
});

test("changes as CSV: a heading, and every row's own figures in its columns", () => {
  const [heading, ...lines] = [...changesToCsv(statistics)].map(line => line.trimEnd().split(","));
  expect(lines.length).toBe(statistics.changes.length);
  expect(lines.length).toBeGreaterThan(0);
  const row = statistics.changes[0]!;
  const text = (value: number | null) => (value === null ? "" : String(value));
  const day = (value: number | null) => (value === null ? "" : dateOf(value - FIRST_DAY));
  expect(Object.fromEntries(heading!.map((name, i) => [name, lines[0]![i]]))).toEqual({
    view: row.view, first_day: day(row.firstDay), last_day: day(row.lastDay), sensor: row.sensor ?? "", kind: "command",
    key1: "id", key2: "", key3: "", unit: "events", category: row.category, reported: String(row.reported), count: text(row.count),
    events_per_source: text(row.eventsPerSource), burst_days: text(row.burstDays),
    expected: text(row.expected), percent: text(row.percent), low: text(row.low), high: text(row.high), p: text(row.p), q: text(row.q),
    z: text(row.z), baseline_count: text(row.baselineCount), baseline_days: text(row.baselineDays), exposure: text(row.exposure),
    dispersion: text(row.dispersion), other_mean: text(row.otherMean), sensors_seen: text(row.sensorsSeen),
    sensors_up: text(row.sensorsUp), first_seen_day: day(row.firstSeenDay), last_seen_before: day(row.lastSeenBefore),
  });
});

test("what is new, for programs and for people", () => {
  expect([...newToCsv(statistics)].map(line => line.trimEnd())).toEqual([
    "status,type,value,value2,first_seen,last_seen,count,sensors,new_on",
    'new,credential,new,,2024-02-09T12:00:00.000000Z,2024-02-09T12:00:00.000000Z,3,1,""',
    'new,credential,x,,2024-02-09T12:00:00.000000Z,2024-02-09T12:00:00.000000Z,3,1,""',
    'new here,credential,known,,2024-01-21T12:00:00.000000Z,2024-02-08T12:00:00.000000Z,6,2,""',
  ]);
  expect(JSON.parse(newToJson(statistics))).toEqual(
    toPlainStatistics({
      sinceDay: FIRST_DAY + 37,
      claimsFromDay: FIRST_DAY + 14,
      totals: statistics.novelty.totals,
      new: statistics.novelty.new,
      newHere: statistics.novelty.newHere,
    }),
  );
  expect(newToJson(statistics)).toEndWith("\n");
  expect(newToText(statistics, { width: 200 }).split("\n").map(line => line.trimEnd().replace(/ {2,}/g, " | "))).toEqual([
    "type | value | count | first seen (UTC) | new to | sensors",
    "credential | new / - | 3 | 2024-02-09 12:00:00 | fleet | 1",
    "credential | x / - | 3 | 2024-02-09 12:00:00 | fleet | 1",
    'credential | known / - | 6 | 2024-01-21 12:00:00 | "" | 2',
    "",
  ]);
});

test("the few lines a run ends with", () => {
  expect(describeStatistics(statistics).split("\n")).toEqual([
    "Changes  4 up; 21 comparisons with the days before",
    "New      2 values since 2024-02-07: addresses, credentials, commands, files and others",
    "Cut      1 sensor-day of cut counts, shown and not tested",
  ]);
  expect(summarizeStatistics(statistics).map(([label]) => label)).toEqual(["Changes", "New"]);
});
