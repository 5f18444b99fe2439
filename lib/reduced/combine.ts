/**
 * Several reduced tables to one, with nothing counted twice.
 *
 * Exact counts add up, so no log may stand in two tables. A log is known by the hash of its text; two states of a log
 * that grows share the hash of their first line. A table whose logs all stand in another table is a part of that one
 * and is left out, if its counts stand there, too. Tables that share some of their logs only are refused: their sums cannot be told apart any more.
 *
 * Cut counts (of a `reduced.json`) know sensor-days and not logs. A sensor-day in several of them is one and the same:
 * the larger count of each key stays, no key is lost. Where one input has a sensor-day in full, cut counts of it say
 * nothing new and are left out.
 */
import { plural } from "../text/format.ts";
import { pause, takeWithPauses } from "../process/pause.ts";
import { holdsAll } from "./holds-all.ts";
import { type Kind, KIND_NAMES, REDUCED_VERSION } from "./kinds.ts";
import { type SortedTable, toSorted } from "./sorted-table.ts";
import { toReducedRows } from "./reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, type ReducedTable, type Shard, takeRows } from "./reduced-table.ts";
import { shardRows } from "./shards.ts";
import { coversDays, type DayBounds, DayOwners, daysOf, toDays, uniteDays, widthOfDays } from "./day-ranges.ts";
import { findSeams, reduceSeam, type Seam, settleSeams } from "./joined-lines.ts";
import { compareText, quoteForMessage } from "../text/text.ts";
import { compareSources, type SourceInfo } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";

/** Tables after which a signal is heard. */
const TABLES_PER_PAUSE = 64;

/** A table to be combined, with its name for people. */
export interface NamedTable {
  readonly name: string;
  readonly table: ReducedTable;
}

/** What can be told of a table before its rows are read. */
export interface NamedInfo {
  readonly name: string;
  readonly info: ReducedInfo;
  open(): SortedTable;
}

export interface Combined {
  readonly table: ReducedTable;
  /** Names of the tables that are part of another one. */
  readonly leftOut: readonly string[];
  /** Pairs of tables that were held against each other: grows with the logs they share, not with their square. */
  readonly compared: number;
  /** Lines cut by a rotation whose halves lay in two tables. */
  readonly joinedLines: number;
}

/**
 * Combine reduced tables. Any order and any number of steps gives the same table, but for the names of logs that were
 * read under two names.
 *
 * @param onNotice Told what was left out or merged, and why; safe to show.
 * @throws {Error} if tables share some logs and not all, or took different sessions for robots.
 */
export async function combineTables(
  inputs: readonly NamedTable[],
  onNotice: (line: string) => void,
): Promise<Combined> {
  const tableOf = new Map<NamedInfo, NamedTable>();
  const infos = inputs.map(input => {
    const named = { name: input.name, info: input.table.info, open: () => toSorted(input.table, input.name) };
    tableOf.set(named, input);
    return named;
  });
  const { kept: keptInfos, leftOut, compared, parameters, sources, shard } = await settleInputs(infos, onNotice);
  const kept = keptInfos.map(named => tableOf.get(named)!);
  const cells = new Cells(kept);
  const exact = new ReducedBuilder();
  const cut = new ReducedBuilder({ isCut: true });
  for (const source of sources) exact.addSource(source);
  for (const [i, { table }] of kept.entries()) {
    if (i % TABLES_PER_PAUSE === 0) await pause();
    const rows = toReducedRows(table);
    if (!cells.hasCut(i)) {
      exact.add(rows);
      continue;
    }
    exact.add(selectCells(rows, (day, sensor) => !cells.isCut(i, day, sensor)));
    cut.add(selectCells(rows, (day, sensor) => cells.isCut(i, day, sensor) && !cells.isExact(i, day, sensor)));
  }
  cells.tell(kept, onNotice);
  exact.addCut(cut.toRows());

  const seams = await findSeams(sources);
  for await (const rows of seamRows(seams, kept.map(({ table }) => table), parameters)) exact.add(shard === undefined ? rows : shardRows(rows, shard));
  const settled = settleSeams(sources, seams);
  const table = await takeWithPauses(exact.calculate({ version: REDUCED_VERSION, parameters, sources: settled, ...(shard && { shard }) }));
  return { table, leftOut, compared, joinedLines: seams.length };
}

