/**
 * Adds reduced tables to a dataset: what comes of it is the dataset of all their logs, the same bytes in any order and any
 * number of steps.
 *
 * A part that stays as it was is not written, and where the new tables have no day in a month its parts are not even read,
 * but for the last commands of sessions, which may go on. New parts come first, the manifest after them, by renaming; then
 * what it no longer names is removed. A run that dies on the way leaves the dataset as it was, and files that the next removes.
 *
 * Tested in `test/lib/reduced/dataset.test.ts`.
 */
import { lstatSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { dayOf } from "../text/time.ts";
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { quoteForMessage } from "../text/text.ts";
import { OutputSet, removeStaleIn } from "../process/output-file.ts";
import { pause } from "../process/pause.ts";
import { checkHeld, type NamedInfo } from "./combine.ts";
import { combineSorted, type CombinedSorted, TOGETHER } from "./combine-sorted.ts";
import { Dataset } from "./dataset.ts";
import {
  compareParts,
  type DatasetPart,
  daysOfMonth,
  foldersOf,
  isDataset,
  MANIFEST_NAME,
  manifestToText,
  monthOf,
  PART_NAME,
  requireFolders,
  requireFree,
} from "./dataset-manifest.ts";
import { PART_ROWS, PartRows } from "./dataset-part.ts";
import { type DayBounds, hasDay, shareDays, uniteDays } from "./day-ranges.ts";
import type { ReducedInfo } from "./reduced-table.ts";
import { dropDays, type SettledDays, settleDays } from "./settle-days.ts";

export interface WrittenDataset {
  readonly info: ReducedInfo;
  readonly leftOut: readonly string[];
  readonly joinedLines: number;
  /** Of the whole dataset. */
  readonly rows: number;
  readonly parts: number;
  readonly writtenParts: number;
  readonly removedParts: number;
}

/** What is told of a dataset that was written; safe to show. */
export function describeDataset({ rows, parts, writtenParts, removedParts }: WrittenDataset): string {
  const changed = writtenParts + removedParts === 0 ? "none changed" : `${formatNumber(writtenParts)} written, ${formatNumber(removedParts)} removed`;
  return `dataset of ${formatNumber(rows)} rows in ${plural(parts, "part")}, ${changed}`;
}

/** The file that stands for a dataset where outputs are locked and looked at; its folder is made by them. */
export function datasetOutput(folder: string): string {
  requireFree(folder);
  return join(folder, MANIFEST_NAME);
}

/**
 * Add tables to a dataset, which is made if there is none. Whoever calls it holds the lock of {@link datasetOutput}.
 *
 * @throws {Error} as `combineTables`, or if counts were cut, or the folder is something else.
 */
export async function addToDataset(folder: string, tables: readonly NamedInfo[], onNotice: (line: string) => void): Promise<WrittenDataset> {
  requireFree(folder);
  const cut = tables.find(({ info }) => info.sources.some(({ cut }) => cut));
  if (cut !== undefined) throw new Error(`Cannot add ${quoteForMessage(cut.name)} to a dataset: its counts were cut, expected full counts`);
  const old = isDataset(folder) ? Dataset.open(folder) : undefined;
  // That it is part of the new tables is what these are for.
  const own = `Left out ${quoteForMessage(folder)}:`;
  const told = new Set<string>();
  const tellOnce = (line: string) => {
    if (!line.startsWith(own) && !told.has(line)) onNotice(line);
    told.add(line);
  };
  const inputs = old === undefined ? { tables } : await settleTables(old, tables, tellOnce);
  const written = (await write(folder, inputs, monthsOf(tables), tellOnce)) ?? (await write(folder, inputs, () => true, tellOnce))!;
  return { ...written, removedParts: await removeOthers(folder, written.manifest) };
}

/** What is merged: new tables, and the dataset with what is left of its logs and days. */
interface Inputs {
  readonly tables: readonly NamedInfo[];
  readonly old?: { readonly dataset: Dataset; readonly info: ReducedInfo; readonly replaced: readonly DayBounds[] };
}

/**
 * Settle which days of logs the dataset counts, and which the new tables.
 *
 * @throws {Error} if one of the two lacks counts of a day that it says it has all of.
 */
async function settleTables(dataset: Dataset, tables: readonly NamedInfo[], onNotice: (line: string) => void): Promise<Inputs> {
  let { info } = dataset;
  let replaced: readonly DayBounds[] = [];
  const left: NamedInfo[] = [];
  for (const table of tables) {
    const settled = (await settleHeld(dataset, info, table, false)) ?? (await settleHeld(dataset, info, table, true));
    if (settled === undefined) {
      left.push(table);
      continue;
    }
    for (const { path, day } of settled.grown) {
      onNotice(`${quoteForMessage(path)} went on after its ${toIsoDay(day)} was counted: read that day again (--since ${toIsoDay(day)}) if more was written on it`);
    }
    info = { ...info, sources: settled.old };
    replaced = uniteDays([...replaced, ...settled.replaced]);
    const rest = { ...table.info, sources: settled.added };
    if (rest.sources.length > 0) left.push({ name: table.name, info: rest, open: () => dropDays(table.open(), rest, settled.kept) });
  }
  return info.sources.length === 0 ? { tables: left } : { tables: left, old: { dataset, info, replaced } };
}

/**
 * {@link settleDays}, if what each of the two says of its days is true.
 *
 * @returns undefined if it cannot be settled so; the last time it throws.
 */
async function settleHeld(dataset: Dataset, info: ReducedInfo, table: NamedInfo, prefersNew: boolean): Promise<SettledDays | undefined> {
  const settled = settleDays(info, table.info, prefersNew);
  if (settled === undefined) return undefined;
  const { kept, replaced } = settled;
  const ofDays = (ranges: readonly DayBounds[]) => ({ name: dataset.name, info, open: () => dataset.only(({ month }) => shareDays([daysOfMonth(month)], ranges)) });
  try {
    if (replaced.length > 0) await checkHeld(table, ofDays(replaced), day => hasDay(replaced, day));
    if (kept.length > 0) await checkHeld(ofDays(kept), table, day => hasDay(kept, day));
    return settled;
  } catch (error) {
    if (prefersNew) throw error;
    return undefined;
  }
}

/** Tells in which months the logs of tables may have events. */
function monthsOf(tables: readonly NamedInfo[]): (month: string) => boolean {
  let first = Infinity;
  let last = -Infinity;
  for (const { info: { sources } } of tables) {
    for (const { firstSeenUs, lastSeenUs } of sources) {
      if (firstSeenUs !== undefined) first = Math.min(first, dayOf(firstSeenUs));
      if (lastSeenUs !== undefined) last = Math.max(last, dayOf(lastSeenUs));
    }
  }
  return month => {
    const [from, to] = daysOfMonth(month);
    return from <= last && first <= to;
  };
}

/**
 * @param mayChange Of other months the parts of the dataset stay as they are.
 * @returns undefined if there came rows of another month all the same, as of a line that was cut: nothing has changed then.
 */
async function write(
  folder: string,
  { tables, old }: Inputs,
  mayChange: (month: string) => boolean,
  onNotice: (line: string) => void,
) {
  const isMerged = ({ kind, month }: Pick<DatasetPart, "kind" | "month">) => TOGETHER.has(kind) || mayChange(month);
  let isKept = false;
  const open = () => {
    isKept = true;
    return dropDays(old!.dataset.only(isMerged), old!.info, old!.replaced);
  };
  const inputs = old === undefined ? tables : [{ name: folder, info: old.info, open }, ...tables];
  using combined = await combineSorted(inputs, 1, folder, onNotice);
  const parts = isKept ? old!.dataset.parts.filter(part => !isMerged(part)) : [];
  const months = new Set(parts.map(part => foldersOf(part).join("/")));
  let writtenParts = 0;
  for await (const rows of partsOf(combined)) {
    if (months.has(foldersOf(rows).join("/"))) return undefined;
    const bytes = rows.toBytes(combined.texts);
    const part = { kind: rows.kind, month: rows.month, name: `part-${hashOf(bytes)}.arrow`, rows: rows.rows, bytes: bytes.length };
    if (await writePart(folder, part, bytes)) writtenParts++;
    parts.push(part);
  }
  // The order among those of one month stays.
  const manifest = { info: combined.info, parts: parts.sort(compareParts) };
  await writeManifest(folder, manifestToText(manifest));
  const rows = parts.reduce((sum, { rows }) => sum + rows, 0);
  return { manifest, info: combined.info, leftOut: combined.leftOut, joinedLines: combined.joinedLines, rows, parts: parts.length, writtenParts };
}

function hashOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** The rows of tables by kind and month, in their order. */
async function* partsOf(combined: CombinedSorted): AsyncGenerator<PartRows> {
  let waiting: PartRows | undefined;
  for (const batch of combined.batches()) {
    const { kind, rows, day } = batch.table;
    for (let start = 0; start < rows; ) {
      const month = monthOf(day[start]!);
      const last = daysOfMonth(month)[1];
      if (waiting !== undefined && (waiting.kind !== kind || waiting.month !== month || waiting.rows === PART_ROWS)) {
        yield waiting;
        waiting = undefined;
      }
      waiting ??= new PartRows(kind, month);
      const most = Math.min(rows, start + PART_ROWS - waiting.rows);
      let end = start + 1;
      while (end < most && day[end]! <= last) end++;
      waiting.add(batch, start, end);
      start = end;
    }
    await pause();
  }
  if (waiting !== undefined) yield waiting;
}

/** @returns Whether it had to be written: not if it lies there, byte for byte. */
async function writePart(folder: string, part: DatasetPart, bytes: Buffer): Promise<boolean> {
  requireFolders(folder, part);
  const path = join(folder, ...foldersOf(part), part.name);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() === true && stat.size === bytes.length && readFileSync(path).equals(bytes)) return false;
  // A link must not lead the bytes elsewhere.
  if (stat?.isSymbolicLink() === true) unlinkSync(path);
  await writeWhole(path, bytes);
  return true;
}

