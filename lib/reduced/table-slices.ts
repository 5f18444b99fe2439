/**
 * Slices of a table that is too large for one task: of each kind of row those whose keys fall to a part of N, in memory. What
 * is told of passwords needs all rows of a password, what is told of networks all of a network: one table gives several
 * slices, each by columns of its own.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { take } from "../columns/group.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { allTexts } from "../columns/dictionary.ts";
import { compareText } from "../text/text.ts";
import { type CellSums, CellSummer } from "./cell-sums.ts";
import type { SortedInput } from "./combine-sorted.ts";
import { settleInputs } from "./combine.ts";
import { RowGatherer } from "./gather-rows.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import { batchesOf, textsOf } from "./merge-sorted.ts";
import type { SortedTable } from "./sorted-table.ts";
import { toReducedRows } from "./reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "./reduced-builder.ts";
import { joinTables, type KindTable, type ReducedInfo, type ReducedTable, type Shard, takeRows } from "./reduced-table.ts";
import { type ShardColumn, ShardPicker } from "./shards.ts";

export interface SliceRule {
  /** By kind of row, what says to which slice one belongs; nothing: all stand in the first slice. */
  readonly by: Partial<Readonly<Record<Kind, readonly ShardColumn[]>>>;
  /** Of commands those alone whose text is wanted. */
  readonly only?: { readonly command: (input: string) => boolean };
}

export interface Slices<Name extends string> {
  /** Of the table as a whole; codes of sensors are places in `sensors`. */
  readonly info: ReducedInfo;
  readonly cells: CellSums;
  readonly tables: Readonly<Record<Name, ReducedTable>>;
}

/**
 * Read slices of tables that are one together: a whole table, or all shards of one.
 *
 * @throws {Error} if they are not, or hold cut counts.
 */
export async function readSlices<Name extends string>(
  inputs: readonly SortedInput[],
  part: Shard,
  rules: Readonly<Record<Name, SliceRule>>,
  onNotice: (line: string) => void,
): Promise<Slices<Name>> {
  const { kept, parameters, sources, shard } = await settleInputs(inputs, onNotice);
  if (shard !== undefined) throw new Error(`Cannot work on shard ${shard.number} of ${shard.of} alone: expected all ${shard.of}`);
  if (kept.length !== (kept[0]!.info.shard?.of ?? 1)) throw new Error("Cannot work on a part of several tables: expected one, or all shards of one by combine-reduced.ts --shard");
  if (sources.some(({ cut }) => cut)) throw new Error("Cannot work on a part of counts that were cut: expected full counts");
  const info = { version: kept[0]!.info.version, parameters, sources };
  const slicers = (Object.keys(rules) as Name[]).map(name => ({ name, slicer: new Slicer(rules[name], part) }));
  let cells: CellSums | undefined;
  for (const input of kept) {
    const table = input.open();
    try {
      if (table.isEmpty()) continue;
      const own = await readOne(table, slicers.map(({ slicer }) => slicer), info);
      cells = cells === undefined ? own : joinCells(cells, own);
    } finally {
      table.close();
    }
  }
  cells ??= new CellSummer().finish(new ReducedBuilder().finish(info));
  const { sensor } = cells.table.dictionaries;
  const tables = slicers.map(({ name, slicer }) => [name, withSensors(slicer.finish(info), sensor)] as const);
  return { info, cells, tables: Object.fromEntries(tables) as Record<Name, ReducedTable> };
}

async function readOne(table: SortedTable, slicers: readonly Slicer[], info: ReducedInfo): Promise<CellSums> {
  const texts = textsOf(table);
  const summer = new CellSummer();
  for (const slicer of slicers) slicer.open(texts);
  for (const kind of KIND_NAMES) {
    for (const batch of batchesOf(table, kind)) {
      summer.add(batch.table);
      for (const slicer of slicers) slicer.add(batch);
      await pauseNowAndThen();
    }
  }
  for (const slicer of slicers) slicer.close(info);
  return summer.finish({ info, dictionaries: { sensor: allTexts(texts.sensor) } as unknown as ReducedTable["dictionaries"] });
}

/** Rows of one slice, table by table. */
class Slicer {
  readonly #rule: SliceRule;
  readonly #part: Shard;
  #builder = new ReducedBuilder();
  #open: { readonly texts: ReducedRows["texts"]; readonly picker: ShardPicker; readonly gatherer: RowGatherer; readonly isWanted: Uint8Array | undefined } | undefined;

  constructor(rule: SliceRule, part: Shard) {
    this.#rule = rule;
    this.#part = part;
  }

