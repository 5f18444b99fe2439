/** Combining tables: what is left out stands elsewhere, whatever a table says of itself; work grows with the tables. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { combineTables, type NamedTable, settleInputs } from "../../../lib/reduced/combine.ts";
import { calculateReport } from "../../../lib/pages/report.ts";
import { takeWithPauses } from "../../../lib/process/pause.ts";
import { readReducedArrow, reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { toSorted } from "../../../lib/reduced/sorted-table.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { seededRandom } from "../../support/random.ts";
import { analyze } from "../../support/tables.ts";
import { REDUCED_VERSION } from "../../../lib/reduced/kinds.ts";

const source = (head: string, whole: string, sizeBytes: number, more: Partial<SourceInfo> = {}): SourceInfo => ({
  path: `logs/${head}`,
  sizeBytes,
  headHash: head,
  wholeHash: whole,
  counts: { lines: 1, events: 1, repaired: 0, rejected: 0, pending: 0 },
  ...more,
});

/** Logins per day from 2024-01-01 on, and as many events. */
function rows(sensor: string, counts: readonly number[], username = "root"): LiteralRow[] {
  return counts.flatMap((count, i): LiteralRow[] => {
    const date = `2024-01-0${i + 1}`;
    return [
      { kind: "event", date, sensor, key: { eventid: "cowrie.login.failed", hour: 3 }, count },
      { kind: "login", date, sensor, key: { username, password: "x" }, count },
    ];
  });
}

const named = (name: string, literal: LiteralRow[], sources: SourceInfo[]): NamedTable => ({
  name,
  table: buildReduced(literal, { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources }),
});

async function combine(...tables: NamedTable[]) {
  const notices: string[] = [];
  const { table, leftOut, compared } = await combineTables(tables, line => void notices.push(line));
  const logins = table.kinds.login.count.reduce((sum, count) => sum + count, 0);
  return { logins, leftOut, compared, notices, sources: table.info.sources.length };
}

describe("days of one log in several tables", () => {
  const day = (date: string) => Date.parse(date) / 86_400_000;
  const logs = [join(FIXTURES_FOLDER, "fleet/hp-ams-01/cowrie.json.2026-07-10.gz"), join(FIXTURES_FOLDER, "fleet/hp-ams-01/cowrie.json.2026-07-11.gz")];
  const reduce = async (sinceDay?: string, untilDay?: string): Promise<NamedTable> => {
    const range = { ...(sinceDay && { sinceDay: day(sinceDay) }), ...(untilDay && { untilDay: day(untilDay) }) };
    const { table } = await analyze(logs, { parameters: { robotMaxSeconds: 10, ...range } });
    return { name: `${sinceDay} to ${untilDay}`, table };
  };
  const bytes = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);
  const merge = async (...tables: NamedTable[]) => ({ name: "merged", table: (await combineTables(tables, () => {})).table });

  test("in any order and any steps they are the table of all days", async () => {
    const whole = await reduce();
    const parts = [await reduce(undefined, "2026-07-10"), await reduce("2026-07-11", "2026-07-11"), await reduce("2026-07-12")];
    const [a, b, c] = parts as [NamedTable, NamedTable, NamedTable];
    expect(b.table.kinds.event.rows).toBeGreaterThan(0);
    for (const merged of [await merge(a, b, c), await merge(c, await merge(b, a)), await merge(await merge(a, c), b, a)]) {
      expect(bytes(merged.table).equals(bytes(whole.table))).toBe(true);
    }
    // Where a day lacks, the table says so of each log, and takes the day later, but none twice.
    const gap = await merge(a, c);
    const before = day("2026-07-10");
    expect(gap.table.info.sources.map(({ days }) => days)).toEqual(logs.map(() => [[null, before], [before + 2, null]]));
    expect((await combineTables([gap, a], () => {})).leftOut).toEqual([a.name]);
    await expect(combineTables([gap, await reduce("2026-07-11")], () => {})).rejects.toThrow("both count 2 logs");
    const again = await readReducedArrow(bytes(gap.table));
    expect(again.info).toEqual(gap.table.info);
  });

  test("a verdict that both know of a third day is known once", async () => {
    const scan = (date: string, sensor: string): LiteralRow => ({ kind: "scan", date, sensor, key: { shasum: "s", positives: 3, total: 60 }, count: 1 });
    const table = (range: object, literal: LiteralRow[], isElsewhere: number[]) => {
      const built = buildReduced(literal, { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10, ...range }, sources: [source("h", "w", 100)] });
      // Of a day that was not asked for: on no sensor.
      const sensor = built.kinds.scan.sensor.map((code, row) => (isElsewhere.includes(row) ? -1 : code));
      return { name: JSON.stringify(range), table: { ...built, kinds: { ...built.kinds, scan: { ...built.kinds.scan, sensor } } } };
    };
    const dates = ["2024-01-01", "2024-01-02", "2024-01-03"];
    const rows = dates.map(date => scan(date, "a"));
    const first = table({ sinceDay: day(dates[0]!), untilDay: day(dates[0]!) }, rows, [1, 2]);
    const second = table({ sinceDay: day(dates[1]!), untilDay: day(dates[1]!) }, rows, [0, 2]);
    const { scan: merged } = (await merge(first, second)).table.kinds;
    expect([[...merged.day], [...merged.sensor], [...merged.count]]).toEqual([dates.map(day), [0, 0, -1], [1, 1, 1]]);
  });

  test("stretches of days that are none are refused", async () => {
    const told = (days: unknown) =>
      reducedToIpc(buildReduced([], { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [source("h", "w", 1, { days } as object)] }));
    const read = (days: unknown) => readReducedArrow(Buffer.concat([...told(days)]));
    for (const days of [[[1, 2]], [[null, 2], [4, null]]]) expect((await read(days)).info.sources[0]).toMatchObject({ days });
    for (const days of [[], [[2, 1]], [[1, 2], [3, 4]], [[1, null], [5, 6]], [[5, 6], [1, 2]], [[1]], [[0.5, 2]], [["1", 2]], 7, null]) {
      await expect(read(days)).rejects.toThrow("damaged metadata");
    }
  });
});

