/**
 * Databases in MaxMind's format, version 2 (https://maxmind.github.io/MaxMind-DB/, CC BY-SA 3.0): a search tree over the bits
 * of addresses, and records.
 *
 * The file is whoever made it, so nothing in it is believed: every offset is checked, and a record may hold so many values
 * so deep, see the limits below. Not by mmdb-lib (3.0.3, MIT): its decoder knows no limit (pairs of pointers to pairs of
 * pointers: a file of 1.3 kB keeps it busy for 1.7 s, every 12 bytes more twice as long), and it takes texts that are longer
 * than the file.
 */
import { fstatSync, readSync } from "node:fs";
import { closing, openRegular } from "../columns/regular-file.ts";
import { addressBytes } from "../text/address.ts";
import { errorReason, quoteForMessage, visible } from "../text/text.ts";

/** A larger file is refused: the largest on sale has some 1 GB. */
const FILE_MAX_BYTES = 2 ** 31 - 1;
/** The metadata stand in the last so many bytes, behind their marker. */
const METADATA_MAX_BYTES = 128 << 10;
const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** Zeros between tree and records. */
const SEPARATOR_BYTES = 16;
/** Values in a record, maps and their keys included: a city with its names in ten languages has some 150. */
const VALUES_MOST = 4096;
const DEPTH_MOST = 32;
const TEXT_MAX_BYTES = 1 << 16;
/** Seconds since 1970; later ones are no time at which a database was built. */
const BUILT_MOST = Date.UTC(2200) / 1000;
/** Records looked at when a database is opened, so that one that is broken or no such thing is told at once. */
const PROBES = 1000;

/** A value of a record. */
export type MmdbValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | readonly MmdbValue[]
  | ReadonlyMap<string, MmdbValue>;

/** Numbers of the types in the format; pointers and extended types are resolved before. */
const TYPE = {
  extended: 0,
  pointer: 1,
  text: 2,
  double: 3,
  bytes: 4,
  uint16: 5,
  uint32: 6,
  map: 7,
  int32: 8,
  uint64: 9,
  uint128: 10,
  array: 11,
  boolean: 14,
  float: 15,
} as const;

/** Most bytes of a number of each type. */
const WHOLE_BYTES = new Map<number, number>([
  [TYPE.uint16, 2],
  [TYPE.uint32, 4],
  [TYPE.int32, 4],
  [TYPE.uint64, 8],
  [TYPE.uint128, 16],
]);

/** What a database says of itself. */
export interface MmdbMetadata {
  /** "GeoLite2-Country" */
  readonly type: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly builtMs: number;
}

interface Layout {
  readonly ipVersion: 4 | 6;
  readonly nodes: number;
  /** 24, 28 or 32. */
  readonly recordBits: number;
}

/** Reads values out of a section of the file; offsets and pointers are relative to its start. */
class Section {
  readonly #bytes: Buffer;
  #at = 0;
  #left = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws {Error} if what stands there is no sound value, or too large a one. */
  read(offset: number): MmdbValue {
    this.#at = offset;
    this.#left = VALUES_MOST;
    return this.#value(0, true);
  }

