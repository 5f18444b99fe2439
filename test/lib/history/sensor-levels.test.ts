/** Which sensors are looked at by themselves, and what of it the fleet says already; the whole is in `episodes.test.ts`. */
import { describe, expect, test } from "bun:test";
import { buildSensorWatches, countOnSensors, findSensorSpans } from "../../../lib/history/sensor-levels.ts";
import type { DaySeries } from "../../../lib/history/day-series.ts";
import type { Span } from "../../../lib/history/spans.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { buildReduced } from "../../support/build.ts";
import { command, FIRST_DAY, watch } from "../../support/days.ts";

/** A command on sensors a, b, c, each with its counts day by day and the days on which it was down. */
function lookAt(counts: Readonly<Record<string, readonly number[]>>, down: Readonly<Record<string, readonly number[]>> = {}) {
  const days = Math.max(...Object.values(counts).map(({ length }) => length));
  const table = buildReduced(Object.entries(counts).flatMap(([sensor, own]) => [...watch(sensor, own.length, down[sensor]), ...command(sensor, "id", own)]));
  const own = table.kinds.command;
  const coverage = buildCoverage(table);
  const watches = buildSensorWatches(coverage);
  const all = Int32Array.from({ length: days }, (_, i) => i);
  const fleet = { days: all.map(day => day + FIRST_DAY), exposure: new Float64Array(days).fill(1), placeOf: all, firstDay: FIRST_DAY };
  const nothing = new Float64Array(days);
  const series: DaySeries = { family: "command", values: ["id"], rows: Int32Array.from({ length: own.rows }, (_, row) => row), events: nothing, counts: nothing };
  const look = { own, watch: fleet, watches, addresses: undefined, usual: 0 };
  const name = (sensor: number) => table.dictionaries.sensor[sensor]!;
  return {
    enough: countOnSensors(series, look).map(({ sensor, counts: here }) => [name(sensor), [...here]] as const),
    spans: (told: readonly Span[] = []) => findSensorSpans(series, told, look).map(({ sensor, span, series: { rows, events } }) => ({ sensor: name(sensor), shape: span.shape, days: [span.start, span.end], rows: rows.length, events: [...events].reduce((sum, n) => sum + n, 0) })),
  };
}
const of = (...parts: readonly [days: number, count: number][]) => parts.flatMap(([days, count]) => Array<number>(days).fill(count));
const sensorsOf = (...sums: readonly number[]) => lookAt(Object.fromEntries(sums.map((sum, i) => ["abc"[i]!, [sum]]))).enough.map(([sensor]) => sensor);

describe("a sensor is looked at", () => {
  test("that has thirty events, a tenth of all, and no more than nine tenths", () => {
    expect(sensorsOf(30, 270)).toEqual(["a", "b"]);
    expect(sensorsOf(29, 250)).toEqual(["b"]);
    expect(sensorsOf(30, 271)).toEqual([]);
    expect(sensorsOf(30, 100, 171)).toEqual(["b", "c"]);
    expect(sensorsOf(300)).toEqual([]);
  });

  test("by the days on which it watched", () => {
    const { enough } = lookAt({ a: of([4, 9]), b: of([2, 20], [1, 0], [1, 7]) }, { b: [2] });
    expect(enough).toEqual([["a", [9, 9, 9, 9]], ["b", [20, 20, 7]]]);
  });
});

describe("a change of one sensor", () => {
  const steady = of([60, 12]);
  const later = of([30, 4], [30, 16]);

  test("is told where it is no burst, with the rows of that sensor", () => {
    expect(lookAt({ a: later, b: steady }).spans()).toEqual([{ sensor: "a", shape: "began", days: [30, 60], rows: 60, events: 600 }]);
    expect(lookAt({ a: of([30, 4], [2, 90], [28, 4]), b: steady }).spans()).toEqual([]);
    expect(lookAt({ a: steady, b: steady }).spans()).toEqual([]);
  });

  test("on two of them at the same time is one, of both", () => {
    expect(lookAt({ a: later, b: of([30, 4], [30, 20]), c: steady }).spans()).toEqual([{ sensor: "b", shape: "began", days: [30, 60], rows: 120, events: 600 + 720 }]);
    const apart = lookAt({ a: of([15, 16], [45, 4]), b: of([45, 4], [15, 20]), c: steady }).spans();
    expect(apart.map(({ sensor, shape }) => [sensor, shape])).toEqual([["b", "began"], ["a", "ended"]]);
  });

  test("is not told again where half the days are the fleet's already", () => {
    const fleet = (start: number, end: number): Span => ({ shape: "began", start, end, before: 1, level: 2, after: NaN, gain: 50 });
    const { spans } = lookAt({ a: later, b: steady });
    expect(spans([fleet(45, 60)])).toEqual([]);
    expect(spans([fleet(46, 60)])).toHaveLength(1);
    expect(spans([fleet(15, 45)])).toHaveLength(1);
    expect(spans([fleet(20, 50)])).toEqual([]);
  });

  test("that lasts as long as the sensor was heard, but not the archive, is none", () => {
    expect(lookAt({ a: later, b: of([70, 12]) }).spans()).toEqual([]);
    expect(lookAt({ a: [...later, ...of([10, 3])], b: of([70, 12]) }).spans()).toMatchObject([{ sensor: "a", shape: "passed", days: [30, 60] }]);
  });
});