describe("a table that says it holds another's log", () => {
  const honest = named("honest", rows("a", [5, 3]), [source("h", "w", 100)]);
  const LIES: [what: string, liar: NamedTable][] = [
    ["one byte more of it, and other counts", named("liar", rows("a", [1, 1]), [source("h", "v", 101)])],
    ["one byte more of it, and other keys", named("liar", rows("a", [9, 9], "admin"), [source("h", "v", 101)])],
    ["one byte more of it, of another sensor", named("liar", rows("b", [9, 9]), [source("h", "v", 101)])],
    ["one byte more of it, and a day less", named("liar", rows("a", [9]), [source("h", "v", 101)])],
    ["the same bytes beside others", named("liar", rows("a", [1, 1]), [source("h", "w", 100), source("g", "u", 9)])],
  ];
  test.each(LIES)("%s: refused, whichever comes first", async (_, liar) => {
    for (const tables of [
      [honest, liar],
      [liar, honest],
    ]) {
      await expect(combine(...tables)).rejects.toThrow(
        'Cannot combine "liar" and "honest": the first says it holds all of the other\'s logs, as "logs/h", and lacks',
      );
    }
  });

  test("a log that has grown takes the place of its earlier state", async () => {
    const grown = named("grown", rows("a", [5, 4, 1]), [source("h", "v", 150)]);
    expect(await combine(honest, grown)).toMatchObject({ logins: 10, leftOut: ["honest"] });
    expect(await combine(honest, honest, grown)).toMatchObject({ logins: 10, leftOut: ["honest", "honest"] });
  });

  test("a file of cut counts that two tables hold beside logs of their own is one source, and that is said", async () => {
    const tables = ["a", "b"].map(name =>
      named(name, rows(name, [9]), [source(`own ${name}`, name, 100), source("h", "v", 101, { cut: true })]),
    );
    const { notices, sources, leftOut } = await combine(...tables);
    expect(notices.filter(line => line.endsWith("are the same file: counted once"))).toHaveLength(1);
    expect({ sources, leftOut }).toEqual({ sources: 3, leftOut: [] });
  });

  test("cut counts vouch for no log", async () => {
    const logins = rows("a", [9, 9]).filter(({ kind }) => kind !== "event");
    const cut = named("cut", logins, [source("h", "v", 101, { cut: true })]);
    expect(await combine(honest, cut)).toMatchObject({ logins: 8, leftOut: [] });
  });
});

/** What is told of a table without rows. */
const infoOf = (name: string, sources: SourceInfo[], [sinceDay, untilDay]: readonly (number | undefined)[] = []) => {
  const range = { ...(sinceDay !== undefined && { sinceDay }), ...(untilDay !== undefined && { untilDay }) };
  const table = buildReduced([], { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10, ...range }, sources });
  return { name, info: table.info, open: () => toSorted(table, name) };
};
type Told = ReturnType<typeof infoOf>;

