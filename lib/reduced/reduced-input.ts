/**
 * A reduced table in whatever form it comes: Arrow file or stream, `reduced.json` of ours or of the ancestor, packed or
 * not, by path or on standard input. Its first bytes tell, never its name.
 *
 * Tested in `test/scripts/combine-reduced.test.ts`.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { EXIT, type ExitCode, note, STDIN, stdinIsTerminal } from "../process/cli.ts";
import { type OptionTable, UsageError } from "../process/command.ts";
import { checkInputs } from "../process/option-values.ts";
import { combineTables, type NamedTable } from "./combine.ts";
import type { SortedInput } from "./combine-sorted.ts";
import { parseReducedJson } from "./cut-counts.ts";
import { NO_SETS } from "../columns/address-sets.ts";
import { allTexts } from "../columns/dictionary.ts";
import { type KeyColumn, KIND_NAMES, KINDS, VERSION_WITHOUT_ADDRESSES } from "./kinds.ts";
import { BLOCK_BYTES, openText, streamText, type TextStream } from "../events/log-text.ts";
import { Dataset, openStored, readSorted } from "./dataset.ts";
import { isDataset } from "./dataset-manifest.ts";
import type { DayBounds } from "./day-ranges.ts";
import { tellDays, limitDays } from "./limit-days.ts";
import { readReducedArrow, type StoredReduced } from "./reduced-arrow.ts";
import { type SortedTable, toSorted } from "./sorted-table.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { countRows, isEmpty, joinTables, type ReducedTable } from "./reduced-table.ts";
import { pause, pauseNowAndThen } from "../process/pause.ts";
import { plural } from "../text/format.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { isArrow, isArrowFile, peek } from "../columns/first-bytes.ts";
import { closing } from "../columns/regular-file.ts";
import { widened } from "../columns/growing-column.ts";

/** Operand and option that name the tables a script shows as one. */
export const TABLE_OPERAND = {
  name: "TABLE",
  repeatable: true,
  help:
    "Reduced tables in any form: .arrow, reduced.json (its counts are cut, so they are shown and not tested), the " +
    "reduced.json of cowralyze; datasets; several, and those of a folder, are combined; " +
    '"-" for any table on stdin.',
} as const;
export const TABLE_OPTION = {
  file: { type: "path", short: "f", help: "A reduced table; the same as naming it as TABLE." },
} as const satisfies OptionTable;

/**
 * The tables a command line names, by option or as operands.
 *
 * @throws {UsageError} if there is none.
 */
export function listTableNames(file: string | undefined, operands: readonly string[]): string[] {
  const named = [...(file === undefined ? [] : [file]), ...operands];
  if (named.length === 0)
    throw new UsageError("Missing TABLE: expected a reduced table, such as the reduced.arrow that analyze-local.ts leaves");
  checkInputs(named, stdinIsTerminal());
  return named;
}

/** What a script tells of the tables it reads: notices unless quiet, one that is empty in any case and by its exit code. */
export class TableTelling {
  exitCode: ExitCode = EXIT.ok;
  readonly onNotice: (line: string) => void;

  constructor(quiet: boolean) {
    this.onNotice = quiet ? () => {} : note;
  }

  readonly onProblem = (line: string): void => {
    this.exitCode = EXIT.damaged;
    note(line);
  };
}

/** What `--help` of a script that reads several tables says of {@link EXIT.damaged}. */
export const EMPTY_TABLE_EXIT = "3 done, but a table among several holds nothing: stderr names it";

/** Say so of a table among several that holds nothing. */
export function checkTable({ name, table }: NamedTable, onProblem: (line: string) => void): void {
  if (isEmpty(table)) onProblem(`${quoteForMessage(name)} holds no events`);
}

/** Largest JSON read; more is no file for people, and has an Arrow file beside it. */
const JSON_MAX_BYTES = 1 << 30;

/**
 * Read a reduced table, or all of a folder as one.
 *
 * @param path "-" is standard input.
 * @param onNotice Told what was left out; safe to show.
 * @param onProblem The same of what must not be passed over.
 * @throws {Error} if it cannot be read or is something else; says what.
 */
export async function readReduced(
  path: string,
  onNotice: (line: string) => void,
  onProblem = onNotice,
): Promise<ReducedTable> {
  const name = path;
  if (path !== STDIN && isFolder(path) && !isDataset(path)) return await readFolder(path, onNotice, onProblem);
  if (path === STDIN) return await readReducedChunks(Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>, onNotice);
  try {
    if (isDataset(path)) return await toTable(readSorted(Dataset.open(path)));
    if (isArrowFile(path)) return tellVersion(name, await toTable(await readReducedArrow(path)), onNotice);
    const bytes = await readAll(openText(path));
    const table = parseReducedJson(path, bytes, onNotice);
    const full = path.replace(/\.json$/, ".arrow");
    if (full !== path && existsSync(full)) {
      onNotice(`${quoteForMessage(path)} holds the top entries only: the full counts are in ${quoteForMessage(full)}`);
    }
    return table;
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    throw new Error(`Cannot read ${quoteForMessage(name)}: ${describe(error)}`, { cause: error });
  }
}

