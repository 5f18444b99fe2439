import { describe, expect, test } from "bun:test";
import type { Coverage } from "../../../lib/statistics/coverage.ts";
import type { Windows } from "../../../lib/statistics/baseline.ts";
import type { KindComparisons } from "../../../lib/statistics/comparisons.ts";
import { holm, judgeComparisons, largestReported } from "../../../lib/statistics/judgement.ts";
import type { Unit } from "../../../lib/statistics/keyed-rows.ts";
import { FLEET } from "../../../lib/statistics/local-windows.ts";
import { falseDiscovery } from "../../../lib/statistics/distributions.ts";

interface Row {
  key?: number;
  sensor: number;
  p: number;
  /** Below its expectation. */
  down?: true;
  above?: number;
  notAbove?: number;
}

function compared(rows: Row[], tests = rows.length, fleetScope = rows.filter(({ sensor }) => sensor === FLEET).length): KindComparisons {
  const column = (of: (row: Row) => number) => Float64Array.from(rows, of);
  const kept = {
    length: rows.length,
    slot: column(() => 0),
    sensor: column(row => row.sensor),
    key: column(row => row.key ?? 0),
    count: column(row => (row.down ? 1 : 90)),
    baseline: column(() => 280),
    ratio: column(() => 1 / 28),
    dispersion: column(() => 1),
    burstDays: column(() => 0),
    silent: column(() => 0),
    above: column(row => row.above ?? 0),
    notAbove: column(row => row.notAbove ?? 0),
    p: column(row => row.p),
  };
  return { kept, tests, periodView: 0, fleetScope, withoutSupport: 0 };
}

const OPTIONS = { lastDays: 1, baselineDays: 28, guardDays: 1, minBaselineDays: 7, thresholdPercent: 20, q: 0.05, strict: false };
const COVERAGE = { sensors: ["a", "b"], firstDay: 0 } as unknown as Coverage;
const WINDOWS = { refused: [] } as unknown as Windows;

function judge(kinds: { unit?: Unit; rows: Row[]; tests?: number; fleetTests?: number }[], options = OPTIONS) {
  const of = kinds.map(({ unit = "events", rows, tests, fleetTests }) => ({ kind: "command" as const, unit, compared: compared(rows, tests, fleetTests) }));
  return judgeComparisons(of, COVERAGE, WINDOWS, options);
}

test("with one sensor it is Benjamini-Hochberg over all tests", () => {
  const ps = [0.001, 0.012, 0.014, 0.2];
  const { kinds } = judge([{ rows: ps.map((p, key) => ({ key, sensor: 0, p })), tests: 5 }]);
  expect([...kinds[0]!.q]).toEqual([...falseDiscovery(Float64Array.from(ps), false, 5)]);
  expect([...kinds[0]!.reported]).toEqual([1, 1, 1, 0]);
});

test("two families share the rate, each alone", () => {
  const rows = [{ sensor: 0, p: 0.02 }];
  const { kinds } = judge([{ rows }, { unit: "sources", rows, tests: 3 }]);
  expect(kinds[0]!.q[0]).toBeCloseTo(0.04, 12);
  expect(kinds[1]!.q[0]).toBeCloseTo(0.12, 12);
  expect(judge([{ rows }]).kinds[0]!.q[0]).toBeCloseTo(0.02, 12);
});

describe("a fleet", () => {
  const gate = { sensor: FLEET, p: 0.0001, above: 3, notAbove: 1 };

  test("leads to its sensors of the same direction, by Holm", () => {
    const sensors = [{ sensor: 0, p: 0.004 }, { sensor: 1, p: 0.011 }, { sensor: 2, p: 0.02 }, { sensor: 3, p: 0.0001, down: true as const }];
    const { kinds } = judge([{ rows: [gate, ...sensors], tests: 5000, fleetTests: 10 }]);
    // Three tests, at half the rate: 0.004 * 3, then 0.011 * 2, each twice. The one that fell is one of thousands.
    expect([...kinds[0]!.q.subarray(1, 4)].map(q => Number(q.toFixed(9)))).toEqual([0.024, 0.044, 0.044]);
    expect([...kinds[0]!.reported]).toEqual([1, 1, 1, 1, 0]);
  });
  test("that is not reported leads nowhere: its sensors are one pool", () => {
    const sensors = [{ sensor: 0, p: 0.004 }, { sensor: 1, p: 0.0001 }];
    const { kinds } = judge([{ rows: [{ ...gate, p: 0.04 }, ...sensors], tests: 102, fleetTests: 2 }]);
    const pool = falseDiscovery(Float64Array.from(sensors, ({ p }) => p), false, 100).map(p => p * 2);
    expect([...kinds[0]!.q.subarray(1)]).toEqual([...pool]);
  });
  test("a sensor behind it implies the row of the fleet, and is no surer", () => {
    const { kinds } = judge([{ rows: [gate, { sensor: 0, p: 1e-12 }], tests: 5000, fleetTests: 10 }]);
    expect(kinds[0]!.q[1]).toBe(kinds[0]!.q[0]!);
  });
  test("those behind a gate are not counted in the pool", () => {
    const alone = { key: 7, sensor: 0, p: 0.0002 };
    const tests = 1 + 3 + 100;
    const { kinds } = judge([{ rows: [gate, alone], tests, fleetTests: 1 }]);
    expect(kinds[0]!.q[1]).toBeCloseTo(0.0002 * 100 * 2, 12);
  });
  test("a change below the threshold is not reported and leads nowhere", () => {
    const { kinds } = judge([{ rows: [gate, { sensor: 0, p: 0.004 }], tests: 5000, fleetTests: 10 }], { ...OPTIONS, thresholdPercent: 5000 });
    expect([...kinds[0]!.reported]).toEqual([0, 0]);
    expect(kinds[0]!.q[1]).toBe(1);
  });
});

test("nothing above the largest reported p is ever reported", () => {
  expect([largestReported(0.05, 1, 1), largestReported(0.05, 2, 1), largestReported(0.05, 2, 9)]).toEqual([0.05, 0.025, 0.0125]);
  const p = largestReported(0.05, 1, 2);
  const gate = { sensor: FLEET, p, above: 1 };
  expect([...judge([{ rows: [gate, { sensor: 0, p }] }]).kinds[0]!.reported]).toEqual([1, 1]);
  expect([...judge([{ rows: [{ ...gate, p: p * 1.001 }] }]).kinds[0]!.reported]).toEqual([0]);
});

test("holm() is that of the book", () => {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
  expect([...holm(Float64Array.of(0.01, 0.04, 0.03, 0.005), 4)].map(p => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]);
});
