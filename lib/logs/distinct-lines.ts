/**
 * Lines that stand in several logs, byte for byte: which events are the first of theirs.
 *
 * Tested in `test/lib/logs/analyze.test.ts`.
 */
import { type EventBatch, type EventTable, reopenEventTable } from "../events/event-table.ts";
import type { SetLog } from "./log-set.ts";

/** A table of a log with its events on lines that no earlier log holds. */
export interface DistinctTable<Log> {
  readonly log: Log;
  readonly table: EventTable;
  /** Tells the rows that count, of the batch that was walked last. */
  readonly keepRow: (batch: EventBatch, row: number) => boolean;
  /** Events that do not count, once the table has been walked. */
  dropped(): number;
}

/**
 * The event tables of logs, one after the other, with the rows on lines that an earlier log holds too, byte for byte.
 *
 * A line that stands twice in one log counts twice: only copies between logs are left out.
 *
 * @param logs In canonical order of their sources; their tables hold the hashes of lines. Each table is to be walked.
 */
export async function* distinctTables<Log extends Pick<SetLog, "source" | "tablePath" | "tableState">>(
  logs: readonly Log[],
): AsyncGenerator<DistinctTable<Log>> {
  const seen = new LineSet();
  for (const log of logs) {
    await using stored = await reopenEventTable(log.tablePath!, log.tableState);
    const { table } = stored;
    // Known to the set only when the log is through: within one log equal lines count as often as they stand.
    const own: Required<Pick<EventBatch, "lineHash" | "timestampUs">>[] = [];
    let isKept = new Uint8Array(0);
    let dropped = 0;
    const walked = {
      ...table,
      async *batches() {
        for await (const batch of table.batches()) {
          const { timestampUs, rows } = batch;
          const lineHash = batch.lineHash!;
          own.push({ lineHash, timestampUs });
          isKept = new Uint8Array(rows);
          for (let row = 0; row < rows; row++) {
            if (seen.has(lineHash[row]!, timestampUs[row]!)) dropped++;
            else isKept[row] = 1;
          }
          yield batch;
        }
      },
    };
    yield { log, table: walked, keepRow: (_, row) => isKept[row] === 1, dropped: () => dropped };
    for (const { lineHash, timestampUs } of own) {
      for (let row = 0; row < timestampUs.length; row++) seen.add(lineHash[row]!, timestampUs[row]!);
    }
  }
}

/**
 * Lines seen, by hash and time: tells whether a line of one log stands in an earlier log too.
 *
 * Equal lines have equal times, so two different lines are taken for one only if 53 bits of hash agree within the same
 * microsecond.
 */
export class LineSet {
  size = 0;
  #hashes = new Float64Array(1 << 16);
  #times = new Float64Array(1 << 16).fill(NaN);

  has(hash: number, timestampUs: number): boolean {
    return !Number.isNaN(this.#times[this.#find(hash, timestampUs)]!);
  }

  add(hash: number, timestampUs: number): void {
    const slot = this.#find(hash, timestampUs);
    if (!Number.isNaN(this.#times[slot]!)) return;
    this.#hashes[slot] = hash;
    this.#times[slot] = timestampUs;
    this.size++;
    if (this.size * 2 > this.#hashes.length) this.#grow();
  }

  /** The slot of a line, or the free one where it belongs (time NaN). */
  #find(hash: number, timestampUs: number): number {
    const mask = this.#hashes.length - 1;
    // The time counts too: the elements of an array share the hash of their one line.
    let slot = (hash ^ Math.imul(timestampUs, 0x9e3779b1)) & mask;
    while (!Number.isNaN(this.#times[slot]!) && !(this.#hashes[slot] === hash && this.#times[slot] === timestampUs)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [hashes, times] = [this.#hashes, this.#times];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#times = new Float64Array(times.length * 2).fill(NaN);
    this.size = 0;
    for (let slot = 0; slot < hashes.length; slot++) {
      if (!Number.isNaN(times[slot]!)) this.add(hashes[slot]!, times[slot]!);
    }
  }
}
