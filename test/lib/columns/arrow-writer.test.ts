/** What is written is read the same by other people's readers: apache-arrow, and flechette. */
import { tableFromIPC as readByFlechette } from "@uwdata/flechette";
import { tableFromIPC } from "apache-arrow";
import { expect, test } from "bun:test";
import { type BatchColumns, type ColumnShape, type IpcFormat, openIpc, toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { textOf, toTexts } from "../../../lib/columns/dictionary.ts";
import { seededRandom } from "../../support/random.ts";

const FORMATS: readonly IpcFormat[] = ["file", "stream"];
const WORDS = { few: 3, many: 300, most: 66_000 };
const MOST = { uint8: 255, uint16: 65_535, uint32: 2 ** 32 - 1, int32: 2 ** 31 - 1, int64: 2 ** 53 - 1, float64: 1, date: 20_000, timestamp: 1.7e15, bool: 1 };
const TYPES = Object.keys(MOST) as (keyof typeof MOST)[];

/** Rows as plain values, and the same as columns. */
function draw(random: ReturnType<typeof seededRandom>, rows: number) {
  const plain: Record<string, unknown>[] = Array.from({ length: rows }, () => ({}));
  const fill = (name: string, value: () => number) =>
    Float64Array.from(plain, row => {
      const isNull = random.chance(0.2);
      const drawn = isNull ? NaN : value();
      row[name] = isNull ? null : drawn;
      return drawn;
    });
  const columns: BatchColumns[number][] = Object.entries(WORDS).map(([name, size]) => {
    const codes = fill(name, () => random.int(size));
    for (const row of plain) row[name] = row[name] === null ? null : `wörd ${row[name] as number}`;
    return Int32Array.from(codes, code => (Number.isNaN(code) ? -1 : code));
  });
  for (const type of TYPES) {
    columns.push(fill(type, () => (type === "float64" ? random.next() : Math.floor(random.next() * (MOST[type] + 1)))));
  }
  const lists = plain.map(row => (row.list = random.chance(0.2) ? null : Array.from({ length: random.int(4) }, () => random.int(1e9))));
  const offsets = Int32Array.from([0, ...lists.map((_, i) => lists.slice(0, i + 1).flatMap(list => list ?? []).length)]);
  columns.push({ values: Uint32Array.from(lists.flatMap(list => list ?? [])), offsets, isNull: Uint8Array.from(lists, list => Number(list === null)) });
  for (const row of plain) row.empty = null;
  columns.push(undefined);
  return { plain, batch: { rows, columns } };
}

const SHAPES: ColumnShape[] = [
  ...Object.entries(WORDS).map(([name, size]) => ({ name, texts: toTexts(Array.from({ length: size }, (_, i) => `wörd ${i}`)), nullable: true })),
  ...TYPES.map(type => ({ name: type, type, nullable: true })),
  { name: "list", type: "list", nullable: true },
  { name: "empty", type: "uint16", nullable: true },
];

/** A value of a reader in the words of {@link draw}. */
function plainOf(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (name === "list") return Array.from(value as Iterable<number>);
  if (name === "bool") return Number(value);
  if (name === "date") return Number(value) / 86_400_000;
  if (name === "timestamp") return Math.round(Number(value) * 1000);
  return typeof value === "bigint" ? Number(value) : value;
}

for (const format of FORMATS) {
  for (const sizes of [[], [0], [1], [9, 0, 17], [400]]) {
    test(`${format} of batches of ${sizes.join(", ") || "none"} rows`, async () => {
      const drawn = sizes.map(rows => draw(seededRandom(`${format} ${rows}`), rows));
      const metadata = new Map([["key", "välue"], ["none", ""]]);
      const bytes = Buffer.concat([...toIpc(format, SHAPES, drawn.map(({ batch }) => batch), metadata)]);
      const wanted = drawn.flatMap(({ plain }) => plain);
      const names = SHAPES.map(({ name }) => name);

      const arrow = tableFromIPC(bytes);
      const rowsOf = (count: number, value: (name: string, row: number) => unknown) =>
        Array.from({ length: count }, (_, row) => Object.fromEntries(names.map(name => [name, plainOf(name, value(name, row))])));
      expect(arrow.schema.fields.map(({ name }) => name)).toEqual(names);
      expect([...arrow.schema.metadata]).toEqual([...metadata]);
      expect(rowsOf(arrow.numRows, (name, row) => arrow.getChild(name)!.get(row))).toEqual(wanted);
      const flechette = readByFlechette(bytes);
      expect(rowsOf(flechette.numRows, (name, row) => flechette.getChild(name).at(row))).toEqual(wanted);

      // Where the bytes lie in memory does not matter.
      const own = await openIpc(Buffer.concat([Buffer.alloc(1), bytes]).subarray(1));
      expect([own.names, [...own.metadata]]).toEqual([names, [...metadata]]);
      let at = 0;
      for await (const batch of own.batches()) {
        for (const name of Object.keys(WORDS)) {
          const codes = batch.column(name) as Int32Array;
          codes.forEach((code, i) => expect(code < 0 ? null : textOf(own.texts(name)!, code)).toBe(wanted[at + i]![name] as string));
        }
        for (const type of TYPES) {
          const numbers = batch.column(type) as Float64Array;
          numbers.forEach((number, i) => expect(Number.isNaN(number) ? null : number).toBe(wanted[at + i]![type] as number));
        }
        at += batch.rows;
      }
      expect(at).toBe(wanted.length);
    });
  }
}

test("columns without a value, of zeros alone, and as the one before take no room, and are read the same", () => {
  const rows = 1000;
  const values = Float64Array.from({ length: rows }, (_, row) => row + 1);
  const write = (shapes: readonly ColumnShape[], columns: BatchColumns) => Buffer.concat([...toIpc("file", shapes, [{ rows, columns }], new Map())]);
  const first: ColumnShape = { name: "first", type: "timestamp", nullable: false };
  const alone = write([first], [values]);
  const shapes: ColumnShape[] = [
    first,
    { name: "last", type: "timestamp", nullable: false },
    { name: "none", texts: toTexts(["a"]), nullable: true },
    { name: "zeros", type: "uint32", nullable: false },
    { name: "no_list", type: "list", nullable: true },
  ];
  const bytes = write(shapes, [values, values.slice(), undefined, new Float64Array(rows), undefined]);
  // What the schema says of them, twice, and zeros once.
  expect(bytes.length - alone.length).toBeLessThan(4 * rows + 2000);
  const arrow = tableFromIPC(bytes);
  const flechette = readByFlechette(bytes);
  for (const read of [(name: string, row: number) => arrow.getChild(name)!.get(row) as unknown, (name: string, row: number) => flechette.getChild(name).at(row) as unknown]) {
    for (const row of [0, 1, 999]) {
      expect(["first", "last", "none", "zeros", "no_list"].map(name => plainOf(name === "first" || name === "last" ? "timestamp" : name, read(name, row)))).toEqual([row + 1, row + 1, null, 0, null]);
    }
  }
});

test("what the columns of a file share is said once, behind them all", () => {
  const names = Array.from({ length: 40 }, (_, i) => `column${i + 10}`);
  const bytesOf = (columns: number) => {
    const shapes = names.slice(0, columns).map((name): ColumnShape => ({ name, type: "timestamp", nullable: false }));
    return Buffer.concat([...toIpc("file", shapes, [], new Map())]);
  };
  // A name, a table and its place, 40 bytes in the head and 40 in the foot; 92 each where nothing is shared.
  expect((bytesOf(40).length - bytesOf(10).length) / 30).toBeLessThanOrEqual(2 * 48);
  // Polars looks for nothing of a table before the one that leads to it.
  const bytes = bytesOf(2);
  const message = bytes.subarray(16, 16 + bytes.readInt32LE(12));
  const root = message.readUInt32LE(0);
  const vtable = root - message.readInt32LE(root);
  const header = root + message.readUInt16LE(vtable + 8);
  const schema = header + message.readUInt32LE(header);
  expect([vtable > root, message.readInt32LE(schema) < 0]).toEqual([true, true]);
});
