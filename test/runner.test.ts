/** What all tests stand on: the runner's settings, and commands of package.json that leave the tests alone. */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeCheckout } from "./support/checkout.ts";
import { NEEDS } from "./support/needs.ts";
import { makeTempDir, ROOT, run } from "./support/run.ts";
import { describeSkipped } from "./support/run-tests.ts";

test("no test has a time limit, in no file", async () => {
  await using dir = await makeTempDir();
  const slow = 'import { expect, test } from "bun:test"; test("slow", () => Bun.sleep(300)); test("bad", () => { expect(1).toBe(2); });';
  for (const name of ["a", "b"]) await Bun.write(join(dir.path, `${name}.test.ts`), `\n${slow}\n`);
  const settings = Bun.TOML.parse(await Bun.file(join(ROOT, "bunfig.toml")).text()) as { test: { preload: string[] } };
  const preload = join(ROOT, settings.test.preload[0]!);
  const { stderr } = await run([process.execPath, "test", "--timeout", "50", "--preload", preload], { cwd: dir.path });
  expect(stderr).toContain(" 2 pass\n 2 fail\n");
  // Lines are counted as in the file.
  for (const name of ["a", "b"]) expect(stderr).toContain(join(dir.path, `${name}.test.ts:2:`));
});

test("example leaves its four files, and nothing in test/", async () => {
  const { example } = (await Bun.file(join(ROOT, "package.json")).json()).scripts;
  const [install, analyze] = example.split(" && ");
  expect(install).toBe("bun install --frozen-lockfile");
  await using checkout = await makeCheckout();
  const below = async (folder: string) => (await readdir(join(checkout.path, folder), { recursive: true })).sort();
  const before = { tests: await below("test"), all: await readdir(checkout.path) };
  expect(await checkout.shell(analyze)).toMatchObject({ exitCode: 0 });
  expect(await below("test")).toEqual(before.tests);
  const added = (await readdir(checkout.path)).filter(name => !before.all.includes(name));
  expect(added.sort()).toEqual(["node_modules", "reduced.arrow", "reduced.json", "result.html", "stats.html"]);
});

test("what was skipped is told by reason, with the command that installs what is lacking", async () => {
  await using dir = await makeTempDir();
  const skipped = `import { describe, test } from "bun:test";
    describe.skipIf(true)("pages (skipped: no Chromium on PATH)", () => { test("one", () => {}); test("two", () => {}); });
    test.skipIf(true)("<a & b> (skipped: no real logs; set X)", () => {});
    test("fine", () => {});`;
  await Bun.write(join(dir.path, "a.test.ts"), skipped);
  const report = join(dir.path, "junit.xml");
  const options = ["--parallel=2", "--reporter=junit", `--reporter-outfile=${report}`];
  expect(await run([process.execPath, "test", ...options], { cwd: dir.path })).toMatchObject({ exitCode: 0 });
  const lines = describeSkipped(await Bun.file(report).text());
  expect(lines.slice(0, 2)).toEqual([
    "Skipped 2 tests of pages in a browser: no Chromium on PATH",
    "Skipped 1 test: no real logs; set X",
  ]);
  const lacking = Object.values(NEEDS).filter(need => need.package !== undefined && !need.isThere());
  expect(lines.length).toBe(lacking.length > 0 ? 3 : 2);
  for (const need of lacking) expect(lines[2]).toMatch(new RegExp(`^.*: apt-get install .* ${need.package}( |$)`));
  expect(describeSkipped("<testsuites></testsuites>")).toEqual([]);
});