  open(texts: ReducedRows["texts"]): void {
    const picker = new ShardPicker(this.#part, name => texts[name], kind => this.#rule.by[kind]!);
    const { command } = this.#rule.only ?? {};
    const isWanted = command && this.#part.number === 1 ? Uint8Array.from(allTexts(texts.input), input => Number(command(input))) : undefined;
    this.#open = { texts, picker, gatherer: new RowGatherer(), isWanted };
  }

  add({ table, sets }: { readonly table: KindTable; readonly sets: ReducedRows["sets"] }): void {
    const by = this.#rule.by[table.kind];
    if (by === undefined || (by.length === 0 && this.#part.number !== 1)) return;
    const { picker, gatherer, isWanted } = this.#open!;
    const rows = by.length > 0 ? picker.pickRows(table) : Int32Array.from(table.day.keys());
    gatherer.add({ ...table, sets }, table.kind === "command" && isWanted ? rows.filter(row => isWanted[table.keys.input![row]!] === 1) : rows);
  }

  close(info: ReducedInfo): void {
    const { texts, gatherer } = this.#open!;
    this.#open = undefined;
    const { sets, kinds } = gatherer.finish({ info, dictionaries: {} as ReducedTable["dictionaries"] });
    const { pre_disconnect_command, ...others } = Object.fromEntries(
      KIND_NAMES.filter(kind => kinds[kind].rows > 0).map(kind => [kind, kinds[kind]]),
    ) as Partial<Record<Kind, KindTable>>;
    this.#builder.add({ texts, sets, kinds: others });
    // What was made of sessions is added up as it was counted: none is in two shards.
    if (pre_disconnect_command !== undefined) this.#builder.addCut({ texts, sets, kinds: { pre_disconnect_command } });
  }

  finish(info: ReducedInfo): ReducedTable {
    const table = this.#builder.finish(info);
    // Its rows lie in the table now: those of other slices need the room.
    this.#builder = new ReducedBuilder();
    return table;
  }
}

/** The same table with sensors by their places in a list that has all of its own, both in the same order. */
export function withSensors(table: ReducedTable, sensors: readonly string[]): ReducedTable {
  const codes = Int32Array.from(table.dictionaries.sensor, name => sensors.indexOf(name));
  const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, { ...table.kinds[kind], sensor: take(codes, table.kinds[kind].sensor) }]));
  return { ...table, dictionaries: { ...table.dictionaries, sensor: sensors }, kinds: kinds as unknown as ReducedTable["kinds"] };
}

/** Sums of two tables whose rows are those of one. */
function joinCells(a: CellSums, b: CellSums): CellSums {
  const sensor = [...new Set([...a.table.dictionaries.sensor, ...b.table.dictionaries.sensor])].sort(compareText);
  const dictionaries = { ...a.table.dictionaries, sensor };
  const both = [a, b].map(({ table, rows }) => ({ table: withSensors(table, sensor), rows }));
  const summer = new CellSummer();
  const rows = new CellSummer();
  for (const kind of KIND_NAMES) {
    const joined = joinTables(kind, both.map(({ table }) => table.kinds[kind]));
    const { day, sensor, keys } = joined;
    const hour = keys.hour ?? new Int32Array(joined.rows);
    const order = Int32Array.from(day.keys()).sort((x, y) => day[x]! - day[y]! || sensor[x]! - sensor[y]! || hour[x]! - hour[y]!);
    const count = Float64Array.from(both.flatMap(own => [...own.rows[kind]]));
    summer.add(takeRows(joined, order));
    rows.add(takeRows({ ...joined, count }, order));
  }
  const counted = rows.finish({ info: a.table.info, dictionaries }).table.kinds;
  return {
    table: summer.finish({ info: a.table.info, dictionaries }).table,
    rows: Object.fromEntries(KIND_NAMES.map(kind => [kind, Int32Array.from(counted[kind].count)])) as unknown as CellSums["rows"],
  };
}

/** Some rows of one kind, as a table of their own; its logs stay untold. */
export function pickTable(table: ReducedTable, kind: Kind, rows: Int32Array): ReducedTable {
  return joinPicked([{ ...table, kinds: { ...table.kinds, [kind]: takeRows(table.kinds[kind], rows) } }], kind, withoutSources(table).info, table.dictionaries.sensor);
}

/** The same table without its logs, of which there may be more than rows. */
export function withoutSources(table: ReducedTable): ReducedTable {
  return { ...table, info: { ...table.info, sources: [] } };
}

/** Rows of one kind out of several tables, as one table; codes of sensors are places in `sensors`. */
export function joinPicked(tables: readonly ReducedTable[], kind: Kind, info: ReducedInfo, sensors: readonly string[]): ReducedTable {
  const builder = new ReducedBuilder();
  for (const table of tables) {
    const { texts, sets, kinds } = toReducedRows(table);
    const rows = { texts, sets, kinds: { [kind]: kinds[kind]! } };
    if (kind === "pre_disconnect_command") builder.addCut(rows);
    else builder.add(rows);
  }
  return withSensors(builder.finish(info), sensors);
}
