/**
 * Which values are new, returned or gone.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { plural, toIsoDay } from "../text/format.ts";
import { whyNothingNew } from "../statistics/no-comparison.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { buildLedgerTable, numberCell, sensorsText, type TableView, textCell, toTable, TYPE_WORDS } from "../view/stats-tables.ts";
import { type SectionView, withRows } from "./stats-section.ts";

export function toNoveltySection({ novelty, options, coverage }: Statistics): SectionView {
  const words =
    `Known values were seen at any time, active ones since ${toIsoDay(novelty.sinceDay)}. Returned ones came back after ` +
    `${options.returningAfterDays} watched days or more without them; gone ones had been seen on three days or more, and ` +
    `not on the last ${options.returningAfterDays} watched days. A command pattern stands for all command lines that ` +
    "differ only in what varies by itself, such as passwords and addresses.";
  const newHere = buildLedgerTable("new-here", "New on a sensor", novelty.newHere, [
    "New on",
    "",
    entry => textCell(sensorsText(entry.newOn), entry.newOn.length),
  ]);
  const returning = buildLedgerTable("returning", "Returned values", novelty.returning, [
    "Absent",
    "",
    entry => textCell(`${plural(entry.absentDays, "day")} to ${toIsoDay(entry.returnedOn)}`, entry.absentDays, "time"),
  ]);
  return {
    id: "new",
    name: "New and gone",
    heading: "Which values are new, returned or gone?",
    lead:
      novelty.claimsFromDay === null
        ? `Nothing is called new: ${whyNothingNew(coverage, options.burnInDays)}. ${words}`
        : `New values were never seen before ${toIsoDay(novelty.sinceDay)} by any sensor; in the burn-in, the first ` +
          `${options.burnInDays} watched days, nothing is called new. ${words}`,
    charts: [],
    tables: [
      { title: "", table: buildTotalsTable(novelty) },
      ...withRows(
        { title: "New", table: buildLedgerTable("new", "New values", novelty.new) },
        { title: "New on a sensor, known elsewhere", table: newHere },
        { title: "Returned", table: returning },
        { title: "Gone", table: buildLedgerTable("gone", "Gone values", novelty.gone) },
      ),
    ],
  };
}

/** How many values there are of each kind; none is called new where nothing can be. */
function buildTotalsTable({ totals, claimsFromDay }: Statistics["novelty"]): TableView {
  const claim = (n: number) => numberCell(claimsFromDay === null ? null : n);
  return toTable(
    "novelty",
    "Values by kind",
    [
      ["Kind", "", entry => textCell(TYPE_WORDS[entry.type].many)],
      ["Known", "number", entry => numberCell(entry.values)],
      ["Active", "number", entry => numberCell(entry.active)],
      ["New", "number", entry => claim(entry.new)],
      ["New on a sensor", "number", entry => claim(entry.newHere)],
      ["Returned", "number", entry => numberCell(entry.returning)],
      ["Gone", "number", entry => numberCell(entry.gone)],
    ],
    totals.filter(entry => entry.values > 0),
  );
}
