/** analyze-local as a user runs it: stdout, stderr, exit code and what lies on the disk afterwards, together. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { copyFleet } from "../support/copy-fleet.ts";
import { FLEET_FACTS } from "../support/example-fleet.ts";
import { planSensors, writeLogs } from "../support/generate-logs.ts";
import { AS_NOBODY, missing } from "../support/needs.ts";
import { seededRandom } from "../support/random.ts";
import { makeTempDir, run, type RunOptions, runScript, startScript } from "../support/run.ts";
import { scriptWords, shell } from "../support/source.ts";

const OUTPUTS = ["reduced.arrow", "reduced.json", "result.html", "stats.html"];

const event = (n: number, more = "") =>
  `{"eventid":"cowrie.login.failed","timestamp":"2024-01-31T10:00:00.${String(n).padStart(6, "0")}Z",` +
  `"sensor":"hp1","session":"s${n}","username":"u${n}"${more}}\n`;
const events = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => event(start + i)).join("");

const mount = missing("mount");
const nobody = missing("nobody");
const SCRIPT = scriptWords("analyze-local");

/** A folder to work in, with a folder of logs in it. */
async function makeWork(logs: Record<string, string | Uint8Array> = { "cowrie.json": events(0, 10) }) {
  const dir = await makeTempDir();
  for (const [name, content] of Object.entries(logs)) await Bun.write(join(dir.path, "logs", name), content);
  const analyze = (args: readonly string[], options: RunOptions = {}) =>
    runScript("analyze-local", args, { cwd: dir.path, ...options });
  /** stdout, stderr and exit code, and the outputs that are there now. */
  const outcome = async (args: readonly string[], options: RunOptions = {}) => {
    const { stdout, stderr, exitCode } = await analyze(args, options);
    return { stdout, stderr, exitCode, files: await listFiles(dir.path) };
  };
  /** The summary as JSON. */
  const summary = async (args: readonly string[], options: RunOptions = {}) => {
    const { stdout, stderr, exitCode } = await analyze([...args, "--json", "-q"], options);
    if (stdout === "") throw new Error(`exit ${exitCode}: ${stderr}`);
    return { ...(JSON.parse(stdout) as Record<string, unknown>), exitCode, stderr };
  };
  return { path: dir.path, analyze, outcome, summary, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

/** What lies in a folder but its logs. */
async function listFiles(path: string): Promise<string[]> {
  return (await readdir(path)).filter(name => name !== "logs").sort();
}

const readOutputs = (path: string) => Promise.all(OUTPUTS.map(name => readFile(join(path, name))));

test("a run that would make what is there says so, as the run before told it; whatever has changed, it is made", async () => {
  await using work = await makeWork({ "cowrie.json": events(0, 10), "cowrie.json.2024-01-30": `${events(10, 20)}no event\n` });
  const at = (name: string) => join(work.path, name);
  await Bun.write(at("alias.txt"), "hp1=one\n");
  // Logs of this very moment could still change unseen.
  await Bun.sleep(50);
  const inodes = () => OUTPUTS.map(name => statSync(at(name)).ino);
  const args = ["logs", "--sensor-alias", "alias.txt"];
  const made = await work.analyze(args);
  expect(made.exitCode).toBe(0);
  const bytes = await readOutputs(work.path);
  const before = inodes();
  const again = await work.analyze(args);
  const rest = (text: string) => text.replace(/^(Nothing has changed|Time) .*\n/gm, "");
  expect(again.stderr).toMatch(/^Nothing has changed since \d{4}-.* UTC: all is as that run left it/m);
  expect([rest(again.stderr), again.exitCode]).toEqual([rest(made.stderr), 0]);
  expect(await work.summary(args)).toMatchObject({ unchanged: true, logs: 2, reused: 2, events: 20, rejected: 1, exitCode: 0 });
  expect(inodes()).toEqual(before);

  const log = at("logs/cowrie.json");
  const changes: [what: string, change: () => unknown][] = [
    ["an output edited, its times kept", async () => {
      const { atime, mtime } = statSync(at("stats.html"));
      await Bun.write(at("stats.html"), (await readFile(at("stats.html"))).fill(32, 0, 9));
      utimesSync(at("stats.html"), atime, mtime);
    }],
    ["an output removed", () => rm(at("reduced.json"))],
    ["an event table removed", () => rm(`${log}.arrow`)],
    ["a log with other bytes, its times kept", async () => {
      const { atime, mtime } = statSync(log);
      await Bun.write(log, events(0, 10).replaceAll("u3", "v3"));
      utimesSync(log, atime, mtime);
    }],
    ["the aliases", () => Bun.write(at("alias.txt"), "hp1=other\n")],
  ];
  for (const [what, change] of changes) {
    await change();
    await Bun.sleep(50);
    expect({ what, ...(await work.summary(args)) }).toMatchObject({ what, unchanged: false, events: 20, exitCode: 0 });
    expect({ what, ...(await work.summary(args)) }).toMatchObject({ what, unchanged: true, events: 20, exitCode: 0 });
  }
  expect(await readOutputs(work.path)).not.toEqual(bytes);
  expect(await work.summary([...args, "-m", "w"])).toMatchObject({ unchanged: false, reused: 0 });
  expect(await work.summary([...args, "-n", "7"])).toMatchObject({ unchanged: false });
  // The record is that of the outputs as they are now.
  expect(await work.summary(args)).toMatchObject({ unchanged: false });
}, 60_000);

test("exit code and problems of a run are those of the next that has nothing to do", async () => {
  await using work = await makeWork({ "cowrie.json": events(0, 10), "cowrie.json.1": "" });
  await Bun.sleep(50);
  const made = await work.analyze(["logs", "-q"]);
  expect([made.exitCode, made.stderr]).toEqual([3, 'Left out "logs/cowrie.json.1": it is empty\n']);
  const again = await work.analyze(["logs", "-q", "--json"]);
  expect([JSON.parse(again.stdout).unchanged, again.exitCode, again.stderr]).toEqual([true, 3, made.stderr]);
});

describe("a good run", () => {
  test("writes four files, nothing to stdout, a summary to stderr; a run from event tables gives the same", async () => {
    await using work = await makeWork();
    const first = await work.outcome(["logs"]);
    expect({ ...first, stderr: "" }).toEqual({ stdout: "", stderr: "", exitCode: 0, files: OUTPUTS });
    expect(first.stderr).toMatch(
      /^Logs +1, .* of text\nEvents +10: 0 from repaired lines; 0 lines rejected\nDays +1 with/,
    );
    expect(first.stderr).toMatch(
      /\nReport +result\.html, stats\.html\nCounts +reduced\.arrow \(all\), reduced\.json \(top\)\n$/,
    );
    const before = await readOutputs(work.path);
    await rm(join(work.path, "stats.html"));
    const second = await work.outcome(["logs"]);
    expect(second.stderr).toContain("all unchanged since the last run");
    expect(await readOutputs(work.path)).toEqual(before);
  });

  test("the example fleet has the counts that are planted in it, and the same bytes from anywhere, twice", async () => {
    await using work = await makeWork({});
    await copyFleet(join(work.path, "logs"));
    const { events: sound, repaired, rejected, pending, duplicateFiles, sensors } = FLEET_FACTS;
    const first = await work.summary([join(work.path, "logs")]);
    expect(first).toMatchObject({
      events: sound,
      repaired,
      rejected,
      pending,
      left_out: duplicateFiles.length,
      reused: 0,
      damaged: 0,
      sensors: [...sensors].sort(),
      first_day: FLEET_FACTS.firstDay,
      last_day: FLEET_FACTS.lastDay,
      exitCode: 0,
      stderr: "",
    });
    const bytes = await readOutputs(work.path);
    // Elsewhere, another time zone, no environment, every log read afresh.
    const elsewhere = join(work.path, "elsewhere");
    await mkdir(elsewhere);
    const env = `env -i TZ=Asia/Kolkata LANG=de_DE.UTF-8`;
    const { stderr, exitCode } = await run(
      shell(`cd ${elsewhere} && ${env} ${SCRIPT} ${work.path}/logs -q -m w --jobs 1`),
    );
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(await readOutputs(elsewhere)).toEqual(bytes);
  });

  test("-q prints nothing; --json prints one object, also with the summary", async () => {
    await using work = await makeWork();
    expect(await work.outcome(["logs", "-q"])).toEqual({ stdout: "", stderr: "", exitCode: 0, files: OUTPUTS });
    const { stdout, stderr } = await work.analyze(["logs", "--json"]);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({ logs: 1, reused: 1, events: 10, sensors: ["hp1"] });
    expect(stderr).toContain("Logs");
  });

  test("named outputs: the Arrow file beside the JSON, the statistics beside the report, folders made", async () => {
    await using work = await makeWork();
    const { files } = await work.outcome(["-p", "logs", "-f", "counts/all.json", "-o", "report/r.html", "-q"]);
    const inFolder = (name: string) => readdir(join(work.path, name)).then(names => names.sort());
    expect([files, await inFolder("counts"), await inFolder("report")]).toEqual([
      ["counts", "report"],
      ["all.arrow", "all.json"],
      ["r-stats.html", "r.html"],
    ]);
  });

  test("two reports in one folder: each with its own counts and statistics, both pages linked", async () => {
    await using work = await makeWork();
    const names = ["ams.html", 'a "b" c.HTM', "result.html"];
    for (const name of names) await work.outcome(["logs", "-o", `two/${name}`, "-q"]);
    const own = (stem: string) => ["reduced.arrow", "reduced.json", "stats.html"].map(name => `${stem}${name}`);
    expect((await readdir(join(work.path, "two"))).sort()).toEqual(
      [...names, ...own("ams-"), ...own('a "b" c-'), ...own("")].sort(),
    );
    const linkIn = async (name: string) =>
      /<a class="page" href="([^"]*)"/.exec(await readFile(join(work.path, "two", name), "utf8"))?.[1];
    expect(await linkIn("ams.html")).toBe("ams-stats.html");
    expect(await linkIn("ams-stats.html")).toBe("ams.html");
    expect(await linkIn('a "b" c.HTM')).toBe("a%20%22b%22%20c-stats.html");
    expect(await linkIn("result.html")).toBe("stats.html");
    expect(await linkIn("stats.html")).toBe("result.html");
  });

  test("text, gzip and an Arrow stream on stdin", async () => {
    await using work = await makeWork();
    const text = events(0, 10);
    const inputs: [string, Uint8Array | string][] = [
      ["text", text],
      ["gzip", Bun.gzipSync(text)],
      ["zstd", zstdCompressSync(Buffer.from(text))],
    ];
    await work.analyze(["logs", "-q"]);
    inputs.push(["an Arrow file", await readFile(join(work.path, "logs/cowrie.json.arrow"))]);
    for (const [name, stdin] of inputs) {
      const { events: counted, exitCode } = (await work.summary(["-"], { stdin })) as Record<string, unknown>;
      expect({ name, counted, exitCode }).toEqual({ name, counted: 10, exitCode: 0 });
    }
    expect(await work.outcome(["-", "-q"], { stdin: "" })).toMatchObject({
      exitCode: 1,
      stderr: "analyze-local: Cannot find an event in any log: expected Cowrie's JSON, one object a line\n",
    });
  });

  test("gzip of several members, zstd, BOM and CR LF", async () => {
    await using work = await makeWork({
      "cowrie.json.1": Buffer.concat([Bun.gzipSync(events(0, 4)), Bun.gzipSync(""), Bun.gzipSync(events(4, 6))]),
      "cowrie.json.2": zstdCompressSync(Buffer.from(events(10, 13))),
      "cowrie.json.3": `\uFEFF${events(20, 22).replaceAll("\n", "\r\n")}\r\n`,
    });
    expect(await work.summary(["logs"])).toMatchObject({ logs: 3, events: 11, rejected: 0, exitCode: 0 });
  });

  test("--since, --until, --sensor and --sensor-alias", async () => {
    const on = (day: string, sensor: string) => event(1).replace("2024-01-31", day).replace('"hp1"', `"${sensor}"`);
    await using work = await makeWork({
      "cowrie.json": on("2024-01-30", "a") + on("2024-01-31", "a") + on("2024-01-31", "b") + on("2024-02-01", "c"),
    });
    await Bun.write(join(work.path, "aliases"), "# who is who\nb = a\n\nc=constructor\n");
    const shown = async (...args: string[]) => {
      await work.analyze(["logs", "-q", ...args]);
      const days = JSON.parse(await readFile(join(work.path, "reduced.json"), "utf8")) as Record<string, unknown>[];
      return days.map(({ date, sensor, passwords }) => [date, sensor, (passwords as { count: number }[])[0]!.count]);
    };
    expect(await shown("--since", "2024-01-31", "--until", "2024-01-31")).toEqual([
      ["2024-01-31", "a", 1],
      ["2024-01-31", "b", 1],
    ]);
    expect(await shown("--sensor", "b", "--sensor=c")).toEqual([
      ["2024-01-31", "b", 1],
      ["2024-02-01", "c", 1],
    ]);
    expect(await shown("--sensor-alias", "aliases")).toEqual([
      ["2024-01-30", "a", 1],
      ["2024-01-31", "a", 2],
      ["2024-02-01", "constructor", 1],
    ]);
    expect(await shown("--sensor_alias", "aliases", "--sensor", "a")).toEqual([
      ["2024-01-30", "a", 1],
      ["2024-01-31", "a", 2],
    ]);
    expect(await work.outcome(["logs", "--sensor", "nobody"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^analyze-local: Cannot find sensor "nobody": there are "a", "b", "c"\n/),
    });
  });

  test("-n 0 writes all entries, the default five", async () => {
    await using work = await makeWork();
    const entries = async (...args: string[]) => {
      await work.analyze(["logs", "-q", ...args]);
      return JSON.parse(await readFile(join(work.path, "reduced.json"), "utf8"))[0].passwords.length as number;
    };
    expect([await entries(), await entries("-n", "0"), await entries("--top_n_events", "2")]).toEqual([5, 10, 2]);
  });

  test("--keep-duplicates and --dedupe-lines", async () => {
    await using work = await makeWork({
      "cowrie.json.1": events(0, 10),
      "cowrie.json.2": events(0, 10),
      "cowrie.json.3": event(77) + events(5, 12),
    });
    const sumOf = async (...args: string[]) => {
      await work.analyze(["logs", "-q", "-n", "0", ...args]);
      const [day] = JSON.parse(await readFile(join(work.path, "reduced.json"), "utf8")) as {
        passwords: { count: number }[];
      }[];
      return day!.passwords.reduce((sum, { count }) => sum + count, 0);
    };
    expect([await sumOf(), await sumOf("--keep-duplicates"), await sumOf("--dedupe-lines")]).toEqual([18, 28, 13]);
    const { stdout, stderr } = await work.analyze(["logs", "--json", "--dedupe-lines"]);
    expect(JSON.parse(stdout)).toMatchObject({ events: 13, dropped: 5 });
    expect(stderr).toMatch(/^Events +13: .*; 5 dropped as repeated lines$/m);
    expect(await readFile(join(work.path, "result.html"), "utf8")).toContain("Dropped as repeated lines");
    const summed = await runScript("summary", ["logs", "--json", "--dedupe-lines"], { cwd: work.path });
    expect(JSON.parse(summed.stdout)).toMatchObject({ events: 13, dropped: 5, logins: { count: 13 } });
    expect(summed.stderr).toContain("13 events, 0 lines rejected, 5 events dropped as repeated lines");
    const shown = await runScript("summary", ["logs", "-q", "--dedupe-lines"], { cwd: work.path });
    expect(shown.stdout).toMatch(/^Events +13; 5 dropped as repeated lines$/m);
  });

  test("many logs in several threads give the bytes of one thread", async () => {
    await using work = await makeWork({});
    const sensors = planSensors(2, ["v3", "v2.2"]);
    // More than what is read in the main thread.
    writeLogs(join(work.path, "logs"), { seed: "threads", firstDay: "2026-03-01", days: 2, sensors, totalBytes: 27e6 });
    expect(await work.summary(["logs", "--jobs", "3"])).toMatchObject({ logs: 4, reused: 0, exitCode: 0 });
    const bytes = await readOutputs(work.path);
    expect(await work.summary(["logs", "--jobs", "1", "-m", "w"])).toMatchObject({ logs: 4, reused: 0, exitCode: 0 });
    expect(await readOutputs(work.path)).toEqual(bytes);
    expect(await work.summary(["logs", "--jobs", "2"])).toMatchObject({ reused: 4 });
    expect(await readOutputs(work.path)).toEqual(bytes);
  });
});

