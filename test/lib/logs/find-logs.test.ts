/** What counts as a log by its name, and in which order logs are found; the rest with log-set and the script. */
import { describe, expect, test } from "bun:test";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { compareTexts, hashText } from "../../../lib/events/text-hash.ts";
import { findLogs, isLogName, leaveOutCopies } from "../../../lib/logs/find-logs.ts";
import { readLogs } from "../../../lib/logs/log-pool.ts";
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
  await Bun.write(join(dir.path, "empty", "cowrie.json"), "");
  expect(() => find("empty")).toThrow(`Cannot find a log: "${join(dir.path, "empty/cowrie.json")}": it is empty`);
  expect(findLogs([join(dir.path, "empty"), join(dir.path, "b")]).empty.length).toBe(1);
  await rm(join(dir.path, "empty", "cowrie.json"));
  await Bun.write(join(dir.path, "nothing.json"), "");
  await Bun.write(join(dir.path, "no-more.json"), "");
  expect(() => find("nothing.json")).toThrow(/^Cannot find a log: "[^"]*nothing\.json": it is empty$/);
  expect(() => find("nothing.json", "no-more.json")).toThrow(/^Cannot find a log: "[^"]*nothing\.json": it is empty, and 1 other was left out$/);
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

test("of logs that begin with the same line only those are compared whose first bytes agree", async () => {
  await using dir = await makeTempDir();
  const paths: string[] = [];
  const write = async (name: string, text: string) => {
    paths.push(join(dir.path, name));
    await Bun.write(paths.at(-1)!, text);
  };
  const body = (i: number) => `[\n{"n":${i}}\n${"x".repeat(5000)}\n`;
  for (let i = 0; i < 60; i++) await write(`${i}`, body(i));
  await write("grown", `${body(7)}more\n`);
  await write("short", `[\n{"n":9}\n`);
  await write("other", "[\n{\n");
  const { compared, notices } = await leaveOutCopies(paths);
  expect(compared).toBe(2);
  expect(notices.map(line => line.replaceAll(`${dir.path}/`, "")).sort()).toEqual([
    'Left out "7": it holds the beginning of "grown"',
    'Left out "short": it holds the beginning of "9"',
  ]);
});

test("short logs of one first line are held against those alone that they begin, or that begin them, in any order", async () => {
  await using dir = await makeTempDir();
  const write = async (name: string, text: string) => {
    await Bun.write(join(dir.path, name), text);
    return join(dir.path, name);
  };
  const paths: string[] = [];
  for (let i = 0; i < 120; i++) paths.push(await write(`${i}`, `[\n{"n":${1000 + i}}\n${"x".repeat(i % 40)}\n`));
  const grown = await write("grown", `[\n{"n":1007}\n${"x".repeat(7)}\n${"y".repeat(5000)}`);
  const cut = await write("cut", '[\n{"n":1009');
  const same = await write("same", `[\n{"n":1011}\n${"x".repeat(11)}\n`);
  // Copies of copies: each is the beginning of the next.
  const chain: string[] = [];
  for (let i = 0; i < 60; i++) chain.push(await write(`chain-${i}`, `[\n${"z".repeat(i + 1)}`));
  const all = [...paths, grown, cut, same, ...chain];
  for (const order of [all, all.toReversed()]) {
    const { compared, notices, paths: kept } = await leaveOutCopies(order);
    expect(compared).toBe(62);
    expect(notices.length).toBe(62);
    expect(kept).not.toContain(paths[7]!);
    expect(kept).not.toContain(cut);
    expect(kept).toContain(chain.at(-1)!);
    expect(kept).toContain(grown);
  }
});

describe("a signal is heard while", () => {
  const works: [what: string, work: (paths: [string, string]) => Promise<unknown>][] = [
    ["copies are looked for", paths => leaveOutCopies(paths)],
    ["texts are compared", ([a, b]) => compareTexts(a, b)],
    ["a text is hashed", ([a]) => hashText(a)],
    ["small logs are read", paths => readLogs(paths.map(path => ({ path, isFresh: false, hasLineHashes: false })), 0, 1, () => {}, () => {})],
  ];
  test.each(works)("%s", async (_, work) => {
    await using dir = await makeTempDir();
    const paths: [string, string] = [join(dir.path, "a"), join(dir.path, "b")];
    for (const path of paths) await Bun.write(path, '{"eventid":"x","timestamp":"2024-01-31T10:00:00Z"}\n');
    let isHeard = false;
    setTimeout(() => (isHeard = true), 0);
    // Each takes less than a signal may wait; all of them together do not.
    for (let i = 0; !isHeard && i < 20_000; i++) await work(paths);
    expect(isHeard).toBe(true);
  });
});

describe("links inside a folder", () => {
  test("to places inside the folders named are followed, others named and left; a loop ends", async () => {
    await using dir = await makeTempDir();
    const at = (name: string) => join(dir.path, name);
    for (const name of ["in/a/cowrie.json", "second/cowrie.json.2", "out/cowrie.json", "out/secret"]) {
      await Bun.write(at(name), name);
    }
    const links = {
      "in/cowrie.json.4": "..",
      "in/p": "../out",
      "in/proc": "/proc",
      "in/loop": ".",
      "in/again": "a",
      "in/cowrie.json.5": "../out/secret",
      "in/cowrie.json.6": "../second/cowrie.json.2",
      "in/cowrie.json.7": "nowhere",
      "in/readme": "../out/secret",
    };
    for (const [name, target] of Object.entries(links)) await symlink(target, at(name));
    const find = (...inputs: string[]) => {
      const { paths, notices, leftOut } = findLogs(inputs.map(at));
      return {
        paths: paths.map(path => relative(dir.path, path)),
        notices: notices.map(notice => notice.replaceAll(`${dir.path}/`, "")),
        leftOut,
      };
    };
    const out = (name: string) => `Left out "${name}": it is a link that leads out of the folders named`;
    const gone = 'Left out "in/cowrie.json.7": no such file or folder';
    expect(find("in")).toEqual({
      paths: ["in/a/cowrie.json"],
      notices: [
        out("in/cowrie.json.4"),
        out("in/cowrie.json.5"),
        out("in/cowrie.json.6"),
        gone,
        out("in/p"),
        out("in/proc"),
      ],
      leftOut: 6,
    });
    // Named as well, the second folder is inside; so is a link that is named itself.
    expect(find("in", "second").paths).toEqual(["in/a/cowrie.json", "in/cowrie.json.6"]);
    expect(find("in/p", "in/cowrie.json.5").paths).toEqual(["in/p/cowrie.json", "in/cowrie.json.5"]);
  });
});

describe("what is no regular file", () => {
  test("is left out of a folder, refused by name, and never opened", async () => {
    await using dir = await makeTempDir();
    const pipe = join(dir.path, "cowrie.json");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    await Bun.write(join(dir.path, "cowrie.json.1"), "{}");
    const { paths, notices } = findLogs([dir.path]);
    expect([paths.length, notices]).toEqual([
      1,
      [`Left out "${pipe}": it is a named pipe, expected a regular file`],
    ]);
    expect(() => findLogs([pipe])).toThrow(`Cannot read "${pipe}": it is a named pipe, expected a regular file`);
    expect(() => findLogs(["/dev/zero"])).toThrow('Cannot read "/dev/zero": it is a device, expected a regular file');
  });
});
