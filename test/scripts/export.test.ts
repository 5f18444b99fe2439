/** export as a user runs it; and what engines answer over its files, held against what our own scripts count. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseCondition } from "../../lib/events/event-filter.ts";
import { exportEvents } from "../../lib/logs/export-events.ts";
import { type LogSet, readLogSet } from "../../lib/logs/log-set.ts";
import { summarizeEvents } from "../../lib/logs/summary.ts";
import { countValues, type Grouping } from "../../lib/logs/value-counts.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { type Engine, ENGINE_NAMES, findEngine, readParquet } from "../support/parquet.ts";
import { makeTempDir, runScript } from "../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
let set: LogSet;
const at = (name: string) => join(dir.path, name);

beforeAll(async () => {
  dir = await makeTempDir();
  await joinFleet(at("fleet"));
  const options = { mode: "continue", keepsTables: true, jobs: 1, mappedDir: at("tables"), onNotice() {}, outputs: [] } as const;
  set = await readLogSet([at("fleet")], options);
  const common = { scope: {}, conditions: [], where: [], isFresh: false, replaces: false, onNotice() {} };
  await exportEvents(set, { folder: at("parquet"), by: "day", ...common });
});
afterAll(async () => {
  set[Symbol.dispose]();
  await dir[Symbol.asyncDispose]();
});

test("the command: what is written, what stands in --json, a second run, a folder that it refuses", async () => {
  await using dir = await makeTempDir();
  await joinFleet(join(dir.path, "fleet"), ["hp-ams-01"]);
  const exported = (...args: string[]) => runScript("export", ["fleet", "-o", "out", ...args], { cwd: dir.path });
  const first = await exported("--parquet", "--by", "month", "--json");
  const { files, rows, bytes } = JSON.parse(first.stdout) as { files: { path: string; rows: number; what: string }[]; rows: number; bytes: number };
  expect({ exitCode: first.exitCode, files: files.length }).toEqual({ exitCode: 0, files: 2 });
  expect(first.stderr).toContain('in "out": 2 written, 0 unchanged');
  const read = (await Promise.all(files.map(({ path }) => readParquet(join(dir.path, "out", path))))).map(({ length }) => length);
  expect(files.map(({ rows }) => rows)).toEqual(read);
  expect(rows).toBe(read[0]! + read[1]!);
  expect(bytes).toBeGreaterThan(1000);
  // Nothing but the files: no lock, no marker, nothing half written.
  expect(readdirSync(join(dir.path, "out"), { recursive: true }).sort()).toEqual(files.flatMap(({ path }) => [path.split("/")[0]!, path]));
  const second = await exported("--by", "month");
  expect(second.stdout).toBe("");
  expect(second.stderr).toContain("0 written, 2 unchanged");
  const other = await exported();
  expect(other.exitCode).toBe(1);
  expect(other.stderr).toContain("--replace makes it anew");
});

test.each([
  [["fleet"], "--outfile"],
  [["fleet", "-o", "-"], "expected a folder"],
  [["fleet", "-o", "out", "--by", "week"], "month"],
])("%j is wrong usage", async (args, message) => {
  const { exitCode, stderr } = await runScript("export", args, { cwd: dir.path });
  expect({ exitCode, says: stderr.includes(message) ? message : stderr }).toEqual({ exitCode: 2, says: message });
});

interface Question {
  readonly events?: string;
  /** Columns whose values are counted. */
  readonly columns: readonly string[];
  readonly by?: Grouping;
  readonly where?: string;
  /** The same in SQL. */
  readonly sql?: string;
}

/** What people ask of an archive. */
const QUESTIONS: Record<string, Question> = {
  "events by id": { columns: ["eventid"] },
  "events by id and day": { columns: ["eventid"], by: "day" },
  "logins by outcome and day": { columns: ["eventid"], by: "day", events: "login.success,login.failed" },
  "passwords refused": { columns: ["password"], events: "login.failed" },
  "credentials accepted": { columns: ["username", "password"], events: "login.success" },
  "usernames by sensor": { columns: ["username"], by: "sensor", events: "login.failed" },
  commands: { columns: ["input"], events: "command.input" },
  "commands with wget, by sensor": { columns: ["input"], by: "sensor", events: "command.input", where: "input~wget", sql: "input like '%wget%'" },
  "events of each session": { columns: ["session"], by: "sensor" },
  "connects by address": { columns: ["src_ip"], events: "session.connect" },
  "connects by address and day": { columns: ["src_ip"], by: "day", events: "session.connect" },
  "ports that were come to": { columns: ["dst_port"], events: "session.connect" },
  "downloads by hash": { columns: ["shasum"], events: "session.file_download", where: "shasum!=", sql: "shasum <> ''" },
  "downloads by URL and day": { columns: ["url"], by: "day", events: "session.file_download" },
  "uploads by name and hash": { columns: ["filename", "shasum"], events: "session.file_upload" },
  "hosts asked for by proxy": { columns: ["dst_ip", "dst_port"], events: "direct-tcpip.request" },
  "client versions": { columns: ["version"], events: "client.version" },
  "client algorithms": { columns: ["hassh"], events: "client.kex" },
  "keys by fingerprint": { columns: ["fingerprint"], events: "client.fingerprint" },
  "how long sessions lasted": { columns: ["duration"], events: "session.closed" },
  "sizes of recordings": { columns: ["size"], events: "log.closed" },
  "verdicts on files": { columns: ["shasum", "positives", "total"], events: "virustotal.scanfile" },
  protocols: { columns: ["protocol"], by: "sensor", events: "session.connect" },
  "all that has no column": { columns: ["extra"] },
};

