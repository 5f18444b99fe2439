import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommand } from "../../lib/process/options.ts";
import { COMMAND } from "../../scripts/trace-sid.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";
import { scriptWords, shell } from "../support/source.ts";

const MIDNIGHT = "3d7d1fd7e7ee";

let folder: string;
let fleet: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cowrie-fleet-"));
  fleet = await copyFleet(join(folder, "fleet"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const trace = (...args: string[]) => runScript("trace-sid", [fleet, "-q", ...args]);

const WANTED = `Session ${MIDNIGHT} on hp-ams-01
  from      203.0.113.251:7113 to 172.24.0.18:2222, ssh
  time      2026-07-20 23:58:40 to 2026-07-21 00:02:30 UTC, 3 min 50 s
  client    SSH-2.0-Planted_1.0
  HASSH     a7798297f5f9542056a6ca5d50554df7
  events    9: 1 login (1 accepted), 2 commands
  ATT&CK    T1033 System Owner/User Discovery
            T1082 System Information Discovery

`;

describe("trace-sid", () => {
  test("several sessions: all of them, and the one that there is not is named", async () => {
    const ask = ["--column", "session", "--where", "src_ip=203.0.113.253", "-n", "1", "--json", "-q"];
    const { stdout: answer } = await runScript("value-counts", [fleet, ...ask]);
    const [first, second] = [MIDNIGHT, (JSON.parse(answer) as { session: string }).session];
    const both = await trace("-sid", first, "-sid", second, "--json");
    const { session, sessions } = JSON.parse(both.stdout);
    expect({ exitCode: both.exitCode, session }).toEqual({ exitCode: 0, session: [first, second] });
    expect(new Set(sessions.map((one: { session: string }) => one.session))).toEqual(new Set([first, second]));
    const missing = await trace("-sid", first, "-sid", "nosuchsession", "--json");
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Cannot find session "nosuchsession"') });
    expect(JSON.parse(missing.stdout).sessions).toHaveLength(1);
  });

  test("an id that was copied in part is told in full", async () => {
    expect(await trace("-sid", MIDNIGHT.slice(0, 8).toUpperCase())).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(new RegExp(`searched 179 files .*; did you mean "${MIDNIGHT}"\\?\n$`)),
      exitCode: 1,
    });
  });

  test("tells a session that lies in two files as one", async () => {
    const { stdout, stderr, exitCode } = await trace("-sid", MIDNIGHT);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toStartWith(WANTED);
    expect(stdout).toContain("  0:30.018  command         uptime # before midnight\n");
    expect(stdout).toContain("  3:50.032  command         last # after midnight\n");
    expect(stdout.split("\n").filter(line => line !== "")).toHaveLength(17);
  });

  test("reads logs, event tables and stdin alike", async () => {
    const wanted = await trace("-sid", MIDNIGHT);
    const logs = ["cowrie.json.2026-07-20.gz", "cowrie.json.2026-07-21.gz"].map(name => join(fleet, "hp-ams-01", name));
    await using dir = await makeTempDir();
    const script = scriptWords("trace-sid");
    const results = await Promise.all([
      runScript("trace-sid", [...logs, "--mapped-dir", dir.path, "-q", "--session_id", MIDNIGHT]),
      run(shell(`zcat ${logs.join(" ")} | ${script} - -q -sid ${MIDNIGHT}`)),
    ]);
    for (const { stdout, stderr, exitCode } of results) {
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: wanted.stdout, stderr: "", exitCode: 0 });
    }
    const arrows = await run(
      shell(
        `set -- ${dir.path}/*.arrow; ${script} -f $1 $2 -q -sid ${MIDNIGHT} || find ${dir.path}`,
      ),
    );
    expect({ stdout: arrows.stdout, exitCode: arrows.exitCode }).toEqual({ stdout: wanted.stdout, exitCode: 0 });
  });

  test("writes one JSON object", async () => {
    const { stdout, exitCode } = await trace("-sid", MIDNIGHT, "--json");
    expect({ exitCode, lines: stdout.split("\n").length }).toEqual({ exitCode: 0, lines: 2 });
    const { session, searched, sessions } = JSON.parse(stdout);
    expect({ session, searched }).toEqual({ session: MIDNIGHT, searched: { logs: 179, days: 42 } });
    expect(sessions).toHaveLength(1);
    expect(sessions[0]).toMatchObject({ sensor: "hp-ams-01", src_ip: "203.0.113.251", protocol: "ssh", has_end: true });
  });

  test("writes a page, and nothing to stdout", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "trace.html");
    const { stdout, stderr, exitCode } = await runScript("trace-sid", [fleet, "-sid", MIDNIGHT, "-o", path]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(`trace-sid: 1 session in ${path}`);
    expect(readFileSync(path, "utf8")).toContain("last # after midnight");
    const toStdout = await trace("-sid", MIDNIGHT, "-o", "-");
    expect(toStdout.stdout).toBe(readFileSync(path, "utf8"));
  });

  test("says in one line what it searched when there is no such session", async () => {
    const { stdout, stderr, exitCode } = await trace("-sid", "\u001b[2Jnone");
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr:
        'trace-sid: Cannot find session "\\x1b[2Jnone": searched 179 files of 42 days, 2026-07-06 to 2026-08-16\n',
      exitCode: 1,
    });
  });

  test("wrong usage is told", async () => {
    const missing = await runScript("trace-sid", [fleet]);
    expect(missing).toMatchObject({
      stdout: "",
      stderr: "trace-sid: Missing --session-id: expected -sid ID\nTry: bun scripts/trace-sid.ts --help\n",
      exitCode: 2,
    });
    const nothing = await runScript("trace-sid", ["-sid", "x"]);
    expect({ stdout: nothing.stdout, exitCode: nothing.exitCode }).toEqual({ stdout: "", exitCode: 2 });
  });

  test("its examples are read", () => {
    for (const { run: line } of COMMAND.examples) {
      expect(() => parseCommand(COMMAND, line.split(" ").slice(2))).not.toThrow();
      expect(line).toContain(MIDNIGHT);
    }
  });
});