/** {@link readReduced} of the bytes of standard input. */
export async function readReducedChunks(chunks: AsyncIterable<Uint8Array>, onNotice: (line: string) => void): Promise<ReducedTable> {
  const name = "standard input";
  try {
    const { head, all } = await peek(chunks);
    if (head.length === 0) throw new Error("it is empty");
    if (isArrow(head)) return tellVersion(name, await toTable(await readReducedArrow(all)), onNotice);
    return parseReducedJson(name, await readAll(streamText(head, all)), onNotice);
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    throw new Error(`Cannot read ${quoteForMessage(name)}: ${describe(error)}`, { cause: error });
  }
}

/** The tables of a folder as one. */
async function readFolder(
  path: string,
  onNotice: (line: string) => void,
  onProblem: (line: string) => void,
): Promise<ReducedTable> {
  const tables: NamedTable[] = [];
  for (const file of listTables(path)) {
    const named = { name: file, table: await readReduced(file, onNotice) };
    checkTable(named, onProblem);
    tables.push(named);
  }
  onNotice(`Combined ${plural(tables.length, "table")} of ${quoteForMessage(path)}`);
  return (await combineTables(tables, onNotice)).table;
}

/**
 * The tables of a folder, not of those below; of a table and its top entries the table.
 *
 * @throws {Error} if there is none.
 */
function listTables(path: string): string[] {
  const isNamedSo = (name: string) => /\.(arrow|json)$/.test(name) && !/^(\.|cowrie)/.test(name);
  const all = readdirSync(path).filter(name => isNamedSo(name) && !isFolder(join(path, name)));
  const names = all.filter(name => !name.endsWith(".json") || !all.includes(name.replace(/json$/, "arrow"))).sort();
  if (names.length === 0) {
    const isLogs = readdirSync(path).some(name => name.startsWith("cowrie"));
    const hint = isLogs ? "; analyze-local.ts is for logs" : "";
    throw new Error(`Cannot read ${quoteForMessage(path)}: no .arrow or .json of a reduced table in it${hint}`);
  }
  return names.map(name => join(path, name));
}

/** A table to be combined. */
export interface OpenedInput extends SortedInput {
  readonly rows: number;
}

/** How many rows a file has that says they stand in order; undefined for anything else. */
export function countSortedRows(path: string): number | undefined {
  if (path === STDIN || !isStored(path)) return undefined;
  return tellPath(path, () => {
    const sorted = openStored(path);
    using _sorted = sorted && closing(sorted);
    return sorted?.allRows;
  });
}

/**
 * Tables to be combined, of which as little is read as can be: those that stand sorted in a file are opened, others are in
 * memory.
 *
 * @param days Undefined = all.
 * @throws {Error} as {@link readReduced}; if none counts any of the days.
 */
export async function openInputs(paths: readonly string[], telling: TableTelling, days?: DayBounds): Promise<OpenedInput[]> {
  const opened = await openWhole(paths, telling);
  if (days === undefined) return opened;
  const inputs: OpenedInput[] = [];
  for (const input of opened) {
    const limited = await limitDays(input, days);
    if (limited === undefined) telling.onNotice(`Left out ${quoteForMessage(input.name)}: it counts no day${tellDays(days)}`);
    else inputs.push({ ...limited, read: async () => await toTable(readClosing(limited.open())) });
  }
  if (inputs.length === 0) throw new Error(`Cannot find a day${tellDays(days)}: no table counts one`);
  return inputs;
}

function readClosing(table: SortedTable): StoredReduced {
  using _table = closing(table);
  return readSorted(table);
}

async function openWhole(paths: readonly string[], telling: TableTelling): Promise<OpenedInput[]> {
  const { onNotice, onProblem } = telling;
  const inputs: OpenedInput[] = [];
  for (const path of paths.flatMap(path => (path !== STDIN && isFolder(path) && !isDataset(path) ? listTables(path) : [path]))) {
    const sorted = path !== STDIN && isStored(path) ? openSortedInput(path, telling) : undefined;
    if (sorted !== undefined) {
      inputs.push(sorted);
      await pauseNowAndThen();
      continue;
    }
    const table = await readReduced(path, onNotice, onProblem);
    const named = { name: path === STDIN ? "standard input" : path, table };
    checkTable(named, onProblem);
    const rows = countRows(table);
    inputs.push({ name: named.name, info: table.info, rows, read: async () => table, open: () => toSorted(table, named.name) });
    await pause();
  }
  return inputs;
}

