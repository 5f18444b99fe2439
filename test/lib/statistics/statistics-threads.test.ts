import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { selectTable } from "../../../lib/reduced/select-table.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { computeInThreads } from "../../../lib/statistics/statistics-threads.ts";
import { buildReduced } from "../../support/build.ts";
import { command, watch } from "../../support/days.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { analyze } from "../../support/tables.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";

const { table: fleet } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
const unshared = buildReduced([
  ...watch("a", 60, [30]),
  ...watch("b", 60),
  ...command("a", "id", [...Array.from({ length: 59 }, () => 3), 300]),
]);

describe("threads find what one thread finds", () => {
  const tables: [string, ReducedTable, StatisticsOptions][] = [
    ["the example fleet", fleet, {}],
    ["two of its sensors, every comparison", selectTable(fleet, { sensors: ["hp-ams-01", "hp-sgp-01"] }), { rows: "all", strict: true, lastDays: 14 }],
    ["a table whose columns are not in shared memory", unshared, {}],
    ["an empty table", buildReduced([]), {}],
  ];
  for (const [name, table, options] of tables) {
    test(name, async () => {
      const plain = computeStatistics(table, options);
      expect(JSON.stringify(await computeInThreads(table, options, 2))).toBe(JSON.stringify(plain));
    });
  }

  test("a part that fails fails the whole, and leaves no thread behind", async () => {
    const login = { ...fleet.kinds.login, day: fleet.kinds.login.day.subarray(0, 3), keys: {} };
    const broken = { ...fleet, kinds: { ...fleet.kinds, login } };
    await expect(computeInThreads(broken, {}, 2)).rejects.toThrow();
  });

  test("a reduced table as it is made can be shared", () => {
    for (const { day, sensor, count, keys } of Object.values(fleet.kinds)) {
      for (const column of [day, sensor, count, ...Object.values(keys)]) {
        expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
      }
    }
  });
});
