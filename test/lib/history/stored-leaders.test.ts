/** The keys looked at of a table in its file are those of the table in memory, and their rows are found again. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { buildSeries, buildWatch } from "../../../lib/history/day-series.ts";
import { FAMILIES, FAMILY_NAMES, familiesOfKind } from "../../../lib/history/families.ts";
import { toHistorySource } from "../../../lib/history/history-source.ts";
import { SlotFinder } from "../../../lib/history/key-slots.ts";
import { findLeadingKeys } from "../../../lib/history/stored-leaders.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, watch } from "../../support/days.ts";
import { drawEventful } from "../../support/eventful-table.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let written = 0;

async function store(table: ReducedTable): Promise<StoredTable> {
  const path = join(temp.path, `${written++}.arrow`);
  await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
  return StoredTable.open(path)!;
}

/** Credentials whose halves are ten times as common: what was guessed of them is not reached. */
function drawCredentials(seed: string): ReducedTable {
  const random = seededRandom(seed);
  const logins = Array.from({ length: 12 }, (_, day) => {
    const pairs = new Set(Array.from({ length: 700 }, () => random.int(4000)));
    return [...pairs].map((n): LiteralRow => ({ kind: "login", date: dateOf(day), sensor: "a", key: { username: n % 400 === 7 ? null : `u${n % 400}`, password: `p${(n * 7 + Math.floor(n / 400)) % 400}` }, count: 1 + random.int(4) }));
  });
  return buildReduced([...watch("a", 12), ...logins.flat()]);
}

describe("leaders", () => {
  for (const [name, table] of [["a table in which much happened", drawEventful("leaders")], ["credentials of common halves", drawCredentials("pairs")]] as const) {
    test(name, async () => {
      const stored = await store(table);
      const days = buildWatch(toHistorySource(table).connects, buildCoverage(table));
      for (const family of FAMILY_NAMES) {
        const { kind } = FAMILIES[family];
        const own = findLeadingKeys(stored, kind)[familiesOfKind(kind).indexOf(family)]!;
        const inPasses = findLeadingKeys(stored, kind, 61)[familiesOfKind(kind).indexOf(family)]!;
        expect(inPasses).toEqual(own);
        const series = buildSeries(table, days, undefined, family);
        expect(own.values).toEqual(series.map(({ values }) => values));
        // Rows of the one and of the other are the same: it is one file.
        const finder = new SlotFinder(own.slots);
        const rows = series.map((): number[] => []);
        let before = 0;
        for (const part of stored.parts(kind)) {
          const found = finder.find(part);
          for (let i = 0; i < found.size; i++) rows[found.places[i]!]!.push(before + found.rows[i]!);
          before += part.rows;
        }
        expect(rows).toEqual(series.map(one => [...one.rows]));
      }
    });
  }
});
