/**
 * The golden cases of `test/fixtures/cases`, found on disk. See the README there for what a case looks like.
 *
 * Whoever counts logs turns the result into {@link CaseCounts} with {@link toCaseCounts} and compares with `expected`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LineCounts } from "../../lib/events/source.ts";
import { readLogFolder } from "./real-logs.ts";
import { ROOT } from "./run.ts";
import { SLOW_KINDS, type SlowFile, type SlowKind, type SlowOptions, type SlowResult } from "./slow-counter.ts";

export const CASES_FOLDER = join(ROOT, "test/fixtures/cases");

/** What a count of logs comes to, in a form that is compared as a whole. */
export interface CaseCounts {
  /** Path in the input folder -> counts. */
  files: Record<string, LineCounts>;
  /** Paths of the files that say nothing new, sorted. */
  leftOut: string[];
  /** One row a text, `[date, sensor, ...key, count]` and what the kind adds, sorted. */
  rows: Record<SlowKind, string[]>;
  /** shasum -> [positives, total]. */
  verdicts: Record<string, [number, number]>;
}

export interface GoldenCase {
  name: string;
  about: string;
  /** Folder to read, absolute. */
  input: string;
  options: SlowOptions;
  expected: CaseCounts;
}

interface CaseFile {
  about: string;
  options?: { robotMaxSeconds?: number; keepDuplicates?: boolean; sensorAlias?: Record<string, string> };
  files: Record<string, Partial<LineCounts>>;
  leftOut?: string[];
  rows: Partial<Record<SlowKind, unknown[][]>>;
  verdicts?: Record<string, [number, number]>;
}

/** Every case, sorted by name. */
export function loadCases(): GoldenCase[] {
  return readdirSync(CASES_FOLDER)
    .sort()
    .filter(name => existsSync(join(CASES_FOLDER, name, "expected.json")))
    .map(name => loadCase(name));
}

/** The logs of a case with their bytes. */
export function readCaseFiles({ input }: GoldenCase): SlowFile[] {
  return readLogFolder(input);
}

function loadCase(name: string): GoldenCase {
  const folder = join(CASES_FOLDER, name);
  const { about, options = {}, files, leftOut = [], rows, verdicts = {} } = JSON.parse(
    readFileSync(join(folder, "expected.json"), "utf8"),
  ) as CaseFile;
  const { sensorAlias, ...others } = options;
  const noCounts: LineCounts = { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 };
  return {
    name,
    about,
    input: join(folder, "input"),
    options: sensorAlias ? { ...others, sensorAlias: new Map(Object.entries(sensorAlias)) } : others,
    expected: {
      files: Object.fromEntries(Object.entries(files).map(([path, counts]) => [path, { ...noCounts, ...counts }])),
      leftOut,
      rows: toSortedTexts(kind => rows[kind] ?? []),
      verdicts,
    },
  };
}

/** The result of a count in the form that a case expects it. */
export function toCaseCounts({ files, leftOut, rows, verdicts }: Omit<SlowResult, "total">): CaseCounts {
  return {
    files: Object.fromEntries(files),
    leftOut: [...leftOut],
    rows: toSortedTexts(kind =>
      rows
        .filter(row => row.kind === kind)
        .map(({ date, sensor, key, count, success, firstUs, lastUs }) => [
          ...[date, sensor, ...key, count],
          ...(kind === "login" ? [success] : []),
          ...(kind === "event" ? [toInstant(firstUs), toInstant(lastUs)] : []),
        ]),
    ),
    verdicts: Object.fromEntries([...verdicts].map(([shasum, { positives, total }]) => [shasum, [positives, total]])),
  };
}

function toSortedTexts(rowsOf: (kind: SlowKind) => unknown[][]): Record<SlowKind, string[]> {
  const entries = SLOW_KINDS.map(kind => [kind, rowsOf(kind).map(row => JSON.stringify(row)).sort()]);
  return Object.fromEntries(entries) as Record<SlowKind, string[]>;
}

/** `2024-01-31T10:00:00.000001Z`, always six digits. */
function toInstant(us: number): string {
  const ms = Math.floor(us / 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(us - ms * 1000).padStart(3, "0")}Z`;
}