describe("which tables count", () => {
  const bounds = ({ info: { parameters: { sinceDay = -Infinity, untilDay = Infinity } } }: Told) => [sinceDay, untilDay] as const;
  const isPart = (part: Told, whole: Told) =>
    bounds(whole)[0] <= bounds(part)[0] &&
    bounds(part)[1] <= bounds(whole)[1] &&
    part.info.sources.every(a =>
      whole.info.sources.some(b => a.headHash === b.headHash && (a.wholeHash === b.wholeHash || a.sizeBytes < b.sizeBytes)),
    );
  const overlap = (one: Told, other: Told) =>
    one.info.sources.some(a =>
      other.info.sources.some(
        b => a.headHash === b.headHash && (a.wholeHash !== b.wholeHash || (bounds(one)[0] <= bounds(other)[1] && bounds(other)[0] <= bounds(one)[1])),
      ),
    );

  test("is what holding each against each says: what is part of none, if no two of these share a log's day", async () => {
    const random = seededRandom("which tables count");
    let refused = 0;
    let parts = 0;
    for (let world = 0; world < 400; world++) {
      const tables = Array.from({ length: random.between(2, 7) }, (_, i) => {
        const logs = ["a", "b", "c", "d"].filter(() => random.chance(world % 2 === 0 ? 0.3 : 0.7));
        const range = random.pick([[], [], [1, 3], [4, 6], [1, 6], [2, 2], [undefined, 3], [4, undefined]]);
        const sized = logs.map(head => [head, random.chance(0.8) ? 20 : 10] as const);
        return infoOf(`t${i}`, (sized.length > 0 ? sized : [["e", 5] as const]).map(([head, bytes]) => source(head, `${head}${bytes}`, bytes)), range);
      });
      const isEqual = (a: Told, b: Told) => isPart(a, b) && isPart(b, a);
      const whole = tables.filter((table, i) => !tables.some((other, j) => j !== i && isPart(table, other) && !(isEqual(table, other) && i < j)));
      const wanted = whole.some((table, i) => whole.slice(i + 1).some(other => overlap(table, other)));
      const settled = await settleInputs(tables, () => {}).catch((error: Error) => error.message);
      if (wanted) {
        expect(settled).toContain("Cannot combine");
        refused++;
        continue;
      }
      const { kept, leftOut } = settled as Exclude<typeof settled, string>;
      expect([kept.length, leftOut.length]).toEqual([whole.length, tables.length - whole.length]);
      expect(whole.every(table => kept.some(one => isEqual(one, table)))).toBe(true);
      parts += leftOut.length;
    }
    expect(refused).toBeGreaterThan(50);
    expect(parts).toBeGreaterThan(50);
  });
});

describe("work", () => {
  const many = (n: number) =>
    Array.from({ length: n }, (_, i) => named(`t${i}`, rows(`s${i}`, [1]), [source(`h${i}`, `w${i}`, 10)]));

  test("tables that share no log are never held against each other", async () => {
    expect(await combine(...many(500))).toMatchObject({ logins: 500, compared: 0 });
  });

  test("each of two copies is held against the other alone", async () => {
    expect(await combine(...many(300), ...many(300))).toMatchObject({ logins: 300, compared: 300 });
  });

  test("one day of a log each, and copies of some: each copy is held against its original alone", async () => {
    const days = Array.from({ length: 300 }, (_, i) => infoOf(`d${i}`, [source("h", "w", 10), source("g", "v", 10)], [20_000 + 2 * i, 20_000 + 2 * i]));
    const copies = days.slice(0, 100).map(table => ({ ...table, name: `${table.name} again` }));
    const { kept, compared, sources } = await settleInputs([...days, ...copies], () => {});
    expect([kept.length, compared, sources[0]!.days!.length]).toEqual([300, 100, 300]);
  });

  test("of logs of one first line in two tables each is found at once", async () => {
    const asked = { logs: 0 };
    const logs = Array.from({ length: 2000 }, (_, i) => {
      const log = source("h", `w${i}`, i);
      return { ...log, get wholeHash() { asked.logs++; return log.wholeHash; } };
    });
    const { leftOut } = await settleInputs([infoOf("one", logs), infoOf("two", logs)], () => {});
    expect(leftOut.length).toBe(1);
    expect(asked.logs).toBeLessThan(20 * logs.length);
  });

  test("tables that share some of their logs are refused before a row of any is read", async () => {
    const opened = (name: string, ...hashes: string[]) => ({
      name,
      info: named(name, rows("s", [1]), hashes.map(hash => source(hash, hash, 10))).table.info,
      open: (): never => {
        throw new Error(`${name} was read`);
      },
    });
    await expect(settleInputs([opened("one", "a", "b"), opened("two", "b", "c"), opened("three", "d")], () => {})).rejects.toThrow(/^Cannot combine "\w+" and "\w+": both count 1 log/);
  });

  test("one sensor-day in many tables of cut counts: a notice each", async () => {
    const cut = Array.from({ length: 200 }, (_, i) =>
      named(`c${i}`, rows("a", [i + 1]).filter(({ kind }) => kind !== "event"), [
        source(`h${i}`, `w${i}`, 10, { cut: true }),
      ]),
    );
    const { notices, logins } = await combine(...cut);
    expect([notices.length, logins]).toEqual([199, 200]);
  });
});

test("other work has its turn while tables are read, added up and drawn", async () => {
  const { table } = named("one", rows("a", [5, 3]), [source("h", "w", 100)]);
  let turns = 0;
  let next = setImmediate(function turn() {
    turns++;
    next = setImmediate(turn);
  });
  const turnsOf = async (work: () => Promise<unknown>) => {
    const before = turns;
    await work();
    return turns - before;
  };
  const bytes = Buffer.concat([...reducedToIpc(table)]);
  const shown = { topN: 5, thresholdPercent: 20, lastDays: 7 };
  // A batch for each kind; each kind and each dictionary; each section of the report, three times.
  expect(await turnsOf(() => readReducedArrow(bytes))).toBeGreaterThanOrEqual(2);
  expect(await turnsOf(() => combine({ name: "one", table }))).toBeGreaterThan(20);
  expect(await turnsOf(() => takeWithPauses(calculateReport(table, shown)))).toBeGreaterThan(5);
  clearImmediate(next);
});
