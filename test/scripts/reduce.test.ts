/** reduce as a user runs it: the same table from logs, their event tables, and pipes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { lockOutputs } from "../../lib/process/lock.ts";
import { partialPathOf } from "../../lib/process/output-file.ts";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { readLogFolder } from "../support/real-logs.ts";
import { makeTempDir, ROOT, run, runScript } from "../support/run.ts";
import { countSlowly, rowsOfTable } from "../support/slow-counter.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);
const reduce = (args: readonly string[], stdin?: Uint8Array) =>
  runScript("reduce", args, { cwd: dir.path, ...(stdin === undefined ? {} : { stdin }) });

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(at("fleet"));
  const { exitCode } = await reduce(["fleet", "-q"]);
  expect(exitCode).toBe(0);
});
afterAll(() => dir[Symbol.asyncDispose]());

describe("one table", () => {
  test("of the example logs: what the slow counter finds, and what analyze-local writes", async () => {
    const table = await readReduced(at("reduced.arrow"), () => {});
    expect(rowsOfTable(table)).toEqual(countSlowly(readLogFolder(at("fleet"))).rows);
    expect((await runScript("analyze-local", ["fleet", "-f", "other.json", "-q"], { cwd: dir.path })).exitCode).toBe(0);
    expect((await readFile(at("other.arrow"))).equals(await readFile(at("reduced.arrow")))).toBe(true);
    expect((await readFile(at("other.json"))).equals(await readFile(at("reduced.json")))).toBe(true);
  });

  test("of logs named in a file or on standard input, as find -print0 does it", async () => {
    const logs = [...new Bun.Glob("fleet/**/cowrie.json*").scanSync(dir.path)].filter(path => !path.endsWith(".arrow")).sort();
    expect(logs.length).toBeGreaterThan(170);
    const names = new TextEncoder().encode(logs.map(path => `${path}\0`).join(""));
    await Bun.write(at("names"), names);
    for (const [from, stdin] of [["names"], ["-", names]] as const) {
      const { exitCode } = await reduce(["--files0-from", from, "-o", "named.json", "-q"], stdin);
      expect(exitCode).toBe(0);
      expect((await readFile(at("named.arrow"))).equals(await readFile(at("reduced.arrow")))).toBe(true);
    }
  });

  test("shows life while it waits for its logs, if the environment asks for it", async () => {
    const [log] = [...new Bun.Glob("fleet/hp-ams-01/cowrie.json.*").scanSync(dir.path)].filter(path => /-\d\d$/.test(path));
    // Its input ends once it has shown life, or half a minute is over.
    const wait = "for i in $(seq 300); do [ $(wc -l <beats) -ge 3 ] && break; sleep 0.1; done";
    const reducer = `COWRIE_BEAT_SECONDS=0.05 "${process.execPath}" "${join(ROOT, "scripts/reduce.ts")}" - -q -o beats.json`;
    const script = `: >beats; { cat "${log}"; ${wait}; } | ${reducer} 2>beats`;
    expect(await run(["sh", "-c", script], { cwd: dir.path })).toMatchObject({ exitCode: 0 });
    expect(await readFile(at("beats"), "utf8")).toMatch(/^\n{3,}$/);
  });

  test("a sensor that is not there: refused by itself, passed over in a list, which may be a part", async () => {
    const args = ["--sensor", "hp-nycc", "-o", "typo.json", "-q"];
    expect(await reduce(["fleet/hp-ams-01", ...args])).toMatchObject({
      stderr: expect.stringContaining('Cannot find sensor "hp-nycc": there are "hp-ams-01"\n'),
      exitCode: 2,
    });
    await Bun.write(at("names"), "fleet/hp-ams-01\0");
    expect(await reduce(["--files0-from", "names", ...args])).toMatchObject({ stderr: "", exitCode: 0 });
    await Bun.write(at("wrong"), "hp-nycc=nyc\n");
    expect(await reduce(["fleet/hp-ams-01", "--sensor-alias", "wrong", "-o", "typo.json"])).toMatchObject({
      stderr: expect.stringContaining('Cannot find sensor of --sensor-alias "hp-nycc": there are '),
      exitCode: 2,
    });
    await Bun.write(at("partly"), "hp-nycc=nyc\nhp-ams-01=ams\n");
    expect(await reduce(["fleet/hp-ams-01", "--sensor-alias", "partly", "-o", "typo.json"])).toMatchObject({
      stderr: expect.stringContaining('Cannot find sensor of --sensor-alias "hp-nycc": there are '),
      exitCode: 0,
    });
  });

  test.each([
    ["no name", "", "expected names, each ended by NUL"],
    ["a name that is cut", "fleet\0fle", "expected names, each ended by NUL"],
    ["an empty name", "\0", "expected names, each ended by NUL"],
  ])("names in a file: %s", async (_, text, expected) => {
    await Bun.write(at("names"), text);
    const { stderr, exitCode } = await reduce(["--files0-from", "names"]);
    expect({ exitCode, isTold: stderr.includes(expected) }).toEqual({ exitCode: 2, isTold: true });
  });

  test("from event tables alone the same as from their logs, but for the names", async () => {
    const tables = [...new Bun.Glob("fleet/hp-*/*.arrow").scanSync(dir.path)].sort();
    expect(tables.length).toBeGreaterThan(170);
    const { stdout, stderr, exitCode } = await reduce([...tables, "-o", "tables"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
    expect(stderr).toMatch(/\nreduce: \d+ logs, 8\.51 MB: 20,066 events \(3 repaired\), .* rows; |^reduce: /);
    const [all, again] = await Promise.all(
      ["reduced.arrow", "tables.arrow"].map(name => readReduced(at(name), () => {})),
    );
    expect(rowsOfTable(again!)).toEqual(rowsOfTable(all!));
  });

  test("as an Arrow stream on stdout: the same table", async () => {
    const { stdoutBytes, exitCode } = await reduce(["fleet", "-o", "-", "-q"]);
    expect({ exitCode, mark: [...stdoutBytes.subarray(0, 4)] }).toEqual({
      exitCode: 0,
      mark: [0xff, 0xff, 0xff, 0xff],
    });
    await Bun.write(at("stream"), stdoutBytes);
    const again = await runScript("combine-reduced", ["-", "-o", "again", "-q"], { cwd: dir.path, stdin: stdoutBytes });
    expect(again.exitCode).toBe(0);
    expect((await readFile(at("again.arrow"))).equals(await readFile(at("reduced.arrow")))).toBe(true);
    // The stream in a file is as good.
    expect(rowsOfTable(await readReduced(at("stream"), () => {}))).toEqual(
      rowsOfTable(await readReduced(at("reduced.arrow"), () => {})),
    );
  });

  test("from a log on stdin and an event table on stdin", async () => {
    const log = await readFile(at("fleet/hp-ams-01/cowrie.json"));
    const table = await readFile(at("fleet/hp-ams-01/cowrie.json.arrow"));
    const rows = await Promise.all(
      [log, table].map(async (stdin, i) => {
        expect((await reduce(["-", "-o", `stdin${i}`, "-q"], stdin)).exitCode).toBe(0);
        return rowsOfTable(await readReduced(at(`stdin${i}.arrow`), () => {}));
      }),
    );
    expect(rows[0]).toEqual(rows[1]!);
  });
});