export interface SettledInputs<Input extends NamedInfo> {
  /** The tables that count. */
  readonly kept: Input[];
  readonly leftOut: readonly string[];
  readonly compared: number;
  readonly parameters: ReductionParameters;
  /** In canonical order. */
  readonly sources: SourceInfo[];
  /** Where all tables are of the same. */
  readonly shard?: Shard;
}

/**
 * Find out which tables count, without a look at their rows.
 *
 * @throws {Error} as {@link combineTables}.
 */
export async function settleInputs<Input extends NamedInfo>(
  inputs: readonly Input[],
  onNotice: (line: string) => void,
): Promise<SettledInputs<Input>> {
  const shards = Map.groupBy(inputs, ({ info: { shard } }) => (shard === undefined ? "" : `${shard.number}/${shard.of}`));
  if (shards.size > 1) return await settleShards([...shards.values()], onNotice);
  const parted = await leaveOutParts(inputs, onNotice);
  const parameters = mergeParameters(parted.kept);
  const { shard } = inputs[0]!.info;
  return { ...parted, parameters, sources: mergeSources(parted.kept, parameters, onNotice), ...(shard && { shard }) };
}

/**
 * The same of tables of several shards, each shard by itself: together they are whole.
 *
 * @throws {Error} if one is missing, or not all are of the same logs.
 */
async function settleShards<Input extends NamedInfo>(shards: readonly Input[][], onNotice: (line: string) => void): Promise<SettledInputs<Input>> {
  const settled: SettledInputs<Input>[] = [];
  for (const inputs of shards) settled.push(await settleInputs(inputs, onNotice));
  const [first] = settled as [SettledInputs<Input>];
  const of = first.shard?.of ?? 0;
  const names = settled.map(({ shard }) => (shard === undefined ? "a whole table" : `${shard.number}/${shard.of}`));
  if (settled.some(({ shard }) => shard?.of !== of) || settled.length !== of) {
    throw new Error(`Cannot combine the shards ${names.join(", ")}: expected all of one number of shards, or tables of one shard`);
  }
  const logsOf = ({ sources, parameters }: SettledInputs<Input>) => JSON.stringify([sources, parameters]);
  const other = settled.find(one => logsOf(one) !== logsOf(first));
  if (other !== undefined) {
    throw new Error(
      `Cannot combine ${quoteForMessage(first.kept[0]!.name)} and ${quoteForMessage(other.kept[0]!.name)}: they are shards of other ` +
        "logs or days, expected all shards of the same",
    );
  }
  const { shard: _, ...rest } = first;
  return {
    ...rest,
    kept: settled.flatMap(({ kept }) => kept),
    leftOut: settled.flatMap(({ leftOut }) => leftOut),
    compared: settled.reduce((sum, { compared }) => sum + compared, 0),
  };
}

/**
 * Rows of cut lines whose halves lay in two tables, of the days that their logs count.
 *
 * @param tables What counts the log of a line is also asked of it.
 * @param parameters Of all tables together.
 */
export async function* seamRows(
  seams: readonly Seam[],
  tables: readonly { readonly info: ReducedInfo }[],
  parameters: ReductionParameters,
): AsyncGenerator<ReducedRows> {
  const owners = new Map(tables.flatMap(({ info }) => info.sources.map(({ headHash }) => [headHash, info.parameters])));
  for (const seam of seams) {
    const own = owners.get(seam.before.headHash)!;
    for (const [sinceDay, untilDay] of daysOf(seam.before, parameters)) yield await reduceSeam(seam, { ...own, sinceDay, untilDay });
  }
}

/** Tell whether all of `part` stands in `whole`: the same log, and no more of it. */
export function isStateOf(part: SourceInfo, whole: SourceInfo): boolean {
  if (part.cut !== whole.cut) return false;
  return part.wholeHash === whole.wholeHash || (part.headHash === whole.headHash && part.sizeBytes < whole.sizeBytes);
}

