import { describe, expect, test } from "bun:test";
import {
  buildCoverage,
  type CoverageOptions,
  DAY_STATUS,
  HOUR_US,
  isUsable,
  toSensorCoverage,
} from "../../../lib/statistics/coverage.ts";
import { parseDowntime } from "../../../lib/statistics/downtime.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const DAY_0 = "2024-03-01";
const day0 = Date.parse(DAY_0) / 86_400_000;
const date = (offset: number) => new Date((day0 + offset) * 86_400_000).toISOString().slice(0, 10);

/** `perHour[day][hour]`, or one number for all hours of a day. */
function events(sensor: string, perHour: readonly (number | readonly number[])[]): LiteralRow[] {
  return perHour.flatMap((hours, offset) =>
    Array.from({ length: 24 }, (_, hour) => ({
      kind: "event" as const,
      date: date(offset),
      sensor,
      key: { eventid: "cowrie.session.connect", hour },
      count: typeof hours === "number" ? hours : (hours[hour] ?? 0),
      firstSeenUs: ((day0 + offset) * 24 + hour) * HOUR_US,
    })).filter(row => row.count > 0),
  );
}

const hoursOf = (count: number, silent: [number, number]) =>
  Array.from({ length: 24 }, (_, hour) => (hour >= silent[0] && hour < silent[1] ? 0 : count));

const days = (rows: LiteralRow[], options: CoverageOptions = {}) =>
  toSensorCoverage(buildCoverage(buildReduced(rows), options)).map(row => row.days);

