/** Columns to Parquet and back. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Dictionary } from "../../../lib/columns/dictionary.ts";
import { ParquetPieces, type ParquetShape } from "../../../lib/columns/parquet-pieces.ts";
import { readParquet, rowGroupsOf } from "../../support/parquet.ts";
import { makeTempDir } from "../../support/run.ts";

const SHAPES: ParquetShape[] = [
  { name: "timestamp", type: "timestamp", nullable: false },
  { name: "text", type: "text", nullable: true },
  { name: "small", type: "int32", nullable: true },
  { name: "large", type: "int64", nullable: true },
  { name: "real", type: "float64", nullable: true },
  { name: "none", type: "text", nullable: true },
];

test("row groups come back as they went in, with nulls, columns without any value, and the greatest numbers", async () => {
  await using dir = await makeTempDir();
  const texts = new Dictionary();
  const codes = Int32Array.of(texts.internText("😀\u0000"), -1, texts.internText(""));
  const pieces = new ParquetPieces(SHAPES, new Map([["key", "value"]]));
  const times = Float64Array.of(Date.UTC(2199, 11, 31) * 1000 + 1, 0, -86_400_000_000);
  const bytes = [
    pieces.add(3, [times, { codes, texts }, Float64Array.of(65_535, NaN, 0), Float64Array.of(4_294_967_295, 1, NaN), Float64Array.of(0.1, NaN, -0), undefined]),
    pieces.add(1, [Float64Array.of(5), undefined, undefined, undefined, undefined, undefined]),
    pieces.finish(),
  ];
  const path = join(dir.path, "a.parquet");
  await Bun.write(path, Buffer.concat(bytes));
  expect(rowGroupsOf(path)).toEqual([3, 1]);
  const empty = { text: null, small: null, large: null, real: null, none: null };
  expect(await readParquet(path)).toEqual([
    { ...empty, timestamp: times[0]!, text: "😀\u0000", small: 65_535, large: 4_294_967_295, real: 0.1 },
    { ...empty, timestamp: 0, large: 1 },
    { ...empty, timestamp: -86_400_000_000, text: "", small: 0, real: -0 },
    { ...empty, timestamp: 5 },
  ]);
});
