/**
 * Lines of a Cowrie log into the rows of its event table.
 *
 * The kernel reads what Cowrie writes: an object of strings, numbers and short nested values on one line. What it does not
 * know (another white space, a second key of the same name, a number in the place of a text, a line that is no JSON at all) it
 * gives back, and the plain path reads it: JSON.parse, and what mends a damaged line. Without the kernel all lines go that
 * way, and give the same rows.
 */
import { buildEventTable } from "./event-builder.ts";
import { toEventRow } from "./event-row.ts";
import type { RowWatcher, EventRows } from "./event-rows.ts";
import type { BuiltEventTable } from "./event-table.ts";
import { openKernelRows } from "./kernel-rows.ts";
import { hashLine } from "./line-hash.ts";
import { PlainRows } from "./plain-rows.ts";
import { readRecords } from "./records.ts";
import { noCounts } from "./source.ts";

const LF = 0x0a;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface LineReaderOptions {
  /** Read every line with JSON.parse: the plain path that the kernel is held against. */
  readonly plainOnly?: boolean;
  /** Keep a hash of every line, to find lines that another log holds too. */
  readonly lineHashes?: boolean;
  /** Called with every line that gave no event, or fewer than it holds records. `line` counts from 1. */
  readonly onReject?: ((line: number, bytes: Uint8Array) => void) | undefined;
  /** Bytes of batches kept in memory before they go to a temporary file. */
  readonly memoryMaxBytes?: number;
  /** See the rows while the kernel has them. */
  readonly watchers?: readonly RowWatcher[] | undefined;
}

/** What a log came to. */
export interface ReadLines {
  readonly table: BuiltEventTable;
  /** Infinity and -Infinity where there is no event. */
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
}

export class LineReader implements Disposable {
  readonly counts = noCounts();
  readonly #rows: EventRows;
  readonly #onReject: LineReaderOptions["onReject"];
  readonly #wantsHashes: boolean;

  constructor({ plainOnly = false, lineHashes = false, onReject, memoryMaxBytes, watchers }: LineReaderOptions = {}) {
    const kernelRows = plainOnly ? undefined : openKernelRows({ wantsHashes: lineHashes, memoryMaxBytes, watchers });
    this.#rows = kernelRows ?? new PlainRows(lineHashes, memoryMaxBytes);
    this.#onReject = onReject;
    this.#wantsHashes = lineHashes;
  }

  /**
   * Room for the text of the log; good until lines are read or it is asked for again.
   *
   * @param bytes How many it takes.
   * @param kept Bytes at the start of the room before that stand at its start again.
   */
  roomFor(bytes: number, kept: number): Uint8Array {
    return this.#rows.roomFor(bytes, kept);
  }

  /**
   * Read whole lines of the room.
   *
   * @param end Behind the LF of the last line.
   */
  readLines(start: number, end: number): void {
    const rows = this.#rows;
    for (let at = start; at < end; ) {
      const before = rows.rows;
      at = rows.read(at, end);
      this.counts.lines += rows.rows - before;
      this.counts.events += rows.rows - before;
      if (at === end) break;
      const room = rows.roomFor(end, end);
      const lineEnd = room.indexOf(LF, at);
      // A copy: rows that are added may take the room away from under the line.
      this.readPlain(room.slice(at, lineEnd));
      at = lineEnd + 1;
    }
  }

  /**
   * Read one line by JSON.parse, mending it where it can be mended.
   *
   * @param line The bytes of the line without its LF.
   * @param isQuiet Do not report a reject: the caller may find that it is none.
   * @returns How many events it gave, and how many records of it were rejected.
   */
  readPlain(line: Uint8Array, isQuiet = false): { events: number; rejected: number } {
    const { counts } = this;
    counts.lines++;
    const records = readRecords(decoder.decode(line), counts.lines === 1);
    const lineHash = this.#wantsHashes ? hashLine(line) : 0;
    for (const event of records.events) this.#rows.add(toEventRow(event), lineHash);
    if (records.sound) counts.events += records.events.length;
    else counts.repaired += records.events.length;
    counts.rejected += records.rejected;
    if (records.rejected > 0 && !isQuiet) this.#onReject?.(counts.lines, line);
    return { events: records.events.length, rejected: records.rejected };
  }

  /** The table of all lines; nothing may be read afterwards. */
  finish(): ReadLines {
    const finished = this.#rows.finish();
    const { firstSeenUs, lastSeenUs } = finished;
    return { table: buildEventTable(finished), firstSeenUs, lastSeenUs };
  }

  /** Give up; does nothing where it has finished. */
  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]();
  }
}