/** Logs that another one may be a state of, those of its own text first; found without a look at all that begin alike. */
function indexSources(sources: readonly SourceInfo[]): (source: SourceInfo) => Generator<SourceInfo> {
  const byText = Map.groupBy(sources, ({ wholeHash }) => wholeHash);
  const byHead = Map.groupBy(sources.toSorted((a, b) => b.sizeBytes - a.sizeBytes), ({ headHash }) => headHash);
  return function* (source) {
    yield* byText.get(source.wholeHash) ?? [];
    for (const longer of byHead.get(source.headHash) ?? []) {
      if (longer.sizeBytes <= source.sizeBytes) return;
      yield longer;
    }
  };
}

interface Parted<Input> {
  readonly kept: Input[];
  readonly leftOut: string[];
  /** Pairs of tables that were held against each other: those that share a log. */
  readonly compared: number;
}

/**
 * Drop the tables that are part of another one; of equal ones the first in an order that no argument changes.
 *
 * @throws {Error} if two tables share a log and neither counts all that the other counts.
 */
async function leaveOutParts<Input extends NamedInfo>(
  inputs: readonly Input[],
  onNotice: (line: string) => void,
): Promise<Parted<Input>> {
  // The widest come first, so that whatever a table is part of is among those kept already.
  const ordered = inputs
    .map(input => ({ input, width: widthOf(input), info: JSON.stringify(input.info) }))
    .sort((a, b) => compareWidth(b.width, a.width) || compareText(a.info, b.info))
    .map(({ input }) => input);
  const kept: Input[] = [];
  const leftOut: string[] = [];
  // Who counts which days of a log; a file of cut counts may stand in several tables.
  const exactOf = new Map<string, { source: SourceInfo; readonly days: DayOwners<NamedInfo> }>();
  const cutOf = new Map<string, Set<NamedInfo>>();
  const indexes = new Map<NamedInfo, ReturnType<typeof indexSources>>();
  let compared = 0;
  const isPartOf = (part: NamedInfo, whole: NamedInfo) => {
    compared++;
    const sourcesLike = indexes.get(whole) ?? indexSources(whole.info.sources);
    indexes.set(whole, sourcesLike);
    return (
      isNoWider(part.info.parameters, whole.info.parameters) &&
      part.info.sources.every(source =>
        sourcesLike(source).some(
          other =>
            isStateOf(source, other) &&
            (source.cut || coversDays(daysOf(other, whole.info.parameters), daysOf(source, part.info.parameters))),
        ),
      )
    );
  };
  /** Those of which a table may be a part: the one that counts a day of a log of it, or all that hold its rarest cut counts. */
  const likely = ({ info: { sources, parameters } }: NamedInfo): Iterable<NamedInfo> => {
    const exact = sources.find(({ cut }) => !cut);
    if (exact !== undefined) return exactOf.get(exact.headHash)?.days.ownersOf(daysOf(exact, parameters)) ?? [];
    const holders = sources.map(({ headHash }) => cutOf.get(headHash) ?? new Set<NamedInfo>());
    return holders.reduce((least, set) => (set.size < least.size ? set : least), holders[0] ?? new Set());
  };
  for (const [i, input] of ordered.entries()) {
    if (i % TABLES_PER_PAUSE === 0) await pause();
    const { sources, parameters } = input.info;
    const whole = Iterator.from(likely(input)).find(other => isPartOf(input, other));
    if (whole !== undefined) {
      await checkHeld(whole, input);
      leftOut.push(input.name);
      onNotice(`Left out ${quoteForMessage(input.name)}: all its logs are in ${quoteForMessage(whole.name)}`);
      continue;
    }
    const exact = sources.filter(({ cut }) => !cut);
    const twinOf = (source: SourceInfo) => {
      const known = exactOf.get(source.headHash);
      if (known === undefined) return undefined;
      const [owner] = known.days.ownersOf(daysOf(source, parameters));
      return owner ?? (known.source.wholeHash === source.wholeHash ? undefined : known.days.any);
    };
    const twin = exact.map(twinOf).find(owner => owner !== undefined);
    if (twin !== undefined) {
      const heads = new Set(twin.info.sources.map(({ headHash }) => headHash));
      throw overlap(twin, input, exact.filter(({ headHash }) => heads.has(headHash)));
    }
    kept.push(input);
    for (const { headHash, cut } of sources) if (cut) cutOf.set(headHash, (cutOf.get(headHash) ?? new Set()).add(input));
    for (const [head, own] of Map.groupBy(exact, ({ headHash }) => headHash)) {
      const known = exactOf.get(head) ?? { source: own[0]!, days: new DayOwners() };
      known.source = own.at(-1)!;
      known.days.add(uniteDays(own.flatMap(source => daysOf(source, parameters))), input);
      exactOf.set(head, known);
    }
  }
  return { kept, leftOut, compared };
}