async function writeManifest(folder: string, text: string): Promise<void> {
  const path = join(folder, MANIFEST_NAME);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() === true && stat.size === Buffer.byteLength(text) && readFileSync(path, "utf8") === text) return;
  await writeWhole(path, text);
}

async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await using outputs = new OutputSet();
  await (await outputs.open(path)).write(content);
  await outputs.commit();
}

/**
 * Remove parts that the manifest does not name, what dead runs left, and folders with nothing in them.
 *
 * @returns How many parts were removed.
 */
async function removeOthers(folder: string, { parts }: { readonly parts: readonly DatasetPart[] }): Promise<number> {
  const named = new Set(parts.map(part => join(...foldersOf(part), part.name)));
  let removed = 0;
  for (const kind of foldersIn(folder, /^kind=\w+$/)) {
    for (const month of foldersIn(join(folder, kind), /^month=\d{4}-\d\d$/)) {
      const place = join(folder, kind, month);
      await removeStaleIn(place);
      for (const name of readdirSync(place)) {
        if (!PART_NAME.test(name) || named.has(join(kind, month, name))) continue;
        unlinkSync(join(place, name));
        removed++;
      }
      removeIfEmpty(place);
    }
    removeIfEmpty(join(folder, kind));
  }
  return removed;
}

/** Folders by name; a link is none. */
function foldersIn(folder: string, isOne: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory() && isOne.test(entry.name)).map(({ name }) => name);
}

function removeIfEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
