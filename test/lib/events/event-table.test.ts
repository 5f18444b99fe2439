/** The event table as Arrow: another implementation reads the same values, and damage is told, never taken for data. */
import { describe, expect, test } from "bun:test";
import { Precision, tableFromIPC, TimeUnit, Type } from "@uwdata/flechette";
import { Table, tableToIPC, Uint8, vectorFromArray } from "apache-arrow";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type BuiltEventTable,
  type EventTableInfo,
  eventTableToIpc,
  openEventTable,
  pickRows,
} from "../../../lib/events/event-table.ts";
import { toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { toTexts } from "../../../lib/columns/dictionary.ts";
import { BATCH_ROWS } from "../../../lib/kernel/layout.ts";
import { NUMBER_COLUMN_NAMES, NUMBER_COLUMNS, TEXT_COLUMNS } from "../../../lib/events/schema.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { randomLines } from "../../hostile/lines.ts";
import { listLogs, NEEDS_REAL_LOGS, REAL_LOGS, realFolder, realFolders } from "../../support/real-logs.ts";
import { makeTempDir } from "../../support/run.ts";
import { eventLines, mapBytes } from "../../support/tables.ts";

const toBytes = ({ info, table }: { info: EventTableInfo; table: BuiltEventTable }, format?: "file" | "stream") =>
  Buffer.concat([...eventTableToIpc(table, info, format)]);

const failure = async (source: Uint8Array | string) => {
  try {
    await readStored(source);
    return "read";
  } catch (error) {
    return (error as Error).message;
  }
};

/** The lines of {@link eventLines}, read by flechette. */
function linesByFlechette(bytes: Uint8Array): string[] {
  const table = tableFromIPC(bytes, { useBigInt: true });
  const valuesOf = (name: string): ArrayLike<unknown> | undefined =>
    table.names.includes(name as never) ? table.getChild(name as never).toArray() : undefined;
  const texts = TEXT_COLUMNS.map(name => [name, valuesOf(name)] as const);
  const numbers = NUMBER_COLUMN_NAMES.map(name => [name, valuesOf(name)] as const);
  const hashes = valuesOf("line_hash");
  const times = valuesOf("timestamp")!;
  return Array.from({ length: table.numRows }, (_, row) => {
    // In milliseconds, with a fraction.
    let line = String(Math.round(Number(times[row]) * 1000));
    for (const [name, values] of texts) if (values?.[row] != null) line += ` ${name}=${JSON.stringify(values[row])}`;
    for (const [name, values] of numbers) if (values?.[row] != null) line += ` ${name}=${values[row]}`;
    if (hashes !== undefined) line += ` #${hashes[row]}`;
    return line;
  });
}

/** flechette takes U+FEFF at the start of a text for a mark and drops it, so that one is not compared. */
function firstDifference(got: readonly string[], wanted: readonly string[]) {
  const lines = got.map(line => line.replaceAll("\uFEFF", ""));
  const expected = wanted.map(line => line.replaceAll("\uFEFF", ""));
  const length = Math.max(lines.length, expected.length);
  for (let i = 0; i < length; i++) if (lines[i] !== expected[i]) return { i, line: lines[i], expected: expected[i] };
  return undefined;
}

async function readStored(source: string | Uint8Array): Promise<string[]> {
  const { table } = await openEventTable(source);
  try {
    return await eventLines(table);
  } finally {
    await table.close();
  }
}

function generated(eras: Parameters<typeof planSensors>[1], totalBytes: number): Buffer {
  const pieces: string[] = [];
  generateLogs(
    { seed: "event table", firstDay: "2026-03-01", days: 3, sensors: planSensors(4, eras), totalBytes },
    (_, piece) => pieces.push(piece),
  );
  return Buffer.from(pieces.join(""));
}

const many = () => {
  const lines: string[] = [];
  for (let i = 0; i < BATCH_ROWS + 5; i++) {
    const late = i >= BATCH_ROWS ? ',"src_port":7,"realm":"x"' : "";
    lines.push(`{"eventid":"e","timestamp":"2024-01-31T10:00:00.${i % 10}Z","input":"${i % 300}"${late}}\n`);
  }
  return Buffer.from(lines.join(""));
};

describe("what is written is what every reader reads", () => {
  const logs: [name: string, text: () => Uint8Array][] = [
    ["random lines", () => randomLines(seededRandom("event table"), 3000)],
    ["generated logs", () => generated(["v3", "v2.2", "v1.3", "kipp"], 1e6)],
    ["two batches, columns that only the second has", many],
    ["a single event", () => Buffer.from('{"eventid":"","timestamp":"1970-01-01T00:00:00+23:59"}')],
    ["no event at all", () => Buffer.from("garbage\n")],
    ...(REAL_LOGS ? ["cloud-2026", "tpot-2022"] : []).map((name): [string, () => Uint8Array] => [
      `real logs: ${name}`,
      () => Buffer.concat(listLogs(realFolder(name)).map(path => readFileSync(path))),
    ]),
  ];
  for (const [name, text] of logs) {
    test(name, async () => {
      const mapped = await mapBytes(text(), { lineHashes: name === "random lines" });
      const expected = await eventLines(mapped.table);
      for (const format of ["file", "stream"] as const) {
        const bytes = toBytes(mapped, format);
        expect([format, "read by us", firstDifference(await readStored(bytes), expected)]).toEqual([
          format,
          "read by us",
          undefined,
        ]);
        expect([format, "read by flechette", firstDifference(linesByFlechette(bytes), expected)]).toEqual([
          format,
          "read by flechette",
          undefined,
        ]);
      }
      await using dir = await makeTempDir();
      const path = join(dir.path, "cowrie.json.arrow");
      await Bun.write(path, toBytes(mapped));
      const { info, table } = await openEventTable(path);
      expect([info, await eventLines(table)]).toEqual([mapped.info, expected]);
      await table.close();
      mapped.table.close();
    });
  }

  test("the same events give the same bytes", async () => {
    const text = generated(["v3"], 2e5);
    const [first, second] = [await mapBytes(text), await mapBytes(text, { pieces: [1000] })];
    expect(toBytes(first).equals(toBytes(second))).toBe(true);
  });

  test("types: narrow dictionary codes, timestamps in microseconds of UTC, no column without a value", async () => {
    const { info, table } = await mapBytes(
      '{"eventid":"e","timestamp":"2024-01-31T10:00:00Z","src_port":22,"duration":1.5,"positives":3,"session":"s"}\n',
    );
    const { fields } = tableFromIPC(toBytes({ info, table })).schema;
    const shown = fields.map(({ name, type, nullable }) => {
      const { typeId, bitWidth, unit, precision, timezone, indices } = type as unknown as Record<string, unknown>;
      const width = indices ? (indices as { bitWidth: number }).bitWidth : (precision ?? unit ?? bitWidth);
      return [name, typeId, width, timezone, nullable];
    });
    expect(shown).toEqual([
      ["timestamp", Type.Timestamp, TimeUnit.MICROSECOND, "UTC", false],
      ["eventid", Type.Dictionary, 8, undefined, false],
      ["session", Type.Dictionary, 8, undefined, true],
      ["src_port", Type.Int, 16, undefined, true],
      ["positives", Type.Int, 16, undefined, true],
      ["duration", Type.Float, Precision.DOUBLE, undefined, true],
    ]);
    expect(NUMBER_COLUMNS.duration).toBe("float64");
  });
});

describe("what is no event table, or no whole one", () => {
  const sound = async () => toBytes(await mapBytes(generated(["v3"], 5e4)));

  test("another program's Arrow, another version, no Arrow", async () => {
    const foreign = tableToIPC(new Table({ a: vectorFromArray([1, 2], new Uint8()) }), "file");
    expect(await failure(foreign)).toBe("not an event table: its schema has no such metadata");
    const { info, table } = await mapBytes("{}");
    expect(await failure(toBytes({ info: { ...info, mappingVersion: 99 }, table }))).toMatch(
      /^an event table of version 99: expected \d+$/,
    );
    expect(await failure(Buffer.from("ARROW1 and so on, but not really Arrow"))).not.toBe("read");
  });

  test("a table cut short anywhere is an error, in memory and on disk", async () => {
    await using dir = await makeTempDir();
    const bytes = await sound();
    const path = join(dir.path, "cut.arrow");
    for (let i = 1; i < 40; i++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * i) / 40));
      await Bun.write(path, cut);
      const outcomes = [await failure(path)];
      expect({ i, outcomes: outcomes.filter(outcome => outcome === "read") }).toEqual({ i, outcomes: [] });
    }
  });

  test("metadata that say another number of events, or are no JSON", async () => {
    const { info, table } = await mapBytes('{"eventid":"e","timestamp":"2024-01-31T10:00:00Z"}\n');
    const counts = { ...info.source.counts, events: 2 };
    const lying = { ...info, source: { ...info.source, counts } };
    expect(await failure(toBytes({ info: lying, table }, "stream"))).toBe(
      "Cannot read an event table of 2 events: it holds 1",
    );
    const spoiled = Buffer.from(
      toBytes({ info, table }).toString("latin1").replaceAll('{"mappingVersion"', '["mappingVersion"'),
      "latin1",
    );
    expect(await failure(spoiled)).toContain("JSON");
  });

  test("codes beyond their dictionary are an error", async () => {
    const { info, table } = await mapBytes('{"eventid":"e","timestamp":"2024-01-31T10:00:00Z"}\n');
    const lying: BuiltEventTable = {
      ...table,
      batches: function* () {
        for (const { packed: _, ...batch } of table.batches()) {
          yield { ...batch, codes: { get: (name: string) => (name === "eventid" ? Int32Array.of(7) : undefined) } };
        }
      },
    };
    expect(await failure(toBytes({ info, table: lying }))).toBe(
      "Cannot read code 7 of a dictionary: expected less than 1",
    );
  });
});

