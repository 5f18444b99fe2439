/** Merging is exact: any split of the events, in any order, in any number of steps, gives the rows of the whole. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readReducedArrow, reducedToIpc, type StoredReduced, toReducedRows } from "../../../lib/reduced/reduced-arrow.ts";
import { ReducedBuilder } from "../../../lib/reduced/reduced-builder.ts";
import { reduceEvents } from "../../../lib/reduced/reduce.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { randomLines } from "../../hostile/lines.ts";
import { listLogs, NEEDS_REAL_LOGS, REAL_LOGS, realFolder } from "../../support/real-logs.ts";
import { rowsOfTable } from "../../support/slow-counter.ts";
import { mapBytes } from "../../support/tables.ts";
import { comparePaths, compareSources, type SourceInfo } from "../../../lib/events/source.ts";
import { REDUCED_VERSION } from "../../../lib/reduced/kinds.ts";

const PARAMETERS = { robotMaxSeconds: 10 };

/** A log given as text to its reduced table. */
async function reduceText(text: Uint8Array | string, path: string): Promise<ReducedTable> {
  const { info, table } = await mapBytes(text);
  const source: SourceInfo = { ...info.source, path };
  const { rows } = await reduceEvents(table, source.wholeHash, PARAMETERS);
  table.close();
  return merge([{ info: { version: REDUCED_VERSION, parameters: PARAMETERS, sources: [source] }, parts: [rows] }]);
}

function merge(tables: readonly StoredReduced[]): ReducedTable {
  const builder = new ReducedBuilder();
  const sources = tables.flatMap(({ info }) => info.sources);
  for (const source of sources) builder.addSource(source);
  for (const { parts } of tables) for (const part of parts) builder.add(part);
  return builder.finish({ version: REDUCED_VERSION, parameters: PARAMETERS, sources });
}

const ipcBytes = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);

/** The table as another step would get it: from memory, through an Arrow file, or through an Arrow stream. */
async function passOn(table: ReducedTable, random: Random): Promise<StoredReduced> {
  const way = random.int(3);
  if (way === 0) return { info: table.info, parts: [toReducedRows(table)] };
  return readReducedArrow(Buffer.concat([...reducedToIpc(table, way === 1 ? "file" : "stream")]));
}

