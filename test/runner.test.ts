/** What all tests stand on: the runner's settings, and commands of package.json that leave the tests alone. */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeCheckout } from "./support/checkout.ts";
import { makeTempDir, ROOT, run } from "./support/run.ts";

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
  // "cache" is the home's.
  const added = (await readdir(checkout.path)).filter(name => !before.all.includes(name));
  expect(added.sort()).toEqual(["cache", "node_modules", "reduced.arrow", "reduced.json", "result.html", "stats.html"]);
});