/**
 * What a table says of its logs may be a lie, by which it would have a true one left out.
 *
 * @param isAsked Of other days nothing is asked.
 * @throws {Error} if `whole` lacks anything of what `part` counts.
 */
export async function checkHeld(whole: NamedInfo, part: NamedInfo, isAsked?: (day: number) => boolean): Promise<void> {
  using opened = new DisposableStack();
  const [more, less] = [whole, part].map(input => opened.adopt(input.open(), table => table.close())) as [SortedTable, SortedTable];
  if (await holdsAll(more, less, isAsked)) return;
  const { path } = part.info.sources.find(({ cut }) => !cut) ?? part.info.sources[0]!;
  throw new Error(
    `Cannot combine ${quoteForMessage(whole.name)} and ${quoteForMessage(part.name)}: the first says it holds all of ` +
      `the other's logs, as ${quoteForMessage(path)}, and lacks some of their counts, expected two states of one log, or ` +
      "two logs",
  );
}

function overlap(twin: NamedInfo, input: NamedInfo, logs: readonly SourceInfo[]): Error {
  const shared = logs.map(({ path }) => quoteForMessage(path));
  const more = shared.length > 3 ? ` and ${shared.length - 3} more` : "";
  return new Error(
    `Cannot combine ${quoteForMessage(twin.name)} and ${quoteForMessage(input.name)}: both count ` +
      `${plural(shared.length, "log")}, ${shared.slice(0, 3).join(", ")}${more}, and neither holds all that the ` +
      "other holds, expected each log in one of them only (reduce.ts makes one table of all logs)",
  );
}

/**
 * What a part never has more of than the whole: logs, text, days, sensors; compared in this order. Of two that are equal
 * that one is kept that tells addresses.
 */
function widthOf({ info }: NamedInfo): number[] {
  const { sensors } = info.parameters;
  const sizeBytes = info.sources.reduce((sum, source) => sum + source.sizeBytes, 0);
  return [info.sources.length, sizeBytes, ...widthOfDays(info), sensors?.length ?? Infinity, info.version];
}

function compareWidth(left: readonly number[], right: readonly number[]): number {
  const i = left.findIndex((width, i) => width !== right[i]);
  return i < 0 ? 0 : left[i]! < right[i]! ? -1 : 1;
}

/** Tell whether whatever `part` counts of a log's day, `whole` counts as well, under the same names. */
export function isNoWider(part: ReductionParameters, whole: ReductionParameters): boolean {
  const sensors = whole.sensors && new Set(whole.sensors);
  return (
    part.robotMaxSeconds === whole.robotMaxSeconds &&
    (sensors === undefined || (part.sensors !== undefined && part.sensors.every(sensor => sensors.has(sensor)))) &&
    aliasesText(part) === aliasesText(whole)
  );
}

function aliasesText({ sensorAliases = {} }: ReductionParameters): string {
  // Of patterns the first that fits counts; names have no order.
  const rank = (from: string) => (/[*?]/.test(from) ? "" : from);
  return JSON.stringify(Object.entries(sensorAliases).sort(([a], [b]) => compareText(rank(a), rank(b))));
}

