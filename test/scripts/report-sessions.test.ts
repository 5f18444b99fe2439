/** Chains and sessions in the reports that commands write, and the commands that the reports give back. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { quoteShell } from "../../lib/text/shell.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
let page: string;
const read = (name: string) => readFile(join(dir.path, name), "utf8");
const runHere = async (name: string, args: readonly string[]) => {
  const { stderr, exitCode } = await runScript(name, args, { cwd: dir.path });
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
};
const unescape = (html: string) =>
  html.replace(
    /&(?:#39|quot|lt|gt|amp);/g,
    name => ({ "&#39;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">" })[name] ?? "&",
  );

beforeAll(async () => {
  dir = await makeTempDir();
  await joinFleet(join(dir.path, "fleet"));
  await runHere("analyze-local", ["fleet", "--mapped-dir", "tables", "-q"]);
  page = await read("result.html");
});
afterAll(() => dir[Symbol.asyncDispose]());

test("analyze-local's report has the chains and leads to sessions", () => {
  expect(page).toContain('<section id="chains">');
  expect(page).toContain("132 distinct chains, 984 sessions.");
  expect(page.match(/<div popover class="trail-sheet" id="trail-[a-z]+-\d+"/g)!.length).toBe(15);
});

test("visualize makes the same report of the table and the logs, and one without sessions of the table alone", async () => {
  const tables = join(dir.path, "tables");
  await runHere("visualize", [
    "reduced.arrow",
    "--events",
    "fleet",
    "--mapped-dir",
    tables,
    "-o",
    "again/result.html",
    "-q",
  ]);
  expect(await read("again/result.html")).toBe(page);
  await runHere("visualize", ["reduced.arrow", "-o", "alone/result.html", "-q"]);
  const alone = await read("alone/result.html");
  expect(alone).not.toContain('id="chains"');
  expect(alone).not.toContain('class="trail');
});

test("the commands of a sheet find its sessions, whatever folder they are run in", async () => {
  const sheets = [...page.matchAll(/<div popover class="trail-sheet" id="trail-(\w+)-0"[^]*?<\/div><p[^]*?<\/div>/g)];
  expect(sheets.map(([, section]) => section)).toEqual(["credentials", "commands", "connections"]);
  for (const [sheet, section] of sheets) {
    const sessions = [...sheet.matchAll(/<td><code>([0-9a-f]{12})<\/code><\/td>/g)].map(([, id]) => id!);
    const commands = [...sheet.matchAll(/<code>(bun .*?)<\/code>/g)].map(([, html]) => {
      // The eye sees the folders shortened, what is copied has them whole.
      expect(html).toContain('<span class="far">/');
      return unescape(html!.replace(/<[^>]*>/g, ""));
    });
    expect([sessions.length, commands.length]).toEqual([3, 2]);
    for (const [i, command] of commands.entries()) {
      const { stdout, exitCode } = await run(["bash", "-c", `bun() { ${quoteShell(process.execPath)} "$@"; }; ${command} -q`], {
        cwd: "/",
      });
      expect(exitCode).toBe(0);
      for (const id of i === 0 ? sessions.slice(0, 1) : sessions) expect(`${section}: ${stdout}`).toContain(id);
    }
  }
});

test("from a pipe the report has chains, and the commands say LOGS", async () => {
  const log = await readFile(join(dir.path, "fleet/hp-ams-01/cowrie.json"));
  const { exitCode } = await runScript(
    "analyze-local",
    ["-", "-q", "-o", "pipe/result.html", "-f", "pipe/reduced.json"],
    {
      cwd: dir.path,
      stdin: log,
    },
  );
  expect(exitCode).toBe(0);
  const piped = await read("pipe/result.html");
  expect(piped).toMatch(/trace-ip\.ts\S* -i [\d.]+ LOGS</);
});

test("connections come from the addresses that connected, as the line of those that did has it", async () => {
  const line = (eventid: string, session: string, src_ip: string) =>
    `${JSON.stringify({ eventid: `cowrie.${eventid}`, timestamp: "2026-07-01T12:00:00Z", session, src_ip, sensor: "a", dst_port: 22, duration: 1 })}\n`;
  // The last session began before this log did.
  const log = [1, 2, 3, 4, 5, 6].map(i => line("session.connect", `s${i}`, `192.0.2.${i}`)).join("") + line("session.closed", "s7", "192.0.2.7");
  await Bun.write(join(dir.path, "cut/cowrie.json"), log);
  await runHere("analyze-local", ["cut", "-o", "cut.html", "-q"]);
  const text = (await read("cut.html")).replace(/<svg.*?<\/svg>/gs, "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
  expect(text).toContain("6 connections from 6 addresses ");
  expect(text).toContain("connected 6 6 ");
  expect(text).toContain(" 1 other address: 16.7 %");
});
