/** When a stored event table is true, where it lies, and which logs count. */
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { appendFile, chmod, copyFile, cp, mkdir, readFile, rename, rm, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MAPPING_VERSION } from "../../../lib/events/schema.ts";
import { makeTempDir } from "../../support/run.ts";
import { eventTableToIpc, openEventTable } from "../../../lib/events/event-table.ts";
import { readLogSet } from "../../../lib/logs/log-set.ts";
import { writeTable } from "../../../lib/logs/read-log.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { analyze, mapBytes } from "../../support/tables.ts";

const event = (n: number, more = "") =>
  `{"eventid":"cowrie.login.failed","timestamp":"2024-01-31T10:00:00.${String(n).padStart(6, "0")}Z",` +
  `"sensor":"hp1","session":"s${n}","username":"u${n}"${more}}\n`;
const events = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => event(start + i)).join("");

test("a table that cannot be written, as on a disk full of logs, says where it can lie", () => {
  const job = { path: "/logs/cowrie.json", tablePath: "/logs/cowrie.json.arrow", partialPath: "/dev/null/partial", isFresh: false, hasLineHashes: false };
  expect(() => writeTable({ ...job, wantsResume: true }, [])).toThrow(/^Cannot write "\/logs\/cowrie.json.arrow": .* \(--mapped-dir chooses another folder\)$/);
  // Of what can be read once only it lies where nobody chose.
  expect(() => writeTable(job, [])).not.toThrow("--mapped-dir");
});