describe("wrong usage: one line with the wanted form, exit 2, nothing written", () => {
  const table: [args: string[], line: string][] = [
    [[], 'Missing PATH: expected a log, a folder, or "-" for stdin'],
    [["logs", "--treshold", "3"], 'Unknown option "--treshold": did you mean "--threshold"?'],
    [["logs", "--top-n", "x"], ""],
    [["logs", "-n", "-3"], ""],
    [["logs", "-t", "many"], ""],
    [["logs", "-l", "0"], ""],
    [["logs", "-m", "x"], ""],
    [["logs", "--since", "someday"], ""],
    [["logs", "--since", "2024-02-30"], ""],
    [["logs", "--since", "2024-02-01", "--until", "2024-01-31"], ""],
    [["logs", "--jobs", "0"], ""],
    [["-", "-"], 'Cannot read stdin 2 times: expected "-" once'],
    [
      ["logs", "-f", "same.json", "-o", "same.json"],
      'Cannot write two outputs to one file: "same.json" and "same.json"',
    ],
  ];
  test.each(table)("%p", async (args, line) => {
    await using work = await makeWork();
    const { stderr, ...rest } = await work.outcome(args);
    expect(rest).toEqual({ stdout: "", exitCode: 2, files: [] });
    const [first, second, ...more] = stderr.split("\n");
    expect([second, more]).toEqual(["Try: bun scripts/analyze-local.ts --help", [""]]);
    if (line !== "") expect(first).toBe(`analyze-local: ${line}`);
    else expect(first).toMatch(/^analyze-local: .*(expected|after|did you mean)/);
  });
});