/** Merge in random groups until one is left. */
async function mergeInSteps(tables: readonly ReducedTable[], random: Random): Promise<ReducedTable> {
  let left = random.shuffle([...tables]);
  do {
    const next: ReducedTable[] = [];
    while (left.length > 0) {
      const group = left.splice(0, 1 + random.int(3));
      next.push(merge(await Promise.all(group.map(table => passOn(table, random)))));
    }
    left = random.shuffle(next);
  } while (left.length > 1);
  return left[0]!;
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(0x0a, start);
    const end = lf < 0 ? bytes.length : lf + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** 1 to 6 pieces: each line goes anywhere, or each piece is a stretch of lines. */
function split(lines: readonly Uint8Array[], random: Random, isScattered: boolean): Buffer[] {
  const count = 1 + random.int(6);
  if (isScattered) {
    const pieces = Array.from({ length: count }, () => [] as Uint8Array[]);
    for (const line of lines) random.pick(pieces).push(line);
    return pieces.map(piece => Buffer.concat(piece));
  }
  const cuts = [0, ...Array.from({ length: count - 1 }, () => random.int(lines.length + 1)).sort((a, b) => a - b)];
  return cuts.map((cut, i) => Buffer.concat(lines.slice(cut, cuts[i + 1])));
}

async function expectLaws(text: Uint8Array, seed: string, isScattered: boolean): Promise<void> {
  const random = seededRandom(seed);
  const whole = await reduceText(text, "whole");
  const expected = rowsOfTable(whole);
  for (let round = 0; round < 2; round++) {
    const pieces = split(linesOf(text), random, isScattered);
    const tables = await Promise.all(pieces.map((piece, i) => reduceText(piece, `piece.${i}`)));
    const merged = await mergeInSteps(tables, random);
    expect({ seed, round, isSame: Bun.deepEquals(rowsOfTable(merged), expected) }).toEqual({
      seed,
      round,
      isSame: true,
    });
    // Not only the same rows: the same bytes, whatever the order and the steps.
    const again = await mergeInSteps(tables, random);
    expect({ seed, round, isSame: ipcBytes(again).equals(ipcBytes(merged)) }).toEqual({ seed, round, isSame: true });
  }
}

function generated(seed: string): Uint8Array {
  let text = "";
  generateLogs(
    { seed, firstDay: "2026-03-01", days: 2, sensors: planSensors(3, ["v3", "v2.2", "v1.3"]), eventsPerDay: 300 },
    (_, piece) => (text += piece),
  );
  return Buffer.from(text);
}

describe("any split, any order, any steps", () => {
  for (let seed = 0; seed < 4; seed++) {
    test(`lines of generated logs scattered, seed ${seed}`, async () => {
      await expectLaws(generated(`laws ${seed}`), `laws ${seed}`, true);
    });
    test(`random lines in stretches, seed ${seed}`, async () => {
      await expectLaws(randomLines(seededRandom(`laws ${seed}`), 700), `stretches ${seed}`, false);
    });
  }
  for (const name of ["cloud-2026", "dense-2020", "tpot-2022", "digitalocean-2021"]) {
    test.skipIf(!REAL_LOGS)(`stretches of real logs: ${name}${NEEDS_REAL_LOGS}`, async () => {
      const text = Buffer.concat(
        listLogs(realFolder(name))
          .map(path => readFileSync(path))
          .slice(0, 4),
      );
      await expectLaws(text.subarray(0, 1_500_000), `real ${name}`, false);
    });
  }
});

describe("sessions in several pieces", () => {
  const command = (us: number, input: string, session = "s1", sensor = "hp1") =>
    `{"eventid":"cowrie.command.input","timestamp":"2024-01-31T10:00:00.${String(us).padStart(6, "0")}Z",` +
    `"session":"${session}","sensor":"${sensor}","input":"${input}"}\n`;
  const lastCommands = (table: ReducedTable) =>
    rowsOfTable(table)
      .filter(({ kind }) => kind === "pre_disconnect_command")
      .map(({ date, sensor, key, count }) => [date, sensor, key[0], count]);
  const mergeTexts = async (texts: readonly string[], seed = "") => {
    const tables = await Promise.all(texts.map((text, i) => reduceText(text, `cowrie.json.${i + 1}`)));
    return mergeInSteps(tables, seededRandom(seed));
  };

  test("the latest command counts, once, on its own day", async () => {
    const pieces = [command(1, "a"), command(3, "c"), command(2, "b"), command(9, "other", "s2")];
    for (let seed = 0; seed < 10; seed++) {
      expect(lastCommands(await mergeTexts(pieces, `${seed}`))).toEqual([
        ["2024-01-31", "hp1", "c", 1],
        ["2024-01-31", "hp1", "other", 1],
      ]);
    }
  });

  test("the same session id on two sensors is two sessions", async () => {
    expect(lastCommands(await mergeTexts([command(1, "a"), command(2, "a", "s1", "hp2")]))).toEqual([
      ["2024-01-31", "hp1", "a", 1],
      ["2024-01-31", "hp2", "a", 1],
    ]);
  });

  test("at equal times the later line counts, and of equal files the later by first event, then by path", async () => {
    const first = command(1, "x", "s0");
    for (let seed = 0; seed < 10; seed++) {
      const same = await mergeTexts([command(5, "a") + command(5, "b"), command(4, "z", "s9")], `${seed}`);
      expect(lastCommands(same)).toContainEqual(["2024-01-31", "hp1", "b", 1]);
      // The second begins earlier, so it comes before the first.
      const byTime = await mergeTexts([command(5, "late file"), first + command(5, "early file")], `${seed}`);
      expect(lastCommands(byTime)).toContainEqual(["2024-01-31", "hp1", "late file", 1]);
      const byPath = await mergeTexts([first + command(5, "one"), first + command(5, "two")], `${seed}`);
      expect(lastCommands(byPath)).toContainEqual(["2024-01-31", "hp1", "two", 1]);
      const byNumber = await mergeTexts(
        Array.from({ length: 11 }, (_, i) => `${first}${command(5, `c${i + 1}`)}`),
        `${seed}`,
      );
      expect(lastCommands(byNumber)).toContainEqual(["2024-01-31", "hp1", "c11", 1]);
    }
  });

  test("a command without a text is a last command too", async () => {
    const none = command(7, "x").replace(',"input":"x"', "");
    expect(lastCommands(await mergeTexts([command(1, "a"), none]))).toEqual([["2024-01-31", "hp1", null, 1]]);
  });
});

describe("neutral and absorbing", () => {
  test("a table without rows adds nothing", async () => {
    const text = generated("neutral");
    const table = await reduceText(text, "cowrie.json");
    const empty = new ReducedBuilder().finish({ version: REDUCED_VERSION, parameters: PARAMETERS, sources: [] });
    for (const way of [0, 1, 2]) {
      const random = seededRandom(`empty ${way}`);
      const merged = merge(await Promise.all([empty, table, empty].map(part => passOn(part, random))));
      expect(ipcBytes(merged).equals(ipcBytes(table))).toBe(true);
    }
    expect(rowsOfTable(empty)).toEqual([]);
  });

  test("a table finished and added to an empty one is the same", async () => {
    const table = await reduceText(generated("idempotent"), "cowrie.json");
    expect(ipcBytes(merge([{ info: table.info, parts: [toReducedRows(table)] }])).equals(ipcBytes(table))).toBe(true);
  });

  test("more rows than are gathered before equal keys are added up", async () => {
    const lines: string[] = [];
    for (let i = 0; i < 150_000; i++) {
      lines.push(
        `{"eventid":"cowrie.login.failed","timestamp":"2024-01-31T10:00:00Z","username":"u${i % 140_000}"}\n`,
      );
    }
    const half = Buffer.from(lines.join(""));
    const tables = [await reduceText(half, "a"), await reduceText(half, "b")];
    const { login } = merge(tables.map(table => ({ info: table.info, parts: [toReducedRows(table)] }))).kinds;
    let sum = 0;
    for (const count of login.count) sum += count;
    expect([login.rows, sum, Math.max(...login.count)]).toEqual([140_000, 300_000, 4]);
  });
});

describe("canonical order", () => {
  test("rows by day, sensor, key; no value first, texts by their UTF-16 code units", async () => {
    const login = (username: string | null, day = "2024-01-31", sensor = "hp1") =>
      `{"eventid":"cowrie.login.failed","timestamp":"${day}T10:00:00Z","sensor":"${sensor}",` +
      `"username":${JSON.stringify(username)}}\n`;
    const names = ["b", "\uffff", "", "a", "\ud83d\ude00", "B", "\u0000", "é"];
    const table = await reduceText(
      [...names, null].map(name => login(name)).join("") +
        login("z", "2024-01-30", "hp9") +
        login("y", "2024-01-31", "hp0"),
      "cowrie.json",
    );
    const { rows, sensor, day, keys } = table.kinds.login;
    const written = Array.from({ length: rows }, (_, row) => [
      day[row]!,
      table.dictionaries.sensor[sensor[row]!]!,
      keys.username![row]! < 0 ? null : table.dictionaries.username[keys.username![row]!]!,
    ]);
    expect(written).toEqual([
      [19_752, "hp9", "z"],
      [19_753, "hp0", "y"],
      ...[null, "", "\u0000", "B", "a", "b", "é", "\ud83d\ude00", "\uffff"].map(name => [19_753, "hp1", name]),
    ]);
  });

  test("paths with numbers compared as numbers", () => {
    const paths = ["a/cowrie.json", "a/cowrie.json.1", "a/cowrie.json.2", "a/cowrie.json.10", "a/cowrie.json.010", "b"];
    expect([...paths].reverse().sort(comparePaths)).toEqual([
      "a/cowrie.json",
      "a/cowrie.json.1",
      "a/cowrie.json.2",
      "a/cowrie.json.010",
      "a/cowrie.json.10",
      "b",
    ]);
  });

  test("sources by first event, then path, then hash; a source without events last", () => {
    const source = (path: string, wholeHash: string, firstSeenUs?: number) =>
      ({ path, wholeHash, ...(firstSeenUs === undefined ? {} : { firstSeenUs }) }) as SourceInfo;
    const sorted = [
      source("a", "0", 1),
      source("a", "1", 2),
      source("b.2", "0", 2),
      source("b.10", "0", 2),
      source("a", "0"),
    ];
    expect([...sorted].reverse().sort(compareSources)).toEqual(sorted);
  });
});
