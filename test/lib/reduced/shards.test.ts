/** All shards of a table are the table, however they were made and combined. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { combineTables } from "../../../lib/reduced/combine.ts";
import { combineSorted } from "../../../lib/reduced/combine-sorted.ts";
import { CHECK_TASKS } from "../../../lib/reduced/check-table.ts";
import { poolHere, type PoolOpener } from "../../../lib/reduced/stored-pool.ts";
import { openReducedTables } from "../../../lib/reduced/large-tables.ts";
import { openSorted } from "../../../lib/reduced/sorted-table.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { readReduced, TableTelling } from "../../../lib/reduced/reduced-input.ts";
import { countRows, type ReducedTable, type Shard } from "../../../lib/reduced/reduced-table.ts";
import { parseShard, shardSorted, shardTable, toShardInfo } from "../../../lib/reduced/shards.ts";
import { buildReduced, NO_INFO } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
const bytesOf = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);
const reduce = async (...names: string[]) => (await analyze(names.map(name => join(FIXTURES_FOLDER, "fleet", name)))).table;
const combine = async (tables: readonly ReducedTable[]) => (await combineTables(tables.map((table, i) => ({ name: `${i}`, table })), () => {})).table;
const shards = (of: number): Shard[] => Array.from({ length: of }, (_, i) => ({ number: i + 1, of }));

const [ams, nyc] = [await reduce("hp-ams-01"), await reduce("hp-nyc-01")];
const whole = await combine([ams, nyc]);

describe("all shards are the table, byte for byte", () => {
  test("of one table, in any order and number", async () => {
    for (const of of [1, 2, 7]) {
      const parts = shards(of).map(shard => shardTable(whole, shard));
      expect(parts.filter(part => countRows(part) > 0).length).toBe(of);
      expect(bytesOf(await combine(parts.reverse())).equals(bytesOf(whole))).toBe(true);
    }
  });

  test("of several tables, combined shard by shard or all at once", async () => {
    const parts = shards(3).map(shard => [ams, nyc].map(table => shardTable(table, shard)));
    expect(bytesOf(await combine(parts.flat())).equals(bytesOf(whole))).toBe(true);
    const byShard = await Promise.all(parts.map(combine));
    expect(byShard.map(({ info }) => info.shard?.number)).toEqual([1, 2, 3]);
    expect(bytesOf(await combine(byShard)).equals(bytesOf(whole))).toBe(true);
  });

  test("as streams, and as tables of a command line that are read from a file", async () => {
    const write = async (name: string, content: Uint8Array) => {
      await Bun.write(join(temp.path, name), content);
      return join(temp.path, name);
    };
    const paths = [await write("ams.arrow", bytesOf(ams)), await write("nyc.arrow", bytesOf(nyc))];
    const made: string[] = [];
    // Of so many shards of small tables some batches have no row.
    for (const shard of shards(9)) {
      const inputs = paths.map(path => {
        const sorted = openSorted(path)!;
        sorted.close();
        return { name: path, info: toShardInfo(path, sorted.info, shard), read: async () => shardTable(await readReduced(path, () => {}), shard), open: () => shardSorted(openSorted(path)!, shard) };
      });
      using combined = await combineSorted(inputs, 1, temp.path, () => {});
      made.push(await write(`shard-${shard.number}.arrow`, Buffer.concat(Array.from(combined.chunks("file"), chunk => Buffer.from(chunk)))));
    }
    const openPool: PoolOpener<typeof CHECK_TASKS> = (_path, stored) => poolHere(stored, CHECK_TASKS);
    for (const largeRows of [1, Infinity]) {
      using opened = await openReducedTables(made, new TableTelling(true), { openPool, largeRows });
      expect(bytesOf((await opened.draw({}, false)).whole!).equals(bytesOf(whole))).toBe(true);
    }
    await expect(openReducedTables([made[1]!], new TableTelling(true), { openPool })).rejects.toThrow("Cannot show shard 2 of 9 alone");
  });
});

test("what is no whole is refused", async () => {
  const [first, second, third] = shards(3).map(shard => shardTable(whole, shard));
  await expect(combine([first!, third!])).rejects.toThrow("Cannot combine the shards 1/3, 3/3: expected all");
  await expect(combine([first!, second!, third!, whole])).rejects.toThrow("a whole table");
  await expect(combine([first!, second!, shardTable(ams, { number: 3, of: 3 })])).rejects.toThrow("shards of other logs");
  expect(() => shardTable(first!, { number: 1, of: 2 })).toThrow("it is one itself");
  const cut = buildReduced([], { ...NO_INFO, sources: [{ ...ams.info.sources[0]!, cut: true }] });
  expect(() => shardTable(cut, { number: 1, of: 2 })).toThrow("counts were cut");
  for (const text of ["0/4", "5/4", "1", "1/9999", "a/b"]) expect(() => parseShard(text)).toThrow("expected K/N");
  expect(parseShard("2/4")).toEqual({ number: 2, of: 4 });
});