/** What all tables together left out: a limit holds only if every table has one. */
function mergeParameters(tables: readonly NamedInfo[]): ReductionParameters {
  // Where nothing but cut counts is known, nobody asked for any limit.
  const isCutOnly = ({ info }: NamedInfo) =>
    info.sources.length > 0 && info.sources.every(({ cut }) => cut);
  const exact = tables.filter(table => !isCutOnly(table));
  const [first] = exact.length > 0 ? exact : tables;
  const { robotMaxSeconds } = first!.info.parameters;
  for (const { name, info } of exact) {
    const other = info.parameters.robotMaxSeconds;
    if (other === robotMaxSeconds) continue;
    throw new Error(
      `Cannot combine ${quoteForMessage(first!.name)} and ${quoteForMessage(name)}: sessions under ` +
      `${robotMaxSeconds} s ` +
        `are robots in one and under ${other} s in the other, expected the same --robot-max-seconds`,
    );
  }
  const all = tables.map(({ info }) => info.parameters);
  const sinceDay = all.reduce((least, { sinceDay = -Infinity }) => Math.min(least, sinceDay), Infinity);
  const untilDay = all.reduce((most, { untilDay = Infinity }) => Math.max(most, untilDay), -Infinity);
  const isEverySensor = all.some(({ sensors }) => sensors === undefined);
  const sensors = [...new Set(all.flatMap(({ sensors = [] }) => sensors))].sort();
  const [{ sensorAliases }] = all as [ReductionParameters];
  const naming = aliasesText(all[0]!);
  const isOneNaming = all.every(parameters => aliasesText(parameters) === naming);
  const robotsOf = all.flatMap(({ robotMaxSecondsOf = {} }) => Object.entries(robotMaxSecondsOf)).sort();
  return {
    robotMaxSeconds,
    ...(robotsOf.length === 0 ? {} : { robotMaxSecondsOf: Object.fromEntries(robotsOf) }),
    ...(sinceDay === -Infinity ? {} : { sinceDay }),
    ...(untilDay === Infinity ? {} : { untilDay }),
    ...(isEverySensor ? {} : { sensors }),
    ...(isOneNaming && sensorAliases !== undefined ? { sensorAliases } : {}),
  };
}

/** All sources, once each: a file of cut counts that several tables hold, a log of which each counts other days. */
function mergeSources(
  tables: readonly NamedInfo[],
  parameters: ReductionParameters,
  onNotice: (line: string) => void,
): SourceInfo[] {
  const cut = new Map<string, SourceInfo>();
  const exact = new Map<string, { source: SourceInfo; days: DayBounds[] }>();
  const sources: SourceInfo[] = [];
  for (const { info } of tables) {
    // Copies may count on purpose: the second of a table is the second of another one, too.
    const seen = new Map<string, number>();
    for (const source of info.sources) {
      const known = source.cut ? cut.get(source.wholeHash) : undefined;
      if (known !== undefined) {
        onNotice(`${quoteForMessage(source.path)} and ${quoteForMessage(known.path)} are the same file: counted once`);
        continue;
      }
      if (source.cut) {
        cut.set(source.wholeHash, source);
        sources.push(source);
        continue;
      }
      const copies = seen.get(source.wholeHash) ?? 0;
      seen.set(source.wholeHash, copies + 1);
      const key = `${source.wholeHash} ${copies}`;
      const days = exact.get(key)?.days ?? [];
      days.push(...daysOf(source, info.parameters));
      exact.set(key, { source, days });
    }
  }
  for (const { source: { days: _, ...source }, days } of exact.values()) sources.push({ ...source, ...toDays(uniteDays(days), parameters) });
  return sources.sort(compareSources);
}

/** Which sensor-days are known in full, which from cut counts alone, over all tables. */
class Cells {
  readonly #codes = new Map<string, number>();
  /** `#sensors[table][code in the table]` = code over all tables. */
  readonly #sensors: Int32Array[];
  readonly #exact: Set<number>[];
  readonly #cut: Set<number>[];
  /** In full in any of the tables. */
  readonly #anyExact = new Set<number>();

