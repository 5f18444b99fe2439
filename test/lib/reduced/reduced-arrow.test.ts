/** reduced.arrow and reduced.json say what the table says, to another reader too. */
import { describe, expect, test } from "bun:test";
import { tableFromIPC } from "@uwdata/flechette";
import { join } from "node:path";
import {
  isTextKey,
  type KeyColumn,
  KIND_NAMES,
  NUMBER_KEYS,
  REDUCED_VERSION,
  TEXT_KEYS,
  VERSION_WITHOUT_ADDRESSES,
} from "../../../lib/reduced/kinds.ts";
import { setSize } from "../../../lib/columns/address-sets.ts";
import { knowsAddresses } from "../../../lib/reduced/addresses.ts";
import { readReducedStream } from "../../../lib/reduced/reduced-input.ts";
import { readReducedArrow, reducedToIpc, toReducedRows } from "../../../lib/reduced/reduced-arrow.ts";
import { ReducedBuilder } from "../../../lib/reduced/reduced-builder.ts";
import { reducedToJson } from "../../../lib/reduced/reduced-json.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";
import { analyze } from "../../support/tables.ts";

const ipcBytes = (table: ReducedTable, format?: "file" | "stream") => Buffer.concat([...reducedToIpc(table, format)]);

/** Every row with every value, as text. */
function rowTexts({ dictionaries, sets, kinds }: ReducedTable): string[] {
  const lines: string[] = [];
  for (const kind of KIND_NAMES) {
    const { rows, day, sensor, keys, count, success, addresses, firstSeenUs, lastSeenUs } = kinds[kind];
    for (let row = 0; row < rows; row++) {
      const values = [...TEXT_KEYS, ...NUMBER_KEYS].map((column: KeyColumn) => {
        const value = keys[column]?.[row] ?? -1;
        if (value < 0) return null;
        return isTextKey(column) ? dictionaries[column][value]! : column === "robot" ? value === 1 : value;
      });
      const code = addresses?.[row] ?? -1;
      const set = code < 0 ? null : [...sets.hashes.subarray(sets.offsets[code], sets.offsets[code + 1])];
      const facts = [count[row], success[row], firstSeenUs[row], lastSeenUs[row], set];
      lines.push(JSON.stringify([day[row], dictionaries.sensor[sensor[row]!], kind, ...values, ...facts]));
    }
  }
  return lines;
}

function rowTextsByFlechette(bytes: Uint8Array): string[] {
  const table = tableFromIPC(bytes, { useBigInt: true });
  const columnOf = (name: string) => table.getChild(name as never).toArray() as ArrayLike<unknown>;
  const names = ["day", "sensor", "kind", ...TEXT_KEYS, ...NUMBER_KEYS, "count", "success", "first_seen", "last_seen", "addresses"];
  const columns = names.map(name => [name, columnOf(name)] as const);
  return Array.from({ length: table.numRows }, (_, row) =>
    JSON.stringify(
      columns.map(([name, column]) => {
        const value = column[row] ?? null;
        if (name === "addresses") return value === null ? null : Array.from(value as Iterable<number>);
        if (name === "day") return Number(value) / 86_400_000;
        return name.endsWith("_seen") ? Math.round(Number(value) * 1000) : value;
      }),
    ),
  );
}

const hostileRows: LiteralRow[] = HOSTILE_TEXTS.map(text => text.toWellFormed())
  .filter((text, i, all) => all.indexOf(text) === i)
  .flatMap(text => [
    { kind: "login", date: "2024-01-31", sensor: text, key: { username: text, password: null }, count: 3, success: 1 },
    { kind: "event", date: "2024-01-31", sensor: text, key: { eventid: text, hour: 23 }, count: 4_000_000_000, from: [text, "192.0.2.1"] },
    {
      kind: "proxy_request",
      date: "1970-01-01",
      sensor: text,
      key: { src_ip: text, dst_ip: null, dst_port: 65_535 },
      count: 1,
    },
    { kind: "session_closed", date: "2199-12-31", sensor: text, key: { src_ip: null, robot: 0 }, count: 1 },
  ]);

