/**
 * A reduced table summed up by sensor-day, row by row as it is read: what says when sensors were watching and how much of
 * everything there was, of a table that is too large to be held.
 *
 * The sums are a table themselves, with a row a sensor-day of each kind, and a row an hour of events; keys are not told.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { NO_SETS } from "../columns/address-sets.ts";
import { sortedRows } from "../columns/group.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { type Kind, KIND_NAMES, KIND_SPECS } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";
import { widened } from "../columns/growing-column.ts";

const HOURS = 24;

export interface CellSums {
  /** `addresses` of a row is -1 if one of the rows that it sums up does not know its own, else the empty set. */
  readonly table: ReducedTable;
  /** `rows[kind][i]` = how many rows row i of the sums stands for. */
  readonly rows: Readonly<Record<Kind, Int32Array>>;
}

/** The sums of one kind, or of rows of it that stand together. */
export interface KindSums {
  readonly table: KindTable;
  /** How many rows each row of `table` stands for. */
  readonly rows: Int32Array;
}

/** The empty one. */
const ONE_SET = { ...NO_SETS, size: 1, offsets: new Int32Array(2) };

/** @throws {RangeError} if rows do not come by day and sensor. */
export class CellSummer {
  readonly #kinds = new Map(KIND_NAMES.map(kind => [kind, new KindCells(kind)]));

  /** Add rows of one kind that come behind all of it that were added. */
  add(part: KindTable): void {
    this.#kinds.get(part.kind)!.add(part);
  }

  /** Add what rows of a kind were summed up to that come behind all of it that were added. */
  addSums({ table, rows }: KindSums): void {
    this.#kinds.get(table.kind)!.add(table, rows);
  }

  /** The sums of one kind. */
  finishKind(kind: Kind): KindSums {
    return this.#kinds.get(kind)!.finish();
  }

  finish({ info, dictionaries }: Pick<ReducedTable, "info" | "dictionaries">): CellSums {
    const finished = [...this.#kinds].map(([kind, cells]) => [kind, cells.finish()] as const);
    return {
      table: {
        info,
        dictionaries,
        sets: ONE_SET,
        kinds: Object.fromEntries(finished.map(([kind, { table }]) => [kind, table])) as unknown as ReducedTable["kinds"],
      },
      rows: Object.fromEntries(finished.map(([kind, { rows }]) => [kind, rows])) as unknown as CellSums["rows"],
    };
  }
}

const NO_INTS = new Int32Array(0);
const NO_FLOATS = new Float64Array(0);
/** Sums from which on what is let go is swept up at once: left to itself the engine keeps it for long. */
const SWEPT_CELLS = 1 << 20;

/** Columns of sums: day, sensor, hour, whether all addresses are known, rows; then numbers. */
class KindCells {
  readonly #kind: Kind;
  /** Rows of a sensor-day: hours, and one for rows without. */
  readonly #width: number;
  #size = 0;
  #day = new Int32Array(64);
  #sensor = new Int32Array(64);
  #hour = new Int32Array(64);
  #known = new Int32Array(64);
  #rows = new Int32Array(64);
  #count = new Float64Array(64);
  #first = new Float64Array(64);
  #last = new Float64Array(64);
  /** Place of each hour of the sensor-day that is added to, the one for rows without first. */
  readonly #places: Int32Array;
  #openDay = -Infinity;
  #openSensor = -1;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#width = kind === "event" ? HOURS + 1 : 1;
    this.#places = new Int32Array(this.#width);
  }

  /** @param standFor How many rows each stands for; one if not given. */
  add(part: KindTable, standFor?: Int32Array): void {
    const { rows, day, sensor, keys } = part;
    const hours = this.#kind === "event" ? keys.hour : undefined;
    for (let start = 0; start < rows; ) {
      const ofDay = day[start]!;
      const ofSensor = sensor[start]!;
      if (ofDay !== this.#openDay || ofSensor !== this.#openSensor) this.#open(ofDay, ofSensor);
      let end = start + 1;
      if (hours === undefined) while (end < rows && day[end] === ofDay && sensor[end] === ofSensor) end++;
      this.#addRows(this.#placeOf(hours === undefined ? 0 : hours[start]! + 1), part, start, end, standFor);
      start = end;
    }
  }

  /** Rows of one place. */
  #addRows(at: number, { count, addresses, firstSeenUs, lastSeenUs }: KindTable, start: number, end: number, standFor: Int32Array | undefined): void {
    let sum = 0;
    let first = this.#first[at]!;
    let last = this.#last[at]!;
    for (let row = start; row < end; row++) {
      sum += count[row]!;
      if (firstSeenUs[row]! < first) first = firstSeenUs[row]!;
      if (lastSeenUs[row]! > last) last = lastSeenUs[row]!;
    }
    this.#count[at]! += sum;
    this.#first[at] = first;
    this.#last[at] = last;
    if (addresses !== null) for (let row = start; row < end; row++) if (addresses[row]! < 0) this.#known[at] = -1;
    if (standFor === undefined) this.#rows[at]! += end - start;
    else for (let row = start; row < end; row++) this.#rows[at]! += standFor[row]!;
  }

