import { expect, test } from "bun:test";
import { holdsAll } from "../../../lib/reduced/holds-all.ts";
import { toSorted } from "../../../lib/reduced/sorted-table.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const DAYS = ["2024-01-01", "2024-01-02"];
const event = (date: string, sensor: string): LiteralRow => ({ kind: "event", date, sensor, key: { eventid: "e", hour: 3 }, count: 5, firstSeenUs: 100, lastSeenUs: 200 });
const login = (date: string, sensor: string, username: string, more: Partial<LiteralRow> = {}): LiteralRow =>
  ({ kind: "login", date, sensor, key: { username, password: null }, count: 5, success: 2, firstSeenUs: 100, lastSeenUs: 200, ...more });

const PART = DAYS.flatMap(date => ["b", "d"].flatMap(sensor => [event(date, sensor), login(date, sensor, "k"), login(date, sensor, "r")]));
/** More sensors, keys and days, so that codes and places differ. */
const MORE = ["2023-12-31", ...DAYS].flatMap(date =>
  ["a", "b", "c", "d"].flatMap(sensor => [login(date, sensor, "a"), login(date, sensor, "z"), ...(sensor === "a" ? [event(date, sensor)] : [])]),
);
const holds = (whole: LiteralRow[], part: LiteralRow[]) => holdsAll(toSorted(buildReduced(whole)), toSorted(buildReduced(part)));
const change = (change: Partial<LiteralRow>, at = 4) => PART.map((row, i) => (i === at ? { ...row, ...change } : row));

test("a table holds itself, and what is less of it", async () => {
  expect(PART[4]!.kind).toBe("login");
  expect([await holds(PART, PART), await holds([...MORE, ...PART], PART), await holds(PART, []), await holds([], [])]).toEqual([true, true, true, true]);
  expect(await holds([], PART)).toBe(false);
  for (let i = 0; i < PART.length; i++) {
    expect(await holds([...MORE, ...PART], PART.filter((_, at) => at !== i))).toBe(true);
    expect([i, await holds([...MORE, ...PART.filter((_, at) => at !== i)], PART)]).toEqual([i, false]);
  }
});

test.each([
  [{ count: 6 }, false],
  [{ count: 4 }, true],
  [{ success: 3 }, false],
  [{ success: 1 }, true],
  [{ firstSeenUs: 99, lastSeenUs: 200 }, false],
  [{ firstSeenUs: 101, lastSeenUs: 200 }, true],
  [{ lastSeenUs: 201 }, false],
  [{ lastSeenUs: 199 }, true],
  [{ key: { username: "k", password: "" } }, false],
  [{ key: { username: "unheard of", password: null } }, false],
  [{ sensor: "e" }, false],
] as [Partial<LiteralRow>, boolean][])("of a row that differs by %j: %p", async (differs, expected) => {
  const isNewDay = differs.sensor === undefined ? [] : [event(DAYS[0]!, differs.sensor)];
  expect(await holds([...MORE, ...PART, ...isNewDay], [...change(differs), ...isNewDay])).toBe(expected);
});

test("cut counts are passed over, and so is what a longer log says otherwise", async () => {
  const cut = login("2024-01-02", "cut", "only here");
  const last: LiteralRow = { kind: "pre_disconnect_command", date: DAYS[0]!, sensor: "b", key: { input: "only here" }, count: 9 };
  expect([await holds(PART, [...PART, cut]), await holds(PART, [...PART, last])]).toEqual([true, true]);
  expect(await holds(PART, [...PART, { ...cut, sensor: "b" }])).toBe(false);
});

test("addresses are held, where both tables know them", async () => {
  const from = (...list: string[]) => [event(DAYS[0]!, "a"), { ...login(DAYS[0]!, "a", "k"), from: list }];
  const unknown = [event(DAYS[0]!, "a"), login(DAYS[0]!, "a", "k")];
  expect(await holds(from("192.0.2.1", "192.0.2.2"), from("192.0.2.2"))).toBe(true);
  expect(await holds(from("192.0.2.1"), from("192.0.2.2"))).toBe(false);
  expect(await holds(from(), from("192.0.2.2"))).toBe(false);
  expect([await holds(unknown, from("192.0.2.2")), await holds(from("192.0.2.2"), unknown)]).toEqual([true, true]);
});