describe("bad input: one line, exit 1, earlier outputs untouched", () => {
  const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0, 0, 0, 0]);
  const table: [name: string, logs: Record<string, string | Uint8Array>, args: string[], stderr: string][] = [
    ["a missing path", {}, ["nowhere"], 'analyze-local: Cannot read "nowhere": no such file or folder\n'],
    [
      "a missing path beside a good one",
      { "cowrie.json": events(0, 2) },
      ["logs", "nowhere"],
      'analyze-local: Cannot read "nowhere": no such file or folder\n',
    ],
    [
      "no log in the folder",
      { "other.txt": "x" },
      ["logs"],
      'analyze-local: Cannot find a log in "logs": expected files named like cowrie.json.2024-01-31\n',
    ],
    ["an empty log", { "cowrie.json": "" }, ["logs"], ""],
    ["binary garbage", { "cowrie.json": seededRandomBytes(3000) }, ["logs"], ""],
    [
      "xz",
      { "cowrie.json.xz": xz },
      ["logs"],
      'analyze-local: Cannot read "logs/cowrie.json.xz": it is compressed with xz, expected plain text, gzip or ' +
        "zstd: unpack it first\n",
    ],
    [
      "a missing alias file",
      { "cowrie.json": events(0, 2) },
      ["logs", "--sensor-alias", "none"],
      'analyze-local: Cannot read "none": no such file or folder\n',
    ],
    [
      "an alias file of another form",
      { "cowrie.json": events(0, 2) },
      ["logs", "--sensor-alias", "logs/cowrie.json"],
      "",
    ],
    [
      "an Arrow file of another kind",
      { "cowrie.json": events(0, 2) },
      ["reduced.arrow", "-f", "x.json"],
      'analyze-local: Cannot read "reduced.arrow": not an event table: it is a reduced table, which visualize.ts, statistics.ts and history.ts read\n',
    ],
  ];
  test.each(table)("%s", async (_, logs, args, expected) => {
    await using work = await makeWork({ ...logs });
    await Bun.write(join(work.path, "before", "cowrie.json"), events(0, 3));
    await work.analyze(["before", "-q"]);
    const before = await readOutputs(work.path);
    const { stdout, stderr, exitCode, files } = await work.outcome(args);
    expect({ stdout, exitCode, files }).toEqual({ stdout: "", exitCode: 1, files: ["before", ...OUTPUTS] });
    if (expected !== "") expect(stderr).toBe(expected);
    // A notice may say what was left out; the failure itself is one line.
    expect(stderr.split("\n").filter(line => line.startsWith("analyze-local: "))).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
    expect(await readOutputs(work.path)).toEqual(before);
  });

  function seededRandomBytes(length: number): Uint8Array {
    const random = seededRandom("garbage");
    return Uint8Array.from({ length }, () => random.int(256));
  }

  test("garbage, an empty file, a folder named like a log: skipped with a notice beside a good log", async () => {
    await using work = await makeWork({
      "cowrie.json": events(0, 3),
      "cowrie.json.1": seededRandomBytes(500),
      "cowrie.json.2": "",
      "cowrie.json.3/other.txt": "x",
    });
    await symlink("nowhere", join(work.path, "logs", "cowrie.json.4"));
    const { stderr, exitCode } = await work.analyze(["logs"]);
    expect(exitCode).toBe(3);
    for (const part of [
      /^Left out "logs\/cowrie\.json\.1": no Cowrie event in \d+ lines?$/m,
      /^Left out "logs\/cowrie\.json\.2": it is empty$/m,
      /^"logs\/cowrie\.json\.3" is a folder, not a log/m,
      /^Left out "logs\/cowrie\.json\.4": no such file or folder$/m,
    ])
      expect(stderr).toMatch(part);
    // Of what is broken or empty a run tells whatever it was asked for.
    const quiet = await work.analyze(["logs", "-q"]);
    expect(quiet.exitCode).toBe(3);
    expect(quiet.stderr.split("\n").map(line => line.slice(0, 32))).toEqual([
      'Left out "logs/cowrie.json.2": i',
      'Left out "logs/cowrie.json.1": n',
      expect.stringMatching(/^analyze-local: \d of \d lines hold/),
      "",
    ]);
  });

  test("a gzip cut in the middle counts up to the damage, and the exit code tells", async () => {
    const packed = Bun.gzipSync(
      Array.from({ length: 3000 }, (_, i) => event(i, `,"data":"${Bun.hash(`${i}`)}"`)).join(""),
    );
    await using work = await makeWork({
      "cowrie.json.gz": packed.subarray(0, packed.length / 2),
      "cowrie.json": event(5000),
    });
    const { stderr, exitCode } = await work.analyze(["logs"]);
    const told = /^"logs\/cowrie\.json\.gz": gzip data damaged after \d+ bytes of text: .*; what came before it counts$/m;
    expect({ exitCode, told: stderr.match(told)?.length }).toEqual({ exitCode: 3, told: 1 });
    // From the event table that is kept by now, and quiet: the damage is the same.
    const quiet = await work.analyze(["logs", "-q"]);
    expect({ exitCode: quiet.exitCode, stderr: quiet.stderr.trimEnd() }).toEqual({ exitCode: 3, stderr: stderr.match(told)![0] });
    // What was not done weighs more.
    await Bun.write(join(work.path, "logs", "cowrie.json.1"), `${event(1)}nonsense\n`);
    expect((await work.analyze(["logs", "-q", "--strict"])).exitCode).toBe(1);
    const { events: counted, damaged } = (await work.summary(["logs"])) as Record<string, unknown>;
    expect(damaged).toBe(1);
    expect(counted).toBeWithin(1000, 2000);
  });

  test.skipIf(nobody.reason !== undefined)(`no permission to read, or to look into a folder${nobody.why}`, async () => {
    await using work = await makeWork({ "cowrie.json": events(0, 2), "closed/cowrie.json": events(2, 4) });
    await run(shell(`chmod 777 . logs; chmod 000 logs/cowrie.json`), { cwd: work.path });
    const nobody = (args: string) =>
      run(shell(`${AS_NOBODY} ${SCRIPT} ${args}`), { cwd: work.path, env: { HOME: "/nonexistent" } });
    const file = await nobody("logs");
    expect([file.stdout, file.stderr, file.exitCode]).toEqual([
      "",
      'analyze-local: Cannot read "logs/cowrie.json": permission denied\n',
      1,
    ]);
    await run(shell(`chmod 644 logs/cowrie.json; chmod 000 logs/closed`), { cwd: work.path });
    const folder = await nobody("logs");
    expect([folder.stdout, folder.stderr, folder.exitCode]).toEqual([
      "",
      'analyze-local: Cannot read "logs/closed": permission denied\n',
      1,
    ]);
    expect(await listFiles(work.path)).toEqual([]);
  });

  test.skipIf(nobody.reason !== undefined)(
    `a folder of logs that cannot be written: event tables in the cache folder${nobody.why}`,
    async () => {
      await using work = await makeWork();
      await run(shell("mkdir out cache; chmod 777 out cache; chmod 755 . logs; chmod 555 logs"), { cwd: work.path });
      const nobody = () =>
        run(shell(`cd out; ${AS_NOBODY} mkdir -p ../cache/state; ${AS_NOBODY} ${SCRIPT} ../logs --json`), {
          cwd: work.path,
          env: {
            HOME: "/nonexistent",
            XDG_CACHE_HOME: join(work.path, "cache"),
            XDG_STATE_HOME: join(work.path, "cache/state"),
          },
        });
      const [first, second] = [await nobody(), await nobody()];
      expect(first.stderr).toContain('Cannot write to "../logs": event tables go to "');
      expect([JSON.parse(first.stdout).reused, JSON.parse(second.stdout).reused]).toEqual([0, 1]);
      expect(readdirSync(join(work.path, "cache/cowrie-longitudinal")).sort()).toEqual([
        expect.stringMatching(/^cowrie-digests\.[0-9a-f]{12}$/),
        expect.stringMatching(/^cowrie\.[0-9a-f]{16}\.arrow$/),
      ]);
      expect(readdirSync(join(work.path, "logs"))).toEqual(["cowrie.json"]);
    },
  );

  test.skipIf(nobody.reason !== undefined)(`an output folder that cannot be written${nobody.why}`, async () => {
    await using work = await makeWork();
    await run(shell("mkdir out; chmod 777 logs; chmod 755 .; chmod 555 out"), { cwd: work.path });
    const { stdout, stderr, exitCode } = await run(shell(`cd out; ${AS_NOBODY} ${SCRIPT} ../logs`), {
      cwd: work.path,
      env: { HOME: "/nonexistent" },
    });
    expect([stdout, stderr, exitCode]).toEqual([
      "",
      'analyze-local: Cannot write "reduced.arrow": permission denied\n',
      1,
    ]);
    expect(readdirSync(join(work.path, "logs"))).toEqual(["cowrie.json"]);
  });

  test.skipIf(mount.reason !== undefined)(
    `a disk full while outputs or event tables are written${mount.why}`,
    async () => {
      await using work = await makeWork({});
      writeLogs(join(work.path, "logs"), {
        seed: "full",
        firstDay: "2026-03-01",
        days: 1,
        sensors: planSensors(1, ["v3"]),
        totalBytes: 6e6,
      });
      const line = `mkdir disk; mount -t tmpfs -o size=300k none disk; cd disk;
        for name in ${OUTPUTS.join(" ")}; do echo old > $name; done;
      ${SCRIPT} ../logs -q; echo $?; ${SCRIPT} ../logs -q -m w --mapped-dir . -f ../x.json -o ../x.html; echo $?;
      ls -A; cat ${OUTPUTS.join(" ")}; cd ..; umount disk`;
      const { stdout, stderr } = await run(shell(line), { cwd: work.path });
      expect(stderr).toMatch(
        /^analyze-local: Cannot write "[\w.-]+": no space left on the disk\nanalyze-local: Cannot write "[\w.-]+\.arrow": no space left on the disk \(--mapped-dir chooses another folder\)\n$/,
      );
      expect(stdout).toBe(`1\n1\n${OUTPUTS.join("\n")}\n${"old\n".repeat(4)}`);
      expect(await listFiles(work.path)).toEqual(["disk"]);
    },
  );

  test("a log is never written over", async () => {
    await using work = await makeWork();
    const { stderr, exitCode } = await work.analyze(["logs", "-f", "logs/cowrie.json"]);
    expect([stderr, exitCode]).toEqual([
      'analyze-local: Cannot write "logs/cowrie.json": it is one of the logs to be read\n' +
        "Try: bun scripts/analyze-local.ts --help\n",
      2,
    ]);
    expect(await readFile(join(work.path, "logs/cowrie.json"), "utf8")).toBe(events(0, 10));
  });
});

