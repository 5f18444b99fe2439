/** What is drawn of very many sensors and days: the sums stay, the rest has one name, and what is not drawn is said. */
import { expect, test } from "bun:test";
import { drawTable } from "../../../lib/reduced/drawn-table.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const DATES = ["2024-01-01", "2024-01-02", "2024-01-03"];

/** Sensor i has i + 1 events, logins and sessions a day, all sessions of the same id. */
function rowsOf(names: readonly string[], dates = DATES): LiteralRow[] {
  return names.flatMap((sensor, i) =>
    dates.flatMap((date): LiteralRow[] => [
      { kind: "event", date, sensor, key: { eventid: "e", hour: i % 24 }, count: i + 1 },
      { kind: "login", date, sensor, key: { username: "root", password: null }, count: i + 1, success: 1 },
      { kind: "pre_disconnect_command", date, sensor, key: { input: "id" }, count: i + 1 },
      { kind: "last_command", date, sensor, key: { session: "s", input: "id", source: "w", line: 1 }, count: 1 },
    ]),
  );
}

const sums = ({ kinds }: ReducedTable) =>
  Object.fromEntries(
    KIND_NAMES.filter(kind => kind !== "last_command").map(kind => {
      const { rows, day, count, success } = kinds[kind];
      const byDay = new Map<number, number>();
      for (let row = 0; row < rows; row++) byDay.set(day[row]!, (byDay.get(day[row]!) ?? 0) + count[row]! + success[row]!);
      return [kind, [...byDay]];
    }),
  );

const LIMITS = { sensors: 4, days: 100, sensorDays: 1000 };

test("a table within the limits is handed back as it is", () => {
  const table = buildReduced(rowsOf(["a", "b", "c", "d"]));
  expect(drawTable(table, LIMITS)).toEqual({ table, allSensors: 4, limits: [] });
  expect(drawTable(table, LIMITS).table).toBe(table);
  expect(drawTable(buildReduced([]), LIMITS).limits).toEqual([]);
});

test("the busiest sensors are kept, the others are one, and every sum is what it was", () => {
  const table = buildReduced(rowsOf(["a", "b", "c", "d", "e", "f"]));
  const { table: drawn, others, allSensors, limits } = drawTable(table, LIMITS);
  expect(drawn.dictionaries.sensor).toEqual(["(3 other sensors)", "d", "e", "f"]);
  expect([others, allSensors, limits]).toEqual([
    0,
    6,
    ["The 3 busiest of 6 sensors are looked at one by one, the others together as one; the table has all of them."],
  ]);
  expect(sums(drawn)).toEqual(sums(table));
  const { sensor, count } = drawn.kinds.login;
  expect([...count.filter((_, row) => sensor[row] === 0)]).toEqual([6, 6, 6]);
});

test("a sensor that is called like the others keeps its own counts", () => {
  const table = buildReduced(rowsOf(["a", "b", "c", "d", "e", "(3 other sensors)"]));
  const { table: drawn, others } = drawTable(table, LIMITS);
  expect(drawn.dictionaries.sensor).toEqual(["(3 other sensors)", "(3 other sensors)*", "d", "e"]);
  expect(others).toBe(1);
  expect(sums(drawn)).toEqual(sums(table));
});

test("the more days, the fewer sensors", () => {
  const table = buildReduced(rowsOf(["a", "b", "c"], ["2024-01-01", "2024-01-10"]));
  expect(drawTable(table, { ...LIMITS, sensorDays: 30 }).limits).toEqual([]);
  expect(drawTable(table, { ...LIMITS, sensorDays: 29 }).table.dictionaries.sensor).toEqual(["(2 other sensors)", "c"]);
});

test("days far from the rest are left out, and their events are told", () => {
  const table = buildReduced([...rowsOf(["a", "b"]), ...rowsOf(["a"], ["1999-12-31"])]);
  const { table: drawn, others, limits } = drawTable(table, LIMITS);
  expect([others, limits]).toEqual([
    undefined,
    [
      "1 event too far from the rest to be looked at, which is from 2024-01-01 to 2024-01-03; the table has all of " +
        "them.",
    ],
  ]);
  expect(sums(drawn)).toEqual(sums(buildReduced(rowsOf(["a", "b"]))));
});

test("days on which a part of the others was cut are told: their sum is no full count", () => {
  const cut = (sensor: string, date: string): LiteralRow => ({
    kind: "login", date, sensor, key: { username: "root", password: null }, count: 1,
  });
  const [first, second, third] = DATES as [string, string, string];
  // "x" was cut on two days and whole on the third, "y" is of a day on which no other of the others is there.
  const table = buildReduced([
    ...rowsOf(["a", "b", "c", "d", "e"]),
    cut("x", first),
    cut("x", third),
    { kind: "event", date: second, sensor: "x", key: { eventid: "e", hour: 1 }, count: 1 },
    cut("x", second),
    cut("y", "2024-01-04"),
  ]);
  const { others, partlyCut } = drawTable(table, LIMITS);
  const day = Date.parse(first) / 86_400_000;
  expect(partlyCut).toEqual({ sensor: others!, days: [day, day + 2] });
  expect(drawTable(buildReduced(rowsOf(["a", "b", "c", "d", "e"])), LIMITS)).not.toHaveProperty("partlyCut");
  // A sensor that is looked at by itself makes no day of the others partly cut.
  const busy = [...rowsOf(["a", "b", "c", "d", "e"]), { ...cut("x", first), count: 1000 }];
  expect(drawTable(buildReduced(busy), LIMITS)).not.toHaveProperty("partlyCut");
});
