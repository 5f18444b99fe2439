/** Tasks on a table that stays in its file: the same answers from threads and from this one. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { openPool, poolHere, type StoredPool } from "../../../lib/reduced/stored-pool.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { drawTable } from "../../support/large-table.ts";
import { POOL_TASKS } from "../../support/pool-tasks.ts";
import { makeTempDir } from "../../support/run.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
const path = join(temp.path, "table.arrow");
const table = drawTable();
await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
const ENTRY = new URL("../../support/pool-worker.ts", import.meta.url);

type Pool = StoredPool<typeof POOL_TASKS>;
const pools: [string, (threads: number) => Pool][] = [
  ["threads", threads => openPool<typeof POOL_TASKS>(ENTRY, { path, selection: {} }, { doing: "add up", threads })],
  ["this thread", () => poolHere(StoredTable.open(path)!, POOL_TASKS)],
];

for (const [name, open] of pools) {
  describe(name, () => {
    test("work tasks out, and look up what was given", async () => {
      using pool = open(2);
      const [twice, thrice] = [pool.give(2), pool.give(3)];
      const sumOf = (kind: "login" | "connect") => table.kinds[kind].count.reduce((a, b) => a + b, 0);
      const found = [pool.ask("sum", { kind: "login", factor: twice }, 9), pool.ask("sum", { kind: "connect", factor: thrice }, 1)];
      expect(await Promise.all(found)).toEqual([2 * sumOf("login"), 3 * sumOf("connect")]);
    });

    test("tell why a task failed, and go on", async () => {
      using pool = open(1);
      const factor = pool.give(1);
      const failed = pool.ask("fail", { reason: "too much" }, 1);
      const after = pool.ask("sum", { kind: "event", factor }, 1);
      await expect(failed).rejects.toThrow(/too much$/);
      expect(await after).toBeGreaterThan(0);
    });
  });
}

test("of tasks that wait the dearest is begun first", async () => {
  using pool = pools[0]![1](1);
  // The first finds an idle thread.
  const found = await Promise.all([5, 1, 7, 3].map(cost => pool.ask("cost", { at: cost }, cost)));
  expect(found.toSorted((a, b) => a.order - b.order).map(({ at }) => at)).toEqual([5, 7, 3, 1]);
});

test("what is put behind waits for all that is not, and all of it is counted", async () => {
  let done = 0;
  let idle = 0;
  using pool = openPool<typeof POOL_TASKS>(ENTRY, { path, selection: {} }, { threads: 1, progress: { done: (cost, isIdle) => { done += cost; idle += Number(isIdle); }, [Symbol.dispose]() {} } });
  const behind = pool.behind();
  const found = await Promise.all([
    ...[5, 9].map(cost => behind.ask("cost", { at: cost }, cost)),
    ...[1, 7].map(cost => pool.ask("cost", { at: cost }, cost)),
    behind.behind().ask("cost", { at: 99 }, 99),
  ]);
  expect(found.toSorted((a, b) => a.order - b.order).map(({ at }) => at)).toEqual([5, 7, 1, 9, 99]);
  expect([done, idle]).toEqual([121, 1]);
});

for (const [name, open] of pools) {
  test(`a part of the table, in ${name}`, async () => {
    using pool = open(2);
    const factor = pool.give(1);
    const sums = () => Promise.all([1, 2].map(cost => pool.ask("sum", { kind: "login", factor }, cost)));
    const whole = await sums();
    pool.look({ sensors: ["a"] });
    const { login } = table.kinds;
    const ofSensor = login.count.reduce((sum, count, row) => (table.dictionaries.sensor[login.sensor[row]!] === "a" ? sum + count : sum), 0);
    expect(await sums()).toEqual([ofSensor, ofSensor]);
    expect(ofSensor).toBeLessThan(whole[0]!);
  });
}

test("a table that cannot be opened is the answer to each task", async () => {
  using pool = openPool<typeof POOL_TASKS>(ENTRY, { path: join(temp.path, "none.arrow"), selection: {} }, { doing: "add up", threads: 2 });
  for (const at of [1, 2]) await expect(pool.ask("cost", { at }, 1)).rejects.toThrow(/^Cannot add up: ".*none\.arrow": no such file/);
});
