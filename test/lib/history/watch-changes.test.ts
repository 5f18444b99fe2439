import { describe, expect, test } from "bun:test";
import { daysOfIds, findWatchChanges } from "../../../lib/history/watch-changes.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const FIRST = Date.parse("2026-03-01") / 86_400_000;
const dayText = (day: number) => toIsoDay(FIRST + day);

/** Events of one id on each of some days, in every hour, so that a silence is none of chance. */
function events(sensor: string, eventid: string, days: readonly number[], perHour = 4): LiteralRow[] {
  return days.flatMap(day =>
    Array.from({ length: 24 }, (_, hour): LiteralRow => {
      const us = Date.parse(dayText(day)) * 1000 + (hour + 0.5) * 3_600_000_000;
      return { kind: "event", date: dayText(day), sensor, key: { eventid, hour }, count: perHour, firstSeenUs: us, lastSeenUs: us };
    }),
  );
}
const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
const CONNECT = "cowrie.session.connect";

function changesOf(...rows: LiteralRow[][]) {
  const table = buildReduced(rows.flat());
  return findWatchChanges(daysOfIds([table.kinds.event], table.dictionaries), buildCoverage(table)).map(({ first, last, sensors, ...change }) => ({
    ...change,
    days: [first - FIRST, last - FIRST],
    sensors: sensors.map(code => table.dictionaries.sensor[code]),
  }));
}

describe("findWatchChanges", () => {
  test("an outage of two sensors on the same days is one, with the hours of both", () => {
    const found = changesOf(
      events("a", CONNECT, [...range(0, 15), ...range(18, 30)]),
      events("b", CONNECT, [...range(0, 15), ...range(18, 30)]),
      events("c", CONNECT, range(0, 30)),
    );
    expect(found).toEqual([{ shape: "outage", days: [15, 17], sensors: ["a", "b"], hours: 144, eventids: [], goneEventids: [] }]);
  });

  test("a new sensor, and one that fell silent", () => {
    const found = changesOf(events("a", CONNECT, range(0, 30)), events("new", CONNECT, range(9, 30)), events("silent", CONNECT, range(0, 25)));
    expect(found.map(({ shape, days, sensors }) => ({ shape, days, sensors }))).toEqual([
      { shape: "new-sensor", days: [9, 9], sensors: ["new"] },
      { shape: "silent", days: [25, 29], sensors: ["silent"] },
    ]);
  });

  test("another version: ids that come and go on a day", () => {
    const found = changesOf(
      events("a", CONNECT, range(0, 30)),
      events("a", "cowrie.client.kex", range(12, 30), 1),
      events("a", "cowrie.log.open", range(0, 12), 1),
    );
    expect(found).toEqual([
      { shape: "upgrade", days: [12, 12], sensors: ["a"], hours: 0, eventids: ["cowrie.client.kex"], goneEventids: ["cowrie.log.open"] },
    ]);
  });

  test("what attackers bring with them is no other version, nor is an id that is rare", () => {
    const first = events("a", CONNECT, range(0, 30));
    expect(changesOf(first, events("a", "cowrie.command.input", range(12, 30)), events("a", "cowrie.session.params", range(12, 30)))).toEqual([]);
    expect(changesOf(first, events("a", "cowrie.client.var", [12, 20, 28]))).toEqual([]);
    expect(changesOf(first, events("a", "cowrie.client.kex", range(2, 30)))).toEqual([]);
  });
});
