/**
 * What an export folder holds by our own word: which logs each of its files was made from, and the state it was left in.
 *
 * Kept beside the user's key, as what a run was made from is: nothing in the folder itself is believed.
 *
 * Tested in `test/lib/logs/export-events.test.ts`.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { stateOf } from "../columns/regular-file.ts";
import { readKeptText, writeKeptText } from "../process/kept-texts.ts";
import { quoteForMessage } from "../text/text.ts";

/** What one file holds the events of. */
export const PERIODS = ["day", "month"] as const;
export type Period = (typeof PERIODS)[number];

const PURPOSE = "exports";
/** Raise it when a record has another form. */
const RECORD_VERSION = 1;

export interface ExportedFile {
  readonly rows: number;
  readonly bytes: number;
  /** Hash of all it was made from: program, options, logs. */
  readonly madeFrom: string;
  /** The logs whose days it holds: hash of the first line, bytes of text. */
  readonly logs: readonly (readonly [head: string, sizeBytes: number])[];
  /** See `stateOf`. */
  readonly state: string;
}

export interface ExportRecord {
  /** Hash of what decides which events are in it, and how they are dealt out. */
  readonly options: string;
  /** By path inside the folder. */
  readonly files: Record<string, ExportedFile>;
  /** Files that would hold nothing, and so are not there: what they would be made from. */
  readonly empty: Record<string, string>;
}

/** The record of a folder; undefined where no export of this user's is known. */
export function readExportRecord(folder: string): ExportRecord | undefined {
  const text = readKeptText(PURPOSE, nameOf(folder));
  return text === undefined ? undefined : (JSON.parse(text) as ExportRecord);
}

export function keepExportRecord(folder: string, record: ExportRecord): void {
  writeKeptText(PURPOSE, nameOf(folder), JSON.stringify(record));
}

function nameOf(folder: string): string {
  return new Bun.CryptoHasher("sha256").update(`${RECORD_VERSION}\0${resolve(folder)}`).digest("hex");
}

/** The state of a file; undefined if it is not there. */
export function stateOfFile(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : stateOf(stat);
}

/**
 * Make sure that whoever reads all Parquet files of a folder reads this export and nothing else.
 *
 * @param isOwn Whether a path inside the folder is one of the export.
 * @throws {Error} naming the first that is not.
 */
export function refuseStrangers(folder: string, isOwn: (path: string) => boolean): void {
  if (!existsSync(folder)) return;
  const inside = readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? readdirSync(join(folder, entry.name)).map(name => join(entry.name, name)) : [entry.name],
  );
  const stranger = inside.sort().find(path => path.endsWith(".parquet") && !isOwn(path));
  if (stranger === undefined) return;
  throw new Error(
    `Cannot export into ${quoteForMessage(folder)}: readers would count ${quoteForMessage(stranger)} as well, which no export ` +
      "of yours has made; choose another folder, or remove it",
  );
}

/** Whether each log that a file was made from is among those at hand, and as long as it was. */
export function coversLogs({ logs }: ExportedFile, atHand: ReadonlyMap<string, number>): boolean {
  return logs.every(([head, sizeBytes]) => (atHand.get(head) ?? -1) >= sizeBytes);
}
