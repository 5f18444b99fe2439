/** Where event tables lie, and whose folders are good enough for them. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { TablePlaces } from "../../../lib/logs/table-places.ts";
import { makeTempDir } from "../../support/run.ts";

const before = process.env.XDG_CACHE_HOME;
afterEach(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
});

test("a folder of tables that others can write into is used with a word, unless they cannot touch each other's files", async () => {
  await using dir = await makeTempDir();
  const folder = join(dir.path, "tables");
  const noticesAt = (mode: number) => {
    const notices: string[] = [];
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, mode);
    new TablePlaces(folder, line => notices.push(line));
    return notices;
  };
  const word = `"${folder}" can be written by others: event tables there are used only where they are our own work`;
  expect([0o755, 0o700, 0o1777, 0o777, 0o775].map(noticesAt)).toEqual([[], [], [], [word], [word]]);
});

test("a table away from its log is named by what the log begins with, whatever its name holds", async () => {
  await using dir = await makeTempDir();
  const places = new TablePlaces(join(dir.path, "tables"), () => {});
  const head = { hash: "0123456789abcdef", sizeBytes: 200, blockHash: undefined };
  const nameOf = async (path: string, known = head) => basename(await new TablePlaces(join(dir.path, "tables"), () => {}).of(path, known));
  for (const name of ["cowrie.json", "cowrie.json.2026-08-01", "cowrie.json.3.gz"]) expect(await nameOf(`/logs/${name}`)).toBe("cowrie.0123456789abcdef.arrow");
  expect(await nameOf("/logs/.hidden.log")).toBe(".hidden.0123456789abcdef.arrow");
  expect(await nameOf("/logs/\ncowrie.json")).toBe("\ncowrie.0123456789abcdef.arrow");
  expect(Buffer.byteLength(await nameOf(`/logs/${"\u{1F41D}".repeat(60)}`))).toBeLessThan(200);
  // A first line that is no event tells nothing: there the place does.
  const short = { ...head, sizeBytes: 2 };
  expect(await nameOf("/a/cowrie.json", short)).not.toBe(await nameOf("/b/cowrie.json", short));
  // Of two that begin alike in one run the first has the name, however often it is asked for.
  const [one, two, again] = [await places.of("/a/cowrie.json", head), await places.of("/b/cowrie.json", head), await places.of("/a/cowrie.json", head)];
  expect(again).toBe(one);
  expect(two).not.toBe(one);
});

test("the cache folder is this user's alone", async () => {
  await using dir = await makeTempDir();
  process.env.XDG_CACHE_HOME = join(dir.path, "cache");
  const cache = join(dir.path, "cache/cowrie-longitudinal");
  // A folder that is not there cannot be written, by root as little as by others.
  const place = () => new TablePlaces(undefined, () => {}).of(join(dir.path, "nowhere/cowrie.json"));
  expect(await place()).toStartWith(`${cache}/cowrie.json.`);
  expect(statSync(cache).mode & 0o777).toBe(0o700);
  chmodSync(cache, 0o775);
  await place();
  expect(statSync(cache).mode & 0o777).toBe(0o700);
});

test("where neither the folder of the logs nor the cache can be written, both are named, and what helps", async () => {
  process.env.XDG_CACHE_HOME = "/dev/null";
  await expect(new TablePlaces(undefined, () => {}).of("/nowhere/cowrie.json")).rejects.toThrow(
    'Cannot write to "/dev/null/cowrie-longitudinal", where event tables go if "/nowhere" cannot be written (--mapped-dir chooses another folder): ',
  );
});

test.skipIf(process.geteuid?.() !== 0)("a folder of another user is told from one's own (skipped: only root can give a folder away)", async () => {
  await using dir = await makeTempDir();
  const folder = join(dir.path, "tables");
  mkdirSync(folder);
  chownSync(folder, 12_345, 12_345);
  const notices: string[] = [];
  new TablePlaces(folder, line => notices.push(line));
  expect(notices).toEqual([`"${folder}" belongs to another user: event tables there are used only where they are our own work`]);

  process.env.XDG_CACHE_HOME = dir.path;
  mkdirSync(join(dir.path, "cowrie-longitudinal"));
  chownSync(join(dir.path, "cowrie-longitudinal"), 12_345, 12_345);
  const place = () => new TablePlaces(undefined, () => {}).of(join(dir.path, "nowhere/cowrie.json"));
  await expect(place()).rejects.toThrow("it belongs to another user (--mapped-dir chooses another folder)");
});
