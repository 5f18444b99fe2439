/** Scripts joined by pipes, as shells and cron run them: large data, slow readers, readers that leave early. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { toShellWord } from "../../lib/process/crontab.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { planSensors, writeLogs } from "../support/generate-logs.ts";
import { makeTempDir, ROOT, run, type RunOptions } from "../support/run.ts";
import { scriptWords, shell } from "../support/source.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);

/** Run a line of shell in the folder; `$map` and the like stand for the scripts. */
async function line(text: string, options: RunOptions = {}) {
  const command = text.replace(/\$([a-z][a-z-]+)\b/g, (_, script: string) => scriptWords(script));
  const { stdout, stderr, exitCode } = await run(shell(command), { cwd: dir.path, ...options });
  return { stdout, stderr, exitCode };
}
const QUIET = { stdout: "", stderr: "", exitCode: 0 };

beforeAll(async () => {
  dir = await makeTempDir();
  await joinFleet(at("fleet"));
  writeLogs(at("big"), {
    seed: "pipes",
    firstDay: "2026-06-01",
    days: 4,
    totalBytes: 30_000_000,
    sensors: planSensors(2, ["v3", "v2.2"]),
  });
  await mkdir(at("packed"));
  // zcat wants them packed, and in an order that rotation would give.
  for (const path of [...new Bun.Glob("big/**/cowrie.json*").scanSync(dir.path)].sort()) {
    await Bun.write(at(`packed/${path.replaceAll("/", "_")}.gz`), Bun.gzipSync(await Bun.file(at(path)).bytes()));
  }
});
afterAll(() => dir[Symbol.asyncDispose]());

describe("30 MB through pipes", () => {
  test("zcat | map | reduce | visualize makes the pages that files make", async () => {
    expect(
      await line("zcat packed/*.gz | $map -q - | $reduce -q - -o - | $visualize -q -f - -o piped/result.html"),
    ).toEqual(QUIET);
    expect(
      await line(
        "zcat packed/*.gz > all.json && $reduce all.json -o all -q && $visualize all.arrow -o files/result.html -q",
      ),
    ).toEqual(QUIET);
    const [piped, files] = await Promise.all(
      ["piped", "files"].map(folder => readFile(at(`${folder}/stats.html`), "utf8")),
    );
    // The name of the log is the one thing a pipe does not know.
    expect(piped).toBe(files!.replaceAll("all.json", "-"));
  });

  test("a slow reader gets every byte", async () => {
    const { stdout } = await line("$map -q all.json -o - | (sleep 1; md5sum); $map -q all.json -o - | md5sum");
    const [slow, fast] = stdout.trim().split("\n");
    expect(slow).toBe(fast!);
  });

  test.each([
    "$map -q all.json -o - | head -c 100 > /dev/null",
    "$reduce -q all.json -o - | head -c 100 > /dev/null",
    "$value-counts -q all.json --column session -n 0 | head -n 1 > /dev/null",
    "$value-counts -q all.json --column session -n 0 --json | head -n 1 > /dev/null",
    "$statistics -q all.arrow --json --all | head -c 1 > /dev/null",
    "$visualize -q all.arrow -o - | head -c 1 > /dev/null",
    "$summary -q all.json -n 0 | head -n 1 > /dev/null",
  ])("%s: a reader that leaves early is no failure", async text => {
    expect(await line(text)).toEqual(QUIET);
  });

  test("a writer that fails is told by whoever reads, each in one line", async () => {
    const { stdout, stderr, exitCode } = await line(
      "$map -q missing -o - | $reduce -q - -o - | $statistics -f - --json",
    );
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr.trim().split("\n").sort()).toEqual([
      'map: Cannot read "missing": no such file or folder',
      expect.stringMatching(/^reduce: Cannot /),
      'statistics: Cannot read "standard input": it is empty',
    ]);
  });
});

