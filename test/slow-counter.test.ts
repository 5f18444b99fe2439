/** The counter that checks others is itself held against cases made by hand and against known totals of real logs. */
import { describe, expect, test } from "bun:test";
import { loadCases, readCaseFiles, toCaseCounts } from "./support/cases.ts";
import { NEEDS_REAL_LOGS, readLogFolder, REAL_LOGS, realFolder, realFolders } from "./support/real-logs.ts";
import { countSlowly, parseTimestamp } from "./support/slow-counter.ts";

describe("the slow counter counts what each golden case expects", () => {
  const cases = loadCases();
  test("there are cases", () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
  });
  for (const golden of cases) {
    test(`${golden.name}: ${golden.about}`, () => {
      const files = readCaseFiles(golden);
      expect(toCaseCounts(countSlowly(files, golden.options))).toEqual(golden.expected);
    });
  }

  test("the order in which files are given does not matter", () => {
    for (const golden of cases) {
      const files = readCaseFiles(golden).reverse();
      expect(toCaseCounts(countSlowly(files, golden.options))).toEqual(golden.expected);
    }
  });
});

describe("rows and counts agree with each other", () => {
  for (const golden of loadCases()) {
    test(golden.name, () => {
      const { rows, total } = countSlowly(readCaseFiles(golden), golden.options);
      const sumOf = (kind: string) => rows.filter(row => row.kind === kind).reduce((sum, row) => sum + row.count, 0);
      expect(sumOf("event")).toBe(total.events + total.repaired);
      expect(sumOf("pre_disconnect_command")).toBeLessThanOrEqual(sumOf("command"));
    });
  }
});

describe("a timestamp is read to the microsecond", () => {
  const table: [string, number | undefined][] = [
    ["1970-01-01T00:00:00Z", 0],
    ["1970-01-01T00:00:00.000001Z", 1],
    ["1970-01-01T01:00:00.0000019+01:00", 1],
    ["2024-02-29T23:59:59.999999Z", 1_709_251_199_999_999],
    ["2023-02-29T00:00:00Z", undefined],
    ["2024-01-31T10:00:00", undefined],
  ];
  test.each(table)("%s", (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected!);
  });
});

/** Events of each folder of real logs, repaired lines and copies included; [pending, repaired] where there are any. */
const REAL_TOTALS: Record<string, { events: number; pending?: number; repaired?: number; copies?: number }> = {
  "aws-2022": { events: 15_667 },
  "bruteforce-2025": { events: 2_088 },
  "cloud-2020": { events: 301 },
  "cloud-2026": { events: 5_058 },
  "dense-2020": { events: 3_739 },
  "digitalocean-2021": { events: 3_222 },
  "failed-only-2025": { events: 629 },
  "growing-2017": { events: 91_117, pending: 1 },
  "lab-2021": { events: 161 },
  "samples-2021": { events: 17, copies: 1 },
  "series-2018": { events: 102_686 },
  "tpot-2022": { events: 5_925, repaired: 1 },
};

describe("real logs have the totals they are known to have", () => {
  test.skipIf(!REAL_LOGS)(`every folder is known${NEEDS_REAL_LOGS}`, () => {
    expect(realFolders()).toEqual(Object.keys(REAL_TOTALS));
  });
  for (const [name, { events, pending = 0, repaired = 0, copies = 0 }] of Object.entries(REAL_TOTALS)) {
    test.skipIf(!REAL_LOGS)(`${name}: ${events} events${NEEDS_REAL_LOGS}`, () => {
      const { total, leftOut } = countSlowly(readLogFolder(realFolder(name)));
      expect(total).toEqual({
        lines: events + pending,
        events: events - repaired,
        repaired,
        rejected: 0,
        pending,
      });
      expect(leftOut).toHaveLength(copies);
    });
  }
});