/** A folder with one log of ten events, analyzed once, its event table beside it. */
async function makeLog() {
  const dir = await makeTempDir();
  const log = join(dir.path, "logs", "cowrie.json");
  await mkdir(dirname(log));
  await Bun.write(log, events(0, 10));
  const run = async (options: Parameters<typeof analyze>[1] = {}) => {
    const { counts, reused, leftOut, notices, rejects } = await analyze([dirname(log)], {
      mappedDir: undefined as never,
      ...options,
    });
    return {
      events: counts.events,
      reused,
      ...(leftOut ? { leftOut } : {}),
      ...(rejects.length ? { rejects: rejects.length } : {}),
      notices,
    };
  };
  expect(await run()).toEqual({ events: 10, reused: 0, notices: [] });
  return { log, table: `${log}.arrow`, run, path: dir.path, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

async function openSet(log: string) {
  return { set: await readLogSet([log], { mode: "continue", keepsTables: true, outputs: [], onNotice() {} }) };
}

const UNCHANGED = { events: 10, reused: 1, notices: [] };
const READ_AGAIN = { events: 10, reused: 0, notices: [] };

describe("a stored event table is used as long as it is true", () => {
  test("unchanged: used, and not written again", async () => {
    await using log = await makeLog();
    const before = statSync(log.table).ino;
    expect(await log.run()).toEqual(UNCHANGED);
    expect(statSync(log.table).ino).toBe(before);
    expect(readdirSync(dirname(log.log)).sort()).toEqual(["cowrie.json", "cowrie.json.arrow"]);
  });

  test("a log that has grown is read again", async () => {
    await using log = await makeLog();
    await appendFile(log.log, events(10, 12));
    expect(await log.run()).toEqual({ events: 12, reused: 0, notices: [] });
    expect(await log.run()).toEqual({ events: 12, reused: 1, notices: [] });
  });

  test("other text of the same size and time is read again, in place or renamed over", async () => {
    await using log = await makeLog();
    for (const isRenamed of [false, true]) {
      const { atime, mtime, size } = statSync(log.log);
      const other = (await readFile(log.log, "utf8")).replaceAll(/"[uv](?=\d)/g, isRenamed ? '"w' : '"v');
      const target = isRenamed ? join(log.path, "other") : log.log;
      await Bun.write(target, other);
      await utimes(target, atime, mtime);
      if (isRenamed) await rename(target, log.log);
      expect([statSync(log.log).size, statSync(log.log).mtimeMs]).toEqual([size, mtime.getTime()]);
      expect(await log.run()).toEqual(READ_AGAIN);
    }
  });

  test("a forged table is not believed, though it says of the log all that is true", async () => {
    await using log = await makeLog();
    const { info } = await openEventTable(log.table).then(async ({ info, table }) => (await table.close(), { info }));
    const { table } = await mapBytes(events(0, 10).replaceAll('"u', '"forged'));
    const forged = Buffer.concat([...eventTableToIpc(table, info)]);
    table.close();
    const { atime, mtime } = statSync(log.table);
    await Bun.write(log.table, forged);
    await utimes(log.table, atime, mtime);
    expect(await log.run()).toEqual(READ_AGAIN);
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("a table of ours that belongs to another log, or to an earlier state of this one, is not believed", async () => {
    await using log = await makeLog();
    const earlier = await readFile(log.table);
    const other = (await readFile(log.log, "utf8")).replaceAll('"u', '"v');
    await Bun.write(log.log, other);
    expect(await log.run()).toEqual(READ_AGAIN);
    await Bun.write(log.table, earlier);
    expect(await log.run()).toEqual(READ_AGAIN);
  });

  test("a link, a pipe or a folder in the place of a table is not opened", async () => {
    await using log = await makeLog();
    await rename(log.table, join(log.path, "moved"));
    await symlink(join(log.path, "moved"), log.table);
    expect(await log.run()).toEqual(READ_AGAIN);
    expect(lstatSync(log.table).isFile()).toBe(true);
    await rm(log.table);
    expect(Bun.spawnSync(["mkfifo", log.table]).exitCode).toBe(0);
    expect(await log.run()).toEqual(READ_AGAIN);
    expect(lstatSync(log.table).isFile()).toBe(true);
  });

  test("a table that is replaced while the run is at work is not read", async () => {
    await using log = await makeLog();
    const { set } = await openSet(log.log);
    const { info } = await openEventTable(log.table).then(async ({ info, table }) => (await table.close(), { info }));
    const { table } = await mapBytes(events(0, 10).replaceAll('"u', '"forged'));
    await Bun.write(log.table, Buffer.concat([...eventTableToIpc(table, info)]));
    table.close();
    const walk = async () => {
      for await (const { table } of openTables(set)) void table;
    };
    await expect(walk()).rejects.toThrow("it was changed or replaced in the meantime");
    set[Symbol.dispose]();
  });

  test("readable to others only as the log is", async () => {
    await using log = await makeLog();
    for (const [mode, wanted] of [
      [0o644, 0o644],
      [0o640, 0o600],
      [0o600, 0o600],
    ] as const) {
      await chmod(log.log, mode);
      await log.run({ mode: "write" });
      expect({ mode, table: statSync(log.table).mode & 0o777 }).toEqual({ mode, table: wanted & ~process.umask() });
    }
  });

  test("the same text with another time or in another file is used", async () => {
    await using log = await makeLog();
    await utimes(log.log, 1, 1);
    expect(await log.run()).toEqual(UNCHANGED);
    const copy = join(log.path, "copy");
    await copyFile(log.log, copy);
    await rename(copy, log.log);
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("a log moved with its table is used, and named as it is now", async () => {
    await using log = await makeLog();
    const moved = join(log.path, "logs", "cowrie.json.2024-01-31");
    await rename(log.log, moved);
    await rename(log.table, `${moved}.arrow`);
    const { reused, table } = await analyze([dirname(log.log)], { mappedDir: undefined as never });
    expect([reused, table.info.sources.map(({ path }) => path)]).toEqual([1, [moved]]);
  });

  test("a table of another mapping version is made anew", async () => {
    await using log = await makeLog();
    const bytes = (await readFile(log.table)).toString("latin1");
    const other = bytes.replaceAll(`"mappingVersion":${MAPPING_VERSION}`, '"mappingVersion":9');
    expect(other).not.toBe(bytes);
    await Bun.write(log.table, Buffer.from(other, "latin1"));
    expect(await log.run()).toEqual(READ_AGAIN);
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("a damaged table is made anew: empty, garbage, cut short", async () => {
    await using log = await makeLog();
    const sound = await readFile(log.table);
    const spoiled: [string, Buffer][] = [
      ["empty", Buffer.alloc(0)],
      ["garbage", Buffer.from("no Arrow at all".repeat(100))],
      ["only the magic", Buffer.from("ARROW1\0\0")],
      ...[0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map((share): [string, Buffer] => [
        `cut at ${share}`,
        sound.subarray(0, Math.floor(sound.length * share)),
      ]),
    ];
    for (const [what, bytes] of spoiled) {
      await Bun.write(log.table, bytes);
      expect({ what, ...(await log.run()) }).toEqual({ what, ...READ_AGAIN });
    }
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("mode w reads every log again", async () => {
    await using log = await makeLog();
    expect(await log.run({ mode: "write" })).toEqual(READ_AGAIN);
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("a table without hashes of lines is no use for finding equal lines; one with them is, for both", async () => {
    await using log = await makeLog();
    expect(await log.run({ dedupeLines: true })).toEqual(READ_AGAIN);
    expect(await log.run({ dedupeLines: true })).toEqual(UNCHANGED);
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("rejected lines are in the log only", async () => {
    await using log = await makeLog();
    expect(await log.run({ wantsRejects: true })).toEqual(UNCHANGED);
    await appendFile(log.log, "garbage\n");
    expect(await log.run()).toEqual(READ_AGAIN);
    expect(await log.run({ wantsRejects: true })).toEqual({ ...READ_AGAIN, rejects: 1 });
    expect(await log.run()).toEqual(UNCHANGED);
  });

  test("other parameters of the reduction need no reading", async () => {
    await using log = await makeLog();
    expect(await log.run({ parameters: { robotMaxSeconds: 1, sensorAliases: { hp1: "x" } } })).toEqual(UNCHANGED);
  });

  test("several logs at a time: each by itself", async () => {
    await using log = await makeLog();
    for (let i = 1; i < 4; i++) await Bun.write(`${log.log}.${i}`, events(100 * i, 100 * i + 5));
    expect(await log.run({ jobs: 3 })).toEqual({ events: 25, reused: 1, notices: [] });
    expect(await log.run({ jobs: 3 })).toEqual({ events: 25, reused: 4, notices: [] });
  });
});

describe("event tables away from their logs", () => {
  test("two logs of one name in two folders have a table each", async () => {
    await using dir = await makeTempDir();
    const mappedDir = join(dir.path, "tables");
    for (const [i, name] of ["a", "b"].entries())
      await Bun.write(join(dir.path, name, "cowrie.json"), events(10 * i, 10 * i + 4 + i));
    const inputs = [join(dir.path, "a"), join(dir.path, "b")];
    const run = async () => {
      const { counts, reused } = await analyze(inputs, { mappedDir });
      return [counts.events, reused];
    };
    expect([await run(), await run()]).toEqual([
      [9, 0],
      [9, 2],
    ]);
    expect(readdirSync(mappedDir).map(name => name.replace(/[0-9a-f]{16}/, "*"))).toEqual(["cowrie.*.arrow", "cowrie.*.arrow"]);
    expect(existsSync(join(dir.path, "a", "cowrie.json.arrow"))).toBe(false);
  });

  test("a table is found again when its log was rotated, packed, moved or copied to another place", async () => {
    await using dir = await makeTempDir();
    const [mappedDir, here, there] = ["tables", "here", "there"].map(name => join(dir.path, name)) as [string, string, string];
    for (const [i, name] of ["ams/cowrie.json", "ams/cowrie.json.1", "sgp/cowrie.json"].entries())
      await Bun.write(join(here, name), events(10 * i, 10 * i + 4));
    const run = async (folder: string) => {
      const { counts, reused } = await analyze([folder], { mappedDir });
      return { events: counts.events, reused, tables: readdirSync(mappedDir).length };
    };
    expect(await run(here)).toEqual({ events: 12, reused: 0, tables: 3 });
    // Another mount: other times, other inodes, another path.
    await cp(here, there, { recursive: true });
    expect(await run(there)).toEqual({ events: 12, reused: 3, tables: 3 });
    await rename(join(there, "ams"), join(there, "berlin"));
    await rename(join(there, "berlin/cowrie.json.1"), join(there, "berlin/cowrie.json.2"));
    await rename(join(there, "berlin/cowrie.json"), join(there, "berlin/cowrie.json.1"));
    expect(await run(there)).toEqual({ events: 12, reused: 3, tables: 3 });
    // Packed it has other bytes and is read again, into the table it had; so has one that grew.
    await Bun.write(join(there, "berlin/cowrie.json.2.gz"), Bun.gzipSync(await Bun.file(join(there, "berlin/cowrie.json.2")).arrayBuffer()));
    await rm(join(there, "berlin/cowrie.json.2"));
    await Bun.write(join(there, "sgp/cowrie.json"), events(20, 27));
    expect(await run(there)).toEqual({ events: 15, reused: 1, tables: 3 });
  });

  test("logs that begin alike have a table each: copies that count, brackets, empty first lines", async () => {
    await using dir = await makeTempDir();
    const mappedDir = join(dir.path, "tables");
    const [one, other] = [events(0, 4), events(4, 9)].map(text => text.trim().split("\n"));
    const texts = [one!, other!, [...one!, ...other!]].flatMap(lines => [`[\n${lines.join("\n")}\n]\n`, `\n${lines.join("\n")}\n`, `${lines.join("\n")}\n`]);
    for (const [i, text] of texts.entries()) await Bun.write(join(dir.path, "logs", `${i}`, "cowrie.json"), text);
    const run = async () => {
      const { counts, reused } = await analyze([join(dir.path, "logs")], { mappedDir, keepDuplicates: true });
      return { events: counts.events, reused, tables: readdirSync(mappedDir).length };
    };
    const first = await run();
    expect(first).toEqual({ events: 54, reused: 0, tables: 9 });
    expect(await run()).toEqual({ ...first, reused: 9 });
    // One folder after the other shares what it can, and counts right.
    for (const i of [8, 2]) {
      const { counts } = await analyze([join(dir.path, "logs", `${i}`)], { mappedDir });
      expect(counts.events).toBe(i === 8 ? 9 : 4);
    }
  });
});

describe("which logs count", () => {
  test("an event table in the place of its log, and beside it only once", async () => {
    await using log = await makeLog();
    expect((await analyze([log.table])).counts.events).toBe(10);
    const both = await analyze([log.log, log.table]);
    expect([both.counts.events, both.leftOut]).toEqual([10, 1]);
    expect(both.notices[0]).toContain("it holds the same log as");
  });

  test("dedupeLines: equal lines of several logs count once, those of one log as often as they stand", async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "cowrie.json.1"), events(0, 5) + event(4) + event(9));
    await Bun.write(join(dir.path, "cowrie.json.2"), events(3, 8).replaceAll("\n", "\r\n"));
    await Bun.write(join(dir.path, "cowrie.json.3"), event(7).trimEnd());
    const sumOf = async (dedupeLines: boolean) => {
      const { table } = await analyze([dir.path], { dedupeLines });
      return table.kinds.event.count.reduce((sum, count) => sum + count, 0);
    };
    expect([await sumOf(false), await sumOf(true)]).toEqual([13, 10]);
    const { counts, table } = await analyze([dir.path], { dedupeLines: true });
    expect(counts).toEqual({ lines: 13, events: 10, repaired: 0, rejected: 0, pending: 0, dropped: 3 });
    expect(table.info.sources.map(({ counts: { events, dropped } }) => [events, dropped])).toEqual([
      [7, 0],
      [3, 2],
      [0, 1],
    ]);
    expect((await analyze([dir.path])).counts).not.toHaveProperty("dropped");
  });

  test("links to the same file, and a folder that holds itself, are read once", async () => {
    await using log = await makeLog();
    await symlink(dirname(log.log), join(dirname(log.log), "cowrie.json.d"));
    await symlink(log.log, join(dirname(log.log), "cowrie.json.2"));
    const { counts } = await analyze([dirname(log.log), log.log, dirname(log.log)]);
    expect(counts.events).toBe(10);
  });

  test("copies, earlier states, packed copies and the empty file are left out, by name", async () => {
    await using log = await makeLog();
    const text = await readFile(log.log);
    await Bun.write(`${log.log}.1`, text);
    await Bun.write(`${log.log}.2`, text.subarray(0, 333));
    await Bun.write(`${log.log}.3.gz`, Bun.gzipSync(text));
    await Bun.write(`${log.log}.4`, "");
    const { counts, leftOut, notices } = await analyze([dirname(log.log)]);
    expect([counts.events, leftOut]).toEqual([10, 4]);
    expect(notices.map(line => line.replaceAll(`${dirname(log.log)}/`, "")).sort()).toEqual([
      'Left out "cowrie.json.1": it holds the same text as "cowrie.json"',
      'Left out "cowrie.json.2": it holds the beginning of "cowrie.json"',
      'Left out "cowrie.json.3.gz": it holds the same text as "cowrie.json"',
      'Left out "cowrie.json.4": it is empty',
    ]);
    const all = await analyze([dirname(log.log)], { keepDuplicates: true });
    expect(all.table.kinds.event.count.reduce((sum, count) => sum + count, 0)).toBe(32);
  });
});

describe("a line cut by rotation", () => {
  const cut = (at: number) => [event(5).slice(0, at), event(5).slice(at)] as const;
  test("anywhere in the line, packed or not: repaired, once", async () => {
    await using dir = await makeTempDir();
    for (const at of [1, 2, 17, 60, event(5).length - 3]) {
      for (const isPacked of [false, true]) {
        const [head, tail] = cut(at);
        const folder = join(dir.path, `${at}-${isPacked}`);
        const first = Buffer.from(events(0, 5) + head);
        await Bun.write(join(folder, "cowrie.json.1"), isPacked ? Bun.gzipSync(first) : first);
        await Bun.write(join(folder, "cowrie.json"), tail + events(6, 9));
        const { counts, rejects, table } = await analyze([folder], { wantsRejects: true });
        expect({ at, isPacked, counts, rejects }).toEqual({
          at,
          isPacked,
          counts: { lines: 10, events: 8, repaired: 1, rejected: 0, pending: 0 },
          rejects: [],
        });
        expect(table.dictionaries.username).toContain("u5");
      }
    }
  });
});
