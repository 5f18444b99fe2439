/** map as a user runs it: tables beside logs, one table to a file or a pipe. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFile, chmod, readdir, readFile, stat, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openEventTable } from "../../lib/events/event-table.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { missing } from "../support/needs.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";
import { scriptWords } from "../support/source.ts";
import { eventLines } from "../support/tables.ts";

const LOG = "fleet/hp-ams-01/cowrie.json";
let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);

async function map(args: readonly string[], stdin?: Uint8Array | string) {
  const { stdoutBytes, stderr, exitCode } = await runScript("map", args, {
    cwd: dir.path,
    ...(stdin === undefined ? {} : { stdin }),
  });
  return { stdout: stdoutBytes, stderr, exitCode };
}

/** Every event of a table, as text. */
async function eventsOf(source: string | Uint8Array): Promise<string[]> {
  const { table } = await openEventTable(source);
  try {
    return await eventLines(table);
  } finally {
    await table.close();
  }
}

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(at("fleet"));
});
afterAll(() => dir[Symbol.asyncDispose]());

test("a damaged log is named whatever was asked for, and so is one without a byte; what can be read is written", async () => {
  const packed = Bun.gzipSync(await readFile(at(LOG)));
  await Bun.write(at("damaged/cowrie.json.gz"), packed.subarray(0, packed.length >> 1));
  await Bun.write(at("damaged/cowrie.json.1"), "");
  for (const out of [["--mapped-dir", "damaged-tables"], ["-o", "damaged.arrow"]]) {
    const { stderr, exitCode } = await map(["damaged", ...out, "-q"]);
    expect({ exitCode, lines: stderr.split("\n").map(line => line.replace(/gzip data .*/, "...")) }).toEqual({
      exitCode: 3,
      lines: [
        'Left out "damaged/cowrie.json.1": it is empty',
        '"damaged/cowrie.json.gz": ...',
        // The cut line is no event either.
        expect.stringContaining("map: 1 of 34 lines hold no event"),
        "",
      ],
    });
  }
  expect((await eventsOf(at("damaged.arrow"))).length).toBeGreaterThan(0);
});

describe("tables beside logs", () => {
  test("one for each log, used again by the next run, made anew with -m w", async () => {
    const first = await map(["fleet/hp-lab-01"]);
    expect({ ...first, stderr: "" }).toEqual({ stdout: new Uint8Array(), stderr: "", exitCode: 0 });
    expect(first.stderr).toMatch(/^map: 42 logs, .* events, 0 lines rejected; 42 event tables: beside each log; /);
    const names = await readdir(at("fleet/hp-lab-01"));
    expect(names.filter(name => name.endsWith(".arrow"))).toHaveLength(42);
    const table = at("fleet/hp-lab-01/cowrie.json.2026_7_6.arrow");
    const [{ ino }, bytes] = [await stat(table), await readFile(table)];
    expect((await map(["fleet/hp-lab-01"])).stderr).toContain("all from event tables");
    expect((await stat(table)).ino).toBe(ino);
    expect((await map(["fleet/hp-lab-01", "-m", "w"])).stderr).not.toContain("from event tables");
    expect((await stat(table)).ino).not.toBe(ino);
    expect((await readFile(table)).equals(bytes)).toBe(true);
  });

  test("in a folder of the user's choice; -f names a log as an operand does; rejects go to a file", async () => {
    const { exitCode, stderr } = await map([
      "-f",
      "fleet/hp-sgp-01",
      "--mapped-dir",
      "tables",
      "--rejects",
      "rejects.ndjson",
    ]);
    expect({ exitCode, stderr: stderr.includes("6 lines rejected") }).toEqual({ exitCode: 0, stderr: true });
    expect((await readdir(at("tables"))).length).toBe(42);
    expect((await Bun.file(at("rejects.ndjson")).text()).trim().split("\n")).toHaveLength(6);
    expect((await map(["fleet/hp-sgp-01", "--mapped-dir", "tables", "--strict", "-q"])).exitCode).toBe(1);
  });
});

