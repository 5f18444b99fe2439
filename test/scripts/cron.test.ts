/**
 * A line of schedule.ts under the real cron. It needs root, a crontab of root's that is not there yet, and no cron at
 * work: it must neither run nor lose anybody's jobs. Waits for the next full minute, as cron does.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { copyFleet } from "../support/copy-fleet.ts";
import { because, CRON, missing } from "../support/needs.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";

/** Why the real cron cannot be used here; undefined if it can. */
async function reasonNot(): Promise<string | undefined> {
  const { reason } = missing("cron");
  if (reason !== undefined) return reason;
  if (process.getuid?.() !== 0) return "not root";
  const names = readdirSync("/proc").filter(name => /^\d+$/.test(name)).map(pid => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    } catch {
      // Gone meanwhile.
      return "";
    }
  });
  if (names.includes("cron")) return "a cron is at work here";
  return (await run(["crontab", "-l"])).exitCode === 0 ? "root has a crontab" : undefined;
}

const { reason, why } = because(await reasonNot());

describe.skipIf(reason !== undefined)(`under the real cron${why}`, () => {
  // MAILTO keeps cron from leaving a mail behind.
  const theirs = (folder: string) => `MAILTO=""\n# not ours\n* * * * * env > '${folder}/environment'\n`;
  let dir: Awaited<ReturnType<typeof makeTempDir>>;
  let home: string;
  let environmentOfCron: string;

  beforeAll(async () => {
    dir = await makeTempDir();
    home = await realpath(dir.path);
    await run(["crontab", "-"], { stdin: theirs(home) });
  });
  afterAll(async () => {
    await run(["crontab", "-r"]);
    await dir[Symbol.asyncDispose]();
  });

  test("the line is installed, runs, writes its outputs, and goes again", async () => {
    // Whatever cron and the shell could stumble over.
    const folder = join(home, "50% of 'it' \\ here");
    await mkdir(folder);
    await copyFleet(join(folder, "logs"), "hp-ams-01");
    const place = { cwd: folder, env: { XDG_CACHE_HOME: join(home, "cache") } };
    const every = (name: string, ...args: string[]) =>
      runScript("schedule", ["--at", "* * * * *", "--name", name, "--install", "-q", ...args], place);
    const outputs = ["reduced.arrow", "reduced.json", "result.html", "stats.html"];

    const one = await every("preset", "nightly", "logs", "-f", "a/reduced.json", "-o", "a/result.html");
    const two = await every("script", "--", "analyze-local", "logs", "-f", "b/reduced.json", "-o", "b/result.html",
      "--mapped-dir", "b tables", "-q");
    expect([one, two]).toMatchObject([{ stderr: "", exitCode: 0 }, { stderr: "", exitCode: 0 }]);
    const installed = (await run(["crontab", "-l"])).stdout;
    expect(installed).toBe(theirs(home) + one.stdout + two.stdout);

    const daemon = Bun.spawn([CRON, "-f"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    try {
      const wanted = ["a", "b"].flatMap(name => outputs.map(output => join(folder, name, output)));
      wanted.push(join(home, "environment"));
      while (!wanted.every(path => existsSync(path)) && daemon.exitCode === null) await Bun.sleep(200);
      expect(daemon.exitCode).toBeNull();
    } finally {
      daemon.kill();
      await daemon.exited;
    }
    expect((await readdir(join(folder, "a"))).sort()).toEqual(outputs);
    environmentOfCron = await readFile(join(home, "environment"), "utf8");

    for (const name of ["preset", "script"]) {
      expect(await runScript("schedule", ["--remove", name], place)).toMatchObject({ exitCode: 0 });
    }
    expect((await run(["crontab", "-l"])).stdout).toBe(theirs(home));
  });

  test("that has hardly an environment", () => {
    const names = environmentOfCron.split("\n").map(line => line.split("=")[0]!).filter(name => name !== "");
    expect(names.sort()).toEqual(["HOME", "LOGNAME", "MAILTO", "PATH", "PWD", "SHELL"]);
    expect(environmentOfCron).toMatch(/^PATH=\/usr\/bin:\/bin$/m);
  });

  test("Debian's crontab takes a command as long as we let one be", async () => {
    const name = "x".repeat(40);
    const logs = (length: number) => join(home, "logs", "y".repeat(length));
    const place = { cwd: home, env: { XDG_CACHE_HOME: join(home, "cache") } };
    const at = (length: number) => {
      const mapping = ["map", "-q", "--mapped-dir", home, ...Array.from({ length: 4 }, () => logs(150)), logs(length)];
      return runScript("schedule", ["--at", ":00", "--name", name, "--install", "-q", "--", ...mapping], place);
    };
    // The longest that is taken by us is taken by cron.
    let length = 1;
    const { stdout } = await at(length);
    length += 998 - (stdout.trimEnd().length - "0 * * * * ".length);
    expect(await at(length)).toMatchObject({ stderr: "", exitCode: 0 });
    expect(await at(length + 1)).toMatchObject({ stderr: expect.stringContaining("999 bytes"), exitCode: 2 });
    expect(await runScript("schedule", ["--remove", name, "-q"], place)).toMatchObject({ stderr: "", exitCode: 0 });
    expect((await run(["crontab", "-l"])).stdout).toBe(theirs(home));
  });
});
