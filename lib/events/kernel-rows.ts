/**
 * Rows in the kernel, which reads most lines itself; what the plain path reads joins them there.
 *
 * Tested in `test/lib/events/line-reader.test.ts`.
 */
import { borrowKernel, type Kernel, type KernelSetup, returnKernel } from "../kernel/kernel.ts";
import { BATCH_ROWS, COLUMN_EXTRA, STATUS_BATCH_FULL, TEXT_COLUMN_COUNT } from "../kernel/layout.ts";
import { BatchStore } from "./batch-store.ts";
import type { EventRow } from "./event-row.ts";
import type { EventRows, FinishedRows, RowWatcher } from "./event-rows.ts";
import { hashLine } from "./line-hash.ts";
import { KEY_RULES, renderedSpellings, TEXT_COLUMNS } from "./schema.ts";

export interface KernelRowsOptions {
  readonly wantsHashes: boolean;
  readonly memoryMaxBytes?: number | undefined;
  readonly watchers?: readonly RowWatcher[] | undefined;
}

/** Rows in the kernel; undefined where there is none. */
export function openKernelRows(options: KernelRowsOptions): EventRows | undefined {
  const kernel = borrowKernel(setup);
  return kernel && new KernelRows(kernel, options);
}

function setup(): KernelSetup {
  // The kernel was compiled with these: `layout.ts` follows the schema, or nothing compiles.
  TEXT_COLUMNS.length satisfies typeof TEXT_COLUMN_COUNT;
  TEXT_COLUMNS[COLUMN_EXTRA] satisfies "extra";
  const keys = [...KEY_RULES].map(([name, { action, column }]) => ({ name, action, column: Math.max(0, column) }));
  return { keys, rendered: renderedSpellings() };
}

class KernelRows implements EventRows {
  #kernel: Kernel | undefined;
  readonly #batches: BatchStore;
  readonly #lineHash: Float64Array | undefined;
  readonly #watchers: readonly RowWatcher[];
  #sealedRows = 0;
  #firstSeenUs = Infinity;
  #lastSeenUs = -Infinity;

  constructor(kernel: Kernel, { wantsHashes, memoryMaxBytes, watchers = [] }: KernelRowsOptions) {
    this.#kernel = kernel;
    this.#batches = new BatchStore(memoryMaxBytes);
    this.#lineHash = wantsHashes ? new Float64Array(BATCH_ROWS) : undefined;
    this.#watchers = watchers;
    kernel.calls.startLog(wantsHashes ? 1 : 0);
    for (const watcher of watchers) watcher.start(kernel);
  }

  get rows(): number {
    return this.#sealedRows + this.#kernel!.calls.rows();
  }

  roomFor(bytes: number, kept: number): Uint8Array {
    return this.#kernel!.roomFor(bytes, kept);
  }

  read(start: number, end: number): number {
    const kernel = this.#kernel!;
    for (let at = start; ; this.#seal()) {
      const row = kernel.calls.rows();
      at = kernel.read(at, end);
      if (this.#lineHash !== undefined) this.#hashLines(this.#lineHash, row);
      if (kernel.calls.readStatus() !== STATUS_BATCH_FULL) return at;
    }
  }

  #hashLines(lineHash: Float64Array, row: number): void {
    const kernel = this.#kernel!;
    for (const end = kernel.calls.rows(); row < end; row++) lineHash[row] = hashLine(kernel.lineOf(row));
  }

  add({ timestampUs, texts, numbers }: EventRow, lineHash: number): void {
    const kernel = this.#kernel!;
    const { calls } = kernel;
    if (calls.rows() === BATCH_ROWS) this.#seal();
    if (this.#lineHash !== undefined) this.#lineHash[calls.rows()] = lineHash;
    calls.openRow();
    // By `forEach`, which passes over what is not there.
    texts.forEach((text, column) => text !== undefined && kernel.putText(column, text));
    numbers.forEach((number, column) => number !== undefined && calls.putNumber(column, number));
    calls.closeRow(timestampUs);
  }

  #seal(): void {
    const { calls } = this.#kernel!;
    const rows = calls.rows();
    for (const watcher of this.#watchers) watcher.rows(this.#kernel!);
    const { columns, firstSeenUs, lastSeenUs } = this.#kernel!.pack();
    this.#batches.add({ rows, columns, lineHash: this.#lineHash?.slice(0, rows) });
    this.#firstSeenUs = Math.min(this.#firstSeenUs, firstSeenUs);
    this.#lastSeenUs = Math.max(this.#lastSeenUs, lastSeenUs);
    this.#sealedRows += rows;
    calls.startBatch();
  }

  finish(): FinishedRows {
    if (this.#kernel!.calls.rows() > 0) this.#seal();
    for (const watcher of this.#watchers) watcher.end(this.#kernel!);
    const texts = TEXT_COLUMNS.map((_, column) => this.#kernel!.copyTexts(column));
    returnKernel(this.#kernel!);
    this.#kernel = undefined;
    return {
      rows: this.#sealedRows,
      texts,
      batches: this.#batches,
      firstSeenUs: this.#firstSeenUs,
      lastSeenUs: this.#lastSeenUs,
    };
  }

  /** Where reading was given up, the kernel is not used again: it may have failed in the middle of a line. */
  [Symbol.dispose](): void {
    if (this.#kernel === undefined) return;
    this.#kernel = undefined;
    this.#batches.close();
  }
}