function tellVersion(name: string, table: ReducedTable, onNotice: (line: string) => void): ReducedTable {
  if (table.info.version === VERSION_WITHOUT_ADDRESSES) {
    onNotice(
      `${quoteForMessage(name)} is of an earlier version: it does not tell from how many addresses its events came; ` +
        "reduce.ts makes it anew from the logs",
    );
  }
  return table;
}

/** A file that says it is sorted, or a dataset, closed until it is merged; undefined = it is something else. */
function openSortedInput(path: string, { onNotice, onProblem }: TableTelling): OpenedInput | undefined {
  const told = tellPath(path, () => {
    const sorted = openStored(path);
    try {
      return sorted && { info: sorted.info, isEmpty: sorted.isEmpty(), rows: sorted.allRows };
    } finally {
      sorted?.close();
    }
  });
  if (told === undefined) return undefined;
  if (told.isEmpty) onProblem(`${quoteForMessage(path)} holds no events`);
  const { info, rows } = told;
  return { name: path, info, rows, read: () => readReduced(path, onNotice), open: () => tellPath(path, () => openStored(path)!) };
}

/** Whose error names the file. */
export function tellPath<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${describe(error)}`, { cause: error });
  }
}

/** Whether a path may lead to rows in their order. */
function isStored(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true || isDataset(path);
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Read a reduced table from its Arrow bytes.
 *
 * @throws {TypeError} if they are something else.
 */
export async function readReducedStream(bytes: Uint8Array): Promise<ReducedTable> {
  return await toTable(await readReducedArrow(bytes));
}

function describe(error: unknown): string {
  const reason = errorReason(error);
  if (reason.startsWith("not a reduced table")) return `${reason}; reduce.ts makes one from logs and event tables`;
  return reason.startsWith("a reduced table of version") ? `${reason}; reduce.ts makes it anew from the logs` : reason;
}

/** As {@link tellPath} of what takes its time. */
export async function tellPathLater<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    return tellPath(path, () => {
      throw error;
    });
  }
}

/** All of a text. */
async function readAll(text: TextStream): Promise<Uint8Array> {
  using _text = closing(text);
  let bytes = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  for (;;) {
    if (filled === bytes.length) {
      if (filled >= JSON_MAX_BYTES) throw new Error("it is longer than 1 GiB, expected a reduced.json");
      bytes = widened(bytes);
    }
    const n = await text.read(bytes, filled, bytes.length - filled);
    if (n === 0) break;
    filled += n;
  }
  if (filled === 0) throw new Error("it is empty");
  return bytes.subarray(0, filled);
}

/** A table as it was written (all of its parts lead to the same sets); one that somebody else has written is brought into canonical order. */
async function toTable({ info, parts }: StoredReduced): Promise<ReducedTable> {
  const [first] = parts;
  const dictionaries = Object.fromEntries(
    CODED_COLUMNS.map(name => [name, first === undefined ? [] : allTexts(first.texts[name])]),
  ) as Record<CodedColumn, string[]>;
  const kinds = Object.fromEntries(
    KIND_NAMES.map(kind => [kind, joinTables(kind, parts.flatMap(part => part.kinds[kind] ?? []))]),
  ) as unknown as ReducedTable["kinds"];
  // A plain object: of a dictionary nothing is left where it is handed to a thread.
  const { size, hashes, offsets } = first?.sets ?? NO_SETS;
  const sets = { size, hashes, offsets };
  const table = { info, dictionaries, sets, kinds };
  return isCanonical(table) ? table : (await combineTables([{ name: "", table }], () => {})).table;
}

/** Tell whether texts and rows stand in their order, each once. */
function isCanonical({ dictionaries, kinds }: ReducedTable): boolean {
  const isRising = (texts: readonly string[]) => texts.every((text, i) => i === 0 || texts[i - 1]! < text);
  if (!CODED_COLUMNS.every(name => isRising(dictionaries[name]))) return false;
  return KIND_NAMES.every(kind => {
    const { rows, day, sensor, keys } = kinds[kind];
    const columns = [day, sensor, ...KINDS[kind].map((column: KeyColumn) => keys[column]!)];
    for (let row = 1; row < rows; row++) {
      let i = 0;
      while (i < columns.length && columns[i]![row] === columns[i]![row - 1]) i++;
      if (i === columns.length || columns[i]![row]! < columns[i]![row - 1]!) return false;
    }
    return true;
  });
}