describe("the lines of the manual", () => {
  test("event tables reduced to statistics as JSON", async () => {
    expect(await line("$map fleet -q")).toEqual(QUIET);
    const { stdout, stderr, exitCode } = await line("$reduce -q fleet/hp-*/*.arrow -o - | $statistics -q -f - --json");
    expect({ stderr, exitCode, sensors: JSON.parse(stdout).sensors.length }).toEqual({
      stderr: "",
      exitCode: 0,
      sensors: 5,
    });
  });

  test("value counts to a spreadsheet", async () => {
    expect(
      await line("$value-counts fleet --event login.failed --column username,password --csv -q > top.csv"),
    ).toEqual(QUIET);
    const lines = (await Bun.file(at("top.csv")).text()).trimEnd().split("\n");
    expect({ head: lines[0], rows: lines.length }).toEqual({ head: "username,password,count", rows: 1539 });
  });

  test("sensors side by side with xargs, then combined and shown", async () => {
    const analyze = `${scriptWords("analyze-local")} {} -f {}/reduced.json -o {}/result.html -q`;
    const each = `ls -d fleet/hp-*/ | xargs -P4 -I{} ${analyze}`;
    expect(await line(each)).toEqual(QUIET);
    expect(
      await line("$combine-reduced fleet/hp-*/reduced.arrow -o fleet.json -q && $visualize -f fleet.arrow -q"),
    ).toEqual(QUIET);
    expect(await line("$reduce fleet -o once -q && cmp once.arrow fleet.arrow && ls result.html stats.html")).toEqual({
      ...QUIET,
      stdout: "result.html\nstats.html\n",
    });
  });
});

describe("as cron runs them", () => {
  test("an empty environment, /bin/sh, another working directory, no terminal: quiet when all is well", async () => {
    const logs = at("fleet");
    const cron = (text: string) => `cd / && env -i HOME=${dir.path} /bin/sh -c ${toShellWord(text)} < /dev/null`;
    const reduce = `${scriptWords("reduce")} -q ${logs} -o ${at("cron.json")}`;
    expect(await line(cron(reduce))).toEqual(QUIET);
    expect(
      await line(
        cron(`${reduce} && ${scriptWords("statistics")} -q ${at("cron.arrow")} -o ${at("cron.html")} --exit-code -t 1000000`),
      ),
    ).toEqual(QUIET);
    expect(await line(cron(`${scriptWords("summary")} -q ${logs} --json | head -c 1`))).toEqual({ ...QUIET, stdout: "{" });
    expect(
      await line(cron(`${scriptWords("combine-reduced")} -q ${at("cron.arrow")} ${at("cron.arrow")} -o ${at("twice.json")}`)),
    ).toEqual(QUIET);
    expect((await readFile(at("twice.arrow"))).equals(await readFile(at("cron.arrow")))).toBe(true);
  });

  test("two runs over the same outputs: the second says who holds them, or waits", async () => {
    await rm(at("held.arrow"), { force: true });
    // Its stdin stays open, so it holds the outputs until it is let go.
    const holder = Bun.spawn([process.execPath, join(ROOT, "scripts/reduce.ts"), "-", "-o", "held.json", "-q"], {
      cwd: dir.path,
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
    });
    while (!(await readdir(dir.path)).includes(".held.json.lock")) await Bun.sleep(10);
    const refused = await line("$reduce fleet -o held.json -q");
    expect({ stdout: refused.stdout, exitCode: refused.exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(refused.stderr).toContain(`process ${holder.pid} has been writing it since `);
    const waiting = line("$reduce fleet -o held.json -q --wait 600");
    holder.stdin.write(await readFile(at("fleet/hp-ams-01/cowrie.json")));
    holder.stdin.end();
    expect(await holder.exited).toBe(0);
    expect(await waiting).toEqual(QUIET);
    expect((await readFile(at("held.arrow"))).equals(await readFile(at("once.arrow")))).toBe(true);
  });
});