describe("names of outputs", () => {
  test.each([
    ["x.json", ["x.json", "x.arrow"]],
    ["y.arrow", ["y.json", "y.arrow"]],
    ["z", ["z", "z.arrow"]],
  ])("-o %s", async (outfile, written) => {
    expect((await reduce(["fleet/hp-ams-01/cowrie.json", "-o", outfile, "-q", "-n", "1"])).exitCode).toBe(0);
    for (const name of written) expect(await Bun.file(at(name)).exists()).toBe(true);
    expect(Array.isArray(JSON.parse(await Bun.file(at(written[0]!)).text()))).toBe(true);
  });
});

describe("a dataset", () => {
  test("holds the table, and stands in its place", async () => {
    const { stdout, stderr, exitCode } = await reduce(["fleet", "--dataset", "new/counts"]);
    expect([stdout, exitCode]).toEqual(["", 0]);
    expect(stderr).toMatch(/; dataset of [\d,]+ rows in \d+ parts, \d+ written, 0 removed; /);
    const combine = (args: readonly string[]) => runScript("combine-reduced", args, { cwd: dir.path });
    expect(await combine(["new/counts", "-o", "back.json", "-q"])).toMatchObject({ stdout: "", stderr: "", exitCode: 0 });
    expect((await readFile(at("back.arrow"))).equals(await readFile(at("reduced.arrow")))).toBe(true);
    expect((await readFile(at("back.json"))).equals(await readFile(at("reduced.json")))).toBe(true);
    expect((await combine(["reduced.arrow", "--dataset", "new/counts"])).stderr).toContain("none changed");
    expect(existsSync(at("new/reduced.json"))).toBe(false);
  });

  test("is not written by two runs at once, nor beside -o, nor over other things", async () => {
    const held = await lockOutputs([at("held/_manifest.json")]);
    const locked = await reduce(["fleet/hp-ams-01", "--dataset", "held", "-q"]);
    held.release();
    expect([locked.stderr.includes("has been writing it since"), locked.exitCode]).toEqual([true, 1]);
    expect(await reduce(["fleet", "--dataset", "held", "-o", "out.json"])).toMatchObject({ stderr: expect.stringContaining("Cannot write both -o and --dataset"), exitCode: 2 });
    expect(await reduce(["fleet", "--dataset", "fleet"])).toMatchObject({ stderr: expect.stringContaining('Cannot write a dataset to "fleet": it has'), exitCode: 1 });
  });
});

describe("failures leave no output", () => {
  test.each([
    [["missing"], 1, 'reduce: Cannot read "missing": no such file or folder'],
    [[], 2, "reduce: Missing PATH"],
    [["fleet", "--since", "2026-08-01", "--until", "2026-07-01"], 2, "expected --since on or before --until"],
    [["reduced.arrow"], 1, "not an event table"],
  ] as const)("%p", async (args, exitCode, says) => {
    const result = await reduce([...args, "-o", "none"]);
    expect({ exitCode: result.exitCode, stdout: result.stdout }).toEqual({ exitCode, stdout: "" });
    expect(result.stderr).toContain(says);
    expect(await Bun.file(at("none.arrow")).exists()).toBe(false);
  });
});

test("a log is never written over", async () => {
  const log = new Bun.Glob("fleet/hp-ams-01/cowrie.json").scanSync(dir.path).next().value!;
  const before = await readFile(at(log));
  expect(await reduce([log, "-o", log])).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining(`reduce: Cannot write "${log}": it is one of the logs to be read\n`),
    exitCode: 2,
  });
  expect((await readFile(at(log))).equals(before)).toBe(true);
});

test("event tables that a killed run left half written are cleared away", async () => {
  // No process has the highest number there is, so its owner is dead.
  const [, host] = /\.\d+-\d*-([0-9a-f]{6})-/.exec(partialPathOf(at("x")))!;
  const left = at(`fleet/hp-ams-01/.cowrie.json.arrow.4194304-1-${host}-01234567.partial`);
  await Bun.write(left, "half");
  expect((await reduce(["fleet", "-o", "cleared", "-q"])).exitCode).toBe(0);
  expect(await Bun.file(left).exists()).toBe(false);
});
