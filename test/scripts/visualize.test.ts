/** visualize as a user runs it: a table in any form to both pages. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toIpc } from "../../lib/columns/arrow-ipc.ts";
import { NUMBER_KEYS, REDUCED_VERSION, TEXT_KEYS } from "../../lib/reduced/kinds.ts";
import { toTexts } from "../../lib/columns/dictionary.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { LEGACY_REDUCED, NEEDS_LEGACY_REDUCED } from "../support/real-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);
const visualize = async (args: readonly string[], stdin?: Uint8Array) => {
  const { stdout, stderr, exitCode } = await runScript("visualize", args, {
    cwd: dir.path,
    ...(stdin === undefined ? {} : { stdin }),
  });
  return { stdout, stderr, exitCode };
};

beforeAll(async () => {
  dir = await makeTempDir();
  await joinFleet(at("logs"));
  const { exitCode } = await runScript("reduce", ["logs", "-o", "fleet", "-q"], { cwd: dir.path });
  expect(exitCode).toBe(0);
});
afterAll(() => dir[Symbol.asyncDispose]());

test("both pages, the same again, the same from stdin", async () => {
  expect(await visualize(["fleet.arrow"])).toEqual({
    stdout: "",
    stderr: expect.stringMatching(/^visualize: 42 days, 5 sensors, [\d,]+ rows; result\.html, stats\.html; /),
    exitCode: 0,
  });
  const pages = await Promise.all(["result.html", "stats.html"].map(name => readFile(at(name), "utf8")));
  for (const page of pages) expect(page).toMatch(/^<!doctype html>[^]*<\/html>\s*$/i);
  expect(await visualize(["-f", "-", "-o", "sub/page.html", "-q"], await readFile(at("fleet.arrow")))).toEqual({
    stdout: "",
    stderr: "",
    exitCode: 0,
  });
  const others = await Promise.all(["sub/page.html", "sub/page-stats.html"].map(name => readFile(at(name), "utf8")));
  const linked = (page: string) => /<a class="page" href="([^"]+)">/.exec(page)?.[1];
  expect([...pages, ...others].map(linked)).toEqual(["stats.html", "result.html", "page-stats.html", "page.html"]);
  const withoutLink = (page: string) => page.replace(/<a class="page".*\n/, "");
  expect(others.map(withoutLink)).toEqual(pages.map(withoutLink));
  // On stdout it has no other beside it.
  expect((await visualize(["fleet.arrow", "-o", "-", "-q"])).stdout).toBe(withoutLink(pages[0]!));
});

test("the last days and the threshold change what is held against the past", async () => {
  expect((await visualize(["fleet.arrow", "-n", "14", "-t", "50", "-o", "a/r.html", "-q"])).exitCode).toBe(0);
  expect(
    (await visualize(["fleet.arrow", "--last_n_days", "14", "--threshold=50", "-o", "b/r.html", "-q"])).exitCode,
  ).toBe(0);
  expect(await readFile(at("a/r-stats.html"), "utf8")).toBe(await readFile(at("b/r-stats.html"), "utf8"));
  expect(await readFile(at("a/r-stats.html"), "utf8")).toContain("2026-08-03 to 2026-08-16");
});

test.skipIf(LEGACY_REDUCED === undefined)(
  `a file of the ancestor is shown, and said to be cut${NEEDS_LEGACY_REDUCED}`,
  async () => {
    const [file] = [...new Bun.Glob("*.json").scanSync(LEGACY_REDUCED!)].sort();
    const all = ["--top-n-events", "0", "-o", "legacy/result.html", "-q"];
    expect((await visualize(["-f", join(LEGACY_REDUCED!, file!), ...all])).exitCode).toBe(0);
    const page = await readFile(at("legacy/result.html"), "utf8");
    expect(page).toContain("cut to its top entries");
    expect(page).toContain("5.188.87.53");
  },
);

test.each([
  [[], 2, "visualize: Missing TABLE: expected a reduced table, such as the reduced.arrow that analyze-local.ts leaves"],
  [["fleet.arrow", "missing"], 1, 'Cannot read "missing": no such file or folder'],
  [["missing"], 1, 'Cannot read "missing": no such file or folder'],
  [["fleet.arrow", "-n", "0"], 2, 'Cannot read --last-n-days "0": expected a whole number >= 1'],
] as const)("%p", async (args, exitCode, says) => {
  const result = await visualize([...args, "-o", "none.html"]);
  expect({ exitCode: result.exitCode, stdout: result.stdout }).toEqual({ exitCode, stdout: "" });
  expect(result.stderr).toContain(says);
  expect(await Bun.file(at("none.html")).exists()).toBe(false);
});

test("nothing on stdin, as when the script before it has failed, is said so", async () => {
  expect(await visualize(["-f", "-", "-o", "none.html"], new Uint8Array())).toEqual({
    stdout: "",
    stderr: 'visualize: Cannot read "standard input": it is empty\n',
    exitCode: 1,
  });
});

test("a table that counts infinitely often is refused in one line, and nothing is written", async () => {
  const texts = ["sensor", "kind", ...TEXT_KEYS].map(name => ({ name, texts: toTexts(["connect"]), nullable: true }));
  const numbers = { day: 19_000, count: Infinity, success: 0, first_seen: 1.6e15, last_seen: 1.7e15 };
  const names = [...Object.keys(numbers), ...NUMBER_KEYS];
  const lists = { name: "addresses", type: "list" as const, nullable: true };
  const shapes = [...texts, ...names.map(name => ({ name, type: "float64" as const, nullable: true })), lists];
  const columns = [
    ...texts.map(() => Int32Array.of(0)),
    ...names.map(name => Float64Array.of((numbers as Record<string, number>)[name] ?? NaN)),
    undefined,
  ];
  const info = { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [] };
  const metadata = new Map([["cowrie.reduced", JSON.stringify(info)]]);
  const bytes = Buffer.concat([...toIpc("file", shapes, [{ rows: 1, columns }], metadata)]);
  await Bun.write(at("endless.arrow"), bytes);
  for (const args of [["endless.arrow"], ["-f", "-"]]) {
    const { stdout, stderr, exitCode } = await visualize([...args, "-o", "endless.html"], bytes);
    expect([stdout, exitCode, await Bun.file(at("endless.html")).exists()]).toEqual(["", 1, false]);
    expect(stderr).toMatch(/^visualize: Cannot read .*: a reduced table with damaged rows: no connect has the count Infinity\n$/);
  }
});

test("memory does not grow with the square of the sensors' names; all of them are counted", async () => {
  const peaks: number[] = [];
  for (const sensors of [1500, 6000]) {
    const lines = Array.from({ length: sensors }, (_, i) =>
      JSON.stringify({
        eventid: "cowrie.session.connect",
        timestamp: `2024-01-${String((i % 28) + 1).padStart(2, "0")}T00:00:00Z`,
        sensor: `s${i}`,
        session: `s${i}`,
        src_ip: `192.0.2.${i % 200}`,
      }),
    );
    await Bun.write(at("many/cowrie.json"), lines.join("\n"));
    const { stderr, exitCode, peakRssBytes } = await runScript("analyze-local", ["many", "-o", "m.html", "-f", "m.json"], {
      cwd: dir.path,
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`The 999 busiest of ${sensors.toLocaleString("en")} sensors are looked at one by one`);
    expect(stderr).toContain(`Sensors  ${sensors.toLocaleString("en")}: `);
    peaks.push(peakRssBytes);
    const page = await readFile(at("m.html"), "utf8");
    expect(page).toContain(`(${(sensors - 999).toLocaleString("en")} other sensors)`);
  }
  expect(peaks[1]! / peaks[0]!).toBeLessThan(2);
});

test("a folder of tables is their sum; one of logs is told what reads it", async () => {
  for (const sensor of ["hp-ams-01", "hp-nyc-01"]) {
    const logs = join(FIXTURES_FOLDER, "fleet", sensor);
    const args = [logs, "--mapped-dir", "tables", "-o", `parts/${sensor}`, "-q"];
    expect((await runScript("reduce", args, { cwd: dir.path })).exitCode).toBe(0);
  }
  await runScript("combine-reduced", ["parts/hp-ams-01.arrow", "parts/hp-nyc-01.arrow", "-o", "two", "-q"], { cwd: dir.path });
  expect((await visualize(["two.arrow", "-o", "two.html", "-q"])).exitCode).toBe(0);
  expect(await visualize(["parts", "-o", "parts.html"])).toEqual({
    stdout: "",
    stderr: expect.stringMatching(/^Combined 2 tables of "parts"\nvisualize: \d+ days, 2 sensors, /),
    exitCode: 0,
  });
  const [one, other] = await Promise.all(["two.html", "parts.html"].map(name => readFile(at(name), "utf8")));
  expect(other!.replaceAll("parts-stats.html", "two-stats.html")).toBe(one!);
  await Bun.write(at("logs/cowrie.json"), "{}\n");
  expect(await visualize(["logs", "-o", "x.html"])).toEqual({
    stdout: "",
    stderr: 'visualize: Cannot read "logs": no .arrow or .json of a reduced table in it; analyze-local.ts is for logs\n',
    exitCode: 1,
  });
});