describe("buildCoverage", () => {
  const CASES: { name: string; perHour: (number | number[])[]; options?: CoverageOptions; letters: string }[] = [
    { name: "a busy sensor is observed", perHour: [9, 9, 9], letters: "ooo" },
    { name: "a day without events after a busy week", perHour: [9, 9, 9, 9, 9, 9, 9, 0, 9], letters: "ooooooo.o" },
    { name: "with six days before it, nothing is inferred", perHour: [9, 9, 9, 9, 9, 9, 0, 9], letters: "oooooo?o" },
    {
      name: "a quiet sensor's empty day is unknown",
      perHour: [...Array.from({ length: 8 }, () => hoursOf(1, [3, 24])), 0, 1],
      letters: "oooooooo?o",
    },
    {
      name: "a silence of two hours at 9 an hour is an outage",
      perHour: [9, 9, 9, 9, 9, 9, 9, hoursOf(9, [4, 6]), 9],
      letters: "ooooooopo",
    },
    {
      name: "a silence of one hour at 9 an hour is chance",
      perHour: [9, 9, 9, 9, 9, 9, 9, hoursOf(9, [4, 5]), 9],
      letters: "ooooooooo",
    },
    { name: "the first day counts from its first event", perHour: [hoursOf(9, [0, 6]), 9], letters: "po" },
    { name: "the running day ends with its last event", perHour: [9, hoursOf(9, [18, 24])], letters: "op" },
  ];
  test.each(CASES)("$name", ({ perHour, options, letters }) => {
    expect(days(events("a", perHour), options)).toEqual([letters]);
  });

  test("exposure is the watched share of the day, and half a day is needed to be used", () => {
    const coverage = buildCoverage(
      buildReduced(events("a", [hoursOf(9, [0, 6]), 9, 9, 9, 9, 9, 9, 9, hoursOf(9, [0, 13]), hoursOf(9, [12, 24])])),
    );
    expect([...coverage.exposure]).toEqual([0.75, 1, 1, 1, 1, 1, 1, 1, 11 / 24, 0.5]);
    expect([0, 8, 9].map(cell => isUsable(coverage, cell))).toEqual([true, false, true]);
  });

  test("quiet days count as watched only when asked", () => {
    const rows = events("a", [...Array.from({ length: 8 }, () => hoursOf(1, [3, 24])), 0, 1]);
    const cell = 8;
    const unknown = buildCoverage(buildReduced(rows));
    const zero = buildCoverage(buildReduced(rows), { quietDays: "zero" });
    expect([unknown.exposure[cell], zero.exposure[cell]]).toEqual([NaN, 1]);
    expect(DAY_STATUS[zero.status[cell]!]).toBe("unknown");
  });

  test("outages over midnight are one, with the rate and chance that say so", () => {
    const { outages } = buildCoverage(
      buildReduced(events("a", [9, 9, 9, 9, 9, 9, 9, hoursOf(9, [20, 24]), 0, hoursOf(9, [0, 2]), 9])),
    );
    expect(outages).toEqual([
      {
        sensor: "a",
        fromUs: ((day0 + 7) * 24 + 20) * HOUR_US,
        toUs: ((day0 + 9) * 24 + 2) * HOUR_US,
        hours: 30,
        origin: "silence",
        usualPerHour: 9,
        chance: Math.exp(-270),
      },
    ]);
  });

  test("the operator's list wins over events and over silence", () => {
    const list = `sensor,from,to\n*,${date(1)},${date(1)}\na,${date(2)}T00:00:00Z,${date(2)}T13:00:00Z\n`;
    const downtime = parseDowntime(list);
    const coverage = buildCoverage(buildReduced(events("a", [9, 9, 9, 9])), { downtime });
    expect(toSensorCoverage(coverage)[0]!.days).toBe("o.po");
    expect([...coverage.exposure]).toEqual([1, 0, 11 / 24, 1]);
    expect(coverage.outages.map(({ origin, hours, chance }) => ({ origin, hours, chance }))).toEqual([
      { origin: "operator", hours: 37, chance: null },
    ]);
  });

  test("an hour of the operator's list goes when most of it is listed, from the first hour of the archive on", () => {
    const hoursDown = (from: string, to: string) => {
      const downtime = parseDowntime(`a,${date(0)}T${from}Z,${date(0)}T${to}Z\n`);
      const { outages } = buildCoverage(buildReduced(events("a", [9, 9, 9])), { downtime });
      return outages.map(({ fromUs, toUs }) => [fromUs / HOUR_US - day0 * 24, toUs / HOUR_US - day0 * 24]);
    };
    expect(hoursDown("00:00:00", "01:00:00")).toEqual([[0, 1]]);
    expect(hoursDown("04:29:00", "06:29:00")).toEqual([[4, 6]]);
    expect(hoursDown("04:31:00", "06:31:00")).toEqual([[5, 7]]);
    // A list that begins before the archive does.
    const downtime = parseDowntime(`a,${date(-3)},${date(0)}\n`);
    const { outages, exposure } = buildCoverage(buildReduced(events("a", [9, 9, 9])), { downtime });
    expect([outages.map(({ hours }) => hours), [...exposure]]).toEqual([[24], [0, 1, 1]]);
  });

  test("a sensor that stopped is outside afterwards and listed as silent", () => {
    const rows = [...events("a", Array.from({ length: 12 }, () => 9)), ...events("b", [9, 9, 9, 9, 9, 9, 9, 9])];
    const coverage = buildCoverage(buildReduced(rows));
    expect(toSensorCoverage(coverage).map(row => row.days)).toEqual(["oooooooooooo", "oooooooo----"]);
    expect(coverage.silent).toEqual([
      { sensor: "b", sinceUs: (day0 + 8) * 24 * HOUR_US, hours: 96, usualPerHour: 9, chance: Math.exp(-864) },
    ]);
  });

  test("a silence on the archive's last day is judged like any other", () => {
    const week = [9, 9, 9, 9, 9, 9, 9, 9];
    const rows = [...events("a", [...week, 9]), ...events("b", [...week, hoursOf(9, [20, 24])])];
    const coverage = buildCoverage(buildReduced(rows));
    expect(toSensorCoverage(coverage).map(row => row.days)).toEqual(["ooooooooo", "oooooooop"]);
    expect(coverage.silent.map(row => [row.sensor, row.hours])).toEqual([["b", 4]]);
  });

  describe("a sensor that is silent in most hours", () => {
    const threeADay = Array.from({ length: 24 }, (_, hour) => (hour % 8 === 3 ? 4 : 0));
    const past = Array.from({ length: 20 }, () => threeADay);

    test("is down once its silence passes belief, and unknown until then", () => {
      // Of 477 hours watched, from the first event on, 417 were silent: a rate of 0.135 an hour, and 13.8 / 0.135 = 102 h.
      const rate = -Math.log(417.5 / 478);
      const rows = events("a", [...past, 0, 0, 0, 0, 0, 0, threeADay]);
      const { outages } = buildCoverage(buildReduced(rows));
      expect(days(rows)).toEqual([`p${"o".repeat(19)}????..p`]);
      expect(outages).toEqual([
        {
          sensor: "a",
          fromUs: (day0 + 24) * 24 * HOUR_US,
          toUs: (day0 + 26) * 24 * HOUR_US,
          hours: 48,
          origin: "silence",
          usualPerHour: expect.closeTo(rate, 12),
          // From the last event, at 19:59 of the 20th day.
          chance: expect.closeTo(Math.exp(-rate * (4 + 144)), 15),
        },
      ]);
    });

    test("is not down for a pause as long as it has made before", () => {
      const weeks = Array.from({ length: 28 }, (_, day) => (day % 7 < 3 ? threeADay : 0));
      const rows = events("a", [...weeks, ...weeks.slice(0, 10)]);
      expect(buildCoverage(buildReduced(rows)).outages).toEqual([]);
    });

    test("is not down on the days between, where every other day is one without events", () => {
      // Of hours alone, 37 without an event would be incredible from 23 on; but it has been as silent all the time.
      const everyOther = Array.from({ length: 23 }, (_, day) => (day % 2 === 0 ? hoursOf(5, [11, 24]) : 0));
      expect(days(events("a", everyOther))).toEqual([`${"o?".repeat(11)}p`]);
    });

    test("is listed as silent when it stops", () => {
      const rows = [...events("a", past), ...events("b", Array.from({ length: 26 }, () => 9))];
      const { silent } = buildCoverage(buildReduced(rows));
      expect(silent.map(({ sensor, hours }) => [sensor, hours])).toEqual([["a", 4 + 144]]);
      expect(silent[0]!.chance).toBeLessThan(1e-6);
      const early = [...events("a", past), ...events("b", Array.from({ length: 23 }, () => 9))];
      expect(buildCoverage(buildReduced(early)).silent).toEqual([]);
    });
  });

  test("later days never change how an earlier day is judged", () => {
    const all = [9, 9, 9, 9, 9, 9, 9, 0, hoursOf(9, [3, 9]), 9, 0, 9, 9];
    const whole = buildCoverage(buildReduced(events("a", all)));
    for (let n = 8; n < all.length; n++) {
      const part = buildCoverage(buildReduced(events("a", all.slice(0, n))));
      // An archive that ends in a silence has no opinion on it yet.
      const known = part.days;
      expect({ n, status: [...part.status] }).toEqual({ n, status: [...whole.status.subarray(0, known)] });
    }
  });

  test("one sensor does not move another", () => {
    const a = events("a", [9, 9, 9, 9, 9, 9, 9, 0, hoursOf(9, [3, 9]), 9]);
    const alone = days(a)[0];
    expect(days([...a, ...events("b", [5, 0, 5, 0, 5, 0, 5, 0, 5, 0])])[0]).toBe(alone!);
  });

  test("days known only from cut counts are marked", () => {
    const cut: LiteralRow[] = [
      { kind: "login", date: date(0), sensor: "old", key: { username: "root", password: "1" }, count: 3 },
      { kind: "login", date: date(2), sensor: "old", key: { username: "root", password: "1" }, count: 3 },
    ];
    expect(days([...cut, ...events("a", [9, 9, 9])])).toEqual(["ooo", "c-c"]);
  });

  test("a sum of full and cut counts is marked as cut, whatever events it has", () => {
    const table = buildReduced(["a", "b", "c"].flatMap(name => events(name, [9, 9, 9])));
    const coverage = buildCoverage(table, { partlyCut: { sensor: 1, days: [day0 - 1, day0 + 1, day0 + 3] } });
    expect(toSensorCoverage(coverage).map(row => row.days)).toEqual(["ooo", "oco", "ooo"]);
    expect([3, 4, 5].map(cell => isUsable(coverage, cell))).toEqual([true, false, true]);
  });

  test("an empty table has an empty calendar", () => {
    const coverage = buildCoverage(buildReduced([]));
    expect([coverage.days, coverage.outages, coverage.silent]).toEqual([0, [], []]);
  });
});

describe("parseDowntime", () => {
  test("reads quotes, comments, zones and bare days", () => {
    const quoted = '\uFEFF# note\r\n"a,""b""",2024-03-01,2024-03-02\r\n\r\n';
    expect(parseDowntime(`${quoted}c,2024-03-01T02:00:00+02:00,2024-03-01T01:00:00Z`)).toEqual([
      { sensor: 'a,"b"', fromUs: day0 * 24 * HOUR_US, toUs: (day0 + 2) * 24 * HOUR_US },
      { sensor: "c", fromUs: day0 * 24 * HOUR_US, toUs: (day0 * 24 + 1) * HOUR_US },
    ]);
  });
  test.each(["a,2024-03-02,2024-03-01", "a,2024-13-01,2024-03-01", "a,b", "a,2024-03-01,", "2024-03-01"])(
    "refuses %j",
    text => {
      expect(() => parseDowntime(text)).toThrow(/^Cannot read line 1 of the downtime list: /);
    },
  );
});
