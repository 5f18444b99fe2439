import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommand } from "../../lib/process/options.ts";
import { COMMAND } from "../../scripts/trace-ip.ts";
import { FLEET_FACTS } from "../support/example-fleet.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";
import { scriptWords, shell } from "../support/source.ts";


let folder: string;
let fleet: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cowrie-fleet-"));
  fleet = await joinFleet(join(folder, "fleet"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const trace = (...args: string[]) => runScript("trace-ip", [fleet, "-q", ...args]);

describe("trace-ip", () => {
  test("finds every session of the spike, in one JSON object", async () => {
    const { spike } = FLEET_FACTS;
    const { stdout, stderr, exitCode } = await trace("-i", spike.srcIp, "--json");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const { summary, sessions } = JSON.parse(stdout);
    expect(summary).toMatchObject({
      sessions: spike.sessions,
      sensors: [spike.sensor],
      days: 1,
      logins: { tried: spike.sessions * spike.each, let_in: 0 },
    });
    expect(sessions).toHaveLength(spike.sessions);
  });

  test("tells a download that came after the end of its session", async () => {
    const { stdout, stderr, exitCode } = await trace("-i", "203.0.113.253");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain("hp-ams-01, 2026-08-11, 1 session\n");
    expect(stdout).toMatch(
      / 0:00\.892  closed +after 0\.89 s\n +0:09\.892  download +http:\/\/203\.0\.113\.201\/slow\.bin no verdict sha256/,
    );
  });

  test("a mapped address is the address, and a range holds what lies in it", async () => {
    const [one, mapped, range] = await Promise.all(
      ["203.0.113.251", "::ffff:203.0.113.251", "203.0.113.251/31"].map(ip => trace("-i", ip, "--json")),
    );
    const sessions = (stdout: string) => JSON.parse(stdout).sessions as { session: string }[];
    expect(sessions(mapped!.stdout)).toEqual(sessions(one!.stdout));
    // .250 and .251: the spike as well.
    expect(sessions(range!.stdout)).toHaveLength(FLEET_FACTS.spike.sessions + 1);
  });

  test("several addresses, only sessions with commands, the most frequent ways", async () => {
    const { spike, hostile } = FLEET_FACTS;
    const both = await trace("-i", spike.srcIp, "-i", hostile.srcIp, "--json");
    const one = async (ip: string, ...args: string[]) => JSON.parse((await trace("-i", ip, "--json", ...args)).stdout);
    const [spiked, attacked] = [await one(spike.srcIp), await one(hostile.srcIp)];
    const all = JSON.parse(both.stdout);
    expect(all.address).toEqual([spike.srcIp, hostile.srcIp]);
    expect(all.sessions).toHaveLength(spiked.sessions.length + attacked.sessions.length);
    const cut = await one(spike.srcIp, "-n", "3");
    expect([cut.sessions.length, cut.summary]).toEqual([3, spiked.summary]);
    // Its passwords are equal or not, the sessions all are logins and nothing else.
    const none = await trace("-i", spike.srcIp, "-i", hostile.srcIp, "--with-commands", "-n", "1");
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toStartWith(`trace-ip: Cannot find a session with commands from "${spike.srcIp}": searched `);
    expect(none.stdout).toContain(`${spike.srcIp}, ${hostile.srcIp}\n`);
    expect(await trace("-i", hostile.srcIp, "--sensor", "hp-nycc")).toMatchObject({
      stdout: "",
      stderr: expect.stringContaining('Cannot find sensor "hp-nycc": did you mean "hp-nyc-01"?'),
      exitCode: 2,
    });
  });

  test("keeps to sensors and days", async () => {
    const { srcIp, day, sensors } = FLEET_FACTS.hostile;
    const both = await trace("-i", srcIp, "--json");
    expect(JSON.parse(both.stdout).summary.sensors).toEqual(sensors);
    const one = await trace("-i", srcIp, "--json", "--sensor", sensors[1]!, "--since", day);
    expect(JSON.parse(one.stdout).summary.sensors).toEqual([sensors[1]]);
    const none = await trace("-i", srcIp, "--until", "2026-08-13");
    expect({ stdout: none.stdout, exitCode: none.exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(none.stderr).toBe(
      `trace-ip: Cannot find a session from "${srcIp}": searched 10 files of 42 days, 2026-07-06 to 2026-08-16\n`,
    );
  });

  test("hostile strings reach no terminal, and the page holds them as text", async () => {
    const { stdout, exitCode } = await trace("-i", FLEET_FACTS.hostile.srcIp);
    expect(exitCode).toBe(0);
    expect(stdout).not.toMatch(/[^\n\P{C}]/u);
    expect(stdout).toContain("\\x1b]0;owned\\x07");
    await using dir = await makeTempDir();
    const path = join(dir.path, "trace.html");
    await trace("-i", FLEET_FACTS.hostile.srcIp, "-o", path);
    const page = readFileSync(path, "utf8");
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test("a reader that leaves early ends it well", async () => {
    const line = `${scriptWords("trace-ip")} ${fleet} -q -i 0.0.0.0/0`;
    const { stdout, stderr, exitCode } = await run(shell(`${line} | head -2`));
    expect({ stdout: stdout.split("\n")[0], stderr, exitCode }).toEqual({
      stdout: "0.0.0.0/0",
      stderr: "",
      exitCode: 0,
    });
  });

  test("wrong usage is told", async () => {
    const { stdout, stderr, exitCode } = await trace("-i", "300.0.0.1");
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr:
        'trace-ip: Cannot read --ip "300.0.0.1": expected an address, or a range as 203.0.113.0/24\n' +
        "Try: bun scripts/trace-ip.ts --help\n",
      exitCode: 2,
    });
    const missing = await runScript("trace-ip", ["/no/such/log", "-i", "1.2.3.4", "-q"]);
    expect({ stdout: missing.stdout, exitCode: missing.exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(missing.stderr).toContain('Cannot read "/no/such/log": no such file or folder');
  });

  test("its examples are read", () => {
    for (const { run: line } of COMMAND.examples) {
      expect(() => parseCommand(COMMAND, line.split(" ").slice(2))).not.toThrow();
    }
  });
});