describe("rejected lines", () => {
  const bad = ["not JSON", '{"eventid":"x"}', "b\u2028c\u001b[2J\u009b31m", "\ud800"];
  test("--rejects names log and line and keeps every byte; --strict fails; more than a hundredth is said", async () => {
    await using work = await makeWork({
      "cowrie.json.1": `${event(1)}${bad.slice(0, 3).join("\n")}\n${event(2)}`,
      "cowrie.json.2": Buffer.concat([
        Buffer.from(event(3)),
        Buffer.from([0xff, 0xfe, 0x0a]),
        Buffer.from(`[17,${event(4).trim()}]\n`),
      ]),
    });
    const { stdout, stderr, exitCode } = await work.analyze(["logs", "--rejects", "rejects.ndjson"]);
    expect([stdout, exitCode]).toEqual(["", 0]);
    expect(stderr).toMatch(/\nanalyze-local: 5 of 8 lines hold no event \([\d.]+ ?%\)\n$/);
    const text = await readFile(join(work.path, "rejects.ndjson"), "utf8");
    expect(text).toMatch(/^[ -~\n]*$/);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map(line => JSON.parse(line)),
    ).toEqual([
      { source: "logs/cowrie.json.1", line: 2, text: bad[0] },
      { source: "logs/cowrie.json.1", line: 3, text: bad[1] },
      { source: "logs/cowrie.json.1", line: 4, text: bad[2] },
      { source: "logs/cowrie.json.2", line: 2, base64: "//4=" },
      { source: "logs/cowrie.json.2", line: 3, text: `[17,${event(4).trim()}]` },
    ]);
    const strict = await work.outcome(["logs", "--strict", "-q"]);
    expect({ ...strict, stderr: "" }).toMatchObject({
      stdout: "",
      exitCode: 1,
      files: ["reduced.arrow", "reduced.json", "rejects.ndjson", "result.html", "stats.html"],
    });
    const plain = await work.analyze(["logs"]);
    expect(plain.stderr).toMatch(/%\): --rejects FILE shows them\n$/);
  });

  test("a hundredth is not more than a hundredth, and a pending line is no reject", async () => {
    await using work = await makeWork({ "cowrie.json": `${events(0, 99)}garbage\n` });
    expect((await work.analyze(["logs"])).stderr).not.toContain("hold no event");
    await using growing = await makeWork({ "cowrie.json": `${events(0, 3)}{"eventid":"cow` });
    const { stderr, exitCode } = await growing.analyze(["logs", "--strict"]);
    expect([exitCode, stderr.includes("0 lines rejected, 1 not yet complete")]).toEqual([0, true]);
  });
});

