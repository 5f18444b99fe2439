import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EventTableInfo, eventTableToIpc, openEventTable } from "../../../lib/events/event-table.ts";
import { textOf } from "../../../lib/columns/dictionary.ts";
import { analyzeLogs } from "../../../lib/logs/analyze.ts";
import { unpackDigest } from "../../../lib/logs/packed-digest.ts";
import type { Packed } from "../../../lib/process/packed-store.ts";
import { growOffset, mapGrown, NOT_GROWN } from "../../../lib/logs/grow-log.ts";
import { BLOCK_BYTES, chunkedText } from "../../../lib/events/log-text.ts";
import { mapLog } from "../../../lib/events/map-log.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS } from "../../../lib/events/schema.ts";
import { startSessionWork } from "../../../lib/pages/session-work.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const FILE = { sizeBytes: 0, mtimeNs: "1", ctimeNs: "", inode: "1" };

/** The plain logs of a sensor of the example fleet, the oldest first. */
function textOfSensor(sensor: string): Buffer {
  const folder = join(FIXTURES_FOLDER, "fleet", sensor);
  const names = readdirSync(folder).filter(name => !/\.(gz|zst|arrow)$/.test(name)).sort();
  // The one without a day is of today.
  return Buffer.concat([...names.slice(1), names[0]!].map(name => readFileSync(join(folder, name))));
}

/** Plain logs of the example fleet, torn and hostile lines included, some three megabytes. */
function makeText(): Buffer {
  const once = Buffer.concat(["hp-sgp-01", "hp-nyc-01", "hp-ams-01"].map(textOfSensor));
  return Buffer.concat(Array.from({ length: Math.ceil((3 * BLOCK_BYTES) / once.length) }, () => once));
}

async function* inPieces(text: Uint8Array, random: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(random() * 300_000);
    yield text.subarray(at, end);
    at = end;
  }
}

/** Map a text and write its table. */
async function mapWhole(path: string, text: Buffer): Promise<EventTableInfo> {
  const { info, table } = await mapLog("log", chunkedText("none", inPieces(text, Math.random)), {
    file: FILE,
    wantsResume: true,
  });
  await Bun.write(path, Buffer.concat([...eventTableToIpc(table, info)]));
  table.close();
  return info;
}

/** Every event as a list of its values. */
async function eventsOf(path: string): Promise<string[]> {
  const { table } = await openEventTable(path);
  const events: string[] = [];
  for await (const { rows, timestampUs, codes, numbers } of table.batches()) {
    const columns = TEXT_COLUMNS.map(name => [table.dictionaries.get(name), codes.get(name)] as const);
    for (let row = 0; row < rows; row++) {
      const texts = columns.map(([dictionary, column]) =>
        column === undefined || column[row]! < 0 ? null : textOf(dictionary!, column[row]!),
      );
      const values = NUMBER_COLUMN_NAMES.map(name => numbers.get(name)?.[row] ?? NaN).map(value =>
        value === value ? value : null,
      );
      events.push(JSON.stringify([timestampUs[row], texts, values]));
    }
  }
  await table.close();
  return events;
}

