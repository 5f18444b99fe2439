/** Where event tables lie, and whose folders are good enough for them. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
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

test("the cache folder is this user's alone", async () => {
  await using dir = await makeTempDir();
  process.env.XDG_CACHE_HOME = join(dir.path, "cache");
  const cache = join(dir.path, "cache/cowrie-longitudinal");
  // A folder that is not there cannot be written, by root as little as by others.
  const place = () => new TablePlaces(undefined, () => {}).of(join(dir.path, "nowhere/cowrie.json"));
  expect(place()).toStartWith(`${cache}/cowrie.json.`);
  expect(statSync(cache).mode & 0o777).toBe(0o700);
  chmodSync(cache, 0o775);
  place();
  expect(statSync(cache).mode & 0o777).toBe(0o700);
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
  expect(place).toThrow("it belongs to another user (--mapped-dir chooses another folder)");
});
