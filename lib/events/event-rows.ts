/**
 * Where the lines of a log become rows: in the kernel, or without it.
 *
 * Tested in `test/lib/events/line-reader.test.ts`.
 */
import type { Texts } from "../columns/dictionary.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { BatchStore } from "./batch-store.ts";
import type { EventRow } from "./event-row.ts";

/** All rows of a log. */
export interface FinishedRows {
  readonly rows: number;
  /** By text column, as the log has them. */
  readonly texts: readonly Texts[];
  readonly batches: BatchStore;
  /** Infinity and -Infinity where there is no row. */
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
}

/** Sees the rows of a log while they are in the kernel; is told of nothing where there is none. */
export interface RowWatcher {
  /** A log is about to be read. */
  start(kernel: Kernel): void;
  /** There are new rows in the batch, or it is about to be emptied. */
  rows(kernel: Kernel): void;
  /** There are no further rows. */
  end(kernel: Kernel): void;
}

export interface EventRows extends Disposable {
  /** Rows so far. */
  readonly rows: number;
  /**
   * Room for the text of the log, in which lines are read; good until the next call of anything here.
   *
   * @param bytes How many it takes.
   * @param kept Bytes at the start of the room before that stand at its start again.
   */
  roomFor(bytes: number, kept: number): Uint8Array;
  /**
   * Read whole lines of the room into rows, for as long as they are as Cowrie writes them.
   *
   * @param end Behind the LF of the last line.
   * @returns Where the first line starts that is left to the plain path; `end` if there is none.
   */
  read(start: number, end: number): number;
  /** Add an event that the plain path read. @param lineHash Of the line it stands on. */
  add(row: EventRow, lineHash: number): void;
  /** All rows; nothing may be called afterwards. */
  finish(): FinishedRows;
}
