/**
 * What a dataset is: a folder of Arrow files, `kind=login/month=2026-07/part-<hash>.arrow`, and a manifest that names those
 * that count. A file that it does not name is none of the dataset.
 *
 * Parts never change: their name is the hash of their bytes. So whoever holds a manifest reads one state of the whole, and a
 * run that is killed has changed nothing. The manifest names no path, only what one is made of, and a link is not followed:
 * nothing outside the folder is read or removed.
 *
 * Tested in `test/lib/reduced/dataset.test.ts`.
 */
import { closeSync, fstatSync, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkReducedInfo, parseInfo } from "../events/table-metadata.ts";
import { readBytes } from "../columns/arrow-ipc.ts";
import { openRegular } from "../columns/regular-file.ts";
import { toIsoDay } from "../text/format.ts";
import { errorReason, quoteForMessage, visible } from "../text/text.ts";
import { DAY_MS, toDay } from "../text/time.ts";
import { type Kind, KIND_NAMES, REDUCED_VERSION } from "./kinds.ts";
import type { ReducedInfo } from "./reduced-table.ts";

/** A name that readers of such folders pass over. */
export const MANIFEST_NAME = "_manifest.json";
/** Of the form of the folder; that of the rows is `REDUCED_VERSION`. */
const DATASET_VERSION = 1;
const MANIFEST_MAX_BYTES = 256 << 20;
export const PART_NAME = /^part-[0-9a-f]{16}\.arrow$/;

/** One file: some rows of a kind in a month. */
export interface DatasetPart {
  readonly kind: Kind;
  /** `YYYY-MM` */
  readonly month: string;
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface Manifest {
  /** As of a reduced table: sources, each with the days of it that are counted where these are not all. */
  readonly info: ReducedInfo;
  /** In the order of their rows: kind by kind, month by month. */
  readonly parts: readonly DatasetPart[];
}

/** Tell a dataset from other folders. */
export function isDataset(folder: string): boolean {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && lstatSync(join(folder, MANIFEST_NAME), { throwIfNoEntry: false }) !== undefined;
}

export function monthOf(day: number): string {
  return toIsoDay(day).slice(0, 7);
}

/** First and last day of a month, since 1970-01-01 UTC; NaN if there is none, or none that an event can be of. */
export function daysOfMonth(month: string): readonly [first: number, last: number] {
  const [, year, number] = (/^(\d{4})-(\d\d)$/.exec(month) ?? []).map(Number);
  // The day before 1970, which a zone can lead to.
  if (month === "1969-12") return [-31, -1];
  const first = toDay(year ?? NaN, number ?? NaN, 1);
  return [first, Date.UTC(year ?? NaN, number ?? NaN, 1) / DAY_MS - 1];
}

/** Folders that lead to a part, below that of the dataset. */
export function foldersOf({ kind, month }: Pick<DatasetPart, "kind" | "month">): readonly [kind: string, month: string] {
  return [`kind=${kind}`, `month=${month}`];
}

/**
 * @returns Where a part lies.
 * @throws {Error} if a link stands on the way.
 */
export function placeOfPart(folder: string, part: DatasetPart): string {
  const path = join(folder, ...foldersOf(part), part.name);
  requireFolders(folder, part);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: it is gone, expected all parts that the manifest names; if another run has just written the dataset, read it again`);
  }
  if (!stat.isFile()) throw new Error(`Cannot read ${quoteForMessage(path)}: expected a file that is no link`);
  if (stat.size !== part.bytes) throw new Error(`Cannot read ${quoteForMessage(path)}: it has ${stat.size} bytes, expected ${part.bytes} as the manifest says`);
  return path;
}

/** @throws {Error} if a folder on the way to a part is a link or a file; one that is not there is none. */
export function requireFolders(folder: string, part: Pick<DatasetPart, "kind" | "month">): void {
  const [kind, month] = foldersOf(part);
  for (const path of [join(folder, kind), join(folder, kind, month)]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === false) throw new Error(`Cannot use ${quoteForMessage(path)}: expected a folder that is no link`);
  }
}

/**
 * Read the manifest of a dataset.
 *
 * @throws {Error} if there is none, or it says what none can.
 */
export function readManifest(folder: string): Manifest {
  try {
    return parseManifest(readText(join(folder, MANIFEST_NAME)));
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(folder)}: ${errorReason(error)}`, { cause: error });
  }
}

