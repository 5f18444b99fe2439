import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toBytes, toShellWord } from "../../lib/process/crontab.ts";
import { makeFakeCrontab, readCrontabLines } from "../support/crontab.ts";
import { makeTempDir, ROOT, run, runScript } from "../support/run.ts";

/** A script as it stands in a crontab, wherever the checkout is. */
const scriptWord = (name: string) => toShellWord(join(ROOT, "scripts", `${name}.ts`)).replaceAll("%", "\\%");
const BUN = '[^ ]+';

/** A folder with logs/ in it, a crontab, and a way to run the script there. */
async function makePlace() {
  const dir = await makeTempDir();
  const path = await realpath(dir.path);
  await mkdir(join(path, "logs"));
  const { table, env } = await makeFakeCrontab(path);
  return {
    path,
    env,
    tablePath: table,
    table: () => (existsSync(table) ? readFile(table, "latin1") : undefined),
    write: (text: string) => writeFile(table, text, "latin1"),
    next: (text: string) => writeFile(`${table}.next`, text, "latin1"),
    schedule: async (args: string[], more: Record<string, string | undefined> = {}) => {
      const { stdout, stderr, exitCode } = await runScript("schedule", args, { cwd: path, env: { ...env, ...more } });
      return { stdout, stderr, exitCode };
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

const NEXT = expect.stringMatching(
  /^Not installed: --install puts .* crontab\. Next run \w{3} \d{4}(-\d\d){2} \d\d:\d\d by this machine.s clock\n$/,
);

describe("printing", () => {
  test("nightly: absolute paths, one line", async () => {
    await using place = await makePlace();
    const { path } = place;
    expect(await place.schedule(["nightly", "logs", "-o", "web/result.html"])).toEqual({
      stdout: expect.stringMatching(new RegExp(
        `^15 3 \\* \\* \\* ${BUN} ${RegExp.escape(scriptWord("analyze-local"))} ${path}/logs -f ${path}/web/reduced\\.json ` +
          `-o ${path}/web/result\\.html -q --wait 3600 # cowrie-longitudinal: nightly\n$`,
      )),
      stderr: NEXT,
      exitCode: 0,
    });
    expect(place.table()).toBeUndefined();
  });

  test("any script: paths by its own table, what is not given stays out", async () => {
    await using place = await makePlace();
    const { path } = place;
    const args = ["--at", "mon 6:05", "--name", "m", "--", "statistics", "a b.arrow", "--downtime=d%.csv", "-n3"];
    const { stdout, stderr, exitCode } = await place.schedule(args);
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringContaining(
        `${scriptWord("statistics")} '${path}/a b.arrow' -l 3 --downtime '${path}/d\\%.csv' # cowrie-longitudinal: m\n`,
      ),
      exitCode: 0,
    });
    expect(stdout.startsWith(`5 6 * * 1 cd ${path} && `)).toBe(true);
    expect(stderr).toContain(`Notice: "${path}/a b.arrow" does not exist\n`);
    expect(stderr).toContain("Notice: cron mails what is printed");
  });

  test("a day counted from today is counted anew on every run", async () => {
    await using place = await makePlace();
    const args = ["--at", "6:05", "--", "summary", "logs", "--since", "-7d", "--until=yesterday", "-q"];
    const { stdout } = await place.schedule(args);
    expect(stdout).toContain(`${place.path}/logs -q --since=-7d --until yesterday`);
    expect((await place.schedule(["weekly", "logs"])).stdout).toContain(`/logs --since -7d --until yesterday -q #`);
  });

  test("counts and pages go beside the report, under its name; -f says otherwise", async () => {
    await using place = await makePlace();
    const { path } = place;
    const line = async (...args: string[]) => (await place.schedule(["hourly", "logs", "-q", ...args])).stdout;
    expect(await line("-o", "web/ams.html")).toContain(` -f ${path}/web/ams-reduced.json -o ${path}/web/ams.html `);
    expect(await line("-o", "web/ams.html")).toContain(
      `${scriptWord("statistics")} ${path}/web/ams-reduced.arrow -o ${path}/web/ams-check.html `,
    );
    expect(await line("-o", "web/ams.html", "-f", "c.json")).toContain(` -f ${path}/c.json -o ${path}/web/ams.html `);
    expect(await line()).toContain(` -f ${path}/reduced.json -o ${path}/result.html `);
  });

  const SECRET = "hunter2";
  const GIVEN: string[][] = [
    ["-pw", SECRET],
    [`--password=${SECRET}`],
    [`-pw=${SECRET}`],
    [`-pw${SECRET}`],
    ["-pw", SECRET, "its second word"],
    ["-pw", `-${SECRET}`],
  ];
  test.each(GIVEN)("a password is refused, and seen nowhere: %j", async (...given: string[]) => {
    await using place = await makePlace();
    for (const args of [
      ["--at", "03:00", "--install", "--", "analyze-remote", "-i", "192.0.2.1", ...given],
      ["--at", "03:00", "--install", "analyze-remote", ...given],
    ]) {
      const { stdout, stderr, exitCode } = await place.schedule(args);
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
      expect(stderr).not.toMatch(/hunter2|second word/);
    }
    expect(place.table()).toBeUndefined();
  });

  test("a password, or a question for one, is refused with the way that does without", async () => {
    await using place = await makePlace();
    for (const [flag, reason] of [
      ["-pw=x", "Cannot schedule --password: a crontab keeps no secret"],
      ["--ask-pass", "Cannot schedule --ask-pass: cron has no terminal"],
    ] as const) {
      const { stderr } = await place.schedule(["--at", "03:00", "--", "download-logs", "-i", "h", "-f", "l", flag]);
      expect(stderr).toContain(reason);
      expect(stderr).toContain("expected a key (--identity FILE), or --nodes FILE with password_env");
    }
  });

  test("quiet: the line and nothing else", async () => {
    await using place = await makePlace();
    const { stderr, exitCode } = await place.schedule(["hourly", "logs", "-q"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  test("needs no crontab command", async () => {
    await using place = await makePlace();
    const result = await place.schedule(["nightly", "logs", "-q"], { PATH: "/nowhere" });
    expect(result).toMatchObject({ stderr: "", exitCode: 0 });
  });

  test.each(["nightly", "weekly", "hourly"])("%s: the line runs as cron would run it", async preset => {
    await using place = await makePlace();
    const folder = join(place.path, "5% of 'it'");
    const day = new Date(Date.now() - 86_400_000).toISOString();
    const event = { eventid: "cowrie.login.success", session: "0", sensor: "s", username: "root", password: "heron" };
    await mkdir(folder);
    await writeFile(join(folder, "cowrie.json.1"), "");
    await writeFile(join(folder, "cowrie.json"), `${JSON.stringify({ ...event, timestamp: day })}\n`);
    const outfiles = preset === "weekly" ? [] : ["-f", join(folder, "r.json"), "-o", join(folder, "result.html")];
    const { stdout: line } = await place.schedule([preset, folder, ...outfiles, "-q"]);
    const { command } = readCrontabLines(line)[0]!;
    const bare = ["env", "-i", `HOME=${place.path}`, "/bin/sh", "-c", command];
    const { stdout, stderr, exitCode } = await run(bare, { cwd: "/" });
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: preset === "weekly" ? expect.stringContaining("heron") : "",
      // The report is there all the same, and hourly so is the check.
      stderr: `Left out "${folder}/cowrie.json.1": it is empty\n`,
      exitCode: preset === "hourly" ? 0 : 3,
    });
    if (preset === "weekly") return;
    const outputs = ["r.arrow", "r.json", "result.html", "stats.html", ...(preset === "hourly" ? ["check.html"] : [])];
    expect(await readdir(folder)).toEqual(expect.arrayContaining(outputs));
  });

  const WRONG: [args: string[], message: string, exitCode: number][] = [
    [[], "Missing what to run", 2],
    [["nigthly", "logs"], 'did you mean "nightly"?', 2],
    [["nightly"], "Missing ARGUMENT", 2],
    [["nightly", "-"], "cron has nothing on stdin", 2],
    [["nightly", "no-such"], "no such file or folder", 1],
    [["nightly", "logs", "-o", "-"], "Cannot use --outfile -", 2],
    [["nightly", "logs", "--at", "25:00"], 'Cannot read --at "25:00"', 2],
    [["nightly", "logs", "--name", "a b"], 'Cannot use name "a b"', 2],
    [["nightly", "a\nb"], "no such file", 1],
    [["weekly", "logs", "-o", "x"], "Cannot use --outfile with weekly", 2],
    [["map", "logs"], "Missing --at", 2],
    [["--at", ":20", "../map", "logs"], 'Cannot schedule "../map"', 2],
    [["--at", ":20", "--", "map", "logs", "--treshold", "5"], 'Unknown option "--treshold"', 2],
    [["--at", ":20", "--", "map", "-"], "cron has nothing on stdin", 2],
    [["--at", ":20", "-o", "x", "map", "logs"], 'expected it after "--"', 2],
    [["--install", "--list"], "Cannot do --install and --list", 2],
    [["--list", "nightly"], 'Cannot use argument "nightly"', 2],
  ];
  test.each(WRONG)("%j is refused in one line", async (args, message, exitCode) => {
    await using place = await makePlace();
    const result = await place.schedule(args);
    expect(result).toEqual({ stdout: "", stderr: expect.stringContaining(message), exitCode });
    expect(result.stderr.split("\n").length).toBe(exitCode === 2 ? 3 : 2);
    expect(place.table()).toBeUndefined();
  });
});

describe("the crontab", () => {
  const others = "MAILTO=a@example.org\n# mine \xe4\xff\n5 4 * * * echo 100\\%\n";

  test("is made, listed, and gone again when nothing is left", async () => {
    await using place = await makePlace();
    const installed = await place.schedule(["nightly", "logs", "--install"]);
    expect(installed.stderr).toStartWith('Installed as "nightly". Next run ');
    expect(await place.table()).toBe(toBytes(installed.stdout));
    expect(await place.schedule(["nightly", "logs", "--install"])).toMatchObject({
      stderr: expect.stringContaining('Installed already as "nightly"'), exitCode: 0,
    });
    expect(await place.schedule(["--list"])).toEqual({
      stdout: expect.stringMatching(
        /^name +when +next run +command\nnightly  15 3 \* \* \*  \w{3} .* 03:15  .*analyze-local\.ts'? .*\n$/,
      ),
      stderr: "",
      exitCode: 0,
    });
    expect(await place.schedule(["--remove", "nightly"])).toEqual({
      stdout: "", stderr: `Removed: ${installed.stdout}Nothing is left in your crontab: it is gone\n`, exitCode: 0,
    });
    expect(place.table()).toBeUndefined();
    expect(await place.schedule(["--list"])).toEqual({
      stdout: "", stderr: "No line of ours in your crontab\n", exitCode: 0,
    });
  });

  test("keeps every other line byte for byte", async () => {
    await using place = await makePlace();
    await place.write(others);
    const { stdout: nightly } = await place.schedule(["nightly", "logs", "--install"]);
    const { stdout: hourly } = await place.schedule(["hourly", "logs", "--install"]);
    expect(await place.table()).toBe(others + toBytes(nightly + hourly));
    const { stdout, stderr } = await place.schedule(["nightly", "logs", "--at", "04:00", "--install"]);
    expect(await place.table()).toBe(others + toBytes(stdout + hourly));
    expect(stderr).toContain(`Replaced: ${nightly}`);
    await place.schedule(["--remove", "hourly"]);
    await place.schedule(["--remove", "nightly"]);
    expect(await place.table()).toBe(others);
  });

  test("a password in a line of ours, from before or by hand, is shown by nothing", async () => {
    await using place = await makePlace();
    const secrets = ["-pw hunter2", "--password=hunter2", "-pw 'hun'\\''ter2 and hunter2'", "-pw hunter2\\%x"];
    await place.write(
      secrets.map((secret, i) => `${i} 1 * * * bun analyze-remote.ts ${secret} -q # cowrie-longitudinal: s${i}\n`).join(""),
    );
    const outputs = [
      await place.schedule(["--list"]),
      await place.schedule(["nightly", "logs", "--name", "s0", "--install"]),
      ...(await Promise.all([1, 2, 3].map(i => place.schedule(["--remove", `s${i}`])))),
    ];
    for (const { stdout, stderr, exitCode } of outputs) {
      expect(exitCode).toBe(0);
      expect(stdout + stderr).not.toMatch(/hun|ter2/);
      expect(stdout + stderr).toMatch(/(-pw|--password)[ =]…|analyze-local/);
    }
  });

  test("what somebody else adds in between is kept", async () => {
    await using place = await makePlace();
    await place.write(others);
    await place.next("7 7 * * * theirs\n");
    const { stdout, exitCode } = await place.schedule(["nightly", "logs", "--install"]);
    expect(exitCode).toBe(0);
    expect(await place.table()).toBe(`${others}7 7 * * * theirs\n${toBytes(stdout)}`);
  });

  test("five at once all arrive", async () => {
    await using place = await makePlace();
    const names = ["a", "b", "c", "d", "e"];
    const install = (name: string) => place.schedule(["nightly", "logs", "--name", name, "--install"]);
    const results = await Promise.all(names.map(install));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    expect((await place.table())!.split("\n").sort().join("\n").trim()).toBe(
      results.map(({ stdout }) => toBytes(stdout.trim())).sort().join("\n"),
    );
  });

  test("a name that is not there", async () => {
    await using place = await makePlace();
    await place.write(others);
    expect(await place.schedule(["--remove", "nightly"])).toEqual({
      stdout: "", stderr: 'schedule: Cannot remove "nightly": no line of that name, found none of ours\n', exitCode: 1,
    });
    expect(await place.table()).toBe(others);
  });

  test("that may not be used, cannot be written, or is not there: one line, nothing changed", async () => {
    await using place = await makePlace();
    await place.write(others);
    const install = ["nightly", "logs", "--install"];
    expect(await place.schedule(install, { FAKE_CRONTAB_REFUSES: "1" })).toMatchObject({
      stderr: "schedule: Cannot read the crontab: You (nobody) are not allowed to use this program (crontab)\n",
      exitCode: 1,
    });
    expect(await place.schedule(install, { FAKE_CRONTAB_FULL: "1" })).toMatchObject({
      stderr: "schedule: Cannot write the crontab: /var/spool/cron/: mkstemp: No space left on device\n", exitCode: 1,
    });
    expect(await place.schedule(["--list"], { PATH: "/nowhere" })).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^schedule: Cannot find the command "crontab": expected it on PATH .*\n$/),
      exitCode: 1,
    });
    expect(await place.table()).toBe(others);
  });

  test("says so when no mail will come", async () => {
    await using place = await makePlace();
    await place.write('MAILTO=""\n');
    expect((await place.schedule(["hourly", "logs", "--install"])).stderr).toContain("Notice: MAILTO is empty");
  });
});