  #value(depth: number, mayPoint: boolean): MmdbValue {
    if (--this.#left < 0) throw new Error(`a record of more than ${VALUES_MOST} values`);
    if (depth > DEPTH_MOST) throw new Error(`a record of more than ${DEPTH_MOST} levels`);
    const control = this.#byte();
    let type = control >> 5;
    if (type === TYPE.pointer) {
      // The format has none that leads to another.
      if (!mayPoint) throw new Error("a pointer to a pointer");
      const target = this.#pointer(control);
      const back = this.#at;
      this.#at = target;
      const value = this.#value(depth, false);
      this.#at = back;
      return value;
    }
    if (type === TYPE.extended) type = this.#byte() + 7;
    const size = this.#size(control & 0x1f);
    switch (type) {
      case TYPE.map:
        return this.#map(size, depth);
      case TYPE.array: {
        // One byte a value at the least: no longer than what is left of the section, whatever it says.
        if (size > this.#left) throw new Error(`a list of ${size} values`);
        return Array.from({ length: size }, () => this.#value(depth + 1, true));
      }
      case TYPE.text:
        return this.#text(size);
      case TYPE.bytes:
        return this.#take(size);
      case TYPE.boolean:
        if (size > 1) throw new Error(`a boolean of ${size}`);
        return size === 1;
      case TYPE.double:
        if (size !== 8) throw new Error(`a double of ${size} bytes`);
        return this.#take(8).readDoubleBE();
      case TYPE.float:
        if (size !== 4) throw new Error(`a float of ${size} bytes`);
        return this.#take(4).readFloatBE();
    }
    return this.#whole(type, size);
  }

  #map(size: number, depth: number): ReadonlyMap<string, MmdbValue> {
    if (size * 2 > this.#left) throw new Error(`a map of ${size} keys`);
    const map = new Map<string, MmdbValue>();
    for (let i = 0; i < size; i++) {
      const key = this.#value(depth + 1, true);
      if (typeof key !== "string") throw new Error("a key that is no text");
      map.set(key, this.#value(depth + 1, true));
    }
    return map;
  }

  #whole(type: number, size: number): number | bigint {
    const most = WHOLE_BYTES.get(type);
    if (most === undefined) throw new Error(`a value of unknown type ${type}`);
    if (size > most) throw new Error(`a number of ${size} bytes`);
    const bytes = this.#take(size);
    if (type === TYPE.int32) return size === 4 ? bytes.readInt32BE() : readWhole(bytes, 0, size);
    if (size <= 6) return readWhole(bytes, 0, size);
    return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  #text(size: number): string {
    if (size > TEXT_MAX_BYTES) throw new Error(`a text of ${size} bytes`);
    try {
      return decoder.decode(this.#take(size));
    } catch (error) {
      throw error instanceof TypeError ? new Error("a text that is not UTF-8") : error;
    }
  }

  #pointer(control: number): number {
    const size = (control >> 3) & 3;
    const head = size === 3 ? 0 : control & 7;
    const bytes = this.#take(size + 1);
    return head * 2 ** (8 * (size + 1)) + readWhole(bytes, 0, size + 1) + [0, 2048, 526_336, 0][size]!;
  }

  #size(short: number): number {
    if (short < 29) return short;
    const bytes = this.#take(short - 28);
    return readWhole(bytes, 0, short - 28) + [29, 285, 65_821][short - 29]!;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("a value that lies outside of it");
    return byte;
  }

  #take(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error("a value that lies outside of it");
    return this.#bytes.subarray(start, this.#at);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Up to six bytes, the most significant first. */
function readWhole(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 256 + bytes[i]!;
  return value;
}

/** An open database; all of it is in memory. */
export class Mmdb {
  readonly metadata: MmdbMetadata;
  readonly #layout: Layout;
  readonly #tree: Buffer;
  readonly #records: Section;
  readonly #recordBytes: number;
  /** Where the addresses of version 4 begin in a tree of version 6. */
  readonly #startOfV4: number;

  /** @throws {Error} if it is none, or its tree leads out of it. */
  constructor(file: Buffer) {
    const found = file.lastIndexOf(MARKER);
    if (found < 0 || file.length - found > METADATA_MAX_BYTES) throw new Error("it has no metadata");
    const { layout, metadata } = readMetadata(new Section(file.subarray(found + MARKER.length)).read(0));
    const treeBytes = (layout.nodes * layout.recordBits) / 4;
    const start = treeBytes + SEPARATOR_BYTES;
    if (start > found) throw new Error(`its tree of ${layout.nodes} nodes is longer than the file`);
    this.metadata = metadata;
    this.#layout = layout;
    this.#tree = file.subarray(0, treeBytes);
    this.#records = new Section(file.subarray(start, found));
    this.#recordBytes = found - start;
    this.#checkTree();
    let node = 0;
    if (layout.ipVersion === 6) for (let bit = 0; bit < 96 && node < layout.nodes; bit++) node = this.#next(node, 0);
    this.#startOfV4 = node;
  }

  /**
   * Where the record of an address lies.
   *
   * @returns undefined if the database has none for it, or the text is no address.
   */
  find(address: string): number | undefined {
    const bytes = addressBytes(address);
    const { ipVersion, nodes } = this.#layout;
    if (bytes === undefined || (bytes.length === 16 && ipVersion === 4)) return undefined;
    let node = bytes.length === 4 ? this.#startOfV4 : 0;
    for (let bit = 0; bit < bytes.length * 8 && node < nodes; bit++) {
      node = this.#next(node, ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1) as 0 | 1);
    }
    if (node < nodes) throw new Error("a branch of its tree that has no end");
    return node === nodes ? undefined : node - nodes - SEPARATOR_BYTES;
  }

  /**
   * The record at a place that {@link find} gave.
   *
   * @throws {Error} if it is no sound one.
   */
  record(offset: number): MmdbValue {
    return this.#records.read(offset);
  }

  /** Up to {@link PROBES} records, evenly from all over the tree. */
  *probes(): Generator<MmdbValue> {
    const { nodes } = this.#layout;
    const seen = new Set<number>();
    const step = Math.max(1, Math.floor(nodes / (4 * PROBES)));
    for (let node = 0; node < nodes && seen.size < PROBES; node += step) {
      for (const side of [0, 1] as const) {
        const offset = this.#next(node, side) - nodes - SEPARATOR_BYTES;
        if (offset < 0 || seen.has(offset)) continue;
        seen.add(offset);
        yield this.record(offset);
      }
    }
  }

  /** One branch of a node: another node, the number of nodes for nothing, or more for a record. */
  #next(node: number, side: 0 | 1): number {
    const bytes = this.#tree;
    const { recordBits } = this.#layout;
    if (recordBits !== 28) {
      const length = recordBits / 8;
      return readWhole(bytes, (node * 2 + side) * length, length);
    }
    const at = node * 7;
    const middle = bytes[at + 3]!;
    return side === 0
      ? (middle >> 4) * 0x1_00_00_00 + readWhole(bytes, at, 3)
      : (middle & 15) * 0x1_00_00_00 + readWhole(bytes, at + 4, 3);
  }

  #checkTree(): void {
    const { nodes } = this.#layout;
    const [least, end] = [nodes + SEPARATOR_BYTES, nodes + SEPARATOR_BYTES + this.#recordBytes];
    for (let node = 0; node < nodes; node++) {
      for (const side of [0, 1] as const) {
        const next = this.#next(node, side);
        if (next > nodes && (next < least || next >= end)) throw new Error("a branch of its tree leads out of it");
      }
    }
  }
}

function readMetadata(value: MmdbValue): { layout: Layout; metadata: MmdbMetadata } {
  if (!(value instanceof Map)) throw new Error("its metadata are no map");
  const number = (key: string, isOne: (number: number) => boolean): number => {
    const found: MmdbValue | undefined = value.get(key);
    const shown = typeof found === "bigint" ? Number(found) : found;
    if (typeof shown === "number" && isOne(shown)) return shown;
    throw new Error(`its metadata have no sound ${key}`);
  };
  number("binary_format_major_version", version => version === 2);
  const type = value.get("database_type");
  return {
    layout: {
      ipVersion: number("ip_version", version => version === 4 || version === 6) as 4 | 6,
      nodes: number("node_count", count => count >= 1),
      recordBits: number("record_size", bits => bits === 24 || bits === 28 || bits === 32),
    },
    metadata: {
      type: typeof type === "string" ? type : "",
      builtMs: number("build_epoch", seconds => seconds >= 0 && seconds < BUILT_MOST) * 1000,
    },
  };
}

/**
 * Open a database.
 *
 * @throws {Error} in one line, if it cannot be read or is broken.
 */
export function openMmdb(path: string): Mmdb {
  try {
    const file = openRegular(path);
    using _file = closing(file);
    const { size } = fstatSync(file);
    if (size > FILE_MAX_BYTES) throw new Error(`it has ${size} bytes, expected at most ${FILE_MAX_BYTES}`);
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    for (let n = -1; n !== 0 && length < size; length += n) n = readSync(file, bytes, length, size - length, null);
    return new Mmdb(bytes.subarray(0, length));
  } catch (error) {
    throw brokenMmdb(path, error);
  }
}

/** What is wrong with a database, in one line. */
export function brokenMmdb(path: string, error: unknown): Error {
  const reason = visible(errorReason(error));
  return new Error(`Cannot use ${quoteForMessage(path)} as an MMDB database: ${reason}`, { cause: error });
}
