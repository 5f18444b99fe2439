/** Tables of a command line, in memory or in a file, say the same. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "../../../lib/columns/dictionary.ts";
import { CellSummer } from "../../../lib/reduced/cell-sums.ts";
import { CHECK_TASKS, sumUp } from "../../../lib/reduced/check-table.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import { openReducedTables, openStream } from "../../../lib/reduced/large-tables.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { openInputs, TableTelling } from "../../../lib/reduced/reduced-input.ts";
import { countRows, type ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { poolHere, type PoolOpener } from "../../../lib/reduced/stored-pool.ts";
import { type SortedTable, toSorted } from "../../../lib/reduced/sorted-table.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { addToDataset } from "../../../lib/reduced/write-dataset.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { computeStored } from "../../../lib/statistics/stored-statistics.ts";
import { STATISTICS_TASKS } from "../../../lib/statistics/stored-tasks.ts";
import { buildReduced, NO_INFO } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());

const bytesOf = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);

async function write(name: string, table: ReducedTable): Promise<string> {
  const path = join(temp.path, name);
  await Bun.write(path, bytesOf(table));
  return path;
}

const reduce = async (name: string) => (await analyze([join(FIXTURES_FOLDER, "fleet", name)])).table;
mkdirSync(join(temp.path, "two"));
const paths = [await write("two/ams.arrow", await reduce("hp-ams-01")), await write("two/nyc.arrow", await reduce("hp-nyc-01"))];
const telling = new TableTelling(true);
const openPool: PoolOpener<typeof CHECK_TASKS> = (_path, stored) => poolHere(stored, CHECK_TASKS);
const inFiles = { openPool, largeRows: 1 };

test("two tables, named, in their folder or in a dataset, in memory and in files", async () => {
  using inMemory = await openReducedTables(paths, telling, { openPool });
  const drawn = await inMemory.draw({}, true);
  const expected = JSON.stringify(computeStatistics(drawn.whole!));
  const dataset = join(temp.path, "dataset");
  await addToDataset(dataset, await openInputs(paths, telling), () => {});
  let path = "";
  for (const operands of [paths, [dataset], [join(temp.path, "two")]]) {
    using opened = await openReducedTables(operands, telling, inFiles);
    const { large } = await opened.draw({}, true);
    path = large!.path;
    expect([opened.rows, opened.sensors, opened.isEmpty]).toEqual([countRows(drawn.whole!), drawn.whole!.dictionaries.sensor, false]);
    expect(JSON.stringify(await computeStored(large!.stored, large!.cells, {}, poolHere(large!.stored, STATISTICS_TASKS)))).toBe(expected);
    expect(bytesOf((await opened.draw({}, false)).whole!).equals(bytesOf(drawn.whole!))).toBe(true);
  }
  expect(path === "" || existsSync(path)).toBe(false);
});

test("a stream, held in memory or put into a file", async () => {
  const bytes = Buffer.concat([...reducedToIpc(await reduce("hp-ams-01"), "stream")]);
  async function* inPieces(of = bytes) {
    for (let at = 0; at < of.length; at += 100_000) yield of.subarray(at, at + 100_000);
  }
  using stack = new DisposableStack();
  const short = await openStream(inPieces(), () => {}, { openPool, stack });
  const long = await openStream(inPieces(), () => {}, { openPool, stack }, 150_000);
  if ("stored" in short || !("stored" in long)) throw new Error("Cannot compare: the wrong one is in a file");
  expect(JSON.stringify(await computeStored(long.stored, long.cells, {}, poolHere(long.stored, STATISTICS_TASKS)))).toBe(JSON.stringify(computeStatistics(short)));
  await expect(openStream(inPieces(bytes.subarray(0, -1000)), () => {}, { openPool, stack }, 150_000)).rejects.toThrow("cut short");
});

test("one file is read where it is, and days far from the rest are left out of it", async () => {
  const day = (date: string, n: number) => [
    { kind: "event" as const, date, sensor: "a", key: { eventid: "cowrie.session.connect", hour: 3 }, count: n },
    { kind: "connect" as const, date, sensor: "a", key: { src_ip: "192.0.2.1", dst_port: 22 }, count: n },
  ];
  const path = await write("far.arrow", buildReduced([...day("1999-01-01", 1), ...day("2026-01-01", 5), ...day("2026-01-02", 7)]));
  using opened = await openReducedTables([path], telling, inFiles);
  const { large, limits } = await opened.draw({}, true);
  expect(large!.path).toBe(path);
  expect([...large!.cells.table.kinds.connect.count]).toEqual([5, 7]);
  expect(limits[0]).toContain("1 event too far from the rest");
  expect((await sumUp(large!.stored, large!.pool, "sum")).table.kinds.event.rows).toBe(2);
});

test("counts that tell no event, and cut ones, are read into memory", async () => {
  const login = { kind: "login" as const, date: "2026-01-01", sensor: "a", key: { username: "u", password: "p" }, count: 1 };
  using opened = await openReducedTables([await write("no-events.arrow", buildReduced([login], NO_INFO))], telling, inFiles);
  expect((await opened.draw({}, true)).large).toBeUndefined();
});

test("texts that are damaged are refused at once, with the name of the table", async () => {
  const login = (username: string) => [
    { kind: "login" as const, date: "2026-01-01", sensor: "a", key: { username, password: "p" }, count: 1 },
    { kind: "event" as const, date: "2026-01-01", sensor: "a", key: { eventid: "cowrie.login.failed", hour: 3 }, count: 2 },
  ];
  const bytes = bytesOf(buildReduced([...login("operator"), ...login("root")]));
  const at = bytes.indexOf(Buffer.from(Int32Array.of(0, 8, 12).buffer));
  bytes.writeInt32LE(99, at + 4);
  const path = join(temp.path, "texts.arrow");
  await Bun.write(path, bytes);
  await expect(openReducedTables([path], telling, inFiles)).rejects.toThrow(/^Cannot read ".*texts\.arrow": its Arrow data are damaged: a text reaches beyond/);
});

test("a column of texts is read when it is asked for", async () => {
  const table = await reduce("hp-ams-01");
  const path = await write("lazy.arrow", table);
  using stored = StoredTable.open(path)!;
  const part = stored.select({ sensors: table.dictionaries.sensor });
  expect(part.dictionaries.password).toBe(stored.dictionaries.password);
  expect({ ...part.dictionaries }).toEqual(table.dictionaries);
  const inputs = stored.textsOf("input");
  expect(stored.textsOf("input")).toBe(inputs);
  expect(Array.from(table.dictionaries.input, (_, code) => textOf(inputs, code))).toEqual([...table.dictionaries.input]);
});

test("sums of parts are the sums of the whole, wherever it is cut, checked or not", async () => {
  const table = drawTable();
  using stored = StoredTable.open(await write("cut.arrow", table))!;
  const summer = new CellSummer();
  for (const kind of KIND_NAMES) for (const part of stored.parts(kind)) summer.add(part);
  const expected = summer.finish(stored);
  for (const task of ["check", "sum"] as const) {
    const { table: found, rows } = await sumUp(stored, poolHere(stored, CHECK_TASKS), task, 1);
    expect(found.kinds).toEqual(expected.table.kinds);
    expect(rows).toEqual(expected.rows);
  }
});

test("rows out of their order are refused, also where a task ends between them", async () => {
  const day = (date: string) => ({ kind: "connect" as const, date, sensor: "a", key: { src_ip: "192.0.2.1", dst_port: 22 }, count: 1 });
  const [late, early] = ["2026-02-01", "2026-01-01"].map(date => toSorted(buildReduced([day(date)])));
  const summer = new CellSummer();
  const sumsOf = (sorted: SortedTable) => {
    const own = new CellSummer();
    for (const { table } of sorted.batches("connect")) own.add(table);
    return own.finishKind("connect");
  };
  summer.addSums(sumsOf(late!));
  expect(() => summer.addSums(sumsOf(early!))).toThrow("they do not stand in the order");
});

test("a row that no row can be is refused with the name of the table", async () => {
  const table = buildReduced([{ kind: "connect", date: "2026-01-01", sensor: "a", key: { src_ip: "192.0.2.1", dst_port: 22 }, count: 1 }]);
  table.kinds.connect.success[0] = 2;
  const path = await write("row.arrow", table);
  await expect(openReducedTables([path], telling, inFiles)).rejects.toThrow(/^Cannot read ".*row\.arrow": a reduced table with damaged rows: no connect can be row 0$/);
});
