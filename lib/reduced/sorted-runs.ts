/**
 * Adds up rows of any number: what is more than memory is spared for lies in files, each of rows in order, which are merged as
 * streams at the end. The rows are those of one `ReducedBuilder`.
 */
import { join } from "node:path";
import { makeTempFolder } from "../process/temp-folder.ts";
import { takeWithPauses } from "../process/pause.ts";
import type { SourceInfo } from "../events/source.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { REDUCED_VERSION } from "./kinds.ts";
import { type SensorSpans, sensorSpans } from "./rebuilt-sensors.ts";
import { reducedToIpc } from "./reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "./reduced-builder.ts";
import type { ReducedInfo, ReducedTable } from "./reduced-table.ts";

/** A table in a file of its own, that is gone with what made it. */
export interface StoredCounts {
  readonly path: string;
  /** What `reduced.json` is made of. */
  readonly top: ReducedTable;
}

/** What rows were added up to, in memory or in a file; and when each sensor was at work. */
export type AddedUp = { readonly spans: SensorSpans } & (
  | { readonly table: ReducedTable; readonly stored?: undefined }
  | { readonly stored: StoredCounts; readonly table?: undefined }
);

export class SortedRuns implements Disposable {
  readonly #sources: readonly SourceInfo[];
  readonly #parameters: ReducedInfo["parameters"];
  readonly #rowsMost: number;
  readonly #stack = new DisposableStack();
  readonly #runs: string[] = [];
  readonly #spans: SensorSpans = new Map();
  #folder: string | undefined;
  #builder: ReducedBuilder;

  /**
   * @param sources Those of the rows, by which their order is told.
   * @param rowsMost Rows that are held in memory; Infinity = all.
   */
  constructor({ sources, parameters }: Pick<ReducedInfo, "sources" | "parameters">, rowsMost: number) {
    this.#sources = sources;
    this.#parameters = parameters;
    this.#rowsMost = rowsMost;
    this.#builder = this.#makeBuilder();
  }

  /** See `ReducedBuilder.expect`. */
  expect(parts: readonly ReducedRows[]): void {
    this.#builder.expect(parts);
  }

  async add(rows: ReducedRows): Promise<void> {
    this.#builder.add(rows);
    // Unless a good part of them was added up: else every few rows would be the ones too many.
    if (this.#builder.rows > this.#rowsMost && this.#builder.addUp() > this.#rowsMost / 2) await this.#write();
  }

  /**
   * What all rows were added up to; nothing can be added afterwards.
   *
   * @param sources As they are told in the table.
   * @param topN Entries per kind and sensor-day of what `reduced.json` is made of, where the table is stored; 0 = all.
   */
  async finish(sources: readonly SourceInfo[], topN: number): Promise<AddedUp> {
    const info = { version: REDUCED_VERSION, parameters: this.#parameters, sources };
    if (this.#folder === undefined) {
      const table = await takeWithPauses(this.#builder.calculate(info));
      // Its columns are as large as the table.
      this.#builder = this.#makeBuilder();
      sensorSpans(table, this.#spans);
      return { table, spans: this.#spans };
    }
    await this.#write();
    const stored = await this.#merge(info, topN, this.#folder);
    Bun.gc(true);
    return { stored, spans: this.#spans };
  }

  async #merge(info: ReducedInfo, topN: number, folder: string): Promise<StoredCounts> {
    const { combineRuns, openSorted } = await loadMerging();
    using merged = await combineRuns(this.#runs.map(path => ({ info, open: () => openSorted(path)! })), info, topN, folder);
    const path = join(folder, "counts.arrow");
    await put(path, merged.chunks("file"));
    return { path, top: merged.top.toTable(merged.info, merged.texts) };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  /** Put what was added so far into a file. */
  async #write(): Promise<void> {
    this.#folder ??= makeTempFolder(this.#stack);
    const path = join(this.#folder, `${this.#runs.length}.arrow`);
    {
      const table = await takeWithPauses(this.#builder.calculate({ version: REDUCED_VERSION, parameters: this.#parameters, sources: [] }));
      this.#builder = this.#makeBuilder();
      sensorSpans(table, this.#spans);
      await put(path, reducedToIpc(table));
    }
    this.#runs.push(path);
    Bun.gc(true);
  }

  #makeBuilder(): ReducedBuilder {
    const builder = new ReducedBuilder();
    for (const source of this.#sources) builder.addSource(source);
    return builder;
  }
}

/** Few archives have so many rows: for others it is not loaded. */
async function loadMerging() {
  return { ...(await import("./combine-sorted.ts")), ...(await import("./sorted-table.ts")) };
}

/** @throws {Error} if there is no room for it. */
async function put(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const { writeFile } = await loadMerging();
  try {
    await writeFile(path, chunks);
  } catch (error) {
    throw new Error(`Cannot write ${quoteForMessage(path)}, where counts lie that are too many for memory: ${errorReason(error)}`, { cause: error });
  }
}
