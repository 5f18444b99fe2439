/** Events as Parquet: nothing lost, nothing twice, nothing written that is the same, nothing of others touched. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COLUMN_NAMES, openColumn, TimeColumn } from "../../../lib/events/event-columns.ts";
import { parseCondition } from "../../../lib/events/event-filter.ts";
import { exportEvents, type ExportOptions } from "../../../lib/logs/export-events.ts";
import { readLogSet } from "../../../lib/logs/log-set.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { textOf } from "../../../lib/columns/dictionary.ts";
import { joinFleet } from "../../support/copy-fleet.ts";
import { type LogEvent, toLine } from "../../support/event-logs.ts";
import { readParquet, type ParquetRow, rowGroupsOf } from "../../support/parquet.ts";
import { makeTempDir } from "../../support/run.ts";

const DAY = 86_400;

async function makeFolders() {
  const dir = await makeTempDir();
  const [logs, out] = [join(dir.path, "logs"), join(dir.path, "out")];
  await mkdir(logs);
  const notices: string[] = [];
  return {
    logs,
    out,
    notices,
    put: (name: string, events: readonly LogEvent[]) => Bun.write(join(logs, name), events.map(one => `${toLine(one)}\n`).join("")),
    run: async (options: Partial<ExportOptions> = {}) => {
      notices.length = 0;
      using set = await readLogSet([logs], { mode: "continue", keepsTables: true, jobs: 1, onNotice: () => {}, outputs: [] });
      const defaults = { folder: out, by: "day", scope: {}, conditions: [], where: [], isFresh: false, replaces: false } as const;
      const outcomes = await exportEvents(set, { ...defaults, onNotice: line => notices.push(line), ...options });
      return outcomes.map(({ path, rows, what }) => `${dirname(path)} ${rows} ${what}`);
    },
    rows: async (): Promise<ParquetRow[]> => {
      const paths = readdirSync(out, { recursive: true, encoding: "utf8" }).filter(path => path.endsWith(".parquet")).sort();
      return (await Promise.all(paths.map(path => readParquet(join(out, path))))).flat();
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** Failed logins, one at each of these times. */
const logins = (...at: number[]): LogEvent[] => at.map(at => ({ eventid: "login.failed", at, username: `u${at}`, password: "p" }));

test("every cell of every event of the example logs, by day", async () => {
  await using dir = await makeFolders();
  await joinFleet(dir.logs);
  await dir.run();
  using set = await readLogSet([dir.logs], { mode: "continue", keepsTables: true, jobs: 1, onNotice: () => {}, outputs: [] });
  const names = ["day", ...COLUMN_NAMES];
  const columns = names.map(name => (name === "day" ? new TimeColumn("day") : openColumn(name)));
  const expected: string[] = [];
  for await (const { table } of openTables(set)) {
    for await (const batch of table.batches()) {
      const codes = columns.map(column => column.read(table, batch, Int32Array.from({ length: batch.rows }, (_, row) => row)));
      for (let row = 0; row < batch.rows; row++) {
        const cells = columns.map(({ values }, i) => (codes[i]![row]! < 0 ? null : textOf(values, codes[i]![row]!)));
        expected.push(JSON.stringify([batch.timestampUs[row], ...cells]));
      }
    }
  }
  const rows = await dir.rows();
  const day = ({ timestamp }: ParquetRow) => new Date(Number(timestamp) / 1000).toISOString().slice(0, 10);
  const actual = rows.map(row =>
    JSON.stringify([row.timestamp, day(row), ...COLUMN_NAMES.map(name => (row[name] === null ? null : String(row[name])))]),
  );
  expect(actual.length).toBeGreaterThan(10_000);
  expect(actual.sort()).toEqual(expected.sort());
});

