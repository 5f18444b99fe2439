/** Addresses behind rows keep the laws that the statistics rest on. */
import { expect, test } from "bun:test";
import { unionSize } from "../../../lib/columns/address-sets.ts";
import { addressesOf, countAddresses, knowsAddresses } from "../../../lib/reduced/addresses.ts";
import { combineTables } from "../../../lib/reduced/combine.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { reduceEvents } from "../../../lib/reduced/reduce.ts";
import { ReducedBuilder } from "../../../lib/reduced/reduced-builder.ts";
import { selectTable } from "../../../lib/reduced/select-table.ts";
import { buildReduced, NO_INFO } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { analyze, mapBytes } from "../../support/tables.ts";
import { join } from "node:path";

const fleet = (await analyze([join(FIXTURES_FOLDER, "fleet")])).table;

/** Rows of a kind by day and key, over the sensors. */
function rowsByKey({ kinds }: ReducedTable, kind: (typeof KIND_NAMES)[number]): number[][] {
  const { rows, day, keys } = kinds[kind];
  const names = Object.values(keys);
  return [...Map.groupBy(Array.from({ length: rows }, (_, row) => row), row => [day[row], ...names.map(codes => codes[row])].join()).values()];
}

test("no more addresses than events; a fleet has no fewer than a sensor and no more than all sensors", () => {
  let groups = 0;
  for (const kind of KIND_NAMES) {
    const addresses = addressesOf(fleet, kind);
    expect([kind, addresses === undefined]).toEqual([kind, kind === "scan"]);
    if (addresses === undefined) continue;
    const { rows, count } = fleet.kinds[kind];
    const sizes = Array.from({ length: rows }, (_, row) => countAddresses(addresses, row, Infinity));
    expect(sizes.every((size, row) => size <= count[row]!)).toBe(true);
    for (const group of rowsByKey(fleet, kind)) {
      const union = unionSize(addresses.sets, group.map(row => addresses.codes[row]!));
      const own = group.map(row => sizes[row]!);
      expect(union >= Math.max(...own) && union <= own.reduce((sum, n) => sum + n, 0)).toBe(true);
      if (group.length > 1) groups++;
    }
  }
  expect(groups).toBeGreaterThan(100);
  expect(knowsAddresses(fleet)).toBe(true);
});

test("a kind that has the address in its key tells the same of it; no address, no count", () => {
  const table = buildReduced(
    ["192.0.2.1", "192.0.2.1", "192.0.2.2", null].map((src_ip, i) =>
      ({ kind: "connect", date: "2024-01-01", sensor: "a", key: { src_ip, dst_port: i }, count: 7 })),
  );
  const { sets, codes } = addressesOf(table, "connect")!;
  expect(unionSize(sets, codes)).toBe(2);
  const none = table.kinds.connect.keys.src_ip!.indexOf(-1);
  expect(countAddresses({ sets, codes }, none, 7)).toBe(0);
});

async function reduceText(text: string): Promise<ReducedTable> {
  const { table } = await mapBytes(text);
  const { rows } = await reduceEvents(table, "log", { robotMaxSeconds: 10 });
  table.close();
  const builder = new ReducedBuilder();
  builder.add(rows);
  return builder.finish(NO_INFO);
}

const line = (eventid: string, more: object, second = 0) =>
  `${JSON.stringify({ eventid, timestamp: `2024-01-31T10:00:${String(second).padStart(2, "0")}Z`, sensor: "a", session: "s", ...more })}\n`;

test("what a source repeats counts no second address, and an event without one counts none", async () => {
  const failed = (src_ip?: string) => line("cowrie.login.failed", { username: "root", password: "x", src_ip });
  const once = await reduceText(failed("192.0.2.1") + failed("192.0.2.2") + failed());
  const often = await reduceText(failed("192.0.2.1").repeat(50) + failed("::ffff:192.0.2.2") + failed());
  const loginsOf = (table: ReducedTable) => countAddresses(addressesOf(table, "login")!, 0, table.kinds.login.count[0]!);
  expect([once.kinds.login.count[0], often.kinds.login.count[0]]).toEqual([3, 52]);
  expect([loginsOf(once), loginsOf(often)]).toEqual([2, 2]);
});

test("a table combined with itself, and a part of it, keep the addresses of their rows", async () => {
  const { table } = await combineTables([{ name: "a", table: fleet }, { name: "b", table: fleet }], () => {});
  const sensor = fleet.dictionaries.sensor[0]!;
  const part = selectTable(fleet, { sensors: [sensor] });
  for (const kind of ["login", "command", "event", "pre_disconnect_command"] as const) {
    const sizes = (of: ReducedTable) => Array.from(of.kinds[kind].count, (n, row) => countAddresses(addressesOf(of, kind)!, row, n));
    expect(sizes(table)).toEqual(sizes(fleet));
    expect(sizes(part)).toEqual(sizes(fleet).filter((_, row) => fleet.kinds[kind].sensor[row] === 0));
  }
  expect(part.sets.size).toBeLessThan(fleet.sets.size);
});
