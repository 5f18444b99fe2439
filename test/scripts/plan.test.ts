/** Logs dealt out, reduced part by part and combined, by hand and by the engines that scripts/cluster is for. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { joinFleet } from "../support/copy-fleet.ts";
import { missing } from "../support/needs.ts";
import { ROOT, run, runScript } from "../support/run.ts";
import { startSlurm } from "../support/slurm.ts";
import { waitUntil } from "../support/wait-until.ts";

const CLUSTER = join(ROOT, "scripts/cluster");

let folder: string;
let logs: string;
/** What one command makes of all logs. */
let whole: Buffer;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "cowrie-plan-")));
  logs = await joinFleet(join(folder, "logs"));
  // A copy, and the beginning of another log.
  const [first, second] = readdirSync(logs, { recursive: true, encoding: "utf8" }).filter(name => name.includes("cowrie.json")).toSorted();
  mkdirSync(join(logs, "backup"));
  copyFileSync(join(logs, first!), join(logs, "backup", "cowrie.json"));
  writeFileSync(join(logs, "backup", "cowrie.json.1"), readFileSync(join(logs, second!)).subarray(0, 100_000));
  const { exitCode, stderr } = await runScript("reduce", [logs, "--mapped-dir", join(folder, "tables"), "-o", join(folder, "whole.json"), "-q"]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  whole = readFileSync(join(folder, "whole.arrow"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A plan in a folder of its own. */
async function plan(name: string, ...args: string[]) {
  const path = join(folder, name);
  return { path, result: await runScript("plan", [logs, "-o", path, ...args]) };
}

/** The environment of the engines: this Bun, whatever is on PATH. */
const env = { BUN: process.execPath };
const isWhole = (path: string) => readFileSync(path).equals(whole);

/** What one command makes of the table, once for all. */
const ownPages = once(async () => {
  expect(await runScript("visualize", [join(folder, "whole.arrow"), "-o", join(folder, "own", "report.html"), "-q"])).toMatchObject({ exitCode: 0 });
});

/** Hold what a plan gave against what one command gives: the shares against the table, pages against pages. */
async function checkWhole(path: string, output: string) {
  const shares = readdirSync(join(path, "shares")).filter(name => name.endsWith(".arrow"));
  const joined = join(folder, "joined.json");
  expect(await runScript("combine-reduced", [...shares.map(name => join(path, "shares", name)), "-o", joined, "-q"])).toMatchObject({ exitCode: 0 });
  expect(isWhole(joined.replace("json", "arrow"))).toBe(true);
  await ownPages();
  for (const page of ["report.html", "report-stats.html"]) {
    expect(readFileSync(join(dirname(output), page)).equals(readFileSync(join(folder, "own", page)))).toBe(true);
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let begun: Promise<void> | undefined;
  return () => (begun ??= work());
}

describe("plan", () => {
  test("lists hold every log once, copies left out, absolute and with NUL", async () => {
    const { path, result } = await plan("lists", "--parts", "3", "--json");
    expect(result.exitCode).toBe(0);
    const { parts, left_out: leftOut } = JSON.parse(result.stdout);
    const lists = readdirSync(path).filter(name => name.endsWith(".list"));
    expect(lists).toEqual(["part-0001.list", "part-0002.list", "part-0003.list"]);
    const texts = lists.map(name => readFileSync(join(path, name), "utf8"));
    expect(texts.map(text => text.split("\0").slice(0, -1))).toEqual(parts.map((part: { logs: string[] }) => part.logs));
    const paths = texts.flatMap(text => text.split("\0").slice(0, -1));
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.every(one => one.startsWith(logs) && existsSync(one))).toBe(true);
    expect(result.stderr).toContain("2 left out");
    expect(leftOut).toBe(2);
    expect(paths.length).toBeGreaterThan(5);
  });

  test("a new plan takes the place of the old one, and of its counts, and of nothing else", async () => {
    const { path } = await plan("again", "--parts", "4", "-q");
    for (const name of ["part-0004.arrow", "mine.arrow"]) writeFileSync(join(path, name), "");
    await plan("again", "--parts", "2", "-q");
    expect(readdirSync(path).toSorted()).toEqual(["mine.arrow", "part-0001.list", "part-0002.list", "plan.json"]);
  });

  test("a log without a byte is told whatever is asked for, as no task will", async () => {
    const empty = join(folder, "cowrie.json.empty");
    writeFileSync(empty, "");
    const said = { exitCode: 3, stdout: "", stderr: `Left out "${empty}": it is empty\n` };
    expect(await runScript("plan", [logs, empty, "--parts", "2", "-o", join(folder, "empty"), "-q"])).toMatchObject(said);
  });

  test("what cannot be planned is told", async () => {
    expect(await runScript("plan", ["-", "--parts", "2"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Cannot plan standard input") });
    expect(await runScript("plan", [logs])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--parts") });
    expect(await runScript("plan", [logs, "--parts", "0"])).toMatchObject({ exitCode: 2 });
    expect(await runScript("plan", [join(folder, "nowhere"), "--parts", "2", "-o", join(folder, "none")])).toMatchObject({ exitCode: 1 });
    // Before any log is looked at.
    const cannotWrite = expect.stringMatching(/^plan: Cannot write "\/dev\/null\/plan\/plan.json": .*\n$/);
    expect(await runScript("plan", [join(folder, "nowhere"), "--parts", "2", "-o", "/dev/null/plan"])).toMatchObject({ exitCode: 1, stderr: cannotWrite });
  });
});

describe("a part", () => {
  test("is done once, is done although a log is damaged, and fails where it cannot be done", async () => {
    const { path } = await plan("parts", "--parts", "2", "-q");
    const part = (...args: string[]) => run(["sh", join(CLUSTER, "part.sh"), path, ...args], { env });
    expect(await part("1")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    const first = readFileSync(join(path, "part-0001.arrow"));
    const again = await run(["sh", join(CLUSTER, "part.sh"), path, "1"], { env: { BUN: "/nowhere/bun" } });
    expect(again.exitCode).toBe(0);
    expect(readFileSync(join(path, "part-0001.arrow")).equals(first)).toBe(true);
    expect(await part("3")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no list 3") });
    expect(await run(["sh", join(CLUSTER, "finish.sh"), path, join(folder, "early.html")], { env })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("0 of 2 shares"),
    });
    // A log that is damaged, in a part of its own.
    const damaged = join(folder, "cowrie.json.gz");
    writeFileSync(damaged, Bun.gzipSync(Buffer.from(readFileSync(join(ROOT, "test/fixtures/eras/v3-2026/cowrie.json.2026-08-01")))).subarray(0, 2000));
    writeFileSync(join(path, "part-0002.list"), `${damaged}\0`);
    expect(await part("2")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(path, "part-0002.log"), "utf8")).toContain("cowrie.json.gz");
    // Two that hold no event: the steps behind go on without them.
    const [none, nothing] = [join(folder, "cowrie.json.none"), join(folder, "cowrie.json.nothing")];
    writeFileSync(none, "no event\n");
    writeFileSync(nothing, "");
    for (const names of [[none, nothing], [nothing]]) {
      writeFileSync(join(path, "part-0002.list"), names.map(name => `${name}\0`).join(""));
      rmSync(join(path, "part-0002.arrow"));
      expect(await part("2")).toMatchObject({ exitCode: 0 });
      const combined = await runScript("combine-reduced", [join(path, "part-0001.arrow"), join(path, "part-0002.arrow"), "-o", join(folder, "without.json"), "-q"]);
      expect(combined).toMatchObject({ exitCode: 3, stderr: `"${join(path, "part-0002.arrow")}" holds no events\n` });
      expect(readFileSync(join(folder, "without.arrow")).equals(first)).toBe(true);
    }
    writeFileSync(join(path, "part-0002.list"), `${join(folder, "gone")}\0`);
    rmSync(join(path, "part-0002.arrow"));
    expect(await part("2")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("gone") });
  });

  test("that is killed for want of memory is tried with one log at a time", async () => {
    const { path } = await plan("killed", "--parts", "1", "-q");
    const fake = join(folder, "fake-bun");
    writeFileSync(fake, `#!/bin/sh\ncase "$*" in *"--jobs 1"*) exec '${process.execPath}' "$@" ;; esac\nkill -9 $$\n`);
    chmodSync(fake, 0o755);
    expect(await run(["sh", join(CLUSTER, "part.sh"), path, "1"], { env: { BUN: fake } })).toMatchObject({ exitCode: 0 });
    expect(isWhole(join(path, "part-0001.arrow"))).toBe(true);
  });
});

test("what is compared is told once for all tasks, and remembered by what they leave", async () => {
  const { path } = await plan("options", "--parts", "1", "-q");
  const task = (script: string, ...args: string[]) => run(["sh", join(CLUSTER, script), path, ...args], { env });
  await task("part.sh", "1");
  const rounds = async (...names: string[]) => {
    for (const round of names) expect(await task("share.sh", round, "1")).toMatchObject({ exitCode: 0, stderr: "" });
  };
  await rounds("merge", "measure");
  writeFileSync(join(path, "compare.options"), "--sensor\nno body\n");
  expect(await task("share.sh", "measure", "1")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Cannot find sensor "no body"') });
  writeFileSync(join(path, "compare.options"), "--kind\nlogin\n\n--last-n-days\n3");
  await rounds("measure", "compare");
  const [own, joined] = [[join(folder, "whole.arrow"), "--kind", "login", "-l", "3"], ["--shares", join(path, "shares")]];
  const [one, other] = [await runScript("statistics", [...own, "--json", "-q"]), await runScript("statistics", [...joined, "--json", "-q"])];
  expect(other.stdout).toBe(one.stdout);
});

test("each script for an engine says what it does, and what it lacks", async () => {
  const names = readdirSync(CLUSTER).filter(name => name.endsWith(".sh") && name !== "usage.sh");
  expect(names.toSorted()).toEqual(["finish.sh", "parallel.sh", "part.sh", "share.sh", "slurm.sh"]);
  for (const name of names) {
    const { stdout, stderr, exitCode } = await run(["sh", join(CLUSTER, name), "--help"], { cwd: folder });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain(`${name} PLAN `);
    expect(stdout).not.toContain("set -eu");
    const lacking = await run(["sh", join(CLUSTER, name), "plan"], { cwd: folder });
    expect(lacking).toMatchObject({ exitCode: 2, stdout: "" });
    expect(lacking.stderr).toMatch(new RegExp(`^${name}: expected PLAN .*; --help tells more\n$`));
  }
});

const engines = { parallel: missing("parallel"), snakemake: missing("snakemake"), slurm: missing("slurm") };

describe("engines", () => {
  test.skipIf(engines.parallel.reason !== undefined)(`GNU parallel gives what one command gives, and goes on where it was${engines.parallel.why}`, async () => {
    const { path } = await plan("by parallel's", "--parts", "2", "-q");
    const output = join(folder, "pages by parallel", "report.html");
    const command = ["sh", join(CLUSTER, "parallel.sh"), path, output];
    const options = { env: { ...env, PARALLEL: `--jobs ${Math.min(2, cpus().length)}` } };
    expect(await run(command, options)).toMatchObject({ exitCode: 0 });
    await checkWhole(path, output);
    const before = readFileSync(join(path, "part-0001.log"), "utf8");
    rmSync(join(path, "part-0002.arrow"));
    expect(await run(command, options)).toMatchObject({ exitCode: 0 });
    await checkWhole(path, output);
    expect(readFileSync(join(path, "part-0001.log"), "utf8")).toBe(before);
    expect(readFileSync(output, "utf8")).toStartWith("<!doctype html>");
  });

  test.skipIf(engines.snakemake.reason !== undefined)(`Snakemake gives what one command gives${engines.snakemake.why}`, async () => {
    const { path } = await plan("snake", "--parts", "2", "-q");
    const output = join(folder, "pages snake", "report.html");
    const command = ["snakemake", "-s", join(CLUSTER, "Snakefile"), "--config", `plan=${path}`, `output=${output}`, "--cores", "2", "--retries", "2", "-q"];
    expect(await run(command, { cwd: folder, env })).toMatchObject({ exitCode: 0 });
    await checkWhole(path, output);
    const { exitCode, stdout, stderr } = await run(command, { cwd: folder, env });
    expect(exitCode).toBe(0);
    expect(stdout + stderr).toContain("Nothing to be done");
  });

  test.skipIf(engines.slurm.reason !== undefined)(`Slurm gives what one command gives, though a node dies in the middle${engines.slurm.why}`, async () => {
    await using slurm = await startSlurm();
    const { path } = await plan("slurm", "--parts", "4", "-q");
    const output = join(folder, "pages slurm", "report.html");
    const submitted = await run(["sh", join(CLUSTER, "slurm.sh"), path, output], { cwd: folder, env: { ...env, ...slurm.env } });
    expect(submitted).toMatchObject({ exitCode: 0, stderr: "" });
    expect(submitted.stdout).toMatch(/^(\d+\n){5}$/);
    // A task is on its way on either node.
    await waitUntil("a part has begun", () => existsSync(join(path, "part-0001.log")), 50);
    slurm.killNode(1);
    await waitUntil("no job is left", async () => {
      await slurm.startNow();
      return (await slurm.countJobs()) === 0;
    }, 500);
    const said = readdirSync(join(path, "slurm")).map(name => readFileSync(join(path, "slurm", name), "utf8")).join("");
    expect({ isDone: existsSync(output), said }).toEqual({ isDone: true, said });
    await checkWhole(path, output);
  });
});