  constructor(tables: readonly NamedTable[]) {
    this.#sensors = [];
    this.#exact = [];
    this.#cut = [];
    // Where nothing is cut, nothing is asked.
    if (!tables.some(({ table }) => table.info.sources.some(({ cut }) => cut))) return;
    for (const [i, { table }] of tables.entries()) {
      this.#sensors.push(Int32Array.from(table.dictionaries.sensor, name => this.#codeOf(name)));
      const exact = new Set<number>();
      const cut = new Set<number>();
      this.#exact.push(exact);
      this.#cut.push(cut);
      const visit = (kind: Kind, see: (cell: number) => void) => {
        const { rows, day, sensor } = table.kinds[kind];
        for (let row = 0; row < rows; row++) if (sensor[row]! >= 0) see(this.#cell(i, day[row]!, sensor[row]!));
      };
      visit("event", cell => {
        exact.add(cell);
        this.#anyExact.add(cell);
      });
      if (!table.info.sources.some(source => source.cut)) continue;
      for (const kind of KIND_NAMES) {
        // A verdict counts wherever it was given, also on days that were left out.
        if (kind === "event" || kind === "scan") continue;
        visit(kind, cell => {
          if (!exact.has(cell)) cut.add(cell);
        });
      }
    }
  }

  hasCut(table: number): boolean {
    return (this.#cut[table]?.size ?? 0) > 0;
  }

  /** Whether a row comes from cut counts. */
  isCut(table: number, day: number, sensor: number): boolean {
    return sensor >= 0 && this.#cut[table]!.has(this.#cell(table, day, sensor));
  }

  /** Whether some table has the sensor-day in full. */
  isExact(table: number, day: number, sensor: number): boolean {
    return this.#anyExact.has(this.#cell(table, day, sensor));
  }

  /** Say which tables share sensor-days of cut counts, and where full counts take their place. */
  tell(tables: readonly NamedTable[], onNotice: (line: string) => void): void {
    // The first table that has a sensor-day, in full or cut: what is told of one cell is told once.
    const firstExact = new Map<number, number>();
    const firstCut = new Map<number, number>();
    const note = (cells: readonly Set<number>[] , first: Map<number, number>) => {
      for (const [i, set] of cells.entries()) for (const cell of set) if (!first.has(cell)) first.set(cell, i);
    };
    if (this.#cut.some(({ size }) => size > 0)) note(this.#exact, firstExact);
    note(this.#cut, firstCut);
    for (const [i, { name }] of tables.entries()) {
      const inFull = new Map<number, number>();
      const twice = new Map<number, number>();
      for (const cell of this.#cut[i] ?? []) {
        const exact = firstExact.get(cell);
        if (exact !== undefined) inFull.set(exact, (inFull.get(exact) ?? 0) + 1);
        const cut = firstCut.get(cell)!;
        if (cut !== i) twice.set(cut, (twice.get(cut) ?? 0) + 1);
      }
      for (const [j, cells] of inFull) {
        onNotice(
          `Left out ${plural(cells, "sensor-day")} of ${quoteForMessage(name)}: ` +
            `${quoteForMessage(tables[j]!.name)} has the full counts`,
        );
      }
      for (const [j, cells] of twice) {
        onNotice(
          `${plural(cells, "sensor-day")} stand in both ${quoteForMessage(tables[j]!.name)} and ` +
            `${quoteForMessage(name)}: counted once, of two counts the larger`,
        );
      }
    }
  }

  #codeOf(sensor: string): number {
    let code = this.#codes.get(sensor);
    if (code === undefined) this.#codes.set(sensor, (code = this.#codes.size));
    return code;
  }

  #cell(table: number, day: number, sensor: number): number {
    // Days reach a few million either way of 1970; sensors are fewer than 2^29.
    return this.#sensors[table]![sensor]! * 0x100_0000 + day + 0x80_0000;
  }
}

function selectCells({ texts, sets, kinds }: ReducedRows, isWanted: (day: number, sensor: number) => boolean): ReducedRows {
  const selected: Partial<Record<Kind, KindTable>> = {};
  for (const kind of KIND_NAMES) {
    const table = kinds[kind]!;
    const list: number[] = [];
    for (let row = 0; row < table.rows; row++) if (isWanted(table.day[row]!, table.sensor[row]!)) list.push(row);
    selected[kind] = takeRows(table, Int32Array.from(list));
  }
  return { texts, sets, kinds: selected };
}