describe("numbers that no column of ours holds", () => {
  // A stranger writes doubles where we write 16 bits.
  const tableWith = async (name: string, value: number) => {
    const { info } = await mapBytes('{"eventid":"e","timestamp":"2024-01-31T10:00:00Z"}\n');
    const shapes = [
      { name: "timestamp", type: "float64" as const, nullable: false },
      { name: "eventid", texts: toTexts(["e"]), nullable: false },
      ...(name === "timestamp" ? [] : [{ name, type: "float64" as const, nullable: true }]),
    ];
    const us = Float64Array.of(name === "timestamp" ? value : 1.7e15);
    const columns = [us, Int32Array.of(0), ...(name === "timestamp" ? [] : [Float64Array.of(value)])];
    return Buffer.concat([
      ...toIpc("stream", shapes, [{ rows: 1, columns }], new Map([["cowrie.events", JSON.stringify(info)]])),
    ]);
  };
  test.each([
    ["dst_port", 22, [65_536, -1, 0.5, Infinity]],
    ["total", 70, [65_536, -1, 0.5, 1e300]],
    ["size", 2 ** 32 - 1, [2 ** 32, -1, 0.5]],
    ["duration", 1.5, [Infinity, -Infinity]],
    ["timestamp", 1.7e15, [NaN, Infinity, 1e300, 1.7e15 + 0.5, -1e300]],
  ] as const)("%s", async (name, good, bad) => {
    expect(await failure(await tableWith(name, good))).toBe("read");
    for (const value of bad) {
      expect(await failure(await tableWith(name, value))).toMatch(/^an event table with damaged (numbers: no event|timestamps)/);
    }
  });
});

