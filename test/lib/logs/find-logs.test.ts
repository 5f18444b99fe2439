/** What counts as a log by its name, and in which order logs are found; the rest with log-set and the script. */
import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { findLogs, isLogName, leaveOutCopies } from "../../../lib/logs/find-logs.ts";
import { makeTempDir } from "../../support/run.ts";

describe("names of logs", () => {
  const logs = [
    "cowrie.json",
    "cowrie.json.2021-05-03",
    "cowrie.json.2017_5_3",
    "cowrie.json.2.gz",
    "cowrie.json-20240131.gz",
    "cowrie14.json",
    "cowrie.json.zst",
  ];
  const others = [
    "cowrie.log",
    "reduced.json",
    "json.cowrie",
    "Cowrie.json",
    "cowrie.json.arrow",
    "cowrie.json.2021-05-03.arrow",
    ".cowrie.json",
    "cowrie.json.html",
    ".cowrie.json.arrow.1-2-abcdef-12345678.partial",
    ".cowrie.json.lock",
  ];
  test("are told from others", () => {
    expect([logs.filter(isLogName), others.filter(isLogName)]).toEqual([logs, []]);
  });
});

test("a folder is searched with all its folders, in the order people count; a named file is read always", async () => {
  await using dir = await makeTempDir();
  const names = [
    "b/cowrie.json",
    "a/cowrie.json.10",
    "a/cowrie.json.2",
    "a/x/y/cowrie.json",
    "a/other.json",
    "a/cowrie.json.2.arrow",
  ];
  for (const name of names) await Bun.write(join(dir.path, name), "{}");
  await mkdir(join(dir.path, "empty"));
  const find = (...inputs: string[]) =>
    findLogs(inputs.map(name => (name === "-" ? name : join(dir.path, name)))).paths.map(path =>
      relative(dir.path, path),
    );
  expect(find("")).toEqual(["a/cowrie.json.2", "a/cowrie.json.10", "a/x/y/cowrie.json", "b/cowrie.json"]);
  expect(find("a/other.json", "b", "b/cowrie.json", "empty")).toEqual(["a/other.json", "b/cowrie.json"]);
  expect(findLogs(["-"]).paths).toEqual(["-"]);
  expect(() => find("empty")).toThrow("Cannot find a log in");
  expect(findLogs([dir.path]).sizeBytes).toBe(8);
});

test("copies are looked for among logs that begin alike, never among event tables, which all do", async () => {
  await using dir = await makeTempDir();
  const paths: string[] = [];
  const write = async (name: string, text: string) => {
    const path = join(dir.path, name);
    await Bun.write(path, text);
    paths.push(path);
  };
  for (let i = 0; i < 40; i++) {
    await write(`cowrie.json.${i}`, `{"n":${i}}\n`);
    await write(`${i}.arrow`, `ARROW1\0\0${"\0".repeat(5000)}${i}`);
  }
  await write("again", '{"n":7}\n{"n":0}\n');
  const { compared, notices } = await leaveOutCopies(paths);
  expect([compared, notices.length]).toEqual([1, 1]);
});