/** Rows in one order, whatever each engine gives for a number. */
const settle = (rows: readonly (readonly unknown[])[]) =>
  rows.map(row => JSON.stringify(row.map(cell => (cell === null ? null : typeof cell === "string" ? cell : String(cell))))).sort();

async function askScripts({ events, columns, by, where }: Question, logs = set): Promise<unknown[][]> {
  const counts = await countValues(logs, {
    events: events?.split(",") ?? [],
    columns,
    ...(by === undefined ? {} : { by }),
    scope: {},
    conditions: where === undefined ? [] : [parseCondition(where, {})],
    limit: 0,
  });
  return counts.rows.map(({ group, values, count }) => [...(by === undefined ? [] : [group]), ...values, count]);
}

/** Texts as an engine hands them over. */
const spell = ({ marksLost }: Engine) => (row: readonly unknown[]) =>
  row.map(cell => (marksLost && typeof cell === "string" ? cell.replace(/^\uFEFF/, "") : cell));

function toSql({ events, columns, by, sql }: Question, from: string): string {
  const names = [...(by === undefined ? [] : [by]), ...columns].map(name => (name === "day" ? "cast(day as varchar)" : `"${name}"`));
  const ids = events?.split(",").map(id => `'cowrie.${id}'`);
  const conditions = [
    `(${columns.map(name => `"${name}" is not null`).join(" or ")})`,
    ...(ids === undefined ? [] : [`eventid in (${ids.join(", ")})`]),
    ...(sql === undefined ? [] : [sql]),
  ];
  return `select ${names.join(", ")}, count(*) from ${from} where ${conditions.join(" and ")} group by ${names.join(", ")}`;
}

for (const name of ENGINE_NAMES) {
  const { reason, why, open } = findEngine(name);
  test.skipIf(reason !== undefined)(`${name} over the Parquet files counts what our scripts count${why}`, async () => {
    const engine = await open();
    const from = engine.parquet(at("parquet"));
    for (const [what, question] of Object.entries(QUESTIONS)) {
      const expected = await askScripts(question);
      expect(expected.length).toBeGreaterThan(0);
      expect({ what, rows: settle(await engine.ask(toSql(question, from))) }).toEqual({ what, rows: settle(expected.map(spell(engine))) });
    }
    const { summary } = await summarizeEvents(set, { scope: {}, limit: 1, dedupeLines: false });
    const days = summary.days.map(({ day, events, sessions, addresses }) => [day, events, sessions, addresses]);
    const sessions = "count(distinct sensor || '/' || session)";
    const sql = `select cast(day as varchar), count(*), ${sessions}, count(distinct src_ip) from ${from} group by day`;
    expect(settle(await engine.ask(sql))).toEqual(settle(days));
  });
}

const clickHouse = findEngine("ClickHouse");
test.skipIf(clickHouse.reason !== undefined)(`ClickHouse reads event tables and reduced tables as they are${clickHouse.why}`, async () => {
  const engine = await clickHouse.open();
  const tables = `file('${at("tables")}/*.arrow', Arrow)`;
  for (const what of ["events by id", "passwords refused", "commands", "downloads by hash", "ports that were come to"]) {
    // A line that is cut between two logs is in neither table.
    const expected = await askScripts(QUESTIONS[what]!, { ...set, seams: [] });
    expect({ what, rows: settle(await engine.ask(toSql(QUESTIONS[what]!, tables))) }).toEqual({ what, rows: settle(expected) });
  }
  const { exitCode } = await runScript("reduce", ["fleet", "--mapped-dir", "tables", "-o", "reduced.arrow", "-q"], { cwd: dir.path });
  expect(exitCode).toBe(0);
  const reduced = `file('${at("reduced.arrow")}', Arrow)`;
  const events = await engine.ask(`select eventid, sum(count) from ${reduced} where kind = 'event' group by eventid`);
  expect(settle(events)).toEqual(settle(await askScripts(QUESTIONS["events by id"]!)));
  const logins = await engine.ask(`select username, password, sum(success) from ${reduced} where kind = 'login' group by all having sum(success) > 0`);
  expect(settle(logins)).toEqual(settle(await askScripts(QUESTIONS["credentials accepted"]!)));
});
