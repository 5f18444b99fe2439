/** An Arrow file read piece by piece says what the library says of it, and what is damaged is told. */
import { afterAll, expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { join } from "node:path";
import { ArrowFile } from "../../../lib/columns/arrow-file.ts";
import { bytesOf, placeFile } from "../../../lib/columns/arrow-guard.ts";
import { type ColumnShape, type IpcBatch, openIpc, toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { allTexts, toTexts } from "../../../lib/columns/dictionary.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
const path = join(temp.path, "table.arrow");

const random = seededRandom("arrow file");
const words = (n: number) => toTexts(Array.from({ length: n }, (_, i) => `wörd ${i}`));
const SHAPES: ColumnShape[] = [
  { name: "few", texts: words(3), nullable: true },
  { name: "many", texts: words(300), nullable: true },
  { name: "most", texts: words(70_000), nullable: false },
  { name: "none", texts: words(0), nullable: true },
  ...(["uint8", "uint16", "uint32", "int32", "int64", "float64", "date", "timestamp", "bool"] as const).map(type => ({
    name: type,
    type,
    nullable: true,
  })),
  { name: "lists", type: "list", nullable: true },
];

function drawBatch(rows: number, hasNulls: boolean) {
  const isNull = () => hasNulls && random.chance(0.3);
  const codes = (size: number, nullable: boolean) =>
    Int32Array.from({ length: rows }, () => (size === 0 || (nullable && isNull()) ? -1 : random.int(size)));
  const numbers = (most: number) => Float64Array.from({ length: rows }, () => (isNull() ? NaN : random.int(most)));
  const offsets = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row]! + random.int(4);
  const lists = {
    offsets,
    values: Uint32Array.from({ length: offsets[rows]! }, () => random.word()),
    isNull: Uint8Array.from({ length: rows }, () => Number(isNull())),
  };
  const of = [codes(3, true), codes(300, true), codes(70_000, false), codes(0, true)];
  return { rows, columns: [...of, ...[256, 65_536, 2 ** 32, 2 ** 31, 2 ** 53, 2 ** 40, 80_000, 2 ** 52, 2].map(numbers), lists] };
}

const batches = [drawBatch(1000, true), drawBatch(1, true), drawBatch(77, false), { rows: 9, columns: SHAPES.map(() => undefined) }];
const bytes = Buffer.concat([...toIpc("file", SHAPES, batches, new Map([["who", "wé"]]))]);

/** As plain numbers, to be compared: not every NaN has the same bits. */
function valuesOf(batch: IpcBatch, name: string): unknown {
  const column = batch.column(name);
  if (column !== undefined) return [...column];
  const { values, offsets, isNull } = batch.lists(name)!;
  // Behind the last number there may be what fills up the buffer.
  return { offsets: [...offsets], isNull: [...isNull], values: [...values.subarray(0, offsets.at(-1))] };
}

const stream = Buffer.concat([...toIpc("stream", SHAPES, batches, new Map([["who", "wé"]]))]);

test.each([["a file", bytes], ["a stream kept as one", stream]])("%s: every column of every batch, in any order", async (_, kept) => {
  await Bun.write(path, kept);
  const ipc = await openIpc(bytes);
  const expected = [];
  for await (const batch of ipc.batches()) {
    expected.push([batch.rows, ...SHAPES.map(({ name }) => valuesOf(batch, name))]);
  }
  const file = ArrowFile.open(path)!;
  expect([file.size, file.names, [...file.metadata]]).toEqual([4, SHAPES.map(({ name }) => name), [["who", "wé"]]]);
  for (const number of [3, 0, 2, 1, 0]) {
    const batch = file.batch(number, number === 2);
    expect([number, batch.rows, ...SHAPES.map(({ name }) => valuesOf(batch, name))]).toEqual([number, ...expected[number]!]);
    for (const name of ["few", "many", "most"]) {
      const [code] = batch.column(name)!;
      if (code !== -1) expect(file.firstCode(number, name)).toBe(code!);
    }
    expect([file.firstCode(number, "bool"), file.firstCode(number, "no such")]).toEqual([-1, -1]);
    expect([batch.column("lists"), batch.lists("few"), batch.column("no such")]).toEqual([undefined, undefined, undefined]);
  }
  for (const shape of SHAPES) {
    const texts = file.texts(shape.name);
    expect(texts && allTexts(texts)).toEqual("texts" in shape ? allTexts(shape.texts) : undefined);
  }
  file.close();
});

test("what is no table is left to others", async () => {
  await Bun.write(path, "ARROW1");
  expect(ArrowFile.open(path)).toBeUndefined();
});

test("of many batches no more is held than where they lie, and what one says of itself is checked when it is looked at", async () => {
  const one = drawBatch(2, true);
  const whole = Buffer.concat([...toIpc("file", SHAPES, Array.from({ length: 2000 }, () => one), new Map())]);
  await Bun.write(path, whole);
  Bun.gc(true);
  const { objectCount: before } = heapStats();
  const file = ArrowFile.open(path)!;
  Bun.gc(true);
  // Objects of its schema and texts; one a batch would be more.
  expect(heapStats().objectCount - before).toBeLessThan(1500);
  expect([file.size, file.rows(1999)]).toEqual([2000, 2]);
  file.close();

  const { batches } = placeFile(bytesOf(whole), whole.length);
  const [at, bodyAt] = batches.subarray(2 * 7) as unknown as [number, number];
  // The length of its metadata, its root table, and a buffer's length.
  for (const spoiled of [at + 4, at + 8, bodyAt - 8]) {
    const bytes = Buffer.from(whole);
    bytes.fill(0x7f, spoiled, spoiled + 4);
    await Bun.write(path, bytes);
    const damaged = ArrowFile.open(path)!;
    expect(() => damaged.batch(7)).toThrow("its Arrow data are damaged");
    expect(() => damaged.batch(7, true)).toThrow("its Arrow data are damaged");
    expect(() => damaged.firstCode(7, "few")).toThrow("its Arrow data are damaged");
    expect([...damaged.batch(8).column("few")!]).toEqual([...damaged.batch(9).column("few")!]);
    damaged.close();
  }
});

test("a footer that leaves a batch out, or moves one, is refused", async () => {
  const whole = Buffer.concat([...toIpc("file", SHAPES, batches, new Map())]);
  const { batches: places } = placeFile(bytesOf(whole), whole.length);
  const [first, second, third] = [0, 2, 4].map(i => Buffer.from(BigInt64Array.of(BigInt(places[i]!)).buffer)) as [Buffer, Buffer, Buffer];
  const footer = whole.lastIndexOf(first);
  expect(whole.subarray(footer + 24, footer + 32).equals(second)).toBe(true);
  const spoil = async (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(whole);
    change(bytes);
    await Bun.write(path, bytes);
    expect(() => ArrowFile.open(path)).toThrow("its Arrow data are damaged");
  };
  // One less in the list of batches, whose length stands before it.
  await spoil(bytes => bytes.writeUInt32LE(3, footer - 4));
  await spoil(bytes => third.copy(bytes, footer + 24));
  await spoil(bytes => bytes.writeUInt32LE(bytes.readUInt32LE(footer + 8) + 8, footer + 8));
  await spoil(bytes => bytes.writeUInt32LE(bytes.readUInt32LE(footer + 3 * 24 + 16) - 8, footer + 3 * 24 + 16));
});

test("damage is told, and leads nowhere", async () => {
  const small = Buffer.concat([...toIpc("file", SHAPES.filter((_, i) => i !== 2), [drawSmall()], new Map())]);
  const outcomes = { read: 0, told: 0 };
  for (let round = 0; round < 1500; round++) {
    const damaged = Buffer.from(small);
    for (let i = 0; i <= random.int(3); i++) damaged[random.int(damaged.length)] = [0, 255, random.int(256)][random.int(3)]!;
    await Bun.write(path, round % 5 === 0 ? damaged.subarray(random.int(damaged.length)) : damaged);
    try {
      const file = ArrowFile.open(path);
      try {
        for (let i = 0; file !== undefined && i < Math.min(file.size, 3); i++) {
          const batch = file.batch(i);
          for (const { name } of SHAPES) void (batch.column(name) ?? batch.lists(name) ?? file.texts(name));
        }
      } finally {
        file?.close();
      }
      outcomes.read++;
    } catch (error) {
      expect(["ArrowError", "RangeError"]).toContain((error as Error).name);
      outcomes.told++;
    }
  }
  expect(outcomes.told).toBeGreaterThan(200);
});

function drawSmall() {
  const batch = drawBatch(20, true);
  return { ...batch, columns: batch.columns.filter((_, i) => i !== 2) };
}