test("mapGrown() gives the table of the whole text, wherever it was cut", async () => {
  await using dir = await makeTempDir();
  const text = makeText();
  const [whole, grown, partial] = ["whole", "grown", "partial"].map(name => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  const { resume: _, ...wanted } = await mapWhole(whole, text);
  const events = await eventsOf(whole);
  const seeded = seededRandom("grown");
  const random = () => seeded.next();
  let resumed = 0;
  for (let i = 0; i < 12; i++) {
    const cut = 1 + Math.floor(random() * (text.length - 1));
    const before = await mapWhole(grown, text.subarray(0, cut));
    const offset = growOffset(before, text.length);
    if (offset === undefined) continue;
    resumed++;
    const job = { path: "log", tablePath: grown, partialPath: `${partial}${i}`, isNamedLater: true, isFresh: true, hasLineHashes: false };
    const { source } = await mapGrown(job, FILE, inPieces(text.subarray(offset), random));
    expect({ cut, offset: offset <= cut && cut - offset < BLOCK_BYTES, source }).toEqual({
      cut,
      offset: true,
      source: wanted.source,
    });
    expect({ cut, isEqual: Bun.deepEquals(await eventsOf(job.partialPath), events) }).toEqual({ cut, isEqual: true });
  }
  expect(resumed).toBeGreaterThan(6);
});

test("mapGrown() refuses a text that is not the one it was", async () => {
  await using dir = await makeTempDir();
  const text = makeText();
  const path = join(dir.path, "table");
  const cut = text.indexOf("\n", BLOCK_BYTES * 1.5) + 1;
  const before = await mapWhole(path, text.subarray(0, cut));
  const offset = growOffset(before, text.length)!;
  const job = {
    path: "log",
    tablePath: path,
    partialPath: join(dir.path, "partial"),
    isFresh: true,
    hasLineHashes: false,
  };
  const other = Buffer.from(text.subarray(offset));
  other[10]! ^= 1;
  await expect(mapGrown(job, FILE, inPieces(other, Math.random))).rejects.toThrow(NOT_GROWN);
  await expect(mapGrown(job, FILE, inPieces(text.subarray(offset, offset + 10), Math.random))).rejects.toThrow(NOT_GROWN);
  expect(growOffset(before, cut)).toBeUndefined();
  expect(growOffset(before, cut - 1)).toBeUndefined();
  expect(await eventsOf(path)).not.toEqual([]);
});

const PARAMETERS = { robotMaxSeconds: 10 };

/** What an archive is told to be by those who count it; and of the log that grows, in how many parts its table and its sessions lie. */
async function tellArchive(folder: string, mappedDir: string) {
  let digest: Packed | undefined;
  const analysis = await analyzeLogs([folder], {
    parameters: PARAMETERS,
    mode: "continue",
    mappedDir,
    dedupeLines: false,
    outputs: [],
    onNotice() {},
    startBeside: set => {
      digest = set.logs[0]!.digest;
      return startSessionWork(set, PARAMETERS, Infinity);
    },
  });
  using _analysis = analysis;
  const { set, table, beside } = analysis;
  const columns = [["username", "password"], ["input"], ["src_ip"]] as const;
  const ids = [["cowrie.login.failed", "cowrie.login.success"], ["cowrie.command.input"], ["cowrie.session.connect"]];
  const queries = columns.map((columns, i) => {
    const { keys, rows, lastSeenUs, firstSeenUs } = table.kinds[(["login", "command", "connect"] as const)[i]!];
    const places = Array.from({ length: Math.min(rows, 40) }, (_, k) => Math.floor((k * rows) / 40));
    return {
      id: String(i),
      eventids: ids[i]!,
      columns,
      keys: places.map(row => columns.map(name => (keys[name]![row]! < 0 ? null : table.dictionaries[name][keys[name]![row]!]!))),
      firstSeenUs: places.map(() => Math.min(...firstSeenUs)),
      lastSeenUs: places.map(() => Math.max(...lastSeenUs)),
    };
  });
  const found = await beside!.findTrails(queries, { lastDay: table.kinds.event.day.at(-1)!, perStretch: 3 });
  // In which order it is known that older ones were left out, nobody asks.
  const trails = found.map(list => list.map(({ sessions, cut }) => ({ sessions, cut: cut.map(place => JSON.stringify(place)).sort() })));
  const { tablePath, sessions = unpackDigest(digest!).sessions! } = set.logs[0]!;
  const { table: stored } = await openEventTable(tablePath!);
  const parts = [(await Array.fromAsync(stored.batches(), ({ rows }) => rows)).length, sessions.length];
  await stored.close();
  const { reach: { reached, ...reach }, ...counts } = await beside!.counts;
  // Addresses stand in no order, and may stand there again.
  const steps = new Map<string, number>();
  reached.address.forEach((address, i) => {
    const place = `${address} ${reached.day[i]} ${reached.sensor[i]}`;
    steps.set(place, (steps.get(place) ?? 0) | reached.steps[i]!);
  });
  return { told: { reduced: Buffer.concat([...reducedToIpc(table)]).toString("latin1"), counts: { ...counts, reach, reached: [...steps].sort() }, trails, lines: set.counts }, parts };
}

/** A log that grows, told from run to run and, each time, as it is by who has never seen it. */
class GrowingLog {
  readonly path: string;
  /** See {@link tellArchive}. */
  readonly parts: number[][] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, "logs"));
    this.path = join(folder, "logs", "cowrie.json");
  }

  tell(): ReturnType<typeof tellArchive> {
    return tellArchive(join(this.#folder, "logs"), join(this.#folder, "mapped"));
  }

  async compare(): Promise<void> {
    const { told, parts } = await this.tell();
    const cold = await tellArchive(join(this.#folder, "logs"), join(this.#folder, `cold${this.parts.length}`));
    expect(Bun.deepEquals(told, cold.told)).toBe(true);
    this.parts.push(parts);
  }
}

test.each([
  // Of one sensor, in order: its sessions lie in parts. Where the last line was an event but for its end, it is read whole.
  ["a sensor", () => textOfSensor("hp-sgp-01"), [[1, 1], [2, 2], [3, 3], [4, 4], [1, 1], [2, 2]]],
  ["three sensors, some sessions twice", () => makeText().subarray(0, BLOCK_BYTES * 1.4), [[1, 1], [2, 1], [3, 1], [4, 1], [1, 1], [2, 1]]],
])("a log that grows from run to run is told as if it were read whole: %s", async (_, toText, parts) => {
  await using dir = await makeTempDir();
  const text = toText();
  const log = new GrowingLog(dir.path);
  const random = seededRandom("growing");
  const cuts = Array.from({ length: 6 }, () => Math.floor(random.next() * text.length)).sort((a, b) => a - b);
  // Behind a line, and before the end of one; elsewhere in the middle.
  cuts[1] = text.indexOf("\n", cuts[1]!) + 1;
  cuts[3] = text.indexOf("\n", cuts[3]!);
  let at = 0;
  for (const cut of cuts) {
    appendFileSync(log.path, text.subarray(at, cut));
    at = cut;
    await log.compare();
  }
  expect(log.parts).toEqual(parts);
  // It grows, is rotated in the middle of a line, and goes on elsewhere.
  const end = text.lastIndexOf("\n", text.length - 200) - 40;
  appendFileSync(log.path, text.subarray(at, end));
  renameSync(log.path, `${log.path}.2026-08-31`);
  writeFileSync(log.path, text.subarray(end));
  await log.compare();
});

test("a log whose old part was edited is read whole, however it has grown", async () => {
  await using dir = await makeTempDir();
  const text = Buffer.from(makeText().subarray(0, BLOCK_BYTES * 1.4));
  const log = new GrowingLog(dir.path);
  for (const [letter, size] of [["a", 1.1], ["b", 1.2], ["b", 1.3], ["c", 1.4]] as const) {
    const place = text.indexOf('"username":"') + 12;
    text.write(letter, place);
    writeFileSync(log.path, text.subarray(0, BLOCK_BYTES * size));
    await log.compare();
  }
  expect(log.parts.map(([batches]) => batches)).toEqual([1, 1, 2, 1]);
});

test("sessions lie in sixteen parts at most: then they are read again from the table", async () => {
  await using dir = await makeTempDir();
  const lines = textOfSensor("hp-sgp-01").toString().split(/(?<=\n)/).slice(0, 180);
  const log = new GrowingLog(dir.path);
  const seen: number[][] = [];
  for (let i = 0; i < 18; i++) {
    appendFileSync(log.path, lines.slice(i * 10, (i + 1) * 10).join(""));
    if (i < 17) seen.push((await log.tell()).parts);
    else await log.compare();
  }
  expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => [i + 1, (i % 16) + 1]));
  expect(log.parts).toEqual([[18, 2]]);
});
