/**
 * Check every row of a table in its file, and sum it up by sensor-day, as tasks: whoever reads parts of it afterwards trusts them.
 *
 * Tested in `test/lib/reduced/large-tables.test.ts`.
 */
import { type CellSums, CellSummer, type KindSums } from "./cell-sums.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import type { Stretch } from "./sorted-table.ts";
import type { StoredPool, StoredTasks } from "./stored-pool.ts";
import type { StoredTable } from "./stored-table.ts";

/** Some rows of a kind that stand together. */
interface StretchAsk {
  readonly kind: Kind;
  readonly stretch: Stretch;
}

export const CHECK_TASKS = {
  /** The sums of all rows, whatever is selected, each of them checked. */
  check: (stored, { kind, stretch }: StretchAsk): KindSums => sumStretch(kind, stored.checkedParts(kind, stretch)),
  /** The sums of what is selected of rows that were checked before. */
  sum: (stored, { kind, stretch }: StretchAsk): KindSums => sumStretch(kind, stored.parts(kind, {}, stretch)),
} as const satisfies StoredTasks;

/** Rows of a task: enough of them that two threads end at about the same time. */
const ROWS_PER_TASK = 2_000_000;

function sumStretch(kind: Kind, parts: ReturnType<StoredTable["checkedParts"]>): KindSums {
  const summer = new CellSummer();
  for (const part of parts) summer.add(part);
  return summer.finishKind(kind);
}

/**
 * @param pool Of the same table.
 * @param task Whether its rows are still to be checked.
 * @throws {RangeError} if a row says what no row can, or rows do not stand in their order.
 */
export async function sumUp(stored: StoredTable, pool: StoredPool<typeof CHECK_TASKS>, task: keyof typeof CHECK_TASKS, rowsPerTask = ROWS_PER_TASK): Promise<CellSums> {
  const stretches = KIND_NAMES.flatMap(kind => stretchesOf(stored.placesOf(kind), rowsPerTask).map(({ stretch, rows }) => ({ ask: { kind, stretch }, rows })));
  const found = stretches.map(({ ask, rows }) => pool.ask(task, ask, rows));
  // Why one fails is told when its turn comes.
  for (const sums of found) sums.catch(() => {});
  const summer = new CellSummer();
  // Each is let go once it is added: of events there are as many sums as sensors have hours.
  while (found.length > 0) summer.addSums(await found.shift()!);
  return summer.finish(stored);
}

/** Parts of a stretch of so many rows, about. */
function stretchesOf({ start, rows }: ReturnType<StoredTable["placesOf"]>, rowsPerTask: number) {
  const stretches: { stretch: Stretch; rows: number }[] = [];
  for (let at = 0; at < rows.length; ) {
    const first = at;
    let sum = 0;
    while (at < rows.length && (at === first || sum + rows[at]! <= rowsPerTask)) sum += rows[at++]!;
    stretches.push({ stretch: { start: start + first, end: start + at }, rows: sum });
  }
  return stretches;
}
