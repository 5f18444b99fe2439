import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommand } from "../../lib/process/options.ts";
import { COMMAND } from "../../scripts/command-chains.ts";
import { FLEET_FACTS } from "../support/example-fleet.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";
import { scriptWords, shell } from "../support/source.ts";


interface ChainsJson {
  sessions: number;
  masked: boolean;
  sensors: string[];
  hidden: { nodes: number; links: number; sessions: number };
  commands: { command: string; purpose: string }[];
  nodes: { step: number; command: number | null; sessions: number; ended: number; continued: number; shown: boolean }[];
  links: { source: number; target: number; sessions: number; shown: boolean }[];
  chains: { commands: number[]; continues: boolean; sessions: number }[];
}

let folder: string;
let fleet: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cowrie-fleet-"));
  fleet = await joinFleet(join(folder, "fleet"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chains = (...args: string[]) => runScript("command-chains", [fleet, ...args]);
const readJson = async (...args: string[]) => JSON.parse((await chains("--json", "-q", ...args)).stdout) as ChainsJson;

describe("command-chains", () => {
  test("writes the page, and one line about it", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "chains.html");
    const { stdout, stderr, exitCode } = await chains("-o", path);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
      /^command-chains: 984 sessions with \d+ distinct commands in .*chains\.html; \d+ links \(\d+ passages\) and \d+ commands with under 10 sessions hidden; /,
    );
    const page = readFileSync(path, "utf8");
    expect(page).toContain("What do intruders type after login?");
    const quiet = await chains("-o", path, "-q");
    expect({ stdout: quiet.stdout, stderr: quiet.stderr, exitCode: quiet.exitCode }).toEqual({
      stdout: "",
      stderr: "",
      exitCode: 0,
    });
    expect(readFileSync(path, "utf8")).toBe(page);
  });

  test("counts add up, and the planted campaign is a chain", async () => {
    const graph = await readJson();
    graph.nodes.forEach((node, i) => {
      const sum = (end: "source" | "target") =>
        graph.links.reduce((total, link) => total + (link[end] === i ? link.sessions : 0), 0);
      expect(sum("source") + node.ended + node.continued).toBe(node.sessions);
      if (node.step > 1) expect(sum("target")).toBe(node.sessions);
    });
    expect(graph.links.every(({ sessions, shown }) => shown === sessions >= 10)).toBe(true);
    expect(graph.hidden.links).toBe(graph.links.filter(({ shown }) => !shown).length);
    const kestrel = graph.chains.find(
      ({ commands }) => graph.commands[commands[0]!]!.command === FLEET_FACTS.starts.lines[0],
    );
    expect(graph.commands[kestrel!.commands[1]!]).toMatchObject({ purpose: "download" });
  });

  test("masks make commands one, --raw leaves them", async () => {
    const [masked, raw] = [await readJson(), await readJson("--raw")];
    expect(masked.masked && !raw.masked).toBe(true);
    expect(masked.commands.length).toBeLessThan(raw.commands.length);
    expect(masked.sessions).toBe(raw.sessions);
    const passwords = ({ commands }: ChainsJson) =>
      commands.filter(({ command }) => command.includes("|chpasswd")).length;
    expect(passwords(masked)).toBe(1);
    expect(passwords(raw)).toBeGreaterThan(10);
  });

  test("keeps to steps, top, days and sensors", async () => {
    const small = await readJson(
      "--steps",
      "2",
      "--top",
      "1",
      "--sensor",
      "hp-lab-01",
      "--since",
      "2026-07-10",
      "--until",
      "2026-07-20",
    );
    expect(small.sensors).toEqual(["hp-lab-01"]);
    expect(Math.max(...small.nodes.map(({ step }) => step))).toBe(2);
    expect(small.nodes.filter(({ step }) => step === 1).length).toBeLessThanOrEqual(2);
    const nothing = await chains("-q", "--json", "--sensor", "nobody");
    expect({ stdout: nothing.stdout, stderr: nothing.stderr, exitCode: nothing.exitCode }).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^command-chains: Cannot find sensor "nobody": there are "hp-ams-01", /),
      exitCode: 2,
    });
  });

  test("logs in which nobody typed say so, not that days and sensors were asked for", async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "cowrie.json"), '{"eventid":"cowrie.session.connect","timestamp":"2026-07-01T00:00:00Z","session":"1","sensor":"a"}\n');
    const { stderr, exitCode } = await run([...scriptWords("command-chains").split(" "), "cowrie.json"], { cwd: dir.path });
    expect({ stderr, exitCode }).toEqual({ stderr: "command-chains: Cannot find a command: searched 1 file of 1 day, 2026-07-01: nobody typed one\n", exitCode: 1 });
  });

  test("--json alone writes no page; stdin and `| head` work", async () => {
    await using dir = await makeTempDir();
    const logs = `zcat ${fleet}/hp-ams-01/*.gz | ${scriptWords("command-chains")} - -q`;
    const json = await run(shell(`${logs} --json`), { cwd: dir.path });
    expect({ stderr: json.stderr, exitCode: json.exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect((JSON.parse(json.stdout) as ChainsJson).sensors).toEqual(["hp-ams-01"]);
    expect(existsSync(join(dir.path, "command-chains.html"))).toBe(false);
    const head = await run(shell(`${logs} -o - | head -c 15`), { cwd: dir.path });
    expect({ stdout: head.stdout, stderr: head.stderr, exitCode: head.exitCode }).toEqual({
      stdout: "<!doctype html>",
      stderr: "",
      exitCode: 0,
    });
    const page = await run(shell(logs), { cwd: dir.path });
    expect(page).toMatchObject({ stdout: "", stderr: "", exitCode: 0 });
    expect(existsSync(join(dir.path, "command-chains.html"))).toBe(true);
  });

  test("wrong usage is told, its examples are read", async () => {
    const zero = await chains("-t", "0");
    expect({ stdout: zero.stdout, exitCode: zero.exitCode }).toEqual({ stdout: "", exitCode: 2 });
    expect(zero.stderr).toContain('Cannot read --threshold "0": expected a whole number >= 1');
    for (const { run: line } of COMMAND.examples) {
      expect(() => parseCommand(COMMAND, line.split(" ").slice(2))).not.toThrow();
    }
  });
});