describe("a second run", () => {
  test("writes what has changed and nothing else; -m w all", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json.2024-03-01", logins(0, 1));
    await dir.put("cowrie.json", logins(DAY, DAY + 1, DAY + 2));
    expect(await dir.run()).toEqual(["day=2024-03-01 2 written", "day=2024-03-02 3 written"]);
    const inode = () => statSync(join(dir.out, "day=2024-03-01/part-0.parquet")).ino;
    const before = inode();
    await appendFile(join(dir.logs, "cowrie.json"), logins(DAY + 3).map(one => `${toLine(one)}\n`).join(""));
    expect(await dir.run()).toEqual(["day=2024-03-01 2 unchanged", "day=2024-03-02 4 written"]);
    expect(inode()).toBe(before);
    expect(await dir.run({ isFresh: true })).toEqual(["day=2024-03-01 2 written", "day=2024-03-02 4 written"]);
    expect((await dir.rows()).map(({ username }) => username)).toEqual(["u0", "u1", "u86400", "u86401", "u86402", "u86403"]);
  });

  test("days without an event are looked for once", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json", logins(0, 3 * DAY));
    expect(await dir.run()).toEqual(["day=2024-03-01 1 written", "day=2024-03-04 1 written"]);
    // Nothing is opened, so nobody misses the column.
    const conditions = [parseCondition("novel=1", {})];
    expect(await dir.run({ conditions })).toEqual(["day=2024-03-01 1 unchanged", "day=2024-03-04 1 unchanged"]);
    await expect(dir.run({ conditions, isFresh: true })).rejects.toThrow("novel");
  });

  test("a file that was edited is made again", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json", logins(0));
    await dir.run();
    await appendFile(join(dir.out, "day=2024-03-01/part-0.parquet"), "x");
    expect(await dir.run()).toEqual(["day=2024-03-01 1 written"]);
    expect(await dir.rows()).toHaveLength(1);
  });

  test("days whose logs are gone stay, whole; --replace lets them go", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json.2024-03-01", logins(0, 1));
    await dir.put("cowrie.json.2024-03-02", [...logins(2), ...logins(DAY)]);
    expect(await dir.run()).toEqual(["day=2024-03-01 3 written", "day=2024-03-02 1 written"]);
    await rm(join(dir.logs, "cowrie.json.2024-03-01"));
    await dir.put("cowrie.json.2024-03-03", logins(2 * DAY));
    expect(await dir.run()).toEqual(["day=2024-03-01 3 kept", "day=2024-03-02 1 unchanged", "day=2024-03-03 1 written"]);
    expect(dir.notices).toHaveLength(1);
    await rm(join(dir.logs, "cowrie.json.2024-03-03"));
    expect(await dir.run()).toEqual(["day=2024-03-01 3 kept", "day=2024-03-02 1 unchanged", "day=2024-03-03 1 kept"]);
    expect(await dir.run({ replaces: true })).toEqual(["day=2024-03-01 1 written", "day=2024-03-02 1 unchanged"]);
    expect(existsSync(join(dir.out, "day=2024-03-03"))).toBe(false);
  });

  test("with other options is refused, or replaces", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json", logins(0, 40 * DAY));
    await dir.run();
    await expect(dir.run({ by: "month" })).rejects.toThrow("--replace makes it anew");
    expect(await dir.run({ by: "month", replaces: true })).toEqual(["month=2024-03 1 written", "month=2024-04 1 written"]);
    expect(readdirSync(dir.out).sort()).toEqual(["month=2024-03", "month=2024-04"]);
  });

  test("Parquet files of others are neither read along nor removed", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json", logins(0));
    await Bun.write(join(dir.out, "day=2020-01-01/mine.parquet"), "");
    await expect(dir.run({ replaces: true })).rejects.toThrow("mine.parquet");
    expect(existsSync(join(dir.out, "day=2020-01-01/mine.parquet"))).toBe(true);
    expect(existsSync(join(dir.out, "day=2024-03-01"))).toBe(false);
  });
});

