/** What the report knows under a filter, for logs as they are, against counts made in plain code. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyzeLogs } from "../../../lib/logs/analyze.ts";
import type { Filter } from "../../../lib/view/cells.ts";
import { countDistinctValues, type DistinctValue } from "../../../lib/view/distinct-values.ts";
import { SECTIONS } from "../../../lib/view/report-sections.ts";
import { buildScope, rankSection } from "../../../lib/view/report-view.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { seededRandom } from "../../support/random.ts";
import { NEEDS_REAL_LOGS, readLogFolder, REAL_LOGS, realFolder } from "../../support/real-logs.ts";
import { ROOT } from "../../support/run.ts";
import { countSlowly, type SlowRow } from "../../support/slow-counter.ts";
import { plainOptions } from "../../support/tables.ts";
import { keyOf } from "../../../lib/reduced/origin-kinds.ts";
import { buildFigures } from "../../../lib/view/report-figures.ts";
import { buildReportData } from "../../support/report.ts";

const REAL = ["lab-2021", "samples-2021", "failed-only-2025", "growing-2017"];
const CASES: (readonly [name: string, folder: string])[] = [
  ["the example fleet", join(ROOT, "test/fixtures/fleet")],
  ...(REAL_LOGS === undefined ? [] : REAL.map(name => [name, realFolder(name)] as const)),
];

describe(`the report's numbers${NEEDS_REAL_LOGS}`, () => {
  test.each(CASES)("of %s are those counted in plain code, whatever days and sensors", async (_name, folder) => {
    const mappedDir = mkdtempSync(join(tmpdir(), "report-figures-"));
    try {
      using analysis = await analyzeLogs([folder], plainOptions(mappedDir));
      const data = buildReportData(analysis.table, { show: 5 });
      const { rows } = countSlowly(readLogFolder(folder));
      for (const filter of someFilters(data.grid)) {
        const sensors = data.sensors.filter((_, code) => filter.sensors[code] === 1);
        const [from, to] = [toIsoDay(filter.range.first), toIsoDay(filter.range.last)];
        const inside = rows.filter(row => row.date >= from && row.date <= to && sensors.includes(row.sensor));
        const scope = buildScope(data, filter, { lastDays: 7, thresholdPercent: 20 });
        const where = { from, to, sensors };
        const distinct = (name: DistinctValue) => countDistinctValues(data.distinct[name], data.grid, filter);
        const exactly = (value: number) => ({ value, low: value, high: value });
        const of = (kind: SlowRow["kind"]) => inside.filter(row => row.kind === kind);
        const sum = (found: readonly SlowRow[]) => found.reduce((total, row) => total + row.count, 0);

        const connected = new Set(rows.filter(row => row.kind === "connect").map(row => row.key[0]));
        const others = [...of("session_closed"), ...of("proxy_request")].filter(row => !connected.has(row.key[0]!));
        const addresses = new Set([...of("connect"), ...others].map(row => row.key[0]));
        addresses.delete(null);
        expect({ where, ...distinct("addresses") }).toEqual({ where, ...exactly(addresses.size) });
        const commands = new Set(of("command").map(row => row.key[0]));
        expect({ where, ...distinct("commands") }).toEqual({ where, ...exactly(commands.size) });
        const files = new Set(of("file_download").map(row => row.key[2]));
        expect({ where, ...distinct("files") }).toEqual({ where, ...exactly(files.size) });

        for (const section of data.sections) {
          const { kind, columns, needs } = SECTIONS.find(({ id }) => id === section.id)!;
          const ranking = rankSection(scope, section);
          const needed = needs === undefined ? -1 : keyOf(kind).indexOf(needs);
          const found = of(kind as SlowRow["kind"]).filter(row => needed < 0 || row.key[needed] !== null);
          expect({ where, id: section.id, total: ranking.total }).toEqual({ where, id: section.id, total: sum(found) });
          const counts = new Map<string, number>();
          for (const row of found) {
            const key = JSON.stringify(columns.map(column => row.key[keyOf(kind).indexOf(column)]));
            counts.set(key, (counts.get(key) ?? 0) + row.count);
          }
          // A long text is carried cut; what is carried whole must be there with its count.
          const carried = [...section.keys.keys()].filter(key =>
            section.keys[key]!.every(value => typeof value !== "string" || value.length < 200),
          );
          expect(carried.length).toBeGreaterThanOrEqual(Math.min(1, section.keys.length));
          for (const key of carried) {
            expect({ where, key: section.keys[key], n: ranking.counts[key] }).toEqual({
              where,
              key: section.keys[key],
              n: counts.get(JSON.stringify(section.keys[key])) ?? 0,
            });
          }
        }
        expect(buildFigures(scope).length).toBeGreaterThan(0);
      }
    } finally {
      rmSync(mappedDir, { recursive: true, force: true });
    }
  });
});

function someFilters(grid: { firstDay: number; days: number; sensors: number }): Filter[] {
  const all = new Uint8Array(grid.sensors).fill(1);
  const last = grid.firstDay + grid.days - 1;
  const within = (first: number, end: number) => ({
    first: Math.max(grid.firstDay, Math.min(last, first)),
    last: Math.max(grid.firstDay, Math.min(last, end)),
  });
  const source = seededRandom(4);
  const some = Array.from({ length: 8 }, () => {
    const days = [0, 0].map(() => grid.firstDay + Math.floor(source.next() * grid.days)).sort((a, b) => a - b);
    return { range: within(days[0]!, days[1]!), sensors: all.map(() => Number(source.next() < 0.5)) };
  });
  return [
    { range: within(grid.firstDay, last), sensors: all },
    { range: within(last - 6, last), sensors: all },
    { range: within(last - 13, last - 7), sensors: all },
    { range: within(last - 27, last), sensors: all.map((_, code) => Number(code === 0)) },
    ...some,
  ];
}