  /** Nothing may be added afterwards: columns are let go one by one, as they may be hundreds of megabytes. */
  finish(): KindSums {
    const size = this.#size;
    // Hours come in the order of the event ids.
    const order = sortedRows(this.#kind === "event" ? [this.#day, this.#sensor, this.#hour] : [], size);
    const ints = (column: Int32Array) => fill(sharedInts(size), column, order);
    const floats = (column: Float64Array) => fill(sharedFloats(size), column, order);
    const day = ints(this.#day);
    this.#day = NO_INTS;
    const sensor = ints(this.#sensor);
    this.#sensor = NO_INTS;
    const keys = this.#kind === "event" ? { hour: ints(this.#hour) } : {};
    this.#hour = NO_INTS;
    const addresses = KIND_SPECS[this.#kind].hasAddresses ? ints(this.#known) : null;
    this.#known = NO_INTS;
    const rows = ints(this.#rows);
    this.#rows = NO_INTS;
    if (size >= SWEPT_CELLS) Bun.gc(true);
    const count = floats(this.#count);
    this.#count = NO_FLOATS;
    const firstSeenUs = floats(this.#first);
    this.#first = NO_FLOATS;
    if (size >= SWEPT_CELLS) Bun.gc(true);
    const lastSeenUs = floats(this.#last);
    this.#last = NO_FLOATS;
    if (size >= SWEPT_CELLS) Bun.gc(true);
    return { table: { kind: this.#kind, rows: size, day, sensor, keys, count, success: sharedFloats(size), addresses, firstSeenUs, lastSeenUs }, rows };
  }

  #open(day: number, sensor: number): void {
    if (day < this.#openDay || (day === this.#openDay && sensor < this.#openSensor)) {
      throw new RangeError("a reduced table with damaged rows: they do not stand in the order that it says they have");
    }
    this.#openDay = day;
    this.#openSensor = sensor;
    this.#places.fill(-1);
  }

  #placeOf(slot: number): number {
    if (this.#places[slot]! >= 0) return this.#places[slot]!;
    if (this.#size === this.#day.length) this.#grow();
    const at = this.#size++;
    this.#places[slot] = at;
    this.#day[at] = this.#openDay;
    this.#sensor[at] = this.#openSensor;
    this.#hour[at] = slot - 1;
    this.#first[at] = Infinity;
    this.#last[at] = -Infinity;
    return at;
  }

  #grow(): void {
    this.#day = widened(this.#day);
    this.#sensor = widened(this.#sensor);
    this.#hour = widened(this.#hour);
    this.#known = widened(this.#known);
    this.#rows = widened(this.#rows);
    this.#count = widened(this.#count);
    this.#first = widened(this.#first);
    this.#last = widened(this.#last);
    if (this.#size >= SWEPT_CELLS) Bun.gc(true);
  }
}

function fill<T extends Int32Array | Float64Array>(into: T, from: T, order: Int32Array): T {
  for (let i = 0; i < order.length; i++) into[i] = from[order[i]!]!;
  return into;
}

/** Whether of each sensor-day that anything is counted of events are counted. */
export function tellsEvents({ table: { kinds } }: CellSums): boolean {
  const cellOf = (day: number, sensor: number) => day * 0x20_0000 + sensor;
  const known = new Set<number>();
  const { event } = kinds;
  for (let row = 0; row < event.rows; row++) if (event.count[row]! > 0) known.add(cellOf(event.day[row]!, event.sensor[row]!));
  return KIND_NAMES.every(kind => {
    const { rows, day, sensor } = kinds[kind];
    for (let row = 0; row < rows && kind !== "scan"; row++) if (!known.has(cellOf(day[row]!, sensor[row]!))) return false;
    return true;
  });
}