describe("which events", () => {
  test("copies once, a line cut by rotation whole, in the file of its own time", async () => {
    await using dir = await makeFolders();
    const [whole] = logins(DAY - 43_201).map(one => toLine(one)) as [string];
    const first = logins(0, 1).map(one => `${toLine(one)}\n`).join("");
    const last = logins(DAY, DAY + 1).map(one => `${toLine(one)}\n`).join("");
    await Bun.write(join(dir.logs, "cowrie.json.2024-03-01"), first + whole.slice(0, 60));
    await Bun.write(join(dir.logs, "cowrie.json.2024-03-02"), `${whole.slice(60)}\n${last}`);
    await Bun.write(join(dir.logs, "old/cowrie.json.2024-03-01"), first);
    expect(await dir.run()).toEqual(["day=2024-03-01 3 written", "day=2024-03-02 2 written"]);
    expect(await dir.run()).toEqual(["day=2024-03-01 3 unchanged", "day=2024-03-02 2 unchanged"]);
  });

  test("those of the days, sensors and conditions asked for, sensors under their aliases", async () => {
    await using dir = await makeFolders();
    const at = [0, 1, DAY, DAY + 1, 2 * DAY];
    await dir.put("cowrie.json", logins(...at).map((one, i) => ({ ...one, sensor: i % 2 === 0 ? "a" : "b" })));
    const scope = { sinceDay: 19784, untilDay: 19784, sensors: ["x"], sensorAliases: { a: "x" } };
    const where = ["username!=u1"];
    const conditions = where.map(text => parseCondition(text, scope));
    expect(await dir.run({ scope, conditions, where })).toEqual(["day=2024-03-02 1 written"]);
    expect((await dir.rows()).map(({ sensor, username }) => [sensor, username])).toEqual([["x", "u86400"]]);
  });

  test("sensors with hostile names make no path; texts come as they were typed; unknown keys are JSON", async () => {
    await using dir = await makeFolders();
    const texts = ["../../etc", "/abs", "a=b/c", "\u0000\u001b[2J", "'; drop table", "=1+1", "😀\uFFFD", ""];
    await dir.put("cowrie.json", texts.map((text, i) => ({ eventid: "login.failed", at: i, sensor: text, password: text, novel: { text } })));
    await dir.run();
    expect(readdirSync(dir.out, { recursive: true }).sort()).toEqual(["day=2024-03-01", "day=2024-03-01/part-0.parquet"]);
    const rows = await dir.rows();
    expect(rows.map(({ sensor }) => sensor)).toEqual(texts);
    expect(rows.map(({ password }) => password)).toEqual(texts);
    expect(rows.map(({ extra }) => JSON.parse(String(extra)))).toEqual(texts.map(text => ({ novel: { text } })));
  });

  test("a log whose events go back and forth over years gives each to its day, with little memory too", async () => {
    await using dir = await makeFolders();
    const at = [-54 * 365 * DAY, ...Array.from({ length: 120 }, (_, i) => ((i * 37) % 60) * 20 * DAY)];
    await dir.put("cowrie.json", logins(...at));
    const outcomes = await dir.run();
    expect(outcomes).toHaveLength(61);
    expect(outcomes.slice(1).every(line => line.endsWith(" 2 written"))).toBe(true);
    const byMonth = { by: "month", replaces: true } as const;
    expect(await dir.run({ ...byMonth, heldMaxBytes: 0 })).toHaveLength(40);
    const rows = await dir.rows();
    expect(rows.map(({ username }) => username).sort()).toEqual(at.map(at => `u${at}`).sort());
  });

  test("rows that need more memory than they may take are written before their file is whole", async () => {
    await using dir = await makeFolders();
    await dir.put("cowrie.json.2024-03-01", logins(0, 1));
    await dir.put("cowrie.json.2024-03-02", logins(2));
    expect(await dir.run({ heldMaxBytes: 0 })).toEqual(["day=2024-03-01 3 written"]);
    expect(rowGroupsOf(join(dir.out, "day=2024-03-01/part-0.parquet"))).toEqual([2, 1]);
    expect((await dir.rows()).map(({ username }) => username)).toEqual(["u0", "u1", "u2"]);
  });
});
