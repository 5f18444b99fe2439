/**
 * The tables of a command line as one: in memory where they are small, else in a file that is read part by part.
 *
 * Tested in `test/scripts/history.test.ts`.
 */
import { join } from "node:path";
import { STDIN } from "../process/cli.ts";
import { makeTempFolder } from "../process/temp-folder.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { plural } from "../text/format.ts";
import { quoteForMessage } from "../text/text.ts";
import { busiestDays, countOutside } from "./busiest-days.ts";
import { type CellSums, tellsEvents } from "./cell-sums.ts";
import { type CHECK_TASKS, sumUp } from "./check-table.ts";
import { combineSorted, type SortedInput, writeFile } from "./combine-sorted.ts";
import { combineTables } from "./combine.ts";
import { describeOutside, type DrawnTable, drawTable, DAYS_DRAWN, sensorsDrawn } from "./drawn-table.ts";
import { isDataset } from "./dataset-manifest.ts";
import type { DayBounds } from "./day-ranges.ts";
import { countSortedRows, isFolder, openInputs, readReduced, readReducedChunks, type TableTelling, tellPath, tellPathLater } from "./reduced-input.ts";
import { countRows, isEmpty, type ReducedTable } from "./reduced-table.ts";
import { selectTable, type TableSelection } from "./select-table.ts";
import type { PoolOpener, StoredPool, StoredTasks } from "./stored-pool.ts";
import { type StoredSelection, StoredTable } from "./stored-table.ts";

/** Rows from which a table is not held in memory: with what statistics make of them, 400 bytes each (measured at 5.2 million). */
const LARGE_ROWS = 1_500_000;
/** Bytes of a stream from which it is put into a file. */
const LONG_BYTES = 256 << 20;

/** A table in a file, as much of it as is looked at. */
export interface LargeTable<Tasks extends StoredTasks = StoredTasks> extends StoredInFile<Tasks> {
  readonly selection: StoredSelection;
}

interface StoredInFile<Tasks extends StoredTasks> {
  readonly path: string;
  readonly stored: StoredTable;
  readonly cells: CellSums;
  /** Works on the same table, and as much of it. */
  readonly pool: StoredPool<Tasks>;
}

/** What is asked of whoever opens a pool. */
type CheckTasks = typeof CHECK_TASKS & StoredTasks;

interface HowToOpen<Tasks extends CheckTasks> {
  readonly openPool: PoolOpener<Tasks>;
  /** Rows from which tables stay in a file. */
  readonly largeRows?: number;
  /** Undefined = all. */
  readonly days?: DayBounds | undefined;
}

/** What pages and statistics look at: of a table in memory that was `whole`, or of a large one, whose `table` has the sums alone. */
export type DrawnTables<Tasks extends StoredTasks> = DrawnTable &
  ({ readonly whole: ReducedTable; readonly large?: undefined } | { readonly large: LargeTable<Tasks>; readonly whole?: undefined });

/** The tables that a command line names. */
export class OpenedTables<Tasks extends CheckTasks> implements Disposable {
  readonly sensors: readonly string[];
  readonly isEmpty: boolean;
  readonly rows: number;
  readonly parameters: ReductionParameters;
  /** Of all tables, whatever is looked at of them; of large ones the sums alone. */
  readonly all: ReducedTable;
  readonly #opened: ReducedTable | StoredInFile<Tasks>;
  readonly #stack: DisposableStack;

  constructor(opened: ReducedTable | StoredInFile<Tasks>, stack: DisposableStack) {
    this.#stack = stack;
    this.#opened = opened;
    this.all = "stored" in opened ? opened.cells.table : opened;
    this.sensors = ("stored" in opened ? opened.stored : opened).dictionaries.sensor;
    this.isEmpty = !("stored" in opened) && isEmpty(opened);
    this.rows = "stored" in opened ? Object.values(opened.cells.rows).reduce((sum, rows) => rows.reduce((a, b) => a + b, sum), 0) : countRows(opened);
    this.parameters = ("stored" in opened ? opened.stored : opened).info.parameters;
  }

