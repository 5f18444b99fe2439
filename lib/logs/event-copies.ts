/**
 * Logs that hold the same events as another, or its first ones, though not the same bytes: written as a JSON array once and
 * as lines another time, with other spaces, by another collector.
 *
 * Only logs whose first events have one time are looked at: each is walked once, shortest first, and a hash of its events
 * so far is held against those of the shorter ones. So the work grows with the events, however many logs begin alike.
 */
import type { Texts } from "../columns/dictionary.ts";
import { type EventBatch, type EventTable, reopenEventTable } from "../events/event-table.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "../events/schema.ts";
import type { SourceInfo } from "../events/source.ts";

export interface TableCandidate {
  readonly source: SourceInfo;
  readonly tablePath: string;
  readonly tableState?: string | undefined;
}

/** Why a log is left out. */
export interface EventCopy<Log> {
  readonly original: Log;
  readonly how: "the same events as" | "the first events of";
}

/** Find logs all of whose events are those, or the first of those, of another. */
export async function findEventCopies<Log extends TableCandidate>(logs: readonly Log[]): Promise<Map<Log, EventCopy<Log>>> {
  const copies = new Map<Log, EventCopy<Log>>();
  for (const family of Map.groupBy(logs, ({ source }) => source.firstSeenUs).values()) {
    if (family.length < 2) continue;
    const seed = crypto.getRandomValues(new BigUint64Array(1))[0]!;
    // Of equal ones the first stays, so it comes last.
    const byLength = [...family].reverse().sort((a, b) => countEvents(a) - countEvents(b));
    const counts = [...new Set(byLength.map(countEvents))];
    /** By number of events and their hash; of equal ones the last. */
    const known = new Map<string, Log>();
    const nextOf = new Map<Log, Log>();
    for (const log of byLength) {
      let last = "";
      for await (const { events, hash } of hashEvents(log, counts, seed)) {
        last = `${events} ${hash}`;
        const copy = known.get(last);
        if (copy !== undefined) nextOf.set(copy, log);
      }
      known.set(last, log);
    }
    // What is a copy of a copy is one of its original.
    const originals = new Map<Log, Log>();
    for (const log of byLength.toReversed()) {
      const next = nextOf.get(log);
      if (next !== undefined) originals.set(log, originals.get(next) ?? next);
    }
    for (const copy of nextOf.keys()) {
      const original = originals.get(copy)!;
      copies.set(copy, { original, how: countEvents(copy) === countEvents(original) ? "the same events as" : "the first events of" });
    }
  }
  return copies;
}

/** Events of a log. */
export function countEvents({ source: { counts } }: Pick<TableCandidate, "source">): number {
  return counts.events + counts.repaired;
}

/** Hashes of the first events of a log, for each of the numbers of events, rising, that it has. */
async function* hashEvents(
  { tablePath, tableState }: TableCandidate,
  counts: readonly number[],
  seed: bigint,
): AsyncGenerator<{ events: number; hash: string }> {
  await using stored = await reopenEventTable(tablePath, tableState);
  const { table } = stored;
  const hasher = new Bun.CryptoHasher("sha256");
  const hashTexts = textHasher(seed);
  let events = 0;
  let next = 0;
  for await (const batch of table.batches()) {
    const { words, width } = toWords(batch, table, hashTexts);
    for (let row = 0; row < batch.rows; ) {
      const end = Math.min(batch.rows, row + counts[next]! - events);
      hasher.update(words.subarray(row * width, end * width));
      events += end - row;
      row = end;
      if (events < counts[next]!) break;
      yield { events, hash: hasher.copy().digest("hex") };
      if (++next === counts.length) return;
    }
  }
}

/** All that a batch says of its events, so many words each; what is not there is 0, as is a column that is left out. */
function toWords(
  batch: EventBatch,
  { dictionaries }: EventTable,
  hashTexts: (name: TextColumn, texts: Texts) => Uint32Array,
): { words: Uint32Array; width: number } {
  const width = 2 * (1 + TEXT_COLUMNS.length + NUMBER_COLUMN_NAMES.length);
  const words = new Uint32Array(batch.rows * width);
  const doubles = new Float64Array(words.buffer);
  let at = 0;
  const place = (row: number) => row * (width / 2) + at;
  for (let row = 0; row < batch.rows; row++) doubles[place(row)] = batch.timestampUs[row]!;
  for (const name of TEXT_COLUMNS) {
    at++;
    const codes = batch.codes.get(name);
    const texts = dictionaries.get(name);
    if (codes === undefined || texts === undefined) continue;
    const hashes = hashTexts(name, texts);
    for (let row = 0; row < batch.rows; row++) {
      const code = codes[row]!;
      if (code < 0) continue;
      words[2 * place(row)] = hashes[2 * code]!;
      words[2 * place(row) + 1] = hashes[2 * code + 1]!;
    }
  }
  for (const name of NUMBER_COLUMN_NAMES) {
    at++;
    const numbers = batch.numbers.get(name);
    if (numbers === undefined) continue;
    // A number that is not there is NaN: 0 stands for that, so 0 itself is one that no column holds.
    for (let row = 0; row < batch.rows; row++) {
      const value = numbers[row]!;
      if (value === value) doubles[place(row)] = value === 0 ? -1 : value;
    }
  }
  return { words, width };
}

/** Hashes of the texts of each column, `[2 * code]` and `[2 * code + 1]`; nobody can choose texts of one hash. */
function textHasher(seed: bigint): (name: TextColumn, texts: Texts) => Uint32Array {
  const known = new Map<TextColumn, { texts: Texts; hashes: Uint32Array }>();
  return (name, texts) => {
    const own = known.get(name);
    if (own?.texts === texts) return own.hashes;
    const hashes = new Uint32Array(2 * texts.size);
    for (let code = 0; code < texts.size; code++) {
      const bytes = texts.arena.subarray(texts.offsets[code]!, texts.offsets[code + 1]!);
      const hash = Bun.hash.xxHash3(bytes, seed) | 1n;
      hashes[2 * code] = Number(hash & 0xffff_ffffn);
      hashes[2 * code + 1] = Number(hash >> 32n);
    }
    known.set(name, { texts, hashes });
    return hashes;
  };
}