describe("some rows of a table", () => {
  test("are those of its columns: as it was built, in memory, of a small file and of a large one", async () => {
    await using dir = await makeTempDir();
    const random = seededRandom("some rows");
    for (const lines of [300, 12_000]) {
      const text = Array.from({ length: lines }, (_, i) => `{"eventid":"cowrie.login.failed","timestamp":"2024-01-31T10:00:00.${i % 1000}Z","session":"s${i % 700}","src_ip":"192.0.2.${i % 250}","username":"${i % 3 === 0 ? `u${i}` : "root"}","password":"\u00e4${i}${"x".repeat(80)}"${i % 5 === 0 ? `,"src_port":${i}` : ""}${i % 7 === 0 ? `,"duration":${i / 8}` : ""}}\n`).join("");
      const mapped = await mapBytes(text);
      const bytes = toBytes(mapped);
      const path = join(dir.path, `${lines}.arrow`);
      await Bun.write(path, bytes);
      expect(bytes.length > 1 << 20).toBe(lines > 300);
      const tables = [mapped.table, (await openEventTable(bytes)).table, (await openEventTable(path)).table];
      for (const table of tables) {
        for await (const batch of table.batches()) {
          for (const share of [0, 0.02, 0.9]) {
            const rows = Int32Array.from({ length: batch.rows }, (_, row) => row).filter(() => random.next() < share).reverse();
            const picked = pickRows(batch, rows);
            expect(picked.rows).toBe(rows.length);
            expect(picked.timestampUs).toEqual(Float64Array.from(rows, row => batch.timestampUs[row]!));
            for (const name of TEXT_COLUMNS) {
              const whole = batch.codes.get(name);
              expect(picked.codes.get(name)).toEqual(whole && Int32Array.from(rows, row => whole[row]!));
            }
            for (const name of NUMBER_COLUMN_NAMES) {
              const whole = batch.numbers.get(name);
              // As texts: one NaN may have other bits than another.
              expect(String(picked.numbers.get(name))).toBe(String(whole && Float64Array.from(rows, row => whole[row]!)));
            }
          }
        }
        await table.close();
      }
    }
  });

  test("of a table that was closed nothing more is read", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "closed.arrow");
    await Bun.write(path, toBytes(await mapBytes(Array.from({ length: 12_000 }, (_, i) => `{"eventid":"x","timestamp":"2024-01-31T10:00:00Z","password":"${i}${"x".repeat(100)}"}\n`).join(""))));
    const { table } = await openEventTable(path);
    for await (const batch of table.batches()) {
      await table.close();
      expect(() => table.dictionaries.get("password")).toThrow("closed");
      expect(() => batch.codes.get("password")).toThrow("closed");
      return;
    }
    throw new Error("It has no batch");
  });
});

