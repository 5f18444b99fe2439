/**
 * A dataset as one reduced table whose rows stand in their order: of its files one is open at a time, and no more of them
 * than the months that are asked for.
 */
import { type AddressSets, SetDictionary } from "../columns/address-sets.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { type Texts, toTexts } from "../columns/dictionary.ts";
import { takeAtOnce } from "../process/pause.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type DatasetPart, daysOfMonth, isDataset, type Manifest, readManifest } from "./dataset-manifest.ts";
import { hasColumn, type HowToRead, PartFile } from "./dataset-part.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import { type Recodes, uniteTexts } from "./merge-sorted.ts";
import { type LazyBatch, openSorted, type RowBatch, type SortedBatch, type SortedTable, type Stretch, type StoredRows, sweepAfter, textsOfColumns, toLazyBatch, toSortedBatch } from "./sorted-table.ts";
import type { StoredReduced } from "./reduced-arrow.ts";
import type { CodedColumn } from "./reduced-builder.ts";
import type { ReducedInfo } from "./reduced-table.ts";

/**
 * Open what says that its rows stand in order, a file or a dataset; undefined for anything else.
 *
 * @throws {Error} as `openSorted` and `Dataset.open`.
 */
export function openStored(path: string): StoredRows | undefined {
  return isDataset(path) ? Dataset.open(path) : openSorted(path);
}

export class Dataset implements StoredRows {
  readonly name: string;
  readonly info: ReducedInfo;
  readonly parts: readonly DatasetPart[];
  #united: { readonly texts: Record<CodedColumn, Texts>; readonly recodes: ReadonlyMap<DatasetPart, Recodes> } | undefined;

  constructor(folder: string, { info, parts }: Manifest) {
    this.name = folder;
    this.info = info;
    this.parts = parts;
  }

  /** @throws {Error} if it is none, or its manifest says what none can. */
  static open(folder: string): Dataset {
    return new Dataset(folder, readManifest(folder));
  }

  textsOf(name: CodedColumn): Texts {
    return this.#unite().texts[name];
  }

  isEmpty(): boolean {
    return this.parts.every(({ kind }) => kind === "scan");
  }

  get allRows(): number {
    return this.parts.reduce((sum, { rows }) => sum + rows, 0);
  }

  placesOf(kind: Kind): Stretch & { readonly rows: readonly number[] } {
    const own = this.#partsOf(kind);
    return { start: 0, end: own.length, rows: own.map(({ rows }) => rows) };
  }

  *batches(kind: Kind, memory?: ColumnMemory, stretch?: Stretch): Generator<SortedBatch> {
    for (const part of this.#partsOf(kind, stretch)) {
      yield* this.#read(part, batch => toSortedBatch(kind, batch, [kind], memory), { memory, isLazy: false });
    }
  }

  *lazyBatches(kind: Kind, firstDay: number, stretch?: Stretch): Generator<LazyBatch> {
    const memory = new ColumnMemory();
    for (const part of this.#partsOf(kind, stretch)) {
      if (daysOfMonth(part.month)[1] < firstDay) continue;
      for (const batch of this.#read(part, batch => toLazyBatch(kind, batch, memory), { memory, isLazy: true })) {
        if (batch.rows > 0 && batch.day.at(-1)! >= firstDay) yield batch;
        sweepAfter(batch.rows);
      }
    }
  }

  /** The same without the parts that are not wanted. */
  only(isWanted: (part: DatasetPart) => boolean): Dataset {
    return new Dataset(this.name, { info: this.info, parts: this.parts.filter(isWanted) });
  }

  close(): void {
    // Nothing is open between two batches but the part they are of.
  }

  #partsOf(kind: Kind, { start, end }: Partial<Stretch> = {}): DatasetPart[] {
    return this.parts.filter(part => part.kind === kind).slice(start, end);
  }

  *#read<Batch>(part: DatasetPart, make: (batch: RowBatch) => Batch, how: HowToRead): Generator<Batch> {
    const recodes = this.#unite().recodes.get(part)!;
    using file = new PartFile(this.name, part);
    for (const batch of file.batches(recodes, how)) {
      yield ofPart(this.name, part, () => make(batch));
    }
  }

  /** One dictionary of all parts for each column. */
  #unite() {
    if (this.#united !== undefined) return this.#united;
    const textsOf = (part: DatasetPart, name: CodedColumn) => {
      if (!hasColumn(part.kind, name)) return toTexts([]);
      using file = new PartFile(this.name, part);
      return file.textsOf(name);
    };
    const named = this.parts.map(part => ({ name: nameOf(this.name, part), textsOf: (name: CodedColumn) => textsOf(part, name) }));
    const { texts, recodes } = takeAtOnce(uniteTexts(named));
    this.#united = { texts, recodes: new Map(this.parts.map((part, i) => [part, recodes[i]!])) };
    return this.#united;
  }
}

function nameOf(folder: string, { kind, month, name }: DatasetPart): string {
  return `${folder}: ${kind} ${month} ${name}`;
}

/** Read of a part, with its name in what is wrong with it. */
function ofPart<T>(folder: string, part: DatasetPart, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${quoteForMessage(nameOf(folder, part))}: ${errorReason(error)}`, { cause: error });
  }
}

/** All rows of a table that comes in batches, in memory. */
export function readSorted(table: SortedTable): StoredReduced {
  const texts = textsOfColumns(table);
  const sets = new SetDictionary();
  const intern = ({ hashes, offsets }: AddressSets, codes: Int32Array) =>
    codes.map(code => (code < 0 ? -1 : sets.intern(hashes, offsets[code]!, offsets[code + 1]!)));
  const parts: StoredReduced["parts"][number][] = [];
  for (const kind of KIND_NAMES) {
    for (const { table: rows, sets: own } of table.batches(kind)) {
      parts.push({ texts, sets, kinds: { [kind]: { ...rows, addresses: rows.addresses && intern(own, rows.addresses) } } });
    }
  }
  return { info: table.info, parts };
}