  /**
   * What is looked at of the tables.
   *
   * @param mayBeLarge Whether whoever asks can read a table part by part.
   */
  async draw(selection: TableSelection, mayBeLarge: boolean): Promise<DrawnTables<Tasks>> {
    const opened = this.#opened;
    const large = "stored" in opened && mayBeLarge ? await drawLarge(opened, selection) : undefined;
    if (large !== undefined) return large;
    const all = "stored" in opened ? await readReduced(opened.path, () => {}) : opened;
    const whole = isAll(selection) ? all : selectTable(all, selection);
    return { ...drawTable(whole), whole };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** @returns undefined if there are more sensors than are looked at one by one, or counts of sensor-days that tell no event. */
async function drawLarge<Tasks extends CheckTasks>({ path, stored: all, cells: sums, pool }: StoredInFile<Tasks>, selection: StoredSelection): Promise<DrawnTables<Tasks> | undefined> {
  const look = async (part: StoredSelection) => {
    pool.look(part);
    const stored = all.select(part);
    return { stored, cells: await sumUp(stored, pool, "sum") };
  };
  const { stored, cells } = isAll(selection) ? { stored: all, cells: sums } : await look(selection);
  const range = busiestDays(cells.table, DAYS_DRAWN);
  const allSensors = stored.dictionaries.sensor.length;
  if (range === undefined || !tellsEvents(cells) || allSensors > sensorsDrawn(range)) return undefined;
  const isOutside = Object.values(cells.table.kinds).some(
    ({ kind, rows, day }) => kind !== "scan" && rows > 0 && (day[0]! < range.first || day[rows - 1]! > range.last),
  );
  if (!isOutside) return { table: cells.table, allSensors, limits: [], large: { path, selection, stored, cells, pool } };
  const within = { ...selection, days: range };
  const large = { path, selection: within, ...(await look(within)), pool };
  return { table: large.cells.table, allSensors, limits: [describeOutside(countOutside(cells.table, range), range)], large };
}

function isAll({ sensors, kinds }: TableSelection): boolean {
  return sensors === undefined && kinds === undefined;
}

/**
 * Open the tables of a command line; several, and those of folders, are combined.
 *
 * @throws {Error} as `readReduced` and `combineTables`.
 */
export async function openReducedTables<Tasks extends CheckTasks>(paths: readonly string[], telling: TableTelling, how: HowToOpen<Tasks>): Promise<OpenedTables<Tasks>> {
  const stack = new DisposableStack();
  try {
    const opened = await openAll(paths, telling, how, stack);
    const { shard } = ("stored" in opened ? opened.stored : opened).info;
    if (shard !== undefined) throw new Error(`Cannot show shard ${shard.number} of ${shard.of} alone: expected all ${shard.of}, as several tables`);
    return new OpenedTables<Tasks>(opened, stack);
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/** Open a table that we put into a file ourselves. */
export async function openOwnTable<Tasks extends CheckTasks>(path: string, openPool: PoolOpener<Tasks>): Promise<OpenedTables<Tasks>> {
  const stack = new DisposableStack();
  try {
    return new OpenedTables<Tasks>(await openInFile(path, "sum", { openPool, stack }), stack);
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

async function openAll<Tasks extends CheckTasks>(
  paths: readonly string[],
  telling: TableTelling,
  { openPool, largeRows = LARGE_ROWS, days }: HowToOpen<Tasks>,
  stack: DisposableStack,
): Promise<ReducedTable | StoredInFile<Tasks>> {
  const { onNotice, onProblem } = telling;
  const [only] = paths;
  const isFolderOnly = paths.length === 1 && only !== STDIN && isFolder(only!) && !isDataset(only!);
  if (days === undefined && paths.length === 1 && only === STDIN) return await openStream(Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>, onNotice, { openPool, stack });
  if (days === undefined && paths.length === 1 && !isFolderOnly) {
    const isLarge = (countSortedRows(only!) ?? 0) >= largeRows;
    return isLarge ? await openInFile(only!, "check", { openPool, stack }) : await readReduced(only!, onNotice, onProblem);
  }
  const inputs = await openInputs(paths, telling, days);
  const isCut = inputs.some(({ info }) => info.sources.some(({ cut }) => cut));
  if (isCut || inputs.reduce((sum, { rows }) => sum + rows, 0) < largeRows) {
    const tables = [];
    for (const { name, read } of inputs) tables.push({ name, table: await read() });
    if (inputs.length > 1 || isFolderOnly) onNotice(`Combined ${plural(inputs.length, "table")}${isFolderOnly ? ` of ${quoteForMessage(only!)}` : ""}`);
    return (await combineTables(tables, onNotice)).table;
  }
  // What we made ourselves need not be checked.
  return await openInFile(await combineToFile(inputs, onNotice, stack), "sum", { openPool, stack });
}

/**
 * A table that comes as a stream: put into a file once it is longer than memory is spared for.
 *
 * @param longBytes Bytes from which on it is.
 */
export async function openStream<Tasks extends CheckTasks>(
  chunks: AsyncIterable<Uint8Array>,
  onNotice: (line: string) => void,
  where: OpenPlace<Tasks>,
  longBytes = LONG_BYTES,
): Promise<ReducedTable | StoredInFile<Tasks>> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  const rest = chunks[Symbol.asyncIterator]();
  for (let next = await rest.next(); ; next = await rest.next()) {
    if (next.done === true) return await readReducedChunks(inOrder(held), onNotice);
    bytes += held[held.push(next.value) - 1]!.length;
    if (bytes >= longBytes) break;
  }
  const path = join(makeTempFolder(where.stack), "stream.arrow");
  await writeFile(path, inOrder(held.splice(0), rest));
  if (countSortedRows(path) === undefined) return await readReduced(path, onNotice);
  return await openInFile(path, "check", where, "standard input");
}

async function* inOrder(held: readonly Uint8Array[], rest?: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* held;
  for (let next = await rest?.next(); next?.done === false; next = await rest!.next()) yield next.value;
}

/** With what tables are opened, and what closes them. */
interface OpenPlace<Tasks extends CheckTasks> extends Pick<HowToOpen<Tasks>, "openPool"> {
  readonly stack: DisposableStack;
}

/** Open a file of rows in order, see {@link sumUp}. */
async function openInFile<Tasks extends CheckTasks>(path: string, task: keyof typeof CHECK_TASKS, { openPool, stack }: OpenPlace<Tasks>, name = path): Promise<StoredInFile<Tasks>> {
  const stored = stack.use(tellPath(name, () => StoredTable.open(path)!));
  if (task === "check") tellPath(name, () => stored.checkTexts());
  const pool = stack.use(openPool(path, stored));
  return { path, stored, cells: await tellPathLater(name, () => sumUp(stored, pool, task)), pool };
}

async function combineToFile(inputs: readonly SortedInput[], onNotice: (line: string) => void, stack: DisposableStack): Promise<string> {
  const folder = makeTempFolder(stack);
  using combined = await combineSorted(inputs, 1, folder, onNotice);
  const path = join(folder, "combined.arrow");
  await writeFile(path, combined.chunks("file"));
  return path;
}
