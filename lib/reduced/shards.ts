/**
 * Shards of reduced tables: each row in one of N by its kind and key, so that N tasks combine a year side by side.
 *
 * Nothing but the texts of a key decides, the same on every machine and in every run: whatever days and sensors a key has,
 * its rows are in one shard, and all shards together are the table, byte for byte. Of the last commands of sessions the
 * session decides, and what is made of them is made anew.
 *
 * Tested in `test/lib/reduced/shards.test.ts`.
 */
import { allTexts, type Texts } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import { hashTuple } from "../columns/tuple-numbers.ts";
import { UsageError } from "../process/command.ts";
import { quoteForMessage } from "../text/text.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KINDS } from "./kinds.ts";
import { batchesOf, textsOf } from "./merge-sorted.ts";
import type { SortedTable } from "./sorted-table.ts";
import { toReducedRows } from "./reduced-arrow.ts";
import { type CodedColumn, ReducedBuilder, type ReducedRows } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, type ReducedTable, type Shard, takeRows } from "./reduced-table.ts";

/** Of more there is less to a task than to its start. */
const SHARDS_MOST = 4096;

export const SHARD_OPTION = {
  shard: {
    type: "string",
    placeholder: "K/N",
    help: "Only the keys of this part of N, so that N tasks make one table; combine-reduced.ts joins all N.",
  },
} as const;

/** @throws {UsageError} if it is not `K/N`. */
export function parseShard(text: string | undefined, option = "--shard"): Shard | undefined {
  if (text === undefined) return undefined;
  const found = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  const [number, of] = [Number(found?.[1]), Number(found?.[2])];
  if (number >= 1 && number <= of && of <= SHARDS_MOST) return { number, of };
  throw new UsageError(`Cannot use ${option} ${quoteForMessage(text)}: expected K/N, as 1/4 to 4/4, N at most ${SHARDS_MOST}`);
}

/** A column that says which part a row belongs to, by its texts or by what is made of them; none is made of undefined. */
export interface ShardColumn {
  readonly name: KeyColumn | "sensor";
  readonly textOf?: (text: string) => string | undefined;
}

/** All of a key; of a last command its session. */
export function wholeKey(kind: Kind): readonly ShardColumn[] {
  return kind === "last_command" ? [{ name: "sensor" }, { name: "session" }] : KINDS[kind].map(name => ({ name }));
}

/** Tells which rows belong to a shard, of tables with the same texts. */
export class ShardPicker {
  readonly #shard: Shard;
  readonly #textsOf: (name: CodedColumn) => Texts;
  readonly #columnsOf: ((kind: Kind) => readonly ShardColumn[]) | undefined;
  readonly #hashes = new Map<CodedColumn, Uint32Array>();

  /** @param columnsOf What decides, the same in all kinds; the kind and all of the key if not given. */
  constructor(shard: Shard, textsOf: (name: CodedColumn) => Texts, columnsOf?: (kind: Kind) => readonly ShardColumn[]) {
    this.#shard = shard;
    this.#textsOf = textsOf;
    this.#columnsOf = columnsOf;
  }

  pick(table: KindTable): KindTable {
    return takeRows(table, this.pickRows(table));
  }

  pickRows(table: KindTable): Int32Array {
    const { kind, rows, keys, sensor } = table;
    const columns = (this.#columnsOf ?? wholeKey)(kind).map(column => {
      const { name } = column;
      if (name === "sensor") return this.#marks(name, column, sensor);
      return isTextKey(name) ? this.#marks(name, column, keys[name]!) : keys[name]!;
    });
    const { number, of } = this.#shard;
    const wanted: number[] = [];
    for (let row = 0; row < rows; row++) {
      let hash = this.#columnsOf === undefined ? KIND_NAMES.indexOf(kind) : 0;
      for (const column of columns) hash = hashTuple(hash, column[row]!, 0);
      if ((hash >>> 0) % of === number - 1) wanted.push(row);
    }
    return Int32Array.from(wanted);
  }

  /** A hash in place of each code. */
  #marks(name: CodedColumn, { textOf = text => text }: ShardColumn, codes: Int32Array): Int32Array {
    let hashes = this.#hashes.get(name);
    if (hashes === undefined) this.#hashes.set(name, (hashes = Uint32Array.from(allTexts(this.#textsOf(name)), text => textHash(textOf(text)))));
    const marks = take(new Int32Array(hashes.buffer), codes);
    for (let row = 0; row < codes.length; row++) if (codes[row]! < 0) marks[row] = NO_TEXT;
    return marks;
  }
}

/** In place of the number of a text where there is none. */
export const NO_TEXT = -1;

/** 32 bits made of a text, the same everywhere. */
export function textHash(text: string | undefined): number {
  return text === undefined ? NO_TEXT : Bun.hash.xxHash32(text) | 0;
}

/** @throws {Error} if counts were cut: of these nobody knows what is left out. */
export function toShardInfo(name: string, info: ReducedInfo, shard: Shard): ReducedInfo {
  if (info.shard !== undefined) throw new Error(`Cannot take a shard of ${quoteForMessage(name)}: it is one itself, expected a whole table`);
  if (info.sources.some(({ cut }) => cut)) throw new Error(`Cannot take a shard of ${quoteForMessage(name)}: its counts were cut, expected full counts`);
  return shard.of === 1 ? info : { ...info, shard };
}

/** Rows of a shard; what is made of others is left out. */
export function shardRows({ texts, sets, kinds }: ReducedRows, shard: Shard): ReducedRows {
  const picker = new ShardPicker(shard, name => texts[name]);
  const picked: Partial<Record<Kind, KindTable>> = {};
  for (const kind of KIND_NAMES) if (kind !== "pre_disconnect_command" && kinds[kind] !== undefined) picked[kind] = picker.pick(kinds[kind]);
  return { texts, sets, kinds: picked };
}

/** A shard of a table in memory. */
export function shardTable(table: ReducedTable, shard: Shard, name = ""): ReducedTable {
  const info = toShardInfo(name, table.info, shard);
  const builder = new ReducedBuilder();
  for (const source of info.sources) builder.addSource(source);
  builder.add(shardRows(toReducedRows(table), shard));
  return builder.finish(info);
}

/** The same of a table that comes in batches; last commands that others are made of must be made anew. */
export function shardSorted(table: SortedTable, shard: Shard): SortedTable {
  const info = toShardInfo(table.name, table.info, shard);
  let picker: ShardPicker | undefined;
  return {
    name: table.name,
    info,
    textsOf: name => table.textsOf(name),
    isEmpty: () => table.isEmpty(),
    *batches(kind, memory) {
      const own = (picker ??= pickerOf(table, shard));
      for (const { table: rows, sets } of batchesOf(table, kind, memory)) {
        const picked = own.pick(rows);
        // Whoever merges looks at the first row of a batch.
        if (picked.rows > 0) yield { table: picked, sets };
      }
    },
    close: () => table.close(),
  };
}

function pickerOf(table: SortedTable, shard: Shard): ShardPicker {
  const texts = textsOf(table);
  return new ShardPicker(shard, name => texts[name]);
}