describe("interrupted, and logs that change under the run", () => {
  test("a log that grows while it is read: whole lines now, the rest next time", async () => {
    await using work = await makeWork({});
    const log = join(work.path, "logs", "cowrie.json");
    await Bun.write(log, events(0, 30_000));
    const child = startScript("analyze-local", ["logs", "--json", "-q"], { cwd: work.path });
    let written = 30_000;
    while (child.exitCode === null && written < 90_000) {
      // Half a line at a time, so that the end is seldom the end of a line.
      const text = events(written, written + 20);
      await appendFile(log, text.slice(0, text.length / 2));
      await appendFile(log, text.slice(text.length / 2));
      written += 20;
      await Bun.sleep(1);
    }
    const [stdout, exitCode] = [await new Response(child.stdout).text(), await child.exited];
    const { events: counted, rejected, pending } = JSON.parse(stdout);
    expect([exitCode, rejected, pending <= 1, counted >= 30_000]).toEqual([0, 0, true, true]);
    expect(await work.summary(["logs"])).toMatchObject({ events: written, rejected: 0, pending: 0, reused: 0 });
    expect(await work.summary(["logs"])).toMatchObject({ events: written, reused: 1 });
  });

  describe("a signal at any moment", () => {
    const sensors = planSensors(1, ["v3"]);
    let logs: Awaited<ReturnType<typeof makeWork>>;
    let folder = "";
    beforeAll(async () => {
      logs = await makeWork({});
      folder = join(logs.path, "logs");
      // Enough for worker threads.
      writeLogs(folder, { seed: "signals", firstDay: "2026-03-01", days: 2, sensors, totalBytes: 25.5e6 });
    });
    afterAll(() => logs[Symbol.asyncDispose]());

    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      test(`${signal}: outputs whole, the next run right`, async () => {
        await using work = await makeWork({});
        const { events: all } = (await work.summary([folder, "-m", "w"])) as Record<string, unknown>;
        const bytes = await readOutputs(work.path);
        const random = seededRandom(signal);
        for (let round = 0; round < 3; round++) {
          // Of what kill -9 leaves in the folder for temporary files nothing shall outlast the test.
          const env = { TMPDIR: logs.path };
          const child = startScript("analyze-local", [folder, "-q", "-m", "w"], { cwd: work.path, env });
          await Bun.sleep(50 + random.int(700));
          child.kill(signal);
          await child.exited;
          expect(await readOutputs(work.path)).toEqual(bytes);
          if (signal === "SIGKILL") continue;
          // Whatever else had been begun is taken back.
          const hidden = (await readdir(join(folder, sensors[0]!.name))).filter(name => name.startsWith("."));
          expect([await listFiles(work.path), hidden]).toEqual([OUTPUTS, []]);
        }
        const { events: counted, exitCode } = (await work.summary([folder])) as Record<string, unknown>;
        expect([counted, exitCode, await listFiles(work.path)]).toEqual([all, 0, OUTPUTS]);
        expect(await readOutputs(work.path)).toEqual(bytes);
      });
    }
  });

  test("a log that shrinks while it is read ends early", async () => {
    await using work = await makeWork({});
    const log = join(work.path, "logs", "cowrie.json");
    await Bun.write(log, events(0, 100_000));
    const child = startScript("analyze-local", ["logs", "--json", "-q"], { cwd: work.path });
    await Bun.sleep(150);
    await Bun.write(log, events(0, 10));
    expect([0, 1]).toContain(await child.exited);
    expect(await work.summary(["logs"])).toMatchObject({ events: 10, exitCode: 0 });
    expect(existsSync(`${log}.arrow`)).toBe(true);
    await chmod(log, 0o644);
  });
});