describe("one table", () => {
  test("to a file, as a stream to stdout, from stdin, packed or not: the same events", async () => {
    const expected = await (async () => {
      expect((await map([LOG, "-o", "one.arrow", "-q"])).exitCode).toBe(0);
      return eventsOf(at("one.arrow"));
    })();
    expect(expected.length).toBe(127);
    const bytes = await readFile(at(LOG));
    const streams = [
      await map([LOG, "-o", "-", "-q"]),
      await map(["-", "-q"], bytes),
      await map(["-q", "-"], gzipSync(bytes)),
    ];
    for (const { stdout, stderr, exitCode } of streams) {
      expect({ stderr, exitCode, mark: [...stdout.subarray(0, 4)] }).toEqual({
        stderr: "",
        exitCode: 0,
        mark: [0xff, 0xff, 0xff, 0xff],
      });
      expect(await eventsOf(stdout)).toEqual(expected);
    }
    expect((await map(["-", "-o", "file.arrow", "-q"], bytes)).exitCode).toBe(0);
    expect(await eventsOf(at("file.arrow"))).toEqual(expected);
  });

  test("a file that holds the log already is left as it is; -m w, another log, an edit, a table of others make it anew", async () => {
    const log = at("again/cowrie.json");
    await Bun.write(log, Bun.file(at(LOG)));
    await chmod(log, 0o600);
    const inode = async () => (await stat(at("again.arrow"))).ino;
    const again = async (...args: string[]) => {
      const before = await inode();
      const { exitCode, stderr } = await map(["again/cowrie.json", "-o", "again.arrow", ...args]);
      expect(exitCode).toBe(0);
      const isLeft = (await inode()) === before;
      expect(stderr.includes("all from event tables")).toBe(isLeft);
      return isLeft;
    };
    expect((await map(["again/cowrie.json", "-o", "again.arrow"])).exitCode).toBe(0);
    // Whoever may not read the log may not read its table.
    expect((await stat(at("again.arrow"))).mode & 0o777).toBe(0o600);
    const bytes = await readFile(at("again.arrow"));
    expect(await again()).toBe(true);
    expect(await again("-m", "w")).toBe(false);
    expect(await again("--rejects", "again.rejects")).toBe(true);
    expect(await Bun.file(at("again.rejects")).text()).toBe("");
    // The same text under other times, as after a restore.
    await utimes(log, 0, 0);
    expect(await again()).toBe(true);
    expect((await readFile(at("again.arrow"))).equals(bytes)).toBe(true);
    await appendFile(log, await Bun.file(at("fleet/hp-ams-01/cowrie.json.2026-08-14")).bytes());
    expect(await again()).toBe(false);
    await appendFile(at("again.arrow"), "x");
    expect(await again()).toBe(false);
    // Made by another user's toolkit, as far as anybody can tell.
    expect((await runScript("map", [log, "-o", at("again.arrow"), "-q"], { env: { XDG_STATE_HOME: at("state") } })).exitCode).toBe(0);
    expect(await again()).toBe(false);
  });

  test("is never written over a log", async () => {
    await Bun.write(at("over/cowrie.json"), Bun.file(at(LOG)));
    const bytes = await readFile(at("over/cowrie.json"));
    await symlink("cowrie.json", at("over/link"));
    for (const args of [["-o", "over/cowrie.json"], ["-o", "over/link"], ["-o", "over/x.arrow", "--rejects", "over/cowrie.json"]]) {
      const { stderr, exitCode } = await map(["over/cowrie.json", ...args]);
      expect({ exitCode, stderr: stderr.includes("it is one of the logs to be read") }).toEqual({ exitCode: 2, stderr: true });
      expect((await readFile(at("over/cowrie.json"))).equals(bytes)).toBe(true);
    }
    expect((await readdir(at("over"))).sort()).toEqual(["cowrie.json", "link"]);
  });

  const MISTAKES: { name: string; args: string[]; says: string; exitCode: number }[] = [
    {
      name: "several logs on one table",
      args: ["fleet/hp-lab-01", "-o", "x.arrow"],
      says: "Cannot write 42 logs as one event table: expected one log, or no -o",
      exitCode: 2,
    },
    {
      name: "stdin beside others without -o",
      args: [LOG, "-"],
      says: "Cannot write the event table of stdin beside it",
      exitCode: 2,
    },
    { name: "no input", args: [], says: "Missing PATH", exitCode: 2 },
    { name: "a log without an event", args: ["-", "-o", "x.arrow"], says: 'Cannot find an event in "-"', exitCode: 1 },
    {
      name: "what is a table already",
      args: ["one.arrow", "-o", "-"],
      says: "it is an Arrow table already",
      exitCode: 1,
    },
    {
      name: "a missing log",
      args: ["missing", "-o", "x.arrow"],
      says: 'Cannot read "missing": no such file or folder',
      exitCode: 1,
    },
  ];
  test.each(MISTAKES)("$name", async ({ args, says, exitCode }) => {
    const result = await map(args, "no event\n");
    expect({ exitCode: result.exitCode, bytes: result.stdout.length }).toEqual({ exitCode, bytes: 0 });
    expect(result.stderr).toContain(says);
    expect(await Bun.file(at("x.arrow")).exists()).toBe(false);
  });

  const script = missing("script");
  test.skipIf(script.reason !== undefined)(`Arrow is not written to a terminal${script.why}`, async () => {
    const line = `${scriptWords("map")} ${at(LOG)} -o -`;
    const { stdout } = await run(["script", "-qec", line, "/dev/null"], { env: { SHELL: "/bin/bash" } });
    expect(stdout).toContain("Cannot write Arrow to a terminal: expected a pipe or an output file");
  });
});
