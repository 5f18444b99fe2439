/**
 * What the rows of spans tell, of a table in its file: how many events, on which sensors, through which sources. Nothing is held
 * but these.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import { type Kind, KIND_SPECS } from "../reduced/kinds.ts";
import type { LazyBatch } from "../reduced/sorted-table.ts";
import { type Given, lookUp } from "../reduced/stored-pool.ts";
import type { StoredDays, StoredTable } from "../reduced/stored-table.ts";
import { AddressHashes } from "./address-hashes.ts";
import type { SpanRows } from "./candidates.ts";
import { type KeySlots, SlotFinder } from "./key-slots.ts";
import { SourceUnion, uniteSets } from "./source-sets.ts";

/** Rows of a key. */
export interface SpanWanted extends StoredDays {
  /** Of the key among the chosen ones. */
  readonly place: number;
  /** Codes; all if not given. */
  readonly sensors?: readonly number[];
}

export interface SpansAsk {
  readonly kind: Kind;
  readonly days: StoredDays;
  /** How many there are. */
  readonly sensors: number;
  readonly families: readonly { readonly slots: Given<KeySlots>; readonly spans: readonly SpanWanted[] }[];
}

/** By family and span. */
export function readSpans(stored: StoredTable, { kind, days, sensors, families }: SpansAsk): SpanRows[][] {
  const hashes = KIND_SPECS[kind].hasAddresses ? undefined : AddressHashes.of(stored.textsOf("src_ip"));
  const readers = families.map(({ slots, spans }) => new FamilySpans(lookUp(slots), spans, sensors, hashes));
  for (const part of stored.parts(kind, days)) for (const reader of readers) reader.add(part);
  return readers.map(reader => reader.finish());
}

class FamilySpans {
  readonly #finder: SlotFinder;
  /** By place. */
  readonly #spans: (readonly OneSpan[])[];
  readonly #all: readonly OneSpan[];
  /** Of a kind whose key has the address. */
  readonly #hashes: AddressHashes | undefined;

  constructor(slots: KeySlots, spans: readonly SpanWanted[], sensors: number, hashes: AddressHashes | undefined) {
    this.#finder = new SlotFinder(slots);
    this.#all = spans.map(wanted => new OneSpan(wanted, sensors));
    this.#spans = Array.from({ length: slots.keys }, () => []);
    this.#all.forEach((span, i) => (this.#spans[spans[i]!.place] = [...this.#spans[spans[i]!.place]!, span]));
    this.#hashes = hashes;
  }

  add(part: LazyBatch): void {
    const { size, rows, places } = this.#finder.find(part);
    let columns: SpanColumns | undefined;
    for (let i = 0; i < size; i++) {
      const spans = this.#spans[places[i]!]!;
      if (spans.length === 0) continue;
      // Columns are read when they are asked for, and each time looked for.
      columns ??= { day: part.day, sensor: part.sensor, count: part.count, addresses: part.addresses, sets: part.sets, from: part.keys.src_ip };
      for (let at = 0; at < spans.length; at++) spans[at]!.add(columns, rows[i]!, this.#hashes);
    }
  }

  finish(): SpanRows[] {
    return this.#all.map(span => span.finish());
  }
}

/** Of a batch; `from` where the address is part of the key. */
interface SpanColumns extends Pick<LazyBatch, "day" | "sensor" | "count" | "addresses" | "sets"> {
  readonly from: Int32Array | undefined;
}

class OneSpan {
  readonly #wanted: SpanWanted;
  /** By sensor; undefined = all are wanted. */
  readonly #isWanted: Uint8Array | undefined;
  readonly #isSeen: Uint8Array;
  readonly #union = new SourceUnion();
  #events = 0;
  #isUnknown = false;

  constructor(wanted: SpanWanted, sensors: number) {
    this.#wanted = wanted;
    this.#isSeen = new Uint8Array(sensors);
    if (wanted.sensors === undefined) return;
    this.#isWanted = new Uint8Array(sensors);
    for (const sensor of wanted.sensors) this.#isWanted[sensor] = 1;
  }

  add({ day, sensor, count, addresses, sets, from }: SpanColumns, row: number, hashes: AddressHashes | undefined): void {
    const { first, last } = this.#wanted;
    if (day[row]! < first || day[row]! > last || this.#isWanted?.[sensor[row]!] === 0) return;
    this.#events += count[row]!;
    this.#isSeen[sensor[row]!] = 1;
    const code = addresses === null ? from![row]! : addresses[row]!;
    if (addresses === null) {
      // No address, no count.
      if (code >= 0) this.#union.addOne(hashes!.hashOf(code));
    } else if (code < 0) this.#isUnknown = true;
    else this.#union.add(sets.hashes, sets.offsets[code]!, sets.offsets[code + 1]!);
  }

  finish(): SpanRows {
    return { events: this.#events, isSeen: this.#isSeen, sources: this.#isUnknown ? undefined : this.#union.finish() };
  }
}

/** The same of several ranges of days. */
export function joinSpanRows(parts: readonly SpanRows[]): SpanRows {
  const isSeen = new Uint8Array(parts[0]!.isSeen.length);
  for (const part of parts) for (let sensor = 0; sensor < isSeen.length; sensor++) isSeen[sensor]! |= part.isSeen[sensor]!;
  const sets = parts.flatMap(({ sources }) => sources ?? []);
  return {
    events: parts.reduce((sum, { events }) => sum + events, 0),
    isSeen,
    sources: sets.length < parts.length ? undefined : uniteSets(sets),
  };
}