function readText(path: string): string {
  const file = openRegular(path, { followsLinks: false });
  try {
    const { size } = fstatSync(file);
    if (size > MANIFEST_MAX_BYTES) throw new RangeError(`its manifest is longer than ${MANIFEST_MAX_BYTES} bytes`);
    return Buffer.from(readBytes(file, 0, size)).toString("utf8");
  } finally {
    closeSync(file);
  }
}

function parseManifest(text: string): Manifest {
  const { version, info, parts } = parseInfo(text, "a dataset");
  if (version !== DATASET_VERSION) throw new TypeError(`a dataset of version ${visible(String(version))}: expected ${DATASET_VERSION}`);
  const known = parseInfo(JSON.stringify(info ?? null), "a dataset");
  if (known.version !== REDUCED_VERSION) throw new TypeError(`a dataset of rows of version ${visible(String(known.version))}: expected ${REDUCED_VERSION}; reduce.ts makes it anew from the logs`);
  checkReducedInfo(known);
  if (!Array.isArray(parts) || known.sources.some(({ cut }) => cut)) throw damagedManifest("no list of parts, or counts that were cut");
  const names = new Set<string>();
  parts.forEach((part: unknown, i) => {
    if (!isPart(part)) throw damagedManifest(`no part can be number ${i + 1}`);
    const before = parts[i - 1] as DatasetPart | undefined;
    if (before !== undefined && compareParts(before, part) > 0) throw damagedManifest(`part ${i + 1} stands before its turn`);
    const path = [...foldersOf(part), part.name].join("/");
    if (names.has(path)) throw damagedManifest(`it names ${path} twice`);
    names.add(path);
  });
  return { info: known, parts: parts as DatasetPart[] };
}

function damagedManifest(what: string): TypeError {
  return new TypeError(`a dataset with a damaged manifest: ${what}`);
}

function isPart(value: unknown): value is DatasetPart {
  const { kind, month, name, rows, bytes } = (value ?? {}) as Partial<Record<keyof DatasetPart, unknown>>;
  const isPositive = (number: unknown) => Number.isSafeInteger(number) && (number as number) > 0;
  return (
    KIND_NAMES.includes(kind as Kind) && typeof month === "string" && Number.isFinite(daysOfMonth(month)[0]) &&
    typeof name === "string" && PART_NAME.test(name) && isPositive(rows) && isPositive(bytes)
  );
}

/** By kind, then month; of one month the order is that of the manifest. */
export function compareParts(a: DatasetPart, b: DatasetPart): number {
  return KIND_NAMES.indexOf(a.kind) - KIND_NAMES.indexOf(b.kind) || daysOfMonth(a.month)[0] - daysOfMonth(b.month)[0];
}

/** The text of a manifest, a line a part. */
export function manifestToText({ info, parts }: Manifest): string {
  const lines = parts.map(({ kind, month, name, rows, bytes }) => JSON.stringify({ kind, month, name, rows, bytes }));
  return `{"version":${DATASET_VERSION},"info":${JSON.stringify(info)},"parts":[\n${lines.join(",\n")}\n]}\n`;
}

/**
 * @throws {Error} if a folder that is to become a dataset is a file, or has something else in it.
 */
export function requireFree(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || isDataset(folder)) return;
  if (!stat.isDirectory()) throw new Error(`Cannot write a dataset to ${quoteForMessage(folder)}: it is a file, expected a folder`);
  const stranger = readdirSync(folder).find(name => !/^(\.|kind=)/.test(name));
  if (stranger === undefined) return;
  throw new Error(`Cannot write a dataset to ${quoteForMessage(folder)}: it has ${quoteForMessage(stranger)} in it, expected a dataset or an empty folder`);
}
