import { expect, test } from "bun:test";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { countDistinctPerDay, toDistinctRows } from "../../../lib/statistics/distinct.ts";
import { buildLedger } from "../../../lib/statistics/ledger.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { toValueRows } from "../../../lib/statistics/value-rows.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, watch } from "../../support/days.ts";
import { seededRandom } from "../../support/random.ts";

const connect = (sensor: string, offset: number, src_ip: string, dst_port = 22): LiteralRow => ({
  kind: "connect", date: dateOf(offset), sensor, key: { src_ip, dst_port }, count: 1,
});

test("addresses are counted once a day, whatever their ports, and do not add up over sensors", () => {
  const rows = [
    ...watch("a", 2),
    ...watch("b", 2),
    connect("a", 0, "1.1.1.1", 22),
    connect("a", 0, "1.1.1.1", 23),
    connect("a", 0, "2.2.2.2"),
    connect("b", 0, "1.1.1.1"),
    connect("a", 1, "1.1.1.1"),
    connect("b", 1, "2.2.2.2"),
    connect("b", 1, "3.3.3.3"),
  ];
  const { distinct } = computeStatistics(buildReduced(rows));
  expect(distinct.filter(({ name }) => name === "addresses")).toEqual([
    { name: "addresses", sensor: "a", perDay: [2, 1], newPerDay: [2, 0], total: 2 },
    { name: "addresses", sensor: "b", perDay: [1, 2], newPerDay: [1, 2], total: 3 },
    { name: "addresses", sensor: null, perDay: [2, 3], newPerDay: [2, 1], total: 3 },
  ]);
});

test("agrees with plain sets on random rows", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const seen = new Map<string, LiteralRow>();
    for (let i = 0; i < 200; i++) {
      const row = connect(random.pick(["a", "b", "c"]), random.int(6), `10.0.0.${random.int(12)}`, random.int(3));
      seen.set(JSON.stringify([row.sensor, row.date, row.key]), row);
    }
    const rows = [...seen.values()];
    const table = buildReduced([...watch("a", 6), ...watch("b", 6), ...watch("c", 6), ...rows]);
    const coverage = buildCoverage(table);
    const ledger = buildLedger(toValueRows(table, "address").rows, coverage, { sinceDay: coverage.firstDay + random.int(7), returningAfterDays: 9, claimDay: 0, claimDays: new Int32Array(3) });
    const found = countDistinctPerDay(ledger, "addresses", coverage);
    const wanted = ["a", "b", "c", null].map(sensor => {
      const known = new Set<unknown>();
      const perDay: number[] = [];
      const newPerDay: number[] = [];
      for (let offset = 0; offset < 6; offset++) {
        const ofDay = rows.filter(row => row.date === dateOf(offset) && (sensor === null || row.sensor === sensor));
        const today = new Set(ofDay.map(({ key }) => key.src_ip));
        perDay.push(today.size);
        newPerDay.push([...today].filter(address => !known.has(address)).length);
        for (const address of today) known.add(address);
      }
      return { name: "addresses", sensor, perDay, newPerDay, total: known.size };
    });
    expect({ seed, found }).toEqual({ seed, found: wanted as typeof found });
  }
});

test("distinct counts are tested like any count, per sensor and day, never as a sum", () => {
  const rows: LiteralRow[] = [...watch("a", 40), ...watch("b", 40)];
  for (let offset = 0; offset < 40; offset++) {
    for (let i = 0; i < (offset === 38 ? 90 : 12); i++) rows.push(connect("a", offset, `10.0.${offset}.${i}`));
  }
  const { changes, tests } = computeStatistics(buildReduced(rows));
  expect(tests.byKind.find(({ kind }) => kind === "distinct")).toEqual({ kind: "distinct", unit: "events", tests: 7, reported: 1 });
  const found = changes.filter(({ kind }) => kind === "distinct");
  expect(found.map(row => [row.key, row.sensor, row.count, row.percent])).toEqual([[["addresses"], "a", 90, 650]]);
  expect(toDistinctRows([], [], buildCoverage(buildReduced([]))).rows).toBe(0);
});
