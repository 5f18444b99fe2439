/** Many rows: several batches, and batches that went through a temporary file. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { BATCH_ROWS } from "../../../lib/kernel/layout.ts";
import { NUMBER_COLUMN_NAMES } from "../../../lib/events/schema.ts";
import { LineReader, type LineReaderOptions } from "../../../lib/events/line-reader.ts";
import { eventLines } from "../../support/tables.ts";

const encoder = new TextEncoder();

/** Texts of 1 to 3 columns per row, of few or of many distinct values, so that codes change their width on the way. */
function lineOf(row: number): string {
  const many = row % 3 === 0 ? `,"password":"p${row}"` : "";
  const late = row > BATCH_ROWS ? `,"src_port":${row % 65_536},"session":"s${row % 7}"` : "";
  const address = row % 2 === 0 ? "203.0.113.7" : "::ffff:203.0.113.7";
  const stamp = new Date(1_706_695_200_000 + row * 7).toISOString();
  const rest = `${many}${late},"n":${row % 3}`;
  return `{"eventid":"cowrie.login.failed","timestamp":"${stamp}","src_ip":"${address}"${rest}}\n`;
}

const ROWS = 2 * BATCH_ROWS + 17;
const TEXT = encoder.encode(Array.from({ length: ROWS }, (_, row) => lineOf(row)).join(""));

function build(options: LineReaderOptions) {
  using reader = new LineReader(options);
  reader.roomFor(TEXT.length, 0).set(TEXT);
  reader.readLines(0, TEXT.length);
  return reader.finish();
}

const ownTemporaryFiles = () => readdirSync(tmpdir()).filter(name => name.startsWith(`cowrie-events-${process.pid}-`));

describe("several batches", () => {
  const { table, firstSeenUs, lastSeenUs } = build({});
  test("hold every row once, in order, with its values", async () => {
    const lines = await eventLines(table);
    expect(table.rows).toBe(ROWS);
    expect(lines).toHaveLength(ROWS);
    const wrong = lines.findIndex((line, row) => {
      const late = row > BATCH_ROWS;
      const expected = [
        String((1_706_695_200_000 + row * 7) * 1000),
        'eventid="cowrie.login.failed"',
        ...(late ? [`session="s${row % 7}"`] : []),
        'src_ip="203.0.113.7"',
        ...(row % 3 === 0 ? [`password="p${row}"`] : []),
        `extra="{\\"n\\":${row % 3}}"`,
        ...(late ? [`src_port=${row % 65_536}`] : []),
      ];
      return line !== expected.join(" ");
    });
    expect({ wrong, line: lines[wrong] }).toEqual({ wrong: -1, line: undefined });
  });

  test("have the columns of numbers that one of their rows has a value in", async () => {
    const found: (readonly string[])[] = [];
    for await (const { numbers } of table.batches()) {
      found.push(NUMBER_COLUMN_NAMES.filter(name => numbers.get(name) !== undefined));
    }
    expect(found).toEqual([[], ["src_port"], ["src_port"]]);
  });

  test("know their first and last time", () => {
    expect([firstSeenUs, lastSeenUs]).toEqual([
      1_706_695_200_000_000,
      1_706_695_200_000_000 + (ROWS - 1) * 7000,
    ]);
  });
});

describe("batches in a temporary file", () => {
  test("are the same as in memory, also when walked twice, and leave no name behind", async () => {
    const { table: kept } = build({ lineHashes: true });
    const expected = await eventLines(kept);
    kept.close();
    for (const memoryMaxBytes of [0, 2_000_000]) {
      const { table: spilled } = build({ lineHashes: true, memoryMaxBytes });
      try {
        expect(ownTemporaryFiles()).toEqual([]);
        expect(await eventLines(spilled)).toEqual(expected);
        if (memoryMaxBytes === 0) expect(await eventLines(spilled)).toEqual(expected);
      } finally {
        spilled.close();
      }
    }
  });
});

test("a table of nothing", async () => {
  const { table } = new LineReader().finish();
  expect([table.rows, await eventLines(table), table.numbersUsed]).toEqual([0, [], []]);
  table.close();
});
