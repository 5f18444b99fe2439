/**
 * The events of a set of logs as Parquet files, one for each day or month, for whatever reads those.
 *
 * Logs come in the order of their first events, so a day's file is done as soon as no later log can begin in it, and few
 * are open at a time. A file whose logs are as they were is not touched; one that holds a log which is no longer at hand
 * is kept rather than shortened.
 */
import { rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkColumns } from "../events/event-columns.ts";
import { type Condition, EventFilter } from "../events/event-filter.ts";
import type { EventTable } from "../events/event-table.ts";
import { MAPPING_VERSION } from "../events/schema.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorNamer } from "../events/sensor-aliases.ts";
import { programState } from "../process/program-state.ts";
import { toIsoDay } from "../text/format.ts";
import { quoteForMessage } from "../text/text.ts";
import { dayOf } from "../text/time.ts";
import { coversLogs, type ExportedFile, keepExportRecord, type Period, readExportRecord, refuseStrangers, stateOfFile } from "./export-record.ts";
import { CodeScratch, ExportSink } from "./export-sink.ts";
import type { LogSet } from "./log-set.ts";
import { type TablePlace, tablesOf } from "./walk-tables.ts";

/** Rows that wait in memory; beyond it the file that holds most of them is given a row group early. */
const HELD_MAX_BYTES = 192 << 20;

export interface ExportOptions {
  readonly folder: string;
  readonly by: Period;
  readonly scope: EventScope;
  readonly conditions: readonly Condition[];
  /** The conditions as they were given. */
  readonly where: readonly string[];
  /** Make every file anew. */
  readonly isFresh: boolean;
  /** Let the folder hold these logs and options and nothing else, whatever it held. */
  readonly replaces: boolean;
  /** Memory for rows that wait, roughly. */
  readonly heldMaxBytes?: number;
  /** Told what was kept though it is no longer what the logs hold; safe to show. */
  readonly onNotice: (line: string) => void;
}

/** What became of a file. */
export interface ExportOutcome {
  /** Path inside the folder. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** kept: it holds logs that are not at hand. */
  readonly what: "written" | "unchanged" | "kept";
}

/** A day or a month: days since 1970-01-01 of its first day, its file, what it is made from. */
interface Part {
  readonly key: number;
  readonly path: string;
  readonly madeFrom: string;
  readonly logs: readonly (readonly [head: string, sizeBytes: number])[];
}

/** A table and the days or months in which it may have events, in order. */
interface Stretch {
  readonly place: TablePlace;
  readonly keys: readonly number[];
}

/**
 * Export a set of logs.
 *
 * @returns What became of each file of the folder, by path.
 * @throws {UsageError} if a condition names a column that no event looked at has.
 * @throws {Error} if the folder holds another export, or Parquet files of somebody else's.
 */
