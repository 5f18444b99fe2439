import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type EventTableInfo, eventTableToIpc, openEventTable } from "../../../lib/events/event-table.ts";
import { textOf } from "../../../lib/columns/dictionary.ts";
import { growOffset, mapGrown, NOT_GROWN } from "../../../lib/logs/grow-log.ts";
import { BLOCK_BYTES, chunkedText } from "../../../lib/events/log-text.ts";
import { mapLog } from "../../../lib/events/map-log.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS } from "../../../lib/events/schema.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const FILE = { sizeBytes: 0, mtimeNs: "1", ctimeNs: "", inode: "1" };

/** Plain logs of the example fleet, torn and hostile lines included, some three megabytes. */
function makeText(): Buffer {
  const folder = join(FIXTURES_FOLDER, "fleet");
  const parts = ["hp-sgp-01", "hp-nyc-01", "hp-ams-01"].flatMap(sensor =>
    readdirSync(join(folder, sensor))
      .filter(name => !/\.(gz|zst|arrow)$/.test(name))
      .sort()
      .map(name => readFileSync(join(folder, sensor, name))),
  );
  const once = Buffer.concat(parts);
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