describe("size", () => {
  const shareOf = async (text: Uint8Array) => toBytes(await mapBytes(text)).length / text.length;

  for (const era of ["v3", "v2.8", "v2.5", "v2.2", "v1.3", "cow"] as const) {
    test(`10 MB of generated logs of ${era} take at most a fifth`, async () => {
      expect(await shareOf(generated([era], 1e7))).toBeLessThan(0.2);
    });
  }

  const large = realFolders().filter(name => listLogs(realFolder(name)).some(path => statSync(path).size > 1e6));
  for (const name of large) {
    test(`real logs over 1 MB take at most a fifth: ${name}${NEEDS_REAL_LOGS}`, async () => {
      for (const path of listLogs(realFolder(name)).filter(path => statSync(path).size > 1e6)) {
        expect({ path, isSmall: (await shareOf(readFileSync(path))) <= 0.2 }).toEqual({ path, isSmall: true });
      }
    });
  }
});

test("whoever walks tables leaves time for signals and timers", async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, "cowrie.json.arrow");
  const line = '{"eventid":"cowrie.session.connect","timestamp":"2024-01-31T10:00:00.000000Z","session":"a"}\n';
  const { info, table } = await mapBytes(line);
  await Bun.write(path, Buffer.concat([...eventTableToIpc(table, info)]));
  table.close();
  let fired = false;
  setTimeout(() => (fired = true), 0);
  let tables = 0;
  for (; !fired && tables < 100_000; tables++) {
    const stored = await openEventTable(path);
    for await (const batch of stored.table.batches()) expect(batch.rows).toBe(1);
    await stored.table.close();
  }
  expect(fired).toBeTrue();
});