describe("reduced.arrow", () => {
  const tables: [name: string, table: () => Promise<ReducedTable>][] = [
    ["the example fleet", async () => (await analyze([join(FIXTURES_FOLDER, "fleet")])).table],
    ["hostile texts", async () => buildReduced(hostileRows)],
    [
      "nothing",
      async () =>
        new ReducedBuilder().finish({ version: REDUCED_VERSION, parameters: { robotMaxSeconds: 1 }, sources: [] }),
    ],
  ];
  for (const [name, make] of tables) {
    test(`another reader reads the same, and so do we: ${name}`, async () => {
      const table = await make();
      const expected = rowTexts(table);
      for (const format of ["file", "stream"] as const) {
        const bytes = ipcBytes(table, format);
        // flechette takes U+FEFF at the start of a text for a mark and drops it.
        const withoutMarks = (lines: readonly string[]) => lines.map(line => line.replaceAll("\uFEFF", ""));
        if (expected.length > 0) expect(withoutMarks(rowTextsByFlechette(bytes))).toEqual(withoutMarks(expected));
        const { info, parts } = await readReducedArrow(bytes);
        const builder = new ReducedBuilder();
        for (const source of info.sources) builder.addSource(source);
        for (const part of parts) builder.add(part);
        const again = builder.finish(info);
        // Last commands are made anew from the sessions, which a table of literals may lack.
        const isLast = (line: string) => name === "hostile texts" && line.includes('"pre_disconnect_command"');
        expect(rowTexts(again)).toEqual(expected.filter(line => !isLast(line)));
        expect(again.info).toEqual(table.info);
      }
    });
  }

  test("a table of the version before is read, and says that it does not know the addresses", async () => {
    const table = buildReduced(hostileRows);
    const before = { ...table, info: { ...table.info, version: VERSION_WITHOUT_ADDRESSES } };
    const { info, parts } = await readReducedArrow(ipcBytes(before));
    const builder = new ReducedBuilder();
    for (const part of parts) builder.add(part);
    const read = builder.finish({ ...info, version: REDUCED_VERSION });
    expect([knowsAddresses(table, "event"), knowsAddresses(read, "event"), knowsAddresses(read, "connect")]).toEqual([true, false, true]);
    expect([...read.kinds.event.count]).toEqual([...table.kinds.event.count]);
    // With a table that knows them: of a row that stands in both nobody knows all, of the others nothing is lost.
    const [known, other] = [hostileRows.slice(0, 4), { ...hostileRows[1]!, date: "2024-02-01" }];
    const merged = new ReducedBuilder();
    merged.add(toReducedRows(read));
    merged.add(toReducedRows(buildReduced([...known, other])));
    const { sets, kinds } = merged.finish(info);
    const sizes = Array.from(kinds.event.addresses!, code => setSize(sets, code));
    expect([sizes.at(-1), sizes.slice(0, -1).every(Number.isNaN)]).toEqual([2, true]);
  });

  test("what is none is told", async () => {
    const table = buildReduced([]);
    const other = { ...table, info: { ...table.info, version: 77 } };
    await expect(readReducedArrow(ipcBytes(other))).rejects.toThrow(
      `a reduced table of version 77: expected ${REDUCED_VERSION}`,
    );
    const bytes = ipcBytes(buildReduced(hostileRows));
    for (let i = 1; i < 20; i++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * i) / 20));
      await expect(readReducedArrow(cut)).rejects.toThrow();
    }
  });
});

describe("reduced.json", () => {
  test("days, then sensors; entries by count falling, ties by key; no value is null; hostile texts stay texts", () => {
    const rows: LiteralRow[] = [
      { kind: "event", date: "2024-02-01", sensor: "a", key: { eventid: "e", hour: 0 }, count: 9 },
      { kind: "event", date: "2024-01-31", sensor: "b", key: { eventid: "e", hour: 0 }, count: 9 },
      { kind: "event", date: "2024-01-31", sensor: "", key: { eventid: "e", hour: 0 }, count: 9 },
      ...["c", "a", "\u2028\u009b</script>"].map((input): LiteralRow => ({
        kind: "command",
        date: "2024-01-31",
        sensor: "b",
        key: { input },
        count: 2,
      })),
      { kind: "command", date: "2024-01-31", sensor: "b", key: { input: null }, count: 5 },
      {
        kind: "login",
        date: "2024-01-31",
        sensor: "b",
        key: { username: "root", password: null },
        count: 4,
        success: 3,
      },
      {
        kind: "session_closed",
        date: "2024-01-31",
        sensor: "b",
        key: { src_ip: "203.0.113.7", robot: null },
        count: 1,
      },
      ...[1, 0].map(robot => ({ kind: "session_closed" as const, date: "2024-01-31", sensor: "b", key: { src_ip: "203.0.113.8", robot }, count: 3 - robot })),
      { kind: "connect", date: "2024-01-31", sensor: "b", key: { src_ip: "203.0.113.7", dst_port: 1 }, count: 1 },
      {
        kind: "file_download",
        date: "2024-01-31",
        sensor: "b",
        key: { url: null, outfile: "o", shasum: "s1" },
        count: 2,
      },
      {
        kind: "file_download",
        date: "2024-01-31",
        sensor: "b",
        key: { url: null, outfile: "o", shasum: "s2" },
        count: 1,
      },
      { kind: "scan", date: "2024-02-01", sensor: "a", key: { shasum: "s1", positives: 3, total: 60 }, count: 1 },
    ];
    const text = [...reducedToJson(buildReduced(rows), 0)].join("");
    expect(text).toMatch(/^[ -~\n]*$/);
    const days = JSON.parse(text);
    expect(days).toEqual([
      { date: "2024-01-31", sensor: "" },
      {
        date: "2024-01-31",
        sensor: "b",
        passwords: [{ username: "root", password: null, count: 4, success: 3 }],
        commands: [
          { input: null, count: 5 },
          { input: "a", count: 2 },
          { input: "c", count: 2 },
          { input: "\u2028\u009b</script>", count: 2 },
        ],
        connect: [{ src_ip: "203.0.113.7", dst_port: 1, count: 1 }],
        session_closed: [
          { src_ip: "203.0.113.8", robot: false, count: 3 },
          { src_ip: "203.0.113.8", robot: true, count: 2 },
          { src_ip: "203.0.113.7", robot: null, count: 1 },
        ],
        file_download: [
          { url: null, outfile: "o", shasum: "s1", scans: { positives: 3, total: 60 }, count: 2 },
          { url: null, outfile: "o", shasum: "s2", scans: null, count: 1 },
        ],
      },
      { date: "2024-02-01", sensor: "a" },
    ]);
    const [, cut] = JSON.parse([...reducedToJson(buildReduced(rows), 2)].join(""));
    expect(cut.commands).toEqual([
      { input: null, count: 5 },
      { input: "a", count: 2 },
    ]);
  });
});

test("a table that was read can be handed to a thread", async () => {
  const { table } = await analyze([join(FIXTURES_FOLDER, "fleet/hp-lab-01")]);
  const read = await readReducedStream(ipcBytes(table));
  expect(rowTexts(structuredClone(read))).toEqual(rowTexts(table));
});