export async function exportEvents(set: LogSet, options: ExportOptions): Promise<ExportOutcome[]> {
  const { folder, by, scope, where, replaces, isFresh, onNotice } = options;
  const choice = sha256([by, scope, where]);
  const before = readExportRecord(folder);
  const known = new Map(Object.entries(before?.files ?? {}).filter(([path]) => stateOfFile(join(folder, path)) !== undefined));
  if (known.size > 0 && before!.options !== choice && !replaces) {
    throw new Error(
      `Cannot export into ${quoteForMessage(folder)}: it holds an export with other options (--by, --since, --until, --sensor, ` +
        "--sensor-alias, --where); --replace makes it anew",
    );
  }
  const stretches = await findStretches(set, by);
  const parts = planParts(stretches, set.seams, options, choice);
  const empty = new Map(before?.options === choice && !isFresh ? Object.entries(before.empty) : []);
  refuseStrangers(folder, path => known.has(path) || parts.some(part => part.path === path));

  const outcomes = new Map<string, ExportOutcome>();
  const files: Record<string, ExportedFile> = {};
  const keep = (path: string, file: ExportedFile, what: ExportOutcome["what"]) => {
    files[path] = file;
    outcomes.set(path, { path, rows: file.rows, bytes: file.bytes, what });
  };
  let isDone = false;
  const atHand = new Map<string, number>();
  for (const { source } of set.logs) atHand.set(source.headHash, Math.max(atHand.get(source.headHash) ?? 0, source.sizeBytes));
  const wanted = parts.filter(({ path, madeFrom }) => {
    const file = known.get(path);
    if (file === undefined) return empty.get(path) !== madeFrom;
    if (!isFresh && isUntouched(folder, path, file, madeFrom)) return false;
    return replaces || coversLogs(file, atHand);
  });
  const isWanted = new Set(wanted.map(({ path }) => path));
  const madeFrom = new Map(parts.map(part => [part.path, part.madeFrom]));
  for (const [path, file] of known) {
    if (isWanted.has(path)) continue;
    const isSame = madeFrom.get(path) === file.madeFrom;
    if (isSame || !replaces) keep(path, file, isSame ? "unchanged" : "kept");
    if (!isSame && !replaces && madeFrom.has(path))
      onNotice(`Kept ${quoteForMessage(join(folder, path))}: it holds a log that is not at hand; --replace makes it of these logs alone`);
  }
  try {
    for await (const [part, sink] of writeParts(stretches, wanted, options)) {
      const { rows, bytes } = sink;
      const state = stateOfFile(sink.path)!;
      keep(part.path, { rows, bytes, madeFrom: part.madeFrom, logs: part.logs, state }, "written");
    }
    for (const path of known.keys()) if (outcomes.get(path) === undefined) removeFile(folder, path);
    isDone = true;
  } finally {
    // What is done stays known, even if the rest could not be.
    for (const [path, file] of known) if (stateOfFile(join(folder, path)) !== undefined) files[path] ??= file;
    // Days within the time of a log on which it has no event.
    const none = isDone ? parts.filter(({ path }) => files[path] === undefined) : [];
    keepExportRecord(folder, {
      options: isDone ? choice : (before?.options ?? choice),
      files,
      empty: Object.fromEntries(none.map(({ path, madeFrom }) => [path, madeFrom])),
    });
  }
  return [...outcomes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function sha256(value: unknown): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("hex");
}

/** A file that nobody has touched, made from the same. */
function isUntouched(folder: string, path: string, file: ExportedFile, madeFrom: string): boolean {
  return file.madeFrom === madeFrom && stateOfFile(join(folder, path)) === file.state;
}

function removeFile(folder: string, path: string): void {
  unlinkSync(join(folder, path));
  try {
    rmdirSync(dirname(join(folder, path)));
  } catch {
    // Something else lies in it.
  }
}

/** A log that spans more days than this is looked at for those it has: a clock that began in 1970 makes twenty thousand. */
const SPAN_MAX_DAYS = 400;

/** The tables of a set in their order, each with its days or months. */
async function findStretches(set: LogSet, by: Period): Promise<Stretch[]> {
  const sources = new Map(set.logs.map(({ source }) => [source, source] as const));
  const stretches: Stretch[] = [];
  for (const place of tablesOf(set)) {
    const { firstSeenUs, lastSeenUs } = place.source;
    const [first, last] = [dayOf(firstSeenUs!), dayOf(lastSeenUs!)];
    // Behind the table of a log come those of the lines that are cut at its end: one event each, of any time.
    const isLog = sources.delete(place.source);
    const days = isLog && last - first < SPAN_MAX_DAYS ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : await place.walk(listDays);
    stretches.push({ place, keys: [...new Set(days.map(day => keyOf(day, by)))] });
  }
  return stretches;
}

/** The days of a table's events, in order. */
async function listDays(table: EventTable): Promise<number[]> {
  const days = new Set<number>();
  for await (const { timestampUs } of table.batches()) for (const us of timestampUs) days.add(dayOf(us));
  return [...days].sort((a, b) => a - b);
}

/** The first day of the day or month that a day is in. */
function keyOf(day: number, by: Period): number {
  return by === "day" || !Number.isFinite(day) ? day : day - new Date(day * 86_400_000).getUTCDate() + 1;
}

/** The days or months in which the tables may have events, in order. */
function planParts(stretches: readonly Stretch[], seams: LogSet["seams"], { by, scope }: ExportOptions, choice: string): Part[] {
  const { sinceDay = -Infinity, untilDay = Infinity } = scope;
  const inside = new Map<number, Stretch[]>();
  for (const stretch of stretches) {
    for (const key of stretch.keys) {
      if (key < keyOf(sinceDay, by) || key > untilDay) continue;
      const list = inside.get(key);
      if (list === undefined) inside.set(key, [stretch]);
      else list.push(stretch);
    }
  }
  const program = programState();
  const halves = Map.groupBy(seams, ({ before }) => before.wholeHash);
  return [...inside].sort(([a], [b]) => a - b).map(([key, list]) => ({
    key,
    path: join(`${by}=${toIsoDay(key).slice(0, by === "day" ? 10 : 7)}`, "part-0.parquet"),
    madeFrom: sha256([
      program,
      MAPPING_VERSION,
      choice,
      // With the other halves of lines that are cut at the ends of logs.
      list.map(({ place: { source } }) => [source.wholeHash, source.counts, halves.get(source.wholeHash)?.map(({ after }) => after.head)]),
    ]),
    logs: list.map(({ place: { source } }) => [source.headHash, source.sizeBytes] as const),
  }));
}

/** Write the files of some days or months; each comes when it has its name. Those without an event are none. */
async function* writeParts(
  stretches: readonly Stretch[],
  wanted: readonly Part[],
  { by, folder, scope, conditions, heldMaxBytes = HELD_MAX_BYTES }: ExportOptions,
): AsyncGenerator<[Part, ExportSink]> {
  const partOf = new Map(wanted.map(part => [part.key, part]));
  const open = new Map<number, ExportSink>();
  const filter = new EventFilter([], scope, conditions);
  const nameOf = sensorNamer(scope.sensorAliases);
  const metadata = new Map([["cowrie.mapping_version", String(MAPPING_VERSION)]]);
  const scratch = new CodeScratch();
  const finish = async function* (isDone: (key: number) => boolean): AsyncGenerator<[Part, ExportSink]> {
    for (const [key, sink] of [...open].filter(([key]) => isDone(key)).sort(([a], [b]) => a - b)) {
      await sink.commit();
      open.delete(key);
      yield [partOf.get(key)!, sink];
    }
  };
  const visit = async (table: EventTable, { place, keys }: Stretch) => {
    const known = new Set(keys);
    for await (const batch of table.batches()) {
      for (const [key, rows] of splitRows(batch.timestampUs, filter.select(table, batch), by)) {
        if (!known.has(key)) {
          throw new Error(`Cannot export ${quoteForMessage(place.source.path)}: it has events outside of the days that it names`);
        }
        const part = partOf.get(key);
        if (part === undefined) continue;
        let sink = open.get(key);
        if (sink === undefined) open.set(key, (sink = new ExportSink(join(folder, part.path), nameOf, metadata)));
        await sink.add(table, batch, rows, scratch);
      }
      await relieve(open, heldMaxBytes);
    }
  };
  try {
    // How early the tables from here on begin: a cut line may be of a time before its log's.
    const earliest = stretches.map(({ keys }) => keys[0]!);
    for (let i = earliest.length - 2; i >= 0; i--) earliest[i] = Math.min(earliest[i]!, earliest[i + 1]!);
    for (const [i, stretch] of stretches.entries()) {
      yield* finish(key => key < earliest[i]!);
      if (!stretch.keys.some(key => partOf.has(key))) continue;
      await stretch.place.walk(table => visit(table, stretch));
    }
    checkColumns(conditions.map(({ column }) => column));
    yield* finish(() => true);
  } finally {
    for (const sink of open.values()) await sink[Symbol.asyncDispose]();
  }
}

/** Rows by the day or month of their time; one that all of them are in costs no copy. */
function* splitRows(timestampUs: Float64Array, rows: Int32Array, by: Period): Generator<[key: number, rows: Int32Array]> {
  if (rows.length === 0) return;
  const days = rows.map(row => dayOf(timestampUs[row]!));
  const first = keyOf(days[0]!, by);
  if (days.every(day => day === days[0])) return void (yield [first, rows]);
  const byKey = new Map<number, number[]>();
  let [lastDay, list]: [number, number[] | undefined] = [NaN, undefined];
  for (let i = 0; i < rows.length; i++) {
    if (days[i] !== lastDay) {
      lastDay = days[i]!;
      const key = keyOf(lastDay, by);
      list = byKey.get(key);
      if (list === undefined) byKey.set(key, (list = []));
    }
    list!.push(rows[i]!);
  }
  for (const [key, own] of byKey) yield [key, Int32Array.from(own)];
}

/** Let memory go: the file with the most rows that wait is given a row group, until they are few enough. */
async function relieve(open: ReadonlyMap<number, ExportSink>, heldMaxBytes: number): Promise<void> {
  let held = 0;
  for (const { heldBytes } of open.values()) held += heldBytes;
  while (held > heldMaxBytes) {
    const largest = [...open.values()].reduce((a, b) => (b.heldBytes > a.heldBytes ? b : a));
    held -= largest.heldBytes;
    await largest.flush();
  }
}
